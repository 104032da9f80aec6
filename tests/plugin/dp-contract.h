/* SPDX-License-Identifier: Apache-2.0 */
/* What both back ends of plugin/datapath.h promise, as a group of tests that
 * is run against each of them. */
#ifndef TESTS_PLUGIN_DP_CONTRACT_H
#define TESTS_PLUGIN_DP_CONTRACT_H 1

#include "plugin/datapath.h"

/* A back end, and the devices for the tests.  The callbacks stand for what
 * others do to a device while the datapath is open. */
struct dp_contract {
    const struct dp_class *class; /* Back end under test. */
    const char *pin_dir;        /* Pin directory that does not exist yet. */
    struct dp_nic nics[2];      /* Two devices, native, without tag hint. */
    void (*set_foreign)(struct dp *, int ifindex, bool foreign);
                                /* Attaches a foreign program, or detaches. */
    int (*replace)(struct dp *, const char *name);
                                /* Deletes the device 'name' and creates it
                                 * again; returns its new index. */
};

/* Runs the tests, those of layer L3 apart; each returns how many failed.
 * 'contract' stays borrowed. */
int dp_contract_run(struct dp_contract *contract);
int dp_contract_run_direct(struct dp_contract *contract);

#endif /* tests/plugin/dp-contract.h */
