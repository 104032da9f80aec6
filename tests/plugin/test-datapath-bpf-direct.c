/* SPDX-License-Identifier: Apache-2.0 */
/* Layer L3 in the kernel: what is attached and what outlives a daemon, when
 * flows are void, and what is made of those that programs have written. */
#include <config.h>

#include "plugin/datapath-bpf.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#include "packets.h"
#include "timeval.h"
#include "util.h"

#include "plugin/direct-devices.h"
#include "tests/plugin/dp-bpf-direct.h"
#include "tests/plugin/netns.h"

/* Attach types of older headers. */
#define OX_TCX_INGRESS ((enum bpf_attach_type) 46)
#define OX_TCX_EGRESS ((enum bpf_attach_type) 47)

static const struct dp_class *const class = &datapath_bpf_class;

/* The kernel tells nothing of links and programs. */
static bool no_infos;

/* Stands before the function of libbpf, which it calls unless 'no_infos'. */
int
bpf_obj_get_info_by_fd(int fd, void *info, uint32_t *size)
{
    static int (*real)(int, void *, uint32_t *);

    if (no_infos) {
        return -ENODEV;
    } else if (!real) {
        *(void **) &real = dlsym(RTLD_NEXT, "bpf_obj_get_info_by_fd");
        assert_non_null(real);
    }
    return real(fd, info, size);
}

/* Returns how many elements 'direct_addrs' has. */
static unsigned int
n_addrs(void)
{
    int fd = direct_bed_open_map("direct_addrs");
    struct ox_direct_key key, *last = NULL;
    unsigned int n = 0;

    while (!bpf_map_get_next_key(fd, last, &key)) {
        last = &key;
        n++;
    }
    close(fd);
    return n;
}

/* Returns how many programs of TCX 'device' has in one place. */
static uint32_t
n_programs(const char *device, enum bpf_attach_type type)
{
    uint32_t ids[8];
    LIBBPF_OPTS(bpf_prog_query_opts, opts, .prog_ids = ids, .prog_cnt = 8);

    assert_int_equal(bpf_prog_query_opts(if_nametoindex(device), type, &opts),
                     0);
    return opts.prog_cnt;
}

/* Returns the id of the only program of TCX that 'device' has at its
 * egress. */
static uint32_t
egress_program(const char *device)
{
    uint32_t id = 0;
    LIBBPF_OPTS(bpf_prog_query_opts, opts, .prog_ids = &id, .prog_cnt = 1);

    assert_int_equal(bpf_prog_query_opts(if_nametoindex(device),
                                         OX_TCX_EGRESS, &opts), 0);
    return id;
}

/* Returns the id of the XDP program of 'device', or 0. */
static uint32_t
xdp_of(const char *device)
{
    uint32_t id = 0;

    assert_int_equal(bpf_xdp_query_id(if_nametoindex(device), 0, &id), 0);
    return id;
}

/* Has all be removed that was deleted so far. */
static void
reap(struct dp *dp)
{
    assert_true(class->reap_direct(dp, LLONG_MAX - 1) == LLONG_MAX);
}

/* Each hook is where it belongs, and goes with the device or the daemon's
 * wish. */
static void
test_hooks(void **state OVS_UNUSED)
{
    struct dp *dp = dp_bed_open();

    assert_int_equal(direct_bed_put_tap(dp, "out0", DP_HOOK_NONE), 0);
    assert_int_equal(n_programs("out0", OX_TCX_EGRESS), 1);
    assert_int_equal(n_programs("out0", OX_TCX_INGRESS), 0);
    assert_int_equal(direct_bed_put_tap(dp, "out0", DP_HOOK_TC), 0);
    assert_int_equal(n_programs("out0", OX_TCX_INGRESS), 1);
    assert_int_equal(xdp_of("out0"), 0);
    assert_int_equal(direct_bed_put_tap(dp, "out0", DP_HOOK_XDP), 0);
    assert_int_equal(n_programs("out0", OX_TCX_INGRESS), 0);
    assert_true(xdp_of("out0") != 0);
    assert_int_equal(class->del_direct_device(dp, if_nametoindex("out0")), 0);
    assert_int_equal(xdp_of("out0"), 0);
    reap(dp);
    assert_int_equal(n_programs("out0", OX_TCX_EGRESS), 0);
    netns_run("! ls %s | grep -e -[0-9]", DIRECT_BED_PINS);
    dp_bed_close(dp);
}

