/* SPDX-License-Identifier: Apache-2.0
 *
 * Rules at random, and packets that they like to meet: see wild.h. */

#include <config.h>

#include "tests/bpf/wild.h"

#include <string.h>

/* Protocols. */
enum { ICMP = 1, TCP = 6, UDP = 17, ICMP6 = 58, SCTP = 132 };

/* One of the values of an array. */
#define ONE_OF(W, ARRAY) \
    ((ARRAY)[wild_below(W, sizeof (ARRAY) / sizeof (ARRAY)[0])])

/* Most prefixes of a source that rules name. */
#define PREFIXES 4

static struct rules_prefix prefixes[WILD_ATOMS][PREFIXES];
static struct rules_rule lists[WILD_SETS][WILD_RULES];

/* Makes a prefix: one of few networks, so that they lie in each other. */
static void
choose_prefix(struct wild *w, struct rules_prefix *p)
{
    static const int lens4[] = { 4, 8, 16, 20, 24, 31, 32, 32, 32 };
    static const int lens6[] = { 3, 16, 32, 48, 64, 96, 127, 128, 128 };
    bool is_ip6 = wild_below(w, 2);

    memset(p->addr, 0x55, 16);
    if (is_ip6) {
        p->addr[0] = 0x20 + wild_below(w, 2);
        p->len = ONE_OF(w, lens6);
    } else {
        memset(p->addr, 0, 10);
        p->addr[10] = p->addr[11] = 0xff;
        p->addr[12] = 100 + wild_below(w, 2);
        p->len = 96 + ONE_OF(w, lens4);
    }
    p->addr[15] = wild_below(w, 4);
    for (int i = p->len; i < 128; i++) {
        p->addr[i / 8] &= ~(0x80 >> i % 8);
    }
}

void
wild_atoms(struct wild *w, struct rules_atom *atoms)
{
    for (int i = 0; i < WILD_ATOMS; i++) {
        atoms[i].prefixes = prefixes[i];
        atoms[i].n = 1 + wild_below(w, PREFIXES);
        for (size_t j = 0; j < atoms[i].n; j++) {
            choose_prefix(w, &prefixes[i][j]);
        }
    }
}

/* Makes a rule. */
static void
choose_rule(struct wild *w, struct rules_rule *rule)
{
    static const int families[] = { 4, 6, RULES_ANY };
    static const int protocols[] = { TCP, TCP, TCP, UDP, ICMP, ICMP6, SCTP,
                                     47, RULES_ANY };
    static const int lens[] = { 0, 16, 16, 16, 16, 10, 13, 15 };
    bool has_port;

    rule->family = ONE_OF(w, families);
    rule->atom = wild_below(w, 2) ? (int) wild_below(w, WILD_ATOMS)
                                  : RULES_ANY;
    rule->protocol = ONE_OF(w, protocols);
    has_port = rule->protocol != RULES_ANY && rule->protocol != 47;
    rule->port_len = has_port ? ONE_OF(w, lens) : 0;
    rule->port = wild_below(w, 2) ? wild_below(w, 256) : wild_random(w);
    rule->port &= ~(0xffff >> rule->port_len);
    rule->drops = wild_below(w, 3);
}

void
wild_set(struct wild *w, int i, struct rules_set *set)
{
    static const size_t sizes[WILD_SETS] = { 1, 2, 5, 10, 63, 64, 200, 65 };

    set->id = 100 + 7 * i;
    set->stateful = i % 2;
    set->anywhere = i % 3;
    set->rules = lists[i];
    set->n = sizes[i];
    for (size_t j = 0; j < set->n; j++) {
        choose_rule(w, &lists[i][j]);
        /* Most of many rules are about one port each, or the first few would
         * match whatever comes. */
        if (j + 8 < set->n && set->n > 60) {
            lists[i][j].protocol = TCP;
            lists[i][j].port_len = 16;
            lists[i][j].port |= 0x4000;
        }
    }
    if (i % 4 < 3) {
        lists[i][set->n - 1] = (struct rules_rule) { RULES_ANY, RULES_ANY,
                                                     RULES_ANY, 0, 0, true };
    }
}

