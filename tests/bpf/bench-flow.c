/* SPDX-License-Identifier: Apache-2.0
 *
 * Measures what layer L3 costs: of a packet that it takes off, and of one that
 * it leaves to layer L1, with one flow, with many and with very many.  Needs
 * root.
 *
 * In the same run what layer L1 costs alone, and the whole path of a frame,
 * beside the least that any program could do (bench.bpf.c).  Prints a line of
 * JSON for each figure, as tests/bench/figures.py says. */

#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "bpf/abi.h"
#include "bpf/direct.skel.h"
#include "bpf/ovn-xdp.skel.h"
#include "tests/bpf/bed.h"
#include "tests/bpf/contest.h"
#include "tests/bpf/drain.h"
#include "tests/bpf/packet.h"

/* Most that a real frame may cost, relative to a bare redirect. */
#define GOAL 1.5

/* External addresses, and ports behind them, of all flows. */
#define N_ADDRESSES 1024

/* Generation of all ports. */
#define GENERATION 2

/* Time, in ticks, in which nothing need be confirmed. */
#define FOR_EVER (UINT32_C(1) << 30)

/* ACK of TCP. */
#define ACK 0x10

/* What frames a contest is about: to a VM, of one, and those of which each has
 * another destination, for the reference.  All before that have flows. */
enum frame_kind { TCP4, UDP4, UDP6, OUT4, MANY4, N_KNOWN = MANY4 };

/* Numbers of flows, and what a packet may cost with so many, in ns. */
static const struct {
    uint32_t n_flows;
    double limit;
} sizes[] = { { 1, 35 }, { 1024, 45 }, { BENCH_MAX_FRAMES, 120 } };

static const uint8_t nic_mac[6] = { 0x02, 0x4e, 0x49, 0x43, 0x00, 0x00 };
static const uint8_t other_mac[6] = { 0x02, 0x52, 0x54, 0x00, 0x00, 0x01 };
static const uint8_t vm_mac[6] = { 0xfa, 0x16, 0x3e, 0x00, 0x00, 0x01 };

/* Programs with layer L3, and maps of their own. */
struct world {
    struct direct_bpf *tap;     /* The program of a tap, whose are the maps. */
    struct ovn_xdp_bpf *nic;    /* The program of a NIC. */
};

/* The flows of one kind are known, by kind: in one table for all, those that
 * are written first would lie deepest in its chains.  And none is. */
static struct world known[N_KNOWN], strange;

/* The program of a NIC without layer L3. */
static struct ovn_xdp_bpf *plain;

/* Where frames are redirected to. */
static uint32_t target;

/* Device that the kernel's test run says frames came in by. */
static const uint32_t arrival = 1;

/* Now, in ticks. */
static uint32_t
now_ticks(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC_COARSE, &ts);
    return (ts.tv_sec * UINT64_C(1000000000) + ts.tv_nsec) >> OX_TICK_SHIFT;
}

/* Returns the last four bytes, in network order, of the external address of
 * the 'i'th flow. */
static uint32_t
external_of(uint32_t i)
{
    return htonl(0x0a000000 | i % N_ADDRESSES);
}

/* The same of its remote address. */
static uint32_t
remote_of(uint32_t i)
{
    return htonl(0xc6120000 | i);
}

/* Returns whose the 'i'th frame of 'kind' is: the VM's at the other end. */
static uint32_t
local_of(int kind, uint32_t i)
{
    return kind == MANY4 ? htonl(0x0b000000 | i) : external_of(i);
}

/* Stores in 'text' IPv4 address 'addr', or the IPv6 address that ends with
 * it. */
static void
name_address(uint32_t addr, bool ip6, char text[INET6_ADDRSTRLEN])
{
    struct in6_addr in6 = { .s6_addr = { 0x20, 0x01, 0x0d, 0xb8 } };

    if (ip6) {
        memcpy(&in6.s6_addr[12], &addr, sizeof addr);
        inet_ntop(AF_INET6, &in6, text, INET6_ADDRSTRLEN);
    } else {
        inet_ntop(AF_INET, &addr, text, INET6_ADDRSTRLEN);
    }
}

/* Writes a header of TCP or UDP, of which programs look at ports, lengths,
 * flags and checksum. */
static void
write_l4(uint8_t *l4, uint8_t proto, uint16_t len)
{
    static const uint8_t ports[4] = { 0x9c, 0x40, 0x01, 0xbb };

    memcpy(l4, ports, sizeof ports);
    if (proto == IPPROTO_TCP) {
        l4[12] = 0x50;
        l4[13] = ACK;
        l4[16] = 0x12;
        l4[17] = 0x34;
    } else {
        l4[5] = len;
        l4[6] = 0x12;
        l4[7] = 0x34;
    }
}

