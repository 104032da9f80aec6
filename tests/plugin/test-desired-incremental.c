/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever changes, and in whatever order: what is desired after following the
 * changes is what deriving everything anew gives, and the datapath holds it.
 *
 * Everything is made of few names and addresses, so that it collides a lot.
 * OVN_XDP_TEST_SEED replaces the seed; the one in use is printed. */

#include <config.h>

#include "plugin/desired.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "idl/nat-fact.h"
#include "idl/row-changes.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "plugin/datapath-fake.h"
#include "plugin/reconcile.h"
#include "random.h"
#include "tests/plugin/values.h"
#include "util.h"
#include "uuid.h"

/* Histories, and updates in each of them. */
#define N_HISTORIES 60
#define N_STEPS 150

/* Most rows of each kind. */
#define N_ROWS 20

/* Most endpoints of a datapath that all fit into, and of one that is often too
 * small. */
#define MANY_ENDPOINTS 64
#define FEW_ENDPOINTS 3

/* A chassis, and what is derived of it as it changes. */
struct world {
    struct values values;       /* The inputs. */
    struct row_changes bindings; /* What changed in them. */
    struct row_changes facts[2]; /* Likewise, of both databases. */
    bool devices;               /* Something else changed. */
    size_t n_bridges;           /* Bridges, shown or hidden. */
    struct desired *desired;    /* Follows the changes. */
    struct dp *dp;              /* Datapath in memory. */
    struct reconcile *reconcile; /* Follows 'desired'. */
    long long int now;          /* Time of the next run. */
};

/* Returns one of 'n' words that begin with 'prefix'. */
static const char *
random_word(const char *prefix, int n)
{
    static char word[32];

    snprintf(word, sizeof word, "%s%d", prefix, random_range(n));
    return word;
}

/* Returns the name of a port: of a VM, or of one of two routers. */
static const char *
random_port(void)
{
    static const char *const prefixes[] = {
        "vm", "vm", "r", "lrp-r", "cr-lrp-r" };
    return random_word(prefixes[random_range(ARRAY_SIZE(prefixes))], 3);
}

/* Returns the name of a router port. */
static const char *
random_router_port(void)
{
    return random_word("lrp-r", 3);
}

/* Returns a type of port. */
static const char *
random_type(void)
{
    static const char *const types[] = {
        "", "", "", "virtual", "localnet", "localnet", "patch", "patch",
        "chassisredirect", "chassisredirect", "l3gateway", "external" };
    return types[random_range(ARRAY_SIZE(types))];
}

/* Returns the name of a network. */
static const char *
random_network(void)
{
    return random_word("physnet", 3);
}

/* Returns an address. */
static const char *
random_address(void)
{
    static char address[INET6_ADDRSTRLEN];

    snprintf(address, sizeof address,
             random_range(3) ? "172.24.100.%d" : "2001:db8::%d",
             1 + random_range(5));
    return address;
}

/* Appends to 'ds' a MAC and an address or two, or now and then something that
 * is none. */
static void
put_addresses(struct ds *ds)
{
    if (!random_range(8)) {
        ds_put_cstr(ds, random_range(2) ? "unknown" : "rubbish");
        return;
    }
    ds_put_format(ds, "fa:16:3e:00:00:0%d", 1 + random_range(3));
    for (int i = random_range(3); i >= 0; i--) {
        ds_put_format(ds, " %s", random_address());
    }
}

/* Adds a string to 'strings', or removes one.  With 'residence' it may say
 * where it holds. */
static void
edit_strings(struct sset *strings, bool residence)
{
    if (sset_count(strings) > (unsigned int) random_range(4)) {
        free(sset_pop(strings));
    } else {
        struct ds ds = DS_EMPTY_INITIALIZER;

        put_addresses(&ds);
        if (residence && random_range(4)) {
            ds_put_format(&ds, " is_chassis_resident(\"%s\")", random_port());
        }
        sset_add(strings, ds_cstr(&ds));
        ds_destroy(&ds);
    }
}

/* Replaces '*string' by what 'generate' returns, or by NULL. */
static void
edit_string(char **string, const char *(*generate)(void))
{
    free(*string);
    *string = random_range(4) ? xstrdup(generate()) : NULL;
}

