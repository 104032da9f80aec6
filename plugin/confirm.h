/* SPDX-License-Identifier: Apache-2.0 */
/* Which flows of layer L3 are to be confirmed, and which are over.
 *
 * Each active flow is probed through OVN once in a period, and so is the other
 * direction of its connection.  The period is the configured one, or as long
 * as the budget of probes takes for all of them, whichever is longer. */
#ifndef PLUGIN_CONFIRM_H
#define PLUGIN_CONFIRM_H 1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "plugin/datapath.h"

struct confirm;

/* What there is, as of the last pass over all flows. */
struct confirm_status {
    size_t n_flows;             /* Flows in the datapath. */
    size_t n_used;              /* Those whose packets are taken off. */
    size_t n_active;            /* Those of them with packets lately. */
    uint32_t period_ms;         /* Effective period. */
    uint64_t n_probes;          /* Probes sent since the start. */
    uint64_t n_unsent;          /* Probes that could not be sent. */
    uint64_t n_expired;         /* Flows deleted as idle or closed. */
    uint64_t n_unconfirmed;     /* Flows that ceased to be confirmed: OVN
                                 * revoked them without an event. */
};

/* 'max_flows' is that of struct dp_config. */
struct confirm *confirm_create(const struct dp_class *, struct dp *,
                               uint32_t max_flows);
void confirm_destroy(struct confirm *);

/* Makes 'ms' the configured period, and tells the datapath the times that
 * follow from the effective one. */
void confirm_set_period(struct confirm *, uint32_t ms);

/* Does what is due at 'now', time_msec(): a pass over all flows, a batch of
 * probes, deletions.  No call holds the main loop for more than some 10 ms. */
void confirm_run(struct confirm *, long long int now);
bool confirm_is_due(const struct confirm *, long long int now);
void confirm_wait(const struct confirm *);

void confirm_get_status(const struct confirm *, struct confirm_status *);

#endif /* plugin/confirm.h */
