/* SPDX-License-Identifier: Apache-2.0 */
/* Tests idl/ovs-db.c against a real ovsdb-server with the schema of Open
 * vSwitch.  No ovs-vswitchd runs, so nothing happens to what is written.
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
    struct db_server *server;   /* An empty database, running. */
    struct ovs_db *db;          /* A client of it. */
};

/* Runs 'DB' until 'COND' is true, and fails the test if it does not get true.
 * Adds to 'N' the number of times that the view changed until then. */
#define AWAIT_COUNTING(DB, COND, N)                                     \
    do {                                                                \
        long long int deadline_ = time_msec() + TIMEOUT;                \
        for (;;) {                                                      \
            (N) += ovs_db_run(DB);                                      \
            if (COND) {                                                 \
                break;                                                  \
            }                                                           \
            fail_if_late(DB, deadline_, #COND, __LINE__);               \
            ovs_db_wait(DB);                                            \
            poll_timer_wait_until(deadline_);                           \
            poll_block();                                               \
        }                                                               \
    } while (0)

/* The same without counting. */
#define AWAIT(DB, COND)                                                 \
    do {                                                                \
        int n_ OVS_UNUSED = 0;                                          \
        AWAIT_COUNTING(DB, COND, n_);                                   \
    } while (0)

/* Fails the test, and shows the view of 'db', if 'deadline' is over. */
static void
fail_if_late(struct ovs_db *db, long long int deadline, const char *cond,
             int line)
{
    if (time_msec() >= deadline) {
        fail_msg("line %d: %s does not get true:\n%s", line, cond,
                 dump_ovs_view(ovs_db_view(db)));
    }
}

/* Returns the state of 'db'. */
static enum db_state
state(const struct ovs_db *db)
{
    struct db_status status;

    ovs_db_status(db, &status);
    return status.state;
}

/* Returns the port 'name' of 'bridge' in the view of 'db', or NULL. */
static const struct ovs_port *
port(const struct ovs_db *db, const char *bridge, const char *name)
{
    const struct ovs_view *view = ovs_db_view(db);

    for (size_t i = 0; i < view->n_bridges; i++) {
        const struct ovs_bridge *b = &view->bridges[i];

        for (size_t j = 0; !strcmp(b->name, bridge) && j < b->n_ports; j++) {
            if (!strcmp(b->ports[j].name, name)) {
                return &b->ports[j];
            }
        }
    }
    return NULL;
}

/* Returns true if the view of 'db' has external_ids:mark='value'.  Changes
 * arrive in order, so with set_mark() this tells that all of them are in. */
static bool
has_mark(const struct ovs_db *db, const char *value)
{
    const char *mark = smap_get(&ovs_db_view(db)->external_ids, "mark");

    return mark && !strcmp(mark, value);
}

/* Changes of the database, as ovs-vsctl makes them. */

/* Writes the Open_vSwitch row of 'server'. */
static void
init(const struct db_server *server)
{
    db_server_exec(server, "{'op':'insert','table':'Open_vSwitch',"
                   "'row':{}}");
}

/* Sets external_ids:mark of 'server' to 'value'. */
static void
set_mark(const struct db_server *server, const char *value)
{
    db_server_exec(server, "{'op':'update','table':'Open_vSwitch','where':[],"
                   "'row':{'external_ids':['map',[['mark','%s']]]}}", value);
}

/* Adds 'bridge' to 'server'. */
static void
add_bridge(const struct db_server *server, const char *bridge)
{
    db_server_exec(server, "{'op':'insert','table':'Bridge','uuid-name':'b',"
                   "'row':{'name':'%s'}},"
                   "{'op':'mutate','table':'Open_vSwitch','where':[],"
                   "'mutations':[['bridges','insert',['named-uuid','b']]]}",
                   bridge);
}

/* Adds to 'bridge' of 'server' the port 'name' with an interface 'iface', and
 * with 'more' of the port's row. */
static void
add_port(const struct db_server *server, const char *bridge, const char *name,
         const char *iface, const char *more)
{
    db_server_exec(server, "{'op':'insert','table':'Interface',"
                   "'uuid-name':'i','row':{'name':'%s'}},"
                   "{'op':'insert','table':'Port','uuid-name':'p',"
                   "'row':{'name':'%s','interfaces':['named-uuid','i']%s}},"
                   "{'op':'mutate','table':'Bridge',"
                   "'where':[['name','==','%s']],"
                   "'mutations':[['ports','insert',['named-uuid','p']]]}",
                   iface, name, more, bridge);
}

/* Removes all ports from 'bridge' of 'server'. */
static void
remove_ports(const struct db_server *server, const char *bridge)
{
    db_server_exec(server, "{'op':'update','table':'Bridge',"
                   "'where':[['name','==','%s']],"
                   "'row':{'ports':['set',[]]}}", bridge);
}

/* Makes 'db' want one managed port. */
static void
want(struct ovs_db *db, const char *bridge, const char *device)
{
    struct ovs_managed_port wanted = { .bridge = bridge, .device = device };

    ovs_db_set_managed_ports(db, &wanted, 1);
}

/* Tests. */

/* Starts a server with an empty database, and a client. */
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
    f->db = ovs_db_create(db_server_remote(f->server));
    ovs_db_set_removal_wait(f->db, 50);
    free(schema);
    *statep = f;
    return 0;
}

