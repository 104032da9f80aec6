/* SPDX-License-Identifier: Apache-2.0 */
/* The flows of layer L3, which programs write: reading and deleting. */
#include <config.h>

#include "plugin/datapath-bpf.h"

#include <bpf/bpf.h>
#include <errno.h>

#include "openvswitch/vlog.h"
#include "packets.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(datapath_direct_flows);

/* Flows that are read at once. */
#define DUMP_BATCH 4096

/* A key of either map. */
union flow_key {
    struct ox_flow4_key ip4;    /* Of 'flows4'. */
    struct ox_flow6_key ip6;    /* Of 'flows6'. */
};

/* Returns true if 'key' is one of IPv4. */
bool
l3_is_ip4(const struct dp_flow_key *key)
{
    return IN6_IS_ADDR_V4MAPPED(&key->src);
}

/* Converts 'key' to 'flow_key' and returns the map that has such keys. */
static enum l3_map
encode_key(const struct dp_flow_key *key, union flow_key *flow_key)
{
    memset(flow_key, 0, sizeof *flow_key);
    if (l3_is_ip4(key)) {
        flow_key->ip4 = (struct ox_flow4_key) {
            .saddr = in6_addr_get_mapped_ipv4(&key->src),
            .daddr = in6_addr_get_mapped_ipv4(&key->dst),
            .sport = htons(key->sport), .dport = htons(key->dport),
            .proto = key->proto, .vlan = key->vlan, .scope = key->scope,
        };
        return L3_FLOWS4;
    }
    flow_key->ip6 = (struct ox_flow6_key) {
        .sport = htons(key->sport), .dport = htons(key->dport),
        .proto = key->proto, .vlan = key->vlan, .scope = key->scope,
    };
    memcpy(flow_key->ip6.saddr, &key->src, sizeof flow_key->ip6.saddr);
    memcpy(flow_key->ip6.daddr, &key->dst, sizeof flow_key->ip6.daddr);
    return L3_FLOWS6;
}

/* Converts 'key' of 'flows4' to a key as callers know it. */
static struct dp_flow_key
decode_key4(const struct ox_flow4_key *key)
{
    return (struct dp_flow_key) {
        .src = in6_addr_mapped_ipv4(key->saddr),
        .dst = in6_addr_mapped_ipv4(key->daddr),
        .sport = ntohs(key->sport), .dport = ntohs(key->dport),
        .proto = key->proto, .vlan = key->vlan, .scope = key->scope,
    };
}

/* The same for 'flows6'. */
static struct dp_flow_key
decode_key6(const struct ox_flow6_key *key)
{
    struct dp_flow_key decoded = {
        .sport = ntohs(key->sport), .dport = ntohs(key->dport),
        .proto = key->proto, .vlan = key->vlan, .scope = key->scope,
    };

    memcpy(&decoded.src, key->saddr, sizeof decoded.src);
    memcpy(&decoded.dst, key->daddr, sizeof decoded.dst);
    return decoded;
}

/* Returns how many ms 'then' was before 'now', both in ticks.  Programs may
 * have a clock that is a little ahead. */
static uint32_t
to_age(uint32_t now, uint32_t then)
{
    uint32_t ticks = now - then;

    return ((int32_t) ticks < 0 && ticks > UINT32_MAX - 1000
            ? 0
            : ((uint64_t) ticks << OX_TICK_SHIFT) / 1000000);
}

/* Returns the state of a flow with 'value'. */
static enum dp_flow_state
to_state(const struct l3 *l3, const struct ox_flow *value)
{
    if (value->port >= OX_MAX_DIRECT_PORTS
        || l3->entries[value->port].generation != value->generation
        || value->generation & 1) {
        return DP_FLOW_VOID;
    }
    switch (value->state) {
    case OX_FLOW_USED:
        return DP_FLOW_USED;
    case OX_FLOW_CLOSED:
        return DP_FLOW_CLOSED;
    default:
        return DP_FLOW_LEARNING;
    }
}

