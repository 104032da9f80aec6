/* SPDX-License-Identifier: Apache-2.0 */
/* Which devices are watched, and what follows from it, with the datapath in
 * memory. */
#include <config.h>

#include "plugin/watch.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "bpf/abi.h"
#include "plugin/datapath-fake-watch.h"
#include "plugin/datapath-fake.h"
#include "plugin/desired.h"
#include "plugin/limits.h"
#include "tests/plugin/values.h"
#include "timeval.h"
#include "util.h"

/* How long a watch has to be there, in ms. */
#define SETTLES_MS (OX_OPENED_SYN_S * 1000LL)

static const struct dp_class *const class = &datapath_fake_class;

/* What every test works on. */
static struct values values;
static struct dp *dp;
static struct watch *watch;

/* Makes a chassis with NIC eth1 and bridge br-ex. */
static int
setup(void **state OVS_UNUSED)
{
    struct dp_config config = { "watch", 16 };

    values_init(&values);
    values_set(&values, "ovn-xdp-interfaces", "eth1");
    values_set(&values, "ovn-bridge-mappings", "physnet1:br-ex");
    values_add_device(&values, "eth1", "");
    values_add_bridge(&values, "br-ex", true);
    assert_int_equal(class->open(&config, &dp), 0);
    watch = watch_create(class, dp);
    return 0;
}

static int
teardown(void **state OVS_UNUSED)
{
    watch_destroy(watch);
    class->close(dp, true);
    values_destroy(&values);
    return 0;
}

/* Runs 'watch' at 'now' with early drop as 'enabled'.  Returns what it
 * returns. */
static bool
run_at(bool enabled, long long int now)
{
    struct desired *desired = values_derive(&values);
    struct watch_inputs in = {
        .enabled = enabled,
        .desired = desired,
        .ovs = &values.ovs,
        .devices = &values.devices,
    };
    bool changed = watch_run(watch, &in, now);

    desired_destroy(desired);
    return changed;
}

/* The same, now. */
static bool
run(bool enabled)
{
    return run_at(enabled, time_msec());
}

/* Asserts that 'device' is watched on 'side', or is not watched if that is
 * negative.  In either case it is not watched any more. */
static void
check(const char *device, int side)
{
    int ifindex = values_device(&values, device)->ifindex;
    long long int since, again;

    if (side < 0) {
        assert_int_equal(class->del_watch(dp, ifindex), ENOENT);
        return;
    }
    poll(NULL, 0, 2);
    assert_int_equal(class->put_watch(dp, ifindex, side, &since), 0);
    assert_true(since < time_msec());
    assert_int_equal(class->put_watch(dp, ifindex, !side, &again), 0);
    assert_true(again > since);
    assert_int_equal(class->del_watch(dp, ifindex), 0);
}

/* The bridge's own device is watched, as long as somebody wants it. */
static void
test_own(void **state OVS_UNUSED)
{
    assert_int_equal(watch_settled_at(watch), LLONG_MAX);
    assert_false(watch_has_bridge(watch, "br-ex"));
    assert_false(run(false));
    check("br-ex", -1);
    assert_true(run(true));
    assert_true(watch_has_bridge(watch, "br-ex"));
    assert_false(watch_has_bridge(watch, "br-int"));
    assert_false(run(true));
    assert_true(run(false));
    assert_false(watch_has_bridge(watch, "br-ex"));
    assert_int_equal(watch_settled_at(watch), LLONG_MAX);
    check("br-ex", -1);
    assert_true(run(true));
    check("br-ex", DP_WATCH_INGRESS);
    check("eth1", -1);
    assert_int_equal(watch_problems(watch)->n, 0);
}

/* Other ports of the bridge are watched, too; not the managed port and that
 * of OVN, and not another bridge. */
