/* SPDX-License-Identifier: Apache-2.0 */
/* The datapath in memory: the contract, and the hooks for other tests. */
#include <config.h>

#include "plugin/datapath-fake.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "packets.h"
#include "util.h"

#include "plugin/datapath-fake-direct.h"
#include "plugin/reason.h"
#include "tests/plugin/dp-contract.h"

static const struct dp_class *const class = &datapath_fake_class;
static const struct dp_config config = { "fake", 4 };

/* Two devices that nothing but the fake knows. */
static struct dp_contract contract = {
    .class = &datapath_fake_class,
    .pin_dir = "contract",
    .nics = {
        { .name = "nic0", .ifindex = 11,
          .mac = ETH_ADDR_C(02, 00, 00, 00, 00, 01) },
        { .name = "nic1", .ifindex = 12,
          .mac = ETH_ADDR_C(02, 00, 00, 00, 00, 02) },
    },
};

/* Removes the device 'name' and gives it a new index.  Without 'dp' that
 * happens while no daemon runs. */
static int
replace_device(struct dp *dp_, const char *name OVS_UNUSED)
{
    struct dp_config closed = { contract.pin_dir, 16 };
    static int next = 100;
    struct dp *dp = dp_;

    if (!dp) {
        assert_int_equal(class->open(&closed, &dp), 0);
    }
    dp_fake_remove_device(dp, contract.nics[0].ifindex);
    if (!dp_) {
        class->close(dp, false);
    }
    return next++;
}

/* Returns an endpoint without anything special. */
static struct dp_endpoint
any_endpoint(uint8_t i)
{
    struct dp_endpoint e;

    memset(&e, 0, sizeof e);
    e.key.addr = in6_addr_mapped_ipv4(htonl(0xc0000200 + i));
    return e;
}

static void
count_endpoint(const struct dp_endpoint *e OVS_UNUSED, void *n_)
{
    int *n = n_;

    ++*n;
}

static void
store_nic(const struct dp_nic_state *state, void *found)
{
    *(struct dp_nic_state *) found = *state;
}

static void
store_error(int error, uint64_t packets, void *sum_)
{
    uint64_t *sum = sum_;

    *sum += error * 1000 + packets;
}

/* Each operation fails once, as asked, and has no effect then. */
static void
test_fail_next(void **state OVS_UNUSED)
{
    struct dp_endpoint e = any_endpoint(1);
    struct dp *dp;
    int n = 0;

    assert_int_equal(class->open(&config, &dp), 0);
    dp_fake_fail_next(dp, EIO);
    assert_int_equal(class->put_endpoint(dp, &e), EIO);
    class->dump_endpoints(dp, count_endpoint, &n);
    assert_int_equal(n, 0);
    assert_int_equal(class->put_endpoint(dp, &e), 0);
    dp_fake_fail_next(dp, EIO);
    assert_int_equal(class->del_endpoint(dp, &e.key), EIO);
    dp_fake_fail_next(dp, EIO);
    assert_int_equal(class->attach_nic(dp, &contract.nics[0]), EIO);
    dp_fake_fail_next(dp, EIO);
    assert_int_equal(class->attach_sink(dp, "nic0", 11), EIO);
    dp_fake_fail_next(dp, EIO);
    assert_int_equal(class->put_target(dp, 11), EIO);
    assert_false(class->has_target(dp, 11));
    dp_fake_fail_next(dp, EIO);
    dp_fake_fail_next(dp, 0);
    assert_int_equal(class->put_target(dp, 11), 0);
    dp_fake_fail_next(dp, EIO);
    assert_int_equal(class->commit(dp), EIO);
    class->dump_endpoints(dp, count_endpoint, &n);
    assert_int_equal(n, 1);
    assert_int_equal(dp_fake_n_changes(dp), 8);
    class->close(dp, true);
}

/* What is preloaded looks adopted. */
static void
test_preload(void **state OVS_UNUSED)
{
    struct dp_nic_state found = { .current = true };
    struct dp_endpoint e = any_endpoint(1);
    struct dp *dp;
    int n = 0;

    assert_int_equal(class->open(&config, &dp), 0);
    dp_fake_adopt_endpoint(dp, &e);
    dp_fake_adopt_nic(dp, &contract.nics[1], true);
    assert_int_equal(dp_fake_n_changes(dp), 0);
    class->dump_endpoints(dp, count_endpoint, &n);
    assert_int_equal(n, 1);
    class->dump_nics(dp, store_nic, &found);
    assert_string_equal(found.nic.name, "nic1");
    assert_true(found.sink && !found.current);
    class->close(dp, true);
}

