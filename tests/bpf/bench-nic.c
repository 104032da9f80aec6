/* SPDX-License-Identifier: Apache-2.0
 *
 * Measures what the NIC program costs per frame, beside the least that any
 * program could do (bench.bpf.c).  Needs root.
 *
 * All programs run in turn, many rounds: on a shared machine only the ratios
 * of one run mean something.  The cost in a round is the processor time, less
 * that of the empty program just before; the median over the rounds is the
 * result, and the quartiles tell how calm the machine was.
 *
 * Then the same programs send real frames into a veth whose other end drops
 * them: the whole path of a frame, of which the program is a part.
 *
 * Prints a line of JSON for each figure, as tests/bench/figures.py says. */

#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "bpf/abi.h"
#include "tests/bpf/bed.h"
#include "tests/bpf/contest.h"
#include "tests/bpf/drain.h"
#include "tests/bpf/packet.h"

/* Most that IPv4 frames may cost, relative to the reference. */
#define GOAL 1.3

static const uint8_t nic_mac[6] = { 0x02, 0x4e, 0x49, 0x43, 0x00, 0x00 };
static const uint8_t other_mac[6] = { 0x02, 0x52, 0x54, 0x00, 0x00, 0x01 };

/* What frames a contest is about. */
enum frame_kind { IP4, IP4_TAGGED, IP6, IP4_NOT_LOCAL };

/* The program, and again with endpoints in a VLAN: in one map the addresses of
 * both kinds would lengthen each other's chains.  And once more with a timeout
 * of a day, so that it looks at the heartbeat. */
static struct ovn_xdp_bpf *nic, *tagged, *timed;

/* Where frames are redirected to. */
static uint32_t target;

/* Stores the address of the 'i'th frame of 'kind' in 'text'. */
static void
name_address(enum frame_kind kind, uint32_t i, char *text, size_t size)
{
    static const int nets[] = { 10, 11, 0, 12 };

    if (kind == IP6) {
        snprintf(text, size, "2001:db8::%x:%x", i >> 8, i & 0xff);
    } else {
        snprintf(text, size, "%d.0.%u.%u", nets[kind], i >> 8 & 0xff,
                 i & 0xff);
    }
}

/* Makes the 'i'th frame of 'kind' at 'data'. */
static void
make_frame(int kind, uint32_t i, uint8_t *data)
{
    struct packet_ip4 ip = { .src = "192.0.2.1", .ttl = 64, .proto = 17 };
    struct packet_ip6 ip6 = { .src = "2001:db8:1::1", .hop_limit = 64,
                              .next = 17 };
    struct packet packet, *p = &packet;
    char address[64];

    name_address(kind, i, address, sizeof address);
    packet_eth(p, nic_mac, other_mac, 0, kind == IP6 ? 0x86dd : 0x0800);
    if (kind == IP6) {
        ip6.dst = address;
        ip6.payload = BENCH_FRAME_LEN - PACKET_ETH_LEN - PACKET_IP6_LEN;
        packet_ip6(p, &ip6);
    } else {
        ip.dst = address;
        ip.payload = BENCH_FRAME_LEN - PACKET_ETH_LEN - PACKET_IP4_LEN;
        packet_ip4(p, &ip);
    }
    packet_pad(p, BENCH_FRAME_LEN);
    memcpy(data, p->data, BENCH_FRAME_LEN);
}

/* Makes the addresses of 'n' frames of 'kind' known to all programs. */
static void
set_endpoints(enum frame_kind kind, uint32_t n)
{
    struct ox_endpoint endpoint = { .ifindex = target, .mtu = 1500 };
    const struct bench_mac mac = { .head = 0x12345678, .tail = 0x9abc };
    char text[64];
    uint32_t key;

    endpoint.vlan = kind == IP4_TAGGED ? 100 : 0;
    for (uint32_t i = 0; i < n; i++) {
        name_address(kind, i, text, sizeof text);
        endpoint.slot = i % BENCH_MAX_FRAMES;
        bed_add_endpoint(kind == IP4_TAGGED ? tagged : nic, text, &endpoint);
        if (kind == IP4) {
            inet_pton(AF_INET, text, &key);
            bpf_map_update_elem(bpf_map__fd(contest_bench->maps.macs), &key,
                                &mac, 0);
        }
    }
}

