/* SPDX-License-Identifier: Apache-2.0 */
/* Limits and defaults of the daemon that users notice or that several files
 * share, with the reason for each value.  Those of the BPF ABI are in
 * bpf/abi.h, those of one file are in that file. */
#ifndef PLUGIN_LIMITS_H
#define PLUGIN_LIMITS_H 1

/* Default of ovn-xdp-max-endpoints: a compute node has hundreds of addresses,
 * a gateway node thousands.  65,536 preallocated elements in each map cost
 * about 17 MB, and 2 MB more for the counters of each CPU. */
#define DEFAULT_MAX_ENDPOINTS 65536

/* Range of ovn-xdp-max-endpoints.  The kernel refuses per-CPU arrays of more
 * than a few million elements on large machines. */
#define MIN_MAX_ENDPOINTS 16
#define MAX_MAX_ENDPOINTS 1048576

/* Range of ovn-xdp-stale-timeout in s, if it is not 0 for never.  The daemon
 * may be busy for a good part of a second, which must not count as dead. */
#define MIN_STALE_TIMEOUT 2
#define MAX_STALE_TIMEOUT 86400

/* Time between two heartbeats in ms: a quarter of the shortest timeout, since
 * the programs that are found at the start may have any. */
#define HEARTBEAT_MS 500

/* How long programs may drop packets without the daemon saying so again, in
 * ms: six times HEARTBEAT_MS, by which it is renewed, as the daemon may be
 * busy for a good part of a second; and so the longest time for which one that
 * died or hangs drops what a new rule allows. */
#define LEASE_MS 3000

/* Time between two sweeps of the connections that VMs open, in ms.  One that
 * is over does no harm but for the room that it takes. */
#define OPENED_SWEEP_MS 10000

/* Default of ovn-xdp-max-flows, and its range: 262,144 flows are 131,072
 * connections of IPv4 and as many of IPv6; they take 115 MB, only if
 * ovn-xdp-direct is "on". */
#define DEFAULT_MAX_FLOWS 262144
#define MIN_MAX_FLOWS 64
#define MAX_MAX_FLOWS 4194304

/* Most addresses that are forwarded directly.  bpf/abi.h has numbers for
 * 16,384: the others are spare ones, as an address that changes needs two for
 * a moment, and so many others come and go before a number is used again. */
#define MAX_DIRECT_ADDRESSES 15360

/* Default of ovn-xdp-confirm-ms, and its range. */
#define DEFAULT_CONFIRM_MS 500
#define MIN_CONFIRM_MS 50
#define MAX_CONFIRM_MS 60000

/* Most probes in a second: with more flows than that allows the period of
 * confirmation grows.  OVS's userspace datapath takes 90,000 to 230,000
 * packets a second on one core, and the node has other traffic. */
#define PROBES_PER_S 10000

/* Default of ovn-remote-probe-interval in ms, as ovn-controller's. */
#define DEFAULT_PROBE_INTERVAL_MS 5000

/* How long --detach keeps its parent waiting for the local database, in ms: a
 * start that must fail (a second daemon on the same pins) fails visibly, and a
 * database that is down does not block the boot. */
#define START_TIMEOUT_MS 5000

/* How long the service manager is kept waiting for the first programming, in
 * ms.  Longer than NB_START_GRACE_MS, which may be a part of it.  A database
 * that is down must not hold up the boot: what is pinned forwards without it,
 * and STATUS= says what is missing. */
#define READY_TIMEOUT_MS 12000

/* How often health is looked at for STATUS=, in ms, at most: it costs up to a
 * few ms, and a busy node changes all the time. */
#define STATUS_INTERVAL_MS 1000

/* How long a daemon that found endpoints of one before it waits for the
 * Northbound before it touches them, in ms: what only the Northbound tells
 * would be lost.  It takes a second after the Southbound, and has to be
 * connected to anew if it was away; and for no longer than this may packets
 * go where OVN no longer wants them because it is down. */
#define NB_START_GRACE_MS 10000

/* Wait before a failed datapath operation is tried again, in ms: first value
 * and ceiling of the doubling. */
#define RETRY_MIN_MS 250
#define RETRY_MAX_MS 8000

/* How long ovs-vswitchd has to tell the flows of a bridge, in ms.  A live one
 * takes a few; a question that comes while another is being answered may wait
 * twice as long, and people wait for the answer. */
#define HOST_FLOWS_TIMEOUT_MS 1000

/* Flows in the first table of a provider bridge that are looked at: it has a
 * handful, and at most one for each network. */
#define MAX_BRIDGE_FLOWS 8192

/* Addresses for which 'status' looks up a route: enough to see that a class of
 * them has none, and 0.5 ms of work at most. */
#define MAX_ROUTE_LOOKUPS 64

/* Addresses of a port for which 'explain' asks the host: five routes each, and
 * a pass over the flows of the bridge.  A gateway may have thousands. */
#define MAX_HOST_CHECKS 16

/* Networks that 'status' and 'health' look at: what is wrong with one is
 * mostly wrong with all, and each takes up to 1 ms where there are hundreds of
 * VLAN devices. */
#define MAX_NETWORK_CHECKS 16

#endif /* plugin/limits.h */
