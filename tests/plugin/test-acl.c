/* SPDX-License-Identifier: Apache-2.0 */
/* Which rules has which port, and why is it pass-only? */

#include <config.h>

#include "plugin/acl.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "openvswitch/dynamic-string.h"
#include "openvswitch/vlog.h"
#include "plugin/reason.h"
#include "tests/plugin/acl-bed.h"
#include "util.h"

/* Checks that 'acl' of 'bed', once it has followed, has the port 'name' as the
 * text 'expected'. */
#define CHECK_PORT(BED, NAME, EXPECTED) \
    do { \
        acl_bed_update(BED); \
        const struct acl_port *port_ = acl_find_port((BED)->acl, NAME); \
        assert_non_null(port_); \
        char *text_ = acl_bed_dump_port(port_); \
        assert_string_equal(text_, EXPECTED); \
        free(text_); \
    } while (0)

/* Two ports as Neutron makes them: both in the default group, one of them in
 * the group "web" besides. */
static void
add_cloud(struct acl_bed *bed)
{
    acl_bed_set_datapath(bed, 5, true);
    acl_bed_add_vm(bed, "vm1", 5, "fa:16:3e:00:00:01 10.0.0.1");
    acl_bed_add_vm(bed, "vm2", 5, "fa:16:3e:00:00:02 10.0.0.2");
    acl_bed_set_group(bed, "5_neutron_pg_drop", "vm1 vm2");
    acl_bed_set_group(bed, "5_web", "vm1");
    acl_bed_stateful(bed, 5);
    acl_bed_drop(bed, 5, "outport == @neutron_pg_drop && ip");
    acl_bed_allow(bed, 5, "outport == @web && ip4 && tcp && tcp.dst == 80");
}

/* Rules follow from the groups that a port is in. */
static void
test_groups(void **state)
{
    struct acl_bed *bed = *state;

    add_cloud(bed);
    CHECK_PORT(bed, "vm1",
               "vm1 enforced stateful\n"
               "  0 1002 allow-related ip4 && tcp && tcp.dst == 80\n"
               "  0 1000 drop ip\n");
    CHECK_PORT(bed, "vm2", "vm2 enforced stateful\n  0 1000 drop ip\n");
    assert_int_equal(hmap_count(&bed->acl->sets), 2);

    acl_bed_set_group(bed, "5_web", "vm2");
    CHECK_PORT(bed, "vm1", "vm1 enforced stateful\n  0 1000 drop ip\n");
    CHECK_PORT(bed, "vm2",
               "vm2 enforced stateful\n"
               "  0 1002 allow-related ip4 && tcp && tcp.dst == 80\n"
               "  0 1000 drop ip\n");
}

/* A flow means the group of its own datapath. */
static void
test_groups_of_datapaths(void **state)
{
    struct acl_bed *bed = *state;

    add_cloud(bed);
    acl_bed_set_datapath(bed, 6, true);
    acl_bed_add_vm(bed, "vm3", 6, "fa:16:3e:00:00:03 10.0.0.3");
    acl_bed_set_group(bed, "6_web", "vm3");
    CHECK_PORT(bed, "vm3", "vm3 acl-no-rules\n");

    /* By its tunnel key, not by chance. */
    acl_bed_set_group(bed, "56_neutron_pg_drop", "vm3");
    acl_bed_drop(bed, 6, "outport == @neutron_pg_drop && ip");
    CHECK_PORT(bed, "vm3", "vm3 acl-no-rules\n");
    acl_bed_set_group(bed, "6_neutron_pg_drop", "vm3");
    CHECK_PORT(bed, "vm3", "vm3 enforced stateful\n  0 1000 drop ip\n");
}

/* Before 20.09 there is one row for all datapaths. */
static void
test_whole_groups(void **state)
{
    struct acl_bed *bed = *state;

    for (uint32_t i = 5; i < 7; i++) {
        acl_bed_set_datapath(bed, i, true);
        acl_bed_drop(bed, i, "outport == @all && ip");
    }
    acl_bed_drop(bed, 6, "outport == @all && ip4");
    acl_bed_add_vm(bed, "vm1", 5, "fa:16:3e:00:00:01 10.0.0.1");
    acl_bed_add_vm(bed, "vm2", 6, "fa:16:3e:00:00:02 10.0.0.2");
    acl_bed_set_group(bed, "all", "vm1 vm2");
    CHECK_PORT(bed, "vm1", "vm1 enforced stateful\n  0 1000 drop ip\n");
    CHECK_PORT(bed, "vm2",
               "vm2 enforced stateful\n"
               "  0 1000 drop ip\n  0 1000 drop ip4\n");

    acl_bed_drop(bed, 5, "outport == @all && ip6");
    CHECK_PORT(bed, "vm1",
               "vm1 enforced stateful\n"
               "  0 1000 drop ip\n  0 1000 drop ip6\n");
    acl_bed_set_group(bed, "all", "vm2");
    CHECK_PORT(bed, "vm1", "vm1 acl-no-rules\n");
}

