/* SPDX-License-Identifier: Apache-2.0 */
/* The bed of tests/plugin/apply-bed.h. */
#include <config.h>

#include "tests/plugin/apply-bed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "hash.h"
#include "sset.h"
#include "util.h"

#include "plugin/acl-apply.h"
#include "plugin/datapath-fake.h"
#include "plugin/problems.h"

/* Packets by which each state is looked at. */
#define N_PACKETS 40

static const struct dp_config config = { "apply", 16 };

/* The bed that is being looked at while the datapath changes. */
static struct bed *watched;

/* Makes the address sets of 'bed->view' those of 'bed->members'. */
void
bed_fill_view(struct bed *bed)
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
int
bed_prepare_by(struct bed *bed, struct acl_apply *apply,
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
int
bed_prepare(struct bed *bed, struct acl_apply *apply,
            const struct sset *changed)
{
    struct problems problems = PROBLEMS_INITIALIZER;
    int error = bed_prepare_by(bed, apply, changed, &problems);

    problems_destroy(&problems);
    return error;
}

/* Returns true if 'id' drops 'p'. */
bool
bed_drops(const struct dp *dp, uint32_t id, const struct acl_random_packet *p)
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

        assert_true(!bed_drops(bed->dp, port->id, &p)
                    || may_drop(bed, port, &p));
    }
}

/* Has 'bed' be looked at while the datapath changes, or none if it is
 * NULL. */
void
bed_watch(struct bed *bed)
{
    watched = bed;
}

/* Looks at a state between two changes of the datapath. */
void
bed_look(void)
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

    bed_look();
    return error;
}

static int
watched_put_acl_class(struct dp *dp, uint32_t id,
                      const struct dp_acl_class *row)
{
    int error = datapath_fake_class.put_acl_class(dp, id, row);

    bed_look();
    return error;
}

static int
watched_put_acl_source(struct dp *dp, const struct dp_prefix *prefix,
                       uint32_t class)
{
    int error = datapath_fake_class.put_acl_source(dp, prefix, class);

    bed_look();
    return error;
}

static int
watched_del_acl_source(struct dp *dp, const struct dp_prefix *prefix)
{
    int error = datapath_fake_class.del_acl_source(dp, prefix);

    bed_look();
    return error;
}

/* Makes a chassis without rules. */
void
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
    bed_fill_view(bed);
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
void
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
void
bed_assert_exact(const struct bed *bed)
{
    for (int i = 0; i < N_PORTS; i++) {
        const struct port *port = &bed->ports[i];

        for (int j = 0; j < N_PACKETS && port->set; j++) {
            struct acl_random_packet p = acl_random_packet();

            assert_int_equal(bed_drops(bed->dp, port->id, &p),
                             should_drop(port->set, &bed->members, &p));
        }
    }
}

/* Has the endpoint of 'port' name its rules. */
void
bed_switch_port(struct bed *bed, struct port *port)
{
    port->id = port->set ? acl_apply_id(bed->apply, port->set) : 0;
    port->switched = true;
    assert_true(!port->set || port->id);
}

/* Has what is now be what was before. */
void
bed_settle(struct bed *bed)
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

/* Returns a cube of 'set', which has one rule with one of its own. */
struct acl_cube *
bed_only_cube(const struct acl_set *set)
{
    assert_int_equal(set->n_rules, 1);
    return CONST_CAST(struct acl_cube *, &set->rules[0]->cubes[0]);
}

/* Gives port 'i' rules that drop what comes from 'atom'. */
struct acl_set *
bed_drop_from(struct bed *bed, int i, const char *atom)
{
    struct acl_set *set = acl_random_set(1, true);
    struct acl_source *source = &bed_only_cube(set)->source;

    source->any = false;
    svec_add(&source->atoms, atom);
    bed->ports[i].set = set;
    return set;
}

/* Returns the rule number 'i' of a set, for packets from 'atom' or from all if
 * that is NULL. */
struct acl_rule *
bed_rule_for(int i, enum acl_action action, const char *atom)
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
void
bed_update_members(struct bed *bed)
{
    bed_fill_view(bed);
    bed_watch(bed);
    assert_int_equal(bed_prepare(bed, bed->apply, NULL), 0);
    for (int i = 0; i < N_PORTS; i++) {
        bed_switch_port(bed, &bed->ports[i]);
    }
    acl_apply_finish(bed->apply);
    bed_watch(NULL);
    bed_settle(bed);
    bed_assert_exact(bed);
}
