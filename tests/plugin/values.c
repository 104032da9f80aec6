/* SPDX-License-Identifier: Apache-2.0 */
/* A make-believe chassis for tests of the pure half of the brain, and its
 * derivation as text. */

#include <config.h>

#include "tests/plugin/values.h"

#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "idl/nat-fact.h"
#include "openvswitch/dynamic-string.h"
#include "packets.h"
#include "plugin/bridge-port.h"
#include "plugin/desired.h"
#include "plugin/problems.h"
#include "random.h"
#include "svec.h"
#include "util.h"
#include "uuid.h"

/* Makes 'values' a chassis that has no settings, rows or devices. */
void
values_init(struct values *values)
{
    memset(values, 0, sizeof *values);
    smap_init(&values->ids);
    settings_init(&values->settings);
    values->ovs.complete = true;
    smap_init(&values->ovs.external_ids);
    values->sb.complete = true;
    values->sb.chassis_found = true;
    hmap_init(&values->sb.bindings);
    hmap_init(&values->sb_facts);
    hmap_init(&values->nb_facts);
    hmap_init(&values->devices);
    sset_init(&values->attached);
    sset_init(&values->foreign);
    sset_init(&values->native_failed);
    sset_init(&values->port_failed);
    values->last_ifindex = 10;
}

/* Makes 'values' a chassis with the routed NIC eth1, and the provider network
 * physnet1, datapath 1, on the bridge br-ex of the userspace datapath. */
void
values_init_cloud(struct values *values)
{
    values_init(values);
    values_set(values, "system-id", "hv1");
    values_set(values, "ovn-bridge-mappings", "physnet1:br-ex");
    values_set(values, "ovn-xdp-interfaces", "eth1");
    values_add_device(values, "eth1", "");
    values_add_bridge(values, "br-ex", true);
    values_add_localnet(values, "provnet-1", "physnet1", 1, -1);
}

/* Frees what 'binding' holds, and 'binding'. */
static void
free_binding(struct sb_binding *binding)
{
    free(binding->logical_port);
    free(binding->type);
    sset_destroy(&binding->macs);
    sset_destroy(&binding->nat_addresses);
    sset_destroy(&binding->port_security);
    free(binding->network_name);
    free(binding->l3gateway_chassis);
    free(binding->distributed_port);
    free(binding->peer);
    free(binding->virtual_parent);
    free(binding->parent_port);
    free(binding);
}

/* Frees the bridges of 'view'. */
static void
free_bridges(struct ovs_view *view)
{
    for (size_t i = 0; i < view->n_bridges; i++) {
        struct ovs_bridge *bridge = &view->bridges[i];
        for (size_t j = 0; j < bridge->n_ports; j++) {
            free(bridge->ports[j].ifaces->name);
            free(bridge->ports[j].ifaces->type);
            free(bridge->ports[j].ifaces);
            free(bridge->ports[j].name);
            free(bridge->ports[j].managed);
            free(bridge->ports[j].localnet);
        }
        free(bridge->ports);
        free(bridge->name);
        free(bridge->datapath_type);
    }
    free(view->bridges);
}

/* Frees 'facts' and what is in it. */
static void
free_facts(struct hmap *facts)
{
    struct nat_fact *fact;

    HMAP_FOR_EACH_POP (fact, node, facts) {
        nat_fact_destroy(fact);
    }
    hmap_destroy(facts);
}

/* Frees what 'values' holds, not 'values' itself. */
void
values_destroy(struct values *values)
{
    struct sb_binding *binding;
    struct netdev_info *dev;

    free_facts(&values->sb_facts);
    free_facts(&values->nb_facts);
    HMAP_FOR_EACH_POP (binding, node, &values->sb.bindings) {
        free_binding(binding);
    }
    hmap_destroy(&values->sb.bindings);
    HMAP_FOR_EACH_POP (dev, node, &values->devices) {
        free(dev);
    }
    hmap_destroy(&values->devices);
    free_bridges(&values->ovs);
    smap_destroy(&values->ovs.external_ids);
    smap_destroy(&values->ids);
    settings_destroy(&values->settings);
    sset_destroy(&values->attached);
    sset_destroy(&values->foreign);
    sset_destroy(&values->native_failed);
    sset_destroy(&values->port_failed);
}