/* Flows that name a port, and those that name none. */
static void
test_port_and_all(void **state)
{
    struct acl_bed *bed = *state;

    add_cloud(bed);
    acl_bed_allow(bed, 5, "outport == \"vm2\" && udp");
    acl_bed_drop(bed, 5, "ip6");
    CHECK_PORT(bed, "vm2",
               "vm2 enforced stateful\n"
               "  0 1002 allow-related udp\n"
               "  0 1000 drop ip\n"
               "  0 1000 drop ip6\n");
    CHECK_PORT(bed, "vm1",
               "vm1 enforced stateful\n"
               "  0 1002 allow-related ip4 && tcp && tcp.dst == 80\n"
               "  0 1000 drop ip\n"
               "  0 1000 drop ip6\n");
}

/* The rows that northd makes of one ACL give one rule. */
static void
test_duplicates(void **state)
{
    struct acl_bed *bed = *state;

    add_cloud(bed);
    acl_bed_add_flow(bed, SB_ACL_EVAL, 2002, 5,
                     "reg0[8] == 1 && (outport == @web && ip4 && tcp"
                     " && tcp.dst == 80)", "reg8[16] = 1; next;");
    acl_bed_allow(bed, 5, "outport == \"vm1\" && ip4 && tcp && tcp.dst == 80");
    CHECK_PORT(bed, "vm1",
               "vm1 enforced stateful\n"
               "  0 1002 allow-related ip4 && tcp && tcp.dst == 80\n"
               "  0 1000 drop ip\n");
}

/* One flow that sends packets to conntrack makes the whole datapath have
 * connections. */
static void
test_stateful(void **state)
{
    struct acl_bed *bed = *state;

    acl_bed_set_datapath(bed, 5, true);
    acl_bed_add_vm(bed, "vm1", 5, "fa:16:3e:00:00:01 10.0.0.1");
    acl_bed_add_flow(bed, SB_ACL_EVAL, 2000, 5, "outport == \"vm1\" && ip",
                     "reg8[17] = 1; next;");
    CHECK_PORT(bed, "vm1", "vm1 enforced\n  0 1000 drop ip\n");
    uint32_t flow = acl_bed_stateful(bed, 5);
    CHECK_PORT(bed, "vm1", "vm1 enforced stateful\n  0 1000 drop ip\n");
    acl_bed_drop_flow(bed, flow);
    CHECK_PORT(bed, "vm1", "vm1 enforced\n  0 1000 drop ip\n");

    /* Also if it is about another port. */
    acl_bed_allow(bed, 5, "outport == \"vm2\" && udp");
    CHECK_PORT(bed, "vm1", "vm1 enforced stateful\n  0 1000 drop ip\n");
}

/* What is not understood concerns those whom the flow does. */
static void
test_strange(void **state)
{
    struct acl_bed *bed = *state;

    add_cloud(bed);
    uint32_t flow = acl_bed_allow(bed, 5, "outport == @web && ip.ttl == 1");
    CHECK_PORT(bed, "vm1",
               "vm1 acl-match \"ip.ttl\" 37 stateful\n"
               "  0 1002 allow-related ip4 && tcp && tcp.dst == 80\n"
               "  0 1000 drop ip\n");
    CHECK_PORT(bed, "vm2", "vm2 enforced stateful\n  0 1000 drop ip\n");
    assert_int_equal(hmap_count(&bed->acl->sets), 1);

    /* Of several, the one that decides first is shown. */
    acl_bed_add_flow(bed, SB_ACL_EVAL, 2500, 5,
                     "reg0[7] == 1 && (outport == @web && ip.frag)",
                     "reg8[16] = 1; next;");
    acl_bed_update(bed);
    assert_string_equal(acl_find_port(bed->acl, "vm1")->token, "ip.frag");
    acl_bed_drop_flow(bed, flow);
    acl_bed_drop_flow(bed, bed->last_flow);
    CHECK_PORT(bed, "vm1",
               "vm1 enforced stateful\n"
               "  0 1002 allow-related ip4 && tcp && tcp.dst == 80\n"
               "  0 1000 drop ip\n");
}

