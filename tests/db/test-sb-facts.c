/* SPDX-License-Identifier: Apache-2.0 */
/* Tests which addresses of routers idl/sb-db.c finds in a Southbound database,
 * and which rows it asks for to find them.
 *
 * time-limit: 120 */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "random.h"
#include "util.h"
#include "uuid.h"

#include "tests/db/db-dump.h"
#include "tests/db/sbt.h"

/* The router of the fixture, and its facts. */
#define ROUTER SBT_ROUTER
#define ROUTERS "2edfb993-245d-475a-88b7-d6a5ae56222d" /* A group of it. */
#define AT " at=" GW_ROUTER_PORT
#define FACTS                                                           \
    "172.24.100.112" AT " mac=fa:16:3e:aa:00:03 resident=" VM_FIP "\n"   \
    "172.24.100.113" AT "\n"                                            \
    "172.24.100.114" AT "\n"                                            \
    "172.24.100.200" AT " lb\n"                                         \
    "172.24.100.229" AT "\n"

/* Returns true if the facts of 'db' print as 'expected'. */
static bool
facts_are(const struct sb_db *db, const char *expected)
{
    char *text = dump_sb_facts(sb_db_view(db));
    bool same = !strcmp(text, expected);

    free(text);
    return same;
}

/* Adds to 'server' a logical flow of the datapath 'router'. */
static void
add_flow(const struct db_server *server, const char *router,
         const char *stage, const char *match, const char *actions)
{
    sbt_add_flow(server, "'logical_datapath'", router, stage, match, actions);
}

/* Adds to 'server' the answer for the NAT address 'ip' at 'port'. */
static void
add_answer(const struct db_server *server, const char *ip, const char *port,
           const char *resident)
{
    char *match = xasprintf("inport == \\\"%s\\\" && arp.op == 1 && arp.tpa =="
                            " %s && is_chassis_resident(\\\"%s\\\")",
                            port, ip, resident);

    add_flow(server, ROUTER, "lr_in_ip_input", match,
             "eth.dst = eth.src; eth.src = xreg0[0..47]; arp.op = 2;");
    free(match);
}

/* A gateway that comes and goes brings and takes the facts of its router, and
 * nothing else does; from the database 'name'. */
static void
check_gateway(struct sbt *f, const char *name)
{
    struct db_server *server = db_server_create(f->dir, name);

    db_server_use_fixture(server, name);
    db_server_start(server);
    sbt_claim(server, VM_PROVIDER, "cmp1", true);
    sbt_target(f->db, server, "cmp1");
    AWAIT(f->db, sbt_is_local(f->db, VM_PROVIDER));
    assert_true(facts_are(f->db, ""));

    sbt_claim(server, GW_PORT, "cmp1", true);
    AWAIT(f->db, facts_are(f->db, FACTS));
    assert_int_equal(sbt_state(f->db), DB_SYNCED);
    assert_null(sbt_binding(f->db, VM_FIP));
    assert_null(sbt_binding(f->db, VM_OTHER));
    sbt_claim(server, GW_PORT, "gw1", true);
    AWAIT(f->db, facts_are(f->db, ""));
    assert_true(sbt_is_local(f->db, VM_PROVIDER));
    db_server_destroy(server);
}

/* The gateway of OVN 23.03. */
static void
test_gateway_2303(void **statep)
{
    check_gateway(*statep, "sb-2303.db");
}

/* The gateway of OVN 24.03. */
static void
test_gateway_2403(void **statep)
{
    check_gateway(*statep, "sb-2403.db");
}

/* A VM on a tenant network leads to the facts of its router, and to the port
 * that tells their network, but to none of the other ports; also where nothing
 * is announced. */
