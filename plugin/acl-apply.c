/* SPDX-License-Identifier: Apache-2.0 */
/* Rule sets and sources, from what they should be to the datapath.
 *
 * No packet may be dropped by a state that is half made.  What a program sees
 * of one packet is a set, which never changes, and the class of one prefix,
 * which changes in one piece; so each packet is judged as if there were one
 * state, if these hold:
 *
 * 1. Whatever a packet can find refers only to what is there.  So what sets
 *    have for a class is written before the class is given to a prefix, and a
 *    set with all it has before its id is given to an endpoint; both are
 *    deleted when nobody has them any more (the datapath lets those go on that
 *    still look at them).
 *
 * 2. While prefixes change, a packet finds either the class that was right
 *    before or the one that is right afterwards.  Prefixes that are written
 *    are written before others are deleted, the longest first: a packet whose
 *    longest prefix is new has found another one until then, which is changed
 *    or deleted only later.  Of those that are deleted, the shortest goes
 *    first: a packet that loses a prefix finds one that stays.
 *
 * 3. Sets and atoms may change in the same transaction, or endpoints move from
 *    one set to another one that is there: they have the old set for a while,
 *    with sources as they are now.  So sources are changed in two steps.  The
 *    first, before endpoints change, gives prefixes classes that are good for
 *    both (plugin/acl-sources.h): a rule that drops matches only sources that
 *    it matched before and matches afterwards, another one matches what it
 *    matched either time.  The second, in acl_apply_finish(), makes that
 *    exact.  If no set changes, and no endpoint its set, the first step is the
 *    only one.
 *
 * What does not fit is taken out, and with it the sets that depend on it, at
 * once: their endpoints name an id without rules.  To try again costs as much
 * as to write it all, and so is done rarely. */
#include <config.h>

#include "plugin/acl-apply.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "hmapx.h"
#include "openvswitch/vlog.h"
#include "simap.h"
#include "sset.h"
#include "util.h"

#include "idl/sb-acl.h"
#include "plugin/acl-apply-private.h"
#include "plugin/acl.h"
#include "plugin/problems.h"

VLOG_DEFINE_THIS_MODULE(acl_apply);

/* Wait before what did not fit is written again, in ms: twice as long each
 * time.  An address set of 50,000 members that does not fit costs some 0.1 s
 * of the main loop. */
#define RETRY_FIRST_MS 1000
#define RETRY_LAST_MS 60000

static void release_atoms(struct applied *);
static void free_set(struct acl_apply *, struct applied *);

/* Creates one that has written nothing. */
struct acl_apply *
acl_apply_create(const struct dp_class *class, struct dp *dp,
                 uint32_t first_id)
{
    struct acl_apply *apply = xzalloc(sizeof *apply);

    apply->class = class;
    apply->dp = dp;
    apply->next_id = MAX(first_id, 1);
    hmap_init(&apply->sets);
    acl_sources_init(&apply->sources);
    return apply;
}

/* Frees 'apply'; the datapath stays as it is. */
void
acl_apply_destroy(struct acl_apply *apply)
{
    struct applied *set;

    if (!apply) {
        return;
    }
    HMAP_FOR_EACH_SAFE (set, node, &apply->sets) {
        free_set(apply, set);
    }
    hmap_destroy(&apply->sets);
    acl_sources_destroy(&apply->sources);
    free(apply);
}

/* Returns the set of 'serial', or NULL. */
static struct applied *
find_set(const struct acl_apply *apply, uint64_t serial)
{
    struct applied *set;

    HMAP_FOR_EACH_WITH_HASH (set, node, hash_uint64(serial), &apply->sets) {
        if (set->serial == serial) {
            return set;
        }
    }
    return NULL;
}

/* Frees 'set', which is not in the datapath, or stays there. */
static void
free_set(struct acl_apply *apply, struct applied *set)
{
    release_atoms(set);
    hmap_remove(&apply->sets, &set->node);
    acl_compiled_destroy(&set->c);
    free(set);
}

/* Has 'set' use its atoms. */
static void
take_atoms(struct acl_apply *apply, struct applied *set)
{
    const char *text;
    size_t i;

    set->atoms = xmalloc(MAX(set->c.atoms.n, 1) * sizeof *set->atoms);
    SVEC_FOR_EACH (i, text, &set->c.atoms) {
        set->atoms[i] = acl_atom_get(&apply->sources, text);
        hmapx_add(&set->atoms[i]->users, set);
    }
}

