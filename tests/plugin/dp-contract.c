/* SPDX-License-Identifier: Apache-2.0 */
/* The tests that every back end must pass: see dp-contract.h.  What needs
 * frames or knowledge of a back end is in its own test program. */
#include <config.h>

#include "tests/plugin/dp-contract.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "packets.h"
#include "svec.h"
#include "timeval.h"
#include "util.h"

#include "plugin/reason.h"

#define MAX_ENDPOINTS 16

/* The back end under test. */
static struct dp_contract *bed;

/* What a dump has found. */
struct found {
    struct dp_endpoint endpoints[MAX_ENDPOINTS + 1];
    size_t n_endpoints;
    struct dp_nic_state nics[4];
    size_t n_nics;
};

static void
find_endpoint(const struct dp_endpoint *endpoint, void *found_)
{
    struct found *found = found_;

    assert_true(found->n_endpoints < ARRAY_SIZE(found->endpoints));
    found->endpoints[found->n_endpoints++] = *endpoint;
}

static void
find_nic(const struct dp_nic_state *state, void *found_)
{
    struct found *found = found_;

    assert_true(found->n_nics < ARRAY_SIZE(found->nics));
    found->nics[found->n_nics++] = *state;
}

/* Dumps everything. */
static struct found
dump(const struct dp *dp)
{
    struct found found = { .n_endpoints = 0 };

    bed->class->dump_endpoints(dp, find_endpoint, &found);
    bed->class->dump_nics(dp, find_nic, &found);
    return found;
}

/* Returns the state of the only NIC that there is. */
static struct dp_nic_state
only_nic(const struct dp *dp)
{
    struct found found = dump(dp);

    assert_int_equal(found.n_nics, 1);
    return found.nics[0];
}

/* Opens the datapath with room for 'max_endpoints'. */
static struct dp *
open_sized(uint32_t max_endpoints)
{
    struct dp_config config = { bed->pin_dir, max_endpoints };
    struct dp *dp;

    assert_int_equal(bed->class->open(&config, &dp), 0);
    return dp;
}

/* Closes 'dp' and opens it again, as a new daemon does. */
static struct dp *
reopen(struct dp *dp)
{
    bed->class->close(dp, false);
    return open_sized(MAX_ENDPOINTS);
}

/* Returns an endpoint for 'address', an IPv4 or IPv6 address, with every
 * member different for another 'seed'. */
static struct dp_endpoint
endpoint(const char *address, uint16_t vlan, uint8_t seed)
{
    struct dp_endpoint e;
    ovs_be32 ip;

    memset(&e, 0, sizeof e);
    if (inet_pton(AF_INET, address, &ip) == 1) {
        e.key.addr = in6_addr_mapped_ipv4(ip);
    } else {
        assert_int_equal(inet_pton(AF_INET6, address, &e.key.addr), 1);
    }
    e.key.vlan = vlan;
    e.action = (struct dp_action) {
        .dmac = ETH_ADDR_C(02, 00, 00, 00, 01, 00),
        .smac = ETH_ADDR_C(02, 00, 00, 00, 02, 00),
        .vlan = 100 + seed,
        .target_sg = seed & 1,
        .ifindex = bed->nics[1].ifindex + seed,
        .mtu = 1400 + seed,
        .acl = 7 + seed,
        .bridge = 40 + seed,
    };
    e.action.dmac.ea[5] = e.action.smac.ea[5] = seed;
    return e;
}

/* Returns endpoint number 'i' of a family. */
static struct dp_endpoint
numbered(int i)
{
    char address[INET_ADDRSTRLEN];

    snprintf(address, sizeof address, "192.0.2.%d", i);
    return endpoint(address, 0, 0);
}

static void
put(struct dp *dp, const struct dp_endpoint *e)
{
    assert_int_equal(bed->class->put_endpoint(dp, e), 0);
}

