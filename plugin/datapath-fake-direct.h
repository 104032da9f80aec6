/* SPDX-License-Identifier: Apache-2.0 */
/* Layer L3 of the datapath in memory, which dp_fake_direct() gives to tests,
 * and what they may do to it. */
#ifndef PLUGIN_DATAPATH_FAKE_DIRECT_H
#define PLUGIN_DATAPATH_FAKE_DIRECT_H 1

#include <stdbool.h>
#include <stddef.h>
#include "openvswitch/hmap.h"
#include "plugin/datapath.h"
#include "plugin/reason.h"

/* Layer L3. */
struct fake_direct {
    struct hmap ports;          /* Of struct fake_port, by external address. */
    struct hmap devices;        /* Of struct fake_direct_device, by ifindex. */
    struct hmap flows;          /* Of struct fake_flow, by key. */
    struct dp_direct_times times; /* As they were set last. */
    struct dp_counter counters[DP_N_DIRECT_ROWS][N_PACKET_REASONS];
    unsigned int n_voids;       /* Calls of void_direct() so far. */
    size_t n_probes;            /* Probes of flows so far. */
    int probe_error;            /* What probe_flows() returns, or 0: then no
                                 * probe is sent. */
    bool confirms;              /* A probe confirms its flow. */
};

/* Adds 'flow', or replaces the one with its key.  It is void from the moment
 * on in which its port is. */
void fake_direct_add_flow(struct fake_direct *, const struct dp_flow *);

/* Returns the flow with the key, to be changed, or NULL. */
struct dp_flow *fake_direct_flow(struct fake_direct *,
                                 const struct dp_flow_key *);

/* Returns how many probes the flow with the key has had. */
size_t fake_direct_n_probes(struct fake_direct *, const struct dp_flow_key *);

/* Makes all flows 'ms' older in every respect. */
void fake_direct_pass_time(struct fake_direct *, uint32_t ms);

/* Returns the device, or NULL. */
const struct dp_direct_device *fake_direct_device(const struct fake_direct *,
                                                  int ifindex);

/* Returns a number that changes whenever flows of 'external' become void, or 0
 * if there is no such port. */
unsigned int fake_direct_generation(const struct fake_direct *,
                                    const struct in6_addr *external);

/* Makes it as if the VM had sent a half-computed checksum. */
void fake_direct_set_half_checksum(struct fake_direct *,
                                   const struct in6_addr *external);

#endif /* plugin/datapath-fake-direct.h */
