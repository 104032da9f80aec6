/* SPDX-License-Identifier: Apache-2.0 */
/* Between the pure half of the brain ('desired', 'diff') and the datapath.
 *
 * The order of one run: targets that are new, endpoints, NICs, then what is no
 * longer wanted.  So a NIC never runs a program whose endpoints are not there
 * yet, and an endpoint never points to a target that was not inserted.
 * Programs of an earlier daemon go on until attach_nic() replaces them. */

#include <config.h>

#include "plugin/reconcile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "simap.h"
#include "util.h"

#include "plugin/desired.h"
#include "plugin/diff.h"
#include "plugin/limits.h"

VLOG_DEFINE_THIS_MODULE(reconcile);

/* See plugin/reconcile.h. */
struct reconcile {
    const struct dp_class *class; /* Back end. */
    struct dp *dp;              /* Datapath, borrowed. */
    struct hmap installed;      /* Of struct installed_endpoint. */
    struct sset attached;       /* NICs with a program of ours, new or
                                 * adopted. */
    struct sset foreign;        /* NICs where attaching gave EBUSY. */
    struct sset native_failed;  /* NICs where attaching natively failed. */
    struct sset without_acl;    /* NICs whose program has no layer L2. */
    struct sset without_direct; /* NICs whose program has no layer L3. */
    struct simap attach_errors; /* NIC to errno of the last attempt. */
    struct simap targets;       /* Device index as text, to itself. */
    struct problems problems;   /* Of the last run. */
    bool full;                  /* An endpoint did not fit. */
    bool in_step;               /* 'installed' is what was desired in the last
                                 * run. */
    bool committed;             /* commit() was done. */
    bool refused;               /* A NIC is not as desired and will not be
                                 * soon: its driver refused. */
    bool failed;                /* The last run has to be repeated. */
    size_t n_current;           /* NICs that run this daemon's program. */
    bool timed;                 /* A NIC runs a program that may stop
                                 * redirecting without a heartbeat. */
    long long int retry_at;     /* When to repeat; meaningful if 'failed'. */
    long long int backoff;      /* Wait before the next repetition, in ms. */
    uint64_t generation;        /* Operations that were applied. */
};

/* Notes an endpoint that the datapath held when it was opened. */
static void
adopt_endpoint(const struct dp_endpoint *dp, void *r_)
{
    struct reconcile *r = r_;
    installed_put(&r->installed, dp);
}

/* Notes a NIC with a program of ours. */
static void
note_nic(const struct dp_nic_state *state, void *r_)
{
    struct reconcile *r = r_;

    sset_add(&r->attached, state->nic.name);
    if (state->current && !state->sink) {
        r->n_current++;
        if (state->nic.acl == DP_ACL_OFF) {
            sset_add(&r->without_acl, state->nic.name);
        }
        if (state->nic.direct == DP_HOOK_NONE) {
            sset_add(&r->without_direct, state->nic.name);
        }
    }

    /* What another daemon has asked for is not known. */
    r->timed |= (!state->sink
                 && (!state->current || state->nic.stale_timeout));
}

/* Asks the datapath again which NICs run our programs. */
static void
refresh_attached(struct reconcile *r)
{
    sset_clear(&r->attached);
    sset_clear(&r->without_acl);
    sset_clear(&r->without_direct);
    r->n_current = 0;
    r->timed = false;
    r->class->dump_nics(r->dp, note_nic, r);
}

/* Creates the reconciliation for 'dp' of 'class', taking over what 'dp' holds.
 * 'dp' must outlive the result. */
struct reconcile *
reconcile_create(const struct dp_class *class, struct dp *dp)
{
    struct reconcile *r = xzalloc(sizeof *r);

    r->class = class;
    r->dp = dp;
    r->backoff = RETRY_MIN_MS;
    hmap_init(&r->installed);
    sset_init(&r->attached);
    sset_init(&r->foreign);
    sset_init(&r->native_failed);
    sset_init(&r->without_acl);
    sset_init(&r->without_direct);
    simap_init(&r->attach_errors);
    simap_init(&r->targets);
    class->dump_endpoints(dp, adopt_endpoint, r);
    refresh_attached(r);
    if (hmap_count(&r->installed)) {
        VLOG_INFO("adopted %"PRIuSIZE" endpoints and %"PRIuSIZE" devices",
                  hmap_count(&r->installed), sset_count(&r->attached));
    }
    return r;
}

