/* SPDX-License-Identifier: Apache-2.0 */
/* From what sb-db-acl.c has looked at to a struct sb_acl_view.
 *
 * Every update compares before it replaces, and notes what changed. */
#include <config.h>

#include "idl/sb-db-acl.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "ovsdb-idl.h"
#include "util.h"
#include "uuid.h"

#include "idl/sb-idl.h"

/* Returns true if 'a' and 'b' say the same. */
static bool
same_flow(const struct sb_acl_flow *a, const struct sb_acl_flow *b)
{
    return (a->stage == b->stage && a->priority == b->priority
            && !strcmp(a->match, b->match) && !strcmp(a->actions, b->actions)
            && a->ct_translated == b->ct_translated
            && a->n_datapaths == b->n_datapaths
            && !memcmp(a->datapaths, b->datapaths,
                       a->n_datapaths * sizeof *a->datapaths));
}

/* Brings the flow 'uuid' of 'view' up to date with 'idl'. */
static void
update_flow(const struct sb_acl_reader *reader, const struct ovsdb_idl *idl,
            struct sb_acl_view *view, const struct uuid *uuid)
{
    struct sb_acl_flow *old
        = CONST_CAST(struct sb_acl_flow *, sb_acl_find_flow(view, uuid));
    struct sb_acl_flow *new = sb_acl_reader_read_flow(reader, idl, uuid);

    if (old == new || (old && new && same_flow(old, new))) {
        sb_acl_flow_destroy(new);
        return;
    }
    row_changes_add(&view->changes.flows, uuid, UINT_MAX);
    if (new) {
        hmap_insert(&view->flows, &new->node, uuid_hash(uuid));
    }
    if (old) {
        hmap_remove(&view->flows, &old->node);
        sb_acl_flow_destroy(old);
    }
}

/* Brings the flows of 'view' up to date with 'idl'. */
static void
update_flows(struct sb_acl_reader *reader, const struct ovsdb_idl *idl,
             struct sb_acl_view *view)
{
    const struct sbrec_logical_flow *row;
    const struct row_change *change;
    struct sb_acl_flow *flow;

    if (reader->all || reader->seen.flows.all) {
        HMAP_FOR_EACH_SAFE (flow, node, &view->flows) {
            struct uuid uuid = flow->uuid;

            if (!sbrec_logical_flow_get_for_uuid(idl, &uuid)) {
                update_flow(reader, idl, view, &uuid);
            }
        }
        SBREC_LOGICAL_FLOW_FOR_EACH (row, idl) {
            update_flow(reader, idl, view, &row->header_.uuid);
        }
    } else {
        HMAP_FOR_EACH (change, node, &reader->seen.flows.rows) {
            update_flow(reader, idl, view, &change->uuid);
        }
    }
}

/* Returns the row of the port group 'name', or NULL. */
static const struct sbrec_port_group *
port_group_row(const struct sb_acl_reader *reader, const char *name)
{
    struct sbrec_port_group *key
        = sbrec_port_group_index_init_row(reader->port_groups);

    sbrec_port_group_index_set_name(key, name);
    const struct sbrec_port_group *row
        = sbrec_port_group_index_find(reader->port_groups, key);
    sbrec_port_group_index_destroy_row(key);
    return row;
}

/* Brings the port group 'name' of 'view' up to date with the replica. */
static void
update_port_group(const struct sb_acl_reader *reader,
                  struct sb_acl_view *view, const char *name)
{
    const struct sbrec_port_group *row = port_group_row(reader, name);
    struct sb_port_group *group = CONST_CAST(
        struct sb_port_group *, sb_acl_find_port_group(view, name));
    struct sset ports = SSET_INITIALIZER(&ports);
    bool entrance = false;

    for (size_t i = 0; row && i < row->n_ports; i++) {
        if (simap_contains(&reader->ports, row->ports[i])) {
            sset_add(&ports, row->ports[i]);
        }
        entrance |= sset_contains(&reader->entrances, row->ports[i]);
    }

    if (group ? group->entrance != entrance
                || !sset_equals(&group->ports, &ports)
              : entrance || !sset_is_empty(&ports)) {
        sset_add(&view->changes.groups, name);
        if (!group) {
            group = xzalloc(sizeof *group);
            group->name = xstrdup(name);
            sset_init(&group->ports);
            hmap_insert(&view->port_groups, &group->node,
                        hash_string(name, 0));
        }
        sset_swap(&group->ports, &ports);
        group->entrance = entrance;
        if (sset_is_empty(&group->ports) && !entrance) {
            hmap_remove(&view->port_groups, &group->node);
            sb_port_group_destroy(group);
        }
    }
    sset_destroy(&ports);
}

