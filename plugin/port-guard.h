/* SPDX-License-Identifier: Apache-2.0 */
/* Keeps OVS from flooding or forwarding towards a managed port, by OpenFlow
 * port modification over the bridge's management socket.  It is done again
 * whenever ovs-vswitchd or the port comes back, or somebody undoes it. */
#ifndef PLUGIN_PORT_GUARD_H
#define PLUGIN_PORT_GUARD_H 1

#include <stdbool.h>

struct port_guard;

/* Guards the port that has the OpenFlow name 'port' on the bridge 'bridge'.
 * Nothing here waits for ovs-vswitchd. */
struct port_guard *port_guard_create(const char *bridge, const char *port);
void port_guard_destroy(struct port_guard *);
void port_guard_run(struct port_guard *);
void port_guard_wait(struct port_guard *);

/* Returns true if ovs-vswitchd confirmed that the port is guarded, and is
 * still connected. */
bool port_guard_settled(const struct port_guard *);

#endif /* plugin/port-guard.h */
