/* SPDX-License-Identifier: Apache-2.0
 *
 * Cases of test-nic.c about IPv6 headers. */

#include <config.h>

#include "tests/bpf/cases.h"

/* Next headers. */
#define HOP_BY_HOP 0
#define TCP 6
#define ROUTING 43
#define FRAGMENT 44
#define ICMPV6 58
#define DESTINATION_OPTIONS 60

/* Asserts that 'ip6', to the endpoint CASES_PLAIN, is redirected. */
static void
redirects(const struct packet_ip6 *ip6)
{
    struct packet in, out;

    cases_arrival6(&in, ip6);
    cases_departure6(&out, ip6, 0);
    cases_redirect(&in, SLOT6(CASES_PLAIN), &out);
}

/* Asserts that 'ip6' passes for 'reason'. */
static void
passes(const struct packet_ip6 *ip6, enum ox_reason reason)
{
    struct packet p;

    cases_arrival6(&p, ip6);
    cases_pass(&p, reason);
}

/* All next headers, extension headers among them, except hop-by-hop; the
 * payload's first byte, 0x11, is no type of discovery. */
static void
test_next_headers(void **state)
{
    struct packet_ip6 ip6 = TO6(CASES_PLAIN, 40);

    (void) state;
    for (int next = 1; next < 256; next++) {
        ip6.next = next;
        redirects(&ip6);
    }
}

static void
test_hop_by_hop(void **state)
{
    struct packet_ip6 ip6 = TO6(CASES_PLAIN, 48);

    (void) state;
    ip6.next = HOP_BY_HOP;
    passes(&ip6, OX_R_HOP_BY_HOP);

    /* As a jumbogram has it: no length at all. */
    ip6.payload = 0;
    passes(&ip6, OX_R_HOP_BY_HOP);
}

/* 0 and 1 are left for OVN to answer; all others are counted down. */
static void
test_hop_limit(void **state)
{
    struct packet_ip6 ip6 = TO6(CASES_PLAIN, 26);
    struct packet_ip6 tagged = TO6(CASES_TAGGED, 26);
    struct packet in, out;

    (void) state;
    for (int limit = 0; limit < 256; limit++) {
        ip6.hop_limit = limit;
        redirects(&ip6);
    }
    for (int limit = 0; limit < 4; limit++) {
        tagged.hop_limit = limit;
        cases_arrival6(&in, &tagged);
        cases_departure6(&out, &tagged, CASES_VLAN);
        cases_redirect(&in, SLOT6(CASES_TAGGED), &out);
    }
}

/* A chain of extension headers in front of TCP. */
static void
test_extension_headers(void **state)
{
    static const uint8_t firsts[] = { DESTINATION_OPTIONS, ROUTING, FRAGMENT };
    struct packet_ip6 ip6 = TO6(CASES_PLAIN, 8 + 8 + 20);
    struct packet in, out;

    (void) state;
    for (size_t i = 0; i < sizeof firsts; i++) {
        ip6.next = firsts[i];
        cases_arrival6(&in, &ip6);
        cases_departure6(&out, &ip6, 0);
        in.data[in.l3 + 40] = out.data[out.l3 + 40] = DESTINATION_OPTIONS;
        in.data[in.l3 + 48] = out.data[out.l3 + 48] = TCP;
        cases_redirect(&in, SLOT6(CASES_PLAIN), &out);
    }
}

/* All types of ICMPv6: 133 to 137 are discovery. */
static void
test_icmp6_types(void **state)
{
    struct packet_ip6 ip6 = TO6(CASES_PLAIN, 24);
    struct packet in, out;

    (void) state;
    ip6.next = ICMPV6;
    ip6.hop_limit = 255;
    for (int type = 0; type < 256; type++) {
        cases_arrival6(&in, &ip6);
        cases_departure6(&out, &ip6, 0);
        in.data[in.l3 + 40] = out.data[out.l3 + 40] = type;
        if (type >= 133 && type <= 137) {
            cases_pass(&in, OX_R_ND);
        } else {
            cases_redirect(&in, SLOT6(CASES_PLAIN), &out);
        }
    }
}

/* Without its first byte, ICMPv6 has no type, even if padding follows. */
static void
test_icmp6_without_type(void **state)
{
    struct packet_ip6 ip6 = TO6(CASES_PLAIN, 0);
    struct packet in;

    (void) state;
    ip6.next = ICMPV6;
    cases_arrival6(&in, &ip6);
    cases_pass(&in, OX_R_TRUNCATED);
    packet_pad(&in, 60);
    cases_pass(&in, OX_R_TRUNCATED);
    ip6.payload = 1;
    redirects(&ip6);
}

/* Neighbour discovery is told as such, also from a link-local source. */
static void
test_nd_before_martian(void **state)
{
    struct packet_ip6 ip6 = TO6(CASES_PLAIN, 24);
    struct packet p;

    (void) state;
    ip6.next = ICMPV6;
    ip6.src = "fe80::1";
    cases_arrival6(&p, &ip6);
    p.data[p.l3 + 40] = 135;
    cases_pass(&p, OX_R_ND);
    p.data[p.l3 + 40] = 128;
    cases_pass(&p, OX_R_MARTIAN_SOURCE);
}

/* A frame may end anywhere. */
static void
test_truncated_everywhere(void **state)
{
    struct packet_ip6 ip6 = TO6(CASES_PLAIN, 30);
    struct packet whole, p;

    (void) state;
    ip6.next = ICMPV6;
    cases_arrival6(&whole, &ip6);
    for (size_t len = PACKET_ETH_LEN; len < whole.len; len++) {
        p = whole;
        p.len = len;
        cases_pass(&p, OX_R_TRUNCATED);
    }
    redirects(&ip6);
}

