/* SPDX-License-Identifier: Apache-2.0 */
/* The NICs and managed ports that have a link of ours, as a collection.  How
 * one is attached is in plugin/datapath-bpf-attach.c. */
#include <config.h>

#include "plugin/datapath-bpf.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <unistd.h>

#include "openvswitch/vlog.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(datapath_links);

/* Returns the path of directory links/.  The caller frees it. */
char *
links_dir(const struct dp *dp)
{
    return xasprintf("%s/links", dp->pin_dir);
}

/* Returns the NIC of the device 'name', or NULL. */
static struct bpf_nic *
nic_find(const struct dp *dp, const char *name)
{
    struct bpf_nic *nic;

    LIST_FOR_EACH (nic, node, &dp->nics) {
        if (!strcmp(nic->nic.name, name)) {
            return nic;
        }
    }
    return NULL;
}

/* Forgets the links, which stay attached. */
void
nics_destroy(struct dp *dp)
{
    struct bpf_nic *nic;

    LIST_FOR_EACH_POP (nic, node, &dp->nics) {
        nic_free(nic);
    }
}

/* Unpins the links that 'dp' has not adopted or made: those of devices that
 * are gone, for the most part. */
void
nics_sweep(struct dp *dp)
{
    struct svec pins = SVEC_EMPTY_INITIALIZER;
    char *dir = links_dir(dp);
    struct bpf_nic *nic;
    const char *pin;
    size_t i;

    LIST_FOR_EACH_SAFE (nic, node, &dp->nics) {
        if (!nic_is_alive(nic)) {
            nic_remove(dp, nic);
        }
    }
    pins_list(dir, &pins);
    SVEC_FOR_EACH (i, pin, &pins) {
        if (pins_is_pin(pin) && !nic_find_pin(dp, pin)) {
            VLOG_INFO("%s: removed, as no device here has it", pin);
            pins_remove(pin);
        }
    }
    svec_destroy(&pins);
    free(dir);
}

/* Detaches and unpins every link below the pin directory, adopted or not. */
void
nics_remove_all(struct dp *dp)
{
    struct svec pins = SVEC_EMPTY_INITIALIZER;
    char *dir = links_dir(dp);
    struct bpf_nic *nic;
    const char *pin;
    size_t i;

    LIST_FOR_EACH_SAFE (nic, node, &dp->nics) {
        nic_remove(dp, nic);
    }
    pins_list(dir, &pins);
    SVEC_FOR_EACH (i, pin, &pins) {
        int fd = bpf_obj_get(pin);

        if (fd >= 0) {
            bpf_link_detach(fd);
            close(fd);
        }
    }
    svec_destroy(&pins);
    pins_remove_dir(dir);
    free(dir);
}

/* Returns true if 'dp' has what programs with rules need. */
static bool
has_rules(struct dp *dp)
{
    return !acls_open(dp) && !opened_open(dp);
}

/* Makes 'want' do without layers for which 'dp' does not have what their
 * programs need: that is no reason not to redirect.  Returns false if nothing
 * would be left. */
static bool
can_have(struct dp *dp, struct dp_nic *want)
{
    bool all = true;

    if (want->acl != DP_ACL_OFF && !has_rules(dp)) {
        want->acl = DP_ACL_OFF;
        all = false;
    }
    if (want->direct != DP_HOOK_NONE && l3_open(dp)) {
        want->direct = DP_HOOK_NONE;
        all = false;
    }
    return (all || !want->bridge || want->acl != DP_ACL_OFF
            || want->direct != DP_HOOK_NONE);
}

