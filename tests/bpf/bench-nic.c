/* SPDX-License-Identifier: Apache-2.0
 *
 * Measures what the NIC program costs per frame, beside the least that any
 * program could do (bench.bpf.c).  Needs root.
 *
 * All programs run in turn, many rounds: on a shared machine only the ratios
 * of one run mean something.  The cost in a round is the processor time, less
 * that of the empty program in the same round; the median over the rounds is
 * the result, and the quartiles tell how calm the machine was.
 *
 * Then the same programs send real frames into a veth whose other end drops
 * them: the whole path of a frame, of which the program is a part. */

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
#include <time.h>
#include <cmocka.h>

#include "bpf/abi.h"
#include "bpf/sink.skel.h"
#include "tests/bpf/bed.h"
#include "tests/bpf/bench.h"
#include "tests/bpf/bench.skel.h"
#include "tests/bpf/packet.h"

/* Rounds, and frames in each. */
#define ROUNDS 100
#define REPEAT 10000

/* The same for real frames. */
#define LIVE_ROUNDS 20
#define LIVE_REPEAT 200000

static const uint8_t nic_mac[6] = { 0x02, 0x4e, 0x49, 0x43, 0x00, 0x00 };
static const uint8_t other_mac[6] = { 0x02, 0x52, 0x54, 0x00, 0x00, 0x01 };

/* Row of the program that drops what was redirected. */
#define SINK 1

/* What a line of the result is about. */
enum frame_kind { IP4, IP4_TAGGED, IP6, IP4_NOT_LOCAL };

/* One line of the result. */
struct contest {
    const char *name;           /* What is measured. */
    enum frame_kind kind;       /* With which frames. */
    uint32_t verdict;           /* What the program must say. */
    int program;                /* The program. */
    double ns[ROUNDS];          /* Per frame, by round. */
};

static struct bench_bpf *bench;
static struct ovn_xdp_bpf *nic;
static struct sink_bpf *sink;

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

/* Stores the 'n' frames of 'kind' where 'restore' takes them from. */
static void
set_frames(enum frame_kind kind, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        struct bench_frame frame = { 0 };
        struct packet p;

        make_frame(kind, i, &p);
        memcpy((uint8_t *) &frame + offsetof(struct bench_frame, eth), p.data,
               BENCH_FRAME_LEN);
        assert_int_equal(bpf_map_update_elem(bpf_map__fd(bench->maps.frames),
                                             &i, &frame, 0), 0);
    }
    bench->bss->frame_mask = n - 1;
    bench->bss->next_frame = 0;
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
        bed_add_endpoint(nic, text, &endpoint);
        if (kind == IP4) {
            inet_pton(AF_INET, text, &key);
            bpf_map_update_elem(bpf_map__fd(bench->maps.macs), &key, &mac, 0);
        }
    }
}

/* Nanoseconds of processor time that this thread has had. */
static double
now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
    return ts.tv_sec * 1e9 + ts.tv_nsec;
}

/* Runs one round of 'contest'.  Returns nanoseconds per frame.  The kernel's
 * own figure is a whole number of nanoseconds, which is too coarse. */
static double
run_round(const struct contest *contest)
{
    LIBBPF_OPTS(bpf_test_run_opts, opts, .repeat = REPEAT);
    struct packet p;
    uint32_t slot = 0;
    double start;

    make_frame(contest->kind, 0, &p);
    opts.data_in = p.data;
    opts.data_size_in = p.len;
    assert_int_equal(bpf_map_update_elem(bpf_map__fd(bench->maps.peer), &slot,
                                         &contest->program, 0), 0);
    start = now_ns();
    assert_int_equal(
        bpf_prog_test_run_opts(bpf_program__fd(bench->progs.restore), &opts),
        0);
    start = now_ns() - start;
    assert_int_equal(opts.retval, contest->verdict);
    return start / REPEAT;
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
    uint32_t slot = 0;

    make_frame(contest->kind, 0, &p);
    opts.data_in = p.data;
    opts.data_size_in = p.len;
    assert_int_equal(bpf_map_update_elem(bpf_map__fd(bench->maps.peer), &slot,
                                         &contest->program, 0), 0);
    assert_int_equal(
        bpf_prog_test_run_opts(bpf_program__fd(bench->progs.restore), &opts),
        0);
    if (contest->verdict == XDP_REDIRECT) {
        assert_int_equal(count_dropped() - dropped, LIVE_REPEAT);
    }
    return opts.duration;
}

