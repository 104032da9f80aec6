/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses that came a short time ago; see plugin/newcomers.h. */
#include <config.h>

#include "plugin/newcomers.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "packets.h"
#include "util.h"

#include "plugin/acl.h"
#include "plugin/desired.h"

/* An address of this chassis. */
struct comer {
    struct hmap_node node;      /* In struct newcomers, by hash of 'key'. */
    struct dp_key key;          /* Address. */
    char *port;                 /* Port that has it. */
    enum endpoint_kind kind;    /* In which way. */
    char *behind;               /* Port that it leads to, "" for none; NULL:
                                 * not known yet. */
    struct in6_addr inside;     /* Address that it leads to. */
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
    free(comer->behind);
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

/* Returns true if 'key' was judged. */
bool
newcomers_has(const struct newcomers *all, const struct dp_key *key)
{
    return find_comer(all, key) != NULL;
}

/* Returns true if 'comer' is what 'ep' is, and leads to 'behind', as far as
 * both are known. */
static bool
is_same(const struct comer *comer, const struct desired_endpoint *ep,
        const struct acl_behind *behind)
{
    return (comer->kind == ep->kind
            && !strcmp(comer->port, ep->logical_port)
            && (!behind || !comer->behind
                || (!strcmp(comer->behind, behind->port)
                    && ipv6_addr_equals(&comer->inside, &behind->ip))));
}

/* Adds 'ep' to 'all', which is new at 'now' unless it is 'known'. */
static struct comer *
add_comer(struct newcomers *all, const struct desired_endpoint *ep, bool known,
          long long int now)
{
    struct comer *comer = xmalloc(sizeof *comer);

    *comer = (struct comer) {
        .key = ep->key,
        .port = xstrdup(ep->logical_port),
        .kind = ep->kind,
        .until = known ? 0 : now + NEWCOMER_MS,
    };
    hmap_insert(&all->comers, &comer->node, dp_key_hash(&ep->key));
    all->next = known ? all->next : MIN(all->next, comer->until);
    return comer;
}

/* Takes note in 'all' of 'ep', which leads to 'behind', NULL if that is not
 * known yet, and was judged before by whoever put it into the datapath if
 * 'known'.  Returns true if it is not new at 'now'.
 *
 * As long as it is not known where it leads to, the time does not begin. */
bool
newcomers_judge(struct newcomers *all, const struct desired_endpoint *ep,
                const struct acl_behind *behind, bool known, long long int now)
{
    struct comer *comer = find_comer(all, &ep->key);

    if (comer && !is_same(comer, ep, behind)) {
        comer_destroy(all, comer);
        comer = NULL;
        known = false;
    }
    if (!comer && !behind && !known) {
        return false;
    }
    if (!comer) {
        comer = add_comer(all, ep, known, now);
    }
    if (behind && !comer->behind) {
        comer->behind = xstrdup(behind->port);
        comer->inside = behind->ip;
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