/* Attaches to 'want', or makes what is attached there equal to 'want'. */
int
nics_attach(struct dp *dp, const struct dp_nic *want_, bool sink)
{
    struct dp_nic want = *want_;
    struct bpf_nic *nic;
    int error;

    if (want.mode == DP_GENERIC) {
        want.tag_hint = false;
    }
    if (!sink && !can_have(dp, &want)) {
        /* Whatever it was, it is not the driver that refused. */
        return ENOMEM;
    }
    nic = nic_claim(dp, &want);
    error = (nic
             ? nic_update(dp, nic, &want, sink)
             : nic_create(dp, &want, sink));
    if (error) {
        VLOG_DBG("%s: cannot attach in %s mode (%s)", want.name,
                 want.mode == DP_NATIVE ? "native" : "generic",
                 ovs_strerror(error));
    }
    return error;
}

/* Detaches from the device 'name'.  ENOENT if nothing of ours is there. */
int
nics_detach(struct dp *dp, const char *name)
{
    struct bpf_nic *nic = nic_find(dp, name);

    if (!nic) {
        return ENOENT;
    }
    VLOG_DBG("%s: detached", name);
    nic_remove(dp, nic);
    return 0;
}

/* Calls 'cb' for each NIC whose device is there. */
void
nics_dump(const struct dp *dp, dp_nic_cb *cb, void *aux)
{
    const struct bpf_nic *nic;

    LIST_FOR_EACH (nic, node, &dp->nics) {
        struct link_info info;

        if (!link_get_info(nic->link_fd, &info) && info.ifindex) {
            struct dp_nic_state state = {
                .nic = nic->nic,
                .program_id = info.program_id,
                .current = nic->current,
                .sink = nic->sink,
            };

            cb(&state, aux);
        }
    }
}

/* Stores the counters of the NIC 'name' in 'counters', which has room for one
 * per packet reason.  They are zeros while it runs a program of an older
 * generation. */
int
nics_counters(const struct dp *dp, const char *name,
              struct dp_counter *counters)
{
    const struct bpf_nic *nic = nic_find(dp, name);

    memset(counters, 0, OX_N_REASONS * sizeof *counters);
    if (!nic) {
        return ENOENT;
    }
    for (uint32_t i = 0; i < OX_N_REASONS && nic->slot != SLOT_NONE; i++) {
        int error = counter_read(dp, dp->gen.fds[GEN_REASONS],
                                 nic->slot * OX_N_REASONS + i, &counters[i]);

        if (error) {
            return error;
        }
    }
    return 0;
}

/* Returns the NIC of device 'ifindex', or NULL. */
struct bpf_nic *
nic_find_index(const struct dp *dp, int ifindex)
{
    struct bpf_nic *nic;

    LIST_FOR_EACH (nic, node, &dp->nics) {
        if (nic->nic.ifindex == ifindex) {
            return nic;
        }
    }
    return NULL;
}

/* Returns the NIC of the pin 'pin', or NULL. */
struct bpf_nic *
nic_find_pin(const struct dp *dp, const char *pin)
{
    struct bpf_nic *nic;

    LIST_FOR_EACH (nic, node, &dp->nics) {
        if (!strcmp(nic->pin, pin)) {
            return nic;
        }
    }
    return NULL;
}

/* Reads what the kernel says of the link 'fd'.  An XDP link of a device that
 * is gone has ifindex 0. */
int
link_get_info(int fd, struct link_info *info)
{
    struct bpf_link_info raw = { .id = 0 };
    uint32_t size = sizeof raw;
    int error;

    error = -bpf_obj_get_info_by_fd(fd, &raw, &size);
    if (error) {
        return error;
    } else if (raw.type != BPF_LINK_TYPE_XDP) {
        return EINVAL;
    }
    info->ifindex = raw.xdp.ifindex;
    info->program_id = raw.prog_id;
    return 0;
}

/* Reads what the kernel says of device 'ifindex'. */
int
hook_get(int ifindex, struct hook *hook)
{
    LIBBPF_OPTS(bpf_xdp_query_opts, opts);
    int error;

    error = -bpf_xdp_query(ifindex, 0, &opts);
    if (error) {
        return error;
    }
    hook->taken = opts.attach_mode != XDP_ATTACHED_NONE;
    hook->native_id = opts.drv_prog_id;
    hook->generic_id = opts.skb_prog_id;
    return 0;
}