/* Actions that are not understood make all ports pass-only. */
static void
test_actions(void **state)
{
    struct acl_bed *bed = *state;

    add_cloud(bed);
    acl_bed_add_flow(bed, SB_ACL_EVAL, 2000, 5, "ip", "frobnicate; next;");
    acl_bed_update(bed);
    assert_int_equal(acl_find_port(bed->acl, "vm1")->reason,
                     REASON_ACL_ACTIONS);
    assert_int_equal(acl_find_port(bed->acl, "vm1")->column, 0);
    assert_int_equal(acl_find_port(bed->acl, "vm2")->reason,
                     REASON_ACL_ACTIONS);
    assert_true(hmap_is_empty(&bed->acl->sets));
}

/* Address sets have to be there, to be readable, and of the family that is
 * asked for: else OVN leaves out the whole flow, also one that drops. */
static void
test_address_sets(void **state)
{
    struct acl_bed *bed = *state;

    add_cloud(bed);
    acl_bed_allow(bed, 5, "outport == @neutron_pg_drop && ip4"
                  " && ip4.src == $friends");
    acl_bed_update(bed);
    assert_int_equal(acl_find_port(bed->acl, "vm2")->reason, REASON_ACL_SET);
    assert_string_equal(acl_find_port(bed->acl, "vm2")->token, "$friends");

    acl_bed_set_addresses(bed, "friends", "");
    CHECK_PORT(bed, "vm2",
               "vm2 enforced stateful\n"
               "  0 1002 allow-related ip4 && ip4.src == $friends\n"
               "  0 1000 drop ip\n");

    static const char *const good[] = {
        "10.0.0.1", "10.0.0.0/8 0.0.0.0/0" };
    static const char *const bad[] = {
        "10.0.0.1 10.0.0.2-10.0.0.9", "fa:16:3e:00:00:01", "10.0.0/8", "x",
        "10.0.0.0/255.0.255.0", "2001:db8::1", "10.0.0.1 2001:db8::/32",
        "10.0.0.1/8", "::ffff:10.0.0.1" };
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        acl_bed_set_addresses(bed, "friends", bad[i]);
        acl_bed_update(bed);
        assert_int_equal(acl_find_port(bed->acl, "vm2")->reason,
                         REASON_ACL_SET);
        acl_bed_set_addresses(bed, "friends", good[i % ARRAY_SIZE(good)]);
        acl_bed_update(bed);
        assert_int_equal(acl_find_port(bed->acl, "vm2")->reason, REASON_NONE);
    }

    /* For the other family too, it may have neither. */
    acl_bed_allow(bed, 5, "outport == @neutron_pg_drop && ip6"
                  " && ip6.src == $friends");
    acl_bed_update(bed);
    assert_int_equal(acl_find_port(bed->acl, "vm2")->reason, REASON_ACL_SET);
    acl_bed_set_addresses(bed, "friends", "");
    acl_bed_update(bed);
    assert_int_equal(acl_find_port(bed->acl, "vm2")->reason, REASON_NONE);

    acl_bed_set_addresses(bed, "friends", NULL);
    acl_bed_update(bed);
    assert_int_equal(acl_find_port(bed->acl, "vm1")->reason, REASON_ACL_SET);
}

/* Without a rule that drops there is nothing to do, also if one would but for
 * what it does besides. */
static void
test_no_rules(void **state)
{
    struct acl_bed *bed = *state;

    acl_bed_set_datapath(bed, 5, true);
    acl_bed_add_vm(bed, "vm1", 5, "fa:16:3e:00:00:01 10.0.0.1");
    CHECK_PORT(bed, "vm1", "vm1 acl-no-rules\n");
    acl_bed_allow(bed, 5, "outport == \"vm1\" && tcp");
    CHECK_PORT(bed, "vm1",
               "vm1 acl-no-rules stateful\n  0 1002 allow-related tcp\n");
    acl_bed_add_flow(bed, SB_ACL_EVAL, 2000, 5,
                     "reg0[9] == 1 && (outport == \"vm1\" && ip)",
                     "log(severity=info); reg8[17] = 1; next;");
    acl_bed_update(bed);
    assert_int_equal(acl_find_port(bed->acl, "vm1")->reason,
                     REASON_ACL_NO_RULES);
    assert_true(hmap_is_empty(&bed->acl->sets));
}

