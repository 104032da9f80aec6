/* SPDX-License-Identifier: Apache-2.0 */
/* The questions that 'explain' puts to the daemon itself, in the order in
 * which they matter: what OVN says, what the operator says, bridge and target,
 * the map, the NICs. */

#include <config.h>

#include "plugin/view-checks.h"

#include <stdlib.h>
#include <string.h>

#include "packets.h"
#include "sset.h"
#include "util.h"

#include "idl/sb-db.h"
#include "plugin/addresses.h"
#include "plugin/checks.h"
#include "plugin/desired.h"
#include "plugin/limits.h"
#include "plugin/netdevs.h"
#include "plugin/reconcile.h"
#include "plugin/settings.h"
#include "plugin/view-acl.h"
#include "plugin/view-direct.h"
#include "plugin/view-host.h"
#include "plugin/view-lists.h"
#include "plugin/view-private.h"
#include "plugin/view.h"

/* Appends the answer to the question 'word': whether 'ok', because of 'class'
 * if not, with 'yes' or 'no' as detail. */
static void
add_bool(struct checks *checks, const char *word, bool ok, enum reason class,
         const char *yes, const char *no)
{
    checks_add(checks, word, ok ? CHECK_YES : CHECK_NO, class, "%s",
               ok ? yes : no);
}

/* Returns the row of logical port 'name', as far as it is seen here, or
 * NULL. */
const struct sb_binding *
view_find_binding(const struct view *view, const char *name)
{
    const struct sb_binding *binding;

    HMAP_FOR_EACH (binding, node, &sb_db_view(view->sb_db)->bindings) {
        if (!strcmp(binding->logical_port, name)) {
            return binding;
        }
    }
    return NULL;
}

/* Begins an inquiry of 'view'. */
void
view_inquiry_init(struct view_inquiry *inquiry, const struct view *view)
{
    *inquiry = (struct view_inquiry) {
        .view = view, .around = view_surroundings_create(view) };
    view_get_interfaces(view, &inquiry->interfaces);
}

/* Ends 'inquiry'. */
void
view_inquiry_uninit(struct view_inquiry *inquiry)
{
    view_interfaces_uninit(&inquiry->interfaces);
    view_surroundings_destroy(inquiry->around);
}

/* Returns the row of 'port', as far as it is seen here, or NULL.  Mostly all
 * addresses of an inquiry are of one port. */
static const struct sb_binding *
find_binding(struct view_inquiry *inquiry, const char *port)
{
    if (!inquiry->port || strcmp(inquiry->port, port)) {
        inquiry->port = port;
        inquiry->binding = view_find_binding(inquiry->view, port);
    }
    return inquiry->binding;
}

/* Returns true if 'binding' is of a kind that OVN does not report up, or need
 * not: a gateway, or a port between routers and switches. */
static bool
need_not_be_up(const struct sb_binding *binding)
{
    return !strcmp(binding->type, "chassisredirect")
           || !strcmp(binding->type, "l3gateway")
           || !strcmp(binding->type, "patch");
}

/* Appends what OVN says of 'ep' and its port, or what its reason tells where
 * the row is not seen. */
static void
check_ovn(struct view_inquiry *inquiry, const struct desired_endpoint *ep,
          struct checks *checks)
{
    const struct sb_binding *binding = find_binding(inquiry,
                                                    ep->logical_port);
    bool up = (binding ? binding->up || need_not_be_up(binding)
               : ep->reason != REASON_PORT_DOWN);
    bool active = (binding ? binding->here || binding->activated
                             || need_not_be_up(binding)
                   : ep->reason != REASON_ACTIVATION_PENDING);

    checks_add(checks, "known", CHECK_YES, REASON_NONE,
               "OVN has placed it on this chassis: %s, port %s",
               endpoint_kind_to_string(ep->kind), ep->logical_port);
    add_bool(checks, "up", up, REASON_PORT_DOWN,
             "the port is up, or a gateway", "OVN has not reported it up");
    checks_fix(checks, "ovs-vsctl find Interface external_ids:iface-id=%s",
               ep->logical_port);
    add_bool(checks, "activated", active, REASON_ACTIVATION_PENDING,
             "the port is not about to migrate here",
             "the port migrates here and is not activated yet");
}

/* Appends whether 'ep' is excluded, claimed once, and more than an allowed
 * pair. */
static void
check_admission(const struct view *view, const struct desired_endpoint *ep,
                struct checks *checks)
{
    const struct sset *exclude = &view->settings->exclude;
    char text[INET6_ADDRSTRLEN];