/* Asserts that 'a' and 'b' are equal in every member. */
static void
assert_same_endpoint(const struct dp_endpoint *a, const struct dp_endpoint *b)
{
    assert_true(dp_key_equals(&a->key, &b->key));
    assert_true(eth_addr_equals(a->action.dmac, b->action.dmac));
    assert_true(eth_addr_equals(a->action.smac, b->action.smac));
    assert_int_equal(a->action.vlan, b->action.vlan);
    assert_int_equal(a->action.target_sg, b->action.target_sg);
    assert_int_equal(a->action.ifindex, b->action.ifindex);
    assert_int_equal(a->action.mtu, b->action.mtu);
    assert_int_equal(a->action.acl, b->action.acl);
    assert_int_equal(a->action.bridge, b->action.bridge);
}

/* Asserts that 'dp' holds 'e', by its dump, and that its counter is there. */
static void
assert_has(const struct dp *dp, const struct dp_endpoint *e)
{
    struct found found = dump(dp);
    struct dp_counter counter;
    struct dp_action action;

    assert_int_equal(bed->class->endpoint_counter(dp, &e->key, &counter), 0);
    assert_int_equal(bed->class->find_endpoint(dp, &e->key, &action), 0);
    assert_true(dp_action_equals(&action, &e->action));
    for (size_t i = 0; i < found.n_endpoints; i++) {
        if (dp_key_equals(&found.endpoints[i].key, &e->key)) {
            assert_same_endpoint(&found.endpoints[i], e);
            return;
        }
    }
    fail_msg("an endpoint is missing");
}

static void
test_open(void **state OVS_UNUSED)
{
    struct dp_config config = { bed->pin_dir, MAX_ENDPOINTS };
    struct dp *dp = open_sized(MAX_ENDPOINTS);
    struct dp *other = dp;
    struct found found = dump(dp);

    assert_int_equal(found.n_endpoints, 0);
    assert_int_equal(found.n_nics, 0);
    assert_int_equal(bed->class->open(&config, &other), EBUSY);
    assert_null(other);
    dp = reopen(dp);
    bed->class->close(dp, true);
    bed->class->close(NULL, true);
}

/* What was left open or closed is removed without being opened, unless
 * somebody holds it. */
static void
test_remove(void **state OVS_UNUSED)
{
    struct svec remains = SVEC_EMPTY_INITIALIZER;
    struct dp_endpoint four = endpoint("192.0.2.1", 0, 1);
    struct dp *dp;

    assert_int_equal(bed->class->remove(bed->pin_dir, &remains), 0);
    dp = open_sized(MAX_ENDPOINTS);
    put(dp, &four);
    assert_int_equal(bed->class->remove(bed->pin_dir, &remains), EBUSY);
    assert_has(dp, &four);
    bed->class->close(dp, false);
    assert_int_equal(bed->class->remove(bed->pin_dir, &remains), 0);
    assert_int_equal(remains.n, 0);
    svec_destroy(&remains);

    dp = open_sized(MAX_ENDPOINTS);
    assert_int_equal(dump(dp).n_endpoints, 0);
    bed->class->close(dp, true);
}

static void
test_endpoints(void **state OVS_UNUSED)
{
    struct dp *dp = open_sized(MAX_ENDPOINTS);
    struct dp_endpoint four = endpoint("192.0.2.1", 0, 1);
    struct dp_endpoint tagged = endpoint("192.0.2.1", 7, 2);
    struct dp_endpoint six = endpoint("2001:db8::1", 0, 3);
    struct dp_action action;
    struct dp_counter counter = { 1, 1 };

    put(dp, &four);
    put(dp, &tagged);
    put(dp, &six);
    assert_int_equal(dump(dp).n_endpoints, 3);
    assert_has(dp, &four);
    assert_has(dp, &tagged);
    assert_has(dp, &six);

    four.action = endpoint("192.0.2.1", 0, 4).action;
    put(dp, &four);
    assert_int_equal(dump(dp).n_endpoints, 3);
    assert_has(dp, &four);
    assert_has(dp, &tagged);

    assert_int_equal(bed->class->del_endpoint(dp, &tagged.key), 0);
    assert_int_equal(bed->class->del_endpoint(dp, &tagged.key), ENOENT);
    assert_int_equal(bed->class->endpoint_counter(dp, &tagged.key, &counter),
                     ENOENT);
    assert_int_equal(counter.packets + counter.bytes, 0);
    assert_int_equal(bed->class->find_endpoint(dp, &tagged.key, &action),
                     ENOENT);
    assert_int_equal(dump(dp).n_endpoints, 2);
    assert_has(dp, &four);
    bed->class->close(dp, true);
}

