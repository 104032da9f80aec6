/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of rpc/listen.c, as far as they need no server: what becomes of the
 * file where the system does not play along.  This program brings functions
 * of the C library of its own for that. */

#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "openvswitch/poll-loop.h"
#include "timeval.h"
#include "util.h"

#include "rpc/listen.h"

/* How many more renames fail. */
static int rename_failures;

/* A file that takes the place of the next socket file, by a symbolic link, or
 * NULL. */
static const char *victim;

/* The path of the socket file. */
static char *path;

/* Stands for that of the C library. */
int
rename(const char *from, const char *to)
{
    if (rename_failures) {
        rename_failures--;
        errno = EBUSY;
        return -1;
    }
    return renameat(AT_FDCWD, from, AT_FDCWD, to);
}

/* Stands for that of the C library. */
int
bind(int fd, const struct sockaddr *address, socklen_t length)
{
    int status = syscall(SYS_bind, fd, address, length);

    if (!status && victim) {
        assert_int_equal(unlink(path), 0);
        assert_int_equal(symlink(victim, path), 0);
        victim = NULL;
    }
    return status;
}

/* Stands for that of the C library: each group is one that this process may
 * give files to, another than that of its files where it is root. */
struct group *
getgrnam(const char *name OVS_UNUSED)
{
    static struct group group;

    group.gr_gid = geteuid() ? getegid() : getegid() + 1;
    return &group;
}

/* Creates a listener in the folder of this test. */
static int
setup(void **state)
{
    const char *folder = getenv("OVN_XDP_TMP");
    struct rpc_listener *l;

    path = xasprintf("%s/listen.%d", folder ? folder : "/tmp",
                     (int) getpid());
    assert_int_equal(rpc_listener_create(path, &l), 0);
    *state = l;
    return 0;
}

/* Removes it. */
static int
teardown(void **state)
{
    rpc_listener_destroy(*state);
    free(path);
    return 0;
}

/* Waits until 'l' has something to do, and has it act on it.  Returns true if
 * there is a new socket file. */
static bool
run(struct rpc_listener *l)
{
    int old;

    rpc_listener_wait(l);
    poll_block();
    old = rpc_listener_run(l);
    if (old >= 0) {
        close(old);
    }
    return old >= 0;
}

/* Succeeds if the file is a socket of the right group and mode. */
static void
check_file(void)
{
    struct stat st;

    assert_int_equal(lstat(path, &st), 0);
    assert_true(S_ISSOCK(st.st_mode));
    assert_int_equal(st.st_mode & 07777, 0660);
    assert_int_equal(st.st_gid, getgrnam("")->gr_gid);
}

/* A file that could not be made anew is looked after all the same. */
static void
test_failed_repair(void **state)
{
    struct rpc_listener *l = *state;

    check_file();
    assert_int_equal(chmod(path, 0600), 0);
    for (rename_failures = 3; rename_failures; ) {
        assert_false(run(l));
    }

    /* Somebody puts it right, and then somebody changes it again. */
    assert_int_equal(chmod(path, 0660), 0);
    assert_false(run(l));
    assert_int_equal(chmod(path, 0600), 0);
    while (!run(l)) {
        continue;
    }
    check_file();
}

/* A file that is gone and cannot be made anew is tried again, though nothing
 * tells of it any more; but not all the time. */
static void
test_try_again(void **state)
{
    struct rpc_listener *l = *state;
    long long int begin = time_msec();
    int n = 0;

    rename_failures = 2;
    assert_int_equal(unlink(path), 0);
    while (!run(l)) {
        n++;
    }
    assert_true(time_msec() - begin >= 2000);
    assert_true(n < 10);
    check_file();
}

/* The file of somebody else in the place of the socket is left alone, also at
 * the end. */
static void
test_other_file(void **state)
{
    struct rpc_listener *l = *state;
    int fd;

    assert_int_equal(unlink(path), 0);
    fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_false(run(l));
    rpc_listener_destroy(l);
    close(fd);
    assert_int_equal(unlink(path), 0);
    *state = NULL;
}

/* A symbolic link in the place of the socket file is not followed. */
static void
test_link(void **state)
{
    char *file = xasprintf("%s.victim", path);
    struct stat before, after;
    struct rpc_listener *l;

    close(open(file, O_CREAT | O_WRONLY, 0600));
    assert_int_equal(stat(file, &before), 0);
    rpc_listener_destroy(*state);
    *state = NULL;
    victim = file;
    assert_int_equal(rpc_listener_create(path, &l), 0);
    assert_null(victim);
    assert_int_equal(stat(file, &after), 0);
    assert_int_equal(after.st_mode, before.st_mode);
    assert_int_equal(after.st_gid, before.st_gid);
    unlink(file);
    free(file);
    *state = l;
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)

int
main(int argc OVS_UNUSED, char *argv[])
{
    const struct CMUnitTest tests[] = {
        TEST(test_failed_repair),
        TEST(test_try_again),
        TEST(test_other_file),
        TEST(test_link),
    };

    ovs_set_program_name(argv[0], "0");
    return cmocka_run_group_tests_name("listen", tests, NULL, NULL);
}
