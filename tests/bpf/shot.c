/* SPDX-License-Identifier: Apache-2.0
 *
 * The world in which layer L2 is tried: see shot.h. */

#include <config.h>

#include "tests/bpf/shot.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

/* Groups of sources. */
enum { FRIENDS, FOES, N_GROUPS };
static struct rules_prefix friends[2], foes[2];
static const struct rules_atom groups[N_GROUPS] = {
    [FRIENDS] = { friends, 2 },
    [FOES] = { foes, 2 },
};

const struct rules_rule shot_rules[N_RULES] = {
    [FOE_80] = { RULES_ANY, FOES, TCP, 80, 16, true },
    [FRIEND_80] = { RULES_ANY, FRIENDS, TCP, 80, 16, false },
    [ANY_22] = { RULES_ANY, RULES_ANY, TCP, 22, 16, false },
    [ALL_8000] = { 4, RULES_ANY, TCP, 8000, 13, false },
    [ANY_PING] = { 4, RULES_ANY, ICMP, 0x0800, 16, false },
    [LAST] = { RULES_ANY, RULES_ANY, RULES_ANY, 0, 0, true },
};

/* Rules that allow all but one thing. */
static const struct rules_rule exceptions[] = {
    { 6, RULES_ANY, TCP, 443, 16, true },
    { RULES_ANY, RULES_ANY, UDP, 0, 0, true },
};

struct rules_set shot_stateful = { 7, true, true, shot_rules, N_RULES, 0 };
static struct rules_set shot_stateless = { 8, false, false, shot_rules,
                                           N_RULES, 0 };
static struct rules_set shot_except = { 9, false, true, exceptions, 2, 0 };
struct shot_world shot_world = {
    .rules = { .atoms = groups, .n_atoms = N_GROUPS },
};

static const uint8_t nic_mac[6] = { 0x02, 0x4e, 0x49, 0x43, 0x00, 0x05 };
static const uint8_t router_mac[6] = { 0x02, 0x52, 0x54, 0x00, 0x00, 0x01 };

int64_t
shot_now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * SECOND + ts.tv_nsec;
}

void
shot_lease(void)
{
    rules_lease(&shot_world.rules, shot_now() + 3600 * SECOND);
}

/* The header of the transport of 'shot', of 'len' bytes, to 'p'. */
static void
put_transport(struct packet *p, const struct shot *shot, size_t len)
{
    bool is_icmp = shot->protocol == ICMP || shot->protocol == ICMP6;
    uint8_t *l4 = &p->data[p->len];

    packet_pad(p, p->len + len);
    if (!is_icmp && len >= 4) {
        l4[0] = 40000 >> 8;
        l4[1] = 40000 & 0xff;
    }
    if (len >= 4) {
        l4[is_icmp ? 0 : 2] = shot->port >> 8;
        l4[is_icmp ? 1 : 3] = shot->port & 0xff;
    }
    if ((!shot->protocol || shot->protocol == TCP) && len >= 14) {
        l4[12] = (shot->offset ? shot->offset : 5) << 4;
        l4[13] = shot->flags ? shot->flags : SYN;
    }
}

/* Returns how long the transport of 'shot' is. */
static size_t
transport_len(const struct shot *shot)
{
    size_t len = (shot->protocol == UDP ? 8
                  : shot->protocol == SCTP ? 12
                  : shot->protocol == ICMP || shot->protocol == ICMP6 ? 8
                  : 20);

    return len - shot->cut;
}

void
shot_make(struct packet *p, const struct shot *shot, bool is_ip6)
{
    char to[64];
    const struct packet_ip4 ip = {
        .src = shot->from4 ? shot->from4 : OUTSIDE4, .dst = to,
        .ttl = shot->ttl ? shot->ttl : 64,
        .proto = shot->protocol ? shot->protocol : TCP,
        .fragment = shot->fragment, .options = shot->options,
        .payload = transport_len(shot),
    };
    const struct packet_ip6 ip6 = {
        .src = shot->from6 ? shot->from6 : OUTSIDE6, .dst = to,
        .hop_limit = shot->ttl ? shot->ttl : 64,
        .next = shot->protocol ? shot->protocol : TCP,
        .payload = transport_len(shot),
    };

    snprintf(to, sizeof to, is_ip6 ? "2001:db8::%s" : "10.0.0.%s", shot->to);
    packet_eth(p, nic_mac, router_mac, 0, is_ip6 ? 0x86dd : 0x0800);
    if (is_ip6) {
        packet_ip6(p, &ip6);
    } else {
        packet_ip4(p, &ip);
    }
    put_transport(p, shot, transport_len(shot));
}

void
shot_verdict(uint32_t row, const struct packet *p, enum ox_reason reason,
               enum ox_reason besides, int slot)
{
    static struct bed_counters before, after;
    static uint8_t out[PACKET_MAX];
    LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = p->data,
                .data_size_in = p->len, .data_out = out,
                .data_size_out = sizeof out);

    bed_read_row(shot_world.drops, row, &before);
    assert_int_equal(
        bpf_prog_test_run_opts(bed_program(row == DROPS
                                           ? shot_world.drops
                                           : shot_world.counts),
                               &opts), 0);
    bed_read_row(shot_world.drops, row, &after);
    bed_assert_counted_besides(&before, &after, row, reason, besides, slot,
                               p->len);
    assert_int_equal(opts.retval, (reason == OX_R_ACL_DROP ? XDP_DROP
                                   : reason == OX_R_REDIRECTED ? XDP_REDIRECT
                                   : XDP_PASS));
}

