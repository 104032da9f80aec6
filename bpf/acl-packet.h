/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only) */
/* What layer L2 reads of a packet (acl.h).  Nothing here looks into a map.
 */
#ifndef BPF_ACL_PACKET_H
#define BPF_ACL_PACKET_H

#include <linux/icmpv6.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <stdbool.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "abi.h"
#include "parse.h"
#include "transport.h"

/* Bits of the fragment word of IPv4: more fragments, and the offset. */
#define OX_IP4_FRAGMENT 0x3fff

/* Lengths of headers, without options. */
#define OX_TCP_LEN 20
#define OX_UDP_LEN 8
#define OX_SCTP_LEN 12
#define OX_ICMP_LEN 8

/* Where things are in them. */
#define OX_TCP_OFFSET 12
#define OX_TCP_FLAGS 13

/* ICMPv6 types that OVN never leaves to rules: MLD, and discovery between
 * them; MLD version 2. */
#define OX_MLD_FIRST 130
#define OX_MLD2 143

/* OVN may answer what is asked of it, whoever is asked. */
#define OX_DNS_PORT 53

/* IGMP, which OVN looks at before any rule. */
#define OX_IGMP 2

/* Ports of DHCPv6. */
#define OX_DHCP6_CLIENT 546
#define OX_DHCP6_SERVER 547

/* A packet as rules see it. */
struct ox_acl_packet {
	__u8 protocol;		/* Of the transport. */
	bool opens;		/* It is a pure TCP SYN. */
	bool exempt;		/* OVN asks no rule about it. */
	__be16 port;		/* As in struct ox_acl_port. */
	__be16 source_port;	/* TCP: the source port. */
	__u32 l4_len;		/* Bytes of the packet behind the IP header. */
};

/* Stores the source ('source') or the destination of the packet of 'proto' at
 * 'l3' in the four words at 'to', IPv4 as v4-mapped. */
static __always_inline void
ox_acl_mapped(__be32 *to, const void *l3, __be16 proto, bool source)
{
	const struct ipv6hdr *ip6 = l3;
	const struct iphdr *ip = l3;
	const __be32 *from;

	if (proto == bpf_htons(ETH_P_IP)) {
		to[0] = to[1] = 0;
		to[2] = bpf_htonl(0xffff);
		to[3] = source ? ip->saddr : ip->daddr;
	} else {
		from = source ? ip6->saddr.s6_addr32 : ip6->daddr.s6_addr32;
		to[0] = from[0];
		to[1] = from[1];
		to[2] = from[2];
		to[3] = from[3];
	}
}

/* One hop is this one, another OVN's router: with no more than these in the
 * packet, the router says that its time is exceeded, whatever the rules. */
#define OX_ACL_HOPS 2

/* Reads the IPv4 header at 'l3'.  False if no rule must be asked. */
static __always_inline bool
ox_acl_read_ip4(struct ox_acl_packet *packet, const struct iphdr *ip)
{
	if (ip->ihl != sizeof(*ip) / 4 || ip->ttl <= OX_ACL_HOPS ||
	    ip->frag_off & bpf_htons(OX_IP4_FRAGMENT))
		return false;
	packet->protocol = ip->protocol;
	packet->l4_len = bpf_ntohs(ip->tot_len) - sizeof(*ip);
	return true;
}

/* The same for IPv6. */
static __always_inline bool
ox_acl_read_ip6(struct ox_acl_packet *packet, const struct ipv6hdr *ip6)
{
	packet->protocol = ip6->nexthdr;
	packet->l4_len = bpf_ntohs(ip6->payload_len);
	switch (ip6->nexthdr) {
	case OX_NEXT_HOP_BY_HOP:
	case OX_NEXT_ROUTING:
	case OX_NEXT_FRAGMENT:
	case OX_NEXT_AUTHENTICATION:
	case OX_NEXT_NONE:
	case OX_NEXT_DESTINATION:
	case OX_NEXT_MOBILITY:
	case OX_NEXT_HIP:
	case OX_NEXT_SHIM6:
		return false;
	default:
		return ip6->hop_limit > OX_ACL_HOPS;
	}
}

/* Tells whether there are 'len' bytes at 'l4', in the frame, which ends at
 * 'data_end', and in 'packet'. */
static __always_inline bool
ox_acl_has(const struct ox_acl_packet *packet, const void *l4,
	   const void *data_end, __u32 len)
{
	return packet->l4_len >= len && l4 + len <= data_end;
}

/* Reads the TCP header at 'l4', and tells whether it is whole.  Where its
 * length is wrong, OVS has no ports for rules to match, and conntrack calls the
 * packet invalid. */
