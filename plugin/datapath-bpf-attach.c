/* SPDX-License-Identifier: Apache-2.0 */
/* Attachment to one NIC or to the outer end of a managed port, by one pinned
 * XDP link.  plugin/datapath-bpf-links.c has the collection of them.
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
#include "util.h"

VLOG_DEFINE_THIS_MODULE(datapath_attach);

/* 'nic_slots' of struct dp is a bitmap in one word. */
BUILD_ASSERT_DECL(OX_MAX_NICS == 64);

/* Returns true if the link of 'nic' still has its device. */
bool
nic_is_alive(const struct bpf_nic *nic)
{
    struct link_info info;

    return (!link_get_info(nic->link_fd, &info)
            && info.ifindex == nic->nic.ifindex);
}

/* Brings the name of 'nic' up to date.  Returns false if there is no such
 * device any more.  It takes a file descriptor to ask; without one the name
 * stays as it was. */
static bool
nic_refresh_name(struct bpf_nic *nic)
{
    char name[IFNAMSIZ];

    if (if_indextoname(nic->nic.ifindex, name)) {
        ovs_strlcpy(nic->nic.name, name, sizeof nic->nic.name);
        return true;
    }
    return errno != ENXIO;
}

/* Returns the NIC that 'want' means, or NULL if it has no link.  NICs that
 * stand in the way are put right: one whose device is gone is removed, one
 * whose device was renamed gets its new name. */
struct bpf_nic *
nic_claim(struct dp *dp, const struct dp_nic *want)
{
    struct bpf_nic *nic;

    LIST_FOR_EACH_SAFE (nic, node, &dp->nics) {
        if (nic->nic.ifindex != want->ifindex
            && strcmp(nic->nic.name, want->name)) {
            continue;
        }
        if (!nic_is_alive(nic) || !nic_refresh_name(nic)) {
            nic_remove(dp, nic);
        }
    }
    return nic_find_index(dp, want->ifindex);
}

/* Frees 'nic', whose link stays as it is. */
void
nic_free(struct bpf_nic *nic)
{
    close(nic->link_fd);
    free(nic->pin);
    free(nic);
}

/* Writes 'row' to row 'slot' of 'nics'. */
static int
put_row(const struct dp *dp, uint32_t slot, const struct ox_nic *row)
{
    return -bpf_map_update_elem(dp->gen.fds[GEN_NICS], &slot, row, BPF_ANY);
}

/* Writes 'want' to the row of 'nic'. */
static int
write_row(const struct dp *dp, const struct bpf_nic *nic,
          const struct dp_nic *want, bool sink)
{
    struct ox_nic row = {
        .flags = ((sink ? OX_NIC_SINK : 0)
                  | (want->tag_hint ? OX_NIC_TAG_HINT : 0)
                  | (nic->near_tc ? OX_NIC_NEAR_TC : 0)),
        .ifindex = want->ifindex,
        .bridge = want->bridge,
    };

    memcpy(row.mac, &want->mac, sizeof row.mac);
    return put_row(dp, nic->slot, &row);
}

/* Tells the XDP program of 'nic' whether a program of layer L3 is at its TC
 * ingress ('yes'), to which packets may be left. */
int
nic_set_near_tc(struct dp *dp, struct bpf_nic *nic, bool yes)
{
    int error = 0;

    if (nic->near_tc != yes) {
        nic->near_tc = yes;
        if (nic->slot != SLOT_NONE) {
            error = write_row(dp, nic, &nic->nic, nic->sink);
        }
        nic->near_tc = error ? !yes : yes;
    }
    return error;
}

