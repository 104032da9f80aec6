/* SPDX-License-Identifier: Apache-2.0
 *
 * The far side of layer L3: which packets that OVN has passed make a flow,
 * when it is used, how it ends, and what becomes of probes.  The near side
 * leaves the notes, and is asked whether it agrees. */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <bpf/bpf.h>
#include <linux/pkt_cls.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "tests/bpf/bed.h"
#include "tests/bpf/flow-bed.h"

/* Has OVN pass 'f', of which the far side is to count 'reason'. */
static void
pass(const struct flow_side *side, const struct flow_frame *f, int reason)
{
    struct flow_frame g = flow_beyond(side->vm, f);

    flow_arrive(side, f);
    flow_passes(flow_far(side), &g, reason);
}

/* Has OVN pass a TCP segment with 'flags'. */
static void
pass_tcp(const struct flow_side *side, uint8_t flags, int reason)
{
    struct flow_frame f = flow_frame_of(side, TCP);

    f.flags = flags;
    pass(side, &f, reason);
}

/* Returns the state of the flow of 'proto', or -1. */
static int
state_of(const struct flow_side *side, uint8_t proto)
{
    struct flow_frame f = flow_frame_of(side, proto);
    struct ox_flow flow;

    return flow_find(side->vm, &f, side->out, &flow) ? flow.state : -1;
}

/* Asserts that a packet of 'proto' is taken off as OVN would have it. */
static void
check_taken(const struct flow_side *side, uint8_t proto)
{
    struct flow_frame f = flow_frame_of(side, proto);
    struct flow_frame g = flow_beyond(side->vm, &f);

    f.payload = g.payload = 77;
    flow_takes(flow_near(side), side->vm, &f, &g);
}

/* Both sides of a connection of a VM. */
#define SIDES(VM) { VM, false }, { VM, true }

/* UDP and ICMP: each direction on its own, after the third packet. */
static void
test_repeated(void **state)
{
    (void) state;
    for (size_t i = 0; i < N_FLOW_VMS; i++) {
        const uint8_t protos[] = { UDP, flow_icmp(flow_vms[i]) };
        const struct flow_side sides[] = { SIDES(flow_vms[i]) };

        for (int n = 0; n < 4; n++) {
            const struct flow_side *side = &sides[n % 2];
            struct flow_frame f = flow_frame_of(side, protos[n / 2]);

            flow_begin(NULL);
            pass(side, &f, OX_R_FLOW_LEARNED);
            assert_int_equal(state_of(side, f.proto), OX_FLOW_LEARNING);
            pass(side, &f, FLOW_UNCOUNTED);
            assert_int_equal(state_of(side, f.proto), OX_FLOW_LEARNING);
            pass(side, &f, FLOW_UNCOUNTED);
            assert_int_equal(state_of(side, f.proto), OX_FLOW_USED);
            check_taken(side, f.proto);
            assert_int_equal(state_of(&sides[!(n % 2)], f.proto), -1);
        }
    }
}

/* What a flow says that was learned. */
static void
test_learned(void **state)
{
    (void) state;
    for (size_t i = 0; i < N_FLOW_VMS; i++) {
        const struct flow_side sides[] = { SIDES(flow_vms[i]) };

        for (int n = 0; n < 2; n++) {
            struct flow_frame f = flow_frame_of(&sides[n], UDP);
            struct ox_flow want = flow_used(flow_vms[i], &f, n), flow;

            pass(&sides[n], &f, OX_R_FLOW_LEARNED);
            assert_true(flow_find(flow_vms[i], &f, n, &flow));
            assert_int_equal((uint32_t) flow.head, (uint32_t) want.head);
            assert_int_not_equal(flow.head >> 32, 0);
            assert_memory_equal(flow.macs, want.macs, sizeof flow.macs);
            assert_memory_equal(flow.near_mac, f.dmac, 6);
            assert_memory_equal(flow.near_source, f.smac, 6);
            assert_int_equal(flow.near_ifindex, FLOW_RUN_IFINDEX);
            assert_memory_equal(flow.nat, want.nat, sizeof flow.nat);
            assert_int_equal(flow.csum, want.csum);
            assert_int_equal(flow.vlan, want.vlan);
            assert_int_equal(flow.ifindex, want.ifindex);
            assert_int_equal(flow.port, flow_vms[i]->port);
            assert_int_equal(flow.generation, 2);
            assert_int_equal(flow.mtu, FLOW_MTU);
            assert_int_equal(flow.aging, want.aging);
            assert_int_equal(flow.out, n);
            assert_int_equal(flow.passed, 1);
            assert_int_equal(flow.packets, 0);
        }
    }
}

