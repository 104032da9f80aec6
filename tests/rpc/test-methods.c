/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of rpc/method-*.c: every member that the documented interface
 * promises is there under its name, and nothing contradicts the schema that
 * rpc.discover publishes. */

#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <json-c/json.h>

#include "openvswitch/dynamic-string.h"
#include "util.h"

#include "rpc/handlers.h"
#include "rpc/jsonrpc.h"
#include "rpc/methods.h"
#include "tests/rpc/fake-view.h"

static void check_schema(struct json_object *schema, struct json_object *);

/* Returns the reply to 'method' with 'params', as JSON text, on 'view'. */
static struct json_object *
call_raw(const struct view *view, const char *method, const char *params)
{
    const struct jsonrpc2_context context = {
        .services = rpc_services, .n_services = n_rpc_services,
        .view = view, .uid = 1000,
    };
    char *text = xasprintf("{\"jsonrpc\":\"2.0\",\"method\":\"%s\","
                           "\"params\":%s,\"id\":1}", method, params);
    struct jsonrpc2_message *message = jsonrpc2_message_parse(text,
                                                              strlen(text));
    struct ds out = DS_EMPTY_INITIALIZER;
    struct json_object *reply;

    assert_non_null(message);
    assert_true(jsonrpc2_message_prepare(message, &context));
    assert_true(jsonrpc2_message_answer(message, &context, &out));
    reply = json_tokener_parse(ds_cstr(&out));
    jsonrpc2_message_destroy(message);
    ds_destroy(&out);
    free(text);
    return reply;
}

/* Returns the result of 'method' with 'params', as JSON text, on 'view'. */
static struct json_object *
call(const struct view *view, const char *method, const char *params)
{
    struct json_object *reply = call_raw(view, method, params);
    struct json_object *result;

    assert_true(json_object_object_get_ex(reply, "result", &result));
    json_object_get(result);
    json_object_put(reply);
    return result;
}

/* Returns member 'name' of 'json'. */
static struct json_object *
get(struct json_object *json, const char *name)
{
    struct json_object *member;

    assert_true(json_object_object_get_ex(json, name, &member));
    return member;
}

/* Checks that 'json' is an object whose members are those named in 'members',
 * separated by spaces, in that order. */
static void
check_members(struct json_object *json, const char *members)
{
    struct ds ds = DS_EMPTY_INITIALIZER;

    assert_true(json_object_is_type(json, json_type_object));
    json_object_object_foreach (json, name, value) {
        ds_put_format(&ds, "%s%s", ds.length ? " " : "", name);
        (void) value;
    }
    assert_string_equal(ds_cstr(&ds), members);
    ds_destroy(&ds);
}

/* Checks that 'json' is 'expected' as text. */
static void
check_json(struct json_object *json, const char *expected)
{
    assert_string_equal(json_object_to_json_string_ext(
                            json, JSON_C_TO_STRING_NOSLASHESCAPE), expected);
}

/* Returns element 'i' of array 'json'. */
static struct json_object *
at(struct json_object *json, size_t i)
{
    assert_true(json_object_is_type(json, json_type_array));
    assert_true(i < json_object_array_length(json));
    return json_object_array_get_idx(json, i);
}

/* rpc.hello. */
static void
test_hello(void **state OVS_UNUSED)
{
    const struct view view = { .health = VIEW_OK };
    struct json_object *result = call(&view, "rpc.hello", "{}");

    check_members(result, "product version api features");
    check_json(get(result, "product"), "\"ovn-xdp\"");
    check_json(get(result, "api"), "1");
    assert_true(json_object_is_type(get(result, "features"),
                                    json_type_array));
    json_object_put(result);
}

