/* SPDX-License-Identifier: Apache-2.0 */
/* The few ethtool requests that plugin/netdevs.c and plugin/bridge-port.c
 * make, by ioctl.
 *
 * A name that meanwhile went to another device gives that device's answer.
 * Who follows rtnetlink asks again at the event that tells of the rename. */
#ifndef PLUGIN_NETDEVS_ETHTOOL_H
#define PLUGIN_NETDEVS_ETHTOOL_H 1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int netdevs_ethtool_get(const char *name, uint32_t command, uint32_t *value);
int netdevs_ethtool_set(const char *name, uint32_t command, uint32_t value);
int netdevs_ethtool_driver(const char *name, char *driver, size_t size);
bool netdevs_ethtool_strips_vlan(const char *name);

#endif /* plugin/netdevs-ethtool.h */
