/* SPDX-License-Identifier: Apache-2.0 */
/* Which rows of the Southbound database are monitored.  Used by sb-db.c
 * only. */
#ifndef IDL_SB_DB_COND_H
#define IDL_SB_DB_COND_H 1

#include <stdbool.h>

struct ovsdb_idl;
struct simap;
struct sset;
struct uuid;

/* Which bindings are asked for, beside those that always are.  All of it is
 * borrowed. */
struct sb_cond_bindings {
    const struct uuid *chassis; /* Our row; UUID_ZERO: no bindings at all. */
    const struct sset *peers;   /* options:peer to look for. */
    const struct sset *datapaths; /* UUIDs, as text, of whole networks. */
    const struct sset *ports;   /* logical_port to look for. */
    unsigned int columns;       /* Of enum sb_cond_columns, in use. */
};

/* Columns and tables that conditions use but that not every server has, as
 * bits. */
enum sb_cond_columns {
    SB_COND_ADDITIONAL_CHASSIS = 1 << 0, /* Since OVN 22.06. */
    SB_COND_NAT_ADDRESSES = 1 << 1,      /* Since OVN 2.8. */
    SB_COND_FLOW_GROUPS = 1 << 2,        /* Since OVN 20.12. */

    /* Tables, all with a condition from the start. */
    SB_COND_DATAPATHS = 1 << 3,          /* Datapath_Binding. */
    SB_COND_DP_GROUPS = 1 << 4,          /* Logical_DP_Group, OVN 20.12. */
    SB_COND_PORT_GROUPS = 1 << 5,        /* Port_Group, since OVN 2.10. */
    SB_COND_ADDRESS_SETS = 1 << 6,       /* Address_Set, since OVN 2.6. */
    SB_COND_TABLES = (SB_COND_DATAPATHS | SB_COND_DP_GROUPS
                      | SB_COND_PORT_GROUPS | SB_COND_ADDRESS_SETS),

    /* Tables that are only monitored if sb_target.path asks for it, likewise
     * with a condition from the start then. */
    SB_COND_LEARNED_MACS = 1 << 7,       /* MAC_Binding, since OVN 2.6. */
    SB_COND_STATIC_MACS = 1 << 8,        /* Static_MAC_Binding, OVN 22.06. */
    SB_COND_PATH_TABLES = SB_COND_LEARNED_MACS | SB_COND_STATIC_MACS
};

unsigned int sb_cond_columns(const struct ovsdb_idl *);

bool sb_cond_set_chassis(struct ovsdb_idl *, const char *name);
bool sb_cond_set_bindings(struct ovsdb_idl *,
                          const struct sb_cond_bindings *);
bool sb_cond_set_flows(struct ovsdb_idl *, const struct sset *datapaths,
                       unsigned int columns);
bool sb_cond_set_dp_groups(struct ovsdb_idl *, const struct sset *datapaths);
bool sb_cond_set_acl(struct ovsdb_idl *, const struct sset *datapaths,
                     const struct simap *members, const struct simap *names,
                     unsigned int columns);
void sb_cond_set_nothing(struct ovsdb_idl *, unsigned int columns);

#endif /* idl/sb-db-cond.h */
