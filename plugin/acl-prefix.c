/* SPDX-License-Identifier: Apache-2.0 */
/* Prefixes and their tree. */
#include <config.h>

#include "plugin/acl-prefix.h"

#include <stdlib.h>
#include <string.h>

#include "packets.h"
#include "util.h"

/* Where the IPv4 addresses begin among those of IPv6. */
#define IP4_LEN 96

/* A prefix of a tree, or a fork between some. */
struct acl_trie_node {
    struct acl_trie_node *child[2]; /* Longer ones, by the bit after this. */
    struct dp_prefix prefix;    /* What they have in common. */
    void *data;                 /* NULL: a fork. */
};

/* If 's' begins with a decimal number up to 'max' without needless zeros,
 * returns how long that is, otherwise 0.  The parsers of Open vSwitch's
 * library take more for a number, and one that is too large for another. */
static size_t
number_length(const char *s, int max)
{
    size_t n = strspn(s, "0123456789");

    return (n && n <= 3 && (n == 1 || s[0] != '0') && atoi(s) <= max ? n : 0);
}

/* Returns true if 's' is an IPv4 address as OVN's lexer reads it, and then
 * ends, or is followed by '/'. */
static bool
is_ip4(const char *s)
{
    for (int i = 0; i < 4; i++) {
        size_t n = number_length(s, 255);

        if (!n || (i < 3 && s[n] != '.')) {
            return false;
        }
        s += n + (i < 3);
    }
    return !*s || *s == '/';
}

/* Returns true if what follows an address at 's' is nothing, or '/' and the
 * length of a prefix up to 'max'. */
static bool
is_length(const char *s, int max)
{
    size_t n = *s ? number_length(s + 1, max) : 0;

    return !*s || (*s == '/' && n && !s[1 + n]);
}

/* Stores the IPv4 prefix 's' in 'prefix'. */
static bool
parse_ip4(const char *s, struct dp_prefix *prefix)
{
    const char *rest = s + strcspn(s, "/");
    ovs_be32 ip, mask;

    if (!is_ip4(s) || !(is_length(rest, 32)
                        || (is_ip4(rest + 1) && !strchr(rest + 1, '/')))) {
        return false;
    }
    char *error = ip_parse_masked(s, &ip, &mask);
    if (error) {
        free(error);
        return false;
    }
    prefix->addr = in6_addr_mapped_ipv4(ip);
    prefix->len = IP4_LEN + ip_count_cidr_bits(mask);
    return ip_is_cidr(mask) && !(ip & ~mask);
}

/* Stores the IPv6 prefix 's' in 'prefix'.  Addresses that stand for those of
 * IPv4 are refused: no packet of IPv6 should have them, and the datapath would
 * take them for the others. */
static bool
parse_ip6(const char *s, struct dp_prefix *prefix)
{
    struct in6_addr mask, masked;

    if (!is_length(s + strcspn(s, "/"), 128)) {
        return false;
    }
    char *error = ipv6_parse_masked(s, &prefix->addr, &mask);
    if (error) {
        free(error);
        return false;
    }
    masked = ipv6_addr_bitand(&prefix->addr, &mask);
    prefix->len = ipv6_count_cidr_bits(&mask);
    return (ipv6_is_cidr(&mask) && ipv6_addr_equals(&masked, &prefix->addr)
            && (prefix->len < IP4_LEN
                || !IN6_IS_ADDR_V4MAPPED(&prefix->addr)));
}

/* Stores what 's', an address with or without a prefix length, stands for in
 * 'prefix'.  False if it is neither, or has bits behind the prefix: OVN 20.03
 * and 20.06 leave such a member of an address set out, later ones clear the
 * bits.  A match with such an address is refused too, see acl-lex.c. */
bool
acl_prefix_parse(const char *s, struct dp_prefix *prefix)
{
    return strchr(s, ':') ? parse_ip6(s, prefix) : parse_ip4(s, prefix);
}

/* Stores the address that 'text' begins with in '*ip', and returns what
 * follows it.  NULL: it begins with none. */
const char *
acl_address_parse(const char *text, struct in6_addr *ip)
{
    size_t n = strspn(text, "0123456789abcdefABCDEF.:");
    char *address = xmemdup0(text, n);
    struct dp_prefix prefix;
    bool ok = acl_prefix_parse(address, &prefix);

    free(address);
    if (!ok) {
        return NULL;
    }
    *ip = prefix.addr;
    return text + n;
}

/* Returns true if 'prefix' is one of IPv4. */
bool
acl_prefix_is_ip4(const struct dp_prefix *prefix)
{
    return prefix->len >= IP4_LEN && IN6_IS_ADDR_V4MAPPED(&prefix->addr);
}

/* Returns bit 'i' of 'addr', from the left. */
static int
get_bit(const struct in6_addr *addr, unsigned int i)
{
    return addr->s6_addr[i / 8] >> (7 - i % 8) & 1;
}

/* Returns how many leading bits 'a' and 'b' have in common, 'max' at most. */
static unsigned int
common_bits(const struct in6_addr *a, const struct in6_addr *b,
            unsigned int max)
{
    unsigned int i = 0;

    while (i + 8 <= max && a->s6_addr[i / 8] == b->s6_addr[i / 8]) {
        i += 8;
    }
    while (i < max && get_bit(a, i) == get_bit(b, i)) {
        i++;
    }
    return i;
}

