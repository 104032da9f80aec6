/* SPDX-License-Identifier: Apache-2.0 */
/* Devices, a bpffs and frames for the tests of the libbpf back end. */
#include <config.h>

#include "tests/plugin/dp-bpf-bed.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "csum.h"
#include "packets.h"
#include "util.h"

#include "tests/plugin/netns.h"

/* The endpoint's address, that inside, and its MACs. */
#define ENDPOINT_IP 0xc633640a
#define FIXED_IP 0x0a00000a
#define ENDPOINT_DMAC ETH_ADDR_C(fa, 16, 3e, 00, 00, 0a)
#define ENDPOINT_SMAC ETH_ADDR_C(02, 00, 00, 00, 00, 0b)

/* MAC of 'nic0'. */
#define NIC_MAC ETH_ADDR_C(02, 00, 00, 00, 00, 01)

/* Frames that are sent before the receiving end may catch up. */
#define BURST 32

/* Moves this process to namespaces of its own and makes the devices.  Ends it
 * as skipped without the rights for that. */
void
dp_bed_enter(void)
{
    netns_enter();
    if (unshare(CLONE_NEWNS)
        || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL)
        || mount("bpf", "/sys/fs/bpf", "bpf", 0, NULL)) {
        ovs_abort(errno, "cannot mount a bpffs");
    }
    netns_run("ip link add nic0 address 02:00:00:00:00:01 type veth "
              "peer name wire0 && ip link add out0 type veth peer name in0");
    netns_run("for dev in nic0 wire0 out0 in0; do ip link set $dev up; done");
    netns_run("ethtool -K in0 gro on");
}

/* Returns the NIC 'nic0', to be attached natively. */
struct dp_nic
dp_bed_nic(void)
{
    return (struct dp_nic) {
        .name = "nic0",
        .ifindex = if_nametoindex("nic0"),
        .mac = NIC_MAC,
        .mode = DP_NATIVE,
    };
}

/* Returns the endpoint that frames of dp_bed_send() go to. */
struct dp_endpoint
dp_bed_endpoint(void)
{
    struct dp_endpoint e;

    memset(&e, 0, sizeof e);
    e.key.addr = in6_addr_mapped_ipv4(htonl(ENDPOINT_IP));
    e.action = (struct dp_action) {
        .dmac = ENDPOINT_DMAC,
        .smac = ENDPOINT_SMAC,
        .ifindex = if_nametoindex("out0"),
        .mtu = 1500,
    };
    return e;
}

/* Returns the port with the endpoint's address, whose tap is 'in0'. */
struct dp_direct
dp_bed_port(void)
{
    return (struct dp_direct) {
        .external = in6_addr_mapped_ipv4(htonl(ENDPOINT_IP)),
        .fixed = in6_addr_mapped_ipv4(htonl(FIXED_IP)),
        .tap = if_nametoindex("in0"),
        .mac = ENDPOINT_DMAC,
        .mtu = 1500,
    };
}

/* Opens the datapath.  Returns NULL if that fails. */
static struct dp *
try_open(void)
{
    struct dp_config config = {
        DP_BED_PINS, DP_BED_MAX_ENDPOINTS, DP_BED_MAX_FLOWS };
    struct dp *dp;

    return datapath_bpf_class.open(&config, &dp) ? NULL : dp;
}

/* Opens the datapath. */
struct dp *
dp_bed_open(void)
{
    struct dp *dp = try_open();

    assert_non_null(dp);
    return dp;
}

/* Has 'in0' be the tap of a VM with the endpoint's address, and sweeps.
 * Returns true if all succeeded. */
static bool
try_direct(struct dp *dp)
{
    const struct dp_class *class = &datapath_bpf_class;
    struct dp_direct_device tap = {
        .ifindex = if_nametoindex("in0"), .near = DP_HOOK_XDP,
        .xdp_target = true,
    };
    struct dp_direct port = dp_bed_port();

    if (class->put_direct_device(dp, &tap) || class->put_direct(dp, &port)) {
        return false;
    }
    class->sweep_direct_devices(dp);
    return true;
}

/* Does in 'dp' what a daemon does at its start.  Returns true if all
 * succeeded. */
static bool
try_start(struct dp *dp)
{
    const struct dp_class *class = &datapath_bpf_class;
    struct dp_endpoint e = dp_bed_endpoint();
    struct dp_nic nic = dp_bed_nic();
    long long int since;

    return (!class->put_target(dp, e.action.ifindex)
            && !class->put_endpoint(dp, &e)
            && !class->attach_sink(dp, "out0", e.action.ifindex)
            && !class->attach_nic(dp, &nic)
            && !class->put_watch(dp, if_nametoindex("in0"), DP_WATCH_INGRESS,
                                 &since)
            && try_direct(dp)
            && !class->commit(dp));
}

/* Does in 'dp' what a daemon does at its start. */
void
dp_bed_start(struct dp *dp)
{
    assert_true(try_start(dp));
}

/* Opens and starts the datapath.  Returns NULL if anything fails, and asserts
 * nothing: for processes that cmocka does not know of. */
