/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only) */
/* Layer L2 on a switched NIC, a port of a provider bridge.  OVS has each frame
 * anyway, so that nothing is redirected or changed: a frame is dropped, or left
 * to the bridge.
 *
 * It is dropped only where acl.h is sure of it.  What that takes for granted
 * has another proof here than on a routed NIC, where layer L1 decides which
 * frames go to an endpoint; here the bridge and OVN do.  So a frame must be one
 * that they would bring to the very network and port that the rules were made
 * for (ox_guards()):
 *
 * - It arrives in the bridge of that network: the same address may be in
 *   another physical network, and others may have it there.  Bridges are told
 *   apart by the ifindex of their own device, which no two have at a time.
 * - It has the VLAN of that network, where OVN takes it out of the bridge: the
 *   tag that it has on the wire, and none other before or behind it.  Where OVS
 *   would give frames another VLAN than that, by a "tag" of the NIC's port, the
 *   daemon attaches no program.  A tag without a VLAN is left to OVS.
 * - Its destination MAC is the one that OVN has for the address.  With another
 *   MAC the same address may be behind a router, or somewhere else.
 *
 * What the bridge itself does with such a frame is taken for granted: that it
 * goes on to OVN, by NORMAL or as ovn-controller has it.  Flows that somebody
 * else has put into the bridge, and its mirrors, do not see what is dropped;
 * one that would send a frame elsewhere, or answer it, loses it.
 *
 * The IP header is judged as L1 would do it.  That the rules then see the
 * packet as on a routed NIC is no wonder: it enters OVN by the same port.
 * There is a hop less, so that even fewer packets are answered by OVN's router
 * than acl.h allows for.
 */
#ifndef BPF_GUARD_H
#define BPF_GUARD_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "abi.h"
#include "acl.h"
#include "count.h"
#include "endpoint.h"
#include "maps.h"
#include "parse.h"
#include "rewrite.h"
#include "tag.h"

/* Takes the tag off 'frame' that lies in it, for all that reads it from now on,
 * and stores it in 'tag'.  False if it is not whole. */
static __always_inline bool
ox_guard_untag(struct ox_frame *frame, struct ox_rx_tag *tag)
{
	if (frame->data + ETH_HLEN + OX_TAG_LEN > frame->data_end)
		return false;
	tag->proto = bpf_htons(ETH_P_8021Q);
	tag->tci = bpf_ntohs(*(const __be16 *)(frame->data + ETH_HLEN));
	frame->data += OX_TAG_LEN;
	frame->len -= OX_TAG_LEN;
	return true;
}

/* Reads the Ethernet header and the VLAN tag of 'frame', and stores the VLAN in
 * '*vlan', 0 if there is no tag.  Going on means IPv4 or IPv6, with at most one
 * tag.  From then on the frame is as if it had never had it. */
static __always_inline enum ox_reason
ox_guard_parse(const struct xdp_md *ctx, struct ox_frame *frame, __u16 *vlan)
{
	struct ox_rx_tag tag = {};
	bool tagged;

	if (frame->data + ETH_HLEN > frame->data_end)
		return OX_R_TRUNCATED;
	tagged = ox_tag_stripped(ctx, &tag);
	if (!tagged && ox_eth_type(frame) == bpf_htons(ETH_P_8021Q)) {
		tagged = ox_guard_untag(frame, &tag);
		if (!tagged)
			return OX_R_TRUNCATED;
	}
	*vlan = tag.tci & OX_VLAN_MASK;
	if (tagged && (tag.proto != bpf_htons(ETH_P_8021Q) || !*vlan))
		return OX_R_GUARDED;
	switch (ox_eth_type(frame)) {
	case bpf_htons(ETH_P_IP):
	case bpf_htons(ETH_P_IPV6):
		return OX_GO_ON;
	case bpf_htons(ETH_P_8021Q):
	case bpf_htons(ETH_P_8021AD):
		return OX_R_GUARDED;
	default:
		return OX_R_NOT_IP;
	}
}

