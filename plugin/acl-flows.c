/* SPDX-License-Identifier: Apache-2.0 */
/* Logical flows: each is read once, and found by what it is about: datapath
 * and port or port group, or address. */

#include <config.h>

#include "plugin/acl-private.h"

#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "packets.h"
#include "util.h"
#include "uuid.h"

/* Reading. */

/* Returns true if 'flow' is of the stages with ACLs. */
static bool
has_acl(const struct known_flow *flow)
{
    return flow->stage == SB_ACL_PRE || flow->stage == SB_ACL_EVAL;
}

/* Returns true if 'flow' is about translation. */
static bool
has_nat(const struct known_flow *flow)
{
    return (flow->stage == SB_ACL_SWITCH_LB
            || flow->stage == SB_ACL_ROUTER_DNAT
            || flow->stage == SB_ACL_ROUTER_SNAT
            || flow->stage == SB_ACL_ROUTER_POLICY);
}

/* Returns true if 'flow' is of the stages that may do more to packets than let
 * them through or drop them. */
static bool
has_entry(const struct known_flow *flow)
{
    return (flow->stage == SB_ACL_EVAL || flow->stage == SB_ACL_FROM
            || flow->stage == SB_ACL_ACTION || flow->stage == SB_ACL_MIRROR_IN
            || flow->stage == SB_ACL_MIRROR_OUT);
}

/* Returns true if 'flow' names the address 'nat.external'. */
static bool
has_external(const struct known_flow *flow)
{
    return (has_nat(flow) && (flow->nat.kind == ACL_NAT_PLAIN
                              || flow->nat.kind == ACL_NAT_OTHER));
}

/* Returns true if 'flow' names the address 'nat.logical'. */
static bool
has_logical(const struct known_flow *flow)
{
    return (flow->stage == SB_ACL_ROUTER_DNAT
            && flow->nat.kind == ACL_NAT_PLAIN);
}

/* Returns true if ports depend on 'flow'. */
static bool
has_terms(const struct known_flow *flow)
{
    return has_acl(flow) && (flow->acl.kind == ACL_FLOW_RULE
                             || flow->acl.kind == ACL_FLOW_STRANGE);
}

/* Notes in 'flow', which is what 'row' says, what it is as an event.  All
 * flows of ACLs are, whatever is understood of them, and above those the ones
 * that ports depend on. */
static void
read_event(struct known_flow *flow, const struct sb_acl_flow *row)
{
    bool from = flow->stage == SB_ACL_FROM;
    bool acl = ((from || flow->stage == SB_ACL_EVAL)
                && acl_entry_is_acl(row));

    if (acl || has_terms(flow)) {
        flow->digest = acl_event_digest(row);
        flow->logs = acl && acl_event_logs(row);
    }
    if (acl && !has_terms(flow)) {
        acl_entry_parse_ports(row->match, from ? "inport" : "outport",
                              &flow->named);
    }
}

/* Returns what 'row' says, so far without datapaths. */
static struct known_flow *
read_flow(struct acl_private *private, const struct sb_acl_flow *row)
{
    struct known_flow *flow = xzalloc(sizeof *flow);

    flow->uuid = row->uuid;
    flow->stage = row->stage;
    flow->priority = row->priority;
    ovs_list_init(&flow->dps);
    svec_init(&flow->named);
    if (has_entry(flow)) {
        acl_entry_parse(row, &flow->entry);
    }
    if (has_acl(flow)) {
        acl_flow_parse(row, &flow->acl);
        if (flow->acl.rule) {
            flow->rule = known_rule_ref(private, flow->acl.rule);
            flow->acl.rule = NULL;
        }
    } else if (flow->stage == SB_ACL_ROUTER_SNAT) {
        acl_snat_parse(row, &flow->snat, &flow->nat);
    } else if (has_nat(flow)) {
        acl_nat_parse(row, &flow->nat);
    } else if (flow->stage == SB_ACL_ROUTER_ROUTE) {
        acl_route_parse(row, &flow->route);
    }
    read_event(flow, row);
    return flow;
}

/* Frees 'flow', which has no datapaths. */
static void
free_flow(struct acl_private *private, struct known_flow *flow)
{
    if (has_acl(flow)) {
        acl_flow_destroy(&flow->acl);
        if (flow->rule) {
            known_rule_unref(private, flow->rule);
        }
    }
    if (has_entry(flow)) {
        acl_entry_destroy(&flow->entry);
    }
    svec_destroy(&flow->named);
    acl_nat_destroy(&flow->nat);
    acl_snat_destroy(&flow->snat);
    acl_route_destroy(&flow->route);
    free(flow);
}

