/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of plugin/host-route.c, host-leg.c and host-firewall.c against the
 * kernel, in a network namespace of their own, and of what they make of its
 * messages. */

#include <config.h>

#include <errno.h>
#include <netinet/in.h>
#include <linux/if_link.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "netlink.h"
#include "openvswitch/ofpbuf.h"
#include "packets.h"
#include "plugin/addresses.h"
#include "plugin/host-firewall.h"
#include "plugin/host-leg.h"
#include "plugin/host-route.h"
#include "tests/plugin/netns.h"
#include "util.h"

/* Returns the address that 'text' says. */
static struct in6_addr
addr(const char *text)
{
    struct in6_addr ip;

    assert_true(address_parse(text, &ip));
    return ip;
}

/* Makes two veth pairs, 'nic' and 'leg', that are up, with routes. */
static int
setup(void **state OVS_UNUSED)
{
    netns_run("ip link add nic type veth peer name nic-p;"
              "ip link add leg type veth peer name leg-p;"
              "for d in nic nic-p leg leg-p; do ip link set $d up; done;"
              "ip addr add 192.0.2.1/24 dev nic;"
              "ip -6 addr add 2001:db8::1/64 dev nic nodad;"
              "ip route add default via 192.0.2.254;"
              "ip -6 route add default via 2001:db8::254;"
              "ip route add blackhole 198.51.100.1/32;"
              "ip route add 198.51.100.2/32 dev leg;"
              "ip -6 route add 2001:db8:1::2/128 dev leg;"
              "sysctl -qw net.ipv4.ip_forward=1 "
              "net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.leg.rp_filter=0 "
              "net.ipv4.conf.nic.rp_filter=0 "
              "net.ipv6.conf.all.forwarding=1");
    return 0;
}

/* Takes them away. */
static int
teardown(void **state OVS_UNUSED)
{
    netns_run("ip link del nic; ip link del leg;"
              "ip route flush table all type blackhole;"
              "ip rule del lookup 100 2>/dev/null; true");
    return 0;
}

/* Checks that a packet to 'dst', arriving by 'iif' from 'src' unless that is
 * NULL, leaves by 'device', or goes nowhere if that is NULL. */
static void
check_route(const char *dst, const char *src, const char *iif,
            const char *device)
{
    struct host_packet packet = { .dst = addr(dst) };
    struct host_route route;

    if (iif) {
        packet.src = addr(src);
        packet.iif = if_nametoindex(iif);
    }
    host_route_get(&packet, &route);
    if (!device) {
        assert_true(route.error > 0);
    } else {
        assert_int_equal(route.error, 0);
        assert_false(route.local);
        assert_string_equal(route.device, device);
        assert_int_equal(route.ifindex, if_nametoindex(device));
    }
}

/* Where packets go. */
static void
test_route(void **state OVS_UNUSED)
{
    check_route("198.51.100.2", NULL, NULL, "leg");
    check_route("198.51.100.2", "203.0.113.1", "nic", "leg");
    check_route("198.51.100.3", "203.0.113.1", "nic", "nic");
    check_route("198.51.100.1", NULL, NULL, NULL);
    check_route("198.51.100.1", "203.0.113.1", "nic", NULL);
    check_route("203.0.113.1", "198.51.100.2", "leg", "nic");
    check_route("2001:db8:1::2", NULL, NULL, "leg");
    check_route("2001:db8:1::2", "2001:db8:ffff::1", "nic", "leg");
    check_route("2001:db8:1::3", "2001:db8:ffff::1", "nic", "nic");
}

/* The host's own addresses. */
static void
test_route_local(void **state OVS_UNUSED)
{
    static const char *const own[] = { "192.0.2.1", "2001:db8::1" };
    struct host_route route;

    for (size_t i = 0; i < ARRAY_SIZE(own); i++) {
        host_route_get(&(struct host_packet) { .dst = addr(own[i]) }, &route);
        assert_int_equal(route.error, 0);
        assert_true(route.local);
    }
}

/* The default route covers what stands for the world, a rule for arriving
 * packets counts, and source validation does. */
