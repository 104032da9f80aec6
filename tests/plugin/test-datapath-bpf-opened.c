/* SPDX-License-Identifier: Apache-2.0 */
/* How connections that VMs have opened are forgotten: when they are over, and
 * without losing one that is used at that moment. */
#include <config.h>

#include "plugin/datapath-bpf.h"

#include <bpf/bpf.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "timeval.h"
#include "util.h"

#include "tests/plugin/dp-bpf-watch.h"

static const struct dp_class *const class = &datapath_bpf_class;

/* Reads 'opened_state'. */
static struct ox_opened_state
read_state(void)
{
    int fd = watch_bed_open_map("opened_state");
    struct ox_opened_state state;
    uint32_t zero = 0;

    assert_int_equal(bpf_map_lookup_elem(fd, &zero, &state), 0);
    close(fd);
    return state;
}

/* Returns what 'state' has of the part that the VM of the bed is in. */
static const struct ox_opened_part *
own_part(const struct ox_opened_state *state)
{
    struct ox_opened_key key = watch_bed_make_key(WATCH_BED_PORT);
    uint32_t words[4];

    memcpy(words, key.local, sizeof words);
    return &state->parts[ox_opened_part(words, IPPROTO_TCP)];
}

/* Asserts that it has 'n' elements more than those that the test has written,
 * and that none was missed. */
static void
check_own(int64_t n)
{
    const struct ox_opened_state state = read_state();

    assert_int_equal(own_part(&state)->full_ns, 0);
    assert_int_equal(own_part(&state)->n, n);
}

/* What is over for a while is forgotten, and nothing else. */
static void
test_sweep(void **state OVS_UNUSED)
{
    static const uint32_t lives[] = {
        [OX_OPENED_SYN] = OX_OPENED_SYN_S,
        [OX_OPENED_DATA] = OX_OPENED_DATA_S,
        [OX_OPENED_CLOSING] = OX_OPENED_CLOSING_S,
    };
    long long int since;
    struct dp *dp = watch_bed_open(&since);

    for (uint32_t i = 0; i < ARRAY_SIZE(lives); i++) {
        watch_bed_put_known(WATCH_BED_PORT + 10 * i, i, 0);
        watch_bed_put_known(WATCH_BED_PORT + 10 * i + 1, i, lives[i] + 1);
        watch_bed_put_known(WATCH_BED_PORT + 10 * i + 2, i, lives[i] + 15);
    }
    watch_bed_send_syn(WATCH_BED_PORT + 100, 0);
    watch_bed_await_known(WATCH_BED_PORT + 100);
    check_own(1);
    assert_int_equal(class->sweep_opened(dp, time_msec()), 7);
    check_own(1 - 3);
    for (uint32_t i = 0; i < ARRAY_SIZE(lives); i++) {
        assert_true(watch_bed_is_known(WATCH_BED_PORT + 10 * i));
        assert_true(watch_bed_is_known(WATCH_BED_PORT + 10 * i + 1));
        assert_false(watch_bed_is_known(WATCH_BED_PORT + 10 * i + 2));
    }
    assert_int_equal(class->sweep_opened(dp, time_msec() + 20000), 4);
    assert_int_equal(class->sweep_opened(dp, time_msec() + 90000000), 0);
    dp_bed_close(dp);
}

/* Whose connections are learnt: everybody's while a watch is new, and then
 * those of whom it is asked for; and of whom some were missed. */