/* Has 'set', which is not in the datapath, use no atoms any more. */
static void
release_atoms(struct applied *set)
{
    for (size_t i = 0; set->atoms && i < set->c.atoms.n; i++) {
        hmapx_find_and_delete(&set->atoms[i]->users, set);
    }
    free(set->atoms);
    set->atoms = NULL;
}

/* Takes 'set' out of the datapath.  Endpoints may still name it. */
static int
delete_set(struct acl_apply *apply, struct applied *set)
{
    if (set->id) {
        int error = apply->class->del_acl(apply->dp, set->id);

        if (error && error != ENOENT) {
            return error;
        }
        set->id = 0;
    }
    release_atoms(set);
    return 0;
}

/* Takes 'set' out of the datapath, or leaves it out, for 'reason'. */
int
apply_reject(struct acl_apply *apply, struct applied *set, enum reason reason)
{
    int error = delete_set(apply, set);

    if (!error) {
        set->reason = reason;
        set->backoff = MIN(MAX(2 * set->backoff, RETRY_FIRST_MS),
                           RETRY_LAST_MS);
        set->retry_at = apply->now + set->backoff;
    }
    return error;
}

/* Does apply_reject() for all users of 'atom'. */
int
apply_reject_users(struct acl_apply *apply, const struct acl_atom *atom,
                   enum reason reason)
{
    struct hmapx users;
    struct hmapx_node *node;
    int error = 0;

    hmapx_clone(&users, &atom->users);
    HMAPX_FOR_EACH (node, &users) {
        if (!error) {
            error = apply_reject(apply, node->data, reason);
        }
    }
    hmapx_destroy(&users);
    return error;
}

/* Returns true if 'set' drops something. */
static bool
drops_any(const struct applied *set)
{
    for (int i = 0; i < DP_ACL_WORDS; i++) {
        if (set->c.acl.drops.word[i]) {
            return true;
        }
    }
    return false;
}

/* Adds 'rules', which is new. */
static struct applied *
add_set(struct acl_apply *apply, const struct acl_set *rules)
{
    struct applied *set = xzalloc(sizeof *set);

    set->serial = rules->serial;
    set->n_rules = rules->n_rules;
    set->reason = REASON_ACL_PENDING;
    if (acl_compile(rules, &set->c)) {
        set->reason = REASON_ACL_LIMIT;
    } else if (!drops_any(set)) {
        set->reason = REASON_ACL_NO_RULES;
    }
    hmap_insert(&apply->sets, &set->node, hash_uint64(set->serial));
    return set;
}

/* Finds out which sets of 'acl' are wanted.  A set may be there only for
 * people, if its ports are left to OVN. */
static void
find_wanted(struct acl_apply *apply, const struct acl *acl)
{
    const struct acl_port *port;
    struct applied *set;

    HMAP_FOR_EACH (set, node, &apply->sets) {
        set->wanted = false;
        set->n_ports = 0;
    }
    HMAP_FOR_EACH (port, node, &acl->ports) {
        if (port->reason == REASON_NONE && port->set) {
            set = find_set(apply, port->set->serial);
            if (!set) {
                set = add_set(apply, port->set);
            }
            set->wanted = true;
            set->n_ports++;
        }
    }
}

/* Returns true if rules of 'set' name an address set that is in 'changed'. */
static bool
names_any(const struct applied *set, const struct sset *changed)
{
    const char *text;
    size_t i;

    SVEC_FOR_EACH (i, text, &set->c.atoms) {
        if (text[0] == '$' && sset_contains(changed, text + 1)) {
            return true;
        }
    }
    return false;
}

/* Returns true if 'set', which could not be written, did not fit, and may fit
 * at some time. */
static bool
may_fit(const struct applied *set)
{
    return set->c.n_bits && set->reason == REASON_ACL_LIMIT;
}

/* Returns true if 'set', which could not be written, may be by now. */
static bool
is_worth_it(const struct applied *set, const struct acl_apply_inputs *in)
{
    if (set->reason == REASON_ACL_SET) {
        return !in->changed_sets || names_any(set, in->changed_sets);
    }
    return may_fit(set) && (!in->changed_sets || in->now >= set->retry_at);
}

/* Has sets use their atoms that are to be written: new ones and those that
 * could not be, if that may be another thing now. */
static void
enter_sets(struct acl_apply *apply, const struct acl_apply_inputs *in)
{
    struct applied *set;

    HMAP_FOR_EACH (set, node, &apply->sets) {
        if (set->id) {
            set->backoff = 0;
        } else if (is_worth_it(set, in)) {
            set->reason = REASON_ACL_PENDING;
        }
        if (set->wanted && set->reason == REASON_ACL_PENDING && !set->atoms) {
            take_atoms(apply, set);
        }
    }
}

