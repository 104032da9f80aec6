/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of plugin/judge*.c and plugin/bridge-flows.c: what is concluded from
 * routes, kernel parameters, firewall rules and flows. */

#include <config.h>

#include "plugin/judge.h"

#include <errno.h>
#include <linux/netfilter.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "flow.h"
#include "openflow/openflow.h"
#include "openvswitch/ofp-flow.h"
#include "packets.h"
#include "plugin/bridge-flows.h"
#include "plugin/checks.h"
#include "plugin/host-firewall.h"
#include "plugin/host-leg.h"
#include "sset.h"
#include "util.h"

#define NIC 2                   /* Index of the only NIC, nic0. */
#define LEG 7                   /* Index of br-ex. */

/* An address, its surroundings and the answers. */
struct fixture {
    struct sset nics;           /* Holds "nic0". */
    struct host_leg leg;        /* br-ex. */
    struct judge_host h;        /* All is well. */
    struct bridge_flows flows;  /* Flows of br-ex. */
    struct judge_bridge b;      /* All is well. */
    struct checks checks;       /* Answers. */
};

/* Makes '*route' lead to 'ifindex', called 'device'. */
static void
route_to(struct host_route *route, int ifindex, const char *device)
{
    *route = (struct host_route) { .ifindex = ifindex };
    ovs_strlcpy(route->device, device, sizeof route->device);
}

/* Adds the flow that 'text' says, in the words of ovs-ofctl. */
static void
add_flow(struct fixture *f, const char *text)
{
    enum ofputil_protocol usable;
    struct ofputil_flow_mod fm;
    char *error = parse_ofp_flow_mod_str(&fm, text, NULL, NULL, OFPFC_ADD,
                                         &usable);

    assert_null(error);
    struct ofputil_flow_stats fs = {
        .priority = fm.priority,
        .ofpacts = fm.ofpacts, .ofpacts_len = fm.ofpacts_len,
    };
    minimatch_expand(&fm.match, &fs.match);
    bridge_flows_add(&f->flows, &fs);
    free(CONST_CAST(struct ofpact *, fm.ofpacts));
    minimatch_destroy(&fm.match);
}

/* Prepares a struct fixture. */
static int
setup(void **state)
{
    struct fixture *f = xzalloc(sizeof *f);

    sset_init(&f->nics);
    sset_add(&f->nics, "nic0");
    f->leg = (struct host_leg) {
        .name = "br-ex", .ifindex = LEG, .up = true, .proxy_arp = 1,
        .proxy_ndp = 1, .forwarding4 = 1, .forwarding6 = 1,
    };
    f->h = (struct judge_host) {
        .address = "192.0.2.1", .bridge = "br-ex", .leg = &f->leg,
        .physical = "", .nics = &f->nics,
    };
    route_to(&f->h.way_in, LEG, "br-ex");
    route_to(&f->h.reverse, LEG, "br-ex");
    route_to(&f->h.way_out, NIC, "nic0");
    route_to(&f->h.world, NIC, "nic0");
    f->b = (struct judge_bridge) {
        .name = "br-ex", .flows = &f->flows,
        .mac = ETH_ADDR_C(fa, 16, 3e, 00, 00, 01),
        .device = "xdpo-br-ex", .entry = u16_to_ofp(5),
        .entry_mac = ETH_ADDR_C(02, 00, 00, 00, 00, 55),
        .patch = "patch", .patch_port = u16_to_ofp(3), .leg = "br-ex",
        .leg_mac = ETH_ADDR_C(02, 00, 00, 00, 00, 01), .local_tag = -1,
    };
    *state = f;
    return 0;
}

/* Frees a struct fixture. */
static int
teardown(void **state)
{
    struct fixture *f = *state;

    sset_destroy(&f->nics);
    bridge_flows_clear(&f->flows);
    checks_destroy(&f->checks);
    free(f);
    return 0;
}

/* Asks everything about the host and checks that 'word' is answered by 'ok',
 * with 'part' in the detail, and with a remedy that has 'fix', if that is not
 * NULL. */
static void
check_host(struct fixture *f, const char *word, enum check_ok ok,
           const char *part, const char *fix)
{
    const struct check *check;

    checks_destroy(&f->checks);
    judge_slow_path(&f->h, &f->checks);
    judge_way_back(&f->h, &f->checks);
    check = checks_find(&f->checks, word);
    assert_non_null(check);
    assert_int_equal(check->ok, ok);
    assert_non_null(strstr(check->detail, part));
    assert_true(fix ? strstr(check->fix, fix) != NULL : !check->fix[0]);
    assert_true((check->class == REASON_NONE) == (ok == CHECK_YES)
                || ok == CHECK_YES);
}

