/* SPDX-License-Identifier: Apache-2.0 */
/* Probes of flows, from the daemon through the kernel to the program at the
 * far side.
 *
 *     wire0 ==== nic0 --L1--> out0 ==== in0   "OVN"   tap0 ==== vm0
 *
 * All pairs are veths.  OVN is this test: it takes frames from 'in0' and has
 * 'tap0' send them, and takes those that 'tap0' receives and has 'nic0' send
 * them.  It translates nothing. */
#include <config.h>

#include "plugin/datapath.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "packets.h"
#include "util.h"

#include "bpf/abi.h"
#include "plugin/probe-frame.h"
#include "plugin/reason.h"
#include "tests/plugin/dp-bpf-bed.h"
#include "tests/plugin/netns.h"

/* MACs: of the NIC, of who is behind it, of the VM, and of OVN's router. */
#define NIC_MAC ETH_ADDR_C(02, 00, 00, 00, 00, 01)
#define REMOTE_MAC ETH_ADDR_C(02, 00, 00, 00, 00, 02)
#define VM_MAC ETH_ADDR_C(fa, 16, 3e, 00, 00, 07)
#define ROUTER_MAC ETH_ADDR_C(fa, 16, 3e, 00, 00, 01)

/* Flows of a family that there is room for: more than a part of a dump has. */
#define MAX_FLOWS 10000

/* Packets after which a direction of UDP is taken off. */
#define N_PACKETS 3

/* Time without confirmation after which the test has flows confirmed, in
 * ms: more than one tick of the coarse clock. */
#define OLD_MS 100

/* The VM's port. */
#define VM_PORT 5300

/* A port that no flow has. */
#define MARKER_PORT 7777

static const struct dp_class *const class = &datapath_bpf_class;

/* Addresses of one family. */
struct family {
    const char *remote;         /* Who speaks with the VM. */
    const char *vm;             /* The VM, inside and outside. */
};

/* Where a test takes packets off. */
struct hooks {
    enum dp_hook near;          /* Where on NIC and tap. */
    enum dp_mode mode;          /* Mode of the NIC's XDP program. */
    bool switched;              /* The NIC is a port of a bridge. */
};

static const struct family ip4 = {
    "::ffff:203.0.113.1", "::ffff:198.51.100.10"
};
static const struct family ip6 = { "2001:db8:1::1", "2001:db8::10" };
static const struct hooks native = { DP_HOOK_XDP, DP_NATIVE, false };

/* What a test works with. */
struct bed {
    const struct family *family; /* Addresses. */
    struct dp *dp;              /* What is tested. */
    uint32_t bridge;            /* Bridge that the NIC is a port of, or 0. */
    int wire, nic, in, tap, vm; /* Sockets of the devices. */
    int ovn;                    /* That by which OVN gets what comes in. */
};

/* Flows, as dumped. */
struct flows {
    struct dp_flow flows[16];   /* Those found. */
    size_t n;                   /* Number of them. */
};

/* The test's, so that clean_up() finds it. */
static struct bed own;

/* Returns 'text' as an address. */
static struct in6_addr
address(const char *text)
{
    struct in6_addr addr;

    assert_int_equal(inet_pton(AF_INET6, text, &addr), 1);
    return addr;
}

/* Makes the VM's address that of an endpoint, with layer L3. */
static void
put_address(struct bed *bed)
{
    struct dp_endpoint e = dp_bed_endpoint();
    struct dp_direct direct = {
        .bridge = bed->bridge,
        .external = address(bed->family->vm),
        .fixed = address(bed->family->vm),
        .tap = if_nametoindex("tap0"),
        .mac = VM_MAC,
        .mtu = 1500,
    };

    e.key.addr = direct.external;
    if (!bed->bridge) {
        assert_int_equal(class->put_endpoint(bed->dp, &e), 0);
    }
    assert_int_equal(class->put_direct(bed->dp, &direct), 0);
}

/* Opens the sockets of 'bed'. */
static void
open_sockets(struct bed *bed)
{
    bed->wire = dp_bed_socket("wire0");
    bed->nic = dp_bed_socket("nic0");
    bed->in = dp_bed_socket("in0");
    bed->tap = dp_bed_socket("tap0");
    bed->vm = dp_bed_socket("vm0");
    bed->ovn = bed->bridge ? bed->nic : bed->in;
}

/* Opens the datapath and makes layer L3 take off what it can for addresses of
 * 'family'. */
