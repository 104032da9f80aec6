/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of devices, of the datapath in memory.  For datapath-fake.c. */
#ifndef PLUGIN_DATAPATH_FAKE_SET_H
#define PLUGIN_DATAPATH_FAKE_SET_H 1

#include <stdbool.h>
#include <stddef.h>
#include "bpf/abi.h"

/* A set of devices. */
struct index_set {
    int indexes[OX_MAX_TARGETS]; /* Members, unsorted. */
    size_t n;                   /* How many. */
};

bool index_set_contains(const struct index_set *, int ifindex);
int index_set_add(struct index_set *, int ifindex);
int index_set_remove(struct index_set *, int ifindex);

#endif /* plugin/datapath-fake-set.h */
