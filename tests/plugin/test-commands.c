/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of plugin/commands.c: a process of its own serves the commands for an
 * engine that touches nothing, and is asked as ovs-appctl asks. */

#include <config.h>

#include "plugin/commands.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "jsonrpc.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "plugin/engine.h"
#include "unixctl.h"
#include "util.h"

/* Exit status of the server: how it was asked to end. */
enum {
    SERVER_EXIT = 10,           /* Plainly. */
    SERVER_CLEANUP = 11,        /* With --cleanup. */
    SERVER_ERROR = 12           /* It could not serve. */
};

/* What every test works on. */
struct fixture {
    char dir[32];               /* Folder of the socket. */
    char *path;                 /* The socket. */
    struct unixctl_server *server; /* On it, used by 'pid' alone. */
    pid_t pid;                  /* Server. */
};

/* Serves commands on 'server' until one of them ends that, and then ends the
 * process. */
static void
serve(struct unixctl_server *server)
{
    struct engine_options options = {
        .ovs_remote = "unix:/nonexistent/db.sock",
        .pin_dir = "commands", .dry_run = true };
    struct commands commands = { .exiting = false };
    struct engine *engine;

    if (engine_create(&options, &engine)) {
        _exit(SERVER_ERROR);
    }
    commands_register(&commands, engine);
    while (!commands.exiting) {
        if (engine_run(engine)) {
            _exit(SERVER_ERROR);
        }
        unixctl_server_run(server);
        engine_wait(engine);
        unixctl_server_wait(server);
        if (commands.exiting) {
            poll_immediate_wake();
        }
        poll_block();
    }
    engine_destroy(engine);
    commands_reply(&commands, commands.cleanup ? "a port" : NULL);
    commands_reply(&commands, "nobody is left to hear this");
    unixctl_server_destroy(server);
    _exit(commands.cleanup ? SERVER_CLEANUP : SERVER_EXIT);
}

/* Starts a server. */
static int
setup(void **state)
{
    struct fixture *f = xzalloc(sizeof *f);

    ovs_strlcpy(f->dir, "/tmp/test-commands-XXXXXX", sizeof f->dir);
    assert_non_null(mkdtemp(f->dir));
    f->path = xasprintf("%s/ctl", f->dir);
    assert_int_equal(unixctl_server_create(f->path, &f->server), 0);
    f->pid = fork();
    assert_true(f->pid >= 0);
    if (!f->pid) {
        serve(f->server);
    }
    *state = f;
    return 0;
}

/* Ends the server, if it runs, and removes what it leaves. */
static int
teardown(void **state)
{
    struct fixture *f = *state;

    if (f->pid > 0) {
        kill(f->pid, SIGKILL);
        waitpid(f->pid, NULL, 0);
    }
    unixctl_server_destroy(f->server);
    unlink(f->path);
    rmdir(f->dir);
    free(f->path);
    free(f);
    return 0;
}

/* Asks the server of 'f' for 'command' with the argument 'arg', unless that is
 * NULL.  Returns the reply, or the error preceded by "!".  The caller frees
 * it. */
static char *
ask(const struct fixture *f, const char *command, const char *arg)
{
    char *args[] = { CONST_CAST(char *, arg) };
    char *result, *error, *answer;
    struct jsonrpc *client;

    assert_int_equal(unixctl_client_create(f->path, &client), 0);
    assert_int_equal(unixctl_client_transact(client, command, arg ? 1 : 0,
                                             args, &result, &error), 0);
    jsonrpc_close(client);
    answer = error ? xasprintf("!%s", error) : nullable_xstrdup(result);
    free(result);
    free(error);
    return answer ? answer : xstrdup("");
}

/* Checks that the answer to 'command' with 'arg' begins with 'expected', and
 * is empty if that is. */
static void
check(const struct fixture *f, const char *command, const char *arg,
      const char *expected)
{
    char *answer = ask(f, command, arg);

    if (!expected[0]) {
        assert_string_equal(answer, "");
    }
    answer[MIN(strlen(answer), strlen(expected))] = '\0';
    assert_string_equal(answer, expected);
    free(answer);
}

/* Checks that the server ends by itself, with 'status'. */
static void
check_end(struct fixture *f, int status)
{
    int result;

    assert_int_equal(waitpid(f->pid, &result, 0), f->pid);
    f->pid = 0;
    assert_true(WIFEXITED(result));
    assert_int_equal(WEXITSTATUS(result), status);
}

/* The commands that operators of ovn-controller know. */
static void
test_commands(void **state)
{
    struct fixture *f = *state;
    char *list;

    check(f, "connection-status", NULL, "not connected");
    check(f, "recompute", NULL, "");
    check(f, "sb-cluster-state-reset", NULL, "");
    check(f, "recompute", "now", "!");
    check(f, "acl/settle", NULL, "");
    check(f, "acl/settle", "now", "!");
    check(f, "no-such-command", NULL, "!");

    list = ask(f, "list-commands", NULL);
    assert_non_null(strstr(list, "exit"));
    assert_non_null(strstr(list, "[--cleanup]"));
    assert_non_null(strstr(list, "version"));
    free(list);
}

/* A plain exit is answered, and leaves the datapath in place. */
static void
test_exit(void **state)
{
    struct fixture *f = *state;

    check(f, "exit", "--clean", "!the only argument is --cleanup");
    check(f, "connection-status", NULL, "not connected");
    check(f, "exit", NULL, "");
    check_end(f, SERVER_EXIT);
}

/* "exit --cleanup" says so, and what could not be removed. */
static void
test_cleanup(void **state)
{
    struct fixture *f = *state;

    check(f, "exit", "--cleanup", "!a port");
    check_end(f, SERVER_CLEANUP);
}

/* Runs the tests. */
int
main(void)
{
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)
    static const struct CMUnitTest tests[] = {
        TEST(test_commands),
        TEST(test_exit),
        TEST(test_cleanup),
    };
#undef TEST

    vlog_set_levels(NULL, VLF_CONSOLE, VLL_OFF);
    return cmocka_run_group_tests_name("commands", tests, NULL, NULL);
}
