/* SPDX-License-Identifier: Apache-2.0 */
/* Tests idl/sb-db.c when the world around it changes: servers of older and
 * newer schemas, restarts, other remotes, and a chassis row that goes and
 * comes back.
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
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "util.h"
#include "uuid.h"

#include "tests/db/db-dump.h"
#include "tests/db/sbt.h"

/* Checks what 'f' sees of its server, which lacks the columns that came after
 * OVN 20.03. */
static void
check_old_schema(struct sbt *f)
{
    char *uuid = sbt_chassis_uuid(f->server, "cmp1");
    char *row = xasprintf("{'chassis':['uuid','%s']}", uuid);

    sbt_update_binding(f->server, VM_PROVIDER, row);
    AWAIT(f->db, sbt_is_local(f->db, VM_PROVIDER));
    assert_false(sbt_binding(f->db, VM_PROVIDER)->additional);
    assert_null(sbt_binding(f->db, VM_FIP));
    assert_non_null(sbt_binding(f->db, LOCALNET));
    assert_int_equal(sbt_state(f->db), DB_SYNCED);
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
    struct sbt *f = *statep;

    db_server_stop(f->server);
    db_server_edit_schema(f->server, old_schema);
    db_server_start(f->server);
    check_old_schema(f);
    assert_non_null(sbt_binding(f->db, GW_SWITCH_PORT));
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
    struct sbt *f = *statep;

    db_server_stop(f->server);
    db_server_edit_schema(f->server, old_schema);
    db_server_edit_schema(f->server, edits);
    db_server_start(f->server);
    check_old_schema(f);
    assert_null(sbt_binding(f->db, GW_SWITCH_PORT));
    assert_int_equal(sbt_binding(f->db, LOCALNET)->tag, -1);
}

/* A server with columns from the future. */
static void
test_new_schema(void **statep)
{
    static const char *const edits[] = {
        "+Port_Binding.quantum_key", "+Chassis.flavour", NULL
    };
    struct sbt *f = *statep;

    db_server_stop(f->server);
    db_server_edit_schema(f->server, edits);
    db_server_start(f->server);
    sbt_claim(f->server, VM_PROVIDER, "cmp1", true);
    sbt_update_binding(f->server, VM_PROVIDER, "{'quantum_key':'42'}");
    AWAIT(f->db, sbt_is_local(f->db, VM_PROVIDER));
}

/* A schema that changes while the client is connected, which makes the server
 * cancel the monitor, and one that has become older after a restart, so that a
 * condition that was good is refused. */
static void
test_schema_changes(void **statep)
{
    static const char *const edits[] = { "+Port_Binding.quantum_key", NULL };
    struct sbt *f = *statep;

    sbt_claim(f->server, VM_PROVIDER, "cmp1", true);
    sbt_claim(f->server, VM_OTHER, "cmp1", true);
    AWAIT(f->db, sbt_is_local(f->db, VM_PROVIDER)
          && sbt_is_local(f->db, VM_OTHER));
    db_server_convert(f->server, edits);
    sbt_release(f->server, VM_OTHER);
    sbt_set_mark(f->server, 1);
    AWAIT(f->db, sbt_has_mark(f->db, 1));
    assert_true(sbt_is_local(f->db, VM_PROVIDER));
    assert_null(sbt_binding(f->db, VM_OTHER));

    db_server_stop(f->server);
    db_server_edit_schema(f->server, old_schema);
    db_server_start(f->server);
    sbt_set_mark(f->server, 2);
    AWAIT(f->db, sbt_has_mark(f->db, 2));
    assert_int_equal(sbt_state(f->db), DB_SYNCED);
    assert_true(sbt_is_local(f->db, VM_PROVIDER));

    /* Monitored by a condition again: nothing of other chassis. */
    assert_int_equal(sbt_n_cells(f->db), 1 + 3 * SBT_BINDING_CELLS);
}

/* A server that is down for a while: the view stays, and what was deleted in
 * the meantime goes when the connection is back. */
