/* SPDX-License-Identifier: Apache-2.0 */
/* The window for rpc/: interfaces, endpoints and counters. */

#include <config.h>

#include "plugin/view-lists.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "openvswitch/shash.h"
#include "packets.h"
#include "sset.h"
#include "timeval.h"
#include "util.h"

#include "bpf/abi.h"
#include "plugin/addresses.h"
#include "plugin/desired.h"
#include "plugin/limits.h"
#include "plugin/netdevs.h"
#include "plugin/reconcile.h"
#include "plugin/view-acl.h"
#include "plugin/view-direct.h"
#include "plugin/view-private.h"
#include "plugin/view.h"
#include "plugin/watch.h"

/* Counts 'state' in the size_t 'n_' if it is of a NIC that runs this daemon's
 * program and redirects. */
static void
count_nic(const struct dp_nic_state *state, void *n_)
{
    size_t *n = n_;

    *n += state->current && !state->sink && !state->nic.bridge;
}

/* Returns true if a NIC runs this daemon's program and redirects, as the
 * kernel says it now: nobody tells when somebody detaches one. */
bool
view_any_nic(const struct view *view)
{
    size_t n = 0;

    if (view->dp) {
        view->class->dump_nics(view->dp, count_nic, &n);
    }
    return n > 0;
}

/* Returns true if all NICs are switched, and one at least is to be attached:
 * nothing is to be redirected, and layer L2 has something to do. */
bool
view_only_guards(const struct view *view)
{
    bool guards = false;

    for (size_t i = 0; i < view->desired->n_interfaces; i++) {
        const struct desired_interface *iface = &view->desired->interfaces[i];

        if (!iface->switched) {
            return false;
        }
        guards |= iface->state == INTERFACE_ATTACH;
    }
    return guards;
}

/* Returns the state of 'ep', given whether 'any_nic' redirects (from
 * view_any_nic()), and stores why it is not offloaded in '*reason'. */
enum view_endpoint_state
view_endpoint_state(const struct view *view, const struct desired_endpoint *ep,
                    bool any_nic, enum reason *reason)
{
    *reason = ep->reason;
    if (ep->reason != REASON_NONE) {
        return ep->pending ? VIEW_ENDPOINT_PENDING : VIEW_ENDPOINT_INELIGIBLE;
    }
    if (!reconcile_is_installed(view->reconcile, &ep->key)) {
        bool full = reconcile_is_full(view->reconcile);
        *reason = full ? REASON_MAP_FULL : REASON_NOT_PROGRAMMED;
        return full ? VIEW_ENDPOINT_INELIGIBLE : VIEW_ENDPOINT_PENDING;
    }
    if (!any_nic && view_only_guards(view)) {
        *reason = REASON_SWITCHED;
        return VIEW_ENDPOINT_INELIGIBLE;
    }
    if (ep->bridge->reason != REASON_NONE) {
        *reason = ep->bridge->reason;
        return VIEW_ENDPOINT_PENDING;
    }
    if (!any_nic) {
        *reason = REASON_NO_INTERFACE;
        return VIEW_ENDPOINT_PENDING;
    }
    return VIEW_ENDPOINT_OFFLOADED;
}

/* Returns the word for how frames enter 'bridge'. */
static const char *
target_kind_to_string(enum target_kind kind)
{
    return (kind == TARGET_VETH ? "veth"
            : kind == TARGET_TAP ? "tap"
            : "internal");
}

/* Returns the word for the state of a target with 'reason'. */
static const char *
target_state_to_string(enum reason reason)
{
    return (reason == REASON_NONE ? "ready"
            : reason == REASON_NO_NDO_XMIT ? "refused"
            : "pending");
}

