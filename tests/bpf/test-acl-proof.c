/* SPDX-License-Identifier: Apache-2.0
 *
 * Layer L2 in the NIC program, one by one: what keeps a packet that the rules
 * drop from being dropped. */

#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "bpf/abi.h"
#include "tests/bpf/shot.h"

/* Nothing is dropped without a lease. */
static void
test_lease(void **state)
{
    const struct shot shot = { STATEFUL, .port = 443 };
    const struct shot allowed = { STATEFUL, .port = 22 };

    (void) state;
    rules_lease(&shot_world.rules, 0);
    shot_spares(&shot, OX_R_ACL_LEASE);
    shot_passes(&allowed);
    rules_lease(&shot_world.rules, shot_now() - SECOND);
    shot_spares(&shot, OX_R_ACL_LEASE);
    rules_lease(&shot_world.rules, shot_now() + 3600 * SECOND);
    shot_drops(&shot);
    shot_lease();
}

/* A source that is an endpoint, with rules or without. */
static void
test_inside(void **state)
{
    struct shot shot = { STATEFUL, .port = 443, .from4 = "10.0.0.14",
                         .from6 = "2001:db8::14" };

    (void) state;
    shot_spares(&shot, OX_R_ACL_INSIDE);
    shot.to = STATELESS;
    shot_spares(&shot, OX_R_ACL_INSIDE);
    shot.from4 = "10.0.0.99";
    shot.from6 = "2001:db8::99";
    shot_drops(&shot);
}

/* Makes 'key' the connection of STATEFUL with the outside that a shot to
 * 'port' would answer. */
static void
make_key(struct ox_opened_key *key, const char *to, bool is_ip6, int port)
{
    char text[64];

    memset(key, 0, sizeof *key);
    snprintf(text, sizeof text, is_ip6 ? "2001:db8::%s" : "::ffff:10.0.0.%s",
             to);
    assert_int_equal(inet_pton(AF_INET6, text, key->local), 1);
    snprintf(text, sizeof text, is_ip6 ? "%s" : "::ffff:%s",
             is_ip6 ? OUTSIDE6 : OUTSIDE4);
    assert_int_equal(inet_pton(AF_INET6, text, key->remote), 1);
    key->local_port = htons(port);
    key->remote_port = htons(40000);
    key->proto = TCP;
}

/* The VM of 'to' has used its connection 'ago' nanoseconds ago, and it is in
 * 'state'. */
static void
open_connection(const char *to, int port, uint32_t state, int64_t ago)
{
    int fd = bpf_map__fd(shot_world.drops->maps.opened);

    for (int is_ip6 = 0; is_ip6 < 2; is_ip6++) {
        struct ox_opened value = { shot_now() - ago, state, 0 };
        struct ox_opened_key key;

        make_key(&key, to, is_ip6, port);
        assert_int_equal(bpf_map_update_elem(fd, &key, &value, 0), 0);
    }
}

/* A SYN may answer one of the VM's, while conntrack would think so. */
static void
test_answer(void **state)
{
    static const int64_t lives[] = {
        [OX_OPENED_SYN] = OX_OPENED_SYN_S,
        [OX_OPENED_DATA] = OX_OPENED_DATA_S,
        [OX_OPENED_CLOSING] = OX_OPENED_CLOSING_S,
    };
    const struct shot shot = { STATEFUL, .port = 443 };
    const struct shot other_port = { STATEFUL, .port = 444 };
    const struct shot other_source = { STATEFUL, .port = 443,
                                       .from4 = "203.0.113.2",
                                       .from6 = "2001:db8:3::2" };

    (void) state;
    for (int i = 0; i < 3; i++) {
        open_connection(STATEFUL, 443, i, 0);
        shot_spares(&shot, OX_R_ACL_ANSWER);
        shot_drops(&other_port);
        shot_drops(&other_source);
        open_connection(STATEFUL, 443, i, (lives[i] - 20) * SECOND);
        shot_spares(&shot, OX_R_ACL_ANSWER);
        open_connection(STATEFUL, 443, i, (lives[i] + 1) * SECOND);
        shot_drops(&shot);
    }
    /* Without connections nobody asks. */
    open_connection(STATELESS, 443, OX_OPENED_SYN, 0);
    shot_drops(&(struct shot) { STATELESS, .port = 443 });
}

