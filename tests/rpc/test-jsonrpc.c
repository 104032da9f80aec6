/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of rpc/jsonrpc.c and rpc/params.c: the examples of the JSON-RPC 2.0
 * specification and what it leaves open. */

#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <json-c/json.h>

#include "openvswitch/dynamic-string.h"
#include "util.h"

#include "rpc/handlers.h"
#include "rpc/jsonrpc.h"
#include "rpc/methods.h"

/* Calls of a handler since the last ask(): shows side effects. */
static int n_calls;

/* Returns its parameters. */
static struct json_object *
handle_echo(const struct view *view OVS_UNUSED, struct json_object *params,
            struct rpc_error *error OVS_UNUSED)
{
    n_calls++;
    return json_object_get(params);
}

/* Fails. */
static struct json_object *
handle_fail(const struct view *view OVS_UNUSED,
            struct json_object *params OVS_UNUSED, struct rpc_error *error)
{
    n_calls++;
    rpc_error_set(error, RPC_ERROR_INTERNAL, NULL, "broken");
    return NULL;
}

static const struct rpc_param echo_params[] = {
    { "text", RPC_PARAM_STRING, true, false, "TEXT", "" },
    { "number", RPC_PARAM_INTEGER, false, false, "NUMBER", "" },
    { "flag", RPC_PARAM_BOOLEAN, false, false, "FLAG", "" },
    { .name = NULL },
};

static const struct rpc_param no_params[] = { { .name = NULL } };

static const struct rpc_method methods[] = {
    { "test.echo", NULL, false, "", echo_params },
    { "test.set", NULL, true, "", no_params },
    { "test.fail", NULL, false, "", no_params },
};

static const struct rpc_service services[] = {
    { &methods[0], handle_echo, "{}" },
    { &methods[1], handle_echo, "{}" },
    { &methods[2], handle_fail, "{}" },
};

/* Returns all that a client with 'uid' gets for the message 'text', NULL if
 * that cannot be parsed; "" if there is no reply. */
static char *
ask_as(uid_t uid, const char *text)
{
    const struct jsonrpc2_context context = {
        .services = services, .n_services = ARRAY_SIZE(services), .uid = uid,
    };
    struct jsonrpc2_message *message;
    struct ds out = DS_EMPTY_INITIALIZER;

    n_calls = 0;
    message = jsonrpc2_message_parse(text, strlen(text));
    if (!message) {
        return NULL;
    }
    while (!jsonrpc2_message_answer(message, &context, &out)) {
        continue;
    }
    jsonrpc2_message_destroy(message);
    ds_cstr(&out);
    return ds_steal_cstr(&out);
}

/* Checks that 'text' gets 'expected' and led to 'calls' calls of handlers. */
static void
check(const char *text, int calls, const char *expected)
{
    char *actual = ask_as(0, text);

    assert_non_null(actual);
    assert_string_equal(actual, expected);
    assert_int_equal(n_calls, calls);
    free(actual);
}

/* Checks that 'text' has no effect and gets an error with 'code', 'class',
 * 'parameter' (or NULL) and 'id' (as JSON). */
static void
check_error_as(uid_t uid, const char *text, int code, const char *class,
               const char *parameter, const char *id)
{
    char *actual = ask_as(uid, text);
    struct json_object *json, *error, *data, *value;

    assert_non_null(actual);
    assert_int_equal(n_calls, 0);
    json = json_tokener_parse(actual);
    assert_int_equal(json_object_object_length(json), 3);
    assert_true(json_object_object_get_ex(json, "jsonrpc", &value));
    assert_string_equal(json_object_get_string(value), "2.0");
    assert_true(json_object_object_get_ex(json, "id", &value));
    assert_string_equal(json_object_to_json_string_ext(value, 0), id);
    assert_true(json_object_object_get_ex(json, "error", &error));
    assert_true(json_object_object_get_ex(error, "code", &value));
    assert_int_equal(json_object_get_int(value), code);
    assert_true(json_object_object_get_ex(error, "message", &value));
    assert_true(json_object_get_string_len(value) > 0);
    assert_true(json_object_object_get_ex(error, "data", &data));
    assert_true(json_object_object_get_ex(data, "class", &value));
    assert_string_equal(json_object_get_string(value), class);
    assert_int_equal(json_object_object_get_ex(data, "parameter", &value),
                     parameter != NULL);
    if (parameter) {
        assert_string_equal(json_object_get_string(value), parameter);
    }
    json_object_put(json);
    free(actual);
}

/* check_error_as() of uid 0. */
static void
check_error(const char *text, int code, const char *class,
            const char *parameter, const char *id)
{
    check_error_as(0, text, code, class, parameter, id);
}

#define CALL(REST) "{\"jsonrpc\":\"2.0\",\"method\":\"test.echo\"" REST "}"
#define GOOD ",\"params\":{\"text\":\"a\"}"
#define REPLY(RESULT, ID) \
    "{\"jsonrpc\":\"2.0\",\"result\":" RESULT ",\"id\":" ID "}"

