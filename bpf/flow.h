/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only) */
/* Layer L3: OVN admits, the programs repeat.  What both sides share.
 *
 * abi.h says what the near and the far side of a packet are.  What is taken off
 * at the near side (flow-near.h) without OVN having seen it satisfies all of
 * this:
 *
 * 1. OVN has passed packets of the same flow: enough of them that it is not by
 *    chance, in both directions if it is TCP (flow-learn.h).  Nothing else makes
 *    a flow: no packet that OVN dropped, and none that did not come in at the
 *    near side.  The far side knows that by the note which the near side leaves
 *    of what it does not take off.
 * 2. Nothing has changed since, as far as the daemon knows: it makes the flows
 *    of a port void by another generation.
 * 3. OVN has passed a packet of the flow lately, one of a user or a probe of the
 *    daemon, whatever the daemon knows.
 * 4. It differs from what OVN passed in nothing that OVN looks at: it has the
 *    same tuple and tag, the same MAC addresses where OVN sees them (not at a
 *    routed NIC), no options, is no fragment, ends or begins no connection, and
 *    does not come to the end of its TTL.
 * 5. It can be repeated what OVN did: the packet fits the device, and that is
 *    there.
 */
#ifndef BPF_FLOW_H
#define BPF_FLOW_H

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <stdbool.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "abi.h"
#include "count.h"
#include "endpoint.h"
#include "flow-maps.h"
#include "flow-parse.h"
#include "transport.h"

/* Reads what another CPU may be writing. */
#define OX_FLOW_READ(x) (*(const volatile __typeof__(x) *)&(x))

/* A frame that is no matter of layer L3, and is not counted by it. */
#define OX_FLOW_NONE OX_N_REASONS

/* Another CPU may have stamped a flow with a tick that is not here yet, by its
 * clock: so much is no age. */
#define OX_FLOW_SLACK 16

/* How old the note of a packet may be when the packet leaves, in ticks: 2 s. */
#define OX_ARRIVAL_TICKS (2000000000U >> OX_TICK_SHIFT)

/* A key of 'flows4' or 'flows6' as the words that the look-up compares.  Stored
 * in halves they would have to be put together again, and the processor waits
 * for that. */
union ox_flow_key {
	struct ox_flow4_key four; /* Of IPv4. */
	struct ox_flow6_key six; /* Of IPv6. */
	__u64 word[6];		/* All of it. */
};

/* The time as it was read last: the lower half of the kernel's count of timer
 * ticks as the lower half, and that of ours as the upper one. */
__u64 ox_clock;

/* Reads the time, of the timer tick 'jiffies', and returns it.  A function of
 * its own, so that nobody keeps registers free for the call in it. */
static __noinline __u32
ox_ticks_read(__u32 jiffies)
{
	__u32 now = bpf_ktime_get_coarse_ns() >> OX_TICK_SHIFT;

	*(volatile __u64 *)&ox_clock = (__u64)now << 32 | jiffies;
	return now;
}

/* Returns the time.  The coarse clock moves with the timer ticks of the kernel,
 * whose count is a mere load, while the call for the clock would be a fifth of
 * all that a packet costs. */
static __always_inline __u32
ox_ticks(void)
{
	__u32 jiffies = bpf_jiffies64();
	__u64 last = OX_FLOW_READ(ox_clock);

	return ox_likely((__u32)last == jiffies) ? last >> 32
						 : ox_ticks_read(jiffies);
}

/* Returns how long ago 'then' was. */
static __always_inline __u32
ox_ticks_since(__u32 now, __u32 then)
{
	__u32 age = now - then + OX_FLOW_SLACK;

	return age < OX_FLOW_SLACK ? 0 : age - OX_FLOW_SLACK;
}

/* Tells whether that is not longer than 'most', which is far from all that there
 * is. */
static __always_inline bool
ox_ticks_within(__u32 now, __u32 then, __u32 most)
{
	return now - then + OX_FLOW_SLACK <= most + OX_FLOW_SLACK;
}

