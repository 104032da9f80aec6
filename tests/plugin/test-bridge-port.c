/* SPDX-License-Identifier: Apache-2.0 */
/* plugin/bridge-port.c against the kernel, in a network namespace of its own;
 * what it did is read back with other people's tools. */
#include <config.h>

#include "plugin/bridge-port.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/rtnetlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "netlink-socket.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "timeval.h"
#include "util.h"

#include "plugin/netdevs.h"
#include "tests/plugin/netns.h"

static struct bridge_port_names names;

static int
setup(void **state OVS_UNUSED)
{
    bridge_port_names("br-ex", &names);
    return 0;
}

static int
teardown(void **state OVS_UNUSED)
{
    netns_clean();
    return 0;
}

/* Fails unless the output of the shell command 'format' contains 'what'. */
static void
assert_output(const char *what, const char *format, ...)
{
    va_list args;
    char *command, *output;

    va_start(args, format);
    command = xvasprintf(format, args);
    va_end(args);
    output = netns_read("%s", command);
    if (!strstr(output, what)) {
        fail_msg("%s: no '%s' in: %s", command, what, output);
    }
    free(output);
    free(command);
}

/* Fails unless the device 'name' is as either end must be. */
static void
assert_end(const char *name, int mtu)
{
    char *text = xasprintf("\"mtu\":%d", mtu);

    assert_output(text, "ip -d -j link show %s", name);
    assert_output("\"info_kind\":\"veth\"", "ip -d -j link show %s", name);
    assert_output("\"UP\"", "ip -d -j link show %s", name);
    assert_output("\"NOARP\"", "ip -d -j link show %s", name);
    assert_output("\"inet6_addr_gen_mode\":\"none\"",
                  "ip -d -j link show %s", name);
    assert_output("1\n", "cat /proc/sys/net/ipv6/conf/%s/disable_ipv6", name);
    free(text);

    text = netns_read("ip addr show dev %s | grep inet; true", name);
    assert_string_equal(text, "");
    free(text);
}

/* Fails unless the pair is as it must be. */
static void
assert_pair(int mtu)
{
    assert_end(names.inner, mtu);
    assert_end(names.outer, mtu);
    assert_output("generic-receive-offload: on", "ethtool -k %s",
                  names.inner);
}

/* Waits until the device 'name' of 'nd' has carrier. */
static void
await_carrier(struct netdevs *nd, const char *name)
{
    long long int deadline = time_msec() + NETNS_DEADLINE_MS;

    for (;;) {
        const struct netdev_info *info;

        netdevs_run(nd);
        info = netdevs_find(nd, name);
        if (info && info->running) {
            return;
        }
        assert_true(time_msec() < deadline);
        netdevs_wait(nd);
        poll_timer_wait_until(deadline);
        poll_block();
    }
}

/* Waits until both ends have carrier.  Returns the devices. */
static struct netdevs *
await_pair(void)
{
    struct netdevs *nd;

    assert_int_equal(netdevs_create(&nd), 0);
    await_carrier(nd, names.inner);
    await_carrier(nd, names.outer);
    return nd;
}

static void
test_names(void **state OVS_UNUSED)
{
    struct bridge_port_names a, b;
    char *text;

    assert_string_equal(names.inner, "xdpi-br-ex");
    assert_string_equal(names.outer, "xdpo-br-ex");
    bridge_port_names("0123456789", &a);
    assert_string_equal(a.outer, "xdpo-0123456789");

    /* Too long, and not to be confused with a short one. */
    bridge_port_names("0123456789a", &a);
    text = netns_read("printf %%s 0123456789a | sha1sum | cut -c1-10");
    assert_memory_equal(a.inner, "xdpi_", 5);
    assert_memory_equal(a.outer, "xdpo_", 5);
    assert_memory_equal(a.inner + 5, text, 10);
    assert_memory_equal(a.outer + 5, text, 10);
    assert_int_equal(strlen(a.outer), IFNAMSIZ - 1);
    free(text);
    bridge_port_names("0123456789b", &b);
    assert_string_not_equal(a.inner, b.inner);

    /* Nothing that a path or a shell would take for more than a name. */
    bridge_port_names("a/b", &a);
    assert_memory_equal(a.inner, "xdpi_", 5);
    bridge_port_names("", &a);
    assert_memory_equal(a.inner, "xdpi_", 5);
}

