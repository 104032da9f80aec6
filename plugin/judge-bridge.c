/* SPDX-License-Identifier: Apache-2.0 */
/* The half of plugin/judge.h that is about ports and OpenFlow flows. */

#include <config.h>

#include "plugin/judge.h"

#include "openflow/openflow.h"
#include "packets.h"
#include "util.h"

#include "plugin/bridge-flows.h"
#include "plugin/checks.h"

/* Appends that the answer to 'word' is not known, if the flows of 'b' are not.
 * Returns true in that case. */
static bool
flows_are_unknown(const struct judge_bridge *b, const char *word,
                  struct checks *checks)
{
    if (b->flows && !b->flows->error) {
        return false;
    }
    checks_add(checks, word, CHECK_UNKNOWN, REASON_BRIDGE_FLOWS,
               "the flows of %s are not known: %s", b->name,
               !b->flows ? "nobody has asked for them"
               : ovs_strerror(b->flows->error));
    checks_fix(checks, "ovs-ofctl dump-flows %s table=0", b->name);
    return true;
}

/* Appends whether the bridge of 'b' is connected to OVN. */
static void
judge_patch(const struct judge_bridge *b, struct checks *checks)
{
    bool there = b->patch_port != OFPP_NONE;

    checks_add(checks, "patch-port", there ? CHECK_YES : CHECK_NO,
               REASON_BRIDGE_FLOWS, there ? "%s has the port %s to OVN"
               : "%s has no port %s to OVN", b->name, b->patch);
    checks_fix(checks, "ovn-appctl -t ovn-controller recompute");
}

/* Appends whether a flow of 'b' takes redirected frames. */
static void
judge_entry(const struct judge_bridge *b, struct checks *checks)
{
    struct bridge_frame frame = {
        .in_port = b->entry, .src = b->entry_mac, .dst = b->mac,
        .vlan = b->vlan, .ip6 = b->ip6,
    };
    const struct bridge_flow *flow;

    switch (bridge_flows_look_up(b->flows, &frame, &flow)) {
    case BRIDGE_TAKES:
        checks_add(checks, "bridge-flow", CHECK_YES, REASON_NONE,
                   "a flow of priority %d takes redirected frames",
                   flow->priority);
        break;
    case BRIDGE_DROPS:
        checks_add(checks, "bridge-flow", CHECK_NO, REASON_BRIDGE_FLOWS,
                   "a flow of %s, priority %d, drops redirected frames",
                   b->name, flow->priority);
        checks_fix(checks, "ovs-ofctl dump-flows %s table=0", b->name);
        break;
    case BRIDGE_MISSES:
        checks_add(checks, "bridge-flow", CHECK_NO, REASON_BRIDGE_FLOWS,
                   "no flow of %s takes redirected frames: they are dropped",
                   b->name);
        checks_fix(checks, "ovs-ofctl add-flow %s priority=0,actions=NORMAL",
                   b->name);
        break;
    case BRIDGE_DEPENDS:
    default:
        checks_add(checks, "bridge-flow", CHECK_UNKNOWN, REASON_BRIDGE_FLOWS,
                   "whether a flow of %s takes redirected frames depends on "
                   "more than their addresses", b->name);
        break;
    }
}

/* Appends whether flows of 'b' are for frames of the bridge's own port, by
 * which redirected ones do not enter. */
static void
judge_local_flows(const struct judge_bridge *b, struct checks *checks)
{
    size_t n = bridge_flows_count(b->flows, OFPP_LOCAL);

    if (!n) {
        checks_add(checks, "local-flows", CHECK_YES, REASON_NONE,
                   "no flow of %s is only for frames of its own port",
                   b->name);
    } else {
        checks_add(checks, "local-flows", CHECK_NO, REASON_BRIDGE_FLOWS,
                   "%"PRIuSIZE" flows of %s are for frames of its own port "
                   "(in_port=LOCAL); redirected frames enter by %s and do not "
                   "meet them", n, b->name, b->device);
        checks_fix(checks, "ovs-ofctl dump-flows %s in_port=LOCAL; make the "
                   "same flows for that port", b->name);
    }
}

