/* SPDX-License-Identifier: Apache-2.0 */
/* Ports of VMs on this chassis, and which rules each of them has.
 *
 * A packet to a port is only dropped if it is dropped by *its* rules, all of
 * them, as OVN has them now.  So a port is pass-only
 *
 *   - until the view knows its datapath and its port groups: bindings go
 *     ahead of the view, and without the groups that allow, the rules for all
 *     ports of the datapath would drop too much;
 *   - while two rows have its name, one of which is about to go;
 *   - if what concerns it is not understood, or names an address set that is
 *     not: anything might be allowed by that;
 *   - if somebody gets packets that the rules drop: a mirror; or if they are
 *     answered, logged or sampled on their way in (see acl-entry.c);
 *   - while the VM moves from one chassis to another.  Packets go to both, and
 *     what it has opened on the other one was not seen here. */

#include <config.h>

#include "plugin/acl-private.h"

#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "packets.h"
#include "util.h"
#include "uuid.h"

#include "idl/sb-db.h"
#include "plugin/addresses.h"

/* The largest VLAN tag that may be on a wire. */
#define MAX_VLAN 4094

/* What comes out of settling a port. */
struct verdict {
    enum reason reason;         /* Why it is pass-only, or REASON_NONE. */
    const char *token;          /* What was not understood, or NULL. */
    int column;                 /* Where that begins, or 0. */
    const struct known_flow *strange; /* The flow that it is in, or NULL. */
    struct known_rule **rules;  /* Its rules. */
    size_t n_rules;             /* Number of them. */
    size_t allocated;           /* Capacity of 'rules'. */
};

/* Touching. */

/* Returns the port 'name' of 'acl', or NULL. */
struct known_port *
known_port_find(const struct acl *acl, const char *name)
{
    const struct acl_port *port = acl_find_port(acl, name);

    return (port
            ? CONTAINER_OF(CONST_CAST(struct acl_port *, port),
                           struct known_port, port)
            : NULL);
}

/* Has 'port' be settled anew. */
static void
touch(struct acl *acl, struct known_port *port)
{
    if (ovs_list_is_empty(&port->touched_node)) {
        ovs_list_push_back(&acl->private->touched, &port->touched_node);
    }
}

/* Has the port 'name' be settled anew, if there is one. */
void
acl_touch_port(struct acl *acl, const char *name)
{
    struct known_port *port = known_port_find(acl, name);

    if (port) {
        touch(acl, port);
    }
}

/* Has all ports of 'dp' be settled anew. */
void
acl_touch_dp(struct acl *acl, const struct known_dp *dp)
{
    const struct known_row *row;

    LIST_FOR_EACH (row, dp_node, &dp->rows) {
        touch(acl, row->port);
    }
}

/* Has all ports be settled, and all addresses be judged, anew. */
void
acl_touch_all(struct acl *acl)
{
    const struct known_row *row;

    HMAP_FOR_EACH (row, node, &acl->private->rows) {
        if (row->role == ROLE_PORT) {
            touch(acl, row->port);
            acl_note_row(acl, row);
        }
    }
    acl->nat_changed = true;
}

/* Notes that acl_judge() may say something else of the addresses of 'row'. */
void
acl_note_row(struct acl *acl, const struct known_row *row)
{
    for (size_t i = 0; i < row->n_addresses; i++) {
        acl_note_address(acl, &row->addresses[i].ip);
    }
}

/* Notes that acl_judge() may say something else of the addresses of ports of
 * 'dp'. */
void
acl_note_dp(struct acl *acl, const struct known_dp *dp)
{
    const struct known_row *row;

    LIST_FOR_EACH (row, dp_node, &dp->rows) {
        acl_note_row(acl, row);
    }
}

/* Rows. */

/* Returns the port 'name' of 'acl', made if need be. */
static struct known_port *
get_port(struct acl *acl, const char *name)
{
    struct known_port *port = known_port_find(acl, name);

    if (!port) {
        port = xzalloc(sizeof *port);
        port->port.name = xstrdup(name);
        port->port.reason = REASON_ACL_PENDING;
        ovs_list_init(&port->rows);
        ovs_list_init(&port->touched_node);
        hmap_insert(&acl->ports, &port->port.node, hash_string(name, 0));
        sset_add(&acl->changed_ports, name);
    }
    return port;
}

/* Adds the 'n' addresses 'ips' to 'row', which is not indexed by them yet. */
static void
add_ips(struct known_row *row, const struct in6_addr *ips, size_t n)
{
    row->addresses = xrealloc(row->addresses,
                              (row->n_addresses + n) * sizeof *row->addresses);
    for (size_t i = 0; i < n; i++) {
        row->addresses[row->n_addresses++]
            = (struct row_address) { .ip = ips[i], .row = row };
    }
}

