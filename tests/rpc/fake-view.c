/* SPDX-License-Identifier: Apache-2.0 */
/* See tests/rpc/fake-view.h. */

#include <config.h>

#include "tests/rpc/fake-view.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "openvswitch/poll-loop.h"
#include "util.h"

static void put_endpoint(struct view_endpoints *, const struct view_endpoint *,
                         const char *filter);
static void put_flow(struct view_flows *, const struct view_flow *);
static struct view_counter *copy_counters(const struct view_counter *,
                                          size_t n);

/* Counters of an interface, some of them zero. */
static const struct view_counter counters[] = {
    { "redirected", 1200, 96000 },
    { "not-local", 34, 2040 },
    { "martian-source", 0, 0 },
    { "acl-drop", 5, 300 },
    { "acl-lease", 3, 180 },
    { "direct", 77, 7700 },
    { "flow-new", 9, 540 },
};

/* The usual endpoints: one of each state and kind of address. */
static const struct view_endpoint endpoints[] = {
    { .address = "203.0.113.10", .mac = "fa:16:3e:00:00:01",
      .kind = "fip-distributed", .logical_port = "vm1",
      .network = "physnet1", .bridge = "br-ex", .vlan = 0,
      .state = "offloaded", .reason = "", .direct = false,
      .packets = 1200, .bytes = 96000, .drops = 0,
      .acl = "enforced", .acl_reason = "",
      .direct_reason = "direct-conntrack" },
    { .address = "203.0.113.11", .mac = "", .kind = "vm",
      .logical_port = "vm2", .network = "physnet1", .bridge = "",
      .vlan = 0, .state = "ineligible", .reason = "no-bridge",
      .direct = false, .direct_reason = "direct-off",
      .acl = "pass-only", .acl_reason = "no-bridge" },
    { .address = "2001:db8::10", .mac = "fa:16:3e:00:00:03", .kind = "vm",
      .logical_port = "vm3", .network = "physnet2", .bridge = "br-vlan",
      .vlan = 100, .state = "pending", .reason = "port-down",
      .direct = true, .packets = 7, .bytes = 700, .drops = 1,
      .acl = "pass-only", .acl_reason = "acl-match",
      .direct_reason = "",
      .unsolicited = { true, 432000, 12, 0 } },
};

/* Direct flows of two addresses: a connection in use, and what is not. */
static const struct view_flow flows[] = {
    { .address = "203.0.113.10", .direction = "in", .protocol = "tcp",
      .source = "198.51.100.9", .source_port = 40000,
      .destination = "203.0.113.10", .destination_port = 22,
      .new_source = "198.51.100.9", .new_destination = "10.0.0.5",
      .device = "tap1", .state = "used", .age = 3725.25, .idle = 0.125,
      .confirmed = 0.25, .packets = 1000, .bytes = 1400000 },
    { .address = "203.0.113.10", .direction = "out", .protocol = "tcp",
      .source = "10.0.0.5", .source_port = 22,
      .destination = "198.51.100.9", .destination_port = 40000,
      .new_source = "203.0.113.10", .new_destination = "198.51.100.9",
      .device = "", .state = "void", .age = 3725.25, .idle = 0.5,
      .confirmed = 1.5, .packets = 900, .bytes = 60000 },
    { .address = "2001:db8::10", .direction = "in", .protocol = "icmpv6",
      .source = "2001:db8:1::9", .source_port = 77,
      .destination = "2001:db8::10", .destination_port = 128,
      .new_source = "2001:db8:1::9", .new_destination = "2001:db8::10",
      .vlan = 100, .device = "tap3", .state = "learning", .age = 1,
      .idle = -1, .confirmed = 0.75 },
    { .address = "2001:db8::10", .direction = "out", .protocol = "udp",
      .source = "2001:db8::10", .source_port = 53,
      .destination = "2001:db8:1::9", .destination_port = 5353,
      .new_source = "2001:db8::10", .new_destination = "2001:db8:1::9",
      .new_vlan = 100, .device = "eth0", .state = "unconfirmed", .age = 60,
      .idle = 2, .confirmed = 3, .packets = 5, .bytes = 500 },
};

