/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of devices; see plugin/datapath-fake-set.h. */
#include <config.h>

#include "plugin/datapath-fake-set.h"

#include <errno.h>

#include "util.h"

/* Returns true if 'set' holds 'ifindex'. */
bool
index_set_contains(const struct index_set *set, int ifindex)
{
    for (size_t i = 0; i < set->n; i++) {
        if (set->indexes[i] == ifindex) {
            return true;
        }
    }
    return false;
}

/* Adds 'ifindex' to 'set'.  ENOSPC if it is full. */
int
index_set_add(struct index_set *set, int ifindex)
{
    if (!index_set_contains(set, ifindex)) {
        if (set->n >= ARRAY_SIZE(set->indexes)) {
            return ENOSPC;
        }
        set->indexes[set->n++] = ifindex;
    }
    return 0;
}

/* Removes 'ifindex' from 'set'.  ENOENT if it is not there. */
int
index_set_remove(struct index_set *set, int ifindex)
{
    for (size_t i = 0; i < set->n; i++) {
        if (set->indexes[i] == ifindex) {
            set->indexes[i] = set->indexes[--set->n];
            return 0;
        }
    }
    return ENOENT;
}