/* Makes the frame of 'kind' that the 'i'th flow consists of at 'data'. */
static void
make_frame(int kind, uint32_t i, uint8_t *data)
{
    uint8_t proto = kind == UDP4 || kind == UDP6 ? IPPROTO_UDP : IPPROTO_TCP;
    char remote[INET6_ADDRSTRLEN], local[INET6_ADDRSTRLEN];
    struct packet p;
    uint8_t *l4;

    name_address(remote_of(i), kind == UDP6, remote);
    name_address(local_of(kind, i), kind == UDP6, local);
    packet_eth(&p, nic_mac, kind == OUT4 ? vm_mac : other_mac, 0,
               kind == UDP6 ? 0x86dd : 0x0800);
    if (kind == UDP6) {
        packet_ip6(&p, &(struct packet_ip6) {
            .src = remote, .dst = local, .hop_limit = 64, .next = proto,
            .payload = BENCH_FRAME_LEN - PACKET_ETH_LEN - PACKET_IP6_LEN,
        });
    } else {
        packet_ip4(&p, &(struct packet_ip4) {
            .src = kind == OUT4 ? local : remote,
            .dst = kind == OUT4 ? remote : local,
            .ttl = 64, .proto = proto,
            .payload = BENCH_FRAME_LEN - PACKET_ETH_LEN - PACKET_IP4_LEN,
        });
    }
    l4 = &p.data[p.len];
    packet_pad(&p, BENCH_FRAME_LEN);
    write_l4(l4, proto, &p.data[p.len] - l4);
    memcpy(data, p.data, BENCH_FRAME_LEN);
}

/* Completes 'flow', the 'i'th, whose key has 'check', and writes it. */
static void
write_flow(const struct bpf_map *map, const void *key, uint32_t check,
           bool out, uint32_t i)
{
    uint32_t now = now_ticks();
    struct ox_flow flow = {
        .head = (uint64_t) (i + 1) << 32 | check, .csum = 0x1234, .mtu = 1500,
        .ifindex = target, .generation = GENERATION, .port = i % N_ADDRESSES,
        .aging = 1, .state = OX_FLOW_USED, .used = now, .confirmed = now,
        .created = now, .asked = now, .seen = now, .passed = 3, .out = out,
        .nat = { 10, 1, 0, 11 },
    };

    memcpy(flow.macs, vm_mac, sizeof vm_mac);
    memcpy(flow.macs + 6, other_mac, sizeof other_mac);
    memcpy(flow.near_mac, nic_mac, sizeof nic_mac);
    assert_int_equal(bpf_map_update_elem(bpf_map__fd(map), key, &flow, 0), 0);
}

/* Writes the flow of the 'i'th frame of 'kind', one of IPv4. */
static void
write_flow4(int kind, uint32_t i)
{
    bool out = kind == OUT4;
    struct ox_flow4_key key = {
        .saddr = out ? external_of(i) : remote_of(i),
        .daddr = out ? remote_of(i) : external_of(i),
        .sport = htons(40000), .dport = htons(443),
        .proto = kind == UDP4 ? IPPROTO_UDP : IPPROTO_TCP,
        .scope = out ? arrival : 0,
    };

    write_flow(known[kind].tap->maps.flows4, &key, ox_flow4_check(&key), out,
               i);
}

/* The same of IPv6. */
static void
write_flow6(uint32_t i)
{
    struct ox_flow6_key key = {
        .saddr = { 0x20, 0x01, 0x0d, 0xb8 },
        .daddr = { 0x20, 0x01, 0x0d, 0xb8 },
        .sport = htons(40000), .dport = htons(443), .proto = IPPROTO_UDP,
    };
    uint32_t remote = remote_of(i), external = external_of(i);

    memcpy(&key.saddr[12], &remote, sizeof remote);
    memcpy(&key.daddr[12], &external, sizeof external);
    write_flow(known[UDP6].tap->maps.flows6, &key, ox_flow6_check(&key),
               false, i);
}

/* Makes the 'i'th external address an endpoint of 'skel'. */
static void
write_endpoint(const struct ovn_xdp_bpf *skel, uint32_t i)
{
    const struct ox_endpoint endpoint = { .ifindex = target, .mtu = 1500,
                                          .slot = i };
    char text[INET6_ADDRSTRLEN];

    for (int ip6 = 0; ip6 < 2; ip6++) {
        name_address(external_of(i), ip6, text);
        bed_add_endpoint(skel, text, &endpoint);
    }
}

