/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of plugin/view.c and plugin/view-lists.c: what operators see of a
 * make-believe chassis on the datapath in memory.  The databases are real
 * objects that are connected to nothing. */

#include <config.h>

#include "plugin/view.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "idl/ovs-db.h"
#include "idl/sb-db.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/vlog.h"
#include "plugin/datapath-fake.h"
#include "plugin/desired.h"
#include "plugin/netdevs.h"
#include "plugin/ports.h"
#include "plugin/reconcile.h"
#include "plugin/view-private.h"
#include "tests/plugin/values.h"
#include "timeval.h"
#include "util.h"

#define VM1 "fa:16:3e:bb:00:01"
#define VM2 "fa:16:3e:bb:00:02"
#define GW "fa:16:3e:77:7f:9c"

/* What every test works on. */
struct fixture {
    struct values values;       /* Chassis. */
    struct problems setting_problems; /* Of its settings. */
    struct ovs_db *ovs_db;      /* Not connected. */
    struct sb_db *sb_db;        /* Without a remote. */
    struct netdevs *netdevs;    /* The real ones of this machine. */
    struct ports *ports;        /* Without work. */
    struct reconcile *reconcile; /* On 'dp'. */
    struct dp *dp;              /* In memory. */
    struct desired *desired;    /* Last derivation. */
    struct view view;           /* Under test. */
};

/* Derives anew, and brings that about 'n' times. */
static void
update(struct fixture *f, int n)
{
    desired_destroy(f->desired);
    f->desired = values_derive(&f->values);
    f->view.desired = f->desired;
    for (int i = 0; i < n; i++) {
        reconcile_run(f->reconcile, f->desired, 0);
        f->view.programmed = true;
    }
}

/* Prepares a struct fixture: everything is there, nothing was derived. */
static int
setup(void **state)
{
    struct fixture *f = xzalloc(sizeof *f);
    struct dp_config config = { "view", 16 };

    values_init_cloud(&f->values);
    f->ovs_db = ovs_db_create("unix:/nonexistent/db.sock");
    f->sb_db = sb_db_create();
    assert_int_equal(netdevs_create(&f->netdevs), 0);
    f->ports = ports_create(f->ovs_db);
    assert_int_equal(datapath_fake_class.open(&config, &f->dp), 0);
    f->reconcile = reconcile_create(&datapath_fake_class, f->dp);
    f->view = (struct view) {
        .settings = &f->values.settings,
        .setting_problems = &f->setting_problems,
        .ovs_db = f->ovs_db,
        .sb_db = f->sb_db,
        .netdevs = f->netdevs,
        .ports = f->ports,
        .reconcile = f->reconcile,
        .class = &datapath_fake_class,
        .dp = f->dp,
        .started = time_msec() - 5000,
    };
    *state = f;
    return 0;
}

/* Frees a struct fixture. */
static int
teardown(void **state)
{
    struct fixture *f = *state;

    desired_destroy(f->desired);
    reconcile_destroy(f->reconcile);
    datapath_fake_class.close(f->dp, true);
    ports_destroy(f->ports);
    netdevs_destroy(f->netdevs);
    sb_db_destroy(f->sb_db);
    ovs_db_destroy(f->ovs_db);
    problems_destroy(&f->setting_problems);
    values_destroy(&f->values);
    free(f);
    return 0;
}

/* Checks that the endpoints that match 'filter' are 'expected', one line for
 * each: address, kind, state, reason. */
static void
check_endpoints(const struct fixture *f, const char *filter,
                const char *expected)
{
    struct ds ds = DS_EMPTY_INITIALIZER;
    struct view_endpoints list;

    view_get_endpoints(&f->view, filter, &list);
    for (size_t i = 0; i < list.n; i++) {
        const struct view_endpoint *ep = &list.endpoints[i];

        ds_put_format(&ds, "%s %s %s%s%s\n", ep->address, ep->kind, ep->state,
                      ep->reason[0] ? " " : "", ep->reason);
    }
    view_endpoints_uninit(&list);
    assert_string_equal(ds_cstr(&ds), expected);
    ds_destroy(&ds);
}

/* Returns the value of setting 'key' in 'status', or NULL. */
static const char *
find_setting(const struct view_status *status, const char *key)
{
    for (size_t i = 0; i < status->n_settings; i++) {
        if (!strcmp(status->settings[i].key, key)) {
            return status->settings[i].value;
        }
    }
    return NULL;
}

