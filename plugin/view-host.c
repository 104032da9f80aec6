/* SPDX-License-Identifier: Apache-2.0 */
/* Gathers values and lets plugin/judge*.c judge: for one address, for
 * 'explain', and for a sample of each network, for 'status' and 'health'.
 * Nothing is remembered, so no answer is older than its question. */

#include <config.h>

#include "plugin/view-host.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "flow.h"
#include "openflow/openflow.h"
#include "openvswitch/shash.h"
#include "packets.h"
#include "sset.h"
#include "util.h"

#include "idl/ovs-db.h"
#include "idl/sb-db.h"
#include "plugin/checks.h"
#include "plugin/desired.h"
#include "plugin/host-firewall.h"
#include "plugin/host-flows.h"
#include "plugin/host-leg.h"
#include "plugin/judge.h"
#include "plugin/limits.h"
#include "plugin/netdevs.h"
#include "plugin/settings.h"
#include "plugin/view-private.h"

/* What is the same for all addresses, found out once for each request. */
struct view_surroundings {
    const struct view *view;    /* The daemon. */
    struct sset nics;           /* Names of NICs that run the program. */
    int nic;                    /* Index of one of them, or 0. */
    bool has_firewall;          /* 'firewall' is filled. */
    struct host_firewall firewall; /* Rules, once somebody wants them. */
    struct shash networks;      /* Of struct network, by VLAN and bridge. */
};

/* What is the same for all addresses of one network. */
struct network {
    const struct ovs_bridge *bridge; /* Bridge, or NULL. */
    struct host_leg leg;        /* The host's device there. */
    bool has_leg;               /* There is one. */
    bool leg_is_port;           /* It is a port of its own. */
    const char *physical;       /* A physical port of the bridge, or "". */
    int local_tag;              /* Tag of the bridge's own port, or -1. */
};

/* Adds 'state' to the struct view_surroundings 'around_' if it is of a NIC
 * that runs this daemon's program and redirects. */
static void
add_nic(const struct dp_nic_state *state, void *around_)
{
    struct view_surroundings *around = around_;

    if (state->current && !state->sink && !state->nic.bridge) {
        sset_add(&around->nics, state->nic.name);
        around->nic = state->nic.ifindex;
    }
}

/* Looks around 'view'.  The caller frees the result with
 * view_surroundings_destroy(), before the daemon goes on. */
struct view_surroundings *
view_surroundings_create(const struct view *view)
{
    struct view_surroundings *around = xzalloc(sizeof *around);

    around->view = view;
    sset_init(&around->nics);
    shash_init(&around->networks);
    if (view->dp) {
        view->class->dump_nics(view->dp, add_nic, around);
    }
    return around;
}

/* Frees 'around'. */
void
view_surroundings_destroy(struct view_surroundings *around)
{
    sset_destroy(&around->nics);
    shash_destroy_free_data(&around->networks);
    if (around->has_firewall) {
        host_firewall_uninit(&around->firewall);
    }
    free(around);
}

/* Returns the device of VLAN 'vlan' that the kernel has on top of 'bridge', or
 * NULL. */
static const struct netdev_info *
find_vlan_device(const struct view *view, const char *bridge, uint16_t vlan)
{
    const struct netdev_info *own = netdevs_find(view->netdevs, bridge);
    const struct netdev_info *dev;

    HMAP_FOR_EACH (dev, node, netdevs_all(view->netdevs)) {
        if (own && dev->peer == own->ifindex && !strcmp(dev->kind, "vlan")
            && host_vlan_get(dev->ifindex) == vlan) {
            return dev;
        }
    }
    return NULL;
}

/* Returns true if 'iface' is a device of the kernel that OVS did not make. */
static bool
is_physical(const struct ovs_iface *iface)
{
    return !iface->type[0] || !strcmp(iface->type, "system");
}

/* Notes in 'net' what 'port' of its bridge means for VLAN 'vlan'.  Returns
 * the device that the host has by that port in the VLAN, or NULL. */
static const char *
look_at_port(struct network *net, const struct ovs_port *port, uint16_t vlan)
{
    const struct ovs_iface *iface = port->n_ifaces ? &port->ifaces[0] : NULL;

    if (!iface || port->managed) {
        return NULL;
    } else if (!strcmp(port->name, net->bridge->name)) {
        net->local_tag = port->tag;
        return !vlan || port->tag == vlan ? iface->name : NULL;
    } else if (is_physical(iface)) {
        net->physical = iface->name;
    } else if (vlan && port->tag == vlan
               && !strcmp(iface->type, "internal")) {
        net->leg_is_port = true;
        return iface->name;
    }
    return NULL;
}

