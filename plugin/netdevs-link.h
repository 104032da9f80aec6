/* SPDX-License-Identifier: Apache-2.0 */
/* rtnetlink's messages about links: plugin/netdevs.c follows events with it,
 * plugin/bridge-port.c looks at single devices, and adds the attributes that
 * only a veth pair needs. */
#ifndef PLUGIN_NETDEVS_LINK_H
#define PLUGIN_NETDEVS_LINK_H 1

#include <stdint.h>

struct netdev_info;
struct ofpbuf;

/* What a message says. */
enum netdevs_link_event {
    NETDEVS_LINK_OTHER,         /* Nothing about a device. */
    NETDEVS_LINK_NEW,           /* The device is there, and is so. */
    NETDEVS_LINK_GONE           /* The device left this network namespace. */
};

enum netdevs_link_event netdevs_link_parse(const struct ofpbuf *message,
                                           struct netdev_info *);

void netdevs_link_put_header(struct ofpbuf *, uint16_t type, uint16_t flags,
                             int ifindex);
void netdevs_link_put_dump(struct ofpbuf *);
int netdevs_link_get(const char *name, int ifindex, struct ofpbuf **replyp);

#endif /* plugin/netdevs-link.h */
