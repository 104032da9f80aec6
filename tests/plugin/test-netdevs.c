/* SPDX-License-Identifier: Apache-2.0 */
/* plugin/netdevs.c against the kernel, in a network namespace of its own.
 * What devices can do with XDP is in test-netdevs-xdp.c. */
#include <config.h>

#include "plugin/netdevs.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if_arp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "netlink.h"
#include "netlink-socket.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/vlog.h"
#include "random.h"
#include "util.h"

#include "plugin/netdevs-link.h"
#include "plugin/netdevs-qdisc.h"
#include "tests/plugin/netdevs-bed.h"
#include "tests/plugin/netns.h"

/* Changes of a device that make more events than netdevs_run() takes at once,
 * and fewer than a socket has room for. */
#define FLOOD 560

static void
test_first_reading(void **state)
{
    struct netdevs *nd = *state;
    const struct netdev_info *lo = bed_get(nd, "lo");
    const struct netdev_info *v0 = bed_get(nd, "v0");
    const struct netdev_info *v1 = bed_get(nd, "v1");
    char *index = netns_read("cat /proc/net/dev_mcast | wc -l; "
                             "ip -o link show v0 | cut -d: -f1");

    assert_int_equal(hmap_count(netdevs_all(nd)), 3);
    assert_false(lo->ethernet);
    assert_true(lo->up);
    assert_int_equal(lo->mtu, 65536);
    assert_true(v0->ethernet);
    assert_true(v0->up);
    assert_int_equal(v0->mtu, 1500);
    assert_int_equal(v0->ifindex, atoi(strchr(index, '\n')));
    assert_int_equal(v0->peer, v1->ifindex);
    assert_int_equal(v1->peer, v0->ifindex);
    assert_int_equal(v0->master, 0);
    assert_string_equal(v0->kind, "veth");
    assert_true(v0->native);
    assert_int_equal(v0->xdp_program_id, 0);
    assert_null(netdevs_find(nd, "v"));
    assert_null(netdevs_find_index(nd, 0));
    assert_false(netdevs_run(nd));
    free(index);
}

static void
test_rename(void **state)
{
    struct netdevs *nd = *state;
    int ifindex = bed_get(nd, "v0")->ifindex;

    netns_run("ip link set v0 name w0");
    bed_await(nd, "w0", is_there);
    assert_null(netdevs_find(nd, "v0"));
    assert_int_equal(bed_get(nd, "w0")->ifindex, ifindex);

    /* Two devices swap their names. */
    netns_run("ip link set w0 name x; ip link set v1 name w0;"
              "ip link set x name v1");
    bed_await(nd, "x", is_gone);
    assert_int_equal(bed_get(nd, "v1")->ifindex, ifindex);
    assert_int_equal(bed_get(nd, "w0")->peer, ifindex);
    bed_assert_fresh(nd);
}

static void
test_delete_and_return(void **state)
{
    struct netdevs *nd = *state;
    int ifindex = bed_get(nd, "v0")->ifindex;

    netns_run("ip link del v0");
    bed_await(nd, "v0", is_gone);
    assert_null(netdevs_find(nd, "v1"));
    assert_null(netdevs_find_index(nd, ifindex));

    netns_run("ip link add v0 type veth peer name v1");
    bed_await(nd, "v0", has_peer);
    assert_int_not_equal(bed_get(nd, "v0")->ifindex, ifindex);
    assert_int_equal(bed_get(nd, "v1")->peer, bed_get(nd, "v0")->ifindex);

    /* Both in one go. */
    ifindex = bed_get(nd, "v0")->ifindex;
    netns_run("ip link del v0; ip link add v0 type veth peer name v1");
    bed_await(nd, "v0", has_peer);
    assert_int_not_equal(bed_get(nd, "v0")->ifindex, ifindex);
    assert_int_equal(hmap_count(netdevs_all(nd)), 3);
    bed_assert_fresh(nd);
}

static void
test_attributes(void **state)
{
    struct netdevs *nd = *state;

    netns_run("ip link set v0 mtu 1400");
    bed_await(nd, "v0", has_mtu_1400);
    netns_run("ip link set v0 address 02:00:00:aa:bb:cc");
    bed_await(nd, "v0", has_other_mac);
    netns_run("ip link set v0 down");
    bed_await(nd, "v0", is_down);
    assert_int_equal(bed_get(nd, "v1")->mtu, 1500);
    assert_true(bed_get(nd, "v1")->up);
    bed_await(nd, "v1", is_not_running);
    bed_assert_fresh(nd);
}

