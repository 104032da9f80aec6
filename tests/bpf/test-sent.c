/* SPDX-License-Identifier: Apache-2.0
 *
 * What VMs with layer L3 have sent: what its programs note of it, at the near
 * side of the tap and at both far sides.  What the watch notes is in
 * test-sent-exit.c. */

#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <string.h>
#include <cmocka.h>

#include "tests/bpf/bed.h"
#include "tests/bpf/sent-bed.h"

/* Whatever the VM sends is noted at the near side of the tap when it is left
 * to OVN, for whatever reason. */
static void
test_noted(void **state)
{
    static const enum flow_program programs[] = { FLOW_VM, FLOW_VM_TC };

    for (int i = 0; i < 2 * N_FLOW_VMS * SENT_PROTOS; i++) {
        const struct flow_vm *vm = flow_vms[i / 2 % N_FLOW_VMS];
        enum flow_program program = programs[i % 2];
        struct flow_frame f
            = flow_out(vm, sent_protocol(vm, i / 2 / N_FLOW_VMS)), g;
        struct ox_opened_key key = sent_key(vm, &f, false);
        struct ox_flow flow = flow_used(vm, &f, true);
        static const uint8_t other[6] = { 2, 0, 0, 0, 0, 9 };

        sent_begin(state);
        sent_run(program, &f, 0);
        sent_check(&key, sent_first(&f));

        sent_begin(state);
        flow.state = OX_FLOW_CLOSED;
        flow_put(vm, &f, true, &flow);
        sent_run(program, &f, 0);
        sent_check(&key, sent_first(&f));

        sent_begin(state);
        flow.state = OX_FLOW_USED;
        flow.mtu = 20;
        flow_put(vm, &f, true, &flow);
        sent_run(program, &f, 0);
        sent_check(&key, sent_first(&f));

        sent_begin(state);
        g = f;
        g.smac = other;
        sent_run(program, &g, 0);
        sent_check(&key, sent_first(&f));

        sent_begin(state);
        g = f;
        g.half = true;
        sent_run(program, &g, 0);
        sent_check(&key, sent_first(&f));
    }
}

/* What is taken off is not, nor what is none of a VM with layer L3. */
static void
test_not_noted(void **state)
{
    for (int i = 0; i < N_FLOW_VMS * SENT_PROTOS; i++) {
        const struct flow_vm *vm = flow_vms[i % N_FLOW_VMS];
        struct flow_frame f = flow_out(vm, sent_protocol(vm, i / N_FLOW_VMS));
        struct ox_flow flow = flow_used(vm, &f, true);

        sent_begin(state);
        flow_put(vm, &f, true, &flow);
        assert_int_equal(sent_run(FLOW_VM, &f, 0), XDP_REDIRECT);
        assert_int_equal(sent_count() + sent_missed(), 0);
        sent_begin(state);
        f.src = flow_family(vm) ? "2001:db8:77::1" : "10.77.0.1";
        sent_run(FLOW_VM, &f, 0);
        sent_run(FLOW_VM_TC, &f, 0);
        assert_int_equal(sent_count() + sent_missed(), 0);
    }
}

