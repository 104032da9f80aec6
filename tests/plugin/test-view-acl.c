/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of plugin/view-acl.c and plugin/view-checks-acl.c: what operators see
 * of OVN's ACLs.  The rules are made by hand. */

#include <config.h>

#include "plugin/view.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "bpf/abi.h"
#include "hash.h"
#include "openvswitch/dynamic-string.h"
#include "plugin/acl-apply.h"
#include "plugin/acl.h"
#include "plugin/datapath-fake.h"
#include "plugin/desired.h"
#include "plugin/lease.h"
#include "plugin/problems.h"
#include "plugin/settings.h"
#include "plugin/view-private.h"
#include "plugin/watch.h"
#include "tests/plugin/view-bed.h"
#include "timeval.h"
#include "util.h"

/* A rule that lets some packets through, and one that drops. */
static struct acl_cube allow_cube, drop_cube;
static char allow_match[] = "ip4", drop_match[] = "ip";
static const struct acl_rule allow_rule = {
    .tier = 1, .priority = 1002, .action = ACL_ALLOW_RELATED,
    .flags = ACL_LOGGED | ACL_SAMPLED | ACL_BUILT_IN, .match = allow_match,
    .cubes = &allow_cube, .n_cubes = 1,
};
static const struct acl_rule drop_rule = {
    .priority = 1, .action = ACL_DROP, .match = drop_match,
    .cubes = &drop_cube, .n_cubes = 1,
};
static const struct acl_rule *rules[] = { &allow_rule, &drop_rule };
static struct acl_set set = {
    .stateful = true, .rules = rules, .n_rules = 2, .serial = 1,
};
static struct acl_set other_set = {
    .stateful = true, .rules = rules, .n_rules = 2, .serial = 2,
};

/* ACLs under test. */
struct bed {
    struct view_bed *view;      /* The chassis. */
    struct acl acl;             /* Its ports. */
    struct acl_apply *apply;    /* What the datapath has of them, or NULL. */
    struct watch *watch;        /* Of its bridges. */
    struct lease lease;         /* None. */
    struct acl_port ports[3];   /* Elements of that. */
};

/* Adds port 'i', called 'name', to the ACLs of 'f'. */
static struct acl_port *
add_port(struct bed *f, size_t i, const char *name, enum reason reason)
{
    struct acl_port *port = &f->ports[i];

    port->name = CONST_CAST(char *, name);
    port->reason = reason;
    hmap_insert(&f->acl.ports, &port->node, hash_string(name, 0));
    return port;
}

/* Prepares a struct bed: ports without known rules, with rules that are
 * understood, and with one that is not. */
static int
setup(void **state)
{
    struct bed *f = xzalloc(sizeof *f);

    acl_cube_init_any(&allow_cube);
    acl_cube_init_any(&drop_cube);
    allow_cube.ip6 = false;
    allow_cube.source.any = false;
    svec_clear(&allow_cube.source.atoms);
    svec_add(&allow_cube.source.atoms, "192.0.2.0/24");
    view_bed_setup((void **) &f->view);
    hmap_init(&f->acl.ports);
    hmap_init(&f->acl.sets);
    add_port(f, 0, "vm2", REASON_NONE)->set = &set;
    add_port(f, 1, "vm1", REASON_ACL_NO_RULES);
    add_port(f, 2, "vm3", REASON_ACL_MATCH)->set = &set;
    f->ports[2].token = CONST_CAST(char *, "ip.ttl");
    f->ports[2].column = 9;
    f->watch = watch_create(&datapath_fake_class, f->view->dp);
    f->view->view.acl = &f->acl;
    f->view->view.watch = f->watch;
    f->view->view.lease = &f->lease;
    *state = f;
    return 0;
}

/* Frees a struct bed. */
static int
teardown(void **state)
{
    struct bed *f = *state;

    watch_destroy(f->watch);
    acl_apply_destroy(f->apply);
    view_bed_teardown((void **) &f->view);
    hmap_destroy(&f->acl.ports);
    hmap_destroy(&f->acl.sets);
    acl_cube_destroy(&allow_cube);
    acl_cube_destroy(&drop_cube);
    free(f);
    return 0;
}

