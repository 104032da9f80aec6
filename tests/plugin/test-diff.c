/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of plugin/diff.c: examples that matter (a floating IP that moves), and
 * the properties of any two sets of endpoints. */

#include <config.h>

#include "plugin/diff.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "packets.h"
#include "plugin/desired.h"
#include "random.h"
#include "tests/plugin/values.h"
#include "util.h"

#define VM1 "fa:16:3e:bb:00:01"
#define VM2 "fa:16:3e:bb:00:02"
#define GW "fa:16:3e:77:7f:9c"
#define EXT "fa:16:3e:aa:00:03"
#define FIP "172.24.100.112"

/* Random cases, and changes in each of them. */
#define N_SEQUENCES 2500
#define N_STEPS 6

/* Keys and bridges of random cases. */
#define N_KEYS 40
#define N_BRIDGES 3

/* Does to 'installed' what 'diff' says, checking each operation: nothing is
 * put twice or deleted twice, and deletions come first. */
static void
apply(const struct diff *diff, struct hmap *installed)
{
    bool put = false;

    for (size_t i = 0; i < diff->n; i++) {
        const struct diff_op *op = &diff->ops[i];

        for (size_t j = 0; j < i; j++) {
            assert_false(dp_key_equals(&op->dp.key, &diff->ops[j].dp.key));
        }
        if (op->type == DIFF_PUT) {
            put = true;
            installed_put(installed, &op->dp);
        } else {
            assert_false(put);
            assert_non_null(installed_find(installed, &op->dp.key));
            installed_del(installed, &op->dp.key);
        }
    }
}

/* Returns true if 'a' and 'b' have the datapath do the same. */
static bool
same_action(const struct dp_action *a, const struct dp_action *b)
{
    return !memcmp(&a->dmac, &b->dmac, sizeof a->dmac)
           && !memcmp(&a->smac, &b->smac, sizeof a->smac)
           && a->vlan == b->vlan && a->target_sg == b->target_sg
           && a->ifindex == b->ifindex && a->mtu == b->mtu;
}

/* Returns how many operations there must at least be from 'installed' to
 * 'desired'. */
static size_t
distance(const struct hmap *installed, const struct desired *desired)
{
    const struct installed_endpoint *old;
    const struct desired_endpoint *ep;
    struct dp_action action;
    size_t n = 0;

    HMAP_FOR_EACH (ep, node, &desired->endpoints) {
        if (desired_endpoint_action(ep, &action)) {
            old = installed_find(installed, &ep->key);
            n += !old || !same_action(&old->dp.action, &action);
        }
    }
    HMAP_FOR_EACH (old, node, installed) {
        ep = desired_find_endpoint(desired, &old->dp.key);
        n += !ep || ep->reason != REASON_NONE;
    }
    return n;
}

/* Brings 'installed' to 'desired', and checks that this takes 'n_put' and
 * 'n_del' operations and leaves nothing to do. */
static void
bring(struct hmap *installed, const struct desired *desired, size_t n_put,
      size_t n_del)
{
    struct diff diff;
    size_t n = 0;

    diff_compute(installed, desired, &diff);
    for (size_t i = 0; i < diff.n; i++) {
        n += diff.ops[i].type == DIFF_PUT;
    }
    assert_int_equal(n, n_put);
    assert_int_equal(diff.n - n, n_del);
    apply(&diff, installed);
    diff_destroy(&diff);
    assert_int_equal(distance(installed, desired), 0);
}

/* Derives 'values' and brings 'installed' there as bring() does. */
static void
follow(struct values *values, struct hmap *installed, size_t n_put,
       size_t n_del)
{
    struct desired *desired = values_derive(values);

    assert_int_equal(desired->problems.n, 0);
    bring(installed, desired, n_put, n_del);
    bring(installed, desired, 0, 0);
    desired_destroy(desired);
}

/* Returns the destination MAC that is installed for 'address', as text. */
static const char *
installed_mac(const struct hmap *installed, const char *address)
{
    struct dp_key key = values_key(address);
    const struct installed_endpoint *ep = installed_find(installed, &key);
    static char text[ETH_ADDR_STRLEN + 1];

    assert_non_null(ep);
    snprintf(text, sizeof text, ETH_ADDR_FMT,
             ETH_ADDR_ARGS(ep->dp.action.dmac));
    return text;
}

/* Replaces all 'nat_addresses' of 'router' by 'nat'. */
static void
set_nat(struct sb_binding *router, const char *nat)
{
    sset_clear(&router->nat_addresses);
    sset_add(&router->nat_addresses, nat);
}