/* Writes what may be missing in 'opened': of the addresses of STATEFUL in
 * either family, or of all others. */
static void
set_missed(uint64_t full_ns, uint64_t sweeps, bool others)
{
    struct ox_opened_state value = { .sweeps = sweeps };
    int fd = bpf_map__fd(shot_world.drops->maps.opened_state);
    uint32_t zero = 0, own[2];

    for (int is_ip6 = 0; is_ip6 < 2; is_ip6++) {
        struct ox_opened_key key;
        uint32_t words[4];

        make_key(&key, STATEFUL, is_ip6, 0);
        memcpy(words, key.local, sizeof words);
        own[is_ip6] = ox_opened_part(words, TCP);
    }
    for (uint32_t i = 0; i < OX_OPENED_PARTS; i++) {
        if ((i != own[0] && i != own[1]) == others) {
            value.parts[i].full_ns = full_ns;
        }
    }
    assert_int_equal(bpf_map_update_elem(fd, &zero, &value, 0), 0);
}

/* A connection may have been missed. */
static void
test_missed(void **state)
{
    const struct shot shot = { STATEFUL, .port = 445 };

    (void) state;
    set_missed(shot_now(), 0, false);
    shot_spares(&shot, OX_R_ACL_ANSWER);
    set_missed(shot_now(), 0, true);
    shot_drops(&shot);
    set_missed(shot_now() - (OX_OPENED_SYN_S + 1) * SECOND, 0, false);
    shot_drops(&shot);
    set_missed(0, 1, false);
    shot_spares(&shot, OX_R_ACL_ANSWER);
    set_missed(0, 2, false);
    shot_drops(&shot);
}

/* While the class of a host is replaced, one that is not found may be there;
 * and an element that is another's says nothing. */
static void
test_host_replaced(void **state)
{
    struct shot shot = { STATEFUL, .port = 80 };
    struct ox_acl_host_class old, other;
    uint8_t addr[16];
    int fd = bpf_map__fd(shot_world.drops->maps.acl_hosts);

    (void) state;
    rules_set_changes(&shot_world.rules, 1);
    shot_passes(&shot);
    shot.from4 = FOE4;
    shot.from6 = FOE6;
    shot_drops(&shot);
    rules_set_changes(&shot_world.rules, 2);
    assert_int_equal(inet_pton(AF_INET6, "::ffff:" FOE4, addr), 1);
    assert_int_equal(bpf_map_lookup_elem(fd, addr, &old), 0);
    for (int i = 0; i < 16; i++) {
        other = old;
        other.addr[i] ^= 1;
        assert_int_equal(bpf_map_update_elem(fd, addr, &other, 0), 0);
        shot_passes_in(&shot, false);
    }
    assert_int_equal(bpf_map_update_elem(fd, addr, &old, 0), 0);
    shot_drops(&shot);
}

/* Endpoints whose rules are not there, or are another's. */
static void
test_no_rules(void **state)
{
    struct shot shot = { NO_RULES, .port = 443 };
    struct packet p;

    (void) state;
    shot_passes(&shot);
    shot.to = MISSING;
    shot_passes(&shot);
    shot.to = CHANGED;
    for (int is_ip6 = 0; is_ip6 < 2; is_ip6++) {
        shot_make(&p, &shot, is_ip6);
        shot_verdict(DROPS, &p, OX_R_CHANGED, OX_R_CHANGED, BED_NO_SLOT);
        shot_verdict(COUNTS, &p, OX_R_CHANGED, OX_R_CHANGED, BED_NO_SLOT);
    }
}

