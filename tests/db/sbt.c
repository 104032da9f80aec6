/* SPDX-License-Identifier: Apache-2.0 */
/* What tests of idl/sb-db.c share: a Southbound database that a real
 * ovsdb-server serves, a client of it, and the changes that ovn-northd and
 * ovn-controller make. */
#include <config.h>

#include "tests/db/sbt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "openvswitch/dynamic-string.h"
#include "simap.h"
#include "timeval.h"
#include "util.h"

#include "tests/db/db-dump.h"

/* Fails the test, and shows the view of 'db', if 'deadline' is over. */
void
sbt_fail_if_late(struct sb_db *db, long long int deadline, const char *cond,
                 int line)
{
    if (time_msec() >= deadline) {
        /* Too long for fail_msg(). */
        fputs(dump_sb_view(sb_db_view(db)), stderr);
        fputs(dump_sb_acl(&sb_db_view(db)->acl), stderr);
        fail_msg("line %d: %s does not get true", line, cond);
    }
}

/* Makes 'db' a client of 'server' as 'chassis'. */
void
sbt_target(struct sb_db *db, const struct db_server *server,
           const char *chassis)
{
    struct sb_target target = {
        .remote = server ? db_server_remote(server) : "",
        .chassis = chassis,
        .probe_interval = 0,
    };

    sb_db_set_target(db, &target);
}

/* Makes 'db' a client of 'server' as 'chassis' that also wants ACLs. */
void
sbt_target_acl(struct sb_db *db, const struct db_server *server,
               const char *chassis)
{
    struct sb_target target = {
        .remote = server ? db_server_remote(server) : "",
        .chassis = chassis,
        .probe_interval = 0,
        .acl = true,
    };

    sb_db_set_target(db, &target);
}

/* Makes 'db' a client of 'server' as 'chassis' that also wants ACLs and what
 * layer L3 has to know. */
void
sbt_target_path(struct sb_db *db, const struct db_server *server,
                const char *chassis)
{
    struct sb_target target = {
        .remote = server ? db_server_remote(server) : "",
        .chassis = chassis,
        .probe_interval = 0,
        .acl = true,
        .path = true,
    };

    sb_db_set_target(db, &target);
}

/* Returns the state of 'db'. */
enum db_state
sbt_state(const struct sb_db *db)
{
    struct db_status status;

    sb_db_status(db, &status);
    return status.state;
}

/* Returns the binding of 'logical_port' in the view of 'db', or NULL. */
const struct sb_binding *
sbt_binding(const struct sb_db *db, const char *logical_port)
{
    return find_sb_binding(sb_db_view(db), logical_port);
}

/* Returns true if 'db' has 'logical_port', claimed here and up. */
bool
sbt_is_local(const struct sb_db *db, const char *logical_port)
{
    const struct sb_binding *b = sbt_binding(db, logical_port);

    return b && b->here && b->up;
}

/* Returns the number of cells that the replica of 'db' holds, of all tables: a
 * row of Chassis has 1, one of Logical_Flow 6 and one of Port_Binding
 * SBT_BINDING_CELLS. */
unsigned int
sbt_n_cells(const struct sb_db *db)
{
    struct simap usage = SIMAP_INITIALIZER(&usage);

    sb_db_get_memory_usage(db, &usage);
    unsigned int cells = simap_get(&usage, "idl-cells-OVN_Southbound");
    simap_destroy(&usage);
    return cells;
}

/* Returns the ACLs of 'db'. */
const struct sb_acl_view *
sbt_acl(const struct sb_db *db)
{
    return &sb_db_view(db)->acl;
}

/* Returns true if the ACLs of 'db', printed, have 'text'. */
bool
sbt_acl_has(const struct sb_db *db, const char *text)
{
    char *all = dump_sb_acl(sbt_acl(db));
    bool found = strstr(all, text) != NULL;

    free(all);
    return found;
}

/* Returns the UUID of the chassis 'name' on 'server' as text; the caller
 * frees it. */
char *
sbt_chassis_uuid(const struct db_server *server, const char *name)
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
void
sbt_update_binding(const struct db_server *server, const char *logical_port,
               const char *row)
{
    db_server_exec(server, "{'op':'update','table':'Port_Binding',"
                   "'where':[['logical_port','==','%s']],'row':%s}",
                   logical_port, row);
}

/* Makes 'chassis' of 'server' claim 'logical_port', with 'up' as given. */
void
sbt_claim(const struct db_server *server, const char *logical_port,
      const char *chassis, bool up)
{
    char *uuid = sbt_chassis_uuid(server, chassis);
    char *row = xasprintf("{'chassis':['uuid','%s'],'up':%s}", uuid,
                          up ? "true" : "false");

    sbt_update_binding(server, logical_port, row);
    free(row);
    free(uuid);
}

