/* SPDX-License-Identifier: Apache-2.0 */
/* Whether packets to an endpoint meet the rules of a port, and of which.
 *
 * Rules are those of a port's logical switch.  They say what becomes of a
 * packet to an endpoint only if OVN brings every packet to that address to
 * that one port, and nowhere else.  What is to be proven for it stands at the
 * functions below; what cannot be proven is left to OVN.
 *
 * Rules are compared with the packet as it came in.  Those in OVN see it with
 * another destination, which none of the cubes looks at, but with the same
 * source, protocol and ports: so nothing may translate these on the way, and
 * what a load balancer does is never followed. */

#include <config.h>

#include "plugin/acl-private.h"

#include <stdlib.h>
#include <string.h>

#include "packets.h"
#include "util.h"
#include "uuid.h"

#include "idl/sb-db.h"
#include "plugin/desired.h"

/* A floating IP, as far as it is followed. */
struct translation {
    const struct in6_addr *external; /* Its address outside. */
    const struct in6_addr *logical; /* The address inside. */
    const struct known_dp *router; /* The router that translates. */
    const char *inport;         /* What arrives at this port of it only; NULL:
                                 * at any. */
};

/* Addresses. */

/* Returns true if a flow of 'stage' of 'dp' names 'ip' as the destination, or
 * may mean any. */
static bool
is_translated(const struct acl_private *private, enum sb_acl_stage stage,
              const struct known_dp *dp, const struct in6_addr *ip)
{
    const struct known_flow *flow;
    const struct flow_dp *fd;

    if (stage == SB_ACL_SWITCH_LB ? dp->n_any_lb : dp->n_any_policy) {
        return true;
    }
    HMAP_FOR_EACH_WITH_HASH (flow, external_node, acl_address_hash(ip),
                             &private->externals) {
        if (flow->stage == stage
            && ipv6_addr_equals(&flow->nat.external, ip)) {
            LIST_FOR_EACH (fd, node, &flow->dps) {
                if (fd->dp == dp) {
                    return true;
                }
            }
        }
    }
    return false;
}

/* Returns the row of 'port' that has 'ip', or NULL. */
static const struct known_row *
find_row(const struct acl_private *private, const struct known_port *port,
         const struct in6_addr *ip)
{
    const struct row_address *address;

    HMAP_FOR_EACH_WITH_HASH (address, node, acl_address_hash(ip),
                             &private->addresses) {
        if (address->row->port == port && ipv6_addr_equals(&address->ip, ip)) {
            return address->row;
        }
    }
    return NULL;
}

/* Returns true if a port on a provider network, but not 'port', has 'ip'. */
static bool
has_rival(const struct acl_private *private, const struct in6_addr *ip,
          const struct known_port *port)
{
    const struct row_address *address;

    HMAP_FOR_EACH_WITH_HASH (address, node, acl_address_hash(ip),
                             &private->addresses) {
        if (address->row->port != port && address->row->dp->n_localnets
            && ipv6_addr_equals(&address->ip, ip)) {
            return true;
        }
    }
    return false;
}

/* Ports. */

/* Returns the set of 'port' and stores REASON_NONE, or returns NULL and stores
 * why it is pass-only. */
static const struct acl_set *
port_set(const struct known_port *port, enum reason *reason)
{
    *reason = port->port.reason;
    return *reason == REASON_NONE ? port->port.set : NULL;
}

/* Judges 'ep', the address of a VM on a provider network.
 *
 * Frames to it are sent to the VM's MAC, in the bridge of its network, and
 * come in by the localnet port.  The switch sends them to the port with that
 * MAC, whose rules decide, if
 *
 *   - the address is the port's own, so that the MAC is: claims by virtual
 *     ports and for allowed pairs are not;
 *   - no other port here claims to be where the frames go: the network could
 *     be there twice, as two switches on one physical network;
 *   - no load balancer of the switch takes the address. */
static const struct acl_set *
judge_vm(const struct acl *acl, const struct desired_endpoint *ep,
         enum reason *reason)
{
    const struct known_port *port = known_port_find(acl, ep->logical_port);
    const struct known_row *row
        = port ? find_row(acl->private, port, &ep->key.addr) : NULL;

    if (!row) {
        *reason = REASON_ACL_PORT;
    } else if (port->port.reason == REASON_ACL_PENDING) {
        *reason = REASON_ACL_PENDING;
    } else if (has_rival(acl->private, &ep->key.addr, port)) {
        *reason = REASON_ACL_PORT;
    } else if (is_translated(acl->private, SB_ACL_SWITCH_LB, row->dp,
                             &ep->key.addr)) {
        *reason = REASON_ACL_TRANSLATED;
    } else {
        return port_set(port, reason);
    }
    return NULL;
}

