/* SPDX-License-Identifier: Apache-2.0 */
/* One RTM_GETROUTE for each question, nothing remembered.  With an arriving
 * device the kernel runs the look-up of a forwarded packet, rules and all; for
 * IPv4 it checks the source, too, and says EINVAL or EXDEV if that fails. */

#include <config.h>

#include "plugin/host-route.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "netlink.h"
#include "netlink-socket.h"
#include "openvswitch/ofpbuf.h"
#include "packets.h"
#include "util.h"

/* Where attributes begin in a route message. */
#define ROUTE_HEADER_LEN (NLMSG_HDRLEN + sizeof(struct rtmsg))

/* a.root-servers.net: 198.41.0.4 and 2001:503:ba3e::2:30. */
const struct in6_addr host_world4 = { .s6_addr = {
    [10] = 0xff, [11] = 0xff, [12] = 198, [13] = 41, [14] = 0, [15] = 4 } };
const struct in6_addr host_world6 = { .s6_addr = {
    0x20, 0x01, 0x05, 0x03, 0xba, 0x3e, [13] = 0x02, [15] = 0x30 } };

/* Appends 'addr' to 'request' as attribute 'type'. */
static void
put_address(struct ofpbuf *request, uint16_t type, const struct in6_addr *addr)
{
    if (IN6_IS_ADDR_V4MAPPED(addr)) {
        nl_msg_put_be32(request, type, in6_addr_get_mapped_ipv4(addr));
    } else {
        nl_msg_put_in6_addr(request, type, addr);
    }
}

/* Composes in 'request', which must be empty, the question for 'packet'. */
static void
put_request(struct ofpbuf *request, const struct host_packet *packet)
{
    bool v4 = IN6_IS_ADDR_V4MAPPED(&packet->dst);
    struct rtmsg *route;

    nl_msg_put_nlmsghdr(request, sizeof *route, RTM_GETROUTE, NLM_F_REQUEST);
    route = ofpbuf_put_zeros(request, sizeof *route);
    route->rtm_family = v4 ? AF_INET : AF_INET6;
    route->rtm_dst_len = v4 ? 32 : 128;
    route->rtm_src_len = packet->iif ? route->rtm_dst_len : 0;
    put_address(request, RTA_DST, &packet->dst);
    if (packet->iif) {
        put_address(request, RTA_SRC, &packet->src);
        nl_msg_put_u32(request, RTA_IIF, packet->iif);
    }
}

/* Stores in '*answer' what 'message', of rtnetlink, says. */
void
host_route_parse(const struct ofpbuf *message, struct host_route *answer)
{
    static const struct nl_policy policy[] = {
        [RTA_OIF] = { .type = NL_A_U32, .optional = true },
    };
    struct nlattr *attrs[ARRAY_SIZE(policy)];
    const struct rtmsg *route;

    *answer = (struct host_route) { .error = EPROTO };
    if (message->size < ROUTE_HEADER_LEN
        || nl_msg_nlmsghdr(message)->nlmsg_type != RTM_NEWROUTE
        || !nl_policy_parse(message, ROUTE_HEADER_LEN, policy, attrs,
                            ARRAY_SIZE(policy))) {
        return;
    }

    route = ofpbuf_at_assert(message, NLMSG_HDRLEN, sizeof *route);
    switch (route->rtm_type) {
    case RTN_LOCAL:
    case RTN_ANYCAST:
    case RTN_BROADCAST:
        answer->error = 0;
        answer->local = true;
        break;
    case RTN_UNICAST:
        answer->error = attrs[RTA_OIF] ? 0 : EHOSTUNREACH;
        break;
    default:
        answer->error = EHOSTUNREACH;
        break;
    }
    if (attrs[RTA_OIF]) {
        answer->ifindex = nl_attr_get_u32(attrs[RTA_OIF]);
    }
}

/* Stores in '*answer' what the kernel would do with 'packet' now. */
void
host_route_get(const struct host_packet *packet, struct host_route *answer)
{
    struct ofpbuf request, *reply;
    int error;

    ofpbuf_init(&request, 0);
    put_request(&request, packet);
    error = nl_transact(NETLINK_ROUTE, &request, &reply);
    ofpbuf_uninit(&request);
    if (error) {
        *answer = (struct host_route) { .error = error };
    } else {
        host_route_parse(reply, answer);
        ofpbuf_delete(reply);
        if (!if_indextoname(answer->ifindex, answer->device)) {
            answer->device[0] = '\0';
        }
    }
}
