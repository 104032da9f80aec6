/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only) */
/* The far side of layer L3: what has become of a packet in OVN, seen when it
 * leaves by the tap of a VM or by a NIC.  It costs only what OVN has passed, not
 * what was taken off.
 */
#ifndef BPF_FLOW_FAR_H
#define BPF_FLOW_FAR_H

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/pkt_cls.h>
#include <stdbool.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "abi.h"
#include "flow-learn.h"
#include "flow-sent.h"
#include "flow.h"
#include "maps.h"
#include "rewrite.h"
#include "tag.h"

#define OX_EEXIST 17

/* Bytes of a frame that are read: a tag and an IP header of any frame, and the
 * longest headers of one whose address has layer L3. */
#define OX_FAR_L3 (ETH_HLEN + OX_TAG_LEN + 40)
#define OX_FAR_HEADERS (OX_FAR_L3 + 60)

/* A frame at a far side. */
struct ox_far {
	struct ox_flow_packet packet; /* What is in it. */
	union ox_flow_key key;	/* The flow that it is of. */
	union ox_flow_key back;	/* The other direction of that. */
	struct ox_direct_addr addr; /* Whose packet it is. */
	__u32 check;		/* ox_flow_check() of 'key'. */
	__u32 generation;	/* Of its port. */
	__u32 mtu;		/* What its flow may have. */
	__u32 room;		/* Bytes of the frame from the IP header on. */
	__u32 now;		/* Ticks. */
	__u16 vlan;		/* Its tag, or 0. */
	bool inside;		/* The tag lies in the frame. */
	bool odd;		/* Its tag cannot be repeated. */
	bool gone;		/* Its port is none, or no longer that of the
				 * address. */
	bool foreign;		/* It leaves for another network. */
};

/* Has the first 'len' bytes of the frame, or all that it has, be there to be
 * read.  To pull what is there already would have the kernel copy the headers
 * of each segment that the host sends, which TCP keeps a clone of. */
static __always_inline bool
ox_far_pull(struct __sk_buff *skb, __u32 len)
{
	if (skb->len < len)
		len = skb->len;
	return (void *)(long)skb->data + len <= (void *)(long)skb->data_end ||
	       !bpf_skb_pull_data(skb, len);
}

/* Finds the IP header of the frame again. */
static __always_inline bool
ox_far_header(const struct __sk_buff *skb, struct ox_far *far, bool is_ip6)
{
	void *l3 = (void *)(long)skb->data + ETH_HLEN;

	if (far->inside)
		l3 += OX_TAG_LEN;
	far->packet.l3 = l3;
	return l3 + ox_flow_l3_len(is_ip6) <= (void *)(long)skb->data_end;
}

/* Finds the IP header of the frame, and reads the tag before it.  Stores in
 * '*type' what follows.  Returns false if the frame ends before that. */
static __always_inline bool
ox_far_tag(const struct __sk_buff *skb, struct ox_far *far, __be16 *type)
{
	void *data = (void *)(long)skb->data;
	const __be16 *word = data + 2 * ETH_ALEN;
	__be16 proto = bpf_htons(ETH_P_8021Q);
	bool tagged = skb->vlan_present;
	__u16 tci = 0;

	if (data + ETH_HLEN + OX_TAG_LEN > (void *)(long)skb->data_end)
		return false;
	*type = word[0];
	far->room = skb->len - ETH_HLEN;
	if (tagged) {
		proto = skb->vlan_proto;
		tci = skb->vlan_tci;
	} else if (*type == bpf_htons(ETH_P_8021Q)) {
		tagged = true;
		tci = bpf_ntohs(word[1]);
		*type = word[2];
		far->inside = true;
		far->room -= OX_TAG_LEN;
	}
	far->vlan = tci;
	/* Neither a tag without a VLAN, a priority, nor that of a provider. */
	far->odd = (tagged && !tci) || tci & ~OX_VLAN_MASK ||
		   proto != bpf_htons(ETH_P_8021Q);
	return true;
}

/* Reads the packet of an address with layer L3.  Returns whether it is fit. */
static __always_inline bool
ox_far_packet(struct __sk_buff *skb, struct ox_far *far, bool is_ip6)
{
	return ox_far_pull(skb, OX_FAR_HEADERS) &&
	       ox_far_header(skb, far, is_ip6) &&
	       ox_flow_read(&far->packet, (void *)(long)skb->data_end,
			    far->room, is_ip6);
}