/* Lets a packet with its source at 'p' come from one that a rule names. */
static void
put_named_source(struct wild *w, bool is_ip6, uint8_t *p)
{
    const struct rules_atom *atom = &w->model->atoms[wild_below(w,
                                                                WILD_ATOMS)];
    const struct rules_prefix *prefix
        = &atom->prefixes[wild_below(w, atom->n)];
    bool is_mapped = !memcmp(prefix->addr, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12);
    uint8_t addr[16];

    if (is_mapped == is_ip6) {
        return;
    }
    wild_bytes(w, addr, 16);
    for (int i = 0; i < prefix->len; i++) {
        uint8_t bit = 0x80 >> i % 8;

        addr[i / 8] = (addr[i / 8] & ~bit) | (prefix->addr[i / 8] & bit);
    }
    memcpy(p, is_ip6 ? addr : &addr[12], is_ip6 ? 16 : 4);
}

void
wild_opened(struct wild *w, const struct model_endpoint *e,
            struct ox_opened_key *key)
{
    size_t skip = e->is_ip6 ? 0 : 12;
    uint16_t port = wild_below(w, 256);

    memset(key, 0, sizeof *key);
    wild_bytes(w, key->remote, 16);
    key->remote[0] = 0x20;
    if (skip) {
        key->local[10] = key->local[11] = 0xff;
        memcpy(key->remote, key->local, 12);
        key->remote[12] = 100;
    }
    memcpy(&key->local[skip], e->addr, 16 - skip);
    key->remote_port = wild_random(w);
    key->local_port = port << 8;
    key->proto = TCP;
}

/* A TCP header at 'l4', but for ports. */
static void
put_tcp(struct wild *w, uint8_t *l4)
{
    static const uint8_t flags[] = { 0x02, 0x02, 0x02, 0x02, 0xc2, 0x12, 0x10,
                                     0x03, 0x06, 0x22 };

    l4[12] = wild_below(w, 8) ? 0x50 : wild_random(w);
    l4[13] = wild_below(w, 8) ? ONE_OF(w, flags) : wild_random(w);
}

/* Lets the packet at 'ip' for 'e', with its transport at 'l4', answer a
 * connection of its VM, if there is one. */
static void
put_answer(struct wild *w, const struct model_endpoint *e, uint8_t *ip,
           uint8_t *l4)
{
    size_t skip = e->is_ip6 ? 0 : 12;

    for (size_t i = 0; i < w->model->n_opened; i++) {
        const struct ox_opened_key *o = &w->model->opened[i];

        if (!memcmp(&o->local[skip], e->addr, 16 - skip)
            && wild_below(w, 2)) {
            memcpy(&ip[e->is_ip6 ? 8 : 12], &o->remote[skip], 16 - skip);
            memcpy(&l4[0], &o->remote_port, 2);
            memcpy(&l4[2], &o->local_port, 2);
            ip[e->is_ip6 ? 6 : 9] = TCP;
            l4[12] = 0x50;
            l4[13] = 0x02;
        }
    }
}

/* Writes the address of an endpoint of the family of 'e' to 'p'. */
static void
put_inside(struct wild *w, const struct model_endpoint *e, uint8_t *p)
{
    const struct model *m = w->model;
    size_t i = wild_below(w, m->n);

    while (m->endpoints[i].is_ip6 != e->is_ip6) {
        i = (i + 1) % m->n;
    }
    memcpy(p, m->endpoints[i].addr, e->is_ip6 ? 16 : 4);
}

void
wild_aim(struct wild *w, const struct model_endpoint *e, uint8_t *ip,
         size_t header)
{
    static const uint8_t protocols[] = { TCP, TCP, TCP, TCP, UDP, SCTP, ICMP,
                                         ICMP6, 47 };
    const struct rules_set *set = e->set;
    uint8_t *source = &ip[e->is_ip6 ? 8 : 12];
    uint8_t *l4 = &ip[header];

    if (wild_below(w, 8)) {
        ip[e->is_ip6 ? 7 : 8] = wild_below(w, 8) ? 64 : 2 + wild_below(w, 2);
    }
    ip[e->is_ip6 ? 6 : 9] = ONE_OF(w, protocols);
    put_tcp(w, l4);
    if (set && wild_below(w, 2)) {
        uint16_t port = set->rules[wild_below(w, set->n)].port;

        port ^= wild_below(w, 2) ? 0 : 1 << wild_below(w, 16);
        l4[2] = port >> 8;
        l4[3] = port;
        if (ip[e->is_ip6 ? 6 : 9] != TCP) {
            memcpy(l4, &l4[2], 2);
        }
    }
    switch (wild_below(w, 6)) {
    case 0:
    case 1:
        put_named_source(w, e->is_ip6, source);
        break;
    case 2:
    case 3:
        put_answer(w, e, ip, l4);
        break;
    case 4:
        put_inside(w, e, source);
        break;
    default:
        break;
    }
}
