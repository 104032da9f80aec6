/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of plugin/acl-text.c: rules as people read them. */

#include <config.h>

#include "plugin/acl-text.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "plugin/acl-rule.h"
#include "util.h"

/* Makes 'cube' one of 'protocol' from 'atom', NULL for any source, to port or
 * of ICMP type 'lo' to 'hi'; -1 for any. */
static void
make_cube(struct acl_cube *cube, int protocol, const char *atom, int lo,
          int hi)
{
    acl_cube_init_any(cube);
    if (protocol >= 0) {
        memset(cube->protocols, 0, sizeof cube->protocols);
        cube->protocols[protocol / 64] = UINT64_C(1) << protocol % 64;
    }
    if (atom) {
        cube->source.any = false;
        svec_add(&cube->source.atoms, atom);
        cube->ip6 = strchr(atom, ':') != NULL;
        cube->ip4 = !cube->ip6;
    }
    if (lo >= 0) {
        struct acl_range range = { lo, hi };

        if (protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6) {
            cube->icmp_type = range;
        } else {
            cube->dst_port = range;
        }
    }
}

/* Checks that the rule of the 'n' 'cubes', which it frees, is 'expected':
 * protocol, source, ports, ICMP, separated by spaces, "-" for nothing, and
 * whether that says all. */
static void
check_text(struct acl_cube *cubes, size_t n, const char *expected, bool exact)
{
    struct acl_rule rule = { .cubes = cubes, .n_cubes = n };
    struct acl_text text;
    char *actual;

    acl_text_init(&text, &rule);
    actual = xasprintf("%s %s %s %s", text.protocol, text.source,
                       text.ports[0] ? text.ports : "-",
                       text.icmp[0] ? text.icmp : "-");
    assert_string_equal(actual, expected);
    assert_int_equal(text.exact, exact);
    free(actual);
    acl_text_destroy(&text);
    for (size_t i = 0; i < n; i++) {
        acl_cube_destroy(&cubes[i]);
    }
}