/* Tells whether the frame leaves for the network of 'addr': by a NIC of its
 * bridge with its tag, or by one of no bridge if it is none of a bridge.  The
 * same address may be somebody else's in another network. */
static __always_inline bool
ox_far_is_home(const struct __sk_buff *skb, const struct ox_far *far,
	       const struct ox_direct_addr *addr)
{
	const struct ox_nic *nic;
	__u32 slot = nic_slot;

	nic = bpf_map_lookup_elem(&nics, &slot);
	/* The row may be that of another NIC by now. */
	if (!nic || nic->ifindex != skb->ifindex)
		return !addr->bridge;
	return nic->bridge == addr->bridge &&
	       (!addr->bridge || (far->vlan & OX_VLAN_MASK) == addr->vlan);
}

/* Finds out whose packet it is.  Returns its port, or NULL if there is no layer
 * L3 for it.  'out' is a constant. */
static __always_inline struct ox_direct_port *
ox_far_port(const struct __sk_buff *skb, struct ox_far *far, bool out,
	    bool is_ip6)
{
	const struct ox_direct_addr *addr;
	struct ox_direct_port *port;
	struct ox_direct_key key;
	__u32 index;

	key.ifindex = out ? 0 : skb->ifindex;
	ox_flow_address(key.addr, far->packet.l3, is_ip6, out);
	addr = bpf_map_lookup_elem(&direct_addrs, &key);
	if (!addr)
		return NULL;
	far->addr = *addr;
	ox_barrier();
	index = far->addr.port;
	port = bpf_map_lookup_elem(&direct_ports, &index);
	if (!port || !ox_flow_same6((const void *)addr->addr, key.addr))
		return NULL;
	far->generation = OX_FLOW_READ(port->generation);
	far->gone = far->generation & 1 || port->ifindex != far->addr.ifindex;
	far->foreign = out && !ox_far_is_home(skb, far, &far->addr);
	return port;
}

/* Stores in 'key' that of the flow from 'saddr' to 'daddr', as struct
 * ox_direct_addr has addresses, with the ports of 'packet', or 'swapped'
 * ones. */
static __always_inline void
ox_far_key(union ox_flow_key *key, const struct ox_flow_packet *packet,
	   const void *saddr, const void *daddr, bool swapped, bool is_ip6)
{
	__u32 ports = packet->ports;

	__builtin_memset(key, 0, sizeof(*key));
	if (swapped)
		ports = ports << 16 | ports >> 16;
	if (is_ip6) {
		ox_copy_ip6(key->six.saddr, saddr);
		ox_copy_ip6(key->six.daddr, daddr);
		*(__u32 *)&key->six.sport = ports;
		key->six.proto = packet->proto;
	} else {
		key->four.saddr = ((const __be32 *)saddr)[3];
		key->four.daddr = ((const __be32 *)daddr)[3];
		*(__u32 *)&key->four.sport = ports;
		key->four.proto = packet->proto;
	}
}

/* Completes 'key' by the place that its packets come in at: those of a VM at
 * its tap ('out'), others where OVN expects them. */
static __always_inline void
ox_far_place(union ox_flow_key *key, const struct ox_direct_addr *addr,
	     bool out, bool is_ip6)
{
	__u32 scope = out ? addr->ifindex : addr->bridge;
	__u16 vlan = out ? 0 : addr->vlan;

	if (is_ip6) {
		key->six.scope = scope;
		key->six.vlan = vlan;
	} else {
		key->four.scope = scope;
		key->four.vlan = vlan;
	}
}

/* Finds out of which flow the packet is, and what the other direction of that
 * is. */
static __always_inline void
ox_far_flows(struct ox_far *far, bool out, bool is_ip6)
{
	const void *fixed = out ? far->addr.other : far->addr.addr;
	const void *external = out ? far->addr.addr : far->addr.other;
	__u8 remote[16];

	ox_flow_address(remote, far->packet.l3, is_ip6, !out);
	ox_far_key(&far->key, &far->packet, out ? fixed : remote,
		   out ? remote : external, false, is_ip6);
	ox_far_key(&far->back, &far->packet, out ? remote : fixed,
		   out ? external : remote, true, is_ip6);
	ox_far_place(&far->key, &far->addr, out, is_ip6);
	ox_far_place(&far->back, &far->addr, !out, is_ip6);
	far->check = ox_flow_check(&far->key, is_ip6);
}

