/* SPDX-License-Identifier: Apache-2.0 */
/* One iteration of the daemon.
 *
 * Each source says whether its values changed; if one did, what is desired is
 * derived anew and brought about.  Nothing is touched before both databases
 * have been received once: until then a restarted daemon leaves the programs
 * and endpoints of its predecessor alone.  It waits for the Northbound, too,
 * if there is one, but not for ever. */

#include <config.h>

#include "plugin/engine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "openvswitch/dynamic-string.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "simap.h"
#include "svec.h"
#include "timeval.h"
#include "util.h"

#include "idl/nb-db.h"
#include "idl/ovs-db.h"
#include "idl/sb-db.h"
#include "plugin/desired.h"
#include "plugin/direct.h"
#include "plugin/early-drop.h"
#include "plugin/engine-private.h"
#include "plugin/host-flows.h"
#include "plugin/limits.h"
#include "plugin/netdevs.h"
#include "plugin/northbound.h"
#include "plugin/paths.h"
#include "plugin/ports.h"
#include "plugin/reconcile.h"
#include "plugin/tls.h"

VLOG_DEFINE_THIS_MODULE(engine);

/* Rounds of derivation and application in one run.  Each round can teach the
 * next one at most one failure per NIC or bridge, and nobody waits longer than
 * for these; the rest follows in the next run. */
#define MAX_ROUNDS 4

/* Updates what the window shows. */
static void
refresh_view(struct engine *engine)
{
    engine->view.settings = &engine->settings;
    engine->view.setting_problems = &engine->setting_problems;
    engine->view.tls_problems = tls_problems(engine->tls);
    engine->view.ovs_db = engine->ovs_db;
    engine->view.sb_db = engine->sb_db;
    engine->view.nb_db = engine->nb_db;
    engine->view.netdevs = engine->netdevs;
    engine->view.ports = engine->ports;
    engine->view.flows = engine->flows;
    engine->view.desired = engine->desired;
    engine->view.reconcile = engine->reconcile;
    engine->view.acl = early_drop_acl(engine->early_drop);
    engine->view.acl_apply = early_drop_apply(engine->early_drop);
    engine->view.acl_problems = early_drop_problems(engine->early_drop);
    engine->view.watch = early_drop_watch(engine->early_drop);
    engine->view.lease = early_drop_lease(engine->early_drop);
    engine->view.direct = engine->direct;
    engine->view.class = engine->class;
    engine->view.dp = engine->dp;
}

/* Creates an engine from 'options', which need not outlive the call, and
 * stores it in '*enginep'.  Returns 0 or a positive errno if the kernel's
 * devices cannot be followed. */
int
engine_create(const struct engine_options *options, struct engine **enginep)
{
    struct netdevs *netdevs;
    int error = netdevs_create(&netdevs);

    *enginep = NULL;
    if (error) {
        VLOG_ERR("cannot follow network devices: %s", ovs_strerror(error));
        return error;
    }

    struct engine *engine = xzalloc(sizeof *engine);
    engine->chassis = nullable_xstrdup(options->chassis);
    engine->pin_dir = xstrdup(options->pin_dir);
    engine->dry_run = options->dry_run;
    engine->class = (options->dry_run ? &datapath_fake_class
                     : &datapath_bpf_class);
    engine->netdevs = netdevs;
    engine->tls = tls_create(&options->tls);
    engine->ovs_db = ovs_db_create(options->ovs_remote);
    engine->sb_db = sb_db_create();
    engine->nb_db = nb_db_create();
    engine->ports = ports_create(engine->ovs_db);
    engine->flows = host_flows_create(ovs_vswitchd_rundir());
    engine->early_drop = early_drop_create(engine->sb_db, engine->ovs_db,
                                           netdevs);
    engine->recheck_at = LLONG_MAX;
    engine->nb_grace_until = LLONG_MAX;
    engine->beat_at = LLONG_MAX;
    row_changes_init(&engine->bindings);
    row_changes_init(&engine->sb_facts);
    row_changes_init(&engine->nb_facts);
    settings_init(&engine->settings);
    engine->view.started = time_msec();
    engine->view.started_wall = time_wall_msec();
    error = direct_create(&(struct direct_sources) {
        .sb_db = engine->sb_db,
        .ovs_db = engine->ovs_db,
        .netdevs = netdevs,
        .acl = early_drop_acl(engine->early_drop),
        .settings = &engine->settings }, &engine->direct);
    if (error) {
        VLOG_ERR("cannot follow routes: %s", ovs_strerror(error));
        engine_destroy(engine);
        return error;
    }
    refresh_view(engine);
    *enginep = engine;
    return 0;
}

