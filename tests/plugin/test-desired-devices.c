/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of plugin/desired-devices.c: which NICs are attached to, in which
 * mode, and how redirected frames enter the bridges. */

#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "packets.h"
#include "plugin/desired.h"
#include "tests/plugin/values.h"
#include "util.h"

/* Any value, in a table. */
#define ANY 2

/* Checks that 'values' gives the 'interfaces' and 'bridges', either unless it
 * is NULL, and 'n_problems' problems.  Returns the derivation. */
static struct desired *
derive(const struct values *values, const char *interfaces,
       const char *bridges, size_t n_problems)
{
    struct desired *desired = values_derive(values);

    if (interfaces) {
        char *text = values_dump_interfaces(desired);
        assert_string_equal(text, interfaces);
        free(text);
    }
    if (bridges) {
        char *text = values_dump_bridges(desired);
        assert_string_equal(text, bridges);
        free(text);
    }
    if (desired->problems.n != n_problems) {
        for (size_t i = 0; i < desired->problems.n; i++) {
            print_message("%s\n", desired->problems.list[i].message);
        }
    }
    assert_int_equal(desired->problems.n, n_problems);
    return desired;
}

/* As derive(), without a result. */
static void
check(const struct values *values, const char *interfaces,
      const char *bridges, size_t n_problems)
{
    desired_destroy(derive(values, interfaces, bridges, n_problems));
}

/* Checks that the only problem of 'values' is of class 'reason' and names
 * 'word'. */
static void
check_problem(const struct values *values, enum reason reason,
              const char *word)
{
    struct desired *desired = derive(values, NULL, NULL, 1);

    assert_int_equal(desired->problems.list[0].class, reason);
    assert_non_null(strstr(desired->problems.list[0].message, word));
    desired_destroy(desired);
}

#define NATIVE "eth1 routed attach native\n"
#define GENERIC "eth1 routed attach generic\n"
#define NO_NATIVE "eth1 routed refused no-native\n"
#define OWN "br-ex tap br-ex ready\n"
#define OWN_NOT "br-ex tap br-ex not-ready no-ndo-xmit\n"
#define PORT "br-ex veth xdpo-br-ex port not-ready port-pending\n"
#define PORT_READY "br-ex veth xdpo-br-ex port ready\n"

/* Every setting with every kind of device. */
static const struct row {
    enum settings_mode mode;    /* ovn-xdp-mode. */
    enum settings_port port;    /* ovn-xdp-bridge-port. */
    int native;                 /* The NIC runs XDP natively, or ANY. */
    int xmit;                   /* The bridge takes native frames, or ANY. */
    const char *interfaces;     /* What comes out. */
    const char *bridges;
    size_t n_problems;
} matrix[] = {
    { MODE_AUTO, PORT_AUTO, true, true, NATIVE, OWN, 0 },
    { MODE_AUTO, PORT_AUTO, true, false, NATIVE, PORT, 1 },
    { MODE_AUTO, PORT_AUTO, false, ANY, GENERIC, OWN, 1 },
    { MODE_AUTO, PORT_INTERNAL, true, true, NATIVE, OWN, 0 },
    { MODE_AUTO, PORT_INTERNAL, true, false, GENERIC, OWN, 1 },
    { MODE_AUTO, PORT_INTERNAL, false, ANY, GENERIC, OWN, 1 },
    { MODE_AUTO, PORT_VETH, true, ANY, NATIVE, PORT, 1 },
    { MODE_AUTO, PORT_VETH, false, ANY, GENERIC, PORT, 2 },
    { MODE_NATIVE, PORT_AUTO, true, true, NATIVE, OWN, 0 },
    { MODE_NATIVE, PORT_AUTO, true, false, NATIVE, PORT, 1 },
    { MODE_NATIVE, PORT_AUTO, false, ANY, NO_NATIVE, OWN, 1 },
    { MODE_NATIVE, PORT_INTERNAL, true, true, NATIVE, OWN, 0 },
    { MODE_NATIVE, PORT_INTERNAL, true, false, NATIVE, OWN_NOT, 1 },
    { MODE_NATIVE, PORT_INTERNAL, false, ANY, NO_NATIVE, OWN, 1 },
    { MODE_NATIVE, PORT_VETH, true, ANY, NATIVE, PORT, 1 },
    { MODE_NATIVE, PORT_VETH, false, ANY, NO_NATIVE,
      "br-ex veth xdpo-br-ex not-ready port-pending\n", 2 },
    { MODE_GENERIC, PORT_AUTO, ANY, ANY, GENERIC, OWN, 1 },
    { MODE_GENERIC, PORT_INTERNAL, ANY, ANY, GENERIC, OWN, 1 },
    { MODE_GENERIC, PORT_VETH, ANY, ANY, GENERIC, PORT, 2 },
};

