/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of plugin/settings.c: each key with good and bad values, for this
 * chassis alone, and the last good value that stays. */

#include <config.h>

#include "plugin/settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "plugin/limits.h"
#include "tests/plugin/values.h"
#include "util.h"

/* What every test works on. */
struct fixture {
    struct smap ids;            /* external_ids. */
    struct settings settings;   /* Under test. */
    struct problems problems;   /* Of the last update. */
};

/* Prepares a struct fixture. */
static int
setup(void **state)
{
    struct fixture *f = xzalloc(sizeof *f);

    smap_init(&f->ids);
    smap_add(&f->ids, "system-id", "hv1");
    settings_init(&f->settings);
    *state = f;
    return 0;
}

/* Frees a struct fixture. */
static int
teardown(void **state)
{
    struct fixture *f = *state;

    smap_destroy(&f->ids);
    settings_destroy(&f->settings);
    problems_destroy(&f->problems);
    free(f);
    return 0;
}

/* Sets 'key' to 'value', or removes it if that is NULL, and updates; checks
 * that there are 'n_problems' then. */
static void
set(struct fixture *f, const char *key, const char *value, size_t n_problems)
{
    if (value) {
        smap_replace(&f->ids, key, value);
    } else {
        smap_remove(&f->ids, key);
    }
    problems_clear(&f->problems);
    settings_update(&f->settings, &f->ids, NULL, &f->problems);
    for (size_t i = 0; i < f->problems.n; i++) {
        if (n_problems != f->problems.n) {
            print_message("%s\n", f->problems.list[i].message);
        }
    }
    assert_int_equal(f->problems.n, n_problems);
}

/* Checks that the only problem is of class 'reason' and names all of the
 * 'words'. */
static void
check_problem(const struct fixture *f, enum reason reason,
              const char *const words[], size_t n)
{
    assert_int_equal(f->problems.n, 1);
    assert_int_equal(f->problems.list[0].class, reason);
    for (size_t i = 0; i < n; i++) {
        assert_non_null(strstr(f->problems.list[0].message, words[i]));
    }
}

#define CHECK_PROBLEM(F, REASON, ...) \
    check_problem(F, REASON, (const char *const[]) { __VA_ARGS__ }, \
                  ARRAY_SIZE(((const char *const[]) { __VA_ARGS__ })))

/* Checks that 'set' has exactly the 'n' members 'names'. */
static void
check_set(const struct sset *set, const char *const names[], size_t n)
{
    assert_int_equal(sset_count(set), n);
    for (size_t i = 0; i < n; i++) {
        assert_true(sset_contains(set, names[i]));
    }
}

#define CHECK_SET(SET, ...) \
    check_set(SET, (const char *const[]) { __VA_ARGS__ }, \
              ARRAY_SIZE(((const char *const[]) { __VA_ARGS__ })))

/* Checks that 'network' is mapped to 'bridge', or to nothing if that is
 * NULL. */
static void
check_mapping(const struct fixture *f, const char *network, const char *bridge)
{
    const char *value = smap_get(&f->settings.mappings, network);

    if (bridge) {
        assert_non_null(value);
        assert_string_equal(value, bridge);
    } else {
        assert_null(value);
    }
}

/* What holds when nothing but the system-id is set; and twice the same. */
static void
test_defaults(void **state)
{
    struct fixture *f = *state;

    for (int i = 0; i < 2; i++) {
        set(f, "ignored", "1", 0);
        assert_string_equal(f->settings.chassis, "hv1");
        assert_string_equal(f->settings.remote, "");
        assert_string_equal(f->settings.mappings_text, "");
        assert_int_equal(smap_count(&f->settings.mappings), 0);
        assert_int_equal(f->settings.probe_interval, 5000);
        assert_false(f->settings.interfaces_auto);
        assert_true(sset_is_empty(&f->settings.interfaces));
        assert_true(sset_is_empty(&f->settings.exclude));
        assert_int_equal(f->settings.mode, MODE_AUTO);
        assert_int_equal(f->settings.port, PORT_AUTO);
        assert_int_equal(f->settings.acl, DP_ACL_COUNT);
        assert_int_equal(f->settings.max_endpoints, 65536);
        assert_int_equal(f->settings.stale_timeout, 0);
        assert_false(f->settings.direct);
        assert_int_equal(f->settings.nic_hook, HOOK_AUTO);
        assert_int_equal(f->settings.vm_hook, HOOK_AUTO);
        assert_int_equal(f->settings.confirm_ms, 500);
        assert_int_equal(f->settings.max_flows, 262144);
    }
}

