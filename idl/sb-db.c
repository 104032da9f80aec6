/* SPDX-License-Identifier: Apache-2.0 */
/* The client of the OVN Southbound database; see sb-db.h.
 *
 * What is asked of the server depends on what it answers: the condition for
 * bindings needs the UUID of our chassis row, and the gateway ports on this
 * chassis that it brings need their peers.  So every change is followed by the
 * same steps, sb_db_sync(), and the view is touched only when a whole pass
 * found nothing to ask for any more:
 *
 *     chassis condition --> chassis row --> peers --> binding condition
 *          |                    |                          |
 *     unacknowledged?       missing?                  unacknowledged?
 *      keep the view    grace, then none               keep the view
 *                                                          |
 *              flow condition <-- routers (sb-db-scope.c) <+
 *                    |                                     |
 *              unacknowledged?                             |
 *              keep the facts                       update the view
 *
 * Only the first view waits for the facts: after that, bindings never do.
 * Neither waits for ACLs (sb-db-acl.c), which are asked for once there is a
 * view, and whose own view waits for everything:
 *
 *     networks, routers --> groups of datapaths --> flows --> address sets
 *     VMs' ports ---------> port groups
 *
 * The view is updated row by row where the replica's change tracking is known
 * to be complete, and otherwise as a whole. */
#include <config.h>

#include "idl/sb-db.h"

#include <stdlib.h>
#include <string.h>

#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "ovsdb-idl.h"
#include "timeval.h"
#include "util.h"

#include "idl/db-link.h"
#include "idl/sb-db-acl.h"
#include "idl/sb-db-cond.h"
#include "idl/sb-db-facts.h"
#include "idl/sb-db-scope.h"
#include "idl/sb-db-view.h"
#include "idl/sb-idl.h"
#include "idl/sb-path.h"

VLOG_DEFINE_THIS_MODULE(sb_db);

/* The client of one Southbound database. */
struct sb_db {
    struct db_link link;        /* Connection. */
    struct sb_view view;        /* Last complete contents. */
    bool rebuild;               /* The view has to be updated as a whole, as
                                 * change tracking may have missed rows. */

    /* Chassis. */
    char *chassis;              /* Chassis name, "" if unknown. */
    struct uuid chassis_uuid;   /* Its row, the last one while it is missing,
                                 * or UUID_ZERO. */
    unsigned int chassis_seqno; /* When the replica got that row. */
    bool chassis_lost;          /* The row has been missing for too long. */
    int grace_ms;               /* How long that is. */
    long long int grace_until;  /* End of grace, or 0 if there is no need. */

    /* Conditions. */
    struct sset peers;          /* options:peer to look for. */
    unsigned int n_peer_updates; /* Times that all bindings were looked at to
                                 * find 'peers'. */
    unsigned int columns;       /* Optional columns in use. */
    struct sb_scope scope;      /* Routers that matter. */
    bool scope_held;            /* 'scope' has what may be gone meanwhile. */
    bool rebuild_facts;         /* Like 'rebuild', for the facts. */
    bool facts_changed;         /* Since 'peers' was computed. */

    /* ACLs. */
    bool acl_wanted;            /* They are to be asked for. */
    bool acl_asked;             /* They are asked for, since there is a view
                                 * of bindings. */
    bool ask_flows;             /* The conditions for flows and groups of
                                 * datapaths may be out of date. */
    bool acl_pending;           /* Their view is not up to date. */
    struct sb_acl_reader acl;   /* What is known of them. */

    /* What else matters to layer L3. */
    bool path_wanted;           /* It is read, too, with ACLs. */
    struct sb_path path;        /* What is known of it. */
};

/* Creates and returns a new, unconnected replica for 'db'. */
static struct ovsdb_idl *
sb_idl_create(struct sb_db *db)
{
    struct ovsdb_idl *idl = ovsdb_idl_create_unconnected(&sbrec_idl_class,
                                                         false);

    ovsdb_idl_set_leader_only(idl, false);
    sb_view_add_columns(idl);
    sb_facts_add_columns(idl);
    sb_acl_reader_attach(&db->acl, idl);
    if (db->path_wanted) {
        sb_path_add_columns(idl);
    }
    return idl;
}

/* Replaces the replica of 'db' by a fresh one, for a server that has the
 * optional 'tables' and no other. */
