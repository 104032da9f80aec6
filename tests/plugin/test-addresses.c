/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of plugin/addresses.c with the strings that ovn-northd writes, and
 * with broken ones. */

#include <config.h>

#include "plugin/addresses.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "openvswitch/dynamic-string.h"
#include "packets.h"
#include "random.h"
#include "util.h"

/* Returns 'string' as parsed by 'parser', in one line: "MAC IP... @RESIDENT",
 * "none" or "bad".  The caller frees it. */
static char *
parse_by(enum addresses_result (*parser)(const char *, struct addresses *),
         const char *string)
{
    struct ds ds = DS_EMPTY_INITIALIZER;
    struct addresses addresses;

    switch (parser(string, &addresses)) {
    case ADDRESSES_OK:
        ds_put_format(&ds, ETH_ADDR_FMT, ETH_ADDR_ARGS(addresses.mac));
        for (size_t i = 0; i < addresses.n_ips; i++) {
            char text[INET6_ADDRSTRLEN];

            ipv6_string_mapped(text, &addresses.ips[i]);
            ds_put_format(&ds, " %s", text);
        }
        if (addresses.resident) {
            ds_put_format(&ds, " @%s", addresses.resident);
        }
        break;
    case ADDRESSES_NONE:
        ds_put_cstr(&ds, "none");
        break;
    case ADDRESSES_BAD:
    default:
        ds_put_cstr(&ds, "bad");
        break;
    }
    addresses_destroy(&addresses);
    return ds_steal_cstr(&ds);
}

/* Returns 'string' as addresses_parse() understands it. */
static char *
parse(const char *string)
{
    return parse_by(addresses_parse, string);
}

/* Checks that 'string' is parsed as 'expected'. */
static void
check(const char *string, const char *expected)
{
    char *result = parse(string);

    assert_string_equal(result, expected);
    free(result);
}

#define MAC "fa:16:3e:77:7f:9c"

/* Port_Binding.mac of VM ports. */
static void
test_vm(void **state OVS_UNUSED)
{
    check(MAC, MAC);
    check(MAC " 172.24.100.50", MAC " 172.24.100.50");
    check("FA:16:3E:77:7F:9C 172.24.100.50", MAC " 172.24.100.50");
    check(MAC " 172.24.100.50 172.24.100.51 2001:db8:ff::50 2001:DB8:0::51",
          MAC " 172.24.100.50 172.24.100.51 2001:db8:ff::50 2001:db8::51");
    check("  " MAC "   172.24.100.50 ", MAC " 172.24.100.50");
}

/* Port_Binding.mac of gateway ports: host address and length. */
static void
test_router(void **state OVS_UNUSED)
{
    check(MAC " 172.24.100.229/24 2001:db8:ff::1/64 fe80::1/64",
          MAC " 172.24.100.229 2001:db8:ff::1 fe80::1");
    check(MAC " 172.24.100.229/32", MAC " 172.24.100.229");
}

/* Port_Binding.nat_addresses of switch ports of routers. */
static void
test_nat(void **state OVS_UNUSED)
{
    check(MAC " 172.24.100.114 172.24.100.113 "
          "is_chassis_resident(\"cr-lrp-1111\")",
          MAC " 172.24.100.114 172.24.100.113 @cr-lrp-1111");
    check(MAC " 172.24.100.112 is_chassis_resident(\"3333-4444\")",
          MAC " 172.24.100.112 @3333-4444");
    check(MAC " is_chassis_resident(\"p\")", MAC " @p");
    /* Of a gateway router: no residence. */
    check(MAC " 172.24.100.241", MAC " 172.24.100.241");
}

/* Words instead of a MAC. */
static void
test_keywords(void **state OVS_UNUSED)
{
    check("unknown", "none");
    check("dynamic", "none");
    check("router", "none");
    check("dynamic 10.0.0.5", "none");
    check("", "none");
    check("   ", "none");
}

/* What is not understood is not half understood. */
static void
test_bad(void **state OVS_UNUSED)
{
    static const char *const strings[] = {
        "172.24.100.50",
        "fa:16:3e:77:7f 172.24.100.50",
        "fa:16:3e:77:7f:9c:00 172.24.100.50",
        "fa:16:3e:77:7f:9cx 172.24.100.50",
        "fa-16-3e-77-7f-9c 172.24.100.50",
        "fa:16:3e:77:7f:gg",
        "fa:16:3e:77:7f:19c 172.24.100.50",
        "1ff:6:3e:77:7f:9c 172.24.100.50",
        "00:00:00:00:00:00 172.24.100.50",
        "01:00:5e:00:00:01 172.24.100.50",
        "ff:ff:ff:ff:ff:ff 172.24.100.50",
        MAC " 172.24.100",
        MAC " 172.24.100.256",
        MAC " 172.24.100.50/33",
        MAC " 172.24.100.50/",
        MAC " 172.24.100.50/-1",
        MAC " 172.24.100.50/24/24",
        MAC " 172.24.100.50/24x",
        MAC " 172.24.100.0050",
        MAC " 172.24.100.50x",
        MAC " 2001:db8::/129",
        MAC " 2001:db8:::1",
        MAC " 2001:db8::1%eth0",
        MAC " ::ffff:172.24.100.50",
        MAC " 172.24.100.50,172.24.100.51",
        MAC " 172.24.100.50 unknown",
        MAC " 172.24.100.50 is_chassis_resident(\"\")",
        MAC " 172.24.100.50 is_chassis_resident(\"p\"",
        MAC " 172.24.100.50 is_chassis_resident(p)",
        MAC " 172.24.100.50 is_chassis_resident(\")",
        MAC " 172.24.100.50 !is_chassis_resident(\"p\")",
        MAC " 172.24.100.50 is_chassis_resident(\"p\") "
            "is_chassis_resident(\"q\")",
        "UNKNOWN",
    };

    for (size_t i = 0; i < ARRAY_SIZE(strings); i++) {
        check(strings[i], "bad");
    }
}

