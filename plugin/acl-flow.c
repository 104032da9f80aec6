/* SPDX-License-Identifier: Apache-2.0 */
/* What a logical flow of ls_out_pre_acl, ls_out_acl or ls_out_acl_eval says,
 * in the words of ovn-northd 20.03 to 26.03.
 *
 * A flow is NEUTRAL only if it never delivers a packet that rules would drop,
 * of those that are dropped here at all:
 *
 *   - where the datapath has connections, pure TCP SYNs that open one and
 *     answer none that the VM has opened,
 *   - elsewhere any packets but ICMPv6 130 to 137 and 143, and DHCPv6,
 *
 * all of them unicast from outside, by way of the bridge.  Each time that
 * something is called neutral the reason is given; what is not, is STRANGE,
 * and then all ports that it may concern are left to OVN.
 *
 * ACLs are the flows from priority 1000 on, the ACL's own being 0 to 32767; a
 * flow of "reject" may be 10 above.  Those below decide where no ACL does,
 * and there packets pass here too.  (With tiers they decide already after the
 * first: "ip && ct.est && ct_mark.blocked == 1" then allows what a later tier
 * would drop.  So only rules of the first tier drop, see acl_rule_drops().) */

#include <config.h>

#include "plugin/acl-flow.h"

#include <stdlib.h>
#include <string.h>

#include "util.h"

#include "idl/sb-acl.h"
#include "plugin/acl-actions.h"
#include "plugin/acl-expr.h"
#include "plugin/acl-match.h"

/* Priorities of flows of ACLs: what northd adds to those of the ACLs, and the
 * highest. */
#define PRIORITY_OFFSET 1000
#define PRIORITY_MAX (32767 + PRIORITY_OFFSET + 10)

/* Priority of flows for what ovn-controller sends. */
#define PRIORITY_SERVICE 34000

/* Which packets of a connection a row of an ACL is for. */
enum part {
    PART_ALL,                   /* Any: one row for the whole ACL. */
    PART_ALLOW_NEW,             /* New ones, of an ACL that allows. */
    PART_ALLOW,                 /* Established or untracked ones, likewise. */
    PART_DROP,                  /* New, blocked or untracked ones, of an ACL
                                 * that drops or rejects. */
    PART_BLOCK                  /* Established ones, likewise. */
};

/* What northd writes before the match of an ACL.  Where it ends with a
 * parenthesis, one closes the match. */
static const struct {
    const char *text;           /* The text. */
    enum part part;             /* What it selects. */
} prefixes[] = {
    /* Since 20.09, from the hints of ls_out_acl_hint. */
    { "reg0[7] == 1 && (", PART_ALLOW_NEW },
    { "reg0[8] == 1 && (", PART_ALLOW },
    { "reg0[9] == 1 && (", PART_DROP },
    { "reg0[10] == 1 && (", PART_BLOCK },
    /* Then, of "reject" before 23.06. */
    { "(reg0[9] == 1) && ", PART_DROP },
    { "(reg0[10] == 1) && ", PART_BLOCK },
    /* 20.03 and 20.06. */
    { "((ct.new && !ct.est) || (!ct.new && ct.est && !ct.rpl "
      "&& ct_label.blocked == 1)) && (", PART_ALLOW_NEW },
    { "(!ct.trk || (!ct.new && ct.est && !ct.rpl "
      "&& ct_label.blocked == 0)) && (", PART_ALLOW },
    { "(!ct.trk || !ct.est || (ct.est && ct_label.blocked == 1)) && (",
      PART_DROP },
    { "ct.est && ct_label.blocked == 0 && (", PART_BLOCK },
    /* Then, of "reject". */
    { "((!ct.trk || !ct.est || (ct.est && ct_label.blocked == 1))) && ",
      PART_DROP },
    { "(ct.est && ct_label.blocked == 0) && ", PART_BLOCK },
};

/* A flow's match, unwrapped. */
struct unwrapped {
    int tier;                   /* Tier; -1: there are none. */
    enum part part;             /* See above. */
    const char *body;           /* The ACL's own match. */
    size_t length;              /* Its length. */
};