static void
replace_idl(struct sb_db *db, unsigned int tables)
{
    sset_clear(&db->peers);
    db_link_replace_idl(&db->link, sb_idl_create(db));
    db->columns = tables;
    sb_cond_set_nothing(db->link.idl, db->columns);
    db->rebuild = true;
}

/* Creates and returns a client that is not connected to anything. */
struct sb_db *
sb_db_create(void)
{
    struct sb_db *db = xzalloc(sizeof *db);

    sb_acl_reader_init(&db->acl);
    sb_path_init(&db->path);
    db_link_init(&db->link, sb_idl_create(db));
    db->columns = SB_COND_TABLES;
    sb_cond_set_nothing(db->link.idl, db->columns);
    sb_view_init(&db->view);
    db->rebuild = true;
    db->chassis = xstrdup("");
    db->grace_ms = SB_DB_CHASSIS_GRACE_MS;
    sset_init(&db->peers);
    sb_scope_init(&db->scope);
    return db;
}

/* Destroys 'db'. */
void
sb_db_destroy(struct sb_db *db)
{
    if (db) {
        sset_destroy(&db->peers);
        sb_acl_reader_destroy(&db->acl);
        sb_path_destroy(&db->path);
        sb_scope_destroy(&db->scope);
        free(db->chassis);
        sb_view_destroy(&db->view);
        db_link_destroy(&db->link);
        free(db);
    }
}

/* Has 'db' read what layer L3 has to know if 'wanted'.  Its tables are not
 * even monitored otherwise, so that this takes a new connection. */
static void
set_path_wanted(struct sb_db *db, bool wanted)
{
    if (wanted != db->path_wanted) {
        db->path_wanted = wanted;
        sb_path_clear(&db->path);
        replace_idl(db, SB_COND_TABLES | (wanted ? SB_COND_PATH_TABLES : 0));
    }
}

/* Makes 'db' a client of 'target' from now on.  May be called at any time; the
 * view stays until the contents for the new target have arrived, and for ever
 * if the remote is empty. */
void
sb_db_set_target(struct sb_db *db, const struct sb_target *target)
{
    const char *chassis = target->chassis ? target->chassis : "";

    set_path_wanted(db, target->acl && target->path);
    if (db_link_set_remote(&db->link, target->remote,
                           target->probe_interval)) {
        db->rebuild = true;
    }
    if (strcmp(db->chassis, chassis)) {
        free(db->chassis);
        db->chassis = xstrdup(chassis);
        db->chassis_uuid = UUID_ZERO;
        db->chassis_lost = false;
        db->grace_until = 0;
        db->rebuild = true;
    }
    if (db->acl_wanted != target->acl) {
        db->acl_wanted = target->acl;
        db->ask_flows = true;
        poll_immediate_wake();
    }
}

/* Chassis. */

/* Returns our row in 'db', or NULL if it is not there. */
static const struct sbrec_chassis *
find_chassis(const struct sb_db *db)
{
    const struct sbrec_chassis *chassis;

    SBREC_CHASSIS_FOR_EACH (chassis, db->link.idl) {
        if (!strcmp(chassis->name, db->chassis)) {
            return chassis;
        }
    }
    return NULL;
}

/* Starts the grace period of 'db', unless one is running. */
static void
start_grace(struct sb_db *db)
{
    if (!db->grace_until) {
        db->grace_until = time_msec() + db->grace_ms;
        db->rebuild = true;
    }
}

/* Takes note that 'chassis' is our row in 'db'.
 *
 * Another UUID than before means that ovn-controller has started anew, and has
 * to claim its ports again. */
static void
chassis_found(struct sb_db *db, const struct sbrec_chassis *chassis)
{
    const struct uuid *uuid = &chassis->header_.uuid;
    unsigned int seqno = ovsdb_idl_row_get_seqno(&chassis->header_,
                                                 OVSDB_IDL_CHANGE_INSERT);

    if (uuid_is_zero(&db->chassis_uuid)) {
        VLOG_INFO("chassis %s found", db->chassis);
        db->grace_until = 0;
    } else if (!uuid_equals(&db->chassis_uuid, uuid)) {
        VLOG_INFO("chassis %s was created anew", db->chassis);
        start_grace(db);
    }

    /* A row that is new in the replica means that the whole replica may be,
     * and change tracking does not survive that. */
    if (seqno != db->chassis_seqno) {
        db->chassis_seqno = seqno;
        db->rebuild = true;
        sb_acl_reader_reset(&db->acl);
    }
    db->chassis_uuid = *uuid;
    db->chassis_lost = false;
}

