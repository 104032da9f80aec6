/* SPDX-License-Identifier: Apache-2.0 */
/* The watched devices of the datapath in memory.  For datapath-fake.c. */
#ifndef PLUGIN_DATAPATH_FAKE_WATCH_H
#define PLUGIN_DATAPATH_FAKE_WATCH_H 1

#include <stdbool.h>
#include "openvswitch/hmap.h"
#include "plugin/datapath.h"

/* Devices that are watched. */
struct fake_watches {
    struct hmap all;            /* Of struct fake_watch, by 'ifindex'. */

    /* Times, time_msec(), or 0, by the last digit of the address. */
    long long int missed[16];   /* Connections were missed, until when that
                                 * counts. */
    long long int learnt[16];   /* Connections are learnt. */
};

void fake_watches_init(struct fake_watches *);
void fake_watches_destroy(struct fake_watches *);
void fake_watches_close(struct fake_watches *);
void fake_watches_commit(struct fake_watches *);
int fake_watches_put(struct fake_watches *, int ifindex, enum dp_watch_side,
                     long long int *since);
int fake_watches_del(struct fake_watches *, int ifindex);
void fake_watches_set(long long int times[16], const struct in6_addr *local,
                      long long int until);
long long int fake_watches_get(const long long int times[16],
                               const struct in6_addr *local);

#endif /* plugin/datapath-fake-watch.h */
