/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of plugin/acl-flow.c, with flows as each release writes them. */

#include <config.h>

#include "plugin/acl-flow.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "idl/sb-acl.h"
#include "tests/plugin/acl-words.h"
#include "util.h"

/* A flow, and what acl_flow_to_text() says of it. */
struct row {
    enum sb_acl_stage stage;    /* Stage. */
    int priority;               /* Priority. */
    const char *match;          /* Match. */
    const char *actions;        /* Actions. */
    const char *text;           /* Expectation. */
    bool ct_translated;         /* It has that tag. */
};

/* The match of a rule as Neutron writes it, and how it is shown. */
#define SSH "outport == @pg && ip4 && ip4.src == 0.0.0.0/0 && tcp && " \
            "tcp.dst == 22"
#define SSH_TEXT "ip4 && ip4.src == 0.0.0.0/0 && tcp && tcp.dst == 22"

/* That of Neutron's default. */
#define ALL "outport == @neutron_pg_drop && ip"

/* Checks the 'n' 'rows'. */
static void
check(const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct sb_acl_flow sb = { .stage = rows[i].stage,
                                  .priority = rows[i].priority,
                                  .match = (char *) rows[i].match,
                                  .actions = (char *) rows[i].actions,
                                  .ct_translated = rows[i].ct_translated };
        struct acl_flow flow;

        acl_flow_parse(&sb, &flow);

        char *text = acl_flow_to_text(&flow);
        if (strcmp(text, rows[i].text)) {
            fail_msg("%d %s -> %s\n is  %s\n not %s", sb.priority, sb.match,
                     sb.actions, text, rows[i].text);
        }
        free(text);
        acl_flow_destroy(&flow);
    }
}

/* ls_out_pre_acl, which has not changed much. */
static void
test_pre(void **state OVS_UNUSED)
{
    static const struct row rows[] = {
        { SB_ACL_PRE, 0, "1", "next;", "neutral" },
        { SB_ACL_PRE, 100, "ip", "reg0[0] = 1; next;", "conntrack stateful" },
        { SB_ACL_PRE, 110, "eth.mcast", "next;", "neutral" },
        { SB_ACL_PRE, 110, "eth.src == $svc_monitor_mac", "next;", "neutral" },
        { SB_ACL_PRE, 110, "ip && outport == \"rp\"", "next;", "neutral" },
        { SB_ACL_PRE, 110, "nd || nd_rs || nd_ra || mldv1 || mldv2 || "
          "(udp && udp.src == 546 && udp.dst == 547)", "next;", "neutral" },
        { SB_ACL_PRE, 2002, SSH, "reg0[16] = 1; next;", "neutral" },
        /* 25.09: a port that takes what another one mirrors. */
        { SB_ACL_PRE, 65535, "outport == \"tap\"",
          "next(pipeline=egress, table=10);",
          "strange [tap] acl-actions 0 next(pipeline=egress, table=10);" },
        /* 26.03: a network function. */
        { SB_ACL_PRE, 110, "inport == \"nf\"",
          "next(pipeline=egress, table=12);",
          "strange [] acl-actions 0 next(pipeline=egress, table=12);" },
        { SB_ACL_PRE, 110, "ip", "", "strange [] acl-actions 0 " },
    };

    check(rows, ARRAY_SIZE(rows));
}

