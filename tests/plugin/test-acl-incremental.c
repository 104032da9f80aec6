/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever changes, and in whatever order: the rules after following the
 * changes are those that deriving all anew gives; and who has to be judged
 * anew is told.
 *
 * Everything is made of few names and addresses, so that it collides a lot.
 * OVN_XDP_TEST_SEED replaces the seed; the one in use is printed. */

#include <config.h>

#include "plugin/acl.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "openvswitch/vlog.h"
#include "plugin/desired.h"
#include "plugin/reason.h"
#include "random.h"
#include "tests/plugin/acl-bed.h"
#include "util.h"
#include "uuid.h"

/* Histories, and updates in each of them. */
#define N_HISTORIES 300
#define N_STEPS 100

/* How many there are of each. */
#define N_DATAPATHS 4
#define N_ROWS 8
#define N_FLOWS 12
#define N_ADDRESSES 5
#define N_KINDS 3

/* Endpoints whose judgement is compared: each address as each kind, with each
 * of two ports. */
#define N_ENDPOINTS (N_ADDRESSES * N_KINDS * 2)

/* What is said of an endpoint. */
struct judgement {
    enum reason reason;         /* Why it has no rules, or NONE. */
    uint64_t serial;            /* Which rules, or 0. */
};

/* A chassis, and what was said of it. */
struct world {
    struct acl_bed bed;         /* The chassis. */
    bool judged;                /* There was an update. */
    struct judgement last[N_ENDPOINTS]; /* After the last one. */
    size_t n_vms;               /* How often a VM had rules, */
    size_t n_fips;              /* and how often a floating IP. */
};

/* Returns one of the 'n' 'words'. */
static const char *
pick(const char *const words[], size_t n)
{
    return words[random_range(n)];
}

#define PICK(WORDS) pick(WORDS, ARRAY_SIZE(WORDS))

/* Returns one of 'n' words that begin with 'prefix'. */
static const char *
random_word(const char *prefix, int n)
{
    static char word[32];

    snprintf(word, sizeof word, "%s%d", prefix, random_range(n));
    return word;
}

/* Returns the number of a datapath. */
static uint32_t
random_datapath(void)
{
    return 1 + random_range(N_DATAPATHS);
}

/* Returns a word or two of 'prefix' with numbers below 'n', or none. */
static const char *
random_words(const char *prefix, int n)
{
    static char words[64];
    int a = random_range(n), b = random_range(n);

    switch (random_range(4)) {
    case 0: words[0] = '\0'; break;
    case 1: snprintf(words, sizeof words, "%s%d %s%d", prefix, a, prefix, b);
        break;
    default: snprintf(words, sizeof words, "%s%d", prefix, a); break;
    }
    return words;
}

/* Changes a member of 'b'. */
static void
edit_member(struct sb_binding *b)
{
    static const char *const types[] = { "", "", "", "virtual", "localnet" };

    switch (random_range(7)) {
    case 0: b->here = !b->here; break;
    case 1: b->additional = !b->additional; break;
    case 2: b->shared = !b->shared; break;
    case 3: b->datapath.parts[3] = random_datapath(); break;
    case 4:
        free(b->type);
        b->type = xstrdup(PICK(types));
        break;
    case 5: b->tag = random_range(2) ? -1 : 7; break;
    default:
        sset_clear(&b->macs);
        sset_add_and_free(&b->macs, xasprintf(
            "fa:16:3e:00:00:01 %s", random_words("10.0.0.", N_ADDRESSES)));
        break;
    }
}

/* Adds, changes or deletes a binding. */
static void
edit_binding(struct acl_bed *bed)
{
    uint32_t row = 1 + random_range(N_ROWS);
    struct uuid uuid = { { row, 0, 0, 0 } };
    struct sb_binding *b = CONST_CAST(struct sb_binding *,
                                      sb_view_find_binding(&bed->values.sb,
                                                           &uuid));

    if (!b) {
        bed->values.last_row = row - 1;
        b = values_add_binding(&bed->values, random_range(4) ? "" : "localnet",
                               random_word("vm", 4), random_datapath());
        b->here = random_range(8);
        b->network_name = xstrdup("physnet1");
        sset_add_and_free(&b->macs, xasprintf(
            "fa:16:3e:00:00:01 %s", random_words("10.0.0.", N_ADDRESSES)));
    } else if (random_range(5)) {
        edit_member(b);
    } else {
        values_drop_binding(&bed->values, b);
    }
    row_changes_add(&bed->bindings, &uuid, SB_BINDING_PORT);
}

