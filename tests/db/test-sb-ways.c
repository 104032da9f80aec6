/* SPDX-License-Identifier: Apache-2.0 */
/* Tests what idl/sb-path-ways.c tells of a port: which logical datapaths its
 * packets may cross, whether they are metered there, and how long they may be.
 *
 * time-limit: 120 */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "openvswitch/dynamic-string.h"
#include "util.h"

#include "tests/db/path-bed.h"
#include "tests/db/sbt.h"

/* Checks the ports that the fixture 'name' meters. */
static void
check_fixture(struct sbt *f, const char *name)
{
    struct db_server *server = db_server_create(f->dir, name);

    db_server_use_fixture(server, name);
    db_server_start(server);
    path_bed_claim(server);
    sbt_target_path(f->db, server, "cmp1");
    AWAIT(f->db, path_bed_is_ready(f));
    assert_true(path_bed_is_metered(f, VM_PROVIDER, NULL));
    assert_true(path_bed_is_metered(f, VM_PROVIDER, "172.24.100.50"));
    assert_false(path_bed_is_metered(f, VM_FIP, NULL));
    assert_false(path_bed_is_metered(f, VM_FIP, FIP));
    db_server_destroy(server);
}

/* OVN 23.03. */
static void
test_fixture_2303(void **statep)
{
    check_fixture(*statep, "sb-2303.db");
}

/* OVN 24.03. */
static void
test_fixture_2403(void **statep)
{
    check_fixture(*statep, "sb-2403.db");
}

/* Which ports and addresses a flow with a meter is about. */
static void
test_meters(void **statep)
{
    static const struct {
        const char *datapath;   /* Datapath. */
        const char *match;      /* Match. */
        bool vm;                /* VM_FIP is metered by itself. */
        bool fip;               /* It is as FIP. */
        bool provider;          /* VM_PROVIDER is. */
    } rows[] = {
        /* Their own network. */
        { SBT_TENANT, "1", true, true, false },
        { SBT_TENANT, "inport == \\\"" VM_FIP "\\\"", true, true, false },
        { SBT_TENANT, "outport==\\\"" VM_FIP "\\\"", true, true, false },
        { SBT_TENANT, "outport == \\\"" VM_OTHER "\\\"", false, false,
          false },
        { SBT_TENANT, "inport == \\\"" VM_FIP "\\\" && outport == \\\""
                      VM_OTHER "\\\"", false, false, false },
        { SBT_TENANT, "inport != \\\"" VM_OTHER "\\\"", true, true, false },
        { SBT_TENANT, "\\\"" VM_OTHER "\\\" == inport", true, true, false },
        { SBT_TENANT, "inport == @pg_1", true, true, false },
        { SBT_TENANT, "inport == {\\\"a\\\", \\\"b\\\"}", true, true,
          false },
        { SBT_TENANT, "inport == \\\"a\\\" || inport == \\\"" VM_FIP "\\\"",
          true, true, false },
        { SBT_TENANT, "inport == \\\"" VM_FIP "\\\" && ip4.dst == 192.0.2.1",
          true, true, false },
        { SBT_PROVIDER, "inport == \\\"" VM_PROVIDER "\\\"", false, false,
          true },
        { SBT_PROVIDER, "outport == \\\"" LOCALNET "\\\"", false, true,
          true },

        /* In front of the router, as Neutron has it for floating IPs. */
        { SBT_PROVIDER, "inport == \\\"" GW_SWITCH_PORT "\\\" && ip4.src == "
                        FIP " && is_chassis_resident(\\\"" VM_FIP "\\\")",
          false, true, false },
        { SBT_PROVIDER, "outport == \\\"" GW_SWITCH_PORT "\\\" && ip4.dst =="
                        " " FIP, false, true, false },
        { SBT_PROVIDER, "inport == \\\"" GW_SWITCH_PORT "\\\" && ip4.src == "
                        OTHER_FIP, false, false, false },
        { SBT_PROVIDER, "outport == \\\"" GW_SWITCH_PORT "\\\" && ip4.dst =="
                        " " OTHER_FIP, false, false, false },
        { SBT_PROVIDER, "outport == \\\"" GW_SWITCH_PORT "\\\" && ip4.src =="
                        " " OTHER_FIP, false, true, false },
        { SBT_PROVIDER, "outport == \\\"" GW_SWITCH_PORT "\\\" && ip4.dst =="
                        " 172.24.100.64/26", false, true, false },
        { SBT_PROVIDER, "outport == \\\"other-gateway\\\"", false, false,
          false },
        { SBT_PROVIDER, "ip4.dst == " OTHER_FIP, false, true, true },
        { SBT_PROVIDER, "ip4.dst == " OTHER_FIP " && ip4.src == 192.0.2.1",
          false, false, true },
        { SBT_PROVIDER, "ip6", false, true, true },

        /* Not on the way of either. */
        { FOREIGN, "1", false, false, false },
    };
    static const char *const stages[] = {
        "ls_in_qos_meter", "ls_out_qos_meter", "ls_in_qos", "ls_out_qos",
    };
    struct sbt *f = *statep;

    path_bed_add_foreign(f->server);
    db_server_exec(f->server, "{'op':'delete','table':'Logical_Flow','where':"
                   "[['actions','==','set_meter(50000, 40000); next;']]}");
    path_bed_want(f);
    assert_false(path_bed_is_metered(f, VM_PROVIDER, NULL));
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        sbt_add_flow(f->server, "'logical_datapath'", rows[i].datapath,
                     stages[i % ARRAY_SIZE(stages)], rows[i].match,
                     "set_meter(50000, 40000); next;");
        path_bed_catch_up(f);
        bool vm = path_bed_is_metered(f, VM_FIP, NULL);
        bool fip = path_bed_is_metered(f, VM_FIP, FIP);
        bool provider = path_bed_is_metered(f, VM_PROVIDER, "172.24.100.50");

        if (vm != rows[i].vm || fip != rows[i].fip
            || provider != rows[i].provider) {
            fail_msg("%s: %d %d %d", rows[i].match, vm, fip, provider);
        }
        db_server_exec(f->server, "{'op':'delete','table':'Logical_Flow',"
                       "'where':[['actions','==',"
                       "'set_meter(50000, 40000); next;']]}");
        path_bed_catch_up(f);
        assert_false(path_bed_is_metered(f, VM_FIP, FIP));
        assert_false(path_bed_is_metered(f, VM_PROVIDER, NULL));
    }

    /* A mark is none. */
    sbt_add_flow(f->server, "'logical_datapath'", SBT_TENANT, "ls_in_qos",
                 "1", "ip.dscp = 16; next;");
    path_bed_catch_up(f);
    assert_false(path_bed_is_metered(f, VM_FIP, FIP));
}