/* Like check_host() for everything about the bridge. */
static void
check_bridge(struct fixture *f, const char *word, enum check_ok ok,
             const char *part)
{
    const struct check *check;

    checks_destroy(&f->checks);
    judge_way_in(&f->b, &f->checks);
    judge_turned_round(&f->b, &f->checks);
    judge_local_tag(&f->b, &f->checks);
    check = checks_find(&f->checks, word);
    assert_non_null(check);
    assert_int_equal(check->ok, ok);
    assert_non_null(strstr(check->detail, part));
}

/* Where all is well, every answer is yes. */
static void
test_well(void **state)
{
    struct fixture *f = *state;

    add_flow(f, "priority=0,actions=NORMAL");
    add_flow(f, "priority=900,ip,in_port=3,"
             "actions=mod_dl_dst:02:00:00:00:00:01,NORMAL");
    judge_slow_path(&f->h, &f->checks);
    judge_way_in(&f->b, &f->checks);
    judge_turned_round(&f->b, &f->checks);
    judge_local_tag(&f->b, &f->checks);
    judge_way_back(&f->h, &f->checks);
    assert_int_equal(f->checks.n, 11);
    for (size_t i = 0; i < f->checks.n; i++) {
        assert_int_equal(f->checks.list[i].ok, CHECK_YES);
        assert_string_equal(f->checks.list[i].fix, "");
    }
}

/* The slow path: into the bridge, a loop, nowhere, kept, astray. */
static void
test_slow_path(void **state)
{
    struct fixture *f = *state;

    check_host(f, "slow-path", CHECK_YES, "into br-ex", NULL);
    route_to(&f->h.way_in, NIC, "nic0");
    check_host(f, "slow-path", CHECK_NO, "out of nic0 again",
               "ip route add 192.0.2.1/32 dev br-ex");
    route_to(&f->h.way_in, 9, "eth9");
    check_host(f, "slow-path", CHECK_NO, "to eth9, not into br-ex", "/32");
    f->h.way_in = (struct host_route) { .error = ENETUNREACH };
    check_host(f, "slow-path", CHECK_NO, "no route to 192.0.2.1 (Network is "
               "unreachable)", "ip route add");
    f->h.way_in = (struct host_route) { .local = true, .ifindex = 1 };
    check_host(f, "slow-path", CHECK_NO, "of the host itself", NULL);

    route_to(&f->h.way_in, LEG, "br-ex");
    f->h.vlan = 7;
    f->h.leg = NULL;
    check_host(f, "slow-path", CHECK_NO, "to br-ex, not into br-ex", NULL);
}

/* The device by which the host gets what comes out of OVN. */
static void
test_leg(void **state)
{
    struct fixture *f = *state;

    check_host(f, "leg", CHECK_YES, "br-ex, which is up", NULL);
    f->leg.up = false;
    check_host(f, "leg", CHECK_NO, "down", "ip link set br-ex up");
    f->h.leg = NULL;
    check_host(f, "leg", CHECK_NO, "no device br-ex", NULL);
    f->h.vlan = 7;
    check_host(f, "leg", CHECK_NO, "VLAN 7", "type vlan id 7");
    assert_null(checks_find(&f->checks, "rp-filter"));
    f->h.physical = "eth5";
    check_host(f, "leg", CHECK_YES, "physical port eth5", NULL);
}

/* Source validation, of IPv4 only. */
static void
test_rp_filter(void **state)
{
    struct fixture *f = *state;

    check_host(f, "rp-filter", CHECK_YES, "off", NULL);
    f->leg.rp_filter = 1;
    check_host(f, "rp-filter", CHECK_YES, "strict", NULL);
    route_to(&f->h.reverse, NIC, "nic0");
    check_host(f, "rp-filter", CHECK_NO, "leads to nic0",
               "sysctl -w net/ipv4/conf/br-ex/rp_filter=2");
    f->leg.rp_filter = 2;
    check_host(f, "rp-filter", CHECK_YES, "loose", NULL);
    f->h.reverse = (struct host_route) { .error = ENETUNREACH };
    check_host(f, "rp-filter", CHECK_NO, "no route", "ip route add");
    f->leg.rp_filter = 1;
    check_host(f, "rp-filter", CHECK_NO, "leads to nowhere", "sysctl");
    f->leg.rp_filter = -1;
    checks_destroy(&f->checks);
    judge_way_back(&f->h, &f->checks);
    assert_int_equal(checks_find(&f->checks, "rp-filter")->ok, CHECK_UNKNOWN);

    f->h.ip6 = true;
    checks_destroy(&f->checks);
    judge_way_back(&f->h, &f->checks);
    assert_null(checks_find(&f->checks, "rp-filter"));
}

