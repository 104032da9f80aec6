/* SPDX-License-Identifier: Apache-2.0 */
/* Reads /proc/sys/net, which is that of the daemon's network namespace, and
 * the addresses of devices. */

#include <config.h>

#include "plugin/host-leg.h"

#include <errno.h>
#include <ifaddrs.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "netlink.h"
#include "netlink-socket.h"
#include "openvswitch/ofpbuf.h"
#include "util.h"

#include "plugin/netdevs-link.h"

/* Where attributes begin in a link message. */
#define LINK_HEADER_LEN (NLMSG_HDRLEN + sizeof(struct ifinfomsg))

/* Returns the number in /proc/sys/net/'family'/conf/'device'/'key', or -1. */
static int
read_conf(const char *family, const char *device, const char *key)
{
    char *path = xasprintf("/proc/sys/net/%s/conf/%s/%s", family, device, key);
    FILE *file = fopen(path, "r");
    int value = -1;

    if (file) {
        if (fscanf(file, "%d", &value) != 1) {
            value = -1;
        }
        fclose(file);
    }
    free(path);
    return value;
}

/* Returns the larger of the two numbers 'key' of 'device' and of "all", as
 * the kernel does for most keys; -1 if the device's cannot be read. */
static int
read_either(const char *family, const char *device, const char *key)
{
    int own = read_conf(family, device, key);

    return own < 0 ? -1 : MAX(own, read_conf(family, "all", key));
}

/* Returns true if 'addr' is one that could be the next hop of others. */
static bool
is_own_address(const struct sockaddr *addr)
{
    if (addr->sa_family == AF_INET) {
        const struct sockaddr_in *sin = ALIGNED_CAST(
            const struct sockaddr_in *, addr);
        return (ntohl(sin->sin_addr.s_addr) >> 16) != 0xa9fe; /* 169.254. */
    } else {
        const struct sockaddr_in6 *sin6 = ALIGNED_CAST(
            const struct sockaddr_in6 *, addr);
        return !IN6_IS_ADDR_LINKLOCAL(&sin6->sin6_addr);
    }
}

/* Notes in 'leg' which addresses it has. */
static void
get_addresses(struct host_leg *leg)
{
    struct ifaddrs *list;

    if (getifaddrs(&list)) {
        return;
    }
    for (const struct ifaddrs *i = list; i; i = i->ifa_next) {
        int family = i->ifa_addr ? i->ifa_addr->sa_family : AF_UNSPEC;

        if (!strcmp(i->ifa_name, leg->name)) {
            leg->up |= (i->ifa_flags & IFF_UP) != 0;
            if ((family == AF_INET || family == AF_INET6)
                && is_own_address(i->ifa_addr)) {
                leg->address4 |= family == AF_INET;
                leg->address6 |= family == AF_INET6;
            }
        }
    }
    freeifaddrs(list);
}

/* Fills '*leg' with what there is to know now about the device 'name'. */
void
host_leg_get(const char *name, struct host_leg *leg)
{
    memset(leg, 0, sizeof *leg);
    ovs_strlcpy(leg->name, name, sizeof leg->name);
    leg->ifindex = if_nametoindex(name);
    leg->rp_filter = read_either("ipv4", name, "rp_filter");
    leg->proxy_arp = MAX(read_either("ipv4", name, "proxy_arp"),
                         read_conf("ipv4", name, "proxy_arp_pvlan"));
    leg->proxy_ndp = read_either("ipv6", name, "proxy_ndp");
    leg->forwarding4 = read_conf("ipv4", name, "forwarding");
    leg->forwarding6 = read_conf("ipv6", "all", "forwarding");
    get_addresses(leg);
}

/* Returns the tag of the VLAN device that 'message', of rtnetlink, tells of,
 * or -1 if it is about something else. */
int
host_vlan_parse(const struct ofpbuf *message)
{
    static const struct nl_policy policy[] = {
        [IFLA_LINKINFO] = { .type = NL_A_NESTED, .optional = true },
    };
    const struct nlattr *kind, *data, *tag = NULL;
    struct nlattr *attrs[ARRAY_SIZE(policy)];

    if (message->size < LINK_HEADER_LEN
        || !nl_policy_parse(message, LINK_HEADER_LEN, policy, attrs,
                            ARRAY_SIZE(policy))
        || !attrs[IFLA_LINKINFO]) {
        return -1;
    }
    kind = nl_attr_find_nested(attrs[IFLA_LINKINFO], IFLA_INFO_KIND);
    data = nl_attr_find_nested(attrs[IFLA_LINKINFO], IFLA_INFO_DATA);
    if (kind && data && !strcmp(nl_attr_get_string(kind), "vlan")) {
        tag = nl_attr_find_nested(data, IFLA_VLAN_ID);
    }
    return tag && nl_attr_get_size(tag) == sizeof(uint16_t)
           ? nl_attr_get_u16(tag) : -1;
}

/* Returns the tag of the VLAN device with index 'ifindex', or -1 if it is
 * none. */
int
host_vlan_get(int ifindex)
{
    struct ofpbuf *reply;
    int tag = -1;

    if (!netdevs_link_get(NULL, ifindex, &reply)) {
        tag = host_vlan_parse(reply);
        ofpbuf_delete(reply);
    }
    return tag;
}
