/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only) */
/* What the programs and the daemon share: map keys and values, limits of the
 * map layout, and the list of packet reasons.  Nothing else may be shared.
 *
 * Every struct has its size asserted, no implicit padding, and its own
 * statement of byte order.  Change anything here and OX_ABI must change: a
 * daemon that finds pinned maps of another OX_ABI builds a second generation
 * beside them and switches the links over (see plugin/datapath-bpf-gen.c).
 */
#ifndef BPF_ABI_H
#define BPF_ABI_H

#include <linux/types.h>

/* Version of everything in this file. */
#define OX_ABI 5

/* NICs and managed ports that can carry a program at the same time. */
#define OX_MAX_NICS 64

/* Redirect targets, over all bridges. */
#define OX_MAX_TARGETS 64

/* Errno values that are told apart in 'redirect_errors'; larger ones share
 * the last slot.  Linux errno values end at 133 (EHWPOISON). */
#define OX_MAX_ERRNO 134

/* Verdicts of the programs for one frame: see reason.def. */
enum ox_reason {
#define PACKET_REASON(NAME, WIRE, SENTENCE) OX_R_##NAME,
#include "reason.def"
	OX_N_REASONS
};

/* Key of map 'endpoints4': a frame to an IPv4 address. */
struct ox_key4 {
	__be32 addr;		/* Destination address, network order. */
	__u16 vlan;		/* VLAN it arrived with, host order; 0: none. */
	__u16 zero;		/* Always 0. */
};
_Static_assert(sizeof(struct ox_key4) == 8, "ABI");

/* Key of map 'endpoints6': a frame to an IPv6 address. */
struct ox_key6 {
	__u8 addr[16];		/* Destination address, network order. */
	__u16 vlan;		/* VLAN it arrived with, host order; 0: none. */
	__u16 zero;		/* Always 0. */
};
_Static_assert(sizeof(struct ox_key6) == 20, "ABI");

/* Value of both endpoint maps: what is to be done with the frame.
 *
 * 'addr' comes first and is read last.  The kernel reuses an element of a
 * preallocated hash at once and copies the new value over it in ascending
 * order, so a program that still holds the old element may see a mixture; it
 * then sees a foreign 'addr' too, and lets the frame pass. */
struct ox_endpoint {
	__u8 addr[16];		/* The key's address again; IPv4 in the first
				 * four bytes, the rest 0.  Network order. */
	__u8 dmac[6];		/* Destination MAC that OVN expects. */
	__u8 smac[6];		/* Source MAC: that of the device through
				 * which the frame enters the bridge. */
	__u16 vlan;		/* Tag to push, 1 to 4094, host order; 0: none. */
	__u16 flags;		/* OX_EP_*. */
	__u32 ifindex;		/* Target device, a key of 'targets'. */
	__u32 slot;		/* Index in 'endpoint_stats'. */
	__u32 mtu;		/* Largest layer-3 length, in bytes, that the
				 * target takes. */
	__u32 acl;		/* Key of 'acl_sets', or 0: no rules. */
	__u32 bridge;		/* The bridge of its network, by the ifindex of
				 * the bridge's own device; 0: not known. */
};
_Static_assert(sizeof(struct ox_endpoint) == 52, "ABI");

/* The target takes multi-buffer frames (NETDEV_XDP_ACT_NDO_XMIT_SG). */
#define OX_EP_TARGET_SG 0x1

/* The rules 'acl' are stateful, which spares most packets the look-up.  A note
 * only: what counts is OX_ACL_STATEFUL. */
#define OX_EP_ACL_STATEFUL 0x2

/* Value of map 'nics', an array indexed by the program's 'nic_slot'. */
struct ox_nic {
	__u8 mac[6];		/* The NIC's own MAC: others' frames pass. */
	__u16 flags;		/* OX_NIC_*: notes of the daemon to the next
				 * one.  Programs read OX_NIC_NEAR_TC alone. */
	__u32 ifindex;		/* The NIC, or 0 for a free slot. */
	__u32 bridge;		/* The bridge that it is a port of, as in struct
				 * ox_endpoint; 0: of none. */
};
_Static_assert(sizeof(struct ox_nic) == 16, "ABI");

/* The device is the outer end of a managed port. */
#define OX_NIC_SINK 0x1

/* The program is bound to its device, to read stripped VLAN tags. */
#define OX_NIC_TAG_HINT 0x2

