/* SPDX-License-Identifier: Apache-2.0 */
/* Tests what idl/sb-db.c tells layer L3 beside ports and ACLs: which logical
 * datapaths changed.
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

#include "packets.h"
#include "random.h"
#include "sset.h"
#include "util.h"
#include "uuid.h"

#include "tests/db/path-bed.h"
#include "tests/db/sbt.h"

/* Cells of the replica that a MAC binding has. */
#define LEARNED_CELLS 4
#define STATIC_CELLS 5

/* Adds to 'table' of 'server' a binding of 'ip' to 'mac' at 'datapath', with
 * 'more' of the row. */
static void
add_mac(const struct db_server *server, const char *table,
        const char *datapath, const char *ip, const char *mac,
        const char *more)
{
    db_server_exec(server, "{'op':'insert','table':'%s','row':{'datapath':"
                   "['uuid','%s'],'logical_port':'" GW_ROUTER_PORT "','ip':"
                   "'%s','mac':'%s'%s}}", table, datapath, ip, mac, more);
}

/* Tests. */

/* Learned and configured MACs of routers that matter, and no others. */
static void
test_macs(void **statep)
{
    struct sbt *f = *statep;

    path_bed_add_foreign(f->server);
    add_mac(f->server, "MAC_Binding", SBT_ROUTER, "172.24.100.1",
            "00:00:00:00:00:01", "");
    path_bed_want(f);
    check_changed(f, NULL, NULL);

    /* What OVN did not know. */
    add_mac(f->server, "MAC_Binding", SBT_ROUTER, "172.24.100.2",
            "00:00:00:00:00:02", "");
    check_changed(f, NULL, NULL);

    db_server_exec(f->server, "{'op':'update','table':'MAC_Binding','where':"
                   "[['ip','==','172.24.100.1']],'row':{'timestamp':1}}");
    check_changed(f, NULL, NULL);
    db_server_exec(f->server, "{'op':'update','table':'MAC_Binding','where':"
                   "[['ip','==','172.24.100.1']],'row':{'mac':"
                   "'00:00:00:00:00:03'}}");
    check_changed(f, SBT_ROUTER, NULL);
    db_server_exec(f->server, "{'op':'delete','table':'MAC_Binding','where':"
                   "[['ip','==','172.24.100.2']]}");
    check_changed(f, SBT_ROUTER, NULL);

    add_mac(f->server, "Static_MAC_Binding", SBT_ROUTER, "172.24.100.3",
            "00:00:00:00:00:03", "");
    check_changed(f, SBT_ROUTER, NULL);
    db_server_exec(f->server, "{'op':'update','table':'Static_MAC_Binding',"
                   "'where':[],'row':{'override_dynamic_mac':true}}");
    check_changed(f, SBT_ROUTER, NULL);
    db_server_exec(f->server, "{'op':'delete','table':'Static_MAC_Binding',"
                   "'where':[]}");
    check_changed(f, SBT_ROUTER, NULL);

    /* Of others. */
    add_mac(f->server, "MAC_Binding", FOREIGN, "172.24.100.4",
            "00:00:00:00:00:04", "");
    add_mac(f->server, "Static_MAC_Binding", FOREIGN, "172.24.100.5",
            "00:00:00:00:00:05", "");
    db_server_exec(f->server, "{'op':'update','table':'MAC_Binding','where':"
                   "[['ip','==','172.24.100.4']],'row':{'mac':"
                   "'00:00:00:00:00:06'}}");
    check_changed(f, NULL, NULL);
}

