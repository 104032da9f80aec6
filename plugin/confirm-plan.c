/* SPDX-License-Identifier: Apache-2.0 */
/* What the confirmation of flows is planned by; see plugin/confirm-plan.h. */
#include <config.h>

#include "plugin/confirm-plan.h"

#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "packets.h"
#include "util.h"

#include "plugin/limits.h"

/* Passes in a period, while a pass is cheap: so often is a flow probed again
 * that was not confirmed. */
#define PASSES 3

/* What passes may cost: 64k flows take some 26 ms, so one pass of them in 512
 * ms is 5 % of one CPU.  That decides about all passes but the one in each
 * period; and a period has not less than half of that for it. */
#define FLOWS_PER_MS 128

/* Least places of a set. */
#define SET_MIN_SIZE 64

/* A period that is longer than the configured one is a multiple of this, so
 * that it does not change with each flow. */
#define PERIOD_STEP_MS 100

/* How long flows are kept without a packet, in ms; and if there is hardly any
 * room left. */
#define CLOSED_MS 2000
#define LEARNING_MS 30000
#define LEARNING_TIGHT_MS 3000
#define TCP_MS 300000
#define TCP_TIGHT_MS 30000
#define OTHER_MS 60000
#define OTHER_TIGHT_MS 10000

/* Frees what 'set' holds, and empties it. */
void
plan_set_destroy(struct plan_set *set)
{
    free(set->slots);
    *set = (struct plan_set) { .slots = NULL };
}

/* Empties 'set', which keeps its room. */
void
plan_set_clear(struct plan_set *set)
{
    if (set->slots) {
        memset(set->slots, 0, set->size * sizeof *set->slots);
    }
    set->n = 0;
}

/* Returns where 'value' is in 'set', or where there is room for it.  There are
 * places and some of them are free. */
static uint64_t *
find_slot(const struct plan_set *set, uint64_t value)
{
    size_t i = value & (set->size - 1);

    while (set->slots[i] && set->slots[i] != value) {
        i = (i + 1) & (set->size - 1);
    }
    return &set->slots[i];
}

/* Gives 'set' twice the room. */
static void
expand(struct plan_set *set)
{
    struct plan_set old = *set;

    set->size = MAX(SET_MIN_SIZE, old.size * 2);
    set->slots = xcalloc(set->size, sizeof *set->slots);
    for (size_t i = 0; i < old.size; i++) {
        if (old.slots[i]) {
            *find_slot(set, old.slots[i]) = old.slots[i];
        }
    }
    free(old.slots);
}

/* Adds 'value', not 0, to 'set', unless it is there. */
void
plan_set_add(struct plan_set *set, uint64_t value)
{
    uint64_t *slot;

    if ((set->n + 1) * 2 > set->size) {
        expand(set);
    }
    slot = find_slot(set, value);
    set->n += !*slot;
    *slot = value;
}

/* Returns true if 'value', not 0, is in 'set'. */
bool
plan_set_has(const struct plan_set *set, uint64_t value)
{
    return set->n && *find_slot(set, value);
}

/* Returns the period in which all flows of 'load' can be confirmed, if
 * 'configured' is the least. */
uint32_t
plan_period(uint32_t configured, const struct plan_load *load)
{
    size_t probes = DIV_ROUND_UP(load->n_probed * 1000, PROBES_PER_S);
    size_t passes = load->n_flows / FLOWS_PER_MS / 2;
    size_t ms = MAX(probes, passes);

    return ms <= configured ? configured : ROUND_UP(ms, PERIOD_STEP_MS);
}

/* Returns the time between two passes over the flows of 'load', which are to
 * be confirmed once in 'period': at least one in a period, and more if that
 * does not cost much.  Without anything to probe, one is enough to see that
 * there is something. */
uint32_t
plan_interval(uint32_t period, const struct plan_load *load)
{
    size_t least = load->n_flows / FLOWS_PER_MS;

    return (!load->n_probed ? period
            : MAX(period / PASSES, MIN(period, least)));
}

/* Returns the time over which 'n_probes' probes are to be spread that follow
 * from a pass, if the next one is due after 'interval'. */