/* Changes a port group. */
static void
edit_group(struct acl_bed *bed)
{
    static const char *const names[] = { "1_a", "1_b", "2_a", "2_b", "3_a",
                                         "12_a", "a", "b" };

    const char *name = PICK(names);

    acl_bed_set_group(bed, name,
                      random_range(8) ? random_words("vm", 4) : NULL);
    if (!random_range(6)) {
        acl_bed_set_group_entrance(bed, name, true);
    }
}

/* Changes an address set. */
static void
edit_addresses(struct acl_bed *bed)
{
    static const char *const values[] = {
        "", "10.0.0.1", "10.0.0.0/24", "10.0.0.1 10.0.0.0/24", "rubbish",
        NULL };

    acl_bed_set_addresses(bed, random_word("s", 2), PICK(values));
}

/* Makes 'flow' an ACL, or something like it. */
static void
set_acl(struct acl_bed *bed, uint32_t flow, const char *datapaths)
{
    static const char *const wrappers[] = { "reg0[7] == 1 && ",
                                            "reg0[9] == 1 && ", "" };
    static const char *const ports[] = {
        "outport == @a && ", "outport == @b && ", "outport == \"vm0\" && ",
        "outport == \"vm1\" && ", "", "outport == {\"vm1\", @b} && " };
    const char *const terms[] = {
        "ip", "ip4 && ip4.src == $s0", "ip4 && ip4.src == $s1 && tcp",
        "tcp && tcp.dst == 80", "udp", "ip6", "ip6 && tcp",
        random_range(4) ? "icmp4" : "ip.ttl == 1" };
    const char *const actions[] = {
        "reg8[16] = 1; next;", "reg8[17] = 1; next;", "reg8[17] = 1; next;",
        random_range(8) ? "reg8[17] = 1; next;" : "frobnicate;" };
    char *match = xasprintf("%s(%s%s)", PICK(wrappers), PICK(ports),
                            PICK(terms));

    acl_bed_set_flow(bed, flow, random_range(6) ? SB_ACL_EVAL : SB_ACL_PRE,
                     2000 + random_range(3), datapaths, match, PICK(actions));
    free(match);
}

/* Makes 'flow' one of a load balancer, a translation or a policy. */
static void
set_nat(struct acl_bed *bed, uint32_t flow, const char *datapaths)
{
    int external = random_range(N_ADDRESSES);
    int logical = random_range(N_ADDRESSES);
    char *dnat = xasprintf("ct_dnat(10.0.0.%d);", logical);
    char *dst = xasprintf("ip4.dst == 10.0.0.%d", external);
    char *new = xasprintf("ct.new && %s", dst);
    char *ip = xasprintf("ip && %s", dst);

    switch (random_range(6)) {
    case 0:
        acl_bed_set_flow(bed, flow, SB_ACL_SWITCH_LB, 120, datapaths, new,
                         "ct_lb_mark(backends=10.0.0.9:80);");
        break;
    case 1:
        acl_bed_set_flow(bed, flow, SB_ACL_SWITCH_LB, 120, datapaths,
                         random_range(4) ? "reg0[2] == 1"
                         : "ct.new && tcp.dst == 80", "ct_lb_mark;");
        break;
    case 2:
        acl_bed_set_flow(bed, flow, SB_ACL_ROUTER_POLICY, 1,
                         datapaths, random_range(4) ? dst : "1",
                         random_range(2) ? "next;" : "drop;");
        break;
    default:
        acl_bed_set_flow(bed, flow, SB_ACL_ROUTER_DNAT, 100, datapaths, ip,
                         dnat);
        break;
    }
    free(dnat);
    free(dst);
    free(new);
    free(ip);
}

