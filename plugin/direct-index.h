/* SPDX-License-Identifier: Apache-2.0 */
/* What layer L3 looks up by logical port: where its device is plugged in, its
 * binding, and whether other ports are in it. */
#ifndef PLUGIN_DIRECT_INDEX_H
#define PLUGIN_DIRECT_INDEX_H 1

#include <stdbool.h>
#include "openvswitch/shash.h"
#include "plugin/direct-judge.h"
#include "sset.h"

struct sb_view;

/* The index, valid as long as what it was made from. */
struct direct_index {
    struct shash seats;         /* Of struct direct_seat, by iface-id. */
    struct shash bindings;      /* Of const struct sb_binding, by logical
                                 * port. */
    struct sset parents;        /* Ports in which others are. */
    bool userspace;             /* One of the seats is on OVS's userspace
                                 * datapath. */
};

void direct_index_init(struct direct_index *);
void direct_index_destroy(struct direct_index *);
void direct_index_fill(struct direct_index *, const struct ovs_view *,
                       const struct sb_view *);

#endif /* plugin/direct-index.h */
