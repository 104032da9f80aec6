/* SPDX-License-Identifier: Apache-2.0 */
/* The window for rpc/: status and health.  The lists are in
 * plugin/view-lists.c. */

#include <config.h>

#include "plugin/view.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "openvswitch/dynamic-string.h"
#include "timeval.h"
#include "util.h"

#include "idl/nb-db.h"
#include "idl/ovs-db.h"
#include "idl/sb-db.h"
#include "plugin/desired.h"
#include "plugin/direct.h"
#include "plugin/log-file.h"
#include "plugin/ports.h"
#include "plugin/reconcile.h"
#include "plugin/settings.h"
#include "plugin/view-direct.h"
#include "plugin/view-host.h"
#include "plugin/view-lists.h"
#include "plugin/view-private.h"
#include "plugin/watch.h"

/* Frees the 'n' problems in 'problems'. */
static void
free_problems(struct view_problem *problems, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free(problems[i].class);
        free(problems[i].message);
    }
    free(problems);
}

/* Returns what may help where 'db' is not connected, a constant string.  The
 * library reports as EPROTO that we do not trust the server, and as EIO or
 * EPIPE that the server does not trust us. */
static const char *
connection_hint(const struct db_status *db)
{
    bool distrust = (db->error == EPROTO || db->error == EIO
                     || db->error == EPIPE);

    return (distrust && strstr(db->remote, "ssl:")
            ? "; check private key, certificate and CA certificate of both "
              "ends, and the log"
            : "");
}

/* Adds to 'problems' one for 'db' if it is not connected, or only seems to
 * be: the kernel takes connections for a server that has come to a stop. */
static void
add_database_problem(struct problems *problems, const struct db_status *db)
{
    if (db->state == DB_DISABLED) {
        problems_add(problems, REASON_DATABASE_DOWN,
                     "%s: no remote is configured", db->name);
    } else if (db->state == DB_CONNECTING) {
        problems_add(problems, REASON_DATABASE_DOWN,
                     "%s: not connected to %s%s%s%s", db->name, db->remote,
                     db->error ? ": " : "",
                     db->error ? ovs_retval_to_string(db->error) : "",
                     connection_hint(db));
    } else if (!db->current) {
        problems_add(problems, REASON_DATABASE_DOWN,
                     "%s: %s has not answered yet", db->name, db->remote);
    }
}

/* Adds to 'problems' those of the Northbound database, if one is
 * configured. */
static void
add_northbound(const struct view *view, struct problems *problems)
{
    const struct nb_view *nb = nb_db_view(view->nb_db);
    struct db_status db;
    const char *line;

    nb_db_status(view->nb_db, &db);
    if (db.state == DB_DISABLED) {
        return;
    }
    add_database_problem(problems, &db);
    SSET_FOR_EACH (line, &nb->bad) {
        problems_add(problems, REASON_BAD_ADDRESS, "%s", line);
    }
}

/* Adds to 'problems' one for each NIC whose program is gone although it should
 * be there.  The next change of anything attaches it again. */
static void
add_detached(const struct view *view, struct problems *problems)
{
    const struct desired *desired = view->desired;

    for (size_t i = 0; desired && i < desired->n_interfaces; i++) {
        if (view_interface_is_detached(view, &desired->interfaces[i])) {
            problems_add(problems, REASON_DETACHED, "%s: %s  run: ovn-appctl "
                         "-t ovn-xdpd recompute", desired->interfaces[i].name,
                         reason_sentence(REASON_DETACHED));
        }
    }
}

/* Fills 'problems' with all that 'view' knows of, with 'advice' then also what
 * need not be wrong but had better be known.  Returns the number of problems
 * without the latter. */
static size_t
collect_problems(const struct view *view, bool advice,
                 struct problems *problems)
{
    const struct sb_view *sb = sb_db_view(view->sb_db);
    struct db_status db;

