/* SPDX-License-Identifier: Apache-2.0 */
/* From the tree of an ACL's match to its ports and cubes.
 *
 * The port is understood where it is one operand of the outermost "&&", or all
 * of the match.  Anywhere else it is an unknown field. */

#include <config.h>

#include "plugin/acl-match.h"

#include <stdlib.h>
#include <string.h>

#include "openvswitch/dynamic-string.h"
#include "util.h"

#include "plugin/acl-cubes.h"

/* Returns true if 'c' is a port, or a port group.
 *
 * A port without a name and one that looks like a group would be taken for
 * what they are not: everybody, and that group. */
static bool
is_port_name(const struct acl_constant *c)
{
    return (c->type == ACL_CONSTANT_GROUP
            || (c->type == ACL_CONSTANT_STRING && c->text[0]
                && c->text[0] != '@'));
}

/* Returns true if 'expr' says nothing but which ports, and how. */
static bool
is_port(const struct acl_expr *expr)
{
    if (expr->type == ACL_EXPR_OR) {
        for (size_t i = 0; i < expr->n_subs; i++) {
            if (!is_port(expr->subs[i])) {
                return false;
            }
        }
        return true;
    }
    if (expr->type != ACL_EXPR_TERM || strcmp(expr->field, "outport")
        || expr->op != ACL_OP_EQ) {
        return false;
    }
    for (size_t i = 0; i < expr->n_constants; i++) {
        if (!is_port_name(&expr->constants[i])) {
            return false;
        }
    }
    return true;
}

/* Adds to 'ports' those that 'expr', for which is_port() is true, names. */
static void
add_ports(const struct acl_expr *expr, struct svec *ports)
{
    for (size_t i = 0; i < expr->n_subs; i++) {
        add_ports(expr->subs[i], ports);
    }
    for (size_t i = 0; i < expr->n_constants; i++) {
        const struct acl_constant *c = &expr->constants[i];

        svec_add_nocopy(ports, xasprintf("%s%s", c->type == ACL_CONSTANT_GROUP
                                                 ? "@" : "", c->text));
    }
}

/* Returns true if 'expr', an operand of the outermost "&&", says only where a
 * packet comes from. */
static bool
is_origin(const struct acl_expr *expr)
{
    return (expr->type == ACL_EXPR_TERM && expr->op == ACL_OP_EQ
            && (!strcmp(expr->field, "eth.src")
                || !strcmp(expr->field, "ip4.src")
                || !strcmp(expr->field, "ip6.src")));
}

/* Adds to 'drafts', which are empty, what 'expr' matches of IP packets. */
static void
expr_to_drafts(const struct acl_expr *expr, struct acl_drafts *drafts)
{
    struct acl_draft any;

    switch (expr->type) {
    case ACL_EXPR_TERM:
        acl_term_to_drafts(expr, drafts);
        break;
    case ACL_EXPR_BOOLEAN:
        if (expr->value) {
            acl_draft_init(&any);
            acl_drafts_add(drafts, &any);
        }
        break;
    case ACL_EXPR_AND:
    case ACL_EXPR_OR:
        for (size_t i = 0; i < expr->n_subs && !drafts->token; i++) {
            struct acl_drafts sub;

            acl_drafts_init(&sub);
            expr_to_drafts(expr->subs[i], &sub);
            if (i && expr->type == ACL_EXPR_AND) {
                acl_drafts_and(drafts, &sub, expr->subs[i]);
            } else {
                acl_drafts_or(drafts, &sub, expr->subs[i]);
            }
            acl_drafts_destroy(&sub);
        }
        break;
    }
}

/* Appends 'expr' to 's' in canonical form. */
static void
format(const struct acl_expr *expr, struct ds *s)
{
    char *term;

    switch (expr->type) {
    case ACL_EXPR_TERM:
        term = acl_expr_term_to_string(expr);
        ds_put_cstr(s, term);
        free(term);
        break;
    case ACL_EXPR_BOOLEAN:
        ds_put_char(s, expr->value ? '1' : '0');
        break;
    case ACL_EXPR_AND:
    case ACL_EXPR_OR:
        for (size_t i = 0; i < expr->n_subs; i++) {
            bool nested = expr->subs[i]->n_subs > 0;

            ds_put_cstr(s, !i ? "" : expr->type == ACL_EXPR_AND ? " && "
                           : " || ");
            ds_put_cstr(s, nested ? "(" : "");
            format(expr->subs[i], s);
            ds_put_cstr(s, nested ? ")" : "");
        }
        break;
    }
}

