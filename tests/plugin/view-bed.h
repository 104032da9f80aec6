/* SPDX-License-Identifier: Apache-2.0 */
/* The fixture of tests of the view: a make-believe chassis on the datapath in
 * memory.  The databases are real objects that are connected to nothing. */
#ifndef TESTS_PLUGIN_VIEW_BED_H
#define TESTS_PLUGIN_VIEW_BED_H 1

#include "plugin/problems.h"
#include "plugin/view-private.h"
#include "tests/plugin/values.h"

struct desired;
struct dp;
struct nb_db;
struct netdevs;
struct ovs_db;
struct ports;
struct reconcile;
struct sb_db;

/* MAC addresses of two VMs and a gateway. */
#define VM1 "fa:16:3e:bb:00:01"
#define VM2 "fa:16:3e:bb:00:02"
#define GW "fa:16:3e:77:7f:9c"

/* What every test works on. */
struct view_bed {
    struct values values;       /* Chassis. */
    struct problems setting_problems; /* Of its settings. */
    struct problems tls_problems; /* Of its TLS files. */
    struct ovs_db *ovs_db;      /* Not connected. */
    struct sb_db *sb_db;        /* Without a remote. */
    struct nb_db *nb_db;        /* Without a remote. */
    struct netdevs *netdevs;    /* The real ones of this machine. */
    struct ports *ports;        /* Without work. */
    struct reconcile *reconcile; /* On 'dp'. */
    struct dp *dp;              /* In memory. */
    struct desired *desired;    /* Last derivation. */
    struct view view;           /* Under test. */
};

void view_bed_update(struct view_bed *, int n);
int view_bed_setup(void **state);
int view_bed_teardown(void **state);

#endif /* tests/plugin/view-bed.h */
