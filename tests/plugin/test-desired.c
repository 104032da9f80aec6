/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of plugin/desired.c and plugin/desired-endpoints.c: which addresses
 * live on this chassis, and what is to be done for them.  Devices have their
 * own tests, test-desired-devices.c. */

#include <config.h>

#include "plugin/desired.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "packets.h"
#include "tests/plugin/values.h"
#include "util.h"

#define VM1 "fa:16:3e:bb:00:01"
#define VM2 "fa:16:3e:bb:00:02"
#define GW "fa:16:3e:77:7f:9c"
#define EXT "fa:16:3e:aa:00:03"

/* How often an order is tried. */
#define N_SHUFFLES 64

/* Checks that 'values' gives the endpoints 'expected', whatever the order of
 * rows; and 'n_problems' problems of class 'reason'. */
static void
check_problems(struct values *values, const char *expected,
               enum reason reason, size_t n_problems)
{
    for (int i = 0; i < N_SHUFFLES; i++) {
        struct desired *desired = values_derive(values);
        char *text = values_dump_endpoints(desired);

        assert_string_equal(text, expected);
        assert_int_equal(values_count_problems(&desired->problems, reason),
                         n_problems);
        free(text);
        desired_destroy(desired);
        values_shuffle(values);
    }
}

/* Checks that 'values' gives the endpoints 'expected' and no problem. */
static void
check(struct values *values, const char *expected)
{
    struct desired *desired = values_derive(values);

    for (size_t i = 0; i < desired->problems.n; i++) {
        fail_msg("%s", desired->problems.list[i].message);
    }
    desired_destroy(desired);
    check_problems(values, expected, REASON_NONE, 0);
}

/* Nothing in the Southbound, no endpoint. */
static void
test_empty(void **state)
{
    struct values *values = *state;

    check(values, "");
    values_remove_binding(values, "provnet-1");
    check(values, "");
}

/* A VM on a provider network has all its addresses; those that never come in
 * through a routed NIC are left out. */
static void
test_vm(void **state)
{
    struct values *values = *state;
    struct sb_binding *vm = values_add_vm(
        values, "vm1", 1, VM1 " 172.24.100.50 172.24.100.51 2001:db8:ff::50 "
        "2001:db8:fe::50 fe80::1 169.254.1.1");

    sset_add(&vm->macs, EXT " 172.24.100.52");
    sset_add(&vm->macs, "unknown");
    check(values,
          "172.24.100.50 "VM1" vm vm1 physnet1 br-ex 0\n"
          "172.24.100.51 "VM1" vm vm1 physnet1 br-ex 0\n"
          "172.24.100.52 "EXT" vm vm1 physnet1 br-ex 0\n"
          "2001:db8:fe::50 "VM1" vm vm1 physnet1 br-ex 0\n"
          "2001:db8:ff::50 "VM1" vm vm1 physnet1 br-ex 0\n");
}

/* A VM elsewhere, on a tenant network, or of a type that does not live
 * here. */
static void
test_not_here(void **state)
{
    struct values *values = *state;
    static const char *const types[] = {
        "localport", "external", "remote", "l2gateway", "l3gateway", "vtep",
        "localnet", "something-new",
    };

    values_add_vm(values, "elsewhere", 1, VM1 " 172.24.100.50")->here = false;
    values_add_vm(values, "tenant", 2, VM1 " 172.24.100.51");
    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        char *mac = xasprintf(VM2" 172.24.100.%"PRIuSIZE, 100 + i);
        char *name = xasprintf("port-%s", types[i]);
        struct sb_binding *binding
            = values_add_binding(values, types[i], name, 1);
        binding->here = true;
        sset_add_and_free(&binding->macs, mac);
        free(name);
    }
    check(values, "");
    values_binding(values, "elsewhere")->here = true;
    check(values, "172.24.100.50 "VM1" vm elsewhere physnet1 br-ex 0\n");
}

/* A port that OVN has not reported up waits. */
static void
test_down(void **state)
{
    struct values *values = *state;

    values_add_vm(values, "vm1", 1, VM1 " 172.24.100.50")->up = false;
    check(values, "172.24.100.50 "VM1" vm vm1 physnet1 br-ex 0 "
                  "port-down pending\n");
    values_binding(values, "vm1")->up = true;
    check(values, "172.24.100.50 "VM1" vm vm1 physnet1 br-ex 0\n");
}

