/* SPDX-License-Identifier: Apache-2.0 */
/* See plugin/nexthops-message.h. */

#include <config.h>

#include "plugin/nexthops-message.h"

#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "hash.h"
#include "netlink.h"
#include "openvswitch/ofpbuf.h"
#include "packets.h"
#include "util.h"

/* Where attributes begin. */
#define NEIGHBOUR_HEADER_LEN (NLMSG_HDRLEN + sizeof(struct ndmsg))
#define ROUTE_HEADER_LEN (NLMSG_HDRLEN + sizeof(struct rtmsg))

/* Flags of a route that say where packets go. */
#define ROUTE_FLAGS (RTNH_F_DEAD | RTNH_F_LINKDOWN | RTNH_F_ONLINK)

/* Stores in '*addr' the address of 'family' in 'attr', or with NULL zeros.
 * Returns false if it has another length. */
static bool
get_address(const struct nlattr *attr, int family, struct in6_addr *addr)
{
    size_t size = attr ? nl_attr_get_size(attr) : 0;

    if (family == AF_INET && (!attr || size == sizeof(ovs_be32))) {
        in6_addr_set_mapped_ipv4(addr, attr ? nl_attr_get_be32(attr) : 0);
        return true;
    } else if (family == AF_INET6 && (!attr || size == sizeof *addr)) {
        *addr = attr ? nl_attr_get_in6_addr(attr) : in6addr_any;
        return true;
    }
    return false;
}

/* Parses 'message', of type RTM_NEWNEIGH or RTM_DELNEIGH. */
static void
parse_neighbour(const struct ofpbuf *message, struct nexthops_message *m)
{
    static const struct nl_policy policy[] = {
        [NDA_DST] = { .type = NL_A_UNSPEC },
        [NDA_LLADDR] = { .type = NL_A_UNSPEC, .optional = true },
    };
    struct nlattr *attrs[ARRAY_SIZE(policy)];
    const struct ndmsg *neighbour;
    const struct nlattr *mac;
    struct eth_addr ea;

    /* A Linux bridge tells of its own table here, too, with a family of its
     * own and no such address. */
    if (message->size < NEIGHBOUR_HEADER_LEN
        || !nl_policy_parse(message, NEIGHBOUR_HEADER_LEN, policy, attrs,
                            ARRAY_SIZE(policy))) {
        return;
    }
    neighbour = ofpbuf_at_assert(message, NLMSG_HDRLEN, sizeof *neighbour);
    if (!get_address(attrs[NDA_DST], neighbour->ndm_family, &m->key.addr)) {
        return;
    }

    /* While it looks for a neighbour, or has failed to find it, the kernel
     * tells no MAC address. */
    m->kind = NEXTHOPS_NEIGHBOUR;
    m->key.len = 128;
    m->key.place = neighbour->ndm_ifindex;
    mac = attrs[NDA_LLADDR];
    if (mac && nl_attr_get_size(mac) == sizeof ea) {
        memcpy(&ea, nl_attr_get(mac), sizeof ea);
        m->value = eth_addr_to_uint64(ea);
    } else {
        m->gone = true;
    }
}

/* Returns what tells the route in 'message', with header 'route', from others
 * to the same destination. */
static uint64_t
route_value(const struct ofpbuf *message, const struct rtmsg *route)
{
    uint32_t low = hash_2words(route->rtm_type, route->rtm_scope);
    const struct nlattr *attr;
    uint32_t high;
    size_t left;

    low = hash_2words(low, route->rtm_flags & ROUTE_FLAGS);
    high = hash_finish(low, 1);
    NL_ATTR_FOR_EACH (attr, left,
                      ofpbuf_at_assert(message, ROUTE_HEADER_LEN, 0),
                      message->size - ROUTE_HEADER_LEN) {
        /* How much longer the kernel keeps it, and how often it was used. */
        if (nl_attr_type(attr) != RTA_CACHEINFO) {
            low = hash_bytes(attr, attr->nla_len, low);
            high = hash_bytes(attr, attr->nla_len, high);
        }
    }
    return (uint64_t) high << 32 | low;
}

/* Parses 'message', of type RTM_NEWROUTE or RTM_DELROUTE. */
static void
parse_route(const struct ofpbuf *message, struct nexthops_message *m)
{
    static const struct nl_policy policy[] = {
        [RTA_DST] = { .type = NL_A_UNSPEC, .optional = true },
        [RTA_PRIORITY] = { .type = NL_A_U32, .optional = true },
        [RTA_TABLE] = { .type = NL_A_U32, .optional = true },
    };
    struct nlattr *attrs[ARRAY_SIZE(policy)];
    const struct rtmsg *route;
    struct in6_addr mask;

    if (message->size < ROUTE_HEADER_LEN
        || !nl_policy_parse(message, ROUTE_HEADER_LEN, policy, attrs,
                            ARRAY_SIZE(policy))) {
        return;
    }
    route = ofpbuf_at_assert(message, NLMSG_HDRLEN, sizeof *route);
    m->key.len = route->rtm_dst_len + (route->rtm_family == AF_INET ? 96 : 0);
    if (route->rtm_flags & RTM_F_CLONED || m->key.len > 128
        || !get_address(attrs[RTA_DST], route->rtm_family, &m->key.addr)) {
        return;
    }

    /* Each device that comes has such routes, and no flow has such a
     * destination. */
    if (IN6_IS_ADDR_LINKLOCAL(&m->key.addr)
        || IN6_IS_ADDR_MULTICAST(&m->key.addr)) {
        return;
    }

    mask = ipv6_create_mask(m->key.len);
    m->key.addr = ipv6_addr_bitand(&m->key.addr, &mask);
    m->kind = NEXTHOPS_ROUTE;
    m->key.place = (attrs[RTA_TABLE] ? nl_attr_get_u32(attrs[RTA_TABLE])
                    : route->rtm_table);
    m->key.priority = (attrs[RTA_PRIORITY]
                       ? nl_attr_get_u32(attrs[RTA_PRIORITY]) : 0);
    m->key.tos = route->rtm_tos;
    m->value = route_value(message, route);
}

/* Stores in '*m' what 'message', of rtnetlink, says. */
void
nexthops_message_parse(const struct ofpbuf *message,
                       struct nexthops_message *m)
{
    uint16_t type = nl_msg_nlmsghdr(message)->nlmsg_type;

    memset(m, 0, sizeof *m);
    m->gone = type == RTM_DELNEIGH || type == RTM_DELROUTE;
    switch (type) {
    case RTM_NEWNEIGH:
    case RTM_DELNEIGH:
        parse_neighbour(message, m);
        break;
    case RTM_NEWROUTE:
    case RTM_DELROUTE:
        parse_route(message, m);
        break;
    case RTM_NEWRULE:
    case RTM_DELRULE:
        m->kind = NEXTHOPS_RULE;
        break;
    default:
        break;
    }
    m->key.kind = m->kind;
}
