/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only) */
/* The maps that hold the connections of VMs.  abi.h has the types.
 *
 * The programs on the way out write them (opened.bpf.c; 'sent' those of layer
 * L3, too), and layer L2 of those on the way in reads them (opened.h, sent.h).
 */
#ifndef BPF_OPENED_MAPS_H
#define BPF_OPENED_MAPS_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "abi.h"

/* The connections.  Most nodes have few: memory is taken as they come. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, OX_MAX_OPENED);
	__type(key, struct ox_opened_key);
	__type(value, struct ox_opened);
} opened SEC(".maps");

/* What is to be said of all of them, and of parts. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct ox_opened_state);
} opened_state SEC(".maps");

/* What VMs with layer L3 have sent (sent.h), and what is to be said of it. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, OX_MAX_OPENED);
	__type(key, struct ox_opened_key);
	__type(value, struct ox_opened);
} sent SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct ox_opened_state);
} sent_state SEC(".maps");

/* The addresses of these VMs. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, OX_MAX_DIRECT_PORTS);
	__type(key, __u8[16]);
	__type(value, struct ox_tracked);
} tracked SEC(".maps");

#endif /* bpf/opened-maps.h */
