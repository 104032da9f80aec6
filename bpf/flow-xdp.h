/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only) */
/* The near side of layer L3 at an XDP hook, of a NIC or of a tap.
 */
#ifndef BPF_FLOW_XDP_H
#define BPF_FLOW_XDP_H

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <stdbool.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "abi.h"
#include "flow-near.h"
#include "flow.h"
#include "rewrite.h"

/* What is still needed of struct ox_flow when a packet is rewritten. */
struct ox_flow_way {
	struct ox_macs macs;	/* Destination and source MAC. */
	__u64 nat[2];		/* Address, IPv4 in the first half of the
				 * first. */
	__u16 vlan;		/* Tag to push, or 0. */
	__u16 csum;		/* As in struct ox_flow. */
	__u8 aging;		/* Likewise. */
};

/* Adds 'add' to what 'check' is the complement of. */
static __always_inline void
ox_flow_add(__u16 *check, __u16 add)
{
	__u32 sum = (__u16)~*check + add;

	*check = ~(sum + (sum >> 16));
}

/* Corrects the checksum of the transport header of 'proto' at 'l4' by 'add'.
 * False if it is not there, which only the verifier thinks. */
static __always_inline bool
ox_flow_add_l4(void *l4, const void *data_end, __u8 proto, __u16 add)
{
	__u16 *check;

	if (proto == IPPROTO_TCP) {
		if (l4 + OX_FLOW_TCP_LEN > data_end)
			return false;
		ox_flow_add(l4 + 16, add);
		return true;
	}
	if (l4 + OX_FLOW_L4_LEN > data_end)
		return false;
	if (proto == IPPROTO_ICMPV6) {
		ox_flow_add(l4 + 2, add);
	} else if (proto == IPPROTO_UDP) {
		check = l4 + 6;
		/* 0 means that there is none. */
		if (*check) {
			ox_flow_add(check, add);
			if (!*check)
				*check = 0xffff;
		}
	}
	return true;
}

/* Writes what of 'way' concerns the IPv4 header at 'ip'. */
static __always_inline void
ox_flow_write_ip4(struct iphdr *ip, const struct ox_flow_way *way, bool out)
{
	__u32 add = way->csum + (__u16)~bpf_htons(way->aging << 8);
	__be32 *addr = out ? &ip->saddr : &ip->daddr;

	*addr = *(const __be32 *)way->nat;
	ip->ttl -= way->aging;
	ox_flow_add(&ip->check, add + (add >> 16));
}

/* The same for IPv6. */
static __always_inline void
ox_flow_write_ip6(struct ipv6hdr *ip6, const struct ox_flow_way *way, bool out)
{
	ox_word64 *addr = (void *)(out ? &ip6->saddr : &ip6->daddr);

	addr[0] = way->nat[0];
	addr[1] = way->nat[1];
	ip6->hop_limit -= way->aging;
}

/* Writes what of 'way' concerns the packet of 'proto' at 'l3'. */
static __always_inline bool
ox_flow_write_l3(void *l3, const void *data_end, const struct ox_flow_way *way,
		 __u8 proto, bool out, bool is_ip6)
{
	void *l4 = l3 + ox_flow_l3_len(is_ip6);

	if (l4 > data_end)
		return false;
	if (is_ip6)
		ox_flow_write_ip6(l3, way, out);
	else
		ox_flow_write_ip4(l3, way, out);
	return ox_flow_add_l4(l4, data_end, proto, way->csum);
}

/* Reads what is to be done with a packet of 'flow', and the head after all
 * else.  Returns whether it is still the one that the packet was judged by,
 * 'head', with 'check'.  What goes to a VM ('out' is a constant) has no tag. */
static __always_inline bool
ox_flow_read_way(struct ox_flow_way *way, const struct ox_flow *flow,
		 __u64 head, __u32 check, bool out, bool is_ip6)
{
	ox_read_macs(&way->macs, flow->macs);
	way->vlan = out ? flow->vlan : 0;
	way->csum = flow->csum;
	way->aging = flow->aging;
	if (is_ip6) {
		way->nat[0] = *(const ox_word64 *)flow->nat;
		way->nat[1] = *(const ox_word64 *)(flow->nat + 8);
	} else {
		*(ox_word32 *)way->nat = *(const ox_word32 *)flow->nat;
	}
	ox_barrier();
	return (__u32)head == check && OX_FLOW_READ(flow->head) == head;
}

/* Makes a short frame of a VM as long as NICs take them: most drivers do not
 * pad what XDP redirects.  The kernel zeroes what it adds.  Returns false if
 * there is no room, with the frame as it was. */
static __always_inline bool
ox_near_pad(struct xdp_md *ctx, struct ox_near *near)
{
	if (!near->out || generic || near->len >= ETH_ZLEN)
		return true;
	near->stale = true;
	if (bpf_xdp_adjust_tail(ctx, ETH_ZLEN - near->len))
		return false;
	near->data = (void *)(long)ctx->data;
	near->data_end = (void *)(long)ctx->data_end;
	return true;
}

