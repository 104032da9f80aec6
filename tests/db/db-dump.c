/* SPDX-License-Identifier: Apache-2.0 */
/* Prints views of databases; see db-dump.h.  What is unset is not printed, so
 * that a test can say in one line what it expects. */
#include <config.h>

#include "tests/db/db-dump.h"

#include <stdlib.h>
#include <string.h>

#include "openvswitch/dynamic-string.h"
#include "packets.h"
#include "svec.h"
#include "util.h"

#include "idl/nat-fact.h"
#include "idl/nb-db.h"
#include "idl/ovs-db.h"
#include "idl/sb-db.h"

/* Appends " KEY=VALUE" to 'ds', unless 'value' is NULL. */
static void
put_string(struct ds *ds, const char *key, const char *value)
{
    if (value) {
        ds_put_format(ds, " %s=%s", key, value);
    }
}

/* Appends " KEY=[A; B]" to 'ds', unless 'set' is empty. */
static void
put_set(struct ds *ds, const char *key, const struct sset *set)
{
    if (sset_is_empty(set)) {
        return;
    }

    const char **array = sset_sort(set);
    ds_put_format(ds, " %s=[", key);
    for (size_t i = 0; array[i]; i++) {
        ds_put_format(ds, "%s%s", i ? "; " : "", array[i]);
    }
    ds_put_char(ds, ']');
    free(array);
}

/* Returns 'b' as one line without its end; the caller frees it. */
char *
dump_sb_binding(const struct sb_binding *b)
{
    struct ds ds = DS_EMPTY_INITIALIZER;

    ds_put_format(&ds, "%s type=%s%s%s%s%s dp=%08x", b->logical_port, b->type,
                  b->here ? " here" : "",
                  b->additional ? " additional" : "",
                  b->additional && !b->activated ? " not-activated" : "",
                  b->up ? " up" : "", b->datapath.parts[0]);
    put_set(&ds, "macs", &b->macs);
    put_set(&ds, "nat", &b->nat_addresses);
    put_set(&ds, "allowed", &b->port_security);
    put_string(&ds, "network", b->network_name);
    put_string(&ds, "l3gateway", b->l3gateway_chassis);
    put_string(&ds, "distributed", b->distributed_port);
    put_string(&ds, "peer", b->peer);
    put_string(&ds, "virtual-parent", b->virtual_parent);
    put_string(&ds, "parent", b->parent_port);
    if (b->tag >= 0) {
        ds_put_format(&ds, " tag=%d", b->tag);
    }
    ds_put_cstr(&ds, b->mirrored ? " mirrored" : "");
    ds_put_cstr(&ds, b->shared ? " shared" : "");
    ds_put_cstr(&ds, b->qos ? " qos" : "");
    return ds_steal_cstr(&ds);
}

/* Returns 'view' as text, a line for each binding, sorted; the caller frees
 * it. */
char *
dump_sb_view(const struct sb_view *view)
{
    struct svec lines = SVEC_EMPTY_INITIALIZER;
    const struct sb_binding *b;

    HMAP_FOR_EACH (b, node, &view->bindings) {
        svec_add_nocopy(&lines, dump_sb_binding(b));
    }
    svec_sort(&lines);

    struct ds ds = DS_EMPTY_INITIALIZER;
    ds_put_format(&ds, "%s%s\n", view->complete ? "complete" : "incomplete",
                  view->chassis_found ? " chassis" : "");
    for (size_t i = 0; i < lines.n; i++) {
        ds_put_format(&ds, "%s\n", lines.names[i]);
    }
    svec_destroy(&lines);
    return ds_steal_cstr(&ds);
}

/* Returns the binding of 'logical_port' in 'view', or NULL. */
const struct sb_binding *
find_sb_binding(const struct sb_view *view, const char *logical_port)
{
    const struct sb_binding *b;

    HMAP_FOR_EACH (b, node, &view->bindings) {
        if (!strcmp(b->logical_port, logical_port)) {
            return b;
        }
    }
    return NULL;
}

