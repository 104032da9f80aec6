/* SPDX-License-Identifier: Apache-2.0 */
/* plugin/netdevs.c and what devices can do with XDP, against the kernel. */
#include <config.h>

#include "plugin/netdevs.h"

#include <linux/bpf.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <cmocka.h>

#include "netlink.h"
#include "netlink-socket.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/vlog.h"
#include "util.h"

#include "plugin/netdevs-link.h"
#include "tests/plugin/netdevs-bed.h"
#include "tests/plugin/netns.h"

static void
test_veth_gro(void **state)
{
    struct netdevs *nd = *state;

    assert_false(bed_get(nd, "v0")->ndo_xmit);
    assert_false(bed_get(nd, "v1")->ndo_xmit);
    for (int i = 0; i < 3; i++) {
        netns_run("ethtool -K v1 gro on");
        bed_await(nd, "v0", takes_frames);
        assert_true(bed_get(nd, "v0")->ndo_xmit_sg);
        assert_false(bed_get(nd, "v1")->ndo_xmit);
        netns_run("ethtool -K v1 gro off");
        bed_await(nd, "v0", takes_no_frames);
        assert_false(bed_get(nd, "v0")->ndo_xmit_sg);
    }
    bed_assert_fresh(nd);
}

static void
test_tap(void **state)
{
    struct netdevs *nd = *state;
    const struct netdev_info *tap;

    netns_run("ip tuntap add t0 mode tap && ip tuntap add u0 mode tun");
    bed_await(nd, "u0", is_there);
    tap = bed_get(nd, "t0");
    assert_true(tap->ethernet);
    assert_true(tap->native);
    assert_true(tap->ndo_xmit);
    assert_false(tap->ndo_xmit_sg);
    assert_string_equal(tap->kind, "tun");
    assert_false(bed_get(nd, "u0")->ethernet);
    assert_false(bed_get(nd, "u0")->ndo_xmit);
    bed_assert_fresh(nd);
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
    int ifindex = bed_get(nd, "v0")->ifindex;
    int fd = load_pass();

    for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
        set_xdp(ifindex, fd, modes[i]);
        bed_await(nd, "v0", has_program);
        assert_int_equal(bed_get(nd, "v0")->xdp_program_id, program_id(fd));
        assert_int_equal(bed_get(nd, "v1")->xdp_program_id, 0);

        /* A native program makes the other end a target. */
        assert_int_equal(bed_get(nd, "v1")->ndo_xmit,
                         modes[i] == XDP_FLAGS_DRV_MODE);
        set_xdp(ifindex, -1, modes[i]);
        bed_await(nd, "v0", has_no_program);
        bed_await(nd, "v1", takes_no_frames);
    }
    close(fd);
    bed_assert_fresh(nd);
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
    int ifindex = bed_get(nd, "v0")->ifindex;
    int fd = load_pass();
    int link;

    /* A native one changes what the other end can do, and so is seen. */
    link = attach_link(ifindex, fd, XDP_FLAGS_DRV_MODE);
    bed_await(nd, "v0", has_program);
    assert_int_equal(bed_get(nd, "v0")->xdp_program_id, program_id(fd));
    assert_true(bed_get(nd, "v1")->ndo_xmit);
    close(link);
    bed_await(nd, "v0", has_no_program);

    /* Of a generic one the kernel says nothing. */
    link = attach_link(ifindex, fd, XDP_FLAGS_SKB_MODE);
    assert_true(netdevs_refresh(nd, "v0"));
    assert_int_equal(bed_get(nd, "v0")->xdp_program_id, program_id(fd));
    assert_false(netdevs_refresh(nd, "v0"));
    close(link);
    assert_true(netdevs_refresh(nd, "v0"));
    assert_int_equal(bed_get(nd, "v0")->xdp_program_id, 0);
    assert_false(netdevs_refresh(nd, "no-such-device"));
    close(fd);
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
    v0 = bed_get(nd, "v0")->ifindex;
    v1 = bed_get(nd, "v1")->ifindex;
    assert_true(bed_get(nd, "v0")->native);
    assert_false(bed_get(nd, "v0")->ndo_xmit);
    assert_false(bed_get(nd, "lo")->native);

    netns_run("ethtool -K v1 gro on");
    bed_await(nd, "v0", takes_frames);
    netns_run("ethtool -K v1 gro off");
    bed_await(nd, "v0", takes_no_frames);
    set_xdp(v1, fd, XDP_FLAGS_DRV_MODE);
    bed_await(nd, "v0", takes_frames);
    set_xdp(v1, -1, XDP_FLAGS_DRV_MODE);
    bed_await(nd, "v0", takes_no_frames);
    assert_int_equal(bed_get(nd, "v0")->ifindex, v0);

    /* A pair made with GRO on, seen end by end. */
    netns_run("ip link add n0 type veth peer name n1; ip link set n0 up; "
              "ip link set n1 up; ethtool -K n1 gro on");
    bed_await(nd, "n0", takes_frames);

    netns_run("ip tuntap add t0 mode tap && ip tuntap add u0 mode tun");
    bed_await(nd, "t0", takes_frames);
    bed_await(nd, "u0", takes_no_frames);
    assert_true(bed_get(nd, "t0")->native);
    assert_false(bed_get(nd, "u0")->native);
    close(fd);
}

static void
test_probe(void **state)
{
    struct netdevs_abilities abilities;
    struct netdevs *nd = *state;

    netdevs_probe(nd, bed_get(nd, "v0"), &abilities);
    assert_string_equal(abilities.driver, "veth");
    assert_int_equal(abilities.guessed, !netdevs_has_family(nd));
    assert_int_equal(abilities.rx_sg, netdevs_has_family(nd));
    netdevs_probe(nd, bed_get(nd, "lo"), &abilities);
    assert_string_equal(abilities.driver, "");
    assert_false(abilities.rx_sg);

    netdevs_destroy(nd);
    *state = NULL;
    assert_int_equal(netdevs_create_without_family(&nd), 0);
    *state = nd;
    assert_false(netdevs_has_family(nd));
    netdevs_probe(nd, bed_get(nd, "v0"), &abilities);
    assert_string_equal(abilities.driver, "veth");
    assert_true(abilities.guessed);
    assert_false(abilities.rx_sg);
}

int
main(int argc OVS_UNUSED, char *argv[])
{
#define VETH_TEST(NAME) \
    cmocka_unit_test_setup_teardown(NAME, bed_setup, bed_teardown)
    const struct CMUnitTest tests[] = {
        VETH_TEST(test_veth_gro),
        VETH_TEST(test_tap),
        VETH_TEST(test_xdp_program),
        VETH_TEST(test_xdp_link),
        VETH_TEST(test_without_family),
        VETH_TEST(test_probe),
    };

    set_program_name(argv[0]);
    vlog_set_levels(NULL, VLF_CONSOLE, VLL_WARN);
    netns_enter();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
