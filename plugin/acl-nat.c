/* SPDX-License-Identifier: Apache-2.0 */
/* What a logical flow does to the destination of packets before the ACLs of a
 * VM see them, in the words of ovn-northd 20.03 to 26.03.
 *
 *     lr_in_dnat    ip && ip4.dst == 172.24.100.112 && inport == "lrp-G"
 *                   --> ct_dnat(10.1.0.3);
 *     lr_in_dnat    ct.new && !ct.rel && ip4 && ip4.dst == 172.24.100.200
 *                   && tcp && tcp.dst == 80 --> ct_lb_mark(backends=...);
 *     ls_in_lb      ct.new && ip4.dst == 172.24.100.200 && tcp.dst == 80
 *                   --> reg0[1] = 0; ct_lb_mark(backends=...);
 *     lr_in_policy  ip4.src == 10.0.0.0/24 --> ...; outport = "lrp-B"; next;
 *
 * Where a flow is not understood, it may be about any address. */

#include <config.h>

#include "plugin/acl-flow.h"

#include <stdlib.h>
#include <string.h>

#include "packets.h"
#include "util.h"

#include "idl/sb-acl.h"
#include "plugin/acl-actions.h"
#include "plugin/acl-expr.h"
#include "plugin/acl-prefix.h"

/* Priority of flows of NAT rules; some have higher ones. */
#define PRIORITY_NAT 100

/* What a match says, as far as it matters. */
struct nat_match {
    bool has_ip;                /* It is of one destination, 'ip'. */
    struct in6_addr ip;         /* See above. */
    bool not_new;               /* It has no packet that is a new one. */
    bool whole;                 /* It has all packets to 'ip' that arrive at
                                 * some port. */
    char *inport;               /* That port; NULL: any. */
};

/* What actions do. */
struct nat_actions {
    bool changes;               /* They change the packet's destination, or its
                                 * way, or are not understood. */
    bool plain;                 /* 'logical' becomes its destination, and there
                                 * is no more to it. */
    struct in6_addr logical;    /* See above. */
};

/* Flags that have lr_out_snat give the packet another source, too. */
#define FORCE_SNAT "flags.force_snat_for_"

/* Returns true if 'name' is one of the 'n' 'names'. */
static bool
is_one_of(const char *name, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!strcmp(name, names[i])) {
            return true;
        }
    }
    return false;
}

/* Returns true if 'expr' is "FIELD == ADDRESS", FIELD being the destination or
 * a register in which load balancers keep it. */
static bool
is_destination(const struct acl_expr *expr)
{
    static const char *const fields[] = { "ip4.dst", "ip6.dst", "reg0",
                                          "reg1", "xxreg0", "xxreg1" };
    const struct acl_constant *c = expr->constants;

    if (expr->type != ACL_EXPR_TERM || expr->op != ACL_OP_EQ
        || expr->n_constants != 1
        || !is_one_of(expr->field, fields, ARRAY_SIZE(fields))) {
        return false;
    }
    return ((c->type == ACL_CONSTANT_IP4 && c->length == 32)
            || (c->type == ACL_CONSTANT_IP6 && c->length == 128));
}

/* Returns true if 'expr' is of the packets that arrive at a single port. */
static bool
is_inport(const struct acl_expr *expr)
{
    return (expr->op == ACL_OP_EQ && !strcmp(expr->field, "inport")
            && expr->n_constants == 1
            && expr->constants[0].type == ACL_CONSTANT_STRING);
}

/* Takes over into the struct nat_match 'match_' what 'expr', an operand of
 * "&&", says. */
static void
take_term(const struct acl_expr *expr, void *match_)
{
    static const char *const plain[] = { "ip", "ip4", "ip6" };
    static const char *const old[] = { "ct.est", "ct.rel" };
    static const char resident[] = "is_chassis_resident(";
    struct nat_match *match = match_;

    if (is_destination(expr)) {
        /* Another one: then none. */
        match->whole &= !match->has_ip;
        match->has_ip = true;
        match->ip = expr->constants[0].ip;
    } else if (expr->type != ACL_EXPR_TERM) {
        match->whole = false;
    } else if (expr->op == ACL_OP_TRUE
               && is_one_of(expr->field, old, ARRAY_SIZE(old))) {
        match->not_new = true;
    } else if (is_inport(expr)) {
        match->whole &= !match->inport;
        free(match->inport);
        match->inport = xstrdup(expr->constants[0].text);
    } else if (!(expr->op == ACL_OP_TRUE
                 && (is_one_of(expr->field, plain, ARRAY_SIZE(plain))
                     || !strncmp(expr->field, resident, strlen(resident))))) {
        match->whole = false;
    }
}