/* Takes the tier off the match in 'u'. */
static void
unwrap_tier(struct unwrapped *u)
{
    static const char prefix[] = "reg8[30..31] == ";
    static const char end[] = " && ";
    size_t n = strlen(prefix);

    if (!strncmp(u->body, prefix, n) && u->body[n] >= '0' && u->body[n] <= '3'
        && !strncmp(u->body + n + 1, end, strlen(end))) {
        u->tier = u->body[n] - '0';
        u->body += n + 1 + strlen(end);
        u->length -= n + 1 + strlen(end);
    }
}

/* Takes off 'match' what northd has put round it.
 *
 * The parenthesis at the end may belong to another one than that at the
 * beginning only if what is between them is no expression. */
static void
unwrap(const char *match, struct unwrapped *u)
{
    *u = (struct unwrapped) { .tier = -1, .body = match,
                              .length = strlen(match) };
    unwrap_tier(u);
    for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
        size_t n = strlen(prefixes[i].text);
        bool closed = prefixes[i].text[n - 1] == '(';

        if (!strncmp(u->body, prefixes[i].text, n)
            && (!closed || u->body[u->length - 1] == ')')) {
            u->part = prefixes[i].part;
            u->body += n;
            u->length -= n + closed;
            return;
        }
    }
}

/* Returns true if 'expr' is the term 'field', to be true. */
static bool
is_word(const struct acl_expr *expr, const char *field)
{
    return expr->op == ACL_OP_TRUE && !strcmp(expr->field, field);
}

/* Returns true if no packet that might be dropped here has what 'expr', a
 * term, says; 'drops' tells that the flow drops those that have it. */
static bool
term_excludes(const struct acl_expr *expr, bool drops)
{
    static const char *const nd[] = { "nd", "nd_ns", "nd_na", "nd_ra",
                                      "nd_rs", "mldv1", "mldv2" };

    /* ICMPv6 130 to 136 and 143: no candidates. */
    for (size_t i = 0; i < ARRAY_SIZE(nd); i++) {
        if (is_word(expr, nd[i])) {
            return true;
        }
    }

    /* A reply is one to a connection that the VM has opened: those are no
     * candidates. */
    if (is_word(expr, "ct.rpl")) {
        return true;
    }

    /* A TCP SYN is related to a connection only by an expectation, and so by a
     * helper of conntrack, none of which OVN configures. */
    if (is_word(expr, "ct.rel")) {
        return true;
    }

    /* Connections that an ACL with "persist-established" once allowed.  OVN
     * forgets them when the last such ACL goes; as long as there is one, its
     * own flow is STRANGE for the whole datapath. */
    if (!strcmp(expr->field, "ct_mark.allow_established")) {
        return (expr->op == ACL_OP_EQ && expr->n_constants == 1
                && !strcmp(expr->constants[0].text, "1"));
    }

    /* It comes from ovn-controller. */
    if (is_word(expr, "flags.from_ctrl")) {
        return true;
    }

    /* Invalid in OVN's eyes. */
    return drops && is_word(expr, "ct.inv");
}

/* Returns true if 'expr' is of the probes of ovn-controller, from a MAC that
 * northd makes up for them; before 20.12 it is written out.
 *
 * What comes by way of the bridge has the MAC of the bridge, or of the router
 * behind it. */
static bool
is_probe(const struct sb_acl_flow *sb, const struct acl_expr *expr)
{
    const struct acl_constant *c = expr->constants;

    if (expr->type != ACL_EXPR_TERM || strcmp(expr->field, "eth.src")
        || expr->op != ACL_OP_EQ || expr->n_constants != 1) {
        return false;
    }
    return (c->type == ACL_CONSTANT_SET ? !strcmp(c->text, "svc_monitor_mac")
            : c->type == ACL_CONSTANT_OTHER && !c->masked
              && sb->priority == PRIORITY_SERVICE);
}

/* Returns true if no packet that might be dropped here matches 'expr'.  See
 * term_excludes(). */