/* Returns how many of the 'n' in 'problems' are of 'class'. */
static size_t
count_class(const struct view_problem *problems, size_t n, const char *class)
{
    size_t count = 0;

    for (size_t i = 0; i < n; i++) {
        assert_true(problems[i].message[0] != '\0');
        count += !strcmp(problems[i].class, class);
    }
    return count;
}

/* Before the datapath is open there is something to show, too. */
static void
test_nothing(void **state)
{
    struct fixture *f = *state;
    struct settings settings;
    struct view view = f->view;
    struct view_interfaces interfaces;
    struct view_endpoints endpoints;
    struct view_status status;
    struct view_health health;
    struct view_stats stats;

    settings_init(&settings);
    view.settings = &settings;
    view.reconcile = NULL;
    view.dp = NULL;
    view_get_status(&view, &status);
    assert_string_equal(status.chassis, "");
    assert_int_equal(status.n_interfaces, 0);
    assert_int_equal(status.n_offloaded + status.n_pending
                     + status.n_ineligible, 0);
    assert_int_equal(status.generation, 0);
    view_status_uninit(&status);
    view_get_health(&view, &health);
    assert_int_equal(health.code, VIEW_FAILED);
    view_health_uninit(&health);
    view_get_interfaces(&view, &interfaces);
    assert_int_equal(interfaces.n, 0);
    view_interfaces_uninit(&interfaces);
    view_get_endpoints(&view, NULL, &endpoints);
    assert_int_equal(endpoints.n, 0);
    view_endpoints_uninit(&endpoints);
    view_get_stats(&view, &stats);
    assert_int_equal(stats.n_interfaces + stats.n_redirect_errors
                     + stats.endpoints.n, 0);
    assert_true(stats.time_ns > 0);
    view_stats_uninit(&stats);
    settings_destroy(&settings);
}

/* Status: who, how long, which databases, which settings. */
static void
test_status(void **state)
{
    struct fixture *f = *state;
    struct view_status status;

    values_set(&f->values, "ovn-xdp-exclude", "vm9,192.0.2.1");
    values_set(&f->values, "ovn-xdp-mode", "generic");
    values_set(&f->values, "ovn-remote", "tcp:192.0.2.1:6642");
    values_add_vm(&f->values, "vm1", 1, VM1 " 172.24.100.50");
    values_add_vm(&f->values, "vm2", 1, VM2 " 172.24.100.51")->up = false;
    values_add_vm(&f->values, "vm9", 1, VM2 " 172.24.100.52");
    values_add_vm(&f->values, "vm8", 1, VM2 " 172.24.100.53 2001:db8::1");
    update(f, 1);
    view_get_status(&f->view, &status);
    assert_string_equal(status.chassis, "hv1");
    assert_string_equal(status.version, PACKAGE_VERSION);
    assert_true(status.uptime >= 5 && status.uptime < 1000);
    assert_int_equal(status.n_offloaded, 3);
    assert_int_equal(status.n_pending, 1);
    assert_int_equal(status.n_ineligible, 1);
    assert_int_equal(status.n_interfaces, 1);
    assert_true(status.generation > 0);
    assert_int_equal(status.generation, view_generation(&f->view));
    assert_int_equal(status.n_databases, 2);
    assert_string_equal(status.databases[0].name, "Open_vSwitch");
    assert_string_equal(status.databases[0].remote,
                        "unix:/nonexistent/db.sock");
    assert_string_equal(status.databases[0].state, "connecting");
    assert_string_equal(status.databases[1].name, "OVN_Southbound");
    assert_string_equal(status.databases[1].state, "disabled");
    assert_string_equal(find_setting(&status, "ovn-remote"),
                        "tcp:192.0.2.1:6642");
    assert_string_equal(find_setting(&status, "ovn-bridge-mappings"),
                        "physnet1:br-ex");
    assert_string_equal(find_setting(&status, "ovn-remote-probe-interval"),
                        "5000");
    assert_string_equal(find_setting(&status, "ovn-xdp-interfaces"), "eth1");
    assert_string_equal(find_setting(&status, "ovn-xdp-exclude"),
                        "192.0.2.1,vm9");
    assert_string_equal(find_setting(&status, "ovn-xdp-mode"), "generic");
    assert_string_equal(find_setting(&status, "ovn-xdp-bridge-port"), "auto");
    assert_string_equal(find_setting(&status, "ovn-xdp-max-endpoints"),
                        "65536");
    view_status_uninit(&status);

    values_set(&f->values, "ovn-xdp-interfaces", "auto");
    view_get_status(&f->view, &status);
    assert_string_equal(find_setting(&status, "ovn-xdp-interfaces"), "auto");
    view_status_uninit(&status);
}

