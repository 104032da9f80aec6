/* SPDX-License-Identifier: Apache-2.0 */
/* What the datapath held before this daemon, and what that says. */
#include <config.h>

#include "plugin/early-drop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "plugin/desired.h"
#include "plugin/reason.h"
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

/* A VM is here when traffic to it belongs into the datapath, and no other
 * chassis has its port, too; what rules say of it does not matter. */
static void
test_is_here(void **state OVS_UNUSED)
{
    static const enum reason elsewhere[] = {
        REASON_ACTIVATION_PENDING, REASON_PORT_DOWN,
    };
    struct desired_endpoint ep = { .reason = REASON_NONE };

    assert_true(early_drop_is_here(&ep, REASON_NONE));
    assert_true(early_drop_is_here(&ep, REASON_ACL_MATCH));
    assert_false(early_drop_is_here(&ep, REASON_ACL_PORT));
    for (size_t i = 0; i < ARRAY_SIZE(elsewhere); i++) {
        ep.reason = elsewhere[i];
        assert_false(early_drop_is_here(&ep, REASON_NONE));
    }
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_is_known),
        cmocka_unit_test(test_is_here),
    };

    return cmocka_run_group_tests_name("early-drop", tests, NULL, NULL);
}
