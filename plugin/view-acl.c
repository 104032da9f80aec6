/* SPDX-License-Identifier: Apache-2.0 */
/* The window for rpc/: OVN's ACLs as they are understood here. */

#include <config.h>

#include "plugin/view-acl.h"

#include <stdlib.h>
#include <string.h>

#include "timeval.h"
#include "util.h"

#include "idl/sb-db.h"
#include "plugin/acl-text.h"
#include "plugin/acl.h"
#include "plugin/desired.h"
#include "plugin/lease.h"
#include "plugin/settings.h"
#include "plugin/view-private.h"
#include "plugin/view.h"

/* Returns why packets to 'port' are not compared with its rules, REASON_NONE
 * if they are; NULL is a port of which nothing is known yet. */
enum reason
view_acl_port_reason(const struct view *view, const struct acl_port *port)
{
    if (view->settings->acl == DP_ACL_OFF) {
        return REASON_ACL_OFF;
    } else if (!port) {
        return REASON_ACL_PENDING;
    } else if (port->reason != REASON_NONE) {
        return port->reason;
    }
    return (port->set && view->acl_apply
            ? REASON_NONE : REASON_ACL_PENDING);
}

/* Returns the word for what becomes of packets to 'ep' that OVN's ACLs would
 * drop, and stores why they are left to OVN in '*reason'. */
const char *
view_acl_state(const struct view *view, const struct desired_endpoint *ep,
               enum reason *reason)
{
    if (view->settings->acl == DP_ACL_OFF) {
        *reason = REASON_ACL_OFF;
        return "off";
    } else if (ep->reason != REASON_NONE) {
        *reason = ep->reason;
        return "pass-only";
    } else if (!ep->acl) {
        *reason = (ep->acl_reason != REASON_NONE
                   ? ep->acl_reason : REASON_ACL_PENDING);
        return "pass-only";
    }
    *reason = REASON_NONE;
    return view->settings->acl == DP_ACL_DROP ? "enforced" : "counted";
}

/* Returns true if programs may drop packets at the moment. */
bool
view_acl_is_leased(const struct view *view)
{
    return view->lease && view->lease->until > time_msec();
}

/* Fills 'drops' with what was dropped for 'ep'.  Returns false if the datapath
 * does not have it, or nobody counts. */
bool
view_endpoint_drops(const struct view *view,
                    const struct desired_endpoint *ep,
                    struct dp_counter *drops)
{
    *drops = (struct dp_counter) { 0, 0 };
    return (view->dp && view->class->endpoint_drops
            && !view->class->endpoint_drops(view->dp, &ep->key, drops));
}

/* Fills the flags of 'dst' from 'rule'. */
static void
set_flags(const struct acl_rule *rule, struct view_acl_rule *dst)
{
    if (rule->flags & ACL_LOGGED) {
        dst->flags[dst->n_flags++] = "logged";
    }
    if (rule->flags & ACL_LABELLED) {
        dst->flags[dst->n_flags++] = "labelled";
    }
    if (rule->flags & ACL_SAMPLED) {
        dst->flags[dst->n_flags++] = "sampled";
    }
}

/* Fills '*dst' with 'rule', which has decided about 'hits' packets. */
static void
set_rule(const struct acl_rule *rule, uint64_t hits,
         struct view_acl_rule *dst)
{
    struct acl_text text;

    acl_text_init(&text, rule);
    *dst = (struct view_acl_rule) {
        .direction = "to-lport",
        .tier = rule->tier,
        .priority = rule->priority,
        .action = acl_action_to_string(rule->action),
        .protocol = xstrdup(text.protocol),
        .source = xstrdup(text.source),
        .ports = xstrdup(text.ports),
        .icmp = xstrdup(text.icmp),
        .match = xstrdup(rule->match),
        .hits = hits,
    };
    set_flags(rule, dst);
    acl_text_destroy(&text);
}

