/* SPDX-License-Identifier: Apache-2.0 */
/* Layer L3 in memory; see plugin/datapath-fake-direct.h. */
#include <config.h>

#include "plugin/datapath-fake-direct.h"

#include <errno.h>
#include <string.h>

#include "hash.h"
#include "packets.h"
#include "timeval.h"
#include "util.h"

#include "bpf/abi.h"

#include "plugin/datapath-fake-private.h"

/* A port. */
struct fake_port {
    struct hmap_node node;      /* In struct fake_direct. */
    struct dp_direct direct;    /* As it was put. */
    unsigned int generation;    /* Of its flows. */
    bool half_checksum;         /* A test has said so. */
    bool settled;               /* settle_tracking() since the last change. */
    long long int since;        /* time_msec() of the last change; or when
                                 * tracking began. */
};

/* A device. */
struct fake_direct_device {
    struct hmap_node node;      /* In struct fake_direct. */
    struct dp_direct_device device; /* As it was put. */
    bool current;               /* By who has the datapath open. */
};

/* A flow. */
struct fake_flow {
    struct hmap_node node;      /* In struct fake_direct. */
    struct dp_flow flow;        /* As a test has added it. */
    unsigned int generation;    /* That of its port then. */
    size_t n_probes;            /* Probes so far. */
};

/* The last generation that a port has got. */
static unsigned int last_generation;

/* Makes 'fd' hold nothing. */
void
fake_direct_init(struct fake_direct *fd)
{
    memset(fd, 0, sizeof *fd);
    hmap_init(&fd->ports);
    hmap_init(&fd->devices);
    hmap_init(&fd->flows);
}

/* Removes the devices that only an earlier daemon wanted. */
static void
sweep(struct fake_direct *fd)
{
    struct fake_direct_device *d;

    HMAP_FOR_EACH_SAFE (d, node, &fd->devices) {
        if (!d->current) {
            hmap_remove(&fd->devices, &d->node);
            free(d);
        }
    }
}

/* Notes that nobody has the datapath open. */
void
fake_direct_close(struct fake_direct *fd)
{
    struct fake_direct_device *d;

    HMAP_FOR_EACH (d, node, &fd->devices) {
        d->current = false;
    }
}

/* Frees what is in 'fd'. */
void
fake_direct_destroy(struct fake_direct *fd)
{
    struct fake_port *p;
    struct fake_flow *f;

    fake_direct_close(fd);
    sweep(fd);
    HMAP_FOR_EACH_POP (p, node, &fd->ports) {
        free(p);
    }
    HMAP_FOR_EACH_POP (f, node, &fd->flows) {
        free(f);
    }
    hmap_destroy(&fd->ports);
    hmap_destroy(&fd->devices);
    hmap_destroy(&fd->flows);
}

/* Returns the device 'ifindex', or NULL. */
static struct fake_direct_device *
find_device(const struct fake_direct *fd, int ifindex)
{
    struct fake_direct_device *d;

    HMAP_FOR_EACH_WITH_HASH (d, node, ifindex, &fd->devices) {
        if (d->device.ifindex == ifindex) {
            return d;
        }
    }
    return NULL;
}

/* Adds or changes a device. */
int
fake_put_direct_device(struct dp *dp, const struct dp_direct_device *device)
{
    struct fake_direct *fd = &dp->direct;
    int error = fake_begin(dp);
    struct fake_direct_device *d;

    if (error) {
        return error;
    } else if (device->ifindex <= 0) {
        return ENODEV;
    } else if (!device->is_nic && device->near == DP_HOOK_XDP
               && index_set_contains(&dp->foreign, device->ifindex)) {
        return EBUSY;
    } else if (device->is_nic && device->near == DP_HOOK_TC
               && !fake_find_nic(dp, device->ifindex)) {
        return ENOENT;
    }
    d = find_device(fd, device->ifindex);
    if (!d) {
        d = xzalloc(sizeof *d);
        hmap_insert(&fd->devices, &d->node, device->ifindex);
    }
    d->device = *device;
    d->current = true;
    return 0;
}