/* Fixture of cmocka: makes '*state' a struct values as values_init_cloud()
 * makes it. */
int
values_setup(void **state)
{
    *state = xmalloc(sizeof(struct values));
    values_init_cloud(*state);
    return 0;
}

/* Frees what values_setup() has made. */
int
values_teardown(void **state)
{
    values_destroy(*state);
    free(*state);
    return 0;
}

/* Sets 'key' of the local external_ids to 'value', or removes it if 'value' is
 * NULL, and lets the settings follow. */
void
values_set(struct values *values, const char *key, const char *value)
{
    struct problems problems = PROBLEMS_INITIALIZER;

    if (value) {
        smap_replace(&values->ids, key, value);
    } else {
        smap_remove(&values->ids, key);
    }
    settings_update(&values->settings, &values->ids, NULL, &problems);
    problems_destroy(&problems);
}

/* Adds a device called 'name' of 'kind', "" for a physical NIC.  It is up and
 * can do all with XDP but read tags that were stripped, which it does not do
 * either. */
struct netdev_info *
values_add_device(struct values *values, const char *name, const char *kind)
{
    struct netdev_info *dev = xzalloc(sizeof *dev);
    int ifindex = ++values->last_ifindex;

    ovs_strlcpy(dev->name, name, sizeof dev->name);
    ovs_strlcpy(dev->kind, kind, sizeof dev->kind);
    dev->ifindex = ifindex;
    dev->mac = (struct eth_addr) ETH_ADDR_C(02, 00, 00, 00, 00, 00);
    dev->mac.ea[5] = ifindex;
    dev->mtu = 1500;
    dev->ethernet = dev->up = dev->running = true;
    dev->native = dev->ndo_xmit = dev->ndo_xmit_sg = true;
    hmap_insert(&values->devices, &dev->node, hash_string(name, 0));
    return dev;
}

/* Returns the device called 'name', or NULL. */
struct netdev_info *
values_device(const struct values *values, const char *name)
{
    struct netdev_info *dev;

    HMAP_FOR_EACH (dev, node, &values->devices) {
        if (!strcmp(dev->name, name)) {
            return dev;
        }
    }
    return NULL;
}

/* Removes the device called 'name', which must exist. */
void
values_remove_device(struct values *values, const char *name)
{
    struct netdev_info *dev = values_device(values, name);

    hmap_remove(&values->devices, &dev->node);
    free(dev);
}

/* Adds the bridge called 'name' and its device: a tap, which takes native
 * frames, on the userspace datapath; or an internal port, which does not. */
void
values_add_bridge(struct values *values, const char *name, bool userspace)
{
    struct ovs_view *view = &values->ovs;
    struct netdev_info *dev = values_add_device(values, name,
                                                userspace ? "tun"
                                                : "openvswitch");

    dev->native = dev->ndo_xmit = dev->ndo_xmit_sg = userspace;
    view->bridges = xrealloc(view->bridges, (view->n_bridges + 1)
                                            * sizeof *view->bridges);
    view->bridges[view->n_bridges++] = (struct ovs_bridge) {
        .name = xstrdup(name),
        .datapath_type = xstrdup(userspace ? "netdev" : ""),
    };
    values_add_port(values, name, name, "internal", NULL);
}

/* Adds the port 'device' with an interface of 'type' to 'bridge', which must
 * exist.  It is managed for the bridge 'managed' unless that is NULL. */