/* Fills the targets of 'dst', the same for all NICs. */
static void
get_targets(const struct view *view, struct view_interface *dst)
{
    const struct desired *desired = view->desired;

    dst->targets = xcalloc(MAX(1, desired->n_bridges), sizeof *dst->targets);
    dst->n_targets = desired->n_bridges;
    for (size_t i = 0; i < desired->n_bridges; i++) {
        const struct desired_bridge *bridge = &desired->bridges[i];
        dst->targets[i] = (struct view_target) {
            .bridge = xstrdup(bridge->name),
            .device = xstrdup(bridge->device),
            .ifindex = bridge->ifindex,
            .kind = target_kind_to_string(bridge->kind),
            .state = target_state_to_string(bridge->reason),
            .reason = reason_to_string(bridge->reason),
        };
    }
}

/* Appends 'word' to the features of 'dst' if 'has'. */
static void
add_feature(struct view_interface *dst, const char *word, bool has)
{
    if (has) {
        dst->features = xrealloc(dst->features, (dst->n_features + 1)
                                                * sizeof *dst->features);
        dst->features[dst->n_features++] = word;
    }
}

/* Fills the features of 'dst' with those of 'dev'. */
static void
get_features(const struct netdev_info *dev, struct view_interface *dst)
{
    add_feature(dst, "native-xdp", dev->native);
    add_feature(dst, "ndo-xmit", dev->ndo_xmit);
    add_feature(dst, "ndo-xmit-sg", dev->ndo_xmit_sg);
    add_feature(dst, "vlan-strip", dev->strips_vlan);
    add_feature(dst, "vlan-hint", dev->tag_hint);
}

/* Returns the counters of the device 'name' by reason, their number in '*np',
 * without zeros if 'brief'.  The caller frees them. */
static struct view_counter *
get_counters(const struct view *view, const char *name, bool brief, size_t *np)
{
    struct dp_counter raw[N_PACKET_REASONS];
    struct view_counter *counters = xcalloc(N_PACKET_REASONS,
                                            sizeof *counters);

    *np = 0;
    if (!view->dp || view->class->nic_counters(view->dp, name, raw)) {
        return counters;
    }
    for (size_t i = 0; i < N_PACKET_REASONS; i++) {
        if (!brief || raw[i].packets) {
            counters[(*np)++] = (struct view_counter) {
                packet_reason_to_string(i), raw[i].packets, raw[i].bytes };
        }
    }
    return counters;
}

/* A search for a device among those with a program of ours. */
struct nic_search {
    const char *name;           /* Device looked for. */
    bool found;                 /* 'state' is of that device. */
    struct dp_nic_state state;  /* What was found. */
};

/* Notes 'state' in the struct nic_search 'aux' if it is the one. */
static void
match_nic(const struct dp_nic_state *state, void *aux)
{
    struct nic_search *search = aux;

    if (!strcmp(state->nic.name, search->name)) {
        search->found = true;
        search->state = *state;
    }
}

/* Returns true if 'iface' is to be attached and has a program of ours, as the
 * kernel says it now. */
bool
view_interface_is_attached(const struct view *view,
                           const struct desired_interface *iface)
{
    struct nic_search search = { .name = iface->name };

    if (iface->state == INTERFACE_ATTACH) {
        view->class->dump_nics(view->dp, match_nic, &search);
    }
    return search.found;
}

/* Returns true if 'iface' was attached and, by nobody's doing here, is not any
 * more. */
bool
view_interface_is_detached(const struct view *view,
                           const struct desired_interface *iface)
{
    return (iface->state == INTERFACE_ATTACH && view->programmed
            && !reconcile_attach_error(view->reconcile, iface->name)
            && !view_interface_is_attached(view, iface));
}

/* Sets state, mode, program and reason of 'dst' for 'iface', which is to be
 * attached. */
static void
set_attach_state(const struct view *view,
                 const struct desired_interface *iface,
                 struct view_interface *dst)
{
    struct nic_search search = { .name = iface->name };
    int error = reconcile_attach_error(view->reconcile, iface->name);

