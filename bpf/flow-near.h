/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only) */
/* The near side of layer L3: whether a packet may be taken off, and the note
 * that is left of one that is not.  How it is taken off is in flow-xdp.h and
 * flow-tc.h.
 */
#ifndef BPF_FLOW_NEAR_H
#define BPF_FLOW_NEAR_H

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>

#include "abi.h"
#include "flow-sent.h"
#include "flow.h"
#include "mode.h"
#include "parse.h"

/* Most words of a transport header. */
#define OX_FLOW_MAX_WORDS 15

/* A frame at a near side. */
struct ox_near {
	struct ox_flow_packet packet; /* What is in it. */
	void *data;		/* Its first byte. */
	void *data_end;		/* End of its linear part. */
	__u64 len;		/* Its length. */
	__u32 segment;		/* Of several segments in one (GSO): the data
				 * in each; 0: it is no such frame. */
	__u32 ifindex;		/* Its device; on the way in by a routed NIC not
				 * before a note is to be left. */
	__u32 scope;		/* As in struct ox_flow4_key. */
	__u16 vlan;		/* Likewise. */
	bool popped;		/* Its tag lies in the frame. */
	bool tc_asks;		/* The TC program, which gets it next, has the
				 * flow confirmed. */
	bool stale;		/* The pointers here are not valid any more. */
	bool out;		/* It comes from a VM; a constant. */
	bool xdp;		/* It is at an XDP hook; a constant. */
};

/* Tells whether the frame goes to several hosts.  OVN may deliver such a frame
 * to more than one port, which nobody can repeat. */
static __always_inline bool
ox_near_is_group(const struct ox_near *near)
{
	return *(const __u8 *)near->data & 1;
}

/* Reads the packet of 'near', whose IP header should be at 'near->packet.l3'.
 * Stores in '*fit' whether it is fit.  Returns false if the header is not
 * there. */
static __always_inline bool
ox_near_read(struct ox_near *near, bool *fit, bool is_ip6)
{
	__u32 offset = ETH_HLEN + (near->popped ? OX_TAG_LEN : 0);

	if (near->packet.l3 + ox_flow_l3_len(is_ip6) > near->data_end)
		return false;
	*fit = ox_flow_read(&near->packet, near->data_end, near->len - offset,
			    is_ip6) &&
	       !ox_near_is_group(near);
	return true;
}

/* Judges how long ago 'flow' of 'port' was confirmed. */
static __always_inline enum ox_reason
ox_near_confirmed(const struct ox_near *near, struct ox_flow *flow,
		  const struct ox_direct_port *port, __u32 now)
{
	__u32 confirmed = OX_FLOW_READ(flow->confirmed);

	if (ox_likely(ox_ticks_within(now, confirmed, port->soft)))
		return OX_R_DIRECT;
	if (!ox_ticks_within(now, confirmed, port->hard))
		return OX_R_FLOW_UNCONFIRMED;
	if (near->tc_asks ||
	    ox_ticks_since(now, OX_FLOW_READ(flow->asked)) < port->step)
		return OX_R_DIRECT;
	flow->asked = now;
	return OX_R_FLOW_ASK;
}

/* Tells whether the device of 'flow' takes the frame.  The kernel compares
 * whole frames, padding and all, and allows for one tag. */
static __always_inline bool
ox_near_fits(const struct ox_near *near, const struct ox_flow *flow)
{
	__u32 mtu = flow->mtu;

	if (near->segment)
		return near->segment + near->packet.headers <= mtu;
	if (near->packet.len > mtu)
		return false;
	if (!near->xdp)
		return true;
	if (near->len > mtu + ETH_HLEN + (near->out && flow->vlan ? 0 : OX_TAG_LEN))
		return false;
	return generic || near->len <= near->data_end - near->data;
}

/* Tells whether the frame has the MAC addresses that packets of 'flow' of
 * 'port' have.  At a routed NIC that is the NIC's own, which was compared before:
 * OVN never sees it, and the host takes the packet in by any of them. */
static __always_inline bool
ox_near_has_macs(const struct ox_near *near, const struct ox_flow *flow,
		 const struct ox_direct_port *port)
{
	if (!near->out && !near->scope)
		return true;
	return ox_same_mac(near->data, flow->near_mac) &&
	       (!near->out || ox_same_mac(near->data + ETH_ALEN, port->mac));
}

