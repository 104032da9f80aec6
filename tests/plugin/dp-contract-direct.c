/* SPDX-License-Identifier: Apache-2.0 */
/* What every back end promises of layer L3: see dp-contract.h. */
#include <config.h>

#include "tests/plugin/dp-contract.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "packets.h"
#include "timeval.h"
#include "util.h"

#include "plugin/reason.h"

/* The back end under test. */
static struct dp_contract *bed;

/* What dump_direct() has found. */
struct found {
    struct dp_direct ports[4];
    size_t n;
};

static void
find_port(const struct dp_direct *port, void *found_)
{
    struct found *found = found_;

    assert_true(found->n < ARRAY_SIZE(found->ports));
    found->ports[found->n++] = *port;
}

/* Returns how many ports there are. */
static size_t
n_ports(const struct dp *dp)
{
    struct found found = { .n = 0 };

    bed->class->dump_direct(dp, find_port, &found);
    return found.n;
}

/* Asserts that 'want' is one of the ports of 'dp'. */
static void
assert_has(const struct dp *dp, const struct dp_direct *want)
{
    struct found found = { .n = 0 };

    bed->class->dump_direct(dp, find_port, &found);
    for (size_t i = 0; i < found.n; i++) {
        const struct dp_direct *port = &found.ports[i];

        if (ipv6_addr_equals(&port->external, &want->external)) {
            assert_true(ipv6_addr_equals(&port->fixed, &want->fixed));
            assert_true(eth_addr_equals(port->mac, want->mac));
            assert_int_equal(port->tap, want->tap);
            assert_int_equal(port->mtu, want->mtu);
            assert_int_equal(port->bridge, want->bridge);
            assert_int_equal(port->vlan, want->vlan);
            return;
        }
    }
    fail_msg("no such port");
}

/* Opens the datapath. */
static struct dp *
open_dp(void)
{
    struct dp_config config = { bed->pin_dir, 16, 64 };
    struct dp *dp;

    assert_int_equal(bed->class->open(&config, &dp), 0);
    return dp;
}

/* Closes 'dp' and opens it again, as a new daemon does. */
static struct dp *
reopen(struct dp *dp)
{
    bed->class->close(dp, false);
    return open_dp();
}

/* Returns an IPv4 or IPv6 address. */
static struct in6_addr
address(const char *s)
{
    struct in6_addr addr;
    ovs_be32 ip;

    if (inet_pton(AF_INET, s, &ip) == 1) {
        return in6_addr_mapped_ipv4(ip);
    }
    assert_int_equal(inet_pton(AF_INET6, s, &addr), 1);
    return addr;
}

/* Returns a port, with every member set. */
static struct dp_direct
make_port(const char *external, const char *fixed)
{
    return (struct dp_direct) {
        .external = address(external),
        .fixed = address(fixed),
        .tap = bed->nics[1].ifindex,
        .mac = ETH_ADDR_C(fa, 16, 3e, 00, 00, 01),
        .mtu = 1442,
        .bridge = 40,
        .vlan = 7,
    };
}

/* Returns device 'i' as a tap. */
static struct dp_direct_device
make_tap(size_t i, enum dp_hook near)
{
    return (struct dp_direct_device) {
        .ifindex = bed->nics[i].ifindex, .near = near, .xdp_target = true,
    };
}

/* Before anything is put there is nothing. */
static void
test_nothing(void **state OVS_UNUSED)
{
    const struct dp_class *class = bed->class;
    struct dp_counter counters[N_PACKET_REASONS];
    struct in6_addr external = address("192.0.2.1");
    struct dp_flow_key key = { .src = external, .dst = external };
    struct dp *dp = open_dp();

    assert_int_equal(n_ports(dp), 0);
    assert_int_equal(class->del_direct(dp, &external), ENOENT);
    assert_int_equal(class->void_direct(dp, &external), ENOENT);
    assert_false(class->direct_half_checksum(dp, &external));
    assert_int_equal(class->del_direct_device(dp, bed->nics[0].ifindex),
                     ENOENT);
    assert_int_equal(class->del_flow(dp, &key), ENOENT);
    class->dump_flows(dp, NULL, NULL);
    memset(counters, 1, sizeof counters);
    for (int row = 0; row < DP_N_DIRECT_ROWS; row++) {
        class->direct_counters(dp, row, counters);
        assert_int_equal(counters[N_PACKET_REASONS - 1].bytes, 0);
    }
    class->sweep_direct_devices(dp);
    class->close(dp, true);
}

