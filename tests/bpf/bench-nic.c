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
#include <linux/if_link.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <cmocka.h>

#include "bpf/abi.h"
#include "bpf/sink.skel.h"
#include "tests/bpf/bed.h"
#include "tests/bpf/bench.h"
#include "tests/bpf/bench.skel.h"
#include "tests/bpf/figure.h"
#include "tests/bpf/packet.h"

/* Frames in a round.  So many because each test run of XDP costs the kernel
 * about a millisecond. */
#define REPEAT 100000

/* The same for real frames. */
#define LIVE_REPEAT 50000

/* Most rounds, and those of a quick measurement. */
#define MAX_ROUNDS 60
#define QUICK_ROUNDS 5

/* Most that IPv4 frames may cost, relative to the reference. */
#define GOAL 1.3

static const uint8_t nic_mac[6] = { 0x02, 0x4e, 0x49, 0x43, 0x00, 0x00 };
static const uint8_t other_mac[6] = { 0x02, 0x52, 0x54, 0x00, 0x00, 0x01 };

/* Row of the program that drops what was redirected. */
#define SINK 1

/* What frames a contest is about. */
enum frame_kind { IP4, IP4_TAGGED, IP6, IP4_NOT_LOCAL };

/* One line of the result. */
struct contest {
    const char *name;           /* What is measured. */
    enum frame_kind kind;       /* With which frames. */
    uint32_t verdict;           /* What the program must say. */
    int program;                /* The program. */
    double ns[MAX_ROUNDS];      /* Per frame, by round. */
};

static struct bench_bpf *bench;

/* The program, and again with endpoints in a VLAN: in one map the addresses of
 * both kinds would lengthen each other's chains.  And once more with a timeout
 * of a day, so that it looks at the heartbeat. */
static struct ovn_xdp_bpf *nic, *tagged, *timed;
static struct sink_bpf *sink;

/* Where frames are redirected to. */
static uint32_t target;

/* How many rounds there are. */
static int n_rounds = MAX_ROUNDS;

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

/* Makes the 'i'th frame of 'kind'. */
static void
make_frame(enum frame_kind kind, uint32_t i, struct packet *p)
{
    struct packet_ip4 ip = { .src = "192.0.2.1", .ttl = 64, .proto = 17 };
    struct packet_ip6 ip6 = { .src = "2001:db8:1::1", .hop_limit = 64,
                              .next = 17 };
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
}

/* Stores all frames where 'restore' takes them from. */
static void
make_frames(void)
{
    size_t size = BENCH_KINDS * BENCH_MAX_FRAMES * sizeof(struct bench_frame);
    struct bench_frame *frames;

    frames = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED,
                  bpf_map__fd(bench->maps.frames), 0);
    assert_true(frames != MAP_FAILED);
    for (int kind = 0; kind < BENCH_KINDS; kind++) {
        for (uint32_t i = 0; i < BENCH_MAX_FRAMES; i++) {
            struct packet p;

            make_frame(kind, i, &p);
            memcpy(frames[kind * BENCH_MAX_FRAMES + i].data, p.data, p.len);
        }
    }
    munmap(frames, size);
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
            bpf_map_update_elem(bpf_map__fd(bench->maps.macs), &key, &mac, 0);
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

/* Nanoseconds of processor time that this thread has had. */
static double
now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
    return ts.tv_sec * 1e9 + ts.tv_nsec;
}

/* Makes 'program' the one under test, with frames of 'kind'. */
static void
choose(enum frame_kind kind, int program)
{
    uint32_t slot = 0;

    bench->bss->first_frame = kind * BENCH_MAX_FRAMES;
    assert_int_equal(bpf_map_update_elem(bpf_map__fd(bench->maps.peer), &slot,
                                         &program, 0), 0);
}

/* Runs 'program' on frames of 'kind', with 'verdict'.  Returns nanoseconds per
 * frame.  The kernel's own figure is a whole number of nanoseconds, which is
 * too coarse. */
