/* SPDX-License-Identifier: Apache-2.0
 *
 * The near side of layer L3: which packets are taken off, what becomes of them
 * byte by byte against checksums computed anew, and what is left to OVN. */

#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <linux/pkt_cls.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/bpf/bed.h"
#include "tests/bpf/flow-bed.h"

/* Where a packet of 'vm' comes in, and by which program. */
struct way {
    const struct flow_vm *vm;   /* VMs, by family. */
    enum flow_program program;  /* Program. */
    bool out;                   /* It comes from the VM. */
};

/* All of them by XDP, and by TC (which BPF_PROG_TEST_RUN gives no tags). */
static const struct way ways[] = {
    { flow_fip, FLOW_NIC, false },
    { flow_fip, FLOW_NIC_ACL, false },
    { flow_tagged, FLOW_SWITCHED, false },
    { flow_tagged, FLOW_GUARD, false },
    { flow_plain, FLOW_SWITCHED, false },
    { flow_fip, FLOW_VM, true },
    { flow_tagged, FLOW_VM, true },
    { flow_plain, FLOW_VM, true },
    { flow_fip, FLOW_INGRESS, false },
    { flow_fip, FLOW_VM_TC, true },
};
#define N_WAYS (sizeof ways / sizeof ways[0])

/* Protocols by family. */
static const uint8_t protos[2][3] = {
    { TCP, UDP, ICMP }, { TCP, UDP, ICMP6 },
};

/* A frame of 'proto' as it comes in. */
static struct flow_frame
arrives(const struct way *way, int family, uint8_t proto)
{
    return (way->out ? flow_out : flow_in)(&way->vm[family], proto);
}

/* Asserts that 'f' is taken off, given a flow. */
static void
check_taken(const struct way *way, int family, const struct flow_frame *f)
{
    const struct flow_vm *vm = &way->vm[family];
    struct flow_frame want = flow_beyond(vm, f);
    struct ox_flow flow = flow_used(vm, f, way->out);

    flow_put(vm, f, way->out, &flow);
    flow_takes(way->program, vm, f, &want);
    assert_true(flow_find(vm, f, way->out, &flow));
    assert_int_equal(flow.packets, 1);
    assert_true(flow.bytes >= f->payload);
    assert_int_equal(flow.state, OX_FLOW_USED);
}

/* Each protocol of each family is taken off everywhere. */
static void
test_taken(void **state)
{
    (void) state;
    for (size_t i = 0; i < N_WAYS; i++) {
        for (int family = 0; family < 2; family++) {
            for (size_t j = 0; j < 3; j++) {
                struct flow_frame f = arrives(&ways[i], family,
                                              protos[family][j]);

                check_taken(&ways[i], family, &f);
            }
        }
    }
}

/* Any packet. */
static void
test_wild(void **state)
{
    (void) state;
    srandom(20261201);
    for (int n = 0; n < 3000; n++) {
        const struct way *way = &ways[random() % N_WAYS];
        int family = random() % 2;
        uint8_t proto = protos[family][random() % 3];
        struct flow_frame f = arrives(way, family, proto);

        if (n % 32 == 0) {
            flow_begin(NULL);
        }
        if (proto == TCP || proto == UDP) {
            f.sport = random();
            f.dport = random() % 30000 + 1000;
        } else {
            f.sport = random();
        }
        f.payload = random() % (random() % 3 ? 64 : 1380);
        f.ttl = 3 + random() % 250;
        f.tos = random();
        f.id = random();
        f.seq = random();
        f.flags = ACK | (random() % 2 ? PSH : 0);
        f.pad = random() % 2 ? 60 : 0;
        f.no_checksum = proto == UDP && random() % 4 == 0;
        if (f.tci) {
            f.tci |= random() % 8 << 13;
        }
        check_taken(way, family, &f);
    }
}

/* A UDP checksum that comes out as 0 is written as 0xffff. */
static void
test_udp_zero(void **state)
{
    (void) state;
    for (size_t i = 0; i < N_WAYS; i++) {
        struct flow_frame f = arrives(&ways[i], 0, UDP), g;
        struct packet p;
        uint16_t check;

        f.payload = 0;
        f.sport = 1;
        g = flow_beyond(&ways[i].vm[0], &f);
        flow_make(&p, &g);
        /* The source port is what the checksum lacks. */
        check = p.data[p.l3 + 26] << 8 | p.data[p.l3 + 27];
        f.sport = check + 1 > 0xffff ? check + 2 : check + 1;
        g = flow_beyond(&ways[i].vm[0], &f);
        flow_make(&p, &g);
        assert_int_equal(p.data[p.l3 + 26] << 8 | p.data[p.l3 + 27], 0xffff);
        check_taken(&ways[i], 0, &f);
    }
}

