/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only) */
/* The near side of layer L3 at TC ingress, of a NIC or of a tap.
 *
 * A frame may hold several segments (GSO), and its checksum may be only half
 * computed: the helpers of the kernel know, and the device that it leaves by
 * does the rest.  Who redirects here is not told that the device is gone, and so
 * asks before.
 */
#ifndef BPF_FLOW_TC_H
#define BPF_FLOW_TC_H

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/pkt_cls.h>
#include <stdbool.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "abi.h"
#include "flow-near.h"
#include "flow-xdp.h"
#include "flow.h"
#include "tag.h"

/* Bytes of a frame that are read: the longest headers. */
#define OX_TC_HEADERS (ETH_HLEN + 40 + 60)

#define OX_ENODEV 19

/* Corrects the checksum of the transport header of 'proto'. */
static __always_inline bool
ox_tc_add_l4(struct __sk_buff *skb, __u8 proto, __u16 csum, bool is_ip6)
{
	__u32 offset = ETH_HLEN + ox_flow_l3_len(is_ip6) +
		       ox_flow_check_offset(proto);
	__u64 flags = BPF_F_PSEUDO_HDR;

	if (proto == IPPROTO_ICMP)
		return true;
	if (proto == IPPROTO_UDP)
		flags |= BPF_F_MARK_MANGLED_0;
	return !bpf_l4_csum_replace(skb, offset, 0, csum, flags);
}

/* Rewrites the packet of 'proto' for its 'way'.  False: it is spoilt. */
static __always_inline bool
ox_tc_rewrite(struct __sk_buff *skb, const struct ox_flow_way *way, __u8 proto,
	      bool out, bool is_ip6)
{
	void *data, *l3;

	if (way->csum && !ox_tc_add_l4(skb, proto, way->csum, is_ip6))
		return false;
	data = (void *)(long)skb->data;
	l3 = data + ETH_HLEN;
	if (l3 + ox_flow_l3_len(is_ip6) > (void *)(long)skb->data_end)
		return false;
	ox_write_macs(data, &way->macs);
	if (is_ip6)
		ox_flow_write_ip6(l3, way, out);
	else
		ox_flow_write_ip4(l3, way, out);
	if (skb->vlan_present && bpf_skb_vlan_pop(skb))
		return false;
	return !way->vlan ||
	       !bpf_skb_vlan_push(skb, bpf_htons(ETH_P_8021Q), way->vlan);
}

/* Tells whether there is a device 'ifindex'. */
static __always_inline bool
ox_tc_has_device(struct __sk_buff *skb, __u32 ifindex)
{
	__u32 mtu = 0;

	return bpf_check_mtu(skb, ifindex, &mtu, 0, 0) != -OX_ENODEV;
}

/* Sends the packet, which is rewritten, to 'ifindex'. */
static __always_inline int
ox_tc_send(struct __sk_buff *skb, __u32 ifindex)
{
	/* No store of both, which the verifier refuses. */
	*(volatile __u32 *)&skb->cb[0] = OX_DIRECT_CB0;
	*(volatile __u32 *)&skb->cb[1] = OX_DIRECT_CB1;
	return bpf_redirect(ifindex, 0);
}

/* Decides about the packet of 'flow', which has 'key'; stores in '*verdict' what
 * becomes of it if it is taken off. */