/* Which datapaths packets may cross. */
static void
test_way(void **statep)
{
    static const struct {
        const char *datapath;   /* Datapath. */
        bool vm;                /* VM_FIP path_bed_crosses it by itself. */
        bool fip;               /* It does as FIP. */
        bool other;             /* It does as OTHER_FIP. */
        bool provider;          /* VM_PROVIDER does. */
        bool gateway;           /* It does if the gateway is here. */
    } rows[] = {
        { SBT_TENANT, true, true, true, false, false },
        { SBT_ROUTER, true, true, true, false, true },
        { SBT_PROVIDER, false, true, false, true, true },
        { FOREIGN, false, false, false, false, false },
    };
    struct sbt *f = *statep;

    path_bed_want(f);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const char *datapath = rows[i].datapath;

        assert_int_equal(path_bed_crosses(f, VM_FIP, NULL, datapath),
                         rows[i].vm);
        assert_int_equal(path_bed_crosses(f, VM_FIP, FIP, datapath),
                         rows[i].fip);
        assert_int_equal(path_bed_crosses(f, VM_FIP, OTHER_FIP, datapath),
                         rows[i].other);
        assert_int_equal(path_bed_crosses(f, VM_PROVIDER, NULL, datapath),
                         rows[i].provider);
    }
    sbt_claim(f->server, GW_PORT, "cmp1", true);
    AWAIT(f->db, path_bed_crosses(f, VM_PROVIDER, NULL, SBT_ROUTER));
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        bool is = path_bed_crosses(f, VM_PROVIDER, NULL, rows[i].datapath);

        assert_int_equal(is, rows[i].gateway);
    }
}

/* Checks that packets of VM_FIP of 'f' may have 'vm' bytes, and those of
 * VM_PROVIDER 'provider', after 'f' was told that something changed. */
static void
check_mtu_(struct sbt *f, int vm, int provider, int line)
{
    path_bed_check(f, NULL, NULL, true, line);
    int found[] = { path_bed_mtu(f, VM_FIP, NULL),
                    path_bed_mtu(f, VM_FIP, FIP),
                    path_bed_mtu(f, VM_PROVIDER, NULL) };

    if (found[0] != vm || found[1] != vm || found[2] != provider) {
        fail_msg("line %d: %d %d %d", line, found[0], found[1], found[2]);
    }
}

/* The same for where it is called. */
#define check_mtu(F, VM, PROVIDER) check_mtu_(F, VM, PROVIDER, __LINE__)

