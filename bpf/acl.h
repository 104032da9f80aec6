/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only) */
/* Layer L2: drops early what OVN's ACLs would drop.
 *
 * A packet that OVN would deliver must never be dropped, whereas one that OVN
 * would drop may always pass: OVN will drop it.  So each step here says "pass"
 * unless it knows better.  What is dropped satisfies all of this:
 *
 * 1. L1 has found nothing that speaks against redirecting it, but for what it
 *    can only find by trying (that the target is gone, or no room in front).
 *    So its IP header is sound, and it goes to an address that OVN has placed
 *    on this chassis; the set of rules and that address were read from one
 *    element of the map (ox_acl_drops()).
 *
 * 2. The first rule that matches it drops.  Rules look at the source, the
 *    protocol and the destination port, or the type and code of ICMP, and at
 *    nothing else: the daemon gives no set to a port whose rules look at more.
 *    The program has to see what OVN would see (ox_acl_read()):
 *    - OVN reassembles fragments, and looks behind IPv6 extension headers: the
 *      program does neither, and passes both.
 *    - Where the header of the transport is cut off, or TCP's data offset is
 *      wrong, OVN's fields are not there and rules about them do not match:
 *      passes.
 *    - IPv4 options change nothing of it, but are rare, and pass.
 *    - OVN's router answers a packet whose TTL or hop limit is used up by this
 *      hop and its own, before any rule: passes.
 *    - Neighbour and router discovery, MLD and DHCPv6 are allowed by OVN above
 *      all rules, and it may answer a DNS query, or take IGMP, before them:
 *      pass (ox_acl_exempt()).
 *
 * 3. It belongs to no connection.  If there are none, that is so.  Otherwise
 *    only a pure TCP SYN is dropped (ox_acl_read_tcp()): anything else may be
 *    an answer or related to a connection, which conntrack knows and the
 *    program does not; ICMP and UDP give no sign of being first.  But where
 *    layer L3 has no flow of the packet, whose address has that layer, sent.h
 *    knows what the VM has sent: then UDP, other segments of TCP and ICMP echo
 *    are dropped as well, if they answer nothing (ox_acl_judge_fresh()).
 *    - A SYN of a connection that was allowed before meets the same rules
 *      again, since OVN applies them to each packet of the direction that has
 *      opened it.
 *    - A SYN may answer a SYN of the VM (simultaneous open), or the VM's
 *      connection may be there already: opened.h knows whom the VM has called
 *      (ox_acl_answers()).
 *    - A wrong checksum makes it invalid to conntrack, which not every
 *      configuration of OVN drops; but nobody is left who would take it.
 *
 * 4. Its source is what rules will see.  A packet from an address of this
 *    chassis may be translated on its way (ox_acl_inside()): passes.
 *
 * 5. The rules are what OVN wants now.  The daemon says so by renewing a lease,
 *    while what it has written is all that the databases say (ox_acl_leased()).
 *    The clock is the coarse one, so a lease lasts up to a tick longer.
 *
 * And each packet sees a set as it was or as it is, never half of it: a set
 * never changes, and is complete before 'acl_sets' or an endpoint names it.
 * What is shared by sets is the class of a source, one element.  The rows of a
 * class are there before the class is given to a source, and stay until no
 * program can still hold it.  While the class of a host is replaced, whoever
 * might find neither the old nor the new one drops nothing (ox_acl_class()).
 * Loads have to be done in their order for that: see ox_barrier().
 */
#ifndef BPF_ACL_H
#define BPF_ACL_H

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <stdbool.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "abi.h"
#include "acl-maps.h"
#include "acl-packet.h"
#include "count.h"
#include "endpoint.h"
#include "maps.h"
#include "opened.h"
#include "sent.h"

/* Types of ICMP echo. */
#define OX_ACL_ECHO4 8
#define OX_ACL_ECHO4_REPLY 0
#define OX_ACL_ECHO6 128
#define OX_ACL_ECHO6_REPLY 129

/* What OVN would drop is dropped; otherwise it is only counted.  Set before
 * the programs are loaded. */
const volatile bool acl_drop;

/* The class of a source is not known. */
#define OX_ACL_UNKNOWN 0xffffffffU

