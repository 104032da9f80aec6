/* SPDX-License-Identifier: Apache-2.0
 *
 * The programs on real devices, in a namespace of the test's own: what
 * BPF_PROG_TEST_RUN cannot show.  Frames enter through a pair of veth, "in0"
 * and "nic0"; "nic0" carries the program; targets are "out0" and "out1", whose
 * other ends, "far0" and "far1", receive.  "out1" cannot take frames, since
 * nothing at its other end makes the kernel listen. */

#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "bpf/abi.h"
#include "bpf/events.skel.h"
#include "tests/bpf/bed.h"
#include "tests/bpf/packet.h"

/* Attach point of TC's successor; newer than the headers of some systems. */
#define TCX_EGRESS 47

/* Row of the NIC. */
#define SLOT 7

/* How long a frame may take, in milliseconds. */
#define PATIENCE_MS 5000

/* Endpoints: on a target that works, and on one that does not. */
#define GOOD "10.0.0.10"
#define BAD "10.0.0.11"

static const uint8_t dmac[6] = { 0xfa, 0x16, 0x3e, 0xd1, 0xd2, 0xd3 };
static const uint8_t smac[6] = { 0x0a, 0x5a, 0x51, 0x52, 0x53, 0x54 };
static const uint8_t router_mac[6] = { 0x02, 0x52, 0x54, 0x00, 0x00, 0x01 };

/* Where things are pinned. */
static char pin_dir[80];

/* The world of one test. */
struct live {
    struct ovn_xdp_bpf *skel;   /* The plain program, which owns the maps. */
    struct events_bpf *events;  /* Counts frames lost behind the verdict. */
    uint8_t mac[6];             /* Of nic0. */
    int link;                   /* Of the program that nic0 carries. */
    struct ovn_xdp_bpf *generic; /* The program for generic mode, or NULL. */
    int in;                     /* Socket that sends through in0. */
    int far;                    /* Socket that receives on far0. */
};

/* Runs a command of the system's tools. */
static void
run(const char *command)
{
    if (system(command)) {
        fail_msg("'%s' failed", command);
    }
}

/* Milliseconds of the monotonic clock. */
static int64_t
now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

/* Returns a packet socket on the device 'name'. */
static int
open_socket(const char *name, int protocol)
{
    struct sockaddr_ll address = {
        .sll_family = AF_PACKET,
        .sll_protocol = htons(protocol),
        .sll_ifindex = if_nametoindex(name),
    };
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *) &address, sizeof address),
                     0);
    return fd;
}

/* Stores the MAC address of 'name' in 'mac'. */
static void
get_mac(const char *name, uint8_t *mac)
{
    struct ifreq ifr;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    memset(&ifr, 0, sizeof ifr);
    memcpy(ifr.ifr_name, name, strlen(name));
    assert_int_equal(ioctl(fd, SIOCGIFHWADDR, &ifr), 0);
    memcpy(mac, ifr.ifr_hwaddr.sa_data, 6);
    close(fd);
}

/* Attaches 'program' to nic0 in 'mode', and returns the link or a negative
 * errno. */
static int
attach(int program, uint32_t mode)
{
    LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = mode);

    return bpf_link_create(program, if_nametoindex("nic0"), BPF_XDP, &opts);
}

/* Makes the devices. */
static void
make_devices(void)
{
    run("for pair in in0:nic0 far0:out0 far1:out1; do "
        "  ip link add ${pair%:*} type veth peer name ${pair#*:} && "
        "  for dev in ${pair%:*} ${pair#*:}; do "
        "    ip link set $dev addrgenmode none && ip link set $dev up "
        "    || exit 1; "
        "  done || exit 1; "
        "done && ethtool -K far0 gro on");
}

/* Makes 'address' an endpoint whose target is 'device'. */
static void
add_endpoint(const struct live *live, const char *address, const char *device)
{
    struct ox_endpoint endpoint = {
        .ifindex = if_nametoindex(device),
        .mtu = 9000,
    };

    memcpy(endpoint.dmac, dmac, sizeof endpoint.dmac);
    memcpy(endpoint.smac, smac, sizeof endpoint.smac);
    bed_add_endpoint(live->skel, address, &endpoint);
    bed_add_target(live->skel, endpoint.ifindex);
}

