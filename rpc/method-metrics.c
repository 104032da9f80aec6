/* SPDX-License-Identifier: Apache-2.0 */
/* metrics.get: everything that is worth a graph or an alarm, as OpenMetrics
 * or in the text format of Prometheus.
 *
 * The number of series is bounded: by what is configured, by the lists of
 * reasons, kinds and states, and by RPC_MAX_METRICS_ENDPOINTS.  An address is
 * the only label of its counters, so that a series lives as long as the
 * address is here, whatever else changes about it. */

#include <config.h>

#include "rpc/handlers.h"

#include <json-c/json.h>
#include <string.h>

#include "openvswitch/dynamic-string.h"
#include "simap.h"
#include "util.h"

#include "plugin/view.h"
#include "rpc/error.h"
#include "rpc/limits.h"
#include "rpc/openmetrics.h"
#include "rpc/params.h"
#include "rpc/result.h"

const char rpc_schema_metrics[] = "{'type': 'string'}";

/* What the metrics are made of. */
struct sources {
    struct view_status status;  /* Databases, problems, sums. */
    struct view_interfaces interfaces; /* The NICs. */
    struct view_stats stats;    /* Counters, and the endpoints. */
    struct view_direct direct;  /* Layer L3. */
    struct view_vitals vitals;  /* Of the daemon itself. */
};

/* Names of degrees of health, indexed by enum view_health_code. */
static const char *const health_words[] = {
    [VIEW_OK] = "ok",
    [VIEW_DEGRADED] = "degraded",
    [VIEW_FAILED] = "failed",
};

static bool parse_format(const char *format, bool *prometheus,
                         struct rpc_error *);
static void sources_get(const struct view *, struct sources *);
static void sources_uninit(struct sources *);
static void put_daemon(struct openmetrics *, const struct sources *);
static void put_databases(struct openmetrics *, const struct view_status *);
static void put_database_states(struct openmetrics *,
                                const struct view_status *);
static void put_problems(struct openmetrics *, const struct view_status *);
static void put_maps(struct openmetrics *, const struct view_vitals *);
static void put_interfaces(struct openmetrics *,
                           const struct view_interfaces *);
static void put_traffic(struct openmetrics *, const struct sources *);
static void put_counters(struct openmetrics *, const struct sources *,
                         bool bytes);
static void put_counter_rows(struct openmetrics *, const char *interface,
                             const struct view_counter *, size_t n,
                             bool bytes);
static bool is_nic(const struct view_interfaces *, const char *name);
static void put_endpoints(struct openmetrics *, const struct view_endpoints *);
static void put_endpoint_sums(struct openmetrics *,
                              const struct view_endpoints *);
static void put_endpoint_kind(struct openmetrics *,
                              const struct view_endpoints *,
                              const char *kind);
static void put_endpoint_acls(struct openmetrics *,
                              const struct view_endpoints *);
static void put_endpoint_counters(struct openmetrics *,
                                  const struct view_endpoints *,
                                  uint64_t (*)(const struct view_endpoint *));
static void put_endpoint_directs(struct openmetrics *,
                                 const struct view_endpoints *);
static void put_direct(struct openmetrics *, const struct sources *);
static void put_flows(struct openmetrics *, const struct sources *);
static void put_confirmation(struct openmetrics *, const struct sources *);
static void put_sides(struct openmetrics *, const struct view_direct *,
                      bool bytes);
static void put_simap(struct openmetrics *, const struct simap *,
                      const char *label);

/* Answers metrics.get. */
struct json_object *
rpc_handle_metrics(const struct view *view,
                   struct json_object *params, struct rpc_error *error)
{
    struct ds out = DS_EMPTY_INITIALIZER;
    struct openmetrics m = { .out = &out };
    struct json_object *json;
    struct sources sources;

    if (!parse_format(params_get_string(params, "format"), &m.prometheus,
                      error)) {
        return NULL;
    }
    sources_get(view, &sources);
    put_daemon(&m, &sources);
    put_databases(&m, &sources.status);
    put_problems(&m, &sources.status);
    put_maps(&m, &sources.vitals);
    put_interfaces(&m, &sources.interfaces);
    put_traffic(&m, &sources);
    put_endpoints(&m, &sources.stats.endpoints);
    put_direct(&m, &sources);
    openmetrics_end(&m);
    sources_uninit(&sources);

