/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only) */
/* How flows begin and end: what the far side makes of a packet that OVN has
 * passed.
 *
 * A flow of UDP or ICMP echo is used once OVN has passed some packets of it.
 * One of TCP is used once OVN has passed the handshake, or some segments with
 * ACK in both directions: those of a connection whose handshake was before the
 * flow, or before something changed.  Both directions begin anew with a SYN
 * that OVN has passed, and both end with an RST; one ends with its FIN.
 *
 * Whoever sends that, OVN's conntrack has seen it, and judges what follows by
 * it; so does the flow.  That of a packet that was on another way (there is no
 * note of it) ends a flow, too, but begins none: to be wrong there costs speed,
 * nothing else.
 *
 * What OVN passes of a flow that was ended says that it did not believe the end,
 * or that only the other direction goes on.  After a while the flow is learned
 * anew.
 *
 * Programs on several CPUs write the same flow, without a lock:
 *
 * - What a packet is rewritten by is written by whoever takes the head away, and
 *   the near side drops what it has read if the head is not there before and
 *   after.  Two writers: one gives up, and brings the flow up to date with its
 *   next packet.  One that has read the port's generation before it changed may
 *   write the old one over the new one: the flow is void, and learned anew.
 * - What was counted ('passed', 'tcp') and 'state' are written without the head.
 *   Of two counts at the same time one may be lost: the flow is used one packet
 *   later.  A count that was read before a reset (another generation or number,
 *   a SYN, an end) and is written after it may have the flow be used although
 *   OVN has passed too few since.  It does what OVN made of a packet after the
 *   reset all the same, and is not used longer than until its next confirmation
 *   fails.
 * - The near side writes only 'used', 'asked' and its counters, the far side
 *   none of them.
 * - An element of the map may be deleted and be another flow's between two
 *   stores of somebody who found it before.  Counts may then be those of
 *   another flow, as above, and a near side's are lost.  What a packet is
 *   rewritten by may be mixed for as long as that writer takes, and then has his
 *   head, by which the next packet at the far side knows it
 *   (ox_learn_write()).  All that is a matter of nanoseconds, and the daemon
 *   deletes only what was not in use for seconds.
 */
#ifndef BPF_FLOW_LEARN_H
#define BPF_FLOW_LEARN_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>

#include "abi.h"
#include "flow.h"
#include "parse.h"
#include "transport.h"

/* So many packets that OVN has passed are enough. */
#define OX_FLOW_ENOUGH 3

/* How long a flow stays closed that OVN passes packets of all the same, in
 * ticks: 2 s. */
#define OX_FLOW_REST (2000000000U >> OX_TICK_SHIFT)

/* What OVN has passed of the direction that has opened a connection, when the
 * handshake is over. */
#define OX_FLOW_OPENED (OX_FLOW_SYN | OX_FLOW_ACK)

/* Returns what the TCP segment with 'flags' adds to ox_flow.tcp. */
static __always_inline __u8
ox_learn_bits(__u8 flags)
{
	switch (flags & (OX_FLOW_CONTROL | OX_TCP_ACK)) {
	case OX_TCP_SYN:
		return OX_FLOW_SYN;
	case OX_TCP_SYN | OX_TCP_ACK:
		return OX_FLOW_SYN_ACK;
	case OX_TCP_ACK:
		return OX_FLOW_ACK;
	default:
		return 0;
	}
}

/* Tells whether the packet of 'proto' with 'flags' is one of those that a flow
 * is known by. */
static __always_inline bool
ox_learn_counts(__u8 proto, __u8 flags)
{
	return proto != IPPROTO_TCP || ox_learn_bits(flags) == OX_FLOW_ACK;
}

/* Tells whether OVN has passed enough of both directions of a TCP
 * connection. */
static __always_inline bool
ox_learn_is_open(const struct ox_flow *one, const struct ox_flow *other)
{
	__u8 a = one->tcp, b = other->tcp;

	if ((a & OX_FLOW_OPENED) == OX_FLOW_OPENED && b & OX_FLOW_SYN_ACK)
		return true;
	if ((b & OX_FLOW_OPENED) == OX_FLOW_OPENED && a & OX_FLOW_SYN_ACK)
		return true;
	return one->passed >= OX_FLOW_ENOUGH && other->passed >= OX_FLOW_ENOUGH;
}

/* Has packets of 'flow' be taken off from now on. */
static __always_inline void
ox_learn_use(struct ox_flow *flow)
{
	if (flow->state == OX_FLOW_LEARNING)
		flow->state = OX_FLOW_USED;
}

/* Has 'flow', if there is one, begin anew. */
static __always_inline void
ox_learn_again(struct ox_flow *flow)
{
	if (!flow)
		return;
	flow->state = OX_FLOW_LEARNING;
	flow->passed = 0;
	flow->tcp = 0;
}

/* Ends 'flow', if there is one, at 'now'. */
static __always_inline void
ox_learn_end(struct ox_flow *flow, __u32 now)
{
	if (!flow)
		return;
	flow->state = OX_FLOW_CLOSED;
	flow->passed = 0;
	flow->tcp = 0;
	flow->closed = now;
}

