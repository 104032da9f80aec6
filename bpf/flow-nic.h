/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only) */
/* Layer L3 in the XDP program of a NIC, before layers L1 and L2.
 *
 * A routed NIC has flows without a tag, and those of no bridge.  A switched NIC
 * has those of its bridge, with the tag that they arrive with: one that lies in
 * the frame, or that the NIC has stripped and tells of.
 */
#ifndef BPF_FLOW_NIC_H
#define BPF_FLOW_NIC_H

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <stdbool.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "abi.h"
#include "count.h"
#include "decide.h"
#include "flow-near.h"
#include "flow-xdp.h"
#include "guard.h"
#include "maps.h"
#include "mode.h"
#include "tag.h"

/* Reads the tag of the frame in 'near', on a switched NIC, and stores in
 * '*type' what follows.  Returns false if the frame is no matter of layer
 * L3. */
static __always_inline bool
ox_direct_tag(const struct xdp_md *ctx, struct ox_near *near, __be16 *type)
{
	struct ox_rx_tag tag = { .proto = bpf_htons(ETH_P_8021Q) };
	const __be16 *word = near->data + 2 * ETH_ALEN;
	bool tagged = ox_tag_stripped(ctx, &tag);

	if (*type == bpf_htons(ETH_P_8021Q)) {
		if (tagged || (void *)(word + 3) > near->data_end)
			return false;
		tag.tci = bpf_ntohs(word[1]);
		*type = word[2];
		near->packet.l3 += OX_TAG_LEN;
		near->popped = true;
		tagged = true;
	}
	near->vlan = tag.tci & OX_VLAN_MASK;
	return !tagged || (near->vlan && tag.proto == bpf_htons(ETH_P_8021Q));
}

/* Tells whether layer L3 looks at the frames of 'nic' at all.  What the XDP
 * program leaves to TC is lost to layer L1, so there has to be somebody at
 * TC. */
static __always_inline bool
ox_direct_looks(const struct ox_nic *nic)
{
	return !direct_tc || OX_FLOW_READ(nic->flags) & OX_NIC_NEAR_TC;
}

/* Finds out where 'near' is, and stores in '*type' what it has behind its
 * Ethernet header and tag.  Returns false if it is no matter of layer L3. */
static __always_inline bool
ox_direct_place(const struct xdp_md *ctx, struct ox_near *near, __be16 *type,
		bool switched)
{
	const struct ox_nic *nic;
	struct ox_rx_tag tag;
	__u32 slot = nic_slot;

	nic = bpf_map_lookup_elem(&nics, &slot);
	if (!nic || !ox_direct_looks(nic) ||
	    near->data + ETH_HLEN > near->data_end)
		return false;
	*type = *(const __be16 *)(near->data + 2 * ETH_ALEN);
	near->packet.l3 = near->data + ETH_HLEN;
	if (!switched)
		return ox_same_mac(near->data, nic->mac) &&
		       !ox_tag_stripped(ctx, &tag);
	if (!nic->bridge)
		return false;
	near->scope = nic->bridge;
	/* What it sends to OVN comes by TC, which would take it off. */
	near->tc_asks = direct_tc;
	return ox_direct_tag(ctx, near, type);
}

/* Decides about 'near' if it holds a packet of 'type'.  Returns the reason to
 * count. */
static __always_inline enum ox_reason
ox_direct_packet(struct xdp_md *ctx, struct ox_near *near, __be16 type)
{
	if (type == bpf_htons(ETH_P_IP))
		return ox_near_xdp(ctx, near, true, false);
	if (type == bpf_htons(ETH_P_IPV6))
		return ox_near_xdp(ctx, near, true, true);
	return OX_FLOW_NONE;
}

/* Asks layer L3 about the frame, and counts its answer.  Stores the verdict in
 * '*verdict' and returns true if that is all; else stores in '*fresh' whether it
 * knows of no flow of a packet to an address of its. */
static __always_inline bool
ox_direct(struct xdp_md *ctx, bool switched, int *verdict, bool *fresh)
{
	struct ox_near near = {
		.data = (void *)(long)ctx->data,
		.data_end = (void *)(long)ctx->data_end,
		.len = bpf_xdp_get_buff_len(ctx),
		.xdp = true,
	};
	enum ox_reason reason;
	__be16 type;

	if (!ox_direct_place(ctx, &near, &type, switched))
		return false;
	reason = ox_direct_packet(ctx, &near, type);
	if (reason == OX_FLOW_NONE)
		return false;
	ox_count_reason(reason, near.len);
	*fresh = reason == OX_R_FLOW_NEW;
	*verdict = reason == OX_R_DIRECT ? XDP_REDIRECT : XDP_PASS;
	return ox_likely(reason == OX_R_DIRECT) || reason == OX_R_FLOW_TC;
}

/* Gives the verdict on a frame at a routed NIC.  'acl' is a constant: whether
 * layer L2 is asked. */
static __always_inline int
ox_direct_decide(struct xdp_md *ctx, bool acl)
{
	bool fresh = false;
	int verdict;

	if (ox_direct(ctx, false, &verdict, &fresh))
		return verdict;
	return ox_decide(ctx, stale_ns, acl, acl && fresh);
}

/* The same at a switched NIC, with layer L2. */
static __always_inline int
ox_direct_guard(struct xdp_md *ctx)
{
	bool fresh = false;
	int verdict;

	if (ox_direct(ctx, true, &verdict, &fresh))
		return verdict;
	return ox_guard(ctx, fresh);
}

/* The same without it. */
static __always_inline int
ox_direct_only(struct xdp_md *ctx)
{
	bool fresh = false;
	int verdict;

	if (ox_direct(ctx, true, &verdict, &fresh))
		return verdict;
	ox_count_reason(OX_R_GUARDED, bpf_xdp_get_buff_len(ctx));
	return XDP_PASS;
}

#endif /* bpf/flow-nic.h */
