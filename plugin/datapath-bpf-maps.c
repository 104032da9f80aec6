/* SPDX-License-Identifier: Apache-2.0 */
/* Endpoints, targets, counters and the heartbeat: what is written to and read
 * from the maps of the generation in use.
 *
 * The endpoints are held in memory, too, so that nothing has to be read back:
 * this daemon is the only one that writes them, as it has the lock. */
#include <config.h>

#include "plugin/datapath-bpf.h"

#include <bpf/bpf.h>
#include <errno.h>

#include "openvswitch/vlog.h"
#include "packets.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(datapath_maps);

/* Counters beyond those that can be in use: how many other endpoints come and
 * go before one of a deleted endpoint is used again. */
#define SPARE_SLOTS 1024

/* A key of either map. */
union map_key {
    struct ox_key4 ip4;         /* Of 'endpoints4'. */
    struct ox_key6 ip6;         /* Of 'endpoints6'. */
};

/* Returns the number of counters for 'max_endpoints' endpoints. */
uint32_t
endpoints_slots(uint32_t max_endpoints)
{
    return max_endpoints + SPARE_SLOTS;
}

/* Converts 'key' to 'map_key' and returns the map that has such keys. */
static enum gen_map
encode_key(const struct dp_key *key, union map_key *map_key)
{
    memset(map_key, 0, sizeof *map_key);
    if (IN6_IS_ADDR_V4MAPPED(&key->addr)) {
        map_key->ip4.addr = in6_addr_get_mapped_ipv4(&key->addr);
        map_key->ip4.vlan = key->vlan;
        return GEN_ENDPOINTS4;
    }
    memcpy(map_key->ip6.addr, &key->addr, sizeof map_key->ip6.addr);
    map_key->ip6.vlan = key->vlan;
    return GEN_ENDPOINTS6;
}

/* Converts 'map_key' of map 'map' to a key as callers know it. */
static struct dp_key
decode_key(enum gen_map map, const union map_key *map_key)
{
    struct dp_key key;

    if (map == GEN_ENDPOINTS4) {
        key.addr = in6_addr_mapped_ipv4(map_key->ip4.addr);
        key.vlan = map_key->ip4.vlan;
    } else {
        memcpy(&key.addr, map_key->ip6.addr, sizeof key.addr);
        key.vlan = map_key->ip6.vlan;
    }
    return key;
}

/* Converts 'endpoint' with counter 'slot' to the value of its element. */
static struct ox_endpoint
encode_value(const struct dp *dp, const struct dp_endpoint *endpoint,
             uint32_t slot)
{
    const struct dp_action *action = &endpoint->action;
    struct ox_endpoint value = {
        .vlan = action->vlan,
        .flags = ((action->target_sg ? OX_EP_TARGET_SG : 0)
                  | (acl_sets_are_stateful(&dp->acls, action->acl)
                     ? OX_EP_ACL_STATEFUL : 0)),
        .ifindex = action->ifindex,
        .slot = slot,
        .mtu = action->mtu,
        .acl = action->acl,
        .bridge = action->bridge,
    };

    if (IN6_IS_ADDR_V4MAPPED(&endpoint->key.addr)) {
        memcpy(value.addr, &endpoint->key.addr.s6_addr[12], 4);
    } else {
        memcpy(value.addr, &endpoint->key.addr, sizeof value.addr);
    }
    memcpy(value.dmac, &action->dmac, sizeof value.dmac);
    memcpy(value.smac, &action->smac, sizeof value.smac);
    return value;
}

/* Converts the 'value' of an element to an action. */
static struct dp_action
decode_value(const struct ox_endpoint *value)
{
    struct dp_action action = {
        .vlan = value->vlan,
        .target_sg = (value->flags & OX_EP_TARGET_SG) != 0,
        .ifindex = value->ifindex,
        .mtu = value->mtu,
        .acl = value->acl,
        .bridge = value->bridge,
    };

    memcpy(&action.dmac, value->dmac, sizeof action.dmac);
    memcpy(&action.smac, value->smac, sizeof action.smac);
    return action;
}

/* Returns the endpoint of 'key', or NULL. */
static struct bpf_endpoint *
find(const struct dp *dp, const struct dp_key *key)
{
    struct bpf_endpoint *e;

    HMAP_FOR_EACH_WITH_HASH (e, node, dp_key_hash(key), &dp->endpoints) {
        if (dp_key_equals(&e->endpoint.key, key)) {
            return e;
        }
    }
    return NULL;
}

/* Remembers that 'endpoint' is in its map with counter 'slot'. */
static void
remember(struct dp *dp, const struct dp_endpoint *endpoint, uint32_t slot)
{
    struct bpf_endpoint *e = xmalloc(sizeof *e);

    e->endpoint = *endpoint;
    e->slot = slot;
    hmap_insert(&dp->endpoints, &e->node, dp_key_hash(&endpoint->key));
}

/* Remembers the element of 'map' with 'key' and 'value'.  A counter that
 * another one has, which no daemon writes, is not believed. */
