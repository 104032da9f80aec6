/* SPDX-License-Identifier: Apache-2.0 */
/* Tests that what idl/sb-db.c shows of ACLs is never a half, whatever the
 * order in which it arrives: not while northd replaces a group of datapaths,
 * nor while a port comes, nor while the connection is lost.
 *
 * OVN_XDP_TEST_SEED replaces the seed of the random test, which is printed.
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

#include "openvswitch/dynamic-string.h"
#include "random.h"
#include "util.h"
#include "uuid.h"

#include "tests/db/db-dump.h"
#include "tests/db/sbt.h"

/* A port group and an address set of the fixture, and one that is added. */
#define GROUP "pg_7b6f2f10_1111_4000_8000_00000000000a"
#define SET GROUP "_ip4"

/* What was seen of a view on the way to another one. */
struct seen {
    size_t n_flows;             /* Flows that must always be there. */
    unsigned int n_stale;       /* Times that it was not current. */
};

/* Makes 'f' a client that wants ACLs, and waits until it has those of VMs on
 * both networks. */
static void
want_acls(struct sbt *f)
{
    sbt_claim(f->server, VM_PROVIDER, "cmp1", true);
    sbt_claim(f->server, VM_FIP, "cmp1", true);
    sbt_target_acl(f->db, f->server, "cmp1");
    AWAIT(f->db, sbt_acl(f->db)->current
          && sset_count(&sbt_acl(f->db)->ports) == 2
          && sbt_acl_has(f->db, "flow router-dnat")
          && sbt_acl_has(f->db, "link " GW_ROUTER_PORT));
}

/* Checks what is true of the ACLs of 'db' at any time, and counts in 'seen'.
 * Returns true. */
static bool
is_whole(const struct sb_db *db, struct seen *seen)
{
    const struct sb_acl_view *view = sbt_acl(db);
    const struct sb_acl_flow *flow;

    seen->n_stale += !view->current;
    assert_true(hmap_count(&view->flows) >= seen->n_flows);
    HMAP_FOR_EACH (flow, node, &view->flows) {
        assert_true(flow->n_datapaths > 0);
        for (size_t i = 0; i < flow->n_datapaths; i++) {
            assert_non_null(sb_acl_find_datapath(view, &flow->datapaths[i]));
        }
        if (strstr(flow->match, "$" SET)) {
            assert_non_null(sb_acl_find_address_set(view, SET));
        }
        if (strstr(flow->match, "$fresh")) {
            assert_non_null(sb_acl_find_address_set(view, "fresh"));
        }
    }
    if (sset_contains(&view->ports, VM_FIP)) {
        const struct sb_port_group *group
            = sb_acl_find_port_group(view, "1_" GROUP);

        assert_non_null(group);
        assert_true(sset_contains(&group->ports, VM_FIP));
    }
    return true;
}

/* Has 'server' put a flow that matches 'mark' and all that belong to the group
 * 'uuid' into a new group, with one more network, in one transaction. */
static char *
replace_group(const struct db_server *server, const char *uuid,
              const char *mark)
{
    static int tunnel_key = 500;
    char *reply = db_server_transact(
        server, "{'op':'insert','table':'Datapath_Binding','uuid-name':'d',"
        "'row':{'tunnel_key':%d}},"
        "{'op':'insert','table':'Logical_DP_Group','uuid-name':'g','row':{"
        "'datapaths':['set',[['named-uuid','d'],['uuid','" SBT_TENANT "'],"
        "['uuid','" SBT_PROVIDER "']]]}},"
        "{'op':'update','table':'Logical_Flow','where':[['logical_dp_group',"
        "'==',['uuid','%s']]],'row':{'logical_dp_group':['named-uuid','g']}},"
        "{'op':'insert','table':'Logical_Flow','row':{'logical_dp_group':"
        "['named-uuid','g'],'pipeline':'egress','table_id':4,'priority':1,"
        "'match':'%s','actions':'next;','external_ids':['map',[['stage-name',"
        "'ls_out_acl_eval']]]}}", tunnel_key++, uuid, mark);
    const char *second = strstr(strstr(reply, "\"uuid\",\"") + 1,
                                "\"uuid\",\"");

    assert_non_null(second);
    char *group = xmemdup0(second + strlen("\"uuid\",\""), UUID_LEN);
    free(reply);
    return group;
}

