/* SPDX-License-Identifier: Apache-2.0 */
/* What is said of one flow, and how the period follows from all. */
#include <config.h>

#include "plugin/confirm-plan.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "openvswitch/util.h"
#include "packets.h"
#include "plugin/limits.h"

/* Returns 'text' as an address. */
static struct in6_addr
address(const char *text)
{
    struct in6_addr addr;

    assert_int_equal(inet_pton(AF_INET6, text, &addr), 1);
    return addr;
}

/* Returns the way in of a connection of 'proto', which is USED and fresh. */
static struct dp_flow
make_in(uint8_t proto)
{
    return (struct dp_flow) {
        .key = {
            .src = address("::ffff:198.51.100.7"),
            .dst = address("::ffff:203.0.113.5"),
            .sport = 40000, .dport = 80, .proto = proto,
        },
        .state = DP_FLOW_USED,
        .nat = address("::ffff:10.0.0.5"),
        .external = address("::ffff:203.0.113.5"),
        .ifindex = 7,
    };
}

/* Returns the way out of the same connection. */
static struct dp_flow
make_out(uint8_t proto)
{
    return (struct dp_flow) {
        .key = {
            .src = address("::ffff:10.0.0.5"),
            .dst = address("::ffff:198.51.100.7"),
            .sport = 80, .dport = 40000, .proto = proto, .scope = 7,
        },
        .out = true,
        .state = DP_FLOW_USED,
        .nat = address("::ffff:203.0.113.5"),
        .external = address("::ffff:203.0.113.5"),
        .ifindex = 3,
    };
}

/* A set has what was added, and nothing else, however much that is. */
static void
test_set(void **state OVS_UNUSED)
{
    struct plan_set set = { .slots = NULL };

    assert_false(plan_set_has(&set, 1));
    for (uint64_t i = 1; i <= 100000; i++) {
        plan_set_add(&set, i << 6);
        plan_set_add(&set, i << 6);
    }
    assert_int_equal(set.n, 100000);
    for (uint64_t i = 1; i <= 100000; i++) {
        assert_true(plan_set_has(&set, i << 6));
        assert_false(plan_set_has(&set, (i << 6) + 1));
    }
    plan_set_clear(&set);
    assert_int_equal(set.n, 0);
    for (uint64_t i = 1; i <= 100000; i++) {
        assert_false(plan_set_has(&set, i << 6));
    }
    plan_set_destroy(&set);
    plan_set_clear(&set);
    assert_false(plan_set_has(&set, 64));
}

/* Both directions are one connection, and others are others. */
static void
test_connection(void **state OVS_UNUSED)
{
    struct dp_flow in = make_in(IPPROTO_TCP), out = make_out(IPPROTO_TCP);
    uint64_t one = plan_connection(&in);
    struct dp_flow other;

    assert_true(one && one == plan_connection(&out));
    other = make_in(IPPROTO_UDP);
    assert_true(one != plan_connection(&other));
    other = in;
    other.key.sport++;
    assert_true(one != plan_connection(&other));
    other = in;
    other.ifindex++;
    assert_true(one != plan_connection(&other));
    other = out;
    other.external = address("::ffff:203.0.113.6");
    assert_true(one != plan_connection(&other));
    other = out;
    other.key.dst = address("::ffff:198.51.100.8");
    assert_true(one != plan_connection(&other));
    /* The same numbers the other way round. */
    other = in;
    other.key.sport = in.key.dport;
    other.key.dport = in.key.sport;
    assert_true(one != plan_connection(&other));
}