static void
test_tenant(void **statep)
{
    struct sbt *f = *statep;

    sbt_update_binding(f->server, GW_SWITCH_PORT,
                       "{'nat_addresses':['set',[]]}");
    AWAIT(f->db, sb_db_view(f->db)->complete);
    assert_null(sbt_binding(f->db, GW_SWITCH_PORT));

    sbt_claim(f->server, VM_FIP, "cmp1", true);
    AWAIT(f->db, facts_are(f->db, FACTS));
    AWAIT(f->db, sbt_binding(f->db, GW_SWITCH_PORT));
    assert_true(sbt_is_local(f->db, VM_FIP));
    assert_int_equal(hmap_count(&sb_db_view(f->db)->bindings), 3);

    /* One that is not distributed leads there, too, but not to the port. */
    sbt_claim(f->server, VM_OTHER, "cmp1", true);
    sbt_release(f->server, VM_FIP);
    AWAIT(f->db, !sbt_binding(f->db, VM_FIP)
          && !sbt_binding(f->db, GW_SWITCH_PORT));
    assert_true(facts_are(f->db, FACTS));

    sbt_release(f->server, VM_OTHER);
    AWAIT(f->db, facts_are(f->db, ""));
    assert_int_equal(hmap_count(&sb_db_view(f->db)->bindings), 1);

    /* Nothing is left of what was asked for. */
    AWAIT(f->db, sbt_state(f->db) == DB_SYNCED);
    assert_int_equal(sbt_n_cells(f->db), 1 + 1 * SBT_BINDING_CELLS);
}

/* Deletes VM_FIP from the database of 'f' and creates it, claimed by cmp1, in
 * one transaction. */
static void
replace_vm(struct sbt *f, int tunnel_key)
{
    const struct uuid *datapath = &sbt_binding(f->db, VM_FIP)->datapath;
    char *uuid = sbt_chassis_uuid(f->server, "cmp1");

    db_server_exec(f->server, "{'op':'delete','table':'Port_Binding',"
                   "'where':[['logical_port','==','" VM_FIP "']]},"
                   "{'op':'insert','table':'Port_Binding','row':{"
                   "'logical_port':'" VM_FIP "','datapath':['uuid','" UUID_FMT
                   "'],'tunnel_key':%d,'chassis':['uuid','%s'],'up':true}}",
                   UUID_ARGS(datapath), tunnel_key, uuid);
    free(uuid);
}

/* A port that is deleted and created in one transaction stays the VM that
 * leads to the network of its floating IP, in whichever order the rows come:
 * one look at the bindings at most tells that nothing has to be asked for
 * anew.  The order depends on UUIDs, so it takes several. */
static void
test_replaced(void **statep)
{
    struct sbt *f = *statep;

    sbt_update_binding(f->server, GW_SWITCH_PORT,
                       "{'nat_addresses':['set',[]]}");
    sbt_claim(f->server, VM_FIP, "cmp1", true);
    AWAIT(f->db, sbt_binding(f->db, GW_SWITCH_PORT)
          && sbt_state(f->db) == DB_SYNCED);

    unsigned int n = sb_db_n_peer_updates(f->db);
    for (int i = 1; i <= 20; i++) {
        replace_vm(f, 20000 + i);
        sbt_set_mark(f->server, i);
        AWAIT(f->db, sbt_has_mark(f->db, i)
              && sbt_state(f->db) == DB_SYNCED);
        assert_true(sbt_is_local(f->db, VM_FIP));
        assert_non_null(sbt_binding(f->db, GW_SWITCH_PORT));
        assert_in_range(sb_db_n_peer_updates(f->db), n, n + i);
    }
    sbt_release(f->server, VM_FIP);
    AWAIT(f->db, !sbt_binding(f->db, GW_SWITCH_PORT));
}