/* As setup(), with bridges br-a and br-b. */
static int
setup_bridges(void **statep)
{
    setup(statep);

    struct fixture *f = *statep;
    init(f->server);
    add_bridge(f->server, "br-a");
    add_bridge(f->server, "br-b");
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

/* A database without an Open_vSwitch row says nothing. */
static void
test_not_initialized(void **statep)
{
    struct fixture *f = *statep;

    assert_int_equal(state(f->db), DB_CONNECTING);
    AWAIT(f->db, state(f->db) == DB_SYNCING);
    assert_false(ovs_db_view(f->db)->complete);
    init(f->server);
    AWAIT(f->db, ovs_db_view(f->db)->complete);
    assert_int_equal(state(f->db), DB_SYNCED);
    assert_string_equal(ovs_db_view(f->db)->hostname, "");
    assert_int_equal(ovs_db_view(f->db)->n_bridges, 0);

    /* Deleted again, and nothing is lost. */
    add_bridge(f->server, "br-a");
    AWAIT(f->db, ovs_db_view(f->db)->n_bridges == 1);
    db_server_exec(f->server, "{'op':'delete','table':'Open_vSwitch',"
                   "'where':[]}");
    AWAIT(f->db, state(f->db) == DB_SYNCING);
    assert_int_equal(ovs_db_view(f->db)->n_bridges, 1);
}

/* All values, in order. */
static void
test_view(void **statep)
{
    struct fixture *f = *statep;

    init(f->server);
    add_bridge(f->server, "br-int");
    add_bridge(f->server, "br-ex");
    add_port(f->server, "br-ex", "eth1", "eth1", ",'tag':0");
    add_port(f->server, "br-ex", "bond0", "eth9", "");
    db_server_exec(
        f->server, "{'op':'update','table':'Bridge',"
        "'where':[['name','==','br-ex']],'row':{'datapath_type':'netdev'}},"
        "{'op':'insert','table':'Interface','uuid-name':'i',"
        "'row':{'name':'eth2','type':'internal','ofport':-1,"
        "'error':'no such device'}},"
        "{'op':'mutate','table':'Port','where':[['name','==','bond0']],"
        "'mutations':[['interfaces','insert',['named-uuid','i']]]},"
        "{'op':'update','table':'Interface','where':[['name','==','eth1']],"
        "'row':{'ofport':7}},"
        "{'op':'insert','table':'SSL','uuid-name':'s','row':{"
        "'private_key':'k','certificate':'c','ca_cert':'a',"
        "'bootstrap_ca_cert':true}},"
        "{'op':'update','table':'Open_vSwitch','where':[],'row':{"
        "'ssl':['named-uuid','s'],'external_ids':['map',["
        "['hostname','h'],['ovn-remote','tcp:1'],['ovn-remote-x','tcp:2']]]"
        "}}");
    AWAIT(f->db, ovs_db_view(f->db)->ssl_bootstrap);

    char *text = dump_ovs_view(ovs_db_view(f->db));
    assert_string_equal(text,
                        "complete hostname=h key=k cert=c ca=a bootstrap\n"
                        "hostname=h\n"
                        "ovn-remote=tcp:1\n"
                        "ovn-remote-x=tcp:2\n"
                        "br-ex (netdev)\n"
                        "  bond0 eth2(internal,-1,no such device) eth9(,0)\n"
                        "  eth1 tag=0 eth1(,7)\n"
                        "br-int ()\n");
    free(text);

    db_server_exec(f->server, "{'op':'update','table':'Open_vSwitch',"
                   "'where':[],'row':{'ssl':['set',[]],"
                   "'external_ids':['map',[]]}}");
    AWAIT(f->db, !ovs_db_view(f->db)->ssl_private_key);
    assert_false(ovs_db_view(f->db)->ssl_bootstrap);
    assert_string_equal(ovs_db_view(f->db)->hostname, "");
}

/* Returns true if the view of 'db', printed, has 'text'. */
static bool
view_has(const struct ovs_db *db, const char *text)
{
    char *all = dump_ovs_view(ovs_db_view(db));
    bool found = strstr(all, text) != NULL;

    free(all);
    return found;
}

/* Sets 'columns', JSON, of the row of 'table' that is called 'name'. */
static void
set_columns(const struct db_server *server, const char *table,
            const char *name, const char *columns)
{
    db_server_exec(server, "{'op':'update','table':'%s','where':"
                   "[['name','==','%s']],'row':{%s}}", table, name, columns);
}

/* What keeps packets from being forwarded directly: it comes and goes. */
static void
test_obstacles(void **statep)
{
    static const struct {
        const char *set;        /* Columns of the interface. */
        const char *unset;      /* As they were. */
        const char *text;       /* What the view has then. */
    } steps[] = {
        { "'external_ids':['map',[['iface-id','vm'],['a','b']]]",
          "'external_ids':['map',[['iface','vm']]]", "tap1(,0 id=vm)\n" },
        { "'ingress_policing_rate':1", "'ingress_policing_rate':0",
          "tap1(,0 policed)\n" },
        { "'ingress_policing_kpkts_rate':1",
          "'ingress_policing_kpkts_rate':0", "tap1(,0 policed)\n" },
    };
    struct fixture *f = *statep;

    add_port(f->server, "br-a", "tap1", "tap1", "");
    AWAIT(f->db, view_has(f->db, "tap1(,0)\n"));
    for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
        set_columns(f->server, "Interface", "tap1", steps[i].set);
        AWAIT(f->db, view_has(f->db, steps[i].text));
        set_columns(f->server, "Interface", "tap1", steps[i].unset);
        AWAIT(f->db, view_has(f->db, "tap1(,0)\n"));
    }

    /* Without a rate a burst means nothing. */
    set_columns(f->server, "Interface", "tap1", "'ingress_policing_burst':9");
    set_mark(f->server, "1");
    AWAIT(f->db, has_mark(f->db, "1"));
    assert_true(view_has(f->db, "tap1(,0)\n"));

    db_server_exec(f->server, "{'op':'insert','table':'QoS','uuid-name':'q',"
                   "'row':{'type':'linux-htb'}},{'op':'update','table':"
                   "'Port','where':[['name','==','tap1']],'row':{'qos':"
                   "['named-uuid','q']}}");
    AWAIT(f->db, view_has(f->db, "tap1(,0) qos\n"));
    set_columns(f->server, "Port", "tap1", "'qos':['set',[]]");
    AWAIT(f->db, view_has(f->db, "tap1(,0)\n"));

    db_server_exec(f->server, "{'op':'update','table':'Open_vSwitch','where':"
                   "[],'row':{'other_config':['map',[['hw-offload','true'],"
                   "['a','b']]]}}");
    AWAIT(f->db, ovs_db_view(f->db)->hw_offload);
    db_server_exec(f->server, "{'op':'update','table':'Open_vSwitch','where':"
                   "[],'row':{'other_config':['map',[]]}}");
    AWAIT(f->db, !ovs_db_view(f->db)->hw_offload);
}