static void
test_parts(void **state OVS_UNUSED)
{
    struct ox_opened_state opened;
    const struct in6_addr *local;
    struct ox_opened_key key = watch_bed_make_key(WATCH_BED_PORT);
    long long int since, full = time_msec();
    struct dp *dp = watch_bed_open(&since);
    int fd = watch_bed_open_map("opened_state");
    struct in6_addr other = { .s6_addr = { 0 } };
    uint32_t zero = 0;

    memcpy(&other, key.local, sizeof other);
    local = &other;
    opened = read_state();
    for (size_t i = 0; i < OX_OPENED_PARTS; i++) {
        assert_true(opened.parts[i].learn_ns / 1000000
                    == since + OX_OPENED_SYN_S * UINT64_C(1000));
    }
    class->learn_opened(dp, local, since);
    opened = read_state();
    assert_true(own_part(&opened)->learn_ns / 1000000 > since);
    class->learn_opened(dp, local, since + 1000000);
    opened = read_state();
    assert_true(own_part(&opened)->learn_ns / 1000000 == since + 1000000);
    assert_true(opened.parts[own_part(&opened) == opened.parts].learn_ns
                / 1000000 < since + 1000000);
    assert_int_equal(class->missed_opened(dp, local), 0);
    opened.parts[own_part(&opened) - opened.parts].full_ns
        = full * UINT64_C(1000000);
    assert_int_equal(bpf_map_update_elem(fd, &zero, &opened, BPF_ANY), 0);
    assert_int_equal(class->missed_opened(dp, local),
                     full + OX_OPENED_SYN_S * 1000LL);
    other.s6_addr[15] ^= 1;
    assert_int_equal(class->missed_opened(dp, &other), 0);
    close(fd);
    dp_bed_close(dp);
}

/* More than a call may read takes several, all of which end. */
static void
test_sweep_many(void **state OVS_UNUSED)
{
    const size_t n = 100000;
    struct ox_opened_key *keys = xcalloc(n, sizeof *keys);
    struct ox_opened *values = xcalloc(n, sizeof *values);
    LIBBPF_OPTS(bpf_map_batch_opts, opts);
    uint32_t count = n;
    long long int since, start;
    struct dp *dp = watch_bed_open(&since);
    int fd = watch_bed_open_map("opened");
    unsigned int calls = 0;

    for (size_t i = 0; i < n; i++) {
        keys[i] = watch_bed_make_key(i);
        keys[i].local[0] = i >> 16;
        values[i].seen_ns = 1;
        values[i].state = i & 1 ? OX_OPENED_DATA : OX_OPENED_SYN;
        if (i & 1) {
            values[i].seen_ns = watch_bed_now();
        }
    }
    assert_int_equal(bpf_map_update_batch(fd, keys, values, &count, &opts), 0);
    for (size_t left = n; left != n / 2; calls++) {
        start = time_msec();
        left = class->sweep_opened(dp, 200000 + start);
        print_message("%"PRIuSIZE" left after %lld ms\n", left,
                      time_msec() - start);
        assert_true(calls < 20);
    }
    assert_true(calls > 1);
    close(fd);
    free(keys);
    free(values);
    dp_bed_close(dp);
}

/* Lets the traced process 'pid' go on to the next beginning ('entry') or end
 * of a system call that deletes a connection while it reads it. */
static void
go_on(pid_t pid, bool entry)
{
    bool inside = !entry;

    for (;;) {
        struct __ptrace_syscall_info info;
        int status;

        assert_int_equal(ptrace(PTRACE_SYSCALL, pid, NULL, 0), 0);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSTOPPED(status));
        assert_int_equal(WSTOPSIG(status), SIGTRAP | 0x80);
        assert_true(ptrace(PTRACE_GET_SYSCALL_INFO, pid,
                           (void *) sizeof info, &info) > 0);
        if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
            inside = (info.entry.nr == SYS_bpf
                      && info.entry.args[0] == BPF_MAP_LOOKUP_AND_DELETE_ELEM);
        }
        if (inside && entry == (info.op == PTRACE_SYSCALL_INFO_ENTRY)) {
            return;
        }
    }
}

/* Starts a process that sweeps, and returns it just before it deletes the
 * first connection. */
static pid_t
start_sweep(void)
{
    int status;
    pid_t pid;

    fflush(NULL);
    pid = fork();
    if (!pid) {
        long long int since;

        prctl(PR_SET_PDEATHSIG, SIGKILL);
        ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        raise(SIGSTOP);
        _exit(class->sweep_opened(watch_bed_open(&since), time_msec()));
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSTOPPED(status));
    assert_int_equal(ptrace(PTRACE_SETOPTIONS, pid, NULL,
                            PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL), 0);
    go_on(pid, true);
    return pid;
}

