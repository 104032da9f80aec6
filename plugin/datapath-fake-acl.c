/* SPDX-License-Identifier: Apache-2.0 */
/* Rules in memory, and what the programs would make of them: bpf/acl.h in
 * plain words. */
#include <config.h>

#include "plugin/datapath-fake-acl.h"

#include <errno.h>
#include <string.h>

#include "hash.h"
#include "util.h"

#include "bpf/abi.h"

/* A set of rules. */
struct fake_acl {
    struct hmap_node node;      /* In struct fake_acls, by 'acl.id'. */
    struct dp_acl acl;          /* As it was put; without 'classes'. */
    struct dp_acl_service *services; /* Those of 'acl'. */
    struct hmap classes;        /* Of struct fake_class. */
    uint64_t *hits;             /* One per rule. */
};

/* What a set has for a class. */
struct fake_class {
    struct hmap_node node;      /* In struct fake_acl, by 'row.class'. */
    struct dp_acl_class row;    /* As it was put. */
};

/* A prefix. */
struct fake_source {
    struct hmap_node node;      /* In struct fake_acls, by prefix_hash(). */
    struct dp_prefix prefix;    /* Which one. */
    uint32_t class;             /* Its class. */
};

/* Makes 'acls' hold nothing. */
void
fake_acls_init(struct fake_acls *acls)
{
    hmap_init(&acls->sets);
    hmap_init(&acls->sources);
    acls->max_sources = OX_MAX_ACL_SOURCES;
}

/* Notes that packets may be dropped until 'until'. */
void
fake_acls_lease(struct fake_acls *acls, long long int until)
{
    acls->lease = until;
    if (until) {
        acls->given_lease = until;
    }
}

/* Frees 'acl'. */
static void
free_acl(struct fake_acl *acl)
{
    struct fake_class *class;

    HMAP_FOR_EACH_POP (class, node, &acl->classes) {
        free(class);
    }
    hmap_destroy(&acl->classes);
    free(acl->services);
    free(acl->hits);
    free(acl);
}

/* Forgets everything. */
void
fake_acls_clear(struct fake_acls *acls)
{
    struct fake_source *source;
    struct fake_acl *acl;

    HMAP_FOR_EACH_POP (acl, node, &acls->sets) {
        free_acl(acl);
    }
    HMAP_FOR_EACH_POP (source, node, &acls->sources) {
        free(source);
    }
}

/* Frees what 'acls' holds. */
void
fake_acls_destroy(struct fake_acls *acls)
{
    fake_acls_clear(acls);
    hmap_destroy(&acls->sets);
    hmap_destroy(&acls->sources);
}

/* Returns the set 'id', or NULL. */
static struct fake_acl *
find_acl(const struct fake_acls *acls, uint32_t id)
{
    struct fake_acl *acl;

    HMAP_FOR_EACH_WITH_HASH (acl, node, hash_int(id, 0), &acls->sets) {
        if (acl->acl.id == id) {
            return acl;
        }
    }
    return NULL;
}

/* Returns what 'acl' has for 'class', or NULL. */
static struct fake_class *
find_class(const struct fake_acl *acl, uint32_t class)
{
    struct fake_class *c;

    HMAP_FOR_EACH_WITH_HASH (c, node, hash_int(class, 0), &acl->classes) {
        if (c->row.class == class) {
            return c;
        }
    }
    return NULL;
}

/* Returns a hash of 'prefix'. */
static uint32_t
prefix_hash(const struct dp_prefix *prefix)
{
    return hash_bytes(&prefix->addr, sizeof prefix->addr, prefix->len);
}

/* Returns the source of exactly 'prefix', or NULL. */
static struct fake_source *
find_source(const struct fake_acls *acls, const struct dp_prefix *prefix)
{
    struct fake_source *s;

    HMAP_FOR_EACH_WITH_HASH (s, node, prefix_hash(prefix), &acls->sources) {
        if (s->prefix.len == prefix->len
            && !memcmp(&s->prefix.addr, &prefix->addr,
                       sizeof prefix->addr)) {
            return s;
        }
    }
    return NULL;
}