/* Fills 'status'. */
void
view_get_status(const struct view *view, struct view_status *status)
{
    *status = (struct view_status) {
        .chassis = xstrdup(view->empty ? ""
                           : view->chassis ? view->chassis : "hv1"),
        .version = "0.0.1", .uptime = 3725.25,
        .n_offloaded = 1, .n_pending = 1, .n_ineligible = 1,
        .n_interfaces = 1, .generation = 42, .health = view->health,
    };
    if (view->empty) {
        return;
    }
    status->direct = true;
    status->confirm_ms = 500;
    status->n_direct = 1;
    status->n_flows = 4;
    status->n_used_flows = 2;
    status->n_active_flows = 1;
    status->n_databases = 2;
    status->databases = xcalloc(2, sizeof *status->databases);
    status->databases[0] = (struct view_database) {
        xstrdup("Open_vSwitch"), xstrdup("unix:/run/db.sock"), "synced", 3,
    };
    status->databases[1] = (struct view_database) {
        xstrdup("OVN_Southbound"), xstrdup("ssl:192.0.2.1:6642"),
        "connecting", -1,
    };
    status->n_settings = 2;
    status->settings = xcalloc(2, sizeof *status->settings);
    status->settings[0] = (struct view_setting) {
        "ovn-xdp-interfaces", xstrdup("eth0,eth1"),
    };
    status->settings[1] = (struct view_setting) {
        "ovn-xdp-exclude", xstrdup(""),
    };
    status->n_problems = 1;
    status->problems = xcalloc(1, sizeof *status->problems);
    status->problems[0] = (struct view_problem) {
        xstrdup("database-down"), xstrdup("OVN_Southbound is connecting"),
    };
}

/* Frees what 'status' holds. */
void
view_status_uninit(struct view_status *status)
{
    size_t i;

    for (i = 0; i < status->n_databases; i++) {
        free(status->databases[i].name);
        free(status->databases[i].remote);
    }
    for (i = 0; i < status->n_settings; i++) {
        free(status->settings[i].value);
    }
    for (i = 0; i < status->n_problems; i++) {
        free(status->problems[i].class);
        free(status->problems[i].message);
    }
    free(status->databases);
    free(status->settings);
    free(status->problems);
    free(status->chassis);
}

/* Fills 'health': two reasons of one class unless all is well. */
void
view_get_health(const struct view *view, struct view_health *health)
{
    memset(health, 0, sizeof *health);
    health->code = view->health;
    if (view->health != VIEW_OK) {
        health->n_reasons = 2;
        health->reasons = xcalloc(2, sizeof *health->reasons);
        health->reasons[0] = (struct view_problem) {
            xstrdup("database-down"), xstrdup("Open_vSwitch is connecting"),
        };
        health->reasons[1] = (struct view_problem) {
            xstrdup("database-down"), xstrdup("OVN_Southbound is connecting"),
        };
    }
}

/* Frees what 'health' holds. */
void
view_health_uninit(struct view_health *health)
{
    size_t i;

    for (i = 0; i < health->n_reasons; i++) {
        free(health->reasons[i].class);
        free(health->reasons[i].message);
    }
    free(health->reasons);
}

/* Fills 'all': one interface that works and one that does not. */
void
view_get_interfaces(const struct view *view, struct view_interfaces *all)
{
    static const char *features[] = { "native-xdp", "ndo-xmit" };

    memset(all, 0, sizeof *all);
    if (view->empty) {
        return;
    }
    all->n = 2;
    all->interfaces = xcalloc(2, sizeof *all->interfaces);
    all->interfaces[0] = (struct view_interface) {
        .name = xstrdup("eth0"), .ifindex = 2, .layout = "routed",
        .mode = "native", .program_id = 77, .n_targets = 1,
        .targets = xcalloc(1, sizeof *all->interfaces[0].targets),
        .features = features, .n_features = 2,
        .state = "attached", .reason = "", .detail = xstrdup(""),
        .counters = copy_counters(counters, ARRAY_SIZE(counters)),
        .n_counters = ARRAY_SIZE(counters),
    };
    all->interfaces[0].targets[0] = (struct view_target) {
        .bridge = xstrdup("br-ex"), .device = xstrdup("oxp-br-ex"),
        .ifindex = 9, .kind = "veth", .state = "ready", .reason = "",
    };
    all->interfaces[1] = (struct view_interface) {
        .name = xstrdup("eth1"), .ifindex = 3, .layout = "routed",
        .mode = NULL, .program_id = 12, .state = "refused",
        .reason = "foreign-xdp", .detail = xstrdup("Program 12."),
    };
}

