/* SPDX-License-Identifier: Apache-2.0 */
/* From what the datapath holds to what it should hold.
 *
 * Pure: two sets of endpoints in, a list of operations out.  Applying the list
 * to the first set gives the second. */
#ifndef PLUGIN_DIFF_H
#define PLUGIN_DIFF_H 1

#include "openvswitch/hmap.h"
#include "plugin/datapath.h"

struct desired;

/* An endpoint that is in the datapath. */
struct installed_endpoint {
    struct hmap_node node;      /* By dp_key_hash() of 'dp.key'. */
    struct dp_endpoint dp;      /* What was put. */
};

struct installed_endpoint *installed_find(const struct hmap *installed,
                                          const struct dp_key *);
void installed_put(struct hmap *installed, const struct dp_endpoint *);
void installed_del(struct hmap *installed, const struct dp_key *);
void installed_destroy(struct hmap *installed);

/* Operations. */
enum diff_op_type {
    DIFF_PUT,                   /* Add or replace. */
    DIFF_DEL                    /* Delete. */
};

/* One operation on the datapath. */
struct diff_op {
    enum diff_op_type type;     /* What to do. */
    struct dp_endpoint dp;      /* With what; only the key for DIFF_DEL. */
};

/* Operations in the order in which they are to be done. */
struct diff {
    struct diff_op *ops;        /* Deletions first: they make room. */
    size_t n;                   /* Number of elements in 'ops'. */
    size_t allocated;           /* Capacity of 'ops'. */
};

void diff_compute(const struct hmap *installed, const struct desired *,
                  struct diff *);
void diff_compute_changed(const struct hmap *installed, const struct desired *,
                          struct diff *);
void diff_destroy(struct diff *);

#endif /* plugin/diff.h */
