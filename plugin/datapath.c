/* SPDX-License-Identifier: Apache-2.0 */
/* What both back ends of plugin/datapath.h and their callers share: keys and
 * actions. */
#include <config.h>

#include "plugin/datapath.h"

#include <string.h>

#include "hash.h"
#include "packets.h"

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

/* Returns true if 'a' and 'b' do the same to a frame. */
bool
dp_action_equals(const struct dp_action *a, const struct dp_action *b)
{
    return eth_addr_equals(a->dmac, b->dmac)
           && eth_addr_equals(a->smac, b->smac)
           && a->vlan == b->vlan && a->target_sg == b->target_sg
           && a->ifindex == b->ifindex && a->mtu == b->mtu
           && a->acl == b->acl;
}