/* Tells whether 'flow' was written under the generation, and the number of its
 * port, that 'other' was.  Another number may have the same generation. */
static __always_inline bool
ox_learn_is_now(const struct ox_flow *flow, const struct ox_flow *other)
{
	return flow->generation == other->generation &&
	       flow->port == other->port;
}

/* Notes a packet of 'proto' with 'flags' that OVN has passed, at 'now', in
 * 'flow', whose other direction is 'other', or NULL.  Both may become used. */
static __always_inline void
ox_learn_passed(struct ox_flow *flow, struct ox_flow *other, __u8 proto,
		__u8 flags, __u32 now)
{
	flow->seen = now;
	flow->confirmed = now;
	if (flow->state == OX_FLOW_CLOSED &&
	    ox_ticks_since(now, flow->closed) > OX_FLOW_REST)
		ox_learn_again(flow);
	if (ox_learn_counts(proto, flags) && flow->passed < 255)
		flow->passed++;
	if (proto != IPPROTO_TCP) {
		if (flow->passed >= OX_FLOW_ENOUGH)
			ox_learn_use(flow);
		return;
	}
	flow->tcp |= ox_learn_bits(flags);
	if (other && ox_learn_is_now(other, flow) &&
	    ox_learn_is_open(flow, other)) {
		ox_learn_use(flow);
		ox_learn_use(other);
	}
}

/* Follows a TCP segment with 'flags' that OVN has passed in the direction of
 * 'flow', at 'now', the other one being 'other'; each may be NULL.  Returns
 * whether it ends or begins something. */
static __always_inline bool
ox_learn_control(struct ox_flow *flow, struct ox_flow *other, __u8 flags,
		 __u32 now)
{
	if (flags & OX_TCP_RST) {
		ox_learn_end(flow, now);
		ox_learn_end(other, now);
	} else if (flags & OX_TCP_FIN) {
		ox_learn_end(flow, now);
	} else if ((flags & (OX_TCP_SYN | OX_TCP_ACK)) == OX_TCP_SYN) {
		ox_learn_again(flow);
		ox_learn_again(other);
	} else {
		return false;
	}
	return true;
}

/* The parts of struct ox_flow that a packet shows: those from 'macs' up to
 * 'ifindex', in words. */
#define OX_FLOW_FIRST_WORD 2
#define OX_FLOW_END_WORD 9

/* Tells whether 'flow' does what 'seen' does. */
static __always_inline bool
ox_learn_is_same(const struct ox_flow *flow, const struct ox_flow *seen)
{
	const __u32 *x = (const __u32 *)flow;
	const __u32 *y = (const __u32 *)seen;
	int i;

	for (i = OX_FLOW_FIRST_WORD; i < OX_FLOW_END_WORD; i++) {
		if (x[i] != y[i])
			return false;
	}
	return flow->aging == seen->aging &&
	       ox_flow_same6(flow->nat, seen->nat);
}

/* Has 'flow' do what 'seen' does.  Who takes the head away may write; somebody
 * else who is at it has seen nearly the same.  A head of another key was left by
 * somebody who wrote late, to an element that was recycled meanwhile: nothing
 * that is there can be relied on. */
static __always_inline void
ox_learn_write(struct ox_flow *flow, const struct ox_flow *seen)
{
	__u64 head = OX_FLOW_READ(flow->head);
	__u32 *x = (__u32 *)flow;
	const __u32 *y = (const __u32 *)seen;
	int i;

	if (!head || __sync_val_compare_and_swap(&flow->head, head, 0) != head)
		return;
	ox_barrier();
	for (i = OX_FLOW_FIRST_WORD; i < OX_FLOW_END_WORD; i++)
		x[i] = y[i];
	flow->aging = seen->aging;
	ox_copy_ip6(flow->nat, seen->nat);
	if (!ox_learn_is_now(flow, seen) ||
	    (__u32)head != (__u32)seen->head) {
		if (flow->state != OX_FLOW_CLOSED)
			flow->state = OX_FLOW_LEARNING;
		flow->passed = 0;
		flow->tcp = 0;
		flow->port = seen->port;
		flow->generation = seen->generation;
	}
	ox_barrier();
	*(volatile __u64 *)&flow->head = seen->head;
}

/* Brings 'flow' up to what was 'seen'. */
static __always_inline void
ox_learn_update(struct ox_flow *flow, const struct ox_flow *seen)
{
	if ((__u32)OX_FLOW_READ(flow->head) != (__u32)seen->head ||
	    !ox_learn_is_now(flow, seen) || !ox_learn_is_same(flow, seen))
		ox_learn_write(flow, seen);
}

/* Has 'flow' say by which way the packet came in that was 'seen': the daemon
 * sends probes like it. */
static __always_inline void
ox_learn_source(struct ox_flow *flow, const struct ox_flow *seen)
{
	if (flow->near_ifindex != seen->near_ifindex)
		flow->near_ifindex = seen->near_ifindex;
	if (!ox_same_mac(flow->near_source, seen->near_source))
		__builtin_memcpy(flow->near_source, seen->near_source,
				 sizeof(flow->near_source));
}

#endif /* bpf/flow-learn.h */
