/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only) */
/* What the programs of layer L3 note of what VMs send, and get, for layer L2:
 * sent.h says what for.
 */
#ifndef BPF_FLOW_SENT_H
#define BPF_FLOW_SENT_H

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <stdbool.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "abi.h"
#include "flow-parse.h"
#include "flow.h"
#include "sent.h"
#include "transport.h"

/* Something is noted at all, set before the program is loaded. */
const volatile bool track;

/* Offsets of fragments, and the length of that header of IPv6. */
#define OX_SENT_OFFSET4 0x1fff
#define OX_SENT_OFFSET6 0xfff8
#define OX_SENT_FRAGMENT_LEN 8

/* Ports, and the beginning of TCP with its flags. */
#define OX_SENT_PORTS_LEN 4
#define OX_SENT_TCP_LEN 14

/* Tags that may be in a frame, one inside the other, and LLC with an Ethernet
 * type (SNAP) behind the length. */
#define OX_SENT_TAGS 2
#define OX_SENT_MIN_TYPE 0x600
#define OX_SENT_SNAP_LEN 8

/* What is found in a packet that is not fit. */
enum ox_sent_found {
	OX_SENT_NOTHING,	/* Nothing that conntrack has a connection of,
				 * or a later fragment. */
	OX_SENT_TUPLE,		/* Its tuple. */
	OX_SENT_HIDDEN		/* A tuple that cannot be read. */
};

/* Reads what is at 'l4' of 'packet', whose protocol is known.  What is too short
 * for its flags may be a SYN. */
static __always_inline enum ox_sent_found
ox_sent_read_l4(struct ox_flow_packet *packet, const void *l4,
		const void *data_end, bool is_ip6)
{
	if (!ox_sent_has_proto(packet->proto, is_ip6))
		return OX_SENT_NOTHING;
	packet->flags = OX_TCP_SYN;
	if (packet->proto != IPPROTO_TCP && packet->proto != IPPROTO_UDP) {
		packet->headers = 0;
		if (l4 + OX_FLOW_L4_LEN > data_end)
			return OX_SENT_HIDDEN;
		return ox_flow_read_echo(packet, l4, data_end, OX_FLOW_L4_LEN,
					 is_ip6)
		       ? OX_SENT_TUPLE : OX_SENT_NOTHING;
	}
	if (l4 + OX_SENT_PORTS_LEN > data_end)
		return OX_SENT_HIDDEN;
	packet->ports = *(const __u32 *)l4;
	if (l4 + OX_SENT_TCP_LEN <= data_end)
		packet->flags = *(const __u8 *)(l4 + OX_FLOW_TCP_FLAGS);
	return OX_SENT_TUPLE;
}

/* Reads the IPv4 packet at 'packet->l3', whose header is there, but perhaps not
 * its options. */
static __always_inline enum ox_sent_found
ox_sent_read_ip4(struct ox_flow_packet *packet, const void *data_end)
{
	const struct iphdr *ip = packet->l3;
	__u32 len = ip->ihl * 4;

	packet->proto = ip->protocol;
	if (ip->version != 4 || len < sizeof(*ip) ||
	    ip->frag_off & bpf_htons(OX_SENT_OFFSET4))
		return OX_SENT_NOTHING;
	return ox_sent_read_l4(packet, packet->l3 + len, data_end, false);
}

/* Reads the IPv6 packet at 'packet->l3', whose header is there.  Of others in
 * front of the transport's only that of a fragment is read. */
static __always_inline enum ox_sent_found
ox_sent_read_ip6(struct ox_flow_packet *packet, const void *data_end)
{
	const struct ipv6hdr *ip6 = packet->l3;
	const void *l4 = ip6 + 1;

	packet->proto = ip6->nexthdr;
	if (ip6->version != 6)
		return OX_SENT_NOTHING;
	if (packet->proto == OX_NEXT_FRAGMENT) {
		if (l4 + OX_SENT_FRAGMENT_LEN > data_end)
			return OX_SENT_HIDDEN;
		if (*(const __be16 *)(l4 + 2) & bpf_htons(OX_SENT_OFFSET6))
			return OX_SENT_NOTHING;
		packet->proto = *(const __u8 *)l4;
		l4 += OX_SENT_FRAGMENT_LEN;
	}
	if (ox_is_extension(packet->proto))
		return OX_SENT_HIDDEN;
	return ox_sent_read_l4(packet, l4, data_end, true);
}

/* Notes that OVN has passed a packet or probe with 'key' in either direction, of
 * TCP with 'flags', so that conntrack may have begun anew.  As long as not all is
 * known that the VM has sent, there may be a connection that this is the first
 * sign of; which direction has opened it nobody can tell, unless by a SYN. */