/* Looks for our row in 'db' and drives the grace period. */
static void
track_chassis(struct sb_db *db)
{
    const struct sbrec_chassis *chassis = find_chassis(db);

    if (chassis) {
        chassis_found(db, chassis);
    } else if (!db->chassis_lost) {
        if (!db->grace_until) {
            VLOG_INFO("chassis %s is not in the Southbound database",
                      db->chassis);
        }
        start_grace(db);
    }

    if (db->grace_until && time_msec() >= db->grace_until) {
        db->grace_until = 0;
        db->rebuild = true;
        if (!chassis) {
            VLOG_WARN("chassis %s has been missing from the Southbound "
                      "database for %d ms, its ports count as gone",
                      db->chassis, db->grace_ms);
            db->chassis_uuid = UUID_ZERO;
            db->chassis_lost = true;
        }
    }
}

/* Conditions. */

/* Returns true if a gateway port is among the rows of 'db' that changed, or
 * the set of VMs here did while there are facts that may depend on it. */
static bool
peers_may_change(const struct sb_db *db)
{
    const struct sbrec_port_binding *pb;

    SBREC_PORT_BINDING_FOR_EACH_TRACKED (pb, db->link.idl) {
        if (!strcmp(pb->type, "chassisredirect")) {
            return true;
        }
    }
    return db->scope.vifs_changed && !hmap_is_empty(&db->view.facts);
}

/* Makes the peers of 'db' the router ports whose gateway port is on this
 * chassis, and those with distributed addresses.  The switch's side of such a
 * router port names it as its peer. */
static void
update_peers(struct sb_db *db)
{
    const struct sbrec_port_binding *pb;

    if (!db->rebuild && !db->facts_changed && !peers_may_change(db)) {
        return;
    }

    db->n_peer_updates++;
    db->facts_changed = false;
    db->scope.vifs_changed = false;
    sset_clear(&db->peers);
    sb_facts_get_peers(&db->view, &db->scope.vifs, &db->peers);
    SBREC_PORT_BINDING_FOR_EACH (pb, db->link.idl) {
        const char *port = smap_get(&pb->options, "distributed-port");

        if (port && !strcmp(pb->type, "chassisredirect") && pb->n_chassis
            && uuid_equals(pb->chassis, &db->chassis_uuid)) {
            sset_add(&db->peers, port);
        }
    }
}

/* Returns those of enum sb_cond_columns that the server of 'db' has, as far as
 * is known, without tables that are not wanted. */
static unsigned int
known_columns(const struct sb_db *db)
{
    unsigned int columns = sb_cond_columns(db->link.idl);

    return db->path_wanted ? columns : columns & ~SB_COND_PATH_TABLES;
}

/* Replaces the replica of 'db' by a fresh one if its condition uses columns or
 * tables that the server does not have.  The server refused that condition,
 * and the replica fell back to monitoring without any.  Returns true if so. */
static bool
replace_idl_if_refused(struct sb_db *db)
{
    unsigned int present = known_columns(db);

    if (!(db->columns & ~present)) {
        return false;
    }

    VLOG_INFO("%s has an older schema than expected, reconnecting",
              db->link.remote);
    replace_idl(db, present & (SB_COND_TABLES | SB_COND_PATH_TABLES));
    return true;
}

/* Finds out anew which routers matter to 'db'.
 *
 * During grace nothing is forgotten; afterwards all is looked at again. */
static void
update_scope(struct sb_db *db)
{
    const struct sbrec_port_binding *pb;
    bool hold = db->grace_until != 0;

    if (db->rebuild || (db->scope_held && !hold)) {
        sb_scope_update_all(&db->scope, db->link.idl, &db->chassis_uuid,
                            hold);
    } else {
        SBREC_PORT_BINDING_FOR_EACH_TRACKED (pb, db->link.idl) {
            sb_scope_update_row(&db->scope, db->link.idl, &pb->header_.uuid,
                                &db->chassis_uuid, hold);
        }
    }
    db->scope_held = hold;
    if (sb_scope_settle(&db->scope)) {
        db->rebuild_facts = true;
    }
}

/* Sets the condition for bindings of 'db'.  Returns true if the server has
 * acknowledged it. */
static bool
set_binding_condition(struct sb_db *db)
{
    update_peers(db);
    return sb_cond_set_bindings(db->link.idl, &(struct sb_cond_bindings) {
        .chassis = &db->chassis_uuid,
        .peers = &db->peers,
        .datapaths = &db->scope.tenants,
        .ports = &db->scope.router_ports,
        .columns = db->columns });
}

