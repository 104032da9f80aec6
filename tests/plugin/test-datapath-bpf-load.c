/* SPDX-License-Identifier: Apache-2.0 */
/* Which program the kernel may have moved while it verified it. */
#include <config.h>

#include "plugin/datapath-bpf.h"

#include <linux/bpf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "util.h"

#include "bpf/hint.skel.h"
#include "bpf/ovn-xdp.skel.h"

/* Instructions in a page. */
#define PAGE_INSNS (4096 / sizeof(struct bpf_insn))

static void
test_stays(void **state OVS_UNUSED)
{
    assert_true(load_stays(100, 100 * sizeof(struct bpf_insn)));
    assert_true(load_stays(100, 99 * sizeof(struct bpf_insn)));
    assert_false(load_stays(100, 101 * sizeof(struct bpf_insn)));
    assert_false(load_stays(100, 100 * sizeof(struct bpf_insn) + 1));
    assert_false(load_stays(100, 0));
    assert_false(load_stays(0, 0));
}

/* Asserts that 'bound' is 'plain' and a page of room. */
static void
assert_has_room(const struct bpf_program *plain,
                const struct bpf_program *bound)
{
    size_t n = bpf_program__insn_cnt(plain);
    size_t n_bound = bpf_program__insn_cnt(bound);

    assert_true(n_bound >= n + PAGE_INSNS);
    assert_true(n_bound < n + 2 * PAGE_INSNS);
}

/* The programs that are bound to their device have a page of room, and only
 * those have. */
static void
test_room(void **state OVS_UNUSED)
{
    struct ovn_xdp_bpf *skel = ovn_xdp_bpf__open();
    struct hint_bpf *hint = hint_bpf__open();

    assert_true(skel && hint);
    assert_has_room(skel->progs.nic_redirect, hint->progs.nic_redirect_hint);
    assert_has_room(skel->progs.nic_redirect_timed,
                    hint->progs.nic_redirect_hint_timed);
    assert_has_room(skel->progs.nic_redirect_acl,
                    hint->progs.nic_redirect_hint_acl);
    assert_has_room(skel->progs.nic_redirect_acl_timed,
                    hint->progs.nic_redirect_hint_acl_timed);
    assert_false(hint->rodata->never);
    hint_bpf__destroy(hint);
    ovn_xdp_bpf__destroy(skel);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stays),
        cmocka_unit_test(test_room),
    };

    return cmocka_run_group_tests_name("load", tests, NULL, NULL);
}