/* The installed set itself. */
static void
test_installed(void **state OVS_UNUSED)
{
    struct hmap installed = HMAP_INITIALIZER(&installed);
    struct dp_endpoint dp = { .key = values_key(FIP) };
    struct dp_key other = values_key(FIP);

    other.vlan = 7;
    assert_null(installed_find(&installed, &dp.key));
    installed_del(&installed, &dp.key);
    installed_put(&installed, &dp);
    dp.action.mtu = 9000;
    installed_put(&installed, &dp);
    assert_int_equal(hmap_count(&installed), 1);
    assert_int_equal(installed_find(&installed, &dp.key)->dp.action.mtu,
                     9000);
    assert_null(installed_find(&installed, &other));
    installed_del(&installed, &other);
    assert_int_equal(hmap_count(&installed), 1);
    installed_del(&installed, &dp.key);
    assert_int_equal(hmap_count(&installed), 0);
    installed_put(&installed, &dp);
    installed_destroy(&installed);
}

/* A floating IP that moves between centralised and distributed, and between
 * VMs, is one replacement each time and never gone. */
static void
test_rehome(void **state OVS_UNUSED)
{
    struct hmap installed = HMAP_INITIALIZER(&installed);
    struct sb_binding *router;
    struct values values;

    values_init_cloud(&values);
    values_add_vm(&values, "vm1", 2, VM1 " 10.0.0.1");
    values_add_vm(&values, "vm2", 2, VM2 " 10.0.0.2");
    router = values_add_router(&values, "gw", 1, GW, GW " " FIP
                               " is_chassis_resident(\"cr-lrp-gw\")");
    follow(&values, &installed, 1, 0);
    assert_string_equal(installed_mac(&installed, FIP), GW);

    set_nat(router, EXT " " FIP " is_chassis_resident(\"vm1\")");
    follow(&values, &installed, 1, 0);
    assert_string_equal(installed_mac(&installed, FIP), EXT);

    set_nat(router, VM2 " " FIP " is_chassis_resident(\"vm2\")");
    follow(&values, &installed, 1, 0);
    assert_string_equal(installed_mac(&installed, FIP), VM2);

    set_nat(router, GW " " FIP " is_chassis_resident(\"cr-lrp-gw\")");
    follow(&values, &installed, 1, 0);
    assert_string_equal(installed_mac(&installed, FIP), GW);

    /* With the same MAC there is nothing to do. */
    set_nat(router, GW " " FIP " is_chassis_resident(\"vm1\")");
    follow(&values, &installed, 0, 0);

    /* Away is away. */
    values_binding(&values, "vm1")->here = false;
    follow(&values, &installed, 0, 1);
    values_binding(&values, "vm1")->here = true;
    values_binding(&values, "vm1")->up = false;
    follow(&values, &installed, 0, 0);
    values_binding(&values, "vm1")->up = true;
    follow(&values, &installed, 1, 0);

    values_destroy(&values);
    installed_destroy(&installed);
}

/* Everything that an action consists of matters. */
static void
test_actions(void **state OVS_UNUSED)
{
    struct hmap installed = HMAP_INITIALIZER(&installed);
    struct netdev_info *dev;
    struct values values;
    struct sb_binding *vm;

    values_init_cloud(&values);
    vm = values_add_vm(&values, "vm1", 1, VM1 " 172.24.100.50");
    follow(&values, &installed, 1, 0);

    values_binding(&values, "provnet-1")->tag = 7;
    follow(&values, &installed, 1, 0);
    dev = values_device(&values, "br-ex");
    dev->mtu = 9000;
    follow(&values, &installed, 1, 0);
    dev->mac.ea[0] ^= 2;
    follow(&values, &installed, 1, 0);
    dev->ndo_xmit_sg = false;
    follow(&values, &installed, 1, 0);
    dev->ifindex++;
    follow(&values, &installed, 1, 0);
    sset_clear(&vm->macs);
    sset_add(&vm->macs, VM2 " 172.24.100.50");
    follow(&values, &installed, 1, 0);

    /* A duplicate takes the address away; a name does not matter. */
    free(vm->logical_port);
    vm->logical_port = xstrdup("vm2");
    follow(&values, &installed, 0, 0);

    values_destroy(&values);
    installed_destroy(&installed);
}

