/* SPDX-License-Identifier: Apache-2.0
 *
 * What layer L2 drops of packets that layer L3 has no flow of, by what the VM
 * has sent. */

#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <string.h>
#include <cmocka.h>

#include "tests/bpf/bed.h"
#include "tests/bpf/rules.h"
#include "tests/bpf/sent-bed.h"

/* A port that rules allow. */
#define ALLOWED 5000

static const struct rules_rule rules_of_all[] = {
    { RULES_ANY, RULES_ANY, UDP, ALLOWED, 16, false },
    { RULES_ANY, RULES_ANY, RULES_ANY, 0, 0, true },
};

/* The programs with layer L2, and the VMs whose packets come in there. */
static const struct {
    enum flow_program program;
    const struct flow_vm *vm;
} nics[] = {
    { FLOW_NIC_ACL, flow_fip }, { FLOW_GUARD, flow_tagged },
    { FLOW_GUARD, flow_plain },
};
#define N_NICS (sizeof nics / sizeof nics[0])

static struct rules rules[2];

/* Makes 'vm' an endpoint with rules. */
static void
put_endpoint(const struct flow_vm *vm)
{
    struct ox_endpoint endpoint = {
        .flags = OX_EP_ACL_STATEFUL, .slot = vm->port, .mtu = 1500, .acl = 7,
        .bridge = vm->bridge, .vlan = vm->vlan,
    };
    struct ox_key4 key4 = { .vlan = 0 };
    struct ox_key6 key6 = { .vlan = 0 };
    uint8_t mapped[16];

    sent_address(mapped, vm->external);
    memcpy(endpoint.dmac, flow_in(vm, UDP).dmac, sizeof endpoint.dmac);
    if (flow_family(vm)) {
        memcpy(endpoint.addr, mapped, 16);
        memcpy(key6.addr, mapped, 16);
        assert_int_equal(bpf_map_update_elem(
                             bpf_map__fd(flow_skel->maps.endpoints6), &key6,
                             &endpoint, BPF_ANY), 0);
    } else {
        memcpy(endpoint.addr, mapped + 12, 4);
        memcpy(&key4.addr, mapped + 12, 4);
        assert_int_equal(bpf_map_update_elem(
                             bpf_map__fd(flow_skel->maps.endpoints4), &key4,
                             &endpoint, BPF_ANY), 0);
    }
}

/* Makes the world, with rules. */
static int
set_up(void **state)
{
    const enum flow_program with[2] = { FLOW_NIC_ACL, FLOW_GUARD };

    flow_set_up(state);
    for (int i = 0; i < 2; i++) {
        struct rules_set set = { 7, true, true, rules_of_all, 2, 0 };

        rules[i].skel = flow_object(with[i]);
        rules_write_set(&rules[i], &set);
    }
    for (int i = 0; i < N_FLOW_VMS; i++) {
        put_endpoint(flow_vms[i]);
    }
    return 0;
}

/* Lets packets be dropped until 'ns'. */
static void
lease(uint64_t ns)
{
    rules_lease(&rules[0], ns);
    rules_lease(&rules[1], ns);
}

/* Puts everything back. */
static void
begin(void **state)
{
    sent_begin(state);
    lease(sent_now() + 3600 * SENT_SECOND);
}

/* Returns nearly as much as sent_life(), but no more than the time since the
 * system began. */
static int64_t
alive(uint8_t proto)
{
    int64_t age = sent_life(proto) - 10 * SENT_SECOND;
    int64_t most = sent_now() - SENT_SECOND;

    return age < most ? age : most;
}

/* Asserts that the program of NIC 'n' drops 'f' if 'reason' is ACL_DROP, and
 * else passes it; that it counts 'reason', which may be OX_N_REASONS for none,
 * and nothing else of layer L2. */
static void
check_nic(size_t n, const struct flow_frame *f, enum ox_reason reason)
{
    static const enum ox_reason all[] = {
        OX_R_ACL_DROP, OX_R_ACL_COUNT, OX_R_ACL_LEASE, OX_R_ACL_ANSWER,
        OX_R_ACL_INSIDE, OX_R_ACL_UNTRACKED,
    };
    uint64_t before[sizeof all / sizeof all[0]];
    enum flow_program program = nics[n].program;

    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        before[i] = flow_count(program, all[i]);
    }
    assert_int_equal(sent_run(program, f, 0),
                     reason == OX_R_ACL_DROP ? XDP_DROP : XDP_PASS);
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        int n_counted = flow_count(program, all[i]) - before[i];

        if (n_counted != (all[i] == reason)) {
            fail_msg("NIC %d, %s, protocol %d: %d times %s", (int) n, f->dst,
                     f->proto, n_counted, bed_reason_name(all[i]));
        }
    }
}