/* Converts 'value', the element with 'key', at 'now' in ticks. */
static struct dp_flow
decode_flow(const struct l3 *l3, const struct dp_flow_key *key,
            const struct ox_flow *value, uint32_t now)
{
    struct dp_flow flow = {
        .key = *key,
        .out = value->out == OX_FLOW_OUT,
        .state = to_state(l3, value),
        .near_ifindex = value->near_ifindex,
        .ifindex = value->ifindex,
        .push_vlan = value->vlan,
        .passed = value->passed,
        .age = to_age(now, value->created),
        .used = value->packets ? to_age(now, value->used) : UINT32_MAX,
        .seen = to_age(now, value->seen),
        .confirmed = to_age(now, value->confirmed),
        .counter = { value->packets, value->bytes },
    };

    if (l3_is_ip4(key)) {
        ovs_be32 nat;

        memcpy(&nat, value->nat, sizeof nat);
        flow.nat = in6_addr_mapped_ipv4(nat);
    } else {
        memcpy(&flow.nat, value->nat, sizeof flow.nat);
    }
    flow.external = flow.out ? flow.nat : key->dst;
    memcpy(&flow.near_dmac, value->near_mac, sizeof flow.near_dmac);
    memcpy(&flow.near_smac, value->near_source, sizeof flow.near_smac);
    memcpy(&flow.dmac, value->macs, sizeof flow.dmac);
    return flow;
}

/* Calls 'cb' for the element 'i' of 'keys', those of 'map', and 'values'. */
static void
dump_one(const struct l3 *l3, enum l3_map map, const void *keys,
         const struct ox_flow *values, size_t i, uint32_t now,
         dp_flow_cb *cb, void *aux)
{
    struct dp_flow_key key;
    struct dp_flow flow;

    if (map == L3_FLOWS4) {
        key = decode_key4((const struct ox_flow4_key *) keys + i);
    } else {
        key = decode_key6((const struct ox_flow6_key *) keys + i);
    }
    flow = decode_flow(l3, &key, &values[i], now);
    cb(&flow, aux);
}

/* Reads the next DUMP_BATCH elements of 'map' from where 'cursor' is, into
 * 'keys' and 'values', and calls 'cb' for them.  Returns false if these were
 * the last ones. */
static bool
dump_batch(const struct l3 *l3, enum l3_map map,
           struct dp_flow_cursor *cursor, void *keys, struct ox_flow *values,
           dp_flow_cb *cb, void *aux)
{
    uint32_t now, n = DUMP_BATCH;
    int error;

    error = -bpf_map_lookup_batch(l3->fds[map],
                                  cursor->begun ? &cursor->position : NULL,
                                  &cursor->position, keys, values, &n, NULL);
    if (error && error != ENOENT) {
        static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 5);

        VLOG_WARN_RL(&rl, "cannot read the flows (%s)", ovs_strerror(error));
        return false;
    }
    cursor->begun = true;
    now = l3_ticks();
    for (uint32_t i = 0; i < n; i++) {
        dump_one(l3, map, keys, values, i, now, cb, aux);
    }
    return !error;
}

/* See 'dump_some_flows' in plugin/datapath.h. */
bool
l3_flows_dump_some(const struct dp *dp, struct dp_flow_cursor *cursor,
                   dp_flow_cb *cb, void *aux)
{
    static const enum l3_map maps[] = { L3_FLOWS4, L3_FLOWS6 };
    struct ox_flow *values;
    union flow_key *keys;

    if (!dp->l3.open) {
        return false;
    }
    keys = xmalloc(DUMP_BATCH * sizeof *keys);
    values = xmalloc(DUMP_BATCH * sizeof *values);
    if (!dump_batch(&dp->l3, maps[cursor->map], cursor, keys, values, cb,
                    aux)) {
        *cursor = (struct dp_flow_cursor) { .map = cursor->map + 1 };
    }
    free(keys);
    free(values);
    return cursor->map < ARRAY_SIZE(maps);
}

/* See 'dump_flows' in plugin/datapath.h. */
void
l3_flows_dump(const struct dp *dp, dp_flow_cb *cb, void *aux)
{
    struct dp_flow_cursor cursor = { .map = 0 };

    while (l3_flows_dump_some(dp, &cursor, cb, aux)) {
        continue;
    }
}

/* See 'del_flow' in plugin/datapath.h. */
int
l3_flows_del(struct dp *dp, const struct dp_flow_key *key)
{
    union flow_key flow_key;
    enum l3_map map;

    if (!dp->l3.open) {
        return ENOENT;
    }
    map = encode_key(key, &flow_key);
    return -bpf_map_delete_elem(dp->l3.fds[map], &flow_key);
}

/* Returns the lower half of ox_flow.head of the flow with 'key'. */
uint32_t
l3_flow_check(const struct dp_flow_key *key)
{
    union flow_key flow_key;

    return (encode_key(key, &flow_key) == L3_FLOWS4
            ? ox_flow4_check(&flow_key.ip4)
            : ox_flow6_check(&flow_key.ip6));
}
