/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only) */
/* Numbers that are found behind the header of an IP packet, and what several
 * layers do with it.
 */
#ifndef BPF_TRANSPORT_H
#define BPF_TRANSPORT_H

#include <linux/types.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>

/* IPv6 next headers that may stand before that of the transport. */
#define OX_NEXT_HOP_BY_HOP 0
#define OX_NEXT_ROUTING 43
#define OX_NEXT_FRAGMENT 44
#define OX_NEXT_AUTHENTICATION 51
#define OX_NEXT_NONE 59
#define OX_NEXT_DESTINATION 60
#define OX_NEXT_MOBILITY 135
#define OX_NEXT_HIP 139
#define OX_NEXT_SHIM6 140

/* Flags of TCP. */
#define OX_TCP_FIN 0x01
#define OX_TCP_SYN 0x02
#define OX_TCP_RST 0x04
#define OX_TCP_ACK 0x10

/* Those that tell the first packet of a connection: SYN, and no other. */
#define OX_TCP_FIRST (OX_TCP_FIN | OX_TCP_SYN | OX_TCP_RST | OX_TCP_ACK)

/* Copies an IPv6 address. */
static __always_inline void
ox_copy_ip6(void *to, const void *from)
{
	const __u32 *x = from;
	__u32 *word = to;

	word[0] = x[0];
	word[1] = x[1];
	word[2] = x[2];
	word[3] = x[3];
}

/* Tells whether conntrack looks behind the header 'next' of IPv6. */
static __always_inline bool
ox_is_extension(__u8 next)
{
	return next == OX_NEXT_HOP_BY_HOP || next == OX_NEXT_ROUTING ||
	       next == OX_NEXT_FRAGMENT || next == OX_NEXT_AUTHENTICATION ||
	       next == OX_NEXT_DESTINATION;
}

#endif /* bpf/transport.h */