static void
test_length_too_long(void **state)
{
    const struct packet_ip6 ip6 = TO6(CASES_PLAIN, 40);
    struct packet p;

    (void) state;
    cases_arrival6(&p, &ip6);
    p.data[p.l3 + 5]++;
    cases_pass(&p, OX_R_TRUNCATED);
    p.data[p.l3 + 4] = 0xff;
    p.data[p.l3 + 5] = 0xff;
    cases_pass(&p, OX_R_TRUNCATED);
}

/* No payload is a packet, too. */
static void
test_empty(void **state)
{
    const struct packet_ip6 ip6 = TO6(CASES_PLAIN, 0);

    (void) state;
    redirects(&ip6);
}

static void
test_version(void **state)
{
    const struct packet_ip6 ip6 = TO6(CASES_PLAIN, 40);
    struct packet p;

    (void) state;
    for (int version = 0; version < 16; version++) {
        if (version != 6) {
            cases_arrival6(&p, &ip6);
            p.data[p.l3] = version << 4;
            cases_pass(&p, OX_R_MALFORMED);
        }
    }
}

/* Traffic class and flow label stay. */
static void
test_class_and_label(void **state)
{
    const struct packet_ip6 ip6 = TO6(CASES_PLAIN, 40);
    struct packet in, out;

    (void) state;
    cases_arrival6(&in, &ip6);
    cases_departure6(&out, &ip6, 0);
    in.data[in.l3] = out.data[out.l3] = 0x6b;
    in.data[in.l3 + 1] = out.data[out.l3 + 1] = 0x8c;
    in.data[in.l3 + 2] = out.data[out.l3 + 2] = 0xde;
    in.data[in.l3 + 3] = out.data[out.l3 + 3] = 0xad;
    cases_redirect(&in, SLOT6(CASES_PLAIN), &out);
}

static void
test_martian_sources(void **state)
{
    static const char *const sources[] = {
        "::", "::1", "ff00::", "ff02::1", "ffff:ffff::1", "fe80::",
        "fe80::1", "fe90::1", "febf:ffff::1", "::ffff:0.0.0.0",
        "::ffff:192.0.2.1", "::ffff:255.255.255.255",
    };
    struct packet_ip6 ip6 = TO6(CASES_PLAIN, 26);

    (void) state;
    for (size_t i = 0; i < sizeof sources / sizeof sources[0]; i++) {
        ip6.src = sources[i];
        passes(&ip6, OX_R_MARTIAN_SOURCE);
    }
}

/* The neighbours of the martians, and others that Linux forwards. */
static void
test_fair_sources(void **state)
{
    static const char *const sources[] = {
        "::2", "::1:0:0", "::fffe:0:0", "::1:0:0:1", "0:0:1::", "0:0:1::1",
        "1::", "1::1", "fe7f:ffff::1", "fec0::1", "fc00::1", "fd00::1",
        "64:ff9b::192.0.2.1", "2001:db8::10", "::1:ffff:0:0",
        "0:1::ffff:0:0",
    };
    struct packet_ip6 ip6 = TO6(CASES_PLAIN, 26);

    (void) state;
    for (size_t i = 0; i < sizeof sources / sizeof sources[0]; i++) {
        ip6.src = sources[i];
        redirects(&ip6);
    }
}

/* A value that another address has taken over is found out by any byte. */
static void
test_changed_anywhere(void **state)
{
    static const char *const claims[] = {
        "2001:db9::1:10", "2001:db8:1::1:10", "2001:db8:0:1::1:10",
        "2001:db8::1:0:1:10", "2001:db8::2:10", "3001:db8::1:10",
        "2001:db8::1:11",
    };
    struct packet_ip6 ip6 = TO6("1:10", 26);

    (void) state;
    for (size_t i = 0; i < sizeof claims / sizeof claims[0]; i++) {
        cases_add_claim("2001:db8::1:10", claims[i]);
        passes(&ip6, OX_R_CHANGED);
    }
}

/* The address alone is compared, all of it. */
static void
test_similar_addresses(void **state)
{
    static const char *const addresses[] = {
        "2001:db9::10", "3001:db8::10", "2001:db8:1::10", "2001:db8:0:1::10",
        "2001:db8::1:0:0:10", "2001:db8::1:0:10", "2001:db8::1:11",
        "2001:db8::8010", "::10",
    };
    struct packet_ip6 ip6 = TO6(CASES_PLAIN, 26);

    (void) state;
    for (size_t i = 0; i < sizeof addresses / sizeof addresses[0]; i++) {
        ip6.dst = addresses[i];
        passes(&ip6, OX_R_NOT_LOCAL);
    }
}

const struct CMUnitTest cases_ip6[] = {
    cmocka_unit_test(test_next_headers),
    cmocka_unit_test(test_hop_by_hop),
    cmocka_unit_test(test_hop_limit),
    cmocka_unit_test(test_extension_headers),
    cmocka_unit_test(test_icmp6_types),
    cmocka_unit_test(test_icmp6_without_type),
    cmocka_unit_test(test_nd_before_martian),
    cmocka_unit_test(test_truncated_everywhere),
    cmocka_unit_test(test_length_too_long),
    cmocka_unit_test(test_empty),
    cmocka_unit_test(test_version),
    cmocka_unit_test(test_class_and_label),
    cmocka_unit_test(test_martian_sources),
    cmocka_unit_test(test_fair_sources),
    cmocka_unit_test(test_similar_addresses),
    cmocka_unit_test(test_changed_anywhere),
};
const size_t n_cases_ip6 = sizeof cases_ip6 / sizeof cases_ip6[0];
