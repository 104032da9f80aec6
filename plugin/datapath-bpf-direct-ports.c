/* SPDX-License-Identifier: Apache-2.0 */
/* The ports of layer L3: which address of a VM is translated to which, what
 * makes flows of it void, and since when all is known that it sends
 * (plugin/datapath-bpf-tracked.c).
 *
 * A port has a number, the index of its element in 'direct_ports'.  Whatever
 * changes of it, it gets another one: a program that has just read what it was
 * finds the old number, whose generation is odd then, and numbers are reused
 * as late as possible.  So what it writes is void however late it does.  A
 * port that is gone keeps its number and its elements of 'direct_addrs' for a
 * second, so that probes that are on their way end at the far side.
 *
 * The generation is made odd first and even last.  A daemon that is killed in
 * between leaves an odd one, or elements of 'direct_addrs' that do not belong
 * together, and the next one deletes them. */
#include <config.h>

#include "plugin/datapath-bpf.h"

#include <bpf/bpf.h>
#include <errno.h>

#include "bitmap.h"
#include "entropy.h"
#include "hash.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "plugin/limits.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(datapath_direct_ports);

/* Nanoseconds of a tick. */
#define TICK_NS (UINT64_C(1) << OX_TICK_SHIFT)

/* A port. */
struct bpf_port {
    struct hmap_node by_external; /* In struct l3. */
    struct hmap_node by_fixed;  /* Likewise. */
    struct dp_direct direct;    /* As the caller knows it. */
    uint32_t number;            /* Index in 'direct_ports'. */
    bool adopted;               /* As an earlier daemon has left it, and this
                                 * one has not put it. */
    long long int since;        /* time_msec() since when it is as it is, and
                                 * is to be tracked. */
    long long int noted;        /* As tracks_since() was when that was noted;
                                 * -1: it was not, as nothing is tracked. */
    struct ovs_list grave;      /* In struct l3, once it is gone. */
    long long int reap_at;      /* Then, when it is to be forgotten. */
};

/* Returns a hash of 'addr' on device 'ifindex', or outside if that is 0. */
static uint32_t
hash_addr(const struct in6_addr *addr, int ifindex)
{
    return hash_bytes(addr, sizeof *addr, ifindex);
}

/* Returns the port with the address 'external', or NULL. */
static struct bpf_port *
find_external(const struct l3 *l3, const struct in6_addr *external)
{
    struct bpf_port *p;

    HMAP_FOR_EACH_WITH_HASH (p, by_external, hash_addr(external, 0),
                             &l3->by_external) {
        if (ipv6_addr_equals(&p->direct.external, external)) {
            return p;
        }
    }
    return NULL;
}

/* Returns the port with the address 'fixed' on 'tap', or NULL. */
static struct bpf_port *
find_fixed(const struct l3 *l3, const struct in6_addr *fixed, int tap)
{
    struct bpf_port *p;

    HMAP_FOR_EACH_WITH_HASH (p, by_fixed, hash_addr(fixed, tap),
                             &l3->by_fixed) {
        if (p->direct.tap == tap && ipv6_addr_equals(&p->direct.fixed,
                                                     fixed)) {
            return p;
        }
    }
    return NULL;
}

/* Returns the key of 'addr' on device 'ifindex', or outside if that is 0. */
static struct ox_direct_key
make_key(const struct in6_addr *addr, int ifindex)
{
    struct ox_direct_key key = { .ifindex = ifindex };

    memcpy(key.addr, addr, sizeof key.addr);
    return key;
}

/* Writes the element of 'addr' on device 'ifindex', or outside if that is 0,
 * of the port with 'number'. */
static int
write_addr(const struct l3 *l3, const struct dp_direct *direct,
           const struct in6_addr *addr, const struct in6_addr *other,
           int ifindex, uint32_t number)
{
    struct ox_direct_key key = make_key(addr, ifindex);
    struct ox_direct_addr value = {
        .port = number,
        .ifindex = direct->tap,
        .bridge = direct->bridge,
        .vlan = direct->vlan,
    };
    int error;

    memcpy(value.addr, addr, sizeof value.addr);
    memcpy(value.other, other, sizeof value.other);
    error = -bpf_map_update_elem(l3->fds[L3_ADDRS], &key, &value, BPF_ANY);
    return error == E2BIG ? ENOSPC : error;
}

/* Deletes the element of 'addr' on device 'ifindex', or outside if that is
 * 0. */
