/* SPDX-License-Identifier: Apache-2.0 */
/* plugin/nexthops.c against the kernel, in a network namespace of its own.
 * What a command of ip changes is told before the command ends. */

#include <config.h>

#include "plugin/nexthops.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "timeval.h"
#include "util.h"

#include "plugin/datapath.h"
#include "tests/plugin/netns.h"

/* Two routers, and MAC addresses of neighbours. */
#define ROUTER "192.0.2.254"
#define OTHER_ROUTER "192.0.2.253"
#define MAC_A "02:00:00:00:00:0a"
#define MAC_B "02:00:00:00:00:0b"
#define MAC_C "02:00:00:00:00:0c"

/* Prepares device v0 with a router in its neighbour table, and what follows
 * it. */
static int
setup(void **state)
{
    struct nexthops *nh;

    netns_run("ip link add v0 type veth peer name v1;"
              "ip link set v0 up; ip link set v1 up;"
              "ip address add 192.0.2.1/24 dev v0;"
              "ip address add 2001:db8::1/64 dev v0 nodad;"
              "ip neigh add "ROUTER" dev v0 lladdr "MAC_A" nud reachable;"
              "ip neigh add 2001:db8::fe dev v0 lladdr "MAC_C" nud permanent;"
              "ip route add 198.51.100.0/24 via "ROUTER";"
              "ip -6 route add 2001:db8:1::/48 via 2001:db8::fe;"
              "ip -6 route add default via 2001:db8::fe");
    assert_int_equal(nexthops_create(&nh), 0);
    *state = nh;

    /* Nobody wants it yet. */
    assert_false(nexthops_run(nh, false));
    netns_run("ip route add 233.252.0.0/24 via "ROUTER);
    assert_false(nexthops_run(nh, true));
    return 0;
}

/* Undoes setup(). */
static int
teardown(void **state)
{
    nexthops_destroy(*state);
    netns_clean();
    return 0;
}

/* Says whether what changed concerns a flow to 'remote' by the neighbour
 * 'mac'. */
static bool
concerns(const struct nexthops *nh, const char *remote, const char *mac)
{
    struct dp_flow flow;
    ovs_be32 ip;

    memset(&flow, 0, sizeof flow);
    if (inet_pton(AF_INET, remote, &ip) == 1) {
        in6_addr_set_mapped_ipv4(&flow.key.dst, ip);
    } else {
        assert_int_equal(inet_pton(AF_INET6, remote, &flow.key.dst), 1);
    }
    assert_true(eth_addr_from_string(mac, &flow.dmac));
    flow.out = true;
    flow.ifindex = 4711;
    return nexthops_concerns(nh, &flow);
}

/* Checks that something changed which concerns 'remote' by 'mac', but not
 * 'other' by 'other_mac', and forgets it. */
static void
check_change(struct nexthops *nh, const char *remote, const char *mac,
             const char *other, const char *other_mac)
{
    assert_true(nexthops_run(nh, true));
    assert_true(concerns(nh, remote, mac));
    assert_false(concerns(nh, other, other_mac));
    nexthops_forget(nh);
    assert_false(concerns(nh, remote, mac));
    assert_false(nexthops_run(nh, true));
}

/* Checks that anything may have changed, and forgets it. */
static void
check_all(struct nexthops *nh)
{
    assert_true(nexthops_run(nh, true));
    assert_true(concerns(nh, "203.0.113.77", MAC_B));
    assert_true(concerns(nh, "2001:db8:77::1", MAC_B));
    nexthops_forget(nh);
    assert_false(nexthops_run(nh, true));
    assert_false(concerns(nh, "203.0.113.77", MAC_B));
}

/* A neighbour with another MAC concerns flows to the one that it had. */
static void
test_mac(void **state)
{
    struct nexthops *nh = *state;

    netns_run("ip neigh replace "ROUTER" dev v0 lladdr "MAC_B
              " nud reachable");
    check_change(nh, "198.51.100.1", MAC_A, "198.51.100.1", MAC_B);
    netns_run("ip neigh replace "ROUTER" dev v0 lladdr "MAC_A
              " nud reachable");
    check_change(nh, "198.51.100.1", MAC_B, "198.51.100.1", MAC_A);
    netns_run("ip neigh replace 2001:db8::fe dev v0 lladdr "MAC_B
              " nud permanent");
    check_change(nh, "2001:db8:1::1", MAC_C, "2001:db8:1::1", MAC_B);
}

/* A neighbour that is new, or only confirmed, concerns nobody; nor does what a
 * Linux bridge learns. */
