/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of plugin/problems.c. */

#include <config.h>

#include "plugin/problems.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "util.h"

/* Problems stay in order, with their text, however many they are. */
static void
test_add(void **state OVS_UNUSED)
{
    struct problems problems = PROBLEMS_INITIALIZER;

    for (int i = 0; i < 100; i++) {
        problems_add(&problems, i % 2 ? REASON_MAP_FULL : REASON_BAD_VALUE,
                     "%s %d", "number", i);
    }
    assert_int_equal(problems.n, 100);
    for (int i = 0; i < 100; i++) {
        char *text = xasprintf("number %d", i);

        assert_int_equal(problems.list[i].class,
                         i % 2 ? REASON_MAP_FULL : REASON_BAD_VALUE);
        assert_string_equal(problems.list[i].message, text);
        free(text);
    }
    problems_destroy(&problems);
    assert_int_equal(problems.n, 0);
    assert_null(problems.list);
}

/* Appending copies: the source may go. */
static void
test_append(void **state OVS_UNUSED)
{
    struct problems src = PROBLEMS_INITIALIZER;
    struct problems dst = PROBLEMS_INITIALIZER;

    problems_append(&dst, &src);
    assert_int_equal(dst.n, 0);
    problems_add(&dst, REASON_NO_BRIDGE, "first");
    problems_add(&src, REASON_NO_DEVICE, "second");
    problems_append(&dst, &src);
    problems_destroy(&src);
    assert_int_equal(dst.n, 2);
    assert_string_equal(dst.list[0].message, "first");
    assert_string_equal(dst.list[1].message, "second");
    assert_int_equal(dst.list[1].class, REASON_NO_DEVICE);
    problems_destroy(&dst);
}

/* A list that was cleared can be filled again. */
static void
test_clear(void **state OVS_UNUSED)
{
    struct problems problems = PROBLEMS_INITIALIZER;

    problems_clear(&problems);
    problems_add(&problems, REASON_NO_BRIDGE, "one");
    problems_clear(&problems);
    assert_int_equal(problems.n, 0);
    problems_add(&problems, REASON_NO_DEVICE, "two");
    assert_int_equal(problems.n, 1);
    assert_string_equal(problems.list[0].message, "two");
    problems_destroy(&problems);
    problems_destroy(NULL);
}

/* A message is one line of limited length, whatever it quotes. */
static void
test_line(void **state OVS_UNUSED)
{
    struct problems problems = PROBLEMS_INITIALIZER;
    char value[6001];

    problems_add(&problems, REASON_BAD_VALUE, "key=\"%s\": why",
                 "a\nb\x1b[2J\x7f\xc3\xa4");
    assert_string_equal(problems.list[0].message, "key=\"a\\x0ab\\x1b[2J"
                        "\\x7f\xc3\xa4\": why");

    /* Cut between characters: each has three bytes. */
    for (int shift = 0; shift < 3; shift++) {
        memset(value, 'x', sizeof value);
        for (int i = shift; i + 3 < (int) sizeof value; i += 3) {
            memcpy(value + i, "\xe2\x82\xac", 3);
        }
        value[sizeof value - 1] = '\0';
        problems_add(&problems, REASON_BAD_VALUE, "\"%s\": why", value);
        const char *message = problems.list[1].message;
        assert_true(strlen(message) < 800);
        assert_non_null(strstr(message, "\xe2\x82\xac ... \xe2\x82\xac"));
        assert_non_null(strstr(message, "\": why"));
        problems_clear(&problems);
        problems_add(&problems, REASON_BAD_VALUE, "other");
    }
    problems_destroy(&problems);
}

/* What is there is not added again, however long or odd it is. */
static void
test_add_once(void **state OVS_UNUSED)
{
    struct problems problems = PROBLEMS_INITIALIZER;
    char value[2001];

    memset(value, 'x', sizeof value);
    value[sizeof value - 1] = '\0';
    for (int i = 0; i < 2; i++) {
        problems_add_once(&problems, REASON_BAD_VALUE, "%s", "plain");
        problems_add_once(&problems, REASON_BAD_VALUE, "%s", "a\nb");
        problems_add_once(&problems, REASON_BAD_VALUE, "%s", value);
    }
    assert_int_equal(problems.n, 3);
    assert_string_equal(problems.list[1].message, "a\\x0ab");
    assert_true(strlen(problems.list[2].message) < 800);
    problems_add(&problems, REASON_BAD_VALUE, "c\td");
    problems_add_once(&problems, REASON_BAD_VALUE, "c\td");
    assert_int_equal(problems.n, 4);
    problems_add_once(&problems, REASON_NO_BRIDGE, "plain");
    assert_int_equal(problems.n, 5);
    problems_destroy(&problems);
}

/* Runs the tests. */
int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_add),
        cmocka_unit_test(test_append),
        cmocka_unit_test(test_clear),
        cmocka_unit_test(test_line),
        cmocka_unit_test(test_add_once),
    };

    return cmocka_run_group_tests_name("problems", tests, NULL, NULL);
}
