/* SPDX-License-Identifier: Apache-2.0
 *
 * Sets of rules for the tests of bpf/: see rules.h. */

#include <config.h>

#include "tests/bpf/rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* Writes 'value' at 'key' in 'map'. */
static void
set(const struct bpf_map *map, const void *key, const void *value)
{
    assert_int_equal(bpf_map_update_elem(bpf_map__fd(map), key, value, 0), 0);
}

bool
rules_same(const uint8_t *a, const uint8_t *b, int bits)
{
    for (int i = 0; i < bits; i++) {
        if ((a[i / 8] ^ b[i / 8]) & (0x80 >> i % 8)) {
            return false;
        }
    }
    return true;
}

/* Tells whether 'prefix' is one of IPv4. */
static bool
is_ip4(const struct rules_prefix *prefix)
{
    static const uint8_t mapped[16] = { [10] = 0xff, [11] = 0xff };

    return prefix->len >= 96 && rules_same(prefix->addr, mapped, 96);
}

uint32_t
rules_class(const struct rules *rules, const struct rules_prefix *prefix)
{
    uint32_t class = is_ip4(prefix) ? 1u << RULES_MAX_ATOMS : 0;

    for (size_t i = 0; i < rules->n_atoms; i++) {
        for (size_t j = 0; j < rules->atoms[i].n; j++) {
            const struct rules_prefix *p = &rules->atoms[i].prefixes[j];

            if (p->len <= prefix->len
                && rules_same(p->addr, prefix->addr, p->len)) {
                class |= 1u << i;
            }
        }
    }
    return class;
}

/* Writes the class of 'prefix'. */
static void
write_source(struct rules *rules, const struct rules_prefix *prefix)
{
    struct ox_acl_source key = { .prefix_len = prefix->len };
    struct ox_acl_host_class host = { .class = rules_class(rules, prefix) };

    memcpy(key.addr, prefix->addr, 16);
    memcpy(host.addr, prefix->addr, 16);
    if (prefix->len == 128) {
        set(rules->skel->maps.acl_hosts, prefix->addr, &host);
    } else {
        set(rules->skel->maps.acl_sources, &key, &host.class);
    }
}

void
rules_write_sources(struct rules *rules)
{
    assert_true(rules->n_atoms <= RULES_MAX_ATOMS);
    for (size_t i = 0; i < rules->n_atoms; i++) {
        for (size_t j = 0; j < rules->atoms[i].n; j++) {
            write_source(rules, &rules->atoms[i].prefixes[j]);
        }
    }
}

/* Writes 'bits' and returns the number. */
static uint32_t
write_bits(struct rules *rules, const struct ox_acl_bits *bits)
{
    uint32_t number = rules->n_bits++;

    set(rules->skel->maps.acl_bits, &number, bits);
    return number;
}

/* Writes the bitmap of those rules of 's' for which 'is_in' is true, and
 * returns the number. */
static uint32_t
write_rules(struct rules *rules, const struct rules_set *s,
            bool (*is_in)(const struct rules_rule *, const void *aux),
            const void *aux)
{
    struct ox_acl_bits bits = { { 0 } };

    for (size_t i = 0; i < s->n; i++) {
        if (is_in(&s->rules[i], aux)) {
            bits.word[i / 64] |= UINT64_C(1) << i % 64;
        }
    }
    return write_bits(rules, &bits);
}

/* Tells whether a rule drops. */
static bool
rule_drops(const struct rules_rule *rule, const void *aux)
{
    (void) aux;
    return rule->drops;
}

/* Tells whether a rule does not look at the source. */
static bool
rule_takes_anywhere(const struct rules_rule *rule, const void *aux)
{
    (void) aux;
    return rule->atom == RULES_ANY;
}

/* Tells whether a rule may match packets of the family at 'aux' from sources
 * that are in no atom. */
static bool
rule_takes_family(const struct rules_rule *rule, const void *aux)
{
    const int *family = aux;

    return (rule->atom == RULES_ANY
            && (rule->family == RULES_ANY || rule->family == *family));
}

/* A family and a class. */
struct family_class {
    int family;                 /* 4 or 6. */
    uint32_t class;             /* The class. */
};

/* Tells whether a rule may match packets as at 'aux'. */
static bool
rule_takes_class(const struct rules_rule *rule, const void *aux)
{
    const struct family_class *fc = aux;

    return ((rule->family == RULES_ANY || rule->family == fc->family)
            && (rule->atom == RULES_ANY || fc->class >> rule->atom & 1));
}

/* Tells whether a rule matches all packets that the rule at 'aux' speaks of,
 * as far as protocol and port go. */
static bool
rule_takes_service(const struct rules_rule *rule, const void *aux)
{
    const struct rules_rule *other = aux;
    uint16_t port = htons(rule->port), other_port = htons(other->port);

    return (rule->protocol == RULES_ANY
            || (rule->protocol == other->protocol
                && rule->port_len <= other->port_len
                && rules_same((uint8_t *) &port, (uint8_t *) &other_port,
                              rule->port_len)));
}

