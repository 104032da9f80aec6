/* SPDX-License-Identifier: Apache-2.0 */
/* flow.list: what goes between NIC and VM directly. */

#include <config.h>

#include "rpc/handlers.h"

#include <inttypes.h>
#include <json-c/json.h>

#include "util.h"

#include "plugin/view.h"
#include "rpc/error.h"
#include "rpc/limits.h"
#include "rpc/params.h"
#include "rpc/result.h"

/* The schema of a tuple. */
#define TUPLE_SCHEMA                                                    \
    "{'type': 'object',"                                                \
    " 'required': ['source', 'source_port', 'destination',"             \
    "  'destination_port', 'vlan'],"                                    \
    " 'properties': {"                                                  \
    "  'source': {'type': 'string'},"                                   \
    "  'source_port': {'type': 'integer'},"                             \
    "  'destination': {'type': 'string'},"                              \
    "  'destination_port': {'type': 'integer'},"                        \
    "  'vlan': {'type': ['integer', 'null'], 'minimum': 1,"             \
    "   'maximum': 4094}}}"

const char rpc_schema_flows[] =
    "{'type': 'object', 'required': ['total', 'flows'],"
    " 'properties': {"
    "  'total': {'type': 'integer'},"
    "  'flows': {'type': 'array', 'items': {"
    "   'type': 'object',"
    "   'required': ['address', 'direction', 'protocol', 'near', 'far',"
    "    'device', 'state', 'age', 'idle', 'confirmed', 'packets',"
    "    'bytes'],"
    "   'properties': {"
    "    'address': {'type': 'string'},"
    "    'direction': {'enum': ['in', 'out']},"
    "    'protocol': {'enum': ['tcp', 'udp', 'icmp', 'icmpv6']},"
    "    'near': " TUPLE_SCHEMA ","
    "    'far': " TUPLE_SCHEMA ","
    "    'device': {'type': 'string'},"
    "    'state': {'enum': ['learning', 'used', 'closed', 'void',"
    "     'unconfirmed']},"
    "    'age': {'type': 'number'},"
    "    'idle': {'type': ['number', 'null']},"
    "    'confirmed': {'type': 'number'},"
    "    'packets': {'type': 'integer'},"
    "    'bytes': {'type': 'integer'}}}}}}";

static struct json_object *list_flows(const struct view_flows *);
static struct json_object *show_flow(const struct view_flow *);
static struct json_object *show_tuple(const struct view_flow *,
                                      const char *source,
                                      const char *destination, int vlan);

/* Answers flow.list. */
struct json_object *
rpc_handle_flows(const struct view *view, struct json_object *params,
                 struct rpc_error *error)
{
    const char *endpoint = params_get_string(params, "endpoint");
    int64_t limit = params_get_integer(params, "limit", RPC_DEFAULT_FLOWS);
    struct json_object *json;
    struct view_flows flows;

    if (limit < 1 || limit > RPC_MAX_FLOWS) {
        rpc_error_set(error, RPC_ERROR_INVALID_PARAMS, "limit",
                      "%"PRId64" flows cannot be listed: 1 to %d can",
                      limit, RPC_MAX_FLOWS);
        return NULL;
    }
    view_get_flows(view, endpoint, limit, &flows);
    json = json_object_new_object();
    result_add(json, "total", result_count(flows.total));
    result_add(json, "flows", list_flows(&flows));
    view_flows_uninit(&flows);
    return json;
}

/* Returns the flows of 'flows'. */
static struct json_object *
list_flows(const struct view_flows *flows)
{
    struct json_object *list = json_object_new_array();
    size_t i;

    for (i = 0; i < flows->n; i++) {
        result_append(list, show_flow(&flows->flows[i]));
    }
    return list;
}

/* Returns what there is to say about 'flow'. */
static struct json_object *
show_flow(const struct view_flow *flow)
{
    struct json_object *json = json_object_new_object();

    result_add(json, "address", result_string(flow->address));
    result_add(json, "direction", result_string(flow->direction));
    result_add(json, "protocol", result_string(flow->protocol));
    result_add(json, "near", show_tuple(flow, flow->source,
                                        flow->destination, flow->vlan));
    result_add(json, "far", show_tuple(flow, flow->new_source,
                                       flow->new_destination,
                                       flow->new_vlan));
    result_add(json, "device", result_string(flow->device));
    result_add(json, "state", result_string(flow->state));
    result_add(json, "age", result_seconds(flow->age));
    result_add(json, "idle", result_seconds(flow->idle));
    result_add(json, "confirmed", result_seconds(flow->confirmed));
    result_add(json, "packets", result_count(flow->packets));
    result_add(json, "bytes", result_count(flow->bytes));
    return json;
}

/* Returns the tuple of 'source', 'destination' and 'vlan', and the ports of
 * 'flow', which nobody changes. */
static struct json_object *
show_tuple(const struct view_flow *flow, const char *source,
           const char *destination, int vlan)
{
    struct json_object *json = json_object_new_object();

    result_add(json, "source", result_string(source));
    result_add(json, "source_port", json_object_new_int(flow->source_port));
    result_add(json, "destination", result_string(destination));
    result_add(json, "destination_port",
               json_object_new_int(flow->destination_port));
    result_add(json, "vlan", vlan ? json_object_new_int(vlan) : NULL);
    return json;
}