/* Replaces '*string' by what 'generate' returns. */
static void
replace_string(char **string, const char *(*generate)(void))
{
    free(*string);
    *string = xstrdup(generate());
}

/* Changes a member of 'b'.  Returns to which part of it that belongs. */
static unsigned int
edit_member(struct sb_binding *b)
{
    static const int tags[] = { -1, 0, 7, 4095 };

    switch (random_range(18)) {
    case 0: b->here = !b->here; break;
    case 1: b->additional = !b->additional; break;
    case 2: b->activated = !b->activated; break;
    case 3: b->up = !b->up; break;
    case 4: b->tag = tags[random_range(ARRAY_SIZE(tags))]; break;
    case 5: b->datapath.parts[3] = 1 + random_range(3); break;
    case 6: replace_string(&b->type, random_type); break;
    case 7: replace_string(&b->logical_port, random_port); break;
    case 8: edit_string(&b->network_name, random_network); break;
    case 9: edit_string(&b->distributed_port, random_router_port); break;
    case 10: edit_string(&b->peer, random_router_port); break;
    case 11: edit_string(&b->virtual_parent, random_port); break;
    case 12: case 13: edit_strings(&b->macs, false); break;
    case 14: case 15: edit_strings(&b->port_security, false); break;
    default:
        edit_strings(&b->nat_addresses, true);
        return SB_BINDING_NAT;
    }
    return SB_BINDING_PORT;
}

/* Gives 'b' values of a kind that makes sense more often than chance. */
static void
fill_binding(struct sb_binding *b)
{
    b->here = random_range(4);
    b->tag = random_range(3) ? -1 : 7;
    b->network_name = xstrdup(random_network());
    b->distributed_port = xstrdup(random_router_port());
    b->peer = xstrdup(random_router_port());
    b->virtual_parent = xstrdup(random_word("vm", 3));
    edit_strings(&b->macs, false);
    edit_strings(&b->port_security, false);
    if (random_range(2)) {
        edit_strings(&b->nat_addresses, true);
    }
}

/* Adds, changes or deletes a binding of 'w'. */
static void
edit_binding(struct world *w)
{
    uint32_t row = 1 + random_range(N_ROWS);
    struct uuid uuid = { { row, 0, 0, 0 } };
    struct sb_binding *b = CONST_CAST(struct sb_binding *,
                                      sb_view_find_binding(&w->values.sb,
                                                           &uuid));
    unsigned int parts = SB_BINDING_PORT | SB_BINDING_NAT;

    if (!b) {
        w->values.last_row = row - 1;
        b = values_add_binding(&w->values, random_type(), random_port(),
                               1 + random_range(3));
        fill_binding(b);
    } else if (random_range(6)) {
        parts = edit_member(b);
    } else {
        values_drop_binding(&w->values, b);
    }
    row_changes_add(&w->bindings, &uuid, parts);
}

/* Gives 'fact' an owner, or none. */
static void
edit_residence(struct nat_fact *fact)
{
    fact->distributed = random_range(2);
    free(fact->resident);
    fact->resident = fact->distributed ? xstrdup(random_port()) : NULL;
    fact->mac = eth_addr_zero;
    if (fact->distributed) {
        eth_addr_from_string("fa:16:3e:00:00:01", &fact->mac);
        fact->mac.ea[5] += random_range(3);
    }
}

/* Adds, changes or deletes a fact of 'w'. */
static void
edit_fact(struct world *w)
{
    int origin = random_range(2);
    struct hmap *facts = origin ? &w->values.nb_facts : &w->values.sb_facts;
    uint32_t row = 1 + random_range(N_ROWS / 4);
    struct uuid uuid = { { row, 0, 0, 0 } };
    struct nat_fact *fact = CONST_CAST(struct nat_fact *,
                                       nat_fact_find(facts, &uuid));

    if (!fact) {
        w->values.last_row = row - 1;
        fact = values_add_fact(&w->values, facts, random_router_port(),
                               random_address());
        edit_residence(fact);
    } else if (random_range(3)) {
        replace_string(&fact->router_port, random_router_port);
        fact->kind = random_range(2) ? NAT_FACT_LB : NAT_FACT_NAT;
        edit_residence(fact);
    } else {
        hmap_remove(facts, &fact->node);
        nat_fact_destroy(fact);
    }
    row_changes_add(&w->facts[origin], &uuid, 1);
}

