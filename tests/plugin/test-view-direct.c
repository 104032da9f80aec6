/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of plugin/view-direct.c and plugin/view-checks-direct.c: what
 * operators see of layer L3.  Flows, counters and reasons are made by hand:
 * this file takes the place of plugin/direct.c. */

#include <config.h>

#include "plugin/view.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "openvswitch/dynamic-string.h"
#include "packets.h"
#include "plugin/acl.h"
#include "plugin/addresses.h"
#include "plugin/datapath-fake.h"
#include "plugin/desired.h"
#include "plugin/direct.h"
#include "plugin/netdevs.h"
#include "plugin/problems.h"
#include "plugin/settings.h"
#include "plugin/view-private.h"
#include "tests/plugin/view-bed.h"
#include "util.h"

/* What the functions below say. */
struct direct {
    enum reason reason;         /* Of every address. */
    struct direct_status status; /* Of the whole. */
    struct problems problems;   /* Problems. */
    const struct values *values; /* What preconditions follow from. */
    bool liberal;               /* The kernel's conntrack is liberal. */
};

/* Layer L3 under test. */
struct bed {
    struct view_bed *view;      /* The chassis. */
    struct direct direct;       /* Its layer L3. */
    struct dp_class class;      /* Back end with what is below. */
};

/* What the datapath has: dump functions know no fixture. */
static struct dp_flow flows[64];
static size_t n_flows;
static struct dp_counter counters[DP_N_DIRECT_ROWS][N_PACKET_REASONS];

/* See plugin/direct.h, like all that follows. */
enum reason
direct_reason(const struct direct *direct, const struct dp_key *key OVS_UNUSED)
{
    return direct->reason;
}

const char *
direct_untracked(const struct direct *direct OVS_UNUSED)
{
    return "a reason";
}

bool
direct_get_inputs(const struct direct *direct, const struct desired *desired,
                  const struct dp_key *key, struct direct_inputs *inputs,
                  struct acl_behind *behind)
{
    memset(behind, 0, sizeof *behind);
    *inputs = (struct direct_inputs) {
        .settings = &direct->values->settings,
        .desired = desired,
        .endpoint = desired_find_endpoint(desired, key),
        .ovs = &direct->values->ovs,
        .devices = &direct->values->devices,
        .kernel_liberal = direct->liberal,
    };
    return inputs->endpoint != NULL;
}

void
direct_get_status(const struct direct *direct, struct direct_status *status)
{
    *status = direct->status;
}

const char *
direct_cause_to_string(enum direct_cause cause)
{
    static const char *const words[] = { "a", "b", "c", "d" };

    return words[cause];
}

const struct problems *
direct_problems(const struct direct *direct)
{
    return &direct->problems;
}

/* Calls back for each of 'flows'. */
static void
dump_flows(const struct dp *dp OVS_UNUSED, dp_flow_cb *cb, void *aux)
{
    for (size_t i = 0; i < n_flows; i++) {
        cb(&flows[i], aux);
    }
}

/* Copies a row of 'counters'. */
static void
get_counters(const struct dp *dp OVS_UNUSED, enum dp_direct_row row,
             struct dp_counter *dst)
{
    memcpy(dst, counters[row], sizeof counters[row]);
}

/* Prepares a struct bed: layer L3 is on and has nothing. */
static int
setup(void **state)
{
    struct bed *f = xzalloc(sizeof *f);

    n_flows = 0;
    memset(counters, 0, sizeof counters);
    view_bed_setup((void **) &f->view);
    f->class = datapath_fake_class;
    f->class.dump_flows = dump_flows;
    f->class.direct_counters = get_counters;
    f->view->view.class = &f->class;
    f->view->view.direct = &f->direct;
    f->direct.values = &f->view->values;
    f->direct.status.enabled = true;
    f->direct.status.confirm.period_ms = 500;
    values_set(&f->view->values, "ovn-xdp-direct", "on");
    *state = f;
    return 0;
}

/* Frees a struct bed. */
static int
teardown(void **state)
{
    struct bed *f = *state;

    view_bed_teardown((void **) &f->view);
    problems_destroy(&f->direct.problems);
    free(f);
    return 0;
}

/* Returns 'text' as an address. */
static struct in6_addr
parse(const char *text)
{
    struct in6_addr addr;

    assert_true(address_parse(text, &addr));
    return addr;
}

