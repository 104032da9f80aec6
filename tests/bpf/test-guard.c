/* SPDX-License-Identifier: Apache-2.0
 *
 * Layer L2 on a switched NIC: which frames are an endpoint's, and what becomes
 * of them.  What of a packet makes that it is dropped is seen in test-acl.c;
 * here the programs are asked about the same sets of rules. */

#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "bpf/abi.h"
#include "tests/bpf/shot.h"

/* Rows of the guard that drops and of the one that counts. */
#define GUARD 9
#define COUNTING 10

/* The bridge of the NIC, and another one. */
#define BRIDGE 4711
#define OTHER_BRIDGE 4712

/* The VLAN of endpoints that have one. */
#define VLAN 100

/* Endpoints, instead of those of shot.h: one without a VLAN, one with, one in
 * the other bridge, one whose value claims another address, and one without
 * rules. */
#define PLAIN "10"
#define TAGGED "11"
#define ELSEWHERE "12"
#define CLAIMED "13"
#define BARE "14"

static const uint8_t dmac[6] = { 0x02, 0xf1, 0x16, 0x3e, 0x00, 0x09 };
static struct ovn_xdp_bpf *guard, *counting;

/* Makes 'number' an endpoint with the rules 'acl'. */
static void
add(const char *number, uint32_t acl, uint16_t vlan, uint32_t bridge)
{
    struct ox_endpoint endpoint = { .vlan = vlan, .bridge = bridge,
                                    .acl = acl, .slot = atoi(number) - 10 };
    bool claimed = !strcmp(number, CLAIMED);
    char address[64], claim[64];

    memcpy(endpoint.dmac, dmac, sizeof dmac);
    snprintf(address, sizeof address, "10.0.0.%s", number);
    snprintf(claim, sizeof claim, "10.0.0.%s", claimed ? "99" : number);
    bed_add_endpoint_as(shot_world.drops, address, claim, &endpoint);
    endpoint.slot += 8;
    snprintf(address, sizeof address, "2001:db8::%s", number);
    snprintf(claim, sizeof claim, "2001:db8::%s", claimed ? "99" : number);
    bed_add_endpoint_as(shot_world.drops, address, claim, &endpoint);
}

/* Makes the world. */
static int
set_up(void **state)
{
    shot_set_up(state);
    guard = bed_load_guard(GUARD, true, shot_world.drops);
    counting = bed_load_guard(COUNTING, false, shot_world.drops);
    assert_non_null(guard);
    assert_non_null(counting);
    bed_set_bridge(shot_world.drops, GUARD, BRIDGE);
    bed_set_bridge(shot_world.drops, COUNTING, BRIDGE);
    add(PLAIN, shot_stateful.id, 0, BRIDGE);
    add(TAGGED, shot_stateful.id, VLAN, BRIDGE);
    add(ELSEWHERE, shot_stateful.id, 0, OTHER_BRIDGE);
    add(CLAIMED, shot_stateful.id, 0, BRIDGE);
    add(BARE, 0, 0, BRIDGE);
    return 0;
}

/* Unmakes it. */
static int
tear_down(void **state)
{
    ovn_xdp_bpf__destroy(counting);
    ovn_xdp_bpf__destroy(guard);
    return shot_tear_down(state);
}

/* Pushes a tag of 'proto' with 'tci' to 'p'. */
static void
push(struct packet *p, uint16_t proto, uint16_t tci)
{
    memmove(&p->data[16], &p->data[12], p->len - 12);
    p->data[12] = proto >> 8;
    p->data[13] = proto & 0xff;
    p->data[14] = tci >> 8;
    p->data[15] = tci & 0xff;
    p->len += 4;
    p->l3 += 4;
}

/* Makes 'p' the packet 'shot', to the MAC of endpoints. */
static void
make(struct packet *p, const struct shot *shot, bool is_ip6)
{
    shot_make(p, shot, is_ip6);
    memcpy(p->data, dmac, sizeof dmac);
}

/* Asserts what the program 'fd' of 'row' makes of 'p', which stays as it
 * was. */
static void
check_program(int fd, uint32_t row, const struct packet *p,
              enum ox_reason reason, enum ox_reason besides, int slot)
{
    static struct bed_counters before, after;
    static uint8_t out[PACKET_MAX];
    LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = p->data,
                .data_size_in = p->len, .data_out = out,
                .data_size_out = sizeof out);

    bed_read_row(shot_world.drops, row, &before);
    assert_int_equal(bpf_prog_test_run_opts(fd, &opts), 0);
    bed_read_row(shot_world.drops, row, &after);
    bed_assert_counted_besides(&before, &after, row, reason, besides, slot,
                               p->len);
    assert_int_equal(opts.retval,
                     reason == OX_R_ACL_DROP ? XDP_DROP : XDP_PASS);
    assert_int_equal(opts.data_size_out, p->len);
    assert_memory_equal(out, p->data, p->len);
}