/* The name of the chassis: from outside, else system-id, else a problem. */
static void
test_chassis(void **state)
{
    struct fixture *f = *state;

    set(f, "system-id", NULL, 1);
    assert_null(f->settings.chassis);
    CHECK_PROBLEM(f, REASON_NO_SYSTEM_ID, "system-id");
    set(f, "system-id", "", 1);
    assert_null(f->settings.chassis);
    set(f, "system-id", "hv2", 0);
    assert_string_equal(f->settings.chassis, "hv2");

    settings_update(&f->settings, &f->ids, "override", &f->problems);
    assert_string_equal(f->settings.chassis, "override");
    smap_remove(&f->ids, "system-id");
    settings_update(&f->settings, &f->ids, f->settings.chassis, &f->problems);
    assert_string_equal(f->settings.chassis, "override");
    assert_int_equal(f->problems.n, 0);
}

/* "KEY-CHASSIS" counts before KEY, for every key; of another chassis it does
 * not count. */
static void
test_override(void **state)
{
    struct fixture *f = *state;
    static const char *const pairs[][2] = {
        { "ovn-remote", "tcp:192.0.2.1:6642" },
        { "ovn-remote-probe-interval", "7000" },
        { "ovn-bridge-mappings", "a:br-a" },
        { "ovn-xdp-interfaces", "eth1" },
        { "ovn-xdp-exclude", "192.0.2.9" },
        { "ovn-xdp-mode", "generic" },
        { "ovn-xdp-bridge-port", "veth" },
        { "ovn-xdp-max-endpoints", "100" },
        { "ovn-xdp-stale-timeout", "7" },
        { "ovn-xdp-nb-remote", "tcp:192.0.2.1:6641" },
        { "ovn-xdp-direct", "on" },
        { "ovn-xdp-nic-hook", "tc" },
        { "ovn-xdp-vm-hook", "xdp" },
        { "ovn-xdp-confirm-ms", "200" },
        { "ovn-xdp-max-flows", "1000" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
        smap_add_nocopy(&f->ids, xasprintf("%s-hv1", pairs[i][0]),
                        xstrdup(pairs[i][1]));
        smap_add_nocopy(&f->ids, xasprintf("%s-hv2", pairs[i][0]),
                        xstrdup("other"));
    }
    smap_add(&f->ids, "ovn-remote", "unix:general");
    smap_add(&f->ids, "ovn-remote-probe-interval", "9000");
    smap_add(&f->ids, "ovn-bridge-mappings", "b:br-b");
    smap_add(&f->ids, "ovn-xdp-interfaces", "auto");
    smap_add(&f->ids, "ovn-xdp-exclude", "general");
    smap_add(&f->ids, "ovn-xdp-mode", "native");
    smap_add(&f->ids, "ovn-xdp-bridge-port", "internal");
    smap_add(&f->ids, "ovn-xdp-stale-timeout", "8");
    smap_add(&f->ids, "ovn-xdp-nb-remote", "unix:general");
    set(f, "ovn-xdp-max-endpoints", "200", 0);

    assert_string_equal(f->settings.remote, "tcp:192.0.2.1:6642");
    assert_string_equal(f->settings.nb_remote, "tcp:192.0.2.1:6641");
    assert_int_equal(f->settings.probe_interval, 7000);
    assert_int_equal(smap_count(&f->settings.mappings), 1);
    check_mapping(f, "a", "br-a");
    assert_false(f->settings.interfaces_auto);
    CHECK_SET(&f->settings.interfaces, "eth1");
    CHECK_SET(&f->settings.exclude, "192.0.2.9");
    assert_int_equal(f->settings.mode, MODE_GENERIC);
    assert_int_equal(f->settings.port, PORT_VETH);
    assert_int_equal(f->settings.max_endpoints, 100);
    assert_int_equal(f->settings.stale_timeout, 7);
    assert_true(f->settings.direct);
    assert_int_equal(f->settings.nic_hook, HOOK_TC);
    assert_int_equal(f->settings.vm_hook, HOOK_XDP);
    assert_int_equal(f->settings.confirm_ms, 200);
    assert_int_equal(f->settings.max_flows, 1000);

    /* Without the override the general value is back. */
    set(f, "ovn-xdp-mode-hv1", NULL, 0);
    assert_int_equal(f->settings.mode, MODE_NATIVE);

    /* A chassis that gets its name from outside has other overrides. */
    problems_clear(&f->problems);
    settings_update(&f->settings, &f->ids, "hv3", &f->problems);
    assert_int_equal(f->settings.max_endpoints, 200);
    assert_int_equal(f->problems.n, 0);
}

/* ovn-xdp-mode. */
static void
test_mode(void **state)
{
    struct fixture *f = *state;
    static const char *const bad[] = { "", "Native", "native ", "skb", "1" };

    for (int mode = MODE_AUTO; mode <= MODE_GENERIC; mode++) {
        set(f, "ovn-xdp-mode", settings_mode_to_string(mode), 0);
        assert_int_equal(f->settings.mode, mode);
    }
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        set(f, "ovn-xdp-mode", bad[i], 1);
        CHECK_PROBLEM(f, REASON_BAD_VALUE, "ovn-xdp-mode", bad[i]);
        assert_int_equal(f->settings.mode, MODE_GENERIC);
    }
    assert_string_equal(settings_mode_to_string(MODE_NATIVE), "native");
    set(f, "ovn-xdp-mode", NULL, 0);
    assert_int_equal(f->settings.mode, MODE_AUTO);
}