/* Floating IPs. */

/* Stores in '*translation' what becomes of 'external'.  Returns false if that
 * is not followed.
 *
 * Of all routers known here, a single one has a single flow that names the
 * address, and that translates whatever comes for it.  There is none that
 * might translate other addresses besides.
 *
 * What comes by another port of the router than the flow's is not translated.
 * That the endpoint's network leads to the flow's is for judge_outside(). */
static bool
find_translation(const struct acl_private *private,
                 const struct in6_addr *external,
                 struct translation *translation)
{
    const struct known_flow *flow, *found = NULL;

    HMAP_FOR_EACH_WITH_HASH (flow, external_node, acl_address_hash(external),
                             &private->externals) {
        if (flow->stage == SB_ACL_ROUTER_DNAT
            && ipv6_addr_equals(&flow->nat.external, external)) {
            if (found || flow->nat.kind != ACL_NAT_PLAIN
                || !ovs_list_is_singleton(&flow->dps)) {
                return false;
            }
            found = flow;
        }
    }
    if (!found) {
        return false;
    }

    const struct flow_dp *fd = CONTAINER_OF(found->dps.next, struct flow_dp,
                                            node);
    *translation = (struct translation) {
        external, &found->nat.logical, fd->dp, found->nat.inport };
    return !fd->dp->n_any_dnat;
}

/* Returns the datapath of the switch that 'route' leads to, or NULL. */
static const struct uuid *
route_network(const struct sb_acl_view *view, const struct acl_route *route)
{
    const struct sb_acl_link *link
        = (route->kind == ACL_ROUTE_CONNECTED
           ? sb_acl_find_link(view, route->port) : NULL);

    return link ? &link->network : NULL;
}

/* Returns the switch to which the router of 't' sends packets to 't->logical',
 * or NULL if that is not certain.
 *
 * The flow with the highest priority decides among those that match.  So there
 * has to be one that matches all packets to the address, for a connected
 * network; and all others that may match, of the same or a higher priority,
 * have to lead to the same switch. */
static const struct uuid *
find_network(const struct sb_acl_view *view, const struct translation *t)
{
    const struct uuid *network = NULL;
    const struct flow_dp *fd;
    int priority = -1;

    LIST_FOR_EACH (fd, dp_node, &t->router->routes) {
        const struct known_flow *flow = fd->flow;

        if (flow->priority > priority && !flow->route.partial
            && acl_route_concerns(&flow->route, t->logical)) {
            priority = flow->priority;
            network = route_network(view, &flow->route);
        }
    }
    LIST_FOR_EACH (fd, dp_node, &t->router->routes) {
        const struct known_flow *flow = fd->flow;

        if (network && flow->priority >= priority
            && acl_route_concerns(&flow->route, t->logical)) {
            const struct uuid *other = route_network(view, &flow->route);

            if (!other || !uuid_equals(other, network)) {
                return NULL;
            }
        }
    }
    return network;
}

/* Returns the only port on 'network' here that has 'ip', or NULL. */
static const struct known_port *
find_owner(const struct acl_private *private, const struct uuid *network,
           const struct in6_addr *ip)
{
    const struct known_port *owner = NULL;
    const struct row_address *address;

    HMAP_FOR_EACH_WITH_HASH (address, node, acl_address_hash(ip),
                             &private->addresses) {
        if (uuid_equals(&address->row->dp->uuid, network)
            && ipv6_addr_equals(&address->ip, ip)) {
            if (owner && owner != address->row->port) {
                return NULL;
            }
            owner = address->row->port;
        }
    }
    return owner;
}

/* Returns true if somebody else than the VM of 't' may get what is sent to its
 * address outside.
 *
 *   - The router itself answers what is sent to its own addresses, some of it
 *     before anything is translated.
 *   - Where others have that address for what they send, it is also the one of
 *     the answers that they get. */
static bool
is_used_otherwise(const struct acl_private *private,
                  const struct translation *t)
{
    const struct known_flow *flow;
    const struct flow_dp *fd;

    LIST_FOR_EACH (fd, dp_node, &t->router->routes) {
        if (fd->flow->route.has_source
            && ipv6_addr_equals(&fd->flow->route.source, t->external)) {
            return true;
        }
    }
    HMAP_FOR_EACH_WITH_HASH (flow, external_node,
                             acl_address_hash(t->external),
                             &private->externals) {
        if (flow->stage == SB_ACL_ROUTER_SNAT
            && ipv6_addr_equals(&flow->nat.external, t->external)
            && (flow->nat.kind != ACL_NAT_PLAIN
                || !ipv6_addr_equals(&flow->nat.logical, t->logical))) {
            return true;
        }
    }
    return false;
}