/* Parameters by name and by position. */
static void
test_calls(void **state OVS_UNUSED)
{
    check(CALL(GOOD ",\"id\":1"), 1, REPLY("{\"text\":\"a\"}", "1") "\n");
    check(CALL(",\"params\":[\"a\",-5,true],\"id\":1"), 1,
          REPLY("{\"text\":\"a\",\"number\":-5,\"flag\":true}", "1") "\n");
    check(CALL(",\"params\":{\"flag\":false,\"text\":\"\\u00e4/\"},\"id\":1"),
          1, REPLY("{\"flag\":false,\"text\":\"\xc3\xa4/\"}", "1") "\n");
    check(CALL(",\"params\":{\"text\":\"a\",\"flag\":null},\"id\":1"), 1,
          REPLY("{\"text\":\"a\"}", "1") "\n");
}

/* The id comes back as it was. */
static void
test_ids(void **state OVS_UNUSED)
{
    static const char *const ids[] = {
        "1", "0", "-7", "\"x\"", "\"\"", "null", "1.5", "1e3",
        "9223372036854775806", "\"\\u0000\\\"\"",
    };
    static const char *const bad[] = {
        "true", "{}", "[1]", "99999999999999999999", "1e400",
        "-99999999999999999999",
    };
    size_t i;

    for (i = 0; i < ARRAY_SIZE(ids); i++) {
        char *text = xasprintf(CALL(GOOD ",\"id\":%s"), ids[i]);
        char *reply = xasprintf(REPLY("{\"text\":\"a\"}", "%s") "\n", ids[i]);

        check(text, 1, reply);
        free(text);
        free(reply);
    }
    for (i = 0; i < ARRAY_SIZE(bad); i++) {
        char *text = xasprintf(CALL(GOOD ",\"id\":%s"), bad[i]);

        check_error(text, -32600, "invalid-request", NULL, "null");
        free(text);
    }
}

/* Without an id there is no reply, not even an error; but there is a call. */
static void
test_notifications(void **state OVS_UNUSED)
{
    check(CALL(GOOD), 1, "");
    check(CALL(",\"params\":{\"nix\":1}"), 0, "");
    check("{\"jsonrpc\":\"2.0\",\"method\":\"nix\"}", 0, "");
    check("{\"jsonrpc\":\"2.0\",\"method\":\"test.fail\"}", 1, "");
}

/* What is no request. */
static void
test_invalid_requests(void **state OVS_UNUSED)
{
    static const char *const texts[] = {
        "1", "\"a\"", "null", "true", "{}", "[]",
        "{\"method\":\"test.echo\",\"params\":[\"a\"],\"id\":1}",
        "{\"jsonrpc\":\"1.0\",\"method\":\"test.echo\",\"id\":1}",
        "{\"jsonrpc\":\"2.0\\u0000\",\"method\":\"test.echo\",\"id\":1}",
        "{\"jsonrpc\":2.0,\"method\":\"test.echo\",\"id\":1}",
        "{\"jsonrpc\":\"2.0\",\"id\":1}",
        "{\"jsonrpc\":\"2.0\",\"method\":1,\"id\":1}",
        "{\"jsonrpc\":\"2.0\",\"method\":\"test.echo\",\"params\":1}",
        CALL(",\"params\":null,\"id\":1"),
        CALL(",\"params\":\"a\",\"id\":1"),
    };
    size_t i;

    for (i = 0; i < ARRAY_SIZE(texts); i++) {
        check_error(texts[i], -32600, "invalid-request", NULL, "null");
    }
}

/* Methods that there are not. */
static void
test_unknown_method(void **state OVS_UNUSED)
{
    check_error("{\"jsonrpc\":\"2.0\",\"method\":\"nix\",\"id\":1}",
                -32601, "method-not-found", NULL, "1");
    check_error("{\"jsonrpc\":\"2.0\",\"method\":\"\",\"id\":1}",
                -32601, "method-not-found", NULL, "1");
    check_error("{\"jsonrpc\":\"2.0\",\"method\":\"test.echo\\u0000x\","
                "\"params\":[\"a\"],\"id\":1}",
                -32601, "method-not-found", NULL, "1");
}

/* Parameters that do not fit, which nothing is done with. */
static void
test_invalid_params(void **state OVS_UNUSED)
{
    static const char class[] = "invalid-params";

    check_error(CALL(",\"id\":1"), -32602, class, "text", "1");
    check_error(CALL(",\"params\":{},\"id\":1"), -32602, class, "text", "1");
    check_error(CALL(",\"params\":[],\"id\":1"), -32602, class, "text", "1");
    check_error(CALL(",\"params\":{\"text\":\"a\",\"nix\":1},\"id\":1"),
                -32602, class, "nix", "1");
    check_error(CALL(",\"params\":{\"Text\":\"a\"},\"id\":1"),
                -32602, class, "Text", "1");
    check_error(CALL(",\"params\":[\"a\",1,true,1],\"id\":1"),
                -32602, class, NULL, "1");
    check_error(CALL(",\"params\":{\"text\":1},\"id\":1"),
                -32602, class, "text", "1");
    check_error(CALL(",\"params\":{\"text\":null},\"id\":1"),
                -32602, class, "text", "1");
    check_error(CALL(",\"params\":{\"text\":\"a\\u0000b\"},\"id\":1"),
                -32602, class, "text", "1");
    check_error(CALL(",\"params\":[\"a\",1.0],\"id\":1"),
                -32602, class, "number", "1");
    check_error(CALL(",\"params\":[\"a\",1,0],\"id\":1"),
                -32602, class, "flag", "1");
}