/* Of TCP, anything may begin a connection but SYN with ACK. */
static void
test_tcp(void **state)
{
    static const struct {
        uint8_t flags;          /* Of the segment. */
        int first;              /* State when it is the first. */
        int syn, closing;       /* State after OX_OPENED_SYN, _CLOSING. */
    } cases[] = {
        { SYN, OX_OPENED_SYN, OX_OPENED_SYN, OX_SENT_TCP },
        { SYN | ACK, -1, OX_SENT_TCP, OX_SENT_TCP },
        { ACK, OX_SENT_TCP, OX_SENT_TCP, OX_OPENED_CLOSING },
        { FIN | ACK, OX_OPENED_SYN, OX_OPENED_SYN, OX_OPENED_CLOSING },
        { RST, OX_OPENED_SYN, OX_OPENED_SYN, OX_OPENED_CLOSING },
        { 0, OX_SENT_TCP, OX_SENT_TCP, OX_OPENED_CLOSING },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct flow_vm *vm = flow_vms[i % N_FLOW_VMS];
        struct flow_frame f = flow_out(vm, TCP);
        struct ox_opened_key key;

        f.flags = cases[i].flags;
        f.payload = 0;
        key = sent_key(vm, &f, false);
        sent_begin(state);
        sent_run(FLOW_VM, &f, 0);
        sent_check(&key, cases[i].first);
        sent_put(&key, OX_OPENED_SYN, 10 * SENT_SECOND);
        sent_run(FLOW_VM, &f, 0);
        sent_check(&key, cases[i].syn);
        sent_put(&key, OX_OPENED_CLOSING, 10 * SENT_SECOND);
        sent_run(FLOW_VM_TC, &f, 0);
        sent_check(&key, cases[i].closing);
        /* The near side shortens no life. */
        sent_put(&key, OX_SENT_TCP, 10 * SENT_SECOND);
        sent_run(FLOW_VM, &f, 0);
        sent_check(&key, OX_SENT_TCP);
        f.payload = 1;
        sent_put(&key, OX_OPENED_CLOSING, 10 * SENT_SECOND);
        sent_run(FLOW_VM, &f, 0);
        sent_check(&key, (cases[i].flags & (FIN | RST) ? OX_OPENED_CLOSING
                          : OX_SENT_TCP));
        /* What is over begins anew. */
        sent_put(&key, OX_SENT_TCP, (OX_SENT_TCP_S + 1) * SENT_SECOND);
        sent_run(FLOW_VM, &f, 0);
        sent_check(&key, sent_first(&f));
    }
}

/* A packet that is not fit is noted by its first fragment; what cannot be read
 * was missed. */
static void
test_unfit(void **state)
{
    for (int i = 0; i < 3 * SENT_PROTOS; i++) {
        const struct flow_vm *vm = flow_vms[2 * (i % 3)];
        struct flow_frame f = flow_out(vm, sent_protocol(vm, i / 3)), g;
        struct ox_opened_key key = sent_key(vm, &f, false);

        sent_begin(state);
        g = f;
        g.fragment = SENT_MORE;
        sent_run(FLOW_VM, &g, 0);
        sent_check(&key, sent_first(&f));
        sent_begin(state);
        g.fragment = SENT_MORE | 1;
        sent_run(FLOW_VM, &g, 0);
        assert_int_equal(sent_count() + sent_missed(), 0);
        sent_begin(state);
        g.fragment = 0;
        g.options = 8;
        sent_run(FLOW_VM_TC, &g, 0);
        sent_check(&key, sent_first(&f));
        sent_begin(state);
        g = f;
        g.tci = 77;
        sent_run(FLOW_VM, &g, 0);
        sent_run(FLOW_VM_TC, &g, 0);
        assert_int_equal(sent_count(), 0);
        assert_int_equal(sent_missed(), 3);
    }
}

/* DNS is noted, other ICMP than echo and other protocols are not. */
static void
test_kinds(void **state)
{
    for (int i = 0; i < N_FLOW_VMS; i++) {
        const struct flow_vm *vm = flow_vms[i];
        struct flow_frame f = flow_out(vm, UDP);
        struct ox_opened_key key;

        sent_begin(state);
        f.dport = 53;
        key = sent_key(vm, &f, false);
        sent_run(FLOW_VM, &f, 0);
        sent_check(&key, OX_SENT_UDP);
        sent_begin(state);
        f = flow_out(vm, flow_icmp(vm));
        f.dport = flow_family(vm) ? 1 : 3;
        sent_run(FLOW_VM, &f, 0);
        f.proto = 132;
        sent_run(FLOW_VM, &f, 0);
        assert_int_equal(sent_count() + sent_missed(), 0);
    }
}

