/* SPDX-License-Identifier: Apache-2.0 */
/* interface.list: the NICs and where they redirect to. */

#include <config.h>

#include "rpc/handlers.h"

#include <json-c/json.h>

#include "util.h"

#include "plugin/view.h"
#include "rpc/result.h"

const char rpc_schema_interfaces[] =
    "{'type': 'array', 'items': {"
    " 'type': 'object',"
    " 'required': ['name', 'ifindex', 'layout', 'mode', 'program_id',"
    "  'targets', 'features', 'state', 'reason', 'counters'],"
    " 'properties': {"
    "  'name': {'type': 'string'},"
    "  'ifindex': {'type': 'integer'},"
    "  'layout': {'enum': ['routed', 'switched']},"
    "  'mode': {'enum': ['native', 'generic', null]},"
    "  'program_id': {'type': 'integer'},"
    "  'targets': {'type': 'array', 'items': {"
    "   'type': 'object',"
    "   'required': ['bridge', 'device', 'ifindex', 'kind', 'state',"
    "    'reason'],"
    "   'properties': {"
    "    'bridge': {'type': 'string'},"
    "    'device': {'type': 'string'},"
    "    'ifindex': {'type': 'integer'},"
    "    'kind': {'enum': ['internal', 'veth', 'tap']},"
    "    'state': {'enum': ['ready', 'pending', 'refused']},"
    "    'reason': {'type': 'string'}}}},"
    "  'features': {'type': 'array', 'items': {'type': 'string'}},"
    "  'state': {'enum': ['attached', 'waiting', 'refused']},"
    "  'reason': {'type': 'string'},"
    "  'detail': {'type': 'string'},"
    "  'counters': {'type': 'object',"
    "   'additionalProperties': {'type': 'integer'}}}}}";

static struct json_object *show_interface(const struct view_interface *);
static struct json_object *list_targets(const struct view_interface *);
static struct json_object *list_features(const struct view_interface *);

/* Answers interface.list. */
struct json_object *
rpc_handle_interfaces(const struct view *view,
                      struct json_object *params OVS_UNUSED,
                      struct rpc_error *error OVS_UNUSED)
{
    struct json_object *list = json_object_new_array();
    struct view_interfaces all;
    size_t i;

    view_get_interfaces(view, &all);
    for (i = 0; i < all.n; i++) {
        result_append(list, show_interface(&all.interfaces[i]));
    }
    view_interfaces_uninit(&all);
    return list;
}

/* Returns what there is to say about 'interface'. */
static struct json_object *
show_interface(const struct view_interface *interface)
{
    struct json_object *json = json_object_new_object();

    result_add(json, "name", result_string(interface->name));
    result_add(json, "ifindex", json_object_new_int(interface->ifindex));
    result_add(json, "layout", result_string(interface->layout));
    result_add(json, "mode", result_nullable_string(interface->mode));
    result_add(json, "program_id", result_count(interface->program_id));
    result_add(json, "targets", list_targets(interface));
    result_add(json, "features", list_features(interface));
    result_add(json, "state", result_string(interface->state));
    result_add(json, "reason", result_string(interface->reason));
    result_add(json, "detail", result_string(interface->detail));
    result_add(json, "counters",
               result_packets(interface->counters, interface->n_counters));
    return json;
}

/* Returns the targets of 'interface'. */
static struct json_object *
list_targets(const struct view_interface *interface)
{
    struct json_object *list = json_object_new_array();
    size_t i;

    for (i = 0; i < interface->n_targets; i++) {
        const struct view_target *target = &interface->targets[i];
        struct json_object *json = json_object_new_object();

        result_add(json, "bridge", result_string(target->bridge));
        result_add(json, "device", result_string(target->device));
        result_add(json, "ifindex", json_object_new_int(target->ifindex));
        result_add(json, "kind", result_string(target->kind));
        result_add(json, "state", result_string(target->state));
        result_add(json, "reason", result_string(target->reason));
        result_append(list, json);
    }
    return list;
}

/* Returns the features of 'interface'. */
static struct json_object *
list_features(const struct view_interface *interface)
{
    struct json_object *list = json_object_new_array();
    size_t i;

    for (i = 0; i < interface->n_features; i++) {
        result_append(list, result_string(interface->features[i]));
    }
    return list;
}