/* A VM that migrates here is served from its activation on; its floating IP
 * follows the chassis column, as is_chassis_resident() does. */
static void
test_migration(void **state)
{
    struct values *values = *state;
    struct sb_binding *vm = values_add_vm(values, "vm1", 1,
                                          VM1 " 172.24.100.50");

    values_add_router(values, "gw", 1, GW, EXT " 172.24.100.112 "
                                       "is_chassis_resident(\"vm1\")");
    vm->here = false;
    vm->additional = true;
    check(values, "172.24.100.50 "VM1" vm vm1 physnet1 br-ex 0 "
                  "activation-pending pending\n");
    vm->activated = true;
    check(values, "172.24.100.50 "VM1" vm vm1 physnet1 br-ex 0\n");
    vm->additional = vm->activated = false;
    vm->here = true;
    check(values,
          "172.24.100.112 "EXT" fip-distributed vm1 physnet1 br-ex 0\n"
          "172.24.100.50 "VM1" vm vm1 physnet1 br-ex 0\n");
}

/* Distributed floating IPs live where their VMs are. */
static void
test_fip_distributed(void **state)
{
    struct values *values = *state;
    struct sb_binding *router = values_add_router(
        values, "gw", 1, GW, EXT " 172.24.100.112 "
        "is_chassis_resident(\"vm1\")");

    sset_add(&router->nat_addresses,
             VM2 " 172.24.100.113 is_chassis_resident(\"vm2\")");
    sset_add(&router->nat_addresses,
             VM2 " 172.24.100.114 is_chassis_resident(\"unheard-of\")");
    values_add_vm(values, "vm1", 2, VM1 " 10.0.0.1");
    values_add_vm(values, "vm2", 2, VM2 " 10.0.0.2")->here = false;
    check(values, "172.24.100.112 "EXT" fip-distributed vm1 physnet1 br-ex "
                  "0\n");

    values_binding(values, "vm1")->up = false;
    check(values, "172.24.100.112 "EXT" fip-distributed vm1 physnet1 br-ex 0 "
                  "port-down pending\n");
}

/* A virtual port is where its parent is, and has the parent's MAC. */
static void
test_virtual(void **state)
{
    struct values *values = *state;
    struct sb_binding *vip = values_add_binding(values, "virtual", "vip", 1);

    sset_add(&vip->macs, VM2 " 172.24.100.60");
    values_add_vm(values, "vm1", 1, VM1 " 172.24.100.50");
    check(values, "172.24.100.50 "VM1" vm vm1 physnet1 br-ex 0\n");
    vip->here = true;
    check(values, "172.24.100.50 "VM1" vm vm1 physnet1 br-ex 0\n");
    vip->virtual_parent = xstrdup("vm1");
    check(values,
          "172.24.100.50 "VM1" vm vm1 physnet1 br-ex 0\n"
          "172.24.100.60 "VM1" vm vip physnet1 br-ex 0\n");
    values_binding(values, "vm1")->here = false;
    check(values, "");
}

/* Addresses that a VM may use but that are not its own are shown, and stay
 * with OVN until a virtual port or a VM of its own tells where they are. */