static void
test_restart(void **statep)
{
    struct sbt *f = *statep;

    sbt_claim(f->server, VM_PROVIDER, "cmp1", true);
    sbt_claim(f->server, VM_FIP, "cmp1", true);
    AWAIT(f->db, sbt_is_local(f->db, VM_PROVIDER)
          && sbt_is_local(f->db, VM_FIP));
    char *before = dump_sb_view(sb_db_view(f->db));

    db_server_stop(f->server);
    AWAIT(f->db, sbt_state(f->db) == DB_CONNECTING);
    char *down = dump_sb_view(sb_db_view(f->db));
    assert_string_equal(before, down);

    /* Another client changes things before ours is back. */
    db_server_start(f->server);
    sbt_release(f->server, VM_FIP);
    sbt_claim(f->server, VM_OTHER, "cmp1", true);
    assert_true(sbt_is_local(f->db, VM_FIP));
    AWAIT(f->db, sbt_state(f->db) == DB_SYNCED);
    assert_null(sbt_binding(f->db, VM_FIP));
    assert_true(sbt_is_local(f->db, VM_OTHER));
    assert_true(sbt_is_local(f->db, VM_PROVIDER));
    free(before);
    free(down);
}

/* A restart that changes nothing does not count as a change of the view. */
static void
test_restart_unchanged(void **statep)
{
    struct sbt *f = *statep;
    int n_changes = 0;

    sbt_claim(f->server, VM_PROVIDER, "cmp1", true);
    AWAIT(f->db, sbt_is_local(f->db, VM_PROVIDER));
    db_server_stop(f->server);
    AWAIT(f->db, sbt_state(f->db) == DB_CONNECTING);
    db_server_start(f->server);
    AWAIT_COUNTING(f->db, sbt_state(f->db) == DB_SYNCED, n_changes);
    assert_int_equal(n_changes, 0);
}

/* Connections that break while the server stays, so that the client gets only
 * what changed since: in peace, while a condition is being changed, and while
 * the chassis is away. */
static void
test_reconnect(void **statep)
{
    struct sbt *f = *statep;

    sbt_claim(f->server, VM_PROVIDER, "cmp1", true);
    sbt_claim(f->server, VM_OTHER, "cmp1", true);
    AWAIT(f->db, sbt_is_local(f->db, VM_PROVIDER)
          && sbt_is_local(f->db, VM_OTHER));

    db_server_disconnect_all(f->server);
    sbt_release(f->server, VM_OTHER);
    sbt_claim(f->server, GW_PORT, "cmp1", true);
    sbt_update_binding(f->server, GW_SWITCH_PORT,
                       "{'nat_addresses':['set',[]]}");
    AWAIT(f->db, sbt_state(f->db) == DB_CONNECTING);
    assert_true(sbt_is_local(f->db, VM_OTHER));
    AWAIT(f->db, sbt_state(f->db) == DB_SYNCED);
    assert_null(sbt_binding(f->db, VM_OTHER));
    assert_true(sbt_is_local(f->db, GW_PORT));
    assert_non_null(sbt_binding(f->db, GW_SWITCH_PORT));

    /* The gateway port goes, and with it the clause for its peer. */
    sbt_claim(f->server, GW_PORT, "gw1", true);
    AWAIT(f->db, sbt_state(f->db) == DB_SYNCING);
    db_server_disconnect_all(f->server);
    sbt_claim(f->server, VM_OTHER, "cmp1", true);
    AWAIT(f->db, sbt_is_local(f->db, VM_OTHER));
    assert_null(sbt_binding(f->db, GW_PORT));
    assert_null(sbt_binding(f->db, GW_SWITCH_PORT));

    sbt_delete_chassis(f->server, "cmp1");
    sbt_set_mark(f->server, 1);
    AWAIT(f->db, sbt_has_mark(f->db, 1));
    db_server_disconnect_all(f->server);
    sbt_create_chassis(f->server, "cmp1");
    sbt_claim(f->server, VM_OTHER, "cmp1", true);
    sbt_set_mark(f->server, 2);
    AWAIT(f->db, sbt_has_mark(f->db, 2));
    assert_true(sbt_is_local(f->db, VM_OTHER));
    assert_true(sbt_is_local(f->db, VM_PROVIDER));
}

