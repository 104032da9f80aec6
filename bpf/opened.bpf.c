/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only) */
/* Remembers the TCP connections that VMs open, on their way out of a bridge; and
 * of VMs with layer L3, by what tuples all that they send leaves.  It only looks:
 * no packet is changed, held up or decided about.  opened.h and sent.h say what
 * for.
 *
 * All of a packet is read by bpf_skb_load_bytes(): what a VM sends need not lie
 * in one piece.  With a VLAN tag in the frame or beside it, as a part of a
 * larger one (GSO) or not, it is the same connection.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/pkt_cls.h>
#include <stdbool.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "abi.h"
#include "opened-maps.h"
#include "opened.h"
#include "sent.h"
#include "transport.h"

/* VLAN tags that may be in a frame, one inside the other. */
#define MAX_TAGS 2

/* IPv6 extension headers that are read before giving up. */
#define MAX_EXTENSIONS 8

/* In the first fragment word. */
#define FRAG4_OFFSET 0x1fff
#define FRAG6_OFFSET 0xfff8

/* TCP's header up to the flags, and that of ICMP echo up to the identifier. */
#define TCP_HEAD_LEN 14
#define ECHO_HEAD_LEN 6

/* Types of ICMP echo. */
#define ECHO4 8
#define ECHO4_REPLY 0
#define ECHO6 128
#define ECHO6_REPLY 129

#define EEXIST 17

/* Devices that are watched.  No program reads it. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, OX_MAX_WATCHED);
	__type(key, __u32);
	__type(value, struct ox_watched);
} watched SEC(".maps");

/* What is found in a packet. */
enum found {
	FOUND_NOTHING,		/* Not the beginning of what is looked for. */
	FOUND_SEGMENT,		/* A segment. */
	FOUND_UNREADABLE	/* Perhaps one of TCP.  Its addresses are
				 * known. */
};

/* A segment of TCP, or a datagram of UDP or ICMP echo. */
struct segment {
	struct ox_opened_key key;
	__u32 offset;		/* Of its header in the frame. */
	__u32 len;		/* Its bytes in this packet, header included. */
	__u8 flags;		/* TCP: OX_TCP_*. */
	bool data;		/* TCP: there is more than the header. */
};

/* What comes first in the header of ICMP echo, ECHO_HEAD_LEN bytes. */
struct echo_head {
	__u8 type;
	__u8 code;
	__be16 checksum;
	__be16 id;
};

/* What comes first in a TCP header, TCP_HEAD_LEN bytes. */
struct tcp_head {
	__be16 source;
	__be16 dest;
	__be32 seq;
	__be32 ack_seq;
	__u8 offset;		/* Length of the header: upper half, in words. */
	__u8 flags;
};

/* What extension headers begin with. */
struct extension {
	__u8 next;
	__u8 length;		/* Except for fragments. */
	__be16 fragment;	/* Of fragments only. */
};

/* Returns the part that the local address of 's' is in.  There always is one,
 * but the verifier does not know. */
static __always_inline struct ox_opened_part *
find_part(const struct segment *s)
{
	__u32 zero = 0, part = ox_opened_part((const __u32 *)s->key.local,
					      IPPROTO_TCP);
	struct ox_opened_state *state;

	state = bpf_map_lookup_elem(&opened_state, &zero);
	return state ? &state->parts[part] : NULL;
}

/* Notes that a connection of the local address of 's' may have been missed. */
static __always_inline void
say_full(const struct segment *s)
{
	struct ox_opened_part *part = find_part(s);

	if (part)
		part->full_ns = bpf_ktime_get_coarse_ns();
}

/* Returns the Ethernet type behind the tags of the frame, or 0, and stores
 * where its packet begins. */
static __always_inline __be16
read_type(struct __sk_buff *skb, __u32 *offset)
{
	__u32 at = 2 * ETH_ALEN;
	__be16 type = 0;
	int i;

	for (i = 0; i <= MAX_TAGS; i++) {
		if (bpf_skb_load_bytes(skb, at, &type, sizeof(type)))
			return 0;
		if (type != bpf_htons(ETH_P_8021Q) &&
		    type != bpf_htons(ETH_P_8021AD))
			break;
		at += 4;
	}
	*offset = at + sizeof(type);
	return type;
}

/* Stores the v4-mapped form of 'addr'. */
static __always_inline void
map_address(__u8 *mapped, __be32 addr)
{
	__builtin_memset(mapped, 0, 10);
	mapped[10] = mapped[11] = 0xff;
	__builtin_memcpy(mapped + 12, &addr, sizeof(addr));
}

/* Reads the IPv4 header at 's->offset'. */
static __always_inline enum found
read_ip4(struct __sk_buff *skb, struct segment *s)
{
	struct iphdr ip;
	__u32 header, total;

	if (bpf_skb_load_bytes(skb, s->offset, &ip, sizeof(ip)))
		return FOUND_NOTHING;
	header = ip.ihl * 4;
	if (ip.version != 4 || header < sizeof(ip) ||
	    !ox_sent_has_proto(ip.protocol, false) ||
	    ip.frag_off & bpf_htons(FRAG4_OFFSET))
		return FOUND_NOTHING;
	/* 0: a frame too large for the field, which the kernel will cut. */
	total = bpf_ntohs(ip.tot_len);
	if (!total)
		total = skb->len - s->offset;
	s->len = total > header ? total - header : 0;
	s->offset += header;
	s->key.proto = ip.protocol;
	map_address(s->key.local, ip.saddr);
	map_address(s->key.remote, ip.daddr);
	return FOUND_SEGMENT;
}