/* Asserts that 'p' passes for 'reason', and is counted for 'besides'. */
static void
spares(const struct packet *p, enum ox_reason reason, enum ox_reason besides)
{
    check_program(bed_program(guard), GUARD, p, reason, besides, BED_NO_SLOT);
    check_program(bed_program(counting), COUNTING, p, reason, besides,
                  BED_NO_SLOT);
}

/* Asserts that 'p' passes for 'reason'. */
static void
passes(const struct packet *p, enum ox_reason reason)
{
    spares(p, reason, reason);
}

/* Asserts that 'p', for the endpoint 'number', is dropped, or counted. */
static void
drops(const struct packet *p, const char *number, bool is_ip6)
{
    int slot = atoi(number) - 10 + (is_ip6 ? 8 : 0);

    check_program(bed_program(guard), GUARD, p, OX_R_ACL_DROP, OX_R_ACL_DROP,
                  slot);
    check_program(bed_program(counting), COUNTING, p, OX_R_GUARDED,
                  OX_R_ACL_COUNT, BED_NO_SLOT);
}

/* What the rules drop is dropped, what they allow is left to the bridge. */
static void
test_rules(void **state)
{
    static const struct shot closed = { PLAIN, .port = 443 },
        open = { PLAIN, .port = 22 }, bare = { BARE, .port = 443 },
        data = { PLAIN, .port = 443, .flags = ACK },
        late = { PLAIN, .port = 443, .ttl = 2 },
        inside = { PLAIN, .port = 443, .from4 = "10.0.0.11",
                   .from6 = "2001:db8::11" };
    struct packet p;

    (void) state;
    for (int is_ip6 = 0; is_ip6 < 2; is_ip6++) {
        make(&p, &closed, is_ip6);
        drops(&p, PLAIN, is_ip6);
        make(&p, &open, is_ip6);
        passes(&p, OX_R_GUARDED);
        make(&p, &bare, is_ip6);
        passes(&p, OX_R_GUARDED);
        make(&p, &data, is_ip6);
        passes(&p, OX_R_GUARDED);
        make(&p, &late, is_ip6);
        passes(&p, OX_R_GUARDED);
        make(&p, &inside, is_ip6);
        spares(&p, OX_R_GUARDED, OX_R_ACL_INSIDE);
    }
}

/* A frame has the VLAN of the network, or is none of the endpoint's. */
static void
test_vlan(void **state)
{
    static const struct shot plain = { PLAIN, .port = 443 },
        tagged = { TAGGED, .port = 443 };
    static const uint16_t foreign[] = { 1, VLAN - 1, VLAN + 1, 4094 };
    struct packet p;

    (void) state;
    for (int is_ip6 = 0; is_ip6 < 2; is_ip6++) {
        make(&p, &tagged, is_ip6);
        passes(&p, OX_R_GUARDED);
        push(&p, 0x8100, VLAN);
        drops(&p, TAGGED, is_ip6);
        make(&p, &tagged, is_ip6);
        push(&p, 0x8100, 0xe000 | VLAN);
        drops(&p, TAGGED, is_ip6);
        for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++) {
            make(&p, &tagged, is_ip6);
            push(&p, 0x8100, foreign[i]);
            passes(&p, OX_R_GUARDED);
        }
        make(&p, &plain, is_ip6);
        push(&p, 0x8100, VLAN);
        passes(&p, OX_R_GUARDED);
    }
}

/* What is no plain tag: one without a VLAN, one of a provider, two. */
static void
test_odd_tags(void **state)
{
    static const struct shot plain = { PLAIN, .port = 443 },
        tagged = { TAGGED, .port = 443 };
    struct packet p;

    (void) state;
    for (int is_ip6 = 0; is_ip6 < 2; is_ip6++) {
        make(&p, &plain, is_ip6);
        push(&p, 0x8100, 0);
        passes(&p, OX_R_GUARDED);
        make(&p, &tagged, is_ip6);
        push(&p, 0x88a8, VLAN);
        passes(&p, OX_R_GUARDED);
        make(&p, &tagged, is_ip6);
        push(&p, 0x8100, VLAN);
        push(&p, 0x8100, VLAN);
        passes(&p, OX_R_GUARDED);
        make(&p, &tagged, is_ip6);
        push(&p, 0x88a8, VLAN);
        push(&p, 0x8100, VLAN);
        passes(&p, OX_R_GUARDED);
    }
}