/* Fills '*net' with VLAN 'vlan' of bridge 'name'. */
static void
network_init(struct network *net, const struct view *view, const char *name,
             uint16_t vlan)
{
    const struct netdev_info *dev = NULL;

    *net = (struct network) {
        .bridge = ovs_view_find_bridge(ovs_db_view(view->ovs_db), name),
        .physical = "",
        .local_tag = -1,
    };
    for (size_t i = 0; net->bridge && i < net->bridge->n_ports; i++) {
        const char *leg = look_at_port(net, &net->bridge->ports[i], vlan);
        dev = leg ? netdevs_find(view->netdevs, leg) : dev;
    }
    if (!dev && vlan) {
        dev = find_vlan_device(view, name, vlan);
    }
    net->has_leg = dev != NULL;
    if (dev) {
        host_leg_get(dev->name, &net->leg);
    }
}

/* Returns the network of 'ep', which has a bridge.  It belongs to 'around'. */
static const struct network *
find_network(struct view_surroundings *around,
             const struct desired_endpoint *ep)
{
    char *key = xasprintf("%"PRIu16" %s", ep->vlan, ep->bridge->name);
    struct network *net = shash_find_data(&around->networks, key);

    if (!net) {
        net = xmalloc(sizeof *net);
        network_init(net, around->view, ep->bridge->name, ep->vlan);
        shash_add(&around->networks, key, net);
    }
    free(key);
    return net;
}

/* Returns where the kernel routes packets that go from a NIC to 'dst'.  Where
 * it does not believe in the source, it is asked for those of its own. */
static struct host_route
look_up_way_in(const struct view_surroundings *around,
               const struct in6_addr *dst)
{
    struct host_packet packet = {
        .dst = *dst,
        .src = IN6_IS_ADDR_V4MAPPED(dst) ? host_world4 : host_world6,
        .iif = around->nic,
    };
    struct host_route route;

    host_route_get(&packet, &route);
    if (packet.iif && (route.error == EINVAL || route.error == EXDEV)) {
        packet.iif = 0;
        host_route_get(&packet, &route);
    }
    return route;
}

/* Fills 'h' for 'ep', an endpoint in 'net', but for the routes. */
static void
set_judge_host(struct judge_host *h, const struct view_surroundings *around,
               const struct network *net, const struct desired_endpoint *ep,
               char text[INET6_ADDRSTRLEN])
{
    ipv6_string_mapped(text, &ep->key.addr);
    *h = (struct judge_host) {
        .address = text,
        .ip6 = !IN6_IS_ADDR_V4MAPPED(&ep->key.addr),
        .bridge = ep->bridge ? ep->bridge->name : "",
        .vlan = ep->vlan,
        .leg = net->has_leg ? &net->leg : NULL,
        .physical = net->physical,
        .nics = &around->nics,
    };
}

/* Appends to 'checks' whether 'ep', in 'net', has a slow path. */
static void
check_slow_path(const struct view_surroundings *around,
                const struct network *net,
                const struct desired_endpoint *ep, struct checks *checks)
{
    char text[INET6_ADDRSTRLEN];
    struct judge_host h;

    set_judge_host(&h, around, net, ep, text);
    h.way_in = look_up_way_in(around, &ep->key.addr);
    judge_slow_path(&h, checks);
}

/* Appends to 'checks' what would stop packets from 'ep', in 'net'. */
static void
check_way_back(const struct view_surroundings *around,
               const struct network *net,
               const struct desired_endpoint *ep, struct checks *checks)
{
    char text[INET6_ADDRSTRLEN];
    struct host_packet out;
    struct judge_host h;

    set_judge_host(&h, around, net, ep, text);
    out = (struct host_packet) {
        .dst = h.ip6 ? host_world6 : host_world4, .src = ep->key.addr };
    host_route_get(&out, &h.world);
    out.iif = h.leg ? h.leg->ifindex : 0;
    host_route_get(&out, &h.way_out);
    host_route_get(&(struct host_packet) { .dst = ep->key.addr }, &h.reverse);
    judge_way_back(&h, checks);
}

/* Returns the number of 'iface', which may be NULL, or OFPP_NONE. */
static ofp_port_t
port_of(const struct ovs_iface *iface)
{
    return iface && iface->ofport > 0 ? u16_to_ofp(iface->ofport) : OFPP_NONE;
}

/* Returns the name of the integration bridge of 'view'. */
static const char *
integration_bridge(const struct view *view)
{
    const struct smap *ids = &ovs_db_view(view->ovs_db)->external_ids;
    char *key = xasprintf("ovn-bridge-%s", (view->settings->chassis
                                            ? view->settings->chassis : ""));
    const char *name = smap_get(ids, key);

    free(key);
    return name ? name : smap_get_def(ids, "ovn-bridge", "br-int");
}

/* Returns the name of the port of 'bridge' by which ovn-controller connects
 * the network of 'ep' to OVN, and its interface, or NULL, in '*ifacep'.  The
 * caller frees the name. */