/* Who answers for the gateway. */
static void
test_proxy(void **state)
{
    struct fixture *f = *state;

    check_host(f, "proxy-arp", CHECK_YES, "answers for gateways", NULL);
    f->leg.proxy_arp = 0;
    check_host(f, "proxy-arp", CHECK_NO, "answers for no gateway",
               "net/ipv4/conf/br-ex/proxy_arp=1");
    f->leg.address4 = true;
    check_host(f, "proxy-arp", CHECK_YES, "address of its own", NULL);

    f->h.ip6 = true;
    check_host(f, "proxy-ndp", CHECK_YES, "answers for gateways", NULL);
    f->leg.proxy_ndp = 0;
    check_host(f, "proxy-ndp", CHECK_NO, "answers for no gateway",
               "net/ipv6/conf/br-ex/proxy_ndp=1");
    f->leg.proxy_ndp = -1;
    check_host(f, "proxy-ndp", CHECK_UNKNOWN, "cannot be asked", "sysctl");
}

/* Forwarding, and the route to the world. */
static void
test_route_out(void **state)
{
    struct fixture *f = *state;

    check_host(f, "forwarding", CHECK_YES, "IPv4 is on", NULL);
    check_host(f, "route-out", CHECK_YES, "out of nic0", NULL);
    route_to(&f->h.way_out, LEG, "br-ex");
    check_host(f, "route-out", CHECK_NO, "to br-ex", NULL);
    f->h.way_out = (struct host_route) { .error = EINVAL };
    check_host(f, "route-out", CHECK_NO, "that come by br-ex", "ip rule");

    /* What the look-up says is then said already. */
    f->leg.forwarding4 = 0;
    check_host(f, "forwarding", CHECK_NO, "off",
               "net/ipv4/conf/br-ex/forwarding=1");
    check_host(f, "route-out", CHECK_YES, "out of nic0", NULL);
    f->h.world = (struct host_route) { .error = ENETUNREACH };
    check_host(f, "route-out", CHECK_NO, "no route to the world",
               "ip route add default");
    f->h.ip6 = true;
    f->leg.forwarding6 = 0;
    check_host(f, "forwarding", CHECK_NO, "IPv6 is off",
               "net/ipv6/conf/all/forwarding=1");
    check_host(f, "route-out", CHECK_NO, "no route to the world",
               "ip -6 route add default");
}

/* Which flow takes a redirected frame. */
static void
test_bridge_flow(void **state)
{
    struct fixture *f = *state;

    check_bridge(f, "bridge-flow", CHECK_NO, "no flow of br-ex");
    add_flow(f, "priority=10,in_port=5,ip,nw_src=192.0.2.77,actions=drop");
    check_bridge(f, "bridge-flow", CHECK_UNKNOWN, "depends");
    add_flow(f, "priority=0,actions=NORMAL");
    check_bridge(f, "bridge-flow", CHECK_YES, "priority 0");
    add_flow(f, "priority=20,in_port=LOCAL,actions=drop");
    add_flow(f, "priority=21,in_port=5,ipv6,actions=drop");
    add_flow(f, "priority=22,in_port=5,dl_vlan=7,actions=drop");
    add_flow(f, "priority=23,dl_dst=fa:16:3e:00:00:02,actions=drop");
    check_bridge(f, "bridge-flow", CHECK_YES, "priority 0");
    f->b.ip6 = true;
    check_bridge(f, "bridge-flow", CHECK_NO, "priority 21, drops");
    f->b.vlan = 7;
    check_bridge(f, "bridge-flow", CHECK_NO, "priority 22, drops");
    f->b.vlan = 0;
    f->b.ip6 = false;
    add_flow(f, "priority=24,dl_dst=fa:16:3e:00:00:01,actions=drop");
    check_bridge(f, "bridge-flow", CHECK_NO, "priority 24, drops");
    f->b.entry = OFPP_NONE;
    checks_destroy(&f->checks);
    judge_way_in(&f->b, &f->checks);
    assert_null(checks_find(&f->checks, "bridge-flow"));
}