/* Reads the extension header of kind '*next' at 's->offset', and goes on behind
 * it. */
static __always_inline enum found
read_extension(struct __sk_buff *skb, struct segment *s, __u8 *next)
{
	struct extension e;
	__u32 len;

	/* It may go on in the next fragment. */
	if (bpf_skb_load_bytes(skb, s->offset, &e, sizeof(e)))
		return FOUND_UNREADABLE;
	switch (*next) {
	case OX_NEXT_FRAGMENT:
		if (e.fragment & bpf_htons(FRAG6_OFFSET))
			return FOUND_NOTHING;
		len = 8;
		break;
	case OX_NEXT_AUTHENTICATION:
		len = (e.length + 2) * 4;
		break;
	default:
		len = (e.length + 1) * 8;
	}
	if (len >= s->len)
		return FOUND_UNREADABLE;
	s->offset += len;
	s->len -= len;
	*next = e.next;
	return FOUND_SEGMENT;
}

/* Reads the IPv6 header at 's->offset' and what is between it and that of the
 * transport. */
static __always_inline enum found
read_ip6(struct __sk_buff *skb, struct segment *s)
{
	struct ipv6hdr ip6;
	enum found found;
	__u8 next;
	int i;

	if (bpf_skb_load_bytes(skb, s->offset, &ip6, sizeof(ip6)) ||
	    ip6.version != 6)
		return FOUND_NOTHING;
	s->offset += sizeof(ip6);
	s->len = bpf_ntohs(ip6.payload_len);
	if (!s->len)
		s->len = skb->len - s->offset;
	__builtin_memcpy(s->key.local, &ip6.saddr, sizeof(s->key.local));
	__builtin_memcpy(s->key.remote, &ip6.daddr, sizeof(s->key.remote));
	next = ip6.nexthdr;
	for (i = 0; i < MAX_EXTENSIONS; i++) {
		s->key.proto = next;
		if (ox_sent_has_proto(next, true))
			return FOUND_SEGMENT;
		if (!ox_is_extension(next))
			return FOUND_NOTHING;
		found = read_extension(skb, s, &next);
		if (found != FOUND_SEGMENT)
			return found;
	}
	s->key.proto = next;
	return ox_sent_has_proto(next, true) ? FOUND_SEGMENT
					     : FOUND_UNREADABLE;
}

/* Reads the TCP header at 's->offset'.  What has only its ports, as the first
 * of tiny fragments, may be a SYN. */
static __always_inline enum found
read_tcp(struct __sk_buff *skb, struct segment *s)
{
	struct tcp_head tcp = {};

	if (s->len < TCP_HEAD_LEN) {
		if (bpf_skb_load_bytes(skb, s->offset, &tcp, 4))
			return FOUND_UNREADABLE;
		tcp.flags = OX_TCP_SYN;
	} else if (bpf_skb_load_bytes(skb, s->offset, &tcp, TCP_HEAD_LEN)) {
		return FOUND_UNREADABLE;
	}
	s->key.local_port = tcp.source;
	s->key.remote_port = tcp.dest;
	s->flags = tcp.flags;
	s->data = s->len > (tcp.offset >> 4) * 4;
	return FOUND_SEGMENT;
}

/* Reads the ports of UDP at 's->offset'. */
static __always_inline enum found
read_udp(struct __sk_buff *skb, struct segment *s)
{
	__be16 ports[2] = {};

	if (bpf_skb_load_bytes(skb, s->offset, ports, sizeof(ports)))
		return FOUND_NOTHING;
	s->key.local_port = ports[0];
	s->key.remote_port = ports[1];
	return FOUND_SEGMENT;
}

/* Reads the header of ICMP, or that of IPv6, at 's->offset'. */
static __always_inline enum found
read_echo(struct __sk_buff *skb, struct segment *s)
{
	struct echo_head icmp = {};
	bool is_ip6 = s->key.proto == IPPROTO_ICMPV6;

	if (bpf_skb_load_bytes(skb, s->offset, &icmp, ECHO_HEAD_LEN) ||
	    (is_ip6 ? icmp.type != ECHO6 && icmp.type != ECHO6_REPLY
		    : icmp.type != ECHO4 && icmp.type != ECHO4_REPLY))
		return FOUND_NOTHING;
	s->key.local_port = icmp.id;
	return FOUND_SEGMENT;
}

/* Reads what is at 's->offset'. */
static __always_inline enum found
read_transport(struct __sk_buff *skb, struct segment *s)
{
	if (s->key.proto == IPPROTO_TCP)
		return read_tcp(skb, s);
	return s->key.proto == IPPROTO_UDP ? read_udp(skb, s)
					   : read_echo(skb, s);
}

