/* SPDX-License-Identifier: Apache-2.0
 *
 * The program that remembers the connections which VMs open, frame by frame:
 * what it takes for one, what becomes of it, and what layer L2 is told. */

#include <config.h>

#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "bpf/abi.h"
#include "bpf/opened.skel.h"
#include "tests/bpf/bed.h"
#include "tests/bpf/packet.h"

/* Flags of TCP. */
#define FIN 0x01
#define SYN 0x02
#define RST 0x04
#define PSH 0x08
#define ACK 0x10
#define ECE 0x40
#define CWR 0x80

/* Protocols and IPv6 headers. */
#define TCP 6
#define UDP 17
#define HOP_BY_HOP 0
#define ROUTING 43
#define FRAGMENT 44
#define ESP 50
#define AUTH 51
#define OPTIONS 60

/* Fragments: more follow. */
#define MORE 0x2000

/* A connection that was opened. */
#define VM4 "198.51.100.10"
#define PEER4 "203.0.113.1"
#define VM6 "2001:db8::10"
#define PEER6 "2001:db8:1::1"
#define VM_PORT 40000
#define PEER_PORT 443

#define NS_PER_S UINT64_C(1000000000)

/* Elements that fit in the small map. */
#define FEW 2

static const uint8_t dst_mac[6] = { 2, 0, 0, 0, 0, 1 };
static const uint8_t src_mac[6] = { 2, 0, 0, 0, 0, 2 };

static struct opened_bpf *skel;

/* Loads the program with room for 'max' connections. */
static struct opened_bpf *
load(uint32_t max)
{
    struct opened_bpf *obj = opened_bpf__open();

    assert_non_null(obj);
    bpf_map__set_max_entries(obj->maps.opened, max);
    assert_int_equal(opened_bpf__load(obj), 0);
    return obj;
}

/* The clock of the elements. */
static uint64_t
now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return now.tv_sec * NS_PER_S + now.tv_nsec;
}

/* Stores 'address', a text, as keys have it. */
static void
set_address(uint8_t mapped[16], const char *address)
{
    memset(mapped, 0, 10);
    memset(mapped + 10, 0xff, 2);
    if (inet_pton(AF_INET, address, mapped + 12) != 1) {
        assert_int_equal(inet_pton(AF_INET6, address, mapped), 1);
    }
}

/* Returns the key of a connection from 'port' of 'local' to PEER_PORT of
 * 'remote'. */
static struct ox_opened_key
make_key(const char *local, uint16_t port, const char *remote)
{
    struct ox_opened_key key = {
        .local_port = htons(port), .remote_port = htons(PEER_PORT),
        .proto = TCP };

    set_address(key.local, local);
    set_address(key.remote, remote);
    return key;
}

/* Reads the element with 'key'.  Returns true if there is one. */
static bool
find(const struct ox_opened_key *key, struct ox_opened *value)
{
    return !bpf_map_lookup_elem(bpf_map__fd(skel->maps.opened), key, value);
}

/* Returns the state of the connection from VM4, or -1 if it is not known. */
static int
state4(void)
{
    struct ox_opened_key key = make_key(VM4, VM_PORT, PEER4);
    struct ox_opened value;

    return find(&key, &value) ? (int) value.state : -1;
}

/* The same for the connection from VM6. */
static int
state6(void)
{
    struct ox_opened_key key = make_key(VM6, VM_PORT, PEER6);
    struct ox_opened value;

    return find(&key, &value) ? (int) value.state : -1;
}

/* Returns how many connections are known. */
static unsigned int
count(void)
{
    int fd = bpf_map__fd(skel->maps.opened);
    struct ox_opened_key key, *last = NULL;
    unsigned int n = 0;

    while (!bpf_map_get_next_key(fd, last, &key)) {
        last = &key;
        n++;
    }
    return n;
}

/* Reads 'opened_state'. */
static struct ox_opened_state
read_state(void)
{
    struct ox_opened_state state;
    uint32_t zero = 0;

    assert_int_equal(
        bpf_map_lookup_elem(bpf_map__fd(skel->maps.opened_state), &zero,
                            &state), 0);
    return state;
}