/* Until everything that concerns a port has been received, it has no rules. */
static void
test_pending(void **state)
{
    struct acl_bed *bed = *state;

    add_cloud(bed);
    bed->view.complete = false;
    CHECK_PORT(bed, "vm1", "vm1 acl-pending\n");
    bed->view.complete = true;
    CHECK_PORT(bed, "vm2", "vm2 enforced stateful\n  0 1000 drop ip\n");

    acl_bed_set_port(bed, "vm2", false);
    CHECK_PORT(bed, "vm2", "vm2 acl-pending\n");
    acl_bed_set_port(bed, "vm2", true);
    CHECK_PORT(bed, "vm2", "vm2 enforced stateful\n  0 1000 drop ip\n");

    acl_bed_set_datapath(bed, 5, false);
    CHECK_PORT(bed, "vm2", "vm2 acl-pending\n");
    acl_bed_set_datapath(bed, 5, true);
    CHECK_PORT(bed, "vm2", "vm2 enforced stateful\n  0 1000 drop ip\n");
}

/* A port that is deleted and made again may be there twice for a moment, and
 * its groups are those of either. */
static void
test_twice(void **state)
{
    struct acl_bed *bed = *state;

    add_cloud(bed);
    struct sb_binding *again = acl_bed_add_vm(bed, "vm2", 5,
                                              "fa:16:3e:00:00:02 10.0.0.2");
    CHECK_PORT(bed, "vm2", "vm2 acl-pending\n");
    acl_bed_touch(bed, again);
    values_drop_binding(&bed->values, again);
    CHECK_PORT(bed, "vm2", "vm2 enforced stateful\n  0 1000 drop ip\n");
}

/* Ports whose packets go elsewhere, too. */
static void
test_special(void **state)
{
    struct acl_bed *bed = *state;

    add_cloud(bed);
    acl_bed_update(bed);
    struct sb_binding *vm = values_binding(&bed->values, "vm2");

    vm->mirrored = true;
    acl_bed_touch(bed, vm);
    CHECK_PORT(bed, "vm2", "vm2 acl-port \"mirror_rules\" 0 stateful\n"
               "  0 1000 drop ip\n");
    vm->mirrored = false;
    vm->shared = true;
    acl_bed_touch(bed, vm);
    CHECK_PORT(bed, "vm2", "vm2 acl-port \"additional_chassis\" 0 stateful\n"
               "  0 1000 drop ip\n");
    vm->shared = false;
    vm->here = false;
    vm->additional = true;
    acl_bed_touch(bed, vm);
    CHECK_PORT(bed, "vm2", "vm2 acl-port \"additional_chassis\" 0 stateful\n"
               "  0 1000 drop ip\n");
    vm->here = true;
    acl_bed_touch(bed, vm);
    CHECK_PORT(bed, "vm2", "vm2 enforced stateful\n  0 1000 drop ip\n");
}

/* What becomes of packets as they come in: of those by an entrance only, and
 * only of what is more than to let them through or not. */
