/* SPDX-License-Identifier: Apache-2.0 */
/* What layer L3 follows apart from OVN: ovs-vswitchd, the host's way out, the
 * checksums of VMs; and the confirmation of flows. */

#include <config.h>

#include "plugin/direct.h"

#include <limits.h>

#include "openvswitch/poll-loop.h"
#include "timeval.h"
#include "util.h"

#include "bpf/abi.h"
#include "idl/ovs-db.h"
#include "plugin/confirm.h"
#include "plugin/conntrack.h"
#include "plugin/direct-devices.h"
#include "plugin/direct-private.h"
#include "plugin/limits.h"
#include "plugin/nexthops.h"
#include "plugin/settings.h"

/* How often it is asked which VMs send half-computed checksums, and looked
 * after devices; and for how long a VM that did is left to OVN, in ms: twice
 * as long each time. */
#define POLL_MS 1000
#define CHECKSUM_PENALTY_MS 60000
#define CHECKSUM_MAX_PENALTY_MS 3600000

/* Time between two passes over all flows for what changed on the host, in ms:
 * with many flows a pass takes a good part of it. */
#define HOST_PASS_MS 20

/* Takes what ovs-vswitchd says.  While the same process has nothing to say, as
 * it is busy, its last word counts. */
static void
follow_vswitchd(struct direct *direct, bool wanted, long long int now)
{
    enum vswitchd_windows before = direct->windows;

    vswitchd_run(direct->vswitchd, wanted && direct->index.userspace, now);
    if (direct->vswitchd_seqno != vswitchd_seqno(direct->vswitchd)) {
        direct->vswitchd_seqno = vswitchd_seqno(direct->vswitchd);
        direct->windows = VSWITCHD_WINDOWS_UNKNOWN;
        if (before != VSWITCHD_WINDOWS_UNKNOWN) {
            direct_void_all(direct, DIRECT_CAUSE_VSWITCHD);
        }
    }
    if (vswitchd_windows(direct->vswitchd) != VSWITCHD_WINDOWS_UNKNOWN) {
        direct->windows = vswitchd_windows(direct->vswitchd);
    }
    direct->judge_all |= direct->windows != before;
}

/* Deletes 'flow' if it may be sent otherwise now.  'direct_' is a struct
 * direct. */
static void
drop_rerouted(const struct dp_flow *flow, void *direct_)
{
    struct direct *direct = direct_;

    if (flow->out && nexthops_concerns(direct->nexthops, flow)
        && !direct->class->del_flow(direct->dp, &flow->key)) {
        direct->n_void[DIRECT_CAUSE_HOST]++;
    }
}

/* Takes what changed on the host's way out.  Neighbours and routes may come
 * and go all the time, and each pass looks at all flows. */
static void
follow_host(struct direct *direct, bool wanted, long long int now)
{
    direct->host_changed |= nexthops_run(direct->nexthops,
                                         wanted && direct->any_routed);
    if (!direct->host_changed || now < direct->host_at) {
        return;
    }
    direct->host_changed = false;
    direct->host_at = now + HOST_PASS_MS;
    if (!direct->suppressed) {
        direct->class->dump_flows(direct->dp, drop_rerouted, direct);
    }
    nexthops_forget(direct->nexthops);
}

/* Asks which VMs have sent half-computed checksums. */
static void
follow_checksums(struct direct *direct, long long int now)
{
    struct direct_entry *entry;

    HMAP_FOR_EACH (entry, node, &direct->entries) {
        if (entry->installed
            && direct->class->direct_half_checksum(direct->dp,
                                                   &entry->key.addr)) {
            entry->half_penalty = MIN(CHECKSUM_MAX_PENALTY_MS,
                                      MAX(CHECKSUM_PENALTY_MS,
                                          2 * entry->half_penalty));
            entry->half_until = now + entry->half_penalty;
            direct_note_key(direct, &entry->key);
        } else if (entry->half_until && now >= entry->half_until) {
            entry->half_until = 0;
            direct_note_key(direct, &entry->key);
        }
    }
}

/* Returns by what conntrack may remember connections for longer than layer L2
 * does what VMs have sent, or NULL. */