/* Has the bridges of 'f' be watched. */
static void
run_watch(struct bed *f)
{
    const struct watch_inputs inputs = {
        .enabled = true,
        .desired = f->view->desired,
        .ovs = &f->view->values.ovs,
        .devices = &f->view->values.devices,
    };

    watch_run(f->watch, &inputs, time_msec());
}

/* Checks that the ports that match 'filter' are 'expected', one line for each:
 * name, state, reason, token, column, number of rules. */
static void
check_acls(const struct bed *f, const char *filter, const char *expected)
{
    struct ds ds = DS_EMPTY_INITIALIZER;
    struct view_acls acls;

    assert_true(view_get_acls(&f->view->view, filter, &acls));
    for (size_t i = 0; i < acls.n; i++) {
        const struct view_acl_port *port = &acls.ports[i];

        ds_put_format(&ds, "%s %s %s \"%s\" %d %"PRIuSIZE"\n",
                      port->logical_port, port->state, port->reason,
                      port->token, port->column,
                      port->set ? port->set->n_rules : 0);
    }
    view_acls_uninit(&acls);
    assert_string_equal(ds_cstr(&ds), expected);
    ds_destroy(&ds);
}

/* Ports, with why their packets are left to OVN. */
static void
test_ports(void **state)
{
    struct bed *f = *state;
    struct view_acls acls;

    check_acls(f, NULL,
               "vm1 pass-only acl-no-rules \"\" 0 0\n"
               "vm2 pass-only acl-pending \"\" 0 2\n"
               "vm3 pass-only acl-match \"ip.ttl\" 9 2\n");
    check_acls(f, "vm3", "vm3 pass-only acl-match \"ip.ttl\" 9 2\n");

    /* Two of them have the same rules. */
    assert_true(view_get_acls(&f->view->view, NULL, &acls));
    assert_int_equal(acls.n_sets, 1);
    assert_null(acls.ports[0].set);
    assert_ptr_equal(acls.ports[1].set, acls.ports[2].set);
    view_acls_uninit(&acls);
    assert_false(view_get_acls(&f->view->view, "vm4", &acls));
    assert_false(view_get_acls(&f->view->view, "", &acls));
}

/* Nobody derives rules: it is off, or the daemon has just started.  The ports
 * are those of the Southbound, which has none here. */
static void
test_none(void **state)
{
    struct bed *f = *state;
    struct view_acls acls;

    check_acls(f, "vm1", "vm1 pass-only acl-no-rules \"\" 0 0\n");
    values_set(&f->view->values, "ovn-xdp-acl", "off");
    check_acls(f, NULL, "");
    assert_false(view_get_acls(&f->view->view, "vm1", &acls));
    values_set(&f->view->values, "ovn-xdp-acl", "drop");
    f->view->view.acl = NULL;
    check_acls(f, NULL, "");
}

/* Adds the rules of 'f' to the datapath, and returns their number there. */
static uint32_t
apply(struct bed *f)
{
    struct problems problems = PROBLEMS_INITIALIZER;
    struct sb_acl_view view;

    memset(&view, 0, sizeof view);
    hmap_init(&view.address_sets);
    hmap_insert(&f->acl.sets, &set.node, 0);
    f->apply = acl_apply_create(&datapath_fake_class, f->view->dp, 3);
    assert_int_equal(acl_apply_prepare(f->apply, &(struct acl_apply_inputs) {
                                           .acl = &f->acl, .view = &view },
                                       &problems), 0);
    assert_int_equal(problems.n, 0);
    f->view->view.acl_apply = f->apply;
    hmap_remove(&f->acl.sets, &set.node);
    hmap_destroy(&view.address_sets);
    problems_destroy(&problems);
    return acl_apply_id(f->apply, &set);
}

