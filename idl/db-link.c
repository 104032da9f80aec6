/* SPDX-License-Identifier: Apache-2.0 */
/* One IDL and how its connection is doing; see db-link.h.
 *
 * An IDL does not say when the contents of a new connection have arrived:
 * "connected" only means that a socket is open.  But its sequence number
 * changes with the reply to the first request for contents, and with nothing
 * else between a connect and that reply.  'current' is built on this. */
#include <config.h>

#include "idl/db-link.h"

#include "ovsdb-idl.h"
#include "stream.h"
#include "timeval.h"
#include "util.h"

/* Wire names, by enum db_state. */
static const char *const db_state_names[] = {
    [DB_DISABLED] = "disabled",
    [DB_CONNECTING] = "connecting",
    [DB_SYNCING] = "syncing",
    [DB_SYNCED] = "synced",
};

/* Returns the wire name of 'state', a constant string. */
const char *
db_state_to_string(enum db_state state)
{
    return db_state_names[state];
}

/* Sets the state that 'link' reports to 'state'. */
static void
db_link_set_state(struct db_link *link, enum db_state state)
{
    if (link->state != state) {
        link->state = state;
        link->last_change = time_msec();
    }
}

/* Makes 'link' a connection of 'idl', which it takes over, without a
 * remote. */
void
db_link_init(struct db_link *link, struct ovsdb_idl *idl)
{
    *link = (struct db_link) {
        .idl = idl,
        .remote = xstrdup(""),
        .probe_interval = -1,
        .state = DB_DISABLED,
    };
}

/* Frees what 'link' owns, but not 'link' itself. */
void
db_link_destroy(struct db_link *link)
{
    ovsdb_idl_destroy(link->idl);
    free(link->remote);
}

/* Applies the probe interval of 'link' to its connection.  A unix socket needs
 * no probes. */
static void
db_link_apply_probe_interval(struct db_link *link)
{
    if (link->remote[0] && link->probe_interval >= 0) {
        int needs = stream_or_pstream_needs_probes(link->remote);

        ovsdb_idl_set_probe_interval(link->idl,
                                     needs ? link->probe_interval : 0);
    }
}

/* Notes whether 'link' is connected now. */
static void
db_link_check_connection(struct db_link *link)
{
    link->connected = link->remote[0] && ovsdb_idl_is_connected(link->idl);
    if (!link->connected) {
        link->current = false;
        db_link_set_state(link,
                          link->remote[0] ? DB_CONNECTING : DB_DISABLED);
    }
}

/* Destroys the IDL of 'link' and takes over 'idl' in its place, connected to
 * the same remote. */
void
db_link_replace_idl(struct db_link *link, struct ovsdb_idl *idl)
{
    ovsdb_idl_destroy(link->idl);
    link->idl = idl;
    link->seqno = ovsdb_idl_get_seqno(idl);
    if (link->remote[0]) {
        ovsdb_idl_set_remote(idl, link->remote, true);
        db_link_apply_probe_interval(link);
    }
    db_link_check_connection(link);
}

/* Connects 'link' to 'remote', a comma list of remotes, or to nothing if it is
 * empty or NULL, with an inactivity probe of 'probe_interval' ms (0: none,
 * negative: default).  A present connection is kept if 'remote' still names
 * it.  Returns true if the remote changed. */
bool
db_link_set_remote(struct db_link *link, const char *remote,
                   int probe_interval)
{
    bool changed = strcmp(link->remote, remote ? remote : "");

    if (changed) {
        free(link->remote);
        link->remote = xstrdup(remote ? remote : "");
        ovsdb_idl_set_remote(link->idl, remote && remote[0] ? remote : NULL,
                             true);
        db_link_check_connection(link);
    }
    if (changed || link->probe_interval != probe_interval) {
        link->probe_interval = probe_interval;
        db_link_apply_probe_interval(link);
    }
    return changed;
}

/* Lets the IDL of 'link' do its work.  Returns true if its contents may have
 * changed. */
bool
db_link_run(struct db_link *link)
{
    unsigned int before = ovsdb_idl_get_seqno(link->idl);
    ovsdb_idl_run(link->idl);
    unsigned int after = ovsdb_idl_get_seqno(link->idl);

    db_link_check_connection(link);
    if (link->connected && !link->current) {
        /* One run may bring both the connection and the contents, and the
         * owner need not look at these yet. */
        link->current = after != before;
        db_link_set_state(link, DB_SYNCING);
    }
    if (after != link->seqno) {
        link->seqno = after;
        link->last_change = time_msec();
        return true;
    }
    return false;
}

/* Makes poll_block() wake up when db_link_run() has work. */
void
db_link_wait(struct db_link *link)
{
    ovsdb_idl_wait(link->idl);
}

/* Says whether the owner's view of 'link' is 'complete', which makes the
 * difference between DB_SYNCING and DB_SYNCED.  No effect while the contents
 * are not current. */
void
db_link_set_complete(struct db_link *link, bool complete)
{
    if (link->current) {
        db_link_set_state(link, complete ? DB_SYNCED : DB_SYNCING);
    }
}

/* Stores into 'status' how 'link', a connection to the database 'name', is
 * doing.  The strings are valid as long as 'link' and its remote are. */
void
db_link_get_status(const struct db_link *link, const char *name,
                   struct db_status *status)
{
    *status = (struct db_status) {
        .name = name,
        .remote = link->remote,
        .state = link->state,
        .current = link->current,
        .last_change = link->last_change,
        .error = ovsdb_idl_get_last_error(link->idl),
    };
}
