/* SPDX-License-Identifier: Apache-2.0 */
/* A set of rules as bits, one per cube: pure.
 *
 * Where bits cannot say exactly what a rule does, a rule that drops is left
 * out and another is taken to match more: the datapath then passes what OVN
 * drops, and never the other way round. */
#ifndef PLUGIN_ACL_COMPILE_H
#define PLUGIN_ACL_COMPILE_H 1

#include <stdbool.h>
#include <stddef.h>
#include "plugin/datapath.h"
#include "svec.h"

struct acl_set;

/* A bit. */
struct acl_bit {
    size_t rule;                /* Index of its rule in the set. */
    bool drops;                 /* That drops. */
    bool ip4;                   /* It matches IPv4. */
    bool ip6;                   /* It matches IPv6. */
    bool negated;               /* It matches sources that are in none of what
                                 * follows, not those that are in one. */
    bool all4;                  /* All of IPv4. */
    bool all6;                  /* All of IPv6. */
    size_t *atoms;              /* Indexes in 'atoms' of the whole. */
    size_t n_atoms;             /* Number of them. */
};

/* A set of rules. */
struct acl_compiled {
    struct svec atoms;          /* Atoms that it depends on: sorted, and none
                                 * of those that are all of a family. */
    struct acl_bit *bits;       /* In the order of the rules. */
    size_t n_bits;              /* Number of them. */
    struct dp_acl acl;          /* All but 'id' and 'classes'. */
};

int acl_compile(const struct acl_set *, struct acl_compiled *);
void acl_compiled_destroy(struct acl_compiled *);
void acl_compiled_sources(const struct acl_compiled *, bool ip6,
                          const bool *maybe, const bool *sure,
                          struct dp_acl_bits *);

#endif /* plugin/acl-compile.h */
