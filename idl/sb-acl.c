/* SPDX-License-Identifier: Apache-2.0 */
/* Plain values of what the Southbound says of ACLs; see sb-acl.h. */
#include <config.h>

#include "idl/sb-acl.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "util.h"
#include "uuid.h"

/* Makes 'changes' empty. */
void
sb_acl_changes_init(struct sb_acl_changes *changes)
{
    row_changes_init(&changes->flows);
    sset_init(&changes->groups);
    sset_init(&changes->sets);
    sset_init(&changes->ports);
    changes->datapaths = false;
}

/* Frees what 'changes' holds, not 'changes' itself. */
void
sb_acl_changes_destroy(struct sb_acl_changes *changes)
{
    row_changes_destroy(&changes->flows);
    sset_destroy(&changes->groups);
    sset_destroy(&changes->sets);
    sset_destroy(&changes->ports);
}

/* Empties 'changes', which stays usable. */
void
sb_acl_changes_clear(struct sb_acl_changes *changes)
{
    row_changes_clear(&changes->flows);
    sset_clear(&changes->groups);
    sset_clear(&changes->sets);
    sset_clear(&changes->ports);
    changes->datapaths = false;
}

/* Adds to 'dst' what is in 'src', which is empty then. */
void
sb_acl_changes_move(struct sb_acl_changes *dst, struct sb_acl_changes *src)
{
    const char *name;

    row_changes_move(&dst->flows, &src->flows);
    SSET_FOR_EACH (name, &src->groups) {
        sset_add(&dst->groups, name);
    }
    SSET_FOR_EACH (name, &src->sets) {
        sset_add(&dst->sets, name);
    }
    SSET_FOR_EACH (name, &src->ports) {
        sset_add(&dst->ports, name);
    }
    dst->datapaths |= src->datapaths;
    sb_acl_changes_clear(src);
}

/* Makes 'view' an empty, incomplete view. */
void
sb_acl_view_init(struct sb_acl_view *view)
{
    *view = (struct sb_acl_view) { .complete = false };
    hmap_init(&view->flows);
    hmap_init(&view->port_groups);
    hmap_init(&view->address_sets);
    hmap_init(&view->datapaths);
    hmap_init(&view->links);
    sset_init(&view->ports);
    sset_init(&view->entrances);
    sb_acl_changes_init(&view->changes);
}

/* Frees 'flow', which is in no hmap. */
void
sb_acl_flow_destroy(struct sb_acl_flow *flow)
{
    if (flow) {
        free(flow->match);
        free(flow->actions);
        free(flow->datapaths);
        free(flow);
    }
}

/* Frees 'group', which is in no hmap. */
void
sb_port_group_destroy(struct sb_port_group *group)
{
    if (group) {
        free(group->name);
        sset_destroy(&group->ports);
        free(group);
    }
}

/* Frees 'set', which is in no hmap. */
void
sb_address_set_destroy(struct sb_address_set *set)
{
    if (set) {
        free(set->name);
        sset_destroy(&set->addresses);
        free(set);
    }
}

/* Frees 'link', which is in no hmap. */
void
sb_acl_link_destroy(struct sb_acl_link *link)
{
    if (link) {
        free(link->router_port);
        free(link);
    }
}

/* Makes 'view' empty and incomplete, and notes all that it had as changed. */
void
sb_acl_view_clear(struct sb_acl_view *view)
{
    struct sb_acl_datapath *datapath;
    struct sb_port_group *group;
    struct sb_address_set *set;
    struct sb_acl_flow *flow;
    struct sb_acl_link *link;
    const char *port;

    HMAP_FOR_EACH_POP (flow, node, &view->flows) {
        row_changes_add(&view->changes.flows, &flow->uuid, UINT_MAX);
        sb_acl_flow_destroy(flow);
    }
    HMAP_FOR_EACH_POP (group, node, &view->port_groups) {
        sset_add(&view->changes.groups, group->name);
        sb_port_group_destroy(group);
    }
    HMAP_FOR_EACH_POP (set, node, &view->address_sets) {
        sset_add(&view->changes.sets, set->name);
        sb_address_set_destroy(set);
    }
    HMAP_FOR_EACH_POP (datapath, node, &view->datapaths) {
        view->changes.datapaths = true;
        free(datapath);
    }
    HMAP_FOR_EACH_POP (link, node, &view->links) {
        view->changes.datapaths = true;
        sb_acl_link_destroy(link);
    }
    SSET_FOR_EACH (port, &view->ports) {
        sset_add(&view->changes.ports, port);
    }
    sset_clear(&view->ports);
    view->changes.datapaths |= !sset_is_empty(&view->entrances);
    sset_clear(&view->entrances);
    view->complete = view->current = false;
}

/* Frees what 'view' owns, but not 'view' itself. */
void
sb_acl_view_destroy(struct sb_acl_view *view)
{
    sb_acl_view_clear(view);
    hmap_destroy(&view->flows);
    hmap_destroy(&view->port_groups);
    hmap_destroy(&view->address_sets);
    hmap_destroy(&view->datapaths);
    hmap_destroy(&view->links);
    sset_destroy(&view->ports);
    sset_destroy(&view->entrances);
    sb_acl_changes_destroy(&view->changes);
}

/* Returns the flow 'uuid' of 'view', or NULL. */
const struct sb_acl_flow *
sb_acl_find_flow(const struct sb_acl_view *view, const struct uuid *uuid)
{
    const struct sb_acl_flow *flow;

    HMAP_FOR_EACH_WITH_HASH (flow, node, uuid_hash(uuid), &view->flows) {
        if (uuid_equals(&flow->uuid, uuid)) {
            return flow;
        }
    }
    return NULL;
}

/* Returns the port group 'name' of 'view', or NULL. */
const struct sb_port_group *
sb_acl_find_port_group(const struct sb_acl_view *view, const char *name)
{
    const struct sb_port_group *group;

    HMAP_FOR_EACH_WITH_HASH (group, node, hash_string(name, 0),
                             &view->port_groups) {
        if (!strcmp(group->name, name)) {
            return group;
        }
    }
    return NULL;
}

/* Returns the address set 'name' of 'view', or NULL. */
const struct sb_address_set *
sb_acl_find_address_set(const struct sb_acl_view *view, const char *name)
{
    const struct sb_address_set *set;

    HMAP_FOR_EACH_WITH_HASH (set, node, hash_string(name, 0),
                             &view->address_sets) {
        if (!strcmp(set->name, name)) {
            return set;
        }
    }
    return NULL;
}

/* Returns the datapath 'uuid' of 'view', or NULL. */
const struct sb_acl_datapath *
sb_acl_find_datapath(const struct sb_acl_view *view, const struct uuid *uuid)
{
    const struct sb_acl_datapath *datapath;

    HMAP_FOR_EACH_WITH_HASH (datapath, node, uuid_hash(uuid),
                             &view->datapaths) {
        if (uuid_equals(&datapath->uuid, uuid)) {
            return datapath;
        }
    }
    return NULL;
}

/* Returns the link of 'view' from 'router_port', or NULL. */
const struct sb_acl_link *
sb_acl_find_link(const struct sb_acl_view *view, const char *router_port)
{
    const struct sb_acl_link *link;

    HMAP_FOR_EACH_WITH_HASH (link, node, hash_string(router_port, 0),
                             &view->links) {
        if (!strcmp(link->router_port, router_port)) {
            return link;
        }
    }
    return NULL;
}
