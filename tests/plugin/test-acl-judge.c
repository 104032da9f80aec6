/* SPDX-License-Identifier: Apache-2.0 */
/* Do the rules of a port decide about packets to an endpoint?  Each thing that
 * has to be proven for it is missing once. */

#include <config.h>

#include "plugin/acl.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "openvswitch/vlog.h"
#include "plugin/desired.h"
#include "plugin/reason.h"
#include "tests/plugin/acl-bed.h"
#include "util.h"

/* Datapaths of the cloud: a provider network, a network of VMs and the router
 * between them; and one that has nothing to do with them. */
#define PROVIDER 1
#define TENANT 2
#define ROUTER 3
#define OTHER 4

/* The cloud, and a floating IP in it. */
struct fixture {
    struct acl_bed bed;         /* Rows. */
    uint32_t dnat;              /* Flow that translates. */
    uint32_t route;             /* Route of the VMs' network. */
};

/* Returns an endpoint. */
static struct desired_endpoint
make_endpoint(enum endpoint_kind kind, const char *address, const char *port)
{
    return (struct desired_endpoint) {
        .key = values_key(address), .kind = kind,
        .logical_port = CONST_CAST(char *, port),
        .network = CONST_CAST(char *, "physnet1"), };
}

/* Returns what acl_judge() says of an endpoint, REASON_NONE only with the
 * rules of 'port'. */
static enum reason
judge(struct acl_bed *bed, enum endpoint_kind kind, const char *address,
      const char *resident, const char *port)
{
    struct desired_endpoint ep = make_endpoint(kind, address, resident);
    enum reason reason;

    acl_bed_update(bed);
    const struct acl_set *set = acl_bed_judge(bed, &ep, &reason);
    if (reason == REASON_NONE) {
        assert_non_null(set);
        assert_ptr_equal(set, acl_find_port(bed->acl, port)->set);
    } else {
        assert_null(set);
    }
    return reason;
}

/* Likewise of the floating IP, distributed. */
static enum reason
judge_fip(struct fixture *f)
{
    return judge(&f->bed, ENDPOINT_FIP_DISTRIBUTED, "172.24.100.112", "vm1",
                 "vm1");
}

/* Adds a route to the router.  Returns its flow. */
static uint32_t
add_route(struct acl_bed *bed, int priority, const char *match,
          const char *next_hop, const char *port)
{
    char *actions = xasprintf(
        "ip.ttl--; reg8[0..15] = 0; reg0 = %s; reg1 = 10.1.0.1; "
        "eth.src = fa:16:3e:00:00:01; outport = \"%s\"; flags.loopback = 1; "
        "next;", next_hop, port);
    uint32_t flow = acl_bed_add_flow(bed, SB_ACL_ROUTER_ROUTE, priority,
                                     ROUTER, match, actions);

    free(actions);
    return flow;
}

/* Adds a translation to the router.  Returns its flow. */
static uint32_t
add_dnat(struct acl_bed *bed, const char *external, const char *logical)
{
    char *match = xasprintf("ip && ip4.dst == %s && inport == \"lrp-out\"",
                            external);
    char *actions = xasprintf("ct_dnat(%s);", logical);
    uint32_t flow = acl_bed_add_flow(bed, SB_ACL_ROUTER_DNAT, 100, ROUTER,
                                     match, actions);

    free(match);
    free(actions);
    return flow;
}

/* Adds a translation of sources to the router.  Returns its flow. */
static uint32_t
add_snat(struct acl_bed *bed, const char *match, const char *external)
{
    char *actions = xasprintf("ct_snat(%s);", external);
    uint32_t flow = acl_bed_add_flow(bed, SB_ACL_ROUTER_SNAT, 25, ROUTER,
                                     match, actions);

    free(actions);
    return flow;
}

/* Adds to the switch 'datapath' a load balancer with the address 'vip'.
 * Returns its flow. */
static uint32_t
add_vip(struct acl_bed *bed, uint32_t datapath, const char *vip)
{
    char *match = xasprintf("ct.new && ip4.dst == %s && tcp.dst == 80", vip);
    uint32_t flow = acl_bed_add_flow(
        bed, SB_ACL_SWITCH_LB, 120, datapath, match,
        "reg0[1] = 0; ct_lb_mark(backends=10.1.0.3:80,10.1.0.4:80);");

    free(match);
    return flow;
}