/* A request belongs to the answer, and who asked matters. */
static void
test_echo(void **state OVS_UNUSED)
{
    static const struct { uint8_t proto, request, reply; } kinds[] = {
        { IPPROTO_ICMP, 8, 0 }, { IPPROTO_ICMPV6, 128, 129 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        struct dp_flow in = make_in(kinds[i].proto);
        struct dp_flow out = make_out(kinds[i].proto);
        uint64_t asked;

        in.key.sport = out.key.sport = 77;
        in.key.dport = kinds[i].request;
        out.key.dport = kinds[i].reply;
        asked = plan_connection(&in);
        assert_true(asked == plan_connection(&out));
        in.key.dport = kinds[i].reply;
        out.key.dport = kinds[i].request;
        assert_true(plan_connection(&in) == plan_connection(&out));
        assert_true(asked != plan_connection(&in));
        in.key.sport++;
        assert_true(plan_connection(&in) != plan_connection(&out));
    }
}

/* The period is the configured one as long as the budget allows it. */
static void
test_period(void **state OVS_UNUSED)
{
    const size_t most = 500 * PROBES_PER_S / 1000;

    assert_int_equal(plan_period(500, &(struct plan_load) { 0, 0 }), 500);
    assert_int_equal(plan_period(500, &(struct plan_load) { most, most }),
                     500);
    assert_int_equal(plan_period(500,
                                 &(struct plan_load) { most + 1, most + 1 }),
                     600);
    assert_int_equal(plan_period(500, &(struct plan_load) { 65536, 65536 }),
                     6600);
    /* Reading idle ones costs time, too. */
    assert_int_equal(plan_period(500, &(struct plan_load) { 500000, 2 }),
                     2000);
    assert_int_equal(plan_period(500, &(struct plan_load) { 65536, 2 }), 500);
    assert_int_equal(plan_period(50, &(struct plan_load) { 65536, 2 }), 300);
}

/* Three passes in a period, if they are cheap. */
static void
test_interval(void **state OVS_UNUSED)
{
    assert_int_equal(plan_interval(600, &(struct plan_load) { 10, 2 }), 200);
    assert_int_equal(plan_interval(600, &(struct plan_load) { 10, 0 }), 600);
    assert_int_equal(plan_interval(600, &(struct plan_load) { 51200, 2 }),
                     400);
    assert_int_equal(plan_interval(600, &(struct plan_load) { 512000, 2 }),
                     600);
    assert_int_equal(plan_window(200, 10), 200);
    assert_int_equal(plan_window(200, 40000), 40000 * 1000 / PROBES_PER_S);
    assert_int_equal(plan_times(500).soft, 1000);
    assert_int_equal(plan_times(500).hard, 1500);
    assert_int_equal(plan_times(500).step, 166);
}

/* A flow is active while packets are taken off. */
static void
test_active(void **state OVS_UNUSED)
{
    struct dp_flow flow = make_in(IPPROTO_TCP);

    flow.used = 999;
    assert_true(plan_is_active(&flow, 500));
    flow.used = 1000;
    assert_false(plan_is_active(&flow, 500));
    flow.used = UINT32_MAX;
    assert_false(plan_is_active(&flow, 500));
    flow.used = 0;
    for (int i = 0; i <= DP_FLOW_VOID; i++) {
        flow.state = i;
        assert_int_equal(plan_is_active(&flow, 500), i == DP_FLOW_USED);
    }
}

/* It is due when its period ends before the next pass; then after each pass;
 * and when it is dead, once in a period. */
static void
test_due(void **state OVS_UNUSED)
{
    struct dp_flow flow = make_in(IPPROTO_TCP);
    unsigned int n = 0;

    flow.confirmed = 333;
    assert_false(plan_is_due(&flow, 500, 166));
    flow.confirmed = 334;
    assert_true(plan_is_due(&flow, 500, 166));
    flow.state = DP_FLOW_CLOSED;
    assert_false(plan_is_due(&flow, 500, 166));
    flow.state = DP_FLOW_LEARNING;
    for (flow.confirmed = 334; flow.confirmed <= 1500;
         flow.confirmed += 166) {
        assert_true(plan_is_due(&flow, 500, 166));
    }
    for (flow.confirmed = 1600; flow.confirmed < 6600;
         flow.confirmed += 100) {
        n += plan_is_due(&flow, 500, 100);
    }
    assert_int_equal(n, 10);
    flow.confirmed = UINT32_MAX - 1;
    assert_true(plan_is_due(&flow, 500, 500));
}

/* It has lapsed when it passes the limit although it had packets, and only
 * once. */
static void
test_lapsed(void **state OVS_UNUSED)
{
    struct dp_flow flow = make_in(IPPROTO_TCP);
    unsigned int n = 0;

    for (uint32_t age = 7; age < 5000; age += 166) {
        flow.confirmed = age;
        flow.used = age > 1500 ? age - 1500 : 3;
        n += plan_has_lapsed(&flow, 500, 166);
    }
    assert_int_equal(n, 1);
    flow.confirmed = 1600;
    flow.used = 599;
    assert_true(plan_has_lapsed(&flow, 500, 166));
    flow.used = 600;
    assert_false(plan_has_lapsed(&flow, 500, 166));
    flow.used = UINT32_MAX;
    assert_false(plan_has_lapsed(&flow, 500, 166));
    flow.used = 0;
    flow.state = DP_FLOW_VOID;
    assert_false(plan_has_lapsed(&flow, 500, 166));
}

/* How long each kind lives without a packet. */
static void
test_over(void **state OVS_UNUSED)
{
    static const struct {
        enum dp_flow_state state;
        uint8_t proto;
        bool tight;
        uint32_t ms;
    } lives[] = {
        { DP_FLOW_USED, IPPROTO_TCP, false, 300000 },
        { DP_FLOW_USED, IPPROTO_TCP, true, 30000 },
        { DP_FLOW_USED, IPPROTO_UDP, false, 60000 },
        { DP_FLOW_USED, IPPROTO_UDP, true, 10000 },
        { DP_FLOW_USED, IPPROTO_ICMP, false, 60000 },
        { DP_FLOW_LEARNING, IPPROTO_TCP, false, 30000 },
        { DP_FLOW_LEARNING, IPPROTO_UDP, true, 3000 },
        { DP_FLOW_VOID, IPPROTO_TCP, false, 30000 },
        { DP_FLOW_CLOSED, IPPROTO_TCP, false, 2000 },
        { DP_FLOW_CLOSED, IPPROTO_TCP, true, 2000 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(lives); i++) {
        struct dp_flow flow = make_in(lives[i].proto);

        flow.state = lives[i].state;
        flow.used = UINT32_MAX;
        flow.seen = lives[i].ms;
        assert_false(plan_is_over(&flow, lives[i].tight));
        flow.seen++;
        assert_true(plan_is_over(&flow, lives[i].tight));
        flow.used = 5;
        assert_int_equal(plan_is_over(&flow, lives[i].tight),
                         lives[i].state != DP_FLOW_USED);
    }
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_set),
        cmocka_unit_test(test_connection),
        cmocka_unit_test(test_echo),
        cmocka_unit_test(test_period),
        cmocka_unit_test(test_interval),
        cmocka_unit_test(test_active),
        cmocka_unit_test(test_due),
        cmocka_unit_test(test_lapsed),
        cmocka_unit_test(test_over),
    };

    return cmocka_run_group_tests_name("confirm-plan", tests, NULL, NULL);
}
