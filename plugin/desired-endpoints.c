/* SPDX-License-Identifier: Apache-2.0 */
/* Which addresses live on this chassis, from the Southbound's Port_Binding:
 *
 *   - VM ports on provider networks that are bound here, or are migrating here
 *     and activated: 'mac';
 *   - virtual ports on provider networks, where their parents are;
 *   - gateway ports that are resident here: their own addresses, from 'mac' of
 *     the chassisredirect row, on the network of the switch port behind them;
 *   - likewise the port of a gateway router (l3gateway) that is here;
 *   - floating IPs and SNAT addresses: 'nat_addresses' of that switch port,
 *     each string resident where the port that it names is.
 *
 * A provider network is a datapath with a localnet port. */

#include <config.h>

#include "plugin/desired-private.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "openvswitch/shash.h"
#include "packets.h"
#include "util.h"
#include "uuid.h"

#include "idl/sb-db.h"
#include "plugin/addresses.h"
#include "plugin/settings.h"

/* The largest VLAN tag that may be on a wire. */
#define MAX_VLAN 4094

/* A datapath with a localnet port. */
struct provider {
    struct hmap_node node;      /* In struct derivation, by datapath. */
    struct uuid datapath;       /* Datapath_Binding row. */
    const struct sb_binding *localnet; /* The port that counts. */
    const struct desired_bridge *bridge; /* Bridge of its network, or NULL. */
};

/* What the derivation carries along. */
struct derivation {
    struct desired *desired;    /* Being filled. */
    const struct desired_inputs *in; /* Borrowed. */
    struct hmap providers;      /* Of struct provider. */
    struct shash ports;         /* Name to struct sb_binding, bound here. */
    struct shash gateways;      /* Logical router port to its resident
                                 * chassisredirect struct sb_binding. */
};

/* One claim of an address by a row. */
struct claim {
    struct in6_addr ip;         /* Address. */
    struct eth_addr mac;        /* MAC to send to. */
    enum endpoint_kind kind;    /* What it is. */
    const struct sb_binding *port; /* Port whose residence decides. */
    const struct provider *provider; /* Network. */
};

/* Returns true if 'binding' is of a gateway: a port that is where its
 * 'chassis' says, whether it is reported up or not. */
static bool
is_gateway(const struct sb_binding *binding)
{
    return !strcmp(binding->type, "chassisredirect")
           || !strcmp(binding->type, "l3gateway");
}

/* Returns the bridge of 'desired' called 'name', or NULL. */
static const struct desired_bridge *
find_bridge(const struct desired *desired, const char *name)
{
    for (size_t i = 0; name && i < desired->n_bridges; i++) {
        if (!strcmp(desired->bridges[i].name, name)) {
            return &desired->bridges[i];
        }
    }
    return NULL;
}

/* Returns the provider network that is 'datapath', or NULL. */
static struct provider *
find_provider(const struct derivation *d, const struct uuid *datapath)
{
    struct provider *provider;

    HMAP_FOR_EACH_WITH_HASH (provider, node, uuid_hash(datapath),
                             &d->providers) {
        if (uuid_equals(&provider->datapath, datapath)) {
            return provider;
        }
    }
    return NULL;
}

/* Returns how well 'bridge', of a localnet port, serves: not at all, once the
 * bridge is created, now. */
static int
bridge_rank(const struct desired_bridge *bridge)
{
    return !bridge ? 0 : !bridge->exists ? 1 : 2;
}

/* Returns true if localnet port 'a' with 'a_bridge' counts before 'b' with
 * 'b_bridge': the one whose bridge serves better does, then the smaller
 * name. */
static bool
localnet_precedes(const struct sb_binding *a,
                  const struct desired_bridge *a_bridge,
                  const struct sb_binding *b,
                  const struct desired_bridge *b_bridge)
{
    int a_rank = bridge_rank(a_bridge);
    int b_rank = bridge_rank(b_bridge);

    return (a_rank != b_rank ? a_rank > b_rank
            : strcmp(a->logical_port, b->logical_port) < 0);
}

/* Notes that 'localnet' makes its datapath a provider network. */
static void
add_provider(struct derivation *d, const struct sb_binding *localnet)
{
    const char *network = localnet->network_name;
    const char *bridge_name
        = network ? smap_get(&d->in->settings->mappings, network) : NULL;
    const struct desired_bridge *bridge = find_bridge(d->desired,
                                                      bridge_name);
    struct provider *provider = find_provider(d, &localnet->datapath);

    if (!provider) {
        provider = xzalloc(sizeof *provider);
        provider->datapath = localnet->datapath;
        hmap_insert(&d->providers, &provider->node,
                    uuid_hash(&provider->datapath));
    } else if (!localnet_precedes(localnet, bridge,
                                  provider->localnet, provider->bridge)) {
        return;
    }
    provider->localnet = localnet;
    provider->bridge = bridge;
}