static void
test_route_rules(void **state OVS_UNUSED)
{
    struct host_packet packet = {
        .dst = host_world4, .src = addr("198.51.100.2"),
        .iif = if_nametoindex("leg"),
    };
    struct host_route route;

    host_route_get(&packet, &route);
    assert_string_equal(route.device, "nic");
    host_route_get(&(struct host_packet) { .dst = host_world6 }, &route);
    assert_string_equal(route.device, "nic");

    netns_run("ip rule add iif nic lookup 100;"
              "ip route add 198.51.100.3/32 dev leg table 100");
    check_route("198.51.100.3", "203.0.113.1", "nic", "leg");
    check_route("198.51.100.3", NULL, NULL, "nic");

    netns_run("sysctl -qw net.ipv4.conf.leg.rp_filter=1");
    host_route_get(&packet, &route);
    assert_int_equal(route.error, 0);
    packet.src = addr("198.51.100.9");
    host_route_get(&packet, &route);
    assert_true(route.error > 0);

    netns_run("sysctl -qw net.ipv4.conf.leg.rp_filter=0 "
              "net.ipv4.conf.leg.forwarding=0");
    host_route_get(&packet, &route);
    assert_true(route.error > 0);
    netns_run("ip route del default; ip -6 route del default");
    check_route("203.0.113.1", NULL, NULL, NULL);
    check_route("2001:db8:ffff::1", NULL, NULL, NULL);
}

/* A message that is none, or says what no packet survives. */
static void
test_route_parse(void **state OVS_UNUSED)
{
    static const uint8_t types[] = { RTN_BLACKHOLE, RTN_UNREACHABLE,
                                     RTN_PROHIBIT, RTN_THROW, RTN_UNICAST };
    struct host_route route;
    struct ofpbuf message;

    ofpbuf_init(&message, 0);
    host_route_parse(&message, &route);
    assert_int_equal(route.error, EPROTO);
    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        struct rtmsg *rtm;

        ofpbuf_clear(&message);
        nl_msg_put_nlmsghdr(&message, sizeof *rtm, RTM_NEWROUTE, 0);
        rtm = ofpbuf_put_zeros(&message, sizeof *rtm);
        rtm->rtm_type = types[i];
        nl_msg_nlmsghdr(&message)->nlmsg_len = message.size;
        host_route_parse(&message, &route);
        assert_int_equal(route.error, EHOSTUNREACH);
    }
    ofpbuf_uninit(&message);
}

/* Kernel parameters and addresses of a leg. */
static void
test_leg(void **state OVS_UNUSED)
{
    struct host_leg leg;

    host_leg_get("leg", &leg);
    assert_string_equal(leg.name, "leg");
    assert_int_equal(leg.ifindex, if_nametoindex("leg"));
    assert_true(leg.up);
    assert_int_equal(leg.rp_filter, 0);
    assert_int_equal(leg.proxy_arp, 0);
    assert_int_equal(leg.proxy_ndp, 0);
    assert_int_equal(leg.forwarding4, 1);
    assert_int_equal(leg.forwarding6, 1);
    assert_false(leg.address4);
    assert_false(leg.address6);

    netns_run("sysctl -qw net.ipv4.conf.all.rp_filter=1 "
              "net.ipv4.conf.leg.rp_filter=2 net.ipv4.conf.leg.proxy_arp=1 "
              "net.ipv6.conf.all.proxy_ndp=1 net.ipv4.conf.leg.forwarding=0;"
              "ip addr add 169.254.0.1/32 dev leg");
    host_leg_get("leg", &leg);
    assert_int_equal(leg.rp_filter, 2);
    assert_int_equal(leg.proxy_arp, 1);
    assert_int_equal(leg.proxy_ndp, 1);
    assert_int_equal(leg.forwarding4, 0);
    assert_false(leg.address4);

    netns_run("ip addr add 198.51.100.254/32 dev leg;"
              "ip addr add fd00::1/64 dev leg nodad;"
              "sysctl -qw net.ipv4.conf.leg.rp_filter=0 "
              "net.ipv4.conf.leg.proxy_arp=0 net.ipv4.conf.leg."
              "proxy_arp_pvlan=1 net.ipv6.conf.all.proxy_ndp=0;"
              "ip link set leg down");
    host_leg_get("leg", &leg);
    assert_int_equal(leg.rp_filter, 1);
    assert_int_equal(leg.proxy_arp, 1);
    assert_true(leg.address4);
    assert_false(leg.up);
    netns_run("sysctl -qw net.ipv4.conf.all.rp_filter=0");

    host_leg_get("nix", &leg);
    assert_int_equal(leg.ifindex, 0);
    assert_int_equal(leg.rp_filter, -1);
    assert_int_equal(leg.proxy_arp, -1);
    assert_int_equal(leg.forwarding4, -1);
    assert_false(leg.up);
}