/* Makes 'flow' a route. */
static void
set_route(struct acl_bed *bed, uint32_t flow, const char *datapaths)
{
    static const char *const matches[] = {
        "ip4.dst == 10.0.0.0/24", "ip4.dst == 10.0.0.0/24",
        "ip4.dst == 10.0.0.0/30", "ip4.dst == 10.0.0.1/32", "1",
        "reg7 == 0 && ip4.dst == 0.0.0.0/0", "ip4.mcast || ip6.mcast" };
    char *actions = xasprintf(
        "ip.ttl--; reg0 = %s; reg1 = 10.0.0.%d; outport = \"lrp%d\"; next;",
        random_range(5) ? "ip4.dst" : "10.9.9.9",
        N_ADDRESSES - 1 + random_range(4), random_range(2));

    acl_bed_set_flow(bed, flow, SB_ACL_ROUTER_ROUTE, random_range(3),
                     datapaths, PICK(matches), actions);
    free(actions);
}

/* Makes 'flow' one that does something else to packets. */
static void
set_entry(struct acl_bed *bed, uint32_t flow, const char *datapaths)
{
    static const enum sb_acl_stage stages[] = {
        SB_ACL_FROM, SB_ACL_FROM, SB_ACL_EVAL, SB_ACL_MIRROR_IN,
        SB_ACL_MIRROR_OUT, SB_ACL_ACTION };
    static const char *const matches[] = {
        "inport == \"p0\"", "inport == \"p1\"", "inport == @a",
        "inport == {\"p1\", @b}", "outport == \"p0\"", "outport == @a",
        "reg0[9] == 1 && (tcp)" };
    static const char *const actions[] = {
        "next;", "reg8[17] = 1; next;", "reg8[18] = 1; next;", "log(); next;",
        "mirror(\"m\"); next;", "sample(a); next;" };

    acl_bed_set_flow(bed, flow, stages[random_range(ARRAY_SIZE(stages))],
                     2000 + random_range(3), datapaths, PICK(matches),
                     PICK(actions));
}

/* Makes 'flow' one that changes sources. */
static void
set_snat(struct acl_bed *bed, uint32_t flow, const char *datapaths)
{
    static const char *const ports[] = {
        "outport == \"lrp0\"", "outport == \"lrp1\"", "outport == \"lrp2\"",
        "outport == \"lrp2\"", "ip" };
    char *match = xasprintf("ip4.src == 10.0.0.%d%s && %s",
                            random_range(N_ADDRESSES),
                            random_range(2) ? "" : "/24", PICK(ports));
    char *actions = xasprintf("ct_snat(10.0.0.%d);",
                              random_range(N_ADDRESSES));

    acl_bed_set_flow(bed, flow, SB_ACL_ROUTER_SNAT, 100, datapaths, match,
                     random_range(3) ? actions : "next;");
    free(match);
    free(actions);
}

/* Adds, changes or deletes a flow. */
static void
edit_flow(struct acl_bed *bed)
{
    static const char *const datapaths[] = { "1", "1", "2", "3", "1 2", "1 3",
                                             "1 2 3 4" };
    static const char *const routers[] = { "3", "3", "3", "4", "3 4" };
    uint32_t flow = 1 + random_range(N_FLOWS);

    switch (random_range(12)) {
    case 0: case 1: acl_bed_drop_flow(bed, flow); break;
    case 2: case 3: case 4:
        set_nat(bed, flow, random_range(3) ? PICK(routers) : PICK(datapaths));
        break;
    case 5: case 6: set_route(bed, flow, PICK(routers)); break;
    case 7:
        if (random_range(3)) {
            set_snat(bed, flow, PICK(routers));
        } else {
            set_entry(bed, flow, PICK(datapaths));
        }
        break;
    default: set_acl(bed, flow, PICK(datapaths)); break;
    }
}