/* Returns the router port that 'binding', resident here, is the gateway of, or
 * NULL if it is none.  The port of a gateway router is its own gateway. */
static const char *
gateway_of(const struct sb_binding *binding)
{
    return (!strcmp(binding->type, "chassisredirect")
            ? binding->distributed_port
            : !strcmp(binding->type, "l3gateway")
            ? binding->logical_port
            : NULL);
}

/* Collects what the claims are judged by: networks, ports bound here, gateway
 * ports resident here. */
static void
collect(struct derivation *d)
{
    const struct sb_binding *binding;

    HMAP_FOR_EACH (binding, node, &d->in->sb->bindings) {
        if (!strcmp(binding->type, "localnet")) {
            add_provider(d, binding);
        }
        if (binding->here) {
            const char *router_port = gateway_of(binding);

            shash_add_once(&d->ports, binding->logical_port, binding);
            if (router_port) {
                shash_add_once(&d->gateways, router_port, binding);
            }
        }
    }
}

/* Returns true if 'claim' is of an address or port listed in
 * ovn-xdp-exclude. */
static bool
is_excluded(const struct derivation *d, const struct claim *claim)
{
    char text[INET6_ADDRSTRLEN];

    ipv6_string_mapped(text, &claim->ip);
    return sset_contains(&d->in->settings->exclude, text)
           || sset_contains(&d->in->settings->exclude,
                            claim->port->logical_port);
}

/* Returns true if what 'reason' says of an endpoint will pass by itself. */
static bool
is_passing(enum reason reason)
{
    return reason == REASON_PORT_DOWN || reason == REASON_ACTIVATION_PENDING;
}

/* Returns why 'claim' is not offloaded, or REASON_NONE. */
static enum reason
judge_claim(const struct derivation *d, const struct claim *claim)
{
    const struct desired_bridge *bridge = claim->provider->bridge;

    if (!bridge) {
        return REASON_NO_MAPPING;
    } else if (!bridge->exists) {
        return REASON_NO_BRIDGE;
    } else if (is_excluded(d, claim)) {
        return REASON_EXCLUDED;
    } else if (claim->provider->localnet->tag > MAX_VLAN) {
        return REASON_BAD_VALUE;
    } else if (!claim->port->here && !claim->port->activated) {
        return REASON_ACTIVATION_PENDING;
    } else if (!claim->port->up && !is_gateway(claim->port)) {
        return REASON_PORT_DOWN;
    }
    return REASON_NONE;
}

/* Returns how much an endpoint with 'reason' counts against another claim of
 * the same address: one that works or must not, one that will work, any
 * other. */
static int
claim_rank(enum reason reason)
{
    return (reason == REASON_NONE || reason == REASON_DUPLICATE_ADDRESS
            || reason == REASON_EXCLUDED ? 2
            : is_passing(reason) ? 1
            : 0);
}

/* Returns the VLAN tag of 'provider', 0 for none. */
static uint16_t
provider_vlan(const struct provider *provider)
{
    int tag = provider->localnet->tag;
    return tag > 0 && tag <= MAX_VLAN ? tag : 0;
}

/* Returns the name of the network of 'provider'. */
static const char *
provider_network(const struct provider *provider)
{
    const char *network = provider->localnet->network_name;
    return network ? network : "";
}

/* Fills 'ep' with 'claim', whose verdict is 'reason'. */
static void
set_endpoint(struct desired_endpoint *ep, const struct claim *claim,
             enum reason reason)
{
    free(ep->logical_port);
    free(ep->network);
    ep->mac = claim->mac;
    ep->kind = claim->kind;
    ep->logical_port = xstrdup(claim->port->logical_port);
    ep->network = xstrdup(provider_network(claim->provider));
    ep->bridge = claim->provider->bridge;
    ep->vlan = provider_vlan(claim->provider);
    ep->reason = reason;
    ep->pending = is_passing(reason);
}

/* Returns true if 'ep' and 'claim' would have the datapath do the same. */
static bool
same_answer(const struct desired_endpoint *ep, const struct claim *claim)
{
    return eth_addr_equals(ep->mac, claim->mac)
           && ep->bridge == claim->provider->bridge
           && ep->vlan == provider_vlan(claim->provider);
}

