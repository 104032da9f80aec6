/* SPDX-License-Identifier: Apache-2.0 */
/* What both back ends of plugin/datapath.h and their callers share: keys and
 * actions. */
#include <config.h>

#include "plugin/datapath.h"

#include <errno.h>
#include <string.h>

#include "hash.h"
#include "packets.h"
#include "util.h"

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
           && a->acl == b->acl && a->bridge == b->bridge;
}

/* Returns what is to be said of 'error', from opening the datapath: what helps
 * where that is known. */
const char *
dp_open_error_to_string(int error)
{
    switch (error) {
    case EBUSY:
        return "another ovn-xdpd uses this directory";
    case ENODEV:
        return "not on a BPF file system; try: mount -t bpf bpf /sys/fs/bpf";
    case EISDIR:
        return "others have their pins here; name a directory in it";
    case EROFS:
        return "mounted read-only; try: mount -o remount,rw /sys/fs/bpf, or "
               "ReadWritePaths= of the service";
    case EACCES:
        return "not permitted; needed is a directory that this user may "
               "write";
    case EPERM:
        return "not permitted; needed are CAP_BPF, CAP_NET_ADMIN and "
               "CAP_PERFMON, and a name without a dot";
    case ENOMEM:
        return "no memory for the maps; try: a higher MemoryMax= of the "
               "service, or a lower ovn-xdp-max-endpoints";
    case EMFILE:
        return "too many open files; try: a higher LimitNOFILE= of the "
               "service";
    default:
        return ovs_strerror(error);
    }
}

/* Returns true if 'a' and 'b' are the same. */
bool
dp_direct_equals(const struct dp_direct *a, const struct dp_direct *b)
{
    return (ipv6_addr_equals(&a->external, &b->external)
            && ipv6_addr_equals(&a->fixed, &b->fixed)
            && eth_addr_equals(a->mac, b->mac)
            && a->tap == b->tap && a->mtu == b->mtu
            && a->bridge == b->bridge && a->vlan == b->vlan);
}
