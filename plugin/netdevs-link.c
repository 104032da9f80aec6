/* SPDX-License-Identifier: Apache-2.0 */
/* rtnetlink's messages about links.  OVS's own rtnetlink.c reads too few of
 * their attributes for us, and takes those of Linux bridges for those of
 * devices. */
#include <config.h>

#include "plugin/netdevs-link.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <sys/socket.h>

#include "netlink.h"
#include "netlink-socket.h"
#include "openvswitch/ofpbuf.h"
#include "packets.h"
#include "util.h"

#include "plugin/netdevs.h"

/* Where attributes begin in a link message. */
#define LINK_HEADER_LEN (NLMSG_HDRLEN + sizeof(struct ifinfomsg))

/* Copies the kind of the device out of 'attr', an IFLA_LINKINFO, to
 * 'info'. */
static void
parse_kind(const struct nlattr *attr, struct netdev_info *info)
{
    const struct nlattr *kind = nl_attr_find_nested(attr, IFLA_INFO_KIND);

    if (kind) {
        ovs_strlcpy(info->kind, nl_attr_get_string(kind), sizeof info->kind);
    }
}

/* Returns the id of the XDP program that 'attr', an IFLA_XDP, tells of, or
 * 0.  Where there are programs in several modes, the one that sees a frame
 * first counts. */
static uint32_t
parse_xdp(const struct nlattr *attr)
{
    static const uint16_t modes[] = {
        IFLA_XDP_HW_PROG_ID, IFLA_XDP_DRV_PROG_ID, IFLA_XDP_SKB_PROG_ID,
        IFLA_XDP_PROG_ID,
    };

    for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
        const struct nlattr *id = nl_attr_find_nested(attr, modes[i]);

        if (id && nl_attr_get_size(id) == sizeof(uint32_t)) {
            return nl_attr_get_u32(id);
        }
    }
    return 0;
}

/* Fills 'info' from the attributes 'attrs' of a link message. */
static void
parse_attributes(struct nlattr *const attrs[], struct netdev_info *info)
{
    const struct nlattr *address = attrs[IFLA_ADDRESS];

    ovs_strlcpy(info->name, nl_attr_get_string(attrs[IFLA_IFNAME]),
                sizeof info->name);
    if (address && nl_attr_get_size(address) == ETH_ADDR_LEN) {
        memcpy(&info->mac, nl_attr_get(address), ETH_ADDR_LEN);
    }
    if (attrs[IFLA_MTU]) {
        info->mtu = nl_attr_get_u32(attrs[IFLA_MTU]);
    }
    if (attrs[IFLA_MASTER]) {
        info->master = nl_attr_get_u32(attrs[IFLA_MASTER]);
    }

    /* With IFLA_LINK_NETNSID the index is one of another namespace, and
     * would name a stranger here. */
    if (attrs[IFLA_LINK] && !attrs[IFLA_LINK_NETNSID]) {
        info->peer = nl_attr_get_u32(attrs[IFLA_LINK]);
    }
    if (attrs[IFLA_LINKINFO]) {
        parse_kind(attrs[IFLA_LINKINFO], info);
    }
    if (attrs[IFLA_QDISC]) {
        ovs_strlcpy(info->qdisc, nl_attr_get_string(attrs[IFLA_QDISC]),
                    sizeof info->qdisc);
    }
    if (attrs[IFLA_XDP]) {
        info->xdp_program_id = parse_xdp(attrs[IFLA_XDP]);
    }
}

/* Parses 'message', of rtnetlink, and says what it is about.  Unless that is
 * NETDEVS_LINK_OTHER, '*info' is what it tells of the device; members that
 * rtnetlink does not know are zero. */
