/* SPDX-License-Identifier: Apache-2.0 */
/* Rules and sources on their way to the datapath: whatever changes, and in
 * which order, packets are judged by what was or what is, and in the end by
 * what is. */
#include <config.h>

#include "plugin/acl-apply.h"

#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "packets.h"
#include "random.h"
#include "simap.h"
#include "timeval.h"
#include "util.h"

#include "plugin/datapath-fake.h"
#include "plugin/problems.h"
#include "tests/plugin/apply-bed.h"

/* Asserts that a datapath that never had anything else would hold as much. */
static void
assert_as_fresh(struct bed *bed)
{
    static const struct dp_config other = { "fresh", 16 };
    size_t old[3], new[3];
    struct acl_apply *apply;
    struct dp *dp;

    assert_int_equal(datapath_fake_class.open(&other, &dp), 0);
    apply = acl_apply_create(&datapath_fake_class, dp, 1);
    assert_int_equal(bed_prepare(bed, apply, NULL), 0);
    acl_apply_finish(apply);
    dp_fake_acl_usage(bed->dp, &old[0], &old[1], &old[2]);
    dp_fake_acl_usage(dp, &new[0], &new[1], &new[2]);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(old[i], new[i]);
    }
    acl_apply_destroy(apply);
    datapath_fake_class.close(dp, true);
}

/* Changes address sets at random, and notes their names in 'changed'. */
static void
change_members(struct bed *bed, struct sset *changed)
{
    for (int n = random_range(8); n > 0; n--) {
        int set = random_range(ACL_RANDOM_SETS);
        char *name = xasprintf("as%d", set);

        acl_random_members_change(&bed->members, set);
        sset_add_and_free(changed, name);
    }
    bed_fill_view(bed);
}

/* Gives ports other rules at random: new ones, or those of another port. */
static void
change_ports(struct bed *bed)
{
    int i = random_range(N_PORTS);

    if (random_range(3)) {
        return;
    }
    bed->ports[i].set = (random_range(2)
                         ? bed->ports[random_range(N_PORTS)].set
                         : random_range(5) ? acl_random_set(12, true) : NULL);
}

/* Does the first half until it succeeds, although the datapath may refuse
 * some operations. */
static void
prepare_stubbornly(struct bed *bed, struct sset *changed)
{
    int error;

    do {
        if (!random_range(3)) {
            dp_fake_fail_next(bed->dp, EIO);
        }
        error = bed_prepare(bed, bed->apply, changed);
        sset_clear(changed);
        assert_true(!error || error == EIO);
    } while (error);
    dp_fake_fail_next(bed->dp, 0);
}

/* Does one random update. */
static void
update(struct bed *bed)
{
    struct sset changed = SSET_INITIALIZER(&changed);

    change_members(bed, &changed);
    change_ports(bed);
    bed_watch(bed);
    prepare_stubbornly(bed, &changed);
    for (int i = 0; i < N_PORTS; i++) {
        bed_look();
        bed_switch_port(bed, &bed->ports[i]);
    }
    bed_look();
    acl_apply_finish(bed->apply);
    bed_look();
    bed_watch(NULL);
    bed_settle(bed);
    sset_destroy(&changed);
}

/* Random histories. */
static void
test_histories(void **state OVS_UNUSED)
{
    for (int seed = 1; seed <= 12; seed++) {
        struct bed bed;

        random_set_seed(seed);
        bed_init(&bed);
        for (int step = 0; step < 60; step++) {
            update(&bed);
            bed_assert_exact(&bed);
            assert_as_fresh(&bed);
        }
        bed_destroy(&bed);
    }
}

/* Prepares, and stores in 'problems' what does not fit. */
static void
prepare_with(struct bed *bed, struct problems *problems)
{
    assert_int_equal(bed_prepare_by(bed, bed->apply, NULL, problems), 0);
}

/* Members come and go at once, and prefixes lie in each other: a packet that
 * is allowed before and afterwards, by whichever member, is not dropped in
 * between. */