static void
delete_addr(const struct l3 *l3, const struct in6_addr *addr, int ifindex)
{
    struct ox_direct_key key = make_key(addr, ifindex);

    bpf_map_delete_elem(l3->fds[L3_ADDRS], &key);
}

/* Adds 'delta' to the generation of 'entry'. */
static void
turn(struct ox_direct_port *entry, uint32_t delta)
{
    __atomic_add_fetch(&entry->generation, delta, __ATOMIC_SEQ_CST);
}

/* Makes 'entry' that of no port. */
static void
make_none(struct ox_direct_port *entry)
{
    if (!(entry->generation & 1)) {
        turn(entry, 1);
    }
}

/* Gives all 'entries', OX_MAX_DIRECT_PORTS of them, a generation to begin
 * with, under which they are those of no port.  It is another one for each, so
 * that a flow that was learned under another number hardly has the same. */
int
l3_ports_begin(struct ox_direct_port *entries)
{
    size_t size = OX_MAX_DIRECT_PORTS * sizeof(uint32_t);
    uint32_t *numbers = xmalloc(size);
    int error = get_entropy(numbers, size);

    for (uint32_t i = 0; i < OX_MAX_DIRECT_PORTS && !error; i++) {
        entries[i].generation = numbers[i] | 1;
    }
    free(numbers);
    return error;
}

/* Makes all 'entries' those of no port, OX_MAX_DIRECT_PORTS of them. */
void
l3_ports_void_all(struct ox_direct_port *entries)
{
    for (uint32_t i = 0; i < OX_MAX_DIRECT_PORTS; i++) {
        make_none(&entries[i]);
    }
}

/* Stores the times of 'l3' in 'entry'. */
static void
write_times(const struct l3 *l3, struct ox_direct_port *entry)
{
    __atomic_store_n(&entry->soft, l3->soft, __ATOMIC_RELAXED);
    __atomic_store_n(&entry->step, l3->step, __ATOMIC_RELAXED);
    __atomic_store_n(&entry->hard, l3->hard, __ATOMIC_RELAXED);
}

/* Returns the counter of 'direct', which is that of its endpoint.  Frames to
 * an endpoint have no tag when layer L1 looks it up. */
static uint32_t
find_slot(const struct dp *dp, const struct dp_direct *direct)
{
    struct dp_key key = { .addr = direct->external };

    return endpoints_slot(dp, &key);
}

/* Fills the element of 'direct' with 'number', but for its generation. */
static void
write_entry(const struct dp *dp, const struct dp_direct *direct,
            uint32_t number)
{
    struct ox_direct_port *entry = &dp->l3.entries[number];

    entry->slot = find_slot(dp, direct);
    entry->ifindex = direct->tap;
    entry->mtu = direct->mtu;
    entry->flags = 0;
    entry->seen = 0;
    memcpy(entry->mac, &direct->mac, sizeof entry->mac);
    write_times(&dp->l3, entry);
}

/* Returns since when all is known that the VM of 'p' sends, time_msec(), 0 if
 * that cannot be said, -1 if it is not asked for. */
static long long int
tracks_since(const struct dp *dp, const struct bpf_port *p)
{
    long long int hooks = l3_devices_tracks_since(dp, p->direct.tap);

    return (!p->direct.track ? -1 : !hooks ? 0
            : MAX(MAX(p->since, hooks), dp->opened.watched_since));
}

/* Has layer L2 know since when all is known that the VM of 'p' sends. */
static void
note_tracks(struct dp *dp, struct bpf_port *p)
{
    p->noted = tracks_since(dp, p);
    if (p->noted < 0) {
        tracked_forget(dp, &p->direct.external);
    } else {
        tracked_write(dp, &p->direct.external, p->noted);
    }
}

/* Does that for the ports at device 'tap', for which it may have changed. */
void
l3_ports_follow_tap(struct dp *dp, int tap)
{
    struct bpf_port *p;

    HMAP_FOR_EACH (p, by_external, &dp->l3.by_external) {
        if (p->direct.tap == tap && p->noted != tracks_since(dp, p)) {
            note_tracks(dp, p);
        }
    }
}

/* Does that for all ports for which it has changed, or 'all'. */
void
l3_ports_follow(struct dp *dp, bool all)
{
    struct bpf_port *p;

    HMAP_FOR_EACH (p, by_external, &dp->l3.by_external) {
        if (all || p->noted != tracks_since(dp, p)) {
            note_tracks(dp, p);
        }
    }
}

/* Has it be known from now on what the VM of 'p' sends, if 'track', or no
 * more.  What an earlier daemon has known is known still, unless a device
 * knows better. */
