/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of rpc/server.c, rpc/conn.c and rpc/listen.c over a real socket.
 *
 * Server and clients share this process: pump() lets the server run once and
 * then waits for whatever comes first. */

#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "openvswitch/dynamic-string.h"
#include "openvswitch/poll-loop.h"
#include "socket-util.h"
#include "timeval.h"
#include "util.h"

#include "rpc/limits.h"
#include "rpc/server.h"
#include "tests/rpc/fake-view.h"

#define CALL(METHOD, ID) \
    "{\"jsonrpc\":\"2.0\",\"method\":\"" METHOD "\",\"id\":" ID "}"
#define HEALTH(ID) CALL("health.get", ID)
#define HEALTH_REPLY(ID) \
    "{\"jsonrpc\":\"2.0\",\"result\":{\"status\":\"ok\",\"reasons\":[]," \
    "\"problems\":[]},\"id\":" ID "}\n"

/* A server and what it is about. */
struct fixture {
    char *path;                 /* Socket file. */
    struct view view;           /* What it shows. */
    struct rpc_server *server;  /* The server. */
};

/* The end of a connection that the test holds. */
struct client {
    int fd;                     /* Non-blocking socket. */
    struct ds in;               /* Received and not looked at yet. */
    bool eof;                   /* The server has closed it. */
    bool deaf;                  /* Does not read. */
};

/* Creates a fixture in the folder of this test. */
static int
setup(void **state)
{
    const char *folder = getenv("OVN_XDP_TMP");
    struct fixture *f = xzalloc(sizeof *f);

    f->path = xasprintf("%s/rpc.%d", folder ? folder : "/tmp",
                        (int) getpid());
    assert_int_equal(rpc_server_create(f->path, &f->view, &f->server), 0);
    *state = f;
    return 0;
}

/* Frees a fixture. */
static int
teardown(void **state)
{
    struct fixture *f = *state;

    rpc_server_destroy(f->server);
    assert_int_equal(access(f->path, F_OK), -1);
    free(f->path);
    free(f);
    return 0;
}

/* Connects 'client' to 'f'. */
static void
client_open(struct client *client, const struct fixture *f)
{
    memset(client, 0, sizeof *client);
    client->fd = make_unix_socket(SOCK_STREAM, true, NULL, f->path);
    assert_true(client->fd > 0);
    ds_init(&client->in);
}

/* Ends the connection of 'client'. */
static void
client_close(struct client *client)
{
    close(client->fd);
    ds_destroy(&client->in);
}

/* Reads what there is for 'client'. */
static void
client_read(struct client *client)
{
    while (!client->eof && !client->deaf) {
        char buffer[65536];
        ssize_t n = recv(client->fd, buffer, sizeof buffer, 0);

        if (n > 0) {
            ds_put_buffer(&client->in, buffer, n);
        } else if (!n || errno == ECONNRESET) {
            client->eof = true;
        } else {
            assert_int_equal(errno, EAGAIN);
            return;
        }
    }
}

/* Lets the server run once and 'client' read, then waits for an event, which
 * for the client may be 'events'. */
static void
pump(struct fixture *f, struct client *client, short int events)
{
    size_t had = client->in.length;

    rpc_server_run(f->server);
    client_read(client);
    if (client->eof || client->in.length != had) {
        return;
    }
    rpc_server_wait(f->server);
    poll_fd_wait(client->fd, (client->deaf ? 0 : POLLIN) | events);
    poll_block();
}

/* Sends the 'n' bytes at 'data' while the server runs.  Returns false if it
 * will not take them all. */
static bool
client_send_bytes(struct fixture *f, struct client *client, const char *data,
                  size_t n)
{
    while (n > 0) {
        ssize_t sent = send(client->fd, data, n, MSG_NOSIGNAL);

        if (sent > 0) {
            data += sent;
            n -= sent;
        } else if (errno != EAGAIN) {
            return false;
        } else {
            pump(f, client, POLLOUT);
        }
    }
    return true;
}