/* status.get. */
static void
test_status(void **state OVS_UNUSED)
{
    const struct view view = { .health = VIEW_OK };
    struct json_object *result = call(&view, "status.get", "{}");

    check_members(result, "chassis version uptime_seconds databases config "
                  "problems endpoints interfaces generation direct");
    check_json(get(result, "chassis"), "\"hv1\"");
    check_json(get(result, "version"), "\"0.0.1\"");
    check_json(get(result, "uptime_seconds"), "3725.250");
    check_json(get(result, "databases"),
               "[{\"name\":\"Open_vSwitch\",\"remote\":\"unix:/run/db.sock\","
               "\"state\":\"synced\",\"last_change_seconds\":3.000},"
               "{\"name\":\"OVN_Southbound\",\"remote\":"
               "\"ssl:192.0.2.1:6642\",\"state\":\"connecting\","
               "\"last_change_seconds\":null}]");
    check_json(get(result, "config"), "{\"ovn-xdp-interfaces\":"
               "\"eth0,eth1\",\"ovn-xdp-exclude\":\"\"}");
    check_json(get(result, "problems"), "[{\"class\":\"database-down\","
               "\"message\":\"OVN_Southbound is connecting\"}]");
    check_json(get(result, "endpoints"),
               "{\"offloaded\":1,\"pending\":1,\"ineligible\":1}");
    check_json(get(result, "interfaces"), "1");
    check_json(get(result, "generation"), "42");
    check_json(get(result, "direct"),
               "{\"enabled\":true,\"confirm_ms\":500,\"endpoints\":1,"
               "\"flows\":4,\"used_flows\":2,\"active_flows\":1}");
    json_object_put(result);
}

/* status.get without layer L3. */
static void
test_status_no_direct(void **state OVS_UNUSED)
{
    const struct view view = { .empty = true };
    struct json_object *result = call(&view, "status.get", "{}");

    check_json(get(result, "direct"),
               "{\"enabled\":false,\"confirm_ms\":null,\"endpoints\":0,"
               "\"flows\":0,\"used_flows\":0,\"active_flows\":0}");
    json_object_put(result);
}

/* health.get: a class that several problems share is one reason. */
static void
test_health(void **state OVS_UNUSED)
{
    static const char *const words[] = { "\"ok\"", "\"degraded\"",
                                         "\"failed\"" };
    struct view view;
    int code;

    memset(&view, 0, sizeof view);
    for (code = VIEW_OK; code <= VIEW_FAILED; code++) {
        struct json_object *result;

        view.health = code;
        result = call(&view, "health.get", "{}");
        check_members(result, "status reasons problems");
        check_json(get(result, "status"), words[code]);
        check_json(get(result, "reasons"),
                   code == VIEW_OK ? "[]" : "[\"database-down\"]");
        assert_int_equal(json_object_array_length(get(result, "problems")),
                         code == VIEW_OK ? 0 : 2);
        json_object_put(result);
    }
}

/* interface.list. */
static void
test_interfaces(void **state OVS_UNUSED)
{
    const struct view view = { .health = VIEW_OK };
    struct json_object *result = call(&view, "interface.list", "{}");

    assert_int_equal(json_object_array_length(result), 2);
    check_json(at(result, 0),
               "{\"name\":\"eth0\",\"ifindex\":2,\"layout\":\"routed\","
               "\"mode\":\"native\",\"program_id\":77,\"targets\":"
               "[{\"bridge\":\"br-ex\",\"device\":\"oxp-br-ex\","
               "\"ifindex\":9,\"kind\":\"veth\",\"state\":\"ready\","
               "\"reason\":\"\"}],\"features\":[\"native-xdp\","
               "\"ndo-xmit\"],\"state\":\"attached\",\"reason\":\"\","
               "\"detail\":\"\",\"counters\":{\"redirected\":1200,"
               "\"not-local\":34,\"martian-source\":0,"
               "\"acl-drop\":5,\"acl-lease\":3,\"direct\":77,"
               "\"flow-new\":9}}");
    check_members(at(result, 1), "name ifindex layout mode program_id "
                  "targets features state reason detail counters");
    check_json(get(at(result, 1), "mode"), "null");
    check_json(get(at(result, 1), "program_id"), "12");
    check_json(get(at(result, 1), "reason"), "\"foreign-xdp\"");
    json_object_put(result);
}

