/* SPDX-License-Identifier: Apache-2.0
 *
 * Probes at the far side of layer L3: which frames are some, what they
 * confirm, and that no VM and no other host gets one. */

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

/* Returns a probe of 'side', of 'proto', as it comes in. */
static struct flow_frame
probe_of(const struct flow_side *side, uint8_t proto)
{
    struct flow_frame f = flow_frame_of(side, proto);
    uint64_t number = ox_probe_number(
        flow_secret(), flow_check_of(side->vm, &f, side->out));

    f.payload = proto == UDP ? OX_PROBE_UDP_DATA : 0;
    f.tos = 0;
    f.ttl = OX_PROBE_TTL;
    f.flags = ACK;
    f.fragment = 0;
    f.no_checksum = !flow_family(side->vm);
    f.id = number;
    f.label = number & 0xfffff;
    if (proto == TCP) {
        f.seq = number >> 32;
        f.ack = number;
    } else if (proto == UDP) {
        f.data = number >> (flow_family(side->vm) ? 20 : 16);
    } else {
        f.seq = number >> 16 & 0xffff;
    }
    return f;
}

/* A probe ends at the far side, and confirms its flow and nothing else. */
static void
test_probe(void **state)
{
    (void) state;
    for (size_t i = 0; i < 6 * N_FLOW_VMS; i++) {
        const struct flow_side side = { flow_vms[i / 6], i % 2 };
        const uint8_t protos[] = { TCP, UDP, flow_icmp(side.vm) };
        uint8_t proto = protos[i / 2 % 3];
        struct flow_frame f = flow_frame_of(&side, proto);
        struct flow_frame probe = probe_of(&side, proto), g;
        struct ox_flow before = flow_used(side.vm, &f, side.out), after;

        before.confirmed -= 1000;
        flow_put(side.vm, &f, side.out, &before);
        g = flow_beyond(side.vm, &probe);
        flow_check(flow_far(&side), &g, OX_R_FLOW_CONFIRMED, TC_ACT_REDIRECT);
        assert_true(flow_find(side.vm, &f, side.out, &after));
        assert_in_range(flow_ticks() - after.confirmed, 0, 900);
        after.confirmed = before.confirmed;
        assert_memory_equal(&after, &before, sizeof after);
    }
}

/* A probe is none with any other number, flag or length. */
static void
test_no_probe(void **state)
{
    (void) state;
    for (size_t i = 0; i < 6 * N_FLOW_VMS; i++) {
        const struct flow_side side = { flow_vms[i / 6], i % 2 };
        const uint8_t protos[] = { TCP, UDP, flow_icmp(side.vm) };
        uint8_t proto = protos[i / 2 % 3];
        struct flow_frame f = flow_frame_of(&side, proto);
        struct flow_frame probe = probe_of(&side, proto);
        struct flow_frame g = flow_beyond(side.vm, &probe);
        struct ox_flow before = flow_used(side.vm, &f, side.out);

        before.confirmed -= 1000;
        flow_put(side.vm, &f, side.out, &before);
        g.payload++;
        flow_passes(flow_far(&side), &g, FLOW_UNCOUNTED);
        g.payload--;
        if (proto == TCP) {
            g.seq ^= 1;
            flow_passes(flow_far(&side), &g, FLOW_UNCOUNTED);
            g.seq ^= 1;
            g.ack ^= 0x10000;
            flow_passes(flow_far(&side), &g, FLOW_UNCOUNTED);
            g.ack ^= 0x10000;
            g.flags |= PSH;
        } else {
            g.seq ^= proto != UDP;
            g.data ^= proto == UDP ? 0x80000000 : 0;
            flow_passes(flow_far(&side), &g, FLOW_UNCOUNTED);
            g.seq ^= proto != UDP ? 0x8001 : 0;
            g.data ^= proto == UDP ? 0x80000001 : 0;
            flow_passes(flow_far(&side), &g, FLOW_UNCOUNTED);
            g.seq ^= proto != UDP ? 0x8000 : 0;
            g.data ^= proto == UDP;
            g.id ^= 0x8000;
            g.label ^= 0x80000;
        }
        flow_passes(flow_far(&side), &g, FLOW_UNCOUNTED);
        if (proto == UDP && !flow_family(side.vm)) {
            g.id ^= 0x8000;
            g.no_checksum = false;
            flow_passes(flow_far(&side), &g, FLOW_UNCOUNTED);
        }
    }
}

/* A probe without a flow, or of one that is void, ends all the same. */
static void
test_void_probe(void **state)
{
    (void) state;
    for (size_t i = 0; i < 2 * N_FLOW_VMS; i++) {
        const struct flow_side side = { flow_vms[i / 2], i % 2 };
        struct flow_frame f = flow_frame_of(&side, TCP);
        struct flow_frame probe = probe_of(&side, TCP);
        struct flow_frame g = flow_beyond(side.vm, &probe);
        struct ox_flow flow = flow_used(side.vm, &f, side.out);
        uint32_t confirmed = flow.confirmed -= 1000;

        flow_check(flow_far(&side), &g, OX_R_FLOW_VOID, TC_ACT_REDIRECT);
        flow_put(side.vm, &f, side.out, &flow);
        flow_port(side.vm)->generation += 2;
        flow_check(flow_far(&side), &g, OX_R_FLOW_VOID, TC_ACT_REDIRECT);
        assert_true(flow_find(side.vm, &f, side.out, &flow));
        assert_int_equal(flow.confirmed, confirmed);
    }
}

/* No probe outlives its port: it ends although that is none any more, or has
 * another number, and confirms nothing; packets go on. */