/* Writes 'value' for the stateful set, and asserts that nothing is dropped. */
static void
passes_with(const struct ox_acl_set *value)
{
    const struct shot shot = { STATEFUL, .port = 443 };
    int fd = bpf_map__fd(shot_world.drops->maps.acl_sets);
    struct ox_acl_set old;

    assert_int_equal(bpf_map_lookup_elem(fd, &shot_stateful.id, &old), 0);
    assert_int_equal(bpf_map_update_elem(fd, &shot_stateful.id, value, 0), 0);
    shot_passes(&shot);
    assert_int_equal(bpf_map_update_elem(fd, &shot_stateful.id, &old, 0), 0);
    shot_drops(&shot);
}

/* A set with parts that are not there drops nothing. */
static void
test_incomplete_set(void **state)
{
    int sets = bpf_map__fd(shot_world.drops->maps.acl_sets);
    struct ox_acl_set whole, set;

    (void) state;
    assert_int_equal(bpf_map_lookup_elem(sets, &shot_stateful.id, &whole), 0);
    set = whole;
    set.n_words = 0;
    passes_with(&set);
    set = whole;
    set.drops = OX_MAX_ACL_BITS;
    passes_with(&set);
    set = whole;
    set.any4 = set.any6 = OX_MAX_ACL_BITS;
    passes_with(&set);
    set = whole;
    set.any = OX_MAX_ACL_BITS;
    passes_with(&set);
}

/* What L1 would not redirect is not dropped. */
static void
test_other_reasons(void **state)
{
    struct shot shot = { STATEFUL, .port = 443 };
    struct packet p;

    (void) state;
    shot_make(&p, &shot, false);
    p.data[0] ^= 0x10;
    shot_verdict(DROPS, &p, OX_R_FOREIGN_MAC, OX_R_FOREIGN_MAC, BED_NO_SLOT);
    shot.from4 = "127.0.0.1";
    shot_make(&p, &shot, false);
    shot_verdict(DROPS, &p, OX_R_MARTIAN_SOURCE, OX_R_MARTIAN_SOURCE,
                 BED_NO_SLOT);
    shot.from4 = NULL;
    shot_make(&p, &shot, false);
    packet_pad(&p, 1519);
    shot_verdict(DROPS, &p, OX_R_EXCEEDS_MTU, OX_R_EXCEEDS_MTU,
                 BED_NO_SLOT);
}

/* The program that needs a heartbeat, and the plain one, which has no rules,
 * with the same maps. */
static void
test_other_programs(void **state)
{
    struct ovn_xdp_bpf *old = shot_world.drops;
    struct ovn_xdp_bpf *timed = bed_load_acl(DROPS, BED_SLOTS, true,
                                             3600 * SECOND, old);
    struct ovn_xdp_bpf *plain = bed_load(DROPS, old);
    const struct shot shot = { STATEFUL, .port = 443 };
    struct packet p;

    (void) state;
    assert_true(timed && plain);
    shot_make(&p, &shot, false);
    shot_world.drops = timed;
    bed_beat(old, shot_now() - 3601 * SECOND);
    shot_verdict(DROPS, &p, OX_R_STALE, OX_R_STALE, BED_NO_SLOT);
    bed_beat(old, shot_now());
    shot_verdict(DROPS, &p, OX_R_ACL_DROP, OX_R_ACL_DROP, 0);
    shot_world.drops = plain;
    shot_verdict(DROPS, &p, OX_R_REDIRECTED, OX_R_REDIRECTED, 0);
    shot_world.drops = old;
    ovn_xdp_bpf__destroy(plain);
    ovn_xdp_bpf__destroy(timed);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lease),
        cmocka_unit_test(test_inside),
        cmocka_unit_test(test_answer),
        cmocka_unit_test(test_missed),
        cmocka_unit_test(test_host_replaced),
        cmocka_unit_test(test_no_rules),
        cmocka_unit_test(test_incomplete_set),
        cmocka_unit_test(test_other_reasons),
        cmocka_unit_test(test_other_programs),
    };

    bed_enter();
    return cmocka_run_group_tests_name("acl-proof", tests, shot_set_up,
                                       shot_tear_down);
}
