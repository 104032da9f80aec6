/* SPDX-License-Identifier: Apache-2.0 */
/* Plain values of NAT rows; see nb-db.h for what they mean.
 *
 * A row is read as ovn-northd reads it.  It is distributed if its router has a
 * distributed gateway port and the row names both a logical port and a MAC;
 * and it takes effect at the one gateway port of its router, or at the one
 * that it names, or else at the one whose network it is in.  Gateway routers
 * have no such port: there it takes effect at all ports alike.  'match'
 * restricts which packets are translated, not who answers for the address, so
 * it does not matter here. */
#include <config.h>

#include "idl/nb-db-view.h"

#include <stdlib.h>
#include <string.h>

#include "openvswitch/vlog.h"
#include "ovsdb-idl.h"
#include "packets.h"
#include "util.h"
#include "uuid.h"

#include "idl/nat-fact.h"
#include "idl/nb-idl.h"

VLOG_DEFINE_THIS_MODULE(nb_db_view);

/* What the facts of one router are made from. */
struct router {
    const struct nbrec_logical_router *row; /* The router. */
    const struct nbrec_logical_router_port **ports; /* Those that NAT can take
                                                     * effect at. */
    size_t n_ports;             /* Number of elements in 'ports'. */
    bool gateway_router;        /* It is bound to a chassis as a whole. */
    const struct sset *here;    /* Names of those ports of all routers whose
                                 * gateway is on this chassis. */
};

/* Registers with 'idl' the columns that are read. */
void
nb_view_add_columns(struct ovsdb_idl *idl)
{
    static const struct ovsdb_idl_column *const columns[] = {
        &nbrec_logical_router_col_nat,
        &nbrec_logical_router_col_options,
        &nbrec_logical_router_col_ports,
        &nbrec_logical_router_port_col_gateway_chassis,
        &nbrec_logical_router_port_col_ha_chassis_group,
        &nbrec_logical_router_port_col_name,
        &nbrec_logical_router_port_col_networks,
        &nbrec_logical_router_port_col_options,
        &nbrec_nat_col_external_ip,
        &nbrec_nat_col_external_mac,
        &nbrec_nat_col_gateway_port,
        &nbrec_nat_col_logical_port,
        &nbrec_nat_col_type,
    };

    for (size_t i = 0; i < ARRAY_SIZE(columns); i++) {
        ovsdb_idl_add_column(idl, columns[i]);
    }
}

/* Makes 'view' an empty, incomplete view. */
void
nb_view_init(struct nb_view *view)
{
    *view = (struct nb_view) { .complete = false };
    hmap_init(&view->facts);
    sset_init(&view->bad);
    row_changes_init(&view->changes);
}

/* Frees what 'view' owns, but not 'view' itself. */
void
nb_view_destroy(struct nb_view *view)
{
    nb_view_clear(view);
    hmap_destroy(&view->facts);
    sset_destroy(&view->bad);
    row_changes_destroy(&view->changes);
}

/* Makes 'view' empty and incomplete.  Returns true if it was not. */
bool
nb_view_clear(struct nb_view *view)
{
    bool changed = view->complete;
    struct nat_fact *fact;

    HMAP_FOR_EACH_POP (fact, node, &view->facts) {
        row_changes_add(&view->changes, &fact->identity, 1);
        nat_fact_destroy(fact);
    }
    sset_clear(&view->bad);
    view->complete = false;
    return changed;
}

/* Returns true if 'port' is a distributed gateway port.  The option is the way
 * to make one that came before the columns. */
static bool
is_gateway_port(const struct nbrec_logical_router_port *port)
{
    return port->n_gateway_chassis || port->ha_chassis_group
           || smap_get(&port->options, "redirect-chassis");
}

/* Fills 'router' with 'row' and those of its ports that NAT can take effect
 * at. */
static void
router_init(struct router *router, const struct ovsdb_idl *idl,
            const struct nbrec_logical_router *row, const struct sset *here)
{
    *router = (struct router) {
        .row = row,
        .ports = xcalloc(MAX(1, row->n_ports), sizeof *router->ports),
        .gateway_router = smap_get(&row->options, "chassis") != NULL,
        .here = here,
    };
    for (size_t i = 0; i < row->n_ports; i++) {
        const struct nbrec_logical_router_port *port
            = nbrec_logical_router_port_get_for_uuid(idl, &row->ports[i]);

        if (port && (router->gateway_router || is_gateway_port(port))) {
            router->ports[router->n_ports++] = port;
        }
    }
}

