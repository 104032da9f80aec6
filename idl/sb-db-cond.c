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
 * NAT, logical flows of other routers and networks, port groups without a port
 * of this chassis, address sets that no flow here names. */
#include <config.h>

#include "idl/sb-db-cond.h"

#include <stdlib.h>

#include "ovsdb-data.h"
#include "ovsdb-idl-provider.h"
#include "ovsdb-idl.h"
#include "simap.h"
#include "smap.h"
#include "sset.h"
#include "util.h"
#include "uuid.h"

#include "idl/sb-idl.h"

/* Compares two UUIDs, for qsort(). */
static int
compare_uuids(const void *a, const void *b)
{
    return uuid_compare_3way(a, b);
}

/* "_uuid", which every row has and an IDL has no column for. */
static const struct ovsdb_idl_column uuid_column = {
    .name = (char[]) { "_uuid" },
    .type = { .key = { .type = OVSDB_TYPE_UUID },
              .value = { .type = OVSDB_TYPE_VOID },
              .n_min = 1,
              .n_max = 1 },
};

/* Returns those of enum sb_cond_columns that the server of 'idl' has, as far
 * as is known. */
unsigned int
sb_cond_columns(const struct ovsdb_idl *idl)
{
    static const struct {
        unsigned int bit;
        const struct ovsdb_idl_column *column;
    } all[] = {
        { SB_COND_ADDITIONAL_CHASSIS,
          &sbrec_port_binding_col_additional_chassis },
        { SB_COND_NAT_ADDRESSES, &sbrec_port_binding_col_nat_addresses },
        { SB_COND_FLOW_GROUPS, &sbrec_logical_flow_col_logical_dp_group },
        { SB_COND_DATAPATHS, &sbrec_datapath_binding_col_tunnel_key },
        { SB_COND_DP_GROUPS, &sbrec_logical_dp_group_col_datapaths },
        { SB_COND_PORT_GROUPS, &sbrec_port_group_col_ports },
        { SB_COND_ADDRESS_SETS, &sbrec_address_set_col_addresses },
        { SB_COND_LEARNED_MACS, &sbrec_mac_binding_col_datapath },
        { SB_COND_STATIC_MACS, &sbrec_static_mac_binding_col_datapath },
    };
    unsigned int columns = 0;

    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        if (ovsdb_idl_server_has_column(idl, all[i].column)) {
            columns |= all[i].bit;
        }
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

/* Adds to 'cond' the flows of all groups of datapaths that 'idl' has, in the
 * order of their UUIDs. */
static void
add_group_clauses(struct ovsdb_idl_condition *cond,
                  const struct ovsdb_idl *idl)
{
    const struct sbrec_logical_dp_group *group;
    struct uuid *uuids = NULL;
    size_t n = 0, allocated = 0;

    SBREC_LOGICAL_DP_GROUP_FOR_EACH (group, idl) {
        if (n >= allocated) {
            uuids = x2nrealloc(uuids, &allocated, sizeof *uuids);
        }
        uuids[n++] = group->header_.uuid;
    }
    if (n) {
        qsort(uuids, n, sizeof *uuids, compare_uuids);
    }
    for (size_t i = 0; i < n; i++) {
        sbrec_logical_flow_add_clause_logical_dp_group(cond, OVSDB_F_EQ,
                                                       &uuids[i], 1);
    }
    free(uuids);
}

/* Makes 'idl' monitor the logical flows of the datapaths 'datapaths', UUIDs as
 * text, and, if 'columns' has SB_COND_FLOW_GROUPS, of the groups of datapaths
 * that are in the replica.  Returns true if the server has acknowledged it. */
bool
sb_cond_set_flows(struct ovsdb_idl *idl, const struct sset *datapaths,
                  unsigned int columns)
{
    struct ovsdb_idl_condition cond = OVSDB_IDL_CONDITION_INIT(&cond);
    const char **texts = sset_sort(datapaths);
    struct uuid uuid;

    for (size_t i = 0; texts[i]; i++) {
        if (uuid_from_string(&uuid, texts[i])) {
            sbrec_logical_flow_add_clause_logical_datapath(
                &cond, OVSDB_F_EQ, &uuid, 1);
        }
    }
    free(texts);
    if (columns & SB_COND_FLOW_GROUPS) {
        add_group_clauses(&cond, idl);
    }
    unsigned int expected = sbrec_logical_flow_set_condition(idl, &cond);
    ovsdb_idl_condition_destroy(&cond);
    return expected == ovsdb_idl_get_condition_seqno(idl);
}

/* Makes 'idl' monitor the groups of datapaths that have one of 'datapaths',
 * UUIDs as text.  Returns true if the server has acknowledged it.
 *
 * A group lists all datapaths of the cloud that have some flows in common, but
 * there are few of them. */
bool
sb_cond_set_dp_groups(struct ovsdb_idl *idl, const struct sset *datapaths)
{
    struct ovsdb_idl_condition cond = OVSDB_IDL_CONDITION_INIT(&cond);
    const char **texts = sset_sort(datapaths);
    struct uuid uuid;

    for (size_t i = 0; texts[i]; i++) {
        if (uuid_from_string(&uuid, texts[i])) {
            sbrec_logical_dp_group_add_clause_datapaths(
                &cond, OVSDB_F_INCLUDES, &uuid, 1);
        }
    }
    free(texts);
    unsigned int expected = sbrec_logical_dp_group_set_condition(idl, &cond);
    ovsdb_idl_condition_destroy(&cond);
    return expected == ovsdb_idl_get_condition_seqno(idl);
}

/* Adds to 'cond' the rows whose 'column' is one of 'uuids', in their order. */
static void
add_uuid_clauses(struct ovsdb_idl_condition *cond,
                 const struct ovsdb_idl_column *column,
                 const struct sset *uuids)
{
    const char **texts = sset_sort(uuids);

    for (size_t i = 0; texts[i]; i++) {
        struct ovsdb_datum datum;

        ovsdb_datum_init_default(&datum, &column->type);
        if (uuid_from_string(&datum.keys[0].uuid, texts[i])) {
            ovsdb_idl_condition_add_clause(cond, OVSDB_F_EQ, column, &datum);
        }
        ovsdb_datum_destroy(&datum, &column->type);
    }
    free(texts);
}

/* Makes 'idl' monitor the rows of 'table' whose 'column' is one of 'uuids'.
 * Returns true if the server has acknowledged it. */
static bool
set_uuids(struct ovsdb_idl *idl, const struct ovsdb_idl_table_class *table,
          const struct ovsdb_idl_column *column, const struct sset *uuids)
{
    struct ovsdb_idl_condition cond = OVSDB_IDL_CONDITION_INIT(&cond);

    add_uuid_clauses(&cond, column, uuids);
    unsigned int expected = ovsdb_idl_set_condition(idl, table, &cond);
    ovsdb_idl_condition_destroy(&cond);
    return expected == ovsdb_idl_get_condition_seqno(idl);
}

/* Makes 'idl' monitor the rows of 'datapaths', UUIDs as text.  Returns true if
 * the server has acknowledged it. */
static bool
set_datapaths(struct ovsdb_idl *idl, const struct sset *datapaths)
{
    return set_uuids(idl, &sbrec_table_datapath_binding, &uuid_column,
                     datapaths);
}

/* Makes 'idl' monitor the MAC bindings of 'datapaths', UUIDs as text, in those
 * tables that 'columns' has.  Returns true if the server has acknowledged
 * it. */
static bool
set_macs(struct ovsdb_idl *idl, const struct sset *datapaths,
                 unsigned int columns)
{
    bool ready = true;

    if (columns & SB_COND_LEARNED_MACS) {
        ready &= set_uuids(idl, &sbrec_table_mac_binding,
                           &sbrec_mac_binding_col_datapath, datapaths);
    }
    if (columns & SB_COND_STATIC_MACS) {
        ready &= set_uuids(idl, &sbrec_table_static_mac_binding,
                           &sbrec_static_mac_binding_col_datapath, datapaths);
    }
    return ready;
}

/* Makes 'idl' monitor the port groups that have one of the keys of 'ports'.
 * Returns true if the server has acknowledged it. */
static bool
set_port_groups(struct ovsdb_idl *idl, const struct simap *ports)
{
    struct ovsdb_idl_condition cond = OVSDB_IDL_CONDITION_INIT(&cond);
    const struct simap_node **nodes = simap_sort(ports);

    for (size_t i = 0; i < simap_count(ports); i++) {
        const char *name = nodes[i]->name;

        sbrec_port_group_add_clause_ports(&cond, OVSDB_F_INCLUDES, &name, 1);
    }
    free(nodes);
    unsigned int expected = sbrec_port_group_set_condition(idl, &cond);
    ovsdb_idl_condition_destroy(&cond);
    return expected == ovsdb_idl_get_condition_seqno(idl);
}

/* Makes 'idl' monitor the address sets whose names are the keys of 'names'.
 * Returns true if the server has acknowledged it. */
static bool
set_address_sets(struct ovsdb_idl *idl, const struct simap *names)
{
    struct ovsdb_idl_condition cond = OVSDB_IDL_CONDITION_INIT(&cond);
    const struct simap_node **nodes = simap_sort(names);

    for (size_t i = 0; i < simap_count(names); i++) {
        sbrec_address_set_add_clause_name(&cond, OVSDB_F_EQ, nodes[i]->name);
    }
    free(nodes);
    unsigned int expected = sbrec_address_set_set_condition(idl, &cond);
    ovsdb_idl_condition_destroy(&cond);
    return expected == ovsdb_idl_get_condition_seqno(idl);
}

/* Makes 'idl' monitor what ACLs need beside flows, and MAC bindings: rows of
 * 'datapaths', port groups with 'members', address sets with 'names', in those
 * tables that 'columns' has.  Returns true if the server has acknowledged
 * it. */
bool
sb_cond_set_acl(struct ovsdb_idl *idl, const struct sset *datapaths,
                const struct simap *members, const struct simap *names,
                unsigned int columns)
{
    bool ready = set_macs(idl, datapaths, columns);

    if (columns & SB_COND_DATAPATHS) {
        ready &= set_datapaths(idl, datapaths);
    }
    if (columns & SB_COND_PORT_GROUPS) {
        ready &= set_port_groups(idl, members);
    }
    if (columns & SB_COND_ADDRESS_SETS) {
        ready &= set_address_sets(idl, names);
    }
    return ready;
}

/* Makes 'idl' monitor no row of any table that has a condition, taking the
 * server to have those optional tables that 'columns' has. */
void
sb_cond_set_nothing(struct ovsdb_idl *idl, unsigned int columns)
{
    struct simap none = SIMAP_INITIALIZER(&none);
    struct sset no_datapaths = SSET_INITIALIZER(&no_datapaths);

    sb_cond_set_chassis(idl, "");
    sb_cond_set_bindings(idl, &(struct sb_cond_bindings) {
        .chassis = &UUID_ZERO });
    sb_cond_set_flows(idl, &no_datapaths, 0);
    if (columns & SB_COND_DP_GROUPS) {
        sb_cond_set_dp_groups(idl, &no_datapaths);
    }
    sb_cond_set_acl(idl, &no_datapaths, &none, &none, columns);
}
