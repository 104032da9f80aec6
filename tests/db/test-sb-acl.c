/* SPDX-License-Identifier: Apache-2.0 */
/* Tests what idl/sb-db.c finds out about ACLs from a Southbound database, what
 * it asks for to find it, and that what it shows is never a half.
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

/* The datapaths of the fixture of OVN 24.03. */
#define ROUTER "a6db7a96-0b48-4315-b0c3-5bea9c228f5e"
#define TENANT "6335fe8c-5922-4020-82dd-475bfd9218a6"
#define PROVIDER "a4c535b5-5321-45c2-83fe-49fc0404f5fd"

/* Returns the ACLs of 'db'. */
static const struct sb_acl_view *
acl(const struct sb_db *db)
{
    return &sb_db_view(db)->acl;
}

/* Returns true if the ACLs of 'db' print as the golden file 'name'. */
static bool
acl_is_golden(const struct sb_db *db, const char *name)
{
    char *expected = db_read_golden(name);
    char *text = dump_sb_acl(acl(db));
    bool same = !strcmp(text, expected);

    free(text);
    free(expected);
    return same;
}

/* All that one chassis with all VMs knows from the fixture 'name'. */
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

/* Runs the tests, or says why they cannot run. */
int
main(int argc, char *argv[])
{
#define TEST(NAME) \
    cmocka_unit_test_setup_teardown(NAME, sbt_setup, sbt_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_fixture_2303),
        TEST(test_fixture_2403),
    };

    if (!db_test_init(argc, argv)) {
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
