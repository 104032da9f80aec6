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
#include "idl/nb-db.h"
#include "idl/sb-db.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/vlog.h"
#include "plugin/datapath-fake.h"
#include "plugin/desired.h"
#include "plugin/netdevs.h"
#include "plugin/ports.h"
#include "plugin/reconcile.h"
#include "plugin/view-private.h"
#include "tests/plugin/view-bed.h"
#include "timeval.h"
#include "util.h"

/* Checks that the endpoints that match 'filter' are 'expected', one line for
 * each: address, kind, state, reason. */
static void
check_endpoints(const struct view_bed *f, const char *filter,
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
    struct view_bed *f = *state;
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
    struct view_bed *f = *state;
    struct view_status status;

    values_set(&f->values, "ovn-xdp-exclude", "vm9,192.0.2.1");
    values_set(&f->values, "ovn-xdp-mode", "generic");
    values_set(&f->values, "ovn-remote", "tcp:192.0.2.1:6642");
    values_add_vm(&f->values, "vm1", 1, VM1 " 172.24.100.50");
    values_add_vm(&f->values, "vm2", 1, VM2 " 172.24.100.51")->up = false;
    values_add_vm(&f->values, "vm9", 1, VM2 " 172.24.100.52");
    values_add_vm(&f->values, "vm8", 1, VM2 " 172.24.100.53 2001:db8::1");
    view_bed_update(f, 1);
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
    assert_string_equal(find_setting(&status, "ovn-xdp-stale-timeout"), "0");
    view_status_uninit(&status);

    values_set(&f->values, "ovn-xdp-interfaces", "auto");
    values_set(&f->values, "ovn-xdp-stale-timeout", "60");
    view_get_status(&f->view, &status);
    assert_string_equal(find_setting(&status, "ovn-xdp-interfaces"), "auto");
    assert_string_equal(find_setting(&status, "ovn-xdp-stale-timeout"), "60");
    view_status_uninit(&status);
}

/* The Northbound is only there if it is configured, and then it is a problem
 * that it is down. */
static void
test_northbound(void **state)
{
    struct view_bed *f = *state;
    struct sset none = SSET_INITIALIZER(&none);
    struct view_status status;
    struct view_health health;

    values_set(&f->values, "ovn-xdp-nb-remote", "unix:/nonexistent/nb.sock");
    nb_db_set_target(f->nb_db, &(struct nb_target) {
        .remote = f->values.settings.nb_remote,
        .ports = &none, .gateways = &none });
    view_bed_update(f, 1);
    view_get_status(&f->view, &status);
    assert_int_equal(status.n_databases, 3);
    assert_string_equal(status.databases[2].name, "OVN_Northbound");
    assert_string_equal(status.databases[2].remote,
                        "unix:/nonexistent/nb.sock");
    assert_string_equal(status.databases[2].state, "connecting");
    assert_string_equal(find_setting(&status, "ovn-xdp-nb-remote"),
                        "unix:/nonexistent/nb.sock");
    view_status_uninit(&status);
    view_get_health(&f->view, &health);
    assert_int_equal(health.code, VIEW_DEGRADED);
    assert_int_equal(count_class(health.reasons, health.n_reasons,
                                 "database-down"), 3);
    view_health_uninit(&health);
    sset_destroy(&none);
}

