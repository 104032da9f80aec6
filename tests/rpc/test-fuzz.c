/* SPDX-License-Identifier: Apache-2.0 */
/* Requests with random faults against rpc/conn.c and all below it, always the
 * same ones.  Whatever comes, each line that goes out is a reply as JSON-RPC
 * 2.0 wants it, and the connection ends when the client's side does. */

#include <config.h>

#include "rpc/conn.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <json-c/json.h>

#include "openvswitch/dynamic-string.h"
#include "timeval.h"
#include "util.h"

#include "rpc/error.h"
#include "rpc/handlers.h"
#include "tests/rpc/fake-view.h"

#define N_STREAMS 20000         /* Connections to try. */
#define MAX_FAULTS 8            /* Faults of one stream. */

/* What is right, to be made wrong. */
static const char *const seeds[] = {
    "{\"jsonrpc\":\"2.0\",\"method\":\"health.get\",\"id\":1}",
    "{\"jsonrpc\":\"2.0\",\"method\":\"rpc.hello\",\"id\":\"\\u00e4\\n\"}",
    "{\"jsonrpc\":\"2.0\",\"method\":\"endpoint.list\",\"id\":null,"
    "\"params\":{\"filter\":\"203.0.113.10\"}}",
    "{\"jsonrpc\":\"2.0\",\"method\":\"endpoint.list\",\"id\":-7,"
    "\"params\":[\"vm1\"]}",
    "[{\"jsonrpc\":\"2.0\",\"method\":\"status.get\",\"id\":1},"
    "{\"jsonrpc\":\"2.0\",\"method\":\"stats.get\"},"
    "{\"jsonrpc\":\"2.0\",\"method\":\"interface.list\",\"id\":2.5e1}]",
    "{\"jsonrpc\":\"2.0\",\"method\":\"no.such\",\"id\":3}\n"
    "{\"jsonrpc\":\"2.0\",\"method\":\"metrics.get\",\"id\":4}",
    "[[[[[[]]]]]]",
    "{\"a\":{\"b\":[true,false,null,1e5,-0.25,\"\xf0\x9f\x98\x80\"]}}",
};

/* Bytes that mean something to somebody. */
static const char bytes[] = "{}[]\",:\\ \n\t\r0123456789-+.eEtrufalsn/'x"
                            "\x7f\x80\xc0\xe2\xed\xff";

static uint64_t random_state;

/* Returns a number below 'n', the same ones in each run. */
static size_t
below(size_t n)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state % n;
}

/* Inserts the 'n' bytes at 'data' before byte 'at' of 'ds'. */
static void
insert(struct ds *ds, size_t at, const char *data, size_t n)
{
    char *copy = xmemdup(data, n);

    ds_put_uninit(ds, n);
    memmove(ds->string + at + n, ds->string + at, ds->length - n - at);
    memcpy(ds->string + at, copy, n);
    free(copy);
}

/* Puts one fault into 'ds'. */
static void
spoil(struct ds *ds)
{
    size_t at = below(ds->length + 1);
    size_t left = ds->length - at;
    const char *other = seeds[below(ARRAY_SIZE(seeds))];
    size_t n = 1 + below(20);
    char c;

    switch (below(6)) {
    case 0:                     /* A byte becomes another. */
        if (left) {
            ds->string[at] = bytes[below(sizeof bytes)];
        }
        break;
    case 1:                     /* A bit becomes another. */
        if (left) {
            ds->string[at] ^= 1 << below(8);
        }
        break;
    case 2:                     /* A byte comes in. */
        c = bytes[below(sizeof bytes)];
        insert(ds, at, &c, 1);
        break;
    case 3:                     /* Some bytes go. */
        n = MIN(n, left);
        memmove(ds->string + at, ds->string + at + n, left - n);
        ds->length -= n;
        break;
    case 4:                     /* Some bytes come twice. */
        insert(ds, at, ds->string + at, MIN(n, left));
        break;
    default:                    /* Something else comes in. */
        insert(ds, at, other, below(2) ? strlen(other)
                              : below(strlen(other)));
        break;
    }
}

/* Returns member 'name' of 'json', or NULL; stores whether it is there. */
static struct json_object *
member(struct json_object *json, const char *name, bool *there)
{
    struct json_object *value = NULL;

    *there = json_object_object_get_ex(json, name, &value);
    return value;
}

/* Checks an error object. */
static void
check_error(struct json_object *error)
{
    bool code, message, data, class;
    struct json_object *number = member(error, "code", &code);
    struct json_object *word = member(member(error, "data", &data), "class",
                                      &class);
    int i;

    member(error, "message", &message);
    assert_true(code && message && data && class);
    for (i = 0; i < N_RPC_ERRORS; i++) {
        if (!strcmp(rpc_error_word(i), json_object_get_string(word))) {
            assert_int_equal(json_object_get_int(number), rpc_error_code(i));
            return;
        }
    }
    fail_msg("class %s", json_object_get_string(word));
}

