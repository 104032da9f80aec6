/* SPDX-License-Identifier: Apache-2.0 */
/* Layer L3 within the engine.
 *
 * For each address that desired has there is an entry here, with the answer of
 * plugin/direct-judge.h.  Those that may be forwarded directly are in the
 * datapath.  Whatever changes in OVN or on the host voids flows: of one
 * address, where it is known which, otherwise of all.  That costs some packets
 * of each flow the way by OVN, and no harm is done if it was for nothing. */

#include <config.h>

#include "plugin/direct.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "openvswitch/hmap.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "simap.h"
#include "sset.h"
#include "timeval.h"
#include "util.h"
#include "uuid.h"

#include "idl/ovs-db.h"
#include "idl/row-changes.h"
#include "idl/sb-db.h"
#include "plugin/acl.h"
#include "plugin/addresses.h"
#include "plugin/desired.h"
#include "plugin/direct-devices.h"
#include "plugin/direct-index.h"
#include "plugin/direct-private.h"
#include "plugin/limits.h"
#include "plugin/netdevs.h"
#include "plugin/nexthops.h"
#include "plugin/paths.h"
#include "plugin/problems.h"
#include "plugin/settings.h"

VLOG_DEFINE_THIS_MODULE(direct);

/* Returns the word for 'cause'. */
const char *
direct_cause_to_string(enum direct_cause cause)
{
    static const char *const words[N_DIRECT_CAUSES] = {
        [DIRECT_CAUSE_OVN] = "ovn", [DIRECT_CAUSE_HOST] = "host",
        [DIRECT_CAUSE_PRECONDITION] = "precondition",
        [DIRECT_CAUSE_VSWITCHD] = "vswitchd",
    };

    return words[cause];
}

/* Returns true if OVS makes connections liberal in the kernel's conntrack as
 * soon as they are established: since Linux 5.11. */
static bool
find_kernel_liberal(void)
{
    struct utsname name;
    int major, minor;

    return (!uname(&name)
            && ovs_scan(name.release, "%d.%d", &major, &minor)
            && (major > 5 || (major == 5 && minor >= 11)));
}

/* Creates what forwards directly what follows from 'from', and stores it in
 * '*directp'.  Returns 0 or a positive errno if the kernel's routes cannot be
 * followed. */
int
direct_create(const struct direct_sources *from, struct direct **directp)
{
    struct nexthops *nexthops;
    int error = nexthops_create(&nexthops);

    *directp = NULL;
    if (error) {
        return error;
    }

    struct direct *direct = xzalloc(sizeof *direct);
    direct->from = *from;
    direct->kernel_liberal = find_kernel_liberal();
    direct->vswitchd = vswitchd_create(ovs_vswitchd_rundir());
    direct->nexthops = nexthops;
    direct->judge_all = direct->index_stale = true;
    direct->echo_at = LLONG_MAX;
    hmap_init(&direct->entries);
    hmap_init(&direct->changed);
    hmap_init(&direct->to_judge);
    direct->retry_at = LLONG_MAX;
    direct_index_init(&direct->index);
    sset_init(&direct->ports);
    sset_init(&direct->datapaths);
    simap_init(&direct->nics);
    *directp = direct;
    return 0;
}

/* Removes 'entry' and frees it. */
static void
entry_remove(struct direct *direct, struct direct_entry *entry)
{
    hmap_remove(&direct->entries, &entry->node);
    free(entry->port);
    free(entry);
}

/* Frees 'direct'.  The datapath stays as it is. */
void
direct_destroy(struct direct *direct)
{
    struct direct_entry *entry;

    if (!direct) {
        return;
    }
    direct_close(direct);
    HMAP_FOR_EACH_SAFE (entry, node, &direct->entries) {
        entry_remove(direct, entry);
    }
    direct_forget_changes(direct);
    hmap_destroy(&direct->entries);
    hmap_destroy(&direct->changed);
    hmap_destroy(&direct->to_judge);
    direct_index_destroy(&direct->index);
    sset_destroy(&direct->ports);
    sset_destroy(&direct->datapaths);
    simap_destroy(&direct->nics);
    vswitchd_destroy(direct->vswitchd);
    nexthops_destroy(direct->nexthops);
    problems_destroy(&direct->problems);
    free(direct);
}