/* Frees 'r'.  The datapath stays as it is. */
void
reconcile_destroy(struct reconcile *r)
{
    if (r) {
        installed_destroy(&r->installed);
        sset_destroy(&r->attached);
        sset_destroy(&r->foreign);
        sset_destroy(&r->native_failed);
        sset_destroy(&r->without_acl);
        sset_destroy(&r->without_direct);
        simap_destroy(&r->attach_errors);
        simap_destroy(&r->targets);
        problems_destroy(&r->problems);
        free(r);
    }
}

/* Records that 'what' for 'name' failed with 'error' and is to be repeated. */
static void
note_failure(struct reconcile *r, const char *what, const char *name,
             int error)
{
    static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(5, 20);

    VLOG_WARN_RL(&rl, "%s %s: %s", what, name, ovs_strerror(error));
    problems_add(&r->problems, REASON_DATAPATH_ERROR, "%s %s: %s", what, name,
                 ovs_strerror(error));
    r->failed = true;
}

/* Makes the targets of 'desired' valid. */
static void
add_targets(struct reconcile *r, const struct desired *desired)
{
    for (size_t i = 0; i < desired->n_bridges; i++) {
        const struct desired_bridge *bridge = &desired->bridges[i];
        if (bridge->ifindex && !r->class->has_target(r->dp,
                                                     bridge->ifindex)) {
            int error = r->class->put_target(r->dp, bridge->ifindex);
            if (error) {
                note_failure(r, "adding target", bridge->device, error);
            } else {
                VLOG_INFO("bridge %s: frames enter by %s (%d)", bridge->name,
                          bridge->device, bridge->ifindex);
                r->generation++;
            }
        }
    }
}

/* Returns true if a bridge of 'desired' has the target 'ifindex'. */
static bool
is_target(const struct desired *desired, int ifindex)
{
    for (size_t i = 0; i < desired->n_bridges; i++) {
        if (desired->bridges[i].ifindex == ifindex) {
            return true;
        }
    }
    return false;
}

/* Forgets targets that 'desired' no longer has and notes those that it has. */
static void
sweep_targets(struct reconcile *r, const struct desired *desired)
{
    struct simap_node *node, *next;

    SIMAP_FOR_EACH_SAFE (node, next, &r->targets) {
        if (!is_target(desired, node->data)) {
            r->class->del_target(r->dp, node->data);
            simap_delete(&r->targets, node);
        }
    }
    for (size_t i = 0; i < desired->n_bridges; i++) {
        if (desired->bridges[i].ifindex) {
            char name[12];
            snprintf(name, sizeof name, "%d", desired->bridges[i].ifindex);
            simap_put(&r->targets, name, desired->bridges[i].ifindex);
        }
    }
}

/* Adds or replaces 'dp'. */
static void
put_endpoint(struct reconcile *r, const struct dp_endpoint *dp)
{
    int error = r->class->put_endpoint(r->dp, dp);

    if (!error) {
        installed_put(&r->installed, dp);
        r->generation++;
    } else if (error == ENOSPC) {
        r->full = true;
        r->in_step = false;
    } else {
        char text[INET6_ADDRSTRLEN];
        ipv6_string_mapped(text, &dp->key.addr);
        note_failure(r, "writing endpoint", text, error);
        r->in_step = false;
    }
}

/* Deletes the endpoint with 'key'. */
static void
del_endpoint(struct reconcile *r, const struct dp_key *key)
{
    int error = r->class->del_endpoint(r->dp, key);

    if (!error || error == ENOENT) {
        installed_del(&r->installed, key);
        r->generation++;
    } else {
        char text[INET6_ADDRSTRLEN];
        ipv6_string_mapped(text, &key->addr);
        note_failure(r, "deleting endpoint", text, error);
        r->in_step = false;
    }
}