/* A frame to another MAC is none of the endpoint's, whichever bit differs. */
static void
test_mac(void **state)
{
    static const struct shot shot = { PLAIN, .port = 443 };
    struct packet p;

    (void) state;
    for (int bit = 0; bit < 48; bit++) {
        make(&p, &shot, bit % 2);
        drops(&p, PLAIN, bit % 2);
        p.data[bit / 8] ^= 1 << bit % 8;
        passes(&p, OX_R_GUARDED);
    }
}

/* Nor is one in another bridge, or where the bridge is not known. */
static void
test_bridge(void **state)
{
    static const struct shot plain = { PLAIN, .port = 443 },
        elsewhere = { ELSEWHERE, .port = 443 };
    struct packet p;

    (void) state;
    make(&p, &elsewhere, false);
    passes(&p, OX_R_GUARDED);
    bed_set_bridge(shot_world.drops, GUARD, OTHER_BRIDGE);
    bed_set_bridge(shot_world.drops, COUNTING, OTHER_BRIDGE);
    drops(&p, ELSEWHERE, false);
    make(&p, &plain, false);
    passes(&p, OX_R_GUARDED);
    bed_set_bridge(shot_world.drops, GUARD, 0);
    bed_set_bridge(shot_world.drops, COUNTING, 0);
    passes(&p, OX_R_GUARDED);
    add(PLAIN, shot_stateful.id, 0, 0);
    passes(&p, OX_R_GUARDED);
    add(PLAIN, shot_stateful.id, 0, BRIDGE);
    bed_set_bridge(shot_world.drops, GUARD, BRIDGE);
    bed_set_bridge(shot_world.drops, COUNTING, BRIDGE);
    drops(&p, PLAIN, false);
}

/* An element that was taken for another address while the program looked. */
static void
test_changed(void **state)
{
    static const struct shot shot = { CLAIMED, .port = 443 };
    struct packet p;

    (void) state;
    for (int is_ip6 = 0; is_ip6 < 2; is_ip6++) {
        make(&p, &shot, is_ip6);
        passes(&p, OX_R_GUARDED);
    }
}

/* What is no sound packet, with and without a tag. */
static void
test_headers(void **state)
{
    struct shot shot = { PLAIN, .port = 443 };
    struct packet p;

    (void) state;
    for (int tagged = 0; tagged < 2; tagged++) {
        shot.to = tagged ? TAGGED : PLAIN;
        make(&p, &shot, false);
        if (tagged) {
            push(&p, 0x8100, VLAN);
        }
        drops(&p, shot.to, false);
        p.len--;
        passes(&p, OX_R_TRUNCATED);
        p.len = p.l3 + PACKET_IP4_LEN - 1;
        passes(&p, OX_R_TRUNCATED);
        packet_pad(&p, 60);
        p.data[p.l3 + 19] = atoi(shot.to);
        p.data[p.l3] = 0x55;
        passes(&p, OX_R_MALFORMED);
        p.data[p.l3] = 0x45;
        p.data[p.l3 + 12] = 127;
        passes(&p, OX_R_MARTIAN_SOURCE);
        p.data[p.l3 + 19] = 99;
        passes(&p, OX_R_NOT_LOCAL);
        p.data[p.l3 - 1] = 0x06;
        passes(&p, OX_R_NOT_IP);
    }
    p.len = 17;
    passes(&p, OX_R_TRUNCATED);
}

/* Pads behind the packet are no part of it, and a tag is none of its bytes. */
static void
test_padding(void **state)
{
    static const struct shot shot = { TAGGED, .port = 443 };
    struct packet p;

    (void) state;
    make(&p, &shot, false);
    packet_pad(&p, 60);
    push(&p, 0x8100, VLAN);
    drops(&p, TAGGED, false);
    make(&p, &shot, false);
    push(&p, 0x8100, VLAN);
    p.data[p.l3 + 3] += 4;
    passes(&p, OX_R_TRUNCATED);
}

/* Nothing is dropped without a lease. */
static void
test_lease(void **state)
{
    static const struct shot shot = { PLAIN, .port = 443 };
    struct packet p;

    (void) state;
    rules_lease(&shot_world.rules, 0);
    make(&p, &shot, false);
    spares(&p, OX_R_GUARDED, OX_R_ACL_LEASE);
    shot_lease();
    drops(&p, PLAIN, false);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rules),
        cmocka_unit_test(test_vlan),
        cmocka_unit_test(test_odd_tags),
        cmocka_unit_test(test_mac),
        cmocka_unit_test(test_bridge),
        cmocka_unit_test(test_changed),
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_padding),
        cmocka_unit_test(test_lease),
    };

    bed_enter();
    return cmocka_run_group_tests_name("guard", tests, set_up, tear_down);
}