/* Rewrites the frame of 'near' for its 'way'.  If there is no room for a tag,
 * it stays as it was. */
static __always_inline bool
ox_near_rewrite(struct xdp_md *ctx, const struct ox_near *near,
		const struct ox_flow_way *way, bool is_ip6)
{
	int grow = (way->vlan ? OX_TAG_LEN : 0) - (near->popped ? OX_TAG_LEN
							      : 0);
	void *data = near->data, *data_end = near->data_end;
	__u8 proto = near->packet.proto;

	if (grow) {
		if (bpf_xdp_adjust_head(ctx, -grow))
			return false;
		data = (void *)(long)ctx->data;
		data_end = (void *)(long)ctx->data_end;
	}
	if (way->vlan) {
		if (!ox_flow_write_l3(data + ETH_HLEN + OX_TAG_LEN, data_end,
				      way, proto, near->out, is_ip6))
			return false;
		ox_write_tagged(data, &way->macs, way->vlan);
		return true;
	}
	if (!ox_flow_write_l3(data + ETH_HLEN, data_end, way, proto, near->out,
			      is_ip6))
		return false;
	ox_write_macs(data, &way->macs);
	return true;
}

/* Takes the packet off, as one of 'flow' that was judged by 'head' of it.  The
 * device is claimed before anything is changed, so that a missing one leaves
 * the frame as it was. */
static __always_inline enum ox_reason
ox_near_take(struct xdp_md *ctx, struct ox_near *near,
	     const struct ox_flow *flow, __u64 head, __u32 check, bool is_ip6)
{
	struct ox_flow_way way;

	if (bpf_redirect_map(&direct_devices, flow->ifindex, XDP_PASS) !=
	    XDP_REDIRECT)
		return OX_R_FLOW_TARGET;
	if (!ox_flow_read_way(&way, flow, head, check, near->out, is_ip6))
		return OX_R_FLOW_CHANGED;
	if (!ox_near_pad(ctx, near))
		return OX_R_FLOW_MTU;
	if (!ox_near_rewrite(ctx, near, &way, is_ip6))
		return OX_R_NO_HEADROOM;
	return OX_R_DIRECT;
}

/* Decides about the packet of 'flow', whose key has 'check'.  'leave' is a
 * constant: what could be taken off is left to the TC program if there is to be
 * one. */
static __always_inline enum ox_reason
ox_near_flow(struct xdp_md *ctx, struct ox_near *near,
	     struct ox_flow *flow, __u32 check, bool leave, bool is_ip6)
{
	__u64 head = OX_FLOW_READ(flow->head);
	struct ox_direct_port *port;
	__u32 now = ox_ticks();
	enum ox_reason reason;
	__u32 index;

	ox_barrier();
	index = flow->port;
	port = bpf_map_lookup_elem(&direct_ports, &index);
	if (!ox_likely(port))
		return OX_R_FLOW_VOID;
	reason = ox_near_judge(near, flow, port, now, is_ip6);
	if (!ox_likely(reason == OX_R_DIRECT))
		return reason;
	if (leave && direct_tc)
		return OX_R_FLOW_TC;
	if (near->out && ox_near_half_checksum(near, is_ip6))
		return OX_R_FLOW_HALF_CHECKSUM;
	reason = ox_near_take(ctx, near, flow, head, check, is_ip6);
	if (reason == OX_R_DIRECT)
		ox_near_count(near, flow, port, now);
	return reason;
}

/* Decides about the IP packet in 'near'.  Returns the reason to count. */
static __always_inline enum ox_reason
ox_near_xdp(struct xdp_md *ctx, struct ox_near *near, bool leave, bool is_ip6)
{
	enum ox_reason reason = OX_R_FLOW_NEW;
	union ox_flow_key key;
	struct ox_flow *flow;
	__u32 check;
	bool fit;

	if (!ox_near_read(near, &fit, is_ip6))
		return OX_FLOW_NONE;
	if (!ox_likely(fit))
		return ox_near_unfit(near, is_ip6);
	if (near->scope && !near->out)
		near->ifindex = ctx->ingress_ifindex;
	ox_flow_make_key(&key, &near->packet, near->vlan, near->scope, is_ip6);
	check = ox_flow_check(&key, is_ip6);
	if (generic && ox_near_is_probe(near, check, is_ip6))
		return OX_FLOW_NONE;
	flow = ox_flow_find(&key, is_ip6);
	if (ox_likely(flow)) {
		reason = ox_near_flow(ctx, near, flow, check, leave, is_ip6);
		if (ox_likely(reason == OX_R_DIRECT) || reason == OX_R_FLOW_TC)
			return reason;
		if (reason == OX_R_NO_HEADROOM || near->stale) {
			ox_near_note_stale(near, &key, is_ip6);
			return reason;
		}
	}
	near->ifindex = ctx->ingress_ifindex;
	return ox_near_leave(near, &key, reason, is_ip6);
}

#endif /* bpf/flow-xdp.h */