/* Loads the programs that count lost frames, and attaches them. */
static void
load_events(struct live *live)
{
    uint32_t ifindex = if_nametoindex("nic0"), slot = SLOT;
    struct stat st;

    live->events = events_bpf__open();
    assert_non_null(live->events);
    assert_int_equal(stat("/proc/self/ns/net", &st), 0);
    live->events->rodata->netns_inum = st.st_ino;
    assert_int_equal(events_bpf__load(live->events), 0);
    assert_int_equal(events_bpf__attach(live->events), 0);
    assert_int_equal(
        bpf_map_update_elem(bpf_map__fd(live->events->maps.nic_index),
                            &ifindex, &slot, 0), 0);
}

static int
set_up(void **state)
{
    struct live *live = calloc(1, sizeof *live);

    assert_non_null(live);
    *state = live;
    make_devices();
    live->skel = bed_load(SLOT, NULL);
    assert_non_null(live->skel);
    get_mac("nic0", live->mac);
    bed_set_nic(live->skel, SLOT, live->mac, if_nametoindex("nic0"));
    add_endpoint(live, GOOD, "out0");
    add_endpoint(live, BAD, "out1");
    load_events(live);
    live->link = attach(bed_program(live->skel), XDP_FLAGS_DRV_MODE);
    assert_true(live->link >= 0);
    live->in = open_socket("in0", 0);
    live->far = open_socket("far0", ETH_P_ALL);
    return 0;
}

static int
tear_down(void **state)
{
    struct live *live = *state;

    close(live->in);
    close(live->far);
    close(live->link);
    events_bpf__destroy(live->events);
    ovn_xdp_bpf__destroy(live->generic);
    ovn_xdp_bpf__destroy(live->skel);
    free(live);
    run("for dev in in0 out0 out1; do ip link del $dev 2>/dev/null; done; :");
    return 0;
}

/* Makes 'p' a frame to 'dst' with TTL 'ttl', and returns its length. */
static void
make_frame(struct packet *p, const uint8_t *to, const uint8_t *from,
           const char *dst, uint8_t ttl, size_t payload)
{
    const struct packet_ip4 ip = {
        .src = "192.0.2.1", .dst = dst, .ttl = ttl, .proto = 17,
        .payload = payload,
    };

    packet_eth(p, to, from, 0, 0x0800);
    packet_ip4(p, &ip);
    packet_fill(p, payload);
}

/* Sends a frame to the address 'dst' into nic0.  Returns its length. */
static size_t
send_to(const struct live *live, const char *dst)
{
    struct packet p;

    make_frame(&p, live->mac, router_mac, dst, 64, 100);
    assert_int_equal(send(live->in, p.data, p.len, 0), p.len);
    return p.len;
}

/* Returns how many frames were counted for 'reason'. */
static uint64_t
counted(const struct live *live, enum ox_reason reason)
{
    static struct bed_counters counters;

    bed_read(live->skel, &counters);
    return counters.reasons[SLOT * OX_N_REASONS + reason].packets;
}

/* Sums up what begins the values at 'key' in the per-CPU array 'fd'. */
static uint64_t
first_u64(int fd, uint32_t key, size_t value_size)
{
    int n_cpus = libbpf_num_possible_cpus();
    uint8_t *values = calloc(n_cpus, value_size);
    uint64_t sum = 0, value;

    assert_int_equal(bpf_map_lookup_elem(fd, &key, values), 0);
    for (int cpu = 0; cpu < n_cpus; cpu++) {
        memcpy(&value, &values[cpu * value_size], sizeof value);
        sum += value;
    }
    free(values);
    return sum;
}

/* Returns how many frames were lost for the errno 'error'. */
static uint64_t
lost(const struct live *live, uint32_t error)
{
    return first_u64(bpf_map__fd(live->events->maps.redirect_errors), error,
                     sizeof(uint64_t));
}

/* Waits until one frame is counted for 'reason', beyond 'before'.  A counter
 * of a program gives no event: it is looked at again and again. */
static void
await_reason(const struct live *live, enum ox_reason reason, uint64_t before)
{
    int64_t deadline = now_ms() + PATIENCE_MS;

    while (counted(live, reason) == before) {
        if (now_ms() > deadline) {
            fail_msg("no frame was counted as '%s'", bed_reason_name(reason));
        }
    }
    assert_int_equal(counted(live, reason), before + 1);
}