static void
test_master(void **state)
{
    struct netdevs *nd = *state;

    if (!netns_try("ip link add m0 type bridge")) {
        print_message("no Linux bridge in this kernel: "
                      "test_parse covers it\n");
        return;
    }
    netns_run("ip link set v0 master m0");
    bed_await(nd, "v0", has_master);
    assert_int_equal(bed_get(nd, "v0")->master, bed_get(nd, "m0")->ifindex);
    assert_string_equal(bed_get(nd, "m0")->kind, "bridge");
    assert_false(bed_get(nd, "m0")->ndo_xmit);
    netns_run("ip link set v0 nomaster");
    bed_await(nd, "v0", has_no_master);
    bed_assert_fresh(nd);
}

/* Appends to 'message' the attributes that each link has. */
static void
put_link(struct ofpbuf *message, uint16_t type, uint8_t family)
{
    struct ifinfomsg *link;

    ofpbuf_clear(message);
    netdevs_link_put_header(message, type, 0, 77);
    link = ofpbuf_at_assert(message, NLMSG_HDRLEN, sizeof *link);
    link->ifi_family = family;
    link->ifi_type = ARPHRD_ETHER;
    nl_msg_put_string(message, IFLA_IFNAME, "p0");
    nl_msg_put_u32(message, IFLA_MASTER, 12);
    nl_msg_put_u32(message, IFLA_LINK, 13);
}

static void
test_parse(void **state OVS_UNUSED)
{
    struct netdev_info info;
    struct ofpbuf message;
    size_t size;

    ofpbuf_init(&message, 0);
    put_link(&message, RTM_NEWLINK, AF_UNSPEC);
    assert_int_equal(netdevs_link_parse(&message, &info), NETDEVS_LINK_NEW);
    assert_int_equal(info.ifindex, 77);
    assert_string_equal(info.name, "p0");
    assert_int_equal(info.master, 12);
    assert_int_equal(info.peer, 13);
    assert_true(info.ethernet);

    /* The index is one of another namespace. */
    nl_msg_put_u32(&message, IFLA_LINK_NETNSID, 0);
    assert_int_equal(netdevs_link_parse(&message, &info), NETDEVS_LINK_NEW);
    assert_int_equal(info.peer, 0);

    /* A port leaves a Linux bridge; the device stays. */
    put_link(&message, RTM_DELLINK, AF_BRIDGE);
    assert_int_equal(netdevs_link_parse(&message, &info), NETDEVS_LINK_OTHER);
    put_link(&message, RTM_DELLINK, AF_UNSPEC);
    assert_int_equal(netdevs_link_parse(&message, &info), NETDEVS_LINK_GONE);

    /* Cut off anywhere. */
    put_link(&message, RTM_NEWLINK, AF_UNSPEC);
    size = NLMSG_HDRLEN + sizeof(struct ifinfomsg);
    for (message.size = NLMSG_HDRLEN; message.size <= size; message.size++) {
        assert_int_equal(netdevs_link_parse(&message, &info),
                         NETDEVS_LINK_OTHER);
    }
    ofpbuf_uninit(&message);
}

static void
test_vlan_offload(void **state)
{
    struct netdevs *nd = *state;

    assert_true(bed_get(nd, "v0")->strips_vlan);
    netns_run("ethtool -K v0 rxvlan off");
    bed_await(nd, "v0", does_not_strip);
    assert_true(bed_get(nd, "v1")->strips_vlan);
    netns_run("ethtool -K v0 rxvlan on");
    bed_await(nd, "v0", strips);
    bed_assert_fresh(nd);
}

/* Makes 'message', about a qdisc of device 7. */
static void
make_qdisc(struct ofpbuf *message, uint16_t type, const char *kind)
{
    struct tcmsg *tc;

    ofpbuf_clear(message);
    nl_msg_put_nlmsghdr(message, sizeof *tc, type, 0);
    tc = ofpbuf_put_zeros(message, sizeof *tc);
    tc->tcm_ifindex = 7;
    nl_msg_put_string(message, TCA_KIND, kind);
    nl_msg_nlmsghdr(message)->nlmsg_len = message->size;
}

static void
test_parse_qdisc(void **state OVS_UNUSED)
{
    struct netdevs_qdisc qdisc;
    struct ofpbuf message;

    ofpbuf_init(&message, 0);
    make_qdisc(&message, RTM_NEWQDISC, "ingress");
    assert_true(netdevs_qdisc_parse(&message, &qdisc));
    assert_int_equal(qdisc.ifindex, 7);
    assert_true(qdisc.polices && qdisc.there);
    make_qdisc(&message, RTM_DELQDISC, "ingress");
    assert_true(netdevs_qdisc_parse(&message, &qdisc));
    assert_true(qdisc.polices && !qdisc.there);
    make_qdisc(&message, RTM_NEWQDISC, "clsact");
    assert_true(netdevs_qdisc_parse(&message, &qdisc));
    assert_false(qdisc.polices);
    make_qdisc(&message, RTM_NEWTFILTER, "ingress");
    assert_false(netdevs_qdisc_parse(&message, &qdisc));
    ofpbuf_uninit(&message);
}

