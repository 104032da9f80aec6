/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of plugin/desired-endpoints.c with a Northbound: what its NAT rows add
 * to the Southbound, and that they never contradict it. */

#include <config.h>

#include "plugin/desired.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "idl/nat-fact.h"
#include "idl/row-changes.h"
#include "packets.h"
#include "tests/plugin/values.h"
#include "util.h"

#define VM1 "fa:16:3e:bb:00:01"
#define VM2 "fa:16:3e:bb:00:02"
#define GW "fa:16:3e:77:7f:9c"

/* What the gateway of the router r1 makes. */
#define ROUTER "172.24.100.10 "GW" router cr-lrp-r1 physnet1 br-ex 0\n"

/* What every test works on: a chassis with the gateway of router r1 and its
 * VM vm1, and what is derived from it change by change. */
struct fixture {
    struct values *values;      /* All that is known. */
    struct desired *desired;    /* What came of it up to now. */
    struct sb_binding *router;  /* Switch port of r1. */
    struct sb_binding *vm;      /* Port of vm1. */
};

/* Notes in 'changes' that 'parts' of 'binding' changed. */
static void
binding_changed(struct row_changes *changes, const struct sb_binding *binding,
                unsigned int parts)
{
    row_changes_add(changes, &binding->uuid, parts);
}

/* Checks that the endpoints are 'expected' and that there is no problem, both
 * if derived anew and after 'bindings' and 'facts', which may be NULL,
 * changed. */
static void
check(struct fixture *f, const struct row_changes *bindings,
      const struct row_changes *facts, const char *expected)
{
    struct desired_inputs inputs = values_inputs(f->values);
    struct desired *anew = desired_compute(&inputs);
    struct desired_changes changes = {
        .bindings = bindings, .nb_facts = facts };

    desired_update(f->desired, &inputs, &changes);

    char *text = values_dump_endpoints(anew);
    assert_string_equal(text, expected);
    free(text);
    text = values_dump_endpoints(f->desired);
    assert_string_equal(text, expected);
    free(text);
    assert_int_equal(anew->problems.n, 0);
    assert_int_equal(f->desired->problems.n, 0);
    desired_destroy(anew);
}

/* Like check(), after 'parts' of 'binding' changed. */
static void
check_binding(struct fixture *f, const struct sb_binding *binding,
              unsigned int parts, const char *expected)
{
    struct row_changes changes = ROW_CHANGES_INITIALIZER(&changes);

    binding_changed(&changes, binding, parts);
    check(f, &changes, NULL, expected);
    row_changes_destroy(&changes);
}

/* Like check(), after the fact with 'identity' changed. */
static void
check_fact(struct fixture *f, const struct uuid *identity,
           const char *expected)
{
    struct row_changes changes = ROW_CHANGES_INITIALIZER(&changes);

    row_changes_add(&changes, identity, 1);
    check(f, NULL, &changes, expected);
    row_changes_destroy(&changes);
}

/* Adds a fact of the Northbound: 'ip' at 'router_port', distributed with
 * 'port' and 'mac', or centralised if they are NULL. */
static struct nat_fact *
new_fact(struct fixture *f, const char *ip, const char *router_port,
         const char *port, const char *mac)
{
    struct nat_fact *fact = values_add_fact(f->values, &f->values->nb_facts,
                                            router_port, ip);

    fact->distributed = port != NULL;
    fact->resident = nullable_xstrdup(port);
    if (mac) {
        assert_true(eth_addr_from_string(mac, &fact->mac));
    }
    return fact;
}

/* Adds a fact as new_fact() does, and checks like check(). */
static struct nat_fact *
add_fact(struct fixture *f, const char *ip, const char *router_port,
         const char *port, const char *mac, const char *expected)
{
    struct nat_fact *fact = new_fact(f, ip, router_port, port, mac);

    check_fact(f, &fact->identity, expected);
    return fact;
}

/* What the Southbound does not say comes from the Northbound, and goes with
 * it. */