    ipv6_string_mapped(text, &ep->key.addr);
    bool excluded = (sset_contains(exclude, text)
                     || sset_contains(exclude, ep->logical_port));
    add_bool(checks, "included", !excluded, REASON_EXCLUDED,
             "ovn-xdp-exclude does not name it", "ovn-xdp-exclude names it");
    checks_fix(checks, "ovs-vsctl set Open_vSwitch . "
               "external_ids:ovn-xdp-exclude=...");
    add_bool(checks, "unique", ep->reason != REASON_DUPLICATE_ADDRESS,
             REASON_DUPLICATE_ADDRESS, "one row claims it",
             "several rows claim it with different answers");
    checks_fix(checks, "ovn-sbctl --columns=logical_port,mac,nat_addresses "
               "list Port_Binding");
    add_bool(checks, "held", ep->reason != REASON_ALLOWED_PAIR,
             REASON_ALLOWED_PAIR, "OVN says which port holds it",
             reason_sentence(REASON_ALLOWED_PAIR));
    checks_fix(checks, "ovn-nbctl lsp-set-type PORT virtual, with "
               "options:virtual-ip and options:virtual-parents");
}

/* Appends whether OVN connects the network of 'ep' with the bridge to which it
 * is mapped, and by a tag that there is. */
static void
check_connection(const struct desired_endpoint *ep, struct checks *checks)
{
    add_bool(checks, "plugged", ep->reason != REASON_PLUGGED_ELSEWHERE,
             REASON_PLUGGED_ELSEWHERE,
             "OVN does not have the network in another bridge",
             reason_sentence(REASON_PLUGGED_ELSEWHERE));
    checks_fix(checks, "leave network %s out of ovn-bridge-mappings for a "
               "moment, so that ovn-controller can move it", ep->network);
    add_bool(checks, "tag", ep->reason != REASON_BAD_VALUE, REASON_BAD_VALUE,
             "the tag of the network is none or one from 1 to 4094",
             "the tag of the network is above 4094");
}

/* Appends whether 'ep' has a network that is mapped to a bridge.  Returns
 * false if not. */
static bool
check_network(const struct desired_endpoint *ep, struct checks *checks)
{
    const struct desired_bridge *bridge = ep->bridge;

    checks_add(checks, "mapping", bridge ? CHECK_YES : CHECK_NO,
               REASON_NO_MAPPING, "ovn-bridge-mappings %s network %s%s%s",
               bridge ? "maps" : "does not map", ep->network,
               bridge ? " to bridge " : "", bridge ? bridge->name : "");
    checks_fix(checks, "ovs-vsctl set Open_vSwitch . "
               "external_ids:ovn-bridge-mappings=%s:BRIDGE", ep->network);
    if (bridge) {
        checks_add(checks, "bridge", bridge->exists ? CHECK_YES : CHECK_NO,
                   REASON_NO_BRIDGE, "bridge %s %s", bridge->name,
                   bridge->exists ? "exists" : "does not exist");
        checks_fix(checks, "ovs-vsctl add-br %s", bridge->name);
        check_connection(ep, checks);
    }
    return bridge && bridge->exists;
}

/* Appends whether frames can be sent to the target of 'bridge'. */
static void
check_target(const struct view *view, const struct desired_bridge *bridge,
             struct checks *checks)
{
    bool ready = bridge->reason == REASON_NONE;
    bool known = (ready && view->dp
                  && view->class->has_target(view->dp, bridge->ifindex));

    if (!ready) {
        checks_add(checks, "target", CHECK_NO, bridge->reason, "%s: %s",
                   bridge->device[0] ? bridge->device : bridge->name,
                   reason_sentence(bridge->reason));
        if (bridge->reason == REASON_LINK_DOWN) {
            checks_fix(checks, "ip link set %s up", bridge->device);
        } else if (bridge->reason == REASON_NO_NDO_XMIT) {
            checks_fix(checks, "ovs-vsctl set Open_vSwitch . "
                       "external_ids:ovn-xdp-bridge-port=auto");
        }
    } else {
        checks_add(checks, "target", known ? CHECK_YES : CHECK_NO,
                   REASON_NOT_PROGRAMMED, "frames enter %s by %s (index %d)%s",
                   bridge->name, bridge->device, bridge->ifindex,
                   known ? "" : ", which is not in the device map");
    }
}

/* Appends whether the datapath has 'ep' as it should be. */
static void
check_programmed(const struct view *view, const struct desired_endpoint *ep,
                 struct checks *checks)
{
    struct dp_action wanted, actual;
    bool belongs = desired_endpoint_action(ep, &wanted);
    bool found = (view->dp
                  && !view->class->find_endpoint(view->dp, &ep->key, &actual));
    bool full = view->reconcile && reconcile_is_full(view->reconcile);
    bool same = found && belongs && dp_action_equals(&actual, &wanted);

