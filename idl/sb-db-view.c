/* SPDX-License-Identifier: Apache-2.0 */
/* Plain values of Port_Binding; see sb-db.h for what they mean.
 *
 * Every update, of one row or of all, goes through update_binding(), which
 * compares before it replaces.  So it does not matter for the result, only for
 * the cost, whether a row is looked at because it changed or because
 * everything is.
 *
 * While an ovn-controller restarts, its chassis row goes and comes back, and
 * with it the claims on its ports, one by one.  "Holding" bridges that time: a
 * binding that was usable here and is now simply unclaimed or gone stays as it
 * was, while one that another chassis claimed is let go. */
#include <config.h>

#include "idl/sb-db-view.h"

#include <stdlib.h>
#include <string.h>

#include "ovsdb-idl.h"
#include "util.h"

#include "idl/sb-db-facts.h"
#include "idl/sb-idl.h"

/* Registers with 'idl' the columns that are read. */
void
sb_view_add_columns(struct ovsdb_idl *idl)
{
    static const struct ovsdb_idl_column *const columns[] = {
        &sbrec_chassis_col_name,
        &sbrec_port_binding_col_additional_chassis,
        &sbrec_port_binding_col_chassis,
        &sbrec_port_binding_col_datapath,
        &sbrec_port_binding_col_logical_port,
        &sbrec_port_binding_col_mac,
        &sbrec_port_binding_col_mirror_rules,
        &sbrec_port_binding_col_nat_addresses,
        &sbrec_port_binding_col_options,
        &sbrec_port_binding_col_parent_port,
        &sbrec_port_binding_col_port_security,
        &sbrec_port_binding_col_tag,
        &sbrec_port_binding_col_type,
        &sbrec_port_binding_col_up,
        &sbrec_port_binding_col_virtual_parent,
    };

    for (size_t i = 0; i < ARRAY_SIZE(columns); i++) {
        ovsdb_idl_add_column(idl, columns[i]);
        ovsdb_idl_track_add_column(idl, columns[i]);
    }
}

/* Makes 'view' an empty, incomplete view. */
void
sb_view_init(struct sb_view *view)
{
    *view = (struct sb_view) { .complete = false };
    hmap_init(&view->bindings);
    row_changes_init(&view->changes);
    row_changes_init(&view->fact_changes);
    hmap_init(&view->facts);
    sb_acl_view_init(&view->acl);
}

/* Frees 'b'. */
static void
sb_binding_destroy(struct sb_binding *b)
{
    if (b) {
        free(b->logical_port);
        free(b->type);
        sset_destroy(&b->macs);
        sset_destroy(&b->nat_addresses);
        sset_destroy(&b->port_security);
        free(b->network_name);
        free(b->l3gateway_chassis);
        free(b->distributed_port);
        free(b->peer);
        free(b->virtual_parent);
        free(b->parent_port);
        free(b);
    }
}

/* Frees what 'view' owns, but not 'view' itself. */
void
sb_view_destroy(struct sb_view *view)
{
    struct sb_binding *b;

    HMAP_FOR_EACH_POP (b, node, &view->bindings) {
        sb_binding_destroy(b);
    }
    hmap_destroy(&view->bindings);
    row_changes_destroy(&view->changes);
    row_changes_destroy(&view->fact_changes);
    sb_facts_destroy(&view->facts);
    sb_acl_view_destroy(&view->acl);
}

/* Returns true if the 'n' elements of 'uuids' include 'uuid', which is not
 * zero. */
static bool
uuids_include(const struct uuid *uuids, size_t n, const struct uuid *uuid)
{
    for (size_t i = 0; i < n; i++) {
        if (uuid_equals(&uuids[i], uuid)) {
            return !uuid_is_zero(uuid);
        }
    }
    return false;
}

/* Returns true if 'options' allow the chassis named 'chassis' to receive
 * traffic as an additional one: there is no activation strategy to wait for,
 * or it has taken place. */
static bool
options_activated(const struct smap *options, const char *chassis)
{
    if (!smap_get(options, "activation-strategy")) {
        return true;
    }

    struct sset activated;
    sset_from_delimited_string(
        &activated, smap_get_def(options, "additional-chassis-activated", ""),
        ",");
    bool found = sset_contains(&activated, chassis);
    sset_destroy(&activated);
    return found;
}

/* Returns a copy of the value of 'key' in 'options', or NULL. */
static char *
options_dup(const struct smap *options, const char *key)
{
    return nullable_xstrdup(smap_get(options, key));
}

