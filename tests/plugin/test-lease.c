/* SPDX-License-Identifier: Apache-2.0 */
/* When packets may be dropped, and for how long. */
#include <config.h>

#include "plugin/lease.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "openvswitch/util.h"
#include "plugin/limits.h"

/* Inputs that allow it from 1000 on. */
static const struct lease_inputs good = {
    .enabled = true, .current = true, .in_step = true, .settled_at = 1000,
};

/* Each condition is necessary, and all together are enough. */
static void
test_judge(void **state OVS_UNUSED)
{
    struct lease_inputs in = good;

    assert_int_equal(lease_judge(&in, 1000), LEASE_GIVEN);
    assert_int_equal(lease_until(&in, 1000), 1000 + LEASE_MS);
    assert_int_equal(lease_judge(&in, 999), LEASE_UNSETTLED);
    assert_int_equal(lease_until(&in, 999), 0);
    in.settled_at = LLONG_MAX;
    assert_int_equal(lease_until(&in, LLONG_MAX - 1), 0);
    in = good;
    in.enabled = false;
    assert_int_equal(lease_judge(&in, 2000), LEASE_OFF);
    assert_int_equal(lease_until(&in, 2000), 0);
    in = good;
    in.current = false;
    assert_int_equal(lease_judge(&in, 2000), LEASE_NOT_CURRENT);
    assert_int_equal(lease_until(&in, 2000), 0);
    in = good;
    in.full = true;
    in.in_step = false;
    assert_int_equal(lease_judge(&in, 2000), LEASE_FULL);
    assert_int_equal(lease_until(&in, 2000), 0);
    in = good;
    in.in_step = false;
    assert_int_equal(lease_judge(&in, 2000), LEASE_BEHIND);
    assert_int_equal(lease_until(&in, 2000), 0);
}

/* A lease is written when it is due, and taken back at once. */
static void
test_run(void **state OVS_UNUSED)
{
    struct lease lease = { .until = 0 };
    struct lease_inputs in = good;

    assert_false(lease_run(&lease, &in, 999));
    assert_int_equal(lease.until, 0);
    assert_int_equal(lease.state, LEASE_UNSETTLED);
    assert_true(lease_run(&lease, &in, 1000));
    assert_int_equal(lease.until, 1000 + LEASE_MS);
    assert_int_equal(lease.renew_at, 1000 + HEARTBEAT_MS);
    assert_false(lease_run(&lease, &in, 1000 + HEARTBEAT_MS - 1));
    assert_int_equal(lease.until, 1000 + LEASE_MS);
    assert_true(lease_run(&lease, &in, 1000 + HEARTBEAT_MS));
    assert_int_equal(lease.until, 1000 + HEARTBEAT_MS + LEASE_MS);
    in.current = false;
    assert_true(lease_run(&lease, &in, 1000 + HEARTBEAT_MS + 1));
    assert_int_equal(lease.until, 0);
    assert_int_equal(lease.state, LEASE_NOT_CURRENT);
    assert_false(lease_run(&lease, &in, 1000 + HEARTBEAT_MS + 2));
    in.current = true;
    assert_true(lease_run(&lease, &in, 1000 + HEARTBEAT_MS + 3));
    assert_int_equal(lease.state, LEASE_GIVEN);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_judge),
        cmocka_unit_test(test_run),
    };

    return cmocka_run_group_tests_name("lease", tests, NULL, NULL);
}
