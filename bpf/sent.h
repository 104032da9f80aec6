/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only) */
/* What VMs with layer L3 have sent: whether a packet to one may be an answer.
 *
 * OVN applies the rules to each packet of the direction that has opened a
 * connection, and to those of none.  In spite of them it delivers only what is
 * in the other direction of a connection of the VM's, and what is related to one.
 * What is related are ICMP errors, which are never dropped: OVN asks for no
 * helper of conntrack's, and the daemon has nothing be tracked where the kernel
 * attaches them by itself.  So a packet whose rule drops may be dropped
 * if the conntrack zone of the VM's port has nothing of its tuple that the VM
 * has opened.  Proof:
 *
 *  - Conntrack of that zone knows what the VM has sent, by the tuple that it was
 *    sent with.  The near side of the tap sees all that the VM sends, and writes
 *    an element of what it leaves to OVN, before it does (ox_sent_note()): for
 *    whatever reason it is left, and whatever OVN does with it.  What it takes
 *    off, conntrack never sees.
 *  - The answer has the same tuple, with the address outside for the VM's own:
 *    layer L3 is for addresses that are translated one to one.  Where OVN changes
 *    more of it (a load balancer that the VM calls; a port that is taken), the
 *    packet leaves the bridge with another tuple than it has come with: the watch
 *    (opened.bpf.c), which all that leaves a provider bridge passes, finds no
 *    element then, writes one, and says that something was missed.  Later answers
 *    may come in by other ways, as they like, for as long as that lasts.
 *    What leaves by a tunnel is answered there, or with the same tuple.
 *  - Whatever else goes by OVN has conntrack begin anew, and so the element:
 *    packets of the VM at the near side, those from outside, whatever they came
 *    in by, at the far side at the tap; and probes at both far sides.  Those that
 *    OVN drops by its rules after conntrack has seen them are no answers.  A
 *    probe of the way out that OVN drops behind conntrack is not seen; then the
 *    flow is not confirmed, the VM's packets are seen again after three periods,
 *    of a minute at most, and the probes end with the flow, after 60 s without a
 *    packet of a user (TCP: 300 s).  The lives of elements allow for that.
 *  - An element lives longer than what conntrack has of it.  TCP is only given a
 *    short life by FIN or RST if the watch sees that OVN has passed it: conntrack
 *    may have refused it before.  The daemon follows the times of conntrack that
 *    can be configured, and has nothing be tracked if they are longer, or were
 *    lately.
 *  - Each segment of TCP may be the first that conntrack sees of a connection
 *    (it picks them up in their middle), but for SYN with ACK.
 *  - Echo: request and reply are not told apart, so that a VM that pings may be
 *    pinged by whom it pings, with the same identifier.
 *  - What was sent before the element of 'tracked' says, conntrack has forgotten
 *    after ox_sent_horizon_s(), unless it began anew meanwhile: with a packet of
 *    the VM, or one to it, or a probe.  In that time each of them writes an
 *    element (ox_sent_keep()).  'tracked' says so since the near side of the tap, and
 *    the far one there, are attached without interruption; since the address has
 *    been translated as it is now; and since all is watched by which packets
 *    leave bridges.  The daemon begins anew whenever one of them does.
 *  - What cannot be read, or not be written, is missed ('full_ns'), for as long.
 *    Parts of this are by address and protocol: a storm of UDP has no bearing on
 *    TCP, and none on pure SYNs, which opened.h decides about.
 *  - Fragments: conntrack sees the whole packet, whose ports are in the first
 *    fragment.  Frames with a tag, or of LLC with an IP packet in them, are
 *    missed (OVN may take them for IP, or not).
 *  - Another address of the VM, or of another VM, is another element.  Who sends
 *    with the address of another VM does so in his own zone.  A packet from an
 *    address of this chassis (hairpin) is never dropped: ox_acl_inside().
 *  - A floating IP that was another VM's: conntrack still sends that one's
 *    answers to it.  What it sends leaves with that address, and the watch sees
 *    it; what it gets is seen on the way in, as each packet of no flow to the
 *    address finds its element (ox_sent_judge()).
 *  - An IPv6 packet with v4-mapped addresses has the key of an IPv4 one, which
 *    spares the more.
 *  - Elements are deleted as those of 'opened' are, see opened.h.
 */
#ifndef BPF_SENT_H
#define BPF_SENT_H

#include <linux/bpf.h>
#include <linux/in.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>

#include "abi.h"
#include "opened-maps.h"
#include "opened.h"
#include "transport.h"

#define OX_SENT_EEXIST 17

