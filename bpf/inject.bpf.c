/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only) */
/* Sends frames of the daemon, by any device and in either direction.  It is
 * attached nowhere: BPF_PROG_TEST_RUN with 'repeat' calls it once for each
 * frame.
 *
 * That takes 1 to 2 us for each of a batch, and no right beyond those that the
 * daemon has for BPF.  Live frames of XDP cost 13 ms for each batch, since the
 * kernel tears down a pool of pages; a packet socket needs CAP_NET_RAW, and
 * only sends.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>

#include "abi.h"

#define EINVAL 22

/* The frames, and which one comes next.  User space maps both. */
struct ox_injection injections[OX_MAX_INJECTIONS];
__u32 next_injection;

/* Makes 'skb' the frame of 'injection' and sends a copy.  Returns what becomes
 * 'result'. */
static __always_inline long
send(struct __sk_buff *skb, struct ox_injection *injection)
{
	__u32 len = injection->len;
	long error;

	/* So that the verifier sees it. */
	if (len < ETH_HLEN || len > OX_INJECTION_LEN)
		return -EINVAL;
	error = bpf_skb_change_tail(skb, len, 0);
	if (!error)
		error = bpf_skb_store_bytes(skb, 0, injection->data, len, 0);
	if (!error)
		error = bpf_clone_redirect(skb, injection->ifindex,
					   injection->flags);
	return error;
}

/* Sends the next frame. */
SEC("tc")
int inject(struct __sk_buff *skb)
{
	struct ox_injection *injection;
	__u32 n = next_injection;

	if (n >= OX_MAX_INJECTIONS)
		return TC_ACT_OK;
	next_injection = n + 1;
	injection = &injections[n];
	injection->result = send(skb, injection);
	return TC_ACT_OK;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
