/* SPDX-License-Identifier: Apache-2.0
 *
 * Measures how many frames per second one processor brings from the NIC into
 * the bridge's device: by the NIC program, native and generic, beside the
 * kernel's rule, route and neighbour entry.  Needs root.
 *
 * Into a tap, as the bridge's own device is with the userspace datapath, where
 * a thread reads as ovs-vswitchd would; and into a veth with GRO at its far
 * end, as the managed port is.  Each frame has to arrive.
 *
 * The kernel's test run of XDP makes the frames, for all in the same way: its
 * program is the NIC's own for native mode, and one that passes everything to
 * the stack for the others.  Prints figures as tests/bench/figures.py says. */

#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <bpf/bpf.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "bpf/abi.h"
#include "tests/bpf/bed.h"
#include "tests/bpf/bench.h"
#include "tests/bpf/bench.skel.h"
#include "tests/bpf/figure.h"
#include "tests/bpf/packet.h"

/* Frames in a round; the tap's queue holds them all. */
#define REPEAT 4096

/* Most rounds, and those of a quick measurement. */
#define MAX_ROUNDS 100
#define QUICK_ROUNDS 10

/* Longest time in which the frames of a round arrive. */
#define PATIENCE_S 20

/* Where frames go: the bridge's device or the managed port. */
enum way { TAP, VETH, N_WAYS };

/* The device and an address behind it, by enum way. */
static const char *const devices[] = { "br-ex", "out0" };
static const char *const addresses[] = { "10.0.0.1", "10.0.0.2" };

/* How frames get there.  Each has a NIC of its own: one that carries a generic
 * program is not the kernel's way any more. */
enum means { KERNEL, NATIVE, GENERIC, N_MEANS };

static const char *const nics[] = { "nic0", "nic0", "nic1" };
static const char *const names[] = {
    "rule, route, neighbour", "native", "generic"
};

static const uint8_t nic_mac[6] = { 0x02, 0x4e, 0x49, 0x43, 0x00, 0x00 };
static const uint8_t router_mac[6] = { 0x02, 0x52, 0x54, 0x00, 0x00, 0x01 };
static const uint8_t vm_mac[6] = { 0xfa, 0x16, 0x3e, 0x00, 0x00, 0x01 };

static struct bench_bpf *bench;
static struct ovn_xdp_bpf *native, *generic;

/* Frames that have been read from the tap. */
static atomic_uint_fast64_t n_read;

/* Runs a shell command, which must succeed. */
static void
run(const char *command)
{
    if (system(command)) {
        fail_msg("failed: %s", command);
    }
}

/* Reads the frames of the tap '*fdp' for ever. */
static void *
read_tap(void *fdp)
{
    static uint8_t frame[PACKET_MAX];
    int fd = *(int *) fdp;

    while (read(fd, frame, sizeof frame) > 0) {
        atomic_fetch_add(&n_read, 1);
    }
    return NULL;
}

/* Makes the tap, and the thread that reads from it. */
static void
make_tap(void)
{
    static struct ifreq ifr = {
        .ifr_name = "br-ex", .ifr_flags = IFF_TAP | IFF_NO_PI
    };
    static int fd;
    pthread_t thread;

    fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(ioctl(fd, TUNSETIFF, &ifr), 0);
    assert_int_equal(pthread_create(&thread, NULL, read_tap, &fd), 0);
}

/* Makes the devices, and the kernel's way to each of the addresses. */
static void
make_devices(void)
{
    make_tap();
    run("for pair in nic0:wan0 nic1:wan1 out0:in0; do "
        "  ip link add ${pair%:*} type veth peer name ${pair#*:} && "
        "  ethtool -K ${pair#*:} gro on && "
        "  ip link set ${pair%:*} address 02:4e:49:43:00:00 || exit 1; "
        "done; "
        "for dev in nic0 wan0 nic1 wan1 out0 in0 br-ex; do "
        "  ip link set $dev addrgenmode none txqueuelen 8192 && "
        "  ip link set $dev up || exit 1; "
        "done; "
        "sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0 "
        "  net.ipv4.conf.nic0.rp_filter=0 net.ipv4.conf.nic1.rp_filter=0; "
        "ip route add 192.0.2.0/24 dev nic0");
    for (int way = 0; way < N_WAYS; way++) {
        char command[512];

        snprintf(command, sizeof command,
                 "ip rule add to %s lookup 100 prio 32000 && "
                 "ip route add %s dev %s table 100 && "
                 "ip neigh replace %s lladdr fa:16:3e:00:00:01 nud permanent "
                 "dev %s", addresses[way], addresses[way], devices[way],
                 addresses[way], devices[way]);
        run(command);
    }
}

/* Makes the addresses known to 'skel'. */
static void
add_endpoints(const struct ovn_xdp_bpf *skel)
{
    for (int way = 0; way < N_WAYS; way++) {
        struct ox_endpoint endpoint = {
            .ifindex = if_nametoindex(devices[way]),
            .slot = way,
            .mtu = 1500,
        };

        memcpy(endpoint.dmac, vm_mac, sizeof endpoint.dmac);
        memcpy(endpoint.smac, nic_mac, sizeof endpoint.smac);
        bed_add_endpoint(skel, addresses[way], &endpoint);
        bed_add_target(skel, endpoint.ifindex);
    }
}

