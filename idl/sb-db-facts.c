/* SPDX-License-Identifier: Apache-2.0 */
/* Which addresses routers translate, from Logical_Flow: what nat-flow.c
 * understands of one row, put together with the ports that it concerns.
 *
 *   - resident where "cr-" and a router port says: at that router port, where
 *     its gateway is;
 *   - resident at another port, with a MAC of its own: distributed;
 *   - on every chassis: if this chassis has the ports of that gateway router,
 *     at each of them, or at the one that is named.  On any other router such
 *     a flow says nothing about this chassis.
 *
 * Every update goes through set_fact(), which compares before it replaces. */
#include <config.h>

#include "idl/sb-db-facts.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "ovsdb-idl.h"
#include "util.h"
#include "uuid.h"

#include "idl/nat-fact.h"
#include "idl/nat-flow.h"
#include "idl/sb-db-scope.h"
#include "idl/sb-idl.h"

/* Registers with 'idl' the columns that are read. */
void
sb_facts_add_columns(struct ovsdb_idl *idl)
{
    static const struct ovsdb_idl_column *const columns[] = {
        &sbrec_logical_flow_col_actions,
        &sbrec_logical_flow_col_external_ids,
        &sbrec_logical_flow_col_logical_datapath,
        &sbrec_logical_flow_col_match,
    };

    for (size_t i = 0; i < ARRAY_SIZE(columns); i++) {
        ovsdb_idl_add_column(idl, columns[i]);
        ovsdb_idl_track_add_column(idl, columns[i]);
    }
}

/* Returns the fact with 'identity' in 'facts', or NULL. */
static struct nat_fact *
find_fact(struct hmap *facts, const struct uuid *identity)
{
    return CONST_CAST(struct nat_fact *, nat_fact_find(facts, identity));
}

/* Frees all facts in 'facts', and what 'facts' itself holds. */
void
sb_facts_destroy(struct hmap *facts)
{
    struct nat_fact *fact;

    HMAP_FOR_EACH_POP (fact, node, facts) {
        nat_fact_destroy(fact);
    }
    hmap_destroy(facts);
}

/* Makes 'new', or nothing if that is NULL, the fact with 'identity' of 'view',
 * which takes it.  Returns true if 'view' changed. */
static bool
set_fact(struct sb_view *view, const struct uuid *identity,
         struct nat_fact *new)
{
    struct nat_fact *old = find_fact(&view->facts, identity);

    if (old == new || (old && new && nat_fact_equals(old, new))) {
        nat_fact_destroy(new);
        return false;
    }
    row_changes_add(&view->fact_changes, identity, UINT_MAX);
    if (old) {
        hmap_remove(&view->facts, &old->node);
        nat_fact_destroy(old);
    }
    if (new) {
        hmap_insert(&view->facts, &new->node, uuid_hash(identity));
    }
    return true;
}

/* Returns the identity of what the row 'uuid' says about the gateway router's
 * port 'port'. */
static struct uuid
gateway_identity(const struct uuid *uuid, const char *port)
{
    struct uuid identity = *uuid;

    identity.parts[3] ^= hash_string(port, 0) | 1;
    return identity;
}

/* Adds to 'facts' that 'flow' concerns 'router_port', as 'identity'. */
static struct nat_fact *
add_fact(struct hmap *facts, const struct nat_flow *flow,
         const char *router_port, struct uuid identity)
{
    struct nat_fact *fact = xzalloc(sizeof *fact);

    fact->identity = identity;
    fact->router_port = xstrdup(router_port);
    fact->ip = flow->ip;
    fact->kind = flow->kind;
    hmap_insert(facts, &fact->node, uuid_hash(&identity));
    return fact;
}

/* Returns true if 'row' of 'idl' is a flow of the datapath 'router', a UUID as
 * text, perhaps as one of a group. */
static bool
is_flow_of(const struct sbrec_logical_flow *row, const struct ovsdb_idl *idl,
           const char *router)
{
    const struct sbrec_logical_dp_group *group
        = (row->n_logical_dp_group
           ? sbrec_logical_dp_group_get_for_uuid(idl, row->logical_dp_group)
           : NULL);
    struct uuid uuid;

    if (!uuid_from_string(&uuid, router)) {
        return false;
    }
    for (size_t i = 0; group && i < group->n_datapaths; i++) {
        if (uuid_equals(&group->datapaths[i], &uuid)) {
            return true;
        }
    }
    return (row->n_logical_datapath
            && uuid_equals(row->logical_datapath, &uuid));
}

/* Adds to 'facts' what 'flow' of 'row' of 'idl', which is the same on every
 * chassis, says about the ports of a gateway router in 'scope'. */