/* Returns 'fact' as one line without its end; the caller frees it. */
static char *
dump_nat_fact(const struct nat_fact *fact)
{
    struct ds ds = DS_EMPTY_INITIALIZER;

    ipv6_format_mapped(&fact->ip, &ds);
    ds_put_format(&ds, " at=%s", fact->router_port);
    if (fact->kind == NAT_FACT_LB) {
        ds_put_cstr(&ds, " lb");
    }
    if (fact->distributed) {
        ds_put_format(&ds, " mac="ETH_ADDR_FMT, ETH_ADDR_ARGS(fact->mac));
    }
    put_string(&ds, "resident", fact->resident);
    return ds_steal_cstr(&ds);
}

/* Appends to 'ds' a line for each of 'facts', sorted. */
static void
put_facts(struct ds *ds, const struct hmap *facts)
{
    struct svec lines = SVEC_EMPTY_INITIALIZER;
    const struct nat_fact *fact;

    HMAP_FOR_EACH (fact, node, facts) {
        svec_add_nocopy(&lines, dump_nat_fact(fact));
    }
    svec_sort(&lines);
    for (size_t i = 0; i < lines.n; i++) {
        ds_put_format(ds, "%s\n", lines.names[i]);
    }
    svec_destroy(&lines);
}

/* Returns the facts of 'view' as text, a line for each, sorted; the caller
 * frees it. */
char *
dump_sb_facts(const struct sb_view *view)
{
    struct ds ds = DS_EMPTY_INITIALIZER;

    put_facts(&ds, &view->facts);
    return ds_steal_cstr(&ds);
}

/* Appends to 'ds' the names of the datapaths of 'flow', as much of them as
 * tells them apart. */
static void
put_datapaths(struct ds *ds, const struct sb_acl_flow *flow)
{
    for (size_t i = 0; i < flow->n_datapaths; i++) {
        ds_put_format(ds, "%s%08x", i ? "," : " dp=",
                      flow->datapaths[i].parts[0]);
    }
}

/* Returns 'flow' as one line without its end; the caller frees it. */
char *
dump_sb_acl_flow(const struct sb_acl_flow *flow)
{
    static const char *const stages[] = {
        [SB_ACL_PRE] = "pre",
        [SB_ACL_EVAL] = "eval",
        [SB_ACL_FROM] = "from",
        [SB_ACL_ACTION] = "action",
        [SB_ACL_SWITCH_LB] = "switch-lb",
        [SB_ACL_ROUTER_DNAT] = "router-dnat",
        [SB_ACL_ROUTER_POLICY] = "router-policy",
        [SB_ACL_ROUTER_ROUTE] = "router-route",
        [SB_ACL_ROUTER_SNAT] = "router-snat",
        [SB_ACL_MIRROR_IN] = "mirror-in",
        [SB_ACL_MIRROR_OUT] = "mirror-out",
    };
    struct ds ds = DS_EMPTY_INITIALIZER;

    ds_put_format(&ds, "flow %s %d%s", stages[flow->stage], flow->priority,
                  flow->ct_translated ? " ct-translated" : "");
    put_datapaths(&ds, flow);
    ds_put_format(&ds, " %s -> %s", flow->match, flow->actions);
    return ds_steal_cstr(&ds);
}

/* Adds to 'lines' one for each port group, address set, datapath and link of
 * 'view'. */
static void
add_acl_names(struct svec *lines, const struct sb_acl_view *view)
{
    const struct sb_acl_datapath *datapath;
    const struct sb_port_group *group;
    const struct sb_address_set *set;
    const struct sb_acl_link *link;

    HMAP_FOR_EACH (link, node, &view->links) {
        svec_add_nocopy(lines, xasprintf("link %s to=%08x", link->router_port,
                                         link->network.parts[0]));
    }
    HMAP_FOR_EACH (group, node, &view->port_groups) {
        struct ds ds = DS_EMPTY_INITIALIZER;

        ds_put_format(&ds, "group %s", group->name);
        put_set(&ds, "ports", &group->ports);
        ds_put_cstr(&ds, group->entrance ? " entrance" : "");
        svec_add_nocopy(lines, ds_steal_cstr(&ds));
    }
    HMAP_FOR_EACH (set, node, &view->address_sets) {
        struct ds ds = DS_EMPTY_INITIALIZER;

        ds_put_format(&ds, "set %s", set->name);
        put_set(&ds, "addresses", &set->addresses);
        svec_add_nocopy(lines, ds_steal_cstr(&ds));
    }
    HMAP_FOR_EACH (datapath, node, &view->datapaths) {
        svec_add_nocopy(lines, xasprintf("datapath %08x key=%"PRId64,
                                         datapath->uuid.parts[0],
                                         datapath->tunnel_key));
    }
}

