/* SPDX-License-Identifier: Apache-2.0 */
/* Tests what idl/sb-db.c finds out about ACLs from a Southbound database, and
 * which rows it asks for to find it.
 *
 * time-limit: 180 */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "util.h"
#include "uuid.h"

#include "tests/db/db-dump.h"
#include "tests/db/sbt.h"

/* A port group and an address set of the fixtures. */
#define GROUP "pg_7b6f2f10_1111_4000_8000_00000000000a"
#define SET GROUP "_ip4"

/* Makes 'f' a client that wants ACLs, and waits until it has those of 'vm',
 * which is here. */
static void
want_acls(struct sbt *f, const char *vm)
{
    sbt_claim(f->server, vm, "cmp1", true);
    sbt_target_acl(f->db, f->server, "cmp1");
    AWAIT(f->db, sbt_acl(f->db)->current
          && sset_contains(&sbt_acl(f->db)->ports, vm));
}

/* Forgets what changed until now for 'f'. */
static void
forget_changes(struct sbt *f)
{
    struct sb_acl_changes changes;

    sb_acl_changes_init(&changes);
    sb_db_take_acl_changes(f->db, &changes);
    sb_acl_changes_destroy(&changes);
}

/* Checks that since the last call this many of each kind changed for 'f'. */
static void
check_changes(struct sbt *f, size_t flows, size_t groups, size_t sets,
              size_t ports, bool datapaths)
{
    struct sb_acl_changes changes;

    sb_acl_changes_init(&changes);
    sb_db_take_acl_changes(f->db, &changes);
    assert_int_equal(hmap_count(&changes.flows.rows), flows);
    assert_int_equal(sset_count(&changes.groups), groups);
    assert_int_equal(sset_count(&changes.sets), sets);
    assert_int_equal(sset_count(&changes.ports), ports);
    assert_int_equal(changes.datapaths, datapaths);
    sb_acl_changes_destroy(&changes);
}

/* Returns true if the ACLs of 'db' print as the golden file 'name'. */
static bool
acl_is_golden(const struct sb_db *db, const char *name)
{
    char *expected = db_read_golden(name);
    char *text = dump_sb_acl(sbt_acl(db));
    bool same = !strcmp(text, expected);

    free(text);
    free(expected);
    return same;
}

/* All that a chassis with all VMs knows from the fixture 'name'. */
static void
check_fixture(struct sbt *f, const char *fixture, const char *golden)
{
    struct db_server *server = db_server_create(f->dir, fixture);

    db_server_use_fixture(server, fixture);
    db_server_start(server);
    sbt_claim(server, VM_PROVIDER, "cmp1", true);
    sbt_claim(server, VM_FIP, "cmp1", true);
    sbt_claim(server, VM_OTHER, "cmp1", true);
    sbt_target_acl(f->db, server, "cmp1");
    AWAIT(f->db, sbt_acl(f->db)->current
          && sset_count(&sbt_acl(f->db)->ports) == 3);
    AWAIT(f->db, acl_is_golden(f->db, golden));
    db_server_destroy(server);
}

/* OVN 23.03. */
static void
test_fixture_2303(void **statep)
{
    check_fixture(*statep, "sb-2303.db", "sb-2303-acl.txt");
}

/* OVN 24.03. */
static void
test_fixture_2403(void **statep)
{
    check_fixture(*statep, "sb-2403.db", "sb-2403-acl.txt");
}

/* What a VM brings goes with it, and nothing of the networks of others is
 * there. */