/* Notes which columns and tables of the server conditions of 'db' use from now
 * on.  Those of tables stay as long as the replica. */
static void
update_columns(struct sb_db *db)
{
    unsigned int present = known_columns(db);

    if (uuid_is_zero(&db->chassis_uuid)) {
        present &= SB_COND_TABLES | SB_COND_PATH_TABLES;
    }
    if (present != db->columns) {
        db->ask_flows = true;
        db->acl.ask = true;
    }
    db->columns = present;
}

/* Returns true if a group of datapaths is among the rows of 'db' that changed.
 * Facts of flows that had it before have to be looked at again. */
static bool
groups_changed(struct sb_db *db)
{
    const struct sbrec_logical_dp_group *group;
    bool changed = false;

    SBREC_LOGICAL_DP_GROUP_FOR_EACH_TRACKED (group, db->link.idl) {
        changed = true;
        db->rebuild_facts |= (!sbrec_logical_dp_group_is_new(group)
                              && !sbrec_logical_dp_group_is_deleted(group));
    }
    return changed;
}

/* Sets the conditions for logical flows of 'db', and for their groups of
 * datapaths.  Returns true if the server has acknowledged them. */
static bool
set_flow_conditions(struct sb_db *db)
{
    const struct sset *datapaths = (db->acl_asked ? &db->acl.datapaths
                                    : &db->scope.routers);
    bool ready = true;

    db->ask_flows |= groups_changed(db);
    if (!db->ask_flows) {
        return true;
    }
    if (db->columns & SB_COND_DP_GROUPS) {
        ready = sb_cond_set_dp_groups(db->link.idl, datapaths);
    }
    ready &= sb_cond_set_flows(db->link.idl, datapaths, db->columns);
    db->ask_flows = !ready;
    return ready;
}

/* View. */

/* Updates in the view of 'db' the rows that changed since the last run.
 * Returns true if the view changed.
 *
 * A row that was deleted and inserted again is tracked twice, in no particular
 * order, so what counts is what the replica holds now. */
static bool
update_tracked(struct sb_db *db, const struct sb_viewer *viewer)
{
    const struct sbrec_port_binding *pb;
    bool changed = false;

    SBREC_PORT_BINDING_FOR_EACH_TRACKED (pb, db->link.idl) {
        changed |= sb_view_update_row(&db->view, viewer, db->link.idl,
                                      &pb->header_.uuid);
    }
    return changed;
}

/* Updates all rows in the view of 'db'.  Returns true if the view changed.
 * Ends the grace period when it is of no use any more. */
static bool
update_all(struct sb_db *db, const struct sb_viewer *viewer)
{
    size_t n_held;
    bool changed = sb_view_update_all(&db->view, viewer, db->link.idl,
                                      &n_held);

    if (db->grace_until && !n_held && find_chassis(db)) {
        db->grace_until = 0;
    }
    return changed;
}

/* Updates the view of 'db' from its replica, which is complete.  Returns true
 * if the view changed. */
static bool
update_view(struct sb_db *db)
{
    struct sb_viewer viewer = {
        .chassis = db->chassis,
        .chassis_uuid = db->chassis_uuid,
        .hold = db->grace_until != 0,
        .peers = &db->peers,
    };
    bool found = !uuid_is_zero(&db->chassis_uuid);
    bool changed = !db->view.complete || db->view.chassis_found != found;

    if (!db->view.complete) {
        db->view.complete = true;
        db->view.seqno++;
    }
    db->view.chassis_found = found;
    changed |= (db->rebuild || viewer.hold
                ? update_all(db, &viewer)
                : update_tracked(db, &viewer));

    /* What was found out before the grace ended, which routers matter for
     * example, has what was held back. */
    db->rebuild = viewer.hold && !db->grace_until;
    if (db->rebuild) {
        poll_immediate_wake();
    }
    return changed;
}

/* Updates the facts in the view of 'db', whose replica has the logical flows
 * that were asked for.  Returns true if the view changed. */
