/* SPDX-License-Identifier: Apache-2.0 */
/* What the match of an ACL means: ports, and cubes.  Pure. */
#ifndef PLUGIN_ACL_MATCH_H
#define PLUGIN_ACL_MATCH_H 1

#include <stdbool.h>
#include <stddef.h>
#include "plugin/acl-expr.h"
#include "plugin/acl-rule.h"
#include "svec.h"

/* Cubes that a rule may have. */
#define ACL_MATCH_MAX_CUBES 64

/* A match, understood or not. */
struct acl_match {
    struct svec ports;          /* "@NAME", or logical port; sorted.  Empty:
                                 * whatever the port.  Known even if the rest
                                 * is not understood. */
    char *text;                 /* The rest in canonical form, or NULL. */
    struct acl_cube *cubes;     /* What it matches. */
    size_t n_cubes;             /* Number of them. */
    char *token;                /* What is not understood, or NULL. */
    int column;                 /* And where it begins, from 1. */
};

void acl_match_init(struct acl_match *, const struct acl_expr *, bool widen);
void acl_match_destroy(struct acl_match *);

#endif /* plugin/acl-match.h */