/* Makes '*state' a cloud with a floating IP for the VM's port vm1. */
static int
setup(void **state)
{
    struct fixture *f = xmalloc(sizeof *f);
    struct acl_bed *bed = &f->bed;

    acl_bed_init(bed);
    for (uint32_t i = PROVIDER; i <= ROUTER; i++) {
        acl_bed_set_datapath(bed, i, true);
    }
    acl_bed_touch(bed, values_add_localnet(&bed->values, "provnet-1",
                                           "physnet1", PROVIDER, -1));
    acl_bed_set_link(bed, "lrp-in", TENANT);
    acl_bed_set_link(bed, "lrp-out", PROVIDER);
    acl_bed_set_entrance(bed, "provnet-1", true);
    acl_bed_set_entrance(bed, "to-lrp-out", true);
    acl_bed_set_entrance(bed, "to-lrp-in", true);
    add_route(bed, 1, "reg7 == 0 && ip4.dst == 0.0.0.0/0", "172.24.100.1",
              "lrp-out");
    add_route(bed, 74, "ip4.dst == 172.24.100.0/24", "ip4.dst", "lrp-out");
    f->route = add_route(bed, 74, "ip4.dst == 10.1.0.0/24", "ip4.dst",
                         "lrp-in");
    acl_bed_add_flow(bed, SB_ACL_ROUTER_ROUTE, 10550, ROUTER,
                     "nd_rs || nd_ra", "drop;");
    acl_bed_add_flow(bed, SB_ACL_ROUTER_ROUTE, 0, ROUTER, "1", "drop;");
    acl_bed_add_flow(bed, SB_ACL_ROUTER_POLICY, 0, ROUTER, "1",
                     "reg8[0..15] = 0; next;");
    acl_bed_add_flow(bed, SB_ACL_SWITCH_LB, 110, TENANT, "reg0[2] == 1",
                     "ct_lb_mark;");
    f->dnat = add_dnat(bed, "172.24.100.112", "10.1.0.3");
    acl_bed_add_vm(bed, "vm1", TENANT, "fa:16:3e:00:00:01 10.1.0.3");
    acl_bed_add_vm(bed, "vm2", TENANT, "fa:16:3e:00:00:02 10.1.0.4");
    acl_bed_add_vm(bed, "vm3", PROVIDER, "fa:16:3e:00:00:03 172.24.100.50");
    acl_bed_drop(bed, TENANT, "ip");
    acl_bed_drop(bed, PROVIDER, "ip");
    *state = f;
    return 0;
}

/* Undoes setup(). */
static int
teardown(void **state)
{
    struct fixture *f = *state;

    acl_bed_destroy(&f->bed);
    free(f);
    return 0;
}

/* Returns what acl_judge() says of the VM on the provider network. */
static enum reason
judge_vm(struct fixture *f)
{
    return judge(&f->bed, ENDPOINT_VM, "172.24.100.50", "vm3", "vm3");
}

/* A VM on a provider network. */
static void
test_vm(void **state)
{
    struct fixture *f = *state;
    struct acl_bed *bed = &f->bed;

    assert_int_equal(judge_vm(f), REASON_NONE);
    assert_int_equal(judge(bed, ENDPOINT_VM, "172.24.100.51", "vm3", "vm3"),
                     REASON_ACL_PORT);
    assert_int_equal(judge(bed, ENDPOINT_VM, "172.24.100.50", "vip", "vip"),
                     REASON_ACL_PORT);

    /* A pass-only port tells its own reason. */
    uint32_t flow = acl_bed_allow(bed, PROVIDER, "ip.ttl == 1");
    assert_int_equal(judge_vm(f), REASON_ACL_MATCH);
    acl_bed_drop_flow(bed, flow);
    acl_bed_set_port(bed, "vm3", false);
    assert_int_equal(judge_vm(f), REASON_ACL_PENDING);
    acl_bed_set_port(bed, "vm3", true);
    assert_int_equal(judge_vm(f), REASON_NONE);
    bed->view.complete = false;
    assert_int_equal(judge_vm(f), REASON_ACL_PENDING);
}

/* A VM whose address a load balancer of its switch takes. */
static void
test_vm_translated(void **state)
{
    struct fixture *f = *state;
    struct acl_bed *bed = &f->bed;

    add_vip(bed, TENANT, "172.24.100.50");
    assert_int_equal(judge_vm(f), REASON_NONE);
    uint32_t flow = add_vip(bed, PROVIDER, "172.24.100.50");
    assert_int_equal(judge_vm(f), REASON_ACL_TRANSLATED);
    acl_bed_drop_flow(bed, flow);
    assert_int_equal(judge_vm(f), REASON_NONE);
    acl_bed_add_flow(bed, SB_ACL_SWITCH_LB, 120, PROVIDER,
                     "ct.new && tcp.dst == 80",
                     "ct_lb_mark(backends=10.1.0.3:80);");
    assert_int_equal(judge_vm(f), REASON_ACL_TRANSLATED);
}

