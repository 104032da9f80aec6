/* SPDX-License-Identifier: Apache-2.0 */
/* Managed bridge ports; see ovs-db-ports.h.
 *
 * Desired state against actual state: every run compares the view with what is
 * wanted, and as long as they differ, at most one transaction is under way
 * that makes them equal.  How the difference came about does not matter, so a
 * port that somebody deletes comes back, and a transaction that failed is
 * simply made again from what the database holds then.
 *
 * A port is added only after ovs-vswitchd has acted upon removals: if a port
 * goes and another of its name comes in what ovs-vswitchd takes for one
 * change, it may keep what it had opened for the first one.  As ovs-vsctl
 * does, a removal raises 'next_cfg', and 'cur_cfg' tells how far ovs-vswitchd
 * is. */
#include <config.h>

#include "idl/ovs-db-ports.h"

#include <stdlib.h>
#include <string.h>

#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "ovsdb-idl.h"
#include "timeval.h"
#include "util.h"

#include "idl/ovs-idl.h"

VLOG_DEFINE_THIS_MODULE(ovs_db_ports);

/* How long to wait after a failed transaction, in milliseconds, unless the
 * database changes earlier. */
#define RETRY_MS 1000

/* How long to wait for ovs-vswitchd to act upon a removal, in milliseconds.
 * It takes a few.  One that does not answer within seconds is not running, and
 * will know nothing of the removed port when it starts. */
#define REMOVAL_MS 2000

/* A port that is wanted. */
struct wanted_port {
    char *bridge;               /* Bridge to plug it into. */
    char *device;               /* Device, also Port and Interface name. */
    enum ovs_managed_state state; /* As of the last comparison. */
};

/* Managed ports of one database. */
struct ovs_db_ports {
    struct ovsdb_idl *idl;      /* Where to write; not owned. */
    struct wanted_port *wanted; /* What should be there. */
    size_t n_wanted;            /* Number of them. */
    bool dirty;                 /* 'wanted' changed since the last run. */
    bool pending;               /* The database differs from 'wanted' in
                                 * something that can be mended. */
    bool settled;               /* Nothing was left to do at the last run. */
    struct ovsdb_idl_txn *txn;  /* Transaction under way, or NULL. */
    long long int retry_at;     /* When to try again, or 0 for at once. */
    bool removing;              /* 'txn' removes a port. */
    int removal_ms;             /* How long to wait for ovs-vswitchd to act
                                 * upon a removal. */
    int64_t removal_cfg;        /* 'cur_cfg' that tells that ovs-vswitchd has
                                 * acted upon all removals. */
    long long int removal_until; /* When not to wait for that any more. */
};

/* Creates and returns an object that wants no port in the database behind
 * 'idl', and so would remove all that are marked as managed. */
struct ovs_db_ports *
ovs_db_ports_create(struct ovsdb_idl *idl)
{
    struct ovs_db_ports *ports = xzalloc(sizeof *ports);

    ports->idl = idl;
    ports->dirty = true;
    ports->removal_ms = REMOVAL_MS;
    return ports;
}

/* Makes 'ports' wait at most 'ms' for ovs-vswitchd to act upon a removal. */
void
ovs_db_ports_set_removal_wait(struct ovs_db_ports *ports, int ms)
{
    ports->removal_ms = ms;
}

/* Forgets all ports that 'ports' wants. */
static void
forget_wanted(struct ovs_db_ports *ports)
{
    for (size_t i = 0; i < ports->n_wanted; i++) {
        free(ports->wanted[i].bridge);
        free(ports->wanted[i].device);
    }
    free(ports->wanted);
    ports->wanted = NULL;
    ports->n_wanted = 0;
}

/* Destroys 'ports'; the database stays as it is. */
void
ovs_db_ports_destroy(struct ovs_db_ports *ports)
{
    if (ports) {
        if (ports->txn) {
            ovsdb_idl_txn_destroy(ports->txn);
        }
        forget_wanted(ports);
        free(ports);
    }
}

/* Returns the wanted port of 'ports' for 'device', or NULL. */
static struct wanted_port *
find_wanted(const struct ovs_db_ports *ports, const char *device)
{
    for (size_t i = 0; i < ports->n_wanted; i++) {
        if (!strcmp(ports->wanted[i].device, device)) {
            return &ports->wanted[i];
        }
    }
    return NULL;
}