/* 20.03 and 20.06: connections are in the match. */
static void
test_2003(void **state OVS_UNUSED)
{
    static const char new[] = "((ct.new && !ct.est) || (!ct.new && ct.est && "
        "!ct.rpl && ct_label.blocked == 1)) && (" SSH ")";
    static const struct row rows[] = {
        { SB_ACL_EVAL, 2002, new, "reg0[1] = 1; next;",
          "rule stateful [@pg] 0 1002 allow-related " SSH_TEXT },
        { SB_ACL_EVAL, 2002, new, "reg0[1] = 1; log(name=\"a;b\", "
          "severity=info, verdict=allow); next;",
          "rule stateful [@pg] 0 1002 allow-related logged " SSH_TEXT },
        { SB_ACL_EVAL, 2002, "(!ct.trk || (!ct.new && ct.est && !ct.rpl "
          "&& ct_label.blocked == 0)) && (" SSH ")", "next;",
          "rule stateful [@pg] 0 1002 allow-related " SSH_TEXT },
        { SB_ACL_EVAL, 2000, "(!ct.trk || !ct.est || (ct.est && "
          "ct_label.blocked == 1)) && (" ALL ")", "/* drop */",
          "rule stateful [@neutron_pg_drop] 0 1000 drop ip" },
        { SB_ACL_EVAL, 2000, "ct.est && ct_label.blocked == 0 && (" ALL ")",
          "ct_commit(ct_label=1/1); /* drop */", "neutral stateful" },
        { SB_ACL_EVAL, 2010, "((!ct.trk || !ct.est || (ct.est && "
          "ct_label.blocked == 1))) && ip4 && tcp && (" ALL ")",
          "reg0 = 0; eth.dst <-> eth.src; ip4.dst <-> ip4.src; "
          "tcp_reset { outport <-> inport; next(pipeline=ingress,table=0); };",
          "rule stateful [@neutron_pg_drop] 0 1010 reject ip4 && tcp && ip" },
        { SB_ACL_EVAL, 2000, "ip6 && (" ALL ")", "reg0 = 0; icmp6 { "
          "eth.dst <-> eth.src; ip6.dst <-> ip6.src; outport <-> inport; "
          "next(pipeline=ingress,table=0); };",
          "rule [@neutron_pg_drop] 0 1000 reject ip6 && ip" },
        { SB_ACL_EVAL, 2000, ALL, "/* drop */",
          "rule [@neutron_pg_drop] 0 1000 drop ip" },
        { SB_ACL_EVAL, 2002, SSH, "next;",
          "rule [@pg] 0 1002 allow-stateless " SSH_TEXT },
    };

    check(rows, ARRAY_SIZE(rows));
}

/* 20.09 to 23.03: hints. */
static void
test_2009(void **state OVS_UNUSED)
{
    static const struct row rows[] = {
        { SB_ACL_EVAL, 2002, "reg0[7] == 1 && (" SSH ")",
          "reg0[1] = 1; next;",
          "rule stateful [@pg] 0 1002 allow-related " SSH_TEXT },
        { SB_ACL_EVAL, 2002, "reg0[8] == 1 && (" SSH ")", "next;",
          "rule stateful [@pg] 0 1002 allow-related " SSH_TEXT },
        { SB_ACL_EVAL, 2002, "reg0[7] == 1 && (" SSH ")",
          "reg0[1] = 1; reg0[13] = 1; reg3 = 12; next;",
          "rule stateful [@pg] 0 1002 allow-related labelled " SSH_TEXT },
        { SB_ACL_EVAL, 2000, "reg0[9] == 1 && (" ALL ")", "/* drop */",
          "rule stateful [@neutron_pg_drop] 0 1000 drop ip" },
        { SB_ACL_EVAL, 2000, "reg0[9] == 1 && (" ALL ")",
          "log(severity=alert, verdict=drop, meter=\"m\"); /* drop */",
          "rule stateful [@neutron_pg_drop] 0 1000 drop logged ip" },
        { SB_ACL_EVAL, 2000, "reg0[10] == 1 && (" ALL ")",
          "ct_commit { ct_label.blocked = 1; }; /* drop */",
          "neutral stateful" },
        { SB_ACL_EVAL, 2000, "(reg0[9] == 1) && " ALL, "reg0 = 0; reject { "
          "/* eth.dst <-> eth.src; ip.dst <-> ip.src; is implicit. */ "
          "outport <-> inport; next(pipeline=ingress,table=23); };",
          "rule stateful [@neutron_pg_drop] 0 1000 reject ip" },
        { SB_ACL_EVAL, 2000, "(reg0[10] == 1) && " ALL,
          "ct_commit { ct_mark.blocked = 1; };  reg0 = 0; reject { /* x; */ "
          "outport <-> inport; next(pipeline=ingress,table=23); };",
          "neutral stateful" },
    };

    check(rows, ARRAY_SIZE(rows));
}