/* Frees what 'all' holds. */
void
view_interfaces_uninit(struct view_interfaces *all)
{
    size_t i, j;

    for (i = 0; i < all->n; i++) {
        struct view_interface *interface = &all->interfaces[i];

        for (j = 0; j < interface->n_targets; j++) {
            free(interface->targets[j].bridge);
            free(interface->targets[j].device);
        }
        free(interface->targets);
        free(interface->counters);
        free(interface->detail);
        free(interface->name);
    }
    free(all->interfaces);
}

/* Fills 'all' with the endpoints that 'filter', or NULL, lets through. */
void
view_get_endpoints(const struct view *view, const char *filter,
                   struct view_endpoints *all)
{
    size_t i;

    all->n = 0;
    all->endpoints = xcalloc(ARRAY_SIZE(endpoints) + view->n_more,
                             sizeof *all->endpoints);
    for (i = 0; !view->empty && i < ARRAY_SIZE(endpoints); i++) {
        put_endpoint(all, &endpoints[i], filter);
    }
    for (i = 0; i < view->n_more; i++) {
        struct view_endpoint endpoint = endpoints[0];
        char address[32];

        snprintf(address, sizeof address, "10.%"PRIuSIZE".%"PRIuSIZE".1",
                 i / 256 % 256, i % 256);
        endpoint.address = address;
        put_endpoint(all, &endpoint, filter);
    }
}

/* Frees what 'all' holds. */
void
view_endpoints_uninit(struct view_endpoints *all)
{
    size_t i;

    for (i = 0; i < all->n; i++) {
        struct view_endpoint *endpoint = &all->endpoints[i];

        free(endpoint->address);
        free(endpoint->mac);
        free(endpoint->logical_port);
        free(endpoint->network);
        free(endpoint->bridge);
    }
    free(all->endpoints);
}

/* Fills 'x': one address that is offloaded, with an answer of each kind, or a
 * stranger if 'subject' is another one.  "10.0.0.256" is neither. */
bool
view_get_explanation(const struct view *view, const char *subject,
                     struct view_explanation *x)
{
    bool known = !view->empty && !strcmp(subject, "203.0.113.10");

    if (!strcmp(subject, "10.0.0.256")) {
        return false;
    }
    *x = (struct view_explanation) {
        .subject = xstrdup(subject), .n_verdicts = known, .n_checks = 3,
        .verdicts = xcalloc(1, sizeof *x->verdicts),
        .checks = xcalloc(3, sizeof *x->checks),
        .redirect = known ? "offloaded" : "unknown",
        .acl = known ? "enforced" : "pass-only",
        .direct = known ? "ineligible" : "off",
    };
    if (known) {
        x->verdicts[0] = (struct view_verdict) {
            xstrdup(subject), xstrdup("vm1"), "offloaded", "",
            "enforced", "", "ineligible", "direct-conntrack",
        };
    }
    x->checks[0] = (struct view_check) {
        xstrdup(subject), "known", known ? VIEW_YES : VIEW_NO,
        xstrdup("OVN has said so"), xstrdup(""),
    };
    x->checks[1] = (struct view_check) {
        xstrdup(subject), "slow-path", VIEW_NO, xstrdup("it loops"),
        xstrdup("ip route add"),
    };
    x->checks[2] = (struct view_check) {
        xstrdup(subject), "bridge-flow", VIEW_UNKNOWN, xstrdup("no answer"),
        xstrdup(""),
    };
    return true;
}

/* Frees what 'x' holds. */
void
view_explanation_uninit(struct view_explanation *x)
{
    size_t i;

    for (i = 0; i < x->n_verdicts; i++) {
        free(x->verdicts[i].address);
        free(x->verdicts[i].logical_port);
    }
    for (i = 0; i < x->n_checks; i++) {
        free(x->checks[i].address);
        free(x->checks[i].detail);
        free(x->checks[i].fix);
    }
    free(x->verdicts);
    free(x->checks);
    free(x->subject);
}

/* Returns true if 'flow' is of 'filter', an address or a logical port. */
static bool
flow_matches(const struct view_flow *flow, const char *filter)
{
    size_t i;

    for (i = 0; i < ARRAY_SIZE(endpoints); i++) {
        if (!strcmp(endpoints[i].logical_port, filter)
            && !strcmp(endpoints[i].address, flow->address)) {
            return true;
        }
    }
    return !strcmp(flow->address, filter);
}

/* Fills 'list' with the flows that 'filter', or NULL, lets through.  Where
 * there are many endpoints, there are many flows. */