/* Returns 'view' as text, a line for each flow, port group and so on, sorted;
 * the caller frees it. */
char *
dump_sb_acl(const struct sb_acl_view *view)
{
    struct svec lines = SVEC_EMPTY_INITIALIZER;
    const struct sb_acl_flow *flow;
    struct ds ds = DS_EMPTY_INITIALIZER;

    HMAP_FOR_EACH (flow, node, &view->flows) {
        svec_add_nocopy(&lines, dump_sb_acl_flow(flow));
    }
    add_acl_names(&lines, view);
    svec_sort(&lines);

    ds_put_format(&ds, "%s%s", view->complete ? "complete" : "incomplete",
                  view->current ? " current" : "");
    put_set(&ds, "ports", &view->ports);
    put_set(&ds, "entrances", &view->entrances);
    ds_put_char(&ds, '\n');
    for (size_t i = 0; i < lines.n; i++) {
        ds_put_format(&ds, "%s\n", lines.names[i]);
    }
    svec_destroy(&lines);
    return ds_steal_cstr(&ds);
}

/* Returns 'view' as text, a line for each fact, sorted, and then one for each
 * thing that could not be read; the caller frees it. */
char *
dump_nb_view(const struct nb_view *view)
{
    struct ds ds = DS_EMPTY_INITIALIZER;

    put_facts(&ds, &view->facts);

    const char **bad = sset_sort(&view->bad);
    for (size_t i = 0; bad[i]; i++) {
        ds_put_format(&ds, "%s\n", bad[i]);
    }
    free(bad);
    if (!view->complete) {
        ds_put_cstr(&ds, "incomplete\n");
    }
    return ds_steal_cstr(&ds);
}

/* Appends 'port' to 'ds'. */
static void
put_ovs_port(struct ds *ds, const struct ovs_port *port)
{
    ds_put_format(ds, "  %s", port->name);
    put_string(ds, "managed", port->managed);
    if (port->tag >= 0) {
        ds_put_format(ds, " tag=%d", port->tag);
    }
    for (size_t i = 0; i < port->n_ifaces; i++) {
        const struct ovs_iface *iface = &port->ifaces[i];

        ds_put_format(ds, " %s(%s,%d%s%s", iface->name, iface->type,
                      iface->ofport, iface->error ? "," : "",
                      iface->error ? iface->error : "");
        put_string(ds, "id", iface->iface_id);
        ds_put_format(ds, "%s)", iface->policed ? " policed" : "");
    }
    ds_put_cstr(ds, port->qos ? " qos" : "");
    ds_put_cstr(ds, port->mirrored ? " mirrored" : "");
    ds_put_char(ds, '\n');
}

/* Returns 'view' as text; the caller frees it. */
char *
dump_ovs_view(const struct ovs_view *view)
{
    struct ds ds = DS_EMPTY_INITIALIZER;
    const struct smap_node **ids = smap_sort(&view->external_ids);

    ds_put_format(&ds, "%s hostname=%s",
                  view->complete ? "complete" : "incomplete", view->hostname);
    put_string(&ds, "key", view->ssl_private_key);
    put_string(&ds, "cert", view->ssl_certificate);
    put_string(&ds, "ca", view->ssl_ca_cert);
    ds_put_format(&ds, "%s%s%s\n", view->ssl_bootstrap ? " bootstrap" : "",
                  view->hw_offload ? " hw-offload" : "",
                  view->ct_timeouts ? " ct-timeouts" : "");
    for (size_t i = 0; i < smap_count(&view->external_ids); i++) {
        ds_put_format(&ds, "%s=%s\n", ids[i]->key, ids[i]->value);
    }
    for (size_t i = 0; i < view->n_bridges; i++) {
        const struct ovs_bridge *bridge = &view->bridges[i];

        ds_put_format(&ds, "%s (%s)%s\n", bridge->name, bridge->datapath_type,
                      bridge->sampled ? " sampled" : "");
        for (size_t j = 0; j < bridge->n_ports; j++) {
            put_ovs_port(&ds, &bridge->ports[j]);
        }
    }
    free(ids);
    return ds_steal_cstr(&ds);
}