/* IPv6 packets with other headers in front, as they are on the wire. */
static void
test_extensions(void **state)
{
    static const struct {
        uint8_t next;           /* Kind of the header. */
        uint16_t offset;        /* Of a fragment. */
        int found;              /* Elements. */
        int missed;             /* Parts. */
    } cases[] = {
        { 44, 0, 1, 0 }, { 44, 0x0100, 0, 0 }, { 0, 0, 0, 3 }, { 60, 0, 0, 3 },
        { 43, 0, 0, 3 }, { 51, 0, 0, 3 }, { 59, 0, 0, 0 }, { 50, 0, 0, 0 },
    };
    static struct packet in, out;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct flow_frame f = flow_out(&flow_fip[1], UDP);
        uint8_t *l3;

        sent_begin(state);
        flow_make(&in, &f);
        l3 = in.data + 14;
        packet_pad(&in, in.len + 8);
        memmove(l3 + 48, l3 + 40, in.len - 14 - 48);
        memset(l3 + 40, 0, 8);
        l3[40] = UDP;
        l3[42] = cases[i].offset >> 8;
        l3[6] = cases[i].next;
        l3[5] += 8;
        flow_run(FLOW_VM, &in, &out, 0);
        assert_int_equal(sent_count(), cases[i].found);
        assert_int_equal(sent_missed(), cases[i].missed);
    }
}

/* Where there is no room, something was missed, of that protocol alone. */
static void
test_full(void **state)
{
    for (int i = 0; i < N_FLOW_VMS * SENT_PROTOS; i++) {
        const struct flow_vm *vm = flow_vms[i % N_FLOW_VMS];
        uint8_t proto = sent_protocol(vm, i / N_FLOW_VMS);
        struct flow_frame f = flow_out(vm, proto);
        struct ox_opened_state s;

        sent_begin(state);
        s = sent_read_state();
        sent_part(&s, vm, proto)->n = OX_OPENED_SHARE - 1;
        sent_write_state(&s);
        sent_run(FLOW_VM, &f, 0);
        assert_int_equal(sent_count(), 1);
        assert_int_equal(sent_missed(), 0);
        s = sent_read_state();
        assert_int_equal(sent_part(&s, vm, proto)->n, OX_OPENED_SHARE);
        f.sport++;
        sent_run(FLOW_VM, &f, 0);
        assert_int_equal(sent_count(), 1);
        assert_int_equal(sent_missed(), 1);
        s = sent_read_state();
        assert_true(sent_part(&s, vm, proto)->full_ns);
    }
}

/* As long as not all is known that a VM has sent, what OVN delivers may answer
 * what was sent before: it is noted, too, as probes of the way out are. */
static void
test_unknown(void **state)
{
    for (int i = 0; i < N_FLOW_VMS * SENT_PROTOS; i++) {
        const struct flow_vm *vm = flow_vms[i % N_FLOW_VMS];
        uint8_t proto = sent_protocol(vm, i / N_FLOW_VMS);
        int kind = (proto == TCP ? OX_SENT_TCP
                    : proto == UDP ? OX_SENT_UDP : OX_SENT_ECHO);
        struct flow_frame in = flow_in(vm, proto);
        struct flow_frame f = flow_delivered(vm, proto);
        struct ox_opened_key key = sent_key(vm, &in, true);

        sent_begin(state);
        sent_track(vm, sent_now());
        sent_run(FLOW_VM_FAR, &f, 0);
        sent_check(&key, kind);
        sent_put(&key, OX_OPENED_SYN, (OX_OPENED_SYN_S + 1) * SENT_SECOND);
        sent_run(FLOW_VM_FAR, &f, 0);
        sent_check(&key, kind);
        if (proto == TCP) {
            sent_begin(state);
            sent_track(vm, sent_now());
            f.flags = SYN;
            sent_run(FLOW_VM_FAR, &f, 0);
            assert_int_equal(sent_count() + sent_missed(), 0);
        }
    }
}

/* What OVN delivers has what it answers begin anew, and once all is known it
 * makes nothing. */
