/* SPDX-License-Identifier: Apache-2.0 */
/* Flows of layer L3 in the kernel: what is made of those that programs have
 * written, and when frames go by them. */
#include <config.h>

#include "plugin/datapath-bpf.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#include "packets.h"
#include "timeval.h"
#include "util.h"

#include "tests/plugin/dp-bpf-direct.h"
#include "tests/plugin/netns.h"

static const struct dp_class *const class = &datapath_bpf_class;

/* Returns the key of a flow of the frames of dp_bed_send(). */
static struct ox_flow4_key
make_flow_key(void)
{
    return (struct ox_flow4_key) {
        .saddr = htonl(DIRECT_BED_REMOTE), .daddr = htonl(DIRECT_BED_EXTERNAL),
        .proto = IPPROTO_UDP,
    };
}

/* Writes 'flow' with 'key', as a program would. */
static void
write_flow(const struct ox_flow4_key *key, struct ox_flow *flow)
{
    int fd = direct_bed_open_map("flows4");

    flow->head = UINT64_C(1) << 32 | ox_flow4_check(key);
    assert_int_equal(bpf_map_update_elem(fd, key, flow, BPF_ANY), 0);
    close(fd);
}

/* Returns a flow of 'port' to 'out0'. */
static struct ox_flow
make_flow(const struct dp_direct *port)
{
    struct ox_direct_port *ports = direct_bed_map_ports();
    struct dp_endpoint e = dp_bed_endpoint();
    const ovs_be32 nat = htonl(DIRECT_BED_FIXED);
    struct dp_nic nic = dp_bed_nic();
    struct ox_flow flow = {
        .mtu = 1500,
        .ifindex = if_nametoindex("out0"),
        .port = direct_bed_number_of(port),
        .aging = 1,
        .state = OX_FLOW_USED,
        .created = l3_ticks(),
        .confirmed = l3_ticks(),
        .seen = l3_ticks(),
    };

    flow.generation = ports[flow.port].generation;
    memcpy(flow.macs, &e.action.dmac, 6);
    memcpy(flow.macs + 6, &e.action.smac, 6);
    memcpy(flow.near_mac, &nic.mac, 6);
    memcpy(flow.nat, &nat, sizeof nat);
    direct_bed_unmap_ports(ports);
    return flow;
}

/* Copies 'flow' to 'found_'. */
static void
find_flow(const struct dp_flow *flow, void *found_)
{
    struct dp_flow *found = found_;

    *found = *flow;
}

/* Returns the only flow. */
static struct dp_flow
only_flow(const struct dp *dp)
{
    struct dp_flow found = { .key.proto = 0 };

    class->dump_flows(dp, find_flow, &found);
    assert_int_not_equal(found.key.proto, 0);
    return found;
}

/* A flow as programs write it is read as callers know it, also when the clock
 * has come round, and deleted. */
static void
test_flows(void **state OVS_UNUSED)
{
    struct dp *dp = direct_bed_open_with_port(DP_HOOK_NONE);
    struct ox_flow4_key key = make_flow_key();
    struct dp_direct port = direct_bed_make_port();
    struct ox_flow flow = make_flow(&port);
    struct dp_flow found;

    key.sport = htons(1234);
    key.dport = htons(53);
    flow.confirmed -= 1000;
    flow.seen++;
    flow.created = l3_ticks() - 0xf0000000;
    flow.passed = 3;
    write_flow(&key, &flow);
    found = only_flow(dp);
    assert_int_equal(found.state, DP_FLOW_USED);
    assert_false(found.out);
    assert_true(found.key.sport == 1234 && found.key.dport == 53);
    assert_true(ipv6_addr_equals(&found.key.dst, &port.external));
    assert_true(ipv6_addr_equals(&found.external, &port.external));
    assert_true(ipv6_addr_equals(&found.nat, &port.fixed));
    assert_int_equal(found.ifindex, port.tap);
    assert_int_equal(found.dmac.ea[0], 0xfa);
    assert_int_equal(found.passed, 3);
    assert_true(found.used == UINT32_MAX);
    assert_true(found.confirmed >= 1048 && found.confirmed < 2000);
    assert_true(found.seen < 1000);
    assert_true(found.age >= 4222124650);
    assert_int_equal(l3_flow_check(&found.key), ox_flow4_check(&key));

    flow.packets = 7;
    flow.used = l3_ticks();
    write_flow(&key, &flow);
    found = only_flow(dp);
    assert_int_equal(found.counter.packets, 7);
    assert_true(found.used < 1000);
    assert_int_equal(class->void_direct(dp, &port.external), 0);
    assert_int_equal(only_flow(dp).state, DP_FLOW_VOID);
    assert_int_equal(class->del_flow(dp, &found.key), 0);
    assert_int_equal(class->del_flow(dp, &found.key), ENOENT);
    dp_bed_close(dp);
}