/* What of a flow or its port is changed. */
typedef void change_cb(struct ox_flow *, struct ox_direct_port *);

static void
change_learning(struct ox_flow *flow, struct ox_direct_port *port)
{
    (void) port;
    flow->state = OX_FLOW_LEARNING;
}

static void
change_closed(struct ox_flow *flow, struct ox_direct_port *port)
{
    (void) port;
    flow->state = OX_FLOW_CLOSED;
}

static void
change_generation(struct ox_flow *flow, struct ox_direct_port *port)
{
    (void) flow;
    port->generation += 2;
}

static void
change_port(struct ox_flow *flow, struct ox_direct_port *port)
{
    (void) flow;
    port->generation |= 1;
}

static void
change_mac(struct ox_flow *flow, struct ox_direct_port *port)
{
    (void) port;
    flow->near_mac[5] ^= 1;
}

static void
change_aging(struct ox_flow *flow, struct ox_direct_port *port)
{
    (void) port;
    flow->aging = 61;
}

static void
change_mtu(struct ox_flow *flow, struct ox_direct_port *port)
{
    (void) port;
    flow->mtu = 60;
}

static void
change_head(struct ox_flow *flow, struct ox_direct_port *port)
{
    (void) port;
    flow->head ^= 0x100;
}

static void
change_hard(struct ox_flow *flow, struct ox_direct_port *port)
{
    flow->confirmed -= port->hard + 20;
}

static void
change_soft(struct ox_flow *flow, struct ox_direct_port *port)
{
    flow->confirmed -= port->soft + 20;
    flow->asked = flow->confirmed;
}

/* Asserts that a packet which would be taken off is not, because of 'change',
 * for 'reason'. */
static void
check_left(const struct way *way, int family, change_cb *change,
           enum ox_reason reason)
{
    const struct flow_vm *vm = &way->vm[family];
    struct flow_frame f = arrives(way, family, TCP);
    struct ox_flow flow;

    flow_begin(NULL);
    flow = flow_used(vm, &f, way->out);
    change(&flow, flow_port(vm));
    flow_put(vm, &f, way->out, &flow);
    flow_passes(way->program, &f, reason);
    /* The far side must know of it. */
    assert_memory_equal(flow_note(vm, &f, way->out)->macs, f.dmac, 6);
    assert_true(flow_find(vm, &f, way->out, &flow));
    assert_int_equal(flow.packets, 0);
}

/* Every reason that lies in the flow or its port. */
static void
test_left(void **state)
{
    static const struct {
        change_cb *change;
        enum ox_reason reason;
    } rows[] = {
        { change_learning, OX_R_FLOW_LEARNING },
        { change_closed, OX_R_FLOW_CLOSED },
        { change_generation, OX_R_FLOW_VOID },
        { change_port, OX_R_FLOW_VOID },
        { change_mac, OX_R_FLOW_MAC },
        { change_aging, OX_R_FLOW_UNFIT },
        { change_mtu, OX_R_FLOW_MTU },
        { change_head, OX_R_FLOW_CHANGED },
        { change_hard, OX_R_FLOW_UNCONFIRMED },
        { change_soft, OX_R_FLOW_ASK },
    };

    (void) state;
    for (size_t i = 0; i < N_WAYS; i++) {
        for (int family = 0; family < 2; family++) {
            for (size_t j = 0; j < sizeof rows / sizeof rows[0]; j++) {
                /* A routed NIC has only what is sent to its own MAC. */
                if (rows[j].change == change_mac && !ways[i].out
                    && !ways[i].vm[family].bridge) {
                    continue;
                }
                check_left(&ways[i], family, rows[j].change, rows[j].reason);
            }
        }
    }
}

/* One packet in a step is sent to OVN, not all. */
static void
test_step(void **state)
{
    (void) state;
    for (size_t i = 0; i < N_WAYS; i++) {
        const struct flow_vm *vm = &ways[i].vm[0];
        struct flow_frame f = arrives(&ways[i], 0, UDP), want;
        struct ox_flow flow = flow_used(vm, &f, ways[i].out);

        want = flow_beyond(vm, &f);
        change_soft(&flow, flow_port(vm));
        flow_port(vm)->step = 100000;
        flow.asked = flow_ticks() - 100001;
        flow_put(vm, &f, ways[i].out, &flow);
        flow_passes(ways[i].program, &f, OX_R_FLOW_ASK);
        flow_takes(ways[i].program, vm, &f, &want);
        flow_takes(ways[i].program, vm, &f, &want);
    }
}