/* Changes something that is in the view only. */
static void
edit_view(struct acl_bed *bed)
{
    switch (random_range(20)) {
    case 0: bed->view.complete = !random_range(4); break;
    case 1: bed->view.complete = true; break;
    case 2:
        acl_bed_set_datapath(bed, random_datapath(), random_range(8));
        break;
    case 3: case 4:
        acl_bed_set_link(bed, random_word("lrp", 2),
                         random_range(N_DATAPATHS + 1));
        break;
    case 5:
        acl_bed_set_entrance(bed, random_word("p", 2), random_range(2));
        break;
    case 6: case 7:
        acl_bed_set_port(bed, random_word("vm", 4), random_range(8));
        break;
    default: edit_group(bed); break;
    }
}

/* Changes something. */
static void
edit(struct acl_bed *bed)
{
    int kind = random_range(20);

    if (kind < 6) {
        edit_binding(bed);
    } else if (kind < 13) {
        edit_flow(bed);
    } else if (kind < 18) {
        edit_view(bed);
    } else {
        edit_addresses(bed);
    }
}

/* Fills 'ep' with the endpoint 'i', whose strings are borrowed. */
static void
fill_endpoint(int i, struct desired_endpoint *ep)
{
    static const enum endpoint_kind kinds[N_KINDS] = {
        ENDPOINT_VM, ENDPOINT_FIP_DISTRIBUTED, ENDPOINT_FIP_CENTRALISED };
    char address[INET6_ADDRSTRLEN];

    snprintf(address, sizeof address, "10.0.0.%d", i % N_ADDRESSES);
    *ep = (struct desired_endpoint) {
        .key = values_key(address),
        .kind = kinds[i / N_ADDRESSES % N_KINDS],
        .logical_port = CONST_CAST(char *, i / N_ADDRESSES / N_KINDS
                                   ? "vm0" : "vm1"),
        .network = CONST_CAST(char *, "physnet1"),
    };
}

/* Returns true if 'acl' told that something else may be said of 'ep'. */
static bool
is_noted(const struct acl *acl, const struct desired_endpoint *ep)
{
    const struct acl_address *address;

    HMAP_FOR_EACH (address, node, &acl->changed_addresses) {
        if (!memcmp(&address->ip, &ep->key.addr, sizeof address->ip)) {
            return true;
        }
    }
    return acl->nat_changed && ep->kind != ENDPOINT_VM;
}

/* Checks what is said of endpoint 'i': the same as 'fresh' says, and what was
 * said before unless 'w' told that it may have changed. */
static void
check_endpoint(struct world *w, const struct acl *fresh, int i)
{
    struct acl_inputs inputs = acl_bed_inputs(&w->bed);
    struct desired_endpoint ep;
    enum reason fresh_reason;
    struct judgement now;

    fill_endpoint(i, &ep);
    const struct acl_set *set = acl_bed_judge(&w->bed, &ep, &now.reason);
    const struct acl_set *other = acl_judge(fresh, &inputs, &ep,
                                            &fresh_reason);
    now.serial = set ? set->serial : 0;
    assert_int_equal(now.reason, fresh_reason);
    assert_int_equal(!set, !other);
    assert_int_equal(!set, now.reason != REASON_NONE);
    if (set) {
        assert_true(set->n_rules > 0);
        assert_int_equal(set->n_rules, other->n_rules);
        assert_int_equal(set->stateful, other->stateful);
        assert_int_equal(acl_rule_compare(set->rules[0], other->rules[0]), 0);
    }
    if (w->judged && !is_noted(w->bed.acl, &ep)) {
        assert_int_equal(now.reason, w->last[i].reason);
        assert_int_equal(now.serial, w->last[i].serial);
    }
    w->last[i] = now;
    if (set) {
        *(ep.kind == ENDPOINT_VM ? &w->n_vms : &w->n_fips) += 1;
    }
}

/* Checks that the sets of 'acl' have as many ports as say so. */
static void
check_sets(const struct acl *acl)
{
    const struct acl_port *port;
    const struct acl_set *set;
    size_t n = 0, n_enforced = 0;

    HMAP_FOR_EACH (set, node, &acl->sets) {
        n += set->n_ports;
    }
    HMAP_FOR_EACH (port, node, &acl->ports) {
        n_enforced += port->reason == REASON_NONE;
        assert_true(port->reason != REASON_NONE || port->set);
    }
    assert_int_equal(n, n_enforced);
}