static void
set_track(struct dp *dp, struct bpf_port *p, bool track)
{
    if (track && !p->direct.track) {
        bool adopted = p->adopted && !opened_open(dp);
        long long int earlier
            = adopted ? tracked_earlier(&dp->opened, &p->direct.external) : 0;

        p->since = earlier ? earlier : time_msec();
    }
    p->adopted = false;
    p->direct.track = track;
    note_tracks(dp, p);
}

/* Remembers 'direct' with 'number'.  It is not tracked yet. */
static struct bpf_port *
remember(struct l3 *l3, const struct dp_direct *direct, uint32_t number)
{
    struct bpf_port *p = xzalloc(sizeof *p);

    p->direct = *direct;
    p->direct.track = false;
    p->noted = -1;
    p->number = number;
    hmap_insert(&l3->by_external, &p->by_external,
                hash_addr(&direct->external, 0));
    hmap_insert(&l3->by_fixed, &p->by_fixed,
                hash_addr(&direct->fixed, direct->tap));
    return p;
}

/* Makes the flows of 'p' void.  It is gone, but for its number and its
 * elements in 'direct_addrs'. */
static void
bury(struct dp *dp, struct bpf_port *p)
{
    struct l3 *l3 = &dp->l3;

    set_track(dp, p, false);
    make_none(&l3->entries[p->number]);
    hmap_remove(&l3->by_external, &p->by_external);
    hmap_remove(&l3->by_fixed, &p->by_fixed);
    p->reap_at = time_msec() + L3_REAP_MS;
    ovs_list_push_back(&l3->graves, &p->grave);
}

/* Forgets what is left of 'p', which is gone.  Another port may have its
 * elements by now. */
static void
forget(struct l3 *l3, struct bpf_port *p)
{
    const struct dp_direct *direct = &p->direct;

    if (!find_external(l3, &direct->external)) {
        delete_addr(l3, &direct->external, 0);
    }
    if (!find_fixed(l3, &direct->fixed, direct->tap)) {
        delete_addr(l3, &direct->fixed, direct->tap);
    }
    slots_put(&l3->numbers, p->number);
    ovs_list_remove(&p->grave);
    free(p);
}

/* Forgets the ports that went early enough before 'now'.  Returns when to do
 * so again, or LLONG_MAX. */
long long int
l3_ports_reap(struct dp *dp, long long int now)
{
    struct bpf_port *p;

    LIST_FOR_EACH_SAFE (p, grave, &dp->l3.graves) {
        if (p->reap_at > now) {
            return p->reap_at;
        }
        forget(&dp->l3, p);
    }
    return LLONG_MAX;
}

/* Returns a number for a port.  If so many have gone within a second that
 * there is none, the oldest one's. */
static uint32_t
take_number(struct l3 *l3)
{
    if (!l3->numbers.n_free) {
        struct bpf_port *p = CONTAINER_OF(ovs_list_front(&l3->graves),
                                          struct bpf_port, grave);

        forget(l3, p);
    }
    return slots_get(&l3->numbers);
}

/* Adds 'direct', which is there no longer or not yet, but whose elements in
 * 'direct_addrs' may be. */
static int
add(struct dp *dp, const struct dp_direct *direct)
{
    struct l3 *l3 = &dp->l3;
    uint32_t number = take_number(l3);
    struct bpf_port *p;
    int error;

    write_entry(dp, direct, number);
    error = write_addr(l3, direct, &direct->fixed, &direct->external,
                       direct->tap, number);
    if (!error) {
        error = write_addr(l3, direct, &direct->external, &direct->fixed, 0,
                           number);
    }
    if (error) {
        delete_addr(l3, &direct->fixed, direct->tap);
        delete_addr(l3, &direct->external, 0);
        slots_put(&l3->numbers, number);
        return error;
    }
    p = remember(l3, direct, number);
    turn(&l3->entries[number], 1);
    set_track(dp, p, direct->track);
    return 0;
}

/* See 'put_direct' in plugin/datapath.h.  If a change fails, the port is
 * gone. */
