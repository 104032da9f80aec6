/* SPDX-License-Identifier: Apache-2.0 */
/* Which addresses live on this chassis, from the Southbound's Port_Binding and
 * from facts about NAT:
 *
 *   - VM ports on provider networks that are bound here, or are migrating here
 *     and activated: 'mac'; 'port_security' for those that they may also use,
 *     which are shown but not offloaded;
 *   - virtual ports on provider networks, where their parents are;
 *   - gateway ports that are resident here: their own addresses, from 'mac' of
 *     the chassisredirect row, on the network of the switch port behind them;
 *   - likewise the port of a gateway router (l3gateway) that is here;
 *   - floating IPs and SNAT addresses: 'nat_addresses' of that switch port,
 *     each string resident where the port that it names is;
 *   - those and VIPs of load balancers, also where 'nat_addresses' leaves them
 *     out: facts (idl/nat-fact.h) of a router port, on the network of the
 *     switch port in front of it.  Those of the Northbound are hearsay: they
 *     count where the Southbound says nothing of their address.
 *
 * A provider network is a datapath with a localnet port. */

#include <config.h>

#include "plugin/desired-private.h"

#include <stdlib.h>
#include <string.h>

#include "packets.h"
#include "util.h"
#include "uuid.h"

#include "idl/nat-fact.h"
#include "idl/row-changes.h"
#include "idl/sb-db.h"
#include "plugin/addresses.h"
#include "plugin/settings.h"

/* The largest VLAN tag that may be on a wire. */
#define MAX_VLAN 4094

/* A provider network, as far as claims need it. */
struct provider {
    const struct sb_binding *localnet; /* The port that counts. */
    const struct desired_bridge *bridge; /* Bridge of its network, or NULL. */
};

/* Returns true if 'binding' is of a gateway: a port that is where its
 * 'chassis' says, whether it is reported up or not. */
