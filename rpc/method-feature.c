/* SPDX-License-Identifier: Apache-2.0 */
/* feature.probe: what kernel, libraries and devices can do for us. */

#include <config.h>

#include "rpc/handlers.h"

#include <json-c/json.h>

#include "util.h"

#include "plugin/view.h"
#include "rpc/error.h"
#include "rpc/params.h"
#include "rpc/result.h"

#define FEATURES                                                        \
    "{'type': 'array', 'items': {"                                      \
    " 'type': 'object',"                                                \
    " 'required': ['name', 'available', 'enables', 'detail'],"          \
    " 'properties': {"                                                  \
    "  'name': {'type': 'string'},"                                     \
    "  'available': {'type': ['boolean', 'null']},"                     \
    "  'enables': {'type': 'string'},"                                  \
    "  'detail': {'type': 'string'}}}}"

const char rpc_schema_probe[] =
    "{'type': 'object',"
    " 'required': ['kernel', 'libraries', 'interfaces'],"
    " 'properties': {"
    "  'kernel': {'type': 'object', 'required': ['release', 'features'],"
    "   'properties': {"
    "    'release': {'type': 'string'}, 'features': " FEATURES "}},"
    "  'libraries': {'type': 'array', 'items': {"
    "   'type': 'object', 'required': ['name', 'version'],"
    "   'properties': {"
    "    'name': {'type': 'string'}, 'version': {'type': 'string'}}}},"
    "  'interfaces': {'type': 'array', 'items': {"
    "   'type': 'object', 'required': ['name', 'driver', 'features'],"
    "   'properties': {"
    "    'name': {'type': 'string'}, 'driver': {'type': 'string'},"
    "    'features': " FEATURES "}}}}}";

static struct json_object *show_kernel(const struct view_features *);
static struct json_object *list_libraries(const struct view_features *);
static void add_library(struct json_object *list, const char *name,
                        const char *version);
static struct json_object *list_devices(const struct view_features *);
static struct json_object *list_features(const struct view_feature *,
                                         size_t n);

/* Answers feature.probe. */
struct json_object *
rpc_handle_probe(const struct view *view, struct json_object *params,
                 struct rpc_error *error)
{
    const char *interface = params_get_string(params, "interface");
    struct view_features features;
    struct json_object *json;

    if (view_get_features(view, interface, &features)) {
        rpc_error_set(error, RPC_ERROR_NOT_FOUND, "interface",
                      "there is no network device \"%s\"", interface);
        return NULL;
    }
    json = json_object_new_object();
    result_add(json, "kernel", show_kernel(&features));
    result_add(json, "libraries", list_libraries(&features));
    result_add(json, "interfaces", list_devices(&features));
    view_features_uninit(&features);
    return json;
}

/* Returns what there is to say about the kernel. */
static struct json_object *
show_kernel(const struct view_features *features)
{
    struct json_object *json = json_object_new_object();

    result_add(json, "release", result_string(features->kernel));
    result_add(json, "features", list_features(features->kernel_features,
                                               features->n_kernel_features));
    return json;
}

/* Returns the libraries that this process runs with. */
static struct json_object *
list_libraries(const struct view_features *features)
{
    struct json_object *list = json_object_new_array();

    add_library(list, "json-c", json_c_version());
    if (features->libbpf) {
        add_library(list, "libbpf", features->libbpf);
    }
    add_library(list, "libopenvswitch", features->libopenvswitch);
    return list;
}

/* Appends a library to 'list'. */
static void
add_library(struct json_object *list, const char *name, const char *version)
{
    struct json_object *json = json_object_new_object();

    result_add(json, "name", result_string(name));
    result_add(json, "version", result_string(version));
    result_append(list, json);
}

/* Returns the devices of 'features'. */
static struct json_object *
list_devices(const struct view_features *features)
{
    struct json_object *list = json_object_new_array();
    size_t i;

    for (i = 0; i < features->n_devices; i++) {
        const struct view_device *device = &features->devices[i];
        struct json_object *json = json_object_new_object();

        result_add(json, "name", result_string(device->name));
        result_add(json, "driver", result_string(device->driver));
        result_add(json, "features", list_features(device->features,
                                                   device->n_features));
        result_append(list, json);
    }
    return list;
}

/* Returns the 'n' 'features'.  "detail" says what follows from the absence of
 * one. */
static struct json_object *
list_features(const struct view_feature *features, size_t n)
{
    struct json_object *list = json_object_new_array();
    size_t i;

    for (i = 0; i < n; i++) {
        const struct view_feature *feature = &features[i];
        struct json_object *json = json_object_new_object();

        result_add(json, "name", result_string(feature->name));
        result_add(json, "available",
                   (feature->available < 0 ? NULL
                    : json_object_new_boolean(feature->available)));
        result_add(json, "enables", result_string(feature->enables));
        result_add(json, "detail", result_string(feature->available > 0 ? ""
                                                 : feature->without));
        result_append(list, json);
    }
    return list;
}