/* Rules of one cube, as most are. */
static void
test_one(void **state OVS_UNUSED)
{
    static const struct {
        int protocol;
        const char *source;
        int lo;
        int hi;
        const char *expected;
    } cases[] = {
        { -1, NULL, -1, -1, "any any - -" },
        { IPPROTO_TCP, "192.0.2.0/24", 22, 22, "tcp 192.0.2.0/24 22 -" },
        { IPPROTO_TCP, NULL, -1, -1, "tcp any any -" },
        { IPPROTO_TCP, NULL, 0, 65535, "tcp any any -" },
        { IPPROTO_UDP, "192.0.2.1/32", 0, 7, "udp 192.0.2.1 0-7 -" },
        { IPPROTO_SCTP, "2001:db8::1/128", 1, 65535,
          "sctp 2001:db8::1 1-65535 -" },
        { IPPROTO_ICMP, "$as", -1, -1, "icmp4 $as - any" },
        { IPPROTO_ICMPV6, "2001:db8::/32", 128, 129,
          "icmp6 2001:db8::/32 - 128-129" },
        { 47, "10.0.0.0/8", -1, -1, "47 10.0.0.0/8 - -" },
        { -1, NULL, 5, 5, "any any 5 -" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct acl_cube cube;

        make_cube(&cube, cases[i].protocol, cases[i].source, cases[i].lo,
                  cases[i].hi);
        check_text(&cube, 1, cases[i].expected, true);
    }
}

/* A source that says only the family, or is none; negations; types with a
 * code; what has no word. */
static void
test_special(void **state OVS_UNUSED)
{
    struct acl_cube cube;

    make_cube(&cube, -1, NULL, -1, -1);
    cube.ip6 = false;
    check_text(&cube, 1, "any 0.0.0.0/0 - -", true);
    make_cube(&cube, -1, NULL, -1, -1);
    cube.ip4 = false;
    check_text(&cube, 1, "any ::/0 - -", true);

    make_cube(&cube, IPPROTO_TCP, "$as", -1, -1);
    cube.source.negated = true;
    check_text(&cube, 1, "tcp !$as any -", true);
    make_cube(&cube, IPPROTO_TCP, "$as", -1, -1);
    svec_add(&cube.source.atoms, "192.0.2.1/32");
    check_text(&cube, 1, "tcp $as,192.0.2.1 any -", true);
    make_cube(&cube, IPPROTO_TCP, "$as", -1, -1);
    svec_add(&cube.source.atoms, "192.0.2.1/32");
    cube.source.negated = true;
    check_text(&cube, 1, "tcp !{$as,192.0.2.1} any -", true);

    make_cube(&cube, -1, NULL, -1, -1);
    cube.protocols[0] &= ~(UINT64_C(1) << IPPROTO_TCP);
    check_text(&cube, 1, "!tcp any - -", true);
    make_cube(&cube, -1, NULL, -1, -1);
    cube.protocols[0] &= ~(UINT64_C(1) << IPPROTO_TCP);
    cube.protocols[2] &= ~(UINT64_C(1) << (IPPROTO_SCTP - 128));
    check_text(&cube, 1, "!{tcp,sctp} any - -", true);
    make_cube(&cube, IPPROTO_TCP, NULL, 80, 80);
    cube.protocols[0] |= UINT64_C(1) << IPPROTO_UDP;
    check_text(&cube, 1, "tcp,udp any 80 -", true);
    make_cube(&cube, -1, NULL, -1, -1);
    cube.protocols[0] = 0;
    check_text(&cube, 1, "match any - -", false);

    make_cube(&cube, IPPROTO_ICMP, NULL, 3, 3);
    cube.icmp_code = (struct acl_range) { 4, 4 };
    check_text(&cube, 1, "icmp4 any - 3/4", true);
    make_cube(&cube, IPPROTO_ICMP, NULL, -1, -1);
    cube.icmp_code = (struct acl_range) { 0, 1 };
    check_text(&cube, 1, "icmp4 any - any/0-1", true);

    make_cube(&cube, IPPROTO_TCP, NULL, 22, 22);
    cube.src_port = (struct acl_range) { 1024, 65535 };
    check_text(&cube, 1, "tcp any match -", false);
}

/* Cubes that are a product of lists are shown as that, others are not. */
static void
test_many(void **state OVS_UNUSED)
{
    struct acl_cube cubes[4];

    make_cube(&cubes[0], IPPROTO_TCP, NULL, 443, 443);
    make_cube(&cubes[1], IPPROTO_TCP, NULL, 80, 81);
    make_cube(&cubes[2], IPPROTO_TCP, NULL, 443, 443);
    check_text(cubes, 3, "tcp any 443,80-81 -", true);

    make_cube(&cubes[0], IPPROTO_TCP, NULL, 53, 53);
    make_cube(&cubes[1], IPPROTO_UDP, NULL, 53, 53);
    check_text(cubes, 2, "tcp,udp any 53 -", true);

    make_cube(&cubes[0], IPPROTO_TCP, "10.0.0.0/8", 1, 1);
    make_cube(&cubes[1], IPPROTO_UDP, "10.0.0.0/8", 1, 1);
    make_cube(&cubes[2], IPPROTO_TCP, "10.0.0.0/8", 2, 2);
    make_cube(&cubes[3], IPPROTO_UDP, "10.0.0.0/8", 2, 2);
    check_text(cubes, 4, "tcp,udp 10.0.0.0/8 1,2 -", true);

    make_cube(&cubes[0], IPPROTO_TCP, "10.0.0.0/8", 1, 1);
    make_cube(&cubes[1], IPPROTO_UDP, "10.0.0.0/8", 1, 1);
    make_cube(&cubes[2], IPPROTO_TCP, "10.0.0.0/8", 2, 2);
    check_text(cubes, 3, "match 10.0.0.0/8 match -", false);

    make_cube(&cubes[0], IPPROTO_TCP, NULL, 22, 22);
    make_cube(&cubes[1], IPPROTO_ICMP, NULL, -1, -1);
    check_text(cubes, 2, "match any match match", false);

    /* "icmp" of a match. */
    make_cube(&cubes[0], IPPROTO_ICMP, NULL, -1, -1);
    cubes[0].ip6 = false;
    make_cube(&cubes[1], IPPROTO_ICMPV6, NULL, -1, -1);
    cubes[1].ip4 = false;
    check_text(cubes, 2, "icmp4,icmp6 any - any", true);

    make_cube(&cubes[0], IPPROTO_TCP, NULL, 22, 22);
    cubes[0].ip6 = false;
    make_cube(&cubes[1], IPPROTO_TCP, NULL, 22, 22);
    cubes[1].ip4 = false;
    check_text(cubes, 2, "tcp any 22 -", true);
}

/* Runs the tests. */
int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one),
        cmocka_unit_test(test_special),
        cmocka_unit_test(test_many),
    };

    return cmocka_run_group_tests_name("acl-text", tests, NULL, NULL);
}
