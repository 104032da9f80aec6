/* SPDX-License-Identifier: Apache-2.0 */
/* Tests what idl/nb-db.c makes of the contents of a Northbound database, and
 * which of them it asks for.
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

#include "openvswitch/dynamic-string.h"
#include "openvswitch/poll-loop.h"
#include "simap.h"
#include "timeval.h"
#include "util.h"

#include "idl/nb-db.h"
#include "tests/db/db-dump.h"
#include "tests/db/sbt.h"

/* The one router of the fixtures. */
#define ROUTER "neutron-9c1a3b52-0000-4000-8000-0000000000f1"

/* What its NAT rows say where VM_FIP is, and where its gateway is. */
#define FIP_FACT "172.24.100.112 at=" GW_ROUTER_PORT \
                 " mac=fa:16:3e:aa:00:03 resident=" VM_FIP "\n"
#define GATEWAY_FACTS "172.24.100.113 at=" GW_ROUTER_PORT "\n" \
                      "172.24.100.114 at=" GW_ROUTER_PORT "\n" \
                      "172.24.100.229 at=" GW_ROUTER_PORT "\n"

/* What every test has. */
struct nbt {
    char *dir;                  /* Folder for files. */
    struct db_server *server;   /* A Northbound database, running. */
    struct nb_db *db;           /* A client of it. */
};

/* Makes 'f' follow 'server', or nothing if that is NULL, for a chassis with
 * the logical ports 'ports' and the gateways 'gateways', in words. */
static void
target(struct nbt *f, const struct db_server *server, const char *ports,
       const char *gateways)
{
    struct sset port_set, gateway_set;

    sset_from_delimited_string(&port_set, ports, " ");
    sset_from_delimited_string(&gateway_set, gateways, " ");
    nb_db_set_target(f->db, &(struct nb_target) {
        .remote = server ? db_server_remote(server) : "",
        .ports = &port_set, .gateways = &gateway_set });
    sset_destroy(&port_set);
    sset_destroy(&gateway_set);
}

/* Returns the state of the connection of 'f'. */
static enum db_state
state(const struct nbt *f)
{
    struct db_status status;

    nb_db_status(f->db, &status);
    return status.state;
}

/* Lets 'f' run until it is in 'state_' and sees exactly 'expected', and fails
 * the test if it does not. */
static void
await_view(struct nbt *f, enum db_state state_, const char *expected)
{
    long long int deadline = time_msec() + SBT_TIMEOUT;

    for (;;) {
        nb_db_run(f->db);
        char *text = dump_nb_view(nb_db_view(f->db));
        bool done = state(f) == state_ && !strcmp(text, expected);
        if (!done && time_msec() >= deadline) {
            fail_msg("state %s instead of %s, view\n%sinstead of\n%s",
                     db_state_to_string(state(f)),
                     db_state_to_string(state_), text, expected);
        }
        free(text);
        if (done) {
            return;
        }
        nb_db_wait(f->db);
        poll_timer_wait_until(deadline);
        poll_block();
    }
}

/* Returns the number of cells that the replica of 'f' holds. */
static unsigned int
n_cells(const struct nbt *f)
{
    struct simap usage = SIMAP_INITIALIZER(&usage);

    nb_db_get_memory_usage(f->db, &usage);
    unsigned int cells = simap_get(&usage, "idl-cells-OVN_Northbound");
    simap_destroy(&usage);
    return cells;
}

/* Adds a NAT row with the JSON members 'row' to 'router'. */
static void
add_nat(const struct nbt *f, const char *router, const char *row)
{
    db_server_exec(f->server, "{'op':'insert','table':'NAT','uuid-name':'n',"
                   "'row':{'logical_ip':'10.1.0.9',%s}},"
                   "{'op':'mutate','table':'Logical_Router',"
                   "'where':[['name','==','%s']],"
                   "'mutations':[['nat','insert',['named-uuid','n']]]}",
                   row, router);
}

/* Updates the NAT row with 'external_ip' to the JSON members 'row'. */
static void
update_nat(const struct nbt *f, const char *external_ip, const char *row)
{
    db_server_exec(f->server, "{'op':'update','table':'NAT',"
                   "'where':[['external_ip','==','%s']],'row':{%s}}",
                   external_ip, row);
}

