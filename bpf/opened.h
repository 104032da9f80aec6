/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only) */
/* How the connections that VMs open are read and kept.
 *
 * Conntrack takes a SYN that answers a SYN of the VM (both sides open at once)
 * for a part of that connection, and OVN delivers it whatever the rules say.
 * So a SYN may only be dropped if the VM has not opened that very connection.
 * Proof, for a connection whose SYN leaves after the watch began:
 *
 *  - opened.bpf.c sees it before the outside does, and has written its element
 *    before it goes on: no answer can come earlier.
 *  - Where it cannot write, or not read the packet, it says so ('full_ns').
 *  - An element lives longer than that entry of OVS's own conntrack which takes
 *    a SYN for a part of the connection.  (The kernel's does so only while the
 *    VM's SYN is not answered, and forgets that sooner.)  Both begin anew with
 *    each packet of the VM, and here also with each SYN that is let through
 *    because of it, which makes conntrack's entry begin anew.
 *  - The daemon deletes an element only when it has been over for some seconds,
 *    looks at what it has deleted, and puts it back if it was used meanwhile.
 *    'sweeps' is odd in between: who misses an element does not drop then.
 *  - An element that was over is replaced, not changed in place: a change
 *    could be lost to a deletion at the same moment.
 *
 * One that is older than the watch, or was missed, is settled in two ways.  If
 * it is not answered yet, conntrack forgets it within OX_OPENED_SYN_S, for
 * which nothing is dropped.  If it is established, OVS's own conntrack still
 * takes a SYN for a part of it whose sequence number is in the window (seen
 * with Open vSwitch 3.1; of other numbers, and the kernel's conntrack, it does
 * not): so in this time, and where the daemon asks for it ('learn_ns'), any
 * segment of the VM adds an element, but for RST and SYN with ACK, after which
 * no SYN comes through.
 *
 * Limit: a connection of that kind in which the VM sends nothing all the while
 * is not known.  A SYN in its window does not come from who is at its other
 * end: that end has no use for one, or has lost its state, and a number that
 * hits the window by chance.
 */
#ifndef BPF_OPENED_H
#define BPF_OPENED_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>

#include "abi.h"
#include "opened-maps.h"

#define OX_NS_PER_S 1000000000ULL

/* An element is not written more often than this, in ns: connections with much
 * traffic would have CPUs wait for each other.  Lifetimes have that much to
 * spare. */
#define OX_OPENED_REFRESH_NS OX_NS_PER_S

/* Reads what another CPU may be writing. */
#define OX_READ(x) (*(const volatile __typeof__(x) *)&(x))

/* Returns how long an element in 'state' lives, in ns. */
static __always_inline __u64
ox_opened_life(__u32 state)
{
	return ox_opened_life_s(state) * OX_NS_PER_S;
}

/* Tells whether 'known' is over at 'now'.  The clock of another CPU, which it
 * was written by, may be ahead. */
static __always_inline bool
ox_opened_is_over(const struct ox_opened *known, __u64 now)
{
	return known->seen_ns + ox_opened_life(known->state) <= now;
}

/* Notes that 'known', which is not over, was of use at 'now'. */
static __always_inline void
ox_opened_touch(struct ox_opened *known, __u64 now)
{
	if (known->seen_ns + OX_OPENED_REFRESH_NS <= now)
		known->seen_ns = now;
}

/* Tells whether a connection of 'part' may have been missed at 'now', or a
 * short time before. */
static __always_inline bool
ox_opened_was_full(const struct ox_opened_part *part, __u64 now)
{
	__u64 full = OX_READ(part->full_ns);

	return full && full + OX_OPENED_SYN_S * OX_NS_PER_S > now;
}

/* Tells whether a SYN may answer a connection that the VM has opened: 'key' as
 * the VM's side sees it.  False means that the VM has sent nothing of that
 * connection since the watch began, or conntrack has forgotten it.  */
static __always_inline bool
ox_may_answer(const struct ox_opened_key *key)
{
	const struct ox_opened_state *state;
	struct ox_opened *known;
	__u32 zero = 0, part;
	__u64 now, sweeps;

	state = bpf_map_lookup_elem(&opened_state, &zero);
	/* Cannot be, but the verifier does not know. */
	if (!state)
		return true;
	sweeps = OX_READ(state->sweeps);
	known = bpf_map_lookup_elem(&opened, key);
	now = bpf_ktime_get_coarse_ns();
	if (known && !ox_opened_is_over(known, now)) {
		ox_opened_touch(known, now);
		return true;
	}
	part = ox_opened_part((const __u32 *)key->local, key->proto);
	return ox_opened_was_full(&state->parts[part], now) || sweeps & 1 ||
	       OX_READ(state->sweeps) != sweeps;
}

#endif /* bpf/opened.h */