    json = json_object_new_string_len(ds_cstr(&out), out.length);
    ds_destroy(&out);
    return json;
}

/* Stores whether 'format', NULL if none was given, is that of Prometheus.
 * Returns false and sets 'error' if it is none. */
static bool
parse_format(const char *format, bool *prometheus, struct rpc_error *error)
{
    *prometheus = format && !strcmp(format, "prometheus");
    if (format && !*prometheus && strcmp(format, "openmetrics")) {
        rpc_error_set(error, RPC_ERROR_INVALID_PARAMS, "format",
                      "\"%s\" is no format of metrics: openmetrics or "
                      "prometheus", format);
        return false;
    }
    return true;
}

/* Fills 's' from 'view'. */
static void
sources_get(const struct view *view, struct sources *s)
{
    view_get_status(view, &s->status);
    view_get_interfaces(view, &s->interfaces);
    view_get_stats(view, &s->stats);
    view_get_direct(view, &s->direct);
    view_get_vitals(view, &s->vitals);
}

/* Frees what 's' holds. */
static void
sources_uninit(struct sources *s)
{
    view_status_uninit(&s->status);
    view_interfaces_uninit(&s->interfaces);
    view_stats_uninit(&s->stats);
    view_direct_uninit(&s->direct);
}

/* Puts what is to be said once. */
static void
put_daemon(struct openmetrics *m, const struct sources *s)
{
    openmetrics_family(m, "build", OPENMETRICS_INFO, NULL,
                       "Version of ovn-xdpd.");
    openmetrics_count(m, 1, "version", s->status.version, NULL);
    openmetrics_family(m, "start_time_seconds", OPENMETRICS_GAUGE, "seconds",
                       "Unix time at which ovn-xdpd was started.");
    openmetrics_seconds(m, s->vitals.start_time, NULL);
    openmetrics_family(m, "health", OPENMETRICS_STATESET, NULL,
                       "Health of ovn-xdpd.");
    openmetrics_states(m, health_words, ARRAY_SIZE(health_words),
                       health_words[s->status.health], NULL, NULL);
    openmetrics_family(m, "changes", OPENMETRICS_COUNTER, NULL,
                       "Changes brought about in the datapath since the "
                       "start (the generation in status).");
    openmetrics_count(m, s->status.generation, NULL);
    openmetrics_family(m, "updates", OPENMETRICS_COUNTER, NULL,
                       "Derivations of what ought to be, after changes of "
                       "databases or devices.");
    openmetrics_count(m, s->vitals.n_updates, NULL);
    openmetrics_family(m, "recomputes", OPENMETRICS_COUNTER, NULL,
                       "Those of them that derived all endpoints anew.");
    openmetrics_count(m, s->vitals.n_recomputes, NULL);
    openmetrics_family(m, "acl_lease", OPENMETRICS_GAUGE, NULL,
                       "Whether programs may drop (1) what OVN's ACLs would, "
                       "or not (0).");
    openmetrics_count(m, s->vitals.acl_lease, NULL);
}

/* Puts the connections to databases. */
static void
put_databases(struct openmetrics *m, const struct view_status *status)
{
    size_t i;

    put_database_states(m, status);
    openmetrics_family(m, "database_connected", OPENMETRICS_GAUGE, NULL,
                       "Whether the database is connected (1) or not (0).");
    for (i = 0; i < status->n_databases; i++) {
        const struct view_database *db = &status->databases[i];

        openmetrics_count(m, (!strcmp(db->state, "syncing")
                              || !strcmp(db->state, "synced")),
                          "database", db->name, NULL);
    }
    openmetrics_family(m, "database_last_change_age_seconds",
                       OPENMETRICS_GAUGE, "seconds",
                       "Time since contents or state of the database last "
                       "changed; missing if they never have.");
    for (i = 0; i < status->n_databases; i++) {
        const struct view_database *db = &status->databases[i];

        if (db->last_change >= 0) {
            openmetrics_seconds(m, db->last_change, "database", db->name,
                                NULL);
        }
    }
}

