/* SPDX-License-Identifier: Apache-2.0 */
/* See rpc/params.h. */

#include <config.h>

#include "rpc/params.h"

#include <errno.h>
#include <json-c/json.h>
#include <string.h>

#include "util.h"

#include "rpc/error.h"
#include "rpc/methods.h"
#include "rpc/result.h"

static bool params_name(const struct rpc_method *, struct json_object *array,
                        struct json_object *named, struct rpc_error *);
static bool params_copy(const struct rpc_method *, struct json_object *object,
                        struct json_object *named, struct rpc_error *);
static bool params_add(const struct rpc_param *, struct json_object *value,
                       struct json_object *named, struct rpc_error *);
static bool params_complete(const struct rpc_method *,
                            struct json_object *named, struct rpc_error *);
static const struct rpc_param *params_find(const struct rpc_method *,
                                           const char *name);
static bool params_type_fits(enum rpc_param_type, struct json_object *);

/* Checks 'given', the "params" of a request for 'method': an object, an array
 * in the order of the method's parameters, or NULL.  Returns true and stores
 * an object in '*named', which the caller owns, if they fit.  Otherwise
 * returns false and sets 'error'. */
bool
params_check(const struct rpc_method *method, struct json_object *given,
             struct json_object **named, struct rpc_error *error)
{
    struct json_object *object = json_object_new_object();
    bool ok = true;

    if (given) {
        ok = (json_object_is_type(given, json_type_array)
              ? params_name(method, given, object, error)
              : params_copy(method, given, object, error));
    }
    if (ok && params_complete(method, object, error)) {
        *named = object;
        return true;
    }
    json_object_put(object);
    return false;
}

/* Returns the string parameter 'name' of 'named', or NULL if it was not
 * given.  'named' keeps the string. */
const char *
params_get_string(struct json_object *named, const char *name)
{
    struct json_object *value;

    return (json_object_object_get_ex(named, name, &value)
            ? json_object_get_string(value) : NULL);
}

/* Returns the integer parameter 'name' of 'named', or 'fallback' if it was not
 * given. */
int64_t
params_get_integer(struct json_object *named, const char *name,
                   int64_t fallback)
{
    struct json_object *value;

    return (json_object_object_get_ex(named, name, &value)
            ? json_object_get_int64(value) : fallback);
}

/* Adds the elements of 'array' to 'named', each under the name of the
 * parameter of 'method' at its place. */
static bool
params_name(const struct rpc_method *method, struct json_object *array,
            struct json_object *named, struct rpc_error *error)
{
    size_t n = json_object_array_length(array);
    size_t n_params = rpc_method_n_params(method);
    size_t i;

    if (n > n_params) {
        rpc_error_set(error, RPC_ERROR_INVALID_PARAMS, NULL,
                      "%s takes %"PRIuSIZE" parameters at most",
                      method->name, n_params);
        return false;
    }
    for (i = 0; i < n; i++) {
        if (!params_add(&method->params[i],
                        json_object_array_get_idx(array, i), named, error)) {
            return false;
        }
    }
    return true;
}

/* Adds the members of 'object' to 'named', if 'method' knows all of them. */
static bool
params_copy(const struct rpc_method *method, struct json_object *object,
            struct json_object *named, struct rpc_error *error)
{
    json_object_object_foreach (object, name, value) {
        const struct rpc_param *param = params_find(method, name);

        if (!param) {
            rpc_error_set(error, RPC_ERROR_INVALID_PARAMS, name,
                          "%s has no parameter \"%s\"", method->name, name);
            return false;
        }
        if (!params_add(param, value, named, error)) {
            return false;
        }
    }
    return true;
}

/* Adds 'value' to 'named' as that of 'param', if its type is right.  A null
 * is as good as a parameter left out. */
static bool
params_add(const struct rpc_param *param, struct json_object *value,
           struct json_object *named, struct rpc_error *error)
{
    static const char *const types[] = {
        [RPC_PARAM_STRING] = "a string",
        [RPC_PARAM_INTEGER] = "an integer",
        [RPC_PARAM_BOOLEAN] = "true or false",
    };

    if (!value && !param->required) {
        return true;
    }
    if (!params_type_fits(param->type, value)) {
        rpc_error_set(error, RPC_ERROR_INVALID_PARAMS, param->name,
                      "parameter \"%s\" must be %s",
                      param->name, types[param->type]);
        return false;
    }
    result_add(named, param->name, json_object_get(value));
    return true;
}

/* Returns true if 'named' has every parameter that 'method' requires. */
static bool
params_complete(const struct rpc_method *method, struct json_object *named,
                struct rpc_error *error)
{
    const struct rpc_param *param;

    for (param = method->params; param->name; param++) {
        if (param->required
            && !json_object_object_get_ex(named, param->name, NULL)) {
            rpc_error_set(error, RPC_ERROR_INVALID_PARAMS, param->name,
                          "%s needs parameter \"%s\"",
                          method->name, param->name);
            return false;
        }
    }
    return true;
}

/* Returns the parameter 'name' of 'method', or NULL if it has none. */
static const struct rpc_param *
params_find(const struct rpc_method *method, const char *name)
{
    const struct rpc_param *param;

    for (param = method->params; param->name; param++) {
        if (!strcmp(param->name, name)) {
            return param;
        }
    }
    return NULL;
}

/* Returns true if 'value' is of 'type'. */
static bool
params_type_fits(enum rpc_param_type type, struct json_object *value)
{
    switch (type) {
    case RPC_PARAM_STRING:
        return (json_object_is_type(value, json_type_string)
                && strlen(json_object_get_string(value))
                   == json_object_get_string_len(value));
    case RPC_PARAM_INTEGER:
        return json_object_is_type(value, json_type_int);
    case RPC_PARAM_BOOLEAN:
        return json_object_is_type(value, json_type_boolean);
    default:
        return false;
    }
}
