/* SPDX-License-Identifier: Apache-2.0 */
/* The window for rpc/: layer L3 and its flows. */

#include <config.h>

#include "plugin/view-direct.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "packets.h"
#include "timeval.h"
#include "util.h"

#include "plugin/addresses.h"
#include "plugin/datapath.h"
#include "plugin/desired.h"
#include "plugin/direct.h"
#include "plugin/netdevs.h"
#include "plugin/settings.h"
#include "plugin/view-acl.h"
#include "plugin/view-private.h"
#include "plugin/view.h"

/* Periods of confirmation after which a flow that OVN has not confirmed is not
 * used any more. */
#define HARD_PERIODS 3

/* Returns the word for whether packets of 'ep' are forwarded directly, and
 * stores why they are not in '*reason'. */
const char *
view_direct_state(const struct view *view, const struct desired_endpoint *ep,
                  enum reason *reason)
{
    if (!view->settings->direct) {
        *reason = REASON_DIRECT_OFF;
        return "off";
    }
    *reason = (view->direct ? direct_reason(view->direct, &ep->key)
               : REASON_DIRECT_OFF);
    if (*reason == REASON_DIRECT_OFF) {
        /* It has just been switched on. */
        *reason = REASON_NOT_PROGRAMMED;
    }
    return *reason == REASON_NONE ? "on" : "ineligible";
}

/* Fills what 'status' says of layer L3. */
void
view_direct_status(const struct view *view, struct view_status *status)
{
    struct direct_status direct;

    if (view->settings->direct && view->direct) {
        direct_get_status(view->direct, &direct);
        status->direct = direct.enabled;
        status->confirm_ms = direct.confirm.period_ms;
        status->n_direct = direct.n_ports;
        status->n_flows = direct.confirm.n_flows;
        status->n_used_flows = direct.confirm.n_used;
        status->n_active_flows = direct.confirm.n_active;
    }
}

/* Stores in '*unsolicited' when packets to 'ep' are dropped that answer
 * nothing. */
void
view_unsolicited(const struct view *view, const struct desired_endpoint *ep,
                 struct view_unsolicited *unsolicited)
{
    long long int from[DP_N_TRACKED], now = time_msec();
    uint64_t seconds[DP_N_TRACKED] = { 0 };
    enum reason reason;

    view_acl_state(view, ep, &reason);
    unsolicited->followed
        = (reason == REASON_NONE
           && view->class->tracking(view->dp, &ep->key.addr, from));
    for (int i = 0; i < DP_N_TRACKED && unsolicited->followed; i++) {
        seconds[i] = from[i] > now ? (from[i] - now + 999) / 1000 : 0;
    }
    unsolicited->tcp = seconds[DP_TRACKED_TCP];
    unsolicited->udp = seconds[DP_TRACKED_UDP];
    unsolicited->echo = seconds[DP_TRACKED_ECHO];
}

/* Returns the number of addresses that are forwarded directly. */
size_t
view_direct_n_ports(const struct view *view)
{
    struct direct_status status;

    if (!view->direct) {
        return 0;
    }
    direct_get_status(view->direct, &status);
    return status.n_ports;
}

/* A list of flows being made: those that come first in order, at most 'limit'
 * of them whenever it was cut. */
struct listing {
    const struct view *view;    /* The daemon. */
    const char *port;           /* Only flows of this logical port, or NULL. */
    const struct in6_addr *addr; /* Only those of this address, or NULL. */
    size_t limit;               /* Most flows, 0 for any number. */
    struct dp_flow *flows;      /* The flows. */
    size_t n;                   /* Number of them. */
    size_t allocated;           /* Capacity of 'flows'. */
    bool full;                  /* There are 'limit' flows up to 'last'. */
    struct dp_flow last;        /* What comes behind it is not wanted. */
    size_t total;               /* Flows that there are without a limit. */
};

/* The ends of a flow, which both directions of a connection have in common. */
struct ends {
    struct in6_addr remote;     /* Address outside. */
    uint16_t remote_port;       /* Its port; ICMP echo: the identifier. */
    uint16_t vm_port;           /* Port of the VM; likewise. */
};

/* Stores the ends of 'flow' in '*ends'. */
static void
get_ends(const struct dp_flow *flow, struct ends *ends)
{
    const struct dp_flow_key *key = &flow->key;
    bool icmp = key->proto == IPPROTO_ICMP || key->proto == IPPROTO_ICMPV6;

    memset(ends, 0, sizeof *ends);
    ends->remote = flow->out ? key->dst : key->src;
    ends->remote_port = icmp || !flow->out ? key->sport : key->dport;
    ends->vm_port = icmp || flow->out ? key->sport : key->dport;
}

/* Returns a number below, equal to or above 0 if 'a' is less than, equal to or
 * greater than 'b'. */