static __always_inline void
ox_sent_keep(const struct ox_opened_key *key, __u8 flags)
{
	__u64 now = bpf_ktime_get_coarse_ns();
	__u32 first = key->proto == IPPROTO_TCP
		      ? OX_SENT_TCP : ox_sent_first(key->proto, 0);
	struct ox_opened *known;

	known = bpf_map_lookup_elem(&sent, key);
	if (known && !ox_opened_is_over(known, now)) {
		ox_opened_touch(known, now);
		return;
	}
	if ((key->proto == IPPROTO_TCP && flags & OX_TCP_SYN) ||
	    ox_sent_is_complete(key->local, key->proto, now))
		return;
	ox_sent_write(key, first, now, known);
}

/* Notes that something was missed of 'local', with any protocol. */
static __always_inline void
ox_sent_miss_all(const void *local, bool is_ip6)
{
	ox_sent_miss(local, IPPROTO_TCP);
	ox_sent_miss(local, IPPROTO_UDP);
	ox_sent_miss(local, is_ip6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
}

/* Reads the packet at 'l3', which is not fit, and whose IP header is there, and
 * stores the key of it in 'key'; 'in': it goes to 'local'.  Returns what is
 * found; what is hidden was missed. */
static __always_inline enum ox_sent_found
ox_sent_find(struct ox_opened_key *key, __u8 *flags, void *l3,
	     const void *data_end, const void *local, bool in, bool is_ip6)
{
	struct ox_flow_packet packet = { .l3 = l3 };
	enum ox_sent_found found;
	__u8 remote[16];

	found = is_ip6 ? ox_sent_read_ip6(&packet, data_end)
		       : ox_sent_read_ip4(&packet, data_end);
	if (found == OX_SENT_HIDDEN)
		ox_sent_miss_all(local, is_ip6);
	if (found != OX_SENT_TUPLE)
		return found;
	ox_flow_address(remote, l3, is_ip6, in);
	ox_sent_make_key(key, local, remote, packet.ports, packet.proto, in);
	*flags = packet.flags;
	return found;
}

/* Notes a packet at 'l3', which is not fit, that the VM with 'local' sends. */
static __always_inline void
ox_sent_note_unfit(void *l3, const void *data_end, const void *local,
		   bool is_ip6)
{
	struct ox_opened_key key;
	__u8 flags;

	if (ox_sent_find(&key, &flags, l3, data_end, local, false, is_ip6) ==
	    OX_SENT_TUPLE)
		ox_sent_note(&key, flags, true, OX_SENT_TAP);
}

/* Notes a packet at 'l3', which is not fit, that OVN delivers to the VM with
 * 'local'. */
static __always_inline void
ox_sent_touch_unfit(void *l3, const void *data_end, const void *local,
		    bool is_ip6)
{
	struct ox_opened_key key;
	__u8 flags;

	if (ox_sent_find(&key, &flags, l3, data_end, local, true, is_ip6) ==
	    OX_SENT_TUPLE)
		ox_sent_keep(&key, flags);
}

/* Notes 'packet', which is fit and has 'flow' on the way out, that the VM with
 * 'local' sends.  Of the packet itself it reads nothing. */
static __always_inline void
ox_sent_note_fit(const struct ox_flow_packet *packet,
		 const union ox_flow_key *flow, const void *local, bool is_ip6)
{
	struct ox_opened_key key;
	__u8 remote[16];

	if (is_ip6)
		ox_copy_ip6(remote, flow->six.daddr);
	else
		ox_flow_map4(remote, flow->four.daddr);
	ox_sent_make_key(&key, local, remote, packet->ports, packet->proto,
			 false);
	ox_sent_note(&key, packet->flags, packet->len > packet->headers,
		     OX_SENT_TAP);
}

/* Returns where the IP packet in the frame at 'data' begins, behind tags or LLC,
 * with its Ethernet type in '*type'; NULL if there is none. */
static __always_inline void *
ox_sent_find_l3(void *data, const void *data_end, __be16 *type)
{
	void *at = data + ETH_HLEN - sizeof(*type);
	int i;

	for (i = 0; i <= OX_SENT_TAGS; i++) {
		if (at + sizeof(*type) > data_end)
			return NULL;
		*type = *(const __be16 *)at;
		if (*type != bpf_htons(ETH_P_8021Q) &&
		    *type != bpf_htons(ETH_P_8021AD))
			break;
		at += OX_TAG_LEN;
	}
	if (bpf_ntohs(*type) < OX_SENT_MIN_TYPE) {
		at += OX_SENT_SNAP_LEN;
		if (at + sizeof(*type) > data_end)
			return NULL;
		*type = *(const __be16 *)at;
	}
	return at + sizeof(*type);
}

#endif /* bpf/flow-sent.h */