/* Adds the port 'name' in 'network' to 'router'; a gateway if 'gateway'. */
static void
add_router_port(const struct nbt *f, const char *router, const char *name,
                const char *network, bool gateway)
{
    db_server_exec(f->server, "{'op':'insert','table':'Gateway_Chassis',"
                   "'uuid-name':'g','row':{'name':'%s-c','priority':1,"
                   "'chassis_name':'c'}},"
                   "{'op':'insert','table':'Logical_Router_Port',"
                   "'uuid-name':'p','row':{'name':'%s','networks':'%s',"
                   "'mac':'fa:16:3e:00:00:99','gateway_chassis':['set',[%s]]"
                   "}},{'op':'mutate','table':'Logical_Router',"
                   "'where':[['name','==','%s']],"
                   "'mutations':[['ports','insert',['named-uuid','p']]]}",
                   name, name, network, gateway ? "['named-uuid','g']" : "",
                   router);
}

/* What each kind of chassis sees of the database 'name'. */
static void
check_release(struct nbt *f, const char *name)
{
    struct db_server *server = db_server_create(f->dir, name);

    db_server_use_fixture(server, name);
    db_server_start(server);
    target(f, server, VM_FIP " " VM_OTHER, "");
    await_view(f, DB_SYNCED, FIP_FACT);
    target(f, server, VM_OTHER, GW_ROUTER_PORT);
    await_view(f, DB_SYNCED, GATEWAY_FACTS);
    target(f, server, VM_FIP, GW_ROUTER_PORT);
    await_view(f, DB_SYNCED, FIP_FACT GATEWAY_FACTS);
    target(f, server, VM_OTHER, "lrp-elsewhere");
    await_view(f, DB_SYNCED, "");
    assert_int_equal(n_cells(f), 0);
    db_server_destroy(server);
}

/* The databases of OVN 23.03 and 24.03. */
static void
test_releases(void **statep)
{
    check_release(*statep, "nb-2303.db");
    check_release(*statep, "nb-2403.db");
}

/* Rows that come, change and go, IPv6 among them. */
static void
test_changes(void **statep)
{
    struct nbt *f = *statep;

    target(f, f->server, VM_FIP, "");
    await_view(f, DB_SYNCED, FIP_FACT);
    add_nat(f, ROUTER, "'type':'dnat_and_snat','external_ip':'2001:db8:ff::9',"
            "'logical_port':'" VM_FIP "','external_mac':'fa:16:3e:aa:00:03'");
    await_view(f, DB_SYNCED, FIP_FACT "2001:db8:ff::9 at=" GW_ROUTER_PORT
               " mac=fa:16:3e:aa:00:03 resident=" VM_FIP "\n");

    /* Neutron makes a floating IP centralised by taking the MAC away. */
    update_nat(f, "172.24.100.112", "'external_mac':['set',[]]");
    await_view(f, DB_SYNCED, "2001:db8:ff::9 at=" GW_ROUTER_PORT
               " mac=fa:16:3e:aa:00:03 resident=" VM_FIP "\n");
    target(f, f->server, VM_FIP, GW_ROUTER_PORT);
    await_view(f, DB_SYNCED, "172.24.100.112 at=" GW_ROUTER_PORT "\n"
               GATEWAY_FACTS "2001:db8:ff::9 at=" GW_ROUTER_PORT
               " mac=fa:16:3e:aa:00:03 resident=" VM_FIP "\n");

    db_server_exec(f->server, "{'op':'mutate','table':'Logical_Router',"
                   "'where':[],'mutations':[['nat','delete',['set',["
                   "['uuid','665ccbd1-d2f9-4f04-9e41-64cc24dc9dde']]]]]}");
    update_nat(f, "2001:db8:ff::9", "'type':'dnat'");
    await_view(f, DB_SYNCED, "172.24.100.112 at=" GW_ROUTER_PORT "\n"
               "172.24.100.113 at=" GW_ROUTER_PORT "\n"
               "172.24.100.114 at=" GW_ROUTER_PORT "\n"
               "2001:db8:ff::9 at=" GW_ROUTER_PORT "\n");
}