/* The same for a frame lost for 'error'. */
static void
await_lost(const struct live *live, uint32_t error, uint64_t before)
{
    int64_t deadline = now_ms() + PATIENCE_MS;

    while (lost(live, error) == before) {
        if (now_ms() > deadline) {
            fail_msg("no frame was lost with errno %u", error);
        }
    }
    assert_int_equal(lost(live, error), before + 1);
}

/* Sends a frame to 'dst' and asserts that it is counted for 'reason'. */
static void
assert_reason(const struct live *live, const char *dst, enum ox_reason reason)
{
    uint64_t before = counted(live, reason);

    send_to(live, dst);
    await_reason(live, reason, before);
}

/* Receives a frame at far0, and returns its length.  Those that are not for an
 * endpoint are the kernel's own (multicast listener reports, when a device
 * comes up). */
static ssize_t
receive(const struct live *live, uint8_t *got, size_t size)
{
    struct pollfd poll_far = { .fd = live->far, .events = POLLIN };
    ssize_t n;

    do {
        assert_int_equal(poll(&poll_far, 1, PATIENCE_MS), 1);
        n = recv(live->far, got, size, 0);
        assert_true(n >= (ssize_t) sizeof dmac);
    } while (memcmp(got, dmac, sizeof dmac));
    return n;
}

/* Sends a frame to GOOD and asserts that it arrives, rewritten. */
static void
assert_arrives(const struct live *live)
{
    static uint8_t got[PACKET_MAX];
    struct packet want;

    make_frame(&want, dmac, smac, GOOD, 63, 100);
    send_to(live, GOOD);
    assert_int_equal(receive(live, got, sizeof got), want.len);
    assert_memory_equal(got, want.data, want.len);
}

/* Replaces the program of nic0 by one in generic mode. */
static void
go_generic(struct live *live)
{
    close(live->link);
    live->generic = bed_load_generic(SLOT, live->skel);
    assert_non_null(live->generic);
    live->link = attach(bed_program(live->generic), XDP_FLAGS_SKB_MODE);
    assert_true(live->link >= 0);
}

/* A frame goes the whole way, in native and in generic mode. */
static void
test_redirected(void **state)
{
    struct live *live = *state;

    assert_arrives(live);
    assert_reason(live, "10.0.0.99", OX_R_NOT_LOCAL);
    go_generic(live);
    assert_arrives(live);
    assert_reason(live, "10.0.0.99", OX_R_NOT_LOCAL);
}

/* Makes the stack send long packets for GOOD to nic0. */
static void
set_jumbo(const struct live *live)
{
    char command[512];

    snprintf(command, sizeof command,
             "for dev in in0 nic0 out0 far0; do "
             "  ip link set $dev mtu 9000 || exit 1; "
             "done && "
             "ip addr add 192.0.2.1/24 dev in0 && "
             "ip route add 10.0.0.0/24 dev in0 && ip neigh add " GOOD
             " lladdr %02x:%02x:%02x:%02x:%02x:%02x dev in0",
             live->mac[0], live->mac[1], live->mac[2], live->mac[3],
             live->mac[4], live->mac[5]);
    run(command);
}

/* Sends one UDP packet of 'n' bytes to GOOD through the stack, which spreads
 * it over pages. */
static void
send_jumbo(size_t n)
{
    const struct sockaddr_in to = {
        .sin_family = AF_INET,
        .sin_port = htons(9),
        .sin_addr.s_addr = inet_addr(GOOD),
    };
    static uint8_t data[PACKET_MAX];
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(sendto(fd, data, n, 0, (const struct sockaddr *) &to,
                            sizeof to), n);
    close(fd);
}

/* Generic mode hands sk_buffs to the target, which may always consist of
 * several buffers; native mode needs a target that takes them. */
static void
test_jumbo(void **state)
{
    struct live *live = *state;
    static uint8_t got[PACKET_MAX];
    const size_t payload = 8000, head = PACKET_ETH_LEN + PACKET_IP4_LEN + 8;

    set_jumbo(live);
    send_jumbo(payload);
    await_reason(live, OX_R_MULTI_BUFFER, 0);
    go_generic(live);
    send_jumbo(payload);
    await_reason(live, OX_R_REDIRECTED, 0);
    assert_int_equal(receive(live, got, sizeof got), head + payload);
}

