/* SPDX-License-Identifier: Apache-2.0 */
/* What one logical flow of a router says about an address that the router
 * translates.  Pure: text in, values out.  Used by sb-db-facts.c only. */
#ifndef IDL_NAT_FLOW_H
#define IDL_NAT_FLOW_H 1

#include <netinet/in.h>
#include <stdbool.h>
#include "idl/nat-fact.h"
#include "openvswitch/types.h"

/* A logical flow, understood. */
struct nat_flow {
    enum nat_fact_kind kind;    /* What translates the address. */
    struct in6_addr ip;         /* Address, IPv4 as v4-mapped. */
    char *inport;               /* Router port at which it is answered for, or
                                 * NULL: any port. */
    char *resident;             /* Port in is_chassis_resident("..."), or
                                 * NULL: on every chassis. */
    bool has_mac;               /* 'mac' is known. */
    struct eth_addr mac;        /* MAC that is answered with; that of the
                                 * port that was asked unless 'has_mac'. */
};

bool nat_flow_stage_matters(const char *stage);
bool nat_flow_parse(const char *stage, const char *match, const char *actions,
                    struct nat_flow *);
void nat_flow_destroy(struct nat_flow *);

#endif /* idl/nat-flow.h */