/* Flows by what a change of them means, at a router and at networks. */
static void
test_flows(void **statep)
{
    enum { NO, WAY, JUDGED };
    static const struct {
        const char *datapath;   /* Datapath. */
        const char *stage;      /* Stage. */
        const char *actions;    /* Actions. */
        int changes;            /* What of the above that changes. */
    } rows[] = {
        { SBT_ROUTER, "lr_in_ip_routing", "reg0 = 172.24.100.9; next;", WAY },
        { SBT_ROUTER, "lr_in_ip_routing_pre", "reg7 = 1; next;", WAY },
        { SBT_ROUTER, "lr_in_ip_routing_ecmp", "next;", WAY },
        { SBT_ROUTER, "lr_in_policy", "drop;", WAY },
        { SBT_ROUTER, "lr_in_policy_ecmp", "next;", WAY },
        { SBT_ROUTER, "lr_in_arp_resolve", "eth.dst = 0; next;", NO },
        { SBT_ROUTER, "lr_in_unsnat", "ct_snat;", NO },
        { SBT_ROUTER, "lr_in_chk_pkt_len", "next;", NO },
        { SBT_ROUTER, "lr_in_chk_pkt_len", "reg9[1] = check_pkt_larger(918);"
                      " next;", JUDGED },
        { SBT_TENANT, "ls_in_qos_mark", "ip.dscp = 16; next;", NO },
        { SBT_TENANT, "ls_out_qos_meter", "set_meter(1); next;", JUDGED },
        { SBT_PROVIDER, "ls_in_qos", "set_meter(1); next;", JUDGED },
        { SBT_PROVIDER, "ls_out_later", "set_meter(1); next;", JUDGED },
        { SBT_PROVIDER, "ls_in_l2_lkup", "next;", NO },
        { FOREIGN, "lr_in_ip_routing", "next;", NO },
        { FOREIGN, "ls_in_qos", "set_meter(1); next;", NO },
    };
    struct sbt *f = *statep;

    path_bed_add_foreign(f->server);
    path_bed_want(f);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const char *way = rows[i].changes == WAY ? rows[i].datapath : NULL;
        bool foreign = !strcmp(rows[i].datapath, FOREIGN);

        sbt_add_flow(f->server, "'logical_datapath'", rows[i].datapath,
                     rows[i].stage, "row", rows[i].actions);
        path_bed_check(f, way, NULL, rows[i].changes == JUDGED, i);
        db_server_exec(f->server, "{'op':'update','table':'Logical_Flow',"
                       "'where':[['match','==','row']],'row':{'actions':"
                       "'set_meter(2);'}}");
        path_bed_check(f, way, NULL, !foreign, i);
        sbt_delete_flows(f->server, "row");
        path_bed_check(f, NULL, NULL, !foreign, i);
    }
}

/* A route of the fixture that leads elsewhere. */
static void
test_route(void **statep)
{
    struct sbt *f = *statep;

    path_bed_want(f);
    db_server_exec(f->server, "{'op':'update','table':'Logical_Flow','where':"
                   "[['match','==','reg7 == 0 && ip4.dst == 0.0.0.0/0'],"
                   "['logical_datapath','==',['uuid','" SBT_ROUTER "']]],"
                   "'row':{'actions':'drop;'}}");
    check_changed(f, SBT_ROUTER, NULL);

    /* Looking at all of it again finds nothing. */
    sb_db_recompute(f->db);
    check_changed(f, NULL, NULL);
}

/* Flows of a group of datapaths. */
static void
test_group(void **statep)
{
    struct sbt *f = *statep;

    path_bed_want(f);
    sbt_add_flow(f->server, "'logical_dp_group'", SBT_SWITCHES, "ls_in_qos",
                 "row", "set_meter(1);");
    check_judged(f);
    sbt_add_flow(f->server, "'logical_dp_group'", SBT_SWITCHES,
                 "lr_in_policy", "row", "next;");
    check_changed(f, SBT_TENANT, SBT_PROVIDER);

    /* One of them leaves it, and comes back. */
    db_server_exec(f->server, "{'op':'update','table':'Logical_DP_Group',"
                   "'where':[['_uuid','==',['uuid','" SBT_SWITCHES "']]],"
                   "'row':{'datapaths':['uuid','" SBT_TENANT "']}}");
    check_both(f, SBT_PROVIDER);
    db_server_exec(f->server, "{'op':'update','table':'Logical_DP_Group',"
                   "'where':[['_uuid','==',['uuid','" SBT_SWITCHES "']]],"
                   "'row':{'datapaths':['set',[['uuid','" SBT_TENANT "'],"
                   "['uuid','" SBT_PROVIDER "']]]}}");
    check_both(f, SBT_PROVIDER);

    /* northd puts its flows into another one: nothing changes. */
    db_server_exec(f->server, "{'op':'insert','table':'Logical_DP_Group',"
                   "'uuid-name':'g','row':{'datapaths':['set',[['uuid','"
                   SBT_TENANT "'],['uuid','" SBT_PROVIDER "']]]}},"
                   "{'op':'update','table':'Logical_Flow','where':[["
                   "'logical_dp_group','==',['uuid','" SBT_SWITCHES "']]],"
                   "'row':{'logical_dp_group':['named-uuid','g']}}");
    check_changed(f, NULL, NULL);
    assert_true(path_bed_is_metered(f, VM_FIP, NULL));
}

