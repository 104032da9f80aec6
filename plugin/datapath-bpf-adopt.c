/* SPDX-License-Identifier: Apache-2.0 */
/* Taking over the links of an earlier daemon: which device each has, and what
 * runs there. */
#include <config.h>

#include "plugin/datapath-bpf.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <unistd.h>

#include "openvswitch/vlog.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(datapath_adopt);

static int adopt_pin(struct dp *, const char *pin);

/* Finds the links of an earlier daemon.  Those whose device is gone, or is in
 * another network namespace, are left to nics_sweep(). */
int
nics_adopt(struct dp *dp)
{
    struct svec pins = SVEC_EMPTY_INITIALIZER;
    char *dir = links_dir(dp);
    const char *pin;
    size_t i;
    int error;

    error = pins_make_dir(dir);
    if (!error) {
        pins_list(dir, &pins);
        SVEC_FOR_EACH (i, pin, &pins) {
            error = adopt_pin(dp, pin);
            if (error) {
                break;
            }
        }
        svec_destroy(&pins);
    }
    free(dir);
    return error;
}

/* Takes what an earlier daemon has noted in the row of 'nic'.  False if there
 * is none in this generation. */
static bool
adopt_row(struct dp *dp, struct bpf_nic *nic)
{
    for (uint32_t slot = 0; slot < OX_MAX_NICS; slot++) {
        uint64_t bit = UINT64_C(1) << slot;
        struct ox_nic row;

        if (!(dp->nic_slots & bit)
            && !bpf_map_lookup_elem(dp->gen.fds[GEN_NICS], &slot, &row)
            && row.ifindex == nic->nic.ifindex) {
            memcpy(&nic->nic.mac, row.mac, sizeof nic->nic.mac);
            nic->nic.bridge = row.bridge;
            nic->sink = (row.flags & OX_NIC_SINK) != 0;
            nic->nic.tag_hint = (row.flags & OX_NIC_TAG_HINT) != 0;
            nic->near_tc = (row.flags & OX_NIC_NEAR_TC) != 0;
            nic->slot = slot;
            dp->nic_slots |= bit;
            return true;
        }
    }
    return false;
}

/* Finds out the same from the program 'id' itself, as far as the kernel says
 * it (which it does to CAP_SYS_ADMIN only). */
static void
inspect_program(uint32_t id, struct bpf_nic *nic)
{
    struct bpf_prog_info info = { .id = 0 };
    uint32_t size = sizeof info;
    int fd;

    fd = bpf_prog_get_fd_by_id(id);
    if (fd >= 0) {
        if (!bpf_obj_get_info_by_fd(fd, &info, &size)) {
            nic->sink = !strcmp(info.name, "port_sink");
            nic->nic.tag_hint = info.ifindex != 0;
        }
        close(fd);
    }
}

/* Finds out to which device of this network namespace the link 'fd' is
 * attached.  Returns 0 or a positive errno: ENODEV if there is none, which is
 * no matter for whoever adopts, while after any other error the link may well
 * be in use. */
static int
inspect_link(int fd, struct link_info *info, struct hook *hook,
             char name[IFNAMSIZ])
{
    int error;

    error = link_get_info(fd, info);
    if (error) {
        return error == EINVAL ? ENODEV : error; /* No link of XDP. */
    }
    if (info->ifindex) {
        error = hook_get(info->ifindex, hook);
        if (error) {
            return error;
        }
    }
    if (!info->ifindex || (hook->native_id != info->program_id
                           && hook->generic_id != info->program_id)) {
        return ENODEV;
    }
    if (!if_indextoname(info->ifindex, name)) {
        return errno == ENXIO ? ENODEV : errno;
    }
    return 0;
}

/* Makes a NIC of the link 'fd' pinned as 'pin', and owns 'fd' then.  Returns 0
 * or a positive errno, as inspect_link() does; ENODEV also if that device has
 * a NIC already. */
static int
adopt_link(struct dp *dp, int fd, const char *pin)
{
    struct link_info info;
    struct bpf_nic *nic;
    struct hook hook;
    char name[IFNAMSIZ];
    int error;

    error = inspect_link(fd, &info, &hook, name);
    if (error) {
        return error;
    }
    if (nic_find_index(dp, info.ifindex)) {
        return ENODEV;
    }
    nic = xmalloc(sizeof *nic);
    *nic = (struct bpf_nic) {
        .nic = {
            .ifindex = info.ifindex,
            .mode = (hook.native_id == info.program_id
                     ? DP_NATIVE : DP_GENERIC),
        },
        .slot = SLOT_NONE,
        .link_fd = fd,
        .pin = xstrdup(pin),
    };
    ovs_strlcpy(nic->nic.name, name, sizeof nic->nic.name);
    if (!adopt_row(dp, nic)) {
        inspect_program(info.program_id, nic);
    }
    ovs_list_push_back(&dp->nics, &nic->node);
    VLOG_INFO("%s: adopted", name);
    return 0;
}

/* Adopts the link pinned as 'pin', if it is of any use.  Returns 0 or a
 * positive errno if that cannot be told: it must not be swept then. */
static int
adopt_pin(struct dp *dp, const char *pin)
{
    int error, fd;

    if (!pins_is_pin(pin)) {
        VLOG_WARN("%s: is no pin, and left alone", pin);
        return 0;
    }
    error = pins_get(pin, &fd);
    if (error || fd < 0) {
        return error;
    }
    error = adopt_link(dp, fd, pin);
    if (error) {
        close(fd);
    }
    return error == ENODEV ? 0 : error;
}
