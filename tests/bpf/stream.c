/* SPDX-License-Identifier: Apache-2.0 */
/* Measures how many of the shortest frames get from one network namespace to
 * another in a second; the bench of layer L3 calls it.
 *
 * usage: stream FROM TO MAC SOURCE DESTINATION FLOWS SECONDS
 *               [FROM2 NIC TARGET]
 *
 * FROM and TO are devices, by NETNS:DEVICE, where NETNS is a name of "ip
 * netns".  Sends UDP from IPv4 address SOURCE to DESTINATION, to MAC, out of
 * FROM as fast as it can, in FLOWS flows, a power of two; drops and counts
 * what of that comes to TO.  With FROM2 it does so by turns out of that
 * device, too: what then comes to NIC, NIC redirects to TARGET and does
 * nothing else.
 *
 * Begins to count after a moment.  Prints for each turn 0 (FROM) or 1 (FROM2),
 * how many frames were sent, how many arrived, and in how many nanoseconds. */
#include <config.h>

#include "tests/bpf/stream.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <netinet/ether.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/bpf/packet.h"
#include "tests/bpf/stream.skel.h"

/* Frames that are sent at once. */
#define BURST 16384

/* How long it sends before it counts, and how long a turn is, in ns. */
#define WARM_NS INT64_C(300000000)
#define TURN_NS INT64_C(50000000)

static struct stream_bpf *skel;

/* Ends the program: 'what' failed, for the reason in errno. */
static void
fail(const char *what)
{
    fprintf(stderr, "stream: %s: %s\n", what, strerror(errno));
    exit(EXIT_FAILURE);
}

/* Nanoseconds of the monotonic clock. */
static int64_t
now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

/* Enters the namespace of 'device', NETNS:DEVICE.  Returns the ifindex. */
static uint32_t
enter(const char *device)
{
    const char *name = strchr(device, ':');
    uint32_t ifindex;
    char path[256];
    int fd;

    if (!name) {
        errno = EINVAL;
        fail(device);
    }
    snprintf(path, sizeof path, "/run/netns/%.*s", (int) (name - device),
             device);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || setns(fd, CLONE_NEWNET)) {
        fail(path);
    }
    close(fd);
    ifindex = if_nametoindex(name + 1);
    if (!ifindex) {
        fail(device);
    }
    return ifindex;
}

/* Has 'device' run 'program' until this process ends. */
static void
attach(const char *device, const struct bpf_program *program)
{
    LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = XDP_FLAGS_DRV_MODE);
    uint32_t ifindex = enter(device);

    if (bpf_link_create(bpf_program__fd(program), ifindex, BPF_XDP, &opts)
        < 0) {
        fail(device);
    }
}

/* Lets programs redirect to 'device' by 'key', and enters its namespace. */
static void
set_device(uint32_t key, const char *device)
{
    uint32_t ifindex = enter(device);

    if (bpf_map_update_elem(bpf_map__fd(skel->maps.devices), &key, &ifindex,
                            0)) {
        fail(device);
    }
}

/* Returns the sum that struct stream_frame's UDP checksum consists of, without
 * the source port. */
static uint16_t
sum_frame(const struct stream_frame *frame)
{
    struct {
        struct in_addr src, dst; /* As in the IP header. */
        uint16_t proto;         /* Protocol, network order. */
        uint16_t pseudo_len;    /* Length of UDP, likewise. */
        uint16_t dest;          /* Destination port. */
        uint16_t len;           /* Length of UDP, once more. */
    } covered = {
        .src.s_addr = frame->ip.saddr, .dst.s_addr = frame->ip.daddr,
        .proto = htons(IPPROTO_UDP), .pseudo_len = frame->udp.len,
        .dest = frame->udp.dest, .len = frame->udp.len,
    };
    uint16_t sum = packet_checksum((const uint8_t *) &covered,
                                   sizeof covered);

    return ~htons(sum);
}

