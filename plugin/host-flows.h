/* SPDX-License-Identifier: Apache-2.0 */
/* Asks ovs-vswitchd for the OpenFlow flows of bridges, without ever waiting
 * for it and without changing anything.
 *
 * Questions are numbered.  The answer to a question is one that ovs-vswitchd
 * began to give after it was asked; several questions may share it.  Each is
 * answered in HOST_FLOWS_TIMEOUT_MS, twice that at worst, if only by an
 * error. */
#ifndef PLUGIN_HOST_FLOWS_H
#define PLUGIN_HOST_FLOWS_H 1

#include <stdbool.h>
#include <stdint.h>

struct bridge_flows;
struct host_flows;
struct sset;

struct host_flows *host_flows_create(const char *rundir);
void host_flows_destroy(struct host_flows *);
void host_flows_set_timeout(struct host_flows *, int ms); /* For tests. */
void host_flows_run(struct host_flows *);
void host_flows_wait(const struct host_flows *);

uint64_t host_flows_ask(struct host_flows *, const struct sset *bridges);
bool host_flows_is_answered(const struct host_flows *, uint64_t question);
const struct bridge_flows *host_flows_find(const struct host_flows *,
                                           const char *bridge);

#endif /* plugin/host-flows.h */
