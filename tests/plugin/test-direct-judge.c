/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of plugin/direct-judge.c: each precondition of layer L3 is one, and is
 * found out in the order in which it is told. */

#include <config.h>

#include "plugin/direct-judge.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "hash.h"
#include "util.h"

#include "idl/ovs-db.h"
#include "idl/sb-db.h"
#include "plugin/acl.h"
#include "plugin/netdevs.h"

#define TAP 11                  /* Index of the tap. */
#define NIC 12                  /* Index of the NIC. */
#define BRIDGE 13               /* Index of br-ex. */

/* An address that can be forwarded, and its surroundings. */
struct fixture {
    struct settings settings;   /* direct is on. */
    struct desired desired;     /* Bridge br-ex, interface nic0. */
    struct desired_bridge bridge; /* br-ex. */
    struct desired_interface nic; /* nic0, routed. */
    struct desired_endpoint ep; /* A distributed floating IP. */
    struct acl_behind behind;   /* Port vm1. */
    struct sb_binding binding;  /* Of it. */
    struct ovs_iface tap_iface; /* tap1 in br-int. */
    struct ovs_port tap_port;   /* Likewise. */
    struct ovs_bridge br_int;   /* On the userspace datapath. */
    struct ovs_port ex_port;    /* A port of br-ex. */
    struct ovs_bridge bridges[1]; /* br-ex, as OVS has it. */
    struct ovs_view ovs;        /* Both. */
    struct netdev_info tap;     /* tap1. */
    struct netdev_info dev;     /* nic0. */
    struct hmap devices;        /* Both. */
    struct direct_inputs in;    /* All of it. */
};

/* Adds 'dev', an Ethernet device that can do all, to 'devices'. */
static void
add_device(struct hmap *devices, struct netdev_info *dev, const char *name,
           int ifindex)
{
    *dev = (struct netdev_info) {
        .ifindex = ifindex, .ethernet = true, .mtu = 1500, .up = true,
        .running = true, .native = true, .ndo_xmit = true };
    ovs_strlcpy(dev->name, name, sizeof dev->name);
    hmap_insert(devices, &dev->node, hash_string(name, 0));
}

/* Fills what Open vSwitch has. */
static void
fill_ovs(struct fixture *f)
{
    f->tap_iface = (struct ovs_iface) { .name = CONST_CAST(char *, "tap1"),
                                        .type = CONST_CAST(char *, "") };
    f->tap_port = (struct ovs_port) {
        .name = CONST_CAST(char *, "tap1"), .ifaces = &f->tap_iface,
        .n_ifaces = 1 };
    f->br_int = (struct ovs_bridge) {
        .name = CONST_CAST(char *, "br-int"),
        .datapath_type = CONST_CAST(char *, "netdev"),
        .ports = &f->tap_port, .n_ports = 1 };
    f->ex_port = (struct ovs_port) { .name = CONST_CAST(char *, "nic0") };
    f->bridges[0] = (struct ovs_bridge) {
        .name = CONST_CAST(char *, "br-ex"),
        .datapath_type = CONST_CAST(char *, "netdev"),
        .ports = &f->ex_port, .n_ports = 1 };
    f->ovs = (struct ovs_view) { .bridges = f->bridges, .n_bridges = 1 };
}

/* Prepares a struct fixture in which nothing is wrong. */
static int
setup(void **state)
{
    struct fixture *f = xzalloc(sizeof *f);

    f->settings.direct = true;
    f->bridge = (struct desired_bridge) {
        .name = CONST_CAST(char *, "br-ex"), .own_ifindex = BRIDGE };
    f->nic = (struct desired_interface) {
        .name = CONST_CAST(char *, "nic0"), .state = INTERFACE_ATTACH,
        .nic.direct = DP_HOOK_XDP };
    f->desired = (struct desired) {
        .bridges = &f->bridge, .n_bridges = 1,
        .interfaces = &f->nic, .n_interfaces = 1 };
    f->ep = (struct desired_endpoint) {
        .kind = ENDPOINT_FIP_DISTRIBUTED, .bridge = &f->bridge, .vlan = 7 };
    f->behind = (struct acl_behind) { .port = "vm1" };
    fill_ovs(f);
    hmap_init(&f->devices);
    add_device(&f->devices, &f->tap, "tap1", TAP);
    add_device(&f->devices, &f->dev, "nic0", NIC);
    f->in = (struct direct_inputs) {
        .settings = &f->settings, .desired = &f->desired, .endpoint = &f->ep,
        .behind = &f->behind, .binding = &f->binding,
        .seat = { &f->br_int, &f->tap_port, &f->tap_iface },
        .ovs = &f->ovs, .devices = &f->devices,
        .windows = VSWITCHD_WINDOWS_FREE, .kernel_liberal = true };
    *state = f;
    return 0;
}

