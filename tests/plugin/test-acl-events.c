/* SPDX-License-Identifier: Apache-2.0 */
/* About packets of which ports may OVN decide otherwise? */

#include <config.h>

#include "plugin/acl.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "openvswitch/vlog.h"
#include "svec.h"
#include "tests/plugin/acl-bed.h"
#include "util.h"

#define ALLOW "reg8[16] = 1; reg0[1] = 1; next;"
#define DROP "reg8[17] = 1; next;"

/* Has 'bed' follow what changed, checks that the ports that this touches are
 * the words of 'expected', and forgets them. */
static void
check(struct acl_bed *bed, const char *expected)
{
    struct svec names = SVEC_EMPTY_INITIALIZER;
    const char *name;

    acl_bed_update(bed);
    SSET_FOR_EACH (name, &bed->acl->touched_ports) {
        svec_add(&names, name);
    }
    svec_sort(&names);
    char *text = svec_join(&names, " ", "");
    assert_string_equal(text, expected);
    free(text);
    svec_destroy(&names);
    acl_forget_changes(bed->acl);
}

/* Has all of 'bed' be derived anew. */
static void
recompute(struct acl_bed *bed)
{
    struct acl_inputs inputs = acl_bed_inputs(bed);
    struct acl_changes all = { .all = true };

    acl_update(bed->acl, &inputs, &all);
}

/* Adds to 'bed' the network 5 of three VMs, of which all are in the default
 * group and vm1 is in "web"; 6, with vm6; and 7, without a VM, by which
 * packets come in.  That is no event yet. */
static void
add_cloud(struct acl_bed *bed)
{
    for (uint32_t i = 5; i < 8; i++) {
        acl_bed_set_datapath(bed, i, true);
        acl_bed_stateful(bed, i);
        acl_bed_drop(bed, i, "outport == @neutron_pg_drop && ip");
    }
    acl_bed_add_vm(bed, "vm1", 5, "fa:16:3e:00:00:01 10.0.0.1");
    acl_bed_add_vm(bed, "vm2", 5, "fa:16:3e:00:00:02 10.0.0.2");
    acl_bed_add_vm(bed, "vm3", 5, "fa:16:3e:00:00:03 10.0.0.3");
    acl_bed_add_vm(bed, "vm6", 6, "fa:16:3e:00:00:06 10.0.0.6");
    acl_bed_set_group(bed, "5_neutron_pg_drop", "vm1 vm2 vm3");
    acl_bed_set_group(bed, "6_neutron_pg_drop", "vm6");
    acl_bed_set_group(bed, "5_web", "vm1");
    acl_bed_set_entrance(bed, "lrp", true);
    acl_bed_set_entrance(bed, "provnet", true);
    check(bed, "");
}

/* Adds and deletes in 'bed' a flow of 'stage' with 'match', and changes it in
 * place: each time that touches the words of 'expected'. */
static void
check_flow(struct acl_bed *bed, enum sb_acl_stage stage, const char *datapath,
           const char *match, const char *actions, const char *expected)
{
    uint32_t flow = ++bed->last_flow;

    acl_bed_set_flow(bed, flow, stage, 2002, datapath, match, actions);
    check(bed, expected);
    acl_bed_set_flow(bed, flow, stage, 2003, datapath, match, actions);
    check(bed, expected);
    acl_bed_drop_flow(bed, flow);
    check(bed, expected);
}

