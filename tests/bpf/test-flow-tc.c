/* SPDX-License-Identifier: Apache-2.0
 *
 * The TC programs of layer L3 on real devices: what BPF_PROG_TEST_RUN cannot
 * show.  Tags that the kernel has taken out of a frame, and that the far side
 * knows what the near side has taken off. */

#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "tests/bpf/bed.h"
#include "tests/bpf/flow-bed.h"

/* Longest wait for a frame, in ms. */
#define PATIENCE_MS 10000

/* The tap of the VM, and the sockets behind it and behind the NIC. */
static uint32_t tap;
static int at_vm, at_wire;

/* Attaches 'prog' to device 'ifindex'. */
static void
attach(const struct bpf_program *prog, uint32_t ifindex,
       enum bpf_tc_attach_point point)
{
    LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex,
                .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);
    LIBBPF_OPTS(bpf_tc_opts, opts, .prog_fd = bpf_program__fd(prog));

    bpf_tc_hook_create(&hook);
    hook.attach_point = point;
    assert_int_equal(bpf_tc_attach(&hook, &opts), 0);
}

/* Returns a socket for all frames on the device 'name', with their tags beside
 * them. */
static int
open_socket(const char *name)
{
    struct sockaddr_ll address = { .sll_family = AF_PACKET,
                                   .sll_protocol = htons(ETH_P_ALL),
                                   .sll_ifindex = if_nametoindex(name) };
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), yes = 1;

    assert_true(fd >= 0);
    assert_int_equal(setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &yes,
                                sizeof yes), 0);
    assert_int_equal(bind(fd, (struct sockaddr *) &address, sizeof address),
                     0);
    return fd;
}

/* Has the NICs be ports of the bridge. */
static void
put_bridge(uint32_t bridge)
{
    struct ox_nic nic = { .ifindex = flow_nic, .bridge = bridge };
    uint32_t slot = flow_skel->rodata->nic_slot;

    memcpy(nic.mac, flow_nic_mac, sizeof nic.mac);
    assert_int_equal(bpf_map_update_elem(bpf_map__fd(flow_skel->maps.nics),
                                         &slot, &nic, BPF_ANY), 0);
}

static int
set_up(void **state)
{
    flow_set_up(state);
    assert_int_equal(
        system("ip link add flowtap0 type veth peer name flowtap1 && "
               "for dev in flowtap0 flowtap1 flownic0 flownic1; do "
               "  ip link set $dev addrgenmode none && ip link set $dev up "
               "  || exit 1; "
               "done"), 0);
    tap = if_nametoindex("flowtap0");
    attach(flow_skel->progs.nic_near_tc, flow_nic, BPF_TC_INGRESS);
    attach(flow_skel->progs.nic_far, flow_nic, BPF_TC_EGRESS);
    attach(flow_skel->progs.vm_near_tc, tap, BPF_TC_INGRESS);
    attach(flow_skel->progs.vm_far, tap, BPF_TC_EGRESS);
    at_vm = open_socket("flowtap1");
    at_wire = open_socket("flownic1");
    return 0;
}

static int
tear_down(void **state)
{
    close(at_vm);
    close(at_wire);
    return flow_tear_down(state);
}

/* Reads the tag of the frame in 'msg', or 0. */
static uint16_t
read_tag(struct msghdr *msg)
{
    struct cmsghdr *cmsg = CMSG_FIRSTHDR(msg);
    struct tpacket_auxdata aux;

    for (; cmsg; cmsg = CMSG_NXTHDR(msg, cmsg)) {
        if (cmsg->cmsg_type == PACKET_AUXDATA) {
            memcpy(&aux, CMSG_DATA(cmsg), sizeof aux);
            return aux.tp_status & TP_STATUS_VLAN_VALID ? aux.tp_vlan_tci : 0;
        }
    }
    return 0;
}

/* Waits for the frame 'want' on 'fd', whose tag comes beside it, or not. */
static void
await_frame(int fd, const struct flow_frame *want)
{
    static struct packet expected;
    static uint8_t got[PACKET_MAX], control[256];
    struct flow_frame bare = *want;
    ssize_t n;

    bare.tci = 0;
    flow_make(&expected, &bare);
    for (;;) {
        struct iovec iov = { got, sizeof got };
        struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1,
                              .msg_control = control,
                              .msg_controllen = sizeof control };
        struct sockaddr_ll from;
        struct pollfd ready = { .fd = fd, .events = POLLIN };

        msg.msg_name = &from;
        msg.msg_namelen = sizeof from;
        assert_int_equal(poll(&ready, 1, PATIENCE_MS), 1);
        n = recvmsg(fd, &msg, 0);
        assert_true(n > 0);
        if (from.sll_pkttype != PACKET_OUTGOING) {
            assert_int_equal(read_tag(&msg), want->tci);
            break;
        }
    }
    assert_int_equal(n, expected.len);
    assert_memory_equal(got, expected.data, n);
}

/* Sends 'f' by 'fd'. */
static void
send_frame(int fd, const struct flow_frame *f)
{
    static struct packet p;

    flow_make(&p, f);
    assert_int_equal(send(fd, p.data, p.len, 0), p.len);
}

/* Puts the flow of 'f' on these devices.  'key' is for all that is asked of it
 * later. */