/* Returns true if 'claim' rather than 'ep' is to be shown for the address that
 * both name.  Which of them came first must not matter, so this is a total
 * order. */
static bool
claim_precedes(const struct claim *claim, const struct desired_endpoint *ep)
{
    int cmp = (claim->kind != ENDPOINT_ROUTER) - (ep->kind != ENDPOINT_ROUTER);

    if (!cmp) {
        cmp = strcmp(claim->port->logical_port, ep->logical_port);
    }
    if (!cmp) {
        cmp = eth_addr_compare_3way(claim->mac, ep->mac);
    }
    if (!cmp) {
        cmp = strcmp(provider_network(claim->provider), ep->network);
    }
    if (!cmp) {
        cmp = provider_vlan(claim->provider) - ep->vlan;
    }
    if (!cmp) {
        cmp = (int) claim->kind - (int) ep->kind;
    }
    return cmp < 0;
}

/* Reports that 'ep' and 'claim' cannot both be right. */
static void
report_duplicate(struct derivation *d, const struct desired_endpoint *ep,
                 const struct claim *claim)
{
    bool swap = strcmp(claim->port->logical_port, ep->logical_port) < 0;
    const char *a = ep->logical_port;
    const char *b = claim->port->logical_port;
    char text[INET6_ADDRSTRLEN];

    ipv6_string_mapped(text, &claim->ip);
    problems_add(&d->desired->problems, REASON_DUPLICATE_ADDRESS,
                 "%s is claimed by ports %s and %s", text,
                 swap ? b : a, swap ? a : b);
}

/* Settles that 'ep' and 'claim', of equal rank, name the same address; the
 * verdict of 'claim' alone is 'reason'. */
static void
merge_claim(struct derivation *d, struct desired_endpoint *ep,
            const struct claim *claim, enum reason reason)
{
    bool same = same_answer(ep, claim);
    bool first = claim_precedes(claim, ep);
    enum reason merged = first ? reason : ep->reason;

    if (reason == REASON_EXCLUDED || ep->reason == REASON_EXCLUDED) {
        merged = REASON_EXCLUDED;
    } else if (ep->reason == REASON_DUPLICATE_ADDRESS) {
        merged = REASON_DUPLICATE_ADDRESS;
    } else if (!same && reason == REASON_NONE) {
        report_duplicate(d, ep, claim);
        merged = REASON_DUPLICATE_ADDRESS;
    }
    if (first) {
        set_endpoint(ep, claim, merged);
    } else {
        ep->reason = merged;
    }
}

/* Adds 'claim' to the endpoints, or settles it with an earlier one. */
static void
add_claim(struct derivation *d, const struct claim *claim)
{
    struct dp_key key = { .addr = claim->ip };
    enum reason reason = judge_claim(d, claim);
    struct desired_endpoint *ep;

    if (!address_is_routable(&claim->ip)) {
        return;
    }
    ep = CONST_CAST(struct desired_endpoint *,
                    desired_find_endpoint(d->desired, &key));
    if (!ep) {
        ep = xzalloc(sizeof *ep);
        ep->key = key;
        set_endpoint(ep, claim, reason);
        hmap_insert(&d->desired->endpoints, &ep->node, dp_key_hash(&key));
    } else if (claim_rank(reason) > claim_rank(ep->reason)) {
        set_endpoint(ep, claim, reason);
    } else if (claim_rank(reason) == claim_rank(ep->reason)) {
        merge_claim(d, ep, claim, reason);
    }
}

/* Reports that 'string' in 'column' of 'binding' cannot be read. */
static void
report_bad(struct derivation *d, const struct sb_binding *binding,
           const char *column, const char *string)
{
    problems_add(&d->desired->problems, REASON_BAD_ADDRESS,
                 "port %s: cannot read \"%s\" in Port_Binding.%s",
                 binding->logical_port, string, column);
}

/* Stores in '*mac' the MAC that answers for virtual port 'port': that of its
 * parent, who owns the address for the time being.  OVN has no device behind
 * the MAC of the virtual port itself.  Returns false if the parent is not
 * here. */
static bool
find_parent_mac(const struct derivation *d, const struct sb_binding *port,
                struct eth_addr *mac)
{
    const struct sb_binding *parent
        = (port->virtual_parent
           ? shash_find_data(&d->ports, port->virtual_parent) : NULL);
    const char *string;
    bool found = false;

    if (parent) {
        SSET_FOR_EACH (string, &parent->macs) {
            struct addresses addresses;
            if (addresses_parse(string, &addresses) == ADDRESSES_OK
                && (!found
                    || eth_addr_compare_3way(addresses.mac, *mac) < 0)) {
                *mac = addresses.mac;
                found = true;
            }
            addresses_destroy(&addresses);
        }
    }
    return found;
}