/* A source address as the maps have it. */
union ox_acl_from {
	struct ox_acl_source prefix;	/* Key of 'acl_sources'. */
	struct {
		__u32 len;		/* Its length. */
		__be32 word[4];		/* Its address. */
	};
};

/* A key of 'acl_services', in which one of 'acl_ports' lies. */
union ox_acl_what {
	struct ox_acl_service service;	/* Key of 'acl_services'. */
	struct {
		__u32 len;		/* Its length. */
		struct ox_acl_port port; /* Key of 'acl_ports'. */
	};
};

/* What a set of rules says of a packet. */
struct ox_acl_verdict {
	__u32 rule;		/* The rule that decides. */
	bool drops;		/* It drops. */
};

/* Returns bitmap 'number', or NULL. */
static __always_inline const struct ox_acl_bits *
ox_acl_bits(__u32 number)
{
	return bpf_map_lookup_elem(&acl_bits, &number);
}

/* Returns the rules of 'set', which is that of 'id', that do not speak against
 * what 'packet' is, or NULL if they are not there. */
static __always_inline const struct ox_acl_bits *
ox_acl_by_service(__u32 id, const struct ox_acl_set *set,
		  const struct ox_acl_packet *packet)
{
	union ox_acl_what what = {
		.len = OX_ACL_PORT_LEN,
		.port = { id, packet->protocol, 0, packet->port },
	};
	const __u32 *number;

	number = bpf_map_lookup_elem(&acl_ports, &what.port);
	if (!number && (packet->protocol != IPPROTO_TCP ||
			set->flags & OX_ACL_TCP_SERVICES))
		number = bpf_map_lookup_elem(&acl_services, &what.service);
	return ox_acl_bits(number ? *number : set->any);
}

/* Tells whether the addresses 'a' and 'b' are the same. */
static __always_inline bool
ox_acl_same(const __be32 *a, const __be32 *b)
{
	return a[0] == b[0] && a[1] == b[1] && a[2] == b[2] && a[3] == b[3];
}

/* Stores the source of the packet of 'proto' at 'l3' in 'from'. */
static __always_inline void
ox_acl_read_source(union ox_acl_from *from, const void *l3, __be16 proto)
{
	from->len = 128;
	ox_acl_mapped(from->word, l3, proto, true);
}

/* Returns the lease. */
static __always_inline const struct ox_acl_lease *
ox_acl_lease(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&acl_lease, &zero);
}

/* Returns the class of 'from', 0 if it has none, or OX_ACL_UNKNOWN.  The
 * address of the element that was found is read last. */
static __always_inline __u32
ox_acl_class(const union ox_acl_from *from)
{
	const struct ox_acl_lease *lease = ox_acl_lease();
	const struct ox_acl_host_class *host;
	const __u32 *class;
	__u64 changes;
	__u32 found;

	/* Cannot be, but the verifier does not know. */
	if (!lease)
		return OX_ACL_UNKNOWN;
	changes = OX_READ(lease->changes);
	host = bpf_map_lookup_elem(&acl_hosts, from->word);
	if (host) {
		found = OX_READ(host->class);
		ox_barrier();
		return ox_acl_same(from->word, (const __be32 *)host->addr)
		       ? found : OX_ACL_UNKNOWN;
	}
	class = bpf_map_lookup_elem(&acl_sources, &from->prefix);
	found = class ? *class : 0;
	if (changes & 1 || OX_READ(lease->changes) != changes)
		return OX_ACL_UNKNOWN;
	return found;
}

/* Returns the rules of 'set', which is that of 'id', that do not speak against
 * the source of the packet of 'proto' at 'l3', or NULL if they are not
 * there. */
static __always_inline const struct ox_acl_bits *
ox_acl_by_source(__u32 id, const struct ox_acl_set *set, const void *l3,
		 __be16 proto)
{
	struct ox_acl_class key = { .set = id };
	const __u32 *number = NULL;
	union ox_acl_from from;

	ox_acl_read_source(&from, l3, proto);
	key.class = ox_acl_class(&from);
	if (key.class == OX_ACL_UNKNOWN)
		return NULL;
	if (key.class)
		number = bpf_map_lookup_elem(&acl_classes, &key);
	if (number)
		return ox_acl_bits(*number);
	return ox_acl_bits(proto == bpf_htons(ETH_P_IP) ? set->any4
							: set->any6);
}

