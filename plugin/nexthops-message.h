/* SPDX-License-Identifier: Apache-2.0 */
/* rtnetlink's messages about neighbours, routes and rules as plain values. */
#ifndef PLUGIN_NEXTHOPS_MESSAGE_H
#define PLUGIN_NEXTHOPS_MESSAGE_H 1

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

struct ofpbuf;

/* What a message is about. */
enum nexthops_kind {
    NEXTHOPS_OTHER,             /* Nothing that matters. */
    NEXTHOPS_NEIGHBOUR,         /* The MAC address of a neighbour. */
    NEXTHOPS_ROUTE,             /* A route. */
    NEXTHOPS_RULE               /* Which table is asked. */
};

/* Names a neighbour or a route.  Without padding. */
struct nexthops_key {
    struct in6_addr addr;       /* Neighbour, or prefix with zero host bits;
                                 * IPv4 as v4-mapped. */
    uint32_t place;             /* Device of the neighbour, table of the
                                 * route. */
    uint32_t priority;          /* Metric of the route. */
    uint16_t kind;              /* Enum nexthops_kind. */
    uint8_t len;                /* Length of the prefix; 96 more than that of
                                 * IPv4. */
    uint8_t tos;                /* TOS of the route. */
};

/* A message. */
struct nexthops_message {
    enum nexthops_kind kind;    /* If NEXTHOPS_OTHER or NEXTHOPS_RULE, nothing
                                 * else is set. */
    bool gone;                  /* There is no such route, or the neighbour has
                                 * no known MAC address. */
    struct nexthops_key key;    /* Which. */
    uint64_t value;             /* MAC address of the neighbour, as
                                 * eth_addr_to_uint64(); or what tells the
                                 * route from another one with its key. */
};

void nexthops_message_parse(const struct ofpbuf *, struct nexthops_message *);

#endif /* plugin/nexthops-message.h */
