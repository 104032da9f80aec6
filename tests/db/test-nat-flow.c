/* SPDX-License-Identifier: Apache-2.0 */
/* Tests idl/nat-flow.c with logical flows as ovn-northd of each release
 * prints them: read from its source, or from its databases. */
#include <config.h>

#include "idl/nat-flow.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "openvswitch/dynamic-string.h"
#include "packets.h"
#include "util.h"

#define ARP "lr_in_ip_input"
#define DNAT "lr_in_dnat"

/* What follows the MAC in answers, old and new. */
#define ARP_TAIL " arp.op = 2; /* ARP reply */ arp.tha = arp.sha;" \
                 " arp.sha = xreg0[0..47]; arp.tpa <-> arp.spa;" \
                 " outport = inport; flags.loopback = 1; output;"
#define ND_TAIL " ip6.src = nd.target; nd.tll = xreg0[0..47];" \
                " outport = inport; flags.loopback = 1; output; };"

/* A flow, and what there is to understand. */
struct vector {
    const char *stage;          /* Name of its stage. */
    const char *match;          /* Its match. */
    const char *actions;        /* Its actions. */
    const char *expected;       /* format_flow(), "" for nothing. */
};

/* Returns what 'v' is understood as: kind, address, and whatever is known of
 * port, residence and MAC.  The caller frees it. */
static char *
format_flow(const struct vector *v)
{
    struct ds ds = DS_EMPTY_INITIALIZER;
    struct nat_flow flow;

    if (nat_flow_parse(v->stage, v->match, v->actions, &flow)) {
        ds_put_cstr(&ds, flow.kind == NAT_FACT_LB ? "lb " : "nat ");
        ipv6_format_mapped(&flow.ip, &ds);
        if (flow.inport) {
            ds_put_format(&ds, " at %s", flow.inport);
        }
        if (flow.resident) {
            ds_put_format(&ds, " where %s", flow.resident);
        }
        if (flow.has_mac) {
            ds_put_format(&ds, " "ETH_ADDR_FMT, ETH_ADDR_ARGS(flow.mac));
        }
        nat_flow_destroy(&flow);
    }
    return ds_steal_cstr(&ds);
}

/* Fails the test unless each of the 'n' elements of 'vectors' is understood as
 * it should be. */
static void
check(const struct vector vectors[], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char *text = format_flow(&vectors[i]);

        if (strcmp(text, vectors[i].expected)) {
            print_error("vector %"PRIuSIZE": %s\n", i, vectors[i].match);
        }
        assert_string_equal(text, vectors[i].expected);
        free(text);
    }
}

