/* SPDX-License-Identifier: Apache-2.0 */
/* Tests idl/ovs-db.c against a real ovsdb-server: of which bridges are packets
 * counted or copied?
 *
 * time-limit: 60 */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "openvswitch/poll-loop.h"
#include "timeval.h"
#include "util.h"

#include "idl/ovs-db.h"
#include "tests/db/db-dump.h"
#include "tests/db/db-server.h"

/* How long to wait for anything, in milliseconds. */
#define TIMEOUT 20000

/* What every test has. */
struct fixture {
    char *dir;                  /* Folder for files. */
    struct db_server *server;   /* A database with bridges br-a and br-b. */
    struct ovs_db *db;          /* A client of it. */
};

/* Adds 'bridge' to the database of 'f'. */
static void
add_bridge(const struct fixture *f, const char *bridge)
{
    db_server_exec(f->server, "{'op':'insert','table':'Bridge','uuid-name':"
                   "'b','row':{'name':'%s'}},{'op':'mutate','table':"
                   "'Open_vSwitch','where':[],'mutations':[['bridges',"
                   "'insert',['named-uuid','b']]]}", bridge);
}

/* Starts a server, and a client. */
static int
setup(void **statep)
{
    struct fixture *f = xzalloc(sizeof *f);
    const char *ovsdir = getenv("OVSDIR");
    char *schema = xasprintf("%s/vswitchd/vswitch.ovsschema",
                             ovsdir ? ovsdir : ".");

    f->dir = db_temp_dir();
    f->server = db_server_create(f->dir, "conf");
    db_server_use_schema(f->server, schema);
    db_server_start(f->server);
    db_server_exec(f->server, "{'op':'insert','table':'Open_vSwitch',"
                   "'row':{}}");
    add_bridge(f, "br-a");
    add_bridge(f, "br-b");
    f->db = ovs_db_create(db_server_remote(f->server));
    free(schema);
    *statep = f;
    return 0;
}

/* Undoes setup(). */
static int
teardown(void **statep)
{
    struct fixture *f = *statep;

    ovs_db_destroy(f->db);
    db_server_destroy(f->server);
    db_remove_dir(f->dir);
    free(f);
    return 0;
}

/* Runs the client of 'f' until its view is 'expected', and fails the test if
 * it does not become that. */
static void
await_view(const struct fixture *f, const char *expected)
{
    long long int deadline = time_msec() + TIMEOUT;

    for (;;) {
        ovs_db_run(f->db);
        char *text = dump_ovs_view(ovs_db_view(f->db));
        bool found = !strcmp(text, expected);
        if (!found && time_msec() >= deadline) {
            assert_string_equal(text, expected);
        }
        free(text);
        if (found) {
            return;
        }
        ovs_db_wait(f->db);
        poll_timer_wait_until(deadline);
        poll_block();
    }
}

/* What such bridges look like. */
#define PLAIN "complete hostname=\nbr-a ()\nbr-b ()\n"
#define SAMPLED "complete hostname=\nbr-a () sampled\nbr-b ()\n"

#define TIMED "complete hostname= ct-timeouts\nbr-a ()\nbr-b ()\n"

/* Each column of a bridge by itself. */
static void
test_columns(void **statep)
{
    static const struct {
        const char *table;      /* What Bridge refers to, */
        const char *column;     /* and by which column. */
    } steps[] = {
        { "sFlow", "sflow" }, { "NetFlow", "netflow" }, { "IPFIX", "ipfix" },
    };
    struct fixture *f = *statep;

    await_view(f, PLAIN);
    for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
        db_server_exec(f->server, "{'op':'insert','table':'%s','uuid-name':"
                       "'s','row':{'targets':'192.0.2.1:1'}},{'op':'update',"
                       "'table':'Bridge','where':[['name','==','br-a']],'row':"
                       "{'%s':['named-uuid','s']}}", steps[i].table,
                       steps[i].column);
        await_view(f, SAMPLED);
        db_server_exec(f->server, "{'op':'update','table':'Bridge','where':[],"
                       "'row':{'%s':['set',[]]}}", steps[i].column);
        await_view(f, PLAIN);
    }
}

/* A set of collectors, which refers to its bridge. */
static void
test_collectors(void **statep)
{
    struct fixture *f = *statep;
    char *reply = db_server_transact(
        f->server, "{'op':'select','table':'Bridge','columns':['_uuid'],"
        "'where':[['name','==','br-a']]}");
    char *uuid = xmemdup0(strstr(reply, "\"uuid\",\"") + 8, 36);

    await_view(f, PLAIN);
    db_server_exec(f->server, "{'op':'insert','table':"
                   "'Flow_Sample_Collector_Set','row':{'id':1,'bridge':"
                   "['uuid','%s']}}", uuid);
    await_view(f, SAMPLED);
    db_server_exec(f->server, "{'op':'delete','table':"
                   "'Flow_Sample_Collector_Set','where':[]}");
    await_view(f, PLAIN);
    free(uuid);
    free(reply);
}

/* A policy for the times of conntrack, which a zone refers to. */
static void
test_timeouts(void **statep)
{
    struct fixture *f = *statep;

    await_view(f, PLAIN);
    db_server_exec(f->server, "{'op':'insert','table':'CT_Timeout_Policy',"
                   "'uuid-name':'t','row':{'timeouts':['map',[['udp_single',"
                   "3600]]]}},{'op':'insert','table':'CT_Zone','uuid-name':"
                   "'z','row':{'timeout_policy':['named-uuid','t']}},"
                   "{'op':'insert','table':'Datapath','uuid-name':'d','row':"
                   "{'datapath_version':'','ct_zones':['map',[[7,"
                   "['named-uuid','z']]]]}},{'op':'mutate','table':"
                   "'Open_vSwitch','where':[],'mutations':[['datapaths',"
                   "'insert',['map',[['netdev',['named-uuid','d']]]]]]}");
    await_view(f, TIMED);
    db_server_exec(f->server, "{'op':'update','table':'Open_vSwitch',"
                   "'where':[],'row':{'datapaths':['map',[]]}}");
    await_view(f, PLAIN);
}

int
main(int argc, char *argv[])
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_columns, setup, teardown),
        cmocka_unit_test_setup_teardown(test_collectors, setup, teardown),
        cmocka_unit_test_setup_teardown(test_timeouts, setup, teardown),
    };

    if (!db_test_init(argc, argv)) {
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