/* Rules that the datapath has, with their hits. */
static void
test_applied(void **state)
{
    struct bed *f = *state;
    uint32_t id = apply(f);
    struct view_vitals vitals;
    struct view_acls acls;

    assert_true(id >= 3);
    check_acls(f, "vm2", "vm2 enforced  \"\" 0 2\n");
    check_acls(f, "vm3", "vm3 pass-only acl-match \"ip.ttl\" 9 2\n");
    dp_fake_count_acl(f->view->dp, id, 1, 5);
    assert_true(view_get_acls(&f->view->view, "vm2", &acls));
    assert_int_equal(acls.sets[0].rules[0].hits, 0);
    assert_int_equal(acls.sets[0].rules[1].hits, 5);
    view_acls_uninit(&acls);

    view_get_vitals(&f->view->view, &vitals);
    assert_string_equal(vitals.maps[4].name, "acl_sets");
    assert_int_equal(vitals.maps[4].used, 1);
    assert_string_equal(vitals.maps[5].name, "acl_sources");
    assert_int_equal(vitals.maps[5].used, 1);

    /* One that is not there. */
    f->ports[0].set = &other_set;
    check_acls(f, "vm2", "vm2 pass-only acl-pending \"\" 0 2\n");
    values_set(&f->view->values, "ovn-xdp-acl", "off");
    assert_false(view_get_acls(&f->view->view, "vm2", &acls));
}

/* All that is shown of rules. */
static void
test_rules(void **state)
{
    struct bed *f = *state;
    struct view_acls acls;

    assert_true(view_get_acls(&f->view->view, "vm2", &acls));
    assert_string_equal(acls.mode, "count");
    assert_true(acls.ports[0].set->stateful);

    const struct view_acl_rule *rule = &acls.ports[0].set->rules[0];
    assert_string_equal(rule->direction, "to-lport");
    assert_int_equal(rule->tier, 1);
    assert_int_equal(rule->priority, 1002);
    assert_string_equal(rule->action, "allow-related");
    assert_string_equal(rule->protocol, "any");
    assert_string_equal(rule->source, "192.0.2.0/24");
    assert_string_equal(rule->ports, "");
    assert_string_equal(rule->icmp, "");
    assert_string_equal(rule->match, "ip4");
    assert_int_equal(rule->n_flags, 3);
    assert_string_equal(rule->flags[0], "logged");
    assert_string_equal(rule->flags[1], "sampled");
    assert_string_equal(rule->flags[2], "built-in");
    assert_int_equal(rule->hits, 0);
    assert_string_equal(rule[1].action, "drop");
    assert_int_equal(rule[1].n_flags, 0);
    view_acls_uninit(&acls);
}

/* Too many rules for a list are left out of it. */
static void
test_many_rules(void **state)
{
    struct acl_set many = { .stateful = true, .serial = 3 };
    struct bed *f = *state;
    struct view_acls acls;

    f->ports[0].set = &many;
    many.n_rules = VIEW_MAX_ACL_RULES - 1;
    assert_true(view_get_acls(&f->view->view, NULL, &acls));
    assert_int_equal(acls.n, 3);
    assert_true(acls.ports[1].set->stateful);
    assert_int_equal(acls.ports[1].set->n_rules, VIEW_MAX_ACL_RULES - 1);
    assert_null(acls.ports[1].set->rules);
    assert_null(acls.ports[2].set->rules);
    view_acls_uninit(&acls);

    /* One port is always shown in full, and a list that is not too long. */
    assert_true(view_get_acls(&f->view->view, "vm3", &acls));
    assert_non_null(acls.ports[0].set->rules);
    view_acls_uninit(&acls);
    many.rules = xcalloc(VIEW_MAX_ACL_RULES, sizeof *many.rules);
    many.n_rules = VIEW_MAX_ACL_RULES - 2;
    for (size_t i = 0; i < many.n_rules; i++) {
        many.rules[i] = &drop_rule;
    }
    assert_true(view_get_acls(&f->view->view, NULL, &acls));
    assert_non_null(acls.ports[1].set->rules);
    view_acls_uninit(&acls);
    free(many.rules);
}