/* The kernel takes the target away with its device, and the frame passes. */
static void
test_target_vanishes(void **state)
{
    const struct live *live = *state;
    uint32_t ifindex = if_nametoindex("out0"), value;

    assert_arrives(live);
    run("ip link del out0");
    assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(live->skel->maps.targets),
                                         &ifindex, &value), -ENOENT);
    assert_reason(live, GOOD, OX_R_TARGET_GONE);
}

/* Programs are swapped below the traffic. */
static void
test_program_replaced(void **state)
{
    const struct live *live = *state;
    struct ovn_xdp_bpf *next = bed_load(SLOT, live->skel);

    assert_non_null(next);
    assert_arrives(live);
    assert_int_equal(bpf_link_update(live->link, bed_program(next), NULL), 0);
    assert_arrives(live);
    ovn_xdp_bpf__destroy(next);
    assert_arrives(live);
    assert_int_equal(counted(live, OX_R_REDIRECTED), 3);
}

/* A link outlives its device, and says so. */
static void
test_nic_vanishes(void **state)
{
    const struct live *live = *state;
    struct bpf_link_info info = { .id = 0 };
    uint32_t len = sizeof info;

    assert_int_equal(bpf_obj_get_info_by_fd(live->link, &info, &len), 0);
    assert_int_equal(info.xdp.ifindex, if_nametoindex("nic0"));
    run("ip link del in0");
    assert_int_equal(bpf_obj_get_info_by_fd(live->link, &info, &len), 0);
    assert_int_equal(info.xdp.ifindex, 0);
    assert_int_equal(bpf_link_update(live->link, bed_program(live->skel),
                                     NULL), -ENOLINK);
}

/* Makes in0 tag all it sends, in the way that hides the tag from XDP.
 * Returns the link, or a negative errno. */
static int
push_tags(void)
{
    /* bpf_skb_vlan_push(skb, htons(ETH_P_8021Q), 55); return 0; */
    const struct bpf_insn insns[] = {
        { .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_2,
          .imm = htons(ETH_P_8021Q) },
        { .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_3,
          .imm = 55 },
        { .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_skb_vlan_push },
        { .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
        { .code = BPF_JMP | BPF_EXIT },
    };
    int program = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "push_tags", "GPL",
                                insns, sizeof insns / sizeof insns[0], NULL);
    int link;

    assert_true(program >= 0);
    link = bpf_link_create(program, if_nametoindex("in0"), TCX_EGRESS, NULL);
    close(program);
    return link;
}

/* A NIC that strips tags: the plain program is deceived, the other is not. */
static void
test_tag_hint(void **state)
{
    const struct live *live = *state;
    struct hint_bpf *hint = bed_load_hint(SLOT, if_nametoindex("nic0"), 0,
                                          false, live->skel);
    int program, tags;

    if (!hint) {
        print_message("this kernel has no VLAN hint (Linux 6.8 has)\n");
        skip();
    }
    assert_arrives(live);
    program = bed_program_hint(hint);
    assert_int_equal(bpf_link_update(live->link, program, NULL), 0);
    assert_arrives(live);
    tags = push_tags();
    assert_true(tags >= 0);
    assert_reason(live, GOOD, OX_R_TAGGED);
    assert_int_equal(bpf_link_update(live->link, bed_program(live->skel),
                                     NULL), 0);
    assert_reason(live, GOOD, OX_R_REDIRECTED);
    close(tags);
    hint_bpf__destroy(hint);
}

/* The program that is bound to its device knows a dead daemon, too. */
static void
test_tag_hint_stale(void **state)
{
    const struct live *live = *state;
    const uint64_t limit = UINT64_C(3600000000000);
    struct hint_bpf *hint = bed_load_hint(SLOT, if_nametoindex("nic0"), limit,
                                          false, live->skel);
    uint64_t now = now_ms() * UINT64_C(1000000);
    int program;

    if (!hint) {
        print_message("this kernel has no VLAN hint (Linux 6.8 has)\n");
        skip();
    }
    program = bed_program_hint(hint);
    assert_int_equal(bpf_link_update(live->link, program, NULL), 0);
    bed_beat(live->skel, now);
    assert_arrives(live);
    bed_beat(live->skel, now - limit);
    assert_reason(live, GOOD, OX_R_STALE);
    bed_beat(live->skel, now);
    assert_arrives(live);
    assert_int_equal(bpf_link_update(live->link, bed_program(live->skel),
                                     NULL), 0);
    hint_bpf__destroy(hint);
}

