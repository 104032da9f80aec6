/* SPDX-License-Identifier: Apache-2.0 */
/* plugin/port-guard.c with a real ovs-vswitchd (userspace datapath) in a
 * network namespace of its own.
 *
 * The bridge has three ports: port-a and port-b, ordinary ones, and a managed
 * port.  What OVS sends to a port is seen on the far end of its veth pair. */
#include <config.h>

#include "plugin/port-guard.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "fatal-signal.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "timeval.h"
#include "util.h"

#include "plugin/bridge-port.h"
#include "tests/plugin/netns.h"

/* EtherType of the frames, one for local experiments. */
#define ETHERTYPE 0x88b5

/* A frame. */
struct frame {
    struct eth_addr dst;        /* Destination. */
    struct eth_addr src;        /* Source. */
    ovs_be16 type;              /* ETHERTYPE. */
    ovs_be32 number;            /* Tells frames apart. */
    uint8_t pad[48];            /* No shorter than Ethernet wants. */
} OVS_PACKED;

static const struct eth_addr broadcast =
    ETH_ADDR_C(ff, ff, ff, ff, ff, ff);
static const struct eth_addr mac_a = ETH_ADDR_C(02, 00, 00, 00, 00, 0a);
static const struct eth_addr mac_b = ETH_ADDR_C(02, 00, 00, 00, 00, 0b);
static const struct eth_addr mac_m = ETH_ADDR_C(02, 00, 00, 00, 00, 0c);

static char *directory;         /* Run-time folder of OVS. */
static pid_t ovsdb_server;
static pid_t vswitchd;
static struct bridge_port_names names;
static int fd_a, fd_b, fd_m;    /* Far ends of the ports. */
static uint32_t number;         /* Of the last frame. */

/* Starts a daemon, which ends with this process at the latest. */
static pid_t
start(char *const argv[])
{
    pid_t pid;

    fflush(NULL);
    pid = fork();
    if (pid < 0) {
        ovs_abort(errno, "fork");
    } else if (!pid) {
        char *log = xasprintf("%s/output", directory);
        int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);

        dup2(fd, STDOUT_FILENO);
        dup2(fd, STDERR_FILENO);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        execvp(argv[0], argv);
        _exit(127);
    }
    return pid;
}

/* Kills the daemon '*pid' at once. */
static void
stop(pid_t *pid)
{
    if (*pid > 0) {
        kill(*pid, SIGKILL);
        waitpid(*pid, NULL, 0);
        *pid = 0;
    }
}

static void
start_vswitchd(void)
{
    char *argv[] = { "ovs-vswitchd", "--pidfile", NULL };

    vswitchd = start(argv);
    netns_run("ovs-vsctl --timeout=20 --no-wait init");
}

static void
start_ovsdb(void)
{
    char *db = xasprintf("%s/conf.db", directory);
    char *remote = xasprintf("--remote=punix:%s/db.sock", directory);
    char *argv[] = { "ovsdb-server", "--pidfile", remote, db, NULL };

    netns_run("ovsdb-tool create %s "
              "/usr/share/openvswitch/vswitch.ovsschema", db);
    ovsdb_server = start(argv);
    netns_run("ovs-vsctl --timeout=20 --retry --no-wait init");
    free(remote);
    free(db);
}

/* Opens a socket for our frames on the device 'name'. */
static int
open_device(const char *name)
{
    struct sockaddr_ll sll;
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, 0);

    memset(&sll, 0, sizeof sll);
    sll.sll_family = AF_PACKET;
    sll.sll_protocol = htons(ETHERTYPE);
    sll.sll_ifindex = if_nametoindex(name);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *) &sll, sizeof sll), 0);
    return fd;
}

/* Sends a frame.  Returns its number. */
static uint32_t
send_frame(int fd, struct eth_addr src, struct eth_addr dst)
{
    struct frame frame;

    memset(&frame, 0, sizeof frame);
    frame.dst = dst;
    frame.src = src;
    frame.type = htons(ETHERTYPE);
    frame.number = htonl(++number);
    assert_int_equal(write(fd, &frame, sizeof frame), sizeof frame);
    return number;
}

/* Reads what waits in 'fd' and says whether the frame 'wanted' is there. */
static bool
received(int fd, uint32_t wanted)
{
    struct sockaddr_ll from;
    socklen_t length = sizeof from;
    struct frame frame;
    bool found = false;

    while (recvfrom(fd, &frame, sizeof frame, 0, (struct sockaddr *) &from,
                    &length) == sizeof frame) {
        found |= (from.sll_pkttype != PACKET_OUTGOING
                  && frame.number == htonl(wanted));
    }
    return found;
}

/* Waits for the frame 'wanted'. */
static void
await_frame(int fd, uint32_t wanted)
{
    long long int deadline = time_msec() + NETNS_DEADLINE_MS;

    while (!received(fd, wanted)) {
        if (time_msec() >= deadline) {
            fail_msg("no frame %"PRIu32, wanted);
        }
        poll_fd_wait(fd, POLLIN);
        poll_timer_wait_until(deadline);
        poll_block();
    }
}