/* Returns true if 'ports' already wants exactly the 'n' ports in 'new'. */
static bool
wanted_equals(const struct ovs_db_ports *ports,
              const struct ovs_managed_port *new, size_t n)
{
    if (n != ports->n_wanted) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        const struct wanted_port *w = find_wanted(ports, new[i].device);

        if (!w || strcmp(w->bridge, new[i].bridge)) {
            return false;
        }
    }
    return true;
}

/* Makes 'ports' want the 'n' ports in 'new', of which it makes a copy.  Of
 * several ports for one device the first counts. */
void
ovs_db_ports_set(struct ovs_db_ports *ports,
                 const struct ovs_managed_port *new, size_t n)
{
    if (wanted_equals(ports, new, n)) {
        return;
    }

    forget_wanted(ports);
    ports->wanted = xcalloc(n, sizeof *ports->wanted);
    for (size_t i = 0; i < n; i++) {
        if (!find_wanted(ports, new[i].device)) {
            ports->wanted[ports->n_wanted++] = (struct wanted_port) {
                .bridge = xstrdup(new[i].bridge),
                .device = xstrdup(new[i].device),
                .state = OVS_MANAGED_PENDING,
            };
        }
    }
    ports->dirty = true;
    ports->settled = false;
}

/* Comparison. */

/* Returns true if 'port' is, or contains an interface, named 'device'. */
static bool
port_occupies(const struct ovs_port *port, const char *device)
{
    if (!strcmp(port->name, device)) {
        return true;
    }
    for (size_t i = 0; i < port->n_ifaces; i++) {
        if (!strcmp(port->ifaces[i].name, device)) {
            return true;
        }
    }
    return false;
}

/* Returns true if 'port' of 'bridge' is what 'w' asks for. */
static bool
port_satisfies(const struct ovs_bridge *bridge, const struct ovs_port *port,
               const struct wanted_port *w)
{
    return (!strcmp(bridge->name, w->bridge)
            && !strcmp(port->name, w->device)
            && nullable_string_is_equal(port->managed, w->bridge)
            && port->n_ifaces == 1
            && !strcmp(port->ifaces[0].name, w->device)
            && (!port->ifaces[0].type[0]
                || !strcmp(port->ifaces[0].type, "system")));
}

/* Returns true if 'port' of 'bridge' is marked as managed, but not one that
 * 'ports' wants. */
static bool
port_is_stale(const struct ovs_db_ports *ports,
              const struct ovs_bridge *bridge, const struct ovs_port *port)
{
    if (!port->managed) {
        return false;
    }

    const struct wanted_port *w = find_wanted(ports, port->name);
    return !w || !port_satisfies(bridge, port, w);
}

/* Returns how 'w' is doing in 'view'. */
static enum ovs_managed_state
wanted_state(const struct ovs_view *view, const struct wanted_port *w)
{
    enum ovs_managed_state state = OVS_MANAGED_NO_BRIDGE;

    for (size_t i = 0; i < view->n_bridges; i++) {
        const struct ovs_bridge *bridge = &view->bridges[i];

        if (!strcmp(bridge->name, w->bridge)
            && state == OVS_MANAGED_NO_BRIDGE) {
            state = OVS_MANAGED_PENDING;
        }
        for (size_t j = 0; j < bridge->n_ports; j++) {
            const struct ovs_port *port = &bridge->ports[j];

            if (!port_occupies(port, w->device)) {
                continue;
            } else if (!port->managed) {
                return OVS_MANAGED_FOREIGN;
            } else if (port_satisfies(bridge, port, w)) {
                state = OVS_MANAGED_PRESENT;
            }
        }
    }
    return state;
}

/* Sets the state of 'w' to 'state', and logs what an operator should know. */
static void
wanted_set_state(struct wanted_port *w, enum ovs_managed_state state)
{
    if (w->state == state) {
        return;
    }
    w->state = state;
    if (state == OVS_MANAGED_FOREIGN) {
        VLOG_WARN("port %s for bridge %s: a port of that name exists and is "
                  "not marked with external_ids:%s, leaving it alone",
                  w->device, w->bridge, OVS_DB_MANAGED_KEY);
    } else if (state == OVS_MANAGED_NO_BRIDGE) {
        VLOG_WARN("port %s: there is no bridge %s", w->device, w->bridge);
    }
}

