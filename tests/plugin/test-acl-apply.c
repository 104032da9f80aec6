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

#include "hash.h"
#include "packets.h"
#include "random.h"
#include "simap.h"
#include "timeval.h"
#include "util.h"

#include "idl/sb-acl.h"
#include "plugin/acl.h"
#include "plugin/datapath-fake.h"
#include "plugin/problems.h"
#include "tests/plugin/acl-random.h"

/* Ports in the random histories. */
#define N_PORTS 5

/* Packets by which each state is looked at. */
#define N_PACKETS 40

static const struct dp_config config = { "apply", 16 };

/* A port. */
struct port {
    struct acl_set *set;        /* Rules, or NULL: pass-only. */
    struct acl_set *before;     /* Those of the last state. */
    bool switched;              /* Its endpoint has been changed since. */
    uint32_t id;                /* What its endpoint names. */
};

/* A chassis. */
struct bed {
    struct dp *dp;              /* The fake. */
    struct acl_apply *apply;    /* Under test. */
    struct sb_acl_view view;    /* Address sets only. */
    struct acl_random_members members; /* Their members. */
    struct acl_random_members before; /* Those of the last state. */
    struct port ports[N_PORTS]; /* Ports. */
    struct dp_class class;      /* The fake's, watched. */
    long long int now;          /* time_msec(). */
};

/* The bed that is being looked at while the datapath changes. */
static struct bed *watched;

/* Makes the address sets of 'bed->view' those of 'bed->members'. */
static void
fill_view(struct bed *bed)
{
    struct sb_address_set *as;

    HMAP_FOR_EACH_POP (as, node, &bed->view.address_sets) {
        sset_destroy(&as->addresses);
        free(as->name);
        free(as);
    }
    for (int i = 0; i < ACL_RANDOM_SETS; i++) {
        as = xzalloc(sizeof *as);
        as->name = xasprintf("as%d", i);
        sset_clone(&as->addresses, &bed->members.sets[i]);
        hmap_insert(&bed->view.address_sets, &as->node,
                    hash_string(as->name, 0));
    }
}

/* Returns an 'acl' with the ports of 'bed'. */
static struct acl *
make_acl(const struct bed *bed)
{
    struct acl *acl = xzalloc(sizeof *acl);

    hmap_init(&acl->ports);
    hmap_init(&acl->sets);
    for (int i = 0; i < N_PORTS; i++) {
        struct acl_port *port = xzalloc(sizeof *port);

        port->name = xasprintf("port%d", i);
        port->set = bed->ports[i].set;
        port->reason = port->set ? REASON_NONE : REASON_ACL_MATCH;
        hmap_insert(&acl->ports, &port->node, hash_string(port->name, 0));
    }
    return acl;
}

/* Frees what make_acl() has made. */
static void
free_acl(struct acl *acl)
{
    struct acl_port *port;

    HMAP_FOR_EACH_POP (port, node, &acl->ports) {
        free(port->name);
        free(port);
    }
    hmap_destroy(&acl->ports);
    hmap_destroy(&acl->sets);
    free(acl);
}

/* Returns true if all ports keep the rules that they had. */
static bool
is_steady(const struct bed *bed)
{
    for (int i = 0; i < N_PORTS; i++) {
        if (bed->ports[i].set != bed->ports[i].before) {
            return false;
        }
    }
    return true;
}

/* Does the first half of an update by 'apply', and stores in 'problems' what
 * does not fit. */
static int
prepare_by(struct bed *bed, struct acl_apply *apply,
           const struct sset *changed, struct problems *problems)
{
    struct acl *acl = make_acl(bed);
    const struct acl_apply_inputs inputs = {
        .acl = acl,
        .view = &bed->view,
        .changed_sets = changed,
        .steady = is_steady(bed),
        .now = bed->now,
    };
    int error = acl_apply_prepare(apply, &inputs, problems);

    free_acl(acl);
    return error;
}

/* Does the first half of an update. */
static int
prepare(struct bed *bed, struct acl_apply *apply, const struct sset *changed)
{
    struct problems problems = PROBLEMS_INITIALIZER;
    int error = prepare_by(bed, apply, changed, &problems);

    problems_destroy(&problems);
    return error;
}

/* Returns true if 'id' drops 'p'. */
static bool
drops(const struct dp *dp, uint32_t id, const struct acl_random_packet *p)
{
    bool result;

    dp_fake_acl_decide(dp, id, p->packet.protocol,
                       acl_random_port(&p->packet), &p->source, &result);
    return result;
}