/* Waits until 'guard' has settled. */
static void
await_settled(struct port_guard *guard)
{
    long long int deadline = time_msec() + NETNS_DEADLINE_MS;

    for (;;) {
        port_guard_run(guard);
        if (port_guard_settled(guard)) {
            return;
        }
        if (time_msec() >= deadline) {
            fail_msg("the guard did not settle");
        }
        port_guard_wait(guard);
        poll_timer_wait_until(deadline);
        poll_block();
    }
}

/* Waits until 'guard' has noticed that it is not settled. */
static void
await_unsettled(struct port_guard *guard)
{
    long long int deadline = time_msec() + NETNS_DEADLINE_MS;

    do {
        port_guard_run(guard);
        assert_true(time_msec() < deadline);
        if (port_guard_settled(guard)) {
            port_guard_wait(guard);
            poll_timer_wait_until(deadline);
            poll_block();
        }
    } while (port_guard_settled(guard));
}

/* Sends from port-a to 'dst', which the managed port could be taken for, and
 * says whether it comes out there.  OVS is done with the frame when port-b
 * sees the second of two that follow: the first of them may have been in one
 * batch with it, and OVS sends a batch port by port. */
static bool
is_forwarded(struct eth_addr dst)
{
    uint32_t first = send_frame(fd_a, mac_a, dst);

    await_frame(fd_b, send_frame(fd_a, mac_a, mac_b));
    await_frame(fd_b, send_frame(fd_a, mac_a, mac_b));
    return received(fd_m, first);
}

/* Makes OVS learn where port-b and the managed port are. */
static void
teach(void)
{
    await_frame(fd_a, send_frame(fd_b, mac_b, broadcast));
    await_frame(fd_a, send_frame(fd_m, mac_m, broadcast));
    await_frame(fd_b, send_frame(fd_a, mac_a, broadcast));
    received(fd_m, 0);
}

/* Fails unless OVS forwards to the managed port nothing, whatever asks for
 * it, but takes what comes from there. */
static void
assert_guarded(void)
{
    char *show;

    /* Flows that the datapath caches are looked through a moment later. */
    netns_run("ovs-appctl revalidator/wait");
    teach();
    assert_false(is_forwarded(broadcast));
    assert_false(is_forwarded(mac_m));
    netns_run("ovs-ofctl add-flow br0 priority=9,dl_type=%d,"
              "dl_dst=02:00:00:00:00:0d,actions=output:%s,ALL,FLOOD",
              ETHERTYPE, names.inner);
    assert_false(is_forwarded((struct eth_addr)
                              ETH_ADDR_C(02, 00, 00, 00, 00, 0d)));
    netns_run("ovs-ofctl --strict del-flows br0 priority=9,dl_type=%d,"
              "dl_dst=02:00:00:00:00:0d", ETHERTYPE);

    show = netns_read("ovs-vsctl get bridge br0 protocols | grep -q 10 || "
                      "ovs-ofctl -O OpenFlow13 show br0 "
                      "| grep -A1 '(%s)' | grep config", names.inner);
    assert_true(!show[0] || strstr(show, "NO_FWD"));
    free(show);
}

static int
setup(void **state)
{
    char *text;

    bridge_port_names("br0", &names);
    start_ovsdb();
    start_vswitchd();
    netns_run("ip link add port-a type veth peer name far-a; "
              "ip link add port-b type veth peer name far-b; "
              "for d in port-a far-a port-b far-b; do "
              "ip link set $d up; done");
    assert_int_equal(bridge_port_create(&names, 1500), 0);
    netns_run("ovs-vsctl --timeout=20 add-br br0 "
              "-- set bridge br0 datapath_type=netdev "
              "-- add-port br0 port-a -- add-port br0 port-b "
              "-- add-port br0 %s",
              names.inner);
    fd_a = open_device("far-a");
    fd_b = open_device("far-b");
    fd_m = open_device(names.outer);

    /* Without a guard everything arrives: the tests below can fail. */
    teach();
    assert_true(is_forwarded(broadcast));
    assert_true(is_forwarded(mac_m));
    text = netns_read("ovs-ofctl set-frags br0 drop; ovs-ofctl get-frags br0");
    assert_non_null(strstr(text, "drop"));
    free(text);
    *state = port_guard_create("br0", names.inner);
    return 0;
}

static int
teardown(void **state)
{
    port_guard_destroy(*state);
    stop(&vswitchd);
    stop(&ovsdb_server);
    return 0;
}

static void
test_guard(void **state)
{
    struct port_guard *guard = *state;
    char *text;

    assert_false(port_guard_settled(guard));
    await_settled(guard);
    assert_guarded();

    /* The bridge is otherwise as it was. */
    text = netns_read("ovs-ofctl get-frags br0");
    assert_non_null(strstr(text, "drop"));
    free(text);
}