/* Follows the TLS files, also those that are replaced while the connection is
 * up: the next one uses them. */
void
engine_run_tls(struct engine *engine)
{
    const struct ovs_view *view = ovs_db_view(engine->ovs_db);

    tls_run(engine->tls, &(struct tls_files) {
        .private_key = view->ssl_private_key,
        .certificate = view->ssl_certificate,
        .ca_cert = view->ssl_ca_cert,
        .bootstrap = view->ssl_bootstrap });
}

/* Frees 'engine'.  The datapath stays in place. */
void
engine_destroy(struct engine *engine)
{
    if (!engine) {
        return;
    }
    reconcile_destroy(engine->reconcile);
    direct_destroy(engine->direct);
    early_drop_destroy(engine->early_drop);
    if (engine->dp) {
        engine->class->close(engine->dp, false);
    }
    ports_destroy(engine->ports);
    host_flows_destroy(engine->flows);
    desired_destroy(engine->desired);
    row_changes_destroy(&engine->bindings);
    row_changes_destroy(&engine->sb_facts);
    row_changes_destroy(&engine->nb_facts);
    nb_db_destroy(engine->nb_db);
    sb_db_destroy(engine->sb_db);
    ovs_db_destroy(engine->ovs_db);
    netdevs_destroy(engine->netdevs);
    tls_destroy(engine->tls);
    settings_destroy(&engine->settings);
    problems_destroy(&engine->setting_problems);
    free(engine->failure);
    free(engine->chassis);
    free(engine->pin_dir);
    free(engine);
}

/* Brings the settings and what depends on them up to date with the local
 * database. */
static void
apply_settings(struct engine *engine)
{
    const struct ovs_view *view = ovs_db_view(engine->ovs_db);
    struct problems before = engine->setting_problems;

    engine->setting_problems = (struct problems) PROBLEMS_INITIALIZER;
    settings_update(&engine->settings, &view->external_ids, engine->chassis,
                    &engine->setting_problems);
    problems_log_new(&engine->setting_problems, &before);
    problems_destroy(&before);
    engine_run_tls(engine);
    early_drop_set_mode(engine->early_drop, engine->settings.acl);
    sb_db_set_target(engine->sb_db, &(struct sb_target) {
        .remote = engine->settings.remote,
        .chassis = engine->settings.chassis,
        .probe_interval = engine->settings.probe_interval,
        .acl = engine->settings.acl != DP_ACL_OFF || engine->settings.direct,
        .path = engine->settings.direct });
}

/* Tells the programs that the daemon is alive, if what they do is trusted and
 * they want to know, as those may that another daemon has left or that could
 * not be replaced; and sets the time when to do so again. */
static void
beat(struct engine *engine)
{
    bool wanted = (engine->settings.stale_timeout
                   || reconcile_is_timed(engine->reconcile));

    engine->beat_at = LLONG_MAX;
    if (engine->trusted && wanted) {
        long long int now = time_msec();

        engine->class->beat(engine->dp, now);
        engine->beat_at = now + HEARTBEAT_MS;
    }
}

/* Returns true if no daemon has been alive for so long that the programs in
 * the datapath, which is open, have ceased to redirect.  They go on doing
 * nothing until it is known what OVN wants now. */
