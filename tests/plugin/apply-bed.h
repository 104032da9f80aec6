/* SPDX-License-Identifier: Apache-2.0 */
/* The bed that tests of plugin/acl-apply.h lie in: ports with rules, address
 * sets, and the fake, where each state between two operations is looked at. */
#ifndef TESTS_PLUGIN_APPLY_BED_H
#define TESTS_PLUGIN_APPLY_BED_H 1

#include <stdbool.h>
#include <stdint.h>
#include "idl/sb-acl.h"
#include "plugin/acl-rule.h"
#include "plugin/acl.h"
#include "plugin/datapath.h"
#include "tests/plugin/acl-random.h"

struct acl_apply;
struct problems;
struct sset;

/* Ports of a bed. */
#define N_PORTS 5

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

void bed_init(struct bed *);
void bed_destroy(struct bed *);
void bed_fill_view(struct bed *);
struct acl_cube *bed_only_cube(const struct acl_set *);
struct acl_set *bed_drop_from(struct bed *, int port, const char *atom);
struct acl_rule *bed_rule_for(int i, enum acl_action, const char *atom);

int bed_prepare_by(struct bed *, struct acl_apply *,
                   const struct sset *changed, struct problems *);
int bed_prepare(struct bed *, struct acl_apply *, const struct sset *changed);
void bed_switch_port(struct bed *, struct port *);
void bed_settle(struct bed *);
void bed_update_members(struct bed *);

void bed_watch(struct bed *);
void bed_look(void);
bool bed_drops(const struct dp *, uint32_t id,
               const struct acl_random_packet *);
void bed_assert_exact(const struct bed *);

#endif /* tests/plugin/apply-bed.h */