static void
test_ports(void **state OVS_UNUSED)
{
    values_add_device(&values, "eth2", "");
    values_add_device(&values, "int0", "openvswitch");
    values_add_device(&values, "br-other", "tun");
    values_add_bridge(&values, "br-other", true);
    values_add_port(&values, "br-ex", "eth2", "", NULL);
    values_add_port(&values, "br-ex", "int0", "internal", NULL);
    values_add_managed_port(&values, "br-ex");
    values_plug(&values, "br-ex", "localnet1");
    assert_true(run(true));
    assert_int_equal(watch_problems(watch)->n, 0);
    assert_true(watch_has_bridge(watch, "br-ex"));
    check("br-ex", DP_WATCH_INGRESS);
    check("eth2", DP_WATCH_EGRESS);
    check("int0", DP_WATCH_INGRESS);
    check("br-other", -1);
    check("xdpo-br-ex", -1);
    check("xdpi-br-ex", -1);
}

/* A bridge with a port that cannot be watched is none that is watched, until
 * that port is gone. */
static void
test_unwatched(void **state OVS_UNUSED)
{
    const struct problems *problems = watch_problems(watch);

    assert_true(run(true));
    values_add_device(&values, "dpdk0", "");
    values_add_device(&values, "patch0", "");
    values_add_port(&values, "br-ex", "dpdk0", "dpdk", NULL);
    values_add_port(&values, "br-ex", "patch0", "patch", NULL);
    assert_true(run(true));
    assert_false(watch_has_bridge(watch, "br-ex"));
    assert_int_equal(problems->n, 2);
    assert_int_equal(problems->list[0].class, REASON_ACL_UNWATCHED);
    assert_non_null(strstr(problems->list[0].message, "br-ex"));
    assert_non_null(strstr(problems->list[0].message, "dpdk0"));
    free(values_iface(&values, "dpdk0")->type);
    values_iface(&values, "dpdk0")->type = xstrdup("");
    free(values_iface(&values, "patch0")->type);
    values_iface(&values, "patch0")->type = xstrdup("system");
    assert_true(run(true));
    assert_true(watch_has_bridge(watch, "br-ex"));
    assert_int_equal(problems->n, 0);
}

/* So is one where the kernel refuses. */
static void
test_refused(void **state OVS_UNUSED)
{
    dp_fake_fail_next(dp, EPERM);
    assert_false(run(true));
    assert_false(watch_has_bridge(watch, "br-ex"));
    assert_int_equal(watch_problems(watch)->n, 1);
    assert_int_equal(watch_problems(watch)->list[0].class,
                     REASON_ACL_UNWATCHED);
    assert_true(run(true));
    assert_int_equal(watch_problems(watch)->n, 0);
}

/* The youngest watch says when all is settled; a device that comes anew is
 * such a one. */
static void
test_settled(void **state OVS_UNUSED)
{
    long long int at;

    run(true);
    at = watch_settled_at(watch);
    assert_true(at >= time_msec() + SETTLES_MS - 1000);
    assert_true(at <= time_msec() + SETTLES_MS);
    poll(NULL, 0, 2);
    run(true);
    assert_int_equal(watch_settled_at(watch), at);
    values_device(&values, "br-ex")->ifindex += 100;
    run(true);
    assert_true(watch_settled_at(watch) > at);
    watch_settle(watch);
    assert_true(watch_settled_at(watch) <= time_msec());
    poll(NULL, 0, 2);
    values_device(&values, "br-ex")->ifindex += 100;
    run(true);
    assert_true(watch_settled_at(watch) > time_msec());
}

/* Asserts that all of br-ex is watched though it has port 'port' without a
 * device, while OVS has none either; and that it is not, while OVS has it: in
 * another network namespace, as it seems. */
static void
check_absent(const char *port)
{
    struct ovs_iface *iface = values_iface(&values, port);

    for (iface->ofport = -1; iface->ofport <= 1; iface->ofport++) {
        bool outside = iface->ofport > 0;

        run(true);
        assert_int_equal(watch_has_bridge(watch, "br-ex"), !outside);
        assert_int_equal(watch_problems(watch)->n, outside);
    }
    assert_non_null(strstr(watch_problems(watch)->list[0].message, port));
    iface->ofport = 0;
}

/* Of whom connections were missed is said, as long as nothing to them is
 * dropped for that. */
