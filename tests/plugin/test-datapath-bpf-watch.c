/* SPDX-License-Identifier: Apache-2.0 */
/* Connections that VMs open, as real devices show them: what is seen, who else
 * is there, what outlives a daemon, and what is forgotten when. */
#include <config.h>

#include "plugin/datapath-bpf.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/pkt_cls.h>
#include <linux/virtio_net.h>
#include <net/ethernet.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "packets.h"
#include "timeval.h"
#include "util.h"

#include "bpf/opened.skel.h"
#include "tests/plugin/netns.h"
#include "tests/plugin/dp-bpf-watch.h"

/* Attach types of older headers. */
#define OX_TCX_INGRESS ((enum bpf_attach_type) 46)

static const struct dp_class *const class = &datapath_bpf_class;

/* Returns how many programs of TCX 'nic0' has for what it receives. */
static uint32_t
count_programs(void)
{
    uint32_t ids[8];
    LIBBPF_OPTS(bpf_prog_query_opts, opts, .prog_ids = ids, .prog_cnt = 8);

    assert_int_equal(bpf_prog_query_opts(if_nametoindex("nic0"),
                                         OX_TCX_INGRESS, &opts), 0);
    return opts.prog_cnt;
}

/* Returns true if 'nic0' has a filter of ours for what it receives. */
static bool
has_filter(void)
{
    return netns_try("tc filter show dev nic0 ingress | grep -q watch_opened");
}

/* Connects for real, to port WATCH_BED_PEER_PORT of 'to', and returns the
 * local port that it has for that. */
static uint16_t
start_connection(int family, const char *to, struct in6_addr *local)
{
    struct sockaddr_storage ss = { .ss_family = family };
    struct sockaddr_in6 *sin6 = (struct sockaddr_in6 *) &ss;
    struct sockaddr_in *sin = (struct sockaddr_in *) &ss;
    socklen_t length = sizeof ss;
    uint16_t port;
    int fd;

    fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    if (family == AF_INET) {
        sin->sin_port = htons(WATCH_BED_PEER_PORT);
        assert_int_equal(inet_pton(family, to, &sin->sin_addr), 1);
    } else {
        sin6->sin6_port = htons(WATCH_BED_PEER_PORT);
        assert_int_equal(inet_pton(family, to, &sin6->sin6_addr), 1);
    }
    assert_int_equal(connect(fd, (struct sockaddr *) &ss, sizeof ss), -1);
    assert_int_equal(errno, EINPROGRESS);
    assert_int_equal(getsockname(fd, (struct sockaddr *) &ss, &length), 0);
    if (family == AF_INET) {
        *local = in6_addr_mapped_ipv4(sin->sin_addr.s_addr);
        port = ntohs(sin->sin_port);
    } else {
        *local = sin6->sin6_addr;
        port = ntohs(sin6->sin6_port);
    }
    close(fd);
    return port;
}

/* Waits until the connection from 'port' of 'local' to 'to' is known. */
static void
await_connection(const struct in6_addr *local, uint16_t port, int family,
                 const char *to)
{
    long long int deadline = time_msec() + NETNS_DEADLINE_MS;
    struct ox_opened_key key = {
        .local_port = htons(port), .remote_port = htons(WATCH_BED_PEER_PORT),
        .proto = IPPROTO_TCP };
    int fd = watch_bed_open_map("opened");
    struct in6_addr remote;
    struct ox_opened value;
    ovs_be32 ip;

    if (family == AF_INET) {
        assert_int_equal(inet_pton(family, to, &ip), 1);
        remote = in6_addr_mapped_ipv4(ip);
    } else {
        assert_int_equal(inet_pton(family, to, &remote), 1);
    }
    memcpy(key.local, local, sizeof key.local);
    memcpy(key.remote, &remote, sizeof key.remote);
    while (bpf_map_lookup_elem(fd, &key, &value)) {
        assert_true(time_msec() < deadline);
        poll(NULL, 0, 1);
    }
    assert_int_equal(value.state, OX_OPENED_SYN);
    close(fd);
}

/* What the kernel's own TCP sends is seen where it is received, and where it
 * is sent. */
