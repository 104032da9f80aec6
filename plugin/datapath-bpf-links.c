/* SPDX-License-Identifier: Apache-2.0 */
/* Attachment to NICs and to the outer ends of managed ports: one pinned XDP
 * link each.
 *
 * A link that is there is only ever updated, which the kernel does between two
 * packets.  It is detached to be attached again where the kernel knows no
 * other way: for a change of mode, or a program it refuses to swap. */
#include <config.h>
#include "plugin/datapath-bpf.h"
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <unistd.h>
#include "openvswitch/dynamic-string.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "sset.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(datapath_links);

/* 'nic_slots' of struct dp is a bitmap in one word. */
BUILD_ASSERT_DECL(OX_MAX_NICS == 64);

/* What the kernel says of a link. */
struct link_info {
    int ifindex;                /* Its device, or 0 if that is gone. */
    uint32_t program_id;        /* Its program. */
};

/* What the kernel says of a device. */
struct hook {
    bool taken;                 /* A program is attached. */
    enum dp_mode mode;          /* How. */
    uint32_t program_id;        /* The program, or 0 if there are several. */
};

static struct bpf_nic *nic_find(const struct dp *, const char *name);
static struct bpf_nic *nic_find_index(const struct dp *, int ifindex);
static struct bpf_nic *nic_claim(struct dp *, const struct dp_nic *);
static bool nic_is_alive(const struct bpf_nic *);
static void nic_free(struct bpf_nic *);
static void nic_remove(struct dp *, struct bpf_nic *);
static int nic_create(struct dp *, const struct dp_nic *, bool sink);
static int nic_update(struct dp *, struct bpf_nic *, const struct dp_nic *,
                      bool sink);
static void adopt_pin(struct dp *, const char *pin);

/* Returns the path of directory links/.  The caller frees it. */
static char *
links_dir(const struct dp *dp)
{
    return xasprintf("%s/links", dp->pin_dir);
}

/* Finds the links of an earlier daemon.  Those whose device is gone, or is in
 * another network namespace, are left to nics_sweep(). */
int
nics_adopt(struct dp *dp)
{
    struct svec names = SVEC_EMPTY_INITIALIZER;
    char *dir = links_dir(dp);
    const char *name;
    size_t i;
    int error;

    error = pins_make_dir(dir);
    if (!error) {
        pins_list(dir, &names);
        SVEC_FOR_EACH (i, name, &names) {
            char *pin = xasprintf("%s/%s", dir, name);

            adopt_pin(dp, pin);
            free(pin);
        }
        svec_destroy(&names);
    }
    free(dir);
    return error;
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
    struct svec names = SVEC_EMPTY_INITIALIZER;
    char *dir = links_dir(dp);
    struct bpf_nic *nic;
    struct sset keep;
    const char *name;
    size_t i;

    sset_init(&keep);
    LIST_FOR_EACH_SAFE (nic, node, &dp->nics) {
        if (nic_is_alive(nic)) {
            sset_add(&keep, nic->pin);
        } else {
            nic_remove(dp, nic);
        }
    }
    pins_list(dir, &names);
    SVEC_FOR_EACH (i, name, &names) {
        char *pin = xasprintf("%s/%s", dir, name);

        if (!sset_contains(&keep, pin)) {
            VLOG_INFO("%s: removed, its device is gone", pin);
            pins_remove(pin);
        }
        free(pin);
    }
    svec_destroy(&names);
    sset_destroy(&keep);
    free(dir);
}