/* Gives 'atom' its members, which are in 'view' if it is an address set. */
static void
load_atom(struct acl_apply *apply, struct acl_atom *atom,
          const struct sb_acl_view *view)
{
    if (atom->text[0] == '$') {
        const struct sb_address_set *as;

        as = sb_acl_find_address_set(view, atom->text + 1);
        acl_atom_load(&apply->sources, atom, as ? &as->addresses : NULL);
    } else {
        struct sset only = SSET_INITIALIZER(&only);

        sset_add(&only, atom->text);
        acl_atom_load(&apply->sources, atom, &only);
        sset_destroy(&only);
    }
}

/* Gives all atoms their members that are new or named in 'changed', or all if
 * that is NULL. */
static void
load_atoms(struct acl_apply *apply, const struct sb_acl_view *view,
           const struct sset *changed)
{
    struct acl_atom *atom;

    HMAP_FOR_EACH (atom, node, &apply->sources.atoms) {
        bool is_set = atom->text[0] == '$';

        if (!atom->loaded
            ? !hmapx_is_empty(&atom->users)
            : is_set && (!changed
                         || sset_contains(changed, atom->text + 1))) {
            load_atom(apply, atom, view);
        }
    }
}

/* Rejects the users of atoms that cannot be read. */
static int
reject_bad(struct acl_apply *apply)
{
    struct acl_atom *atom;
    int error = 0;

    HMAP_FOR_EACH (atom, node, &apply->sources.atoms) {
        if (atom->bad && !error) {
            error = apply_reject_users(apply, atom, REASON_ACL_SET);
        }
    }
    return error;
}

/* Returns true if endpoints that name a set may get another one, or sets come
 * or go, while there are some. */
static bool
is_restructured(const struct acl_apply *apply,
                const struct acl_apply_inputs *in)
{
    bool live = false, changes = !in->steady;
    const struct applied *set;

    HMAP_FOR_EACH (set, node, &apply->sets) {
        live = live || set->id;
        changes = changes || (set->atoms && set->wanted != (set->id != 0));
    }
    return live && changes;
}

/* Writes 'set', whose atoms are in the datapath. */
static int
write_set(struct acl_apply *apply, struct applied *set)
{
    struct dp_acl acl = set->c.acl;
    struct dp_acl_class *rows;
    int error;

    acl.id = apply->next_id;
    acl.classes = rows = apply_rows(set, &acl.n_classes);
    error = apply->class->put_acl(apply->dp, &acl);
    free(rows);
    if (error == ENOSPC) {
        return apply_reject(apply, set, REASON_ACL_LIMIT);
    } else if (error) {
        return error;
    }
    set->id = apply->next_id++;
    set->reason = REASON_NONE;
    return 0;
}

/* Writes the sets that are wanted and not there. */
static int
write_sets(struct acl_apply *apply)
{
    struct applied *set;
    int error = 0;

    HMAP_FOR_EACH (set, node, &apply->sets) {
        if (set->atoms && !set->id && set->wanted && !error) {
            error = write_set(apply, set);
        }
    }
    return error;
}

/* Adds to 'problems' what sets are missing. */
static void
add_problems(const struct acl_apply *apply, struct problems *problems)
{
    const struct applied *set;

    HMAP_FOR_EACH (set, node, &apply->sets) {
        if (set->wanted && set->reason == REASON_ACL_LIMIT) {
            problems_add_once(
                problems, REASON_ACL_LIMIT,
                "%"PRIuSIZE" port(s) have %"PRIuSIZE" rules that do not fit "
                "into the maps, or whose address sets do not: nothing is "
                "dropped early there", set->n_ports, set->n_rules);
        } else if (set->wanted && set->reason == REASON_ACL_SET) {
            problems_add_once(
                problems, REASON_ACL_SET,
                "an address set in the rules of %"PRIuSIZE" port(s) is "
                "missing or cannot be read: nothing is dropped early there",
                set->n_ports);
        }
    }
}

/* Notes what users get to know of sets, and whether that is another thing than
 * what they knew. */
static void
tell_all(struct acl_apply *apply)
{
    struct applied *set;

    HMAP_FOR_EACH (set, node, &apply->sets) {
        if (set->told && (set->id != set->told_id
                          || set->reason != set->told_reason)) {
            apply->changes = true;
        }
        set->told = true;
        set->told_id = set->id;
        set->told_reason = set->reason;
    }
}

/* See acl-apply.h. */
int
acl_apply_prepare(struct acl_apply *apply, const struct acl_apply_inputs *in,
                  struct problems *problems)
{
    struct acl_atom *atom;
    int error;

