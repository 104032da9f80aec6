/* SPDX-License-Identifier: Apache-2.0
 *
 * The XDP program of a tap on a real one: short frames come out at a NIC as
 * long as NICs take them, and show nothing of the memory that they lie in. */

#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "tests/bpf/bed.h"
#include "tests/bpf/flow-bed.h"

/* Longest wait for a frame, in ms. */
#define PATIENCE_MS 10000

/* Frames that fill memory before short ones are sent. */
#define N_DIRTY 200

/* The tap: its end in the VM, its ifindex and what is attached to it. */
static int tap, tap_ifindex, link_fd;

/* Socket behind the NIC. */
static int at_wire;

/* Makes the tap. */
static void
make_tap(void)
{
    struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI,
                         .ifr_name = "flowtap" };

    tap = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
    assert_true(tap >= 0);
    assert_int_equal(ioctl(tap, TUNSETIFF, &ifr), 0);
    assert_int_equal(system("ip link set flowtap addrgenmode none up && "
                            "ethtool -K flownic1 gro on"), 0);
    tap_ifindex = if_nametoindex("flowtap");
}

static int
set_up(void **state)
{
    LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = XDP_FLAGS_DRV_MODE);
    struct sockaddr_ll address = { .sll_family = AF_PACKET,
                                   .sll_protocol = htons(ETH_P_ALL) };

    flow_set_up(state);
    make_tap();
    link_fd = bpf_link_create(
        bpf_program__fd(flow_skel->progs.vm_near), tap_ifindex, BPF_XDP,
        &opts);
    assert_true(link_fd >= 0);
    address.sll_ifindex = if_nametoindex("flownic1");
    at_wire = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    assert_true(at_wire >= 0);
    assert_int_equal(bind(at_wire, (struct sockaddr *) &address,
                          sizeof address), 0);
    return 0;
}

static int
tear_down(void **state)
{
    close(at_wire);
    close(link_fd);
    close(tap);
    return flow_tear_down(state);
}

/* Fills memory that frames lie in with ones. */
static void
make_dirty(void)
{
    static uint8_t frame[1400];

    memset(frame, 0xff, sizeof frame);
    for (int i = 0; i < N_DIRTY; i++) {
        assert_int_equal(write(tap, frame, sizeof frame), sizeof frame);
    }
}

/* Puts the flow of 'f', which comes from the tap. */
static void
put_flow(const struct flow_vm *vm, const struct flow_frame *f)
{
    struct ox_flow flow = flow_used(vm, f, true);
    struct ox_flow4_key key;
    uint8_t any[sizeof(struct ox_flow6_key)];

    flow_key(vm, f, true, any);
    memcpy(&key, any, sizeof key);
    key.scope = tap_ifindex;
    flow.head = UINT64_C(0x7700000000) | ox_flow4_check(&key);
    assert_int_equal(
        bpf_map_update_elem(bpf_map__fd(flow_skel->maps.flows4), &key, &flow,
                            BPF_ANY), 0);
}

/* Asserts that the next frame of IPv4 on the wire is 'want'. */
static void
await_frame(const struct packet *want)
{
    struct pollfd ready = { .fd = at_wire, .events = POLLIN };
    uint8_t got[PACKET_MAX];
    ssize_t n;

    do {
        assert_int_equal(poll(&ready, 1, PATIENCE_MS), 1);
        n = recv(at_wire, got, sizeof got, 0);
        assert_true(n >= ETH_HLEN);
    } while (got[12] != 0x08 || got[13] != 0x00);
    assert_int_equal(n, want->len);
    assert_memory_equal(got, want->data, n);
}

/* Each length that is too short, and some that are not. */
static void
test_padding(void **state)
{
    static const uint8_t protos[] = { UDP, ICMP, TCP };
    static struct packet p, q;

    (void) state;
    for (int n = 0; n < 3 * 30; n++) {
        const struct flow_vm *vm = &flow_fip[0];
        struct flow_frame f = flow_out(vm, protos[n % 3]), g;

        f.payload = n / 3;
        g = flow_beyond(vm, &f);
        put_flow(vm, &f);
        flow_make(&p, &f);
        flow_make(&q, &g);
        packet_pad(&q, ETH_ZLEN);
        make_dirty();
        assert_int_equal(write(tap, p.data, p.len), p.len);
        await_frame(&q);
    }
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_padding, flow_begin),
    };

    bed_enter();
    return cmocka_run_group_tests_name("flow-tap", tests, set_up, tear_down);
}