/* Which ports a mirror takes packets of. */
static void
test_mirrors(void **statep)
{
    static const char *const columns[] = { "select_src_port",
                                           "select_dst_port" };
    struct fixture *f = *statep;

    add_port(f->server, "br-a", "tap1", "tap1", "");
    add_port(f->server, "br-a", "tap2", "tap2", "");
    add_port(f->server, "br-b", "tap3", "tap3", "");
    db_server_exec(f->server, "{'op':'insert','table':'Mirror','uuid-name':"
                   "'m','row':{'name':'m'}},{'op':'update','table':'Bridge',"
                   "'where':[['name','==','br-a']],'row':{'mirrors':"
                   "['named-uuid','m']}}");
    for (size_t i = 0; i < ARRAY_SIZE(columns); i++) {
        char *reply = db_server_transact(
            f->server, "{'op':'select','table':'Port','columns':['_uuid'],"
            "'where':[['name','==','tap1']]}");
        char *uuid = xmemdup0(strstr(reply, "\"uuid\",\"") + 8, 36);

        db_server_exec(f->server, "{'op':'update','table':'Mirror','where':[],"
                       "'row':{'%s':['uuid','%s']}}", columns[i], uuid);
        AWAIT(f->db, view_has(f->db, "tap1(,0) mirrored\n"));
        assert_true(view_has(f->db, "tap2(,0)\n"));
        assert_true(view_has(f->db, "tap3(,0)\n"));
        db_server_exec(f->server, "{'op':'update','table':'Mirror','where':[],"
                       "'row':{'%s':['set',[]]}}", columns[i]);
        AWAIT(f->db, view_has(f->db, "tap1(,0)\n"));
        free(uuid);
        free(reply);
    }

    db_server_exec(f->server, "{'op':'update','table':'Mirror','where':[],"
                   "'row':{'select_all':true}}");
    AWAIT(f->db, view_has(f->db, "tap1(,0) mirrored\n"));
    assert_true(view_has(f->db, "tap2(,0) mirrored\n"));
    assert_true(view_has(f->db, "tap3(,0)\n"));
    db_server_exec(f->server, "{'op':'update','table':'Bridge','where':[],"
                   "'row':{'mirrors':['set',[]]}}");
    AWAIT(f->db, !view_has(f->db, "mirrored"));
}

