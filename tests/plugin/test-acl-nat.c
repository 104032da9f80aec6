/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of plugin/acl-nat.c, with flows as each release writes them. */

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

/* A flow, and what acl_nat_to_text() says of it. */
struct row {
    int priority;               /* Priority. */
    const char *match;          /* Match. */
    const char *actions;        /* Actions. */
    const char *text;           /* Expectation. */
};

/* The match of a floating IP. */
#define FIP "ip && ip4.dst == 172.24.100.112 && inport == \"lrp-G\""
#define RESIDENT " && is_chassis_resident(\"cr-lrp-G\")"

/* Checks the 'n' 'rows', all of 'stage'. */
static void
check(enum sb_acl_stage stage, const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct sb_acl_flow sb = { .stage = stage,
                                  .priority = rows[i].priority,
                                  .match = (char *) rows[i].match,
                                  .actions = (char *) rows[i].actions };
        struct acl_nat nat;

        acl_nat_parse(&sb, &nat);

        char *text = acl_nat_to_text(&nat);
        if (strcmp(text, rows[i].text)) {
            fail_msg("%d %s -> %s\n is  %s\n not %s", sb.priority, sb.match,
                     sb.actions, text, rows[i].text);
        }
        free(text);
        acl_nat_destroy(&nat);
    }
}

/* lr_in_dnat: NAT rules. */
static void
test_nat(void **state OVS_UNUSED)
{
    static const struct row rows[] = {
        { 0, "1", "next;", "none" },
        { 100, FIP, "ct_dnat(10.1.0.3);", "plain 172.24.100.112 10.1.0.3" },
        { 100, FIP RESIDENT, "ct_dnat_in_czone(10.1.0.3);",
          "plain 172.24.100.112 10.1.0.3" },
        { 100, FIP, "ip4.dst=10.1.0.3; next;",
          "plain 172.24.100.112 10.1.0.3" },
        { 100, "ip && ip6.dst == 2001:db8::9 && inport == \"lrp-G\"",
          "ip6.dst=fd00::3; next;", "plain 2001:db8::9 fd00::3" },
        { 100, "ip && ip6.dst == 2001:db8::9", "flags.loopback = 1; "
          "ct_dnat(fd00::3);", "plain 2001:db8::9 fd00::3" },
        /* Gateway routers that translate the source too. */
        { 100, "ip && ip4.dst == 172.24.100.112",
          "flags.force_snat_for_dnat = 1; flags.loopback = 1; "
          "ct_dnat(10.1.0.3);", "other 172.24.100.112" },
        { 100, "ip && ip4.dst == 172.24.100.112",
          "flags.force_snat_for_lb = 1; ct_dnat(10.1.0.3);",
          "other 172.24.100.112" },
        /* Some packets only. */
        { 100, "ip && ip4.dst == 172.24.100.112 && inport == {\"a\", \"b\"}",
          "ct_dnat(10.1.0.3);", "other 172.24.100.112" },
        { 100, FIP " && inport == \"b\"", "ct_dnat(10.1.0.3);",
          "other 172.24.100.112" },
        { 100, FIP, "ct_dnat(10.1.0.3,1-3000);", "other 172.24.100.112" },
        { 100, FIP " && ip4.src == $allowed", "ct_dnat(10.1.0.3);",
          "other 172.24.100.112" },
        { 102, FIP " && ip4.src == $exempted", "next;",
          "other 172.24.100.112" },
        { 400, FIP " && (tcp.dst == 80)", "ct_dnat(10.1.0.3);",
          "other 172.24.100.112" },
        { 400, FIP " && (tcp || udp)", "ct_dnat(10.1.0.3);",
          "other 172.24.100.112" },
        { 400, FIP " && (ip4)", "ct_dnat(10.1.0.3);",
          "plain 172.24.100.112 10.1.0.3" },
        /* Two destinations. */
        { 100, FIP " && reg0 == 172.24.100.1", "ct_dnat(10.1.0.3);",
          "other 172.24.100.1" },
        /* Not one address. */
        { 100, "ip && ip4.dst == 172.24.100.0/24", "ct_dnat(10.1.0.3);",
          "any" },
        { 100, "ip && ip4.dst == {172.24.100.1, 172.24.100.2}",
          "ct_dnat(10.1.0.3);", "any" },
        { 100, "ip && ip4.dst != 172.24.100.1", "ct_dnat(10.1.0.3);", "any" },
        { 100, "ip && ip4.dst == 172.24.100.1 &&", "ct_dnat(10.1.0.3);",
          "any" },
        { 100, "ip && inport == \"lrp-G\"", "next;", "any" },
        /* Others there. */
        { 50, "ip", "flags.loopback = 1; ct_dnat;", "none" },
        { 10, "ip && ct.new", "ct_commit_to_zone(dnat);", "none" },
        { 50, "ct.rel && !ct.est && !ct.new", "ct_commit_nat;", "none" },
        { 70, "ct.est && !ct.rel && !ct.new && ct_mark.natted && "
          "ct_mark.force_snat == 1", "flags.force_snat_for_lb = 1; next;",
          "none" },
        { 10, "ip && inport == \"lrp-G\"", "output;", "any" },
        { 100, FIP, "drop;", "other 172.24.100.112" },
    };

    check(SB_ACL_ROUTER_DNAT, rows, ARRAY_SIZE(rows));
}

