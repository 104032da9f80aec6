/* SPDX-License-Identifier: Apache-2.0 */
/* Layer L2 within the engine.
 *
 * Rules are written before an endpoint names them, and deleted when none does
 * any more; that an endpoint names them is written with the endpoint.  So each
 * packet meets the rules of before or those of after. */

#include <config.h>

#include "plugin/early-drop.h"

#include <limits.h>
#include <stdlib.h>

#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "simap.h"
#include "sset.h"
#include "timeval.h"
#include "util.h"

#include "idl/ovs-db.h"
#include "idl/sb-db.h"
#include "plugin/acl-apply.h"
#include "plugin/acl.h"
#include "plugin/desired.h"
#include "plugin/lease.h"
#include "plugin/limits.h"
#include "plugin/netdevs.h"
#include "plugin/newcomers.h"
#include "plugin/problems.h"
#include "plugin/reconcile.h"
#include "plugin/watch.h"

VLOG_DEFINE_THIS_MODULE(early_drop);

/* See plugin/early-drop.h. */
struct early_drop {
    struct sb_db *sb_db;        /* Southbound, borrowed. */
    const struct ovs_db *ovs_db; /* Local database, borrowed. */
    const struct netdevs *netdevs; /* Kernel devices, borrowed. */
    const struct dp_class *class; /* Back end. */
    struct dp *dp;              /* Datapath, borrowed; NULL until opened. */
    enum dp_acl_mode mode;      /* ovn-xdp-acl. */
    struct acl *acl;            /* Rules of ports. */
    struct acl_apply *apply;    /* What the datapath has of them; NULL until it
                                 * is open, and while the mode is "off". */
    uint32_t first_id;          /* First id that this daemon gives. */
    bool followed;              /* An earlier daemon has allowed programs to
                                 * drop until this one began. */
    struct watch *watch;        /* Connections that VMs open, likewise. */
    struct newcomers *newcomers; /* Addresses that are new here. */
    struct lease lease;         /* Last permission to drop. */
    struct sset changed_sets;   /* Address sets that are not written yet. */
    bool derive_all;            /* The next derivation looks at everything. */
    bool write_all;             /* The next writing does. */
    bool judge_all;             /* All endpoints are to be judged. */
    bool pending;               /* What was derived is not in the datapath. */
    bool failed;                /* The last writing is to be repeated. */
    long long int retry_at;     /* Then, when. */
    struct problems problems;   /* Of the last round. */
};

/* Creates what follows the ACLs of 'sb_db'.  All arguments are borrowed. */
struct early_drop *
early_drop_create(struct sb_db *sb_db, const struct ovs_db *ovs_db,
                  const struct netdevs *netdevs)
{
    struct early_drop *ed = xzalloc(sizeof *ed);

    ed->sb_db = sb_db;
    ed->ovs_db = ovs_db;
    ed->netdevs = netdevs;
    ed->acl = acl_create();
    ed->newcomers = newcomers_create();
    ed->derive_all = ed->write_all = ed->judge_all = true;
    sset_init(&ed->changed_sets);
    return ed;
}

/* Frees 'ed'.  The datapath stays as it is. */
void
early_drop_destroy(struct early_drop *ed)
{
    if (ed) {
        early_drop_close(ed);
        acl_destroy(ed->acl);
        newcomers_destroy(ed->newcomers);
        sset_destroy(&ed->changed_sets);
        problems_destroy(&ed->problems);
        free(ed);
    }
}

/* Makes 'mode' what becomes of packets that OVN would drop. */
void
early_drop_set_mode(struct early_drop *ed, enum dp_acl_mode mode)
{
    if (ed->mode != mode) {
        ed->mode = mode;
        ed->judge_all = true;
    }
}

/* Takes note that 'dp' of 'class' is open.  See plugin/early-drop.h. */
void
early_drop_open(struct early_drop *ed, const struct dp_class *class,
                struct dp *dp, uint32_t first_id)
{
    ed->class = class;
    ed->dp = dp;
    ed->first_id = first_id;
    ed->followed = class->last_lease(dp) >= time_msec();
    ed->watch = watch_create(class, dp);
}

/* Lets go of the datapath, which stays as it is, but for the lease. */
void
early_drop_close(struct early_drop *ed)
{
    if (ed->dp) {
        ed->class->lease(ed->dp, 0);
        acl_apply_destroy(ed->apply);
        watch_destroy(ed->watch);
        ed->apply = NULL;
        ed->watch = NULL;
        ed->dp = NULL;
    }
}

