/* SPDX-License-Identifier: Apache-2.0 */
/* Tests what idl/sb-db.c makes of the contents of a Southbound database, and
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

#include "random.h"
#include "util.h"
#include "uuid.h"

#include "tests/db/db-dump.h"
#include "tests/db/sbt.h"

/* Fails the test unless the binding of 'logical_port' in 'db' prints as
 * 'expected'. */
static void
check_binding(const struct sb_db *db, const char *logical_port,
              const char *expected)
{
    const struct sb_binding *b = sbt_binding(db, logical_port);
    assert_non_null(b);

    char *line = dump_sb_binding(b);
    assert_string_equal(line, expected);
    free(line);
}

/* What a client sees that has nothing yet, and what of a database in which no
 * port is claimed. */
static void
test_start(void **statep)
{
    struct sbt *f = *statep;

    assert_false(sb_db_view(f->db)->complete);
    assert_int_equal(sbt_state(f->db), DB_CONNECTING);
    AWAIT(f->db, sb_db_view(f->db)->complete);
    assert_int_equal(sbt_state(f->db), DB_SYNCED);
    assert_true(sb_db_view(f->db)->chassis_found);
    assert_null(sbt_binding(f->db, VM_PROVIDER));
    assert_null(sbt_binding(f->db, GW_PORT));
    assert_null(sbt_binding(f->db, GW_ROUTER_PORT));
    check_binding(f->db, LOCALNET,
                  LOCALNET " type=localnet dp=a4c535b5 macs=[unknown]"
                  " network=physnet1 parent= tag=101");
    assert_int_equal(hmap_count(&sb_db_view(f->db)->bindings), 2);

    struct db_status status;
    sb_db_status(f->db, &status);
    assert_string_equal(status.name, "OVN_Southbound");
    assert_string_equal(status.remote, db_server_remote(f->server));
    assert_string_equal(db_state_to_string(status.state), "synced");
    assert_true(status.last_change > 0 && status.last_change <= time_msec());

    /* Nothing happens, so nothing changes. */
    assert_false(sb_db_run(f->db));
}

/* All values of bindings of each kind, from the database 'name'. */
static void
check_kinds(struct sbt *f, const char *name)
{
    struct db_server *server = db_server_create(f->dir, name);
    db_server_use_fixture(server, name);
    db_server_start(server);
    sbt_claim(server, VM_PROVIDER, "cmp1", true);
    sbt_claim(server, VM_FIP, "cmp1", false);
    sbt_claim(server, VM_OTHER, "gw1", true);
    sbt_claim(server, GW_PORT, "cmp1", true);

    sbt_target(f->db, server, "cmp1");
    AWAIT(f->db, sbt_is_local(f->db, GW_PORT));

    const struct sb_binding *b = sbt_binding(f->db, VM_PROVIDER);
    assert_non_null(b);
    assert_true(b->here && b->up && b->activated && !b->additional);
    assert_string_equal(b->type, "");
    assert_int_equal(b->tag, -1);
    assert_null(b->network_name);
    assert_int_equal(sset_count(&b->macs), 1);
    assert_true(sset_contains(
        &b->macs, "fa:16:3e:bb:00:05 172.24.100.50 2001:db8:ff::50"));
    assert_true(uuid_equals(&b->datapath,
                            &sbt_binding(f->db, LOCALNET)->datapath));

    b = sbt_binding(f->db, VM_FIP);
    assert_true(b && b->here && !b->up);
    assert_null(sbt_binding(f->db, VM_OTHER));
    b = sbt_binding(f->db, GW_PORT);
    assert_string_equal(b->type, "chassisredirect");
    assert_string_equal(b->distributed_port, GW_ROUTER_PORT);
    b = sbt_binding(f->db, GW_SWITCH_PORT);
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
    struct sbt *f = *statep;

    AWAIT(f->db, sb_db_view(f->db)->complete);
    sbt_claim(f->server, VM_PROVIDER, "cmp1", false);
    AWAIT(f->db, sbt_binding(f->db, VM_PROVIDER));
    assert_false(sbt_binding(f->db, VM_PROVIDER)->up);
    sbt_update_binding(f->server, VM_PROVIDER, "{'up':true}");
    AWAIT(f->db, sbt_is_local(f->db, VM_PROVIDER));
    sbt_claim(f->server, VM_PROVIDER, "gw1", true);
    AWAIT(f->db, !sbt_binding(f->db, VM_PROVIDER));
    sbt_claim(f->server, VM_PROVIDER, "cmp1", true);
    AWAIT(f->db, sbt_is_local(f->db, VM_PROVIDER));
    sbt_update_binding(f->server, VM_PROVIDER,
                   "{'mac':['set',['fa:16:3e:bb:00:05 192.0.2.7','unknown']],"
                   "'tag':7,'parent_port':'x','virtual_parent':'y'}");
    AWAIT(f->db, sbt_binding(f->db, VM_PROVIDER)->tag == 7);
    check_binding(f->db, VM_PROVIDER, VM_PROVIDER " type= here up dp=a4c535b5"
                  " macs=[fa:16:3e:bb:00:05 192.0.2.7; unknown]"
                  " allowed=[fa:16:3e:bb:00:05 172.24.100.50"
                  " 2001:db8:ff::50] virtual-parent=y parent=x tag=7 qos");

    /* A change of what is not interpreted is no change of the view: the mark
     * is the only one. */
    int n_changes = 0;
    sbt_update_binding(f->server, VM_PROVIDER,
                       "{'options':['map',[['a','b'],['qos_burst','1']]]}");
    AWAIT_COUNTING(f->db, true, n_changes);
    sbt_set_mark(f->server, 5);
    AWAIT_COUNTING(f->db, sbt_has_mark(f->db, 5), n_changes);
    assert_int_equal(n_changes, 1);
    sbt_release(f->server, VM_PROVIDER);
    AWAIT(f->db, !sbt_binding(f->db, VM_PROVIDER));
}