/* Sets 'values' up for 'row', with 'native' and 'xmit' for ANY. */
static void
set_row(struct values *values, const struct row *row, bool native, bool xmit)
{
    values_set(values, "ovn-xdp-mode", settings_mode_to_string(row->mode));
    values_set(values, "ovn-xdp-bridge-port",
               settings_port_to_string(row->port));
    values_device(values, "eth1")->native = native;
    values_device(values, "br-ex")->ndo_xmit = xmit;
}

/* Returns the row of the matrix for the given values. */
static const struct row *
find_row(int mode, int port, int native, int xmit)
{
    const struct row *found = NULL;

    for (size_t i = 0; i < ARRAY_SIZE(matrix); i++) {
        const struct row *row = &matrix[i];
        if (row->mode == mode && row->port == port
            && (row->native == ANY || row->native == native)
            && (row->xmit == ANY || row->xmit == xmit)) {
            assert_null(found);
            found = row;
        }
    }
    assert_non_null(found);
    return found;
}

/* The matrix before the managed port exists, and after. */
static void
test_matrix(void **state)
{
    struct values *values = *state;

    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 36; i++) {
            int mode = i / 12, port = i / 4 % 3;
            int native = i / 2 % 2, xmit = i % 2;
            const struct row *row = find_row(mode, port, native, xmit);
            bool pending = !strcmp(row->bridges, PORT);
            bool refused = !strcmp(row->interfaces, NO_NATIVE);
            struct desired *desired;

            set_row(values, row, native, xmit);
            if (!round) {
                check(values, row->interfaces, row->bridges, row->n_problems);
                continue;
            }

            /* Once it is there, what waited for it is ready.  A refused NIC
             * keeps it, unless it may not be used. */
            bool kept = refused && port != PORT_INTERNAL;
            desired = derive(values, row->interfaces,
                             pending || kept ? PORT_READY : row->bridges,
                             row->n_problems
                             - (pending || (kept && port == PORT_VETH)));
            if (pending) {
                const struct netdev_info *outer
                    = values_device(values, "xdpo-br-ex");
                const struct desired_bridge *bridge = &desired->bridges[0];

                assert_int_equal(bridge->ifindex, outer->ifindex);
                assert_true(eth_addr_equals(bridge->mac, outer->mac));
                assert_int_equal(bridge->mtu, outer->mtu);
            }
            desired_destroy(desired);
        }
        if (!round) {
            values_add_managed_port(values, "br-ex");
        }
    }
}

/* What is attached to is described whole. */
static void
test_nic(void **state)
{
    struct values *values = *state;
    const struct netdev_info *dev = values_device(values, "eth1");
    struct desired *desired = derive(values, NATIVE, OWN, 0);
    const struct desired_interface *iface = &desired->interfaces[0];

    assert_string_equal(iface->nic.name, "eth1");
    assert_int_equal(iface->nic.ifindex, dev->ifindex);
    assert_int_equal(iface->ifindex, dev->ifindex);
    assert_true(eth_addr_equals(iface->nic.mac, dev->mac));
    assert_null(iface->detail);
    desired_destroy(desired);
}