/* A program of layer L3 is at the TC ingress of the NIC: the XDP program, if it
 * is loaded for that, leaves packets of flows to it, and else knows nothing of
 * layer L3. */
#define OX_NIC_NEAR_TC 0x4

/* Value of the per-CPU arrays 'reasons' (index: nic_slot * OX_N_REASONS +
 * enum ox_reason), 'endpoint_stats' and 'endpoint_drops' (index:
 * ox_endpoint.slot).  Bytes are whole frames as they arrived. */
struct ox_counter {
	__u64 packets;		/* Frames. */
	__u64 bytes;		/* Their lengths added up. */
};
_Static_assert(sizeof(struct ox_counter) == 16, "ABI");

/* Value of map 'control', an array of one: what this generation of maps is. */
struct ox_control {
	__u32 abi;		/* OX_ABI of the daemon that made the maps. */
	__u32 n_reasons;	/* Its OX_N_REASONS. */
	__u64 created_ns;	/* CLOCK_REALTIME, in nanoseconds. */
};
_Static_assert(sizeof(struct ox_control) == 16, "ABI");

/* Value of map 'heartbeat', an array of one, which the generations share.  The
 * daemon writes it twice a second while a program may want to know; each has
 * its own limit of how old it may be. */
struct ox_heartbeat {
	__u64 alive_ns;		/* CLOCK_MONOTONIC, in nanoseconds: the daemon
				 * was alive then. */
};
_Static_assert(sizeof(struct ox_heartbeat) == 8, "ABI");

/* Layer L2.  A packet to an endpoint with rules is classified by what it is
 * (acl_ports, acl_services) and by where it comes from (acl_hosts, acl_sources,
 * acl_classes).  Either gives the rules that do not speak against it, as bits;
 * the first rule in both decides.  See bpf/acl.h. */

/* Most rules in a set: cubes, to be exact (plugin/acl-rule.h). */
#define OX_ACL_RULES 1024

/* Words of a bitmap of rules. */
#define OX_ACL_WORDS (OX_ACL_RULES / 64)

/* Most sets at the same time: more than the ports of any node. */
#define OX_MAX_ACL_SETS 4096

/* Most elements of 'acl_ports' and of 'acl_services' each, over all sets. */
#define OX_MAX_ACL_SERVICES 262144

/* Most elements of 'acl_hosts' and of 'acl_sources' each, of all address sets
 * and CIDRs. */
#define OX_MAX_ACL_SOURCES 262144

/* Most elements of 'acl_classes', over all sets. */
#define OX_MAX_ACL_CLASSES 65536

/* Most bitmaps, over all sets. */
#define OX_MAX_ACL_BITS 65536

/* Most counters of rules, over all sets. */
#define OX_MAX_ACL_HITS 131072

/* Value of 'acl_bits': bit i of word j is rule 64 * j + i. */
struct ox_acl_bits {
	__u64 word[OX_ACL_WORDS]; /* In the host's order. */
};
_Static_assert(sizeof(struct ox_acl_bits) == 128, "ABI");

/* Value of 'acl_sets', a hash by __u32 id: a set of rules, which never
 * changes.  Everything it refers to was written before it. */
struct ox_acl_set {
	__u32 flags;		/* OX_ACL_*. */
	__u32 n_words;		/* Words of its bitmaps in use, 1 to 16. */
	__u32 drops;		/* Bitmap of the rules that drop. */
	__u32 any;		/* Bitmap for packets that it has no element
				 * of 'acl_ports' and 'acl_services' for. */
	__u32 any4;		/* Bitmap for IPv4 sources of no class that it
				 * has an element of 'acl_classes' for. */
	__u32 any6;		/* The same for IPv6. */
	__u32 hits;		/* Counter of its first rule in 'acl_hits'. */
	__u32 anywhere;		/* Bitmap of the rules that do not look at the
				 * source, if OX_ACL_ANYWHERE says so. */
};
_Static_assert(sizeof(struct ox_acl_set) == 32, "ABI");

/* There are connections: only new ones are decided by the rules. */
#define OX_ACL_STATEFUL 0x1

/* The set has elements of 'acl_services' for TCP; without, TCP packets are
 * spared that look-up. */
#define OX_ACL_TCP_SERVICES 0x2

/* The set has 'anywhere': where the first rule that may match is one of them,
 * the source is not looked up. */
#define OX_ACL_ANYWHERE 0x4