/* Appends to 'checks' whether the bridge of 'b' hands redirected frames to
 * OVN. */
void
judge_way_in(const struct judge_bridge *b, struct checks *checks)
{
    judge_patch(b, checks);
    if (b->entry == OFPP_NONE
        || flows_are_unknown(b, "bridge-flow", checks)) {
        return;
    }
    judge_entry(b, checks);
    if (!b->own_entry) {
        judge_local_flows(b, checks);
    }
}

/* Appends to 'checks' where packets go that OVN turns round: they are for the
 * MAC by which they came.  If that is not the host's own, only a flow sends
 * them to the host. */
void
judge_turned_round(const struct judge_bridge *b, struct checks *checks)
{
    struct bridge_frame frame = {
        .in_port = b->patch_port, .src = b->mac, .dst = b->entry_mac,
        .vlan = b->vlan, .ip6 = b->ip6,
    };
    const struct bridge_flow *flow = NULL;

    if (b->patch_port == OFPP_NONE || b->entry == OFPP_NONE || !b->leg[0]
        || flows_are_unknown(b, "way-out-flow", checks)) {
        return;
    }
    enum bridge_verdict verdict = bridge_flows_look_up(b->flows, &frame,
                                                       &flow);
    struct eth_addr dst = (flow && flow->sets_dst ? flow->dst
                           : b->entry_mac);
    if (verdict == BRIDGE_DEPENDS) {
        checks_add(checks, "way-out-flow", CHECK_UNKNOWN, REASON_WAY_BACK,
                   "where %s sends what OVN turns round depends on more than "
                   "its addresses", b->name);
    } else if (verdict == BRIDGE_TAKES && eth_addr_equals(dst, b->leg_mac)) {
        checks_add(checks, "way-out-flow", CHECK_YES, REASON_NONE,
                   "what OVN turns round (a reject, say) goes to %s", b->leg);
    } else {
        checks_add(checks, "way-out-flow", CHECK_NO, REASON_WAY_BACK,
                   "no flow of %s sends to %s what OVN turns round: its "
                   "rejects and ICMP errors are lost", b->name, b->leg);
        checks_fix(checks, "ovs-ofctl add-flow %s priority=900,ip%s,"
                   "in_port=%s,actions=mod_dl_dst:"ETH_ADDR_FMT",NORMAL",
                   b->name, b->ip6 ? "v6" : "", b->patch,
                   ETH_ADDR_ARGS(b->leg_mac));
    }
}

/* Appends to 'checks' what the tag of the bridge's own port means for frames
 * that enter or leave by it.  Such a port takes only untagged frames, which
 * get its tag, and emits only those of its VLAN. */
void
judge_local_tag(const struct judge_bridge *b, struct checks *checks)
{
    if (b->local_tag < 0) {
        checks_add(checks, "local-tag", CHECK_YES, REASON_NONE,
                   "the own port of %s has no VLAN tag", b->name);
    } else if (b->own_entry) {
        checks_add(checks, "local-tag", CHECK_NO, REASON_WAY_BACK,
                   "the own port of %s has VLAN tag %d, which redirected "
                   "frames get when they enter by it", b->name, b->local_tag);
        checks_fix(checks, "ovs-vsctl set Open_vSwitch . "
                   "external_ids:ovn-xdp-bridge-port=veth");
    } else if (b->leg_is_port || b->local_tag == b->vlan) {
        checks_add(checks, "local-tag", CHECK_YES, REASON_NONE,
                   "the own port of %s has VLAN tag %d, which does no harm "
                   "here", b->name, b->local_tag);
    } else {
        checks_add(checks, "local-tag", CHECK_NO, REASON_WAY_BACK,
                   "the own port of %s has VLAN tag %d and does not get what "
                   "OVN sends %s", b->name, b->local_tag,
                   b->vlan ? "with another tag" : "untagged");
        checks_fix(checks, "ovs-vsctl remove Port %s tag %d", b->name,
                   b->local_tag);
    }
}