static void
adopt_element(struct dp *dp, enum gen_map map, const union map_key *key,
              const struct ox_endpoint *value)
{
    struct dp_endpoint endpoint = {
        .key = decode_key(map, key),
        .action = decode_value(value),
    };
    uint32_t slot = value->slot;

    if (!slots_reserve(&dp->slots, slot)) {
        slot = SLOT_NONE;
    }
    remember(dp, &endpoint, slot);
}

/* Reads all of 'map', with one system call per element for its key and one
 * for its value. */
static int
adopt_map(struct dp *dp, enum gen_map map)
{
    int fd = dp->gen.fds[map];
    union map_key key, *last = NULL;
    struct ox_endpoint value;
    int error;

    memset(&key, 0, sizeof key);
    for (;;) {
        error = -bpf_map_get_next_key(fd, last, &key);
        if (error) {
            return error == ENOENT ? 0 : error;
        }
        error = -bpf_map_lookup_elem(fd, &key, &value);
        if (error) {
            return error;
        }
        adopt_element(dp, map, &key, &value);
        last = &key;
    }
}

/* Reads the endpoints that an earlier daemon has left in the maps. */
int
endpoints_adopt(struct dp *dp)
{
    int error;

    slots_init(&dp->slots, endpoints_slots(dp->max_endpoints));
    error = adopt_map(dp, GEN_ENDPOINTS4);
    if (!error) {
        error = adopt_map(dp, GEN_ENDPOINTS6);
    }
    slots_seal(&dp->slots);
    return error;
}

/* Forgets the endpoints, which stay in their maps. */
void
endpoints_destroy(struct dp *dp)
{
    struct bpf_endpoint *e;

    HMAP_FOR_EACH_POP (e, node, &dp->endpoints) {
        free(e);
    }
    hmap_destroy(&dp->endpoints);
    slots_destroy(&dp->slots);
}

/* Calls 'cb' for each endpoint. */
void
endpoints_dump(const struct dp *dp, dp_endpoint_cb *cb, void *aux)
{
    const struct bpf_endpoint *e;

    HMAP_FOR_EACH (e, node, &dp->endpoints) {
        cb(&e->endpoint, aux);
    }
}

/* Stores what the map has for 'key' in '*action'. */
int
endpoints_find(const struct dp *dp, const struct dp_key *key,
               struct dp_action *action)
{
    struct ox_endpoint value;
    union map_key map_key;
    enum gen_map map;
    int error;

    map = encode_key(key, &map_key);
    error = -bpf_map_lookup_elem(dp->gen.fds[map], &map_key, &value);
    if (!error) {
        *action = decode_value(&value);
    }
    return error;
}

/* Takes a counter for a new endpoint and sets it to zero.  Stores it in
 * '*slotp'. */
static int
new_slot(struct dp *dp, uint32_t *slotp)
{
    uint32_t slot = slots_get(&dp->slots);
    int error;

    if (slot == SLOT_NONE) {
        return ENOSPC;
    }
    error = counter_clear(dp, dp->gen.fds[GEN_ENDPOINT_STATS], slot);
    if (!error) {
        error = counter_clear(dp, dp->gen.fds[GEN_ENDPOINT_DROPS], slot);
    }
    if (error) {
        slots_put(&dp->slots, slot);
        return error;
    }
    *slotp = slot;
    return 0;
}

/* Writes the element of 'endpoint', with counter 'slot', in one piece. */
static int
write_element(const struct dp *dp, const struct dp_endpoint *endpoint,
              uint32_t slot)
{
    struct ox_endpoint value = encode_value(dp, endpoint, slot);
    union map_key key;
    enum gen_map map;
    int error;

    map = encode_key(&endpoint->key, &key);
    error = -bpf_map_update_elem(dp->gen.fds[map], &key, &value, BPF_ANY);
    return error == E2BIG ? ENOSPC : error;
}

/* Adds 'endpoint', or replaces it without touching its counter. */
int
endpoints_put(struct dp *dp, const struct dp_endpoint *endpoint)
{
    struct bpf_endpoint *e = find(dp, &endpoint->key);
    uint32_t slot = e ? e->slot : SLOT_NONE;
    int error;

    if (!e && hmap_count(&dp->endpoints) >= dp->max_endpoints) {
        return ENOSPC;
    }
    if (slot == SLOT_NONE) {
        error = new_slot(dp, &slot);
        if (error) {
            return error;
        }
    }
    error = write_element(dp, endpoint, slot);
    if (!e) {
        if (error) {
            slots_put(&dp->slots, slot);
            return error;
        }
        remember(dp, endpoint, slot);
    } else {
        e->slot = slot;
        if (!error) {
            e->endpoint = *endpoint;
        }
    }
    l3_ports_set_slot(dp, &endpoint->key, slot);
    return error;
}

