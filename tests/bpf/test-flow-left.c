/* SPDX-License-Identifier: Apache-2.0
 *
 * Frames that the near side of layer L3 leaves alone for what they are and
 * where they are: for groups of hosts, for other hosts, for the TC program of
 * the NIC, for devices that are gone; and short ones, which it does not. */

#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <bpf/bpf.h>
#include <linux/pkt_cls.h>
#include <string.h>
#include <cmocka.h>

#include "tests/bpf/bed.h"
#include "tests/bpf/flow-bed.h"

/* Where a packet of 'vm' comes in, and by which program. */
struct way {
    const struct flow_vm *vm;   /* VMs, by family. */
    enum flow_program program;  /* Program. */
    bool out;                   /* It comes from the VM. */
    bool routed;                /* At a routed NIC. */
};

static const struct way ways[] = {
    { flow_fip, FLOW_NIC, false, true },
    { flow_fip, FLOW_NIC_ACL, false, true },
    { flow_fip, FLOW_INGRESS, false, true },
    { flow_tagged, FLOW_SWITCHED, false, false },
    { flow_plain, FLOW_GUARD, false, false },
    { flow_fip, FLOW_VM, true, false },
    { flow_tagged, FLOW_VM, true, false },
    { flow_fip, FLOW_VM_TC, true, false },
};
#define N_WAYS (sizeof ways / sizeof ways[0])

/* Puts all back as it was at first. */
static int
begin(void **state)
{
    flow_put_nics(true);
    return flow_begin(state);
}

/* A UDP packet that comes in by 'way'. */
static struct flow_frame
arrives(const struct way *way, int family)
{
    return (way->out ? flow_out : flow_in)(&way->vm[family], UDP);
}

/* Puts a used flow of 'f', confirmed 'age' ticks ago. */
static void
put_flow(const struct way *way, int family, const struct flow_frame *f,
         uint32_t age)
{
    struct ox_flow flow = flow_used(&way->vm[family], f, way->out);

    flow.confirmed -= age;
    flow.asked = flow.confirmed;
    flow_put(&way->vm[family], f, way->out, &flow);
}

/* Asserts that 'f' goes on for 'reason', without a note. */
static void
check_unnoticed(const struct way *way, int family, const struct flow_frame *f,
                int reason)
{
    flow_passes(way->program, f, reason);
    assert_int_equal(flow_note(&way->vm[family], f, way->out)->sum, 0);
}

/* A frame for a group of hosts is neither taken off nor noted, whatever its
 * flow says. */
static void
test_group(void **state)
{
    static const uint8_t groups[3][6] = {
        { 0x01, 0x00, 0x5e, 1, 1, 1 }, { 0x33, 0x33, 0, 0, 0, 1 },
        { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff },
    };

    for (size_t i = 0; i < N_WAYS; i++) {
        for (int n = 0; n < 6; n++) {
            int reason = ways[i].routed ? FLOW_UNCOUNTED : OX_R_FLOW_UNFIT;
            struct flow_frame f = arrives(&ways[i], n % 2);

            begin(state);
            f.dmac = groups[n / 2];
            check_unnoticed(&ways[i], n % 2, &f, reason);
            put_flow(&ways[i], n % 2, &f, 0);
            check_unnoticed(&ways[i], n % 2, &f, reason);
        }
    }
}

/* A routed NIC has no layer L3 for what is sent to another host. */
static void
test_other_host(void **state)
{
    static const uint8_t other[6] = { 0x02, 0x4e, 0x49, 0x43, 0, 6 };

    for (size_t i = 0; i < N_WAYS; i++) {
        for (int family = 0; family < 2 && ways[i].routed; family++) {
            struct flow_frame f = arrives(&ways[i], family);

            begin(state);
            f.dmac = other;
            check_unnoticed(&ways[i], family, &f, FLOW_UNCOUNTED);
            put_flow(&ways[i], family, &f, 0);
            check_unnoticed(&ways[i], family, &f, FLOW_UNCOUNTED);
        }
    }
}

/* Ways by XDP where TC takes packets off. */
/* A neighbour that has moved to another NIC of the bridge is seen there. */
static void
test_other_nic(void **state)
{
    static const struct way switched[] = {
        { flow_tagged, FLOW_SWITCHED, false, false },
        { flow_plain, FLOW_GUARD, false, false },
    };

    for (size_t i = 0; i < 4; i++) {
        const struct way *way = &switched[i / 2];
        const struct flow_vm *vm = &way->vm[i % 2];
        struct flow_frame f = arrives(way, i % 2);
        struct ox_flow flow = flow_used(vm, &f, false);

        begin(state);
        flow.near_ifindex = FLOW_RUN_IFINDEX + 1;
        flow_put(vm, &f, false, &flow);
        flow_passes(way->program, &f, OX_R_FLOW_MAC);
        assert_int_not_equal(flow_note(vm, &f, false)->sum, 0);
    }
}

static const struct way tc_ways[] = {
    { flow_fip, FLOW_NIC_TC, false, true },
    { flow_tagged, FLOW_SWITCHED_TC, false, false },
};
#define N_TC_WAYS (sizeof tc_ways / sizeof tc_ways[0])

/* Where TC is to take packets off, XDP leaves them to it, and all others to
 * layer L1, or to the bridge. */
