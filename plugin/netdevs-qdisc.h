/* SPDX-License-Identifier: Apache-2.0 */
/* rtnetlink's messages about queueing disciplines, which plugin/netdevs.c
 * follows: of those that police, and where others have changed. */
#ifndef PLUGIN_NETDEVS_QDISC_H
#define PLUGIN_NETDEVS_QDISC_H 1

#include <stdbool.h>

struct ofpbuf;

/* What a message says of one. */
struct netdevs_qdisc {
    int ifindex;                /* Its device. */
    bool polices;               /* It is of kind "ingress".  (One of kind
                                 * "clsact" may hold anything.) */
    bool there;                 /* It is there now; false: it went. */
};

bool netdevs_qdisc_parse(const struct ofpbuf *message,
                         struct netdevs_qdisc *);
void netdevs_qdisc_put_dump(struct ofpbuf *request);

#endif /* plugin/netdevs-qdisc.h */
