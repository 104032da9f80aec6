/* SPDX-License-Identifier: Apache-2.0 */
/* The OpenFlow flows of table 0 of bridges, as plain values, and what they do
 * with a frame.  Pure; plugin/host-flows.c gets them. */
#ifndef PLUGIN_BRIDGE_FLOWS_H
#define PLUGIN_BRIDGE_FLOWS_H 1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "openvswitch/match.h"
#include "openvswitch/types.h"

struct ofputil_flow_stats;

/* A flow. */
struct bridge_flow {
    int priority;               /* Higher ones are looked at first. */
    struct minimatch match;     /* Which frames. */
    bool drops;                 /* Without an action. */
    bool sets_dst;              /* Sets the destination MAC, */
    struct eth_addr dst;        /* ...to this. */
};

/* The flows of a bridge. */
struct bridge_flows {
    int error;                  /* Why they are not known, or 0. */
    struct bridge_flow *flows;  /* The flows, in no order. */
    size_t n;                   /* Number of elements in 'flows'. */
    size_t allocated;           /* Capacity of 'flows'. */
};

/* A frame of which only the beginning is known. */
struct bridge_frame {
    ofp_port_t in_port;         /* Port by which it enters the bridge. */
    struct eth_addr src;        /* Source MAC. */
    struct eth_addr dst;        /* Destination MAC. */
    uint16_t vlan;              /* VLAN tag, host order; 0: untagged. */
    bool ip6;                   /* IPv6 rather than IPv4. */
};

/* What becomes of a frame. */
enum bridge_verdict {
    BRIDGE_TAKES,               /* A flow handles it. */
    BRIDGE_DROPS,               /* A flow drops it. */
    BRIDGE_MISSES,              /* No flow is for it. */
    BRIDGE_DEPENDS              /* On what is not known of it. */
};

void bridge_flows_add(struct bridge_flows *,
                      const struct ofputil_flow_stats *);
void bridge_flows_clear(struct bridge_flows *);

enum bridge_verdict bridge_flows_look_up(const struct bridge_flows *,
                                         const struct bridge_frame *,
                                         const struct bridge_flow **);
size_t bridge_flows_count(const struct bridge_flows *, ofp_port_t in_port);

#endif /* plugin/bridge-flows.h */