/* endpoint.list. */
static void
test_endpoints(void **state OVS_UNUSED)
{
    const struct view view = { .health = VIEW_OK };
    struct json_object *result = call(&view, "endpoint.list", "{}");

    assert_int_equal(json_object_array_length(result), 3);
    check_json(at(result, 0),
               "{\"address\":\"203.0.113.10\",\"mac\":\"fa:16:3e:00:00:01\","
               "\"kind\":\"fip-distributed\",\"logical_port\":\"vm1\","
               "\"network\":\"physnet1\",\"bridge\":\"br-ex\",\"vlan\":null,"
               "\"state\":\"offloaded\",\"direct\":false,\"reason\":\"\","
               "\"packets\":1200,\"bytes\":96000,\"drops\":0,"
               "\"acl\":\"enforced\",\"acl_reason\":\"\","
               "\"direct_reason\":\"direct-conntrack\","
               "\"unsolicited\":null}");
    check_json(get(at(result, 2), "direct_reason"), "\"\"");
    check_json(get(at(result, 2), "unsolicited"),
               "{\"tcp\":432000,\"udp\":12,\"echo\":0}");
    check_json(get(at(result, 2), "acl_reason"), "\"acl-match\"");
    check_json(get(at(result, 2), "vlan"), "100");
    check_json(get(at(result, 2), "direct"), "true");
    json_object_put(result);
}

/* The filter of endpoint.list, by name and by position. */
static void
test_endpoint_filter(void **state OVS_UNUSED)
{
    static const char *const params[] = {
        "{\"filter\":\"2001:db8::10\"}", "{\"filter\":\"vm3\"}", "[\"vm3\"]",
    };
    const struct view view = { .health = VIEW_OK };
    struct json_object *result;
    size_t i;

    for (i = 0; i < ARRAY_SIZE(params); i++) {
        result = call(&view, "endpoint.list", params[i]);
        assert_int_equal(json_object_array_length(result), 1);
        check_json(get(at(result, 0), "logical_port"), "\"vm3\"");
        json_object_put(result);
    }
    result = call(&view, "endpoint.list", "[\"nix\"]");
    check_json(result, "[]");
    json_object_put(result);
}

/* acl.list. */
static void
test_acls(void **state OVS_UNUSED)
{
    const struct view view = { .health = VIEW_OK };
    struct json_object *result = call(&view, "acl.list", "{}");

    assert_int_equal(json_object_array_length(result), 3);
    check_members(at(result, 0), "logical_port state reason token column "
                  "mode stateful rules");
    check_json(get(at(result, 0), "state"), "\"enforced\"");
    check_json(get(at(result, 0), "column"), "null");
    check_json(get(at(result, 0), "mode"), "\"drop\"");
    check_json(get(at(result, 0), "stateful"), "true");
    check_json(at(get(at(result, 0), "rules"), 0),
               "{\"direction\":\"to-lport\",\"tier\":1,"
               "\"priority\":1002,\"action\":\"allow-related\","
               "\"protocol\":\"tcp\",\"source\":\"192.0.2.0/24\","
               "\"ports\":\"22,8000-8080\",\"icmp\":\"\",\"flags\":[],"
               "\"match\":\"ip4 && ip4.src == 192.0.2.0/24 && tcp\","
               "\"hits\":7}");
    check_json(get(at(get(at(result, 0), "rules"), 2), "flags"),
               "[\"logged\",\"sampled\"]");
    check_json(at(result, 1),
               "{\"logical_port\":\"vm2\",\"state\":\"pass-only\","
               "\"reason\":\"acl-pending\",\"token\":\"\","
               "\"column\":null,\"mode\":\"drop\",\"stateful\":false,"
               "\"rules\":[]}");
    check_json(get(at(result, 2), "token"), "\"ip.ttl\"");
    check_json(get(at(result, 2), "column"), "17");
    json_object_put(result);

    result = call(&view, "acl.list", "[\"vm3\"]");
    assert_int_equal(json_object_array_length(result), 1);
    check_json(get(at(result, 0), "logical_port"), "\"vm3\"");
    json_object_put(result);

    result = call_raw(&view, "acl.list", "{\"logical_port\":\"nix\"}");
    check_json(get(get(get(result, "error"), "data"), "class"),
               "\"not-found\"");
    check_json(get(get(get(result, "error"), "data"), "parameter"),
               "\"logical_port\"");
    json_object_put(result);
}