    view->class->dump_nics(view->dp, match_nic, &search);
    if (search.found) {
        dst->state = "attached";
        dst->mode = (search.state.nic.mode == DP_NATIVE ? "native"
                     : "generic");
        dst->program_id = search.state.program_id;
    } else if (error) {
        dst->state = "refused";
        dst->reason = reason_to_string(error == ENOSPC
                                       ? REASON_TOO_MANY_INTERFACES
                                       : REASON_ATTACH_FAILED);
        free(dst->detail);
        dst->detail = xstrdup(ovs_strerror(error));
    } else if (view->programmed) {
        dst->reason = reason_to_string(REASON_DETACHED);
    }
}

/* Fills 'dst' with 'iface'. */
static void
set_interface(const struct view *view, const struct desired_interface *iface,
              struct view_interface *dst)
{
    const struct netdev_info *dev = netdevs_find(view->netdevs, iface->name);

    *dst = (struct view_interface) {
        .name = xstrdup(iface->name),
        .ifindex = iface->ifindex,
        .layout = iface->switched ? "switched" : "routed",
        .state = iface->state == INTERFACE_REFUSED ? "refused" : "waiting",
        .reason = reason_to_string(iface->reason),
        .detail = xstrdup(iface->detail ? iface->detail : ""),
    };
    if (iface->state == INTERFACE_ATTACH) {
        set_attach_state(view, iface, dst);
    } else if (iface->reason == REASON_FOREIGN_XDP && dev) {
        dst->program_id = dev->xdp_program_id;
    }
    if (dev) {
        get_features(dev, dst);
    }
    if (!iface->switched) {
        get_targets(view, dst);
    }
    dst->counters = get_counters(view, iface->name, false, &dst->n_counters);
}

/* Fills '*list' with all interfaces. */
void
view_get_interfaces(const struct view *view, struct view_interfaces *list)
{
    const struct desired *desired = view->desired;

    *list = (struct view_interfaces) { NULL, 0 };
    if (desired) {
        list->n = desired->n_interfaces;
        list->interfaces = xcalloc(MAX(1, list->n), sizeof *list->interfaces);
        for (size_t i = 0; i < list->n; i++) {
            set_interface(view, &desired->interfaces[i],
                          &list->interfaces[i]);
        }
    }
}

/* Frees what 'list' holds. */
void
view_interfaces_uninit(struct view_interfaces *list)
{
    for (size_t i = 0; i < list->n; i++) {
        struct view_interface *iface = &list->interfaces[i];
        for (size_t j = 0; j < iface->n_targets; j++) {
            free(iface->targets[j].bridge);
            free(iface->targets[j].device);
        }
        free(iface->name);
        free(iface->targets);
        free(iface->features);
        free(iface->detail);
        free(iface->counters);
    }
    free(list->interfaces);
}

/* Compares two struct desired_endpoint by address, for qsort(). */
static int
compare_endpoints(const void *a_, const void *b_)
{
    const struct desired_endpoint *const *a = a_;
    const struct desired_endpoint *const *b = b_;

    return memcmp(&(*a)->key.addr, &(*b)->key.addr, sizeof (*a)->key.addr);
}

/* Returns true if 'ep' is what 'filter' asks for: an address in 'ip' unless
 * that is NULL, otherwise a logical port. */
static bool
endpoint_matches(const struct desired_endpoint *ep, const char *filter,
                 const struct in6_addr *ip)
{
    return (!filter || (ip ? ipv6_addr_equals(ip, &ep->key.addr)
                        : !strcmp(filter, ep->logical_port)));
}

/* Returns the endpoints that match 'filter', sorted by address, their number
 * in '*np'.  The caller frees the array. */
static const struct desired_endpoint **
sort_endpoints(const struct desired *desired, const char *filter, size_t *np)
{
    const struct desired_endpoint **sorted, *ep;
    struct in6_addr ip;
    bool is_ip = filter && address_parse(filter, &ip);

    *np = 0;
    sorted = xcalloc(MAX(1, hmap_count(&desired->endpoints)), sizeof *sorted);
    HMAP_FOR_EACH (ep, node, &desired->endpoints) {
        if (endpoint_matches(ep, filter, is_ip ? &ip : NULL)) {
            sorted[(*np)++] = ep;
        }
    }
    qsort(sorted, *np, sizeof *sorted, compare_endpoints);
    return sorted;
}