int
l3_ports_put(struct dp *dp, const struct dp_direct *direct)
{
    BUILD_ASSERT(MAX_DIRECT_ADDRESSES < OX_MAX_DIRECT_PORTS);

    struct l3 *l3 = &dp->l3;
    struct bpf_port *p, *other;
    int error;

    error = l3_open(dp);
    if (error) {
        return error;
    }
    p = find_external(l3, &direct->external);
    other = find_fixed(l3, &direct->fixed, direct->tap);
    if (other && other != p) {
        return EEXIST;
    } else if (p && dp_direct_equals(&p->direct, direct)) {
        if (p->adopted || p->direct.track != direct->track) {
            set_track(dp, p, direct->track);
        }
        return 0;
    } else if (!p && hmap_count(&l3->by_external) >= MAX_DIRECT_ADDRESSES) {
        return ENOSPC;
    }
    if (p) {
        bury(dp, p);
    }
    return add(dp, direct);
}

/* See 'del_direct' in plugin/datapath.h. */
int
l3_ports_del(struct dp *dp, const struct in6_addr *external)
{
    struct bpf_port *p = find_external(&dp->l3, external);

    if (!p) {
        return ENOENT;
    }
    bury(dp, p);
    return 0;
}

/* See 'void_direct' in plugin/datapath.h. */
int
l3_ports_void(struct dp *dp, const struct in6_addr *external)
{
    struct bpf_port *p = find_external(&dp->l3, external);

    if (!p) {
        return ENOENT;
    }
    turn(&dp->l3.entries[p->number], 2);
    return 0;
}

/* Returns true if there is a port with the address 'external'. */
bool
l3_ports_has(const struct dp *dp, const struct in6_addr *external)
{
    return find_external(&dp->l3, external) != NULL;
}

/* Returns true if the port with the address 'external' is tracked. */
bool
l3_ports_tracks(const struct dp *dp, const struct in6_addr *external)
{
    const struct bpf_port *p = find_external(&dp->l3, external);

    return p && p->direct.track;
}

/* See 'dump_direct' in plugin/datapath.h. */
void
l3_ports_dump(const struct dp *dp,
              void (*cb)(const struct dp_direct *, void *aux), void *aux)
{
    const struct bpf_port *p;

    HMAP_FOR_EACH (p, by_external, &dp->l3.by_external) {
        cb(&p->direct, aux);
    }
}

/* See 'direct_half_checksum' in plugin/datapath.h. */
bool
l3_ports_half_checksum(struct dp *dp, const struct in6_addr *external)
{
    const struct bpf_port *p = find_external(&dp->l3, external);
    uint32_t *seen;

    if (!p) {
        return false;
    }
    seen = &dp->l3.entries[p->number].seen;
    return (__atomic_load_n(seen, __ATOMIC_RELAXED)
            && (__atomic_exchange_n(seen, 0, __ATOMIC_RELAXED)
                & OX_DIRECT_SEEN_HALF_CHECKSUM));
}

/* Returns the ticks that 'ms' are, at least one. */
static uint32_t
to_ticks(uint32_t ms)
{
    return MAX(1, ms * UINT64_C(1000000) / TICK_NS);
}

/* Notes 'times' in 'l3'. */
static void
set_times(struct l3 *l3, const struct dp_direct_times *times)
{
    l3->soft = to_ticks(times->soft);
    l3->step = to_ticks(times->step);
    l3->hard = to_ticks(times->hard);
}

/* See 'set_direct_times' in plugin/datapath.h. */
void
l3_ports_set_times(struct dp *dp, const struct dp_direct_times *times)
{
    const struct bpf_port *p;

    set_times(&dp->l3, times);
    HMAP_FOR_EACH (p, by_external, &dp->l3.by_external) {
        write_times(&dp->l3, &dp->l3.entries[p->number]);
    }
}

/* Has packets of the port that has the endpoint 'key', if there is one, be
 * counted in 'slot'. */
void
l3_ports_set_slot(struct dp *dp, const struct dp_key *key, uint32_t slot)
{
    const struct bpf_port *p = find_external(&dp->l3, &key->addr);

    if (p && !key->vlan) {
        __atomic_store_n(&dp->l3.entries[p->number].slot, slot,
                         __ATOMIC_RELAXED);
    }
}

/* Returns true if 'outside' is the element of 'key', and 'inside' that of the
 * same port's address on its tap. */
static bool
belong_together(const struct ox_direct_key *key,
                const struct ox_direct_addr *outside,
                const struct ox_direct_addr *inside)
{
    return (!memcmp(key->addr, outside->addr, sizeof key->addr)
            && !memcmp(outside->addr, inside->other, sizeof inside->other)
            && !memcmp(outside->other, inside->addr, sizeof inside->addr)
            && outside->port == inside->port
            && outside->ifindex == inside->ifindex
            && outside->bridge == inside->bridge
            && outside->vlan == inside->vlan);
}