/* Returns true if the router of 't' may give packets that it sends to
 * 'network' another source: the rules see that one.
 *
 * The flows of distributed routers name the port to the outside, those of
 * gateway routers none. */
static bool
changes_source(const struct sb_acl_view *view, const struct translation *t,
               const struct uuid *network)
{
    bool ip4 = IN6_IS_ADDR_V4MAPPED(t->logical);
    const char *elsewhere = NULL;
    const struct flow_dp *fd;

    LIST_FOR_EACH (fd, dp_node, &t->router->snats) {
        const struct acl_snat *snat = &fd->flow->snat;

        if (!(ip4 ? snat->ip4 : snat->ip6)) {
            continue;
        } else if (!snat->outport) {
            return true;
        } else if (!elsewhere || strcmp(snat->outport, elsewhere)) {
            const struct sb_acl_link *link
                = sb_acl_find_link(view, snat->outport);

            if (link && uuid_equals(&link->network, network)) {
                return true;
            }
            elsewhere = snat->outport;
        }
    }
    return false;
}

/* Returns why the provider network 'dp' keeps packets to 'ep' from the router
 * behind it, or does more to them than that, or REASON_NONE.
 *
 * Since 24.09 the load balancer of a switch takes packets that come from
 * outside, too.  Its ACLs answer and log what comes in and what goes to the
 * router, and its mirrors copy it. */
static enum reason
judge_front(const struct acl_private *private, const struct sb_acl_view *view,
            const struct desired_endpoint *ep, const struct known_dp *dp)
{
    if (!sb_acl_find_datapath(view, &dp->uuid)
        || is_translated(private, SB_ACL_SWITCH_LB, dp, &ep->key.addr)) {
        return REASON_ACL_TRANSLATED;
    } else if (dp->in || dp->out) {
        return dp->in ? dp->in->entry.reason : dp->out->entry.reason;
    }
    return REASON_NONE;
}

/* Returns why packets to 'ep' may not reach the router of 't', or not as they
 * came in, or REASON_NONE.
 *
 * All provider networks that frames for 'ep' may come in by have to be in the
 * view, and among them is the one that leads to the port at which the router
 * translates.  If it does so at any port, there has to be one. */
static enum reason
judge_outside(const struct acl_private *private,
              const struct sb_acl_view *view,
              const struct desired_endpoint *ep, const struct translation *t)
{
    const struct sb_acl_link *link
        = t->inport ? sb_acl_find_link(view, t->inport) : NULL;
    enum reason worst = REASON_NONE;
    const struct known_row *row;
    bool leads = false;

    LIST_FOR_EACH (row, dp_node, &private->localnets) {
        if (row->vlan == ep->vlan && !strcmp(row->network, ep->network)) {
            enum reason reason = judge_front(private, view, ep, row->dp);

            /* Of several, always the same one, whatever their order. */
            worst = MAX(worst, reason);
            leads |= (!t->inport
                      || (link && uuid_equals(&link->network,
                                              &row->dp->uuid)));
        }
    }
    return leads ? worst : REASON_ACL_TRANSLATED;
}

/* Returns the switch to which the packets of 't' are sent, unless they are
 * changed on the way or it is not certain that all of them get there; then
 * NULL. */
static const struct uuid *
follow(const struct acl_private *private, const struct sb_acl_view *view,
       const struct translation *t)
{
    const struct uuid *network;
    const struct known_dp *dp;

    if (is_used_otherwise(private, t)
        || is_translated(private, SB_ACL_ROUTER_POLICY, t->router,
                         t->logical)) {
        return NULL;
    }
    network = find_network(view, t);
    dp = network ? known_dp_find(private, network) : NULL;
    return (!network || changes_source(view, t, network)
            || (dp && is_translated(private, SB_ACL_SWITCH_LB, dp,
                                    t->logical))
            ? NULL : network);
}

/* Judges 'ep', an address of a router that may be the floating IP of a VM.
 *
 * The rules of the VM's port decide about all packets to it, if
 *
 *   - they come to the router: no load balancer outside takes them, and no
 *     port of a VM has the same address there; and nobody there has to do with
 *     them besides;
 *   - the router translates all of them, to one address inside, and does not
 *     answer any of them itself;
 *   - and sends all of these to one switch, not by a policy or another route
 *     elsewhere, with the source that they came with;
 *   - no load balancer of that switch takes them;
 *   - the address inside is that of a single port here, and of the one that
 *     the endpoint is resident with, if that is a VM. */