static void
test_order(void **state OVS_UNUSED)
{
    struct acl_set *set;
    struct sset *sets;
    struct bed bed;

    random_set_seed(1);
    bed_init(&bed);
    sets = bed.members.sets;
    set = acl_random_set(1, true);
    acl_rule_destroy(CONST_CAST(struct acl_rule *, set->rules[0]));
    set->rules = xrealloc(set->rules, 4 * sizeof *set->rules);
    set->rules[0] = bed_rule_for(0, ACL_ALLOW, "$as0");
    set->rules[1] = bed_rule_for(1, ACL_DROP, "$as1");
    set->rules[2] = bed_rule_for(2, ACL_ALLOW, "10.0.0.0/8");
    set->rules[3] = bed_rule_for(3, ACL_DROP, NULL);
    set->n_rules = 4;
    bed.ports[0].set = set;

    for (int round = 0; round < 20; round++) {
        /* A shorter prefix is replaced by longer ones in it, and back. */
        sset_add(&sets[0], "10.0.0.0/24");
        sset_add(&sets[1], "10.0.0.0/24");
        bed_update_members(&bed);
        sset_find_and_delete(&sets[0], "10.0.0.0/24");
        sset_add(&sets[0], "10.0.0.1");
        sset_add(&sets[0], "10.0.0.2");
        bed_update_members(&bed);
        sset_find_and_delete(&sets[0], "10.0.0.1");
        sset_find_and_delete(&sets[0], "10.0.0.2");
        sset_add(&sets[0], "10.0.0.0/24");
        bed_update_members(&bed);

        /* All go. */
        sset_clear(&sets[0]);
        sset_add(&sets[0], "10.0.0.1");
        sset_add(&sets[0], "10.0.0.2");
        bed_update_members(&bed);
        sset_clear(&sets[0]);
        sset_clear(&sets[1]);
        bed_update_members(&bed);
    }
    bed_destroy(&bed);
}

/* Prefixes that do not fit take the sets that need them out, and no others,
 * until there is room. */
static void
test_no_room(void **state OVS_UNUSED)
{
    struct problems problems = PROBLEMS_INITIALIZER;
    struct acl_set *small, *large;
    struct bed bed;

    bed_init(&bed);
    dp_fake_set_max_sources(bed.dp, 3);
    sset_add(&bed.members.sets[0], "10.0.0.1");
    sset_add(&bed.members.sets[1], "10.0.0.2");
    sset_add(&bed.members.sets[1], "10.0.0.3");
    bed_fill_view(&bed);
    small = bed_drop_from(&bed, 0, "$as0");
    prepare_with(&bed, &problems);
    large = bed_drop_from(&bed, 1, "$as1");
    prepare_with(&bed, &problems);
    acl_apply_finish(bed.apply);
    assert_true(acl_apply_id(bed.apply, small) == 100);
    assert_true(acl_apply_id(bed.apply, large) == 101);
    assert_int_equal(problems.n, 0);
    assert_false(acl_apply_take_changes(bed.apply));
    assert_true(acl_apply_retry_at(bed.apply) == LLONG_MAX);

    /* One more: that set is no longer obeyed at once. */
    sset_add(&bed.members.sets[1], "10.0.0.4");
    bed_fill_view(&bed);
    prepare_with(&bed, &problems);
    assert_true(acl_apply_id(bed.apply, small) == 100);
    assert_true(acl_apply_id(bed.apply, large) == 0);
    assert_int_equal(acl_apply_reason(bed.apply, large), REASON_ACL_LIMIT);
    assert_int_equal(problems.n, 1);
    assert_int_equal(problems.list[0].class, REASON_ACL_LIMIT);
    assert_true(acl_apply_take_changes(bed.apply));
    assert_false(acl_apply_take_changes(bed.apply));
    acl_apply_finish(bed.apply);

    /* Its endpoints are told that it is there again. */
    sset_find_and_delete(&bed.members.sets[1], "10.0.0.4");
    bed_fill_view(&bed);
    problems_clear(&problems);
    prepare_with(&bed, &problems);
    assert_true(acl_apply_id(bed.apply, large) == 102);
    assert_int_equal(problems.n, 0);
    assert_true(acl_apply_take_changes(bed.apply));
    prepare_with(&bed, &problems);
    assert_false(acl_apply_take_changes(bed.apply));
    problems_destroy(&problems);
    bed_destroy(&bed);
}