/* Removes the device 'ifindex', if it is there, as the kernel does. */
void
fake_direct_remove_device(struct fake_direct *fd, int ifindex)
{
    struct fake_direct_device *d = find_device(fd, ifindex);

    if (d) {
        hmap_remove(&fd->devices, &d->node);
        free(d);
    }
}

/* Removes a device, unless it is only an earlier daemon's. */
int
fake_del_direct_device(struct dp *dp, int ifindex)
{
    const struct fake_direct_device *d = find_device(&dp->direct, ifindex);
    int error = fake_begin(dp);

    if (error || !d || !d->current) {
        return error ? error : ENOENT;
    }
    fake_direct_remove_device(&dp->direct, ifindex);
    return 0;
}

/* Removes those of an earlier daemon. */
void
fake_sweep_direct_devices(struct dp *dp)
{
    sweep(&dp->direct);
}

/* Nothing is left of what was deleted. */
long long int
fake_reap_direct(struct dp *dp OVS_UNUSED, long long int now OVS_UNUSED)
{
    return LLONG_MAX;
}

/* Returns a hash of 'external'. */
static uint32_t
hash_external(const struct in6_addr *external)
{
    return hash_bytes(external, sizeof *external, 0);
}

/* Returns the port with the address 'external', or NULL. */
static struct fake_port *
find_port(const struct fake_direct *fd, const struct in6_addr *external)
{
    struct fake_port *p;

    HMAP_FOR_EACH_WITH_HASH (p, node, hash_external(external), &fd->ports) {
        if (ipv6_addr_equals(&p->direct.external, external)) {
            return p;
        }
    }
    return NULL;
}

/* Returns true if another port than that of 'direct' has its tap and fixed
 * address. */
static bool
is_claimed(const struct fake_direct *fd, const struct dp_direct *direct)
{
    const struct fake_port *p;

    HMAP_FOR_EACH (p, node, &fd->ports) {
        if (p->direct.tap == direct->tap
            && ipv6_addr_equals(&p->direct.fixed, &direct->fixed)
            && !ipv6_addr_equals(&p->direct.external, &direct->external)) {
            return true;
        }
    }
    return false;
}

/* Returns true if 'a' and 'b', of one external address, are the same. */
static bool
is_same(const struct dp_direct *a, const struct dp_direct *b)
{
    return (ipv6_addr_equals(&a->fixed, &b->fixed)
            && eth_addr_equals(a->mac, b->mac)
            && a->tap == b->tap && a->mtu == b->mtu
            && a->bridge == b->bridge && a->vlan == b->vlan);
}

/* Has 'p' be tracked or not, as 'direct' says, from now on. */
static void
begin_tracking(struct fake_port *p, const struct dp_direct *direct)
{
    p->direct.track = direct->track;
    p->since = time_msec();
    p->settled = false;
}

/* Adds or changes a port. */
int
fake_put_direct(struct dp *dp, const struct dp_direct *direct)
{
    struct fake_direct *fd = &dp->direct;
    struct fake_port *p = find_port(fd, &direct->external);
    int error = fake_begin(dp);

    if (error) {
        return error;
    } else if (is_claimed(fd, direct)) {
        return EEXIST;
    } else if (p && is_same(&p->direct, direct)) {
        if (p->direct.track != direct->track) {
            begin_tracking(p, direct);
        }
        return 0;
    }
    if (!p) {
        p = xzalloc(sizeof *p);
        hmap_insert(&fd->ports, &p->node, hash_external(&direct->external));
    }
    p->direct = *direct;
    p->half_checksum = false;
    p->generation = ++last_generation;
    begin_tracking(p, direct);
    return 0;
}

/* Deletes a port. */
int
fake_del_direct(struct dp *dp, const struct in6_addr *external)
{
    struct fake_port *p = find_port(&dp->direct, external);
    int error = fake_begin(dp);

    if (error || !p) {
        return error ? error : ENOENT;
    }
    hmap_remove(&dp->direct.ports, &p->node);
    free(p);
    return 0;
}