static void
add_gateway_facts(struct hmap *facts, const struct nat_flow *flow,
                  const struct sbrec_logical_flow *row,
                  const struct ovsdb_idl *idl, const struct sb_scope *scope)
{
    const struct shash_node *node;

    SHASH_FOR_EACH (node, &scope->gateways) {
        if ((!flow->inport || !strcmp(node->name, flow->inport))
            && is_flow_of(row, idl, node->data)) {
            add_fact(facts, flow, node->name,
                     gateway_identity(&row->header_.uuid, node->name));
        }
    }
}

/* Adds to 'facts' what 'flow' of 'row', which is resident somewhere, says. */
static void
add_resident_fact(struct hmap *facts, const struct nat_flow *flow,
                  const struct sbrec_logical_flow *row)
{
    const char *gateway = (!strncmp(flow->resident, "cr-", 3)
                           ? flow->resident + 3 : NULL);
    struct uuid identity = row->header_.uuid;

    if (gateway && (!flow->inport || !strcmp(gateway, flow->inport))) {
        add_fact(facts, flow, gateway, identity);
    } else if (flow->inport && flow->has_mac) {
        struct nat_fact *fact = add_fact(facts, flow, flow->inport, identity);

        fact->distributed = true;
        fact->mac = flow->mac;
        fact->resident = xstrdup(flow->resident);
    }
}

/* Adds to 'facts' what 'row' of 'idl' says. */
static void
add_facts(struct hmap *facts, const struct sbrec_logical_flow *row,
          const struct ovsdb_idl *idl, const struct sb_scope *scope)
{
    const char *stage = smap_get(&row->external_ids, "stage-name");
    struct nat_flow flow;

    if (!nat_flow_stage_matters(stage)
        || !nat_flow_parse(stage, row->match, row->actions, &flow)) {
        return;
    }
    if (flow.resident) {
        add_resident_fact(facts, &flow, row);
    } else {
        add_gateway_facts(facts, &flow, row, idl, scope);
    }
    nat_flow_destroy(&flow);
}

/* Removes the fact with 'identity' from 'facts' and returns it, or NULL. */
static struct nat_fact *
take_fact(struct hmap *facts, const struct uuid *identity)
{
    struct nat_fact *fact = find_fact(facts, identity);

    if (fact) {
        hmap_remove(facts, &fact->node);
    }
    return fact;
}

/* Brings the facts of the logical flow 'uuid' in 'view' up to date with 'idl'.
 * 'scope' must have had the same gateways when that was done before.  Returns
 * true if 'view' changed. */
bool
sb_facts_update_row(struct sb_view *view, const struct sb_scope *scope,
                    const struct ovsdb_idl *idl, const struct uuid *uuid)
{
    const struct sbrec_logical_flow *row
        = sbrec_logical_flow_get_for_uuid(idl, uuid);
    struct hmap facts = HMAP_INITIALIZER(&facts);
    const struct shash_node *node;

    if (row) {
        add_facts(&facts, row, idl, scope);
    }
    bool changed = set_fact(view, uuid, take_fact(&facts, uuid));
    SHASH_FOR_EACH (node, &scope->gateways) {
        struct uuid identity = gateway_identity(uuid, node->name);
        changed |= set_fact(view, &identity, take_fact(&facts, &identity));
    }
    sb_facts_destroy(&facts);
    return changed;
}

/* Brings all facts of 'view' up to date with 'idl'.  Returns true if 'view'
 * changed. */
bool
sb_facts_update_all(struct sb_view *view, const struct sb_scope *scope,
                    const struct ovsdb_idl *idl)
{
    struct hmap facts = HMAP_INITIALIZER(&facts);
    const struct sbrec_logical_flow *row;
    struct nat_fact *fact;
    bool changed = false;

    SBREC_LOGICAL_FLOW_FOR_EACH (row, idl) {
        add_facts(&facts, row, idl, scope);
    }
    HMAP_FOR_EACH_SAFE (fact, node, &view->facts) {
        if (!nat_fact_find(&facts, &fact->identity)) {
            struct uuid identity = fact->identity;
            changed |= set_fact(view, &identity, NULL);
        }
    }
    HMAP_FOR_EACH_POP (fact, node, &facts) {
        struct uuid identity = fact->identity;
        changed |= set_fact(view, &identity, fact);
    }
    sb_facts_destroy(&facts);
    return changed;
}

/* Adds to 'peers' the router ports of distributed facts of 'view' that are
 * resident with one of the ports 'vifs': the network of such an address is
 * that of the switch's port behind. */
void
sb_facts_get_peers(const struct sb_view *view, const struct simap *vifs,
                   struct sset *peers)
{
    const struct nat_fact *fact;

    HMAP_FOR_EACH (fact, node, &view->facts) {
        if (fact->distributed && simap_contains(vifs, fact->resident)) {
            sset_add(peers, fact->router_port);
        }
    }
}
