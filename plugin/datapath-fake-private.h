/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the datapath in memory share. */
#ifndef PLUGIN_DATAPATH_FAKE_PRIVATE_H
#define PLUGIN_DATAPATH_FAKE_PRIVATE_H 1

#include <stdbool.h>
#include <stdint.h>
#include "bpf/abi.h"
#include "openvswitch/hmap.h"
#include "openvswitch/shash.h"
#include "plugin/datapath-fake-acl.h"
#include "plugin/datapath-fake-direct.h"
#include "plugin/datapath-fake-set.h"
#include "plugin/datapath-fake-watch.h"
#include "plugin/datapath-fake.h"

/* The datapath: what is "pinned", and who has it open. */
struct dp {
    bool open;                  /* Between open() and close(). */
    uint32_t max_endpoints;     /* Most endpoints. */
    struct hmap endpoints;      /* Of struct fake_endpoint. */
    struct shash nics;          /* Of struct fake_nic, by name. */
    struct fake_watches watches; /* Watched devices. */
    struct fake_direct direct;  /* Layer L3. */
    struct index_set targets;   /* Valid targets. */
    struct index_set foreign;   /* Devices with a foreign program. */
    uint64_t redirect_errors[OX_MAX_ERRNO]; /* Frames by errno. */
    uint32_t last_program_id;   /* The newest program's. */
    int next_error;             /* For the next operation, or 0. */
    unsigned int n_changes;     /* Operations so far. */
    long long int last_beat;    /* The last heartbeat, or 0. */
    struct fake_acls acls;      /* Rules: not "pinned". */
};

int fake_begin(struct dp *);
struct shash_node *fake_find_nic(const struct dp *, int ifindex);

/* Layer L3, in datapath-fake-direct.c. */
void fake_direct_init(struct fake_direct *);
void fake_direct_destroy(struct fake_direct *);
void fake_direct_close(struct fake_direct *);
void fake_direct_remove_device(struct fake_direct *, int ifindex);
int fake_put_direct_device(struct dp *, const struct dp_direct_device *);
int fake_del_direct_device(struct dp *, int ifindex);
void fake_sweep_direct_devices(struct dp *);
long long int fake_reap_direct(struct dp *, long long int now);
int fake_put_direct(struct dp *, const struct dp_direct *);
int fake_del_direct(struct dp *, const struct in6_addr *external);
bool fake_tracking(const struct dp *, const struct in6_addr *external,
                   long long int from[DP_N_TRACKED]);
void fake_settle_tracking(struct dp *);
int fake_void_direct(struct dp *, const struct in6_addr *external);
void fake_dump_direct(const struct dp *,
                      void (*)(const struct dp_direct *, void *aux),
                      void *aux);
bool fake_direct_half_checksum(struct dp *, const struct in6_addr *external);
void fake_set_direct_times(struct dp *, const struct dp_direct_times *);
void fake_dump_flows(const struct dp *, dp_flow_cb *, void *aux);
bool fake_dump_some_flows(const struct dp *, struct dp_flow_cursor *,
                          dp_flow_cb *, void *aux);
int fake_del_flow(struct dp *, const struct dp_flow_key *);
int fake_probe_flows(struct dp *, const struct dp_flow *, size_t n,
                     size_t *n_sent);
void fake_direct_counters(const struct dp *, enum dp_direct_row,
                          struct dp_counter *);

#endif /* plugin/datapath-fake-private.h */
