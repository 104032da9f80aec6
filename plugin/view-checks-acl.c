/* SPDX-License-Identifier: Apache-2.0 */
/* The questions that 'explain' puts to the daemon about layer L2: whether
 * OVN's ACLs decide about packets to an address already here, and if not,
 * why. */

#include <config.h>

#include "plugin/view-acl.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "openvswitch/dynamic-string.h"
#include "timeval.h"
#include "util.h"
#include "uuid.h"

#include "bpf/abi.h"
#include "idl/sb-db.h"
#include "plugin/acl.h"
#include "plugin/checks.h"
#include "plugin/datapath.h"
#include "plugin/desired.h"
#include "plugin/lease.h"
#include "plugin/settings.h"
#include "plugin/view-private.h"
#include "plugin/watch.h"

/* Appends what is to become of packets that OVN's ACLs would drop.  None of
 * the answers is wrong. */
static void
check_mode(const struct view *view, struct checks *checks)
{
    static const char *const effects[] = {
        [DP_ACL_OFF] = "nobody looks for",
        [DP_ACL_COUNT] = "counted, and left to OVN, is",
        [DP_ACL_DROP] = "dropped in the driver is",
    };
    enum dp_acl_mode mode = view->settings->acl;

    checks_add(checks, "acl", CHECK_YES, REASON_NONE,
               "ovn-xdp-acl is %s: %s what OVN's ACLs would certainly drop",
               settings_acl_to_string(mode), effects[mode]);
}

/* Returns the port behind 'ep', or NULL. */
static const struct acl_port *
find_owner(const struct view *view, const struct desired_endpoint *ep)
{
    const struct sb_view *sb = sb_db_view(view->sb_db);
    const struct acl_inputs inputs = { sb, &sb->acl };

    return view->acl ? acl_find_owner(view->acl, &inputs, ep) : NULL;
}

/* Returns true if packets to 'ep', which 'port' is behind or none if NULL, are
 * left to OVN because of 'reason' and there is nothing wrong with that: OVN
 * would drop none of them, or they need not be to a VM that is here. */
static bool
is_in_order(const struct desired_endpoint *ep, const struct acl_port *port,
            enum reason reason)
{
    bool vm = (port || ep->kind == ENDPOINT_VM
               || ep->kind == ENDPOINT_FIP_DISTRIBUTED);

    return (reason == REASON_NONE
            || reason == REASON_ACL_NO_RULES
            || (!vm && (reason == REASON_ACL_PORT
                        || reason == REASON_ACL_TRANSLATED)));
}

/* Returns what is to be said of the rules of 'port', which may be NULL.  The
 * caller frees the string. */
static char *
describe_rules(const struct acl_port *port)
{
    const struct acl_set *set = port ? port->set : NULL;
    size_t n_drops = 0;

    for (size_t i = 0; set && i < set->n_rules; i++) {
        n_drops += acl_rule_drops(set->rules[i]);
    }
    return (set
            ? xasprintf("%"PRIuSIZE" rules of port %s decide about %s, "
                        "%"PRIuSIZE" of them drop", set->n_rules, port->name,
                        set->stateful ? "new TCP connections" : "packets",
                        n_drops)
            : xstrdup("the rules of the VM behind it decide"));
}

/* Returns why packets to 'ep' are left to OVN: 'reason', which VM it is about,
 * what of the rules of 'port', which may be NULL, was not understood, and how
 * long it lasts if that is known.  The caller frees the string. */
static char *
describe_reason(const struct desired_endpoint *ep, const struct acl_port *port,
                enum reason reason)
{
    struct ds ds = DS_EMPTY_INITIALIZER;

    ds_put_cstr(&ds, reason_sentence(reason));
    if (port && strcmp(port->name, ep->logical_port)) {
        ds_put_format(&ds, "  The VM's port is %s.", port->name);
    }
    if (port && port->reason == reason && port->token) {
        ds_put_format(&ds, "  It is \"%s\"", port->token);
        if (port->column) {
            ds_put_format(&ds, " at column %d", port->column);
        }
        ds_put_char(&ds, '.');
    }
    if (reason == REASON_ACL_NEW) {
        ds_put_format(&ds, "  That passes by itself, within %d s.",
                      OX_OPENED_SYN_S);
    }
    return ds_steal_cstr(&ds);
}

/* Says what is to be done about 'reason'.  OVN's words for a translation that
 * is not followed are in the flows of routers and load balancers, or another
 * port has the same address. */
