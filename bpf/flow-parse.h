/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only) */
/* What layer L3 reads of a packet, at both sides.  Nothing here looks into a
 * map.
 *
 * A packet is *fit* if it has ports, or is an ICMP echo, and nothing that asks
 * for more than its headers to be rewritten: no fragments, IPv4 options and
 * IPv6 extension headers.  Where OVN may answer a packet by what is in it (DNS,
 * DHCP) it is not fit either.
 */
#ifndef BPF_FLOW_PARSE_H
#define BPF_FLOW_PARSE_H

#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <stdbool.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "abi.h"
#include "rewrite.h"
#include "transport.h"

/* Lengths of headers, without options. */
#define OX_FLOW_TCP_LEN 20
#define OX_FLOW_L4_LEN 8

/* First byte of an IPv4 header without options. */
#define OX_FLOW_IP4_FIRST 0x45

/* Bits of the fragment word of IPv4 that a whole packet does not have. */
#define OX_FLOW_IP4_FRAGMENT 0xbfff

/* Where the length and the flags of a TCP header are. */
#define OX_FLOW_TCP_OFFSET 12
#define OX_FLOW_TCP_FLAGS 13

/* TCP segments with one of these go by OVN. */
#define OX_FLOW_CONTROL (OX_TCP_FIN | OX_TCP_SYN | OX_TCP_RST)

/* Types of ICMP echo. */
#define OX_FLOW_ECHO4 8
#define OX_FLOW_ECHO4_REPLY 0
#define OX_FLOW_ECHO6 128
#define OX_FLOW_ECHO6_REPLY 129

/* UDP ports that OVN looks at itself. */
#define OX_FLOW_DNS 53
#define OX_FLOW_DHCP_SERVER 67
#define OX_FLOW_DHCP_CLIENT 68
#define OX_FLOW_DHCP6_CLIENT 546
#define OX_FLOW_DHCP6_SERVER 547

/* Something that is so for most packets: what they need is to be in
 * registers. */
#define ox_likely(x) __builtin_expect(!!(x), 1)

/* A packet. */
struct ox_flow_packet {
	void *l3;		/* Its IP header. */
	__u32 len;		/* Its length in bytes, as that header has
				 * it. */
	__u32 headers;		/* Bytes of all headers. */
	__u32 ports;		/* 'sport' and 'dport' of struct ox_flow4_key,
				 * as they lie there. */
	__u8 proto;		/* Protocol. */
	__u8 ttl;		/* TTL or hop limit. */
	__u8 tos;		/* TOS or traffic class. */
	__u8 flags;		/* Of TCP: OX_TCP_*. */
};

/* Returns the word in which 'first' lies before 'second'. */
static __always_inline __u32
ox_flow_halves(__u16 first, __u16 second)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	return first | (__u32)second << 16;
#else
	return second | (__u32)first << 16;
#endif
}

/* The same for words. */
static __always_inline __u64
ox_flow_words(__u32 first, __u32 second)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	return first | (__u64)second << 32;
#else
	return second | (__u64)first << 32;
#endif
}

/* Reads the TCP header at 'l4', where 'len' bytes of the packet begin. */
static __always_inline bool
ox_flow_read_tcp(struct ox_flow_packet *packet, const void *l4,
		 const void *data_end, __u32 len)
{
	__u32 header;

	if (l4 + OX_FLOW_TCP_LEN > data_end)
		return false;
	header = *(const __u8 *)(l4 + OX_FLOW_TCP_OFFSET) / 16 * 4;
	if (header < OX_FLOW_TCP_LEN || header > len)
		return false;
	packet->headers += header;
	packet->flags = *(const __u8 *)(l4 + OX_FLOW_TCP_FLAGS);
	packet->ports = *(const __u32 *)l4;
	return true;
}

/* Tells whether OVN may answer what is sent to UDP port 'dport'. */
static __always_inline bool
ox_flow_is_answered(__be16 dport)
{
	return dport == bpf_htons(OX_FLOW_DNS) ||
	       dport == bpf_htons(OX_FLOW_DHCP_SERVER) ||
	       dport == bpf_htons(OX_FLOW_DHCP_CLIENT) ||
	       dport == bpf_htons(OX_FLOW_DHCP6_CLIENT) ||
	       dport == bpf_htons(OX_FLOW_DHCP6_SERVER);
}