/* Returns true if 'a' and 'b' are not known to say the same, datapaths
 * apart. */
static bool
differ(const struct known_flow *a, const struct known_flow *b)
{
    return (!has_acl(a) || !has_acl(b) || a->acl.kind != b->acl.kind
            || a->stage != b->stage || a->priority != b->priority
            || a->acl.kind == ACL_FLOW_STRANGE
            || a->entry.matters || b->entry.matters
            || a->digest != b->digest
            || a->acl.stateful != b->acl.stateful || a->rule != b->rule
            || !svec_equal(&a->acl.ports, &b->acl.ports));
}

/* Terms. */

/* Returns the term 'name' of 'dp', made if need be. */
static struct known_term *
get_term(struct known_dp *dp, const char *name)
{
    uint32_t hash = hash_string(name, 0);
    struct known_term *term;

    HMAP_FOR_EACH_WITH_HASH (term, node, hash, &dp->terms) {
        if (!strcmp(term->name, name)) {
            return term;
        }
    }
    term = xmalloc(sizeof *term);
    term->name = xstrdup(name);
    ovs_list_init(&term->members);
    hmap_insert(&dp->terms, &term->node, hash);
    return term;
}

/* Has all ports that flows of 'dp' mean by 'term' be settled anew. */
static void
touch_term(struct acl *acl, const struct known_dp *dp, const char *term)
{
    if (!term[0]) {
        acl_touch_dp(acl, dp);
    } else if (term[0] != '@') {
        acl_touch_port(acl, term);
    } else {
        acl_groups_touch(acl, term, dp);
    }
}

/* Makes 'member' one of 'flow' in the term 'name' of 'dp'. */
static void
join_term(struct term_member *member, struct known_flow *flow,
          struct known_dp *dp, const char *name)
{
    member->flow = flow;
    member->term = get_term(dp, name);
    ovs_list_push_back(&member->term->members, &member->node);
}

/* Undoes join_term(). */
static void
leave_term(struct term_member *member, struct known_dp *dp)
{
    struct known_term *term = member->term;

    ovs_list_remove(&member->node);
    if (ovs_list_is_empty(&term->members)) {
        hmap_remove(&dp->terms, &term->node);
        free(term->name);
        free(term);
    }
}

/* Makes 'fd' a member of the terms of its flow. */
static void
join_terms(struct flow_dp *fd)
{
    const struct svec *ports = &fd->flow->acl.ports;

    if (!has_terms(fd->flow)) {
        return;
    }
    fd->n_members = ports->n ? ports->n : 1;
    fd->members = xcalloc(fd->n_members, sizeof *fd->members);
    for (size_t i = 0; i < fd->n_members; i++) {
        join_term(&fd->members[i], fd->flow, fd->dp,
                  ports->n ? ports->names[i] : "");
    }
}

/* Has all ports that depend on 'fd' be settled anew. */
static void
touch_members(struct acl *acl, const struct flow_dp *fd)
{
    for (size_t i = 0; i < fd->n_members; i++) {
        touch_term(acl, fd->dp, fd->members[i].term->name);
    }
}

/* Has all ports that depend on 'flow' be settled anew. */
void
acl_flow_touch(struct acl *acl, const struct known_flow *flow)
{
    const struct flow_dp *fd;

    LIST_FOR_EACH (fd, node, &flow->dps) {
        touch_members(acl, fd);
    }
}

/* Datapaths. */

/* Adds 'n', 1 or -1, to '*count', on which all ports of 'dp' depend. */
static void
count_dp(struct acl *acl, struct known_dp *dp, size_t *count, int n)
{
    bool any = *count > 0;

    *count += n;
    if (any != (*count > 0)) {
        acl_touch_dp(acl, dp);
    }
}

/* Adds 'n', 1 or -1, to the number of flows of 'dp' by which any address may
 * be translated, for 'flow'. */
static void
count_any(struct acl *acl, struct known_dp *dp, const struct known_flow *flow,
          int n)
{
    if (flow->stage == SB_ACL_SWITCH_LB) {
        dp->n_any_lb += n;
        acl_note_dp(acl, dp);
    } else if (flow->stage == SB_ACL_ROUTER_DNAT) {
        dp->n_any_dnat += n;
    } else {
        dp->n_any_policy += n;
    }
    acl->nat_changed = true;
}

