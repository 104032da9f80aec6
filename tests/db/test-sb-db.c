/* SPDX-License-Identifier: Apache-2.0 */
/* Tests idl/sb-db.c against real ovsdb-servers that serve what ovn-northd
 * wrote.
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
#include "openvswitch/vlog.h"
#include "random.h"
#include "simap.h"
#include "timeval.h"
#include "util.h"
#include "uuid.h"

#include "idl/sb-db.h"
#include "tests/db/db-dump.h"
#include "tests/db/db-server.h"

#define VM_PROVIDER "55555555-aaaa-4000-8000-000000000005"
#define VM_FIP "33333333-aaaa-4000-8000-000000000003"
#define VM_OTHER "44444444-aaaa-4000-8000-000000000004"
#define GW_SWITCH_PORT "11111111-aaaa-4000-8000-000000000001"
#define GW_ROUTER_PORT "lrp-11111111-aaaa-4000-8000-000000000001"
#define GW_PORT "cr-lrp-11111111-aaaa-4000-8000-000000000001"
#define LOCALNET "provnet-66666666"

/* How long to wait for anything, in milliseconds. */
#define TIMEOUT 20000

/* What every test has. */
struct fixture {
    char *dir;                  /* Folder for files. */
    struct db_server *server;   /* A Southbound database, running. */
    struct sb_db *db;           /* A client of it as chassis cmp1. */
};

/* Runs 'DB' until 'COND' is true, and fails the test if it does not get
 * true. */
