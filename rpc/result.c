/* SPDX-License-Identifier: Apache-2.0 */
/* See rpc/result.h. */

#include <config.h>

#include "rpc/result.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "openvswitch/dynamic-string.h"
#include "util.h"

#include "plugin/view.h"
#include "rpc/utf8.h"

/* Returns 's', made valid UTF-8. */
struct json_object *
result_string(const char *s)
{
    struct ds ds = DS_EMPTY_INITIALIZER;
    struct json_object *json;
    size_t length = strlen(s);

    if (utf8_is_valid(s, length)) {
        return json_object_new_string_len(s, length);
    }
    utf8_put_valid(&ds, s);
    json = json_object_new_string(ds_cstr(&ds));
    ds_destroy(&ds);
    return json;
}

/* Returns 's', or null if it is NULL. */
struct json_object *
result_nullable_string(const char *s)
{
    return s ? result_string(s) : NULL;
}

/* Returns 'n', or the largest signed number below it. */
struct json_object *
result_count(uint64_t n)
{
    return json_object_new_int64(MIN(n, INT64_MAX));
}

/* Returns 'seconds', to the millisecond, or null if it is negative. */
struct json_object *
result_seconds(double seconds)
{
    char text[64];

    if (!(seconds >= 0)) {
        return NULL;
    }
    snprintf(text, sizeof text, "%.3f", seconds);
    return json_object_new_double_s(seconds, text);
}

/* Returns an object with the packets of each of the 'n' 'counters'. */
struct json_object *
result_packets(const struct view_counter *counters, size_t n)
{
    struct json_object *json = json_object_new_object();
    size_t i;

    for (i = 0; i < n; i++) {
        result_add(json, counters[i].name, result_count(counters[i].packets));
    }
    return json;
}

/* Returns an object with packets and bytes of each of the 'n' 'counters'. */
struct json_object *
result_packets_bytes(const struct view_counter *counters, size_t n)
{
    struct json_object *json = json_object_new_object();
    size_t i;

    for (i = 0; i < n; i++) {
        struct json_object *counter = json_object_new_object();

        result_add(counter, "packets", result_count(counters[i].packets));
        result_add(counter, "bytes", result_count(counters[i].bytes));
        result_add(json, counters[i].name, counter);
    }
    return json;
}

/* Returns an array with class and message of each of the 'n' 'problems'. */
struct json_object *
result_problems(const struct view_problem *problems, size_t n)
{
    struct json_object *json = json_object_new_array();
    size_t i;

    for (i = 0; i < n; i++) {
        struct json_object *problem = json_object_new_object();

        result_add(problem, "class", result_string(problems[i].class));
        result_add(problem, "message", result_string(problems[i].message));
        result_append(json, problem);
    }
    return json;
}

/* Adds member 'name', which is valid UTF-8, with 'value', which is taken
 * over, to object 'json'. */
void
result_add(struct json_object *json, const char *name,
           struct json_object *value)
{
    if (json_object_object_add(json, name, value)) {
        out_of_memory();
    }
}

/* Adds a member like result_add(), but with a 'name' that is not ours and may
 * be any string. */
void
result_add_foreign(struct json_object *json, const char *name,
                   struct json_object *value)
{
    struct ds ds = DS_EMPTY_INITIALIZER;

    utf8_put_valid(&ds, name);
    result_add(json, ds_cstr(&ds), value);
    ds_destroy(&ds);
}

/* Appends 'value', which is taken over, to array 'json'. */
void
result_append(struct json_object *json, struct json_object *value)
{
    if (json_object_array_add(json, value)) {
        out_of_memory();
    }
}