/* Adds 'row' to 'acl', in place of what it has for that class. */
static void
set_class(struct fake_acl *acl, const struct dp_acl_class *row)
{
    struct fake_class *class = find_class(acl, row->class);

    if (!class) {
        class = xmalloc(sizeof *class);
        hmap_insert(&acl->classes, &class->node, hash_int(row->class, 0));
    }
    class->row = *row;
}

/* Adds a copy of 'new'. */
int
fake_acls_put(struct fake_acls *acls, const struct dp_acl *new)
{
    struct fake_acl *acl;

    if (!new->id || !new->n_rules || new->n_rules > OX_ACL_RULES
        || find_acl(acls, new->id)) {
        return EINVAL;
    } else if (hmap_count(&acls->sets) >= OX_MAX_ACL_SETS) {
        return ENOSPC;
    }
    acl = xzalloc(sizeof *acl);
    acl->acl = *new;
    acl->services = xmemdup(new->services,
                            new->n_services * sizeof *new->services);
    acl->hits = xcalloc(new->n_rules, sizeof *acl->hits);
    hmap_init(&acl->classes);
    for (size_t i = 0; i < new->n_classes; i++) {
        set_class(acl, &new->classes[i]);
    }
    hmap_insert(&acls->sets, &acl->node, hash_int(new->id, 0));
    return 0;
}

/* Adds or replaces what the set 'id' has for the class of 'row'. */
int
fake_acls_put_class(struct fake_acls *acls, uint32_t id,
                    const struct dp_acl_class *row)
{
    struct fake_acl *acl = find_acl(acls, id);

    if (!acl || !row->class) {
        return acl ? EINVAL : ENOENT;
    }
    set_class(acl, row);
    return 0;
}

/* Deletes what the set 'id' has for 'class'. */
int
fake_acls_del_class(struct fake_acls *acls, uint32_t id, uint32_t class)
{
    struct fake_acl *acl = find_acl(acls, id);
    struct fake_class *c = acl ? find_class(acl, class) : NULL;

    if (!c) {
        return ENOENT;
    }
    hmap_remove(&acl->classes, &c->node);
    free(c);
    return 0;
}

/* Deletes the set 'id'. */
int
fake_acls_del(struct fake_acls *acls, uint32_t id)
{
    struct fake_acl *acl = find_acl(acls, id);

    if (!acl) {
        return ENOENT;
    }
    hmap_remove(&acls->sets, &acl->node);
    free_acl(acl);
    return 0;
}

/* Says that sources of 'prefix' are of 'class'. */
int
fake_acls_put_source(struct fake_acls *acls, const struct dp_prefix *prefix,
                     uint32_t class)
{
    struct fake_source *source = find_source(acls, prefix);

    if (!class || prefix->len > 128) {
        return EINVAL;
    }
    if (!source) {
        if (hmap_count(&acls->sources) >= acls->max_sources) {
            return ENOSPC;
        }
        source = xmalloc(sizeof *source);
        source->prefix = *prefix;
        hmap_insert(&acls->sources, &source->node, prefix_hash(prefix));
    }
    source->class = class;
    return 0;
}

/* Takes that back. */
int
fake_acls_del_source(struct fake_acls *acls, const struct dp_prefix *prefix)
{
    struct fake_source *source = find_source(acls, prefix);

    if (!source) {
        return ENOENT;
    }
    hmap_remove(&acls->sources, &source->node);
    free(source);
    return 0;
}

