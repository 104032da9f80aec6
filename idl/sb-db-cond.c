/* SPDX-License-Identifier: Apache-2.0 */
/* Monitor conditions of the Southbound database.
 *
 * A condition is the union of its clauses, and one without clauses matches no
 * row: that of an IDL, which is the opposite of an empty "where" on the wire.
 * Setting the condition that is set already costs a comparison and no
 * message, so the functions here are called whenever something changed, and
 * their result is always fresh.
 *
 * What is cloud-sized stays out: the ports of other chassis, gateway ports
 * that are elsewhere, router ports without NAT. */
#include <config.h>

#include "idl/sb-db-cond.h"

#include <stdlib.h>

#include "ovsdb-idl.h"
#include "smap.h"
#include "sset.h"
#include "util.h"

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

/* Makes 'idl' monitor the bindings that can matter to the chassis with row
 * 'chassis', or none if that is UUID_ZERO:
 *
 *   - those on that chassis, also in addition to another one,
 *   - localnet ports: they say which datapath is which physical network,
 *   - those with NAT addresses,
 *   - those whose options:peer is one of 'peers'.
 *
 * 'columns' are those of enum sb_cond_columns that may be used.  Returns true
 * if the server has acknowledged all of it. */
bool
sb_cond_set_bindings(struct ovsdb_idl *idl, const struct uuid *chassis,
                     const struct sset *peers, unsigned int columns)
{
    struct ovsdb_idl_condition cond = OVSDB_IDL_CONDITION_INIT(&cond);

    if (!uuid_is_zero(chassis)) {
        sbrec_port_binding_add_clause_chassis(&cond, OVSDB_F_EQ, chassis, 1);
        sbrec_port_binding_add_clause_type(&cond, OVSDB_F_EQ, "localnet");
        if (columns & SB_COND_ADDITIONAL_CHASSIS) {
            sbrec_port_binding_add_clause_additional_chassis(
                &cond, OVSDB_F_INCLUDES, chassis, 1);
        }
        if (columns & SB_COND_NAT_ADDRESSES) {
            sbrec_port_binding_add_clause_nat_addresses(
                &cond, OVSDB_F_NE, NULL, 0);
        }
        add_peer_clauses(&cond, peers);
    }
    unsigned int expected = sbrec_port_binding_set_condition(idl, &cond);
    ovsdb_idl_condition_destroy(&cond);
    return expected == ovsdb_idl_get_condition_seqno(idl);
}