/* A watch and the far side are both on the way out of a NIC, and on kernels
 * without TCX, too. */
static void
test_with_watch(void **state OVS_UNUSED)
{
    struct dp_direct_device device = {
        .ifindex = if_nametoindex("nic0"), .is_nic = true };

    for (int i = 0; i < 2; i++) {
        struct dp *dp = dp_bed_open();
        long long int since;

        tc_set_no_tcx(i);
        assert_int_equal(class->put_watch(dp, device.ifindex, DP_WATCH_EGRESS,
                                          &since), 0);
        assert_int_equal(class->put_direct_device(dp, &device), 0);
        if (i) {
            netns_run("tc filter show dev nic0 egress | grep -q nic_far");
            netns_run("tc filter show dev nic0 egress | "
                      "grep -q watch_opened");
        } else {
            assert_int_equal(n_programs("nic0", OX_TCX_EGRESS), 2);
        }
        assert_int_equal(class->del_watch(dp, device.ifindex), 0);
        assert_int_equal(class->del_direct_device(dp, device.ifindex), 0);
        reap(dp);
        netns_run("! tc filter show dev nic0 egress | grep bpf");
        assert_int_equal(n_programs("nic0", OX_TCX_EGRESS), 0);
        dp_bed_close(dp);
    }
}

/* The near side of a NIC at TC goes with its XDP program, by whose row it
 * knows the NIC, also if an earlier daemon has attached it. */
static void
test_nic_near(void **state OVS_UNUSED)
{
    struct dp_direct_device device = {
        .ifindex = if_nametoindex("nic0"), .is_nic = true,
        .near = DP_HOOK_TC,
    };
    struct dp_nic nic = dp_bed_nic();
    struct dp *dp = dp_bed_open();

    nic.direct = DP_HOOK_TC;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(class->attach_nic(dp, &nic), 0);
        assert_int_equal(class->put_direct_device(dp, &device), 0);
        assert_int_equal(n_programs("nic0", OX_TCX_INGRESS), 1);
        if (i) {
            class->close(dp, false);
            dp = dp_bed_open();
        }
        assert_int_equal(class->detach_nic(dp, "nic0"), 0);
        assert_int_equal(n_programs("nic0", OX_TCX_INGRESS), 0);
        assert_int_equal(n_programs("nic0", OX_TCX_EGRESS), 1);
        assert_int_equal(class->put_direct_device(dp, &device), ENOENT);
    }
    dp_bed_close(dp);
}

/* Returns whether the row of the only NIC says that somebody is at its TC
 * ingress. */
static bool
says_near_tc(const struct dp *dp)
{
    uint32_t slot = 0;
    struct ox_nic row;

    assert_int_equal(bpf_map_lookup_elem(dp->gen.fds[GEN_NICS], &slot, &row),
                     0);
    assert_int_equal(row.ifindex, if_nametoindex("nic0"));
    return row.flags & OX_NIC_NEAR_TC;
}

/* The row of a NIC says whether somebody is at its TC ingress: only then is
 * anything left to it.  That outlives a daemon, as the program does. */