/* The same as ox_flow_read_tcp() for UDP. */
static __always_inline bool
ox_flow_read_udp(struct ox_flow_packet *packet, const void *l4,
		 const void *data_end, __u32 len)
{
	const __be16 *half = l4;

	if (l4 + OX_FLOW_L4_LEN > data_end || len < OX_FLOW_L4_LEN ||
	    bpf_ntohs(half[2]) != len || ox_flow_is_answered(half[1]))
		return false;
	packet->headers += OX_FLOW_L4_LEN;
	packet->ports = *(const __u32 *)l4;
	return true;
}

/* The same for ICMP, or that of IPv6: only echo. */
static __always_inline bool
ox_flow_read_echo(struct ox_flow_packet *packet, const void *l4,
		  const void *data_end, __u32 len, bool is_ip6)
{
	__u8 type;

	if (l4 + OX_FLOW_L4_LEN > data_end || len < OX_FLOW_L4_LEN)
		return false;
	type = *(const __u8 *)l4;
	if (is_ip6 ? type != OX_FLOW_ECHO6 && type != OX_FLOW_ECHO6_REPLY
		   : type != OX_FLOW_ECHO4 && type != OX_FLOW_ECHO4_REPLY)
		return false;
	if (*(const __u8 *)(l4 + 1))
		return false;
	packet->headers += OX_FLOW_L4_LEN;
	packet->ports = ox_flow_halves(*(const __be16 *)(l4 + 4),
				       bpf_htons(type));
	return true;
}

/* Reads what is at 'l4', where 'len' bytes of the packet begin. */
static __always_inline bool
ox_flow_read_l4(struct ox_flow_packet *packet, const void *l4,
		const void *data_end, __u32 len, bool is_ip6)
{
	switch (packet->proto) {
	case IPPROTO_TCP:
		return ox_flow_read_tcp(packet, l4, data_end, len);
	case IPPROTO_UDP:
		return ox_flow_read_udp(packet, l4, data_end, len);
	case IPPROTO_ICMP:
		return !is_ip6 &&
		       ox_flow_read_echo(packet, l4, data_end, len, false);
	case IPPROTO_ICMPV6:
		return is_ip6 &&
		       ox_flow_read_echo(packet, l4, data_end, len, true);
	default:
		return false;
	}
}

/* Reads the IPv4 header at 'packet->l3', which is there, and what follows, in a
 * frame with 'room' bytes from there on.  Returns whether the packet is fit. */
static __always_inline bool
ox_flow_read_ip4(struct ox_flow_packet *packet, const void *data_end,
		 __u32 room)
{
	const struct iphdr *ip = packet->l3;

	packet->len = bpf_ntohs(ip->tot_len);
	packet->proto = ip->protocol;
	packet->ttl = ip->ttl;
	packet->tos = ip->tos;
	packet->flags = 0;
	packet->headers = sizeof(*ip);
	if (*(const __u8 *)ip != OX_FLOW_IP4_FIRST || packet->len > room ||
	    packet->len < sizeof(*ip) ||
	    ip->frag_off & bpf_htons(OX_FLOW_IP4_FRAGMENT))
		return false;
	return ox_flow_read_l4(packet, ip + 1, data_end,
			       packet->len - sizeof(*ip), false);
}

/* The same for IPv6. */
static __always_inline bool
ox_flow_read_ip6(struct ox_flow_packet *packet, const void *data_end,
		 __u32 room)
{
	const struct ipv6hdr *ip6 = packet->l3;
	__u32 first = bpf_ntohl(*(const __be32 *)ip6);

	packet->len = sizeof(*ip6) + bpf_ntohs(ip6->payload_len);
	packet->proto = ip6->nexthdr;
	packet->ttl = ip6->hop_limit;
	packet->tos = first >> 20;
	packet->flags = 0;
	packet->headers = sizeof(*ip6);
	if (first >> 28 != 6 || packet->len > room)
		return false;
	return ox_flow_read_l4(packet, ip6 + 1, data_end,
			       packet->len - sizeof(*ip6), true);
}