/* A router with several gateway ports: a row belongs to the one that it names,
 * or else to the one whose network it is in. */
static void
test_several_gateways(void **statep)
{
    struct nbt *f = *statep;

    add_router_port(f, ROUTER, "lrp-second", "198.51.100.1/24", true);
    add_router_port(f, ROUTER, "lrp-inner", "203.0.113.1/24", false);
    add_nat(f, ROUTER, "'type':'snat','external_ip':'198.51.100.7'");
    add_nat(f, ROUTER, "'type':'snat','external_ip':'203.0.113.7'");
    target(f, f->server, VM_FIP, "lrp-second lrp-inner");
    await_view(f, DB_SYNCED, FIP_FACT "198.51.100.7 at=lrp-second\n");

    db_server_exec(f->server,
                   "{'op':'insert','table':'NAT','uuid-name':'n','row':{"
                   "'logical_ip':'10.1.0.9','type':'dnat_and_snat',"
                   "'external_ip':'172.24.100.77','gateway_port':"
                   "['uuid','c18727e9-cd80-4184-aac8-1635f5dd6890']}},"
                   "{'op':'mutate','table':'Logical_Router','where':[],"
                   "'mutations':[['nat','insert',['named-uuid','n']]]}");
    target(f, f->server, "", "lrp-second " GW_ROUTER_PORT);
    await_view(f, DB_SYNCED, GATEWAY_FACTS
               "172.24.100.77 at=" GW_ROUTER_PORT "\n"
               "198.51.100.7 at=lrp-second\n");
}

/* A gateway router, whose NAT takes effect at all of its ports. */
static void
test_gateway_router(void **statep)
{
    struct nbt *f = *statep;

    db_server_exec(f->server, "{'op':'insert','table':'Logical_Router',"
                   "'row':{'name':'gr','options':['map',"
                   "[['chassis','cmp1']]]}}");
    add_router_port(f, "gr", "gr-a", "198.51.100.1/24", false);
    add_router_port(f, "gr", "gr-b", "203.0.113.1/24", false);
    add_nat(f, "gr", "'type':'dnat_and_snat','external_ip':'198.51.100.7',"
            "'logical_port':'" VM_FIP "','external_mac':'fa:16:3e:aa:00:03'");
    add_nat(f, "gr", "'type':'dnat','external_ip':'192.0.2.7'");
    target(f, f->server, "", "gr-a gr-b");
    await_view(f, DB_SYNCED, "192.0.2.7 at=gr-a\n192.0.2.7 at=gr-b\n"
               "198.51.100.7 at=gr-a\n");
}

/* Adds 'n' routers to the database of 'f', each with a port and a NAT row, and
 * 'n' NAT rows to that of the fixture. */
static void
add_many(const struct nbt *f, int n)
{
    for (int i = 0; i < n; i++) {
        struct ds ops = DS_EMPTY_INITIALIZER;

        for (int end = MIN(n, i + 100); i < end; i++) {
            ds_put_format(&ops, "%s{'op':'insert','table':'NAT',"
                          "'uuid-name':'n%d','row':{'logical_ip':'10.1.0.9',"
                          "'type':'snat','external_ip':'10.9.%d.%d'}},"
                          "{'op':'insert','table':'NAT','uuid-name':'o%d',"
                          "'row':{'logical_ip':'10.1.0.9','type':'snat',"
                          "'external_ip':'10.8.%d.%d'}},"
                          "{'op':'insert','table':'Logical_Router',"
                          "'row':{'name':'r%d','nat':['named-uuid','n%d']}},"
                          "{'op':'mutate','table':'Logical_Router',"
                          "'where':[['name','==','" ROUTER "']],"
                          "'mutations':[['nat','insert',"
                          "['named-uuid','o%d']]]}",
                          ops.length ? "," : "", i, i / 250, i % 250, i,
                          i / 250, i % 250, i, i, i);
        }
        i--;
        db_server_exec(f->server, "%s", ds_cstr(&ops));
        ds_destroy(&ops);
    }
}

/* What a chassis monitors does not grow with the routers of others nor, where
 * it only has a floating IP, with the NAT rows of its own. */