static int
compare_numbers(unsigned int a, unsigned int b)
{
    return a < b ? -1 : a > b;
}

/* Compares two struct dp_flow by address, protocol, ends, direction, and what
 * else tells them apart, for qsort(). */
static int
compare_flows(const void *a_, const void *b_)
{
    const struct dp_flow *a = a_, *b = b_;
    struct ends ends[2];
    int diff = memcmp(&a->external, &b->external, sizeof a->external);

    get_ends(a, &ends[0]);
    get_ends(b, &ends[1]);
    if (!diff) {
        diff = compare_numbers(a->key.proto, b->key.proto);
    }
    if (!diff) {
        diff = memcmp(&ends[0].remote, &ends[1].remote,
                      sizeof ends[0].remote);
    }
    if (!diff) {
        diff = compare_numbers(ends[0].remote_port, ends[1].remote_port);
    }
    if (!diff) {
        diff = compare_numbers(ends[0].vm_port, ends[1].vm_port);
    }
    if (!diff) {
        diff = compare_numbers(a->out, b->out);
    }
    if (!diff) {
        diff = compare_numbers(a->key.vlan, b->key.vlan);
    }
    return diff ? diff : compare_numbers(a->key.scope, b->key.scope);
}

/* Sorts the flows of 'listing', and leaves as many as there may be. */
static void
listing_cut(struct listing *listing)
{
    if (listing->n) {
        qsort(listing->flows, listing->n, sizeof *listing->flows,
              compare_flows);
    }
    if (listing->limit && listing->n >= listing->limit) {
        listing->n = listing->limit;
        listing->full = true;
        listing->last = listing->flows[listing->n - 1];
    }
}

/* Returns true if 'listing' is to have 'flow'. */
static bool
listing_wants(const struct listing *listing, const struct dp_flow *flow)
{
    const struct dp_key key = { .addr = flow->external };
    const struct desired_endpoint *ep;

    if (listing->addr) {
        return ipv6_addr_equals(listing->addr, &flow->external);
    } else if (!listing->port) {
        return true;
    }
    ep = (listing->view->desired
          ? desired_find_endpoint(listing->view->desired, &key) : NULL);
    return ep && !strcmp(ep->logical_port, listing->port);
}

/* Adds 'flow' to the struct listing 'listing_'.  There may be many times as
 * many as are wanted: it never holds much more than these, and sorts few. */
static void
listing_add(const struct dp_flow *flow, void *listing_)
{
    struct listing *listing = listing_;

    if (!listing_wants(listing, flow)) {
        return;
    }
    listing->total++;
    if (listing->full && compare_flows(flow, &listing->last) > 0) {
        return;
    }
    if (listing->limit && listing->n >= 2 * listing->limit) {
        listing_cut(listing);
    }
    if (listing->n >= listing->allocated) {
        listing->flows = x2nrealloc(listing->flows, &listing->allocated,
                                    sizeof *listing->flows);
    }
    listing->flows[listing->n++] = *flow;
}

/* Returns 'addr' as text; the caller frees it. */
static char *
format_address(const struct in6_addr *addr)
{
    char text[INET6_ADDRSTRLEN];

    ipv6_string_mapped(text, addr);
    return xstrdup(text);
}

/* Returns the word for 'proto'. */
static const char *
protocol_to_string(uint8_t proto)
{
    return (proto == IPPROTO_TCP ? "tcp"
            : proto == IPPROTO_UDP ? "udp"
            : proto == IPPROTO_ICMP ? "icmp" : "icmpv6");
}

/* Returns the word for the state of 'flow', where 'period' is that of
 * confirmation in ms, or 0 if nobody confirms. */
static const char *
flow_state(const struct dp_flow *flow, uint32_t period)
{
    static const char *const words[] = {
        [DP_FLOW_LEARNING] = "learning",
        [DP_FLOW_USED] = "used",
        [DP_FLOW_CLOSED] = "closed",
        [DP_FLOW_VOID] = "void",
    };

    return (flow->state == DP_FLOW_USED && period
            && flow->confirmed / HARD_PERIODS >= period
            ? "unconfirmed" : words[flow->state]);
}

/* Returns the name of the device 'ifindex', "" if there is none; the caller
 * frees it. */
static char *
device_name(const struct view *view, int ifindex)
{
    const struct netdev_info *dev = netdevs_find_index(view->netdevs, ifindex);

    return xstrdup(dev ? dev->name : "");
}

/* Fills '*dst' with 'flow'; for 'period' see flow_state(). */
static void
set_flow(const struct view *view, const struct dp_flow *flow, uint32_t period,
         struct view_flow *dst)
{
    const struct dp_flow_key *key = &flow->key;

