/* SPDX-License-Identifier: Apache-2.0 */
/* What a device can do with XDP.
 *
 * The abilities of veth, virtio_net and bonding change while they run, so
 * they are no property of the driver; with the 'netdev' family the kernel
 * announces each change.  Without it, a link event is all there is. */
#include <config.h>

#include "plugin/netdevs-xdp.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/genetlink.h>
#include <string.h>

#include "netlink.h"
#include "netlink-socket.h"
#include "openvswitch/ofpbuf.h"
#include "util.h"

#include "plugin/netdevs.h"
#include "plugin/netdevs-ethtool.h"

/* From Linux's include/uapi/linux/netdev.h (the part that 6.8 has), which
 * the headers of many distributions lack. */
#define FAMILY_NAME "netdev"            /* NETDEV_FAMILY_NAME */
#define FAMILY_VERSION 1                /* NETDEV_FAMILY_VERSION */
#define FAMILY_GROUP "mgmt"             /* NETDEV_MCGRP_MGMT */

/* Requests and events. */
enum {
    CMD_DEV_GET = 1,                    /* NETDEV_CMD_DEV_GET */
    CMD_DEV_ADD_NTF = 2,                /* NETDEV_CMD_DEV_ADD_NTF */
    CMD_DEV_CHANGE_NTF = 4,             /* NETDEV_CMD_DEV_CHANGE_NTF */
};

/* Attributes of a device. */
enum {
    A_DEV_IFINDEX = 1,                  /* NETDEV_A_DEV_IFINDEX */
    A_DEV_XDP_FEATURES = 3,             /* NETDEV_A_DEV_XDP_FEATURES */
    A_DEV_XDP_RX_METADATA_FEATURES = 5, /* ...of the same name. */
};

/* Bits of A_DEV_XDP_FEATURES. */
enum {
    ACT_BASIC = 1 << 0,                 /* NETDEV_XDP_ACT_BASIC */
    ACT_REDIRECT = 1 << 1,              /* NETDEV_XDP_ACT_REDIRECT */
    ACT_NDO_XMIT = 1 << 2,              /* NETDEV_XDP_ACT_NDO_XMIT */
    ACT_RX_SG = 1 << 5,                 /* NETDEV_XDP_ACT_RX_SG */
    ACT_NDO_XMIT_SG = 1 << 6,           /* NETDEV_XDP_ACT_NDO_XMIT_SG */
};

/* Bits of A_DEV_XDP_RX_METADATA_FEATURES. */
enum {
    RX_METADATA_VLAN_TAG = 1 << 2,      /* NETDEV_XDP_RX_METADATA_VLAN_TAG */
};

/* Finds the kernel's 'netdev' family and the multicast group of its events.
 * Returns 0, or a positive errno: the kernel has none (ENOENT). */
int
netdevs_xdp_family(int *family, unsigned int *group)
{
    int number = 0;
    int error = nl_lookup_genl_family(FAMILY_NAME, &number);

    if (!error) {
        error = nl_lookup_genl_mcgroup(FAMILY_NAME, FAMILY_GROUP, group);
    }
    *family = error ? 0 : number;
    return error;
}

/* Parses 'message', a reply or event of the family numbered 'family'.
 * Returns true and fills '*ifindex' and '*xdp' if it tells of a device that
 * is there. */
bool
netdevs_xdp_parse(const struct ofpbuf *message, int family, int *ifindex,
                  struct netdevs_xdp *xdp)
{
    static const struct nl_policy policy[] = {
        [A_DEV_IFINDEX] = { .type = NL_A_U32 },
        [A_DEV_XDP_FEATURES] = { .type = NL_A_U64 },
        [A_DEV_XDP_RX_METADATA_FEATURES] = { .type = NL_A_U64,
                                             .optional = true },
    };
    const size_t header_len = NLMSG_HDRLEN + GENL_HDRLEN;
    struct nlattr *attrs[ARRAY_SIZE(policy)];
    uint64_t features, metadata = 0;
    uint8_t command;

    if (message->size < header_len
        || nl_msg_nlmsghdr(message)->nlmsg_type != family) {
        return false;
    }
    command = nl_msg_genlmsghdr(message)->cmd;
    if ((command != CMD_DEV_GET && command != CMD_DEV_ADD_NTF
         && command != CMD_DEV_CHANGE_NTF)
        || !nl_policy_parse(message, header_len, policy, attrs,
                            ARRAY_SIZE(policy))) {
        return false;
    }

    features = nl_attr_get_u64(attrs[A_DEV_XDP_FEATURES]);
    if (attrs[A_DEV_XDP_RX_METADATA_FEATURES]) {
        metadata = nl_attr_get_u64(attrs[A_DEV_XDP_RX_METADATA_FEATURES]);
    }
    *ifindex = nl_attr_get_u32(attrs[A_DEV_IFINDEX]);
    xdp->native = (features & ACT_BASIC) && (features & ACT_REDIRECT);
    xdp->ndo_xmit = (features & ACT_NDO_XMIT) != 0;
    xdp->ndo_xmit_sg = (features & ACT_NDO_XMIT_SG) != 0;
    xdp->rx_sg = (features & ACT_RX_SG) != 0;
    xdp->tag_hint = (metadata & RX_METADATA_VLAN_TAG) != 0;
    return true;
}