static __always_inline enum ox_reason
ox_tc_flow(struct __sk_buff *skb, const struct ox_near *near,
	   struct ox_flow *flow, const union ox_flow_key *key, int *verdict,
	   bool is_ip6)
{
	__u64 head = OX_FLOW_READ(flow->head);
	__u32 check = ox_flow_check(key, is_ip6);
	struct ox_direct_port *port;
	struct ox_flow_way way;
	__u32 now = ox_ticks();
	enum ox_reason reason;
	__u32 index, ifindex;

	ox_barrier();
	index = flow->port;
	port = bpf_map_lookup_elem(&direct_ports, &index);
	if (!port)
		return OX_R_FLOW_VOID;
	if (ox_near_is_probe(near, check, is_ip6))
		return OX_FLOW_NONE;
	reason = ox_near_judge(near, flow, port, now, is_ip6);
	if (reason != OX_R_DIRECT)
		return reason;
	ifindex = flow->ifindex;
	if (!ox_tc_has_device(skb, ifindex))
		return OX_R_FLOW_TARGET;
	if (!ox_flow_read_way(&way, flow, head, check, near->out, is_ip6))
		return OX_R_FLOW_CHANGED;
	ox_near_count(near, flow, port, now);
	*verdict = ox_tc_rewrite(skb, &way, near->packet.proto, near->out,
				 is_ip6)
		   ? ox_tc_send(skb, ifindex) : TC_ACT_SHOT;
	return OX_R_DIRECT;
}

/* Decides about the IP packet in 'near'.  Returns the reason to count. */
static __always_inline enum ox_reason
ox_tc_packet(struct __sk_buff *skb, struct ox_near *near, int *verdict,
	     bool is_ip6)
{
	enum ox_reason reason = OX_R_FLOW_NEW;
	union ox_flow_key key;
	struct ox_flow *flow;
	bool fit;

	if (!ox_near_read(near, &fit, is_ip6))
		return OX_FLOW_NONE;
	if (!fit)
		return ox_near_unfit(near, is_ip6);
	near->ifindex = skb->ifindex;
	ox_flow_make_key(&key, &near->packet, near->vlan, near->scope, is_ip6);
	flow = ox_flow_find(&key, is_ip6);
	if (flow) {
		reason = ox_tc_flow(skb, near, flow, &key, verdict, is_ip6);
		if (reason == OX_R_DIRECT || reason == OX_FLOW_NONE)
			return reason;
	}
	return ox_near_leave(near, &key, reason, is_ip6);
}

/* Makes sure that the headers can be read, and finds them. */
static __always_inline bool
ox_tc_read(struct __sk_buff *skb, struct ox_near *near)
{
	__u32 len = skb->len < OX_TC_HEADERS ? skb->len : OX_TC_HEADERS;

	if ((void *)(long)skb->data + len > (void *)(long)skb->data_end &&
	    bpf_skb_pull_data(skb, len))
		return false;
	near->data = (void *)(long)skb->data;
	near->data_end = (void *)(long)skb->data_end;
	near->packet.l3 = near->data + ETH_HLEN;
	near->len = skb->len;
	near->segment = skb->gso_size;
	return near->packet.l3 <= near->data_end;
}

/* Reads the tag of the frame.  Returns false if the frame is no matter of layer
 * L3. */
static __always_inline bool
ox_tc_tag(const struct __sk_buff *skb, struct ox_near *near)
{
	if (!skb->vlan_present)
		return true;
	near->vlan = skb->vlan_tci & OX_VLAN_MASK;
	return near->vlan && skb->vlan_proto == bpf_htons(ETH_P_8021Q);
}

/* Decides about the frame of 'near', whose side has 'row' of
 * 'direct_reasons'. */
static __always_inline int
ox_tc_near(struct __sk_buff *skb, struct ox_near *near, __u32 row)
{
	enum ox_reason reason = OX_FLOW_NONE;
	int verdict = TC_ACT_UNSPEC;
	__be16 type;

	if (!ox_tc_tag(skb, near) || !ox_tc_read(skb, near))
		return verdict;
	type = *(const __be16 *)(near->data + 2 * ETH_ALEN);
	if (type == bpf_htons(ETH_P_IP))
		reason = ox_tc_packet(skb, near, &verdict, false);
	else if (type == bpf_htons(ETH_P_IPV6))
		reason = ox_tc_packet(skb, near, &verdict, true);
	else if (near->out && track)
		ox_near_odd(near);
	if (reason != OX_FLOW_NONE)
		ox_direct_count(row, reason, near->len);
	return verdict;
}

#endif /* bpf/flow-tc.h */