static void
test_late_probe(void **state)
{
    (void) state;
    for (size_t i = 0; i < 2 * N_FLOW_VMS; i++) {
        const struct flow_side side = { flow_vms[i / 2], i % 2 };
        struct flow_frame f = flow_frame_of(&side, TCP);
        struct flow_frame probe = probe_of(&side, TCP);
        struct flow_frame g = flow_beyond(side.vm, &probe);
        struct flow_frame user = flow_beyond(side.vm, &f);
        struct ox_flow flow = flow_used(side.vm, &f, side.out), after;

        flow.confirmed -= 1000;
        flow_begin(NULL);
        flow_put(side.vm, &f, side.out, &flow);
        flow_port(side.vm)->generation++;
        flow_check(flow_far(&side), &g, OX_R_FLOW_VOID, TC_ACT_REDIRECT);
        flow_passes(flow_far(&side), &user, FLOW_UNCOUNTED);
        flow_port(side.vm)->generation--;
        flow_port(side.vm)->ifindex++;
        flow_check(flow_far(&side), &g, OX_R_FLOW_VOID, TC_ACT_REDIRECT);
        flow_port(side.vm)->ifindex--;
        flow.port++;
        flow_put(side.vm, &f, side.out, &flow);
        flow_check(flow_far(&side), &g, OX_R_FLOW_VOID, TC_ACT_REDIRECT);
        assert_true(flow_find(side.vm, &f, side.out, &after));
        assert_memory_equal(&after, &flow, sizeof after);
    }
}

/* A probe that OVN sends to another network ends, too, and confirms nothing.
 * Without a flow it is somebody else's packet. */
static void
test_foreign_probe(void **state)
{
    (void) state;
    for (size_t i = 2; i < N_FLOW_VMS; i++) {
        const struct flow_side side = { flow_vms[i], true };
        struct flow_frame f = flow_frame_of(&side, UDP);
        struct flow_frame probe = probe_of(&side, UDP);
        struct flow_frame g = flow_beyond(side.vm, &probe);
        struct ox_flow flow = flow_used(side.vm, &f, true), after;

        g.tci = 200;
        flow_passes(FLOW_SWITCHED_FAR, &g, FLOW_UNCOUNTED);
        flow_put(side.vm, &f, true, &flow);
        flow_check(FLOW_SWITCHED_FAR, &g, OX_R_FLOW_DIFFERS, TC_ACT_REDIRECT);
        assert_true(flow_find(side.vm, &f, true, &after));
        assert_memory_equal(&after, &flow, sizeof after);
    }
}

/* A probe shows what OVN does now: another next hop is taken over, a priority
 * or a DSCP that it sets is not confirmed. */
static void
test_telling_probe(void **state)
{
    static const uint8_t next[6] = { 2, 0x52, 0x54, 0, 0, 2 };

    (void) state;
    for (size_t i = 0; i < 2 * N_FLOW_VMS; i++) {
        const struct flow_side side = { flow_vms[i / 2], i % 2 };
        struct flow_frame f = flow_frame_of(&side, TCP), h;
        struct flow_frame probe = probe_of(&side, TCP);
        struct flow_frame g = flow_beyond(side.vm, &probe);
        struct ox_flow flow = flow_used(side.vm, &f, side.out);

        flow_put(side.vm, &f, side.out, &flow);
        g.tos = 0x28;
        flow_check(flow_far(&side), &g, OX_R_FLOW_DIFFERS, TC_ACT_REDIRECT);
        g.tos = 0;
        g.tci |= 0x2000;
        flow_check(flow_far(&side), &g, OX_R_FLOW_DIFFERS, TC_ACT_REDIRECT);
        g.tci &= 0xfff;
        h = flow_beyond(side.vm, &f);
        flow_takes(flow_near(&side), side.vm, &f, &h);
        g.dmac = h.dmac = next;
        g.ttl -= 5;
        h.ttl -= 5;
        flow_check(flow_far(&side), &g, OX_R_FLOW_CONFIRMED, TC_ACT_REDIRECT);
        flow_takes(flow_near(&side), side.vm, &f, &h);
    }
}

/* TC at the near side leaves probes to OVN. */
static void
test_probe_at_tc(void **state)
{
    static const enum flow_program programs[] = { FLOW_INGRESS, FLOW_VM_TC };

    (void) state;
    for (int n = 0; n < 12; n++) {
        const struct flow_side side = { &flow_fip[n % 2], n / 2 % 2 };
        const uint8_t protos[] = { TCP, UDP, flow_icmp(side.vm) };
        uint8_t proto = protos[n / 4];
        struct flow_frame f = flow_frame_of(&side, proto), g;
        struct flow_frame probe = probe_of(&side, proto);
        struct ox_flow flow = flow_used(side.vm, &f, side.out);

        flow_put(side.vm, &f, side.out, &flow);
        flow_passes(programs[side.out], &probe, FLOW_UNCOUNTED);
        probe.payload++;
        g = flow_beyond(side.vm, &probe);
        flow_takes(programs[side.out], side.vm, &probe, &g);
    }
}

int
main(void)
{
#define TEST(NAME) cmocka_unit_test_setup(NAME, flow_begin)
    static const struct CMUnitTest tests[] = {
        TEST(test_probe),
        TEST(test_no_probe),
        TEST(test_void_probe),
        TEST(test_late_probe),
        TEST(test_foreign_probe),
        TEST(test_telling_probe),
        TEST(test_probe_at_tc),
    };

    bed_enter();
    return cmocka_run_group_tests_name("flow-probe", tests, flow_set_up,
                                       flow_tear_down);
}
