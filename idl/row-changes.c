/* SPDX-License-Identifier: Apache-2.0 */
/* The set of rows that changed; see row-changes.h. */
#include <config.h>

#include "idl/row-changes.h"

#include <stdlib.h>

#include "util.h"
#include "uuid.h"

/* Makes 'changes' empty. */
void
row_changes_init(struct row_changes *changes)
{
    changes->all = false;
    hmap_init(&changes->rows);
}

/* Frees what 'changes' holds, not 'changes' itself. */
void
row_changes_destroy(struct row_changes *changes)
{
    row_changes_clear(changes);
    hmap_destroy(&changes->rows);
}

/* Returns the change of the row 'uuid' in 'changes', or NULL. */
static struct row_change *
find_change(const struct row_changes *changes, const struct uuid *uuid)
{
    struct row_change *change;

    HMAP_FOR_EACH_WITH_HASH (change, node, uuid_hash(uuid), &changes->rows) {
        if (uuid_equals(&change->uuid, uuid)) {
            return change;
        }
    }
    return NULL;
}

/* Notes in 'changes' that 'parts' of the row 'uuid' changed. */
void
row_changes_add(struct row_changes *changes, const struct uuid *uuid,
                unsigned int parts)
{
    struct row_change *change = find_change(changes, uuid);

    if (!change) {
        change = xmalloc(sizeof *change);
        *change = (struct row_change) { .uuid = *uuid };
        hmap_insert(&changes->rows, &change->node, uuid_hash(uuid));
    }
    change->parts |= parts;
}

/* Adds to 'dst' what is in 'src', which is empty then. */
void
row_changes_move(struct row_changes *dst, struct row_changes *src)
{
    const struct row_change *change;

    HMAP_FOR_EACH (change, node, &src->rows) {
        row_changes_add(dst, &change->uuid, change->parts);
    }
    dst->all |= src->all;
    row_changes_clear(src);
}

/* Empties 'changes', which stays usable. */
void
row_changes_clear(struct row_changes *changes)
{
    struct row_change *change;

    HMAP_FOR_EACH_POP (change, node, &changes->rows) {
        free(change);
    }
    changes->all = false;
}
