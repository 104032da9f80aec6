/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only) */
/* The maps of ovn-xdp.bpf.c, except 'reasons' (count.h) and those of layer L2
 * (acl-maps.h).  abi.h has the types.
 *
 * User space sets the sizes of 'endpoints4', 'endpoints6', 'endpoint_stats'
 * and 'endpoint_drops' before it loads the object, and pins and shares the maps
 * between the objects of several NICs.  Both hashes are preallocated: a look-up
 * must not depend on the memory that was free when the endpoint was written.
 */
#ifndef BPF_MAPS_H
#define BPF_MAPS_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "abi.h"

/* What is done with frames to an IPv4 address. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__type(key, struct ox_key4);
	__type(value, struct ox_endpoint);
} endpoints4 SEC(".maps");

/* What is done with frames to an IPv6 address. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__type(key, struct ox_key6);
	__type(value, struct ox_endpoint);
} endpoints6 SEC(".maps");

/* Counters of the frames that were redirected, by ox_endpoint.slot. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 65536);
	__type(key, __u32);
	__type(value, struct ox_counter);
} endpoint_stats SEC(".maps");

/* Counters of the frames that layer L2 has dropped, likewise. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 65536);
	__type(key, __u32);
	__type(value, struct ox_counter);
} endpoint_drops SEC(".maps");

/* Devices that take redirected frames, by their ifindex, so that the kernel
 * clears an entry when its device goes. */
struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP_HASH);
	__uint(max_entries, OX_MAX_TARGETS);
	__type(key, __u32);
	__type(value, __u32);
} targets SEC(".maps");

/* The NICs, by nic_slot. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, OX_MAX_NICS);
	__type(key, __u32);
	__type(value, struct ox_nic);
} nics SEC(".maps");

/* When the daemon was alive. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct ox_heartbeat);
} heartbeat SEC(".maps");

/* What this generation of maps is.  No program reads it. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct ox_control);
} control SEC(".maps");

#endif /* bpf/maps.h */