static void
test_entries(void **state)
{
    static const char enforced[] = "vm2 enforced stateful\n  0 1000 drop ip\n";
    static const char reject[]
        = "vm2 acl-actions \"reg8[18] = 1; next;\" 0 stateful\n"
          "  0 1000 drop ip\n";
    struct acl_bed *bed = *state;

    add_cloud(bed);
    acl_bed_set_entrance(bed, "provnet", true);
    acl_bed_add_flow(bed, SB_ACL_MIRROR_IN, 0, 5, "1", "next;");
    acl_bed_add_flow(bed, SB_ACL_MIRROR_IN, 200, 5, "inport == \"vm1\" && ip",
                     "mirror(\"mp-vm1\"); next;");
    acl_bed_add_flow(bed, SB_ACL_MIRROR_OUT, 200, 5, "1",
                     "mirror(\"mp-vm1\"); next;");
    acl_bed_add_flow(bed, SB_ACL_FROM, 2002, 5, "reg0[7] == 1 && (ip4)",
                     "reg8[16] = 1; reg0[1] = 1; next;");
    acl_bed_add_flow(bed, SB_ACL_FROM, 2000, 5, "reg0[9] == 1 && (ip)",
                     "reg8[17] = 1; next;");
    acl_bed_add_flow(bed, SB_ACL_FROM, 2003, 5,
                     "reg0[9] == 1 && (inport == @from && ip)",
                     "reg8[18] = 1; next;");
    acl_bed_set_group(bed, "5_from", "vm1");
    CHECK_PORT(bed, "vm2", enforced);

    /* The group gets an entrance, of this datapath or another one. */
    acl_bed_set_group_entrance(bed, "7_from", true);
    CHECK_PORT(bed, "vm2", enforced);
    acl_bed_set_group_entrance(bed, "5_from", true);
    CHECK_PORT(bed, "vm2", reject);
    acl_bed_set_group_entrance(bed, "5_from", false);
    CHECK_PORT(bed, "vm2", enforced);
    acl_bed_set_group_entrance(bed, "from", true);
    CHECK_PORT(bed, "vm2", reject);
    acl_bed_set_group(bed, "from", NULL);
    CHECK_PORT(bed, "vm2", enforced);

    /* A port is one. */
    acl_bed_set_entrance(bed, "vm1", true);
    CHECK_PORT(bed, "vm2", "vm2 acl-port \"mirror(\"mp-vm1\"); next;\" 0"
                           " stateful\n  0 1000 drop ip\n");
    acl_bed_set_entrance(bed, "vm1", false);
    CHECK_PORT(bed, "vm2", enforced);

    /* Any port. */
    uint32_t flow = acl_bed_add_flow(bed, SB_ACL_FROM, 2003, 5,
                                     "reg0[9] == 1 && (tcp.dst == 23)",
                                     "reg8[18] = 1; next;");
    CHECK_PORT(bed, "vm2", reject);
    acl_bed_set_flow(bed, flow, SB_ACL_FROM, 2003, "6",
                     "reg0[9] == 1 && (tcp.dst == 23)",
                     "reg8[18] = 1; next;");
    CHECK_PORT(bed, "vm2", enforced);

    /* What OVN drops is sampled. */
    acl_bed_add_flow(bed, SB_ACL_ACTION, 1000, 5, "reg8[17] == 1",
                     "reg8[17] = 0; sample(probability=65535); /* drop */");
    CHECK_PORT(bed, "vm2", "vm2 acl-actions \"sample(probability=65535)\" 0"
                           " stateful\n  0 1000 drop ip\n");
}

/* Ports of other kinds and of other chassis are none. */
static void
test_not_here(void **state)
{
    struct acl_bed *bed = *state;

    add_cloud(bed);
    acl_bed_update(bed);
    struct sb_binding *vm = values_binding(&bed->values, "vm2");

    vm->here = false;
    acl_bed_touch(bed, vm);
    acl_bed_update(bed);
    assert_null(acl_find_port(bed->acl, "vm2"));
    vm->here = true;
    free(vm->type);
    vm->type = xstrdup("virtual");
    acl_bed_touch(bed, vm);
    acl_bed_update(bed);
    assert_null(acl_find_port(bed->acl, "vm2"));
    assert_non_null(acl_find_port(bed->acl, "vm1"));
}

/* Adds 2,000 ports in 200 groups to 'bed'. */
static void
add_many_ports(struct acl_bed *bed)
{
    for (int i = 0; i < 200; i++) {
        char *group = xasprintf("5_group%d", i);
        struct ds members = DS_EMPTY_INITIALIZER;

        for (int j = i; j < 2000; j += 200) {
            char *name = xasprintf("vm%d", j);
            char *mac = xasprintf("fa:16:3e:00:00:01 10.0.%d.%d", j / 250,
                                  1 + j % 250);

            acl_bed_add_vm(bed, name, 5, mac);
            ds_put_format(&members, "%s ", name);
            free(mac);
            free(name);
        }
        acl_bed_set_group(bed, group, ds_cstr(&members));
        ds_destroy(&members);
        free(group);
    }
}

/* Adds rules for each of the 200 groups to 'bed'. */
static void
add_many_rules(struct acl_bed *bed)
{
    for (int i = 0; i < 200; i++) {
        char *match = xasprintf("outport == @group%d && tcp && tcp.dst == %d",
                                i, i);

        acl_bed_allow(bed, 5, match);
        free(match);
        match = xasprintf("outport == @group%d && ip", i);
        acl_bed_drop(bed, 5, match);
        free(match);
    }
}

/* Ports with the same rules share them, and only those that changed are said
 * to have. */