    ovs_db_status(view->ovs_db, &db);
    add_database_problem(problems, &db);
    sb_db_status(view->sb_db, &db);
    add_database_problem(problems, &db);
    if (!sb->complete && db.state > DB_CONNECTING) {
        problems_add(problems, REASON_NO_CHASSIS,
                     "%s: no row for this chassis has been received yet",
                     db.name);
    }
    if (sb->complete && !sb->chassis_found) {
        problems_add(problems, REASON_NO_CHASSIS, "%s",
                     reason_sentence(REASON_NO_CHASSIS));
    }
    add_northbound(view, problems);
    problems_append(problems, view->setting_problems);
    problems_append(problems, view->tls_problems);
    log_file_check(problems);
    problems_append(problems, ports_problems(view->ports));
    if (view->desired) {
        problems_append(problems, &view->desired->problems);
    }
    if (view->reconcile) {
        add_detached(view, problems);
        problems_append(problems, reconcile_problems(view->reconcile));
    }
    if (view->acl_problems) {
        problems_append(problems, view->acl_problems);
    }
    if (view->watch) {
        problems_append(problems, watch_problems(view->watch));
    }
    if (view->direct) {
        problems_append(problems, direct_problems(view->direct));
    }
    return view_host_problems(view, advice, problems);
}

/* Stores copies of all problems of 'view', with 'advice' or without, in
 * '*listp' and their number in '*np'.  Returns how good its health is: without
 * a first programming nothing is served yet, which is failure; a problem while
 * serving is degradation, advice is none. */
static enum view_health_code
get_problems(const struct view *view, bool advice,
             struct view_problem **listp, size_t *np)
{
    struct problems problems = PROBLEMS_INITIALIZER;

    size_t n_serious = collect_problems(view, advice, &problems);
    *np = problems.n;
    *listp = xcalloc(MAX(1, problems.n), sizeof **listp);
    for (size_t i = 0; i < problems.n; i++) {
        (*listp)[i].class
            = xstrdup(reason_to_string(problems.list[i].class));
        (*listp)[i].message = xstrdup(problems.list[i].message);
    }
    problems_destroy(&problems);
    return (!view->programmed ? VIEW_FAILED
            : n_serious ? VIEW_DEGRADED
            : VIEW_OK);
}

/* Fills '*dst' with the state of the connection 'src'. */
static void
set_database(struct view_database *dst, const struct db_status *src)
{
    dst->name = xstrdup(src->name);
    dst->remote = xstrdup(src->remote);
    dst->state = db_state_to_string(src->state);
    dst->last_change = (src->last_change
                        ? (time_msec() - src->last_change) / 1000.0 : -1);
}

/* Fills the databases of 'status'. */
static void
get_databases(const struct view *view, struct view_status *status)
{
    struct db_status db;

    status->n_databases = 2;
    status->databases = xcalloc(3, sizeof *status->databases);
    ovs_db_status(view->ovs_db, &db);
    set_database(&status->databases[0], &db);
    sb_db_status(view->sb_db, &db);
    set_database(&status->databases[1], &db);
    nb_db_status(view->nb_db, &db);
    if (db.state != DB_DISABLED) {
        set_database(&status->databases[status->n_databases++], &db);
    }
}

/* Returns the elements of 'set', sorted, in one string; caller frees it. */
static char *
join(const struct sset *set)
{
    const char **sorted = sset_sort(set);
    struct ds ds = DS_EMPTY_INITIALIZER;

    for (size_t i = 0; i < sset_count(set); i++) {
        ds_put_format(&ds, "%s%s", i ? "," : "", sorted[i]);
    }
    free(sorted);
    return ds_steal_cstr(&ds);
}

/* Appends 'key' with 'value', which it takes, to the settings of 'status'. */
static void
add_setting(struct view_status *status, const char *key, char *value)
{
    status->settings = xrealloc(status->settings,
                                (status->n_settings + 1)
                                * sizeof *status->settings);
    status->settings[status->n_settings++]
        = (struct view_setting) { key, value };
}

