/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the routers whose logical flows are of interest:
 *
 *     chassisredirect here  ----------------------------------> its datapath
 *     l3gateway here, the router's side ----------------------> its datapath
 *     VM here --> its network --> patch port --> router port --> its datapath
 *
 * The last line is for distributed NAT, which is where the VM is, and applies
 * to networks without localnet port: on a provider network the VM has its
 * address without a router.  What it needs beyond the bindings of this chassis
 * are the bindings of those networks, and the router ports by name; both are
 * asked for as soon as the step before has found them.
 *
 * For ACLs the networks with VMs here matter themselves, and those in front of
 * the routers: of the switch's side of their ports.
 *
 * Few kinds of row matter, so only they are remembered, and a VM that is not
 * the first or last of its network costs a look-up. */
#include <config.h>

#include "idl/sb-db-scope.h"

#include <stdlib.h>
#include <string.h>

#include "ovsdb-idl.h"
#include "smap.h"
#include "util.h"
#include "uuid.h"

#include "idl/sb-idl.h"

/* A datapath with VMs here or a localnet port. */
struct scope_datapath {
    struct hmap_node node;      /* In struct sb_scope. */
    struct uuid uuid;           /* Datapath_Binding row. */
    size_t n_vifs;              /* Number of VMs' ports here. */
    size_t n_localnets;         /* Number of localnet ports. */
};

/* Makes 'scope' empty. */
void
sb_scope_init(struct sb_scope *scope)
{
    hmap_init(&scope->rows);
    hmap_init(&scope->datapaths);
    simap_init(&scope->vifs);
    scope->vifs_changed = false;
    scope->vifs_seqno = 0;
    scope->seqno = 0;
    scope->dirty = false;
    sset_init(&scope->switches);
    sset_init(&scope->tenants);
    sset_init(&scope->router_ports);
    sset_init(&scope->routers);
    shash_init(&scope->gateways);
}

/* Frees 'row', which is in no hmap. */
static void
row_destroy(struct sb_scope_row *row)
{
    if (row) {
        free(row->name);
        free(row->peer);
        free(row);
    }
}

/* Forgets all rows of 'scope'. */
static void
clear_rows(struct sb_scope *scope)
{
    struct scope_datapath *datapath;
    struct sb_scope_row *row;

    HMAP_FOR_EACH_POP (row, node, &scope->rows) {
        row_destroy(row);
    }
    HMAP_FOR_EACH_POP (datapath, node, &scope->datapaths) {
        free(datapath);
    }
    simap_clear(&scope->vifs);
    scope->vifs_changed = true;
    scope->vifs_seqno++;
    scope->dirty = true;
}

/* Frees what 'scope' holds, not 'scope' itself. */
void
sb_scope_destroy(struct sb_scope *scope)
{
    clear_rows(scope);
    hmap_destroy(&scope->rows);
    hmap_destroy(&scope->datapaths);
    simap_destroy(&scope->vifs);
    sset_destroy(&scope->switches);
    sset_destroy(&scope->tenants);
    sset_destroy(&scope->router_ports);
    sset_destroy(&scope->routers);
    shash_destroy_free_data(&scope->gateways);
}

/* Rows. */

/* Returns true if 'pb' is bound to 'chassis', perhaps among others. */
static bool
is_here(const struct sbrec_port_binding *pb, const struct uuid *chassis)
{
    for (size_t i = 0; i < pb->n_additional_chassis; i++) {
        if (uuid_equals(&pb->additional_chassis[i], chassis)) {
            return true;
        }
    }
    return pb->n_chassis && uuid_equals(pb->chassis, chassis);
}

/* Returns true if 'pb' is a router's port: its addresses have a network, which
 * those of a switch's port never do. */
static bool
has_networks(const struct sbrec_port_binding *pb)
{
    for (size_t i = 0; i < pb->n_mac; i++) {
        if (strchr(pb->mac[i], '/')) {
            return true;
        }
    }
    return false;
}

/* Returns why 'pb' is of interest to 'chassis'. */
static enum sb_scope_role
row_role(const struct sbrec_port_binding *pb, const struct uuid *chassis)
{
    if (!strcmp(pb->type, "localnet")) {
        return SB_ROLE_LOCALNET;
    } else if (!strcmp(pb->type, "patch")) {
        return SB_ROLE_PATCH;
    } else if (!is_here(pb, chassis)) {
        return SB_ROLE_NONE;
    } else if (!pb->type[0]) {
        return SB_ROLE_VIF;
    } else if (!strcmp(pb->type, "chassisredirect")) {
        return SB_ROLE_REDIRECT;
    }
    return (strcmp(pb->type, "l3gateway") ? SB_ROLE_NONE
            : has_networks(pb) ? SB_ROLE_GATEWAY : SB_ROLE_UPLINK);
}

/* Returns the row 'uuid' of 'scope', or NULL. */
static struct sb_scope_row *
find_row(const struct sb_scope *scope, const struct uuid *uuid)
{
    struct sb_scope_row *row;

    HMAP_FOR_EACH_WITH_HASH (row, node, uuid_hash(uuid), &scope->rows) {
        if (uuid_equals(&row->uuid, uuid)) {
            return row;
        }
    }
    return NULL;
}

