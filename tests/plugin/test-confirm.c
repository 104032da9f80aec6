/* SPDX-License-Identifier: Apache-2.0 */
/* The confirmation of flows against a datapath of this file's own, in which
 * time goes by as the test likes, and OVN confirms what the test lets it. */
#include <config.h>

#include "plugin/confirm.h"

#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "packets.h"
#include "util.h"

#include "plugin/limits.h"

/* Flows that a part of a dump has. */
#define PART 4096

/* Time between a probe and its arrival. */
#define TRANSIT_MS 2

/* Length of the intervals in which probes are counted. */
#define SLOT_MS 100

/* A flow. */
struct flow {
    struct dp_flow flow;        /* As dumped, but for its ages. */
    long long int used_at;      /* Last packet that was taken off. */
    long long int seen_at;      /* Last packet that OVN passed. */
    long long int confirmed_at; /* Last packet or probe. */
    bool steady;                /* It has packets all the time. */
    bool revoked;               /* OVN passes nothing of it. */
    bool deleted;               /* It is gone. */
    unsigned int n_probes;      /* Probes so far. */
};

/* The datapath. */
struct dp {
    struct flow *flows;         /* All flows. */
    size_t n;                   /* Number of them. */
    long long int now;          /* Time. */
    struct dp_direct_times times; /* What it was told. */
    size_t n_told;              /* How often. */
    size_t n_dumps;             /* Dumps that were begun. */
    size_t n_read;              /* Flows read in this ms. */
    size_t in_slot;             /* Probes in this slot. */
    size_t most_in_slot;        /* Most in any. */
    int error;                  /* Result of probe_flows(). */
};

/* A confirm and its datapath. */
struct bed {
    struct dp dp;               /* Datapath. */
    struct confirm *confirm;    /* What is tested. */
};

/* Returns how long before the present 'then' was. */
static uint32_t
age(const struct dp *dp, long long int then)
{
    return then == LLONG_MIN ? UINT32_MAX : MAX(0, dp->now - then);
}

/* Dumps a part. */
static bool
dump_some(const struct dp *dp_, struct dp_flow_cursor *cursor,
          dp_flow_cb *cb, void *aux)
{
    struct dp *dp = CONST_CAST(struct dp *, dp_);
    size_t end = MIN(dp->n, cursor->position + PART);

    dp->n_dumps += !cursor->begun;
    cursor->begun = true;
    for (; cursor->position < end; cursor->position++) {
        struct flow *f = &dp->flows[cursor->position];
        struct dp_flow flow = f->flow;

        if (f->deleted) {
            continue;
        }
        flow.used = age(dp, f->steady ? dp->now : f->used_at);
        flow.seen = age(dp, f->seen_at);
        flow.confirmed = age(dp, f->confirmed_at);
        cb(&flow, aux);
    }
    dp->n_read += PART;
    return end < dp->n;
}

/* Returns the flow with 'key', which has its number in the source address. */
static struct flow *
find(struct dp *dp, const struct dp_flow_key *key)
{
    const struct in6_addr *addr = key->scope ? &key->dst : &key->src;
    size_t i = ntohl(in6_addr_get_mapped_ipv4(addr)) * 2 + !!key->scope;

    assert_true(i < dp->n);
    return &dp->flows[i];
}

/* Deletes a flow. */
static int
del_flow(struct dp *dp, const struct dp_flow_key *key)
{
    struct flow *flow = find(dp, key);

    if (flow->deleted) {
        return ENOENT;
    }
    flow->deleted = true;
    return 0;
}

/* Takes probes, which arrive at once, but count as of later. */
static int
probe_flows(struct dp *dp, const struct dp_flow *flows, size_t n,
            size_t *n_sent)
{
    assert_true(n > 0);
    *n_sent = 0;
    if (dp->error) {
        return dp->error;
    }
    for (size_t i = 0; i < n; i++) {
        struct flow *flow = find(dp, &flows[i].key);

        assert_memory_equal(&flow->flow.key, &flows[i].key,
                            sizeof flow->flow.key);
        flow->n_probes++;
        if (!flow->revoked) {
            flow->confirmed_at = dp->now + TRANSIT_MS;
        }
    }
    dp->in_slot += n;
    *n_sent = n;
    return 0;
}

