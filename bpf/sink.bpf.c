/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only) */
/* The program of the outer end of a managed port.  The bridge floods and
 * answers towards that end, but there is no host behind it: all is dropped and
 * counted.  User space gives it the 'reasons' map of ovn-xdp.bpf.c.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "abi.h"
#include "count.h"

/* Drops every frame. */
SEC("xdp.frags")
int port_sink(struct xdp_md *ctx)
{
	ox_count_reason(OX_R_PORT_SINK, bpf_xdp_get_buff_len(ctx));
	return XDP_DROP;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