/* Does an update in which only the members of "as0" may have changed.  Returns
 * how many operations that has cost. */
static unsigned int
refresh(struct bed *bed)
{
    struct sset changed = SSET_INITIALIZER(&changed);
    unsigned int n = dp_fake_n_changes(bed->dp);

    sset_add(&changed, "as0");
    assert_int_equal(bed_prepare(bed, bed->apply, &changed), 0);
    acl_apply_finish(bed->apply);
    sset_destroy(&changed);
    return dp_fake_n_changes(bed->dp) - n;
}

/* What does not fit is not written again and again: rarer and rarer. */
static void
test_retry(void **state OVS_UNUSED)
{
    long long int at, wait, before = 0;
    struct bed bed;

    bed_init(&bed);
    dp_fake_set_max_sources(bed.dp, 100);
    for (int i = 0; i < 300; i++) {
        sset_add_and_free(&bed.members.sets[0],
                          xasprintf("10.1.%d.%d", i / 256, i % 256));
    }
    bed_fill_view(&bed);
    bed_drop_from(&bed, 0, "$as0");
    assert_true(refresh(&bed) >= 100);
    for (int i = 0; i < 10; i++) {
        at = acl_apply_retry_at(bed.apply);
        wait = at - bed.now;
        assert_true(wait <= 60000 && (wait > before || wait == 60000));
        before = wait;
        bed.now = at - 1;
        assert_int_equal(refresh(&bed), 0);
        assert_true(acl_apply_retry_at(bed.apply) == at);
        bed.now = at;
        assert_true(refresh(&bed) >= 100);
        assert_false(acl_apply_take_changes(bed.apply));
    }

    /* There is room, some time. */
    dp_fake_set_max_sources(bed.dp, 400);
    assert_int_equal(refresh(&bed), 0);
    bed.now = acl_apply_retry_at(bed.apply);
    assert_true(refresh(&bed) >= 300);
    assert_true(acl_apply_id(bed.apply, bed.ports[0].set) != 0);
    assert_true(acl_apply_take_changes(bed.apply));
    assert_true(acl_apply_retry_at(bed.apply) == LLONG_MAX);
    bed_destroy(&bed);
}

/* Returns rules that allow what comes from 'atom', and drop all else. */
static struct acl_set *
allow_from(const char *atom)
{
    struct acl_set *set = acl_random_set(1, true);

    acl_rule_destroy(CONST_CAST(struct acl_rule *, set->rules[0]));
    set->rules = xrealloc(set->rules, 2 * sizeof *set->rules);
    set->rules[0] = bed_rule_for(0, ACL_ALLOW, atom);
    set->rules[1] = bed_rule_for(1, ACL_DROP, NULL);
    set->n_rules = 2;
    return set;
}

/* A port moves from a set to another one, both there, while the source that
 * either allows moves along: it is never dropped. */