/* How long packets may be for routers. */
static void
test_mtu(void **statep)
{
    static const char *const gw = "outport == \\\"" GW_ROUTER_PORT "\\\"";
    static const char *const lan
        = "outport == \\\"lrp-22222222-aaaa-4000-8000-000000000002\\\"";
    struct sbt *f = *statep;

    path_bed_add_foreign(f->server);
    path_bed_want(f);
    check_changed(f, NULL, NULL);
    assert_int_equal(path_bed_mtu(f, VM_FIP, FIP), 0);
    sbt_add_flow(f->server, "'logical_datapath'", FOREIGN,
                 "lr_in_chk_pkt_len", gw, "reg9[1] = check_pkt_larger(90);");
    check_changed(f, NULL, NULL);
    assert_int_equal(path_bed_mtu(f, VM_FIP, FIP), 0);

    /* With a tag, then without one. */
    sbt_add_flow(f->server, "'logical_datapath'", SBT_ROUTER,
                 "lr_in_chk_pkt_len", gw,
                 "reg9[1] = check_pkt_larger(918); next;");
    check_mtu(f, 900, 0);
    sbt_add_flow(f->server, "'logical_datapath'", SBT_ROUTER,
                 "lr_in_larger_pkts", "told",
                 "icmp4_error { icmp4.code = 4; icmp4.frag_mtu = 904; };");
    check_mtu(f, 904, 0);

    /* By the port of the network, of which the other one has no use. */
    sbt_claim(f->server, GW_PORT, "cmp1", true);
    AWAIT(f->db, path_bed_mtu(f, VM_PROVIDER, NULL) == 904);
    sbt_add_flow(f->server, "'logical_datapath'", SBT_ROUTER,
                 "lr_in_admission", lan,
                 "reg9[1] = check_pkt_larger(818); next;");
    check_mtu(f, 800, 904);
    sbt_add_flow(f->server, "'logical_datapath'", SBT_ROUTER,
                 "lr_in_chk_pkt_len", "unread",
                 "reg9[1] = check_pkt_larger(x); next;");
    check_mtu(f, 576, 576);
    sbt_delete_flows(f->server, "unread");
    check_mtu(f, 800, 904);
    sbt_delete_flows(f->server, lan);
    check_mtu(f, 904, 904);
    sbt_delete_flows(f->server, "told");
    check_mtu(f, 900, 900);
}

/* Adds to 'server' the meters from 'first' to before 'end', of addresses and
 * of ports. */
static void
add_meters(const struct db_server *server, int first, int end)
{
    struct ds ds = DS_EMPTY_INITIALIZER;

    for (int i = first; i < end; i++) {
        char *match = (i % 2
                       ? xasprintf("outport == \\\"" GW_SWITCH_PORT "\\\" &&"
                                   " ip4.dst == 172.25.%d.%d", i / 250,
                                   i % 250)
                       : xasprintf("outport == \\\"port-%d\\\"", i));

        ds_put_format(&ds, "%s{'op':'insert','table':'Logical_Flow','row':{"
                      "'logical_datapath':['uuid','%s'],'pipeline':'egress',"
                      "'table_id':3,'priority':2002,'match':'%s','actions':"
                      "'set_meter(1); next;','external_ids':['map',[["
                      "'stage-name','ls_out_qos']]]}}",
                      i > first ? "," : "", SBT_PROVIDER, match);
        free(match);
    }
    db_server_exec(server, "%s", ds_cstr(&ds));
    ds_destroy(&ds);
}

/* An answer costs the same, however many meters there are. */
static void
test_many(void **statep)
{
    struct sbt *f = *statep;
    double ms[2];

    path_bed_want(f);
    for (size_t i = 0; i < ARRAY_SIZE(ms); i++) {
        struct timespec from, to;

        for (int n = 0; i && n < 4000; n += 200) {
            add_meters(f->server, n, n + 200);
        }
        path_bed_catch_up(f);
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
        for (int n = 0; n < 10000; n++) {
            assert_false(path_bed_is_metered(f, VM_FIP, FIP));
        }
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
        ms[i] = ((to.tv_sec - from.tv_sec) * 1e3
                 + (to.tv_nsec - from.tv_nsec) / 1e6);
        print_message("%.3f us each\n", ms[i] / 10);
    }
    assert_true(ms[1] < 10 * ms[0] + 100);
}

/* Runs the tests, or says why they cannot run. */
int
main(int argc, char *argv[])
{
#define TEST(NAME) \
    cmocka_unit_test_setup_teardown(NAME, sbt_setup, sbt_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_fixture_2303),
        TEST(test_fixture_2403),
        TEST(test_meters),
        TEST(test_way),
        TEST(test_mtu),
        TEST(test_many),
    };

    if (!db_test_init(argc, argv)) {
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