/* Since 23.06: a verdict, tiers; since 24.09 samples. */
static void
test_2306(void **state OVS_UNUSED)
{
    static const struct row rows[] = {
        { SB_ACL_EVAL, 2002, "reg0[7] == 1 && (" SSH ")",
          "reg8[16] = 1; reg0[1] = 1; next;",
          "rule stateful [@pg] 0 1002 allow-related " SSH_TEXT },
        { SB_ACL_EVAL, 2002, "reg0[8] == 1 && (" SSH ")",
          "reg8[16] = 1; next;",
          "rule stateful [@pg] 0 1002 allow-related " SSH_TEXT },
        { SB_ACL_EVAL, 2002, "(" SSH ")", "reg8[16] = 1; next;",
          "rule [@pg] 0 1002 allow-stateless " SSH_TEXT },
        { SB_ACL_EVAL, 2002, "(" SSH ")", "next;",
          "rule [@pg] 0 1002 pass " SSH_TEXT },
        { SB_ACL_EVAL, 2000, "reg8[30..31] == 2 && reg0[9] == 1 && (" ALL ")",
          "reg8[17] = 1; next;",
          "rule stateful [@neutron_pg_drop] 2 1000 drop ip" },
        { SB_ACL_EVAL, 2000, "reg8[30..31] == 0 && (" ALL ")", "next;",
          "rule [@neutron_pg_drop] 0 1000 pass ip" },
        { SB_ACL_EVAL, 2000, "reg0[9] == 1 && (" ALL ")",
          "reg8[18] = 1; next;",
          "rule stateful [@neutron_pg_drop] 0 1000 reject ip" },
        { SB_ACL_EVAL, 2000, "reg0[10] == 1 && (" ALL ")", "reg8[17] = 1; "
          "ct_commit { ct_mark.blocked = 1; ct_label.obs_point_id = 0; }; "
          "next;", "neutral stateful" },
        { SB_ACL_EVAL, 2000, "reg0[9] == 1 && (" ALL ")",
          "log(severity=info, verdict=drop); reg8[17] = 1; reg0[13] = 1; "
          "reg3 = 9; reg9 = 0; reg8[0..7] = 4; reg8[8..15] = 0; "
          "reg8[19..20] = 3; next;",
          "rule stateful [@neutron_pg_drop] 0 1000 drop logged labelled "
          "sampled ip" },
        { SB_ACL_EVAL, 2000, "(" ALL ")", "reg8[17] = 1; next;",
          "rule [@neutron_pg_drop] 0 1000 drop ip" },
    };

    check(rows, ARRAY_SIZE(rows));
}

/* Flows of which conntrack is asked for ports (options:acl_ct_translation):
 * without it as ever, and with it no drop of what it may not have seen. */
