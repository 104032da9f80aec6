/* SPDX-License-Identifier: Apache-2.0 */
/* stats.get: the counters, for tools that poll. */

#include <config.h>

#include "rpc/handlers.h"

#include <json-c/json.h>

#include "util.h"

#include "plugin/view.h"
#include "rpc/result.h"

const char rpc_schema_stats[] =
    "{'type': 'object',"
    " 'required': ['time_ns', 'interfaces', 'endpoints',"
    "  'redirect_errors', 'direct'],"
    " 'properties': {"
    "  'time_ns': {'type': 'integer'},"
    "  'interfaces': {'type': 'object', 'additionalProperties': {"
    "   'type': 'object', 'additionalProperties': {"
    "    'type': 'object', 'required': ['packets', 'bytes'],"
    "    'properties': {"
    "     'packets': {'type': 'integer'}, 'bytes': {'type': 'integer'}}}}},"
    "  'endpoints': {'type': 'object', 'additionalProperties': {"
    "   'type': 'object', 'required': ['packets', 'bytes', 'drops'],"
    "   'properties': {"
    "    'packets': {'type': 'integer'}, 'bytes': {'type': 'integer'},"
    "    'drops': {'type': 'integer'}}}},"
    "  'redirect_errors': {'type': 'object',"
    "   'additionalProperties': {'type': 'integer'}},"
    "  'direct': {'type': 'object',"
    "   'required': ['sides', 'probes', 'unsent', 'expired', 'unconfirmed',"
    "    'voided'],"
    "   'properties': {"
    "    'sides': {'type': 'object', 'additionalProperties': {"
    "     'type': 'object', 'additionalProperties': {"
    "      'type': 'object', 'required': ['packets', 'bytes'],"
    "      'properties': {"
    "       'packets': {'type': 'integer'}, 'bytes': {'type': 'integer'}}}}},"
    "    'probes': {'type': 'integer'},"
    "    'unsent': {'type': 'integer'},"
    "    'expired': {'type': 'integer'},"
    "    'unconfirmed': {'type': 'integer'},"
    "    'voided': {'type': 'object',"
    "     'additionalProperties': {'type': 'integer'}}}}}}";

static struct json_object *count_interfaces(const struct view_stats *);
static struct json_object *count_endpoints(const struct view_stats *);
static struct json_object *count_direct(const struct view *);

/* Answers stats.get. */
struct json_object *
rpc_handle_stats(const struct view *view,
                 struct json_object *params OVS_UNUSED,
                 struct rpc_error *error OVS_UNUSED)
{
    struct json_object *json = json_object_new_object();
    struct view_stats stats;

    view_get_stats(view, &stats);
    result_add(json, "time_ns", result_count(stats.time_ns));
    result_add(json, "interfaces", count_interfaces(&stats));
    result_add(json, "endpoints", count_endpoints(&stats));
    result_add(json, "redirect_errors",
               result_packets(stats.redirect_errors,
                              stats.n_redirect_errors));
    result_add(json, "direct", count_direct(view));
    view_stats_uninit(&stats);
    return json;
}

/* Returns the counters of the interfaces of 'stats', by name and reason. */
static struct json_object *
count_interfaces(const struct view_stats *stats)
{
    struct json_object *json = json_object_new_object();
    size_t i;

    for (i = 0; i < stats->n_interfaces; i++) {
        const struct view_interface_stats *interface = &stats->interfaces[i];

        result_add_foreign(json, interface->name,
                           result_packets_bytes(interface->counters,
                                                interface->n_counters));
    }
    return json;
}

/* Returns the counters of the endpoints of 'stats', by address. */
static struct json_object *
count_endpoints(const struct view_stats *stats)
{
    struct json_object *json = json_object_new_object();
    size_t i;

    for (i = 0; i < stats->endpoints.n; i++) {
        const struct view_endpoint *endpoint = &stats->endpoints.endpoints[i];
        struct json_object *counter = json_object_new_object();

        result_add(counter, "packets", result_count(endpoint->packets));
        result_add(counter, "bytes", result_count(endpoint->bytes));
        result_add(counter, "drops", result_count(endpoint->drops));
        result_add(json, endpoint->address, counter);
    }
    return json;
}

/* Returns the counters of layer L3. */
static struct json_object *
count_direct(const struct view *view)
{
    struct json_object *json = json_object_new_object();
    struct json_object *sides = json_object_new_object();
    struct view_direct direct;
    size_t i;

    view_get_direct(view, &direct);
    for (i = 0; i < ARRAY_SIZE(direct.sides); i++) {
        const struct view_direct_counters *side = &direct.sides[i];

        result_add(sides, side->side,
                   result_packets_bytes(side->counters, side->n_counters));
    }
    result_add(json, "sides", sides);
    result_add(json, "probes", result_count(direct.probes));
    result_add(json, "unsent", result_count(direct.unsent));
    result_add(json, "expired", result_count(direct.expired));
    result_add(json, "unconfirmed", result_count(direct.unconfirmed));
    result_add(json, "voided", result_packets(direct.voided,
                                              direct.n_voided));
    view_direct_uninit(&direct);
    return json;
}