/* Compares what 'ports' wants with 'view'. */
static void
compare(struct ovs_db_ports *ports, const struct ovs_view *view)
{
    ports->pending = false;
    for (size_t i = 0; i < ports->n_wanted; i++) {
        struct wanted_port *w = &ports->wanted[i];

        wanted_set_state(w, wanted_state(view, w));
        ports->pending |= w->state == OVS_MANAGED_PENDING;
    }
    for (size_t i = 0; i < view->n_bridges; i++) {
        const struct ovs_bridge *bridge = &view->bridges[i];

        for (size_t j = 0; j < bridge->n_ports; j++) {
            ports->pending |= port_is_stale(ports, bridge, &bridge->ports[j]);
        }
    }
}

/* Transactions. */

/* Returns the row of the bridge 'name' in 'idl', or NULL. */
static const struct vsrec_bridge *
find_bridge(const struct ovsdb_idl *idl, const char *name)
{
    const struct vsrec_bridge *bridge;

    VSREC_BRIDGE_FOR_EACH (bridge, idl) {
        if (!strcmp(bridge->name, name)) {
            return bridge;
        }
    }
    return NULL;
}

/* Adds to the transaction of 'ports' the insertion of 'w'. */
static void
insert_port(struct ovs_db_ports *ports, const struct wanted_port *w)
{
    const struct vsrec_bridge *bridge = find_bridge(ports->idl, w->bridge);
    if (!bridge) {
        return;
    }

    struct vsrec_interface *iface = vsrec_interface_insert(ports->txn);
    vsrec_interface_set_name(iface, w->device);

    struct vsrec_port *port = vsrec_port_insert(ports->txn);
    const struct smap ids = SMAP_CONST1(&ids, OVS_DB_MANAGED_KEY, w->bridge);
    vsrec_port_set_name(port, w->device);
    vsrec_port_set_external_ids(port, &ids);
    vsrec_port_set_interfaces(port, &iface, 1);

    vsrec_bridge_update_ports_addvalue(bridge, port);
    ovsdb_idl_txn_add_comment(ports->txn, "ovn-xdpd: adding port %s to %s",
                              w->device, w->bridge);
    VLOG_INFO("adding port %s to bridge %s", w->device, w->bridge);
}

/* Adds to the transaction of 'ports' the removal of the port 'name' from
 * 'bridge'.  The rows go by themselves when nothing refers to them. */
static void
remove_port(struct ovs_db_ports *ports, const struct vsrec_bridge *bridge,
            const char *name)
{
    for (size_t i = 0; i < bridge->n_ports; i++) {
        const struct vsrec_port *port = bridge->ports[i];

        if (!strcmp(port->name, name)) {
            ports->removing = true;
            ovsdb_idl_txn_add_comment(ports->txn,
                                      "ovn-xdpd: removing port %s from %s",
                                      name, bridge->name);
            VLOG_INFO("removing port %s from bridge %s", name, bridge->name);
            vsrec_bridge_update_ports_delvalue(bridge, port);
            return;
        }
    }
}

/* Adds to the transaction of 'ports' the removal of all ports of 'view' that
 * are marked as managed, but not wanted where they are. */
static void
remove_stale_ports(struct ovs_db_ports *ports, const struct ovs_view *view)
{
    for (size_t i = 0; i < view->n_bridges; i++) {
        const struct ovs_bridge *bridge = &view->bridges[i];
        const struct vsrec_bridge *row = find_bridge(ports->idl,
                                                      bridge->name);

        for (size_t j = 0; row && j < bridge->n_ports; j++) {
            if (port_is_stale(ports, bridge, &bridge->ports[j])) {
                remove_port(ports, row, bridge->ports[j].name);
            }
        }
    }
}

/* Returns true if ovs-vswitchd has acted upon all removals of 'ports', or is
 * not there to do so. */
static bool
is_caught_up(const struct ovs_db_ports *ports)
{
    const struct vsrec_open_vswitch *row
        = vsrec_open_vswitch_first(ports->idl);

    return (time_msec() >= ports->removal_until
            || (row && row->cur_cfg >= ports->removal_cfg));
}

/* Has ovs-vswitchd tell when it has acted upon the transaction of 'ports'. */
static void
ask_for_answer(struct ovs_db_ports *ports)
{
    const struct vsrec_open_vswitch *row
        = vsrec_open_vswitch_first(ports->idl);

    if (row) {
        ovsdb_idl_txn_increment(ports->txn, &row->header_,
                                &vsrec_open_vswitch_col_next_cfg, false);
    }
}