/* The kinds of a bridge's own device. */
static void
test_kind(void **state)
{
    struct values *values = *state;
    struct desired *desired;

    values_set(values, "ovn-bridge-mappings", "a:br-ex,b:br-kernel,c:br-ex");
    values_set(values, "ovn-xdp-mode", "generic");
    values_add_bridge(values, "br-kernel", false);
    desired = derive(values, GENERIC, OWN "br-kernel internal br-kernel "
                                          "ready\n", 1);
    assert_true(desired->bridges[0].userspace);
    assert_false(desired->bridges[1].userspace);
    assert_true(desired->bridges[0].sg);
    assert_false(desired->bridges[1].sg);
    desired_destroy(desired);

    /* Natively only one of the two needs the managed port. */
    values_set(values, "ovn-xdp-mode", "native");
    values_add_managed_port(values, "br-kernel");
    check(values, NATIVE, OWN "br-kernel veth xdpo-br-kernel port ready\n", 0);
}

/* A target that does not exist or is down. */
static void
test_target(void **state)
{
    struct values *values = *state;

    values_device(values, "br-ex")->up = false;
    check(values, NATIVE, "br-ex tap br-ex not-ready link-down\n", 1);
    check_problem(values, REASON_LINK_DOWN, "br-ex");
    values_device(values, "br-ex")->up = true;
    values_device(values, "br-ex")->running = false;
    check(values, NATIVE, "br-ex tap br-ex not-ready link-down\n", 1);
    values_remove_device(values, "br-ex");
    check(values, NATIVE, "br-ex internal br-ex not-ready no-device\n", 1);

    values_set(values, "ovn-bridge-mappings", "physnet1:br-none");
    check(values, NATIVE, "br-none internal - not-ready no-bridge\n", 1);
    check_problem(values, REASON_NO_BRIDGE, "br-none");

    /* A device of that name alone is no bridge, and decides nothing. */
    values_add_device(values, "br-none", "bridge")->ndo_xmit = false;
    values_set(values, "ovn-xdp-bridge-port", "internal");
    check(values, NATIVE, "br-none internal - not-ready no-bridge\n", 1);
    values_set(values, "ovn-bridge-mappings", NULL);
    check(values, NATIVE, "", 0);
}

/* What the managed port needs before frames are sent there. */
static void
test_port_pending(void **state)
{
    struct values *values = *state;
    struct netdev_info *outer;

    values_set(values, "ovn-xdp-bridge-port", "veth");
    check(values, NATIVE, PORT, 1);
    values_add_port(values, "br-ex", "xdpi-br-ex", "", "br-ex");
    check(values, NATIVE, PORT, 1);
    outer = values_add_device(values, "xdpo-br-ex", "veth");
    check(values, NATIVE, PORT_READY, 0);

    outer->ndo_xmit = false;
    check(values, NATIVE, PORT, 1);
    outer->ndo_xmit = true;
    outer->up = false;
    check(values, NATIVE, PORT, 1);
    outer->up = true;
    outer->running = false;
    check(values, NATIVE, PORT, 1);
    outer->running = true;
    values_iface(values, "xdpi-br-ex")->ofport = 0;
    check(values, NATIVE, PORT, 1);
    values_iface(values, "xdpi-br-ex")->ofport = -1;
    check(values, NATIVE, PORT, 1);
    values_iface(values, "xdpi-br-ex")->ofport = 7;
    check(values, NATIVE, PORT_READY, 0);
}

/* A port of that name that is not ours is not used. */
static void
test_port_unmarked(void **state)
{
    struct values *values = *state;

    values_set(values, "ovn-xdp-bridge-port", "veth");
    values_add_device(values, "xdpo-br-ex", "veth");
    values_add_port(values, "br-ex", "xdpi-br-ex", "", NULL);
    check(values, NATIVE, PORT, 1);
}

/* A managed port that cannot be made: generic mode instead, where both are
 * chosen by us; else a reason. */