static void
test_allowed(void **state)
{
    struct values *values = *state;
    struct sb_binding *vm = values_add_vm(values, "vm1", 1,
                                          VM1 " 172.24.100.50");
    struct sb_binding *other = values_add_vm(values, "vm2", 1,
                                             VM2 " 172.24.100.51");

    sset_add(&vm->port_security, VM1 " 172.24.100.50 172.24.100.70/24 10.0.0."
             "0/8 fd00::/64 2001:db8::70");
    sset_add(&vm->port_security, "VRRPv3 " VM1 " " VM2 " 172.24.100.80");
    sset_add(&vm->port_security, VM2);
    sset_add(&other->port_security, VM2 " 172.24.100.70");
    check(values,
          "172.24.100.50 "VM1" vm vm1 physnet1 br-ex 0\n"
          "172.24.100.51 "VM2" vm vm2 physnet1 br-ex 0\n"
          "172.24.100.70 "VM1" vm vm1 physnet1 br-ex 0 allowed-pair\n"
          "2001:db8::70 "VM1" vm vm1 physnet1 br-ex 0 allowed-pair\n");

    struct sb_binding *vip = values_add_binding(values, "virtual", "vip", 1);
    sset_add(&vip->macs, "fa:16:3e:cc:00:01 172.24.100.70");
    vip->here = true;
    vip->virtual_parent = xstrdup("vm2");
    sset_add(&other->macs, "fa:16:3e:bb:00:0a 2001:db8::70");
    check(values,
          "172.24.100.50 "VM1" vm vm1 physnet1 br-ex 0\n"
          "172.24.100.51 "VM2" vm vm2 physnet1 br-ex 0\n"
          "172.24.100.70 "VM2" vm vip physnet1 br-ex 0\n"
          "2001:db8::70 fa:16:3e:bb:00:0a vm vm2 physnet1 br-ex 0\n");
}

/* Where a gateway router is: the addresses of its port on the provider network
 * and those that it translates; elsewhere none.  Its other ports, and being
 * reported up, do not matter. */
static void
test_gateway_router(void **state)
{
    struct values *values = *state;
    struct sb_binding *sw = values_add_binding(values, "l3gateway", "gr", 1);
    struct sb_binding *router = values_add_binding(values, "l3gateway",
                                                   "lrp-gr", 9);
    struct sb_binding *inside = values_add_binding(values, "l3gateway",
                                                   "lrp-in", 9);

    sw->peer = xstrdup("lrp-gr");
    sset_add(&sw->macs, "router");
    sset_add(&sw->nat_addresses, GW " 172.24.100.131");
    sset_add(&sw->nat_addresses, GW " 172.24.100.30");
    sset_add(&router->macs, GW " 172.24.100.30/24 2001:db8:ff::30/64");
    router->peer = xstrdup("gr");
    sset_add(&inside->macs, GW " 10.3.0.1/24");
    sw->here = router->here = inside->here = true;
    sw->up = router->up = inside->up = false;
    check(values,
          "172.24.100.131 "GW" fip-centralised gr physnet1 br-ex 0\n"
          "172.24.100.30 "GW" router lrp-gr physnet1 br-ex 0\n"
          "2001:db8:ff::30 "GW" router lrp-gr physnet1 br-ex 0\n");

    sw->here = router->here = inside->here = false;
    check(values, "");
}

/* Where the gateway port is resident: centralised floating IPs, SNAT, and the
 * router's own addresses of both families; elsewhere none of them. */
static void
test_gateway(void **state)
{
    struct values *values = *state;
    struct sb_binding *router = values_add_router(
        values, "gw", 1, GW " 172.24.100.229/24 2001:db8:ff::229/64",
        GW " 172.24.100.114 172.24.100.113 "
        "is_chassis_resident(\"cr-lrp-gw\")");

    sset_add(&router->nat_addresses,
             GW " 172.24.100.229 is_chassis_resident(\"cr-lrp-gw\")");
    check(values,
          "172.24.100.113 "GW" fip-centralised cr-lrp-gw physnet1 br-ex 0\n"
          "172.24.100.114 "GW" fip-centralised cr-lrp-gw physnet1 br-ex 0\n"
          "172.24.100.229 "GW" router cr-lrp-gw physnet1 br-ex 0\n"
          "2001:db8:ff::229 "GW" router cr-lrp-gw physnet1 br-ex 0\n");

    /* 'up' of a gateway port says nothing before OVN 22. */
    values_binding(values, "cr-lrp-gw")->up = false;
    check(values,
          "172.24.100.113 "GW" fip-centralised cr-lrp-gw physnet1 br-ex 0\n"
          "172.24.100.114 "GW" fip-centralised cr-lrp-gw physnet1 br-ex 0\n"
          "172.24.100.229 "GW" router cr-lrp-gw physnet1 br-ex 0\n"
          "2001:db8:ff::229 "GW" router cr-lrp-gw physnet1 br-ex 0\n");

    values_binding(values, "cr-lrp-gw")->here = false;
    check(values, "");
}