static void
test_row_of_near(void **state OVS_UNUSED)
{
    struct dp_direct_device device = {
        .ifindex = if_nametoindex("nic0"), .is_nic = true,
        .near = DP_HOOK_TC,
    };
    struct dp_nic nic = dp_bed_nic();
    struct dp *dp = dp_bed_open();

    nic.direct = DP_HOOK_TC;
    assert_int_equal(class->attach_nic(dp, &nic), 0);
    assert_false(says_near_tc(dp));
    assert_int_equal(class->put_direct_device(dp, &device), 0);
    assert_true(says_near_tc(dp));

    /* Whatever else changes of the NIC. */
    nic.mac.ea[5]++;
    assert_int_equal(class->attach_nic(dp, &nic), 0);
    assert_true(says_near_tc(dp));
    class->close(dp, false);
    dp = dp_bed_open();
    assert_int_equal(class->attach_nic(dp, &nic), 0);
    assert_true(says_near_tc(dp));

    /* The next daemon does not want it, and sweeps. */
    class->close(dp, false);
    dp = dp_bed_open();
    device.near = DP_HOOK_XDP;
    assert_int_equal(class->put_direct_device(dp, &device), 0);
    assert_false(says_near_tc(dp));
    device.near = DP_HOOK_TC;
    assert_int_equal(class->put_direct_device(dp, &device), 0);
    assert_true(says_near_tc(dp));
    class->close(dp, false);
    dp = dp_bed_open();
    assert_int_equal(direct_bed_put_tap(dp, "out0", DP_HOOK_NONE), 0);
    class->sweep_direct_devices(dp);
    assert_int_equal(n_programs("nic0", OX_TCX_INGRESS), 0);
    assert_false(says_near_tc(dp));
    dp_bed_close(dp);
}

/* Detaches what is pinned as 'kind' of 'ifindex', as somebody else could. */
static void
detach_pinned(const char *kind, int ifindex)
{
    char *pin = xasprintf(DIRECT_BED_PINS "/%s-%d", kind, ifindex);
    int link = bpf_obj_get(pin);

    assert_true(link >= 0);
    assert_int_equal(bpf_link_detach(link), 0);
    close(link);
    free(pin);
}

/* Each round finds out whether somebody is still at the TC ingress of a NIC,
 * also one that was detached and attached again meanwhile. */
static void
test_near_again(void **state OVS_UNUSED)
{
    const struct dp_direct_device device = {
        .ifindex = if_nametoindex("nic0"), .is_nic = true,
        .near = DP_HOOK_TC,
    };
    struct dp_nic nic = dp_bed_nic();
    struct dp *dp = dp_bed_open();
    struct direct_devices *devices = direct_devices_create(class, dp);

    nic.direct = DP_HOOK_TC;
    assert_int_equal(class->attach_nic(dp, &nic), 0);
    for (int i = 0; i < 3; i++) {
        direct_devices_begin(devices);
        assert_int_equal(direct_devices_want(devices, &device, time_msec()),
                         0);
        direct_devices_finish(devices);
        assert_int_equal(n_programs("nic0", OX_TCX_INGRESS), 1);
        assert_true(says_near_tc(dp));
        if (i) {
            detach_pinned("near", device.ifindex);
        } else {
            assert_int_equal(class->detach_nic(dp, "nic0"), 0);
            assert_int_equal(class->attach_nic(dp, &nic), 0);
            assert_false(says_near_tc(dp));
        }
        assert_int_equal(n_programs("nic0", OX_TCX_INGRESS), 0);
    }
    direct_devices_destroy(devices);
    dp_bed_close(dp);
}

/* What somebody has detached from a tap is attached again, and unless that is
 * possible, the device is lost. */
static void
test_refreshed(void **state OVS_UNUSED)
{
    struct dp *dp = dp_bed_open();
    struct direct_devices *devices = direct_devices_create(class, dp);
    struct dp_direct_device device = { .near = DP_HOOK_XDP };

    netns_run("ip link add tap0 type veth peer name tap1");
    device.ifindex = if_nametoindex("tap0");
    assert_int_equal(direct_devices_want(devices, &device, time_msec()), 0);
    for (int i = 0; i < 2; i++) {
        detach_pinned("far", device.ifindex);
        detach_pinned("xdp", device.ifindex);
        assert_int_equal(n_programs("tap0", OX_TCX_EGRESS), 0);
        assert_int_equal(xdp_of("tap0"), 0);
        assert_false(direct_devices_refresh(devices, time_msec()));
        assert_int_equal(n_programs("tap0", OX_TCX_EGRESS), 1);
        assert_true(xdp_of("tap0") != 0);
    }
    netns_run("ip link del tap0");
    assert_true(direct_devices_refresh(devices, time_msec()));
    assert_int_not_equal(direct_devices_error(devices, device.ifindex), 0);
    assert_false(direct_devices_refresh(devices, time_msec()));
    direct_devices_destroy(devices);
    dp_bed_close(dp);
}

