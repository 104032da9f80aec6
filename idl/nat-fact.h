/* SPDX-License-Identifier: Apache-2.0 */
/* An address that a logical router translates, as a plain value: what the
 * Southbound's logical flows or the Northbound's NAT rows say.  Who looks at
 * the address in the end is decided by where its router port, or the port in
 * 'resident', is. */
#ifndef IDL_NAT_FACT_H
#define IDL_NAT_FACT_H 1

#include <netinet/in.h>
#include <stdbool.h>
#include "openvswitch/hmap.h"
#include "openvswitch/types.h"
#include "openvswitch/uuid.h"

/* What translates an address. */
enum nat_fact_kind {
    NAT_FACT_NAT,               /* A NAT rule. */
    NAT_FACT_LB                 /* A load balancer, whose VIP it is. */
};

/* One address at one router port. */
struct nat_fact {
    struct hmap_node node;      /* In its owner, by hash of 'identity'. */
    struct uuid identity;       /* Tells it from all others of its source. */
    char *router_port;          /* Logical router port that frames for the
                                 * address arrive at. */
    struct in6_addr ip;         /* Address, IPv4 as v4-mapped. */
    enum nat_fact_kind kind;    /* See above. */
    bool distributed;           /* Served where 'resident' is, not where the
                                 * gateway of 'router_port' is. */
    struct eth_addr mac;        /* MAC of the address if 'distributed'; that
                                 * of the gateway otherwise. */
    char *resident;             /* Logical port if 'distributed', or NULL. */
};

void nat_fact_destroy(struct nat_fact *);
const struct nat_fact *nat_fact_find(const struct hmap *facts,
                                     const struct uuid *identity);
bool nat_fact_equals(const struct nat_fact *, const struct nat_fact *);
bool nat_network_contains(const char *network, const struct in6_addr *);

#endif /* idl/nat-fact.h */