static void
test_real(void **state OVS_UNUSED)
{
    static const char *const devices[] = { "nic0", "wire0" };
    static const char *const peers[][2] = {
        { "192.0.2.9", "2001:db8::9" }, { "192.0.2.8", "2001:db8::8" },
    };
    struct in6_addr local;
    long long int since;
    uint16_t port;

    netns_run("ip addr add 192.0.2.1/24 dev wire0; "
              "ip addr add 2001:db8::1/64 dev wire0 nodad; "
              "for i in 8 9; do "
              "ip neigh add 192.0.2.$i lladdr 02:00:00:00:00:01 dev wire0; "
              "ip neigh add 2001:db8::$i lladdr 02:00:00:00:00:01 dev wire0; "
              "done");
    for (size_t i = 0; i < ARRAY_SIZE(devices); i++) {
        struct dp *dp = dp_bed_open();

        assert_int_equal(
            class->put_watch(dp, if_nametoindex(devices[i]),
                             i ? DP_WATCH_EGRESS : DP_WATCH_INGRESS, &since),
            0);
        port = start_connection(AF_INET, peers[i][0], &local);
        await_connection(&local, port, AF_INET, peers[i][0]);
        port = start_connection(AF_INET6, peers[i][1], &local);
        await_connection(&local, port, AF_INET6, peers[i][1]);
        dp_bed_close(dp);
    }
    netns_run("ip addr flush dev wire0");
}

/* Frames with a tag, which the kernel takes out, and without. */
static void
test_tagged(void **state OVS_UNUSED)
{
    long long int since;
    struct dp *dp = watch_bed_open(&since);

    watch_bed_send_syn(WATCH_BED_PORT, 0);
    watch_bed_await_known(WATCH_BED_PORT);
    watch_bed_send_syn(WATCH_BED_PORT + 1, 100);
    watch_bed_await_known(WATCH_BED_PORT + 1);
    assert_false(watch_bed_is_known(WATCH_BED_PORT + 2));
    dp_bed_close(dp);
}

/* A frame of which only the Ethernet header lies in one piece. */
static void
test_pieces(void **state OVS_UNUSED)
{
    const struct virtio_net_hdr header = { .hdr_len = ETH_HEADER_LEN };
    static uint8_t packet[sizeof header + 8000];
    long long int since;
    struct dp *dp = watch_bed_open(&since);
    int fd = dp_bed_socket("wire0");
    int on = 1;

    netns_run("ip link set nic0 mtu 9000; ip link set wire0 mtu 9000");
    assert_int_equal(setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &on,
                                sizeof on), 0);
    memcpy(packet, &header, sizeof header);
    watch_bed_make_syn(packet + sizeof header, WATCH_BED_PORT, 0);
    assert_int_equal(send(fd, packet, sizeof packet, 0), sizeof packet);
    watch_bed_await_known(WATCH_BED_PORT);
    close(fd);
    dp_bed_close(dp);
}

/* Loads a program that says 'verdict' of each packet. */
static int
load_verdict(int verdict)
{
    const struct bpf_insn insns[] = {
        { .code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = verdict },
        { .code = BPF_JMP | BPF_EXIT },
    };
    int fd = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "verdict", "GPL", insns,
                           ARRAY_SIZE(insns), NULL);

    assert_true(fd >= 0);
    return fd;
}

/* Others' programs on the device stay, and decide; what they drop is seen
 * before, though they were there first. */
static void
test_others(void **state OVS_UNUSED)
{
    int prog = load_verdict(TC_ACT_SHOT);
    int link = bpf_link_create(prog, if_nametoindex("nic0"), OX_TCX_INGRESS,
                               NULL);
    long long int since;
    struct dp *dp;

    assert_true(link >= 0);
    dp = watch_bed_open(&since);
    assert_int_equal(count_programs(), 2);
    watch_bed_send_syn(WATCH_BED_PORT, 0);
    watch_bed_await_known(WATCH_BED_PORT);
    dp_bed_close(dp);
    assert_int_equal(count_programs(), 1);
    close(link);
    close(prog);
}

/* A connection, and the watch itself, outlive a daemon; what comes without one
 * is seen, too. */