/* Adds the flow of 'proto' from the outside, 'remote' with 'rport', to
 * 'external' with 'port', which stands for 'fixed', and returns it. */
static struct dp_flow *
add_in(uint8_t proto, const char *remote, uint16_t rport,
       const char *external, uint16_t port, const char *fixed)
{
    struct dp_flow *flow = &flows[n_flows++];

    *flow = (struct dp_flow) {
        .key = { .src = parse(remote), .dst = parse(external),
                 .sport = rport, .dport = port, .proto = proto },
        .state = DP_FLOW_USED,
        .nat = parse(fixed),
        .external = parse(external),
        .ifindex = 1,
        .used = UINT32_MAX,
    };
    return flow;
}

/* Adds the other direction of that. */
static struct dp_flow *
add_out(uint8_t proto, const char *remote, uint16_t rport,
        const char *external, uint16_t port, const char *fixed)
{
    struct dp_flow *flow = add_in(proto, remote, rport, external, port, fixed);

    flow->out = true;
    flow->key.src = parse(fixed);
    flow->key.dst = parse(remote);
    flow->key.sport = port;
    flow->key.dport = rport;
    flow->nat = flow->external;
    return flow;
}

/* Checks that the flows that match 'filter', 'limit' at most, of 'total', are
 * 'expected', one line for each: direction, protocol, both tuples. */
static void
check_flows(const struct bed *f, const char *filter, size_t limit,
            size_t total, const char *expected)
{
    struct ds ds = DS_EMPTY_INITIALIZER;
    struct view_flows list;

    view_get_flows(&f->view->view, filter, limit, &list);
    for (size_t i = 0; i < list.n; i++) {
        const struct view_flow *flow = &list.flows[i];

        ds_put_format(&ds, "%s %s %s %s %d > %s %d, %s > %s\n",
                      flow->address, flow->direction, flow->protocol,
                      flow->source, flow->source_port,
                      flow->destination, flow->destination_port,
                      flow->new_source, flow->new_destination);
    }
    assert_int_equal(list.total, total);
    view_flows_uninit(&list);
    assert_string_equal(ds_cstr(&ds), expected);
    ds_destroy(&ds);
}

/* Both directions of a connection stand together, whatever the order in which
 * the datapath has them. */
static void
test_order(void **state)
{
    struct bed *f = *state;

    check_flows(f, NULL, 0, 0, "");
    add_in(IPPROTO_ICMPV6, "2001:db8::9", 7, "2001:db8::50", 128,
           "2001:db8::50");
    add_out(IPPROTO_UDP, "9.9.9.9", 5000, "172.24.100.50", 53, "10.0.0.5");
    add_out(IPPROTO_TCP, "8.8.8.8", 4001, "172.24.100.50", 22, "10.0.0.5");
    add_in(IPPROTO_TCP, "8.8.8.8", 4000, "172.24.100.50", 80, "10.0.0.5");
    add_in(IPPROTO_TCP, "8.8.8.8", 4001, "172.24.100.50", 22, "10.0.0.5");
    add_out(IPPROTO_TCP, "8.8.8.8", 4000, "172.24.100.50", 22, "10.0.0.5");
    add_in(IPPROTO_ICMP, "8.8.8.8", 7, "172.24.100.49", 8, "10.0.0.4");
    check_flows(f, NULL, 0, 7,
                "172.24.100.49 in icmp 8.8.8.8 7 > 172.24.100.49 8, "
                "8.8.8.8 > 10.0.0.4\n"
                "172.24.100.50 out tcp 10.0.0.5 22 > 8.8.8.8 4000, "
                "172.24.100.50 > 8.8.8.8\n"
                "172.24.100.50 in tcp 8.8.8.8 4000 > 172.24.100.50 80, "
                "8.8.8.8 > 10.0.0.5\n"
                "172.24.100.50 in tcp 8.8.8.8 4001 > 172.24.100.50 22, "
                "8.8.8.8 > 10.0.0.5\n"
                "172.24.100.50 out tcp 10.0.0.5 22 > 8.8.8.8 4001, "
                "172.24.100.50 > 8.8.8.8\n"
                "172.24.100.50 out udp 10.0.0.5 53 > 9.9.9.9 5000, "
                "172.24.100.50 > 9.9.9.9\n"
                "2001:db8::50 in icmpv6 2001:db8::9 7 > 2001:db8::50 128, "
                "2001:db8::9 > 2001:db8::50\n");

    /* Request and answer of a ping have types of their own. */
    n_flows = 0;
    add_out(IPPROTO_ICMP, "8.8.8.8", 0, "172.24.100.49", 7, "10.0.0.4")
        ->key.dport = 0;
    add_in(IPPROTO_ICMP, "8.8.8.8", 8, "172.24.100.49", 8, "10.0.0.4");
    add_in(IPPROTO_ICMP, "8.8.8.8", 7, "172.24.100.49", 8, "10.0.0.4");
    check_flows(f, NULL, 2, 3,
                "172.24.100.49 in icmp 8.8.8.8 7 > 172.24.100.49 8, "
                "8.8.8.8 > 10.0.0.4\n"
                "172.24.100.49 out icmp 10.0.0.4 7 > 8.8.8.8 0, "
                "172.24.100.49 > 8.8.8.8\n");
}