/* Puts the states of the connections to databases. */
static void
put_database_states(struct openmetrics *m, const struct view_status *status)
{
    static const char *const states[] = {
        "disabled", "connecting", "syncing", "synced",
    };
    size_t i;

    openmetrics_family(m, "database_state", OPENMETRICS_STATESET, NULL,
                       "State of the connection to the database.");
    for (i = 0; i < status->n_databases; i++) {
        openmetrics_states(m, states, ARRAY_SIZE(states),
                           status->databases[i].state, "database",
                           status->databases[i].name);
    }
}

/* Puts the numbers of problems, by class. */
static void
put_problems(struct openmetrics *m, const struct view_status *status)
{
    struct simap counts = SIMAP_INITIALIZER(&counts);
    size_t i;

    for (i = 0; i < status->n_problems; i++) {
        simap_increase(&counts, status->problems[i].class, 1);
    }
    openmetrics_family(m, "problems", OPENMETRICS_GAUGE, NULL,
                       "Problems that an operator should look at, by class "
                       "(ovn-xdp-reasons(7)).");
    put_simap(m, &counts, "class");
    simap_destroy(&counts);
}

/* Puts how full the maps are. */
static void
put_maps(struct openmetrics *m, const struct view_vitals *vitals)
{
    size_t i;

    openmetrics_family(m, "map_entries", OPENMETRICS_GAUGE, NULL,
                       "Elements of the datapath's maps in use.");
    for (i = 0; i < VIEW_N_MAPS; i++) {
        openmetrics_count(m, vitals->maps[i].used, "map",
                          vitals->maps[i].name, NULL);
    }
    openmetrics_family(m, "map_capacity", OPENMETRICS_GAUGE, NULL,
                       "Elements that the datapath's maps have room for.");
    for (i = 0; i < VIEW_N_MAPS; i++) {
        openmetrics_count(m, vitals->maps[i].size, "map",
                          vitals->maps[i].name, NULL);
    }
}

/* Puts the states of the NICs. */
static void
put_interfaces(struct openmetrics *m, const struct view_interfaces *all)
{
    static const char *const states[] = { "attached", "waiting", "refused" };
    size_t i;

    openmetrics_family(m, "interface", OPENMETRICS_INFO, NULL,
                       "Layout and XDP mode of the NIC, and why it is not "
                       "attached.");
    for (i = 0; i < all->n; i++) {
        const struct view_interface *interface = &all->interfaces[i];

        openmetrics_count(m, 1, "interface", interface->name,
                          "layout", interface->layout, "mode",
                          interface->mode ? interface->mode : "none",
                          "reason", interface->reason, NULL);
    }
    openmetrics_family(m, "interface_state", OPENMETRICS_STATESET, NULL,
                       "State of the NIC.");
    for (i = 0; i < all->n; i++) {
        openmetrics_states(m, states, ARRAY_SIZE(states),
                           all->interfaces[i].state, "interface",
                           all->interfaces[i].name);
    }
}

/* Puts the counters of devices. */
static void
put_traffic(struct openmetrics *m, const struct sources *s)
{
    size_t i;

    openmetrics_family(m, "interface_packets", OPENMETRICS_COUNTER, NULL,
                       "Frames seen on the device, by the reason for what "
                       "became of them (ovn-xdp-reasons(7)).");
    put_counters(m, s, false);
    openmetrics_family(m, "interface_bytes", OPENMETRICS_COUNTER, "bytes",
                       "Lengths of these frames as they arrived.");
    put_counters(m, s, true);
    openmetrics_family(m, "redirect_errors", OPENMETRICS_COUNTER, NULL,
                       "Frames lost after they were redirected, by error.");
    for (i = 0; i < s->stats.n_redirect_errors; i++) {
        openmetrics_count(m, s->stats.redirect_errors[i].packets,
                          "error", s->stats.redirect_errors[i].name, NULL);
    }
}

/* Puts the packets, or the 'bytes', of all devices: NICs with all reasons,
 * outer ends of managed ports with those that have occurred. */
static void
put_counters(struct openmetrics *m, const struct sources *s, bool bytes)
{
    size_t i;

    for (i = 0; i < s->interfaces.n; i++) {
        const struct view_interface *nic = &s->interfaces.interfaces[i];

        put_counter_rows(m, nic->name, nic->counters, nic->n_counters, bytes);
    }
    for (i = 0; i < s->stats.n_interfaces; i++) {
        const struct view_interface_stats *port = &s->stats.interfaces[i];

        if (!is_nic(&s->interfaces, port->name)) {
            put_counter_rows(m, port->name, port->counters, port->n_counters,
                             bytes);
        }
    }
}

