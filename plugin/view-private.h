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
    const struct ovs_db *ovs_db; /* Local database. */
    const struct sb_db *sb_db;  /* Southbound. */
    const struct netdevs *netdevs; /* Kernel devices. */
    const struct ports *ports;  /* Managed ports. */
    const struct desired *desired; /* Last derivation, NULL before it. */
    const struct reconcile *reconcile; /* NULL until the datapath is open. */
    const struct dp_class *class; /* Back end. */
    struct dp *dp;              /* NULL until the datapath is open. */
    bool programmed;            /* The first programming is done. */
    long long int started;      /* time_msec() of the start. */
};

#endif /* plugin/view-private.h */