/* A server that is older than what is read. */
static void
test_old_schema(void **statep)
{
    static const char *const edits[] = {
        "-Interface.ingress_policing_kpkts_rate", "-Bridge.mirrors", NULL };
    struct fixture *f = *statep;

    db_server_stop(f->server);
    db_server_edit_schema(f->server, edits);
    db_server_start(f->server);
    add_port(f->server, "br-a", "tap1", "tap1", "");
    set_columns(f->server, "Interface", "tap1", "'ingress_policing_rate':1,"
                "'external_ids':['map',[['iface-id','vm']]]");
    AWAIT(f->db, view_has(f->db, "tap1(,0 id=vm policed)\n"));
    assert_int_equal(state(f->db), DB_SYNCED);
}

/* What is not read, such as statistics, does not change the view. */
static void
test_churn(void **statep)
{
    struct fixture *f = *statep;
    int n_changes = 0;

    add_port(f->server, "br-a", "eth1", "eth1", "");
    AWAIT(f->db, port(f->db, "br-a", "eth1"));
    for (int i = 0; i < 5; i++) {
        db_server_exec(f->server, "{'op':'update','table':'Interface',"
                       "'where':[],'row':{'statistics':['map',"
                       "[['rx_packets',%d]]]}},"
                       "{'op':'update','table':'Bridge','where':[],"
                       "'row':{'external_ids':['map',[['n','%d']]]}}", i, i);
        n_changes += ovs_db_run(f->db);
    }
    set_mark(f->server, "1");
    AWAIT_COUNTING(f->db, has_mark(f->db, "1"), n_changes);
    assert_int_equal(n_changes, 1);
    assert_false(ovs_db_run(f->db));
}