static bool
excludes(const struct acl_expr *expr, bool drops)
{
    switch (expr->type) {
    case ACL_EXPR_TERM:
        return term_excludes(expr, drops);
    case ACL_EXPR_BOOLEAN:
        return !expr->value;
    case ACL_EXPR_AND:
        for (size_t i = 0; i < expr->n_subs; i++) {
            if (excludes(expr->subs[i], drops)) {
                return true;
            }
        }
        return false;
    case ACL_EXPR_OR:
        for (size_t i = 0; i < expr->n_subs; i++) {
            if (!excludes(expr->subs[i], drops)) {
                return false;
            }
        }
        return true;
    }
    OVS_NOT_REACHED();
}

/* Makes 'flow' one that is not understood, because of 'token' in 'column'. */
static void
make_strange(struct acl_flow *flow, enum reason reason, const char *token,
             int column)
{
    flow->kind = ACL_FLOW_STRANGE;
    flow->reason = reason;
    flow->token = xstrdup(token);
    flow->column = column;
}

/* Makes 'flow' one whose actions are not understood: 'actions', or 'token' of
 * them. */
static void
make_strange_actions(struct acl_flow *flow, const char *actions,
                     const char *token)
{
    make_strange(flow, REASON_ACL_ACTIONS, token ? token : actions, 0);
}

/* Stores into 'flow' the ports that 'expr', which may be NULL, concerns. */
static void
take_ports(struct acl_flow *flow, const struct acl_expr *expr)
{
    struct acl_match match;

    if (expr) {
        acl_match_init(&match, expr, false);
        svec_swap(&flow->ports, &match.ports);
        acl_match_destroy(&match);
    }
}

/* Parses 'sb', of ls_out_pre_acl.  That stage only decides whether a packet
 * goes through conntrack. */
static void
parse_pre(const struct sb_acl_flow *sb, struct acl_flow *flow)
{
    char *token;
    int column;

    if (!strcmp(sb->actions, "reg0[0] = 1; next;")) {
        flow->kind = ACL_FLOW_STATEFUL;
        flow->stateful = true;
        return;
    } else if (!strcmp(sb->actions, "next;")
               || !strcmp(sb->actions, "reg0[16] = 1; next;")) {
        /* Left untracked: exempted, or of an ACL that is stateless.  The rows
         * for untracked packets are those that drop new ones, and have what
         * allows new ones as well. */
        return;
    }

    /* Anything else may lead past the ACLs, as that of a port that takes what
     * another one mirrors does. */
    struct acl_expr *expr = acl_expr_parse(sb->match, strlen(sb->match), 1,
                                           &token, &column);
    take_ports(flow, expr);
    make_strange_actions(flow, sb->actions, NULL);
    if (!expr) {
        free(token);
    }
    acl_expr_destroy(expr);
}

/* Finds out in '*action' what the ACL is that 'actions' belong to.  Returns
 * false if that cannot be. */
static bool
find_action(const struct acl_actions *actions, const struct unwrapped *u,
            enum acl_action *action)
{
    bool all = u->part == PART_ALL;
    bool allows = u->part == PART_ALLOW_NEW || u->part == PART_ALLOW;

    switch (actions->verdict) {
    case ACL_VERDICT_NONE:
        /* Where northd knows "pass", it puts the match in parentheses. */
        *action = (allows ? ACL_ALLOW_RELATED
                   : u->tier >= 0 || u->body[0] == '(' ? ACL_PASS
                   : ACL_ALLOW_STATELESS);
        return all || allows;
    case ACL_VERDICT_ALLOW:
        *action = allows ? ACL_ALLOW_RELATED : ACL_ALLOW_STATELESS;
        return all || allows;
    case ACL_VERDICT_DROP:
        *action = ACL_DROP;
        return all || u->part == PART_DROP;
    case ACL_VERDICT_REJECT:
        *action = ACL_REJECT;
        return all || u->part == PART_DROP;
    }
    OVS_NOT_REACHED();
}

