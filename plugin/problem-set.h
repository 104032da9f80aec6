/* SPDX-License-Identifier: Apache-2.0 */
/* Problems that come and go one by one, each counted as often as somebody has
 * it.  What is in the set does not depend on the way that led there. */
#ifndef PLUGIN_PROBLEM_SET_H
#define PLUGIN_PROBLEM_SET_H 1

#include "openvswitch/list.h"
#include "openvswitch/shash.h"
#include "plugin/problems.h"

/* See above. */
struct problem_set {
    struct shash entries;       /* Of struct problem_entry, by class and
                                 * message. */
    struct ovs_list touched;    /* Those that may have come or gone since
                                 * problem_set_settle(). */
};

void problem_set_init(struct problem_set *);
void problem_set_destroy(struct problem_set *);
void problem_set_add(struct problem_set *, const struct problems *);
void problem_set_remove(struct problem_set *, const struct problems *);
void problem_set_settle(struct problem_set *, struct problems *all,
                        struct problems *fresh);

#endif /* plugin/problem-set.h */
