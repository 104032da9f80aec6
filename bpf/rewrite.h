/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only) */
/* Rewriting of a frame.  Plain C without maps or helpers, so that every layer
 * and a model in user space can share it.  The callers have checked that the
 * headers are there and that the frame is theirs to change.
 */
#ifndef BPF_REWRITE_H
#define BPF_REWRITE_H

#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

/* Bytes that a VLAN tag adds to a frame. */
#define OX_TAG_LEN 4

/* Destination and source MAC of a frame, in the order of the wire.  In words:
 * frames and map values are aligned for it. */
struct ox_macs {
	__u32 word[3];
} __attribute__((__may_alias__));

/* What follows the two MACs in a tagged frame. */
struct ox_tag {
	__be16 proto;		/* ETH_P_8021Q. */
	__be16 tci;		/* Priority 0 and the VLAN. */
} __attribute__((__may_alias__));

/* Writes 'macs' to the Ethernet header at 'data'. */
static __always_inline void
ox_write_macs(void *data, const struct ox_macs *macs)
{
	*(struct ox_macs *)data = *macs;
}

/* Writes the Ethernet header of a frame that has grown by OX_TAG_LEN bytes in
 * front and now begins at 'data': 'macs', and the tag of 'vlan' (host order).
 * The type of the payload is in its place already. */
static __always_inline void
ox_write_tagged(void *data, const struct ox_macs *macs, __u16 vlan)
{
	struct ox_tag *tag = data + sizeof(*macs);

	ox_write_macs(data, macs);
	tag->proto = bpf_htons(ETH_P_8021Q);
	tag->tci = bpf_htons(vlan);
}

/* Counts down the TTL of 'ip' if that leaves any, and corrects the checksum:
 * the sum of the header's words falls by 0x0100, so its complement rises by
 * it, in one's complement arithmetic (RFC 1624).  A TTL that is used up is
 * left as it is: OVN answers it. */
static __always_inline void
ox_age_ip4(struct iphdr *ip)
{
	__u32 check;

	if (ip->ttl <= 1)
		return;
	ip->ttl--;
	check = ip->check + bpf_htons(0x0100);
	ip->check = check + (check >= 0xffff);
}

/* Counts down the hop limit of 'ip6' as ox_age_ip4() does the TTL. */
static __always_inline void
ox_age_ip6(struct ipv6hdr *ip6)
{
	if (ip6->hop_limit > 1)
		ip6->hop_limit--;
}

#endif /* bpf/rewrite.h */
