/* SPDX-License-Identifier: Apache-2.0 */
/* plugin/netdevs.c against the kernel, in a network namespace of its own. */
#include <config.h>
#include "plugin/netdevs.h"

#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if_arp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <cmocka.h>

#include "netlink.h"
#include "netlink-socket.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "random.h"
#include "timeval.h"
#include "util.h"

#include "plugin/netdevs-link.h"
#include "tests/plugin/netns.h"

/* A condition on a device, which is NULL if there is none of that name. */
typedef bool condition(const struct netdev_info *);

/* Runs 'nd' until 'met' is true of the device 'name'.  Returns the number of
 * times that netdevs_run() said that something changed. */
static int
await(struct netdevs *nd, const char *name, condition *met)
{
    long long int deadline = time_msec() + NETNS_DEADLINE_MS;
    int n_changes = 0;

    for (;;) {
        n_changes += netdevs_run(nd);
        if (met(netdevs_find(nd, name))) {
            return n_changes;
        }
        if (time_msec() >= deadline) {
            fail_msg("%s: waited in vain", name);
        }
        netdevs_wait(nd);
        poll_timer_wait_until(deadline);
        poll_block();
    }
}

/* Returns the device 'name', which must be there. */
static const struct netdev_info *
get(const struct netdevs *nd, const char *name)
{
    const struct netdev_info *info = netdevs_find(nd, name);

    assert_non_null(info);
    assert_string_equal(info->name, name);
    assert_ptr_equal(netdevs_find_index(nd, info->ifindex), info);
    return info;
}

/* Says whether 'x' and 'y' tell the same. */
static bool
same_device(const struct netdev_info *x, const struct netdev_info *y)
{
    return (x && y
            && x->ifindex == y->ifindex
            && !strcmp(x->name, y->name)
            && x->ethernet == y->ethernet
            && eth_addr_equals(x->mac, y->mac)
            && x->mtu == y->mtu
            && x->up == y->up
            && x->running == y->running
            && x->master == y->master
            && x->peer == y->peer
            && !strcmp(x->kind, y->kind)
            && x->xdp_program_id == y->xdp_program_id
            && x->native == y->native
            && x->ndo_xmit == y->ndo_xmit
            && x->ndo_xmit_sg == y->ndo_xmit_sg
            && x->strips_vlan == y->strips_vlan
            && x->tag_hint == y->tag_hint);
}

/* Says whether 'a' and 'b' tell the same of the same devices, and names in
 * '*name' the first device of 'a' that does not agree. */
static bool
same(const struct netdevs *a, const struct netdevs *b, const char **name)
{
    const struct netdev_info *x;

    *name = "";
    HMAP_FOR_EACH (x, node, netdevs_all(a)) {
        *name = x->name;
        if (!same_device(x, netdevs_find(b, x->name))
            || netdevs_find_index(a, x->ifindex) != x) {
            return false;
        }
    }
    return hmap_count(netdevs_all(a)) == hmap_count(netdevs_all(b));
}

/* Fails unless 'nd' becomes what a fresh reading gives.  The kernel may take
 * a moment for changes of carrier. */
static void
assert_fresh(struct netdevs *nd)
{
    long long int deadline = time_msec() + NETNS_DEADLINE_MS;

    for (;;) {
        struct netdevs *fresh;
        const char *name;
        bool ok;

        netdevs_run(nd);
        assert_int_equal(netdevs_create(&fresh), 0);
        ok = same(nd, fresh, &name);
        netdevs_destroy(fresh);
        if (ok) {
            return;
        } else if (time_msec() >= deadline) {
            fail_msg("not as a fresh reading: %s", name);
        }
        netdevs_wait(nd);
        poll_timer_wait_until(deadline);
        poll_block();
    }
}

static bool
is_there(const struct netdev_info *info)
{
    return info != NULL;
}

static bool
is_gone(const struct netdev_info *info)
{
    return !info;
}

