/* SPDX-License-Identifier: Apache-2.0 */
/* The client of the OVN Northbound database; see nb-db.h.
 *
 * A NAT row does not say which router it belongs to, nor does a router say
 * where its gateways are.  So what is asked of the server depends on what it
 * answers, and every change is followed by asking anew, until nothing is left
 * to ask for and all is acknowledged (nb-db-cond.c).  Only then is the view
 * touched (nb-db-view.c). */
#include <config.h>

#include "idl/nb-db.h"

#include <stdlib.h>

#include "openvswitch/poll-loop.h"
#include "ovsdb-idl.h"
#include "util.h"

#include "idl/db-link.h"
#include "idl/nb-db-cond.h"
#include "idl/nb-db-view.h"
#include "idl/nb-idl.h"

/* The client of one Northbound database. */
struct nb_db {
    struct db_link link;        /* Connection. */
    struct nb_view view;        /* Last complete contents. */
    bool dirty;                 /* Conditions may be behind the replica or the
                                 * target. */
    bool behind;                /* The view may be. */
    unsigned int cond_seqno;    /* If so: when the server has acknowledged the
                                 * conditions. */
    bool known;                 /* The following are: without them nothing is
                                 * complete. */
    struct sset ports;          /* Logical ports bound to this chassis. */
    struct sset gateways;       /* Router ports with their gateway here. */
};

/* Creates and returns a new, unconnected replica that monitors nothing. */
static struct ovsdb_idl *
nb_idl_create(void)
{
    struct ovsdb_idl *idl = ovsdb_idl_create_unconnected(&nbrec_idl_class,
                                                         false);
    struct sset none = SSET_INITIALIZER(&none);

    ovsdb_idl_set_leader_only(idl, false);
    nb_view_add_columns(idl);
    nb_cond_set(idl, &none, &none);
    return idl;
}

/* Creates and returns a client that is not connected to anything. */
struct nb_db *
nb_db_create(void)
{
    struct nb_db *db = xzalloc(sizeof *db);

    db_link_init(&db->link, nb_idl_create());
    nb_view_init(&db->view);
    sset_init(&db->ports);
    sset_init(&db->gateways);
    return db;
}

/* Destroys 'db'. */
void
nb_db_destroy(struct nb_db *db)
{
    if (db) {
        sset_destroy(&db->ports);
        sset_destroy(&db->gateways);
        nb_view_destroy(&db->view);
        db_link_destroy(&db->link);
        free(db);
    }
}

/* Makes '*dst' equal to 'src'.  Returns true if it was not. */
static bool
replace_set(struct sset *dst, const struct sset *src)
{
    if (sset_equals(dst, src)) {
        return false;
    }
    sset_destroy(dst);
    sset_clone(dst, src);
    return true;
}

/* Makes 'db' a client of 'target' from now on.  May be called at any time; the
 * view stays until the contents for the new target have arrived, but is given
 * up if the remote is empty. */
void
nb_db_set_target(struct nb_db *db, const struct nb_target *target)
{
    db->dirty |= db_link_set_remote(&db->link, target->remote,
                                    target->probe_interval);
    if (target->ports && target->gateways) {
        db->dirty |= !db->known;
        db->known = true;
        db->dirty |= replace_set(&db->ports, target->ports);
        db->dirty |= replace_set(&db->gateways, target->gateways);
    }
    if (db->dirty && db->known) {
        poll_immediate_wake();
    }
}

/* Asks the server behind 'db' for what is wanted, if that may have changed,
 * and updates the view as soon as it has answered all.  Returns true if the
 * view changed. */
static bool
nb_db_sync(struct nb_db *db)
{
    bool changed = false;

    if (db->dirty) {
        db->cond_seqno = nb_cond_set(db->link.idl, &db->ports, &db->gateways);
        db->view.n_asked++;
        db->dirty = false;
        db->behind = true;
    }
    bool complete
        = ovsdb_idl_get_condition_seqno(db->link.idl) == db->cond_seqno;
    if (db->behind && complete) {
        changed = nb_view_update(&db->view, db->link.idl, &db->ports,
                                 &db->gateways);
        db->behind = false;
    }
    db_link_set_complete(&db->link, complete);
    return changed;
}

/* Follows the database behind 'db'.  Returns true if the view changed, after
 * which pointers to its old contents are no longer valid. */
bool
nb_db_run(struct nb_db *db)
{
    bool changed = false;

    db->dirty |= db_link_run(&db->link);
    if (!db->link.remote[0]) {
        changed = nb_view_clear(&db->view);
    } else if (db->link.current && db->known) {
        changed = nb_db_sync(db);
    }
    return changed;
}

/* Makes poll_block() wake up when nb_db_run() has work. */
void
nb_db_wait(struct nb_db *db)
{
    db_link_wait(&db->link);
}

/* Returns the view of 'db', which stays valid until nb_db_run() returns
 * true. */
const struct nb_view *
nb_db_view(const struct nb_db *db)
{
    return &db->view;
}

/* Moves to 'changes' which facts in the view of 'db' changed since the last
 * call, or since 'db' was created. */
void
nb_db_take_changes(struct nb_db *db, struct row_changes *changes)
{
    row_changes_move(changes, &db->view.changes);
}

/* Stores into 'status' how the connection of 'db' is doing. */
void
nb_db_status(const struct nb_db *db, struct db_status *status)
{
    db_link_get_status(&db->link, "OVN_Northbound", status);
}

/* Lets 'db' accept a cluster whose log is shorter than what it saw before, as
 * after a rebuild from scratch. */
void
nb_db_reset_min_index(struct nb_db *db)
{
    ovsdb_idl_reset_min_index(db->link.idl);
}

/* Makes the next nb_db_run() update the view of 'db' anew. */
void
nb_db_recompute(struct nb_db *db)
{
    db->dirty = true;
    poll_immediate_wake();
}

/* Adds to 'usage' what 'db' holds. */
void
nb_db_get_memory_usage(const struct nb_db *db, struct simap *usage)
{
    ovsdb_idl_get_memory_usage(db->link.idl, usage);
}
