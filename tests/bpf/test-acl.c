/* SPDX-License-Identifier: Apache-2.0
 *
 * Layer L2 in the NIC program, one by one: what of a packet makes that it is
 * dropped, or is not. */

#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "bpf/abi.h"
#include "tests/bpf/shot.h"

/* The first rule that matches decides, and is the one with the hit. */
static void
test_first_match(void **state)
{
    static const struct {
        struct shot shot;       /* The packet. */
        int rule4;              /* The rule that decides about it. */
        int rule6;              /* Likewise. */
    } cases[] = {
        { { STATEFUL, .port = 443 }, LAST, LAST },
        { { STATEFUL, .port = 22 }, ANY_22, ANY_22 },
        { { STATEFUL, .port = 22, .from4 = FOE4, .from6 = FOE6 }, ANY_22,
          ANY_22 },
        { { STATEFUL, .port = 80 }, LAST, LAST },
        { { STATEFUL, .port = 80, .from4 = FRIEND4, .from6 = FRIEND6 },
          FRIEND_80, FRIEND_80 },
        { { STATEFUL, .port = 80, .from4 = FOE4, .from6 = FOE6 }, FOE_80,
          FOE_80 },
        { { STATEFUL, .port = 81, .from4 = FOE4, .from6 = FOE6 }, LAST,
          LAST },
        { { STATEFUL, .port = 7999 }, LAST, LAST },
        { { STATEFUL, .port = 8000 }, ALL_8000, LAST },
        { { STATEFUL, .port = 8007 }, ALL_8000, LAST },
        { { STATEFUL, .port = 8008 }, LAST, LAST },
    };

    (void) state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (int is_ip6 = 0; is_ip6 < 2; is_ip6++) {
            int rule = is_ip6 ? cases[i].rule6 : cases[i].rule4;
            uint32_t counter = shot_stateful.hits + rule;
            uint64_t before = rules_hits(&shot_world.rules, counter);

            if (shot_rules[rule].drops) {
                shot_drops_in(&cases[i].shot, is_ip6);
            } else {
                shot_passes_in(&cases[i].shot, is_ip6);
            }
            assert_int_equal(rules_hits(&shot_world.rules, counter),
                             before + 2);
        }
    }
}

/* Where there are connections, only a packet that opens one is dropped. */
static void
test_flags(void **state)
{
    struct shot shot = { STATEFUL, .port = 443 };

    (void) state;
    for (shot.flags = 1; shot.flags < 256; shot.flags++) {
        bool opens = (shot.flags & (SYN | ACK | RST | FIN)) == SYN;

        shot.to = STATEFUL;
        opens ? shot_drops(&shot) : shot_passes(&shot);
        shot.to = NOTED;
        opens ? shot_drops(&shot) : shot_passes(&shot);
    }
}

/* Any other protocol may be part of a connection. */
static void
test_stateful_protocols(void **state)
{
    static const int protocols[] = { ICMP, UDP, GRE, ICMP6, SCTP, 50, 136 };
    struct shot shot = { STATEFUL, .port = 0x0305 };

    (void) state;
    for (size_t i = 0; i < sizeof protocols / sizeof protocols[0]; i++) {
        shot.protocol = protocols[i];
        shot_passes(&shot);
    }
}

/* Without connections everything is dropped that the rules drop. */
static void
test_stateless_protocols(void **state)
{
    static const int protocols[] = { ICMP, TCP, UDP, GRE, ICMP6, SCTP, 50,
                                     136 };
    struct shot shot = { STATELESS, .port = 0x0305 };

    (void) state;
    for (size_t i = 0; i < sizeof protocols / sizeof protocols[0]; i++) {
        shot.protocol = protocols[i];
        shot.flags = ACK | PSH;
        shot_drops(&shot);
    }
    shot.protocol = ICMP;
    shot.port = 0x0800;
    shot_passes_in(&shot, false);
    shot.port = 0x0801;
    shot_drops_in(&shot, false);
    shot.protocol = TCP;
    shot.port = 22;
    shot_passes(&shot);
}

/* A rule for a protocol, and for one family. */
static void
test_exceptions(void **state)
{
    struct shot shot = { EXCEPT, .port = 443 };

    (void) state;
    shot_passes_in(&shot, false);
    shot_drops_in(&shot, true);
    shot.port = 444;
    shot_passes(&shot);
    shot.protocol = UDP;
    shot_drops(&shot);
    shot.protocol = SCTP;
    shot_passes(&shot);
}

/* What lies on the way of each other layer passes: fragments, options. */
static void
test_ip4_header(void **state)
{
    static const int fragments[] = { 0x2000, 0x0001, 0x1fff, 0x2001 };
    struct shot shot = { STATEFUL, .port = 443 };

    (void) state;
    for (size_t i = 0; i < sizeof fragments / sizeof fragments[0]; i++) {
        shot.fragment = fragments[i];
        shot.to = STATEFUL;
        shot_passes_in(&shot, false);
        shot.to = STATELESS;
        shot_passes_in(&shot, false);
    }
    shot.fragment = 0x4000;
    shot_drops_in(&shot, false);
    for (shot.options = 4; shot.options <= 40; shot.options += 4) {
        shot.to = STATEFUL;
        shot_passes_in(&shot, false);
        shot.to = STATELESS;
        shot_passes_in(&shot, false);
    }
}