static bool
is_down(const struct netdev_info *info)
{
    return info && !info->up;
}

static bool
is_running(const struct netdev_info *info)
{
    return info && info->running;
}

static bool
is_not_running(const struct netdev_info *info)
{
    return info && !info->running;
}

static bool
has_mtu_1400(const struct netdev_info *info)
{
    return info && info->mtu == 1400;
}

static bool
has_other_mac(const struct netdev_info *info)
{
    struct eth_addr mac = ETH_ADDR_C(02, 00, 00, aa, bb, cc);

    return info && eth_addr_equals(info->mac, mac);
}

static bool
takes_frames(const struct netdev_info *info)
{
    return info && info->ndo_xmit;
}

static bool
takes_no_frames(const struct netdev_info *info)
{
    return info && !info->ndo_xmit;
}

static bool
strips(const struct netdev_info *info)
{
    return info && info->strips_vlan;
}

static bool
does_not_strip(const struct netdev_info *info)
{
    return info && !info->strips_vlan;
}

static bool
has_program(const struct netdev_info *info)
{
    return info && info->xdp_program_id;
}

static bool
has_no_program(const struct netdev_info *info)
{
    return info && !info->xdp_program_id;
}

static bool
has_master(const struct netdev_info *info)
{
    return info && info->master;
}

static bool
has_no_master(const struct netdev_info *info)
{
    return info && !info->master;
}

static bool
has_peer(const struct netdev_info *info)
{
    return info && info->peer;
}

static bool
has_no_peer(const struct netdev_info *info)
{
    return info && !info->peer;
}

/* Makes the veth pair v0 and v1, both up, with GRO off, and waits for the
 * carrier. */
static int
setup_veth(void **state)
{
    struct netdevs *nd;

    netns_run("ip link add v0 type veth peer name v1");
    netns_run("ethtool -K v0 gro off && ethtool -K v1 gro off");
    netns_run("ip link set v0 up && ip link set v1 up");
    assert_int_equal(netdevs_create(&nd), 0);
    await(nd, "v0", is_running);
    await(nd, "v1", is_running);
    *state = nd;
    return 0;
}

/* Deletes what any test may leave. */
static int
teardown(void **state)
{
    netdevs_destroy(*state);
    netns_clean();
    return 0;
}

static void
test_first_reading(void **state)
{
    struct netdevs *nd = *state;
    const struct netdev_info *lo = get(nd, "lo");
    const struct netdev_info *v0 = get(nd, "v0");
    const struct netdev_info *v1 = get(nd, "v1");
    char *index = netns_read("cat /proc/net/dev_mcast | wc -l; "
                             "ip -o link show v0 | cut -d: -f1");

    assert_int_equal(hmap_count(netdevs_all(nd)), 3);
    assert_false(lo->ethernet);
    assert_true(lo->up);
    assert_int_equal(lo->mtu, 65536);
    assert_true(v0->ethernet);
    assert_true(v0->up);
    assert_int_equal(v0->mtu, 1500);
    assert_int_equal(v0->ifindex, atoi(strchr(index, '\n')));
    assert_int_equal(v0->peer, v1->ifindex);
    assert_int_equal(v1->peer, v0->ifindex);
    assert_int_equal(v0->master, 0);
    assert_string_equal(v0->kind, "veth");
    assert_true(v0->native);
    assert_int_equal(v0->xdp_program_id, 0);
    assert_null(netdevs_find(nd, "v"));
    assert_null(netdevs_find_index(nd, 0));
    assert_false(netdevs_run(nd));
    free(index);
}

static void
test_rename(void **state)
{
    struct netdevs *nd = *state;
    int ifindex = get(nd, "v0")->ifindex;

    netns_run("ip link set v0 name w0");
    await(nd, "w0", is_there);
    assert_null(netdevs_find(nd, "v0"));
    assert_int_equal(get(nd, "w0")->ifindex, ifindex);

    /* Two devices swap their names. */
    netns_run("ip link set w0 name x; ip link set v1 name w0;"
              "ip link set x name v1");
    await(nd, "x", is_gone);
    assert_int_equal(get(nd, "v1")->ifindex, ifindex);
    assert_int_equal(get(nd, "w0")->peer, ifindex);
    assert_fresh(nd);
}

