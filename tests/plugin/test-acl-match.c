/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of plugin/acl-match.c and what it is made of: every form of a
 * match. */

#include <config.h>

#include "plugin/acl-match.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "openvswitch/dynamic-string.h"
#include "random.h"
#include "tests/plugin/acl-words.h"
#include "util.h"

/* Matches of random bytes. */
#define N_BYTES 50000

/* A match, and what becomes of it: "[PORTS] CUBE | CUBE", or "TOKEN COLUMN
 * [PORTS]". */
struct row {
    const char *match;          /* Match. */
    const char *text;           /* Expectation. */
};

/* Returns in words what becomes of 'text', with the canonical form in
 * '*canonical', NULL if there is none. */
static char *
describe(const char *text, char **canonical)
{
    struct ds s = DS_EMPTY_INITIALIZER;
    char *token;
    int column;
    struct acl_expr *expr = acl_expr_parse(text, strlen(text), 1, &token,
                                           &column);

    *canonical = NULL;
    if (!expr) {
        ds_put_format(&s, "%s %d", token, column);
        free(token);
        return ds_steal_cstr(&s);
    }

    struct acl_match match;
    acl_match_init(&match, expr, false);
    if (match.token) {
        ds_put_format(&s, "%s %d ", match.token, match.column);
    }
    ds_put_char(&s, '[');
    for (size_t i = 0; i < match.ports.n; i++) {
        ds_put_format(&s, "%s%s", i ? " " : "", match.ports.names[i]);
    }
    ds_put_char(&s, ']');
    for (size_t i = 0; i < match.n_cubes; i++) {
        char *cube = acl_cube_to_text(&match.cubes[i]);

        ds_put_format(&s, "%s%s", i ? " | " : " ", cube);
        free(cube);
    }
    *canonical = nullable_xstrdup(match.text);
    acl_match_destroy(&match);
    acl_expr_destroy(expr);
    return ds_steal_cstr(&s);
}

/* Checks the 'n' 'rows'. */
static void
check(const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char *canonical;
        char *text = describe(rows[i].match, &canonical);

        if (strcmp(text, rows[i].text)) {
            fail_msg("%s\n is  %s\n not %s", rows[i].match, text,
                     rows[i].text);
        }
        free(text);
        free(canonical);
    }
}

/* As Neutron writes them. */
static void
test_neutron(void **state OVS_UNUSED)
{
    static const struct row rows[] = {
        { "outport == @pg_1 && ip4 && ip4.src == 0.0.0.0/0 && tcp "
          "&& tcp.dst == 22", "[@pg_1] ip4 proto 6 dport 22-22" },
        { "outport == @pg && ip4 && ip4.src == $pg_ip4",
          "[@pg] ip4 from $pg_ip4" },
        { "outport == @pg && ip6 && ip6.src == 2001:db8::/32 && icmp6",
          "[@pg] ip6 proto 58 from 2001:db8::/32" },
        { "outport == @pg && ip4 && icmp4 && icmp4.type == 8 "
          "&& icmp4.code == 0", "[@pg] ip4 proto 1 type 8-8 code 0-0" },
        { "outport == @pg && ip4 && udp && udp.dst >= 80 && udp.dst <= 90",
          "[@pg] ip4 proto 17 dport 80-90" },
        { "outport == @pg && ip4 && ip.proto == 112", "[@pg] ip4 proto 112" },
        { "outport == @pg && sctp && sctp.src == 5",
          "[@pg] ip proto 132 sport 5-5" },
        { "outport == @neutron_pg_drop && ip", "[@neutron_pg_drop] ip" },
        { "outport == \"p\"", "[p] ip" },
        { "1", "[] ip" },
        { "0", "[]" },
    };

    check(rows, ARRAY_SIZE(rows));
}