/* IPv4 and IPv6 endpoints share the room; a full map still takes a new answer
 * for an old question. */
static void
test_full(void **state OVS_UNUSED)
{
    struct dp *dp = open_sized(MAX_ENDPOINTS);
    struct dp_endpoint e = endpoint("2001:db8::1", 0, 9);
    struct dp_endpoint replaced = numbered(1);

    for (int i = 1; i <= MAX_ENDPOINTS; i++) {
        struct dp_endpoint next = numbered(i);

        put(dp, &next);
    }
    assert_int_equal(bed->class->put_endpoint(dp, &e), ENOSPC);
    replaced.action.mtu = 9000;
    put(dp, &replaced);
    assert_has(dp, &replaced);
    assert_int_equal(bed->class->del_endpoint(dp, &replaced.key), 0);
    put(dp, &e);
    assert_has(dp, &e);
    assert_int_equal(dump(dp).n_endpoints, MAX_ENDPOINTS);
    bed->class->close(dp, true);
}

static void
test_targets(void **state OVS_UNUSED)
{
    struct dp *dp = open_sized(MAX_ENDPOINTS);
    int ifindex = bed->nics[1].ifindex;

    assert_false(bed->class->has_target(dp, ifindex));
    assert_int_equal(bed->class->del_target(dp, ifindex), ENOENT);
    assert_int_equal(bed->class->put_target(dp, ifindex), 0);
    assert_int_equal(bed->class->put_target(dp, ifindex), 0);
    assert_true(bed->class->has_target(dp, ifindex));
    assert_int_equal(bed->class->put_target(dp, 0), ENODEV);
    dp = reopen(dp);
    assert_true(bed->class->has_target(dp, ifindex));
    assert_int_equal(bed->class->del_target(dp, ifindex), 0);
    assert_false(bed->class->has_target(dp, ifindex));
    bed->class->close(dp, true);
}

static void
test_attach(void **state OVS_UNUSED)
{
    struct dp *dp = open_sized(MAX_ENDPOINTS);
    struct dp_nic nic = bed->nics[0];
    struct dp_nic_state first, second;
    struct dp_counter counters[N_PACKET_REASONS];

    assert_int_equal(bed->class->attach_nic(dp, &nic), 0);
    first = only_nic(dp);
    assert_string_equal(first.nic.name, nic.name);
    assert_int_equal(first.nic.ifindex, nic.ifindex);
    assert_int_equal(first.nic.mode, nic.mode);
    assert_true(eth_addr_equals(first.nic.mac, nic.mac));
    assert_true(first.current && !first.sink && !first.nic.tag_hint);
    assert_true(first.program_id > 0);

    /* Neither a second time nor another MAC replaces the program. */
    assert_int_equal(bed->class->attach_nic(dp, &nic), 0);
    nic.mac.ea[5] ^= 1;
    assert_int_equal(bed->class->attach_nic(dp, &nic), 0);
    second = only_nic(dp);
    assert_int_equal(second.program_id, first.program_id);
    assert_true(eth_addr_equals(second.nic.mac, nic.mac));

    assert_int_equal(bed->class->nic_counters(dp, nic.name, counters), 0);
    assert_int_equal(bed->class->nic_counters(dp, "none", counters), ENOENT);
    assert_int_equal(bed->class->detach_nic(dp, "none"), ENOENT);
    assert_int_equal(bed->class->detach_nic(dp, nic.name), 0);
    assert_int_equal(bed->class->detach_nic(dp, nic.name), ENOENT);
    assert_int_equal(dump(dp).n_nics, 0);
    bed->class->close(dp, true);
}