static __always_inline bool
ox_acl_read_tcp(struct ox_acl_packet *packet, const void *l4,
		const void *data_end)
{
	const __u8 *byte = l4;
	__u32 header;

	if (!ox_acl_has(packet, l4, data_end, OX_TCP_LEN))
		return false;
	header = byte[OX_TCP_OFFSET] / 16 * 4;
	if (header < OX_TCP_LEN || header > packet->l4_len)
		return false;
	packet->source_port = *(const __be16 *)l4;
	packet->port = *(const __be16 *)(l4 + 2);
	packet->opens = (byte[OX_TCP_FLAGS] & OX_TCP_FIRST) == OX_TCP_SYN;
	return true;
}

/* Reads the destination port at 'l4', where there is a header of 'len' bytes,
 * and tells whether that is whole. */
static __always_inline bool
ox_acl_read_port(struct ox_acl_packet *packet, const void *l4,
		 const void *data_end, __u32 len)
{
	if (!ox_acl_has(packet, l4, data_end, len))
		return false;
	packet->port = *(const __be16 *)(l4 + 2);
	return true;
}

/* The same for the type and code of ICMP. */
static __always_inline bool
ox_acl_read_icmp(struct ox_acl_packet *packet, const void *l4,
		 const void *data_end)
{
	if (!ox_acl_has(packet, l4, data_end, OX_ICMP_LEN))
		return false;
	packet->port = *(const __be16 *)l4;
	return true;
}

/* Reads what is at 'l4', in a packet of 'proto', and tells whether it is
 * whole. */
static __always_inline bool
ox_acl_read_l4(struct ox_acl_packet *packet, const void *l4,
	       const void *data_end, __be16 proto)
{
	switch (packet->protocol) {
	case IPPROTO_TCP:
		return ox_acl_read_tcp(packet, l4, data_end);
	case IPPROTO_UDP:
		return ox_acl_read_port(packet, l4, data_end, OX_UDP_LEN);
	case IPPROTO_SCTP:
		return ox_acl_read_port(packet, l4, data_end, OX_SCTP_LEN);
	case IPPROTO_ICMP:
		return proto != bpf_htons(ETH_P_IP) ||
		       ox_acl_read_icmp(packet, l4, data_end);
	case IPPROTO_ICMPV6:
		return proto != bpf_htons(ETH_P_IPV6) ||
		       ox_acl_read_icmp(packet, l4, data_end);
	default:
		return true;
	}
}

/* Tells whether OVN takes the packet of 'proto' for itself or lets it pass,
 * above all rules. */
static __always_inline bool
ox_acl_exempt(const struct ox_acl_packet *packet, __be16 proto)
{
	__u16 port = bpf_ntohs(packet->port);
	__u8 type = port >> 8;

	if (packet->protocol == IPPROTO_UDP && port == OX_DNS_PORT)
		return true;
	if (proto == bpf_htons(ETH_P_IP))
		return packet->protocol == OX_IGMP;
	if (packet->protocol == IPPROTO_ICMPV6)
		return (type >= OX_MLD_FIRST && type <= OX_ND_LAST) ||
		       type == OX_MLD2;
	return packet->protocol == IPPROTO_UDP &&
	       (port == OX_DHCP6_CLIENT || port == OX_DHCP6_SERVER);
}

/* Reads the packet of 'proto' at 'l3', whose IP header is there and was
 * judged.  False if no rule must be asked. */
static __always_inline bool
ox_acl_read(struct ox_acl_packet *packet, const void *l3,
	    const void *data_end, __be16 proto)
{
	if (proto == bpf_htons(ETH_P_IP)) {
		if (!ox_acl_read_ip4(packet, l3) ||
		    !ox_acl_read_l4(packet, l3 + sizeof(struct iphdr),
				    data_end, proto))
			return false;
	} else if (!ox_acl_read_ip6(packet, l3) ||
		   !ox_acl_read_l4(packet, l3 + sizeof(struct ipv6hdr),
				   data_end, proto)) {
		return false;
	}
	packet->exempt = ox_acl_exempt(packet, proto);
	return true;
}

/* Tells whether the packet of 'proto' at 'l3' may be a pure TCP SYN, by what
 * is where it would be. */
static __always_inline bool
ox_acl_seems_syn(const void *l3, const void *data_end, __be16 proto)
{
	bool is_ip4 = proto == bpf_htons(ETH_P_IP);
	const __u8 *l4 = l3 + (is_ip4 ? sizeof(struct iphdr)
				      : sizeof(struct ipv6hdr));
	__u8 protocol = is_ip4 ? ((const struct iphdr *)l3)->protocol
			       : ((const struct ipv6hdr *)l3)->nexthdr;

	return protocol == IPPROTO_TCP &&
	       (const void *)l4 + OX_TCP_LEN <= data_end &&
	       (l4[OX_TCP_FLAGS] & OX_TCP_FIRST) == OX_TCP_SYN;
}

#endif /* bpf/acl-packet.h */