/* The tag of a VLAN device.  This kernel may have none, so the message is made
 * here. */
static void
test_vlan(void **state OVS_UNUSED)
{
    struct ofpbuf message;
    size_t info, data;

    ofpbuf_init(&message, 0);
    assert_int_equal(host_vlan_parse(&message), -1);
    nl_msg_put_nlmsghdr(&message, sizeof(struct ifinfomsg), RTM_NEWLINK, 0);
    ofpbuf_put_zeros(&message, sizeof(struct ifinfomsg));
    assert_int_equal(host_vlan_parse(&message), -1);
    info = nl_msg_start_nested(&message, IFLA_LINKINFO);
    nl_msg_put_string(&message, IFLA_INFO_KIND, "vlan");
    data = nl_msg_start_nested(&message, IFLA_INFO_DATA);
    nl_msg_put_u16(&message, IFLA_VLAN_ID, 101);
    nl_msg_end_nested(&message, data);
    nl_msg_end_nested(&message, info);
    assert_int_equal(host_vlan_parse(&message), 101);
    ofpbuf_uninit(&message);

    assert_int_equal(host_vlan_get(if_nametoindex("leg")), -1);
    assert_int_equal(host_vlan_get(123456), -1);
}

/* How nf_tables may say on which devices a chain is. */
enum devices {
    DEVICES_NONE,               /* Not at all. */
    DEVICES_OLD,                /* One, "nic". */
    DEVICES_OLD_PREFIX,         /* One prefix, as Linux 6.16 has it. */
    DEVICES_LIST,               /* Two, and a prefix of Linux 6.16. */
    DEVICES_PREFIX,             /* One, and a prefix of Linux 6.17. */
};

/* Appends to 'message', a hook under construction, 'how' it is on devices. */
static void
put_devices(struct ofpbuf *message, enum devices how)
{
    size_t list;

    if (how == DEVICES_OLD) {
        nl_msg_put_string(message, NFTA_HOOK_DEV, "nic");
    } else if (how == DEVICES_OLD_PREFIX) {
        nl_msg_put_unspec(message, NFTA_HOOK_DEV, "leg", 3);
    } else if (how != DEVICES_NONE) {
        list = nl_msg_start_nested(message, NFTA_HOOK_DEVS);
        nl_msg_put_string(message, NFTA_DEVICE_NAME, "nic");
        if (how == DEVICES_LIST) {
            nl_msg_put_string(message, NFTA_DEVICE_NAME, "leg");
            nl_msg_put_unspec(message, NFTA_DEVICE_NAME, "eth", 3);
        } else {
            nl_msg_put_string(message, NFTA_DEVICE_NAME + 1, "eth");
        }
        nl_msg_end_nested(message, list);
    }
}

/* Composes in 'message' what nf_tables says of a chain.  Without 'hook' it is
 * no base chain. */
static void
put_chain(struct ofpbuf *message, bool hook, enum devices how)
{
    struct nfgenmsg *header;
    size_t nested;

    ofpbuf_clear(message);
    nl_msg_put_nlmsghdr(message, sizeof *header, NFT_MSG_NEWCHAIN, 0);
    header = ofpbuf_put_zeros(message, sizeof *header);
    header->nfgen_family = NFPROTO_INET;
    nl_msg_put_string(message, NFTA_CHAIN_TABLE, "t");
    nl_msg_put_string(message, NFTA_CHAIN_NAME, "c");
    if (hook) {
        nested = nl_msg_start_nested(message, NFTA_CHAIN_HOOK);
        nl_msg_put_be32(message, NFTA_HOOK_HOOKNUM, htonl(NF_INET_FORWARD));
        put_devices(message, how);
        nl_msg_end_nested(message, nested);
        nl_msg_put_be32(message, NFTA_CHAIN_POLICY, htonl(NF_DROP));
        nl_msg_put_be32(message, NFTA_CHAIN_USE, htonl(3));
    }
}