static void
test_scope(void **statep)
{
    struct sbt *f = *statep;

    want_acls(f, VM_PROVIDER);
    assert_true(sbt_acl_has(f->db, "datapath a4c535b5 key=2\n"));
    assert_false(sbt_acl_has(f->db, "6335fe8c"));
    assert_false(sbt_acl_has(f->db, "flow router"));
    assert_false(sbt_acl_has(f->db, "pg_stateless"));
    assert_true(sbt_acl_has(f->db, "link " GW_ROUTER_PORT " to=a4c535b5\n"));
    assert_true(sbt_acl_has(f->db, "group 2_" GROUP " ports=[" VM_PROVIDER
                                   "]\n"));
    assert_true(sbt_acl_has(f->db, "set " SET " addresses=[10.1.0.3; "
                                   "172.24.100.50]\n"));

    /* On the network of a router, in front of which is the other one. */
    sbt_claim(f->server, VM_FIP, "cmp1", true);
    sbt_release(f->server, VM_PROVIDER);
    AWAIT(f->db, sbt_acl(f->db)->current
          && sset_contains(&sbt_acl(f->db)->ports, VM_FIP)
          && !sset_contains(&sbt_acl(f->db)->ports, VM_PROVIDER));
    assert_true(sbt_acl_has(f->db, "datapath 6335fe8c key=1\n"));
    assert_true(sbt_acl_has(f->db, "datapath a6db7a96 key=3\n"));
    assert_true(sbt_acl_has(f->db, "datapath a4c535b5 key=2\n"));
    assert_true(sbt_acl_has(f->db, "flow pre 2002 dp=6335fe8c outport == "
                                   "@pg_stateless"));
    assert_true(sbt_acl_has(f->db, "flow router-dnat 100 dp=a6db7a96 "));
    assert_true(sbt_acl_has(f->db, "flow switch-lb 120 dp=6335fe8c "));
    assert_false(sbt_acl_has(f->db, "group 2_"));
    assert_false(sbt_acl_has(f->db, "group 1_pg_stateless"));
    assert_true(sbt_acl_has(f->db, "link " GW_ROUTER_PORT " to=a4c535b5\n"));

    sbt_release(f->server, VM_FIP);
    AWAIT(f->db, sbt_acl(f->db)->current
          && sset_is_empty(&sbt_acl(f->db)->ports));
    char *text = dump_sb_acl(sbt_acl(f->db));
    assert_string_equal(text, "complete current\n");
    free(text);
}

/* A load balancer of a provider network counts at the router behind. */
static void
test_front(void **statep)
{
    struct sbt *f = *statep;

    sbt_add_flow(f->server, "'logical_datapath'", SBT_PROVIDER, "ls_in_lb",
                 "ct.new && ip4.dst == 172.24.100.112", "ct_lb_mark();");
    sbt_add_flow(f->server, "'logical_datapath'", SBT_PROVIDER, "ls_out_lb",
                 "ct.new && ip4.dst == 172.24.100.113", "ct_lb_mark();");
    want_acls(f, VM_FIP);
    AWAIT(f->db, sbt_acl_has(f->db, "flow switch-lb 92 dp=a4c535b5 ct.new && "
                                    "ip4.dst == 172.24.100.112 -> ct_lb"));
    assert_false(sbt_acl_has(f->db, "ip4.dst == 172.24.100.113 -> ct_lb"));
}