static void
test_mode(void **state OVS_UNUSED)
{
    struct dp *dp = open_sized(MAX_ENDPOINTS);
    struct dp_nic nic = bed->nics[0];
    uint32_t id;

    assert_int_equal(bed->class->attach_nic(dp, &nic), 0);
    id = only_nic(dp).program_id;
    nic.mode = DP_GENERIC;
    nic.tag_hint = true;
    assert_int_equal(bed->class->attach_nic(dp, &nic), 0);
    assert_int_equal(only_nic(dp).nic.mode, DP_GENERIC);
    assert_false(only_nic(dp).nic.tag_hint);
    assert_int_not_equal(only_nic(dp).program_id, id);

    dp = reopen(dp);
    assert_int_equal(only_nic(dp).nic.mode, DP_GENERIC);
    nic.mode = DP_NATIVE;
    nic.tag_hint = false;
    assert_int_equal(bed->class->attach_nic(dp, &nic), 0);
    assert_int_equal(only_nic(dp).nic.mode, DP_NATIVE);
    assert_true(only_nic(dp).current);
    bed->class->close(dp, true);
}

static void
test_tag_hint(void **state OVS_UNUSED)
{
    struct dp *dp = open_sized(MAX_ENDPOINTS);
    struct dp_nic nic = bed->nics[0];
    uint32_t id;

    assert_int_equal(bed->class->attach_nic(dp, &nic), 0);
    id = only_nic(dp).program_id;
    nic.tag_hint = true;
    assert_int_equal(bed->class->attach_nic(dp, &nic), 0);
    assert_true(only_nic(dp).nic.tag_hint);
    assert_int_not_equal(only_nic(dp).program_id, id);
    dp = reopen(dp);
    assert_true(only_nic(dp).nic.tag_hint);
    nic.tag_hint = false;
    assert_int_equal(bed->class->attach_nic(dp, &nic), 0);
    assert_false(only_nic(dp).nic.tag_hint);
    bed->class->close(dp, true);
}

/* The next daemon gets to know until when packets might be dropped, even if
 * the lease was taken back in the end. */
static void
test_lease(void **state OVS_UNUSED)
{
    struct dp *dp = open_sized(MAX_ENDPOINTS);
    struct dp_acl acl = { .id = 1, .n_rules = 1 };

    assert_int_equal(bed->class->last_lease(dp), 0);
    assert_int_equal(bed->class->put_acl(dp, &acl), 0);
    bed->class->lease(dp, 1234567);
    assert_int_equal(bed->class->last_lease(dp), 0);
    for (int i = 0; i < 2; i++) {
        bed->class->lease(dp, 2345678 + i);
        bed->class->lease(dp, 0);
        dp = reopen(dp);
        assert_int_equal(bed->class->last_lease(dp), 2345678 + i);
        acl.id = 1;
        assert_int_equal(bed->class->put_acl(dp, &acl), 0);
    }
    bed->class->close(dp, true);
    dp = open_sized(MAX_ENDPOINTS);
    assert_int_equal(bed->class->last_lease(dp), 0);
    bed->class->close(dp, true);
}

/* Another timeout is another program; a heartbeat outlives the daemon. */
static void
test_stale(void **state OVS_UNUSED)
{
    struct dp *dp = open_sized(MAX_ENDPOINTS);
    struct dp_nic nic = bed->nics[0];
    uint32_t id;

    assert_int_equal(bed->class->last_beat(dp), 0);
    bed->class->beat(dp, 1234567890123);
    assert_int_equal(bed->class->last_beat(dp), 1234567890123);
    assert_int_equal(bed->class->attach_nic(dp, &nic), 0);
    id = only_nic(dp).program_id;
    nic.stale_timeout = 30;
    assert_int_equal(bed->class->attach_nic(dp, &nic), 0);
    assert_int_not_equal(only_nic(dp).program_id, id);
    id = only_nic(dp).program_id;
    assert_int_equal(bed->class->attach_nic(dp, &nic), 0);
    assert_int_equal(only_nic(dp).program_id, id);
    dp = reopen(dp);
    assert_int_equal(bed->class->last_beat(dp), 1234567890123);
    assert_int_equal(bed->class->attach_nic(dp, &nic), 0);
    assert_int_equal(only_nic(dp).nic.stale_timeout, 30);
    bed->class->close(dp, true);
}