void
values_add_port(struct values *values, const char *bridge_name,
                const char *device, const char *type, const char *managed)
{
    struct ovs_bridge *bridge = values->ovs.bridges;
    struct ovs_port *port;

    while (strcmp(bridge->name, bridge_name)) {
        bridge++;
    }
    bridge->ports = xrealloc(bridge->ports, (bridge->n_ports + 1)
                                            * sizeof *bridge->ports);
    port = &bridge->ports[bridge->n_ports++];
    *port = (struct ovs_port) {
        .name = xstrdup(device), .tag = -1, .n_ifaces = 1,
        .managed = nullable_xstrdup(managed),
        .ifaces = xzalloc(sizeof *port->ifaces) };
    *port->ifaces = (struct ovs_iface) {
        .name = xstrdup(device), .type = xstrdup(type),
        .ofport = bridge->n_ports };
}

/* Has ovn-controller plug the network of the localnet port 'localnet' into
 * 'bridge', which must exist, in addition to where it is. */
void
values_plug(struct values *values, const char *bridge, const char *localnet)
{
    char *name = xasprintf("patch-%s-to-%s", localnet, bridge);

    values_add_port(values, bridge, name, "patch", NULL);
    for (size_t i = 0; i < values->ovs.n_bridges; i++) {
        struct ovs_bridge *b = &values->ovs.bridges[i];
        struct ovs_port *port = &b->ports[b->n_ports - 1];
        if (b->n_ports && !strcmp(port->name, name)) {
            port->localnet = xstrdup(localnet);
        }
    }
    free(name);
}

/* Has ovn-controller plug 'localnet' out of all bridges. */
void
values_unplug(struct values *values, const char *localnet)
{
    for (size_t i = 0; i < values->ovs.n_bridges; i++) {
        struct ovs_bridge *bridge = &values->ovs.bridges[i];
        for (size_t j = 0; j < bridge->n_ports; j++) {
            struct ovs_port *port = &bridge->ports[j];
            if (nullable_string_is_equal(port->localnet, localnet)) {
                free(port->localnet);
                port->localnet = NULL;
            }
        }
    }
}

/* Returns the interface of a bridge that is called 'device', or NULL. */
struct ovs_iface *
values_iface(const struct values *values, const char *device)
{
    for (size_t i = 0; i < values->ovs.n_bridges; i++) {
        const struct ovs_bridge *bridge = &values->ovs.bridges[i];
        for (size_t j = 0; j < bridge->n_ports; j++) {
            if (!strcmp(bridge->ports[j].ifaces->name, device)) {
                return bridge->ports[j].ifaces;
            }
        }
    }
    return NULL;
}

/* Adds the managed port of 'bridge': both devices, and the row. */
void
values_add_managed_port(struct values *values, const char *bridge)
{
    struct bridge_port_names names;

    bridge_port_names(bridge, &names);
    values_add_device(values, names.inner, "veth");
    values_add_device(values, names.outer, "veth");
    values_add_port(values, bridge, names.inner, "", bridge);
}

/* Adds the binding 'port' of 'type' to the datapath with number 'datapath'. It
 * is up and nowhere. */
struct sb_binding *
values_add_binding(struct values *values, const char *type, const char *port,
                   uint32_t datapath)
{
    struct sb_binding *binding = xzalloc(sizeof *binding);

    binding->uuid.parts[0] = ++values->last_row;
    binding->datapath.parts[3] = datapath;
    binding->logical_port = xstrdup(port);
    binding->type = xstrdup(type);
    binding->up = true;
    binding->tag = -1;
    sset_init(&binding->macs);
    sset_init(&binding->nat_addresses);
    sset_init(&binding->port_security);
    hmap_insert(&values->sb.bindings, &binding->node,
                uuid_hash(&binding->uuid));
    return binding;
}

/* Returns the binding 'port', or NULL. */
struct sb_binding *
values_binding(const struct values *values, const char *port)
{
    struct sb_binding *binding;

    HMAP_FOR_EACH (binding, node, &values->sb.bindings) {
        if (!strcmp(binding->logical_port, port)) {
            return binding;
        }
    }
    return NULL;
}

/* Removes the binding 'port', which must exist. */
void
values_remove_binding(struct values *values, const char *port)
{
    values_drop_binding(values, values_binding(values, port));
}

/* Removes 'binding'. */
void
values_drop_binding(struct values *values, struct sb_binding *binding)
{
    hmap_remove(&values->sb.bindings, &binding->node);
    free_binding(binding);
}

