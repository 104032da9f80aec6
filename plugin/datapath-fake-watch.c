/* SPDX-License-Identifier: Apache-2.0 */
/* Watched devices in memory; see plugin/datapath-fake-watch.h. */
#include <config.h>

#include "plugin/datapath-fake-watch.h"

#include <errno.h>

#include "timeval.h"
#include "util.h"

/* A watched device. */
struct fake_watch {
    struct hmap_node node;      /* In struct fake_watches, by 'ifindex'. */
    int ifindex;                /* Device. */
    enum dp_watch_side side;    /* Where. */
    long long int since;        /* time_msec() since when. */
    bool current;               /* Wanted by who has the datapath open. */
};

/* Makes 'watches' hold nothing. */
void
fake_watches_init(struct fake_watches *watches)
{
    *watches = (struct fake_watches) { .missed = { 0 } };
    hmap_init(&watches->all);
}

/* Forgets the watches that only an earlier daemon wanted. */
void
fake_watches_commit(struct fake_watches *watches)
{
    struct fake_watch *w;

    HMAP_FOR_EACH_SAFE (w, node, &watches->all) {
        if (!w->current) {
            hmap_remove(&watches->all, &w->node);
            free(w);
        }
    }
}

/* Frees what is in 'watches'. */
void
fake_watches_destroy(struct fake_watches *watches)
{
    fake_watches_close(watches);
    fake_watches_commit(watches);
    hmap_destroy(&watches->all);
}

/* Notes that nobody has the datapath open. */
void
fake_watches_close(struct fake_watches *watches)
{
    struct fake_watch *w;

    HMAP_FOR_EACH (w, node, &watches->all) {
        w->current = false;
    }
}

/* Returns the watch of device 'ifindex', or NULL. */
static struct fake_watch *
fake_watches_find(const struct fake_watches *watches, int ifindex)
{
    struct fake_watch *w;

    HMAP_FOR_EACH_WITH_HASH (w, node, ifindex, &watches->all) {
        if (w->ifindex == ifindex) {
            return w;
        }
    }
    return NULL;
}

/* Watches device 'ifindex', since now or longer. */
int
fake_watches_put(struct fake_watches *watches, int ifindex,
                 enum dp_watch_side side, long long int *since)
{
    struct fake_watch *w = fake_watches_find(watches, ifindex);

    if (ifindex <= 0) {
        return ENODEV;
    }
    if (!w) {
        w = xzalloc(sizeof *w);
        w->ifindex = ifindex;
        hmap_insert(&watches->all, &w->node, ifindex);
    }
    if (!w->since || w->side != side) {
        w->side = side;
        w->since = time_msec();
    }
    w->current = true;
    *since = w->since;
    return 0;
}

/* Watches device 'ifindex' no more. */
int
fake_watches_del(struct fake_watches *watches, int ifindex)
{
    struct fake_watch *w = fake_watches_find(watches, ifindex);

    if (!w) {
        return ENOENT;
    }
    hmap_remove(&watches->all, &w->node);
    free(w);
    return 0;
}

/* Stores 'until' for 'local' in 'times', members of struct fake_watches. */
void
fake_watches_set(long long int times[16], const struct in6_addr *local,
                 long long int until)
{
    times[local->s6_addr[15] & 15] = until;
}

/* Returns what was stored for 'local' in 'times', or 0. */
long long int
fake_watches_get(const long long int times[16], const struct in6_addr *local)
{
    return times[local->s6_addr[15] & 15];
}