static void
test_sink(void **state OVS_UNUSED)
{
    struct dp *dp = open_sized(MAX_ENDPOINTS);
    const struct dp_nic *nic = &bed->nics[0];
    uint32_t id;

    assert_int_equal(bed->class->attach_sink(dp, nic->name, nic->ifindex), 0);
    id = only_nic(dp).program_id;
    assert_true(only_nic(dp).sink);
    assert_int_equal(bed->class->attach_sink(dp, nic->name, nic->ifindex), 0);
    assert_int_equal(only_nic(dp).program_id, id);
    dp = reopen(dp);
    assert_true(only_nic(dp).sink && !only_nic(dp).current);
    assert_int_equal(bed->class->attach_nic(dp, nic), 0);
    assert_false(only_nic(dp).sink);
    bed->class->close(dp, true);
}

static void
test_adopt(void **state OVS_UNUSED)
{
    struct dp *dp = open_sized(MAX_ENDPOINTS);
    const struct dp_nic *nic = &bed->nics[0];
    struct dp_endpoint four = endpoint("192.0.2.1", 3, 1);
    struct dp_endpoint six = endpoint("2001:db8::1", 4, 2);
    struct dp_nic_state before, after;

    put(dp, &four);
    put(dp, &six);
    assert_int_equal(bed->class->attach_nic(dp, nic), 0);
    assert_int_equal(bed->class->commit(dp), 0);
    before = only_nic(dp);

    dp = reopen(dp);
    assert_int_equal(dump(dp).n_endpoints, 2);
    assert_has(dp, &four);
    assert_has(dp, &six);
    after = only_nic(dp);
    assert_false(after.current);
    assert_string_equal(after.nic.name, nic->name);
    assert_int_equal(after.nic.ifindex, nic->ifindex);
    assert_int_equal(after.program_id, before.program_id);
    assert_true(eth_addr_equals(after.nic.mac, nic->mac));

    assert_int_equal(bed->class->attach_nic(dp, nic), 0);
    assert_int_equal(bed->class->commit(dp), 0);
    assert_true(only_nic(dp).current);
    assert_int_not_equal(only_nic(dp).program_id, before.program_id);
    bed->class->close(dp, true);

    dp = open_sized(MAX_ENDPOINTS);
    assert_int_equal(dump(dp).n_endpoints + dump(dp).n_nics, 0);
    bed->class->close(dp, true);
}

/* Maps of another size: a new generation without endpoints, to which the NIC
 * is moved. */
static void
test_resize(void **state OVS_UNUSED)
{
    struct dp *dp = open_sized(MAX_ENDPOINTS / 2);
    const struct dp_nic *nic = &bed->nics[0];
    struct dp_counter counters[N_PACKET_REASONS];
    struct dp_endpoint e = numbered(1);

    put(dp, &e);
    assert_int_equal(bed->class->put_target(dp, bed->nics[1].ifindex), 0);
    assert_int_equal(bed->class->attach_nic(dp, nic), 0);
    dp = reopen(dp);
    assert_int_equal(dump(dp).n_endpoints, 0);
    assert_false(bed->class->has_target(dp, bed->nics[1].ifindex));
    assert_false(only_nic(dp).current);
    assert_int_equal(bed->class->nic_counters(dp, nic->name, counters), 0);
    put(dp, &e);
    assert_int_equal(bed->class->attach_nic(dp, nic), 0);
    assert_int_equal(bed->class->commit(dp), 0);
    dp = reopen(dp);
    assert_has(dp, &e);
    assert_int_equal(only_nic(dp).nic.ifindex, nic->ifindex);
    bed->class->close(dp, true);
}

static void
test_foreign(void **state OVS_UNUSED)
{
    struct dp *dp = open_sized(MAX_ENDPOINTS);
    struct dp_nic nic = bed->nics[0];

    bed->set_foreign(dp, nic.ifindex, true);
    assert_int_equal(bed->class->attach_nic(dp, &nic), EBUSY);
    assert_int_equal(bed->class->attach_sink(dp, nic.name, nic.ifindex),
                     EBUSY);
    nic.mode = DP_GENERIC;
    assert_int_equal(bed->class->attach_nic(dp, &nic), EBUSY);
    assert_int_equal(dump(dp).n_nics, 0);
    bed->set_foreign(dp, nic.ifindex, false);
    assert_int_equal(bed->class->attach_nic(dp, &bed->nics[0]), 0);
    bed->class->close(dp, true);
}

