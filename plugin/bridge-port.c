/* SPDX-License-Identifier: Apache-2.0 */
/* The managed port, made and kept in order by rtnetlink and ethtool. */
#include <config.h>

#include "plugin/bridge-port.h"

#include <ctype.h>
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "netlink.h"
#include "netlink-socket.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "sha1.h"
#include "util.h"

#include "plugin/netdevs.h"
#include "plugin/netdevs-ethtool.h"
#include "plugin/netdevs-link.h"

VLOG_DEFINE_THIS_MODULE(bridge_port);

/* Linux refuses to make devices with more queues. */
#define MAX_QUEUES 4096

/* Limits of GRO, from enum IFLA_* of include/uapi/linux/if_link.h: since Linux
 * 5.19 for all packets, since 6.3 IPv4 has one of its own.  And the value that
 * a new device has, GRO_LEGACY_MAX_SIZE of include/linux/netdevice.h. */
#define ATTR_GRO_MAX_SIZE 58
#define ATTR_GRO_IPV4_MAX_SIZE 64
#define GRO_DEFAULT_MAX_SIZE 65536

/* One end of the pair as it is. */
struct end {
    const char *name;           /* Device name. */
    struct netdev_info info;    /* What rtnetlink says. */
    unsigned int flags;         /* IFF_*. */
    int addr_gen_mode;          /* IN6_ADDR_GEN_MODE_*; -1: has no IPv6. */
};

/* Returns true if 'bridge' can be a part of a device name as it is. */
static bool
is_plain_name(const char *bridge)
{
    for (const char *p = bridge; *p; p++) {
        if (!isalnum((unsigned char) *p) && !strchr("-_.", *p)) {
            return false;
        }
    }
    return bridge[0] != '\0';
}

/* Stores in 'names' the names of both ends for 'bridge': "xdpi-BRIDGE" and
 * "xdpo-BRIDGE" where that is short enough, otherwise "xdpi_" and "xdpo_" with
 * ten digits of the name's SHA-1, which no short name can be taken for. */
void
bridge_port_names(const char *bridge, struct bridge_port_names *names)
{
    const size_t room = IFNAMSIZ - strlen("xdpi-");
    uint8_t digest[SHA1_DIGEST_SIZE];

    if (strlen(bridge) < room && is_plain_name(bridge)) {
        snprintf(names->inner, sizeof names->inner, "xdpi-%s", bridge);
        snprintf(names->outer, sizeof names->outer, "xdpo-%s", bridge);
        return;
    }
    sha1_bytes(bridge, strlen(bridge), digest);
    snprintf(names->inner, sizeof names->inner, "xdpi_%02x%02x%02x%02x%02x",
             digest[0], digest[1], digest[2], digest[3], digest[4]);
    snprintf(names->outer, sizeof names->outer, "xdpo_%s",
             names->inner + strlen("xdpi_"));
}

/* Stores in 'names' those of the pair whose outer end is called 'outer'.
 * Returns false if no outer end is called so. */
bool
bridge_port_names_of(const char *outer, struct bridge_port_names *names)
{
    if (strncmp(outer, "xdpo-", 5) && strncmp(outer, "xdpo_", 5)) {
        return false;
    }
    snprintf(names->inner, sizeof names->inner, "xdpi%s", outer + 4);
    snprintf(names->outer, sizeof names->outer, "%s", outer);
    return true;
}

/* Sends 'request' to rtnetlink and frees it.  Returns 0 or a positive
 * errno. */
static int
transact(struct ofpbuf *request)
{
    int error = nl_transact(NETLINK_ROUTE, request, NULL);

    ofpbuf_uninit(request);
    return error;
}

/* Returns the attribute 'type' of 'message', a link message, or NULL. */
static const struct nlattr *
find_attribute(const struct ofpbuf *message, uint16_t type)
{
    return nl_attr_find(message, NLMSG_HDRLEN + sizeof(struct ifinfomsg),
                        type);
}

/* Returns the addr_gen_mode that 'message', a link message, tells, or -1. */
static int
parse_addr_gen_mode(const struct ofpbuf *message)
{
    const struct nlattr *a = find_attribute(message, IFLA_AF_SPEC);

    a = a ? nl_attr_find_nested(a, AF_INET6) : NULL;
    a = a ? nl_attr_find_nested(a, IFLA_INET6_ADDR_GEN_MODE) : NULL;
    return a && nl_attr_get_size(a) == sizeof(uint8_t) ? nl_attr_get_u8(a)
                                                       : -1;
}

/* Stores in '*end' how the device 'name' is.  Returns 0 or a positive errno;
 * ENODEV: it is not there. */
static int
read_end(const char *name, struct end *end)
{
    struct ofpbuf *reply;
    int error;

    memset(end, 0, sizeof *end);
    end->name = name;
    error = netdevs_link_get(name, 0, &reply);
    if (error) {
        return error;
    }
    if (netdevs_link_parse(reply, &end->info) == NETDEVS_LINK_NEW) {
        const struct ifinfomsg *link;

        link = ofpbuf_at_assert(reply, NLMSG_HDRLEN, sizeof *link);
        end->flags = link->ifi_flags;
        end->addr_gen_mode = parse_addr_gen_mode(reply);
    } else {
        error = EPROTO;
    }
    ofpbuf_delete(reply);
    return error;
}

