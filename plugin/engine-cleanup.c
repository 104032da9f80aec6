/* SPDX-License-Identifier: Apache-2.0 */
/* Taking away what daemons have put into the kernel and the local database. */

#include <config.h>

#include "plugin/engine-private.h"

#include <errno.h>

#include "openvswitch/poll-loop.h"
#include "svec.h"
#include "timeval.h"
#include "util.h"

#include "idl/ovs-db.h"
#include "plugin/direct.h"
#include "plugin/early-drop.h"
#include "plugin/netdevs.h"
#include "plugin/ports.h"
#include "plugin/reconcile.h"

/* How long engine_cleanup() waits for the local database to drop the managed
 * ports, in ms.  A live ovsdb-server and ovs-vswitchd take a few. */
#define CLEANUP_TIMEOUT_MS 5000

/* Says in 'remains' why the local database has kept its managed ports, if it
 * has any. */
static void
report_rows(struct engine *engine, struct svec *remains)
{
    struct db_status db;

    ovs_db_status(engine->ovs_db, &db);
    svec_add_nocopy(remains, db.state > DB_CONNECTING
        ? xasprintf("%s: it did not drop the managed ports within %d s",
                    db.name, CLEANUP_TIMEOUT_MS / 1000)
        : xasprintf("%s: not connected to %s%s%s: managed ports stay in it, "
                    "if it has any", db.name, db.remote, db.error ? ": " : "",
                    db.error ? ovs_retval_to_string(db.error) : ""));
}

/* Takes the managed ports away and waits until the local database agrees.
 * Adds to 'remains' what stays. */
static void
remove_ports(struct engine *engine, struct svec *remains)
{
    long long int deadline = time_msec() + CLEANUP_TIMEOUT_MS;

    ports_remove_all(engine->ports, netdevs_all(engine->netdevs), remains);
    for (;;) {
        ovs_db_run(engine->ovs_db);
        if (ovs_db_managed_ports_settled(engine->ovs_db)) {
            break;
        } else if (time_msec() >= deadline) {
            report_rows(engine, remains);
            break;
        }
        ovs_db_wait(engine->ovs_db);
        poll_timer_wait_until(deadline);
        poll_block();
    }
}

/* Takes everything away that this daemon, or one before it, has put into the
 * kernel and the local database.  Adds to 'remains' a line for whatever stays,
 * which is everything while another daemon runs.  Afterwards 'engine' is good
 * for engine_destroy() only. */
void
engine_cleanup(struct engine *engine, struct svec *remains)
{
    if (engine->dry_run) {
        return;
    }
    reconcile_destroy(engine->reconcile);
    engine->reconcile = NULL;
    direct_close(engine->direct);
    early_drop_close(engine->early_drop);
    if (engine->dp) {
        engine->class->close(engine->dp, true);
        engine->dp = NULL;
    }

    struct svec pins = SVEC_EMPTY_INITIALIZER;
    const char *pin;
    size_t i;
    int error = engine->class->remove(engine->pin_dir, &pins);

    SVEC_FOR_EACH (i, pin, &pins) {
        svec_add_nocopy(remains, xasprintf("%s: still there", pin));
    }
    svec_destroy(&pins);
    if (error) {
        svec_add_nocopy(remains, xasprintf(
            "%s: %s", engine->pin_dir, error == EBUSY
            ? "a running ovn-xdpd uses this directory, and nothing was done; "
              "try: ovn-appctl -t ovn-xdpd exit --cleanup"
            : dp_open_error_to_string(error)));
    }
    if (error != EBUSY && error != EISDIR) {
        engine_run_tls(engine);
        netdevs_run(engine->netdevs);
        remove_ports(engine, remains);
    }
}