/* Brings the port groups of 'view' up to date with 'idl'. */
static void
update_port_groups(struct sb_acl_reader *reader, const struct ovsdb_idl *idl,
                   struct sb_acl_view *view)
{
    const struct sbrec_port_group *row;
    const struct sb_port_group *group;
    const char *name;

    if (reader->all || reader->all_ports) {
        HMAP_FOR_EACH (group, node, &view->port_groups) {
            sset_add(&reader->seen.groups, group->name);
        }
        SBREC_PORT_GROUP_FOR_EACH (row, idl) {
            sset_add(&reader->seen.groups, row->name);
        }
    }
    SSET_FOR_EACH (name, &reader->seen.groups) {
        update_port_group(reader, view, name);
    }
}

/* Brings the names of the ports in 'view' up to date with 'reader'. */
static void
update_ports(const struct sb_acl_reader *reader, struct sb_acl_view *view)
{
    const struct simap_node *port;
    const char *name, *next;

    if (!reader->all && !reader->all_ports) {
        return;
    }
    SSET_FOR_EACH_SAFE (name, next, &view->ports) {
        if (!simap_contains(&reader->ports, name)) {
            sset_add(&view->changes.ports, name);
            sset_find_and_delete(&view->ports, name);
        }
    }
    SIMAP_FOR_EACH (port, &reader->ports) {
        if (sset_add(&view->ports, port->name)) {
            sset_add(&view->changes.ports, port->name);
        }
    }
}

/* Returns the row of the address set 'name', or NULL. */
static const struct sbrec_address_set *
address_set_row(const struct sb_acl_reader *reader, const char *name)
{
    struct sbrec_address_set *key
        = sbrec_address_set_index_init_row(reader->address_sets);

    sbrec_address_set_index_set_name(key, name);
    const struct sbrec_address_set *row
        = sbrec_address_set_index_find(reader->address_sets, key);
    sbrec_address_set_index_destroy_row(key);
    return row;
}

/* Compares the strings that 'a' and 'b' point to, for bsearch(). */
static int
compare_strings(const void *a, const void *b)
{
    return strcmp(*(const char *const *) a, *(const char *const *) b);
}

/* Makes 'addresses' those of 'row'.  Returns true if they changed.  Costs
 * look-ups, and memory only for what changed; an ovsdb_idl keeps the elements
 * of a set sorted. */
static bool
update_addresses(struct sset *addresses, const struct sbrec_address_set *row)
{
    const char *address, *next;
    bool changed = false;

    for (size_t i = 0; i < row->n_addresses; i++) {
        changed |= sset_add(addresses, row->addresses[i]) != NULL;
    }
    if (sset_count(addresses) == row->n_addresses) {
        return changed;
    }
    SSET_FOR_EACH_SAFE (address, next, addresses) {
        if (!row->n_addresses
            || !bsearch(&address, row->addresses, row->n_addresses,
                        sizeof *row->addresses, compare_strings)) {
            sset_find_and_delete(addresses, address);
        }
    }
    return true;
}

/* Brings the address set 'name' of 'view' up to date with the replica. */
static void
update_address_set(const struct sb_acl_reader *reader,
                   struct sb_acl_view *view, const char *name)
{
    const struct sbrec_address_set *row
        = simap_contains(&reader->names, name) ? address_set_row(reader, name)
                                               : NULL;
    struct sb_address_set *set = CONST_CAST(
        struct sb_address_set *, sb_acl_find_address_set(view, name));
    bool changed = !row != !set;

    if (row && !set) {
        set = xzalloc(sizeof *set);
        set->name = xstrdup(name);
        sset_init(&set->addresses);
        hmap_insert(&view->address_sets, &set->node, hash_string(name, 0));
    }
    if (row) {
        changed |= update_addresses(&set->addresses, row);
    } else if (set) {
        hmap_remove(&view->address_sets, &set->node);
        sb_address_set_destroy(set);
    }
    if (changed) {
        sset_add(&view->changes.sets, name);
    }
}

/* Brings the address sets of 'view' up to date with the replica. */
static void
update_address_sets(struct sb_acl_reader *reader, struct sb_acl_view *view)
{
    const struct sb_address_set *set;
    const struct simap_node *known;
    const char *name;

    if (reader->all) {
        HMAP_FOR_EACH (set, node, &view->address_sets) {
            sset_add(&reader->seen.sets, set->name);
        }
        SIMAP_FOR_EACH (known, &reader->names) {
            sset_add(&reader->seen.sets, known->name);
        }
    }
    SSET_FOR_EACH (name, &reader->seen.sets) {
        update_address_set(reader, view, name);
    }
}

