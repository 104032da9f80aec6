/* SPDX-License-Identifier: Apache-2.0 */
/* Whom does an address stand for? */
#include <config.h>

#include "plugin/acl.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "plugin/desired.h"
#include "tests/plugin/acl-bed.h"
#include "util.h"

/* Datapaths of the cloud: a network of VMs and its router. */
#define TENANT 1
#define ROUTER 2

/* A floating IP. */
#define FIP "172.24.100.112"

/* Has the router translate the floating IP to 'logical'.  Returns the flow. */
static uint32_t
add_dnat(struct acl_bed *bed, const char *logical)
{
    char *actions = xasprintf("ct_dnat(%s);", logical);
    uint32_t flow = acl_bed_add_flow(bed, SB_ACL_ROUTER_DNAT, 100, ROUTER,
                                     "ip && ip4.dst == " FIP
                                     " && inport == \"lrp-out\"", actions);

    free(actions);
    return flow;
}

/* Makes '*state' a cloud with two VMs. */
static int
setup(void **state)
{
    struct acl_bed *bed = xmalloc(sizeof *bed);

    acl_bed_init(bed);
    acl_bed_set_datapath(bed, TENANT, true);
    acl_bed_set_datapath(bed, ROUTER, true);
    acl_bed_set_link(bed, "lrp-in", TENANT);
    acl_bed_add_flow(bed, SB_ACL_ROUTER_ROUTE, 74, ROUTER,
                     "ip4.dst == 10.1.0.0/24",
                     "ip.ttl--; reg8[0..15] = 0; reg0 = ip4.dst; "
                     "reg1 = 10.1.0.1; eth.src = fa:16:3e:00:00:01; "
                     "outport = \"lrp-in\"; flags.loopback = 1; next;");
    acl_bed_add_vm(bed, "vm1", TENANT, "fa:16:3e:00:00:01 10.1.0.3");
    acl_bed_add_vm(bed, "vm2", TENANT, "fa:16:3e:00:00:02 10.1.0.4");
    *state = bed;
    return 0;
}

static int
teardown(void **state)
{
    acl_bed_destroy(*state);
    free(*state);
    return 0;
}

/* Stores in '*behind' whom the floating IP of 'kind', resident with
 * 'resident', stands for.  Returns false if that is not known. */
static bool
find(struct acl_bed *bed, enum endpoint_kind kind, const char *resident,
     struct acl_behind *behind)
{
    const struct desired_endpoint ep = {
        .key = values_key(FIP), .kind = kind,
        .logical_port = CONST_CAST(char *, resident),
    };
    struct acl_inputs inputs;

    acl_bed_update(bed);
    inputs = acl_bed_inputs(bed);
    return acl_find_behind(bed->acl, &inputs, &ep, behind);
}

/* Checks that it stands for 'inside' of 'port'. */
static void
check(struct acl_bed *bed, enum endpoint_kind kind, const char *resident,
      const char *port, const char *inside)
{
    struct dp_key key = values_key(inside);
    struct acl_behind behind;

    assert_true(find(bed, kind, resident, &behind));
    assert_string_equal(behind.port, port);
    assert_memory_equal(&behind.ip, &key.addr, sizeof behind.ip);
}

/* A floating IP stands for what it is translated to, wherever it is
 * resident. */
static void
test_floating_ip(void **state)
{
    struct acl_bed *bed = *state;

    check(bed, ENDPOINT_FIP_CENTRALISED, "cr-lrp-out", "", "::");
    uint32_t dnat = add_dnat(bed, "10.1.0.3");
    check(bed, ENDPOINT_FIP_CENTRALISED, "cr-lrp-out", "vm1", "10.1.0.3");
    check(bed, ENDPOINT_FIP_DISTRIBUTED, "vm9", "vm1", "10.1.0.3");

    /* It moves to another VM, and to an address that is nobody's. */
    acl_bed_drop_flow(bed, dnat);
    dnat = add_dnat(bed, "10.1.0.4");
    check(bed, ENDPOINT_FIP_CENTRALISED, "cr-lrp-out", "vm2", "10.1.0.4");
    acl_bed_drop_flow(bed, dnat);
    add_dnat(bed, "10.1.0.77");
    check(bed, ENDPOINT_FIP_CENTRALISED, "cr-lrp-out", "", "10.1.0.77");
}

/* Anything else stands for itself. */
static void
test_itself(void **state)
{
    struct acl_bed *bed = *state;

    add_dnat(bed, "10.1.0.3");
    check(bed, ENDPOINT_VM, "vm9", "vm9", FIP);
}

/* Before the Southbound has told all, that is not known of a floating IP. */
static void
test_incomplete(void **state)
{
    struct acl_bed *bed = *state;
    struct acl_behind behind;

    add_dnat(bed, "10.1.0.3");
    bed->view.complete = false;
    assert_false(find(bed, ENDPOINT_FIP_CENTRALISED, "cr-lrp-out", &behind));
    assert_true(find(bed, ENDPOINT_VM, "vm9", &behind));
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_floating_ip, setup, teardown),
        cmocka_unit_test_setup_teardown(test_itself, setup, teardown),
        cmocka_unit_test_setup_teardown(test_incomplete, setup, teardown),
    };

    return cmocka_run_group_tests_name("acl-behind", tests, NULL, NULL);
}