/* A gateway port without nat_addresses, or whose switch port is not known, or
 * on a network that is no provider network. */
static void
test_gateway_alone(void **state)
{
    struct values *values = *state;

    values_add_router(values, "gw", 1, GW " 172.24.100.229/24", NULL);
    values_add_router(values, "inner", 2, VM1 " 172.24.100.1/24",
                      VM1 " 172.24.100.2 is_chassis_resident(\"cr-lrp-gw\")");
    check(values, "172.24.100.229 "GW" router cr-lrp-gw physnet1 br-ex 0\n");
    values_remove_binding(values, "gw");
    check(values, "");
}

/* What a patch port says without naming a residence is not meant for us; nor
 * is it read in other types. */
static void
test_nat_without_residence(void **state)
{
    struct values *values = *state;
    struct sb_binding *router = values_add_router(values, "gw", 1, GW,
                                                  GW " 172.24.100.241");

    sset_add(&router->nat_addresses, "router");
    check(values, "");
    sset_add(&values_add_vm(values, "vm1", 1, VM1)->nat_addresses,
             GW " 172.24.100.242 is_chassis_resident(\"vm1\")");
    check(values, "");
}

/* A tagged network's tag is pushed; a tag that no wire carries is not. */
static void
test_vlan(void **state)
{
    struct values *values = *state;
    static const struct {
        int tag;                /* Of the localnet port. */
        const char *expected;   /* Endpoints. */
    } cases[] = {
        { -1, "172.24.100.50 "VM1" vm vm1 physnet1 br-ex 0\n" },
        { 0, "172.24.100.50 "VM1" vm vm1 physnet1 br-ex 0\n" },
        { 1, "172.24.100.50 "VM1" vm vm1 physnet1 br-ex 1\n" },
        { 4094, "172.24.100.50 "VM1" vm vm1 physnet1 br-ex 4094\n" },
        { 4095, "172.24.100.50 "VM1" vm vm1 physnet1 br-ex 0 bad-value\n" },
    };

    values_add_vm(values, "vm1", 1, VM1 " 172.24.100.50");
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        values_binding(values, "provnet-1")->tag = cases[i].tag;
        check(values, cases[i].expected);
    }
}

/* Several networks, bridges and tags at once do not mix. */
static void
test_networks(void **state)
{
    struct values *values = *state;

    values_set(values, "ovn-bridge-mappings",
               "physnet1:br-ex,physnet2:br-two,physnet3:br-ex");
    values_add_bridge(values, "br-two", true);
    values_add_localnet(values, "provnet-2", "physnet2", 2, 200);
    values_add_localnet(values, "provnet-3", "physnet3", 3, 300);
    values_add_vm(values, "vm1", 1, VM1 " 172.24.100.1");
    values_add_vm(values, "vm2", 2, VM1 " 172.24.100.2");
    values_add_vm(values, "vm3", 3, VM1 " 172.24.100.3");
    values_add_router(values, "gw", 2, GW " 192.0.2.1/24", EXT " 192.0.2.9 "
                                       "is_chassis_resident(\"vm3\")");
    check(values,
          "172.24.100.1 "VM1" vm vm1 physnet1 br-ex 0\n"
          "172.24.100.2 "VM1" vm vm2 physnet2 br-two 200\n"
          "172.24.100.3 "VM1" vm vm3 physnet3 br-ex 300\n"
          "192.0.2.1 "GW" router cr-lrp-gw physnet2 br-two 200\n"
          "192.0.2.9 "EXT" fip-distributed vm3 physnet2 br-two 200\n");
}

/* Of several localnet ports of one datapath the one counts that is mapped to a
 * bridge that exists; else the smallest name. */