/* Takes note that 'dp' of 'class' is open. */
void
direct_open(struct direct *direct, const struct dp_class *class,
            struct dp *dp)
{
    direct->class = class;
    direct->dp = dp;
    direct->devices = direct_devices_create(class, dp);
    direct->confirm = confirm_create(class, dp,
                                     direct->from.settings->max_flows);
    direct->active = true;
}

/* Lets go of the datapath, which stays as it is. */
void
direct_close(struct direct *direct)
{
    direct_devices_destroy(direct->devices);
    confirm_destroy(direct->confirm);
    direct->devices = NULL;
    direct->confirm = NULL;
    direct->dp = NULL;
}

/* Judging. */

/* Fills 'in' and 'behind' with what 'ep' is judged by, with 'index' of now. */
static void
fill_inputs(const struct direct *direct, const struct direct_index *index,
            const struct desired *desired, const struct desired_endpoint *ep,
            struct direct_inputs *in, struct acl_behind *behind)
{
    const struct sb_view *sb = sb_db_view(direct->from.sb_db);
    const struct acl_inputs acl_inputs = { sb, &sb->acl };
    const struct direct_entry *entry = direct_find_entry(direct, &ep->key);
    const struct direct_seat *seat;

    *in = (struct direct_inputs) {
        .settings = direct->from.settings,
        .desired = desired,
        .endpoint = ep,
        .ovs = ovs_db_view(direct->from.ovs_db),
        .devices = netdevs_all(direct->from.netdevs),
        .windows = direct->windows,
        .kernel_liberal = direct->kernel_liberal,
        .taken = entry && entry->taken,
        .half_checksum = entry && entry->half_until > time_msec(),
    };
    if (!sb_db_has_paths(direct->from.sb_db)
        || !acl_find_behind(direct->from.acl, &acl_inputs, ep, behind)) {
        return;
    }
    in->behind = behind;
    in->binding = shash_find_data(&index->bindings, behind->port);
    in->has_children = sset_contains(&index->parents, behind->port);
    in->metered = (in->binding
                   && sb_db_is_metered(direct->from.sb_db, in->binding,
                                      &ep->key.addr));
    in->logged = acl_is_logged(direct->from.acl, &acl_inputs, behind->port);
    seat = shash_find_data(&index->seats, behind->port);
    if (seat) {
        in->seat = *seat;
    }
}

/* Returns why the hook of the tap of 'in' could not be had, or 0. */
static int
hook_error(const struct direct *direct, const struct direct_inputs *in)
{
    const struct netdev_info *tap
        = (in->seat.iface
           ? netdevs_find_in(in->devices, in->seat.iface->name) : NULL);

    return (tap && direct->devices
            ? direct_devices_error(direct->devices, tap->ifindex) : 0);
}

/* Stores what the address with 'key' is judged by, for people.  Returns false
 * if there is no such address. */
bool
direct_get_inputs(const struct direct *direct, const struct desired *desired,
                  const struct dp_key *key, struct direct_inputs *in,
                  struct acl_behind *behind)
{
    const struct desired_endpoint *ep = desired_find_endpoint(desired, key);

    struct direct_index index;

    if (!ep) {
        return false;
    }
    direct_index_init(&index);
    direct_index_fill(&index, ovs_db_view(direct->from.ovs_db),
                      sb_db_view(direct->from.sb_db));
    fill_inputs(direct, &index, desired, ep, in, behind);
    in->hook_error = hook_error(direct, in);
    direct_index_destroy(&index);
    return true;
}

/* Returns the entry of 'ep', which is a new one if there is none. */
static struct direct_entry *
get_entry(struct direct *direct, const struct desired_endpoint *ep)
{
    struct direct_entry *entry = direct_find_entry(direct, &ep->key);

    if (!entry) {
        entry = xzalloc(sizeof *entry);
        entry->key = ep->key;
        entry->port = xstrdup("");
        entry->echo_at = LLONG_MAX;
        hmap_insert(&direct->entries, &entry->node, dp_key_hash(&ep->key));
    }
    return entry;
}

