/* SPDX-License-Identifier: Apache-2.0 */
/* Rules as bits: against rules one after the other, and the prefixes and
 * classes of their sources. */
#include <config.h>

#include "plugin/acl-compile.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "packets.h"
#include "random.h"
#include "util.h"

#include "plugin/acl-prefix.h"
#include "plugin/acl-services.h"
#include "plugin/acl.h"
#include "tests/plugin/acl-random.h"

#define N_SETS 300
#define N_PACKETS 300

/* Returns the bits of 'c' for packets of 'protocol' to 'port'. */
static struct dp_acl_bits
service_bits(const struct acl_compiled *c, uint8_t protocol, uint16_t port)
{
    struct dp_acl_bits bits = c->acl.any_protocol;
    int best = -1;

    for (size_t i = 0; i < c->acl.n_services; i++) {
        const struct dp_acl_service *s = &c->acl.services[i];

        if (s->protocol == protocol && s->port_len > best
            && !((s->port ^ port) >> (16 - s->port_len))) {
            best = s->port_len;
            bits = s->bits;
        }
    }
    return bits;
}

/* Returns the bits of 'c' for the source of 'p'. */
static struct dp_acl_bits
source_bits(const struct acl_compiled *c,
            const struct acl_random_members *members,
            const struct acl_random_packet *p)
{
    bool *in = xcalloc(c->atoms.n + 1, sizeof *in);
    struct dp_acl_bits bits;
    const char *atom;
    size_t i;

    SVEC_FOR_EACH (i, atom, &c->atoms) {
        in[i] = acl_random_has(members, atom, &p->source);
    }
    acl_compiled_sources(c, p->packet.ip6, in, in, &bits);
    free(in);
    return bits;
}

/* Asserts that bits of 'c' which do not look at the source are in 'bits',
 * those of one source, if they are in those of any source of the family. */
static void
assert_anywhere(const struct acl_compiled *c, bool ip6,
                const struct dp_acl_bits *bits)
{
    const struct dp_acl_bits *any = ip6 ? &c->acl.any6 : &c->acl.any4;

    for (size_t i = 0; i < DP_ACL_WORDS; i++) {
        assert_false((any->word[i] ^ bits->word[i])
                     & c->acl.anywhere.word[i]);
    }
}

/* Returns the rule of 'c' that decides about 'p', and whether it drops. */
static int
decide(const struct acl_compiled *c, const struct acl_random_members *members,
       const struct acl_random_packet *p, bool *drops)
{
    struct dp_acl_bits a = service_bits(c, p->packet.protocol,
                                        acl_random_port(&p->packet));
    struct dp_acl_bits b = source_bits(c, members, p);

    assert_anywhere(c, p->packet.ip6, &b);
    *drops = false;
    for (size_t i = 0; i < c->n_bits; i++) {
        if (a.word[i / 64] & b.word[i / 64] & UINT64_C(1) << i % 64) {
            *drops = c->acl.drops.word[i / 64] >> i % 64 & 1;
            assert_int_equal(*drops, c->bits[i].drops);
            return c->bits[i].rule;
        }
    }
    return -1;
}

/* Compares random sets with random packets.  Returns how many were dropped. */
static int
compare(bool exact)
{
    struct acl_random_members members;
    int n_dropped = 0;

    acl_random_members_init(&members);
    for (int i = 0; i < N_SETS; i++) {
        struct acl_set *set = acl_random_set(i % 40 + 1, exact);
        struct acl_compiled c;

        for (int j = 0; j < 3; j++) {
            acl_random_members_change(&members, j);
        }
        assert_int_equal(acl_compile(set, &c), 0);
        assert_int_equal(c.acl.stateful, set->stateful);
        for (int j = 0; j < N_PACKETS; j++) {
            struct acl_random_packet p = acl_random_packet();
            bool drops, should;
            int rule = acl_random_decide(set, &members, &p, &should);
            int found = decide(&c, &members, &p, &drops);

            if (exact) {
                assert_int_equal(found, rule);
            }
            assert_true(should || !drops);
            n_dropped += drops;
        }
        acl_compiled_destroy(&c);
        acl_random_set_free(set);
    }
    acl_random_members_destroy(&members);
    return n_dropped;
}

/* Rules that the datapath can tell: the same one decides. */
static void
test_exact(void **state OVS_UNUSED)
{
    random_set_seed(1);
    assert_true(compare(true) > N_SETS * N_PACKETS / 20);
}

/* With source ports: nothing is dropped that would not be. */
static void
test_inexact(void **state OVS_UNUSED)
{
    random_set_seed(2);
    assert_true(compare(false) > N_SETS * N_PACKETS / 40);
}

