/* SPDX-License-Identifier: Apache-2.0 */
/* kill -9 of a daemon: under load, and before each single system call by which
 * it changes something.  Whatever it leaves, packets go on where they went on
 * before, and the next daemon gets along with it.
 *
 * time-limit: 480 */
#include <config.h>

#include "tests/plugin/dp-bpf-bed.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "openvswitch/util.h"
#include "svec.h"
#include "util.h"

#include "bpf/abi.h"
#include "tests/plugin/netns.h"

/* What is pinned of layer L3. */
#define DIRECT_NAMES \
    "arrivals direct_addrs direct_devices direct_ports direct_reasons " \
    "direct_state far-N flows4 flows6 xdp-N "

/* What is pinned of a watch. */
#define WATCH_PINS \
    "link-N opened opened_state sent sent_state tracked watched "

static const struct dp_class *const class = &datapath_bpf_class;

/* Starts a process that ends with this one and is not known to cmocka. */
static pid_t
start_process(void)
{
    pid_t pid;

    fflush(NULL);
    pid = fork();
    if (!pid) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
    }
    return pid;
}

/* Kills process 'pid' as kill -9 does. */
static void
kill_process(pid_t pid)
{
    int status;

    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* Starts a daemon and returns its process when it is done with its start. */
static pid_t
start_daemon(void)
{
    int ready[2];
    pid_t pid;
    char c;

    assert_int_equal(pipe(ready), 0);
    pid = start_process();
    if (!pid) {
        if (!dp_bed_try_start() || write(ready[1], "x", 1) != 1) {
            _exit(1);
        }
        for (;;) {
            pause();
        }
    }
    close(ready[1]);
    assert_int_equal(read(ready[0], &c, 1), 1);
    close(ready[0]);
    return pid;
}

/* Starts a process that sends frames until the other end of '*stop' is closed,
 * and then writes to '*sent' how many it has sent. */
static pid_t
start_sender(int *stop, int *sent)
{
    int stop_fds[2], sent_fds[2];
    pid_t pid;

    assert_int_equal(pipe(stop_fds) | pipe(sent_fds), 0);
    pid = start_process();
    if (!pid) {
        struct pollfd pfd = { .fd = stop_fds[0], .events = POLLIN };
        int wire = dp_bed_socket("wire0");
        unsigned int n = 0;

        close(stop_fds[1]);
        while (!poll(&pfd, 1, 0)) {
            dp_bed_send(wire, 32);
            n += 32;
        }
        _exit(write(sent_fds[1], &n, sizeof n) != sizeof n);
    }
    close(stop_fds[0]);
    close(sent_fds[1]);
    *stop = stop_fds[1];
    *sent = sent_fds[0];
    return pid;
}

/* Waits until 'n' more frames have come from 'fd', so that each step of a test
 * happens under load.  Returns 'n'. */
static unsigned int
await_frames(int fd, unsigned int n)
{
    assert_int_equal(dp_bed_receive(fd, n, NETNS_DEADLINE_MS), n);
    return n;
}

/* Daemons are killed and followed by others while frames pass: each frame
 * arrives, once, and is counted. */
static void
test_under_load(void **state OVS_UNUSED)
{
    struct tpacket_stats stats;
    socklen_t length = sizeof stats;
    unsigned int sent, received = 0;
    int in = dp_bed_socket("in0");
    int stop, sent_fd, status;
    pid_t daemon, sender;
    struct dp *dp;

    daemon = start_daemon();
    sender = start_sender(&stop, &sent_fd);
    for (int i = 0; i < 5; i++) {
        received += await_frames(in, 200);
        kill_process(daemon);
        received += await_frames(in, 200);
        daemon = start_daemon();
    }
    kill_process(daemon);
    received += await_frames(in, 200);
    close(stop);
    assert_int_equal(read(sent_fd, &sent, sizeof sent), sizeof sent);
    assert_int_equal(waitpid(sender, &status, 0), sender);
    close(sent_fd);

    /* One more than was sent would be one too many. */
    received += dp_bed_receive(in, sent - received, NETNS_DEADLINE_MS);
    received += dp_bed_receive(in, 1, 100);
    assert_int_equal(getsockopt(in, SOL_PACKET, PACKET_STATISTICS, &stats,
                                &length), 0);
    assert_int_equal(stats.tp_drops, 0);
    assert_int_equal(received, sent);
    dp = dp_bed_open();
    assert_int_equal(dp_bed_packets(dp), sent);
    dp_bed_close(dp);
    close(in);
}

/* A second daemon is refused, until the first one is gone. */
static void
test_lock(void **state OVS_UNUSED)
{
    struct dp_config config = { DP_BED_PINS, DP_BED_MAX_ENDPOINTS };
    pid_t daemon = start_daemon();
    struct dp *dp;

    assert_int_equal(class->open(&config, &dp), EBUSY);
    dp_bed_assert_forwards();
    kill_process(daemon);
    assert_int_equal(class->open(&config, &dp), 0);
    dp_bed_close(dp);
}

/* Tells whether a system call of process 'pid' changes what others see.  Of
 * several updates of one map in a row, only the first one counts: they are
 * counters that are set to zero. */
static bool
changes_something(pid_t pid, const struct __ptrace_syscall_info *info)
{
    static int last_map = -1;
    static const int commands[] = {
        BPF_MAP_DELETE_ELEM, BPF_OBJ_PIN,
        BPF_LINK_CREATE, BPF_LINK_UPDATE, BPF_LINK_DETACH,
        BPF_RAW_TRACEPOINT_OPEN,
    };
    static const int calls[] = {
#ifdef SYS_mkdir
        SYS_mkdir, SYS_unlink, SYS_rmdir,
#endif
        SYS_mkdirat, SYS_unlinkat, SYS_flock,
    };

    if (info->entry.nr == SYS_bpf
        && info->entry.args[0] == BPF_MAP_UPDATE_ELEM) {
        int map = ptrace(PTRACE_PEEKDATA, pid, (void *) info->entry.args[1],
                         NULL);
        bool again = map == last_map;

        last_map = map;
        return !again;
    }
    for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
        if (info->entry.nr == calls[i]) {
            last_map = -1;
            return true;
        }
    }
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        if (info->entry.nr == SYS_bpf && info->entry.args[0] == commands[i]) {
            last_map = -1;
            return true;
        }
    }
    return false;
}

