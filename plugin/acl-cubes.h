/* SPDX-License-Identifier: Apache-2.0 */
/* Expressions as unions of cubes.  Pure.  Used by acl-match.c only. */
#ifndef PLUGIN_ACL_CUBES_H
#define PLUGIN_ACL_CUBES_H 1

#include <stdbool.h>
#include <stddef.h>
#include "plugin/acl-expr.h"
#include "plugin/acl-rule.h"

/* A cube in the making. */
struct acl_draft {
    struct acl_cube cube;       /* What it matches so far. */
    const struct acl_expr *loose; /* A term whose family does not hold if all
                                 * of its address sets are empty, or NULL. */
    bool loose_ip6;             /* Which family that is. */
};

/* A union of them. */
struct acl_drafts {
    struct acl_draft *drafts;   /* The drafts; none of them is empty. */
    size_t n;                   /* Number of them. */
    char *token;                /* What was not understood, or NULL: then
                                 * there are none. */
    int column;                 /* Where it begins. */
};

void acl_drafts_init(struct acl_drafts *);
void acl_drafts_add(struct acl_drafts *, struct acl_draft *);
void acl_drafts_refuse(struct acl_drafts *, const char *token, int column);
void acl_drafts_destroy(struct acl_drafts *);
void acl_draft_init(struct acl_draft *);
void acl_draft_protocol(struct acl_draft *, uint8_t protocol);
void acl_drafts_and(struct acl_drafts *, const struct acl_drafts *,
                    const struct acl_expr *where);
void acl_drafts_or(struct acl_drafts *, const struct acl_drafts *,
                   const struct acl_expr *where);
void acl_term_to_drafts(const struct acl_expr *, struct acl_drafts *);

#endif /* plugin/acl-cubes.h */
