/* SPDX-License-Identifier: Apache-2.0 */
/* Atoms, prefixes and classes: see acl-sources.h. */
#include <config.h>

#include "plugin/acl-sources.h"

#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "packets.h"
#include "sset.h"
#include "util.h"

/* A member of an atom. */
struct acl_member {
    struct hmap_node node;      /* In struct acl_atom, by hash of 'text'. */
    struct acl_prefix *prefix;  /* What it stands for. */
    uint32_t mark;              /* That of the atom: it is still there. */
    char text[];                /* As the Southbound has it. */
};

/* An atom that has a prefix as a member. */
struct acl_own {
    struct acl_atom *atom;      /* Which one. */
    size_t n;                   /* How many members of it say so. */
};

/* Atoms of a prefix. */
struct atoms {
    struct acl_atom **list;     /* By number. */
    size_t n;                   /* Number of them. */
    size_t allocated;           /* Capacity. */
};

static void add_anchor(struct acl_sources *, const struct acl_prefix *);
static void remove_anchor(struct acl_sources *, const struct acl_prefix *);

/* Makes 's' hold nothing. */
void
acl_sources_init(struct acl_sources *s)
{
    memset(s, 0, sizeof *s);
    hmap_init(&s->atoms);
    hmap_init(&s->classes);
    ovs_list_init(&s->dirty);
}

/* Frees a prefix. */
static void
free_prefix(void *prefix_, void *aux OVS_UNUSED)
{
    struct acl_prefix *prefix = prefix_;

    free(prefix->owns);
    free(prefix);
}

/* Frees what 's' holds. */
void
acl_sources_destroy(struct acl_sources *s)
{
    static const struct dp_prefix all;
    struct acl_class *class;
    struct acl_atom *atom;

    HMAP_FOR_EACH_SAFE (class, node, &s->classes) {
        acl_class_free(s, class);
    }
    HMAP_FOR_EACH_SAFE (atom, node, &s->atoms) {
        struct acl_member *member;

        HMAP_FOR_EACH_POP (member, node, &atom->members) {
            free(member);
        }
        acl_atom_free(s, atom);
    }
    for (int i = 0; i < 2; i++) {
        acl_trie_for_each_below(&s->tries[i], &all, free_prefix, NULL);
        acl_trie_destroy(&s->tries[i]);
    }
    hmap_destroy(&s->atoms);
    hmap_destroy(&s->classes);
}

/* Returns the trie that 'prefix' is in. */
static struct acl_trie *
trie_of(struct acl_sources *s, const struct dp_prefix *prefix)
{
    return &s->tries[!acl_prefix_is_ip4(prefix)];
}

/* Marks a prefix as dirty. */
static void
mark_dirty(void *prefix_, void *s_)
{
    struct acl_prefix *prefix = prefix_;
    struct acl_sources *s = s_;

    if (ovs_list_is_empty(&prefix->dirty)) {
        ovs_list_push_back(&s->dirty, &prefix->dirty);
    }
}

/* Marks 'prefix' and all in it as dirty. */
static void
mark_below(struct acl_sources *s, const struct acl_prefix *prefix)
{
    acl_trie_for_each_below(trie_of(s, &prefix->prefix), &prefix->prefix,
                            mark_dirty, s);
}

/* Returns the prefix 'p', new if need be. */
static struct acl_prefix *
get_prefix(struct acl_sources *s, const struct dp_prefix *p)
{
    struct acl_trie *trie = trie_of(s, p);
    struct acl_prefix *prefix = acl_trie_find(trie, p);

    if (!prefix) {
        prefix = xzalloc(sizeof *prefix);
        prefix->prefix = *p;
        prefix->ip6 = !acl_prefix_is_ip4(p);
        ovs_list_init(&prefix->dirty);
        acl_trie_insert(trie, p, prefix);
        s->n_prefixes++;
    }
    return prefix;
}

/* Returns the prefix of all IPv4 addresses. */
static struct dp_prefix
all_ip4(void)
{
    return (struct dp_prefix) { in6_addr_mapped_ipv4(0), 96 };
}

/* Returns true if 'prefix' is one of IPv6 around those of IPv4: without one of
 * their own, packets of IPv4 would find it. */