/* Ports come, change, and go. */
static void
test_ports(void **state OVS_UNUSED)
{
    const struct dp_class *class = bed->class;
    struct dp_direct four = make_port("192.0.2.1", "10.0.0.1");
    struct dp_direct six = make_port("2001:db8::1", "2001:db8::1");
    struct dp_direct other = make_port("192.0.2.2", "10.0.0.1");
    struct dp *dp = open_dp();

    assert_int_equal(class->put_direct(dp, &four), 0);
    assert_int_equal(class->put_direct(dp, &six), 0);
    assert_int_equal(n_ports(dp), 2);
    assert_has(dp, &four);
    assert_has(dp, &six);

    /* Two external addresses cannot be one inside. */
    assert_int_equal(class->put_direct(dp, &other), EEXIST);
    other.tap++;
    assert_int_equal(class->put_direct(dp, &other), 0);
    other.tap--;
    assert_int_equal(class->put_direct(dp, &other), EEXIST);
    assert_int_equal(class->del_direct(dp, &other.external), 0);
    assert_int_equal(class->del_direct(dp, &other.external), ENOENT);

    four.fixed = address("10.0.0.2");
    four.mac.ea[5]++;
    four.mtu++;
    four.bridge = four.vlan = 0;
    assert_int_equal(class->put_direct(dp, &four), 0);
    assert_has(dp, &four);
    assert_int_equal(class->put_direct(dp, &other), 0);
    assert_int_equal(n_ports(dp), 3);
    assert_int_equal(class->void_direct(dp, &four.external), 0);
    assert_int_equal(class->del_direct(dp, &six.external), 0);
    assert_int_equal(class->void_direct(dp, &six.external), ENOENT);
    assert_int_equal(n_ports(dp), 2);
    class->close(dp, true);
}

/* Ports outlive a daemon, and a change between two. */
static void
test_ports_adopted(void **state OVS_UNUSED)
{
    const struct dp_class *class = bed->class;
    struct dp_direct four = make_port("192.0.2.1", "10.0.0.1");
    struct dp_direct six = make_port("2001:db8::1", "fd00::1");
    struct dp *dp = open_dp();

    assert_int_equal(class->put_direct(dp, &four), 0);
    assert_int_equal(class->put_direct(dp, &six), 0);
    dp = reopen(dp);
    six.fixed = address("fd00::2");
    assert_int_equal(class->put_direct(dp, &six), 0);
    assert_int_equal(n_ports(dp), 2);
    assert_has(dp, &four);
    assert_has(dp, &six);
    dp = reopen(dp);
    assert_int_equal(class->put_direct(dp, &four), 0);
    assert_has(dp, &six);
    class->close(dp, true);
    dp = open_dp();
    assert_int_equal(class->put_direct(dp, &four), 0);
    assert_int_equal(n_ports(dp), 1);
    class->close(dp, true);
}