/* Returns a set with 'n' copies of a rule with 'n_cubes' cubes. */
static struct acl_set *
copies(size_t n, size_t n_cubes, enum acl_action action)
{
    struct acl_set *set = xzalloc(sizeof *set);

    set->n_rules = n;
    set->rules = xcalloc(n, sizeof *set->rules);
    for (size_t i = 0; i < n; i++) {
        struct acl_rule *rule = xzalloc(sizeof *rule);

        rule->match = xstrdup("ip");
        rule->action = action;
        rule->n_cubes = n_cubes;
        rule->cubes = xcalloc(n_cubes, sizeof *rule->cubes);
        for (size_t j = 0; j < n_cubes; j++) {
            acl_cube_init_any(&rule->cubes[j]);
        }
        set->rules[i] = rule;
    }
    return set;
}

/* Returns the first cube of 'set'. */
static struct acl_cube *
first_cube(struct acl_set *set)
{
    return &CONST_CAST(struct acl_rule *, set->rules[0])->cubes[0];
}

/* There are 1,024 bits, one per cube. */
static void
test_limit(void **state OVS_UNUSED)
{
    struct acl_set *set = copies(512, 2, ACL_DROP);
    struct acl_compiled c;

    assert_int_equal(acl_compile(set, &c), 0);
    assert_int_equal(c.n_bits, 1024);
    assert_int_equal(c.acl.n_rules, 1024);
    assert_int_equal(c.bits[1023].rule, 511);
    assert_true(c.acl.drops.word[15] == UINT64_MAX);
    acl_compiled_destroy(&c);
    acl_random_set_free(set);

    set = copies(205, 5, ACL_DROP);
    assert_int_equal(acl_compile(set, &c), ENOSPC);
    acl_compiled_destroy(&c);
    acl_random_set_free(set);
}

/* A rule with source ports that drops has no bit; another is wider. */
static void
test_source_port(void **state OVS_UNUSED)
{
    struct acl_set *set = copies(1, 1, ACL_DROP);
    struct acl_compiled c;

    first_cube(set)->src_port.lo = 1;
    assert_int_equal(acl_compile(set, &c), 0);
    assert_int_equal(c.n_bits, 0);
    acl_compiled_destroy(&c);
    acl_random_set_free(set);

    set = copies(1, 1, ACL_ALLOW);
    first_cube(set)->src_port.lo = 1;
    assert_int_equal(acl_compile(set, &c), 0);
    assert_int_equal(c.n_bits, 1);
    assert_int_equal(c.acl.n_services, 0);
    assert_int_equal(c.acl.any_protocol.word[0], 1);
    acl_compiled_destroy(&c);
    acl_random_set_free(set);
}