static bool
is_around_ip4(const struct acl_prefix *prefix)
{
    const struct dp_prefix all4 = all_ip4();

    return prefix->ip6 && acl_prefix_contains(&prefix->prefix, &all4);
}

/* Notes that 'atom' has 'prefix' as a member once more. */
static void
add_own(struct acl_sources *s, struct acl_prefix *prefix,
        struct acl_atom *atom)
{
    for (size_t i = 0; i < prefix->n_owns; i++) {
        if (prefix->owns[i].atom == atom) {
            prefix->owns[i].n++;
            return;
        }
    }
    prefix->owns = xrealloc(prefix->owns,
                            (prefix->n_owns + 1) * sizeof *prefix->owns);
    prefix->owns[prefix->n_owns++] = (struct acl_own) { atom, 1 };
    if (prefix->n_owns == 1) {
        add_anchor(s, prefix);
    }
    mark_below(s, prefix);
}

/* Takes that back. */
static void
remove_own(struct acl_sources *s, struct acl_prefix *prefix,
           struct acl_atom *atom)
{
    size_t i = 0;

    while (prefix->owns[i].atom != atom) {
        i++;
    }
    if (!--prefix->owns[i].n) {
        prefix->owns[i] = prefix->owns[--prefix->n_owns];
        if (!prefix->n_owns) {
            remove_anchor(s, prefix);
        }
        mark_below(s, prefix);
    }
}

/* Has all of IPv4 be there if 'prefix' is around it. */
static void
add_anchor(struct acl_sources *s, const struct acl_prefix *prefix)
{
    if (is_around_ip4(prefix) && !s->n_anchors++) {
        const struct dp_prefix all4 = all_ip4();
        struct acl_prefix *anchor = get_prefix(s, &all4);

        anchor->anchor = true;
        mark_dirty(anchor, s);
    }
}

/* Takes that back. */
static void
remove_anchor(struct acl_sources *s, const struct acl_prefix *prefix)
{
    if (is_around_ip4(prefix) && !--s->n_anchors) {
        const struct dp_prefix all4 = all_ip4();
        struct acl_prefix *anchor = get_prefix(s, &all4);

        anchor->anchor = false;
        mark_dirty(anchor, s);
    }
}

/* Returns the atom 'text', or NULL. */
struct acl_atom *
acl_atom_find(const struct acl_sources *s, const char *text)
{
    struct acl_atom *atom;

    HMAP_FOR_EACH_WITH_HASH (atom, node, hash_string(text, 0), &s->atoms) {
        if (!strcmp(atom->text, text)) {
            return atom;
        }
    }
    return NULL;
}

/* Returns the atom 'text'.  It is fresh if nobody uses it: whoever did is no
 * longer in the datapath.  A new one has no members yet. */
struct acl_atom *
acl_atom_get(struct acl_sources *s, const char *text)
{
    struct acl_atom *atom = acl_atom_find(s, text);

    if (!atom) {
        atom = xzalloc(sizeof *atom);
        atom->text = xstrdup(text);
        atom->number = ++s->last_atom;
        hmapx_init(&atom->users);
        hmapx_init(&atom->classes);
        hmap_init(&atom->members);
        hmap_insert(&s->atoms, &atom->node, hash_string(text, 0));
    }
    atom->fresh = atom->fresh || hmapx_is_empty(&atom->users);
    return atom;
}

/* Returns the member 'text' of 'atom', whose hash is 'hash', or NULL. */
static struct acl_member *
find_member(const struct acl_atom *atom, const char *text, uint32_t hash)
{
    struct acl_member *member;

    HMAP_FOR_EACH_WITH_HASH (member, node, hash, &atom->members) {
        if (!strcmp(member->text, text)) {
            return member;
        }
    }
    return NULL;
}