/* A port that is here in addition to elsewhere, before and after its
 * activation. */
static void
test_additional_chassis(void **statep)
{
    struct sbt *f = *statep;

    sbt_claim(f->server, VM_FIP, "gw1", true);
    sbt_claim_additionally(f->server, VM_FIP, "cmp1",
                       "['activation-strategy','rarp'],"
                       "['requested-chassis','gw1,cmp1']");
    AWAIT(f->db, sbt_binding(f->db, VM_FIP));
    const struct sb_binding *b = sbt_binding(f->db, VM_FIP);
    assert_true(!b->here && b->additional && !b->activated);

    sbt_claim_additionally(f->server, VM_FIP, "cmp1",
                       "['activation-strategy','rarp'],"
                       "['additional-chassis-activated','x,cmp10,cmp1']");
    AWAIT(f->db, sbt_binding(f->db, VM_FIP)->activated);
    sbt_claim_additionally(f->server, VM_FIP, "cmp1",
                       "['activation-strategy','rarp'],"
                       "['additional-chassis-activated','x,cmp10']");
    AWAIT(f->db, !sbt_binding(f->db, VM_FIP)->activated);
    sbt_claim_additionally(f->server, VM_FIP, "cmp1", "");
    AWAIT(f->db, sbt_binding(f->db, VM_FIP)->activated);
    sbt_update_binding(f->server, VM_FIP, "{'additional_chassis':['set',[]]}");
    AWAIT(f->db, !sbt_binding(f->db, VM_FIP));
}

/* The switch's side of the router port of a gateway port that is here is seen
 * even without NAT addresses, and not longer than that. */
static void
test_peers(void **statep)
{
    struct sbt *f = *statep;

    sbt_update_binding(f->server, GW_SWITCH_PORT,
                   "{'nat_addresses':['set',[]]}");
    AWAIT(f->db, sb_db_view(f->db)->complete);
    assert_null(sbt_binding(f->db, GW_SWITCH_PORT));

    sbt_claim(f->server, GW_PORT, "cmp1", true);
    AWAIT(f->db, sbt_binding(f->db, GW_PORT));
    assert_non_null(sbt_binding(f->db, GW_SWITCH_PORT));
    assert_string_equal(sbt_binding(f->db, GW_SWITCH_PORT)->peer,
                        GW_ROUTER_PORT);

    sbt_claim(f->server, GW_PORT, "gw1", true);
    AWAIT(f->db, !sbt_binding(f->db, GW_PORT));
    assert_null(sbt_binding(f->db, GW_SWITCH_PORT));
}

/* The replica of a node holds what can matter to it, and not the cloud. */
static void
test_selective(void **statep)
{
    struct sbt *f = *statep;

    sbt_add_bindings(f->server, "gw1", "remote", 1000, "", "");
    sbt_add_bindings(f->server, "gw1", "router", 250, "patch", "");
    sbt_add_bindings(f->server, "gw1", "gateway", 250, "chassisredirect", "");
    sbt_claim(f->server, VM_PROVIDER, "cmp1", true);
    AWAIT(f->db, sbt_is_local(f->db, VM_PROVIDER));

    /* Our chassis; our VM, the localnet port, and the port with NAT. */
    assert_int_equal(hmap_count(&sb_db_view(f->db)->bindings), 3);
    assert_int_equal(sbt_n_cells(f->db), 1 + 3 * SBT_BINDING_CELLS);

    /* With NAT addresses a router port elsewhere counts, without it does not:
     * a condition "!= []" is honoured in both directions. */
    sbt_update_binding(f->server, "router-7", "{'nat_addresses':'x'}");
    AWAIT(f->db, sbt_binding(f->db, "router-7"));
    assert_int_equal(sbt_n_cells(f->db), 1 + 4 * SBT_BINDING_CELLS);
    sbt_update_binding(f->server, "router-7", "{'nat_addresses':['set',[]]}");
    AWAIT(f->db, !sbt_binding(f->db, "router-7"));
    assert_int_equal(sbt_n_cells(f->db), 1 + 3 * SBT_BINDING_CELLS);
}