static void
test_refreshed_mac(void **state)
{
    struct nexthops *nh = *state;

    netns_run("ip neigh replace "ROUTER" dev v0 lladdr "MAC_A" nud stale;"
              "ip neigh replace "ROUTER" dev v0 lladdr "MAC_A" nud permanent;"
              "ip neigh replace "ROUTER" dev v0 lladdr "MAC_A
              " nud reachable;"
              "ip neigh add 192.0.2.99 dev v0 lladdr "MAC_A" nud permanent");
    assert_false(nexthops_run(nh, true));
    netns_run("ip link add br0 type bridge; ip link set v1 master br0;"
              "bridge fdb add "MAC_A" dev v1 master;"
              "bridge fdb del "MAC_A" dev v1 master");
    assert_false(nexthops_run(nh, true));
}

/* One that is deleted concerns flows to it, once. */
static void
test_deleted_mac(void **state)
{
    struct nexthops *nh = *state;

    netns_run("ip neigh del "ROUTER" dev v0");
    check_change(nh, "198.51.100.1", MAC_A, "198.51.100.1", MAC_C);
    netns_run("ip neigh replace "ROUTER" dev v0 lladdr "MAC_B
              " nud reachable");
    assert_false(nexthops_run(nh, true));
    netns_run("ip link set v0 down");
    assert_true(nexthops_run(nh, true));
    assert_true(concerns(nh, "203.0.113.1", MAC_B));
    assert_true(concerns(nh, "203.0.113.1", MAC_C));
}

/* So does one that does not answer. */
static void
test_failed_mac(void **state)
{
    long long int deadline = time_msec() + NETNS_DEADLINE_MS;
    struct nexthops *nh = *state;

    netns_run("echo 1 >/proc/sys/net/ipv4/neigh/v0/ucast_solicit;"
              "echo 0 >/proc/sys/net/ipv4/neigh/v0/mcast_solicit;"
              "echo 20 >/proc/sys/net/ipv4/neigh/v0/retrans_time_ms;"
              "ip neigh replace "ROUTER" dev v0 lladdr "MAC_A" nud probe");
    while (!nexthops_run(nh, true)) {
        assert_true(time_msec() < deadline);
        nexthops_wait(nh);
        poll_timer_wait_until(deadline);
        poll_block();
    }
    check_change(nh, "198.51.100.1", MAC_A, "198.51.100.1", MAC_C);
}

/* A route that comes, changes or goes concerns the flows to its prefix. */
static void
test_route(void **state)
{
    struct nexthops *nh = *state;

    netns_run("ip route add 198.51.100.128/25 via "OTHER_ROUTER);
    check_change(nh, "198.51.100.129", MAC_A, "198.51.100.127", MAC_A);
    netns_run("ip route replace 198.51.100.0/24 via "OTHER_ROUTER);
    check_change(nh, "198.51.100.129", MAC_A, "198.51.101.0", MAC_A);
    netns_run("ip route replace 198.51.100.0/24 "
              "nexthop via "OTHER_ROUTER" nexthop via "ROUTER);
    check_change(nh, "198.51.100.129", MAC_A, "198.51.101.0", MAC_A);
    netns_run("ip route replace 198.51.100.0/24 "
              "nexthop via "OTHER_ROUTER" weight 9 nexthop via "ROUTER);
    check_change(nh, "198.51.100.129", MAC_A, "198.51.101.0", MAC_A);
    netns_run("ip route del 198.51.100.0/24");
    check_change(nh, "198.51.100.1", MAC_A, "203.0.113.1", MAC_A);
    netns_run("ip route add blackhole 203.0.113.1");
    check_change(nh, "203.0.113.1", MAC_A, "203.0.113.0", MAC_A);
    netns_run("ip route del blackhole 203.0.113.1");
    check_change(nh, "203.0.113.1", MAC_A, "203.0.113.0", MAC_A);

    netns_run("ip -6 route add 2001:db8:1:8000::/49 via 2001:db8::fd");
    check_change(nh, "2001:db8:1:8000::", MAC_C, "2001:db8:1:7fff::", MAC_C);
    netns_run("ip -6 route replace 2001:db8:1::/48 via 2001:db8::fd");
    check_change(nh, "2001:db8:1::", MAC_C, "2001:db8:2::", MAC_C);
    netns_run("ip -6 route del 2001:db8:1::/48");
    check_change(nh, "2001:db8:1::", MAC_C, "2001:db8:2::", MAC_C);
}

/* Default routes are for the addresses of their own family. */
static void
test_default_route(void **state)
{
    struct nexthops *nh = *state;

    netns_run("ip route add default via "ROUTER);
    check_change(nh, "203.0.113.1", MAC_A, "2001:db8:1::1", MAC_A);
    netns_run("ip route add default via "OTHER_ROUTER" metric 7 table 99");
    check_change(nh, "203.0.113.1", MAC_A, "2001:db8:1::1", MAC_A);
    netns_run("ip -6 route replace default via 2001:db8::fd");
    check_change(nh, "2001:db8:1::1", MAC_A, "203.0.113.1", MAC_A);
}

/* A route that is written anew as it was concerns nobody; the kernel tells of
 * such ones of IPv6.  Nor do the routes that each new device brings along. */
