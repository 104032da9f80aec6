/* SPDX-License-Identifier: Apache-2.0 */
/* What tests may do to 'datapath_fake_class' besides using it.
 *
 * The fake remembers, per pin directory and within the process, what a closed
 * datapath has left behind, as pins would.  All functions are for a datapath
 * that is open. */
#ifndef PLUGIN_DATAPATH_FAKE_H
#define PLUGIN_DATAPATH_FAKE_H 1

#include "plugin/datapath.h"

/* The next operation that can fail returns 'error' and does nothing else; 0
 * takes that back. */
void dp_fake_fail_next(struct dp *, int error);

/* Makes it as if an earlier daemon had put 'endpoint' there. */
void dp_fake_adopt_endpoint(struct dp *, const struct dp_endpoint *);

/* Makes it as if an earlier daemon had attached a program to 'nic', and as if
 * it was not replaced yet. */
void dp_fake_adopt_nic(struct dp *, const struct dp_nic *, bool sink);

/* Adds to the counter of 'key', to that of packet reason 'reason' on the NIC
 * 'name', and to that of the redirect error 'error'.  The endpoint and the NIC
 * must exist. */
void dp_fake_count_endpoint(struct dp *, const struct dp_key *key,
                            uint64_t packets, uint64_t bytes);
void dp_fake_count_nic(struct dp *, const char *name, int reason,
                       uint64_t packets, uint64_t bytes);
void dp_fake_count_redirect_error(struct dp *, int error, uint64_t packets);

/* Adds to the packets that were dropped for 'key', and to the hits of rule
 * 'rule' of the set 'id'. */
void dp_fake_count_drops(struct dp *, const struct dp_key *key,
                         uint64_t packets, uint64_t bytes);
void dp_fake_count_acl(struct dp *, uint32_t id, size_t rule,
                       uint64_t packets);

/* Returns the rule of the set 'id' that decides about a packet of 'protocol',
 * with destination port 'port' (ICMP: 256 * type + code), from 'source', and
 * whether it drops; -1 if none does. */
int dp_fake_acl_decide(const struct dp *, uint32_t id, uint8_t protocol,
                       uint16_t port, const struct in6_addr *source,
                       bool *drops);

/* Stores how many sets of rules, prefixes, and rows for classes there are. */
void dp_fake_acl_usage(const struct dp *, size_t *n_sets, size_t *n_sources,
                       size_t *n_classes);

/* Leaves room for 'n' prefixes. */
void dp_fake_set_max_sources(struct dp *, size_t n);

/* Returns until when packets may be dropped, 0: not at all. */
long long int dp_fake_lease(const struct dp *);

/* Returns the watched devices: see plugin/datapath-fake-watch.h. */
struct fake_watches *dp_fake_watches(struct dp *);

/* Returns layer L3: see plugin/datapath-fake-direct.h. */
struct fake_direct *dp_fake_direct(struct dp *);

/* Attaches a foreign program to device 'ifindex', or takes it away. */
void dp_fake_set_foreign(struct dp *, int ifindex, bool foreign);

/* Does what the kernel does when device 'ifindex' goes: its link and its entry
 * in the device map go with it. */
void dp_fake_remove_device(struct dp *, int ifindex);

/* Returns the number of operations that have changed something, or tried. */
unsigned int dp_fake_n_changes(const struct dp *);

#endif /* plugin/datapath-fake.h */