static void
test_missed(void **state OVS_UNUSED)
{
    const struct problems *problems = watch_problems(watch);
    const long long int now = time_msec(), later = now + OPENED_SWEEP_MS;
    const struct dp_key key = values_key("172.24.100.50");
    const struct dp_key other = values_key("172.24.100.52");
    long long int *missed = dp_fake_watches(dp)->missed;

    values_set(&values, "system-id", "hv1");
    values_add_localnet(&values, "provnet-1", "physnet1", 1, -1);
    values_add_vm(&values, "vm1", 1, "fa:16:3e:00:00:01 172.24.100.50");
    values_add_vm(&values, "vm2", 1, "fa:16:3e:00:00:02 172.24.100.51");
    fake_watches_set(missed, &other.addr, later + 10000);
    run_at(true, now);
    assert_int_equal(problems->n, 0);
    fake_watches_set(missed, &other.addr, 0);
    fake_watches_set(missed, &key.addr, later + 10000);
    assert_int_equal(watch_missed_until(watch, &key.addr), later + 10000);
    assert_int_equal(watch_missed_until(watch, &other.addr), 0);
    run_at(true, later);
    assert_int_equal(problems->n, 1);
    assert_int_equal(problems->list[0].class, REASON_ACL_MISSED);
    assert_non_null(strstr(problems->list[0].message, "1 address"));
    assert_non_null(strstr(problems->list[0].message, "172.24.100.50"));
    run_at(true, later + 1);
    assert_int_equal(problems->n, 1);
    run_at(false, later + 2);
    assert_int_equal(problems->n, 0);
    run_at(true, later + 10000);
    assert_int_equal(problems->n, 0);
}

/* A port without a device lets nothing out, unless OVS has one. */
static void
test_no_device(void **state OVS_UNUSED)
{
    values_add_port(&values, "br-ex", "int0", "internal", NULL);
    values_add_port(&values, "br-ex", "eth2", "", NULL);
    values_iface(&values, "eth2")->ofport = 0;
    check_absent("int0");
    check_absent("eth2");
    values_remove_device(&values, "br-ex");
    check_absent("br-ex");
}

/* The bridge's own device is one even if the database does not say so. */
static void
test_no_row(void **state OVS_UNUSED)
{
    struct ovs_iface *own = values_iface(&values, "br-ex");

    free(values.ovs.bridges[0].ports[0].name);
    free(own->name);
    values.ovs.bridges[0].ports[0].name = xstrdup("none");
    own->name = xstrdup("none");
    own->ofport = 0;
    run(true);
    assert_true(watch_has_bridge(watch, "br-ex"));
    values_remove_device(&values, "br-ex");
    run(true);
    assert_false(watch_has_bridge(watch, "br-ex"));
}

/* What an earlier daemon has watched goes on. */
static void
test_adopted(void **state OVS_UNUSED)
{
    struct dp_config config = { "watch", 16 };
    long long int at;

    run(true);
    at = watch_settled_at(watch);
    watch_destroy(watch);
    class->close(dp, false);
    poll(NULL, 0, 2);
    assert_int_equal(class->open(&config, &dp), 0);
    watch = watch_create(class, dp);
    run(true);
    assert_int_equal(watch_settled_at(watch), at);
}

/* There is work every few seconds, while it is wanted. */
static void
test_due(void **state OVS_UNUSED)
{
    long long int now = time_msec();

    assert_false(watch_is_due(watch, now));
    run(true);
    assert_false(watch_is_due(watch, now));
    assert_true(watch_is_due(watch, time_msec() + OPENED_SWEEP_MS));
    assert_int_equal(watch_n_opened(watch), 0);
    run(false);
    assert_false(watch_is_due(watch, time_msec() + 2 * OPENED_SWEEP_MS));
}

int
main(void)
{
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)
    static const struct CMUnitTest tests[] = {
        TEST(test_own),
        TEST(test_ports),
        TEST(test_unwatched),
        TEST(test_refused),
        TEST(test_settled),
        TEST(test_missed),
        TEST(test_no_device),
        TEST(test_no_row),
        TEST(test_adopted),
        TEST(test_due),
    };
#undef TEST

    return cmocka_run_group_tests_name("watch", tests, NULL, NULL);
}