/* Reads the addresses of 'binding' into 'row', and has it be found by
 * them. */
static void
index_addresses(struct acl_private *private, struct known_row *row,
                const struct sb_binding *binding)
{
    const char *string;

    SSET_FOR_EACH (string, &binding->macs) {
        struct addresses addresses;

        if (addresses_parse(string, &addresses) == ADDRESSES_OK
            && addresses.n_ips) {
            add_ips(row, addresses.ips, addresses.n_ips);
        }
        addresses_destroy(&addresses);
    }
    for (size_t i = 0; i < row->n_addresses; i++) {
        hmap_insert(&private->addresses, &row->addresses[i].node,
                    acl_address_hash(&row->addresses[i].ip));
    }
}

/* Returns the column of 'binding', of the port of a VM, that says that OVN
 * treats its packets in a special way, or NULL if none does. */
static const char *
find_special(const struct sb_binding *binding)
{
    return (binding->mirrored ? "mirror_rules"
            : binding->shared || !binding->here ? "additional_chassis"
            : NULL);
}

/* Makes 'row', of the port of a VM, what 'binding' says. */
static void
add_port_row(struct acl *acl, struct known_row *row,
             const struct sb_binding *binding)
{
    row->port = get_port(acl, binding->logical_port);
    row->special = find_special(binding);
    ovs_list_push_back(&row->port->rows, &row->port_node);
    ovs_list_push_back(&row->dp->rows, &row->dp_node);
    index_addresses(acl->private, row, binding);
    acl_note_row(acl, row);
    touch(acl, row->port);
}

/* Adds 'n', 1 or -1, to the number of localnet ports of 'dp'. */
static void
count_localnet(struct acl *acl, struct known_dp *dp, int n)
{
    dp->n_localnets += n;
    acl_note_dp(acl, dp);
    acl->nat_changed = true;
}

/* Adds 'binding' to 'acl', if it is of a kind that matters. */
static void
add_row(struct acl *acl, const struct sb_binding *binding)
{
    bool localnet = !strcmp(binding->type, "localnet");

    if (!localnet && (binding->type[0]
                      || (!binding->here && !binding->additional))) {
        return;
    }

    struct known_row *row = xzalloc(sizeof *row);
    row->uuid = binding->uuid;
    row->role = localnet ? ROLE_LOCALNET : ROLE_PORT;
    row->dp = known_dp_ref(acl->private, &binding->datapath);
    hmap_insert(&acl->private->rows, &row->node, uuid_hash(&row->uuid));
    if (localnet) {
        row->network = xstrdup(binding->network_name
                               ? binding->network_name : "");
        row->vlan = (binding->tag > 0 && binding->tag <= MAX_VLAN
                     ? binding->tag : 0);
        ovs_list_push_back(&acl->private->localnets, &row->dp_node);
        count_localnet(acl, row->dp, 1);
    } else {
        add_port_row(acl, row, binding);
    }
}

/* Undoes add_port_row(). */
static void
drop_port_row(struct acl *acl, struct known_row *row)
{
    acl_note_row(acl, row);
    touch(acl, row->port);
    ovs_list_remove(&row->port_node);
    ovs_list_remove(&row->dp_node);
    for (size_t i = 0; i < row->n_addresses; i++) {
        hmap_remove(&acl->private->addresses, &row->addresses[i].node);
    }
    free(row->addresses);
}

/* Removes 'row' from 'acl' and frees it. */
static void
drop_row(struct acl *acl, struct known_row *row)
{
    if (row->role == ROLE_PORT) {
        drop_port_row(acl, row);
    } else {
        ovs_list_remove(&row->dp_node);
        count_localnet(acl, row->dp, -1);
    }
    known_dp_unref(acl->private, row->dp);
    hmap_remove(&acl->private->rows, &row->node);
    free(row->network);
    free(row);
}

/* Returns what is known of the row 'uuid', or NULL. */
static struct known_row *
find_row(const struct acl_private *private, const struct uuid *uuid)
{
    struct known_row *row;

    HMAP_FOR_EACH_WITH_HASH (row, node, uuid_hash(uuid), &private->rows) {
        if (uuid_equals(&row->uuid, uuid)) {
            return row;
        }
    }
    return NULL;
}

/* Brings 'acl' up to date with the binding 'uuid'.  Whether it has other
 * addresses is not asked for: the change of a row is itself an event. */