/* What else there is. */
static void
test_beyond(void **state OVS_UNUSED)
{
    static const struct row rows[] = {
        { "tcp.dst == {22, 80}",
          "[] ip proto 6 dport 22-22 | ip proto 6 dport 80-80" },
        { "tcp.dst == {22 80,}",
          "[] ip proto 6 dport 22-22 | ip proto 6 dport 80-80" },
        { "tcp.dst != {1, 65535}", "[] ip proto 6 dport 0-0"
          " | ip proto 6 dport 2-65534" },
        { "!(tcp.dst == 0x16)", "[] ip proto 6 dport 0-21"
          " | ip proto 6 dport 23-65535" },
        { "10 < tcp.dst <= 20", "[] ip proto 6 dport 11-20" },
        { "20 >= tcp.dst > 10", "[] ip proto 6 dport 11-20" },
        { "!(10 < tcp.dst <= 20)", "[] ip proto 6 dport 0-10"
          " | ip proto 6 dport 21-65535" },
        { "22 == tcp.dst", "[] ip proto 6 dport 22-22" },
        { "tcp.dst > 65535", "[]" },
        { "tcp.dst < 0", "[]" },
        { "tcp && udp", "[]" },
        { "tcp || udp", "[] ip proto 6 | ip proto 17" },
        { "icmp", "[] ip4 proto 1 | ip6 proto 58" },
        { "eth.type == 0x800", "[] ip4" },
        { "eth.type == {0x86dd, 2054}", "[] ip6" },
        { "arp", "[]" },
        { "ip.proto == {6, 17} && ip4", "[] ip4 proto 6 | ip4 proto 17" },
        { "ip4.src == {10.0.0.0/8, 10.0.0.1, $s}",
          "[] ip4 from $s 10.0.0.0/8 10.0.0.1/32" },
        { "ip4.src == 10.0.0.0/255.255.0.0", "[] ip4 from 10.0.0.0/16" },
        { "ip6.src == fe80::/ffc0::", "[] ip6 from fe80::/10" },
        { "ip4.src != {10.0.0.0/8, $s}", "[] ip4 not from $s 10.0.0.0/8" },
        { "ip4 && ip4.src != $s", "[] ip4 not from $s" },
        { "ip4.src != $s && ip4.src != 10.0.0.1",
          "[] ip4 not from $s 10.0.0.1/32" },
        { "ip4.src == $s && tcp && ip4.src == $s", "[] ip4 proto 6 from $s" },
        { "ip4.src == 1.2.3.4 && ip6.src == ::1", "[]" },
        { "(outport == @a || outport == {\"c\", \"b\"}) && tcp",
          "[@a b c] ip proto 6" },
        { "(outport == @a) || @b == outport", "[@a @b] ip" },
        { "ip4 && (tcp && (outport == @a && tcp.dst == 1))",
          "[@a] ip4 proto 6 dport 1-1" },
        { "!(!(tcp))", "[] ip proto 6" },
        { "!(tcp.dst == 1 || tcp.dst == 2)", "[] ip proto 6 dport 0-0"
          " | ip proto 6 dport 3-65535" },
        { "tcp && (ip4 || ip6.src == ::1)",
          "[] ip4 proto 6 | ip6 proto 6 from ::1/128" },
    };

    check(rows, ARRAY_SIZE(rows));
}

