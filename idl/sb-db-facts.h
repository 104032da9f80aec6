/* SPDX-License-Identifier: Apache-2.0 */
/* From rows of Logical_Flow to the facts of a struct sb_view.  Used by sb-db.c
 * only. */
#ifndef IDL_SB_DB_FACTS_H
#define IDL_SB_DB_FACTS_H 1

#include <stdbool.h>
#include "idl/sb-db.h"

struct ovsdb_idl;
struct sb_scope;

void sb_facts_add_columns(struct ovsdb_idl *);

bool sb_facts_update_row(struct sb_view *, const struct sb_scope *,
                         const struct ovsdb_idl *, const struct uuid *);
bool sb_facts_update_all(struct sb_view *, const struct sb_scope *,
                         const struct ovsdb_idl *);
void sb_facts_get_peers(const struct sb_view *, const struct simap *vifs,
                        struct sset *peers);
void sb_facts_destroy(struct hmap *facts);

#endif /* idl/sb-db-facts.h */
