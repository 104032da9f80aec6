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
#define OX_ABI 2

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
	__u32 zero;		/* Always 0. */
};
_Static_assert(sizeof(struct ox_endpoint) == 48, "ABI");

/* The target takes multi-buffer frames (NETDEV_XDP_ACT_NDO_XMIT_SG). */
#define OX_EP_TARGET_SG 0x1

/* Value of map 'nics', an array indexed by the program's 'nic_slot'. */
struct ox_nic {
	__u8 mac[6];		/* The NIC's own MAC: others' frames pass. */
	__u16 flags;		/* OX_NIC_*: notes of the daemon to the next
				 * one, which no program reads. */
	__u32 ifindex;		/* The NIC, or 0 for a free slot. */
};
_Static_assert(sizeof(struct ox_nic) == 12, "ABI");

/* The device is the outer end of a managed port. */
#define OX_NIC_SINK 0x1

/* The program is bound to its device, to read stripped VLAN tags. */
#define OX_NIC_TAG_HINT 0x2

/* Value of the per-CPU arrays 'reasons' (index: nic_slot * OX_N_REASONS +
 * enum ox_reason) and 'endpoint_stats' (index: ox_endpoint.slot).  Bytes are
 * whole frames as they arrived. */
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

#endif /* bpf/abi.h */