static void
test_delete_and_return(void **state)
{
    struct netdevs *nd = *state;
    int ifindex = get(nd, "v0")->ifindex;

    netns_run("ip link del v0");
    await(nd, "v0", is_gone);
    assert_null(netdevs_find(nd, "v1"));
    assert_null(netdevs_find_index(nd, ifindex));

    netns_run("ip link add v0 type veth peer name v1");
    await(nd, "v0", has_peer);
    assert_int_not_equal(get(nd, "v0")->ifindex, ifindex);
    assert_int_equal(get(nd, "v1")->peer, get(nd, "v0")->ifindex);

    /* Both in one go. */
    ifindex = get(nd, "v0")->ifindex;
    netns_run("ip link del v0; ip link add v0 type veth peer name v1");
    await(nd, "v0", has_peer);
    assert_int_not_equal(get(nd, "v0")->ifindex, ifindex);
    assert_int_equal(hmap_count(netdevs_all(nd)), 3);
    assert_fresh(nd);
}

static void
test_attributes(void **state)
{
    struct netdevs *nd = *state;

    netns_run("ip link set v0 mtu 1400");
    await(nd, "v0", has_mtu_1400);
    netns_run("ip link set v0 address 02:00:00:aa:bb:cc");
    await(nd, "v0", has_other_mac);
    netns_run("ip link set v0 down");
    await(nd, "v0", is_down);
    assert_int_equal(get(nd, "v1")->mtu, 1500);
    assert_true(get(nd, "v1")->up);
    await(nd, "v1", is_not_running);
    assert_fresh(nd);
}

static void
test_master(void **state)
{
    struct netdevs *nd = *state;

    if (!netns_try("ip link add m0 type bridge")) {
        print_message("no Linux bridge in this kernel: "
                      "test_parse covers it\n");
        return;
    }
    netns_run("ip link set v0 master m0");
    await(nd, "v0", has_master);
    assert_int_equal(get(nd, "v0")->master, get(nd, "m0")->ifindex);
    assert_string_equal(get(nd, "m0")->kind, "bridge");
    assert_false(get(nd, "m0")->ndo_xmit);
    netns_run("ip link set v0 nomaster");
    await(nd, "v0", has_no_master);
    assert_fresh(nd);
}

/* Appends to 'message' the attributes that each link has. */
static void
put_link(struct ofpbuf *message, uint16_t type, uint8_t family)
{
    struct ifinfomsg *link;

    ofpbuf_clear(message);
    netdevs_link_put_header(message, type, 0, 77);
    link = ofpbuf_at_assert(message, NLMSG_HDRLEN, sizeof *link);
    link->ifi_family = family;
    link->ifi_type = ARPHRD_ETHER;
    nl_msg_put_string(message, IFLA_IFNAME, "p0");
    nl_msg_put_u32(message, IFLA_MASTER, 12);
    nl_msg_put_u32(message, IFLA_LINK, 13);
}