static bool
is_stale(const struct engine *engine)
{
    long long int timeout = engine->settings.stale_timeout * 1000LL;
    long long int age = time_msec() - engine->class->last_beat(engine->dp);

    return timeout && age > timeout;
}

/* Opens the datapath, as soon as the settings that it needs are known.
 * Returns 0 or a positive errno. */
static int
open_datapath(struct engine *engine)
{
    struct dp_config config = {
        .pin_dir = engine->pin_dir,
        .max_endpoints = engine->settings.max_endpoints,
        .max_flows = engine->settings.max_flows,
    };
    int error = engine->class->open(&config, &engine->dp);

    if (error) {
        engine->failure = xasprintf("%s: cannot open the datapath: %s",
                                    engine->pin_dir,
                                    dp_open_error_to_string(error));
        engine->dp = NULL;
        return error;
    }
    engine->reconcile = reconcile_create(engine->class, engine->dp);
    early_drop_open(engine->early_drop, engine->class, engine->dp,
                    reconcile_max_acl(engine->reconcile) + 1);
    direct_open(engine->direct, engine->class, engine->dp);
    engine->view.max_endpoints = config.max_endpoints;
    engine->view.max_flows = config.max_flows;
    engine->trusted = !is_stale(engine);
    beat(engine);
    return 0;
}

/* Brings what is desired up to date with the current values. */
static void
derive(struct engine *engine)
{
    struct desired_inputs inputs = {
        .settings = &engine->settings,
        .ovs = ovs_db_view(engine->ovs_db),
        .sb = sb_db_view(engine->sb_db),
        .sb_facts = &sb_db_view(engine->sb_db)->facts,
        .nb_facts = &nb_db_view(engine->nb_db)->facts,
        .devices = netdevs_all(engine->netdevs),
        .attached = reconcile_attached(engine->reconcile),
        .foreign = reconcile_foreign(engine->reconcile),
        .native_failed = reconcile_native_failed(engine->reconcile),
        .port_failed = ports_failed(engine->ports),
    };
    struct desired_changes changes = {
        .all = engine->all_dirty,
        .devices = engine->devices_dirty,
        .bindings = &engine->bindings,
        .sb_facts = &engine->sb_facts,
        .nb_facts = &engine->nb_facts,
    };
    static const struct problems none = PROBLEMS_INITIALIZER;

    if (!engine->desired) {
        engine->desired = desired_create();
        engine->view.desired = engine->desired;
    }
    sb_db_take_changes(engine->sb_db, &engine->bindings, &engine->sb_facts);
    nb_db_take_changes(engine->nb_db, &engine->nb_facts);
    desired_update(engine->desired, &inputs, &changes);
    early_drop_derive(engine->early_drop, &engine->bindings,
                      engine->all_dirty);
    direct_note(engine->direct, engine->desired, &engine->bindings,
                engine->devices_dirty, engine->all_dirty);
    row_changes_clear(&engine->bindings);
    row_changes_clear(&engine->sb_facts);
    row_changes_clear(&engine->nb_facts);
    engine->devices_dirty = engine->all_dirty = false;
    problems_log_new(&engine->desired->fresh_problems, &none);
    engine->view.n_recomputes = engine->desired->n_recomputes;
    engine->view.n_updates++;
}

/* Asks the kernel again about the NICs that seem to carry a foreign program:
 * it may be ours of a moment ago, or be gone, since a BPF link comes and goes
 * without an event.  Returns true if any device changed, after which what is
 * desired has to be derived anew. */
static bool
refresh_foreign(struct engine *engine)
{
    const struct sset *met = reconcile_foreign(engine->reconcile);
    const struct desired *desired = engine->desired;
    bool changed = false;

    for (size_t i = 0; i < desired->n_interfaces; i++) {
        const struct desired_interface *iface = &desired->interfaces[i];
        if (iface->reason == REASON_FOREIGN_XDP
            && !sset_contains(met, iface->name)) {
            changed |= netdevs_refresh(engine->netdevs, iface->name);
        }
    }
    engine->devices_dirty |= changed;
    return changed;
}