/* What is attached outlives a daemon, and the next one has it run its own
 * programs; a port that has not changed keeps its flows. */
static void
test_adopted(void **state OVS_UNUSED)
{
    static const enum dp_hook hooks[] = { DP_HOOK_XDP, DP_HOOK_TC };

    for (size_t i = 0; i < ARRAY_SIZE(hooks); i++) {
        bool xdp = hooks[i] == DP_HOOK_XDP;
        struct dp_direct port = direct_bed_make_port();
        struct dp *dp = direct_bed_open_with_port(hooks[i]);
        struct ox_direct_port *ports = direct_bed_map_ports();
        uint32_t number = direct_bed_number_of(&port), id = xdp_of("out0");
        uint32_t generation = ports[number].generation;

        class->close(dp, false);
        assert_int_equal(n_programs("out0", OX_TCX_EGRESS), 1);
        assert_int_equal(n_programs("out0", OX_TCX_INGRESS), !xdp);
        assert_int_equal(xdp_of("out0"), id);
        dp = direct_bed_open_with_port(hooks[i]);
        class->sweep_direct_devices(dp);
        assert_int_equal(n_programs("out0", OX_TCX_EGRESS), 1);
        assert_int_equal(n_programs("out0", OX_TCX_INGRESS), !xdp);
        assert_true(xdp ? xdp_of("out0") && xdp_of("out0") != id
                    : !xdp_of("out0"));
        assert_int_equal(direct_bed_number_of(&port), number);
        assert_int_equal(ports[number].generation, generation);
        assert_int_equal(generation & 1, 0);
        direct_bed_unmap_ports(ports);
        dp_bed_close(dp);
    }
}

/* What the next daemon does not want goes, and all if it wants nothing. */
static void
test_swept(void **state OVS_UNUSED)
{
    struct dp *dp = direct_bed_open_with_port(DP_HOOK_XDP);
    struct ox_direct_port *ports = direct_bed_map_ports();
    struct dp_direct port = direct_bed_make_port();
    uint32_t number = direct_bed_number_of(&port);
    int fd = direct_bed_open_map("direct_devices");
    uint32_t key = port.tap;

    assert_int_equal(direct_bed_put_tap(dp, "in0", DP_HOOK_TC), 0);
    class->close(dp, false);
    dp = dp_bed_open();
    assert_int_equal(direct_bed_put_tap(dp, "in0", DP_HOOK_TC), 0);
    assert_int_equal(bpf_map_lookup_elem(fd, &key, &key), 0);
    class->sweep_direct_devices(dp);
    assert_int_equal(bpf_map_lookup_elem(fd, &key, &key), -ENOENT);
    assert_int_equal(xdp_of("out0"), 0);
    assert_int_equal(n_programs("out0", OX_TCX_EGRESS), 0);
    assert_int_equal(n_programs("in0", OX_TCX_INGRESS), 1);
    assert_int_equal(ports[number].generation & 1, 0);
    class->close(dp, false);
    dp = dp_bed_open();
    class->sweep_direct_devices(dp);
    assert_int_equal(n_programs("in0", OX_TCX_INGRESS), 0);
    assert_int_equal(ports[number].generation & 1, 1);
    assert_int_not_equal(access(DIRECT_BED_PINS, F_OK), 0);
    close(fd);
    direct_bed_unmap_ports(ports);
    dp_bed_close(dp);
}

/* The same by filters, where there is no TCX. */
static void
test_filters(void **state OVS_UNUSED)
{
    char *before, *after;
    struct dp *dp;

    tc_set_no_tcx(true);
    dp = direct_bed_open_with_port(DP_HOOK_TC);
    assert_int_equal(direct_bed_put_tap(dp, "in0", DP_HOOK_TC), 0);
    assert_int_equal(n_programs("out0", OX_TCX_EGRESS), 0);
    before = netns_read("tc filter show dev out0 egress | grep vm_far");
    netns_run("tc filter show dev out0 ingress | grep -q vm_near_tc");
    class->close(dp, false);
    dp = direct_bed_open_with_port(DP_HOOK_TC);
    class->sweep_direct_devices(dp);
    after = netns_read("tc filter show dev out0 egress | grep vm_far");
    assert_string_not_equal(before, after);
    netns_run("! tc filter show dev in0 egress | grep bpf");
    netns_run("! tc filter show dev in0 ingress | grep bpf");

    /* Somebody removes one. */
    netns_run("tc filter del dev out0 egress prio 1");
    assert_int_equal(direct_bed_put_tap(dp, "out0", DP_HOOK_TC), 0);
    netns_run("tc filter show dev out0 egress | grep -q vm_far");
    class->close(dp, false);
    assert_int_equal(class->remove(DP_BED_PINS, NULL), 0);
    netns_run("! tc filter show dev out0 egress | grep bpf");
    netns_run("! tc filter show dev out0 ingress | grep bpf");
    free(before);
    free(after);
}