/* Problems of every source, in status and in health. */
static void
test_problems(void **state)
{
    struct view_bed *f = *state;
    struct view_status status;
    struct view_health health;

    view_get_health(&f->view, &health);
    assert_int_equal(health.code, VIEW_FAILED);
    view_health_uninit(&health);
    view_get_status(&f->view, &status);
    assert_int_equal(status.health, VIEW_FAILED);
    view_status_uninit(&status);

    problems_add(&f->setting_problems, REASON_BAD_VALUE, "a setting");
    values_set(&f->values, "ovn-bridge-mappings",
               "physnet1:br-ex,physnet2:br-none");
    values_add_vm(&f->values, "vm1", 1, VM1 " 172.24.100.50");
    view_bed_update(f, 0);
    dp_fake_fail_next(f->dp, EIO);
    reconcile_run(f->reconcile, f->desired, 0);
    f->view.programmed = true;

    view_get_health(&f->view, &health);
    assert_int_equal(health.code, VIEW_DEGRADED);
    assert_int_equal(health.n_reasons, 6);
    assert_int_equal(count_class(health.reasons, 6, "database-down"), 2);
    assert_int_equal(count_class(health.reasons, 6, "bad-value"), 1);
    assert_int_equal(count_class(health.reasons, 6, "no-bridge"), 1);
    assert_int_equal(count_class(health.reasons, 6, "datapath-error"), 1);
    assert_int_equal(count_class(health.reasons, 6, "way-back"), 1);

    /* The status has advice, too. */
    view_get_status(&f->view, &status);
    assert_int_equal(status.health, VIEW_DEGRADED);
    assert_true(status.n_problems > health.n_reasons);
    for (size_t i = 0; i < health.n_reasons; i++) {
        assert_string_equal(status.problems[i].message,
                            health.reasons[i].message);
    }
    assert_int_equal(count_class(status.problems, status.n_problems,
                                 "no-slow-path"), 1);
    view_status_uninit(&status);
    view_health_uninit(&health);
}

/* The states of endpoints, and what stands in the way. */
static void
test_endpoint_states(void **state)
{
    struct view_bed *f = *state;

    values_add_vm(&f->values, "vm1", 1, VM1 " 172.24.100.50");
    values_add_vm(&f->values, "vm2", 1, VM1 " 172.24.100.51")->up = false;
    values_add_vm(&f->values, "vm3", 1, VM1 " 172.24.100.52");
    values_add_vm(&f->values, "vm4", 1, VM2 " 172.24.100.52");
    view_bed_update(f, 0);
    check_endpoints(f, NULL,
                    "172.24.100.50 vm pending not-programmed\n"
                    "172.24.100.51 vm pending port-down\n"
                    "172.24.100.52 vm ineligible duplicate-address\n");
    view_bed_update(f, 1);
    check_endpoints(f, "vm1", "172.24.100.50 vm offloaded\n");

    /* No target, no NIC. */
    values_device(&f->values, "br-ex")->up = false;
    view_bed_update(f, 1);
    check_endpoints(f, "vm1", "172.24.100.50 vm pending link-down\n");
    values_device(&f->values, "br-ex")->up = true;
    values_set(&f->values, "ovn-xdp-interfaces", NULL);
    view_bed_update(f, 1);
    check_endpoints(f, "vm1", "172.24.100.50 vm pending no-interface\n");
}