/* Tells whether the packet is a probe of the daemon. */
static __always_inline bool
ox_far_is_probe(const struct __sk_buff *skb, const struct ox_far *far,
		bool is_ip6)
{
	const struct ox_direct_state *state;
	__u32 zero = 0;

	if (skb->gso_size || !ox_flow_seems_probe(&far->packet, is_ip6))
		return false;
	state = bpf_map_lookup_elem(&direct_state, &zero);
	return state &&
	       ox_flow_has_number(&far->packet, (void *)(long)skb->data_end,
				  ox_probe_number(state->secret, far->check),
				  is_ip6);
}

/* Tells whether 'note' is of a packet of the flow. */
static __always_inline bool
ox_far_is_noted(const struct ox_far *far, const struct ox_arrival *note,
		bool is_ip6)
{
	const struct ox_flow4_key *four = &far->key.four;
	const struct ox_flow6_key *six = &far->key.six;
	__u32 mapped[4];

	if (is_ip6)
		return ox_flow_same6(note->saddr, six->saddr) &&
		       ox_flow_same6(note->daddr, six->daddr) &&
		       note->sport == six->sport && note->dport == six->dport &&
		       note->proto == six->proto && note->vlan == six->vlan &&
		       note->scope == six->scope;
	ox_flow_map4(mapped, four->saddr);
	if (!ox_flow_same6(note->saddr, mapped))
		return false;
	ox_flow_map4(mapped, four->daddr);
	return ox_flow_same6(note->daddr, mapped) &&
	       note->sport == four->sport && note->dport == four->dport &&
	       note->proto == four->proto && note->vlan == four->vlan &&
	       note->scope == four->scope;
}

/* Reads the note of the packet.  Returns whether there is one. */
static __always_inline bool
ox_far_read_note(const struct ox_far *far, struct ox_arrival *note,
		 bool is_ip6)
{
	const struct ox_arrival *from = ox_arrival_at(far->check);

	if (!from)
		return false;
	*note = *from;
	ox_barrier();
	return ox_far_is_noted(far, note, is_ip6) &&
	       note->sum == ox_arrival_sum(note) &&
	       ox_ticks_since(far->now, note->at) <= OX_ARRIVAL_TICKS;
}

/* Tells whether what OVN made of the packet of 'note' can be repeated. */
static __always_inline bool
ox_far_is_repeatable(const struct __sk_buff *skb, const struct ox_far *far,
		     const struct ox_arrival *note, bool out)
{
	if (far->odd || (!out && far->vlan) || note->tos != far->packet.tos ||
	    note->ttl < far->packet.ttl)
		return false;
	return !note->len || skb->gso_size || note->len == far->packet.len;
}

/* Returns what the change of 'n' words from 'from' to 'to' adds to the
 * complement of a checksum. */
static __always_inline __u16
ox_far_csum(const void *from, const void *to, int n)
{
	const __u32 *x = from;
	const __u32 *y = to;
	__u64 sum = 0;
	bool same = true;
	int i;

	for (i = 0; i < n; i++) {
		sum += (__u64)(__u32)~x[i] + y[i];
		same = same && x[i] == y[i];
	}
	if (same)
		return 0;
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	return (sum & 0xffff) + (sum >> 16);
}

/* Returns how long packets of 'port' may be on their way out ('out', a
 * constant): as long as the device that the frame leaves by can send, if no
 * router of OVN's asks before; or on their way in. */
static __always_inline __u32
ox_far_mtu(struct __sk_buff *skb, const struct ox_direct_port *port, bool out)
{
	__u32 mtu = 0;

	if (out)
		bpf_check_mtu(skb, 0, &mtu, 0, 0);
	return out && mtu < port->mtu ? mtu : port->mtu;
}

/* Stores in 'flow' what OVN did with the packet, which the near side has with
 * the destination MAC 'near_mac' and the TTL 'ttl'. */