/* Port_Binding.port_security: a network is no address. */
static void
test_allowed(void **state OVS_UNUSED)
{
    static const struct {
        const char *string;     /* As in the column. */
        const char *expected;   /* What parse_by() makes of it. */
    } cases[] = {
        { MAC, MAC },
        { MAC " 10.0.0.5 fd00::5", MAC " 10.0.0.5 fd00::5" },
        { MAC " 10.0.0.5/24 fd00::5/64", MAC " 10.0.0.5 fd00::5" },
        { MAC " 10.0.0.0/24 10.0.0.5/32 10.0.0.4/30", MAC " 10.0.0.5" },
        { MAC " fd00::/64 fd00::5/128 0.0.0.0/0 ::/0", MAC " fd00::5" },
        { MAC " 10.0.0.5/33", "bad" },
        { MAC " 10.0.0.0/24x", "bad" },
        { "VRRPv3 " MAC " 10.0.0.5", "bad" },
        { "unknown", "none" },
        { "", "none" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char *result = parse_by(addresses_parse_allowed, cases[i].string);

        assert_string_equal(result, cases[i].expected);
        free(result);
    }
}

/* No prefix of a good string, and no damaged one, does harm or gives an
 * address that the string has not. */
static void
test_damaged(void **state OVS_UNUSED)
{
    static const char good[] = MAC " 172.24.100.112 2001:db8:ff::50 "
                               "is_chassis_resident(\"cr-lrp-1111\")";
    char *whole = parse(good);
    int n_same = 0;

    for (size_t n = 0; n < sizeof good; n++) {
        char *prefix = xmemdup0(good, n);

        free(parse(prefix));
        free(prefix);
    }
    random_set_seed(1);
    for (int i = 0; i < 20000; i++) {
        char copy[sizeof good];
        char *result;

        memcpy(copy, good, sizeof good);
        copy[random_range(sizeof good - 1)] = random_range(256);
        result = parse(copy);
        n_same += !strcmp(result, whole);
        free(result);
    }
    /* Among 256 bytes the right one, or one that means the same (a letter of
     * other case, a blank for a blank), is rare. */
    assert_in_range(n_same, 1, 1000);
    free(whole);
}

/* Which addresses can be behind a router at all. */
static void
test_routable(void **state OVS_UNUSED)
{
    static const struct {
        const char *ip;         /* Address. */
        bool routable;          /* What is to be said of it. */
    } cases[] = {
        { "1.0.0.0", true }, { "10.0.0.1", true }, { "172.24.100.50", true },
        { "126.255.255.255", true }, { "128.0.0.1", true },
        { "169.253.255.255", true }, { "169.255.0.0", true },
        { "223.255.255.255", true }, { "192.0.2.255", true },
        { "0.0.0.0", false }, { "0.1.2.3", false }, { "127.0.0.1", false },
        { "127.255.255.255", false }, { "169.254.0.0", false },
        { "169.254.169.254", false }, { "224.0.0.1", false },
        { "239.1.2.3", false }, { "240.0.0.1", false },
        { "255.255.255.255", false },
        { "2001:db8::1", true }, { "fd00::1", true }, { "64:ff9b::1", true },
        { "fec0::1", true }, { "::2", true },
        { "::", false }, { "::1", false }, { "fe80::1", false },
        { "febf::1", false }, { "ff02::1", false }, { "ff0e::1", false },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct in6_addr ip;
        ovs_be32 ip4;

        if (ip_parse(cases[i].ip, &ip4)) {
            ip = in6_addr_mapped_ipv4(ip4);
        } else {
            assert_true(ipv6_parse(cases[i].ip, &ip));
        }
        if (address_is_routable(&ip) != cases[i].routable) {
            fail_msg("%s", cases[i].ip);
        }
    }
}

/* Runs the tests. */
int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vm),
        cmocka_unit_test(test_router),
        cmocka_unit_test(test_nat),
        cmocka_unit_test(test_keywords),
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_allowed),
        cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_routable),
    };

    addresses_destroy(NULL);
    return cmocka_run_group_tests_name("addresses", tests, NULL, NULL);
}