static bool
update_facts(struct sb_db *db)
{
    const struct sbrec_logical_flow *flow;
    bool changed = false;

    if (db->rebuild_facts) {
        changed = sb_facts_update_all(&db->view, &db->scope, db->link.idl);
    } else {
        SBREC_LOGICAL_FLOW_FOR_EACH_TRACKED (flow, db->link.idl) {
            changed |= sb_facts_update_row(&db->view, &db->scope,
                                           db->link.idl,
                                           &flow->header_.uuid);
        }
    }
    db->rebuild_facts = false;
    db->facts_changed |= changed;
    if (changed) {
        sb_path_note_facts(&db->path);
    }
    return changed;
}

/* Sets the conditions for what 'db' needs for ACLs beside flows.  Returns true
 * if the server has acknowledged them. */
static bool
set_acl_conditions(struct sb_db *db)
{
    static const struct simap no_names = SIMAP_INITIALIZER(&no_names);
    static const struct sset no_datapaths = SSET_INITIALIZER(&no_datapaths);
    bool on = db->acl_asked;

    if (db->acl.ask) {
        db->acl.ask = !sb_cond_set_acl(
            db->link.idl, on ? &db->acl.datapaths : &no_datapaths,
            on ? &db->acl.members : &no_names,
            on ? &db->acl.names : &no_names, db->columns);
    }
    return !db->acl.ask;
}

/* Empties the ACLs of 'db' if nobody wants them any more.  Returns true if
 * that changed something. */
static bool
drop_unwanted_acls(struct sb_db *db)
{
    bool changed = db->view.acl.complete && !db->acl_wanted;

    if (changed) {
        sb_acl_view_clear(&db->view.acl);
    }
    if (!db->acl_wanted) {
        db->acl.ask |= db->acl_asked;
        db->acl_asked = false;
    } else if (!db->acl_asked && db->view.complete) {
        db->acl_asked = true;
        sb_acl_reader_reset(&db->acl);
        db->ask_flows = true;
    }
    return changed;
}

/* Takes a step towards a view of the ACLs of 'db', whose other conditions are
 * acknowledged if 'ready'.  Returns true if the view changed. */
static bool
update_acls(struct sb_db *db, bool flows_ready, bool ready)
{
    if (db->acl_asked && flows_ready) {
        sb_acl_reader_look(&db->acl, db->link.idl);
    }
    ready &= set_acl_conditions(db) && flows_ready;
    db->acl_pending = !ready;
    if (!db->acl_asked || !ready) {
        return false;
    }
    db->view.acl.current = true;

    /* The reader forgets what changed. */
    bool changed = (db->path_wanted
                    && sb_path_update(&db->path, &db->acl, &db->scope,
                                      db->link.idl));
    return (sb_acl_reader_update(&db->acl, db->link.idl, &db->view.acl)
            || changed);
}

/* Sets the conditions for bindings and flows of 'db'.  Returns true if the
 * server has acknowledged that for bindings; stores into '*flows_ready'
 * whether it has that for flows. */
static bool
set_conditions(struct sb_db *db, bool *flows_ready)
{
    unsigned int seqno = db->scope.seqno;

    track_chassis(db);
    update_scope(db);
    update_columns(db);
    bool ready = set_binding_condition(db);

    if (db->acl_asked) {
        sb_acl_reader_set_scope(&db->acl, &db->scope, &db->peers);
    }
    db->ask_flows |= db->rebuild || db->scope.seqno != seqno;
    *flows_ready = set_flow_conditions(db);
    return ready;
}

/* Takes one step towards a view of 'db' that is complete, or follows what
 * changed since.  Stores into '*complete' whether the view is.  Returns true
 * if the view changed. */
static bool
sb_db_sync(struct sb_db *db, bool *complete)
{
    bool changed = false;
    bool flows_ready;

    *complete = false;
    db->rebuild_facts |= db->rebuild;
    db->acl_pending = true;
    if (db->acl_asked) {
        sb_acl_reader_note(&db->acl, db->link.idl);
        sb_path_note(&db->path, db->link.idl);
    }
    if (replace_idl_if_refused(db)
        || !sb_cond_set_chassis(db->link.idl, db->chassis)) {
        db->rebuild = true;
        return false;
    }
    if (!set_conditions(db, &flows_ready)) {
        db->rebuild = true;
        return false;
    }

    bool never_seen = uuid_is_zero(&db->chassis_uuid) && !db->chassis_lost;
    if (never_seen) {
        return false;
    }

    bool asked = false;
    if (flows_ready) {
        changed = update_facts(db);
        asked = changed && !set_binding_condition(db);
    } else {
        db->rebuild_facts = true;
    }
    *complete = flows_ready && !asked;
    if (*complete || db->view.complete) {
        changed |= update_view(db);
    }
    db->rebuild |= asked || !db->view.complete;
    changed |= update_acls(db, flows_ready, !asked);
    return changed;
}

