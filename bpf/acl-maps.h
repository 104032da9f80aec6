/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only) */
/* The maps of layer L2.  abi.h has the types.
 *
 * Each daemon makes them anew, once, and shares them between the objects of
 * all NICs that look at rules; for other NICs they need not exist.
 */
#ifndef BPF_ACL_MAPS_H
#define BPF_ACL_MAPS_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "abi.h"

/* Sets of rules, by id. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, OX_MAX_ACL_SETS);
	__type(key, __u32);
	__type(value, struct ox_acl_set);
} acl_sets SEC(".maps");

/* Bitmaps by what a packet is: one port. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, OX_MAX_ACL_SERVICES);
	__type(key, struct ox_acl_port);
	__type(value, __u32);
} acl_ports SEC(".maps");

/* The same for all else. */
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, OX_MAX_ACL_SERVICES);
	__type(key, struct ox_acl_service);
	__type(value, __u32);
} acl_services SEC(".maps");

/* Classes by source: one address. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, OX_MAX_ACL_SOURCES);
	__type(key, struct ox_acl_host);
	__type(value, struct ox_acl_host_class);
} acl_hosts SEC(".maps");

/* The same for shorter prefixes. */
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, OX_MAX_ACL_SOURCES);
	__type(key, struct ox_acl_source);
	__type(value, __u32);
} acl_sources SEC(".maps");

/* Bitmaps by class. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, OX_MAX_ACL_CLASSES);
	__type(key, struct ox_acl_class);
	__type(value, __u32);
} acl_classes SEC(".maps");

/* Bitmaps of rules. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, OX_MAX_ACL_BITS);
	__type(key, __u32);
	__type(value, struct ox_acl_bits);
} acl_bits SEC(".maps");

/* Packets that each rule has decided about. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, OX_MAX_ACL_HITS);
	__type(key, __u32);
	__type(value, __u64);
} acl_hits SEC(".maps");

/* Until when packets may be dropped. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct ox_acl_lease);
} acl_lease SEC(".maps");

#endif /* bpf/acl-maps.h */