/* Parses 'string', an address that may have the prefix length of an address,
 * into '*ip'.  Returns true if successful. */
static bool
parse_ip(const char *string, struct in6_addr *ip)
{
    struct in6_addr mask6;
    ovs_be32 ip4, mask4;
    char *error = ip_parse_masked(string, &ip4, &mask4);

    if (!error) {
        *ip = in6_addr_mapped_ipv4(ip4);
        return mask4 == OVS_BE32_MAX;
    }
    free(error);
    error = ipv6_parse_masked(string, ip, &mask6);
    if (!error) {
        return ipv6_mask_is_exact(&mask6);
    }
    free(error);
    return false;
}

/* Returns true if 'ip' is in a network of 'port'. */
static bool
port_contains(const struct nbrec_logical_router_port *port,
              const struct in6_addr *ip)
{
    for (size_t i = 0; i < port->n_networks; i++) {
        if (nat_network_contains(port->networks[i], ip)) {
            return true;
        }
    }
    return false;
}

/* Returns true if a NAT row with address 'ip' and no port of its own takes
 * effect at 'port', one of the ports of 'router'. */
static bool
suits_port(const struct router *router,
           const struct nbrec_logical_router_port *port,
           const struct in6_addr *ip)
{
    if (router->n_ports == 1 || port_contains(port, ip)) {
        return true;
    }
    if (!router->gateway_router) {
        return false;
    }
    for (size_t i = 0; i < router->n_ports; i++) {
        if (port_contains(router->ports[i], ip)) {
            return false;
        }
    }
    return true;
}

/* Returns true if 'nat', with address 'ip', takes effect at 'port', one of the
 * ports of 'router'. */
static bool
applies_at(const struct router *router, const struct nbrec_nat *nat,
           const struct in6_addr *ip,
           const struct nbrec_logical_router_port *port)
{
    return (nat->gateway_port && !router->gateway_router
            ? uuid_equals(nat->gateway_port, &port->header_.uuid)
            : suits_port(router, port, ip));
}

/* Returns what tells the fact of 'nat' at 'port' from all others. */
static struct uuid
fact_identity(const struct nbrec_nat *nat,
              const struct nbrec_logical_router_port *port)
{
    struct uuid identity = nat->header_.uuid;

    for (size_t i = 0; i < ARRAY_SIZE(identity.parts); i++) {
        identity.parts[i] ^= port->header_.uuid.parts[i];
    }
    return identity;
}

/* Inserts into 'facts' that 'nat', with address 'ip', takes effect at 'port',
 * with the MAC 'mac' where its logical port is, or if that is NULL where the
 * gateway is. */
static void
add_fact(struct hmap *facts, const struct nbrec_nat *nat,
         const struct in6_addr *ip,
         const struct nbrec_logical_router_port *port,
         const struct eth_addr *mac)
{
    struct nat_fact *fact = xmalloc(sizeof *fact);

    *fact = (struct nat_fact) {
        .identity = fact_identity(nat, port),
        .router_port = xstrdup(port->name),
        .ip = *ip,
        .kind = NAT_FACT_NAT,
        .distributed = mac != NULL,
        .mac = mac ? *mac : eth_addr_zero,
        .resident = mac ? xstrdup(nat->logical_port) : NULL,
    };
    hmap_insert(facts, &fact->node, uuid_hash(&fact->identity));
}

/* Notes in 'view' that the value of 'column' of 'nat' cannot be read. */
static void
report_bad(struct nb_view *view, const struct nbrec_nat *nat,
           const char *column, const char *value)
{
    sset_add_and_free(&view->bad,
                      xasprintf("NAT "UUID_FMT": cannot read \"%s\" in "
                                "NAT.%s", UUID_ARGS(&nat->header_.uuid),
                                value, column));
}

/* Inserts into 'facts' where 'nat', of 'router', takes effect, if that can
 * matter to a chassis with the logical ports 'ports'.  Notes in 'view' what
 * cannot be read. */