/* A stamp of another CPU may be ahead. */
static void
test_ahead(void **state)
{
    (void) state;
    for (size_t i = 0; i < N_WAYS; i++) {
        const struct flow_vm *vm = &ways[i].vm[0];
        struct flow_frame f = arrives(&ways[i], 0, UDP), want;
        struct ox_flow flow = flow_used(vm, &f, ways[i].out);

        want = flow_beyond(vm, &f);
        flow.confirmed = flow_ticks() + 5;
        flow_put(vm, &f, ways[i].out, &flow);
        flow_takes(ways[i].program, vm, &f, &want);
    }
}

/* Segments that begin or end something. */
static void
test_control(void **state)
{
    static const uint8_t flags[] = { SYN, SYN | ACK, FIN | ACK, RST, FIN,
                                     RST | ACK, SYN | FIN };

    (void) state;
    for (size_t i = 0; i < N_WAYS; i++) {
        for (size_t j = 0; j < sizeof flags; j++) {
            const struct flow_vm *vm = &ways[i].vm[j % 2];
            struct flow_frame f = arrives(&ways[i], j % 2, TCP);
            struct ox_flow flow = flow_used(vm, &f, ways[i].out);

            f.flags = flags[j];
            flow_put(vm, &f, ways[i].out, &flow);
            flow_passes(ways[i].program, &f, OX_R_FLOW_CONTROL);
            assert_true(flow_find(vm, &f, ways[i].out, &flow));
            assert_int_equal(flow.state, OX_FLOW_USED);
        }
    }
}

/* Makes 'f' something that is not fit, one of many. */
static bool
spoil(struct flow_frame *f, int which)
{
    bool is_ip6 = strchr(f->src, ':') != NULL;

    switch (which) {
    case 0:
        f->fragment = 0x2000;
        return !is_ip6;
    case 1:
        f->fragment = 1;
        return !is_ip6;
    case 2:
        f->options = 4;
        return !is_ip6;
    case 3:
        f->proto = 47;
        return true;
    case 4:
        f->dport = 53;
        return f->proto == UDP;
    case 5:
        f->dport = 547;
        return f->proto == UDP;
    case 6:
        f->dport = 3;
        return f->proto == ICMP || f->proto == ICMP6;
    case 7:
        f->proto = is_ip6 ? 44 : 50;
        return true;
    default:
        return false;
    }
}

/* Packets that are not fit go on, and leave no note. */
static void
test_unfit(void **state)
{
    (void) state;
    for (size_t i = 0; i < N_WAYS; i++) {
        for (int n = 0; n < 8 * 6; n++) {
            const struct flow_vm *vm = &ways[i].vm[n % 2];
            struct flow_frame f = arrives(&ways[i], n % 2,
                                          protos[n % 2][n / 2 % 3]);
            struct flow_frame fit = f;
            struct ox_flow flow = flow_used(vm, &f, ways[i].out);

            if (spoil(&f, n / 6)) {
                flow_begin(NULL);
                flow_put(vm, &f, ways[i].out, &flow);
                flow_passes(ways[i].program, &f, OX_R_FLOW_UNFIT);
                assert_int_equal(flow_note(vm, &fit, ways[i].out)->sum, 0);
            }
        }
    }
}

/* A packet at its end is not taken off, one short of it is. */
static void
test_ttl(void **state)
{
    (void) state;
    for (size_t i = 0; i < N_WAYS; i++) {
        for (int family = 0; family < 2; family++) {
            const struct flow_vm *vm = &ways[i].vm[family];
            struct flow_frame f = arrives(&ways[i], family, UDP);
            struct ox_flow flow = flow_used(vm, &f, ways[i].out);
            struct flow_frame late;

            flow_put(vm, &f, ways[i].out, &flow);
            f.ttl = flow.aging;
            flow_passes(ways[i].program, &f, OX_R_FLOW_UNFIT);
            f.ttl++;
            late = flow_beyond(vm, &f);
            late.ttl = 1;
            flow_takes(ways[i].program, vm, &f, &late);
        }
    }
}

/* The longest packet is taken off, one more byte is not. */
static void
test_mtu(void **state)
{
    (void) state;
    for (size_t i = 0; i < N_WAYS; i++) {
        for (int family = 0; family < 2; family++) {
            struct flow_frame f = arrives(&ways[i], family, UDP);

            f.payload = FLOW_MTU - 8 - (family ? 40 : 20);
            check_taken(&ways[i], family, &f);
            f.payload++;
            flow_passes(ways[i].program, &f, OX_R_FLOW_MTU);
        }
    }
}

