/* SPDX-License-Identifier: Apache-2.0 */
/* Monitor conditions of the Southbound database.
 *
 * A condition is the union of its clauses, and one without clauses matches no
 * row: that of an IDL, which is the opposite of an empty "where" on the wire.
 * Setting the condition that is set already costs a comparison and no
 * message, so the functions here are called whenever something changed, and
 * their result is always fresh.
 *
 * What is cloud-sized stays out: the ports of other chassis but on tenant
 * networks of VMs here, gateway ports that are elsewhere, router ports without
 * NAT, logical flows of other routers. */
#include <config.h>

#include "idl/sb-db-cond.h"

#include <stdlib.h>

#include "ovsdb-idl.h"
#include "smap.h"
#include "sset.h"
#include "util.h"
#include "uuid.h"

#include "idl/sb-idl.h"

/* Returns those of enum sb_cond_columns that the server of 'idl' has, as far
 * as is known. */
unsigned int
sb_cond_columns(const struct ovsdb_idl *idl)
{
    unsigned int columns = 0;

    if (ovsdb_idl_server_has_column(
            idl, &sbrec_port_binding_col_additional_chassis)) {
        columns |= SB_COND_ADDITIONAL_CHASSIS;
    }
    if (ovsdb_idl_server_has_column(
            idl, &sbrec_port_binding_col_nat_addresses)) {
        columns |= SB_COND_NAT_ADDRESSES;
    }
    return columns;
}

/* Makes 'idl' monitor the chassis row 'name', or none if that is empty.
 * Returns true if the server has acknowledged it, and so the absence of that
 * row means that it does not exist. */
bool
sb_cond_set_chassis(struct ovsdb_idl *idl, const char *name)
{
    struct ovsdb_idl_condition cond = OVSDB_IDL_CONDITION_INIT(&cond);

    if (name[0]) {
        sbrec_chassis_add_clause_name(&cond, OVSDB_F_EQ, name);
    }
    unsigned int expected = sbrec_chassis_set_condition(idl, &cond);
    ovsdb_idl_condition_destroy(&cond);
    return expected == ovsdb_idl_get_condition_seqno(idl);
}

/* Adds to 'cond' the bindings whose options:peer is one of 'peers'.  In the
 * order of names, so that equal sets make equal conditions. */
static void
add_peer_clauses(struct ovsdb_idl_condition *cond, const struct sset *peers)
{
    const char **names = sset_sort(peers);

    for (size_t i = 0; names[i]; i++) {
        const struct smap options = SMAP_CONST1(&options, "peer", names[i]);

        sbrec_port_binding_add_clause_options(cond, OVSDB_F_INCLUDES,
                                              &options);
    }
    free(names);
}

/* Adds to 'cond' the bindings of the datapaths 'uuids', in their order. */
static void
add_datapath_clauses(struct ovsdb_idl_condition *cond,
                     const struct sset *uuids)
{
    const char **texts = sset_sort(uuids);
    struct uuid uuid;

    for (size_t i = 0; texts[i]; i++) {
        if (uuid_from_string(&uuid, texts[i])) {
            sbrec_port_binding_add_clause_datapath(cond, OVSDB_F_EQ, uuid);
        }
    }
    free(texts);
}

/* Adds to 'cond' the bindings called one of 'ports', in their order. */
static void
add_port_clauses(struct ovsdb_idl_condition *cond, const struct sset *ports)
{
    const char **names = sset_sort(ports);

    for (size_t i = 0; names[i]; i++) {
        sbrec_port_binding_add_clause_logical_port(cond, OVSDB_F_EQ,
                                                   names[i]);
    }
    free(names);
}

/* Makes 'idl' monitor the bindings that can matter to our chassis, or none if
 * that has no row:
 *
 *   - those on that chassis, also in addition to another one,
 *   - localnet ports: they say which datapath is which physical network,
 *   - those with NAT addresses,
 *   - those that 'want' names.
 *
 * Returns true if the server has acknowledged all of it. */
bool
sb_cond_set_bindings(struct ovsdb_idl *idl,
                     const struct sb_cond_bindings *want)
{
    struct ovsdb_idl_condition cond = OVSDB_IDL_CONDITION_INIT(&cond);

    if (!uuid_is_zero(want->chassis)) {
        sbrec_port_binding_add_clause_chassis(&cond, OVSDB_F_EQ,
                                              want->chassis, 1);
        sbrec_port_binding_add_clause_type(&cond, OVSDB_F_EQ, "localnet");
        if (want->columns & SB_COND_ADDITIONAL_CHASSIS) {
            sbrec_port_binding_add_clause_additional_chassis(
                &cond, OVSDB_F_INCLUDES, want->chassis, 1);
        }
        if (want->columns & SB_COND_NAT_ADDRESSES) {
            sbrec_port_binding_add_clause_nat_addresses(
                &cond, OVSDB_F_NE, NULL, 0);
        }
        add_peer_clauses(&cond, want->peers);
        add_datapath_clauses(&cond, want->datapaths);
        add_port_clauses(&cond, want->ports);
    }
    unsigned int expected = sbrec_port_binding_set_condition(idl, &cond);
    ovsdb_idl_condition_destroy(&cond);
    return expected == ovsdb_idl_get_condition_seqno(idl);
}

/* Makes 'idl' monitor the logical flows of the datapaths 'routers', UUIDs as
 * text.  Returns true if the server has acknowledged it.
 *
 * Flows of several datapaths at once (logical_dp_group) are left out: the rows
 * of groups list all routers of the cloud, and what is asked for names ports,
 * which makes it the flow of one router. */
bool
sb_cond_set_flows(struct ovsdb_idl *idl, const struct sset *routers)
{
    struct ovsdb_idl_condition cond = OVSDB_IDL_CONDITION_INIT(&cond);
    const char **texts = sset_sort(routers);
    struct uuid uuid;

    for (size_t i = 0; texts[i]; i++) {
        if (uuid_from_string(&uuid, texts[i])) {
            sbrec_logical_flow_add_clause_logical_datapath(
                &cond, OVSDB_F_EQ, &uuid, 1);
        }
    }
    free(texts);
    unsigned int expected = sbrec_logical_flow_set_condition(idl, &cond);
    ovsdb_idl_condition_destroy(&cond);
    return expected == ovsdb_idl_get_condition_seqno(idl);
}