/* What changed while there was no connection is a change, and no more. */
static void
test_reconnect(void **statep)
{
    struct sbt *f = *statep;

    add_mac(f->server, "MAC_Binding", SBT_ROUTER, "172.24.100.1",
            "00:00:00:00:00:01", "");
    path_bed_want(f);
    check_changed(f, NULL, NULL);
    db_server_disconnect_all(f->server);
    AWAIT(f->db, sbt_state(f->db) == DB_CONNECTING);
    AWAIT(f->db, path_bed_is_ready(f));
    check_changed(f, NULL, NULL);

    db_server_stop(f->server);
    AWAIT(f->db, sbt_state(f->db) == DB_CONNECTING);
    assert_true(path_bed_is_metered(f, VM_PROVIDER, NULL));
    db_server_start(f->server);
    db_server_exec(f->server, "{'op':'delete','table':'Logical_Flow','where':"
                   "[['actions','==','set_meter(50000, 40000); next;']]}");
    AWAIT(f->db, path_bed_is_ready(f));
    check_judged(f);
    assert_false(path_bed_is_metered(f, VM_PROVIDER, NULL));

    db_server_stop(f->server);
    AWAIT(f->db, sbt_state(f->db) == DB_CONNECTING);
    db_server_start(f->server);
    db_server_exec(f->server, "{'op':'delete','table':'MAC_Binding','where':"
                   "[]}");
    AWAIT(f->db, path_bed_is_ready(f));
    check_changed(f, SBT_ROUTER, NULL);
}

/* Who does not ask for it does not have it, nor does the replica. */
static void
test_off(void **statep)
{
    struct sset datapaths = SSET_INITIALIZER(&datapaths);
    struct sbt *f = *statep;
    bool judge;

    path_bed_seqno = 0;
    path_bed_claim(f->server);
    sbt_target_acl(f->db, f->server, "cmp1");
    AWAIT(f->db, path_bed_is_ready(f));
    unsigned int before = sbt_n_cells(f->db);
    for (int i = 1; i <= 9; i++) {
        char *ip = xasprintf("172.24.100.%d", i);

        add_mac(f->server, "MAC_Binding", SBT_ROUTER, ip,
                "00:00:00:00:00:01", "");
        free(ip);
    }
    add_mac(f->server, "Static_MAC_Binding", SBT_ROUTER, "172.24.100.3",
            "00:00:00:00:00:03", "");
    sbt_add_flow(f->server, "'logical_datapath'", SBT_ROUTER,
                 "lr_in_ip_routing", "row", "next;");
    check_changed(f, NULL, NULL);
    sbt_delete_flows(f->server, "row");
    check_changed(f, NULL, NULL);
    assert_int_equal(sbt_n_cells(f->db), before);
    assert_false(path_bed_is_metered(f, VM_PROVIDER, NULL));

    /* Neither does who wants no ACLs. */
    sb_db_set_target(f->db, &(struct sb_target) {
        .remote = db_server_remote(f->server), .chassis = "cmp1",
        .path = true });
    AWAIT(f->db, sbt_n_cells(f->db) < before);
    assert_int_equal(sb_db_take_path_changes(f->db, &datapaths, &judge),
                     path_bed_seqno);
    assert_true(sset_is_empty(&datapaths) && !judge);

    sbt_target_path(f->db, f->server, "cmp1");
    AWAIT(f->db, path_bed_is_ready(f));
    assert_int_equal(sbt_n_cells(f->db),
                     before + 9 * LEARNED_CELLS + STATIC_CELLS);
    assert_true(path_bed_is_metered(f, VM_PROVIDER, NULL));
    path_bed_check_known(f);

    sbt_target_acl(f->db, f->server, "cmp1");
    AWAIT(f->db, path_bed_is_ready(f));
    assert_int_equal(sbt_n_cells(f->db), before);
    assert_false(path_bed_is_metered(f, VM_PROVIDER, NULL));
    check_changed(f, NULL, NULL);
    sset_destroy(&datapaths);
}