/* Brings the rules of ports up to date with the Southbound, of which
 * 'bindings', or anything if 'all', may have changed. */
void
early_drop_derive(struct early_drop *ed, const struct row_changes *bindings,
                  bool all)
{
    const struct sb_view *view = sb_db_view(ed->sb_db);
    struct sb_acl_changes changes;
    const char *name;

    sb_acl_changes_init(&changes);
    sb_db_take_acl_changes(ed->sb_db, &changes);
    acl_update(ed->acl, &(struct acl_inputs) { view, &view->acl },
               &(struct acl_changes) {
                   .all = all || ed->derive_all,
                   .bindings = bindings,
                   .view = &changes });
    SSET_FOR_EACH (name, &changes.sets) {
        sset_add(&ed->changed_sets, name);
    }
    ed->write_all |= all;
    ed->judge_all |= all;
    ed->derive_all = false;
    ed->pending = true;
    sb_acl_changes_destroy(&changes);
}

/* What judging of endpoints needs. */
struct round {
    struct early_drop *ed;      /* Who does. */
    struct desired *desired;    /* What is desired. */
    long long int now;          /* time_msec(). */
};

/* Returns true if 'found', in the datapath, has rules from before 'first_id',
 * and does what 'wanted' does: somebody found that it was not new. */
bool
early_drop_is_known(const struct dp_action *found,
                    const struct dp_action *wanted, uint32_t first_id)
{
    struct dp_action same = *wanted;

    same.acl = found->acl;
    return (found->acl && found->acl < first_id
            && dp_action_equals(found, &same));
}

/* Returns true if the datapath had 'ep' with rules when it was opened.  Of an
 * address that may have moved while nobody followed, that says nothing. */
static bool
had_rules(const struct early_drop *ed, const struct desired_endpoint *ep)
{
    struct dp_action found, wanted;

    return (ed->followed
            && desired_endpoint_action(ep, &wanted)
            && !ed->class->find_endpoint(ed->dp, &ep->key, &found)
            && early_drop_is_known(&found, &wanted, ed->first_id));
}

/* Returns true if the VM of 'ep', of which acl_judge() has said 'reason', is
 * here and nowhere else, as far as that can be said.
 *
 * Until then the time of its address does not begin: it may open connections
 * on another chassis. */
bool
early_drop_is_here(const struct desired_endpoint *ep, enum reason reason)
{
    return ep->reason == REASON_NONE && reason != REASON_ACL_PORT;
}

/* Returns true if 'ep' is new here, of which acl_judge() has said 'reason'. */
static bool
judge_newness(const struct round *round, const struct desired_endpoint *ep,
              enum reason reason)
{
    struct early_drop *ed = round->ed;
    const struct sb_view *view = sb_db_view(ed->sb_db);
    const struct acl_inputs inputs = { view, &view->acl };
    struct acl_behind behind;

    if (!early_drop_is_here(ep, reason)) {
        newcomers_forget(ed->newcomers, &ep->key);
        return true;
    }
    bool found = acl_find_behind(ed->acl, &inputs, ep, &behind);
    bool known = (!newcomers_has(ed->newcomers, &ep->key)
                  && had_rules(ed, ep));
    return !newcomers_judge(ed->newcomers, ep, found ? &behind : NULL, known,
                            round->now);
}

/* Judges 'ep' and has it name its rules. */
static void
judge_endpoint(const struct round *round, const struct desired_endpoint *ep)
{
    struct early_drop *ed = round->ed;
    const struct sb_view *view = sb_db_view(ed->sb_db);
    const struct acl_inputs inputs = { view, &view->acl };
    enum reason reason = REASON_ACL_OFF;
    const struct acl_set *set = NULL;
    uint32_t id = 0;

    if (ed->mode != DP_ACL_OFF) {
        set = acl_judge(ed->acl, &inputs, ep, &reason);
    }
    bool is_new = judge_newness(round, ep, reason);
    if (is_new && ed->mode != DP_ACL_OFF) {
        ed->class->learn_opened(ed->dp, &ep->key.addr,
                                round->now + NEWCOMER_MS);
    }
    if (set && !(ep->bridge
                 && watch_has_bridge(ed->watch, ep->bridge->name))) {
        reason = REASON_ACL_UNWATCHED;
    } else if (set && is_new) {
        reason = REASON_ACL_NEW;
    } else if (set) {
        id = acl_apply_id(ed->apply, set);
        reason = acl_apply_reason(ed->apply, set);
    }
    desired_set_acl(round->desired, &ep->key, id, reason);
}