static const struct acl_set *
judge_floating_ip(const struct acl *acl, const struct sb_acl_view *view,
                  const struct desired_endpoint *ep, enum reason *reason)
{
    const struct acl_private *private = acl->private;
    const struct known_port *owner;
    const struct uuid *network;
    struct translation t;

    if (!view->complete) {
        *reason = REASON_ACL_PENDING;
        return NULL;
    }
    *reason = REASON_ACL_TRANSLATED;
    if (has_rival(private, &ep->key.addr, NULL)
        || !find_translation(private, &ep->key.addr, &t)) {
        return NULL;
    }
    network = follow(private, view, &t);
    if (!network) {
        return NULL;
    }
    *reason = judge_outside(private, view, ep, &t);
    if (*reason != REASON_NONE) {
        return NULL;
    }
    owner = find_owner(private, network, t.logical);
    if (!owner || (ep->kind == ENDPOINT_FIP_DISTRIBUTED
                   && strcmp(owner->port.name, ep->logical_port))) {
        *reason = REASON_ACL_PORT;
        return NULL;
    }
    return port_set(owner, reason);
}

/* Judges whether rules decide about packets to 'ep', see plugin/acl.h.  'in'
 * is that of the last acl_update(). */
const struct acl_set *
acl_judge(const struct acl *acl, const struct acl_inputs *in,
          const struct desired_endpoint *ep, enum reason *reason)
{
    switch (ep->kind) {
    case ENDPOINT_VM:
        return judge_vm(acl, ep, reason);
    case ENDPOINT_FIP_DISTRIBUTED:
    case ENDPOINT_FIP_CENTRALISED:
        return judge_floating_ip(acl, in->view, ep, reason);
    case ENDPOINT_LOAD_BALANCER:
        *reason = REASON_ACL_TRANSLATED;
        return NULL;
    case ENDPOINT_ROUTER:
    default:
        *reason = REASON_ACL_PORT;
        return NULL;
    }
}

/* Returns the only port here that has the address inside of 'external', as far
 * as a router translates it at all; or NULL. */
static const struct known_port *
find_inside(const struct acl_private *private, const struct sb_acl_view *view,
            const struct in6_addr *external)
{
    const struct known_port *found = NULL;
    const struct known_flow *flow;
    const struct flow_dp *fd;

    HMAP_FOR_EACH_WITH_HASH (flow, external_node, acl_address_hash(external),
                             &private->externals) {
        if (flow->stage != SB_ACL_ROUTER_DNAT
            || flow->nat.kind != ACL_NAT_PLAIN
            || !ipv6_addr_equals(&flow->nat.external, external)) {
            continue;
        }
        LIST_FOR_EACH (fd, node, &flow->dps) {
            const struct translation t = { external, &flow->nat.logical,
                                           fd->dp };
            const struct uuid *network = find_network(view, &t);
            const struct known_port *owner
                = network ? find_owner(private, network, t.logical) : NULL;

            if (found && owner && owner != found) {
                return NULL;
            }
            found = owner ? owner : found;
        }
    }
    return found;
}

/* Returns the port behind 'ep', see plugin/acl.h. */
const struct acl_port *
acl_find_owner(const struct acl *acl, const struct acl_inputs *in,
               const struct desired_endpoint *ep)
{
    const struct known_port *port;

    switch (ep->kind) {
    case ENDPOINT_VM:
    case ENDPOINT_FIP_DISTRIBUTED:
        return acl_find_port(acl, ep->logical_port);
    case ENDPOINT_FIP_CENTRALISED:
        port = find_inside(acl->private, in->view, &ep->key.addr);
        return port ? &port->port : NULL;
    case ENDPOINT_LOAD_BALANCER:
    case ENDPOINT_ROUTER:
    default:
        return NULL;
    }
}

/* Stores in '*behind' whom the floating IP 'ep' leads to, of all routers known
 * here. */
static void
find_behind(const struct acl_private *private, const struct sb_acl_view *view,
            const struct desired_endpoint *ep, struct acl_behind *behind)
{
    const struct known_port *owner;
    const struct uuid *network;
    struct translation t;

    *behind = (struct acl_behind) { "", in6addr_any };
    if (find_translation(private, &ep->key.addr, &t)) {
        network = find_network(view, &t);
        owner = network ? find_owner(private, network, t.logical) : NULL;
        behind->port = owner ? owner->port.name : "";
        behind->ip = *t.logical;
    }
}

/* Finds whom 'ep' stands for, see plugin/acl.h. */
bool
acl_find_behind(const struct acl *acl, const struct acl_inputs *in,
                const struct desired_endpoint *ep, struct acl_behind *behind)
{
    if (ep->kind != ENDPOINT_FIP_DISTRIBUTED
        && ep->kind != ENDPOINT_FIP_CENTRALISED) {
        *behind = (struct acl_behind) { ep->logical_port, ep->key.addr };
        return true;
    } else if (!in->view->complete) {
        return false;
    }
    find_behind(acl->private, in->view, ep, behind);
    return true;
}