static void
test_sharing(void **state)
{
    struct acl_bed *bed = *state;

    acl_bed_set_datapath(bed, 5, true);
    add_many_ports(bed);
    add_many_rules(bed);
    acl_bed_update(bed);
    assert_int_equal(hmap_count(&bed->acl->sets), 200);
    assert_int_equal(sset_count(&bed->acl->changed_ports), 2000);
    assert_ptr_equal(acl_find_port(bed->acl, "vm7")->set,
                     acl_find_port(bed->acl, "vm207")->set);
    assert_int_equal(acl_find_port(bed->acl, "vm7")->set->n_ports, 10);
    uint64_t serial = acl_find_port(bed->acl, "vm7")->set->serial;

    acl_forget_changes(bed->acl);
    acl_bed_allow(bed, 5, "outport == @group7 && udp");
    acl_bed_update(bed);
    assert_int_equal(sset_count(&bed->acl->changed_ports), 10);
    assert_int_equal(hmap_count(&bed->acl->changed_addresses), 10);
    assert_int_equal(hmap_count(&bed->acl->sets), 200);
    assert_true(acl_find_port(bed->acl, "vm7")->set->serial > serial);
    assert_false(bed->acl->nat_changed);

    /* Deriving all anew changes nothing. */
    struct acl_inputs inputs = acl_bed_inputs(bed);
    struct acl_changes all = { .all = true };
    acl_forget_changes(bed->acl);
    acl_update(bed->acl, &inputs, &all);
    assert_true(sset_is_empty(&bed->acl->changed_ports));
}

/* A network that is added to a flow of several does not touch the others. */
static void
test_datapaths_of_flow(void **state)
{
    struct acl_bed *bed = *state;

    add_cloud(bed);
    acl_bed_set_datapath(bed, 4, true);
    acl_bed_set_datapath(bed, 6, true);
    acl_bed_add_vm(bed, "vm4", 4, "fa:16:3e:00:00:04 10.0.0.4");
    acl_bed_add_vm(bed, "vm6", 6, "fa:16:3e:00:00:06 10.0.0.6");
    uint32_t flow = ++bed->last_flow;
    acl_bed_set_flow(bed, flow, SB_ACL_EVAL, 2001, "5",
                     "reg0[9] == 1 && (ip6)", "reg8[17] = 1; next;");
    acl_bed_update(bed);
    acl_forget_changes(bed->acl);

    static const struct {
        const char *datapaths;
        const char *vm4, *vm6;
        size_t n_changed;
    } steps[] = {
        { "4 5", "vm4 enforced stateful\n  0 1001 drop ip6\n",
          "vm6 acl-no-rules\n", 1 },
        { "5 6", "vm4 acl-no-rules\n",
          "vm6 enforced stateful\n  0 1001 drop ip6\n", 2 },
        { "4 5 6", "vm4 enforced stateful\n  0 1001 drop ip6\n",
          "vm6 enforced stateful\n  0 1001 drop ip6\n", 1 },
        { "5", "vm4 acl-no-rules\n", "vm6 acl-no-rules\n", 2 },
    };
    for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
        acl_bed_set_flow(bed, flow, SB_ACL_EVAL, 2001, steps[i].datapaths,
                         "reg0[9] == 1 && (ip6)", "reg8[17] = 1; next;");
        CHECK_PORT(bed, "vm4", steps[i].vm4);
        CHECK_PORT(bed, "vm6", steps[i].vm6);
        assert_int_equal(sset_count(&bed->acl->changed_ports),
                         steps[i].n_changed);
        acl_forget_changes(bed->acl);
    }
}

/* Runs the tests. */
int
main(void)
{
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, acl_bed_setup, \
                                                   acl_bed_teardown)
    static const struct CMUnitTest tests[] = {
        TEST(test_groups),
        TEST(test_groups_of_datapaths),
        TEST(test_whole_groups),
        TEST(test_port_and_all),
        TEST(test_duplicates),
        TEST(test_stateful),
        TEST(test_strange),
        TEST(test_actions),
        TEST(test_address_sets),
        TEST(test_no_rules),
        TEST(test_pending),
        TEST(test_twice),
        TEST(test_special),
        TEST(test_entries),
        TEST(test_not_here),
        TEST(test_sharing),
        TEST(test_datapaths_of_flow),
    };

    vlog_set_levels(NULL, VLF_CONSOLE, VLL_OFF);
    return cmocka_run_group_tests_name("acl", tests, NULL, NULL);
}
