/* SPDX-License-Identifier: Apache-2.0 */
/* From rule sets and address sets to what the datapath holds of them.
 *
 * A rule set is compiled once (acl-compile.h) and written under an id that is
 * never used again; endpoints then name it.  Sources are shared by all sets:
 * each prefix belongs to one class, which stands for the atoms that have it.
 * So a member that joins an address set costs one element, and a packet, which
 * has one source, sees the set either before or after. */
#ifndef PLUGIN_ACL_APPLY_H
#define PLUGIN_ACL_APPLY_H 1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "plugin/datapath.h"
#include "plugin/reason.h"

struct acl;
struct acl_apply;
struct acl_set;
struct problems;
struct sb_acl_view;
struct simap;
struct sset;

/* 'first_id' must be greater than any id that an endpoint in the datapath
 * has. */
struct acl_apply *acl_apply_create(const struct dp_class *, struct dp *,
                                   uint32_t first_id);
void acl_apply_destroy(struct acl_apply *);

/* What there should be. */
struct acl_apply_inputs {
    const struct acl *acl;      /* Ports and their rules. */
    const struct sb_acl_view *view; /* Address sets. */
    const struct sset *changed_sets; /* Those that may have changed; NULL:
                                      * any. */
    bool steady;                /* No endpoint that names a set is going to
                                 * name another one. */
    long long int now;          /* time_msec(). */
};

/* Writes whatever the rules need that is not there yet.  Adds to 'problems'
 * what does not fit.  Returns 0, or a positive errno if the datapath refused
 * something else: then it is to be repeated. */
int acl_apply_prepare(struct acl_apply *, const struct acl_apply_inputs *,
                      struct problems *);

/* Returns the id for dp_action of an endpoint with the rules 'set', or 0 if it
 * does not fit. */
uint32_t acl_apply_id(const struct acl_apply *, const struct acl_set *);

/* Says why that is 0: REASON_NONE if it is not, REASON_ACL_PENDING if the set
 * is new to acl_apply_prepare(). */
enum reason acl_apply_reason(const struct acl_apply *, const struct acl_set *);

/* Returns true, once, if acl_apply_prepare() has made something else of a set
 * that was there before: it has lost its id, or has got one at last.  All
 * endpoints are to be judged anew then. */
bool acl_apply_take_changes(struct acl_apply *);

/* Returns when acl_apply_prepare() is to be called though nothing changed, for
 * what did not fit; LLONG_MAX: never. */
long long int acl_apply_retry_at(const struct acl_apply *);

/* Deletes what no set of the last acl_apply_prepare() needs.  To be called
 * once no endpoint names those sets any more. */
void acl_apply_finish(struct acl_apply *);

/* Fills 'hits', one per rule of 'set', with packets that the datapath compared
 * and that this rule decided about. */
void acl_apply_hits(const struct acl_apply *, const struct acl_set *,
                    uint64_t *hits);
void acl_apply_get_memory_usage(const struct acl_apply *, struct simap *);

#endif /* plugin/acl-apply.h */