/* Returns true if 'set' would drop 'p'. */
static bool
should_drop(const struct acl_set *set,
            const struct acl_random_members *members,
            const struct acl_random_packet *p)
{
    bool result;

    acl_random_decide(set, members, p, &result);
    return result;
}

/* Returns true if 'p' to 'port' may be dropped: before everything changed, or
 * now that it has.  Of a port that gets other rules, only one can be said. */
static bool
may_drop(const struct bed *bed, const struct port *port,
         const struct acl_random_packet *p)
{
    bool same = port->set == port->before;

    return (((same || !port->switched)
             && should_drop(port->before, &bed->before, p))
            || ((same || port->switched)
                && should_drop(port->set, &bed->members, p)));
}

/* Asserts that 'port' drops nothing that it must not. */
static void
assert_harmless(const struct bed *bed, const struct port *port)
{
    for (int i = 0; i < N_PACKETS && port->id; i++) {
        struct acl_random_packet p = acl_random_packet();

        assert_true(!drops(bed->dp, port->id, &p) || may_drop(bed, port, &p));
    }
}

/* Looks at a state between two changes of the datapath. */
static void
look(void)
{
    for (int i = 0; watched && i < N_PORTS; i++) {
        assert_harmless(watched, &watched->ports[i]);
    }
}

/* The operations of the fake, with a look after each. */

static int
watched_put_acl(struct dp *dp, const struct dp_acl *acl)
{
    int error = datapath_fake_class.put_acl(dp, acl);

    look();
    return error;
}

static int
watched_put_acl_class(struct dp *dp, uint32_t id,
                      const struct dp_acl_class *row)
{
    int error = datapath_fake_class.put_acl_class(dp, id, row);

    look();
    return error;
}

static int
watched_put_acl_source(struct dp *dp, const struct dp_prefix *prefix,
                       uint32_t class)
{
    int error = datapath_fake_class.put_acl_source(dp, prefix, class);

    look();
    return error;
}

static int
watched_del_acl_source(struct dp *dp, const struct dp_prefix *prefix)
{
    int error = datapath_fake_class.del_acl_source(dp, prefix);

    look();
    return error;
}

/* Makes a chassis without rules. */
static void
bed_init(struct bed *bed)
{
    memset(bed, 0, sizeof *bed);
    bed->class = datapath_fake_class;
    bed->class.put_acl = watched_put_acl;
    bed->class.put_acl_class = watched_put_acl_class;
    bed->class.put_acl_source = watched_put_acl_source;
    bed->class.del_acl_source = watched_del_acl_source;
    assert_int_equal(datapath_fake_class.open(&config, &bed->dp), 0);
    bed->apply = acl_apply_create(&bed->class, bed->dp, 100);
    hmap_init(&bed->view.address_sets);
    acl_random_members_init(&bed->members);
    acl_random_members_init(&bed->before);
    fill_view(bed);
}

/* Forgets '*setp', of a port, and frees the rules if no port has them. */
static void
drop_set(struct bed *bed, struct acl_set **setp)
{
    struct acl_set *set = *setp;

    *setp = NULL;
    for (int i = 0; i < N_PORTS; i++) {
        if (bed->ports[i].set == set || bed->ports[i].before == set) {
            return;
        }
    }
    acl_random_set_free(set);
}

/* Frees 'bed'. */
static void
bed_destroy(struct bed *bed)
{
    struct sb_address_set *as;

    for (int i = 0; i < N_PORTS; i++) {
        drop_set(bed, &bed->ports[i].set);
        drop_set(bed, &bed->ports[i].before);
    }
    HMAP_FOR_EACH_POP (as, node, &bed->view.address_sets) {
        sset_destroy(&as->addresses);
        free(as->name);
        free(as);
    }
    hmap_destroy(&bed->view.address_sets);
    acl_random_members_destroy(&bed->members);
    acl_random_members_destroy(&bed->before);
    acl_apply_destroy(bed->apply);
    datapath_fake_class.close(bed->dp, true);
}

/* Asserts that each port with rules has an id that decides as they do. */
static void
assert_exact(const struct bed *bed)
{
    for (int i = 0; i < N_PORTS; i++) {
        const struct port *port = &bed->ports[i];

        for (int j = 0; j < N_PACKETS && port->set; j++) {
            struct acl_random_packet p = acl_random_packet();

            assert_int_equal(drops(bed->dp, port->id, &p),
                             should_drop(port->set, &bed->members, &p));
        }
    }
}

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
    assert_int_equal(prepare(bed, apply, NULL), 0);
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
    fill_view(bed);
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