/* Sends string 's'. */
static void
client_send(struct fixture *f, struct client *client, const char *s)
{
    assert_true(client_send_bytes(f, client, s, strlen(s)));
}

/* Returns the next line that 'client' gets, or NULL at the end; the caller
 * frees it. */
static char *
client_line(struct fixture *f, struct client *client)
{
    for (;;) {
        char *text = ds_cstr(&client->in);
        char *end = strchr(text, '\n');

        if (end) {
            char *line = xmemdup0(text, end + 1 - text);

            client->in.length -= strlen(line);
            memmove(text, end + 1, client->in.length + 1);
            return line;
        }
        if (client->eof) {
            assert_int_equal(client->in.length, 0);
            return NULL;
        }
        pump(f, client, 0);
    }
}

/* Checks that the next line for 'client' is 'expected'. */
static void
check_line(struct fixture *f, struct client *client, const char *expected)
{
    char *line = client_line(f, client);

    assert_non_null(line);
    assert_string_equal(line, expected);
    free(line);
}

/* Checks that the next line for 'client' is an error of 'class'. */
static void
check_error(struct fixture *f, struct client *client, const char *class)
{
    char *wanted = xasprintf("\"data\":{\"class\":\"%s\"}},\"id\":null}\n",
                             class);
    char *line = client_line(f, client);

    assert_non_null(line);
    assert_non_null(strstr(line, wanted));
    free(line);
    free(wanted);
}

/* Checks that 'client' is disconnected without another reply. */
static void
check_eof(struct fixture *f, struct client *client)
{
    assert_null(client_line(f, client));
}

/* The file has its mode whatever the umask is, and no one else may bind. */
static void
test_socket_file(void **state)
{
    static const mode_t masks[] = { 0, 0077, 0777 };
    struct rpc_server *second = NULL;
    struct fixture *f = *state;
    struct stat st;
    size_t i;

    assert_int_equal(rpc_server_create(f->path, &f->view, &second),
                     EADDRINUSE);
    assert_null(second);
    for (i = 0; i < ARRAY_SIZE(masks); i++) {
        mode_t old = umask(masks[i]);

        rpc_server_destroy(f->server);
        f->server = NULL;
        assert_int_equal(rpc_server_create(f->path, &f->view, &f->server), 0);
        umask(old);
        assert_int_equal(stat(f->path, &st), 0);
        assert_true(S_ISSOCK(st.st_mode));
        assert_int_equal(st.st_mode & 07777, 0660);
    }
}

/* Lets the server run until the file of 'f' is a socket of the right mode and
 * not the one of 'before'. */
static void
await_new_file(struct fixture *f, const struct stat *before)
{
    struct stat st;

    while (stat(f->path, &st) || st.st_ino == before->st_ino) {
        rpc_server_wait(f->server);
        poll_block();
        rpc_server_run(f->server);
    }
    assert_true(S_ISSOCK(st.st_mode));
    assert_int_equal(st.st_mode & 07777, 0660);
}

/* Whoever changes or removes the file gets a new one; nobody who is connected
 * or about to be notices. */
static void
test_changed_file(void **state)
{
    struct fixture *f = *state;
    struct client early, late, new;
    struct stat st;

    client_open(&early, f);
    client_send(f, &early, HEALTH("1"));
    check_line(f, &early, HEALTH_REPLY("1"));
    client_open(&late, f);      /* Nobody has accepted this one yet. */

    assert_int_equal(stat(f->path, &st), 0);
    assert_int_equal(chmod(f->path, 0600), 0);
    await_new_file(f, &st);
    client_open(&new, f);
    client_send(f, &new, HEALTH("2"));
    check_line(f, &new, HEALTH_REPLY("2"));
    client_send(f, &late, HEALTH("3"));
    check_line(f, &late, HEALTH_REPLY("3"));
    client_send(f, &early, HEALTH("4"));
    check_line(f, &early, HEALTH_REPLY("4"));
    client_close(&new);

    assert_int_equal(stat(f->path, &st), 0);
    assert_int_equal(unlink(f->path), 0);
    await_new_file(f, &st);
    client_open(&new, f);
    client_send(f, &new, HEALTH("5"));
    check_line(f, &new, HEALTH_REPLY("5"));
    client_close(&new);
    client_close(&late);
    client_close(&early);
}