/* Only VMs that come here or go make somebody look through all bindings. */
static void
test_peers(void **statep)
{
    struct sbt *f = *statep;

    sbt_claim(f->server, VM_FIP, "cmp1", true);
    AWAIT(f->db, facts_are(f->db, FACTS) && sbt_state(f->db) == DB_SYNCED);

    unsigned int n = sb_db_n_peer_updates(f->db);
    sbt_update_binding(f->server, GW_SWITCH_PORT, "{'nat_addresses':'a b'}");
    sbt_claim(f->server, VM_PROVIDER, "gw1", true);
    sbt_claim(f->server, VM_FIP, "cmp1", false);
    sbt_set_mark(f->server, 7);
    AWAIT(f->db, sbt_has_mark(f->db, 7) && sbt_state(f->db) == DB_SYNCED);
    assert_int_equal(sb_db_n_peer_updates(f->db), n);

    sbt_claim(f->server, VM_PROVIDER, "cmp1", true);
    AWAIT(f->db, sbt_is_local(f->db, VM_PROVIDER));
    assert_true(sb_db_n_peer_updates(f->db) > n);
}

/* Nothing but flows changes. */
static void
test_flows(void **statep)
{
    struct sbt *f = *statep;
    static const char lb[]
        = "ct.new && !ct.rel && ip4 && ip4.dst == 172.24.100.200 && tcp &&"
          " tcp.dst == 80 && is_chassis_resident(\\\"" GW_PORT "\\\")";

    sbt_claim(f->server, GW_PORT, "cmp1", true);
    AWAIT(f->db, facts_are(f->db, FACTS));

    add_answer(f->server, "172.24.100.250", GW_ROUTER_PORT, GW_PORT);
    AWAIT(f->db, facts_are(f->db, FACTS "172.24.100.250" AT "\n"));
    db_server_exec(f->server, "{'op':'update','table':'Logical_Flow',"
                   "'where':[['priority','==',92],['match','==','inport == "
                   "\\\"" GW_ROUTER_PORT "\\\" && arp.op == 1 && arp.tpa == "
                   "172.24.100.250 && is_chassis_resident(\\\"" GW_PORT
                   "\\\")']],'row':{'match':'inport == \\\"" GW_ROUTER_PORT
                   "\\\" && arp.op == 1 && arp.tpa == 172.24.100.251 && "
                   "is_chassis_resident(\\\"" GW_PORT "\\\")'}}");
    AWAIT(f->db, facts_are(f->db, FACTS "172.24.100.251" AT "\n"));

    /* A gateway without name, a resident without MAC, another router. */
    add_answer(f->server, "172.24.100.240", GW_ROUTER_PORT, "cr-other");
    add_answer(f->server, "172.24.100.241", GW_ROUTER_PORT, VM_FIP);
    add_flow(f->server, ROUTER, "lr_in_ip_input",
             "arp.op == 1 && arp.tpa == 172.24.100.242",
             "eth.src = xreg0[0..47]; arp.op = 2;");
    sbt_delete_flows(f->server, lb);
    AWAIT(f->db, facts_are(
        f->db,
        "172.24.100.112" AT " mac=fa:16:3e:aa:00:03 resident=" VM_FIP "\n"
        "172.24.100.113" AT "\n"
        "172.24.100.114" AT "\n"
        "172.24.100.229" AT "\n"
        "172.24.100.251" AT "\n"));
    sb_db_recompute(f->db);
    assert_false(sb_db_run(f->db));
}

/* Inserts into 'server' a gateway router with the ports 'gr-a' and 'gr-b'. */
static void
add_gateway_router(const struct db_server *server, const char *chassis)
{
    char *uuid = sbt_chassis_uuid(server, chassis);

    for (char port = 'a'; port <= 'b'; port++) {
        db_server_exec(
            server, "{'op':'insert','table':'Port_Binding','row':{"
            "'logical_port':'gr-%c','type':'l3gateway','tunnel_key':10%d,"
            "'datapath':['uuid','" ROUTER "'],'chassis':['uuid','%s'],"
            "'mac':'fa:16:3e:99:00:01 192.0.2.%d/24'}}",
            port, port - 'a', uuid, port);
    }
    free(uuid);
}

