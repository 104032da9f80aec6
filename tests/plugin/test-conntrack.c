/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of plugin/conntrack.c. */
#include <config.h>

#include "plugin/conntrack.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "util.h"

/* Has the folder of this test say 'seconds' for 'name', or nothing of it if
 * that is negative. */
static void
say(const char *name, long int seconds)
{
    char *path = xasprintf("%s/%s", getenv("OVN_XDP_TMP"), name);

    unlink(path);
    if (seconds >= 0) {
        FILE *stream = fopen(path, "w");

        assert_non_null(stream);
        fprintf(stream, "%ld\n", seconds);
        fclose(stream);
    }
    free(path);
}

/* Returns the name of what is too long, or "". */
static const char *
too_long(void)
{
    const char *name = "";

    return (conntrack_times_fit(getenv("OVN_XDP_TMP"), &name)
            ? "" : name);
}

/* The kernel's defaults, of today and of before 5.8, fit; longer times do
 * not. */
static void
test_times(void **state OVS_UNUSED)
{
    static const struct {
        const char *name;       /* File. */
        long int usual;         /* The longest default of any kernel. */
        long int more;          /* Too long. */
    } times[] = {
        { "nf_conntrack_helper", 0, 1 },
        { "nf_conntrack_icmp_timeout", 30, 120 },
        { "nf_conntrack_icmpv6_timeout", 30, 120 },
        { "nf_conntrack_udp_timeout", 30, 300 },
        { "nf_conntrack_udp_timeout_stream", 180, 240 },
        { "nf_conntrack_tcp_timeout_established", 432000, 433000 },
        { "nf_conntrack_tcp_timeout_syn_sent", 120, 180 },
        { "nf_conntrack_tcp_timeout_syn_recv", 60, 180 },
        { "nf_conntrack_tcp_timeout_fin_wait", 120, 3600 },
        { "nf_conntrack_tcp_timeout_close_wait", 60, 3600 },
        { "nf_conntrack_tcp_timeout_last_ack", 30, 3600 },
        { "nf_conntrack_tcp_timeout_time_wait", 120, 3600 },
        { "nf_conntrack_tcp_timeout_close", 10, 3600 },
    };

    assert_string_equal(too_long(), "");
    for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
        say(times[i].name, times[i].usual);
    }
    assert_string_equal(too_long(), "");
    for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
        say(times[i].name, times[i].more);
        assert_string_equal(too_long(), times[i].name);
        say(times[i].name, -1);
        assert_string_equal(too_long(), "");
    }
}

/* What this machine has can be read. */
static void
test_here(void **state OVS_UNUSED)
{
    const char *name = "";

    if (!conntrack_times_fit(CONNTRACK_SYSCTL_DIR, &name)) {
        char *path = xasprintf("%s/%s", CONNTRACK_SYSCTL_DIR, name);

        assert_int_equal(access(path, R_OK), 0);
        free(path);
    }
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_here),
    };

    return cmocka_run_group_tests_name("conntrack", tests, NULL, NULL);
}
