/* SPDX-License-Identifier: Apache-2.0 */
/* See plugin/bridge-flows.h. */

#include <config.h>

#include "plugin/bridge-flows.h"

#include <stdlib.h>
#include <string.h>

#include "flow.h"
/* OVS declares something inside a function of a header. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wnested-externs"
#include "openvswitch/ofp-actions.h"
#pragma GCC diagnostic pop
#include "openvswitch/ofp-flow.h"
#include "packets.h"
#include "util.h"

/* Notes in 'flow' what action 'a' means for the destination MAC. */
static void
note_action(struct bridge_flow *flow, const struct ofpact *a)
{
    if (a->type == OFPACT_SET_ETH_DST) {
        flow->sets_dst = true;
        flow->dst = ofpact_get_SET_ETH_DST(a)->mac;
    } else if (a->type == OFPACT_SET_FIELD) {
        const struct ofpact_set_field *set = ofpact_get_SET_FIELD(a);
        if (set->field->id == MFF_ETH_DST) {
            flow->sets_dst = true;
            flow->dst = set->value->mac;
        }
    }
}

/* Appends the flow that 'fs' tells of to 'flows'. */
void
bridge_flows_add(struct bridge_flows *flows,
                 const struct ofputil_flow_stats *fs)
{
    const struct ofpact *a;

    if (flows->n >= flows->allocated) {
        flows->flows = x2nrealloc(flows->flows, &flows->allocated,
                                  sizeof *flows->flows);
    }
    struct bridge_flow *flow = &flows->flows[flows->n++];
    *flow = (struct bridge_flow) {
        .priority = fs->priority, .drops = !fs->ofpacts_len };
    minimatch_init(&flow->match, &fs->match);
    OFPACT_FOR_EACH (a, fs->ofpacts, fs->ofpacts_len) {
        note_action(flow, a);
    }
}

/* Makes 'flows' empty. */
void
bridge_flows_clear(struct bridge_flows *flows)
{
    for (size_t i = 0; i < flows->n; i++) {
        minimatch_destroy(&flows->flows[i].match);
    }
    free(flows->flows);
    *flows = (struct bridge_flows) { .error = 0 };
}

/* Fills '*key' with what is known of 'frame'.  Before the first table a frame
 * has no metadata and no registers. */
static void
frame_to_flow(const struct bridge_frame *frame, struct flow *key)
{
    memset(key, 0, sizeof *key);
    key->in_port.ofp_port = frame->in_port;
    key->dl_src = frame->src;
    key->dl_dst = frame->dst;
    key->dl_type = htons(frame->ip6 ? ETH_TYPE_IPV6 : ETH_TYPE_IP);
    if (frame->vlan) {
        key->vlans[0].tpid = htons(ETH_TYPE_VLAN);
        key->vlans[0].tci = htons(frame->vlan | VLAN_CFI);
    }
}

/* Makes 'match' ignore all of a frame but its beginning.  Returns true if it
 * did before. */
static bool
ignore_unknown(struct match *match)
{
    struct flow *masks = &match->wc.masks;
    struct flow before = *masks;

    masks->nw_src = masks->nw_dst = 0;
    memset(&masks->ipv6_src, 0, sizeof masks->ipv6_src);
    memset(&masks->ipv6_dst, 0, sizeof masks->ipv6_dst);
    masks->ipv6_label = 0;
    masks->nw_proto = masks->nw_tos = masks->nw_ttl = masks->nw_frag = 0;
    masks->tp_src = masks->tp_dst = 0;
    masks->tcp_flags = 0;
    return !memcmp(masks, &before, sizeof before);
}

/* Returns true if 'flow' is, or may be, for frames that look like 'key';
 * stores in '*certain' whether it is. */
static bool
flow_takes(const struct bridge_flow *flow, const struct flow *key,
           bool *certain)
{
    struct match match;

    minimatch_expand(&flow->match, &match);
    *certain = ignore_unknown(&match);
    return flow_equal_except(&match.flow, key, &match.wc);
}

/* Returns what the bridge with 'flows' does with 'frame'.  Stores in '*flowp'
 * the flow that certainly takes it if no other does, or NULL. */
enum bridge_verdict
bridge_flows_look_up(const struct bridge_flows *flows,
                     const struct bridge_frame *frame,
                     const struct bridge_flow **flowp)
{
    const struct bridge_flow *best = NULL;
    struct flow key;
    int doubt = -1;             /* Highest priority of one that may. */

    frame_to_flow(frame, &key);
    for (size_t i = 0; i < flows->n; i++) {
        const struct bridge_flow *flow = &flows->flows[i];
        bool certain;

        if (!flow_takes(flow, &key, &certain)) {
            continue;
        } else if (!certain) {
            doubt = MAX(doubt, flow->priority);
        } else if (!best || flow->priority > best->priority) {
            best = flow;
        }
    }
    *flowp = best;
    return (best && !best->drops ? BRIDGE_TAKES
            : doubt > (best ? best->priority : -1) ? BRIDGE_DEPENDS
            : best ? BRIDGE_DROPS : BRIDGE_MISSES);
}

/* Returns the number of 'flows' that are for frames from port 'in_port' and
 * no other. */
size_t
bridge_flows_count(const struct bridge_flows *flows, ofp_port_t in_port)
{
    size_t n = 0;

    for (size_t i = 0; i < flows->n; i++) {
        struct match match;

        minimatch_expand(&flows->flows[i].match, &match);
        n += match.wc.masks.in_port.ofp_port
             && match.flow.in_port.ofp_port == in_port;
    }
    return n;
}