/* Adds 'n', 1 or -1, to what is counted of the flows of 'dp', for 'flow'. */
static void
count_flow(struct acl *acl, struct known_dp *dp, const struct known_flow *flow,
           int n)
{
    if (flow->digest) {
        acl_events_count(acl->private, dp, flow,
                         has_terms(flow) ? &flow->acl.ports : &flow->named,
                         n);
    }
    if (has_acl(flow) && flow->acl.stateful) {
        count_dp(acl, dp, &dp->n_stateful, n);
    }
    if (has_nat(flow) && flow->nat.kind == ACL_NAT_ANY) {
        count_any(acl, dp, flow, n);
    }
}

/* Returns true if 'a' and 'b' have a datapath in common. */
static bool
meet(const struct known_flow *a, const struct known_flow *b)
{
    const struct flow_dp *fd_a, *fd_b;

    LIST_FOR_EACH (fd_a, node, &a->dps) {
        LIST_FOR_EACH (fd_b, node, &b->dps) {
            if (fd_a->dp == fd_b->dp) {
                return true;
            }
        }
    }
    return false;
}

/* Notes that acl_judge() may say something else because of 'flow', a route: of
 * addresses that are translated into its network.  Nothing else asks for
 * routes, and there may be very many, which come and go. */
static void
note_route(struct acl *acl, const struct known_flow *flow)
{
    const struct known_flow *nat;

    HMAP_FOR_EACH (nat, logical_node, &acl->private->logicals) {
        if (acl_route_concerns(&flow->route, &nat->nat.logical)
            && meet(nat, flow)) {
            acl_note_address(acl, &nat->nat.external);
        }
    }
}

/* Notes that acl_judge() may say something else of the address that the router
 * has by 'flow', a route, if it is also one that is translated. */
static void
note_source(struct acl *acl, const struct known_flow *flow)
{
    const struct in6_addr *source = &flow->route.source;
    const struct known_flow *nat;

    HMAP_FOR_EACH_WITH_HASH (nat, external_node, acl_address_hash(source),
                             &acl->private->externals) {
        if (ipv6_addr_equals(&nat->nat.external, source)) {
            acl_note_address(acl, source);
            break;
        }
    }
}

/* Notes that acl_judge() may say something else because of 'flow'. */
static void
note_flow(struct acl *acl, const struct known_flow *flow)
{
    if (has_external(flow)) {
        acl_note_address(acl, &flow->nat.external);
    } else if (flow->stage == SB_ACL_ROUTER_ROUTE) {
        note_route(acl, flow);
    }
    if (flow->route.has_source) {
        note_source(acl, flow);
    }
    acl->nat_changed |= flow->snat.changes;
}

/* Returns true if 'flow' does more to packets than let them through or drop
 * them. */
static bool
flow_matters(const struct known_flow *flow)
{
    return has_entry(flow) && flow->entry.matters;
}

/* Puts 'fd' into the list of its datapath that it belongs to. */
static void
enlist(struct acl_private *private, struct flow_dp *fd)
{
    ovs_list_init(&fd->dp_node);
    if (fd->flow->stage == SB_ACL_ROUTER_ROUTE) {
        ovs_list_push_back(&fd->dp->routes, &fd->dp_node);
    } else if (fd->flow->snat.changes) {
        ovs_list_push_back(&fd->dp->snats, &fd->dp_node);
    } else if (flow_matters(fd->flow)) {
        ovs_list_push_back(&fd->dp->entries, &fd->dp_node);
        acl_dp_make_stale(private, fd->dp);
    }
}

/* Has 'flow' belong to the datapath 'uuid', in front of 'before'. */
static void
attach(struct acl *acl, struct known_flow *flow, const struct uuid *uuid,
       struct ovs_list *before)
{
    struct flow_dp *fd = xzalloc(sizeof *fd);

    fd->flow = flow;
    fd->dp = known_dp_ref(acl->private, uuid);
    ovs_list_insert(before, &fd->node);
    enlist(acl->private, fd);
    join_terms(fd);
    touch_members(acl, fd);
    count_flow(acl, fd->dp, flow, 1);
}

/* Undoes attach(). */
static void
detach(struct acl *acl, struct flow_dp *fd)
{
    touch_members(acl, fd);
    for (size_t i = 0; i < fd->n_members; i++) {
        leave_term(&fd->members[i], fd->dp);
    }
    count_flow(acl, fd->dp, fd->flow, -1);
    ovs_list_remove(&fd->dp_node);
    if (flow_matters(fd->flow)) {
        acl_dp_make_stale(acl->private, fd->dp);
    }
    ovs_list_remove(&fd->node);
    known_dp_unref(acl->private, fd->dp);
    free(fd->members);
    free(fd);
}

