/* SPDX-License-Identifier: Apache-2.0 */
/* What the datapath held before this daemon, and what that says. */
#include <config.h>

#include "plugin/early-drop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "util.h"

/* An address is known by rules of before, and only if it is where it was. */
static void
test_is_known(void **state OVS_UNUSED)
{
    const struct dp_action had = { .ifindex = 3, .mtu = 1500, .acl = 9 };
    struct dp_action found = had, wanted = had;

    wanted.acl = 0;
    assert_true(early_drop_is_known(&found, &wanted, 10));
    assert_false(early_drop_is_known(&found, &wanted, 9));
    found.acl = 0;
    assert_false(early_drop_is_known(&found, &wanted, 10));
    found.acl = 9;
    wanted.dmac.ea[5] = 1;
    assert_false(early_drop_is_known(&found, &wanted, 10));
    wanted.dmac.ea[5] = 0;
    wanted.ifindex = 4;
    assert_false(early_drop_is_known(&found, &wanted, 10));
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_is_known),
    };

    return cmocka_run_group_tests_name("early-drop", tests, NULL, NULL);
}