/* Has 'text' be a member of 'atom'.  False if it cannot be read. */
static bool
add_member(struct acl_sources *s, struct acl_atom *atom, const char *text)
{
    uint32_t hash = hash_string(text, 0);
    struct acl_member *member = find_member(atom, text, hash);
    size_t size = strlen(text) + 1;
    struct dp_prefix prefix;

    if (!member) {
        if (!acl_prefix_parse(text, &prefix)) {
            return false;
        }
        member = xmalloc(sizeof *member + size);
        memcpy(member->text, text, size);
        member->prefix = get_prefix(s, &prefix);
        hmap_insert(&atom->members, &member->node, hash);
        add_own(s, member->prefix, atom);
    }
    member->mark = atom->mark;
    return true;
}

/* Removes the members of 'atom' that are not marked. */
static void
sweep_members(struct acl_sources *s, struct acl_atom *atom)
{
    struct acl_member *member;

    HMAP_FOR_EACH_SAFE (member, node, &atom->members) {
        if (member->mark != atom->mark) {
            hmap_remove(&atom->members, &member->node);
            remove_own(s, member->prefix, atom);
            free(member);
        }
    }
}

/* Has 'atom' have the 'members', and no others; NULL if it is not known which
 * it has.  One that cannot be read makes the atom bad, and what members it has
 * then does not matter. */
void
acl_atom_load(struct acl_sources *s, struct acl_atom *atom,
              const struct sset *members)
{
    const char *text;

    atom->loaded = true;
    atom->bad = !members;
    atom->mark++;
    if (members) {
        SSET_FOR_EACH (text, members) {
            if (!add_member(s, atom, text)) {
                atom->bad = true;
            }
        }
        if (hmap_count(&atom->members) > sset_count(members)) {
            sweep_members(s, atom);
        }
    }
}

/* Takes all members from 'atom'. */
void
acl_atom_unload(struct acl_sources *s, struct acl_atom *atom)
{
    atom->loaded = false;
    atom->mark++;
    sweep_members(s, atom);
}

/* Frees 'atom', which has no members, and is in no class. */
void
acl_atom_free(struct acl_sources *s, struct acl_atom *atom)
{
    ovs_assert(hmap_is_empty(&atom->members)
               && hmapx_is_empty(&atom->classes));
    hmap_remove(&s->atoms, &atom->node);
    hmap_destroy(&atom->members);
    hmapx_destroy(&atom->users);
    hmapx_destroy(&atom->classes);
    free(atom->text);
    free(atom);
}

/* Orders prefixes, the longest first. */
static int
compare_prefixes(const void *a_, const void *b_)
{
    const struct acl_prefix *const *a = a_;
    const struct acl_prefix *const *b = b_;

    return (*b)->prefix.len - (*a)->prefix.len;
}

/* Returns the dirty prefixes, the longest first, and stores in '*n' how many
 * they are.  The caller frees the array. */
struct acl_prefix **
acl_sources_dirty(const struct acl_sources *s, size_t *n)
{
    struct acl_prefix **list;
    struct acl_prefix *prefix;
    size_t i = 0;

    *n = ovs_list_size(&s->dirty);
    list = xmalloc(MAX(*n, 1) * sizeof *list);
    LIST_FOR_EACH (prefix, dirty, &s->dirty) {
        list[i++] = prefix;
    }
    qsort(list, *n, sizeof *list, compare_prefixes);
    return list;
}

/* Adds 'atom' to 'atoms'. */
static void
add_atom(struct atoms *atoms, struct acl_atom *atom)
{
    if (atoms->n >= atoms->allocated) {
        atoms->list = x2nrealloc(atoms->list, &atoms->allocated,
                                 sizeof *atoms->list);
    }
    atoms->list[atoms->n++] = atom;
}

/* Orders atoms by their numbers. */
static int
compare_atoms(const void *a_, const void *b_)
{
    const struct acl_atom *const *a = a_;
    const struct acl_atom *const *b = b_;

    return ((*a)->number > (*b)->number) - ((*a)->number < (*b)->number);
}

/* Sorts 'atoms', each once. */
static void
sort_atoms(struct atoms *atoms)
{
    size_t n = 0;

    if (atoms->n) {
        qsort(atoms->list, atoms->n, sizeof *atoms->list, compare_atoms);
    }
    for (size_t i = 0; i < atoms->n; i++) {
        if (!n || atoms->list[n - 1] != atoms->list[i]) {
            atoms->list[n++] = atoms->list[i];
        }
    }
    atoms->n = n;
}