void
view_get_flows(const struct view *view, const char *filter, size_t limit,
               struct view_flows *list)
{
    size_t i, n = view->empty ? 0 : ARRAY_SIZE(flows) + view->n_more;

    *list = (struct view_flows) {
        .flows = xcalloc(MAX(1, n), sizeof *list->flows),
    };
    for (i = 0; i < n; i++) {
        const struct view_flow *flow = &flows[i % ARRAY_SIZE(flows)];

        if (!filter || flow_matches(flow, filter)) {
            list->total++;
            if (!limit || list->n < limit) {
                put_flow(list, flow);
            }
        }
    }
}

/* Frees what 'list' holds. */
void
view_flows_uninit(struct view_flows *list)
{
    size_t i;

    for (i = 0; i < list->n; i++) {
        free(list->flows[i].address);
        free(list->flows[i].source);
        free(list->flows[i].destination);
        free(list->flows[i].new_source);
        free(list->flows[i].new_destination);
        free(list->flows[i].device);
    }
    free(list->flows);
}

/* Fills 'direct', of which one side has counted. */
void
view_get_direct(const struct view *view, struct view_direct *direct)
{
    static const struct view_counter side[] = {
        { "direct", 900, 60000 }, { "flow-control", 2, 120 },
    };
    static const struct view_counter voided[] = {
        { "ovn", 4, 0 }, { "host", 1, 0 }, { "precondition", 0, 0 },
        { "vswitchd", 0, 0 },
    };
    static const char *const words[] = {
        "near-nic", "near-vm", "far-nic", "far-vm",
    };
    size_t i;

    *direct = (struct view_direct) {
        .probes = view->empty ? 0 : 1234, .unsent = 1, .expired = 17,
        .unconfirmed = 3,
        .voided = copy_counters(voided, ARRAY_SIZE(voided)),
        .n_voided = ARRAY_SIZE(voided),
    };
    for (i = 0; i < ARRAY_SIZE(words); i++) {
        direct->sides[i].side = words[i];
    }
    if (!view->empty) {
        direct->sides[1].counters = copy_counters(side, ARRAY_SIZE(side));
        direct->sides[1].n_counters = ARRAY_SIZE(side);
    }
}

/* Frees what 'direct' holds. */
void
view_direct_uninit(struct view_direct *direct)
{
    free(direct->sides[1].counters);
    free(direct->voided);
}

/* Appends a copy of the 'n' rules 'rules' to the sets of 'acls' and returns
 * it. */
static struct view_acl_set *
put_set(struct view_acls *acls, const struct view_acl_rule *rules, size_t n)
{
    struct view_acl_set *set = &acls->sets[acls->n_sets++];
    size_t i;

    set->n_rules = n;
    set->rules = xmemdup(rules, n * sizeof *rules);
    for (i = 0; i < n; i++) {
        set->rules[i].protocol = xstrdup(rules[i].protocol);
        set->rules[i].source = xstrdup(rules[i].source);
        set->rules[i].ports = xstrdup(rules[i].ports);
        set->rules[i].icmp = xstrdup(rules[i].icmp);
        set->rules[i].match = xstrdup(rules[i].match);
    }
    return set;
}

/* Appends the port 'name' to 'acls' and returns it, or NULL if 'filter' is
 * another. */
static struct view_acl_port *
put_acl_port(struct view_acls *acls, const char *name, const char *filter)
{
    struct view_acl_port *port = &acls->ports[acls->n];

    if (filter && strcmp(filter, name)) {
        return NULL;
    }
    acls->n++;
    port->logical_port = xstrdup(name);
    port->state = "enforced";
    port->reason = "";
    port->token = xstrdup("");
    return port;
}

/* A rule as most are. */
static const struct view_acl_rule usual_rule = {
    .direction = "to-lport", .tier = 1, .priority = 1002,
    .action = "allow-related", .protocol = (char *) "tcp",
    .source = (char *) "192.0.2.0/24", .ports = (char *) "22,8000-8080",
    .icmp = (char *) "",
    .match = (char *) "ip4 && ip4.src == 192.0.2.0/24 && tcp", .hits = 7,
};

/* Appends a set of three rules to 'acls' and returns it: the usual one, one
 * that words cannot say, and one that drops. */
