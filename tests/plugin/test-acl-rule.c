/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of plugin/acl-rule.c. */

#include <config.h>

#include "plugin/acl-rule.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "util.h"

/* A cube that matches all. */
static void
test_any(void **state OVS_UNUSED)
{
    struct acl_cube cube;

    acl_cube_init_any(&cube);
    for (int protocol = 0; protocol < 256; protocol++) {
        assert_true(acl_cube_has_protocol(&cube, protocol));
    }
    for (int ip6 = 0; ip6 < 2; ip6++) {
        struct acl_rule rule = { .cubes = &cube, .n_cubes = 1 };
        struct acl_packet packet = { .ip6 = ip6, .protocol = IPPROTO_TCP,
                                     .src_port = 65535, .dst_port = 0 };

        assert_true(acl_rule_matches(&rule, &packet, NULL, NULL));
    }
    acl_cube_destroy(&cube);
}

/* Bits of protocols. */
static void
test_protocols(void **state OVS_UNUSED)
{
    struct acl_cube cube;

    acl_cube_init_any(&cube);
    memset(cube.protocols, 0, sizeof cube.protocols);
    cube.protocols[IPPROTO_SCTP / 64] |= UINT64_C(1) << (IPPROTO_SCTP % 64);
    for (int protocol = 0; protocol < 256; protocol++) {
        assert_int_equal(acl_cube_has_protocol(&cube, protocol),
                         protocol == IPPROTO_SCTP);
    }
    acl_cube_destroy(&cube);
}

/* Knows an atom that is the text 'aux'. */
static bool
is_atom(const char *atom, const void *aux)
{
    return !strcmp(atom, aux);
}

/* Ranges, families and sources; any cube of a rule is enough. */
static void
test_matches(void **state OVS_UNUSED)
{
    struct acl_cube cubes[2];
    struct acl_rule rule = { .cubes = cubes, .n_cubes = 2 };
    struct acl_packet packet = { .protocol = IPPROTO_UDP, .src_port = 9,
                                 .dst_port = 53 };

    for (size_t i = 0; i < ARRAY_SIZE(cubes); i++) {
        acl_cube_init_any(&cubes[i]);
    }
    cubes[0].ip6 = false;
    cubes[0].dst_port = (struct acl_range) { 50, 53 };
    cubes[0].source.any = false;
    svec_add(&cubes[0].source.atoms, "$a");
    svec_add(&cubes[0].source.atoms, "$b");
    cubes[1].ip4 = false;
    cubes[1].icmp_type = (struct acl_range) { 128, 128 };
    cubes[1].src_port = (struct acl_range) { 9, 9 };

    assert_true(acl_rule_matches(&rule, &packet, is_atom, "$b"));
    assert_false(acl_rule_matches(&rule, &packet, is_atom, "$c"));
    cubes[0].source.negated = true;
    assert_false(acl_rule_matches(&rule, &packet, is_atom, "$b"));
    assert_true(acl_rule_matches(&rule, &packet, is_atom, "$c"));
    packet.dst_port = 49;
    assert_false(acl_rule_matches(&rule, &packet, is_atom, "$c"));
    packet.dst_port = 54;
    assert_false(acl_rule_matches(&rule, &packet, is_atom, "$c"));

    packet.ip6 = true;
    assert_true(acl_rule_matches(&rule, &packet, is_atom, "$c"));
    packet.src_port = 8;
    assert_false(acl_rule_matches(&rule, &packet, is_atom, "$c"));
    packet = (struct acl_packet) { .ip6 = true, .icmp_type = 128,
                                   .protocol = IPPROTO_ICMPV6 };
    assert_true(acl_rule_matches(&rule, &packet, is_atom, "$c"));
    packet.icmp_type = 129;
    assert_false(acl_rule_matches(&rule, &packet, is_atom, "$c"));
    packet.protocol = IPPROTO_ICMP;
    assert_true(acl_rule_matches(&rule, &packet, is_atom, "$c"));

    for (size_t i = 0; i < ARRAY_SIZE(cubes); i++) {
        acl_cube_destroy(&cubes[i]);
    }
}

/* Rules in the order in which they decide. */
static void
test_order(void **state OVS_UNUSED)
{
    static struct acl_rule rules[] = {
        { .priority = 5, .action = ACL_DROP, .match = "c" },
        { .priority = 4, .action = ACL_ALLOW_RELATED, .match = "b" },
        { .priority = 4, .action = ACL_ALLOW, .match = "c" },
        { .priority = 4, .action = ACL_DROP, .flags = ACL_LOGGED,
          .match = "c" },
        { .priority = 4, .action = ACL_PASS, .match = "c" },
        { .priority = 4, .action = ACL_DROP, .match = "a" },
        { .priority = 4, .action = ACL_DROP, .match = "b" },
        { .tier = 1, .priority = 9, .action = ACL_ALLOW, .match = "a" },
    };

    for (int i = 0; i < ARRAY_SIZE(rules); i++) {
        for (int j = 0; j < ARRAY_SIZE(rules); j++) {
            int cmp = acl_rule_compare(&rules[i], &rules[j]);

            assert_true(i < j ? cmp < 0 : i > j ? cmp > 0 : !cmp);
        }
    }
}

/* Only what does nothing else than drop may be dropped here. */
static void
test_drops(void **state OVS_UNUSED)
{
    for (enum acl_action action = ACL_ALLOW; action <= ACL_PASS; action++) {
        struct acl_rule rule = { .action = action };

        assert_int_equal(acl_rule_drops(&rule), action == ACL_DROP);
        for (unsigned int flags = 1; flags < 8; flags++) {
            rule.flags = flags;
            assert_false(acl_rule_drops(&rule));
        }
        rule.flags = 0;
        rule.tier = 1;
        assert_false(acl_rule_drops(&rule));
        assert_true(strlen(acl_action_to_string(action)) > 3);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any),
        cmocka_unit_test(test_protocols),
        cmocka_unit_test(test_matches),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_drops),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