/* Adds the datapath 'row' to 'view', or takes over what it says. */
static void
update_datapath(struct sb_acl_view *view,
                const struct sbrec_datapath_binding *row)
{
    const struct uuid *uuid = &row->header_.uuid;
    struct sb_acl_datapath *datapath = CONST_CAST(
        struct sb_acl_datapath *, sb_acl_find_datapath(view, uuid));

    if (!datapath) {
        datapath = xzalloc(sizeof *datapath);
        datapath->uuid = *uuid;
        hmap_insert(&view->datapaths, &datapath->node, uuid_hash(uuid));
        view->changes.datapaths = true;
    }
    if (datapath->tunnel_key != row->tunnel_key) {
        datapath->tunnel_key = row->tunnel_key;
        view->changes.datapaths = true;
    }
}

/* Brings the datapaths of 'view' up to date with 'idl'. */
static void
update_datapaths(const struct sb_acl_reader *reader,
                 const struct ovsdb_idl *idl, struct sb_acl_view *view)
{
    const struct sbrec_datapath_binding *row;
    struct sb_acl_datapath *datapath;

    if (!reader->all && !reader->seen.datapaths) {
        return;
    }
    HMAP_FOR_EACH_SAFE (datapath, node, &view->datapaths) {
        if (!sb_acl_reader_has_datapath(reader, &datapath->uuid)
            || !sbrec_datapath_binding_get_for_uuid(idl, &datapath->uuid)) {
            hmap_remove(&view->datapaths, &datapath->node);
            free(datapath);
            view->changes.datapaths = true;
        }
    }
    for (size_t i = 0; i < reader->n_uuids; i++) {
        row = sbrec_datapath_binding_get_for_uuid(idl, &reader->uuids[i]);
        if (row) {
            update_datapath(view, row);
        }
    }
}

/* Returns true if the links of 'view' are those of 'reader'. */
static bool
same_links(const struct sb_acl_reader *reader, const struct sb_acl_view *view)
{
    const struct sb_acl_link *link;

    HMAP_FOR_EACH (link, node, &view->links) {
        const char *text = smap_get(&reader->links, link->router_port);
        struct uuid network;

        if (!text || !uuid_from_string(&network, text)
            || !uuid_equals(&network, &link->network)) {
            return false;
        }
    }
    return hmap_count(&view->links) == smap_count(&reader->links);
}

/* Brings the links of 'view' up to date with 'reader'. */
static void
update_links(const struct sb_acl_reader *reader, struct sb_acl_view *view)
{
    const struct smap_node *known;
    struct sb_acl_link *link;

    if ((!reader->all && !reader->seen.datapaths)
        || same_links(reader, view)) {
        return;
    }
    HMAP_FOR_EACH_POP (link, node, &view->links) {
        sb_acl_link_destroy(link);
    }
    SMAP_FOR_EACH (known, &reader->links) {
        link = xzalloc(sizeof *link);
        link->router_port = xstrdup(known->key);
        uuid_from_string(&link->network, known->value);
        hmap_insert(&view->links, &link->node, hash_string(known->key, 0));
    }
    view->changes.datapaths = true;
}

/* Brings the entrances of 'view' up to date with 'reader'. */
static void
update_entrances(const struct sb_acl_reader *reader, struct sb_acl_view *view)
{
    if (!sset_equals(&view->entrances, &reader->entrances)) {
        sset_destroy(&view->entrances);
        sset_clone(&view->entrances, &reader->entrances);
        view->changes.datapaths = true;
    }
}

/* Returns true if 'changes' has any. */
static bool
has_changes(const struct sb_acl_changes *changes)
{
    return (!hmap_is_empty(&changes->flows.rows)
            || !sset_is_empty(&changes->groups)
            || !sset_is_empty(&changes->sets)
            || !sset_is_empty(&changes->ports)
            || changes->datapaths);
}

/* Brings 'view' up to date with 'idl', which has all that was asked for.
 * Returns true if it changed. */
bool
sb_acl_reader_update(struct sb_acl_reader *reader,
                     const struct ovsdb_idl *idl, struct sb_acl_view *view)
{
    struct sb_acl_changes before;
    bool changed = !view->complete;

    sb_acl_changes_init(&before);
    sb_acl_changes_move(&before, &view->changes);
    update_datapaths(reader, idl, view);
    update_links(reader, view);
    update_entrances(reader, view);
    update_flows(reader, idl, view);
    update_ports(reader, view);
    update_port_groups(reader, idl, view);
    update_address_sets(reader, view);
    changed |= has_changes(&view->changes);
    sb_acl_changes_move(&view->changes, &before);
    sb_acl_changes_destroy(&before);

    reader->all = reader->all_ports = false;
    sb_acl_changes_clear(&reader->seen);
    view->complete = true;
    return changed;
}
