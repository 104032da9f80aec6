/* SPDX-License-Identifier: Apache-2.0 */
/* What somebody broke once, as far as values alone show it.
 * tests/system/test-bad-days.sh has what takes a node. */
#include <config.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "plugin/desired.h"
#include "tests/plugin/values.h"
#include "util.h"

/* Checks that 'values' gives the 'interfaces'. */
static void
check(const struct values *values, const char *interfaces)
{
    struct desired *desired = values_derive(values);
    char *text = values_dump_interfaces(desired);

    assert_string_equal(text, interfaces);
    free(text);
    desired_destroy(desired);
}

/* A managed port that is named as a NIC would redirect into itself. */
static void
test_managed_end(void **state)
{
    struct values *values = *state;

    values_set(values, "ovn-xdp-bridge-port", "veth");
    values_set(values, "ovn-xdp-interfaces", "eth1,xdpi-br-ex,xdpo-br-ex");
    check(values, "eth1 routed attach native\n"
                  "xdpi-br-ex routed waiting no-device\n"
                  "xdpo-br-ex routed waiting no-device\n");
    values_add_managed_port(values, "br-ex");
    check(values, "eth1 routed attach native\n"
                  "xdpi-br-ex switched waiting switched\n"
                  "xdpo-br-ex routed refused managed-port\n");
}

/* Where the managed port was demanded and cannot be made, generic mode would
 * not help, and a change of mode loses packets. */
static void
test_port_demanded(void **state)
{
    struct values *values = *state;

    values_set(values, "ovn-xdp-bridge-port", "veth");
    check(values, "eth1 routed attach native\n");
    sset_add(&values->port_failed, "br-ex");
    check(values, "eth1 routed attach native\n");
}

/* Runs the tests. */
int
main(void)
{
#define TEST(NAME)                                                      \
    cmocka_unit_test_setup_teardown(NAME, values_setup, values_teardown)
    static const struct CMUnitTest tests[] = {
        TEST(test_managed_end),
        TEST(test_port_demanded),
    };
#undef TEST

    return cmocka_run_group_tests_name("regressions", tests, NULL, NULL);
}