/* Asks the kernel again about the NICs that settings name or find: a program
 * attached or detached as a BPF link causes no event. */
static void
refresh_interfaces(struct engine *engine)
{
    const struct desired *desired = engine->desired;

    for (size_t i = 0; desired && i < desired->n_interfaces; i++) {
        netdevs_refresh(engine->netdevs, desired->interfaces[i].name);
    }
}

/* Returns true if a NIC seems to carry a foreign program. */
static bool
any_foreign(const struct desired *desired)
{
    for (size_t i = 0; i < desired->n_interfaces; i++) {
        if (desired->interfaces[i].reason == REASON_FOREIGN_XDP) {
            return true;
        }
    }
    return false;
}

/* Brings the datapath to what is desired at 'now'.  Returns true if that
 * taught something that the derivation depends on. */
static bool
reconcile(struct engine *engine, long long int now)
{
    const struct sset *sets[] = {
        reconcile_attached(engine->reconcile),
        reconcile_foreign(engine->reconcile),
        reconcile_native_failed(engine->reconcile),
    };
    struct sset before[ARRAY_SIZE(sets)];

    for (size_t i = 0; i < ARRAY_SIZE(sets); i++) {
        sset_clone(&before[i], sets[i]);
    }
    early_drop_prepare(engine->early_drop, engine->desired, now);
    engine->view.acl_apply = early_drop_apply(engine->early_drop);
    bool learned = reconcile_run(engine->reconcile, engine->desired, now);
    early_drop_finish(engine->early_drop,
                      reconcile_is_in_step(engine->reconcile));
    direct_run(engine->direct, engine->desired, now);
    bool any_detached = sset_count(sets[0]) < sset_count(&before[0]);
    for (size_t i = 0; i < ARRAY_SIZE(sets); i++) {
        engine->devices_dirty |= !sset_equals(&before[i], sets[i]);
        sset_destroy(&before[i]);
    }
    desired_forget_changes(engine->desired);

    /* A NIC that got another name carries our program by its old one, and so
     * a foreign one, until that has been detached. */
    return learned || (any_detached && any_foreign(engine->desired));
}

/* Brings about what is desired.  Returns true if that taught something that
 * the derivation depends on. */
static bool
apply(struct engine *engine)
{
    long long int now = time_msec();

    /* What was desired without knowing of a port that cannot be made must not
     * reach a NIC: each change of its mode loses packets. */
    if (!engine->dry_run
        && ports_apply(engine->ports, engine->desired,
                       netdevs_all(engine->netdevs), now)) {
        engine->devices_dirty = true;
        return true;
    }
    bool learned = reconcile(engine, now);
    if (learned) {
        refresh_interfaces(engine);
        engine->devices_dirty = true;
    }
    engine->view.programmed = true;
    return learned;
}

/* Sets the time to look again at NICs with a foreign program, if there are
 * any: one that was attached as a BPF link goes without an event. */
static void
schedule_recheck(struct engine *engine)
{
    engine->recheck_at = (any_foreign(engine->desired)
                          ? time_msec() + RETRY_MAX_MS : LLONG_MAX);
}

/* Returns true if the datapath has to stay as it was found for a while: some
 * of the endpoints in it may be there because of the Northbound, which has not
 * been received yet.  That also goes for those of a generation with another
 * layout, which nobody can read: all that is known is that NICs use it.  Sets
 * the time when the wait ends. */
