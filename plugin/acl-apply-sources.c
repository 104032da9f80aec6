/* SPDX-License-Identifier: Apache-2.0 */
/* Prefixes and classes: the part of plugin/acl-apply.c that is about sources;
 * see there for the order of everything. */
#include <config.h>

#include "plugin/acl-apply-private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hmapx.h"
#include "util.h"

/* Stores in 'bits' which rules of 'set' may match sources of 'class'.  Returns
 * false if these are those for sources of no class. */
static bool
class_bits(const struct applied *set, const struct acl_class *class,
           struct dp_acl_bits *bits)
{
    const struct svec *atoms = &set->c.atoms;
    bool *maybe = xcalloc(atoms->n + 1, sizeof *maybe);
    bool *sure = xcalloc(atoms->n + 1, sizeof *sure);

    for (size_t i = 0; i < class->n_maybe; i++) {
        size_t j = svec_find(atoms, class->maybe[i]->text);

        if (j != SIZE_MAX) {
            maybe[j] = true;
            sure[j] = acl_class_surely_has(class, class->maybe[i]);
        }
    }
    acl_compiled_sources(&set->c, class->ip6, maybe, sure, bits);
    free(maybe);
    free(sure);
    return memcmp(bits, class->ip6 ? &set->c.acl.any6 : &set->c.acl.any4,
                  sizeof *bits);
}

/* Stores in '*n' how many classes have an atom of 'set', and returns what it
 * has for them, as far as that is not what it has for others.  The caller
 * frees it. */
struct dp_acl_class *
apply_rows(const struct applied *set, size_t *n)
{
    struct hmapx classes = HMAPX_INITIALIZER(&classes);
    struct dp_acl_class *rows;
    struct hmapx_node *node;

    for (size_t i = 0; i < set->c.atoms.n; i++) {
        HMAPX_FOR_EACH (node, &set->atoms[i]->classes) {
            hmapx_add(&classes, node->data);
        }
    }
    rows = xmalloc(MAX(hmapx_count(&classes), 1) * sizeof *rows);
    *n = 0;
    HMAPX_FOR_EACH (node, &classes) {
        const struct acl_class *class = node->data;

        if (class->known && class_bits(set, class, &rows[*n].bits)) {
            rows[(*n)++].class = class->number;
        }
    }
    hmapx_destroy(&classes);
    return rows;
}

/* Adds to 'users' the sets that use an atom of 'class'. */
static void
list_users(const struct acl_class *class, struct hmapx *users)
{
    for (size_t i = 0; i < class->n_maybe; i++) {
        struct hmapx_node *node;

        HMAPX_FOR_EACH (node, &class->maybe[i]->users) {
            hmapx_add(users, node->data);
        }
    }
}

/* Writes what 'set' has for 'class'. */
static int
write_row(struct acl_apply *apply, struct applied *set,
          const struct acl_class *class)
{
    struct dp_acl_class row = { .class = class->number };
    int error = 0;

    if (set->id && class_bits(set, class, &row.bits)) {
        error = apply->class->put_acl_class(apply->dp, set->id, &row);
    }
    return (error == ENOSPC
            ? apply_reject(apply, set, REASON_ACL_LIMIT)
            : error);
}

/* Has the datapath know what sets have for 'class'. */
static int
write_class(struct acl_apply *apply, struct acl_class *class)
{
    struct hmapx users = HMAPX_INITIALIZER(&users);
    struct hmapx_node *node;
    int error = 0;

    if (class->known) {
        return 0;
    }
    list_users(class, &users);
    HMAPX_FOR_EACH (node, &users) {
        if (!error) {
            error = write_row(apply, node->data, class);
        }
    }
    hmapx_destroy(&users);
    class->known = !error;
    return error;
}