static void
test_adds(void **state)
{
    struct fixture *f = *state;

    struct nat_fact *distributed = add_fact(
        f, "2001:db8::5", "lrp-r1", "vm1", VM1, ROUTER
        "2001:db8::5 "VM1" fip-distributed vm1 physnet1 br-ex 0\n");
    add_fact(f, "172.24.100.7", "lrp-r1", NULL, NULL, ROUTER
             "172.24.100.7 "GW" fip-centralised cr-lrp-r1 physnet1 br-ex 0\n"
             "2001:db8::5 "VM1" fip-distributed vm1 physnet1 br-ex 0\n");

    struct uuid identity = distributed->identity;
    values_remove_fact(&f->values->nb_facts, distributed);
    check_fact(f, &identity, ROUTER
               "172.24.100.7 "GW" fip-centralised cr-lrp-r1 physnet1 br-ex "
               "0\n");
}

/* What is not here by the Southbound is not served: port, gateway, network. */
static void
test_elsewhere(void **state)
{
    struct fixture *f = *state;
    struct sb_binding *gateway = values_binding(f->values, "cr-lrp-r1");

    add_fact(f, "2001:db8::5", "lrp-r1", "vm9", VM1, ROUTER);
    add_fact(f, "2001:db8::6", "lrp-r9", "vm1", VM1, ROUTER);
    add_fact(f, "2001:db8::7", "lrp-r9", NULL, NULL, ROUTER);
    add_fact(f, "2001:db8::8", "lrp-r1", "vm1", VM1, ROUTER
             "2001:db8::8 "VM1" fip-distributed vm1 physnet1 br-ex 0\n");
    add_fact(f, "2001:db8::9", "lrp-r1", NULL, NULL, ROUTER
             "2001:db8::8 "VM1" fip-distributed vm1 physnet1 br-ex 0\n"
             "2001:db8::9 "GW" fip-centralised cr-lrp-r1 physnet1 br-ex 0\n");

    gateway->here = false;
    check_binding(f, gateway, SB_BINDING_PORT,
                  "2001:db8::8 "VM1" fip-distributed vm1 physnet1 br-ex 0\n");
    f->vm->up = false;
    check_binding(f, f->vm, SB_BINDING_PORT,
                  "2001:db8::8 "VM1" fip-distributed vm1 physnet1 br-ex 0 "
                  "port-down pending\n");
    f->vm->here = false;
    check_binding(f, f->vm, SB_BINDING_PORT, "");
    f->vm->here = f->vm->up = true;
    check_binding(f, f->vm, SB_BINDING_PORT,
                  "2001:db8::8 "VM1" fip-distributed vm1 physnet1 br-ex 0\n");
    f->router->datapath.parts[0] = 99;
    check_binding(f, f->router, SB_BINDING_PORT, "");
}

/* What both say is there once, and stays while one of them says it. */
static void
test_agreement(void **state)
{
    struct fixture *f = *state;
    const char *const strings[] = {
        VM1" 172.24.100.5 is_chassis_resident(\"vm1\")",
        GW" 172.24.100.7 172.24.100.10 is_chassis_resident(\"cr-lrp-r1\")",
    };
    const char *both
        = ROUTER
          "172.24.100.5 "VM1" fip-distributed vm1 physnet1 br-ex 0\n"
          "172.24.100.7 "GW" fip-centralised cr-lrp-r1 physnet1 br-ex 0\n";

    for (size_t i = 0; i < ARRAY_SIZE(strings); i++) {
        sset_add(&f->router->nat_addresses, strings[i]);
    }
    check_binding(f, f->router, SB_BINDING_NAT, both);
    add_fact(f, "172.24.100.5", "lrp-r1", "vm1", VM1, both);
    add_fact(f, "172.24.100.7", "lrp-r1", NULL, NULL, both);
    add_fact(f, "172.24.100.10", "lrp-r1", NULL, NULL, both);

    sset_clear(&f->router->nat_addresses);
    check_binding(f, f->router, SB_BINDING_NAT, both);
}

/* Where they disagree the Southbound counts, whatever it says: another MAC,
 * another kind, another chassis. */
