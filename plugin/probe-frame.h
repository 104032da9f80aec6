/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes of a probe: a short packet of a connection, which OVN takes for
 * one like the others, and the program at the far side knows by its number
 * (ox_probe_number() in bpf/abi.h). */
#ifndef PLUGIN_PROBE_FRAME_H
#define PLUGIN_PROBE_FRAME_H 1

#include <stddef.h>
#include <stdint.h>
#include "openvswitch/types.h"
#include "plugin/datapath.h"

/* Longest probe: with a VLAN tag, TCP over IPv6. */
#define PROBE_MAX_LEN 78

/* What a probe is made of. */
struct probe {
    const struct dp_flow_key *key; /* Its tuple.  The rest does not count. */
    struct eth_addr dmac;       /* Destination MAC. */
    struct eth_addr smac;       /* Source MAC. */
    uint16_t vlan;              /* Tag, host order; 0: none. */
    uint8_t ttl;                /* TTL or hop limit. */
    uint64_t number;            /* By which it is known. */
};

uint16_t probe_eth_type(const struct dp_flow_key *, uint16_t vlan);
size_t probe_compose(const struct probe *, uint8_t frame[PROBE_MAX_LEN]);

#endif /* plugin/probe-frame.h */