/* Returns the datapath 'uuid' of 'scope', a new one if need be. */
static struct scope_datapath *
get_datapath(struct sb_scope *scope, const struct uuid *uuid)
{
    struct scope_datapath *datapath;

    HMAP_FOR_EACH_WITH_HASH (datapath, node, uuid_hash(uuid),
                             &scope->datapaths) {
        if (uuid_equals(&datapath->uuid, uuid)) {
            return datapath;
        }
    }
    datapath = xzalloc(sizeof *datapath);
    datapath->uuid = *uuid;
    hmap_insert(&scope->datapaths, &datapath->node, uuid_hash(uuid));
    return datapath;
}

/* Counts the VM's port 'name' once more or, unless 'more', once less.  When a
 * port was deleted and created again, the replica may list the new row before
 * the old one. */
static void
count_vif(struct sb_scope *scope, const char *name, bool more)
{
    unsigned int n = simap_get(&scope->vifs, name);

    if (n == !more) {
        scope->vifs_changed = true;
        scope->vifs_seqno++;
    }
    if (more) {
        simap_put(&scope->vifs, name, n + 1);
    } else if (n > 1) {
        simap_put(&scope->vifs, name, n - 1);
    } else {
        simap_find_and_delete(&scope->vifs, name);
    }
}

/* Counts 'row' once more or, unless 'more', once less in its datapath, and
 * keeps 'vifs' up to date. */
static void
count_row(struct sb_scope *scope, const struct sb_scope_row *row, bool more)
{
    if (row->role != SB_ROLE_VIF && row->role != SB_ROLE_LOCALNET) {
        scope->dirty = true;
        return;
    }

    struct scope_datapath *datapath = get_datapath(scope, &row->datapath);
    size_t *n = (row->role == SB_ROLE_VIF
                 ? &datapath->n_vifs : &datapath->n_localnets);

    if (*n == !more || row->role == SB_ROLE_LOCALNET) {
        scope->dirty = true;
    }
    *n += more ? 1 : -1;
    if (row->role == SB_ROLE_VIF) {
        count_vif(scope, row->name, more);
    }
    if (!datapath->n_vifs && !datapath->n_localnets) {
        hmap_remove(&scope->datapaths, &datapath->node);
        free(datapath);
    }
}

/* Returns true if 'row' is what 'pb' in 'role' would be remembered as. */
static bool
same_row(const struct sb_scope_row *row, const struct sbrec_port_binding *pb,
         enum sb_scope_role role)
{
    return (row->role == role && uuid_equals(&row->datapath, &pb->datapath)
            && !strcmp(row->name, pb->logical_port)
            && nullable_string_is_equal(row->peer,
                                        smap_get(&pb->options, "peer")));
}

/* Brings what 'scope' knows of the binding 'uuid' up to date with 'idl', as
 * 'chassis' sees it.  While 'hold' is true nothing is forgotten: what vanishes
 * may only be gone for a moment. */
void
sb_scope_update_row(struct sb_scope *scope, const struct ovsdb_idl *idl,
                    const struct uuid *uuid, const struct uuid *chassis,
                    bool hold)
{
    const struct sbrec_port_binding *pb
        = sbrec_port_binding_get_for_uuid(idl, uuid);
    enum sb_scope_role role = pb ? row_role(pb, chassis) : SB_ROLE_NONE;
    struct sb_scope_row *row = find_row(scope, uuid);

    if (row && (role != SB_ROLE_NONE ? same_row(row, pb, role) : hold)) {
        return;
    }
    if (row) {
        count_row(scope, row, false);
        hmap_remove(&scope->rows, &row->node);
        row_destroy(row);
    }
    if (role != SB_ROLE_NONE) {
        row = xmalloc(sizeof *row);
        *row = (struct sb_scope_row) {
            .uuid = *uuid,
            .datapath = pb->datapath,
            .role = role,
            .name = xstrdup(pb->logical_port),
            .peer = nullable_xstrdup(smap_get(&pb->options, "peer")),
        };
        hmap_insert(&scope->rows, &row->node, uuid_hash(uuid));
        count_row(scope, row, true);
    }
}

/* Brings all that 'scope' knows up to date with 'idl'; see
 * sb_scope_update_row(). */
void
sb_scope_update_all(struct sb_scope *scope, const struct ovsdb_idl *idl,
                    const struct uuid *chassis, bool hold)
{
    const struct sbrec_port_binding *pb;

    if (!hold) {
        clear_rows(scope);
    }
    SBREC_PORT_BINDING_FOR_EACH (pb, idl) {
        sb_scope_update_row(scope, idl, &pb->header_.uuid, chassis, hold);
    }
}

/* Conclusions. */

/* Adds 'uuid' as text to 'set'. */
static void
add_uuid(struct sset *set, const struct uuid *uuid)
{
    char text[UUID_LEN + 1];

    snprintf(text, sizeof text, UUID_FMT, UUID_ARGS(uuid));
    sset_add(set, text);
}