/* Checks what becomes of packets to 'address' that ACLs would drop. */
static void
check_state(const struct bed *f, const char *address, const char *state,
            const char *reason)
{
    struct view_endpoints list;

    view_get_endpoints(&f->view->view, address, &list);
    assert_int_equal(list.n, 1);
    assert_string_equal(list.endpoints[0].acl, state);
    assert_string_equal(list.endpoints[0].acl_reason, reason);
    view_endpoints_uninit(&list);
}

/* States of addresses, and what was dropped for them. */
static void
test_endpoints(void **state)
{
    struct bed *f = *state;
    struct dp_key key = values_key("172.24.100.51");
    struct view_endpoints list;

    values_add_vm(&f->view->values, "vm1", 1, VM1 " 172.24.100.50");
    values_add_vm(&f->view->values, "vm2", 1, VM2 " 172.24.100.51");
    values_add_vm(&f->view->values, "vm9", 1, VM2 " 172.24.100.52")->up
        = false;
    view_bed_update(f->view, 1);
    check_state(f, "172.24.100.50", "pass-only", "acl-pending");
    desired_set_acl(f->view->desired, &key, 7, REASON_NONE);
    check_state(f, "172.24.100.51", "counted", "");
    check_state(f, "172.24.100.52", "pass-only", "port-down");
    values_set(&f->view->values, "ovn-xdp-acl", "drop");
    check_state(f, "172.24.100.51", "enforced", "");
    desired_set_acl(f->view->desired, &key, 0, REASON_ACL_TRANSLATED);
    check_state(f, "172.24.100.51", "pass-only", "acl-translated");
    values_set(&f->view->values, "ovn-xdp-acl", "off");
    check_state(f, "172.24.100.51", "off", "acl-off");

    dp_fake_count_drops(f->view->dp, &key, 3, 180);
    view_get_endpoints(&f->view->view, NULL, &list);
    assert_int_equal(list.endpoints[0].drops, 0);
    assert_int_equal(list.endpoints[1].drops, 3);
    view_endpoints_uninit(&list);
}

/* Returns the answer of 'x' to the question 'word', as text, "" if it was not
 * asked. */
static const char *
answer(const struct view_explanation *x, const char *word)
{
    for (size_t i = 0; i < x->n_checks; i++) {
        if (!strcmp(x->checks[i].check, word)) {
            return (x->checks[i].answer == VIEW_YES ? "yes"
                    : x->checks[i].answer == VIEW_NO ? "no" : "?");
        }
    }
    return "";
}

/* Checks the verdict about 'subject', and the answers to "rules", "watched"
 * and "lease", with words from the detail of the first, if any. */
static void
check_explanation(const struct bed *f, const char *subject,
                  const char *verdict, const char *expected,
                  const char *detail)
{
    struct view_explanation x;
    bool found = !detail[0];
    char *actual;

    assert_true(view_get_explanation(&f->view->view, subject, &x));
    assert_string_equal(x.acl, verdict);
    assert_string_equal(answer(&x, "acl"), "yes");
    actual = xasprintf("%s %s %s", answer(&x, "rules"), answer(&x, "watched"),
                       answer(&x, "lease"));
    assert_string_equal(actual, expected);
    free(actual);
    for (size_t i = 0; i < x.n_checks; i++) {
        found |= (!strcmp(x.checks[i].check, "rules")
                  && strstr(x.checks[i].detail, detail));
    }
    assert_true(found);
    view_explanation_uninit(&x);
}

/* Checks that the command to look at the rules of 'subject' has 'words'. */
static void
check_fix(const struct bed *f, const char *subject, const char *words)
{
    struct view_explanation x;
    bool found = false;

    assert_true(view_get_explanation(&f->view->view, subject, &x));
    for (size_t i = 0; i < x.n_checks; i++) {
        found |= (!strcmp(x.checks[i].check, "rules") && x.checks[i].fix
                  && strstr(x.checks[i].fix, words));
    }
    assert_true(found);
    view_explanation_uninit(&x);
}

