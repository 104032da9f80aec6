/* SPDX-License-Identifier: Apache-2.0 */
/* Layer L2 within the engine: from what the Southbound says of ACLs to the
 * rules that endpoints name in the datapath, and to the lease without which
 * nothing is dropped. */
#ifndef PLUGIN_EARLY_DROP_H
#define PLUGIN_EARLY_DROP_H 1

#include <stdbool.h>
#include <stdint.h>
#include "plugin/datapath.h"
#include "plugin/reason.h"

struct acl;
struct acl_apply;
struct desired;
struct desired_endpoint;
struct early_drop;
struct lease;
struct netdevs;
struct ovs_db;
struct problems;
struct reconcile;
struct row_changes;
struct sb_db;
struct simap;
struct watch;

struct early_drop *early_drop_create(struct sb_db *, const struct ovs_db *,
                                     const struct netdevs *);
void early_drop_destroy(struct early_drop *);
void early_drop_set_mode(struct early_drop *, enum dp_acl_mode);

/* To be called when the datapath was opened, and before it is closed.
 * 'first_id' is greater than any id of rules that an endpoint in it names. */
void early_drop_open(struct early_drop *, const struct dp_class *, struct dp *,
                     uint32_t first_id);
void early_drop_close(struct early_drop *);

/* The steps of one round, in this order: which rules there are; write those
 * that are new, and have endpoints name them; when endpoints are written,
 * delete those that are old.  A round may end after each step. */
void early_drop_derive(struct early_drop *, const struct row_changes *bindings,
                       bool all);
void early_drop_prepare(struct early_drop *, struct desired *,
                        long long int now);
void early_drop_finish(struct early_drop *, bool in_step);

bool early_drop_is_known(const struct dp_action *found,
                         const struct dp_action *wanted, uint32_t first_id);
bool early_drop_is_here(const struct desired_endpoint *, enum reason);
bool early_drop_is_due(const struct early_drop *, long long int now);
void early_drop_renew(struct early_drop *, const struct reconcile *,
                      bool in_step, long long int now);
void early_drop_wait(const struct early_drop *);
void early_drop_settle(struct early_drop *);

const struct acl *early_drop_acl(const struct early_drop *);
const struct acl_apply *early_drop_apply(const struct early_drop *);
const struct problems *early_drop_problems(const struct early_drop *);
const struct watch *early_drop_watch(const struct early_drop *);
const struct lease *early_drop_lease(const struct early_drop *);
void early_drop_get_memory_usage(const struct early_drop *, struct simap *);

#endif /* plugin/early-drop.h */
