/* SPDX-License-Identifier: Apache-2.0 */
/* A port of layer L3 with the tap 'out0', on the devices of
 * tests/plugin/dp-bpf-bed.h, and the maps that it is in. */
#ifndef TESTS_PLUGIN_DP_BPF_DIRECT_H
#define TESTS_PLUGIN_DP_BPF_DIRECT_H 1

#include "bpf/abi.h"
#include "plugin/datapath.h"
#include "tests/plugin/dp-bpf-bed.h"

/* Where layer L3 is pinned. */
#define DIRECT_BED_PINS DP_BED_PINS "/direct"

/* Where the frames of dp_bed_send() come from and go to. */
#define DIRECT_BED_REMOTE 0xcb007101
#define DIRECT_BED_EXTERNAL 0xc633640a
#define DIRECT_BED_FIXED 0x0a00000a

/* The maps. */
int direct_bed_open_map(const char *name);
struct ox_direct_port *direct_bed_map_ports(void);
void direct_bed_unmap_ports(struct ox_direct_port *);
struct ox_direct_key direct_bed_make_key(const struct in6_addr *, int ifindex);
bool direct_bed_read_addr(const struct in6_addr *, int ifindex,
                          struct ox_direct_addr *);
uint32_t direct_bed_number_of(const struct dp_direct *);

/* The port, and the datapath with it. */
struct dp_direct direct_bed_make_port(void);
int direct_bed_put_tap(struct dp *, const char *device, enum dp_hook near);
struct dp *direct_bed_open_with_port(enum dp_hook near);

#endif /* tests/plugin/dp-bpf-direct.h */
