/* SPDX-License-Identifier: Apache-2.0 */
/* Brings about the managed ports that 'desired' wants.
 *
 * For each such bridge: the veth pair (plugin/bridge-port.h), its row in the
 * local database (idl/ovs-db.h) and a guard against flooding
 * (plugin/port-guard.h).  In reverse for a bridge that wants none any more:
 * the row goes first, so that OVS lets go of the device before it vanishes. */

#include <config.h>

#include "plugin/ports.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "openvswitch/poll-loop.h"
#include "openvswitch/shash.h"
#include "openvswitch/vlog.h"
#include "svec.h"
#include "util.h"

#include "idl/ovs-db.h"
#include "plugin/bridge-port.h"
#include "plugin/desired.h"
#include "plugin/limits.h"
#include "plugin/netdevs.h"
#include "plugin/port-guard.h"

VLOG_DEFINE_THIS_MODULE(ports);

/* See plugin/ports.h. */
struct ports {
    struct ovs_db *ovs_db;      /* Local database, borrowed. */
    struct shash guards;        /* Bridge to struct port_guard. */
    struct sset failed;         /* Bridges whose pair cannot be made. */
    struct sset obstructed;     /* Those of them where something of that name
                                 * is in the way. */
    struct sset unplugging;     /* Bridges whose row goes first, because its
                                 * pair has vanished. */
    struct problems problems;   /* Of the last ports_apply(). */
    bool retry;                 /* The last ports_apply() has to be
                                 * repeated. */
    long long int retry_at;     /* When; meaningful if 'retry'. */
    long long int backoff;      /* Wait before the next repetition, in ms. */
};

/* Creates the keeper of managed ports, which writes to 'ovs_db'. */
struct ports *
ports_create(struct ovs_db *ovs_db)
{
    struct ports *ports = xzalloc(sizeof *ports);

    ports->ovs_db = ovs_db;
    ports->backoff = RETRY_MIN_MS;
    shash_init(&ports->guards);
    sset_init(&ports->failed);
    sset_init(&ports->obstructed);
    sset_init(&ports->unplugging);
    return ports;
}

/* Stops guarding all bridges but those that 'desired' wants a port in; all of
 * them if 'desired' is NULL. */
static void
drop_guards(struct ports *ports, const struct desired *desired)
{
    struct shash_node *node;

    SHASH_FOR_EACH_SAFE (node, &ports->guards) {
        bool wanted = false;
        for (size_t i = 0; desired && i < desired->n_bridges; i++) {
            wanted |= desired->bridges[i].wants_port
                      && !strcmp(desired->bridges[i].name, node->name);
        }
        if (!wanted) {
            port_guard_destroy(node->data);
            shash_delete(&ports->guards, node);
        }
    }
}

/* Frees 'ports'.  The ports themselves stay. */
void
ports_destroy(struct ports *ports)
{
    if (ports) {
        drop_guards(ports, NULL);
        shash_destroy(&ports->guards);
        sset_destroy(&ports->failed);
        sset_destroy(&ports->obstructed);
        sset_destroy(&ports->unplugging);
        problems_destroy(&ports->problems);
        free(ports);
    }
}

/* Returns true if 'devices' has one called 'name'. */
static bool
has_device(const struct hmap *devices, const char *name)
{
    return netdevs_find_in(devices, name) != NULL;
}

/* Returns true if a bridge has a port of ours called 'device'. */
static bool
is_plugged(const struct ovs_view *view, const char *device)
{
    for (size_t i = 0; i < view->n_bridges; i++) {
        for (size_t j = 0; j < view->bridges[i].n_ports; j++) {
            const struct ovs_port *port = &view->bridges[i].ports[j];
            if (port->managed && !strcmp(port->name, device)) {
                return true;
            }
        }
    }
    return false;
}

/* Returns true if a pair for 'bridge', which has none, must not be made yet.
 *
 * If somebody deleted the pair, its row is still plugged in and ovs-vswitchd
 * still holds what it had opened; it would not look at a new device of the
 * same name.  So the row goes first. */
static bool
must_unplug(struct ports *ports, const struct desired_bridge *bridge)
{
    if (is_plugged(ovs_db_view(ports->ovs_db), bridge->port.inner)) {
        sset_add(&ports->unplugging, bridge->name);
    } else if (ovs_db_managed_ports_settled(ports->ovs_db)) {
        sset_find_and_delete(&ports->unplugging, bridge->name);
    }
    return sset_contains(&ports->unplugging, bridge->name);
}

/* Returns true if a row, ours or not, has an interface called 'device'. */
static bool
is_row(const struct ovs_view *view, const char *device)
{
    for (size_t i = 0; i < view->n_bridges; i++) {
        for (size_t j = 0; j < view->bridges[i].n_ports; j++) {
            const struct ovs_port *port = &view->bridges[i].ports[j];
            for (size_t k = 0; k < port->n_ifaces; k++) {
                if (!strcmp(port->ifaces[k].name, device)) {
                    return true;
                }
            }
        }
    }
    return false;
}