/* Key of 'acl_ports', a hash whose values are bitmap numbers: one port, or one
 * type and code.  It is looked at before 'acl_services', as a hash costs the
 * same however much is in it. */
struct ox_acl_port {
	__u32 set;		/* Id of the set. */
	__u8 protocol;		/* IP protocol. */
	__u8 zero;		/* Always 0. */
	__be16 port;		/* Destination port; ICMP: type, code; else 0.
				 * Network order. */
};
_Static_assert(sizeof(struct ox_acl_port) == 8, "ABI");

/* Key of 'acl_services', a trie whose values are bitmap numbers: a protocol, or
 * several ports of one. */
struct ox_acl_service {
	__u32 prefix_len;	/* Bits of what follows that count. */
	__u32 set;		/* Id of the set. */
	__u8 protocol;		/* As in struct ox_acl_port. */
	__u8 zero;		/* Likewise. */
	__be16 port;		/* Likewise. */
};
_Static_assert(sizeof(struct ox_acl_service) == 12, "ABI");

/* Prefix lengths of 'acl_services': any port of a protocol; and what is looked
 * for, which is longer than any there. */
#define OX_ACL_PROTOCOL_LEN 48
#define OX_ACL_PORT_LEN 64

/* Key of 'acl_hosts', a hash: one source.  It is looked at before
 * 'acl_sources'. */
struct ox_acl_host {
	__u8 addr[16];		/* Network order, IPv4 as v4-mapped. */
};
_Static_assert(sizeof(struct ox_acl_host) == 16, "ABI");

/* Key of 'acl_sources', a trie whose values are classes, not 0: sources by
 * prefixes shorter than a host's. */
struct ox_acl_source {
	__u32 prefix_len;	/* 0 to 127; 96 more than that of IPv4. */
	__u8 addr[16];		/* Network order, IPv4 as v4-mapped. */
};
_Static_assert(sizeof(struct ox_acl_source) == 20, "ABI");

/* Value of 'acl_hosts'.  Unlike all else of this layer an element is replaced
 * and deleted while programs look, and the kernel reuses a hash's element at
 * once: so 'addr' is the key's again, comes first and is read last, as in
 * struct ox_endpoint.  If it is another, the class says nothing of the packet,
 * which passes.
 *
 * An IPv6 packet from a v4-mapped source would find what belongs to IPv4; but
 * such a source is a martian. */
struct ox_acl_host_class {
	__u8 addr[16];		/* The key again. */
	__u32 class;		/* Class, not 0. */
};
_Static_assert(sizeof(struct ox_acl_host_class) == 20, "ABI");

/* Key of 'acl_classes', a hash whose values are bitmap numbers. */
struct ox_acl_class {
	__u32 set;		/* Id of the set. */
	__u32 class;		/* Class of the source, not 0. */
};
_Static_assert(sizeof(struct ox_acl_class) == 8, "ABI");

/* Value of 'acl_lease', an array of one that user space maps.  The daemon
 * renews it while all that it has written is what OVN wants, as far as it can
 * know. */
struct ox_acl_lease {
	__u64 until_ns;		/* CLOCK_MONOTONIC, in nanoseconds: nothing is
				 * dropped after that. */
	__u64 changes;		/* Odd while the daemon replaces an element of
				 * 'acl_hosts', and never the same afterwards.
				 * The kernel adds the new one and removes the
				 * old one, and who looks meanwhile may miss
				 * both: who misses drops nothing then. */
	__u64 given_ns;		/* For the next daemon: the last 'until_ns'
				 * that was not 0. */
};
_Static_assert(sizeof(struct ox_acl_lease) == 24, "ABI");

/* Most elements of 'opened'. */
#define OX_MAX_OPENED 262144

/* Key of 'opened' and 'sent', hashes: a connection of a VM as seen from
 * outside, by the addresses of what the VM sends. */
struct ox_opened_key {
	__u8 local[16];		/* Its own address outside; IPv4 as v4-mapped. */
	__u8 remote[16];	/* Whom it called, likewise. */
	__be16 local_port;	/* Network order; ICMP echo: the identifier. */
	__be16 remote_port;	/* Likewise; ICMP echo: 0. */
	__u8 proto;		/* IP protocol; in 'opened' always TCP. */
	__u8 zero[3];		/* Always 0. */
} __attribute__((__aligned__(8)));
_Static_assert(sizeof(struct ox_opened_key) == 40, "ABI");