static void
test_port_failed(void **state)
{
    struct values *values = *state;

    values_device(values, "br-ex")->ndo_xmit = false;
    sset_add(&values->port_failed, "br-ex");
    check(values, GENERIC, OWN, 1);
    check_problem(values, REASON_GENERIC_MODE, "eth1");

    values_set(values, "ovn-xdp-mode", "native");
    check(values, NATIVE, "br-ex veth xdpo-br-ex port not-ready "
                          "port-failed\n", 1);
    values_set(values, "ovn-xdp-mode", NULL);
    values_set(values, "ovn-xdp-bridge-port", "veth");
    check(values, NATIVE, "br-ex veth xdpo-br-ex port not-ready "
                          "port-failed\n", 1);

    /* Another bridge's failure matters, too: a NIC has one mode. */
    values_set(values, "ovn-xdp-bridge-port", NULL);
    values_device(values, "br-ex")->ndo_xmit = true;
    values_set(values, "ovn-bridge-mappings", "a:br-ex,b:br-kernel");
    values_add_bridge(values, "br-kernel", false);
    check(values, NATIVE, NULL, 1);
    sset_add(&values->port_failed, "br-kernel");
    check(values, GENERIC, OWN "br-kernel internal br-kernel ready\n", 1);
}

/* A NIC that comes and goes does not take the managed port along; nor does the
 * bridge's own device.  An existing port is not kept for nothing. */
static void
test_port_kept(void **state)
{
    struct values *values = *state;

    values_device(values, "br-ex")->ndo_xmit = false;
    values_add_managed_port(values, "br-ex");
    check(values, NATIVE, PORT_READY, 0);

    values_remove_device(values, "eth1");
    check(values, "eth1 routed waiting no-device\n", PORT_READY, 1);
    values_add_device(values, "eth1", "");
    check(values, NATIVE, PORT_READY, 0);

    values_remove_device(values, "br-ex");
    check(values, NATIVE, PORT_READY, 0);
    values_add_device(values, "br-ex", "openvswitch")->ndo_xmit = false;

    values_set(values, "ovn-xdp-mode", "generic");
    check(values, GENERIC,
          "br-ex internal br-ex ready\n", 1);
    values_set(values, "ovn-xdp-mode", NULL);
    values_set(values, "ovn-xdp-interfaces", NULL);
    check(values, "", "br-ex internal br-ex ready\n", 0);
}

/* A port that is not there is not created for a NIC that is not there. */
static void
test_port_not_created(void **state)
{
    struct values *values = *state;

    values_device(values, "br-ex")->ndo_xmit = false;
    values_remove_device(values, "eth1");
    check(values, "eth1 routed waiting no-device\n", OWN, 1);
}

/* The managed port has the bridge's MTU, whatever that of the NICs is, and
 * keeps its own while the bridge's device is away. */
static void
test_port_mtu(void **state)
{
    struct values *values = *state;
    static const struct {
        int bridge, eth1, eth2; /* MTUs of devices. */
        int port;               /* That of the port. */
    } cases[] = {
        { 1500, 1500, 1500, 1500 }, { 1500, 9000, 1500, 1500 },
        { 9000, 1500, 1500, 9000 }, { 1400, 1500, 3000, 1400 },
    };

    values_set(values, "ovn-xdp-interfaces", "eth1,eth2,eth3");
    values_add_device(values, "eth2", "");
    values_add_device(values, "eth3", "")->ethernet = false;
    values_device(values, "eth3")->mtu = 60000;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct desired *desired;

        values_device(values, "br-ex")->mtu = cases[i].bridge;
        values_device(values, "eth1")->mtu = cases[i].eth1;
        values_device(values, "eth2")->mtu = cases[i].eth2;
        desired = values_derive(values);
        assert_int_equal(desired->bridges[0].port_mtu, cases[i].port);
        assert_int_equal(desired->bridges[0].mtu, cases[i].bridge);
        desired_destroy(desired);
    }

    values_remove_device(values, "br-ex");
    values_add_device(values, "xdpo-br-ex", "veth")->mtu = 9000;
    struct desired *desired = values_derive(values);
    assert_int_equal(desired->bridges[0].port_mtu, 9000);
    desired_destroy(desired);
}