static void
test_translated(void **state OVS_UNUSED)
{
#define DROP(MATCH) \
    SB_ACL_EVAL, 2000, "reg0[9] == 1 && (" MATCH ")", "reg8[17] = 1; next;"
    static const struct row rows[] = {
        { DROP("tcp.dst == 23"),
          "rule stateful [] 0 1000 drop tcp.dst == 23", false },
        { DROP("tcp.dst == 23"), "neutral stateful", true },
        { DROP("outport == @pg && ip4 && (icmp4 || tcp.dst != {22, 80})"),
          "neutral stateful", true },
        { DROP("outport == {@pg, \"p\"} && tcp"), "neutral stateful",
          true },
        { DROP("ip4 && tcp"), "neutral stateful", true },
        { DROP("ip4 && udp"), "neutral stateful", true },
        { DROP("ip4 && sctp.src > 7"), "neutral stateful", true },

        /* What is asked of the packet as ever. */
        { DROP(ALL), "rule stateful [@neutron_pg_drop] 0 1000 drop ip", true },
        { DROP("ip4.src == 192.0.2.0/24 && ip.proto == 6"),
          "rule stateful [] 0 1000 drop ip4.src == 192.0.2.0/24 && "
          "ip.proto == 6", true },
        { DROP("icmp4.type == 8"),
          "rule stateful [] 0 1000 drop icmp4.type == 8", true },

        /* What lets through, and what is not dropped here. */
        { SB_ACL_EVAL, 2002, "reg0[7] == 1 && (" SSH ")",
          "reg8[16] = 1; reg0[1] = 1; next;",
          "rule stateful [@pg] 0 1002 allow-related " SSH_TEXT, true },
        { SB_ACL_EVAL, 2002, "reg0[8] == 1 && (" SSH ")",
          "reg8[16] = 1; next;",
          "rule stateful [@pg] 0 1002 allow-related " SSH_TEXT, true },
        { SB_ACL_EVAL, 2002, "reg0[9] == 1 && (tcp)", "reg8[18] = 1; next;",
          "rule stateful [] 0 1002 reject tcp", true },
        { SB_ACL_EVAL, 2000, "reg0[9] == 1 && (tcp)",
          "log(severity=info, verdict=drop); reg8[17] = 1; next;",
          "rule stateful [] 0 1000 drop logged tcp", true },

        /* OVN refuses it, and so it does not matter what that would mean. */
        { SB_ACL_EVAL, 2002, "reg0[8] == 1 && (ip4 && !tcp)",
          "reg8[16] = 1; next;", "strange stateful [] acl-match 26 tcp",
          true },
        { DROP("!(udp)"), "strange stateful [] acl-match 20 udp", true },
    };
#undef DROP

    check(rows, ARRAY_SIZE(rows));
}

/* Flows that are there whatever the ACLs. */
static void
test_fixed(void **state OVS_UNUSED)
{
    static const struct row rows[] = {
        { SB_ACL_EVAL, 0, "1", "next;", "neutral" },
        { SB_ACL_EVAL, 0, "1", "drop;", "neutral" },
        { SB_ACL_EVAL, 1, "ip && !ct.est", "reg0[1] = 1; next;",
          "neutral stateful" },
        { SB_ACL_EVAL, 1, "ip && ct.est && ct_mark.blocked == 1",
          "reg0[1] = 1; reg8[16] = 1; next;", "neutral stateful" },
        { SB_ACL_EVAL, 65532, "!ct.est && ct.rel && !ct.new && !ct.inv && "
          "ct_mark.blocked == 0", "reg8[16] = 1; ct_commit_nat;",
          "neutral stateful" },
        { SB_ACL_EVAL, 65532, "ct.est && !ct.rel && !ct.new && !ct.inv && "
          "ct.rpl && ct_label.blocked == 0", "next;", "neutral stateful" },
        { SB_ACL_EVAL, 65532, "ct.est && !ct.rel && ct.rpl && "
          "ct_mark.blocked == 0",
          "reg8[21] = ct_label.nf; reg8[16] = 1; next;", "neutral stateful" },
        { SB_ACL_EVAL, 65532, "ct.est && ct_mark.allow_established == 1",
          "reg8[21] = ct_label.nf; reg8[16] = 1; next;", "neutral stateful" },
        { SB_ACL_EVAL, 65535, "ct.inv || (ct.est && ct.rpl && "
          "ct_label.blocked == 1)", "drop;", "neutral stateful" },
        { SB_ACL_EVAL, 65532, "(ct.est && ct.rpl && ct_mark.blocked == 1)",
          "reg8[17] = 1; next;", "neutral stateful" },
        { SB_ACL_EVAL, 65532, "nd || nd_ra || nd_rs || mldv1 || mldv2",
          "reg8[16] = 1; next;", "neutral" },
        { SB_ACL_EVAL, 65535, "nd", "next;", "neutral" },
        { SB_ACL_EVAL, 65533, "ct.est && !ct.rel && !ct.new && !ct.inv && "
          "ct.rpl && ct_mark.blocked == 0 && ct_label.label == 7",
          "log(severity=info, verdict=allow); reg8[16] = 1; next;",
          "neutral stateful" },
        { SB_ACL_EVAL, 34000, "eth.src == $svc_monitor_mac",
          "reg8[16] = 1; next;", "neutral" },
        { SB_ACL_EVAL, 34000, "eth.src == fa:16:3e:00:00:01", "next;",
          "neutral" },
        { SB_ACL_EVAL, 34000, "flags.from_ctrl && udp.src == 53",
          "reg8[16] = 1; ct_commit; next;", "neutral stateful" },
        /* These allow what somebody else may send too. */
        { SB_ACL_EVAL, 34000, "udp.src == 53", "ct_commit; next;",
          "rule stateful [] 0 33000 allow built-in udp.src == 53" },
        { SB_ACL_EVAL, 34000, "outport == \"p\" && eth.src == "
          "fa:16:3e:00:00:01 && ip4.src == 10.0.0.1 && udp && udp.src == 67 "
          "&& udp.dst == 68", "reg8[16] = 1; next;",
          "rule [p] 0 33000 allow built-in "
          "udp && udp.src == 67 && udp.dst == 68" },
        { SB_ACL_EVAL, 65535, "1", "next;",
          "rule [] 0 64535 allow built-in 1" },
    };

    check(rows, ARRAY_SIZE(rows));
}