/* Deletes the endpoint of 'key'. */
int
endpoints_del(struct dp *dp, const struct dp_key *key)
{
    struct bpf_endpoint *e = find(dp, key);
    union map_key map_key;
    enum gen_map map;
    int error;

    if (!e) {
        return ENOENT;
    }
    map = encode_key(key, &map_key);
    error = -bpf_map_delete_elem(dp->gen.fds[map], &map_key);
    if (error && error != ENOENT) {
        return error;
    }
    l3_ports_set_slot(dp, key, SLOT_NONE);
    slots_put(&dp->slots, e->slot);
    hmap_remove(&dp->endpoints, &e->node);
    free(e);
    return 0;
}

/* Returns the counter of the endpoint with 'key', or SLOT_NONE. */
uint32_t
endpoints_slot(const struct dp *dp, const struct dp_key *key)
{
    const struct bpf_endpoint *e = find(dp, key);

    return e ? e->slot : SLOT_NONE;
}

/* Stores what 'map' has counted for 'key' in 'counter'. */
static int
read_endpoint(const struct dp *dp, const struct dp_key *key, enum gen_map map,
              struct dp_counter *counter)
{
    const struct bpf_endpoint *e = find(dp, key);

    *counter = (struct dp_counter) { .packets = 0 };
    if (!e) {
        return ENOENT;
    }
    return e->slot == SLOT_NONE
           ? 0
           : counter_read(dp, dp->gen.fds[map], e->slot, counter);
}

/* Stores what was redirected for 'key' in 'counter'. */
int
endpoints_counter(const struct dp *dp, const struct dp_key *key,
                  struct dp_counter *counter)
{
    return read_endpoint(dp, key, GEN_ENDPOINT_STATS, counter);
}

/* Stores what was dropped for 'key' in 'counter'. */
int
endpoints_drops(const struct dp *dp, const struct dp_key *key,
                struct dp_counter *counter)
{
    return read_endpoint(dp, key, GEN_ENDPOINT_DROPS, counter);
}

/* Makes device 'ifindex' a target.  ENODEV if there is no such device. */
int
targets_put(struct dp *dp, int ifindex)
{
    uint32_t key = ifindex;
    char name[IFNAMSIZ];
    int error;

    error = -bpf_map_update_elem(dp->gen.fds[GEN_TARGETS], &key, &key,
                                 BPF_ANY);
    if (error == EINVAL && !if_indextoname(ifindex, name)) {
        return ENODEV;
    }
    return error == E2BIG ? ENOSPC : error;
}

/* Makes device 'ifindex' no target. */
int
targets_del(struct dp *dp, int ifindex)
{
    uint32_t key = ifindex;

    return -bpf_map_delete_elem(dp->gen.fds[GEN_TARGETS], &key);
}

/* Returns true if device 'ifindex' is a target.  The kernel removes devices
 * that go, so it is asked. */
bool
targets_has(const struct dp *dp, int ifindex)
{
    uint32_t key = ifindex;
    uint32_t value = 0;

    return (!bpf_map_lookup_elem(dp->gen.fds[GEN_TARGETS], &key, &value)
            && value == key);
}

/* Adds up element 'index' of the per-CPU map 'fd' in 'counter'. */
int
counter_read(const struct dp *dp, int fd, uint32_t index,
             struct dp_counter *counter)
{
    const struct ox_counter *values = dp->scratch;
    int error;

    *counter = (struct dp_counter) { .packets = 0 };
    error = -bpf_map_lookup_elem(fd, &index, dp->scratch);
    if (error) {
        return error;
    }
    for (int i = 0; i < dp->n_cpus; i++) {
        counter->packets += values[i].packets;
        counter->bytes += values[i].bytes;
    }
    return 0;
}

/* Sets element 'index' of the per-CPU map 'fd' to zero. */
int
counter_clear(const struct dp *dp, int fd, uint32_t index)
{
    memset(dp->scratch, 0, dp->n_cpus * sizeof(struct ox_counter));
    return -bpf_map_update_elem(fd, &index, dp->scratch, BPF_ANY);
}

/* Writes that the daemon is alive at 'now', time_msec(). */
void
heartbeat_write(struct dp *dp, long long int now)
{
    static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 5);
    struct ox_heartbeat heartbeat = { .alive_ns = now * 1000000ULL };
    uint32_t zero = 0;
    int error;

    error = -bpf_map_update_elem(dp->gen.fds[GEN_HEARTBEAT], &zero, &heartbeat,
                                 BPF_ANY);
    if (error) {
        VLOG_ERR_RL(&rl, "cannot write the heartbeat (%s)",
                    ovs_strerror(error));
    }
}

/* Returns when a daemon was last alive, by time_msec(), or 0. */
long long int
heartbeat_read(const struct dp *dp)
{
    struct ox_heartbeat heartbeat = { .alive_ns = 0 };
    uint32_t zero = 0;

    bpf_map_lookup_elem(dp->gen.fds[GEN_HEARTBEAT], &zero, &heartbeat);
    return heartbeat.alive_ns / 1000000;
}