/* Lets the traced process 'pid' go on to its next system call that changes
 * something, before which it stops.  Returns false if it has ended. */
static bool
go_on(pid_t pid)
{
    for (;;) {
        struct __ptrace_syscall_info info;
        int status;

        assert_int_equal(ptrace(PTRACE_SYSCALL, pid, NULL, 0), 0);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        if (!WIFSTOPPED(status)) {
            assert_int_equal(status, 0);
            return false;
        }
        assert_int_equal(WSTOPSIG(status), SIGTRAP | 0x80);
        assert_true(ptrace(PTRACE_GET_SYSCALL_INFO, pid,
                           (void *) sizeof info, &info) > 0);
        if (info.op == PTRACE_SYSCALL_INFO_ENTRY
            && changes_something(pid, &info)) {
            return true;
        }
    }
}

/* Runs a daemon until it is done with its start, or kills it before change
 * number 'n'.  Returns true if it was killed. */
static bool
run_daemon_until(unsigned int n)
{
    pid_t pid = start_process();
    int status;

    if (!pid) {
        ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        raise(SIGSTOP);
        _exit(dp_bed_try_start() == NULL);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSTOPPED(status));
    assert_int_equal(ptrace(PTRACE_SETOPTIONS, pid, NULL,
                            PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL), 0);
    for (unsigned int i = 0; go_on(pid); i++) {
        if (i == n) {
            kill_process(pid);
            return true;
        }
    }
    return false;
}

/* Asserts that the directory 'dir' has the entries 'names', where the number
 * of a generation or device is N. */
static void
assert_lists(const char *dir, const char *names)
{
    char *found = netns_read(
        "ls %s | sed 's/^\\(gen\\|link\\|far\\|xdp\\)-.*/\\1-N/' | "
        "tr '\\n' ' '", dir);

    assert_string_equal(found, names);
    free(found);
}

/* Starts a daemon on whatever there is and stops it.  All must be in order
 * then. */
static void
recover(void)
{
    struct dp *dp = dp_bed_try_start();

    assert_non_null(dp);
    class->close(dp, false);
    assert_lists(DP_BED_PINS, "direct events gen-N links watch ");
    assert_lists(DP_BED_PINS "/links", "nic0 out0 ");
    assert_lists(DP_BED_PINS "/events",
                 "devmap_xmit nic_index redirect_err redirect_errors ");
    assert_lists(DP_BED_PINS "/watch", WATCH_PINS);
    assert_lists(DP_BED_PINS "/direct", DIRECT_NAMES);
    dp_bed_assert_forwards();
}

/* The first start on a machine. */
static void
test_first_start(void **state OVS_UNUSED)
{
    unsigned int n;

    for (n = 0; run_daemon_until(n); n++) {
        recover();
        dp_bed_close(NULL);
    }
    print_message("%u places\n", n);
    assert_true(n > 30);
    dp_bed_close(NULL);
}