/* Takes note of what programs are to be told. */
static void
set_times(struct dp *dp, const struct dp_direct_times *times)
{
    assert_int_equal(times->soft % 2, 0);
    assert_int_equal(times->hard, times->soft / 2 * 3);
    dp->times = *times;
    dp->n_told++;
}

static const struct dp_class class = {
    .dump_some_flows = dump_some,
    .del_flow = del_flow,
    .probe_flows = probe_flows,
    .set_direct_times = set_times,
};

/* Makes a bed with the two directions of 'n' connections of 'proto', which
 * have no packets, and were confirmed just now. */
static void
set_up(struct bed *bed, size_t n, uint8_t proto)
{
    *bed = (struct bed) {
        .dp.n = 2 * n,
        .dp.flows = xcalloc(2 * n, sizeof *bed->dp.flows),
        .dp.now = 1000000,
    };
    for (size_t i = 0; i < 2 * n; i++) {
        struct flow *f = &bed->dp.flows[i];
        struct in6_addr remote = in6_addr_mapped_ipv4(htonl(i / 2));
        struct in6_addr fixed = in6_addr_mapped_ipv4(htonl(0x0a000005));
        struct in6_addr external = in6_addr_mapped_ipv4(htonl(0xcb007105));
        struct dp_flow *flow = &f->flow;

        flow->out = i % 2;
        flow->key.src = flow->out ? fixed : remote;
        flow->key.dst = flow->out ? remote : external;
        flow->key.sport = flow->out ? 80 : 40000;
        flow->key.dport = flow->out ? 40000 : 80;
        flow->key.scope = flow->out ? 7 : 0;
        flow->key.proto = proto;
        flow->nat = flow->out ? external : fixed;
        flow->external = external;
        flow->ifindex = flow->out ? 3 : 7;
        flow->state = DP_FLOW_USED;
        f->used_at = LLONG_MIN;
        f->seen_at = f->confirmed_at = bed->dp.now;
    }
    bed->confirm = confirm_create(&class, &bed->dp, 65536);
    confirm_set_period(bed->confirm, 500);
}

/* Ends it. */
static void
tear_down(struct bed *bed)
{
    confirm_destroy(bed->confirm);
    free(bed->dp.flows);
}

/* Returns the greatest time without confirmation of a flow with packets that
 * OVN passes. */
static uint32_t
oldest(const struct dp *dp)
{
    uint32_t most = 0;

    for (size_t i = 0; i < dp->n; i++) {
        const struct flow *f = &dp->flows[i];

        if (f->steady && !f->revoked) {
            most = MAX(most, age(dp, f->confirmed_at));
        }
    }
    return most;
}

/* Lets 'ms' go by.  No packet of a flow that OVN passes is ever sent the slow
 * way for want of confirmation. */
static void
go_on(struct bed *bed, uint32_t ms)
{
    struct dp *dp = &bed->dp;

    for (long long int end = dp->now + ms; dp->now < end; dp->now++) {
        if (dp->now % SLOT_MS == 0) {
            dp->most_in_slot = MAX(dp->most_in_slot, dp->in_slot);
            dp->in_slot = 0;
            assert_true(!dp->n_told || oldest(dp) <= dp->times.soft);
        }
        dp->n_read = 0;
        while (confirm_is_due(bed->confirm, dp->now)
               && dp->n_read < 2 * PART) {
            confirm_run(bed->confirm, dp->now);
        }
    }
}

/* Returns what there is to know. */
static struct confirm_status
get_status(const struct bed *bed)
{
    struct confirm_status status;

    confirm_get_status(bed->confirm, &status);
    return status;
}