/* Tells whether the frame comes in by the NIC that packets of 'flow' come in by.
 *
 * A bridge learns from each frame by which of its ports a neighbour is to be
 * reached.  One that has moved to another port must be seen there, by frames of
 * its own and by probes: else what OVN sends to it goes to the old one. */
static __always_inline bool
ox_near_same_nic(const struct ox_near *near, const struct ox_flow *flow)
{
	return near->out || !near->scope ||
	       near->ifindex == flow->near_ifindex;
}

/* The same as ox_is_stale(); a function of its own, so that it takes no
 * registers where it is not asked. */
static __noinline bool
ox_near_is_stale(void)
{
	return ox_is_stale();
}

/* Judges whether the packet may be taken off as one of 'flow' of 'port'. */
static __always_inline enum ox_reason
ox_near_judge(const struct ox_near *near, struct ox_flow *flow,
	      const struct ox_direct_port *port, __u32 now, bool is_ip6)
{
	if (stale_ns && ox_near_is_stale())
		return OX_R_FLOW_UNCONFIRMED;
	if (flow->generation != OX_FLOW_READ(port->generation))
		return OX_R_FLOW_VOID;
	if (flow->state != OX_FLOW_USED)
		return flow->state == OX_FLOW_CLOSED ? OX_R_FLOW_CLOSED
						     : OX_R_FLOW_LEARNING;
	if (near->packet.flags & OX_FLOW_CONTROL)
		return OX_R_FLOW_CONTROL;
	if (!ox_near_has_macs(near, flow, port) ||
	    !ox_near_same_nic(near, flow))
		return OX_R_FLOW_MAC;
	if (ox_flow_ttl(&near->packet, is_ip6) <= flow->aging)
		return OX_R_FLOW_UNFIT;
	if (!ox_near_fits(near, flow))
		return OX_R_FLOW_MTU;
	return ox_near_confirmed(near, flow, port, now);
}

/* Counts a packet that was taken off as one of 'flow' of 'port'.  Those to an
 * address count for it as those of layer L1 do. */
static __always_inline void
ox_near_count(const struct ox_near *near, struct ox_flow *flow,
	      const struct ox_direct_port *port, __u32 now)
{
	__u32 slot = port->slot;

	if (flow->used != now)
		flow->used = now;
	flow->packets++;
	flow->bytes += near->len;
	if (!near->out)
		ox_count(bpf_map_lookup_elem(&endpoint_stats, &slot),
			 near->len);
}

/* Returns the element of 'direct_addrs' with 'key'. */
static __always_inline const struct ox_direct_addr *
ox_direct_find(const struct ox_direct_key *key)
{
	return bpf_map_lookup_elem(&direct_addrs, key);
}

/* Returns the address of a VM that the packet comes from (on the way out) or
 * goes to, if it is one with layer L3 that packets come in to here; else
 * NULL. */
static __always_inline const struct ox_direct_addr *
ox_near_address(const struct ox_near *near, bool is_ip6)
{
	const struct ox_direct_addr *addr;
	struct ox_direct_key key;

	key.ifindex = near->out ? near->scope : 0;
	ox_flow_address(key.addr, near->packet.l3, is_ip6, near->out);
	addr = ox_direct_find(&key);
	if (!addr || near->out)
		return addr;
	return addr->bridge == near->scope && addr->vlan == near->vlan ? addr
								      : NULL;
}

/* Tells whether the packet, on the way in, comes from an external address of
 * this very chassis. */
static __always_inline bool
ox_near_inside(const struct ox_near *near, bool is_ip6)
{
	struct ox_direct_key key = {};

	ox_flow_address(key.addr, near->packet.l3, is_ip6, true);
	return ox_direct_find(&key) != NULL;
}