/* Stores in '*inner' and '*outer' how the pair 'names' is.  Returns 0 or a
 * positive errno; ENODEV: neither end is there; EEXIST: what is there is not
 * the pair. */
static int
read_pair(const struct bridge_port_names *names, struct end *inner,
          struct end *outer)
{
    int inner_error = read_end(names->inner, inner);
    int outer_error = read_end(names->outer, outer);

    if (inner_error == ENODEV && outer_error == ENODEV) {
        return ENODEV;
    } else if (inner_error == ENODEV || outer_error == ENODEV) {
        return EEXIST;
    } else if (inner_error || outer_error) {
        return inner_error ? inner_error : outer_error;
    }
    return (strcmp(inner->info.kind, "veth")
            || strcmp(outer->info.kind, "veth")
            || inner->info.peer != outer->info.ifindex
            || outer->info.peer != inner->info.ifindex) ? EEXIST : 0;
}

/* Appends to 'request' the attributes of a new end 'name'.
 *
 * The address is chosen here, since udev replaces one that the kernel chose.
 * It is a locally administered one, which OVS never takes over as that of the
 * bridge.  There is a queue for each CPU, so that CPUs that redirect at the
 * same time do not wait for each other; both ends have as many, or veth
 * refuses XDP. */
static void
put_end(struct ofpbuf *request, const char *name, int mtu)
{
    long int n_cpus = sysconf(_SC_NPROCESSORS_CONF);
    uint32_t n_queues = MAX(1, MIN(n_cpus, MAX_QUEUES));
    struct eth_addr mac;

    eth_addr_random(&mac);
    nl_msg_put_string(request, IFLA_IFNAME, name);
    nl_msg_put_unspec(request, IFLA_ADDRESS, &mac, sizeof mac);
    nl_msg_put_u32(request, IFLA_MTU, mtu);
    nl_msg_put_u32(request, IFLA_NUM_TX_QUEUES, n_queues);
    nl_msg_put_u32(request, IFLA_NUM_RX_QUEUES, n_queues);
}

/* Makes the pair 'names', with both ends down.  Returns 0 or a positive
 * errno; EEXIST: a device has one of the names. */
static int
make_pair(const struct bridge_port_names *names, int mtu)
{
    size_t info, data, peer;
    struct ofpbuf request;

    ofpbuf_init(&request, 0);
    netdevs_link_put_header(&request, RTM_NEWLINK,
                            NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, 0);
    put_end(&request, names->outer, mtu);
    info = nl_msg_start_nested(&request, IFLA_LINKINFO);
    nl_msg_put_string(&request, IFLA_INFO_KIND, "veth");
    data = nl_msg_start_nested(&request, IFLA_INFO_DATA);
    peer = nl_msg_start_nested(&request, VETH_INFO_PEER);
    ofpbuf_put_zeros(&request, sizeof(struct ifinfomsg));
    put_end(&request, names->inner, mtu);
    nl_msg_end_nested(&request, peer);
    nl_msg_end_nested(&request, data);
    nl_msg_end_nested(&request, info);
    return transact(&request);
}

/* Makes IPv6 generate no address for 'end'.  Returns 0 or a positive
 * errno. */
