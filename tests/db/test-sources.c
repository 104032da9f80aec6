/* SPDX-License-Identifier: Apache-2.0 */
/* The Northbound and the Southbound of the same cloud tell the same: endpoints
 * derived with and without ovn-xdp-nb-remote, from databases that a real
 * ovn-northd has written.
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

#include "idl/nb-db.h"
#include "plugin/desired.h"
#include "plugin/northbound.h"
#include "tests/db/db-dump.h"
#include "tests/db/sbt.h"
#include "tests/plugin/values.h"

/* What every test has. */
struct fixture {
    struct values values;       /* The chassis but for both databases. */
    char *dir;                  /* Folder for files. */
    struct db_server *sb_server; /* Southbound, running. */
    struct db_server *nb_server; /* Northbound, running. */
    struct sb_db *sb;           /* Client of the former. */
    struct nb_db *nb;           /* Client of the latter. */
};

/* Lets 'f' run until both clients are in step with their servers, which the
 * mark 'tag' in the Southbound and the number of facts show. */
static void
await_step(struct fixture *f, int tag, size_t n_facts)
{
    long long int deadline = time_msec() + SBT_TIMEOUT;

    sbt_set_mark(f->sb_server, tag);
    for (;;) {
        struct db_status status;

        sb_db_run(f->sb);
        northbound_set_target(f->nb, &f->values.settings, sb_db_view(f->sb));
        nb_db_run(f->nb);
        nb_db_status(f->nb, &status);
        if (sbt_has_mark(f->sb, tag) && status.state == DB_SYNCED
            && hmap_count(&nb_db_view(f->nb)->facts) == n_facts) {
            return;
        }
        if (time_msec() >= deadline) {
            fail_msg("%s, %s", dump_sb_view(sb_db_view(f->sb)),
                     dump_nb_view(nb_db_view(f->nb)));
        }
        sb_db_wait(f->sb);
        nb_db_wait(f->nb);
        poll_timer_wait_until(deadline);
        poll_block();
    }
}

/* Returns the endpoints that 'f' makes, with the Northbound or without, as
 * text.  The caller frees it. */
static char *
derive(const struct fixture *f, bool northbound)
{
    struct desired_inputs inputs = values_inputs(&f->values);

    inputs.sb = sb_db_view(f->sb);
    inputs.nb_facts = northbound ? &nb_db_view(f->nb)->facts : NULL;
    struct desired *desired = desired_compute(&inputs);
    char *text = values_dump_endpoints(desired);
    assert_int_equal(desired->problems.n, 0);
    desired_destroy(desired);
    return text;
}

/* Checks that the endpoints with and without the Northbound are the same, that
 * there are some, and returns them. */
static char *
check_same(const struct fixture *f)
{
    char *without = derive(f, false);
    char *with = derive(f, true);

    assert_string_not_equal(without, "");
    assert_string_equal(with, without);
    free(with);
    return without;
}

/* Starts the databases of 'release', and clients of them. */
static void
start(struct fixture *f, const char *release)
{
    char *sb = xasprintf("sb-%s.db", release);
    char *nb = xasprintf("nb-%s.db", release);

    f->sb_server = db_server_create(f->dir, sb);
    f->nb_server = db_server_create(f->dir, nb);
    db_server_use_fixture(f->sb_server, sb);
    db_server_use_fixture(f->nb_server, nb);
    db_server_start(f->sb_server);
    db_server_start(f->nb_server);
    sbt_target(f->sb, f->sb_server, "cmp1");
    values_set(&f->values, "ovn-xdp-nb-remote",
               db_server_remote(f->nb_server));
    free(sb);
    free(nb);
}

/* The facts of the databases of 'release', as the ports are claimed one after
 * the other. */