/* Returns whether a port, and its device, are tracked. */
bool
fake_tracking(const struct dp *dp, const struct in6_addr *external,
              long long int from[DP_N_TRACKED])
{
    static const long long int lives[DP_N_TRACKED] = {
        [DP_TRACKED_TCP] = OX_SENT_TCP_S * 1000LL,
        [DP_TRACKED_UDP] = OX_SENT_UDP_S * 1000LL,
        [DP_TRACKED_ECHO] = OX_SENT_ECHO_S * 1000LL,
    };
    const struct fake_port *p = find_port(&dp->direct, external);
    const struct fake_direct_device *d
        = p ? find_device(&dp->direct, p->direct.tap) : NULL;

    if (!d || !p->direct.track || !d->device.track) {
        return false;
    }
    for (int i = 0; i < DP_N_TRACKED; i++) {
        from[i] = p->settled ? 0 : p->since + lives[i];
    }
    return true;
}

/* Takes all that is tracked for tracked long enough. */
void
fake_settle_tracking(struct dp *dp)
{
    struct fake_port *p;

    HMAP_FOR_EACH (p, node, &dp->direct.ports) {
        p->settled = true;
    }
}

/* Makes the flows of a port void. */
int
fake_void_direct(struct dp *dp, const struct in6_addr *external)
{
    struct fake_port *p = find_port(&dp->direct, external);
    int error = fake_begin(dp);

    if (error || !p) {
        return error ? error : ENOENT;
    }
    dp->direct.n_voids++;
    p->generation = ++last_generation;
    return 0;
}

/* Calls 'cb' for each port. */
void
fake_dump_direct(const struct dp *dp,
                 void (*cb)(const struct dp_direct *, void *aux), void *aux)
{
    const struct fake_port *p;

    HMAP_FOR_EACH (p, node, &dp->direct.ports) {
        cb(&p->direct, aux);
    }
}

/* Returns what a test has said of a port, and forgets it. */
bool
fake_direct_half_checksum(struct dp *dp, const struct in6_addr *external)
{
    struct fake_port *p = find_port(&dp->direct, external);
    bool half = p && p->half_checksum;

    if (half) {
        p->half_checksum = false;
    }
    return half;
}

/* Notes 'times'. */
void
fake_set_direct_times(struct dp *dp, const struct dp_direct_times *times)
{
    dp->direct.times = *times;
}

/* See plugin/datapath-fake-direct.h. */
void
fake_direct_set_half_checksum(struct fake_direct *fd,
                              const struct in6_addr *external)
{
    find_port(fd, external)->half_checksum = true;
}

/* See plugin/datapath-fake-direct.h. */
unsigned int
fake_direct_generation(const struct fake_direct *fd,
                       const struct in6_addr *external)
{
    const struct fake_port *p = find_port(fd, external);

    return p ? p->generation : 0;
}

/* See plugin/datapath-fake-direct.h. */
const struct dp_direct_device *
fake_direct_device(const struct fake_direct *fd, int ifindex)
{
    const struct fake_direct_device *d = find_device(fd, ifindex);

    return d ? &d->device : NULL;
}

/* Returns a hash of 'key'. */
static uint32_t
hash_key(const struct dp_flow_key *key)
{
    uint32_t hash = hash_bytes(&key->src, sizeof key->src, key->scope);

    hash = hash_bytes(&key->dst, sizeof key->dst, hash);
    hash = hash_2words(hash, key->sport << 16 | key->dport);
    return hash_2words(hash, key->proto << 16 | key->vlan);
}

/* Returns true if 'a' and 'b' are the same. */
static bool
keys_equal(const struct dp_flow_key *a, const struct dp_flow_key *b)
{
    return (ipv6_addr_equals(&a->src, &b->src)
            && ipv6_addr_equals(&a->dst, &b->dst)
            && a->sport == b->sport && a->dport == b->dport
            && a->proto == b->proto && a->vlan == b->vlan
            && a->scope == b->scope);
}