/* Stores in 'key' that of 'packet', which came with the tag 'vlan' in
 * 'scope'. */
static __always_inline void
ox_flow_make_key(union ox_flow_key *key, const struct ox_flow_packet *packet,
		 __u16 vlan, __u32 scope, bool is_ip6)
{
	const ox_word64 *from;
	__u64 rest;

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	rest = ox_flow_words(packet->ports, ox_flow_halves(packet->proto,
							   vlan));
#else
	rest = ox_flow_words(packet->ports,
			     ox_flow_halves(packet->proto << 8, vlan));
#endif
	if (is_ip6) {
		from = packet->l3 + __builtin_offsetof(struct ipv6hdr, saddr);
		key->word[0] = from[0];
		key->word[1] = from[1];
		key->word[2] = from[2];
		key->word[3] = from[3];
		key->word[4] = rest;
		key->word[5] = ox_flow_words(scope, 0);
	} else {
		from = packet->l3 + __builtin_offsetof(struct iphdr, saddr);
		key->word[0] = from[0];
		key->word[1] = rest;
		key->word[2] = ox_flow_words(scope, 0);
	}
}

/* Returns the lower half of ox_flow.head under 'key'. */
static __always_inline __u32
ox_flow_check(const union ox_flow_key *key, bool is_ip6)
{
	return is_ip6 ? ox_flow6_check(&key->six) : ox_flow4_check(&key->four);
}

/* Finds the flow with 'key', or NULL. */
static __always_inline struct ox_flow *
ox_flow_find(const union ox_flow_key *key, bool is_ip6)
{
	return is_ip6 ? bpf_map_lookup_elem(&flows6, &key->six)
		      : bpf_map_lookup_elem(&flows4, &key->four);
}

/* Stores the v4-mapped form of 'addr' at 'to'. */
static __always_inline void
ox_flow_map4(void *to, __be32 addr)
{
	__u32 *word = to;

	word[0] = 0;
	word[1] = 0;
	word[2] = bpf_htonl(0xffff);
	word[3] = addr;
}

/* Stores the source ('source') or the destination of the packet at 'l3'. */
static __always_inline void
ox_flow_address(void *to, const void *l3, bool is_ip6, bool source)
{
	const struct ipv6hdr *ip6 = l3;
	const struct iphdr *ip = l3;

	if (is_ip6)
		ox_copy_ip6(to, source ? &ip6->saddr : &ip6->daddr);
	else
		ox_flow_map4(to, source ? ip->saddr : ip->daddr);
}

/* Tells whether two addresses are the same. */
static __always_inline bool
ox_flow_same6(const void *a, const void *b)
{
	const __u32 *x = a;
	const __u32 *y = b;

	return x[0] == y[0] && x[1] == y[1] && x[2] == y[2] && x[3] == y[3];
}

/* Returns the place of the note of a packet whose flow has 'check'. */
static __always_inline struct ox_arrival *
ox_arrival_at(__u32 check)
{
	__u32 index = ox_arrival_index(check);

	return bpf_map_lookup_elem(&arrivals, &index);
}

/* Returns what 'sum' of 'note' must be. */
static __always_inline __u64
ox_arrival_sum(const struct ox_arrival *note)
{
	const __u64 *word = (const __u64 *)note;
	__u64 sum = 0x9e3779b97f4a7c15ULL;
	int i;

	for (i = 1; i < (int)(sizeof(*note) / sizeof(*word)); i++) {
		sum = (sum ^ word[i]) * 0xd6e8feb86659fd93ULL;
		sum ^= sum >> 32;
	}
	return sum;
}

/* Adds a frame of 'bytes' to the counter of 'reason' in 'row' of
 * 'direct_reasons'. */
static __always_inline void
ox_direct_count(__u32 row, enum ox_reason reason, __u64 bytes)
{
	__u32 index = row * OX_N_REASONS + reason;

	ox_count(bpf_map_lookup_elem(&direct_reasons, &index), bytes);
}

#endif /* bpf/flow.h */
