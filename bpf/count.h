/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only) */
/* Counting of verdicts, one counter per reason and program.  Included by every
 * object that gives verdicts on a NIC (ovn-xdp.bpf.c, hint.bpf.c, sink.bpf.c);
 * user space makes the objects share one 'reasons' map.
 */
#ifndef BPF_COUNT_H
#define BPF_COUNT_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "abi.h"

/* The program's row in 'nics' and in 'reasons', set before it is loaded: the
 * verifier turns it into a constant. */
const volatile __u32 nic_slot;

/* struct ox_counter by nic_slot * OX_N_REASONS + enum ox_reason. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, OX_MAX_NICS * OX_N_REASONS);
	__type(key, __u32);
	__type(value, struct ox_counter);
} reasons SEC(".maps");

/* Adds a frame of 'bytes' to 'counter', which may be NULL. */
static __always_inline void
ox_count(struct ox_counter *counter, __u64 bytes)
{
	if (counter) {
		counter->packets++;
		counter->bytes += bytes;
	}
}

/* Adds a frame of 'bytes' to the counter of 'reason'. */
static __always_inline void
ox_count_reason(enum ox_reason reason, __u64 bytes)
{
	__u32 index = nic_slot * OX_N_REASONS + reason;

	ox_count(bpf_map_lookup_elem(&reasons, &index), bytes);
}

#endif /* bpf/count.h */