/* States of such a connection. */
#define OX_OPENED_SYN 0		/* TCP: only SYNs were seen. */
#define OX_OPENED_DATA 1	/* TCP: it was answered, so it seems. */
#define OX_OPENED_CLOSING 2	/* TCP: the VM has sent FIN or RST. */
#define OX_SENT_TCP 3		/* As OX_OPENED_DATA, but in 'sent'. */
#define OX_SENT_UDP 4		/* UDP, in 'sent'. */
#define OX_SENT_ECHO 5		/* ICMP echo, in 'sent'. */

/* Value of 'opened' and 'sent'. */
struct ox_opened {
	__u64 seen_ns;		/* CLOCK_MONOTONIC (coarse): last packet of the
				 * VM; in 'sent', of either side. */
	__u32 state;		/* OX_OPENED_* or OX_SENT_*. */
	__u32 zero;		/* Always 0. */
};
_Static_assert(sizeof(struct ox_opened) == 16, "ABI");

/* How long a connection is remembered after its last packet, in seconds, by
 * state.  Longer than conntrack would take a SYN of the other side for a part
 * of it: the kernel's (120 for SYN_SENT and TIME_WAIT) and OVS's own (30 for
 * the first packet, 900 after one FIN).  An idle connection as OVS's own,
 * 86,400 (the kernel's 432,000 would remember what nobody uses). */
#define OX_OPENED_SYN_S 150
#define OX_OPENED_DATA_S 86400
#define OX_OPENED_CLOSING_S 960

/* The same in 'sent', where conntrack must have forgotten all of it: longer
 * than its times, which are 432,000, 180 and 60 at most, and some more: for
 * probes that refresh conntrack and are seen by nobody after that, three periods
 * of confirmation and the time in which an idle flow ends (bpf/sent.h). */
#define OX_SENT_TCP_S 433000
#define OX_SENT_UDP_S 480
#define OX_SENT_ECHO_S 360

/* Returns how long one in 'state' is remembered, in seconds. */
static inline __attribute__((__always_inline__)) __u64
ox_opened_life_s(__u32 state)
{
	switch (state) {
	case OX_OPENED_SYN:
		return OX_OPENED_SYN_S;
	case OX_OPENED_CLOSING:
		return OX_OPENED_CLOSING_S;
	case OX_SENT_TCP:
		return OX_SENT_TCP_S;
	case OX_SENT_UDP:
		return OX_SENT_UDP_S;
	case OX_SENT_ECHO:
		return OX_SENT_ECHO_S;
	default:
		return OX_OPENED_DATA_S;
	}
}

/* The local addresses are in so many parts, by their hash, and that of the
 * protocol.  What one VM does with its connections concerns those of its
 * part. */
#define OX_OPENED_PARTS 1024

/* Most elements of 'opened', or of 'sent', of one part, about: no VM takes all
 * there are. */
#define OX_OPENED_SHARE (OX_MAX_OPENED / 8)

/* A part of the local addresses. */
struct ox_opened_part {
	__u64 full_ns;		/* CLOCK_MONOTONIC (coarse): when a connection
				 * was missed last, or 0: it did not fit, or
				 * could not be read.  Nothing to the part is
				 * dropped for OX_OPENED_SYN_S after that; in
				 * 'sent_state', for ox_sent_horizon_s(). */
	__u64 learn_ns;		/* CLOCK_MONOTONIC: until then connections are
				 * taken up by any segment of theirs.  Only in
				 * 'opened_state'. */
	__s64 n;		/* Elements of the map, about: a daemon that is
				 * killed may have left one too many, and where
				 * a packet puts back what the daemon has just
				 * deleted and uncounted there is one too
				 * few. */
	__u64 zero;		/* Always 0. */
};
_Static_assert(sizeof(struct ox_opened_part) == 32, "ABI");

/* Value of 'opened_state' and 'sent_state', arrays of one that user space maps:
 * programs and the daemon write members of it at the same time. */
struct ox_opened_state {
	__u64 sweeps;		/* Odd while the daemon deletes an element of
				 * the map, and never the same afterwards: who
				 * misses an element meanwhile drops nothing. */
	__u64 zero;		/* Always 0. */
	struct ox_opened_part parts[OX_OPENED_PARTS]; /* By ox_opened_part(). */
};
_Static_assert(sizeof(struct ox_opened_state) == 16 + 32 * OX_OPENED_PARTS,
	       "ABI");

/* Returns the part that the address 'local' is in with 'proto': network order,
 * IPv4 as v4-mapped, aligned to four bytes. */