/* Returns how many bits of 'word' are set.  BPF has no instruction for it, and
 * branches would multiply what the verifier has to look at. */
static __always_inline __u32
ox_count_bits(__u64 word)
{
	word -= word >> 1 & 0x5555555555555555;
	word = (word & 0x3333333333333333) + (word >> 2 & 0x3333333333333333);
	word = (word + (word >> 4)) & 0x0f0f0f0f0f0f0f0f;
	return word * 0x0101010101010101 >> 56;
}

/* Stores the first rule in both 'a' and 'b' in 'verdict'.  False if there is
 * none. */
static __always_inline bool
ox_acl_first(const struct ox_acl_bits *a, const struct ox_acl_bits *b,
	     const struct ox_acl_bits *drops, __u32 n_words,
	     struct ox_acl_verdict *verdict)
{
	for (__u32 i = 0; i < OX_ACL_WORDS && i < n_words; i++) {
		__u64 both = a->word[i] & b->word[i];

		if (both) {
			both &= -both;
			verdict->rule = 64 * i + ox_count_bits(both - 1);
			verdict->drops = drops->word[i] & both;
			return true;
		}
	}
	return false;
}

/* The same by 'a' and what 'any' says of sources of no class, if the first
 * rule that may match is in 'anywhere': then sources of any class meet it, too.
 * Rules that look at the source may match, whatever 'any' says of them. */
static __always_inline bool
ox_acl_first_anywhere(const struct ox_acl_bits *a,
		      const struct ox_acl_bits *any,
		      const struct ox_acl_bits *anywhere,
		      const struct ox_acl_bits *drops, __u32 n_words,
		      struct ox_acl_verdict *verdict)
{
	for (__u32 i = 0; i < OX_ACL_WORDS && i < n_words; i++) {
		__u64 both = a->word[i] & (any->word[i] | ~anywhere->word[i]);

		if (both) {
			both &= -both;
			verdict->rule = 64 * i + ox_count_bits(both - 1);
			verdict->drops = drops->word[i] & both;
			return anywhere->word[i] & both;
		}
	}
	return false;
}

/* Finds the rule of 'set' that decides about a packet of 'proto', whatever its
 * source, by the rules 'by_service' that do not speak against what it is.
 * False if that cannot be said. */
static __always_inline bool
ox_acl_decide_anywhere(const struct ox_acl_set *set,
		       const struct ox_acl_bits *by_service,
		       const struct ox_acl_bits *drops, __be16 proto,
		       struct ox_acl_verdict *verdict)
{
	const struct ox_acl_bits *any, *anywhere;

	if (!(set->flags & OX_ACL_ANYWHERE))
		return false;
	any = ox_acl_bits(proto == bpf_htons(ETH_P_IP) ? set->any4
						       : set->any6);
	anywhere = ox_acl_bits(set->anywhere);
	return any && anywhere &&
	       ox_acl_first_anywhere(by_service, any, anywhere, drops,
				     set->n_words, verdict);
}

/* Finds the rule of 'set', which is that of 'id', that decides about 'packet',
 * of 'proto' at 'l3', and counts the hit.  False if there is none. */
static __always_inline bool
ox_acl_decide(__u32 id, const struct ox_acl_set *set,
	      const struct ox_acl_packet *packet, const void *l3, __be16 proto,
	      struct ox_acl_verdict *verdict)
{
	const struct ox_acl_bits *by_service, *by_source, *drops;
	__u32 index;
	__u64 *hits;

	by_service = ox_acl_by_service(id, set, packet);
	drops = ox_acl_bits(set->drops);
	if (!by_service || !drops)
		return false;
	if (!ox_acl_decide_anywhere(set, by_service, drops, proto, verdict)) {
		by_source = ox_acl_by_source(id, set, l3, proto);
		if (!by_source ||
		    !ox_acl_first(by_service, by_source, drops, set->n_words,
				  verdict))
			return false;
	}
	index = set->hits + verdict->rule;
	hits = bpf_map_lookup_elem(&acl_hits, &index);
	if (hits)
		++*hits;
	return true;
}