/* Where to look: in the flows of the port's switch, or elsewhere. */
static void
test_fix(void **state)
{
    struct bed *f = *state;
    struct dp_key key = values_key("172.24.100.53");

    values_add_vm(&f->view->values, "vm3", 1, VM2 " 172.24.100.53");
    view_bed_update(f->view, 1);
    desired_set_acl(f->view->desired, &key, 0, REASON_ACL_MATCH);
    check_fix(f, "vm3", "lflow-list 00000000-");
    desired_set_acl(f->view->desired, &key, 0, REASON_ACL_ACTIONS);
    check_fix(f, "vm3", "lflow-list | grep");
    desired_set_acl(f->view->desired, &key, 0, REASON_ACL_TRANSLATED);
    check_fix(f, "vm3", "|ip_routing)");
    f->ports[2].reason = REASON_ACL_PORT;
    desired_set_acl(f->view->desired, &key, 0, REASON_ACL_PORT);
    check_fix(f, "vm3", "logical_port=vm3;");
}

/* Why packets are left to OVN. */
static void
test_explain(void **state)
{
    struct bed *f = *state;
    struct dp_key key = values_key("172.24.100.51");
    struct dp_key router = values_key("9.0.0.1");

    values_add_vm(&f->view->values, "vm2", 1, VM1 " 172.24.100.51");
    values_add_vm(&f->view->values, "vm3", 1, VM2 " 172.24.100.53");
    values_add_vm(&f->view->values, "vm9", 1, VM2 " 172.24.100.59")->up
        = false;
    values_add_router(&f->view->values, "gw", 1, GW " 9.0.0.1/8", NULL);
    view_bed_update(f->view, 1);

    check_explanation(f, "vm9", "pass-only", "  ", "");
    check_explanation(f, "vm2", "pass-only", "no  ", "not been received");
    desired_set_acl(f->view->desired, &key, 0, REASON_ACL_NO_RULES);
    check_explanation(f, "vm2", "pass-only", "yes  ", "No rule");
    desired_set_acl(f->view->desired, &router, 0, REASON_ACL_PORT);
    check_explanation(f, "9.0.0.1", "pass-only", "yes  ", "VM");
    desired_set_acl(f->view->desired, &key, 0, REASON_ACL_PORT);
    check_explanation(f, "vm2", "pass-only", "no  ", "VM");

    key = values_key("172.24.100.53");
    desired_set_acl(f->view->desired, &key, 0, REASON_ACL_MATCH);
    check_explanation(f, "vm3", "pass-only", "no  ",
                      "\"ip.ttl\" at column 9");
    desired_set_acl(f->view->desired, &key, 0, REASON_ACL_TRANSLATED);
    check_explanation(f, "vm3", "pass-only", "no  ", "translates");
    f->ports[2].reason = REASON_ACL_PORT;
    f->ports[2].token = CONST_CAST(char *, "mirror_rules");
    f->ports[2].column = 0;
    desired_set_acl(f->view->desired, &key, 0, REASON_ACL_PORT);
    check_explanation(f, "vm3", "pass-only", "no  ",
                      "It is \"mirror_rules\".");
    desired_set_acl(f->view->desired, &key, 0, REASON_ACL_NEW);
    check_explanation(f, "vm3", "pass-only", "no  ",
                      "come through.  That passes by itself, within 150 s.");

    /* They are not; then it is about time. */
    key = values_key("172.24.100.51");
    desired_set_acl(f->view->desired, &key, 7, REASON_NONE);
    check_explanation(f, "vm2", "counted", "yes no no",
                      "2 rules of port vm2 decide about new TCP connections, "
                      "1 of them drop");
    run_watch(f);
    check_explanation(f, "vm2", "counted", "yes no no", "");
    watch_settle(f->watch);
    run_watch(f);
    check_explanation(f, "vm2", "counted", "yes yes no", "");
    f->lease.until = time_msec() + 60000;
    values_set(&f->view->values, "ovn-xdp-acl", "drop");
    check_explanation(f, "vm2", "enforced", "yes yes yes", "");

    /* A lease that is over, or that was taken back. */
    f->lease.until = time_msec() - 1;
    for (int i = LEASE_GIVEN; i <= LEASE_UNSETTLED; i++) {
        f->lease.state = i;
        check_explanation(f, "vm2", "enforced", "yes yes no", "");
    }

    values_set(&f->view->values, "ovn-xdp-acl", "off");
    check_explanation(f, "vm2", "off", "  ", "");
    check_explanation(f, "9.0.0.1", "off", "  ", "");
}