static void
test_parse(void **state OVS_UNUSED)
{
    struct netdev_info info;
    struct ofpbuf message;
    size_t size;

    ofpbuf_init(&message, 0);
    put_link(&message, RTM_NEWLINK, AF_UNSPEC);
    assert_int_equal(netdevs_link_parse(&message, &info), NETDEVS_LINK_NEW);
    assert_int_equal(info.ifindex, 77);
    assert_string_equal(info.name, "p0");
    assert_int_equal(info.master, 12);
    assert_int_equal(info.peer, 13);
    assert_true(info.ethernet);

    /* The index is one of another namespace. */
    nl_msg_put_u32(&message, IFLA_LINK_NETNSID, 0);
    assert_int_equal(netdevs_link_parse(&message, &info), NETDEVS_LINK_NEW);
    assert_int_equal(info.peer, 0);

    /* A port leaves a Linux bridge; the device stays. */
    put_link(&message, RTM_DELLINK, AF_BRIDGE);
    assert_int_equal(netdevs_link_parse(&message, &info), NETDEVS_LINK_OTHER);
    put_link(&message, RTM_DELLINK, AF_UNSPEC);
    assert_int_equal(netdevs_link_parse(&message, &info), NETDEVS_LINK_GONE);

    /* Cut off anywhere. */
    put_link(&message, RTM_NEWLINK, AF_UNSPEC);
    size = NLMSG_HDRLEN + sizeof(struct ifinfomsg);
    for (message.size = NLMSG_HDRLEN; message.size <= size; message.size++) {
        assert_int_equal(netdevs_link_parse(&message, &info),
                         NETDEVS_LINK_OTHER);
    }
    ofpbuf_uninit(&message);
}

static void
test_veth_gro(void **state)
{
    struct netdevs *nd = *state;

    assert_false(get(nd, "v0")->ndo_xmit);
    assert_false(get(nd, "v1")->ndo_xmit);
    for (int i = 0; i < 3; i++) {
        netns_run("ethtool -K v1 gro on");
        await(nd, "v0", takes_frames);
        assert_true(get(nd, "v0")->ndo_xmit_sg);
        assert_false(get(nd, "v1")->ndo_xmit);
        netns_run("ethtool -K v1 gro off");
        await(nd, "v0", takes_no_frames);
        assert_false(get(nd, "v0")->ndo_xmit_sg);
    }
    assert_fresh(nd);
}

static void
test_vlan_offload(void **state)
{
    struct netdevs *nd = *state;

    assert_true(get(nd, "v0")->strips_vlan);
    netns_run("ethtool -K v0 rxvlan off");
    await(nd, "v0", does_not_strip);
    assert_true(get(nd, "v1")->strips_vlan);
    netns_run("ethtool -K v0 rxvlan on");
    await(nd, "v0", strips);
    assert_fresh(nd);
}

static void
test_tap(void **state)
{
    struct netdevs *nd = *state;
    const struct netdev_info *tap;

    netns_run("ip tuntap add t0 mode tap && ip tuntap add u0 mode tun");
    await(nd, "u0", is_there);
    tap = get(nd, "t0");
    assert_true(tap->ethernet);
    assert_true(tap->native);
    assert_true(tap->ndo_xmit);
    assert_false(tap->ndo_xmit_sg);
    assert_string_equal(tap->kind, "tun");
    assert_false(get(nd, "u0")->ethernet);
    assert_false(get(nd, "u0")->ndo_xmit);
    assert_fresh(nd);
}

/* Loads an XDP program that passes everything.  Returns its file. */
static int
load_pass(void)
{
    struct bpf_insn insns[] = {
        { .code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = XDP_PASS },
        { .code = BPF_JMP | BPF_EXIT },
    };
    union bpf_attr attr;
    int fd;

    memset(&attr, 0, sizeof attr);
    attr.prog_type = BPF_PROG_TYPE_XDP;
    attr.expected_attach_type = BPF_XDP;
    attr.insns = (uintptr_t) insns;
    attr.insn_cnt = ARRAY_SIZE(insns);
    attr.license = (uintptr_t) "GPL";
    fd = syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof attr);
    assert_true(fd >= 0);
    return fd;
}

/* Returns the kernel's id of the program 'fd'. */
static uint32_t
program_id(int fd)
{
    struct bpf_prog_info info;
    union bpf_attr attr;

    memset(&info, 0, sizeof info);
    memset(&attr, 0, sizeof attr);
    attr.info.bpf_fd = fd;
    attr.info.info_len = sizeof info;
    attr.info.info = (uintptr_t) &info;
    assert_int_equal(syscall(SYS_bpf, BPF_OBJ_GET_INFO_BY_FD, &attr,
                             sizeof attr), 0);
    return info.id;
}