/* What is cut off is left alone. */
static void
test_truncated(void **state)
{
    (void) state;
    for (size_t i = 0; i < N_WAYS; i++) {
        for (int family = 0; family < 2; family++) {
            const struct flow_vm *vm = &ways[i].vm[family];
            struct flow_frame f = arrives(&ways[i], family, TCP);
            struct ox_flow flow = flow_used(vm, &f, ways[i].out);
            struct packet p, out;
            /* The kernel runs TC on nothing shorter than an IP header. */
            size_t least = (ways[i].program < FLOW_VM_TC ? 15
                            : family ? 14 + 40 : 14 + 20);

            f.payload = 0;
            flow_put(vm, &f, ways[i].out, &flow);
            flow_make(&p, &f);
            for (size_t len = p.len - 1; len >= least; len--) {
                struct packet cut = p;

                cut.len = len;
                assert_int_not_equal(
                    flow_run(ways[i].program, &cut, &out, 0),
                    ways[i].program >= FLOW_VM_TC ? TC_ACT_REDIRECT
                    : (int) XDP_REDIRECT);
                assert_int_equal(out.len, len);
                assert_memory_equal(out.data, p.data, len);
            }
        }
    }
}

/* An unknown packet of a known address leaves a note of all that it is. */
static void
test_note(void **state)
{
    (void) state;
    for (size_t i = 0; i < N_WAYS; i++) {
        for (int n = 0; n < 6; n++) {
            const struct flow_vm *vm = &ways[i].vm[n % 2];
            struct flow_frame f = arrives(&ways[i], n % 2,
                                          protos[n % 2][n / 2]);
            const struct ox_arrival *note = flow_note(vm, &f, ways[i].out);

            flow_begin(NULL);
            flow_passes(ways[i].program, &f, OX_R_FLOW_NEW);
            assert_memory_equal(note->macs, f.dmac, 6);
            assert_memory_equal(note->macs + 6, f.smac, 6);
            assert_int_equal(note->ttl, f.ttl);
            assert_int_equal(note->tos, f.tos);
            assert_int_equal(note->proto, f.proto);
            assert_int_equal(note->sport, htons(f.sport));
            assert_int_equal(note->dport, htons(f.dport));
            assert_int_equal(note->vlan, f.tci);
            assert_int_equal(note->scope, ways[i].out ? FLOW_TAP
                                                      : vm->bridge);
            assert_int_equal(note->ifindex, 1);
            assert_in_range(flow_ticks() - note->at, 0, 2000);
        }
    }
}

/* What is to or from somebody else is no matter of layer L3: another address,
 * an address of this chassis as the source, another bridge or VLAN. */
static void
test_others(void **state)
{
    (void) state;
    for (int family = 0; family < 2; family++) {
        const char *stranger = family ? "2001:db8:9::9" : "192.0.2.99";
        struct flow_frame f = flow_in(&flow_fip[family], TCP);

        f.dst = stranger;
        flow_passes(FLOW_NIC, &f, FLOW_UNCOUNTED);
        flow_passes(FLOW_INGRESS, &f, FLOW_UNCOUNTED);
        f = flow_in(&flow_fip[family], TCP);
        f.src = flow_plain[family].external;
        flow_passes(FLOW_NIC, &f, FLOW_UNCOUNTED);
        flow_passes(FLOW_INGRESS, &f, FLOW_UNCOUNTED);
        assert_int_equal(flow_note(&flow_fip[family], &f, false)->sum, 0);
        f = flow_in(&flow_fip[family], TCP);
        flow_passes(FLOW_SWITCHED, &f, FLOW_UNCOUNTED);
        f = flow_in(&flow_tagged[family], TCP);
        flow_passes(FLOW_NIC, &f, FLOW_UNCOUNTED);
        f.tci++;
        flow_passes(FLOW_SWITCHED, &f, FLOW_UNCOUNTED);
        f.tci = 0;
        flow_passes(FLOW_SWITCHED, &f, FLOW_UNCOUNTED);
        f = flow_out(&flow_fip[family], TCP);
        f.src = stranger;
        flow_passes(FLOW_VM, &f, FLOW_UNCOUNTED);
        flow_passes(FLOW_VM_TC, &f, FLOW_UNCOUNTED);
        f = flow_out(&flow_fip[family], TCP);
        f.tci = FLOW_VLAN;
        flow_passes(FLOW_VM, &f, FLOW_UNCOUNTED);
    }
}