/* Returns a socket that listens at unix socket 'path', for a server that never
 * answers. */
static int
listen_mutely(const char *path)
{
    struct sockaddr_un sun = { .sun_family = AF_UNIX };
    int sock = socket(AF_UNIX, SOCK_STREAM, 0);

    assert_true(sock >= 0);
    assert_true(strlen(path) < sizeof sun.sun_path);
    strcpy(sun.sun_path, path);
    assert_int_equal(bind(sock, (struct sockaddr *) &sun, sizeof sun), 0);
    assert_int_equal(listen(sock, 5), 0);
    return sock;
}

/* A server that takes the connection but does not answer: the contents are not
 * current, and the view stays. */
static void
test_mute(void **statep)
{
    struct sbt *f = *statep;
    char *path = xasprintf("%s/mute", f->dir);
    char *remote = xasprintf("unix:%s", path);
    int sock = listen_mutely(path);
    struct db_status status;

    sbt_claim(f->server, VM_PROVIDER, "cmp1", true);
    AWAIT(f->db, sbt_is_local(f->db, VM_PROVIDER));
    sb_db_status(f->db, &status);
    assert_true(status.current);

    sb_db_set_target(f->db, &(struct sb_target) {
        .remote = remote, .chassis = "cmp1" });
    AWAIT(f->db, sbt_state(f->db) == DB_SYNCING);
    sb_db_status(f->db, &status);
    assert_false(status.current);
    assert_true(sbt_is_local(f->db, VM_PROVIDER));

    sbt_target(f->db, f->server, "cmp1");
    AWAIT(f->db, sbt_state(f->db) == DB_SYNCED);
    sb_db_status(f->db, &status);
    assert_true(status.current);
    close(sock);
    unlink(path);
    free(remote);
    free(path);
}

/* A remote that changes to another database and to none, while it runs. */
static void
test_remote(void **statep)
{
    struct sbt *f = *statep;
    struct db_server *other = db_server_create(f->dir, "other");

    db_server_use_fixture(other, "sb-2303.db");
    db_server_edit_schema(other, old_schema);
    db_server_start(other);
    char *uuid = sbt_chassis_uuid(other, "cmp1");
    char *row = xasprintf("{'chassis':['uuid','%s']}", uuid);
    sbt_update_binding(other, VM_OTHER, row);

    sbt_claim(f->server, VM_PROVIDER, "cmp1", true);
    AWAIT(f->db, sbt_is_local(f->db, VM_PROVIDER));
    sb_db_set_chassis_grace(f->db, 300);

    /* An older server, which refuses the condition of the newer one.  Its row
     * for the chassis is another one, so there is a period of grace. */
    sbt_target(f->db, other, "cmp1");
    assert_int_equal(sbt_state(f->db), DB_CONNECTING);
    assert_true(sbt_is_local(f->db, VM_PROVIDER));
    AWAIT(f->db, sbt_state(f->db) == DB_SYNCED);
    assert_true(sbt_is_local(f->db, VM_OTHER));
    AWAIT(f->db, !sbt_binding(f->db, VM_PROVIDER));
    /* Monitored by a condition, and so only the flows of one router. */
    assert_in_range(sbt_n_cells(f->db), 1, 1200);

    /* No remote: the view stays. */
    sbt_target(f->db, NULL, "cmp1");
    sb_db_run(f->db);
    assert_int_equal(sbt_state(f->db), DB_DISABLED);
    assert_true(sbt_is_local(f->db, VM_OTHER));

    sbt_target(f->db, f->server, "cmp1");
    AWAIT(f->db, sbt_state(f->db) == DB_SYNCED);
    assert_true(sbt_is_local(f->db, VM_PROVIDER));
    AWAIT(f->db, !sbt_binding(f->db, VM_OTHER));
    free(row);
    free(uuid);
    db_server_destroy(other);
}