/* lr_in_dnat and switches: load balancers. */
static void
test_lb(void **state OVS_UNUSED)
{
    static const struct row router[] = {
        { 120, "ct.new && !ct.rel && ip4 && ip4.dst == 172.24.100.200 && tcp "
          "&& tcp.dst == 80" RESIDENT, "ct_lb_mark(backends=10.1.0.3:80);",
          "other 172.24.100.200" },
        { 110, "ct.new && ip && ip4.dst == 172.24.100.200",
          "flags.force_snat_for_lb = 1; ct_lb(backends=10.1.0.3);",
          "other 172.24.100.200" },
        { 120, "ct.new && ip4 && reg0 == 172.24.100.200 && tcp && "
          "reg9[16..31] == 80", "ct_lb(backends=10.1.0.3:80);",
          "other 172.24.100.200" },
        { 120, "ct.est && ip4 && reg0 == 172.24.100.200 && tcp && "
          "reg9[16..31] == 80 && ct_label.natted == 1", "next;", "none" },
        { 120, "ip4 && ip4.dst == 172.24.100.200 && tcp && tcp.dst == 80",
          "ip4.dst = 10.1.0.3; tcp.dst = 80; next;",
          "other 172.24.100.200" },
        { 130, "ip4.dst == 172.24.100.200 && tcp",
          "trigger_event(event = \"empty_lb_backends\", vip = \"x\");",
          "other 172.24.100.200" },
    };
    static const struct row on_switch[] = {
        { 110, "reg0[2] == 1", "ct_lb_mark;", "none" },
        { 110, "reg0[2] == 1", "ct_lb;", "none" },
        { 115, "reg0[2] == 1 && ip.is_frag", "reg0[19] = 1; ct_lb_mark;",
          "none" },
        { 120, "reg0[2] == 1 && ip4.dst == 172.24.100.200 && tcp.dst == 80",
          "reg1 = 172.24.100.200; reg2[0..15] = 80; ct_lb_mark;", "none" },
        { 120, "ct.new && ip4.dst == 172.24.100.200 && tcp.dst == 80",
          "reg0[1] = 0; ct_lb_mark(backends=10.1.0.3:80);",
          "other 172.24.100.200" },
        { 110, "ct.new && ip6.dst == fd00::5", "ct_lb(backends=fd00::6);",
          "other fd00::5" },
        { 110, "ct.new && tcp", "ct_lb(backends=fd00::6);", "any" },
    };

    check(SB_ACL_ROUTER_DNAT, router, ARRAY_SIZE(router));
    check(SB_ACL_SWITCH_LB, on_switch, ARRAY_SIZE(on_switch));
}

/* lr_in_policy. */
static void
test_policy(void **state OVS_UNUSED)
{
    static const struct row rows[] = {
        { 0, "1", "reg8[0..15] = 0; next;", "none" },
        { 10, "ip4.src == 10.0.0.0/24", "reg8[0..15] = 0; next;", "none" },
        { 10, "ip4.src == 10.0.0.0/24",
          "pkt.mark = 7; reg8[0..15] = 0; next;", "none" },
        { 10, "ip4.src == 10.0.0.0/24", "reg0 = 1.2.3.4; reg1 = 1.2.3.5; "
          "eth.src = fa:16:3e:00:00:01; outport = \"lrp-B\"; "
          "flags.loopback = 1; reg8[0..15] = 0; next;", "any" },
        { 10, "ip4.dst == 10.0.0.3", "drop;", "other 10.0.0.3" },
        { 10, "ip4.dst == 10.0.0.0/24", "drop;", "any" },
        { 10, "tcp.dst == 80", "/* drop */", "any" },
    };

    check(SB_ACL_ROUTER_POLICY, rows, ARRAY_SIZE(rows));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nat),
        cmocka_unit_test(test_lb),
        cmocka_unit_test(test_policy),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