/* Puts the packets, or the 'bytes', of the 'n' 'counters' of 'interface'. */
static void
put_counter_rows(struct openmetrics *m, const char *interface,
                 const struct view_counter *counters, size_t n, bool bytes)
{
    size_t i;

    for (i = 0; i < n; i++) {
        openmetrics_count(m, bytes ? counters[i].bytes : counters[i].packets,
                          "interface", interface, "reason", counters[i].name,
                          NULL);
    }
}

/* Returns true if one of 'nics' is called 'name'. */
static bool
is_nic(const struct view_interfaces *nics, const char *name)
{
    size_t i;

    for (i = 0; i < nics->n; i++) {
        if (!strcmp(nics->interfaces[i].name, name)) {
            return true;
        }
    }
    return false;
}

/* Returns the frames that were redirected to 'endpoint'. */
static uint64_t
get_packets(const struct view_endpoint *endpoint)
{
    return endpoint->packets;
}

/* Returns the lengths of these frames. */
static uint64_t
get_bytes(const struct view_endpoint *endpoint)
{
    return endpoint->bytes;
}

/* Returns the frames to 'endpoint' that were dropped. */
static uint64_t
get_drops(const struct view_endpoint *endpoint)
{
    return endpoint->drops;
}

/* Puts what there is to say about endpoints.  Of very many, single ones have
 * no series: either all have or none, so that none comes and goes. */
static void
put_endpoints(struct openmetrics *m, const struct view_endpoints *all)
{
    bool each = all->n <= RPC_MAX_METRICS_ENDPOINTS;

    put_endpoint_sums(m, all);
    put_endpoint_acls(m, all);
    put_endpoint_directs(m, all);
    openmetrics_family(m, "endpoints_without_series", OPENMETRICS_GAUGE, NULL,
                       "Endpoints whose counters are left out because there "
                       "are too many; stats has them.");
    openmetrics_count(m, each ? 0 : all->n, NULL);
    openmetrics_family(m, "endpoint_packets", OPENMETRICS_COUNTER, NULL,
                       "Frames redirected to the address.");
    if (each) {
        put_endpoint_counters(m, all, get_packets);
    }
    openmetrics_family(m, "endpoint_bytes", OPENMETRICS_COUNTER, "bytes",
                       "Lengths of these frames as they arrived.");
    if (each) {
        put_endpoint_counters(m, all, get_bytes);
    }
    openmetrics_family(m, "endpoint_drops", OPENMETRICS_COUNTER, NULL,
                       "Frames to the address that were dropped, as OVN's "
                       "ACLs would have dropped them.");
    if (each) {
        put_endpoint_counters(m, all, get_drops);
    }
}

/* Puts the numbers of endpoints, by kind and state and by reason. */
static void
put_endpoint_sums(struct openmetrics *m, const struct view_endpoints *all)
{
    static const char *const kinds[] = {
        "vm", "fip-distributed", "fip-centralised", "router",
        "load-balancer",
    };
    struct simap reasons = SIMAP_INITIALIZER(&reasons);
    size_t i;

    openmetrics_family(m, "endpoints", OPENMETRICS_GAUGE, NULL,
                       "Addresses that OVN has placed on this chassis, by "
                       "kind and state.");
    for (i = 0; i < ARRAY_SIZE(kinds); i++) {
        put_endpoint_kind(m, all, kinds[i]);
    }
    for (i = 0; i < all->n; i++) {
        if (all->endpoints[i].reason[0]) {
            simap_increase(&reasons, all->endpoints[i].reason, 1);
        }
    }
    openmetrics_family(m, "endpoints_not_offloaded", OPENMETRICS_GAUGE, NULL,
                       "Those of them that are not offloaded, by reason "
                       "(ovn-xdp-reasons(7)).");
    put_simap(m, &reasons, "reason");
    simap_destroy(&reasons);
}