/* Returns the generation of the port of the bed. */
static uint32_t
read_generation(void)
{
    struct dp_direct port = dp_bed_port();
    int addrs = bpf_obj_get(DP_BED_PINS "/direct/direct_addrs");
    int ports = bpf_obj_get(DP_BED_PINS "/direct/direct_ports");
    struct ox_direct_key key = { .ifindex = 0 };
    struct ox_direct_addr addr;
    struct ox_direct_port value;

    memcpy(key.addr, &port.external, sizeof key.addr);
    assert_int_equal(bpf_map_lookup_elem(addrs, &key, &addr), 0);
    assert_int_equal(bpf_map_lookup_elem(ports, &addr.port, &value), 0);
    close(addrs);
    close(ports);
    return value.generation;
}

/* A start on the maps of an earlier daemon, whose flows stay. */
static void
test_restart(void **state OVS_UNUSED)
{
    uint32_t generation;
    unsigned int n;

    recover();
    generation = read_generation();
    for (n = 0; run_daemon_until(n); n++) {
        dp_bed_assert_forwards();
        assert_int_equal(read_generation(), generation);
        recover();
        assert_int_equal(read_generation(), generation);
    }
    print_message("%u places\n", n);
    assert_true(n > 10);
    dp_bed_close(NULL);
}

/* Does what a daemon does at its start, with file descriptors below 'n' only.
 * Returns true if that was enough. */
static bool
start_with_descriptors(unsigned int n)
{
    const struct rlimit limit = { .rlim_cur = n, .rlim_max = n };
    int status;
    pid_t pid;

    pid = start_process();
    if (!pid) {
        _exit(setrlimit(RLIMIT_NOFILE, &limit) || !dp_bed_try_start());
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return !WEXITSTATUS(status);
}

/* A start that runs out of descriptors, at each place: what cannot be opened
 * is not taken for something half-made, or for nobody's. */
static void
test_few_descriptors(void **state OVS_UNUSED)
{
    unsigned int n, n_sent = 1;
    struct dp *dp;

    recover();
    for (n = 3; !start_with_descriptors(n); n++) {
        assert_int_equal(access(DP_BED_PINS "/links/nic0", F_OK), 0);
        assert_int_equal(access(DP_BED_PINS "/links/out0", F_OK), 0);
        assert_int_equal(access(DP_BED_PINS "/gen-1/control", F_OK), 0);
        assert_int_not_equal(access(DP_BED_PINS "/gen-2", F_OK), 0);
        assert_lists(DP_BED_PINS "/events",
                     "devmap_xmit nic_index redirect_err redirect_errors ");
        assert_lists(DP_BED_PINS "/watch", WATCH_PINS);
        assert_lists(DP_BED_PINS "/direct", DIRECT_NAMES);
        dp_bed_assert_forwards();
        n_sent++;
    }
    print_message("%u places\n", n_sent);
    assert_true(n_sent > 10);
    dp = dp_bed_open();
    assert_int_equal(dp_bed_packets(dp), n_sent);
    dp_bed_close(dp);
}

/* Makes the only generation of maps one of another ABI. */
static void
make_foreign(void)
{
    struct ox_control control = { .abi = OX_ABI + 1 };
    char *path = netns_read("printf %%s %s/gen-*/control", DP_BED_PINS);
    int fd = bpf_obj_get(path);
    uint32_t zero = 0;

    assert_int_equal(bpf_map_update_elem(fd, &zero, &control, BPF_ANY), 0);
    close(fd);
    free(path);
}

/* A start beside maps of another ABI. */
static void
test_upgrade(void **state OVS_UNUSED)
{
    unsigned int n;

    recover();
    make_foreign();
    for (n = 0; run_daemon_until(n); n++) {
        dp_bed_assert_forwards();
        recover();
        make_foreign();
    }
    print_message("%u places\n", n);
    assert_true(n > 40);
    dp_bed_close(NULL);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_under_load, dp_bed_clean_up),
        cmocka_unit_test_teardown(test_lock, dp_bed_clean_up),
        cmocka_unit_test_teardown(test_first_start, dp_bed_clean_up),
        cmocka_unit_test_teardown(test_restart, dp_bed_clean_up),
        cmocka_unit_test_teardown(test_few_descriptors, dp_bed_clean_up),
        cmocka_unit_test_teardown(test_upgrade, dp_bed_clean_up),
    };

    dp_bed_enter();
    return cmocka_run_group_tests_name("crash", tests, NULL, NULL);
}