static double
run(enum frame_kind kind, int program, uint32_t verdict)
{
    LIBBPF_OPTS(bpf_test_run_opts, opts, .repeat = REPEAT);
    struct packet p;
    double start;

    make_frame(kind, 0, &p);
    opts.data_in = p.data;
    opts.data_size_in = p.len;
    choose(kind, program);
    start = now_ns();
    assert_int_equal(
        bpf_prog_test_run_opts(bpf_program__fd(bench->progs.restore), &opts),
        0);
    start = now_ns() - start;
    assert_int_equal(opts.retval, verdict);
    return start / REPEAT;
}

/* Runs one round of 'contest'.  Returns nanoseconds per frame beyond what the
 * empty program costs just before. */
static double
run_round(const struct contest *contest)
{
    double empty = run(contest->kind, bpf_program__fd(bench->progs.empty),
                       XDP_PASS);

    return run(contest->kind, contest->program, contest->verdict) - empty;
}

/* Returns how many frames the other end of the target has dropped. */
static uint64_t
count_dropped(void)
{
    static struct bed_counters counters;

    bed_read(nic, &counters);
    return counters.reasons[SINK * OX_N_REASONS + OX_R_PORT_SINK].packets;
}

/* Runs one round of 'contest' with real frames.  Returns nanoseconds per
 * frame. */
static double
run_live_round(const struct contest *contest)
{
    LIBBPF_OPTS(bpf_test_run_opts, opts, .repeat = LIVE_REPEAT,
                .flags = BPF_F_TEST_XDP_LIVE_FRAMES, .batch_size = 64);
    uint64_t dropped = count_dropped();
    struct packet p;

    make_frame(contest->kind, 0, &p);
    opts.data_in = p.data;
    opts.data_size_in = p.len;
    choose(contest->kind, contest->program);
    assert_int_equal(
        bpf_prog_test_run_opts(bpf_program__fd(bench->progs.restore), &opts),
        0);
    if (contest->verdict == XDP_REDIRECT) {
        assert_int_equal(count_dropped() - dropped, LIVE_REPEAT);
    }
    return opts.duration;
}

/* Runs all 'n' contests in turn, by 'round', with frames to 'n_flows'
 * addresses. */
static void
run_contests(struct contest *contests, size_t n, uint32_t n_flows,
             double (*round)(const struct contest *))
{
    bench->bss->frame_mask = n_flows - 1;
    for (int i = 0; i < n_rounds; i++) {
        for (size_t j = 0; j < n; j++) {
            contests[j].ns[i] = round(&contests[j]);
        }
    }
}

/* Prints a figure for each of the 'n' contests but the first, with which the
 * others are compared. */
static void
report(struct contest *contests, size_t n, const char *group, uint32_t n_flows)
{
    for (size_t i = 1; i < n; i++) {
        struct contest *contest = &contests[i];
        char name[64];

        snprintf(name, sizeof name, "%s, %u endpoint%s", contest->name,
                 n_flows, n_flows == 1 ? "" : "s");
        figure_print(&(struct figure) {
            .group = group,
            .name = name,
            .unit = "ns",
            .value = { contest->name, contest->ns, n_rounds },
            .reference = { contests[0].name, contests[0].ns, n_rounds },
            .goal = contest->program == bed_program(nic)
                    && contest->kind == IP4 ? GOAL : 0,
        });
    }
}

/* Makes the target, a veth whose other end drops everything. */
static void
make_target(void)
{
    LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = XDP_FLAGS_DRV_MODE);
    static const char command[] =
        "ip link add bench0 type veth peer name bench1 && "
        "for dev in bench0 bench1; do "
        "  ip link set $dev addrgenmode none && ip link set $dev up "
        "  || exit 1; done";

    assert_int_equal(system(command), 0);
    target = if_nametoindex("bench0");
    sink = sink_bpf__open();
    assert_non_null(sink);
    sink->rodata->nic_slot = SINK;
    assert_int_equal(bpf_map__reuse_fd(sink->maps.reasons,
                                       bpf_map__fd(nic->maps.reasons)), 0);
    assert_int_equal(sink_bpf__load(sink), 0);
    assert_true(bpf_link_create(bpf_program__fd(sink->progs.port_sink),
                                if_nametoindex("bench1"), BPF_XDP, &opts)
                >= 0);
}

