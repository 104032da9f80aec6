/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses that came a short time ago; see plugin/newcomers.h. */
#include <config.h>

#include "plugin/newcomers.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "util.h"

#include "plugin/desired.h"

/* An address of this chassis. */
struct comer {
    struct hmap_node node;      /* In struct newcomers, by hash of 'key'. */
    struct dp_key key;          /* Address. */
    char *port;                 /* Port that has it. */
    enum endpoint_kind kind;    /* In which way. */
    long long int until;        /* When it ceases to be new, time_msec(); 0:
                                 * it is not. */
};

/* See plugin/newcomers.h. */
struct newcomers {
    struct hmap comers;         /* Of struct comer. */
    long long int next;         /* When one may cease to be new; LLONG_MAX:
                                 * none is. */
};

/* Creates an empty set. */
struct newcomers *
newcomers_create(void)
{
    struct newcomers *all = xmalloc(sizeof *all);

    hmap_init(&all->comers);
    all->next = LLONG_MAX;
    return all;
}

/* Frees 'comer' of 'all'. */
static void
comer_destroy(struct newcomers *all, struct comer *comer)
{
    hmap_remove(&all->comers, &comer->node);
    free(comer->port);
    free(comer);
}

/* Frees 'all'. */
void
newcomers_destroy(struct newcomers *all)
{
    if (all) {
        struct comer *comer;

        HMAP_FOR_EACH_SAFE (comer, node, &all->comers) {
            comer_destroy(all, comer);
        }
        hmap_destroy(&all->comers);
        free(all);
    }
}

/* Returns the address 'key' of 'all', or NULL. */
static struct comer *
find_comer(const struct newcomers *all, const struct dp_key *key)
{
    struct comer *comer;

    HMAP_FOR_EACH_WITH_HASH (comer, node, dp_key_hash(key), &all->comers) {
        if (dp_key_equals(&comer->key, key)) {
            return comer;
        }
    }
    return NULL;
}

/* Takes note in 'all' of 'ep', which was judged before by whoever put it into
 * the datapath if 'known'.  Returns true if it is not new at 'now'. */
bool
newcomers_judge(struct newcomers *all, const struct desired_endpoint *ep,
                bool known, long long int now)
{
    struct comer *comer = find_comer(all, &ep->key);

    if (comer && (comer->kind != ep->kind
                  || strcmp(comer->port, ep->logical_port))) {
        comer_destroy(all, comer);
        comer = NULL;
        known = false;
    }
    if (!comer) {
        comer = xmalloc(sizeof *comer);
        *comer = (struct comer) {
            .key = ep->key,
            .port = xstrdup(ep->logical_port),
            .kind = ep->kind,
            .until = known ? 0 : now + NEWCOMER_MS,
        };
        hmap_insert(&all->comers, &comer->node, dp_key_hash(&ep->key));
        all->next = known ? all->next : MIN(all->next, comer->until);
    }
    return comer->until <= now;
}

/* Takes note that 'key' is not here any more. */
void
newcomers_forget(struct newcomers *all, const struct dp_key *key)
{
    struct comer *comer = find_comer(all, key);

    if (comer) {
        comer_destroy(all, comer);
    }
}

/* Forgets what is not in 'desired'. */
void
newcomers_sweep(struct newcomers *all, const struct desired *desired)
{
    struct comer *comer;

    HMAP_FOR_EACH_SAFE (comer, node, &all->comers) {
        if (!desired_find_endpoint(desired, &comer->key)) {
            comer_destroy(all, comer);
        }
    }
}

/* Takes all that are here as not new, from the next newcomers_run() on. */
void
newcomers_settle(struct newcomers *all)
{
    struct comer *comer;

    HMAP_FOR_EACH (comer, node, &all->comers) {
        if (comer->until) {
            comer->until = all->next = 1;
        }
    }
}

/* Calls 'cb' for each address that has ceased to be new at 'now'.  It may
 * judge that address again, or forget it. */
void
newcomers_run(struct newcomers *all, long long int now, newcomers_cb *cb,
              void *aux)
{
    struct comer *comer;

    if (now < all->next) {
        return;
    }
    all->next = LLONG_MAX;
    HMAP_FOR_EACH_SAFE (comer, node, &all->comers) {
        if (comer->until > now) {
            all->next = MIN(all->next, comer->until);
        } else if (comer->until) {
            const struct dp_key key = comer->key;

            comer->until = 0;
            cb(&key, aux);
        }
    }
}

/* Returns when newcomers_run() is due, or LLONG_MAX. */
long long int
newcomers_next(const struct newcomers *all)
{
    return all->next;
}