/* Gives row '*slotp' back, if there is one. */
static void
release_slot(struct dp *dp, uint32_t *slotp)
{
    if (*slotp != SLOT_NONE) {
        static const struct ox_nic none;

        put_row(dp, *slotp, &none);
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
void
nic_remove(struct dp *dp, struct bpf_nic *nic)
{
    events_del_nic(dp, nic->nic.ifindex);
    bpf_link_detach(nic->link_fd);
    pins_remove(nic->pin);
    l3_devices_remove_near(dp, nic->nic.ifindex);
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

/* Returns true if 'a' and 'b', of one device, run the same program. */
static bool
is_same_program(const struct dp_nic *a, const struct dp_nic *b)
{
    return (a->mode == b->mode && a->tag_hint == b->tag_hint
            && a->stale_timeout == b->stale_timeout && a->acl == b->acl
            && a->direct == b->direct
            && !a->bridge == !b->bridge);
}

/* Makes 'want', whose program cannot be loaded for 'error', do without one
 * layer: L3, or else L2.  Returns false if nothing would be left. */
static bool
do_without(struct dp_nic *want, int error)
{
    bool rules = want->acl != DP_ACL_OFF;

    if (want->direct != DP_HOOK_NONE && (rules || !want->bridge)) {
        VLOG_WARN("%s: cannot load the program with direct forwarding (%s)",
                  want->name, ovs_strerror(error));
        want->direct = DP_HOOK_NONE;
        return true;
    } else if (rules && !want->bridge) {
        VLOG_WARN("%s: cannot load the program with rules (%s)", want->name,
                  ovs_strerror(error));
        want->acl = DP_ACL_OFF;
        return true;
    }
    return false;
}

/* Loads the program for 'want', to be run by 'nic'.  If it cannot be had with
 * rules or direct forwarding, this is no reason not to redirect: then 'want'
 * is made to do without, and what the kernel did not take is noted, as
 * nic_update() does not ask again for the same. */
static int
load(struct dp *dp, struct bpf_nic *nic, struct dp_nic *want, bool sink,
     int *fdp)
{
    const struct dp_nic asked = *want;
    bool lasts = true;
    int error;

    if (sink) {
        return load_sink(&dp->gen, nic->slot, fdp);
    }
    for (;;) {
        error = load_redirect(dp, want, nic->slot, fdp);
        if (!error || !do_without(want, error)) {
            break;
        }
        lasts = lasts && !load_may_pass(error);
    }
    nic->reduced = lasts && !is_same_program(&asked, want);
    nic->refused = asked;
    nic->instead = *want;
    return error;
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
load_and_link(struct dp *dp, struct bpf_nic *nic, struct dp_nic *want,
              bool sink, int *linkp)
{
    int error, prog;

    error = load(dp, nic, want, sink, &prog);
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

/* Attaches to a device that has no link of ours.  'want' becomes what is
 * attached. */
int
nic_create(struct dp *dp, struct dp_nic *want, bool sink)
{
    struct bpf_nic *nic;
    struct hook hook;
    uint32_t slot;
    int error;

    error = hook_get(want->ifindex, &hook);
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
    error = write_row(dp, nic, want, sink);
    if (!error) {
        error = load_and_link(dp, nic, want, sink, &nic->link_fd);
    }
    if (!error) {
        settle(dp, nic, want, sink);
        error = pins_put(nic->link_fd, nic->pin);
    }
    if (error) {
        nic_remove(dp, nic);
    } else {
        l3_devices_note_row(dp, want->ifindex);
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
    } else if (!load_and_link(dp, nic, &nic->nic, nic->sink, &link)) {
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
    bool fresh = nic->slot == SLOT_NONE;
    int error = fresh ? take_slot(dp, &nic->slot) : 0;

    if (!error) {
        error = write_row(dp, nic, want, sink);
    }
    if (!error && fresh) {
        l3_devices_note_row(dp, want->ifindex);
    }
    return error;
}

/* Pins the link of 'nic' again if somebody removed the pin, without which it
 * would end with the daemon.  It works as well meanwhile, so that an error is
 * only logged. */
static void
repair_pin(const struct bpf_nic *nic)
{
    if (access(nic->pin, F_OK) && !pins_put(nic->link_fd, nic->pin)) {
        VLOG_WARN("%s: was removed, pinned again", nic->pin);
    }
}

/* Makes the attached 'nic' equal to 'want', which becomes what is attached.
 * What is attached stays until the kernel has taken the new program. */
int
nic_update(struct dp *dp, struct bpf_nic *nic, struct dp_nic *want, bool sink)
{
    bool settled;
    int error, prog;

    repair_pin(nic);
    if (nic->reduced && is_same_program(&nic->refused, want)) {
        want->acl = nic->instead.acl;
        want->direct = nic->instead.direct;
    } else {
        /* Somebody has changed the settings, and may know better. */
        nic->reduced = false;
    }
    settled = (nic->current && nic->sink == sink
               && is_same_program(&nic->nic, want));
    if (settled && eth_addr_equals(nic->nic.mac, want->mac)
        && nic->nic.bridge == want->bridge) {
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
    error = load(dp, nic, want, sink, &prog);
    if (!error) {
        error = swap_program(dp, nic, want, sink, prog);
        close(prog);
    }
    return error;
}
