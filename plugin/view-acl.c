/* SPDX-License-Identifier: Apache-2.0 */
/* The window for rpc/: OVN's ACLs as they are understood here. */

#include <config.h>

#include "plugin/view-acl.h"

#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "openvswitch/hmap.h"
#include "simap.h"
#include "timeval.h"
#include "util.h"

#include "idl/sb-db.h"
#include "plugin/acl-apply.h"
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
            ? acl_apply_reason(view->acl_apply, port->set)
            : REASON_ACL_PENDING);
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

/* Stores how many sets of rules and how many sources the datapath has. */
void
view_acl_usage(const struct view *view, uint64_t *n_sets,
               uint64_t *n_sources)
{
    struct simap usage = SIMAP_INITIALIZER(&usage);

    if (view->acl_apply) {
        acl_apply_get_memory_usage(view->acl_apply, &usage);
    }
    *n_sets = simap_get(&usage, "acl-sets-written");
    *n_sources = simap_get(&usage, "acl-prefixes");
    simap_destroy(&usage);
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
    if (rule->flags & ACL_BUILT_IN) {
        dst->flags[dst->n_flags++] = "built-in";
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

/* Fills the rules of '*dst' with those of 'set'. */
static void
fill_rules(const struct view *view, const struct acl_set *set,
           struct view_acl_set *dst)
{
    uint64_t *hits = xcalloc(MAX(1, set->n_rules), sizeof *hits);

    if (view->acl_apply) {
        acl_apply_hits(view->acl_apply, set, hits);
    }
    dst->rules = xcalloc(MAX(1, set->n_rules), sizeof *dst->rules);
    for (size_t i = 0; i < set->n_rules; i++) {
        set_rule(set->rules[i], hits[i], &dst->rules[i]);
    }
    free(hits);
}

/* A list of ports being made.  Most ports share their rules with others, and
 * a node may have thousands of ports with dozens of rules each. */
struct listing {
    const struct view *view;    /* The daemon. */
    const char *filter;         /* Name of the only port, or NULL for all. */
    bool brief;                 /* Rules are left out. */
    struct view_acls *acls;     /* The list. */
    struct hmap sets;           /* Of struct listed_set: what the sets of
                                 * 'acls' were made from. */
};

/* A set of rules in a list. */
struct listed_set {
    struct hmap_node node;      /* In struct listing, by hash of 'set'. */
    const struct acl_set *set;  /* The rules. */
    size_t i;                   /* Index in 'sets' of the list. */
};

/* Makes room in 'listing' for 'n' ports. */
static void
listing_reserve(struct listing *listing, size_t n)
{
    listing->acls->ports = xcalloc(n + 1, sizeof *listing->acls->ports);
    listing->acls->sets = xcalloc(n + 1, sizeof *listing->acls->sets);
}

/* Frees what 'listing' holds but for the list. */
static void
listing_destroy(struct listing *listing)
{
    struct listed_set *listed;

    HMAP_FOR_EACH_POP (listed, node, &listing->sets) {
        free(listed);
    }
    hmap_destroy(&listing->sets);
}

/* Returns 'set' as it is shown, once for all ports that have it. */
static const struct view_acl_set *
listing_set(struct listing *listing, const struct acl_set *set)
{
    struct view_acls *acls = listing->acls;
    uint32_t hash = hash_pointer(set, 0);
    struct listed_set *listed;

    HMAP_FOR_EACH_WITH_HASH (listed, node, hash, &listing->sets) {
        if (listed->set == set) {
            return &acls->sets[listed->i];
        }
    }
    listed = xmalloc(sizeof *listed);
    listed->set = set;
    listed->i = acls->n_sets++;
    hmap_insert(&listing->sets, &listed->node, hash);

    struct view_acl_set *dst = &acls->sets[listed->i];
    dst->stateful = set->stateful;
    dst->n_rules = set->n_rules;
    if (!listing->brief) {
        fill_rules(listing->view, set, dst);
    }
    return dst;
}

/* Appends the port 'name' to 'listing', unless another is asked for: 'port',
 * or NULL if nothing is known of its rules. */
static void
listing_add(struct listing *listing, const char *name,
            const struct acl_port *port)
{
    enum reason reason = view_acl_port_reason(listing->view, port);

    if (listing->filter && strcmp(listing->filter, name)) {
        return;
    }
    listing->acls->ports[listing->acls->n++] = (struct view_acl_port) {
        .logical_port = xstrdup(name),
        .state = reason == REASON_NONE ? "enforced" : "pass-only",
        .reason = reason_to_string(reason),
        .token = xstrdup(port && port->token ? port->token : ""),
        .column = port ? port->column : 0,
        .set = (port && port->set
                ? listing_set(listing, port->set) : NULL),
    };
}

/* Appends to 'listing' the ports whose rules are known. */
static void
add_known_ports(struct listing *listing)
{
    const struct hmap *ports = &listing->view->acl->ports;
    const struct acl_port *port;
    size_t n_rules = 0;

    HMAP_FOR_EACH (port, node, ports) {
        n_rules += port->set ? port->set->n_rules : 0;
    }
    listing->brief = !listing->filter && n_rules > VIEW_MAX_ACL_RULES;
    listing_reserve(listing, hmap_count(ports));
    HMAP_FOR_EACH (port, node, ports) {
        listing_add(listing, port->name, port);
    }
}

/* Appends to 'listing' the ports of VMs that OVN has bound to this chassis,
 * while nobody derives rules. */
static void
add_bound_ports(struct listing *listing)
{
    const struct hmap *bindings = &sb_db_view(listing->view->sb_db)->bindings;
    const struct sb_binding *binding;

    listing_reserve(listing, hmap_count(bindings));
    HMAP_FOR_EACH (binding, node, bindings) {
        if (!binding->type[0] && (binding->here || binding->additional)) {
            listing_add(listing, binding->logical_port, NULL);
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
    struct listing listing = {
        .view = view, .filter = logical_port, .acls = acls };

    *acls = (struct view_acls) {
        .mode = settings_acl_to_string(view->settings->acl),
    };
    hmap_init(&listing.sets);
    if (view->acl && view->settings->acl != DP_ACL_OFF) {
        add_known_ports(&listing);
    } else {
        add_bound_ports(&listing);
    }
    listing_destroy(&listing);
    qsort(acls->ports, acls->n, sizeof *acls->ports, compare_ports);
    if (logical_port && !acls->n) {
        view_acls_uninit(acls);
        return false;
    }
    return true;
}

/* Frees what 'set' holds. */
static void
uninit_set(struct view_acl_set *set)
{
    for (size_t i = 0; set->rules && i < set->n_rules; i++) {
        free(set->rules[i].protocol);
        free(set->rules[i].source);
        free(set->rules[i].ports);
        free(set->rules[i].icmp);
        free(set->rules[i].match);
    }
    free(set->rules);
}

/* Frees what 'acls' holds. */
void
view_acls_uninit(struct view_acls *acls)
{
    for (size_t i = 0; i < acls->n; i++) {
        free(acls->ports[i].token);
        free(acls->ports[i].logical_port);
    }
    for (size_t i = 0; i < acls->n_sets; i++) {
        uninit_set(&acls->sets[i]);
    }
    free(acls->ports);
    free(acls->sets);
}