static void
test_cost(void **statep)
{
    struct nbt *f = *statep;

    target(f, f->server, VM_FIP, "");
    await_view(f, DB_SYNCED, FIP_FACT);
    unsigned int before = n_cells(f);

    add_many(f, 300);
    update_nat(f, "172.24.100.112", "'external_mac':['set',[]]");
    await_view(f, DB_SYNCED, "");
    update_nat(f, "172.24.100.112", "'external_mac':'fa:16:3e:aa:00:03'");
    await_view(f, DB_SYNCED, FIP_FACT);
    assert_int_equal(n_cells(f), before);
}

/* While the server owes an answer, and when nothing happens, it is not worked
 * out again and again what to ask it for. */
static void
test_idle(void **statep)
{
    struct nbt *f = *statep;
    const struct nb_view *view = nb_db_view(f->db);

    target(f, f->server, VM_FIP, "");
    await_view(f, DB_SYNCED, FIP_FACT);
    uint64_t before = view->n_asked;
    db_server_pause(f->server, true);
    for (int i = 0; i < 100; i++) {
        target(f, f->server, VM_FIP, GW_ROUTER_PORT);
        nb_db_run(f->db);
        assert_int_equal(state(f), DB_SYNCING);
    }
    assert_int_equal(view->n_asked, before + 1);
    db_server_pause(f->server, false);
    await_view(f, DB_SYNCED, FIP_FACT GATEWAY_FACTS);

    before = view->n_asked;
    for (int i = 0; i < 100; i++) {
        nb_db_run(f->db);
    }
    assert_int_equal(view->n_asked, before);
}

/* What is said before it is known what is here is not all. */
static void
test_unknown(void **statep)
{
    struct nbt *f = *statep;

    nb_db_set_target(f->db, &(struct nb_target) {
        .remote = db_server_remote(f->server) });
    for (long long int end = time_msec() + SBT_TIMEOUT;
         state(f) != DB_SYNCING;) {
        assert_true(time_msec() < end);
        nb_db_run(f->db);
        nb_db_wait(f->db);
        poll_timer_wait_until(end);
        poll_block();
    }
    for (int i = 0; i < 100; i++) {
        nb_db_run(f->db);
        assert_false(nb_db_view(f->db)->complete);
    }
    target(f, f->server, VM_FIP, "");
    await_view(f, DB_SYNCED, FIP_FACT);
}

/* A gateway with so many NAT rows that all of the cloud are monitored still
 * sees its own only. */
static void
test_many(void **statep)
{
    struct nbt *f = *statep;
    long long int deadline = time_msec() + SBT_TIMEOUT;

    add_many(f, 1100);
    target(f, f->server, "", GW_ROUTER_PORT);
    do {
        assert_true(time_msec() < deadline);
        nb_db_run(f->db);
        nb_db_wait(f->db);
        poll_timer_wait_until(deadline);
        poll_block();
    } while (hmap_count(&nb_db_view(f->db)->facts) != 1103);
    assert_int_equal(state(f), DB_SYNCED);
}

/* Servers of releases before some columns, and with columns of later ones. */
static void
test_schemas(void **statep)
{
    static const char *const old[] = { "-NAT.gateway_port", NULL };
    static const char *const new[] = { "+NAT.match", "+NAT.news", NULL };
    struct nbt *f = *statep;

    db_server_stop(f->server);
    db_server_edit_schema(f->server, old);
    db_server_start(f->server);
    target(f, f->server, VM_FIP, GW_ROUTER_PORT);
    await_view(f, DB_SYNCED, FIP_FACT GATEWAY_FACTS);
    db_server_convert(f->server, new);
    update_nat(f, "172.24.100.113", "'external_ip':'172.24.100.115'");
    await_view(f, DB_SYNCED, FIP_FACT "172.24.100.114 at=" GW_ROUTER_PORT "\n"
               "172.24.100.115 at=" GW_ROUTER_PORT "\n"
               "172.24.100.229 at=" GW_ROUTER_PORT "\n");
}

/* What was seen stays while the server is away or another is not heard of yet,
 * and goes with the setting. */
