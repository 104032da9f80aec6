/* SPDX-License-Identifier: Apache-2.0 */
/* Computes the operations between 'desired' and 'datapath', and keeps the set
 * of what has been put into the datapath. */

#include <config.h>

#include "plugin/diff.h"

#include <stdlib.h>
#include <string.h>

#include "util.h"

#include "plugin/desired.h"

/* Returns the endpoint with 'key' in 'installed', or NULL. */
struct installed_endpoint *
installed_find(const struct hmap *installed, const struct dp_key *key)
{
    struct installed_endpoint *ep;

    HMAP_FOR_EACH_WITH_HASH (ep, node, dp_key_hash(key), installed) {
        if (dp_key_equals(&ep->dp.key, key)) {
            return ep;
        }
    }
    return NULL;
}

/* Notes in 'installed' that the datapath holds 'dp'. */
void
installed_put(struct hmap *installed, const struct dp_endpoint *dp)
{
    struct installed_endpoint *ep = installed_find(installed, &dp->key);

    if (!ep) {
        ep = xmalloc(sizeof *ep);
        hmap_insert(installed, &ep->node, dp_key_hash(&dp->key));
    }
    ep->dp = *dp;
}

/* Notes in 'installed' that the datapath holds nothing for 'key'. */
void
installed_del(struct hmap *installed, const struct dp_key *key)
{
    struct installed_endpoint *ep = installed_find(installed, key);

    if (ep) {
        hmap_remove(installed, &ep->node);
        free(ep);
    }
}

/* Frees all elements of 'installed' and what it holds. */
void
installed_destroy(struct hmap *installed)
{
    struct installed_endpoint *ep;

    HMAP_FOR_EACH_POP (ep, node, installed) {
        free(ep);
    }
    hmap_destroy(installed);
}

/* Appends an operation of 'type' with 'dp' to 'diff'. */
static void
add_op(struct diff *diff, enum diff_op_type type, const struct dp_endpoint *dp)
{
    if (diff->n >= diff->allocated) {
        diff->ops = x2nrealloc(diff->ops, &diff->allocated,
                               sizeof *diff->ops);
    }
    diff->ops[diff->n++] = (struct diff_op) { type, *dp };
}

/* Adds the deletion of the endpoint with 'key', if it is in 'installed' and
 * not in 'desired'. */
static void
add_deletion(const struct hmap *installed, const struct desired *desired,
             const struct dp_key *key, struct diff *diff)
{
    const struct installed_endpoint *old = installed_find(installed, key);
    const struct desired_endpoint *ep = desired_find_endpoint(desired, key);

    if (old && (!ep || ep->reason != REASON_NONE)) {
        add_op(diff, DIFF_DEL, &old->dp);
    }
}

/* Adds the addition or replacement of 'ep', unless it is in 'installed' as it
 * should be or does not belong there. */
static void
add_put(const struct hmap *installed, const struct desired_endpoint *ep,
        struct diff *diff)
{
    struct dp_endpoint dp = { .key = ep->key };

    if (desired_endpoint_action(ep, &dp.action)) {
        const struct installed_endpoint *old = installed_find(installed,
                                                              &ep->key);
        if (!old || !dp_action_equals(&old->dp.action, &dp.action)) {
            add_op(diff, DIFF_PUT, &dp);
        }
    }
}

/* Stores in '*diff' what turns 'installed' into 'desired'.  The caller frees
 * it with diff_destroy(). */
void
diff_compute(const struct hmap *installed, const struct desired *desired,
             struct diff *diff)
{
    const struct installed_endpoint *old;
    const struct desired_endpoint *ep;

    memset(diff, 0, sizeof *diff);
    HMAP_FOR_EACH (old, node, installed) {
        add_deletion(installed, desired, &old->dp.key, diff);
    }
    HMAP_FOR_EACH (ep, node, &desired->endpoints) {
        add_put(installed, ep, diff);
    }
}

/* The same, given that 'installed' is what 'desired' was at the last
 * desired_forget_changes(), and that 'desired' knows each endpoint that
 * changed since. */
void
diff_compute_changed(const struct hmap *installed,
                     const struct desired *desired, struct diff *diff)
{
    const struct desired_change *change;

    memset(diff, 0, sizeof *diff);
    HMAP_FOR_EACH (change, node, &desired->changed) {
        add_deletion(installed, desired, &change->key, diff);
    }
    HMAP_FOR_EACH (change, node, &desired->changed) {
        const struct desired_endpoint *ep
            = desired_find_endpoint(desired, &change->key);
        if (ep) {
            add_put(installed, ep, diff);
        }
    }
}

/* Frees what 'diff' holds, not 'diff' itself. */
void
diff_destroy(struct diff *diff)
{
    free(diff->ops);
}