static void
test_localnets(void **state)
{
    struct values *values = *state;

    values_add_vm(values, "vm1", 1, VM1 " 172.24.100.1");
    values_add_localnet(values, "provnet-0", "elsewhere", 1, 10);
    values_add_localnet(values, "provnet-9", NULL, 1, 90);
    check(values, "172.24.100.1 "VM1" vm vm1 physnet1 br-ex 0\n");

    values_add_localnet(values, "provnet-00", "physnet1", 1, 20);
    check(values, "172.24.100.1 "VM1" vm vm1 physnet1 br-ex 20\n");

    values_set(values, "ovn-bridge-mappings",
               "physnet1:br-ex,elsewhere:br-missing");
    check_problems(values, "172.24.100.1 "VM1" vm vm1 physnet1 br-ex 20\n",
                   REASON_NO_BRIDGE, 1);

    values_set(values, "ovn-bridge-mappings", "elsewhere:br-missing");
    check_problems(values, "172.24.100.1 "VM1" vm vm1 elsewhere br-missing 10 "
                           "no-bridge\n", REASON_NO_BRIDGE, 1);
}

/* A network that is not mapped, or to a bridge that does not exist, or that
 * has no name. */
static void
test_no_bridge(void **state)
{
    struct values *values = *state;

    values_add_localnet(values, "provnet-2", "physnet2", 2, -1);
    values_add_localnet(values, "provnet-3", "physnet3", 3, -1);
    values_add_localnet(values, "provnet-4", NULL, 4, -1);
    values_add_vm(values, "vm2", 2, VM1 " 172.24.100.2");
    values_add_vm(values, "vm3", 3, VM1 " 172.24.100.3");
    values_add_vm(values, "vm4", 4, VM1 " 172.24.100.4");
    values_set(values, "ovn-bridge-mappings",
               "physnet1:br-ex,physnet3:br-missing");
    check_problems(values,
                   "172.24.100.2 "VM1" vm vm2 physnet2 - 0 no-mapping\n"
                   "172.24.100.3 "VM1" vm vm3 physnet3 br-missing 0 "
                   "no-bridge\n"
                   "172.24.100.4 "VM1" vm vm4 - - 0 no-mapping\n",
                   REASON_NO_BRIDGE, 1);
}

/* A network that OVN has plugged into another bridge than the mapping names
 * waits for OVN, unless it is plugged in nowhere yet. */
static void
test_plugged_elsewhere(void **state)
{
    struct values *values = *state;

    values_add_bridge(values, "br-two", true);
    values_add_vm(values, "vm1", 1, VM1 " 172.24.100.1");
    values_plug(values, "br-two", "provnet-9");
    check(values, "172.24.100.1 "VM1" vm vm1 physnet1 br-ex 0\n");
    values_plug(values, "br-two", "provnet-1");
    check(values, "172.24.100.1 "VM1" vm vm1 physnet1 br-ex 0 "
                  "plugged-elsewhere pending\n");
    values_unplug(values, "provnet-1");
    values_plug(values, "br-ex", "provnet-1");
    check(values, "172.24.100.1 "VM1" vm vm1 physnet1 br-ex 0\n");
}

/* Excluded by address, of either family and spelling, and by port. */
static void
test_excluded(void **state)
{
    struct values *values = *state;

    values_set(values, "ovn-xdp-exclude",
               "172.24.100.50,2001:DB8:0::50,vm2,cr-lrp-gw");
    values_add_vm(values, "vm1", 1, VM1 " 172.24.100.50 2001:db8::50 "
                                    "172.24.100.51");
    values_add_vm(values, "vm2", 2, VM2 " 10.0.0.1");
    sset_add(&values_add_router(values, "gw", 1, GW " 172.24.100.229/24",
                                EXT " 172.24.100.112 "
                                "is_chassis_resident(\"vm2\")")
             ->nat_addresses,
             GW " 172.24.100.114 is_chassis_resident(\"cr-lrp-gw\")");
    check(values,
          "172.24.100.112 "EXT" fip-distributed vm2 physnet1 br-ex 0 "
          "excluded\n"
          "172.24.100.114 "GW" fip-centralised cr-lrp-gw physnet1 br-ex 0 "
          "excluded\n"
          "172.24.100.229 "GW" router cr-lrp-gw physnet1 br-ex 0 excluded\n"
          "172.24.100.50 "VM1" vm vm1 physnet1 br-ex 0 excluded\n"
          "172.24.100.51 "VM1" vm vm1 physnet1 br-ex 0\n"
          "2001:db8::50 "VM1" vm vm1 physnet1 br-ex 0 excluded\n");
}