/* Makes 'datapath' the only one of the group of routers of 'server'. */
static void
set_routers(const struct db_server *server, const char *datapath)
{
    db_server_exec(server, "{'op':'update','table':'Logical_DP_Group','where':"
                   "[['_uuid','==',['uuid','" ROUTERS "']]],'row':{"
                   "'datapaths':['uuid','%s']}}", datapath);
}

/* What is the same on every chassis is said of each port of a gateway router
 * that is here. */
static void
test_gateway_router(void **statep)
{
    struct sbt *f = *statep;
    static const char all[] =
        "172.24.100.112 at=gr-a\n172.24.100.112 at=gr-b\n"
        "172.24.100.112" AT " mac=fa:16:3e:aa:00:03 resident=" VM_FIP "\n"
        "172.24.100.113 at=gr-a\n172.24.100.113 at=gr-b\n"
        "172.24.100.113" AT "\n"
        "172.24.100.114 at=gr-a\n172.24.100.114 at=gr-b\n"
        "172.24.100.114" AT "\n"
        "172.24.100.200" AT " lb\n"
        "172.24.100.229 at=gr-a\n172.24.100.229 at=gr-b\n"
        "172.24.100.229" AT "\n"
        "2001:db8::20 at=gr-a lb\n2001:db8::20 at=gr-b lb\n";
    static const char vip[]
        = "ct.new && !ct.rel && ip6 && ip6.dst == 2001:db8::20";

    add_flow(f->server, ROUTER, "lr_in_dnat", vip, "ct_lb_mark();");
    add_gateway_router(f->server, "cmp1");
    AWAIT(f->db, facts_are(f->db, all));
    sbt_delete_flows(f->server, vip);
    AWAIT(f->db, hmap_count(&sb_db_view(f->db)->facts) == 13);

    /* The same of a group of routers. */
    sbt_add_flow(f->server, "'logical_dp_group'", ROUTERS, "lr_in_dnat", vip,
                 "ct_lb_mark();");
    AWAIT(f->db, facts_are(f->db, all));
    set_routers(f->server, SBT_TENANT);
    AWAIT(f->db, hmap_count(&sb_db_view(f->db)->facts) == 13);
    set_routers(f->server, ROUTER);
    AWAIT(f->db, facts_are(f->db, all));
    sbt_claim(f->server, "gr-a", "gw1", true);
    sbt_claim(f->server, "gr-b", "gw1", true);
    AWAIT(f->db, facts_are(f->db, ""));
}

/* A chassis row that is gone for a moment, and a connection that is lost, take
 * nothing away. */
static void
test_stays(void **statep)
{
    struct sbt *f = *statep;

    sbt_claim(f->server, VM_FIP, "cmp1", true);
    AWAIT(f->db, facts_are(f->db, FACTS)
          && sbt_state(f->db) == DB_SYNCED);
    sbt_delete_chassis(f->server, "cmp1");
    sbt_set_mark(f->server, 7);
    AWAIT(f->db, sbt_has_mark(f->db, 7));
    assert_true(facts_are(f->db, FACTS));
    assert_true(sbt_is_local(f->db, VM_FIP));

    sbt_create_chassis(f->server, "cmp1");
    sbt_claim(f->server, VM_FIP, "cmp1", true);
    sbt_set_mark(f->server, 8);
    AWAIT(f->db, sbt_has_mark(f->db, 8) && sbt_state(f->db) == DB_SYNCED);
    assert_true(facts_are(f->db, FACTS));

    db_server_disconnect_all(f->server);
    AWAIT(f->db, sbt_state(f->db) == DB_CONNECTING);
    assert_true(facts_are(f->db, FACTS));
    add_answer(f->server, "172.24.100.250", GW_ROUTER_PORT, GW_PORT);
    AWAIT(f->db, facts_are(f->db, FACTS "172.24.100.250" AT "\n"));
}

/* What was held while the chassis row was away goes when the last port is
 * claimed, without anything else having to happen. */