/* What is active is probed once in a period, in both directions. */
static void
test_steady(void **state OVS_UNUSED)
{
    struct bed bed;

    set_up(&bed, 20, IPPROTO_TCP);
    for (size_t i = 0; i < bed.dp.n; i += 2) {
        bed.dp.flows[i].steady = i < 20;
    }
    go_on(&bed, 20000);
    for (size_t i = 0; i < bed.dp.n; i++) {
        unsigned int n = bed.dp.flows[i].n_probes;

        if (i < 20) {
            assert_in_range(n, 38, 62);
        } else {
            assert_int_equal(n, 0);
        }
    }
    struct confirm_status status = get_status(&bed);
    assert_int_equal(status.n_flows, 40);
    assert_int_equal(status.n_used, 40);
    assert_int_equal(status.n_active, 10);
    assert_int_equal(status.period_ms, 500);
    assert_int_equal(status.n_unsent, 0);
    assert_int_equal(status.n_expired, 0);
    assert_int_equal(status.n_unconfirmed, 0);
    assert_true(status.n_probes >= 20 * 38);
    assert_in_range(bed.dp.n_dumps, 115, 125);
    assert_int_equal(bed.dp.n_told, 1);
    tear_down(&bed);
}

/* Nothing active: a pass in a period, and no probe. */
static void
test_idle(void **state OVS_UNUSED)
{
    struct bed bed;

    set_up(&bed, 20, IPPROTO_TCP);
    go_on(&bed, 10000);
    assert_int_equal(get_status(&bed).n_probes, 0);
    assert_in_range(bed.dp.n_dumps, 19, 22);
    tear_down(&bed);

    set_up(&bed, 0, IPPROTO_TCP);
    go_on(&bed, 10000);
    assert_int_equal(get_status(&bed).n_flows, 0);
    assert_in_range(bed.dp.n_dumps, 19, 22);
    tear_down(&bed);
}

/* What OVN passes no more is probed again soon, several times before it is
 * given up, and then seldom. */
static void
test_revoked(void **state OVS_UNUSED)
{
    struct bed bed;
    struct flow *flow;
    long long int last;

    set_up(&bed, 2, IPPROTO_UDP);
    flow = &bed.dp.flows[0];
    flow->steady = bed.dp.flows[2].steady = true;
    go_on(&bed, 5000);
    flow->revoked = true;
    last = flow->confirmed_at;
    flow->n_probes = 0;
    go_on(&bed, last + 500 - bed.dp.now);
    assert_in_range(flow->n_probes, 0, 1);
    go_on(&bed, 1000);
    assert_in_range(flow->n_probes, 5, 8);
    assert_int_equal(get_status(&bed).n_unconfirmed, 0);

    /* The programs leave its packets to OVN from now on. */
    flow->steady = false;
    flow->used_at = bed.dp.now;
    go_on(&bed, 500);
    assert_int_equal(get_status(&bed).n_unconfirmed, 1);
    flow->n_probes = 0;
    go_on(&bed, 10000);
    assert_in_range(flow->n_probes, 0, 2);
    assert_int_equal(get_status(&bed).n_unconfirmed, 1);
    assert_true(bed.dp.flows[2].n_probes > 25);
    tear_down(&bed);
}

/* The other direction of an active flow that is never confirmed is probed once
 * in a period, whatever state it is in. */
static void
test_other_direction(void **state OVS_UNUSED)
{
    struct bed bed;
    struct flow *other;

    set_up(&bed, 1, IPPROTO_UDP);
    bed.dp.flows[1].steady = true;
    other = &bed.dp.flows[0];
    other->flow.state = DP_FLOW_LEARNING;
    go_on(&bed, 60000);
    assert_false(other->deleted);
    assert_in_range(other->n_probes, 115, 185);
    other->revoked = true;
    go_on(&bed, 5000);
    other->n_probes = 0;
    go_on(&bed, 10000);
    assert_in_range(other->n_probes, 18, 22);
    other->flow.state = DP_FLOW_VOID;
    go_on(&bed, 40000);
    assert_false(other->deleted);
    assert_in_range(other->n_probes, 90, 110);
    assert_int_equal(get_status(&bed).n_unconfirmed, 0);

    /* An end is one, though. */
    other->flow.state = DP_FLOW_CLOSED;
    other->n_probes = 0;
    go_on(&bed, 1000);
    assert_true(other->deleted);
    assert_int_equal(other->n_probes, 0);
    tear_down(&bed);
}