static void
test_adopted(void **state OVS_UNUSED)
{
    long long int since, again;
    struct dp *dp = watch_bed_open(&since);

    watch_bed_send_syn(WATCH_BED_PORT, 0);
    watch_bed_await_known(WATCH_BED_PORT);
    class->close(dp, false);
    watch_bed_send_syn(WATCH_BED_PORT + 1, 0);
    watch_bed_await_known(WATCH_BED_PORT + 1);
    poll(NULL, 0, 2);
    dp = watch_bed_open(&again);
    assert_int_equal(again, since);
    assert_true(watch_bed_is_known(WATCH_BED_PORT));
    assert_int_equal(count_programs(), 1);
    watch_bed_send_syn(WATCH_BED_PORT + 2, 0);
    watch_bed_await_known(WATCH_BED_PORT + 2);

    /* A watch that nobody wants any more. */
    class->close(dp, false);
    dp = dp_bed_open();
    assert_int_equal(class->commit(dp), 0);
    assert_int_equal(count_programs(), 0);
    assert_int_not_equal(access(WATCH_BED_PINS, F_OK), 0);
    dp_bed_close(dp);
}

/* Adds a filter of somebody else, which lets all pass, for what 'nic0'
 * receives. */
static void
add_other_filter(void)
{
    LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = if_nametoindex("nic0"),
                .attach_point = BPF_TC_INGRESS);
    LIBBPF_OPTS(bpf_tc_opts, opts, .priority = 7, .handle = 1,
                .prog_fd = load_verdict(TC_ACT_OK));

    assert_int_equal(bpf_tc_hook_create(&hook), 0);
    assert_int_equal(bpf_tc_attach(&hook, &opts), 0);
    close(opts.prog_fd);
}

/* The same by filters, where there are no links. */
static void
test_filter(void **state OVS_UNUSED)
{
    long long int since, again;
    struct dp *dp;

    tc_set_no_tcx(true);
    add_other_filter();
    dp = watch_bed_open(&since);
    assert_int_equal(count_programs(), 0);
    assert_true(has_filter());
    watch_bed_send_syn(WATCH_BED_PORT, 0);
    watch_bed_await_known(WATCH_BED_PORT);
    class->close(dp, false);
    watch_bed_send_syn(WATCH_BED_PORT + 1, 100);
    watch_bed_await_known(WATCH_BED_PORT + 1);
    poll(NULL, 0, 2);
    dp = watch_bed_open(&again);
    assert_int_equal(again, since);
    watch_bed_send_syn(WATCH_BED_PORT + 2, 0);
    watch_bed_await_known(WATCH_BED_PORT + 2);
    assert_int_equal(class->put_watch(dp, if_nametoindex("nic0"),
                                      DP_WATCH_INGRESS, &again), 0);
    assert_int_equal(again, since);

    /* Somebody removes it: it is another one then. */
    netns_run("tc filter del dev nic0 ingress prio 1");
    poll(NULL, 0, 2);
    assert_int_equal(class->put_watch(dp, if_nametoindex("nic0"),
                                      DP_WATCH_INGRESS, &again), 0);
    assert_true(again > since);
    assert_true(has_filter());
    class->close(dp, false);
    assert_int_equal(class->remove(DP_BED_PINS, NULL), 0);
    assert_false(has_filter());
    netns_run("tc filter show dev nic0 ingress | grep -q verdict");
    netns_run("tc qdisc del dev nic0 clsact");
    tc_set_no_tcx(false);
}

/* What others do to pin and link. */
static void
test_meddled(void **state OVS_UNUSED)
{
    int ifindex = if_nametoindex("nic0");
    char *pin = xasprintf("%s/link-%d", WATCH_BED_PINS, ifindex);
    long long int since, again;
    struct dp *dp = watch_bed_open(&since);
    int link;

    assert_int_equal(unlink(pin), 0);
    assert_int_equal(class->put_watch(dp, ifindex, DP_WATCH_INGRESS, &again),
                     0);
    assert_int_equal(again, since);
    link = bpf_obj_get(pin);
    assert_true(link >= 0);
    assert_int_equal(bpf_link_detach(link), 0);
    close(link);
    poll(NULL, 0, 2);
    assert_int_equal(class->put_watch(dp, ifindex, DP_WATCH_INGRESS, &again),
                     0);
    assert_true(again > since);
    watch_bed_send_syn(WATCH_BED_PORT, 0);
    watch_bed_await_known(WATCH_BED_PORT);
    dp_bed_close(dp);
    free(pin);
}