static void
test_not_held(void **statep)
{
    struct sbt *f = *statep;

    sbt_claim(f->server, VM_PROVIDER, "cmp1", true);
    sbt_claim(f->server, VM_FIP, "cmp1", true);
    AWAIT(f->db, facts_are(f->db, FACTS) && sbt_is_local(f->db, VM_PROVIDER)
          && sbt_state(f->db) == DB_SYNCED);
    sbt_delete_chassis(f->server, "cmp1");
    sbt_create_chassis(f->server, "cmp1");
    sbt_claim(f->server, VM_FIP, "gw1", true);
    sbt_set_mark(f->server, 7);
    AWAIT(f->db, sbt_has_mark(f->db, 7) && !sbt_is_local(f->db, VM_FIP)
          && sbt_state(f->db) == DB_SYNCED);
    assert_true(sbt_is_local(f->db, VM_PROVIDER));
    assert_true(facts_are(f->db, FACTS));

    sbt_claim(f->server, VM_PROVIDER, "cmp1", true);
    AWAIT(f->db, facts_are(f->db, ""));
    assert_true(sbt_is_local(f->db, VM_PROVIDER));
}

/* Makes one random change of 'server' that may matter to facts. */
static void
change_something(const struct db_server *server)
{
    static const char *const ports[] = { VM_FIP, VM_OTHER, GW_PORT,
                                         VM_PROVIDER };
    const char *port = ports[random_range(ARRAY_SIZE(ports))];
    char *ip;

    switch (random_range(4)) {
    case 0:
        sbt_release(server, port);
        break;
    case 1:
        ip = xasprintf("172.24.100.%d", (int) random_range(20));
        add_answer(server, ip, GW_ROUTER_PORT, GW_PORT);
        free(ip);
        break;
    case 2:
        db_server_exec(server, "{'op':'delete','table':'Logical_Flow',"
                       "'where':[['match','==','inport == \\\""
                       GW_ROUTER_PORT "\\\" && arp.op == 1 && arp.tpa == "
                       "172.24.100.%d && is_chassis_resident(\\\"" GW_PORT
                       "\\\")']]}", (int) random_range(20));
        break;
    default:
        sbt_claim(server, port, random_range(2) ? "cmp1" : "gw1", true);
        break;
    }
}

/* After any change the view is what a client sees that has just started. */
static void
test_random(void **statep)
{
    struct sbt *f = *statep;

    random_set_seed(1);
    for (int i = 1; i <= 40; i++) {
        change_something(f->server);
        if (i % 4) {
            continue;
        }
        sbt_set_mark(f->server, i);
        AWAIT(f->db, sbt_has_mark(f->db, i)
              && sbt_state(f->db) == DB_SYNCED);

        struct sb_db *fresh = sb_db_create();
        sbt_target(fresh, f->server, "cmp1");
        AWAIT(fresh, sb_db_view(fresh)->complete);
        char *a = dump_sb_facts(sb_db_view(f->db));
        char *b = dump_sb_facts(sb_db_view(fresh));
        assert_string_equal(a, b);
        free(a);
        free(b);
        a = dump_sb_view(sb_db_view(f->db));
        b = dump_sb_view(sb_db_view(fresh));
        assert_string_equal(a, b);
        free(a);
        free(b);
        sb_db_destroy(fresh);
    }
}

#define TEST(NAME) \
    cmocka_unit_test_setup_teardown(NAME, sbt_setup, sbt_teardown)

int
main(int argc, char *argv[])
{
    const struct CMUnitTest tests[] = {
        TEST(test_gateway_2303),
        TEST(test_gateway_2403),
        TEST(test_tenant),
        TEST(test_replaced),
        TEST(test_peers),
        TEST(test_flows),
        TEST(test_gateway_router),
        TEST(test_stays),
        TEST(test_not_held),
        TEST(test_random),
    };

    if (!db_test_init(argc, argv)) {
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