/* Changes a setting of 'w'. */
static void
edit_setting(struct world *w)
{
    static const struct {
        const char *key;
        const char *values[4];
    } settings[] = {
        { "ovn-bridge-mappings", { "physnet0:br-ex", "physnet1:br-b",
                                   "physnet0:br-ex,physnet1:br-b",
                                   "physnet0:br-b,physnet2:br-no" } },
        { "ovn-xdp-exclude", { "", "172.24.100.2", "vm1,2001:db8::3",
                               "cr-lrp-r1" } },
        { "ovn-xdp-interfaces", { "eth1", "eth1,eth2", "auto", "" } },
        { "ovn-xdp-mode", { "auto", "native", "generic", "auto" } },
        { "ovn-xdp-bridge-port", { "auto", "auto", "internal", "veth" } },
        { "ovn-xdp-max-endpoints", { "16", "64", "128", "1024" } },
    };
    int i = random_range(ARRAY_SIZE(settings));

    values_set(&w->values, settings[i].key,
               settings[i].values[random_range(4)]);
}

/* Changes 'dev'. */
static void
edit_device(struct netdev_info *dev)
{
    switch (random_range(6)) {
    case 0: dev->mtu = 1500 + random_range(2); break;
    case 1: dev->mac.ea[5] = random_range(3); break;
    case 2: dev->running = !dev->running; break;
    case 3: dev->ndo_xmit = !dev->ndo_xmit; break;
    case 4: dev->ndo_xmit_sg = !dev->ndo_xmit_sg; break;
    default: dev->native = !dev->native; break;
    }
}

/* Changes a device of 'w', or what is known of one. */
static void
edit_devices(struct world *w)
{
    static const char *const names[] = { "br-ex", "br-b", "eth1", "eth2",
                                         "tap1" };
    const char *name = names[random_range(ARRAY_SIZE(names))];
    struct netdev_info *dev = values_device(&w->values, name);

    if (!dev) {
        values_add_device(&w->values, name, name[0] == 'b' ? "tun" : "");
    } else if (random_range(5)) {
        edit_device(dev);
    } else {
        values_remove_device(&w->values, name);
    }
    if (!random_range(4) && !sset_find_and_delete(&w->values.foreign, name)) {
        sset_add(&w->values.foreign, name);
    }
}

/* Has OVN plug a network of 'w' into a bridge, in the place of what was there
 * before, or into none. */
static void
edit_plugged(struct world *w)
{
    struct ovs_bridge *bridge
        = &w->values.ovs.bridges[random_range(w->n_bridges)];

    free(bridge->ports->localnet);
    bridge->ports->localnet = (random_range(3)
                               ? xstrdup(random_port())
                               : NULL);
}

/* Changes something of 'w' that is no row. */
static void
edit_devices_or_settings(struct world *w)
{
    w->devices = true;
    switch (random_range(5)) {
    case 0: edit_setting(w); break;
    case 1: edit_devices(w); break;
    case 3: edit_plugged(w); break;
    case 2: w->values.ovs.n_bridges = random_range(w->n_bridges + 1); break;
    default: break;
    }
}

/* Changes 'w' at random. */
static void
edit(struct world *w)
{
    int kind = random_range(20);

    if (kind < 13) {
        edit_binding(w);
    } else if (kind < 17) {
        edit_fact(w);
    } else {
        edit_devices_or_settings(w);
    }
}

/* Appends 'problems' to 'ds', one a line. */
static void
put_problems(struct ds *ds, const struct problems *problems)
{
    for (size_t i = 0; i < problems->n; i++) {
        ds_put_format(ds, "%s: %s\n",
                      reason_to_string(problems->list[i].class),
                      problems->list[i].message);
    }
}