static void
set_up(struct bed *bed, const struct family *family, const struct hooks *hooks)
{
    struct dp_config config = { DP_BED_PINS, DP_BED_MAX_ENDPOINTS, MAX_FLOWS };
    struct dp_direct_device nic = {
        .ifindex = if_nametoindex("nic0"), .is_nic = true,
        .near = hooks->near, .xdp_target = true,
    };
    struct dp_direct_device tap = {
        .ifindex = if_nametoindex("tap0"), .near = hooks->near,
        .xdp_target = true,
    };
    struct dp_direct_times times = {
        .soft = 20000, .step = 1000, .hard = 30000,
    };
    struct dp_nic attached = dp_bed_nic();

    bed->family = family;
    bed->bridge = hooks->switched ? if_nametoindex("out0") : 0;
    assert_int_equal(class->open(&config, &bed->dp), 0);
    attached.mode = hooks->mode;
    attached.direct = hooks->near;
    attached.bridge = bed->bridge;
    assert_int_equal(class->put_target(bed->dp, if_nametoindex("out0")), 0);
    assert_int_equal(class->attach_nic(bed->dp, &attached), 0);
    class->set_direct_times(bed->dp, &times);
    assert_int_equal(class->put_direct_device(bed->dp, &nic), 0);
    assert_int_equal(class->put_direct_device(bed->dp, &tap), 0);
    put_address(bed);
    open_sockets(bed);
}

/* Ends it. */
static void
tear_down(struct bed *b)
{
    close(b->wire);
    close(b->nic);
    close(b->in);
    close(b->tap);
    close(b->vm);
    dp_bed_close(b->dp);
    b->dp = NULL;
}

/* Leaves nothing behind of a test that has failed. */
static int
clean_up(void **state)
{
    if (own.dp) {
        class->close(own.dp, true);
        own.dp = NULL;
    }
    return dp_bed_clean_up(state);
}

/* Returns the key of the way out, if 'out', or in. */
static struct dp_flow_key
make_key(const struct bed *bed, bool out)
{
    struct in6_addr vm = address(bed->family->vm);
    struct in6_addr remote = address(bed->family->remote);

    return (struct dp_flow_key) {
        .src = out ? vm : remote,
        .dst = out ? remote : vm,
        .sport = out ? VM_PORT : 40000,
        .dport = out ? 40000 : VM_PORT,
        .proto = IPPROTO_UDP,
        .scope = out ? if_nametoindex("tap0") : bed->bridge,
    };
}

/* Sends an ordinary packet with 'key' by 'fd'. */
static void
send_packet(int fd, const struct dp_flow_key *key, bool out)
{
    struct probe packet = {
        .key = key,
        .dmac = out ? (struct eth_addr) ROUTER_MAC
                    : (struct eth_addr) NIC_MAC,
        .smac = out ? (struct eth_addr) VM_MAC
                    : (struct eth_addr) REMOTE_MAC,
        .ttl = 64,
        .number = 1,
    };
    uint8_t frame[PROBE_MAX_LEN];
    ssize_t len = probe_compose(&packet, frame);

    assert_int_equal(send(fd, frame, len, 0), len);
}

/* Receives the next frame of 'bed' from 'fd' that its device did not send
 * itself, and returns its length; fails if none comes.  Others are packets of
 * the kernel's own. */
static size_t
receive(const struct bed *bed, int fd, uint8_t *frame, size_t size)
{
    struct pollfd pfd = { .fd = fd, .events = POLLIN };
    struct in6_addr vm = address(bed->family->vm);
    bool is_ip4 = bed->family == &ip4;
    const uint8_t *bytes = is_ip4 ? &vm.s6_addr[12] : vm.s6_addr;
    size_t len = is_ip4 ? 4 : 16;

    while (poll(&pfd, 1, NETNS_DEADLINE_MS) > 0) {
        struct sockaddr_ll sll;
        socklen_t sll_len = sizeof sll;
        ssize_t n = recvfrom(fd, frame, size, 0, (struct sockaddr *) &sll,
                             &sll_len);
        size_t at = ETH_HEADER_LEN + (is_ip4 ? 12 : 8);

        if (n >= (ssize_t) (at + 2 * len)
            && sll.sll_pkttype != PACKET_OUTGOING
            && (!memcmp(frame + at, bytes, len)
                || !memcmp(frame + at + len, bytes, len))) {
            return n;
        }
    }
    fail_msg("no frame");
    return 0;
}

/* Does with the next frame from 'from' what OVN does: has it leave by
 * 'to'. */
static void
pass(const struct bed *bed, int from, int to)
{
    uint8_t frame[256];
    ssize_t len = receive(bed, from, frame, sizeof frame);

    assert_int_equal(send(to, frame, len, 0), len);
}