/* A device that goes takes its link and its place as a target with it, and
 * may come back with another index. */
static void
test_replaced(void **state OVS_UNUSED)
{
    struct dp *dp = open_sized(MAX_ENDPOINTS);
    struct dp_nic *nic = &bed->nics[0];
    int old = nic->ifindex;

    assert_int_equal(bed->class->put_target(dp, old), 0);
    assert_int_equal(bed->class->attach_nic(dp, nic), 0);
    nic->ifindex = bed->replace(dp, nic->name);
    assert_int_not_equal(nic->ifindex, old);
    assert_int_equal(dump(dp).n_nics, 0);
    assert_false(bed->class->has_target(dp, old));
    assert_int_equal(bed->class->attach_nic(dp, nic), 0);
    assert_int_equal(only_nic(dp).nic.ifindex, nic->ifindex);

    /* The same while no daemon runs. */
    bed->class->close(dp, false);
    old = nic->ifindex;
    nic->ifindex = bed->replace(NULL, nic->name);
    dp = open_sized(MAX_ENDPOINTS);
    assert_int_equal(dump(dp).n_nics, 0);
    assert_int_equal(bed->class->attach_nic(dp, nic), 0);
    assert_int_equal(bed->class->commit(dp), 0);
    assert_int_equal(only_nic(dp).nic.ifindex, nic->ifindex);
    bed->class->close(dp, true);
}

/* Asserts that device 'ifindex' is watched, and returns since when. */
static long long int
put_watch(struct dp *dp, int ifindex, enum dp_watch_side side)
{
    long long int since = 0;

    assert_int_equal(bed->class->put_watch(dp, ifindex, side, &since), 0);
    assert_true(since > 0 && since <= time_msec());
    return since;
}

/* A watch begins once, whoever asks for it again; on the other side it is
 * another. */
static void
test_watch(void **state OVS_UNUSED)
{
    struct dp *dp = open_sized(MAX_ENDPOINTS);
    int a = bed->nics[0].ifindex, b = bed->nics[1].ifindex;
    long long int since, other;

    assert_int_equal(bed->class->sweep_opened(dp, time_msec()), 0);
    assert_int_equal(bed->class->del_watch(dp, a), ENOENT);
    since = put_watch(dp, a, DP_WATCH_INGRESS);
    poll(NULL, 0, 2);
    other = put_watch(dp, b, DP_WATCH_EGRESS);
    assert_true(other > since);
    assert_int_equal(put_watch(dp, a, DP_WATCH_INGRESS), since);
    assert_int_equal(bed->class->sweep_opened(dp, time_msec()), 0);
    poll(NULL, 0, 2);
    assert_true(put_watch(dp, b, DP_WATCH_INGRESS) > other);
    assert_int_equal(bed->class->del_watch(dp, b), 0);
    assert_int_equal(bed->class->del_watch(dp, b), ENOENT);
    assert_int_equal(bed->class->put_watch(dp, -1, DP_WATCH_EGRESS, &since),
                     ENODEV);
    bed->class->close(dp, true);
}

/* A watch outlives a daemon; what the next one does not want goes with
 * commit(). */
static void
test_watch_adopted(void **state OVS_UNUSED)
{
    struct dp *dp = open_sized(MAX_ENDPOINTS);
    int a = bed->nics[0].ifindex, b = bed->nics[1].ifindex;
    long long int since_a = put_watch(dp, a, DP_WATCH_INGRESS);
    long long int since_b = put_watch(dp, b, DP_WATCH_EGRESS);

    poll(NULL, 0, 2);
    dp = reopen(dp);
    assert_int_equal(bed->class->commit(dp), 0);
    assert_true(put_watch(dp, a, DP_WATCH_INGRESS) > since_a);
    since_a = put_watch(dp, a, DP_WATCH_INGRESS);
    since_b = put_watch(dp, b, DP_WATCH_EGRESS);
    poll(NULL, 0, 2);
    dp = reopen(dp);
    assert_int_equal(put_watch(dp, b, DP_WATCH_EGRESS), since_b);
    assert_int_equal(bed->class->commit(dp), 0);
    assert_int_equal(put_watch(dp, b, DP_WATCH_EGRESS), since_b);
    assert_true(put_watch(dp, a, DP_WATCH_INGRESS) > since_a);
    bed->class->close(dp, true);
}

