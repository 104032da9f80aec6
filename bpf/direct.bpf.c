/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only) */
/* The programs of layer L3 but those of a NIC's XDP hook (ovn-xdp.bpf.c,
 * hint.bpf.c).  Only the entries are here, and what they know of their device.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <stdbool.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "abi.h"
#include "count.h"
#include "flow-far.h"
#include "flow-maps.h"
#include "flow-near.h"
#include "flow-tc.h"
#include "flow-xdp.h"
#include "maps.h"

/* Takes packets of VMs off their taps. */
SEC("xdp.frags")
int vm_near(struct xdp_md *ctx)
{
	struct ox_near near = {
		.data = (void *)(long)ctx->data,
		.data_end = (void *)(long)ctx->data_end,
		.len = bpf_xdp_get_buff_len(ctx),
		.scope = ctx->ingress_ifindex,
		.out = true,
		.xdp = true,
	};
	enum ox_reason reason = OX_FLOW_NONE;
	__be16 type;

	near.packet.l3 = near.data + ETH_HLEN;
	if (near.packet.l3 > near.data_end)
		return XDP_PASS;
	type = *(const __be16 *)(near.data + 2 * ETH_ALEN);
	if (type == bpf_htons(ETH_P_IP))
		reason = ox_near_xdp(ctx, &near, false, false);
	else if (type == bpf_htons(ETH_P_IPV6))
		reason = ox_near_xdp(ctx, &near, false, true);
	else if (track)
		ox_near_odd(&near);
	if (reason != OX_FLOW_NONE)
		ox_direct_count(OX_DIRECT_NEAR_VM, reason, near.len);
	return reason == OX_R_DIRECT ? XDP_REDIRECT : XDP_PASS;
}

/* The same for TC ingress of a tap. */
SEC("tc")
int vm_near_tc(struct __sk_buff *skb)
{
	struct ox_near near = { .scope = skb->ifindex, .out = true };

	if (!skb->vlan_present)
		return ox_tc_near(skb, &near, OX_DIRECT_NEAR_VM);
	if (track && ox_tc_read(skb, &near))
		ox_near_odd(&near);
	return TC_ACT_UNSPEC;
}

/* Takes packets to VMs off a NIC, at TC ingress.  One that is routed has only
 * those that are sent to itself. */
SEC("tc")
int nic_near_tc(struct __sk_buff *skb)
{
	const struct ox_nic *nic;
	__u32 slot = nic_slot;
	struct ox_near near = {};
	void *data;

	nic = bpf_map_lookup_elem(&nics, &slot);
	/* Cannot be, but the verifier does not know. */
	if (!nic)
		return TC_ACT_UNSPEC;
	near.scope = nic->bridge;
	data = (void *)(long)skb->data;
	if (!nic->bridge && (data + ETH_HLEN > (void *)(long)skb->data_end ||
			     !ox_same_mac(data, nic->mac)))
		return TC_ACT_UNSPEC;
	return ox_tc_near(skb, &near, OX_DIRECT_NEAR_NIC);
}

/* Sees what OVN has delivered to a VM, at TC egress of its tap. */
SEC("tc")
int vm_far(struct __sk_buff *skb)
{
	return ox_far(skb, OX_DIRECT_FAR_VM, false);
}

/* Sees what OVN and the host have sent out, at TC egress of a NIC. */
SEC("tc")
int nic_far(struct __sk_buff *skb)
{
	return ox_far(skb, OX_DIRECT_FAR_NIC, true);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