/* What others do to pins and links. */
static void
test_meddled(void **state OVS_UNUSED)
{
    struct dp *dp = direct_bed_open_with_port(DP_HOOK_XDP);
    char *far = xasprintf(DIRECT_BED_PINS "/far-%d", if_nametoindex("out0"));
    char *near = xasprintf(DIRECT_BED_PINS "/xdp-%d", if_nametoindex("out0"));
    int link;

    assert_int_equal(unlink(far) | unlink(near), 0);
    assert_int_equal(direct_bed_put_tap(dp, "out0", DP_HOOK_XDP), 0);
    assert_int_equal(access(far, F_OK) | access(near, F_OK), 0);
    link = bpf_obj_get(far);
    assert_int_equal(bpf_link_detach(link), 0);
    close(link);
    link = bpf_obj_get(near);
    assert_int_equal(bpf_link_detach(link), 0);
    close(link);
    assert_int_equal(xdp_of("out0"), 0);
    assert_int_equal(direct_bed_put_tap(dp, "out0", DP_HOOK_XDP), 0);
    assert_int_equal(n_programs("out0", OX_TCX_EGRESS), 1);
    assert_true(xdp_of("out0") != 0);
    dp_bed_close(dp);
    free(far);
    free(near);
}

/* Whatever changes of a port makes its flows void at once; what does not,
 * not. */
static void
test_void(void **state OVS_UNUSED)
{
    struct dp *dp = direct_bed_open_with_port(DP_HOOK_NONE);
    struct ox_direct_port *ports = direct_bed_map_ports();
    struct dp_direct port = direct_bed_make_port(), old = port;
    uint32_t number = direct_bed_number_of(&port), other;
    uint32_t generation = ports[number].generation;
    struct ox_direct_addr value;

    assert_int_equal(class->put_direct(dp, &port), 0);
    assert_int_equal(ports[number].generation, generation);
    assert_int_equal(class->void_direct(dp, &port.external), 0);
    assert_true(ports[number].generation > generation);
    assert_int_equal(ports[number].generation & 1, 0);
    assert_int_equal(direct_bed_number_of(&port), number);

    port.mac.ea[5]++;
    assert_int_equal(class->put_direct(dp, &port), 0);
    other = direct_bed_number_of(&port);
    assert_int_not_equal(other, number);
    assert_int_equal(ports[number].generation & 1, 1);
    assert_int_equal(ports[other].generation & 1, 0);
    assert_memory_equal(ports[other].mac, &port.mac, 6);

    port.fixed = in6_addr_mapped_ipv4(htonl(DIRECT_BED_FIXED + 1));
    assert_int_equal(class->put_direct(dp, &port), 0);
    assert_int_equal(ports[other].generation & 1, 1);
    reap(dp);
    assert_false(direct_bed_read_addr(&old.fixed, old.tap, &value));
    assert_true(direct_bed_read_addr(&port.fixed, old.tap, &value));
    other = direct_bed_number_of(&port);
    assert_int_equal(class->del_direct(dp, &port.external), 0);
    assert_int_equal(ports[other].generation & 1, 1);
    reap(dp);
    assert_int_equal(n_addrs(), 0);
    direct_bed_unmap_ports(ports);
    dp_bed_close(dp);
}

/* Flows of a port that is deleted are void at once, and its device takes
 * nothing off; but for a second the far side knows both, since their probes
 * may be on their way. */
