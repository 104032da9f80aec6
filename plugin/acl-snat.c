/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the flows that northd writes for sources, in the words of ovn-northd
 * 20.03 to 26.03:
 *
 *     ip && ip4.src == 10.1.0.0/24 && outport == "lrp-G"
 *     && is_chassis_resident("cr-lrp-G") && (!ct.trk || !ct.rpl)
 *         --> ct_snat_in_czone(172.24.100.1);
 *     ip && ip4.src == 0.0.0.0/0 && (!ct.trk || !ct.rpl)
 *         --> ct_snat(172.24.100.1);             (of a gateway router)
 *     ip && ip4.src == 10.1.0.3 && outport == "lrp-G"
 *         --> eth.src = fa:16:3e:00:00:03; ip4.src=172.24.100.112; next;
 *     flags.force_snat_for_lb == 1 && ip4 --> ct_snat(172.24.100.1);
 *
 * Where a flow is not understood, it may be about any packet. */

#include <config.h>

#include "plugin/acl-snat.h"

#include <stdlib.h>
#include <string.h>

#include "packets.h"
#include "util.h"

#include "idl/sb-acl.h"
#include "plugin/acl-actions.h"
#include "plugin/acl-expr.h"
#include "plugin/acl-prefix.h"

/* Returns true if 'expr' is "FIELD == X" with a single X. */
static bool
is_equal(const struct acl_expr *expr, const char *field)
{
    return (expr->type == ACL_EXPR_TERM && expr->op == ACL_OP_EQ
            && expr->n_constants == 1 && !strcmp(expr->field, field));
}

/* What take_term() fills. */
struct snat_match {
    struct acl_snat *snat;      /* Packets whose source it changes. */
    struct acl_nat *nat;        /* The translation. */
};

/* Takes over into the struct snat_match 'match_' what 'expr', an operand of
 * "&&", says. */
static void
take_term(const struct acl_expr *expr, void *match_)
{
    const struct snat_match *match = match_;
    const struct acl_constant *c = expr->constants;
    struct acl_snat *snat = match->snat;
    struct acl_nat *nat = match->nat;
    bool ip4 = is_equal(expr, "ip4.src");

    if (ip4 || is_equal(expr, "ip6.src")) {
        snat->ip4 &= ip4;
        snat->ip6 &= !ip4;
        if (c->type == (ip4 ? ACL_CONSTANT_IP4 : ACL_CONSTANT_IP6)
            && c->length == (ip4 ? 32 : 128)) {
            nat->kind = ACL_NAT_PLAIN;
            nat->logical = c->ip;
        }
    } else if (is_equal(expr, "outport") && c->type == ACL_CONSTANT_STRING) {
        free(snat->outport);
        snat->outport = xstrdup(c->text);
    } else if (is_equal(expr, "flags.force_snat_for_lb")
               || is_equal(expr, "flags.force_snat_for_dnat")) {
        /* Set by lr_in_dnat only: see acl-nat.c, which takes no such
         * translation for a plain one. */
        snat->changes &= c->type != ACL_CONSTANT_INTEGER || !c->integer;
    }
}

/* Returns true if 'statement' may give the packet another source; if it names
 * one, stores it into 'nat' and makes '*named' true. */
static bool
parse_statement(const char *statement, struct acl_nat *nat, bool *named)
{
    static const char *const forms[] = { "ct_snat(", "ct_snat_in_czone(",
                                         "ip4.src=", "ip6.src=" };
    static const char *const harmless[] = {
        "next", "reg9[4] = 0", "ct_commit_nat", "ct_commit_to_zone(snat)",
        /* Without arguments these know established connections only. */
        "ct_snat", "ct_snat_in_czone" };

    for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
        size_t n = strlen(forms[i]);

        if (!strncmp(statement, forms[i], n)) {
            *named |= acl_address_parse(statement + n, &nat->external) != NULL;
            return true;
        }
    }
    for (size_t i = 0; i < ARRAY_SIZE(harmless); i++) {
        if (!strcmp(statement, harmless[i])) {
            return false;
        }
    }
    return strncmp(statement, "eth.src = ", strlen("eth.src = ")) != 0;
}

/* Stores in '*snat' what 'sb', of SB_ACL_ROUTER_SNAT, says, which the caller
 * frees with acl_snat_destroy(); and in '*nat' who gets what is sent to the
 * new source: 'logical' if that is ACL_NAT_PLAIN, others as well if
 * ACL_NAT_OTHER, and ACL_NAT_NONE if there is none. */
void
acl_snat_parse(const struct sb_acl_flow *sb, struct acl_snat *snat,
               struct acl_nat *nat)
{
    const char *actions = sb->actions;
    bool changes = false;
    bool named = false;
    char *statement;

    *snat = (struct acl_snat) { .changes = true, .ip4 = true, .ip6 = true };
    *nat = (struct acl_nat) { .kind = ACL_NAT_OTHER };
    while ((statement = acl_actions_next(&actions))) {
        changes |= parse_statement(statement, nat, &named);
        free(statement);
    }
    if (changes) {
        acl_expr_for_each(sb->match, take_term,
                          &(struct snat_match) { snat, nat });
    } else {
        snat->changes = false;
    }
    if (!named) {
        nat->kind = ACL_NAT_NONE;
    }
}

/* Frees what 'snat' holds, not 'snat' itself. */
void
acl_snat_destroy(struct acl_snat *snat)
{
    free(snat->outport);
}