/* How long packets may be: as long as the port may have them, both ways, and
 * as the device that they leave by can send. */
static void
test_mtu(void **state)
{
    static const struct {
        uint32_t port;          /* MTU of the port. */
        uint16_t in;            /* That of its flows on their way in. */
        uint16_t out;           /* On their way out, by a NIC with 1500. */
    } cases[] = {
        { 9000, 9000, 1500 }, { 1500, 1500, 1500 }, { 900, 900, 900 },
        { 100000, 65535, 1500 },
    };

    (void) state;
    for (size_t i = 0; i < 4 * N_FLOW_VMS; i++) {
        const struct flow_vm *vm = flow_vms[i / 4];
        const struct flow_side sides[] = { SIDES(vm) };
        size_t j = i % 4;

        for (int n = 0; n < 2; n++) {
            struct flow_frame f = flow_frame_of(&sides[n], UDP);
            struct ox_flow flow;

            flow_begin(NULL);
            flow_port(vm)->mtu = cases[j].port;
            pass(&sides[n], &f, OX_R_FLOW_LEARNED);
            assert_true(flow_find(vm, &f, n, &flow));
            assert_int_equal(flow.mtu, n ? cases[j].out : cases[j].in);
        }
    }
}

/* The handshake, from either side. */
static void
test_handshake(void **state)
{
    (void) state;
    for (size_t i = 0; i < 2 * N_FLOW_VMS; i++) {
        const struct flow_side sides[] = { SIDES(flow_vms[i / 2]) };
        const struct flow_side *from = &sides[i % 2], *to = &sides[!(i % 2)];

        flow_begin(NULL);
        pass_tcp(from, SYN, OX_R_FLOW_LEARNED);
        assert_int_equal(state_of(to, TCP), -1);
        pass_tcp(to, SYN | ACK, OX_R_FLOW_LEARNED);
        assert_int_equal(state_of(from, TCP), OX_FLOW_LEARNING);
        assert_int_equal(state_of(to, TCP), OX_FLOW_LEARNING);
        pass_tcp(from, ACK, FLOW_UNCOUNTED);
        check_taken(from, TCP);
        check_taken(to, TCP);
    }
}

/* Half a handshake is none: SYNs alone, and a handshake of which OVN has
 * dropped a part. */
static void
test_no_handshake(void **state)
{
    static const uint8_t tries[][3] = {
        { SYN, 0, ACK }, { 0, SYN | ACK, ACK }, { SYN, SYN | ACK, 0 },
        { SYN, ACK, ACK }, { SYN, SYN, ACK }, { SYN, RST | ACK, ACK },
    };
    const struct flow_side sides[] = { SIDES(&flow_fip[0]) };

    (void) state;
    for (size_t i = 0; i < sizeof tries / sizeof tries[0]; i++) {
        flow_begin(NULL);
        for (int n = 0; n < 3; n++) {
            struct flow_frame f = flow_frame_of(&sides[n % 2], TCP), g;

            f.flags = tries[i][n] ? tries[i][n] : SYN;
            g = flow_beyond(sides[n % 2].vm, &f);
            flow_arrive(&sides[n % 2], &f);
            if (tries[i][n]) {
                static struct packet p, out;

                flow_make(&p, &g);
                flow_run(flow_far(&sides[n % 2]), &p, &out, 0);
            }
        }
        assert_int_not_equal(state_of(&sides[0], TCP), OX_FLOW_USED);
        assert_int_not_equal(state_of(&sides[1], TCP), OX_FLOW_USED);
    }
}

/* Makes a connection of 'sides' that is used. */
static void
connect_sides(const struct flow_side sides[2])
{
    flow_begin(NULL);
    pass_tcp(&sides[0], SYN, OX_R_FLOW_LEARNED);
    pass_tcp(&sides[1], SYN | ACK, OX_R_FLOW_LEARNED);
    pass_tcp(&sides[0], ACK, FLOW_UNCOUNTED);
    assert_int_equal(state_of(&sides[0], TCP), OX_FLOW_USED);
    assert_int_equal(state_of(&sides[1], TCP), OX_FLOW_USED);
}

