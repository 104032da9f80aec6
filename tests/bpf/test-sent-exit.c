/* SPDX-License-Identifier: Apache-2.0
 *
 * What the watch (bpf/opened.bpf.c) notes of what VMs with layer L3 send,
 * where it leaves a bridge: that it does so by the tuple that it came with. */

#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/pkt_cls.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "bpf/abi.h"
#include "bpf/opened.skel.h"
#include "tests/bpf/bed.h"
#include "tests/bpf/flow-frame.h"

#define SECOND INT64_C(1000000000)

/* Bits of the fragment word of IPv4: more of them. */
#define MORE 0x2000

/* VMs, and their protocols. */
static const struct flow_vm *const vms[] = {
    &flow_fip[0], &flow_fip[1], &flow_tagged[0], &flow_tagged[1],
};
#define N_VMS (sizeof vms / sizeof vms[0])
#define N_PROTOS 3

static struct opened_bpf *skel;

/* Returns the time of the maps. */
static int64_t
now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC_COARSE, &ts);
    return ts.tv_sec * SECOND + ts.tv_nsec;
}

/* Returns what VM 'i' sends with protocol 'proto', as it leaves. */
static struct flow_frame
leaves(size_t i, int proto)
{
    uint8_t icmp = i % 2 ? ICMP6 : ICMP;

    return flow_sent(vms[i], proto == 0 ? TCP : proto == 1 ? UDP : icmp);
}

/* Stores 'address', a text, as maps have it. */
static void
map_address(uint8_t mapped[16], const char *address)
{
    memset(mapped, 0, 10);
    memset(mapped + 10, 0xff, 2);
    if (inet_pton(AF_INET, address, mapped + 12) != 1) {
        assert_int_equal(inet_pton(AF_INET6, address, mapped), 1);
    }
}

/* Returns the key of 'f'. */
static struct ox_opened_key
key_of(const struct flow_frame *f)
{
    bool echo = f->proto == ICMP || f->proto == ICMP6;
    struct ox_opened_key key = {
        .local_port = htons(f->sport),
        .remote_port = htons(echo ? 0 : f->dport),
        .proto = f->proto,
    };

    map_address(key.local, f->src);
    map_address(key.remote, f->dst);
    return key;
}

/* Returns how many elements map 'fd' has, with keys like those of 'sent'. */
static int
count(int fd)
{
    struct ox_opened_key key, *last = NULL;
    int n = 0;

    while (!bpf_map_get_next_key(fd, last, &key)) {
        last = &key;
        n++;
    }
    return n;
}

/* Returns how many parts of 'map' have missed something. */
static int
count_missed(const struct bpf_map *map)
{
    struct ox_opened_state state;
    uint32_t zero = 0;
    int n = 0;

    assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(map), &zero, &state), 0);
    for (size_t i = 0; i < OX_OPENED_PARTS; i++) {
        n += state.parts[i].full_ns != 0;
    }
    return n;
}

/* Forgets everything, and has VM 'i' be tracked. */
static void
begin(size_t i)
{
    struct ox_tracked value = { .since_ns = 1 };
    struct ox_opened_state none = { .sweeps = 0 };
    int maps[] = { bpf_map__fd(skel->maps.sent),
                   bpf_map__fd(skel->maps.opened) };
    struct ox_opened_key key;
    uint32_t zero = 0;
    uint8_t local[16];

    for (int m = 0; m < 2; m++) {
        while (!bpf_map_get_next_key(maps[m], NULL, &key)) {
            assert_int_equal(bpf_map_delete_elem(maps[m], &key), 0);
        }
    }
    while (!bpf_map_get_next_key(bpf_map__fd(skel->maps.tracked), NULL,
                                 local)) {
        bpf_map_delete_elem(bpf_map__fd(skel->maps.tracked), local);
    }
    assert_int_equal(bpf_map_update_elem(bpf_map__fd(skel->maps.sent_state),
                                         &zero, &none, BPF_ANY), 0);
    map_address(value.addr, vms[i]->external);
    assert_int_equal(bpf_map_update_elem(bpf_map__fd(skel->maps.tracked),
                                         value.addr, &value, BPF_ANY), 0);
}

/* Has the program see 'f', as one that was taken off if 'direct'. */
static void
run(const struct flow_frame *f, bool direct)
{
    struct __sk_buff skb = { .ifindex = 1 };
    static struct packet in, out;
    LIBBPF_OPTS(bpf_test_run_opts, opts,
                .data_in = in.data, .data_out = out.data,
                .data_size_out = sizeof out.data,
                .ctx_in = &skb, .ctx_size_in = sizeof skb);

    flow_make(&in, f);
    opts.data_size_in = in.len;
    if (direct) {
        skb.cb[0] = OX_DIRECT_CB0;
        skb.cb[1] = OX_DIRECT_CB1;
    }
    assert_int_equal(bpf_prog_test_run_opts(
                         bpf_program__fd(skel->progs.watch_opened), &opts),
                     0);
    assert_int_equal((int) opts.retval, TC_ACT_UNSPEC);
}

/* Notes that what has 'key' was seen 10 s ago, in 'state'. */
static void
put(const struct ox_opened_key *key, uint32_t state)
{
    struct ox_opened value = { .seen_ns = now_ns() - 10 * SECOND,
                               .state = state };

    assert_int_equal(bpf_map_update_elem(bpf_map__fd(skel->maps.sent), key,
                                         &value, BPF_ANY), 0);
}