/* Rules in either direction touch the ports that they name. */
static void
test_flows(void **state)
{
    static const struct {
        const char *ports;      /* What comes after "inport == ", or NULL for
                                 * the whole match to be 'rest'. */
        const char *rest;       /* The rest. */
        const char *touched;    /* The ports that it touches. */
    } rows[] = {
        { "@web", " && ip", "vm1" },
        { "\"vm2\"", " && ip4 && tcp", "vm2" },
        { "{\"vm2\", @web}", " && ip4", "vm1 vm2" },
        { "\"vm2\"", " && icmp4.type != 8", "vm2" },
        { "\"elsewhere\"", " && ip", "" },
        { "\"vm6\"", " && ip", "vm6" },
        { "@neutron_pg_drop", " && ip", "vm1 vm2 vm3" },
        { "@nobody", " && ip", "" },
        { "\"lrp\"", " && ip", "vm1 vm2 vm3" },
        { NULL, "ip4.src == 10.0.0.9", "vm1 vm2 vm3" },
        { NULL, "ip &&", "vm1 vm2 vm3" },
    };
    struct acl_bed *bed = *state;

    add_cloud(bed);
    for (size_t i = 0; i < ARRAY_SIZE(rows) * 2; i++) {
        bool from = i % 2;
        const char *ports = rows[i / 2].ports;
        char *match = xasprintf("reg0[9] == 1 && (%s%s%s%s)",
                                !ports ? "" : from ? "inport" : "outport",
                                ports ? " == " : "", ports ? ports : "",
                                rows[i / 2].rest);

        check_flow(bed, from ? SB_ACL_FROM : SB_ACL_EVAL, "5", match, DROP,
                   rows[i / 2].touched);
        free(match);
    }

    /* What a rule on the other side says of ports is not asked for. */
    check_flow(bed, SB_ACL_FROM, "5", "reg0[9] == 1 && (outport == @web)",
               DROP, "vm1 vm2 vm3");
    check_flow(bed, SB_ACL_FROM, "5 6", "reg0[7] == 1 && (ip)", ALLOW,
               "vm1 vm2 vm3 vm6");
}

/* So do those of which nothing is made here. */
static void
test_neutral(void **state)
{
    struct acl_bed *bed = *state;
    struct sb_acl_flow *flow;

    add_cloud(bed);
    for (int i = 0; i < 2; i++) {
        uint32_t n = acl_bed_drop(bed, 5, i ? "outport == @web && tcp"
                                          : "outport == \"vm2\" && udp");
        struct uuid uuid = { { n, 1, 0, 0 } };

        flow = CONST_CAST(struct sb_acl_flow *,
                          sb_acl_find_flow(&bed->view, &uuid));
        flow->ct_translated = true;
        check(bed, i ? "vm1" : "vm2");
        assert_int_equal(acl_find_port(bed->acl, "vm1")->set->n_rules, 1);
        acl_bed_drop_flow(bed, n);
        check(bed, i ? "vm1" : "vm2");
    }
}

/* Rules where packets come in, not at the VM: whoever is behind that. */
static void
test_outside(void **state)
{
    struct acl_bed *bed = *state;

    add_cloud(bed);
    check_flow(bed, SB_ACL_FROM, "7",
               "reg0[9] == 1 && (inport == \"provnet\" && ip)", DROP,
               "vm1 vm2 vm3 vm6");
    check_flow(bed, SB_ACL_EVAL, "7", "reg0[9] == 1 && (ip)", DROP,
               "vm1 vm2 vm3 vm6");
    check_flow(bed, SB_ACL_EVAL, "7",
               "reg0[9] == 1 && (outport == \"elsewhere\" && ip)", DROP, "");

    /* A network to the outside that has VMs itself. */
    struct sb_binding *localnet
        = values_add_binding(&bed->values, "localnet", "provnet", 5);
    acl_bed_touch(bed, localnet);
    check(bed, "");
    check_flow(bed, SB_ACL_FROM, "5",
               "reg0[9] == 1 && (inport == \"provnet\" && ip)", DROP,
               "vm1 vm2 vm3 vm6");
    check_flow(bed, SB_ACL_FROM, "5",
               "reg0[9] == 1 && (inport == @web && ip)", DROP, "vm1");
}

/* Address sets are no event. */
static void
test_address_sets(void **state)
{
    struct acl_bed *bed = *state;

    add_cloud(bed);
    acl_bed_set_addresses(bed, "as", "10.0.0.1");
    acl_bed_allow(bed, 5, "outport == @web && ip4 && ip4.src == $as");
    acl_bed_allow(bed, 5, "outport == \"vm2\" && ip4.src == $as && ip.frag");
    check(bed, "vm1 vm2");
    acl_bed_set_addresses(bed, "as", "10.0.0.1 10.0.0.2");
    check(bed, "");
    acl_bed_set_addresses(bed, "as", "10.0.0.2");
    check(bed, "");
}