/* A NIC that strips tags: the hint where it gives one natively, else no. */
static void
test_vlan_strip(void **state)
{
    struct values *values = *state;
    struct netdev_info *dev = values_device(values, "eth1");
    struct desired *desired;

    dev->tag_hint = true;
    check(values, NATIVE, OWN, 0);
    dev->strips_vlan = true;
    check(values, "eth1 routed attach native hint\n", OWN, 0);
    values_set(values, "ovn-xdp-mode", "generic");
    check(values, "eth1 routed refused vlan-stripped\n", OWN, 1);
    values_set(values, "ovn-xdp-mode", NULL);
    dev->tag_hint = false;
    desired = derive(values, "eth1 routed refused vlan-stripped\n", OWN, 1);
    assert_non_null(strstr(desired->interfaces[0].detail,
                           "ethtool -K eth1 rxvlan off"));
    desired_destroy(desired);
    check_problem(values, REASON_VLAN_STRIPPED, "ethtool -K eth1 rxvlan off");
}

/* A foreign program, seen on the device or met when attaching. */
static void
test_foreign(void **state)
{
    struct values *values = *state;

    values_device(values, "eth1")->xdp_program_id = 77;
    check(values, "eth1 routed refused foreign-xdp\n", OWN, 1);
    check_problem(values, REASON_FOREIGN_XDP, "bpftool");

    /* It is ours. */
    sset_add(&values->attached, "eth1");
    check(values, NATIVE, OWN, 0);
    sset_add(&values->foreign, "eth1");
    check(values, "eth1 routed refused foreign-xdp\n", OWN, 1);

    /* Other NICs are not concerned. */
    values_set(values, "ovn-xdp-interfaces", "eth1,eth2");
    values_add_device(values, "eth2", "");
    check(values, "eth1 routed refused foreign-xdp\n"
                  "eth2 routed attach native\n", OWN, 1);
}

/* A driver that refused native mode gets generic mode, if we may choose. */
static void
test_native_failed(void **state)
{
    struct values *values = *state;

    sset_add(&values->native_failed, "eth1");
    values_set(values, "ovn-xdp-interfaces", "eth1,eth2");
    values_add_device(values, "eth2", "");
    check(values, GENERIC "eth2 routed attach native\n", OWN, 1);
    values_set(values, "ovn-xdp-mode", "native");
    check(values, NATIVE "eth2 routed attach native\n", OWN, 0);
}

/* NICs that are not there, no NICs, and named twice. */
static void
test_names(void **state)
{
    struct values *values = *state;

    values_set(values, "ovn-xdp-interfaces", "eth9,eth1,eth0,eth1");
    values_add_device(values, "eth0", "")->ethernet = false;
    check(values, "eth0 routed refused not-ethernet\n" NATIVE
                  "eth9 routed waiting no-device\n", OWN, 2);
    values_set(values, "ovn-xdp-interfaces", "");
    check(values, "", OWN, 0);
}

/* A port of a bridge is switched: OVS has its frames already, and without
 * layer L2 there is nothing to do. */
static void
test_switched(void **state)
{
    struct values *values = *state;

    values_set(values, "ovn-xdp-acl", "off");
    values_add_port(values, "br-ex", "eth1", "", NULL);
    check(values, "eth1 switched waiting switched\n", OWN, 0);
    values_device(values, "br-ex")->up = false;
    check(values, "eth1 switched waiting switched\n", NULL, 0);
    values_device(values, "br-ex")->up = true;
    values_set(values, "ovn-xdp-bridge-port", "veth");
    check(values, "eth1 switched waiting switched\n", NULL, 0);

    /* That of any bridge, mapped or not. */
    values_set(values, "ovn-xdp-interfaces", "eth2,br-ex");
    values_add_device(values, "eth2", "");
    values_add_bridge(values, "br-other", false);
    values_add_port(values, "br-other", "eth2", "system", NULL);
    check(values, "br-ex switched waiting switched\n"
                  "eth2 switched waiting switched\n", NULL, 0);
}

/* Layer L2 has: the NIC gets a program that knows its bridge, and the bridge
 * no port for redirected frames. */