/* Detaches and unpins every link below the pin directory, adopted or not. */
void
nics_remove_all(struct dp *dp)
{
    struct svec names = SVEC_EMPTY_INITIALIZER;
    char *dir = links_dir(dp);
    struct bpf_nic *nic;
    const char *name;
    size_t i;

    LIST_FOR_EACH_SAFE (nic, node, &dp->nics) {
        nic_remove(dp, nic);
    }
    pins_list(dir, &names);
    SVEC_FOR_EACH (i, name, &names) {
        char *pin = xasprintf("%s/%s", dir, name);
        int fd = bpf_obj_get(pin);

        if (fd >= 0) {
            bpf_link_detach(fd);
            close(fd);
        }
        free(pin);
    }
    svec_destroy(&names);
    pins_remove_dir(dir);
    free(dir);
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
    nic = nic_claim(dp, &want);
    error = (nic
             ? nic_update(dp, nic, &want, sink)
             : nic_create(dp, &want, sink));
    if (error) {
        VLOG_WARN("%s: cannot attach in %s mode (%s)", want.name,
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
    VLOG_INFO("%s: detached", name);
    nic_remove(dp, nic);
    return 0;
}

/* Reads what the kernel says of the link 'fd'.  An XDP link of a device that
 * is gone has ifindex 0. */
static int
get_link_info(int fd, struct link_info *info)
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
static int
get_hook(int ifindex, struct hook *hook)
{
    LIBBPF_OPTS(bpf_xdp_query_opts, opts);
    int error;

    error = -bpf_xdp_query(ifindex, 0, &opts);
    if (error) {
        return error;
    }
    hook->taken = opts.attach_mode != XDP_ATTACHED_NONE;
    hook->mode = opts.attach_mode == XDP_ATTACHED_SKB ? DP_GENERIC : DP_NATIVE;
    hook->program_id = opts.prog_id;
    return 0;
}

/* Calls 'cb' for each NIC whose device is there. */
void
nics_dump(const struct dp *dp, dp_nic_cb *cb, void *aux)
{
    const struct bpf_nic *nic;

    LIST_FOR_EACH (nic, node, &dp->nics) {
        struct link_info info;

        if (!get_link_info(nic->link_fd, &info) && info.ifindex) {
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

/* Returns the NIC of device 'ifindex', or NULL. */
static struct bpf_nic *
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
static struct bpf_nic *
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

/* Tells whether the link of 'nic' still has its device. */
static bool
nic_is_alive(const struct bpf_nic *nic)
{
    struct link_info info;

    return (!get_link_info(nic->link_fd, &info)
            && info.ifindex == nic->nic.ifindex);
}

/* Returns the NIC that 'want' means, or NULL if it has no link.  NICs that
 * stand in the way are put right: one whose device is gone is removed, one
 * whose device was renamed gets its new name. */
static struct bpf_nic *
nic_claim(struct dp *dp, const struct dp_nic *want)
{
    struct bpf_nic *nic;

    LIST_FOR_EACH_SAFE (nic, node, &dp->nics) {
        if (nic->nic.ifindex != want->ifindex
            && strcmp(nic->nic.name, want->name)) {
            continue;
        }
        if (!nic_is_alive(nic)
            || !if_indextoname(nic->nic.ifindex, nic->nic.name)) {
            nic_remove(dp, nic);
        }
    }
    return nic_find_index(dp, want->ifindex);
}

/* Frees 'nic', whose link stays as it is. */
static void
nic_free(struct bpf_nic *nic)
{
    close(nic->link_fd);
    free(nic->pin);
    free(nic);
}

/* Writes 'nic', or zeros for NULL, to row 'slot' of 'nics'. */
static int
write_row(const struct dp *dp, uint32_t slot, const struct dp_nic *nic,
          bool sink)
{
    struct ox_nic row = { .ifindex = 0 };

    if (nic) {
        memcpy(row.mac, &nic->mac, sizeof row.mac);
        row.flags = ((sink ? OX_NIC_SINK : 0)
                     | (nic->tag_hint ? OX_NIC_TAG_HINT : 0));
        row.ifindex = nic->ifindex;
    }
    return -bpf_map_update_elem(dp->gen.fds[GEN_NICS], &slot, &row, BPF_ANY);
}

/* Gives row '*slotp' back, if there is one. */
static void
release_slot(struct dp *dp, uint32_t *slotp)
{
    if (*slotp != SLOT_NONE) {
        write_row(dp, *slotp, NULL, false);
        dp->nic_slots &= ~(UINT64_C(1) << *slotp);
        *slotp = SLOT_NONE;
    }
}

/* Takes a row of 'nics' for device 'ifindex' and sets its counters to zero.
 * Stores it in '*slotp'.  ENOSPC if none is free. */
static int
take_slot(struct dp *dp, uint32_t *slotp)
{
    uint32_t slot;

    if (dp->nic_slots == UINT64_MAX) {
        return ENOSPC;
    }
    slot = raw_ctz(~dp->nic_slots);
    for (uint32_t i = 0; i < OX_N_REASONS; i++) {
        int error = counter_clear(dp, dp->gen.fds[GEN_REASONS],
                                  slot * OX_N_REASONS + i);

        if (error) {
            return error;
        }
    }
    dp->nic_slots |= UINT64_C(1) << slot;
    *slotp = slot;
    return 0;
}

/* Detaches 'nic', unpins its link and frees it. */
static void
nic_remove(struct dp *dp, struct bpf_nic *nic)
{
    events_del_nic(dp, nic->nic.ifindex);
    bpf_link_detach(nic->link_fd);
    pins_remove(nic->pin);
    release_slot(dp, &nic->slot);
    ovs_list_remove(&nic->node);
    nic_free(nic);
}

/* Returns a path to pin the link of 'nic': that of its name, unless a renamed
 * device has it.  A bpffs takes no dots in names. */
static char *
make_pin(const struct dp *dp, const struct dp_nic *nic)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    ds_put_format(&s, "%s/links/", dp->pin_dir);
    for (const char *p = nic->name; *p; p++) {
        if (*p == '.' || *p == '%') {
            ds_put_format(&s, "%%%02x", *p);
        } else {
            ds_put_char(&s, *p);
        }
    }
    if (nic_find_pin(dp, ds_cstr(&s))) {
        ds_put_format(&s, "%%%d", nic->ifindex);
    }
    return ds_steal_cstr(&s);
}

/* Loads the program for 'want' with row 'slot'. */
static int
load(const struct dp *dp, const struct dp_nic *want, bool sink, uint32_t slot,
     int *fdp)
{
    return (sink
            ? load_sink(&dp->gen, slot, fdp)
            : load_redirect(&dp->gen, want, slot, fdp));
}

/* Attaches 'prog' to 'want' by a new link, whose file descriptor is stored in
 * '*linkp'. */
static int
create_link(int prog, const struct dp_nic *want, int *linkp)
{
    LIBBPF_OPTS(bpf_link_create_opts, opts,
                .flags = (want->mode == DP_NATIVE
                          ? XDP_FLAGS_DRV_MODE : XDP_FLAGS_SKB_MODE));
    int link = bpf_link_create(prog, want->ifindex, BPF_XDP, &opts);

    if (link < 0) {
        /* EEXIST: a program is attached in the other mode. */
        return link == -EEXIST ? EBUSY : -link;
    }
    *linkp = link;
    return 0;
}

/* Does load() and create_link(). */
static int
load_and_link(const struct dp *dp, const struct dp_nic *want, bool sink,
              uint32_t slot, int *linkp)
{
    int error, prog;

    error = load(dp, want, sink, slot, &prog);
    if (!error) {
        error = create_link(prog, want, linkp);
        close(prog);
    }
    return error;
}

/* Notes in 'nic' that it now runs what 'want' and 'sink' ask for. */
static void
settle(const struct dp *dp, struct bpf_nic *nic, const struct dp_nic *want,
       bool sink)
{
    nic->nic = *want;
    nic->sink = sink;
    nic->current = true;
    if (sink) {
        events_del_nic(dp, want->ifindex);
    } else {
        events_add_nic(dp, want->ifindex, nic->slot);
    }
}

/* Attaches to a device that has no link of ours. */
static int
nic_create(struct dp *dp, const struct dp_nic *want, bool sink)
{
    struct bpf_nic *nic;
    struct hook hook;
    uint32_t slot;
    int error;

    error = get_hook(want->ifindex, &hook);
    if (error || hook.taken) {
        return error ? error : EBUSY;
    }
    error = take_slot(dp, &slot);
    if (error) {
        return error;
    }
    nic = xmalloc(sizeof *nic);
    *nic = (struct bpf_nic) { .slot = slot, .link_fd = -1 };
    nic->pin = make_pin(dp, want);
    ovs_list_push_back(&dp->nics, &nic->node);
    error = write_row(dp, slot, want, sink);
    if (!error) {
        error = load_and_link(dp, want, sink, slot, &nic->link_fd);
    }
    if (!error) {
        settle(dp, nic, want, sink);
        error = pins_put(nic->link_fd, nic->pin);
    }
    if (error) {
        nic_remove(dp, nic);
    } else {
        VLOG_INFO("%s: attached in %s mode", want->name,
                  want->mode == DP_NATIVE ? "native" : "generic");
    }
    return error;
}

/* Attaches 'nic' again, with 'prog' and in the mode of 'want'.  If that fails,
 * it gets back the mode that it had; it is removed if even that fails. */
static int
reattach(struct dp *dp, struct bpf_nic *nic, const struct dp_nic *want,
         bool sink, int prog)
{
    int error, link;

    VLOG_WARN("%s: detaching, to attach again in %s mode: the kernel knows no "
              "other way", want->name,
              want->mode == DP_NATIVE ? "native" : "generic");
    bpf_link_detach(nic->link_fd);
    error = create_link(prog, want, &link);
    if (!error) {
        settle(dp, nic, want, sink);
    } else if (!load_and_link(dp, &nic->nic, nic->sink, nic->slot, &link)) {
        settle(dp, nic, &nic->nic, nic->sink);
    } else {
        nic_remove(dp, nic);
        return error;
    }
    close(nic->link_fd);
    nic->link_fd = link;
    if (pins_put(link, nic->pin) && !error) {
        VLOG_WARN("%s: will not survive a restart", want->name);
    }
    return error;
}

/* Has 'nic' run 'prog' in the mode of 'want' from the next packet on. */
static int
swap_program(struct dp *dp, struct bpf_nic *nic, const struct dp_nic *want,
             bool sink, int prog)
{
    int error = EINVAL;

    if (nic->nic.mode == want->mode) {
        error = -bpf_link_update(nic->link_fd, prog, NULL);
    }
    if (error == EINVAL) {
        return reattach(dp, nic, want, sink, prog);
    } else if (!error) {
        settle(dp, nic, want, sink);
        VLOG_INFO("%s: program replaced", want->name);
    }

    /* ENOLINK: the device has gone a moment ago. */
    return error == ENOLINK ? ENODEV : error;
}

/* Gives 'nic' a row, which an adopted one of another generation lacks, and
 * writes 'want' to it. */
static int
prepare_row(struct dp *dp, struct bpf_nic *nic, const struct dp_nic *want,
            bool sink)
{
    if (nic->slot == SLOT_NONE) {
        int error = take_slot(dp, &nic->slot);

        if (error) {
            return error;
        }
    }
    return write_row(dp, nic->slot, want, sink);
}

/* Makes the attached 'nic' equal to 'want'.  What is attached stays until the
 * kernel has taken the new program. */
static int
nic_update(struct dp *dp, struct bpf_nic *nic, const struct dp_nic *want,
           bool sink)
{
    bool settled = (nic->current && nic->sink == sink
                    && nic->nic.mode == want->mode
                    && nic->nic.tag_hint == want->tag_hint);
    int error, prog;

    if (settled && eth_addr_equals(nic->nic.mac, want->mac)) {
        return 0;
    }
    error = prepare_row(dp, nic, want, sink);
    if (error) {
        return error;
    }
    if (settled) {
        nic->nic = *want;
        return 0;
    }
    error = load(dp, want, sink, nic->slot, &prog);
    if (!error) {
        error = swap_program(dp, nic, want, sink, prog);
        close(prog);
    }
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
            nic->sink = (row.flags & OX_NIC_SINK) != 0;
            nic->nic.tag_hint = (row.flags & OX_NIC_TAG_HINT) != 0;
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

/* Makes a NIC of the link 'fd' pinned as 'pin', if it is attached to a device
 * of this network namespace, and owns 'fd' then. */
static bool
adopt_link(struct dp *dp, int fd, const char *pin)
{
    struct link_info info;
    struct bpf_nic *nic;
    struct hook hook;
    char name[IFNAMSIZ];

    if (get_link_info(fd, &info) || !info.ifindex
        || get_hook(info.ifindex, &hook)
        || hook.program_id != info.program_id
        || nic_find_index(dp, info.ifindex)
        || !if_indextoname(info.ifindex, name)) {
        return false;
    }
    nic = xmalloc(sizeof *nic);
    *nic = (struct bpf_nic) {
        .nic = { .ifindex = info.ifindex, .mode = hook.mode },
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
    return true;
}

/* Adopts the link pinned as 'pin', if possible. */
static void
adopt_pin(struct dp *dp, const char *pin)
{
    int fd = bpf_obj_get(pin);

    if (fd < 0) {
        VLOG_WARN("%s: cannot open (%s)", pin, ovs_strerror(-fd));
    } else if (!adopt_link(dp, fd, pin)) {
        close(fd);
    }
}