static void
test_undone(void **state)
{
    struct port_guard *guard = *state;
    long long int deadline = time_msec() + NETNS_DEADLINE_MS;

    netns_run("ovs-ofctl mod-port br0 %s forward", names.inner);
    netns_run("ovs-appctl revalidator/wait");
    assert_true(is_forwarded(broadcast));

    /* A quick answer of ovs-vswitchd settles the guard again in the same run
     * that noticed, so what it does is looked at and not its state. */
    do {
        assert_true(time_msec() < deadline);
        port_guard_run(guard);
        netns_run("ovs-appctl revalidator/wait");
    } while (is_forwarded(broadcast));
    await_settled(guard);
    assert_guarded();
}

static void
test_port_returns(void **state)
{
    struct port_guard *guard = *state;

    netns_run("ovs-vsctl --timeout=20 del-port %s", names.inner);
    await_unsettled(guard);
    netns_run("ovs-vsctl --timeout=20 add-port br0 %s", names.inner);
    await_settled(guard);
    assert_guarded();

    /* Both ends are new devices, for which OVS keeps the guard.  It reads the
     * new one only after it has seen it unplugged. */
    close(fd_m);
    assert_int_equal(bridge_port_delete(&names), 0);
    assert_int_equal(bridge_port_create(&names, 1500), 0);
    fd_m = open_device(names.outer);
    netns_run("ovs-vsctl --timeout=20 wait-until interface %s ifindex=%u",
              names.inner, if_nametoindex(names.inner));
    await_settled(guard);
    assert_false(is_forwarded(broadcast));
    netns_run("ovs-vsctl --timeout=20 del-port %s", names.inner);
    await_unsettled(guard);
    netns_run("ovs-vsctl --timeout=20 add-port br0 %s", names.inner);
    await_settled(guard);
    assert_guarded();
}

static void
test_vswitchd_returns(void **state)
{
    struct port_guard *guard = *state;

    for (int i = 0; i < 2; i++) {
        stop(&vswitchd);
        await_unsettled(guard);
        start_vswitchd();
        await_settled(guard);
        assert_guarded();
    }
}

static void
test_vswitchd_hangs(void **state)
{
    struct port_guard *guard = *state;
    long long int begin;

    stop(&vswitchd);
    await_unsettled(guard);
    start_vswitchd();
    kill(vswitchd, SIGSTOP);
    begin = time_msec();
    for (int i = 0; i < 100; i++) {
        port_guard_run(guard);
    }
    assert_true(time_msec() - begin < 1000);
    assert_false(port_guard_settled(guard));
    kill(vswitchd, SIGCONT);
    await_settled(guard);
    assert_guarded();
}

static void
test_old_openflow(void **state)
{
    struct port_guard *guard = *state;
    char *text;

    netns_run("ovs-vsctl --timeout=20 set bridge br0 protocols=OpenFlow10");
    stop(&vswitchd);
    await_unsettled(guard);
    start_vswitchd();
    await_settled(guard);
    assert_guarded();
    text = netns_read("ovs-ofctl -O OpenFlow10 show br0 "
                      "| grep -A1 '(%s)' | grep config", names.inner);
    assert_non_null(strstr(text, "NO_FLOOD NO_FWD"));
    free(text);
    netns_run("ovs-vsctl --timeout=20 clear bridge br0 protocols");
}

static void
test_no_such_port(void **state)
{
    struct port_guard *guard;

    /* The other guard's port is confirmed by the same vswitchd meanwhile. */
    await_settled(*state);
    guard = port_guard_create("br0", "no-such-port");
    stop(&vswitchd);
    await_unsettled(*state);
    start_vswitchd();
    await_settled(*state);
    port_guard_run(guard);
    assert_false(port_guard_settled(guard));
    port_guard_destroy(guard);
    port_guard_destroy(NULL);
}

int
main(int argc OVS_UNUSED, char *argv[])
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_guard),
        cmocka_unit_test(test_undone),
        cmocka_unit_test(test_port_returns),
        cmocka_unit_test(test_vswitchd_returns),
        cmocka_unit_test(test_vswitchd_hangs),
        cmocka_unit_test(test_old_openflow),
        cmocka_unit_test(test_no_such_port),
    };
    const char *tmp = getenv("OVN_XDP_TMP");
    int failed;

    set_program_name(argv[0]);
    fatal_ignore_sigpipe();
    vlog_set_levels(NULL, VLF_CONSOLE, VLL_ERR);
    directory = xasprintf("%s/guard-XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(directory)) {
        ovs_fatal(errno, "%s", directory);
    }
    setenv("OVS_RUNDIR", directory, 1);
    setenv("OVS_LOGDIR", directory, 1);
    setenv("OVS_DBDIR", directory, 1);
    netns_enter();
    failed = cmocka_run_group_tests(tests, setup, teardown);
    netns_run("rm -rf %s", directory);
    return failed;
}