/* Problems of every source, in status and in health. */
static void
test_problems(void **state)
{
    struct fixture *f = *state;
    struct view_status status;
    struct view_health health;

    view_get_health(&f->view, &health);
    assert_int_equal(health.code, VIEW_FAILED);
    view_health_uninit(&health);

    problems_add(&f->setting_problems, REASON_BAD_VALUE, "a setting");
    values_set(&f->values, "ovn-bridge-mappings",
               "physnet1:br-ex,physnet2:br-none");
    values_add_vm(&f->values, "vm1", 1, VM1 " 172.24.100.50");
    update(f, 0);
    dp_fake_fail_next(f->dp, EIO);
    reconcile_run(f->reconcile, f->desired, 0);
    f->view.programmed = true;

    view_get_health(&f->view, &health);
    assert_int_equal(health.code, VIEW_DEGRADED);
    assert_int_equal(health.n_reasons, 5);
    assert_int_equal(count_class(health.reasons, 5, "database-down"), 2);
    assert_int_equal(count_class(health.reasons, 5, "bad-value"), 1);
    assert_int_equal(count_class(health.reasons, 5, "no-bridge"), 1);
    assert_int_equal(count_class(health.reasons, 5, "datapath-error"), 1);
    view_get_status(&f->view, &status);
    assert_int_equal(status.n_problems, health.n_reasons);
    for (size_t i = 0; i < status.n_problems; i++) {
        assert_string_equal(status.problems[i].message,
                            health.reasons[i].message);
    }
    view_status_uninit(&status);
    view_health_uninit(&health);
}

/* The states of endpoints, and what stands in the way. */
static void
test_endpoint_states(void **state)
{
    struct fixture *f = *state;

    values_add_vm(&f->values, "vm1", 1, VM1 " 172.24.100.50");
    values_add_vm(&f->values, "vm2", 1, VM1 " 172.24.100.51")->up = false;
    values_add_vm(&f->values, "vm3", 1, VM1 " 172.24.100.52");
    values_add_vm(&f->values, "vm4", 1, VM2 " 172.24.100.52");
    update(f, 0);
    check_endpoints(f, NULL,
                    "172.24.100.50 vm pending not-programmed\n"
                    "172.24.100.51 vm pending port-down\n"
                    "172.24.100.52 vm ineligible duplicate-address\n");
    update(f, 1);
    check_endpoints(f, "vm1", "172.24.100.50 vm offloaded\n");

    /* No target, no NIC. */
    values_device(&f->values, "br-ex")->up = false;
    update(f, 1);
    check_endpoints(f, "vm1", "172.24.100.50 vm pending link-down\n");
    values_device(&f->values, "br-ex")->up = true;
    values_set(&f->values, "ovn-xdp-interfaces", NULL);
    update(f, 1);
    check_endpoints(f, "vm1", "172.24.100.50 vm pending no-interface\n");
}

/* What does not fit into the map will not be offloaded as things stand. */
static void
test_map_full(void **state)
{
    struct fixture *f = *state;
    struct view_status status;

    for (int i = 1; i <= 17; i++) {
        char *name = xasprintf("vm%d", i);
        char *mac = xasprintf(VM1" 172.24.100.%d", i);

        values_add_vm(&f->values, name, 1, mac);
        free(name);
        free(mac);
    }
    update(f, 1);
    view_get_status(&f->view, &status);
    assert_int_equal(status.n_offloaded, 16);
    assert_int_equal(status.n_ineligible, 1);
    assert_int_equal(count_class(status.problems, status.n_problems,
                                 "map-full"), 1);
    view_status_uninit(&status);
}

/* Endpoints are sorted by address, IPv4 first, and found by address in any
 * spelling, or by port. */