static void
test_connection(void **statep)
{
    struct nbt *f = *statep;
    struct db_server *other = db_server_create(f->dir, "other");

    target(f, NULL, VM_FIP, "");
    await_view(f, DB_DISABLED, "incomplete\n");
    target(f, f->server, VM_FIP, "");
    await_view(f, DB_SYNCED, FIP_FACT);
    db_server_stop(f->server);
    await_view(f, DB_CONNECTING, FIP_FACT);
    db_server_start(f->server);
    await_view(f, DB_SYNCED, FIP_FACT);

    db_server_use_fixture(other, "nb-2303.db");
    target(f, other, VM_FIP, GW_ROUTER_PORT);
    await_view(f, DB_CONNECTING, FIP_FACT);
    db_server_start(other);
    await_view(f, DB_SYNCED, FIP_FACT GATEWAY_FACTS);
    target(f, NULL, VM_FIP, GW_ROUTER_PORT);
    await_view(f, DB_DISABLED, "incomplete\n");
    db_server_destroy(other);
}

/* The wrong kind of database is no source of anything. */
static void
test_wrong_database(void **statep)
{
    struct nbt *f = *statep;
    struct db_server *sb = db_server_create(f->dir, "sb");

    target(f, f->server, VM_FIP, "");
    await_view(f, DB_SYNCED, FIP_FACT);
    db_server_use_fixture(sb, "sb-2403.db");
    db_server_start(sb);
    target(f, sb, VM_FIP, "");
    await_view(f, DB_SYNCING, FIP_FACT);
    db_server_destroy(sb);
}

/* Rows that cannot be read are told, and do not hide others. */
static void
test_bad_rows(void **statep)
{
    struct nbt *f = *statep;

    update_nat(f, "172.24.100.113", "'external_ip':'banana'");
    update_nat(f, "172.24.100.114", "'external_ip':'172.24.100.0/24'");
    update_nat(f, "172.24.100.112", "'external_mac':'fa:16:3e:aa:00'");
    target(f, f->server, VM_FIP, GW_ROUTER_PORT);
    await_view(f, DB_SYNCED, "172.24.100.229 at=" GW_ROUTER_PORT "\n"
               "NAT 2db58c6f-1960-4212-aea4-40780846a345: cannot read "
               "\"fa:16:3e:aa:00\" in NAT.external_mac\n"
               "NAT 5836b021-c8f3-45b2-a11e-52fa784d4085: cannot read "
               "\"banana\" in NAT.external_ip\n"
               "NAT dfb89d3f-9d0a-4f0c-aa3f-1be918c14efa: cannot read "
               "\"172.24.100.0/24\" in NAT.external_ip\n");
    update_nat(f, "banana", "'external_ip':'172.24.100.113'");
    update_nat(f, "172.24.100.0/24", "'external_ip':'172.24.100.114/32'");
    update_nat(f, "172.24.100.112", "'external_mac':'fa:16:3e:aa:00:03'");
    await_view(f, DB_SYNCED, FIP_FACT GATEWAY_FACTS);
}

/* Starts a server with the OVN 24.03 fixture, and a client of nothing. */
static int
setup(void **statep)
{
    struct nbt *f = xzalloc(sizeof *f);

    f->dir = db_temp_dir();
    f->server = db_server_create(f->dir, "nb");
    db_server_use_fixture(f->server, "nb-2403.db");
    db_server_start(f->server);
    f->db = nb_db_create();
    *statep = f;
    return 0;
}

/* Undoes setup(). */
static int
teardown(void **statep)
{
    struct nbt *f = *statep;

    nb_db_destroy(f->db);
    db_server_destroy(f->server);
    db_remove_dir(f->dir);
    free(f);
    return 0;
}

/* Runs the tests, or skips them all if there is no ovsdb-server. */
int
main(int argc, char *argv[])
{
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_releases),
        TEST(test_changes),
        TEST(test_several_gateways),
        TEST(test_gateway_router),
        TEST(test_cost),
        TEST(test_idle),
        TEST(test_unknown),
        TEST(test_many),
        TEST(test_schemas),
        TEST(test_connection),
        TEST(test_wrong_database),
        TEST(test_bad_rows),
    };

    if (!db_test_init(argc, argv)) {
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