/* Asserts that the program of 'hint' is no longer than it was when it was
 * loaded: see hint.bpf.c. */
static void
assert_has_stayed(const struct hint_bpf *hint, const struct bpf_program *prog)
{
    struct bpf_prog_info info = { .type = 0 };
    uint32_t size = sizeof info;

    assert_int_equal(bpf_obj_get_info_by_fd(bed_program_hint(hint), &info,
                                            &size), 0);
    assert_in_range(info.xlated_prog_len, 1,
                    bpf_program__insn_cnt(prog) * sizeof(struct bpf_insn));
}

/* The programs that are bound to their device and have rules. */
static void
test_tag_hint_acl(void **state)
{
    const struct live *live = *state;
    uint32_t ifindex = if_nametoindex("nic0");
    struct hint_bpf *plain = bed_load_hint(SLOT, ifindex, 0, true,
                                           live->skel);
    struct hint_bpf *timed = bed_load_hint(SLOT, ifindex, 1, true,
                                           live->skel);

    if (!plain) {
        print_message("this kernel has no VLAN hint (Linux 6.8 has)\n");
        skip();
    }
    assert_has_stayed(plain, plain->progs.nic_redirect_hint_acl);
    assert_has_stayed(timed, timed->progs.nic_redirect_hint_acl_timed);
    assert_int_equal(bpf_link_update(live->link, bed_program_hint(plain),
                                     NULL), 0);
    assert_arrives(live);
    assert_int_equal(bpf_link_update(live->link, bed_program_hint(timed),
                                     NULL), 0);
    bed_beat(live->skel, 0);
    assert_reason(live, GOOD, OX_R_STALE);
    hint_bpf__destroy(timed);
    hint_bpf__destroy(plain);
}

/* The tag itself, where nothing strips it, is seen by both programs. */
static void
test_tag_in_frame(void **state)
{
    const struct live *live = *state;
    int tags;

    run("ethtool -K in0 tx-vlan-offload off");
    tags = push_tags();
    assert_true(tags >= 0);
    assert_reason(live, GOOD, OX_R_TAGGED);
    close(tags);
}

/* Frames that are lost behind the verdict are counted by their errno. */
static void
test_lost_frames(void **state)
{
    const struct live *live = *state;
    uint32_t ifindex = if_nametoindex("nic0");

    send_to(live, BAD);
    await_lost(live, EOPNOTSUPP, 0);
    run("ip link set out0 down");
    send_to(live, GOOD);
    await_lost(live, ENETDOWN, 0);
    run("ip link set out0 up mtu 80");
    send_to(live, GOOD);
    await_lost(live, EMSGSIZE, 0);
    run("ip link set out0 mtu 1500");
    assert_arrives(live);
    assert_int_equal(lost(live, EOPNOTSUPP) + lost(live, ENETDOWN)
                     + lost(live, EMSGSIZE) + lost(live, 0), 3);

    /* Losses of NICs that are not ours are not counted. */
    assert_int_equal(
        bpf_map_delete_elem(bpf_map__fd(live->events->maps.nic_index),
                            &ifindex), 0);
    assert_reason(live, BAD, OX_R_REDIRECTED);
    assert_int_equal(lost(live, EOPNOTSUPP), 1);
}

/* Makes a tap whose ring holds few frames, and returns its reading end. */
static int
make_tap(const char *name)
{
    struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI };
    int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);

    assert_true(fd >= 0);
    memcpy(ifr.ifr_name, name, strlen(name));
    assert_int_equal(ioctl(fd, TUNSETIFF, &ifr), 0);
    run("ip link set tap0 addrgenmode none txqueuelen 4 && "
        "ip link set tap0 up");
    return fd;
}

/* Frames that a full ring refuses have no errno, and are counted as 0. */
static void
test_ring_full(void **state)
{
    const struct live *live = *state;
    static uint8_t frame[PACKET_MAX];
    int tap = make_tap("tap0");
    uint64_t n_read = 0;

    add_endpoint(live, BAD, "tap0");
    for (int i = 1; i <= 64; i++) {
        assert_reason(live, BAD, OX_R_REDIRECTED);
    }
    while (read(tap, frame, sizeof frame) > 0) {
        n_read += !memcmp(frame, dmac, sizeof dmac);
    }
    assert_in_range(n_read, 1, 63);
    assert_int_equal(lost(live, 0), 64 - n_read);
    close(tap);
}

