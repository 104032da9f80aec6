/* SPDX-License-Identifier: Apache-2.0 */
/* Tests that whoever follows the changes of a Southbound database that
 * idl/sb-db.c names, row by row, knows what somebody knows who reads all of
 * it: the endpoints derived from both are compared after random transactions.
 * OVN_XDP_TEST_SEED replaces the seed, which is printed.
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
#include "random.h"
#include "util.h"
#include "uuid.h"

#include "idl/row-changes.h"
#include "plugin/desired.h"
#include "tests/db/sbt.h"
#include "tests/plugin/values.h"

/* Times that both are compared, and most transactions before each. */
#define N_CHECKS 30
#define MAX_TRANSACTIONS 4

/* The port that tells that all changes are in, on a datapath of its own so
 * that nothing else depends on it. */
#define MARK "mark-0"

/* Who follows. */
struct follower {
    struct sb_db *db;           /* Client. */
    const struct values *values; /* All other inputs. */
    struct row_changes changes; /* Bindings not derived from yet. */
    struct row_changes facts;   /* Likewise, facts about NAT. */
    struct desired *desired;    /* Derived. */
};

/* What random transactions are made of. */
struct material {
    char *chassis[2];           /* UUIDs of this chassis and another one. */
    struct uuid provider;       /* Datapath with the localnet port. */
    int tunnel_key;             /* Last one that was given to a port. */
};

/* Derives what 'f' desires from what changed. */
static void
derive(struct follower *f)
{
    struct desired_inputs inputs = values_inputs(f->values);
    struct desired_changes changes = { .bindings = &f->changes,
                                       .sb_facts = &f->facts };

    inputs.sb = sb_db_view(f->db);
    inputs.sb_facts = &sb_db_view(f->db)->facts;
    sb_db_take_changes(f->db, &f->changes, &f->facts);
    desired_update(f->desired, &inputs, &changes);
    row_changes_clear(&f->changes);
    row_changes_clear(&f->facts);
}

/* Begins an update of the binding 'port' in 'ops'. */
static void
begin_update(struct ds *ops, const char *port)
{
    ds_put_format(ops, "{'op':'update','table':'Port_Binding','where':"
                       "[['logical_port','==','%s']],'row':{", port);
}

/* Appends to 'ops' that 'port' is claimed by one chassis or none. */
static void
put_claim(struct ds *ops, const struct material *m, const char *port)
{
    begin_update(ops, port);
    if (random_range(3)) {
        ds_put_format(ops, "'chassis':['uuid','%s'],'up':%s}}",
                      m->chassis[random_range(3) == 0],
                      random_range(3) ? "true" : "false");
    } else {
        ds_put_cstr(ops, "'chassis':['set',[]],'up':false}}");
    }
}

/* Appends to 'ds' a MAC with one or two addresses, quoted. */
static void
put_addresses(struct ds *ds)
{
    ds_put_format(ds, "'fa:16:3e:00:00:0%d 172.24.100.%d 2001:db8::%d'",
                  1 + random_range(3), 1 + random_range(6),
                  1 + random_range(6));
}

/* Appends to 'ops' that 'port' has other addresses. */
static void
put_macs(struct ds *ops, const char *port)
{
    begin_update(ops, port);
    ds_put_cstr(ops, "'mac':");
    put_addresses(ops);
    ds_put_cstr(ops, "}}");
}

/* Appends to 'ops' that the switch port of the router announces others. */
static void
put_nat(struct ds *ops)
{
    static const char *const ports[] = { VM_FIP, GW_PORT, "vm-1" };

    begin_update(ops, GW_SWITCH_PORT);
    ds_put_cstr(ops, "'nat_addresses':['set',[");
    for (int i = random_range(4); i > 0; i--) {
        ds_put_format(ops, "'fa:16:3e:00:00:0%d 172.24.100.%d "
                      "is_chassis_resident(\\\"%s\\\")'%s", i,
                      1 + random_range(6), ports[random_range(3)],
                      i > 1 ? "," : "");
    }
    ds_put_cstr(ops, "]]}}");
}

/* Appends to 'ops' that the network of the localnet port is another one. */
static void
put_network(struct ds *ops)
{
    begin_update(ops, LOCALNET);
    ds_put_format(ops, "'tag':%d,'options':['map',[['network_name','%s']]]}}",
                  101 + random_range(2),
                  random_range(3) ? "physnet1" : "physnet9");
}