static void
test_endpoint_filter(void **state)
{
    struct fixture *f = *state;

    values_add_vm(&f->values, "vm1", 1, VM1 " 172.24.100.9 172.24.100.10 "
                                        "2001:db8::9 2001:db8::10");
    values_add_router(&f->values, "gw", 1, GW " 9.0.0.1/8", NULL);
    update(f, 1);
    check_endpoints(f, NULL,
                    "9.0.0.1 router offloaded\n"
                    "172.24.100.9 vm offloaded\n"
                    "172.24.100.10 vm offloaded\n"
                    "2001:db8::9 vm offloaded\n"
                    "2001:db8::10 vm offloaded\n");
    check_endpoints(f, "cr-lrp-gw", "9.0.0.1 router offloaded\n");
    check_endpoints(f, "172.24.100.9", "172.24.100.9 vm offloaded\n");
    check_endpoints(f, "::ffff:172.24.100.9", "172.24.100.9 vm offloaded\n");
    check_endpoints(f, "2001:0DB8:0:0::9", "2001:db8::9 vm offloaded\n");
    check_endpoints(f, "172.24.100.99", "");
    check_endpoints(f, "vm", "");
    check_endpoints(f, "", "");
}

/* All that is shown of one endpoint. */
static void
test_endpoint(void **state)
{
    struct fixture *f = *state;
    struct dp_key key = values_key("172.24.100.50");
    struct view_endpoints list;

    values_binding(&f->values, "provnet-1")->tag = 7;
    values_add_vm(&f->values, "vm1", 1, VM1 " 172.24.100.50");
    values_add_localnet(&f->values, "provnet-2", "unmapped", 2, -1);
    values_add_vm(&f->values, "vm2", 2, VM2 " 172.24.100.51");
    update(f, 1);
    dp_fake_count_endpoint(f->dp, &key, 3, 300);
    view_get_endpoints(&f->view, NULL, &list);
    assert_int_equal(list.n, 2);

    const struct view_endpoint *ep = &list.endpoints[0];
    assert_string_equal(ep->mac, VM1);
    assert_string_equal(ep->logical_port, "vm1");
    assert_string_equal(ep->network, "physnet1");
    assert_string_equal(ep->bridge, "br-ex");
    assert_int_equal(ep->vlan, 7);
    assert_false(ep->direct);
    assert_int_equal(ep->packets, 3);
    assert_int_equal(ep->bytes, 300);
    assert_int_equal(ep->drops, 0);

    ep = &list.endpoints[1];
    assert_string_equal(ep->network, "unmapped");
    assert_string_equal(ep->bridge, "");
    assert_string_equal(ep->state, "ineligible");
    assert_string_equal(ep->reason, "no-mapping");
    assert_int_equal(ep->packets, 0);
    view_endpoints_uninit(&list);
}

/* A NIC that is attached, with its targets and counters. */
static void
test_interface(void **state)
{
    struct fixture *f = *state;
    struct view_interfaces list;

    values_set(&f->values, "ovn-bridge-mappings",
               "physnet1:br-ex,physnet2:br-none");
    update(f, 1);
    dp_fake_count_nic(f->dp, "eth1", PACKET_REASON_NOT_IP, 2, 120);
    view_get_interfaces(&f->view, &list);
    assert_int_equal(list.n, 1);

    const struct view_interface *iface = &list.interfaces[0];
    assert_string_equal(iface->name, "eth1");
    assert_int_equal(iface->ifindex, 11);
    assert_string_equal(iface->layout, "routed");
    assert_string_equal(iface->mode, "native");
    assert_true(iface->program_id > 0);
    assert_string_equal(iface->state, "attached");
    assert_string_equal(iface->reason, "");
    assert_string_equal(iface->detail, "");
    assert_int_equal(iface->n_features, 0);
    assert_int_equal(iface->n_targets, 2);
    assert_string_equal(iface->targets[0].bridge, "br-ex");
    assert_string_equal(iface->targets[0].device, "br-ex");
    assert_int_equal(iface->targets[0].ifindex, 12);
    assert_string_equal(iface->targets[0].kind, "tap");
    assert_string_equal(iface->targets[0].state, "ready");
    assert_string_equal(iface->targets[0].reason, "");
    assert_string_equal(iface->targets[1].state, "pending");
    assert_string_equal(iface->targets[1].reason, "no-bridge");
    assert_int_equal(iface->n_counters, N_PACKET_REASONS);
    for (size_t i = 0; i < iface->n_counters; i++) {
        bool counted = !strcmp(iface->counters[i].name, "not-ip");

        assert_int_equal(iface->counters[i].packets, counted ? 2 : 0);
        assert_int_equal(iface->counters[i].bytes, counted ? 120 : 0);
    }
    view_interfaces_uninit(&list);
}