/* Makes the datapaths of 'row' those of 'flow'.  Both lists are sorted, so
 * that what stays is not touched. */
static void
set_datapaths(struct acl *acl, struct known_flow *flow,
              const struct sb_acl_flow *row)
{
    struct ovs_list *next = flow->dps.next;
    size_t i = 0;

    while (next != &flow->dps || i < row->n_datapaths) {
        struct flow_dp *fd = (next != &flow->dps
                              ? CONTAINER_OF(next, struct flow_dp, node)
                              : NULL);
        int cmp = (!fd ? 1 : i == row->n_datapaths ? -1
                   : uuid_compare_3way(&fd->dp->uuid, &row->datapaths[i]));

        if (cmp > 0) {
            attach(acl, flow, &row->datapaths[i++], next);
        } else {
            next = next->next;
            i += !cmp;
            if (cmp < 0) {
                detach(acl, fd);
            }
        }
    }
}

/* Flows. */

/* Returns the flow 'uuid', or NULL. */
static struct known_flow *
find_flow(const struct acl_private *private, const struct uuid *uuid)
{
    struct known_flow *flow;

    HMAP_FOR_EACH_WITH_HASH (flow, node, uuid_hash(uuid), &private->flows) {
        if (uuid_equals(&flow->uuid, uuid)) {
            return flow;
        }
    }
    return NULL;
}

/* Adds 'flow', which is what 'row' says, to 'acl'. */
static void
add_flow(struct acl *acl, struct known_flow *flow,
         const struct sb_acl_flow *row)
{
    struct acl_private *private = acl->private;

    hmap_insert(&private->flows, &flow->node, uuid_hash(&flow->uuid));
    if (has_external(flow)) {
        hmap_insert(&private->externals, &flow->external_node,
                    acl_address_hash(&flow->nat.external));
    }
    if (has_logical(flow)) {
        hmap_insert(&private->logicals, &flow->logical_node,
                    acl_address_hash(&flow->nat.logical));
    }
    set_datapaths(acl, flow, row);
    note_flow(acl, flow);
}

/* Removes 'flow' from 'acl' and frees it. */
static void
drop_flow(struct acl *acl, struct known_flow *flow)
{
    struct acl_private *private = acl->private;
    struct flow_dp *fd;

    note_flow(acl, flow);
    LIST_FOR_EACH_SAFE (fd, node, &flow->dps) {
        detach(acl, fd);
    }
    if (has_external(flow)) {
        hmap_remove(&private->externals, &flow->external_node);
    }
    if (has_logical(flow)) {
        hmap_remove(&private->logicals, &flow->logical_node);
    }
    hmap_remove(&private->flows, &flow->node);
    free_flow(private, flow);
}

/* Brings 'acl' up to date with the flow 'uuid'. */
void
acl_flow_update(struct acl *acl, const struct uuid *uuid)
{
    struct acl_private *private = acl->private;
    const struct sb_acl_flow *row = sb_acl_find_flow(private->in->view, uuid);
    struct known_flow *old = find_flow(private, uuid);
    struct known_flow *new = row ? read_flow(private, row) : NULL;

    if (old && new && !differ(old, new)) {
        set_datapaths(acl, old, row);
        free_flow(private, new);
        return;
    }
    if (old) {
        drop_flow(acl, old);
    }
    if (new) {
        add_flow(acl, new, row);
    }
}

/* Brings 'acl' up to date with all flows. */
void
acl_flows_update_all(struct acl *acl)
{
    struct acl_private *private = acl->private;
    const struct sb_acl_flow *row;
    struct known_flow *flow;

    HMAP_FOR_EACH_SAFE (flow, node, &private->flows) {
        if (!sb_acl_find_flow(private->in->view, &flow->uuid)) {
            drop_flow(acl, flow);
        }
    }
    HMAP_FOR_EACH (row, node, &private->in->view->flows) {
        acl_flow_update(acl, &row->uuid);
    }
}

/* Frees all flows of 'acl', in which no port is left. */
void
acl_flows_destroy(struct acl *acl)
{
    struct known_flow *flow;

    HMAP_FOR_EACH_SAFE (flow, node, &acl->private->flows) {
        drop_flow(acl, flow);
    }
}