static void
fix_rules(const struct acl_port *port, enum reason reason,
          struct checks *checks)
{
    if (port && reason == REASON_ACL_PORT && port->reason == reason) {
        checks_fix(checks, "ovn-sbctl find Port_Binding logical_port=%s; "
                   "ovn-sbctl lflow-list "UUID_FMT" | grep mirror",
                   port->name, UUID_ARGS(&port->datapath));
    } else if (reason == REASON_ACL_SET) {
        checks_fix(checks, "ovn-sbctl list Address_Set");
    } else if (reason == REASON_ACL_TRANSLATED) {
        checks_fix(checks, "ovn-sbctl lflow-list | grep -E 'lr_in_"
                   "(dnat|policy|ip_routing)|lr_out_snat|ct_lb'; "
                   "ovn-sbctl --columns=logical_port,mac list Port_Binding");
    } else if (port && (reason == REASON_ACL_MATCH
                        || reason == REASON_ACL_ACTIONS)) {
        /* What is not the port's is of the provider network in front. */
        bool own = port->reason == reason;
        char *datapath = (own ? xasprintf(" "UUID_FMT,
                                          UUID_ARGS(&port->datapath))
                          : xstrdup(""));

        checks_fix(checks, "ovn-sbctl lflow-list%s | grep -E "
                   "'ls_(in|out)_(pre_)?(acl|mirror)'", datapath);
        free(datapath);
    }
}

/* Appends whether rules decide about packets to 'ep', given why they do not,
 * 'reason'. */
static void
check_rules(const struct view *view, const struct desired_endpoint *ep,
            enum reason reason, struct checks *checks)
{
    const struct acl_port *port = find_owner(view, ep);
    char *detail = (reason == REASON_NONE ? describe_rules(port)
                    : describe_reason(ep, port, reason));

    checks_add(checks, "rules",
               is_in_order(ep, port, reason) ? CHECK_YES : CHECK_NO, reason,
               "%s", detail);
    fix_rules(port, reason, checks);
    free(detail);
}

/* Appends whether it is known which connections VMs open in the bridge of
 * 'ep': an answer to one of them must not be taken for a new connection. */
static void
check_watched(const struct view *view, const struct desired_endpoint *ep,
              struct checks *checks)
{
    const struct watch *watch = view->watch;
    bool watched = (watch && ep->bridge
                    && watch_has_bridge(watch, ep->bridge->name));
    long long int now = time_msec();
    long long int left = watched ? watch_settled_at(watch) - now : 0;
    long long int missed = (watched ? watch_missed_until(watch, &ep->key.addr)
                            - now : 0);

    if (!watched) {
        checks_add(checks, "watched", CHECK_NO, REASON_ACL_UNWATCHED, "%s",
                   reason_sentence(REASON_ACL_UNWATCHED));
    } else if (left > 0) {
        checks_add(checks, "watched", CHECK_NO, REASON_ACL_PENDING,
                   "VMs may have opened connections before anybody watched: "
                   "nothing is dropped for %lld s more", (left + 999) / 1000);
    } else if (missed > 0) {
        checks_add(checks, "watched", CHECK_NO, REASON_ACL_MISSED,
                   "connections of the address were missed: nothing to it is "
                   "dropped for %lld s more", (missed + 999) / 1000);
    } else {
        checks_add(checks, "watched", CHECK_YES, REASON_NONE,
                   "the connections that VMs open are known");
    }
}

/* Appends whether programs may drop at the moment. */
static void
check_lease(const struct view *view, struct checks *checks)
{
    static const char *const details[] = {
        [LEASE_GIVEN] = "the daemon has not said lately that the rules are "
                        "those of now",
        [LEASE_OFF] = "it has just been switched on",
        [LEASE_NOT_CURRENT] = "the Southbound may want something else by now",
        [LEASE_FULL] = "an endpoint did not fit into the datapath, so that "
                       "packets from it would not be known",
        [LEASE_BEHIND] = "not all that the Southbound wants is in place yet",
        [LEASE_UNSETTLED] = "not all connections of VMs are known",
    };
    enum lease_state state = view->lease ? view->lease->state : LEASE_BEHIND;

    if (view_acl_is_leased(view)) {
        checks_add(checks, "lease", CHECK_YES, REASON_NONE,
                   "the rules are those of now, and may be acted on");
        return;
    }
    checks_add(checks, "lease", CHECK_NO,
               (state == LEASE_NOT_CURRENT
                ? REASON_DATABASE_DOWN : REASON_ACL_PENDING),
               "%s: nothing is dropped", details[state]);
    if (state == LEASE_NOT_CURRENT) {
        checks_fix(checks, "ovn-xdpctl status");
    }
}

/* Appends what was dropped for 'ep'. */
static void
check_drops(const struct view *view, const struct desired_endpoint *ep,
            struct checks *checks)
{
    struct dp_counter drops;

    if (view_endpoint_drops(view, ep, &drops)
        && (drops.packets || view->settings->acl == DP_ACL_DROP)) {
        checks_add(checks, "drops", CHECK_YES, REASON_NONE,
                   "%"PRIu64" packets, %"PRIu64" bytes were dropped",
                   drops.packets, drops.bytes);
    }
}

/* Appends to 'checks' all that layer L2 has to say of 'ep'.  What is not in
 * the datapath has no rules there, and that was said before. */
void
view_check_acl(const struct view *view, const struct desired_endpoint *ep,
               struct checks *checks)
{
    enum reason reason;

    view_acl_state(view, ep, &reason);
    check_mode(view, checks);
    if (reason == REASON_ACL_OFF || ep->reason != REASON_NONE) {
        return;
    }
    check_rules(view, ep, reason, checks);
    if (reason == REASON_NONE) {
        check_watched(view, ep, checks);
        check_lease(view, checks);
        check_drops(view, ep, checks);
    }
}
