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
#define OX_ABI 3

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
				 * one, which no program reads. */
	__u32 ifindex;		/* The NIC, or 0 for a free slot. */
	__u32 bridge;		/* The bridge that it is a port of, as in struct
				 * ox_endpoint; 0: of none. */
};
_Static_assert(sizeof(struct ox_nic) == 16, "ABI");

/* The device is the outer end of a managed port. */
#define OX_NIC_SINK 0x1

/* The program is bound to its device, to read stripped VLAN tags. */
#define OX_NIC_TAG_HINT 0x2

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

/* Key of 'opened', a hash: a TCP connection that a VM has opened, or tried to,
 * as seen from inside, on its way out of the bridge. */
struct ox_opened_key {
	__u8 local[16];		/* Its own address outside; IPv4 as v4-mapped. */
	__u8 remote[16];	/* Whom it called, likewise. */
	__be16 local_port;	/* Network order. */
	__be16 remote_port;	/* Likewise. */
};
_Static_assert(sizeof(struct ox_opened_key) == 36, "ABI");

/* States of such a connection. */
#define OX_OPENED_SYN 0		/* Only SYNs were seen. */
#define OX_OPENED_DATA 1	/* It was answered, so it seems. */
#define OX_OPENED_CLOSING 2	/* The VM has sent FIN or RST. */

/* Value of 'opened'. */
struct ox_opened {
	__u64 seen_ns;		/* CLOCK_MONOTONIC (coarse): last packet of the
				 * VM. */
	__u32 state;		/* OX_OPENED_*. */
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

/* Returns how long one in 'state' is remembered, in seconds. */
static inline __attribute__((__always_inline__)) __u64
ox_opened_life_s(__u32 state)
{
	switch (state) {
	case OX_OPENED_SYN:
		return OX_OPENED_SYN_S;
	case OX_OPENED_CLOSING:
		return OX_OPENED_CLOSING_S;
	default:
		return OX_OPENED_DATA_S;
	}
}

/* The local addresses are in so many parts, by their hash.  What one VM does
 * with its connections concerns those of its part. */
#define OX_OPENED_PARTS 1024

/* Most elements of 'opened' of one part, about: no VM takes all there are. */
#define OX_OPENED_SHARE (OX_MAX_OPENED / 8)

/* A part of the local addresses. */
struct ox_opened_part {
	__u64 full_ns;		/* CLOCK_MONOTONIC (coarse): when a connection
				 * was missed last, or 0: it did not fit, or
				 * could not be read.  Nothing to the part is
				 * dropped for OX_OPENED_SYN_S after that. */
	__u64 learn_ns;		/* CLOCK_MONOTONIC: until then connections are
				 * taken up by any segment of theirs. */
	__s64 n;		/* Elements of 'opened', about: a daemon that is
				 * killed may have left one too many, and where
				 * a packet puts back what the daemon has just
				 * deleted and uncounted there is one too
				 * few. */
	__u64 zero;		/* Always 0. */
};
_Static_assert(sizeof(struct ox_opened_part) == 32, "ABI");

/* Value of 'opened_state', an array of one that user space maps: programs and
 * the daemon write members of it at the same time. */
struct ox_opened_state {
	__u64 sweeps;		/* Odd while the daemon deletes an element of
				 * 'opened', and never the same afterwards: who
				 * misses an element meanwhile drops nothing. */
	__u64 zero;		/* Always 0. */
	struct ox_opened_part parts[OX_OPENED_PARTS]; /* By ox_opened_part(). */
};
_Static_assert(sizeof(struct ox_opened_state) == 16 + 32 * OX_OPENED_PARTS,
	       "ABI");

/* Returns the part that the address 'local' is in: network order, IPv4 as
 * v4-mapped, aligned to four bytes. */
static inline __attribute__((__always_inline__)) __u32
ox_opened_part(const __u32 local[4])
{
	__u32 word = local[0] ^ local[1] ^ local[2] ^ local[3];

	return word * 0x9e3779b1 >> 22;
}

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

#endif /* bpf/abi.h */