/* Returns true if something has a name that the managed port of 'bridge'
 * needs. */
static bool
is_obstructed(const struct ports *ports, const struct desired_bridge *bridge,
              const struct hmap *devices)
{
    return has_device(devices, bridge->port.inner)
           || has_device(devices, bridge->port.outer)
           || is_row(ovs_db_view(ports->ovs_db), bridge->port.inner);
}

/* Returns true if a row that is not marked as ours has the name that the
 * managed port of 'bridge' needs. */
static bool
is_foreign(const struct ports *ports, const struct desired_bridge *bridge)
{
    const struct ovs_view *view = ovs_db_view(ports->ovs_db);

    return is_row(view, bridge->port.inner)
           && !is_plugged(view, bridge->port.inner);
}

/* Reports that the managed port of 'bridge' failed with 'error'. */
static void
report_failure(struct ports *ports, const struct desired_bridge *bridge,
               int error)
{
    static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(2, 5);
    const char *why = (error != EEXIST ? ovs_strerror(error)
                       : is_foreign(ports, bridge)
                       ? "a port of that name exists that is not marked with "
                         "external_ids:" OVS_DB_MANAGED_KEY
                       : "another device has one of these names");

    VLOG_WARN_RL(&rl, "bridge %s: managed port %s/%s: %s", bridge->name,
                 bridge->port.inner, bridge->port.outer, why);
    problems_add(&ports->problems, REASON_PORT_FAILED,
                 "bridge %s: managed port %s/%s: %s", bridge->name,
                 bridge->port.inner, bridge->port.outer, why);
}

/* Forgets that the pair of 'bridge' could not be made, if what was in the way
 * has gone.  Where NICs fell back to generic mode and no port is wanted any
 * more, nothing else makes it be tried again. */
static void
forget_obstacle(struct ports *ports, const struct desired_bridge *bridge,
                const struct hmap *devices)
{
    if (!sset_contains(&ports->obstructed, bridge->name)) {
        return;
    } else if (is_obstructed(ports, bridge, devices)) {
        report_failure(ports, bridge, EEXIST);
    } else {
        sset_find_and_delete(&ports->obstructed, bridge->name);
        sset_find_and_delete(&ports->failed, bridge->name);
    }
}

/* Makes the veth pair of 'bridge' be there and be right. */
static void
make_pair(struct ports *ports, const struct desired_bridge *bridge,
          const struct hmap *devices)
{
    bool there = has_device(devices, bridge->port.inner)
                 && has_device(devices, bridge->port.outer);
    if (!there && must_unplug(ports, bridge)) {
        return;
    }
    int error = (there ? bridge_port_repair(&bridge->port, bridge->port_mtu)
                 : bridge_port_create(&bridge->port, bridge->port_mtu));

    if (!error) {
        error = bridge_port_set_merging(&bridge->port, !bridge->userspace);
    }
    if (!error && is_foreign(ports, bridge)) {
        error = EEXIST;
    }
    sset_find_and_delete(&ports->obstructed, bridge->name);
    if (!error) {
        sset_find_and_delete(&ports->failed, bridge->name);
        return;
    }
    if (error == EEXIST && is_obstructed(ports, bridge, devices)) {
        sset_add(&ports->obstructed, bridge->name);
    }
    report_failure(ports, bridge, error);
    sset_add(&ports->failed, bridge->name);
    ports->retry = true;
}

/* Returns true if the row of 'bridge', which wants a port, is to be declared.
 * Not without a pair; but where a foreign row is in the way, only a declared
 * one tells when that has gone. */
static bool
may_declare(const struct ports *ports, const struct desired_bridge *bridge)
{
    return (!sset_contains(&ports->unplugging, bridge->name)
            && (!sset_contains(&ports->failed, bridge->name)
                || is_foreign(ports, bridge)));
}

/* Declares the rows that 'desired' wants in the local database. */
static void
declare_rows(struct ports *ports, const struct desired *desired)
{
    struct ovs_managed_port *rows = xcalloc(MAX(1, desired->n_bridges),
                                            sizeof *rows);
    size_t n = 0;

    for (size_t i = 0; i < desired->n_bridges; i++) {
        const struct desired_bridge *bridge = &desired->bridges[i];
        if (bridge->wants_port && may_declare(ports, bridge)) {
            rows[n].bridge = bridge->name;
            rows[n++].device = bridge->port.inner;
        }
    }
    ovs_db_set_managed_ports(ports->ovs_db, rows, n);
    free(rows);
}

/* Keeps OVS from flooding towards the managed port of 'bridge'. */
static void
add_guard(struct ports *ports, const struct desired_bridge *bridge)
{
    if (!shash_find(&ports->guards, bridge->name)) {
        shash_add(&ports->guards, bridge->name,
                  port_guard_create(bridge->name, bridge->port.inner));
    }
}

