/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of plugin/acl-entry.c and plugin/acl-snat.c, with flows as each
 * release writes them. */

#include <config.h>

#include "plugin/acl-entry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "idl/sb-acl.h"
#include "plugin/acl-snat.h"
#include "tests/plugin/acl-words.h"
#include "util.h"

/* A flow, and what is said of it. */
struct row {
    enum sb_acl_stage stage;    /* Stage. */
    int priority;               /* Priority. */
    const char *match;          /* Match. */
    const char *actions;        /* Actions. */
    const char *text;           /* Expectation. */
};

/* Returns what acl_entry_parse() says of 'sb', in words. */
static char *
entry_to_text(const struct sb_acl_flow *sb)
{
    struct acl_entry entry;

    acl_entry_parse(sb, &entry);
    char *text = acl_entry_to_text(&entry);
    acl_entry_destroy(&entry);
    return text;
}

/* Returns what acl_snat_parse() says of 'sb', in words. */
static char *
snat_to_text(const struct sb_acl_flow *sb)
{
    struct acl_snat snat;
    struct acl_nat nat;

    acl_snat_parse(sb, &snat, &nat);
    char *text = acl_snat_to_text(&snat, &nat);
    acl_snat_destroy(&snat);
    acl_nat_destroy(&nat);
    return text;
}

/* Checks what 'to_text' says of the 'n' 'rows'. */
static void
check(char *(*to_text)(const struct sb_acl_flow *), const struct row *rows,
      size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct sb_acl_flow sb = { .stage = rows[i].stage,
                                  .priority = rows[i].priority,
                                  .match = (char *) rows[i].match,
                                  .actions = (char *) rows[i].actions };
        char *text = to_text(&sb);

        if (strcmp(text, rows[i].text)) {
            fail_msg("%d %s -> %s\n is  %s\n not %s", sb.priority, sb.match,
                     sb.actions, text, rows[i].text);
        }
        free(text);
    }
}