void
acl_row_update(struct acl *acl, const struct uuid *uuid)
{
    const struct sb_binding *binding
        = sb_view_find_binding(acl->private->in->sb, uuid);
    struct known_row *row = find_row(acl->private, uuid);
    struct uuid datapath = row ? row->dp->uuid : UUID_ZERO;
    const char *special = row ? row->special : NULL;

    if (row) {
        drop_row(acl, row);
    }
    if (binding) {
        add_row(acl, binding);
    }
    row = find_row(acl->private, uuid);
    if (row && row->role == ROLE_PORT
        && (!uuid_equals(&row->dp->uuid, &datapath)
            || !nullable_string_is_equal(row->special, special))) {
        acl_event_binding(acl, row->port->port.name);
    }
}

/* Brings 'acl' up to date with all bindings. */
void
acl_rows_update_all(struct acl *acl)
{
    const struct sb_view *sb = acl->private->in->sb;
    const struct sb_binding *binding;
    struct known_row *row;

    HMAP_FOR_EACH_SAFE (row, node, &acl->private->rows) {
        if (!sb_view_find_binding(sb, &row->uuid)) {
            drop_row(acl, row);
        }
    }
    HMAP_FOR_EACH (binding, node, &sb->bindings) {
        acl_row_update(acl, &binding->uuid);
    }
}

/* Frees all rows and ports of 'acl'. */
void
acl_rows_destroy(struct acl *acl)
{
    struct known_row *row;

    HMAP_FOR_EACH_SAFE (row, node, &acl->private->rows) {
        drop_row(acl, row);
    }
    acl_ports_settle(acl);
}

/* Settling. */

/* Returns a negative number if 'a' is to be shown rather than 'b', both
 * strange, a positive one if 'b' is, and 0 if they look the same. */
static int
compare_strange(const struct known_flow *a, const struct known_flow *b)
{
    int cmp = b->priority - a->priority;

    if (!cmp) {
        cmp = (int) a->acl.reason - (int) b->acl.reason;
    }
    if (!cmp) {
        cmp = a->acl.column - b->acl.column;
    }
    return cmp ? cmp : strcmp(a->acl.token ? a->acl.token : "",
                              b->acl.token ? b->acl.token : "");
}

/* Adds what the flows of the term 'name' of 'dp' say to 'verdict'. */
static void
collect_term(const struct known_dp *dp, const char *name,
             struct verdict *verdict)
{
    const struct term_member *member;
    const struct known_term *term;

    HMAP_FOR_EACH_WITH_HASH (term, node, hash_string(name, 0), &dp->terms) {
        if (strcmp(term->name, name)) {
            continue;
        }
        LIST_FOR_EACH (member, node, &term->members) {
            const struct known_flow *flow = member->flow;

            if (flow->acl.kind == ACL_FLOW_STRANGE
                && (!verdict->strange
                    || compare_strange(flow, verdict->strange) < 0)) {
                verdict->strange = flow;
            }
            if (flow->rule) {
                if (verdict->n_rules == verdict->allocated) {
                    verdict->rules = x2nrealloc(verdict->rules,
                                                &verdict->allocated,
                                                sizeof *verdict->rules);
                }
                verdict->rules[verdict->n_rules++] = flow->rule;
            }
        }
    }
}

/* Orders rules as they decide, for qsort(). */
static int
compare_rules(const void *a_, const void *b_)
{
    const struct known_rule *const *a = a_;
    const struct known_rule *const *b = b_;

    return acl_rule_compare((*a)->rule, (*b)->rule);
}

/* Brings the rules of 'verdict' into their order, each once. */
static void
sort_rules(struct verdict *verdict)
{
    size_t n = 0;

    if (verdict->n_rules) {
        qsort(verdict->rules, verdict->n_rules, sizeof *verdict->rules,
              compare_rules);
    }
    for (size_t i = 0; i < verdict->n_rules; i++) {
        if (!n || verdict->rules[n - 1] != verdict->rules[i]) {
            verdict->rules[n++] = verdict->rules[i];
        }
    }
    verdict->n_rules = n;
}

/* Adds to 'verdict' what all flows say that concern 'port', which 'row' is
 * of: those for all ports of its datapath, those that name it, and those that
 * name a group that it is in. */
static void
collect(const struct acl *acl, const struct known_port *port,
        const struct known_row *row, struct verdict *verdict)
{
    const struct acl_private *private = acl->private;
    const struct sset *groups = acl_groups_of(private, port->port.name);
    const char *group;

    collect_term(row->dp, "", verdict);
    collect_term(row->dp, port->port.name, verdict);
    if (groups) {
        SSET_FOR_EACH (group, groups) {
            char *term = acl_group_term(private, group, row->dp);

            if (term) {
                collect_term(row->dp, term, verdict);
            }
            free(term);
        }
    }
    sort_rules(verdict);
}