/* A VM whose network is there twice. */
static void
test_vm_rival(void **state)
{
    struct fixture *f = *state;
    struct acl_bed *bed = &f->bed;

    acl_bed_add_vm(bed, "vm4", 7, "fa:16:3e:00:00:04 172.24.100.50");
    assert_int_equal(judge_vm(f), REASON_NONE);
    acl_bed_touch(bed, values_add_localnet(&bed->values, "provnet-7",
                                           "physnet1", 7, -1));
    assert_int_equal(judge_vm(f), REASON_ACL_PORT);
    acl_bed_remove_vm(bed, "vm4");
    assert_int_equal(judge_vm(f), REASON_NONE);
}

/* A floating IP. */
static void
test_fip(void **state)
{
    struct fixture *f = *state;
    struct acl_bed *bed = &f->bed;

    assert_int_equal(judge_fip(f), REASON_NONE);
    assert_int_equal(judge(bed, ENDPOINT_FIP_CENTRALISED, "172.24.100.112",
                           "cr-lrp-out", "vm1"), REASON_NONE);

    /* No translation, or another one. */
    acl_bed_drop_flow(bed, f->dnat);
    assert_int_equal(judge_fip(f), REASON_ACL_TRANSLATED);
    f->dnat = add_dnat(bed, "172.24.100.112", "10.1.0.4");
    assert_int_equal(judge_fip(f), REASON_ACL_PORT);
    assert_int_equal(judge(bed, ENDPOINT_FIP_CENTRALISED, "172.24.100.112",
                           "cr-lrp-out", "vm2"), REASON_NONE);
    acl_bed_drop_flow(bed, f->dnat);

    /* The address of a VM elsewhere. */
    f->dnat = add_dnat(bed, "172.24.100.112", "10.1.0.9");
    assert_int_equal(judge(bed, ENDPOINT_FIP_CENTRALISED, "172.24.100.112",
                           "cr-lrp-out", NULL), REASON_ACL_PORT);
}

/* More than one flow for the address, or one that is not for all packets. */
static void
test_fip_twice(void **state)
{
    struct fixture *f = *state;
    struct acl_bed *bed = &f->bed;

    uint32_t flow = add_dnat(bed, "172.24.100.112", "10.1.0.4");
    assert_int_equal(judge_fip(f), REASON_ACL_TRANSLATED);
    acl_bed_drop_flow(bed, flow);
    assert_int_equal(judge_fip(f), REASON_NONE);

    flow = acl_bed_add_flow(
        bed, SB_ACL_ROUTER_DNAT, 120, ROUTER,
        "ct.new && !ct.rel && ip4 && ip4.dst == 172.24.100.112 && tcp"
        " && tcp.dst == 80", "ct_lb_mark(backends=10.1.0.4:80);");
    assert_int_equal(judge_fip(f), REASON_ACL_TRANSLATED);
    acl_bed_drop_flow(bed, flow);
    assert_int_equal(judge_fip(f), REASON_NONE);

    flow = acl_bed_add_flow(bed, SB_ACL_ROUTER_DNAT, 120, ROUTER,
                            "ct.new && tcp.dst == 80",
                            "ct_lb_mark(backends=10.1.0.4:80);");
    assert_int_equal(judge_fip(f), REASON_ACL_TRANSLATED);
    acl_bed_drop_flow(bed, flow);
    assert_int_equal(judge_fip(f), REASON_NONE);

    /* The same flow on two routers. */
    acl_bed_set_flow(bed, f->dnat, SB_ACL_ROUTER_DNAT, 100, "3 9",
                     "ip && ip4.dst == 172.24.100.112", "ct_dnat(10.1.0.3);");
    assert_int_equal(judge_fip(f), REASON_ACL_TRANSLATED);
    acl_bed_set_flow(bed, f->dnat, SB_ACL_ROUTER_DNAT, 100, "3",
                     "ip && ip4.dst == 172.24.100.112", "ct_dnat(10.1.0.3);");
    assert_int_equal(judge_fip(f), REASON_NONE);
}