static void
test_reaped(void **state OVS_UNUSED)
{
    struct dp *dp = direct_bed_open_with_port(DP_HOOK_XDP);
    struct ox_direct_port *ports = direct_bed_map_ports();
    struct dp_direct port = direct_bed_make_port();
    uint32_t number = direct_bed_number_of(&port);
    long long int next, now = time_msec();

    assert_true(class->reap_direct(dp, now) == LLONG_MAX);
    assert_int_equal(class->del_direct(dp, &port.external), 0);
    assert_int_equal(class->del_direct(dp, &port.external), ENOENT);
    assert_int_equal(class->del_direct_device(dp, port.tap), 0);
    assert_int_equal(class->del_direct_device(dp, port.tap), ENOENT);
    assert_int_equal(ports[number].generation & 1, 1);
    assert_int_equal(xdp_of("out0"), 0);
    next = class->reap_direct(dp, now);
    assert_in_range(next - now, 1, 60 * 1000);
    assert_int_equal(n_addrs(), 2);
    assert_int_equal(n_programs("out0", OX_TCX_EGRESS), 1);

    /* They come back: they are new ones, and stay. */
    assert_int_equal(direct_bed_put_tap(dp, "out0", DP_HOOK_XDP), 0);
    assert_int_equal(class->put_direct(dp, &port), 0);
    assert_int_not_equal(direct_bed_number_of(&port), number);
    reap(dp);
    assert_int_equal(n_addrs(), 2);
    assert_int_equal(n_programs("out0", OX_TCX_EGRESS), 1);
    assert_true(xdp_of("out0") != 0);
    direct_bed_unmap_ports(ports);
    dp_bed_close(dp);
}

/* More ports come and go in a moment than there are numbers. */
static void
test_many_reaped(void **state OVS_UNUSED)
{
    struct dp *dp = direct_bed_open_with_port(DP_HOOK_NONE);
    struct ox_direct_port *ports = direct_bed_map_ports();
    struct dp_direct port = direct_bed_make_port();

    for (uint32_t i = 0; i < OX_MAX_DIRECT_PORTS + 10; i++) {
        port.mtu = 1000 + i % 2;
        assert_int_equal(class->put_direct(dp, &port), 0);
    }
    assert_int_equal(ports[direct_bed_number_of(&port)].generation & 1, 0);
    reap(dp);
    assert_int_equal(n_addrs(), 2);
    direct_bed_unmap_ports(ports);
    dp_bed_close(dp);
}

/* The numbers of ports begin with generations that are not the same. */
static void
test_generations(void **state OVS_UNUSED)
{
    struct dp *dp = direct_bed_open_with_port(DP_HOOK_NONE);
    struct ox_direct_port *ports = direct_bed_map_ports();
    size_t n_same = 0;

    for (uint32_t i = 1; i < OX_MAX_DIRECT_PORTS; i++) {
        assert_int_equal(ports[i].generation & 1, 1);
        n_same += ports[i].generation == ports[i - 1].generation;
    }
    assert_in_range(n_same, 0, 3);
    direct_bed_unmap_ports(ports);
    dp_bed_close(dp);
}

/* The far side of a NIC has the row of the NIC, whichever is there first. */
static void
test_far_row(void **state OVS_UNUSED)
{
    struct dp_direct_device device = {
        .ifindex = if_nametoindex("nic0"), .is_nic = true };
    struct dp_nic nic = dp_bed_nic();
    uint32_t ids[3];

    for (int i = 0; i < 2; i++) {
        struct dp *dp = dp_bed_open();

        assert_int_equal(class->put_direct_device(dp, &device), 0);
        ids[0] = egress_program("nic0");
        assert_int_equal(class->attach_nic(dp, &nic), 0);
        ids[1] = egress_program("nic0");
        assert_int_not_equal(ids[0], ids[1]);
        assert_int_equal(class->put_direct_device(dp, &device), 0);
        ids[2] = egress_program("nic0");
        assert_int_equal(ids[1], ids[2]);
        dp_bed_close(dp);
    }
}

/* A link that the kernel has made but that is not in its place, the device
 * having gone, is not left there, where the next one would come beside it. */