/* Puts the numbers of endpoints of 'kind', by state. */
static void
put_endpoint_kind(struct openmetrics *m, const struct view_endpoints *all,
                  const char *kind)
{
    static const char *const states[] = {
        "offloaded", "pending", "ineligible",
    };
    uint64_t n[ARRAY_SIZE(states)] = { 0 };
    size_t i, j;

    for (i = 0; i < all->n; i++) {
        for (j = 0; j < ARRAY_SIZE(states); j++) {
            n[j] += (!strcmp(all->endpoints[i].kind, kind)
                     && !strcmp(all->endpoints[i].state, states[j]));
        }
    }
    for (j = 0; j < ARRAY_SIZE(states); j++) {
        openmetrics_count(m, n[j], "kind", kind, "state", states[j], NULL);
    }
}

/* Puts the numbers of endpoints by what becomes of packets that OVN's ACLs
 * would drop, and by the reason why they are left to OVN. */
static void
put_endpoint_acls(struct openmetrics *m, const struct view_endpoints *all)
{
    static const char *const states[] = {
        "enforced", "counted", "pass-only", "off",
    };
    struct simap reasons = SIMAP_INITIALIZER(&reasons);
    uint64_t n[ARRAY_SIZE(states)] = { 0 };
    size_t i, j;

    for (i = 0; i < all->n; i++) {
        for (j = 0; j < ARRAY_SIZE(states); j++) {
            n[j] += !strcmp(all->endpoints[i].acl, states[j]);
        }
        if (all->endpoints[i].acl_reason[0]) {
            simap_increase(&reasons, all->endpoints[i].acl_reason, 1);
        }
    }
    openmetrics_family(m, "endpoints_acl", OPENMETRICS_GAUGE, NULL,
                       "Addresses by what becomes of packets that OVN's ACLs "
                       "would drop.");
    for (j = 0; j < ARRAY_SIZE(states); j++) {
        openmetrics_count(m, n[j], "acl", states[j], NULL);
    }
    openmetrics_family(m, "endpoints_acl_pass", OPENMETRICS_GAUGE, NULL,
                       "Those of them whose packets are left to OVN's ACLs, "
                       "by reason (ovn-xdp-reasons(7)).");
    put_simap(m, &reasons, "reason");
    simap_destroy(&reasons);
}

/* Puts the numbers of endpoints by whether their packets go between NIC and VM
 * directly, and by the reason why they do not. */
static void
put_endpoint_directs(struct openmetrics *m, const struct view_endpoints *all)
{
    struct simap reasons = SIMAP_INITIALIZER(&reasons);
    uint64_t n = 0;
    size_t i;

    for (i = 0; i < all->n; i++) {
        n += all->endpoints[i].direct;
        if (all->endpoints[i].direct_reason[0]) {
            simap_increase(&reasons, all->endpoints[i].direct_reason, 1);
        }
    }
    openmetrics_family(m, "endpoints_direct", OPENMETRICS_GAUGE, NULL,
                       "Addresses whose packets go between NIC and VM "
                       "directly once OVN has passed a connection.");
    openmetrics_count(m, n, NULL);
    openmetrics_family(m, "endpoints_not_direct", OPENMETRICS_GAUGE, NULL,
                       "Addresses whose packets all go by OVN, by reason "
                       "(ovn-xdp-reasons(7)).");
    put_simap(m, &reasons, "reason");
    simap_destroy(&reasons);
}

/* Puts what 'get' returns for each endpoint.  They are sorted: an address that
 * is there twice, with different tags, is put once. */
static void
put_endpoint_counters(struct openmetrics *m, const struct view_endpoints *all,
                      uint64_t (*get)(const struct view_endpoint *))
{
    size_t i = 0;

    while (i < all->n) {
        const char *address = all->endpoints[i].address;
        uint64_t sum = 0;

        for (; i < all->n && !strcmp(address, all->endpoints[i].address);
             i++) {
            sum += get(&all->endpoints[i]);
        }
        openmetrics_count(m, sum, "address", address, NULL);
    }
}