/* What is not understood, and where. */
static void
test_refused(void **state OVS_UNUSED)
{
    static const struct row rows[] = {
        /* Fields, wherever the port is. */
        { "outport == @pg && ip.ttl == 1", "ip.ttl 19 [@pg]" },
        { "tcp.flags[1] == 1 && outport == @pg", "tcp.flags[1] 1 [@pg]" },
        { "ip4.dst == 1.2.3.4", "ip4.dst 1 []" },
        { "outport == @pg && is_chassis_resident(\"x\")",
          "is_chassis_resident(\"x\") 19 [@pg]" },
        { "ip.frag", "ip.frag 1 []" },
        { "outport == @pg && eth.src == fa:16:3e:00:00:01/ff:ff:ff:00:00:00",
          "eth.src 19 [@pg]" },
        { "outport == @pg && ip4.src == ^VIP", "^VIP 30 [@pg]" },
        /* Nominal ones: OVN refuses these. */
        { "!tcp", "tcp 2 []" },
        { "!(ip4 && tcp.dst == 1)", "ip4 3 []" },
        { "ip.proto != 6", "ip.proto 1 []" },
        { "icmp4.type > 3", "icmp4.type 1 []" },
        { "!(icmp6.code == 3)", "icmp6.code 3 []" },
        { "tcp.dst < {1}", "tcp.dst 1 []" },
        /* Constants. */
        { "tcp.dst == 65536", "65536 12 []" },
        { "tcp.dst == 1.2.3.4", "1.2.3.4 12 []" },
        { "tcp.dst == $s", "s 12 []" },
        { "tcp.dst == 22/22", "22/22 12 []" },
        { "ip4.src == ::1", "::1 12 []" },
        { "ip6.src == 1.2.3.4", "1.2.3.4 12 []" },
        { "ip4.src == 10.0.0.0/255.0.255.0", "10.0.0.0/255.0.255.0 12 []" },
        { "ip4.src != 0.0.0.0/0", "0.0.0.0/0 12 []" },
        { "ip6.src == ::ffff:1.2.3.4", "::ffff:1.2.3.4 12 []" },
        { "ip4.src == 7", "7 12 []" },
        { "ip.proto == 256", "256 13 []" },
        { "tcp.dst == 0x10000000000000000", "0x10000000000000000 12 []" },
        /* The family that OVN forgets if the set is empty. */
        { "ip4.src != $s", "$s 12 []" },
        { "ip6 && ip4.src != $s", "$s 19 []" },
        { "ip4.src != $s && ip6.src != $t", "ip6.src 18 []" },
        /* Sources that are no longer one list. */
        { "ip4.src == 10.0.0.0/8 && ip4.src != 10.0.0.1", "ip4.src 26 []" },
        { "ip4.src == $s && tcp && (ip4.src == $t || ip4.src == $s)",
          "ip4.src 26 []" },
        /* Sets that nobody would look at, though OVN does. */
        { "ip4.src == {0.0.0.0/0, $s}", "$s 24 []" },
        { "ip4 || (tcp && udp && ip4.src == $s)", "$s 34 []" },
        { "ip4.src == $s || (tcp && udp && ip6.src == $s)", "$s 44 []" },
        /* Ports, otherwise than as a whole. */
        { "outport == @a && outport == @b", "outport 18 [@a]" },
        { "outport == @a || tcp", "outport 1 []" },
        { "outport != @a", "outport 1 []" },
        { "!(outport == @a)", "outport 3 []" },
        { "inport == \"a\"", "inport 1 []" },
        /* What would be taken for everybody, or for a group. */
        { "outport == \"\"", "outport 1 []" },
        { "tcp && outport == {\"a\", \"\"}", "outport 8 []" },
        { "(outport == \"a\" || outport == \"@b\") && tcp",
          "outport 2 []" },
        /* No expressions. */
        { "outport == @a && tcp || udp", "|| 22" },
        { "tcp &&", " 7" },
        { "(tcp", " 5" },
        { "tcp)", ") 4" },
        { "! tcp.dst == 1", " 15" },
        { "tcp.dst == {}", "} 13" },
        { "tcp.dst == 022", "022 12" },
        { "1 < tcp.dst > 2", "> 13" },
        { "tcp & udp", "& 5" },
        { "tcp /* x */", "/ 5" },
        { "outport == \"a", "\"a 12" },
        { "outport == \"a\\\"\"", "\"a\\\"\" 12" },
        /* Bits that the mask has not: OVN 20.03 leaves the flow out. */
        { "tcp || ip4.src == 10.0.0.1/8", "10.0.0.1/8 19" },
        { "ip4.src == {$s, 10.0.0.1/255.0.0.0}", "10.0.0.1/255.0.0.0 17" },
        { "ip4.src == 10.0.0.1/255.0.255.0", "10.0.0.1/255.0.255.0 12" },
        { "ip6.src == 2001:db8::1/32", "2001:db8::1/32 12" },
        { "ip6.src == fe80::1/ffc0::", "fe80::1/ffc0:: 12" },
        { "2", " 2" },
        { "", " 1" },
        { "$", "$ 1" },
    };

    check(rows, ARRAY_SIZE(rows));
}