/* Fills the settings of 'status' with those in force. */
static void
get_settings(const struct view *view, struct view_status *status)
{
    const struct settings *s = view->settings;

    add_setting(status, "ovn-remote", xstrdup(s->remote));
    add_setting(status, "ovn-bridge-mappings", xstrdup(s->mappings_text));
    add_setting(status, "ovn-remote-probe-interval",
                xasprintf("%d", s->probe_interval));
    add_setting(status, "ovn-xdp-interfaces",
                s->interfaces_auto ? xstrdup("auto") : join(&s->interfaces));
    add_setting(status, "ovn-xdp-exclude", join(&s->exclude));
    add_setting(status, "ovn-xdp-mode",
                xstrdup(settings_mode_to_string(s->mode)));
    add_setting(status, "ovn-xdp-bridge-port",
                xstrdup(settings_port_to_string(s->port)));
    add_setting(status, "ovn-xdp-acl",
                xstrdup(settings_acl_to_string(s->acl)));
    add_setting(status, "ovn-xdp-max-endpoints",
                xasprintf("%"PRIu32, s->max_endpoints));
    add_setting(status, "ovn-xdp-stale-timeout",
                xasprintf("%"PRIu32, s->stale_timeout));
    add_setting(status, "ovn-xdp-nb-remote", xstrdup(s->nb_remote));
    add_setting(status, "ovn-xdp-direct", xstrdup(s->direct ? "on" : "off"));
    add_setting(status, "ovn-xdp-nic-hook",
                xstrdup(settings_hook_to_string(s->nic_hook)));
    add_setting(status, "ovn-xdp-vm-hook",
                xstrdup(settings_hook_to_string(s->vm_hook)));
    add_setting(status, "ovn-xdp-confirm-ms",
                xasprintf("%"PRIu32, s->confirm_ms));
    add_setting(status, "ovn-xdp-max-flows",
                xasprintf("%"PRIu32, s->max_flows));
}

/* Counts the endpoints of 'view' by state into 'status'. */
static void
count_endpoints(const struct view *view, struct view_status *status)
{
    const struct desired_endpoint *ep;

    if (!view->desired) {
        return;
    }
    bool any_nic = view_any_nic(view);
    HMAP_FOR_EACH (ep, node, &view->desired->endpoints) {
        enum reason reason;
        switch (view_endpoint_state(view, ep, any_nic, &reason)) {
        case VIEW_ENDPOINT_OFFLOADED:
            status->n_offloaded++;
            break;
        case VIEW_ENDPOINT_PENDING:
            status->n_pending++;
            break;
        case VIEW_ENDPOINT_INELIGIBLE:
        default:
            status->n_ineligible++;
            break;
        }
    }
}

/* Counts the interfaces of 'view' that are attached into 'status'. */
static void
count_interfaces(const struct view *view, struct view_status *status)
{
    const struct desired *desired = view->desired;

    for (size_t i = 0; desired && i < desired->n_interfaces; i++) {
        status->n_interfaces
            += view_interface_is_attached(view, &desired->interfaces[i]);
    }
}

/* Fills '*status'. */
void
view_get_status(const struct view *view, struct view_status *status)
{
    *status = (struct view_status) {
        .chassis = xstrdup(view->settings->chassis
                           ? view->settings->chassis : ""),
        .version = PACKAGE_VERSION,
        .uptime = (time_msec() - view->started) / 1000.0,
        .generation = view_generation(view),
    };
    get_databases(view, status);
    get_settings(view, status);
    status->health = get_problems(view, true, &status->problems,
                                  &status->n_problems);
    count_endpoints(view, status);
    count_interfaces(view, status);
    view_direct_status(view, status);
}

/* Frees what 'status' holds. */
void
view_status_uninit(struct view_status *status)
{
    free(status->chassis);
    for (size_t i = 0; i < status->n_databases; i++) {
        free(status->databases[i].name);
        free(status->databases[i].remote);
    }
    free(status->databases);
    for (size_t i = 0; i < status->n_settings; i++) {
        free(status->settings[i].value);
    }
    free(status->settings);
    free_problems(status->problems, status->n_problems);
}

/* Fills '*health'. */
void
view_get_health(const struct view *view, struct view_health *health)
{
    health->code = get_problems(view, false, &health->reasons,
                                &health->n_reasons);
}

/* Frees what 'health' holds. */
void
view_health_uninit(struct view_health *health)
{
    free_problems(health->reasons, health->n_reasons);
}

/* Returns a number that grows with every change that is programmed. */
uint64_t
view_generation(const struct view *view)
{
    return view->reconcile ? reconcile_generation(view->reconcile) : 0;
}