/* Fills 'dst' with 'ep'; 'any_nic' is from view_any_nic(). */
static void
set_endpoint(const struct view *view, const struct desired_endpoint *ep,
             bool any_nic, struct view_endpoint *dst)
{
    static const char *const states[] = {
        [VIEW_ENDPOINT_OFFLOADED] = "offloaded",
        [VIEW_ENDPOINT_PENDING] = "pending",
        [VIEW_ENDPOINT_INELIGIBLE] = "ineligible",
    };
    struct dp_counter counter = { 0, 0 }, drops;
    char text[INET6_ADDRSTRLEN];
    enum reason reason, acl_reason, direct_reason;

    ipv6_string_mapped(text, &ep->key.addr);
    dst->address = xstrdup(text);
    dst->mac = xasprintf(ETH_ADDR_FMT, ETH_ADDR_ARGS(ep->mac));
    dst->kind = endpoint_kind_to_string(ep->kind);
    dst->logical_port = xstrdup(ep->logical_port);
    dst->network = xstrdup(ep->network);
    dst->bridge = xstrdup(ep->bridge ? ep->bridge->name : "");
    dst->vlan = ep->vlan;
    dst->state = states[view_endpoint_state(view, ep, any_nic, &reason)];
    dst->reason = reason_to_string(reason);
    dst->acl = view_acl_state(view, ep, &acl_reason);
    dst->acl_reason = reason_to_string(acl_reason);
    view_direct_state(view, ep, &direct_reason);
    dst->direct = direct_reason == REASON_NONE;
    dst->direct_reason = reason_to_string(direct_reason);
    view->class->endpoint_counter(view->dp, &ep->key, &counter);
    dst->packets = counter.packets;
    dst->bytes = counter.bytes;
    view_endpoint_drops(view, ep, &drops);
    dst->drops = drops.packets;
    view_unsolicited(view, ep, &dst->unsolicited);
}

/* Fills '*list' with the endpoints that match 'filter'. */
void
view_get_endpoints(const struct view *view, const char *filter,
                   struct view_endpoints *list)
{
    *list = (struct view_endpoints) { NULL, 0 };
    if (!view->desired) {
        return;
    }

    bool any_nic = view_any_nic(view);
    const struct desired_endpoint **sorted
        = sort_endpoints(view->desired, filter, &list->n);
    list->endpoints = xcalloc(MAX(1, list->n), sizeof *list->endpoints);
    for (size_t i = 0; i < list->n; i++) {
        set_endpoint(view, sorted[i], any_nic, &list->endpoints[i]);
    }
    free(sorted);
}

/* Frees what 'list' holds. */
void
view_endpoints_uninit(struct view_endpoints *list)
{
    for (size_t i = 0; i < list->n; i++) {
        free(list->endpoints[i].address);
        free(list->endpoints[i].mac);
        free(list->endpoints[i].logical_port);
        free(list->endpoints[i].network);
        free(list->endpoints[i].bridge);
    }
    free(list->endpoints);
}

/* Returns the name of 'error' as <errno.h> has it.  0 stands for frames that a
 * driver dropped without saying why, mostly because its ring was full. */
static const char *
errno_name(int error)
{
    const char *name = error ? strerrorname_np(error) : "unspecified";
    return name ? name : "other";
}

/* Adds the errors behind redirects to the struct view_stats 'stats_'.  Those
 * without a name of their own are one row. */
static void
add_redirect_error(int error, uint64_t packets, void *stats_)
{
    struct view_stats *stats = stats_;

    for (size_t i = 0; i < stats->n_redirect_errors; i++) {
        if (!strcmp(stats->redirect_errors[i].name, errno_name(error))) {
            stats->redirect_errors[i].packets += packets;
            return;
        }
    }
    stats->redirect_errors
        = xrealloc(stats->redirect_errors, (stats->n_redirect_errors + 1)
                                           * sizeof *stats->redirect_errors);
    stats->redirect_errors[stats->n_redirect_errors++]
        = (struct view_counter) { errno_name(error), packets, 0 };
}

