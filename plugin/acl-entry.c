/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the logical flows by which a switch does more to a packet than let it
 * through or drop it, in the words of ovn-northd 20.03 to 26.03:
 *
 *     ls_in_acl         reg0[9] == 1 && (tcp.dst == 23)
 *                       --> reject { ... };
 *     ls_in_acl_eval    reg0[7] == 1 && (inport == @pg && ip4)
 *                       --> log(...); reg8[16] = 1; next;
 *     ls_in_mirror      inport == "provnet" && (ip4)
 *                       --> mirror("sink"); next;
 *     ls_out_acl_action reg8[17] == 1 --> sample(...); ...
 *
 * All of it comes before the ACLs of the VM's port, or is on another switch in
 * front of that one: a packet that they drop has been answered, logged or
 * copied by then.  So where it is not certain which packets a flow is for, it
 * is for all. */

#include <config.h>

#include "plugin/acl-entry.h"

#include <stdlib.h>
#include <string.h>

#include "util.h"

#include "idl/sb-acl.h"
#include "plugin/acl-actions.h"
#include "plugin/acl-expr.h"
#include "plugin/acl-rule.h"

/* The lowest and the highest priority of flows of ACLs; see acl-flow.c.
 *
 * Those above are northd's own.  They log and sample, too, but packets of
 * connections that exist, and those are never dropped here. */
#define PRIORITY_MIN 1000
#define PRIORITY_MAX (32767 + PRIORITY_MIN + 10)

/* Returns true if 'sb', of SB_ACL_EVAL or SB_ACL_FROM, is of an ACL. */
bool
acl_entry_is_acl(const struct sb_acl_flow *sb)
{
    return sb->priority >= PRIORITY_MIN && sb->priority <= PRIORITY_MAX;
}

/* Adds to 'ports' those that 'expr' names, if it says no more than that
 * 'field' is one of them.  Returns false if it does not. */
static bool
add_ports(const struct acl_expr *expr, const char *field, struct svec *ports)
{
    if (expr->type == ACL_EXPR_OR) {
        for (size_t i = 0; i < expr->n_subs; i++) {
            if (!add_ports(expr->subs[i], field, ports)) {
                return false;
            }
        }
        return true;
    }
    if (expr->type != ACL_EXPR_TERM || strcmp(expr->field, field)
        || expr->op != ACL_OP_EQ) {
        return false;
    }
    for (size_t i = 0; i < expr->n_constants; i++) {
        const struct acl_constant *c = &expr->constants[i];

        if (c->type == ACL_CONSTANT_GROUP) {
            svec_add_nocopy(ports, xasprintf("@%s", c->text));
        } else if (c->type == ACL_CONSTANT_STRING && c->text[0]
                   && c->text[0] != '@') {
            svec_add(ports, c->text);
        } else {
            return false;
        }
    }
    return true;
}

/* What a match restricts a field to. */
struct restriction {
    const char *field;          /* Field. */
    struct svec *ports;         /* Ports; none: any. */
};

/* Takes over into the struct restriction 'r_' what 'expr', an operand of "&&",
 * says.  The first that names ports counts. */
static void
restrict_ports(const struct acl_expr *expr, void *r_)
{
    struct restriction *r = r_;

    if (svec_is_empty(r->ports) && !add_ports(expr, r->field, r->ports)) {
        svec_clear(r->ports);
    }
}

/* Stores into 'ports' those that 'match' restricts 'field' to, or none: it is
 * for any. */
void
acl_entry_parse_ports(const char *match, const char *field,
                      struct svec *ports)
{
    struct restriction r = { field, ports };

    acl_expr_for_each(match, restrict_ports, &r);
    svec_sort_unique(ports);
}

/* Returns the first statement of 'text', actions, that begins with 'start', or
 * NULL.  The caller frees it. */
static char *
find_statement(const char *text, const char *start)
{
    char *statement;

    while ((statement = acl_actions_next(&text))) {
        if (!strncmp(statement, start, strlen(start))) {
            return statement;
        }
        free(statement);
    }
    return NULL;
}

/* Parses 'sb', of an ACL.  Whatever is not known may be anything: to answer
 * for the VM, or to send the packet to somebody else first. */
static void
parse_acl(const struct sb_acl_flow *sb, struct acl_entry *entry)
{
    struct acl_actions actions;

    if (!acl_entry_is_acl(sb)) {
        return;
    }
    acl_actions_parse(sb->actions, &actions);
    if (actions.token || actions.flags || actions.persists
        || actions.verdict == ACL_VERDICT_REJECT) {
        entry->matters = true;
        entry->reason = REASON_ACL_ACTIONS;
        entry->token = xstrdup(actions.token ? actions.token : sb->actions);
    }
    acl_actions_destroy(&actions);
}

/* Parses 'sb', of SB_ACL_EVAL, SB_ACL_FROM, SB_ACL_ACTION or one of the
 * mirrors, into 'entry', which the caller frees with acl_entry_destroy(). */
void
acl_entry_parse(const struct sb_acl_flow *sb, struct acl_entry *entry)
{
    *entry = (struct acl_entry) {
        .leaving = (sb->stage == SB_ACL_EVAL
                    || sb->stage == SB_ACL_MIRROR_OUT),
        .ports = SVEC_EMPTY_INITIALIZER };
    if (sb->stage == SB_ACL_ACTION) {
        entry->reason = REASON_ACL_ACTIONS;
        entry->token = find_statement(sb->actions, "sample(");
        entry->matters = entry->token != NULL;
        return;
    } else if (sb->stage == SB_ACL_EVAL || sb->stage == SB_ACL_FROM) {
        parse_acl(sb, entry);
    } else {
        entry->reason = REASON_ACL_PORT;
        entry->matters = strcmp(sb->actions, "next;") != 0;
        entry->token = entry->matters ? xstrdup(sb->actions) : NULL;
    }
    if (entry->matters) {
        acl_entry_parse_ports(sb->match,
                              entry->leaving ? "outport" : "inport",
                              &entry->ports);
    }
}

/* Frees what 'entry' holds, not 'entry' itself. */
void
acl_entry_destroy(struct acl_entry *entry)
{
    svec_destroy(&entry->ports);
    free(entry->token);
}

/* Returns a negative number if 'a' is to be shown rather than 'b', a positive
 * one if 'b' is, and 0 if they look the same. */
int
acl_entry_compare(const struct acl_entry *a, const struct acl_entry *b)
{
    int cmp = (int) a->reason - (int) b->reason;

    return cmp ? cmp : strcmp(a->token ? a->token : "",
                              b->token ? b->token : "");
}