/* Checks the only interface of 'f': state, mode or "-", reason, and a word of
 * its detail. */
static void
check_interface(const struct fixture *f, const char *state, const char *mode,
                const char *reason, const char *detail)
{
    struct view_interfaces list;

    view_get_interfaces(&f->view, &list);
    assert_int_equal(list.n, 1);
    assert_string_equal(list.interfaces[0].state, state);
    assert_string_equal(list.interfaces[0].mode ? list.interfaces[0].mode
                        : "-", mode);
    assert_string_equal(list.interfaces[0].reason, reason);
    assert_non_null(strstr(list.interfaces[0].detail, detail));
    view_interfaces_uninit(&list);
}

/* The states of NICs, and what stands in the way. */
static void
test_interface_states(void **state)
{
    struct fixture *f = *state;

    update(f, 0);
    check_interface(f, "waiting", "-", "", "");

    /* The target is there, so it is the NIC that fails. */
    datapath_fake_class.put_target(f->dp, 12);
    dp_fake_fail_next(f->dp, ENOSPC);
    update(f, 1);
    check_interface(f, "refused", "-", "too-many-interfaces", "");
    dp_fake_fail_next(f->dp, EINVAL);
    update(f, 1);
    check_interface(f, "refused", "-", "attach-failed", "Invalid argument");

    values_set(&f->values, "ovn-xdp-mode", "generic");
    update(f, 1);
    check_interface(f, "attached", "generic", "", "");

    values_device(&f->values, "eth1")->strips_vlan = true;
    update(f, 1);
    check_interface(f, "refused", "-", "vlan-stripped", "ethtool");
    values_remove_device(&f->values, "eth1");
    update(f, 1);
    check_interface(f, "waiting", "-", "no-device", "");
    values_add_port(&f->values, "br-ex", "eth1", "", NULL);
    values_add_device(&f->values, "eth1", "");
    update(f, 1);
    check_interface(f, "waiting", "-", "switched", "");
}

/* Statistics leave out what is zero, and name errors. */
static void
test_stats(void **state)
{
    struct fixture *f = *state;
    struct dp_key key = values_key("172.24.100.50");
    struct view_stats stats;
    uint64_t before;

    values_add_vm(&f->values, "vm1", 1, VM1 " 172.24.100.50");
    update(f, 1);
    dp_fake_count_endpoint(f->dp, &key, 3, 300);
    dp_fake_count_nic(f->dp, "eth1", PACKET_REASON_REDIRECTED, 3, 300);
    dp_fake_count_redirect_error(f->dp, 0, 1);
    dp_fake_count_redirect_error(f->dp, ENXIO, 5);
    dp_fake_count_redirect_error(f->dp, 41, 6);
    view_get_stats(&f->view, &stats);
    assert_int_equal(stats.n_interfaces, 1);
    assert_string_equal(stats.interfaces[0].name, "eth1");
    assert_int_equal(stats.interfaces[0].n_counters, 1);
    assert_string_equal(stats.interfaces[0].counters[0].name, "redirected");
    assert_int_equal(stats.interfaces[0].counters[0].packets, 3);
    assert_int_equal(stats.endpoints.n, 1);
    assert_int_equal(stats.endpoints.endpoints[0].bytes, 300);
    assert_int_equal(stats.n_redirect_errors, 3);
    assert_string_equal(stats.redirect_errors[0].name, "unspecified");
    assert_string_equal(stats.redirect_errors[1].name, "ENXIO");
    assert_int_equal(stats.redirect_errors[1].packets, 5);
    assert_string_equal(stats.redirect_errors[2].name, "other");
    before = stats.time_ns;
    view_stats_uninit(&stats);
    view_get_stats(&f->view, &stats);
    assert_true(stats.time_ns > before);
    view_stats_uninit(&stats);
}

/* Runs the tests. */
int
main(void)
{
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)
    static const struct CMUnitTest tests[] = {
        TEST(test_nothing),
        TEST(test_status),
        TEST(test_problems),
        TEST(test_endpoint_states),
        TEST(test_map_full),
        TEST(test_endpoint_filter),
        TEST(test_endpoint),
        TEST(test_interface),
        TEST(test_interface_states),
        TEST(test_stats),
    };
#undef TEST

    vlog_set_levels(NULL, VLF_CONSOLE, VLL_OFF);
    return cmocka_run_group_tests_name("view", tests, NULL, NULL);
}