/* Puts what there is to say about layer L3. */
static void
put_direct(struct openmetrics *m, const struct sources *s)
{
    openmetrics_family(m, "direct", OPENMETRICS_GAUGE, NULL,
                       "Whether packets may go between NIC and VM directly "
                       "(1), or not (0).");
    openmetrics_count(m, s->status.direct, NULL);
    openmetrics_family(m, "direct_packets", OPENMETRICS_COUNTER, NULL,
                       "Packets seen by programs of layer L3 apart from "
                       "those of interface_packets, by side and reason "
                       "(ovn-xdp-reasons(7)).");
    put_sides(m, &s->direct, false);
    openmetrics_family(m, "direct_bytes", OPENMETRICS_COUNTER, "bytes",
                       "Lengths of these packets.");
    put_sides(m, &s->direct, true);
    put_flows(m, s);
    put_confirmation(m, s);
}

/* Puts the packets, or the 'bytes', of each side of layer L3. */
static void
put_sides(struct openmetrics *m, const struct view_direct *direct, bool bytes)
{
    size_t i, j;

    for (i = 0; i < ARRAY_SIZE(direct->sides); i++) {
        const struct view_direct_counters *side = &direct->sides[i];

        for (j = 0; j < side->n_counters; j++) {
            const struct view_counter *counter = &side->counters[j];

            openmetrics_count(m, bytes ? counter->bytes : counter->packets,
                              "side", side->side, "reason", counter->name,
                              NULL);
        }
    }
}

/* Puts the numbers of flows, and what became of them. */
static void
put_flows(struct openmetrics *m, const struct sources *s)
{
    size_t i;

    openmetrics_family(m, "direct_flows", OPENMETRICS_GAUGE, NULL,
                       "Directions of connections that are known: used, or "
                       "not, as OVN has not passed enough, they are over, or "
                       "something changed.");
    openmetrics_count(m, s->status.n_used_flows, "state", "used", NULL);
    openmetrics_count(m, s->status.n_flows - s->status.n_used_flows,
                      "state", "unused", NULL);
    openmetrics_family(m, "direct_active_flows", OPENMETRICS_GAUGE, NULL,
                       "Used ones that had packets lately.");
    openmetrics_count(m, s->status.n_active_flows, NULL);
    openmetrics_family(m, "direct_flow_capacity", OPENMETRICS_GAUGE, NULL,
                       "Flows that there is room for, of IPv4 and of IPv6 "
                       "each.");
    openmetrics_count(m, s->vitals.max_flows, NULL);
    openmetrics_family(m, "direct_flows_expired", OPENMETRICS_COUNTER, NULL,
                       "Flows that were deleted as idle or over.");
    openmetrics_count(m, s->direct.expired, NULL);
    openmetrics_family(m, "direct_flows_unconfirmed", OPENMETRICS_COUNTER,
                       NULL, "Flows that OVN ceased to confirm, without "
                       "anything having announced it.");
    openmetrics_count(m, s->direct.unconfirmed, NULL);
    openmetrics_family(m, "direct_voids", OPENMETRICS_COUNTER, NULL,
                       "How often all flows of an address were made void, "
                       "by cause.");
    for (i = 0; i < s->direct.n_voided; i++) {
        openmetrics_count(m, s->direct.voided[i].packets, "cause",
                          s->direct.voided[i].name, NULL);
    }
}

/* Puts how flows are confirmed. */
static void
put_confirmation(struct openmetrics *m, const struct sources *s)
{
    openmetrics_family(m, "direct_confirm_period_seconds", OPENMETRICS_GAUGE,
                       "seconds", "Time between two confirmations of a flow: "
                       "what OVN revokes without a word goes on for three of "
                       "them at most.");
    openmetrics_seconds(m, s->status.confirm_ms / 1000.0, NULL);
    openmetrics_family(m, "direct_probes", OPENMETRICS_COUNTER, NULL,
                       "Probes that were sent through OVN to confirm flows.");
    openmetrics_count(m, s->direct.probes, NULL);
    openmetrics_family(m, "direct_probes_unsent", OPENMETRICS_COUNTER, NULL,
                       "Probes that could not be sent.");
    openmetrics_count(m, s->direct.unsent, NULL);
}

/* Puts a sample for each element of 'simap', whose name is that of 'label'. */
static void
put_simap(struct openmetrics *m, const struct simap *simap, const char *label)
{
    const struct simap_node **sorted = simap_sort(simap);
    size_t i;

    for (i = 0; i < simap_count(simap); i++) {
        openmetrics_count(m, sorted[i]->data, label, sorted[i]->name, NULL);
    }
    free(sorted);
}