/* Makes 'chassis' of 'server' one of several of 'logical_port', with 'options'
 * being pairs of JSON. */
void
sbt_claim_additionally(const struct db_server *server,
                       const char *logical_port, const char *chassis,
                       const char *options)
{
    char *uuid = sbt_chassis_uuid(server, chassis);
    char *row = xasprintf("{'additional_chassis':['uuid','%s'],"
                          "'options':['map',[%s]]}", uuid, options);

    sbt_update_binding(server, logical_port, row);
    free(row);
    free(uuid);
}

/* Makes 'logical_port' of 'server' unclaimed. */
void
sbt_release(const struct db_server *server, const char *logical_port)
{
    sbt_update_binding(server, logical_port,
                   "{'chassis':['set',[]],'up':false}");
}

/* Deletes the chassis 'name' from 'server', as ovn-controller does when it
 * ends: with all claims, in one transaction. */
void
sbt_delete_chassis(const struct db_server *server, const char *name)
{
    char *uuid = sbt_chassis_uuid(server, name);

    db_server_exec(server, "{'op':'update','table':'Port_Binding',"
                   "'where':[['chassis','==',['uuid','%s']]],"
                   "'row':{'up':false,'chassis':['set',[]]}},"
                   "{'op':'delete','table':'Chassis',"
                   "'where':[['name','==','%s']]}", uuid, name);
    free(uuid);
}

/* Creates the chassis 'name' on 'server'. */
void
sbt_create_chassis(const struct db_server *server, const char *name)
{
    db_server_exec(server, "{'op':'insert','table':'Encap','uuid-name':'e',"
                   "'row':{'chassis_name':'%s','ip':'192.0.2.1',"
                   "'type':'geneve'}},"
                   "{'op':'insert','table':'Chassis','row':{'name':'%s',"
                   "'encaps':['named-uuid','e']}}", name, name);
}

/* Adds to the database of 'server' 'n' bindings on the chassis 'name', of
 * 'type', with names that begin with 'prefix' and more of the row in 'more'.
 * In transactions of moderate size, since they go through a command line. */
void
sbt_add_bindings(const struct db_server *server, const char *name,
             const char *prefix, int n, const char *type, const char *more)
{
    static int tunnel_key = 1000;
    char *uuid = sbt_chassis_uuid(server, name);

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

/* Adds to 'server' a logical flow whose 'column', in quotes, is 'uuid'. */
void
sbt_add_flow(const struct db_server *server, const char *column,
             const char *uuid, const char *stage, const char *match,
             const char *actions)
{
    db_server_exec(server, "{'op':'insert','table':'Logical_Flow','row':{"
                   "%s:['uuid','%s'],'pipeline':'ingress',"
                   "'table_id':3,'priority':92,'match':'%s','actions':'%s',"
                   "'external_ids':['map',[['stage-name','%s']]]}}",
                   column, uuid, match, actions, stage);
}

/* Deletes the logical flows of 'server' that match 'match'. */
void
sbt_delete_flows(const struct db_server *server, const char *match)
{
    db_server_exec(server, "{'op':'delete','table':'Logical_Flow','where':"
                   "[['match','==','%s']]}", match);
}

/* Sets the tag of the localnet port of 'server' to 'tag'. */
void
sbt_set_mark(const struct db_server *server, int tag)
{
    char *row = xasprintf("{'tag':%d}", tag);

    sbt_update_binding(server, LOCALNET, row);
    free(row);
}

/* Returns true if the view of 'db' has the localnet port with 'tag'.  Changes
 * arrive in order, so with sbt_set_mark() this tells that all of them are
 * in. */
bool
sbt_has_mark(const struct sb_db *db, int tag)
{
    const struct sb_binding *b = sbt_binding(db, LOCALNET);

    return b && b->tag == tag;
}

/* Starts a server with the OVN 24.03 fixture, and a client. */
int
sbt_setup(void **statep)
{
    struct sbt *f = xzalloc(sizeof *f);

    f->dir = db_temp_dir();
    f->server = db_server_create(f->dir, "sb");
    db_server_use_fixture(f->server, "sb-2403.db");
    db_server_start(f->server);
    f->db = sb_db_create();
    sbt_target(f->db, f->server, "cmp1");
    *statep = f;
    return 0;
}

/* Undoes sbt_setup(). */
int
sbt_teardown(void **statep)
{
    struct sbt *f = *statep;

    sb_db_destroy(f->db);
    db_server_destroy(f->server);
    db_remove_dir(f->dir);
    free(f);
    return 0;
}
