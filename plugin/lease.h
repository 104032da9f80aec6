/* SPDX-License-Identifier: Apache-2.0 */
/* Whether programs may drop packets, and until when.
 *
 * Pure: values in, values out.  A lease is given for a short time, again and
 * again, so that a daemon that is dead or cut off drops nothing: a new rule
 * that allows would go unseen. */
#ifndef PLUGIN_LEASE_H
#define PLUGIN_LEASE_H 1

#include <stdbool.h>

/* Why there is a lease, or none. */
enum lease_state {
    LEASE_GIVEN,                /* There is. */
    LEASE_OFF,                  /* ovn-xdp-acl=off. */
    LEASE_NOT_CURRENT,          /* What OVN wants may be something else. */
    LEASE_FULL,                 /* An endpoint did not fit: the program takes
                                 * what comes from there for a packet from
                                 * outside. */
    LEASE_BEHIND,               /* The datapath has not all of it. */
    LEASE_UNSETTLED             /* Connections from before the watch began
                                 * may be answered. */
};

/* What it depends on. */
struct lease_inputs {
    bool enabled;               /* ovn-xdp-acl is not "off". */
    bool current;               /* sb_acl_view.current. */
    bool full;                  /* An endpoint did not fit in. */
    bool in_step;               /* All that was received is in the datapath:
                                 * nothing is left to derive, no write is to be
                                 * repeated. */
    long long int settled_at;   /* watch_settled_at(). */
};

enum lease_state lease_judge(const struct lease_inputs *, long long int now);
long long int lease_until(const struct lease_inputs *, long long int now);

/* The lease that was given last.  All zeros: none. */
struct lease {
    enum lease_state state;     /* As judged last. */
    long long int until;        /* As written last, time_msec(); 0: none. */
    long long int renew_at;     /* When it is to be renewed. */
};

bool lease_run(struct lease *, const struct lease_inputs *, long long int now);

#endif /* plugin/lease.h */