/* Makes the 'i'th external address one with layer L3 in 'w'. */
static void
write_direct(const struct world *w, uint32_t i)
{
    struct ox_direct_port port = {
        .generation = GENERATION, .slot = i, .ifindex = target, .mtu = 1500,
        .soft = FOR_EVER, .hard = FOR_EVER, .step = FOR_EVER,
    };
    struct ox_direct_key key = { .addr = { [10] = 0xff, [11] = 0xff } };
    struct ox_direct_addr addr = { .port = i, .ifindex = target };
    uint32_t external = external_of(i);

    memcpy(port.mac, vm_mac, sizeof port.mac);
    memcpy(&key.addr[12], &external, sizeof external);
    memcpy(addr.addr, key.addr, sizeof addr.addr);
    memcpy(addr.other, key.addr, sizeof addr.other);
    assert_int_equal(
        bpf_map_update_elem(bpf_map__fd(w->tap->maps.direct_ports), &i, &port,
                            0), 0);
    assert_int_equal(
        bpf_map_update_elem(bpf_map__fd(w->tap->maps.direct_addrs), &key,
                            &addr, 0), 0);
}

/* Has 'obj' load only its program 'name', with those maps that 'shared' has
 * too. */
static void
choose(struct bpf_object *obj, const char *name,
       const struct bpf_object *shared)
{
    struct bpf_program *chosen = bpf_object__find_program_by_name(obj, name);
    struct bpf_program *p;
    struct bpf_map *map;

    if (!chosen) {
        fail_msg("there is no program %s", name);
    }
    bpf_object__for_each_program (p, obj) {
        bpf_program__set_autoload(p, p == chosen);
    }
    bpf_object__for_each_map (map, obj) {
        const char *map_name = bpf_map__name(map);
        int fd = shared ? bpf_object__find_map_fd_by_name(shared, map_name)
                 : -1;

        if (fd >= 0 && !strstr(map_name, ".rodata")) {
            assert_int_equal(bpf_map__reuse_fd(map, fd), 0);
        }
    }
}

/* Loads the programs of 'w', with room for flows of IPv4 ('ip4') or IPv6
 * ('ip6') or both, as many as there is by default. */
static void
load_world(struct world *w, bool ip4, bool ip6)
{
    w->tap = direct_bpf__open();
    assert_non_null(w->tap);
    if (!ip4) {
        bpf_map__set_max_entries(w->tap->maps.flows4, 1);
    }
    if (!ip6) {
        bpf_map__set_max_entries(w->tap->maps.flows6, 1);
    }
    choose(w->tap->obj, "vm_near", NULL);
    assert_int_equal(direct_bpf__load(w->tap), 0);
    w->nic = ovn_xdp_bpf__open();
    assert_non_null(w->nic);
    choose(w->nic->obj, "nic_direct", w->tap->obj);
    assert_int_equal(ovn_xdp_bpf__load(w->nic), 0);
    assert_int_equal(
        bpf_map_update_elem(bpf_map__fd(w->tap->maps.direct_devices), &target,
                            &target, 0), 0);
    for (uint32_t i = 0; i < N_ADDRESSES; i++) {
        write_direct(w, i);
    }
}

/* Unloads them. */
static void
unload_world(struct world *w)
{
    ovn_xdp_bpf__destroy(w->nic);
    direct_bpf__destroy(w->tap);
}

/* Makes the addresses known to the NIC program of 'skel'. */
static void
fill(const struct ovn_xdp_bpf *skel)
{
    bed_set_nic(skel, 0, nic_mac, arrival);
    bed_add_target(skel, target);
    for (uint32_t i = 0; i < N_ADDRESSES; i++) {
        write_endpoint(skel, i);
    }
}

/* Makes the destination of the 'i'th frame known to the reference. */
static void
write_reference(uint32_t i)
{
    const struct bench_mac mac = { .head = 0x12345678, .tail = 0x9abc };
    uint32_t key = local_of(MANY4, i);

    assert_int_equal(
        bpf_map_update_elem(bpf_map__fd(contest_bench->maps.macs), &key, &mac,
                            0), 0);
}

/* Loads all programs. */
static void
load(void)
{
    for (int kind = 0; kind < BENCH_KINDS; kind++) {
        contest_make_frames(kind, BENCH_MAX_FRAMES, make_frame);
    }
    target = drain_open();
    for (int kind = 0; kind < N_KNOWN; kind++) {
        load_world(&known[kind], kind != UDP6, kind == UDP6);
        fill(known[kind].nic);
    }
    load_world(&strange, true, true);
    plain = bed_load_sized(0, BENCH_MAX_FRAMES);
    assert_non_null(plain);
    fill(strange.nic);
    fill(plain);
    assert_int_equal(
        bpf_map_update_elem(bpf_map__fd(contest_bench->maps.devices), &arrival,
                            &target, 0), 0);
}