static struct view_acl_set *
put_rules(struct view_acls *acls)
{
    struct view_acl_set *set;
    struct view_acl_rule rules[] = { usual_rule, usual_rule, usual_rule };
    char see_match[] = "match", any[] = "any", none[] = "", ip[] = "ip";
    char sources[] = "192.0.2.111,192.0.2.112,192.0.2.113,192.0.2.114,"
                     "192.0.2.115";
    char match[] = "ip4 && (tcp.dst == 1 || udp.dst == 2)";

    rules[1].protocol = rules[1].ports = see_match;
    rules[1].source = sources;
    rules[1].match = match;
    rules[2] = (struct view_acl_rule) {
        .direction = "to-lport", .tier = 2, .priority = 1, .action = "drop",
        .protocol = any, .source = any, .ports = none, .icmp = none,
        .match = ip, .flags = { "logged", "sampled" }, .n_flags = 2,
        .hits = 123456,
    };
    set = put_set(acls, rules, ARRAY_SIZE(rules));
    set->stateful = true;
    return set;
}

/* Frees what 'set' holds. */
static void
uninit_set(struct view_acl_set *set)
{
    size_t i;

    for (i = 0; set->rules && i < set->n_rules; i++) {
        free(set->rules[i].protocol);
        free(set->rules[i].source);
        free(set->rules[i].ports);
        free(set->rules[i].icmp);
        free(set->rules[i].match);
    }
    free(set->rules);
}

/* Leaves the rules out of 'acls'. */
static void
leave_out_rules(struct view_acls *acls)
{
    size_t i;

    for (i = 0; i < acls->n_sets; i++) {
        uninit_set(&acls->sets[i]);
        acls->sets[i].rules = NULL;
    }
}

/* Fills 'acls': a port with rules, one of which nothing is known, and one with
 * a rule that was not understood.  Where there are many endpoints, a list of
 * all ports leaves rules out. */
bool
view_get_acls(const struct view *view, const char *logical_port,
              struct view_acls *acls)
{
    struct view_acl_port *port;

    *acls = (struct view_acls) {
        .mode = "drop", .ports = xcalloc(3, sizeof *acls->ports),
        .sets = xcalloc(2, sizeof *acls->sets),
    };
    if (!view->empty && (port = put_acl_port(acls, "vm1", logical_port))) {
        port->set = put_rules(acls);
    }
    if (!view->empty && (port = put_acl_port(acls, "vm2", logical_port))) {
        port->state = "pass-only";
        port->reason = "acl-pending";
    }
    if (!view->empty && (port = put_acl_port(acls, "vm3", logical_port))) {
        port->state = "pass-only";
        port->reason = "acl-match";
        free(port->token);
        port->token = xstrdup("ip.ttl");
        port->column = 17;
        port->set = put_set(acls, &usual_rule, 1);
    }
    if (view->n_more && !logical_port) {
        leave_out_rules(acls);
    }
    if (logical_port && !acls->n) {
        view_acls_uninit(acls);
        return false;
    }
    return true;
}

/* Frees what 'acls' holds. */
void
view_acls_uninit(struct view_acls *acls)
{
    size_t i;

    for (i = 0; i < acls->n; i++) {
        free(acls->ports[i].token);
        free(acls->ports[i].logical_port);
    }
    for (i = 0; i < acls->n_sets; i++) {
        uninit_set(&acls->sets[i]);
    }
    free(acls->ports);
    free(acls->sets);
}

/* Returns true when it has been called for one question as often as the view
 * wants it; wakes up the caller as the daemon would. */
bool
view_ask_bridges(const struct view *view, uint64_t *question)
{
    if (++*question <= view->patience) {
        poll_immediate_wake();
        return false;
    }
    return true;
}

/* Fills 'stats'. */
void
view_get_stats(const struct view *view, struct view_stats *stats)
{
    static const struct view_counter error = { "ENXIO", 5, 0 };

    memset(stats, 0, sizeof *stats);
    stats->time_ns = 123456789012345;
    view_get_endpoints(view, NULL, &stats->endpoints);
    if (view->empty) {
        return;
    }
    stats->n_interfaces = 1;
    stats->interfaces = xcalloc(1, sizeof *stats->interfaces);
    stats->interfaces[0].name = xstrdup("eth0");
    stats->interfaces[0].counters = copy_counters(counters, 2);
    stats->interfaces[0].n_counters = 2;
    stats->redirect_errors = copy_counters(&error, 1);
    stats->n_redirect_errors = 1;
}