/* Appends to 'ops' that a VM or virtual port goes; and perhaps that another
 * row takes its name. */
static void
put_port(struct ds *ops, struct material *m)
{
    int number = random_range(4);

    ds_put_format(ops, "{'op':'delete','table':'Port_Binding',"
                  "'where':[['logical_port','==','vm-%d']]}", number);
    if (random_range(3)) {
        ds_put_format(ops, ",{'op':'insert','table':'Port_Binding','row':{"
                      "'logical_port':'vm-%d','datapath':['uuid','"UUID_FMT
                      "'],'tunnel_key':%d,'up':true,"
                      "'chassis':['uuid','%s'],'mac':", number,
                      UUID_ARGS(&m->provider), ++m->tunnel_key,
                      m->chassis[random_range(4) == 0]);
        put_addresses(ops);
        if (!random_range(3)) {
            ds_put_cstr(ops, ",'type':'virtual','virtual_parent':'"
                             VM_PROVIDER "'");
        }
        ds_put_cstr(ops, "}}");
    }
}

/* Appends an operation to 'ops'. */
static void
put_op(struct ds *ops, struct material *m)
{
    static const char *const ports[] = {
        VM_PROVIDER, VM_FIP, VM_OTHER, GW_PORT, "vm-0", "vm-1",
    };
    const char *port = ports[random_range(ARRAY_SIZE(ports))];

    switch (random_range(8)) {
    case 0: case 1: case 2: put_claim(ops, m, port); break;
    case 3: put_macs(ops, port); break;
    case 4: put_nat(ops); break;
    case 5: put_network(ops); break;
    default: put_port(ops, m); break;
    }
}

/* Changes the database of 'server', in one transaction. */
static void
transact(const struct db_server *server, struct material *m)
{
    struct ds ops = DS_EMPTY_INITIALIZER;

    for (int i = random_range(4); i >= 0; i--) {
        put_op(&ops, m);
        ds_put_cstr(&ops, i ? "," : "");
    }
    db_server_exec(server, "%s", ds_cstr(&ops));
    ds_destroy(&ops);
}

/* Appends 'desired' to 'ds'. */
static void
dump(struct ds *ds, const struct desired *desired)
{
    char *endpoints = values_dump_endpoints(desired);

    ds_put_cstr(ds, endpoints);
    for (size_t i = 0; i < desired->problems.n; i++) {
        ds_put_format(ds, "%s\n", desired->problems.list[i].message);
    }
    free(endpoints);
}

/* Returns true if 'db' has the mark with 'tag' and waits for nothing more.
 * What came with the mark may have made it ask for the flows of a router,
 * which the view of the bindings does not wait for. */
static bool
has_all(const struct sb_db *db, int tag)
{
    const struct sb_binding *b = sbt_binding(db, MARK);

    return b && b->tag == tag && sbt_state(db) == DB_SYNCED;
}

/* Checks that 'f' desires what somebody does who reads all of 'server'.
 * Returns the number of endpoints. */
static size_t
compare(const struct follower *f, const struct db_server *server, int tag)
{
    struct follower fresh = { .db = sb_db_create(), .values = f->values,
                              .desired = desired_create() };
    struct ds a = DS_EMPTY_INITIALIZER;
    struct ds b = DS_EMPTY_INITIALIZER;

    row_changes_init(&fresh.changes);
    row_changes_init(&fresh.facts);
    sbt_target(fresh.db, server, "cmp1");
    AWAIT(fresh.db, has_all(fresh.db, tag));
    derive(&fresh);
    dump(&a, f->desired);
    dump(&b, fresh.desired);
    assert_string_equal(ds_cstr(&a), ds_cstr(&b));

    size_t n = hmap_count(&fresh.desired->endpoints);
    ds_destroy(&a);
    ds_destroy(&b);
    desired_destroy(fresh.desired);
    sb_db_destroy(fresh.db);
    row_changes_destroy(&fresh.changes);
    row_changes_destroy(&fresh.facts);
    return n;
}

/* Lives through random transactions. */
static void
live(struct follower *f, const struct db_server *server, struct material *m)
{
    size_t n_endpoints = 0;

    for (int i = 1; i <= N_CHECKS; i++) {
        for (int n = random_range(MAX_TRANSACTIONS); n >= 0; n--) {
            transact(server, m);
            if (random_range(2) && sb_db_run(f->db) && random_range(2)) {
                derive(f);
            }
        }
        db_server_exec(server, "{'op':'update','table':'Port_Binding',"
                       "'where':[['logical_port','==','" MARK "']],"
                       "'row':{'tag':%d}}", i);
        AWAIT(f->db, has_all(f->db, i));
        derive(f);
        n_endpoints += compare(f, server, i);
    }
    assert_true(n_endpoints > N_CHECKS);
    assert_int_equal(f->desired->n_recomputes, 1);
}