/* ovn-xdp-bridge-port. */
static void
test_bridge_port(void **state)
{
    struct fixture *f = *state;

    for (int port = PORT_AUTO; port <= PORT_VETH; port++) {
        set(f, "ovn-xdp-bridge-port", settings_port_to_string(port), 0);
        assert_int_equal(f->settings.port, port);
    }
    set(f, "ovn-xdp-bridge-port", "tap", 1);
    CHECK_PROBLEM(f, REASON_BAD_VALUE, "ovn-xdp-bridge-port", "tap");
    assert_int_equal(f->settings.port, PORT_VETH);
    assert_string_equal(settings_port_to_string(PORT_INTERNAL), "internal");
    set(f, "ovn-xdp-bridge-port", NULL, 0);
    assert_int_equal(f->settings.port, PORT_AUTO);
}

/* ovn-xdp-acl. */
static void
test_acl(void **state)
{
    struct fixture *f = *state;
    static const char *const bad[] = { "", "on", "Drop", "drop ", "0" };

    for (int acl = DP_ACL_OFF; acl <= DP_ACL_DROP; acl++) {
        set(f, "ovn-xdp-acl", settings_acl_to_string(acl), 0);
        assert_int_equal(f->settings.acl, acl);
    }
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        set(f, "ovn-xdp-acl", bad[i], 1);
        CHECK_PROBLEM(f, REASON_BAD_VALUE, "ovn-xdp-acl", bad[i]);
        assert_int_equal(f->settings.acl, DP_ACL_DROP);
    }
    assert_string_equal(settings_acl_to_string(DP_ACL_COUNT), "count");
    set(f, "ovn-xdp-acl", NULL, 0);
    assert_int_equal(f->settings.acl, DP_ACL_COUNT);
}