/* A socket left by a dead daemon is replaced; another file is not. */
static void
test_stale_file(void **state)
{
    struct fixture *f = *state;
    char *link = xasprintf("%s.stale", f->path);
    struct rpc_server *second = NULL;
    struct stat st;
    int fd;

    /* A second name of a socket file outlives its listener. */
    rpc_server_destroy(f->server);
    fd = make_unix_socket(SOCK_STREAM, true, f->path, NULL);
    assert_true(fd > 0);
    assert_int_equal(rename(f->path, link), 0);
    close(fd);
    assert_int_equal(rpc_server_create(link, &f->view, &second), 0);
    rpc_server_destroy(second);
    assert_int_equal(access(link, F_OK), -1);

    second = NULL;
    fd = open(link, O_CREAT | O_WRONLY, 0600);
    close(fd);
    assert_int_equal(rpc_server_create(link, &f->view, &second), EEXIST);
    assert_int_equal(stat(link, &st), 0);
    assert_true(S_ISREG(st.st_mode));
    unlink(link);
    free(link);
    assert_int_equal(rpc_server_create(f->path, &f->view, &f->server), 0);
}

/* A request may come byte by byte, and its reply comes after the last one. */
static void
test_fragments(void **state)
{
    static const char request[] = " " HEALTH("\"\xc3\xa4\"");
    struct fixture *f = *state;
    struct client client;
    size_t i;

    client_open(&client, f);
    for (i = 0; request[i]; i++) {
        assert_true(client_send_bytes(f, &client, &request[i], 1));
        rpc_server_run(f->server);
        client_read(&client);
        assert_int_equal(client.in.length > 0, !request[i + 1]);
    }
    check_line(f, &client, HEALTH_REPLY("\"\xc3\xa4\""));
    client_close(&client);
}

/* Many requests in flight are answered in their order. */
static void
test_in_flight(void **state)
{
    struct ds requests = DS_EMPTY_INITIALIZER;
    struct fixture *f = *state;
    struct client client;
    int i;

    for (i = 0; i < 1000; i++) {
        ds_put_format(&requests, HEALTH("%d") "%s", i, i % 2 ? "" : "\n");
    }
    client_open(&client, f);
    client_send(f, &client, ds_cstr(&requests));
    for (i = 0; i < 1000; i++) {
        char *reply = xasprintf(HEALTH_REPLY("%d"), i);

        check_line(f, &client, reply);
        free(reply);
    }
    assert_int_equal(client.in.length, 0);
    client_close(&client);
    ds_destroy(&requests);
}

/* A client with much to ask does not keep another from being answered. */
static void
test_fairness(void **state)
{
    struct ds requests = DS_EMPTY_INITIALIZER;
    struct client greedy, modest;
    struct fixture *f = *state;
    int i;

    for (i = 0; i < 1000; i++) {
        ds_put_cstr(&requests, HEALTH("0"));
    }
    client_open(&greedy, f);
    client_open(&modest, f);
    assert_int_equal(send(greedy.fd, requests.string, requests.length, 0),
                     requests.length);
    client_send(f, &modest, HEALTH("1"));
    rpc_server_run(f->server);
    rpc_server_run(f->server);
    client_read(&modest);
    client_read(&greedy);
    assert_string_equal(ds_cstr(&modest.in), HEALTH_REPLY("1"));
    assert_true(greedy.in.length < 500 * strlen(HEALTH_REPLY("0")));
    for (i = 0; i < 1000; i++) {
        check_line(f, &greedy, HEALTH_REPLY("0"));
    }
    client_close(&greedy);
    client_close(&modest);
    ds_destroy(&requests);
}

/* A request whose answer must be asked for waits, in its place among those of
 * its client, and keeps no other client waiting. */