static const char *
find_longer(const struct direct *direct)
{
    struct confirm_status status;
    const char *name;

    if (ovs_db_view(direct->from.ovs_db)->ct_timeouts) {
        return "a CT_Timeout_Policy of Open vSwitch";
    } else if (!conntrack_times_fit(CONNTRACK_SYSCTL_DIR, &name)) {
        return name;
    } else if (!direct->confirm) {
        return NULL;
    }
    confirm_get_status(direct->confirm, &status);
    return (status.period_ms > MAX_CONFIRM_MS
            ? "the number of flows that have to be confirmed" : NULL);
}

/* Follows for how long conntrack may remember connections, at 'now'.  No event
 * tells of it, and a round need not read all that. */
static void
follow_longer(struct direct *direct, long long int now)
{
    if (now < direct->longer_at) {
        return;
    }
    direct->longer_at = now + POLL_MS;
    direct->longer = find_longer(direct);
    if (direct->longer) {
        direct->longer_until = now + OX_SENT_TCP_S * 1000LL;
    } else if (now < direct->longer_until) {
        direct->longer = "longer times of conntrack lately";
    }
}

/* Finds out whether what VMs send is to be noted for layer L2. */
void
direct_follow_track(struct direct *direct)
{
    bool before = direct->track;

    follow_longer(direct, time_msec());
    direct->untracked = (direct->from.settings->acl == DP_ACL_OFF
                         ? "ovn-xdp-acl=off" : direct->longer);
    direct->track = !direct->untracked;
    direct->judge_all |= direct->track != before;
}

/* Does what is due, see plugin/direct.h. */
bool
direct_poll(struct direct *direct, long long int now)
{
    bool wanted = direct->dp && direct->from.settings->direct;

    follow_vswitchd(direct, wanted, now);
    if (direct->dp) {
        follow_host(direct, wanted, now);
    }
    if (!wanted) {
        return false;
    }
    confirm_set_period(direct->confirm, direct->from.settings->confirm_ms);
    direct_note_paths(direct);
    direct_revoke(direct);
    if (!direct->suppressed) {
        direct_run_echoes(direct, now);
    }
    if (now >= direct->retry_at) {
        direct->retry_at = LLONG_MAX;
        direct_note_failed(direct);
    }
    if (now >= direct->poll_at) {
        direct->poll_at = now + POLL_MS;
        follow_checksums(direct, now);
        direct_follow_track(direct);
        direct->judge_all |= direct_devices_refresh(direct->devices, now);
    }
    if (confirm_is_due(direct->confirm, now)) {
        confirm_run(direct->confirm, now);
    }
    return (!direct->suppressed
            && (direct_has_changes(direct) || direct->awaiting
                || direct_devices_is_due(direct->devices, now)));
}

/* Makes poll_block() wake up at 'when', unless that is LLONG_MAX. */
static void
wait_until(long long int when)
{
    if (when != LLONG_MAX) {
        poll_timer_wait_until(when);
    }
}

/* Makes poll_block() wake up when the first round waits no longer. */
static void
wait_for_word(const struct direct *direct)
{
    long long int now = time_msec();
    long long int word = direct->begun_at + DIRECT_FIRST_WORD_MS;
    long long int view = direct->begun_at + DIRECT_FIRST_VIEW_MS;

    wait_until(now < word ? word : now < view ? view : now);
}

/* Makes poll_block() wake up when there is something to do. */
void
direct_wait(const struct direct *direct)
{
    if (!direct->dp) {
        return;
    }
    poll_timer_wait_until(direct->class->reap_direct(direct->dp,
                                                     time_msec()));
    if (!direct->from.settings->direct) {
        return;
    }
    vswitchd_wait(direct->vswitchd);
    nexthops_wait(direct->nexthops);
    confirm_wait(direct->confirm);
    if (!direct->suppressed) {
        direct_devices_wait(direct->devices);
        wait_until(direct->retry_at);
        wait_until(direct->echo_at);
    }
    poll_timer_wait_until(direct->poll_at);
    if (direct->host_changed) {
        poll_timer_wait_until(direct->host_at);
    }
    if (direct->awaiting && !direct->suppressed) {
        wait_for_word(direct);
    }
}
