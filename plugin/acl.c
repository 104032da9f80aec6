/* SPDX-License-Identifier: Apache-2.0 */
/* Ties together what is known of flows, groups and ports.  See
 * plugin/acl-private.h for how. */

#include <config.h>

#include "plugin/acl.h"

#include <stdlib.h>

#include "hash.h"
#include "packets.h"
#include "util.h"
#include "uuid.h"

#include "idl/row-changes.h"
#include "idl/sb-acl.h"
#include "idl/sb-db.h"
#include "plugin/acl-private.h"

/* Creates and returns one that knows of nothing, before its first update. */
struct acl *
acl_create(void)
{
    struct acl *acl = xzalloc(sizeof *acl);
    struct acl_private *private = xzalloc(sizeof *private);

    hmap_init(&acl->ports);
    hmap_init(&acl->sets);
    sset_init(&acl->changed_ports);
    sset_init(&acl->touched_ports);
    hmap_init(&acl->changed_addresses);
    acl->private = private;
    hmap_init(&private->dps);
    hmap_init(&private->flows);
    hmap_init(&private->externals);
    hmap_init(&private->logicals);
    hmap_init(&private->rules);
    hmap_init(&private->names);
    hmap_init(&private->shown);
    hmap_init(&private->rows);
    hmap_init(&private->addresses);
    hmap_init(&private->groups);
    hmap_init(&private->memberships);
    ovs_list_init(&private->localnets);
    ovs_list_init(&private->touched);
    ovs_list_init(&private->stale_events);
    ovs_list_init(&private->stale_dps);
    return acl;
}

/* Frees 'private', in which nothing is left. */
static void
destroy_private(struct acl_private *private)
{
    hmap_destroy(&private->dps);
    hmap_destroy(&private->flows);
    hmap_destroy(&private->externals);
    hmap_destroy(&private->logicals);
    hmap_destroy(&private->rules);
    hmap_destroy(&private->names);
    hmap_destroy(&private->shown);
    hmap_destroy(&private->rows);
    hmap_destroy(&private->addresses);
    hmap_destroy(&private->groups);
    hmap_destroy(&private->memberships);
    free(private);
}

/* Frees 'acl' and all that it holds. */
void
acl_destroy(struct acl *acl)
{
    if (!acl) {
        return;
    }
    acl_rows_destroy(acl);
    acl_groups_destroy(acl->private);
    acl_flows_destroy(acl);
    acl_events_destroy(acl->private);
    ovs_assert(hmap_is_empty(&acl->private->dps));
    ovs_assert(hmap_is_empty(&acl->private->rules));
    ovs_assert(hmap_is_empty(&acl->private->names));
    destroy_private(acl->private);
    acl_forget_changes(acl);
    sset_destroy(&acl->changed_ports);
    sset_destroy(&acl->touched_ports);
    hmap_destroy(&acl->changed_addresses);
    hmap_destroy(&acl->ports);
    hmap_destroy(&acl->sets);
    free(acl);
}

/* Forgets what of 'acl' changed. */
void
acl_forget_changes(struct acl *acl)
{
    struct acl_address *address;

    sset_clear(&acl->changed_ports);
    sset_clear(&acl->touched_ports);
    HMAP_FOR_EACH_POP (address, node, &acl->changed_addresses) {
        free(address);
    }
    acl->nat_changed = false;
}

/* Returns the port 'name' of 'acl', or NULL. */
const struct acl_port *
acl_find_port(const struct acl *acl, const char *name)
{
    const struct acl_port *port;

    HMAP_FOR_EACH_WITH_HASH (port, node, hash_string(name, 0), &acl->ports) {
        if (!strcmp(port->name, name)) {
            return port;
        }
    }
    return NULL;
}

/* Datapaths. */

/* Returns what 'private' knows of the datapath 'uuid', or NULL. */
struct known_dp *
known_dp_find(const struct acl_private *private, const struct uuid *uuid)
{
    struct known_dp *dp;

    HMAP_FOR_EACH_WITH_HASH (dp, node, uuid_hash(uuid), &private->dps) {
        if (uuid_equals(&dp->uuid, uuid)) {
            return dp;
        }
    }
    return NULL;
}

/* Returns what 'private' knows of the datapath 'uuid', for one more user. */
struct known_dp *
known_dp_ref(struct acl_private *private, const struct uuid *uuid)
{
    struct known_dp *dp = known_dp_find(private, uuid);

    if (!dp) {
        dp = xzalloc(sizeof *dp);
        dp->uuid = *uuid;
        hmap_init(&dp->terms);
        hmap_init(&dp->events);
        ovs_list_init(&dp->rows);
        ovs_list_init(&dp->routes);
        ovs_list_init(&dp->snats);
        ovs_list_init(&dp->entries);
        ovs_list_init(&dp->stale_node);
        hmap_insert(&private->dps, &dp->node, uuid_hash(uuid));
    }
    dp->n_refs++;
    return dp;
}