/* Flows for the bridge's own port, where frames enter by another. */
static void
test_local_flows(void **state)
{
    struct fixture *f = *state;

    add_flow(f, "priority=0,actions=NORMAL");
    check_bridge(f, "local-flows", CHECK_YES, "no flow");
    add_flow(f, "priority=20,in_port=LOCAL,actions=NORMAL");
    add_flow(f, "priority=21,in_port=LOCAL,ip,actions=drop");
    check_bridge(f, "local-flows", CHECK_NO, "2 flows of br-ex");
    f->b.own_entry = true;
    f->b.entry = OFPP_LOCAL;
    checks_destroy(&f->checks);
    judge_way_in(&f->b, &f->checks);
    assert_null(checks_find(&f->checks, "local-flows"));
    check_bridge(f, "bridge-flow", CHECK_NO, "priority 21, drops");
}

/* The flow that sends to the host what OVN turns round. */
static void
test_way_out_flow(void **state)
{
    struct fixture *f = *state;

    add_flow(f, "priority=0,actions=NORMAL");
    check_bridge(f, "way-out-flow", CHECK_NO, "rejects and ICMP errors");
    assert_string_equal(checks_find(&f->checks, "way-out-flow")->fix,
                        "ovs-ofctl add-flow br-ex priority=900,ip,in_port="
                        "patch,actions=mod_dl_dst:02:00:00:00:00:01,NORMAL");
    add_flow(f, "priority=900,ip,in_port=3,"
             "actions=mod_dl_dst:02:00:00:00:00:01,NORMAL");
    check_bridge(f, "way-out-flow", CHECK_YES, "goes to br-ex");
    f->b.ip6 = true;
    check_bridge(f, "way-out-flow", CHECK_NO, "rejects");
    add_flow(f, "priority=900,ipv6,in_port=3,"
             "actions=set_field:02:00:00:00:00:01->eth_dst,NORMAL");
    check_bridge(f, "way-out-flow", CHECK_YES, "goes to br-ex");
    add_flow(f, "priority=901,in_port=3,"
             "actions=mod_dl_dst:02:00:00:00:00:99,NORMAL");
    check_bridge(f, "way-out-flow", CHECK_NO, "rejects");

    /* Frames that enter by the host's own device come back to it. */
    f->b.entry_mac = f->b.leg_mac;
    f->b.patch_port = u16_to_ofp(4);
    check_bridge(f, "way-out-flow", CHECK_YES, "goes to br-ex");
}

/* A bridge without its port to OVN, and one of which no flows are known. */
static void
test_unknown(void **state)
{
    struct fixture *f = *state;

    f->flows.error = ETIMEDOUT;
    check_bridge(f, "bridge-flow", CHECK_UNKNOWN, "timed out");
    check_bridge(f, "way-out-flow", CHECK_UNKNOWN, "timed out");
    f->b.flows = NULL;
    check_bridge(f, "bridge-flow", CHECK_UNKNOWN, "nobody has asked");
    f->b.patch_port = OFPP_NONE;
    check_bridge(f, "patch-port", CHECK_NO, "no port patch to OVN");
    assert_null(checks_find(&f->checks, "way-out-flow"));
}

/* The tag of the bridge's own port. */
static void
test_local_tag(void **state)
{
    struct fixture *f = *state;

    check_bridge(f, "local-tag", CHECK_YES, "no VLAN tag");
    f->b.local_tag = 7;
    check_bridge(f, "local-tag", CHECK_NO, "does not get what OVN sends "
                 "untagged");
    f->b.vlan = 8;
    check_bridge(f, "local-tag", CHECK_NO, "with another tag");
    f->b.vlan = 7;
    check_bridge(f, "local-tag", CHECK_YES, "no harm");
    f->b.vlan = 8;
    f->b.leg_is_port = true;
    check_bridge(f, "local-tag", CHECK_YES, "no harm");
    f->b.own_entry = true;
    check_bridge(f, "local-tag", CHECK_NO, "which redirected frames get");
}