/* The verdict about a port is the worst of those about its addresses. */
static void
test_verdict(void **state)
{
    struct bed *f = *state;
    struct dp_key key = values_key("172.24.100.51");
    struct view_explanation x;

    values_add_vm(&f->view->values, "vm2", 1,
                  VM1 " 172.24.100.50 172.24.100.51 172.24.100.52");
    view_bed_update(f->view, 1);
    desired_set_acl(f->view->desired, &key, 7, REASON_NONE);
    assert_true(view_get_explanation(&f->view->view, "vm2", &x));
    assert_string_equal(x.acl, "pass-only");
    assert_string_equal(x.verdicts[0].acl, "pass-only");
    assert_string_equal(x.verdicts[0].acl_reason, "acl-pending");
    assert_string_equal(x.verdicts[1].acl, "counted");
    assert_string_equal(x.verdicts[1].acl_reason, "");
    view_explanation_uninit(&x);

    assert_true(view_get_explanation(&f->view->view, "nobody", &x));
    assert_string_equal(x.acl, "pass-only");
    view_explanation_uninit(&x);
    values_set(&f->view->values, "ovn-xdp-acl", "off");
    assert_true(view_get_explanation(&f->view->view, "nobody", &x));
    assert_string_equal(x.acl, "off");
    view_explanation_uninit(&x);
}

/* Problems and settings of the layer are in the status, and vital signs. */
static void
test_status(void **state)
{
    struct bed *f = *state;
    struct problems problems = PROBLEMS_INITIALIZER;
    struct view_vitals vitals;
    struct view_status status;
    size_t n = 0;

    problems_add(&problems, REASON_ACL_LIMIT, "too much");
    f->view->view.acl_problems = &problems;
    view_get_status(&f->view->view, &status);
    for (size_t i = 0; i < status.n_problems; i++) {
        n += !strcmp(status.problems[i].class, "acl-limit");
    }
    assert_int_equal(n, 1);
    n = 0;
    for (size_t i = 0; i < status.n_settings; i++) {
        n += (!strcmp(status.settings[i].key, "ovn-xdp-acl")
              && !strcmp(status.settings[i].value, "count"));
    }
    assert_int_equal(n, 1);
    view_status_uninit(&status);
    problems_destroy(&problems);

    view_get_vitals(&f->view->view, &vitals);
    assert_false(vitals.acl_lease);
    f->lease.until = time_msec() + 60000;
    view_get_vitals(&f->view->view, &vitals);
    assert_true(vitals.acl_lease);
    assert_string_equal(vitals.maps[3].name, "opened");
    assert_int_equal(vitals.maps[3].used, 0);
    assert_int_equal(vitals.maps[3].size, OX_MAX_OPENED);
}

/* Runs the tests. */
int
main(void)
{
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)
    static const struct CMUnitTest tests[] = {
        TEST(test_ports),
        TEST(test_none),
        TEST(test_applied),
        TEST(test_rules),
        TEST(test_many_rules),
        TEST(test_endpoints),
        TEST(test_explain),
        TEST(test_fix),
        TEST(test_verdict),
        TEST(test_status),
    };
#undef TEST

    return cmocka_run_group_tests_name("view-acl", tests, NULL, NULL);
}
