/* SPDX-License-Identifier: Apache-2.0 */
/* Makes the datapath hold what is desired, and keeps trying.
 *
 * Knows what has been put there (or was found there and adopted), applies
 * differences in an order that loses no packet, remembers what failed and why,
 * and says when to try again. */
#ifndef PLUGIN_RECONCILE_H
#define PLUGIN_RECONCILE_H 1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "plugin/datapath.h"
#include "plugin/problems.h"
#include "sset.h"

struct desired;
struct reconcile;

struct reconcile *reconcile_create(const struct dp_class *, struct dp *);
void reconcile_destroy(struct reconcile *);
bool reconcile_run(struct reconcile *, const struct desired *,
                   long long int now);
void reconcile_wait(const struct reconcile *);
bool reconcile_is_due(const struct reconcile *, long long int now);
void reconcile_forget_foreign(struct reconcile *);
void reconcile_forget_failures(struct reconcile *);

/* What happened, for 'desired' and 'view'.  Borrowed, valid until the next
 * reconcile_run(). */
const struct sset *reconcile_attached(const struct reconcile *);
const struct sset *reconcile_foreign(const struct reconcile *);
const struct sset *reconcile_native_failed(const struct reconcile *);
const struct problems *reconcile_problems(const struct reconcile *);
bool reconcile_is_installed(const struct reconcile *, const struct dp_key *);
bool reconcile_is_full(const struct reconcile *);
bool reconcile_has_adopted(const struct reconcile *);
uint32_t reconcile_max_acl(const struct reconcile *);
bool reconcile_is_in_step(const struct reconcile *);
size_t reconcile_n_current(const struct reconcile *);
bool reconcile_is_timed(const struct reconcile *);
uint64_t reconcile_generation(const struct reconcile *);
int reconcile_attach_error(const struct reconcile *, const char *name);

#endif /* plugin/reconcile.h */