/* Adds the localnet port 'port' of 'network', with 'tag' or -1. */
struct sb_binding *
values_add_localnet(struct values *values, const char *port,
                    const char *network, uint32_t datapath, int tag)
{
    struct sb_binding *binding = values_add_binding(values, "localnet", port,
                                                    datapath);

    binding->network_name = nullable_xstrdup(network);
    binding->tag = tag;
    return binding;
}

/* Adds the VM port 'port', bound here, with the string 'mac'. */
struct sb_binding *
values_add_vm(struct values *values, const char *port, uint32_t datapath,
              const char *mac)
{
    struct sb_binding *binding = values_add_binding(values, "", port,
                                                    datapath);

    binding->here = true;
    sset_add(&binding->macs, mac);
    return binding;
}

/* Adds a router with the gateway port "lrp-PORT", resident here as
 * "cr-lrp-PORT" with the string 'mac', and behind it the switch port 'port' on
 * 'datapath', which is returned, with the string 'nat' unless that is NULL. */
struct sb_binding *
values_add_router(struct values *values, const char *port, uint32_t datapath,
                  const char *mac, const char *nat)
{
    char *name = xasprintf("cr-lrp-%s", port);
    struct sb_binding *gateway = values_add_binding(values, "chassisredirect",
                                                    name, 1000);
    struct sb_binding *patch = values_add_binding(values, "patch", port,
                                                  datapath);

    free(name);
    gateway->here = true;
    gateway->distributed_port = xasprintf("lrp-%s", port);
    sset_add(&gateway->macs, mac);
    patch->up = false;
    patch->peer = xasprintf("lrp-%s", port);
    if (nat) {
        sset_add(&patch->nat_addresses, nat);
    }
    return patch;
}

/* Adds to 'facts', one of those in 'values', that the gateway behind
 * 'router_port' translates 'address'. */
struct nat_fact *
values_add_fact(struct values *values, struct hmap *facts,
                const char *router_port, const char *address)
{
    struct nat_fact *fact = xzalloc(sizeof *fact);

    fact->identity.parts[0] = ++values->last_row;
    fact->router_port = xstrdup(router_port);
    fact->ip = values_key(address).addr;
    hmap_insert(facts, &fact->node, uuid_hash(&fact->identity));
    return fact;
}

/* Takes 'fact' out of 'facts'. */
void
values_remove_fact(struct hmap *facts, struct nat_fact *fact)
{
    hmap_remove(facts, &fact->node);
    nat_fact_destroy(fact);
}

/* Gives all bindings other row numbers, and so puts them in another order. */
void
values_shuffle(struct values *values)
{
    struct hmap old = HMAP_INITIALIZER(&old);
    struct sb_binding *binding;

    hmap_swap(&old, &values->sb.bindings);
    HMAP_FOR_EACH_POP (binding, node, &old) {
        for (size_t i = 0; i < ARRAY_SIZE(binding->uuid.parts); i++) {
            binding->uuid.parts[i] = random_uint32();
        }
        hmap_insert(&values->sb.bindings, &binding->node,
                    uuid_hash(&binding->uuid));
    }
    hmap_destroy(&old);
}

/* Returns 'values' as what the derivation takes, which borrows them. */
struct desired_inputs
values_inputs(const struct values *values)
{
    return (struct desired_inputs) {
        .settings = &values->settings,
        .ovs = &values->ovs,
        .sb = &values->sb,
        .sb_facts = &values->sb_facts,
        .nb_facts = &values->nb_facts,
        .devices = &values->devices,
        .attached = &values->attached,
        .foreign = &values->foreign,
        .native_failed = &values->native_failed,
        .port_failed = &values->port_failed,
    };
}

/* Derives what is desired from 'values'.  The caller owns the result. */
struct desired *
values_derive(const struct values *values)
{
    struct desired_inputs inputs = values_inputs(values);

    return desired_compute(&inputs);
}

