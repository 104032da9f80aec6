/* SPDX-License-Identifier: Apache-2.0 */
/* The firewall rules of the host that a packet meets when the kernel forwards
 * it, and that do not see what XDP redirects. */
#ifndef PLUGIN_HOST_FIREWALL_H
#define PLUGIN_HOST_FIREWALL_H 1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "svec.h"

struct ofpbuf;

/* A base chain of nf_tables. */
struct host_chain {
    uint8_t family;             /* NFPROTO_*. */
    uint32_t hook;              /* NF_INET_* or NF_NETDEV_*. */
    struct svec devices;        /* Devices of an ingress hook. */
    struct svec prefixes;       /* The same by what their names begin with. */
    char *table;                /* Table. */
    char *name;                 /* Chain. */
    uint32_t n_rules;           /* Rules in it. */
    bool drops;                 /* Its policy is to drop. */
};

/* All that is known. */
struct host_firewall {
    int error;                  /* Why the chains are not known, or 0. */
    struct host_chain *chains;  /* Base chains. */
    size_t n_chains;            /* Number of elements in 'chains'. */
    size_t allocated;           /* Capacity of 'chains'. */
    int legacy_error;           /* Why the tables are not known, or 0. */
    char *legacy[2];            /* Tables of the older iptables, separated by
                                 * spaces: for IPv4, for IPv6. */
};

void host_firewall_get(struct host_firewall *);
void host_firewall_parse(struct host_firewall *, const struct ofpbuf *);
void host_firewall_uninit(struct host_firewall *);

#endif /* plugin/host-firewall.h */