static void
test_create(void **state OVS_UNUSED)
{
    const struct netdev_info *inner, *outer;
    struct netdevs *nd;
    char *queues;

    assert_int_equal(bridge_port_create(&names, 1450), 0);
    assert_pair(1450);
    queues = xasprintf("\"num_tx_queues\":%ld,\"num_rx_queues\":%ld,",
                       sysconf(_SC_NPROCESSORS_CONF),
                       sysconf(_SC_NPROCESSORS_CONF));
    assert_output(queues, "ip -d -j link show %s", names.inner);
    assert_output(queues, "ip -d -j link show %s", names.outer);
    free(queues);

    /* The outer end is a target; nobody made the inner one a target. */
    nd = await_pair();
    inner = netdevs_find(nd, names.inner);
    outer = netdevs_find(nd, names.outer);
    assert_int_equal(outer->peer, inner->ifindex);
    assert_true(outer->ndo_xmit);
    assert_true(outer->native);
    assert_false(eth_addr_equals(inner->mac, outer->mac));
    assert_true(eth_addr_is_local(inner->mac));
    assert_true(eth_addr_is_local(outer->mac));

    /* Doing it again keeps the devices. */
    assert_int_equal(bridge_port_create(&names, 1450), 0);
    assert_false(netdevs_run(nd));
    netdevs_destroy(nd);

    assert_int_equal(bridge_port_delete(&names), 0);
    assert_false(netns_try("ip link show %s", names.inner));
    assert_false(netns_try("ip link show %s", names.outer));
    assert_int_equal(bridge_port_delete(&names), 0);
    assert_int_equal(bridge_port_repair(&names, 1450), ENODEV);
}

static void
test_repair(void **state OVS_UNUSED)
{
    static const char *const damages[] = {
        "ip link set %s down",
        "ip link set %s mtu 1300",
        "ip link set %s arp on",
        "ip link set %s down && ip link set %s addrgenmode eui64",
        "ethtool -K %s gro off",
        "echo 0 > /proc/sys/net/ipv6/conf/%s/disable_ipv6",
    };
    struct ofpbuf *event = ofpbuf_new(4096);
    struct netdevs *nd;
    struct nl_sock *witness;

    assert_int_equal(bridge_port_create(&names, 1500), 0);
    for (size_t i = 0; i < ARRAY_SIZE(damages); i++) {
        const char *const ends[] = { names.inner, names.outer };

        for (size_t j = 0; j < ARRAY_SIZE(ends); j++) {
            netns_run(damages[i], ends[j], ends[j]);
            assert_int_equal(bridge_port_repair(&names, 1500), 0);
            assert_pair(1500);
        }
    }

    /* A new MTU, and nothing more to do after that. */
    assert_int_equal(bridge_port_repair(&names, 9000), 0);
    assert_pair(9000);
    nd = await_pair();
    assert_int_equal(nl_sock_create(NETLINK_ROUTE, &witness), 0);
    assert_int_equal(nl_sock_join_mcgroup(witness, RTNLGRP_LINK), 0);
    assert_int_equal(bridge_port_repair(&names, 9000), 0);
    assert_int_equal(nl_sock_recv(witness, event, NULL, false), EAGAIN);
    assert_true(netdevs_find(nd, names.outer)->ndo_xmit);
    nl_sock_destroy(witness);
    netdevs_destroy(nd);
    ofpbuf_delete(event);
}