/* Fills the rules of 'dst' with those of 'set'. */
static void
set_rules(const struct acl_set *set, struct view_acl_port *dst)
{
    uint64_t *hits = xcalloc(MAX(1, set->n_rules), sizeof *hits);

    dst->stateful = set->stateful;
    dst->n_rules = set->n_rules;
    dst->rules = xcalloc(MAX(1, set->n_rules), sizeof *dst->rules);
    for (size_t i = 0; i < set->n_rules; i++) {
        set_rule(set->rules[i], hits[i], &dst->rules[i]);
    }
    free(hits);
}

/* Appends the port 'name' to 'acls': 'port', or NULL if nothing is known of
 * its rules. */
static void
add_port(const struct view *view, const char *name,
         const struct acl_port *port, struct view_acls *acls)
{
    enum reason reason = view_acl_port_reason(view, port);
    struct view_acl_port *dst = &acls->ports[acls->n++];

    *dst = (struct view_acl_port) {
        .logical_port = xstrdup(name),
        .state = reason == REASON_NONE ? "enforced" : "pass-only",
        .reason = reason_to_string(reason),
        .token = xstrdup(port && port->token ? port->token : ""),
        .column = port ? port->column : 0,
    };
    if (port && port->set) {
        set_rules(port->set, dst);
    }
}

/* Appends to 'acls' the ports called 'name', or all if that is NULL, whose
 * rules are known. */
static void
add_known_ports(const struct view *view, const char *name,
                struct view_acls *acls)
{
    const struct acl_port *port;

    acls->ports = xcalloc(hmap_count(&view->acl->ports) + 1,
                          sizeof *acls->ports);
    HMAP_FOR_EACH (port, node, &view->acl->ports) {
        if (!name || !strcmp(name, port->name)) {
            add_port(view, port->name, port, acls);
        }
    }
}

/* Appends to 'acls' the ports called 'name', or all if that is NULL, that OVN
 * has bound to this chassis, while nobody derives rules. */
static void
add_bound_ports(const struct view *view, const char *name,
                struct view_acls *acls)
{
    const struct hmap *bindings = &sb_db_view(view->sb_db)->bindings;
    const struct sb_binding *binding;

    acls->ports = xcalloc(hmap_count(bindings) + 1, sizeof *acls->ports);
    HMAP_FOR_EACH (binding, node, bindings) {
        if (!binding->type[0] && (binding->here || binding->additional)
            && (!name || !strcmp(name, binding->logical_port))) {
            add_port(view, binding->logical_port, NULL, acls);
        }
    }
}

/* Compares two struct view_acl_port by name, for qsort(). */
static int
compare_ports(const void *a_, const void *b_)
{
    const struct view_acl_port *a = a_;
    const struct view_acl_port *b = b_;

    return strcmp(a->logical_port, b->logical_port);
}

/* Fills '*acls'.  See plugin/view.h. */
bool
view_get_acls(const struct view *view, const char *logical_port,
              struct view_acls *acls)
{
    *acls = (struct view_acls) {
        .mode = settings_acl_to_string(view->settings->acl),
    };
    if (view->acl && view->settings->acl != DP_ACL_OFF) {
        add_known_ports(view, logical_port, acls);
    } else {
        add_bound_ports(view, logical_port, acls);
    }
    qsort(acls->ports, acls->n, sizeof *acls->ports, compare_ports);
    if (logical_port && !acls->n) {
        view_acls_uninit(acls);
        return false;
    }
    return true;
}

/* Frees what 'acls' holds. */
void
view_acls_uninit(struct view_acls *acls)
{
    for (size_t i = 0; i < acls->n; i++) {
        struct view_acl_port *port = &acls->ports[i];

        for (size_t j = 0; j < port->n_rules; j++) {
            free(port->rules[j].protocol);
            free(port->rules[j].source);
            free(port->rules[j].ports);
            free(port->rules[j].icmp);
            free(port->rules[j].match);
        }
        free(port->rules);
        free(port->token);
        free(port->logical_port);
    }
    free(acls->ports);
}
