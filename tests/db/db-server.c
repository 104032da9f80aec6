/* SPDX-License-Identifier: Apache-2.0 */
/* Starts, stops and feeds ovsdb-server processes; see db-server.h.
 *
 * Everything asserts with cmocka, so a test that cannot set up its server
 * fails and says which command went wrong. */
#include <config.h>

#include "tests/db/db-server.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "fatal-signal.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/vlog.h"
#include "util.h"

/* One database and its server. */
struct db_server {
    char *db_name;              /* Name of the database in its schema. */
    char *file;                 /* Database file. */
    char *socket;               /* Where the server listens. */
    char *remote;               /* The same as a remote. */
    pid_t pid;                  /* Server, or 0 while it is stopped. */
};

/* Runs 'argv', which ends with NULL, and appends what it prints on either
 * output to 'out'.  Returns its wait status, or -1 if it could not be
 * started. */
static int
run_program(const char *const argv[], struct ds *out)
{
    int fds[2];
    assert_int_equal(pipe(fds), 0);

    pid_t pid = fork();
    assert_true(pid >= 0);
    if (!pid) {
        dup2(fds[1], STDOUT_FILENO);
        dup2(fds[1], STDERR_FILENO);
        close(fds[0]);
        close(fds[1]);
        execvp(argv[0], (char *const *) argv);
        _exit(127);
    }
    close(fds[1]);

    char buffer[4096];
    ssize_t n;
    while ((n = read(fds[0], buffer, sizeof buffer)) > 0
           || (n < 0 && errno == EINTR)) {
        if (n > 0) {
            ds_put_buffer(out, buffer, n);
        }
    }
    close(fds[0]);

    int status;
    while (waitpid(pid, &status, 0) < 0) {
        assert_int_equal(errno, EINTR);
    }
    return status == 127 << 8 ? -1 : status;
}

/* Runs 'argv', fails the test if that fails, and returns what it printed. */
static char *
run_or_fail(const char *const argv[])
{
    struct ds out = DS_EMPTY_INITIALIZER;

    if (run_program(argv, &out)) {
        fail_msg("%s %s failed: %s", argv[0], argv[1], ds_cstr(&out));
    }
    return ds_steal_cstr(&out);
}

/* Returns the name of a program that these tests need and that is not
 * installed, or NULL if all are there. */
static const char *
missing_tool(void)
{
    static const char *const tools[] = {
        "ovsdb-server", "ovsdb-client", "ovsdb-tool", "ovs-appctl",
        "python3",
    };

    for (size_t i = 0; i < ARRAY_SIZE(tools); i++) {
        const char *const argv[] = { tools[i], "--version", NULL };
        struct ds out = DS_EMPTY_INITIALIZER;
        int status = run_program(argv, &out);

        ds_destroy(&out);
        if (status < 0) {
            return tools[i];
        }
    }
    return NULL;
}

/* Prepares a test program with the command line 'argv', whose length 'argc' is
 * of no use.  Returns true if it can run; otherwise says why not, for an exit
 * with status 77. */
bool
db_test_init(int argc OVS_UNUSED, char *argv[])
{
    const char *missing = missing_tool();

    set_program_name(argv[0]);
    fatal_ignore_sigpipe();
    vlog_set_levels(NULL, VLF_CONSOLE, VLL_ERR);
    if (missing) {
        printf("%s is not installed\n", missing);
    }
    return !missing;
}

/* Creates a new folder for the files of one test, and returns its name. */
char *
db_temp_dir(void)
{
    const char *parent = getenv("OVN_XDP_TMP");
    char *dir = xasprintf("%s/db.XXXXXX", parent ? parent : "/tmp");

    assert_non_null(mkdtemp(dir));
    return dir;
}

/* Removes the folder 'dir' with all that is in it, and frees its name. */
void
db_remove_dir(char *dir)
{
    const char *const argv[] = { "rm", "-rf", dir, NULL };

    free(run_or_fail(argv));
    free(dir);
}

/* Returns a server, not started, whose files lie in 'dir' and are named after
 * 'name', which must be unique there. */