/* Has the endpoint of 'port' name its rules. */
static void
switch_port(struct bed *bed, struct port *port)
{
    port->id = port->set ? acl_apply_id(bed->apply, port->set) : 0;
    port->switched = true;
    assert_true(!port->set || port->id);
}

/* Has what is now be what was before. */
static void
settle(struct bed *bed)
{
    acl_random_members_destroy(&bed->before);
    acl_random_members_clone(&bed->before, &bed->members);
    for (int i = 0; i < N_PORTS; i++) {
        struct port *port = &bed->ports[i];

        drop_set(bed, &port->before);
        port->before = port->set;
        port->switched = false;
    }
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
        error = prepare(bed, bed->apply, changed);
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
    watched = bed;
    prepare_stubbornly(bed, &changed);
    for (int i = 0; i < N_PORTS; i++) {
        look();
        switch_port(bed, &bed->ports[i]);
    }
    look();
    acl_apply_finish(bed->apply);
    look();
    watched = NULL;
    settle(bed);
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
            assert_exact(&bed);
            assert_as_fresh(&bed);
        }
        bed_destroy(&bed);
    }
}

/* Returns a cube of 'set', which has one rule with one of its own. */
static struct acl_cube *
only_cube(const struct acl_set *set)
{
    assert_int_equal(set->n_rules, 1);
    return CONST_CAST(struct acl_cube *, &set->rules[0]->cubes[0]);
}

/* Gives port 'i' rules that drop what comes from 'atom'. */
static struct acl_set *
drop_from(struct bed *bed, int i, const char *atom)
{
    struct acl_set *set = acl_random_set(1, true);
    struct acl_source *source = &only_cube(set)->source;

    source->any = false;
    svec_add(&source->atoms, atom);
    bed->ports[i].set = set;
    return set;
}

/* Prepares, and stores in 'problems' what does not fit. */
static void
prepare_with(struct bed *bed, struct problems *problems)
{
    assert_int_equal(prepare_by(bed, bed->apply, NULL, problems), 0);
}

/* Returns the rule number 'i' of a set, for packets from 'atom' or from all if
 * that is NULL. */
static struct acl_rule *
rule_for(int i, enum acl_action action, const char *atom)
{
    struct acl_rule *rule = xzalloc(sizeof *rule);

    rule->priority = 10 - i;
    rule->action = action;
    rule->match = xasprintf("rule %d", i);
    rule->n_cubes = 1;
    rule->cubes = xmalloc(sizeof *rule->cubes);
    acl_cube_init_any(rule->cubes);
    if (atom) {
        rule->cubes->source.any = false;
        svec_add(&rule->cubes->source.atoms, atom);
    }
    return rule;
}