static void
test_merging(void **state OVS_UNUSED)
{
    struct netdevs *nd;

    assert_int_equal(bridge_port_set_merging(&names, false), ENODEV);
    assert_int_equal(bridge_port_create(&names, 1500), 0);
    nd = await_pair();
    for (int i = 0; i < 2; i++) {
        bool merge = i > 0;

        assert_int_equal(bridge_port_set_merging(&names, merge), 0);
        assert_output(merge ? ":65536\n" : ":1\n", "ip -d -j link show %s "
                      "| grep -o '\"gro_max_size\":[0-9]*'", names.inner);

        /* The outer end stays a target, the rest as it was. */
        assert_int_equal(bridge_port_repair(&names, 1500), 0);
        assert_pair(1500);
        netdevs_run(nd);
        assert_true(netdevs_find(nd, names.outer)->ndo_xmit);
    }
    netdevs_destroy(nd);
}

/* Fails if anything but a refusal comes of what now has the pair's names. */
static void
assert_foreign(void)
{
    char *before = netns_read("ip -d -o link");
    char *after;

    assert_int_equal(bridge_port_create(&names, 1450), EEXIST);
    assert_int_equal(bridge_port_repair(&names, 1450), EEXIST);
    assert_int_equal(bridge_port_delete(&names), EEXIST);
    after = netns_read("ip -d -o link");
    assert_string_equal(before, after);
    free(before);
    free(after);
}

static void
test_foreign(void **state)
{
    netns_run("ip tuntap add %s mode tap", names.outer);
    assert_foreign();
    netns_run("ip tuntap add %s mode tap", names.inner);
    assert_foreign();
    teardown(state);

    netns_run("ip link add %s type veth peer name other", names.inner);
    assert_foreign();
    netns_run("ip link add %s type veth peer name another", names.outer);
    assert_foreign();
}

/* Reads frames from 'fd' until one was sent by the device 'ifindex'; fails if
 * one was seen on a device of the pair. */
static void
await_frame(int fd, int ifindex, int inner, int outer)
{
    long long int deadline = time_msec() + NETNS_DEADLINE_MS;
    bool seen = false;

    while (!seen) {
        struct sockaddr_ll from;
        socklen_t length = sizeof from;
        char frame[128];

        assert_true(time_msec() < deadline);
        poll_fd_wait(fd, POLLIN);
        poll_timer_wait_until(deadline);
        poll_block();
        while (recvfrom(fd, frame, sizeof frame, MSG_DONTWAIT,
                        (struct sockaddr *) &from, &length) >= 0) {
            assert_int_not_equal(from.sll_ifindex, inner);
            assert_int_not_equal(from.sll_ifindex, outer);
            seen |= from.sll_ifindex == ifindex;
        }
    }
}

/* Neither end says a word or gets an address, while an ordinary pair made
 * later already does both. */
static void
test_silence(void **state OVS_UNUSED)
{
    int fd = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL));
    struct netdevs *nd;
    int inner, outer;

    assert_true(fd >= 0);
    assert_int_equal(bridge_port_create(&names, 1500), 0);
    nd = await_pair();
    inner = netdevs_find(nd, names.inner)->ifindex;
    outer = netdevs_find(nd, names.outer)->ifindex;

    netns_run("ip link add c0 type veth peer name c1; ip link set c0 up; "
              "ip link set c1 up");
    await_carrier(nd, "c0");
    await_frame(fd, netdevs_find(nd, "c0")->ifindex, inner, outer);
    assert_output("inet6 fe80", "ip addr show dev c0");
    assert_pair(1500);
    netdevs_destroy(nd);
    close(fd);
}

int
main(int argc OVS_UNUSED, char *argv[])
{
#define PAIR_TEST(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)
    const struct CMUnitTest tests[] = {
        PAIR_TEST(test_names),
        PAIR_TEST(test_create),
        PAIR_TEST(test_repair),
        PAIR_TEST(test_merging),
        PAIR_TEST(test_foreign),
        PAIR_TEST(test_silence),
    };

    set_program_name(argv[0]);
    vlog_set_levels(NULL, VLF_CONSOLE, VLL_WARN);
    netns_enter();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