/* Writes 'opened_state'. */
static void
write_state(const struct ox_opened_state *state)
{
    uint32_t zero = 0;

    assert_int_equal(
        bpf_map_update_elem(bpf_map__fd(skel->maps.opened_state), &zero,
                            state, BPF_ANY), 0);
}

/* Returns the number of the part that 'address' is in. */
static uint32_t
part_of(const char *address)
{
    union {
        uint8_t bytes[16];
        uint32_t words[4];
    } local;

    set_address(local.bytes, address);
    return ox_opened_part(local.words, TCP);
}

/* Reads the part that 'address' is in. */
static struct ox_opened_part
read_part(const char *address)
{
    return read_state().parts[part_of(address)];
}

/* Writes that part. */
static void
write_part(const char *address, const struct ox_opened_part *part)
{
    struct ox_opened_state state = read_state();

    state.parts[part_of(address)] = *part;
    write_state(&state);
}

/* Returns how many parts miss a connection. */
static unsigned int
count_full(void)
{
    struct ox_opened_state state = read_state();
    unsigned int n = 0;

    for (size_t i = 0; i < OX_OPENED_PARTS; i++) {
        n += state.parts[i].full_ns != 0;
    }
    return n;
}

/* Forgets everything. */
static void
forget(void)
{
    int fd = bpf_map__fd(skel->maps.opened);
    struct ox_opened_state state = { .sweeps = 0 };
    struct ox_opened_key key;

    while (!bpf_map_get_next_key(fd, NULL, &key)) {
        assert_int_equal(bpf_map_delete_elem(fd, &key), 0);
    }
    write_state(&state);
}

/* Runs the program on 'p', which it must not change or decide about. */
static void
run(const struct packet *p)
{
    static uint8_t after[PACKET_MAX];
    LIBBPF_OPTS(bpf_test_run_opts, opts,
                .data_in = p->data, .data_size_in = p->len,
                .data_out = after, .data_size_out = sizeof after);

    assert_int_equal(
        bpf_prog_test_run_opts(bpf_program__fd(skel->progs.watch_opened),
                               &opts), 0);
    assert_int_equal((int) opts.retval, TC_ACT_UNSPEC);
    assert_int_equal(opts.data_size_out, p->len);
    assert_memory_equal(after, p->data, p->len);
}

/* Appends the first 'n' bytes of a TCP header with 'flags' from 'port' to
 * PEER_PORT. */
static void
add_tcp(struct packet *p, uint16_t port, uint8_t flags, size_t n)
{
    const uint8_t header[20] = {
        port >> 8, port & 0xff, PEER_PORT >> 8, PEER_PORT & 0xff,
        1, 2, 3, 4, 5, 6, 7, 8, 0x50, flags, 0x10, 0, 0, 0, 0, 0,
    };

    for (size_t i = 0; i < n; i++) {
        packet_byte(p, header[i]);
    }
}

/* Runs a TCP segment with 'flags' and 'data' bytes from 'port' of VM4. */
static void
send4_from(uint16_t port, uint8_t flags, size_t data)
{
    const struct packet_ip4 ip = { .src = VM4, .dst = PEER4, .ttl = 64,
                                   .proto = TCP, .payload = 20 + data };
    struct packet p;

    packet_eth(&p, dst_mac, src_mac, 0, 0x0800);
    packet_ip4(&p, &ip);
    add_tcp(&p, port, flags, 20);
    packet_fill(&p, data);
    packet_pad(&p, 60);
    run(&p);
}

/* The same from VM_PORT. */
static void
send4(uint8_t flags, size_t data)
{
    send4_from(VM_PORT, flags, data);
}

/* The same for IPv6. */
static void
send6(uint8_t flags, size_t data)
{
    const struct packet_ip6 ip6 = { .src = VM6, .dst = PEER6, .hop_limit = 64,
                                    .next = TCP, .payload = 20 + data };
    struct packet p;

    packet_eth(&p, dst_mac, src_mac, 0, 0x86dd);
    packet_ip6(&p, &ip6);
    add_tcp(&p, VM_PORT, flags, 20);
    packet_fill(&p, data);
    run(&p);
}