/* Errors of handlers. */
static void
test_handler_error(void **state OVS_UNUSED)
{
    check("{\"jsonrpc\":\"2.0\",\"method\":\"test.fail\",\"id\":1}", 1,
          "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32603,"
          "\"message\":\"broken\",\"data\":{\"class\":\"internal-error\"}},"
          "\"id\":1}\n");
}

/* Methods that change something are for uid 0. */
static void
test_permission(void **state OVS_UNUSED)
{
    static const char set[] =
        "{\"jsonrpc\":\"2.0\",\"method\":\"test.set\",\"id\":1}";
    char *actual;

    check(set, 1, REPLY("{}", "1") "\n");
    check_error_as(1000, set, 1, "permission-denied", NULL, "1");
    check_error_as(-1, set, 1, "permission-denied", NULL, "1");
    actual = ask_as(1000, CALL(GOOD ",\"id\":1"));
    assert_int_equal(n_calls, 1);
    free(actual);
}

/* Batches: replies in an array, none for notifications. */
static void
test_batches(void **state OVS_UNUSED)
{
    static const char invalid[] =
        "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32600,\"message\":"
        "\"a request is an object\",\"data\":{\"class\":"
        "\"invalid-request\"}},\"id\":null}";
    char *expected;

    check("[" CALL(GOOD ",\"id\":1") "]", 1,
          "[" REPLY("{\"text\":\"a\"}", "1") "]\n");
    check("[" CALL(GOOD) "," CALL(GOOD ",\"id\":2") "," CALL(GOOD) ","
          CALL(GOOD ",\"id\":4") "]", 4,
          "[" REPLY("{\"text\":\"a\"}", "2") ","
          REPLY("{\"text\":\"a\"}", "4") "]\n");
    check("[" CALL(GOOD ",\"id\":1") "," CALL(GOOD) "]", 2,
          "[" REPLY("{\"text\":\"a\"}", "1") "]\n");
    check("[" CALL(GOOD) "," CALL(GOOD) "]", 2, "");

    expected = xasprintf("[%s,%s]\n", invalid, invalid);
    check("[1,[]]", 0, expected);
    free(expected);
}

/* What is not JSON in UTF-8. */
static void
test_unparsable(void **state OVS_UNUSED)
{
    static const char *const texts[] = {
        "{\"a\":1,}", "[1,]", "[1}", "{\"a\"}", "tru", "01", "-", "[\"\\x\"]",
        "{\"a\" 1}", "\"\xff\"", "{\"jsonrpc\":\"\xc0\x80\"}",
        "\"\xed\xa0\x80\"",
    };
    size_t i;

    for (i = 0; i < ARRAY_SIZE(texts); i++) {
        assert_null(jsonrpc2_message_parse(texts[i], strlen(texts[i])));
    }
}

/* Errors that belong to no request. */
static void
test_errors(void **state OVS_UNUSED)
{
    struct ds out = DS_EMPTY_INITIALIZER;

    jsonrpc2_put_error(&out, RPC_ERROR_TOO_DEEP);
    assert_string_equal(
        ds_cstr(&out),
        "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32600,\"message\":"
        "\"The request is nested deeper than 32 levels.\",\"data\":"
        "{\"class\":\"request-too-deep\"}},\"id\":null}\n");
    ds_destroy(&out);
    assert_int_equal(rpc_error_code(RPC_ERROR_PARSE), -32700);
    assert_int_equal(rpc_error_code(RPC_ERROR_NO_METHOD), -32601);
    assert_int_equal(rpc_error_code(RPC_ERROR_INVALID_PARAMS), -32602);
    assert_int_equal(rpc_error_code(RPC_ERROR_INTERNAL), -32603);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_calls),
        cmocka_unit_test(test_ids),
        cmocka_unit_test(test_notifications),
        cmocka_unit_test(test_invalid_requests),
        cmocka_unit_test(test_unknown_method),
        cmocka_unit_test(test_invalid_params),
        cmocka_unit_test(test_handler_error),
        cmocka_unit_test(test_permission),
        cmocka_unit_test(test_batches),
        cmocka_unit_test(test_unparsable),
        cmocka_unit_test(test_errors),
    };

    return cmocka_run_group_tests_name("jsonrpc", tests, NULL, NULL);
}