/* Tells whether the bridge of 'nic' and OVN bring a frame with VLAN 'vlan' to
 * 'dmac' to the port that the rules of 'endpoint' are for. */
static __always_inline bool
ox_guards(const struct ox_nic *nic, const struct ox_endpoint *endpoint,
	  const void *dmac, __u16 vlan)
{
	return nic->bridge && endpoint->bridge == nic->bridge &&
	       endpoint->vlan == vlan && ox_same_mac(dmac, endpoint->dmac);
}

/* Decides about the packet of 'proto' in 'frame', which had 'len' bytes when it
 * arrived at 'nic' for 'dmac', with VLAN 'vlan'. */
static __always_inline enum ox_reason
ox_guard_packet(const struct ox_nic *nic, const struct ox_frame *frame,
		const void *dmac, __u16 vlan, __be16 proto, __u32 len)
{
	bool is_ip4 = proto == bpf_htons(ETH_P_IP);
	void *l3 = frame->data + ETH_HLEN;
	const struct ox_endpoint *endpoint;
	enum ox_reason reason;
	__u32 l3_len;

	reason = is_ip4 ? ox_parse_ip4(frame) : ox_parse_ip6(frame);
	if (reason != OX_GO_ON)
		return reason;
	endpoint = is_ip4 ? ox_find_ip4(((struct iphdr *)l3)->daddr)
			  : ox_find_ip6(&((struct ipv6hdr *)l3)->daddr);
	if (!endpoint)
		return OX_R_NOT_LOCAL;
	if (!ox_guards(nic, endpoint, dmac, vlan))
		return OX_R_GUARDED;
	reason = is_ip4 ? ox_judge_ip4(frame, &l3_len)
			: ox_judge_ip6(frame, &l3_len);
	if (reason != OX_GO_ON)
		return reason;
	/* Which looks at the endpoint's address again, after all else of it:
	 * see struct ox_endpoint. */
	if (ox_acl_refuses(frame, endpoint, l3, len, proto))
		return OX_R_ACL_DROP;
	return OX_R_GUARDED;
}

/* Decides about 'frame'. */
static __always_inline enum ox_reason
ox_guard_judge(const struct xdp_md *ctx, struct ox_frame *frame)
{
	const void *dmac = frame->data;
	__u32 len = frame->len, slot = nic_slot;
	const struct ox_nic *nic;
	enum ox_reason reason;
	__u16 vlan;

	nic = bpf_map_lookup_elem(&nics, &slot);
	/* Cannot be, but the verifier does not know. */
	if (!nic)
		return OX_R_GUARDED;
	reason = ox_guard_parse(ctx, frame, &vlan);
	if (reason != OX_GO_ON)
		return reason;
	return ox_eth_type(frame) == bpf_htons(ETH_P_IP)
	       ? ox_guard_packet(nic, frame, dmac, vlan, bpf_htons(ETH_P_IP),
				 len)
	       : ox_guard_packet(nic, frame, dmac, vlan, bpf_htons(ETH_P_IPV6),
				 len);
}

/* Gives the verdict on a frame at a switched NIC, and counts it.  'fresh': see
 * struct ox_frame; without layer L3 it is a constant. */
static __always_inline int
ox_guard(struct xdp_md *ctx, bool fresh)
{
	struct ox_frame frame = {
		.data = (void *)(long)ctx->data,
		.data_end = (void *)(long)ctx->data_end,
		.len = bpf_xdp_get_buff_len(ctx),
		.acl = true,
		.fresh = fresh,
	};
	__u32 len = frame.len;
	enum ox_reason reason;

	reason = ox_guard_judge(ctx, &frame);
	ox_count_reason(reason, len);
	return reason == OX_R_ACL_DROP ? XDP_DROP : XDP_PASS;
}

#endif /* bpf/guard.h */