/* The view stays while the server is down. */
static void
test_restart(void **statep)
{
    struct fixture *f = *statep;

    add_port(f->server, "br-a", "eth1", "eth1", "");
    AWAIT(f->db, port(f->db, "br-a", "eth1"));
    db_server_stop(f->server);
    AWAIT(f->db, state(f->db) == DB_CONNECTING);
    assert_non_null(port(f->db, "br-a", "eth1"));
    db_server_start(f->server);
    remove_ports(f->server, "br-a");
    assert_non_null(port(f->db, "br-a", "eth1"));
    AWAIT(f->db, state(f->db) == DB_SYNCED);
    assert_null(port(f->db, "br-a", "eth1"));
}

/* A port is not added again before ovs-vswitchd has acted upon the removal. */
static void
test_managed_answer(void **statep)
{
    const struct ovs_managed_port wanted = { "br-a", "xdp0" };
    struct fixture *f = *statep;

    ovs_db_set_removal_wait(f->db, 60000);
    ovs_db_set_managed_ports(f->db, &wanted, 1);
    AWAIT(f->db, port(f->db, "br-a", "xdp0"));
    ovs_db_set_managed_ports(f->db, NULL, 0);
    AWAIT(f->db, !port(f->db, "br-a", "xdp0"));
    ovs_db_set_managed_ports(f->db, &wanted, 1);
    set_mark(f->server, "1");
    AWAIT(f->db, has_mark(f->db, "1"));
    assert_null(port(f->db, "br-a", "xdp0"));
    assert_false(ovs_db_managed_ports_settled(f->db));

    db_server_exec(f->server, "{'op':'update','table':'Open_vSwitch',"
                   "'where':[['next_cfg','==',1]],'row':{'cur_cfg':1}}");
    AWAIT(f->db, ovs_db_managed_ports_settled(f->db));
    assert_non_null(port(f->db, "br-a", "xdp0"));
}

/* A managed port is added, comes back when somebody deletes it, and goes when
 * it is not wanted any more. */
static void
test_managed(void **statep)
{
    struct fixture *f = *statep;

    AWAIT(f->db, ovs_db_view(f->db)->n_bridges == 2);
    assert_false(ovs_db_managed_ports_settled(f->db));
    assert_int_equal(ovs_db_managed_port_state(f->db, "xdp0"),
                     OVS_MANAGED_UNWANTED);
    want(f->db, "br-a", "xdp0");
    assert_false(ovs_db_managed_ports_settled(f->db));
    assert_int_equal(ovs_db_managed_port_state(f->db, "xdp0"),
                     OVS_MANAGED_PENDING);
    AWAIT(f->db, ovs_db_managed_ports_settled(f->db));

    const struct ovs_port *p = port(f->db, "br-a", "xdp0");
    assert_non_null(p);
    assert_string_equal(p->managed, "br-a");
    assert_int_equal(p->n_ifaces, 1);
    assert_string_equal(p->ifaces[0].name, "xdp0");
    assert_string_equal(p->ifaces[0].type, "");
    assert_int_equal(ovs_db_managed_port_state(f->db, "xdp0"),
                     OVS_MANAGED_PRESENT);

    remove_ports(f->server, "br-a");
    set_mark(f->server, "1");
    AWAIT(f->db, has_mark(f->db, "1"));
    AWAIT(f->db, ovs_db_managed_ports_settled(f->db));
    assert_non_null(port(f->db, "br-a", "xdp0"));

    /* The same again is nothing to do. */
    want(f->db, "br-a", "xdp0");
    assert_true(ovs_db_managed_ports_settled(f->db));

    add_port(f->server, "br-a", "user", "user", "");
    ovs_db_set_managed_ports(f->db, NULL, 0);
    AWAIT(f->db, ovs_db_managed_ports_settled(f->db)
          && port(f->db, "br-a", "user"));
    assert_null(port(f->db, "br-a", "xdp0"));
}