static bool
awaits_northbound(struct engine *engine)
{
    long long int end = engine->view.started + NB_START_GRACE_MS;
    bool waits = (!engine->view.programmed && engine->settings.nb_remote[0]
                  && !nb_db_view(engine->nb_db)->complete
                  && reconcile_has_adopted(engine->reconcile)
                  && time_msec() < end);

    if (engine->nb_grace_until != LLONG_MAX && time_msec() >= end) {
        VLOG_WARN("the Northbound is not there after %d ms, what only it "
                  "tells is given up", NB_START_GRACE_MS);
    }
    engine->nb_grace_until = waits ? end : LLONG_MAX;
    return waits;
}

/* Derives and brings about, until nothing new is learned. */
static void
update(struct engine *engine)
{
    engine->dirty = false;
    for (int i = 0; i < MAX_ROUNDS; i++) {
        derive(engine);
        if (refresh_foreign(engine)) {
            derive(engine);
        }
        schedule_recheck(engine);
        if (!sb_db_view(engine->sb_db)->complete
            || awaits_northbound(engine)) {
            return;
        }
        engine->trusted = true;
        beat(engine);
        if (!apply(engine)) {
            return;
        }
    }
    engine->dirty = true;
    poll_immediate_wake();
}

/* Runs the databases of OVN.  What is asked of the Northbound follows the
 * settings, which changed if 'reconfigured', and the Southbound.  Returns true
 * if a value changed. */
static bool
run_ovn(struct engine *engine, bool reconfigured)
{
    bool changed = sb_db_run(engine->sb_db);
    const struct sb_view *view = sb_db_view(engine->sb_db);

    if (reconfigured || engine->nb_seqno != view->seqno) {
        engine->nb_seqno = view->seqno;
        northbound_set_target(engine->nb_db, &engine->settings, view);
    }
    return nb_db_run(engine->nb_db) || changed;
}

/* Runs the sources, and notes which values changed. */
static void
run_sources(struct engine *engine)
{
    bool reconfigured = ovs_db_run(engine->ovs_db);
    bool changed = reconfigured;

    if (reconfigured) {
        apply_settings(engine);
    }
    if (netdevs_run(engine->netdevs)) {
        changed = true;
    }
    if (changed && engine->reconcile) {
        reconcile_forget_foreign(engine->reconcile);
    }
    engine->devices_dirty |= changed;
    engine->dirty |= changed;
    engine->dirty |= run_ovn(engine, reconfigured);
}

/* Renews the lease, without which nothing is dropped. */
static void
renew_lease(struct engine *engine)
{
    early_drop_renew(engine->early_drop, engine->reconcile,
                     !engine->dirty && engine->view.programmed,
                     time_msec());
}

/* Does what there is to do now.  Returns 0, or a positive errno after which
 * the daemon cannot go on: engine_failure() says why. */
int
engine_run(struct engine *engine)
{
    long long int now = time_msec();

    engine_run_tls(engine);
    run_sources(engine);
    ports_run(engine->ports);
    host_flows_run(engine->flows);
    if (!ovs_db_view(engine->ovs_db)->complete) {
        return 0;
    }
    if (!engine->dp) {
        int error = open_datapath(engine);
        if (error) {
            return error;
        }
        engine->dirty = engine->devices_dirty = true;
        refresh_view(engine);
    }
    if (now >= engine->beat_at) {
        beat(engine);
    }
    if (now >= engine->recheck_at) {
        reconcile_forget_foreign(engine->reconcile);
        engine->dirty = engine->devices_dirty = true;
    }
    if (reconcile_is_due(engine->reconcile, now)
        || ports_is_due(engine->ports, now)) {
        engine->dirty = engine->devices_dirty = true;
    }
    engine->dirty |= direct_poll(engine->direct, now);
    engine->dirty |= (now >= engine->nb_grace_until
                      || early_drop_is_due(engine->early_drop, now));
    if (engine->dirty) {
        update(engine);
    }
    renew_lease(engine);
    return 0;
}

/* Returns why engine_run() has failed. */
const char *
engine_failure(const struct engine *engine)
{
    return engine->failure;
}