/* A string that cannot be read is a problem, and does not spoil others. */
static void
test_malformed(void **state)
{
    struct values *values = *state;
    struct sb_binding *vm = values_add_vm(values, "vm1", 1,
                                          VM1 " 172.24.100.256");
    struct sb_binding *router;

    sset_add(&vm->macs, "fa:16:3e 172.24.100.1");
    sset_add(&vm->macs, VM1 " 172.24.100.50");
    router = values_add_router(values, "gw", 1, GW " 172.24.100.229/24/24",
                               "nonsense");
    sset_add(&router->nat_addresses,
             GW " 172.24.100.114 is_chassis_resident(\"cr-lrp-gw\")");
    check_problems(
        values,
        "172.24.100.114 "GW" fip-centralised cr-lrp-gw physnet1 br-ex 0\n"
        "172.24.100.50 "VM1" vm vm1 physnet1 br-ex 0\n",
        REASON_BAD_ADDRESS, 4);
}

/* Two rows that claim an address with the same answer agree, and the same of
 * them is shown whatever their order. */
static void
test_duplicates_agree(void **state)
{
    struct values *values = *state;

    values_add_vm(values, "vm2", 1, VM1 " 172.24.100.50");
    values_add_vm(values, "vm1", 1, VM1 " 172.24.100.50");
    values_add_vm(values, "vm3", 1, VM1 " 172.24.100.50");
    check(values, "172.24.100.50 "VM1" vm vm1 physnet1 br-ex 0\n");

    /* A router's own address is that, though it is announced for NAT too. */
    values_add_router(values, "gw", 1, VM1 " 172.24.100.50/24",
                      VM1 " 172.24.100.50 is_chassis_resident(\"vm1\")");
    check(values, "172.24.100.50 "VM1" router cr-lrp-gw physnet1 br-ex 0\n");
}

/* Two rows that claim an address with different answers: MAC, tag, bridge. */
static void
test_duplicates_differ(void **state)
{
    struct values *values = *state;

    values_add_vm(values, "vm2", 1, VM2 " 172.24.100.50");
    values_add_vm(values, "vm1", 1, VM1 " 172.24.100.50 172.24.100.51");
    check_problems(values,
                   "172.24.100.50 "VM1" vm vm1 physnet1 br-ex 0 "
                   "duplicate-address\n"
                   "172.24.100.51 "VM1" vm vm1 physnet1 br-ex 0\n",
                   REASON_DUPLICATE_ADDRESS, 1);

    /* A third one that agrees with one of them does not decide it. */
    values_add_vm(values, "vm0", 1, VM2 " 172.24.100.50");
    check_problems(values,
                   "172.24.100.50 "VM2" vm vm0 physnet1 br-ex 0 "
                   "duplicate-address\n"
                   "172.24.100.51 "VM1" vm vm1 physnet1 br-ex 0\n",
                   REASON_DUPLICATE_ADDRESS, 1);

    /* Another tag, another bridge. */
    values_add_localnet(values, "provnet-2", "physnet1", 2, 7);
    values_add_vm(values, "vm3", 2, VM1 " 172.24.100.51");
    check_problems(values,
                   "172.24.100.50 "VM2" vm vm0 physnet1 br-ex 0 "
                   "duplicate-address\n"
                   "172.24.100.51 "VM1" vm vm1 physnet1 br-ex 0 "
                   "duplicate-address\n",
                   REASON_DUPLICATE_ADDRESS, 2);
}

/* The message about a duplicate names both ports, always in one order. */
static void
test_duplicate_message(void **state)
{
    struct values *values = *state;

    values_add_vm(values, "vm2", 1, VM2 " 172.24.100.50");
    values_add_vm(values, "vm1", 1, VM1 " 172.24.100.50");
    for (int i = 0; i < N_SHUFFLES; i++) {
        struct desired *desired = values_derive(values);

        assert_int_equal(desired->problems.n, 1);
        assert_string_equal(desired->problems.list[0].message,
                            "172.24.100.50 is claimed by ports vm1 and vm2");
        desired_destroy(desired);
        values_shuffle(values);
    }
}