enum netdevs_link_event
netdevs_link_parse(const struct ofpbuf *message, struct netdev_info *info)
{
    static const struct nl_policy policy[] = {
        [IFLA_ADDRESS] = { .type = NL_A_UNSPEC, .optional = true },
        [IFLA_IFNAME] = { .type = NL_A_STRING },
        [IFLA_MTU] = { .type = NL_A_U32, .optional = true },
        [IFLA_LINK] = { .type = NL_A_U32, .optional = true },
        [IFLA_QDISC] = { .type = NL_A_STRING, .optional = true },
        [IFLA_MASTER] = { .type = NL_A_U32, .optional = true },
        [IFLA_LINKINFO] = { .type = NL_A_NESTED, .optional = true },
        [IFLA_LINK_NETNSID] = { .type = NL_A_UNSPEC, .optional = true },
        [IFLA_XDP] = { .type = NL_A_NESTED, .optional = true },
    };
    const struct nlmsghdr *header = message->data;
    const struct ifinfomsg *link;
    struct nlattr *attrs[ARRAY_SIZE(policy)];

    if (message->size < LINK_HEADER_LEN
        || (header->nlmsg_type != RTM_NEWLINK
            && header->nlmsg_type != RTM_DELLINK)) {
        return NETDEVS_LINK_OTHER;
    }

    /* A Linux bridge tells of its ports in the same multicast group; its
     * RTM_DELLINK means that a device left the bridge, not the host. */
    link = ofpbuf_at_assert(message, NLMSG_HDRLEN, sizeof *link);
    if (link->ifi_family != AF_UNSPEC
        || !nl_policy_parse(message, LINK_HEADER_LEN, policy, attrs,
                            ARRAY_SIZE(policy))) {
        return NETDEVS_LINK_OTHER;
    }

    memset(info, 0, sizeof *info);
    info->ifindex = link->ifi_index;
    info->up = (link->ifi_flags & IFF_UP) != 0;
    info->running = (link->ifi_flags & IFF_RUNNING) != 0;
    info->ethernet = (link->ifi_type == ARPHRD_ETHER
                      && !(link->ifi_flags & IFF_LOOPBACK));
    parse_attributes(attrs, info);
    return (header->nlmsg_type == RTM_NEWLINK
            ? NETDEVS_LINK_NEW : NETDEVS_LINK_GONE);
}

/* Begins in 'request', which must be empty, a link message of type 'type'
 * with netlink flags 'flags' besides NLM_F_REQUEST, for the device 'ifindex',
 * 0 where attributes name it. */
void
netdevs_link_put_header(struct ofpbuf *request, uint16_t type, uint16_t flags,
                        int ifindex)
{
    struct ifinfomsg *link;

    nl_msg_put_nlmsghdr(request, sizeof *link, type, NLM_F_REQUEST | flags);
    link = ofpbuf_put_zeros(request, sizeof *link);
    link->ifi_family = AF_UNSPEC;
    link->ifi_index = ifindex;
}

/* Appends to 'request' the wish not to be told statistics. */
static void
put_ext_mask(struct ofpbuf *request)
{
    nl_msg_put_u32(request, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
}

/* Composes in 'request', which must be empty, the request for all links. */
void
netdevs_link_put_dump(struct ofpbuf *request)
{
    netdevs_link_put_header(request, RTM_GETLINK, 0, 0);
    put_ext_mask(request);
}

/* Asks the kernel for the device 'name' or, with NULL, for the device
 * 'ifindex'.  Returns 0 and the message, which the caller must free with
 * ofpbuf_delete(), in '*replyp', or a positive errno and NULL there.  ENODEV:
 * there is no such device. */
int
netdevs_link_get(const char *name, int ifindex, struct ofpbuf **replyp)
{
    struct ofpbuf request;
    int error;

    ofpbuf_init(&request, 0);
    netdevs_link_put_header(&request, RTM_GETLINK, 0, name ? 0 : ifindex);
    if (name) {
        nl_msg_put_string(&request, IFLA_IFNAME, name);
    }
    put_ext_mask(&request);
    error = nl_transact(NETLINK_ROUTE, &request, replyp);
    ofpbuf_uninit(&request);
    return error;
}
