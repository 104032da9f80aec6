/* SPDX-License-Identifier: Apache-2.0 */
/* status.get and health.get: how the daemon is doing. */

#include <config.h>

#include "rpc/handlers.h"

#include <json-c/json.h>
#include <string.h>

#include "util.h"

#include "plugin/view.h"
#include "rpc/result.h"

const char rpc_schema_status[] =
    "{'type': 'object',"
    " 'required': ['chassis', 'version', 'uptime_seconds', 'databases',"
    "  'config', 'problems', 'endpoints', 'interfaces', 'generation',"
    "  'direct'],"
    " 'properties': {"
    "  'chassis': {'type': 'string'},"
    "  'version': {'type': 'string'},"
    "  'uptime_seconds': {'type': 'number', 'minimum': 0},"
    "  'databases': {'type': 'array', 'items': {"
    "   'type': 'object',"
    "   'required': ['name', 'remote', 'state', 'last_change_seconds'],"
    "   'properties': {"
    "    'name': {'type': 'string'},"
    "    'remote': {'type': 'string'},"
    "    'state': {'enum': ['disabled', 'connecting', 'syncing', 'synced']},"
    "    'last_change_seconds': {'type': ['number', 'null']}}}},"
    "  'config': {'type': 'object',"
    "   'additionalProperties': {'type': 'string'}},"
    "  'problems': {'type': 'array', 'items': {"
    "   'type': 'object', 'required': ['class', 'message'],"
    "   'properties': {"
    "    'class': {'type': 'string'}, 'message': {'type': 'string'}}}},"
    "  'endpoints': {'type': 'object',"
    "   'required': ['offloaded', 'pending', 'ineligible'],"
    "   'properties': {"
    "    'offloaded': {'type': 'integer'},"
    "    'pending': {'type': 'integer'},"
    "    'ineligible': {'type': 'integer'}}},"
    "  'interfaces': {'type': 'integer'},"
    "  'generation': {'type': 'integer'},"
    "  'direct': {'type': 'object',"
    "   'required': ['enabled', 'confirm_ms', 'endpoints', 'flows',"
    "    'used_flows', 'active_flows'],"
    "   'properties': {"
    "    'enabled': {'type': 'boolean'},"
    "    'confirm_ms': {'type': ['integer', 'null']},"
    "    'endpoints': {'type': 'integer'},"
    "    'flows': {'type': 'integer'},"
    "    'used_flows': {'type': 'integer'},"
    "    'active_flows': {'type': 'integer'}}}}}";

const char rpc_schema_health[] =
    "{'type': 'object', 'required': ['status', 'reasons'],"
    " 'properties': {"
    "  'status': {'enum': ['ok', 'degraded', 'failed']},"
    "  'reasons': {'type': 'array', 'items': {'type': 'string'}},"
    "  'problems': {'type': 'array', 'items': {"
    "   'type': 'object', 'required': ['class', 'message'],"
    "   'properties': {"
    "    'class': {'type': 'string'}, 'message': {'type': 'string'}}}}}}";

static struct json_object *list_databases(const struct view_status *);
static struct json_object *list_settings(const struct view_status *);
static struct json_object *count_endpoints(const struct view_status *);
static struct json_object *show_direct(const struct view_status *);
static struct json_object *list_classes(const struct view_problem *, size_t n);
static bool is_listed(const struct view_problem *, size_t n,
                      const char *class);

/* Answers status.get. */
struct json_object *
rpc_handle_status(const struct view *view,
                  struct json_object *params OVS_UNUSED,
                  struct rpc_error *error OVS_UNUSED)
{
    struct json_object *json = json_object_new_object();
    struct view_status status;