/* A connection is used again just before it is deleted: it comes back, and
 * whoever misses it meanwhile can tell. */
static void
test_sweep_race(void **state OVS_UNUSED)
{
    long long int since;
    struct dp *dp = watch_bed_open(&since);
    int status;
    pid_t pid;

    class->close(dp, false);
    watch_bed_put_known(WATCH_BED_PORT, OX_OPENED_SYN, OX_OPENED_SYN_S + 15);
    pid = start_sweep();
    watch_bed_put_known(WATCH_BED_PORT, OX_OPENED_SYN, 0);
    go_on(pid, false);
    assert_false(watch_bed_is_known(WATCH_BED_PORT));
    assert_int_equal(read_state().sweeps & 1, 1);
    assert_int_equal(ptrace(PTRACE_DETACH, pid, NULL, 0), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(WEXITSTATUS(status), 1);
    assert_true(watch_bed_is_known(WATCH_BED_PORT));
    assert_int_equal(read_state().sweeps, 2);
    check_own(0);
    dp_bed_close(NULL);
}

/* The same, with a packet that is faster than the daemon to bring it back. */
static void
test_sweep_faster(void **state OVS_UNUSED)
{
    long long int since;
    struct dp *dp = watch_bed_open(&since);
    int status;
    pid_t pid;

    class->close(dp, false);
    watch_bed_put_known(WATCH_BED_PORT, OX_OPENED_SYN, OX_OPENED_SYN_S + 15);
    pid = start_sweep();
    watch_bed_put_known(WATCH_BED_PORT, OX_OPENED_CLOSING, 5);
    go_on(pid, false);
    watch_bed_send_syn(WATCH_BED_PORT, 0);
    watch_bed_await_known(WATCH_BED_PORT);
    watch_bed_put_known(WATCH_BED_PORT, OX_OPENED_DATA, 0);
    assert_int_equal(ptrace(PTRACE_DETACH, pid, NULL, 0), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(watch_bed_state_of(WATCH_BED_PORT), OX_OPENED_DATA);
    check_own(0);
    dp_bed_close(NULL);
}

/* A daemon is killed between the deletion of a connection and its return: the
 * next one has nothing be dropped for a while. */
static void
test_killed_sweep(void **state OVS_UNUSED)
{
    struct ox_opened_state before, after;
    long long int since;
    struct dp *dp = watch_bed_open(&since);
    pid_t pid;

    class->close(dp, false);
    watch_bed_put_known(WATCH_BED_PORT, OX_OPENED_SYN, OX_OPENED_SYN_S + 15);
    pid = start_sweep();
    watch_bed_put_known(WATCH_BED_PORT, OX_OPENED_SYN, 0);
    go_on(pid, false);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    assert_false(watch_bed_is_known(WATCH_BED_PORT));
    before = read_state();
    assert_int_equal(before.sweeps & 1, 1);
    assert_int_equal(own_part(&before)->full_ns, 0);
    dp = watch_bed_open(&since);
    after = read_state();
    assert_int_equal(after.sweeps, before.sweeps + 1);
    for (size_t i = 0; i < OX_OPENED_PARTS; i++) {
        assert_true(watch_bed_now() - after.parts[i].full_ns
                    < 10 * UINT64_C(1000000000));
    }
    dp_bed_close(dp);
}

int
main(void)
{
#define TEST(NAME) cmocka_unit_test_teardown(NAME, dp_bed_clean_up)
    static const struct CMUnitTest tests[] = {
        TEST(test_sweep),
        TEST(test_parts),
        TEST(test_sweep_many),
        TEST(test_sweep_race),
        TEST(test_sweep_faster),
        TEST(test_killed_sweep),
    };
#undef TEST

    dp_bed_enter();
    return cmocka_run_group_tests_name("opened", tests, NULL, NULL);
}