/* Makes the frame. */
static void
make_frame(const char *mac, const char *source, const char *destination)
{
    struct stream_frame *frame = &skel->bss->frame;
    const struct ether_addr *addr = ether_aton(mac);
    struct packet p;

    if (!addr) {
        errno = EINVAL;
        fail(mac);
    }
    packet_eth(&p, addr->ether_addr_octet,
               (const uint8_t[]) { 2, 0x52, 0x54, 0, 0, 1 }, 0, ETH_P_IP);
    packet_ip4(&p, &(struct packet_ip4) {
        .src = source, .dst = destination, .ttl = 64, .proto = IPPROTO_UDP,
        .payload = ETH_ZLEN - PACKET_ETH_LEN - PACKET_IP4_LEN,
    });
    packet_pad(&p, ETH_ZLEN);
    memcpy(frame, p.data, sizeof *frame);
    frame->udp.dest = htons(STREAM_PORT);
    frame->udp.len = htons(sizeof frame->udp + sizeof frame->payload);
    skel->bss->frame_sum = sum_frame(frame);
}

/* Sends a burst. */
static void
send_burst(void)
{
    LIBBPF_OPTS(bpf_test_run_opts, opts, .repeat = BURST,
                .flags = BPF_F_TEST_XDP_LIVE_FRAMES, .batch_size = 64,
                .data_in = &skel->bss->frame,
                .data_size_in = sizeof skel->bss->frame);

    if (bpf_prog_test_run_opts(bpf_program__fd(skel->progs.stream_send),
                               &opts)) {
        fail("sending");
    }
}

/* Sends for 'ns' nanoseconds.  Returns how many bursts that were. */
static uint64_t
send_for(int64_t ns)
{
    int64_t end = now_ns() + ns;
    uint64_t n = 0;

    do {
        send_burst();
        n++;
    } while (now_ns() < end);
    return n;
}

/* Returns how many frames have arrived. */
static uint64_t
count_caught(void)
{
    int n_cpus = libbpf_num_possible_cpus();
    uint64_t *values = calloc(n_cpus, sizeof *values);
    uint64_t sum = 0;

    if (!values || bpf_map_lookup_elem(bpf_map__fd(skel->maps.caught),
                                       &(uint32_t) { 0 }, values)) {
        fail("counting");
    }
    for (int i = 0; i < n_cpus; i++) {
        sum += values[i];
    }
    free(values);
    return sum;
}

/* Has the 'i'th of the devices send for a turn, and prints what came of it. */
static void
take_turn(int i, char *devices[2])
{
    uint64_t caught = count_caught(), n;
    int64_t start;

    set_device(STREAM_WIRE, devices[i]);
    start = now_ns();
    n = send_for(TURN_NS);
    printf("%d %"PRIu64" %"PRIu64" %"PRId64"\n", i, n * BURST,
           count_caught() - caught, now_ns() - start);
}

/* Measures for 'seconds', by turns if there are two devices. */
static void
measure(double seconds, char *devices[2])
{
    int64_t end;

    set_device(STREAM_WIRE, devices[0]);
    send_for(WARM_NS);
    end = now_ns() + seconds * 1e9;
    do {
        take_turn(0, devices);
        if (devices[1]) {
            take_turn(1, devices);
        }
    } while (now_ns() < end);
}

/* See the top of this file. */
int
main(int argc, char *argv[])
{
    bool by_turns = argc == 11;

    if (argc != 8 && !by_turns) {
        fprintf(stderr, "usage: %s FROM TO MAC SOURCE DESTINATION FLOWS "
                "SECONDS [FROM2 NIC TARGET]\n", argv[0]);
        return 2;
    }
    skel = stream_bpf__open_and_load();
    if (!skel) {
        fail("loading");
    }
    make_frame(argv[3], argv[4], argv[5]);
    skel->bss->flow_mask = atoi(argv[6]) - 1;
    attach(argv[2], skel->progs.stream_catch);
    if (by_turns) {
        set_device(STREAM_TARGET, argv[10]);
        attach(argv[9], skel->progs.stream_bare);
    }
    measure(atof(argv[7]), (char *[2]) { argv[1], by_turns ? argv[8] : NULL });
    return EXIT_SUCCESS;
}