    checks_add(checks, "programmed", same ? CHECK_YES : CHECK_NO,
               belongs && full ? REASON_MAP_FULL : REASON_NOT_PROGRAMMED,
               "%s", same ? "the map has it as OVN wants it"
               : found ? "the map still has something else for it"
               : !belongs ? "it does not belong into the map, see above"
               : full ? "the map is full" : "the map does not have it yet");
    if (belongs && full) {
        checks_fix(checks, "ovs-vsctl set Open_vSwitch . "
                   "external_ids:ovn-xdp-max-endpoints=N, then restart");
    }
}

/* Returns how long programs redirect without the daemon, as the end of a
 * sentence, "" if for ever.  The caller frees it. */
static char *
describe_stale(const struct view *view)
{
    uint32_t timeout = view->settings->stale_timeout;

    return (timeout
            ? xasprintf("; without the daemon it redirects for %"PRIu32" s",
                        timeout)
            : xstrdup(""));
}

/* Appends how 'iface' is doing, and whether its frames fit the target of
 * 'bridge', which may be NULL. */
static void
check_interface(const struct view *view, const struct view_interface *iface,
                const struct desired_bridge *bridge, struct checks *checks)
{
    const struct netdev_info *dev = netdevs_find(view->netdevs, iface->name);
    bool attached = !strcmp(iface->state, "attached");

    if (attached && !strcmp(iface->layout, "switched")) {
        checks_add(checks, "interface", CHECK_NO, REASON_SWITCHED,
                   "%s is attached in %s mode, but is a port of a bridge: it "
                   "redirects nothing, and drops what OVN's ACLs would",
                   iface->name, iface->mode);
        return;
    }
    if (attached) {
        char *stale = describe_stale(view);

        checks_add(checks, "interface", CHECK_YES, REASON_NONE,
                   "%s is attached in %s mode%s%s", iface->name, iface->mode,
                   strcmp(iface->mode, "generic") ? ""
                   : ", which switches GRO off for all its traffic", stale);
        free(stale);
    } else {
        checks_add(checks, "interface", CHECK_NO, REASON_NO_INTERFACE,
                   "%s is %s%s%s", iface->name, iface->state,
                   iface->reason[0] ? ": " : "", iface->reason);
        checks_fix(checks, "%s", iface->detail);
    }
    if (attached && dev && bridge && bridge->mtu) {
        checks_add(checks, "mtu",
                   dev->mtu <= bridge->mtu ? CHECK_YES : CHECK_NO,
                   REASON_NONE, "the MTU of %s is %d, that of %s is %d%s",
                   iface->name, dev->mtu, bridge->device, bridge->mtu,
                   dev->mtu <= bridge->mtu ? ""
                   : ": longer packets are passed (exceeds-mtu)");
        checks_fix(checks, "ovs-vsctl set Interface %s mtu_request=%d",
                   bridge->name, dev->mtu);
    }
}

/* Appends which NICs redirect. */
static void
check_interfaces(const struct view_inquiry *inquiry,
                 const struct desired_bridge *bridge, struct checks *checks)
{
    const struct view_interfaces *all = &inquiry->interfaces;

    for (size_t i = 0; i < all->n; i++) {
        check_interface(inquiry->view, &all->interfaces[i], bridge, checks);
    }
    if (!all->n) {
        checks_add(checks, "interface", CHECK_NO, REASON_NO_INTERFACE,
                   "ovn-xdp-interfaces names no NIC");
        checks_fix(checks, "ovs-vsctl set Open_vSwitch . "
                   "external_ids:ovn-xdp-interfaces=NIC");
    }
}

/* Appends what was redirected for 'ep'. */
static void
check_counters(const struct view *view, const struct desired_endpoint *ep,
               struct checks *checks)
{
    struct dp_counter counter = { 0, 0 };

    if (view->dp
        && !view->class->endpoint_counter(view->dp, &ep->key, &counter)) {
        checks_add(checks, "counters", CHECK_YES, REASON_NONE,
                   "%"PRIu64" packets, %"PRIu64" bytes were redirected",
                   counter.packets, counter.bytes);
    }
}

/* Appends what the host has to say of 'ep', which has a bridge; of the first
 * addresses only, as the daemon has other things to do. */
static void
check_host(struct view_inquiry *inquiry, const struct desired_endpoint *ep,
           struct checks *checks)
{
    char text[INET6_ADDRSTRLEN];