/* Makes the connection from VM4 one in 'state', 'age' seconds old. */
static void
put4(uint32_t state, uint64_t age)
{
    struct ox_opened_key key = make_key(VM4, VM_PORT, PEER4);
    struct ox_opened value = {
        .seen_ns = now_ns() - age * NS_PER_S, .state = state };

    assert_int_equal(bpf_map_update_elem(bpf_map__fd(skel->maps.opened), &key,
                                         &value, BPF_ANY), 0);
}

/* Returns for how many seconds nothing was seen of the connection from
 * VM4. */
static uint64_t
age4(void)
{
    struct ox_opened_key key = make_key(VM4, VM_PORT, PEER4);
    struct ox_opened value;

    assert_true(find(&key, &value));
    return (now_ns() - value.seen_ns) / NS_PER_S;
}

/* A pure SYN opens a connection, with data and with ECN too; nothing else
 * does. */
static void
test_opens(void **state)
{
    static const uint8_t pure[] = { SYN, SYN | ECE | CWR, SYN | PSH };
    static const uint8_t others[] = {
        0, ACK, SYN | ACK, RST, RST | ACK, FIN | ACK, FIN, SYN | FIN,
        SYN | RST, PSH | ACK, 0xff,
    };

    (void) state;
    for (size_t i = 0; i < sizeof pure; i++) {
        forget();
        send4(pure[i], i * 1000);
        send6(pure[i], i * 1000);
        assert_int_equal(state4(), OX_OPENED_SYN);
        assert_int_equal(state6(), OX_OPENED_SYN);
        assert_int_equal(count(), 2);
        assert_int_equal(age4(), 0);
    }
    forget();
    for (size_t i = 0; i < sizeof others; i++) {
        send4(others[i], i);
        send6(others[i], i);
        assert_int_equal(count(), 0);
    }
    assert_int_equal(count_full(), 0);
}

/* What becomes of a connection that is known. */
static void
test_states(void **state)
{
    static const struct {
        uint32_t before;        /* State of it. */
        uint8_t flags;          /* What the VM sends. */
        size_t data;
        uint32_t after;         /* State that follows. */
    } rows[] = {
        { OX_OPENED_SYN, SYN, 0, OX_OPENED_SYN },
        { OX_OPENED_SYN, ACK, 0, OX_OPENED_DATA },
        { OX_OPENED_SYN, SYN | ACK, 0, OX_OPENED_DATA },
        { OX_OPENED_SYN, RST, 0, OX_OPENED_CLOSING },
        { OX_OPENED_DATA, SYN, 0, OX_OPENED_DATA },
        { OX_OPENED_DATA, ACK, 0, OX_OPENED_DATA },
        { OX_OPENED_DATA, PSH | ACK, 5, OX_OPENED_DATA },
        { OX_OPENED_DATA, FIN | ACK, 0, OX_OPENED_CLOSING },
        { OX_OPENED_DATA, RST | ACK, 0, OX_OPENED_CLOSING },
        { OX_OPENED_CLOSING, SYN, 0, OX_OPENED_CLOSING },
        { OX_OPENED_CLOSING, ACK, 0, OX_OPENED_CLOSING },
        { OX_OPENED_CLOSING, ACK, 1, OX_OPENED_DATA },
        { OX_OPENED_CLOSING, FIN | ACK, 1, OX_OPENED_CLOSING },
    };

    (void) state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        forget();
        put4(rows[i].before, 100);
        send4(rows[i].flags, rows[i].data);
        assert_int_equal(state4(), rows[i].after);
        assert_int_equal(age4(), 0);
        assert_int_equal(count(), 1);
    }
}