/* Rejects the sets for which it matters that 'prefix' does not fit. */
static int
reject_prefix(struct acl_apply *apply, const struct acl_prefix *prefix)
{
    struct hmapx atoms = HMAPX_INITIALIZER(&atoms);
    struct hmapx_node *node;
    int error = 0;

    acl_prefix_blame(&apply->sources, prefix, &atoms);
    HMAPX_FOR_EACH (node, &atoms) {
        if (!error) {
            error = apply_reject_users(apply, node->data, REASON_ACL_LIMIT);
        }
    }
    hmapx_destroy(&atoms);
    return error;
}

/* Gives 'prefix' the class 'class' in the datapath.  What does not fit stays
 * dirty. */
static int
write_prefix(struct acl_apply *apply, struct acl_prefix *prefix,
             struct acl_class *class)
{
    int error = write_class(apply, class);

    if (!error) {
        error = apply->class->put_acl_source(apply->dp, &prefix->prefix,
                                             class->number);
    }
    if (!error) {
        acl_prefix_set(prefix, class);
    }
    return error;
}

/* Writes 'prefix' if it is to be there; leaves those alone that are not. */
static int
update_prefix(struct acl_apply *apply, struct acl_prefix *prefix,
              bool careful)
{
    struct acl_class *class;
    bool settled;
    int error = 0;

    class = acl_prefix_want(&apply->sources, prefix, careful, &settled);
    if (!class) {
        return 0;
    }
    if (class != prefix->class) {
        error = write_prefix(apply, prefix, class);
    }
    if (error == ENOSPC) {
        return reject_prefix(apply, prefix);
    } else if (!error && settled) {
        acl_prefix_clean(&apply->sources, prefix);
    }
    return error;
}

/* Deletes 'prefix' if it is not to be there. */
static int
remove_prefix(struct acl_apply *apply, struct acl_prefix *prefix, bool careful)
{
    if (prefix->n_owns || prefix->anchor || (careful && prefix->class)) {
        return 0;
    }
    if (prefix->class) {
        int error = apply->class->del_acl_source(apply->dp, &prefix->prefix);

        if (error && error != ENOENT) {
            return error;
        }
        acl_prefix_set(prefix, NULL);
    }
    acl_prefix_clean(&apply->sources, prefix);
    return 0;
}

/* Brings the datapath up to date about dirty prefixes.  With 'careful', it
 * does the first step of two: see above, also for the order. */
int
apply_prefixes(struct acl_apply *apply, bool careful)
{
    struct acl_prefix **list;
    int error = 0;
    size_t n;

    list = acl_sources_dirty(&apply->sources, &n);
    for (size_t i = 0; i < n && !error; i++) {
        error = update_prefix(apply, list[i], careful);
    }
    free(list);

    list = acl_sources_dirty(&apply->sources, &n);
    for (size_t i = n; i > 0 && !error; i--) {
        error = remove_prefix(apply, list[i - 1], careful);
    }
    free(list);
    return error;
}

/* Deletes what sets have for 'class', which no prefix has. */
static int
delete_rows(struct acl_apply *apply, const struct acl_class *class)
{
    struct hmapx users = HMAPX_INITIALIZER(&users);
    struct hmapx_node *node;
    int error = 0;

    list_users(class, &users);
    HMAPX_FOR_EACH (node, &users) {
        const struct applied *set = node->data;

        if (set->id && (!error || error == ENOENT)) {
            error = apply->class->del_acl_class(apply->dp, set->id,
                                                class->number);
        }
    }
    hmapx_destroy(&users);
    return error == ENOENT ? 0 : error;
}

/* Deletes the classes that no prefix has. */
int
apply_delete_classes(struct acl_apply *apply)
{
    struct acl_class *class;

    HMAP_FOR_EACH_SAFE (class, node, &apply->sources.classes) {
        if (!class->n_prefixes) {
            int error = class->known ? delete_rows(apply, class) : 0;

            if (error) {
                return error;
            }
            acl_class_free(&apply->sources, class);
        }
    }
    return 0;
}
