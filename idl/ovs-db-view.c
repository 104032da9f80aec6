/* SPDX-License-Identifier: Apache-2.0 */
/* Plain values of the local database; see ovs-db.h for what they mean.
 *
 * The view is read as a whole whenever something changed: a node has few
 * bridges and some hundred ports, and none of the columns read here churns. */
#include <config.h>

#include "idl/ovs-db-view.h"

#include <stdlib.h>
#include <string.h>

#include "ovsdb-idl.h"
#include "util.h"

#include "idl/ovs-idl.h"

/* Registers with 'idl' the columns that ovs_view_read() reads. */
void
ovs_view_add_columns(struct ovsdb_idl *idl)
{
    static const struct ovsdb_idl_column *const columns[] = {
        &vsrec_open_vswitch_col_bridges,
        &vsrec_open_vswitch_col_cur_cfg,
        &vsrec_open_vswitch_col_external_ids,
        &vsrec_open_vswitch_col_next_cfg,
        &vsrec_open_vswitch_col_other_config,
        &vsrec_open_vswitch_col_ssl,
        &vsrec_ssl_col_bootstrap_ca_cert,
        &vsrec_ssl_col_ca_cert,
        &vsrec_ssl_col_certificate,
        &vsrec_ssl_col_private_key,
        &vsrec_bridge_col_datapath_type,
        &vsrec_bridge_col_ipfix,
        &vsrec_bridge_col_mirrors,
        &vsrec_bridge_col_name,
        &vsrec_bridge_col_netflow,
        &vsrec_bridge_col_ports,
        &vsrec_bridge_col_sflow,
        &vsrec_ct_timeout_policy_col_timeouts,
        &vsrec_flow_sample_collector_set_col_bridge,
        &vsrec_mirror_col_select_all,
        &vsrec_mirror_col_select_dst_port,
        &vsrec_mirror_col_select_src_port,
        &vsrec_port_col_external_ids,
        &vsrec_port_col_interfaces,
        &vsrec_port_col_name,
        &vsrec_port_col_qos,
        &vsrec_port_col_tag,
        &vsrec_interface_col_error,
        &vsrec_interface_col_external_ids,
        &vsrec_interface_col_ingress_policing_kpkts_rate,
        &vsrec_interface_col_ingress_policing_rate,
        &vsrec_interface_col_name,
        &vsrec_interface_col_ofport,
        &vsrec_interface_col_type,
    };

    for (size_t i = 0; i < ARRAY_SIZE(columns); i++) {
        ovsdb_idl_add_column(idl, columns[i]);
    }

    /* Every use of ovs-vsctl changes these two. */
    ovsdb_idl_omit_alert(idl, &vsrec_open_vswitch_col_cur_cfg);
    ovsdb_idl_omit_alert(idl, &vsrec_open_vswitch_col_next_cfg);
}

/* Makes 'view' an empty, incomplete view. */
void
ovs_view_init(struct ovs_view *view)
{
    *view = (struct ovs_view) { .hostname = xstrdup("") };
    smap_init(&view->external_ids);
}

/* Frees what 'port' owns. */
static void
ovs_port_destroy(struct ovs_port *port)
{
    for (size_t i = 0; i < port->n_ifaces; i++) {
        free(port->ifaces[i].name);
        free(port->ifaces[i].type);
        free(port->ifaces[i].error);
        free(port->ifaces[i].iface_id);
    }
    free(port->ifaces);
    free(port->name);
    free(port->managed);
    free(port->localnet);
}

/* Frees what 'bridge' owns. */
static void
ovs_bridge_destroy(struct ovs_bridge *bridge)
{
    for (size_t i = 0; i < bridge->n_ports; i++) {
        ovs_port_destroy(&bridge->ports[i]);
    }
    free(bridge->ports);
    free(bridge->name);
    free(bridge->datapath_type);
}

/* Frees what 'view' owns, but not 'view' itself. */
void
ovs_view_destroy(struct ovs_view *view)
{
    for (size_t i = 0; i < view->n_bridges; i++) {
        ovs_bridge_destroy(&view->bridges[i]);
    }
    free(view->bridges);
    free(view->hostname);
    smap_destroy(&view->external_ids);
    free(view->ssl_private_key);
    free(view->ssl_certificate);
    free(view->ssl_ca_cert);
}

/* Exchanges the contents of 'a' and 'b'. */
void
ovs_view_swap(struct ovs_view *a, struct ovs_view *b)
{
    struct ovs_view tmp = *a;

    *a = *b;
    *b = tmp;
    hmap_moved(&a->external_ids.map);
    hmap_moved(&b->external_ids.map);
}

