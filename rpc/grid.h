/* SPDX-License-Identifier: Apache-2.0 */
/* A table as text, in the manner of the OVS tools: headings, a rule, rows.
 * Columns of numbers are aligned to the right; an empty cell shows as "-". */
#ifndef RPC_GRID_H
#define RPC_GRID_H 1

#include <stdbool.h>
#include <stddef.h>

#include "svec.h"

struct ds;

/* Columns of a grid at most. */
#define GRID_MAX_COLUMNS 16

/* A table being filled. */
struct grid {
    struct svec headings;       /* Headings of the columns. */
    bool numeric[GRID_MAX_COLUMNS]; /* Is the column one of numbers? */
    struct svec cells;          /* Row after row. */
};

void grid_init(struct grid *);
void grid_uninit(struct grid *);
void grid_add_column(struct grid *, const char *heading);
void grid_add_number_column(struct grid *, const char *heading);
void grid_put(struct grid *, const char *cell);
bool grid_is_empty(const struct grid *);
void grid_format(const struct grid *, struct ds *);

#endif /* rpc/grid.h */