/* Answers of NAT addresses. */
static void
test_nat(void **statep OVS_UNUSED)
{
    static const struct vector vectors[] = {
        /* 20.12 and later: distributed, centralised, gateway router. */
        { ARP, "inport == \"lrp-G\" && arp.op == 1 && arp.tpa == 172.24.0.112"
          " && is_chassis_resident(\"vm 1\")",
          "eth.dst = eth.src; eth.src = fa:16:3e:aa:00:03;" ARP_TAIL,
          "nat 172.24.0.112 at lrp-G where vm 1 fa:16:3e:aa:00:03" },
        { ARP, "inport == \"lrp-G\" && arp.op == 1 && arp.tpa == 172.24.0.113"
          " && is_chassis_resident(\"cr-lrp-G\")",
          "eth.dst = eth.src; eth.src = xreg0[0..47];" ARP_TAIL,
          "nat 172.24.0.113 at lrp-G where cr-lrp-G" },
        { ARP, "arp.op == 1 && arp.tpa == 172.24.0.241",
          "eth.dst = eth.src; eth.src = xreg0[0..47]; arp.op = 2;"
          " /* ARP reply */ arp.tha = arp.sha; arp.sha = xreg0[0..47];"
          " arp.tpa = arp.spa; arp.spa = 172.24.0.241; outport = inport;"
          " flags.loopback = 1; output;",
          "nat 172.24.0.241" },
        { ARP, "inport == \"lrp-G\""
          " && ip6.dst == {2001:db8::9, ff02::1:ff00:9}"
          " && nd_ns && nd.target == 2001:db8::9"
          " && is_chassis_resident(\"vm\")",
          "nd_na { eth.src = fa:16:3e:aa:00:03;" ND_TAIL,
          "nat 2001:db8::9 at lrp-G where vm fa:16:3e:aa:00:03" },
        { ARP, "inport == \"lrp-G\""
          " && ip6.dst == {2001:db8::9, ff02::1:ff00:9}"
          " && nd_ns && nd.target == 2001:db8::9"
          " && is_chassis_resident(\"cr-lrp-G\")",
          "nd_na { eth.src = xreg0[0..47]; ip6.src = 2001:db8::9;"
          " nd.target = 2001:db8::9; nd.tll = xreg0[0..47];"
          " outport = inport; flags.loopback = 1; output; };",
          "nat 2001:db8::9 at lrp-G where cr-lrp-G" },
        { ARP, "ip6.dst == {2001:db8::9, ff02::1:ff00:9} && nd_ns"
          " && nd.target == 2001:db8::9",
          "nd_na { eth.src = xreg0[0..47];" ND_TAIL, "nat 2001:db8::9" },

        /* 20.03 and 20.06. */
        { ARP, "inport == \"lrp-G\" && arp.tpa == 172.24.0.112 && arp.op == 1"
          " && is_chassis_resident(\"vm\")",
          "eth.dst = eth.src; arp.op = 2; /* ARP reply */"
          " arp.tha = arp.sha; eth.src = fa:16:3e:aa:00:03;"
          " arp.sha = fa:16:3e:aa:00:03; arp.tpa = arp.spa;"
          " arp.spa = 172.24.0.112; outport = \"lrp-G\";"
          " flags.loopback = 1; output;",
          "nat 172.24.0.112 at lrp-G where vm fa:16:3e:aa:00:03" },
        { ARP, "inport == \"lrp-G\" && arp.tpa == 172.24.0.113 && arp.op == 1"
          " && is_chassis_resident(\"cr-lrp-G\")",
          "eth.dst = eth.src; arp.op = 2; /* ARP reply */"
          " arp.tha = arp.sha; eth.src = fa:16:3e:77:7f:9c;"
          " arp.sha = fa:16:3e:77:7f:9c; arp.tpa = arp.spa;"
          " arp.spa = 172.24.0.113; outport = \"lrp-G\";"
          " flags.loopback = 1; output;",
          "nat 172.24.0.113 at lrp-G where cr-lrp-G fa:16:3e:77:7f:9c" },
        { ARP, "inport == \"lrp-I\" && arp.tpa == 172.24.0.113 && arp.op == 1",
          "eth.dst = eth.src; arp.op = 2; /* ARP reply */"
          " arp.tha = arp.sha; eth.src = fa:16:3e:00:00:01;"
          " arp.sha = fa:16:3e:00:00:01; arp.tpa = arp.spa;"
          " arp.spa = 172.24.0.113; outport = \"lrp-I\";"
          " flags.loopback = 1; output;",
          "nat 172.24.0.113 at lrp-I fa:16:3e:00:00:01" },
        { ARP, "inport == \"lrp-G\" && nd_ns"
          " && ip6.dst == {2001:db8::9, ff02::1:ff00:9}"
          " && nd.target == 2001:db8::9 && is_chassis_resident(\"vm\")",
          "eth.dst = eth.src; nd_na { eth.src = fa:16:3e:aa:00:03;"
          " nd.tll = fa:16:3e:aa:00:03; ip6.src = 2001:db8::9;"
          " nd.target = 2001:db8::9; outport = \"lrp-G\";"
          " flags.loopback = 1; output; };",
          "nat 2001:db8::9 at lrp-G where vm fa:16:3e:aa:00:03" },
    };

    check(vectors, ARRAY_SIZE(vectors));
}

/* New connections to VIPs. */
static void
test_vips(void **statep OVS_UNUSED)
{
    static const struct vector vectors[] = {
        /* 20.03 to 21.06; the actions do not matter. */
        { DNAT, "ct.new && ip && ip4.dst == 172.24.0.200 && tcp"
          " && tcp.dst == 80 && is_chassis_resident(\"cr-lrp-G\")",
          "ct_lb(10.1.0.3:80,10.1.0.4:80);",
          "lb 172.24.0.200 where cr-lrp-G" },
        { DNAT, "ct.new && ip && ip6.dst == 2001:db8::20"
          " && is_chassis_resident(\"cr-lrp-G\")", "drop;",
          "lb 2001:db8::20 where cr-lrp-G" },
        /* 21.09 to 22.12. */
        { DNAT, "ct.new && ip4 && reg0 == 172.24.0.200 && tcp"
          " && reg9[16..31] == 80 && is_chassis_resident(\"cr-lrp-G\")",
          "ct_lb_mark(backends=10.1.0.3:80);",
          "lb 172.24.0.200 where cr-lrp-G" },
        { DNAT, "ct.new && ip6 && xxreg0 == 2001:db8::20",
          "flags.force_snat_for_lb = 1; ct_lb(backends=[fd00::3]:80);",
          "lb 2001:db8::20" },
        /* 23.03. */
        { DNAT, "ct.new && !ct.rel && ip4 && reg0 == 172.24.0.200 && udp"
          " && reg9[16..31] == 53 && is_chassis_resident(\"cr-lrp-G\")",
          "ct_lb_mark(backends=10.1.0.3:53);",
          "lb 172.24.0.200 where cr-lrp-G" },
        /* 23.06 to 25.03. */
        { DNAT, "ct.new && !ct.rel && ip4 && ip4.dst == 172.24.0.200 && tcp"
          " && tcp.dst == 80 && is_chassis_resident(\"cr-lrp-G\")",
          "ct_lb_mark(backends=10.1.0.3:80,10.1.0.4:80);",
          "lb 172.24.0.200 where cr-lrp-G" },
        /* 25.09 and 26.03, stateless ones too. */
        { DNAT, "ct.new && !ct.rel && ip6 && ip6.dst == 2001:db8::20"
          " && reg1[16..23] == 6 && reg1[0..15] == 80"
          " && is_chassis_resident(\"cr-lrp-G\")",
          "ct_lb_mark(backends=[fd00::3]:80);",
          "lb 2001:db8::20 where cr-lrp-G" },
        { DNAT, "is_chassis_resident(\"cr-lrp-G\") && ip4"
          " && ip4.dst == 172.24.0.200 && tcp && tcp.dst == 80",
          "ip4.dst = 10.1.0.3; tcp.dst = 80; next;",
          "lb 172.24.0.200 where cr-lrp-G" },
    };

    check(vectors, ARRAY_SIZE(vectors));
}

