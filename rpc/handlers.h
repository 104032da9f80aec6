/* SPDX-License-Identifier: Apache-2.0 */
/* What the server knows about a method beyond rpc/methods.h: its handler and
 * the schema of its result.  The client links none of this. */
#ifndef RPC_HANDLERS_H
#define RPC_HANDLERS_H 1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_object;
struct rpc_error;
struct rpc_method;
struct view;

/* Answers a request with checked 'params', an object.  Returns the result,
 * owned by the caller, or NULL after setting 'error'. */
typedef struct json_object *rpc_handler(const struct view *,
                                        struct json_object *params,
                                        struct rpc_error *);

/* Asks what the answer to a request needs and the view does not have, without
 * waiting for it.  Called with 0 in '*question' first, and again with what was
 * stored there until it returns true. */
typedef bool rpc_preparer(const struct view *, uint64_t *question);

/* A method as the server has it. */
struct rpc_service {
    const struct rpc_method *method; /* Name and parameters. */
    rpc_handler *handle;        /* Answers requests. */
    const char *schema;         /* JSON schema of the result, in which single
                                 * quotes stand for double ones. */
    rpc_preparer *prepare;      /* To be asked before 'handle', or NULL. */
};

/* Handlers and schemas, one each for every row of rpc/method.def. */
#define METHOD(ID, NAME, ACCESS, SUMMARY, PARAMS)       \
    rpc_handler rpc_handle_##ID;                        \
    extern const char rpc_schema_##ID[];
#define COMMAND(ID, NAME, COMMAND_NAME, ACCESS, SUMMARY, PARAMS) \
    METHOD(ID, NAME, ACCESS, SUMMARY, PARAMS)
#include "rpc/method.def"

extern const struct rpc_service rpc_services[];
extern const size_t n_rpc_services;

#endif /* rpc/handlers.h */