/* The middle of a connection: three segments each way, not fewer. */
static void
test_middle(void **state)
{
    (void) state;
    for (size_t i = 0; i < N_FLOW_VMS; i++) {
        const struct flow_side sides[] = { SIDES(flow_vms[i]) };

        flow_begin(NULL);
        for (int n = 0; n < 7; n++) {
            pass_tcp(&sides[0], ACK, n ? FLOW_UNCOUNTED : OX_R_FLOW_LEARNED);
        }
        pass_tcp(&sides[1], ACK | PSH, OX_R_FLOW_LEARNED);
        pass_tcp(&sides[1], ACK, FLOW_UNCOUNTED);
        assert_int_equal(state_of(&sides[0], TCP), OX_FLOW_LEARNING);
        assert_int_equal(state_of(&sides[1], TCP), OX_FLOW_LEARNING);
        pass_tcp(&sides[1], ACK, FLOW_UNCOUNTED);
        check_taken(&sides[0], TCP);
        check_taken(&sides[1], TCP);
    }
}

/* What is void has to be learned anew, both directions of it. */
static void
test_void(void **state)
{
    (void) state;
    for (size_t i = 0; i < N_FLOW_VMS; i++) {
        const struct flow_side sides[] = { SIDES(flow_vms[i]) };

        connect_sides(sides);
        flow_port(flow_vms[i])->generation += 2;
        for (int n = 0; n < 3; n++) {
            assert_int_equal(state_of(&sides[0], TCP),
                             n ? OX_FLOW_LEARNING : OX_FLOW_USED);
            pass_tcp(&sides[0], ACK, FLOW_UNCOUNTED);
        }
        for (int n = 0; n < 3; n++) {
            assert_int_equal(state_of(&sides[0], TCP), OX_FLOW_LEARNING);
            pass_tcp(&sides[1], ACK, FLOW_UNCOUNTED);
        }
        check_taken(&sides[0], TCP);
        check_taken(&sides[1], TCP);
    }
}

/* Segments that OVN did not pass end and begin nothing. */
static void
test_forged(void **state)
{
    static const uint8_t flags[] = { RST, FIN | ACK, SYN, SYN | ACK,
                                     RST | ACK };
    const struct flow_side sides[] = { SIDES(&flow_fip[0]) };

    (void) state;
    connect_sides(sides);
    for (int n = 0; n < 10; n++) {
        struct flow_frame f = flow_frame_of(&sides[n % 2], TCP);

        f.flags = flags[n / 2];
        flow_arrive(&sides[n % 2], &f);
        check_taken(&sides[0], TCP);
        check_taken(&sides[1], TCP);
    }
}

/* A FIN ends its direction, an RST both, a SYN has both begin anew; a SYN that
 * is answered changes nothing. */
static void
test_ends(void **state)
{
    static const struct {
        uint8_t flags;          /* What OVN passes. */
        int here;               /* State of its direction. */
        int there;              /* Of the other one. */
        int reason;             /* What is counted. */
    } rows[] = {
        { FIN | ACK, OX_FLOW_CLOSED, OX_FLOW_USED, OX_R_FLOW_CLOSED },
        { FIN, OX_FLOW_CLOSED, OX_FLOW_USED, OX_R_FLOW_CLOSED },
        { RST, OX_FLOW_CLOSED, OX_FLOW_CLOSED, OX_R_FLOW_CLOSED },
        { RST | ACK, OX_FLOW_CLOSED, OX_FLOW_CLOSED, OX_R_FLOW_CLOSED },
        { SYN, OX_FLOW_LEARNING, OX_FLOW_LEARNING, OX_R_FLOW_CLOSED },
        { SYN | ACK, OX_FLOW_USED, OX_FLOW_USED, FLOW_UNCOUNTED },
    };

    (void) state;
    for (size_t i = 0; i < 2 * N_FLOW_VMS; i++) {
        const struct flow_side sides[] = { SIDES(flow_vms[i / 2]) };

        for (size_t j = 0; j < sizeof rows / sizeof rows[0]; j++) {
            connect_sides(sides);
            pass_tcp(&sides[i % 2], rows[j].flags, rows[j].reason);
            assert_int_equal(state_of(&sides[i % 2], TCP), rows[j].here);
            assert_int_equal(state_of(&sides[!(i % 2)], TCP), rows[j].there);
        }
    }
}

