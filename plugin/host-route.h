/* SPDX-License-Identifier: Apache-2.0 */
/* Where the kernel would route a packet, asked of the kernel itself. */
#ifndef PLUGIN_HOST_ROUTE_H
#define PLUGIN_HOST_ROUTE_H 1

#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>

struct ofpbuf;

/* An address of the world outside that no default route leaves out: that of a
 * root server, IPv4 as a v4-mapped address.  It is only looked up. */
extern const struct in6_addr host_world4;
extern const struct in6_addr host_world6;

/* A packet that is not sent.  IPv4 addresses are v4-mapped ones. */
struct host_packet {
    struct in6_addr dst;        /* Destination. */
    struct in6_addr src;        /* Source; only with 'iif'. */
    int iif;                    /* Index of the device by which it arrives, or
                                 * 0 if the host itself sends it. */
};

/* What becomes of it. */
struct host_route {
    int error;                  /* Positive errno if it goes nowhere. */
    bool local;                 /* It is for the host itself. */
    int ifindex;                /* Device by which it leaves. */
    char device[IFNAMSIZ];      /* Its name. */
};

void host_route_get(const struct host_packet *, struct host_route *);
void host_route_parse(const struct ofpbuf *, struct host_route *);

#endif /* plugin/host-route.h */