/* ovn-xdp-max-endpoints: its range, and what is no number. */
static void
test_max_endpoints(void **state)
{
    struct fixture *f = *state;
    static const char *const bad[] = {
        "", "0", "15", "1048577", "-16", "64k", "4294967312", "1e3", "0x100",
    };

    set(f, "ovn-xdp-max-endpoints", "16", 0);
    assert_int_equal(f->settings.max_endpoints, 16);
    set(f, "ovn-xdp-max-endpoints", "1048576", 0);
    assert_int_equal(f->settings.max_endpoints, 1048576);
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        set(f, "ovn-xdp-max-endpoints", bad[i], 1);
        CHECK_PROBLEM(f, REASON_BAD_VALUE, "ovn-xdp-max-endpoints", bad[i]);
        assert_int_equal(f->settings.max_endpoints, 1048576);
    }
}

/* ovn-xdp-stale-timeout: seconds in its range, or never. */
static void
test_stale_timeout(void **state)
{
    struct fixture *f = *state;
    static const char *const bad[] = {
        "", "1", "86401", "-2", "2s", "2.5", "4294967298", "never",
    };

    set(f, "ovn-xdp-stale-timeout", "2", 0);
    assert_int_equal(f->settings.stale_timeout, 2);
    set(f, "ovn-xdp-stale-timeout", "0", 0);
    assert_int_equal(f->settings.stale_timeout, 0);
    set(f, "ovn-xdp-stale-timeout", "86400", 0);
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        set(f, "ovn-xdp-stale-timeout", bad[i], 1);
        CHECK_PROBLEM(f, REASON_BAD_VALUE, "ovn-xdp-stale-timeout", bad[i]);
        assert_int_equal(f->settings.stale_timeout, 86400);
    }
    set(f, "ovn-xdp-stale-timeout", NULL, 0);
    assert_int_equal(f->settings.stale_timeout, 0);
}

/* ovn-xdp-interfaces: a list, "auto", and what can be no device. */
static void
test_interfaces(void **state)
{
    struct fixture *f = *state;
    static const char *const bad[] = {
        "eth/0", "eth0,with:colon", "..", ".", "0123456789abcdef",
    };

    set(f, "ovn-xdp-interfaces", "auto", 0);
    assert_true(f->settings.interfaces_auto);
    assert_true(sset_is_empty(&f->settings.interfaces));
    set(f, "ovn-xdp-interfaces", "eth0, eth1,,eth0,0123456789abcde", 0);
    assert_false(f->settings.interfaces_auto);
    CHECK_SET(&f->settings.interfaces, "eth0", "eth1", "0123456789abcde");
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        set(f, "ovn-xdp-interfaces", bad[i], 1);
        CHECK_PROBLEM(f, REASON_BAD_VALUE, "ovn-xdp-interfaces", bad[i]);
        assert_false(f->settings.interfaces_auto);
        CHECK_SET(&f->settings.interfaces, "eth0", "eth1", "0123456789abcde");
    }
    set(f, "ovn-xdp-interfaces", "eth0,tab\there", 1);
    CHECK_PROBLEM(f, REASON_BAD_VALUE, "\"tab\\x09here\" cannot be");
    set(f, "ovn-xdp-interfaces", "", 0);
    assert_true(sset_is_empty(&f->settings.interfaces));
    set(f, "ovn-xdp-interfaces", "auto", 0);
    set(f, "ovn-xdp-interfaces", "a/b", 1);
    assert_true(f->settings.interfaces_auto);
    set(f, "ovn-xdp-interfaces", NULL, 0);
    assert_false(f->settings.interfaces_auto);
}

/* "auto" together with names is neither. */
static void
test_interfaces_auto_alone(void **state)
{
    struct fixture *f = *state;

    set(f, "ovn-xdp-interfaces", "eth0", 0);
    set(f, "ovn-xdp-interfaces", "auto,eth1", 1);
    CHECK_PROBLEM(f, REASON_BAD_VALUE, "ovn-xdp-interfaces", "auto");
    CHECK_SET(&f->settings.interfaces, "eth0");
}

