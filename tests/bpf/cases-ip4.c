/* SPDX-License-Identifier: Apache-2.0
 *
 * Cases of test-nic.c about IPv4 headers. */

#include <config.h>

#include "tests/bpf/cases.h"

#include <linux/bpf.h>
#include <string.h>

/* Flags of the fragment word. */
#define DONT_FRAGMENT 0x4000
#define MORE_FRAGMENTS 0x2000

/* Asserts that 'ip', to the endpoint CASES_PLAIN, is redirected. */
static void
redirects(const struct packet_ip4 *ip)
{
    struct packet in, out;

    cases_arrival4(&in, ip);
    cases_departure4(&out, ip, 0);
    cases_redirect(&in, SLOT4(CASES_PLAIN), &out);
}

/* Asserts that 'ip' passes for 'reason'. */
static void
passes(const struct packet_ip4 *ip, enum ox_reason reason)
{
    struct packet p;

    cases_arrival4(&p, ip);
    cases_pass(&p, reason);
}

/* Any protocol, known or not. */
static void
test_protocols(void **state)
{
    struct packet_ip4 ip = TO4(CASES_PLAIN, 40);

    (void) state;
    for (int proto = 0; proto < 256; proto++) {
        ip.proto = proto;
        redirects(&ip);
    }
}

/* 0 and 1 are left for OVN to answer; all others are counted down. */
static void
test_ttl(void **state)
{
    struct packet_ip4 ip = TO4(CASES_PLAIN, 26);
    struct packet_ip4 tagged = TO4(CASES_TAGGED, 26);
    struct packet in, out;

    (void) state;
    for (int ttl = 0; ttl < 256; ttl++) {
        ip.ttl = ttl;
        redirects(&ip);
    }
    for (int ttl = 0; ttl < 4; ttl++) {
        tagged.ttl = ttl;
        cases_arrival4(&in, &tagged);
        cases_departure4(&out, &tagged, CASES_VLAN);
        cases_redirect(&in, SLOT4(CASES_TAGGED), &out);
    }
}

/* Whatever the checksum was, it is right afterwards: every value of the
 * identification makes another one. */
static void
test_checksum(void **state)
{
    struct packet_ip4 ip = TO4(CASES_PLAIN, 0);
    struct packet p, out;
    uint32_t verdict;

    (void) state;
    for (int id = 0; id < 0x10000; id++) {
        ip.id = id;
        cases_arrival4(&p, &ip);
        cases_departure4(&out, &ip, 0);
        assert_int_equal(cases_run(&p, 0, &verdict), 0);
        assert_int_equal(verdict, XDP_REDIRECT);
        assert_memory_equal(p.data, out.data, out.len);
    }
}

/* A wrong checksum stays as wrong as it was: it is the receiver's to find. */
static void
test_wrong_checksum_stays_wrong(void **state)
{
    const struct packet_ip4 ip = TO4(CASES_PLAIN, 26);
    struct packet p;
    uint32_t verdict;

    (void) state;
    cases_arrival4(&p, &ip);
    p.data[p.l3 + 10] ^= 0x5a;
    assert_int_equal(cases_run(&p, 0, &verdict), 0);
    assert_int_equal(verdict, XDP_REDIRECT);
    assert_int_not_equal(packet_checksum(&p.data[p.l3], PACKET_IP4_LEN), 0);
}

static void
test_options(void **state)
{
    struct packet_ip4 ip = TO4(CASES_PLAIN, 30);

    (void) state;
    for (ip.options = 4; ip.options <= 40; ip.options += 4) {
        redirects(&ip);
    }
}

static void
test_fragments(void **state)
{
    static const uint16_t fragments[] = {
        DONT_FRAGMENT, MORE_FRAGMENTS, MORE_FRAGMENTS | 185, 185, 0x1fff,
        0x8000,
    };
    struct packet_ip4 ip = TO4(CASES_PLAIN, 64);

    (void) state;
    for (size_t i = 0; i < sizeof fragments / sizeof fragments[0]; i++) {
        ip.fragment = fragments[i];
        redirects(&ip);
    }
}

/* A frame may end anywhere. */
static void
test_truncated_everywhere(void **state)
{
    const struct packet_ip4 ip = { .src = CASES_SOURCE4,
                                   .dst = CASES_NET4 CASES_PLAIN,
                                   .ttl = 64, .proto = 6, .options = 12,
                                   .payload = 40 };
    struct packet whole, p;

    (void) state;
    cases_arrival4(&whole, &ip);
    for (size_t len = PACKET_ETH_LEN; len < whole.len; len++) {
        p = whole;
        p.len = len;
        cases_pass(&p, OX_R_TRUNCATED);
    }
    redirects(&ip);
}