static void
test_disagreement(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *string;     /* Of the Southbound. */
        const char *expected;   /* What comes of it. */
    } cases[] = {
        { GW" 172.24.100.5 is_chassis_resident(\"cr-lrp-r1\")", ROUTER
          "172.24.100.5 "GW" fip-centralised cr-lrp-r1 physnet1 br-ex 0\n" },
        { VM2" 172.24.100.5 is_chassis_resident(\"vm1\")", ROUTER
          "172.24.100.5 "VM2" fip-distributed vm1 physnet1 br-ex 0\n" },
        { VM2" 172.24.100.5 is_chassis_resident(\"vm9\")", ROUTER },
        { VM2" 172.24.100.1 172.24.100.5 172.24.100.51 "
          "is_chassis_resident(\"vm9\")", ROUTER },
        { VM2" 172.24.100.5", ROUTER },
        /* Others that only look like it. */
        { VM2" 72.24.100.5 172.24.100.50 2001:db8::172.24.100.5 "
          "is_chassis_resident(\"vm9\")", ROUTER
          "172.24.100.5 "VM1" fip-distributed vm1 physnet1 br-ex 0\n" },
    };

    add_fact(f, "172.24.100.5", "lrp-r1", "vm1", VM1, ROUTER
             "172.24.100.5 "VM1" fip-distributed vm1 physnet1 br-ex 0\n");
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        sset_add(&f->router->nat_addresses, cases[i].string);
        check_binding(f, f->router, SB_BINDING_NAT, cases[i].expected);
        sset_clear(&f->router->nat_addresses);
        check_binding(f, f->router, SB_BINDING_NAT, ROUTER
                      "172.24.100.5 "VM1" fip-distributed vm1 physnet1 br-ex "
                      "0\n");
    }
}

/* A row of another router or a VM that the Southbound has here counts more
 * than the Northbound, without a complaint. */
static void
test_moved(void **state)
{
    struct fixture *f = *state;
    struct sb_binding *vm;

    add_fact(f, "172.24.100.5", "lrp-r1", NULL, NULL, ROUTER
             "172.24.100.5 "GW" fip-centralised cr-lrp-r1 physnet1 br-ex 0\n");
    vm = values_add_vm(f->values, "pvm", 1, VM2" 172.24.100.5");
    check_binding(f, vm, SB_BINDING_PORT, ROUTER
                  "172.24.100.5 "VM2" vm pvm physnet1 br-ex 0\n");

    struct uuid uuid = vm->uuid;
    struct row_changes changes = ROW_CHANGES_INITIALIZER(&changes);
    row_changes_add(&changes, &uuid, SB_BINDING_PORT);
    values_remove_binding(f->values, "pvm");
    check(f, &changes, NULL, ROUTER
          "172.24.100.5 "GW" fip-centralised cr-lrp-r1 physnet1 br-ex 0\n");
    row_changes_destroy(&changes);
}

/* That a VM of the Southbound may use an address, too, hides nothing that the
 * Northbound says, whichever came first. */
static void
test_allowed_pair(void **state)
{
    struct fixture *f = *state;
    struct sb_binding *vm = values_add_vm(f->values, "pvm", 1,
                                          VM2" 172.24.100.6");

    sset_add(&vm->port_security, VM2" 172.24.100.5 172.24.100.7");
    check_binding(f, vm, SB_BINDING_PORT, ROUTER
                  "172.24.100.5 "VM2" vm pvm physnet1 br-ex 0 allowed-pair\n"
                  "172.24.100.6 "VM2" vm pvm physnet1 br-ex 0\n"
                  "172.24.100.7 "VM2" vm pvm physnet1 br-ex 0 "
                  "allowed-pair\n");
    add_fact(f, "172.24.100.5", "lrp-r1", "vm1", VM1, ROUTER
             "172.24.100.5 "VM1" fip-distributed vm1 physnet1 br-ex 0\n"
             "172.24.100.6 "VM2" vm pvm physnet1 br-ex 0\n"
             "172.24.100.7 "VM2" vm pvm physnet1 br-ex 0 allowed-pair\n");
    sset_add(&vm->port_security, VM2" 172.24.100.8");
    check_binding(f, vm, SB_BINDING_PORT, ROUTER
                  "172.24.100.5 "VM1" fip-distributed vm1 physnet1 br-ex 0\n"
                  "172.24.100.6 "VM2" vm pvm physnet1 br-ex 0\n"
                  "172.24.100.7 "VM2" vm pvm physnet1 br-ex 0 allowed-pair\n"
                  "172.24.100.8 "VM2" vm pvm physnet1 br-ex 0 "
                  "allowed-pair\n");
}