struct db_server *
db_server_create(const char *dir, const char *name)
{
    struct db_server *server = xzalloc(sizeof *server);

    server->file = xasprintf("%s/%s.db", dir, name);
    server->socket = xasprintf("%s/%s.sock", dir, name);
    server->remote = xasprintf("unix:%s", server->socket);
    return server;
}

/* Stops 'server', if it runs, and frees it; its files stay. */
void
db_server_destroy(struct db_server *server)
{
    if (server) {
        db_server_stop(server);
        free(server->db_name);
        free(server->file);
        free(server->socket);
        free(server->remote);
        free(server);
    }
}

/* Finds out the name of the database in the file of 'server'. */
static void
read_db_name(struct db_server *server)
{
    const char *const argv[] = {
        "ovsdb-tool", "db-name", server->file, NULL
    };

    free(server->db_name);
    server->db_name = run_or_fail(argv);
    server->db_name[strcspn(server->db_name, "\n")] = '\0';
}

/* Makes the database of 'server' a copy of the file 'name' in the folder of
 * fixtures. */
void
db_server_use_fixture(struct db_server *server, const char *name)
{
    const char *srcdir = getenv("OVN_XDP_SRCDIR");
    char *from = xasprintf("%s/tests/db/fixtures/%s", srcdir ? srcdir : ".",
                           name);
    const char *const copy[] = { "cp", from, server->file, NULL };
    const char *const writable[] = { "chmod", "u+w", server->file, NULL };

    free(run_or_fail(copy));
    free(run_or_fail(writable));
    free(from);
    read_db_name(server);
}

/* Returns the contents of the file 'name' of tests/db/golden; the caller frees
 * it. */
char *
db_read_golden(const char *name)
{
    const char *srcdir = getenv("OVN_XDP_SRCDIR");
    char *path = xasprintf("%s/tests/db/golden/%s", srcdir ? srcdir : ".",
                           name);
    const char *const argv[] = { "cat", path, NULL };
    char *text = run_or_fail(argv);

    free(path);
    return text;
}

/* Makes the database of 'server' an empty one of the file 'schema'. */
void
db_server_use_schema(struct db_server *server, const char *schema)
{
    const char *const argv[] = {
        "ovsdb-tool", "create", server->file, schema, NULL
    };

    free(run_or_fail(argv));
    read_db_name(server);
}

/* Writes the schema of the database of 'server' with 'edits', which end with
 * NULL, into a new file beside it, and returns the name of that. */
static char *
write_schema(const struct db_server *server, const char *const edits[])
{
    static const char script[] =
        "import json, sys\n"
        "db, out, *edits = sys.argv[1:]\n"
        "with open(db) as f:\n"
        "    f.readline()\n"
        "    schema = json.loads(f.readline())\n"
        "for edit in edits:\n"
        "    table, _, column = edit[1:].partition('.')\n"
        "    columns = schema['tables'][table]['columns']\n"
        "    if not column:\n"
        "        del schema['tables'][table]\n"
        "    elif edit[0] == '-':\n"
        "        del columns[column]\n"
        "    else:\n"
        "        columns[column] = {'type': 'string'}\n"
        "schema.pop('cksum', None)\n"
        "with open(out, 'w') as f:\n"
        "    json.dump(schema, f)\n";
    char *name = xasprintf("%s.ovsschema", server->file);
    const char *argv[32] = {
        "python3", "-c", script, server->file, name
    };

    for (size_t i = 0; edits[i]; i++) {
        assert_true(i + 6 < ARRAY_SIZE(argv));
        argv[i + 5] = edits[i];
    }
    free(run_or_fail(argv));
    return name;
}

/* Changes the schema of the database of 'server', which is stopped, by
 * 'edits': "-Table.column" drops a column, "+Table.column" adds one, and
 * "-Table" drops a table.  The list ends with NULL. */
void
db_server_edit_schema(struct db_server *server, const char *const edits[])
{
    char *schema = write_schema(server, edits);
    const char *const argv[] = {
        "ovsdb-tool", "convert", server->file, schema, NULL
    };

    free(run_or_fail(argv));
    free(schema);
}

/* Changes the schema of the database of 'server', which runs, by 'edits' as
 * db_server_edit_schema() does. */