/* An end counts without a note, too. */
static void
test_end_without_note(void **state)
{
    const struct flow_side sides[] = { SIDES(&flow_fip[1]) };
    struct flow_frame f;

    (void) state;
    connect_sides(sides);
    f = flow_delivered(&flow_fip[1], TCP);
    memset(flow_note(&flow_fip[1], &f, false), 0, sizeof(struct ox_arrival));
    f.flags = RST;
    flow_passes(FLOW_VM_FAR, &f, OX_R_FLOW_CLOSED);
    assert_int_equal(state_of(&sides[0], TCP), OX_FLOW_CLOSED);
    assert_int_equal(state_of(&sides[1], TCP), OX_FLOW_CLOSED);
}

/* The same tuple once more: what is closed is used again after a handshake,
 * and not before, whatever else comes. */
static void
test_reuse(void **state)
{
    (void) state;
    for (size_t i = 0; i < N_FLOW_VMS; i++) {
        const struct flow_side sides[] = { SIDES(flow_vms[i]) };

        connect_sides(sides);
        pass_tcp(&sides[0], RST, OX_R_FLOW_CLOSED);
        for (int n = 0; n < 8; n++) {
            pass_tcp(&sides[n % 2], ACK, FLOW_UNCOUNTED);
        }
        assert_int_equal(state_of(&sides[0], TCP), OX_FLOW_CLOSED);
        pass_tcp(&sides[0], SYN, OX_R_FLOW_CLOSED);
        pass_tcp(&sides[1], SYN | ACK, FLOW_UNCOUNTED);
        assert_int_equal(state_of(&sides[0], TCP), OX_FLOW_LEARNING);
        pass_tcp(&sides[0], ACK, FLOW_UNCOUNTED);
        check_taken(&sides[0], TCP);
        check_taken(&sides[1], TCP);
    }
}

/* No flow without a note: what came by another way. */
static void
test_no_note(void **state)
{
    (void) state;
    for (size_t i = 0; i < N_FLOW_VMS; i++) {
        const struct flow_side sides[] = { SIDES(flow_vms[i]) };
        struct flow_frame f = flow_delivered(flow_vms[i], UDP);
        struct flow_frame g = flow_sent(flow_vms[i], UDP);

        flow_passes(FLOW_VM_FAR, &f, FLOW_UNCOUNTED);
        flow_passes(FLOW_NIC_FAR, &g, FLOW_UNCOUNTED);
        assert_int_equal(state_of(&sides[0], UDP), -1);
        assert_int_equal(state_of(&sides[1], UDP), -1);
    }
}

/* A note in which any byte is another one is none. */
static void
test_torn(void **state)
{
    (void) state;
    for (size_t i = 0; i < 2 * N_FLOW_VMS; i++) {
        const struct flow_side side = { flow_vms[i / 2], i % 2 };
        struct flow_frame f = flow_frame_of(&side, UDP);
        struct flow_frame g = flow_beyond(side.vm, &f);
        uint8_t *note = (uint8_t *) flow_note(side.vm, &f, side.out);

        flow_arrive(&side, &f);
        for (size_t at = 0; at < sizeof(struct ox_arrival); at++) {
            note[at] ^= 1 << at % 8;
            flow_passes(flow_far(&side), &g, FLOW_UNCOUNTED);
            note[at] ^= 1 << at % 8;
        }
        assert_int_equal(state_of(&side, UDP), -1);
        flow_passes(flow_far(&side), &g, OX_R_FLOW_LEARNED);
    }
}

/* The note of somebody else in the same place is none. */
static void
test_foreign_note(void **state)
{
    struct flow_frame f = flow_in(&flow_fip[0], UDP), g = f, h;
    struct ox_arrival *note;

    (void) state;
    g.sport++;
    flow_arrive(&(struct flow_side) { &flow_fip[0], false }, &f);
    note = flow_note(&flow_fip[0], &f, false);
    *flow_note(&flow_fip[0], &g, false) = *note;
    h = flow_beyond(&flow_fip[0], &g);
    flow_passes(FLOW_VM_FAR, &h, FLOW_UNCOUNTED);
}