/* Returns true if the view knows all that concerns 'port'. */
static bool
is_known(const struct acl_private *private, const struct known_port *port,
         const struct known_row *row)
{
    const struct sb_acl_view *view = private->in->view;

    return (view->complete && ovs_list_is_singleton(&port->rows)
            && sset_contains(&view->ports, port->port.name)
            && sb_acl_find_datapath(view, &row->dp->uuid));
}

/* Returns the first address set among the rules of 'verdict' that cannot be
 * used, as "$NAME", or NULL. */
static const char *
find_unusable(const struct verdict *verdict)
{
    for (size_t i = 0; i < verdict->n_rules; i++) {
        const char *token = known_rule_unusable(verdict->rules[i]);

        if (token) {
            return token;
        }
    }
    return NULL;
}

/* Returns true if a rule of 'verdict' drops. */
static bool
any_drops(const struct verdict *verdict)
{
    for (size_t i = 0; i < verdict->n_rules; i++) {
        if (acl_rule_drops(verdict->rules[i]->rule)) {
            return true;
        }
    }
    return false;
}

/* Finds out what is to be made of 'port', which 'row' is of.  The caller frees
 * 'verdict->rules'. */
static void
judge_port(const struct acl *acl, const struct known_port *port,
           const struct known_row *row, struct verdict *verdict)
{
    const char *unusable;

    if (!is_known(acl->private, port, row)) {
        verdict->reason = REASON_ACL_PENDING;
        return;
    }
    collect(acl, port, row, verdict);
    unusable = find_unusable(verdict);
    if (row->special) {
        verdict->reason = REASON_ACL_PORT;
        verdict->token = row->special;
    } else if (row->dp->in) {
        verdict->reason = row->dp->in->entry.reason;
        verdict->token = row->dp->in->entry.token;
    } else if (verdict->strange) {
        verdict->reason = verdict->strange->acl.reason;
        verdict->token = verdict->strange->acl.token;
        verdict->column = verdict->strange->acl.column;
    } else if (unusable) {
        verdict->reason = REASON_ACL_SET;
        verdict->token = unusable;
    } else if (!any_drops(verdict)) {
        verdict->reason = REASON_ACL_NO_RULES;
    }
}

/* Makes 'port', which 'row' is of, what 'verdict' says.  Returns true if that
 * is news. */
static bool
set_port(struct acl *acl, struct known_port *known,
         const struct known_row *row, const struct verdict *verdict)
{
    struct acl_port *port = &known->port;
    struct acl_set *old = port->set;
    bool changed = (port->reason != verdict->reason
                    || !uuid_equals(&port->datapath, &row->dp->uuid));

    port->datapath = row->dp->uuid;
    port->reason = verdict->reason;
    free(port->token);
    port->token = nullable_xstrdup(verdict->token);
    port->column = verdict->column;
    port->set = (verdict->n_rules
                 ? acl_set_ref(acl, verdict->rules, verdict->n_rules,
                               row->dp->n_stateful > 0,
                               verdict->reason != REASON_NONE)
                 : NULL);
    changed |= port->set != old;
    if (old) {
        acl_set_unref(acl, old);
    }
    return changed;
}

/* Frees 'port', which no row is of. */
static void
free_port(struct acl *acl, struct known_port *port)
{
    if (port->port.set) {
        acl_set_unref(acl, port->port.set);
    }
    sset_add(&acl->changed_ports, port->port.name);
    acl_event_binding(acl, port->port.name);
    hmap_remove(&acl->ports, &port->port.node);
    free(port->port.name);
    free(port->port.token);
    free(port);
}

/* Returns the row that 'port' is known by: of several, the first by UUID. */
static const struct known_row *
first_row(const struct known_port *port)
{
    const struct known_row *first = NULL;
    const struct known_row *row;

    LIST_FOR_EACH (row, port_node, &port->rows) {
        if (!first || uuid_compare_3way(&row->uuid, &first->uuid) < 0) {
            first = row;
        }
    }
    return first;
}

/* Brings 'port' up to date with all that it depends on. */
static void
settle(struct acl *acl, struct known_port *port)
{
    const struct known_row *row = first_row(port);
    struct verdict verdict = { .reason = REASON_NONE };

    if (!row) {
        free_port(acl, port);
        return;
    }
    judge_port(acl, port, row, &verdict);
    if (set_port(acl, port, row, &verdict)) {
        sset_add(&acl->changed_ports, port->port.name);
        LIST_FOR_EACH (row, port_node, &port->rows) {
            acl_note_row(acl, row);
        }
    }
    free(verdict.rules);
}

/* Brings all ports of 'acl' that were touched up to date. */
void
acl_ports_settle(struct acl *acl)
{
    struct known_port *port;

    LIST_FOR_EACH_POP (port, touched_node, &acl->private->touched) {
        ovs_list_init(&port->touched_node);
        settle(acl, port);
    }
}