/* Parses 'text', a match, into 'match'. */
static void
parse_match(const char *text, struct nat_match *match)
{
    *match = (struct nat_match) { .whole = true };
    if (!acl_expr_for_each(text, take_term, match)) {
        match->whole = false;
    }
}

/* Parses 'statement', of actions, as one that gives the packet a destination,
 * into '*ip'. */
static bool
parse_translation(const char *statement, struct in6_addr *ip)
{
    static const struct {
        const char *begin;      /* Before the address. */
        const char *end;        /* After it. */
    } forms[] = {
        { "ct_dnat(", ")" }, { "ct_dnat_in_czone(", ")" },
        { "ip4.dst=", "" }, { "ip6.dst=", "" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
        size_t n = strlen(forms[i].begin);

        if (!strncmp(statement, forms[i].begin, n)) {
            const char *rest = acl_address_parse(statement + n, ip);

            return rest && !strcmp(rest, forms[i].end);
        }
    }
    return false;
}

/* Returns true if 'statement' leaves the destination of a new packet as it is,
 * and its way too. */
static bool
is_harmless(const char *statement)
{
    static const char *const harmless[] = {
        "next", "flags.loopback = 1", "flags.skip_snat_for_lb = 1",
        "flags.force_snat_for_lb = 1", "reg8[0..15] = 0",
        /* Without arguments these know established connections only. */
        "ct_dnat", "ct_dnat_in_czone", "ct_lb", "ct_lb_mark",
        "ct_commit_nat", "ct_commit_to_zone(dnat)",
    };
    static const char mark[] = "pkt.mark = ";

    return (is_one_of(statement, harmless, ARRAY_SIZE(harmless))
            || !strncmp(statement, mark, strlen(mark)));
}

/* Returns true if 'statement' writes down a load balancer's address for
 * later. */
static bool
is_note(const char *statement)
{
    return !strncmp(statement, "reg", 3) || !strncmp(statement, "xxreg", 5);
}

/* Parses 'text', actions, into 'actions'; 'notes' tells whether what they
 * write into registers does not matter. */
static void
parse_actions(const char *text, bool notes, struct nat_actions *actions)
{
    size_t translations = 0;
    bool other = false;
    bool forced = false;
    char *statement;

    *actions = (struct nat_actions) { .changes = false };
    while ((statement = acl_actions_next(&text))) {
        forced |= !strncmp(statement, FORCE_SNAT, strlen(FORCE_SNAT));
        if (parse_translation(statement, &actions->logical)) {
            translations++;
        } else if (!is_harmless(statement) && !(notes && is_note(statement))) {
            other = true;
        }
        free(statement);
    }
    actions->changes = translations || other;
    actions->plain = translations == 1 && !other && !forced;
}

/* Parses 'sb', of one of the stages that translate or lead packets to other
 * places than routes do, into '*nat', which the caller frees with
 * acl_nat_destroy(). */
void
acl_nat_parse(const struct sb_acl_flow *sb, struct acl_nat *nat)
{
    struct nat_actions actions;
    struct nat_match match;

    *nat = (struct acl_nat) { .kind = ACL_NAT_NONE };
    parse_match(sb->match, &match);
    parse_actions(sb->actions, sb->stage == SB_ACL_SWITCH_LB, &actions);
    if (match.not_new
        || (!actions.changes && (sb->stage != SB_ACL_ROUTER_DNAT
                                 || sb->priority < PRIORITY_NAT))) {
        /* What else is done at lower priorities, rules come before. */
        free(match.inport);
        return;
    }
    if (!match.has_ip) {
        nat->kind = ACL_NAT_ANY;
        free(match.inport);
        return;
    }

    /* With several destinations, or what else there is to the match, only
     * some packets are changed. */
    bool plain = (sb->stage == SB_ACL_ROUTER_DNAT && match.whole
                  && actions.plain);
    nat->kind = plain ? ACL_NAT_PLAIN : ACL_NAT_OTHER;
    nat->external = match.ip;
    if (plain) {
        nat->logical = actions.logical;
        nat->inport = match.inport;
    } else {
        free(match.inport);
    }
}

/* Frees what 'nat' holds, not 'nat' itself. */
void
acl_nat_destroy(struct acl_nat *nat)
{
    free(nat->inport);
}