/* Returns the flow with 'key', or NULL. */
static struct fake_flow *
find_flow(const struct fake_direct *fd, const struct dp_flow_key *key)
{
    struct fake_flow *f;

    HMAP_FOR_EACH_WITH_HASH (f, node, hash_key(key), &fd->flows) {
        if (keys_equal(&f->flow.key, key)) {
            return f;
        }
    }
    return NULL;
}

/* See plugin/datapath-fake-direct.h. */
void
fake_direct_add_flow(struct fake_direct *fd, const struct dp_flow *flow)
{
    struct fake_flow *f = find_flow(fd, &flow->key);

    if (!f) {
        f = xzalloc(sizeof *f);
        hmap_insert(&fd->flows, &f->node, hash_key(&flow->key));
    }
    f->flow = *flow;
    f->generation = fake_direct_generation(fd, &flow->external);
}

/* See plugin/datapath-fake-direct.h. */
struct dp_flow *
fake_direct_flow(struct fake_direct *fd, const struct dp_flow_key *key)
{
    struct fake_flow *f = find_flow(fd, key);

    return f ? &f->flow : NULL;
}

/* See plugin/datapath-fake-direct.h. */
size_t
fake_direct_n_probes(struct fake_direct *fd, const struct dp_flow_key *key)
{
    struct fake_flow *f = find_flow(fd, key);

    return f ? f->n_probes : 0;
}

/* See plugin/datapath-fake-direct.h. */
void
fake_direct_pass_time(struct fake_direct *fd, uint32_t ms)
{
    struct fake_flow *f;

    HMAP_FOR_EACH (f, node, &fd->flows) {
        f->flow.age += ms;
        f->flow.seen += ms;
        f->flow.confirmed += ms;
        if (f->flow.used != UINT32_MAX) {
            f->flow.used += ms;
        }
    }
}

/* Calls 'cb' for each flow. */
void
fake_dump_flows(const struct dp *dp, dp_flow_cb *cb, void *aux)
{
    const struct fake_direct *fd = &dp->direct;
    const struct fake_flow *f;

    HMAP_FOR_EACH (f, node, &fd->flows) {
        struct dp_flow flow = f->flow;

        if (f->generation != fake_direct_generation(fd, &flow.external)) {
            flow.state = DP_FLOW_VOID;
        }
        cb(&flow, aux);
    }
}

/* See 'dump_some_flows' in plugin/datapath.h: all are one part. */
bool
fake_dump_some_flows(const struct dp *dp,
                     struct dp_flow_cursor *cursor OVS_UNUSED,
                     dp_flow_cb *cb, void *aux)
{
    fake_dump_flows(dp, cb, aux);
    return false;
}

/* Deletes the flow with 'key'. */
int
fake_del_flow(struct dp *dp, const struct dp_flow_key *key)
{
    struct fake_flow *f = find_flow(&dp->direct, key);
    int error = fake_begin(dp);

    if (error || !f) {
        return error ? error : ENOENT;
    }
    hmap_remove(&dp->direct.flows, &f->node);
    free(f);
    return 0;
}

/* Stores what a test has counted at one side. */
void
fake_direct_counters(const struct dp *dp, enum dp_direct_row row,
                     struct dp_counter *counters)
{
    memcpy(counters, dp->direct.counters[row],
           sizeof dp->direct.counters[row]);
}

/* Notes that 'n' flows are probed. */
int
fake_probe_flows(struct dp *dp, const struct dp_flow *flows, size_t n,
                 size_t *n_sent)
{
    struct fake_direct *fd = &dp->direct;

    *n_sent = 0;
    for (size_t i = 0; i < n && !fd->probe_error; i++) {
        struct fake_flow *f = find_flow(fd, &flows[i].key);

        if (f) {
            f->n_probes++;
            if (fd->confirms) {
                f->flow.confirmed = 0;
            }
        }
        fd->n_probes++;
        ++*n_sent;
    }
    return fd->probe_error;
}