/* Follows the database behind 'db'.  Returns true if the view changed, after
 * which pointers to its old bindings are no longer valid. */
bool
sb_db_run(struct sb_db *db)
{
    bool idl_changed = db_link_run(&db->link);
    bool changed = drop_unwanted_acls(db);
    bool was_current = db->view.acl.current;

    if (!db->link.current || !db->chassis[0]) {
        db->rebuild = true;
        db->view.acl.current = false;
        sb_acl_reader_reset(&db->acl);
        db_link_set_complete(&db->link, false);
    } else if (idl_changed || db->rebuild || db->rebuild_facts
               || db->ask_flows || db->acl_pending
               || (db->grace_until && time_msec() >= db->grace_until)) {
        bool complete;

        db->view.acl.current = false;
        changed |= sb_db_sync(db, &complete);
        db_link_set_complete(&db->link, complete);
        if (db->acl_wanted && !db->acl_asked && db->view.complete) {
            poll_immediate_wake();
        }
    }
    ovsdb_idl_track_clear(db->link.idl);
    return changed || db->view.acl.current != was_current;
}

/* Makes poll_block() wake up when sb_db_run() has work. */
void
sb_db_wait(struct sb_db *db)
{
    db_link_wait(&db->link);
    if (db->grace_until && db->link.current) {
        poll_timer_wait_until(db->grace_until);
    }
}

/* Returns the view of 'db', which stays valid until sb_db_run() returns
 * true. */
const struct sb_view *
sb_db_view(const struct sb_db *db)
{
    return &db->view;
}

/* Moves to 'bindings' and 'facts' which of them in the view of 'db' changed
 * since the last call, or since 'db' was created. */
void
sb_db_take_changes(struct sb_db *db, struct row_changes *bindings,
                   struct row_changes *facts)
{
    row_changes_move(bindings, &db->view.changes);
    row_changes_move(facts, &db->view.fact_changes);
}

/* Adds to 'changes' what changed in the ACLs of the view of 'db' since the
 * last call, or since 'db' was created. */
void
sb_db_take_acl_changes(struct sb_db *db, struct sb_acl_changes *changes)
{
    sb_acl_changes_move(changes, &db->view.acl.changes);
}

/* Moves to 'datapaths' and '*judge', see sb-db.h. */
unsigned int
sb_db_take_path_changes(struct sb_db *db, struct sset *datapaths,
                        bool *judge)
{
    return sb_path_take_changes(&db->path, datapaths, judge);
}

/* Returns what is asked of 'db' about 'b' of its view, and 'external'. */
struct sb_path_query
sb_db_path_query(const struct sb_db *db, const struct sb_binding *b,
                 const struct in6_addr *external)
{
    return (struct sb_path_query) { &db->path, &db->view, &db->scope, b,
                                    external };
}

/* Stores into 'status' how the connection of 'db' is doing. */
void
sb_db_status(const struct sb_db *db, struct db_status *status)
{
    db_link_get_status(&db->link, "OVN_Southbound", status);
}

/* Lets 'db' accept a cluster whose log is shorter than what it saw before, as
 * after a rebuild from scratch. */
void
sb_db_reset_min_index(struct sb_db *db)
{
    ovsdb_idl_reset_min_index(db->link.idl);
}

/* Makes the next sb_db_run() update the view of 'db' as a whole. */
void
sb_db_recompute(struct sb_db *db)
{
    db->rebuild = true;
    sb_acl_reader_reset(&db->acl);
    poll_immediate_wake();
}

/* Adds to 'usage' what 'db' holds. */
void
sb_db_get_memory_usage(const struct sb_db *db, struct simap *usage)
{
    ovsdb_idl_get_memory_usage(db->link.idl, usage);
}

/* Makes the grace period of 'db' for a missing chassis row 'ms' milliseconds
 * long.  For tests; it applies to grace periods that start later. */
void
sb_db_set_chassis_grace(struct sb_db *db, int ms)
{
    db->grace_ms = ms;
}

/* Returns how often 'db' looked at all bindings to find the router ports whose
 * peers it asks for.  For tests. */
unsigned int
sb_db_n_peer_updates(const struct sb_db *db)
{
    return db->n_peer_updates;
}