/* One that is over begins anew with its state. */
static void
test_over(void **state)
{
    (void) state;
    forget();
    put4(OX_OPENED_SYN, OX_OPENED_SYN_S + 1);
    send4(SYN, 0);
    assert_int_equal(state4(), OX_OPENED_SYN);
    assert_int_equal(age4(), 0);
    put4(OX_OPENED_DATA, OX_OPENED_DATA_S + 1);
    send4(SYN, 0);
    assert_int_equal(state4(), OX_OPENED_DATA);
    assert_int_equal(age4(), 0);
    put4(OX_OPENED_CLOSING, OX_OPENED_CLOSING_S + 1);
    send4(FIN | ACK, 0);
    assert_int_equal(state4(), OX_OPENED_CLOSING);
    assert_int_equal(age4(), 0);
    assert_int_equal(count(), 1);
}

/* Both addresses and both ports make a connection. */
static void
test_keys(void **state)
{
    (void) state;
    forget();
    send4(SYN, 0);
    send4_from(VM_PORT + 1, SYN, 0);
    send6(SYN, 0);
    assert_int_equal(count(), 3);
    send4(RST, 0);
    assert_int_equal(state4(), OX_OPENED_CLOSING);
    assert_int_equal(state6(), OX_OPENED_SYN);
}

/* VLAN tags in the frame, one and two, do not matter. */
static void
test_tags(void **state)
{
    const struct packet_ip4 ip = { .src = VM4, .dst = PEER4, .ttl = 64,
                                   .proto = TCP, .payload = 20 };

    (void) state;
    for (int tags = 0; tags <= 3; tags++) {
        struct packet p;

        forget();
        packet_eth(&p, dst_mac, src_mac, 0, tags ? 0x88a8 : 0x0800);
        for (int i = 0; i < tags; i++) {
            const uint16_t next = i < tags - 1 ? 0x8100 : 0x0800;

            packet_byte(&p, 0);
            packet_byte(&p, 100 + i);
            packet_byte(&p, next >> 8);
            packet_byte(&p, next & 0xff);
        }
        packet_ip4(&p, &ip);
        add_tcp(&p, VM_PORT, SYN, 20);
        run(&p);
        assert_int_equal(state4(), tags <= 2 ? OX_OPENED_SYN : -1);
    }
}

/* Options of IPv4, and fragments: only the first one tells, and one that is
 * too short to tell may be a SYN, whatever the padding looks like. */
static void
test_ip4(void **state)
{
    static const struct {
        size_t options;         /* Bytes of options. */
        uint16_t fragment;      /* Fragment word. */
        uint8_t proto;          /* Protocol. */
        uint8_t flags;          /* Flags of TCP, or what looks like it. */
        size_t n;               /* Bytes of the TCP header in the packet. */
        int known;              /* State of the connection. */
    } rows[] = {
        { 4, 0, TCP, SYN, 20, OX_OPENED_SYN },
        { 40, 0, TCP, SYN, 20, OX_OPENED_SYN },
        { 40, 0, TCP, ACK, 20, -1 },
        { 0, MORE, TCP, SYN, 20, OX_OPENED_SYN },
        { 0, MORE, TCP, ACK, 20, -1 },
        { 0, MORE | 1, TCP, SYN, 20, -1 },
        { 0, 1, TCP, SYN, 20, -1 },
        { 0, MORE, TCP, ACK, 8, OX_OPENED_SYN },
        { 8, MORE, TCP, ACK, 8, OX_OPENED_SYN },
        { 0, 0, UDP, SYN, 20, -1 },
    };

    (void) state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct packet_ip4 ip = {
            .src = VM4, .dst = PEER4, .ttl = 64, .proto = rows[i].proto,
            .fragment = rows[i].fragment, .options = rows[i].options,
            .payload = rows[i].n };
        struct packet p;

        forget();
        packet_eth(&p, dst_mac, src_mac, 0, 0x0800);
        packet_ip4(&p, &ip);
        add_tcp(&p, VM_PORT, rows[i].flags, rows[i].n);
        packet_pad(&p, 60);
        run(&p);
        assert_int_equal(state4(), rows[i].known);
    }
    assert_int_equal(count_full(), 0);
}

/* Appends an extension header of IPv6 of kind 'kind', 8 bytes long but for
 * AUTH, before 'next', with 'word' in its second half-word. */
