/* SPDX-License-Identifier: Apache-2.0 */
/* A bed for tests of plugin/netdevs.c: a veth pair, and ways to wait for what
 * is told of it. */
#ifndef TESTS_PLUGIN_NETDEVS_BED_H
#define TESTS_PLUGIN_NETDEVS_BED_H 1

#include <stdbool.h>
#include "plugin/netdevs.h"

/* A condition on a device, which is NULL if there is none of that name. */
typedef bool bed_condition(const struct netdev_info *);

bed_condition is_there;
bed_condition is_gone;
bed_condition is_down;
bed_condition is_running;
bed_condition is_not_running;
bed_condition has_mtu_1400;
bed_condition has_other_mac;
bed_condition is_shaped;
bed_condition is_not_shaped;
bed_condition is_policed;
bed_condition is_not_policed;
bed_condition takes_frames;
bed_condition takes_no_frames;
bed_condition strips;
bed_condition does_not_strip;
bed_condition has_program;
bed_condition has_no_program;
bed_condition has_master;
bed_condition has_no_master;
bed_condition has_peer;
bed_condition has_no_peer;

int bed_setup(void **state);
int bed_teardown(void **state);
int bed_await(struct netdevs *, const char *name, bed_condition *);
const struct netdev_info *bed_get(const struct netdevs *, const char *name);
void bed_assert_fresh(struct netdevs *);

#endif /* tests/plugin/netdevs-bed.h */