static inline __attribute__((__always_inline__)) __u32
ox_opened_part(const __u32 local[4], __u8 proto)
{
	__u32 word = local[0] ^ local[1] ^ local[2] ^ local[3];

	return (word * 0x9e3779b1 + proto * 0x85ebca6b) >> 22;
}

/* Returns for how long conntrack may know what has been sent with 'proto', in
 * seconds. */
static inline __attribute__((__always_inline__)) __u64
ox_sent_horizon_s(__u8 proto)
{
	return proto == 6 ? OX_SENT_TCP_S
	       : proto == 17 ? OX_SENT_UDP_S : OX_SENT_ECHO_S;
}

/* Value of 'tracked', a hash by address outside (16 bytes, as in struct
 * ox_opened_key): a VM of layer L3 all of whose connections are in 'sent'. */
struct ox_tracked {
	__u8 addr[16];		/* The key again; read last, as in struct
				 * ox_endpoint. */
	__s64 since_ns;		/* CLOCK_MONOTONIC: those of which something was
				 * sent since then; may be before that began.
				 * 0: it is not known since when. */
};
_Static_assert(sizeof(struct ox_tracked) == 24, "ABI");

/* Value of 'watched', a hash by ifindex: a device whose packets are looked at
 * for connections.  No program reads it.  Key 0 stands for the maps of the
 * connections themselves; they are complete once it is there. */
struct ox_watched {
	__u64 since_ns;		/* CLOCK_MONOTONIC: since when.  0: not yet. */
	__u32 id;		/* Kernel's id of the link, or of the program
				 * where there are no links; key 0: OX_ABI. */
	__u32 side;		/* OX_WATCH_*. */
};
_Static_assert(sizeof(struct ox_watched) == 16, "ABI");

/* Where the packets are looked at. */
#define OX_WATCH_INGRESS 0	/* Received by the device. */
#define OX_WATCH_EGRESS 1	/* Sent by it. */
#define OX_WATCH_FILTER 0x2	/* By a filter of clsact, without a link. */

/* Most elements of 'watched'. */
#define OX_MAX_WATCHED 1024

/* Layer L3, "direct": OVN admits, the programs repeat.
 *
 * The *near* side of a packet is the device that it comes in by: a NIC, or the
 * tap of a VM.  The *far* side is the device that it leaves by: the tap of the
 * VM, or a NIC.  A flow is one direction of a connection, under the tuple that
 * its packets have at the near side.  What is not taken off at the near side
 * leaves a note there ('arrivals') and goes to OVN; the program at the far side
 * sees what OVN made of it, and writes the flow.  See bpf/flow.h. */

/* Ports of VMs with layer L3, by external address. */
#define OX_MAX_DIRECT_PORTS 16384

/* Devices that take directly redirected frames: taps and NICs. */
#define OX_MAX_DIRECT_DEVICES 4096

/* Notes of packets that came in at a near side: a power of two. */
#define OX_MAX_ARRIVALS 16384
#define OX_ARRIVAL_SHIFT 18
_Static_assert(OX_MAX_ARRIVALS == 1ULL << (32 - OX_ARRIVAL_SHIFT), "ABI");

/* The time that flows and arrivals are stamped with: CLOCK_MONOTONIC (coarse),
 * in units of 2^20 ns, about a millisecond; it wraps after 52 days. */
#define OX_TICK_SHIFT 20

/* Key of 'direct_addrs', a hash: an address of a VM with layer L3. */
struct ox_direct_key {
	__u8 addr[16];		/* Its address at one side; IPv4 as v4-mapped.
				 * Network order. */
	__u32 ifindex;		/* The tap, and the address is the one that the
				 * VM has; or 0, and it is the external one. */
};
_Static_assert(sizeof(struct ox_direct_key) == 20, "ABI");

/* Value of 'direct_addrs'.  'addr' comes first and is read last, as in struct
 * ox_endpoint. */
struct ox_direct_addr {
	__u8 addr[16];		/* The key's address again. */
	__u8 other[16];		/* Its address at the other side; the same if
				 * OVN does not translate it. */
	__u32 port;		/* Index in 'direct_ports'. */
	__u32 ifindex;		/* The tap. */
	__u32 bridge;		/* Bridge of its network, as in ox_endpoint;
				 * 0: of a routed node. */
	__u16 vlan;		/* Tag that its packets have on NICs in that
				 * bridge, 1 to 4094, host order; 0: none. */
	__u16 zero;		/* Always 0. */
};
_Static_assert(sizeof(struct ox_direct_addr) == 48, "ABI");

