/* SPDX-License-Identifier: Apache-2.0 */
/* endpoint.explain: why an address is redirected or not. */

#include <config.h>

#include "rpc/handlers.h"

#include <json-c/json.h>

#include "util.h"

#include "plugin/view.h"
#include "rpc/error.h"
#include "rpc/params.h"
#include "rpc/result.h"

const char rpc_schema_explain[] =
    "{'type': 'object',"
    " 'required': ['subject', 'checks', 'verdict', 'addresses'],"
    " 'properties': {"
    "  'subject': {'type': 'string'},"
    "  'checks': {'type': 'array', 'items': {"
    "   'type': 'object',"
    "   'required': ['check', 'ok', 'detail', 'fix', 'address'],"
    "   'properties': {"
    "    'check': {'type': 'string'},"
    "    'ok': {'type': ['boolean', 'null']},"
    "    'detail': {'type': 'string'},"
    "    'fix': {'type': 'string'},"
    "    'address': {'type': 'string'}}}},"
    "  'verdict': {'type': 'object',"
    "   'required': ['redirect', 'acl', 'direct'],"
    "   'properties': {"
    "    'redirect': {'enum': ['offloaded', 'pending', 'ineligible',"
    "     'unknown']},"
    "    'acl': {'enum': ['enforced', 'counted', 'pass-only', 'off']},"
    "    'direct': {'enum': ['on', 'ineligible', 'off', 'unknown']}}},"
    "  'addresses': {'type': 'array', 'items': {"
    "   'type': 'object',"
    "   'required': ['address', 'logical_port', 'redirect', 'reason',"
    "    'acl', 'acl_reason', 'direct', 'direct_reason'],"
    "   'properties': {"
    "    'address': {'type': 'string'},"
    "    'logical_port': {'type': 'string'},"
    "    'redirect': {'enum': ['offloaded', 'pending', 'ineligible']},"
    "    'reason': {'type': 'string'},"
    "    'acl': {'enum': ['enforced', 'counted', 'pass-only', 'off']},"
    "    'acl_reason': {'type': 'string'},"
    "    'direct': {'enum': ['on', 'ineligible', 'off']},"
    "    'direct_reason': {'type': 'string'}}}}}}";

static struct json_object *show_checks(const struct view_explanation *);
static struct json_object *show_verdict(const struct view_explanation *);
static struct json_object *show_addresses(const struct view_explanation *);

/* Answers endpoint.explain. */
struct json_object *
rpc_handle_explain(const struct view *view, struct json_object *params,
                   struct rpc_error *error)
{
    const char *subject = params_get_string(params, "subject");
    struct view_explanation x;
    struct json_object *json;

    if (!view_get_explanation(view, subject, &x)) {
        rpc_error_set(error, RPC_ERROR_INVALID_PARAMS, "subject",
                      "\"%s\" is neither an address nor a logical port",
                      subject);
        return NULL;
    }
    json = json_object_new_object();
    result_add(json, "subject", result_string(x.subject));
    result_add(json, "checks", show_checks(&x));
    result_add(json, "verdict", show_verdict(&x));
    result_add(json, "addresses", show_addresses(&x));
    view_explanation_uninit(&x);
    return json;
}

/* Returns the checks of 'x', in their order. */
static struct json_object *
show_checks(const struct view_explanation *x)
{
    struct json_object *list = json_object_new_array();
    size_t i;

    for (i = 0; i < x->n_checks; i++) {
        const struct view_check *check = &x->checks[i];
        struct json_object *json = json_object_new_object();

        result_add(json, "check", result_string(check->check));
        result_add(json, "ok", (check->answer == VIEW_UNKNOWN ? NULL
                                : json_object_new_boolean(
                                    check->answer == VIEW_YES)));
        result_add(json, "detail", result_string(check->detail));
        result_add(json, "fix", result_string(check->fix));
        result_add(json, "address", result_string(check->address));
        result_append(list, json);
    }
    return list;
}

/* Returns what becomes of 'x' as a whole, layer by layer. */
static struct json_object *
show_verdict(const struct view_explanation *x)
{
    struct json_object *json = json_object_new_object();

    result_add(json, "redirect", result_string(x->redirect));
    result_add(json, "acl", result_string(x->acl));
    result_add(json, "direct", result_string(x->direct));
    return json;
}

/* Returns the addresses of 'x', each with its verdict. */
static struct json_object *
show_addresses(const struct view_explanation *x)
{
    struct json_object *list = json_object_new_array();
    size_t i;

    for (i = 0; i < x->n_verdicts; i++) {
        const struct view_verdict *verdict = &x->verdicts[i];
        struct json_object *json = json_object_new_object();

        result_add(json, "address", result_string(verdict->address));
        result_add(json, "logical_port", result_string(verdict->logical_port));
        result_add(json, "redirect", result_string(verdict->redirect));
        result_add(json, "reason", result_string(verdict->reason));
        result_add(json, "acl", result_string(verdict->acl));
        result_add(json, "acl_reason", result_string(verdict->acl_reason));
        result_add(json, "direct", result_string(verdict->direct));
        result_add(json, "direct_reason",
                   result_string(verdict->direct_reason));
        result_append(list, json);
    }
    return list;
}