/* Either of them. */
static __always_inline bool
ox_flow_read(struct ox_flow_packet *packet, const void *data_end, __u32 room,
	     bool is_ip6)
{
	return is_ip6 ? ox_flow_read_ip6(packet, data_end, room)
		      : ox_flow_read_ip4(packet, data_end, room);
}

/* Returns the length of an IP header without options. */
static __always_inline __u32
ox_flow_l3_len(bool is_ip6)
{
	return is_ip6 ? sizeof(struct ipv6hdr) : sizeof(struct iphdr);
}

/* Returns where the checksum is in a transport header of 'proto'. */
static __always_inline __u32
ox_flow_check_offset(__u8 proto)
{
	return proto == IPPROTO_TCP ? 16 : proto == IPPROTO_UDP ? 6 : 2;
}

/* Returns the TTL or hop limit of 'packet'.  Who asks late reads it anew: to
 * remember it all the time costs more. */
static __always_inline __u8
ox_flow_ttl(const struct ox_flow_packet *packet, bool is_ip6)
{
	const struct ipv6hdr *ip6 = packet->l3;
	const struct iphdr *ip = packet->l3;

	return is_ip6 ? ip6->hop_limit : ip->ttl;
}

/* The same for its TOS or traffic class. */
static __always_inline __u8
ox_flow_tos(const struct ox_flow_packet *packet, bool is_ip6)
{
	const struct iphdr *ip = packet->l3;

	return is_ip6 ? bpf_ntohl(*(const __be32 *)packet->l3) >> 20 : ip->tos;
}

/* Tells whether 'packet' may be a probe, by its length. */
static __always_inline bool
ox_flow_seems_probe(const struct ox_flow_packet *packet, bool is_ip6)
{
	__u32 l4_len = OX_FLOW_L4_LEN;

	if (packet->proto == IPPROTO_TCP)
		l4_len = OX_FLOW_TCP_LEN;
	else if (packet->proto == IPPROTO_UDP)
		l4_len += OX_PROBE_UDP_DATA;
	return packet->len == ox_flow_l3_len(is_ip6) + l4_len;
}

/* Tells whether the UDP header at 'l4', which is there, and its payload have
 * the 'number' of a probe. */
static __always_inline bool
ox_flow_has_udp_number(const void *l4, const void *data_end, __u64 number,
		       bool is_ip6)
{
	const __be32 *payload = l4 + OX_FLOW_L4_LEN;

	if ((const void *)(payload + 1) > data_end ||
	    bpf_ntohl(*payload) != ox_probe_word(number, is_ip6))
		return false;
	return is_ip6 ||
	       !*(const __be16 *)(l4 + ox_flow_check_offset(IPPROTO_UDP));
}

/* Tells whether 'packet', which ox_flow_seems_probe(), has the 'number' of
 * one. */
static __always_inline bool
ox_flow_has_number(const struct ox_flow_packet *packet, const void *data_end,
		   __u64 number, bool is_ip6)
{
	const void *l3 = packet->l3;
	const void *l4 = l3 + ox_flow_l3_len(is_ip6);
	const __be32 *word = l4;
	const __be16 *half = l4;

	if (l4 + OX_FLOW_L4_LEN > data_end)
		return false;
	if (packet->proto == IPPROTO_TCP)
		return l4 + OX_FLOW_TCP_LEN <= data_end &&
		       (packet->flags & 0x3f) == OX_TCP_ACK &&
		       bpf_ntohl(word[1]) == (__u32)(number >> 32) &&
		       bpf_ntohl(word[2]) == (__u32)number;
	if (packet->proto == IPPROTO_UDP
	    ? !ox_flow_has_udp_number(l4, data_end, number, is_ip6)
	    : bpf_ntohs(half[3]) != ox_probe_sequence(number))
		return false;
	if (is_ip6)
		return (bpf_ntohl(*(const __be32 *)l3) & 0xfffff) ==
		       (number & 0xfffff);
	return bpf_ntohs(((const struct iphdr *)l3)->id) == (__u16)number;
}

#endif /* bpf/flow-parse.h */
