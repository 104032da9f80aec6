/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of plugin/notifier.c: the test is the service manager, and says what
 * time it is. */

#include <config.h>

#include "plugin/notifier.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "timeval.h"
#include "util.h"

#include "plugin/limits.h"
#include "tests/plugin/view-bed.h"

/* The socket of the service manager. */
static int fd = -1;

/* Makes the socket and names it in the environment. */
static void
open_socket(void)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    socklen_t length = sizeof address;
    char *name;

    /* Without a path: the kernel chooses an abstract name. */
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *) &address,
                          sizeof address.sun_family), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *) &address, &length),
                     0);
    name = xmemdup0(address.sun_path, length - offsetof(struct sockaddr_un,
                                                        sun_path));
    name[0] = '@';
    assert_int_equal(setenv("NOTIFY_SOCKET", name, true), 0);
    free(name);
}

/* Makes a bed and the socket. */
static int
setup(void **state)
{
    open_socket();
    return view_bed_setup(state);
}

/* Undoes setup(). */
static int
teardown(void **state)
{
    close(fd);
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
    return view_bed_teardown(state);
}

/* Checks that the next message is 'expected', or begins so if that ends in
 * '*'; NULL: that there is none. */
static void
check_message(const char *expected)
{
    char message[2048];
    ssize_t n = recv(fd, message, sizeof message - 1, 0);

    if (!expected) {
        assert_int_equal(n, -1);
        assert_int_equal(errno, EAGAIN);
        return;
    }
    assert_true(n > 0);
    message[n] = '\0';
    if (strchr(expected, '*')) {
        size_t length = strcspn(expected, "*");

        assert_memory_equal(message, expected, length);
    } else {
        assert_string_equal(message, expected);
    }
}

/* Without a service manager there is no notifier, and that is fine. */
static void
test_nobody(void **state)
{
    struct view_bed *bed = *state;

    unsetenv("NOTIFY_SOCKET");
    assert_null(notifier_create());
    notifier_start(NULL, 0);
    notifier_run(NULL, ENGINE_PROGRAMMED, &bed->view, 0);
    notifier_wait(NULL);
    notifier_stopping(NULL);
    notifier_destroy(NULL);
    check_message(NULL);
}

/* It is ready when the first programming is done, and says so once. */
static void
test_ready(void **state)
{
    struct view_bed *bed = *state;
    struct notifier *n = notifier_create();

    notifier_start(n, 1000);
    check_message(NULL);
    notifier_run(n, ENGINE_WAITING, &bed->view, 1000);
    check_message("STATUS=waiting: *");
    notifier_run(n, ENGINE_PROGRAMMED, &bed->view, 1001);
    check_message("READY=1\nSTATUS=*");
    notifier_run(n, ENGINE_PROGRAMMED, &bed->view, 9000);
    check_message(NULL);
    notifier_stopping(n);
    check_message("STOPPING=1");
    notifier_destroy(n);
}

/* It is ready where there is nothing to do, and where a database keeps
 * silent for too long. */
static void
test_ready_without(void **state)
{
    struct view_bed *bed = *state;
    struct notifier *n = notifier_create();

    notifier_start(n, 0);
    notifier_run(n, ENGINE_UNCONFIGURED, &bed->view, 0);
    check_message("READY=1\nSTATUS=nothing to do, *");
    notifier_destroy(n);

    n = notifier_create();
    notifier_start(n, 0);
    notifier_run(n, ENGINE_WAITING, &bed->view, 0);
    check_message("STATUS=waiting: *");
    notifier_run(n, ENGINE_WAITING, &bed->view, READY_TIMEOUT_MS - 1);
    check_message(NULL);
    notifier_run(n, ENGINE_WAITING, &bed->view, READY_TIMEOUT_MS);
    check_message("READY=1\nSTATUS=waiting: *");
    notifier_run(n, ENGINE_WAITING, &bed->view, 2 * READY_TIMEOUT_MS);
    check_message(NULL);
    notifier_destroy(n);
}

/* Other words are told, but not more often than agreed; the last ones always
 * come. */
static void
test_status(void **state)
{
    struct view_bed *bed = *state;
    struct notifier *n = notifier_create();

    notifier_start(n, 0);
    notifier_run(n, ENGINE_UNCONFIGURED, &bed->view, 0);
    check_message("READY=1\nSTATUS=nothing to do, *");
    notifier_run(n, ENGINE_PROGRAMMED, &bed->view, STATUS_INTERVAL_MS - 1);
    check_message(NULL);
    notifier_run(n, ENGINE_PROGRAMMED, &bed->view, STATUS_INTERVAL_MS);
    check_message("STATUS=degraded*");
    notifier_destroy(n);
}

