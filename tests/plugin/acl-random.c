/* SPDX-License-Identifier: Apache-2.0 */
/* Random rules, address sets and packets.  The world is small, so that
 * prefixes lie in each other and packets hit them. */
#include <config.h>

#include "tests/plugin/acl-random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "packets.h"
#include "random.h"
#include "util.h"

#include "plugin/acl-prefix.h"

/* Members of sets, and atoms. */
static const char *const places[] = {
    "10.0.0.0/8", "10.0.0.0/9", "10.0.0.0/24", "10.0.0.0/30", "10.0.0.1/32",
    "10.0.0.2/32", "10.0.0.3/32", "10.0.1.0/24", "10.128.0.0/9",
    "192.0.2.0/24", "192.0.2.7/32", "0.0.0.0/0", "128.0.0.0/1",
    "2001:db8::/32", "2001:db8::/64", "2001:db8::1/128", "2001:db8::2/128",
    "2001:db8:0:1::/64", "fe80::/10", "::/0", "::/16",
};

/* Sources of packets. */
static const char *const sources[] = {
    "10.0.0.0", "10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.1.1",
    "10.1.0.1", "10.200.0.1", "192.0.2.7", "192.0.2.8", "198.51.100.1",
    "1.1.1.1", "2001:db8::1", "2001:db8::2", "2001:db8::3",
    "2001:db8:0:1::1", "2001:db8:1::1", "fe80::1", "2a00::1", "::2",
};

/* Ports at which something may begin or end. */
static const uint16_t ports[] = {
    0, 1, 22, 23, 80, 255, 256, 1023, 1024, 8000, 8080, 32768, 65534, 65535,
};

/* Protocols of packets. */
static const uint8_t protocols[] = { 1, 6, 17, 58, 132, 47, 0, 255, 50 };

/* Returns a random element of the array 'A'. */
#define PICK(A) ((A)[random_range(ARRAY_SIZE(A))])

/* Returns true one time in 'n'. */
static bool
one_in(int n)
{
    return random_range(n) == 0;
}

void
acl_random_members_init(struct acl_random_members *members)
{
    for (int i = 0; i < ACL_RANDOM_SETS; i++) {
        sset_init(&members->sets[i]);
    }
}

void
acl_random_members_destroy(struct acl_random_members *members)
{
    for (int i = 0; i < ACL_RANDOM_SETS; i++) {
        sset_destroy(&members->sets[i]);
    }
}

void
acl_random_members_clone(struct acl_random_members *new,
                         const struct acl_random_members *members)
{
    for (int i = 0; i < ACL_RANDOM_SETS; i++) {
        sset_clone(&new->sets[i], &members->sets[i]);
    }
}

void
acl_random_members_change(struct acl_random_members *members, int set)
{
    const char *place = PICK(places);
    char *text = xstrdup(place);

    /* A host is written with its length, or without. */
    if (one_in(2) && (strstr(text, "/32") || strstr(text, "/128"))) {
        *strchr(text, '/') = '\0';
    }
    if (!sset_find_and_delete(&members->sets[set], text)) {
        sset_add(&members->sets[set], text);
    }
    free(text);
}

/* Returns a random range within 'max'. */
static struct acl_range
random_range_of(uint16_t max)
{
    uint16_t a = PICK(ports), b = PICK(ports);

    if (one_in(2)) {
        return (struct acl_range) { 0, max };
    }
    a = MIN(a, max);
    b = one_in(2) ? a : MIN(b, max);
    return (struct acl_range) { MIN(a, b), MAX(a, b) };
}

/* Gives 'cube' one protocol, or all but one, or leaves it all. */
static void
choose_protocols(struct acl_cube *cube)
{
    uint8_t protocol = PICK(protocols);

    if (one_in(4)) {
        return;
    }
    memset(cube->protocols, 0, sizeof cube->protocols);
    cube->protocols[protocol / 64] = UINT64_C(1) << protocol % 64;
    if (one_in(6)) {
        for (int i = 0; i < 4; i++) {
            cube->protocols[i] = ~cube->protocols[i];
        }
    }
}

/* Gives 'source' random atoms. */
static void
choose_source(struct acl_source *source)
{
    if (one_in(4)) {
        return;
    }
    source->any = false;
    source->negated = one_in(4);
    for (int n = 1 + random_range(2); n > 0; n--) {
        if (one_in(2)) {
            svec_add(&source->atoms, PICK(places));
        } else {
            svec_add_nocopy(&source->atoms,
                            xasprintf("$as%d",
                                      random_range(ACL_RANDOM_SETS)));
        }
    }
    svec_sort_unique(&source->atoms);
}

/* Makes 'cube' a random one. */
static void
random_cube(struct acl_cube *cube, bool exact)
{
    acl_cube_init_any(cube);
    choose_protocols(cube);
    choose_source(&cube->source);
    cube->ip4 = !one_in(4);
    cube->ip6 = !cube->ip4 || !one_in(4);
    cube->dst_port = random_range_of(UINT16_MAX);
    if (!exact && one_in(3)) {
        cube->src_port = random_range_of(UINT16_MAX);
    }
    if (!exact || cube->ip4 != cube->ip6) {
        cube->icmp_type = random_range_of(UINT8_MAX);
        cube->icmp_code = random_range_of(UINT8_MAX);
    }
    if (exact && cube->ip6) {
        cube->protocols[0] &= ~(UINT64_C(1) << IPPROTO_ICMP);
    }
    if (exact && cube->ip4) {
        cube->protocols[0] &= ~(UINT64_C(1) << IPPROTO_ICMPV6);
    }
}