/* Leaves a note of the packet with 'key'. */
static __always_inline void
ox_near_note(const struct ox_near *near, const union ox_flow_key *key,
	     bool is_ip6)
{
	struct ox_arrival *to = ox_arrival_at(ox_flow_check(key, is_ip6));
	struct ox_arrival note = {};
	__u32 *ports = (__u32 *)&note.sport;

	if (!to)
		return;
	ox_flow_address(note.saddr, near->packet.l3, is_ip6, true);
	ox_flow_address(note.daddr, near->packet.l3, is_ip6, false);
	*ports = near->packet.ports;
	note.proto = near->packet.proto;
	note.ttl = ox_flow_ttl(&near->packet, is_ip6);
	note.vlan = near->vlan;
	note.scope = near->scope;
	__builtin_memcpy(note.macs, near->data, sizeof(note.macs));
	note.len = near->segment ? 0 : near->packet.len;
	note.tos = ox_flow_tos(&near->packet, is_ip6);
	note.at = ox_ticks();
	note.ifindex = near->ifindex;
	note.sum = ox_arrival_sum(&note);
	*to = note;
}

/* Folds 'sum', of less than 32 words, to 16 bits. */
static __always_inline __u16
ox_near_fold(__u64 sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return sum + (sum >> 16);
}

/* Returns the sum over the pseudo header of the packet, in the order of the
 * wire. */
static __always_inline __u16
ox_near_pseudo(const struct ox_near *near, bool is_ip6)
{
	__u32 len = near->packet.len - ox_flow_l3_len(is_ip6);
	const __u32 *word = near->packet.l3 + (is_ip6 ? 8 : 12);
	__u64 sum = (__u64)bpf_htonl(len) + bpf_htonl(near->packet.proto);
	int i;

	for (i = 0; i < (is_ip6 ? 8 : 2); i++)
		sum += word[i];
	return ox_near_fold(sum);
}

/* Tells whether the VM seems to have left the transport's checksum to its
 * network card: it is then that of the pseudo header alone.  Of all other
 * packets one in 65,536 has the same by chance. */
static __always_inline bool
ox_near_half_checksum(const struct ox_near *near, bool is_ip6)
{
	const void *l4 = near->packet.l3 + ox_flow_l3_len(is_ip6);
	__u16 check;

	if (near->packet.proto == IPPROTO_TCP &&
	    l4 + OX_FLOW_TCP_LEN <= near->data_end)
		check = *(const __u16 *)(l4 + 16);
	else if (near->packet.proto == IPPROTO_UDP &&
		 l4 + OX_FLOW_L4_LEN <= near->data_end)
		check = *(const __u16 *)(l4 + 6);
	else
		return false;
	return check == ox_near_pseudo(near, is_ip6);
}

/* Tells whether the checksum of the packet, which has no data, is that of all
 * of it. */
static __always_inline bool
ox_near_is_summed(const struct ox_near *near, bool is_ip6)
{
	const void *at = near->packet.l3 + ox_flow_l3_len(is_ip6);
	__u32 left = near->packet.len - ox_flow_l3_len(is_ip6);
	__u64 sum = ox_near_pseudo(near, is_ip6);
	int i;

	/* Headers are whole words, and no longer than this. */
	for (i = 0; i < OX_FLOW_MAX_WORDS && left; i++) {
		if (at + sizeof(__u32) > near->data_end)
			return false;
		sum += *(const __u32 *)at;
		at += sizeof(__u32);
		left -= sizeof(__u32);
	}
	return ox_near_fold(sum) == 0xffff;
}

/* Tells the daemon of a packet from the VM of 'port' with
 * ox_near_half_checksum(), if it is not so by chance; which is only found out
 * if there are no data in it. */
static __always_inline void
ox_near_say_half(const struct ox_near *near, struct ox_direct_port *port,
		 bool is_ip6)
{
	if (near->packet.len == near->packet.headers &&
	    !(port->seen & OX_DIRECT_SEEN_HALF_CHECKSUM) &&
	    !ox_near_is_summed(near, is_ip6))
		port->seen |= OX_DIRECT_SEEN_HALF_CHECKSUM;
}

/* Tells whether the packet of 'near' is a probe of the daemon, of the flow with
 * 'check'.  Programs on skbs see them, those in drivers do not. */
static __always_inline bool
ox_near_is_probe(const struct ox_near *near, __u32 check, bool is_ip6)
{
	const struct ox_direct_state *state;
	__u32 zero = 0;

	if (near->segment || !ox_flow_seems_probe(&near->packet, is_ip6))
		return false;
	state = bpf_map_lookup_elem(&direct_state, &zero);
	return state && ox_flow_has_number(
				&near->packet, near->data_end,
				ox_probe_number(state->secret, check), is_ip6);
}

