/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of rpc/utf8.c with the sequences that decoders get wrong. */

#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "openvswitch/dynamic-string.h"
#include "util.h"

#include "rpc/utf8.h"

/* Replaces a byte that is no UTF-8. */
#define BAD "\xef\xbf\xbd"

/* A string of bytes and what utf8_put_valid() makes of it. */
struct utf8_case {
    const char *bytes;          /* Input. */
    const char *valid;          /* Output; NULL: the input, which is valid. */
};

static const struct utf8_case cases[] = {
    { "", NULL },
    { "plain", NULL },
    { "\x7f", NULL },
    { "\xc2\x80 \xdf\xbf", NULL },
    { "\xe0\xa0\x80 \xed\x9f\xbf \xee\x80\x80 \xef\xbf\xbf", NULL },
    { "\xf0\x90\x80\x80 \xf4\x8f\xbf\xbf", NULL },
    { "a\x80z", "a" BAD "z" },                  /* Continuation alone. */
    { "\xc0\x80", BAD BAD },                    /* Over-long null. */
    { "\xc1\xbf", BAD BAD },                    /* Over-long DEL. */
    { "\xe0\x9f\xbf", BAD BAD BAD },            /* Over-long, 3 bytes. */
    { "\xf0\x8f\xbf\xbf", BAD BAD BAD BAD },    /* Over-long, 4 bytes. */
    { "\xed\xa0\x80", BAD BAD BAD },            /* Surrogate. */
    { "\xf4\x90\x80\x80", BAD BAD BAD BAD },    /* Above U+10FFFF. */
    { "\xf5", BAD },
    { "\xff", BAD },
    { "a\xc3", "a" BAD },                       /* Cut off. */
    { "\xe2\x82z", BAD BAD "z" },
    { "\xc3\xa4\xff\xc3\xb6", "\xc3\xa4" BAD "\xc3\xb6" },
};

/* Good input is recognised and kept, bad input is recognised and replaced. */
static void
test_cases(void **state OVS_UNUSED)
{
    size_t i;

    for (i = 0; i < ARRAY_SIZE(cases); i++) {
        const struct utf8_case *c = &cases[i];
        struct ds out = DS_EMPTY_INITIALIZER;

        assert_int_equal(utf8_is_valid(c->bytes, strlen(c->bytes)),
                         !c->valid);
        utf8_put_valid(&out, c->bytes);
        assert_string_equal(ds_cstr(&out), c->valid ? c->valid : c->bytes);
        assert_true(utf8_is_valid(out.string, out.length));
        ds_destroy(&out);
    }
}

/* A character is not looked for beyond the given length. */
static void
test_length(void **state OVS_UNUSED)
{
    assert_true(utf8_is_valid("a\xc3\xa4", 3));
    assert_false(utf8_is_valid("a\xc3\xa4", 2));
    assert_true(utf8_is_valid("a\xc3\xa4", 1));
    assert_true(utf8_is_valid("", 0));
}

/* Width is in characters. */
static void
test_width(void **state OVS_UNUSED)
{
    assert_int_equal(utf8_width(""), 0);
    assert_int_equal(utf8_width("abc"), 3);
    assert_int_equal(utf8_width("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"), 3);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_length),
        cmocka_unit_test(test_width),
    };

    return cmocka_run_group_tests_name("utf8", tests, NULL, NULL);
}