/* Makes 'drafts' the cubes of 'match', or says why they are none. */
static void
take_cubes(struct acl_match *match, struct acl_drafts *drafts)
{
    for (size_t i = 0; i < drafts->n; i++) {
        const struct acl_draft *draft = &drafts->drafts[i];

        if (draft->loose && (draft->loose_ip6 ? draft->cube.ip4
                             : draft->cube.ip6)) {
            const struct acl_constant *c = &draft->loose->constants[0];
            char *token = xasprintf("$%s", c->text);

            acl_drafts_refuse(drafts, token, c->column);
            free(token);
        }
    }
    if (drafts->token) {
        match->token = xstrdup(drafts->token);
        match->column = drafts->column;
        return;
    }
    match->cubes = xcalloc(drafts->n, sizeof *match->cubes);
    match->n_cubes = drafts->n;
    for (size_t i = 0; i < drafts->n; i++) {
        match->cubes[i] = drafts->drafts[i].cube;
    }
    drafts->n = 0;
}

/* Frees the cubes of 'match'. */
static void
drop_cubes(struct acl_match *match)
{
    for (size_t i = 0; i < match->n_cubes; i++) {
        acl_cube_destroy(&match->cubes[i]);
    }
    free(match->cubes);
    match->cubes = NULL;
    match->n_cubes = 0;
}

/* Returns true if one of the cubes of 'match' has the address set 'name' for
 * sources of IPv6, if 'ip6', or IPv4. */
static bool
has_set(const struct acl_match *match, const char *name, bool ip6)
{
    char *atom = xasprintf("$%s", name);
    bool has = false;

    for (size_t i = 0; i < match->n_cubes && !has; i++) {
        const struct acl_cube *cube = &match->cubes[i];

        has = ((ip6 ? cube->ip6 : cube->ip4)
               && svec_contains(&cube->source.atoms, atom));
    }
    free(atom);
    return has;
}

/* Refuses 'match' if 'expr', of which it is made, names an address set that
 * none of the cubes has: OVN leaves out a flow if it names one that does not
 * exist or has addresses of the other family, wherever that is in the match,
 * and nobody would look. */
static void
check_sets(struct acl_match *match, const struct acl_expr *expr)
{
    for (size_t i = 0; i < expr->n_subs; i++) {
        check_sets(match, expr->subs[i]);
    }
    for (size_t i = 0; i < expr->n_constants && !match->token; i++) {
        const struct acl_constant *c = &expr->constants[i];

        if (c->type == ACL_CONSTANT_SET
            && !has_set(match, c->text, !strcmp(expr->field, "ip6.src"))) {
            match->token = xasprintf("$%s", c->text);
            match->column = c->column;
        }
    }
}

/* Makes 'match' what 'expr' means.  With 'widen' it may match more: sources,
 * as far as they are operands of the outermost "&&", do not matter. */
void
acl_match_init(struct acl_match *match, const struct acl_expr *expr,
               bool widen)
{
    struct acl_expr rest = { .type = ACL_EXPR_AND };
    struct acl_expr *const *terms = (struct acl_expr *const *) &expr;
    size_t n = 1;

    *match = (struct acl_match) { .ports = SVEC_EMPTY_INITIALIZER };
    if (expr->type == ACL_EXPR_AND) {
        terms = expr->subs;
        n = expr->n_subs;
    }
    rest.subs = xcalloc(n, sizeof *rest.subs);
    for (size_t i = 0; i < n; i++) {
        if (svec_is_empty(&match->ports) && is_port(terms[i])) {
            add_ports(terms[i], &match->ports);
        } else if (!widen || !is_origin(terms[i])) {
            rest.subs[rest.n_subs++] = terms[i];
        }
    }
    svec_sort_unique(&match->ports);

    struct acl_expr one = { .type = ACL_EXPR_BOOLEAN, .value = true };
    const struct acl_expr *what = (!rest.n_subs ? &one
                                   : rest.n_subs == 1 ? rest.subs[0] : &rest);
    struct acl_drafts drafts;
    acl_drafts_init(&drafts);
    expr_to_drafts(what, &drafts);
    take_cubes(match, &drafts);
    acl_drafts_destroy(&drafts);
    if (!match->token) {
        check_sets(match, what);
    }
    if (match->token) {
        drop_cubes(match);
    } else {
        struct ds s = DS_EMPTY_INITIALIZER;

        format(what, &s);
        match->text = ds_steal_cstr(&s);
    }
    free(rest.subs);
}

/* Frees what 'match' holds, not 'match' itself. */
void
acl_match_destroy(struct acl_match *match)
{
    svec_destroy(&match->ports);
    drop_cubes(match);
    free(match->text);
    free(match->token);
}
