/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only) */
/* Looking up endpoints.
 */
#ifndef BPF_ENDPOINT_H
#define BPF_ENDPOINT_H

#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "abi.h"
#include "maps.h"

/* Keeps the compiler from moving loads and stores across it.
 *
 * The processor is not told: x86 does a program's loads in their order, and a
 * daemon's stores in theirs.  All proofs by such an order ("is read last",
 * 'changes', 'sweeps') rest on that.  On others, as arm64, a load may be early:
 * there BPF has a barrier only in atomic operations, or, from Linux 6.15 on, in
 * loads that acquire, and this would have to become one, also between the two
 * looks at 'changes' and at 'sweeps'. */
#define ox_barrier() asm volatile("" ::: "memory")

/* A key of 'endpoints4' as the word that the look-up compares.  Stored in
 * halves it would have to be put together again, and the processor waits for
 * that. */
union ox_word4 {
	struct ox_key4 key;	/* The key. */
	__u64 word;		/* All of it. */
};

/* The same for 'endpoints6'. */
union ox_words6 {
	struct ox_key6 key;	/* The key. */
	__u64 word[2];		/* Its address. */
};

/* Finds the endpoint of the IPv4 address 'addr', or NULL. */
static __always_inline const struct ox_endpoint *
ox_find_ip4(__be32 addr)
{
	union ox_word4 to;

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	to.word = addr;
#else
	to.word = (__u64)addr << 32;
#endif
	return bpf_map_lookup_elem(&endpoints4, &to.key);
}

/* Finds the endpoint of the IPv6 address 'addr', or NULL. */
static __always_inline const struct ox_endpoint *
ox_find_ip6(const struct in6_addr *addr)
{
	const __u64 *from = (const __u64 *)addr;
	union ox_words6 to = {};

	to.word[0] = from[0];
	to.word[1] = from[1];
	return bpf_map_lookup_elem(&endpoints6, &to.key);
}

/* Tells whether 'endpoint' is (still) that of the packet of 'proto' whose
 * header is at 'l3'. */
static __always_inline int
ox_is_endpoint(const struct ox_endpoint *endpoint, const void *l3,
	       __be16 proto)
{
	const __be32 *found = (const __be32 *)endpoint->addr;
	const __be32 *asked;

	if (proto == bpf_htons(ETH_P_IP))
		return *found == ((const struct iphdr *)l3)->daddr;
	asked = ((const struct ipv6hdr *)l3)->daddr.s6_addr32;
	return found[0] == asked[0] && found[1] == asked[1] &&
	       found[2] == asked[2] && found[3] == asked[3];
}

#endif /* bpf/endpoint.h */