/* Compares two structures whose first member is their name, for qsort(). */
static int
compare_names(const void *a, const void *b)
{
    const char *const *name_a = a;
    const char *const *name_b = b;

    return strcmp(*name_a, *name_b);
}
BUILD_ASSERT_DECL(offsetof(struct ovs_iface, name) == 0);
BUILD_ASSERT_DECL(offsetof(struct ovs_port, name) == 0);
BUILD_ASSERT_DECL(offsetof(struct ovs_bridge, name) == 0);

/* Stores the values of 'row' into 'iface'. */
static void
ovs_iface_read(struct ovs_iface *iface, const struct vsrec_interface *row)
{
    *iface = (struct ovs_iface) {
        .name = xstrdup(row->name),
        .type = xstrdup(row->type),
        .error = nullable_xstrdup(row->error),
        .ofport = row->n_ofport ? row->ofport[0] : 0,
        .iface_id = nullable_xstrdup(smap_get(&row->external_ids,
                                              "iface-id")),
        .policed = (row->ingress_policing_rate > 0
                    || row->ingress_policing_kpkts_rate > 0),
    };
}

/* Returns true if 'port' is one of the 'n' elements of 'ports'. */
static bool
has_port(struct vsrec_port *const *ports, size_t n,
         const struct vsrec_port *port)
{
    for (size_t i = 0; i < n; i++) {
        if (ports[i] == port) {
            return true;
        }
    }
    return false;
}

/* Returns true if a mirror of 'bridge' takes packets that 'port' receives or
 * sends.  Whether the mirror has an output does not matter: it may get one. */
static bool
is_mirrored(const struct vsrec_bridge *bridge, const struct vsrec_port *port)
{
    for (size_t i = 0; i < bridge->n_mirrors; i++) {
        const struct vsrec_mirror *m = bridge->mirrors[i];

        if (m->select_all
            || has_port(m->select_src_port, m->n_select_src_port, port)
            || has_port(m->select_dst_port, m->n_select_dst_port, port)) {
            return true;
        }
    }
    return false;
}

/* Stores the values of 'row', a port of 'bridge', and of its interfaces into
 * 'port'. */
static void
ovs_port_read(struct ovs_port *port, const struct vsrec_bridge *bridge,
              const struct vsrec_port *row)
{
    *port = (struct ovs_port) {
        .name = xstrdup(row->name),
        .tag = row->n_tag ? row->tag[0] : -1,
        .managed = nullable_xstrdup(smap_get(&row->external_ids,
                                             OVS_DB_MANAGED_KEY)),
        .localnet = nullable_xstrdup(smap_get(&row->external_ids,
                                              "ovn-localnet-port")),
        .ifaces = xcalloc(row->n_interfaces, sizeof *port->ifaces),
        .n_ifaces = row->n_interfaces,
        .qos = row->n_qos > 0,
        .mirrored = is_mirrored(bridge, row),
    };
    for (size_t i = 0; i < row->n_interfaces; i++) {
        ovs_iface_read(&port->ifaces[i], row->interfaces[i]);
    }
    qsort(port->ifaces, port->n_ifaces, sizeof *port->ifaces, compare_names);
}

/* Returns true if packets of the bridge 'row' are counted or copied.  What a
 * set of collectors gets, a flow of OpenFlow decides, which any controller may
 * add. */
static bool
is_sampled(const struct ovsdb_idl *idl, const struct vsrec_bridge *row)
{
    const struct vsrec_flow_sample_collector_set *set;

    VSREC_FLOW_SAMPLE_COLLECTOR_SET_FOR_EACH (set, idl) {
        if (set->bridge == row) {
            return true;
        }
    }
    return row->n_sflow || row->n_netflow || row->n_ipfix;
}

/* Stores the values of 'row' and of its ports into 'bridge'. */
static void
ovs_bridge_read(struct ovs_bridge *bridge, const struct ovsdb_idl *idl,
                const struct vsrec_bridge *row)
{
    *bridge = (struct ovs_bridge) {
        .name = xstrdup(row->name),
        .datapath_type = xstrdup(row->datapath_type),
        .ports = xcalloc(row->n_ports, sizeof *bridge->ports),
        .n_ports = row->n_ports,
        .sampled = is_sampled(idl, row),
    };
    for (size_t i = 0; i < row->n_ports; i++) {
        ovs_port_read(&bridge->ports[i], row, row->ports[i]);
    }
    qsort(bridge->ports, bridge->n_ports, sizeof *bridge->ports,
          compare_names);
}

/* Replaces 'view' by the contents of 'idl' and returns true.  Returns false
 * and leaves 'view' alone if there is no Open_vSwitch row: then the database
 * has not been initialized yet, and says nothing. */