/* Returns true if 'options' have ovn-controller shape what the port sends. */
static bool
options_shape(const struct smap *options)
{
    return (smap_get(options, "qos_max_rate")
            || smap_get(options, "qos_min_rate")
            || smap_get(options, "qos_burst"));
}

/* Returns a new binding with the values of 'pb' as 'viewer' sees them. */
static struct sb_binding *
sb_binding_from_row(const struct sbrec_port_binding *pb,
                    const struct sb_viewer *viewer)
{
    const struct uuid *me = &viewer->chassis_uuid;
    struct sb_binding *b = xmalloc(sizeof *b);

    *b = (struct sb_binding) {
        .uuid = pb->header_.uuid,
        .logical_port = xstrdup(pb->logical_port),
        .type = xstrdup(pb->type),
        .datapath = pb->datapath,
        .here = uuids_include(pb->chassis, pb->n_chassis, me),
        .additional = uuids_include(pb->additional_chassis,
                                    pb->n_additional_chassis, me),
        .activated = options_activated(&pb->options, viewer->chassis),
        .up = !pb->n_up || pb->up[0],
        .macs = SSET_INITIALIZER(&b->macs),
        .nat_addresses = SSET_INITIALIZER(&b->nat_addresses),
        .port_security = SSET_INITIALIZER(&b->port_security),
        .network_name = options_dup(&pb->options, "network_name"),
        .l3gateway_chassis = options_dup(&pb->options, "l3gateway-chassis"),
        .distributed_port = options_dup(&pb->options, "distributed-port"),
        .peer = options_dup(&pb->options, "peer"),
        .virtual_parent = nullable_xstrdup(pb->virtual_parent),
        .parent_port = nullable_xstrdup(pb->parent_port),
        .tag = pb->n_tag ? pb->tag[0] : -1,
        .mirrored = pb->n_mirror_rules || !strcmp(pb->type, "mirror"),
        .shared = pb->n_additional_chassis > 0,
        .qos = options_shape(&pb->options),
    };
    sset_add_array(&b->macs, pb->mac, pb->n_mac);
    sset_add_array(&b->nat_addresses, pb->nat_addresses,
                   pb->n_nat_addresses);
    sset_add_array(&b->port_security, pb->port_security,
                   pb->n_port_security);
    return b;
}

/* Returns true if 'a' and 'b' have the same values in all members that belong
 * to SB_BINDING_PORT. */
static bool
same_port(const struct sb_binding *a, const struct sb_binding *b)
{
    return (!strcmp(a->logical_port, b->logical_port)
            && !strcmp(a->type, b->type)
            && uuid_equals(&a->datapath, &b->datapath)
            && a->here == b->here
            && a->additional == b->additional
            && a->activated == b->activated
            && a->up == b->up
            && sset_equals(&a->macs, &b->macs)
            && sset_equals(&a->port_security, &b->port_security)
            && nullable_string_is_equal(a->network_name, b->network_name)
            && nullable_string_is_equal(a->l3gateway_chassis,
                                        b->l3gateway_chassis)
            && nullable_string_is_equal(a->distributed_port,
                                        b->distributed_port)
            && nullable_string_is_equal(a->peer, b->peer)
            && nullable_string_is_equal(a->virtual_parent, b->virtual_parent)
            && nullable_string_is_equal(a->parent_port, b->parent_port)
            && a->tag == b->tag
            && a->mirrored == b->mirrored
            && a->shared == b->shared
            && a->qos == b->qos);
}

/* Returns the parts, of enum sb_binding_part, in which 'a' and 'b' differ;
 * either may be NULL. */
static unsigned int
compare_bindings(const struct sb_binding *a, const struct sb_binding *b)
{
    if (!a || !b) {
        return a || b ? SB_BINDING_PORT | SB_BINDING_NAT : 0;
    }
    return ((same_port(a, b) ? 0 : SB_BINDING_PORT)
            | (sset_equals(&a->nat_addresses, &b->nat_addresses)
               ? 0 : SB_BINDING_NAT));
}

/* Returns the binding of the row 'uuid' in 'view', or NULL. */
const struct sb_binding *
sb_view_find_binding(const struct sb_view *view, const struct uuid *uuid)
{
    const struct sb_binding *b;

    HMAP_FOR_EACH_WITH_HASH (b, node, uuid_hash(uuid), &view->bindings) {
        if (uuid_equals(&b->uuid, uuid)) {
            return b;
        }
    }
    return NULL;
}

