/* SPDX-License-Identifier: Apache-2.0 */
/* What the clients of all databases share: one IDL, the remote that it is
 * connected to, and the bookkeeping behind struct db_status.
 *
 * Used by nb-db.c, ovs-db.c and sb-db.c only. */
#ifndef IDL_DB_LINK_H
#define IDL_DB_LINK_H 1

#include <stdbool.h>
#include "idl/db-status.h"

struct ovsdb_idl;
struct ovsdb_idl_class;

/* A database connection.  The members are for the functions below, except
 * 'idl', which the owner reads, and 'current', which it may test. */
struct db_link {
    struct ovsdb_idl *idl;      /* Replica, owned. */
    char *remote;               /* Configured remotes; "" if none. */
    int probe_interval;         /* Inactivity probe in ms, or -1 for the
                                 * default of the IDL. */
    bool connected;             /* Whether there was a connection after the
                                 * last run. */
    bool current;               /* Whether contents were received on the
                                 * present connection. */
    unsigned int seqno;         /* IDL's sequence number at the last run. */
    enum db_state state;        /* State to report. */
    long long int last_change;  /* time_msec() of the last change. */
};

void db_link_init(struct db_link *, struct ovsdb_idl *);
void db_link_destroy(struct db_link *);
void db_link_replace_idl(struct db_link *, struct ovsdb_idl *);

bool db_link_set_remote(struct db_link *, const char *remote,
                        int probe_interval);
bool db_link_run(struct db_link *);
void db_link_wait(struct db_link *);

void db_link_set_complete(struct db_link *, bool complete);
void db_link_get_status(const struct db_link *, const char *name,
                        struct db_status *);

#endif /* idl/db-link.h */