/* Returns true if 'set' has 'uuid' as text. */
static bool
has_uuid(const struct sset *set, const struct uuid *uuid)
{
    char text[UUID_LEN + 1];

    snprintf(text, sizeof text, UUID_FMT, UUID_ARGS(uuid));
    return sset_contains(set, text);
}

/* Finds 'switches', 'tenants' and 'router_ports' of 'scope'. */
static void
find_router_ports(struct sb_scope *scope)
{
    const struct scope_datapath *datapath;
    const struct sb_scope_row *row;

    HMAP_FOR_EACH (datapath, node, &scope->datapaths) {
        if (datapath->n_vifs) {
            add_uuid(&scope->switches, &datapath->uuid);
        }
        if (datapath->n_vifs && !datapath->n_localnets) {
            add_uuid(&scope->tenants, &datapath->uuid);
        }
    }
    HMAP_FOR_EACH (row, node, &scope->rows) {
        if (row->role == SB_ROLE_PATCH && row->peer
            && has_uuid(&scope->tenants, &row->datapath)) {
            sset_add(&scope->router_ports, row->peer);
        }
    }
}

/* Finds 'routers' and 'gateways' of 'scope', once find_router_ports() did its
 * part. */
static void
find_routers(struct sb_scope *scope)
{
    const struct sb_scope_row *row;

    HMAP_FOR_EACH (row, node, &scope->rows) {
        bool leads = (row->role == SB_ROLE_REDIRECT
                      || row->role == SB_ROLE_GATEWAY
                      || (row->role == SB_ROLE_PATCH
                          && sset_contains(&scope->router_ports, row->name)));

        if (leads) {
            add_uuid(&scope->routers, &row->datapath);
        }
        if (row->role == SB_ROLE_GATEWAY) {
            free(shash_replace(&scope->gateways, row->name,
                               xasprintf(UUID_FMT,
                                         UUID_ARGS(&row->datapath))));
        }
    }
}

/* Returns true if the strings in 'a' and 'b' have the same names and
 * values. */
static bool
same_strings(const struct shash *a, const struct shash *b)
{
    const struct shash_node *node;

    SHASH_FOR_EACH (node, a) {
        const char *value = shash_find_data(b, node->name);
        if (!value || strcmp(value, node->data)) {
            return false;
        }
    }
    return shash_count(a) == shash_count(b);
}

/* Draws the conclusions from the rows of 'scope'.  Returns true if 'gateways'
 * changed. */
bool
sb_scope_settle(struct sb_scope *scope)
{
    struct shash old = SHASH_INITIALIZER(&old);

    if (!scope->dirty) {
        return false;
    }
    scope->dirty = false;
    scope->seqno++;
    sset_clear(&scope->switches);
    sset_clear(&scope->tenants);
    sset_clear(&scope->router_ports);
    sset_clear(&scope->routers);
    shash_swap(&old, &scope->gateways);

    find_router_ports(scope);
    find_routers(scope);

    bool changed = !same_strings(&old, &scope->gateways);
    shash_destroy_free_data(&old);
    return changed;
}

/* Adds to 'fronts', as text, the provider networks in front of gateway routers
 * here and of the router ports 'peers'. */
void
sb_scope_get_fronts(const struct sb_scope *scope, const struct sset *peers,
                    struct sset *fronts)
{
    const struct sb_scope_row *row;

    HMAP_FOR_EACH (row, node, &scope->rows) {
        if (row->role == SB_ROLE_UPLINK
            || (row->role == SB_ROLE_PATCH && row->peer
                && sset_contains(peers, row->peer))) {
            add_uuid(fronts, &row->datapath);
        }
    }
}

/* Adds to 'links' the names of the router ports that those switches of 'scope'
 * lead to that are in 'datapaths', to the datapath of the switch, as text. */
void
sb_scope_get_links(const struct sb_scope *scope, const struct sset *datapaths,
                   struct smap *links)
{
    const struct sb_scope_row *row;

    HMAP_FOR_EACH (row, node, &scope->rows) {
        if ((row->role == SB_ROLE_PATCH || row->role == SB_ROLE_UPLINK)
            && row->peer && has_uuid(datapaths, &row->datapath)
            && !has_uuid(&scope->routers, &row->datapath)) {
            smap_replace_nocopy(links, row->peer,
                                xasprintf(UUID_FMT,
                                          UUID_ARGS(&row->datapath)));
        }
    }
}

/* Adds to 'entrances' the names of the ports of switches of 'scope' in
 * 'datapaths' by which packets come in from a physical network or a router, or
 * get to one. */
void
sb_scope_get_entrances(const struct sb_scope *scope,
                       const struct sset *datapaths, struct sset *entrances)
{
    const struct sb_scope_row *row;

    HMAP_FOR_EACH (row, node, &scope->rows) {
        if ((row->role == SB_ROLE_LOCALNET || row->role == SB_ROLE_PATCH
             || row->role == SB_ROLE_UPLINK)
            && has_uuid(datapaths, &row->datapath)
            && !has_uuid(&scope->routers, &row->datapath)) {
            sset_add(entrances, row->name);
        }
    }
}
