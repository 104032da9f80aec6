/* SPDX-License-Identifier: Apache-2.0 */
/* Limits and defaults of the daemon that users notice or that several files
 * share, with the reason for each value.  Those of the BPF ABI are in
 * bpf/abi.h, those of one file are in that file. */
#ifndef PLUGIN_LIMITS_H
#define PLUGIN_LIMITS_H 1

/* Default of ovn-xdp-max-endpoints: a compute node has hundreds of addresses,
 * a gateway node thousands.  65,536 preallocated elements in each map cost
 * about 17 MB, and 1 MB more for the counters of each CPU. */
#define DEFAULT_MAX_ENDPOINTS 65536

/* Range of ovn-xdp-max-endpoints.  The kernel refuses per-CPU arrays of more
 * than a few million elements on large machines. */
#define MIN_MAX_ENDPOINTS 16
#define MAX_MAX_ENDPOINTS 1048576

/* Default of ovn-remote-probe-interval in ms, as ovn-controller's. */
#define DEFAULT_PROBE_INTERVAL_MS 5000

/* How long --detach keeps its parent waiting for the local database, in ms: a
 * start that must fail (a second daemon on the same pins) fails visibly, and a
 * database that is down does not block the boot. */
#define START_TIMEOUT_MS 5000

/* Wait before a failed datapath operation is tried again, in ms: first value
 * and ceiling of the doubling. */
#define RETRY_MIN_MS 250
#define RETRY_MAX_MS 8000

#endif /* plugin/limits.h */