/* A network is added: northd puts all flows of a group into another one.  No
 * flow changes, and none is missing in between. */
static void
test_group_replaced(void **statep)
{
    struct sbt *f = *statep;
    struct seen seen = { .n_flows = 0 };
    char *group = xstrdup(SBT_SWITCHES);
    struct sb_acl_changes changes;

    want_acls(f);
    sb_acl_changes_init(&changes);
    sb_db_take_acl_changes(f->db, &changes);
    seen.n_flows = hmap_count(&sbt_acl(f->db)->flows);
    for (int i = 0; i < 10; i++) {
        char *mark = xasprintf("mark %d", i);
        char *next = replace_group(f->server, group, mark);

        seen.n_stale = 0;
        AWAIT(f->db, is_whole(f->db, &seen) && sbt_acl(f->db)->current
              && sbt_acl_has(f->db, mark));
        assert_true(seen.n_stale > 0);
        seen.n_flows++;
        free(group);
        free(mark);
        group = next;
    }
    sb_acl_changes_clear(&changes);
    sb_db_take_acl_changes(f->db, &changes);
    assert_int_equal(hmap_count(&changes.flows.rows), 10);
    assert_true(sset_is_empty(&changes.sets));
    assert_true(sset_is_empty(&changes.groups));
    sb_acl_changes_destroy(&changes);
    free(group);
}

/* Has 'server' give the group of both switches the datapaths 'set', JSON. */
static void
set_group(const struct db_server *server, const char *set)
{
    db_server_exec(server, "{'op':'update','table':'Logical_DP_Group','where':"
                   "[['_uuid','==',['uuid','" SBT_SWITCHES "']]],'row':{"
                   "'datapaths':['set',[%s]]}}", set);
}

/* A group that stays and has other datapaths. */
static void
test_group_modified(void **statep)
{
    struct sbt *f = *statep;

    want_acls(f);
    set_group(f->server, "['uuid','" SBT_PROVIDER "']");
    AWAIT(f->db, sbt_acl(f->db)->current
          && sbt_acl_has(f->db, "flow pre 0 dp=a4c535b5 1"));
    assert_false(sbt_acl_has(f->db, "dp=6335fe8c,a4c535b5"));
    assert_true(sbt_acl_has(f->db, "flow pre 2002 dp=6335fe8c outport"));

    set_group(f->server, "['uuid','" SBT_PROVIDER "'],['uuid','" SBT_TENANT
                         "'],['uuid','" SBT_ROUTER "']");
    AWAIT(f->db, sbt_acl(f->db)->current
          && sbt_acl_has(f->db, "flow pre 0 dp=6335fe8c,a4c535b5,a6db7a96 1"));

    set_group(f->server, "");
    AWAIT(f->db, sbt_acl(f->db)->current
          && !sbt_acl_has(f->db, "flow pre 0 "));
    assert_true(sbt_acl_has(f->db, "flow pre 2002 dp=6335fe8c outport"));
}

/* A flow never comes before the set that it names.  What names a set keeps
 * it. */
static void
test_set_named(void **statep)
{
    struct sbt *f = *statep;
    struct seen seen = { .n_flows = 0 };

    want_acls(f);
    db_server_exec(f->server, "{'op':'insert','table':'Address_Set','row':{"
                   "'name':'fresh','addresses':'192.0.2.1'}}");
    for (int i = 0; i < 10; i++) {
        seen.n_stale = 0;
        sbt_add_flow(f->server, "'logical_dp_group'", SBT_SWITCHES,
                     "ls_out_acl", "ip4.src == {$fresh, $" SET "}", "next;");
        AWAIT(f->db, is_whole(f->db, &seen) && sbt_acl(f->db)->current
              && sbt_acl_has(f->db, "{$fresh, $"));
        assert_true(seen.n_stale > 0);
        assert_true(sbt_acl_has(f->db, "set fresh addresses=[192.0.2.1]\n"));

        sbt_delete_flows(f->server, "ip4.src == {$fresh, $" SET "}");
        AWAIT(f->db, is_whole(f->db, &seen) && sbt_acl(f->db)->current
              && !sbt_acl_has(f->db, "{$fresh, $"));
        assert_false(sbt_acl_has(f->db, "set fresh"));
        assert_true(sbt_acl_has(f->db, "set " SET));
    }
}