/* What a string of the Southbound costs that comes or goes does not depend on
 * how many others there are, and how many rows of the Northbound. */
static void
test_announced_cost(void **state)
{
    enum { N = 1000 };
    struct fixture *f = *state;
    struct row_changes changes = ROW_CHANGES_INITIALIZER(&changes);
    struct desired_changes all = { .bindings = &changes, .all = true };
    struct desired_inputs inputs = values_inputs(f->values);

    for (int i = 0; i < N; i++) {
        char *ip = xasprintf("10.9.%d.%d", i / 250, i % 250);
        new_fact(f, ip, "lrp-r1", "vm1", VM1);
        if (i) {
            sset_add_and_free(&f->router->nat_addresses, xasprintf(
                VM1" %s is_chassis_resident(\"vm1\")", ip));
        }
        free(ip);
    }
    desired_update(f->desired, &inputs, &all);
    all.all = false;

    row_changes_add(&changes, &f->router->uuid, SB_BINDING_NAT);
    for (int i = 0; i < 2; i++) {
        uint64_t before = f->desired->n_claims;

        if (i) {
            sset_clear(&f->router->nat_addresses);
        } else {
            sset_add(&f->router->nat_addresses,
                     VM2" 10.9.0.0 is_chassis_resident(\"vm1\")");
        }
        desired_update(f->desired, &inputs, &all);
        assert_int_equal(f->desired->n_claims - before, i ? N : 2);
    }
    row_changes_destroy(&changes);
}

/* Two rows of the Northbound that contradict each other are a problem like two
 * of the Southbound. */
static void
test_duplicate(void **state)
{
    struct fixture *f = *state;

    new_fact(f, "172.24.100.5", "lrp-r1", NULL, NULL);
    new_fact(f, "172.24.100.5", "lrp-r1", "vm1", VM1);
    struct desired *desired = values_derive(f->values);
    char *text = values_dump_endpoints(desired);
    assert_string_equal(text, ROUTER
                        "172.24.100.5 "GW" fip-centralised cr-lrp-r1 physnet1 "
                        "br-ex 0 duplicate-address\n");
    assert_int_equal(desired->problems.n, 1);
    assert_int_equal(desired->problems.list[0].class,
                     REASON_DUPLICATE_ADDRESS);
    free(text);
    desired_destroy(desired);
}

/* An address that is excluded is so whoever tells of it. */
static void
test_excluded(void **state)
{
    struct fixture *f = *state;

    new_fact(f, "172.24.100.5", "lrp-r1", NULL, NULL);
    values_set(f->values, "ovn-xdp-exclude", "172.24.100.5");
    struct desired *desired = values_derive(f->values);
    char *text = values_dump_endpoints(desired);
    assert_string_equal(text, ROUTER
                        "172.24.100.5 "GW" fip-centralised cr-lrp-r1 physnet1 "
                        "br-ex 0 excluded\n");
    free(text);
    desired_destroy(desired);
}

/* Prepares a struct fixture. */
static int
setup(void **state)
{
    struct fixture *f = xzalloc(sizeof *f);

    values_setup((void **) &f->values);
    f->router = values_add_router(f->values, "r1", 1, GW" 172.24.100.10/24",
                                  NULL);
    f->vm = values_add_vm(f->values, "vm1", 2, VM1" 10.0.0.1");
    f->desired = values_derive(f->values);
    *state = f;
    return 0;
}

/* Frees a struct fixture. */
static int
teardown(void **state)
{
    struct fixture *f = *state;

    desired_destroy(f->desired);
    values_teardown((void **) &f->values);
    free(f);
    return 0;
}

/* Runs the tests. */
int
main(void)
{
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)
    static const struct CMUnitTest tests[] = {
        TEST(test_adds),
        TEST(test_elsewhere),
        TEST(test_agreement),
        TEST(test_disagreement),
        TEST(test_moved),
        TEST(test_allowed_pair),
        TEST(test_announced_cost),
        TEST(test_duplicate),
        TEST(test_excluded),
    };

    return cmocka_run_group_tests_name("desired-nb", tests, NULL, NULL);
}