/* Returns the port of 'addr'. */
static __always_inline struct ox_direct_port *
ox_direct_port(const struct ox_direct_addr *addr)
{
	__u32 index = addr->port;

	return bpf_map_lookup_elem(&direct_ports, &index);
}

/* Judges a packet from the VM of 'addr', apart from its flow. */
static __always_inline bool
ox_near_is_fair(const struct ox_near *near, const struct ox_direct_addr *addr,
		bool is_ip6, enum ox_reason *reason)
{
	struct ox_direct_port *port = ox_direct_port(addr);

	if (!port)
		return false;
	if (!ox_same_mac(near->data + ETH_ALEN, port->mac)) {
		*reason = OX_R_FLOW_MAC;
		return false;
	}
	if (near->xdp && ox_near_half_checksum(near, is_ip6)) {
		ox_near_say_half(near, port, is_ip6);
		*reason = OX_R_FLOW_HALF_CHECKSUM;
		return false;
	}
	return true;
}

/* Leaves the packet with 'key' to OVN for 'reason', and a note of it if OVN may
 * pass it.  Returns the reason to count. */
static __always_inline enum ox_reason
ox_near_leave(const struct ox_near *near, const union ox_flow_key *key,
	      enum ox_reason reason, bool is_ip6)
{
	const struct ox_direct_addr *addr = ox_near_address(near, is_ip6);

	if (!addr)
		return OX_FLOW_NONE;
	if (near->out && track)
		ox_sent_note_fit(&near->packet, key, addr->other, is_ip6);
	if (near->out ? !ox_near_is_fair(near, addr, is_ip6, &reason)
		      : ox_near_inside(near, is_ip6))
		return near->out ? reason : OX_FLOW_NONE;
	ox_near_note(near, key, is_ip6);
	return reason;
}

/* Notes that the packet with 'key', of a VM with layer L3, goes to OVN though it
 * is not in 'near' any more. */
static __always_inline void
ox_near_note_stale(const struct ox_near *near, const union ox_flow_key *key,
		   bool is_ip6)
{
	struct ox_direct_key at = { .ifindex = near->scope };
	const struct ox_direct_addr *addr;

	if (!near->out || !track)
		return;
	if (is_ip6)
		ox_copy_ip6(at.addr, key->six.saddr);
	else
		ox_flow_map4(at.addr, key->four.saddr);
	addr = ox_direct_find(&at);
	if (addr)
		ox_sent_note_fit(&near->packet, key, addr->other, is_ip6);
}

/* Leaves a packet to OVN that is not fit.  Returns the reason to count. */
static __always_inline enum ox_reason
ox_near_unfit(const struct ox_near *near, bool is_ip6)
{
	const struct ox_direct_addr *addr = ox_near_address(near, is_ip6);

	if (!addr)
		return OX_FLOW_NONE;
	if (near->out && track)
		ox_sent_note_unfit(near->packet.l3, near->data_end,
				   addr->other, is_ip6);
	return OX_R_FLOW_UNFIT;
}

/* Notes that what the VM sends with the IP packet in 'near' is missed. */
static __always_inline void
ox_near_miss(const struct ox_near *near, bool is_ip6)
{
	const struct ox_direct_addr *addr;

	if (near->packet.l3 + ox_flow_l3_len(is_ip6) > near->data_end)
		return;
	addr = ox_near_address(near, is_ip6);
	if (addr)
		ox_sent_miss_all(addr->other, is_ip6);
}

/* Leaves a frame of a VM to OVN that is no plain IP packet, but may have one in
 * it: what OVN makes of that is not known. */
static __always_inline void
ox_near_odd(struct ox_near *near)
{
	__be16 type;

	near->packet.l3 = ox_sent_find_l3(near->data, near->data_end, &type);
	if (!near->packet.l3)
		return;
	if (type == bpf_htons(ETH_P_IP))
		ox_near_miss(near, false);
	else if (type == bpf_htons(ETH_P_IPV6))
		ox_near_miss(near, true);
}

#endif /* bpf/flow-near.h */