static void
test_same_route(void **state)
{
    struct nexthops *nh = *state;

    netns_run("ip route replace 198.51.100.0/24 via "ROUTER";"
              "ip -6 route replace 2001:db8:1::/48 via 2001:db8::fe;"
              "ip -6 route replace default via 2001:db8::fe");
    assert_false(nexthops_run(nh, true));
    netns_run("ip -6 route add 2001:db8:2::/48 via 2001:db8::fe");
    assert_true(nexthops_run(nh, true));
    nexthops_forget(nh);
    netns_run("ip -6 route replace 2001:db8:2::/48 via 2001:db8::fe;"
              "ip -6 route replace 2001:db8:2::/48 via 2001:db8::fe "
              "expires 900");
    assert_false(nexthops_run(nh, true));
    netns_run("ip link add w0 type veth peer name w1;"
              "ip link set w0 up; ip link set w1 up; ip link del w0");
    assert_false(nexthops_run(nh, true));
}

/* After a change of rules any table may count. */
static void
test_rule(void **state)
{
    struct nexthops *nh = *state;

    netns_run("ip rule add from 203.0.113.9 table 99");
    check_all(nh);
    netns_run("ip rule del from 203.0.113.9 table 99");
    check_all(nh);
    netns_run("ip -6 rule add from 2001:db8::9 table 99");
    check_all(nh);
    netns_run("ip -6 rule del from 2001:db8::9 table 99");
    check_all(nh);
}

/* Has ip do 'command', which contains a "%g", with 0 to 'n' - 1 in its
 * place. */
static void
batch(const char *command, int n)
{
    netns_run("seq -f '%s' 0 %d | ip -batch -", command, n - 1);
}

/* As many changes as are kept are told apart, one more concerns all. */
static void
test_many(void **state)
{
    struct nexthops *nh = *state;

    batch("route add 203.0.113.%g dev v0", 256);
    check_change(nh, "203.0.113.255", MAC_A, "203.0.114.0", MAC_A);
    batch("route add 203.0.114.%g dev v0", 256);
    netns_run("ip route add 203.0.115.0/24 dev v0");
    check_all(nh);
    netns_run("ip route add 203.0.116.0/24 dev v0");
    check_change(nh, "203.0.116.1", MAC_A, "203.0.117.1", MAC_A);
}

/* More routes than are kept: what happens to one that is not is a change. */
static void
test_too_many_routes(void **state)
{
    struct nexthops *nh = *state;

    nexthops_run(nh, false);
    batch("route add 2001:db8:9:%g::/64 dev v0", 5000);
    assert_false(nexthops_run(nh, true));
    netns_run("ip -6 route replace 2001:db8:9:4999::/64 dev v0");
    check_change(nh, "2001:db8:9:4999::1", MAC_C, "2001:db8:9:4998::1",
                 MAC_C);
    netns_run("ip neigh replace "ROUTER" dev v0 lladdr "MAC_B
              " nud reachable");
    check_change(nh, "198.51.100.1", MAC_A, "198.51.100.1", MAC_B);
}

/* Where the kernel drops events all is concerned, and then things go on. */
static void
test_overrun(void **state)
{
    struct nexthops *nh = *state;

    batch("route add 10.0.0.0/24 dev v0 metric %g", 10000);
    netns_run("ip route flush exact 10.0.0.0/24;"
              "ip neigh replace "ROUTER" dev v0 lladdr "MAC_B
              " nud reachable");
    check_all(nh);
    netns_run("ip neigh replace "ROUTER" dev v0 lladdr "MAC_C
              " nud reachable");
    check_change(nh, "198.51.100.1", MAC_B, "198.51.100.1", MAC_A);
}

/* Nothing is remembered while nobody wants it. */
static void
test_unwanted(void **state)
{
    struct nexthops *nh = *state;

    netns_run("ip route add 203.0.113.0/24 via "ROUTER);
    assert_true(nexthops_run(nh, true));
    assert_false(nexthops_run(nh, false));
    assert_false(concerns(nh, "203.0.113.1", MAC_A));
    netns_run("ip neigh replace "ROUTER" dev v0 lladdr "MAC_B
              " nud reachable");
    assert_false(nexthops_run(nh, true));
    netns_run("ip neigh replace "ROUTER" dev v0 lladdr "MAC_A
              " nud reachable");
    check_change(nh, "198.51.100.1", MAC_B, "198.51.100.1", MAC_A);
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_mac),
        TEST(test_refreshed_mac),
        TEST(test_deleted_mac),
        TEST(test_failed_mac),
        TEST(test_route),
        TEST(test_default_route),
        TEST(test_same_route),
        TEST(test_rule),
        TEST(test_many),
        TEST(test_too_many_routes),
        TEST(test_overrun),
        TEST(test_unwanted),
    };

    netns_enter();
    vlog_set_levels(NULL, VLF_CONSOLE, VLL_OFF);
    return cmocka_run_group_tests_name("nexthops", tests, NULL, NULL);
}
