/* SPDX-License-Identifier: Apache-2.0 */
/* What is behind the window of plugin/view.h: pointers into the engine, which
 * fills them in. */
#ifndef PLUGIN_VIEW_PRIVATE_H
#define PLUGIN_VIEW_PRIVATE_H 1

#include "plugin/datapath.h"
#include "plugin/problems.h"

struct view_endpoint;
struct desired_endpoint;

/* See plugin/view.h.  Everything is borrowed from the engine. */
struct view {
    const struct settings *settings; /* In force. */
    const struct problems *setting_problems; /* What could not be used. */
    const struct problems *tls_problems; /* Files that could not be used. */
    const struct ovs_db *ovs_db; /* Local database. */
    const struct sb_db *sb_db;  /* Southbound. */
    const struct nb_db *nb_db;  /* Northbound; it may have no remote. */
    const struct netdevs *netdevs; /* Kernel devices. */
    const struct ports *ports;  /* Managed ports. */
    struct host_flows *flows;   /* Asks for flows of bridges; NULL: nobody
                                 * does. */
    const struct desired *desired; /* Last derivation, NULL before it. */
    const struct acl *acl;      /* Rules of ports, NULL before the first
                                 * derivation. */
    const struct acl_apply *acl_apply; /* What the datapath has of them; NULL
                                 * until it is open. */
    const struct problems *acl_problems; /* What does not fit, or NULL. */
    const struct watch *watch;  /* Connections that VMs open; NULL until the
                                 * datapath is open. */
    const struct lease *lease;  /* Whether programs may drop, or NULL. */
    const struct direct *direct; /* Layer L3, or NULL. */
    const struct reconcile *reconcile; /* NULL until the datapath is open. */
    const struct dp_class *class; /* Back end. */
    struct dp *dp;              /* NULL until the datapath is open. */
    bool programmed;            /* The first programming is done. */
    long long int started;      /* time_msec() of the start. */
    long long int started_wall; /* time_wall_msec() of the start. */
    uint32_t max_endpoints;     /* Room for endpoints in the open datapath. */
    uint32_t max_flows;         /* Likewise for flows of layer L3. */
    uint64_t n_updates;         /* Derivations, of everything or less. */
    uint64_t n_recomputes;      /* Those of everything. */
};

#endif /* plugin/view-private.h */