/* One port that has an address behind several MACs contradicts itself. */
static void
test_duplicate_within_port(void **state)
{
    struct values *values = *state;
    struct sb_binding *vm = values_add_vm(values, "vm1", 1,
                                          "02:00:00:00:00:09 172.24.100.50");

    for (int i = 8; i > 0; i--) {
        sset_add_and_free(&vm->macs, xasprintf("02:00:00:00:00:%02x "
                                               "172.24.100.50", i));
    }
    check_problems(values, "172.24.100.50 02:00:00:00:00:01 vm vm1 physnet1 "
                           "br-ex 0 duplicate-address\n",
                   REASON_DUPLICATE_ADDRESS, 1);
}

/* A claim that works counts before one that does not yet, and that before one
 * that cannot. */
static void
test_duplicate_ranks(void **state)
{
    struct values *values = *state;
    struct sb_binding *vm1, *vm2, *vm3;

    values_add_localnet(values, "provnet-2", "unmapped", 2, -1);
    vm1 = values_add_vm(values, "vm1", 2, VM1 " 172.24.100.50");
    check(values, "172.24.100.50 "VM1" vm vm1 unmapped - 0 no-mapping\n");
    vm2 = values_add_vm(values, "vm2", 1, VM2 " 172.24.100.50");
    vm2->up = false;
    check(values, "172.24.100.50 "VM2" vm vm2 physnet1 br-ex 0 "
                  "port-down pending\n");
    vm3 = values_add_vm(values, "vm3", 1, EXT " 172.24.100.50");
    check(values, "172.24.100.50 "EXT" vm vm3 physnet1 br-ex 0\n");

    /* Neither works: the smaller name is shown, with its own reason. */
    vm3->up = false;
    check(values, "172.24.100.50 "VM2" vm vm2 physnet1 br-ex 0 "
                  "port-down pending\n");
    vm2->here = false;
    vm3->here = false;
    check(values, "172.24.100.50 "VM1" vm vm1 unmapped - 0 no-mapping\n");
    vm1->here = false;
    check(values, "");
}

/* An excluded port's address is offloaded for nobody, with its own reason. */
static void
test_duplicate_excluded(void **state)
{
    struct values *values = *state;

    values_set(values, "ovn-xdp-exclude", "vm2");
    values_add_vm(values, "vm1", 1, VM1 " 172.24.100.50 172.24.100.51");
    values_add_vm(values, "vm2", 1, VM2 " 172.24.100.50");
    check(values,
          "172.24.100.50 "VM1" vm vm1 physnet1 br-ex 0 excluded\n"
          "172.24.100.51 "VM1" vm vm1 physnet1 br-ex 0\n");
    values_set(values, "ovn-xdp-exclude", NULL);
    check_problems(values,
                   "172.24.100.50 "VM1" vm vm1 physnet1 br-ex 0 "
                   "duplicate-address\n"
                   "172.24.100.51 "VM1" vm vm1 physnet1 br-ex 0\n",
                   REASON_DUPLICATE_ADDRESS, 1);
}

/* What neither works nor passes by itself is settled in any order, too. */
static void
test_duplicate_hopeless(void **state)
{
    struct values *values = *state;

    values_add_localnet(values, "provnet-2", "unmapped", 2, -1);
    values_add_localnet(values, "provnet-3", "physnet1", 3, 4095);
    values_add_vm(values, "vm2", 2, VM2 " 172.24.100.50");
    values_add_vm(values, "vm1", 3, VM1 " 172.24.100.50");
    check(values, "172.24.100.50 "VM1" vm vm1 physnet1 br-ex 0 bad-value\n");
}