    if (inquiry->n_host_checks < MAX_HOST_CHECKS) {
        inquiry->n_host_checks++;
        view_host_check(inquiry->around, ep, checks);
    } else {
        checks_add(checks, "slow-path", CHECK_UNKNOWN, REASON_NONE,
                   "the host is asked about the first %d addresses of a port "
                   "only", MAX_HOST_CHECKS);
        ipv6_string_mapped(text, &ep->key.addr);
        checks_fix(checks, "ovn-xdpctl explain %s", text);
    }
}

/* Appends to 'checks' all that there is to say of 'ep'. */
void
view_check_endpoint(struct view_inquiry *inquiry,
                    const struct desired_endpoint *ep, struct checks *checks)
{
    const struct view *view = inquiry->view;

    check_ovn(inquiry, ep, checks);
    check_admission(view, ep, checks);
    if (check_network(ep, checks) && !view_only_guards(view)) {
        check_target(view, ep->bridge, checks);
    }
    check_programmed(view, ep, checks);
    check_interfaces(inquiry, ep->bridge, checks);
    check_counters(view, ep, checks);
    view_check_acl(view, ep, checks);
    view_check_direct(view, ep, checks);
    if (ep->bridge && ep->bridge->exists && !view_only_guards(view)) {
        check_host(inquiry, ep, checks);
    }
}

/* Appends what there is to say of 'port', which has no address here. */
void
view_check_port(const struct view *view, const char *port,
                struct checks *checks)
{
    const struct sb_binding *binding = view_find_binding(view, port);

    if (!binding) {
        checks_add(checks, "known", CHECK_NO, REASON_NONE,
                   "OVN has not placed port %s on this chassis, or there is "
                   "no such port", port);
    } else if (!binding->here && !binding->additional) {
        checks_add(checks, "known", CHECK_NO, REASON_NONE,
                   "port %s is not bound to this chassis", port);
    } else {
        checks_add(checks, "known", CHECK_NO, REASON_NONE,
                   "port %s is here, but has no address of its own that a "
                   "provider network reaches (a centralised floating IP is "
                   "its router's)", port);
    }
    checks_fix(checks, "ovn-sbctl --columns=logical_port,type,chassis,up find "
               "Port_Binding logical_port=%s", port);
}

/* Returns true if one of 'strings', of a column of Port_Binding, names 'addr';
 * then stores the port that it follows, or NULL, in '*residentp', which the
 * caller frees. */
static bool
strings_name(const struct sset *strings, const struct in6_addr *addr,
             char **residentp)
{
    const char *string;
    bool found = false;

    *residentp = NULL;
    SSET_FOR_EACH (string, strings) {
        struct addresses addresses;

        if (addresses_parse(string, &addresses) != ADDRESSES_OK) {
            continue;
        }
        for (size_t i = 0; !found && i < addresses.n_ips; i++) {
            found = ipv6_addr_equals(&addresses.ips[i], addr);
        }
        if (found && !*residentp && addresses.resident) {
            *residentp = xstrdup(addresses.resident);
        }
        addresses_destroy(&addresses);
        if (found) {
            break;
        }
    }
    return found;
}

/* Appends where OVN has 'addr', shown as 'text', as far as its rows are seen
 * here. */
static void
check_whereabouts(const struct view *view, const struct in6_addr *addr,
                  const char *text, struct checks *checks)
{
    const struct sb_binding *binding;
    char *resident;

    HMAP_FOR_EACH (binding, node, &sb_db_view(view->sb_db)->bindings) {
        if (strings_name(&binding->macs, addr, &resident)) {
            checks_add(checks, "known", CHECK_NO, REASON_NONE,
                       "port %s has %s, but %s", binding->logical_port, text,
                       binding->here ? "not on a provider network"
                       : "is not on this chassis");
            free(resident);
            return;
        } else if (strings_name(&binding->nat_addresses, addr, &resident)) {
            checks_add(checks, "known", CHECK_NO, REASON_NONE,
                       "OVN has %s where port %s is, which is not this "
                       "chassis", text,
                       resident ? resident : binding->logical_port);
            free(resident);
            return;
        }
    }
    checks_add(checks, "known", CHECK_NO, REASON_NONE,
               "OVN has not placed %s on this chassis", text);
}

/* Appends what there is to say of 'addr', which is nobody's here. */
void
view_check_stranger(const struct view *view, const struct in6_addr *addr,
               const char *text, struct checks *checks)
{
    if (!address_is_routable(addr)) {
        checks_add(checks, "known", CHECK_NO, REASON_NONE,
                   "%s is no address that XDP would look at", text);
        return;
    }
    check_whereabouts(view, addr, text, checks);
    checks_fix(checks, "ovn-sbctl --columns=logical_port,chassis,mac,"
               "nat_addresses list Port_Binding | grep -C3 -F %s", text);
    view_host_check_stranger(view, addr, checks);
}
