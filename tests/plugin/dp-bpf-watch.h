/* SPDX-License-Identifier: Apache-2.0 */
/* Connections of a VM, on the devices of tests/plugin/dp-bpf-bed.h: what the
 * VM sends goes into 'wire0', and is watched where 'nic0' receives it. */
#ifndef TESTS_PLUGIN_DP_BPF_WATCH_H
#define TESTS_PLUGIN_DP_BPF_WATCH_H 1

#include "bpf/abi.h"
#include "plugin/datapath.h"
#include "tests/plugin/dp-bpf-bed.h"

/* Where the maps and links are pinned. */
#define WATCH_BED_PINS DP_BED_PINS "/watch"

/* First of the VM's ports, and that of whom it calls. */
#define WATCH_BED_PORT 20000
#define WATCH_BED_PEER_PORT 443

/* The clock of the maps. */
uint64_t watch_bed_now(void);

/* Opens the datapath and watches 'nic0'.  Stores since when. */
struct dp *watch_bed_open(long long int *since);

/* Opens a pinned map. */
int watch_bed_open_map(const char *name);

/* The connection from one of the VM's ports. */
struct ox_opened_key watch_bed_make_key(uint16_t port);
bool watch_bed_is_known(uint16_t port);
uint32_t watch_bed_state_of(uint16_t port);
void watch_bed_await_known(uint16_t port);
void watch_bed_put_known(uint16_t port, uint32_t state, uint64_t age);

/* A SYN from there, with a VLAN tag unless that is 0: stored in 'frame', whose
 * length is returned; or sent. */
size_t watch_bed_make_syn(uint8_t *frame, uint16_t port, uint16_t vlan);
void watch_bed_send_syn(uint16_t port, uint16_t vlan);

#endif /* tests/plugin/dp-bpf-watch.h */
