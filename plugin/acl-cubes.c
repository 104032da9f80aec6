/* SPDX-License-Identifier: Apache-2.0 */
/* Unions of cubes, and how two of them are combined.  Exact: what cannot be
 * said exactly is refused. */

#include <config.h>

#include "plugin/acl-cubes.h"

#include <stdlib.h>
#include <string.h>

#include "util.h"

#include "plugin/acl-match.h"

/* Makes 'drafts' a union of nothing: the one that matches no packet. */
void
acl_drafts_init(struct acl_drafts *drafts)
{
    *drafts = (struct acl_drafts) { .drafts = NULL };
}

/* Frees what 'drafts' holds but for its token. */
static void
clear(struct acl_drafts *drafts)
{
    for (size_t i = 0; i < drafts->n; i++) {
        acl_cube_destroy(&drafts->drafts[i].cube);
    }
    free(drafts->drafts);
    drafts->drafts = NULL;
    drafts->n = 0;
}

/* Frees what 'drafts' holds, not 'drafts' itself. */
void
acl_drafts_destroy(struct acl_drafts *drafts)
{
    clear(drafts);
    free(drafts->token);
}

/* Makes 'drafts' one that is not understood, because of 'token' in 'column',
 * unless it is so already. */
void
acl_drafts_refuse(struct acl_drafts *drafts, const char *token, int column)
{
    if (!drafts->token) {
        clear(drafts);
        drafts->token = xstrdup(token);
        drafts->column = column;
    }
}

/* Makes 'draft' the one that matches every IP packet. */
void
acl_draft_init(struct acl_draft *draft)
{
    *draft = (struct acl_draft) { .loose = NULL };
    acl_cube_init_any(&draft->cube);
}

/* Restricts 'draft', which knows no protocol yet, to 'protocol'. */
void
acl_draft_protocol(struct acl_draft *draft, uint8_t protocol)
{
    memset(draft->cube.protocols, 0, sizeof draft->cube.protocols);
    draft->cube.protocols[protocol / 64] = UINT64_C(1) << (protocol % 64);
}

/* Returns true if 'draft' matches nothing. */
static bool
is_empty(const struct acl_draft *draft)
{
    const struct acl_cube *cube = &draft->cube;
    uint64_t protocols = 0;

    for (size_t i = 0; i < ARRAY_SIZE(cube->protocols); i++) {
        protocols |= cube->protocols[i];
    }
    return ((!cube->ip4 && !cube->ip6) || !protocols
            || cube->src_port.lo > cube->src_port.hi
            || cube->dst_port.lo > cube->dst_port.hi
            || cube->icmp_type.lo > cube->icmp_type.hi
            || cube->icmp_code.lo > cube->icmp_code.hi);
}

/* Adds 'draft' to 'drafts', which take it over, unless it is empty. */
void
acl_drafts_add(struct acl_drafts *drafts, struct acl_draft *draft)
{
    if (drafts->token || is_empty(draft)) {
        acl_cube_destroy(&draft->cube);
        return;
    }
    drafts->drafts = xrealloc(drafts->drafts,
                              (drafts->n + 1) * sizeof *drafts->drafts);
    drafts->drafts[drafts->n++] = *draft;
}

/* Stores in 'c' what 'a' and 'b' both have. */
static void
and_range(const struct acl_range *a, const struct acl_range *b,
          struct acl_range *c)
{
    c->lo = MAX(a->lo, b->lo);
    c->hi = MIN(a->hi, b->hi);
}

/* Stores in 'c', whose atoms are empty, what 'a' and 'b' both have.  Returns
 * false if that cannot be said. */
static bool
and_source(const struct acl_source *a, const struct acl_source *b,
           struct acl_source *c)
{
    const struct acl_source *one = a->any ? b : a;

    c->any = one->any;
    c->negated = one->negated;
    svec_clone(&c->atoms, &one->atoms);
    if (a->any || b->any) {
        return true;
    }
    if (a->negated && b->negated) {
        /* Neither in one nor in the other: not in their union. */
        svec_append(&c->atoms, &b->atoms);
        svec_sort_unique(&c->atoms);
        return true;
    }
    return a->negated == b->negated && svec_equal(&a->atoms, &b->atoms);
}

/* Stores in 'c' what 'a' and 'b' both match.  Returns false if that is some
 * packets, but not to be said in one cube. */
static bool
and_draft(const struct acl_draft *a, const struct acl_draft *b,
          struct acl_draft *c)
{
    acl_draft_init(c);
    c->cube.ip4 = a->cube.ip4 && b->cube.ip4;
    c->cube.ip6 = a->cube.ip6 && b->cube.ip6;
    for (size_t i = 0; i < ARRAY_SIZE(c->cube.protocols); i++) {
        c->cube.protocols[i] = a->cube.protocols[i] & b->cube.protocols[i];
    }
    and_range(&a->cube.src_port, &b->cube.src_port, &c->cube.src_port);
    and_range(&a->cube.dst_port, &b->cube.dst_port, &c->cube.dst_port);
    and_range(&a->cube.icmp_type, &b->cube.icmp_type, &c->cube.icmp_type);
    and_range(&a->cube.icmp_code, &b->cube.icmp_code, &c->cube.icmp_code);
    if (is_empty(c)) {
        return true;
    }

    /* Two loose terms of different families may not be mixed up. */
    if (a->loose && b->loose && a->loose_ip6 != b->loose_ip6) {
        return false;
    }
    c->loose = a->loose ? a->loose : b->loose;
    c->loose_ip6 = a->loose ? a->loose_ip6 : b->loose_ip6;
    return and_source(&a->cube.source, &b->cube.source, &c->cube.source);
}

/* Refuses 'drafts' at 'where' if they are too many, or 'ok' is false. */
static void
refuse_unless(struct acl_drafts *drafts, bool ok, const struct acl_expr *where)
{
    if (!ok || drafts->n > ACL_MATCH_MAX_CUBES) {
        const struct acl_expr *term = where;

        while (term->n_subs) {
            term = term->subs[0];
        }
        acl_drafts_refuse(drafts, term->field ? term->field : "1",
                          term->column);
    }
}

/* Makes 'a' what 'a' and 'b' both match, 'b' being 'where'. */
void
acl_drafts_and(struct acl_drafts *a, const struct acl_drafts *b,
               const struct acl_expr *where)
{
    struct acl_drafts both;

    if (a->token) {
        return;
    } else if (b->token) {
        acl_drafts_refuse(a, b->token, b->column);
        return;
    }

    acl_drafts_init(&both);
    for (size_t i = 0; i < a->n && !both.token; i++) {
        for (size_t j = 0; j < b->n && !both.token; j++) {
            struct acl_draft draft;
            bool ok = and_draft(&a->drafts[i], &b->drafts[j], &draft);

            acl_drafts_add(&both, &draft);
            refuse_unless(&both, ok, where);
        }
    }
    acl_drafts_destroy(a);
    *a = both;
}

/* Makes 'a' what 'a' or 'b' matches, 'b' being 'where'. */
void
acl_drafts_or(struct acl_drafts *a, const struct acl_drafts *b,
              const struct acl_expr *where)
{
    if (b->token) {
        acl_drafts_refuse(a, b->token, b->column);
    }
    for (size_t i = 0; i < b->n && !a->token; i++) {
        struct acl_draft draft = b->drafts[i];

        svec_clone(&draft.cube.source.atoms, &b->drafts[i].cube.source.atoms);
        acl_drafts_add(a, &draft);
        refuse_unless(a, true, where);
    }
}