/* Notes in 'entry' whom it stands for, by 'in'. */
static void
note_behind(struct direct_entry *entry, const struct direct_inputs *in)
{
    const char *port = in->behind ? in->behind->port : "";

    if (strcmp(entry->port, port)) {
        free(entry->port);
        entry->port = xstrdup(port);
    }
    entry->binding = in->binding ? in->binding->uuid : UUID_ZERO;
    entry->datapath = in->binding ? in->binding->datapath : UUID_ZERO;
}

/* Says whether another address keeps 'entry' out of the datapath. */
static void
set_taken(struct direct *direct, struct direct_entry *entry, bool taken)
{
    direct->n_taken += taken - entry->taken;
    entry->taken = taken;
}

/* Takes 'entry' out of the datapath.  Another one may have waited for its VM's
 * address. */
static void
uninstall(struct direct *direct, struct direct_entry *entry,
          enum direct_cause cause)
{
    if (entry->installed) {
        direct->class->del_direct(direct->dp, &entry->key.addr);
        direct->n_void[cause]++;
        entry->installed = false;
        direct->judge_all |= direct->n_taken > 0;
    }
}

/* Returns true if 'row' of Port_Binding.mac has 'ip', and stores its MAC. */
static bool
has_address(const char *row, const struct in6_addr *ip, struct eth_addr *mac)
{
    struct addresses addresses;
    bool found = false;

    if (addresses_parse(row, &addresses) != ADDRESSES_OK) {
        return false;
    }
    for (size_t i = 0; i < addresses.n_ips; i++) {
        found |= ipv6_addr_equals(&addresses.ips[i], ip);
    }
    *mac = addresses.mac;
    addresses_destroy(&addresses);
    return found;
}

/* Finds the MAC of the VM that 'in' is about.  That of the endpoint is the
 * router's if the address is a floating IP. */
static bool
find_mac(const struct direct_inputs *in, struct eth_addr *mac)
{
    const char *row;

    SSET_FOR_EACH (row, &in->binding->macs) {
        if (has_address(row, &in->behind->ip, mac)) {
            return true;
        }
    }
    return false;
}

/* Puts 'entry' into the datapath as 'in' and 'verdict' have it, with its
 * device first.  Returns the reason for which that is impossible, or NONE. */
static enum reason
install(struct direct *direct, struct direct_entry *entry,
        const struct direct_inputs *in, const struct direct_verdict *verdict,
        long long int now)
{
    const struct dp_direct_device device = {
        .ifindex = verdict->tap->ifindex,
        .near = verdict->vm_hook,
        .xdp_target = verdict->tap->ndo_xmit,
        .stale_timeout = direct->from.settings->stale_timeout,
        .track = direct->track,
    };
    struct dp_direct put = {
        .external = entry->key.addr,
        .fixed = in->behind->ip,
        .tap = verdict->tap->ifindex,
        .mtu = verdict->tap->mtu,
        .bridge = verdict->bridge,
        .vlan = verdict->bridge ? in->endpoint->vlan : 0,
        .track = direct->track,
    };
    uint32_t limit = sb_db_path_mtu(direct->from.sb_db, in->binding,
                                    &entry->key.addr);
    int error;

    if (limit) {
        put.mtu = MIN(put.mtu, limit);
    }
    if (!find_mac(in, &put.mac)) {
        return REASON_BAD_ADDRESS;
    }
    entry->device = device;
    entry->wants_device = true;
    if (direct_devices_want(direct->devices, &device, now)) {
        return REASON_DIRECT_HOOK;
    }
    error = direct->class->put_direct(direct->dp, &put);
    if (error == EEXIST) {
        set_taken(direct, entry, true);
        return REASON_DIRECT_TRANSLATED;
    } else if (error) {
        return error == ENOSPC ? REASON_DIRECT_LIMIT : REASON_DATAPATH_ERROR;
    }
    if (put.tap != entry->put.tap) {
        entry->half_penalty = 0;
    }
    if (entry->installed && !dp_direct_equals(&put, &entry->put)) {
        direct_echo(direct, entry);
    }
    entry->installed = true;
    entry->put = put;
    return REASON_NONE;
}