static void
test_touch(void **state)
{
    for (int i = 0; i < N_FLOW_VMS * SENT_PROTOS; i++) {
        const struct flow_vm *vm = flow_vms[i % N_FLOW_VMS];
        uint8_t proto = sent_protocol(vm, i / N_FLOW_VMS);
        struct flow_frame in = flow_in(vm, proto);
        struct flow_frame f = flow_delivered(vm, proto);
        struct ox_opened_key key = sent_key(vm, &in, true);
        int made = sent_first(&f);
        int64_t age;

        sent_begin(state);
        sent_run(FLOW_VM_FAR, &f, 0);
        assert_int_equal(sent_count() + sent_missed(), 0);
        sent_put(&key, made, 10 * SENT_SECOND);
        sent_run(FLOW_VM_FAR, &f, 0);
        sent_check(&key, made);
        sent_put(&key, OX_OPENED_SYN, (OX_OPENED_SYN_S + 1) * SENT_SECOND);
        sent_run(FLOW_VM_FAR, &f, 0);
        assert_int_equal(sent_find(&key, &age), OX_OPENED_SYN);
        assert_true(age > OX_OPENED_SYN_S);
        if (!flow_family(vm)) {
            sent_put(&key, made, 10 * SENT_SECOND);
            f.fragment = SENT_MORE;
            sent_run(FLOW_VM_FAR, &f, 0);
            sent_check(&key, made);
        }
    }
}

/* Returns a probe of 'vm', of 'proto', as it comes in at the tap. */
static struct flow_frame
probe_of(const struct flow_vm *vm, uint8_t proto)
{
    const struct flow_side side = { vm, true };
    struct flow_frame f = flow_frame_of(&side, proto);
    uint64_t number = ox_probe_number(flow_secret(),
                                      flow_check_of(vm, &f, true));

    f.payload = proto == UDP ? OX_PROBE_UDP_DATA : 0;
    f.tos = 0;
    f.ttl = OX_PROBE_TTL;
    f.flags = ACK;
    f.fragment = 0;
    f.no_checksum = !flow_family(vm);
    f.id = number;
    f.label = number & 0xfffff;
    f.seq = proto == TCP ? number >> 32 : number >> 16 & 0xffff;
    f.ack = proto == TCP ? number : 0;
    f.data = proto == UDP ? number >> (flow_family(vm) ? 20 : 16) : 0;
    return f;
}

/* So do probes of the way out; what else leaves is the watch's. */
static void
test_probe(void **state)
{
    for (int i = 0; i < N_FLOW_VMS * SENT_PROTOS; i++) {
        const struct flow_vm *vm = flow_vms[i % N_FLOW_VMS];
        uint8_t proto = sent_protocol(vm, i / N_FLOW_VMS);
        const struct flow_side side = { vm, true };
        struct flow_frame f = flow_frame_of(&side, proto);
        struct flow_frame probe = probe_of(vm, proto), g;
        struct ox_opened_key key = sent_key(vm, &f, false);
        struct ox_flow flow = flow_used(vm, &f, true);
        int64_t age;

        sent_begin(state);
        flow_put(vm, &f, true, &flow);
        sent_put(&key, OX_SENT_TCP, 10 * SENT_SECOND);
        g = flow_beyond(vm, &f);
        sent_run(flow_far(&side), &g, 0);
        assert_int_equal(sent_find(&key, &age), OX_SENT_TCP);
        assert_true(age >= 9);
        g = flow_beyond(vm, &probe);
        sent_run(flow_far(&side), &g, 0);
        sent_check(&key, OX_SENT_TCP);
        sent_begin(state);
        sent_track(vm, sent_now());
        flow_put(vm, &f, true, &flow);
        sent_run(flow_far(&side), &g, 0);
        sent_check(&key, proto == TCP ? OX_SENT_TCP
                   : proto == UDP ? OX_SENT_UDP : OX_SENT_ECHO);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_noted),
        cmocka_unit_test(test_not_noted),
        cmocka_unit_test(test_tcp),
        cmocka_unit_test(test_unfit),
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_extensions),
        cmocka_unit_test(test_full),
        cmocka_unit_test(test_unknown),
        cmocka_unit_test(test_touch),
        cmocka_unit_test(test_probe),
    };

    bed_enter();
    return cmocka_run_group_tests_name("sent", tests, flow_set_up,
                                       flow_tear_down);
}