/* Checks that 'names' are 'first' and 'second', each unless it is NULL. */
static void
check_devices(const struct svec *names, const char *first, const char *second)
{
    assert_int_equal(names->n, (first != NULL) + (second != NULL));
    if (first) {
        assert_string_equal(names->names[0], first);
    }
    if (second) {
        assert_string_equal(names->names[1], second);
    }
}

/* Devices of ingress hooks, and prefixes of their names, which may come
 * without a null byte. */
static void
test_firewall_devices(void **state OVS_UNUSED)
{
    static const enum devices hows[] = {
        DEVICES_OLD_PREFIX, DEVICES_LIST, DEVICES_PREFIX };
    struct host_firewall fw = { .error = 0 };
    struct ofpbuf message;

    ofpbuf_init(&message, 0);
    for (size_t i = 0; i < ARRAY_SIZE(hows); i++) {
        put_chain(&message, true, hows[i]);
        host_firewall_parse(&fw, &message);
    }
    assert_int_equal(fw.n_chains, 3);
    check_devices(&fw.chains[0].devices, NULL, NULL);
    check_devices(&fw.chains[0].prefixes, "leg", NULL);
    check_devices(&fw.chains[1].devices, "nic", "leg");
    check_devices(&fw.chains[1].prefixes, "eth", NULL);
    check_devices(&fw.chains[2].devices, "nic", NULL);
    check_devices(&fw.chains[2].prefixes, "eth", NULL);
    ofpbuf_uninit(&message);
    host_firewall_uninit(&fw);
}

/* Chains, and what is none. */
static void
test_firewall_parse(void **state OVS_UNUSED)
{
    struct host_firewall fw = { .error = 0 };
    struct ofpbuf message;

    ofpbuf_init(&message, 0);
    host_firewall_parse(&fw, &message);
    put_chain(&message, false, DEVICES_NONE);
    host_firewall_parse(&fw, &message);
    assert_int_equal(fw.n_chains, 0);
    put_chain(&message, true, DEVICES_NONE);
    host_firewall_parse(&fw, &message);
    put_chain(&message, true, DEVICES_OLD);
    host_firewall_parse(&fw, &message);
    assert_int_equal(fw.n_chains, 2);
    assert_int_equal(fw.chains[0].family, NFPROTO_INET);
    assert_int_equal(fw.chains[0].hook, NF_INET_FORWARD);
    assert_string_equal(fw.chains[0].table, "t");
    assert_string_equal(fw.chains[0].name, "c");
    assert_int_equal(fw.chains[0].devices.n, 0);
    assert_int_equal(fw.chains[0].prefixes.n, 0);
    assert_int_equal(fw.chains[0].n_rules, 3);
    assert_true(fw.chains[0].drops);
    check_devices(&fw.chains[1].devices, "nic", NULL);
    assert_int_equal(fw.chains[1].prefixes.n, 0);
    ofpbuf_uninit(&message);
    host_firewall_uninit(&fw);
}

/* A new network namespace has no rules, or cannot be asked and says why. */
static void
test_firewall(void **state OVS_UNUSED)
{
    struct host_firewall fw;

    host_firewall_get(&fw);
    assert_int_equal(fw.n_chains, 0);
    assert_int_equal(fw.error, 0);
    assert_non_null(fw.legacy[0]);
    assert_non_null(fw.legacy[1]);
    assert_int_equal(fw.legacy_error, 0);
    host_firewall_uninit(&fw);
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_route),
        TEST(test_route_local),
        TEST(test_route_rules),
        TEST(test_route_parse),
        TEST(test_leg),
        TEST(test_vlan),
        TEST(test_firewall_parse),
        TEST(test_firewall_devices),
        TEST(test_firewall),
    };

    netns_enter();
    return cmocka_run_group_tests_name("host", tests, NULL, NULL);
}