/* A port that joins or leaves a group, if a rule names that. */
static void
test_groups(void **state)
{
    struct acl_bed *bed = *state;

    add_cloud(bed);
    acl_bed_set_group(bed, "5_web", "vm1 vm2");
    check(bed, "");
    uint32_t flow = acl_bed_add_flow(bed, SB_ACL_FROM, 2002, 5,
                                     "reg0[7] == 1 && (inport == @web && ip)",
                                     ALLOW);
    check(bed, "vm1 vm2");
    acl_bed_set_group(bed, "5_web", "vm1 vm2 vm3");
    check(bed, "vm3");
    acl_bed_set_group(bed, "5_web", "vm3");
    check(bed, "vm1 vm2");

    /* That of another network is another one. */
    acl_bed_set_group(bed, "6_web", "vm6");
    check(bed, "");

    /* The group goes with its rule, and both come again. */
    acl_bed_drop_flow(bed, flow);
    acl_bed_set_group(bed, "5_web", NULL);
    check(bed, "vm3");
    flow = acl_bed_allow(bed, 5, "outport == @web && ip");
    acl_bed_set_group(bed, "5_web", "vm2");
    check(bed, "vm2");
    acl_bed_set_group(bed, "5_web", "vm2 vm1");
    check(bed, "vm1");
}

/* Networks that come into sight and go are no change to the others. */
static void
test_scope(void **state)
{
    struct acl_bed *bed = *state;

    add_cloud(bed);
    uint32_t flow = acl_bed_allow(bed, 5, "outport == @web && ip");
    check(bed, "vm1");

    /* The first VM of a network, whose default rule is that of the others. */
    acl_bed_set_datapath(bed, 8, true);
    uint32_t pre = acl_bed_stateful(bed, 8);
    acl_bed_set_flow(bed, flow, SB_ACL_EVAL, 2002, "5 8",
                     "reg0[7] == 1 && (outport == @web && ip)", ALLOW);
    uint32_t from = acl_bed_add_flow(bed, SB_ACL_FROM, 2001, 8,
                                     "reg0[9] == 1 && (ip)", DROP);
    acl_bed_add_vm(bed, "vm8", 8, "fa:16:3e:00:00:08 10.0.0.8");
    acl_bed_set_group(bed, "8_web", "vm8");
    check(bed, "vm8");

    /* And the last. */
    acl_bed_remove_vm(bed, "vm8");
    acl_bed_set_datapath(bed, 8, false);
    acl_bed_set_flow(bed, flow, SB_ACL_EVAL, 2002, "5",
                     "reg0[7] == 1 && (outport == @web && ip)", ALLOW);
    acl_bed_drop_flow(bed, pre);
    acl_bed_drop_flow(bed, from);
    acl_bed_set_group(bed, "8_web", NULL);
    check(bed, "vm8");

    /* A router, or a network in front of one. */
    acl_bed_set_datapath(bed, 9, true);
    acl_bed_set_link(bed, "lrp", 9);
    from = acl_bed_add_flow(bed, SB_ACL_FROM, 2001, 9, "reg0[9] == 1 && (ip)",
                            DROP);
    check(bed, "");
    acl_bed_set_datapath(bed, 9, false);
    acl_bed_drop_flow(bed, from);
    check(bed, "");
}

/* What is derived anew, received for the first time, or replaced by the same,
 * is no change. */
static void
test_same(void **state)
{
    struct acl_bed *bed = *state;

    bed->view.complete = false;
    add_cloud(bed);
    uint32_t flows[3] = {
        acl_bed_allow(bed, 5, "outport == \"vm3\" && icmp4.type != 8"),
        acl_bed_add_flow(bed, SB_ACL_FROM, 2002, 5, "inport == @web", ALLOW),
        acl_bed_allow(bed, 5, "outport == @web && tcp"),
    };
    check(bed, "");
    bed->view.complete = true;
    check(bed, "");
    recompute(bed);
    check(bed, "");

    acl_bed_drop_flow(bed, flows[0]);
    acl_bed_drop_flow(bed, flows[1]);
    acl_bed_drop_flow(bed, flows[2]);
    acl_bed_allow(bed, 5, "outport == \"vm3\" && icmp4.type != 8");
    acl_bed_add_flow(bed, SB_ACL_FROM, 2002, 5, "inport == @web", ALLOW);
    acl_bed_allow(bed, 5, "outport == @web && tcp");
    check(bed, "");

    /* A recompute that changes something finds it. */
    acl_bed_allow(bed, 5, "outport == @web && udp");
    acl_bed_set_group(bed, "5_web", "vm1 vm2");
    recompute(bed);
    check(bed, "vm1 vm2");
}