/* ovn-xdp-exclude: addresses in any spelling, all else is a port. */
static void
test_exclude(void **state)
{
    struct fixture *f = *state;

    set(f, "ovn-xdp-exclude",
        "192.0.2.1,2001:DB8:0::1, ::ffff:192.0.2.2,lport,192.0.2.256", 0);
    CHECK_SET(&f->settings.exclude, "192.0.2.1", "2001:db8::1", "192.0.2.2",
              "lport", "192.0.2.256");
    set(f, "ovn-xdp-exclude", "lport2", 0);
    CHECK_SET(&f->settings.exclude, "lport2");
    set(f, "ovn-xdp-exclude", "", 0);
    assert_true(sset_is_empty(&f->settings.exclude));
}

/* ovn-bridge-mappings, which is read until the first bad element, as
 * ovn-controller reads it. */
static void
test_mappings(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *value;      /* Of the key. */
        size_t n_problems;      /* That it causes. */
        size_t n;               /* Good mappings. */
    } cases[] = {
        { "", 0, 0 },
        { "physnet1:br-ex", 0, 1 },
        { "physnet1:br-ex,physnet2:br-2", 0, 2 },
        { "physnet1:br-ex,physnet2:br-ex", 0, 2 },
        { "physnet1:br-ex,", 0, 1 },
        { "physnet1:br-ex,physnet2", 1, 1 },
        { "physnet1:br-ex,:br-2", 1, 1 },
        { "physnet1:br-ex,physnet2:", 1, 1 },
        { "physnet1:br-ex,bad,physnet3:br-3", 1, 1 },
        { "physnet1:br-ex,,physnet3:br-3", 1, 1 },
        { "bad", 1, 0 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        set(f, "ovn-bridge-mappings", cases[i].value, cases[i].n_problems);
        assert_string_equal(f->settings.mappings_text, cases[i].value);
        assert_int_equal(smap_count(&f->settings.mappings), cases[i].n);
        check_mapping(f, "physnet1", cases[i].n ? "br-ex" : NULL);
        check_mapping(f, "physnet3", NULL);
        if (cases[i].n_problems) {
            CHECK_PROBLEM(f, REASON_BAD_VALUE, "ovn-bridge-mappings");
        }
    }
    set(f, "ovn-bridge-mappings", "a:b:c", 0);
    check_mapping(f, "a", "b:c");
}

/* Of two bridges for one network the later one counts, whatever they are
 * called. */
static void
test_mappings_twice(void **state)
{
    struct fixture *f = *state;

    for (int i = 0; i < 20; i++) {
        char *first = xasprintf("br%d", i);
        char *second = xasprintf("br%d", i + 1);
        char *there = xasprintf("net:%s,net:%s", first, second);
        char *back = xasprintf("net:%s,net:%s", second, first);

        set(f, "ovn-bridge-mappings", there, 0);
        check_mapping(f, "net", second);
        set(f, "ovn-bridge-mappings", back, 0);
        check_mapping(f, "net", first);
        free(first);
        free(second);
        free(there);
        free(back);
    }
}

/* ovn-remote-probe-interval: 0 is off, less than a second is a second. */
static void
test_probe_interval(void **state)
{
    struct fixture *f = *state;
    static const char *const bad[] = { "", "-1", "soon", "5s" };

    set(f, "ovn-remote-probe-interval", "0", 0);
    assert_int_equal(f->settings.probe_interval, 0);
    set(f, "ovn-remote-probe-interval", "1", 0);
    assert_int_equal(f->settings.probe_interval, 1000);
    set(f, "ovn-remote-probe-interval", "60000", 0);
    assert_int_equal(f->settings.probe_interval, 60000);
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        set(f, "ovn-remote-probe-interval", bad[i], 1);
        CHECK_PROBLEM(f, REASON_BAD_VALUE, "ovn-remote-probe-interval",
                      bad[i], "60000");
        assert_int_equal(f->settings.probe_interval, 60000);
    }
    set(f, "ovn-remote-probe-interval", NULL, 0);
    assert_int_equal(f->settings.probe_interval, 5000);
}

