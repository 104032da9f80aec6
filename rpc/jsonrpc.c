/* SPDX-License-Identifier: Apache-2.0 */
/* See rpc/jsonrpc.h. */

#include <config.h>

#include "rpc/jsonrpc.h"

#include <ctype.h>
#include <json-c/json.h>
#include <math.h>
#include <string.h>

#include "openvswitch/dynamic-string.h"
#include "util.h"

#include "rpc/handlers.h"
#include "rpc/limits.h"
#include "rpc/methods.h"
#include "rpc/params.h"
#include "rpc/result.h"
#include "rpc/utf8.h"

/* A message being answered. */
struct jsonrpc2_message {
    struct json_object *json;   /* Request, or batch of requests. */
    bool batch;                 /* Is it a batch? */
    size_t next;                /* Batch: index of the next request. */
    bool replied;               /* Batch: has an element been answered? */
    uint64_t question;          /* What the next request waits for, or 0. */
};

static bool answer_element(struct json_object *request,
                           const struct jsonrpc2_context *, struct ds *,
                           const char *separator);
static struct json_object *call(struct json_object *request,
                                const struct jsonrpc2_context *,
                                struct rpc_error *);
static bool check_request(struct json_object *request, struct rpc_error *);
static bool id_is_valid(struct json_object *id);
static const struct rpc_service *find_service(const struct jsonrpc2_context *,
                                              struct json_object *name);
static void put_reply(struct ds *, const char *separator,
                      struct json_object *id, struct json_object *result,
                      const struct rpc_error *);
static void put_error(struct ds *, const char *separator,
                      struct json_object *id, enum rpc_error_class);

/* Parses the 'n' bytes at 'text', which hold one JSON value and are followed
 * by a null byte.  Returns NULL if they are no JSON in UTF-8. */
struct jsonrpc2_message *
jsonrpc2_message_parse(const char *text, size_t n)
{
    /* One more level than may be used: json-c counts scalars, too. */
    struct json_tokener *tokener = json_tokener_new_ex(RPC_MAX_DEPTH + 1);
    struct jsonrpc2_message *message = NULL;

    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
    if (utf8_is_valid(text, n)) {
        struct json_object *json = json_tokener_parse_ex(tokener, text, n + 1);

        if (json_tokener_get_error(tokener) == json_tokener_success) {
            message = xzalloc(sizeof *message);
            message->json = json;
            message->batch = (json_object_is_type(json, json_type_array)
                              && json_object_array_length(json) > 0);
        } else {
            json_object_put(json);
        }
    }
    json_tokener_free(tokener);
    return message;
}

/* Frees 'message'. */
void
jsonrpc2_message_destroy(struct jsonrpc2_message *message)
{
    if (message) {
        json_object_put(message->json);
        free(message);
    }
}

/* Returns the next request of 'message'. */
static struct json_object *
next_request(const struct jsonrpc2_message *message)
{
    return (message->batch
            ? json_object_array_get_idx(message->json, message->next)
            : message->json);
}

/* Has what the next request of 'message' needs asked for, if anything.
 * Returns true if it can be answered, false if it is to be tried again after
 * the next run of the daemon. */
bool
jsonrpc2_message_prepare(struct jsonrpc2_message *message,
                         const struct jsonrpc2_context *context)
{
    struct json_object *request = next_request(message);
    const struct rpc_service *service;
    struct json_object *name;

    if (!json_object_is_type(request, json_type_object)
        || !json_object_object_get_ex(request, "method", &name)
        || !json_object_is_type(name, json_type_string)) {
        return true;
    }
    service = find_service(context, name);
    return (!service || !service->prepare
            || service->prepare(context->view, &message->question));
}

/* Answers the next request of 'message' and appends to 'replies' what there
 * is to send.  Returns true if that was the last one. */
bool
jsonrpc2_message_answer(struct jsonrpc2_message *message,
                        const struct jsonrpc2_context *context,
                        struct ds *replies)
{
    struct json_object *request = next_request(message);
    bool last = true;

    message->question = 0;
    if (message->batch) {
        last = ++message->next >= json_object_array_length(message->json);
    }
    if (answer_element(request, context, replies,
                       !message->batch ? "" : message->replied ? "," : "[")) {
        message->replied = true;
    }
    if (last && message->replied) {
        ds_put_cstr(replies, message->batch ? "]\n" : "\n");
    }
    return last;
}

/* Appends to 'replies' an error of 'class' that belongs to no request. */
void
jsonrpc2_put_error(struct ds *replies, enum rpc_error_class class)
{
    put_error(replies, "", NULL, class);
    ds_put_char(replies, '\n');
}

/* Answers 'request'.  If there is anything to send, appends 'separator' and
 * the reply to 'replies' and returns true. */
static bool
answer_element(struct json_object *request,
               const struct jsonrpc2_context *context, struct ds *replies,
               const char *separator)
{
    struct rpc_error error = { .message = NULL };
    struct json_object *id = NULL;
    struct json_object *result;
    bool expects_reply;

    if (!check_request(request, &error)) {
        /* The specification wants an id of null here. */
        put_reply(replies, separator, NULL, NULL, &error);
        rpc_error_uninit(&error);
        return true;
    }
    expects_reply = json_object_object_get_ex(request, "id", &id);
    result = call(request, context, &error);
    if (expects_reply) {
        put_reply(replies, separator, id, result, result ? NULL : &error);
    }
    json_object_put(result);
    rpc_error_uninit(&error);
    return expects_reply;
}