/* A datapath that gets or loses its connections. */
static void
test_stateful(void **state)
{
    struct acl_bed *bed = *state;

    acl_bed_set_datapath(bed, 5, true);
    acl_bed_set_datapath(bed, 6, true);
    acl_bed_add_vm(bed, "vm1", 5, "fa:16:3e:00:00:01 10.0.0.1");
    acl_bed_add_vm(bed, "vm6", 6, "fa:16:3e:00:00:06 10.0.0.6");
    acl_bed_update(bed);
    acl_forget_changes(bed->acl);
    uint32_t one = acl_bed_stateful(bed, 5);
    check(bed, "vm1");
    uint32_t two = acl_bed_stateful(bed, 5);
    check(bed, "");
    acl_bed_drop_flow(bed, one);
    check(bed, "");
    acl_bed_drop_flow(bed, two);
    check(bed, "vm1");
}

/* Bindings. */
static void
test_bindings(void **state)
{
    struct acl_bed *bed = *state;

    add_cloud(bed);
    acl_bed_add_vm(bed, "vm4", 5, "fa:16:3e:00:00:04 10.0.0.4");
    check(bed, "vm4");
    struct sb_binding *vm = values_binding(&bed->values, "vm4");
    acl_bed_touch(bed, vm);
    check(bed, "");
    vm->mirrored = true;
    acl_bed_touch(bed, vm);
    check(bed, "vm4");
    vm->datapath = acl_bed_uuid(6);
    acl_bed_touch(bed, vm);
    check(bed, "vm4");
    acl_bed_remove_vm(bed, "vm4");
    check(bed, "vm4");
}

/* Checks that rules log packets of the words of 'expected', of the VMs of
 * 'bed'. */
static void
check_logged(struct acl_bed *bed, const char *expected)
{
    static const char *const names[] = { "vm1", "vm2", "vm3", "vm6", "none" };
    struct acl_inputs inputs = acl_bed_inputs(bed);
    struct svec logged = SVEC_EMPTY_INITIALIZER;

    acl_bed_update(bed);
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (acl_is_logged(bed->acl, &inputs, names[i])) {
            svec_add(&logged, names[i]);
        }
    }
    char *text = svec_join(&logged, " ", "");
    assert_string_equal(text, expected);
    free(text);
    svec_destroy(&logged);
}

/* Rules that log or sample what they let through. */
static void
test_logged(void **state)
{
    static const char log[] = "log(severity=info, verdict=allow); " ALLOW;
    static const struct {
        enum sb_acl_stage stage; /* Stage. */
        const char *match;      /* Match, */
        const char *actions;    /* and actions. */
        const char *logged;     /* Whose packets it logs. */
    } rows[] = {
        { SB_ACL_EVAL, "outport == @web && ip", log, "vm1" },
        { SB_ACL_FROM, "inport == @neutron_pg_drop && ip", log,
          "vm1 vm2 vm3" },
        { SB_ACL_FROM, "inport == \"vm2\" && ip", log, "vm2" },
        { SB_ACL_EVAL, "outport == \"lrp\" && ip", log, "vm1 vm2 vm3" },
        { SB_ACL_EVAL, "outport == \"vm2\" && ip",
          "sample(probability=9,collector_set=1); " ALLOW, "vm2" },
        { SB_ACL_EVAL, "ip", log, "vm1 vm2 vm3" },
        { SB_ACL_FROM, "inport == @web && ip", ALLOW, "" },
        { SB_ACL_FROM, "inport == @web && ip",
          "log(severity=info, verdict=drop); " DROP, "" },
        { SB_ACL_FROM, "inport == @nobody && ip", log, "" },
    };
    struct acl_bed *bed = *state;

    add_cloud(bed);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        uint32_t flow = acl_bed_add_flow(bed, rows[i].stage, 2002, 5,
                                         rows[i].match, rows[i].actions);
        check_logged(bed, rows[i].logged);
        acl_bed_drop_flow(bed, flow);
        check_logged(bed, "");
    }
}

/* Runs the tests. */
int
main(void)
{
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, acl_bed_setup, \
                                                   acl_bed_teardown)
    static const struct CMUnitTest tests[] = {
        TEST(test_flows),
        TEST(test_neutral),
        TEST(test_outside),
        TEST(test_address_sets),
        TEST(test_groups),
        TEST(test_scope),
        TEST(test_same),
        TEST(test_stateful),
        TEST(test_bindings),
        TEST(test_logged),
    };

    vlog_set_levels(NULL, VLF_CONSOLE, VLL_OFF);
    return cmocka_run_group_tests_name("acl-events", tests, NULL, NULL);
}