/* Gives back 'dp', for which known_dp_ref() was called. */
void
known_dp_unref(struct acl_private *private, struct known_dp *dp)
{
    if (!--dp->n_refs) {
        ovs_assert(hmap_is_empty(&dp->terms));
        ovs_assert(hmap_is_empty(&dp->events));
        hmap_destroy(&dp->terms);
        hmap_destroy(&dp->events);
        ovs_list_remove(&dp->stale_node);
        hmap_remove(&private->dps, &dp->node);
        free(dp);
    }
}

/* Changes. */

/* Returns the hash of 'ip'. */
uint32_t
acl_address_hash(const struct in6_addr *ip)
{
    return hash_bytes(ip, sizeof *ip, 0);
}

/* Adds 'ip' to the 'changed_addresses' of 'acl'. */
static void
add_address(struct acl *acl, const struct in6_addr *ip)
{
    uint32_t hash = acl_address_hash(ip);
    struct acl_address *address;

    HMAP_FOR_EACH_WITH_HASH (address, node, hash, &acl->changed_addresses) {
        if (ipv6_addr_equals(&address->ip, ip)) {
            return;
        }
    }
    address = xmalloc(sizeof *address);
    address->ip = *ip;
    hmap_insert(&acl->changed_addresses, &address->node, hash);
}

/* Notes that acl_judge() may say something else of 'ip', and of the addresses
 * that a router translates to it. */
void
acl_note_address(struct acl *acl, const struct in6_addr *ip)
{
    const struct known_flow *flow;

    add_address(acl, ip);
    HMAP_FOR_EACH_WITH_HASH (flow, logical_node, acl_address_hash(ip),
                             &acl->private->logicals) {
        if (ipv6_addr_equals(&flow->nat.logical, ip)) {
            add_address(acl, &flow->nat.external);
        }
    }
}

/* Updates. */

/* Has the ports of flows be settled anew that name an address set which
 * acl_names_update() found changed. */
static void
touch_names(struct acl *acl)
{
    const struct known_flow *flow;
    struct known_names *names;

    HMAP_FOR_EACH (flow, node, &acl->private->flows) {
        for (size_t i = 0; flow->rule && i < flow->rule->n_names; i++) {
            if (flow->rule->names[i]->changed) {
                acl_flow_touch(acl, flow);
                break;
            }
        }
    }
    HMAP_FOR_EACH (names, node, &acl->private->names) {
        names->changed = false;
    }
}

/* Brings 'acl' up to date with the address sets 'sets'.  All flows are looked
 * at once, however many sets changed. */
static void
update_names(struct acl *acl, const struct sset *sets)
{
    bool changed = false;
    const char *name;

    SSET_FOR_EACH (name, sets) {
        changed |= acl_names_update(acl->private, name);
    }
    if (changed) {
        touch_names(acl);
    }
}

/* Brings 'acl' up to date with what 'changes' says of the view. */
static void
update_view(struct acl *acl, const struct sb_acl_changes *changes)
{
    const struct row_change *change;
    const char *name;

    if (changes->flows.all) {
        acl_flows_update_all(acl);
    }
    HMAP_FOR_EACH (change, node, &changes->flows.rows) {
        acl_flow_update(acl, &change->uuid);
    }
    SSET_FOR_EACH (name, &changes->groups) {
        acl_group_update(acl, name);
    }
    update_names(acl, &changes->sets);
    SSET_FOR_EACH (name, &changes->ports) {
        acl_touch_port(acl, name);
    }
    if (changes->datapaths) {
        acl_dps_make_stale(acl->private);
        acl_touch_all(acl);
    }
}

/* Brings 'acl' up to date with the rows in 'changes'. */
static void
update_bindings(struct acl *acl, const struct row_changes *changes)
{
    const struct row_change *change;

    if (changes->all) {
        acl_rows_update_all(acl);
    }
    HMAP_FOR_EACH (change, node, &changes->rows) {
        if (change->parts & SB_BINDING_PORT) {
            acl_row_update(acl, &change->uuid);
        }
    }
}

/* Brings 'acl' up to date with everything. */
static void
update_all(struct acl *acl)
{
    struct known_names *names;

    acl_rows_update_all(acl);
    acl_groups_update_all(acl);
    HMAP_FOR_EACH (names, node, &acl->private->names) {
        acl_names_update(acl->private, names->name);
    }
    acl_flows_update_all(acl);
    acl_dps_make_stale(acl->private);
    acl_touch_all(acl);
}

/* Brings 'acl' up to date with 'in', of which 'changes' may be news. */
void
acl_update(struct acl *acl, const struct acl_inputs *in,
           const struct acl_changes *changes)
{
    struct acl_private *private = acl->private;

    private->in = in;
    if (changes->all || private->complete != in->view->complete) {
        update_all(acl);
    } else {
        if (changes->bindings) {
            update_bindings(acl, changes->bindings);
        }
        if (changes->view) {
            update_view(acl, changes->view);
        }
    }
    private->complete = in->view->complete;
    acl_entries_settle(acl);
    acl_events_settle(acl);
    acl_ports_settle(acl);
    private->in = NULL;
}