static int
compare(const void *a, const void *b)
{
    const double *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

/* Prints what a frame's whole path costs with each of 'n' contests. */
static void
measure_live(struct contest *contests, size_t n)
{
    double reference = 0;

    printf("the whole path of a frame\n%-24s %8s %8s\n", "nanoseconds",
           "median", "ratio");
    for (int round = 0; round < LIVE_ROUNDS; round++) {
        for (size_t i = 0; i < n; i++) {
            set_frames(contests[i].kind, 1);
            contests[i].ns[round] = run_live_round(&contests[i]);
        }
    }
    for (size_t i = 0; i < n; i++) {
        double median;

        qsort(contests[i].ns, LIVE_ROUNDS, sizeof contests[i].ns[0], compare);
        median = contests[i].ns[LIVE_ROUNDS / 2];
        reference = i ? reference : median;
        printf("%-24s %8.0f %8.2f\n", contests[i].name, median,
               median / reference);
    }
}

/* Runs all 'n' contests with 'n_flows' frames in turn. */
static void
run_contests(struct contest *contests, size_t n, uint32_t n_flows)
{
    for (int round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < n; i++) {
            if (!i || contests[i].kind != contests[i - 1].kind || !round) {
                set_frames(contests[i].kind, n_flows);
            }
            contests[i].ns[round] = run_round(&contests[i]);
        }
    }
}

/* Replaces the times of all contests but the first by what they exceed it,
 * and sorts them. */
static void
reduce(struct contest *contests, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        for (int round = 0; round < ROUNDS; round++) {
            contests[i].ns[round] -= contests[0].ns[round];
        }
        qsort(contests[i].ns, ROUNDS, sizeof contests[i].ns[0], compare);
    }
}

/* Prints the results; the first contest is the empty program, the second the
 * one that the others are compared with. */
static void
report(struct contest *contests, size_t n, uint32_t n_flows)
{
    reduce(contests, n);
    printf("%u flows\n%-24s %8s %8s %8s %8s\n", n_flows, "nanoseconds",
           "median", "25%", "75%", "ratio");
    for (size_t i = 1; i < n; i++) {
        const double *ns = contests[i].ns;

        printf("%-24s %8.1f %8.1f %8.1f %8.2f\n", contests[i].name,
               ns[ROUNDS / 2], ns[ROUNDS / 4], ns[ROUNDS * 3 / 4],
               ns[ROUNDS / 2] / contests[1].ns[ROUNDS / 2]);
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
    nic = bed_load_sized(0, BENCH_MAX_FRAMES);
    assert_non_null(nic);
    make_target();
    bed_set_nic(nic, 0, nic_mac, one);
    bed_add_target(nic, target);
    assert_int_equal(bpf_map_update_elem(bpf_map__fd(bench->maps.devices),
                                         &one, &target, 0), 0);
}

/* Runs everything with 'n_flows' destination addresses in turn. */
static void
measure(uint32_t n_flows)
{
    int empty = bpf_program__fd(bench->progs.empty);
    int reference = bpf_program__fd(bench->progs.reference);
    int program = bed_program(nic);
    struct contest contests[] = {
        { "empty", IP4, XDP_PASS, empty, { 0 } },
        { "reference", IP4, XDP_REDIRECT, reference, { 0 } },
        { "nic_redirect IPv4", IP4, XDP_REDIRECT, program, { 0 } },
        { "nic_redirect not local", IP4_NOT_LOCAL, XDP_PASS, program, { 0 } },
        { "nic_redirect IPv4, tag", IP4_TAGGED, XDP_REDIRECT, program,
          { 0 } },
        { "nic_redirect IPv6", IP6, XDP_REDIRECT, program, { 0 } },
    };
    size_t n = sizeof contests / sizeof contests[0];

    set_endpoints(IP4, n_flows);
    set_endpoints(IP6, n_flows);
    set_endpoints(IP4_TAGGED, n_flows);
    run_contests(contests, n, n_flows);
    report(contests, n, n_flows);
}

/* Measures whole paths. */
static void
measure_paths(void)
{
    int program = bed_program(nic);
    struct contest contests[] = {
        { "reference", IP4, XDP_REDIRECT,
          bpf_program__fd(bench->progs.reference), { 0 } },
        { "nic_redirect IPv4", IP4, XDP_REDIRECT, program, { 0 } },
        { "nic_redirect IPv4, tag", IP4_TAGGED, XDP_REDIRECT, program,
          { 0 } },
        { "nic_redirect IPv6", IP6, XDP_REDIRECT, program, { 0 } },
    };

    measure_live(contests, sizeof contests / sizeof contests[0]);
}

int
main(void)
{
    bed_enter();
    load();
    measure(1);
    measure(1024);
    measure_paths();
    sink_bpf__destroy(sink);
    bench_bpf__destroy(bench);
    ovn_xdp_bpf__destroy(nic);
    return 0;
}
