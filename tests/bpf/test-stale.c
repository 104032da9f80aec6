/* SPDX-License-Identifier: Apache-2.0
 *
 * The NIC program and the heartbeat of the daemon: how old it may be, and that
 * nobody asks where it does not matter. */

#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <net/if.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "bpf/abi.h"
#include "tests/bpf/bed.h"
#include "tests/bpf/packet.h"

/* Rows of the program that never minds and of the one that does. */
#define ALWAYS 3
#define TIMED 4

/* Nanoseconds in a second, and how long 'timed' redirects: long enough for any
 * pause of this machine. */
#define SECOND INT64_C(1000000000)
#define LIMIT (3600 * SECOND)

static const uint8_t nic_mac[6] = { 0x02, 0x4e, 0x49, 0x43, 0x00, 0x05 };
static const uint8_t router_mac[6] = { 0x02, 0x52, 0x54, 0x00, 0x00, 0x01 };

static struct ovn_xdp_bpf *always, *timed;

/* The daemon was alive 'ago' nanoseconds ago. */
static void
beat(int64_t ago)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    bed_beat(always, ts.tv_sec * SECOND + ts.tv_nsec - ago);
}

/* Makes 'p' a packet of 'payload' bytes to 'address'. */
static void
make(struct packet *p, const char *address, size_t payload)
{
    const struct packet_ip4 ip = {
        .src = "192.0.2.1", .dst = address, .ttl = 64, .proto = 17,
        .payload = payload,
    };
    const struct packet_ip6 ip6 = {
        .src = "2001:db8:1::1", .dst = address, .hop_limit = 64, .next = 17,
        .payload = payload,
    };
    bool is_ip6 = strchr(address, ':') != NULL;

    packet_eth(p, nic_mac, router_mac, 0, is_ip6 ? 0x86dd : 0x0800);
    if (is_ip6) {
        packet_ip6(p, &ip6);
    } else {
        packet_ip4(p, &ip);
    }
    packet_fill(p, payload);
}

/* Asserts that the program of 'row' gives 'p' the verdict that 'reason' has,
 * counts it for that, and leaves a frame that passes as it is. */
static void
assert_verdict(const struct packet *p, uint32_t row, enum ox_reason reason)
{
    static struct bed_counters before, after;
    static uint8_t out[PACKET_MAX];
    bool redirected = reason == OX_R_REDIRECTED;
    LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = p->data,
                .data_size_in = p->len, .data_out = out,
                .data_size_out = sizeof out);

    bed_read(always, &before);
    assert_int_equal(
        bpf_prog_test_run_opts(bed_program(row == TIMED ? timed : always),
                               &opts), 0);
    bed_read(always, &after);
    assert_int_equal(opts.retval, redirected ? XDP_REDIRECT : XDP_PASS);
    assert_int_equal(opts.data_size_out, p->len);
    if (!redirected) {
        assert_memory_equal(out, p->data, p->len);
    }
    bed_assert_counted(&before, &after, row, reason,
                       redirected ? 0 : BED_NO_SLOT, p->len);
}

/* The same for a good packet of each family. */
static void
assert_both(uint32_t row, enum ox_reason reason)
{
    struct packet p;

    make(&p, "10.0.0.10", 100);
    assert_verdict(&p, row, reason);
    make(&p, "2001:db8::10", 100);
    assert_verdict(&p, row, reason);
}

/* The limit is what it says, and what is late is made good by the next
 * heartbeat.  One that is ahead of the coarse clock is young. */
static void
test_limit(void **state)
{
    (void) state;
    beat(0);
    assert_both(TIMED, OX_R_REDIRECTED);
    beat(LIMIT - 600 * SECOND);
    assert_both(TIMED, OX_R_REDIRECTED);
    beat(LIMIT + SECOND);
    assert_both(TIMED, OX_R_STALE);
    beat(INT64_C(365) * 86400 * SECOND);
    assert_both(TIMED, OX_R_STALE);
    beat(-SECOND);
    assert_both(TIMED, OX_R_REDIRECTED);
    beat(-LIMIT);
    assert_both(TIMED, OX_R_REDIRECTED);
}

/* Other reasons are what they were. */
static void
test_other_reasons(void **state)
{
    struct packet p;

    (void) state;
    beat(2 * LIMIT);
    make(&p, "10.0.0.99", 100);
    assert_verdict(&p, TIMED, OX_R_NOT_LOCAL);
    make(&p, "10.0.0.10", 1500);
    assert_verdict(&p, TIMED, OX_R_EXCEEDS_MTU);
    make(&p, "10.0.0.10", 100);
    p.data[0] ^= 0x10;
    assert_verdict(&p, TIMED, OX_R_FOREIGN_MAC);
}

/* Without a limit no heartbeat is needed. */
static void
test_never(void **state)
{
    (void) state;
    bed_beat(always, 0);
    assert_both(ALWAYS, OX_R_REDIRECTED);
    beat(2 * LIMIT);
    assert_both(ALWAYS, OX_R_REDIRECTED);
}

/* Returns the length of the program of 'skel' as it is run, in bytes. */
static uint32_t
length_of(const struct ovn_xdp_bpf *skel)
{
    struct bpf_prog_info info = { .type = 0 };
    uint32_t size = sizeof info;

    assert_int_equal(bpf_obj_get_info_by_fd(bed_program(skel), &info, &size),
                     0);
    return info.xlated_prog_len;
}

/* And nobody asks for one. */
static void
test_never_costs_nothing(void **state)
{
    (void) state;
    assert_true(length_of(always) < length_of(timed));
}

static int
set_up(void **state)
{
    struct ox_endpoint endpoint = { .mtu = 1500 };
    uint32_t ifindex = if_nametoindex("lo");

    (void) state;
    always = bed_load(ALWAYS, NULL);
    assert_non_null(always);
    timed = bed_load_stale(TIMED, LIMIT, always);
    assert_non_null(timed);
    endpoint.ifindex = ifindex;
    bed_set_nic(always, ALWAYS, nic_mac, ifindex);
    bed_set_nic(always, TIMED, nic_mac, ifindex);
    bed_add_target(always, ifindex);
    bed_add_endpoint(always, "10.0.0.10", &endpoint);
    bed_add_endpoint(always, "2001:db8::10", &endpoint);
    return 0;
}

static int
tear_down(void **state)
{
    (void) state;
    ovn_xdp_bpf__destroy(timed);
    ovn_xdp_bpf__destroy(always);
    return 0;
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_other_reasons),
        cmocka_unit_test(test_never),
        cmocka_unit_test(test_never_costs_nothing),
    };

    bed_enter();
    return cmocka_run_group_tests_name("stale", tests, set_up, tear_down);
}