/* The header says how long it and the packet are. */
static void
test_lengths_contradict(void **state)
{
    const struct packet_ip4 ip = TO4(CASES_PLAIN, 40);
    struct packet p;

    (void) state;
    for (int ihl = 0; ihl < 5; ihl++) {
        cases_arrival4(&p, &ip);
        p.data[p.l3] = 0x40 | ihl;
        cases_pass(&p, OX_R_MALFORMED);
    }
    for (int total = 0; total < PACKET_IP4_LEN; total++) {
        cases_arrival4(&p, &ip);
        p.data[p.l3 + 3] = total;
        cases_pass(&p, OX_R_MALFORMED);
    }

    /* The options would be longer than the packet. */
    cases_arrival4(&p, &ip);
    p.data[p.l3] = 0x4f;
    p.data[p.l3 + 3] = 59;
    cases_pass(&p, OX_R_MALFORMED);
    p.data[p.l3 + 3] = 61;
    cases_pass(&p, OX_R_TRUNCATED);
    p.data[p.l3 + 2] = 0xff;
    cases_pass(&p, OX_R_TRUNCATED);
}

static void
test_version(void **state)
{
    const struct packet_ip4 ip = TO4(CASES_PLAIN, 40);
    struct packet p;

    (void) state;
    for (int version = 0; version < 16; version++) {
        if (version != 4) {
            cases_arrival4(&p, &ip);
            p.data[p.l3] = version << 4 | 5;
            cases_pass(&p, OX_R_MALFORMED);
        }
    }
}

static void
test_martian_sources(void **state)
{
    static const char *const sources[] = {
        "0.0.0.0", "0.0.0.1", "0.255.255.255", "127.0.0.0", "127.0.0.1",
        "127.255.255.255", "224.0.0.0", "224.0.0.1", "239.255.255.255",
        "255.255.255.255",
    };
    struct packet_ip4 ip = TO4(CASES_PLAIN, 26);

    (void) state;
    for (size_t i = 0; i < sizeof sources / sizeof sources[0]; i++) {
        ip.src = sources[i];
        passes(&ip, OX_R_MARTIAN_SOURCE);
    }
}

/* The neighbours of the martians, and others that Linux forwards. */
static void
test_fair_sources(void **state)
{
    static const char *const sources[] = {
        "1.0.0.0", "126.255.255.255", "128.0.0.0", "223.255.255.255",
        "240.0.0.0", "255.255.255.254", "169.254.0.1", "10.0.0.10",
        "192.168.0.1", "100.64.0.1",
    };
    struct packet_ip4 ip = TO4(CASES_PLAIN, 26);

    (void) state;
    for (size_t i = 0; i < sizeof sources / sizeof sources[0]; i++) {
        ip.src = sources[i];
        redirects(&ip);
    }
}

/* A martian to a foreign address is nobody's: the address decides first. */
static void
test_not_local_comes_first(void **state)
{
    struct packet_ip4 ip = TO4(CASES_NOBODY, 26);
    struct packet p;

    (void) state;
    ip.src = "127.0.0.1";
    passes(&ip, OX_R_NOT_LOCAL);
    cases_arrival4(&p, &ip);
    p.len--;
    cases_pass(&p, OX_R_NOT_LOCAL);
}

/* The address alone is compared, all of it. */
static void
test_similar_addresses(void **state)
{
    static const char *const addresses[] = {
        "11.0.0.10", "10.1.0.10", "10.0.1.10", "10.0.0.138", "10.0.0.0",
    };
    struct packet_ip4 ip = TO4(CASES_PLAIN, 26);

    (void) state;
    for (size_t i = 0; i < sizeof addresses / sizeof addresses[0]; i++) {
        ip.dst = addresses[i];
        passes(&ip, OX_R_NOT_LOCAL);
    }
}

const struct CMUnitTest cases_ip4[] = {
    cmocka_unit_test(test_protocols),
    cmocka_unit_test(test_ttl),
    cmocka_unit_test(test_checksum),
    cmocka_unit_test(test_wrong_checksum_stays_wrong),
    cmocka_unit_test(test_options),
    cmocka_unit_test(test_fragments),
    cmocka_unit_test(test_truncated_everywhere),
    cmocka_unit_test(test_lengths_contradict),
    cmocka_unit_test(test_version),
    cmocka_unit_test(test_martian_sources),
    cmocka_unit_test(test_fair_sources),
    cmocka_unit_test(test_not_local_comes_first),
    cmocka_unit_test(test_similar_addresses),
};
const size_t n_cases_ip4 = sizeof cases_ip4 / sizeof cases_ip4[0];
