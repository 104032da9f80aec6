/* SPDX-License-Identifier: Apache-2.0 */
/* What one logical flow of a router's routing stage says: pure, text in,
 * values out. */
#ifndef PLUGIN_ACL_ROUTE_H
#define PLUGIN_ACL_ROUTE_H 1

#include <netinet/in.h>
#include <stdbool.h>

struct sb_acl_flow;

/* Kinds of such a flow. */
enum acl_route_kind {
    ACL_ROUTE_NONE,             /* It is for multicast only. */
    ACL_ROUTE_CONNECTED,        /* Packets go to the network of a port of the
                                 * router, to their very destination. */
    ACL_ROUTE_OTHER             /* They go another way, or nowhere. */
};

/* What such a flow does. */
struct acl_route {
    enum acl_route_kind kind;   /* See above. */
    bool partial;               /* Only some of the packets to 'network'. */
    struct in6_addr network;    /* Destinations; IPv4 as v4-mapped. */
    unsigned int plen;          /* Bits of it that count, of 128; 0: packets
                                 * to any address. */
    bool has_source;            /* The router has the address 'source'. */
    struct in6_addr source;     /* See above. */
    char *port;                 /* The router's port, if ACL_ROUTE_CONNECTED;
                                 * otherwise NULL. */
};

void acl_route_parse(const struct sb_acl_flow *, struct acl_route *);
void acl_route_destroy(struct acl_route *);
bool acl_route_concerns(const struct acl_route *, const struct in6_addr *);

#endif /* plugin/acl-route.h */