/* Has the datapath follow 'verdict' on 'entry', which 'in' has led to. */
static void
follow_verdict(struct direct *direct, struct direct_entry *entry,
               const struct direct_inputs *in,
               const struct direct_verdict *verdict, long long int now)
{
    entry->reason = verdict->reason;
    entry->wants_device = false;
    if (entry->reason == REASON_NONE) {
        entry->reason = install(direct, entry, in, verdict, now);
        if (entry->reason != REASON_NONE) {
            direct->retry_at = MIN(direct->retry_at, now + RETRY_MAX_MS);
        }
    }
    if (entry->reason != REASON_NONE) {
        uninstall(direct, entry, DIRECT_CAUSE_PRECONDITION);
    }
}

/* Judges 'ep' and has the datapath follow.  While nobody can tell whom it
 * stands for, as OVN's flows are being received anew, it stays as it is. */
static void
judge(struct direct *direct, const struct desired *desired,
      const struct desired_endpoint *ep, long long int now)
{
    struct direct_entry *entry = get_entry(direct, ep);
    struct direct_verdict verdict;
    struct acl_behind behind;
    struct direct_inputs in;

    fill_inputs(direct, &direct->index, desired, ep, &in, &behind);
    if (entry->installed && !in.behind && ep->reason == REASON_NONE) {
        return;
    }
    in.taken = false;
    set_taken(direct, entry, false);
    note_behind(entry, &in);
    direct_judge(&in, &verdict);
    follow_verdict(direct, entry, &in, &verdict, now);
}

/* Wants NIC 'dev', whose packets are taken off at 'hook'.  Without carrier, as
 * of a leg of a bond that has failed, it can send nothing. */
static void
want_nic(struct direct *direct, const struct netdev_info *dev,
         enum dp_hook hook, long long int now)
{
    bool sends = dev->up && dev->running;
    const struct dp_direct_device device = {
        .ifindex = dev->ifindex,
        .is_nic = true,
        .near = hook,
        .xdp_target = sends && dev->ndo_xmit,
        .stale_timeout = direct->from.settings->stale_timeout,
        .track = direct->track,
    };
    int error = direct_devices_want(direct->devices, &device, now);

    if (error) {
        problems_add_once(&direct->problems, REASON_DIRECT_HOOK, "%s: %s",
                          dev->name, ovs_strerror(error));
    }
    if (sends) {
        simap_put(&direct->nics, dev->name, dev->ifindex);
    }
}

/* Returns true if 'node', a NIC by name with its ifindex, can send. */
static bool
is_nic(const struct direct *direct, const struct simap_node *node)
{
    return simap_get(&direct->nics, node->name) == node->data;
}

/* NICs that could send before, and can no more. */
struct lost_nics {
    struct direct *direct;      /* Who asks. */
    const struct simap *before; /* What could send before. */
};

/* Deletes 'flow' if it goes to a NIC that was lost, or came in by one: probes
 * that seem to come from there would teach the bridge that its neighbour is
 * there.  'lost_' is a struct lost_nics. */
static void
drop_lost(const struct dp_flow *flow, void *lost_)
{
    const struct lost_nics *lost = lost_;
    struct direct *direct = lost->direct;
    const struct simap_node *node;

    SIMAP_FOR_EACH (node, lost->before) {
        if (node->data == (flow->out ? flow->ifindex : flow->near_ifindex)
            && !is_nic(direct, node)
            && !direct->class->del_flow(direct->dp, &flow->key)) {
            direct->n_void[DIRECT_CAUSE_HOST]++;
        }
    }
}

/* Wants the NICs of 'desired' that forward directly. */
static void
want_nics(struct direct *direct, const struct desired *desired,
          long long int now)
{
    simap_clear(&direct->nics);
    direct->any_routed = false;
    for (size_t i = 0; i < desired->n_interfaces; i++) {
        const struct desired_interface *iface = &desired->interfaces[i];
        const struct netdev_info *dev
            = netdevs_find(direct->from.netdevs, iface->name);

        if (iface->state == INTERFACE_ATTACH && dev
            && iface->nic.direct != DP_HOOK_NONE) {
            want_nic(direct, dev, iface->nic.direct, now);
            direct->any_routed |= !iface->switched;
        }
    }
}

