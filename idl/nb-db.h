/* SPDX-License-Identifier: Apache-2.0 */
/* The OVN Northbound database, read only and optional: NAT rows.
 *
 * What is asked of the server follows what is on this chassis, which the owner
 * tells from the Southbound: NAT rows of the logical ports that are here, and
 * those of routers that have a gateway here.  The view is always the last
 * complete one: it stays as it was while the connection is down, for as long
 * as a remote is configured at all.  No generated header here. */
#ifndef IDL_NB_DB_H
#define IDL_NB_DB_H 1

#include <stdbool.h>
#include <stdint.h>
#include "idl/db-status.h"
#include "idl/row-changes.h"
#include "openvswitch/hmap.h"
#include "sset.h"

struct nb_db;
struct simap;

/* A whole consistent view of what matters here, owned by the struct nb_db. */
struct nb_view {
    bool complete;              /* Contents were received at least once. */
    struct hmap facts;          /* Of struct nat_fact. */
    uint64_t n_asked;           /* How often it was worked out what to ask
                                 * for: what following costs. */
    struct sset bad;            /* What could not be read, for people. */
    struct row_changes changes; /* Facts that changed, by 'identity'; until
                                 * they are taken. */
};

/* Where to connect and what is on this chassis.  All of it is borrowed. */
struct nb_target {
    const char *remote;         /* Comma list of remotes; "" or NULL: none. */
    int probe_interval;         /* Inactivity probe in ms; 0: off. */
    const struct sset *ports;   /* Logical ports bound to this chassis, NULL
                                 * while not known yet. */
    const struct sset *gateways; /* Logical router ports whose gateway is on
                                  * this chassis; likewise. */
};

struct nb_db *nb_db_create(void);
void nb_db_destroy(struct nb_db *);
void nb_db_set_target(struct nb_db *, const struct nb_target *);
bool nb_db_run(struct nb_db *);
void nb_db_wait(struct nb_db *);

const struct nb_view *nb_db_view(const struct nb_db *);
void nb_db_take_changes(struct nb_db *, struct row_changes *);
void nb_db_status(const struct nb_db *, struct db_status *);
void nb_db_reset_min_index(struct nb_db *);
void nb_db_recompute(struct nb_db *);
void nb_db_get_memory_usage(const struct nb_db *, struct simap *usage);

#endif /* idl/nb-db.h */