/* Judges all endpoints. */
static void
judge_all(const struct round *round)
{
    const struct desired_endpoint *ep;

    newcomers_sweep(round->ed->newcomers, round->desired);
    HMAP_FOR_EACH (ep, node, &round->desired->endpoints) {
        judge_endpoint(round, ep);
    }
}

/* Judges the endpoint with 'key', if there is one.  'round_' is a struct
 * round. */
static void
judge_key(const struct dp_key *key, void *round_)
{
    const struct round *round = round_;
    const struct desired_endpoint *ep
        = desired_find_endpoint(round->desired, key);

    if (ep) {
        judge_endpoint(round, ep);
    } else {
        newcomers_forget(round->ed->newcomers, key);
    }
}

/* Judges the endpoints that changed, those whose rules may have, and those
 * that are no longer new. */
static void
judge_changed(struct round *round)
{
    const struct desired_change *change;
    const struct acl_address *address;

    /* To judge an endpoint that changed makes no change of another one. */
    HMAP_FOR_EACH (change, node, &round->desired->changed) {
        judge_key(&change->key, round);
    }
    HMAP_FOR_EACH (address, node, &round->ed->acl->changed_addresses) {
        judge_key(&(struct dp_key) { .addr = address->ip }, round);
    }
    newcomers_run(round->ed->newcomers, round->now, judge_key, round);
}

/* Creates what writes rules when it is needed first: its maps are large. */
static void
follow_mode(struct early_drop *ed)
{
    if (ed->mode != DP_ACL_OFF && !ed->apply) {
        ed->apply = acl_apply_create(ed->class, ed->dp, ed->first_id);
        ed->write_all = ed->judge_all = true;
    }
}

/* Watches the devices that the bridges of 'desired' have. */
static void
run_watch(struct early_drop *ed, const struct desired *desired,
          long long int now)
{
    const struct watch_inputs inputs = {
        .enabled = ed->mode != DP_ACL_OFF,
        .desired = desired,
        .ovs = ovs_db_view(ed->ovs_db),
        .devices = netdevs_all(ed->netdevs),
    };

    ed->judge_all |= watch_run(ed->watch, &inputs, now);
}

/* Returns true if all endpoints of 'desired' are to be judged, whatever comes
 * of the rules. */
static bool
judges_all(const struct early_drop *ed, const struct desired *desired)
{
    return ed->judge_all || ed->acl->nat_changed || desired->all_changed;
}

/* Returns true if no endpoint of 'desired' is going to be judged for which
 * another set could come of it than the one that it names.  One that is no
 * longer new names none. */
static bool
is_steady(const struct early_drop *ed, const struct desired *desired)
{
    return (!judges_all(ed, desired)
            && hmap_is_empty(&desired->changed)
            && hmap_is_empty(&ed->acl->changed_addresses));
}

/* Writes the rules that are new, before endpoints of 'desired' name them.
 * Stores in 'ed' whether that is to be repeated. */
static void
write_rules(struct early_drop *ed, const struct desired *desired,
            long long int now)
{
    const struct acl_apply_inputs inputs = {
        .acl = ed->acl,
        .view = &sb_db_view(ed->sb_db)->acl,
        .changed_sets = ed->write_all ? NULL : &ed->changed_sets,
        .steady = is_steady(ed, desired),
        .now = now,
    };
    int error = 0;

    if (ed->apply) {
        error = acl_apply_prepare(ed->apply, &inputs, &ed->problems);
    }
    ed->failed = error != 0;
    ed->judge_all |= error || (ed->apply && acl_apply_take_changes(ed->apply));
    if (error) {
        static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 5);

        VLOG_WARN_RL(&rl, "cannot write rules (%s)", ovs_strerror(error));
        problems_add(&ed->problems, REASON_DATAPATH_ERROR,
                     "writing rules: %s", ovs_strerror(error));
        ed->retry_at = now + RETRY_MAX_MS;
    }
    ed->write_all = error != 0;
    sset_clear(&ed->changed_sets);
}

/* Writes what is new, at 'now', and has the endpoints of 'desired' name it. */
void
early_drop_prepare(struct early_drop *ed, struct desired *desired,
                   long long int now)
{
    problems_clear(&ed->problems);
    follow_mode(ed);
    run_watch(ed, desired, now);
    write_rules(ed, desired, now);
    struct round round = { ed, desired, now };
    if (judges_all(ed, desired)) {
        judge_all(&round);
    } else {
        judge_changed(&round);
    }
    acl_forget_changes(ed->acl);
    ed->judge_all = false;
}