static void
put_flow(const struct flow_vm *vm, const struct flow_frame *f, bool out,
         void *key)
{
    const struct bpf_map *map = (flow_is_ip6(f) ? flow_skel->maps.flows6
                                 : flow_skel->maps.flows4);
    struct ox_flow flow = flow_used(vm, f, out);
    struct ox_flow4_key *four = key;
    struct ox_flow6_key *six = key;
    uint32_t check;

    flow_key(vm, f, out, key);
    if (flow_is_ip6(f)) {
        six->scope = out ? tap : six->scope;
        check = ox_flow6_check(six);
    } else {
        four->scope = out ? tap : four->scope;
        check = ox_flow4_check(four);
    }
    flow.head = UINT64_C(0x7700000000) | check;
    flow.ifindex = out ? flow_nic : tap;
    flow.near_ifindex = out ? tap : flow_nic;
    assert_int_equal(bpf_map_update_elem(bpf_map__fd(map), key, &flow,
                                         BPF_ANY), 0);
}

/* Asserts that a packet of 'proto' gets to the other end as OVN would have
 * sent it. */
static void
check_way(const struct flow_vm *vm, bool out, uint8_t proto)
{
    struct flow_frame f = (out ? flow_out : flow_in)(vm, proto);
    struct flow_frame g = flow_beyond(vm, &f);
    const struct bpf_map *map = (flow_is_ip6(&f) ? flow_skel->maps.flows6
                                 : flow_skel->maps.flows4);
    struct ox_flow before, after;
    struct ox_flow6_key key;

    put_bridge(vm->bridge);
    put_flow(vm, &f, out, &key);
    assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(map), &key, &before), 0);
    send_frame(out ? at_vm : at_wire, &f);
    await_frame(out ? at_wire : at_vm, &g);
    assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(map), &key, &after), 0);
    assert_int_equal(after.packets, before.packets + 1);
}

/* Each VM, both ways: tags come and go. */
static void
test_ways(void **state)
{
    (void) state;
    for (int i = 0; i < N_FLOW_VMS; i++) {
        for (int n = 0; n < 4; n++) {
            check_way(flow_vms[i], n % 2, n / 2 ? UDP : TCP);
        }
    }
}

/* Returns how many probes without a flow have ended at the tap. */
static uint64_t
count_void(void)
{
    static struct ox_counter values[1024];
    uint32_t index = OX_DIRECT_FAR_VM * OX_N_REASONS + OX_R_FLOW_VOID;
    uint64_t n = 0;

    assert_int_equal(
        bpf_map_lookup_elem(bpf_map__fd(flow_skel->maps.direct_reasons),
                            &index, values), 0);
    for (int cpu = 0; cpu < libbpf_num_possible_cpus(); cpu++) {
        n += values[cpu].packets;
    }
    return n;
}

/* Makes the address of 'vm' on 'ifindex' the fixed one of 'external', so that
 * the flow at the far side is another one than at the near side. */
static void
put_other(const struct flow_vm *vm, const char *external, uint32_t ifindex)
{
    struct ox_direct_key key = { .addr = { [10] = 0xff, [11] = 0xff },
                                 .ifindex = ifindex };
    struct ox_direct_addr addr = { .other = { [10] = 0xff, [11] = 0xff },
                                   .port = vm->port, .ifindex = FLOW_TAP,
                                   .bridge = vm->bridge };

    assert_int_equal(inet_pton(AF_INET, vm->fixed, &key.addr[12]), 1);
    assert_int_equal(inet_pton(AF_INET, external, &addr.other[12]), 1);
    memcpy(addr.addr, key.addr, sizeof addr.addr);
    assert_int_equal(
        bpf_map_update_elem(bpf_map__fd(flow_skel->maps.direct_addrs), &key,
                            &addr, BPF_ANY), 0);
}

/* What the far side would swallow as a probe goes on if it was taken off: the
 * magic of the near side tells.  (That takes no probes off, so this is one of
 * the flow that it becomes.) */
static void
test_noticed(void **state)
{
    static struct packet p, out;
    const struct flow_vm *vm = &flow_plain[0];
    struct flow_frame f = flow_in(vm, TCP), g = f;
    struct ox_flow6_key key;
    uint64_t number, before = count_void();

    (void) state;
    put_bridge(vm->bridge);
    put_other(vm, "192.0.2.77", tap);
    put_other(vm, "192.0.2.77", FLOW_TAP);
    g.dst = "192.0.2.77";
    number = ox_probe_number(flow_secret(), flow_check_of(vm, &g, false));
    f.payload = 0;
    f.seq = number >> 32;
    f.ack = number;
    put_flow(vm, &f, false, &key);
    g = flow_beyond(vm, &f);
    send_frame(at_wire, &f);
    await_frame(at_vm, &g);
    assert_int_equal(count_void(), before);
    /* The same frame ends without it. */
    flow_make(&p, &g);
    flow_run(FLOW_VM_FAR, &p, &out, 0);
    assert_int_equal(count_void(), before + 1);
}

int
main(void)
{
#define TEST(NAME) cmocka_unit_test_setup(NAME, flow_begin)
    static const struct CMUnitTest tests[] = {
        TEST(test_ways),
        TEST(test_noticed),
    };

    bed_enter();
    return cmocka_run_group_tests_name("flow-tc", tests, set_up, tear_down);
}