/* Calls 'check' for each NIC, family and protocol, with a packet that comes in
 * and answers nothing. */
static void
for_all(void **state, void (*check)(size_t n, const struct flow_vm *,
                                    const struct flow_frame *))
{
    for (size_t i = 0; i < N_NICS * 2 * (SENT_PROTOS + 1); i++) {
        const struct flow_vm *vm = &nics[i % N_NICS].vm[i / N_NICS % 2];
        int which = i / N_NICS / 2;
        uint8_t proto = sent_protocol(vm, which % SENT_PROTOS);
        struct flow_frame f = flow_in(vm, proto);

        if (which == SENT_PROTOS) {
            f = flow_in(vm, flow_icmp(vm));
            f.dport = flow_family(vm) ? ECHO6_REPLY : ECHO4_REPLY;
        }
        f.flags = ACK;
        begin(state);
        check(i % N_NICS, vm, &f);
    }
}

/* What answers nothing is dropped; what does is not, and has it begin anew. */
static void
check_answer(size_t n, const struct flow_vm *vm, const struct flow_frame *f)
{
    struct ox_opened_key key = sent_key(vm, f, true), other;
    int made = sent_first(f);
    int64_t age;

    check_nic(n, f, OX_R_ACL_DROP);
    assert_int_equal(sent_count(), 0);
    sent_put(&key, made, alive(f->proto));
    check_nic(n, f, OX_R_ACL_ANSWER);
    sent_check(&key, made);
    sent_put(&key, made, sent_life(f->proto) + SENT_SECOND);
    check_nic(n, f, OX_R_ACL_DROP);
    assert_int_equal(sent_find(&key, &age), made);
    assert_true(age > 10);
    for (int i = 0; i < 5; i++) {
        other = key;
        other.local[15] ^= i == 0;
        other.remote[15] ^= i == 1;
        other.local_port ^= i == 2;
        other.remote_port ^= i == 3;
        other.proto ^= i == 4;
        sent_put(&other, made, 0);
    }
    check_nic(n, f, OX_R_ACL_DROP);
}

static void
test_answer(void **state)
{
    for_all(state, check_answer);
}

/* While it is not known for long enough, or something was missed, nothing is
 * dropped. */
static void
check_untracked(size_t n, const struct flow_vm *vm,
                const struct flow_frame *f)
{
    struct ox_opened_state s = sent_read_state();
    struct ox_opened_part *part = sent_part(&s, vm, f->proto);
    struct ox_tracked value = { .since_ns = SENT_SETTLED };
    uint8_t key[16];

    sent_track(vm, sent_now());
    check_nic(n, f, OX_R_ACL_UNTRACKED);
    sent_track(vm, sent_now() - sent_life(f->proto) + 10 * SENT_SECOND);
    check_nic(n, f, OX_R_ACL_UNTRACKED);
    sent_track(vm, sent_now() - sent_life(f->proto) - SENT_SECOND);
    check_nic(n, f, OX_R_ACL_DROP);
    sent_track(vm, sent_now() + SENT_SECOND);
    check_nic(n, f, OX_R_ACL_UNTRACKED);
    sent_track(vm, 0);
    check_nic(n, f, OX_R_ACL_UNTRACKED);
    /* The element was recycled. */
    sent_address(key, vm->external);
    assert_int_equal(bpf_map_update_elem(
                         bpf_map__fd(flow_skel->maps.tracked), key, &value,
                         BPF_ANY), 0);
    check_nic(n, f, OX_R_ACL_UNTRACKED);
    assert_int_equal(bpf_map_delete_elem(
                         bpf_map__fd(flow_skel->maps.tracked), key), 0);
    check_nic(n, f, OX_R_ACL_UNTRACKED);
    sent_track(vm, SENT_SETTLED);
    part->full_ns = sent_now() - (f->proto == TCP ? 0 : sent_life(f->proto))
                    + 10 * SENT_SECOND;
    sent_write_state(&s);
    check_nic(n, f, OX_R_ACL_UNTRACKED);
    part->full_ns = 0;
    sent_part(&s, vm, f->proto == TCP ? UDP : TCP)->full_ns = sent_now();
    sent_write_state(&s);
    check_nic(n, f, OX_R_ACL_DROP);
    s.sweeps = 1;
    sent_write_state(&s);
    check_nic(n, f, OX_R_ACL_UNTRACKED);
}

