/* SPDX-License-Identifier: Apache-2.0 */
/* Prefixes of IPv4 and IPv6, and a tree of them: a trie with forks only where
 * prefixes part. */
#ifndef PLUGIN_ACL_PREFIX_H
#define PLUGIN_ACL_PREFIX_H 1

#include <stdbool.h>
#include <stddef.h>
#include "plugin/datapath.h"

struct acl_trie_node;

/* Most prefixes that have one address. */
#define ACL_TRIE_DEPTH 129

/* A tree.  All zeros: an empty one. */
struct acl_trie {
    struct acl_trie_node *root; /* Or NULL. */
};

/* Callback of acl_trie_for_each_below(). */
typedef void acl_trie_cb(void *data, void *aux);

bool acl_prefix_parse(const char *, struct dp_prefix *);
const char *acl_address_parse(const char *, struct in6_addr *);
bool acl_prefix_is_ip4(const struct dp_prefix *);
bool acl_prefix_contains(const struct dp_prefix *, const struct dp_prefix *);

void acl_trie_destroy(struct acl_trie *);
void *acl_trie_find(const struct acl_trie *, const struct dp_prefix *);
void acl_trie_insert(struct acl_trie *, const struct dp_prefix *, void *data);
void acl_trie_remove(struct acl_trie *, const struct dp_prefix *);
size_t acl_trie_path(const struct acl_trie *, const struct dp_prefix *,
                     void *path[ACL_TRIE_DEPTH]);
void acl_trie_for_each_below(const struct acl_trie *,
                             const struct dp_prefix *, acl_trie_cb *,
                             void *aux);

#endif /* plugin/acl-prefix.h */
