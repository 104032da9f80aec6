/* SPDX-License-Identifier: Apache-2.0 */
/* See rpc/error.h. */

#include <config.h>

#include "rpc/error.h"

#include <json-c/json.h>
#include <stdarg.h>
#include <stdlib.h>

#include "util.h"

#include "rpc/limits.h"
#include "rpc/result.h"

/* What is fixed about a class of errors. */
struct rpc_error_kind {
    const char *word;           /* 'data.class'. */
    int code;                   /* 'code'. */
    const char *sentence;       /* What it means. */
};

/* The sentences of rpc/error.h name these numbers. */
BUILD_ASSERT_DECL(RPC_MAX_REQUEST == 256 * 1024);
BUILD_ASSERT_DECL(RPC_MAX_DEPTH == 32);
BUILD_ASSERT_DECL(RPC_MAX_CONNECTIONS == 64);

static const struct rpc_error_kind rpc_error_kinds[] = {
#define RPC_ERROR(NAME, CLASS, CODE, SENTENCE) { CLASS, CODE, SENTENCE },
    RPC_ERRORS
#undef RPC_ERROR
};

/* Makes 'error' one of 'class' about 'parameter' (NULL if it is about none),
 * with a message made from 'format'. */
void
rpc_error_set(struct rpc_error *error, enum rpc_error_class class,
              const char *parameter, const char *format, ...)
{
    va_list args;

    error->class = class;
    error->parameter = nullable_xstrdup(parameter);
    va_start(args, format);
    error->message = xvasprintf(format, args);
    va_end(args);
}

/* Frees what 'error' holds. */
void
rpc_error_uninit(struct rpc_error *error)
{
    free(error->message);
    free(error->parameter);
}

/* Returns 'error' as the error object of a reply; the caller owns it. */
struct json_object *
rpc_error_to_json(const struct rpc_error *error)
{
    struct json_object *json = json_object_new_object();
    struct json_object *data = json_object_new_object();

    result_add(data, "class", result_string(rpc_error_word(error->class)));
    if (error->parameter) {
        result_add(data, "parameter", result_string(error->parameter));
    }
    result_add(json, "code",
               json_object_new_int(rpc_error_code(error->class)));
    result_add(json, "message", result_string(error->message));
    result_add(json, "data", data);
    return json;
}

/* Returns the 'code' of errors of 'class'. */
int
rpc_error_code(enum rpc_error_class class)
{
    return rpc_error_kinds[class].code;
}

/* Returns the 'data.class' of errors of 'class'. */
const char *
rpc_error_word(enum rpc_error_class class)
{
    return rpc_error_kinds[class].word;
}

/* Returns the sentence that explains 'class'. */
const char *
rpc_error_sentence(enum rpc_error_class class)
{
    return rpc_error_kinds[class].sentence;
}
