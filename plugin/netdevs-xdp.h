/* SPDX-License-Identifier: Apache-2.0 */
/* What a device can do with XDP: from the kernel's 'netdev' generic-netlink
 * family (Linux 6.3 and later), or, without it, guessed from the driver.
 * Part of plugin/netdevs.c. */
#ifndef PLUGIN_NETDEVS_XDP_H
#define PLUGIN_NETDEVS_XDP_H 1

#include <stdbool.h>

struct netdev_info;
struct ofpbuf;

/* Abilities of a device, as in struct netdev_info. */
struct netdevs_xdp {
    bool native;                /* Runs XDP natively with XDP_REDIRECT. */
    bool ndo_xmit;              /* Takes natively redirected frames. */
    bool ndo_xmit_sg;           /* ...that span several buffers, too. */
    bool rx_sg;                 /* Gives XDP frames that do. */
    bool tag_hint;              /* Tells XDP about stripped tags. */
};

/* The kernel's family. */
int netdevs_xdp_family(int *family, unsigned int *group);
bool netdevs_xdp_parse(const struct ofpbuf *message, int family, int *ifindex,
                       struct netdevs_xdp *);
int netdevs_xdp_get(int family, int ifindex, struct netdevs_xdp *);

/* Without it. */
void netdevs_xdp_guess(const struct netdev_info *,
                       const struct netdev_info *peer, struct netdevs_xdp *);

#endif /* plugin/netdevs-xdp.h */