static int
teardown(void **state)
{
    struct fixture *f = *state;

    hmap_destroy(&f->devices);
    free(f);
    return 0;
}

/* Returns the verdict on 'f'. */
static struct direct_verdict
judge(const struct fixture *f)
{
    struct direct_verdict verdict;

    direct_judge(&f->in, &verdict);
    return verdict;
}

/* Checks that 'f' is refused because of 'reason' and of nothing before it, and
 * that the list for people names that, with something to read. */
static void
assert_refused(const struct fixture *f, enum reason reason)
{
    struct direct_check checks[DIRECT_MAX_CHECKS];
    size_t n = direct_get_checks(&f->in, checks);
    bool found = false;

    assert_int_equal(judge(f).reason, reason);
    for (size_t i = 0; i < n; i++) {
        if (checks[i].answer != DIRECT_CHECK_OK && !found) {
            assert_int_equal(checks[i].reason, reason);
            found = true;
        }
        assert_true(checks[i].detail && checks[i].detail[0]);
        free(checks[i].detail);
    }
    assert_true(found);
}

/* Checks that the list for people says 'expected' where it is about
 * 'reason'. */
static void
assert_detail(const struct fixture *f, enum reason reason,
              const char *expected)
{
    struct direct_check checks[DIRECT_MAX_CHECKS];
    size_t n = direct_get_checks(&f->in, checks);

    for (size_t i = 0; i < n; i++) {
        if (checks[i].reason == reason) {
            assert_string_equal(checks[i].detail, expected);
        }
        free(checks[i].detail);
    }
}

/* Nothing is wrong: the hooks are those that the userspace datapath needs. */
static void
test_good(void **state)
{
    struct fixture *f = *state;
    struct direct_check checks[DIRECT_MAX_CHECKS];
    struct direct_verdict verdict = judge(f);

    assert_int_equal(verdict.reason, REASON_NONE);
    assert_ptr_equal(verdict.tap, &f->tap);
    assert_int_equal(verdict.vm_hook, DP_HOOK_XDP);
    assert_int_equal(verdict.bridge, 0);
    for (size_t i = direct_get_checks(&f->in, checks); i-- > 0; ) {
        assert_int_equal(checks[i].answer, DIRECT_CHECK_OK);
        assert_string_equal(checks[i].fix, "");
        free(checks[i].detail);
    }
}

/* A switched NIC serves the addresses of its bridge; a routed one comes
 * first. */
static void
test_switched(void **state)
{
    struct fixture *f = *state;
    struct desired_interface two[2];

    f->nic.switched = true;
    f->nic.nic.bridge = BRIDGE;
    assert_int_equal(judge(f).reason, REASON_NONE);
    assert_int_equal(judge(f).bridge, BRIDGE);

    two[0] = f->nic;
    two[1] = f->nic;
    two[1].switched = false;
    two[1].nic.bridge = 0;
    f->desired.interfaces = two;
    f->desired.n_interfaces = 2;
    assert_int_equal(judge(f).bridge, 0);

    f->desired.n_interfaces = 1;
    two[0].nic.bridge = BRIDGE + 1;
    assert_refused(f, REASON_DIRECT_NO_NIC);
}

/* The kernel datapath: TC at the tap, which need not have XDP if the NIC does
 * not send to it by XDP. */
static void
test_kernel(void **state)
{
    struct fixture *f = *state;

    f->br_int.datapath_type = CONST_CAST(char *, "");
    f->in.windows = VSWITCHD_WINDOWS_UNKNOWN;
    assert_int_equal(judge(f).reason, REASON_NONE);
    assert_int_equal(judge(f).vm_hook, DP_HOOK_TC);

    f->tap.native = false;
    assert_int_equal(judge(f).reason, REASON_NONE);
    f->tap.ndo_xmit = false;
    assert_refused(f, REASON_DIRECT_HOOK);
    f->nic.nic.direct = DP_HOOK_TC;
    assert_int_equal(judge(f).reason, REASON_NONE);

    f->in.half_checksum = true;
    assert_int_equal(judge(f).reason, REASON_NONE);
    f->in.kernel_liberal = false;
    assert_refused(f, REASON_DIRECT_CONNTRACK);
}