bool
ovs_view_read(struct ovs_view *view, const struct ovsdb_idl *idl)
{
    const struct vsrec_open_vswitch *cfg = vsrec_open_vswitch_first(idl);
    if (!cfg) {
        return false;
    }

    ovs_view_destroy(view);
    *view = (struct ovs_view) {
        .complete = true,
        .hostname = xstrdup(smap_get_def(&cfg->external_ids, "hostname", "")),
        .hw_offload = smap_get_bool(&cfg->other_config, "hw-offload", false),
        .ct_timeouts = vsrec_ct_timeout_policy_first(idl) != NULL,
        .bridges = xcalloc(cfg->n_bridges, sizeof *view->bridges),
        .n_bridges = cfg->n_bridges,
    };
    smap_clone(&view->external_ids, &cfg->external_ids);
    if (cfg->ssl) {
        view->ssl_private_key = xstrdup(cfg->ssl->private_key);
        view->ssl_certificate = xstrdup(cfg->ssl->certificate);
        view->ssl_ca_cert = xstrdup(cfg->ssl->ca_cert);
        view->ssl_bootstrap = cfg->ssl->bootstrap_ca_cert;
    }
    for (size_t i = 0; i < cfg->n_bridges; i++) {
        ovs_bridge_read(&view->bridges[i], idl, cfg->bridges[i]);
    }
    qsort(view->bridges, view->n_bridges, sizeof *view->bridges,
          compare_names);
    return true;
}

/* Returns true if 'a' and 'b' have the same values. */
static bool
ovs_iface_equals(const struct ovs_iface *a, const struct ovs_iface *b)
{
    return (!strcmp(a->name, b->name)
            && !strcmp(a->type, b->type)
            && nullable_string_is_equal(a->error, b->error)
            && a->ofport == b->ofport
            && nullable_string_is_equal(a->iface_id, b->iface_id)
            && a->policed == b->policed);
}

/* Returns true if 'a' and 'b' have the same values. */
static bool
ovs_port_equals(const struct ovs_port *a, const struct ovs_port *b)
{
    if (strcmp(a->name, b->name)
        || a->tag != b->tag
        || !nullable_string_is_equal(a->managed, b->managed)
        || !nullable_string_is_equal(a->localnet, b->localnet)
        || a->n_ifaces != b->n_ifaces
        || a->qos != b->qos
        || a->mirrored != b->mirrored) {
        return false;
    }
    for (size_t i = 0; i < a->n_ifaces; i++) {
        if (!ovs_iface_equals(&a->ifaces[i], &b->ifaces[i])) {
            return false;
        }
    }
    return true;
}

/* Returns true if 'a' and 'b' have the same values. */
static bool
ovs_bridge_equals(const struct ovs_bridge *a, const struct ovs_bridge *b)
{
    if (strcmp(a->name, b->name)
        || strcmp(a->datapath_type, b->datapath_type)
        || a->n_ports != b->n_ports
        || a->sampled != b->sampled) {
        return false;
    }
    for (size_t i = 0; i < a->n_ports; i++) {
        if (!ovs_port_equals(&a->ports[i], &b->ports[i])) {
            return false;
        }
    }
    return true;
}

/* Returns true if 'a' and 'b' have the same values. */
bool
ovs_view_equals(const struct ovs_view *a, const struct ovs_view *b)
{
    if (a->complete != b->complete
        || strcmp(a->hostname, b->hostname)
        || !smap_equal(&a->external_ids, &b->external_ids)
        || !nullable_string_is_equal(a->ssl_private_key, b->ssl_private_key)
        || !nullable_string_is_equal(a->ssl_certificate, b->ssl_certificate)
        || !nullable_string_is_equal(a->ssl_ca_cert, b->ssl_ca_cert)
        || a->ssl_bootstrap != b->ssl_bootstrap
        || a->hw_offload != b->hw_offload
        || a->ct_timeouts != b->ct_timeouts
        || a->n_bridges != b->n_bridges) {
        return false;
    }
    for (size_t i = 0; i < a->n_bridges; i++) {
        if (!ovs_bridge_equals(&a->bridges[i], &b->bridges[i])) {
            return false;
        }
    }
    return true;
}

/* Returns the bridge of 'view' called 'name', or NULL. */
const struct ovs_bridge *
ovs_view_find_bridge(const struct ovs_view *view, const char *name)
{
    for (size_t i = 0; i < view->n_bridges; i++) {
        if (!strcmp(view->bridges[i].name, name)) {
            return &view->bridges[i];
        }
    }
    return NULL;
}

/* Returns the interface of 'bridge' called 'name', or NULL; stores whether its
 * port is managed by ovn-xdp in '*managed', unless that is NULL. */
const struct ovs_iface *
ovs_bridge_find_iface(const struct ovs_bridge *bridge, const char *name,
                      bool *managed)
{
    for (size_t i = 0; i < bridge->n_ports; i++) {
        const struct ovs_port *port = &bridge->ports[i];

        for (size_t j = 0; j < port->n_ifaces; j++) {
            if (!strcmp(port->ifaces[j].name, name)) {
                if (managed) {
                    *managed = port->managed != NULL;
                }
                return &port->ifaces[j];
            }
        }
    }
    return NULL;
}