/* Loads all programs. */
static void
load(void)
{
    const uint32_t one = 1;

    bench = bench_bpf__open_and_load();
    assert_non_null(bench);
    make_frames();
    nic = bed_load_sized(0, BENCH_MAX_FRAMES);
    tagged = bed_load_sized(0, BENCH_MAX_FRAMES);
    timed = bed_load_stale(0, UINT64_C(86400000000000), nic);
    assert_true(nic && tagged && timed);
    bed_beat(nic, now_monotonic_ns());
    make_target();
    bed_set_nic(nic, 0, nic_mac, one);
    bed_set_nic(tagged, 0, nic_mac, one);
    bed_add_target(nic, target);
    bed_add_target(tagged, target);
    assert_int_equal(bpf_map_update_elem(bpf_map__fd(bench->maps.devices),
                                         &one, &target, 0), 0);
}

/* Measures what a program costs, with 'n_flows' addresses in turn. */
static void
measure(uint32_t n_flows)
{
    int program = bed_program(nic);
    struct contest contests[] = {
        { "look-up, MAC, redirect", IP4, XDP_REDIRECT,
          bpf_program__fd(bench->progs.reference), { 0 } },
        { "IPv4", IP4, XDP_REDIRECT, program, { 0 } },
        { "IPv4 with a stale timeout", IP4, XDP_REDIRECT, bed_program(timed),
          { 0 } },
        { "IPv4 not local", IP4_NOT_LOCAL, XDP_PASS, program, { 0 } },
        { "IPv4 into a VLAN", IP4_TAGGED, XDP_REDIRECT, bed_program(tagged),
          { 0 } },
        { "IPv6", IP6, XDP_REDIRECT, program, { 0 } },
    };
    size_t n = sizeof contests / sizeof contests[0];

    set_endpoints(IP4, n_flows);
    set_endpoints(IP6, n_flows);
    set_endpoints(IP4_TAGGED, n_flows);
    run_contests(contests, n, n_flows, run_round);
    report(contests, n, "program, net", n_flows);
}

/* Measures whole paths. */
static void
measure_paths(void)
{
    int program = bed_program(nic);
    struct contest contests[] = {
        { "bare redirect", IP4, XDP_REDIRECT,
          bpf_program__fd(bench->progs.bare), { 0 } },
        { "look-up, MAC, redirect", IP4, XDP_REDIRECT,
          bpf_program__fd(bench->progs.reference), { 0 } },
        { "IPv4", IP4, XDP_REDIRECT, program, { 0 } },
        { "IPv4 into a VLAN", IP4_TAGGED, XDP_REDIRECT, bed_program(tagged),
          { 0 } },
        { "IPv6", IP6, XDP_REDIRECT, program, { 0 } },
    };
    size_t n = sizeof contests / sizeof contests[0];

    run_contests(contests, n, 1, run_live_round);
    report(contests, n, "whole path of a frame", 1);
}

int
main(int argc, char *argv[])
{
    bed_enter();
    if (argc > 1 && !strcmp(argv[1], "--quick")) {
        n_rounds = QUICK_ROUNDS;
    }
    load();
    measure(1);
    measure(1024);
    measure(BENCH_MAX_FRAMES);
    measure_paths();
    sink_bpf__destroy(sink);
    bench_bpf__destroy(bench);
    ovn_xdp_bpf__destroy(timed);
    ovn_xdp_bpf__destroy(nic);
    ovn_xdp_bpf__destroy(tagged);
    return 0;
}