/* A port that comes is not known before its groups are, and its binding does
 * not wait for that. */
static void
test_port_comes(void **statep)
{
    struct sbt *f = *statep;
    struct seen seen = { .n_flows = 0 };

    want_acls(f);
    for (int i = 0; i < 10; i++) {
        sbt_release(f->server, VM_FIP);
        AWAIT(f->db, is_whole(f->db, &seen) && sbt_acl(f->db)->current
              && !sset_contains(&sbt_acl(f->db)->ports, VM_FIP));
        assert_false(sbt_acl_has(f->db, "group 1_"));

        sbt_claim(f->server, VM_FIP, "cmp1", true);
        AWAIT(f->db, is_whole(f->db, &seen) && sbt_is_local(f->db, VM_FIP));
        assert_false(sset_contains(&sbt_acl(f->db)->ports, VM_FIP));
        assert_false(sbt_acl(f->db)->current);
        AWAIT(f->db, is_whole(f->db, &seen) && sbt_acl(f->db)->current
              && sset_contains(&sbt_acl(f->db)->ports, VM_FIP));
    }
}

/* While the connection is lost the view stays, and is not current; then it is
 * what is there now. */
static void
test_reconnect(void **statep)
{
    struct sbt *f = *statep;
    struct seen seen = { .n_flows = 0 };

    want_acls(f);
    size_t n_flows = hmap_count(&sbt_acl(f->db)->flows);

    db_server_disconnect_all(f->server);
    AWAIT(f->db, sbt_state(f->db) == DB_CONNECTING);
    assert_false(sbt_acl(f->db)->current);
    assert_true(sbt_acl(f->db)->complete);
    assert_int_equal(hmap_count(&sbt_acl(f->db)->flows), n_flows);
    sbt_delete_flows(f->server, "eth.mcast");
    AWAIT(f->db, is_whole(f->db, &seen) && sbt_acl(f->db)->current);
    assert_false(sbt_acl_has(f->db, "eth.mcast"));

    /* Another process, which sends all contents again, and not what went
     * before we are back. */
    db_server_stop(f->server);
    AWAIT(f->db, is_whole(f->db, &seen)
          && sbt_state(f->db) == DB_CONNECTING);
    assert_false(sbt_acl(f->db)->current);
    assert_true(sbt_acl_has(f->db, "ct.inv"));
    db_server_start(f->server);
    db_server_exec(f->server, "{'op':'delete','table':'Logical_Flow','where':"
                   "[['priority','==',65532]]},"
                   "{'op':'delete','table':'Port_Group','where':"
                   "[['name','==','2_neutron_pg_drop']]},"
                   "{'op':'delete','table':'Address_Set','where':"
                   "[['name','==','svc_monitor_mac']]}");
    AWAIT(f->db, is_whole(f->db, &seen) && sbt_acl(f->db)->current);
    assert_false(sbt_acl_has(f->db, "ct.inv"));
    assert_false(sbt_acl_has(f->db, "group 2_neutron_pg_drop"));
    assert_false(sbt_acl_has(f->db, "set svc_monitor_mac"));
    n_flows = hmap_count(&sbt_acl(f->db)->flows);

    /* For ever without a remote. */
    sbt_target_acl(f->db, NULL, "cmp1");
    sb_db_run(f->db);
    assert_false(sbt_acl(f->db)->current);
    assert_int_equal(hmap_count(&sbt_acl(f->db)->flows), n_flows);
}

/* Makes one random change of 'server' that may matter to ACLs.  '*groupp' is
 * the group of the switches' flows. */
