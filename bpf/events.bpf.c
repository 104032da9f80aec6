/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only) */
/* Counts redirects that failed after the verdict.  Such frames are gone, and
 * no interface counter tells it; only two tracepoints do.
 *
 * The links of these programs are pinned, so that they count while the daemon
 * is away.  They need the kernel's BTF; without it there is no count, and
 * nothing else is missing.
 *
 * The arguments that are read have been in these places since Linux 5.6.
 * There, too, 'xdp_redirect_map_err' stopped firing: 'xdp_redirect_err'
 * stands for both.
 */
#include <linux/bpf.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "abi.h"

/* Kernel structs, cut down to what is read.  Offsets come from BTF. */
#pragma clang attribute push(__attribute__((preserve_access_index)), \
			     apply_to = record)

struct ns_common {
	unsigned int inum;
};

struct net {
	struct ns_common ns;
};

typedef struct {
	struct net *net;
} possible_net_t;

struct net_device {
	int ifindex;
	possible_net_t nd_net;
};

#pragma clang attribute pop

/* Inode number of the daemon's network namespace: an ifindex means nothing in
 * another one. */
const volatile __u32 netns_inum;

/* nic_slot by the ifindex of each NIC that carries nic_redirect. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, OX_MAX_NICS);
	__type(key, __u32);
	__type(value, __u32);
} nic_index SEC(".maps");

/* Frames lost, by positive errno; 0 where the driver gave none (its ring was
 * full, usually). */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, OX_MAX_ERRNO);
	__type(key, __u32);
	__type(value, __u64);
} redirect_errors SEC(".maps");

/* Tells whether 'dev' is one of the daemon's NICs. */
static __always_inline int
is_ours(const struct net_device *dev)
{
	__u32 ifindex;

	if (BPF_CORE_READ(dev, nd_net.net, ns.inum) != netns_inum)
		return 0;
	ifindex = BPF_CORE_READ(dev, ifindex);
	return bpf_map_lookup_elem(&nic_index, &ifindex) != NULL;
}

/* Counts 'frames' lost for 'error', an errno of either sign. */
static __always_inline void
count_lost(int error, __u32 frames)
{
	__u32 index = error < 0 ? -error : error;
	__u64 *lost;

	if (index >= OX_MAX_ERRNO)
		index = OX_MAX_ERRNO - 1;
	lost = bpf_map_lookup_elem(&redirect_errors, &index);
	if (lost)
		*lost += frames;
}

/* One frame could not be queued for its target. */
SEC("raw_tp/xdp_redirect_err")
int redirect_err(struct bpf_raw_tracepoint_args *ctx)
{
	const struct net_device *from = (const void *)ctx->args[0];
	int error = ctx->args[3];

	if (is_ours(from))
		count_lost(error, 1);
	return 0;
}

/* A target has been given queued frames, and may have refused some. */
SEC("raw_tp/xdp_devmap_xmit")
int devmap_xmit(struct bpf_raw_tracepoint_args *ctx)
{
	const struct net_device *from = (const void *)ctx->args[0];
	int dropped = ctx->args[3];
	int error = ctx->args[4];

	if (dropped > 0 && is_ours(from))
		count_lost(error, dropped);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