/* Equal matches have equal texts, others have others. */
static void
test_canonical(void **state OVS_UNUSED)
{
    static const char *const same[][2] = {
        { "outport==@a&&ip4&&tcp.dst==0x16", "ip4 && tcp.dst == 22" },
        { "(outport == @b) && (ip4 && (tcp))", "ip4 && tcp" },
        { "ip4.src == {10.0.0.0/255.0.0.0}", "ip4.src == 10.0.0.0/8" },
        { "ip4.src == 10.1.1.1/32", "ip4.src == 10.1.1.1" },
        { "ip6.src == {2001:DB8:0::1 ::2/127}",
          "ip6.src == {2001:db8::1, ::2/127}" },
        { "!(tcp.dst == 1 || tcp.dst >= 4)", "tcp.dst != 1 && tcp.dst < 4" },
        { "tcp && (udp || (ip4 && sctp))", "tcp && (udp || (ip4 && sctp))" },
        { "outport == @a", "1" },
        { "!1", "0" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(same); i++) {
        char *canonical;

        free(describe(same[i][0], &canonical));
        assert_string_equal(canonical, same[i][1]);
        free(canonical);
        free(describe(same[i][1], &canonical));
        assert_string_equal(canonical, same[i][1]);
        free(canonical);
    }
}

/* The limit of cubes. */
static void
test_limit(void **state OVS_UNUSED)
{
    for (int n = ACL_MATCH_MAX_CUBES; n <= ACL_MATCH_MAX_CUBES + 1; n++) {
        struct ds s = DS_EMPTY_INITIALIZER;
        char *canonical;

        ds_put_cstr(&s, "ip4 && tcp.dst == {");
        for (int i = 0; i < n; i++) {
            ds_put_format(&s, "%d ", 2 * i);
        }
        ds_put_char(&s, '}');

        char *text = describe(ds_cstr(&s), &canonical);
        assert_int_equal(!strcmp(text, "tcp.dst 8 []"),
                         n > ACL_MATCH_MAX_CUBES);
        free(text);
        free(canonical);
        ds_destroy(&s);
    }
}

/* Returns 'n' terms that are the same, with 'sign' between them.  The caller
 * frees them. */
static char *
repeat(const char *term, const char *sign, int n)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    for (int i = 0; i < n; i++) {
        ds_put_format(&s, "%s%s", i ? sign : "", term);
    }
    return ds_steal_cstr(&s);
}

/* The limit of terms: what is longer would hold up everything else. */
static void
test_terms(void **state OVS_UNUSED)
{
    char *most = repeat("ip", "&&", 4096);
    char *more = repeat("ip", "&&", 4097);
    char *groups = repeat("outport==@a", "||", 4096);
    char *many = repeat("(ip)", "||", 200000);
    char *canonical, *text;

    text = describe(most, &canonical);
    assert_string_equal(text, "[] ip");
    free(text);
    free(canonical);
    text = describe(groups, &canonical);
    assert_string_equal(text, "[@a] ip");
    free(text);
    free(canonical);
    text = describe(more, &canonical);
    assert_string_equal(text, "ip 16385");
    free(text);
    text = describe(many, &canonical);
    assert_string_equal(text, "( 24577");
    free(text);
    free(most);
    free(more);
    free(groups);
    free(many);
}

/* Nothing comes of rubbish. */
static void
test_bytes(void **state OVS_UNUSED)
{
    static const char *const pieces[] = {
        "tcp", "tcp.dst", "ip4.src", "outport", "@a", "$b", "\"c\"", "==",
        "!=", "<", ">=", "&&", "||", "!", "(", ")", "{", "}", "[", "]", ",",
        "1", "0x", "10.0.0.1/8", "::1/3", "..", " ", "\"", "^", "reg0[7]",
        "\xff", "99999999999999999999", "fa:16:3e:00:00:01/", "\t",
    };

    random_set_seed(0xb17e5);
    for (int i = 0; i < N_BYTES; i++) {
        struct ds s = DS_EMPTY_INITIALIZER;
        char *canonical;

        for (int n = random_range(12); n; n--) {
            if (random_range(20)) {
                ds_put_cstr(&s, pieces[random_range(ARRAY_SIZE(pieces))]);
            } else {
                ds_put_char(&s, 1 + random_range(255));
            }
        }
        free(describe(ds_cstr(&s), &canonical));
        free(canonical);
        ds_destroy(&s);
    }
}

/* Parentheses have no end, but the stack has. */
static void
test_depth(void **state OVS_UNUSED)
{
    char *deep = xmalloc(100001);
    char *canonical;

    memset(deep, '(', 100000);
    deep[100000] = '\0';

    char *text = describe(deep, &canonical);
    assert_string_equal(text, "( 25");
    free(text);
    for (int i = 0; i < 100000; i += 2) {
        memcpy(deep + i, "!(", 2);
    }
    text = describe(deep, &canonical);
    assert_string_equal(text, "( 50");
    free(text);
    free(deep);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_neutron),
        cmocka_unit_test(test_beyond),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_canonical),
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_terms),
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_depth),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
