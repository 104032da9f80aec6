/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of plugin/view-explain.c and plugin/view-checks.c: why endpoints are
 * redirected or not. */

#include <config.h>

#include "plugin/view.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "openvswitch/dynamic-string.h"
#include "plugin/datapath-fake.h"
#include "plugin/limits.h"
#include "plugin/view-private.h"
#include "tests/plugin/values.h"
#include "tests/plugin/view-bed.h"
#include "util.h"

/* Checks that 'x' answers the question 'word' about 'address' by 'answer'. */
static void
check_answer(const struct view_explanation *x, const char *address,
             const char *word, enum view_answer answer)
{
    for (size_t i = 0; i < x->n_checks; i++) {
        const struct view_check *check = &x->checks[i];

        if (!strcmp(check->address, address) && !strcmp(check->check, word)) {
            assert_int_equal(check->answer, answer);
            assert_true(check->detail[0] != '\0');
            return;
        }
    }
    fail_msg("%s: no check %s", address, word);
}

/* Checks that 'subject' is explained as 'redirect', and that of the questions
 * about its 'address' only the one called 'wrong' up to "interface" is
 * answered by no, or none if that is NULL. */
static void
check_explanation(const struct view_bed *f, const char *subject,
                  const char *address, const char *redirect,
                  const char *wrong)
{
    static const char *const words[] = {
        "known", "up", "activated", "included", "unique", "held", "mapping",
        "bridge", "plugged", "tag", "target", "programmed", "interface",
    };
    struct view_explanation x;

    assert_true(view_get_explanation(&f->view, subject, &x));
    assert_string_equal(x.redirect, redirect);
    assert_string_equal(x.acl, "pass-only");
    assert_string_equal(x.direct, "off");
    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        bool is_wrong = wrong && !strcmp(words[i], wrong);

        /* What does not belong into the map is not there. */
        is_wrong |= wrong && !strcmp(words[i], "programmed");
        check_answer(&x, address, words[i], is_wrong ? VIEW_NO : VIEW_YES);
    }
    view_explanation_uninit(&x);
}

/* Why endpoints are redirected or not. */
static void
test_explain(void **state)
{
    struct view_bed *f = *state;
    struct view_explanation x;

    assert_true(view_get_explanation(&f->view, "172.24.100.50", &x));
    assert_string_equal(x.redirect, "unknown");
    view_explanation_uninit(&x);

    values_add_vm(&f->values, "vm1", 1, VM1 " 172.24.100.50 2001:db8::50");
    values_add_vm(&f->values, "vm2", 1, VM1 " 172.24.100.51")->up = false;
    values_add_vm(&f->values, "vm3", 1, VM1 " 172.24.100.52");
    values_add_vm(&f->values, "vm4", 1, VM2 " 172.24.100.52");
    values_add_vm(&f->values, "vm5", 1, VM2 " 172.24.100.53");
    values_add_localnet(&f->values, "provnet-2", "physnet1", 2, 4095);
    values_add_localnet(&f->values, "provnet-3", "physnet1", 3, -1);
    values_add_bridge(&f->values, "br-other", true);
    values_plug(&f->values, "br-other", "provnet-3");
    values_add_vm(&f->values, "vm6", 2, VM2 " 172.24.100.54");
    values_add_vm(&f->values, "vm7", 3, VM2 " 172.24.100.55");
    sset_add(&values_add_vm(&f->values, "vm8", 1, VM2)->port_security,
             VM2 " 172.24.100.56");
    values_set(&f->values, "ovn-xdp-exclude", "vm5");
    view_bed_update(f, 1);

    check_explanation(f, "172.24.100.50", "172.24.100.50", "offloaded", NULL);
    check_explanation(f, "2001:DB8:0::50", "2001:db8::50", "offloaded", NULL);
    check_explanation(f, "vm1", "2001:db8::50", "offloaded", NULL);
    check_explanation(f, "vm2", "172.24.100.51", "pending", "up");
    check_explanation(f, "172.24.100.52", "172.24.100.52", "ineligible",
                      "unique");
    check_explanation(f, "vm5", "172.24.100.53", "ineligible", "included");
    check_explanation(f, "vm6", "172.24.100.54", "ineligible", "tag");
    check_explanation(f, "vm7", "172.24.100.55", "pending", "plugged");
    check_explanation(f, "vm8", "172.24.100.56", "ineligible", "held");

    assert_true(view_get_explanation(&f->view, "vm1", &x));
    assert_int_equal(x.n_verdicts, 2);
    assert_string_equal(x.verdicts[0].address, "172.24.100.50");
    assert_string_equal(x.verdicts[1].address, "2001:db8::50");
    assert_string_equal(x.subject, "vm1");
    check_answer(&x, "172.24.100.50", "slow-path", VIEW_NO);
    view_explanation_uninit(&x);
}