static char *
find_patch(const struct view *view, const struct ovs_bridge *bridge,
           const struct desired_endpoint *ep, const struct ovs_iface **ifacep)
{
    const struct sb_binding *binding;
    char *name = NULL;

    *ifacep = NULL;
    HMAP_FOR_EACH (binding, node, &sb_db_view(view->sb_db)->bindings) {
        if (!*ifacep && !strcmp(binding->type, "localnet")
            && binding->network_name
            && !strcmp(binding->network_name, ep->network)
            && MAX(binding->tag, 0) == ep->vlan) {
            free(name);
            name = xasprintf("patch-%s-to-%s", binding->logical_port,
                             integration_bridge(view));
            *ifacep = ovs_bridge_find_iface(bridge, name, NULL);
        }
    }
    return name ? name : xstrdup("to the integration bridge");
}

/* Appends to 'checks' what the flows of the bridge of 'ep', in 'net', do. */
static void
check_bridge(const struct view *view, const struct network *net,
             const struct desired_endpoint *ep, struct checks *checks)
{
    const struct desired_bridge *target = ep->bridge;
    const struct netdev_info *leg = NULL;
    const struct ovs_iface *patch;

    if (!net->bridge) {
        return;
    }
    if (net->has_leg) {
        leg = netdevs_find(view->netdevs, net->leg.name);
    }
    char *name = find_patch(view, net->bridge, ep, &patch);
    struct judge_bridge b = {
        .name = target->name,
        .flows = (view->flows
                  ? host_flows_find(view->flows, target->name) : NULL),
        .ip6 = !IN6_IS_ADDR_V4MAPPED(&ep->key.addr),
        .vlan = ep->vlan,
        .mac = ep->mac,
        .own_entry = target->kind != TARGET_VETH,
        .device = target->device,
        .entry = (target->reason != REASON_NONE ? OFPP_NONE
                  : target->kind != TARGET_VETH ? OFPP_LOCAL
                  : port_of(ovs_bridge_find_iface(net->bridge,
                                                  target->port.inner, NULL))),
        .entry_mac = target->mac,
        .patch = name,
        .patch_port = port_of(patch),
        .leg = leg && !net->physical[0] ? leg->name : "",
        .leg_mac = leg ? leg->mac : eth_addr_zero,
        .leg_is_port = net->leg_is_port,
        .local_tag = net->local_tag,
    };
    judge_way_in(&b, checks);
    judge_turned_round(&b, checks);
    judge_local_tag(&b, checks);
    free(name);
}

/* Appends to 'checks' which firewall rules redirected packets of the family of
 * 'ep' do not meet. */
static void
check_firewall(struct view_surroundings *around,
               const struct desired_endpoint *ep, struct checks *checks)
{
    if (!around->has_firewall) {
        host_firewall_get(&around->firewall);
        around->has_firewall = true;
    }
    judge_firewall(&around->firewall, !IN6_IS_ADDR_V4MAPPED(&ep->key.addr),
                   &around->nics, checks);
}

/* Appends to 'checks' all that the host and the bridge have to say of 'ep',
 * which has a bridge. */
void
view_host_check(struct view_surroundings *around,
                const struct desired_endpoint *ep, struct checks *checks)
{
    const struct network *net = find_network(around, ep);

    check_slow_path(around, net, ep, checks);
    check_bridge(around->view, net, ep, checks);
    check_way_back(around, net, ep, checks);
    check_firewall(around, ep, checks);
}

/* Appends to 'checks' where the host routes 'addr', of which nothing else is
 * known. */
void
view_host_check_stranger(const struct view *view, const struct in6_addr *addr,
                         struct checks *checks)
{
    struct view_surroundings *around = view_surroundings_create(view);
    char text[INET6_ADDRSTRLEN];

    ipv6_string_mapped(text, addr);
    struct judge_host h = {
        .address = text, .bridge = "", .physical = "", .nics = &around->nics,
        .ip6 = !IN6_IS_ADDR_V4MAPPED(addr),
        .way_in = look_up_way_in(around, addr),
    };
    judge_slow_path(&h, checks);
    view_surroundings_destroy(around);
}

/* Fills 'bridges' with the bridges whose flows matter. */
void
view_host_bridges(const struct view *view, struct sset *bridges)
{
    const struct desired *desired = view->desired;

    for (size_t i = 0; desired && i < desired->n_bridges; i++) {
        if (desired->bridges[i].exists) {
            sset_add(bridges, desired->bridges[i].name);
        }
    }
}

/* Appends to 'problems' what 'checks' found wrong, unless it is there
 * already. */
static void
add_problems(const struct checks *checks, struct problems *problems)
{
    for (size_t i = 0; i < checks->n; i++) {
        const struct check *check = &checks->list[i];
        if (check->ok == CHECK_NO) {
            problems_add_once(problems, check->class, "%s%s%s", check->detail,
                              check->fix[0] ? "  try: " : "", check->fix);
        }
    }
}