uint32_t
plan_window(uint32_t interval, size_t n_probes)
{
    return MAX(interval, n_probes * 1000 / PROBES_PER_S);
}

/* Returns what the programs are to be told if flows are confirmed once in
 * 'period'. */
struct dp_direct_times
plan_times(uint32_t period)
{
    return (struct dp_direct_times) {
        .soft = 2 * period,
        .step = MAX(1, period / PASSES),
        .hard = 3 * period,
    };
}

/* Returns true if 'key', of ICMP, is of answers to echo requests. */
static bool
is_echo_reply(const struct dp_flow_key *key)
{
    return (key->proto == IPPROTO_ICMP ? key->dport == ICMP4_ECHO_REPLY
            : key->dport == ICMP6_ECHO_REPLY);
}

/* Returns a number of the connection that 'flow' is one direction of, not 0.
 * That two have the same would cost some probes, and is not to be expected. */
uint64_t
plan_connection(const struct dp_flow *flow)
{
    const struct dp_flow_key *key = &flow->key;
    struct {
        struct in6_addr external; /* The VM's address outside. */
        struct in6_addr remote; /* Who it speaks with. */
        uint32_t tap;           /* The VM's device. */
        uint16_t port;          /* The VM's port; ICMP: the identifier. */
        uint16_t remote_port;   /* The other; ICMP: 1 if the VM asks. */
        uint32_t proto;         /* Protocol. */
    } c = {
        .external = flow->external,
        .remote = flow->out ? key->dst : key->src,
        .tap = flow->out ? key->scope : flow->ifindex,
        .port = flow->out ? key->sport : key->dport,
        .remote_port = flow->out ? key->dport : key->sport,
        .proto = key->proto,
    };
    ovs_u128 hash;

    if (key->proto == IPPROTO_ICMP || key->proto == IPPROTO_ICMPV6) {
        c.port = key->sport;
        c.remote_port = flow->out != is_echo_reply(key);
    }
    hash_bytes128(&c, sizeof c, 0, &hash);
    return hash.u64.lo ? hash.u64.lo : 1;
}

/* Returns true if packets of 'flow' were taken off lately. */
bool
plan_is_active(const struct dp_flow *flow, uint32_t period)
{
    return flow->state == DP_FLOW_USED && flow->used < 2 * period;
}

/* Returns true if 'flow', which is active or the other direction of one that
 * is, is to be probed before the next pass after 'interval'.
 *
 * One that has not been confirmed in its period is probed again after each
 * pass; and if it seems to be dead, only once in a period again. */
bool
plan_is_due(const struct dp_flow *flow, uint32_t period, uint32_t interval)
{
    uint64_t next = (uint64_t) flow->confirmed + interval;

    if (flow->state == DP_FLOW_CLOSED) {
        return false;
    }
    return (next >= period
            && (flow->confirmed <= 3 * period
                || flow->confirmed / period != next / period));
}

/* Returns true if OVN has ceased to confirm 'flow' though it had packets, and
 * the programs have noticed that since the last pass, 'elapsed' ms ago. */
bool
plan_has_lapsed(const struct dp_flow *flow, uint32_t period, uint32_t elapsed)
{
    uint32_t hard = plan_times(period).hard;

    return (flow->state == DP_FLOW_USED
            && flow->confirmed > hard
            && flow->confirmed - hard <= elapsed
            && flow->used < flow->confirmed - hard + period);
}

/* Returns true if 'flow', no direction of which is active, is worth nothing
 * any more.  'tight': there is hardly any room for others. */
bool
plan_is_over(const struct dp_flow *flow, bool tight)
{
    uint32_t idle = MIN(flow->used, flow->seen);

    switch (flow->state) {
    case DP_FLOW_USED:
        return idle > (flow->key.proto == IPPROTO_TCP
                       ? (tight ? TCP_TIGHT_MS : TCP_MS)
                       : tight ? OTHER_TIGHT_MS : OTHER_MS);
    case DP_FLOW_CLOSED:
        return flow->seen > CLOSED_MS;
    case DP_FLOW_LEARNING:
    case DP_FLOW_VOID:
        return flow->seen > (tight ? LEARNING_TIGHT_MS : LEARNING_MS);
    default:
        OVS_NOT_REACHED();
    }
}
