/* SPDX-License-Identifier: Apache-2.0 */
/* How long an address is new, and what makes it so again. */
#include <config.h>

#include "plugin/newcomers.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "bpf/abi.h"
#include "openvswitch/dynamic-string.h"
#include "packets.h"
#include "plugin/acl.h"
#include "plugin/desired.h"
#include "sset.h"
#include "tests/plugin/values.h"
#include "util.h"

#define VM "fa:16:3e:00:00:51"

/* How long an address is new, in ms. */
#define NEW_MS (OX_OPENED_SYN_S * 1000LL)

/* When a test begins. */
#define T0 1000

/* What every test works on. */
static struct newcomers *all;

/* Starts with none. */
static int
setup(void **state OVS_UNUSED)
{
    all = newcomers_create();
    return 0;
}

static int
teardown(void **state OVS_UNUSED)
{
    newcomers_destroy(all);
    return 0;
}

/* Has 'address' of 'port', of 'kind', which leads to 'behind', judged at
 * 'now'. */
static bool
judge_behind(const char *address, const char *port, enum endpoint_kind kind,
             const struct acl_behind *behind, bool known, long long int now)
{
    char *name = xstrdup(port);
    const struct desired_endpoint ep = {
        .key = values_key(address), .kind = kind, .logical_port = name,
    };
    bool old = newcomers_judge(all, &ep, behind, known, now);

    free(name);
    return old;
}

/* Likewise, which always leads to the same. */
static bool
judge_kind(const char *address, const char *port, enum endpoint_kind kind,
           bool known, long long int now)
{
    return judge_behind(address, port, kind,
                        &(struct acl_behind) { "vm0", in6addr_any }, known,
                        now);
}

/* Has 10.0.0.1 judged at 'now', a floating IP resident with a gateway that
 * leads to 'inside' of 'port'. */
static bool
judge_central(const char *port, const char *inside, bool known,
              long long int now)
{
    struct dp_key key = values_key(inside);

    return judge_behind("10.0.0.1", "cr-lrp", ENDPOINT_FIP_CENTRALISED,
                        &(struct acl_behind) { port, key.addr }, known, now);
}

/* Has it judged at 'now' while it is not known where it leads to. */
static bool
judge_unknown(bool known, long long int now)
{
    return judge_behind("10.0.0.1", "cr-lrp", ENDPOINT_FIP_CENTRALISED, NULL,
                        known, now);
}

/* Likewise, a floating IP. */
static bool
judge(const char *address, const char *port, bool known, long long int now)
{
    return judge_kind(address, port, ENDPOINT_FIP_DISTRIBUTED, known, now);
}

/* Adds 'key' to the struct sset 'seen_'. */
static void
note_key(const struct dp_key *key, void *seen_)
{
    struct ds ds = DS_EMPTY_INITIALIZER;
    struct sset *seen = seen_;

    ipv6_format_mapped(&key->addr, &ds);
    assert_true(sset_add(seen, ds_cstr(&ds)));
    ds_destroy(&ds);
}

/* Checks that the addresses that cease to be new at 'now' are 'expected', in
 * alphabetical order. */
static void
check_run(long long int now, const char *expected)
{
    struct sset seen = SSET_INITIALIZER(&seen);
    struct ds ds = DS_EMPTY_INITIALIZER;

    newcomers_run(all, now, note_key, &seen);
    const char **sorted = sset_sort(&seen);
    for (size_t i = 0; i < sset_count(&seen); i++) {
        ds_put_format(&ds, "%s%s", i ? " " : "", sorted[i]);
    }
    assert_string_equal(ds_cstr(&ds), expected);
    free(sorted);
    ds_destroy(&ds);
    sset_destroy(&seen);
}

/* An address is new for as long as a SYN waits for its answer; then it is
 * called up, once. */
static void
test_new(void **state OVS_UNUSED)
{
    assert_int_equal(newcomers_next(all), LLONG_MAX);
    check_run(LLONG_MAX, "");
    assert_false(judge("10.0.0.1", "vm1", false, T0));
    assert_int_equal(newcomers_next(all), T0 + NEW_MS);
    assert_false(judge("10.0.0.2", "vm1", false, T0 + 5));
    assert_int_equal(newcomers_next(all), T0 + NEW_MS);

    /* That somebody has judged it in the meantime changes nothing. */
    assert_false(judge("10.0.0.1", "vm1", true, T0 + NEW_MS - 1));
    check_run(T0 + NEW_MS - 1, "");
    check_run(T0 + NEW_MS, "10.0.0.1");
    assert_true(judge("10.0.0.1", "vm1", false, T0 + NEW_MS));
    assert_false(judge("10.0.0.2", "vm1", false, T0 + NEW_MS));
    assert_int_equal(newcomers_next(all), T0 + NEW_MS + 5);
    check_run(T0 + NEW_MS + 4, "");
    check_run(T0 + NEW_MS + 50, "10.0.0.2");
    assert_int_equal(newcomers_next(all), LLONG_MAX);
    check_run(LLONG_MAX, "");
    assert_true(judge("10.0.0.2", "vm1", false, T0 + NEW_MS + 50));
}