/* Calls the handler of 'request', which is well-formed.  Returns the result,
 * or NULL after setting 'error'. */
static struct json_object *
call(struct json_object *request, const struct jsonrpc2_context *context,
     struct rpc_error *error)
{
    struct json_object *name, *given, *params, *result;
    const struct rpc_service *service;

    json_object_object_get_ex(request, "method", &name);
    json_object_object_get_ex(request, "params", &given);
    service = find_service(context, name);
    if (!service) {
        rpc_error_set(error, RPC_ERROR_NO_METHOD, NULL,
                      "no method \"%s\"", json_object_get_string(name));
        return NULL;
    }
    if (!params_check(service->method, given, &params, error)) {
        return NULL;
    }
    if (service->method->writes && context->uid) {
        rpc_error_set(error, RPC_ERROR_PERMISSION, NULL,
                      "%s needs uid 0", service->method->name);
        result = NULL;
    } else {
        result = service->handle(context->view, params, error);
        ovs_assert(result || error->message);
    }
    json_object_put(params);
    return result;
}

/* Returns true if 'request' is a request as JSON-RPC 2.0 wants it, otherwise
 * sets 'error'. */
static bool
check_request(struct json_object *request, struct rpc_error *error)
{
    struct json_object *version, *method, *params, *id;
    const char *wrong = NULL;

    if (!json_object_is_type(request, json_type_object)) {
        wrong = "a request is an object";
    } else if (!json_object_object_get_ex(request, "jsonrpc", &version)
               || !json_object_is_type(version, json_type_string)
               || json_object_get_string_len(version) != 3
               || strcmp(json_object_get_string(version), "2.0")) {
        wrong = "\"jsonrpc\" must be \"2.0\"";
    } else if (!json_object_object_get_ex(request, "method", &method)
               || !json_object_is_type(method, json_type_string)) {
        wrong = "\"method\" must be a string";
    } else if (json_object_object_get_ex(request, "params", &params)
               && !json_object_is_type(params, json_type_array)
               && !json_object_is_type(params, json_type_object)) {
        wrong = "\"params\" must be an object or an array";
    } else if (json_object_object_get_ex(request, "id", &id)
               && !id_is_valid(id)) {
        wrong = "\"id\" must be a string, a number or null";
    }
    if (wrong) {
        rpc_error_set(error, RPC_ERROR_INVALID_REQUEST, NULL, "%s", wrong);
    }
    return !wrong;
}

/* Returns true if 'id' may be the id of a request and can be sent back as it
 * came: json-c cuts integers off at 64 bits, and takes "1." for a number. */
static bool
id_is_valid(struct json_object *id)
{
    const char *text = json_object_to_json_string_ext(id, 0);

    if (json_object_is_type(id, json_type_int)) {
        return (strcmp(text, "18446744073709551615")
                && strcmp(text, "9223372036854775807")
                && strcmp(text, "-9223372036854775808"));
    } else if (json_object_is_type(id, json_type_double)) {
        return (isfinite(json_object_get_double(id))
                && isdigit((unsigned char) text[strlen(text) - 1]));
    } else {
        return !id || json_object_is_type(id, json_type_string);
    }
}

/* Returns the service that 'context' has under 'name', a string, or NULL. */
static const struct rpc_service *
find_service(const struct jsonrpc2_context *context, struct json_object *name)
{
    const char *s = json_object_get_string(name);
    size_t i;

    if (strlen(s) != json_object_get_string_len(name)) {
        return NULL;
    }
    for (i = 0; i < context->n_services; i++) {
        if (!strcmp(context->services[i].method->name, s)) {
            return &context->services[i];
        }
    }
    return NULL;
}

/* Appends 'separator' and the reply to request 'id' to 'replies': 'error' if
 * it is not NULL, otherwise 'result'. */
static void
put_reply(struct ds *replies, const char *separator, struct json_object *id,
          struct json_object *result, const struct rpc_error *error)
{
    struct json_object *reply = json_object_new_object();

    result_add(reply, "jsonrpc", json_object_new_string("2.0"));
    if (error) {
        result_add(reply, "error", rpc_error_to_json(error));
    } else {
        result_add(reply, "result", json_object_get(result));
    }
    result_add(reply, "id", json_object_get(id));
    ds_put_cstr(replies, separator);
    ds_put_cstr(replies, json_object_to_json_string_ext(
                    reply, JSON_C_TO_STRING_NOSLASHESCAPE));
    json_object_put(reply);
}

/* Appends 'separator' and an error of 'class' for request 'id' to
 * 'replies'. */
static void
put_error(struct ds *replies, const char *separator, struct json_object *id,
          enum rpc_error_class class)
{
    struct rpc_error error;

    rpc_error_set(&error, class, NULL, "%s", rpc_error_sentence(class));
    put_reply(replies, separator, id, NULL, &error);
    rpc_error_uninit(&error);
}
