/* SPDX-License-Identifier: Apache-2.0
 *
 * What is noted of what VMs send, for tests: see sent-bed.h. */

#include <config.h>

#include "tests/bpf/sent-bed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

/* Returns the time of the maps. */
int64_t
sent_now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC_COARSE, &ts);
    return ts.tv_sec * SENT_SECOND + ts.tv_nsec;
}

/* Returns protocol 'i' of 'vm'. */
uint8_t
sent_protocol(const struct flow_vm *vm, int i)
{
    return i == 0 ? TCP : i == 1 ? UDP : flow_icmp(vm);
}

/* Returns how long what was sent with 'proto' is remembered, in ns. */
int64_t
sent_life(uint8_t proto)
{
    return ox_sent_horizon_s(proto) * SENT_SECOND;
}

/* Stores 'address', a text, as maps have it. */
void
sent_address(uint8_t mapped[16], const char *address)
{
    memset(mapped, 0, 10);
    memset(mapped + 10, 0xff, 2);
    if (inet_pton(AF_INET, address, mapped + 12) != 1) {
        assert_int_equal(inet_pton(AF_INET6, address, mapped), 1);
    }
}

/* Returns the key of what 'vm' sends as 'f', or of what it answers if 'in'. */
struct ox_opened_key
sent_key(const struct flow_vm *vm, const struct flow_frame *f, bool in)
{
    bool echo = f->proto == ICMP || f->proto == ICMP6;
    struct ox_opened_key key = {
        .local_port = htons(in && !echo ? f->dport : f->sport),
        .remote_port = htons(echo ? 0 : in ? f->sport : f->dport),
        .proto = f->proto,
    };

    sent_address(key.local, vm->external);
    sent_address(key.remote, in ? f->src : f->dst);
    return key;
}

/* Returns the map 'sent'. */
int
sent_fd(void)
{
    return bpf_map__fd(flow_skel->maps.sent);
}

/* Returns how many elements 'sent' has. */
int
sent_count(void)
{
    struct ox_opened_key key, *last = NULL;
    int n = 0;

    while (!bpf_map_get_next_key(sent_fd(), last, &key)) {
        last = &key;
        n++;
    }
    return n;
}

/* Reads 'sent_state'. */
struct ox_opened_state
sent_read_state(void)
{
    struct ox_opened_state state;
    uint32_t zero = 0;

    assert_int_equal(bpf_map_lookup_elem(
                         bpf_map__fd(flow_skel->maps.sent_state), &zero,
                         &state), 0);
    return state;
}

/* Writes it. */
void
sent_write_state(const struct ox_opened_state *state)
{
    uint32_t zero = 0;

    assert_int_equal(bpf_map_update_elem(
                         bpf_map__fd(flow_skel->maps.sent_state), &zero,
                         state, BPF_ANY), 0);
}

/* Returns what 'state' has of the part of 'vm' with 'proto'. */
struct ox_opened_part *
sent_part(struct ox_opened_state *state, const struct flow_vm *vm,
        uint8_t proto)
{
    union {
        uint8_t bytes[16];
        uint32_t words[4];
    } local;

    sent_address(local.bytes, vm->external);
    return &state->parts[ox_opened_part(local.words, proto)];
}

/* Returns how many parts have missed something. */
int
sent_missed(void)
{
    struct ox_opened_state state = sent_read_state();
    int n = 0;

    for (size_t i = 0; i < OX_OPENED_PARTS; i++) {
        n += state.parts[i].full_ns != 0;
    }
    return n;
}

/* Has 'vm' be tracked since 'since_ns'. */
void
sent_track(const struct flow_vm *vm, int64_t since_ns)
{
    struct ox_tracked value = { .since_ns = since_ns };

    sent_address(value.addr, vm->external);
    assert_int_equal(bpf_map_update_elem(
                         bpf_map__fd(flow_skel->maps.tracked), value.addr,
                         &value, BPF_ANY), 0);
}

/* Notes that 'vm' has sent what has 'key', 'ago' ns ago, in 'state'. */
void
sent_put(const struct ox_opened_key *key, uint32_t state, int64_t ago)
{
    struct ox_opened value = { .seen_ns = sent_now() - ago, .state = state };

    assert_int_equal(bpf_map_update_elem(sent_fd(), key, &value, BPF_ANY), 0);
}

/* Returns the state that the element with 'key' has, or -1; and how long ago
 * it was seen, in s. */
int
sent_find(const struct ox_opened_key *key, int64_t *age)
{
    struct ox_opened value;

    if (bpf_map_lookup_elem(sent_fd(), key, &value)) {
        return -1;
    }
    *age = (sent_now() - (int64_t) value.seen_ns) / SENT_SECOND;
    return value.state;
}

/* Has 'program' see 'f', with 'gso'. */
int
sent_run(enum flow_program program, const struct flow_frame *f, uint32_t gso)
{
    static struct packet in, out;

    flow_make(&in, f);
    return flow_run(program, &in, &out, gso);
}

/* Asserts that there is the element with 'key' alone, in 'state', of now, and
 * that nothing was missed; nothing is there if 'state' is -1. */
void
sent_check(const struct ox_opened_key *key, int state)
{
    int64_t age = 0;

    assert_int_equal(sent_find(key, &age), state);
    assert_int_equal(age, 0);
    assert_int_equal(sent_count(), state >= 0);
    assert_int_equal(sent_missed(), 0);
}

/* Returns the state of what begins with 'f'. */
int
sent_first(const struct flow_frame *f)
{
    return (f->proto == UDP ? OX_SENT_UDP : f->proto != TCP ? OX_SENT_ECHO
            : f->flags & (SYN | FIN | RST) ? OX_OPENED_SYN : OX_SENT_TCP);
}

/* Forgets all, and has all VMs be tracked for long. */
int
sent_begin(void **state)
{
    const struct ox_opened_state none = { .sweeps = 0 };
    struct ox_opened_key key;

    while (!bpf_map_get_next_key(sent_fd(), NULL, &key)) {
        assert_int_equal(bpf_map_delete_elem(sent_fd(), &key), 0);
    }
    sent_write_state(&none);
    for (int i = 0; i < N_FLOW_VMS; i++) {
        sent_track(flow_vms[i], SENT_SETTLED);
    }
    flow_put_nics(true);
    return flow_begin(state);
}