/* What the datapath is to do, and that the result outlives its sources. */
static void
test_action(void **state)
{
    struct values *values = *state;
    const struct netdev_info bridge = *values_device(values, "br-ex");
    struct dp_key key = values_key("172.24.100.50");
    const struct desired_endpoint *ep;
    struct desired *desired;
    struct dp_action action;
    struct eth_addr vm;

    values_binding(values, "provnet-1")->tag = 7;
    values_add_vm(values, "vm1", 1, VM1 " 172.24.100.50");
    values_add_vm(values, "vm2", 1, VM1 " 172.24.100.51")->up = false;
    desired = values_derive(values);
    values_destroy(values);
    values_init(values);

    ep = desired_find_endpoint(desired, &key);
    assert_non_null(ep);
    assert_true(desired_endpoint_action(ep, &action));
    assert_true(eth_addr_from_string(VM1, &vm));
    assert_true(eth_addr_equals(action.dmac, vm));
    assert_true(eth_addr_equals(action.smac, bridge.mac));
    assert_int_equal(action.vlan, 7);
    assert_int_equal(action.ifindex, bridge.ifindex);
    assert_int_equal(action.mtu, bridge.mtu);
    assert_true(action.target_sg);
    assert_int_equal(action.bridge, bridge.ifindex);

    key.vlan = 7;
    assert_null(desired_find_endpoint(desired, &key));
    key = values_key("172.24.100.51");
    ep = desired_find_endpoint(desired, &key);
    assert_non_null(ep);
    assert_false(desired_endpoint_action(ep, &action));
    key = values_key("172.24.100.52");
    assert_null(desired_find_endpoint(desired, &key));
    desired_destroy(desired);
}

/* While its target is missing an endpoint stays, with target 0, and no frame
 * is too much for it: a frame that passes is to have the right reason. */
static void
test_target_missing(void **state)
{
    struct values *values = *state;
    struct dp_key key = values_key("172.24.100.50");
    struct dp_action action;
    struct desired *desired;

    values_add_vm(values, "vm1", 1, VM1 " 172.24.100.50");
    values_remove_device(values, "br-ex");
    desired = values_derive(values);
    assert_true(desired_endpoint_action(desired_find_endpoint(desired, &key),
                                        &action));
    assert_int_equal(action.ifindex, 0);
    assert_int_equal(action.mtu, UINT16_MAX);
    assert_true(action.target_sg);
    desired_destroy(desired);

    values_add_device(values, "br-ex", "tun");
    desired = values_derive(values);
    assert_true(desired_endpoint_action(desired_find_endpoint(desired, &key),
                                        &action));
    assert_int_equal(action.ifindex, values_device(values, "br-ex")->ifindex);
    desired_destroy(desired);
}

/* The words for kinds are those of the contract. */
static void
test_kinds(void **state OVS_UNUSED)
{
    assert_string_equal(endpoint_kind_to_string(ENDPOINT_VM), "vm");
    assert_string_equal(endpoint_kind_to_string(ENDPOINT_FIP_DISTRIBUTED),
                        "fip-distributed");
    assert_string_equal(endpoint_kind_to_string(ENDPOINT_FIP_CENTRALISED),
                        "fip-centralised");
    assert_string_equal(endpoint_kind_to_string(ENDPOINT_ROUTER), "router");
    desired_destroy(NULL);
}

/* Runs the tests. */
int
main(void)
{
#define TEST(NAME)                                                      \
    cmocka_unit_test_setup_teardown(NAME, values_setup, values_teardown)
    static const struct CMUnitTest tests[] = {
        TEST(test_empty),
        TEST(test_vm),
        TEST(test_not_here),
        TEST(test_down),
        TEST(test_migration),
        TEST(test_fip_distributed),
        TEST(test_gateway),
        TEST(test_gateway_router),
        TEST(test_virtual),
        TEST(test_allowed),
        TEST(test_gateway_alone),
        TEST(test_nat_without_residence),
        TEST(test_vlan),
        TEST(test_networks),
        TEST(test_localnets),
        TEST(test_no_bridge),
        TEST(test_plugged_elsewhere),
        TEST(test_excluded),
        TEST(test_malformed),
        TEST(test_duplicates_agree),
        TEST(test_duplicates_differ),
        TEST(test_duplicate_message),
        TEST(test_duplicate_within_port),
        TEST(test_duplicate_ranks),
        TEST(test_duplicate_excluded),
        TEST(test_duplicate_hopeless),
        TEST(test_action),
        TEST(test_target_missing),
        TEST(test_kinds),
    };
#undef TEST

    return cmocka_run_group_tests_name("desired", tests, NULL, NULL);
}