void
db_server_convert(const struct db_server *server, const char *const edits[])
{
    char *schema = write_schema(server, edits);
    const char *const argv[] = {
        "ovsdb-client", "convert", server->remote, schema, NULL
    };

    free(run_or_fail(argv));
    free(schema);
}

/* In a child process, becomes the server of 'server', with its log going to
 * 'log_fd'.  The server dies with the test. */
static void
exec_server(const struct db_server *server, int log_fd)
{
    char *remote = xasprintf("--remote=punix:%s", server->socket);
    char *unixctl = xasprintf("--unixctl=%s.ctl", server->file);

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGXFSZ, SIG_IGN);
    dup2(log_fd, STDERR_FILENO);
    execlp("ovsdb-server", "ovsdb-server", remote, unixctl, "--no-chdir",
           "-vconsole:off", "-vovsdb_server:console:info", server->file,
           NULL);
    _exit(127);
}

/* Starts 'server' and waits until it listens, which it logs. */
void
db_server_start(struct db_server *server)
{
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(server->pid, 0);

    server->pid = fork();
    assert_true(server->pid >= 0);
    if (!server->pid) {
        close(fds[0]);
        exec_server(server, fds[1]);
    }
    close(fds[1]);

    FILE *log = fdopen(fds[0], "r");
    char line[1024];
    bool ready = false;
    while (!ready && fgets(line, sizeof line, log)) {
        ready = strstr(line, "(Open vSwitch)") != NULL;
    }
    fclose(log);
    if (!ready) {
        fail_msg("ovsdb-server did not start: %s", line);
    }
}

/* Stops 'server', if it runs, and waits until it is gone. */
void
db_server_stop(struct db_server *server)
{
    if (server->pid) {
        kill(server->pid, SIGTERM);
        while (waitpid(server->pid, NULL, 0) < 0 && errno == EINTR) {
            continue;
        }
        server->pid = 0;
    }
}

/* Makes 'server', which runs, answer nothing while 'paused'. */
void
db_server_pause(const struct db_server *server, bool paused)
{
    kill(server->pid, paused ? SIGSTOP : SIGCONT);
}

/* Makes 'server', which runs, close all connections and accept new ones. */
void
db_server_disconnect_all(const struct db_server *server)
{
    char *ctl = xasprintf("%s.ctl", server->file);
    const char *const argv[] = {
        "ovs-appctl", "-t", ctl, "ovsdb-server/reconnect", NULL
    };

    free(run_or_fail(argv));
    free(ctl);
}

/* Makes 'server', which runs, fail to write to its file if 'limited', and able
 * to write again if not. */
void
db_server_limit_file(const struct db_server *server, bool limited)
{
    struct rlimit limit;

    assert_int_equal(prlimit(server->pid, RLIMIT_FSIZE, NULL, &limit), 0);
    limit.rlim_cur = limited ? 1 : limit.rlim_max;
    assert_int_equal(prlimit(server->pid, RLIMIT_FSIZE, &limit, NULL), 0);
}

/* Returns where 'server' listens, as a remote for clients. */
const char *
db_server_remote(const struct db_server *server)
{
    return server->remote;
}

/* Runs on 'server' the transaction of which 'format' and its arguments give
 * the operations, in JSON but with single quotes for double ones.  Returns the
 * reply; the caller frees it. */
static char *
transact_valist(const struct db_server *server, const char *format,
                va_list args)
{
    char *operations = xvasprintf(format, args);
    for (char *p = operations; *p; p++) {
        *p = *p == '\'' ? '"' : *p;
    }

    char *json = xasprintf("[\"%s\",%s]", server->db_name, operations);
    const char *const argv[] = {
        "ovsdb-client", "--timeout=20", "transact", server->remote, json, NULL
    };
    char *reply = run_or_fail(argv);
    if (strstr(reply, "\"error\"")) {
        fail_msg("%s: %s", operations, reply);
    }
    free(json);
    free(operations);
    return reply;
}

/* As transact_valist(). */
char *
db_server_transact(const struct db_server *server, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    char *reply = transact_valist(server, format, args);
    va_end(args);
    return reply;
}

/* As db_server_transact(), without a reply. */
void
db_server_exec(const struct db_server *server, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    free(transact_valist(server, format, args));
    va_end(args);
}