/* Fails unless the next frame that 'fd' receives is one that is sent by 'from'
 * now: no other came before. */
static void
check_nothing(const struct bed *bed, int from, int fd, bool out)
{
    struct dp_flow_key key = make_key(bed, out);
    size_t transport = ETH_HEADER_LEN + (bed->family == &ip4 ? 20 : 40);
    uint8_t frame[256];
    uint16_t port;

    key.sport = MARKER_PORT;
    send_packet(from, &key, out);
    receive(bed, fd, frame, sizeof frame);
    memcpy(&port, frame + transport, sizeof port);
    assert_int_equal(ntohs(port), MARKER_PORT);
}

/* Adds 'flow' to 'flows_', struct flows. */
static void
add_flow(const struct dp_flow *flow, void *flows_)
{
    struct flows *flows = flows_;

    assert_true(flows->n < ARRAY_SIZE(flows->flows));
    flows->flows[flows->n++] = *flow;
}

/* Stores the flow of the direction in '*flow'.  Returns false if there is
 * none. */
static bool
find_flow(const struct bed *bed, bool out, struct dp_flow *flow)
{
    struct flows flows = { .n = 0 };

    class->dump_flows(bed->dp, add_flow, &flows);
    for (size_t i = 0; i < flows.n; i++) {
        if (flows.flows[i].out == out) {
            *flow = flows.flows[i];
            return true;
        }
    }
    return false;
}

/* Has OVN pass packets in both directions until they are taken off. */
static void
learn(const struct bed *bed)
{
    struct dp_flow_key in = make_key(bed, false), out = make_key(bed, true);
    uint8_t frame[256];
    struct dp_flow flow;

    for (int i = 0; i < N_PACKETS; i++) {
        send_packet(bed->wire, &in, false);
        pass(bed, bed->ovn, bed->tap);
        receive(bed, bed->vm, frame, sizeof frame);
        send_packet(bed->vm, &out, true);
        pass(bed, bed->tap, bed->nic);
        receive(bed, bed->wire, frame, sizeof frame);
    }
    for (int i = 0; i < 2; i++) {
        assert_true(find_flow(bed, i, &flow));
        assert_int_equal(flow.state, DP_FLOW_USED);
        assert_int_equal(flow.near_ifindex,
                         if_nametoindex(i ? "tap0" : "nic0"));
    }
}

/* Waits until the flows have not been confirmed for a while. */
static void
age(const struct bed *bed, struct dp_flow flows[2])
{
    for (int i = 0; i < 2; i++) {
        while (find_flow(bed, i, &flows[i])
               && flows[i].confirmed < OLD_MS) {
            poll(NULL, 0, 10);
        }
    }
}

/* Returns how many probes have ended at the far side 'row'. */
static uint64_t
count_confirmed(const struct bed *bed, enum dp_direct_row row)
{
    struct dp_counter counters[N_PACKET_REASONS];

    class->direct_counters(bed->dp, row, counters);
    return counters[PACKET_REASON_FLOW_CONFIRMED].packets;
}

/* Flows of 'family', taken off at 'hooks', are confirmed by their probes,
 * which end there. */
static void
check_confirmed(const struct family *family, const struct hooks *hooks)
{
    struct dp_flow flows[2], flow;
    size_t n_sent;

    set_up(&own, family, hooks);
    learn(&own);
    age(&own, flows);
    assert_int_equal(class->probe_flows(own.dp, flows, 2, &n_sent), 0);
    assert_int_equal(n_sent, 2);
    pass(&own, own.ovn, own.tap);
    pass(&own, own.tap, own.nic);
    for (int i = 0; i < 2; i++) {
        assert_true(find_flow(&own, i, &flow));
        assert_in_range(flow.confirmed, 0, OLD_MS - 1);
        assert_int_equal(flow.passed, flows[i].passed);
        assert_true(flow.seen >= OLD_MS);
        assert_int_equal(flow.state, DP_FLOW_USED);
    }
    assert_int_equal(count_confirmed(&own, DP_DIRECT_FAR_VM), 1);
    assert_int_equal(count_confirmed(&own, DP_DIRECT_FAR_NIC), 1);
    check_nothing(&own, own.tap, own.vm, false);
    check_nothing(&own, own.nic, own.wire, true);
    tear_down(&own);
}

/* Where layer L3 works in drivers. */
static void
test_native(void **state OVS_UNUSED)
{
    check_confirmed(&ip4, &native);
    check_confirmed(&ip6, &native);
}