/* What does not fit into the map will not be offloaded as things stand. */
static void
test_map_full(void **state)
{
    struct view_bed *f = *state;
    struct view_status status;

    for (int i = 1; i <= 17; i++) {
        char *name = xasprintf("vm%d", i);
        char *mac = xasprintf(VM1" 172.24.100.%d", i);

        values_add_vm(&f->values, name, 1, mac);
        free(name);
        free(mac);
    }
    view_bed_update(f, 1);
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
    struct view_bed *f = *state;

    values_add_vm(&f->values, "vm1", 1, VM1 " 172.24.100.9 172.24.100.10 "
                                        "2001:db8::9 2001:db8::10");
    values_add_router(&f->values, "gw", 1, GW " 9.0.0.1/8", NULL);
    view_bed_update(f, 1);
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
    struct view_bed *f = *state;
    struct dp_key key = values_key("172.24.100.50");
    struct view_endpoints list;

    values_binding(&f->values, "provnet-1")->tag = 7;
    values_add_vm(&f->values, "vm1", 1, VM1 " 172.24.100.50");
    values_add_localnet(&f->values, "provnet-2", "unmapped", 2, -1);
    values_add_vm(&f->values, "vm2", 2, VM2 " 172.24.100.51");
    view_bed_update(f, 1);
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
    struct view_bed *f = *state;
    struct view_interfaces list;

    values_set(&f->values, "ovn-bridge-mappings",
               "physnet1:br-ex,physnet2:br-none");
    view_bed_update(f, 1);
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
check_interface(const struct view_bed *f, const char *state, const char *mode,
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
    struct view_bed *f = *state;

    view_bed_update(f, 0);
    check_interface(f, "waiting", "-", "", "");

    /* The target is there, so it is the NIC that fails. */
    datapath_fake_class.put_target(f->dp, 12);
    dp_fake_fail_next(f->dp, ENOSPC);
    view_bed_update(f, 1);
    check_interface(f, "refused", "-", "too-many-interfaces", "");
    dp_fake_fail_next(f->dp, EINVAL);
    view_bed_update(f, 1);
    check_interface(f, "refused", "-", "attach-failed", "Invalid argument");

    values_set(&f->values, "ovn-xdp-mode", "generic");
    view_bed_update(f, 1);
    check_interface(f, "attached", "generic", "", "");

    values_device(&f->values, "eth1")->strips_vlan = true;
    view_bed_update(f, 1);
    check_interface(f, "refused", "-", "vlan-stripped", "ethtool");
    values_remove_device(&f->values, "eth1");
    view_bed_update(f, 1);
    check_interface(f, "waiting", "-", "no-device", "");
    values_add_port(&f->values, "br-ex", "eth1", "", NULL);
    values_add_device(&f->values, "eth1", "");
    view_bed_update(f, 1);
    check_interface(f, "attached", "generic", "", "");
    values_set(&f->values, "ovn-xdp-acl", "off");
    view_bed_update(f, 1);
    check_interface(f, "waiting", "-", "switched", "");
}

/* Asserts that the one endpoint of 'f' has 'state', for 'reason'. */
static void
check_endpoint(struct view_bed *f, const char *state, const char *reason)
{
    struct view_endpoints list;

    view_get_endpoints(&f->view, NULL, &list);
    assert_int_equal(list.n, 1);
    assert_string_equal(list.endpoints[0].state, state);
    assert_string_equal(list.endpoints[0].reason, reason);
    view_endpoints_uninit(&list);
}

/* Where all NICs are switched nothing is to be redirected, whatever the bridge
 * could take. */
static void
test_only_guards(void **state)
{
    struct view_bed *f = *state;

    values_add_vm(&f->values, "vm1", 1, VM1 " 172.24.100.50");
    values_add_port(&f->values, "br-ex", "eth1", "", NULL);
    view_bed_update(f, 1);
    check_endpoint(f, "ineligible", "switched");
    values_device(&f->values, "br-ex")->up = false;
    view_bed_update(f, 1);
    check_endpoint(f, "ineligible", "switched");
    values_device(&f->values, "br-ex")->up = true;
    values_add_device(&f->values, "eth2", "");
    values_set(&f->values, "ovn-xdp-interfaces", "eth1,eth2");
    view_bed_update(f, 1);
    check_endpoint(f, "offloaded", "");
    values_set(&f->values, "ovn-xdp-interfaces", "eth1");
    values_set(&f->values, "ovn-xdp-acl", "off");
    view_bed_update(f, 1);
    check_endpoint(f, "pending", "no-interface");
}

/* Statistics leave out what is zero, and name errors. */
static void
test_stats(void **state)
{
    struct view_bed *f = *state;
    struct dp_key key = values_key("172.24.100.50");
    struct view_stats stats;
    uint64_t before;

    values_add_vm(&f->values, "vm1", 1, VM1 " 172.24.100.50");
    view_bed_update(f, 1);
    dp_fake_count_endpoint(f->dp, &key, 3, 300);
    dp_fake_count_nic(f->dp, "eth1", PACKET_REASON_REDIRECTED, 3, 300);
    dp_fake_count_redirect_error(f->dp, 0, 1);
    dp_fake_count_redirect_error(f->dp, ENXIO, 5);
    dp_fake_count_redirect_error(f->dp, 41, 6);
    dp_fake_count_redirect_error(f->dp, 58, 1);
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
    assert_int_equal(stats.redirect_errors[2].packets, 7);
    before = stats.time_ns;
    view_stats_uninit(&stats);
    view_get_stats(&f->view, &stats);
    assert_true(stats.time_ns > before);
    view_stats_uninit(&stats);
}

/* Features of devices: of any that is there, and of no other. */
static void
test_features(void **state)
{
    struct view_bed *f = *state;
    struct view_features features;

    view_bed_update(f, 1);
    assert_int_equal(view_get_features(&f->view, "lo", &features), 0);
    assert_int_equal(features.n_devices, 1);
    assert_string_equal(features.devices[0].name, "lo");
    assert_string_equal(features.devices[0].driver, "");
    assert_string_equal(features.devices[0].features[0].name, "native-xdp");
    assert_int_equal(features.devices[0].features[0].available, 0);
    assert_string_equal(features.kernel_features[0].name, "xdp");
    assert_int_equal(features.kernel_features[0].available, -1);
    assert_null(features.libbpf);
    assert_string_equal(features.libopenvswitch, OVS_VERSION);
    view_features_uninit(&features);

    assert_int_equal(view_get_features(&f->view, "no-such", &features),
                     ENODEV);

    /* The devices of the make-believe chassis are not here. */
    assert_int_equal(view_get_features(&f->view, NULL, &features), 0);
    for (size_t i = 0; i < features.n_devices; i++) {
        assert_non_null(netdevs_find(f->netdevs, features.devices[i].name));
    }
    view_features_uninit(&features);
}

/* Returns map 'name' of 'vitals'. */
static const struct view_map *
find_map(const struct view_vitals *vitals, const char *name)
{
    for (size_t i = 0; i < VIEW_N_MAPS; i++) {
        if (!strcmp(vitals->maps[i].name, name)) {
            return &vitals->maps[i];
        }
    }
    fail_msg("no map %s", name);
    return NULL;
}

/* How full the maps are. */
static void
test_vitals(void **state)
{
    struct view_bed *f = *state;
    struct view_vitals vitals;

    f->view.started_wall = 1700000000500;
    f->view.max_endpoints = 16;
    f->view.n_updates = 5;
    f->view.n_recomputes = 3;
    view_get_vitals(&f->view, &vitals);
    assert_true(vitals.start_time == 1700000000.5);
    assert_int_equal(vitals.n_updates, 5);
    assert_int_equal(vitals.n_recomputes, 3);
    assert_int_equal(find_map(&vitals, "endpoints")->size, 16);
    for (size_t i = 0; i < VIEW_N_MAPS; i++) {
        assert_int_equal(vitals.maps[i].used, 0);
        assert_true(vitals.maps[i].size > 0);
    }

    values_add_vm(&f->values, "vm1", 1,
                  VM1 " 172.24.100.50 2001:db8:100::50");
    view_bed_update(f, 1);
    view_get_vitals(&f->view, &vitals);
    assert_int_equal(find_map(&vitals, "endpoints")->used, 2);
    assert_int_equal(find_map(&vitals, "interfaces")->used, 1);
    assert_int_equal(find_map(&vitals, "targets")->used, 1);

    f->view.dp = NULL;
    view_get_vitals(&f->view, &vitals);
    assert_int_equal(find_map(&vitals, "endpoints")->used, 0);
    f->view.dp = f->dp;
}

/* Runs the tests. */
int
main(void)
{
#define TEST(NAME)                                                          \
    cmocka_unit_test_setup_teardown(NAME, view_bed_setup, view_bed_teardown)
    static const struct CMUnitTest tests[] = {
        TEST(test_nothing),
        TEST(test_status),
        TEST(test_northbound),
        TEST(test_problems),
        TEST(test_endpoint_states),
        TEST(test_map_full),
        TEST(test_endpoint_filter),
        TEST(test_endpoint),
        TEST(test_interface),
        TEST(test_interface_states),
        TEST(test_only_guards),
        TEST(test_stats),
        TEST(test_features),
        TEST(test_vitals),
    };
#undef TEST

    vlog_set_levels(NULL, VLF_CONSOLE, VLL_OFF);
    return cmocka_run_group_tests_name("view", tests, NULL, NULL);
}
