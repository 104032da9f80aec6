/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of plugin/problem-set.c. */

#include <config.h>

#include "plugin/problem-set.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "openvswitch/dynamic-string.h"
#include "util.h"

/* What every test works on. */
struct fixture {
    struct problem_set set;     /* Under test. */
    struct problems all;        /* What it lists. */
    struct problems fresh;      /* What it says is new. */
};

/* Prepares a struct fixture. */
static int
setup(void **state)
{
    struct fixture *f = xzalloc(sizeof *f);

    problem_set_init(&f->set);
    *state = f;
    return 0;
}

/* Frees it. */
static int
teardown(void **state)
{
    struct fixture *f = *state;

    problem_set_destroy(&f->set);
    problems_destroy(&f->all);
    problems_destroy(&f->fresh);
    free(f);
    return 0;
}

/* Adds the problem 'message' of 'class' to the set of 'f', or takes it out. */
static void
change(struct fixture *f, bool add, enum reason class, const char *message)
{
    struct problems one = PROBLEMS_INITIALIZER;

    problems_add(&one, class, "%s", message);
    if (add) {
        problem_set_add(&f->set, &one);
    } else {
        problem_set_remove(&f->set, &one);
    }
    problems_destroy(&one);
}

/* Checks that the messages of 'problems' are 'expected', each with a blank
 * behind it. */
static void
check_messages(const struct problems *problems, const char *expected)
{
    struct ds ds = DS_EMPTY_INITIALIZER;

    for (size_t i = 0; i < problems->n; i++) {
        ds_put_format(&ds, "%s ", problems->list[i].message);
    }
    assert_string_equal(ds_cstr(&ds), expected);
    ds_destroy(&ds);
}

/* Settles the set of 'f' and checks what it lists. */
static void
settle(struct fixture *f, const char *all, const char *fresh)
{
    problem_set_settle(&f->set, &f->all, &f->fresh);
    check_messages(&f->all, all);
    check_messages(&f->fresh, fresh);
}

/* Sorted by the word for the class, then by message, each once. */
static void
test_order(void **state)
{
    struct fixture *f = *state;

    settle(f, "", "");
    change(f, true, REASON_DUPLICATE_ADDRESS, "b");
    change(f, true, REASON_BAD_ADDRESS, "c");
    change(f, true, REASON_DUPLICATE_ADDRESS, "a");
    change(f, true, REASON_DUPLICATE_ADDRESS, "b");
    problem_set_settle(&f->set, &f->all, &f->fresh);
    check_messages(&f->all, "c a b ");
    assert_int_equal(f->all.list[0].class, REASON_BAD_ADDRESS);
    assert_int_equal(f->all.list[2].class, REASON_DUPLICATE_ADDRESS);
    assert_int_equal(f->fresh.n, 3);
}

/* A problem goes with the last who has it. */
static void
test_count(void **state)
{
    struct fixture *f = *state;

    change(f, true, REASON_BAD_ADDRESS, "a");
    settle(f, "a ", "a ");
    change(f, true, REASON_BAD_ADDRESS, "a");
    settle(f, "a ", "");
    change(f, false, REASON_BAD_ADDRESS, "a");
    settle(f, "a ", "");
    change(f, false, REASON_BAD_ADDRESS, "a");
    settle(f, "", "");
    change(f, true, REASON_BAD_ADDRESS, "a");
    settle(f, "a ", "a ");
}

/* What goes and comes back between two looks is no news, what comes and goes
 * was never there. */
static void
test_news(void **state)
{
    struct fixture *f = *state;

    change(f, true, REASON_BAD_ADDRESS, "a");
    settle(f, "a ", "a ");
    change(f, false, REASON_BAD_ADDRESS, "a");
    change(f, true, REASON_BAD_ADDRESS, "b");
    change(f, true, REASON_BAD_ADDRESS, "a");
    change(f, false, REASON_BAD_ADDRESS, "b");
    settle(f, "a ", "");

    /* The same words in another class are another problem. */
    change(f, true, REASON_DUPLICATE_ADDRESS, "a");
    settle(f, "a a ", "a ");
}

/* Runs the tests. */
int
main(void)
{
#define TEST(NAME)                                                      \
    cmocka_unit_test_setup_teardown(NAME, setup, teardown)
    static const struct CMUnitTest tests[] = {
        TEST(test_order),
        TEST(test_count),
        TEST(test_news),
    };
#undef TEST

    return cmocka_run_group_tests_name("problem-set", tests, NULL, NULL);
}
