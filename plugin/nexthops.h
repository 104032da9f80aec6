/* SPDX-License-Identifier: Apache-2.0 */
/* Changes on the host's way out: MAC addresses of neighbours and routes, by
 * rtnetlink, through libopenvswitch's netlink code. */
#ifndef PLUGIN_NEXTHOPS_H
#define PLUGIN_NEXTHOPS_H 1

#include <stdbool.h>

struct dp_flow;
struct nexthops;

int nexthops_create(struct nexthops **);
void nexthops_destroy(struct nexthops *);

/* Follows the kernel, if 'wanted'.  Returns true if something changed, since
 * the last nexthops_forget(), that may concern flows. */
bool nexthops_run(struct nexthops *, bool wanted);
void nexthops_wait(const struct nexthops *);

/* Returns true if 'flow', of the way out by a routed NIC, may go another way
 * since what changed after the last nexthops_forget(): a neighbour with its
 * destination MAC has another one or is gone, or a route to its destination
 * came, went or changed. */
bool nexthops_concerns(const struct nexthops *, const struct dp_flow *);
void nexthops_forget(struct nexthops *);

#endif /* plugin/nexthops.h */
