/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only) */
/* Programs of bench-nic.c and bench-acl.c.
 *
 * BPF_PROG_TEST_RUN does not restore the frame between repeats: a program that
 * rewrites would see its own work from the second time on.  So 'restore' runs
 * before each: it puts a frame back, one of many in turn, and calls the program
 * under test, whose cost is what comes on top of 'restore' calling 'empty'.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "tests/bpf/bench.h"

/* Number of frames in 'frames' that are in use, less one: a power of two,
 * less one. */
__u32 frame_mask;

/* Frame that comes next. */
__u32 next_frame;

/* The first of those frames in 'frames'. */
__u32 first_frame;

/* The frames. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, BENCH_KINDS * BENCH_MAX_FRAMES);
	__type(key, __u32);
	__type(value, struct bench_frame);
} frames SEC(".maps");

/* The program under test. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} peer SEC(".maps");

/* MAC addresses by IPv4 address, for 'reference'. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, BENCH_MAX_FRAMES);
	__type(key, __u32);
	__type(value, struct bench_mac);
} macs SEC(".maps");

/* Where 'reference' redirects to. */
struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP_HASH);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} devices SEC(".maps");

/* Copies the bytes of TYPE at 'offset' from 'from' to 'to'. */
#define COPY(TYPE, OFFSET) \
	(*(volatile TYPE *)(to + (OFFSET)) = \
	 *(const volatile TYPE *)(from + (OFFSET)))

/* Writes the frame 'from' to 'to'.  What a program reads at once lies in one of
 * the words that are written: the processor would wait if it were put together
 * from several, which it does not for the frames of a real NIC.  So both
 * addresses of IPv4 are one word, and those of IPv6 two each. */
static __always_inline void
write_frame(void *to, const void *from)
{
	__be16 type = *(const __be16 *)(from + ETH_HLEN - 2);
	int i;

	COPY(__u64, 0);
	COPY(__u32, 8);
	COPY(__u16, 12);
	if (type == bpf_htons(ETH_P_IPV6)) {
#pragma unroll
		for (i = ETH_HLEN; i < BENCH_FRAME_LEN - 2; i += 8)
			COPY(__u64, i);
	} else {
		COPY(__u64, ETH_HLEN);
		COPY(__u32, ETH_HLEN + 8);
#pragma unroll
		for (i = ETH_HLEN + 12; i < BENCH_FRAME_LEN - 6; i += 8)
			COPY(__u64, i);
		COPY(__u32, BENCH_FRAME_LEN - 6);
	}
	COPY(__u16, BENCH_FRAME_LEN - 2);
}

/* Puts the next frame into the buffer and runs the program under test. */
SEC("xdp.frags")
int restore(struct xdp_md *ctx)
{
	__u32 index = first_frame + (next_frame++ & frame_mask);
	struct bench_frame *frame;
	void *data;
	int grown;

	grown = ctx->data_end - ctx->data - BENCH_FRAME_LEN;
	if (grown && bpf_xdp_adjust_head(ctx, grown))
		return XDP_ABORTED;
	frame = bpf_map_lookup_elem(&frames, &index);
	data = (void *)(long)ctx->data;
	if (!frame || data + BENCH_FRAME_LEN > (void *)(long)ctx->data_end)
		return XDP_ABORTED;
	write_frame(data, frame);
	bpf_tail_call(ctx, &peer, 0);
	return XDP_ABORTED;
}

/* Costs nothing. */
SEC("xdp.frags")
int empty(struct xdp_md *ctx)
{
	return XDP_PASS;
}

/* Drops whatever comes. */
SEC("xdp.frags")
int drop(struct xdp_md *ctx)
{
	return XDP_DROP;
}

/* Redirects whatever comes. */
SEC("xdp.frags")
int bare(struct xdp_md *ctx)
{
	return bpf_redirect_map(&devices, 1, 0);
}

/* The least that redirecting a floating IP can be: one look-up, the
 * destination MAC, the redirect. */
SEC("xdp.frags")
int reference(struct xdp_md *ctx)
{
	void *data_end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = (void *)(long)ctx->data;
	struct iphdr *ip = (void *)(eth + 1);
	struct bench_mac *mac;
	__u32 address;

	if ((void *)(ip + 1) > data_end || eth->h_proto != bpf_htons(ETH_P_IP))
		return XDP_PASS;
	address = ip->daddr;
	mac = bpf_map_lookup_elem(&macs, &address);
	if (!mac)
		return XDP_PASS;
	*(__u32 *)eth->h_dest = mac->head;
	*(__u16 *)(eth->h_dest + 4) = mac->tail;
	return bpf_redirect_map(&devices, 1, 0);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