static void
test_guarded(void **state)
{
    struct values *values = *state;
    int bridge = values_device(values, "br-ex")->ifindex;
    struct desired *desired;

    values_add_port(values, "br-ex", "eth1", "", NULL);
    check(values, "eth1 switched attach native\n", OWN, 0);
    desired = values_derive(values);
    assert_int_equal(desired->interfaces[0].nic.bridge, bridge);
    assert_int_equal(desired->interfaces[0].nic.acl, DP_ACL_COUNT);
    assert_int_equal(desired->bridges[0].own_ifindex, bridge);
    desired_destroy(desired);

    /* It redirects nothing, so that it does not matter what the bridge
     * takes. */
    values_device(values, "br-ex")->ndo_xmit = false;
    check(values, "eth1 switched attach native\n",
          "br-ex tap br-ex ready\n", 0);
    values_device(values, "br-ex")->up = false;
    check(values, "eth1 switched attach native\n", NULL, 0);
}

/* Asserts that eth1, which is switched, is left alone, and that this is said
 * with 'word' and is no problem. */
static void
check_spared(struct values *values, const char *word)
{
    struct desired *desired = derive(values, "eth1 switched waiting "
                                     "switched\n", OWN, 0);

    assert_non_null(strstr(desired->interfaces[0].detail, word));
    desired_destroy(desired);
}

/* Layer L2 costs a switched NIC nothing that nobody asked for. */
static void
test_spared(void **state)
{
    struct values *values = *state;
    struct netdev_info *eth1 = values_device(values, "eth1");

    values_add_port(values, "br-ex", "eth1", "", NULL);
    sset_add(&values->native_failed, "eth1");
    check_spared(values, "refused to run");
    sset_clear(&values->native_failed);
    eth1->native = false;
    check_spared(values, "cannot run");
    values_set(values, "ovn-xdp-mode", "generic");
    check(values, "eth1 switched attach generic\n", OWN, 1);
    check_problem(values, REASON_GENERIC_MODE, "eth1");
    values_set(values, "ovn-xdp-mode", "native");
    check(values, "eth1 switched refused no-native\n", OWN, 1);
    values_set(values, "ovn-xdp-mode", NULL);
    eth1->native = true;

    eth1->strips_vlan = true;
    check_spared(values, "ethtool -K eth1 rxvlan off");
    values_set(values, "ovn-xdp-mode", "native");
    check(values, "eth1 switched refused vlan-stripped\n", OWN, 1);
    values_set(values, "ovn-xdp-mode", NULL);
    eth1->tag_hint = true;
    check(values, "eth1 switched attach native hint\n", OWN, 0);
}

/* Returns port 'name' of br-ex in 'values'. */
static struct ovs_port *
port_of(const struct values *values, const char *name)
{
    const struct ovs_bridge *bridge = ovs_view_find_bridge(&values->ovs,
                                                           "br-ex");

    for (size_t i = 0; i < bridge->n_ports; i++) {
        if (!strcmp(bridge->ports[i].name, name)) {
            return &bridge->ports[i];
        }
    }
    fail_msg("no port %s", name);
    return NULL;
}

/* What may not be guarded, or need not. */
static void
test_not_guarded(void **state)
{
    struct values *values = *state;
    struct netdev_info *eth1 = values_device(values, "eth1");

    values_add_port(values, "br-ex", "eth1", "", NULL);
    eth1->xdp_program_id = 77;
    check(values, "eth1 switched refused foreign-xdp\n", OWN, 1);
    eth1->xdp_program_id = 0;

    /* Frames have another VLAN in the bridge than on the wire. */
    port_of(values, "eth1")->tag = 100;
    check(values, "eth1 switched waiting switched\n", OWN, 0);
    port_of(values, "eth1")->tag = 0;
    check(values, "eth1 switched attach native\n", OWN, 0);

    /* Bridges that OVN does not use, or that nothing tells apart. */
    values_add_bridge(values, "br-other", false);
    values_add_port(values, "br-other", "eth2", "", NULL);
    values_add_device(values, "eth2", "");
    values_add_device(values, "br-other", "tun");
    values_set(values, "ovn-xdp-interfaces", "eth2");
    check(values, "eth2 switched waiting switched\n", OWN, 0);
    values_remove_device(values, "br-ex");
    values_set(values, "ovn-xdp-interfaces", "eth1");
    check(values, "eth1 switched waiting switched\n", NULL, 0);
}

/* Both layouts on one node: the bridge's target is chosen by the NIC that
 * redirects. */