/* Load balancers in front of the router and behind it. */
static void
test_fip_load_balancer(void **state)
{
    struct fixture *f = *state;
    struct acl_bed *bed = &f->bed;

    uint32_t flow = add_vip(bed, TENANT, "10.1.0.3");
    assert_int_equal(judge_fip(f), REASON_ACL_TRANSLATED);
    acl_bed_drop_flow(bed, flow);
    flow = add_vip(bed, PROVIDER, "172.24.100.112");
    assert_int_equal(judge_fip(f), REASON_ACL_TRANSLATED);
    acl_bed_drop_flow(bed, flow);
    add_vip(bed, TENANT, "172.24.100.200");
    add_vip(bed, PROVIDER, "10.1.0.3");
    assert_int_equal(judge_fip(f), REASON_NONE);

    /* That of the provider network has to be known. */
    acl_bed_set_datapath(bed, PROVIDER, false);
    assert_int_equal(judge_fip(f), REASON_ACL_TRANSLATED);
    acl_bed_set_datapath(bed, PROVIDER, true);
    assert_int_equal(judge_fip(f), REASON_NONE);
    acl_bed_touch(bed, values_binding(&bed->values, "provnet-1"));
    values_binding(&bed->values, "provnet-1")->tag = 7;
    assert_int_equal(judge_fip(f), REASON_ACL_TRANSLATED);
}

/* A load balancer without backends: it rejects what comes for it, drops it, or
 * tells somebody. */
static void
test_fip_no_backends(void **state)
{
    static const char *const actions[] = {
        "reg0 = 0; reject { outport <-> inport; next(pipeline=egress,"
        "table=5);};",
        "drop;",
        "trigger_event(event = \"empty_lb_backends\", vip = \"10.1.0.3:80\","
        " protocol = \"tcp\", load_balancer = \"b6b3ba0e\");",
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
        uint32_t flow = acl_bed_add_flow(
            &f->bed, SB_ACL_SWITCH_LB, 120, TENANT,
            "ct.new && ip4.dst == 10.1.0.3 && tcp.dst == 80", actions[i]);

        assert_int_equal(judge_fip(f), REASON_ACL_TRANSLATED);
        acl_bed_drop_flow(&f->bed, flow);
        assert_int_equal(judge_fip(f), REASON_NONE);
    }
}

/* Sources that change on the way to the VM. */
static void
test_fip_source(void **state)
{
    static const char *const harmless[] = {
        "ip && ip4.src == 10.1.0.0/24 && outport == \"lrp-out\"",
        "ip && ip4.src == 0.0.0.0/0 && outport == \"lrp-unknown\"",
        "ip && ip6.src == ::/0",
        "flags.force_snat_for_lb == 1 && ip4",
    };
    static const char *const changing[] = {
        "ip && ip4.src == 0.0.0.0/0 && (!ct.trk || !ct.rpl)",
        "ip && ip4.src == 10.1.0.0/24 && outport == \"lrp-in\"",
        "ip && outport == {\"lrp-out\", \"lrp-other\"}",
        "ip",
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < ARRAY_SIZE(harmless); i++) {
        add_snat(&f->bed, harmless[i], "172.24.100.1");
    }
    assert_int_equal(judge_fip(f), REASON_NONE);
    for (size_t i = 0; i < ARRAY_SIZE(changing); i++) {
        uint32_t flow = add_snat(&f->bed, changing[i], "172.24.100.1");

        assert_int_equal(judge_fip(f), REASON_ACL_TRANSLATED);
        acl_bed_drop_flow(&f->bed, flow);
        assert_int_equal(judge_fip(f), REASON_NONE);
    }
}

/* An address outside that others have besides. */
static void
test_fip_shared(void **state)
{
    static const char *const others[] = {
        "ip && ip4.src == 10.1.0.0/24 && outport == \"lrp-out\"",
        "ip && ip4.src == 10.1.0.4 && outport == \"lrp-out\"",
        "flags.force_snat_for_lb == 1 && ip4",
    };
    struct fixture *f = *state;

    add_snat(&f->bed, "ip && ip4.src == 10.1.0.3 && outport == \"lrp-out\"",
             "172.24.100.112");
    assert_int_equal(judge_fip(f), REASON_NONE);
    for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
        uint32_t flow = add_snat(&f->bed, others[i], "172.24.100.112");

        assert_int_equal(judge_fip(f), REASON_ACL_TRANSLATED);
        acl_bed_drop_flow(&f->bed, flow);
        assert_int_equal(judge_fip(f), REASON_NONE);
    }

    /* The router itself, in words of before 25.03 and since. */
    static const char *const own[] = { "reg1", "reg5" };
    for (size_t i = 0; i < ARRAY_SIZE(own); i++) {
        char *actions = xasprintf(
            "ip.ttl--; reg8[0..15] = 0; reg0 = ip4.dst; %s = 172.24.100.112; "
            "outport = \"lrp-out\"; next;", own[i]);
        uint32_t flow = acl_bed_add_flow(
            &f->bed, SB_ACL_ROUTER_ROUTE, 74, ROUTER,
            "ip4.dst == 172.24.100.0/24", actions);

        assert_int_equal(judge_fip(f), REASON_ACL_TRANSLATED);
        acl_bed_drop_flow(&f->bed, flow);
        assert_int_equal(judge_fip(f), REASON_NONE);
        free(actions);
    }
}