/* Nor is an old one. */
static void
test_old_note(void **state)
{
    const struct flow_side side = { &flow_fip[0], false };
    struct flow_frame f = flow_frame_of(&side, UDP), g;
    struct ox_arrival *note = flow_note(side.vm, &f, false);
    uint64_t *word = (uint64_t *) note;

    (void) state;
    g = flow_beyond(side.vm, &f);
    for (int n = 0; n < 2; n++) {
        uint64_t total = UINT64_C(0x9e3779b97f4a7c15);

        flow_arrive(&side, &f);
        note->at -= n ? 1800 : 2000;
        for (size_t i = 1; i < sizeof *note / sizeof *word; i++) {
            total = (total ^ word[i]) * UINT64_C(0xd6e8feb86659fd93);
            total ^= total >> 32;
        }
        note->sum = total;
        flow_passes(FLOW_VM_FAR, &g, n ? OX_R_FLOW_LEARNED : FLOW_UNCOUNTED);
    }
}

/* What OVN changed in a way that cannot be repeated. */
static void
test_differs(void **state)
{
    (void) state;
    for (size_t i = 0; i < 2 * N_FLOW_VMS; i++) {
        const struct flow_side side = { flow_vms[i / 2], i % 2 };
        struct flow_frame f = flow_frame_of(&side, UDP);
        struct flow_frame g = flow_beyond(side.vm, &f);
        struct flow_frame changed[5] = { g, g, g, g, g };

        changed[0].tos ^= 0x10;
        changed[1].ttl = f.ttl + 1;
        changed[2].payload++;
        changed[3].tci |= 0x2000;
        changed[4].tci |= 0x1000;
        flow_arrive(&side, &f);
        for (size_t n = 0; n < 5; n++) {
            flow_passes(flow_far(&side), &changed[n], OX_R_FLOW_DIFFERS);
        }
        if (!side.out) {
            g.tci = FLOW_VLAN;
            flow_passes(flow_far(&side), &g, OX_R_FLOW_DIFFERS);
        }
        assert_int_equal(state_of(&side, UDP), -1);
    }
}

/* Gives 'vm' another number of a port, 'number', with the same generation. */
static void
renumber(struct flow_vm *vm, uint32_t number)
{
    struct ox_direct_port *old = flow_port(vm);
    int fd = bpf_map__fd(flow_skel->maps.direct_addrs);
    uint32_t before = vm->port;
    struct ox_direct_key key;
    struct ox_direct_addr addr;

    vm->port = number;
    *flow_port(vm) = *old;
    flow_port(vm)->slot = number;
    old->generation++;
    for (bool more = !bpf_map_get_next_key(fd, NULL, &key); more;
         more = !bpf_map_get_next_key(fd, &key, &key)) {
        assert_int_equal(bpf_map_lookup_elem(fd, &key, &addr), 0);
        if (addr.port == before) {
            addr.port = number;
            assert_int_equal(bpf_map_update_elem(fd, &key, &addr, BPF_ANY),
                             0);
        }
    }
}

/* A flow under another number of its port is void, whatever generation that
 * has: it is learned anew, both directions of it. */
static void
test_number(void **state)
{
    (void) state;
    for (size_t i = 0; i < N_FLOW_VMS; i++) {
        struct flow_vm vm = *flow_vms[i];
        const struct flow_side sides[] = { SIDES(&vm) };
        struct flow_frame f = flow_frame_of(&sides[0], TCP);
        struct ox_flow flow;

        connect_sides(sides);
        renumber(&vm, 15);
        for (int n = 0; n < 3; n++) {
            pass_tcp(&sides[0], ACK, FLOW_UNCOUNTED);
            assert_int_equal(state_of(&sides[0], TCP), OX_FLOW_LEARNING);
        }
        assert_true(flow_find(&vm, &f, false, &flow));
        assert_int_equal(flow.port, 15);
        assert_int_equal(flow.passed, 3);
        for (int n = 0; n < 3; n++) {
            assert_int_equal(state_of(&sides[0], TCP), OX_FLOW_LEARNING);
            pass_tcp(&sides[1], ACK, FLOW_UNCOUNTED);
        }
        check_taken(&sides[0], TCP);
        check_taken(&sides[1], TCP);
        flow_port(&vm)->generation = 1;
    }
}

/* An element with the head of another key, whose writer was late, is learned
 * anew as well. */