/* flow.list. */
static void
test_flows(void **state OVS_UNUSED)
{
    const struct view view = { .health = VIEW_OK };
    struct json_object *result = call(&view, "flow.list", "{}");
    struct json_object *flows = get(result, "flows");

    check_members(result, "total flows");
    check_json(get(result, "total"), "4");
    assert_int_equal(json_object_array_length(flows), 4);
    check_json(at(flows, 0),
               "{\"address\":\"203.0.113.10\",\"direction\":\"in\","
               "\"protocol\":\"tcp\",\"near\":{"
               "\"source\":\"198.51.100.9\",\"source_port\":40000,"
               "\"destination\":\"203.0.113.10\","
               "\"destination_port\":22,\"vlan\":null},\"far\":{"
               "\"source\":\"198.51.100.9\",\"source_port\":40000,"
               "\"destination\":\"10.0.0.5\","
               "\"destination_port\":22,\"vlan\":null},"
               "\"device\":\"tap1\",\"state\":\"used\","
               "\"age\":3725.250,\"idle\":0.125,\"confirmed\":0.250,"
               "\"packets\":1000,\"bytes\":1400000}");
    check_json(get(at(flows, 2), "idle"), "null");
    check_json(get(get(at(flows, 2), "near"), "vlan"), "100");
    check_json(get(get(at(flows, 2), "far"), "vlan"), "null");
    check_json(get(get(at(flows, 3), "near"), "vlan"), "null");
    check_json(get(get(at(flows, 3), "far"), "vlan"), "100");
    json_object_put(result);
}

/* Checks that flow.list with 'params' has 'n' flows, of 'total'. */
static void
check_flows(const struct view *view, const char *params, size_t n,
            const char *total)
{
    struct json_object *result = call(view, "flow.list", params);

    assert_int_equal(json_object_array_length(get(result, "flows")), n);
    check_json(get(result, "total"), total);
    json_object_put(result);
}

/* The parameters of flow.list. */
static void
test_flow_params(void **state OVS_UNUSED)
{
    static const char *const bad[] = { "0", "-1", "10001", "4294967297" };
    const struct view view = { .health = VIEW_OK };
    const struct view many = { .n_more = 20000 };
    struct json_object *result;
    size_t i;

    check_flows(&view, "{\"endpoint\":\"203.0.113.10\"}", 2, "2");
    check_flows(&view, "{\"endpoint\":\"vm3\"}", 2, "2");
    check_flows(&view, "[\"vm3\",1]", 1, "2");
    check_flows(&view, "{\"limit\":3}", 3, "4");
    check_flows(&view, "{\"endpoint\":null,\"limit\":null}", 4, "4");
    check_flows(&view, "[\"nix\"]", 0, "0");
    check_flows(&many, "{}", 1000, "20004");
    check_flows(&many, "{\"limit\":10000}", 10000, "20004");
    for (i = 0; i < ARRAY_SIZE(bad); i++) {
        char *params = xasprintf("{\"limit\":%s}", bad[i]);

        result = call_raw(&view, "flow.list", params);
        check_json(get(get(result, "error"), "code"), "-32602");
        check_json(get(get(get(result, "error"), "data"), "parameter"),
                   "\"limit\"");
        json_object_put(result);
        free(params);
    }
    result = call_raw(&view, "flow.list", "{\"limit\":\"3\"}");
    check_json(get(get(result, "error"), "code"), "-32602");
    json_object_put(result);
}

/* feature.probe.  What is there needs no explanation. */
static void
test_features(void **state OVS_UNUSED)
{
    const struct view view = { .health = VIEW_OK };
    struct json_object *result = call(&view, "feature.probe",
                                      "{\"interface\":\"eth0\"}");
    struct json_object *libraries = get(result, "libraries");

    check_json(get(result, "kernel"),
               "{\"release\":\"6.1.0\",\"features\":["
               "{\"name\":\"xdp\",\"available\":true,"
               "\"enables\":\"Programs.\",\"detail\":\"\"},"
               "{\"name\":\"rx-vlan-tag\",\"available\":false,"
               "\"enables\":\"Reading tags.\","
               "\"detail\":\"Needs Linux 6.8.\"},"
               "{\"name\":\"tcx\",\"available\":null,"
               "\"enables\":\"Nothing yet.\","
               "\"detail\":\"Needs Linux 6.6.\"}]}");
    check_json(get(result, "interfaces"),
               "[{\"name\":\"eth0\",\"driver\":\"veth\",\"features\":["
               "{\"name\":\"native-xdp\",\"available\":true,"
               "\"enables\":\"Native mode.\",\"detail\":\"\"},"
               "{\"name\":\"ndo-xmit\",\"available\":false,"
               "\"enables\":\"Being a target.\","
               "\"detail\":\"Another target.\"}]}]");
    check_json(get(at(libraries, 0), "name"), "\"json-c\"");
    check_json(at(libraries, 1),
               "{\"name\":\"libbpf\",\"version\":\"v1.1\"}");
    check_json(at(libraries, 2),
               "{\"name\":\"libopenvswitch\",\"version\":\"3.1.0\"}");
    json_object_put(result);
}