static bool
is_gateway(const struct sb_binding *binding)
{
    return !strcmp(binding->type, "chassisredirect")
           || !strcmp(binding->type, "l3gateway");
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

/* Look-ups. */

/* Has 'row' answer all that 'binding', which is that row, is an answer to. */
static void
add_answers(struct derivation *d, struct row *row,
            const struct sb_binding *binding)
{
    if (!strcmp(binding->type, "localnet")) {
        char datapath[UUID_LEN + 1];

        snprintf(datapath, sizeof datapath, UUID_FMT,
                 UUID_ARGS(&binding->datapath));
        row_add_answer(d, row, LOOKUP_LOCALNET, datapath);
    }
    if (binding->here) {
        const char *router_port = gateway_of(binding);

        row_add_answer(d, row, LOOKUP_PORT, binding->logical_port);
        if (router_port) {
            row_add_answer(d, row, LOOKUP_GATEWAY, router_port);
        }
    }
    if (binding->peer && (!strcmp(binding->type, "patch")
                          || !strcmp(binding->type, "l3gateway"))) {
        row_add_answer(d, row, LOOKUP_PEER, binding->peer);
    }
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

/* Returns the bridge that the network of 'localnet' is mapped to, or NULL. */
static const struct desired_bridge *
localnet_bridge(const struct derivation *d, const struct sb_binding *localnet)
{
    return (localnet->network_name
            ? find_bridge(d->desired,
                          smap_get(&d->mappings, localnet->network_name))
            : NULL);
}

/* Returns how well 'bridge', of a localnet port, serves: not at all, once the
 * bridge is created, now. */
static int
bridge_rank(const struct desired_bridge *bridge)
{
    return !bridge ? 0 : !bridge->exists ? 1 : 2;
}

/* Returns true if localnet port 'a' counts before 'b': the one whose bridge
 * serves better does, then the smaller name. */
static bool
localnet_precedes(const struct derivation *d, const struct sb_binding *a,
                  const struct sb_binding *b)
{
    int a_rank = bridge_rank(localnet_bridge(d, a));
    int b_rank = bridge_rank(localnet_bridge(d, b));

    return (a_rank != b_rank ? a_rank > b_rank
            : strcmp(a->logical_port, b->logical_port) < 0);
}

/* Stores in '*provider' the provider network that is 'datapath', for 'source'.
 * Returns false if it is none. */
static bool
find_provider(struct derivation *d, struct source *source,
              const struct uuid *datapath, struct provider *provider)
{
    char name[UUID_LEN + 1];

    snprintf(name, sizeof name, UUID_FMT, UUID_ARGS(datapath));
    provider->localnet = lookup_ask(d, source, LOOKUP_LOCALNET, name,
                                    localnet_precedes);
    if (!provider->localnet) {
        return false;
    }
    provider->bridge = localnet_bridge(d, provider->localnet);
    return true;
}

/* Returns the port 'name' if it is bound here, otherwise NULL, for
 * 'source'. */
static const struct sb_binding *
find_port(struct derivation *d, struct source *source, const char *name)
{
    return name ? lookup_ask(d, source, LOOKUP_PORT, name, NULL) : NULL;
}

/* Returns the gateway of the router port 'name' if it is resident here,
 * otherwise NULL, for 'source'. */
static const struct sb_binding *
find_gateway(struct derivation *d, struct source *source, const char *name)
{
    return name ? lookup_ask(d, source, LOOKUP_GATEWAY, name, NULL) : NULL;
}

/* Returns the switch port in front of the router port 'name', or NULL, for
 * 'source'. */
static const struct sb_binding *
find_switch_port(struct derivation *d, struct source *source,
                 const char *name)
{
    return lookup_ask(d, source, LOOKUP_PEER, name, NULL);
}

/* Stores in '*mac' the MAC of 'port', which may be NULL; of several it is the
 * smallest.  Returns false if there is none. */
static bool
get_mac(const struct sb_binding *port, struct eth_addr *mac)
{
    const char *string;
    bool found = false;

    if (port) {
        SSET_FOR_EACH (string, &port->macs) {
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

/* Claims. */

/* Returns true if 'ip' or 'port' is listed in ovn-xdp-exclude. */
static bool
is_excluded(const struct derivation *d, const struct in6_addr *ip,
            const struct sb_binding *port)
{
    char text[INET6_ADDRSTRLEN];

    ipv6_string_mapped(text, ip);
    return sset_contains(&d->exclude, text)
           || sset_contains(&d->exclude, port->logical_port);
}

/* Returns true if OVN has plugged the network of 'provider' into bridges, and
 * the one to which it is mapped is not among them.  A redirected frame would
 * then come into a bridge where nobody waits for it: up to 23.03 at least,
 * ovn-controller fails to move a network from bridge to bridge in one step,
 * since its port in the other one has the same name. */
static bool
is_plugged_elsewhere(const struct derivation *d,
                     const struct provider *provider)
{
    const char *port = provider->localnet->logical_port;

    if (!sset_contains(&d->plugged, port)) {
        return false;
    }

    char *wanted = xasprintf("%s %s", port, provider->bridge->name);
    bool elsewhere = !sset_contains(&d->plugged, wanted);
    free(wanted);
    return elsewhere;
}

/* Returns why 'ip' on 'provider', resident with 'port', is not offloaded, or
 * REASON_NONE. */
static enum reason
judge(const struct derivation *d, const struct in6_addr *ip,
      const struct sb_binding *port, const struct provider *provider)
{
    if (!provider->bridge) {
        return REASON_NO_MAPPING;
    } else if (!provider->bridge->exists) {
        return REASON_NO_BRIDGE;
    } else if (is_excluded(d, ip, port)) {
        return REASON_EXCLUDED;
    } else if (provider->localnet->tag > MAX_VLAN) {
        return REASON_BAD_VALUE;
    } else if (!port->here && !port->activated) {
        return REASON_ACTIVATION_PENDING;
    } else if (!port->up && !is_gateway(port)) {
        return REASON_PORT_DOWN;
    } else if (is_plugged_elsewhere(d, provider)) {
        return REASON_PLUGGED_ELSEWHERE;
    }
    return REASON_NONE;
}

/* Returns what all claims of addresses on 'provider' have in common for which
 * 'mac' answers, and that are resident with 'port', whose strings are
 * borrowed. */
static struct claim
provider_claim(const struct provider *provider, const struct sb_binding *port,
               enum endpoint_kind kind, struct eth_addr mac)
{
    const struct sb_binding *localnet = provider->localnet;

    return (struct claim) {
        .mac = mac,
        .kind = kind,
        .logical_port = port->logical_port,
        .network = localnet->network_name ? localnet->network_name : "",
        .bridge = provider->bridge,
        .vlan = (localnet->tag > 0 && localnet->tag <= MAX_VLAN
                 ? localnet->tag : 0),
    };
}

/* Claims the 'n' addresses 'ips' on 'provider' for 'source': 'mac' answers for
 * them, and they are resident with 'port'.  What the Northbound says is
 * hearsay. */
static void
claim_ips(struct derivation *d, struct source *source,
          const struct provider *provider, enum endpoint_kind kind,
          const struct sb_binding *port, struct eth_addr mac,
          const struct in6_addr *ips, size_t n)
{
    struct claim claim = provider_claim(provider, port, kind, mac);

    claim.hearsay = source->kind == SOURCE_NB_FACT;
    for (size_t i = 0; i < n; i++) {
        claim.reason = judge(d, &ips[i], port, provider);
        claim_add(d, source, &ips[i], &claim);
    }
}

/* Reports that 'string' in 'column' of 'binding' cannot be read. */
static void
report_bad(struct source *source, const struct sb_binding *binding,
           const char *column, const char *string)
{
    problems_add(&source->problems, REASON_BAD_ADDRESS,
                 "port %s: cannot read \"%s\" in Port_Binding.%s",
                 binding->logical_port, string, column);
}

/* Claims for 'source' all addresses in the 'mac' column of 'port', on
 * 'provider', with the MAC 'mac', or if that is NULL with the one that stands
 * before them. */
static void
claim_macs(struct derivation *d, struct source *source,
           const struct sb_binding *port, const struct provider *provider,
           enum endpoint_kind kind, const struct eth_addr *mac)
{
    const char *string;

    SSET_FOR_EACH (string, &port->macs) {
        struct addresses addresses;
        enum addresses_result result = addresses_parse(string, &addresses);

        if (result == ADDRESSES_BAD) {
            report_bad(source, port, "mac", string);
        } else if (result == ADDRESSES_OK) {
            claim_ips(d, source, provider, kind, port,
                      mac ? *mac : addresses.mac,
                      addresses.ips, addresses.n_ips);
        }
        addresses_destroy(&addresses);
    }
}

/* Returns true if 'ip' is among the addresses in the 'mac' column of
 * 'port'. */
static bool
has_ip(const struct sb_binding *port, const struct in6_addr *ip)
{
    const char *string;
    bool found = false;

    SSET_FOR_EACH (string, &port->macs) {
        struct addresses addresses;

        if (addresses_parse(string, &addresses) == ADDRESSES_OK) {
            for (size_t i = 0; i < addresses.n_ips; i++) {
                found |= ipv6_addr_equals(&addresses.ips[i], ip);
            }
        }
        addresses_destroy(&addresses);
    }
    return found;
}

/* Claims for 'source' the addresses that the VM's port 'port' on 'provider'
 * may use but that are not its own, so that they are seen, not so that they
 * are offloaded: any other claim counts more, that of a virtual port for
 * example, which does tell where the address is. */
static void
claim_allowed(struct derivation *d, struct source *source,
              const struct sb_binding *port, const struct provider *provider)
{
    const char *string;

    SSET_FOR_EACH (string, &port->port_security) {
        struct addresses addresses;

        if (addresses_parse_allowed(string, &addresses) == ADDRESSES_OK) {
            struct claim claim = provider_claim(provider, port, ENDPOINT_VM,
                                                addresses.mac);

            claim.reason = REASON_ALLOWED_PAIR;
            for (size_t i = 0; i < addresses.n_ips; i++) {
                if (!has_ip(port, &addresses.ips[i])) {
                    claim_add(d, source, &addresses.ips[i], &claim);
                }
            }
        }
        addresses_destroy(&addresses);
    }
}

/* Returns true if 'binding' is the switch port of a router whose addresses can
 * be here. */
static bool
is_router(const struct sb_binding *binding)
{
    return !strcmp(binding->type, "patch")
           || (!strcmp(binding->type, "l3gateway") && binding->here);
}

/* Claims the addresses of the port that is the row of 'source': those of a VM,
 * of a virtual port or of the gateway port behind a router's switch port.
 *
 * What answers for a virtual port is the MAC of its parent, who owns the
 * address for the time being: OVN has no device behind the MAC of the virtual
 * port itself. */
static void
claim_port(struct derivation *d, struct source *source)
{
    const struct sb_binding *binding
        = sb_view_find_binding(d->in->sb, &source->uuid);
    struct provider provider;
    struct eth_addr mac;

    if (!find_provider(d, source, &binding->datapath, &provider)) {
        return;
    }
    if (!binding->type[0] && (binding->here || binding->additional)) {
        claim_macs(d, source, binding, &provider, ENDPOINT_VM, NULL);
        claim_allowed(d, source, binding, &provider);
    } else if (!strcmp(binding->type, "virtual") && binding->here
               && get_mac(find_port(d, source, binding->virtual_parent),
                          &mac)) {
        claim_macs(d, source, binding, &provider, ENDPOINT_VM, &mac);
    } else if (is_router(binding)) {
        const struct sb_binding *gateway = find_gateway(d, source,
                                                        binding->peer);
        if (gateway) {
            claim_macs(d, source, gateway, &provider, ENDPOINT_ROUTER, NULL);
        }
    }
}

/* Claims 'addresses', one string of the 'nat_addresses' of 'binding', parsed.
 * Without is_chassis_resident(), the string of a gateway router holds where
 * the router is, and that of any other says nothing about this chassis. */
static void
claim_nat_addresses(struct derivation *d, struct source *source,
                    const struct sb_binding *binding,
                    const struct provider *provider,
                    const struct addresses *addresses)
{
    const struct sb_binding *port
        = (addresses->resident ? find_port(d, source, addresses->resident)
           : is_gateway(binding) ? binding
           : NULL);

    if (port) {
        claim_ips(d, source, provider,
                  is_gateway(port) ? ENDPOINT_FIP_CENTRALISED
                                   : ENDPOINT_FIP_DISTRIBUTED,
                  port, addresses->mac, addresses->ips, addresses->n_ips);
    }
}

/* Claims what the switch port of a router announces in the string of
 * 'nat_addresses' that is 'source'. */
static void
claim_nat(struct derivation *d, struct source *source)
{
    const struct sb_binding *binding
        = sb_view_find_binding(d->in->sb, &source->uuid);
    struct addresses addresses;
    struct provider provider;

    if (!is_router(binding)
        || !find_provider(d, source, &binding->datapath, &provider)) {
        return;
    }
    switch (addresses_parse(source->text, &addresses)) {
    case ADDRESSES_OK:
        claim_nat_addresses(d, source, binding, &provider, &addresses);
        break;
    case ADDRESSES_BAD:
        report_bad(source, binding, "nat_addresses", source->text);
        break;
    case ADDRESSES_NONE:
    default:
        break;
    }
    addresses_destroy(&addresses);
}

/* Returns the facts that sources of 'kind' are from, or NULL. */
static const struct hmap *
get_facts(const struct desired_inputs *in, enum source_kind kind)
{
    return kind == SOURCE_SB_FACT ? in->sb_facts : in->nb_facts;
}

/* Stores in 'text', which has INET6_ADDRSTRLEN bytes, the next address in a
 * string of 'nat_addresses' of which '*rest' is left, and moves that on.
 * Returns false if there is none. */
static bool
next_announced(const char **rest, char *text)
{
    const char *word;

    while ((word = strchr(*rest, ' '))) {
        struct in6_addr ip;

        word += strspn(word, " ");
        *rest = word + strcspn(word, " /");
        char *token = xmemdup0(word, *rest - word);
        bool found = address_parse(token, &ip);
        free(token);
        if (found) {
            ipv6_string_mapped(text, &ip);
            return true;
        }
    }
    return false;
}

/* Returns true if 'ip' is in a network of the router port 'port', the words
 * "IP/LENGTH" in its 'mac' column. */
static bool
is_on_network(const struct sb_binding *port, const struct in6_addr *ip)
{
    const char *string;
    bool found = false;

    SSET_FOR_EACH (string, &port->macs) {
        char *copy = xstrdup(string);
        char *save = NULL;

        for (char *word = strtok_r(copy, " ", &save); word && !found;
             word = strtok_r(NULL, " ", &save)) {
            found = strchr(word, '/') && nat_network_contains(word, ip);
        }
        free(copy);
    }
    return found;
}

/* Returns the row by which an address of 'port', behind 'switch_port', is
 * known: the one that 'nat_addresses' goes by, whichever of the two sources
 * tells of it.  That of a gateway router is its switch port. */
static const struct sb_binding *
named_gateway(const struct sb_binding *switch_port,
              const struct sb_binding *port)
{
    return (is_gateway(port) && is_gateway(switch_port) && switch_port->here
            ? switch_port : port);
}

/* Has those claim anew who asked for an address in 'string', which came to or
 * went from the 'nat_addresses' of 'binding'. */
static void
touch_announced(struct derivation *d, const struct sb_binding *binding,
                const char *string)
{
    char text[INET6_ADDRSTRLEN];

    while (binding->peer && next_announced(&string, text)) {
        char *name = xasprintf("%s %s", binding->peer, text);
        lookup_touch(d, LOOKUP_ANNOUNCED, name);
        free(name);
    }
}

/* Returns the addresses in the 'nat_addresses' of 'binding', be they resident
 * here or elsewhere.  They are collected when they are first asked for. */
static const struct sset *
get_announced(struct derivation *d, const struct sb_binding *binding)
{
    struct row *row = row_find(d, &binding->uuid);
    char text[INET6_ADDRSTRLEN];
    const char *string;

    if (!row->indexed) {
        SSET_FOR_EACH (string, &binding->nat_addresses) {
            const char *rest = string;
            while (next_announced(&rest, text)) {
                sset_add(&row->announced, text);
            }
        }
        row->indexed = true;
    }
    return &row->announced;
}

/* Returns true if 'switch_port', in front of the router port of 'fact',
 * announces the address of that, for 'source'. */
static bool
is_announced(struct derivation *d, struct source *source,
             const struct sb_binding *switch_port, const struct nat_fact *fact)
{
    char text[INET6_ADDRSTRLEN];

    ipv6_string_mapped(text, &fact->ip);
    char *name = xasprintf("%s %s", fact->router_port, text);
    lookup_ask(d, source, LOOKUP_ANNOUNCED, name, NULL);
    free(name);
    return sset_contains(get_announced(d, switch_port), text);
}

/* Claims the address of the fact that is 'source', if the port that decides is
 * here: the one that the fact names, or the gateway.
 *
 * The router has flows for each VIP at each of its gateways, also for the VIPs
 * that a tenant uses inside and chooses freely.  It is on the networks of a
 * gateway that OVN expects somebody to ask for a VIP: any other is no address
 * of the provider network. */
static void
claim_fact(struct derivation *d, struct source *source)
{
    const struct nat_fact *fact = nat_fact_find(get_facts(d->in, source->kind),
                                                &source->uuid);
    const struct sb_binding *switch_port
        = find_switch_port(d, source, fact->router_port);
    struct eth_addr mac = fact->mac;
    const struct sb_binding *port;
    struct provider provider;

    if (!switch_port
        || !find_provider(d, source, &switch_port->datapath, &provider)
        || (source->kind == SOURCE_NB_FACT
            && is_announced(d, source, switch_port, fact))) {
        return;
    }
    port = (fact->distributed
            ? find_port(d, source, fact->resident)
            : find_gateway(d, source, fact->router_port));
    if (port && (fact->distributed || get_mac(port, &mac))
        && (fact->kind != NAT_FACT_LB || is_on_network(port, &fact->ip))) {
        claim_ips(d, source, &provider,
                  fact->kind == NAT_FACT_LB ? ENDPOINT_LOAD_BALANCER
                  : is_gateway(port) ? ENDPOINT_FIP_CENTRALISED
                  : ENDPOINT_FIP_DISTRIBUTED,
                  named_gateway(switch_port, port), mac, &fact->ip, 1);
    }
}

/* Claims what 'source' says lives here.  The source exists and claims nothing
 * yet. */
typedef void claim_function(struct derivation *, struct source *source);

/* By kind of source. */
static claim_function *const claim_functions[N_SOURCE_KINDS] = {
    [SOURCE_PORT] = claim_port,
    [SOURCE_NAT] = claim_nat,
    [SOURCE_SB_FACT] = claim_fact,
    [SOURCE_NB_FACT] = claim_fact,
};

/* Sources. */

/* Makes the sources of 'row' for strings of 'nat_addresses' those that
 * 'binding' has, and has them claim anew if they are new or 'all'; in that
 * case whoever asked for 'row' does anyway. */
static void
update_nat_sources(struct derivation *d, struct row *row,
                   const struct sb_binding *binding, bool all)
{
    struct source *source;
    const char *string;

    sset_clear(&row->announced);
    row->indexed = false;
    LIST_FOR_EACH_SAFE (source, row_node, &row->sources) {
        if (source->kind == SOURCE_NAT
            && !sset_contains(&binding->nat_addresses, source->text)) {
            touch_announced(d, binding, source->text);
            source_drop(d, source);
        }
    }
    SSET_FOR_EACH (string, &binding->nat_addresses) {
        if (all || !source_find(d, SOURCE_NAT, &row->uuid, string)) {
            row_touch_source(d, row, SOURCE_NAT, string);
            if (!all) {
                touch_announced(d, binding, string);
            }
        }
    }
}

/* Takes note that 'parts', of enum sb_binding_part, of the row 'uuid' of
 * Port_Binding changed, or all of it if it came or went. */
static void
update_binding(struct derivation *d, const struct uuid *uuid,
               unsigned int parts)
{
    const struct sb_binding *binding = sb_view_find_binding(d->in->sb, uuid);
    struct row *row = row_find(d, uuid);
    bool all = !row || parts & SB_BINDING_PORT;

    if (!binding) {
        row_drop(d, row);
        return;
    }
    if (!row) {
        row = row_create(d, uuid);
    }
    if (all) {
        row_retract_answers(d, row);
        add_answers(d, row, binding);
        row_touch_source(d, row, SOURCE_PORT, NULL);
    }
    update_nat_sources(d, row, binding, all);
}

/* Takes note of those of 'changes', which may be NULL, among the facts that
 * are sources of 'kind'. */
static void
update_facts(struct derivation *d, enum source_kind kind,
             const struct row_changes *changes)
{
    const struct hmap *facts = get_facts(d->in, kind);
    const struct row_change *change;

    if (!changes) {
        return;
    }
    HMAP_FOR_EACH (change, node, &changes->rows) {
        if (facts && nat_fact_find(facts, &change->uuid)) {
            source_touch(d, kind, &change->uuid, NULL);
        } else {
            source_drop(d, source_find(d, kind, &change->uuid, NULL));
        }
    }
}

/* Takes note of all facts that are sources of 'kind'. */
static void
update_all_facts(struct derivation *d, enum source_kind kind)
{
    const struct hmap *facts = get_facts(d->in, kind);
    const struct nat_fact *fact;

    if (facts) {
        HMAP_FOR_EACH (fact, node, facts) {
            source_touch(d, kind, &fact->identity, NULL);
        }
    }
}

/* Takes note of what 'changes' names. */
static void
update_rows(struct derivation *d, const struct desired_changes *changes)
{
    const struct row_change *change;

    if (changes->bindings) {
        HMAP_FOR_EACH (change, node, &changes->bindings->rows) {
            update_binding(d, &change->uuid, change->parts);
        }
    }
    update_facts(d, SOURCE_SB_FACT, changes->sb_facts);
    update_facts(d, SOURCE_NB_FACT, changes->nb_facts);
}

/* Takes note of all that there is, and forgets what there was. */
static void
update_all(struct derivation *d)
{
    const struct sb_binding *binding;

    derivation_clear(d);
    HMAP_FOR_EACH (binding, node, &d->in->sb->bindings) {
        update_binding(d, &binding->uuid, SB_BINDING_PORT | SB_BINDING_NAT);
    }
    update_all_facts(d, SOURCE_SB_FACT);
    update_all_facts(d, SOURCE_NB_FACT);
}

/* Brings the endpoints of 'd', whose bridges are up to date, up to date with
 * 'changes', or derives them anew if 'all'. */
void
endpoints_update(struct derivation *d, const struct desired_changes *changes,
                 bool all)
{
    struct source *source;

    if (all) {
        update_all(d);
    } else {
        update_rows(d, changes);
    }
    while ((source = source_next_dirty(d))) {
        claim_functions[source->kind](d, source);
        d->desired->n_claims++;
        problem_set_add(&d->problems, &source->problems);
    }
    addresses_settle(d);
}
