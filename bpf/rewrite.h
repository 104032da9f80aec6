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

/* Words of a frame, which have other types elsewhere. */
typedef __u64 __attribute__((__may_alias__)) ox_word64;
typedef __u32 __attribute__((__may_alias__)) ox_word32;

/* The destination and the source MAC of a frame, in the order of the wire, as
 * words.  A frame does not begin where such words usually do; that is fine
 * where the kernel has efficient unaligned access, as on x86-64 and arm64. */
struct ox_macs {
	__u64 head;		/* Bytes 0 to 7. */
	__u32 tail;		/* Bytes 8 to 11. */
};

/* Length of both MACs. */
#define OX_MACS_LEN (2 * ETH_ALEN)

/* What follows the two MACs in a tagged frame. */
struct ox_tag {
	__be16 proto;		/* ETH_P_8021Q. */
	__be16 tci;		/* Priority 0 and the VLAN. */
} __attribute__((__may_alias__));

/* Reads both MACs from 'data'. */
static __always_inline void
ox_read_macs(struct ox_macs *macs, const void *data)
{
	macs->head = *(const ox_word64 *)data;
	macs->tail = *(const ox_word32 *)(data + 8);
}

/* Writes both MACs to the Ethernet header at 'data'. */
static __always_inline void
ox_write_macs(void *data, const struct ox_macs *macs)
{
	*(ox_word64 *)data = macs->head;
	*(ox_word32 *)(data + 8) = macs->tail;
}

/* Writes the Ethernet header of a frame that has grown by OX_TAG_LEN bytes in
 * front and now begins at 'data': 'macs', and the tag of 'vlan' (host order).
 * The type of the payload is in its place already. */
static __always_inline void
ox_write_tagged(void *data, const struct ox_macs *macs, __u16 vlan)
{
	struct ox_tag *tag = data + OX_MACS_LEN;

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