/* A chassis name that changes or gets unknown. */
static void
test_chassis_name(void **statep)
{
    struct sbt *f = *statep;

    sbt_claim(f->server, VM_PROVIDER, "cmp1", true);
    sbt_claim(f->server, VM_OTHER, "gw1", true);
    AWAIT(f->db, sbt_is_local(f->db, VM_PROVIDER));
    sbt_target(f->db, f->server, "gw1");
    AWAIT(f->db, sbt_is_local(f->db, VM_OTHER));
    assert_null(sbt_binding(f->db, VM_PROVIDER));

    sbt_target(f->db, f->server, NULL);
    AWAIT(f->db, sbt_state(f->db) == DB_SYNCING);
    assert_true(sbt_is_local(f->db, VM_OTHER));
    sbt_target(f->db, f->server, "cmp1");
    AWAIT(f->db, sbt_is_local(f->db, VM_PROVIDER));
    assert_null(sbt_binding(f->db, VM_OTHER));
}

/* A chassis row that goes and comes back: bindings stay until each is claimed
 * again, except those that another chassis claimed. */
static void
test_grace(void **statep)
{
    struct sbt *f = *statep;

    sbt_claim(f->server, VM_PROVIDER, "cmp1", true);
    sbt_claim(f->server, GW_PORT, "cmp1", true);
    AWAIT(f->db, sbt_is_local(f->db, VM_PROVIDER)
          && sbt_is_local(f->db, GW_PORT));
    char *before = dump_sb_view(sb_db_view(f->db));

    sbt_delete_chassis(f->server, "cmp1");
    sbt_set_mark(f->server, 1);
    AWAIT(f->db, sbt_has_mark(f->db, 1));
    assert_true(sb_db_view(f->db)->chassis_found);
    assert_true(sbt_is_local(f->db, VM_PROVIDER));
    assert_true(sbt_is_local(f->db, GW_PORT));
    assert_non_null(sbt_binding(f->db, GW_SWITCH_PORT));

    sbt_create_chassis(f->server, "cmp1");
    sbt_set_mark(f->server, 2);
    AWAIT(f->db, sbt_has_mark(f->db, 2));
    assert_true(sbt_is_local(f->db, VM_PROVIDER));
    assert_true(sbt_is_local(f->db, GW_PORT));

    /* Claimed, but not up yet: still as before. */
    sbt_claim(f->server, VM_PROVIDER, "cmp1", false);
    sbt_set_mark(f->server, 101);
    AWAIT(f->db, sbt_has_mark(f->db, 101));
    char *after = dump_sb_view(sb_db_view(f->db));
    assert_string_equal(before, after);

    /* With the last claim the grace ends: deletions count at once. */
    sbt_claim(f->server, GW_PORT, "cmp1", true);
    sbt_claim(f->server, VM_PROVIDER, "cmp1", true);
    sbt_set_mark(f->server, 3);
    AWAIT(f->db, sbt_has_mark(f->db, 3));
    sbt_release(f->server, VM_PROVIDER);
    sbt_set_mark(f->server, 4);
    AWAIT(f->db, sbt_has_mark(f->db, 4));
    assert_null(sbt_binding(f->db, VM_PROVIDER));
    assert_true(sbt_is_local(f->db, GW_PORT));
    free(before);
    free(after);
}

/* A port that is in the view for another reason than being here, and that
 * another chassis claims during grace, is let go at once. */
static void
test_grace_claimed_elsewhere(void **statep)
{
    struct sbt *f = *statep;

    sbt_update_binding(f->server, VM_FIP, "{'nat_addresses':'x'}");
    sbt_update_binding(f->server, VM_OTHER, "{'nat_addresses':'x'}");
    sbt_claim(f->server, VM_FIP, "cmp1", true);
    sbt_claim(f->server, VM_OTHER, "cmp1", true);
    AWAIT(f->db, sbt_is_local(f->db, VM_FIP)
          && sbt_is_local(f->db, VM_OTHER));

    sbt_delete_chassis(f->server, "cmp1");
    sbt_claim(f->server, VM_FIP, "gw1", true);
    sbt_set_mark(f->server, 1);
    AWAIT(f->db, sbt_has_mark(f->db, 1));
    assert_non_null(sbt_binding(f->db, VM_FIP));
    assert_false(sbt_binding(f->db, VM_FIP)->here);
    assert_true(sbt_is_local(f->db, VM_OTHER));
}