/* Returns true if 'atom' is in the sorted 'list' of 'n'. */
static bool
has_atom(struct acl_atom *const *list, size_t n, const struct acl_atom *atom)
{
    return n && bsearch(&atom, list, n, sizeof *list, compare_atoms);
}

/* Returns a hash of a class. */
static uint32_t
class_hash(bool ip6, const struct atoms *maybe, const struct atoms *sure)
{
    uint32_t hash = hash_int(ip6, sure->n);

    for (size_t i = 0; i < maybe->n; i++) {
        hash = hash_add(hash, maybe->list[i]->number);
    }
    for (size_t i = 0; i < sure->n; i++) {
        hash = hash_add(hash, sure->list[i]->number);
    }
    return hash_finish(hash, maybe->n);
}

/* Returns true if 'atoms' are those in 'list', of which there are 'n'. */
static bool
same_atoms(const struct atoms *atoms, struct acl_atom *const *list, size_t n)
{
    return (atoms->n == n
            && (!n || !memcmp(atoms->list, list, n * sizeof *list)));
}

/* Returns the class of the atoms 'maybe' and 'sure', new if need be. */
static struct acl_class *
get_class(struct acl_sources *s, bool ip6, const struct atoms *maybe,
          const struct atoms *sure)
{
    uint32_t hash = class_hash(ip6, maybe, sure);
    struct acl_class *class;

    HMAP_FOR_EACH_WITH_HASH (class, node, hash, &s->classes) {
        if (class->ip6 == ip6
            && same_atoms(maybe, class->maybe, class->n_maybe)
            && same_atoms(sure, class->sure, class->n_sure)) {
            return class;
        }
    }
    class = xzalloc(sizeof *class);
    class->number = ++s->last_class;
    class->ip6 = ip6;
    class->n_maybe = maybe->n;
    class->n_sure = sure->n;
    if (maybe->n) {
        class->maybe = xmemdup(maybe->list, maybe->n * sizeof *maybe->list);
    }
    if (sure->n) {
        class->sure = xmemdup(sure->list, sure->n * sizeof *sure->list);
    }
    for (size_t i = 0; i < maybe->n; i++) {
        hmapx_add(&maybe->list[i]->classes, class);
    }
    hmap_insert(&s->classes, &class->node, hash);
    return class;
}

/* Returns true if prefixes of 'class' may be in 'atom'. */
bool
acl_class_has(const struct acl_class *class, const struct acl_atom *atom)
{
    return has_atom(class->maybe, class->n_maybe, atom);
}

/* Returns true if prefixes of 'class' surely are in 'atom'. */
bool
acl_class_surely_has(const struct acl_class *class,
                     const struct acl_atom *atom)
{
    return has_atom(class->sure, class->n_sure, atom);
}

/* Frees 'class', which no prefix has. */
void
acl_class_free(struct acl_sources *s, struct acl_class *class)
{
    for (size_t i = 0; i < class->n_maybe; i++) {
        hmapx_find_and_delete(&class->maybe[i]->classes, class);
    }
    hmap_remove(&s->classes, &class->node);
    free(class->maybe);
    free(class->sure);
    free(class);
}

/* Adds the atoms that have 'prefix' to 'atoms'.  Returns the class that the
 * datapath has for its packets now, by itself or by a prefix around it; NULL
 * if it has none. */
static const struct acl_class *
atoms_of(struct acl_sources *s, const struct acl_prefix *prefix,
         struct atoms *atoms)
{
    const struct acl_class *seen = NULL;
    void *path[ACL_TRIE_DEPTH];
    size_t n = acl_trie_path(trie_of(s, &prefix->prefix), &prefix->prefix,
                             path);

    for (size_t i = 0; i < n; i++) {
        const struct acl_prefix *p = path[i];

        for (size_t j = 0; j < p->n_owns; j++) {
            add_atom(atoms, p->owns[j].atom);
        }
        seen = p->class ? p->class : seen;
    }
    sort_atoms(atoms);
    return seen;
}

/* Stores in 'maybe' and 'sure' what is to be said of a prefix whose packets
 * have the class 'seen' now, and the atoms 'want' soon, while it is open which
 * of both is right. */