#define AWAIT(DB, COND)                                                 \
    do {                                                                \
        long long int deadline_ = time_msec() + TIMEOUT;                \
        for (;;) {                                                      \
            sb_db_run(DB);                                              \
            if (COND) {                                                 \
                break;                                                  \
            }                                                           \
            fail_if_late(DB, deadline_, #COND, __LINE__);               \
            sb_db_wait(DB);                                             \
            poll_timer_wait_until(deadline_);                           \
            poll_block();                                               \
        }                                                               \
    } while (0)

/* Fails the test, and shows the view of 'db', if 'deadline' is over. */
static void
fail_if_late(struct sb_db *db, long long int deadline, const char *cond,
             int line)
{
    if (time_msec() >= deadline) {
        fail_msg("line %d: %s does not get true:\n%s", line, cond,
                 dump_sb_view(sb_db_view(db)));
    }
}

/* Makes 'db' a client of 'server' as 'chassis'. */
static void
set_target(struct sb_db *db, const struct db_server *server,
           const char *chassis)
{
    struct sb_target target = {
        .remote = server ? db_server_remote(server) : "",
        .chassis = chassis,
        .probe_interval = 0,
    };

    sb_db_set_target(db, &target);
}

/* Returns the state of 'db'. */
static enum db_state
state(const struct sb_db *db)
{
    struct db_status status;

    sb_db_status(db, &status);
    return status.state;
}

/* Returns the binding of 'logical_port' in the view of 'db', or NULL. */
static const struct sb_binding *
binding(const struct sb_db *db, const char *logical_port)
{
    return find_sb_binding(sb_db_view(db), logical_port);
}

/* Returns true if 'db' has 'logical_port', claimed here and up. */
static bool
is_local(const struct sb_db *db, const char *logical_port)
{
    const struct sb_binding *b = binding(db, logical_port);

    return b && b->here && b->up;
}

/* Fails the test unless the binding of 'logical_port' in 'db' prints as
 * 'expected'. */
static void
check_binding(const struct sb_db *db, const char *logical_port,
              const char *expected)
{
    const struct sb_binding *b = binding(db, logical_port);
    assert_non_null(b);

    char *line = dump_sb_binding(b);
    assert_string_equal(line, expected);
    free(line);
}

/* Returns the number of rows that the replica of 'db' holds, of all tables,
 * given that a row of Chassis has 1 and one of Port_Binding 12 columns. */
static unsigned int
n_cells(const struct sb_db *db)
{
    struct simap usage = SIMAP_INITIALIZER(&usage);

    sb_db_get_memory_usage(db, &usage);
    unsigned int cells = simap_get(&usage, "idl-cells-OVN_Southbound");
    simap_destroy(&usage);
    return cells;
}

/* Changes of the database, as northd and ovn-controller make them. */

/* Returns the UUID of the chassis 'name' on 'server' as text; the caller
 * frees it. */
static char *
chassis_uuid(const struct db_server *server, const char *name)
{
    char *reply = db_server_transact(
        server, "{'op':'select','table':'Chassis','columns':['_uuid'],"
        "'where':[['name','==','%s']]}", name);
    const char *uuid = strstr(reply, "\"uuid\",\"");

    assert_non_null(uuid);
    char *copy = xmemdup0(uuid + strlen("\"uuid\",\""), 36);
    free(reply);
    return copy;
}

/* Updates columns of the binding of 'logical_port' on 'server' to the JSON
 * object 'row'. */
static void
update_binding(const struct db_server *server, const char *logical_port,
               const char *row)
{
    db_server_exec(server, "{'op':'update','table':'Port_Binding',"
                   "'where':[['logical_port','==','%s']],'row':%s}",
                   logical_port, row);
}

/* Makes 'chassis' of 'server' claim 'logical_port', with 'up' as given. */
static void
claim(const struct db_server *server, const char *logical_port,
      const char *chassis, bool up)
{
    char *uuid = chassis_uuid(server, chassis);
    char *row = xasprintf("{'chassis':['uuid','%s'],'up':%s}", uuid,
                          up ? "true" : "false");

    update_binding(server, logical_port, row);
    free(row);
    free(uuid);
}

/* Makes 'chassis' of 'server' one of several of 'logical_port', with 'options'
 * being pairs of JSON. */
static void
claim_additionally(const struct db_server *server, const char *logical_port,
                   const char *chassis, const char *options)
{
    char *uuid = chassis_uuid(server, chassis);
    char *row = xasprintf("{'additional_chassis':['uuid','%s'],"
                          "'options':['map',[%s]]}", uuid, options);

    update_binding(server, logical_port, row);
    free(row);
    free(uuid);
}

/* Makes 'logical_port' of 'server' unclaimed. */
static void
release(const struct db_server *server, const char *logical_port)
{
    update_binding(server, logical_port,
                   "{'chassis':['set',[]],'up':false}");
}

/* Deletes the chassis 'name' from 'server', as ovn-controller does when it
 * ends: with all claims, in one transaction. */
static void
delete_chassis(const struct db_server *server, const char *name)
{
    char *uuid = chassis_uuid(server, name);

    db_server_exec(server, "{'op':'update','table':'Port_Binding',"
                   "'where':[['chassis','==',['uuid','%s']]],"
                   "'row':{'up':false,'chassis':['set',[]]}},"
                   "{'op':'delete','table':'Chassis',"
                   "'where':[['name','==','%s']]}", uuid, name);
    free(uuid);
}

/* Creates the chassis 'name' on 'server'. */
static void
create_chassis(const struct db_server *server, const char *name)
{
    db_server_exec(server, "{'op':'insert','table':'Encap','uuid-name':'e',"
                   "'row':{'chassis_name':'%s','ip':'192.0.2.1',"
                   "'type':'geneve'}},"
                   "{'op':'insert','table':'Chassis','row':{'name':'%s',"
                   "'encaps':['named-uuid','e']}}", name, name);
}

/* Sets the tag of the localnet port of 'server' to 'tag'. */
static void
set_mark(const struct db_server *server, int tag)
{
    char *row = xasprintf("{'tag':%d}", tag);

    update_binding(server, LOCALNET, row);
    free(row);
}

/* Returns true if the view of 'db' has the localnet port with 'tag'.  Changes
 * arrive in order, so with set_mark() this tells that all of them are in. */
static bool
has_mark(const struct sb_db *db, int tag)
{
    const struct sb_binding *b = binding(db, LOCALNET);

    return b && b->tag == tag;
}

/* Tests. */

/* Starts a server with the OVN 24.03 fixture, and a client. */
static int
setup(void **statep)
{
    struct fixture *f = xzalloc(sizeof *f);

    f->dir = db_temp_dir();
    f->server = db_server_create(f->dir, "sb");
    db_server_use_fixture(f->server, "sb-2403.db");
    db_server_start(f->server);
    f->db = sb_db_create();
    set_target(f->db, f->server, "cmp1");
    *statep = f;
    return 0;
}

/* Undoes setup(). */
static int
teardown(void **statep)
{
    struct fixture *f = *statep;

    sb_db_destroy(f->db);
    db_server_destroy(f->server);
    db_remove_dir(f->dir);
    free(f);
    return 0;
}

/* What a client sees that has nothing yet, and what of a database in which no
 * port is claimed. */
static void
test_start(void **statep)
{
    struct fixture *f = *statep;

    assert_false(sb_db_view(f->db)->complete);
    assert_int_equal(state(f->db), DB_CONNECTING);
    AWAIT(f->db, sb_db_view(f->db)->complete);
    assert_int_equal(state(f->db), DB_SYNCED);
    assert_true(sb_db_view(f->db)->chassis_found);
    assert_null(binding(f->db, VM_PROVIDER));
    assert_null(binding(f->db, GW_PORT));
    assert_null(binding(f->db, GW_ROUTER_PORT));
    check_binding(f->db, LOCALNET,
                  LOCALNET " type=localnet dp=a4c535b5 macs=[unknown]"
                  " network=physnet1 parent= tag=101");
    assert_int_equal(hmap_count(&sb_db_view(f->db)->bindings), 2);

    /* Nothing happens, so nothing changes. */
    assert_false(sb_db_run(f->db));
}

/* All values of bindings of each kind, from the database 'name'. */
static void
check_kinds(struct fixture *f, const char *name)
{
    struct db_server *server = db_server_create(f->dir, name);
    db_server_use_fixture(server, name);
    db_server_start(server);
    claim(server, VM_PROVIDER, "cmp1", true);
    claim(server, VM_FIP, "cmp1", false);
    claim(server, VM_OTHER, "gw1", true);
    claim(server, GW_PORT, "cmp1", true);

    set_target(f->db, server, "cmp1");
    AWAIT(f->db, is_local(f->db, GW_PORT));

    const struct sb_binding *b = binding(f->db, VM_PROVIDER);
    assert_non_null(b);
    assert_true(b->here && b->up && b->activated && !b->additional);
    assert_string_equal(b->type, "");
    assert_int_equal(b->tag, -1);
    assert_null(b->network_name);
    assert_int_equal(sset_count(&b->macs), 1);
    assert_true(sset_contains(
        &b->macs, "fa:16:3e:bb:00:05 172.24.100.50 2001:db8:ff::50"));
    assert_true(uuid_equals(&b->datapath,
                            &binding(f->db, LOCALNET)->datapath));

    b = binding(f->db, VM_FIP);
    assert_true(b && b->here && !b->up);
    assert_null(binding(f->db, VM_OTHER));
    b = binding(f->db, GW_PORT);
    assert_string_equal(b->type, "chassisredirect");
    assert_string_equal(b->distributed_port, GW_ROUTER_PORT);
    b = binding(f->db, GW_SWITCH_PORT);
    assert_non_null(b);
    assert_string_equal(b->peer, GW_ROUTER_PORT);
    assert_int_equal(sset_count(&b->nat_addresses), 3);
    assert_true(sset_contains(&b->nat_addresses, "fa:16:3e:77:7f:9c "
                              "172.24.100.229 is_chassis_resident(\""
                              GW_PORT "\")"));
    db_server_destroy(server);
}

/* The bindings of OVN 23.03. */
static void
test_kinds_2303(void **statep)
{
    check_kinds(*statep, "sb-2303.db");
}

/* The bindings of OVN 24.03. */
static void
test_kinds_2403(void **statep)
{
    check_kinds(*statep, "sb-2403.db");
}

/* A port that comes, goes, moves away and back. */
static void
test_moves(void **statep)
{
    struct fixture *f = *statep;

    AWAIT(f->db, sb_db_view(f->db)->complete);
    claim(f->server, VM_PROVIDER, "cmp1", false);
    AWAIT(f->db, binding(f->db, VM_PROVIDER));
    assert_false(binding(f->db, VM_PROVIDER)->up);
    update_binding(f->server, VM_PROVIDER, "{'up':true}");
    AWAIT(f->db, is_local(f->db, VM_PROVIDER));
    claim(f->server, VM_PROVIDER, "gw1", true);
    AWAIT(f->db, !binding(f->db, VM_PROVIDER));
    claim(f->server, VM_PROVIDER, "cmp1", true);
    AWAIT(f->db, is_local(f->db, VM_PROVIDER));
    update_binding(f->server, VM_PROVIDER,
                   "{'mac':['set',['fa:16:3e:bb:00:05 192.0.2.7','unknown']],"
                   "'tag':7,'parent_port':'x','virtual_parent':'y'}");
    AWAIT(f->db, binding(f->db, VM_PROVIDER)->tag == 7);
    check_binding(f->db, VM_PROVIDER, VM_PROVIDER " type= here up dp=a4c535b5"
                  " macs=[fa:16:3e:bb:00:05 192.0.2.7; unknown]"
                  " virtual-parent=y parent=x tag=7");

    /* A change of what is not interpreted is no change of the view. */
    update_binding(f->server, VM_PROVIDER, "{'options':['map',[['a','b']]]}");
    set_mark(f->server, 5);
    bool changed = false;
    AWAIT(f->db, (changed |= has_mark(f->db, 5)));
    release(f->server, VM_PROVIDER);
    AWAIT(f->db, !binding(f->db, VM_PROVIDER));
}

/* A port that is here in addition to elsewhere, before and after its
 * activation. */
static void
test_additional_chassis(void **statep)
{
    struct fixture *f = *statep;

    claim(f->server, VM_FIP, "gw1", true);
    claim_additionally(f->server, VM_FIP, "cmp1",
                       "['activation-strategy','rarp'],"
                       "['requested-chassis','gw1,cmp1']");
    AWAIT(f->db, binding(f->db, VM_FIP));
    const struct sb_binding *b = binding(f->db, VM_FIP);
    assert_true(!b->here && b->additional && !b->activated);

    claim_additionally(f->server, VM_FIP, "cmp1",
                       "['activation-strategy','rarp'],"
                       "['additional-chassis-activated','x,cmp10,cmp1']");
    AWAIT(f->db, binding(f->db, VM_FIP)->activated);
    claim_additionally(f->server, VM_FIP, "cmp1",
                       "['activation-strategy','rarp'],"
                       "['additional-chassis-activated','x,cmp10']");
    AWAIT(f->db, !binding(f->db, VM_FIP)->activated);
    claim_additionally(f->server, VM_FIP, "cmp1", "");
    AWAIT(f->db, binding(f->db, VM_FIP)->activated);
    update_binding(f->server, VM_FIP, "{'additional_chassis':['set',[]]}");
    AWAIT(f->db, !binding(f->db, VM_FIP));
}

/* The switch's side of the router port of a gateway port that is here is seen
 * even without NAT addresses, and not longer than that. */
static void
test_peers(void **statep)
{
    struct fixture *f = *statep;

    update_binding(f->server, GW_SWITCH_PORT,
                   "{'nat_addresses':['set',[]]}");
    AWAIT(f->db, sb_db_view(f->db)->complete);
    assert_null(binding(f->db, GW_SWITCH_PORT));

    claim(f->server, GW_PORT, "cmp1", true);
    AWAIT(f->db, binding(f->db, GW_PORT));
    assert_non_null(binding(f->db, GW_SWITCH_PORT));
    assert_string_equal(binding(f->db, GW_SWITCH_PORT)->peer, GW_ROUTER_PORT);

    claim(f->server, GW_PORT, "gw1", true);
    AWAIT(f->db, !binding(f->db, GW_PORT));
    assert_null(binding(f->db, GW_SWITCH_PORT));
}

/* Checks what 'f' sees of its server, which lacks the columns that came after
 * OVN 20.03. */
static void
check_old_schema(struct fixture *f)
{
    char *uuid = chassis_uuid(f->server, "cmp1");
    char *row = xasprintf("{'chassis':['uuid','%s']}", uuid);

    update_binding(f->server, VM_PROVIDER, row);
    AWAIT(f->db, is_local(f->db, VM_PROVIDER));
    assert_false(binding(f->db, VM_PROVIDER)->additional);
    assert_null(binding(f->db, VM_FIP));
    assert_non_null(binding(f->db, LOCALNET));
    assert_int_equal(state(f->db), DB_SYNCED);
    free(row);
    free(uuid);
}

/* Columns that the database does not have in old releases. */
static const char *const old_schema[] = {
    "-Port_Binding.up",
    "-Port_Binding.additional_chassis",
    "-Port_Binding.requested_chassis",
    "-Port_Binding.requested_additional_chassis",
    "-Port_Binding.additional_encap",
    "-Port_Binding.port_security",
    "-Port_Binding.mirror_rules",
    NULL,
};

/* A server without the columns that came after OVN 20.03. */
static void
test_old_schema(void **statep)
{
    struct fixture *f = *statep;

    db_server_stop(f->server);
    db_server_edit_schema(f->server, old_schema);
    db_server_start(f->server);
    check_old_schema(f);
    assert_non_null(binding(f->db, GW_SWITCH_PORT));
}

/* A server without even 'nat_addresses' and other columns that have always
 * been there. */
static void
test_bare_schema(void **statep)
{
    static const char *const edits[] = {
        "-Port_Binding.nat_addresses",
        "-Port_Binding.virtual_parent",
        "-Port_Binding.parent_port",
        "-Port_Binding.tag",
        NULL,
    };
    struct fixture *f = *statep;

    db_server_stop(f->server);
    db_server_edit_schema(f->server, old_schema);
    db_server_edit_schema(f->server, edits);
    db_server_start(f->server);
    check_old_schema(f);
    assert_null(binding(f->db, GW_SWITCH_PORT));
    assert_int_equal(binding(f->db, LOCALNET)->tag, -1);
}

/* A server with columns from the future. */
static void
test_new_schema(void **statep)
{
    static const char *const edits[] = {
        "+Port_Binding.quantum_key", "+Chassis.flavour", NULL
    };
    struct fixture *f = *statep;

    db_server_stop(f->server);
    db_server_edit_schema(f->server, edits);
    db_server_start(f->server);
    claim(f->server, VM_PROVIDER, "cmp1", true);
    update_binding(f->server, VM_PROVIDER, "{'quantum_key':'42'}");
    AWAIT(f->db, is_local(f->db, VM_PROVIDER));
}

/* A schema that changes while the client is connected, which makes the server
 * cancel the monitor, and one that has become older after a restart, so that a
 * condition that was good is refused. */
static void
test_schema_changes(void **statep)
{
    static const char *const edits[] = { "+Port_Binding.quantum_key", NULL };
    struct fixture *f = *statep;

    claim(f->server, VM_PROVIDER, "cmp1", true);
    claim(f->server, VM_OTHER, "cmp1", true);
    AWAIT(f->db, is_local(f->db, VM_PROVIDER) && is_local(f->db, VM_OTHER));
    db_server_convert(f->server, edits);
    release(f->server, VM_OTHER);
    set_mark(f->server, 1);
    AWAIT(f->db, has_mark(f->db, 1));
    assert_true(is_local(f->db, VM_PROVIDER));
    assert_null(binding(f->db, VM_OTHER));

    db_server_stop(f->server);
    db_server_edit_schema(f->server, old_schema);
    db_server_start(f->server);
    set_mark(f->server, 2);
    AWAIT(f->db, has_mark(f->db, 2));
    assert_int_equal(state(f->db), DB_SYNCED);
    assert_true(is_local(f->db, VM_PROVIDER));

    /* Monitored by a condition again: nothing of other chassis. */
    assert_int_equal(n_cells(f->db), 1 * 1 + 3 * 12);
}

/* A server that is down for a while: the view stays, and what was deleted in
 * the meantime goes when the connection is back. */
static void
test_restart(void **statep)
{
    struct fixture *f = *statep;

    claim(f->server, VM_PROVIDER, "cmp1", true);
    claim(f->server, VM_FIP, "cmp1", true);
    AWAIT(f->db, is_local(f->db, VM_PROVIDER) && is_local(f->db, VM_FIP));
    char *before = dump_sb_view(sb_db_view(f->db));

    db_server_stop(f->server);
    AWAIT(f->db, state(f->db) == DB_CONNECTING);
    char *down = dump_sb_view(sb_db_view(f->db));
    assert_string_equal(before, down);

    /* Another client changes things before ours is back. */
    db_server_start(f->server);
    release(f->server, VM_FIP);
    claim(f->server, VM_OTHER, "cmp1", true);
    assert_true(is_local(f->db, VM_FIP));
    AWAIT(f->db, state(f->db) == DB_SYNCED);
    assert_null(binding(f->db, VM_FIP));
    assert_true(is_local(f->db, VM_OTHER));
    assert_true(is_local(f->db, VM_PROVIDER));
    free(before);
    free(down);
}

/* A restart that changes nothing does not count as a change of the view. */
static void
test_restart_unchanged(void **statep)
{
    struct fixture *f = *statep;
    bool changed = false;

    claim(f->server, VM_PROVIDER, "cmp1", true);
    AWAIT(f->db, is_local(f->db, VM_PROVIDER));
    db_server_stop(f->server);
    AWAIT(f->db, state(f->db) == DB_CONNECTING);
    db_server_start(f->server);
    for (;;) {
        changed |= sb_db_run(f->db);
        if (state(f->db) == DB_SYNCED) {
            break;
        }
        sb_db_wait(f->db);
        poll_block();
    }
    assert_false(changed);
}

/* A remote that changes to another database and to none, while it runs. */
static void
test_remote(void **statep)
{
    struct fixture *f = *statep;
    struct db_server *other = db_server_create(f->dir, "other");

    db_server_use_fixture(other, "sb-2303.db");
    db_server_edit_schema(other, old_schema);
    db_server_start(other);
    char *uuid = chassis_uuid(other, "cmp1");
    char *row = xasprintf("{'chassis':['uuid','%s']}", uuid);
    update_binding(other, VM_OTHER, row);

    claim(f->server, VM_PROVIDER, "cmp1", true);
    AWAIT(f->db, is_local(f->db, VM_PROVIDER));
    sb_db_set_chassis_grace(f->db, 300);

    /* An older server, which refuses the condition of the newer one.  Its row
     * for the chassis is another one, so there is a period of grace. */
    set_target(f->db, other, "cmp1");
    assert_int_equal(state(f->db), DB_CONNECTING);
    assert_true(is_local(f->db, VM_PROVIDER));
    AWAIT(f->db, state(f->db) == DB_SYNCED);
    assert_true(is_local(f->db, VM_OTHER));
    AWAIT(f->db, !binding(f->db, VM_PROVIDER));
    assert_int_equal(n_cells(f->db), 1 * 1 + 3 * 12);

    /* No remote: the view stays. */
    set_target(f->db, NULL, "cmp1");
    sb_db_run(f->db);
    assert_int_equal(state(f->db), DB_DISABLED);
    assert_true(is_local(f->db, VM_OTHER));

    set_target(f->db, f->server, "cmp1");
    AWAIT(f->db, state(f->db) == DB_SYNCED);
    assert_true(is_local(f->db, VM_PROVIDER));
    AWAIT(f->db, !binding(f->db, VM_OTHER));
    free(row);
    free(uuid);
    db_server_destroy(other);
}

/* A chassis name that changes or gets unknown. */
static void
test_chassis_name(void **statep)
{
    struct fixture *f = *statep;

    claim(f->server, VM_PROVIDER, "cmp1", true);
    claim(f->server, VM_OTHER, "gw1", true);
    AWAIT(f->db, is_local(f->db, VM_PROVIDER));
    set_target(f->db, f->server, "gw1");
    AWAIT(f->db, is_local(f->db, VM_OTHER));
    assert_null(binding(f->db, VM_PROVIDER));

    set_target(f->db, f->server, NULL);
    AWAIT(f->db, state(f->db) == DB_SYNCING);
    assert_true(is_local(f->db, VM_OTHER));
    set_target(f->db, f->server, "cmp1");
    AWAIT(f->db, is_local(f->db, VM_PROVIDER));
    assert_null(binding(f->db, VM_OTHER));
}

/* A chassis row that goes and comes back: bindings stay until each is claimed
 * again, except those that another chassis claimed. */
static void
test_grace(void **statep)
{
    struct fixture *f = *statep;

    claim(f->server, VM_PROVIDER, "cmp1", true);
    claim(f->server, GW_PORT, "cmp1", true);
    AWAIT(f->db, is_local(f->db, VM_PROVIDER) && is_local(f->db, GW_PORT));
    char *before = dump_sb_view(sb_db_view(f->db));

    delete_chassis(f->server, "cmp1");
    set_mark(f->server, 1);
    AWAIT(f->db, has_mark(f->db, 1));
    assert_true(sb_db_view(f->db)->chassis_found);
    assert_true(is_local(f->db, VM_PROVIDER));
    assert_true(is_local(f->db, GW_PORT));
    assert_non_null(binding(f->db, GW_SWITCH_PORT));

    create_chassis(f->server, "cmp1");
    set_mark(f->server, 2);
    AWAIT(f->db, has_mark(f->db, 2));
    assert_true(is_local(f->db, VM_PROVIDER));
    assert_true(is_local(f->db, GW_PORT));

    /* Claimed, but not up yet: still as before. */
    claim(f->server, VM_PROVIDER, "cmp1", false);
    set_mark(f->server, 101);
    AWAIT(f->db, has_mark(f->db, 101));
    char *after = dump_sb_view(sb_db_view(f->db));
    assert_string_equal(before, after);

    /* With the last claim the grace ends: deletions count at once. */
    claim(f->server, GW_PORT, "cmp1", true);
    claim(f->server, VM_PROVIDER, "cmp1", true);
    set_mark(f->server, 3);
    AWAIT(f->db, has_mark(f->db, 3));
    release(f->server, VM_PROVIDER);
    set_mark(f->server, 4);
    AWAIT(f->db, has_mark(f->db, 4));
    assert_null(binding(f->db, VM_PROVIDER));
    assert_true(is_local(f->db, GW_PORT));
    free(before);
    free(after);
}

/* A port that is in the view for another reason than being here, and that
 * another chassis claims during grace, is let go at once. */
static void
test_grace_claimed_elsewhere(void **statep)
{
    struct fixture *f = *statep;

    update_binding(f->server, VM_FIP, "{'nat_addresses':'x'}");
    update_binding(f->server, VM_OTHER, "{'nat_addresses':'x'}");
    claim(f->server, VM_FIP, "cmp1", true);
    claim(f->server, VM_OTHER, "cmp1", true);
    AWAIT(f->db, is_local(f->db, VM_FIP) && is_local(f->db, VM_OTHER));

    delete_chassis(f->server, "cmp1");
    claim(f->server, VM_FIP, "gw1", true);
    set_mark(f->server, 1);
    AWAIT(f->db, has_mark(f->db, 1));
    assert_non_null(binding(f->db, VM_FIP));
    assert_false(binding(f->db, VM_FIP)->here);
    assert_true(is_local(f->db, VM_OTHER));
}

/* A chassis row that stays away: its bindings go when the grace is over, and
 * come back with it. */
static void
test_grace_over(void **statep)
{
    struct fixture *f = *statep;

    sb_db_set_chassis_grace(f->db, 300);
    claim(f->server, VM_PROVIDER, "cmp1", true);
    AWAIT(f->db, is_local(f->db, VM_PROVIDER));

    long long int start = time_msec();
    delete_chassis(f->server, "cmp1");
    AWAIT(f->db, !sb_db_view(f->db)->chassis_found);
    assert_true(time_msec() - start >= 300);
    assert_true(sb_db_view(f->db)->complete);
    assert_true(hmap_is_empty(&sb_db_view(f->db)->bindings));
    assert_int_equal(state(f->db), DB_SYNCED);

    create_chassis(f->server, "cmp1");
    AWAIT(f->db, sb_db_view(f->db)->chassis_found);
    assert_null(binding(f->db, VM_PROVIDER));
    claim(f->server, VM_PROVIDER, "cmp1", true);
    AWAIT(f->db, is_local(f->db, VM_PROVIDER));
}

/* A chassis that comes back, but does not claim its port again: that goes when
 * the grace is over. */
static void
test_grace_unclaimed(void **statep)
{
    struct fixture *f = *statep;

    sb_db_set_chassis_grace(f->db, 300);
    claim(f->server, VM_PROVIDER, "cmp1", true);
    AWAIT(f->db, is_local(f->db, VM_PROVIDER));
    delete_chassis(f->server, "cmp1");
    create_chassis(f->server, "cmp1");
    AWAIT(f->db, !binding(f->db, VM_PROVIDER));
    assert_true(sb_db_view(f->db)->chassis_found);
    assert_non_null(binding(f->db, LOCALNET));
}

/* A chassis that does not exist when the client starts: nothing is said before
 * the grace is over, and then that there is nothing. */
static void
test_no_chassis(void **statep)
{
    struct fixture *f = *statep;

    sb_db_set_chassis_grace(f->db, 300);
    set_target(f->db, f->server, "nobody");
    AWAIT(f->db, state(f->db) == DB_SYNCING);
    assert_false(sb_db_view(f->db)->complete);
    AWAIT(f->db, sb_db_view(f->db)->complete);
    assert_false(sb_db_view(f->db)->chassis_found);
    assert_int_equal(state(f->db), DB_SYNCED);

    create_chassis(f->server, "nobody");
    claim(f->server, VM_PROVIDER, "nobody", true);
    AWAIT(f->db, is_local(f->db, VM_PROVIDER));
    assert_true(sb_db_view(f->db)->chassis_found);
}

/* Adds to the database of 'server' 'n' bindings on the chassis 'name', of
 * 'type', with names that begin with 'prefix' and more of the row in 'more'.
 * In transactions of moderate size, since they go through a command line. */
static void
add_bindings(const struct db_server *server, const char *name,
             const char *prefix, int n, const char *type, const char *more)
{
    static int tunnel_key = 1000;
    char *uuid = chassis_uuid(server, name);

    for (int i = 0; i < n;) {
        struct ds ops = DS_EMPTY_INITIALIZER;

        ds_put_cstr(&ops, "{'op':'insert','table':'Datapath_Binding',"
                    "'uuid-name':'dp','row':{'tunnel_key':");
        ds_put_format(&ops, "%d}}", ++tunnel_key);
        for (int end = MIN(n, i + 250); i < end; i++) {
            ds_put_format(&ops, ",{'op':'insert','table':'Port_Binding',"
                          "'row':{'logical_port':'%s-%d','type':'%s',"
                          "'datapath':['named-uuid','dp'],'tunnel_key':%d,"
                          "'chassis':['uuid','%s'],'up':true%s}}",
                          prefix, i, type, i % 250 + 1, uuid, more);
        }
        db_server_exec(server, "%s", ds_cstr(&ops));
        ds_destroy(&ops);
    }
    free(uuid);
}

/* The replica of a node holds what can matter to it, and not the cloud. */
static void
test_selective(void **statep)
{
    struct fixture *f = *statep;

    add_bindings(f->server, "gw1", "remote", 1000, "", "");
    add_bindings(f->server, "gw1", "router", 250, "patch", "");
    add_bindings(f->server, "gw1", "gateway", 250, "chassisredirect", "");
    claim(f->server, VM_PROVIDER, "cmp1", true);
    AWAIT(f->db, is_local(f->db, VM_PROVIDER));

    /* Our chassis; our VM, the localnet port, and the port with NAT. */
    assert_int_equal(hmap_count(&sb_db_view(f->db)->bindings), 3);
    assert_int_equal(n_cells(f->db), 1 * 1 + 3 * 12);

    /* With NAT addresses a router port elsewhere counts, without it does not:
     * a condition "!= []" is honoured in both directions. */
    update_binding(f->server, "router-7", "{'nat_addresses':'x'}");
    AWAIT(f->db, binding(f->db, "router-7"));
    assert_int_equal(n_cells(f->db), 1 * 1 + 4 * 12);
    update_binding(f->server, "router-7", "{'nat_addresses':['set',[]]}");
    AWAIT(f->db, !binding(f->db, "router-7"));
    assert_int_equal(n_cells(f->db), 1 * 1 + 3 * 12);
}

/* Values that no northd writes. */
static void
test_malformed(void **statep)
{
    struct fixture *f = *statep;
    char *x = xmalloc(60001);

    memset(x, 'x', 60000);
    x[60000] = '\0';
    char *row = xasprintf(
        "{'type':'teleporter','mac':['set',['','fa:16',' ','%s']],"
        "'nat_addresses':['set',['','is_chassis_resident(']],"
        "'options':['map',[['network_name',''],['peer','%.20s'],"
        "['distributed-port','\\u0007'],['activation-strategy',''],"
        "['additional-chassis-activated',',,cmp1,,']]],"
        "'parent_port':'','virtual_parent':'','tag':4095}", x, x);
    update_binding(f->server, VM_FIP, row);
    claim(f->server, VM_FIP, "cmp1", true);
    AWAIT(f->db, is_local(f->db, VM_FIP));

    const struct sb_binding *b = binding(f->db, VM_FIP);
    assert_string_equal(b->type, "teleporter");
    assert_int_equal(sset_count(&b->macs), 4);
    assert_true(sset_contains(&b->macs, x));
    assert_string_equal(b->network_name, "");
    assert_true(b->activated);
    assert_int_equal(b->tag, 4095);

    /* A gateway port that names no router port, and one that names itself. */
    update_binding(f->server, GW_PORT, "{'options':['map',[]]}");
    claim(f->server, GW_PORT, "cmp1", true);
    AWAIT(f->db, is_local(f->db, GW_PORT));
    update_binding(f->server, GW_PORT, "{'options':['map',[['peer','"
                   GW_PORT "'],['distributed-port','" GW_PORT "']]]}");
    AWAIT(f->db, binding(f->db, GW_PORT)->distributed_port);
    set_mark(f->server, 1);
    AWAIT(f->db, has_mark(f->db, 1));
    free(row);
    free(x);
}

/* Makes a random change of the database of 'server'. */
static void
random_change(const struct db_server *server)
{
    static const char *const ports[] = {
        VM_PROVIDER, VM_FIP, VM_OTHER, GW_PORT, GW_SWITCH_PORT,
    };
    const char *port = ports[random_range(ARRAY_SIZE(ports))];

    switch (random_range(6)) {
    case 0:
        release(server, port);
        break;
    case 1:
        claim(server, port, "gw1", true);
        break;
    case 2:
        claim(server, port, "cmp1", random_range(2));
        break;
    case 3:
        update_binding(server, port, random_range(2)
                       ? "{'nat_addresses':['set',[]]}"
                       : "{'nat_addresses':['set',['a','b']]}");
        break;
    case 4:
        /* Deleted and inserted within one transaction or two. */
        db_server_exec(server, "{'op':'delete','table':'Port_Binding',"
                       "'where':[['logical_port','==','new']]}");
        add_bindings(server, random_range(2) ? "cmp1" : "gw1", "new", 1, "",
                     "");
        db_server_exec(server, "{'op':'delete','table':'Port_Binding',"
                       "'where':[['logical_port','==','new-0']]}");
        add_bindings(server, "cmp1", "new", 1, "", "");
        db_server_exec(server, "{'op':'update','table':'Port_Binding',"
                       "'where':[['logical_port','==','new-0']],"
                       "'row':{'logical_port':'new'}}");
        break;
    case 5:
        claim_additionally(server, port, random_range(2) ? "cmp1" : "gw1",
                           "['distributed-port','" GW_ROUTER_PORT "']");
        break;
    }
}

/* What a client that followed changes one by one has, is what one that starts
 * afresh gets, and what it gets itself when it looks at everything again. */
static void
test_incremental(void **statep)
{
    struct fixture *f = *statep;

    AWAIT(f->db, sb_db_view(f->db)->complete);
    random_set_seed(4711);
    for (int i = 1; i <= 60; i++) {
        for (int n = random_range(4); n >= 0; n--) {
            random_change(f->server);
            if (random_range(2)) {
                sb_db_run(f->db);
            }
        }
        set_mark(f->server, i);
        AWAIT(f->db, has_mark(f->db, i));

        struct sb_db *fresh = sb_db_create();
        set_target(fresh, f->server, "cmp1");
        AWAIT(fresh, sb_db_view(fresh)->complete);

        char *a = dump_sb_view(sb_db_view(f->db));
        char *b = dump_sb_view(sb_db_view(fresh));
        assert_string_equal(a, b);
        sb_db_recompute(f->db);
        assert_false(sb_db_run(f->db));
        free(a);
        free(b);
        sb_db_destroy(fresh);
    }
}

/* Runs the tests, or says why they cannot run. */
int
main(int argc, char *argv[])
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_start, setup, teardown),
        cmocka_unit_test_setup_teardown(test_kinds_2303, setup, teardown),
        cmocka_unit_test_setup_teardown(test_kinds_2403, setup, teardown),
        cmocka_unit_test_setup_teardown(test_moves, setup, teardown),
        cmocka_unit_test_setup_teardown(test_additional_chassis, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_peers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_old_schema, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bare_schema, setup, teardown),
        cmocka_unit_test_setup_teardown(test_new_schema, setup, teardown),
        cmocka_unit_test_setup_teardown(test_schema_changes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_restart, setup, teardown),
        cmocka_unit_test_setup_teardown(test_restart_unchanged, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_remote, setup, teardown),
        cmocka_unit_test_setup_teardown(test_chassis_name, setup, teardown),
        cmocka_unit_test_setup_teardown(test_grace, setup, teardown),
        cmocka_unit_test_setup_teardown(test_grace_claimed_elsewhere, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_grace_over, setup, teardown),
        cmocka_unit_test_setup_teardown(test_grace_unclaimed, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_no_chassis, setup, teardown),
        cmocka_unit_test_setup_teardown(test_selective, setup, teardown),
        cmocka_unit_test_setup_teardown(test_malformed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_incremental, setup, teardown),
    };
    const char *missing = db_missing_tool();

    (void) argc;
    set_program_name(argv[0]);
    vlog_set_levels(NULL, VLF_CONSOLE, VLL_ERR);
    if (missing) {
        printf("%s is not installed\n", missing);
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