/* A range takes as few prefixes as it can. */
static void
test_prefixes(void **state OVS_UNUSED)
{
    static const struct {
        uint16_t lo, hi;
        size_t n;
    } ranges[] = {
        { 0, 65535, 1 }, { 22, 22, 1 }, { 8000, 8001, 1 }, { 1, 65534, 30 },
        { 0, 32767, 1 }, { 1024, 65535, 6 }, { 80, 82, 2 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(ranges); i++) {
        struct acl_set *set = copies(1, 1, ACL_ALLOW);
        struct acl_cube *cube = first_cube(set);
        struct acl_compiled c;

        memset(cube->protocols, 0, sizeof cube->protocols);
        cube->protocols[0] = 1 << IPPROTO_TCP;
        cube->dst_port = (struct acl_range) { ranges[i].lo, ranges[i].hi };
        assert_int_equal(acl_compile(set, &c), 0);
        assert_int_equal(c.acl.n_services, ranges[i].n);
        acl_compiled_destroy(&c);
        acl_random_set_free(set);
    }
}

/* While it is open whether a source is in an atom, a rule that drops does not
 * match, and another one does. */
static void
test_open(void **state OVS_UNUSED)
{
    static const bool yes[] = { true }, no[] = { false };

    for (int i = 0; i < 4; i++) {
        bool negated = i & 1, drops = i & 2;
        struct acl_set *set = copies(1, 1, drops ? ACL_DROP : ACL_ALLOW);
        struct acl_source *source = &first_cube(set)->source;
        struct dp_acl_bits bits;
        struct acl_compiled c;

        source->any = false;
        source->negated = negated;
        svec_add(&source->atoms, "$set");
        assert_int_equal(acl_compile(set, &c), 0);
        acl_compiled_sources(&c, false, yes, yes, &bits);
        assert_int_equal(bits.word[0], !negated);
        acl_compiled_sources(&c, false, no, no, &bits);
        assert_int_equal(bits.word[0], negated);
        acl_compiled_sources(&c, true, yes, no, &bits);
        assert_int_equal(bits.word[0], !drops);
        acl_compiled_destroy(&c);
        acl_random_set_free(set);
    }
}

/* Asserts that 's' is a prefix of 'len' bits, or none if that is -1. */
static void
assert_prefix(const char *s, int len)
{
    struct dp_prefix prefix;
    bool parsed = acl_prefix_parse(s, &prefix);

    assert_int_equal(parsed, len >= 0);
    if (parsed) {
        assert_int_equal(prefix.len, len);
        assert_int_equal(acl_prefix_is_ip4(&prefix), !strchr(s, ':'));
    }
}

static void
test_parse(void **state OVS_UNUSED)
{
    assert_prefix("10.0.0.1", 128);
    assert_prefix("10.0.0.0/24", 120);
    assert_prefix("10.0.0.0/255.255.255.0", 120);
    assert_prefix("0.0.0.0/0", 96);
    assert_prefix("2001:db8::", 128);
    assert_prefix("2001:db8::/32", 32);
    assert_prefix("::/0", 0);
    assert_prefix("10.0.0.1/24", -1);
    assert_prefix("10.0.0.0/255.0.255.0", -1);
    assert_prefix("10.0.0.0/33", -1);
    assert_prefix("10.0.0", -1);
    assert_prefix("10.0.0.1 ", -1);
    assert_prefix("", -1);
    assert_prefix("2001:db8::1/32", -1);
    assert_prefix("2001:db8::/129", -1);
    assert_prefix("::ffff:10.0.0.1", -1);
    assert_prefix("00:00:00:00:00:01", -1);
    assert_prefix("$set", -1);

    /* Open vSwitch's library reads these, OVN does not. */
    assert_prefix("198.51.356.1", -1);
    assert_prefix("198.051.100.1", -1);
    assert_prefix("+198.51.100.1", -1);
    assert_prefix("198.51.100.1/032", -1);
    assert_prefix("198.51.100.0/+24", -1);
    assert_prefix("198.51.100.0/255.255.511.0", -1);
    assert_prefix("198.51.100.0/255.255.255.0/24", -1);
    assert_prefix("198.51.100.0/", -1);
    assert_prefix("2001:db8:ffff::/048", -1);
    assert_prefix("2001:db8:ffff::/+48", -1);
    assert_prefix("2001:db8:ffff::/ffff:ffff:ffff::", -1);
}

/* A tree has what a list has, whatever was put in and taken out before. */
static void
test_trie(void **state OVS_UNUSED)
{
    enum { N = 60 };
    struct acl_trie trie = { NULL };
    struct dp_prefix prefixes[N];
    bool in[N] = { false };

    random_set_seed(3);
    for (int i = 0; i < N; i++) {
        struct in6_addr mask;

        /* The same byte, so that many lie in each other. */
        prefixes[i].len = random_range(129);
        mask = ipv6_create_mask(prefixes[i].len);
        memset(&prefixes[i].addr, 0xff * random_range(2),
               sizeof prefixes[i].addr);
        prefixes[i].addr.s6_addr[random_range(16)] ^= random_range(4);
        prefixes[i].addr = ipv6_addr_bitand(&prefixes[i].addr, &mask);
        for (int j = 0; j < i; j++) {
            if (prefixes[i].len == prefixes[j].len
                && acl_prefix_contains(&prefixes[i], &prefixes[j])) {
                i--;
                break;
            }
        }
    }
    for (int step = 0; step < 3000; step++) {
        void *path[ACL_TRIE_DEPTH];
        int i = random_range(N), j = random_range(N);
        size_t n = 0;

        if (in[i]) {
            acl_trie_remove(&trie, &prefixes[i]);
        } else {
            acl_trie_insert(&trie, &prefixes[i], &prefixes[i]);
        }
        in[i] = !in[i];
        assert_ptr_equal(acl_trie_find(&trie, &prefixes[j]),
                         in[j] ? &prefixes[j] : NULL);
        for (int k = 0; k < N; k++) {
            n += in[k] && acl_prefix_contains(&prefixes[k], &prefixes[j]);
        }
        assert_int_equal(acl_trie_path(&trie, &prefixes[j], path), n);
        for (size_t k = 1; k < n; k++) {
            assert_true(acl_prefix_contains(path[k - 1], path[k]));
        }
    }
    acl_trie_destroy(&trie);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exact),
        cmocka_unit_test(test_inexact),
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_source_port),
        cmocka_unit_test(test_prefixes),
        cmocka_unit_test(test_open),
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_trie),
    };

    return cmocka_run_group_tests_name("compile", tests, NULL, NULL);
}