/* Attaches by netlink the program 'fd', or with -1 detaches, in mode
 * 'flags'. */
static void
set_xdp(int ifindex, int fd, uint32_t flags)
{
    struct ofpbuf request;
    size_t nested;

    ofpbuf_init(&request, 0);
    netdevs_link_put_header(&request, RTM_SETLINK, NLM_F_ACK, ifindex);
    nested = nl_msg_start_nested(&request, IFLA_XDP | NLA_F_NESTED);
    nl_msg_put_u32(&request, IFLA_XDP_FD, fd);
    nl_msg_put_u32(&request, IFLA_XDP_FLAGS, flags);
    nl_msg_end_nested(&request, nested);
    assert_int_equal(nl_transact(NETLINK_ROUTE, &request, NULL), 0);
    ofpbuf_uninit(&request);
}

static void
test_xdp_program(void **state)
{
    static const uint32_t modes[] = { XDP_FLAGS_DRV_MODE, XDP_FLAGS_SKB_MODE };
    struct netdevs *nd = *state;
    int ifindex = get(nd, "v0")->ifindex;
    int fd = load_pass();

    for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
        set_xdp(ifindex, fd, modes[i]);
        await(nd, "v0", has_program);
        assert_int_equal(get(nd, "v0")->xdp_program_id, program_id(fd));
        assert_int_equal(get(nd, "v1")->xdp_program_id, 0);

        /* A native program makes the other end a target. */
        assert_int_equal(get(nd, "v1")->ndo_xmit,
                         modes[i] == XDP_FLAGS_DRV_MODE);
        set_xdp(ifindex, -1, modes[i]);
        await(nd, "v0", has_no_program);
        await(nd, "v1", takes_no_frames);
    }
    close(fd);
    assert_fresh(nd);
}

/* Attaches the program 'fd' in mode 'flags' as a BPF link.  Returns the link,
 * whose closing detaches it. */
static int
attach_link(int ifindex, int fd, uint32_t flags)
{
    union bpf_attr attr;
    int link;

    memset(&attr, 0, sizeof attr);
    attr.link_create.prog_fd = fd;
    attr.link_create.target_ifindex = ifindex;
    attr.link_create.attach_type = BPF_XDP;
    attr.link_create.flags = flags;
    link = syscall(SYS_bpf, BPF_LINK_CREATE, &attr, sizeof attr);
    assert_true(link >= 0);
    return link;
}

static void
test_xdp_link(void **state)
{
    struct netdevs *nd = *state;
    int ifindex = get(nd, "v0")->ifindex;
    int fd = load_pass();
    int link;

    /* A native one changes what the other end can do, and so is seen. */
    link = attach_link(ifindex, fd, XDP_FLAGS_DRV_MODE);
    await(nd, "v0", has_program);
    assert_int_equal(get(nd, "v0")->xdp_program_id, program_id(fd));
    assert_true(get(nd, "v1")->ndo_xmit);
    close(link);
    await(nd, "v0", has_no_program);

    /* Of a generic one the kernel says nothing. */
    link = attach_link(ifindex, fd, XDP_FLAGS_SKB_MODE);
    assert_true(netdevs_refresh(nd, "v0"));
    assert_int_equal(get(nd, "v0")->xdp_program_id, program_id(fd));
    assert_false(netdevs_refresh(nd, "v0"));
    close(link);
    assert_true(netdevs_refresh(nd, "v0"));
    assert_int_equal(get(nd, "v0")->xdp_program_id, 0);
    assert_false(netdevs_refresh(nd, "no-such-device"));
    close(fd);
}