/* Stores the hits of the first 'n' rules of the set 'id' in 'hits'. */
int
fake_acls_hits(const struct fake_acls *acls, uint32_t id, uint64_t *hits,
               size_t n)
{
    const struct fake_acl *acl = find_acl(acls, id);

    memset(hits, 0, n * sizeof *hits);
    if (!acl) {
        return ENOENT;
    }
    memcpy(hits, acl->hits, MIN(n, acl->acl.n_rules) * sizeof *hits);
    return 0;
}

/* Adds 'packets' to the hits of 'rule' in the set 'id'. */
int
fake_acls_count(struct fake_acls *acls, uint32_t id, size_t rule,
                uint64_t packets)
{
    struct fake_acl *acl = find_acl(acls, id);

    if (!acl || rule >= acl->acl.n_rules) {
        return ENOENT;
    }
    acl->hits[rule] += packets;
    return 0;
}

/* Returns the bits of 'acl' for packets of 'protocol' to 'port'. */
static const struct dp_acl_bits *
service_bits(const struct fake_acl *acl, uint8_t protocol, uint16_t port)
{
    const struct dp_acl_service *best = NULL;

    for (size_t i = 0; i < acl->acl.n_services; i++) {
        const struct dp_acl_service *s = &acl->services[i];

        if (s->protocol == protocol
            && !((s->port ^ port) >> (16 - s->port_len))
            && (!best || s->port_len > best->port_len)) {
            best = s;
        }
    }
    return best ? &best->bits : &acl->acl.any_protocol;
}

/* Returns 'addr' without the bits behind the first 'len'. */
static struct in6_addr
mask_addr(const struct in6_addr *addr, unsigned int len)
{
    struct in6_addr masked = *addr;

    for (unsigned int i = 0; i < 16; i++) {
        if (len < 8 * (i + 1)) {
            unsigned int keep = len > 8 * i ? len - 8 * i : 0;

            masked.s6_addr[i] &= 0xff00 >> keep;
        }
    }
    return masked;
}

/* Returns the class of 'addr', or 0. */
static uint32_t
find_source_class(const struct fake_acls *acls, const struct in6_addr *addr)
{
    for (int len = 128; len >= 0; len--) {
        struct dp_prefix prefix = { mask_addr(addr, len), len };
        const struct fake_source *source = find_source(acls, &prefix);

        if (source) {
            return source->class;
        }
    }
    return 0;
}

/* Returns the bits of 'acl' for packets from 'addr', of 'class'. */
static const struct dp_acl_bits *
source_bits(const struct fake_acl *acl, const struct in6_addr *addr,
            uint32_t class)
{
    const struct fake_class *c = class ? find_class(acl, class) : NULL;

    return (c ? &c->row.bits
            : IN6_IS_ADDR_V4MAPPED(addr) ? &acl->acl.any4
            : &acl->acl.any6);
}

/* Returns the rule of the set 'id' that decides about a packet of 'protocol'
 * to 'port' from 'source', and stores in '*drops' whether it drops.  Returns
 * -1 if none does. */
int
fake_acls_decide(const struct fake_acls *acls, uint32_t id, uint8_t protocol,
                 uint16_t port, const struct in6_addr *source, bool *drops)
{
    const struct fake_acl *acl = find_acl(acls, id);
    const struct dp_acl_bits *a, *b;

    *drops = false;
    if (!acl) {
        return -1;
    }
    a = service_bits(acl, protocol, port);
    b = source_bits(acl, source, find_source_class(acls, source));
    for (int i = 0; i < DP_ACL_WORDS; i++) {
        uint64_t both = a->word[i] & b->word[i];

        if (both) {
            int bit = raw_ctz(both);

            *drops = acl->acl.drops.word[i] >> bit & 1;
            return 64 * i + bit;
        }
    }
    return -1;
}

/* Returns how many rows all sets have for classes. */
size_t
fake_acls_n_classes(const struct fake_acls *acls)
{
    const struct fake_acl *acl;
    size_t n = 0;

    HMAP_FOR_EACH (acl, node, &acls->sets) {
        n += hmap_count(&acl->classes);
    }
    return n;
}
