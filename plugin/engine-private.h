/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of engine*.c share. */
#ifndef PLUGIN_ENGINE_PRIVATE_H
#define PLUGIN_ENGINE_PRIVATE_H 1

#include "idl/row-changes.h"
#include "plugin/engine.h"
#include "plugin/problems.h"
#include "plugin/settings.h"
#include "plugin/view-private.h"

/* See plugin/engine.h. */
struct engine {
    char *chassis;              /* Chassis name from outside, or NULL. */
    char *pin_dir;              /* Directory below a bpffs. */
    bool dry_run;               /* Touch nothing. */
    const struct dp_class *class; /* Back end. */
    struct dp *dp;              /* NULL until opened. */
    struct tls *tls;            /* Files of ssl: connections. */
    struct ovs_db *ovs_db;      /* Local database. */
    struct sb_db *sb_db;        /* Southbound. */
    struct nb_db *nb_db;        /* Northbound, without a remote unless one is
                                 * configured. */
    unsigned int nb_seqno;      /* That of the Southbound for which the
                                 * Northbound is followed. */
    struct netdevs *netdevs;    /* Kernel devices. */
    struct ports *ports;        /* Managed ports. */
    struct host_flows *flows;   /* Asks for flows of bridges. */
    struct early_drop *early_drop; /* Layer L2. */
    struct direct *direct;      /* Layer L3. */
    struct reconcile *reconcile; /* NULL until the datapath is open. */
    struct settings settings;   /* In force. */
    struct problems setting_problems; /* What could not be used. */
    struct desired *desired;    /* What is desired, NULL before the first
                                 * derivation. */
    struct row_changes bindings; /* Those of the Southbound that changed and
                                 * are not derived from yet. */
    struct row_changes sb_facts; /* Likewise, its facts about NAT. */
    struct row_changes nb_facts; /* Those of the Northbound, likewise. */
    bool dirty;                 /* Something changed: there is work. */
    bool devices_dirty;         /* Anything but OVN's databases changed. */
    bool all_dirty;             /* Derive everything anew. */
    long long int recheck_at;   /* When to look again at NICs with a foreign
                                 * program, or LLONG_MAX. */
    long long int nb_grace_until; /* Until when the first programming may
                                 * wait for the Northbound; LLONG_MAX: it does
                                 * not. */
    char *failure;              /* Why it cannot go on, or NULL. */
    bool trusted;               /* What the datapath holds may be used: it is
                                 * known to be what OVN says, or was not stale
                                 * when it was opened. */
    long long int beat_at;      /* When the next heartbeat is due; LLONG_MAX
                                 * while nothing asks for one. */
    struct view view;           /* For rpc/. */
};

void engine_run_tls(struct engine *);

#endif /* plugin/engine-private.h */
