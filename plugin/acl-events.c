/* SPDX-License-Identifier: Apache-2.0 */
/* Rules as events: about packets of which ports OVN may decide otherwise than
 * before, in either direction, and whatever is understood of the rules.
 *
 * Of all flows of a datapath that name the same ports the sum of their hashes
 * is kept.  Only if that is another one at the end of an update than at the
 * end of the last, something changed: not if northd has replaced rows by the
 * same ones, or if everything was derived anew.  A datapath that comes into
 * sight brings all its flows along, and one that goes takes them away: none of
 * that is a change. */

#include <config.h>

#include "plugin/acl-private.h"

#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "openvswitch/dynamic-string.h"
#include "util.h"

#include "plugin/acl-actions.h"

/* Flows. */

/* Returns a number that is another one for flows that do not say the same as
 * 'row', datapaths apart. */
uint64_t
acl_event_digest(const struct sb_acl_flow *row)
{
    struct ds text = DS_EMPTY_INITIALIZER;
    ovs_u128 digest;

    ds_put_format(&text, "stage %d priority %d translated %d\n%s\n%s",
                  row->stage, row->priority, row->ct_translated, row->match,
                  row->actions);
    hash_bytes128(ds_cstr(&text), text.length, 0, &digest);
    ds_destroy(&text);
    return digest.u64.lo;
}

/* Returns true if 'row', of an ACL, logs or samples packets that it lets
 * through. */
bool
acl_event_logs(const struct sb_acl_flow *row)
{
    struct acl_actions actions;

    acl_actions_parse(row->actions, &actions);
    bool logs = (actions.flags & (ACL_LOGGED | ACL_SAMPLED)
                 && (actions.verdict == ACL_VERDICT_NONE
                     || actions.verdict == ACL_VERDICT_ALLOW));
    acl_actions_destroy(&actions);
    return logs;
}

/* Returns the event 'name' of 'dp', or NULL. */
static struct known_event *
find_event(const struct known_dp *dp, const char *name)
{
    struct known_event *event;

    HMAP_FOR_EACH_WITH_HASH (event, node, hash_string(name, 0), &dp->events) {
        if (!strcmp(event->name, name)) {
            return event;
        }
    }
    return NULL;
}

/* Returns the event 'name' of 'dp', made if need be. */
static struct known_event *
get_event(struct acl_private *private, struct known_dp *dp, const char *name)
{
    struct known_event *event = find_event(dp, name);

    if (!event) {
        event = xzalloc(sizeof *event);
        event->dp = known_dp_ref(private, &dp->uuid);
        event->name = xstrdup(name);
        ovs_list_init(&event->stale_node);
        hmap_insert(&dp->events, &event->node, hash_string(name, 0));
    }
    return event;
}

/* Frees 'event', which no flow is part of. */
static void
free_event(struct acl_private *private, struct known_event *event)
{
    hmap_remove(&event->dp->events, &event->node);
    known_dp_unref(private, event->dp);
    free(event->name);
    free(event);
}

/* Adds 'flow' to the event 'name' of 'dp', or takes it off if 'n' is not 1 but
 * -1. */
static void
count_event(struct acl_private *private, struct known_dp *dp,
            const char *name, const struct known_flow *flow, int n)
{
    struct known_event *event = get_event(private, dp, name);

    event->n_flows += n;
    event->sum += n > 0 ? flow->digest : -flow->digest;
    event->n_logs += flow->logs ? n : 0;
    dp->n_logs += flow->logs ? n : 0;
    if (ovs_list_is_empty(&event->stale_node)) {
        ovs_list_push_back(&private->stale_events, &event->stale_node);
    }
}

/* Adds 'flow', which names 'ports', or none and so all of them, to what is
 * known of 'dp', or takes it off if 'n' is not 1 but -1. */
void
acl_events_count(struct acl_private *private, struct known_dp *dp,
                 const struct known_flow *flow, const struct svec *ports,
                 int n)
{
    const char *port;
    size_t i;

    if (svec_is_empty(ports)) {
        count_event(private, dp, "", flow, n);
    }
    SVEC_FOR_EACH (i, port, ports) {
        count_event(private, dp, port, flow, n);
    }
}

/* Ports. */

/* Notes that OVN may decide otherwise about packets of all ports whose packets
 * pass 'dp': those in it.  By a network without ports here, and by one to the
 * outside, others may come. */
static void
note_dp(struct acl *acl, const struct known_dp *dp)
{
    const struct known_row *row;
    const struct acl_port *port;

    LIST_FOR_EACH (row, dp_node, &dp->rows) {
        sset_add(&acl->touched_ports, row->port->port.name);
    }
    if (ovs_list_is_empty(&dp->rows) || dp->n_localnets) {
        HMAP_FOR_EACH (port, node, &acl->ports) {
            sset_add(&acl->touched_ports, port->name);
        }
    }
}

