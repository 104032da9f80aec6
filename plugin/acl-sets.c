/* SPDX-License-Identifier: Apache-2.0 */
/* Rules, sets of rules, and the address sets that rules name: each is there
 * once, for all who have it. */

#include <config.h>

#include "plugin/acl-private.h"

#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "packets.h"
#include "util.h"

#include "plugin/acl-prefix.h"

/* Address sets. */

/* Returns true if 'view' has the address set 'name', and all of its members
 * can be read and are of IPv6, if 'ip6', or IPv4.
 *
 * One that is missing makes ovn-controller ignore the flow that names it, and
 * so does an address of IPv6 among sources of IPv4.  The other way round, it
 * takes the address for a very small one.  And a member that cannot be read
 * here may be some other way of writing addresses. */
static bool
is_usable(const struct sb_acl_view *view, const char *name, bool ip6)
{
    const struct sb_address_set *row = sb_acl_find_address_set(view, name);
    struct dp_prefix prefix;
    const char *address;

    if (!row) {
        return false;
    }
    SSET_FOR_EACH (address, &row->addresses) {
        if (!acl_prefix_parse(address, &prefix)
            || ip6 != (strchr(address, ':') != NULL)) {
            return false;
        }
    }
    return true;
}

/* Returns the address set 'name' if rules name it for sources of IPv6, if
 * 'ip6', or IPv4; or NULL. */
static struct known_names *
find_names(const struct acl_private *private, const char *name, bool ip6)
{
    struct known_names *names;

    HMAP_FOR_EACH_WITH_HASH (names, node, hash_string(name, 0),
                             &private->names) {
        if (names->ip6 == ip6 && !strcmp(names->name, name)) {
            return names;
        }
    }
    return NULL;
}

/* Returns the address set 'name' for sources of IPv6, if 'ip6', or IPv4, for
 * one more rule. */
static struct known_names *
ref_names(struct acl_private *private, const char *name, bool ip6)
{
    struct known_names *names = find_names(private, name, ip6);

    if (!names) {
        names = xzalloc(sizeof *names);
        names->token = xasprintf("$%s", name);
        names->name = &names->token[1];
        names->ip6 = ip6;
        names->usable = is_usable(private->in->view, name, ip6);
        hmap_insert(&private->names, &names->node, hash_string(name, 0));
    }
    names->n_refs++;
    return names;
}

/* Gives back 'names', for which ref_names() was called. */
static void
unref_names(struct acl_private *private, struct known_names *names)
{
    if (!--names->n_refs) {
        hmap_remove(&private->names, &names->node);
        free(names->token);
        free(names);
    }
}

/* Looks at the address set 'name' anew.  Returns true if whether it can be
 * used changed, and rules name it. */
bool
acl_names_update(struct acl_private *private, const char *name)
{
    bool changed = false;

    for (int ip6 = 0; ip6 < 2; ip6++) {
        struct known_names *names = find_names(private, name, ip6);

        if (names && names->usable != is_usable(private->in->view, name,
                                                ip6)) {
            names->usable = !names->usable;
            names->changed = changed = true;
        }
    }
    return changed;
}

/* Rules. */

/* Returns a hash of 'rule'. */
static uint32_t
hash_rule(const struct acl_rule *rule)
{
    return hash_string(rule->match,
                       hash_3words(rule->tier, rule->priority,
                                   rule->action << 8 | rule->flags));
}

/* Fills 'names' of 'known' from its rule. */
static void
collect_names(struct acl_private *private, struct known_rule *known)
{
    struct svec names = SVEC_EMPTY_INITIALIZER;

    for (size_t i = 0; i < known->rule->n_cubes; i++) {
        const struct acl_cube *cube = &known->rule->cubes[i];
        const struct acl_source *source = &cube->source;

        for (size_t j = 0; !source->any && j < source->atoms.n; j++) {
            if (source->atoms.names[j][0] == '$') {
                svec_add_nocopy(&names, xasprintf("%d%s", cube->ip6,
                                                  &source->atoms.names[j][1]));
            }
        }
    }
    svec_sort_unique(&names);
    known->n_names = names.n;
    known->names = xcalloc(names.n ? names.n : 1, sizeof *known->names);
    for (size_t i = 0; i < names.n; i++) {
        known->names[i] = ref_names(private, &names.names[i][1],
                                    names.names[i][0] == '1');
    }
    svec_destroy(&names);
}