static void
test_shaping(void **state)
{
    struct netdevs *nd = *state;

    bed_await(nd, "v0", is_not_shaped);
    netns_run("tc qdisc add dev v0 root tbf"
              " rate 8mbit burst 10k latency 50ms");
    bed_await(nd, "v0", is_shaped);
    assert_true(is_not_shaped(bed_get(nd, "v1")));
    bed_assert_fresh(nd);
    netns_run("tc qdisc del dev v0 root");
    bed_await(nd, "v0", is_not_shaped);
    if (netns_try("tc qdisc add dev v0 ingress")) {
        bed_await(nd, "v0", is_policed);
        assert_true(is_not_policed(bed_get(nd, "v1")));
        netns_run("ip link set v0 mtu 1400");
        bed_await(nd, "v0", has_mtu_1400);
        assert_true(is_policed(bed_get(nd, "v0")));
        bed_assert_fresh(nd);
        netns_run("tc qdisc del dev v0 ingress");
        bed_await(nd, "v0", is_not_policed);
    } else {
        print_message("this kernel cannot police: test_parse_qdisc covers "
                      "it\n");
    }
}

static void
test_idle_events(void **state)
{
    struct netdevs *nd = *state;
    struct ofpbuf *event = ofpbuf_new(4096);
    struct nl_sock *witness;

    assert_int_equal(nl_sock_create(NETLINK_ROUTE, &witness), 0);
    assert_int_equal(nl_sock_join_mcgroup(witness, RTNLGRP_LINK), 0);
    netns_run("ip link set v0 txqueuelen 77");
    assert_int_equal(nl_sock_recv(witness, event, NULL, true), 0);
    assert_false(netdevs_run(nd));
    netns_run("ip link set v0 mtu 1400");
    assert_true(netdevs_run(nd));
    assert_false(netdevs_run(nd));
    nl_sock_destroy(witness);
    ofpbuf_delete(event);
}

/* Sets the MTU of the device 'ifindex'. */
static void
set_mtu(int ifindex, int mtu)
{
    struct ofpbuf request;

    ofpbuf_init(&request, 0);
    netdevs_link_put_header(&request, RTM_SETLINK, NLM_F_ACK, ifindex);
    nl_msg_put_u32(&request, IFLA_MTU, mtu);
    assert_int_equal(nl_transact(NETLINK_ROUTE, &request, NULL), 0);
    ofpbuf_uninit(&request);
}

/* Reads 'sock' empty.  Returns true if events were lost. */
static bool
overran(struct nl_sock *sock)
{
    struct ofpbuf *event = ofpbuf_new(4096);
    bool lost = false;
    int error;

    while ((error = nl_sock_recv(sock, event, NULL, false)) != EAGAIN) {
        lost |= error == ENOBUFS;
    }
    ofpbuf_delete(event);
    return lost;
}

static void
test_overrun(void **state)
{
    struct netdevs *nd = *state;
    int ifindex = bed_get(nd, "v0")->ifindex;
    struct nl_sock *witness;

    assert_int_equal(nl_sock_create(NETLINK_ROUTE, &witness), 0);
    assert_int_equal(nl_sock_join_mcgroup(witness, RTNLGRP_LINK), 0);
    netns_run("ip link add old type veth peer name old1");
    bed_await(nd, "old", is_there);

    /* What is queued says 1300; what is lost says all the rest. */
    for (int i = 0; i < 10000; i++) {
        set_mtu(ifindex, i % 2 ? 1300 : 1301);
    }
    netns_run("ip link del old; ip link add new type veth peer name new1;"
              "ethtool -K v1 gro on; ip link set v1 name w1");
    set_mtu(ifindex, 1400);
    assert_true(overran(witness));

    assert_true(netdevs_run(nd));
    assert_int_equal(bed_get(nd, "v0")->mtu, 1400);
    assert_true(bed_get(nd, "v0")->ndo_xmit);
    assert_null(netdevs_find(nd, "old"));
    assert_non_null(netdevs_find(nd, "new"));
    assert_int_equal(bed_get(nd, "w1")->peer, ifindex);
    bed_assert_fresh(nd);

    /* Events are followed again. */
    netns_run("ip link set v0 address 02:00:00:aa:bb:cc");
    bed_await(nd, "v0", has_other_mac);
    bed_assert_fresh(nd);
    nl_sock_destroy(witness);
}

/* Reads 'sock' empty, which must not have lost events.  Returns their
 * number. */
static int
count_events(struct nl_sock *sock)
{
    struct ofpbuf *event = ofpbuf_new(4096);
    int error, n;

    for (n = 0; !(error = nl_sock_recv(sock, event, NULL, false)); n++) {
    }
    assert_int_equal(error, EAGAIN);
    ofpbuf_delete(event);
    return n;
}