/* What is kept of which stages. */
static void
test_stages(void **statep)
{
    static const struct {
        const char *stage;      /* Stage. */
        const char *word;       /* What it is kept as, or NULL. */
        int priority;           /* Priority. */
        const char *match;      /* Match. */
        const char *actions;    /* Actions. */
    } rows[] = {
        { "ls_in_acl", "from", 2500, "tcp", "reject { };" },
        { "ls_in_acl", NULL, 999, "tcp", "next;" },
        { "ls_in_acl_eval", "from", 1000, "tcp", "next;" },
        { "ls_in_acl_after_lb", "from", 2500, "tcp", "next;" },
        { "ls_in_acl_after_lb_eval", "from", 2500, "tcp", "next;" },
        { "ls_in_acl_hint", NULL, 2500, "tcp", "next;" },
        { "ls_in_acl_action", "action", 1000, "tcp", "sample(a);" },
        { "ls_in_acl_action", NULL, 1000, "tcp", "reject { };" },
        { "ls_in_acl_after_lb_action", "action", 1000, "tcp", "sample(a);" },
        { "ls_out_acl_action", "action", 1000, "tcp", "sample(a);" },
        { "ls_out_acl_action", NULL, 1000, "tcp", "next;" },
        { "ls_in_lb", "switch-lb", 120, "ct.new", "drop;" },
        { "ls_in_stateful", "switch-lb", 120, "ct.new", "reject { };" },
        { "ls_in_stateful", NULL, 100, "reg0[1] == 1", "ct_commit { };" },
        { "ls_in_pre_lb", "switch-lb", 130, "tcp", "trigger_event(a);" },
        { "ls_in_pre_lb", NULL, 100, "ip", "reg0[2] = 1; next;" },
        { "ls_in_mirror", "mirror-in", 100, "ip", "mirror(a); next;" },
        { "ls_out_mirror", "mirror-out", 100, "ip", "mirror(a); next;" },
        { "lr_out_snat", "router-snat", 25, "ip", "ct_snat(192.0.2.1);" },
    };
    struct sbt *f = *statep;

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        db_server_exec(f->server, "{'op':'insert','table':'Logical_Flow',"
                       "'row':{'logical_datapath':['uuid','" SBT_PROVIDER "'],"
                       "'pipeline':'ingress','table_id':3,'priority':%d,"
                       "'match':'row %"PRIuSIZE" %s','actions':'%s',"
                       "'external_ids':['map',[['stage-name','%s']]]}}",
                       rows[i].priority, i, rows[i].match, rows[i].actions,
                       rows[i].stage);
    }
    want_acls(f, VM_PROVIDER);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char *mark = xasprintf(" row %"PRIuSIZE" ", i);
        char *line = xasprintf("flow %s %d dp=a4c535b5 row %"PRIuSIZE" %s ->"
                               " %s\n", rows[i].word ? rows[i].word : "",
                               rows[i].priority, i, rows[i].match,
                               rows[i].actions);

        assert_true(sbt_acl_has(f->db, rows[i].word ? line : mark)
                    == (rows[i].word != NULL));
        free(line);
        free(mark);
    }
}

/* Ports by which packets come in, and the port groups that they are in. */
static void
test_entrances(void **statep)
{
    struct sbt *f = *statep;

    db_server_exec(f->server, "{'op':'insert','table':'Port_Group','row':"
                   "{'name':'2_outside','ports':['set',['" LOCALNET "',"
                   "'elsewhere']]}},{'op':'insert','table':'Port_Group','row':"
                   "{'name':'2_both','ports':['set',['" LOCALNET "','"
                   VM_PROVIDER "']]}},{'op':'insert','table':'Port_Group',"
                   "'row':{'name':'2_other','ports':'elsewhere'}}");
    want_acls(f, VM_PROVIDER);
    assert_true(sset_contains(&sbt_acl(f->db)->entrances, LOCALNET));
    assert_false(sset_contains(&sbt_acl(f->db)->entrances, VM_PROVIDER));
    assert_true(sbt_acl_has(f->db, "group 2_outside entrance\n"));
    assert_true(sbt_acl_has(f->db, "group 2_both ports=[" VM_PROVIDER
                                   "] entrance\n"));
    assert_false(sbt_acl_has(f->db, "group 2_other"));
    forget_changes(f);

    db_server_exec(f->server, "{'op':'mutate','table':'Port_Group','where':[["
                   "'name','==','2_both']],'mutations':[['ports','delete','"
                   LOCALNET "']]}");
    AWAIT(f->db, sbt_acl_has(f->db, "group 2_both ports=[" VM_PROVIDER
                                    "]\n"));
    check_changes(f, 0, 1, 0, 0, false);

    /* Another one on the same network. */
    db_server_exec(f->server, "{'op':'insert','table':'Port_Binding','row':{"
                   "'logical_port':'second','type':'localnet','tunnel_key':99,"
                   "'datapath':['uuid','" SBT_PROVIDER "']}}");
    AWAIT(f->db, sset_contains(&sbt_acl(f->db)->entrances, "second"));

    /* A port ceases to be one. */
    sbt_update_binding(f->server, LOCALNET, "{'type':''}");
    AWAIT(f->db, !sset_contains(&sbt_acl(f->db)->entrances, LOCALNET)
          && sbt_acl(f->db)->current);
    assert_false(sbt_acl_has(f->db, "group 2_outside"));
    sbt_update_binding(f->server, LOCALNET, "{'type':'localnet'}");
    AWAIT(f->db, sset_contains(&sbt_acl(f->db)->entrances, LOCALNET)
          && sbt_acl(f->db)->current);
    assert_true(sbt_acl_has(f->db, "group 2_outside"));
}