/* metrics.get: text; what a parser says of it is tested elsewhere. */
static void
test_metrics(void **state OVS_UNUSED)
{
    const struct view view = { .health = VIEW_OK };
    struct json_object *result = call(&view, "metrics.get", "{}");
    const char *text = json_object_get_string(result);

    assert_true(json_object_is_type(result, json_type_string));
    assert_non_null(strstr(text, "\novn_xdp_changes_total 42\n"));
    assert_string_equal(text + strlen(text) - 6, "# EOF\n");
    json_object_put(result);

    result = call(&view, "metrics.get", "{\"format\":\"openmetrics\"}");
    text = json_object_get_string(result);
    assert_string_equal(text + strlen(text) - 6, "# EOF\n");
    json_object_put(result);

    result = call(&view, "metrics.get", "[\"prometheus\"]");
    text = json_object_get_string(result);
    assert_non_null(strstr(text, "# TYPE ovn_xdp_changes_total counter\n"));
    assert_null(strstr(text, "# EOF"));
    json_object_put(result);

    result = call_raw(&view, "metrics.get", "[\"xml\"]");
    check_json(get(get(result, "error"), "code"), "-32602");
    check_json(get(get(get(result, "error"), "data"), "parameter"),
               "\"format\"");
    json_object_put(result);
}

/* endpoint.explain: an address, and one of which nothing is known. */
static void
test_explain(void **state OVS_UNUSED)
{
    const struct view view = { .health = VIEW_OK };
    struct json_object *result = call(&view, "endpoint.explain",
                                      "[\"203.0.113.10\"]");

    check_json(result,
               "{\"subject\":\"203.0.113.10\",\"checks\":["
               "{\"check\":\"known\",\"ok\":true,\"detail\":"
               "\"OVN has said so\",\"fix\":\"\",\"address\":"
               "\"203.0.113.10\"},"
               "{\"check\":\"slow-path\",\"ok\":false,\"detail\":"
               "\"it loops\",\"fix\":\"ip route add\",\"address\":"
               "\"203.0.113.10\"},"
               "{\"check\":\"bridge-flow\",\"ok\":null,\"detail\":"
               "\"no answer\",\"fix\":\"\",\"address\":"
               "\"203.0.113.10\"}],"
               "\"verdict\":{\"redirect\":\"offloaded\",\"acl\":"
               "\"enforced\",\"direct\":\"ineligible\"},"
               "\"addresses\":[{\"address\":\"203.0.113.10\","
               "\"logical_port\":\"vm1\",\"redirect\":\"offloaded\","
               "\"reason\":\"\",\"acl\":\"enforced\","
               "\"acl_reason\":\"\",\"direct\":\"ineligible\","
               "\"direct_reason\":\"direct-conntrack\"}]}");
    json_object_put(result);

    result = call(&view, "endpoint.explain", "{\"subject\":\"nix\"}");
    check_json(get(get(result, "verdict"), "redirect"), "\"unknown\"");
    check_json(get(result, "addresses"), "[]");
    json_object_put(result);
}

/* What is neither an address nor a port is an error of the caller's. */
static void
test_explain_refuses(void **state OVS_UNUSED)
{
    const struct view view = { .health = VIEW_OK };
    struct json_object *reply = call_raw(&view, "endpoint.explain",
                                         "[\"10.0.0.256\"]");

    check_json(get(get(reply, "error"), "code"), "-32602");
    check_json(get(get(get(reply, "error"), "data"), "class"),
               "\"invalid-params\"");
    check_json(get(get(get(reply, "error"), "data"), "parameter"),
               "\"subject\"");
    json_object_put(reply);

    reply = call_raw(&view, "endpoint.explain", "{}");
    check_json(get(get(reply, "error"), "code"), "-32602");
    json_object_put(reply);
}