/* Returns 'desired' as text; the caller frees it. */
static char *
dump(const struct desired *desired)
{
    char *(*const dumps[])(const struct desired *) = {
        values_dump_endpoints, values_dump_interfaces, values_dump_bridges };
    struct ds ds = DS_EMPTY_INITIALIZER;

    for (size_t i = 0; i < ARRAY_SIZE(dumps); i++) {
        char *text = dumps[i](desired);
        ds_put_cstr(&ds, text);
        free(text);
    }
    put_problems(&ds, &desired->problems);
    return ds_steal_cstr(&ds);
}

/* Returns true if 'problems' has 'wanted'. */
static bool
has_problem(const struct problems *problems, const struct problem *wanted)
{
    for (size_t i = 0; i < problems->n; i++) {
        if (problems->list[i].class == wanted->class
            && !strcmp(problems->list[i].message, wanted->message)) {
            return true;
        }
    }
    return false;
}

/* Checks that 'after' is 'before' and 'fresh', without what has gone. */
static void
check_fresh(const struct problems *before, const struct problems *after,
            const struct problems *fresh)
{
    size_t n = 0;

    for (size_t i = 0; i < after->n; i++) {
        bool old = has_problem(before, &after->list[i]);

        assert_int_equal(has_problem(fresh, &after->list[i]), !old);
        n += !old;
    }
    assert_int_equal(fresh->n, n);
}

/* Updates 'desired' of 'w' and forgets the changes. */
static void
follow(struct world *w)
{
    struct desired_inputs inputs = values_inputs(&w->values);
    struct desired_changes changes = {
        .all = !random_range(50),
        .devices = w->devices,
        .bindings = &w->bindings,
        .sb_facts = &w->facts[0],
        .nb_facts = &w->facts[1],
    };
    struct problems before = PROBLEMS_INITIALIZER;

    problems_append(&before, &w->desired->problems);
    desired_update(w->desired, &inputs, &changes);
    check_fresh(&before, &w->desired->problems, &w->desired->fresh_problems);
    problems_destroy(&before);
    row_changes_clear(&w->bindings);
    row_changes_clear(&w->facts[0]);
    row_changes_clear(&w->facts[1]);
    w->devices = false;
}

/* What check_endpoint() needs. */
struct comparison {
    const struct desired *desired; /* What should be there. */
    size_t n;                   /* Endpoints that were there, */
};

/* Checks that 'dp', which the datapath holds, should be there. */
static void
check_endpoint(const struct dp_endpoint *dp, void *c_)
{
    struct comparison *c = c_;
    const struct desired_endpoint *ep = desired_find_endpoint(c->desired,
                                                              &dp->key);
    struct dp_action action;

    assert_non_null(ep);
    assert_true(desired_endpoint_action(ep, &action));
    assert_true(eth_addr_equals(action.dmac, dp->action.dmac));
    assert_true(eth_addr_equals(action.smac, dp->action.smac));
    assert_int_equal(action.vlan, dp->action.vlan);
    assert_int_equal(action.target_sg, dp->action.target_sg);
    assert_int_equal(action.ifindex, dp->action.ifindex);
    assert_int_equal(action.mtu, dp->action.mtu);
    assert_int_equal(action.bridge, dp->action.bridge);
    c->n++;
}

/* Brings the datapath of 'w' to what is desired, and checks that it is; now
 * and then with an operation that fails, after which it need not be. */
static void
bring_about(struct world *w, const struct desired *full)
{
    struct comparison c = { full, 0 };
    const struct desired_endpoint *ep;
    size_t expected = 0;

    if (!random_range(10)) {
        dp_fake_fail_next(w->dp, ENOMEM);
    }
    w->now += 100000;
    reconcile_run(w->reconcile, w->desired, w->now);
    desired_forget_changes(w->desired);
    dp_fake_fail_next(w->dp, 0);
    if (reconcile_is_due(w->reconcile, w->now + 100000)) {
        return;
    }

    datapath_fake_class.dump_endpoints(w->dp, check_endpoint, &c);
    HMAP_FOR_EACH (ep, node, &full->endpoints) {
        expected += ep->reason == REASON_NONE;
    }
    if (reconcile_is_full(w->reconcile)) {
        assert_int_equal(c.n, FEW_ENDPOINTS);
        assert_true(expected > c.n);
    } else {
        assert_int_equal(c.n, expected);
    }
}