/* A sign of life comes at half of the time that the service manager gives,
 * and only if it asks. */
static void
test_watchdog(void **state)
{
    struct view_bed *bed = *state;
    char *pid = xasprintf("%ld", (long int) getpid());
    struct notifier *n;

    setenv("WATCHDOG_USEC", "30000000", true);
    setenv("WATCHDOG_PID", pid, true);
    n = notifier_create();
    notifier_start(n, 0);
    notifier_run(n, ENGINE_PROGRAMMED, &bed->view, 1);
    check_message("WATCHDOG=1");
    check_message("READY=1\n*");
    notifier_run(n, ENGINE_PROGRAMMED, &bed->view, 15000);
    check_message(NULL);
    notifier_run(n, ENGINE_PROGRAMMED, &bed->view, 15001);
    check_message("WATCHDOG=1");
    notifier_run(n, ENGINE_PROGRAMMED, &bed->view, 15002);
    check_message(NULL);
    notifier_destroy(n);

    /* Meant for another process. */
    setenv("WATCHDOG_PID", "1", true);
    n = notifier_create();
    notifier_start(n, 0);
    notifier_run(n, ENGINE_PROGRAMMED, &bed->view, 1);
    check_message("READY=1\n*");
    check_message(NULL);
    notifier_destroy(n);
    free(pid);
}

/* Returns true if 'n' would wake the daemon up for some time of the past,
 * which all times are that the tests use. */
static bool
wakes_up(const struct notifier *n)
{
    long long int start = time_msec();

    notifier_wait(n);
    poll_timer_wait_until(start + 30);
    poll_block();
    return time_msec() < start + 30;
}

/* Without something to say or a watchdog to feed the daemon sleeps. */
static void
test_wait(void **state)
{
    struct view_bed *bed = *state;
    struct notifier *n = notifier_create();

    notifier_start(n, 0);
    notifier_run(n, ENGINE_WAITING, &bed->view, 0);
    assert_true(wakes_up(n));
    notifier_run(n, ENGINE_PROGRAMMED, &bed->view, 1);
    assert_false(wakes_up(n));
    notifier_run(n, ENGINE_PROGRAMMED, &bed->view, 2);
    assert_true(wakes_up(n));
    notifier_run(n, ENGINE_PROGRAMMED, &bed->view, 1 + STATUS_INTERVAL_MS);
    assert_false(wakes_up(n));
    notifier_destroy(n);
    assert_false(wakes_up(NULL));
}

/* Checks the words for 'progress' with health 'code' and the 'n' first of two
 * reasons. */
static void
check_words(enum engine_progress progress, enum view_health_code code,
            size_t n, const char *expected)
{
    static char class[] = "a", first[] = "one", second[] = "two";
    struct view_problem reasons[] = { { class, first }, { class, second } };
    struct view_health health = { code, reasons, n };
    char *words = notifier_words(progress, &health);

    assert_string_equal(words, expected);
    free(words);
}

/* The words themselves. */
static void
test_words(void **state OVS_UNUSED)
{
    check_words(ENGINE_PROGRAMMED, VIEW_OK, 0, "ok");
    check_words(ENGINE_PROGRAMMED, VIEW_DEGRADED, 1, "degraded: one");
    check_words(ENGINE_PROGRAMMED, VIEW_DEGRADED, 2,
                "degraded: one (and 1 more, see ovn-xdpctl health)");
    check_words(ENGINE_WAITING, VIEW_FAILED, 0, "waiting");
    check_words(ENGINE_WAITING, VIEW_FAILED, 1, "waiting: one");
}

/* Runs the tests. */
int
main(void)
{
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)
    static const struct CMUnitTest tests[] = {
        TEST(test_nobody),
        TEST(test_ready),
        TEST(test_ready_without),
        TEST(test_status),
        TEST(test_watchdog),
        TEST(test_wait),
        TEST(test_words),
    };
#undef TEST

#ifndef HAVE_SYSTEMD
    printf("built without systemd\n");
    return 77;
#endif
    vlog_set_levels(NULL, VLF_CONSOLE, VLL_OFF);
    return cmocka_run_group_tests_name("notifier", tests, NULL, NULL);
}