    HMAP_FOR_EACH (atom, node, &apply->sources.atoms) {
        atom->fresh = false;
    }
    apply->now = in->now;
    find_wanted(apply, in->acl);
    enter_sets(apply, in);
    load_atoms(apply, in->view, in->changed_sets);
    error = reject_bad(apply);
    if (!error) {
        apply->open = apply->open || is_restructured(apply, in);
        error = apply_prefixes(apply, apply->open);
    }
    if (!error) {
        error = write_sets(apply);
    }
    tell_all(apply);
    add_problems(apply, problems);
    return error;
}

/* See acl-apply.h. */
uint32_t
acl_apply_id(const struct acl_apply *apply, const struct acl_set *rules)
{
    const struct applied *set = find_set(apply, rules->serial);

    return set ? set->id : 0;
}

/* See acl-apply.h. */
enum reason
acl_apply_reason(const struct acl_apply *apply, const struct acl_set *rules)
{
    const struct applied *set = find_set(apply, rules->serial);

    return set ? set->reason : REASON_ACL_PENDING;
}

/* See acl-apply.h. */
bool
acl_apply_take_changes(struct acl_apply *apply)
{
    bool changes = apply->changes;

    apply->changes = false;
    return changes;
}

/* See acl-apply.h. */
long long int
acl_apply_retry_at(const struct acl_apply *apply)
{
    const struct applied *set;
    long long int at = LLONG_MAX;

    HMAP_FOR_EACH (set, node, &apply->sets) {
        if (set->wanted && may_fit(set)) {
            at = MIN(at, set->retry_at);
        }
    }
    return at;
}

/* Deletes the sets that are not wanted. */
static int
delete_sets(struct acl_apply *apply)
{
    struct applied *set;

    HMAP_FOR_EACH_SAFE (set, node, &apply->sets) {
        if (!set->wanted) {
            int error = delete_set(apply, set);

            if (error) {
                return error;
            }
            free_set(apply, set);
        }
    }
    return 0;
}

/* Takes the members from atoms that nobody uses. */
static void
unload_atoms(struct acl_apply *apply)
{
    struct acl_atom *atom;

    HMAP_FOR_EACH (atom, node, &apply->sources.atoms) {
        if (hmapx_is_empty(&atom->users) && atom->loaded) {
            acl_atom_unload(&apply->sources, atom);
        }
    }
}

/* Forgets those atoms. */
static void
free_atoms(struct acl_apply *apply)
{
    struct acl_atom *atom;

    HMAP_FOR_EACH_SAFE (atom, node, &apply->sources.atoms) {
        if (hmapx_is_empty(&atom->users) && hmapx_is_empty(&atom->classes)) {
            acl_atom_free(&apply->sources, atom);
        }
    }
}

/* See acl-apply.h.  What the datapath refuses to do stays for the next
 * time. */
void
acl_apply_finish(struct acl_apply *apply)
{
    int error = delete_sets(apply);

    if (!error) {
        unload_atoms(apply);
        error = apply_prefixes(apply, false);
    }
    if (!error) {
        error = apply_delete_classes(apply);
    }
    if (!error) {
        free_atoms(apply);
        apply->open = false;
    } else {
        static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 5);

        VLOG_WARN_RL(&rl, "cannot delete old rules (%s)",
                     ovs_strerror(error));
    }
}

/* See acl-apply.h. */
void
acl_apply_hits(const struct acl_apply *apply, const struct acl_set *rules,
               uint64_t *hits)
{
    const struct applied *set = find_set(apply, rules->serial);
    uint64_t *bits;

    memset(hits, 0, rules->n_rules * sizeof *hits);
    if (!set || !set->id) {
        return;
    }
    bits = xcalloc(set->c.n_bits, sizeof *bits);
    apply->class->acl_hits(apply->dp, set->id, bits, set->c.n_bits);
    for (size_t i = 0; i < set->c.n_bits; i++) {
        hits[set->c.bits[i].rule] += bits[i];
    }
    free(bits);
}

/* Adds to 'usage' how much there is. */
void
acl_apply_get_memory_usage(const struct acl_apply *apply, struct simap *usage)
{
    const struct acl_sources *s = &apply->sources;

    simap_increase(usage, "acl-sets-written", hmap_count(&apply->sets));
    simap_increase(usage, "acl-atoms", hmap_count(&s->atoms));
    simap_increase(usage, "acl-prefixes", s->n_prefixes);
    simap_increase(usage, "acl-classes", hmap_count(&s->classes));
}