/* A chassis row that stays away: its bindings go when the grace is over, and
 * come back with it. */
static void
test_grace_over(void **statep)
{
    struct sbt *f = *statep;

    sb_db_set_chassis_grace(f->db, 300);
    sbt_claim(f->server, VM_PROVIDER, "cmp1", true);
    AWAIT(f->db, sbt_is_local(f->db, VM_PROVIDER));

    long long int start = time_msec();
    sbt_delete_chassis(f->server, "cmp1");
    AWAIT(f->db, !sb_db_view(f->db)->chassis_found);
    assert_true(time_msec() - start >= 300);
    assert_true(sb_db_view(f->db)->complete);
    assert_true(hmap_is_empty(&sb_db_view(f->db)->bindings));
    assert_int_equal(sbt_state(f->db), DB_SYNCED);

    sbt_create_chassis(f->server, "cmp1");
    AWAIT(f->db, sb_db_view(f->db)->chassis_found);
    assert_null(sbt_binding(f->db, VM_PROVIDER));
    sbt_claim(f->server, VM_PROVIDER, "cmp1", true);
    AWAIT(f->db, sbt_is_local(f->db, VM_PROVIDER));
}

/* A chassis that comes back, but does not claim its port again: that goes when
 * the grace is over. */
static void
test_grace_unclaimed(void **statep)
{
    struct sbt *f = *statep;

    sb_db_set_chassis_grace(f->db, 300);
    sbt_claim(f->server, VM_PROVIDER, "cmp1", true);
    AWAIT(f->db, sbt_is_local(f->db, VM_PROVIDER));
    sbt_delete_chassis(f->server, "cmp1");
    sbt_create_chassis(f->server, "cmp1");
    AWAIT(f->db, !sbt_binding(f->db, VM_PROVIDER));
    assert_true(sb_db_view(f->db)->chassis_found);
    assert_non_null(sbt_binding(f->db, LOCALNET));
}

/* A chassis that does not exist when the client starts: nothing is said before
 * the grace is over, and then that there is nothing. */
static void
test_no_chassis(void **statep)
{
    struct sbt *f = *statep;

    sb_db_set_chassis_grace(f->db, 300);
    sbt_target(f->db, f->server, "nobody");
    AWAIT(f->db, sbt_state(f->db) == DB_SYNCING);
    assert_false(sb_db_view(f->db)->complete);
    AWAIT(f->db, sb_db_view(f->db)->complete);
    assert_false(sb_db_view(f->db)->chassis_found);
    assert_int_equal(sbt_state(f->db), DB_SYNCED);

    sbt_create_chassis(f->server, "nobody");
    sbt_claim(f->server, VM_PROVIDER, "nobody", true);
    AWAIT(f->db, sbt_is_local(f->db, VM_PROVIDER));
    assert_true(sb_db_view(f->db)->chassis_found);
}

/* Runs the tests, or says why they cannot run. */
int
main(int argc, char *argv[])
{
#define TEST(NAME) \
    cmocka_unit_test_setup_teardown(NAME, sbt_setup, sbt_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_old_schema),
        TEST(test_bare_schema),
        TEST(test_new_schema),
        TEST(test_schema_changes),
        TEST(test_restart),
        TEST(test_restart_unchanged),
        TEST(test_reconnect),
        TEST(test_mute),
        TEST(test_remote),
        TEST(test_chassis_name),
        TEST(test_grace),
        TEST(test_grace_claimed_elsewhere),
        TEST(test_grace_over),
        TEST(test_grace_unclaimed),
        TEST(test_no_chassis),
    };

    if (!db_test_init(argc, argv)) {
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
