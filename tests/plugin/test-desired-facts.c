/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of plugin/desired-endpoints.c: what facts about NAT say of the
 * addresses on this chassis. */

#include <config.h>

#include "plugin/desired.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "idl/nat-fact.h"
#include "openvswitch/util.h"
#include "packets.h"
#include "tests/plugin/values.h"
#include "util.h"

#define VM1 "fa:16:3e:bb:00:01"
#define GW "fa:16:3e:77:7f:9c"
#define EXT "fa:16:3e:aa:00:03"
#define ROUTER "172.24.100.5 " GW " router cr-lrp-gw physnet1 br-ex 0\n"

/* Checks that 'values' gives the endpoints 'expected' and 'n_problems'
 * problems. */
static void
check(struct values *values, const char *expected, size_t n_problems)
{
    struct desired *desired = values_derive(values);
    char *text = values_dump_endpoints(desired);

    assert_string_equal(text, expected);
    assert_int_equal(desired->problems.n, n_problems);
    free(text);
    desired_destroy(desired);
}

/* Makes 'fact' distributed: with the MAC 'mac', where 'port' is. */
static void
distribute(struct nat_fact *fact, const char *mac, const char *port)
{
    fact->distributed = true;
    assert_true(eth_addr_from_string(mac, &fact->mac));
    fact->resident = xstrdup(port);
}

/* Prepares a chassis with the router behind the switch port "gw". */
static int
setup(void **state)
{
    values_setup(state);
    values_add_router(*state, "gw", 1, GW " 172.24.100.5/24", NULL);
    return 0;
}

/* An address that the gateway translates is where the gateway is, and has its
 * MAC. */
static void
test_centralised(void **state)
{
    struct values *values = *state;

    values_add_fact(values, &values->sb_facts, "lrp-gw", "2001:db8::7");
    values_add_fact(values, &values->sb_facts, "lrp-other", "2001:db8::8");
    check(values, ROUTER "2001:db8::7 " GW " fip-centralised cr-lrp-gw "
                         "physnet1 br-ex 0\n", 0);
    values_binding(values, "cr-lrp-gw")->here = false;
    check(values, "", 0);
}

/* A distributed one is where its VM is, and has a MAC of its own. */
static void
test_distributed(void **state)
{
    struct values *values = *state;

    values_add_vm(values, "vm1", 2, VM1 " 10.0.0.5");
    distribute(values_add_fact(values, &values->nb_facts, "lrp-gw",
                               "172.24.100.7"), EXT, "vm1");
    check(values, ROUTER "172.24.100.7 " EXT " fip-distributed vm1 physnet1 "
                         "br-ex 0\n", 0);
    values_binding(values, "cr-lrp-gw")->here = false;
    values_binding(values, "vm1")->up = false;
    check(values, "172.24.100.7 " EXT " fip-distributed vm1 physnet1 br-ex 0 "
                  "port-down pending\n", 0);
    values_binding(values, "vm1")->here = false;
    check(values, "", 0);
}

/* A VIP of a load balancer says so, although 'nat_addresses' has it, too. */
static void
test_load_balancer(void **state)
{
    struct values *values = *state;

    values_add_fact(values, &values->sb_facts, "lrp-gw",
                    "172.24.100.7")->kind = NAT_FACT_LB;
    sset_add(&values_binding(values, "gw")->nat_addresses,
             GW " 172.24.100.7 is_chassis_resident(\"cr-lrp-gw\")");
    check(values, ROUTER "172.24.100.7 " GW " load-balancer cr-lrp-gw "
                         "physnet1 br-ex 0\n", 0);
}

/* Adds to 'values' that load balancers of the router behind 'router_port' have
 * the VIP 'address'. */
static void
add_vip(struct values *values, const char *router_port, const char *address)
{
    values_add_fact(values, &values->sb_facts, router_port,
                    address)->kind = NAT_FACT_LB;
}

/* A VIP that is not on a network of the gateway is nobody's: tenants may have
 * the same ones, or those that belong to somebody outside.  A floating IP may
 * be on a network where the gateway has no address. */
static void
test_private_vip(void **state)
{
    struct values *values = *state;

    values_add_router(values, "gw2", 1, EXT " 172.24.100.6/24", NULL);
    add_vip(values, "lrp-gw", "10.0.0.5");
    add_vip(values, "lrp-gw2", "10.0.0.5");
    add_vip(values, "lrp-gw", "172.24.101.7");
    add_vip(values, "lrp-gw", "fd00::5");
    add_vip(values, "lrp-gw", "::ac18:6407");
    values_add_fact(values, &values->sb_facts, "lrp-gw", "192.0.2.7");
    check(values, ROUTER
          "172.24.100.6 " EXT " router cr-lrp-gw2 physnet1 br-ex 0\n"
          "192.0.2.7 " GW " fip-centralised cr-lrp-gw physnet1 br-ex 0\n", 0);
}

