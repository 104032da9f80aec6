/* SPDX-License-Identifier: Apache-2.0 */
/* What both back ends of plugin/datapath.h and their callers share: keys. */
#include <config.h>

#include "plugin/datapath.h"

#include <string.h>

#include "hash.h"

/* Returns a hash of 'key'. */
uint32_t
dp_key_hash(const struct dp_key *key)
{
    return hash_bytes(&key->addr, sizeof key->addr, key->vlan);
}

/* Returns true if 'a' and 'b' mean the same frames. */
bool
dp_key_equals(const struct dp_key *a, const struct dp_key *b)
{
    return a->vlan == b->vlan && !memcmp(&a->addr, &b->addr, sizeof a->addr);
}