/* A port with many addresses: the host is asked about the first ones only, and
 * the datapath never for all that it has. */
static void
test_explain_many(void **state)
{
    struct view_bed *f = *state;
    struct dp_class class = datapath_fake_class;
    struct ds mac = DS_EMPTY_INITIALIZER;
    size_t n_known = 0, n_asked = 0, n_skipped = 0;
    struct view_explanation x;

    ds_put_cstr(&mac, VM1);
    for (int i = 0; i < MAX_HOST_CHECKS + 4; i++) {
        ds_put_format(&mac, " 172.24.100.%d", 100 + i);
    }
    values_add_vm(&f->values, "vm1", 1, ds_cstr(&mac));
    ds_destroy(&mac);
    view_bed_update(f, 1);
    class.dump_endpoints = NULL;
    f->view.class = &class;
    assert_true(view_get_explanation(&f->view, "vm1", &x));
    assert_int_equal(x.n_verdicts, MAX_HOST_CHECKS + 4);
    for (size_t i = 0; i < x.n_checks; i++) {
        const struct view_check *check = &x.checks[i];
        bool host = !strcmp(check->check, "slow-path");
        n_known += !strcmp(check->check, "known");
        n_asked += host && check->answer != VIEW_UNKNOWN;
        if (host && check->answer == VIEW_UNKNOWN) {
            assert_non_null(strstr(check->fix, check->address));
            n_skipped++;
        }
    }
    assert_int_equal(n_known, MAX_HOST_CHECKS + 4);
    assert_int_equal(n_asked, MAX_HOST_CHECKS);
    assert_int_equal(n_skipped, 4);
    check_answer(&x, "172.24.100.115", "programmed", VIEW_YES);
    check_answer(&x, "172.24.100.116", "slow-path", VIEW_UNKNOWN);
    view_explanation_uninit(&x);
}

/* What is not known here, and what is no address. */
static void
test_explain_stranger(void **state)
{
    static const char *const bad[] = {
        "", "172.24.100.256", "10.0.0.1/24", "2001:db8::1::", "1:2",
        "fe80::1%2",
    };
    static const char *const unknown[] = {
        "172.24.100.99", "2001:db8::99", "0.0.0.0", "ff02::1", "nobody",
        "0b3d5d2a-3d3a-4d93-9c2a-6a5b7d0a9f10", "cafe", "a b",
    };
    struct view_bed *f = *state;
    struct view_explanation x;

    view_bed_update(f, 1);
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        assert_false(view_get_explanation(&f->view, bad[i], &x));
    }
    for (size_t i = 0; i < ARRAY_SIZE(unknown); i++) {
        assert_true(view_get_explanation(&f->view, unknown[i], &x));
        assert_string_equal(x.redirect, "unknown");
        assert_int_equal(x.n_verdicts, 0);
        assert_string_equal(x.checks[0].check, "known");
        assert_int_equal(x.checks[0].answer, VIEW_NO);
        view_explanation_uninit(&x);
    }
}

/* Runs the tests. */
int
main(void)
{
#define TEST(NAME)                                                          \
    cmocka_unit_test_setup_teardown(NAME, view_bed_setup, view_bed_teardown)
    static const struct CMUnitTest tests[] = {
        TEST(test_explain),
        TEST(test_explain_many),
        TEST(test_explain_stranger),
    };
#undef TEST

    return cmocka_run_group_tests_name("view-explain", tests, NULL, NULL);
}