/* Notes it of the ports that flows of 'dp' mean by 'name', "@NAME". */
static void
note_group(struct acl *acl, const char *name, const struct known_dp *dp)
{
    const struct known_row *row;

    LIST_FOR_EACH (row, dp_node, &dp->rows) {
        if (acl_port_is_in(acl->private, acl->private->in->view,
                           row->port->port.name, name, dp)) {
            sset_add(&acl->touched_ports, row->port->port.name);
        }
    }
}

/* Notes it of the ports that 'event' is about. */
static void
note_event(struct acl *acl, const struct known_event *event)
{
    const char *name = event->name;

    if (!name[0] || acl_term_is_entrance(acl->private, name, event->dp)) {
        note_dp(acl, event->dp);
    } else if (name[0] == '@') {
        note_group(acl, name, event->dp);
    } else if (acl_find_port(acl, name)) {
        sset_add(&acl->touched_ports, name);
    }
}

/* Notes it of the port 'port', which is about to join or to leave 'group', if
 * a flow names that. */
void
acl_event_membership(struct acl *acl, const char *group, const char *port)
{
    const struct known_port *known = known_port_find(acl, port);
    const struct known_row *row;

    if (!known || !acl->private->complete) {
        return;
    }
    LIST_FOR_EACH (row, port_node, &known->rows) {
        char *term = acl_group_term(acl->private, group, row->dp);

        if (term && find_event(row->dp, term)) {
            sset_add(&acl->touched_ports, port);
        }
        free(term);
    }
}

/* Notes it of the port 'port', whose binding came, went or changed. */
void
acl_event_binding(struct acl *acl, const char *port)
{
    if (acl->private->complete) {
        sset_add(&acl->touched_ports, port);
    }
}

/* Settling. */

/* Returns true if 'dp' is in the view, and was at the end of the last
 * update. */
static bool
stays(const struct acl_private *private, const struct known_dp *dp)
{
    return dp->in_scope && sb_acl_find_datapath(private->in->view, &dp->uuid);
}

/* Takes what became of 'event'. */
static void
settle_event(struct acl *acl, struct known_event *event)
{
    if (event->sum != event->settled) {
        event->settled = event->sum;
        if (stays(acl->private, event->dp)) {
            note_event(acl, event);
        }
    }
    if (!event->n_flows) {
        free_event(acl->private, event);
    }
}

/* Takes what became of 'dp' as a whole. */
static void
settle_dp(struct acl *acl, struct known_dp *dp)
{
    bool stateful = dp->n_stateful > 0;

    if (dp->was_stateful != stateful && stays(acl->private, dp)) {
        note_dp(acl, dp);
    }
    dp->was_stateful = stateful;
    dp->in_scope = sb_acl_find_datapath(acl->private->in->view,
                                        &dp->uuid) != NULL;
}

/* Notes whose packets OVN may decide about otherwise than after the last
 * update.  What is missing from a view that is not complete is no change. */
void
acl_events_settle(struct acl *acl)
{
    struct acl_private *private = acl->private;
    struct known_event *event;
    struct known_dp *dp;

    if (!private->in->view->complete) {
        return;
    }
    LIST_FOR_EACH_POP (event, stale_node, &private->stale_events) {
        ovs_list_init(&event->stale_node);
        settle_event(acl, event);
    }
    HMAP_FOR_EACH (dp, node, &private->dps) {
        settle_dp(acl, dp);
    }
}

/* Returns true if 'event' is about 'port', of its datapath. */
static bool
is_about(const struct acl_private *private, const struct sb_acl_view *view,
         const struct known_event *event, const char *port)
{
    const char *name = event->name;

    return (!name[0] || !strcmp(name, port)
            || sset_contains(&view->entrances, name)
            || (name[0] == '@'
                && acl_port_is_in(private, view, port, name, event->dp)));
}

/* Returns true if an ACL of its switch logs or samples packets of 'port', in
 * either direction, that it lets through. */
bool
acl_is_logged(const struct acl *acl, const struct acl_inputs *in,
              const char *port)
{
    const struct known_port *known = known_port_find(acl, port);
    const struct known_event *event;
    const struct known_row *row;

    if (!known) {
        return false;
    }
    LIST_FOR_EACH (row, port_node, &known->rows) {
        if (!row->dp->n_logs) {
            continue;
        }
        HMAP_FOR_EACH (event, node, &row->dp->events) {
            if (event->n_logs
                && is_about(acl->private, in->view, event, port)) {
                return true;
            }
        }
    }
    return false;
}

/* Frees all events of 'private', in which no flow is left. */
void
acl_events_destroy(struct acl_private *private)
{
    struct known_event *event;

    LIST_FOR_EACH_POP (event, stale_node, &private->stale_events) {
        free_event(private, event);
    }
}