static void
test_patience(void **state)
{
    struct fixture *f = *state;
    struct client slow, quick;
    char *line;
    int i;

    f->view.patience = 5;
    client_open(&slow, f);
    client_open(&quick, f);
    client_send(f, &slow,
                "[" HEALTH("1") "," CALL("nix", "2") "]" HEALTH("3"));
    for (i = 0; i < 5; i++) {
        rpc_server_run(f->server);
    }
    client_read(&slow);
    assert_int_equal(slow.in.length, 0);

    client_send(f, &quick, CALL("endpoint.list", "4"));
    line = client_line(f, &quick);
    assert_non_null(strstr(line, "203.0.113.10"));
    free(line);
    client_send(f, &quick, HEALTH("5"));
    check_line(f, &quick, HEALTH_REPLY("5"));

    line = client_line(f, &slow);
    assert_ptr_equal(strstr(line, "[{\"jsonrpc\":\"2.0\",\"result\":{"
                            "\"status\":\"ok\""), line);
    assert_non_null(strstr(line, "},\"id\":1},{"));
    assert_non_null(strstr(line, "method-not-found"));
    free(line);
    check_line(f, &slow, HEALTH_REPLY("3"));
    client_close(&slow);
    client_close(&quick);
}

/* A client that goes while its request waits is forgotten. */
static void
test_gone_while_waiting(void **state)
{
    struct fixture *f = *state;
    struct client client;

    f->view.patience = 3;
    client_open(&client, f);
    client_send(f, &client, HEALTH("1"));
    rpc_server_run(f->server);
    client_close(&client);
    client_open(&client, f);
    client_send(f, &client, HEALTH("2"));
    check_line(f, &client, HEALTH_REPLY("2"));
    client_close(&client);
}

/* A batch is answered in one line, a batch of notifications not at all. */
static void
test_batch(void **state)
{
    struct fixture *f = *state;
    struct client client;

    client_open(&client, f);
    client_send(f, &client,
                "[{\"jsonrpc\":\"2.0\",\"method\":\"health.get\"}]"
                "[{\"jsonrpc\":\"2.0\",\"method\":\"health.get\"},"
                HEALTH("1") "]");
    check_line(f, &client,
               "[{\"jsonrpc\":\"2.0\",\"result\":{\"status\":\"ok\","
               "\"reasons\":[],\"problems\":[]},\"id\":1}]\n");
    client_close(&client);
}

/* Sends 'n' bytes of one string to a new client of 'f' and expects that to be
 * too much. */
static void
check_too_large(struct fixture *f, size_t n)
{
    char *request = xmalloc(n);
    struct client client;

    memset(request, 'x', n);
    request[0] = '"';
    client_open(&client, f);
    assert_true(client_send_bytes(f, &client, request, n));
    check_error(f, &client, "request-too-large");
    check_eof(f, &client);
    client_close(&client);
    free(request);
}

/* A request beyond 256 KiB is refused; the client can send all of it and
 * still read why. */
static void
test_too_large(void **state)
{
    struct fixture *f = *state;

    check_too_large(f, RPC_MAX_REQUEST + 1);
    check_too_large(f, 300 * 1024);
    check_too_large(f, 4 * 1024 * 1024);
}

/* A refused client that goes on sending is cut off. */
static void
test_babbler(void **state)
{
    long long int limit = time_msec() + 10 * RPC_LINGER_MS;
    static const char junk[4096];
    struct fixture *f = *state;
    struct client client;

    client_open(&client, f);
    client.deaf = true;
    while (client_send_bytes(f, &client, junk, sizeof junk)) {
        assert_true(time_msec() < limit);
    }
    client.deaf = false;
    check_error(f, &client, "parse-error");
    check_eof(f, &client);
    client_close(&client);
}