/* Writes flows up to the 'n'th. */
static void
write_flows(uint32_t n)
{
    static uint32_t written;

    for (int kind = 0; kind < BENCH_KINDS; kind++) {
        for (uint32_t i = written; i < n; i++) {
            if (kind == MANY4) {
                write_reference(i);
            } else if (kind == UDP6) {
                write_flow6(i);
            } else {
                write_flow4(kind, i);
            }
        }
    }
    written = n;
}

/* Returns how many packets 'map' has counted in 'row'. */
static uint64_t
count(const struct bpf_map *map, uint32_t row)
{
    int n_cpus = libbpf_num_possible_cpus();
    struct ox_counter *values = calloc(n_cpus, sizeof *values);
    uint64_t packets = 0;

    assert_non_null(values);
    assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(map), &row, values), 0);
    for (int i = 0; i < n_cpus; i++) {
        packets += values[i].packets;
    }
    free(values);
    return packets;
}

/* Returns how many packets were taken off. */
static uint64_t
count_direct(void)
{
    uint64_t packets = 0;

    for (int kind = 0; kind < N_KNOWN; kind++) {
        packets += count(known[kind].nic->maps.reasons, OX_R_DIRECT);
        packets += count(known[kind].tap->maps.direct_reasons,
                         OX_DIRECT_NEAR_VM * OX_N_REASONS + OX_R_DIRECT);
    }
    return packets;
}

/* Measures what the programs cost with so many flows, which there are. */
static void
measure(uint32_t n_flows, double limit)
{
    struct contest contests[] = {
        { "look-up, MAC, redirect", MANY4, XDP_REDIRECT,
          bpf_program__fd(contest_bench->progs.reference), 0, { 0 } },
        { "TCP to a VM", TCP4, XDP_REDIRECT, bed_program(known[TCP4].nic),
          0, { 0 }, limit },
        { "UDP to a VM", UDP4, XDP_REDIRECT, bed_program(known[UDP4].nic),
          0, { 0 }, limit },
        { "TCP of a VM", OUT4, XDP_REDIRECT,
          bpf_program__fd(known[OUT4].tap->progs.vm_near), 0, { 0 }, limit },
        { "UDP over IPv6 to a VM", UDP6, XDP_REDIRECT,
          bed_program(known[UDP6].nic), 0, { 0 } },
        { "left to layer L1", TCP4, XDP_REDIRECT, bed_program(strange.nic),
          0, { 0 } },
        { "without layer L3", TCP4, XDP_REDIRECT, bed_program(plain), 0,
          { 0 } },
    };
    size_t n = sizeof contests / sizeof contests[0];
    uint64_t taken = count_direct();
    char detail[32];

    snprintf(detail, sizeof detail, "%u flow%s", n_flows,
             n_flows == 1 ? "" : "s");
    contest_run(contests, n, n_flows, contest_round);
    assert_int_equal(count_direct() - taken,
                     UINT64_C(4) * contest_rounds * CONTEST_REPEAT);
    contest_report(contests, n, "layer L3, net", detail);
}

/* Measures whole paths. */
static void
measure_paths(uint32_t n_flows)
{
    struct contest contests[] = {
        { "bare redirect", TCP4, XDP_REDIRECT,
          bpf_program__fd(contest_bench->progs.bare), 0, { 0 } },
        { "TCP to a VM", TCP4, XDP_REDIRECT, bed_program(known[TCP4].nic),
          n_flows == 1 ? GOAL : 0, { 0 } },
        { "without layer L3", TCP4, XDP_REDIRECT, bed_program(plain), 0,
          { 0 } },
    };
    size_t n = sizeof contests / sizeof contests[0];
    uint64_t taken = count_direct();
    char detail[32];

    snprintf(detail, sizeof detail, "%u flow%s", n_flows,
             n_flows == 1 ? "" : "s");
    contest_run(contests, n, n_flows, drain_live_round);
    assert_int_equal(count_direct() - taken,
                     (uint64_t) contest_rounds * CONTEST_LIVE_REPEAT);
    contest_report(contests, n, "layer L3, whole path of a frame", detail);
}

int
main(int argc, char *argv[])
{
    bed_enter();
    contest_open(argc, argv);
    load();
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        write_flows(sizes[i].n_flows);
        measure(sizes[i].n_flows, sizes[i].limit);
        measure_paths(sizes[i].n_flows);
    }
    ovn_xdp_bpf__destroy(plain);
    for (int kind = 0; kind < N_KNOWN; kind++) {
        unload_world(&known[kind]);
    }
    unload_world(&strange);
    drain_close();
    contest_close();
    return 0;
}