/* Returns the slot of the endpoint of 'shot'. */
static int
slot_of(const struct shot *shot, bool is_ip6)
{
    return atoi(shot->to) - 10 + (is_ip6 ? 8 : 0);
}

void
shot_drops_packet(const struct packet *p, const struct shot *shot,
                  bool is_ip6)
{
    int slot = slot_of(shot, is_ip6);

    shot_verdict(DROPS, p, OX_R_ACL_DROP, OX_R_ACL_DROP, slot);
    shot_verdict(COUNTS, p, OX_R_REDIRECTED, OX_R_ACL_COUNT, slot);
}

void
shot_spares_packet(const struct packet *p, const struct shot *shot,
                   bool is_ip6, enum ox_reason besides)
{
    int slot = slot_of(shot, is_ip6);

    shot_verdict(DROPS, p, OX_R_REDIRECTED, besides, slot);
    shot_verdict(COUNTS, p, OX_R_REDIRECTED, besides, slot);
}

void
shot_drops_in(const struct shot *shot, bool is_ip6)
{
    struct packet p;

    shot_make(&p, shot, is_ip6);
    shot_drops_packet(&p, shot, is_ip6);
}

void
shot_spares_in(const struct shot *shot, bool is_ip6, enum ox_reason besides)
{
    struct packet p;

    shot_make(&p, shot, is_ip6);
    shot_spares_packet(&p, shot, is_ip6, besides);
}

void
shot_passes_in(const struct shot *shot, bool is_ip6)
{
    shot_spares_in(shot, is_ip6, OX_R_REDIRECTED);
}

void
shot_drops(const struct shot *shot)
{
    shot_drops_in(shot, false);
    shot_drops_in(shot, true);
}

void
shot_spares(const struct shot *shot, enum ox_reason besides)
{
    shot_spares_in(shot, false, besides);
    shot_spares_in(shot, true, besides);
}

void
shot_passes(const struct shot *shot)
{
    shot_spares(shot, OX_R_REDIRECTED);
}

/* Adds endpoint 'number' with the rules 'acl' and 'flags'. */
static void
add_endpoint(const char *number, uint32_t acl, uint16_t flags)
{
    struct ox_endpoint endpoint = { .mtu = 1500, .acl = acl, .flags = flags };
    bool changed = !strcmp(number, CHANGED);
    char address[64], claimed[64];

    endpoint.ifindex = if_nametoindex("lo");
    endpoint.slot = atoi(number) - 10;
    snprintf(address, sizeof address, "10.0.0.%s", number);
    snprintf(claimed, sizeof claimed, "10.0.0.%s", changed ? "99" : number);
    bed_add_endpoint_as(shot_world.drops, address, claimed, &endpoint);
    endpoint.slot += 8;
    snprintf(address, sizeof address, "2001:db8::%s", number);
    snprintf(claimed, sizeof claimed, "2001:db8::%s",
             changed ? "99" : number);
    bed_add_endpoint_as(shot_world.drops, address, claimed, &endpoint);
}

/* Makes '*prefix' the one of 'len' bits that begins with 'text'. */
static void
set_prefix(struct rules_prefix *prefix, const char *text, int len)
{
    assert_int_equal(inet_pton(AF_INET6, text, prefix->addr), 1);
    prefix->len = len;
}

int
shot_set_up(void **state)
{
    uint32_t ifindex = if_nametoindex("lo");

    (void) state;
    shot_world.drops = bed_load_acl(DROPS, BED_SLOTS, true, 0, NULL);
    assert_non_null(shot_world.drops);
    shot_world.counts = bed_load_acl(COUNTS, BED_SLOTS, false, 0,
                                     shot_world.drops);
    assert_non_null(shot_world.counts);
    bed_set_nic(shot_world.drops, DROPS, nic_mac, ifindex);
    bed_set_nic(shot_world.drops, COUNTS, nic_mac, ifindex);
    bed_add_target(shot_world.drops, ifindex);
    set_prefix(&friends[0], "::ffff:192.0.2.0", 120);
    set_prefix(&friends[1], "2001:db8:2::", 48);
    set_prefix(&foes[0], "::ffff:" FOE4, 128);
    set_prefix(&foes[1], FOE6, 128);
    shot_world.rules.skel = shot_world.drops;
    rules_write_sources(&shot_world.rules);
    rules_write_set(&shot_world.rules, &shot_stateful);
    rules_write_set(&shot_world.rules, &shot_stateless);
    rules_write_set(&shot_world.rules, &shot_except);
    add_endpoint(STATEFUL, shot_stateful.id, 0);
    add_endpoint(STATELESS, shot_stateless.id, 0);
    add_endpoint(MISSING, 99, 0);
    add_endpoint(CHANGED, shot_stateful.id, 0);
    add_endpoint(NO_RULES, 0, 0);
    add_endpoint(NOTED, shot_stateful.id, OX_EP_ACL_STATEFUL);
    add_endpoint(EXCEPT, shot_except.id, 0);
    shot_lease();
    return 0;
}

int
shot_tear_down(void **state)
{
    (void) state;
    ovn_xdp_bpf__destroy(shot_world.counts);
    ovn_xdp_bpf__destroy(shot_world.drops);
    return 0;
}