/* What people choose, and what cannot be. */
static void
test_hooks(void **state)
{
    struct fixture *f = *state;

    f->settings.vm_hook = HOOK_TC;
    assert_refused(f, REASON_DIRECT_HOOK);
    f->settings.vm_hook = HOOK_XDP;
    assert_int_equal(judge(f).reason, REASON_NONE);
    f->tap.native = false;
    assert_refused(f, REASON_DIRECT_HOOK);
    f->tap.native = true;
    f->dev.ndo_xmit = false;
    assert_refused(f, REASON_DIRECT_HOOK);
    f->dev.ndo_xmit = true;
    f->tap.ndo_xmit = false;
    assert_refused(f, REASON_DIRECT_HOOK);
    f->tap.ndo_xmit = true;
    f->in.hook_error = EBUSY;
    assert_refused(f, REASON_DIRECT_HOOK);

    assert_int_equal(direct_nic_hook(HOOK_AUTO, true, true), DP_HOOK_XDP);
    assert_int_equal(direct_nic_hook(HOOK_AUTO, false, true), DP_HOOK_NONE);
    assert_int_equal(direct_nic_hook(HOOK_AUTO, false, false), DP_HOOK_NONE);
    assert_int_equal(direct_nic_hook(HOOK_TC, true, false), DP_HOOK_TC);
    assert_int_equal(direct_nic_hook(HOOK_TC, true, true), DP_HOOK_NONE);
    assert_int_equal(direct_nic_hook(HOOK_XDP, true, true), DP_HOOK_XDP);
    assert_int_equal(direct_nic_hook(HOOK_XDP, false, false), DP_HOOK_NONE);
    assert_int_equal(direct_nic_hook(HOOK_TC, false, false), DP_HOOK_NONE);
}

/* What OVN says of the address. */
static void
test_ovn(void **state)
{
    struct fixture *f = *state;

    f->in.logged = true;
    assert_refused(f, REASON_DIRECT_MIRROR);
    assert_detail(f, REASON_DIRECT_MIRROR,
                  "an ACL of OVN logs or samples packets of the port");
    f->in.logged = false;
    f->in.metered = true;
    assert_refused(f, REASON_DIRECT_QOS);
    f->in.metered = false;
    f->binding.qos = true;
    assert_refused(f, REASON_DIRECT_QOS);
    f->binding.mirrored = true;
    assert_refused(f, REASON_DIRECT_QOS);
    f->binding.qos = false;
    assert_refused(f, REASON_DIRECT_MIRROR);
    f->in.has_children = true;
    assert_refused(f, REASON_DIRECT_PARENT);
    f->in.has_children = false;
    f->binding.parent_port = CONST_CAST(char *, "vm0");
    assert_refused(f, REASON_DIRECT_PARENT);
    f->binding.shared = true;
    assert_refused(f, REASON_ACTIVATION_PENDING);
    f->binding.shared = false;
    f->in.binding = NULL;
    assert_refused(f, REASON_ACTIVATION_PENDING);
    f->in.taken = true;
    assert_refused(f, REASON_DIRECT_TRANSLATED);
    f->in.taken = false;
    f->behind.port = "";
    assert_refused(f, REASON_DIRECT_TRANSLATED);
    f->in.behind = NULL;
    assert_refused(f, REASON_DIRECT_TRANSLATED);
    f->ep.kind = ENDPOINT_LOAD_BALANCER;
    assert_refused(f, REASON_DIRECT_KIND);
    f->ep.kind = ENDPOINT_ROUTER;
    assert_refused(f, REASON_DIRECT_KIND);
    f->settings.direct = false;
    assert_refused(f, REASON_DIRECT_OFF);
    f->ep.reason = REASON_EXCLUDED;
    assert_int_equal(judge(f).reason, REASON_EXCLUDED);
}