/* Claims all addresses in the 'mac' column of 'port', on 'provider', with the
 * MAC 'mac', or if that is NULL with the one that stands before them. */
static void
claim_macs(struct derivation *d, const struct sb_binding *port,
           const struct provider *provider, enum endpoint_kind kind,
           const struct eth_addr *mac)
{
    const char *string;

    SSET_FOR_EACH (string, &port->macs) {
        struct addresses addresses;
        enum addresses_result result = addresses_parse(string, &addresses);

        if (result == ADDRESSES_BAD) {
            report_bad(d, port, "mac", string);
        }
        for (size_t i = 0; result == ADDRESSES_OK && i < addresses.n_ips;
             i++) {
            add_claim(d, &(struct claim) {
                .ip = addresses.ips[i], .mac = mac ? *mac : addresses.mac,
                .kind = kind, .port = port, .provider = provider });
        }
        addresses_destroy(&addresses);
    }
}

/* Claims the addresses of one string of the 'nat_addresses' of 'binding',
 * parsed, on 'provider'.  Without is_chassis_resident(), the string of a
 * gateway router holds where the router is, and that of any other says nothing
 * about this chassis. */
static void
claim_nat_string(struct derivation *d, const struct sb_binding *binding,
                 const struct addresses *addresses,
                 const struct provider *provider)
{
    const struct sb_binding *port = is_gateway(binding) ? binding : NULL;

    if (addresses->resident) {
        port = shash_find_data(&d->ports, addresses->resident);
    }
    for (size_t i = 0; port && i < addresses->n_ips; i++) {
        add_claim(d, &(struct claim) {
            .ip = addresses->ips[i], .mac = addresses->mac,
            .kind = is_gateway(port) ? ENDPOINT_FIP_CENTRALISED
                                     : ENDPOINT_FIP_DISTRIBUTED,
            .port = port, .provider = provider });
    }
}

/* Claims what the switch port 'binding' of a router, on 'provider', announces
 * in 'nat_addresses', and the addresses of the gateway port behind it. */
static void
claim_router(struct derivation *d, const struct sb_binding *binding,
             const struct provider *provider)
{
    const struct sb_binding *gateway = NULL;
    const char *string;

    if (binding->peer) {
        gateway = shash_find_data(&d->gateways, binding->peer);
    }
    if (gateway) {
        claim_macs(d, gateway, provider, ENDPOINT_ROUTER, NULL);
    }
    SSET_FOR_EACH (string, &binding->nat_addresses) {
        struct addresses addresses;
        switch (addresses_parse(string, &addresses)) {
        case ADDRESSES_OK:
            claim_nat_string(d, binding, &addresses, provider);
            break;
        case ADDRESSES_BAD:
            report_bad(d, binding, "nat_addresses", string);
            break;
        case ADDRESSES_NONE:
        default:
            break;
        }
        addresses_destroy(&addresses);
    }
}

/* Claims what 'binding' says lives here. */
static void
claim_binding(struct derivation *d, const struct sb_binding *binding)
{
    const struct provider *provider = find_provider(d, &binding->datapath);
    struct eth_addr mac;

    if (!provider) {
        return;
    }
    if (!binding->type[0] && (binding->here || binding->additional)) {
        claim_macs(d, binding, provider, ENDPOINT_VM, NULL);
    } else if (!strcmp(binding->type, "virtual") && binding->here
               && find_parent_mac(d, binding, &mac)) {
        claim_macs(d, binding, provider, ENDPOINT_VM, &mac);
    } else if (!strcmp(binding->type, "patch")
               || (!strcmp(binding->type, "l3gateway") && binding->here)) {
        claim_router(d, binding, provider);
    }
}

/* Fills 'endpoints' and 'problems' of 'desired', whose bridges are there. */
void
desired_add_endpoints(struct desired *desired,
                      const struct desired_inputs *in)
{
    struct derivation d = { .desired = desired, .in = in };
    const struct sb_binding *binding;
    struct provider *provider;

    hmap_init(&d.providers);
    shash_init(&d.ports);
    shash_init(&d.gateways);

    collect(&d);
    HMAP_FOR_EACH (binding, node, &in->sb->bindings) {
        claim_binding(&d, binding);
    }

    HMAP_FOR_EACH_POP (provider, node, &d.providers) {
        free(provider);
    }
    hmap_destroy(&d.providers);
    shash_destroy(&d.ports);
    shash_destroy(&d.gateways);
}
