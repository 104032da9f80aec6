/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of plugin/vswitchd.c with a make-believe ovs-vswitchd, OVS's own
 * server of control sockets.  The test says what time it is.  A real one is in
 * tests/plugin/test-vswitchd-real.c. */

#include <config.h>

#include "plugin/vswitchd.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "fatal-signal.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "stream.h"
#include "timeval.h"
#include "unixctl.h"
#include "util.h"

/* How long anything may take, in ms of the real time. */
#define DEADLINE_MS 20000

/* A make-believe ovs-vswitchd, and what follows it. */
struct fixture {
    const char *folder;         /* Run-time folder. */
    struct unixctl_server *server; /* The other side, or NULL. */
    const char *answer;         /* Its answer; NULL: it keeps the question. */
    bool refuses;               /* The answer is an error. */
    struct unixctl_conn *asker; /* Who asked a question that is kept. */
    int n_questions;            /* Questions so far. */
    struct vswitchd *vs;        /* Under test. */
    long long int now;          /* The time, in ms. */
};

/* That of the test under way: OVS never forgets a command. */
static struct fixture *fixture;

/* Answers the question of 'asker' as 'f' says. */
static void
answer(struct fixture *f, struct unixctl_conn *asker)
{
    if (f->refuses) {
        unixctl_command_reply_error(asker, f->answer);
    } else {
        unixctl_command_reply(asker, f->answer);
    }
}

/* Serves a question. */
static void
handle_question(struct unixctl_conn *conn, int argc, const char *argv[],
                void *aux OVS_UNUSED)
{
    struct fixture *f = fixture;

    assert_int_equal(argc, 2);
    assert_string_equal(argv[1], "netdev@ovs-netdev");
    f->n_questions++;
    if (f->answer) {
        answer(f, conn);
    } else {
        f->asker = conn;
    }
}

/* Writes 'text' to the pidfile, or with NULL deletes it. */
static void
write_pid(const struct fixture *f, const char *text)
{
    char *name = xasprintf("%s/ovs-vswitchd.pid", f->folder);

    unlink(name);
    if (text) {
        FILE *file = fopen(name, "w");

        assert_non_null(file);
        fputs(text, file);
        fclose(file);
    }
    free(name);
}

/* Starts the other side with a socket of 'name'. */
static void
start(struct fixture *f, const char *name)
{
    char *path = xasprintf("%s/%s", f->folder, name);

    assert_int_equal(unixctl_server_create(path, &f->server), 0);
    free(path);
}

/* Ends the other side. */
static void
end(struct fixture *f)
{
    unixctl_server_destroy(f->server);
    f->server = NULL;
    f->asker = NULL;
}

/* Prepares a struct fixture without another side. */
static int
setup(void **state)
{
    const char *tmp = getenv("OVN_XDP_TMP");
    struct fixture *f = xzalloc(sizeof *f);

    f->folder = tmp ? tmp : "/tmp";
    f->vs = vswitchd_create(f->folder);
    f->now = 1;
    unixctl_command_register("dpctl/ct-get-tcp-seq-chk", "[dp]", 0, 1,
                             handle_question, NULL);
    *state = fixture = f;
    return 0;
}

/* Frees a struct fixture. */
static int
teardown(void **state)
{
    struct fixture *f = *state;

    vswitchd_destroy(f->vs);
    end(f);
    write_pid(f, NULL);
    free(f);
    return 0;
}

/* Runs both sides, and waits for events, until 'n' questions have come and
 * what followed from them, the time being what it is. */
static void
await_question(struct fixture *f, int n)
{
    long long int deadline = time_msec() + DEADLINE_MS;

    for (;;) {
        bool late = time_msec() >= deadline;

        vswitchd_run(f->vs, true, f->now);
        unixctl_server_run(f->server);
        if (f->n_questions >= n) {
            break;
        }
        assert_false(late);
        unixctl_server_wait(f->server);
        poll_timer_wait_until(deadline);
        poll_block();
    }
    assert_int_equal(f->n_questions, n);
}

/* Runs both sides until what is known of the windows is 'expected'. */
static void
await_windows(struct fixture *f, enum vswitchd_windows expected)
{
    long long int deadline = time_msec() + DEADLINE_MS;
    bool changed = false;

    while (vswitchd_windows(f->vs) != expected) {
        assert_true(time_msec() < deadline);
        assert_false(changed);
        unixctl_server_run(f->server);
        changed = vswitchd_run(f->vs, true, f->now);
        if (!changed) {
            vswitchd_wait(f->vs);
            unixctl_server_wait(f->server);
            poll_timer_wait_until(deadline);
            poll_block();
        }
    }
    assert_true(changed);
}