/* Refuses 'flow' if it drops packets to several ports of which one is a port
 * group: OVN leaves out a flow if one of its groups does not exist, which is
 * not to be seen here.  One group alone then has no ports. */
static void
check_groups(struct acl_flow *flow, const struct sb_acl_flow *sb)
{
    const char *port;
    size_t i;

    if (!flow->rule || !acl_rule_drops(flow->rule) || flow->ports.n < 2) {
        return;
    }
    SVEC_FOR_EACH (i, port, &flow->ports) {
        const char *p = port[0] == '@' ? strstr(sb->match, port) : NULL;

        if (p) {
            acl_rule_destroy(flow->rule);
            flow->rule = NULL;
            make_strange(flow, REASON_ACL_MATCH, port, p - sb->match + 1);
            return;
        }
    }
}

/* Returns true if 'expr', all of which is understood, says anything of TCP,
 * UDP or SCTP. */
static bool
names_transport(const struct acl_expr *expr)
{
    static const char *const protocols[] = { "tcp", "udp", "sctp" };

    for (size_t i = 0; i < expr->n_subs; i++) {
        if (names_transport(expr->subs[i])) {
            return true;
        }
    }
    for (size_t i = 0; expr->field && i < ARRAY_SIZE(protocols); i++) {
        if (!strncmp(expr->field, protocols[i], strlen(protocols[i]))) {
            return true;
        }
    }
    return false;
}

/* Leaves out the rule of 'flow' if it drops packets by what conntrack, not
 * they themselves, says of TCP, UDP or SCTP.  'expr' is its match.
 *
 * In flows with that tag (26.03, and later ones of the releases from 24.03
 * on), ovn-controller takes "tcp" for "ct.trk && !ct.inv && ct_proto == 6" and
 * tcp.dst for ct_tp_dst.  Of a SYN that conntrack has found to be new that is
 * the same.  Of one that a stateless ACL keeps away from conntrack, or that is
 * invalid and not dropped for that (options:use_ct_inv_match), no such term is
 * true.  Since none can be negated (see acl-term.c), OVN's match then has
 * fewer packets than the rule's: a rule that allows may stay, one that drops
 * may not. */
static void
check_translated(struct acl_flow *flow, const struct sb_acl_flow *sb,
                 const struct acl_expr *expr)
{
    if (sb->ct_translated && acl_rule_drops(flow->rule)
        && names_transport(expr)) {
        acl_rule_destroy(flow->rule);
        flow->rule = NULL;
        flow->kind = ACL_FLOW_NEUTRAL;
        svec_clear(&flow->ports);
    }
}

/* Makes 'flow' a rule by what 'expr' means, with 'action' and 'flags'; see
 * acl_match_init() for 'widen'. */
static void
make_rule(struct acl_flow *flow, const struct sb_acl_flow *sb,
          const struct acl_expr *expr, int tier, enum acl_action action,
          unsigned int flags, bool widen)
{
    struct acl_match match;

    acl_match_init(&match, expr, widen);
    svec_swap(&flow->ports, &match.ports);
    if (match.token) {
        make_strange(flow, REASON_ACL_MATCH, match.token, match.column);
    } else {
        flow->kind = ACL_FLOW_RULE;
        flow->rule = xmalloc(sizeof *flow->rule);
        *flow->rule = (struct acl_rule) {
            .tier = MAX(tier, 0),
            .priority = sb->priority - PRIORITY_OFFSET,
            .action = action,
            .flags = flags,
            .match = match.text,
            .cubes = match.cubes,
            .n_cubes = match.n_cubes,
        };
        match.text = NULL;
        match.cubes = NULL;
        match.n_cubes = 0;
        check_translated(flow, sb, expr);
        check_groups(flow, sb);
    }
    acl_match_destroy(&match);
}

/* Parses 'sb', whose priority is above those of ACLs, and whose match is
 * 'expr'.  It comes before all of them, so if it is not neutral, it is itself
 * a rule that allows. */