/* 64k flows that were learned at the same moment are probed within the budget,
 * none late, and their probes spread. */
static void
test_budget(void **state OVS_UNUSED)
{
    const size_t per_slot = PROBES_PER_S * SLOT_MS / 1000;
    struct bed bed;
    uint64_t n_probes;

    set_up(&bed, 32768, IPPROTO_TCP);
    for (size_t i = 0; i < bed.dp.n; i++) {
        bed.dp.flows[i].steady = true;
    }
    go_on(&bed, 60000);
    assert_in_range(bed.dp.most_in_slot, per_slot / 2, per_slot * 13 / 10);
    assert_int_equal(get_status(&bed).period_ms, 6600);
    assert_int_equal(bed.dp.times.hard, 3 * 6600);
    assert_in_range(bed.dp.n_dumps, 20, 35);
    n_probes = get_status(&bed).n_probes;
    go_on(&bed, 66000);
    n_probes = get_status(&bed).n_probes - n_probes;
    assert_in_range(n_probes, 65536 * 9, 65536 * 12);
    assert_int_equal(get_status(&bed).n_unconfirmed, 0);
    tear_down(&bed);
}

/* The period grows at once and shrinks so that no flow is cut off, which
 * go_on() looks after. */
static void
test_growth(void **state OVS_UNUSED)
{
    struct bed bed;
    long long int start;

    set_up(&bed, 32768, IPPROTO_UDP);
    bed.dp.flows[0].steady = true;
    go_on(&bed, 2000);
    assert_int_equal(bed.dp.times.hard, 1500);
    for (size_t i = 0; i < bed.dp.n; i++) {
        bed.dp.flows[i].steady = true;
        bed.dp.flows[i].confirmed_at = bed.dp.now;
    }
    go_on(&bed, 600);
    assert_int_equal(bed.dp.times.hard, 3 * 6600);
    go_on(&bed, 30000);
    for (size_t i = 200; i < bed.dp.n; i++) {
        bed.dp.flows[i].steady = false;
        bed.dp.flows[i].used_at = bed.dp.now;
    }
    start = bed.dp.now;
    while (bed.dp.times.hard != 1500) {
        go_on(&bed, 100);
        assert_true(bed.dp.now < start + 3 * 3 * 6600);
    }
    assert_int_equal(get_status(&bed).period_ms, 500);
    assert_int_equal(get_status(&bed).n_active, 200);
    go_on(&bed, 10000);
    assert_int_equal(get_status(&bed).n_unconfirmed, 0);
    tear_down(&bed);
}

/* A configured period that grows holds at once, one that falls soon. */
static void
test_set_period(void **state OVS_UNUSED)
{
    struct bed bed;

    set_up(&bed, 100, IPPROTO_TCP);
    for (size_t i = 0; i < bed.dp.n; i++) {
        bed.dp.flows[i].steady = true;
    }
    assert_int_equal(bed.dp.n_told, 0);
    go_on(&bed, 1);
    assert_int_equal(bed.dp.times.hard, 1500);
    go_on(&bed, 3000);
    confirm_set_period(bed.confirm, 5000);
    assert_int_equal(bed.dp.times.hard, 15000);
    go_on(&bed, 40000);
    assert_in_range(oldest(&bed.dp), 2000, 6000);
    confirm_set_period(bed.confirm, 50);
    assert_int_equal(bed.dp.times.hard, 15000);
    go_on(&bed, 500);
    assert_int_equal(bed.dp.times.hard, 150);
    assert_int_equal(get_status(&bed).period_ms, 50);
    go_on(&bed, 5000);
    assert_int_equal(get_status(&bed).n_unconfirmed, 0);
    tear_down(&bed);
}