/* Flows that say nothing, or something else. */
static void
test_others(void **statep OVS_UNUSED)
{
    static const struct vector vectors[] = {
        /* Requests that are dropped elsewhere. */
        { ARP, "inport == \"lrp-G\" && arp.op == 1"
          " && arp.tpa == 172.24.0.112", "drop;", "" },
        { ARP, "inport == \"lrp-G\" && arp.op == 1"
          " && arp.tpa == 172.24.0.112", "/* drop */", "" },
        /* The router's own addresses. */
        { ARP, "inport == \"lrp-G\" && arp.op == 1"
          " && arp.tpa == 172.24.0.229 && arp.spa == 172.24.0.0/24"
          " && is_chassis_resident(\"cr-lrp-G\")",
          "eth.dst = eth.src; eth.src = xreg0[0..47];" ARP_TAIL, "" },
        { ARP, "inport == \"lrp-G\""
          " && ip6.dst == {2001:db8::1, ff02::1:ff00:1}"
          " && nd_ns && nd.target == 2001:db8::1"
          " && is_chassis_resident(\"cr-lrp-G\")",
          "nd_na_router { eth.src = xreg0[0..47];" ND_TAIL, "" },
        /* All VIPs of a router at once. */
        { ARP, "inport == \"lrp-G\" && arp.op == 1"
          " && arp.tpa == $_rtr_lb_3_ip4 && is_chassis_resident(\"cr-lrp-G\")",
          "eth.dst = eth.src; eth.src = xreg0[0..47];" ARP_TAIL, "" },
        { ARP, "inport == \"lrp-G\" && arp.op == 1"
          " && arp.tpa == { 172.24.0.200, 172.24.0.201 }",
          "eth.dst = eth.src; eth.src = xreg0[0..47];" ARP_TAIL, "" },
        /* Translation, with and without condition. */
        { DNAT, "ip && ip4.dst == 172.24.0.112 && inport == \"lrp-G\"",
          "ct_dnat(10.1.0.3);", "" },
        { DNAT, "ip && ip4.dst == 172.24.0.113 && inport == \"lrp-G\""
          " && is_chassis_resident(\"cr-lrp-G\")",
          "ct_dnat_in_czone(10.1.0.4);", "" },
        { DNAT, "ip && ip4.dst == 172.24.0.113 && inport == \"lrp-G\""
          " && is_chassis_resident(\"cr-lrp-G\") && (tcp.dst == 80)",
          "ct_dnat(10.1.0.4);", "" },
        { DNAT, "ip && ip4.dst == 172.24.0.241", "ct_dnat(10.2.0.3);", "" },
        /* Established connections, affinity, templates, events. */
        { DNAT, "ct.est && ip && ip4.dst == 172.24.0.200 && tcp"
          " && tcp.dst == 80 && is_chassis_resident(\"cr-lrp-G\")",
          "ct_dnat;", "" },
        { DNAT, "reg9[6] == 1 && ct.new && ip4.dst == 172.24.0.200"
          " && reg4 == 10.1.0.3 && reg8[0..15] == 80",
          "ct_lb_mark(backends=10.1.0.3:80);", "" },
        { DNAT, "ct.new && !ct.rel && ip4 && ip4.dst == ^vip && tcp"
          " && tcp.dst == 80 && is_chassis_resident(\"cr-lrp-G\")",
          "ct_lb_mark(backends=10.1.0.3:80);", "" },
        { DNAT, "ip4.dst == 172.24.0.200 && tcp",
          "trigger_event(event = \"empty_lb_backends\");", "" },
        { DNAT, "ip && ct.new && inport == \"lrp-G\""
          " && is_chassis_resident(\"cr-lrp-G\")",
          "ct_commit_to_zone(dnat);", "" },
        { DNAT, "1", "next;", "" },
        /* Stages of other meaning. */
        { "ls_in_dnat", "ct.new && ip && ip4.dst == 172.24.0.200", "", "" },
        { "lr_in_unsnat", "ip && ip4.dst == 172.24.0.112", "ct_snat;", "" },
    };

    check(vectors, ARRAY_SIZE(vectors));
    assert_true(nat_flow_stage_matters(ARP));
    assert_true(nat_flow_stage_matters(DNAT));
    assert_false(nat_flow_stage_matters("lr_in_unsnat"));
    assert_false(nat_flow_stage_matters(NULL));
}