/* The device of a watch goes, and another comes. */
static void
test_watch_replaced(void **state OVS_UNUSED)
{
    struct dp *dp = open_sized(MAX_ENDPOINTS);
    struct dp_nic *nic = &bed->nics[0];
    int old = nic->ifindex;

    put_watch(dp, old, DP_WATCH_INGRESS);
    nic->ifindex = bed->replace(dp, nic->name);
    put_watch(dp, nic->ifindex, DP_WATCH_INGRESS);
    bed->class->del_watch(dp, old);
    put_watch(dp, nic->ifindex, DP_WATCH_INGRESS);
    bed->class->close(dp, true);
}

/* Sets of rules come and go; each id, class and prefix is there once. */
static void
test_acl(void **state OVS_UNUSED)
{
    static const struct dp_acl_service services[] = {
        { .protocol = 6, .port = 22, .port_len = 16, .bits.word[0] = 3 },
        { .protocol = 6, .port = 8000, .port_len = 6, .bits.word[0] = 2 },
        { .protocol = 17, .port_len = 0, .bits.word[0] = 1 },
    };
    static const struct dp_acl_class classes[] = {
        { .class = 1, .bits.word[0] = 1 }, { .class = 2, .bits.word[0] = 2 },
    };
    struct dp_acl acl = {
        .id = 7, .stateful = true, .n_rules = 2, .drops.word[0] = 2,
        .services = services, .n_services = ARRAY_SIZE(services),
        .classes = classes, .n_classes = ARRAY_SIZE(classes),
    };
    const struct dp_class *class = bed->class;
    struct dp *dp = open_sized(MAX_ENDPOINTS);
    struct dp_endpoint e = numbered(1);
    uint64_t hits[3] = { 1, 1, 1 };
    struct dp_counter drops;

    assert_int_equal(class->del_acl(dp, 7), ENOENT);
    assert_int_equal(class->acl_hits(dp, 7, hits, 2), ENOENT);
    assert_int_equal(hits[0], 0);
    assert_int_equal(class->put_acl(dp, &acl), 0);
    assert_int_equal(class->put_acl(dp, &acl), EINVAL);
    assert_int_equal(class->acl_hits(dp, 7, hits, 3), 0);
    assert_int_equal(hits[0] + hits[1] + hits[2], 0);

    assert_int_equal(class->put_acl_class(dp, 8, &classes[0]), ENOENT);
    assert_int_equal(class->put_acl_class(dp, 7, &classes[0]), 0);
    assert_int_equal(class->del_acl_class(dp, 7, 1), 0);
    assert_int_equal(class->del_acl_class(dp, 7, 1), ENOENT);
    assert_int_equal(class->put_acl_class(dp, 7, &classes[0]), 0);
    class->lease(dp, 1);
    assert_int_equal(class->del_acl_class(dp, 7, 1), 0);

    put(dp, &e);
    assert_int_equal(class->endpoint_drops(dp, &e.key, &drops), 0);
    assert_int_equal(drops.packets + drops.bytes, 0);
    assert_int_equal(class->del_acl(dp, 7), 0);
    assert_int_equal(class->del_acl(dp, 7), ENOENT);
    assert_int_equal(class->del_acl_class(dp, 7, 2), ENOENT);
    class->lease(dp, 0);

    acl.id = 0;
    assert_int_equal(class->put_acl(dp, &acl), EINVAL);
    acl.id = 9;
    acl.n_rules = 1025;
    assert_int_equal(class->put_acl(dp, &acl), EINVAL);

    /* Nothing of it outlives the daemon. */
    acl.n_rules = 1024;
    assert_int_equal(class->put_acl(dp, &acl), 0);
    dp = reopen(dp);
    assert_int_equal(class->del_acl(dp, 9), ENOENT);
    assert_int_equal(class->put_acl(dp, &acl), 0);
    bed->class->close(dp, true);
}