/* Whoever does not want ACLs neither has nor gets them. */
static void
test_off(void **statep)
{
    struct sbt *f = *statep;

    sbt_claim(f->server, VM_PROVIDER, "cmp1", true);
    AWAIT(f->db, sbt_is_local(f->db, VM_PROVIDER)
          && sbt_state(f->db) == DB_SYNCED);
    unsigned int before = sbt_n_cells(f->db);
    assert_false(sbt_acl(f->db)->complete);
    assert_false(sbt_acl(f->db)->current);

    want_acls(f, VM_PROVIDER);
    size_t n_flows = hmap_count(&sbt_acl(f->db)->flows);
    assert_true(n_flows > 20);
    check_changes(f, n_flows, 2, 2, 1, true);

    sbt_target(f->db, f->server, "cmp1");
    assert_true(sb_db_run(f->db));
    char *text = dump_sb_acl(sbt_acl(f->db));
    assert_string_equal(text, "incomplete\n");
    free(text);
    check_changes(f, n_flows, 2, 2, 1, true);
    AWAIT(f->db, sbt_n_cells(f->db) == before);

    want_acls(f, VM_PROVIDER);
    check_changes(f, n_flows, 2, 2, 1, true);
}

/* Only the row that changed is named. */
static void
test_changes(void **statep)
{
    struct sbt *f = *statep;

    want_acls(f, VM_PROVIDER);
    forget_changes(f);
    sbt_set_mark(f->server, 7);
    AWAIT(f->db, sbt_has_mark(f->db, 7));
    check_changes(f, 0, 0, 0, 0, false);

    db_server_exec(f->server, "{'op':'mutate','table':'Address_Set','where':"
                   "[['name','==','" SET "']],'mutations':[['addresses',"
                   "'insert','10.1.0.9'],['addresses','delete','10.1.0.3']]}");
    AWAIT(f->db, sbt_acl_has(f->db, "set " SET " addresses=[10.1.0.9; "
                                    "172.24.100.50]\n"));
    check_changes(f, 0, 0, 1, 0, false);

    /* A member that another chassis has, and one of ours. */
    db_server_exec(f->server, "{'op':'mutate','table':'Port_Group','where':"
                   "[['name','==','2_" GROUP "']],'mutations':[['ports',"
                   "'insert','elsewhere']]}");
    db_server_exec(f->server, "{'op':'insert','table':'Port_Group','row':"
                   "{'name':'2_new','ports':['set',['" VM_PROVIDER "',"
                   "'elsewhere']]}}");
    AWAIT(f->db, sbt_acl_has(f->db, "group 2_new ports=[" VM_PROVIDER
                                    "]\n"));
    check_changes(f, 0, 1, 0, 0, false);
    db_server_exec(f->server, "{'op':'update','table':'Port_Group','where':"
                   "[['name','==','2_new']],'row':{'ports':'elsewhere'}}");
    AWAIT(f->db, !sbt_acl_has(f->db, "group 2_new"));
    check_changes(f, 0, 1, 0, 0, false);

    sbt_add_flow(f->server, "'logical_datapath'", SBT_PROVIDER, "ls_out_acl",
                 "ip6.src == $unknown", "next;");
    AWAIT(f->db, sbt_acl_has(f->db, "flow eval 92 dp=a4c535b5 ip6.src"));
    check_changes(f, 1, 0, 0, 0, false);
    sbt_add_flow(f->server, "'logical_datapath'", SBT_PROVIDER, "ls_in_acl",
                 "ip6.src == $unknown", "next;");
    sbt_delete_flows(f->server, "ip6.src == $unknown");
    AWAIT(f->db, !sbt_acl_has(f->db, "flow eval 92"));
    check_changes(f, 1, 0, 0, 0, false);

    db_server_exec(f->server, "{'op':'update','table':'Datapath_Binding',"
                   "'where':[['tunnel_key','==',2]],'row':{'tunnel_key':77}}");
    AWAIT(f->db, sbt_acl_has(f->db, "datapath a4c535b5 key=77\n"));
    check_changes(f, 0, 0, 0, 0, true);
    assert_true(sbt_acl(f->db)->current);

    /* Looking at all of it again finds nothing. */
    sb_db_recompute(f->db);
    assert_false(sb_db_run(f->db));
    check_changes(f, 0, 0, 0, 0, false);
}