/* 32 levels are read, 33 are refused. */
static void
test_too_deep(void **state)
{
    struct ds request = DS_EMPTY_INITIALIZER;
    struct fixture *f = *state;
    struct client client;

    client_open(&client, f);
    ds_put_char_multiple(&request, '[', RPC_MAX_DEPTH);
    ds_put_char_multiple(&request, ']', RPC_MAX_DEPTH);
    client_send(f, &client, ds_cstr(&request));
    check_line(f, &client,
               "[{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32600,"
               "\"message\":\"a request is an object\",\"data\":{\"class\":"
               "\"invalid-request\"}},\"id\":null}]\n");
    ds_clear(&request);
    ds_put_char_multiple(&request, '[', RPC_MAX_DEPTH + 1);
    client_send(f, &client, ds_cstr(&request));
    check_error(f, &client, "request-too-deep");
    check_eof(f, &client);
    client_close(&client);
    ds_destroy(&request);
}

/* After bytes that are not JSON nothing is answered any more. */
static void
test_unparsable(void **state)
{
    static const char *const texts[] = {
        "{\"a\":}", "hello", "{\"a\":\"\xff\"}", "}", "{'a': 1}",
    };
    struct fixture *f = *state;
    size_t i;

    for (i = 0; i < ARRAY_SIZE(texts); i++) {
        char *text = xasprintf("%s%s%s", HEALTH("1"), texts[i], HEALTH("2"));
        struct client client;

        client_open(&client, f);
        client_send(f, &client, text);
        check_line(f, &client, HEALTH_REPLY("1"));
        check_error(f, &client, "parse-error");
        check_eof(f, &client);
        client_close(&client);
        free(text);
    }
}

/* A client that has closed its sending side gets what it asked for. */
static void
test_half_open(void **state)
{
    struct fixture *f = *state;
    struct client client;

    client_open(&client, f);
    client_send(f, &client, HEALTH("1") HEALTH("2"));
    shutdown(client.fd, SHUT_WR);
    check_line(f, &client, HEALTH_REPLY("1"));
    check_line(f, &client, HEALTH_REPLY("2"));
    check_eof(f, &client);
    client_close(&client);

    client_open(&client, f);
    client_send(f, &client, "{\"jsonrpc\":");
    shutdown(client.fd, SHUT_WR);
    check_error(f, &client, "parse-error");
    check_eof(f, &client);
    client_close(&client);

    client_open(&client, f);
    shutdown(client.fd, SHUT_WR);
    check_eof(f, &client);
    client_close(&client);
}

/* Opens as many clients as there may be and checks that all are served. */
static void
fill(struct fixture *f, struct client *clients)
{
    size_t i;

    for (i = 0; i < RPC_MAX_CONNECTIONS; i++) {
        client_open(&clients[i], f);
        client_send(f, &clients[i], HEALTH("1"));
        check_line(f, &clients[i], HEALTH_REPLY("1"));
    }
}

/* The 65th client is told so; when one leaves there is room for another. */
static void
test_connections(void **state)
{
    struct client clients[RPC_MAX_CONNECTIONS];
    struct fixture *f = *state;
    struct client extra;
    size_t i;

    fill(f, clients);
    client_open(&extra, f);
    check_error(f, &extra, "too-many-connections");
    check_eof(f, &extra);
    client_close(&extra);

    client_close(&clients[0]);
    rpc_server_run(f->server);
    client_open(&clients[0], f);
    client_send(f, &clients[0], HEALTH("2"));
    check_line(f, &clients[0], HEALTH_REPLY("2"));
    for (i = 0; i < RPC_MAX_CONNECTIONS; i++) {
        client_close(&clients[i]);
    }

    /* All are gone, without a word. */
    rpc_server_run(f->server);
    fill(f, clients);
    for (i = 0; i < RPC_MAX_CONNECTIONS; i++) {
        client_close(&clients[i]);
    }
}

/* A client that does not read is disconnected once more than 16 MiB wait for
 * it, and others are served all the time. */