    *dst = (struct view_flow) {
        .address = format_address(&flow->external),
        .direction = flow->out ? "out" : "in",
        .protocol = protocol_to_string(key->proto),
        .source = format_address(&key->src),
        .destination = format_address(&key->dst),
        .source_port = key->sport,
        .destination_port = key->dport,
        .new_source = format_address(flow->out ? &flow->nat : &key->src),
        .new_destination = format_address(flow->out ? &key->dst : &flow->nat),
        .vlan = key->vlan,
        .new_vlan = flow->push_vlan,
        .device = device_name(view, flow->ifindex),
        .state = flow_state(flow, period),
        .age = flow->age / 1000.0,
        .idle = flow->used == UINT32_MAX ? -1 : flow->used / 1000.0,
        .confirmed = flow->confirmed / 1000.0,
        .packets = flow->counter.packets,
        .bytes = flow->counter.bytes,
    };
}

/* Returns the effective period of confirmation in ms, 0 if there is none. */
static uint32_t
get_period(const struct view *view)
{
    struct direct_status status;

    direct_get_status(view->direct, &status);
    return status.confirm.period_ms;
}

/* Fills '*list'.  See plugin/view.h. */
void
view_get_flows(const struct view *view, const char *filter, size_t limit,
               struct view_flows *list)
{
    struct listing listing = { .view = view, .limit = limit };
    struct in6_addr addr;

    *list = (struct view_flows) { NULL, 0, 0 };
    if (!view->dp || !view->direct) {
        return;
    }
    if (filter && address_parse(filter, &addr)) {
        listing.addr = &addr;
    } else {
        listing.port = filter;
    }
    view->class->dump_flows(view->dp, listing_add, &listing);
    listing_cut(&listing);

    uint32_t period = get_period(view);
    list->total = listing.total;
    list->n = listing.n;
    list->flows = xcalloc(MAX(1, list->n), sizeof *list->flows);
    for (size_t i = 0; i < list->n; i++) {
        set_flow(view, &listing.flows[i], period, &list->flows[i]);
    }
    free(listing.flows);
}

/* Frees what 'list' holds. */
void
view_flows_uninit(struct view_flows *list)
{
    for (size_t i = 0; i < list->n; i++) {
        free(list->flows[i].address);
        free(list->flows[i].source);
        free(list->flows[i].destination);
        free(list->flows[i].new_source);
        free(list->flows[i].new_destination);
        free(list->flows[i].device);
    }
    free(list->flows);
}

/* Fills '*dst' with the counters of 'row'. */
static void
set_side(const struct view *view, enum dp_direct_row row,
         struct view_direct_counters *dst)
{
    static const char *const words[] = {
        [DP_DIRECT_NEAR_NIC] = "near-nic",
        [DP_DIRECT_NEAR_VM] = "near-vm",
        [DP_DIRECT_FAR_NIC] = "far-nic",
        [DP_DIRECT_FAR_VM] = "far-vm",
    };
    struct dp_counter raw[N_PACKET_REASONS];

    *dst = (struct view_direct_counters) {
        .side = words[row],
        .counters = xcalloc(N_PACKET_REASONS, sizeof *dst->counters),
    };
    if (!view->dp || !view->direct) {
        return;
    }
    memset(raw, 0, sizeof raw);
    view->class->direct_counters(view->dp, row, raw);
    for (size_t i = 0; i < N_PACKET_REASONS; i++) {
        if (raw[i].packets) {
            dst->counters[dst->n_counters++] = (struct view_counter) {
                packet_reason_to_string(i), raw[i].packets, raw[i].bytes };
        }
    }
}

/* Fills '*direct'. */
void
view_get_direct(const struct view *view, struct view_direct *direct)
{
    struct direct_status status;

    memset(&status, 0, sizeof status);
    if (view->direct) {
        direct_get_status(view->direct, &status);
    }
    *direct = (struct view_direct) {
        .probes = status.confirm.n_probes,
        .unsent = status.confirm.n_unsent,
        .expired = status.confirm.n_expired,
        .unconfirmed = status.confirm.n_unconfirmed,
        .voided = xcalloc(N_DIRECT_CAUSES, sizeof *direct->voided),
        .n_voided = N_DIRECT_CAUSES,
    };
    for (int i = 0; i < DP_N_DIRECT_ROWS; i++) {
        set_side(view, i, &direct->sides[i]);
    }
    for (int i = 0; i < N_DIRECT_CAUSES; i++) {
        direct->voided[i] = (struct view_counter) {
            direct_cause_to_string(i), status.n_void[i], 0 };
    }
}

/* Frees what 'direct' holds. */
void
view_direct_uninit(struct view_direct *direct)
{
    for (size_t i = 0; i < ARRAY_SIZE(direct->sides); i++) {
        free(direct->sides[i].counters);
    }
    free(direct->voided);
}
