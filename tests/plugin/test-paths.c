/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of plugin/paths.c.  Each look is in a process of its own, since the
 * answers are kept. */

#include <config.h>

#include "plugin/paths.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "util.h"

/* Folder for files of the tests. */
static char dir[] = "/tmp/test-paths-XXXXXX";

/* Returns the chassis name of the override file, or "none". */
static const char *
override(void)
{
    const char *id = read_system_id_override();
    return id ? id : "none";
}

/* Writes what 'get' returns with 'variable' set to 'value', or unset if that
 * is NULL, to 'fd'; and again after the variable has changed.  Ends the
 * process. */
static void
tell(int fd, const char *(*get)(void), const char *variable, const char *value)
{
    const char *first;
    char *both;

    if (value) {
        setenv(variable, value, 1);
    } else {
        unsetenv(variable);
    }
    first = get();
    setenv(variable, "/changed", 1);
    both = xasprintf("%s|%s", first, get == override ? first : get());
    ignore(write(fd, both, strlen(both)));
    _exit(0);
}

/* Checks that 'get' returns 'expected' with 'variable' set to 'value', and the
 * same after that has changed. */
static void
check(const char *(*get)(void), const char *variable, const char *value,
      const char *expected)
{
    char text[512] = "";
    char *twice = xasprintf("%s|%s", expected, expected);
    int fds[2];
    pid_t pid;

    assert_int_equal(pipe(fds), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (!pid) {
        tell(fds[1], get, variable, value);
    }
    close(fds[1]);
    assert_true(read(fds[0], text, sizeof text - 1) >= 0);
    close(fds[0]);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_string_equal(text, twice);
    free(twice);
}

/* Each folder: from its own variable, else as configured. */
static void
test_folders(void **state OVS_UNUSED)
{
    static const struct {
        const char *(*get)(void); /* Function. */
        const char *variable;   /* Of the environment. */
        const char *otherwise;  /* As configured. */
    } cases[] = {
        { ovn_rundir, "OVN_RUNDIR", DEFAULT_OVN_RUNDIR },
        { ovn_logdir, "OVN_LOGDIR", DEFAULT_OVN_LOGDIR },
        { ovn_sysconfdir, "OVN_SYSCONFDIR", DEFAULT_OVN_SYSCONFDIR },
        { ovs_vswitchd_rundir, "OVS_RUNDIR", DEFAULT_OVS_RUNDIR },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const char *otherwise = cases[i].otherwise;

        check(cases[i].get, cases[i].variable, "/some/where", "/some/where");
        check(cases[i].get, cases[i].variable, "", otherwise);
        check(cases[i].get, cases[i].variable, NULL, otherwise);
        for (size_t j = 0; j < ARRAY_SIZE(cases); j++) {
            if (i != j) {
                check(cases[i].get, cases[j].variable, "/some/where",
                      otherwise);
            }
        }
        assert_true(otherwise[0] == '/');
    }
}

/* Makes 'text' the override file, or removes that if 'text' is NULL. */
static void
write_override(const char *text)
{
    char *name = xasprintf("%s/system-id-override", dir);

    unlink(name);
    if (text) {
        FILE *file = fopen(name, "w");

        assert_non_null(file);
        assert_true(fputs(text, file) >= 0);
        assert_int_equal(fclose(file), 0);
    }
    free(name);
}

/* The override file: its first line. */
static void
test_override(void **state OVS_UNUSED)
{
    static const char *const cases[][2] = {
        { NULL, "none" },
        { "", "none" },
        { "\n", "none" },
        { "\nhv1\n", "none" },
        { "hv1", "hv1" },
        { "hv1\n", "hv1" },
        { "hv1\r\n", "hv1" },
        { "hv1\nhv2\n", "hv1" },
        { "hv 1\n", "hv 1" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        write_override(cases[i][0]);
        check(override, "OVN_SYSCONFDIR", dir, cases[i][1]);
    }
    write_override(NULL);
}

/* Runs the tests. */
int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_folders),
        cmocka_unit_test(test_override),
    };
    int failed;

    if (!mkdtemp(dir)) {
        perror(dir);
        return 1;
    }
    failed = cmocka_run_group_tests_name("paths", tests, NULL, NULL);
    rmdir(dir);
    return failed;
}