/* Returns true if 'a' and 'b' are of one network and family. */
static bool
same_network(const struct desired_endpoint *a,
             const struct desired_endpoint *b)
{
    return a->bridge == b->bridge && a->vlan == b->vlan
           && (!strcmp(a->network, b->network))
           && (IN6_IS_ADDR_V4MAPPED(&a->key.addr)
               == IN6_IS_ADDR_V4MAPPED(&b->key.addr));
}

/* Fills 'samples' with the least served address of each network and family of
 * 'desired', up to MAX_NETWORK_CHECKS.  Returns their number. */
static size_t
find_samples(const struct desired *desired,
             const struct desired_endpoint *samples[MAX_NETWORK_CHECKS])
{
    const struct desired_endpoint *ep;
    size_t n = 0;
    size_t i;

    HMAP_FOR_EACH (ep, node, &desired->endpoints) {
        if (ep->reason != REASON_NONE) {
            continue;
        }
        for (i = 0; i < n && !same_network(samples[i], ep); i++) {
            continue;
        }
        if (i == n && n < MAX_NETWORK_CHECKS) {
            samples[n++] = ep;
        } else if (i < n
                   && memcmp(&ep->key.addr, &samples[i]->key.addr,
                             sizeof ep->key.addr) < 0) {
            samples[i] = ep;
        }
    }
    return n;
}

/* Adds one problem to 'problems' for the served addresses without a slow path,
 * if there are any among the first ones looked up. */
static void
add_slow_path_problem(struct view_surroundings *around,
                      const struct desired_endpoint *const samples[],
                      size_t n_samples, struct problems *problems)
{
    const struct desired_endpoint *ep;
    size_t n = 0, n_lost = 0;
    struct checks checks = CHECKS_INITIALIZER;

    HMAP_FOR_EACH (ep, node, &around->view->desired->endpoints) {
        for (size_t i = 0; i < n_samples && ep->reason == REASON_NONE; i++) {
            if (same_network(samples[i], ep)) {
                check_slow_path(around, find_network(around, ep), ep,
                                &checks);
                n_lost += checks.list[n++].ok == CHECK_NO;
                break;
            }
        }
        if (n >= MAX_ROUTE_LOOKUPS) {
            break;
        }
    }
    for (size_t i = 0; i < checks.n; i++) {
        if (checks.list[i].ok == CHECK_NO) {
            problems_add(problems, REASON_NO_SLOW_PATH, "%"PRIuSIZE" of "
                         "%"PRIuSIZE" addresses looked up have no slow path: "
                         "%s%s", n_lost, n, checks.list[i].detail,
                         around->view->settings->stale_timeout
                         ? "; all of it, when the daemon is away for as long "
                           "as ovn-xdp-stale-timeout says" : "");
            break;
        }
    }
    checks_destroy(&checks);
}

/* Appends to 'problems' what the host does to packets of the addresses that
 * are served. */
static void
add_host_problems(struct view_surroundings *around,
                  const struct desired_endpoint *const samples[], size_t n,
                  struct problems *problems)
{
    struct checks checks = CHECKS_INITIALIZER;

    for (size_t i = 0; i < n; i++) {
        const struct network *net = find_network(around, samples[i]);

        check_bridge(around->view, net, samples[i], &checks);
        check_way_back(around, net, samples[i], &checks);
    }
    add_problems(&checks, problems);
    checks_destroy(&checks);
}

/* Appends to 'problems' what need not be wrong but had better be known. */
static void
add_advice(struct view_surroundings *around,
           const struct desired_endpoint *const samples[], size_t n,
           struct problems *problems)
{
    struct checks checks = CHECKS_INITIALIZER;

    for (size_t i = 0; i < n; i++) {
        check_firewall(around, samples[i], &checks);
    }
    add_problems(&checks, problems);
    checks_destroy(&checks);
    add_slow_path_problem(around, samples, n, problems);
}

/* Appends to 'problems' what the host does to packets of the addresses that
 * are served; with 'advice' then also what need not be wrong but had better be
 * known.  Returns the number of problems without the latter. */
size_t
view_host_problems(const struct view *view, bool advice,
                   struct problems *problems)
{
    const struct desired_endpoint *samples[MAX_NETWORK_CHECKS];
    struct view_surroundings *around = view_surroundings_create(view);
    bool serving = view->desired && !sset_is_empty(&around->nics);
    size_t n = serving ? find_samples(view->desired, samples) : 0;

    add_host_problems(around, samples, n, problems);
    size_t n_problems = problems->n;
    if (advice && serving) {
        add_advice(around, samples, n, problems);
    }
    view_surroundings_destroy(around);
    return n_problems;
}
