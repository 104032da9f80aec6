/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of rpc/openmetrics.c: names, suffixes, numbers, escapes.  What a
 * parser says of the whole is in tests/rpc/test-metrics.sh. */

#include <config.h>

#include "rpc/openmetrics.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "openvswitch/dynamic-string.h"
#include "util.h"

/* Checks that 'm' has written 'expected', and empties it. */
static void
check_text(struct openmetrics *m, const char *expected)
{
    assert_string_equal(ds_cstr(m->out), expected);
    ds_clear(m->out);
}

/* A family is announced; its samples have the suffix of its type. */
static void
test_families(void **state OVS_UNUSED)
{
    struct ds out = DS_EMPTY_INITIALIZER;
    struct openmetrics m = { .out = &out };

    openmetrics_family(&m, "a_bytes", OPENMETRICS_COUNTER, "bytes", "Help.");
    check_text(&m, "# TYPE ovn_xdp_a_bytes counter\n"
               "# UNIT ovn_xdp_a_bytes bytes\n"
               "# HELP ovn_xdp_a_bytes Help.\n");
    openmetrics_count(&m, 7, NULL);
    check_text(&m, "ovn_xdp_a_bytes_total 7\n");

    openmetrics_family(&m, "b", OPENMETRICS_INFO, NULL, "Help.");
    check_text(&m, "# TYPE ovn_xdp_b info\n# HELP ovn_xdp_b Help.\n");
    openmetrics_count(&m, 1, "x", "y", "z", "", NULL);
    check_text(&m, "ovn_xdp_b_info{x=\"y\",z=\"\"} 1\n");

    openmetrics_family(&m, "c", OPENMETRICS_GAUGE, NULL, "Help.");
    check_text(&m, "# TYPE ovn_xdp_c gauge\n# HELP ovn_xdp_c Help.\n");
    openmetrics_end(&m);
    check_text(&m, "# EOF\n");
    ds_destroy(&out);
}

/* Numbers are what they are. */
static void
test_numbers(void **state OVS_UNUSED)
{
    struct ds out = DS_EMPTY_INITIALIZER;
    struct openmetrics m = { &out, "a", OPENMETRICS_GAUGE };

    openmetrics_count(&m, UINT64_MAX, NULL);
    check_text(&m, "ovn_xdp_a 18446744073709551615\n");
    openmetrics_count(&m, 0, NULL);
    check_text(&m, "ovn_xdp_a 0\n");
    openmetrics_seconds(&m, 1796000000.25, "x", "y", NULL);
    check_text(&m, "ovn_xdp_a{x=\"y\"} 1796000000.250\n");
    ds_destroy(&out);
}

/* Each thing is in one state. */
static void
test_states(void **state OVS_UNUSED)
{
    static const char *const states[] = { "on", "off" };
    struct ds out = DS_EMPTY_INITIALIZER;
    struct openmetrics m = { &out, "a", OPENMETRICS_STATESET };

    openmetrics_states(&m, states, 2, "off", NULL, NULL);
    check_text(&m, "ovn_xdp_a{ovn_xdp_a=\"on\"} 0\n"
               "ovn_xdp_a{ovn_xdp_a=\"off\"} 1\n");
    openmetrics_states(&m, states, 2, "on", "x", "y");
    check_text(&m, "ovn_xdp_a{x=\"y\",ovn_xdp_a=\"on\"} 1\n"
               "ovn_xdp_a{x=\"y\",ovn_xdp_a=\"off\"} 0\n");
    ds_destroy(&out);
}

/* The name of a device may be nearly any bytes. */
static void
test_escapes(void **state OVS_UNUSED)
{
    static const char *const cases[][2] = {
        { "a\"b", "a\\\"b" },
        { "a\\b", "a\\\\b" },
        { "a\nb", "a\\nb" },
        { "\\n", "\\\\n" },
        { "\"", "\\\"" },
        { "{a=\"b\"} 1", "{a=\\\"b\\\"} 1" },
        { "\xc3\xa4", "\xc3\xa4" },
        { "a\xff", "a\xef\xbf\xbd" },
    };
    struct ds out = DS_EMPTY_INITIALIZER;
    struct openmetrics m = { &out, "a", OPENMETRICS_GAUGE };
    size_t i;

    for (i = 0; i < ARRAY_SIZE(cases); i++) {
        char *expected = xasprintf("ovn_xdp_a{x=\"%s\"} 1\n", cases[i][1]);

        openmetrics_count(&m, 1, "x", cases[i][0], NULL);
        check_text(&m, expected);
        free(expected);
    }
    ds_destroy(&out);
}

/* The older format has the names of samples in its comments, and knows
 * counters and gauges only. */
static void
test_prometheus(void **state OVS_UNUSED)
{
    static const char *const states[] = { "on", "off" };
    struct ds out = DS_EMPTY_INITIALIZER;
    struct openmetrics m = { .out = &out, .prometheus = true };

    openmetrics_family(&m, "a_bytes", OPENMETRICS_COUNTER, "bytes", "Help.");
    openmetrics_count(&m, 7, NULL);
    check_text(&m, "# TYPE ovn_xdp_a_bytes_total counter\n"
               "# HELP ovn_xdp_a_bytes_total Help.\n"
               "ovn_xdp_a_bytes_total 7\n");
    openmetrics_family(&m, "b", OPENMETRICS_INFO, NULL, "Help.");
    openmetrics_count(&m, 1, "x", "y", NULL);
    check_text(&m, "# TYPE ovn_xdp_b_info gauge\n"
               "# HELP ovn_xdp_b_info Help.\n"
               "ovn_xdp_b_info{x=\"y\"} 1\n");
    openmetrics_family(&m, "c", OPENMETRICS_STATESET, NULL, "Help.");
    openmetrics_states(&m, states, 2, "off", NULL, NULL);
    check_text(&m, "# TYPE ovn_xdp_c gauge\n# HELP ovn_xdp_c Help.\n"
               "ovn_xdp_c{ovn_xdp_c=\"on\"} 0\n"
               "ovn_xdp_c{ovn_xdp_c=\"off\"} 1\n");
    openmetrics_end(&m);
    check_text(&m, "");
    ds_destroy(&out);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_families),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_states),
        cmocka_unit_test(test_escapes),
        cmocka_unit_test(test_prometheus),
    };

    return cmocka_run_group_tests_name("openmetrics", tests, NULL, NULL);
}
