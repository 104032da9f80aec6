/* SPDX-License-Identifier: Apache-2.0 */
/* rtnetlink's messages about queueing disciplines; see
 * plugin/netdevs-qdisc.h. */
#include <config.h>

#include "plugin/netdevs-qdisc.h"

#include <linux/rtnetlink.h>
#include <string.h>

#include "netlink.h"
#include "netlink-socket.h"
#include "openvswitch/ofpbuf.h"
#include "util.h"

/* Where attributes begin in a message about a qdisc. */
#define QDISC_HEADER_LEN (NLMSG_HDRLEN + sizeof(struct tcmsg))

/* Parses 'message', of rtnetlink.  Returns false if it is not about a
 * qdisc. */
bool
netdevs_qdisc_parse(const struct ofpbuf *message, struct netdevs_qdisc *qdisc)
{
    static const struct nl_policy policy[] = {
        [TCA_KIND] = { .type = NL_A_STRING },
    };
    const struct nlmsghdr *header = message->data;
    struct nlattr *attrs[ARRAY_SIZE(policy)];
    const struct tcmsg *tc;

    if (message->size < QDISC_HEADER_LEN
        || (header->nlmsg_type != RTM_NEWQDISC
            && header->nlmsg_type != RTM_DELQDISC)
        || !nl_policy_parse(message, QDISC_HEADER_LEN, policy, attrs,
                            ARRAY_SIZE(policy))) {
        return false;
    }
    tc = ofpbuf_at_assert(message, NLMSG_HDRLEN, sizeof *tc);
    *qdisc = (struct netdevs_qdisc) {
        .ifindex = tc->tcm_ifindex,
        .polices = !strcmp(nl_attr_get_string(attrs[TCA_KIND]), "ingress"),
        .there = header->nlmsg_type == RTM_NEWQDISC,
    };
    return true;
}

/* Composes in 'request', which must be empty, the request for all qdiscs. */
void
netdevs_qdisc_put_dump(struct ofpbuf *request)
{
    nl_msg_put_nlmsghdr(request, sizeof(struct tcmsg), RTM_GETQDISC,
                        NLM_F_REQUEST);
    ofpbuf_put_zeros(request, sizeof(struct tcmsg));
}