static void
add_nat(struct nb_view *view, struct hmap *facts, const struct router *router,
        const struct nbrec_nat *nat, const struct sset *ports)
{
    bool distributed = (!router->gateway_router && router->n_ports
                        && nat->logical_port && nat->external_mac
                        && !strcmp(nat->type, "dnat_and_snat"));
    struct eth_addr mac;
    struct in6_addr ip;

    if (!parse_ip(nat->external_ip, &ip)) {
        report_bad(view, nat, "external_ip", nat->external_ip);
        return;
    }
    if (distributed && !eth_addr_from_string(nat->external_mac, &mac)) {
        report_bad(view, nat, "external_mac", nat->external_mac);
        return;
    }
    for (size_t i = 0; i < router->n_ports; i++) {
        const struct nbrec_logical_router_port *port = router->ports[i];
        bool here = (distributed ? sset_contains(ports, nat->logical_port)
                     : sset_contains(router->here, port->name));

        if (here && applies_at(router, nat, &ip, port)) {
            add_fact(facts, nat, &ip, port, distributed ? &mac : NULL);
        }
    }
}

/* Inserts into 'facts', which is empty, what 'idl' says.  Notes in 'view' what
 * cannot be read. */
static void
collect_facts(struct nb_view *view, struct hmap *facts,
              const struct ovsdb_idl *idl, const struct sset *ports,
              const struct sset *gateways)
{
    const struct nbrec_logical_router *row;

    NBREC_LOGICAL_ROUTER_FOR_EACH (row, idl) {
        struct router router;

        router_init(&router, idl, row, gateways);
        for (size_t i = 0; i < row->n_nat; i++) {
            const struct nbrec_nat *nat = nbrec_nat_get_for_uuid(idl,
                                                                 &row->nat[i]);
            if (nat) {
                add_nat(view, facts, &router, nat, ports);
            }
        }
        free(router.ports);
    }
}

/* Puts 'facts' in the place of the facts of 'view', and frees those.  Returns
 * true if they differ. */
static bool
replace_facts(struct nb_view *view, struct hmap *facts)
{
    struct hmap old = HMAP_INITIALIZER(&old);
    bool changed = false;
    struct nat_fact *fact;

    HMAP_FOR_EACH (fact, node, facts) {
        const struct nat_fact *before = nat_fact_find(&view->facts,
                                                      &fact->identity);
        if (!before || !nat_fact_equals(before, fact)) {
            row_changes_add(&view->changes, &fact->identity, 1);
            changed = true;
        }
    }
    hmap_swap(&old, &view->facts);
    hmap_swap(facts, &view->facts);
    HMAP_FOR_EACH_POP (fact, node, &old) {
        if (!nat_fact_find(&view->facts, &fact->identity)) {
            row_changes_add(&view->changes, &fact->identity, 1);
            changed = true;
        }
        nat_fact_destroy(fact);
    }
    hmap_destroy(&old);
    return changed;
}

/* Logs what is in 'bad' and was not in 'before'. */
static void
log_bad(const struct sset *bad, const struct sset *before)
{
    static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(20, 40);
    const char *line;

    SSET_FOR_EACH (line, bad) {
        if (!sset_contains(before, line)) {
            VLOG_WARN_RL(&rl, "%s", line);
        }
    }
}

/* Brings 'view' up to date with 'idl', for a chassis with the logical ports
 * 'ports' and the gateways of the router ports 'gateways'.  Returns true if
 * 'view' changed. */
bool
nb_view_update(struct nb_view *view, const struct ovsdb_idl *idl,
               const struct sset *ports, const struct sset *gateways)
{
    struct sset before = SSET_INITIALIZER(&before);
    struct hmap facts = HMAP_INITIALIZER(&facts);
    bool changed = !view->complete;

    sset_swap(&before, &view->bad);
    collect_facts(view, &facts, idl, ports, gateways);
    changed |= replace_facts(view, &facts);
    changed |= !sset_equals(&before, &view->bad);
    log_bad(&view->bad, &before);
    view->complete = true;
    hmap_destroy(&facts);
    sset_destroy(&before);
    return changed;
}