/* An ifindex means nothing in another namespace: its losses are not ours. */
static void
test_other_namespace(void **state)
{
    const struct live *live = *state;
    struct events_bpf *other = events_bpf__open();
    uint32_t ifindex = if_nametoindex("nic0"), slot = SLOT;
    struct live twin = *live;

    assert_non_null(other);
    other->rodata->netns_inum = live->events->rodata->netns_inum + 1;
    assert_int_equal(events_bpf__load(other), 0);
    assert_int_equal(events_bpf__attach(other), 0);
    assert_int_equal(bpf_map_update_elem(bpf_map__fd(other->maps.nic_index),
                                         &ifindex, &slot, 0), 0);
    send_to(live, BAD);
    await_lost(live, EOPNOTSUPP, 0);
    twin.events = other;
    assert_int_equal(lost(&twin, EOPNOTSUPP), 0);
    events_bpf__destroy(other);
}

/* Pins 'fd' as 'name' in the test's own file system. */
static void
pin(int fd, const char *name)
{
    char path[128];

    snprintf(path, sizeof path, "%s/%s", pin_dir, name);
    assert_int_equal(bpf_obj_pin(fd, path), 0);
}

/* Opens what is pinned as 'name'. */
static int
reopen(const char *name)
{
    char path[128];
    int fd;

    snprintf(path, sizeof path, "%s/%s", pin_dir, name);
    fd = bpf_obj_get(path);
    assert_true(fd >= 0);
    assert_int_equal(unlink(path), 0);
    return fd;
}

/* With everything pinned, frames flow and losses are counted while no process
 * has any of it open. */
static void
test_pinned(void **state)
{
    struct live *live = *state;
    uint32_t redirected = SLOT * OX_N_REASONS + OX_R_REDIRECTED;
    int64_t deadline = now_ms() + PATIENCE_MS;
    int reasons, errors;

    pin(live->link, "link");
    pin(bpf_link__fd(live->events->links.redirect_err), "redirect_err");
    pin(bpf_map__fd(live->skel->maps.reasons), "reasons");
    pin(bpf_map__fd(live->events->maps.redirect_errors), "errors");
    close(live->link);
    events_bpf__destroy(live->events);
    live->events = NULL;
    ovn_xdp_bpf__destroy(live->skel);
    live->skel = NULL;

    send_to(live, GOOD);
    send_to(live, BAD);
    reasons = reopen("reasons");
    errors = reopen("errors");
    while (!first_u64(errors, EOPNOTSUPP, sizeof(uint64_t))
           && now_ms() < deadline) {
        continue;
    }
    assert_int_equal(first_u64(errors, EOPNOTSUPP, sizeof(uint64_t)), 1);
    assert_int_equal(first_u64(reasons, redirected,
                               sizeof(struct ox_counter)), 2);
    close(reasons);
    close(errors);
    close(reopen("redirect_err"));
    live->link = reopen("link");
}

/* Mounts a BPF file system of the test's own, in a namespace of its own. */
static void
mount_bpffs(void)
{
    const char *tmp = getenv("OVN_XDP_TMP");

    snprintf(pin_dir, sizeof pin_dir, "%s/ovn-xdp-XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(pin_dir) || unshare(CLONE_NEWNS)
        || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL)
        || mount("bpf", pin_dir, "bpf", 0, NULL)) {
        perror("mounting a BPF file system");
        exit(1);
    }
}

int
main(void)
{
#define LIVE(TEST) cmocka_unit_test_setup_teardown(TEST, set_up, tear_down)
    static const struct CMUnitTest tests[] = {
        LIVE(test_redirected),
        LIVE(test_jumbo),
        LIVE(test_target_vanishes),
        LIVE(test_program_replaced),
        LIVE(test_nic_vanishes),
        LIVE(test_tag_hint),
        LIVE(test_tag_hint_stale),
        LIVE(test_tag_hint_acl),
        LIVE(test_tag_in_frame),
        LIVE(test_lost_frames),
        LIVE(test_ring_full),
        LIVE(test_other_namespace),
        LIVE(test_pinned),
    };
    int failed;

    bed_enter();
    mount_bpffs();
    failed = cmocka_run_group_tests_name("live", tests, NULL, NULL);
    umount(pin_dir);
    rmdir(pin_dir);
    return failed;
}
