/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only) */
/* The programs of a NIC, of which it gets one.  Only the entries are here:
 * decide.h and guard.h have the rest, and hint.bpf.c the programs for a NIC
 * that strips VLAN tags.
 */
#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>

#include "decide.h"
#include "flow-nic.h"
#include "guard.h"

/* Without a word from the driver, frames are taken as they come. */
static __always_inline bool
ox_tag_stripped(const struct xdp_md *ctx, struct ox_rx_tag *tag)
{
	return false;
}

/* Redirects the frames of local endpoints and passes all others. */
SEC("xdp.frags")
int nic_redirect(struct xdp_md *ctx)
{
	return ox_decide(ctx, false, false, false);
}

/* The same while the daemon is alive, or was a moment ago. */
SEC("xdp.frags")
int nic_redirect_timed(struct xdp_md *ctx)
{
	return ox_decide(ctx, true, false, false);
}

/* Redirects frames of local endpoints, drops those that layer L2 is sure of,
 * and passes all others. */
SEC("xdp.frags")
int nic_redirect_acl(struct xdp_md *ctx)
{
	return ox_decide(ctx, false, true, false);
}

/* The same while the daemon is alive, or was a moment ago. */
SEC("xdp.frags")
int nic_redirect_acl_timed(struct xdp_md *ctx)
{
	return ox_decide(ctx, true, true, false);
}

/* Drops frames that layer L2 is sure of, on a switched NIC, and leaves all
 * others to the bridge. */
SEC("xdp.frags")
int nic_guard(struct xdp_md *ctx)
{
	return ox_guard(ctx, false);
}

/* Takes packets of flows off to VMs, redirects the frames of local endpoints,
 * and passes all others. */
SEC("xdp.frags")
int nic_direct(struct xdp_md *ctx)
{
	return ox_direct_decide(ctx, false);
}

/* The same, but drops frames that layer L2 is sure of. */
SEC("xdp.frags")
int nic_direct_acl(struct xdp_md *ctx)
{
	return ox_direct_decide(ctx, true);
}

/* Takes packets of flows off to VMs, on a switched NIC, drops frames that layer
 * L2 is sure of, and leaves all others to the bridge. */
SEC("xdp.frags")
int nic_direct_guard(struct xdp_md *ctx)
{
	return ox_direct_guard(ctx);
}

/* The same without layer L2. */
SEC("xdp.frags")
int nic_direct_only(struct xdp_md *ctx)
{
	return ox_direct_only(ctx);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