/* Flows of one address, in any spelling, or of a logical port. */
static void
test_filter(void **state)
{
    static const char *const vm1 =
        "172.24.100.50 in udp 8.8.8.8 1 > 172.24.100.50 1, "
        "8.8.8.8 > 10.0.0.5\n";
    static const char *const vm1_v6 =
        "2001:db8::50 in udp 2001:db8::9 1 > 2001:db8::50 1, "
        "2001:db8::9 > 2001:db8::50\n";
    struct bed *f = *state;
    char *both = xasprintf("%s%s", vm1, vm1_v6);

    add_in(IPPROTO_UDP, "8.8.8.8", 1, "172.24.100.50", 1, "10.0.0.5");
    add_in(IPPROTO_UDP, "8.8.8.8", 1, "172.24.100.51", 1, "10.0.0.6");
    add_in(IPPROTO_UDP, "2001:db8::9", 1, "2001:db8::50", 1, "2001:db8::50");
    check_flows(f, "172.24.100.50", 0, 1, vm1);
    check_flows(f, "2001:DB8:0::50", 0, 1, vm1_v6);
    check_flows(f, "vm1", 0, 0, "");
    values_add_vm(&f->view->values, "vm1", 1,
                  VM1 " 172.24.100.50 2001:db8::50");
    view_bed_update(f->view, 1);
    check_flows(f, "vm1", 0, 2, both);
    check_flows(f, "vm1", 1, 2, vm1);
    check_flows(f, "vm2", 0, 0, "");
    check_flows(f, "10.0.0.5", 0, 0, "");
    free(both);
}

/* The first flows of many, in whatever order they come. */
static void
test_limit(void **state)
{
    struct bed *f = *state;

    for (int i = 0; i < 64; i++) {
        add_in(IPPROTO_TCP, "8.8.8.8", 1000 + i * 37 % 64, "172.24.100.50",
               22, "10.0.0.5");
    }
    for (size_t limit = 1; limit <= 65; limit++) {
        struct view_flows list;

        view_get_flows(&f->view->view, NULL, limit, &list);
        assert_int_equal(list.total, 64);
        assert_int_equal(list.n, MIN(limit, 64));
        for (size_t i = 0; i < list.n; i++) {
            assert_int_equal(list.flows[i].source_port, 1000 + i);
        }
        view_flows_uninit(&list);
    }
}

/* Checks the state of the only flow, given how long ago it was confirmed. */
static void
check_state(const struct bed *f, enum dp_flow_state state, uint32_t confirmed,
            const char *expected)
{
    struct view_flows list;

    flows[0].state = state;
    flows[0].confirmed = confirmed;
    view_get_flows(&f->view->view, NULL, 0, &list);
    assert_int_equal(list.n, 1);
    assert_string_equal(list.flows[0].state, expected);
    view_flows_uninit(&list);
}

