/* SPDX-License-Identifier: Apache-2.0 */
/* Look-up by logical port. */

#include <config.h>

#include "plugin/direct-index.h"

#include <string.h>

#include "util.h"

#include "idl/ovs-db.h"
#include "idl/sb-db.h"

/* Makes 'index' empty. */
void
direct_index_init(struct direct_index *index)
{
    shash_init(&index->seats);
    shash_init(&index->bindings);
    sset_init(&index->parents);
    index->userspace = false;
}

/* Frees what 'index' holds. */
void
direct_index_destroy(struct direct_index *index)
{
    shash_destroy_free_data(&index->seats);
    shash_destroy(&index->bindings);
    sset_destroy(&index->parents);
}

/* Adds the interfaces of 'port' of 'bridge'. */
static void
add_port(struct direct_index *index, const struct ovs_bridge *bridge,
         const struct ovs_port *port)
{
    for (size_t i = 0; i < port->n_ifaces; i++) {
        const struct ovs_iface *iface = &port->ifaces[i];
        struct direct_seat seat = { bridge, port, iface };

        if (iface->iface_id && !shash_find(&index->seats, iface->iface_id)) {
            shash_add(&index->seats, iface->iface_id,
                      xmemdup(&seat, sizeof seat));
            index->userspace |= !strcmp(bridge->datapath_type, "netdev");
        }
    }
}

/* Adds 'binding'. */
static void
add_binding(struct direct_index *index, const struct sb_binding *binding)
{
    if (binding->here) {
        shash_add_once(&index->bindings, binding->logical_port, binding);
    }
    if (binding->parent_port && binding->parent_port[0]) {
        sset_add(&index->parents, binding->parent_port);
    }
}

/* Makes 'index' that of 'ovs' and 'sb'. */
void
direct_index_fill(struct direct_index *index, const struct ovs_view *ovs,
                  const struct sb_view *sb)
{
    const struct sb_binding *binding;

    direct_index_destroy(index);
    direct_index_init(index);
    for (size_t i = 0; i < ovs->n_bridges; i++) {
        for (size_t j = 0; j < ovs->bridges[i].n_ports; j++) {
            add_port(index, &ovs->bridges[i], &ovs->bridges[i].ports[j]);
        }
    }
    HMAP_FOR_EACH (binding, node, &sb->bindings) {
        add_binding(index, binding);
    }
}