static void
test_unfit_link(void **state OVS_UNUSED)
{
    struct dp *dp = dp_bed_open();

    assert_int_equal(direct_bed_put_tap(dp, "out0", DP_HOOK_TC), 0);
    no_infos = true;
    assert_int_equal(direct_bed_put_tap(dp, "out0", DP_HOOK_TC), ENODEV);
    no_infos = false;
    assert_int_equal(n_programs("out0", OX_TCX_EGRESS), 0);
    assert_int_equal(direct_bed_put_tap(dp, "out0", DP_HOOK_TC), 0);
    assert_int_equal(n_programs("out0", OX_TCX_EGRESS), 1);
    assert_int_equal(n_programs("out0", OX_TCX_INGRESS), 1);
    dp_bed_close(dp);
}

/* What a daemon has left half-made is no port: one without its address inside,
 * one whose generation says so, and an address inside without anything. */
static void
test_half_made(void **state OVS_UNUSED)
{
    struct dp *dp = direct_bed_open_with_port(DP_HOOK_NONE);
    struct ox_direct_port *ports = direct_bed_map_ports();
    struct dp_direct port[3];
    int fd = direct_bed_open_map("direct_addrs");
    struct ox_direct_key key;
    uint32_t number[3];

    for (size_t i = 0; i < ARRAY_SIZE(port); i++) {
        port[i] = direct_bed_make_port();
        port[i].external = in6_addr_mapped_ipv4(
            htonl(DIRECT_BED_EXTERNAL + i));
        port[i].fixed = in6_addr_mapped_ipv4(htonl(DIRECT_BED_FIXED + i));
        assert_int_equal(class->put_direct(dp, &port[i]), 0);
        number[i] = direct_bed_number_of(&port[i]);
    }
    class->close(dp, false);
    key = direct_bed_make_key(&port[0].fixed, port[0].tap);
    assert_int_equal(bpf_map_delete_elem(fd, &key), 0);
    ports[number[1]].generation++;
    key = direct_bed_make_key(&port[2].external, 0);
    assert_int_equal(bpf_map_delete_elem(fd, &key), 0);
    dp = dp_bed_open();
    assert_int_equal(direct_bed_put_tap(dp, "out0", DP_HOOK_NONE), 0);
    for (size_t i = 0; i < ARRAY_SIZE(port); i++) {
        assert_int_equal(class->void_direct(dp, &port[i].external), ENOENT);
        assert_int_equal(ports[number[i]].generation & 1, 1);
    }
    assert_int_equal(n_addrs(), 0);
    close(fd);
    direct_bed_unmap_ports(ports);
    dp_bed_close(dp);
}

/* Maps of another size, another ABI, or not complete are made anew; flows by
 * the old ones are void from that moment on. */
static void
test_other_maps(void **state OVS_UNUSED)
{
    for (int i = 0; i < 3; i++) {
        struct dp_config config = {
            DP_BED_PINS, DP_BED_MAX_ENDPOINTS,
            DP_BED_MAX_FLOWS + (i == 0) };
        struct dp *dp = direct_bed_open_with_port(DP_HOOK_XDP);
        struct ox_direct_port *ports = direct_bed_map_ports();
        struct ox_direct_state other = { .secret = 1, .abi = OX_ABI + 1 };
        struct dp_direct port = direct_bed_make_port();
        uint32_t number = direct_bed_number_of(&port), zero = 0;
        int fd = direct_bed_open_map("direct_state");

        class->close(dp, false);
        if (i == 1) {
            assert_int_equal(bpf_map_update_elem(fd, &zero, &other, BPF_ANY),
                             0);
        } else if (i == 2) {
            assert_int_equal(unlink(DIRECT_BED_PINS "/arrivals"), 0);
        }
        assert_int_equal(ports[number].generation & 1, 0);
        assert_int_equal(class->open(&config, &dp), 0);
        assert_int_equal(direct_bed_put_tap(dp, "out0", DP_HOOK_XDP), 0);
        assert_int_equal(ports[number].generation & 1, 1);
        assert_int_equal(class->put_direct(dp, &port), 0);
        assert_int_equal(direct_bed_number_of(&port), 0);
        close(fd);
        direct_bed_unmap_ports(ports);
        class->close(dp, true);
    }
}