/* Servers without the tables of MAC bindings. */
static void
test_missing_tables(void **statep)
{
    static const char *const no_static[] = { "-Static_MAC_Binding", NULL };
    static const char *const none[] = { "-MAC_Binding", NULL };
    struct sbt *f = *statep;

    db_server_stop(f->server);
    db_server_edit_schema(f->server, no_static);
    db_server_start(f->server);
    path_bed_want(f);
    assert_true(path_bed_is_metered(f, VM_PROVIDER, NULL));
    add_mac(f->server, "MAC_Binding", SBT_ROUTER, "172.24.100.1",
            "00:00:00:00:00:01", "");
    check_changed(f, NULL, NULL);
    db_server_exec(f->server, "{'op':'delete','table':'MAC_Binding','where':"
                   "[]}");
    check_changed(f, SBT_ROUTER, NULL);

    db_server_stop(f->server);
    db_server_edit_schema(f->server, none);
    db_server_start(f->server);
    AWAIT(f->db, sbt_state(f->db) == DB_CONNECTING);
    AWAIT(f->db, path_bed_is_ready(f));
    sbt_delete_flows(f->server, "outport == \\\"" VM_PROVIDER "\\\"");
    check_judged(f);
    assert_false(path_bed_is_metered(f, VM_PROVIDER, NULL));
}

/* A datapath that begins or ceases to matter is no change. */
static void
test_scope(void **statep)
{
    struct sbt *f = *statep;

    path_bed_seqno = 0;
    sbt_claim(f->server, VM_PROVIDER, "cmp1", true);
    sbt_target_path(f->db, f->server, "cmp1");
    AWAIT(f->db, sbt_acl(f->db)->current && sbt_state(f->db) == DB_SYNCED
          && sset_count(&sbt_acl(f->db)->ports) == 1);
    path_bed_check_known(f);
    assert_false(path_bed_crosses(f, VM_PROVIDER, NULL, SBT_ROUTER));

    sbt_claim(f->server, VM_FIP, "cmp1", true);
    AWAIT(f->db, path_bed_is_ready(f));
    check_changed(f, NULL, NULL);
    assert_true(path_bed_crosses(f, VM_FIP, NULL, SBT_ROUTER));
    sbt_release(f->server, VM_FIP);
    AWAIT(f->db, sset_count(&sbt_acl(f->db)->ports) == 1);
    check_changed(f, NULL, NULL);
}

/* A network that leads to another router than before has changed. */
static void
test_links(void **statep)
{
    static const char *const delete
        = "{'op':'delete','table':'Port_Binding','where':"
          "[['logical_port','==','22222222-aaaa-4000-8000-000000000002']]}";
    struct sbt *f = *statep;

    path_bed_want(f);
    check_changed(f, NULL, NULL);
    db_server_exec(f->server, "%s", delete);
    AWAIT(f->db, !path_bed_crosses(f, VM_FIP, NULL, SBT_ROUTER));
    check_changed(f, SBT_TENANT, NULL);
    db_server_exec(f->server, "{'op':'insert','table':'Port_Binding','row':{"
                   "'logical_port':'22222222-aaaa-4000-8000-000000000002',"
                   "'type':'patch','tunnel_key':99,'datapath':['uuid','"
                   SBT_TENANT "'],'options':['map',[['peer','lrp-22222222-"
                   "aaaa-4000-8000-000000000002']]]}}");
    AWAIT(f->db, path_bed_crosses(f, VM_FIP, NULL, SBT_ROUTER));
    check_changed(f, SBT_TENANT, NULL);
}

/* What a random change concerns. */
enum concern {
    NOTHING,                    /* No datapath. */
    ROUTER,                     /* The router. */
    SWITCHES                    /* Both networks. */
};

/* Has northd put all flows of '*groupp' into another group, in one
 * transaction. */
static void
replace_group(const struct db_server *server, char **groupp)
{
    char *reply = db_server_transact(
        server, "{'op':'insert','table':'Logical_DP_Group','uuid-name':'g',"
        "'row':{'datapaths':['set',[['uuid','" SBT_TENANT "'],['uuid','"
        SBT_PROVIDER "']]]}},{'op':'update','table':'Logical_Flow','where':"
        "[['logical_dp_group','==',['uuid','%s']]],'row':{"
        "'logical_dp_group':['named-uuid','g']}}", *groupp);
    const char *uuid = strstr(reply, "\"uuid\",\"");

    assert_non_null(uuid);
    free(*groupp);
    *groupp = xmemdup0(uuid + strlen("\"uuid\",\""), UUID_LEN);
    free(reply);
}

/* Makes the random change number 'i' on the server of 'f', where '*groupp' is
 * the group of both networks.  Returns what it concerns. */