/* What an earlier daemon has left is not cut off before it was looked at. */
static void
test_adopted(void **state OVS_UNUSED)
{
    struct bed bed;

    set_up(&bed, 32768, IPPROTO_TCP);
    for (size_t i = 0; i < bed.dp.n; i++) {
        bed.dp.flows[i].steady = true;
        bed.dp.flows[i].confirmed_at = bed.dp.now - 6000 + i % 3000;
    }
    confirm_set_period(bed.confirm, 600);
    assert_int_equal(bed.dp.n_told, 0);
    go_on(&bed, 30000);
    assert_int_equal(bed.dp.times.hard, 3 * 6600);
    assert_int_equal(get_status(&bed).n_unconfirmed, 0);
    tear_down(&bed);
}

/* What is over is deleted, in bounded steps, and nothing else. */
static void
test_expired(void **state OVS_UNUSED)
{
    struct bed bed;

    set_up(&bed, 10000, IPPROTO_UDP);
    for (size_t i = 0; i < bed.dp.n; i++) {
        struct flow *f = &bed.dp.flows[i];

        f->flow.state = i % (DP_FLOW_VOID + 1);
        f->seen_at = bed.dp.now - 25000;
    }
    while (!bed.dp.n_told) {
        confirm_run(bed.confirm, bed.dp.now);
    }
    assert_int_equal(get_status(&bed).n_flows, 20000);
    assert_int_equal(get_status(&bed).n_expired, 0);
    go_on(&bed, 2000);
    for (size_t i = 0; i < bed.dp.n; i++) {
        assert_int_equal(bed.dp.flows[i].deleted,
                         i % (DP_FLOW_VOID + 1) == DP_FLOW_CLOSED);
    }
    assert_int_equal(get_status(&bed).n_expired, 5000);
    go_on(&bed, 5000);
    assert_int_equal(get_status(&bed).n_expired, 15000);
    go_on(&bed, 27000);
    assert_int_equal(get_status(&bed).n_expired, 15000);
    go_on(&bed, 3000);
    assert_int_equal(get_status(&bed).n_expired, 20000);
    assert_int_equal(get_status(&bed).n_flows, 0);
    tear_down(&bed);
}

/* With hardly any room left, flows live shorter. */
static void
test_tight(void **state OVS_UNUSED)
{
    struct bed bed;

    set_up(&bed, 30000, IPPROTO_UDP);
    for (size_t i = 0; i < bed.dp.n; i++) {
        bed.dp.flows[i].seen_at = bed.dp.now - 20000 * (i < 3000);
    }
    go_on(&bed, 5000);
    assert_int_equal(get_status(&bed).n_expired, 3000);
    /* There is room again, as long as the others are there. */
    assert_int_equal(get_status(&bed).n_flows, 57000);
    go_on(&bed, 20000);
    assert_int_equal(get_status(&bed).n_expired, 3000);
    tear_down(&bed);
}

/* What cannot be sent is counted, and tried again. */
static void
test_error(void **state OVS_UNUSED)
{
    struct bed bed;

    set_up(&bed, 1, IPPROTO_TCP);
    bed.dp.flows[0].steady = bed.dp.flows[0].revoked = true;
    bed.dp.flows[1].revoked = true;
    bed.dp.error = ENOBUFS;
    go_on(&bed, 1400);
    assert_int_equal(get_status(&bed).n_probes, 0);
    assert_in_range(get_status(&bed).n_unsent, 8, 16);
    bed.dp.error = 0;
    go_on(&bed, 300);
    assert_in_range(get_status(&bed).n_probes, 2, 4);
    tear_down(&bed);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_steady),
        cmocka_unit_test(test_idle),
        cmocka_unit_test(test_revoked),
        cmocka_unit_test(test_other_direction),
        cmocka_unit_test(test_budget),
        cmocka_unit_test(test_growth),
        cmocka_unit_test(test_set_period),
        cmocka_unit_test(test_adopted),
        cmocka_unit_test(test_expired),
        cmocka_unit_test(test_tight),
        cmocka_unit_test(test_error),
    };

    return cmocka_run_group_tests_name("confirm", tests, NULL, NULL);
}
