/* SPDX-License-Identifier: Apache-2.0 */
/* A network namespace of its own for a test program.
 *
 * It has no name: the kernel removes it, with all devices, when the last
 * process in it ends, however that comes.  It must be entered before anything
 * opens a socket, since OVS keeps its netlink sockets. */
#include <config.h>

#include "tests/plugin/netns.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "openvswitch/dynamic-string.h"
#include "util.h"

/* Exit status of a test that cannot run here. */
#define SKIP_STATUS 77

/* Moves this process into a new network namespace, or ends it as skipped. */
void
netns_enter(void)
{
    if (unshare(CLONE_NEWNET)) {
        printf("needs root: cannot make a network namespace (%s)\n",
               ovs_strerror(errno));
        exit(SKIP_STATUS);
    }
    netns_run("ip link set lo up");
}

/* Starts a process that does nothing in a second network namespace. */
pid_t
netns_fork(void)
{
    int fds[2];
    pid_t pid;
    char c;

    if (pipe(fds)) {
        ovs_abort(errno, "pipe");
    }
    fflush(NULL);
    pid = fork();
    if (pid < 0) {
        ovs_abort(errno, "fork");
    } else if (!pid) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (!unshare(CLONE_NEWNET) && write(fds[1], "x", 1) == 1) {
            pause();
        }
        _exit(1);
    }
    close(fds[1]);
    if (read(fds[0], &c, 1) != 1) {
        ovs_abort(0, "no second network namespace");
    }
    close(fds[0]);
    return pid;
}

/* Ends the process of netns_fork(), and so its namespace. */
void
netns_reap(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

/* Runs a command of the shell.  Returns true if it succeeded. */
static bool
run(const char *command)
{
    fflush(NULL);
    return !system(command);
}

/* Runs a command that must succeed. */
void
netns_run(const char *format, ...)
{
    va_list args;
    char *command;

    va_start(args, format);
    command = xvasprintf(format, args);
    va_end(args);
    if (!run(command)) {
        ovs_abort(0, "failed: %s", command);
    }
    free(command);
}

/* Runs a command that may fail, without its complaints.  Returns true if it
 * succeeded. */
bool
netns_try(const char *format, ...)
{
    va_list args;
    char *command, *quiet;
    bool ok;

    va_start(args, format);
    command = xvasprintf(format, args);
    va_end(args);
    quiet = xasprintf("{ %s; } >/dev/null 2>&1", command);
    ok = run(quiet);
    free(quiet);
    free(command);
    return ok;
}

/* Returns what a command that must succeed prints; the caller frees it. */
char *
netns_read(const char *format, ...)
{
    struct ds output = DS_EMPTY_INITIALIZER;
    va_list args;
    char *command, line[512];
    FILE *stream;

    va_start(args, format);
    command = xvasprintf(format, args);
    va_end(args);
    fflush(NULL);
    stream = popen(command, "r");
    if (!stream) {
        ovs_abort(errno, "%s", command);
    }
    while (fgets(line, sizeof line, stream)) {
        ds_put_cstr(&output, line);
    }
    if (pclose(stream)) {
        ovs_abort(0, "failed: %s", command);
    }
    free(command);
    return ds_steal_cstr(&output);
}

/* Deletes all devices that can be deleted. */
void
netns_clean(void)
{
    netns_run("for d in $(ip -o link | cut -d: -f2 | cut -d@ -f1); do "
              "ip link del $d 2>/dev/null; done; true");
}