/* Makes the endpoints in the datapath those of 'desired'.  Only those that
 * changed are looked at, if they are known and all others are as desired. */
static void
apply_endpoints(struct reconcile *r, const struct desired *desired)
{
    struct diff diff;

    if (r->in_step && !desired->all_changed) {
        diff_compute_changed(&r->installed, desired, &diff);
    } else {
        diff_compute(&r->installed, desired, &diff);
    }
    r->full = false;
    r->in_step = true;
    for (size_t i = 0; i < diff.n; i++) {
        if (diff.ops[i].type == DIFF_PUT) {
            put_endpoint(r, &diff.ops[i].dp);
        } else {
            del_endpoint(r, &diff.ops[i].dp.key);
        }
    }
    diff_destroy(&diff);
    if (r->full) {
        problems_add(&r->problems, REASON_MAP_FULL, "%s",
                     reason_sentence(REASON_MAP_FULL));
    }
}

/* Returns true if 'error', from attaching natively, is the driver's answer;
 * not a lack of the device, memory, permission or room, which generic mode
 * would meet too. */
static bool
is_drivers_no(int error)
{
    return error != ENODEV && error != ENOMEM && error != ENOSPC
           && error != EPERM && error != EACCES && error != EMFILE
           && error != ENFILE;
}

/* Reports that attaching to 'nic' gave 'error'. */
static void
report_attach_error(struct reconcile *r, const struct dp_nic *nic, int error)
{
    problems_add(&r->problems, REASON_ATTACH_FAILED,
                 "%s: cannot attach in %s mode: %s", nic->name,
                 nic->mode == DP_NATIVE ? "native" : "generic",
                 ovs_strerror(error));
}

/* Draws the conclusions from 'error', which attaching to 'nic' gave.  Returns
 * true if 'desired' depends on them. */
static bool
note_attach_error(struct reconcile *r, const struct dp_nic *nic, int error)
{
    simap_put(&r->attach_errors, nic->name, error);
    if (error == EBUSY) {
        return sset_add(&r->foreign, nic->name) != NULL;
    }
    VLOG_WARN("%s: cannot attach in %s mode: %s", nic->name,
              nic->mode == DP_NATIVE ? "native" : "generic",
              ovs_strerror(error));
    report_attach_error(r, nic, error);
    if (nic->mode == DP_NATIVE && is_drivers_no(error)) {
        r->refused = true;
        return sset_add(&r->native_failed, nic->name) != NULL;
    }
    r->failed = true;
    return false;
}

/* Attaches to 'nic', unless its driver has refused that before: an attempt at
 * native mode takes away what runs in generic mode meanwhile.  Returns true if
 * something was learned that 'desired' depends on. */
static bool
attach_nic(struct reconcile *r, const struct dp_nic *nic)
{
    if (nic->mode == DP_NATIVE
        && sset_contains(&r->native_failed, nic->name)) {
        report_attach_error(r, nic, simap_get(&r->attach_errors, nic->name));
        r->refused = true;
        return false;
    }

    int error = r->class->attach_nic(r->dp, nic);
    if (error) {
        return note_attach_error(r, nic, error);
    }
    simap_find_and_delete(&r->attach_errors, nic->name);
    return false;
}

/* Attaches to the NICs of 'desired'.  Returns true if something was learned
 * that 'desired' depends on. */
static bool
attach_nics(struct reconcile *r, const struct desired *desired)
{
    bool learned = false;

    r->refused = false;
    for (size_t i = 0; i < desired->n_interfaces; i++) {
        const struct desired_interface *iface = &desired->interfaces[i];
        if (iface->state == INTERFACE_ATTACH) {
            learned |= attach_nic(r, &iface->nic);
        } else if (!iface->ifindex || iface->state == INTERFACE_REFUSED) {
            /* What comes back under that name is another device.  But a
             * switched NIC may be left alone because its driver refused. */
            sset_find_and_delete(&r->native_failed, iface->name);
            simap_find_and_delete(&r->attach_errors, iface->name);
        }
    }
    return learned;
}