/* Returns the flags of 's'. */
static uint32_t
flags_of(const struct rules_set *s)
{
    uint32_t flags = s->stateful ? OX_ACL_STATEFUL : 0;

    if (s->anywhere) {
        flags |= OX_ACL_ANYWHERE;
    }

    for (size_t i = 0; i < s->n; i++) {
        if (s->rules[i].protocol == IPPROTO_TCP && s->rules[i].port_len < 16) {
            flags |= OX_ACL_TCP_SERVICES;
        }
    }
    return flags;
}

/* Writes which rules of 's' match packets that 'rule' speaks of. */
static void
write_service(struct rules *rules, const struct rules_set *s,
              const struct rules_rule *rule)
{
    uint32_t number = write_rules(rules, s, rule_takes_service, rule);
    struct ox_acl_service key = {
        .prefix_len = OX_ACL_PROTOCOL_LEN + rule->port_len,
        .set = s->id,
        .protocol = rule->protocol,
        .port = htons(rule->port),
    };

    if (key.prefix_len == OX_ACL_PORT_LEN) {
        set(rules->skel->maps.acl_ports, &key.set, &number);
    } else {
        set(rules->skel->maps.acl_services, &key, &number);
    }
}

/* Writes which rules of 's' match packets from sources of the class of
 * 'prefix', if some rule asks for it. */
static void
write_class(struct rules *rules, const struct rules_set *s,
            const struct rules_prefix *prefix)
{
    struct family_class fc = {
        .family = is_ip4(prefix) ? 4 : 6,
        .class = rules_class(rules, prefix),
    };
    struct ox_acl_class key = { .set = s->id, .class = fc.class };
    uint32_t number;
    bool used = false;

    for (size_t i = 0; i < s->n; i++) {
        used |= (s->rules[i].atom != RULES_ANY
                 && fc.class >> s->rules[i].atom & 1);
    }
    if (used) {
        number = write_rules(rules, s, rule_takes_class, &fc);
        set(rules->skel->maps.acl_classes, &key, &number);
    }
}

void
rules_write_set(struct rules *rules, struct rules_set *s)
{
    static const struct rules_rule anything = { .protocol = RULES_ANY };
    static const int four = 4, six = 6;
    struct ox_acl_set value = {
        .flags = flags_of(s),
        .n_words = (s->n + 63) / 64,
        .drops = write_rules(rules, s, rule_drops, NULL),
        .any = write_rules(rules, s, rule_takes_service, &anything),
        .any4 = write_rules(rules, s, rule_takes_family, &four),
        .any6 = write_rules(rules, s, rule_takes_family, &six),
        .hits = rules->n_hits,
        .anywhere = write_rules(rules, s, rule_takes_anywhere, NULL),
    };

    s->hits = rules->n_hits;
    rules->n_hits += s->n;
    for (size_t i = 0; i < s->n; i++) {
        if (s->rules[i].protocol != RULES_ANY) {
            write_service(rules, s, &s->rules[i]);
        }
    }
    for (size_t i = 0; i < rules->n_atoms; i++) {
        for (size_t j = 0; j < rules->atoms[i].n; j++) {
            write_class(rules, s, &rules->atoms[i].prefixes[j]);
        }
    }
    set(rules->skel->maps.acl_sets, &s->id, &value);
}

uint64_t
rules_hits(const struct rules *rules, uint32_t index)
{
    int n_cpus = libbpf_num_possible_cpus();
    uint64_t *values = calloc(n_cpus, sizeof *values);
    uint64_t sum = 0;

    assert_non_null(values);
    assert_int_equal(
        bpf_map_lookup_elem(bpf_map__fd(rules->skel->maps.acl_hits), &index,
                            values), 0);
    for (int cpu = 0; cpu < n_cpus; cpu++) {
        sum += values[cpu];
    }
    free(values);
    return sum;
}

/* Reads the lease. */
static struct ox_acl_lease
get_lease(const struct rules *rules)
{
    struct ox_acl_lease lease;
    uint32_t zero = 0;

    assert_int_equal(
        bpf_map_lookup_elem(bpf_map__fd(rules->skel->maps.acl_lease), &zero,
                            &lease), 0);
    return lease;
}

/* Writes the lease. */
static void
set_lease(const struct rules *rules, const struct ox_acl_lease *lease)
{
    uint32_t zero = 0;

    set(rules->skel->maps.acl_lease, &zero, lease);
}

void
rules_lease(const struct rules *rules, uint64_t ns)
{
    struct ox_acl_lease lease = get_lease(rules);

    lease.until_ns = ns;
    set_lease(rules, &lease);
}

void
rules_set_changes(const struct rules *rules, uint64_t changes)
{
    struct ox_acl_lease lease = get_lease(rules);

    lease.changes = changes;
    set_lease(rules, &lease);
}