/* Loads the programs, and attaches the generic one to its NIC. */
static void
load(void)
{
    LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = XDP_FLAGS_SKB_MODE);

    bench = bench_bpf__open_and_load();
    native = bed_load(0, NULL);
    assert_true(bench && native);
    bed_set_nic(native, 0, nic_mac, if_nametoindex(nics[NATIVE]));
    add_endpoints(native);
    generic = bed_load_generic(0, native);
    assert_non_null(generic);
    assert_true(bpf_link_create(bed_program(generic),
                                if_nametoindex(nics[GENERIC]), BPF_XDP, &opts)
                >= 0);
}

/* Makes 'p' the frame to the address behind 'way'. */
static void
make_frame(enum way way, struct packet *p)
{
    const struct packet_ip4 ip = {
        .src = "192.0.2.1", .dst = addresses[way], .ttl = 64, .proto = 17,
        .payload = BENCH_FRAME_LEN - PACKET_ETH_LEN - PACKET_IP4_LEN,
    };

    packet_eth(p, nic_mac, router_mac, 0, 0x0800);
    packet_ip4(p, &ip);
    packet_pad(p, BENCH_FRAME_LEN);
}

/* Has 'restore' make frames to 'way' and hand them to 'program'. */
static void
choose(enum way way, int program)
{
    struct packet p;
    uint32_t zero = 0;

    make_frame(way, &p);
    bench->bss->frame_mask = 0;
    assert_int_equal(bpf_map_update_elem(bpf_map__fd(bench->maps.frames),
                                         &zero, p.data, 0), 0);
    assert_int_equal(bpf_map_update_elem(bpf_map__fd(bench->maps.peer), &zero,
                                         &program, 0), 0);
}

/* Returns how many packets device 'name' has received. */
static uint64_t
count_received(const char *name)
{
    FILE *stream = fopen("/proc/self/net/dev", "r");
    unsigned long long bytes, packets = 0;
    char line[512], device[64];

    assert_non_null(stream);
    while (fgets(line, sizeof line, stream)) {
        if (sscanf(line, " %63[^:]: %llu %llu", device, &bytes, &packets) == 3
            && !strcmp(device, name)) {
            break;
        }
    }
    fclose(stream);
    return packets;
}

/* Returns how many frames have arrived by 'way'. */
static uint64_t
count_arrived(enum way way)
{
    return way == TAP ? atomic_load(&n_read) : count_received("in0");
}

/* Waits until 'way' has brought 'n' frames in all. */
static void
await_arrived(enum way way, uint64_t n)
{
    time_t deadline = time(NULL) + PATIENCE_S;

    while (count_arrived(way) < n) {
        if (time(NULL) > deadline) {
            fail_msg("%s: %llu of %llu frames have arrived", devices[way],
                     (unsigned long long) count_arrived(way),
                     (unsigned long long) n);
        }
        poll(NULL, 0, 1);
    }
}

/* Sends frames to 'way' by 'means'.  Returns millions of frames per second. */
static double
measure(enum way way, enum means means)
{
    struct xdp_md ctx = {
        .data_end = BENCH_FRAME_LEN,
        .ingress_ifindex = if_nametoindex(nics[means]),
    };
    LIBBPF_OPTS(bpf_test_run_opts, opts, .repeat = REPEAT,
                .flags = BPF_F_TEST_XDP_LIVE_FRAMES, .batch_size = 64,
                .ctx_in = &ctx, .ctx_size_in = sizeof ctx);
    uint64_t before = count_arrived(way);
    struct packet p;

    make_frame(way, &p);
    opts.data_in = p.data;
    opts.data_size_in = p.len;
    choose(way, means == NATIVE ? bed_program(native)
                : bpf_program__fd(bench->progs.empty));
    assert_int_equal(
        bpf_prog_test_run_opts(bpf_program__fd(bench->progs.restore), &opts),
        0);
    await_arrived(way, before + REPEAT);
    return 1e3 / opts.duration;
}

/* Prints the figures of 'way', 'n' samples each. */
static void
report(enum way way, double samples[N_MEANS][MAX_ROUNDS], int n)
{
    for (int means = KERNEL + 1; means < N_MEANS; means++) {
        char name[64];

        snprintf(name, sizeof name, "%s into a %s", names[means],
                 way == TAP ? "tap" : "veth (managed port)");
        figure_print(&(struct figure) {
            .group = "NIC to bridge device, one processor",
            .name = name,
            .unit = "million frames per second",
            .value = { names[means], samples[means], n },
            .reference = { names[KERNEL], samples[KERNEL], n },
        });
    }
}

int
main(int argc, char *argv[])
{
    static double samples[N_WAYS][N_MEANS][MAX_ROUNDS];
    int n = argc > 1 && !strcmp(argv[1], "--quick") ? QUICK_ROUNDS
            : MAX_ROUNDS;

    bed_enter();
    make_devices();
    load();
    for (int round = 0; round < n; round++) {
        for (int way = 0; way < N_WAYS; way++) {
            for (int means = 0; means < N_MEANS; means++) {
                samples[way][means][round] = measure(way, means);
            }
        }
    }
    for (int way = 0; way < N_WAYS; way++) {
        report(way, samples[way], n);
    }
    return 0;
}
