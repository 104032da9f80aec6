/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only) */
/* Layer L1: finds the endpoint that a frame goes to, decides whether the
 * target can take the frame, and only then rewrites it.
 *
 * Whatever is not redirected passes, and passes untouched; but layer L2
 * (acl.h), which is asked about what would be redirected, may drop it.
 */
#ifndef BPF_REDIRECT_H
#define BPF_REDIRECT_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>

#include "abi.h"
#include "acl.h"
#include "count.h"
#include "endpoint.h"
#include "maps.h"
#include "mode.h"
#include "parse.h"
#include "rewrite.h"

/* What is still needed of struct ox_endpoint when a frame is rewritten. */
struct ox_way {
	struct ox_macs macs;	/* Destination and source MAC. */
	__u16 vlan;		/* Tag to push, or 0. */
	__u32 slot;		/* Index in 'endpoint_stats'. */
};

/* Judges whether the target of 'endpoint' can take 'frame', which holds a
 * packet of 'l3_len' bytes.  A device loses without a trace what is too long
 * for it: the kernel compares whole frames, padding and all, and allows for
 * one tag. */
static __always_inline enum ox_reason
ox_judge_target(const struct ox_frame *frame,
		const struct ox_endpoint *endpoint, __u32 l3_len)
{
	__u32 tag_len = endpoint->vlan ? OX_TAG_LEN : 0;
	__u32 mtu = endpoint->mtu;

	if (l3_len > mtu || frame->len + tag_len > mtu + ETH_HLEN + OX_TAG_LEN)
		return OX_R_EXCEEDS_MTU;
	if (frame->len > frame->data_end - frame->data &&
	    !generic && !(endpoint->flags & OX_EP_TARGET_SG))
		return OX_R_MULTI_BUFFER;
	return OX_GO_ON;
}

/* Claims the target of 'endpoint' for the packet of 'proto' in 'frame', and
 * copies to 'way' what is to be done.  The endpoint's address is looked at
 * after everything else: see struct ox_endpoint. */
static __always_inline enum ox_reason
ox_claim(const struct ox_frame *frame, const struct ox_endpoint *endpoint,
	 __be16 proto, struct ox_way *way)
{
	if (bpf_redirect_map(&targets, endpoint->ifindex, XDP_PASS) !=
	    XDP_REDIRECT)
		return OX_R_TARGET_GONE;
	ox_read_macs(&way->macs, endpoint->dmac);
	way->vlan = endpoint->vlan;
	way->slot = endpoint->slot;
	ox_barrier();
	if (!ox_is_endpoint(endpoint, frame->data + ETH_HLEN, proto))
		return OX_R_CHANGED;
	return OX_GO_ON;
}

/* Makes room for a VLAN tag in front of 'frame', whose new place is stored. */
static __always_inline enum ox_reason
ox_grow(struct xdp_md *ctx, struct ox_frame *frame)
{
	if (bpf_xdp_adjust_head(ctx, -OX_TAG_LEN))
		return OX_R_NO_HEADROOM;
	frame->data = (void *)(long)ctx->data;
	frame->data_end = (void *)(long)ctx->data_end;
	return OX_GO_ON;
}

/* Ages the packet of 'proto', an Ethernet type, at 'l3'.  False if it is not
 * there; since it was there before, that only satisfies the verifier. */
static __always_inline int
ox_age(void *l3, const void *data_end, __be16 proto)
{
	if (proto == bpf_htons(ETH_P_IP)) {
		if (l3 + sizeof(struct iphdr) > data_end)
			return 0;
		ox_age_ip4(l3);
	} else {
		if (l3 + sizeof(struct ipv6hdr) > data_end)
			return 0;
		ox_age_ip6(l3);
	}
	return 1;
}

/* Rewrites 'frame', a packet of 'proto', for its 'way'.  If that cannot be
 * done, the frame is as it was. */
static __always_inline enum ox_reason
ox_rewrite(struct xdp_md *ctx, struct ox_frame *frame,
	   const struct ox_way *way, __be16 proto)
{
	enum ox_reason reason;

	if (!way->vlan) {
		ox_write_macs(frame->data, &way->macs);
		ox_age(frame->data + ETH_HLEN, frame->data_end, proto);
		return OX_R_REDIRECTED;
	}
	reason = ox_grow(ctx, frame);
	if (reason != OX_GO_ON)
		return reason;
	if (!ox_age(frame->data + ETH_HLEN + OX_TAG_LEN, frame->data_end,
		    proto))
		return OX_R_TRUNCATED;
	ox_write_tagged(frame->data, &way->macs, way->vlan);
	return OX_R_REDIRECTED;
}

/* Decides about the packet of 'proto' in 'frame', which ox_parse_ip4() or
 * ox_parse_ip6() has found.  The target is claimed before anything is changed,
 * so that a missing one leaves the frame as it was. */
static __always_inline enum ox_reason
ox_redirect(struct xdp_md *ctx, struct ox_frame *frame, __be16 proto)
{
	int is_ip4 = proto == bpf_htons(ETH_P_IP);
	void *l3 = frame->data + ETH_HLEN;
	const struct ox_endpoint *endpoint;
	enum ox_reason reason;
	struct ox_way way;
	__u32 l3_len;
	__u32 slot;

	endpoint = is_ip4 ? ox_find_ip4(((struct iphdr *)l3)->daddr)
			  : ox_find_ip6(&((struct ipv6hdr *)l3)->daddr);
	if (!endpoint)
		return OX_R_NOT_LOCAL;
	reason = is_ip4 ? ox_judge_ip4(frame, &l3_len)
			: ox_judge_ip6(frame, &l3_len);
	if (reason != OX_GO_ON)
		return reason;
	reason = ox_judge_target(frame, endpoint, l3_len);
	if (reason != OX_GO_ON)
		return reason;
	if (frame->timed && ox_is_stale())
		return OX_R_STALE;
	if (frame->acl &&
	    ox_acl_refuses(frame, endpoint, l3, frame->len, proto))
		return OX_R_ACL_DROP;
	reason = ox_claim(frame, endpoint, proto, &way);
	if (reason != OX_GO_ON)
		return reason;
	reason = ox_rewrite(ctx, frame, &way, proto);
	if (reason != OX_R_REDIRECTED)
		return reason;
	/* A copy, so that 'way' need not be in memory. */
	slot = way.slot;
	ox_count(bpf_map_lookup_elem(&endpoint_stats, &slot), frame->len);
	return OX_R_REDIRECTED;
}

/* Decides about the IPv4 packet in 'frame'. */
static __always_inline enum ox_reason
ox_redirect_ip4(struct xdp_md *ctx, struct ox_frame *frame)
{
	enum ox_reason reason = ox_parse_ip4(frame);

	if (reason != OX_GO_ON)
		return reason;
	return ox_redirect(ctx, frame, bpf_htons(ETH_P_IP));
}

/* Decides about the IPv6 packet in 'frame'. */
static __always_inline enum ox_reason
ox_redirect_ip6(struct xdp_md *ctx, struct ox_frame *frame)
{
	enum ox_reason reason = ox_parse_ip6(frame);

	if (reason != OX_GO_ON)
		return reason;
	return ox_redirect(ctx, frame, bpf_htons(ETH_P_IPV6));
}

#endif /* bpf/redirect.h */