static void
test_late_head(void **state)
{
    (void) state;
    for (size_t i = 0; i < 2 * N_FLOW_VMS; i++) {
        const struct flow_side side = { flow_vms[i / 2], i % 2 };
        struct flow_frame f = flow_frame_of(&side, UDP);
        struct ox_flow flow = flow_used(side.vm, &f, side.out);

        flow.head ^= 0x10;
        flow.mtu = side.out ? 1500 : FLOW_MTU;
        flow_put(side.vm, &f, side.out, &flow);
        for (int n = 0; n < 3; n++) {
            pass(&side, &f, FLOW_UNCOUNTED);
            assert_int_equal(state_of(&side, UDP), n == 2 ? OX_FLOW_USED
                                                          : OX_FLOW_LEARNING);
        }
        check_taken(&side, UDP);
    }
}

/* Has the flow of 'side' have been closed 'ticks' earlier. */
static void
close_earlier(const struct flow_side *side, uint32_t ticks)
{
    struct flow_frame f = flow_frame_of(side, TCP);
    struct ox_flow flow;

    assert_true(flow_find(side->vm, &f, side->out, &flow));
    flow.closed -= ticks;
    flow_put(side->vm, &f, side->out, &flow);
}

/* What is closed but goes on, since OVN did not believe the RST, is learned
 * anew after 2 s: three segments each way after that, not those of before. */
static void
test_goes_on(void **state)
{
    (void) state;
    for (size_t i = 0; i < N_FLOW_VMS; i++) {
        const struct flow_side sides[] = { SIDES(flow_vms[i]) };

        connect_sides(sides);
        pass_tcp(&sides[0], RST, OX_R_FLOW_CLOSED);
        close_earlier(&sides[0], 1800);
        for (int n = 0; n < 4; n++) {
            pass_tcp(&sides[0], ACK, FLOW_UNCOUNTED);
        }
        assert_int_equal(state_of(&sides[0], TCP), OX_FLOW_CLOSED);
        close_earlier(&sides[0], 200);
        close_earlier(&sides[1], 2000);
        for (int n = 0; n < 6; n++) {
            pass_tcp(&sides[n / 3], ACK, FLOW_UNCOUNTED);
            assert_int_equal(state_of(&sides[0], TCP),
                             n == 5 ? OX_FLOW_USED : OX_FLOW_LEARNING);
        }
        check_taken(&sides[0], TCP);
        check_taken(&sides[1], TCP);
    }
}

/* The same of one direction that was ended: it is used again while the other
 * one is, but a FIN that is repeated ends it again. */
static void
test_half_close(void **state)
{
    const struct flow_side sides[] = { SIDES(&flow_fip[0]) };

    (void) state;
    for (int n = 0; n < 6; n++) {
        pass_tcp(&sides[n % 2], ACK, n < 2 ? OX_R_FLOW_LEARNED
                                           : FLOW_UNCOUNTED);
    }
    pass_tcp(&sides[0], FIN | ACK, OX_R_FLOW_CLOSED);
    assert_int_equal(state_of(&sides[1], TCP), OX_FLOW_USED);
    close_earlier(&sides[0], 2000);
    pass_tcp(&sides[0], FIN | ACK, OX_R_FLOW_CLOSED);
    pass_tcp(&sides[0], ACK, FLOW_UNCOUNTED);
    assert_int_equal(state_of(&sides[0], TCP), OX_FLOW_CLOSED);
    close_earlier(&sides[0], 2000);
    for (int n = 0; n < 3; n++) {
        assert_int_not_equal(state_of(&sides[0], TCP), OX_FLOW_USED);
        pass_tcp(&sides[0], ACK, FLOW_UNCOUNTED);
    }
    check_taken(&sides[0], TCP);
}

/* With another source port than it came with there is no note. */
static void
test_translated(void **state)
{
    struct flow_frame f = flow_out(&flow_fip[0], UDP), g;

    (void) state;
    flow_arrive(&(struct flow_side) { &flow_fip[0], true }, &f);
    g = flow_beyond(&flow_fip[0], &f);
    g.sport++;
    flow_passes(FLOW_NIC_FAR, &g, FLOW_UNCOUNTED);
}

