/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel's network devices as plain values.
 *
 * Follows rtnetlink link and qdisc events and the 'netdev' generic-netlink
 * family, so that a device that vanishes and returns, changes MAC, MTU,
 * features or shaping, or moves to another master is seen as an event. */
#ifndef PLUGIN_NETDEVS_H
#define PLUGIN_NETDEVS_H 1

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>
#include "openvswitch/hmap.h"
#include "openvswitch/types.h"

struct netdevs;

/* One device. */
struct netdev_info {
    struct hmap_node node;      /* In struct netdevs, by hash of 'name'. */
    char name[IFNAMSIZ];        /* Name. */
    int ifindex;                /* Index. */
    bool ethernet;              /* ARPHRD_ETHER and not loopback. */
    struct eth_addr mac;        /* Address. */
    int mtu;                    /* In bytes. */
    bool up;                    /* IFF_UP. */
    bool running;               /* IFF_RUNNING: has carrier.  A veth without it
                                 * has a peer that is down, a tap nobody who
                                 * reads; both lose redirected frames. */
    int master;                 /* Index of the master device, or 0. */
    int peer;                   /* IFLA_LINK (a veth's peer), or 0. */
    char kind[16];              /* IFLA_INFO_KIND: "veth", "tun", "bond",
                                 * "openvswitch", ... or "". */
    uint32_t xdp_program_id;    /* Attached XDP program, or 0.  Where it was
                                 * attached as a BPF link this may be old:
                                 * see netdevs_refresh(). */
    char qdisc[16];             /* IFLA_QDISC: kind of what frames wait in
                                 * before they are sent, "fq_codel", "tbf", ...
                                 * or "". */
    bool policed;               /* Has a qdisc of kind "ingress", which is
                                 * there to police what is received. */

    /* What the device can do with XDP. */
    bool native;                /* Runs XDP natively with XDP_REDIRECT. */
    bool ndo_xmit;              /* Takes natively redirected frames. */
    bool ndo_xmit_sg;           /* ...that span several buffers, too. */
    bool strips_vlan;           /* rx-vlan-offload is on. */
    bool tag_hint;              /* Tells XDP about stripped tags. */
};

/* What is worth knowing of a device only when somebody asks. */
struct netdevs_abilities {
    char driver[32];            /* Its driver, or "". */
    bool guessed;               /* What struct netdev_info says of XDP is
                                 * guessed from the driver. */
    bool rx_sg;                 /* Gives XDP frames that span several buffers;
                                 * false if 'guessed'. */
};

int netdevs_create(struct netdevs **);
int netdevs_create_without_family(struct netdevs **);  /* For tests. */
void netdevs_destroy(struct netdevs *);
bool netdevs_run(struct netdevs *);
void netdevs_wait(struct netdevs *);
bool netdevs_refresh(struct netdevs *, const char *name);

const struct netdev_info *netdevs_find(const struct netdevs *,
                                       const char *name);
const struct netdev_info *netdevs_find_index(const struct netdevs *,
                                             int ifindex);
const struct netdev_info *netdevs_find_in(const struct hmap *devices,
                                          const char *name);
const struct hmap *netdevs_all(const struct netdevs *);

bool netdevs_has_family(const struct netdevs *);
void netdevs_probe(const struct netdevs *, const struct netdev_info *,
                   struct netdevs_abilities *);

#endif /* plugin/netdevs.h */