/* Has 'w' follow, and compares the result with a fresh one. */
static void
check(struct world *w)
{
    struct acl_inputs inputs = acl_bed_inputs(&w->bed);
    struct acl_changes all = { .all = true };
    struct acl *fresh = acl_create();

    acl_bed_update(&w->bed);
    acl_update(fresh, &inputs, &all);
    char *actual = acl_bed_dump(w->bed.acl);
    char *expected = acl_bed_dump(fresh);
    assert_string_equal(actual, expected);
    free(actual);
    free(expected);
    assert_int_equal(hmap_count(&w->bed.acl->sets), hmap_count(&fresh->sets));
    check_sets(w->bed.acl);
    for (int i = 0; i < N_ENDPOINTS; i++) {
        check_endpoint(w, fresh, i);
    }
    w->judged = true;
    acl_forget_changes(w->bed.acl);
    acl_destroy(fresh);
}

/* Puts into 'bed' what most histories need to be about something: ports that
 * are known, rules that drop, and a router that leads somewhere. */
static void
init(struct acl_bed *bed)
{
    for (uint32_t i = 1; i <= N_DATAPATHS; i++) {
        char *port = xasprintf("vm%"PRIu32, i - 1);

        acl_bed_set_datapath(bed, i, true);
        acl_bed_set_port(bed, port, true);
        free(port);
    }
    acl_bed_set_flow(bed, N_FLOWS + 1, SB_ACL_EVAL, 2000, "1 2",
                     "reg0[9] == 1 && (ip)", "reg8[17] = 1; next;");
    acl_bed_set_flow(bed, N_FLOWS + 2, SB_ACL_ROUTER_ROUTE, 2, "3",
                     "ip4.dst == 10.0.0.0/24", "ip.ttl--; reg0 = ip4.dst; "
                     "outport = \"lrp0\"; next;");
    acl_bed_set_flow(bed, N_FLOWS + 3, SB_ACL_ROUTER_DNAT, 100, "3",
                     "ip && ip4.dst == 10.0.0.4", "ct_dnat(10.0.0.1);");
    acl_bed_set_link(bed, "lrp0", 2);
    acl_bed_touch(bed, values_add_localnet(&bed->values, "localnet",
                                           "physnet1", 1, -1));
}

/* Lives through a history, and adds to '*n_vms' and '*n_fips' how often VMs
 * and floating IPs had rules in it. */
static void
live(uint32_t seed, size_t *n_vms, size_t *n_fips)
{
    struct world w;

    random_set_seed(seed);
    memset(&w, 0, sizeof w);
    acl_bed_init(&w.bed);
    init(&w.bed);
    for (int i = 0; i < N_STEPS; i++) {
        for (int j = random_range(i ? 4 : 60); j >= 0; j--) {
            edit(&w.bed);
        }
        check(&w);
    }
    acl_bed_destroy(&w.bed);
    *n_vms += w.n_vms;
    *n_fips += w.n_fips;
}

/* Every step of every history; what is compared has to be rules often
 * enough. */
static void
test_histories(void **state OVS_UNUSED)
{
    const char *text = getenv("OVN_XDP_TEST_SEED");
    uint32_t first = text ? strtoul(text, NULL, 10) : 1;
    size_t n_vms = 0, n_fips = 0;

    for (uint32_t seed = first; seed < first + N_HISTORIES; seed++) {
        print_message("seed %"PRIu32"\n", seed);
        live(seed, &n_vms, &n_fips);
    }
    print_message("with rules: %"PRIuSIZE" VMs, %"PRIuSIZE" floating IPs\n",
                  n_vms, n_fips);
    assert_true(n_vms > N_HISTORIES / 10);
    assert_true(n_fips > N_HISTORIES / 10);
}

/* Runs the tests. */
int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_histories),
    };

    vlog_set_levels(NULL, VLF_CONSOLE, VLL_OFF);
    return cmocka_run_group_tests_name("acl-incremental", tests, NULL, NULL);
}
