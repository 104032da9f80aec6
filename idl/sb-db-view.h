/* SPDX-License-Identifier: Apache-2.0 */
/* From rows of the Southbound replica to struct sb_binding, and the set of
 * them that makes a struct sb_view.  Used by sb-db.c only. */
#ifndef IDL_SB_DB_VIEW_H
#define IDL_SB_DB_VIEW_H 1

#include <stdbool.h>
#include "idl/sb-db.h"

struct ovsdb_idl;
struct sbrec_port_binding;

/* From whose point of view rows are read. */
struct sb_viewer {
    const char *chassis;        /* Chassis name. */
    struct uuid chassis_uuid;   /* Its row, or UUID_ZERO. */
    bool hold;                  /* Keep what may only be gone for a moment. */
    const struct sset *peers;   /* Values of options:peer that matter. */
};

void sb_view_add_columns(struct ovsdb_idl *);

void sb_view_init(struct sb_view *);
void sb_view_destroy(struct sb_view *);

bool sb_view_update_row(struct sb_view *, const struct sb_viewer *,
                        const struct ovsdb_idl *, const struct uuid *);
bool sb_view_update_all(struct sb_view *, const struct sb_viewer *,
                        const struct ovsdb_idl *, size_t *n_held);

#endif /* idl/sb-db-view.h */