/* Deletes what is old, after the endpoints were written.  Unless all were, as
 * 'in_step' tells, some name old rules, which must not meet new sources. */
void
early_drop_finish(struct early_drop *ed, bool in_step)
{
    ed->pending = false;
    if (ed->apply && !in_step) {
        ed->lease = (struct lease) { .state = LEASE_BEHIND };
        ed->class->lease(ed->dp, 0);
    }
    if (ed->apply) {
        acl_apply_finish(ed->apply);
    }
}

/* Returns true if it is time for a round, though nothing changed. */
bool
early_drop_is_due(const struct early_drop *ed, long long int now)
{
    return ((ed->failed && now >= ed->retry_at)
            || (ed->apply && now >= acl_apply_retry_at(ed->apply))
            || (ed->watch && (watch_is_due(ed->watch, now)
                              || newcomers_next(ed->newcomers) <= now)));
}

/* Renews the lease at 'now', if all that is desired is in the datapath, which
 * 'in_step' and 'reconcile' tell of its endpoints, and nothing else speaks
 * against it. */
void
early_drop_renew(struct early_drop *ed, const struct reconcile *reconcile,
                 bool in_step, long long int now)
{
    if (!ed->dp) {
        return;
    }
    const struct lease_inputs inputs = {
        .enabled = ed->mode != DP_ACL_OFF,
        .current = sb_db_view(ed->sb_db)->acl.current,
        .full = reconcile_is_full(reconcile),
        .in_step = (in_step && reconcile_is_in_step(reconcile)
                    && !ed->pending && !ed->failed),
        .settled_at = watch_settled_at(ed->watch),
    };

    if (lease_run(&ed->lease, &inputs, now)) {
        ed->class->lease(ed->dp, ed->lease.until);
    }
}

/* Makes poll_block() wake up when there is something to do. */
void
early_drop_wait(const struct early_drop *ed)
{
    if (ed->failed) {
        poll_timer_wait_until(ed->retry_at);
    }
    if (ed->apply && acl_apply_retry_at(ed->apply) != LLONG_MAX) {
        poll_timer_wait_until(acl_apply_retry_at(ed->apply));
    }
    if (ed->watch) {
        watch_wait(ed->watch);
        if (newcomers_next(ed->newcomers) != LLONG_MAX) {
            poll_timer_wait_until(newcomers_next(ed->newcomers));
        }
    }
    if (ed->lease.until) {
        poll_timer_wait_until(ed->lease.renew_at);
    } else if (ed->lease.state == LEASE_UNSETTLED
               && watch_settled_at(ed->watch) != LLONG_MAX) {
        poll_timer_wait_until(watch_settled_at(ed->watch));
    }
}

/* Takes connections that VMs opened before the watch began as none. */
void
early_drop_settle(struct early_drop *ed)
{
    if (ed->watch) {
        watch_settle(ed->watch);
        ed->class->settle_tracking(ed->dp);
    }
    newcomers_settle(ed->newcomers);
    poll_immediate_wake();
}

/* Returns the rules of ports. */
const struct acl *
early_drop_acl(const struct early_drop *ed)
{
    return ed->acl;
}

/* Returns what the datapath has of them, or NULL. */
const struct acl_apply *
early_drop_apply(const struct early_drop *ed)
{
    return ed->apply;
}

/* Returns what went wrong in the last round. */
const struct problems *
early_drop_problems(const struct early_drop *ed)
{
    return &ed->problems;
}

/* Returns what watches connections that VMs open, or NULL. */
const struct watch *
early_drop_watch(const struct early_drop *ed)
{
    return ed->watch;
}

/* Returns whether and until when packets may be dropped. */
const struct lease *
early_drop_lease(const struct early_drop *ed)
{
    return &ed->lease;
}

/* Adds to 'usage' what 'ed' holds. */
void
early_drop_get_memory_usage(const struct early_drop *ed, struct simap *usage)
{
    simap_increase(usage, "acl-ports", hmap_count(&ed->acl->ports));
    simap_increase(usage, "acl-sets", hmap_count(&ed->acl->sets));
    if (ed->apply) {
        acl_apply_get_memory_usage(ed->apply, usage);
    }
}