/* Starts the transaction that brings 'view' nearer to what 'ports' wants: by
 * removals, or else by additions. */
static void
start_txn(struct ovs_db_ports *ports, const struct ovs_view *view)
{
    ports->txn = ovsdb_idl_txn_create(ports->idl);
    ports->removing = false;
    remove_stale_ports(ports, view);
    if (ports->removing) {
        ask_for_answer(ports);
        return;
    }
    for (size_t i = 0; i < ports->n_wanted; i++) {
        if (ports->wanted[i].state == OVS_MANAGED_PENDING) {
            insert_port(ports, &ports->wanted[i]);
        }
    }
}

/* Takes note that the transaction of 'ports' has succeeded. */
static void
txn_succeeded(struct ovs_db_ports *ports)
{
    ports->retry_at = 0;
    if (ports->removing) {
        ports->removal_cfg
            = ovsdb_idl_txn_get_increment_new_value(ports->txn);
        ports->removal_until = time_msec() + ports->removal_ms;
    }
}

/* Drives the transaction of 'ports', if any.  Returns true if none is under
 * way afterwards. */
static bool
run_txn(struct ovs_db_ports *ports)
{
    if (!ports->txn) {
        return true;
    }

    enum ovsdb_idl_txn_status status = ovsdb_idl_txn_commit(ports->txn);
    if (status == TXN_INCOMPLETE) {
        return false;
    }

    ports->retry_at = time_msec() + RETRY_MS;
    if (status == TXN_SUCCESS) {
        txn_succeeded(ports);
    } else if (status != TXN_UNCHANGED) {
        static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(5, 5);

        VLOG_WARN_RL(&rl, "could not change bridge ports (%s%s%s), retrying",
                     ovsdb_idl_txn_status_to_string(status),
                     status == TXN_ERROR ? ": " : "",
                     status == TXN_ERROR
                     ? ovsdb_idl_txn_get_error(ports->txn) : "");
    }
    ovsdb_idl_txn_destroy(ports->txn);
    ports->txn = NULL;
    return true;
}

/* Does what can be done to make the database what 'ports' wants.  'view' is
 * what the database holds, 'changed' whether it differs from that of the last
 * run.  Starts transactions only if 'may_commit', which says that 'view' is
 * current. */
void
ovs_db_ports_run(struct ovs_db_ports *ports, const struct ovs_view *view,
                 bool may_commit, bool changed)
{
    bool had_txn = ports->txn != NULL;
    if (!run_txn(ports)) {
        return;
    }

    if (changed || ports->dirty) {
        ports->retry_at = 0;
    }
    if (changed || ports->dirty || had_txn) {
        ports->dirty = false;
        compare(ports, view);
    }
    bool caught_up = is_caught_up(ports);
    if (ports->pending && may_commit && caught_up
        && time_msec() >= ports->retry_at) {
        start_txn(ports, view);
        run_txn(ports);
    }
    ports->settled = may_commit && !ports->pending && caught_up;
}

/* Makes poll_block() wake up when ovs_db_ports_run() has work, other than by
 * the IDL's own doing.  'may_commit' is as there. */
void
ovs_db_ports_wait(const struct ovs_db_ports *ports, bool may_commit)
{
    if (ports->txn) {
        ovsdb_idl_txn_wait(ports->txn);
    } else if (ports->dirty) {
        poll_immediate_wake();
    } else if (!is_caught_up(ports)) {
        poll_timer_wait_until(ports->removal_until);
    } else if (ports->pending && may_commit) {
        poll_timer_wait_until(ports->retry_at);
    }
}

/* Returns true if the database holds what 'ports' wants, except for ports that
 * cannot be there (OVS_MANAGED_NO_BRIDGE, OVS_MANAGED_FOREIGN). */
bool
ovs_db_ports_settled(const struct ovs_db_ports *ports)
{
    return ports->settled;
}

/* Returns how the port of 'ports' for 'device' is doing. */
enum ovs_managed_state
ovs_db_ports_state(const struct ovs_db_ports *ports, const char *device)
{
    const struct wanted_port *w = find_wanted(ports, device);

    return w ? w->state : OVS_MANAGED_UNWANTED;
}
