/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only) */
/* The verdict on a frame, for the programs of a routed NIC (ovn-xdp.bpf.c,
 * hint.bpf.c): what a frame is (parse.h), where it goes (redirect.h) and how it
 * is counted (count.h) have headers of their own.
 */
#ifndef BPF_DECIDE_H
#define BPF_DECIDE_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>

#include "abi.h"
#include "count.h"
#include "maps.h"
#include "parse.h"
#include "redirect.h"
#include "tag.h"

/* Decides about 'frame'. */
static __always_inline enum ox_reason
ox_judge(struct xdp_md *ctx, struct ox_frame *frame)
{
	const struct ox_nic *nic;
	enum ox_reason reason;
	__u32 slot = nic_slot;
	struct ox_rx_tag tag;

	nic = bpf_map_lookup_elem(&nics, &slot);
	/* Cannot be, but the verifier does not know. */
	if (!nic)
		return OX_R_FOREIGN_MAC;
	reason = ox_parse_eth(frame, nic->mac);
	if (reason != OX_GO_ON)
		return reason;
	if (ox_tag_stripped(ctx, &tag))
		return OX_R_TAGGED;
	return ox_eth_type(frame) == bpf_htons(ETH_P_IP)
	       ? ox_redirect_ip4(ctx, frame)
	       : ox_redirect_ip6(ctx, frame);
}

/* Gives the verdict on a frame, and counts it.  'timed' is a constant: whether
 * only a young heartbeat lets a frame be redirected; and so is 'acl': whether
 * layer L2 is asked; and without layer L3 so is 'fresh': see struct ox_frame.
 * They are no variables for the verifier, like others, as the compiler would
 * keep registers free for the question, which costs more than one would
 * think. */
static __always_inline int
ox_decide(struct xdp_md *ctx, bool timed, bool acl, bool fresh)
{
	struct ox_frame frame = {
		.data = (void *)(long)ctx->data,
		.data_end = (void *)(long)ctx->data_end,
		.len = bpf_xdp_get_buff_len(ctx),
		.timed = timed,
		.acl = acl,
		.fresh = fresh,
	};
	enum ox_reason reason;

	reason = ox_judge(ctx, &frame);
	ox_count_reason(reason, frame.len);
	if (acl && reason == OX_R_ACL_DROP)
		return XDP_DROP;
	return reason == OX_R_REDIRECTED ? XDP_REDIRECT : XDP_PASS;
}

#endif /* bpf/decide.h */