static void
test_left_to_tc(void **state)
{
    for (size_t i = 0; i < 2 * N_TC_WAYS; i++) {
        const struct way *way = &tc_ways[i / 2];
        const struct flow_vm *vm = &way->vm[i % 2];
        struct flow_frame f = arrives(way, i % 2);
        struct ox_flow flow = flow_used(vm, &f, false);

        begin(state);
        flow_passes(way->program, &f, OX_R_FLOW_NEW);
        assert_int_not_equal(flow_note(vm, &f, false)->sum, 0);
        flow_put(vm, &f, false, &flow);
        flow_passes(way->program, &f, OX_R_FLOW_TC);
        flow.state = OX_FLOW_LEARNING;
        flow_put(vm, &f, false, &flow);
        flow_passes(way->program, &f, OX_R_FLOW_LEARNING);
    }
}

/* It does not while nobody is there: all is as without layer L3. */
static void
test_nobody_at_tc(void **state)
{
    (void) state;
    for (size_t i = 0; i < 2 * N_TC_WAYS; i++) {
        const struct way *way = &tc_ways[i / 2];
        struct flow_frame f = arrives(way, i % 2);

        flow_put_nics(false);
        check_unnoticed(way, i % 2, &f, FLOW_UNCOUNTED);
        put_flow(way, i % 2, &f, 0);
        check_unnoticed(way, i % 2, &f, FLOW_UNCOUNTED);
        flow_put_nics(true);
        flow_passes(way->program, &f, OX_R_FLOW_TC);
    }
    /* Other programs do not care. */
    flow_begin(NULL);
    flow_put_nics(false);
    for (size_t i = 0; i < 2 * N_WAYS; i++) {
        struct flow_frame f = arrives(&ways[i / 2], i % 2);

        flow_passes(ways[i / 2].program, &f, OX_R_FLOW_NEW);
    }
}

/* On a switched NIC what is to ask OVN comes by TC, which has to know: XDP
 * does not note that OVN was asked.  On a routed one layer L1 takes it to
 * OVN. */
static void
test_who_asks(void **state)
{
    (void) state;
    for (size_t i = 0; i < 2 * N_TC_WAYS; i++) {
        const struct way *way = &tc_ways[i / 2];
        const struct flow_vm *vm = &way->vm[i % 2];
        struct flow_frame f = arrives(way, i % 2);
        struct ox_flow flow;
        uint32_t asked;

        put_flow(way, i % 2, &f, flow_port(vm)->soft + 20);
        assert_true(flow_find(vm, &f, false, &flow));
        asked = flow.asked;
        flow_passes(way->program, &f, way->routed ? OX_R_FLOW_ASK
                                                  : OX_R_FLOW_TC);
        assert_true(flow_find(vm, &f, false, &flow));
        assert_int_equal(flow.asked != asked, way->routed);
        /* Who is too old goes by OVN at both. */
        put_flow(way, i % 2, &f, flow_port(vm)->hard + 20);
        flow_passes(way->program, &f, OX_R_FLOW_UNCONFIRMED);
    }
}

/* A device that XDP may not redirect to, or that is not there, which TC finds
 * out, too. */
static void
test_target(void **state)
{
    (void) state;
    for (size_t i = 0; i < 2 * N_WAYS; i++) {
        const struct way *way = &ways[i / 2];
        const struct flow_vm *vm = &way->vm[i % 2];
        struct flow_frame f = arrives(way, i % 2);
        struct ox_flow flow = flow_used(vm, &f, way->out);

        flow.ifindex = 4242;
        flow_put(vm, &f, way->out, &flow);
        flow_passes(way->program, &f, OX_R_FLOW_TARGET);
        assert_int_not_equal(flow_note(vm, &f, way->out)->sum, 0);
        assert_true(flow_find(vm, &f, way->out, &flow));
        assert_int_equal(flow.packets, 0);
    }
}

/* A short frame is taken off by each program; XDP makes it 60 bytes long for a
 * NIC, with zeros, and counts it as it came. */
static void
test_short(void **state)
{
    static const uint8_t protos[] = { ICMP, UDP, TCP };

    (void) state;
    for (size_t i = 0; i < N_WAYS; i++) {
        for (uint16_t n = 0; n < 3 * 20; n++) {
            const struct flow_vm *vm = &ways[i].vm[0];
            struct flow_frame f = (ways[i].out ? flow_out
                                   : flow_in)(vm, protos[n % 3]), want;
            uint64_t l4 = protos[n % 3] == TCP ? 20 : 8;
            struct ox_flow flow = flow_used(vm, &f, ways[i].out);

            f.payload = n / 3;
            want = flow_beyond(vm, &f);
            flow_put(vm, &f, ways[i].out, &flow);
            flow_takes(ways[i].program, vm, &f, &want);
            assert_true(flow_find(vm, &f, ways[i].out, &flow));
            assert_int_equal(flow.packets, 1);
            assert_int_equal(flow.bytes,
                             14 + (f.tci ? 4 : 0) + 20 + l4 + f.payload);
        }
    }
}

int
main(void)
{
#define TEST(NAME) cmocka_unit_test_setup(NAME, begin)
    static const struct CMUnitTest tests[] = {
        TEST(test_group),
        TEST(test_other_host),
        TEST(test_other_nic),
        TEST(test_left_to_tc),
        TEST(test_nobody_at_tc),
        TEST(test_who_asks),
        TEST(test_target),
        TEST(test_short),
    };

    bed_enter();
    return cmocka_run_group_tests_name("flow-left", tests, flow_set_up,
                                       flow_tear_down);
}