/* ACLs of packets that come in, and of those that go to a router. */
static void
test_acls(void **state OVS_UNUSED)
{
#define FROM SB_ACL_FROM
#define REJECT "reg0 = 0; reject { /* eth.dst <-> eth.src; ip.dst <-> " \
               "ip.src; is implicit. */ outport <-> inport; " \
               "next(pipeline=egress,table=5); };"
#define DROP "log(severity=info, verdict=drop); sample(probability=65535," \
             "collector_set=3,obs_domain=2,obs_point=$cookie); /* drop */"
#define LOG "log(name=\"a\", verdict=allow, severity=info); "
    static const struct row rows[] = {
        { FROM, 2002, "reg0[7] == 1 && (inport == @pg && ip4)",
          "reg8[16] = 1; reg0[1] = 1; next;", "nothing" },
        { FROM, 2002, "reg0[8] == 1 && (ip4)", "next;", "nothing" },
        { FROM, 2000, "reg0[9] == 1 && (ip)", "/* drop */", "nothing" },
        { FROM, 2000, "reg0[10] == 1 && (ip)",
          "ct_commit { ct_mark.blocked = 1; }; /* drop */", "nothing" },
        { FROM, 2000, "reg8[30..31] == 0 && (ip)", "next;", "nothing" },
        /* They do more: rejections of 20.03, 23.03 and since 23.06. */
        { FROM, 2010, "((!ct.trk || !ct.est || (ct.est && ct_label.blocked =="
          " 1))) && ip4 && tcp && (tcp.dst == 23)",
          "reg0 = 0; eth.dst <-> eth.src; tcp_reset { outport <-> inport; };",
          "acl-actions in: reg0 = 0; eth.dst <-> eth.src; tcp_reset { outport "
          "<-> inport; };" },
        { FROM, 2500, "(reg0[9] == 1) && tcp.dst == 23", REJECT,
          "acl-actions in: " REJECT },
        { FROM, 2400, "reg0[9] == 1 && (inport == \"ln\" && udp)", DROP,
          "acl-actions in ln: " DROP },
        { FROM, 2500, "reg0[9] == 1 && (tcp.dst == 23)",
          "reg8[18] = 1; next;", "acl-actions in: reg8[18] = 1; next;" },
        { FROM, 2500, "reg0[7] == 1 && (inport == @pg && ip4)",
          LOG "reg8[16] = 1; next;",
          "acl-actions in @pg: " LOG "reg8[16] = 1; next;" },
        { FROM, 2500, "(inport == @pg && ip4)",
          "reg8[16] = 1; reg8[21] = 1; reg8[22] = 1; next;",
          "acl-actions in @pg: reg8[21] = 1" },
        { FROM, 2500, "reg0[9] == 1 && (ip)",
          "sample(probability=65535,collector_set=1); /* drop */",
          "acl-actions in: sample(probability=65535,collector_set=1); "
          "/* drop */" },
        /* Of which ports. */
        { FROM, 2500, "reg0[9] == 1 && (inport == {\"b\", \"a\"} && tcp)",
          "reg8[18] = 1; next;", "acl-actions in a b: reg8[18] = 1; next;" },
        { FROM, 2500, "reg0[9] == 1 && ((inport == \"b\" || inport == @a))",
          "reg8[18] = 1; next;", "acl-actions in @a b: reg8[18] = 1; next;" },
        { FROM, 2500, "inport == \"b\"", "reg8[18] = 1; next;",
          "acl-actions in b: reg8[18] = 1; next;" },
        { FROM, 2500, "reg0[9] == 1 && (inport == \"b\" || tcp)",
          "reg8[18] = 1; next;", "acl-actions in: reg8[18] = 1; next;" },
        { FROM, 2500, "reg0[9] == 1 && (inport != \"b\")",
          "reg8[18] = 1; next;", "acl-actions in: reg8[18] = 1; next;" },
        { FROM, 2500, "reg0[9] == 1 && (outport == \"b\")",
          "reg8[18] = 1; next;", "acl-actions in: reg8[18] = 1; next;" },
        { FROM, 2500, "reg0[9] == 1 && (inport == \"\")",
          "reg8[18] = 1; next;", "acl-actions in: reg8[18] = 1; next;" },
        { FROM, 2500, "reg0[9] == 1 && (inport == \"@b\")",
          "reg8[18] = 1; next;", "acl-actions in: reg8[18] = 1; next;" },
        { FROM, 2500, "reg0[9] == 1 && (inport == {\"a\", \"\"})",
          "reg8[18] = 1; next;", "acl-actions in: reg8[18] = 1; next;" },
        { FROM, 2500, "inport == \"b\" &&", "reg8[18] = 1; next;",
          "acl-actions in: reg8[18] = 1; next;" },
        /* Not ACLs. */
        { FROM, 999, "1", "reg8[18] = 1; next;", "nothing" },
        { FROM, 65533, "ct.est && ct.rpl && ct_label.label == 1",
          LOG "reg8[16] = 1; next;", "nothing" },
        { SB_ACL_EVAL, 2500, "reg0[9] == 1 && (outport == @r && tcp)",
          "reg8[18] = 1; next;", "acl-actions out @r: reg8[18] = 1; next;" },
        { SB_ACL_EVAL, 2500, "reg0[9] == 1 && (inport == @r && tcp)",
          "reg8[18] = 1; next;", "acl-actions out: reg8[18] = 1; next;" },
        { SB_ACL_EVAL, 2500, "reg0[9] == 1 && (outport == @r && tcp)",
          "reg8[17] = 1; next;", "nothing" },
    };

    check(entry_to_text, rows, ARRAY_SIZE(rows));
}

/* Mirrors, and samples of what is dropped. */
static void
test_others(void **state OVS_UNUSED)
{
    static const struct row rows[] = {
        { SB_ACL_MIRROR_IN, 0, "1", "next;", "nothing" },
        { SB_ACL_MIRROR_IN, 100, "inport == \"ln\"", "mirror(\"s\"); next;",
          "acl-port in ln: mirror(\"s\"); next;" },
        { SB_ACL_MIRROR_OUT, 200, "outport == \"rp\" && (ip4)",
          "mirror(\"s\"); next;", "acl-port out rp: mirror(\"s\"); next;" },
        { SB_ACL_MIRROR_IN, 200, "outport == \"rp\" && (ip4)",
          "mirror(\"s\"); next;", "acl-port in: mirror(\"s\"); next;" },
        { SB_ACL_ACTION, 1000, "reg8[17] == 1",
          "reg8[17] = 0; sample(probability=65535,obs_point=1); /* drop */",
          "acl-actions in: sample(probability=65535,obs_point=1)" },
        { SB_ACL_ACTION, 1000, "reg8[17] == 1", "reg8[17] = 0; /* drop */",
          "nothing" },
    };

    check(entry_to_text, rows, ARRAY_SIZE(rows));
}