/* Checks that what 'w' has followed to is what all of it gives. */
static void
check(struct world *w)
{
    struct desired *full = values_derive(&w->values);
    char *expected = dump(full);
    char *actual = dump(w->desired);

    assert_string_equal(actual, expected);
    bring_about(w, full);
    free(actual);
    free(expected);
    desired_destroy(full);
}

/* Makes 'w' a chassis with two bridges, whose datapath has room for
 * 'max_endpoints'. */
static void
world_init(struct world *w, uint32_t max_endpoints)
{
    struct dp_config config = { "incremental", max_endpoints };

    *w = (struct world) { .now = 1000000 };
    values_init(&w->values);
    values_set(&w->values, "system-id", "hv1");
    values_set(&w->values, "ovn-bridge-mappings",
               "physnet0:br-ex,physnet1:br-b");
    values_set(&w->values, "ovn-xdp-interfaces", "eth1");
    values_add_device(&w->values, "eth1", "");
    values_add_bridge(&w->values, "br-ex", true);
    values_add_bridge(&w->values, "br-b", true);
    w->n_bridges = w->values.ovs.n_bridges;
    row_changes_init(&w->bindings);
    row_changes_init(&w->facts[0]);
    row_changes_init(&w->facts[1]);
    w->desired = desired_create();
    assert_int_equal(datapath_fake_class.open(&config, &w->dp), 0);
    w->reconcile = reconcile_create(&datapath_fake_class, w->dp);
}

/* Frees what 'w' holds. */
static void
world_destroy(struct world *w)
{
    reconcile_destroy(w->reconcile);
    datapath_fake_class.close(w->dp, true);
    desired_destroy(w->desired);
    row_changes_destroy(&w->bindings);
    row_changes_destroy(&w->facts[0]);
    row_changes_destroy(&w->facts[1]);
    w->values.ovs.n_bridges = w->n_bridges;
    values_destroy(&w->values);
}

/* Lives through a history. */
static void
live(uint32_t seed)
{
    struct world w;

    random_set_seed(seed);
    world_init(&w, seed % 4 ? MANY_ENDPOINTS : FEW_ENDPOINTS);
    for (int i = 0; i < N_STEPS; i++) {
        for (int j = random_range(i ? 4 : 60); j >= 0; j--) {
            edit(&w);
        }
        if (random_range(4)) {
            follow(&w);
            check(&w);
        }
    }
    world_destroy(&w);
}

/* Every step of every history. */
static void
test_histories(void **state OVS_UNUSED)
{
    const char *text = getenv("OVN_XDP_TEST_SEED");
    uint32_t first = text ? strtoul(text, NULL, 10) : 1;

    for (uint32_t seed = first; seed < first + N_HISTORIES; seed++) {
        print_message("seed %"PRIu32"\n", seed);
        live(seed);
    }
}

/* Nothing is derived anew for what does not matter to it. */
static void
test_irrelevant(void **state OVS_UNUSED)
{
    struct world w;

    random_set_seed(1);
    world_init(&w, MANY_ENDPOINTS);
    for (int i = 0; i < 40; i++) {
        edit_binding(&w);
    }
    follow(&w);
    check(&w);
    uint64_t n = w.desired->n_recomputes;

    values_add_device(&w.values, "tap77", "tun");
    values_device(&w.values, "eth1")->mtu = 9000;
    values_set(&w.values, "ovn-xdp-max-endpoints", "1024");
    w.devices = true;
    follow(&w);
    assert_false(w.desired->all_changed);
    assert_true(hmap_is_empty(&w.desired->changed));
    check(&w);

    /* A bridge's own MTU does, but to no claim. */
    values_device(&w.values, "br-ex")->mtu = 9000;
    w.devices = true;
    follow(&w);
    assert_true(w.desired->all_changed);
    assert_int_equal(w.desired->n_recomputes, n);
    check(&w);
    world_destroy(&w);
}

/* Runs the tests. */
int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_histories),
        cmocka_unit_test(test_irrelevant),
    };

    vlog_set_levels(NULL, VLF_CONSOLE, VLL_OFF);
    return cmocka_run_group_tests_name("desired-incremental", tests, NULL,
                                       NULL);
}