/* Nanoseconds of the monotonic clock. */
static uint64_t
now_monotonic_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * UINT64_C(1000000000) + ts.tv_nsec;
}

/* Loads all programs. */
static void
load(void)
{
    const uint32_t one = 1;

    for (int kind = IP4; kind <= IP4_NOT_LOCAL; kind++) {
        contest_make_frames(kind, BENCH_MAX_FRAMES, make_frame);
    }
    nic = bed_load_sized(0, BENCH_MAX_FRAMES);
    tagged = bed_load_sized(0, BENCH_MAX_FRAMES);
    timed = bed_load_stale(0, UINT64_C(86400000000000), nic);
    assert_true(nic && tagged && timed);
    bed_beat(nic, now_monotonic_ns());
    target = drain_open();
    bed_set_nic(nic, 0, nic_mac, one);
    bed_set_nic(tagged, 0, nic_mac, one);
    bed_add_target(nic, target);
    bed_add_target(tagged, target);
    assert_int_equal(
        bpf_map_update_elem(bpf_map__fd(contest_bench->maps.devices), &one,
                            &target, 0), 0);
}

/* Measures what a program costs, with 'n_flows' addresses in turn. */
static void
measure(uint32_t n_flows)
{
    int program = bed_program(nic);
    struct contest contests[] = {
        { "look-up, MAC, redirect", IP4, XDP_REDIRECT,
          bpf_program__fd(contest_bench->progs.reference), 0, { 0 } },
        { "IPv4", IP4, XDP_REDIRECT, program, GOAL, { 0 } },
        { "IPv4 with a stale timeout", IP4, XDP_REDIRECT, bed_program(timed),
          0, { 0 } },
        { "IPv4 not local", IP4_NOT_LOCAL, XDP_PASS, program, 0, { 0 } },
        { "IPv4 into a VLAN", IP4_TAGGED, XDP_REDIRECT, bed_program(tagged),
          0, { 0 } },
        { "IPv6", IP6, XDP_REDIRECT, program, 0, { 0 } },
    };
    size_t n = sizeof contests / sizeof contests[0];
    char detail[32];

    set_endpoints(IP4, n_flows);
    set_endpoints(IP6, n_flows);
    set_endpoints(IP4_TAGGED, n_flows);
    snprintf(detail, sizeof detail, "%u endpoint%s", n_flows,
             n_flows == 1 ? "" : "s");
    contest_run(contests, n, n_flows, contest_round);
    contest_report(contests, n, "program, net", detail);
}

/* Measures whole paths. */
static void
measure_paths(void)
{
    int program = bed_program(nic);
    struct contest contests[] = {
        { "bare redirect", IP4, XDP_REDIRECT,
          bpf_program__fd(contest_bench->progs.bare), 0, { 0 } },
        { "look-up, MAC, redirect", IP4, XDP_REDIRECT,
          bpf_program__fd(contest_bench->progs.reference), 0, { 0 } },
        { "IPv4", IP4, XDP_REDIRECT, program, GOAL, { 0 } },
        { "IPv4 into a VLAN", IP4_TAGGED, XDP_REDIRECT, bed_program(tagged),
          0, { 0 } },
        { "IPv6", IP6, XDP_REDIRECT, program, 0, { 0 } },
    };
    size_t n = sizeof contests / sizeof contests[0];

    contest_run(contests, n, 1, drain_live_round);
    contest_report(contests, n, "whole path of a frame", "1 endpoint");
}

int
main(int argc, char *argv[])
{
    bed_enter();
    contest_open(argc, argv);
    load();
    measure(1);
    measure(1024);
    measure(BENCH_MAX_FRAMES);
    measure_paths();
    drain_close();
    ovn_xdp_bpf__destroy(timed);
    ovn_xdp_bpf__destroy(nic);
    ovn_xdp_bpf__destroy(tagged);
    contest_close();
    return 0;
}