/* Returns the rule that is the same as 'rule', which is taken over, for one
 * more user. */
struct known_rule *
known_rule_ref(struct acl_private *private, struct acl_rule *rule)
{
    uint32_t hash = hash_rule(rule);
    struct known_rule *known;

    HMAP_FOR_EACH_WITH_HASH (known, node, hash, &private->rules) {
        if (!acl_rule_compare(known->rule, rule)) {
            acl_rule_destroy(rule);
            known->n_refs++;
            return known;
        }
    }
    known = xzalloc(sizeof *known);
    known->rule = rule;
    known->n_refs = 1;
    collect_names(private, known);
    hmap_insert(&private->rules, &known->node, hash);
    return known;
}

/* Gives back 'known', for which known_rule_ref() was called. */
void
known_rule_unref(struct acl_private *private, struct known_rule *known)
{
    if (--known->n_refs) {
        return;
    }
    for (size_t i = 0; i < known->n_names; i++) {
        unref_names(private, known->names[i]);
    }
    hmap_remove(&private->rules, &known->node);
    acl_rule_destroy(known->rule);
    free(known->names);
    free(known);
}

/* Returns the first address set of 'known' that cannot be used, as "$NAME", or
 * NULL. */
const char *
known_rule_unusable(const struct known_rule *known)
{
    for (size_t i = 0; i < known->n_names; i++) {
        if (!known->names[i]->usable) {
            return known->names[i]->token;
        }
    }
    return NULL;
}

/* Sets of rules. */

/* Returns the sets that those with 'shown' are among. */
static struct hmap *
get_sets(struct acl *acl, bool shown)
{
    return shown ? &acl->private->shown : &acl->sets;
}

/* Returns the set of the 'n' 'rules' in 'sets', of which 'hash' is the hash,
 * or NULL. */
static struct acl_set *
find_set(const struct hmap *sets, uint32_t hash, struct known_rule **rules,
         size_t n, bool stateful)
{
    struct known_set *known;

    HMAP_FOR_EACH_WITH_HASH (known, set.node, hash, sets) {
        if (known->set.n_rules == n && known->set.stateful == stateful
            && !memcmp(known->rules, rules, n * sizeof *rules)) {
            return &known->set;
        }
    }
    return NULL;
}

/* Returns a new set of the 'n' 'rules', which nobody has yet. */
static struct acl_set *
make_set(struct acl_private *private, struct known_rule **rules, size_t n,
         bool stateful, bool shown)
{
    struct known_set *known = xzalloc(sizeof *known);

    known->set.stateful = stateful;
    known->set.n_rules = n;
    known->set.serial = ++private->last_serial;
    known->set.rules = xcalloc(n, sizeof *known->set.rules);
    known->rules = xmemdup(rules, n * sizeof *rules);
    known->shown = shown;
    for (size_t i = 0; i < n; i++) {
        rules[i]->n_refs++;
        known->set.rules[i] = rules[i]->rule;
    }
    return &known->set;
}

/* Returns the set of the 'n' 'rules', at least one, in their order, for one
 * more port; 'shown' if it is pass-only. */
struct acl_set *
acl_set_ref(struct acl *acl, struct known_rule **rules, size_t n,
            bool stateful, bool shown)
{
    struct hmap *sets = get_sets(acl, shown);
    uint32_t hash = hash_bytes(rules, n * sizeof *rules, stateful);
    struct acl_set *set = find_set(sets, hash, rules, n, stateful);

    if (!set) {
        set = make_set(acl->private, rules, n, stateful, shown);
        hmap_insert(sets, &set->node, hash);
    }
    set->n_ports++;
    return set;
}

/* Gives back 'set', for which acl_set_ref() was called. */
void
acl_set_unref(struct acl *acl, struct acl_set *set)
{
    struct known_set *known = CONTAINER_OF(set, struct known_set, set);

    if (--set->n_ports) {
        return;
    }
    hmap_remove(get_sets(acl, known->shown), &set->node);
    for (size_t i = 0; i < set->n_rules; i++) {
        known_rule_unref(acl->private, known->rules[i]);
    }
    free(known->rules);
    free(set->rules);
    free(known);
}
