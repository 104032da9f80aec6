/* SPDX-License-Identifier: Apache-2.0 */
/* acl.list: the rules of OVN's ACLs, as they are understood here. */

#include <config.h>

#include "rpc/handlers.h"

#include <json-c/json.h>
#include <stdlib.h>

#include "util.h"

#include "plugin/view.h"
#include "rpc/error.h"
#include "rpc/params.h"
#include "rpc/result.h"

const char rpc_schema_acls[] =
    "{'type': 'array', 'items': {"
    " 'type': 'object',"
    " 'required': ['logical_port', 'state', 'reason', 'token', 'column',"
    "  'mode', 'stateful', 'rules'],"
    " 'properties': {"
    "  'logical_port': {'type': 'string'},"
    "  'state': {'enum': ['enforced', 'pass-only']},"
    "  'reason': {'type': 'string'},"
    "  'token': {'type': 'string'},"
    "  'column': {'type': ['integer', 'null'], 'minimum': 1},"
    "  'mode': {'enum': ['count', 'drop', 'off']},"
    "  'stateful': {'type': 'boolean'},"
    "  'rules': {'type': ['array', 'null'], 'items': {"
    "   'type': 'object',"
    "   'required': ['direction', 'tier', 'priority', 'action', 'protocol',"
    "    'source', 'ports', 'icmp', 'flags', 'match', 'hits'],"
    "   'properties': {"
    "    'direction': {'enum': ['to-lport']},"
    "    'tier': {'type': 'integer'},"
    "    'priority': {'type': 'integer'},"
    "    'action': {'enum': ['allow', 'allow-related', 'allow-stateless',"
    "     'drop', 'reject', 'pass']},"
    "    'protocol': {'type': 'string'},"
    "    'source': {'type': 'string'},"
    "    'ports': {'type': 'string'},"
    "    'icmp': {'type': 'string'},"
    "    'flags': {'type': 'array', 'items': {'enum': ['logged',"
    "     'labelled', 'sampled', 'built-in']}},"
    "    'match': {'type': 'string'},"
    "    'hits': {'type': 'integer'}}}}}}}";

static struct json_object *show_ports(const struct view_acls *,
                                      struct json_object *const *rules);
static struct json_object *show_port(const struct view_acl_port *,
                                     const char *mode,
                                     struct json_object *rules);
static struct json_object *show_rules(const struct view_acl_set *);
static struct json_object *show_rule(const struct view_acl_rule *);
static struct json_object *list_flags(const struct view_acl_rule *);

/* Answers acl.list.  Rules that several ports have are made once. */
struct json_object *
rpc_handle_acls(const struct view *view, struct json_object *params,
                struct rpc_error *error)
{
    const char *logical_port = params_get_string(params, "logical_port");
    struct json_object *list, **rules;
    struct view_acls acls;
    size_t i;

    if (!view_get_acls(view, logical_port, &acls)) {
        rpc_error_set(error, RPC_ERROR_NOT_FOUND, "logical_port",
                      "no VM on this chassis has a logical port \"%s\"",
                      logical_port);
        return NULL;
    }
    rules = xcalloc(MAX(1, acls.n_sets), sizeof *rules);
    for (i = 0; i < acls.n_sets; i++) {
        rules[i] = show_rules(&acls.sets[i]);
    }
    list = show_ports(&acls, rules);
    for (i = 0; i < acls.n_sets; i++) {
        json_object_put(rules[i]);
    }
    free(rules);
    view_acls_uninit(&acls);
    return list;
}

/* Returns the ports of 'acls', whose sets are those of 'rules'. */
static struct json_object *
show_ports(const struct view_acls *acls, struct json_object *const *rules)
{
    struct json_object *list = json_object_new_array();
    size_t i;

    for (i = 0; i < acls->n; i++) {
        const struct view_acl_port *port = &acls->ports[i];

        result_append(list, show_port(
                          port, acls->mode,
                          (port->set
                           ? json_object_get(rules[port->set - acls->sets])
                           : json_object_new_array())));
    }
    return list;
}

/* Returns what there is to say about 'port' where 'mode' is in force, with its
 * 'rules', which are taken over. */
static struct json_object *
show_port(const struct view_acl_port *port, const char *mode,
          struct json_object *rules)
{
    struct json_object *json = json_object_new_object();

    result_add(json, "logical_port", result_string(port->logical_port));
    result_add(json, "state", result_string(port->state));
    result_add(json, "reason", result_string(port->reason));
    result_add(json, "token", result_string(port->token));
    result_add(json, "column", (port->column
                                ? json_object_new_int(port->column) : NULL));
    result_add(json, "mode", result_string(mode));
    result_add(json, "stateful", json_object_new_boolean(
                   port->set && port->set->stateful));
    result_add(json, "rules", rules);
    return json;
}

/* Returns the rules of 'set', null if they are left out. */
static struct json_object *
show_rules(const struct view_acl_set *set)
{
    struct json_object *list;
    size_t i;

    if (!set->rules) {
        return NULL;
    }
    list = json_object_new_array();
    for (i = 0; i < set->n_rules; i++) {
        result_append(list, show_rule(&set->rules[i]));
    }
    return list;
}

/* Returns what there is to say about 'rule'. */
static struct json_object *
show_rule(const struct view_acl_rule *rule)
{
    struct json_object *json = json_object_new_object();

    result_add(json, "direction", result_string(rule->direction));
    result_add(json, "tier", json_object_new_int(rule->tier));
    result_add(json, "priority", json_object_new_int(rule->priority));
    result_add(json, "action", result_string(rule->action));
    result_add(json, "protocol", result_string(rule->protocol));
    result_add(json, "source", result_string(rule->source));
    result_add(json, "ports", result_string(rule->ports));
    result_add(json, "icmp", result_string(rule->icmp));
    result_add(json, "flags", list_flags(rule));
    result_add(json, "match", result_string(rule->match));
    result_add(json, "hits", result_count(rule->hits));
    return json;
}

/* Returns the words for what OVN does besides. */
static struct json_object *
list_flags(const struct view_acl_rule *rule)
{
    struct json_object *list = json_object_new_array();
    size_t i;

    for (i = 0; i < rule->n_flags; i++) {
        result_append(list, result_string(rule->flags[i]));
    }
    return list;
}