static void
add_extension(struct packet *p, uint8_t kind, uint8_t next, uint16_t word)
{
    size_t len = kind == AUTH ? 12 : 8;

    packet_byte(p, next);
    packet_byte(p, kind == AUTH ? 1 : 0);
    packet_byte(p, word >> 8);
    packet_byte(p, word & 0xff);
    for (size_t i = 4; i < len; i++) {
        packet_byte(p, 0);
    }
}

/* Runs a SYN of VM6 behind the 'n' extension headers 'kinds'; 'fragment' is
 * the word of fragments. */
static void
send_extended(const uint8_t *kinds, size_t n, uint16_t fragment)
{
    struct packet_ip6 ip6 = { .src = VM6, .dst = PEER6, .hop_limit = 64,
                              .next = n ? kinds[0] : TCP, .payload = 20 };
    struct packet p;

    for (size_t i = 0; i < n; i++) {
        ip6.payload += kinds[i] == AUTH ? 12 : 8;
    }
    packet_eth(&p, dst_mac, src_mac, 0, 0x86dd);
    packet_ip6(&p, &ip6);
    for (size_t i = 0; i < n; i++) {
        add_extension(&p, kinds[i], i + 1 < n ? kinds[i + 1] : TCP,
                      kinds[i] == FRAGMENT ? fragment : 0);
    }
    add_tcp(&p, VM_PORT, SYN, 20);
    run(&p);
}

/* Extension headers that conntrack reads are read; what is behind too many
 * may be anything. */
static void
test_ip6(void **state)
{
    static const uint8_t all[] = {
        HOP_BY_HOP, OPTIONS, ROUTING, FRAGMENT, AUTH, OPTIONS,
    };
    static const uint8_t many[9] = {
        OPTIONS, OPTIONS, OPTIONS, OPTIONS, OPTIONS, OPTIONS, OPTIONS,
        OPTIONS, OPTIONS,
    };
    static const uint8_t esp[] = { ESP }, fragment[] = { FRAGMENT };

    (void) state;
    for (size_t n = 0; n <= sizeof all; n++) {
        forget();
        send_extended(all, n, 1);
        assert_int_equal(state6(), OX_OPENED_SYN);
    }
    forget();
    send_extended(many, 8, 0);
    assert_int_equal(state6(), OX_OPENED_SYN);
    assert_int_equal(count_full(), 0);
    forget();
    send_extended(fragment, 1, 0x0009);
    send_extended(esp, 1, 0);
    assert_int_equal(count(), 0);
    assert_int_equal(count_full(), 0);
    send_extended(many, 9, 0);
    assert_int_equal(count(), 0);
    assert_int_equal(count_full(), 1);
    assert_int_not_equal(read_part(VM6).full_ns, 0);
}

/* Frames may end anywhere behind the IP header, which the kernel wants to be
 * there. */
static void
test_truncated(void **state)
{
    const struct packet_ip6 ip6 = { .src = VM6, .dst = PEER6, .hop_limit = 64,
                                    .next = OPTIONS, .payload = 28 };
    struct packet p;
    size_t len;

    (void) state;
    packet_eth(&p, dst_mac, src_mac, 0, 0x86dd);
    packet_ip6(&p, &ip6);
    add_extension(&p, OPTIONS, TCP, 0);
    add_tcp(&p, VM_PORT, SYN, 20);
    for (len = p.len; p.len >= PACKET_ETH_LEN + PACKET_IP6_LEN; p.len--) {
        forget();
        run(&p);
        assert_int_equal(state6(),
                         p.len >= len - 6 ? OX_OPENED_SYN : -1);
        assert_int_equal(read_part(VM6).full_ns != 0, p.len < len - 6);
    }
}

