/* SPDX-License-Identifier: Apache-2.0 */
/* Layer L3 within the engine: which addresses are forwarded between NIC and VM
 * directly, on which devices, and when their flows become void. */
#ifndef PLUGIN_DIRECT_H
#define PLUGIN_DIRECT_H 1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "plugin/confirm.h"
#include "plugin/datapath.h"
#include "plugin/direct-judge.h"
#include "plugin/reason.h"

struct acl;
struct desired;
struct direct;
struct netdevs;
struct ovs_db;
struct problems;
struct row_changes;
struct sb_db;
struct settings;
struct simap;

/* What the judgement of addresses follows from.  Borrowed for the life of the
 * struct direct. */
struct direct_sources {
    struct sb_db *sb_db;        /* Southbound. */
    const struct ovs_db *ovs_db; /* Local database. */
    const struct netdevs *netdevs; /* Kernel devices. */
    const struct acl *acl;      /* Rules and translations of ports. */
    const struct settings *settings; /* Settings in force. */
};

/* Why flows were made void, for statistics. */
enum direct_cause {
    DIRECT_CAUSE_OVN,           /* Something of OVN's changed. */
    DIRECT_CAUSE_HOST,          /* A neighbour, a route or a device changed. */
    DIRECT_CAUSE_PRECONDITION,  /* A precondition was lost. */
    DIRECT_CAUSE_VSWITCHD,      /* ovs-vswitchd is another one, or gone. */
    N_DIRECT_CAUSES
};

/* The whole, for people. */
struct direct_status {
    bool enabled;               /* ovn-xdp-direct is "on". */
    size_t n_ports;             /* Addresses that are forwarded directly. */
    struct confirm_status confirm; /* Flows. */
    uint64_t n_void[N_DIRECT_CAUSES]; /* How often ports were made void. */
};

int direct_create(const struct direct_sources *, struct direct **);
void direct_destroy(struct direct *);

/* To be called when the datapath was opened, and before it is closed. */
void direct_open(struct direct *, const struct dp_class *, struct dp *);
void direct_close(struct direct *);

/* The steps of one round, in this order.  direct_note() takes note of what
 * changed, before others forget it: in 'desired', in 'bindings', and in the
 * rules of ports; in the local database or the devices if 'devices'; or
 * anything if 'all'.  direct_run() brings the datapath to what follows from
 * 'desired' and the sources. */
void direct_note(struct direct *, const struct desired *,
                 const struct row_changes *bindings, bool devices, bool all);
void direct_run(struct direct *, const struct desired *, long long int now);

/* Follows ovs-vswitchd and the kernel, and has flows confirmed.  Returns true
 * if direct_run() has something to do. */
bool direct_poll(struct direct *, long long int now);
void direct_wait(const struct direct *);

/* For people.  Borrowed until the next direct_run(). */
enum reason direct_reason(const struct direct *,
                          const struct dp_key *);
bool direct_get_inputs(const struct direct *, const struct desired *,
                       const struct dp_key *, struct direct_inputs *,
                       struct acl_behind *);
void direct_get_status(const struct direct *, struct direct_status *);
const char *direct_untracked(const struct direct *);
const char *direct_cause_to_string(enum direct_cause);
const struct problems *direct_problems(const struct direct *);
void direct_get_memory_usage(const struct direct *, struct simap *);

/* Leaves events without consequences, so that only confirmation revokes flows
 * (unixctl "direct/suppress-events"), for tests. */
void direct_suppress_events(struct direct *, bool suppress);

#endif /* plugin/direct.h */