struct dp *
dp_bed_try_start(void)
{
    struct dp *dp = try_open();

    return dp && try_start(dp) ? dp : NULL;
}

/* Closes 'dp', or what is pinned if it is NULL, and asserts that nothing of it
 * is left. */
void
dp_bed_close(struct dp *dp)
{
    datapath_bpf_class.close(dp ? dp : dp_bed_open(), true);
    assert_int_not_equal(access(DP_BED_PINS, F_OK), 0);
    assert_false(netns_try("ip link show | grep -q xdp"));
}

/* Leaves nothing behind for the next test, whatever became of this one: a
 * teardown for cmocka. */
int
dp_bed_clean_up(void **state OVS_UNUSED)
{
    struct dp *dp = access(DP_BED_PINS, F_OK) ? NULL : try_open();

    if (dp) {
        datapath_bpf_class.close(dp, true);
    }
    return 0;
}

/* Returns a socket that sends to and receives from 'device'. */
int
dp_bed_socket(const char *device)
{
    struct sockaddr_ll sll = {
        .sll_family = AF_PACKET,
        .sll_protocol = htons(ETH_P_ALL),
        .sll_ifindex = if_nametoindex(device),
    };
    int buffer = 128 * 1024 * 1024;
    int fd;

    fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    if (fd < 0
        || setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer)
        || bind(fd, (struct sockaddr *) &sll, sizeof sll)) {
        ovs_abort(errno, "%s", device);
    }
    return fd;
}

/* Stores a frame to the endpoint in 'frame'. */
static void
make_frame(uint8_t frame[DP_BED_FRAME_LEN])
{
    const struct eth_header eth = {
        .eth_dst = NIC_MAC,
        .eth_src = ETH_ADDR_C(02, 00, 00, 00, 00, 02),
        .eth_type = htons(ETH_TYPE_IP),
    };
    struct ip_header ip = {
        .ip_ihl_ver = IP_IHL_VER(5, 4),
        .ip_tot_len = htons(DP_BED_FRAME_LEN - ETH_HEADER_LEN),
        .ip_ttl = 64,
        .ip_proto = IPPROTO_UDP,
    };
    const struct udp_header udp = {
        .udp_len = htons(DP_BED_FRAME_LEN - ETH_HEADER_LEN - IP_HEADER_LEN),
    };

    memset(frame, 0, DP_BED_FRAME_LEN);
    put_16aligned_be32(&ip.ip_src, htonl(0xcb007101));
    put_16aligned_be32(&ip.ip_dst, htonl(ENDPOINT_IP));
    ip.ip_csum = csum(&ip, sizeof ip);
    memcpy(frame, &eth, sizeof eth);
    memcpy(frame + sizeof eth, &ip, sizeof ip);
    memcpy(frame + sizeof eth + sizeof ip, &udp, sizeof udp);
}

/* Sends 'n' frames to the endpoint.  After each burst it lets others run. */
void
dp_bed_send(int fd, unsigned int n)
{
    uint8_t frame[DP_BED_FRAME_LEN];

    make_frame(frame);
    for (unsigned int i = 0; i < n; i++) {
        assert_int_equal(send(fd, frame, sizeof frame, 0), sizeof frame);
        if (i % BURST == BURST - 1) {
            poll(NULL, 0, 1);
        }
    }
}

/* Tells whether the 'n' bytes in 'frame' are a frame that was redirected for
 * the endpoint. */
static bool
is_redirected(const uint8_t *frame, ssize_t n)
{
    const struct eth_addr dmac = ENDPOINT_DMAC, smac = ENDPOINT_SMAC;

    return (n == DP_BED_FRAME_LEN
            && !memcmp(frame, &dmac, sizeof dmac)
            && !memcmp(frame + sizeof dmac, &smac, sizeof smac));
}

/* Waits for 'wanted' redirected frames, or until none came for 'timeout_ms'.
 * Returns how many came. */
unsigned int
dp_bed_receive(int fd, unsigned int wanted, int timeout_ms)
{
    struct pollfd pfd = { .fd = fd, .events = POLLIN };
    unsigned int n = 0;

    while (n < wanted && poll(&pfd, 1, timeout_ms) > 0) {
        uint8_t frame[256];

        n += is_redirected(frame, recv(fd, frame, sizeof frame, 0));
    }
    return n;
}

/* Asserts that a frame gets through now. */
void
dp_bed_assert_forwards(void)
{
    int wire = dp_bed_socket("wire0");
    int in = dp_bed_socket("in0");

    dp_bed_send(wire, 1);
    assert_int_equal(dp_bed_receive(in, 1, NETNS_DEADLINE_MS), 1);
    close(wire);
    close(in);
}

/* Returns how many packets 'dp' has counted for the endpoint. */
uint64_t
dp_bed_packets(const struct dp *dp)
{
    struct dp_endpoint e = dp_bed_endpoint();
    struct dp_counter counter;

    assert_int_equal(
        datapath_bpf_class.endpoint_counter(dp, &e.key, &counter), 0);
    assert_int_equal(counter.bytes, counter.packets * DP_BED_FRAME_LEN);
    return counter.packets;
}