/* Value of 'direct_ports', an array that user space maps. */
struct ox_direct_port {
	__u32 generation;	/* Flows that were made under another one are
				 * void.  Odd while the port is none. */
	__u32 slot;		/* Index in 'endpoint_stats'. */
	__u32 ifindex;		/* The tap. */
	__u32 mtu;		/* Largest layer-3 length, in bytes, that it
				 * takes, and that routers of OVN's let pass
				 * unasked both ways. */
	__u8 mac[6];		/* The VM's MAC. */
	__u16 flags;		/* Always 0. */
	__u32 soft;		/* Ticks since a flow was confirmed: after that,
				 * some packets of it are sent to OVN to have
				 * it confirmed. */
	__u32 hard;		/* Likewise: after that all are. */
	__u32 step;		/* Ticks between those of 'soft'. */
	__u32 seen;		/* OX_DIRECT_SEEN_*: written by programs. */
};
_Static_assert(sizeof(struct ox_direct_port) == 40, "ABI");

/* The VM has sent a packet whose checksum is only half computed (its network
 * card was to complete it), to a program that cannot complete it. */
#define OX_DIRECT_SEEN_HALF_CHECKSUM 0x1

/* Key of 'flows4', a hash: a flow as its packets are at the near side. */
struct ox_flow4_key {
	__be32 saddr;		/* Source address. */
	__be32 daddr;		/* Destination address. */
	__be16 sport;		/* Source port; ICMP echo: identifier. */
	__be16 dport;		/* Destination port; ICMP echo: the type, in
				 * network order. */
	__u8 proto;		/* IPPROTO_TCP, _UDP or _ICMP. */
	__u8 zero;		/* Always 0. */
	__u16 vlan;		/* Tag that it arrives with, host order; 0:
				 * none. */
	__u32 scope;		/* Way out: ifindex of the tap.  Way in: that of
				 * the bridge that the NIC is a port of; 0:
				 * routed. */
	__u32 none;		/* Always 0.  The kernel compares eight bytes
				 * at once, and what is left byte by byte. */
} __attribute__((__aligned__(8)));
_Static_assert(sizeof(struct ox_flow4_key) == 24, "ABI");

/* Key of 'flows6', likewise, with IPPROTO_ICMPV6. */
struct ox_flow6_key {
	__u8 saddr[16];		/* As in struct ox_flow4_key. */
	__u8 daddr[16];
	__be16 sport;
	__be16 dport;
	__u8 proto;
	__u8 zero;
	__u16 vlan;
	__u32 scope;
	__u32 none;
} __attribute__((__aligned__(8)));
_Static_assert(sizeof(struct ox_flow6_key) == 48, "ABI");

/* States of a flow. */
#define OX_FLOW_LEARNING 0	/* OVN has not passed enough of it. */
#define OX_FLOW_USED 1		/* Its packets are taken off. */
#define OX_FLOW_CLOSED 2	/* OVN has passed a packet that ends it. */

/* What OVN has passed of a TCP flow: ox_flow.tcp. */
#define OX_FLOW_SYN 0x1		/* A SYN. */
#define OX_FLOW_SYN_ACK 0x2	/* A SYN with ACK. */
#define OX_FLOW_ACK 0x4		/* A segment with ACK, but without SYN. */

/* Directions of a flow. */
#define OX_FLOW_IN 0		/* NIC to VM. */
#define OX_FLOW_OUT 1		/* VM to NIC. */

/* Value of 'flows4' and 'flows6'.
 *
 * 'head' comes first, and a program reads it before all else and after all
 * else: its lower half is ox_flow4_check() or ox_flow6_check() of the key, its
 * upper half a number that no two flows have soon after each other.  If it is
 * another one than it was, or not of the key, the element was replaced or
 * recycled meanwhile, and says nothing of the packet.  Who changes any of the
 * members before 'used' in place sets 'head' to 0 before, and to a new one
 * after that. */