/* Asserts that there is what has 'key', in 'state', seen now; or nothing, if
 * that is -1; and that 'missed' parts have missed something. */
static void
check(const struct ox_opened_key *key, int state, int missed)
{
    struct ox_opened value = { .state = 0 };
    int fd = bpf_map__fd(skel->maps.sent);

    assert_int_equal(count(fd), state >= 0);
    assert_int_equal(count_missed(skel->maps.sent_state), missed);
    if (state >= 0) {
        assert_int_equal(bpf_map_lookup_elem(fd, key, &value), 0);
        assert_int_equal(value.state, state);
        assert_in_range(now_ns() - (int64_t) value.seen_ns, 0, SECOND);
    }
}

/* Returns the state of what begins with 'f'. */
static int
first_state(const struct flow_frame *f)
{
    return (f->proto == UDP ? OX_SENT_UDP : f->proto != TCP ? OX_SENT_ECHO
            : f->flags & (SYN | FIN | RST) ? OX_OPENED_SYN : OX_SENT_TCP);
}

/* What leaves as it came begins anew; what does not, was missed, and is known
 * from then on. */
static void
test_exit(void **state)
{
    (void) state;
    for (size_t i = 0; i < N_VMS * N_PROTOS; i++) {
        struct flow_frame f = leaves(i % N_VMS, i / N_VMS);
        struct ox_opened_key key = key_of(&f);

        begin(i % N_VMS);
        put(&key, first_state(&f));
        run(&f, false);
        check(&key, first_state(&f), 0);

        begin(i % N_VMS);
        run(&f, false);
        check(&key, first_state(&f), 1);
        run(&f, false);
        check(&key, first_state(&f), 1);
        if (i % 2 == 0) {
            begin(i % N_VMS);
            f.fragment = MORE;
            run(&f, false);
            check(&key, first_state(&f), 1);
            begin(i % N_VMS);
            f.fragment = MORE | 4;
            run(&f, false);
            check(&key, -1, 0);
        }
    }
}

/* Nobody asks of others, nor what was taken off, nor of other ICMP. */
static void
test_others(void **state)
{
    (void) state;
    for (size_t i = 0; i < N_VMS * N_PROTOS; i++) {
        struct flow_frame f = leaves(i % N_VMS, i / N_VMS);
        struct ox_opened_key key = key_of(&f);

        begin((i + 1) % N_VMS);
        run(&f, false);
        check(&key, -1, 0);
        begin(i % N_VMS);
        run(&f, true);
        check(&key, -1, 0);
        if (f.proto == ICMP || f.proto == ICMP6) {
            f.dport = f.proto == ICMP ? 3 : 1;
            run(&f, false);
            check(&key, -1, 0);
        } else if (f.proto == UDP) {
            assert_int_equal(count(bpf_map__fd(skel->maps.opened)), 0);
            assert_int_equal(count_missed(skel->maps.opened_state), 0);
        }
    }
}

/* Of TCP, only here does an end shorten a life; and OVN's own RST is none of
 * the VM's. */
static void
test_tcp(void **state)
{
    static const struct {
        uint8_t flags;          /* Of the segment. */
        int first;              /* State when it is the first. */
        int syn, tcp, closing;  /* State after OX_OPENED_SYN, OX_SENT_TCP,
                                 * OX_OPENED_CLOSING. */
    } cases[] = {
        { SYN, OX_OPENED_SYN, OX_OPENED_SYN, OX_SENT_TCP, OX_SENT_TCP },
        { SYN | ACK, -1, OX_SENT_TCP, OX_SENT_TCP, OX_SENT_TCP },
        { ACK, OX_SENT_TCP, OX_SENT_TCP, OX_SENT_TCP, OX_OPENED_CLOSING },
        { FIN | ACK, OX_OPENED_SYN, OX_OPENED_CLOSING, OX_OPENED_CLOSING,
          OX_OPENED_CLOSING },
        { RST, -1, OX_OPENED_CLOSING, OX_OPENED_CLOSING, OX_OPENED_CLOSING },
        { RST | ACK, -1, OX_OPENED_CLOSING, OX_OPENED_CLOSING,
          OX_OPENED_CLOSING },
    };

    (void) state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct flow_frame f = leaves(i % N_VMS, 0);
        struct ox_opened_key key;

        f.flags = cases[i].flags;
        f.payload = 0;
        key = key_of(&f);
        begin(i % N_VMS);
        run(&f, false);
        check(&key, cases[i].first, cases[i].first >= 0);
        begin(i % N_VMS);
        put(&key, OX_OPENED_SYN);
        run(&f, false);
        check(&key, cases[i].syn, 0);
        put(&key, OX_SENT_TCP);
        run(&f, false);
        check(&key, cases[i].tcp, 0);
        put(&key, OX_OPENED_CLOSING);
        run(&f, false);
        check(&key, cases[i].closing, 0);
    }
}

/* Loads the program. */
static int
set_up(void **state)
{
    (void) state;
    skel = opened_bpf__open_and_load();
    return skel ? 0 : -1;
}

/* Frees it. */
static int
tear_down(void **state)
{
    (void) state;
    opened_bpf__destroy(skel);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exit),
        cmocka_unit_test(test_others),
        cmocka_unit_test(test_tcp),
    };

    bed_enter();
    return cmocka_run_group_tests_name("sent-exit", tests, set_up, tear_down);
}