static void
check_release(struct fixture *f, const char *release)
{
    char *without, *with;

    start(f, release);
    sbt_claim(f->sb_server, VM_PROVIDER, "cmp1", true);
    await_step(f, 11, 0);
    free(check_same(f));

    sbt_claim(f->sb_server, VM_FIP, "cmp1", true);
    await_step(f, 12, 1);
    without = check_same(f);
    assert_non_null(strstr(without, "172.24.100.112 fa:16:3e:aa:00:03 "
                           "fip-distributed " VM_FIP " physnet1"));
    free(without);

    sbt_claim(f->sb_server, GW_PORT, "cmp1", true);
    await_step(f, 13, 4);
    without = check_same(f);
    assert_non_null(strstr(without, "172.24.100.113 fa:16:3e:77:7f:9c "
                           "fip-centralised"));
    assert_non_null(strstr(without, "172.24.100.229 fa:16:3e:77:7f:9c "
                           "router"));

    /* The Southbound without announcements: the Northbound makes up for
     * it. */
    sbt_update_binding(f->sb_server, GW_SWITCH_PORT,
                       "{'nat_addresses':['set',[]]}");
    await_step(f, 13 + 1, 4);
    with = derive(f, true);
    char *marked = xasprintf("%s", with);
    for (char *p = marked; (p = strstr(p, " 14\n")); p++) {
        p[2] = '3';
    }
    assert_string_equal(marked, without);
    free(marked);
    free(with);
    free(without);

    sbt_release(f->sb_server, GW_PORT);
    sbt_release(f->sb_server, VM_FIP);
    await_step(f, 15, 0);
    free(check_same(f));
}

/* OVN 23.03. */
static void
test_2303(void **statep)
{
    check_release(*statep, "2303");
}

/* OVN 24.03. */
static void
test_2403(void **statep)
{
    check_release(*statep, "2403");
}

/* IPv6 floating IPs, which no announcement of the Southbound has. */
static void
test_ipv6(void **statep)
{
    struct fixture *f = *statep;

    start(f, "2403");
    for (int i = 0; i < 2; i++) {
        db_server_exec(f->nb_server,
                       "{'op':'insert','table':'NAT','uuid-name':'n','row':{"
                       "'type':'dnat_and_snat','logical_ip':'fd00::9',"
                       "'external_ip':'2001:db8:ff::9%d'%s}},"
                       "{'op':'mutate','table':'Logical_Router','where':[],"
                       "'mutations':[['nat','insert',['named-uuid','n']]]}",
                       i, i ? "" : ",'logical_port':'" VM_FIP "',"
                       "'external_mac':'fa:16:3e:aa:00:03'");
    }
    sbt_claim(f->sb_server, VM_FIP, "cmp1", true);
    sbt_claim(f->sb_server, GW_PORT, "cmp1", true);
    await_step(f, 21, 6);
    char *with = derive(f, true);
    char *without = derive(f, false);
    assert_null(strstr(without, "2001:db8:ff::9"));
    assert_non_null(strstr(with, "2001:db8:ff::90 fa:16:3e:aa:00:03 "
                           "fip-distributed " VM_FIP " physnet1 br-ex 21\n"));
    assert_non_null(strstr(with, "2001:db8:ff::91 fa:16:3e:77:7f:9c "
                           "fip-centralised " GW_PORT " physnet1 br-ex 21\n"));
    free(with);
    free(without);

    /* The setting goes, and with it what only the Northbound told. */
    values_set(&f->values, "ovn-xdp-nb-remote", "");
    northbound_set_target(f->nb, &f->values.settings, sb_db_view(f->sb));
    assert_true(nb_db_run(f->nb));
    free(check_same(f));
}

/* Prepares a struct fixture, without databases. */
static int
setup(void **statep)
{
    struct fixture *f = xzalloc(sizeof *f);

    values_init_cloud(&f->values);
    f->dir = db_temp_dir();
    f->sb = sb_db_create();
    f->nb = nb_db_create();
    *statep = f;
    return 0;
}

/* Undoes setup(). */
static int
teardown(void **statep)
{
    struct fixture *f = *statep;

    sb_db_destroy(f->sb);
    nb_db_destroy(f->nb);
    db_server_destroy(f->sb_server);
    db_server_destroy(f->nb_server);
    values_destroy(&f->values);
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
        TEST(test_2303),
        TEST(test_2403),
        TEST(test_ipv6),
    };

    if (!db_test_init(argc, argv)) {
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