/* What Open vSwitch says. */
static void
test_ovs(void **state)
{
    struct fixture *f = *state;

    f->tap_iface.policed = true;
    assert_refused(f, REASON_DIRECT_QOS);
    f->tap_iface.policed = false;
    f->tap_port.qos = true;
    assert_refused(f, REASON_DIRECT_QOS);
    f->tap_port.qos = false;
    f->ex_port.qos = true;
    assert_refused(f, REASON_DIRECT_QOS);
    f->ex_port.qos = false;
    f->ex_port.mirrored = true;
    assert_refused(f, REASON_DIRECT_MIRROR);
    f->ex_port.mirrored = false;
    f->tap_port.mirrored = true;
    assert_refused(f, REASON_DIRECT_MIRROR);
    f->tap_port.mirrored = false;
    f->br_int.sampled = true;
    assert_refused(f, REASON_DIRECT_MIRROR);
    assert_detail(f, REASON_DIRECT_MIRROR,
                  "Open vSwitch samples packets of br-int");
    f->br_int.sampled = false;
    f->bridges[0].sampled = true;
    assert_refused(f, REASON_DIRECT_MIRROR);
    assert_detail(f, REASON_DIRECT_MIRROR,
                  "Open vSwitch samples packets of br-ex");
    f->bridges[0].sampled = false;
    f->ovs.hw_offload = true;
    assert_refused(f, REASON_DIRECT_HW_OFFLOAD);
    f->ovs.hw_offload = false;
    f->in.windows = VSWITCHD_WINDOWS_CHECKED;
    assert_refused(f, REASON_DIRECT_CONNTRACK);
    f->in.windows = VSWITCHD_WINDOWS_UNKNOWN;
    assert_refused(f, REASON_DIRECT_CONNTRACK);
    f->in.windows = VSWITCHD_WINDOWS_FREE;
    f->in.half_checksum = true;
    assert_refused(f, REASON_DIRECT_CHECKSUM);
}

/* What limits packets on the host, if they would go past it. */
static void
test_qdisc(void **state)
{
    struct fixture *f = *state;

    ovs_strlcpy(f->tap.qdisc, "fq_codel", sizeof f->tap.qdisc);
    assert_int_equal(judge(f).reason, REASON_NONE);
    ovs_strlcpy(f->tap.qdisc, "tbf", sizeof f->tap.qdisc);
    assert_refused(f, REASON_DIRECT_QOS);
    assert_detail(f, REASON_DIRECT_QOS, "tap1 has a qdisc, tbf");
    f->tap.qdisc[0] = '\0';
    f->tap.policed = true;
    assert_refused(f, REASON_DIRECT_QOS);
    assert_detail(f, REASON_DIRECT_QOS, "tap1 has a qdisc, ingress");
    f->tap.policed = false;
    f->dev.policed = true;
    assert_refused(f, REASON_DIRECT_QOS);
    f->dev.policed = false;
    ovs_strlcpy(f->dev.qdisc, "htb", sizeof f->dev.qdisc);
    assert_refused(f, REASON_DIRECT_QOS);
    assert_detail(f, REASON_DIRECT_QOS, "nic0 has a qdisc, htb");
    f->br_int.datapath_type = CONST_CAST(char *, "system");
    assert_int_equal(judge(f).vm_hook, DP_HOOK_TC);
    assert_int_equal(judge(f).reason, REASON_NONE);
    ovs_strlcpy(f->tap.qdisc, "tbf", sizeof f->tap.qdisc);
    assert_refused(f, REASON_DIRECT_QOS);
    f->nic.nic.direct = DP_HOOK_TC;
    assert_int_equal(judge(f).reason, REASON_NONE);
}

/* What the devices say. */
static void
test_devices(void **state)
{
    struct fixture *f = *state;

    f->nic.nic.direct = DP_HOOK_NONE;
    assert_refused(f, REASON_DIRECT_NO_NIC);
    f->nic.nic.direct = DP_HOOK_XDP;
    f->nic.state = INTERFACE_WAITING;
    assert_refused(f, REASON_DIRECT_NO_NIC);
    f->tap.running = false;
    assert_refused(f, REASON_DIRECT_NO_TAP);
    f->tap.running = true;
    f->tap_iface.type = CONST_CAST(char *, "internal");
    assert_refused(f, REASON_DIRECT_NO_TAP);
    assert_detail(f, REASON_DIRECT_NO_TAP,
                  "interface tap1 is of type internal, and no tap");
    f->tap_iface.type = CONST_CAST(char *, "dpdkvhostuserclient");
    assert_refused(f, REASON_DIRECT_NO_TAP);
    f->tap_iface.type = CONST_CAST(char *, "system");
    f->nic.state = INTERFACE_ATTACH;
    assert_int_equal(judge(f).reason, REASON_NONE);
    f->in.seat = (struct direct_seat) { NULL };
    assert_refused(f, REASON_DIRECT_NO_TAP);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_good, setup, teardown),
        cmocka_unit_test_setup_teardown(test_switched, setup, teardown),
        cmocka_unit_test_setup_teardown(test_kernel, setup, teardown),
        cmocka_unit_test_setup_teardown(test_hooks, setup, teardown),
        cmocka_unit_test_setup_teardown(test_ovn, setup, teardown),
        cmocka_unit_test_setup_teardown(test_ovs, setup, teardown),
        cmocka_unit_test_setup_teardown(test_qdisc, setup, teardown),
        cmocka_unit_test_setup_teardown(test_devices, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