/* Runs 'f' at its time.  Checks that no answer changed. */
static void
run_in_vain(struct fixture *f)
{
    assert_false(vswitchd_run(f->vs, true, f->now));
    unixctl_server_run(f->server);
}

/* Returns true if nothing wakes up 'f', whose times are all past. */
static bool
sleeps(const struct fixture *f)
{
    long long int start_time = time_msec();

    vswitchd_wait(f->vs);
    poll_timer_wait_until(start_time + 30);
    poll_block();
    return time_msec() >= start_time + 30;
}

/* Both answers, and a new question each second. */
static void
test_answers(void **state)
{
    struct fixture *f = *state;

    write_pid(f, "4711\n");
    start(f, "ovs-vswitchd.4711.ctl");
    assert_int_equal(vswitchd_windows(f->vs), VSWITCHD_WINDOWS_UNKNOWN);
    f->answer = "TCP sequence checking: disabled\n";
    await_windows(f, VSWITCHD_WINDOWS_FREE);
    assert_int_equal(f->n_questions, 1);

    f->answer = "TCP sequence checking: enabled\n";
    f->now += 999;
    run_in_vain(f);
    assert_int_equal(f->n_questions, 1);
    f->now += 1;
    await_windows(f, VSWITCHD_WINDOWS_CHECKED);
    assert_int_equal(f->n_questions, 2);
    assert_int_equal(vswitchd_seqno(f->vs), 0);
}

/* Answers that say nothing. */
static void
test_other_answers(void **state)
{
    struct fixture *f = *state;

    write_pid(f, "4711\n");
    start(f, "ovs-vswitchd.4711.ctl");
    f->answer = "TCP sequence checking: disabled\n";
    await_windows(f, VSWITCHD_WINDOWS_FREE);
    f->refuses = true;
    f->now += 1000;
    await_windows(f, VSWITCHD_WINDOWS_UNKNOWN);
    f->refuses = false;
    f->now += 1000;
    await_windows(f, VSWITCHD_WINDOWS_FREE);
    f->answer = "TCP sequence checking: maybe\n";
    f->now += 1000;
    await_windows(f, VSWITCHD_WINDOWS_UNKNOWN);
    assert_int_equal(f->n_questions, 4);
    assert_int_equal(vswitchd_seqno(f->vs), 0);
}

/* A process that does not answer in time is not told from one that answers
 * "unknown"; its answer counts when it comes, and it is asked only once. */
static void
test_silence(void **state)
{
    struct fixture *f = *state;

    write_pid(f, "4711\n");
    start(f, "ovs-vswitchd.4711.ctl");
    f->answer = "TCP sequence checking: disabled\n";
    await_windows(f, VSWITCHD_WINDOWS_FREE);

    f->answer = NULL;
    f->now += 1000;
    await_question(f, 2);
    f->now += 999;
    run_in_vain(f);
    assert_int_equal(vswitchd_windows(f->vs), VSWITCHD_WINDOWS_FREE);
    f->now += 1;
    assert_true(vswitchd_run(f->vs, true, f->now));
    assert_int_equal(vswitchd_windows(f->vs), VSWITCHD_WINDOWS_UNKNOWN);
    f->now += 60000;
    run_in_vain(f);
    assert_int_equal(f->n_questions, 2);
    assert_true(sleeps(f));

    f->answer = "TCP sequence checking: disabled\n";
    answer(f, f->asker);
    await_windows(f, VSWITCHD_WINDOWS_FREE);
    assert_int_equal(f->n_questions, 2);
    assert_int_equal(vswitchd_seqno(f->vs), 0);
    await_question(f, 3);
}

/* One that ends is missed at once, and the next one is found by its process
 * id. */