/* The same for IPv6, on the way out. */
static void
test_flow6(void **state OVS_UNUSED)
{
    struct dp *dp = direct_bed_open_with_port(DP_HOOK_NONE);
    struct ox_flow6_key key = {
        .saddr = { 0xfd, 1 }, .daddr = { 0x20, 1 }, .sport = htons(9),
        .dport = htons(128), .proto = IPPROTO_ICMPV6,
        .scope = if_nametoindex("out0"),
    };
    struct dp_direct port = direct_bed_make_port();
    struct ox_flow flow = make_flow(&port);
    int fd = direct_bed_open_map("flows6");
    struct dp_flow found;

    flow.out = OX_FLOW_OUT;
    flow.state = OX_FLOW_CLOSED;
    flow.nat[15] = 7;
    assert_int_equal(bpf_map_update_elem(fd, &key, &flow, BPF_ANY), 0);
    close(fd);
    found = only_flow(dp);
    assert_true(found.out);
    assert_int_equal(found.state, DP_FLOW_CLOSED);
    assert_int_equal(found.external.s6_addr[15], 7);
    assert_int_equal(found.key.src.s6_addr[0], 0xfd);
    assert_int_equal(found.key.dport, 128);
    assert_int_equal(l3_flow_check(&found.key), ox_flow6_check(&key));
    assert_int_equal(class->del_flow(dp, &found.key), 0);
    dp_bed_close(dp);
}

/* Asserts that a frame is taken off now, and counted. */
static void
assert_direct(struct dp *dp)
{
    uint64_t before = only_flow(dp).counter.packets;

    dp_bed_assert_forwards();
    assert_int_equal(only_flow(dp).counter.packets, before + 1);
}

/* Waits until the program of 'nic0' has counted 'reason'. */
static void
await_reason(const struct dp *dp, enum ox_reason reason)
{
    long long int deadline = time_msec() + NETNS_DEADLINE_MS;
    struct dp_counter reasons[OX_N_REASONS];

    do {
        assert_true(time_msec() < deadline);
        poll(NULL, 0, 1);
        assert_int_equal(class->nic_counters(dp, "nic0", reasons), 0);
    } while (!reasons[reason].packets);
}

/* Frames go on by a flow while a daemon is followed by another, until its port
 * is made void. */
static void
test_forwards(void **state OVS_UNUSED)
{
    struct ox_flow4_key key = make_flow_key();
    struct dp_direct port = direct_bed_make_port();
    struct dp_nic nic = dp_bed_nic();
    static const struct dp_direct_times times = { 100000, 1000, 200000 };
    struct dp *dp = direct_bed_open_with_port(DP_HOOK_NONE);
    struct ox_flow flow = make_flow(&port);
    int wire = dp_bed_socket("wire0"), in;

    class->set_direct_times(dp, &times);
    nic.direct = DP_HOOK_XDP;
    assert_int_equal(class->attach_nic(dp, &nic), 0);
    write_flow(&key, &flow);
    assert_direct(dp);
    class->close(dp, false);
    dp_bed_assert_forwards();
    dp = direct_bed_open_with_port(DP_HOOK_NONE);
    class->set_direct_times(dp, &times);
    assert_direct(dp);
    assert_int_equal(class->attach_nic(dp, &nic), 0);
    assert_direct(dp);

    assert_int_equal(class->void_direct(dp, &port.external), 0);
    in = dp_bed_socket("in0");
    dp_bed_send(wire, 1);
    await_reason(dp, OX_R_FLOW_VOID);
    assert_int_equal(dp_bed_receive(in, 1, 0), 0);
    close(wire);
    close(in);
    dp_bed_close(dp);
}

/* What programs count at each side. */
static void
test_counters(void **state OVS_UNUSED)
{
    int n_cpus = libbpf_num_possible_cpus();
    struct dp *dp = direct_bed_open_with_port(DP_HOOK_NONE);
    struct ox_counter *values = xcalloc(n_cpus, sizeof *values);
    uint32_t index = DP_DIRECT_FAR_NIC * OX_N_REASONS + OX_R_FLOW_LEARNED;
    struct dp_counter counters[OX_N_REASONS];
    int fd = direct_bed_open_map("direct_reasons");

    for (int i = 0; i < n_cpus; i++) {
        values[i] = (struct ox_counter) { 2, 120 };
    }
    assert_int_equal(bpf_map_update_elem(fd, &index, values, BPF_ANY), 0);
    close(fd);
    free(values);
    class->direct_counters(dp, DP_DIRECT_FAR_NIC, counters);
    assert_int_equal(counters[OX_R_FLOW_LEARNED].packets, 2 * n_cpus);
    assert_int_equal(counters[OX_R_FLOW_LEARNED].bytes, 120 * n_cpus);
    class->direct_counters(dp, DP_DIRECT_FAR_VM, counters);
    assert_int_equal(counters[OX_R_FLOW_LEARNED].packets, 0);
    dp_bed_close(dp);
}

/* Leaves nothing behind for the next test. */
static int
clean_up(void **state)
{
    tc_set_no_tcx(false);
    netns_try("for dev in nic0 in0 out0; do tc qdisc del dev $dev clsact; "
              "done");
    return dp_bed_clean_up(state);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_flows, clean_up),
        cmocka_unit_test_teardown(test_flow6, clean_up),
        cmocka_unit_test_teardown(test_forwards, clean_up),
        cmocka_unit_test_teardown(test_counters, clean_up),
    };

    dp_bed_enter();
    return cmocka_run_group_tests_name("flows", tests, NULL, NULL);
}