/* What is like a flow of northd, and is none. */
static void
test_strange(void **state OVS_UNUSED)
{
    static const struct row rows[] = {
        /* Neutral only with the other action, or another value. */
        { SB_ACL_EVAL, 65532, "ct.inv", "next;",
          "strange stateful [] acl-match 1 ct.inv" },
        { SB_ACL_EVAL, 65532, "ct.est && ct_mark.allow_established == 0",
          "next;", "strange stateful [] acl-match 1 ct.est" },
        { SB_ACL_EVAL, 65532, "ct.est && !ct.rpl", "reg8[16] = 1; next;",
          "strange stateful [] acl-match 1 ct.est" },
        { SB_ACL_EVAL, 65532, "ct.rpl || tcp", "reg8[16] = 1; next;",
          "strange stateful [] acl-match 1 ct.rpl" },
        { SB_ACL_EVAL, 34001, "eth.src == fa:16:3e:00:00:01 && ip.ttl == 4",
          "next;", "strange [] acl-match 33 ip.ttl" },
        { SB_ACL_EVAL, 40000, "outport == \"p\"", "xxreg1[0] = 1; next;",
          "strange [] acl-actions 0 xxreg1[0] = 1" },
        { SB_ACL_EVAL, 40000, "outport == \"p\"", "output;",
          "strange [p] acl-actions 0 output" },
        { SB_ACL_EVAL, 40000, "ip", "reg8[17] = 1; next;",
          "strange [] acl-actions 0 reg8[17] = 1; next;" },
        /* Actions. */
        { SB_ACL_EVAL, 2002, "reg0[7] == 1 && (" SSH ")",
          "reg8[16] = 1; reg9[0] = 1; next;",
          "strange stateful [] acl-actions 0 reg9[0] = 1" },
        { SB_ACL_EVAL, 2002, "reg0[7] == 1 && (" SSH ")",
          "reg8[16] = 1; ct_keep(1); next;",
          "strange stateful [] acl-actions 0 ct_keep(1)" },
        { SB_ACL_EVAL, 2002, "reg0[7] == 1 && (" SSH ")", "output;",
          "strange stateful [@pg] acl-actions 0 output" },
        { SB_ACL_EVAL, 2002, "reg0[7] == 1 && (" SSH ")",
          "reg8[17] = 1; next;",
          "strange stateful [@pg] acl-actions 0 reg8[17] = 1; next;" },
        { SB_ACL_EVAL, 2002, "reg0[8] == 1 && (" SSH ")", "/* drop */",
          "strange stateful [@pg] acl-actions 0 /* drop */" },
        { SB_ACL_EVAL, 2000, "reg0[9] == 1 && (" ALL ")", "next;",
          "strange stateful [@neutron_pg_drop] acl-actions 0 next;" },
        { SB_ACL_EVAL, 2000, "reg0[10] == 1 && (" ALL ")", "next;",
          "strange stateful [@neutron_pg_drop] acl-actions 0 next;" },
        { SB_ACL_EVAL, 2000, "reg0[10] == 1 && (" ALL ")",
          "reg8[16] = 1; reg8[17] = 1; next;",
          "strange stateful [@neutron_pg_drop] acl-actions 0 "
          "reg8[16] = 1; reg8[17] = 1; next;" },
        /* Connections that outlive their ACL: whoever the port. */
        { SB_ACL_EVAL, 2002, "reg0[7] == 1 && (" SSH ")",
          "reg8[16] = 1; reg2[16..31] = 5; reg0[20] = 1; next;",
          "strange stateful [] acl-actions 0 "
          "reg8[16] = 1; reg2[16..31] = 5; reg0[20] = 1; next;" },
        /* Matches, with the column in the flow's. */
        { SB_ACL_EVAL, 2002, "reg0[7] == 1 && (outport == @pg && ip.ttl == 1)",
          "next;", "strange stateful [@pg] acl-match 36 ip.ttl" },
        { SB_ACL_EVAL, 2002, "reg8[30..31] == 1 && reg0[7] == 1 && "
          "(outport == @pg && !tcp)", "next;",
          "strange stateful [@pg] acl-match 58 tcp" },
        { SB_ACL_EVAL, 2002, "reg0[7] == 1 && (outport == @pg && (tcp || ))",
          "next;", "strange stateful [] acl-match 44 )" },
        { SB_ACL_EVAL, 2002, "reg0[7] == 1 && (outport == @pg) || (tcp)",
          "next;", "strange stateful [] acl-match 32 )" },
        { SB_ACL_EVAL, 2002, "reg8[30..31] == 4 && (outport == @pg)",
          "next;", "strange [@pg] acl-match 1 reg8[30..31]" },
        { SB_ACL_EVAL, 2002, "inport == \"p\" && outport == \"q\"",
          "next;", "strange [q] acl-match 1 inport" },
        { SB_ACL_EVAL, 2002, "", "next;", "strange [] acl-match 1 " },
        /* A drop for several groups, one of which may not exist. */
        { SB_ACL_EVAL, 2002, "outport == {@a, @b}", "/* drop */",
          "strange [@a @b] acl-match 13 @a" },
        { SB_ACL_EVAL, 2002, "outport == {@a, @b}", "next;",
          "rule [@a @b] 0 1002 allow-stateless 1" },
        { SB_ACL_EVAL, 2002, "outport == {\"a\", \"b\"}", "/* drop */",
          "rule [a b] 0 1002 drop 1" },
    };

    check(rows, ARRAY_SIZE(rows));
}

/* Both rows of an ACL are one rule. */
static void
test_twins(void **state OVS_UNUSED)
{
    struct sb_acl_flow a = { .stage = SB_ACL_EVAL, .priority = 2002,
                             .match = "reg0[7] == 1 && (" SSH ")",
                             .actions = "reg8[16] = 1; reg0[1] = 1; next;" };
    struct sb_acl_flow b = { .stage = SB_ACL_EVAL, .priority = 2002,
                             .match = "reg0[8] == 1 && (" SSH ")",
                             .actions = "reg8[16] = 1; next;" };
    struct acl_flow flow_a, flow_b;

    acl_flow_parse(&a, &flow_a);
    acl_flow_parse(&b, &flow_b);
    assert_int_equal(acl_rule_compare(flow_a.rule, flow_b.rule), 0);
    acl_flow_destroy(&flow_a);
    acl_flow_destroy(&flow_b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pre),
        cmocka_unit_test(test_2003),
        cmocka_unit_test(test_2009),
        cmocka_unit_test(test_2306),
        cmocka_unit_test(test_translated),
        cmocka_unit_test(test_fixed),
        cmocka_unit_test(test_strange),
        cmocka_unit_test(test_twins),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