/* All else that is shown of a flow. */
static void
test_members(void **state)
{
    struct bed *f = *state;
    struct dp_flow *flow = add_out(IPPROTO_TCP, "8.8.8.8", 4000,
                                   "172.24.100.50", 22, "10.0.0.5");
    struct view_flows list;

    flow->push_vlan = 101;
    flow->age = 61500;
    flow->confirmed = 250;
    flow->counter = (struct dp_counter) { 5, 500 };
    flow->ifindex = 1;
    view_get_flows(&f->view->view, NULL, 0, &list);
    assert_int_equal(list.flows[0].vlan, 0);
    assert_int_equal(list.flows[0].new_vlan, 101);
    assert_string_equal(list.flows[0].device, "lo");
    assert_true(list.flows[0].age == 61.5);
    assert_true(list.flows[0].idle < 0);
    assert_true(list.flows[0].confirmed == 0.25);
    assert_int_equal(list.flows[0].packets, 5);
    assert_int_equal(list.flows[0].bytes, 500);
    view_flows_uninit(&list);

    flow->key.vlan = 7;
    flow->used = 1500;
    flow->ifindex = 0x7fffffff;
    view_get_flows(&f->view->view, NULL, 0, &list);
    assert_int_equal(list.flows[0].vlan, 7);
    assert_string_equal(list.flows[0].device, "");
    assert_true(list.flows[0].idle == 1.5);
    view_flows_uninit(&list);

    check_state(f, DP_FLOW_LEARNING, 60000, "learning");
    check_state(f, DP_FLOW_CLOSED, 60000, "closed");
    check_state(f, DP_FLOW_VOID, 60000, "void");
    check_state(f, DP_FLOW_USED, 1499, "used");
    check_state(f, DP_FLOW_USED, 1500, "unconfirmed");
    f->direct.status.confirm.period_ms = 2000;
    check_state(f, DP_FLOW_USED, 5999, "used");
    check_state(f, DP_FLOW_USED, 6000, "unconfirmed");
    f->direct.status.confirm.period_ms = 0;
    check_state(f, DP_FLOW_USED, 60000, "used");
}

/* Before there is anything. */
static void
test_none(void **state)
{
    struct bed *f = *state;
    struct view_direct direct;
    struct view_flows list;

    add_in(IPPROTO_UDP, "8.8.8.8", 1, "172.24.100.50", 1, "10.0.0.5");
    f->view->view.direct = NULL;
    view_get_flows(&f->view->view, NULL, 0, &list);
    assert_int_equal(list.n, 0);
    view_flows_uninit(&list);
    view_get_direct(&f->view->view, &direct);
    assert_int_equal(direct.sides[0].n_counters, 0);
    assert_int_equal(direct.probes, 0);
    view_direct_uninit(&direct);
}

/* Counters by side and reason, and those of the daemon. */
static void
test_counters(void **state)
{
    static const char *const sides[] = {
        "near-nic", "near-vm", "far-nic", "far-vm",
    };
    struct bed *f = *state;
    struct view_direct direct;

    counters[DP_DIRECT_NEAR_VM][PACKET_REASON_DIRECT]
        = (struct dp_counter) { 9, 900 };
    counters[DP_DIRECT_FAR_VM][PACKET_REASON_FLOW_LEARNED]
        = (struct dp_counter) { 1, 60 };
    counters[DP_DIRECT_FAR_VM][PACKET_REASON_FLOW_CONFIRMED]
        = (struct dp_counter) { 2, 80 };
    f->direct.status.confirm.n_probes = 10;
    f->direct.status.confirm.n_unsent = 11;
    f->direct.status.confirm.n_expired = 12;
    f->direct.status.confirm.n_unconfirmed = 13;
    f->direct.status.n_void[DIRECT_CAUSE_HOST] = 14;
    view_get_direct(&f->view->view, &direct);
    for (size_t i = 0; i < ARRAY_SIZE(sides); i++) {
        assert_string_equal(direct.sides[i].side, sides[i]);
    }
    assert_int_equal(direct.sides[0].n_counters, 0);
    assert_int_equal(direct.sides[1].n_counters, 1);
    assert_string_equal(direct.sides[1].counters[0].name,
                        packet_reason_to_string(PACKET_REASON_DIRECT));
    assert_int_equal(direct.sides[1].counters[0].packets, 9);
    assert_int_equal(direct.sides[1].counters[0].bytes, 900);
    assert_int_equal(direct.sides[3].n_counters, 2);
    assert_int_equal(direct.probes, 10);
    assert_int_equal(direct.unsent, 11);
    assert_int_equal(direct.expired, 12);
    assert_int_equal(direct.unconfirmed, 13);
    assert_int_equal(direct.n_voided, N_DIRECT_CAUSES);
    assert_string_equal(direct.voided[1].name, "b");
    assert_int_equal(direct.voided[1].packets, 14);
    assert_int_equal(direct.voided[0].packets, 0);
    view_direct_uninit(&direct);
}

