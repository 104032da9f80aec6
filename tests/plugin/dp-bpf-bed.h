/* SPDX-License-Identifier: Apache-2.0 */
/* The bed that the tests of plugin/datapath-bpf*.c lie in: a network namespace
 * and a bpffs of their own, which vanish with the process, and frames.
 *
 *     wire0 ==== nic0 --XDP--> out0 ==== in0
 *
 * Both pairs are veths.  What is sent into 'wire0' arrives at 'nic0', to which
 * the datapath is attached, and should come out at 'in0'.  That is also the
 * tap of a VM, for layer L3. */
#ifndef TESTS_PLUGIN_DP_BPF_BED_H
#define TESTS_PLUGIN_DP_BPF_BED_H 1

#include "plugin/datapath.h"

/* Pin directory for the tests. */
#define DP_BED_PINS "/sys/fs/bpf/parent/ovn-xdp"

/* Endpoints that there is room for. */
#define DP_BED_MAX_ENDPOINTS 64

/* Flows of each family that there is room for. */
#define DP_BED_MAX_FLOWS 64

/* Length of a frame of dp_bed_send(). */
#define DP_BED_FRAME_LEN 60

void dp_bed_enter(void);

struct dp_nic dp_bed_nic(void);
struct dp_endpoint dp_bed_endpoint(void);
struct dp_direct dp_bed_port(void);
struct dp *dp_bed_open(void);
void dp_bed_start(struct dp *);
struct dp *dp_bed_try_start(void);
void dp_bed_close(struct dp *);
int dp_bed_clean_up(void **state);

int dp_bed_socket(const char *device);
void dp_bed_send(int fd, unsigned int n);
unsigned int dp_bed_receive(int fd, unsigned int wanted, int timeout_ms);
void dp_bed_assert_forwards(void);
uint64_t dp_bed_packets(const struct dp *);

#endif /* tests/plugin/dp-bpf-bed.h */
