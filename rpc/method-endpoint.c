/* SPDX-License-Identifier: Apache-2.0 */
/* endpoint.list: the addresses of this chassis. */

#include <config.h>

#include "rpc/handlers.h"

#include <json-c/json.h>

#include "util.h"

#include "plugin/view.h"
#include "rpc/params.h"
#include "rpc/result.h"

const char rpc_schema_endpoints[] =
    "{'type': 'array', 'items': {"
    " 'type': 'object',"
    " 'required': ['address', 'mac', 'kind', 'logical_port', 'network',"
    "  'bridge', 'vlan', 'state', 'direct', 'reason', 'packets', 'bytes',"
    "  'drops', 'acl', 'acl_reason', 'direct_reason', 'unsolicited'],"
    " 'properties': {"
    "  'address': {'type': 'string'},"
    "  'mac': {'type': 'string'},"
    "  'kind': {'enum': ['vm', 'fip-distributed', 'fip-centralised',"
    "   'router', 'load-balancer']},"
    "  'logical_port': {'type': 'string'},"
    "  'network': {'type': 'string'},"
    "  'bridge': {'type': 'string'},"
    "  'vlan': {'type': ['integer', 'null'], 'minimum': 1,"
    "   'maximum': 4094},"
    "  'state': {'enum': ['offloaded', 'pending', 'ineligible']},"
    "  'direct': {'type': 'boolean'},"
    "  'reason': {'type': 'string'},"
    "  'packets': {'type': 'integer'},"
    "  'bytes': {'type': 'integer'},"
    "  'drops': {'type': 'integer'},"
    "  'acl': {'enum': ['enforced', 'counted', 'pass-only', 'off']},"
    "  'acl_reason': {'type': 'string'},"
    "  'direct_reason': {'type': 'string'},"
    "  'unsolicited': {'type': ['object', 'null'],"
    "   'required': ['tcp', 'udp', 'echo'],"
    "   'properties': {"
    "    'tcp': {'type': 'integer'},"
    "    'udp': {'type': 'integer'},"
    "    'echo': {'type': 'integer'}}}}}}";

static struct json_object *show_endpoint(const struct view_endpoint *);

/* Answers endpoint.list. */
struct json_object *
rpc_handle_endpoints(const struct view *view, struct json_object *params,
                     struct rpc_error *error OVS_UNUSED)
{
    struct json_object *list = json_object_new_array();
    struct view_endpoints all;
    size_t i;

    view_get_endpoints(view, params_get_string(params, "filter"), &all);
    for (i = 0; i < all.n; i++) {
        result_append(list, show_endpoint(&all.endpoints[i]));
    }
    view_endpoints_uninit(&all);
    return list;
}

/* Returns when what nobody has asked for is dropped, or NULL. */
static struct json_object *
show_unsolicited(const struct view_unsolicited *unsolicited)
{
    struct json_object *json = NULL;

    if (unsolicited->followed) {
        json = json_object_new_object();
        result_add(json, "tcp", result_count(unsolicited->tcp));
        result_add(json, "udp", result_count(unsolicited->udp));
        result_add(json, "echo", result_count(unsolicited->echo));
    }
    return json;
}

/* Returns what there is to say about 'endpoint'. */
static struct json_object *
show_endpoint(const struct view_endpoint *endpoint)
{
    struct json_object *json = json_object_new_object();

    result_add(json, "address", result_string(endpoint->address));
    result_add(json, "mac", result_string(endpoint->mac));
    result_add(json, "kind", result_string(endpoint->kind));
    result_add(json, "logical_port", result_string(endpoint->logical_port));
    result_add(json, "network", result_string(endpoint->network));
    result_add(json, "bridge", result_string(endpoint->bridge));
    result_add(json, "vlan", (endpoint->vlan
                              ? json_object_new_int(endpoint->vlan) : NULL));
    result_add(json, "state", result_string(endpoint->state));
    result_add(json, "direct", json_object_new_boolean(endpoint->direct));
    result_add(json, "reason", result_string(endpoint->reason));
    result_add(json, "packets", result_count(endpoint->packets));
    result_add(json, "bytes", result_count(endpoint->bytes));
    result_add(json, "drops", result_count(endpoint->drops));
    result_add(json, "acl", result_string(endpoint->acl));
    result_add(json, "acl_reason", result_string(endpoint->acl_reason));
    result_add(json, "direct_reason", result_string(endpoint->direct_reason));
    result_add(json, "unsolicited", show_unsolicited(&endpoint->unsolicited));
    return json;
}