/* What does not fit is noted; what is there goes on. */
static void
test_full(void **state)
{
    struct opened_bpf *large = skel;
    uint64_t full;

    (void) state;
    skel = load(FEW);
    for (int i = 0; i < FEW; i++) {
        send4_from(VM_PORT + i, SYN, 0);
        assert_int_equal(count_full(), 0);
    }
    send4_from(VM_PORT + FEW, SYN, 0);
    full = read_part(VM4).full_ns;
    assert_int_not_equal(full, 0);
    assert_true(now_ns() - full < NS_PER_S);
    assert_int_equal(count_full(), 1);
    assert_int_equal(read_part(VM4).n, FEW);
    assert_int_equal(count(), FEW);
    send4(ACK, 0);
    assert_int_equal(state4(), OX_OPENED_DATA);
    forget();
    send4(ACK, 0);
    send4(SYN, 0);
    assert_int_equal(count_full(), 0);
    assert_int_equal(state4(), OX_OPENED_SYN);
    opened_bpf__destroy(skel);
    skel = large;
}

/* No address gets more than its share; others go on. */
static void
test_share(void **state)
{
    struct ox_opened_part part = { .n = OX_OPENED_SHARE - 1 };

    (void) state;
    assert_int_not_equal(part_of(VM4), part_of(VM6));
    forget();
    write_part(VM4, &part);
    send4(SYN, 0);
    send4(SYN, 0);
    assert_int_equal(count(), 1);
    assert_int_equal(read_part(VM4).n, OX_OPENED_SHARE);
    assert_int_equal(count_full(), 0);
    send4_from(VM_PORT + 1, SYN, 0);
    assert_int_equal(count(), 1);
    assert_true(now_ns() - read_part(VM4).full_ns < NS_PER_S);
    send6(SYN, 0);
    assert_int_equal(state6(), OX_OPENED_SYN);
    assert_int_equal(read_part(VM6).n, 1);
    assert_int_equal(count_full(), 1);
    /* As many too few do no harm. */
    part.n = -1;
    write_part(VM4, &part);
    send4_from(VM_PORT + 1, SYN, 0);
    assert_int_equal(count(), 3);
    assert_int_equal(read_part(VM4).n, 0);
}

/* Sends what may be a part of a connection from VM4, with flags 'flags'.  It
 * is 'known' then, in that state, or not known if that is negative. */
static void
check_late(const struct ox_opened_part *part, uint8_t flags, int known)
{
    forget();
    write_part(VM4, part);
    send4(flags, 0);
    send6(flags, 0);
    assert_int_equal(state4(), known);
    assert_int_equal(state6(), -1);
    assert_int_equal(read_part(VM4).full_ns, part->full_ns);
}

/* Connections that are older than the watch, or were missed, are taken up by
 * any segment but those that no connection goes on after: of those addresses
 * only for which that is asked, and only for a while. */
static void
test_late(void **state)
{
    static const struct {
        uint8_t flags;          /* What the VM sends. */
        int known;              /* State that follows. */
    } rows[] = {
        { 0, OX_OPENED_DATA },
        { ACK, OX_OPENED_DATA },
        { PSH | ACK, OX_OPENED_DATA },
        { FIN | ACK, OX_OPENED_CLOSING },
        { SYN | ACK, -1 },
        { RST, -1 },
        { RST | ACK, -1 },
    };
    const struct ox_opened_part learns = { .learn_ns = now_ns()
                                           + 60 * NS_PER_S };
    const struct ox_opened_part learnt = { .learn_ns = now_ns() - NS_PER_S };
    const struct ox_opened_part full = { .full_ns = now_ns() };
    const struct ox_opened_part was_full = {
        .full_ns = now_ns() - (OX_OPENED_SYN_S + 1) * NS_PER_S };

    (void) state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        check_late(&learns, rows[i].flags, rows[i].known);
        check_late(&full, rows[i].flags, rows[i].known);
        check_late(&learnt, rows[i].flags, -1);
        check_late(&was_full, rows[i].flags, -1);
    }
}

static int
set_up(void **state)
{
    (void) state;
    skel = load(64);
    return 0;
}

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
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_opens),
        cmocka_unit_test(test_states),
        cmocka_unit_test(test_over),
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_tags),
        cmocka_unit_test(test_ip4),
        cmocka_unit_test(test_ip6),
        cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_full),
        cmocka_unit_test(test_share),
        cmocka_unit_test(test_late),
    };

    bed_enter();
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
