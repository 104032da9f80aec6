/* SPDX-License-Identifier: Apache-2.0 */
/* The client of the local Open_vSwitch database; see ovs-db.h.  Reading is in
 * ovs-db-view.c, writing in ovs-db-ports.c. */
#include <config.h>

#include "idl/ovs-db.h"

#include <stdlib.h>

#include "ovsdb-idl.h"
#include "util.h"

#include "idl/db-link.h"
#include "idl/ovs-db-ports.h"
#include "idl/ovs-db-view.h"
#include "idl/ovs-idl.h"

/* The client of one local database. */
struct ovs_db {
    struct db_link link;        /* Connection. */
    struct ovs_view view;       /* Last complete contents. */
    bool initialized;           /* The database has an Open_vSwitch row. */
    struct ovs_db_ports *ports; /* Managed ports. */
    int removal_ms;             /* See ovs_db_set_removal_wait(); 0 for the
                                 * default. */
};

/* Creates and returns a client of the database at 'remote'.
 *
 * It removes no managed port before the first call of
 * ovs_db_set_managed_ports(), whatever that wants. */
struct ovs_db *
ovs_db_create(const char *remote)
{
    struct ovs_db *db = xzalloc(sizeof *db);
    struct ovsdb_idl *idl = ovsdb_idl_create_unconnected(&vsrec_idl_class,
                                                         false);

    ovs_view_add_columns(idl);
    db_link_init(&db->link, idl);
    db_link_set_remote(&db->link, remote, -1);
    ovs_view_init(&db->view);
    return db;
}

/* Destroys 'db'; the database stays as it is. */
void
ovs_db_destroy(struct ovs_db *db)
{
    if (db) {
        ovs_db_ports_destroy(db->ports);
        ovs_view_destroy(&db->view);
        db_link_destroy(&db->link);
        free(db);
    }
}

/* Reads the view of 'db' anew.  Returns true if it differs from before. */
static bool
ovs_db_read_view(struct ovs_db *db)
{
    struct ovs_view view;

    ovs_view_init(&view);
    db->initialized = ovs_view_read(&view, db->link.idl);

    bool changed = db->initialized && !ovs_view_equals(&db->view, &view);
    if (changed) {
        ovs_view_swap(&db->view, &view);
    }
    ovs_view_destroy(&view);
    return changed;
}

/* Returns true if the view of 'db' is what the database holds now. */
static bool
ovs_db_is_synced(const struct ovs_db *db)
{
    return db->link.current && db->initialized;
}

/* Follows the database behind 'db' and brings the managed ports nearer to what
 * is wanted.  Returns true if the view changed, after which pointers into the
 * old one are no longer valid, or the managed ports became settled. */
bool
ovs_db_run(struct ovs_db *db)
{
    bool changed = db_link_run(&db->link) && ovs_db_read_view(db);

    db_link_set_complete(&db->link, db->initialized);
    if (db->ports) {
        bool settled = ovs_db_ports_settled(db->ports);

        ovs_db_ports_run(db->ports, &db->view, ovs_db_is_synced(db), changed);
        changed |= !settled && ovs_db_ports_settled(db->ports);
    }
    return changed;
}

/* Makes poll_block() wake up when ovs_db_run() has work. */
void
ovs_db_wait(struct ovs_db *db)
{
    db_link_wait(&db->link);
    if (db->ports) {
        ovs_db_ports_wait(db->ports, ovs_db_is_synced(db));
    }
}

/* Returns the view of 'db', which stays valid until ovs_db_run() returns true.
 * It is that of the last connection while there is none. */
const struct ovs_view *
ovs_db_view(const struct ovs_db *db)
{
    return &db->view;
}

/* Stores into 'status' how the connection of 'db' is doing. */
void
ovs_db_status(const struct ovs_db *db, struct db_status *status)
{
    db_link_get_status(&db->link, "Open_vSwitch", status);
}

/* Returns the managed ports of 'db', created at first use. */
static struct ovs_db_ports *
get_ports(struct ovs_db *db)
{
    if (!db->ports) {
        db->ports = ovs_db_ports_create(db->link.idl);
        if (db->removal_ms) {
            ovs_db_ports_set_removal_wait(db->ports, db->removal_ms);
        }
    }
    return db->ports;
}

/* Makes 'db' wait at most 'ms' for ovs-vswitchd to act upon the removal of a
 * managed port before it adds another; for tests without ovs-vswitchd, before
 * the first ovs_db_set_managed_ports(). */
void
ovs_db_set_removal_wait(struct ovs_db *db, int ms)
{
    db->removal_ms = ms;
}

/* Makes 'db' want the 'n' ports in 'wanted', of which it makes a copy.  From
 * now on ovs_db_run() adds what is missing, and removes every port that is
 * marked as managed by ovn-xdp and not wanted in the bridge it is in. */
void
ovs_db_set_managed_ports(struct ovs_db *db,
                         const struct ovs_managed_port *wanted, size_t n)
{
    ovs_db_ports_set(get_ports(db), wanted, n);
}

/* Returns true if the database is known to hold the managed ports that are
 * wanted and no other, apart from ports that are impossible: see
 * ovs_db_managed_port_state(). */
bool
ovs_db_managed_ports_settled(const struct ovs_db *db)
{
    return db->ports && ovs_db_ports_settled(db->ports);
}

/* Returns how the managed port of 'db' for 'device' is doing. */
enum ovs_managed_state
ovs_db_managed_port_state(const struct ovs_db *db, const char *device)
{
    return (db->ports ? ovs_db_ports_state(db->ports, device)
            : OVS_MANAGED_UNWANTED);
}
