/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of rpc/grid.c. */

#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "openvswitch/dynamic-string.h"
#include "util.h"

#include "rpc/grid.h"

/* Alignment, empty cells, characters of several bytes and of none. */
static void
test_format(void **state OVS_UNUSED)
{
    struct ds out = DS_EMPTY_INITIALIZER;
    struct grid grid;

    grid_init(&grid);
    grid_add_column(&grid, "Name");
    grid_add_number_column(&grid, "N");
    grid_add_column(&grid, "Last");
    assert_true(grid_is_empty(&grid));
    grid_put(&grid, "\xc3\xa4");
    grid_put(&grid, "100");
    grid_put(&grid, "");
    grid_put(&grid, "longer");
    grid_put(&grid, "7");
    grid_put(&grid, "a\033[1m\nb");
    assert_false(grid_is_empty(&grid));
    grid_format(&grid, &out);
    assert_string_equal(ds_cstr(&out),
                        "Name     N Last\n"
                        "------ --- -------\n"
                        "\xc3\xa4      100 -\n"
                        "longer   7 a?[1m?b\n");
    ds_destroy(&out);
    grid_uninit(&grid);
}

/* Without rows there are only headings. */
static void
test_empty(void **state OVS_UNUSED)
{
    struct ds out = DS_EMPTY_INITIALIZER;
    struct grid grid;

    grid_init(&grid);
    grid_add_column(&grid, "A");
    grid_add_column(&grid, "Be");
    grid_format(&grid, &out);
    assert_string_equal(ds_cstr(&out), "A Be\n- --\n");
    ds_destroy(&out);
    grid_uninit(&grid);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_format),
        cmocka_unit_test(test_empty),
    };

    return cmocka_run_group_tests_name("grid", tests, NULL, NULL);
}