/* Counters say what was counted, and outlive the daemon. */
static void
test_counters(void **state OVS_UNUSED)
{
    struct dp_counter counter, counters[N_PACKET_REASONS];
    struct dp_endpoint e = any_endpoint(1);
    uint64_t sum = 0;
    struct dp *dp;

    assert_int_equal(class->open(&config, &dp), 0);
    assert_int_equal(class->put_endpoint(dp, &e), 0);
    assert_int_equal(class->attach_nic(dp, &contract.nics[0]), 0);
    dp_fake_count_endpoint(dp, &e.key, 2, 200);
    dp_fake_count_nic(dp, "nic0", PACKET_REASON_NOT_IP, 3, 300);
    dp_fake_count_redirect_error(dp, ENXIO, 5);
    class->close(dp, false);
    assert_int_equal(class->open(&config, &dp), 0);
    assert_int_equal(class->put_endpoint(dp, &e), 0);
    assert_int_equal(class->endpoint_counter(dp, &e.key, &counter), 0);
    assert_int_equal(counter.packets, 2);
    assert_int_equal(counter.bytes, 200);
    assert_int_equal(class->nic_counters(dp, "nic0", counters), 0);
    assert_int_equal(counters[PACKET_REASON_NOT_IP].packets, 3);
    assert_int_equal(counters[PACKET_REASON_NOT_IP].bytes, 300);
    assert_int_equal(class->redirect_errors(dp, store_error, &sum), 0);
    assert_int_equal(sum, ENXIO * 1000 + 5);

    assert_int_equal(class->del_endpoint(dp, &e.key), 0);
    assert_int_equal(class->put_endpoint(dp, &e), 0);
    assert_int_equal(class->endpoint_counter(dp, &e.key, &counter), 0);
    assert_int_equal(counter.packets, 0);
    class->close(dp, true);
}

/* Copies 'flow' to 'found_'. */
static void
find_flow(const struct dp_flow *flow, void *found_)
{
    struct dp_flow *found = found_;

    *found = *flow;
}

/* A flow is what a test says, until its port changes. */
static void
test_flows(void **state OVS_UNUSED)
{
    struct dp_direct port = {
        .external = in6_addr_mapped_ipv4(htonl(0xc0000201)),
        .fixed = in6_addr_mapped_ipv4(htonl(0x0a000001)),
        .tap = 7,
    };
    struct dp_flow flow = {
        .key = { .src = port.fixed, .dst = port.fixed, .sport = 1 },
        .state = DP_FLOW_USED, .external = port.external, .confirmed = 900,
        .used = UINT32_MAX,
    };
    struct fake_direct *direct;
    struct dp_flow found;
    size_t n_sent;
    struct dp *dp;

    assert_int_equal(class->open(&config, &dp), 0);
    direct = dp_fake_direct(dp);
    assert_int_equal(class->put_direct(dp, &port), 0);
    fake_direct_add_flow(direct, &flow);
    class->dump_flows(dp, find_flow, &found);
    assert_int_equal(found.state, DP_FLOW_USED);
    assert_int_equal(found.key.sport, 1);
    direct->confirms = true;
    assert_int_equal(class->probe_flows(dp, &found, 1, &n_sent), 0);
    assert_int_equal(n_sent, 1);
    assert_int_equal(fake_direct_n_probes(direct, &flow.key), 1);
    fake_direct_pass_time(direct, 5);
    class->dump_flows(dp, find_flow, &found);
    assert_int_equal(found.confirmed, 5);
    assert_true(found.used == UINT32_MAX);
    direct->probe_error = EAGAIN;
    assert_int_equal(class->probe_flows(dp, &found, 1, &n_sent), EAGAIN);
    assert_int_equal(n_sent, 0);

    assert_int_equal(class->void_direct(dp, &port.external), 0);
    class->dump_flows(dp, find_flow, &found);
    assert_int_equal(found.state, DP_FLOW_VOID);
    assert_int_equal(class->del_flow(dp, &flow.key), 0);
    assert_int_equal(class->del_flow(dp, &flow.key), ENOENT);
    assert_null(fake_direct_flow(direct, &flow.key));

    fake_direct_set_half_checksum(direct, &port.external);
    assert_true(class->direct_half_checksum(dp, &port.external));
    assert_false(class->direct_half_checksum(dp, &port.external));
    class->close(dp, true);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fail_next),
        cmocka_unit_test(test_preload),
        cmocka_unit_test(test_counters),
        cmocka_unit_test(test_flows),
    };
    int failed;

    contract.set_foreign = dp_fake_set_foreign;
    contract.replace = replace_device;
    failed = dp_contract_run(&contract);
    failed += dp_contract_run_direct(&contract);
    return failed + cmocka_run_group_tests_name("fake", tests, NULL, NULL);
}