/* What the network outside does to packets. */
static void
test_fip_front(void **state)
{
    static const struct {
        enum sb_acl_stage stage; /* Stage. */
        uint32_t datapath;      /* Datapath. */
        const char *match;      /* Match. */
        const char *actions;    /* Actions. */
        enum reason reason;     /* What comes out. */
    } flows[] = {
        { SB_ACL_FROM, PROVIDER, "reg0[9] == 1 && (tcp.dst == 23)",
          "reg8[18] = 1; next;", REASON_ACL_ACTIONS },
        { SB_ACL_FROM, PROVIDER, "inport == \"provnet-1\"",
          "reg8[18] = 1; next;", REASON_ACL_ACTIONS },
        { SB_ACL_FROM, PROVIDER, "inport == \"vm3\"", "reg8[18] = 1; next;",
          REASON_NONE },
        { SB_ACL_EVAL, PROVIDER, "reg0[9] == 1 && (outport == \"to-lrp-out\""
          " && tcp)", "reg8[18] = 1; next;", REASON_ACL_ACTIONS },
        { SB_ACL_EVAL, PROVIDER, "reg0[9] == 1 && (outport == \"vm3\")",
          "reg8[18] = 1; next;", REASON_NONE },
        { SB_ACL_EVAL, PROVIDER, "reg0[9] == 1 && (outport == \"to-lrp-out\""
          " && tcp)", "reg8[17] = 1; next;", REASON_NONE },
        { SB_ACL_MIRROR_IN, PROVIDER, "inport == \"provnet-1\"",
          "mirror(\"s\"); next;", REASON_ACL_PORT },
        { SB_ACL_MIRROR_OUT, PROVIDER, "outport == \"to-lrp-out\"",
          "mirror(\"s\"); next;", REASON_ACL_PORT },
        { SB_ACL_MIRROR_OUT, PROVIDER, "outport == \"vm3\"",
          "mirror(\"s\"); next;", REASON_NONE },
        { SB_ACL_ACTION, PROVIDER, "reg8[17] == 1", "sample(a);",
          REASON_ACL_ACTIONS },
        { SB_ACL_FROM, TENANT, "inport == \"to-lrp-in\"",
          "reg8[18] = 1; next;", REASON_ACL_ACTIONS },
        { SB_ACL_FROM, TENANT, "inport == \"vm2\"", "reg8[18] = 1; next;",
          REASON_NONE },
        { SB_ACL_MIRROR_OUT, TENANT, "1", "mirror(\"s\"); next;",
          REASON_NONE },
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < ARRAY_SIZE(flows); i++) {
        uint32_t flow = acl_bed_add_flow(&f->bed, flows[i].stage, 2500,
                                         flows[i].datapath, flows[i].match,
                                         flows[i].actions);

        assert_int_equal(judge_fip(f), flows[i].reason);
        acl_bed_drop_flow(&f->bed, flow);
        assert_int_equal(judge_fip(f), REASON_NONE);
    }

    /* The same one, whose action changes. */
    static const char block[] = "reg0[10] == 1 && (tcp.dst == 23)";
    uint32_t flow = acl_bed_add_flow(&f->bed, SB_ACL_EVAL, 2500, PROVIDER,
                                     block, "reg8[17] = 1; next;");
    assert_int_equal(judge_fip(f), REASON_NONE);
    acl_bed_set_flow(&f->bed, flow, SB_ACL_EVAL, 2500, "1", block,
                     "reg8[18] = 1; next;");
    assert_int_equal(judge_fip(f), REASON_ACL_ACTIONS);
    acl_bed_set_flow(&f->bed, flow, SB_ACL_EVAL, 2500, "1", block,
                     "reg8[17] = 1; next;");
    assert_int_equal(judge_fip(f), REASON_NONE);
}

/* The port of the router that translates is on the endpoint's network. */
static void
test_fip_inport(void **state)
{
    struct fixture *f = *state;

    acl_bed_set_link(&f->bed, "lrp-out", 7);
    assert_int_equal(judge_fip(f), REASON_ACL_TRANSLATED);
    acl_bed_set_link(&f->bed, "lrp-out", 0);
    assert_int_equal(judge_fip(f), REASON_ACL_TRANSLATED);
    acl_bed_drop_flow(&f->bed, f->dnat);
    acl_bed_add_flow(&f->bed, SB_ACL_ROUTER_DNAT, 100, ROUTER,
                     "ip && ip4.dst == 172.24.100.112", "ct_dnat(10.1.0.3);");
    assert_int_equal(judge_fip(f), REASON_NONE);
}

