/* SPDX-License-Identifier: Apache-2.0 */
/* Probes, byte by byte: they are read by code of this file's own, which
 * computes each checksum over the whole packet. */
#include <config.h>

#include "plugin/probe-frame.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "util.h"

#include "bpf/abi.h"

/* A number each part of which is different. */
#define NUMBER UINT64_C(0x123456789abcdef1)

/* Returns the 'n' bytes at 'p' as a number. */
static uint32_t
get(const uint8_t *p, size_t n)
{
    uint32_t value = 0;

    while (n--) {
        value = value << 8 | *p++;
    }
    return value;
}

/* Returns the sum of the 16-bit words of 'n' bytes at 'p', an even number, in
 * one's complement. */
static uint32_t
sum_words(const uint8_t *p, size_t n)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < n; i += 2) {
        sum += get(p + i, 2);
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return sum;
}

/* Returns a probe of 'key'. */
static struct probe
make_probe(const struct dp_flow_key *key, uint16_t vlan)
{
    return (struct probe) {
        .key = key,
        .dmac = ETH_ADDR_C(02, 11, 12, 13, 14, 15),
        .smac = ETH_ADDR_C(fa, 21, 22, 23, 24, 25),
        .vlan = vlan,
        .ttl = 63,
        .number = NUMBER,
    };
}

/* Returns a key of IPv4. */
static struct dp_flow_key
make_key4(uint8_t proto)
{
    struct dp_flow_key key = { .sport = 0x1234, .dport = 80, .proto = proto };

    inet_pton(AF_INET6, "::ffff:198.51.100.7", &key.src);
    inet_pton(AF_INET6, "::ffff:203.0.113.255", &key.dst);
    return key;
}

/* Returns a key of IPv6. */
static struct dp_flow_key
make_key6(uint8_t proto)
{
    struct dp_flow_key key = { .sport = 0x1234, .dport = 80, .proto = proto };

    inet_pton(AF_INET6, "2001:db8::ffff:7", &key.src);
    inet_pton(AF_INET6, "2001:db8:1::1", &key.dst);
    return key;
}

/* Checks the Ethernet header of 'frame' and returns where its packet begins,
 * of type 'type'. */
static const uint8_t *
check_ethernet(const uint8_t *frame, uint16_t vlan, uint16_t type)
{
    static const uint8_t macs[] = {
        0x02, 0x11, 0x12, 0x13, 0x14, 0x15, 0xfa, 0x21, 0x22, 0x23, 0x24, 0x25
    };

    assert_memory_equal(frame, macs, sizeof macs);
    frame += sizeof macs;
    if (vlan) {
        assert_int_equal(get(frame, 2), 0x8100);
        assert_int_equal(get(frame + 2, 2), vlan);
        frame += 4;
    }
    assert_int_equal(get(frame, 2), type);
    return frame + 2;
}

/* Composes a probe of IPv4 in exactly as many bytes as it should have, 'len'
 * of them the transport header, and checks all in front of that.  Stores the
 * frame, which the caller frees, in '*framep' and returns the transport
 * header. */
static const uint8_t *
compose4(const struct dp_flow_key *key, uint16_t vlan, size_t len,
         uint8_t **framep)
{
    struct probe probe = make_probe(key, vlan);
    const uint8_t *ip;

    *framep = malloc(PROBE_MAX_LEN);
    memset(*framep, 0xee, PROBE_MAX_LEN);
    assert_int_equal(probe_compose(&probe, *framep),
                     14 + (vlan ? 4 : 0) + 20 + len);
    assert_int_equal(probe_eth_type(key, vlan), vlan ? 0x8100 : 0x0800);
    ip = check_ethernet(*framep, vlan, 0x0800);
    assert_int_equal(get(ip, 2), 0x4500);
    assert_int_equal(get(ip + 2, 2), 20 + len);
    assert_int_equal(get(ip + 4, 2), NUMBER & 0xffff);
    assert_int_equal(get(ip + 6, 2), 0x4000);
    assert_int_equal(ip[8], 63);
    assert_int_equal(ip[9], key->proto);
    assert_int_equal(sum_words(ip, 20), 0xffff);
    assert_memory_equal(ip + 12, &key->src.s6_addr[12], 4);
    assert_memory_equal(ip + 16, &key->dst.s6_addr[12], 4);
    return ip + 20;
}

/* The same for IPv6. */
static const uint8_t *
compose6(const struct dp_flow_key *key, uint16_t vlan, size_t len,
         uint8_t **framep)
{
    struct probe probe = make_probe(key, vlan);
    const uint8_t *ip;

    *framep = malloc(PROBE_MAX_LEN);
    memset(*framep, 0xee, PROBE_MAX_LEN);
    assert_int_equal(probe_compose(&probe, *framep),
                     14 + (vlan ? 4 : 0) + 40 + len);
    assert_int_equal(probe_eth_type(key, vlan), vlan ? 0x8100 : 0x86dd);
    ip = check_ethernet(*framep, vlan, 0x86dd);
    assert_int_equal(get(ip, 4), 6U << 28 | (NUMBER & 0xfffff));
    assert_int_equal(get(ip + 4, 2), len);
    assert_int_equal(ip[6], key->proto);
    assert_int_equal(ip[7], 63);
    assert_memory_equal(ip + 8, &key->src, 16);
    assert_memory_equal(ip + 24, &key->dst, 16);
    return ip + 40;
}