/* Returns the binding of the row 'uuid' in 'view', or NULL. */
static struct sb_binding *
find_binding(struct sb_view *view, const struct uuid *uuid)
{
    return CONST_CAST(struct sb_binding *, sb_view_find_binding(view, uuid));
}

/* Returns true if packets for 'b' may be delivered on this chassis. */
static bool
is_usable(const struct sb_binding *b)
{
    return (b->here && b->up) || b->additional;
}

/* Returns true if 'pb' can matter to 'viewer'.  The replica also has all ports
 * of some networks, and ports of some routers. */
static bool
is_wanted(const struct sbrec_port_binding *pb, const struct sb_viewer *viewer)
{
    const struct uuid *me = &viewer->chassis_uuid;
    const char *peer = smap_get(&pb->options, "peer");

    return (uuids_include(pb->chassis, pb->n_chassis, me)
            || uuids_include(pb->additional_chassis,
                             pb->n_additional_chassis, me)
            || pb->n_nat_addresses
            || !strcmp(pb->type, "localnet")
            || (peer && sset_contains(viewer->peers, peer)));
}

/* Returns true if a viewer that holds keeps 'old' instead of 'new', which is
 * what 'pb' says now.  'new' is NULL if 'pb' is not wanted, and both are if
 * the row does not exist. */
static bool
must_hold(const struct sb_binding *old, const struct sb_binding *new,
          const struct sbrec_port_binding *pb)
{
    if (!pb) {
        return true;
    }
    bool claimed_elsewhere = pb->n_chassis && !(new && new->here);
    return (is_usable(old) && !(new && is_usable(new))
            && !claimed_elsewhere);
}

/* Brings 'old', the binding of a row in 'view', or NULL if there is none yet,
 * up to date with 'pb', that row, or NULL if it does not exist.  Returns true
 * if 'view' changed.  Increments '*n_held' if 'old' was kept although the row
 * says otherwise. */
static bool
update_binding(struct sb_view *view, const struct sb_viewer *viewer,
               const struct sbrec_port_binding *pb, struct sb_binding *old,
               size_t *n_held)
{
    struct sb_binding *new = (pb && is_wanted(pb, viewer)
                              ? sb_binding_from_row(pb, viewer) : NULL);
    unsigned int parts = compare_bindings(old, new);

    if (old && viewer->hold && must_hold(old, new, pb)) {
        ++*n_held;
        sb_binding_destroy(new);
        return false;
    }
    if (!parts) {
        sb_binding_destroy(new);
        return false;
    }

    row_changes_add(&view->changes, old ? &old->uuid : &new->uuid, parts);
    if (parts & SB_BINDING_PORT) {
        view->seqno++;
    }
    if (old) {
        hmap_remove(&view->bindings, &old->node);
        sb_binding_destroy(old);
    }
    if (new) {
        hmap_insert(&view->bindings, &new->node, uuid_hash(&new->uuid));
    }
    return true;
}

/* Brings the binding of the row 'uuid' in 'view' up to date with 'idl', as
 * 'viewer' sees it.  Returns true if 'view' changed. */
bool
sb_view_update_row(struct sb_view *view, const struct sb_viewer *viewer,
                   const struct ovsdb_idl *idl, const struct uuid *uuid)
{
    size_t n_held = 0;

    return update_binding(view, viewer,
                          sbrec_port_binding_get_for_uuid(idl, uuid),
                          find_binding(view, uuid), &n_held);
}

/* Brings all bindings of 'view' up to date with 'idl', as 'viewer' sees them.
 * Returns true if 'view' changed.  Stores into '*n_held' how many bindings
 * were held. */
bool
sb_view_update_all(struct sb_view *view, const struct sb_viewer *viewer,
                   const struct ovsdb_idl *idl, size_t *n_held)
{
    const struct sbrec_port_binding *pb;
    struct sb_binding *b;
    bool changed = false;

    *n_held = 0;
    HMAP_FOR_EACH_SAFE (b, node, &view->bindings) {
        if (!sbrec_port_binding_get_for_uuid(idl, &b->uuid)) {
            changed |= update_binding(view, viewer, NULL, b, n_held);
        }
    }
    SBREC_PORT_BINDING_FOR_EACH (pb, idl) {
        changed |= update_binding(view, viewer, pb,
                                  find_binding(view, &pb->header_.uuid),
                                  n_held);
    }
    return changed;
}