static void
change_something(const struct db_server *server, char **groupp)
{
    static const char *const vms[] = { VM_PROVIDER, VM_FIP, VM_OTHER };
    static const char *const matches[] = {
        "ip4.src == $fresh", "ip4.src == $" SET, "ip4 && outport == @a",
    };
    const char *vm = vms[random_range(ARRAY_SIZE(vms))];
    const char *match = matches[random_range(ARRAY_SIZE(matches))];
    char *next;

    switch (random_range(8)) {
    case 0:
        sbt_claim(server, vm, random_range(3) ? "cmp1" : "gw1", true);
        break;
    case 1:
        next = replace_group(server, *groupp, "random");
        free(*groupp);
        *groupp = next;
        break;
    case 2:
        sbt_delete_flows(server, "random");
        break;
    case 3:
        sbt_add_flow(server, "'logical_dp_group'", *groupp, "ls_out_acl_eval",
                     match, "next;");
        break;
    case 4:
        sbt_add_flow(server, "'logical_datapath'",
                     random_range(2) ? SBT_TENANT : SBT_ROUTER,
                     random_range(2) ? "lr_in_dnat" : "ls_out_acl", match,
                     "next;");
        break;
    case 5:
        sbt_delete_flows(server, match);
        break;
    case 6:
        db_server_exec(server, "{'op':'update','table':'Port_Group','where':"
                       "[['name','==','1_neutron_pg_drop']],'row':{'ports':"
                       "['set',['%s','x']]}}", vm);
        break;
    default:
        db_server_exec(server, "{'op':'mutate','table':'Address_Set','where':"
                       "[['name','==','%s']],'mutations':[['addresses','%s',"
                       "'192.0.2.%d']]}", random_range(2) ? "fresh" : SET,
                       random_range(2) ? "insert" : "delete",
                       (int) random_range(4));
        break;
    }
}

/* Returns true if 'db' has the mark with 'tag' and current ACLs. */
static bool
has_all(const struct sb_db *db, int tag)
{
    return (sbt_has_mark(db, tag) && sbt_acl(db)->current
            && sbt_state(db) == DB_SYNCED);
}

/* After any changes the view is what a client sees that has just started; and
 * whole on the way. */
static void
test_random(void **statep)
{
    const char *text = getenv("OVN_XDP_TEST_SEED");
    uint32_t seed = text ? strtoul(text, NULL, 10) : 1;
    struct sbt *f = *statep;
    struct seen seen = { .n_flows = 0 };
    char *group = xstrdup(SBT_SWITCHES);

    print_message("seed %"PRIu32"\n", seed);
    random_set_seed(seed);
    db_server_exec(f->server, "{'op':'insert','table':'Address_Set','row':{"
                   "'name':'fresh','addresses':'192.0.2.1'}}");
    want_acls(f);
    for (int i = 1; i <= 30; i++) {
        for (int n = random_range(6); n >= 0; n--) {
            change_something(f->server, &group);
            for (int runs = random_range(3); runs > 0; runs--) {
                sb_db_run(f->db);
                is_whole(f->db, &seen);
            }
        }
        sbt_set_mark(f->server, i);
        AWAIT(f->db, is_whole(f->db, &seen) && has_all(f->db, i));

        struct sb_db *fresh = sb_db_create();
        sbt_target_acl(fresh, f->server, "cmp1");
        AWAIT(fresh, is_whole(fresh, &seen) && has_all(fresh, i));
        char *a = dump_sb_acl(sbt_acl(f->db));
        char *b = dump_sb_acl(sbt_acl(fresh));
        assert_string_equal(a, b);
        free(a);
        free(b);
        sb_db_destroy(fresh);
    }
    free(group);
}

/* Runs the tests, or says why they cannot run. */
int
main(int argc, char *argv[])
{
#define TEST(NAME) \
    cmocka_unit_test_setup_teardown(NAME, sbt_setup, sbt_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_group_replaced),
        TEST(test_group_modified),
        TEST(test_set_named),
        TEST(test_port_comes),
        TEST(test_reconnect),
        TEST(test_random),
    };

    if (!db_test_init(argc, argv)) {
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
