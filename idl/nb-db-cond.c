/* SPDX-License-Identifier: Apache-2.0 */
/* Monitor conditions of the Northbound database.
 *
 * References lead from a router to its ports and NAT rows, and what is known
 * from the outset are names of router ports and of logical ports.  So a router
 * is looked for once by what it refers to, and watched by its own UUID from
 * then on: the server finds equality in a hash table, but has to look into
 * every router of the cloud for a reference.
 *
 *     gateways --> Logical_Router_Port --.                .--> its ports
 *                                        +--> router -----+
 *     ports -----> NAT ------------------'                '--> its NAT rows,
 *                                                              with a gateway
 *
 * A condition is the union of its clauses, one without clauses matches no row,
 * and setting the one that is set already costs a comparison and no message.
 * The replica compares the messages, so clauses are added in a fixed order. */
#include <config.h>

#include "idl/nb-db-cond.h"

#include <stdlib.h>

#include "ovsdb-idl.h"
#include "sset.h"
#include "util.h"
#include "uuid.h"

#include "idl/nb-idl.h"

/* From this number of NAT rows on, those of one router with its gateway here,
 * the whole table is monitored instead: every change of it would repeat a
 * clause for each row, some 50 bytes, to the server, which then looks at all
 * rows anyway. */
#define MAX_NAT_CLAUSES 1000

/* A set of rows. */
struct uuids {
    struct uuid *list;          /* Elements; sorted after uuids_sort(). */
    size_t n;                   /* Number of elements in 'list'. */
    size_t allocated;           /* Capacity of 'list'. */
};

/* What is to be asked for, beyond the names. */
struct wanted {
    struct uuids routers;       /* Routers that matter here. */
    struct uuids router_ports;  /* Their ports. */
    struct uuids nats;          /* NAT rows of those with a gateway here. */
    struct uuids known;         /* All that these routers refer to. */
};

/* A column that every table has, but no generated code.  The name of a column
 * and its type are all that a condition needs. */
static const struct ovsdb_idl_column col__uuid = {
    .name = "_uuid",
    .type = { OVSDB_BASE_UUID_INIT, OVSDB_BASE_VOID_INIT, 1, 1 },
};

/* Adds the 'n' elements of 'src' to 'uuids'. */
static void
uuids_add(struct uuids *uuids, const struct uuid *src, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (uuids->n >= uuids->allocated) {
            uuids->list = x2nrealloc(uuids->list, &uuids->allocated,
                                     sizeof *uuids->list);
        }
        uuids->list[uuids->n++] = src[i];
    }
}

/* Compares two elements for qsort() and bsearch(). */
static int
uuids_compare(const void *a, const void *b)
{
    return uuid_compare_3way(a, b);
}

/* Sorts 'uuids', which uuids_contain() and a fixed order demand. */
static void
uuids_sort(struct uuids *uuids)
{
    if (uuids->n) {
        qsort(uuids->list, uuids->n, sizeof *uuids->list, uuids_compare);
    }
}

/* Returns true if 'uuids', sorted, contains 'uuid'. */
static bool
uuids_contain(const struct uuids *uuids, const struct uuid *uuid)
{
    return uuids->n && bsearch(uuid, uuids->list, uuids->n,
                               sizeof *uuids->list, uuids_compare);
}

/* Adds to 'cond' the rows that are one of 'uuids'.  Clauses share the heap
 * memory of a datum. */
static void
add_uuid_clauses(struct ovsdb_idl_condition *cond, const struct uuids *uuids)
{
    for (size_t i = 0; i < uuids->n; i++) {
        const union ovsdb_atom atom = { .uuid = uuids->list[i] };
        struct ovsdb_datum datum = {
            .n = 1, .keys = xmemdup(&atom, sizeof atom) };

        ovsdb_idl_condition_add_clause(cond, OVSDB_F_EQ, &col__uuid, &datum);
        ovsdb_datum_destroy(&datum, &col__uuid.type);
    }
}

/* Returns true if 'nat' is of a logical port in 'ports'. */
static bool
is_own_nat(const struct nbrec_nat *nat, const struct sset *ports)
{
    return nat && nat->logical_port
           && sset_contains(ports, nat->logical_port);
}

/* Returns true if one of the ports of 'router' is in 'gateways'. */
static bool
has_gateway_here(const struct ovsdb_idl *idl,
                 const struct nbrec_logical_router *router,
                 const struct sset *gateways)
{
    for (size_t i = 0; i < router->n_ports; i++) {
        const struct nbrec_logical_router_port *port
            = nbrec_logical_router_port_get_for_uuid(idl, &router->ports[i]);

        if (port && sset_contains(gateways, port->name)) {
            return true;
        }
    }
    return false;
}

/* Returns true if one of the NAT rows of 'router' is of one of 'ports'. */
static bool
has_own_nat(const struct ovsdb_idl *idl,
            const struct nbrec_logical_router *router,
            const struct sset *ports)
{
    for (size_t i = 0; i < router->n_nat; i++) {
        if (is_own_nat(nbrec_nat_get_for_uuid(idl, &router->nat[i]), ports)) {
            return true;
        }
    }
    return false;
}