struct ox_flow {
	__u64 head;		/* See above. */
	__u8 macs[12];		/* Destination and source MAC to write. */
	__u16 vlan;		/* Tag to push, host order; 0: none. */
	__u16 csum;		/* What the change of the address adds to the
				 * checksum's complement (RFC 1624), folded. */
	__u8 near_mac[6];	/* Destination MAC that its packets have at the
				 * near side. */
	__u16 mtu;		/* Largest layer-3 length, in bytes, that the
				 * device takes. */
	__u32 ifindex;		/* Device to send it to. */
	__u32 generation;	/* Of its port. */
	__u16 port;		/* Index in 'direct_ports'. */
	__u8 aging;		/* By how much the TTL falls. */
	__u8 state;		/* OX_FLOW_*; written by the far side. */
	__u32 used;		/* Ticks: last packet that was taken off;
				 * written by the near side. */
	__u32 confirmed;	/* Ticks: last packet or probe that OVN has
				 * passed; written by the far side. */
	__u8 nat[16];		/* Address to write, network order, IPv4 in the
				 * first four bytes: the destination on the
				 * way in, the source on the way out. */
	__u32 created;		/* Ticks: when it was written. */
	__u64 packets;		/* Packets that were taken off, and their
				 * lengths as they arrived.  CPUs may overwrite
				 * each other's count. */
	__u64 bytes;
	__u32 asked;		/* Ticks: last packet that the near side has
				 * sent to OVN to have the flow confirmed. */
	__u8 passed;		/* Packets that OVN has passed under its
				 * generation, up to 255. */
	__u8 tcp;		/* OX_FLOW_SYN...: of TCP. */
	__u8 out;		/* OX_FLOW_IN or _OUT. */
	__u8 tos;		/* Not used: always 0. */
	__u32 seen;		/* Ticks: last packet that OVN has passed. */
	__u32 near_ifindex;	/* Device at the near side that the packet came
				 * in by with which it was learned. */
	__u8 near_source[6];	/* Source MAC that this packet had there. */
	__u16 zero;		/* Always 0. */
	__u32 closed;		/* Ticks: last packet that OVN has passed and
				 * that ended it. */
};
_Static_assert(sizeof(struct ox_flow) == 120, "ABI");

/* Value of 'arrivals', an array: a packet that came in at a near side and was
 * left to OVN.  A later one may take its place at any moment; 'sum' tells
 * whether it is all of one piece (bpf/flow.h). */
struct ox_arrival {
	__u64 sum;		/* Over all that follows. */
	__u8 saddr[16];		/* As in struct ox_flow4_key; IPv4 as
				 * v4-mapped. */
	__u8 daddr[16];
	__be16 sport;
	__be16 dport;
	__u8 proto;
	__u8 ttl;		/* TTL or hop limit that it came with. */
	__u16 vlan;
	__u32 scope;
	__u8 macs[12];		/* Destination and source MAC, likewise. */
	__u16 len;		/* Layer-3 length in bytes; 0: several segments
				 * in one (GSO). */
	__u8 tos;		/* TOS or traffic class. */
	__u8 zero;		/* Always 0. */
	__u32 at;		/* Ticks: when. */
	__u32 ifindex;		/* Device that it came in by. */
};
_Static_assert(sizeof(struct ox_arrival) == 80, "ABI");

/* Value of 'direct_state', an array of one that user space maps. */
struct ox_direct_state {
	__u64 secret;		/* Random number, by which programs know probes
				 * of the daemon. */
	__u32 abi;		/* OX_ABI, once the maps are complete.  No
				 * program reads it. */
	__u32 zero;		/* Always 0. */
};
_Static_assert(sizeof(struct ox_direct_state) == 16, "ABI");

/* Rows of 'direct_reasons', a per-CPU array of struct ox_counter with
 * OX_N_REASONS elements each.  What a NIC's XDP program takes off or leaves to
 * OVN is in 'reasons', as all it does. */
#define OX_DIRECT_NEAR_NIC 0	/* TC program on the ingress of NICs. */
#define OX_DIRECT_NEAR_VM 1	/* Program on the ingress of taps. */
#define OX_DIRECT_FAR_NIC 2	/* TC program on the egress of NICs. */
#define OX_DIRECT_FAR_VM 3	/* TC program on the egress of taps. */
#define OX_N_DIRECT_ROWS 4

/* What a frame that a TC program takes off carries in 'cb[0]' and 'cb[1]', so
 * that the program at the far side takes no notice of it. */
#define OX_DIRECT_CB0 0x6f786672
#define OX_DIRECT_CB1 0x64697265

/* Eight bytes of a key, whatever its members are. */
typedef __u64 __attribute__((__may_alias__)) ox_key_word;