/* Makes poll_block() wake up when engine_run() has work. */
void
engine_wait(struct engine *engine)
{
    ovs_db_wait(engine->ovs_db);
    sb_db_wait(engine->sb_db);
    nb_db_wait(engine->nb_db);
    netdevs_wait(engine->netdevs);
    ports_wait(engine->ports);
    host_flows_wait(engine->flows);
    early_drop_wait(engine->early_drop);
    direct_wait(engine->direct);
    if (engine->reconcile) {
        reconcile_wait(engine->reconcile);
    }
    if (engine->recheck_at != LLONG_MAX) {
        poll_timer_wait_until(engine->recheck_at);
    }
    if (engine->nb_grace_until != LLONG_MAX) {
        poll_timer_wait_until(engine->nb_grace_until);
    }
    if (engine->beat_at != LLONG_MAX) {
        poll_timer_wait_until(engine->beat_at);
    }
}

/* Forgets failures and derives everything anew in the next run. */
void
engine_recompute(struct engine *engine)
{
    if (engine->reconcile) {
        reconcile_forget_failures(engine->reconcile);
    }
    ports_forget_failures(engine->ports);
    refresh_interfaces(engine);
    sb_db_recompute(engine->sb_db);
    nb_db_recompute(engine->nb_db);
    engine->dirty = engine->all_dirty = true;
    poll_immediate_wake();
}

/* Takes connections that VMs opened before that could be seen as none, so that
 * packets may be dropped at once. */
void
engine_settle(struct engine *engine)
{
    early_drop_settle(engine->early_drop);
}

/* Leaves events without consequences for direct flows if 'suppress', so that
 * only confirmation revokes them. */
void
engine_suppress_direct_events(struct engine *engine, bool suppress)
{
    direct_suppress_events(engine->direct, suppress);
}

/* Accepts a Southbound database that was rebuilt with a lower index. */
void
engine_reset_min_index(struct engine *engine)
{
    sb_db_reset_min_index(engine->sb_db);
    engine_recompute(engine);
}

/* The same for the Northbound database. */
void
engine_reset_nb_min_index(struct engine *engine)
{
    nb_db_reset_min_index(engine->nb_db);
    engine_recompute(engine);
}

/* Appends to 'ds' how the Southbound connection is doing, in the words of
 * ovn-controller. */
void
engine_connection_status(const struct engine *engine, struct ds *ds)
{
    struct db_status status;

    sb_db_status(engine->sb_db, &status);
    ds_put_cstr(ds, status.state == DB_SYNCING || status.state == DB_SYNCED
                ? "connected" : "not connected");
}

/* Returns true once the datapath is open and locked by this process. */
bool
engine_is_open(const struct engine *engine)
{
    return engine->dp != NULL;
}

/* Returns how far 'engine' has come. */
enum engine_progress
engine_progress(const struct engine *engine)
{
    const struct settings *s = &engine->settings;

    if (!engine->dp) {
        return ENGINE_WAITING;
    } else if ((!s->interfaces_auto && sset_is_empty(&s->interfaces))
               || !s->remote[0]) {
        return ENGINE_UNCONFIGURED;
    }
    return engine->view.programmed ? ENGINE_PROGRAMMED : ENGINE_WAITING;
}

/* Adds to 'usage' how many things 'engine' holds. */
void
engine_get_memory_usage(const struct engine *engine, struct simap *usage)
{
    sb_db_get_memory_usage(engine->sb_db, usage);
    nb_db_get_memory_usage(engine->nb_db, usage);
    early_drop_get_memory_usage(engine->early_drop, usage);
    direct_get_memory_usage(engine->direct, usage);
    if (engine->desired) {
        simap_increase(usage, "endpoints",
                       hmap_count(&engine->desired->endpoints));
    }
}

/* Returns the window on 'engine' for rpc/, valid as long as 'engine'. */
const struct view *
engine_view(const struct engine *engine)
{
    return &engine->view;
}