/* Policies of the router. */
static void
test_fip_policy(void **state)
{
    struct fixture *f = *state;
    struct acl_bed *bed = &f->bed;

    uint32_t flow = acl_bed_add_flow(
        bed, SB_ACL_ROUTER_POLICY, 100, ROUTER, "ip4.src == 192.0.2.1",
        "reg0 = 10.1.0.77; outport = \"lrp-in\"; next;");
    assert_int_equal(judge_fip(f), REASON_ACL_TRANSLATED);
    acl_bed_drop_flow(bed, flow);
    flow = acl_bed_add_flow(
        bed, SB_ACL_ROUTER_POLICY, 100, ROUTER, "ip4.dst == 10.1.0.3",
        "reg0 = 10.1.0.77; outport = \"lrp-in\"; next;");
    assert_int_equal(judge_fip(f), REASON_ACL_TRANSLATED);
    acl_bed_drop_flow(bed, flow);

    /* They come after the translation: the address outside is none there. */
    acl_bed_add_flow(bed, SB_ACL_ROUTER_POLICY, 100, ROUTER,
                     "ip4.dst == 172.24.100.112",
                     "reg0 = 10.1.0.77; outport = \"lrp-in\"; next;");
    assert_int_equal(judge_fip(f), REASON_NONE);
}

/* Routes of the router. */
static void
test_fip_route(void **state)
{
    struct fixture *f = *state;
    struct acl_bed *bed = &f->bed;
    static const char *const elsewhere[] = {
        "reg7 == 0 && ip4.dst == 10.1.0.3/32",
        "reg7 == 0 && ip4.dst == 10.1.0.0/28",
        "reg7 == 1 && ip4.dst == 10.1.0.3/32",
        "inport == \"lrp-out\" && ip4.dst == 10.1.0.3",
        "ip4.src == 192.0.2.0/24",
        "ip4.dst == 10.1.0.0/28 || ip4.dst == 192.0.2.1",
        "ip4.dst == $routes",
        "ip4.dst == 10.1.0.200/26",
        "ip4.dst == 10.1.0.0/24 && udp.dst == 3784",
    };

    for (size_t i = 0; i < ARRAY_SIZE(elsewhere); i++) {
        uint32_t flow = add_route(bed, 98, elsewhere[i], "10.1.0.77",
                                  "lrp-in");
        assert_int_equal(judge_fip(f), REASON_ACL_TRANSLATED);
        acl_bed_drop_flow(bed, flow);
        flow = add_route(bed, 74, elsewhere[i], "10.1.0.77", "lrp-in");
        assert_int_equal(judge_fip(f), REASON_ACL_TRANSLATED);
        acl_bed_drop_flow(bed, flow);
        flow = add_route(bed, 73, elsewhere[i], "10.1.0.77", "lrp-in");
        assert_int_equal(judge_fip(f), REASON_NONE);
        acl_bed_drop_flow(bed, flow);
    }
    add_route(bed, 98, "reg7 == 0 && ip4.dst == 10.1.0.16/28", "10.1.0.77",
              "lrp-in");
    add_route(bed, 98, "ip4.mcast || ip6.mcast", "10.1.0.77", "lrp-in");
    uint32_t bfd = add_route(bed, 75, "ip4.dst == 10.1.0.0/24"
                             " && udp.dst == 3784", "ip4.dst", "lrp-in");
    assert_int_equal(judge_fip(f), REASON_NONE);

    /* A port of which it is not known where it leads to. */
    uint32_t unknown = add_route(bed, 98, "ip4.dst == 10.1.0.0/28", "ip4.dst",
                                 "lrp-unknown");
    assert_int_equal(judge_fip(f), REASON_ACL_TRANSLATED);
    acl_bed_set_link(bed, "lrp-unknown", TENANT);
    assert_int_equal(judge_fip(f), REASON_NONE);
    acl_bed_set_link(bed, "lrp-unknown", 0);
    assert_int_equal(judge_fip(f), REASON_ACL_TRANSLATED);
    acl_bed_drop_flow(bed, unknown);

    /* Without the right one nothing is certain. */
    acl_bed_drop_flow(bed, f->route);
    assert_int_equal(judge_fip(f), REASON_ACL_TRANSLATED);
    f->route = add_route(bed, 74, "inport == \"lrp-out\""
                         " && ip4.dst == 10.1.0.0/24", "ip4.dst", "lrp-in");
    assert_int_equal(judge_fip(f), REASON_ACL_TRANSLATED);
    acl_bed_drop_flow(bed, f->route);
    f->route = add_route(bed, 74, "reg7 == 0 && ip4.dst == 10.1.0.0/24",
                         "ip4.dst", "lrp-in");
    assert_int_equal(judge_fip(f), REASON_ACL_TRANSLATED);
    acl_bed_drop_flow(bed, f->route);
    f->route = add_route(bed, 74, "ip4.dst == 10.1.0.0/24", "ip4.dst",
                         "lrp-other");
    assert_int_equal(judge_fip(f), REASON_ACL_TRANSLATED);
    acl_bed_set_link(bed, "lrp-other", TENANT);
    assert_int_equal(judge_fip(f), REASON_NONE);
    acl_bed_set_link(bed, "lrp-other", PROVIDER);
    assert_int_equal(judge_fip(f), REASON_ACL_TRANSLATED);
    acl_bed_drop_flow(bed, bfd);
    assert_int_equal(judge_fip(f), REASON_ACL_PORT);
    acl_bed_set_link(bed, "lrp-other", 0);
    assert_int_equal(judge_fip(f), REASON_ACL_TRANSLATED);
}