/* What is judged late is not new any more, even if it was not called up. */
static void
test_late(void **state OVS_UNUSED)
{
    assert_false(judge("10.0.0.1", "vm1", false, T0));
    assert_true(judge("10.0.0.1", "vm1", false, T0 + NEW_MS));
    check_run(T0 + NEW_MS, "10.0.0.1");
}

/* What a former daemon has judged is not new. */
static void
test_known(void **state OVS_UNUSED)
{
    assert_true(judge("10.0.0.1", "vm1", true, T0));
    assert_int_equal(newcomers_next(all), LLONG_MAX);
    assert_true(judge("10.0.0.1", "vm1", false, T0 + 1));
    assert_false(judge("10.0.0.2", "vm1", false, T0));
    assert_true(judge("10.0.0.3", "vm1", true, T0));
    assert_int_equal(newcomers_next(all), T0 + NEW_MS);
    check_run(T0 + NEW_MS, "10.0.0.2");
}

/* An address that goes to another VM, or is had in another way, is new again,
 * and what the former daemon judged was not that. */
static void
test_moved(void **state OVS_UNUSED)
{
    assert_true(judge("10.0.0.1", "vm1", true, T0));
    assert_false(judge("10.0.0.1", "vm2", true, T0 + 1));
    assert_int_equal(newcomers_next(all), T0 + 1 + NEW_MS);
    check_run(T0 + 1 + NEW_MS, "10.0.0.1");
    assert_true(judge("10.0.0.1", "vm2", false, T0 + 1 + NEW_MS));
    assert_false(judge_kind("10.0.0.1", "vm2", ENDPOINT_VM, true,
                            T0 + 2 + NEW_MS));
    assert_int_equal(newcomers_next(all), T0 + 2 + 2 * NEW_MS);

    /* It is once more, before that has passed. */
    assert_false(judge("10.0.0.1", "vm2", false, T0 + 9 + NEW_MS));
    check_run(T0 + 2 + 2 * NEW_MS, "");
    check_run(T0 + 9 + 2 * NEW_MS, "10.0.0.1");
}

/* The same address with another VLAN is another one. */
static void
test_vlan(void **state OVS_UNUSED)
{
    char port[] = "vm1";
    struct desired_endpoint ep = {
        .key = values_key("10.0.0.1"), .logical_port = port,
    };
    struct acl_behind behind = { port, ep.key.addr };

    assert_true(newcomers_judge(all, &ep, &behind, true, T0));
    ep.key.vlan = 7;
    assert_false(newcomers_has(all, &ep.key));
    assert_false(newcomers_judge(all, &ep, &behind, false, T0));
    assert_true(newcomers_has(all, &ep.key));
    newcomers_forget(all, &ep.key);
    assert_false(newcomers_has(all, &ep.key));
    ep.key.vlan = 0;
    assert_true(newcomers_judge(all, &ep, &behind, false, T0));
}

/* A floating IP that leads to another VM, or another address, is new again,
 * though the gateway that it is resident with is the same. */
static void
test_behind(void **state OVS_UNUSED)
{
    assert_true(judge_central("vm1", "10.1.0.3", true, T0));
    assert_true(judge_central("vm1", "10.1.0.3", false, T0 + 1));
    assert_false(judge_central("vm2", "10.1.0.3", true, T0 + 2));
    assert_true(judge_central("vm2", "10.1.0.3", false, T0 + 2 + NEW_MS));
    assert_false(judge_central("vm2", "10.1.0.4", true, T0 + 3 + NEW_MS));
    assert_true(judge_central("vm2", "10.1.0.4", false, T0 + 3 + 2 * NEW_MS));
    assert_false(judge_central("", "::", true, T0 + 4 + 2 * NEW_MS));
    assert_false(judge_central("vm2", "10.1.0.4", true, T0 + 5 + 2 * NEW_MS));
}

/* While it is not known where it leads to, what was known stays. */
static void
test_behind_unknown(void **state OVS_UNUSED)
{
    struct dp_key key = values_key("10.0.0.1");

    /* The time does not begin. */
    assert_false(judge_unknown(false, T0));
    assert_int_equal(newcomers_next(all), LLONG_MAX);
    assert_false(judge_central("vm1", "10.1.0.3", false, T0 + NEW_MS));
    assert_false(judge_unknown(false, T0 + 2 * NEW_MS - 1));
    assert_true(judge_unknown(false, T0 + 2 * NEW_MS));
    assert_true(judge_central("vm1", "10.1.0.3", false, T0 + 2 * NEW_MS));
    assert_false(judge_central("vm2", "10.1.0.3", false, T0 + 2 * NEW_MS));

    /* A former daemon's judgement holds for whom is found first. */
    newcomers_forget(all, &key);
    assert_true(judge_unknown(true, T0));
    assert_true(judge_unknown(false, T0));
    assert_true(judge_central("vm1", "10.1.0.3", false, T0));
    assert_false(judge_central("vm2", "10.1.0.3", false, T0));
}