/* An address that becomes a duplicate is deleted, and comes back. */
static void
test_duplicate(void **state OVS_UNUSED)
{
    struct hmap installed = HMAP_INITIALIZER(&installed);
    struct desired *desired;
    struct values values;

    values_init_cloud(&values);
    values_add_vm(&values, "vm1", 1, VM1 " 172.24.100.50 172.24.100.51");
    follow(&values, &installed, 2, 0);
    values_add_vm(&values, "vm2", 1, VM2 " 172.24.100.50");
    desired = values_derive(&values);
    bring(&installed, desired, 0, 1);
    desired_destroy(desired);
    values_remove_binding(&values, "vm1");
    follow(&values, &installed, 1, 1);
    assert_string_equal(installed_mac(&installed, "172.24.100.50"), VM2);

    values_destroy(&values);
    installed_destroy(&installed);
}

/* Returns key number 'i' of random cases: both families, two VLANs. */
static struct dp_key
random_key(int i)
{
    char text[INET6_ADDRSTRLEN];
    struct dp_key key;

    snprintf(text, sizeof text, i & 1 ? "192.0.2.%d" : "2001:db8::%d", i / 4);
    key = values_key(text);
    key.vlan = i & 2 ? 7 : 0;
    return key;
}

/* Changes the bridges of 'desired' at random. */
static void
edit_bridges(struct desired *desired)
{
    struct desired_bridge *bridge
        = &desired->bridges[random_range(N_BRIDGES)];

    bridge->ifindex = random_range(3);
    bridge->mtu = 1500 + random_range(2);
    bridge->mac.ea[5] = random_range(2);
    bridge->sg = random_range(2);
}

/* Adds, changes or removes one endpoint of 'desired' at random. */
static void
edit_endpoint(struct desired *desired)
{
    struct dp_key key = random_key(random_range(N_KEYS));
    struct desired_endpoint *ep
        = CONST_CAST(struct desired_endpoint *,
                     desired_find_endpoint(desired, &key));

    if (ep && random_range(3) == 0) {
        hmap_remove(&desired->endpoints, &ep->node);
        free(ep);
        return;
    }
    if (!ep) {
        ep = xzalloc(sizeof *ep);
        ep->key = key;
        hmap_insert(&desired->endpoints, &ep->node, dp_key_hash(&key));
    }
    ep->mac.ea[5] = random_range(3);
    ep->vlan = random_range(2);
    ep->bridge = &desired->bridges[random_range(N_BRIDGES)];
    ep->reason = random_range(4) ? REASON_NONE : REASON_PORT_DOWN;
}

/* Has 'desired' say that every endpoint that can be changed. */
static void
note_all(struct desired *desired)
{
    desired_forget_changes(desired);
    for (int i = 0; i < N_KEYS; i++) {
        struct desired_change *change = xmalloc(sizeof *change);

        change->key = random_key(i);
        hmap_insert(&desired->changed, &change->node,
                    dp_key_hash(&change->key));
    }
}

/* For any two sets: the operations lead from one to the other, there is none
 * too many, and after them none is left. */
static void
test_properties(void **state OVS_UNUSED)
{
    size_t n_ops = 0;

    random_set_seed(20231);
    for (int i = 0; i < N_SEQUENCES; i++) {
        struct hmap installed = HMAP_INITIALIZER(&installed);
        struct desired *desired = desired_create();
        struct desired_endpoint *ep;

        desired->n_bridges = N_BRIDGES;
        desired->bridges = xcalloc(N_BRIDGES, sizeof *desired->bridges);
        for (int j = 0; j < N_STEPS; j++) {
            int n_edits = random_range(j ? 8 : 60);
            struct diff diff;

            for (int k = 0; k < n_edits; k++) {
                edit_endpoint(desired);
            }
            if (!random_range(3)) {
                edit_bridges(desired);
            }
            if (j && random_range(2)) {
                note_all(desired);
                diff_compute_changed(&installed, desired, &diff);
            } else {
                diff_compute(&installed, desired, &diff);
            }
            assert_int_equal(diff.n, distance(&installed, desired));
            n_ops += diff.n;
            apply(&diff, &installed);
            diff_destroy(&diff);
            assert_int_equal(distance(&installed, desired), 0);
            diff_compute(&installed, desired, &diff);
            assert_int_equal(diff.n, 0);
            diff_destroy(&diff);
        }
        HMAP_FOR_EACH_POP (ep, node, &desired->endpoints) {
            free(ep);
        }
        desired_destroy(desired);
        installed_destroy(&installed);
    }
    assert_true(n_ops > 10 * N_SEQUENCES);
}

/* Runs the tests. */
int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_installed),
        cmocka_unit_test(test_rehome),
        cmocka_unit_test(test_actions),
        cmocka_unit_test(test_duplicate),
        cmocka_unit_test(test_properties),
    };

    return cmocka_run_group_tests_name("diff", tests, NULL, NULL);
}