static void
test_untracked(void **state)
{
    for_all(state, check_untracked);
}

/* Of a packet with a flow, nothing is said, whatever state that is in. */
static void
check_flow(size_t n, const struct flow_vm *vm, const struct flow_frame *f)
{
    struct ox_flow flow = flow_used(vm, f, false);

    flow.state = OX_FLOW_CLOSED;
    flow_put(vm, f, false, &flow);
    check_nic(n, f, OX_N_REASONS);
    flow.state = OX_FLOW_USED;
    flow.generation += 2;
    flow_put(vm, f, false, &flow);
    check_nic(n, f, OX_N_REASONS);
}

static void
test_flow(void **state)
{
    for_all(state, check_flow);
}

/* What else speaks against it. */
static void
check_proofs(size_t n, const struct flow_vm *vm, const struct flow_frame *f)
{
    const struct ox_direct_key key = { .ifindex = 0 };
    struct flow_frame g = *f;
    struct ox_direct_key direct = key;

    lease(0);
    check_nic(n, f, OX_R_ACL_LEASE);
    lease(sent_now() + 3600 * SENT_SECOND);
    g.src = (vm == &flow_fip[0] || vm == &flow_fip[1] ? flow_plain
             : flow_fip)[flow_family(vm)].external;
    sent_address(direct.addr, g.src);
    /* An endpoint with layer L3, and one without. */
    check_nic(n, &g, OX_N_REASONS);
    assert_int_equal(bpf_map_delete_elem(
                         bpf_map__fd(flow_skel->maps.direct_addrs), &direct),
                     0);
    check_nic(n, &g, OX_R_ACL_INSIDE);
    /* An address without layer L3. */
    sent_address(direct.addr, vm->external);
    assert_int_equal(bpf_map_delete_elem(
                         bpf_map__fd(flow_skel->maps.direct_addrs), &direct),
                     0);
    check_nic(n, f, OX_N_REASONS);
}

static void
test_proofs(void **state)
{
    for_all(state, check_proofs);
}

/* What rules allow passes, and has what it answers begin anew all the same;
 * what OVN takes for itself passes; a SYN needs nothing of all that. */
static void
test_spared(void **state)
{
    for (size_t i = 0; i < 2 * N_NICS; i++) {
        const struct flow_vm *vm = &nics[i / 2].vm[i % 2];
        struct flow_frame f = flow_in(vm, UDP);
        struct ox_opened_key key;

        begin(state);
        f.dport = ALLOWED;
        key = sent_key(vm, &f, true);
        sent_put(&key, OX_SENT_UDP, 10 * SENT_SECOND);
        check_nic(i / 2, &f, OX_N_REASONS);
        sent_check(&key, OX_SENT_UDP);
        f.dport = 53;
        check_nic(i / 2, &f, OX_N_REASONS);
        f = flow_in(vm, flow_icmp(vm));
        f.dport = flow_family(vm) ? 1 : 3;
        check_nic(i / 2, &f, OX_N_REASONS);
        f.proto = 132;
        check_nic(i / 2, &f, OX_N_REASONS);
        f = flow_in(vm, UDP);
        f.ttl = 2;
        check_nic(i / 2, &f, OX_N_REASONS);
        if (!flow_family(vm)) {
            f.ttl = 64;
            f.fragment = SENT_MORE;
            check_nic(i / 2, &f, OX_N_REASONS);
        }
        f = flow_in(vm, TCP);
        f.flags = SYN;
        sent_track(vm, 0);
        check_nic(i / 2, &f, OX_R_ACL_DROP);
        f.flags = SYN | ACK;
        check_nic(i / 2, &f, OX_R_ACL_UNTRACKED);
        sent_track(vm, SENT_SETTLED);
        check_nic(i / 2, &f, OX_R_ACL_DROP);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answer),
        cmocka_unit_test(test_untracked),
        cmocka_unit_test(test_flow),
        cmocka_unit_test(test_proofs),
        cmocka_unit_test(test_spared),
    };

    bed_enter();
    return cmocka_run_group_tests_name("sent-drop", tests, set_up,
                                       flow_tear_down);
}