/* Prefixes of every length have a class. */
static void
test_acl_sources(void **state OVS_UNUSED)
{
    static const uint8_t lengths[] = { 0, 64, 96, 127, 128 };
    const struct dp_class *class = bed->class;
    struct dp *dp = open_sized(MAX_ENDPOINTS);

    for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
        struct dp_prefix prefix = { .len = lengths[i] };

        assert_int_equal(class->del_acl_source(dp, &prefix), ENOENT);
        assert_int_equal(class->put_acl_source(dp, &prefix, 0), EINVAL);
        assert_int_equal(class->put_acl_source(dp, &prefix, 1), 0);
        assert_int_equal(class->put_acl_source(dp, &prefix, 2), 0);
        assert_int_equal(class->del_acl_source(dp, &prefix), 0);
        assert_int_equal(class->del_acl_source(dp, &prefix), ENOENT);
    }
    bed->class->close(dp, true);
}

/* Each mode of layer L2 is another program, and can be changed to any other
 * without being detached. */
static void
test_acl_mode(void **state OVS_UNUSED)
{
    static const enum dp_acl_mode modes[] = {
        DP_ACL_COUNT, DP_ACL_DROP, DP_ACL_OFF, DP_ACL_DROP, DP_ACL_COUNT,
    };
    struct dp *dp = open_sized(MAX_ENDPOINTS);
    struct dp_nic nic = bed->nics[0];
    uint32_t id;

    assert_int_equal(bed->class->attach_nic(dp, &nic), 0);
    for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
        id = only_nic(dp).program_id;
        nic.acl = modes[i];
        nic.stale_timeout = i & 1 ? 30 : 0;
        assert_int_equal(bed->class->attach_nic(dp, &nic), 0);
        assert_int_not_equal(only_nic(dp).program_id, id);
        assert_int_equal(only_nic(dp).nic.acl, modes[i]);
        id = only_nic(dp).program_id;
        assert_int_equal(bed->class->attach_nic(dp, &nic), 0);
        assert_int_equal(only_nic(dp).program_id, id);
    }
    bed->class->close(dp, true);
}

/* Leaves nothing behind for the next test, whatever became of this one. */
static int
clean_up(void **state OVS_UNUSED)
{
    struct dp_config config = { bed->pin_dir, MAX_ENDPOINTS };
    struct dp *dp;

    if (!bed->class->open(&config, &dp)) {
        bed->class->close(dp, true);
    }
    return 0;
}

int
dp_contract_run(struct dp_contract *contract)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_open, clean_up),
        cmocka_unit_test_teardown(test_remove, clean_up),
        cmocka_unit_test_teardown(test_endpoints, clean_up),
        cmocka_unit_test_teardown(test_full, clean_up),
        cmocka_unit_test_teardown(test_targets, clean_up),
        cmocka_unit_test_teardown(test_attach, clean_up),
        cmocka_unit_test_teardown(test_mode, clean_up),
        cmocka_unit_test_teardown(test_tag_hint, clean_up),
        cmocka_unit_test_teardown(test_stale, clean_up),
        cmocka_unit_test_teardown(test_lease, clean_up),
        cmocka_unit_test_teardown(test_sink, clean_up),
        cmocka_unit_test_teardown(test_adopt, clean_up),
        cmocka_unit_test_teardown(test_resize, clean_up),
        cmocka_unit_test_teardown(test_foreign, clean_up),
        cmocka_unit_test_teardown(test_replaced, clean_up),
        cmocka_unit_test_teardown(test_acl, clean_up),
        cmocka_unit_test_teardown(test_acl_sources, clean_up),
        cmocka_unit_test_teardown(test_acl_mode, clean_up),
        cmocka_unit_test_teardown(test_watch, clean_up),
        cmocka_unit_test_teardown(test_watch_adopted, clean_up),
        cmocka_unit_test_teardown(test_watch_replaced, clean_up),
    };

    bed = contract;
    return cmocka_run_group_tests_name("contract", tests, NULL, NULL);
}