/* Returns rule number 'i' of a set. */
static struct acl_rule *
random_rule(size_t i, bool exact)
{
    static const enum acl_action actions[] = {
        ACL_ALLOW, ACL_ALLOW_RELATED, ACL_DROP, ACL_DROP, ACL_REJECT,
        ACL_PASS,
    };
    struct acl_rule *rule = xzalloc(sizeof *rule);

    rule->priority = 1 + random_range(4);
    rule->tier = one_in(8);
    rule->action = PICK(actions);
    rule->flags = one_in(8) ? ACL_LOGGED : 0;
    rule->match = xasprintf("rule %"PRIuSIZE, i);
    rule->n_cubes = 1 + random_range(3);
    rule->cubes = xcalloc(rule->n_cubes, sizeof *rule->cubes);
    for (size_t j = 0; j < rule->n_cubes; j++) {
        random_cube(&rule->cubes[j], exact);
    }
    return rule;
}

/* Returns the rule that drops what no other one of its tier matches. */
static struct acl_rule *
drop_all(void)
{
    struct acl_rule *rule = xzalloc(sizeof *rule);

    rule->action = ACL_DROP;
    rule->match = xstrdup("ip");
    rule->n_cubes = 1;
    rule->cubes = xcalloc(1, sizeof *rule->cubes);
    acl_cube_init_any(&rule->cubes[0]);
    return rule;
}

/* For qsort(). */
static int
compare_rules(const void *a_, const void *b_)
{
    const struct acl_rule *const *a = a_;
    const struct acl_rule *const *b = b_;

    return acl_rule_compare(*a, *b);
}

struct acl_set *
acl_random_set(size_t max_rules, bool exact)
{
    static uint64_t serial;
    struct acl_set *set = xzalloc(sizeof *set);

    set->serial = ++serial;
    set->stateful = one_in(2);
    set->n_rules = 1 + random_range(max_rules);
    set->rules = xcalloc(set->n_rules, sizeof *set->rules);
    for (size_t i = 0; i < set->n_rules; i++) {
        set->rules[i] = (i + 1 < set->n_rules ? random_rule(i, exact)
                         : drop_all());
    }
    qsort(set->rules, set->n_rules, sizeof *set->rules, compare_rules);
    return set;
}

void
acl_random_set_free(struct acl_set *set)
{
    for (size_t i = 0; i < set->n_rules; i++) {
        acl_rule_destroy(CONST_CAST(struct acl_rule *, set->rules[i]));
    }
    free(set->rules);
    free(set);
}

struct acl_random_packet
acl_random_packet(void)
{
    const char *source = PICK(sources);
    struct acl_random_packet p = {
        .packet = {
            .ip6 = strchr(source, ':') != NULL,
            .protocol = PICK(protocols),
        },
    };
    struct dp_prefix prefix;

    assert_true(acl_prefix_parse(source, &prefix));
    p.source = prefix.addr;
    if (p.packet.protocol == IPPROTO_TCP || p.packet.protocol == IPPROTO_UDP
        || p.packet.protocol == IPPROTO_SCTP) {
        p.packet.src_port = PICK(ports);
        p.packet.dst_port = PICK(ports);
    } else if (p.packet.protocol == (p.packet.ip6 ? IPPROTO_ICMPV6
                                     : IPPROTO_ICMP)) {
        p.packet.icmp_type = PICK(ports);
        p.packet.icmp_code = PICK(ports);
    }
    return p;
}

uint16_t
acl_random_port(const struct acl_packet *packet)
{
    return (packet->protocol == IPPROTO_ICMP
            || packet->protocol == IPPROTO_ICMPV6
            ? packet->icmp_type << 8 | packet->icmp_code
            : packet->dst_port);
}

/* Returns true if 'source' is in the prefix 'text'. */
static bool
prefix_has(const char *text, const struct in6_addr *source)
{
    struct dp_prefix outer, inner = { *source, 128 };

    assert_true(acl_prefix_parse(text, &outer));
    return (acl_prefix_is_ip4(&outer) == acl_prefix_is_ip4(&inner)
            && acl_prefix_contains(&outer, &inner));
}

bool
acl_random_has(const struct acl_random_members *members, const char *atom,
               const struct in6_addr *source)
{
    const struct sset *set;
    const char *text;

    if (atom[0] != '$') {
        return prefix_has(atom, source);
    }
    set = &members->sets[atoi(atom + 3)];
    SSET_FOR_EACH (text, set) {
        if (prefix_has(text, source)) {
            return true;
        }
    }
    return false;
}

/* What has_atom() needs to know. */
struct question {
    const struct acl_random_members *members; /* Address sets. */
    const struct in6_addr *source; /* Source. */
};

/* For acl_rule_matches(). */
static bool
has_atom(const char *atom, const void *question_)
{
    const struct question *question = question_;

    return acl_random_has(question->members, atom, question->source);
}

int
acl_random_decide(const struct acl_set *set,
                  const struct acl_random_members *members,
                  const struct acl_random_packet *packet, bool *drops)
{
    struct question question = { members, &packet->source };

    *drops = false;
    for (size_t i = 0; i < set->n_rules; i++) {
        if (acl_rule_matches(set->rules[i], &packet->packet, has_atom,
                             &question)) {
            *drops = acl_rule_drops(set->rules[i]);
            return i;
        }
    }
    return -1;
}
