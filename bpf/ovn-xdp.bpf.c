/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only) */
/* The program of a routed NIC.  Only the entry is here: what a frame is
 * (parse.h), where it goes (redirect.h) and how it is counted (count.h) have
 * headers of their own.
 */
#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>

#include "abi.h"
#include "count.h"
#include "maps.h"
#include "parse.h"
#include "redirect.h"

extern int bpf_xdp_metadata_rx_vlan_tag(const struct xdp_md *ctx,
					__be16 *vlan_proto,
					__u16 *vlan_tci) __ksym __weak;

/* Tells whether the NIC has stripped a VLAN tag from the frame. */
static __always_inline bool
tag_stripped(const struct xdp_md *ctx)
{
	__be16 proto;
	__u16 tci;

	return !bpf_xdp_metadata_rx_vlan_tag(ctx, &proto, &tci);
}

/* Decides about 'frame', with the driver's 'tag_hint' if there is one. */
static __always_inline enum ox_reason
judge(struct xdp_md *ctx, struct ox_frame *frame, bool tag_hint)
{
	const struct ox_nic *nic;
	enum ox_reason reason;
	__u32 slot = nic_slot;

	nic = bpf_map_lookup_elem(&nics, &slot);
	/* Cannot be, but the verifier does not know. */
	if (!nic)
		return OX_R_FOREIGN_MAC;
	reason = ox_parse_eth(frame, nic->mac);
	if (reason != OX_GO_ON)
		return reason;
	if (tag_hint && tag_stripped(ctx))
		return OX_R_TAGGED;
	return ox_eth_type(frame) == bpf_htons(ETH_P_IP)
	       ? ox_redirect_ip4(ctx, frame)
	       : ox_redirect_ip6(ctx, frame);
}

/* Gives the verdict on a frame, and counts it. */
static __always_inline int
decide(struct xdp_md *ctx, bool tag_hint)
{
	struct ox_frame frame = {
		.data = (void *)(long)ctx->data,
		.data_end = (void *)(long)ctx->data_end,
		.len = bpf_xdp_get_buff_len(ctx),
	};
	enum ox_reason reason;

	reason = judge(ctx, &frame, tag_hint);
	ox_count_reason(reason, frame.len);
	return reason == OX_R_REDIRECTED ? XDP_REDIRECT : XDP_PASS;
}

/* Redirects the frames of local endpoints and passes all others. */
SEC("xdp.frags")
int nic_redirect(struct xdp_md *ctx)
{
	return decide(ctx, false);
}

/* The same for a NIC that strips VLAN tags and whose driver tells them.  It is
 * a program of its own because the kernel takes the hint's function only in a
 * program that is bound to a device, wherever it is called; and it is not
 * loaded unless user space asks for it. */
SEC("?xdp.frags")
int nic_redirect_hint(struct xdp_md *ctx)
{
	return decide(ctx, true);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