/* Fills the interfaces of 'stats': NICs and outer ends of managed ports. */
static void
get_interface_stats(const struct view *view, struct view_stats *stats)
{
    const struct sset *names = reconcile_attached(view->reconcile);
    const char **sorted = sset_sort(names);

    stats->n_interfaces = sset_count(names);
    stats->interfaces = xcalloc(MAX(1, stats->n_interfaces),
                                sizeof *stats->interfaces);
    for (size_t i = 0; i < stats->n_interfaces; i++) {
        struct view_interface_stats *iface = &stats->interfaces[i];
        iface->name = xstrdup(sorted[i]);
        iface->counters = get_counters(view, sorted[i], true,
                                       &iface->n_counters);
    }
    free(sorted);
}

/* Fills '*stats'. */
void
view_get_stats(const struct view *view, struct view_stats *stats)
{
    struct timespec now;

    memset(stats, 0, sizeof *stats);
    xclock_gettime(CLOCK_MONOTONIC, &now);
    stats->time_ns = now.tv_sec * 1000000000ULL + now.tv_nsec;
    view_get_endpoints(view, NULL, &stats->endpoints);
    if (view->dp) {
        get_interface_stats(view, stats);
        view->class->redirect_errors(view->dp, add_redirect_error, stats);
    }
}

/* Frees what 'stats' holds. */
void
view_stats_uninit(struct view_stats *stats)
{
    for (size_t i = 0; i < stats->n_interfaces; i++) {
        free(stats->interfaces[i].name);
        free(stats->interfaces[i].counters);
    }
    free(stats->interfaces);
    free(stats->redirect_errors);
    view_endpoints_uninit(&stats->endpoints);
}

/* Counts an endpoint of the datapath in the uint64_t 'n_'. */
static void
count_endpoint(const struct dp_endpoint *endpoint OVS_UNUSED, void *n_)
{
    uint64_t *n = n_;

    ++*n;
}

/* Counts an attached device in the uint64_t 'n_', managed ports too. */
static void
count_attached(const struct dp_nic_state *state OVS_UNUSED, void *n_)
{
    uint64_t *n = n_;

    ++*n;
}

/* Returns the number of bridges whose device is a target of redirects. */
static uint64_t
count_targets(const struct view *view)
{
    const struct desired *desired = view->desired;
    uint64_t n = 0;

    for (size_t i = 0; desired && i < desired->n_bridges; i++) {
        int ifindex = desired->bridges[i].ifindex;
        n += ifindex && view->class->has_target(view->dp, ifindex);
    }
    return n;
}

/* Fills '*vitals'. */
void
view_get_vitals(const struct view *view, struct view_vitals *vitals)
{
    *vitals = (struct view_vitals) {
        .start_time = view->started_wall / 1000.0,
        .n_updates = view->n_updates,
        .n_recomputes = view->n_recomputes,
        .acl_lease = view_acl_is_leased(view),
        .max_flows = view->max_flows,
        .maps = {
            { .name = "endpoints", .size = view->max_endpoints },
            { .name = "interfaces", .size = OX_MAX_NICS },
            { .name = "targets", .size = OX_MAX_TARGETS },
            { .name = "opened", .size = OX_MAX_OPENED,
              .used = view->watch ? watch_n_opened(view->watch) : 0 },
            { .name = "acl_sets", .size = OX_MAX_ACL_SETS },
            { .name = "acl_sources", .size = OX_MAX_ACL_SOURCES },
            { .name = "direct_ports", .size = MAX_DIRECT_ADDRESSES },
        },
    };
    if (view->dp) {
        view->class->dump_endpoints(view->dp, count_endpoint,
                                    &vitals->maps[0].used);
        view->class->dump_nics(view->dp, count_attached,
                               &vitals->maps[1].used);
        vitals->maps[2].used = count_targets(view);
    }
    view_acl_usage(view, &vitals->maps[4].used, &vitals->maps[5].used);
    vitals->maps[6].used = view_direct_n_ports(view);
}