/* A VM with another's source MAC leaves no note, and uses no flow. */
static void
test_spoofed(void **state)
{
    static const enum flow_program both[] = { FLOW_VM, FLOW_VM_TC };

    (void) state;
    for (int n = 0; n < 4; n++) {
        const struct flow_vm *vm = &flow_fip[n % 2];
        struct flow_frame f = flow_out(vm, TCP);
        struct ox_flow flow = flow_used(vm, &f, true);

        flow_begin(NULL);
        f.smac = flow_hop_mac;
        flow_passes(both[n / 2], &f, OX_R_FLOW_MAC);
        flow_put(vm, &f, true, &flow);
        flow_passes(both[n / 2], &f, OX_R_FLOW_MAC);
        assert_int_equal(flow_note(vm, &f, true)->sum, 0);
    }
}

/* A half-computed checksum cannot be completed by XDP; the daemon is told. */
static void
test_half(void **state)
{
    (void) state;
    for (int n = 0; n < 4; n++) {
        const struct flow_vm *vm = &flow_fip[n % 2];
        struct flow_frame f = flow_out(vm, n / 2 ? UDP : TCP);
        struct ox_flow flow = flow_used(vm, &f, true);

        flow_begin(NULL);
        f.half = true;
        flow_passes(FLOW_VM, &f, OX_R_FLOW_HALF_CHECKSUM);
        assert_int_equal(flow_note(vm, &f, true)->sum, 0);
        flow_put(vm, &f, true, &flow);
        flow_passes(FLOW_VM, &f, OX_R_FLOW_HALF_CHECKSUM);
        assert_int_equal(flow_port(vm)->seen, 0);
        f.payload = 0;
        flow_passes(FLOW_VM, &f, OX_R_FLOW_HALF_CHECKSUM);
        assert_int_equal(flow_port(vm)->seen, OX_DIRECT_SEEN_HALF_CHECKSUM);
    }
}

/* One that is so by chance is left to OVN, and nothing is said. */
static void
test_half_by_chance(void **state)
{
    const struct flow_vm *vm = &flow_fip[0];
    struct flow_frame f = flow_out(vm, TCP), half;
    struct packet p, q;
    uint32_t seq = 0;

    (void) state;
    f.payload = 0;
    do {
        f.seq = seq++;
        half = f;
        half.half = true;
        flow_make(&p, &f);
        flow_make(&q, &half);
        assert_in_range(seq, 1, 0x20000);
    } while (memcmp(p.data, q.data, p.len));
    flow_passes(FLOW_VM, &f, OX_R_FLOW_HALF_CHECKSUM);
    assert_int_equal(flow_port(vm)->seen, 0);
}

/* TC takes off several segments in one, if each fits. */
static void
test_segments(void **state)
{
    static const struct {
        enum flow_program program;
        bool out;
    } rows[] = { { FLOW_INGRESS, false }, { FLOW_VM_TC, true } };
    static struct packet p, out, expected;

    (void) state;
    for (int n = 0; n < 4; n++) {
        const struct flow_vm *vm = &flow_fip[n % 2];
        bool is_out = rows[n / 2].out;
        struct flow_frame f = (is_out ? flow_out : flow_in)(vm, TCP);
        struct flow_frame want;
        struct ox_flow flow = flow_used(vm, &f, is_out);
        int most = FLOW_MTU - 20 - (n % 2 ? 40 : 20);

        f.payload = 2 * most;
        want = flow_beyond(vm, &f);
        flow_make(&p, &f);
        flow_make(&expected, &want);
        flow_put(vm, &f, is_out, &flow);
        assert_int_equal(flow_run(rows[n / 2].program, &p, &out, most + 1),
                         TC_ACT_UNSPEC);
        assert_int_equal(flow_note(vm, &f, is_out)->len, 0);
        assert_int_equal(flow_run(rows[n / 2].program, &p, &out, most),
                         TC_ACT_REDIRECT);
        assert_int_equal(out.len, expected.len);
        assert_memory_equal(out.data, expected.data, out.len);
    }
}

int
main(void)
{
#define TEST(NAME) cmocka_unit_test_setup(NAME, flow_begin)
    static const struct CMUnitTest tests[] = {
        TEST(test_taken),
        TEST(test_wild),
        TEST(test_udp_zero),
        TEST(test_left),
        TEST(test_step),
        TEST(test_ahead),
        TEST(test_control),
        TEST(test_unfit),
        TEST(test_ttl),
        TEST(test_mtu),
        TEST(test_truncated),
        TEST(test_note),
        TEST(test_others),
        TEST(test_spoofed),
        TEST(test_half),
        TEST(test_half_by_chance),
        TEST(test_segments),
    };

    bed_enter();
    return cmocka_run_group_tests_name("flow-near", tests, flow_set_up,
                                       flow_tear_down);
}