/* Fills 'wanted', which is empty, from what 'idl' holds. */
static void
collect_wanted(const struct ovsdb_idl *idl, const struct sset *ports,
               const struct sset *gateways, struct wanted *wanted)
{
    const struct nbrec_logical_router *router;

    NBREC_LOGICAL_ROUTER_FOR_EACH (router, idl) {
        bool gateway = has_gateway_here(idl, router, gateways);

        if (!gateway && !has_own_nat(idl, router, ports)) {
            continue;
        }
        uuids_add(&wanted->routers, &router->header_.uuid, 1);
        uuids_add(&wanted->router_ports, router->ports, router->n_ports);
        uuids_add(&wanted->known, router->ports, router->n_ports);
        uuids_add(&wanted->known, router->nat, router->n_nat);
        if (gateway) {
            uuids_add(&wanted->nats, router->nat, router->n_nat);
        }
    }
    uuids_sort(&wanted->routers);
    uuids_sort(&wanted->router_ports);
    uuids_sort(&wanted->nats);
    uuids_sort(&wanted->known);
}

/* Sets the condition for routers: those known to matter, and those that the
 * router ports and NAT rows belong to whose router is not known yet. */
static unsigned int
set_router_condition(struct ovsdb_idl *idl, const struct sset *ports,
                     const struct sset *gateways, const struct wanted *wanted)
{
    struct ovsdb_idl_condition cond = OVSDB_IDL_CONDITION_INIT(&cond);
    const struct nbrec_logical_router_port *port;
    struct uuids lost_ports = { NULL, 0, 0 };
    struct uuids lost_nats = { NULL, 0, 0 };
    const struct nbrec_nat *nat;

    NBREC_LOGICAL_ROUTER_PORT_FOR_EACH (port, idl) {
        if (sset_contains(gateways, port->name)
            && !uuids_contain(&wanted->known, &port->header_.uuid)) {
            uuids_add(&lost_ports, &port->header_.uuid, 1);
        }
    }
    NBREC_NAT_FOR_EACH (nat, idl) {
        if (is_own_nat(nat, ports)
            && !uuids_contain(&wanted->known, &nat->header_.uuid)) {
            uuids_add(&lost_nats, &nat->header_.uuid, 1);
        }
    }
    uuids_sort(&lost_ports);
    uuids_sort(&lost_nats);

    add_uuid_clauses(&cond, &wanted->routers);
    for (size_t i = 0; i < lost_ports.n; i++) {
        nbrec_logical_router_add_clause_ports(&cond, OVSDB_F_INCLUDES,
                                              &lost_ports.list[i], 1);
    }
    for (size_t i = 0; i < lost_nats.n; i++) {
        nbrec_logical_router_add_clause_nat(&cond, OVSDB_F_INCLUDES,
                                            &lost_nats.list[i], 1);
    }
    unsigned int expected = nbrec_logical_router_set_condition(idl, &cond);

    free(lost_ports.list);
    free(lost_nats.list);
    ovsdb_idl_condition_destroy(&cond);
    return expected;
}

/* Sets the condition for router ports: 'gateways', and those of the routers
 * that matter, since how many gateways a router has decides about its NAT. */
static unsigned int
set_router_port_condition(struct ovsdb_idl *idl, const struct sset *gateways,
                          const struct wanted *wanted)
{
    struct ovsdb_idl_condition cond = OVSDB_IDL_CONDITION_INIT(&cond);
    const char **names = sset_sort(gateways);

    for (size_t i = 0; names[i]; i++) {
        nbrec_logical_router_port_add_clause_name(&cond, OVSDB_F_EQ,
                                                  names[i]);
    }
    free(names);
    add_uuid_clauses(&cond, &wanted->router_ports);
    unsigned int expected = nbrec_logical_router_port_set_condition(idl,
                                                                    &cond);
    ovsdb_idl_condition_destroy(&cond);
    return expected;
}

/* Sets the condition for NAT rows: those of 'ports', and all of the routers
 * that have a gateway here. */
static unsigned int
set_nat_condition(struct ovsdb_idl *idl, const struct sset *ports,
                  const struct wanted *wanted)
{
    struct ovsdb_idl_condition cond = OVSDB_IDL_CONDITION_INIT(&cond);

    if (wanted->nats.n > MAX_NAT_CLAUSES) {
        ovsdb_idl_condition_add_clause_true(&cond);
    } else {
        const char **names = sset_sort(ports);

        for (size_t i = 0; names[i]; i++) {
            nbrec_nat_add_clause_logical_port(&cond, OVSDB_F_EQ, names[i]);
        }
        free(names);
        add_uuid_clauses(&cond, &wanted->nats);
    }
    unsigned int expected = nbrec_nat_set_condition(idl, &cond);
    ovsdb_idl_condition_destroy(&cond);
    return expected;
}

/* Makes 'idl' monitor the rows that can matter to a chassis on which the
 * logical ports 'ports' are bound and the router ports 'gateways' have their
 * gateway, as far as the rows that it has already tell.  Returns the sequence
 * number of conditions that 'idl' has when the server has acknowledged all of
 * it. */
unsigned int
nb_cond_set(struct ovsdb_idl *idl, const struct sset *ports,
            const struct sset *gateways)
{
    struct wanted wanted = { .routers.n = 0 };

    collect_wanted(idl, ports, gateways, &wanted);
    unsigned int expected[] = {
        set_router_condition(idl, ports, gateways, &wanted),
        set_router_port_condition(idl, gateways, &wanted),
        set_nat_condition(idl, ports, &wanted),
    };
    free(wanted.routers.list);
    free(wanted.router_ports.list);
    free(wanted.nats.list);
    free(wanted.known.list);

    return MAX(expected[0], MAX(expected[1], expected[2]));
}