/* Checks a reply. */
static void
check_reply(struct json_object *reply)
{
    bool version, there, result, failed;
    struct json_object *error, *id;

    assert_true(json_object_is_type(reply, json_type_object));
    assert_string_equal(json_object_get_string(
                            member(reply, "jsonrpc", &version)), "2.0");
    id = member(reply, "id", &there);
    assert_true(!id || json_object_is_type(id, json_type_string)
                || json_object_is_type(id, json_type_int)
                || json_object_is_type(id, json_type_double));
    member(reply, "result", &result);
    error = member(reply, "error", &failed);
    assert_true(version && there && result != failed);
    if (failed) {
        check_error(error);
    }
}

/* Checks 'text', all that a client was sent. */
static void
check_replies(const char *text)
{
    while (*text) {
        const char *end = strchr(text, '\n');
        struct json_tokener *tokener = json_tokener_new();
        struct json_object *json;
        size_t i;

        assert_non_null(end);
        json_tokener_set_flags(tokener, (JSON_TOKENER_STRICT
                                         | JSON_TOKENER_VALIDATE_UTF8));
        json = json_tokener_parse_ex(tokener, text, end - text);
        assert_int_equal(json_tokener_get_error(tokener),
                         json_tokener_success);
        if (json_object_is_type(json, json_type_array)) {
            assert_true(json_object_array_length(json) > 0);
            for (i = 0; i < json_object_array_length(json); i++) {
                check_reply(json_object_array_get_idx(json, i));
            }
        } else {
            check_reply(json);
        }
        json_object_put(json);
        json_tokener_free(tokener);
        text = end + 1;
    }
}

/* Appends to 'out' what there is to read from 'fd'. */
static void
receive(int fd, struct ds *out)
{
    char buffer[65536];
    ssize_t n;

    while ((n = recv(fd, buffer, sizeof buffer, MSG_DONTWAIT)) > 0) {
        ds_put_buffer(out, buffer, n);
    }
}

/* Sends 'in' to a new connection in pieces, ends it, and checks what comes
 * back.  Returns the number of bytes of that. */
static size_t
try_stream(const struct ds *in, const struct view *view)
{
    struct ds out = DS_EMPTY_INITIALIZER;
    struct rpc_conn *conn;
    size_t sent = 0;
    int error = 0;
    size_t length;
    int fds[2];
    int i;

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    conn = rpc_conn_create(fds[0], rpc_services, n_rpc_services, view);
    while (sent < in->length && !error) {
        size_t n = 1 + below(in->length - sent);

        assert_int_equal(send(fds[1], in->string + sent, n, 0), n);
        sent += n;
        error = rpc_conn_run(conn, LLONG_MAX);
        receive(fds[1], &out);
    }
    shutdown(fds[1], SHUT_WR);
    for (i = 0; !error; i++) {
        assert_true(i < 10000);
        error = rpc_conn_run(conn, LLONG_MAX);
        receive(fds[1], &out);
    }
    assert_int_equal(error, ESHUTDOWN);
    rpc_conn_destroy(conn);
    close(fds[1]);
    check_replies(ds_cstr(&out));
    assert_int_equal(strlen(ds_cstr(&out)), out.length);
    length = out.length;
    ds_destroy(&out);
    return length;
}

/* What is right is answered. */
static void
test_seeds(void **state OVS_UNUSED)
{
    const struct view view = { .health = VIEW_OK };
    size_t i;

    random_state = 1;
    for (i = 0; i < ARRAY_SIZE(seeds); i++) {
        struct ds in = DS_EMPTY_INITIALIZER;

        ds_put_cstr(&in, seeds[i]);
        assert_true(try_stream(&in, &view) > 0);
        ds_destroy(&in);
    }
}

/* What is wrong is, too, or at least does no harm. */
static void
test_faults(void **state OVS_UNUSED)
{
    const struct view view = { .health = VIEW_DEGRADED };
    size_t answered = 0;
    size_t i, j;

    for (i = 0; i < N_STREAMS; i++) {
        struct ds in = DS_EMPTY_INITIALIZER;

        /* So that one stream can be looked at alone. */
        random_state = 0x9e3779b97f4a7c15 * (i + 1);
        ds_put_cstr(&in, seeds[below(ARRAY_SIZE(seeds))]);
        for (j = below(MAX_FAULTS); j > 0; j--) {
            spoil(&in);
        }
        answered += try_stream(&in, &view) > 0;
        ds_destroy(&in);
    }
    assert_true(answered > N_STREAMS / 2);
}

int
main(int argc OVS_UNUSED, char *argv[])
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_seeds),
        cmocka_unit_test(test_faults),
    };

    ovs_set_program_name(argv[0], "0");
    return cmocka_run_group_tests_name("fuzz", tests, NULL, NULL);
}