/* Checks what is said of 'fw' for IPv6, or else IPv4. */
static void
check_firewall(struct fixture *f, const struct host_firewall *fw, bool ip6,
               enum check_ok ok, const char *part)
{
    checks_destroy(&f->checks);
    judge_firewall(fw, ip6, &f->nics, &f->checks);
    assert_int_equal(f->checks.n, 1);
    assert_int_equal(f->checks.list[0].ok, ok);
    assert_non_null(strstr(f->checks.list[0].detail, part));
}

/* Rules that redirected packets do not meet. */
static void
test_firewall(void **state)
{
    char device[] = "nic0", other[] = "nic9", begin[] = "nic", none[] = "";
    char *devices[] = { other, device }, *prefixes[] = { other, begin };
    char t[] = "t", c[] = "c";
    char filter[] = "filter nat";
    struct host_chain chain = {
        .family = NFPROTO_INET, .hook = NF_INET_FORWARD,
        .table = t, .name = c, .n_rules = 3,
    };
    struct host_firewall fw = {
        .chains = &chain, .n_chains = 0, .legacy = { none, none } };
    struct fixture *f = *state;

    check_firewall(f, &fw, false, CHECK_YES, "no rule");
    fw.n_chains = 1;
    check_firewall(f, &fw, false, CHECK_NO, "the rules in t c");
    chain.hook = NF_INET_LOCAL_IN;
    check_firewall(f, &fw, false, CHECK_YES, "no rule");
    chain.hook = NF_INET_PRE_ROUTING;
    chain.family = NFPROTO_IPV4;
    check_firewall(f, &fw, false, CHECK_NO, "t c");
    check_firewall(f, &fw, true, CHECK_YES, "no rule");
    chain.family = NFPROTO_IPV6;
    check_firewall(f, &fw, true, CHECK_NO, "t c");
    check_firewall(f, &fw, false, CHECK_YES, "no rule");
    chain.n_rules = 0;
    check_firewall(f, &fw, true, CHECK_YES, "no rule");
    chain.drops = true;
    check_firewall(f, &fw, true, CHECK_NO, "t c");

    chain.family = NFPROTO_NETDEV;
    chain.hook = NF_NETDEV_INGRESS;
    check_firewall(f, &fw, true, CHECK_YES, "no rule");
    chain.devices = (struct svec) { .names = devices, .n = 1 };
    check_firewall(f, &fw, true, CHECK_YES, "no rule");
    chain.devices.n = 2;
    check_firewall(f, &fw, true, CHECK_NO, "t c");
    chain.devices.n = 0;
    chain.prefixes = (struct svec) { .names = prefixes, .n = 1 };
    check_firewall(f, &fw, true, CHECK_YES, "no rule");
    chain.prefixes.n = 2;
    check_firewall(f, &fw, true, CHECK_NO, "t c");

    fw.n_chains = 0;
    fw.legacy[1] = filter;
    check_firewall(f, &fw, false, CHECK_YES, "no rule");
    check_firewall(f, &fw, true, CHECK_UNKNOWN, "tables filter nat");
    fw.legacy_error = EACCES;
    check_firewall(f, &fw, false, CHECK_UNKNOWN, "Permission denied");
    fw.error = EPERM;
    check_firewall(f, &fw, false, CHECK_UNKNOWN, "nf_tables cannot be asked");
}

/* Many chains are not named one by one. */
static void
test_many_chains(void **state)
{
    char none[] = "", t[] = "t", c[] = "c";
    struct host_chain chains[6];
    struct host_firewall fw = {
        .chains = chains, .n_chains = 6, .legacy = { none, none } };

    for (size_t i = 0; i < 6; i++) {
        chains[i] = (struct host_chain) {
            .family = NFPROTO_INET, .hook = NF_INET_FORWARD,
            .table = t, .name = c, .n_rules = 1,
        };
    }
    check_firewall(*state, &fw, false, CHECK_NO,
                   "in t c, t c, t c, t c and 2 more");
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_well),
        TEST(test_slow_path),
        TEST(test_leg),
        TEST(test_rp_filter),
        TEST(test_proxy),
        TEST(test_route_out),
        TEST(test_bridge_flow),
        TEST(test_local_flows),
        TEST(test_way_out_flow),
        TEST(test_unknown),
        TEST(test_local_tag),
        TEST(test_firewall),
        TEST(test_many_chains),
    };

    return cmocka_run_group_tests_name("judge", tests, NULL, NULL);
}