/* Tells whether the daemon stands by the rules. */
static __always_inline bool
ox_acl_leased(void)
{
	const struct ox_acl_lease *lease = ox_acl_lease();

	return lease && (__s64)(OX_READ(lease->until_ns) -
				bpf_ktime_get_coarse_ns()) > 0;
}

/* Tells whether the source of the packet of 'proto' at 'l3' is an endpoint. */
static __always_inline bool
ox_acl_inside(const void *l3, __be16 proto)
{
	if (proto == bpf_htons(ETH_P_IP))
		return ox_find_ip4(((const struct iphdr *)l3)->saddr);
	return ox_find_ip6(&((const struct ipv6hdr *)l3)->saddr);
}

/* Tells whether the TCP packet of 'proto' at 'l3' may belong to a connection
 * that the VM has opened. */
static __always_inline bool
ox_acl_answers(const struct ox_acl_packet *packet, const void *l3,
	       __be16 proto)
{
	struct ox_opened_key key;

	ox_acl_mapped((__be32 *)key.local, l3, proto, false);
	ox_acl_mapped((__be32 *)key.remote, l3, proto, true);
	key.local_port = packet->port;
	key.remote_port = packet->source_port;
	key.proto = IPPROTO_TCP;
	key.zero[0] = key.zero[1] = key.zero[2] = 0;
	return ox_may_answer(&key);
}

/* Tells whether 'packet', of ICMP of 'proto', is an echo or its reply. */
static __always_inline bool
ox_acl_is_echo(const struct ox_acl_packet *packet, __be16 proto)
{
	__u16 port = bpf_ntohs(packet->port);

	if (proto == bpf_htons(ETH_P_IP))
		return packet->protocol == IPPROTO_ICMP &&
		       (port == OX_ACL_ECHO4 << 8 ||
			port == OX_ACL_ECHO4_REPLY << 8);
	return packet->protocol == IPPROTO_ICMPV6 &&
	       (port == OX_ACL_ECHO6 << 8 || port == OX_ACL_ECHO6_REPLY << 8);
}

/* Tells whether 'packet', of 'proto' at 'l3', which layer L3 has no flow of, may
 * answer something that the VM has sent. */
static __always_inline enum ox_sent_answer
ox_acl_judge_fresh(const struct ox_acl_packet *packet, const void *l3,
		   const void *data_end, __be16 proto)
{
	const __be16 *half = l3 + (proto == bpf_htons(ETH_P_IP)
				   ? sizeof(struct iphdr)
				   : sizeof(struct ipv6hdr));
	struct ox_opened_key key = { .proto = packet->protocol };

	if ((void *)half + OX_ICMP_LEN > data_end)
		return OX_SENT_UNKNOWN;
	if (packet->protocol == IPPROTO_TCP ||
	    packet->protocol == IPPROTO_UDP) {
		key.local_port = half[1];
		key.remote_port = half[0];
	} else if (ox_acl_is_echo(packet, proto)) {
		key.local_port = half[2];
	} else {
		return OX_SENT_UNKNOWN;
	}
	ox_acl_mapped((__be32 *)key.local, l3, proto, false);
	ox_acl_mapped((__be32 *)key.remote, l3, proto, true);
	return ox_sent_judge(&key);
}

/* Returns what is to be counted of 'packet', of 'proto' at 'l3', about which a
 * rule of 'set' has decided that it be dropped: OX_R_ACL_DROP if all proofs
 * hold, or what stands against it. */
static __always_inline enum ox_reason
ox_acl_prove(const struct ox_acl_set *set, const struct ox_acl_packet *packet,
	     const void *l3, __be16 proto)
{
	if (!ox_acl_leased())
		return OX_R_ACL_LEASE;
	if (ox_acl_inside(l3, proto))
		return OX_R_ACL_INSIDE;
	if (set->flags & OX_ACL_STATEFUL && ox_acl_answers(packet, l3, proto))
		return OX_R_ACL_ANSWER;
	return acl_drop ? OX_R_ACL_DROP : OX_R_ACL_COUNT;
}

/* Returns what is to be counted of 'packet', of 'proto' at 'l3', which is no SYN,
 * and about which a rule has decided that it be dropped, as in ox_acl_prove(), if
 * 'answer' is what is known of it. */