static void
test_idle_events(void **state)
{
    struct netdevs *nd = *state;
    struct ofpbuf *event = ofpbuf_new(4096);
    struct nl_sock *witness;

    assert_int_equal(nl_sock_create(NETLINK_ROUTE, &witness), 0);
    assert_int_equal(nl_sock_join_mcgroup(witness, RTNLGRP_LINK), 0);
    netns_run("ip link set v0 txqueuelen 77");
    assert_int_equal(nl_sock_recv(witness, event, NULL, true), 0);
    assert_false(netdevs_run(nd));
    netns_run("ip link set v0 mtu 1400");
    assert_true(netdevs_run(nd));
    assert_false(netdevs_run(nd));
    nl_sock_destroy(witness);
    ofpbuf_delete(event);
}

/* Sets the MTU of the device 'ifindex'. */
static void
set_mtu(int ifindex, int mtu)
{
    struct ofpbuf request;

    ofpbuf_init(&request, 0);
    netdevs_link_put_header(&request, RTM_SETLINK, NLM_F_ACK, ifindex);
    nl_msg_put_u32(&request, IFLA_MTU, mtu);
    assert_int_equal(nl_transact(NETLINK_ROUTE, &request, NULL), 0);
    ofpbuf_uninit(&request);
}

/* Reads 'sock' empty.  Returns true if events were lost. */
static bool
overran(struct nl_sock *sock)
{
    struct ofpbuf *event = ofpbuf_new(4096);
    bool lost = false;
    int error;

    while ((error = nl_sock_recv(sock, event, NULL, false)) != EAGAIN) {
        lost |= error == ENOBUFS;
    }
    ofpbuf_delete(event);
    return lost;
}

static void
test_overrun(void **state)
{
    struct netdevs *nd = *state;
    int ifindex = get(nd, "v0")->ifindex;
    struct nl_sock *witness;

    assert_int_equal(nl_sock_create(NETLINK_ROUTE, &witness), 0);
    assert_int_equal(nl_sock_join_mcgroup(witness, RTNLGRP_LINK), 0);
    netns_run("ip link add old type veth peer name old1");
    await(nd, "old", is_there);

    /* What is queued says 1300; what is lost says all the rest. */
    for (int i = 0; i < 10000; i++) {
        set_mtu(ifindex, i % 2 ? 1300 : 1301);
    }
    netns_run("ip link del old; ip link add new type veth peer name new1;"
              "ethtool -K v1 gro on; ip link set v1 name w1");
    set_mtu(ifindex, 1400);
    assert_true(overran(witness));

    assert_true(netdevs_run(nd));
    assert_int_equal(get(nd, "v0")->mtu, 1400);
    assert_true(get(nd, "v0")->ndo_xmit);
    assert_null(netdevs_find(nd, "old"));
    assert_non_null(netdevs_find(nd, "new"));
    assert_int_equal(get(nd, "w1")->peer, ifindex);
    assert_fresh(nd);

    /* Events are followed again. */
    netns_run("ip link set v0 address 02:00:00:aa:bb:cc");
    await(nd, "v0", has_other_mac);
    assert_fresh(nd);
    nl_sock_destroy(witness);
}

static void
test_peer_elsewhere(void **state)
{
    struct netdevs *nd = *state;
    pid_t pid = netns_fork();

    netns_run("ip link set v1 netns %d", (int) pid);
    await(nd, "v1", is_gone);
    assert_int_equal(get(nd, "v0")->peer, 0);
    assert_fresh(nd);

    /* And back. */
    netns_run("nsenter --net=/proc/%d/ns/net ip link set v1 netns %d; "
              "ip link set v1 up", (int) pid, (int) getpid());
    await(nd, "v1", is_there);
    await(nd, "v0", has_peer);
    assert_fresh(nd);

    /* Away again, with the other namespace's end. */
    netns_run("ip link set v1 netns %d", (int) pid);
    await(nd, "v0", has_no_peer);
    netns_reap(pid);
    await(nd, "v0", is_gone);
    assert_fresh(nd);
}