/* An address that has gone is new when it comes back. */
static void
test_forget(void **state OVS_UNUSED)
{
    struct dp_key key = values_key("10.0.0.1");

    newcomers_forget(all, &key);
    assert_true(judge("10.0.0.1", "vm1", true, T0));
    assert_true(judge("10.0.0.2", "vm1", true, T0));
    newcomers_forget(all, &key);
    assert_false(judge("10.0.0.1", "vm1", false, T0));
    assert_true(judge("10.0.0.2", "vm1", false, T0));
    newcomers_forget(all, &key);
    check_run(T0 + NEW_MS, "");
    assert_int_equal(newcomers_next(all), LLONG_MAX);
}

/* So is one that is not desired any more. */
static void
test_sweep(void **state OVS_UNUSED)
{
    struct values values;

    values_init_cloud(&values);
    values_add_vm(&values, "vm1", 1, VM " 172.24.100.51");
    struct desired *desired = values_derive(&values);
    struct dp_key key = values_key("172.24.100.51");
    assert_non_null(desired_find_endpoint(desired, &key));

    assert_true(judge("172.24.100.51", "vm1", true, T0));
    assert_true(judge("172.24.100.52", "vm1", true, T0));
    assert_true(judge("172.24.100.53", "vm1", true, T0));
    newcomers_sweep(all, desired);
    assert_true(judge("172.24.100.51", "vm1", false, T0 + 1));
    assert_false(judge("172.24.100.52", "vm1", false, T0 + 1));
    assert_false(judge("172.24.100.53", "vm1", false, T0 + 1));
    desired_destroy(desired);
    values_destroy(&values);
}

/* All that are new cease to be at once; those that come later do not. */
static void
test_settle(void **state OVS_UNUSED)
{
    newcomers_settle(all);
    assert_int_equal(newcomers_next(all), LLONG_MAX);
    assert_true(judge("10.0.0.1", "vm1", true, T0));
    newcomers_settle(all);
    assert_int_equal(newcomers_next(all), LLONG_MAX);
    assert_false(judge("10.0.0.2", "vm1", false, T0));
    assert_false(judge("10.0.0.3", "vm1", false, T0));
    newcomers_settle(all);
    assert_true(newcomers_next(all) <= T0);
    assert_false(judge("10.0.0.4", "vm1", false, T0));
    check_run(T0, "10.0.0.2 10.0.0.3");
    assert_int_equal(newcomers_next(all), T0 + NEW_MS);
    assert_true(judge("10.0.0.2", "vm1", false, T0));
    assert_false(judge("10.0.0.4", "vm1", false, T0));
}

/* Forgets 'key', which is called up, and counts it in 'n_'. */
static void
forget_key(const struct dp_key *key, void *n_)
{
    size_t *n = n_;

    ++*n;
    newcomers_forget(all, key);
    newcomers_forget(all, key);
}

/* Who is called up may be forgotten then. */
static void
test_run_forgets(void **state OVS_UNUSED)
{
    size_t n = 0;

    for (size_t i = 0; i < 100; i++) {
        char *address = xasprintf("10.0.0.%"PRIuSIZE, i);

        assert_false(judge(address, "vm1", false, T0));
        free(address);
    }
    newcomers_run(all, T0 + NEW_MS, forget_key, &n);
    assert_int_equal(n, 100);
    assert_int_equal(newcomers_next(all), LLONG_MAX);
    assert_false(judge("10.0.0.7", "vm1", false, T0 + NEW_MS));
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_new, setup, teardown),
        cmocka_unit_test_setup_teardown(test_late, setup, teardown),
        cmocka_unit_test_setup_teardown(test_known, setup, teardown),
        cmocka_unit_test_setup_teardown(test_moved, setup, teardown),
        cmocka_unit_test_setup_teardown(test_vlan, setup, teardown),
        cmocka_unit_test_setup_teardown(test_behind, setup, teardown),
        cmocka_unit_test_setup_teardown(test_behind_unknown, setup, teardown),
        cmocka_unit_test_setup_teardown(test_forget, setup, teardown),
        cmocka_unit_test_setup_teardown(test_sweep, setup, teardown),
        cmocka_unit_test_setup_teardown(test_settle, setup, teardown),
        cmocka_unit_test_setup_teardown(test_run_forgets, setup, teardown),
    };

    newcomers_destroy(NULL);
    return cmocka_run_group_tests_name("newcomers", tests, NULL, NULL);
}
