/* SPDX-License-Identifier: Apache-2.0 */
/* The strings of Port_Binding's mac, nat_addresses and port_security as
 * values. */
#ifndef PLUGIN_ADDRESSES_H
#define PLUGIN_ADDRESSES_H 1

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include "openvswitch/types.h"

/* One such string: a MAC and the addresses behind it. */
struct addresses {
    struct eth_addr mac;        /* First token. */
    struct in6_addr *ips;       /* IPv4 as v4-mapped; prefix length dropped. */
    size_t n_ips;               /* Number of elements in 'ips'. */
    char *resident;             /* Port in is_chassis_resident("..."), or
                                 * NULL. */
};

/* What a string turned out to be. */
enum addresses_result {
    ADDRESSES_OK,               /* A MAC and any number of addresses. */
    ADDRESSES_NONE,             /* A keyword without addresses ("unknown"). */
    ADDRESSES_BAD               /* Cannot be read. */
};

enum addresses_result addresses_parse(const char *, struct addresses *);
enum addresses_result addresses_parse_allowed(const char *,
                                              struct addresses *);
void addresses_destroy(struct addresses *);
bool address_parse(const char *, struct in6_addr *);
bool address_is_routable(const struct in6_addr *);

#endif /* plugin/addresses.h */