/* Returns the sum over the transport header, 'len' bytes at 'p', and the
 * pseudo header of 'key'. */
static uint32_t
sum_transport(const struct dp_flow_key *key, const uint8_t *p, size_t len)
{
    uint32_t sum = sum_words(p, len) + len + key->proto;

    if (IN6_IS_ADDR_V4MAPPED(&key->src)) {
        sum += sum_words(&key->src.s6_addr[12], 4);
        sum += sum_words(&key->dst.s6_addr[12], 4);
    } else {
        sum += sum_words(key->src.s6_addr, 16);
        sum += sum_words(key->dst.s6_addr, 16);
    }
    sum = (sum & 0xffff) + (sum >> 16);
    return (sum & 0xffff) + (sum >> 16);
}

/* Checks a TCP header. */
static void
check_tcp(const struct dp_flow_key *key, const uint8_t *tcp)
{
    assert_int_equal(get(tcp, 2), key->sport);
    assert_int_equal(get(tcp + 2, 2), key->dport);
    assert_int_equal(get(tcp + 4, 4), NUMBER >> 32);
    assert_int_equal(get(tcp + 8, 4), NUMBER & 0xffffffff);
    assert_int_equal(get(tcp + 12, 2), 0x5010);
    assert_int_not_equal(get(tcp + 14, 2), 0);
    assert_int_equal(get(tcp + 18, 2), 0);
    assert_int_equal(sum_transport(key, tcp, 20), 0xffff);
}

/* An ACK and nothing else. */
static void
test_tcp(void **state OVS_UNUSED)
{
    static const uint16_t vlans[] = { 0, 1, 4094 };
    struct dp_flow_key key4 = make_key4(IPPROTO_TCP);
    struct dp_flow_key key6 = make_key6(IPPROTO_TCP);
    uint8_t *frame;

    for (size_t i = 0; i < ARRAY_SIZE(vlans); i++) {
        check_tcp(&key4, compose4(&key4, vlans[i], 20, &frame));
        free(frame);
        check_tcp(&key6, compose6(&key6, vlans[i], 20, &frame));
        free(frame);
    }
}

/* A datagram with a part of the number; IPv6 wants a checksum, which is never
 * 0. */
static void
test_udp(void **state OVS_UNUSED)
{
    struct dp_flow_key key = make_key4(IPPROTO_UDP);
    uint8_t *frame;
    const uint8_t *udp = compose4(&key, 7, 12, &frame);

    assert_int_equal(get(udp, 2), 0x1234);
    assert_int_equal(get(udp + 2, 2), 80);
    assert_int_equal(get(udp + 4, 2), 12);
    assert_int_equal(get(udp + 6, 2), 0);
    assert_int_equal(get(udp + 8, 4), 0x56789abc);
    free(frame);

    key = make_key6(IPPROTO_UDP);
    for (key.sport = 0; key.sport < UINT16_MAX; key.sport++) {
        udp = compose6(&key, 0, 12, &frame);
        assert_int_equal(get(udp, 2), key.sport);
        assert_int_not_equal(get(udp + 6, 2), 0);
        assert_int_equal(get(udp + 8, 4), 0x456789ab);
        assert_int_equal(sum_transport(&key, udp, 12), 0xffff);
        free(frame);
    }
}

/* An echo without payload. */
static void
test_icmp(void **state OVS_UNUSED)
{
    struct dp_flow_key key = make_key4(IPPROTO_ICMP);
    uint8_t *frame;
    const uint8_t *icmp;

    for (key.dport = 0; key.dport <= 8; key.dport += 8) {
        icmp = compose4(&key, 0, 8, &frame);
        assert_int_equal(get(icmp, 2), key.dport << 8);
        assert_int_equal(get(icmp + 4, 2), 0x1234);
        assert_int_equal(get(icmp + 6, 2), 0x9abc);
        assert_int_equal(sum_words(icmp, 8), 0xffff);
        free(frame);
    }
    key = make_key6(IPPROTO_ICMPV6);
    for (key.dport = 128; key.dport <= 129; key.dport++) {
        icmp = compose6(&key, 9, 8, &frame);
        assert_int_equal(get(icmp, 2), key.dport << 8);
        assert_int_equal(get(icmp + 4, 2), 0x1234);
        assert_int_equal(get(icmp + 6, 2), 0x9abc);
        assert_int_equal(sum_transport(&key, icmp, 8), 0xffff);
        free(frame);
    }
}

/* Numbers of flows are different ones, and secret. */
static void
test_numbers(void **state OVS_UNUSED)
{
    struct ox_flow4_key a = { .saddr = htonl(0xc6336407), .proto = 6 };
    struct ox_flow4_key b = a;
    uint32_t one = ox_flow4_check(&a);
    uint32_t other;

    b.sport = 1;
    other = ox_flow4_check(&b);
    assert_int_not_equal(one, other);
    assert_true(ox_probe_number(1, one) == ox_probe_number(1, one));
    assert_true(ox_probe_number(1, one) != ox_probe_number(1, other));
    assert_true(ox_probe_number(1, one) != ox_probe_number(2, one));
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tcp),
        cmocka_unit_test(test_udp),
        cmocka_unit_test(test_icmp),
        cmocka_unit_test(test_numbers),
    };

    return cmocka_run_group_tests_name("probe-frame", tests, NULL, NULL);
}