/* A bad value of this chassis alone does not bring the general one back. */
static void
test_bad_override(void **state)
{
    struct fixture *f = *state;

    set(f, "ovn-xdp-mode", "generic", 0);
    set(f, "ovn-xdp-mode-hv1", "native", 0);
    set(f, "ovn-xdp-mode-hv1", "naive", 1);
    CHECK_PROBLEM(f, REASON_BAD_VALUE, "naive");
    assert_int_equal(f->settings.mode, MODE_NATIVE);

    /* One bad key does not keep the others from changing. */
    set(f, "ovn-xdp-bridge-port", "veth", 1);
    assert_int_equal(f->settings.port, PORT_VETH);
    set(f, "ovn-xdp-max-endpoints", "none", 2);
}

/* ovn-remote and ovn-xdp-nb-remote: ways to connect, or none. */
static void
test_remotes(void **state)
{
    struct fixture *f = *state;
    static const char *const bad[] = {
        "banana", "tcp", "192.0.2.1:6642", "ptcp:6642",
        "tcp:192.0.2.1:6642,banana", "unix:/a,:",
    };

    set(f, "ovn-remote", "tcp:192.0.2.1:6642,ssl:[2001:db8::1]:6642", 0);
    set(f, "ovn-xdp-nb-remote", "unix:/run/nb.sock", 0);
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        set(f, "ovn-remote", bad[i], 1);
        CHECK_PROBLEM(f, REASON_BAD_VALUE, "ovn-remote", bad[i]);
        assert_string_equal(f->settings.remote,
                            "tcp:192.0.2.1:6642,ssl:[2001:db8::1]:6642");
        set(f, "ovn-remote", "tcp:192.0.2.1:6642,ssl:[2001:db8::1]:6642", 0);
        set(f, "ovn-xdp-nb-remote", bad[i], 1);
        CHECK_PROBLEM(f, REASON_BAD_VALUE, "ovn-xdp-nb-remote", bad[i]);
        assert_string_equal(f->settings.nb_remote, "unix:/run/nb.sock");
        set(f, "ovn-xdp-nb-remote", "unix:/run/nb.sock", 0);
    }
    set(f, "ovn-xdp-nb-remote", NULL, 0);
    assert_string_equal(f->settings.nb_remote, "");
    set(f, "ovn-remote", NULL, 0);
    assert_string_equal(f->settings.remote, "");
}

/* ovn-xdp-direct. */
static void
test_direct(void **state)
{
    struct fixture *f = *state;
    static const char *const bad[] = { "", "yes", "On", "on ", "1", "true" };

    set(f, "ovn-xdp-direct", "off", 0);
    assert_false(f->settings.direct);
    set(f, "ovn-xdp-direct", "on", 0);
    assert_true(f->settings.direct);
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        set(f, "ovn-xdp-direct", bad[i], 1);
        CHECK_PROBLEM(f, REASON_BAD_VALUE, "ovn-xdp-direct", bad[i]);
        assert_true(f->settings.direct);
    }
    set(f, "ovn-xdp-direct", NULL, 0);
    assert_false(f->settings.direct);
}