/* Attaches the dropping program to the outer ends of managed ports. */
static void
attach_sinks(struct reconcile *r, const struct desired *desired)
{
    for (size_t i = 0; i < desired->n_bridges; i++) {
        const struct desired_bridge *bridge = &desired->bridges[i];
        if (bridge->wants_port && bridge->ifindex) {
            int error = r->class->attach_sink(r->dp, bridge->port.outer,
                                              bridge->ifindex);
            if (error) {
                note_failure(r, "attaching to", bridge->port.outer, error);
            }
        }
    }
}

/* Returns true if 'desired' wants a program on the device called 'name'. */
static bool
is_wanted(const struct desired *desired, const char *name)
{
    for (size_t i = 0; i < desired->n_interfaces; i++) {
        const struct desired_interface *iface = &desired->interfaces[i];
        if (iface->state == INTERFACE_ATTACH && !strcmp(iface->name, name)) {
            return true;
        }
    }
    for (size_t i = 0; i < desired->n_bridges; i++) {
        const struct desired_bridge *bridge = &desired->bridges[i];
        if (bridge->wants_port && !strcmp(bridge->port.outer, name)) {
            return true;
        }
    }
    return false;
}

/* Detaches from the devices where 'desired' wants no program: those that were
 * attached, of which some may be gone, and those that attaching to another one
 * found renamed. */
static void
detach_unwanted(struct reconcile *r, const struct desired *desired)
{
    struct sset names;
    const char *name;

    sset_clone(&names, &r->attached);
    refresh_attached(r);
    SSET_FOR_EACH (name, &r->attached) {
        sset_add(&names, name);
    }
    SSET_FOR_EACH (name, &names) {
        if (!is_wanted(desired, name)) {
            int error = r->class->detach_nic(r->dp, name);
            if (error && error != ENOENT && error != ENODEV) {
                note_failure(r, "detaching from", name, error);
            } else {
                VLOG_INFO("%s: detached", name);
                r->generation++;
            }
        }
    }
    sset_destroy(&names);
}

/* Removes what an earlier generation left, once all that is wanted now is in
 * place. */
static void
commit(struct reconcile *r)
{
    if (!r->committed && !r->failed && !r->refused) {
        int error = r->class->commit(r->dp);
        if (error) {
            note_failure(r, "removing", "the earlier generation", error);
        } else {
            r->committed = true;
        }
    }
}

/* Reports that the program of NIC 'name' has not all that it should have. */
static void
report_lack(struct reconcile *r, const char *name, const char *what,
            const char *effect)
{
    problems_add(&r->problems, REASON_DATAPATH_ERROR,
                 "%s: maps or program for %s cannot be had: nothing is %s "
                 "there", name, what, effect);
    r->failed = true;
}

/* Reports the NICs of 'desired' that redirect, but drop nothing early or
 * forward nothing directly though they should. */
static void
report_lacks(struct reconcile *r, const struct desired *desired)
{
    for (size_t i = 0; i < desired->n_interfaces; i++) {
        const struct desired_interface *iface = &desired->interfaces[i];
        const struct dp_nic *nic = &iface->nic;

        if (iface->state != INTERFACE_ATTACH) {
            continue;
        }
        if (nic->acl != DP_ACL_OFF
            && sset_contains(&r->without_acl, nic->name)) {
            report_lack(r, nic->name, "rules", "dropped early");
        }
        if (nic->direct != DP_HOOK_NONE
            && sset_contains(&r->without_direct, nic->name)) {
            report_lack(r, nic->name, "direct forwarding",
                        "forwarded directly");
        }
    }
}

/* Sets the time of the next attempt after a run at 'now'. */
static void
schedule(struct reconcile *r, long long int now)
{
    if (r->failed) {
        r->retry_at = now + r->backoff;
        r->backoff = MIN(2 * r->backoff, RETRY_MAX_MS);
    } else {
        r->backoff = RETRY_MIN_MS;
    }
}

