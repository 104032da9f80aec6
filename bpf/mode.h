/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only) */
/* What user space says of a program before it loads it, and what follows from
 * that alone.
 */
#ifndef BPF_MODE_H
#define BPF_MODE_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>

#include "abi.h"
#include "maps.h"

/* The program runs in generic mode, set before it is loaded.  The target is
 * then handed sk_buffs, in as many buffers as they happen to have (since
 * Linux 6.9 the kernel does not join them for a program that takes several). */
const volatile bool generic;

/* Packets of flows that come in at the NIC are left to its TC program, which
 * takes them off; set before the program is loaded. */
const volatile bool direct_tc;

/* How old the heartbeat may be, in nanoseconds, for the programs that look at
 * it; set before they are loaded.  0: layer L3 does not look at it. */
const volatile __u64 stale_ns;

/* Tells whether the daemon has been away for too long.  Its last heartbeat may
 * be a little after the coarse clock, which moves by ticks. */
static __always_inline bool
ox_is_stale(void)
{
	const struct ox_heartbeat *last;
	__u32 zero = 0;

	last = bpf_map_lookup_elem(&heartbeat, &zero);
	return last && (__s64)(bpf_ktime_get_coarse_ns() - last->alive_ns) >
			       (__s64)stale_ns;
}

#endif /* bpf/mode.h */
