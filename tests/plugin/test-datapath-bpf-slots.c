/* SPDX-License-Identifier: Apache-2.0 */
/* The pool of counters: a number is reused as late as possible. */
#include <config.h>

#include "plugin/datapath-bpf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "util.h"

/* A fresh pool gives each number once, then none. */
static void
test_all_once(void **state OVS_UNUSED)
{
    struct slots s;

    slots_init(&s, 5);
    slots_seal(&s);
    for (uint32_t i = 0; i < 5; i++) {
        assert_int_equal(slots_get(&s), i);
    }
    assert_int_equal(slots_get(&s), SLOT_NONE);
    slots_put(&s, 3);
    assert_int_equal(slots_get(&s), 3);
    assert_int_equal(slots_get(&s), SLOT_NONE);
    slots_destroy(&s);
}

/* A number that was given back comes after all that were free before. */
static void
test_late_reuse(void **state OVS_UNUSED)
{
    struct slots s;

    slots_init(&s, 4);
    slots_seal(&s);
    for (uint32_t i = 0; i < 100; i++) {
        uint32_t slot = slots_get(&s);

        assert_int_equal(slot, i % 4);
        slots_put(&s, slot);
    }
    slots_put(&s, SLOT_NONE);
    assert_int_equal(slots_get(&s), 0);
    slots_destroy(&s);
}

/* Numbers of adopted endpoints are not given to others. */
static void
test_reserve(void **state OVS_UNUSED)
{
    struct slots s;

    slots_init(&s, 4);
    assert_true(slots_reserve(&s, 1));
    assert_false(slots_reserve(&s, 1));
    assert_false(slots_reserve(&s, 4));
    assert_false(slots_reserve(&s, SLOT_NONE));
    slots_seal(&s);
    assert_int_equal(slots_get(&s), 0);
    assert_int_equal(slots_get(&s), 2);
    assert_int_equal(slots_get(&s), 3);
    assert_int_equal(slots_get(&s), SLOT_NONE);
    slots_put(&s, 1);
    assert_int_equal(slots_get(&s), 1);
    slots_destroy(&s);
    slots_destroy(&s);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_once),
        cmocka_unit_test(test_late_reuse),
        cmocka_unit_test(test_reserve),
    };

    return cmocka_run_group_tests_name("slots", tests, NULL, NULL);
}
