/* SPDX-License-Identifier: Apache-2.0 */
/* How the host treats what comes out of a provider bridge by one of its
 * devices: the bridge's own, or that of a VLAN. */
#ifndef PLUGIN_HOST_LEG_H
#define PLUGIN_HOST_LEG_H 1

#include <net/if.h>
#include <stdbool.h>

struct ofpbuf;

/* Such a device.  A number that cannot be read is -1. */
struct host_leg {
    char name[IFNAMSIZ];        /* Device. */
    int ifindex;                /* Its index. */
    bool up;                    /* IFF_UP. */
    int rp_filter;              /* IPv4: 0 off, 1 strict, 2 loose. */
    int proxy_arp;              /* IPv4: answers for others. */
    int proxy_ndp;              /* IPv6: the same. */
    int forwarding4;            /* IPv4: routes what it gets. */
    int forwarding6;            /* IPv6: the same. */
    bool address4;              /* IPv4: has an address of its own. */
    bool address6;              /* IPv6: the same, beside link-local ones. */
};

void host_leg_get(const char *name, struct host_leg *);
int host_vlan_get(int ifindex);
int host_vlan_parse(const struct ofpbuf *);

#endif /* plugin/host-leg.h */