static __always_inline enum ox_reason
ox_acl_prove_fresh(enum ox_sent_answer answer, const void *l3, __be16 proto)
{
	if (!ox_acl_leased())
		return OX_R_ACL_LEASE;
	if (ox_acl_inside(l3, proto))
		return OX_R_ACL_INSIDE;
	if (answer != OX_SENT_NO)
		return answer == OX_SENT_MAY ? OX_R_ACL_ANSWER
					     : OX_R_ACL_UNTRACKED;
	return acl_drop ? OX_R_ACL_DROP : OX_R_ACL_COUNT;
}

/* Tells whether rules may have to be asked about the packet of 'proto' at 'l3'
 * to 'endpoint'.  Costs little, and is false for most. */
static __always_inline bool
ox_acl_concerns(const struct ox_endpoint *endpoint, const void *l3,
		const void *data_end, __be16 proto)
{
	if (!endpoint->acl)
		return false;
	return !(endpoint->flags & OX_EP_ACL_STATEFUL) ||
	       ox_acl_seems_syn(l3, data_end, proto);
}

/* Does what ox_acl_drops() does; 'fresh' is a constant. */
static __always_inline bool
ox_acl_shoots(const struct ox_endpoint *endpoint, const void *l3,
	      const void *data_end, __u32 len, __be16 proto, bool fresh)
{
	__u32 id = endpoint->acl, slot = endpoint->slot;
	enum ox_sent_answer answer = OX_SENT_UNKNOWN;
	struct ox_acl_packet packet = {};
	const struct ox_acl_set *set;
	struct ox_acl_verdict verdict;
	enum ox_reason reason;

	/* The address is read last: see struct ox_endpoint. */
	ox_barrier();
	if (!ox_is_endpoint(endpoint, l3, proto))
		return false;
	set = bpf_map_lookup_elem(&acl_sets, &id);
	if (!set || !ox_acl_read(&packet, l3, data_end, proto))
		return false;
	fresh = fresh && set->flags & OX_ACL_STATEFUL && !packet.opens;
	if (fresh)
		answer = ox_acl_judge_fresh(&packet, l3, data_end, proto);
	if (set->flags & OX_ACL_STATEFUL && !fresh ? !packet.opens
						   : packet.exempt)
		return false;
	if (!ox_acl_decide(id, set, &packet, l3, proto, &verdict) ||
	    !verdict.drops)
		return false;
	reason = fresh ? ox_acl_prove_fresh(answer, l3, proto)
		       : ox_acl_prove(set, &packet, l3, proto);
	if (reason != OX_R_ACL_DROP) {
		ox_count_reason(reason, len);
		return false;
	}
	ox_count(bpf_map_lookup_elem(&endpoint_drops, &slot), len);
	return true;
}

/* Tells whether the packet of 'proto' at 'l3' to 'endpoint' is to be dropped,
 * and counts it if so, or if something stands against it.  Its frame has 'len'
 * bytes.  A function of its own, so that it takes no registers from those
 * frames that do not come here. */
static __noinline bool
ox_acl_drops(const struct ox_endpoint *endpoint, const void *l3,
	     const void *data_end, __u32 len, __be16 proto)
{
	return ox_acl_shoots(endpoint, l3, data_end, len, proto, false);
}

/* The same for a packet that layer L3 has no flow of. */
static __noinline bool
ox_acl_drops_fresh(const struct ox_endpoint *endpoint, const void *l3,
		   const void *data_end, __u32 len, __be16 proto)
{
	return ox_acl_shoots(endpoint, l3, data_end, len, proto, true);
}

/* Asks layer L2 about the packet of 'proto' at 'l3' to 'endpoint', in 'frame',
 * which had 'len' bytes when it arrived. */
static __always_inline bool
ox_acl_refuses(const struct ox_frame *frame,
	       const struct ox_endpoint *endpoint, const void *l3, __u32 len,
	       __be16 proto)
{
	const void *data_end = frame->data_end;

	if (frame->fresh)
		return endpoint->acl &&
		       ox_acl_drops_fresh(endpoint, l3, data_end, len, proto);
	return ox_acl_concerns(endpoint, l3, data_end, proto) &&
	       ox_acl_drops(endpoint, l3, data_end, len, proto);
}

#endif /* bpf/acl.h */