static enum concern
change_something(struct sbt *f, int i, char **groupp)
{
    char *match = xasprintf("row %d", i);
    enum concern concern = NOTHING;

    switch (random_range(5)) {
    case 0:
        sbt_add_flow(f->server, "'logical_datapath'", SBT_ROUTER,
                     "lr_in_policy", match, "next;");
        concern = ROUTER;
        break;
    case 1:
        sbt_add_flow(f->server, "'logical_dp_group'", *groupp,
                     "lr_in_policy", match, "next;");
        concern = SWITCHES;
        break;
    case 2:
        replace_group(f->server, groupp);
        break;
    case 3:
        db_server_exec(f->server, "{'op':'update','table':'MAC_Binding',"
                       "'where':[],'row':{'mac':'%d'}}", i);
        concern = ROUTER;
        break;
    default:
        sbt_add_flow(f->server, "'logical_dp_group'", *groupp, "ls_in_acl",
                     match, "next;");
        break;
    }
    free(match);
    return concern;
}

/* Cuts the connection of 'f' in one of several ways, but mostly not: each time
 * the client waits longer before it comes back. */
static void
disturb(struct sbt *f)
{
    switch (random_range(24)) {
    case 0:
        db_server_disconnect_all(f->server);
        break;
    case 1:
        db_server_stop(f->server);
        sb_db_run(f->db);
        db_server_start(f->server);
        break;
    case 2:
        sb_db_recompute(f->db);
        break;
    default:
        break;
    }
    for (int runs = random_range(3); runs > 0; runs--) {
        sb_db_run(f->db);
    }
}

/* Whatever happens to the connection and to groups of datapaths, exactly what
 * changed is named. */
static void
test_random(void **statep)
{
    const char *text = getenv("OVN_XDP_TEST_SEED");
    uint32_t seed = text ? strtoul(text, NULL, 10) : 1;
    struct sbt *f = *statep;
    char *group = xstrdup(SBT_SWITCHES);

    print_message("seed %"PRIu32"\n", seed);
    random_set_seed(seed);
    add_mac(f->server, "MAC_Binding", SBT_ROUTER, "172.24.100.1", "0", "");
    path_bed_want(f);
    for (int i = 1; i <= 20; i++) {
        disturb(f);
        enum concern concern = change_something(f, i, &group);
        disturb(f);
        AWAIT(f->db, path_bed_is_ready(f));
        check_changed(f, concern == ROUTER ? SBT_ROUTER
                         : concern == SWITCHES ? SBT_PROVIDER : NULL,
                      concern == SWITCHES ? SBT_TENANT : NULL);
    }
    free(group);
}

/* Ports that ovn-controller shapes. */
static void
test_shaped(void **statep)
{
    static const char *const keys[] = { "qos_max_rate", "qos_min_rate",
                                        "qos_burst" };
    struct row_changes bindings = ROW_CHANGES_INITIALIZER(&bindings);
    struct row_changes facts = ROW_CHANGES_INITIALIZER(&facts);
    struct sbt *f = *statep;

    sbt_claim(f->server, VM_PROVIDER, "cmp1", true);
    sbt_update_binding(f->server, VM_PROVIDER, "{'options':['map',[]]}");
    AWAIT(f->db, sbt_is_local(f->db, VM_PROVIDER)
          && !sbt_binding(f->db, VM_PROVIDER)->qos);
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        char *row = xasprintf("{'options':['map',[['%s','1000'],"
                              "['qdisc_queue_id','1']]]}", keys[i]);
        const struct row_change *change;

        sb_db_take_changes(f->db, &bindings, &facts);
        row_changes_clear(&bindings);
        sbt_update_binding(f->server, VM_PROVIDER, row);
        AWAIT(f->db, sbt_binding(f->db, VM_PROVIDER)->qos);
        sb_db_take_changes(f->db, &bindings, &facts);
        assert_int_equal(hmap_count(&bindings.rows), 1);
        HMAP_FOR_EACH (change, node, &bindings.rows) {
            assert_int_equal(change->parts, SB_BINDING_PORT);
        }
        sbt_update_binding(f->server, VM_PROVIDER, "{'options':['map',[]]}");
        AWAIT(f->db, !sbt_binding(f->db, VM_PROVIDER)->qos);
        free(row);
    }
    row_changes_destroy(&bindings);
    row_changes_destroy(&facts);
}

/* Runs the tests, or says why they cannot run. */
int
main(int argc, char *argv[])
{
#define TEST(NAME) \
    cmocka_unit_test_setup_teardown(NAME, sbt_setup, sbt_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_macs),
        TEST(test_flows),
        TEST(test_route),
        TEST(test_group),
        TEST(test_reconnect),
        TEST(test_off),
        TEST(test_missing_tables),
        TEST(test_scope),
        TEST(test_links),
        TEST(test_shaped),
        TEST(test_random),
    };

    if (!db_test_init(argc, argv)) {
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