/* Asks the family numbered 'family' for the abilities of the device
 * 'ifindex', into '*xdp'.  Returns 0 or a positive errno, and no ability at
 * all then.
 *
 * There is no function that asks for all devices at once: until Linux 6.10
 * that request fails with EINVAL where there are more devices than fit into
 * one reply. */
int
netdevs_xdp_get(int family, int ifindex, struct netdevs_xdp *xdp)
{
    struct ofpbuf request, *reply;
    int error, found;

    memset(xdp, 0, sizeof *xdp);
    ofpbuf_init(&request, 0);
    nl_msg_put_genlmsghdr(&request, NL_A_U32_SIZE, family, NLM_F_REQUEST,
                          CMD_DEV_GET, FAMILY_VERSION);
    nl_msg_put_u32(&request, A_DEV_IFINDEX, ifindex);
    error = nl_transact(NETLINK_GENERIC, &request, &reply);
    ofpbuf_uninit(&request);
    if (!error) {
        if (!netdevs_xdp_parse(reply, family, &found, xdp)
            || found != ifindex) {
            memset(xdp, 0, sizeof *xdp);
            error = EPROTO;
        }
        ofpbuf_delete(reply);
    }
    return error;
}

/* When a driver takes redirected frames. */
enum xmit {
    XMIT_NEVER,                 /* Not at all. */
    XMIT_ALWAYS,                /* Whatever else it does. */
    XMIT_WITH_PROGRAM           /* Only while it runs an XDP program. */
};

/* A driver that runs XDP natively and can redirect. */
struct driver {
    const char *name;           /* As ETHTOOL_GDRVINFO says. */
    enum xmit xmit;             /* When it takes redirected frames. */
};

/* Returns what the driver 'name' can do, or NULL: nothing that is known.
 *
 * Source: Linux commit 66c0e13ad236 ("drivers: net: turn on XDP features"),
 * in which the authors of 6.3 wrote down what the drivers already did.  The
 * ability to take frames of several buffers is left out: whether it was
 * there differs from release to release. */
static const struct driver *
find_driver(const char *name)
{
    static const struct driver drivers[] = {
        { "atlantic", XMIT_ALWAYS },
        { "bnxt_en", XMIT_WITH_PROGRAM },
        { "ena", XMIT_WITH_PROGRAM },
        { "fsl_dpa", XMIT_ALWAYS },
        { "fsl_dpaa2_eth", XMIT_ALWAYS },
        { "fsl_enetc", XMIT_ALWAYS },
        { "hv_netvsc", XMIT_NEVER },
        { "i40e", XMIT_WITH_PROGRAM },
        { "ice", XMIT_WITH_PROGRAM },
        { "igb", XMIT_WITH_PROGRAM },
        { "igc", XMIT_WITH_PROGRAM },
        { "ixgbe", XMIT_WITH_PROGRAM },
        { "mana", XMIT_ALWAYS },
        { "mlx4_en", XMIT_NEVER },
        { "mlx5_core", XMIT_WITH_PROGRAM },
        { "mvneta", XMIT_ALWAYS },
        { "mvpp2", XMIT_ALWAYS },
        { "qede", XMIT_ALWAYS },
        { "rvu-nicpf", XMIT_WITH_PROGRAM },
        { "sfc", XMIT_ALWAYS },
        { "tun", XMIT_ALWAYS },
        { "veth", XMIT_NEVER }, /* Depends: see veth_takes_frames(). */
        { "virtio_net", XMIT_WITH_PROGRAM },
    };

    for (size_t i = 0; i < ARRAY_SIZE(drivers); i++) {
        if (!strcmp(name, drivers[i].name)) {
            return &drivers[i];
        }
    }
    return NULL;
}

/* Returns true if a veth device whose other end is 'peer' takes redirected
 * frames: its peer must run the polling that picks them up, which GRO or an
 * XDP program starts.  An end in another network namespace (NULL) cannot be
 * asked; better no target than one that loses every frame. */
static bool
veth_takes_frames(const struct netdev_info *peer)
{
    uint32_t gro;

    if (!peer) {
        return false;
    }
    netdevs_ethtool_get(peer->name, ETHTOOL_GGRO, &gro);
    return gro || peer->xdp_program_id;
}

/* Guesses into '*xdp' what 'info' can do, for a kernel that does not tell;
 * 'peer' is the other end of a veth device, or NULL. */
void
netdevs_xdp_guess(const struct netdev_info *info,
                  const struct netdev_info *peer, struct netdevs_xdp *xdp)
{
    const struct driver *driver;
    char name[32];              /* As long as ETHTOOL_GDRVINFO allows. */

    memset(xdp, 0, sizeof *xdp);
    netdevs_ethtool_driver(info->name, name, sizeof name);
    driver = find_driver(name);
    if (!driver || !info->ethernet || !strcmp(info->kind, "openvswitch")) {
        return;
    }
    xdp->native = true;
    xdp->ndo_xmit = (!strcmp(driver->name, "veth") ? veth_takes_frames(peer)
                     : driver->xmit == XMIT_WITH_PROGRAM
                     ? info->xdp_program_id != 0
                     : driver->xmit == XMIT_ALWAYS);
}