/* Devices come, change, and go. */
static void
test_devices(void **state OVS_UNUSED)
{
    const struct dp_class *class = bed->class;
    static const enum dp_hook hooks[] = {
        DP_HOOK_NONE, DP_HOOK_TC, DP_HOOK_XDP, DP_HOOK_TC, DP_HOOK_NONE,
        DP_HOOK_XDP,
    };
    struct dp_direct_device nic = {
        .ifindex = bed->nics[0].ifindex, .is_nic = true };
    struct dp_direct_device nobody = { .ifindex = -1 };
    struct dp *dp = open_dp();

    for (size_t i = 0; i < ARRAY_SIZE(hooks); i++) {
        struct dp_direct_device tap = make_tap(1, hooks[i]);

        tap.stale_timeout = i & 1 ? 30 : 0;
        assert_int_equal(class->put_direct_device(dp, &tap), 0);
        assert_int_equal(class->put_direct_device(dp, &tap), 0);
        tap.xdp_target = false;
        tap.stale_timeout++;
        assert_int_equal(class->put_direct_device(dp, &tap), 0);
    }
    assert_int_equal(class->put_direct_device(dp, &nic), 0);
    nic.near = DP_HOOK_TC;
    assert_int_equal(class->put_direct_device(dp, &nic), ENOENT);
    assert_int_equal(class->attach_nic(dp, &bed->nics[0]), 0);
    assert_int_equal(class->put_direct_device(dp, &nic), 0);
    assert_int_equal(class->put_direct_device(dp, &nobody), ENODEV);
    assert_int_equal(class->del_direct_device(dp, -1), ENOENT);
    for (size_t i = 0; i < 2; i++) {
        int ifindex = bed->nics[i].ifindex;

        assert_int_equal(class->del_direct_device(dp, ifindex), 0);
        assert_int_equal(class->del_direct_device(dp, ifindex), ENOENT);
    }
    class->close(dp, true);
}

/* Returns from when on packets of which protocol are dropped that answer
 * nothing of 'port', or -1. */
static long long int
from_when(const struct dp *dp, const struct dp_direct *port,
          enum dp_tracked which)
{
    long long int from[DP_N_TRACKED];

    return bed->class->tracking(dp, &port->external, from) ? from[which] : -1;
}

/* What a VM sends is known if its device and its address are to be tracked,
 * and for long enough when it was for as long as conntrack remembers it. */
static void
test_tracking(void **state OVS_UNUSED)
{
    const struct dp_class *class = bed->class;
    struct dp_direct_device tap = make_tap(0, DP_HOOK_XDP);
    struct dp_direct port = make_port("192.0.2.1", "10.0.0.1");
    long long int start = time_msec();
    struct dp *dp = open_dp();

    port.tap = tap.ifindex;
    assert_int_equal(from_when(dp, &port, DP_TRACKED_UDP), -1);
    for (int i = 0; i < 4; i++) {
        tap.track = i & 1;
        port.track = i & 2;
        assert_int_equal(class->put_direct_device(dp, &tap), 0);
        assert_int_equal(class->put_direct(dp, &port), 0);
        if (i < 3) {
            assert_int_equal(from_when(dp, &port, DP_TRACKED_UDP), -1);
        }
    }
    assert_true(from_when(dp, &port, DP_TRACKED_UDP) > start + 180000);
    assert_true(from_when(dp, &port, DP_TRACKED_ECHO) > start + 30000);
    assert_true(from_when(dp, &port, DP_TRACKED_TCP) > start + 432000000);
    class->settle_tracking(dp);
    for (int i = 0; i < DP_N_TRACKED; i++) {
        assert_int_equal(from_when(dp, &port, i), 0);
    }
    for (start = time_msec(); time_msec() == start; ) {
        poll(NULL, 0, 1);
    }
    port.mtu--;
    assert_int_equal(class->put_direct(dp, &port), 0);
    assert_true(from_when(dp, &port, DP_TRACKED_UDP) > start);
    assert_int_equal(class->del_direct(dp, &port.external), 0);
    assert_int_equal(from_when(dp, &port, DP_TRACKED_UDP), -1);
    class->close(dp, true);
}

/* A foreign XDP program on a tap stands in the way of XDP only. */
static void
test_foreign(void **state OVS_UNUSED)
{
    const struct dp_class *class = bed->class;
    struct dp_direct_device tap = make_tap(0, DP_HOOK_XDP);
    struct dp *dp = open_dp();

    bed->set_foreign(dp, tap.ifindex, true);
    assert_int_equal(class->put_direct_device(dp, &tap), EBUSY);
    assert_int_equal(class->del_direct_device(dp, tap.ifindex), ENOENT);
    tap.near = DP_HOOK_TC;
    assert_int_equal(class->put_direct_device(dp, &tap), 0);
    bed->set_foreign(dp, tap.ifindex, false);
    tap.near = DP_HOOK_XDP;
    assert_int_equal(class->put_direct_device(dp, &tap), 0);
    class->close(dp, true);
}

