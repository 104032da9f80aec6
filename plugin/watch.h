/* SPDX-License-Identifier: Apache-2.0 */
/* Which devices have to be watched for connections that VMs open, and since
 * when that is done.
 *
 * A packet of a VM leaves a provider bridge by the bridge's own device, on a
 * routed node, or by another port of it.  All of them are watched; a bridge
 * with one that cannot be is no bridge whose packets may be dropped. */
#ifndef PLUGIN_WATCH_H
#define PLUGIN_WATCH_H 1

#include <stdbool.h>
#include <stddef.h>
#include "plugin/datapath.h"

struct desired;
struct hmap;
struct ovs_view;
struct problems;
struct watch;

/* What the devices follow from.  Borrowed. */
struct watch_inputs {
    bool enabled;               /* ovn-xdp-acl is not "off". */
    const struct desired *desired; /* For its bridges and addresses. */
    const struct ovs_view *ovs; /* For their ports. */
    const struct hmap *devices; /* Of struct netdev_info. */
};

struct watch *watch_create(const struct dp_class *, struct dp *);
void watch_destroy(struct watch *);

/* Watches what 'inputs' ask for, and nothing else.  To be called before
 * dp_class.commit(), whenever the inputs may have changed, and when
 * watch_is_due(): then it also forgets connections that are over.  Returns
 * true if watch_has_bridge() says something else of a bridge. */
bool watch_run(struct watch *, const struct watch_inputs *,
               long long int now);
bool watch_is_due(const struct watch *, long long int now);
void watch_wait(const struct watch *);

/* Returns true if all that leaves bridge 'name' is watched: of endpoints in
 * other bridges, packets must not be dropped (REASON_ACL_UNWATCHED). */
bool watch_has_bridge(const struct watch *, const char *name);

/* Returns from when on, time_msec(), connections that began before the watch
 * are known, or cannot be answered by a SYN any more (bpf/opened.h).
 * LLONG_MAX: nothing is watched. */
long long int watch_settled_at(const struct watch *);

/* Takes connections that were opened before a watch began as none. */
void watch_settle(struct watch *);

long long int watch_missed_until(const struct watch *,
                                 const struct in6_addr *address);
const struct problems *watch_problems(const struct watch *);
size_t watch_n_opened(const struct watch *);

#endif /* plugin/watch.h */