/* This hop or OVN's router answers what is used up. */
static void
test_ttl(void **state)
{
    struct shot shot = { .port = 443, .ttl = 1 };
    struct packet p;

    (void) state;
    for (int i = 0; i < 2; i++) {
        shot.to = i ? STATELESS : STATEFUL;
        shot.ttl = 1;
        shot_passes(&shot);
        shot.ttl = 2;
        shot_passes(&shot);
        shot.ttl = 3;
        shot_drops(&shot);
        shot_make(&p, &shot, true);
        p.data[p.l3 + 7] = 0;
        shot_spares_packet(&p, &shot, true, OX_R_REDIRECTED);
        shot_make(&p, &shot, false);
        p.data[p.l3 + 8] = 0;
        shot_spares_packet(&p, &shot, false, OX_R_REDIRECTED);
    }
}

/* A transport that is not whole. */
static void
test_truncated(void **state)
{
    static const struct {
        int protocol;           /* Protocol. */
        size_t len;             /* Its header. */
    } headers[] = {
        { TCP, 20 }, { UDP, 8 }, { SCTP, 12 }, { ICMP, 8 }, { ICMP6, 8 },
    };
    struct packet p;

    (void) state;
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        struct shot shot = { STATELESS, .protocol = headers[i].protocol,
                             .port = 0x0505 };
        bool is_ip6 = shot.protocol == ICMP6;

        shot_drops_in(&shot, is_ip6);
        for (shot.cut = 1; shot.cut < headers[i].len; shot.cut++) {
            shot_passes_in(&shot, is_ip6);
            /* The frame has padding where the header would be. */
            shot_make(&p, &shot, is_ip6);
            packet_pad(&p, 100);
            shot_spares_packet(&p, &shot, is_ip6, OX_R_REDIRECTED);
        }
    }
    shot_passes(&(struct shot) { STATEFUL, .port = 443, .cut = 1 });
    shot_passes(&(struct shot) { NOTED, .port = 443, .cut = 1 });
}

/* OVS does not see the ports of a header that is shorter than its least, or
 * longer than the packet, whether there are connections or not. */
static void
test_data_offset(void **state)
{
    static const char *const to[] = { STATEFUL, STATELESS };
    struct packet p;

    (void) state;
    for (size_t i = 0; i < sizeof to / sizeof to[0]; i++) {
        struct shot shot = { to[i], .port = 443 };

        for (shot.offset = 1; shot.offset < 16; shot.offset++) {
            shot.offset == 5 ? shot_drops(&shot) : shot_passes(&shot);
        }
        shot.offset = 0;
        shot_make(&p, &shot, false);
        p.data[p.l3 + PACKET_IP4_LEN + 12] = 0;
        shot_spares_packet(&p, &shot, false, OX_R_REDIRECTED);
    }
}

/* IPv6 headers between the fixed one and the transport. */
static void
test_extension_headers(void **state)
{
    static const int headers[] = { 43, 44, 51, 59, 60, 135, 139, 140 };
    struct shot shot = { STATELESS, .port = 443 };

    (void) state;
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        shot.protocol = headers[i];
        shot_passes_in(&shot, true);
    }
    shot.protocol = 51;
    shot_drops_in(&shot, false);
}

/* MLD, DHCPv6, DNS and IGMP are above all rules; discovery never comes so
 * far. */
static void
test_exempt(void **state)
{
    struct shot shot = { STATELESS, .protocol = ICMP6 };

    (void) state;
    for (int type = 0; type < 256; type++) {
        shot.port = type << 8;
        if (type >= 133 && type <= 137) {
            continue;
        } else if ((type >= 130 && type < 133) || type == 143) {
            shot_passes_in(&shot, true);
        } else {
            shot_drops_in(&shot, true);
        }
    }
    shot.protocol = UDP;
    for (shot.port = 540; shot.port < 550; shot.port++) {
        shot_drops_in(&shot, false);
        if (shot.port == 546 || shot.port == 547) {
            shot_passes_in(&shot, true);
        } else {
            shot_drops_in(&shot, true);
        }
    }
    shot.port = 53;
    shot_passes(&shot);
    shot.protocol = TCP;
    shot_drops(&shot);
    shot.protocol = IGMP;
    shot_passes_in(&shot, false);
    shot_drops_in(&shot, true);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_match),
        cmocka_unit_test(test_flags),
        cmocka_unit_test(test_stateful_protocols),
        cmocka_unit_test(test_stateless_protocols),
        cmocka_unit_test(test_exceptions),
        cmocka_unit_test(test_ip4_header),
        cmocka_unit_test(test_ttl),
        cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_data_offset),
        cmocka_unit_test(test_extension_headers),
        cmocka_unit_test(test_exempt),
    };

    bed_enter();
    return cmocka_run_group_tests_name("acl", tests, shot_set_up,
                                       shot_tear_down);
}
