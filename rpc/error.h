/* SPDX-License-Identifier: Apache-2.0 */
/* The errors of the RPC interface: one line per class. */
#ifndef RPC_ERROR_H
#define RPC_ERROR_H 1

#include "openvswitch/compiler.h"

struct json_object;

/* RPC_ERROR(NAME, CLASS, CODE, SENTENCE): 'data.class' is CLASS and stable.
 * The codes of the JSON-RPC 2.0 specification are negative, ours positive. */
#define RPC_ERRORS                                                      \
    RPC_ERROR(PARSE, "parse-error", -32700,                             \
              "The request is not valid JSON in UTF-8.")                \
    RPC_ERROR(TOO_LARGE, "request-too-large", -32600,                   \
              "The request exceeds 256 KiB.")                           \
    RPC_ERROR(TOO_DEEP, "request-too-deep", -32600,                     \
              "The request is nested deeper than 32 levels.")           \
    RPC_ERROR(INVALID_REQUEST, "invalid-request", -32600,               \
              "The value is not a JSON-RPC 2.0 request.")               \
    RPC_ERROR(NO_METHOD, "method-not-found", -32601,                    \
              "There is no such method.")                               \
    RPC_ERROR(INVALID_PARAMS, "invalid-params", -32602,                 \
              "A parameter is unknown, missing or of the wrong kind.")  \
    RPC_ERROR(INTERNAL, "internal-error", -32603,                       \
              "The daemon could not answer.")                           \
    RPC_ERROR(PERMISSION, "permission-denied", 1,                       \
              "The method changes something and needs uid 0.")          \
    RPC_ERROR(TOO_MANY, "too-many-connections", 2,                      \
              "64 clients are connected already.")                      \
    RPC_ERROR(NOT_FOUND, "not-found", 3,                                \
              "What the request names does not exist.")

/* Classes of errors. */
enum rpc_error_class {
#define RPC_ERROR(NAME, CLASS, CODE, SENTENCE) RPC_ERROR_##NAME,
    RPC_ERRORS
#undef RPC_ERROR
    N_RPC_ERRORS
};

/* An error that a request met with. */
struct rpc_error {
    enum rpc_error_class class; /* Kind of error. */
    char *message;              /* For people; owned. */
    char *parameter;            /* Parameter at fault, or NULL; owned. */
};

void rpc_error_set(struct rpc_error *, enum rpc_error_class,
                   const char *parameter, const char *format, ...)
    OVS_PRINTF_FORMAT(4, 5);
void rpc_error_uninit(struct rpc_error *);
struct json_object *rpc_error_to_json(const struct rpc_error *);

int rpc_error_code(enum rpc_error_class);
const char *rpc_error_word(enum rpc_error_class);
const char *rpc_error_sentence(enum rpc_error_class);

#endif /* rpc/error.h */