    view_get_status(view, &status);
    result_add(json, "chassis", result_string(status.chassis));
    result_add(json, "version", result_string(status.version));
    result_add(json, "uptime_seconds", result_seconds(status.uptime));
    result_add(json, "databases", list_databases(&status));
    result_add(json, "config", list_settings(&status));
    result_add(json, "problems",
               result_problems(status.problems, status.n_problems));
    result_add(json, "endpoints", count_endpoints(&status));
    result_add(json, "interfaces", result_count(status.n_interfaces));
    result_add(json, "generation", result_count(status.generation));
    result_add(json, "direct", show_direct(&status));
    view_status_uninit(&status);
    return json;
}

/* Answers health.get.  "reasons" are the classes of "problems", each once. */
struct json_object *
rpc_handle_health(const struct view *view,
                  struct json_object *params OVS_UNUSED,
                  struct rpc_error *error OVS_UNUSED)
{
    static const char *const words[] = {
        [VIEW_OK] = "ok",
        [VIEW_DEGRADED] = "degraded",
        [VIEW_FAILED] = "failed",
    };
    struct json_object *json = json_object_new_object();
    struct view_health health;

    view_get_health(view, &health);
    result_add(json, "status", result_string(words[health.code]));
    result_add(json, "reasons",
               list_classes(health.reasons, health.n_reasons));
    result_add(json, "problems",
               result_problems(health.reasons, health.n_reasons));
    view_health_uninit(&health);
    return json;
}

/* Returns the databases of 'status'. */
static struct json_object *
list_databases(const struct view_status *status)
{
    struct json_object *list = json_object_new_array();
    size_t i;

    for (i = 0; i < status->n_databases; i++) {
        const struct view_database *db = &status->databases[i];
        struct json_object *json = json_object_new_object();

        result_add(json, "name", result_string(db->name));
        result_add(json, "remote", result_string(db->remote));
        result_add(json, "state", result_string(db->state));
        result_add(json, "last_change_seconds",
                   result_seconds(db->last_change));
        result_append(list, json);
    }
    return list;
}

/* Returns the effective configuration of 'status'. */
static struct json_object *
list_settings(const struct view_status *status)
{
    struct json_object *json = json_object_new_object();
    size_t i;

    for (i = 0; i < status->n_settings; i++) {
        const struct view_setting *setting = &status->settings[i];

        result_add(json, setting->key, result_string(setting->value));
    }
    return json;
}

/* Returns the numbers of endpoints of 'status', by state. */
static struct json_object *
count_endpoints(const struct view_status *status)
{
    struct json_object *json = json_object_new_object();

    result_add(json, "offloaded", result_count(status->n_offloaded));
    result_add(json, "pending", result_count(status->n_pending));
    result_add(json, "ineligible", result_count(status->n_ineligible));
    return json;
}

/* Returns what 'status' says of layer L3. */
static struct json_object *
show_direct(const struct view_status *status)
{
    struct json_object *json = json_object_new_object();

    result_add(json, "enabled", json_object_new_boolean(status->direct));
    result_add(json, "confirm_ms",
               status->direct ? result_count(status->confirm_ms) : NULL);
    result_add(json, "endpoints", result_count(status->n_direct));
    result_add(json, "flows", result_count(status->n_flows));
    result_add(json, "used_flows", result_count(status->n_used_flows));
    result_add(json, "active_flows", result_count(status->n_active_flows));
    return json;
}

/* Returns the classes of the 'n' 'problems', in their order, each once. */
static struct json_object *
list_classes(const struct view_problem *problems, size_t n)
{
    struct json_object *list = json_object_new_array();
    size_t i;

    for (i = 0; i < n; i++) {
        if (!is_listed(problems, i, problems[i].class)) {
            result_append(list, result_string(problems[i].class));
        }
    }
    return list;
}

/* Returns true if one of the 'n' 'problems' is of 'class'. */
static bool
is_listed(const struct view_problem *problems, size_t n, const char *class)
{
    size_t i;

    for (i = 0; i < n; i++) {
        if (!strcmp(problems[i].class, class)) {
            return true;
        }
    }
    return false;
}