/* Brings the datapath to 'desired', whose changes are those since the run
 * before.  'now' is time_msec().  Returns true if it learned something that
 * 'desired' depends on, so that deriving it again will give something else. */
bool
reconcile_run(struct reconcile *r, const struct desired *desired,
              long long int now)
{
    r->failed = false;
    problems_clear(&r->problems);

    add_targets(r, desired);
    apply_endpoints(r, desired);
    attach_sinks(r, desired);
    bool learned = attach_nics(r, desired);
    detach_unwanted(r, desired);
    sweep_targets(r, desired);
    if (!learned) {
        commit(r);
    }
    refresh_attached(r);
    report_lacks(r, desired);
    schedule(r, now);
    return learned;
}

/* Makes poll_block() wake up when a failed run is to be repeated. */
void
reconcile_wait(const struct reconcile *r)
{
    if (r->failed) {
        poll_timer_wait_until(r->retry_at);
    }
}

/* Returns true if a failed run is to be repeated at 'now'. */
bool
reconcile_is_due(const struct reconcile *r, long long int now)
{
    return r->failed && now >= r->retry_at;
}

/* Forgets which NICs carried a foreign program: something outside has changed,
 * so it is worth another attempt, which costs nothing. */
void
reconcile_forget_foreign(struct reconcile *r)
{
    sset_clear(&r->foreign);
}

/* Forgets all that was learned of NICs.  Not for every event: an attempt at
 * native mode takes the program away that runs in generic mode meanwhile. */
void
reconcile_forget_failures(struct reconcile *r)
{
    reconcile_forget_foreign(r);
    sset_clear(&r->native_failed);
}

/* Returns the devices that run a program of ours. */
const struct sset *
reconcile_attached(const struct reconcile *r)
{
    return &r->attached;
}

/* Returns the NICs that carry a foreign program. */
const struct sset *
reconcile_foreign(const struct reconcile *r)
{
    return &r->foreign;
}

/* Returns the NICs whose driver refused native mode. */
const struct sset *
reconcile_native_failed(const struct reconcile *r)
{
    return &r->native_failed;
}

/* Returns what went wrong in the last run. */
const struct problems *
reconcile_problems(const struct reconcile *r)
{
    return &r->problems;
}

/* Returns true if the datapath holds an endpoint with 'key'. */
bool
reconcile_is_installed(const struct reconcile *r, const struct dp_key *key)
{
    return installed_find(&r->installed, key) != NULL;
}

/* Returns true if an endpoint did not fit into the map. */
bool
reconcile_is_full(const struct reconcile *r)
{
    return r->full;
}

/* Returns true if the datapath holds any endpoint, or if a NIC runs a program
 * that may have some in maps of another layout. */
bool
reconcile_has_adopted(const struct reconcile *r)
{
    return !hmap_is_empty(&r->installed) || !sset_is_empty(&r->attached);
}

/* Returns the greatest id of rules that an endpoint in the datapath names. */
uint32_t
reconcile_max_acl(const struct reconcile *r)
{
    const struct installed_endpoint *ep;
    uint32_t max = 0;

    HMAP_FOR_EACH (ep, node, &r->installed) {
        max = MAX(max, ep->dp.action.acl);
    }
    return max;
}

/* Returns true if the endpoints in the datapath are those that were desired in
 * the last run. */
bool
reconcile_is_in_step(const struct reconcile *r)
{
    return r->in_step;
}

/* Returns how many NICs run this daemon's program. */
size_t
reconcile_n_current(const struct reconcile *r)
{
    return r->n_current;
}

/* Returns true if a NIC runs a program that may stop redirecting without a
 * heartbeat, whatever is desired: it may not have been replaced yet. */
bool
reconcile_is_timed(const struct reconcile *r)
{
    return r->timed;
}

/* Returns how many changes have been applied. */
uint64_t
reconcile_generation(const struct reconcile *r)
{
    return r->generation;
}

/* Returns the errno of the last attempt to attach to 'name', or 0. */
int
reconcile_attach_error(const struct reconcile *r, const char *name)
{
    return simap_get(&r->attach_errors, name);
}