static void
parse_fixed(const struct sb_acl_flow *sb, const struct acl_expr *expr,
            const struct acl_actions *actions, struct acl_flow *flow)
{
    bool allows = (actions->verdict == ACL_VERDICT_NONE
                   || actions->verdict == ACL_VERDICT_ALLOW);

    if (!allows || actions->token || actions->persists) {
        if (!actions->persists) {
            take_ports(flow, expr);
        }
        make_strange_actions(flow, sb->actions, actions->token);
        return;
    }

    /* 65535, "1": a switch without ACLs.
     * 34000, answers of ovn-controller: "udp.src == 53", whoever sends it,
     * and DHCP from a server that is ovn-controller itself, but whose MAC
     * might be the router's.  The source is left out: there may be more to
     * allow, and ports on different networks have the same rule. */
    make_rule(flow, sb, expr, 0, ACL_ALLOW, ACL_BUILT_IN, true);
}

/* Parses 'sb', of ls_out_acl or ls_out_acl_eval, whose match is 'u' and, as a
 * tree, 'expr'. */
static void
parse_eval(const struct sb_acl_flow *sb, const struct unwrapped *u,
           const struct acl_expr *expr, const struct acl_actions *actions,
           struct acl_flow *flow)
{
    bool drops = actions->verdict == ACL_VERDICT_DROP && !actions->token;
    enum acl_action action;

    if (excludes(expr, drops) || is_probe(sb, expr)) {
        return;
    } else if (sb->priority > PRIORITY_MAX) {
        parse_fixed(sb, expr, actions, flow);
    } else if (actions->persists) {
        /* Whatever it once allowed goes on, also to ports that it does not
         * concern any more. */
        make_strange_actions(flow, sb->actions, actions->token);
    } else if (actions->token) {
        take_ports(flow, expr);
        make_strange_actions(flow, sb->actions, actions->token);
    } else if (u->part == PART_BLOCK
               && (actions->verdict == ACL_VERDICT_DROP
                   || actions->verdict == ACL_VERDICT_REJECT)) {
        /* It delivers nothing.  The row for new packets has the rule. */
    } else if (!find_action(actions, u, &action)) {
        take_ports(flow, expr);
        make_strange_actions(flow, sb->actions, NULL);
    } else {
        make_rule(flow, sb, expr, u->tier, action, actions->flags, false);
    }
}

/* Returns true if 'sb' depends on connections.  A name that looks as if makes
 * only that less is dropped. */
static bool
is_stateful(const struct sb_acl_flow *sb, const struct unwrapped *u,
            const struct acl_actions *actions)
{
    return (u->part != PART_ALL || actions->conntrack
            || strstr(sb->match, "ct.") || strstr(sb->match, "ct_")
            || strstr(sb->actions, "ct_"));
}

/* Parses 'sb' into 'flow', which the caller must free with
 * acl_flow_destroy(). */
void
acl_flow_parse(const struct sb_acl_flow *sb, struct acl_flow *flow)
{
    struct acl_actions actions;
    struct unwrapped u;
    char *token;
    int column;

    *flow = (struct acl_flow) { .kind = ACL_FLOW_NEUTRAL,
                                .ports = SVEC_EMPTY_INITIALIZER };
    if (sb->stage == SB_ACL_PRE) {
        parse_pre(sb, flow);
        return;
    }

    unwrap(sb->match, &u);
    acl_actions_parse(sb->actions, &actions);
    flow->stateful = is_stateful(sb, &u, &actions);
    if (sb->priority >= PRIORITY_OFFSET) {
        struct acl_expr *expr = acl_expr_parse(u.body, u.length,
                                               u.body - sb->match + 1,
                                               &token, &column);

        if (expr) {
            parse_eval(sb, &u, expr, &actions, flow);
        } else {
            make_strange(flow, REASON_ACL_MATCH, token, column);
            free(token);
        }
        acl_expr_destroy(expr);
    }
    acl_actions_destroy(&actions);
}

/* Frees what 'flow' holds, not 'flow' itself. */
void
acl_flow_destroy(struct acl_flow *flow)
{
    svec_destroy(&flow->ports);
    acl_rule_destroy(flow->rule);
    free(flow->token);
}