/* Addresses that more than one port has. */
static void
test_fip_rivals(void **state)
{
    struct fixture *f = *state;
    struct acl_bed *bed = &f->bed;

    acl_bed_add_vm(bed, "vm4", TENANT, "fa:16:3e:00:00:04 10.1.0.3");
    assert_int_equal(judge_fip(f), REASON_ACL_PORT);
    acl_bed_remove_vm(bed, "vm4");
    acl_bed_add_vm(bed, "vm4", 7, "fa:16:3e:00:00:04 10.1.0.3");
    assert_int_equal(judge_fip(f), REASON_NONE);
    acl_bed_add_vm(bed, "vm5", PROVIDER, "fa:16:3e:00:00:04 172.24.100.112");
    assert_int_equal(judge_fip(f), REASON_ACL_TRANSLATED);
}

/* Other kinds of endpoint. */
static void
test_kinds(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(judge(&f->bed, ENDPOINT_LOAD_BALANCER, "172.24.100.112",
                           "vm1", NULL), REASON_ACL_TRANSLATED);
    assert_int_equal(judge(&f->bed, ENDPOINT_ROUTER, "172.24.100.112", "vm1",
                           NULL), REASON_ACL_PORT);
}

/* Returns true if 'address' is among the changed ones. */
static bool
is_noted(const struct acl *acl, const char *address)
{
    struct dp_key key = values_key(address);
    const struct acl_address *noted;

    HMAP_FOR_EACH (noted, node, &acl->changed_addresses) {
        if (!memcmp(&noted->ip, &key.addr, sizeof noted->ip)) {
            return true;
        }
    }
    return false;
}

/* Whoever has to be judged anew is noted. */
static void
test_noted(void **state)
{
    struct fixture *f = *state;
    struct acl_bed *bed = &f->bed;

    acl_bed_update(bed);
    acl_forget_changes(bed->acl);
    add_dnat(bed, "172.24.100.113", "10.1.0.4");
    acl_bed_update(bed);
    assert_true(is_noted(bed->acl, "172.24.100.113"));
    assert_false(is_noted(bed->acl, "172.24.100.112"));
    assert_false(bed->acl->nat_changed);

    /* A port's rules, and where its address is. */
    acl_forget_changes(bed->acl);
    acl_bed_allow(bed, TENANT, "outport == \"vm2\" && tcp");
    acl_bed_update(bed);
    assert_true(is_noted(bed->acl, "10.1.0.4"));
    assert_true(is_noted(bed->acl, "172.24.100.113"));
    assert_false(is_noted(bed->acl, "172.24.100.112"));
    acl_forget_changes(bed->acl);
    acl_bed_remove_vm(bed, "vm1");
    acl_bed_update(bed);
    assert_true(is_noted(bed->acl, "172.24.100.112"));

    /* A load balancer that takes the address inside. */
    acl_forget_changes(bed->acl);
    add_vip(bed, TENANT, "10.1.0.4");
    acl_bed_update(bed);
    assert_true(is_noted(bed->acl, "172.24.100.113"));
    assert_false(bed->acl->nat_changed);

    /* A route: those who are translated into its network. */
    acl_bed_add_vm(bed, "vm1", TENANT, "fa:16:3e:00:00:11 10.1.0.3");
    acl_bed_update(bed);
    acl_forget_changes(bed->acl);
    uint32_t flow = add_route(bed, 98, "reg7 == 0 && ip4.dst == 10.1.0.3/32",
                              "10.1.0.77", "lrp-in");
    acl_bed_update(bed);
    assert_true(is_noted(bed->acl, "172.24.100.112"));
    assert_false(is_noted(bed->acl, "172.24.100.113"));
    assert_false(bed->acl->nat_changed);
    acl_forget_changes(bed->acl);
    acl_bed_drop_flow(bed, flow);
    acl_bed_update(bed);
    assert_true(is_noted(bed->acl, "172.24.100.112"));
    assert_false(is_noted(bed->acl, "172.24.100.113"));

    /* One of another router, or elsewhere, is nobody's. */
    acl_forget_changes(bed->acl);
    acl_bed_add_flow(bed, SB_ACL_ROUTER_ROUTE, 98, PROVIDER, "ip4.dst == "
                     "10.1.0.3/32", "next;");
    add_route(bed, 98, "ip4.dst == 10.9.0.0/24", "10.1.0.77", "lrp-in");
    acl_bed_update(bed);
    assert_int_equal(hmap_count(&bed->acl->changed_addresses), 0);
    assert_false(bed->acl->nat_changed);
}

