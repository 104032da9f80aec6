/* SPDX-License-Identifier: Apache-2.0 */
/* The far side of layer L3: packets of other networks, which have an address
 * of a VM by chance or on purpose, are no matter of its flows. */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <bpf/bpf.h>
#include <cmocka.h>

#include "tests/bpf/bed.h"
#include "tests/bpf/flow-bed.h"

/* Asserts that the far side takes no notice of 'f' at 'program', where it
 * belongs to another network than that of 'side'. */
static void
check_foreign(const struct flow_side *side, enum flow_program program,
              const struct flow_frame *f)
{
    struct flow_frame end = *f, near = flow_frame_of(side, f->proto);
    struct ox_flow flow;

    for (int n = 0; n < 3; n++) {
        flow_passes(program, f, FLOW_UNCOUNTED);
    }
    end.flags = RST;
    flow_passes(program, &end, FLOW_UNCOUNTED);
    assert_false(flow_find(side->vm, &near, side->out, &flow));
}

/* What leaves with another tag, or by a NIC of another bridge or of none, is
 * somebody else's: it makes no flow, and changes and ends none. */
static void
test_foreign(void **state)
{
    static const uint16_t tags[] = { FLOW_VLAN, 200, 0 };

    (void) state;
    for (size_t i = 0; i < N_FLOW_VMS; i++) {
        const struct flow_side side = { flow_vms[i], true };
        bool switched = flow_vms[i]->bridge;
        struct flow_frame f = flow_frame_of(&side, TCP), g;
        struct ox_flow before, after;

        flow_begin(NULL);
        flow_arrive(&side, &f);
        g = flow_beyond(side.vm, &f);
        check_foreign(&side, switched ? FLOW_NIC_FAR : FLOW_SWITCHED_FAR, &g);
        for (size_t n = 0; switched && n < 3; n++) {
            g.tci = tags[n];
            if (g.tci != side.vm->vlan) {
                check_foreign(&side, FLOW_SWITCHED_FAR, &g);
            }
        }
        before = flow_used(side.vm, &f, true);
        flow_put(side.vm, &f, true, &before);
        g.tci = switched ? 200 : 0;
        g.flags = RST;
        flow_passes(FLOW_SWITCHED_FAR, &g, FLOW_UNCOUNTED);
        assert_true(flow_find(side.vm, &f, true, &after));
        assert_memory_equal(&after, &before, sizeof after);
    }
}

/* A NIC whose row is that of another one by now is of no bridge. */
static void
test_other_row(void **state)
{
    const struct flow_side side = { &flow_tagged[0], true };
    struct flow_frame f = flow_frame_of(&side, UDP), g;

    (void) state;
    flow_arrive(&side, &f);
    g = flow_beyond(side.vm, &f);
    flow_set_row(FLOW_SWITCHED_FAR, flow_nic + 1);
    flow_passes(FLOW_SWITCHED_FAR, &g, FLOW_UNCOUNTED);
    flow_set_row(FLOW_SWITCHED_FAR, flow_nic);
    flow_passes(FLOW_SWITCHED_FAR, &g, OX_R_FLOW_LEARNED);
}

int
main(void)
{
#define TEST(NAME) cmocka_unit_test_setup(NAME, flow_begin)
    static const struct CMUnitTest tests[] = {
        TEST(test_foreign),
        TEST(test_other_row),
    };

    bed_enter();
    return cmocka_run_group_tests_name("flow-foreign", tests, flow_set_up,
                                       flow_tear_down);
}
