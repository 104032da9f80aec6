/* SPDX-License-Identifier: Apache-2.0 */
/* rpc.hello and rpc.discover: what this interface says of itself. */

#include <config.h>

#include "rpc/handlers.h"

#include <json-c/json.h>

#include "util.h"

#include "rpc/error.h"
#include "rpc/limits.h"
#include "rpc/methods.h"
#include "rpc/result.h"

/* Version of the interface: changes when something is taken away. */
#define RPC_API 1

/* Version of the OpenRPC specification that rpc.discover follows. */
#define OPENRPC_VERSION "1.2.6"

const char rpc_schema_hello[] =
    "{'type': 'object',"
    " 'required': ['product', 'version', 'api', 'features'],"
    " 'properties': {"
    "  'product': {'type': 'string'},"
    "  'version': {'type': 'string'},"
    "  'api': {'type': 'integer'},"
    "  'features': {'type': 'array', 'items': {'type': 'string'}}}}";

const char rpc_schema_discover[] =
    "{'type': 'object', 'required': ['openrpc', 'info', 'methods']}";

static struct json_object *describe_info(void);
static struct json_object *describe_method(const struct rpc_service *);
static struct json_object *describe_param(const struct rpc_param *);
static struct json_object *describe_errors(void);

/* Answers rpc.hello. */
struct json_object *
rpc_handle_hello(const struct view *view OVS_UNUSED,
                 struct json_object *params OVS_UNUSED,
                 struct rpc_error *error OVS_UNUSED)
{
    static const char *const features[] = { "batch", "redirect", "acl",
                                            "direct" };
    struct json_object *json = json_object_new_object();
    struct json_object *words = json_object_new_array();
    size_t i;

    for (i = 0; i < ARRAY_SIZE(features); i++) {
        result_append(words, result_string(features[i]));
    }
    result_add(json, "product", result_string(PACKAGE_NAME));
    result_add(json, "version", result_string(PACKAGE_VERSION));
    result_add(json, "api", json_object_new_int(RPC_API));
    result_add(json, "features", words);
    return json;
}

/* Answers rpc.discover. */
struct json_object *
rpc_handle_discover(const struct view *view OVS_UNUSED,
                    struct json_object *params OVS_UNUSED,
                    struct rpc_error *error OVS_UNUSED)
{
    struct json_object *json = json_object_new_object();
    struct json_object *methods = json_object_new_array();
    size_t i;

    for (i = 0; i < n_rpc_services; i++) {
        result_append(methods, describe_method(&rpc_services[i]));
    }
    result_add(json, "openrpc", result_string(OPENRPC_VERSION));
    result_add(json, "info", describe_info());
    result_add(json, "methods", methods);
    return json;
}

/* Returns the "info" of the document. */
static struct json_object *
describe_info(void)
{
    struct json_object *json = json_object_new_object();

    result_add(json, "title", result_string(PACKAGE_NAME));
    result_add(json, "version", result_string(PACKAGE_VERSION));
    return json;
}

/* Returns the description of the method of 'service'. */
static struct json_object *
describe_method(const struct rpc_service *service)
{
    const struct rpc_method *method = service->method;
    struct json_object *json = json_object_new_object();
    struct json_object *params = json_object_new_array();
    struct json_object *result = json_object_new_object();
    const struct rpc_param *param;

    for (param = method->params; param->name; param++) {
        result_append(params, describe_param(param));
    }
    result_add(result, "name", result_string("result"));
    result_add(result, "schema", json_tokener_parse(service->schema));

    result_add(json, "name", result_string(method->name));
    result_add(json, "summary", result_string(method->summary));
    result_add(json, "paramStructure", result_string("either"));
    result_add(json, "params", params);
    result_add(json, "result", result);
    result_add(json, "errors", describe_errors());
    if (method->command) {
        result_add(json, "x-command", result_string(method->command));
    }
    result_add(json, "x-changes", json_object_new_boolean(method->writes));
    return json;
}

/* Returns the description of 'param'. */
static struct json_object *
describe_param(const struct rpc_param *param)
{
    static const char *const types[] = {
        [RPC_PARAM_STRING] = "string",
        [RPC_PARAM_INTEGER] = "integer",
        [RPC_PARAM_BOOLEAN] = "boolean",
    };
    struct json_object *json = json_object_new_object();
    struct json_object *schema = json_object_new_object();

    result_add(schema, "type", result_string(types[param->type]));
    result_add(json, "name", result_string(param->name));
    result_add(json, "description", result_string(param->sentence));
    result_add(json, "required", json_object_new_boolean(param->required));
    result_add(json, "schema", schema);
    return json;
}

/* Returns the errors that any method may give. */
static struct json_object *
describe_errors(void)
{
    struct json_object *json = json_object_new_array();
    int class;

    for (class = 0; class < N_RPC_ERRORS; class++) {
        struct rpc_error error;

        rpc_error_set(&error, class, NULL, "%s", rpc_error_sentence(class));
        result_append(json, rpc_error_to_json(&error));
        rpc_error_uninit(&error);
    }
    return json;
}