/* Marked ports of an earlier daemon: removed, but not before anything is
 * known to be wanted, and kept if that is the same. */
static void
test_adopt(void **statep)
{
    struct fixture *f = *statep;

    add_port(f->server, "br-a", "keep", "keep",
             ",'external_ids':['map',[['" OVS_DB_MANAGED_KEY "','br-a']]]");
    add_port(f->server, "br-a", "old", "old",
             ",'external_ids':['map',[['" OVS_DB_MANAGED_KEY "','br-a']]]");
    db_server_exec(f->server, "{'op':'update','table':'Interface',"
                   "'where':[['name','==','keep']],'row':{'ofport':77}}");
    set_mark(f->server, "1");
    AWAIT(f->db, has_mark(f->db, "1"));
    ovs_db_run(f->db);
    assert_non_null(port(f->db, "br-a", "old"));

    want(f->db, "br-a", "keep");
    AWAIT(f->db, ovs_db_managed_ports_settled(f->db));
    assert_null(port(f->db, "br-a", "old"));
    assert_non_null(port(f->db, "br-a", "keep"));
    assert_int_equal(port(f->db, "br-a", "keep")->ifaces[0].ofport, 77);
}

/* Ports of two bridges, which then change places. */
static void
test_two_bridges(void **statep)
{
    struct fixture *f = *statep;
    struct ovs_managed_port ports[] = {
        { .bridge = "br-a", .device = "x" },
        { .bridge = "br-b", .device = "y" },
    };

    ovs_db_set_managed_ports(f->db, ports, 2);
    AWAIT(f->db, ovs_db_managed_ports_settled(f->db));
    assert_non_null(port(f->db, "br-a", "x"));
    assert_non_null(port(f->db, "br-b", "y"));

    ports[0].bridge = "br-b";
    ports[1].bridge = "br-a";
    ovs_db_set_managed_ports(f->db, ports, 2);
    AWAIT(f->db, ovs_db_managed_ports_settled(f->db));
    assert_null(port(f->db, "br-a", "x"));
    assert_null(port(f->db, "br-b", "y"));
    assert_string_equal(port(f->db, "br-b", "x")->managed, "br-b");
    assert_string_equal(port(f->db, "br-a", "y")->managed, "br-a");
}

/* A port or an interface of a user with the name that is wanted. */
static void
test_foreign(void **statep)
{
    struct fixture *f = *statep;
    struct ovs_managed_port ports[] = {
        { .bridge = "br-a", .device = "x" },
        { .bridge = "br-a", .device = "leg" },
        { .bridge = "br-a", .device = "z" },
    };

    add_port(f->server, "br-b", "x", "x", "");
    add_port(f->server, "br-b", "bond", "leg", "");
    ovs_db_set_managed_ports(f->db, ports, 3);
    AWAIT(f->db, ovs_db_managed_ports_settled(f->db));
    assert_int_equal(ovs_db_managed_port_state(f->db, "x"),
                     OVS_MANAGED_FOREIGN);
    assert_int_equal(ovs_db_managed_port_state(f->db, "leg"),
                     OVS_MANAGED_FOREIGN);
    assert_int_equal(ovs_db_managed_port_state(f->db, "z"),
                     OVS_MANAGED_PRESENT);
    assert_null(port(f->db, "br-b", "x")->managed);
    assert_null(port(f->db, "br-a", "x"));
    assert_non_null(port(f->db, "br-a", "z"));

    /* Not removed either. */
    ovs_db_set_managed_ports(f->db, NULL, 0);
    AWAIT(f->db, ovs_db_managed_ports_settled(f->db));
    assert_non_null(port(f->db, "br-b", "x"));
    assert_non_null(port(f->db, "br-b", "bond"));
    assert_null(port(f->db, "br-a", "z"));

    /* The user lets go of the name. */
    ovs_db_set_managed_ports(f->db, ports, 1);
    AWAIT(f->db, ovs_db_managed_port_state(f->db, "x")
          == OVS_MANAGED_FOREIGN);
    remove_ports(f->server, "br-b");
    AWAIT(f->db, ovs_db_managed_port_state(f->db, "x")
          == OVS_MANAGED_PRESENT);
    assert_non_null(port(f->db, "br-a", "x"));
}

