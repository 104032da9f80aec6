/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only) */
/* Programs of stream.c. */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "tests/bpf/stream.h"

/* The frame that is sent, and in how many flows, a power of two, less one. */
struct stream_frame frame;
__u32 flow_mask;

/* Sum over what its checksum covers, without the source port. */
__u32 frame_sum;

/* Number of the next frame. */
__u32 next;

/* Where 'stream_send' and 'stream_bare' send to. */
struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP_HASH);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u32);
} devices SEC(".maps");

/* Frames of the stream that have come. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} caught SEC(".maps");

/* Sends the next frame, whatever the buffer has. */
SEC("xdp")
int stream_send(struct xdp_md *ctx)
{
	void *data_end = (void *)(long)ctx->data_end;
	struct stream_frame *to = (void *)(long)ctx->data;

	__be16 source;
	__sum16 check;
	__u32 sum;

	if ((void *)(to + 1) > data_end)
		return XDP_ABORTED;
	source = bpf_htons(STREAM_FIRST_PORT + (next++ & flow_mask));
	sum = frame_sum + source;
	*to = frame;
	to->udp.source = source;
	check = ~((sum & 0xffff) + (sum >> 16));
	to->udp.check = check ? check : 0xffff;
	return bpf_redirect_map(&devices, STREAM_WIRE, 0);
}

/* Redirects whatever comes. */
SEC("xdp")
int stream_bare(struct xdp_md *ctx)
{
	return bpf_redirect_map(&devices, STREAM_TARGET, 0);
}

/* Drops the stream and counts it. */
SEC("xdp")
int stream_catch(struct xdp_md *ctx)
{
	void *data_end = (void *)(long)ctx->data_end;
	struct stream_frame *f = (void *)(long)ctx->data;
	__u32 zero = 0;
	__u64 *n;

	if ((void *)(f + 1) > data_end ||
	    f->eth.h_proto != bpf_htons(ETH_P_IP) ||
	    f->ip.protocol != IPPROTO_UDP ||
	    f->udp.dest != bpf_htons(STREAM_PORT))
		return XDP_PASS;
	n = bpf_map_lookup_elem(&caught, &zero);
	if (n)
		++*n;
	return XDP_DROP;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