/* Maps that are not complete, or of another ABI, are made anew, and the watch
 * with them; a program that is attached goes on without a gap. */
static void
test_other_maps(void **state OVS_UNUSED)
{
    struct ox_watched mark = { .id = OX_ABI + 1 };
    long long int since, again;
    struct dp *dp = watch_bed_open(&since);
    int fd = watch_bed_open_map("watched");
    uint32_t zero = 0;

    class->close(dp, false);
    assert_int_equal(bpf_map_update_elem(fd, &zero, &mark, BPF_ANY), 0);
    close(fd);
    poll(NULL, 0, 2);
    dp = watch_bed_open(&again);
    assert_true(again > since);
    since = again;
    assert_int_equal(count_programs(), 1);
    class->close(dp, false);
    assert_int_equal(unlink(WATCH_BED_PINS "/opened_state"), 0);
    poll(NULL, 0, 2);
    dp = watch_bed_open(&again);
    assert_true(again > since);
    watch_bed_send_syn(WATCH_BED_PORT, 0);
    watch_bed_await_known(WATCH_BED_PORT);
    dp_bed_close(dp);
}

/* A watch of which nobody has noted since when, as a daemon was killed before
 * that, has been there since now. */
static void
test_half_watched(void **state OVS_UNUSED)
{
    uint32_t ifindex = if_nametoindex("nic0");
    struct ox_watched watched;
    long long int since, again;
    struct dp *dp = watch_bed_open(&since);
    int fd = watch_bed_open_map("watched");

    class->close(dp, false);
    assert_int_equal(bpf_map_lookup_elem(fd, &ifindex, &watched), 0);
    watched.id++;
    assert_int_equal(bpf_map_update_elem(fd, &ifindex, &watched, BPF_ANY), 0);
    close(fd);
    poll(NULL, 0, 2);
    dp = watch_bed_open(&again);
    assert_true(again > since);
    class->close(dp, false);
    poll(NULL, 0, 2);
    dp = watch_bed_open(&since);
    assert_int_equal(since, again);
    dp_bed_close(dp);
}

/* Others get the same maps, whether a device is watched or not. */
static void
test_share(void **state OVS_UNUSED)
{
    struct dp *dp = dp_bed_open();
    struct bpf_map_info info = { .id = 0 }, other = { .id = 0 };
    uint32_t size = sizeof info;
    struct opened_bpf *skel;
    struct bpf_object *obj;
    long long int since;
    int fd;

    skel = opened_bpf__open();
    assert_non_null(skel);
    obj = skel->obj;
    assert_int_equal(opened_share(dp, obj), 0);
    fd = watch_bed_open_map("opened");
    assert_int_equal(bpf_obj_get_info_by_fd(fd, &info, &size), 0);
    close(fd);
    assert_int_equal(class->put_watch(dp, if_nametoindex("nic0"),
                                      DP_WATCH_INGRESS, &since), 0);
    assert_int_equal(bpf_object__load(obj), 0);
    watch_bed_send_syn(WATCH_BED_PORT, 0);
    watch_bed_await_known(WATCH_BED_PORT);
    fd = bpf_map__fd(bpf_object__find_map_by_name(obj, "opened"));
    size = sizeof other;
    assert_int_equal(bpf_obj_get_info_by_fd(fd, &other, &size), 0);
    assert_int_equal(other.id, info.id);
    opened_bpf__destroy(skel);
    dp_bed_close(dp);
}

/* Leaves nothing behind for the next test. */
static int
clean_up(void **state)
{
    tc_set_no_tcx(false);
    netns_try("tc qdisc del dev nic0 clsact");
    return dp_bed_clean_up(state);
}

int
main(void)
{
#define TEST(NAME) cmocka_unit_test_teardown(NAME, clean_up)
    static const struct CMUnitTest tests[] = {
        TEST(test_real),
        TEST(test_tagged),
        TEST(test_pieces),
        TEST(test_others),
        TEST(test_adopted),
        TEST(test_filter),
        TEST(test_meddled),
        TEST(test_other_maps),
        TEST(test_half_watched),
        TEST(test_share),
    };
#undef TEST

    dp_bed_enter();
    return cmocka_run_group_tests_name("watch", tests, NULL, NULL);
}