static void
be_careful(const struct acl_class *seen, const struct atoms *want,
           struct atoms *maybe, struct atoms *sure)
{
    for (size_t i = 0; i < want->n; i++) {
        struct acl_atom *atom = want->list[i];

        add_atom(maybe, atom);
        if (atom->fresh
            || (seen && has_atom(seen->sure, seen->n_sure, atom))) {
            add_atom(sure, atom);
        }
    }
    for (size_t i = 0; seen && i < seen->n_maybe; i++) {
        add_atom(maybe, seen->maybe[i]);
    }
    sort_atoms(maybe);
}

/* Returns the class that 'prefix' should have in the datapath; NULL: it should
 * not be there.  With 'careful', the class is good for the atoms that the
 * prefix was in as well as for those that it is in.  Stores in '*settled'
 * whether that will do for good. */
struct acl_class *
acl_prefix_want(struct acl_sources *s, const struct acl_prefix *prefix,
                bool careful, bool *settled)
{
    struct atoms want = { .n = 0 }, maybe = { .n = 0 }, sure = { .n = 0 };
    bool stays = prefix->n_owns || prefix->anchor;
    const struct acl_class *seen = atoms_of(s, prefix, &want);
    struct acl_class *class = NULL;

    if (!careful || (!stays && !prefix->class)) {
        class = stays ? get_class(s, prefix->ip6, &want, &want) : NULL;
        *settled = true;
    } else {
        be_careful(seen, &want, &maybe, &sure);
        class = get_class(s, prefix->ip6, &maybe, &sure);
        *settled = stays && maybe.n == sure.n && maybe.n == want.n;
    }
    free(want.list);
    free(maybe.list);
    free(sure.list);
    return class;
}

/* Notes that the datapath has 'class', or NULL, for 'prefix'. */
void
acl_prefix_set(struct acl_prefix *prefix, struct acl_class *class)
{
    if (class) {
        class->n_prefixes++;
    }
    if (prefix->class) {
        prefix->class->n_prefixes--;
    }
    prefix->class = class;
}

/* Adds to 'atoms' those with a prefix of IPv6 around all of IPv4. */
static void
list_around_ip4(struct acl_sources *s, struct hmapx *atoms)
{
    const struct dp_prefix all4 = all_ip4();
    void *path[ACL_TRIE_DEPTH];
    size_t n = acl_trie_path(&s->tries[1], &all4, path);

    for (size_t i = 0; i < n; i++) {
        const struct acl_prefix *p = path[i];

        for (size_t j = 0; j < p->n_owns; j++) {
            hmapx_add(atoms, p->owns[j].atom);
        }
    }
}

/* Adds to 'atoms' those that the datapath is wrong about, as far as packets of
 * 'prefix' are concerned.  Without the anchor, packets of IPv4 would find what
 * is around it. */
void
acl_prefix_blame(struct acl_sources *s, const struct acl_prefix *prefix,
                 struct hmapx *atoms)
{
    struct atoms want = { .n = 0 };
    const struct acl_class *seen = atoms_of(s, prefix, &want);

    for (size_t i = 0; i < want.n; i++) {
        if (!seen || !acl_class_surely_has(seen, want.list[i])) {
            hmapx_add(atoms, want.list[i]);
        }
    }
    for (size_t i = 0; seen && i < seen->n_maybe; i++) {
        if (!has_atom(want.list, want.n, seen->maybe[i])) {
            hmapx_add(atoms, seen->maybe[i]);
        }
    }
    if (prefix->anchor) {
        list_around_ip4(s, atoms);
    }
    free(want.list);
}

/* Notes that 'prefix' is no longer dirty.  It is freed if it is of no use. */
void
acl_prefix_clean(struct acl_sources *s, struct acl_prefix *prefix)
{
    ovs_list_remove(&prefix->dirty);
    ovs_list_init(&prefix->dirty);
    if (!prefix->n_owns && !prefix->anchor && !prefix->class) {
        acl_trie_remove(trie_of(s, &prefix->prefix), &prefix->prefix);
        s->n_prefixes--;
        free_prefix(prefix, NULL);
    }
}