/* A bridge that does not exist yet, and one that goes and comes back. */
static void
test_no_bridge(void **statep)
{
    struct fixture *f = *statep;

    want(f->db, "br-c", "x");
    AWAIT(f->db, ovs_db_managed_ports_settled(f->db));
    assert_int_equal(ovs_db_managed_port_state(f->db, "x"),
                     OVS_MANAGED_NO_BRIDGE);
    add_bridge(f->server, "br-c");
    AWAIT(f->db, ovs_db_managed_port_state(f->db, "x")
          == OVS_MANAGED_PRESENT);

    db_server_exec(f->server, "{'op':'update','table':'Open_vSwitch',"
                   "'where':[],'row':{'bridges':['set',[]]}},"
                   "{'op':'delete','table':'Bridge','where':[]}");
    AWAIT(f->db, ovs_db_managed_port_state(f->db, "x")
          == OVS_MANAGED_NO_BRIDGE);
    add_bridge(f->server, "br-c");
    AWAIT(f->db, ovs_db_managed_port_state(f->db, "x")
          == OVS_MANAGED_PRESENT);
    assert_non_null(port(f->db, "br-c", "x"));
}

/* A marked port that is not as it should be is made anew. */
static void
test_mended(void **statep)
{
    struct fixture *f = *statep;

    want(f->db, "br-a", "x");
    AWAIT(f->db, ovs_db_managed_ports_settled(f->db));
    db_server_exec(f->server, "{'op':'update','table':'Interface',"
                   "'where':[['name','==','x']],'row':{'type':'internal'}}");
    set_mark(f->server, "1");
    AWAIT(f->db, has_mark(f->db, "1"));
    AWAIT(f->db, ovs_db_managed_ports_settled(f->db));
    assert_string_equal(port(f->db, "br-a", "x")->ifaces[0].type, "");

    db_server_exec(f->server, "{'op':'update','table':'Port',"
                   "'where':[['name','==','x']],'row':{'external_ids':"
                   "['map',[['" OVS_DB_MANAGED_KEY "','br-b']]]}}");
    set_mark(f->server, "2");
    AWAIT(f->db, has_mark(f->db, "2"));
    AWAIT(f->db, ovs_db_managed_ports_settled(f->db));
    assert_string_equal(port(f->db, "br-a", "x")->managed, "br-a");

    /* A user who takes the mark away takes the port. */
    db_server_exec(f->server, "{'op':'update','table':'Port',"
                   "'where':[],'row':{'external_ids':['map',[]]}}");
    AWAIT(f->db, ovs_db_managed_port_state(f->db, "x")
          == OVS_MANAGED_FOREIGN);
}

