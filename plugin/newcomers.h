/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses that came to this chassis a short time ago.
 *
 * A floating IP that is given to a VM, or moves here, may be called by those
 * whom the VM has called by another way: through its router's own address, or
 * from another chassis.  The watch has not seen that (plugin/watch.h), but
 * OVN's conntrack has, and delivers their SYNs.  So no packet to an address is
 * dropped until such a connection is given up or answered; those that are
 * established by then are learnt from what the VM sends in this time
 * (bpf/opened.h).  The time begins when the VM is here, and again when another
 * port, or another address inside, is behind the address.
 *
 * Limit: what a floating IP with a gateway led to before this daemon is not
 * known.  If a former one judged it, and ended less than a lease before, the
 * first that is found behind it is taken for the same.
 *
 * Pure: no clock. */
#ifndef PLUGIN_NEWCOMERS_H
#define PLUGIN_NEWCOMERS_H 1

#include <stdbool.h>

#include "bpf/abi.h"

struct acl_behind;
struct desired;
struct desired_endpoint;
struct newcomers;

/* How long an address is new, in ms: as long as a SYN waits for its answer. */
#define NEWCOMER_MS (OX_OPENED_SYN_S * 1000LL)

/* To be called with each key that newcomers_run() finds. */
struct dp_key;
typedef void newcomers_cb(const struct dp_key *, void *aux);

struct newcomers *newcomers_create(void);
void newcomers_destroy(struct newcomers *);

bool newcomers_has(const struct newcomers *, const struct dp_key *);
bool newcomers_judge(struct newcomers *, const struct desired_endpoint *,
                     const struct acl_behind *, bool known, long long int now);
void newcomers_forget(struct newcomers *, const struct dp_key *);
void newcomers_sweep(struct newcomers *, const struct desired *);
void newcomers_settle(struct newcomers *);
void newcomers_run(struct newcomers *, long long int now, newcomers_cb *,
                   void *aux);
long long int newcomers_next(const struct newcomers *);

#endif /* plugin/newcomers.h */