/* Values that no northd writes. */
static void
test_malformed(void **statep)
{
    struct sbt *f = *statep;
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
    sbt_update_binding(f->server, VM_FIP, row);
    sbt_claim(f->server, VM_FIP, "cmp1", true);
    AWAIT(f->db, sbt_is_local(f->db, VM_FIP));

    const struct sb_binding *b = sbt_binding(f->db, VM_FIP);
    assert_string_equal(b->type, "teleporter");
    assert_int_equal(sset_count(&b->macs), 4);
    assert_true(sset_contains(&b->macs, x));
    assert_string_equal(b->network_name, "");
    assert_true(b->activated);
    assert_int_equal(b->tag, 4095);

    /* A gateway port that names no router port, and one that names itself. */
    sbt_update_binding(f->server, GW_PORT, "{'options':['map',[]]}");
    sbt_claim(f->server, GW_PORT, "cmp1", true);
    AWAIT(f->db, sbt_is_local(f->db, GW_PORT));
    sbt_update_binding(f->server, GW_PORT, "{'options':['map',[['peer','"
                   GW_PORT "'],['distributed-port','" GW_PORT "']]]}");
    AWAIT(f->db, sbt_binding(f->db, GW_PORT)->distributed_port);
    sbt_set_mark(f->server, 1);
    AWAIT(f->db, sbt_has_mark(f->db, 1));
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
        sbt_release(server, port);
        break;
    case 1:
        sbt_claim(server, port, "gw1", true);
        break;
    case 2:
        sbt_claim(server, port, "cmp1", random_range(2));
        break;
    case 3:
        sbt_update_binding(server, port, random_range(2)
                       ? "{'nat_addresses':['set',[]]}"
                       : "{'nat_addresses':['set',['a','b']]}");
        break;
    case 4:
        /* Another row takes the name of one that goes. */
        db_server_exec(server, "{'op':'delete','table':'Port_Binding',"
                       "'where':[['logical_port','==','new']]}");
        sbt_add_bindings(server, random_range(2) ? "cmp1" : "gw1", "new", 1,
                         "", "");
        db_server_exec(server, "{'op':'delete','table':'Port_Binding',"
                       "'where':[['logical_port','==','new-0']]}");
        sbt_add_bindings(server, "cmp1", "new", 1, "", "");
        db_server_exec(server, "{'op':'update','table':'Port_Binding',"
                       "'where':[['logical_port','==','new-0']],"
                       "'row':{'logical_port':'new'}}");
        break;
    case 5:
        sbt_claim_additionally(server, port,
                               random_range(2) ? "cmp1" : "gw1",
                               "['distributed-port','" GW_ROUTER_PORT "']");
        break;
    }
}

/* What a client that followed changes one by one has, is what one that starts
 * afresh gets, and what it gets itself when it looks at everything again. */
static void
test_incremental(void **statep)
{
    struct sbt *f = *statep;

    AWAIT(f->db, sb_db_view(f->db)->complete);
    random_set_seed(4711);
    for (int i = 1; i <= 60; i++) {
        for (int n = random_range(4); n >= 0; n--) {
            random_change(f->server);
            if (random_range(2)) {
                sb_db_run(f->db);
            }
        }
        sbt_set_mark(f->server, i);
        AWAIT(f->db, sbt_has_mark(f->db, i)
              && sbt_state(f->db) == DB_SYNCED);

        struct sb_db *fresh = sb_db_create();
        sbt_target(fresh, f->server, "cmp1");
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
#define TEST(NAME) \
    cmocka_unit_test_setup_teardown(NAME, sbt_setup, sbt_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_start),
        TEST(test_kinds_2303),
        TEST(test_kinds_2403),
        TEST(test_moves),
        TEST(test_additional_chassis),
        TEST(test_peers),
        TEST(test_selective),
        TEST(test_malformed),
        TEST(test_incremental),
    };

    if (!db_test_init(argc, argv)) {
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
