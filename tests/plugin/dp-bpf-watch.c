/* SPDX-License-Identifier: Apache-2.0 */
/* Connections of a VM, for the tests of plugin/datapath-bpf-watch.c and
 * plugin/datapath-bpf-opened.c. */
#include <config.h>

#include "tests/plugin/dp-bpf-watch.h"

#include <bpf/bpf.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "csum.h"
#include "packets.h"
#include "timeval.h"
#include "util.h"

#include "tests/plugin/netns.h"

/* The VM's address and that of whom it calls. */
#define VM 0xc633640a
#define PEER 0xcb007101

static const struct dp_class *const class = &datapath_bpf_class;

/* The clock of the maps. */
uint64_t
watch_bed_now(void)
{
    return time_msec() * UINT64_C(1000000);
}

/* Opens the pinned map 'name'. */
int
watch_bed_open_map(const char *name)
{
    char *path = xasprintf("%s/%s", WATCH_BED_PINS, name);
    int fd = bpf_obj_get(path);

    free(path);
    assert_true(fd >= 0);
    return fd;
}

/* Returns the key of the connection from 'port' of the VM. */
struct ox_opened_key
watch_bed_make_key(uint16_t port)
{
    struct ox_opened_key key = {
        .local_port = htons(port), .remote_port = htons(WATCH_BED_PEER_PORT),
        .proto = IPPROTO_TCP };
    struct in6_addr local = in6_addr_mapped_ipv4(htonl(VM));
    struct in6_addr remote = in6_addr_mapped_ipv4(htonl(PEER));

    memcpy(key.local, &local, sizeof key.local);
    memcpy(key.remote, &remote, sizeof key.remote);
    return key;
}

/* Returns true if the connection from 'port' of the VM is known. */
bool
watch_bed_is_known(uint16_t port)
{
    struct ox_opened_key key = watch_bed_make_key(port);
    struct ox_opened value;
    int fd = watch_bed_open_map("opened");
    bool known = !bpf_map_lookup_elem(fd, &key, &value);

    close(fd);
    return known;
}

/* Returns the state of the connection from 'port' of the VM, which is
 * known. */
uint32_t
watch_bed_state_of(uint16_t port)
{
    struct ox_opened_key key = watch_bed_make_key(port);
    struct ox_opened value;
    int fd = watch_bed_open_map("opened");

    assert_int_equal(bpf_map_lookup_elem(fd, &key, &value), 0);
    close(fd);
    return value.state;
}

/* Waits until the connection from 'port' of the VM is known. */
void
watch_bed_await_known(uint16_t port)
{
    long long int deadline = time_msec() + NETNS_DEADLINE_MS;

    while (!watch_bed_is_known(port)) {
        assert_true(time_msec() < deadline);
        poll(NULL, 0, 1);
    }
}

/* Makes the connection from 'port' one in 'state' that is 'age' seconds
 * old. */
void
watch_bed_put_known(uint16_t port, uint32_t state, uint64_t age)
{
    struct ox_opened_key key = watch_bed_make_key(port);
    struct ox_opened value = {
        .seen_ns = watch_bed_now() - age * UINT64_C(1000000000),
        .state = state,
    };
    int fd = watch_bed_open_map("opened");

    assert_int_equal(bpf_map_update_elem(fd, &key, &value, BPF_ANY), 0);
    close(fd);
}

/* Stores a SYN from 'port' of the VM in 'frame', with a VLAN tag if 'vlan' is
 * not 0, and returns its length. */
size_t
watch_bed_make_syn(uint8_t *frame, uint16_t port, uint16_t vlan)
{
    struct eth_header eth = {
        .eth_dst = ETH_ADDR_C(02, 00, 00, 00, 00, 01),
        .eth_src = ETH_ADDR_C(02, 00, 00, 00, 00, 02),
        .eth_type = htons(vlan ? ETH_TYPE_VLAN : ETH_TYPE_IP),
    };
    struct vlan_header tag = { htons(vlan), htons(ETH_TYPE_IP) };
    struct ip_header ip = {
        .ip_ihl_ver = IP_IHL_VER(5, 4),
        .ip_tot_len = htons(IP_HEADER_LEN + TCP_HEADER_LEN),
        .ip_ttl = 64,
        .ip_proto = IPPROTO_TCP,
    };
    struct tcp_header tcp = {
        .tcp_src = htons(port), .tcp_dst = htons(WATCH_BED_PEER_PORT),
        .tcp_ctl = TCP_CTL(TCP_SYN, 5),
    };
    uint8_t *p = frame;

    put_16aligned_be32(&ip.ip_src, htonl(VM));
    put_16aligned_be32(&ip.ip_dst, htonl(PEER));
    ip.ip_csum = csum(&ip, sizeof ip);
    p = (uint8_t *) memcpy(p, &eth, sizeof eth) + sizeof eth;
    if (vlan) {
        p = (uint8_t *) memcpy(p, &tag, sizeof tag) + sizeof tag;
    }
    p = (uint8_t *) memcpy(p, &ip, sizeof ip) + sizeof ip;
    p = (uint8_t *) memcpy(p, &tcp, sizeof tcp) + sizeof tcp;
    return p - frame;
}

/* Sends a SYN from 'port' of the VM into 'wire0', so that 'nic0' receives
 * it. */
void
watch_bed_send_syn(uint16_t port, uint16_t vlan)
{
    uint8_t frame[128];
    size_t n = watch_bed_make_syn(frame, port, vlan);
    int fd = dp_bed_socket("wire0");

    assert_int_equal(send(fd, frame, n, 0), n);
    close(fd);
}

/* Opens the datapath and watches what 'nic0' receives.  Stores since when in
 * '*since'. */
struct dp *
watch_bed_open(long long int *since)
{
    struct dp *dp = dp_bed_open();

    assert_int_equal(class->put_watch(dp, if_nametoindex("nic0"),
                                      DP_WATCH_INGRESS, since), 0);
    return dp;
}