/* Wishes that come while there is no server, or just before it goes. */
static void
test_managed_restart(void **statep)
{
    struct fixture *f = *statep;

    AWAIT(f->db, ovs_db_view(f->db)->n_bridges == 2);
    want(f->db, "br-a", "x");
    ovs_db_run(f->db);
    db_server_stop(f->server);
    AWAIT(f->db, state(f->db) == DB_CONNECTING);
    assert_false(ovs_db_managed_ports_settled(f->db));
    want(f->db, "br-b", "y");
    assert_false(ovs_db_managed_ports_settled(f->db));
    db_server_start(f->server);
    AWAIT(f->db, ovs_db_managed_ports_settled(f->db));
    assert_null(port(f->db, "br-a", "x"));
    assert_non_null(port(f->db, "br-b", "y"));

    db_server_stop(f->server);
    AWAIT(f->db, !ovs_db_managed_ports_settled(f->db));
    db_server_start(f->server);
    AWAIT(f->db, ovs_db_managed_ports_settled(f->db));
}

/* A wish that changes while the transaction for the one before is under
 * way. */
static void
test_changed_mind(void **statep)
{
    struct fixture *f = *statep;

    AWAIT(f->db, ovs_db_view(f->db)->n_bridges == 2);
    for (int i = 0; i < 5; i++) {
        want(f->db, "br-a", "x");
        ovs_db_run(f->db);
        want(f->db, "br-b", "y");
        ovs_db_run(f->db);
        assert_false(ovs_db_managed_ports_settled(f->db));
        AWAIT(f->db, ovs_db_managed_ports_settled(f->db));
        assert_null(port(f->db, "br-a", "x"));
        assert_non_null(port(f->db, "br-b", "y"));
        ovs_db_set_managed_ports(f->db, NULL, 0);
    }
}

/* A name that somebody takes just before we want it. */
static void
test_taken(void **statep)
{
    struct fixture *f = *statep;

    AWAIT(f->db, ovs_db_view(f->db)->n_bridges == 2);
    add_port(f->server, "br-b", "x", "x", "");
    assert_null(port(f->db, "br-b", "x"));
    want(f->db, "br-a", "x");
    AWAIT(f->db, ovs_db_managed_ports_settled(f->db));
    assert_int_equal(ovs_db_managed_port_state(f->db, "x"),
                     OVS_MANAGED_FOREIGN);
    remove_ports(f->server, "br-b");
    AWAIT(f->db, ovs_db_managed_port_state(f->db, "x")
          == OVS_MANAGED_PRESENT);
}

/* A server that refuses a transaction: it is tried again until it succeeds,
 * but not without a pause in between. */
static void
test_refused(void **statep)
{
    struct fixture *f = *statep;
    int rounds = 0;

    AWAIT(f->db, ovs_db_view(f->db)->n_bridges == 2);
    db_server_limit_file(f->server, true);
    want(f->db, "br-a", "x");

    long long int start = time_msec();
    AWAIT(f->db, ++rounds > 100 || time_msec() - start > 2500);
    assert_true(rounds > 3 && rounds < 30);
    assert_int_equal(ovs_db_managed_port_state(f->db, "x"),
                     OVS_MANAGED_PENDING);
    assert_false(ovs_db_managed_ports_settled(f->db));

    db_server_limit_file(f->server, false);
    AWAIT(f->db, ovs_db_managed_ports_settled(f->db));
    assert_non_null(port(f->db, "br-a", "x"));
}

/* Runs the tests, or says why they cannot run. */
int
main(int argc, char *argv[])
{
#define TEST(NAME) \
    cmocka_unit_test_setup_teardown(NAME, setup_bridges, teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_not_initialized, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_view, setup, teardown),
        TEST(test_obstacles),
        TEST(test_mirrors),
        TEST(test_old_schema),
        TEST(test_churn),
        TEST(test_restart),
        TEST(test_managed),
        TEST(test_managed_answer),
        TEST(test_adopt),
        TEST(test_two_bridges),
        TEST(test_foreign),
        TEST(test_no_bridge),
        TEST(test_mended),
        TEST(test_managed_restart),
        TEST(test_changed_mind),
        TEST(test_taken),
        TEST(test_refused),
    };

    if (!db_test_init(argc, argv)) {
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