/* stats.get. */
static void
test_stats(void **state OVS_UNUSED)
{
    const struct view view = { .health = VIEW_OK };
    struct json_object *result = call(&view, "stats.get", "{}");

    check_json(result,
               "{\"time_ns\":123456789012345,\"interfaces\":{\"eth0\":"
               "{\"redirected\":{\"packets\":1200,\"bytes\":96000},"
               "\"not-local\":{\"packets\":34,\"bytes\":2040}}},"
               "\"endpoints\":{"
               "\"203.0.113.10\":{\"packets\":1200,\"bytes\":96000,"
               "\"drops\":0},"
               "\"203.0.113.11\":{\"packets\":0,\"bytes\":0,\"drops\":0},"
               "\"2001:db8::10\":{\"packets\":7,\"bytes\":700,\"drops\":1}},"
               "\"redirect_errors\":{\"ENXIO\":5},"
               "\"direct\":{\"sides\":{\"near-nic\":{},\"near-vm\":{"
               "\"direct\":{\"packets\":900,\"bytes\":60000},"
               "\"flow-control\":{\"packets\":2,\"bytes\":120}},"
               "\"far-nic\":{},\"far-vm\":{}},\"probes\":1234,"
               "\"unsent\":1,\"expired\":17,\"unconfirmed\":3,"
               "\"voided\":{\"ovn\":4,\"host\":1,\"precondition\":0,"
               "\"vswitchd\":0}}}");
    json_object_put(result);
}

/* A string that is not UTF-8 does not spoil the reply. */
static void
test_invalid_utf8(void **state OVS_UNUSED)
{
    const struct view view = { .chassis = "h\xffv" };
    struct json_object *result = call(&view, "status.get", "{}");

    check_json(get(result, "chassis"), "\"h\xef\xbf\xbdv\"");
    json_object_put(result);
}

/* rpc.discover names every method of the table, with its parameters. */
static void
test_discover(void **state OVS_UNUSED)
{
    const struct view view = { .health = VIEW_OK };
    struct json_object *result = call(&view, "rpc.discover", "{}");
    struct json_object *methods = get(result, "methods");
    size_t i;

    check_members(result, "openrpc info methods");
    check_members(get(result, "info"), "title version");
    assert_int_equal(json_object_array_length(methods), N_RPC_METHODS);
    for (i = 0; i < N_RPC_METHODS; i++) {
        struct json_object *method = at(methods, i);

        assert_string_equal(json_object_get_string(get(method, "name")),
                            rpc_methods[i].name);
        assert_int_equal(json_object_array_length(get(method, "params")),
                         rpc_method_n_params(&rpc_methods[i]));
        assert_true(json_object_object_length(
                        get(get(method, "result"), "schema")) > 0);
        assert_int_equal(json_object_array_length(get(method, "errors")),
                         N_RPC_ERRORS);
    }
    check_json(at(get(at(methods, RPC_METHOD_endpoints), "params"), 0),
               "{\"name\":\"filter\",\"description\":\"Only this address, or "
               "the addresses of this logical port.\",\"required\":false,"
               "\"schema\":{\"type\":\"string\"}}");
    json_object_put(result);
}

/* What every method returns fits the schema that is published of it. */
static void
test_schemas(void **state OVS_UNUSED)
{
    struct view view = { .health = VIEW_DEGRADED };
    int i;

    for (i = 0; i < 2 * N_RPC_METHODS; i++) {
        const struct rpc_service *service = &rpc_services[i / 2];
        struct json_object *schema = json_tokener_parse(service->schema);
        struct json_object *result;

        view.empty = i % 2;
        result = call(&view, service->method->name,
                      (rpc_method_n_params(service->method)
                       && service->method->params[0].required
                       ? "[\"203.0.113.10\"]" : "{}"));
        assert_non_null(schema);
        check_schema(schema, result);
        json_object_put(result);
        json_object_put(schema);
    }
}

/* The checker of schemas finds faults: otherwise it would prove nothing. */
static void
check_refused(const char *schema_text, const char *json_text)
{
    struct json_object *schema = json_tokener_parse(schema_text);
    struct json_object *json = json_tokener_parse(json_text);

    expect_assert_failure(check_schema(schema, json));
    json_object_put(schema);
    json_object_put(json);
}