static void
test_slow_reader(void **state)
{
    long long int limit = time_msec() + 20 * RPC_STALL_MS;
    struct client slow, other;
    struct fixture *f = *state;
    size_t got;
    int i;

    f->view.n_more = 20000;
    client_open(&slow, f);
    client_open(&other, f);
    slow.deaf = true;
    for (i = 0; i < 10; i++) {
        client_send(f, &slow, CALL("endpoint.list", "1"));
    }
    while (send(slow.fd, " ", 1, MSG_NOSIGNAL) > 0 || errno == EAGAIN) {
        assert_true(time_msec() < limit);
        client_send(f, &other, HEALTH("1"));
        check_line(f, &other, HEALTH_REPLY("1"));
    }
    slow.deaf = false;
    client_read(&slow);
    got = slow.in.length;
    assert_true(slow.eof);
    assert_true(got < RPC_MAX_UNREAD);
    client_close(&slow);
    client_close(&other);
}

/* A reply may be larger than that for a client that reads it. */
static void
test_large_reply(void **state)
{
    struct fixture *f = *state;
    struct client client;
    char *line;

    f->view.n_more = 80000;
    client_open(&client, f);
    client_send(f, &client, CALL("endpoint.list", "1") HEALTH("2"));
    line = client_line(f, &client);
    assert_non_null(line);
    assert_true(strlen(line) > RPC_MAX_UNREAD);
    free(line);
    check_line(f, &client, HEALTH_REPLY("2"));
    client_close(&client);
}

/* Lets the server run for 'ms', and returns how often it had to. */
static int
count_wakes(struct fixture *f, int ms)
{
    long long int end = time_msec() + ms;
    int n;

    for (n = 0; time_msec() < end; n++) {
        rpc_server_run(f->server);
        rpc_server_wait(f->server);
        poll_timer_wait_until(end);
        poll_block();
    }
    return n;
}

/* 64 clients that are half way through a request, or silent, cost nothing,
 * and each is answered when it goes on. */
static void
test_silent(void **state)
{
    struct client clients[RPC_MAX_CONNECTIONS];
    static const char request[] = HEALTH("1");
    struct fixture *f = *state;
    size_t i;

    for (i = 0; i < RPC_MAX_CONNECTIONS; i++) {
        client_open(&clients[i], f);
        assert_true(client_send_bytes(f, &clients[i], request, i / 2));
        rpc_server_run(f->server);
    }
    assert_true(count_wakes(f, 200) <= 5);
    for (i = 0; i < RPC_MAX_CONNECTIONS; i++) {
        client_send(f, &clients[i], request + i / 2);
        check_line(f, &clients[i], HEALTH_REPLY("1"));
        client_close(&clients[i]);
    }
}

/* Without descriptors clients wait; they are served when there are some. */
static void
test_no_descriptors(void **state)
{
    struct fixture *f = *state;
    struct rlimit old, none;
    struct client client;
    int i;

    client_open(&client, f);
    client_send(f, &client, HEALTH("1"));
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
    none = old;
    none.rlim_cur = client.fd + 1;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    for (i = 0; i < 3; i++) {
        rpc_server_run(f->server);
    }
    client_read(&client);
    assert_int_equal(client.in.length, 0);
    assert_false(client.eof);

    /* The listening socket is readable all the time; nobody looks. */
    assert_true(count_wakes(f, RPC_ACCEPT_PAUSE_MS * 2) <= 6);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
    check_line(f, &client, HEALTH_REPLY("1"));
    client_close(&client);
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)

int
main(int argc OVS_UNUSED, char *argv[])
{
    const struct CMUnitTest tests[] = {
        TEST(test_socket_file),
        TEST(test_changed_file),
        TEST(test_stale_file),
        TEST(test_fragments),
        TEST(test_in_flight),
        TEST(test_fairness),
        TEST(test_patience),
        TEST(test_gone_while_waiting),
        TEST(test_batch),
        TEST(test_too_large),
        TEST(test_babbler),
        TEST(test_too_deep),
        TEST(test_unparsable),
        TEST(test_half_open),
        TEST(test_connections),
        TEST(test_slow_reader),
        TEST(test_large_reply),
        TEST(test_silent),
        TEST(test_no_descriptors),
    };

    ovs_set_program_name(argv[0], "0");
    return cmocka_run_group_tests_name("server", tests, NULL, NULL);
}