/* ovn-xdp-nic-hook and ovn-xdp-vm-hook, neither of which is the other. */
static void
test_hooks(void **state)
{
    struct fixture *f = *state;
    static const char *const bad[] = { "", "tcx", "XDP", "off" };

    for (int hook = HOOK_AUTO; hook <= HOOK_TC; hook++) {
        set(f, "ovn-xdp-nic-hook", settings_hook_to_string(hook), 0);
        assert_int_equal(f->settings.nic_hook, hook);
        assert_int_equal(f->settings.vm_hook, HOOK_AUTO);
    }
    for (int hook = HOOK_AUTO; hook <= HOOK_TC; hook++) {
        set(f, "ovn-xdp-vm-hook", settings_hook_to_string(hook), 0);
        assert_int_equal(f->settings.vm_hook, hook);
        assert_int_equal(f->settings.nic_hook, HOOK_TC);
    }
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        set(f, "ovn-xdp-nic-hook", bad[i], 1);
        CHECK_PROBLEM(f, REASON_BAD_VALUE, "ovn-xdp-nic-hook", bad[i]);
        set(f, "ovn-xdp-nic-hook", NULL, 0);
        set(f, "ovn-xdp-vm-hook", bad[i], 1);
        CHECK_PROBLEM(f, REASON_BAD_VALUE, "ovn-xdp-vm-hook", bad[i]);
        assert_int_equal(f->settings.vm_hook, HOOK_TC);
        set(f, "ovn-xdp-vm-hook", "tc", 0);
    }
    set(f, "ovn-xdp-vm-hook", NULL, 0);
    assert_int_equal(f->settings.vm_hook, HOOK_AUTO);
    assert_string_equal(settings_hook_to_string(HOOK_XDP), "xdp");
}

/* ovn-xdp-confirm-ms: its range, and what is no number. */
static void
test_confirm_ms(void **state)
{
    struct fixture *f = *state;
    static const char *const bad[] = {
        "", "0", "49", "60001", "-500", "0.5", "500ms", "4294967796",
    };

    set(f, "ovn-xdp-confirm-ms", "50", 0);
    assert_int_equal(f->settings.confirm_ms, 50);
    set(f, "ovn-xdp-confirm-ms", "60000", 0);
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        set(f, "ovn-xdp-confirm-ms", bad[i], 1);
        CHECK_PROBLEM(f, REASON_BAD_VALUE, "ovn-xdp-confirm-ms", bad[i],
                      "50 to 60000");
        assert_int_equal(f->settings.confirm_ms, 60000);
    }
    set(f, "ovn-xdp-confirm-ms", NULL, 0);
    assert_int_equal(f->settings.confirm_ms, 500);
}

/* ovn-xdp-max-flows, likewise. */
static void
test_max_flows(void **state)
{
    struct fixture *f = *state;
    static const char *const bad[] = {
        "", "0", "63", "4194305", "-64", "256k", "many",
    };

    set(f, "ovn-xdp-max-flows", "64", 0);
    assert_int_equal(f->settings.max_flows, 64);
    set(f, "ovn-xdp-max-flows", "4194304", 0);
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        set(f, "ovn-xdp-max-flows", bad[i], 1);
        CHECK_PROBLEM(f, REASON_BAD_VALUE, "ovn-xdp-max-flows", bad[i],
                      "64 to 4194304");
        assert_int_equal(f->settings.max_flows, 4194304);
    }
    set(f, "ovn-xdp-max-flows", NULL, 0);
    assert_int_equal(f->settings.max_flows, 262144);
}

/* Runs the tests. */
int
main(void)
{
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)
    static const struct CMUnitTest tests[] = {
        TEST(test_defaults),
        TEST(test_chassis),
        TEST(test_override),
        TEST(test_mode),
        TEST(test_bridge_port),
        TEST(test_acl),
        TEST(test_max_endpoints),
        TEST(test_stale_timeout),
        TEST(test_interfaces),
        TEST(test_interfaces_auto_alone),
        TEST(test_exclude),
        TEST(test_mappings),
        TEST(test_mappings_twice),
        TEST(test_probe_interval),
        TEST(test_bad_override),
        TEST(test_remotes),
        TEST(test_direct),
        TEST(test_hooks),
        TEST(test_confirm_ms),
        TEST(test_max_flows),
    };
#undef TEST

    return cmocka_run_group_tests_name("settings", tests, NULL, NULL);
}
