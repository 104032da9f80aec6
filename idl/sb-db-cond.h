/* SPDX-License-Identifier: Apache-2.0 */
/* Which rows of the Southbound database are monitored.  Used by sb-db.c
 * only. */
#ifndef IDL_SB_DB_COND_H
#define IDL_SB_DB_COND_H 1

#include <stdbool.h>

struct ovsdb_idl;
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

/* Columns that conditions use but that not every server has, as bits. */
enum sb_cond_columns {
    SB_COND_ADDITIONAL_CHASSIS = 1 << 0, /* Since OVN 22.06. */
    SB_COND_NAT_ADDRESSES = 1 << 1,      /* Since OVN 2.8. */
};

unsigned int sb_cond_columns(const struct ovsdb_idl *);

bool sb_cond_set_chassis(struct ovsdb_idl *, const char *name);
bool sb_cond_set_bindings(struct ovsdb_idl *,
                          const struct sb_cond_bindings *);
bool sb_cond_set_flows(struct ovsdb_idl *, const struct sset *routers);

#endif /* idl/sb-db-cond.h */
