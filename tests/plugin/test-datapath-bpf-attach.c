/* SPDX-License-Identifier: Apache-2.0 */
/* What plugin/datapath-bpf-attach.c attaches where layer L2 or L3 cannot be
 * had. */
#include <config.h>

#include "plugin/datapath-bpf.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "util.h"

#include "tests/plugin/dp-bpf-bed.h"

/* The back end under test. */
static const struct dp_class *const class = &datapath_bpf_class;

/* Stores what a NIC is like in 'found_'. */
static void
note_nic(const struct dp_nic_state *nic, void *found_)
{
    struct dp_nic_state *found = found_;

    *found = *nic;
}

/* Attaches to 'nic', and asserts that this gives a program with 'acl'.
 * Returns the program's id. */
static uint32_t
attach(struct dp *dp, const struct dp_nic *nic, enum dp_acl_mode acl)
{
    struct dp_nic_state found;

    assert_int_equal(class->attach_nic(dp, nic), 0);
    class->dump_nics(dp, note_nic, &found);
    assert_int_equal(found.nic.acl, acl);
    return found.program_id;
}

/* Where there can be no maps for layer L2, a NIC redirects all the same, and
 * has rules when it can. */
static void
test_no_maps(void **state OVS_UNUSED)
{
    struct dp_config config = { DP_BED_PINS, 64 };
    struct dp_nic nic = dp_bed_nic();
    struct dp *dp;

    nic.acl = DP_ACL_DROP;
    assert_int_equal(class->open(&config, &dp), 0);
    assert_int_equal(mkdir(DP_BED_PINS "/watch", 0700), 0);
    assert_int_equal(mkdir(DP_BED_PINS "/watch/opened", 0700), 0);
    attach(dp, &nic, DP_ACL_OFF);

    /* A switched one needs no program then, but its driver is fine. */
    assert_int_equal(class->detach_nic(dp, nic.name), 0);
    nic.bridge = 7;
    assert_int_equal(class->attach_nic(dp, &nic), ENOMEM);
    nic.bridge = 0;
    attach(dp, &nic, DP_ACL_OFF);
    assert_int_equal(rmdir(DP_BED_PINS "/watch/opened"), 0);
    attach(dp, &nic, DP_ACL_OFF);
    dp->opened.retry_at = 0;
    attach(dp, &nic, DP_ACL_DROP);
    class->close(dp, true);
}

/* Where the kernel does not take the program with rules, a NIC redirects all
 * the same, and nothing is replaced again and again. */
static void
test_no_program(void **state OVS_UNUSED)
{
    struct dp_config config = { DP_BED_PINS, 64 };
    struct dp_nic nic = dp_bed_nic();
    struct dp *dp;
    uint32_t id;

    nic.acl = DP_ACL_DROP;
    assert_int_equal(class->open(&config, &dp), 0);
    load_set_no_rules(true);
    id = attach(dp, &nic, DP_ACL_OFF);
    load_set_no_rules(false);
    assert_int_equal(attach(dp, &nic, DP_ACL_OFF), id);

    /* It is asked again when the settings change, for a switched NIC too. */
    nic.acl = DP_ACL_COUNT;
    attach(dp, &nic, DP_ACL_COUNT);
    load_set_no_rules(true);
    nic.acl = DP_ACL_DROP;
    attach(dp, &nic, DP_ACL_OFF);
    nic.bridge = 7;
    assert_int_equal(class->attach_nic(dp, &nic), EINVAL);
    load_set_no_rules(false);
    attach(dp, &nic, DP_ACL_DROP);
    class->close(dp, true);
}

/* Returns what is attached to the only NIC. */
static struct dp_nic_state
only_nic(struct dp *dp)
{
    struct dp_nic_state found;

    class->dump_nics(dp, note_nic, &found);
    return found;
}

/* The same for layer L3: where the kernel does not take its program, the NIC
 * has the layers below; a switched one has nothing left without layer L2. */
static void
test_no_direct(void **state OVS_UNUSED)
{
    struct dp_config config = { DP_BED_PINS, 64, DP_BED_MAX_FLOWS };
    struct dp_nic nic = dp_bed_nic();
    struct dp *dp;
    uint32_t id;

    nic.acl = DP_ACL_DROP;
    nic.direct = DP_HOOK_XDP;
    assert_int_equal(class->open(&config, &dp), 0);
    load_set_no_direct(true);
    id = attach(dp, &nic, DP_ACL_DROP);
    assert_int_equal(only_nic(dp).nic.direct, DP_HOOK_NONE);
    load_set_no_rules(true);
    nic.direct = DP_HOOK_TC;
    attach(dp, &nic, DP_ACL_OFF);
    assert_int_equal(only_nic(dp).nic.direct, DP_HOOK_NONE);
    load_set_no_rules(false);
    load_set_no_direct(false);
    nic.direct = DP_HOOK_XDP;
    attach(dp, &nic, DP_ACL_DROP);
    assert_int_equal(only_nic(dp).nic.direct, DP_HOOK_XDP);
    assert_true(only_nic(dp).program_id != id);

    load_set_no_direct(true);
    nic.bridge = 7;
    attach(dp, &nic, DP_ACL_DROP);
    assert_int_equal(only_nic(dp).nic.direct, DP_HOOK_NONE);
    nic.acl = DP_ACL_OFF;
    assert_int_equal(class->attach_nic(dp, &nic), EINVAL);
    load_set_no_direct(false);
    assert_int_equal(class->attach_nic(dp, &nic), 0);
    assert_int_equal(only_nic(dp).nic.direct, DP_HOOK_XDP);
    class->close(dp, true);
}

/* Where there can be no maps for layer L3, a NIC redirects all the same, and a
 * switched one needs no program. */
static void
test_no_direct_maps(void **state OVS_UNUSED)
{
    struct dp_config config = { DP_BED_PINS, 64, DP_BED_MAX_FLOWS };
    struct dp_nic nic = dp_bed_nic();
    struct dp *dp;

    nic.direct = DP_HOOK_XDP;
    assert_int_equal(class->open(&config, &dp), 0);
    assert_int_equal(mkdir(DP_BED_PINS "/direct", 0700), 0);
    assert_int_equal(mkdir(DP_BED_PINS "/direct/flows4", 0700), 0);
    attach(dp, &nic, DP_ACL_OFF);
    assert_int_equal(only_nic(dp).nic.direct, DP_HOOK_NONE);
    nic.bridge = 7;
    assert_int_equal(class->attach_nic(dp, &nic), ENOMEM);
    nic.bridge = 0;
    assert_int_equal(rmdir(DP_BED_PINS "/direct/flows4"), 0);
    dp->l3.retry_at = 0;
    attach(dp, &nic, DP_ACL_OFF);
    assert_int_equal(only_nic(dp).nic.direct, DP_HOOK_XDP);
    class->close(dp, true);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_no_maps, dp_bed_clean_up),
        cmocka_unit_test_teardown(test_no_program, dp_bed_clean_up),
        cmocka_unit_test_teardown(test_no_direct, dp_bed_clean_up),
        cmocka_unit_test_teardown(test_no_direct_maps, dp_bed_clean_up),
    };

    dp_bed_enter();
    return cmocka_run_group_tests_name("attach", tests, NULL, NULL);
}