static int
stop_addresses(const struct end *end)
{
    struct ofpbuf request;
    size_t af, inet6;

    if (end->addr_gen_mode < 0
        || end->addr_gen_mode == IN6_ADDR_GEN_MODE_NONE) {
        return 0;
    }
    ofpbuf_init(&request, 0);
    netdevs_link_put_header(&request, RTM_SETLINK, NLM_F_ACK,
                            end->info.ifindex);
    af = nl_msg_start_nested(&request, IFLA_AF_SPEC);
    inet6 = nl_msg_start_nested(&request, AF_INET6);
    nl_msg_put_u8(&request, IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
    nl_msg_end_nested(&request, inet6);
    nl_msg_end_nested(&request, af);
    return transact(&request);
}

/* Switches IPv6 off on 'end': without a link-local address it would still
 * listen to router advertisements.  Best effort: a service may see /proc/sys
 * read-only, and a kernel may have no IPv6. */
static void
disable_ipv6(const struct end *end)
{
    char *path = xasprintf("/proc/sys/net/ipv6/conf/%s/disable_ipv6",
                           end->name);
    FILE *stream = fopen(path, "r+");
    int error = stream ? 0 : errno;

    if (stream) {
        if (getc(stream) != '1') {
            rewind(stream);
            error = fputs("1", stream) == EOF ? errno : 0;
        }
        if (fclose(stream) == EOF && !error) {
            error = errno;
        }
    }
    if (error) {
        VLOG_DBG("%s: %s", path, ovs_strerror(error));
    }
    free(path);
}

/* Sets the MTU of 'end' to 'mtu' and the flags that both ends must have.
 * Returns 0 or a positive errno. */
static int
set_link(const struct end *end, int mtu)
{
    const unsigned int flags = IFF_UP | IFF_NOARP;
    struct ofpbuf request;
    struct ifinfomsg *link;

    if (end->info.mtu == mtu && (end->flags & flags) == flags) {
        return 0;
    }
    ofpbuf_init(&request, 0);
    netdevs_link_put_header(&request, RTM_SETLINK, NLM_F_ACK,
                            end->info.ifindex);
    link = ofpbuf_at_assert(&request, NLMSG_HDRLEN, sizeof *link);
    link->ifi_flags = flags;
    link->ifi_change = flags;
    nl_msg_put_u32(&request, IFLA_MTU, mtu);
    return transact(&request);
}

/* Switches GRO on at the inner end 'end': that makes it take up redirected
 * frames at all.  Returns 0 or a positive errno. */
static int
enable_gro(const struct end *end)
{
    uint32_t on;
    int error = netdevs_ethtool_get(end->name, ETHTOOL_GGRO, &on);

    return (error || on ? error
            : netdevs_ethtool_set(end->name, ETHTOOL_SGRO, 1));
}

/* Puts right whatever is wrong at 'end', with IPv6 silenced before the device
 * goes up.  Asks for nothing that is right already, so that it causes no
 * event.  Returns 0 or a positive errno. */
static int
repair_end(const struct end *end, int mtu)
{
    int error = stop_addresses(end);

    if (!error) {
        disable_ipv6(end);
        error = set_link(end, mtu);
    }
    return error;
}

/* Makes the pair 'names' with MTU 'mtu', or puts right the one that is there.
 * Returns 0 or a positive errno: see the header. */
int
bridge_port_create(const struct bridge_port_names *names, int mtu)
{
    int error = make_pair(names, mtu);

    if (error && error != EEXIST) {
        return error;
    }
    if (!error) {
        VLOG_INFO("made the veth pair %s and %s", names->inner, names->outer);
    }
    error = bridge_port_repair(names, mtu);
    return error == ENODEV ? EAGAIN : error;
}

/* Puts right whatever somebody changed about the pair 'names': up, MTU 'mtu',
 * GRO, no addresses.  Does nothing if all is right.  Returns 0 or a positive
 * errno: see the header. */
int
bridge_port_repair(const struct bridge_port_names *names, int mtu)
{
    struct end inner, outer;
    int error = read_pair(names, &inner, &outer);

    if (!error) {
        error = enable_gro(&inner);
    }
    if (!error) {
        error = repair_end(&inner, mtu);
    }
    return error ? error : repair_end(&outer, mtu);
}

/* Returns the u32 attribute 'type' of the device 'name', 0 if the kernel tells
 * none. */
static uint32_t
read_u32(const char *name, uint16_t type)
{
    struct ofpbuf *reply;
    uint32_t value = 0;

    if (!netdevs_link_get(name, 0, &reply)) {
        const struct nlattr *a = find_attribute(reply, type);

        value = a ? nl_attr_get_u32(a) : 0;
        ofpbuf_delete(reply);
    }
    return value;
}

/* Sets the u32 attribute 'type' of the device 'name' with 'ifindex' to
 * 'value', unless it is so or the kernel does not know it.  Returns 0 or a
 * positive errno. */
static int
write_u32(const char *name, int ifindex, uint16_t type, uint32_t value)
{
    uint32_t old = read_u32(name, type);
    struct ofpbuf request;

    if (!old || old == value) {
        return 0;
    }
    ofpbuf_init(&request, 0);
    netdevs_link_put_header(&request, RTM_SETLINK, NLM_F_ACK, ifindex);
    nl_msg_put_u32(&request, type, value);
    return transact(&request);
}

/* Lets GRO at the inner end of the pair 'names' merge segments, or not.  GRO
 * itself stays on, as the outer end needs it.
 *
 * The userspace datapath reads its ports as packets of at most the MTU and
 * drops what GRO has made of them, so TCP would starve there; the kernel
 * datapath takes merged segments and is the faster for it.  Returns 0 or a
 * positive errno. */
int
bridge_port_set_merging(const struct bridge_port_names *names, bool merge)
{
    uint32_t size = merge ? GRO_DEFAULT_MAX_SIZE : 1;
    struct end inner, outer;
    int error = read_pair(names, &inner, &outer);

    if (!error) {
        error = write_u32(names->inner, inner.info.ifindex,
                          ATTR_GRO_MAX_SIZE, size);
    }
    if (!error) {
        error = write_u32(names->inner, inner.info.ifindex,
                          ATTR_GRO_IPV4_MAX_SIZE, size);
    }
    return error;
}

/* Deletes the pair 'names' if it is there.  Returns 0 or a positive errno:
 * see the header. */
int
bridge_port_delete(const struct bridge_port_names *names)
{
    struct end inner, outer;
    struct ofpbuf request;
    int error = read_pair(names, &inner, &outer);

    if (error) {
        return error == ENODEV ? 0 : error;
    }
    ofpbuf_init(&request, 0);
    netdevs_link_put_header(&request, RTM_DELLINK, NLM_F_ACK,
                            outer.info.ifindex);
    error = transact(&request);
    return error == ENODEV ? 0 : error;
}