/* The same at TC, whose programs see probes. */
static void
test_tc(void **state OVS_UNUSED)
{
    const struct hooks hooks = { DP_HOOK_TC, DP_NATIVE, false };

    check_confirmed(&ip4, &hooks);
    check_confirmed(&ip6, &hooks);
}

/* At a switched NIC, probes come in by it.  In generic mode, its program sees
 * them. */
static void
test_switched(void **state OVS_UNUSED)
{
    const struct hooks tc = { DP_HOOK_TC, DP_NATIVE, true };
    const struct hooks driver = { DP_HOOK_XDP, DP_NATIVE, true };
    const struct hooks generic = { DP_HOOK_XDP, DP_GENERIC, true };

    check_confirmed(&ip4, &tc);
    check_confirmed(&ip4, &driver);
    check_confirmed(&ip4, &generic);
    check_confirmed(&ip6, &generic);
}

/* Without an endpoint, the probe comes in by the NIC; and by a switched NIC it
 * does so with the tag. */
static void
test_received(void **state OVS_UNUSED)
{
    struct dp_flow flow = { .state = DP_FLOW_USED };
    struct tpacket_auxdata *aux;
    uint8_t frame[256];
    char control[256];
    struct iovec iov = { frame, sizeof frame };
    struct msghdr msg = {
        .msg_iov = &iov, .msg_iovlen = 1,
        .msg_control = control, .msg_controllen = sizeof control,
    };
    struct timeval patience = { NETNS_DEADLINE_MS / 1000, 0 };
    size_t n_sent;
    int one = 1;

    set_up(&own, &ip4, &native);
    flow.key = make_key(&own, false);
    flow.key.vlan = 7;
    flow.key.scope = 1234;
    flow.external = flow.key.dst;
    flow.near_ifindex = if_nametoindex("nic0");
    flow.near_dmac = (struct eth_addr) ETH_ADDR_C(02, 00, 00, 00, 00, 77);
    flow.near_smac = (struct eth_addr) REMOTE_MAC;
    assert_int_equal(setsockopt(own.nic, SOL_PACKET, PACKET_AUXDATA, &one,
                                sizeof one), 0);
    assert_int_equal(setsockopt(own.nic, SOL_SOCKET, SO_RCVTIMEO, &patience,
                                sizeof patience), 0);
    assert_int_equal(class->probe_flows(own.dp, &flow, 1, &n_sent), 0);
    do {
        memset(frame, 0, sizeof frame);
        msg.msg_controllen = sizeof control;
        assert_true(recvmsg(own.nic, &msg, 0) > 0);
    } while (memcmp(frame, &flow.near_dmac, ETH_ADDR_LEN));
    assert_memory_equal(frame + ETH_ADDR_LEN, &flow.near_smac, ETH_ADDR_LEN);
    aux = ALIGNED_CAST(struct tpacket_auxdata *,
                       CMSG_DATA(CMSG_FIRSTHDR(&msg)));
    assert_true(aux->tp_status & TP_STATUS_VLAN_VALID);
    assert_int_equal(aux->tp_vlan_tci, 7);

    flow.key.vlan = 0;
    flow.key.scope = 0;
    assert_int_equal(class->del_endpoint(
                         own.dp, &(struct dp_key) { flow.key.dst, 0 }), 0);
    assert_int_equal(class->probe_flows(own.dp, &flow, 1, &n_sent), 0);
    receive(&own, own.nic, frame, sizeof frame);
    assert_memory_equal(frame, &flow.near_dmac, ETH_ADDR_LEN);
    tear_down(&own);
}

/* What cannot be sent does not keep the others from it. */
static void
test_errors(void **state OVS_UNUSED)
{
    struct dp_flow flows[4];
    uint8_t frame[256];
    size_t n_sent;

    set_up(&own, &ip4, &native);
    memset(flows, 0, sizeof flows);
    for (size_t i = 0; i < ARRAY_SIZE(flows); i++) {
        flows[i].out = true;
        flows[i].key = make_key(&own, true);
        flows[i].key.dport = 1000 + i;
        flows[i].external = flows[i].key.src;
        flows[i].near_ifindex = if_nametoindex("tap0");
    }
    flows[0].near_ifindex = 9999;
    flows[2].near_ifindex = 9999;
    assert_int_not_equal(class->probe_flows(own.dp, flows, 4, &n_sent), 0);
    assert_int_equal(n_sent, 2);
    for (size_t i = 1; i < 4; i += 2) {
        receive(&own, own.tap, frame, sizeof frame);
        assert_int_equal(frame[36] << 8 | frame[37], 1000 + i);
    }
    assert_int_equal(class->del_direct(own.dp, &flows[1].external), 0);
    assert_int_equal(class->probe_flows(own.dp, flows, 4, &n_sent), ENOENT);
    assert_int_equal(n_sent, 0);
    tear_down(&own);
}