static __always_inline void
ox_far_describe(struct __sk_buff *skb, const struct ox_far *far,
		struct ox_flow *flow, const void *near_mac, __u8 ttl,
		bool out, bool is_ip6)
{
	const void *data = (void *)(long)skb->data;
	/* On both sides: from the address that the near side has. */
	const __u32 *from = (const __u32 *)far->addr.other;
	const __u32 *to = (const __u32 *)far->addr.addr;
	__u32 *nat = (__u32 *)flow->nat;

	flow->head = (__u64)(bpf_get_prandom_u32() | 1) << 32 | far->check;
	if (data + OX_MACS_LEN <= (void *)(long)skb->data_end)
		__builtin_memcpy(flow->macs, data, OX_MACS_LEN);
	__builtin_memcpy(flow->near_mac, near_mac, ETH_ALEN);
	flow->vlan = far->vlan;
	flow->mtu = far->mtu < 0xffff ? far->mtu : 0xffff;
	flow->ifindex = skb->ifindex;
	flow->generation = far->generation;
	flow->port = far->addr.port;
	flow->aging = ttl - far->packet.ttl;
	flow->out = out;
	if (is_ip6) {
		ox_copy_ip6(nat, to);
		flow->csum = ox_far_csum(from, to, 4);
	} else {
		nat[0] = to[3];
		flow->csum = ox_far_csum(from + 3, to + 3, 1);
	}
	flow->used = far->now;
	flow->confirmed = far->now;
	flow->created = far->now;
	flow->seen = far->now;
}

/* Adds 'fresh' as the flow of the packet.  Returns the reason to count. */
static __always_inline enum ox_reason
ox_far_add(const struct ox_far *far, struct ox_flow *fresh, bool is_ip6)
{
	long error;

	fresh->tcp = ox_learn_bits(far->packet.flags);
	fresh->passed = ox_learn_counts(far->packet.proto, far->packet.flags);
	if (far->packet.proto != IPPROTO_TCP)
		fresh->tcp = 0;
	/* Another CPU may have been faster. */
	error = is_ip6 ? bpf_map_update_elem(&flows6, &far->key.six, fresh,
					     BPF_NOEXIST)
		       : bpf_map_update_elem(&flows4, &far->key.four, fresh,
					     BPF_NOEXIST);
	if (error)
		return error == -OX_EEXIST ? OX_FLOW_NONE : OX_R_FLOW_FULL;
	return OX_R_FLOW_LEARNED;
}

/* Follows a packet that is no probe.  Returns the reason to count. */
static __always_inline enum ox_reason
ox_far_follow(struct __sk_buff *skb, const struct ox_far *far, bool out,
	      bool is_ip6)
{
	struct ox_flow *flow = ox_flow_find(&far->key, is_ip6);
	struct ox_flow *other = NULL;
	enum ox_reason reason = OX_FLOW_NONE;
	struct ox_flow seen = {};
	struct ox_arrival note;

	if (far->packet.proto == IPPROTO_TCP) {
		other = ox_flow_find(&far->back, is_ip6);
		if (ox_learn_control(flow, other, far->packet.flags,
				     far->now) && flow)
			reason = OX_R_FLOW_CLOSED;
		if (far->packet.flags & (OX_TCP_FIN | OX_TCP_RST))
			return reason;
	}
	if (!ox_far_read_note(far, &note, is_ip6))
		return reason;
	if (!ox_far_is_repeatable(skb, far, &note, out))
		return OX_R_FLOW_DIFFERS;
	ox_far_describe(skb, far, &seen, note.macs, note.ttl, out, is_ip6);
	seen.near_ifindex = note.ifindex;
	__builtin_memcpy(seen.near_source, note.macs + ETH_ALEN, ETH_ALEN);
	if (!flow)
		return ox_far_add(far, &seen, is_ip6);
	ox_learn_update(flow, &seen);
	ox_learn_source(flow, &seen);
	if (ox_learn_is_now(flow, &seen))
		ox_learn_passed(flow, other, far->packet.proto,
				far->packet.flags, far->now);
	return reason;
}

/* Confirms the flow that a probe, which ends here, is of: what OVN does now may
 * be something else.  Returns the reason to count. */
static __always_inline enum ox_reason
ox_far_confirm(struct __sk_buff *skb, const struct ox_far *far, bool out,
	       bool is_ip6)
{
	struct ox_flow *flow = ox_flow_find(&far->key, is_ip6);
	struct ox_flow seen = {};

	if (far->gone || !flow || flow->generation != far->generation ||
	    flow->port != far->addr.port)
		return OX_R_FLOW_VOID;
	if (far->foreign || far->odd || (!out && far->vlan) ||
	    far->packet.tos || far->packet.ttl > OX_PROBE_TTL)
		return OX_R_FLOW_DIFFERS;
	ox_far_describe(skb, far, &seen, flow->near_mac, OX_PROBE_TTL, out,
			is_ip6);
	ox_learn_update(flow, &seen);
	flow->confirmed = far->now;
	return OX_R_FLOW_CONFIRMED;
}

