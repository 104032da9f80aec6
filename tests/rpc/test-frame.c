/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of rpc/frame.c: where a value ends, however the bytes arrive. */

#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "util.h"

#include "rpc/frame.h"
#include "rpc/limits.h"

/* Cuts 's' into values, given 'step' bytes at a time, and returns them
 * separated by '|'.  What ends the stream comes last: ".bad", ".large" or
 * ".deep"; ".cut" if it ends within a value. */
static char *
cut(const char *s, size_t step)
{
    static const char *const words[] = {
        [FRAME_BAD] = ".bad",
        [FRAME_TOO_LARGE] = ".large",
        [FRAME_TOO_DEEP] = ".deep",
    };
    struct ds out = DS_EMPTY_INITIALIZER;
    size_t left = strlen(s);
    struct frame frame;

    frame_init(&frame);
    for (;;) {
        enum frame_status status;
        bool end = !left;
        size_t used = 0;

        status = (end
                  ? frame_end(&frame)
                  : frame_put(&frame, s, MIN(left, step), &used));
        s += used;
        left -= used;
        if (status == FRAME_DONE) {
            ds_put_format(&out, "%s|", ds_cstr(&frame.text));
            frame_clear(&frame);
        } else if (status != FRAME_MORE) {
            ds_put_cstr(&out, end ? ".cut" : words[status]);
            break;
        } else if (end) {
            break;
        }
    }
    frame_uninit(&frame);
    ds_cstr(&out);
    return ds_steal_cstr(&out);
}

/* Checks that 's' is cut into 'expected', in one piece and byte by byte. */
static void
check_cut(const char *s, const char *expected)
{
    size_t step;

    for (step = 1; step <= strlen(s); step++) {
        char *actual = cut(s, step);

        assert_string_equal(actual, expected);
        free(actual);
    }
}

/* Values follow one another with and without space. */
static void
test_streams(void **state OVS_UNUSED)
{
    check_cut("{}", "{}|");
    check_cut("{}{}", "{}|{}|");
    check_cut(" [1, 2]\n\t{\"a\": [ ]} ", "[1, 2]|{\"a\": [ ]}|");
    check_cut("{\"a\":\"}]\"}[]", "{\"a\":\"}]\"}|[]|");
    check_cut("{\"a\":\"\\\"}\"}1", "{\"a\":\"\\\"}\"}|1|");
    check_cut("{\"a\":\"\\\\\"}[]", "{\"a\":\"\\\\\"}|[]|");
    check_cut("\xc3\xa4", ".bad");
    check_cut("\"\xc3\xa4\" \"x\"", "\"\xc3\xa4\"|\"x\"|");
}

/* Numbers and words end where something else begins. */
static void
test_scalars(void **state OVS_UNUSED)
{
    check_cut("1", "1|");
    check_cut("1 2", "1|2|");
    check_cut("-1.5e3{}", "-1.5e3|{}|");
    check_cut("true null", "true|null|");
    check_cut("1\"a\"", "1|\"a\"|");
    check_cut("\"a\"1", "\"a\"|1|");
}

/* What is not JSON is found out at once. */
static void
test_bad(void **state OVS_UNUSED)
{
    check_cut("]1", ".bad");
    check_cut("{}}1", "{}|.bad");
    check_cut("{'a':1}", ".bad");
    check_cut("{\"a\":NaN}", ".bad");
    check_cut("[/* */]", ".bad");
    check_cut("[\"a\nb\"]", ".bad");
    check_cut("{\"a\":", ".cut");
    check_cut("\"a", ".cut");
}

/* A null byte is neither the end of a value nor part of one. */
static void
test_null_byte(void **state OVS_UNUSED)
{
    struct frame frame;
    size_t used;

    frame_init(&frame);
    assert_int_equal(frame_put(&frame, "{\0}", 3, &used), FRAME_BAD);
    assert_int_equal(used, 2);
    frame_clear(&frame);
    assert_int_equal(frame_put(&frame, "[\"\0\"]", 5, &used), FRAME_BAD);
    assert_int_equal(used, 3);
    frame_uninit(&frame);
}

/* Returns 'n' opening brackets, then 'inner', then 'n' closing ones. */
static char *
nest(size_t n, const char *inner)
{
    struct ds ds = DS_EMPTY_INITIALIZER;

    ds_put_char_multiple(&ds, '[', n);
    ds_put_cstr(&ds, inner);
    ds_put_char_multiple(&ds, ']', n);
    return ds_steal_cstr(&ds);
}

/* The limit on depth is exact, and brackets in strings do not count. */
static void
test_depth(void **state OVS_UNUSED)
{
    char *deepest = nest(RPC_MAX_DEPTH, "\"[[{{\"");
    char *too_deep = nest(RPC_MAX_DEPTH + 1, "");
    char *expected = xasprintf("%s|", deepest);

    check_cut(deepest, expected);
    check_cut(too_deep, ".deep");
    free(deepest);
    free(too_deep);
    free(expected);
}

/* The limit on length is exact, and space before a value does not count. */
static void
test_length(void **state OVS_UNUSED)
{
    char *text = xmalloc(RPC_MAX_REQUEST + 8);
    struct frame frame;
    size_t used;

    frame_init(&frame);
    memset(text, 'x', RPC_MAX_REQUEST + 8);
    text[0] = text[1] = ' ';
    text[2] = text[RPC_MAX_REQUEST + 1] = '"';
    assert_int_equal(frame_put(&frame, text, RPC_MAX_REQUEST + 8, &used),
                     FRAME_DONE);
    assert_int_equal(used, RPC_MAX_REQUEST + 2);
    assert_int_equal(frame.text.length, RPC_MAX_REQUEST);
    frame_clear(&frame);

    text[RPC_MAX_REQUEST + 1] = 'x';
    text[RPC_MAX_REQUEST + 2] = '"';
    assert_int_equal(frame_put(&frame, text, RPC_MAX_REQUEST + 8, &used),
                     FRAME_TOO_LARGE);
    frame_uninit(&frame);
    free(text);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_streams),
        cmocka_unit_test(test_scalars),
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_null_byte),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_length),
    };

    return cmocka_run_group_tests_name("frame", tests, NULL, NULL);
}