/* Wants the NICs of 'desired', and deletes flows to those that are lost. */
static void
follow_nics(struct direct *direct, const struct desired *desired,
            long long int now)
{
    struct simap before;
    struct lost_nics lost = { direct, &before };
    const struct simap_node *node;
    bool any = false;

    simap_init(&before);
    simap_swap(&before, &direct->nics);
    want_nics(direct, desired, now);
    SIMAP_FOR_EACH (node, &before) {
        any |= !is_nic(direct, node);
    }
    if (any) {
        direct->class->dump_flows(direct->dp, drop_lost, &lost);
    }
    simap_destroy(&before);
}

/* Lets go of the devices that no address needs any more. */
static void
sweep_devices(struct direct *direct, const struct desired *desired,
              long long int now)
{
    const struct direct_entry *entry;

    direct_devices_begin(direct->devices);
    want_nics(direct, desired, now);
    HMAP_FOR_EACH (entry, node, &direct->entries) {
        if (entry->wants_device) {
            direct_devices_want(direct->devices, &entry->device, now);
        }
    }
    direct_devices_finish(direct->devices);
}

/* Deletes an address that an earlier daemon has left, if nobody wants it.
 * 'direct_' is a struct direct. */
static void
sweep_address(const struct dp_direct *found, void *direct_)
{
    struct direct *direct = direct_;
    const struct dp_key key = { .addr = found->external };
    const struct direct_entry *entry = direct_find_entry(direct, &key);

    if (!entry || !entry->installed) {
        direct->class->del_direct(direct->dp, &found->external);
    }
}

/* Forgets 'entry', whose address is gone. */
static void
forget(struct direct *direct, struct direct_entry *entry)
{
    uninstall(direct, entry, DIRECT_CAUSE_OVN);
    set_taken(direct, entry, false);
    entry_remove(direct, entry);
}

/* Judges all addresses of 'desired', and forgets all others. */
static void
judge_all(struct direct *direct, const struct desired *desired,
          long long int now)
{
    const struct desired_endpoint *ep;
    struct direct_entry *entry;

    HMAP_FOR_EACH_SAFE (entry, node, &direct->entries) {
        if (!desired_find_endpoint(desired, &entry->key)) {
            forget(direct, entry);
        }
    }
    HMAP_FOR_EACH (ep, node, &desired->endpoints) {
        judge(direct, desired, ep, now);
    }
    if (!direct->swept) {
        direct->class->dump_direct(direct->dp, sweep_address, direct);
        direct->swept = true;
    }
}

/* Judges the addresses for which that is due. */
static void
judge_some(struct direct *direct, const struct desired *desired,
           long long int now)
{
    const struct desired_change *change;

    HMAP_FOR_EACH (change, node, &direct->to_judge) {
        const struct desired_endpoint *ep
            = desired_find_endpoint(desired, &change->key);
        struct direct_entry *entry = direct_find_entry(direct, &change->key);

        if (ep) {
            judge(direct, desired, ep, now);
        } else if (entry) {
            forget(direct, entry);
        }
    }
}

/* Takes everything out of the datapath. */
static void
stop(struct direct *direct)
{
    struct direct_entry *entry;

    HMAP_FOR_EACH_SAFE (entry, node, &direct->entries) {
        forget(direct, entry);
    }
    direct->class->dump_direct(direct->dp, sweep_address, direct);
    direct_devices_begin(direct->devices);
    direct_devices_finish(direct->devices);
    direct->active = direct->swept = false;
    direct->begun_at = 0;
}

/* Returns true if what the datapath holds is to be left as it was found for a
 * moment: ovs-vswitchd or OVN has not said all that it is judged by. */
