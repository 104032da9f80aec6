/* SPDX-License-Identifier: Apache-2.0 */
/* What the confirmation of flows (plugin/confirm.h) is planned by: what is to
 * be said of one flow, and how the period follows from all. */
#ifndef PLUGIN_CONFIRM_PLAN_H
#define PLUGIN_CONFIRM_PLAN_H 1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "plugin/datapath.h"

/* A set of connections, by plan_connection(). */
struct plan_set {
    uint64_t *slots;            /* Hash table; 0 is a free place. */
    size_t size;                /* Places: 0 or a power of two. */
    size_t n;                   /* Elements. */
};

void plan_set_destroy(struct plan_set *);
void plan_set_clear(struct plan_set *);
void plan_set_add(struct plan_set *, uint64_t);
bool plan_set_has(const struct plan_set *, uint64_t);

/* How much there is, as of a pass over all flows. */
struct plan_load {
    size_t n_flows;             /* Flows. */
    size_t n_probed;            /* Those that are to be probed in each
                                 * period. */
};

/* All times are in ms. */
uint32_t plan_period(uint32_t configured, const struct plan_load *);
uint32_t plan_interval(uint32_t period, const struct plan_load *);
uint32_t plan_window(uint32_t interval, size_t n_probes);
struct dp_direct_times plan_times(uint32_t period);

/* Of one flow. */
uint64_t plan_connection(const struct dp_flow *);
bool plan_is_active(const struct dp_flow *, uint32_t period);
bool plan_is_due(const struct dp_flow *, uint32_t period, uint32_t interval);
bool plan_has_lapsed(const struct dp_flow *, uint32_t period,
                     uint32_t elapsed);
bool plan_is_over(const struct dp_flow *, bool tight);

#endif /* plugin/confirm-plan.h */
