/* SPDX-License-Identifier: Apache-2.0 */
/* Which rows of the Northbound database are monitored.  Used by nb-db.c
 * only. */
#ifndef IDL_NB_DB_COND_H
#define IDL_NB_DB_COND_H 1

#include <stdbool.h>

struct ovsdb_idl;
struct sset;

unsigned int nb_cond_set(struct ovsdb_idl *, const struct sset *ports,
                         const struct sset *gateways);

#endif /* idl/nb-db-cond.h */