/* Returns true if 'status' has 'key' with 'value' in force. */
static bool
has_setting(const struct view_status *status, const char *key,
            const char *value)
{
    for (size_t i = 0; i < status->n_settings; i++) {
        if (!strcmp(status->settings[i].key, key)) {
            return !strcmp(status->settings[i].value, value);
        }
    }
    return false;
}

/* Layer L3 in the status, on and off, and in the vital signs. */
static void
test_status(void **state)
{
    struct bed *f = *state;
    struct view_status status;
    struct view_vitals vitals;
    size_t n = 0;

    values_set(&f->view->values, "ovn-xdp-vm-hook", "tc");
    problems_add(&f->direct.problems, REASON_DIRECT_LIMIT, "too many");
    f->direct.status.n_ports = 3;
    f->direct.status.confirm.n_flows = 30;
    f->direct.status.confirm.n_used = 20;
    f->direct.status.confirm.n_active = 10;
    view_get_status(&f->view->view, &status);
    assert_true(status.direct);
    assert_int_equal(status.confirm_ms, 500);
    assert_int_equal(status.n_direct, 3);
    assert_int_equal(status.n_flows, 30);
    assert_int_equal(status.n_used_flows, 20);
    assert_int_equal(status.n_active_flows, 10);
    assert_true(has_setting(&status, "ovn-xdp-direct", "on"));
    assert_true(has_setting(&status, "ovn-xdp-nic-hook", "auto"));
    assert_true(has_setting(&status, "ovn-xdp-vm-hook", "tc"));
    assert_true(has_setting(&status, "ovn-xdp-confirm-ms", "500"));
    assert_true(has_setting(&status, "ovn-xdp-max-flows", "262144"));
    for (size_t i = 0; i < status.n_problems; i++) {
        n += !strcmp(status.problems[i].message, "too many");
    }
    assert_int_equal(n, 1);
    view_status_uninit(&status);
    f->view->view.max_flows = 64;
    view_get_vitals(&f->view->view, &vitals);
    assert_string_equal(vitals.maps[6].name, "direct_ports");
    assert_int_equal(vitals.maps[6].used, 3);
    assert_int_equal(vitals.max_flows, 64);

    values_set(&f->view->values, "ovn-xdp-direct", "off");
    view_get_status(&f->view->view, &status);
    assert_false(status.direct);
    assert_int_equal(status.confirm_ms, 0);
    assert_int_equal(status.n_flows, 0);
    assert_true(has_setting(&status, "ovn-xdp-direct", "off"));
    view_status_uninit(&status);
}

/* Checks whether packets of 'address' are forwarded directly, and why not. */
static void
check_endpoint(const struct bed *f, const char *address, bool direct,
               enum reason reason)
{
    struct view_endpoints list;

    view_get_endpoints(&f->view->view, address, &list);
    assert_int_equal(list.n, 1);
    assert_int_equal(list.endpoints[0].direct, direct);
    assert_string_equal(list.endpoints[0].direct_reason,
                        reason_to_string(reason));
    view_endpoints_uninit(&list);
}

/* Which addresses are forwarded directly. */
static void
test_endpoints(void **state)
{
    struct bed *f = *state;

    values_add_vm(&f->view->values, "vm1", 1, VM1 " 172.24.100.50");
    view_bed_update(f->view, 1);
    check_endpoint(f, "172.24.100.50", true, REASON_NONE);
    f->direct.reason = REASON_DIRECT_QOS;
    check_endpoint(f, "172.24.100.50", false, REASON_DIRECT_QOS);

    /* It was switched on a moment ago. */
    f->direct.reason = REASON_DIRECT_OFF;
    check_endpoint(f, "172.24.100.50", false, REASON_NOT_PROGRAMMED);
    f->view->view.direct = NULL;
    check_endpoint(f, "172.24.100.50", false, REASON_NOT_PROGRAMMED);
    values_set(&f->view->values, "ovn-xdp-direct", "off");
    check_endpoint(f, "172.24.100.50", false, REASON_DIRECT_OFF);
}

/* Returns the answer of 'x' to the question 'word', or NULL if it was not
 * asked. */
static const struct view_check *
find_check(const struct view_explanation *x, const char *word)
{
    for (size_t i = 0; i < x->n_checks; i++) {
        if (!strcmp(x->checks[i].check, word)) {
            return &x->checks[i];
        }
    }
    return NULL;
}

/* Checks the verdict about 'subject' and the answer to "direct", and whether
 * preconditions are told. */