/* Sets the tags of the logical flows of 'f' that match 'match' to 'tags'. */
static void
set_tags(struct sbt *f, const char *match, const char *tags)
{
    db_server_exec(f->server, "{'op':'update','table':'Logical_Flow','where':"
                   "[['match','==','%s']],'row':{'tags':['map',[%s]]}}",
                   match, tags);
}

/* Flows whose words conntrack is asked about are told from others. */
static void
test_tags(void **statep)
{
    struct sbt *f = *statep;

    sbt_add_flow(f->server, "'logical_datapath'", SBT_PROVIDER, "ls_out_acl",
                 "tcp", "next;");
    set_tags(f, "tcp", "['in_out_port','a'],['acl_ct_translation','true']");
    sbt_add_flow(f->server, "'logical_datapath'", SBT_PROVIDER, "ls_out_acl",
                 "udp", "next;");
    set_tags(f, "udp", "['in_out_port','a']");
    want_acls(f, VM_PROVIDER);
    assert_true(sbt_acl_has(f->db, "flow eval 92 ct-translated dp=a4c535b5 "
                                   "tcp -> next;"));
    assert_true(sbt_acl_has(f->db, "flow eval 92 dp=a4c535b5 udp -> next;"));
    forget_changes(f);

    /* ovn-controller takes any other word for false. */
    set_tags(f, "tcp", "['acl_ct_translation','1']");
    AWAIT(f->db, sbt_acl_has(f->db, "flow eval 92 dp=a4c535b5 tcp -> next;"));
    check_changes(f, 1, 0, 0, 0, false);
    set_tags(f, "udp", "['acl_ct_translation','TRUE']");
    AWAIT(f->db, sbt_acl_has(f->db, "flow eval 92 ct-translated dp=a4c535b5 "
                                    "udp -> next;"));
    check_changes(f, 1, 0, 0, 0, false);
}

/* Ports that are mirrored are told from others. */
static void
test_mirrored(void **statep)
{
    struct sbt *f = *statep;

    sbt_claim(f->server, VM_PROVIDER, "cmp1", true);
    AWAIT(f->db, sbt_is_local(f->db, VM_PROVIDER));
    assert_false(sbt_binding(f->db, VM_PROVIDER)->mirrored);
    db_server_exec(f->server, "{'op':'insert','table':'Mirror','uuid-name':"
                   "'m','row':{'name':'m','filter':'to-lport','sink':'a',"
                   "'type':'local','index':1}},"
                   "{'op':'update','table':'Port_Binding','where':"
                   "[['logical_port','==','" VM_PROVIDER "']],"
                   "'row':{'mirror_rules':['named-uuid','m']}}");
    AWAIT(f->db, sbt_binding(f->db, VM_PROVIDER)->mirrored);
    sbt_update_binding(f->server, VM_PROVIDER,
                       "{'mirror_rules':['set',[]],'type':'mirror'}");
    AWAIT(f->db, !strcmp(sbt_binding(f->db, VM_PROVIDER)->type, "mirror"));
    assert_true(sbt_binding(f->db, VM_PROVIDER)->mirrored);
}

