/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only) */
/* The maps of layer L3.  abi.h has the types.
 *
 * User space sets the sizes of 'flows4' and 'flows6' before it loads an object,
 * and pins and shares the maps between the objects.  The flows are preallocated:
 * a packet that OVN has passed must not fail to be remembered for want of
 * memory, and elements lie on whole cache lines.
 */
#ifndef BPF_FLOW_MAPS_H
#define BPF_FLOW_MAPS_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "abi.h"

/* Flows of IPv4. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 262144);
	__type(key, struct ox_flow4_key);
	__type(value, struct ox_flow);
} flows4 SEC(".maps");

/* Flows of IPv6. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 262144);
	__type(key, struct ox_flow6_key);
	__type(value, struct ox_flow);
} flows6 SEC(".maps");

/* Addresses of VMs. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 2 * OX_MAX_DIRECT_PORTS);
	__type(key, struct ox_direct_key);
	__type(value, struct ox_direct_addr);
} direct_addrs SEC(".maps");

/* What is to be said of the flows of each. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, OX_MAX_DIRECT_PORTS);
	__type(key, __u32);
	__type(value, struct ox_direct_port);
} direct_ports SEC(".maps");

/* Packets that came in at a near side, by their hash. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, OX_MAX_ARRIVALS);
	__type(key, __u32);
	__type(value, struct ox_arrival);
} arrivals SEC(".maps");

/* Devices that XDP may send to, by their ifindex. */
struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP_HASH);
	__uint(max_entries, OX_MAX_DIRECT_DEVICES);
	__type(key, __u32);
	__type(value, __u32);
} direct_devices SEC(".maps");

/* What is to be said once. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct ox_direct_state);
} direct_state SEC(".maps");

/* Counters: OX_DIRECT_NEAR_NIC... * OX_N_REASONS + enum ox_reason. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, OX_N_DIRECT_ROWS * OX_N_REASONS);
	__type(key, __u32);
	__type(value, struct ox_counter);
} direct_reasons SEC(".maps");

#endif /* bpf/flow-maps.h */
