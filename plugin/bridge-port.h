/* SPDX-License-Identifier: Apache-2.0 */
/* The managed port: a veth pair that lets natively redirected frames into a
 * bridge whose own device cannot take them.
 *
 * The inner end is plugged into the bridge (idl/ovs-db.h does the rows), and
 * has GRO on, which is what makes the outer end a valid redirect target.
 * Neither end is a host interface: NOARP, no IPv6 at all, no addresses.  What
 * the bridge must not send out through it is plugin/port-guard.h's matter. */
#ifndef PLUGIN_BRIDGE_PORT_H
#define PLUGIN_BRIDGE_PORT_H 1

#include <net/if.h>
#include <stdbool.h>
#include "openvswitch/types.h"

/* Names of both ends for a bridge; stable over restarts, unique per bridge, at
 * most 15 characters. */
struct bridge_port_names {
    char inner[IFNAMSIZ];       /* Plugged into OVS. */
    char outer[IFNAMSIZ];       /* Redirected into. */
};

void bridge_port_names(const char *bridge, struct bridge_port_names *);
bool bridge_port_names_of(const char *outer, struct bridge_port_names *);

/* These return 0 or a positive errno, among them:
 *
 *   EEXIST      A device of one of the names is not an end of our pair.  It
 *               was not touched.
 *   ENODEV      bridge_port_repair(), bridge_port_set_merging(): there is no
 *               pair.
 *   EAGAIN      bridge_port_create(): somebody deleted the pair meanwhile.
 *   EOPNOTSUPP  bridge_port_create(): the kernel has no veth.
 *   EPERM       CAP_NET_ADMIN is missing.
 *
 * 'mtu' is in bytes.  Deleting what is not there succeeds. */
int bridge_port_create(const struct bridge_port_names *, int mtu);
int bridge_port_repair(const struct bridge_port_names *, int mtu);
int bridge_port_set_merging(const struct bridge_port_names *, bool merge);
int bridge_port_delete(const struct bridge_port_names *);

#endif /* plugin/bridge-port.h */
