/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only) */
/* Reading of a frame: what it is, and whether its headers speak against
 * redirecting it.  Nothing here looks into a map or changes the frame.
 *
 * Each function gives the reason for which the frame has to pass, or
 * OX_GO_ON.  Only the linear part of a frame is read; its length is compared
 * with that of the whole frame.
 */
#ifndef BPF_PARSE_H
#define BPF_PARSE_H

#include <linux/icmpv6.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <stdbool.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "abi.h"
#include "transport.h"

/* Nothing found so far that speaks against redirecting the frame. */
#define OX_GO_ON OX_R_REDIRECTED

/* ICMPv6 types of neighbour and router discovery, RFC 4861. */
#define OX_ND_FIRST 133
#define OX_ND_LAST 137

/* A frame that is being looked at. */
struct ox_frame {
	void *data;		/* First byte. */
	void *data_end;		/* End of the linear part. */
	__u32 len;		/* Bytes of the whole frame, all buffers. */
	bool timed;		/* It needs a young heartbeat; a constant. */
	bool acl;		/* Layer L2 is asked about it; a constant. */
	bool fresh;		/* Layer L3 has no flow of it, and its address
				 * has that layer: layer L2 knows whether it may
				 * be an answer (sent.h). */
};

/* A MAC address as two loads.  Map values are aligned for it; of frames, see
 * struct ox_macs. */
struct ox_mac {
	__u32 head;		/* Bytes 0 to 3. */
	__u16 tail;		/* Bytes 4 and 5. */
} __attribute__((__may_alias__));

/* Returns the Ethernet type of 'frame', whose header is there.  One load:
 * struct ethhdr is packed, and so its members would be read byte by byte. */
static __always_inline __be16
ox_eth_type(const struct ox_frame *frame)
{
	return *(const __be16 *)(frame->data + 2 * ETH_ALEN);
}

/* Tells whether the MAC addresses at 'a' and 'b' are the same. */
static __always_inline int
ox_same_mac(const void *a, const void *b)
{
	const struct ox_mac *x = a;
	const struct ox_mac *y = b;

	return x->head == y->head && x->tail == y->tail;
}

/* Reads the Ethernet header: going on means IPv4 or IPv6, sent to the NIC
 * that has 'mac'. */
static __always_inline enum ox_reason
ox_parse_eth(const struct ox_frame *frame, const __u8 *mac)
{
	const struct ethhdr *eth = frame->data;

	if ((void *)(eth + 1) > frame->data_end)
		return OX_R_TRUNCATED;
	if (!ox_same_mac(eth->h_dest, mac))
		return eth->h_dest[0] & 1 ? OX_R_MULTICAST : OX_R_FOREIGN_MAC;
	switch (ox_eth_type(frame)) {
	case bpf_htons(ETH_P_IP):
	case bpf_htons(ETH_P_IPV6):
		return OX_GO_ON;
	case bpf_htons(ETH_P_8021Q):
	case bpf_htons(ETH_P_8021AD):
		return OX_R_TAGGED;
	default:
		return OX_R_NOT_IP;
	}
}

/* Tells whether 'saddr', in network order, is a source that Linux does not
 * forward: 0/8, 127/8, multicast and the limited broadcast. */
static __always_inline int
ox_martian4(__be32 saddr)
{
	__u32 source = bpf_ntohl(saddr);

	return source >> 24 == 0 || source >> 24 == 127 ||
	       source >> 28 == 0xe || source == 0xffffffff;
}

/* Tells whether 'saddr' is a source that Linux does not forward: ::, ::1,
 * ::ffff:0:0/96, fe80::/10 and multicast. */
static __always_inline int
ox_martian6(const struct in6_addr *saddr)
{
	const __be32 *word = saddr->s6_addr32;
	__u32 head = bpf_ntohl(word[0]);

	if (head >> 24 == 0xff || head >> 22 == 0xfe80 >> 6)
		return 1;
	if (word[0] || word[1])
		return 0;
	if (word[2] == bpf_htonl(0xffff))
		return 1;
	return !word[2] && (!word[3] || word[3] == bpf_htonl(1));
}

/* Checks that there is an IPv4 header to read. */
static __always_inline enum ox_reason
ox_parse_ip4(const struct ox_frame *frame)
{
	const struct iphdr *ip = frame->data + ETH_HLEN;

	if ((void *)(ip + 1) > frame->data_end)
		return OX_R_TRUNCATED;
	if (ip->version != 4 || ip->ihl < 5)
		return OX_R_MALFORMED;
	return OX_GO_ON;
}

/* Judges the rest of an IPv4 header that ox_parse_ip4() has found.  Options
 * and fragments are fine: the address alone decides where the frame goes. */
static __always_inline enum ox_reason
ox_judge_ip4(const struct ox_frame *frame, __u32 *l3_len)
{
	const struct iphdr *ip = frame->data + ETH_HLEN;

	/* The frame may be longer than the packet: short ones are padded. */
	*l3_len = bpf_ntohs(ip->tot_len);
	if (*l3_len < ip->ihl * 4)
		return OX_R_MALFORMED;
	if (*l3_len > frame->len - ETH_HLEN)
		return OX_R_TRUNCATED;
	if (ox_martian4(ip->saddr))
		return OX_R_MARTIAN_SOURCE;
	return OX_GO_ON;
}

/* Checks that there is an IPv6 header to read. */
static __always_inline enum ox_reason
ox_parse_ip6(const struct ox_frame *frame)
{
	const struct ipv6hdr *ip6 = frame->data + ETH_HLEN;

	if ((void *)(ip6 + 1) > frame->data_end)
		return OX_R_TRUNCATED;
	if (ip6->version != 6)
		return OX_R_MALFORMED;
	return OX_GO_ON;
}

/* Judges the type of an ICMPv6 packet whose IPv6 header ends at 'icmp6'.
 * Discovery belongs to the link that it came from, and its hop limit of 255
 * must not be touched. */
static __always_inline enum ox_reason
ox_judge_icmp6(const struct ox_frame *frame, const struct icmp6hdr *icmp6,
	       __u32 l3_len)
{
	if (l3_len <= sizeof(struct ipv6hdr) ||
	    (void *)icmp6 + 1 > frame->data_end)
		return OX_R_TRUNCATED;
	if (icmp6->icmp6_type >= OX_ND_FIRST && icmp6->icmp6_type <= OX_ND_LAST)
		return OX_R_ND;
	return OX_GO_ON;
}

/* Judges the rest of an IPv6 header that ox_parse_ip6() has found.  Extension
 * headers are fine, except hop-by-hop options, which every router on the way
 * has to look at. */
static __always_inline enum ox_reason
ox_judge_ip6(const struct ox_frame *frame, __u32 *l3_len)
{
	const struct ipv6hdr *ip6 = frame->data + ETH_HLEN;
	enum ox_reason reason;

	*l3_len = sizeof(*ip6) + bpf_ntohs(ip6->payload_len);
	if (*l3_len > frame->len - ETH_HLEN)
		return OX_R_TRUNCATED;
	if (ip6->nexthdr == OX_NEXT_HOP_BY_HOP)
		return OX_R_HOP_BY_HOP;
	if (ip6->nexthdr == IPPROTO_ICMPV6) {
		reason = ox_judge_icmp6(frame, (void *)(ip6 + 1), *l3_len);
		if (reason != OX_GO_ON)
			return reason;
	}
	if (ox_martian6(&ip6->saddr))
		return OX_R_MARTIAN_SOURCE;
	return OX_GO_ON;
}

#endif /* bpf/parse.h */