static void
test_without_family(void **state)
{
    struct netdevs *nd;
    int fd = load_pass();
    int v0, v1;

    netdevs_destroy(*state);
    *state = NULL;
    assert_int_equal(netdevs_create_without_family(&nd), 0);
    *state = nd;
    v0 = get(nd, "v0")->ifindex;
    v1 = get(nd, "v1")->ifindex;
    assert_true(get(nd, "v0")->native);
    assert_false(get(nd, "v0")->ndo_xmit);
    assert_false(get(nd, "lo")->native);

    netns_run("ethtool -K v1 gro on");
    await(nd, "v0", takes_frames);
    netns_run("ethtool -K v1 gro off");
    await(nd, "v0", takes_no_frames);
    set_xdp(v1, fd, XDP_FLAGS_DRV_MODE);
    await(nd, "v0", takes_frames);
    set_xdp(v1, -1, XDP_FLAGS_DRV_MODE);
    await(nd, "v0", takes_no_frames);
    assert_int_equal(get(nd, "v0")->ifindex, v0);

    /* A pair made with GRO on, seen end by end. */
    netns_run("ip link add n0 type veth peer name n1; ip link set n0 up; "
              "ip link set n1 up; ethtool -K n1 gro on");
    await(nd, "n0", takes_frames);

    netns_run("ip tuntap add t0 mode tap && ip tuntap add u0 mode tun");
    await(nd, "t0", takes_frames);
    await(nd, "u0", takes_no_frames);
    assert_true(get(nd, "t0")->native);
    assert_false(get(nd, "u0")->native);
    close(fd);
}

/* Does something to a random device. */
static void
do_anything(void)
{
    static const char *const commands[] = {
        "ip link add r%d type veth peer name s%d",
        "ip link add r%d type veth peer name s%d",
        "ip link del r%d; true %d",
        "ip link del s%d; true %d",
        "ip link set r%d name q%d",
        "ip link set q%d name s%d",
        "ethtool -K s%d gro on; true %d",
        "ethtool -K r%d gro off; true %d",
        "ethtool -K q%d rxvlan off; true %d",
        "ip link set r%d mtu 14%02d",
        "ip link set s%d up; true %d",
        "ip link set r%d up; true %d",
        "ip tuntap add t%d mode tap; true %d",
        "ip link del t%d; true %d",
        "ip link set r%d name t%d",
    };
    char *command = xasprintf(commands[random_range(ARRAY_SIZE(commands))],
                              random_range(3), random_range(3));

    netns_try("%s", command);
    free(command);
}

/* Whatever happens, following it gives what a fresh reading gives. */
static void
test_same_as_fresh(void **state)
{
    struct netdevs *nd = *state;

    random_set_seed(20240229);
    for (int i = 0; i < 60; i++) {
        for (int n = random_range(5); n >= 0; n--) {
            do_anything();
        }
        assert_fresh(nd);
    }
}

int
main(int argc OVS_UNUSED, char *argv[])
{
#define VETH_TEST(NAME) \
    cmocka_unit_test_setup_teardown(NAME, setup_veth, teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),
        VETH_TEST(test_first_reading),
        VETH_TEST(test_rename),
        VETH_TEST(test_delete_and_return),
        VETH_TEST(test_attributes),
        VETH_TEST(test_master),
        VETH_TEST(test_veth_gro),
        VETH_TEST(test_vlan_offload),
        VETH_TEST(test_tap),
        VETH_TEST(test_xdp_program),
        VETH_TEST(test_xdp_link),
        VETH_TEST(test_idle_events),
        VETH_TEST(test_overrun),
        VETH_TEST(test_peer_elsewhere),
        VETH_TEST(test_without_family),
        VETH_TEST(test_same_as_fresh),
    };

    set_program_name(argv[0]);
    vlog_set_levels(NULL, VLF_CONSOLE, VLL_WARN);
    netns_enter();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