/* Text that no northd writes. */
static void
test_malformed(void **statep OVS_UNUSED)
{
    static const char answer[] = "eth.src = xreg0[0..47]; arp.op = 2;";
    static const struct vector vectors[] = {
        { ARP, "", answer, "" },
        { ARP, " && ", answer, "" },
        { ARP, "arp.op == 1 && arp.tpa == ", answer, "" },
        { ARP, "arp.op == 1 && arp.tpa == 1.2.3", answer, "" },
        { ARP, "arp.op == 1 && arp.tpa == 1.2.3.256", answer, "" },
        { ARP, "arp.op == 1 && arp.tpa == 1.2.3.4/24", answer, "" },
        { ARP, "arp.op == 1 && arp.tpa == 1.2.3.4 && ", answer, "" },
        { ARP, "arp.op == 1 && arp.tpa == 1.2.3.4 || 1", answer, "" },
        { ARP, "arp.op == 2 && arp.tpa == 1.2.3.4", answer, "" },
        { ARP, "!arp.op == 1 && arp.tpa == 1.2.3.4", answer, "" },
        { ARP, "arp.op == 1", answer, "" },
        { ARP, "arp.op == 1 && arp.tpa == 1.2.3.4 && arp.tpa == 1.2.3.5",
          answer, "" },
        { ARP, "arp.op == 1 && arp.tpa == 1.2.3.4 && inport == x", answer,
          "" },
        { ARP, "arp.op == 1 && arp.tpa == 1.2.3.4 && inport == \"x", answer,
          "" },
        { ARP, "arp.op == 1 && arp.tpa == 1.2.3.4 && inport == \"\"", answer,
          "" },
        { ARP, "arp.op == 1 && arp.tpa == 1.2.3.4 && inport == \"a\\\"b\"",
          answer, "" },
        { ARP, "arp.op == 1 && arp.tpa == 1.2.3.4"
          " && is_chassis_resident(\"a\") && is_chassis_resident(\"b\")",
          answer, "" },
        { ARP, "arp.op == 1 && arp.tpa == 1.2.3.4"
          " && !is_chassis_resident(\"a\")", answer, "" },
        { ARP, "arp.op == 1 && arp.tpa == 1.2.3.4"
          " && is_chassis_resident(\"a && b\")", answer,
          "nat 1.2.3.4 where a && b" },
        { ARP, "arp.op == 1 && arp.tpa == 1.2.3.4", "arp.op = 2;", "" },
        { ARP, "arp.op == 1 && arp.tpa == 1.2.3.4",
          "eth.src = reg1; arp.op = 2;", "" },
        { ARP, "arp.op == 1 && arp.tpa == 1.2.3.4",
          "eth.src = 01:00:00:00:00:01; arp.op = 2;", "" },
        { ARP, "arp.op == 1 && arp.tpa == 1.2.3.4",
          "eth.src = fa:16:3e:00:00:011; arp.op = 2;", "" },
        { ARP, "nd_ns && nd.target == ::ffff:1.2.3.4",
          "nd_na { eth.src = xreg0[0..47]; };", "" },
        { ARP, "ip6.dst == {2001:db8::8, ff02::1:ff00:9} && nd_ns"
          " && nd.target == 2001:db8::9",
          "nd_na { eth.src = xreg0[0..47]; };", "" },
        { ARP, "ip6.dst == {2001:db8::9} && nd_ns"
          " && nd.target == 2001:db8::9",
          "nd_na { eth.src = xreg0[0..47]; };", "" },
        { DNAT, "ct.new && ip4.dst == 1.2.3.4 && tcp.dst == 80x", "", "" },
        { DNAT, "ct.new && ip4.dst == 1.2.3.4 && reg9[0] == 1", "", "" },
        { DNAT, "ct.new && ip4.dst == 1.2.3.4 && reg[0..1] == 1", "", "" },
    };

    check(vectors, ARRAY_SIZE(vectors));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nat),
        cmocka_unit_test(test_vips),
        cmocka_unit_test(test_others),
        cmocka_unit_test(test_malformed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
