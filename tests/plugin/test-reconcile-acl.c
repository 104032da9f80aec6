/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of plugin/reconcile.c where layer L2 or L3 cannot be had. */
#include <config.h>

#include "plugin/reconcile.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "plugin/datapath-fake.h"
#include "plugin/desired.h"
#include "tests/plugin/values.h"
#include "util.h"

/* Attaches without layer L2. */
static int
attach_plain(struct dp *dp, const struct dp_nic *nic)
{
    struct dp_nic plain = *nic;

    plain.acl = DP_ACL_OFF;
    return datapath_fake_class.attach_nic(dp, &plain);
}

/* How often commit() was called. */
static int n_commits;

/* Counts commit(). */
static int
count_commit(struct dp *dp)
{
    n_commits++;
    return datapath_fake_class.commit(dp);
}

/* Runs 'r' once, and asserts that 'n' problems with the datapath are left, and
 * something to repeat if there are any. */
static void
run(struct reconcile *r, struct values *values, size_t n)
{
    struct desired *desired = values_derive(values);

    assert_false(reconcile_run(r, desired, 1000));
    assert_int_equal(values_count_problems(reconcile_problems(r),
                                           REASON_DATAPATH_ERROR), n);
    assert_int_equal(reconcile_is_due(r, 1250), n != 0);
    assert_int_equal(reconcile_n_current(r), 1);
    desired_destroy(desired);
}

/* A NIC without layer L2 redirects, which is a problem and no reason to keep
 * the earlier generation. */
static void
test_without_acl(void **state OVS_UNUSED)
{
    static const struct dp_config config = { "reconcile-acl", 16 };
    struct dp_class class = datapath_fake_class;
    struct reconcile *r;
    struct values values;
    struct dp *dp;

    class.attach_nic = attach_plain;
    class.commit = count_commit;
    values_init_cloud(&values);
    values.settings.acl = DP_ACL_COUNT;
    assert_int_equal(class.open(&config, &dp), 0);
    r = reconcile_create(&class, dp);
    run(r, &values, 1);
    assert_int_equal(n_commits, 1);
    class.attach_nic = datapath_fake_class.attach_nic;
    run(r, &values, 0);
    reconcile_destroy(r);
    class.close(dp, true);
    values_destroy(&values);
}

/* Attaches without layer L3. */
static int
attach_indirect(struct dp *dp, const struct dp_nic *nic)
{
    struct dp_nic indirect = *nic;

    indirect.direct = DP_HOOK_NONE;
    return datapath_fake_class.attach_nic(dp, &indirect);
}

/* The same of layer L3, if it is wanted. */
static void
test_without_direct(void **state OVS_UNUSED)
{
    static const struct dp_config config = { "reconcile-acl", 16 };
    struct dp_class class = datapath_fake_class;
    struct reconcile *r;
    struct values values;
    struct dp *dp;

    class.attach_nic = attach_indirect;
    values_init_cloud(&values);
    assert_int_equal(class.open(&config, &dp), 0);
    r = reconcile_create(&class, dp);
    run(r, &values, 0);
    values.settings.direct = true;
    run(r, &values, 1);
    class.attach_nic = datapath_fake_class.attach_nic;
    run(r, &values, 0);
    reconcile_destroy(r);
    class.close(dp, true);
    values_destroy(&values);
}

/* How often a driver was asked. */
static int n_asked;

/* Refuses native mode. */
static int
refuse_native(struct dp *dp, const struct dp_nic *nic)
{
    n_asked++;
    return (nic->mode == DP_NATIVE ? EOPNOTSUPP
            : datapath_fake_class.attach_nic(dp, nic));
}

/* A switched NIC whose driver refuses is left alone, until somebody asks. */
static void
test_switched_refused(void **state OVS_UNUSED)
{
    static const struct dp_config config = { "reconcile-acl", 16 };
    struct dp_class class = datapath_fake_class;
    struct reconcile *r;
    struct values values;
    struct dp *dp;

    class.attach_nic = refuse_native;
    values_init_cloud(&values);
    values.settings.acl = DP_ACL_COUNT;
    values_add_port(&values, "br-ex", "eth1", "", NULL);
    assert_int_equal(class.open(&config, &dp), 0);
    r = reconcile_create(&class, dp);
    for (int i = 0; i < 4; i++) {
        struct desired *desired;

        sset_destroy(&values.native_failed);
        sset_clone(&values.native_failed, reconcile_native_failed(r));
        desired = values_derive(&values);
        assert_int_equal(reconcile_run(r, desired, 1000), i == 0);
        assert_int_equal(reconcile_problems(r)->n, i == 0);
        assert_int_equal(n_asked, 1);
        desired_destroy(desired);
    }
    assert_int_equal(reconcile_n_current(r), 0);
    reconcile_forget_failures(r);
    assert_true(sset_is_empty(reconcile_native_failed(r)));
    reconcile_destroy(r);
    class.close(dp, true);
    values_destroy(&values);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_without_acl),
        cmocka_unit_test(test_without_direct),
        cmocka_unit_test(test_switched_refused),
    };

    return cmocka_run_group_tests_name("reconcile-acl", tests, NULL, NULL);
}
