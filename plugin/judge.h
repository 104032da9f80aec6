/* SPDX-License-Identifier: Apache-2.0 */
/* What the host and the bridges would do to the packets that XDP does not
 * carry: those that it passes, and all that come back.
 *
 * Pure: what plugin/host-*.c has gathered goes in, answers come out. */
#ifndef PLUGIN_JUDGE_H
#define PLUGIN_JUDGE_H 1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "openvswitch/types.h"
#include "plugin/host-route.h"

struct bridge_flows;
struct checks;
struct host_firewall;
struct host_leg;
struct sset;

/* How an address and the host meet. */
struct judge_host {
    const char *address;        /* The address. */
    bool ip6;                   /* It is IPv6. */
    const char *bridge;         /* Its bridge; "" if it has none. */
    uint16_t vlan;              /* Its VLAN there, 0 for none. */
    const struct host_leg *leg; /* The host's device there, or NULL. */
    const char *physical;       /* A physical port of the bridge, or "". */
    const struct sset *nics;    /* Names of NICs that run the program. */
    struct host_route way_in;   /* Of a packet from a NIC to the address. */
    struct host_route reverse;  /* Of a packet of the host's own to it. */
    struct host_route way_out;  /* Of a packet from it, from the leg, to the
                                 * world. */
    struct host_route world;    /* Of a packet of the host's own there. */
};

/* How an address and the flows of its bridge meet. */
struct judge_bridge {
    const char *name;           /* Bridge. */
    const struct bridge_flows *flows; /* Its flows, NULL if not known. */
    bool ip6;                   /* The address is IPv6. */
    uint16_t vlan;              /* Its VLAN, 0 for none. */
    struct eth_addr mac;        /* Its MAC. */
    bool own_entry;             /* Frames enter by the bridge's own port. */
    const char *device;         /* Device by which frames enter. */
    ofp_port_t entry;           /* The port that it is, OFPP_NONE if none. */
    struct eth_addr entry_mac;  /* Source MAC of redirected frames. */
    const char *patch;          /* Port to the integration bridge. */
    ofp_port_t patch_port;      /* Its number, OFPP_NONE if there is none. */
    const char *leg;            /* The host's device there, "" if none. */
    struct eth_addr leg_mac;    /* Its MAC. */
    bool leg_is_port;           /* It is a port of its own. */
    int local_tag;              /* Tag of the bridge's own port, or -1. */
};

void judge_slow_path(const struct judge_host *, struct checks *);
void judge_way_back(const struct judge_host *, struct checks *);
void judge_way_in(const struct judge_bridge *, struct checks *);
void judge_turned_round(const struct judge_bridge *, struct checks *);
void judge_local_tag(const struct judge_bridge *, struct checks *);
void judge_firewall(const struct host_firewall *, bool ip6,
                    const struct sset *nics, struct checks *);

#endif /* plugin/judge.h */