/* Ports whose packets go to another chassis, too, are told from others. */
static void
test_shared(void **statep)
{
    struct sbt *f = *statep;

    sbt_claim(f->server, VM_PROVIDER, "cmp1", true);
    AWAIT(f->db, sbt_is_local(f->db, VM_PROVIDER));
    assert_false(sbt_binding(f->db, VM_PROVIDER)->shared);
    sbt_claim_additionally(f->server, VM_PROVIDER, "gw1", "");
    AWAIT(f->db, sbt_binding(f->db, VM_PROVIDER)->shared);
    assert_false(sbt_binding(f->db, VM_PROVIDER)->additional);
    sbt_update_binding(f->server, VM_PROVIDER,
                       "{'additional_chassis':['set',[]]}");
    AWAIT(f->db, !sbt_binding(f->db, VM_PROVIDER)->shared);
}

/* Tables that the server does not have are empty; and another server has
 * them. */
static void
test_missing_tables(void **statep)
{
    static const char *const edits[] = {
        "-Port_Group",
        "-Address_Set",
        "-Logical_Flow.logical_dp_group",
        "-Logical_Flow.tags",
        "-Load_Balancer.datapath_group",
        "-Load_Balancer.ls_datapath_group",
        "-Load_Balancer.lr_datapath_group",
        "-Logical_DP_Group",
        NULL,
    };
    struct sbt *f = *statep;
    struct db_server *old = db_server_create(f->dir, "old");

    db_server_use_fixture(old, "sb-2403.db");
    db_server_edit_schema(old, edits);
    db_server_start(old);
    sbt_claim(old, VM_PROVIDER, "cmp1", true);
    sbt_target_acl(f->db, old, "cmp1");
    AWAIT(f->db, sbt_acl(f->db)->current
          && sset_contains(&sbt_acl(f->db)->ports, VM_PROVIDER));
    assert_true(sbt_acl_has(f->db, "flow pre 110 dp=a4c535b5 ip && outport"));
    assert_true(hmap_is_empty(&sbt_acl(f->db)->port_groups));
    assert_true(hmap_is_empty(&sbt_acl(f->db)->address_sets));
    assert_true(sbt_acl_has(f->db, "datapath a4c535b5 key=2\n"));
    /* Monitored by a condition. */
    assert_in_range(sbt_n_cells(f->db), 1, 1000);

    want_acls(f, VM_PROVIDER);
    assert_true(sbt_acl_has(f->db, "group 2_" GROUP));
    assert_true(sbt_acl_has(f->db, "set " SET));
    AWAIT(f->db, !sbt_acl_has(f->db, "group 1_"));

    sbt_target_acl(f->db, old, "cmp1");
    AWAIT(f->db, sbt_acl(f->db)->current
          && hmap_is_empty(&sbt_acl(f->db)->port_groups));
    assert_in_range(sbt_n_cells(f->db), 1, 1000);
    db_server_destroy(old);
}

/* Runs the tests, or says why they cannot run. */
int
main(int argc, char *argv[])
{
#define TEST(NAME) \
    cmocka_unit_test_setup_teardown(NAME, sbt_setup, sbt_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_fixture_2303),
        TEST(test_fixture_2403),
        TEST(test_scope),
        TEST(test_front),
        TEST(test_stages),
        TEST(test_entrances),
        TEST(test_off),
        TEST(test_changes),
        TEST(test_tags),
        TEST(test_mirrored),
        TEST(test_shared),
        TEST(test_missing_tables),
    };

    if (!db_test_init(argc, argv)) {
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