/* Returns a sum over the 'len' bytes of 'key', never 0.  Each word is multiplied
 * by a number of its own, all at the same time: to mix one with the sum over
 * those before it would have the processor wait. */
static inline __attribute__((__always_inline__)) __u32
ox_flow_sum(const void *key, unsigned int len)
{
	const ox_key_word *word = key;
	__u64 factor = 0x9e3779b97f4a7c15ULL;
	__u64 sum = 0;
	unsigned int i;

	for (i = 0; i < len / sizeof(*word); i++) {
		sum += word[i] * factor;
		factor *= 0xd6e8feb86659fd93ULL;
	}
	return (__u32)(sum >> 32) | 1;
}

/* Returns the index in 'arrivals' for a flow with 'check'.  What differs in the
 * last bytes of a word of the key only, as addresses of one network do, differs
 * in the upper half of 'check' only: that is spread over all bits first. */
static inline __attribute__((__always_inline__)) __u32
ox_arrival_index(__u32 check)
{
	return check * 0x9e3779b1U >> OX_ARRIVAL_SHIFT;
}

/* Returns the lower half of ox_flow.head under 'key', never 0. */
static inline __attribute__((__always_inline__)) __u32
ox_flow4_check(const struct ox_flow4_key *key)
{
	return ox_flow_sum(key, sizeof(*key));
}

/* The same for IPv6. */
static inline __attribute__((__always_inline__)) __u32
ox_flow6_check(const struct ox_flow6_key *key)
{
	return ox_flow_sum(key, sizeof(*key));
}

/* Bytes of payload that a probe has. */
#define OX_PROBE_UDP_DATA 4

/* TTL or hop limit that a probe comes in with at the near side. */
#define OX_PROBE_TTL 64

/* Returns the number by which a probe of the flow whose ox_flow.head has
 * 'check' as its lower half is known, given ox_direct_state.secret.  A probe is
 * a packet of the flow with no payload, or with one that no packet of a user has
 * by chance:
 *
 *   TCP     an ACK (no other flag) whose sequence number is the upper half of
 *           it, and whose acknowledgement number the lower half;
 *   UDP     OX_PROBE_UDP_DATA bytes of payload: over IPv4 bits 16 to 47 of it
 *           (ox_probe_word()), with a checksum of 0; over IPv6 bits 20 to 51;
 *   echo    the ICMP sequence number is bits 16 to 31 of it;
 *   both    over IPv4, the identification is its lowest 16 bits; over IPv6, the
 *           flow label is its lowest 20 bits.
 *
 * Its TOS or traffic class is 0, its TTL or hop limit OX_PROBE_TTL.  All of
 * that but the latter reaches the far side as it is. */
static inline __attribute__((__always_inline__)) __u64
ox_probe_number(__u64 secret, __u32 check)
{
	__u64 x = secret ^ check * 0x9e3779b97f4a7c15ULL;

	x = (x ^ x >> 32) * 0xd6e8feb86659fd93ULL;
	return x ^ x >> 32;
}

/* Returns the payload of a UDP probe of 'number', in host order. */
static inline __attribute__((__always_inline__)) __u32
ox_probe_word(__u64 number, int is_ip6)
{
	return number >> (is_ip6 ? 20 : 16);
}

/* Returns the sequence number of an ICMP probe of 'number', likewise. */
static inline __attribute__((__always_inline__)) __u16
ox_probe_sequence(__u64 number)
{
	return number >> 16;
}

/* What the daemon has inject.bpf.c send.  It outlives no daemon. */

/* Most frames in one call.  What devices are to receive waits in a queue of the
 * CPU, for 1000 packets by default (net.core.netdev_max_backlog), until the
 * call is over. */
#define OX_MAX_INJECTIONS 128

/* Longest frame, in bytes. */
#define OX_INJECTION_LEN 80

/* A frame. */
struct ox_injection {
	__u32 ifindex;		/* Device. */
	__u32 flags;		/* BPF_F_INGRESS: as if it had received it; 0:
				 * it sends it. */
	__u32 len;		/* Bytes of 'data' in use, ETH_HLEN at least. */
	__s32 result;		/* 0, or why it was not taken: a negative errno,
				 * or a positive code of the queue that is
				 * full.  Written by the program. */
	__u8 data[OX_INJECTION_LEN];
};
_Static_assert(sizeof(struct ox_injection) == 16 + OX_INJECTION_LEN, "ABI");

#endif /* bpf/abi.h */