/* Takes over the port whose external address has 'key', if it is complete. */
static void
adopt_port(struct dp *dp, const struct ox_direct_key *key)
{
    struct ox_direct_addr outside, inside;
    struct l3 *l3 = &dp->l3;
    struct ox_direct_key inner;
    struct ox_direct_port *entry;
    struct dp_direct direct;

    if (bpf_map_lookup_elem(l3->fds[L3_ADDRS], key, &outside)
        || outside.port >= OX_MAX_DIRECT_PORTS) {
        return;
    }
    memcpy(inner.addr, outside.other, sizeof inner.addr);
    inner.ifindex = outside.ifindex;
    entry = &l3->entries[outside.port];
    if (bpf_map_lookup_elem(l3->fds[L3_ADDRS], &inner, &inside)
        || !belong_together(key, &outside, &inside)
        || entry->generation & 1 || entry->ifindex != outside.ifindex
        || !slots_reserve(&l3->numbers, outside.port)) {
        return;
    }
    direct = (struct dp_direct) {
        .tap = outside.ifindex,
        .mtu = entry->mtu,
        .bridge = outside.bridge,
        .vlan = outside.vlan,
    };
    memcpy(&direct.external, outside.addr, sizeof direct.external);
    memcpy(&direct.fixed, outside.other, sizeof direct.fixed);
    memcpy(&direct.mac, entry->mac, sizeof direct.mac);
    remember(l3, &direct, outside.port)->adopted = true;
    entry->slot = find_slot(dp, &direct);
}

/* Stores the keys of 'direct_addrs' in '*keysp', which the caller frees, and
 * returns how many there are. */
static size_t
list_keys(const struct l3 *l3, struct ox_direct_key **keysp)
{
    struct ox_direct_key *keys = xcalloc(2 * OX_MAX_DIRECT_PORTS,
                                         sizeof *keys);
    const struct ox_direct_key *last = NULL;
    size_t n = 0;

    while (n < 2 * OX_MAX_DIRECT_PORTS
           && !bpf_map_get_next_key(l3->fds[L3_ADDRS], last, &keys[n])) {
        last = &keys[n++];
    }
    *keysp = keys;
    return n;
}

/* Returns true if a port of 'l3' has the element with 'key'. */
static bool
is_known(const struct l3 *l3, const struct ox_direct_key *key)
{
    struct in6_addr addr;

    memcpy(&addr, key->addr, sizeof addr);
    return (key->ifindex
            ? find_fixed(l3, &addr, key->ifindex) != NULL
            : find_external(l3, &addr) != NULL);
}

/* Takes over the ports that an earlier daemon has left in the maps of 'dp',
 * and deletes what is not complete. */
int
l3_ports_adopt(struct dp *dp)
{
    static const struct dp_direct_times times = {
        .soft = 2 * DEFAULT_CONFIRM_MS,
        .step = DEFAULT_CONFIRM_MS / 3,
        .hard = 3 * DEFAULT_CONFIRM_MS,
    };
    struct l3 *l3 = &dp->l3;
    struct ox_direct_key *keys;
    size_t n;

    if (!l3->hard) {
        set_times(l3, &times);
    }
    slots_init(&l3->numbers, OX_MAX_DIRECT_PORTS);
    n = list_keys(l3, &keys);
    for (size_t i = 0; i < n; i++) {
        if (!keys[i].ifindex) {
            adopt_port(dp, &keys[i]);
        }
    }
    for (size_t i = 0; i < n; i++) {
        if (!is_known(l3, &keys[i])) {
            bpf_map_delete_elem(l3->fds[L3_ADDRS], &keys[i]);
        }
    }
    free(keys);
    for (uint32_t i = 0; i < OX_MAX_DIRECT_PORTS; i++) {
        if (!bitmap_is_set(l3->numbers.used, i)) {
            make_none(&l3->entries[i]);
        }
    }
    slots_seal(&l3->numbers);
    return 0;
}

/* Forgets the ports, which stay in the maps. */
void
l3_ports_destroy(struct l3 *l3)
{
    struct bpf_port *p;

    LIST_FOR_EACH_POP (p, grave, &l3->graves) {
        free(p);
    }
    HMAP_FOR_EACH_SAFE (p, by_external, &l3->by_external) {
        hmap_remove(&l3->by_external, &p->by_external);
        hmap_remove(&l3->by_fixed, &p->by_fixed);
        free(p);
    }
    hmap_destroy(&l3->by_external);
    hmap_destroy(&l3->by_fixed);
    slots_destroy(&l3->numbers);
}