/* Whether a packet may be an answer. */
enum ox_sent_answer {
	OX_SENT_NO,		/* It is none. */
	OX_SENT_MAY,		/* The VM has sent something. */
	OX_SENT_UNKNOWN		/* Nobody knows. */
};

/* Who has seen a packet of a VM. */
enum ox_sent_place {
	OX_SENT_TAP,		/* The near side of its tap, before OVN. */
	OX_SENT_EXIT		/* The watch, after OVN has passed it. */
};

/* Tells whether 'proto' is one whose packets may be dropped, in IPv6 or not. */
static __always_inline bool
ox_sent_has_proto(__u8 proto, bool is_ip6)
{
	return proto == IPPROTO_TCP || proto == IPPROTO_UDP ||
	       proto == (is_ip6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
}

/* Stores in 'key' that of a packet of 'proto' between 'local' and 'remote', with
 * 'ports' as in struct ox_flow_packet; 'in': it goes to 'local'. */
static __always_inline void
ox_sent_make_key(struct ox_opened_key *key, const void *local,
		 const void *remote, __u32 ports, __u8 proto, bool in)
{
	bool echo = proto != IPPROTO_TCP && proto != IPPROTO_UDP;
	const __be16 *half = (const __be16 *)&ports;

	ox_copy_ip6(key->local, local);
	ox_copy_ip6(key->remote, remote);
	/* The halves of a word: the verifier takes no choice of addresses. */
	if (in && !echo)
		ports = ports << 16 | ports >> 16;
	key->local_port = half[0];
	key->remote_port = echo ? 0 : half[1];
	key->proto = proto;
	key->zero[0] = key->zero[1] = key->zero[2] = 0;
}

/* Returns the part of 'sent_state' of 'local' with 'proto', or NULL, which only
 * the verifier thinks. */
static __always_inline struct ox_opened_part *
ox_sent_part(const void *local, __u8 proto)
{
	struct ox_opened_state *state;
	__u32 zero = 0, part;

	part = ox_opened_part(local, proto);
	state = bpf_map_lookup_elem(&sent_state, &zero);
	return state ? &state->parts[part & (OX_OPENED_PARTS - 1)] : NULL;
}

/* Notes that something that was sent from 'local' with 'proto' was missed. */
static __always_inline void
ox_sent_miss(const void *local, __u8 proto)
{
	struct ox_opened_part *part = ox_sent_part(local, proto);

	if (part)
		part->full_ns = bpf_ktime_get_coarse_ns();
}

/* Returns the state of what the VM has sent the first packet of, with 'proto'
 * and 'flags' if that is TCP. */
static __always_inline __u32
ox_sent_first(__u8 proto, __u8 flags)
{
	if (proto == IPPROTO_UDP)
		return OX_SENT_UDP;
	if (proto != IPPROTO_TCP)
		return OX_SENT_ECHO;
	return flags & (OX_TCP_SYN | OX_TCP_FIN | OX_TCP_RST) ? OX_OPENED_SYN
							      : OX_SENT_TCP;
}

/* Returns the state of what was in 'state' after a packet of the VM with 'flags'
 * if it is TCP, and with 'data' or not, seen at 'place'.  A SYN begins anew what
 * was closing, perhaps; one with ACK, where both ends open at once, may be all
 * that the VM sends. */
static __always_inline __u32
ox_sent_next(__u32 state, __u8 flags, bool data, enum ox_sent_place place)
{
	if (state == OX_SENT_UDP || state == OX_SENT_ECHO)
		return state;
	if (flags & (OX_TCP_FIN | OX_TCP_RST))
		return place == OX_SENT_EXIT ? OX_OPENED_CLOSING : state;
	if (flags & OX_TCP_SYN)
		return state == OX_OPENED_CLOSING || flags & OX_TCP_ACK
		       ? OX_SENT_TCP : state;
	return state == OX_OPENED_SYN || data ? OX_SENT_TCP : state;
}

/* Tells whether a packet of 'proto' with 'flags', seen at 'place', may be the
 * first that conntrack knows of.  OVN itself refuses connections by an RST, of
 * which conntrack of the VM's port knows nothing. */
static __always_inline bool
ox_sent_begins(__u8 proto, __u8 flags, enum ox_sent_place place)
{
	if (proto != IPPROTO_TCP)
		return true;
	if ((flags & (OX_TCP_SYN | OX_TCP_ACK)) == (OX_TCP_SYN | OX_TCP_ACK))
		return false;
	return place == OX_SENT_TAP || !(flags & OX_TCP_RST);
}

/* Writes the element of 'key' anew in 'state' at 'now', or says that it was
 * missed.  'over': there is one, which is over. */
static __always_inline void
ox_sent_write(const struct ox_opened_key *key, __u32 state, __u64 now,
	      bool over)
{
	struct ox_opened fresh = { .seen_ns = now, .state = state };
	struct ox_opened_part *part = ox_sent_part(key->local, key->proto);
	long error;

	if (!part)
		return;
	if (!over && (__s64)OX_READ(part->n) >= OX_OPENED_SHARE) {
		part->full_ns = now;
		return;
	}
	/* Another CPU may have been faster.  What is over the daemon may be
	 * deleting at this moment. */
	error = bpf_map_update_elem(&sent, key, &fresh,
				    over ? BPF_ANY : BPF_NOEXIST);
	if (!error && !over)
		__sync_fetch_and_add(&part->n, 1);
	else if (error && error != -OX_SENT_EEXIST)
		part->full_ns = now;
}

/* Brings 'known', the element of 'key', to 'state' at 'now'. */
static __always_inline void
ox_sent_refresh(struct ox_opened *known, const struct ox_opened_key *key,
		__u32 first, __u32 next, __u64 now)
{
	if (ox_opened_is_over(known, now)) {
		ox_sent_write(key, first, now, true);
	} else if (known->state != next) {
		known->seen_ns = now;
		known->state = next;
	} else {
		ox_opened_touch(known, now);
	}
}

/* Notes a packet with 'key' that the VM has sent, and that was seen at 'place':
 * of TCP with 'flags', and with 'data' or not.  A function of its own, so that
 * it takes no room on the stack of those that call it. */
static __noinline int
ox_sent_note(const struct ox_opened_key *key, __u8 flags, bool data,
	     enum ox_sent_place place)
{
	__u64 now = bpf_ktime_get_coarse_ns();
	__u32 first = ox_sent_first(key->proto, flags);
	struct ox_opened *known;

	known = bpf_map_lookup_elem(&sent, key);
	if (known) {
		ox_sent_refresh(known, key, first,
				ox_sent_next(known->state, flags, data, place),
				now);
	} else if (ox_sent_begins(key->proto, flags, place)) {
		ox_sent_write(key, first, now, false);
		/* It has come with another tuple. */
		if (place == OX_SENT_EXIT)
			ox_sent_miss(key->local, key->proto);
	}
	return 0;
}

/* Tells whether all that 'local' has sent with 'proto' was followed at 'now' for
 * longer than conntrack knows it. */
static __always_inline bool
ox_sent_is_complete(const void *local, __u8 proto, __u64 now)
{
	__u64 horizon = ox_sent_horizon_s(proto) * OX_NS_PER_S;
	const struct ox_opened_part *part = ox_sent_part(local, proto);
	const struct ox_tracked *found;
	const __u32 *x = local, *y;
	__u64 since, full;

	found = bpf_map_lookup_elem(&tracked, local);
	if (!part || !found)
		return false;
	since = OX_READ(found->since_ns);
	full = OX_READ(part->full_ns);
	y = (const __u32 *)found->addr;
	return since && (__s64)(now - since) >= (__s64)horizon &&
	       (!full || full + horizon <= now) && x[0] == OX_READ(y[0]) &&
	       x[1] == OX_READ(y[1]) && x[2] == OX_READ(y[2]) &&
	       x[3] == OX_READ(y[3]);
}

/* Tells whether a packet to a VM may be an answer: 'key' as the VM's side sees
 * it.  If so, conntrack begins anew with it, and so does the element. */
static __always_inline enum ox_sent_answer
ox_sent_judge(const struct ox_opened_key *key)
{
	const struct ox_opened_state *state;
	struct ox_opened *known;
	__u64 now, sweeps;
	__u32 zero = 0;

	state = bpf_map_lookup_elem(&sent_state, &zero);
	/* Cannot be, but the verifier does not know. */
	if (!state)
		return OX_SENT_UNKNOWN;
	sweeps = OX_READ(state->sweeps);
	known = bpf_map_lookup_elem(&sent, key);
	now = bpf_ktime_get_coarse_ns();
	if (known && !ox_opened_is_over(known, now)) {
		ox_opened_touch(known, now);
		return OX_SENT_MAY;
	}
	if (sweeps & 1 || OX_READ(state->sweeps) != sweeps ||
	    !ox_sent_is_complete(key->local, key->proto, now))
		return OX_SENT_UNKNOWN;
	return OX_SENT_NO;
}

#endif /* bpf/sent.h */