/* A key, for which there is no room on the stack.  A program has done its work
 * before another one begins on the same CPU. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct ox_opened_key);
} far_key SEC(".maps");

/* Notes for layer L2 that conntrack may begin anew with what the packet is of. */
static __always_inline void
ox_far_touch(const struct ox_far *far, bool out, bool is_ip6)
{
	struct ox_opened_key *key;
	__u32 zero = 0;

	key = bpf_map_lookup_elem(&far_key, &zero);
	/* Cannot be, but the verifier does not know. */
	if (!key)
		return;
	ox_flow_address(key->remote, far->packet.l3, is_ip6, !out);
	ox_sent_make_key(key, out ? far->addr.addr : far->addr.other,
			 key->remote, far->packet.ports, far->packet.proto,
			 !out);
	ox_sent_keep(key, far->packet.flags);
}

/* Looks at the packet of 'far', whose port is known.  Returns whether it may go
 * on.  A probe ends here even if its port is gone or OVN sends it to another
 * network; there somebody else's packet may have its number by chance, but
 * hardly that of a flow. */
static __always_inline bool
ox_far_look(struct __sk_buff *skb, struct ox_far *far, __u32 row, bool out,
	    bool is_ip6)
{
	enum ox_reason reason = OX_FLOW_NONE;
	bool probe;

	far->now = ox_ticks();
	ox_far_flows(far, out, is_ip6);
	probe = ox_far_is_probe(skb, far, is_ip6) &&
		(!far->foreign || ox_flow_find(&far->key, is_ip6));
	if (probe)
		reason = ox_far_confirm(skb, far, out, is_ip6);
	else if (!far->gone && !far->foreign)
		reason = ox_far_follow(skb, far, out, is_ip6);
	/* Of what leaves, the watch sees all but probes. */
	if (track && (probe || !out))
		ox_far_touch(far, out, is_ip6);
	if (reason != OX_FLOW_NONE)
		ox_direct_count(row, reason, skb->len);
	return !probe;
}

/* Looks at the frame if it has a packet of an address with layer L3.  Returns
 * whether it may go on. */
static __always_inline bool
ox_far_ip(struct __sk_buff *skb, struct ox_far *far, __u32 row, bool out,
	  bool is_ip6)
{
	const struct ox_direct_port *port;

	if (!ox_far_header(skb, far, is_ip6))
		return true;
	port = ox_far_port(skb, far, out, is_ip6);
	if (!port)
		return true;
	if (!ox_far_packet(skb, far, is_ip6)) {
		if (!out && track && ox_far_header(skb, far, is_ip6))
			ox_sent_touch_unfit(far->packet.l3,
					    (void *)(long)skb->data_end,
					    far->addr.other, is_ip6);
		return true;
	}
	far->mtu = ox_far_mtu(skb, port, out);
	return ox_far_look(skb, far, row, out, is_ip6);
}

/* Tells whether a program of the near side has taken the frame off. */
static __always_inline bool
ox_far_is_direct(const struct __sk_buff *skb)
{
	return skb->cb[0] == OX_DIRECT_CB0 && skb->cb[1] == OX_DIRECT_CB1;
}

/* Looks at a frame on its way out of a device, and gives the verdict. */
static __always_inline int
ox_far(struct __sk_buff *skb, __u32 row, bool out)
{
	struct ox_far far = {};
	bool goes = true;
	__be16 type;

	if (ox_far_is_direct(skb))
		return TC_ACT_UNSPEC;
	if (!ox_far_pull(skb, OX_FAR_L3) || !ox_far_tag(skb, &far, &type))
		return TC_ACT_UNSPEC;
	if (type == bpf_htons(ETH_P_IP))
		goes = ox_far_ip(skb, &far, row, out, false);
	else if (type == bpf_htons(ETH_P_IPV6))
		goes = ox_far_ip(skb, &far, row, out, true);
	if (goes)
		return TC_ACT_UNSPEC;
	/* To nowhere, which ends it as well as TC_ACT_SHOT does, but tells the
	 * sender nothing: OVS's userspace datapath does not send the rest of
	 * its batch behind a frame that was refused. */
	return bpf_redirect(0, 0);
}

#endif /* bpf/flow-far.h */
