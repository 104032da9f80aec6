/* SPDX-License-Identifier: Apache-2.0 */
/* Which rows of a view changed since somebody asked.  Plain values: whoever
 * keeps a view adds to one, whoever derives from the view takes it. */
#ifndef IDL_ROW_CHANGES_H
#define IDL_ROW_CHANGES_H 1

#include <stdbool.h>
#include "openvswitch/hmap.h"
#include "openvswitch/uuid.h"

/* A row that was added, deleted or modified. */
struct row_change {
    struct hmap_node node;      /* In row_changes 'rows', by hash of 'uuid'. */
    struct uuid uuid;           /* The row. */
    unsigned int parts;         /* What of it, as bits that its view names. */
};

/* Any number of them.  Naming a row that is as it was costs a little, leaving
 * out one that changed makes wrong whatever is derived. */
struct row_changes {
    bool all;                   /* Also rows that are not in 'rows'. */
    struct hmap rows;           /* Of struct row_change. */
};

#define ROW_CHANGES_INITIALIZER(CHANGES) \
    { false, HMAP_INITIALIZER(&(CHANGES)->rows) }

void row_changes_init(struct row_changes *);
void row_changes_destroy(struct row_changes *);
void row_changes_add(struct row_changes *, const struct uuid *,
                     unsigned int parts);
void row_changes_move(struct row_changes *dst, struct row_changes *src);
void row_changes_clear(struct row_changes *);

#endif /* idl/row-changes.h */