/* Returns the name of the port behind an address, "" if there is none. */
static const char *
owner_of(const struct acl_bed *bed, enum endpoint_kind kind,
         const char *address, const char *resident)
{
    struct desired_endpoint ep = make_endpoint(kind, address, resident);
    struct acl_inputs inputs = acl_bed_inputs(bed);
    const struct acl_port *port = acl_find_owner(bed->acl, &inputs, &ep);

    return port ? port->name : "";
}

/* Whose rules it is about, also where they do not decide. */
static void
test_owner(void **state)
{
    struct fixture *f = *state;
    struct acl_bed *bed = &f->bed;

    acl_bed_update(bed);
    assert_string_equal(owner_of(bed, ENDPOINT_FIP_CENTRALISED,
                                 "172.24.100.112", "cr-lrp-out"), "vm1");
    assert_string_equal(owner_of(bed, ENDPOINT_FIP_CENTRALISED,
                                 "172.24.100.99", "cr-lrp-out"), "");
    assert_string_equal(owner_of(bed, ENDPOINT_FIP_DISTRIBUTED,
                                 "172.24.100.112", "vm2"), "vm2");
    assert_string_equal(owner_of(bed, ENDPOINT_ROUTER, "172.24.100.112",
                                 "vm2"), "");

    /* A policy that may lead elsewhere. */
    acl_bed_add_flow(bed, SB_ACL_ROUTER_POLICY, 100, ROUTER,
                     "ip4.src == 192.0.2.1",
                     "reg0 = 10.1.0.77; outport = \"lrp-in\"; next;");
    acl_bed_update(bed);
    assert_string_equal(owner_of(bed, ENDPOINT_FIP_CENTRALISED,
                                 "172.24.100.112", "cr-lrp-out"), "vm1");

    /* Another tenant has the address too, but not behind this router. */
    acl_bed_add_vm(bed, "vm9", OTHER, "fa:16:3e:00:00:11 10.1.0.3");
    acl_bed_update(bed);
    assert_string_equal(owner_of(bed, ENDPOINT_FIP_CENTRALISED,
                                 "172.24.100.112", "cr-lrp-out"), "vm1");
    acl_bed_drop_flow(bed, f->route);
    acl_bed_update(bed);
    assert_string_equal(owner_of(bed, ENDPOINT_FIP_CENTRALISED,
                                 "172.24.100.112", "cr-lrp-out"), "");
}

/* Runs the tests. */
int
main(void)
{
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)
    static const struct CMUnitTest tests[] = {
        TEST(test_vm),
        TEST(test_vm_translated),
        TEST(test_vm_rival),
        TEST(test_fip),
        TEST(test_fip_twice),
        TEST(test_fip_load_balancer),
        TEST(test_fip_no_backends),
        TEST(test_fip_source),
        TEST(test_fip_shared),
        TEST(test_fip_front),
        TEST(test_fip_inport),
        TEST(test_fip_policy),
        TEST(test_fip_route),
        TEST(test_fip_rivals),
        TEST(test_kinds),
        TEST(test_noted),
        TEST(test_owner),
    };

    vlog_set_levels(NULL, VLF_CONSOLE, VLL_OFF);
    return cmocka_run_group_tests_name("acl-judge", tests, NULL, NULL);
}