static void
test_mixed(void **state)
{
    struct values *values = *state;

    values_set(values, "ovn-xdp-interfaces", "eth1,eth2");
    values_add_device(values, "eth2", "")->native = false;
    values_add_port(values, "br-ex", "eth2", "", NULL);
    check(values, NATIVE "eth2 switched waiting switched\n", OWN, 0);
    values_device(values, "eth1")->native = false;
    values_device(values, "eth2")->native = true;
    check(values, GENERIC "eth2 switched attach native\n", OWN, 1);
}

/* A bond's name means its legs, as they come and go. */
static void
test_bond(void **state)
{
    struct values *values = *state;
    int bond = values_add_device(values, "bond0", "bond")->ifindex;

    values_set(values, "ovn-xdp-interfaces", "bond0");
    check(values, "", OWN, 1);
    check_problem(values, REASON_NO_INTERFACES_FOUND, "bond0");
    values_device(values, "eth1")->master = bond;
    values_add_device(values, "eth2", "")->master = bond;
    values_add_device(values, "eth3", "")->master = bond + 100;
    check(values, NATIVE "eth2 routed attach native\n", OWN, 0);

    /* A bond that is a port of a bridge: so are its legs. */
    values_add_port(values, "br-ex", "bond0", "", NULL);
    check(values, "eth1 switched attach native\n"
                  "eth2 switched attach native\n", OWN, 0);
    values_set(values, "ovn-xdp-interfaces", "eth2,eth3");
    check(values, "eth2 switched attach native\n"
                  "eth3 routed attach native\n", OWN, 0);
}

/* "auto" finds the physical ports of mapped bridges and legs of bonds there;
 * all of these are switched. */
static void
test_auto(void **state)
{
    struct values *values = *state;

    values_set(values, "ovn-xdp-interfaces", "auto");
    check(values, "", OWN, 1);
    check_problem(values, REASON_NO_INTERFACES_FOUND, "auto");

    values_add_port(values, "br-ex", "patch-1", "patch", NULL);
    values_add_port(values, "br-ex", "tunnel", "geneve", NULL);
    values_add_managed_port(values, "br-ex");
    check(values, "", NULL, 1);

    values_add_bridge(values, "br-unmapped", true);
    values_add_port(values, "br-unmapped", "eth9", "", NULL);
    values_add_port(values, "br-ex", "eth1", "", NULL);
    values_add_port(values, "br-ex", "eth2", "system", NULL);
    values_add_port(values, "br-ex", "bond0", "", NULL);
    values_add_device(values, "eth2", "");
    values_add_device(values, "eth3", "")->master
        = values_add_device(values, "bond0", "bond")->ifindex;
    check(values, "eth1 switched attach native\n"
                  "eth2 switched attach native\n"
                  "eth3 switched attach native\n", NULL, 0);
}

/* Generic mode is said to cost something. */
static void
test_generic_problem(void **state)
{
    struct values *values = *state;

    values_set(values, "ovn-xdp-mode", "generic");
    check_problem(values, REASON_GENERIC_MODE, "eth1");
}

/* Runs the tests. */
int
main(void)
{
#define TEST(NAME)                                                      \
    cmocka_unit_test_setup_teardown(NAME, values_setup, values_teardown)
    static const struct CMUnitTest tests[] = {
        TEST(test_matrix),
        TEST(test_nic),
        TEST(test_kind),
        TEST(test_target),
        TEST(test_port_pending),
        TEST(test_port_unmarked),
        TEST(test_port_failed),
        TEST(test_port_kept),
        TEST(test_port_not_created),
        TEST(test_port_mtu),
        TEST(test_vlan_strip),
        TEST(test_foreign),
        TEST(test_native_failed),
        TEST(test_names),
        TEST(test_switched),
        TEST(test_guarded),
        TEST(test_spared),
        TEST(test_not_guarded),
        TEST(test_mixed),
        TEST(test_bond),
        TEST(test_auto),
        TEST(test_generic_problem),
    };
#undef TEST

    return cmocka_run_group_tests_name("desired-devices", tests, NULL, NULL);
}
