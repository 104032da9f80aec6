/* SPDX-License-Identifier: Apache-2.0
 *
 * Sets of rules for the tests of bpf/: as a list, which model-acl.c goes
 * through, and as the maps that the program looks into.  They are compiled in
 * the plainest way; the daemon has its own (plugin/acl-compile.c). */

#ifndef TESTS_BPF_RULES_H
#define TESTS_BPF_RULES_H 1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/abi.h"
#include "bpf/ovn-xdp.skel.h"

/* A rule says nothing of this. */
#define RULES_ANY (-1)

/* Sources in common use: a group of prefixes. */
#define RULES_MAX_ATOMS 16
struct rules_prefix {
    uint8_t addr[16];           /* IPv4 as v4-mapped. */
    int len;                    /* 0 to 128. */
};
struct rules_atom {
    const struct rules_prefix *prefixes; /* Its prefixes. */
    size_t n;                   /* How many. */
};

/* A rule. */
struct rules_rule {
    int family;                 /* 4, 6 or RULES_ANY. */
    int atom;                   /* Where packets come from, or RULES_ANY. */
    int protocol;               /* Their protocol, or RULES_ANY. */
    uint16_t port;              /* Destination port; ICMP: type, code. */
    int port_len;               /* Leading bits of 'port' that count. */
    bool drops;                 /* The rule drops. */
};

/* A set of rules, the first of which that matches decides. */
struct rules_set {
    uint32_t id;                /* Its id. */
    bool stateful;              /* There are connections. */
    bool anywhere;              /* The program is told which rules do not look
                                 * at the source. */
    const struct rules_rule *rules; /* The rules. */
    size_t n;                   /* How many. */
    uint32_t hits;              /* First counter of its rules. */
};

/* Where rules are written to. */
struct rules {
    const struct ovn_xdp_bpf *skel; /* Has the maps. */
    const struct rules_atom *atoms; /* All sources. */
    size_t n_atoms;             /* How many. */
    uint32_t n_bits;            /* Bitmaps in use. */
    uint32_t n_hits;            /* Counters in use. */
};

/* Returns the class of 'prefix': a bit for each atom that all of it is in, and
 * one for its family. */
uint32_t rules_class(const struct rules *, const struct rules_prefix *prefix);

/* Writes the sources. */
void rules_write_sources(struct rules *);

/* Writes the set, and chooses its counters. */
void rules_write_set(struct rules *, struct rules_set *);

/* Reads a counter of rules. */
uint64_t rules_hits(const struct rules *, uint32_t index);

/* Lets packets be dropped until 'ns' of the monotonic clock. */
void rules_lease(const struct rules *, uint64_t ns);

/* Says that a host's class is being replaced ('changes' is odd) or is not. */
void rules_set_changes(const struct rules *, uint64_t changes);

/* Whether the first 'bits' bits of 'a' and 'b' are the same. */
bool rules_same(const uint8_t *a, const uint8_t *b, int bits);

#endif /* tests/bpf/rules.h */