/* Frees what 'stats' holds. */
void
view_stats_uninit(struct view_stats *stats)
{
    size_t i;

    for (i = 0; i < stats->n_interfaces; i++) {
        free(stats->interfaces[i].name);
        free(stats->interfaces[i].counters);
    }
    free(stats->interfaces);
    free(stats->redirect_errors);
    view_endpoints_uninit(&stats->endpoints);
}

/* Fills 'vitals'. */
void
view_get_vitals(const struct view *view, struct view_vitals *vitals)
{
    *vitals = (struct view_vitals) {
        .start_time = 1700000000.5, .n_updates = 99, .n_recomputes = 17,
        .maps = {
            { "endpoints", view->empty ? 0 : 2, 65536 },
            { "interfaces", view->empty ? 0 : 1, 64 },
            { "targets", view->empty ? 0 : 1, 64 },
            { "opened", view->empty ? 0 : 9, 262144 },
            { "acl_sets", view->empty ? 0 : 2, 4096 },
            { "acl_sources", view->empty ? 0 : 6, 262144 },
            { "direct_ports", view->empty ? 0 : 1, 16384 },
        },
        .acl_lease = !view->empty, .max_flows = 262144,
    };
}

/* Fills 'features', of devices with "eth0" and no other. */
int
view_get_features(const struct view *view, const char *interface,
                  struct view_features *features)
{
    static const struct view_feature kernel[] = {
        { "xdp", 1, "Programs.", "Nothing works." },
        { "rx-vlan-tag", 0, "Reading tags.", "Needs Linux 6.8." },
        { "tcx", -1, "Nothing yet.", "Needs Linux 6.6." },
    };
    static const struct view_feature device[] = {
        { "native-xdp", 1, "Native mode.", "Generic mode." },
        { "ndo-xmit", 0, "Being a target.", "Another target." },
    };

    if (interface && strcmp(interface, "eth0")) {
        return ENODEV;
    }
    *features = (struct view_features) {
        .kernel = xstrdup("6.1.0"),
        .kernel_features = xmemdup(kernel, sizeof kernel),
        .n_kernel_features = ARRAY_SIZE(kernel),
        .libbpf = view->empty ? NULL : "v1.1", .libopenvswitch = "3.1.0",
    };
    if (!view->empty) {
        features->n_devices = 1;
        features->devices = xcalloc(1, sizeof *features->devices);
        features->devices[0] = (struct view_device) {
            .name = xstrdup("eth0"), .driver = xstrdup("veth"),
            .features = xmemdup(device, sizeof device),
            .n_features = ARRAY_SIZE(device),
        };
    }
    return 0;
}

/* Frees what 'features' holds. */
void
view_features_uninit(struct view_features *features)
{
    size_t i;

    for (i = 0; i < features->n_devices; i++) {
        free(features->devices[i].name);
        free(features->devices[i].driver);
        free(features->devices[i].features);
    }
    free(features->devices);
    free(features->kernel_features);
    free(features->kernel);
}

/* Returns a number that never changes. */
uint64_t
view_generation(const struct view *view OVS_UNUSED)
{
    return 42;
}

/* Appends a copy of 'endpoint' to 'all' if 'filter' lets it through. */
static void
put_endpoint(struct view_endpoints *all, const struct view_endpoint *endpoint,
             const char *filter)
{
    if (!filter || !strcmp(filter, endpoint->address)
        || !strcmp(filter, endpoint->logical_port)) {
        struct view_endpoint *copy = &all->endpoints[all->n++];

        *copy = *endpoint;
        copy->address = xstrdup(endpoint->address);
        copy->mac = xstrdup(endpoint->mac);
        copy->logical_port = xstrdup(endpoint->logical_port);
        copy->network = xstrdup(endpoint->network);
        copy->bridge = xstrdup(endpoint->bridge);
    }
}

/* Appends a copy of 'flow' to 'list'. */
static void
put_flow(struct view_flows *list, const struct view_flow *flow)
{
    struct view_flow *copy = &list->flows[list->n++];

    *copy = *flow;
    copy->address = xstrdup(flow->address);
    copy->source = xstrdup(flow->source);
    copy->destination = xstrdup(flow->destination);
    copy->new_source = xstrdup(flow->new_source);
    copy->new_destination = xstrdup(flow->new_destination);
    copy->device = xstrdup(flow->device);
}

/* Returns a copy of the 'n' counters 'c'. */
static struct view_counter *
copy_counters(const struct view_counter *c, size_t n)
{
    return xmemdup(c, n * sizeof *c);
}