/* A device that goes takes all with it, and may come back with another
 * index. */
static void
test_replaced(void **state OVS_UNUSED)
{
    const struct dp_class *class = bed->class;
    struct dp_nic *nic = &bed->nics[0];
    struct dp_direct_device tap = make_tap(0, DP_HOOK_XDP);
    struct dp *dp = open_dp();

    assert_int_equal(class->put_direct_device(dp, &tap), 0);
    nic->ifindex = bed->replace(dp, nic->name);
    class->del_direct_device(dp, tap.ifindex);
    tap = make_tap(0, DP_HOOK_XDP);
    assert_int_equal(class->put_direct_device(dp, &tap), 0);

    /* The same while no daemon runs. */
    class->close(dp, false);
    nic->ifindex = bed->replace(NULL, nic->name);
    dp = open_dp();
    tap = make_tap(0, DP_HOOK_XDP);
    assert_int_equal(class->put_direct_device(dp, &tap), 0);
    class->sweep_direct_devices(dp);
    assert_int_equal(class->put_direct_device(dp, &tap), 0);
    class->close(dp, true);
}

/* Finds the only NIC. */
static void
find_nic(const struct dp_nic_state *nic, void *found)
{
    *(struct dp_nic_state *) found = *nic;
}

/* Each hook for layer L3 is another program of a NIC, and can be changed to
 * any other without being detached; a change of its MAC alone is none. */
static void
test_nic(void **state OVS_UNUSED)
{
    static const struct {
        enum dp_hook direct;
        enum dp_acl_mode acl;
        uint32_t bridge;
    } cases[] = {
        { DP_HOOK_XDP, DP_ACL_OFF, 0 }, { DP_HOOK_TC, DP_ACL_OFF, 0 },
        { DP_HOOK_NONE, DP_ACL_OFF, 0 }, { DP_HOOK_XDP, DP_ACL_DROP, 0 },
        { DP_HOOK_TC, DP_ACL_DROP, 7 }, { DP_HOOK_XDP, DP_ACL_DROP, 7 },
        { DP_HOOK_XDP, DP_ACL_OFF, 7 }, { DP_HOOK_TC, DP_ACL_OFF, 7 },
    };
    const struct dp_class *class = bed->class;
    struct dp_nic nic = bed->nics[0];
    struct dp_nic_state found;
    struct dp *dp = open_dp();
    uint32_t id = 0;

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        nic.direct = cases[i].direct;
        nic.acl = cases[i].acl;
        nic.bridge = cases[i].bridge;
        for (size_t j = 0; j < 2; j++) {
            assert_int_equal(class->attach_nic(dp, &nic), 0);
            class->dump_nics(dp, find_nic, &found);
            assert_int_equal(found.nic.direct, nic.direct);
            assert_int_equal(found.nic.acl, nic.acl);
            assert_true(j ? found.program_id == id : found.program_id != id);
            id = found.program_id;
            nic.mac.ea[5]++;
        }
    }
    class->close(dp, true);
}

/* Leaves nothing behind for the next test, whatever became of this one. */
static int
clean_up(void **state OVS_UNUSED)
{
    struct dp_config config = { bed->pin_dir, 16, 64 };
    struct dp *dp;

    if (!bed->class->open(&config, &dp)) {
        bed->class->close(dp, true);
    }
    return 0;
}

int
dp_contract_run_direct(struct dp_contract *contract)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_nothing, clean_up),
        cmocka_unit_test_teardown(test_ports, clean_up),
        cmocka_unit_test_teardown(test_ports_adopted, clean_up),
        cmocka_unit_test_teardown(test_devices, clean_up),
        cmocka_unit_test_teardown(test_tracking, clean_up),
        cmocka_unit_test_teardown(test_foreign, clean_up),
        cmocka_unit_test_teardown(test_replaced, clean_up),
        cmocka_unit_test_teardown(test_nic, clean_up),
    };

    bed = contract;
    return cmocka_run_group_tests_name("contract of layer L3", tests, NULL,
                                       NULL);
}