/* More events of devices wait than are taken at once, so that those of qdiscs
 * are read first: of one that has changed since, and of one of a device that
 * is not known yet. */
static void
test_qdisc_overtakes(void **state)
{
    struct netdevs *nd = *state;
    int ifindex = bed_get(nd, "v0")->ifindex;
    struct nl_sock *witness;
    bool police;

    assert_int_equal(nl_sock_create(NETLINK_ROUTE, &witness), 0);
    assert_int_equal(nl_sock_join_mcgroup(witness, RTNLGRP_LINK), 0);
    for (int i = 0; i < FLOOD; i++) {
        set_mtu(ifindex, i % 2 ? 1300 : 1301);
    }
    netns_run("tc qdisc add dev v0 root tbf"
              " rate 8mbit burst 10k latency 50ms;"
              "ip link add n0 type veth peer name n1");
    police = netns_try("tc qdisc add dev n0 ingress");
    assert_true(count_events(witness) > 512);

    netdevs_run(nd);
    assert_true(is_shaped(bed_get(nd, "v0")));
    while (netdevs_run(nd)) {
    }
    assert_true(is_shaped(bed_get(nd, "v0")));
    assert_true(!police || is_policed(bed_get(nd, "n0")));
    bed_assert_fresh(nd);
    nl_sock_destroy(witness);
}

static void
test_peer_elsewhere(void **state)
{
    struct netdevs *nd = *state;
    pid_t pid = netns_fork();

    /* Down, so that no change of carrier makes the kernel tell of v0. */
    netns_run("ip link set v0 down; ip link set v1 down");
    netns_run("ip link set v1 netns %d", (int) pid);
    bed_await(nd, "v1", is_gone);
    assert_int_equal(bed_get(nd, "v0")->peer, 0);
    bed_assert_fresh(nd);

    /* And back. */
    netns_run("nsenter --net=/proc/%d/ns/net ip link set v1 netns %d",
              (int) pid, (int) getpid());
    bed_await(nd, "v1", is_there);
    assert_int_equal(bed_get(nd, "v0")->peer, bed_get(nd, "v1")->ifindex);
    bed_assert_fresh(nd);

    /* Away again, with the other namespace's end. */
    netns_run("ip link set v1 netns %d", (int) pid);
    bed_await(nd, "v0", has_no_peer);
    netns_reap(pid);
    bed_await(nd, "v0", is_gone);
    bed_assert_fresh(nd);
}

/* Does something to a random device. */
static void
do_anything(void)
{
    static const char *const commands[] = {
        "ip link add r%d type veth peer name s%d",
        "ip link add r%d type veth peer name s%d",
        "ip link del r%d; true %d",
        "ip link del s%d; true %d",
        "ip link set r%d name q%d",
        "ip link set q%d name s%d",
        "ethtool -K s%d gro on; true %d",
        "ethtool -K r%d gro off; true %d",
        "ethtool -K q%d rxvlan off; true %d",
        "ip link set r%d mtu 14%02d",
        "ip link set s%d up; true %d",
        "ip link set r%d up; true %d",
        "ip tuntap add t%d mode tap; true %d",
        "ip link del t%d; true %d",
        "ip link set r%d name t%d",
    };
    char *command = xasprintf(commands[random_range(ARRAY_SIZE(commands))],
                              random_range(3), random_range(3));

    netns_try("%s", command);
    free(command);
}

/* Whatever happens, following it gives what a fresh reading gives. */
static void
test_same_as_fresh(void **state)
{
    struct netdevs *nd = *state;

    random_set_seed(20240229);
    for (int i = 0; i < 60; i++) {
        for (int n = random_range(5); n >= 0; n--) {
            do_anything();
        }
        bed_assert_fresh(nd);
    }
}

int
main(int argc OVS_UNUSED, char *argv[])
{
#define VETH_TEST(NAME) \
    cmocka_unit_test_setup_teardown(NAME, bed_setup, bed_teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_parse_qdisc),
        VETH_TEST(test_first_reading),
        VETH_TEST(test_rename),
        VETH_TEST(test_delete_and_return),
        VETH_TEST(test_attributes),
        VETH_TEST(test_master),
        VETH_TEST(test_vlan_offload),
        VETH_TEST(test_shaping),
        VETH_TEST(test_idle_events),
        VETH_TEST(test_overrun),
        VETH_TEST(test_qdisc_overtakes),
        VETH_TEST(test_peer_elsewhere),
        VETH_TEST(test_same_as_fresh),
    };

    set_program_name(argv[0]);
    vlog_set_levels(NULL, VLF_CONSOLE, VLL_WARN);
    netns_enter();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