/* Returns true if all of 'inner' is in 'outer'. */
bool
acl_prefix_contains(const struct dp_prefix *outer,
                    const struct dp_prefix *inner)
{
    return (outer->len <= inner->len
            && common_bits(&outer->addr, &inner->addr, outer->len)
               == outer->len);
}

/* Frees 'node' and all below it. */
static void
free_nodes(struct acl_trie_node *node)
{
    if (node) {
        free_nodes(node->child[0]);
        free_nodes(node->child[1]);
        free(node);
    }
}

/* Frees 'trie', not its data. */
void
acl_trie_destroy(struct acl_trie *trie)
{
    free_nodes(trie->root);
    trie->root = NULL;
}

/* Returns the data of exactly 'prefix', or NULL. */
void *
acl_trie_find(const struct acl_trie *trie, const struct dp_prefix *prefix)
{
    const struct acl_trie_node *node = trie->root;

    while (node && node->prefix.len < prefix->len) {
        node = node->child[get_bit(&prefix->addr, node->prefix.len)];
    }
    return (node && node->prefix.len == prefix->len
            && acl_prefix_contains(&node->prefix, prefix)
            ? node->data : NULL);
}

/* Returns a node of 'prefix', cut to its first 'len' bits. */
static struct acl_trie_node *
new_node(const struct dp_prefix *prefix, unsigned int len, void *data)
{
    struct acl_trie_node *node = xzalloc(sizeof *node);
    struct in6_addr mask = ipv6_create_mask(len);

    node->prefix.addr = ipv6_addr_bitand(&prefix->addr, &mask);
    node->prefix.len = len;
    node->data = data;
    return node;
}

/* Makes 'child' a child of 'node', which contains it. */
static void
adopt(struct acl_trie_node *node, struct acl_trie_node *child)
{
    node->child[get_bit(&child->prefix.addr, node->prefix.len)] = child;
}

/* Adds 'prefix' with 'data', which is not NULL, to 'trie'; replaces what it
 * has. */
void
acl_trie_insert(struct acl_trie *trie, const struct dp_prefix *prefix,
                void *data)
{
    struct acl_trie_node **slot = &trie->root;
    struct acl_trie_node *node, *new;
    unsigned int common = 0;

    while ((node = *slot) != NULL) {
        common = common_bits(&node->prefix.addr, &prefix->addr,
                             MIN(node->prefix.len, prefix->len));
        if (common < node->prefix.len || common == prefix->len) {
            break;
        }
        slot = &node->child[get_bit(&prefix->addr, common)];
    }
    if (node && common == prefix->len && common == node->prefix.len) {
        node->data = data;
        return;
    }
    new = new_node(prefix, prefix->len, data);
    if (!node) {
        *slot = new;
    } else if (common == prefix->len) {
        adopt(new, node);
        *slot = new;
    } else {
        *slot = new_node(prefix, common, NULL);
        adopt(*slot, node);
        adopt(*slot, new);
    }
}

/* Removes the node in '*slot' if it is a fork without two ways. */
static void
shrink(struct acl_trie_node **slot)
{
    struct acl_trie_node *node = *slot;

    if (!node->data && (!node->child[0] || !node->child[1])) {
        *slot = node->child[0] ? node->child[0] : node->child[1];
        free(node);
    }
}

/* Removes 'prefix' from 'trie', which has it. */
void
acl_trie_remove(struct acl_trie *trie, const struct dp_prefix *prefix)
{
    struct acl_trie_node **slot = &trie->root;
    struct acl_trie_node **parent = NULL;

    while ((*slot)->prefix.len < prefix->len) {
        parent = slot;
        slot = &(*slot)->child[get_bit(&prefix->addr, (*slot)->prefix.len)];
    }
    (*slot)->data = NULL;
    shrink(slot);
    if (parent) {
        shrink(parent);
    }
}

/* Stores in 'path' the data of all prefixes that contain 'prefix', itself
 * among them, the shortest first.  Returns how many they are. */
size_t
acl_trie_path(const struct acl_trie *trie, const struct dp_prefix *prefix,
              void *path[ACL_TRIE_DEPTH])
{
    const struct acl_trie_node *node = trie->root;
    size_t n = 0;

    while (node && acl_prefix_contains(&node->prefix, prefix)) {
        if (node->data) {
            path[n++] = node->data;
        }
        if (node->prefix.len == prefix->len) {
            break;
        }
        node = node->child[get_bit(&prefix->addr, node->prefix.len)];
    }
    return n;
}

/* Calls 'cb' for all data from 'node' on. */
static void
for_each(const struct acl_trie_node *node, acl_trie_cb *cb, void *aux)
{
    if (node) {
        if (node->data) {
            cb(node->data, aux);
        }
        for_each(node->child[0], cb, aux);
        for_each(node->child[1], cb, aux);
    }
}

/* Calls 'cb' for the data of all prefixes in 'prefix', itself among them. */
void
acl_trie_for_each_below(const struct acl_trie *trie,
                        const struct dp_prefix *prefix, acl_trie_cb *cb,
                        void *aux)
{
    const struct acl_trie_node *node = trie->root;

    while (node && node->prefix.len < prefix->len) {
        node = node->child[get_bit(&prefix->addr, node->prefix.len)];
    }
    if (node && acl_prefix_contains(prefix, &node->prefix)) {
        for_each(node, cb, aux);
    }
}