/* Packets are counted for the endpoint of the external address, whichever
 * comes first. */
static void
test_slot(void **state OVS_UNUSED)
{
    struct dp *dp = direct_bed_open_with_port(DP_HOOK_NONE);
    struct dp_endpoint e = dp_bed_endpoint();
    struct ox_direct_port *ports = direct_bed_map_ports();
    struct dp_direct port = direct_bed_make_port();
    uint32_t number = direct_bed_number_of(&port);

    assert_true(ports[number].slot == SLOT_NONE);
    assert_int_equal(class->put_endpoint(dp, &e), 0);
    assert_int_equal(ports[number].slot, endpoints_slot(dp, &e.key));
    assert_int_equal(ports[number].generation & 1, 0);
    assert_int_equal(class->del_endpoint(dp, &e.key), 0);
    assert_true(ports[number].slot == SLOT_NONE);
    assert_int_equal(class->put_endpoint(dp, &e), 0);
    assert_int_equal(class->del_direct(dp, &port.external), 0);

    /* Also on a network with a tag, which is no part of an endpoint's key. */
    port.bridge = 7;
    port.vlan = 101;
    assert_int_equal(class->put_direct(dp, &port), 0);
    number = direct_bed_number_of(&port);
    assert_int_equal(ports[number].slot, endpoints_slot(dp, &e.key));
    assert_int_equal(class->del_endpoint(dp, &e.key), 0);
    assert_true(ports[number].slot == SLOT_NONE);
    assert_int_equal(class->put_endpoint(dp, &e), 0);
    assert_int_equal(ports[number].slot, endpoints_slot(dp, &e.key));
    direct_bed_unmap_ports(ports);
    dp_bed_close(dp);
}

/* Times are those of all ports, present and to come; what programs say of a
 * port is read once. */
static void
test_times_and_flags(void **state OVS_UNUSED)
{
    static const struct dp_direct_times times = { 1049, 2098, 0 };
    struct dp *dp = direct_bed_open_with_port(DP_HOOK_NONE);
    struct ox_direct_port *ports = direct_bed_map_ports();
    struct dp_direct port = direct_bed_make_port();
    uint32_t number = direct_bed_number_of(&port);

    assert_int_equal(ports[number].soft, 953);
    class->set_direct_times(dp, &times);
    assert_int_equal(ports[number].soft, 1000);
    assert_int_equal(ports[number].step, 2000);
    assert_int_equal(ports[number].hard, 1);
    port.mtu--;
    assert_int_equal(class->put_direct(dp, &port), 0);
    number = direct_bed_number_of(&port);
    assert_int_equal(ports[number].step, 2000);

    assert_false(class->direct_half_checksum(dp, &port.external));
    ports[number].seen = OX_DIRECT_SEEN_HALF_CHECKSUM;
    assert_true(class->direct_half_checksum(dp, &port.external));
    assert_false(class->direct_half_checksum(dp, &port.external));
    direct_bed_unmap_ports(ports);
    dp_bed_close(dp);
}

/* Leaves nothing behind for the next test. */
static int
clean_up(void **state)
{
    tc_set_no_tcx(false);
    netns_try("for dev in nic0 in0 out0; do tc qdisc del dev $dev clsact; "
              "done");
    return dp_bed_clean_up(state);
}

int
main(void)
{
#define TEST(NAME) cmocka_unit_test_teardown(NAME, clean_up)
    static const struct CMUnitTest tests[] = {
        TEST(test_hooks),
        TEST(test_with_watch),
        TEST(test_nic_near),
        TEST(test_row_of_near),
        TEST(test_near_again),
        TEST(test_refreshed),
        TEST(test_adopted),
        TEST(test_swept),
        TEST(test_filters),
        TEST(test_meddled),
        TEST(test_void),
        TEST(test_reaped),
        TEST(test_many_reaped),
        TEST(test_generations),
        TEST(test_far_row),
        TEST(test_unfit_link),
        TEST(test_half_made),
        TEST(test_other_maps),
        TEST(test_slot),
        TEST(test_times_and_flags),
    };
#undef TEST

    dp_bed_enter();
    return cmocka_run_group_tests_name("direct", tests, NULL, NULL);
}