static void
check_explanation(const struct bed *f, const char *subject,
                  const char *verdict, enum reason reason,
                  enum view_answer answer, bool preconditions)
{
    struct view_explanation x;

    assert_true(view_get_explanation(&f->view->view, subject, &x));
    assert_string_equal(x.direct, verdict);
    assert_string_equal(x.verdicts[0].direct, verdict);
    assert_string_equal(x.verdicts[0].direct_reason,
                        reason_to_string(reason));
    assert_non_null(find_check(&x, "direct"));
    assert_int_equal(find_check(&x, "direct")->answer, answer);
    assert_int_equal(find_check(&x, "conntrack") != NULL, preconditions);
    view_explanation_uninit(&x);
}

/* Why packets go by OVN. */
static void
test_explain(void **state)
{
    static const char *const words[] = {
        "kind", "translation", "settled", "parent", "tap", "nic", "hook",
        "qos", "mirror", "hw-offload", "conntrack", "checksum",
    };
    struct bed *f = *state;
    struct view_explanation x;

    values_add_vm(&f->view->values, "vm1", 1, VM1 " 172.24.100.50");
    values_add_router(&f->view->values, "gw", 1, GW " 9.0.0.1/8", NULL);
    view_bed_update(f->view, 1);
    check_explanation(f, "vm1", "on", REASON_NONE, VIEW_YES, true);
    assert_true(view_get_explanation(&f->view->view, "vm1", &x));
    assert_non_null(strstr(find_check(&x, "unsolicited")->detail,
                           "only SYNs are dropped, because of a reason"));
    view_explanation_uninit(&x);
    f->direct.reason = REASON_DIRECT_QOS;
    check_explanation(f, "vm1", "ineligible", REASON_DIRECT_QOS, VIEW_NO,
                      true);
    f->direct.reason = REASON_DIRECT_KIND;
    check_explanation(f, "vm1", "ineligible", REASON_DIRECT_KIND, VIEW_NO,
                      true);
    check_explanation(f, "9.0.0.1", "ineligible", REASON_DIRECT_KIND,
                      VIEW_YES, false);

    /* Each under its word, with what would help. */
    assert_true(view_get_explanation(&f->view->view, "vm1", &x));
    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        assert_non_null(find_check(&x, words[i]));
    }
    assert_null(find_check(&x, "unsolicited"));
    assert_int_equal(find_check(&x, "conntrack")->answer, VIEW_NO);
    assert_non_null(strstr(find_check(&x, "conntrack")->detail, "5.11"));
    assert_true(find_check(&x, "conntrack")->fix[0] != '\0');
    assert_int_equal(find_check(&x, "settled")->answer, VIEW_UNKNOWN);
    assert_int_equal(find_check(&x, "qos")->answer, VIEW_YES);
    assert_string_equal(find_check(&x, "qos")->fix, "");
    for (size_t i = 0; i < x.n_checks; i++) {
        assert_true(strncmp(x.checks[i].check, "direct-", 7));
    }
    view_explanation_uninit(&x);
    f->direct.liberal = true;
    assert_true(view_get_explanation(&f->view->view, "vm1", &x));
    assert_int_equal(find_check(&x, "conntrack")->answer, VIEW_YES);
    view_explanation_uninit(&x);

    f->view->view.direct = NULL;
    check_explanation(f, "vm1", "ineligible", REASON_NOT_PROGRAMMED, VIEW_NO,
                      false);
    values_set(&f->view->values, "ovn-xdp-direct", "off");
    check_explanation(f, "vm1", "off", REASON_DIRECT_OFF, VIEW_YES, false);
    assert_true(view_get_explanation(&f->view->view, "nobody", &x));
    assert_string_equal(x.direct, "off");
    view_explanation_uninit(&x);
    values_set(&f->view->values, "ovn-xdp-direct", "on");
    assert_true(view_get_explanation(&f->view->view, "nobody", &x));
    assert_string_equal(x.direct, "unknown");
    view_explanation_uninit(&x);
}

/* Runs the tests. */
int
main(void)
{
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)
    static const struct CMUnitTest tests[] = {
        TEST(test_order),
        TEST(test_filter),
        TEST(test_limit),
        TEST(test_members),
        TEST(test_none),
        TEST(test_counters),
        TEST(test_status),
        TEST(test_endpoints),
        TEST(test_explain),
    };
#undef TEST

    return cmocka_run_group_tests_name("view-direct", tests, NULL, NULL);
}
