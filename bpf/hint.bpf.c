/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only) */
/* The programs of a NIC that strips VLAN tags and whose driver tells them.
 * They share their maps with ovn-xdp.bpf.c.
 *
 * They are an object of their own because the kernel takes the hint's function
 * only in a program that is bound to a device, wherever it is called; and
 * because libbpf reads the kernel's BTF, which takes long, to find that
 * function.
 */
#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>

#include "decide.h"
#include "flow-nic.h"
#include "guard.h"

extern int bpf_xdp_metadata_rx_vlan_tag(const struct xdp_md *ctx,
					__be16 *vlan_proto,
					__u16 *vlan_tci) __ksym __weak;

/* Asks the driver. */
static __always_inline bool
ox_tag_stripped(const struct xdp_md *ctx, struct ox_rx_tag *tag)
{
	return !bpf_xdp_metadata_rx_vlan_tag(ctx, &tag->proto, &tag->tci);
}

/* Never true.  The verifier knows it, and removes what depends on it before it
 * makes anything else longer. */
const volatile bool never;

/* A page of instructions that nobody reaches: room for what the verifier adds.
 *
 * The kernel copies a program to another place when that takes more pages than
 * it was loaded with.  A device keeps the old place of a program that is bound
 * to it, and the kernel crashes when the device goes (until a fix of 2026).  So
 * such a program must never grow over a page: plugin/datapath-bpf-load.c checks
 * that it is not longer than it was. */
static __always_inline void
ox_room(void)
{
	asm volatile(".rept 512; r0 = 0; .endr" ::: "r0");
}

/* Redirects the frames of local endpoints and passes all others. */
SEC("xdp.frags")
int nic_redirect_hint(struct xdp_md *ctx)
{
	if (never)
		ox_room();
	return ox_decide(ctx, false, false, false);
}

/* The same while the daemon is alive, or was a moment ago. */
SEC("xdp.frags")
int nic_redirect_hint_timed(struct xdp_md *ctx)
{
	if (never)
		ox_room();
	return ox_decide(ctx, true, false, false);
}

/* Redirects frames of local endpoints, drops those that layer L2 is sure of,
 * and passes all others. */
SEC("xdp.frags")
int nic_redirect_hint_acl(struct xdp_md *ctx)
{
	if (never)
		ox_room();
	return ox_decide(ctx, false, true, false);
}

/* The same while the daemon is alive, or was a moment ago. */
SEC("xdp.frags")
int nic_redirect_hint_acl_timed(struct xdp_md *ctx)
{
	if (never)
		ox_room();
	return ox_decide(ctx, true, true, false);
}

/* Drops frames that layer L2 is sure of, on a switched NIC, and leaves all
 * others to the bridge. */
SEC("xdp.frags")
int nic_guard_hint(struct xdp_md *ctx)
{
	if (never)
		ox_room();
	return ox_guard(ctx, false);
}

/* Takes packets of flows off to VMs, redirects the frames of local endpoints,
 * and passes all others. */
SEC("xdp.frags")
int nic_direct_hint(struct xdp_md *ctx)
{
	if (never)
		ox_room();
	return ox_direct_decide(ctx, false);
}

/* The same, but drops frames that layer L2 is sure of. */
SEC("xdp.frags")
int nic_direct_acl_hint(struct xdp_md *ctx)
{
	if (never)
		ox_room();
	return ox_direct_decide(ctx, true);
}

/* Takes packets of flows off to VMs, on a switched NIC, drops frames that layer
 * L2 is sure of, and leaves all others to the bridge. */
SEC("xdp.frags")
int nic_direct_guard_hint(struct xdp_md *ctx)
{
	if (never)
		ox_room();
	return ox_direct_guard(ctx);
}

/* The same without layer L2. */
SEC("xdp.frags")
int nic_direct_only_hint(struct xdp_md *ctx)
{
	if (never)
		ox_room();
	return ox_direct_only(ctx);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