/* See check_refused(). */
static void
test_schema_checker(void **state OVS_UNUSED)
{
    check_refused("{'type': 'string'}", "1");
    check_refused("{'type': ['string', 'null']}", "1");
    check_refused("{'enum': ['a', null]}", "'b'");
    check_refused("{'type': 'array', 'items': {'type': 'string'}}", "[1]");
    check_refused("{'type': 'object', 'required': ['a']}", "{'b': 1}");
    check_refused("{'type': 'object', 'properties': {'a': "
                  "{'type': 'string'}}}", "{'a': 1}");
    check_refused("{'type': 'object', 'additionalProperties': "
                  "{'type': 'string'}}", "{'a': 1}");
}

/* Returns true if 'json' is of the JSON schema type 'type'. */
static bool
is_of_type(struct json_object *json, const char *type)
{
    enum json_type t = json_object_get_type(json);

    return (!strcmp(type, "number")
            ? t == json_type_double || t == json_type_int
            : !strcmp(type, "integer") ? t == json_type_int
            : !strcmp(type, json_type_to_name(t)));
}

/* Returns true if 'json' is of 'type': a word, or an array of words. */
static bool
is_of_types(struct json_object *json, struct json_object *type)
{
    size_t i;

    if (json_object_is_type(type, json_type_string)) {
        return is_of_type(json, json_object_get_string(type));
    }
    for (i = 0; i < json_object_array_length(type); i++) {
        if (is_of_type(json, json_object_get_string(at(type, i)))) {
            return true;
        }
    }
    return false;
}

/* Returns true if 'json' is one of the elements of 'values'. */
static bool
is_one_of(struct json_object *json, struct json_object *values)
{
    size_t i;

    for (i = 0; i < json_object_array_length(values); i++) {
        if (json_object_equal(at(values, i), json)) {
            return true;
        }
    }
    return false;
}

/* Checks the members of 'json' against 'schema', which is of an object. */
static void
check_object(struct json_object *schema, struct json_object *json)
{
    struct json_object *required, *properties, *additional, *member;
    size_t i;

    if (json_object_object_get_ex(schema, "required", &required)) {
        for (i = 0; i < json_object_array_length(required); i++) {
            mock_assert(json_object_object_get_ex(
                            json, json_object_get_string(at(required, i)),
                            &member), "required", __FILE__, __LINE__);
        }
    }
    json_object_object_get_ex(schema, "properties", &properties);
    json_object_object_get_ex(schema, "additionalProperties", &additional);
    json_object_object_foreach (json, name, value) {
        if (properties
            && json_object_object_get_ex(properties, name, &member)) {
            check_schema(member, value);
        } else if (additional) {
            check_schema(additional, value);
        }
    }
}

/* Checks 'json' against 'schema', of which only what rpc/ uses is known. */
static void
check_schema(struct json_object *schema, struct json_object *json)
{
    struct json_object *keyword;
    size_t i;

    if (json_object_object_get_ex(schema, "type", &keyword)) {
        mock_assert(is_of_types(json, keyword), "type", __FILE__, __LINE__);
    }
    if (json_object_object_get_ex(schema, "enum", &keyword)) {
        mock_assert(is_one_of(json, keyword), "enum", __FILE__, __LINE__);
    }
    if (json_object_object_get_ex(schema, "items", &keyword)) {
        for (i = 0; i < json_object_array_length(json); i++) {
            check_schema(keyword, at(json, i));
        }
    }
    if (json_object_is_type(json, json_type_object)) {
        check_object(schema, json);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hello),
        cmocka_unit_test(test_status),
        cmocka_unit_test(test_status_no_direct),
        cmocka_unit_test(test_health),
        cmocka_unit_test(test_interfaces),
        cmocka_unit_test(test_endpoints),
        cmocka_unit_test(test_endpoint_filter),
        cmocka_unit_test(test_acls),
        cmocka_unit_test(test_flows),
        cmocka_unit_test(test_flow_params),
        cmocka_unit_test(test_features),
        cmocka_unit_test(test_metrics),
        cmocka_unit_test(test_explain),
        cmocka_unit_test(test_explain_refuses),
        cmocka_unit_test(test_stats),
        cmocka_unit_test(test_invalid_utf8),
        cmocka_unit_test(test_discover),
        cmocka_unit_test(test_schemas),
        cmocka_unit_test(test_schema_checker),
    };

    return cmocka_run_group_tests_name("methods", tests, NULL, NULL);
}