/* Returns the key of untagged frames to 'address'. */
struct dp_key
values_key(const char *address)
{
    struct dp_key key = { .vlan = 0 };
    ovs_be32 ip4;

    if (ip_parse(address, &ip4)) {
        key.addr = in6_addr_mapped_ipv4(ip4);
    } else {
        ovs_assert(ipv6_parse(address, &key.addr));
    }
    return key;
}

/* Returns 'endpoints' of 'desired' as text, sorted, one line for each:
 * address, MAC, kind, port, network, bridge, tag, and why not.  The caller
 * frees it. */
char *
values_dump_endpoints(const struct desired *desired)
{
    struct svec lines = SVEC_EMPTY_INITIALIZER;
    const struct desired_endpoint *ep;

    HMAP_FOR_EACH (ep, node, &desired->endpoints) {
        char text[INET6_ADDRSTRLEN];

        ipv6_string_mapped(text, &ep->key.addr);
        svec_add_nocopy(&lines, xasprintf(
            "%s "ETH_ADDR_FMT" %s %s %s %s %d%s%s%s\n", text,
            ETH_ADDR_ARGS(ep->mac), endpoint_kind_to_string(ep->kind),
            ep->logical_port, ep->network[0] ? ep->network : "-",
            ep->bridge ? ep->bridge->name : "-", ep->vlan,
            ep->reason ? " " : "", reason_to_string(ep->reason),
            ep->pending ? " pending" : ""));
    }
    svec_sort(&lines);
    char *all = svec_join(&lines, "", "");
    svec_destroy(&lines);
    return all;
}

/* Returns 'interfaces' of 'desired' as text, one line for each: name, layout,
 * state, mode if it is to be attached, tag hint, and why not.  The caller
 * frees it. */
char *
values_dump_interfaces(const struct desired *desired)
{
    static const char *const states[] = {
        [INTERFACE_WAITING] = "waiting", [INTERFACE_ATTACH] = "attach",
        [INTERFACE_REFUSED] = "refused" };
    struct ds ds = DS_EMPTY_INITIALIZER;

    for (size_t i = 0; i < desired->n_interfaces; i++) {
        const struct desired_interface *iface = &desired->interfaces[i];
        bool attach = iface->state == INTERFACE_ATTACH;

        ds_put_format(&ds, "%s %s %s%s%s%s%s\n", iface->name,
                      iface->switched ? "switched" : "routed",
                      states[iface->state],
                      !attach ? ""
                      : iface->nic.mode == DP_NATIVE ? " native" : " generic",
                      attach && iface->nic.tag_hint ? " hint" : "",
                      iface->reason ? " " : "",
                      reason_to_string(iface->reason));
    }
    return ds_steal_cstr(&ds);
}

/* Returns 'bridges' of 'desired' as text, one line for each: name, kind of
 * target, device, whether the managed port is wanted, whether the target can
 * be used, and why not.  The caller frees it. */
char *
values_dump_bridges(const struct desired *desired)
{
    static const char *const kinds[] = {
        [TARGET_INTERNAL] = "internal", [TARGET_TAP] = "tap",
        [TARGET_VETH] = "veth" };
    struct ds ds = DS_EMPTY_INITIALIZER;

    for (size_t i = 0; i < desired->n_bridges; i++) {
        const struct desired_bridge *bridge = &desired->bridges[i];

        ds_put_format(&ds, "%s %s %s%s %s%s%s\n", bridge->name,
                      kinds[bridge->kind],
                      bridge->device[0] ? bridge->device : "-",
                      bridge->wants_port ? " port" : "",
                      bridge->ifindex ? "ready" : "not-ready",
                      bridge->reason ? " " : "",
                      reason_to_string(bridge->reason));
    }
    return ds_steal_cstr(&ds);
}

/* Returns how many of 'problems' are of class 'reason'. */
size_t
values_count_problems(const struct problems *problems, int reason)
{
    size_t n = 0;

    for (size_t i = 0; i < problems->n; i++) {
        n += problems->list[i].class == (enum reason) reason;
    }
    return n;
}