/* Deletes the pair of 'bridge', which wants none, once no row holds it. */
static void
remove_pair(struct ports *ports, const struct desired_bridge *bridge,
            const struct hmap *devices)
{
    if (has_device(devices, bridge->port.inner)
        && !is_plugged(ovs_db_view(ports->ovs_db), bridge->port.inner)) {
        int error = bridge_port_delete(&bridge->port);
        if (error && error != EEXIST) {
            problems_add(&ports->problems, REASON_PORT_FAILED,
                         "bridge %s: deleting %s: %s", bridge->name,
                         bridge->port.inner, ovs_strerror(error));
            ports->retry = true;
        }
    }
}

/* Deletes the pairs of bridges that are plugged in, marked as ours, and not in
 * 'desired' at all.  Their rows are no longer declared and go by themselves;
 * so the devices can go at once. */
static void
remove_strays(struct ports *ports, const struct desired *desired)
{
    const struct ovs_view *view = ovs_db_view(ports->ovs_db);

    for (size_t i = 0; i < view->n_bridges; i++) {
        for (size_t j = 0; j < view->bridges[i].n_ports; j++) {
            const struct ovs_port *port = &view->bridges[i].ports[j];
            bool known = false;

            for (size_t k = 0; k < desired->n_bridges; k++) {
                known |= !strcmp(desired->bridges[k].port.inner, port->name);
            }
            if (port->managed && !known) {
                struct bridge_port_names names;
                bridge_port_names(port->managed, &names);
                bridge_port_delete(&names);
            }
        }
    }
}

/* Makes devices, rows and guards match 'desired'; 'devices' are those of the
 * kernel, 'now' is time_msec().  Returns true if the set of bridges without a
 * port changed, on which 'desired' depends. */
bool
ports_apply(struct ports *ports, const struct desired *desired,
            const struct hmap *devices, long long int now)
{
    struct sset failed_before;

    sset_clone(&failed_before, &ports->failed);
    ports->retry = false;
    problems_clear(&ports->problems);
    for (size_t i = 0; i < desired->n_bridges; i++) {
        const struct desired_bridge *bridge = &desired->bridges[i];
        if (bridge->wants_port) {
            make_pair(ports, bridge, devices);
            add_guard(ports, bridge);
        } else {
            remove_pair(ports, bridge, devices);
            forget_obstacle(ports, bridge, devices);
        }
    }
    declare_rows(ports, desired);
    remove_strays(ports, desired);
    drop_guards(ports, desired);

    if (ports->retry) {
        ports->retry_at = now + ports->backoff;
        ports->backoff = MIN(2 * ports->backoff, RETRY_MAX_MS);
    } else {
        ports->backoff = RETRY_MIN_MS;
    }

    bool learned = !sset_equals(&failed_before, &ports->failed);
    sset_destroy(&failed_before);
    return learned;
}

/* Forgets which bridges could not have a port.  Where NICs fell back to
 * generic mode because of that, nothing else makes them try again. */
void
ports_forget_failures(struct ports *ports)
{
    sset_clear(&ports->failed);
    sset_clear(&ports->obstructed);
}

/* Runs the guards. */
void
ports_run(struct ports *ports)
{
    struct shash_node *node;

    SHASH_FOR_EACH (node, &ports->guards) {
        port_guard_run(node->data);
    }
}

/* Makes poll_block() wake up when ports_run() or ports_apply() has work. */
void
ports_wait(struct ports *ports)
{
    struct shash_node *node;

    SHASH_FOR_EACH (node, &ports->guards) {
        port_guard_wait(node->data);
    }
    if (ports->retry) {
        poll_timer_wait_until(ports->retry_at);
    }
}

/* Returns true if ports_apply() has to be repeated at 'now'. */
bool
ports_is_due(const struct ports *ports, long long int now)
{
    return ports->retry && now >= ports->retry_at;
}

/* Returns the bridges whose managed port could not be made. */
const struct sset *
ports_failed(const struct ports *ports)
{
    return &ports->failed;
}

/* Returns what went wrong in the last ports_apply(). */
const struct problems *
ports_problems(const struct ports *ports)
{
    return &ports->problems;
}

/* Asks the local database to drop all managed rows, and deletes all pairs
 * among 'devices', those of bridges that are gone too.  Adds to 'remains'
 * those that stay.  The caller runs 'ovs_db' until it is settled. */
void
ports_remove_all(struct ports *ports, const struct hmap *devices,
                 struct svec *remains)
{
    const struct netdev_info *device;

    drop_guards(ports, NULL);
    ovs_db_set_managed_ports(ports->ovs_db, NULL, 0);
    HMAP_FOR_EACH (device, node, devices) {
        struct bridge_port_names names;

        if (bridge_port_names_of(device->name, &names)
            && has_device(devices, names.inner)) {
            int error = bridge_port_delete(&names);

            /* EEXIST: the names are all that they have of a pair. */
            if (error && error != EEXIST) {
                svec_add_nocopy(remains, xasprintf(
                    "managed port %s/%s: %s", names.inner, names.outer,
                    ovs_strerror(error)));
            }
        }
    }
}