static void
test_restart(void **state)
{
    struct fixture *f = *state;
    unsigned int seqno;

    write_pid(f, "4711\n");
    start(f, "ovs-vswitchd.4711.ctl");
    f->answer = "TCP sequence checking: disabled\n";
    await_windows(f, VSWITCHD_WINDOWS_FREE);
    seqno = vswitchd_seqno(f->vs);

    end(f);
    await_windows(f, VSWITCHD_WINDOWS_UNKNOWN);
    assert_int_not_equal(vswitchd_seqno(f->vs), seqno);
    seqno = vswitchd_seqno(f->vs);

    /* In the meantime it is looked for at growing intervals. */
    for (int wait = 100; wait <= 1000; wait = MIN(2 * wait, 1000)) {
        f->now += wait - 1;
        run_in_vain(f);
        f->now += 1;
        run_in_vain(f);
        if (wait == 1000) {
            break;
        }
    }
    write_pid(f, "4712\n");
    start(f, "ovs-vswitchd.4712.ctl");
    f->now += 999;
    run_in_vain(f);
    assert_int_equal(f->n_questions, 1);
    f->now += 1;
    await_windows(f, VSWITCHD_WINDOWS_FREE);
    assert_int_equal(f->n_questions, 2);
    assert_int_equal(vswitchd_seqno(f->vs), seqno);

    /* Once more, while a question is not answered; the first attempt is soon
     * again. */
    f->answer = NULL;
    f->now += 1000;
    await_question(f, 3);
    end(f);
    await_windows(f, VSWITCHD_WINDOWS_UNKNOWN);
    assert_int_not_equal(vswitchd_seqno(f->vs), seqno);
    start(f, "ovs-vswitchd.4712.ctl");
    f->answer = "TCP sequence checking: disabled\n";
    f->now += 100;
    await_windows(f, VSWITCHD_WINDOWS_FREE);
}

/* Without a process, with a pidfile that is of no use, and with one whose
 * process has left its socket behind. */
static void
test_nobody(void **state)
{
    static const char *const pids[] = { NULL, "", "x", "-1\n", "99\n" };
    struct fixture *f = *state;

    for (size_t i = 0; i < ARRAY_SIZE(pids); i++) {
        write_pid(f, pids[i]);
        run_in_vain(f);
        f->now += 1000;
    }

    write_pid(f, "4711\n");
    char *left = xasprintf("%s/ovs-vswitchd.4711.ctl", f->folder);
    FILE *file = fopen(left, "w");
    assert_non_null(file);
    fclose(file);
    run_in_vain(f);
    unlink(left);
    free(left);
    assert_int_equal(vswitchd_seqno(f->vs), 0);

    /* A socket with the name that people give it. */
    f->now += 1000;
    start(f, "ovs-vswitchd.ctl");
    f->answer = "TCP sequence checking: disabled\n";
    await_windows(f, VSWITCHD_WINDOWS_FREE);
}

/* One that talks nonsense is as good as gone. */
static void
test_nonsense(void **state)
{
    struct fixture *f = *state;
    long long int deadline = time_msec() + DEADLINE_MS;
    char *name = xasprintf("punix:%s/ovs-vswitchd.ctl", f->folder);
    struct stream *stream = NULL;
    struct pstream *listener;

    assert_int_equal(pstream_open(name, &listener, 0), 0);
    free(name);
    while (vswitchd_seqno(f->vs) == 0) {
        if (!stream && !pstream_accept(listener, &stream)) {
            assert_int_equal(stream_send(stream, "}", 1), 1);
        }
        vswitchd_run(f->vs, true, f->now);
        assert_true(time_msec() < deadline);
    }
    stream_close(stream);
    pstream_close(listener);
    assert_int_equal(vswitchd_windows(f->vs), VSWITCHD_WINDOWS_UNKNOWN);
}

/* Whom nobody wants to follow is let go, and nobody waits for it. */
static void
test_unwanted(void **state)
{
    struct fixture *f = *state;
    unsigned int seqno;

    write_pid(f, "4711\n");
    start(f, "ovs-vswitchd.4711.ctl");
    f->answer = "TCP sequence checking: disabled\n";
    assert_false(vswitchd_run(f->vs, false, f->now));
    await_windows(f, VSWITCHD_WINDOWS_FREE);
    seqno = vswitchd_seqno(f->vs);
    assert_true(vswitchd_run(f->vs, false, f->now));
    assert_int_equal(vswitchd_windows(f->vs), VSWITCHD_WINDOWS_UNKNOWN);
    assert_int_not_equal(vswitchd_seqno(f->vs), seqno);

    f->now += 1000;
    assert_false(vswitchd_run(f->vs, false, f->now));
    assert_true(sleeps(f));
    assert_int_equal(f->n_questions, 1);
    await_windows(f, VSWITCHD_WINDOWS_FREE);
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_answers),
        TEST(test_other_answers),
        TEST(test_silence),
        TEST(test_restart),
        TEST(test_nobody),
        TEST(test_nonsense),
        TEST(test_unwanted),
    };

    fatal_ignore_sigpipe();
    vlog_set_levels(NULL, VLF_CONSOLE, VLL_OFF);
    return cmocka_run_group_tests_name("vswitchd", tests, NULL, NULL);
}