/* Reads the packet. */
static __always_inline enum found
read_packet(struct __sk_buff *skb, struct segment *s)
{
	__be16 type = read_type(skb, &s->offset);
	enum found found = FOUND_NOTHING;

	if (type == bpf_htons(ETH_P_IP))
		found = read_ip4(skb, s);
	else if (type == bpf_htons(ETH_P_IPV6))
		found = read_ip6(skb, s);
	return found == FOUND_SEGMENT ? read_transport(skb, s) : found;
}

/* Tells whether 's' opens a connection. */
static __always_inline bool
is_syn(const struct segment *s)
{
	return (s->flags & OX_TCP_FIRST) == OX_TCP_SYN;
}

/* Returns the state of a connection in 'state' after 's'.  A SYN changes none:
 * conntrack may well go on with what it has.  Data tell that an end was none,
 * a mere acknowledgement does not: it is what ends most connections. */
static __always_inline __u32
next_state(__u32 state, const struct segment *s)
{
	if (is_syn(s))
		return state;
	if (s->flags & (OX_TCP_FIN | OX_TCP_RST))
		return OX_OPENED_CLOSING;
	return state == OX_OPENED_SYN || s->data ? OX_OPENED_DATA : state;
}

/* Notes 's', a part of 'known', at 'now'. */
static __always_inline void
refresh(struct ox_opened *known, const struct segment *s, __u64 now)
{
	__u32 state = next_state(known->state, s);
	struct ox_opened fresh = { .seen_ns = now, .state = state };

	if (ox_opened_is_over(known, now)) {
		/* The daemon may be deleting it at this moment. */
		if (bpf_map_update_elem(&opened, &s->key, &fresh, BPF_ANY))
			say_full(s);
		return;
	}
	if (known->state != state) {
		known->seen_ns = now;
		known->state = state;
		return;
	}
	ox_opened_touch(known, now);
}

/* Notes a connection of 'part' in 'state', which 's' is of, at 'now'. */
static __always_inline void
add(const struct segment *s, struct ox_opened_part *part, __u32 state,
    __u64 now)
{
	struct ox_opened fresh = { .seen_ns = now, .state = state };
	long error;

	if ((__s64)OX_READ(part->n) >= OX_OPENED_SHARE) {
		part->full_ns = now;
		return;
	}
	/* Another CPU may have been faster. */
	error = bpf_map_update_elem(&opened, &s->key, &fresh, BPF_NOEXIST);
	if (!error)
		__sync_fetch_and_add(&part->n, 1);
	else if (error != -EEXIST)
		part->full_ns = now;
}

/* Tells whether 's', of a connection of 'part' that is not known, may be of one
 * that conntrack knows, and was missed or is older than the watch. */
static __always_inline bool
is_late(const struct segment *s, const struct ox_opened_part *part, __u64 now)
{
	if (s->flags & (OX_TCP_SYN | OX_TCP_RST))
		return false;
	return OX_READ(part->learn_ns) > now || ox_opened_was_full(part, now);
}

/* Notes 's'. */
static __always_inline void
remember(const struct segment *s)
{
	__u64 now = bpf_ktime_get_coarse_ns();
	struct ox_opened_part *part;
	struct ox_opened *known;

	known = bpf_map_lookup_elem(&opened, &s->key);
	if (known) {
		refresh(known, s, now);
		return;
	}
	part = find_part(s);
	if (!part)
		return;
	if (is_syn(s))
		add(s, part, OX_OPENED_SYN, now);
	else if (is_late(s, part, now))
		add(s, part, next_state(OX_OPENED_DATA, s), now);
}

/* Notes 's' if it is of a VM with layer L3, unless the near side has taken it off:
 * conntrack has not seen it. */
static __always_inline void
follow(const struct __sk_buff *skb, const struct segment *s)
{
	if ((skb->cb[0] != OX_DIRECT_CB0 || skb->cb[1] != OX_DIRECT_CB1) &&
	    bpf_map_lookup_elem(&tracked, s->key.local))
		ox_sent_note(&s->key, s->flags, s->data, OX_SENT_EXIT);
}

/* Notes that something was missed of the IPv6 address that has sent 's', whose
 * protocol is not known, if it is that of a VM with layer L3. */
static __always_inline void
miss(const struct segment *s)
{
	if (!bpf_map_lookup_elem(&tracked, s->key.local))
		return;
	ox_sent_miss(s->key.local, IPPROTO_TCP);
	ox_sent_miss(s->key.local, IPPROTO_UDP);
	ox_sent_miss(s->key.local, IPPROTO_ICMPV6);
}

/* Looks at a packet of a VM, or of the host, on its way out. */
SEC("tc")
int watch_opened(struct __sk_buff *skb)
{
	struct segment s = {};

	switch (read_packet(skb, &s)) {
	case FOUND_SEGMENT:
		if (s.key.proto == IPPROTO_TCP)
			remember(&s);
		follow(skb, &s);
		break;
	case FOUND_UNREADABLE:
		say_full(&s);
		miss(&s);
		break;
	default:
		break;
	}
	return TC_ACT_UNSPEC;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