/* Returns how many empty datagrams 'fd' has received. */
static unsigned int
count_frames(int fd)
{
    unsigned int n = 0;
    uint8_t frame[256];
    ssize_t len;

    while ((len = recv(fd, frame, sizeof frame, MSG_DONTWAIT)) >= 0) {
        n += len == ETH_HEADER_LEN + 32 || len == ETH_HEADER_LEN + 52;
    }
    return n;
}

/* Many probes of both families and directions in one call: none is lost. */
static void
test_many(void **state OVS_UNUSED)
{
    enum { N = 1000 };
    static struct dp_flow flows[N];
    size_t n_sent;

    set_up(&own, &ip6, &native);
    own.family = &ip4;
    put_address(&own);
    for (size_t i = 0; i < N; i++) {
        own.family = i % 3 ? &ip4 : &ip6;
        flows[i].out = i % 2;
        flows[i].key = make_key(&own, flows[i].out);
        flows[i].key.sport += i;
        flows[i].external = address(own.family->vm);
        flows[i].near_ifindex = if_nametoindex("tap0");
    }
    assert_int_equal(class->probe_flows(own.dp, flows, N, &n_sent), 0);
    assert_int_equal(n_sent, N);
    assert_int_equal(count_frames(own.in), N / 2);
    assert_int_equal(count_frames(own.tap), N / 2);
    tear_down(&own);
}

/* Fills the map of flows with 'name', the keys of which have 'key_size' bytes
 * and begin with a number. */
static void
fill(const char *name, size_t key_size)
{
    char *path = xasprintf("%s/direct/%s", DP_BED_PINS, name);
    struct ox_flow value = { .head = 1 };
    int fd = bpf_obj_get(path);

    assert_true(fd >= 0);
    for (uint32_t i = 0; i < MAX_FLOWS; i++) {
        uint8_t key[sizeof(struct ox_flow6_key)] = { 0 };

        assert_true(key_size <= sizeof key);
        memcpy(key, &i, sizeof i);
        assert_int_equal(bpf_map_update_elem(fd, key, &value, BPF_ANY), 0);
    }
    close(fd);
    free(path);
}

/* Flows that were found, by their numbers. */
struct found {
    bool ip4[MAX_FLOWS];        /* Of IPv4. */
    bool ip6[MAX_FLOWS];        /* Of IPv6. */
    size_t n;                   /* All of them. */
};

/* Marks 'flow' in 'found_', struct found, as found for the first time. */
static void
mark(const struct dp_flow *flow, void *found_)
{
    bool is_ip4 = IN6_IS_ADDR_V4MAPPED(&flow->key.src);
    struct found *found = found_;
    bool *marks = is_ip4 ? found->ip4 : found->ip6;
    uint32_t i;

    memcpy(&i, &flow->key.src.s6_addr[is_ip4 ? 12 : 0], sizeof i);
    assert_true(i < MAX_FLOWS && !marks[i]);
    marks[i] = true;
    found->n++;
}

/* A dump in parts has each flow once, and no part takes long. */
static void
test_parts(void **state OVS_UNUSED)
{
    static struct found found;
    struct dp_flow_cursor cursor = { .map = 0 };
    size_t n_parts = 0, n;

    set_up(&own, &ip4, &native);
    fill("flows4", sizeof(struct ox_flow4_key));
    fill("flows6", sizeof(struct ox_flow6_key));
    do {
        n = found.n;
        n_parts++;
    } while (class->dump_some_flows(own.dp, &cursor, mark, &found)
             && found.n - n <= 5000);
    assert_int_equal(found.n, 2 * MAX_FLOWS);
    assert_in_range(n_parts, 6, 100);
    tear_down(&own);
}

int
main(void)
{
#define CASE(TEST) cmocka_unit_test_teardown(TEST, clean_up)
    static const struct CMUnitTest tests[] = {
        CASE(test_native),
        CASE(test_tc),
        CASE(test_switched),
        CASE(test_received),
        CASE(test_errors),
        CASE(test_many),
        CASE(test_parts),
    };

    dp_bed_enter();
    netns_run("ip link add tap0 type veth peer name vm0 && "
              "for dev in tap0 vm0; do ip link set $dev up; done && "
              "for dev in vm0 wire0; do ethtool -K $dev gro on; done");
    return cmocka_run_group_tests_name("datapath-bpf-confirm", tests, NULL,
                                       NULL);
}