/* Updates 'bed', whose ports keep their rules, and looks at each step. */
static void
update_members(struct bed *bed)
{
    fill_view(bed);
    watched = bed;
    assert_int_equal(prepare(bed, bed->apply, NULL), 0);
    for (int i = 0; i < N_PORTS; i++) {
        switch_port(bed, &bed->ports[i]);
    }
    acl_apply_finish(bed->apply);
    watched = NULL;
    settle(bed);
    assert_exact(bed);
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
    set->rules[0] = rule_for(0, ACL_ALLOW, "$as0");
    set->rules[1] = rule_for(1, ACL_DROP, "$as1");
    set->rules[2] = rule_for(2, ACL_ALLOW, "10.0.0.0/8");
    set->rules[3] = rule_for(3, ACL_DROP, NULL);
    set->n_rules = 4;
    bed.ports[0].set = set;

    for (int round = 0; round < 20; round++) {
        /* A shorter prefix is replaced by longer ones in it, and back. */
        sset_add(&sets[0], "10.0.0.0/24");
        sset_add(&sets[1], "10.0.0.0/24");
        update_members(&bed);
        sset_find_and_delete(&sets[0], "10.0.0.0/24");
        sset_add(&sets[0], "10.0.0.1");
        sset_add(&sets[0], "10.0.0.2");
        update_members(&bed);
        sset_find_and_delete(&sets[0], "10.0.0.1");
        sset_find_and_delete(&sets[0], "10.0.0.2");
        sset_add(&sets[0], "10.0.0.0/24");
        update_members(&bed);

        /* All go. */
        sset_clear(&sets[0]);
        sset_add(&sets[0], "10.0.0.1");
        sset_add(&sets[0], "10.0.0.2");
        update_members(&bed);
        sset_clear(&sets[0]);
        sset_clear(&sets[1]);
        update_members(&bed);
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
    fill_view(&bed);
    small = drop_from(&bed, 0, "$as0");
    prepare_with(&bed, &problems);
    large = drop_from(&bed, 1, "$as1");
    prepare_with(&bed, &problems);
    acl_apply_finish(bed.apply);
    assert_true(acl_apply_id(bed.apply, small) == 100);
    assert_true(acl_apply_id(bed.apply, large) == 101);
    assert_int_equal(problems.n, 0);
    assert_false(acl_apply_take_changes(bed.apply));
    assert_true(acl_apply_retry_at(bed.apply) == LLONG_MAX);

    /* One more: that set is no longer obeyed at once. */
    sset_add(&bed.members.sets[1], "10.0.0.4");
    fill_view(&bed);
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
    fill_view(&bed);
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
    assert_int_equal(prepare(bed, bed->apply, &changed), 0);
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
    fill_view(&bed);
    drop_from(&bed, 0, "$as0");
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
    set->rules[0] = rule_for(0, ACL_ALLOW, atom);
    set->rules[1] = rule_for(1, ACL_DROP, NULL);
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
    update_members(&bed);
    sset_add(&changed, "as0");
    sset_add(&changed, "as1");
    for (int i = 1; i < 5; i++) {
        bed.ports[0].set = sets[i & 1];
        sset_clear(&bed.members.sets[!(i & 1)]);
        sset_add(&bed.members.sets[i & 1], "10.0.0.1");
        fill_view(&bed);
        watched = &bed;
        assert_int_equal(prepare(&bed, bed.apply, &changed), 0);
        look();
        switch_port(&bed, &bed.ports[0]);
        look();
        acl_apply_finish(bed.apply);
        watched = NULL;
        settle(&bed);
        assert_exact(&bed);
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
    fill_view(&bed);
    drop_from(&bed, 0, "$as0");
    for (int i = 0; i < 3; i++) {
        bed.now = i ? acl_apply_retry_at(bed.apply) : 0;
        dp_fake_fail_next(bed.dp, i < 2 ? ENOSPC : 0);
        refresh(&bed);
        id = acl_apply_id(bed.apply, bed.ports[0].set);
        assert_int_equal(id != 0, i == 2);
        assert_false(drops(bed.dp, id, &four));
        assert_int_equal(drops(bed.dp, id, &six), i == 2);
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
    fill_view(&bed);
    good = drop_from(&bed, 0, "$as0");
    bad = drop_from(&bed, 1, "$as1");
    missing = drop_from(&bed, 2, "$as_that_is_not_there");
    prepare_with(&bed, &problems);
    assert_true(acl_apply_id(bed.apply, bad) != 0);
    assert_true(acl_apply_id(bed.apply, missing) == 0);
    assert_int_equal(acl_apply_reason(bed.apply, missing), REASON_ACL_SET);
    acl_apply_finish(bed.apply);

    sset_add(&bed.members.sets[1], "10.0.0.1/24");
    fill_view(&bed);
    prepare_with(&bed, &problems);
    acl_apply_finish(bed.apply);
    assert_true(acl_apply_id(bed.apply, good) != 0);
    assert_true(acl_apply_id(bed.apply, bad) == 0);
    assert_int_equal(acl_apply_reason(bed.apply, bad), REASON_ACL_SET);

    sset_find_and_delete(&bed.members.sets[1], "10.0.0.1/24");
    fill_view(&bed);
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
    fill_view(&bed);
    drop_from(&bed, 0, "$as0");
    prepare_with(&bed, &problems);
    acl_apply_finish(bed.apply);
    settle(&bed);
    sset_add(&changed, "as0");
    for (int i = 0; i < 2; i++) {
        long long int start = time_usec();

        if (!sset_find_and_delete(&bed.members.sets[0], "10.0.0.1")) {
            sset_add(&bed.members.sets[0], "10.0.0.1");
        }
        fill_view(&bed);
        n = dp_fake_n_changes(bed.dp);
        start = time_usec();
        assert_int_equal(prepare(&bed, bed.apply, &changed), 0);
        acl_apply_finish(bed.apply);
        print_message("one of 50,000 members: %lld us\n",
                      time_usec() - start);
        assert_int_equal(dp_fake_n_changes(bed.dp), n + 1);
    }
    acl_apply_get_memory_usage(bed.apply, &usage);
    assert_int_equal(simap_get(&usage, "acl-prefixes"), 50000);
    assert_int_equal(simap_get(&usage, "acl-classes"), 1);

    sset_add(&bed.members.sets[0], "::/0");
    fill_view(&bed);
    assert_int_equal(prepare(&bed, bed.apply, &changed), 0);
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