static bool
awaits(const struct direct *direct, long long int now)
{
    bool windows = (!direct->index.userspace
                    || direct->windows != VSWITCHD_WINDOWS_UNKNOWN
                    || now >= direct->begun_at + DIRECT_FIRST_WORD_MS);
    bool view = ((sb_db_view(direct->from.sb_db)->acl.complete
                  && sb_db_has_paths(direct->from.sb_db))
                 || now >= direct->begun_at + DIRECT_FIRST_VIEW_MS);

    return !direct->swept && (!windows || !view);
}

/* Makes the index anew.  Ports that others have come into, or left, have
 * changed. */
static void
refresh_index(struct direct *direct)
{
    struct sset before = SSET_INITIALIZER(&before);
    const char *name;

    sset_swap(&before, &direct->index.parents);
    direct_index_fill(&direct->index, ovs_db_view(direct->from.ovs_db),
                      sb_db_view(direct->from.sb_db));
    direct->index_stale = false;
    SSET_FOR_EACH (name, &before) {
        if (!sset_contains(&direct->index.parents, name)) {
            sset_add(&direct->ports, name);
        }
    }
    SSET_FOR_EACH (name, &direct->index.parents) {
        if (!sset_contains(&before, name)) {
            sset_add(&direct->ports, name);
        }
    }
    sset_destroy(&before);
}

/* Has the datapath follow what changed. */
static void
bring_about(struct direct *direct, const struct desired *desired,
            long long int now)
{
    bool all = direct->judge_all || !direct->swept;

    problems_clear(&direct->problems);
    direct->judge_all = false;
    follow_nics(direct, desired, now);
    if (all) {
        judge_all(direct, desired, now);
    } else {
        judge_some(direct, desired, now);
    }
    sweep_devices(direct, desired, now);
}

/* Brings the datapath to what is desired, see plugin/direct.h. */
void
direct_run(struct direct *direct, const struct desired *desired,
           long long int now)
{
    if (!direct->dp) {
        return;
    } else if (!direct->from.settings->direct) {
        if (direct->active) {
            stop(direct);
        }
        direct_forget_changes(direct);
        return;
    } else if (direct->suppressed) {
        return;
    }
    direct->active = true;
    direct->begun_at = direct->begun_at ? direct->begun_at : now;
    if (direct->index_stale) {
        refresh_index(direct);
    }
    direct_follow_track(direct);
    direct_note_paths(direct);
    direct_revoke(direct);
    direct->awaiting = awaits(direct, now);
    if (!direct->awaiting) {
        bring_about(direct, desired, now);
    }
    direct_forget_changes(direct);
    if (direct_has_changes(direct) && !direct->awaiting) {
        poll_immediate_wake();
    }
}

/* For people. */

/* Returns why the address with 'key' is not forwarded directly, or
 * REASON_NONE. */
enum reason
direct_reason(const struct direct *direct, const struct dp_key *key)
{
    const struct direct_entry *entry = direct_find_entry(direct, key);

    return entry ? entry->reason : REASON_DIRECT_OFF;
}

/* Stores in '*status' how it is going. */
void
direct_get_status(const struct direct *direct, struct direct_status *status)
{
    const struct direct_entry *entry;

    *status = (struct direct_status) {
        .enabled = direct->from.settings->direct,
    };
    HMAP_FOR_EACH (entry, node, &direct->entries) {
        status->n_ports += entry->installed;
    }
    if (direct->confirm) {
        confirm_get_status(direct->confirm, &status->confirm);
    }
    memcpy(status->n_void, direct->n_void, sizeof status->n_void);
}

/* Returns why it is not noted what VMs send, or NULL if it is. */
const char *
direct_untracked(const struct direct *direct)
{
    return direct->untracked;
}

/* Returns what went wrong in the last round. */
const struct problems *
direct_problems(const struct direct *direct)
{
    return &direct->problems;
}

/* Adds to 'usage' what 'direct' holds. */
void
direct_get_memory_usage(const struct direct *direct, struct simap *usage)
{
    simap_increase(usage, "direct-addresses", hmap_count(&direct->entries));
}

/* Leaves events without consequences if 'suppress'. */
void
direct_suppress_events(struct direct *direct, bool suppress)
{
    direct->suppressed = suppress;
    if (!suppress) {
        direct_void_all(direct, DIRECT_CAUSE_OVN);
        poll_immediate_wake();
    }
}
