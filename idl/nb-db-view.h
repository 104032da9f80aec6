/* SPDX-License-Identifier: Apache-2.0 */
/* From rows of the Northbound replica to struct nat_fact, and the set of them
 * that makes a struct nb_view.  Used by nb-db.c only. */
#ifndef IDL_NB_DB_VIEW_H
#define IDL_NB_DB_VIEW_H 1

#include <stdbool.h>
#include "idl/nb-db.h"

struct ovsdb_idl;

void nb_view_add_columns(struct ovsdb_idl *);

void nb_view_init(struct nb_view *);
void nb_view_destroy(struct nb_view *);
bool nb_view_clear(struct nb_view *);

bool nb_view_update(struct nb_view *, const struct ovsdb_idl *,
                    const struct sset *ports, const struct sset *gateways);

#endif /* idl/nb-db-view.h */