/* lr_out_snat. */
static void
test_snat(void **state OVS_UNUSED)
{
#define SNAT SB_ACL_ROUTER_SNAT
#define OUT " && outport == \"lrp-G\" && is_chassis_resident(\"cr-lrp-G\")"
#define NEW " && (!ct.trk || !ct.rpl)"
    static const struct row rows[] = {
        { SNAT, 0, "1", "next;", "nothing, none" },
        { SNAT, 120, "nd_ns", "next;", "nothing, none" },
        { SNAT, 120, "flags.skip_snat_for_lb == 1 && ip", "next;",
          "nothing, none" },
        { SNAT, 153, "ip && ip4.src == 10.1.0.0/24" OUT NEW,
          "ct_snat(172.24.100.1);", "ip4 by lrp-G, other 172.24.100.1" },
        { SNAT, 154, "ip && ip4.src == 10.1.0.0/24" OUT " && reg9[4] == 1",
          "reg9[4] = 0; ct_snat(172.24.100.1,1-3000);",
          "ip4 by lrp-G, other 172.24.100.1" },
        { SNAT, 161, "ip && ip4.src == 10.1.0.3" OUT,
          "eth.src = fa:16:3e:00:00:03; ct_snat_in_czone(172.24.100.112);",
          "ip4 by lrp-G, plain 172.24.100.112 10.1.0.3" },
        { SNAT, 161, "ip && ip4.src == 10.1.0.3" OUT,
          "ip4.src=172.24.100.112; next;",
          "ip4 by lrp-G, plain 172.24.100.112 10.1.0.3" },
        { SNAT, 161, "ip && ip6.src == fd00::3" OUT,
          "ct_snat(2001:db8::9);", "ip6 by lrp-G, plain 2001:db8::9 fd00::3" },
        { SNAT, 155, "ip && ip4.src == 10.1.0.0/24" OUT
          " && ip4.dst == $exempted", "next;", "nothing, none" },
        /* Gateway routers. */
        { SNAT, 25, "ip && ip4.src == 10.1.0.0/24" NEW,
          "ct_snat(172.24.100.1);", "ip4, other 172.24.100.1" },
        { SNAT, 33, "ip && ip4.src == 10.1.0.3", "ct_snat(172.24.100.112);",
          "ip4, plain 172.24.100.112 10.1.0.3" },
        { SNAT, 100, "flags.force_snat_for_lb == 1 && ip4",
          "ct_snat(172.24.100.1);", "nothing, other 172.24.100.1" },
        { SNAT, 110, "flags.force_snat_for_lb == 1 && ip4 && "
          "outport == \"lrp-in\"", "ct_snat(10.1.0.1);",
          "nothing by lrp-in, other 10.1.0.1" },
        { SNAT, 100, "flags.force_snat_for_dnat == 1 && ip4",
          "ct_snat(172.24.100.1);", "nothing, other 172.24.100.1" },
        { SNAT, 100, "flags.force_snat_for_lb == 0",
          "ct_snat(172.24.100.1);", "ip, other 172.24.100.1" },
        /* Not understood. */
        { SNAT, 100, "ip && outport == {\"a\", \"b\"}",
          "ct_snat(172.24.100.1);", "ip, other 172.24.100.1" },
        { SNAT, 100, "outport == \"a\" || ip4", "ct_snat(172.24.100.1);",
          "ip, other 172.24.100.1" },
        { SNAT, 100, "ip && outport ==", "ct_snat(172.24.100.1);",
          "ip, other 172.24.100.1" },
        { SNAT, 100, "ip && ip4.src == {10.1.0.3, 10.1.0.4}",
          "ct_snat(172.24.100.1);", "ip, other 172.24.100.1" },
        { SNAT, 100, "ip4", "frobnicate; next;", "ip, none" },
        { SNAT, 100, "ip4", "ct_snat(random);", "ip, none" },
    };

    check(snat_to_text, rows, ARRAY_SIZE(rows));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_acls),
        cmocka_unit_test(test_others),
        cmocka_unit_test(test_snat),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
