/* SPDX-License-Identifier: Apache-2.0 */
/* From the replica of the local database to a struct ovs_view of plain
 * values.  Used by ovs-db.c only. */
#ifndef IDL_OVS_DB_VIEW_H
#define IDL_OVS_DB_VIEW_H 1

#include <stdbool.h>
#include "idl/ovs-db.h"

struct ovsdb_idl;

void ovs_view_add_columns(struct ovsdb_idl *);

void ovs_view_init(struct ovs_view *);
void ovs_view_destroy(struct ovs_view *);
void ovs_view_swap(struct ovs_view *, struct ovs_view *);
bool ovs_view_read(struct ovs_view *, const struct ovsdb_idl *);
bool ovs_view_equals(const struct ovs_view *, const struct ovs_view *);

#endif /* idl/ovs-db-view.h */
