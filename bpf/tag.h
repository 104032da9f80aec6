/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only) */
/* VLAN tags that a NIC takes out of a frame before the program sees it.
 */
#ifndef BPF_TAG_H
#define BPF_TAG_H

#include <linux/bpf.h>
#include <linux/types.h>
#include <stdbool.h>

/* A VLAN tag. */
struct ox_rx_tag {
	__be16 proto;		/* Its Ethernet type. */
	__u16 tci;		/* Priority and VLAN, host order. */
};

/* The VLAN of a tag: these bits of its 'tci'. */
#define OX_VLAN_MASK 0xfff

/* Tells whether the NIC has stripped a VLAN tag from the frame, as far as the
 * program can know, and stores it in 'tag' if so.  It is the one difference
 * between the objects, and each defines it. */
static __always_inline bool
ox_tag_stripped(const struct xdp_md *ctx, struct ox_rx_tag *tag);

#endif /* bpf/tag.h */