static void
test_move(void **state OVS_UNUSED)
{
    struct sset changed = SSET_INITIALIZER(&changed);
    struct acl_set *sets[2];
    struct bed bed;

    random_set_seed(1);
    bed_init(&bed);
    sets[0] = bed.ports[0].set = bed.ports[1].set = allow_from("$as0");
    sets[1] = bed.ports[2].set = allow_from("$as1");
    sset_add(&bed.members.sets[0], "10.0.0.1");
    bed_update_members(&bed);
    sset_add(&changed, "as0");
    sset_add(&changed, "as1");
    for (int i = 1; i < 5; i++) {
        bed.ports[0].set = sets[i & 1];
        sset_clear(&bed.members.sets[!(i & 1)]);
        sset_add(&bed.members.sets[i & 1], "10.0.0.1");
        bed_fill_view(&bed);
        bed_watch(&bed);
        assert_int_equal(bed_prepare(&bed, bed.apply, &changed), 0);
        bed_look();
        bed_switch_port(&bed, &bed.ports[0]);
        bed_look();
        acl_apply_finish(bed.apply);
        bed_watch(NULL);
        bed_settle(&bed);
        bed_assert_exact(&bed);
    }
    sset_destroy(&changed);
    bed_destroy(&bed);
}

/* Where all of IPv4 does not fit, packets of IPv4 do not find the rules for
 * those of IPv6. */
static void
test_anchor(void **state OVS_UNUSED)
{
    struct acl_random_packet four = {
        .packet = { .protocol = 6, .dst_port = 80 },
        .source = in6_addr_mapped_ipv4(htonl(0x01010101)),
    };
    struct acl_random_packet six = four;
    uint32_t id;
    struct bed bed;

    bed_init(&bed);
    six.source.s6_addr[0] = 0x20;
    sset_add(&bed.members.sets[0], "::/0");
    bed_fill_view(&bed);
    bed_drop_from(&bed, 0, "$as0");
    for (int i = 0; i < 3; i++) {
        bed.now = i ? acl_apply_retry_at(bed.apply) : 0;
        dp_fake_fail_next(bed.dp, i < 2 ? ENOSPC : 0);
        refresh(&bed);
        id = acl_apply_id(bed.apply, bed.ports[0].set);
        assert_int_equal(id != 0, i == 2);
        assert_false(bed_drops(bed.dp, id, &four));
        assert_int_equal(bed_drops(bed.dp, id, &six), i == 2);
    }
    bed_destroy(&bed);
}

/* A set with a member that cannot be read is not obeyed. */
static void
test_bad_member(void **state OVS_UNUSED)
{
    struct problems problems = PROBLEMS_INITIALIZER;
    struct acl_set *good, *bad, *missing;
    struct bed bed;

    bed_init(&bed);
    sset_add(&bed.members.sets[0], "10.0.0.1");
    sset_add(&bed.members.sets[1], "10.0.0.1");
    bed_fill_view(&bed);
    good = bed_drop_from(&bed, 0, "$as0");
    bad = bed_drop_from(&bed, 1, "$as1");
    missing = bed_drop_from(&bed, 2, "$as_that_is_not_there");
    prepare_with(&bed, &problems);
    assert_true(acl_apply_id(bed.apply, bad) != 0);
    assert_true(acl_apply_id(bed.apply, missing) == 0);
    assert_int_equal(acl_apply_reason(bed.apply, missing), REASON_ACL_SET);
    acl_apply_finish(bed.apply);

    sset_add(&bed.members.sets[1], "10.0.0.1/24");
    bed_fill_view(&bed);
    prepare_with(&bed, &problems);
    acl_apply_finish(bed.apply);
    assert_true(acl_apply_id(bed.apply, good) != 0);
    assert_true(acl_apply_id(bed.apply, bad) == 0);
    assert_int_equal(acl_apply_reason(bed.apply, bad), REASON_ACL_SET);

    sset_find_and_delete(&bed.members.sets[1], "10.0.0.1/24");
    bed_fill_view(&bed);
    prepare_with(&bed, &problems);
    assert_true(acl_apply_id(bed.apply, bad) != 0);
    problems_destroy(&problems);
    bed_destroy(&bed);
}