/* Of two gateways of one router that is the VIP's on whose network it is. */
static void
test_two_gateways(void **state)
{
    struct values *values = *state;

    values_add_router(values, "gw2", 1,
                      EXT " 198.51.100.5/25 2001:db8:1::5/64", NULL);
    for (int i = 0; i < 2; i++) {
        const char *port = i ? "lrp-gw2" : "lrp-gw";

        add_vip(values, port, "172.24.100.7");
        add_vip(values, port, "198.51.100.7");
        add_vip(values, port, "198.51.100.128");
        add_vip(values, port, "2001:db8:1::7");
    }
    check(values,
          "172.24.100.5 " GW " router cr-lrp-gw physnet1 br-ex 0\n"
          "172.24.100.7 " GW " load-balancer cr-lrp-gw physnet1 br-ex 0\n"
          "198.51.100.5 " EXT " router cr-lrp-gw2 physnet1 br-ex 0\n"
          "198.51.100.7 " EXT " load-balancer cr-lrp-gw2 physnet1 br-ex 0\n"
          "2001:db8:1::5 " EXT " router cr-lrp-gw2 physnet1 br-ex 0\n"
          "2001:db8:1::7 " EXT " load-balancer cr-lrp-gw2 physnet1 br-ex "
          "0\n", 0);
}

/* The port of a gateway router is its own gateway, and what is behind it is
 * known by its switch port. */
static void
test_gateway_router(void **state)
{
    struct values *values = *state;
    struct sb_binding *router = values_add_binding(values, "l3gateway",
                                                   "lrp-r", 1000);
    struct sb_binding *behind = values_add_binding(values, "l3gateway",
                                                   "r", 1);

    router->here = behind->here = true;
    sset_add(&router->macs, EXT " 172.24.100.9/24");
    behind->peer = xstrdup("lrp-r");
    values_add_fact(values, &values->sb_facts, "lrp-r", "172.24.100.10");
    add_vip(values, "lrp-r", "10.0.0.5");
    add_vip(values, "lrp-r", "172.24.100.11");
    for (int i = 0; i < 2; i++) {
        check(values, "172.24.100.10 " EXT " fip-centralised r physnet1 "
                      "br-ex 0\n"
                      "172.24.100.11 " EXT " load-balancer r physnet1 "
                      "br-ex 0\n" ROUTER
                      "172.24.100.9 " EXT " router lrp-r physnet1 br-ex 0\n",
              0);
        /* The other source of the same calls it the same. */
        sset_add(&behind->nat_addresses, EXT " 172.24.100.10");
    }
}

/* Sources that agree are one endpoint; if those of the Southbound do not, it
 * is none. */
static void
test_sources(void **state)
{
    struct values *values = *state;
    struct nat_fact *fact;

    values_add_vm(values, "vm1", 2, VM1 " 10.0.0.5");
    sset_add(&values_binding(values, "gw")->nat_addresses,
             EXT " 172.24.100.7 is_chassis_resident(\"vm1\")");
    distribute(values_add_fact(values, &values->nb_facts, "lrp-gw",
                               "172.24.100.7"), EXT, "vm1");
    fact = values_add_fact(values, &values->sb_facts, "lrp-gw",
                           "172.24.100.7");
    distribute(fact, EXT, "vm1");
    check(values, ROUTER "172.24.100.7 " EXT " fip-distributed vm1 physnet1 "
                         "br-ex 0\n", 0);
    fact->mac.ea[5] = 4;
    check(values, ROUTER "172.24.100.7 " EXT " fip-distributed vm1 physnet1 "
                         "br-ex 0 duplicate-address\n", 1);
}

/* No switch port in front, no provider network, no MAC: no endpoint. */
static void
test_nowhere(void **state)
{
    struct values *values = *state;
    struct sb_binding *gateway = values_binding(values, "cr-lrp-gw");

    values_add_fact(values, &values->sb_facts, "lrp-gw", "172.24.100.7");
    sset_clear(&gateway->macs);
    check(values, "", 0);
    sset_add(&gateway->macs, GW);
    check(values, "172.24.100.7 " GW " fip-centralised cr-lrp-gw physnet1 "
                  "br-ex 0\n", 0);
    values_binding(values, "gw")->datapath.parts[3] = 2;
    check(values, "", 0);
    values_remove_binding(values, "gw");
    check(values, "", 0);
}

/* Runs the tests. */
int
main(void)
{
#define TEST(NAME)                                                      \
    cmocka_unit_test_setup_teardown(NAME, setup, values_teardown)
    static const struct CMUnitTest tests[] = {
        TEST(test_centralised),
        TEST(test_distributed),
        TEST(test_load_balancer),
        TEST(test_private_vip),
        TEST(test_two_gateways),
        TEST(test_gateway_router),
        TEST(test_sources),
        TEST(test_nowhere),
    };
#undef TEST

    return cmocka_run_group_tests_name("desired-facts", tests, NULL, NULL);
}
