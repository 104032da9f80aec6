/* SPDX-License-Identifier: Apache-2.0 */
/* Writes text in the OpenMetrics format 1.0: families of samples.  Or in the
 * older text format of Prometheus, which has other words for the same: it is
 * all that the text file collector of node_exporter reads.
 *
 * Nothing here knows what is measured.  Names of families lack the suffixes
 * that the format gives to samples ("_total", "_info"); names and help texts
 * are plain words, label values may be any string. */
#ifndef RPC_OPENMETRICS_H
#define RPC_OPENMETRICS_H 1

#include <stdbool.h>
#include <stdint.h>

#include "compiler.h"

struct ds;

/* What begins the name of every family. */
#define OPENMETRICS_PREFIX "ovn_xdp_"

/* Types of families. */
enum openmetrics_type {
    OPENMETRICS_COUNTER,        /* Grows only. */
    OPENMETRICS_GAUGE,          /* Goes up and down. */
    OPENMETRICS_INFO,           /* Says something in its labels; always 1. */
    OPENMETRICS_STATESET        /* One sample per state, 1 for those true. */
};

/* Text being written. */
struct openmetrics {
    struct ds *out;             /* Where it goes. */
    const char *name;           /* Name of the family, without prefix. */
    enum openmetrics_type type; /* Its type. */
    bool prometheus;            /* In the format of Prometheus. */
};

/* Begins the family OPENMETRICS_PREFIX 'name'.  'name' ends with 'unit' unless
 * that is NULL. */
void openmetrics_family(struct openmetrics *, const char *name,
                        enum openmetrics_type, const char *unit,
                        const char *help);

/* A sample of the family with 'value', or with 'value' to the millisecond.
 * What follows are names and values of labels, and a NULL. */
void openmetrics_count(struct openmetrics *, uint64_t value, ...)
    SENTINEL(0);
void openmetrics_seconds(struct openmetrics *, double value, ...)
    SENTINEL(0);

/* The samples of a state set: one for each of the 'n' 'states', 1 for
 * 'state'.  'label' with 'value' names the thing that has the state; NULL if
 * there is only one such thing. */
void openmetrics_states(struct openmetrics *, const char *const *states,
                        unsigned int n, const char *state, const char *label,
                        const char *value);

/* Ends the text, which in the format of Prometheus has no end. */
void openmetrics_end(struct openmetrics *);

#endif /* rpc/openmetrics.h */