/* See the top. */
static void
test_follow(void **statep)
{
    const char *text = getenv("OVN_XDP_TEST_SEED");
    uint32_t seed = text ? strtoul(text, NULL, 10) : 1;
    struct sbt *sbt = *statep;
    struct values values;
    struct follower f = { .db = sbt->db, .values = &values,
                          .desired = desired_create() };
    struct material m = { .tunnel_key = 20000 };

    print_message("seed %"PRIu32"\n", seed);
    random_set_seed(seed);
    values_init_cloud(&values);
    row_changes_init(&f.changes);
    row_changes_init(&f.facts);
    m.chassis[0] = sbt_chassis_uuid(sbt->server, "cmp1");
    m.chassis[1] = sbt_chassis_uuid(sbt->server, "gw1");
    sbt_add_bindings(sbt->server, "cmp1", "mark", 1, "localnet", "");
    sbt_claim(sbt->server, VM_PROVIDER, "cmp1", true);
    AWAIT(f.db, sbt_is_local(f.db, VM_PROVIDER));
    m.provider = sbt_binding(f.db, LOCALNET)->datapath;

    live(&f, sbt->server, &m);

    free(m.chassis[0]);
    free(m.chassis[1]);
    row_changes_destroy(&f.changes);
    row_changes_destroy(&f.facts);
    desired_destroy(f.desired);
    values_destroy(&values);
}

/* Changes add up until they are taken, and say which part of a row it was. */
static void
test_changes(void **statep)
{
    struct sbt *f = *statep;
    struct row_changes changes = ROW_CHANGES_INITIALIZER(&changes);
    struct row_changes facts = ROW_CHANGES_INITIALIZER(&facts);
    struct row_change *change;

    sbt_claim(f->server, GW_PORT, "cmp1", true);
    AWAIT(f->db, sbt_binding(f->db, GW_SWITCH_PORT));
    sb_db_take_changes(f->db, &changes, &facts);
    assert_int_equal(hmap_count(&changes.rows),
                     hmap_count(&sb_db_view(f->db)->bindings));
    assert_false(changes.all);
    row_changes_clear(&changes);
    sb_db_take_changes(f->db, &changes, &facts);
    assert_true(hmap_is_empty(&changes.rows));
    unsigned int seqno = sb_db_view(f->db)->seqno;

    sbt_update_binding(f->server, GW_SWITCH_PORT, "{'nat_addresses':'a b'}");
    AWAIT(f->db, sset_count(
        &sbt_binding(f->db, GW_SWITCH_PORT)->nat_addresses) == 1);
    sb_db_take_changes(f->db, &changes, &facts);
    assert_int_equal(hmap_count(&changes.rows), 1);
    HMAP_FOR_EACH (change, node, &changes.rows) {
        assert_int_equal(change->parts, SB_BINDING_NAT);
        assert_true(uuid_equals(&change->uuid,
                                &sbt_binding(f->db, GW_SWITCH_PORT)->uuid));
    }
    row_changes_clear(&changes);
    assert_int_equal(sb_db_view(f->db)->seqno, seqno);

    sbt_set_mark(f->server, 7);
    AWAIT(f->db, sbt_has_mark(f->db, 7));
    sbt_release(f->server, GW_PORT);
    AWAIT(f->db, !sbt_binding(f->db, GW_PORT));
    assert_int_not_equal(sb_db_view(f->db)->seqno, seqno);
    sb_db_take_changes(f->db, &changes, &facts);
    assert_true(hmap_count(&changes.rows) >= 2);
    HMAP_FOR_EACH (change, node, &changes.rows) {
        assert_true(change->parts & SB_BINDING_PORT);
    }
    row_changes_destroy(&changes);
    row_changes_destroy(&facts);
}

/* Runs the tests, or says why they cannot run. */
int
main(int argc, char *argv[])
{
#define TEST(NAME) \
    cmocka_unit_test_setup_teardown(NAME, sbt_setup, sbt_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_changes),
        TEST(test_follow),
    };

    if (!db_test_init(argc, argv)) {
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
