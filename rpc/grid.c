/* SPDX-License-Identifier: Apache-2.0 */
/* See rpc/grid.h. */

#include <config.h>

#include "rpc/grid.h"

#include <ctype.h>
#include <string.h>

#include "openvswitch/dynamic-string.h"
#include "util.h"

#include "rpc/utf8.h"

static void grid_measure(const struct grid *, size_t *widths);
static void grid_put_row(const struct grid *, const size_t *widths,
                         char *const *cells, struct ds *);
static void grid_put_rule(const struct grid *, const size_t *widths,
                          struct ds *);

/* Makes 'grid' a table without columns. */
void
grid_init(struct grid *grid)
{
    memset(grid, 0, sizeof *grid);
    svec_init(&grid->headings);
    svec_init(&grid->cells);
}

/* Frees what 'grid' holds. */
void
grid_uninit(struct grid *grid)
{
    svec_destroy(&grid->headings);
    svec_destroy(&grid->cells);
}

/* Adds a column with 'heading'.  All columns come before the first cell. */
void
grid_add_column(struct grid *grid, const char *heading)
{
    ovs_assert(grid->headings.n < GRID_MAX_COLUMNS && !grid->cells.n);
    svec_add(&grid->headings, heading);
}

/* Adds a column of numbers with 'heading'. */
void
grid_add_number_column(struct grid *grid, const char *heading)
{
    grid_add_column(grid, heading);
    grid->numeric[grid->headings.n - 1] = true;
}

/* Fills the next cell of 'grid': cells come row after row.  Control
 * characters, which would act on the terminal, are replaced. */
void
grid_put(struct grid *grid, const char *cell)
{
    char *copy = xstrdup(cell[0] ? cell : "-");
    char *p;

    for (p = copy; *p; p++) {
        if (iscntrl((unsigned char) *p)) {
            *p = '?';
        }
    }
    svec_add_nocopy(&grid->cells, copy);
}

/* Returns true if 'grid' has no rows. */
bool
grid_is_empty(const struct grid *grid)
{
    return !grid->cells.n;
}

/* Appends 'grid' as text to 'out'. */
void
grid_format(const struct grid *grid, struct ds *out)
{
    size_t n_columns = grid->headings.n;
    size_t widths[GRID_MAX_COLUMNS];
    size_t i;

    grid_measure(grid, widths);
    grid_put_row(grid, widths, grid->headings.names, out);
    grid_put_rule(grid, widths, out);
    for (i = 0; i + n_columns <= grid->cells.n; i += n_columns) {
        grid_put_row(grid, widths, &grid->cells.names[i], out);
    }
}

/* Stores the width of each column of 'grid' in 'widths'. */
static void
grid_measure(const struct grid *grid, size_t *widths)
{
    size_t i;

    for (i = 0; i < grid->headings.n; i++) {
        widths[i] = utf8_width(grid->headings.names[i]);
    }
    for (i = 0; i < grid->cells.n; i++) {
        size_t *width = &widths[i % grid->headings.n];

        *width = MAX(*width, utf8_width(grid->cells.names[i]));
    }
}

/* Appends a row of 'cells' to 'out', without spaces at its end. */
static void
grid_put_row(const struct grid *grid, const size_t *widths,
             char *const *cells, struct ds *out)
{
    size_t i;

    for (i = 0; i < grid->headings.n; i++) {
        size_t pad = widths[i] - utf8_width(cells[i]);

        if (grid->numeric[i]) {
            ds_put_char_multiple(out, ' ', pad);
        }
        ds_put_cstr(out, cells[i]);
        if (i + 1 < grid->headings.n) {
            ds_put_char_multiple(out, ' ', grid->numeric[i] ? 1 : pad + 1);
        }
    }
    ds_put_char(out, '\n');
}

/* Appends the line below the headings to 'out'. */
static void
grid_put_rule(const struct grid *grid, const size_t *widths, struct ds *out)
{
    size_t i;

    for (i = 0; i < grid->headings.n; i++) {
        if (i) {
            ds_put_char(out, ' ');
        }
        ds_put_char_multiple(out, '-', widths[i]);
    }
    ds_put_char(out, '\n');
}