/* Hits are those of rules, and of a set that is there. */
static void
test_hits(void **state OVS_UNUSED)
{
    struct problems problems = PROBLEMS_INITIALIZER;
    struct acl_set *set = acl_random_set(1, true);
    struct acl_rule *rule = CONST_CAST(struct acl_rule *, set->rules[0]);
    uint64_t hits[2];
    struct bed bed;

    bed_init(&bed);
    rule->cubes = xrealloc(rule->cubes, 2 * sizeof *rule->cubes);
    acl_cube_init_any(&rule->cubes[rule->n_cubes++]);
    bed.ports[0].set = set;
    acl_apply_hits(bed.apply, set, hits);
    assert_int_equal(hits[0], 0);
    prepare_with(&bed, &problems);
    dp_fake_count_acl(bed.dp, acl_apply_id(bed.apply, set), 0, 3);
    dp_fake_count_acl(bed.dp, acl_apply_id(bed.apply, set), 1, 4);
    acl_apply_hits(bed.apply, set, hits);
    assert_int_equal(hits[0], 7);
    problems_destroy(&problems);
    bed_destroy(&bed);
}

/* A member that joins a large set, or leaves it, is one operation; a packet of
 * IPv4 never finds a prefix of IPv6. */
static void
test_one_member(void **state OVS_UNUSED)
{
    struct simap usage = SIMAP_INITIALIZER(&usage);
    struct problems problems = PROBLEMS_INITIALIZER;
    struct sset changed = SSET_INITIALIZER(&changed);
    unsigned int n;
    struct bed bed;
    bool dropped;

    bed_init(&bed);
    for (int i = 0; i < 50000; i++) {
        sset_add_and_free(&bed.members.sets[0],
                          xasprintf("10.1.%d.%d", i / 256, i % 256));
    }
    bed_fill_view(&bed);
    bed_drop_from(&bed, 0, "$as0");
    prepare_with(&bed, &problems);
    acl_apply_finish(bed.apply);
    bed_settle(&bed);
    sset_add(&changed, "as0");
    for (int i = 0; i < 2; i++) {
        long long int start = time_usec();

        if (!sset_find_and_delete(&bed.members.sets[0], "10.0.0.1")) {
            sset_add(&bed.members.sets[0], "10.0.0.1");
        }
        bed_fill_view(&bed);
        n = dp_fake_n_changes(bed.dp);
        start = time_usec();
        assert_int_equal(bed_prepare(&bed, bed.apply, &changed), 0);
        acl_apply_finish(bed.apply);
        print_message("one of 50,000 members: %lld us\n",
                      time_usec() - start);
        assert_int_equal(dp_fake_n_changes(bed.dp), n + 1);
    }
    acl_apply_get_memory_usage(bed.apply, &usage);
    assert_int_equal(simap_get(&usage, "acl-prefixes"), 50000);
    assert_int_equal(simap_get(&usage, "acl-classes"), 1);

    sset_add(&bed.members.sets[0], "::/0");
    bed_fill_view(&bed);
    assert_int_equal(bed_prepare(&bed, bed.apply, &changed), 0);
    for (int i = 0; i < 2; i++) {
        struct in6_addr four = in6_addr_mapped_ipv4(htonl(0x01010101));
        struct in6_addr six = four;
        uint32_t id = acl_apply_id(bed.apply, bed.ports[0].set);

        six.s6_addr[0] = 0x20;
        dp_fake_acl_decide(bed.dp, id, 6, 80, &four, &dropped);
        assert_false(dropped);
        dp_fake_acl_decide(bed.dp, id, 6, 80, &six, &dropped);
        assert_true(dropped);
    }
    sset_destroy(&changed);
    simap_destroy(&usage);
    problems_destroy(&problems);
    bed_destroy(&bed);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_histories),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_no_room),
        cmocka_unit_test(test_retry),
        cmocka_unit_test(test_anchor),
        cmocka_unit_test(test_move),
        cmocka_unit_test(test_bad_member),
        cmocka_unit_test(test_hits),
        cmocka_unit_test(test_one_member),
    };

    return cmocka_run_group_tests_name("apply", tests, NULL, NULL);
}