/* A flow follows where OVN sends its packets now. */
static void
test_moves(void **state)
{
    static const uint8_t next[6] = { 2, 0x52, 0x54, 0, 0, 2 };

    (void) state;
    for (size_t i = 0; i < 2 * N_FLOW_VMS; i++) {
        const struct flow_side side = { flow_vms[i / 2], i % 2 };
        struct flow_frame f = flow_frame_of(&side, UDP), g;
        struct ox_flow before, after;

        flow_begin(NULL);
        for (int n = 0; n < 3; n++) {
            pass(&side, &f, n ? FLOW_UNCOUNTED : OX_R_FLOW_LEARNED);
        }
        flow_find(side.vm, &f, side.out, &before);
        before.confirmed -= 1300;
        before.asked = before.confirmed;
        flow_put(side.vm, &f, side.out, &before);
        flow_arrive(&side, &f);
        g = flow_beyond(side.vm, &f);
        g.dmac = next;
        g.ttl--;
        flow_passes(flow_far(&side), &g, FLOW_UNCOUNTED);
        flow_find(side.vm, &f, side.out, &after);
        assert_int_not_equal(after.head, before.head);
        assert_int_equal((uint32_t) after.head, (uint32_t) before.head);
        flow_takes(flow_near(&side), side.vm, &f, &g);
    }
}

/* Without an address, or a port that is in use, there is no layer L3. */
static void
test_gone(void **state)
{
    (void) state;
    for (size_t i = 0; i < 2 * N_FLOW_VMS; i++) {
        const struct flow_side side = { flow_vms[i / 2], i % 2 };
        struct flow_frame f = flow_frame_of(&side, UDP);
        struct flow_frame g = flow_beyond(side.vm, &f);

        flow_begin(NULL);
        flow_arrive(&side, &f);
        flow_port(side.vm)->generation++;
        flow_passes(flow_far(&side), &g, FLOW_UNCOUNTED);
        flow_port(side.vm)->generation++;
        flow_port(side.vm)->ifindex++;
        flow_passes(flow_far(&side), &g, FLOW_UNCOUNTED);
        flow_port(side.vm)->ifindex--;
        flow_passes(flow_far(&side), &g, OX_R_FLOW_LEARNED);
    }
}

/* A map that is full is told of, and nothing breaks. */
static void
test_full(void **state)
{
    (void) state;
    for (int family = 0; family < 2; family++) {
        const struct flow_side side = { &flow_fip[family], false };
        struct flow_frame f = flow_frame_of(&side, UDP);

        for (int n = 0; n < 64; n++) {
            pass(&side, &f, OX_R_FLOW_LEARNED);
            f.sport++;
        }
        pass(&side, &f, OX_R_FLOW_FULL);
        f.sport--;
        pass(&side, &f, FLOW_UNCOUNTED);
    }
}

/* Several segments in one are like one of another length. */
static void
test_segments(void **state)
{
    static struct packet p, out;
    const struct flow_side sides[] = { SIDES(&flow_fip[0]) };

    (void) state;
    for (int n = 0; n < 2; n++) {
        struct flow_frame f = flow_frame_of(&sides[n], TCP), g;

        flow_arrive(&sides[n], &f);
        g = flow_beyond(&flow_fip[0], &f);
        g.payload *= 2;
        flow_passes(flow_far(&sides[n]), &g, OX_R_FLOW_DIFFERS);
        flow_make(&p, &g);
        assert_int_equal(flow_run(flow_far(&sides[n]), &p, &out, 33),
                         TC_ACT_UNSPEC);
        assert_int_equal(state_of(&sides[n], TCP), OX_FLOW_LEARNING);
    }
}

int
main(void)
{
#define TEST(NAME) cmocka_unit_test_setup(NAME, flow_begin)
    static const struct CMUnitTest tests[] = {
        TEST(test_repeated),
        TEST(test_learned),
        TEST(test_mtu),
        TEST(test_handshake),
        TEST(test_no_handshake),
        TEST(test_middle),
        TEST(test_void),
        TEST(test_forged),
        TEST(test_ends),
        TEST(test_end_without_note),
        TEST(test_reuse),
        TEST(test_no_note),
        TEST(test_torn),
        TEST(test_foreign_note),
        TEST(test_old_note),
        TEST(test_differs),
        TEST(test_number),
        TEST(test_late_head),
        TEST(test_goes_on),
        TEST(test_half_close),
        TEST(test_translated),
        TEST(test_moves),
        TEST(test_gone),
        TEST(test_full),
        TEST(test_segments),
    };

    bed_enter();
    return cmocka_run_group_tests_name("flow-far", tests, flow_set_up,
                                       flow_tear_down);
}
