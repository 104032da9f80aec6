/* SPDX-License-Identifier: Apache-2.0 */
/* explain as text. */

#include <config.h>

#include "rpc/print.h"

#include <json-c/json.h>
#include <stdbool.h>
#include <string.h>

#include "openvswitch/dynamic-string.h"
#include "util.h"

#include "rpc/grid.h"

/* Returns the word for the answer to 'check'. */
static const char *
answer(struct json_object *check)
{
    struct json_object *ok = print_member(check, "ok");

    return !ok ? "?" : json_object_get_boolean(ok) ? "ok" : "NO";
}

/* Appends those elements of 'checks', an array, to 'out' that are about
 * 'address', and below them what is to be done. */
static void
print_checks(struct json_object *checks, const char *address, struct ds *out)
{
    struct ds fixes = DS_EMPTY_INITIALIZER;
    struct grid grid;
    size_t i;

    grid_init(&grid);
    grid_add_column(&grid, "Check");
    grid_add_column(&grid, "OK");
    grid_add_column(&grid, "Detail");
    for (i = 0; i < print_length(checks); i++) {
        struct json_object *check = json_object_array_get_idx(checks, i);
        const char *fix = print_text(check, "fix");

        if (strcmp(print_text(check, "address"), address)) {
            continue;
        }
        print_cell(&grid, check, "check");
        grid_put(&grid, answer(check));
        print_cell(&grid, check, "detail");
        if (fix[0]) {
            ds_put_format(&fixes, "%s: %s\n", print_text(check, "check"), fix);
        }
    }
    print_grid(&grid, "No checks.", out);
    if (fixes.length) {
        ds_put_format(out, "\nWhat would change that:\n%s", ds_cstr(&fixes));
    }
    ds_destroy(&fixes);
}

/* Appends what becomes of 'row' in the layer that its member 'layer' is about
 * to 'out', and why, unless that is clear. */
static void
print_layer(struct json_object *row, const char *layer, const char *reason,
            struct ds *out)
{
    const char *state = print_text(row, layer);
    const char *word = print_text(row, reason);
    bool clear = !word[0] || !strcmp(state, "off");

    ds_put_format(out, "%s %s%s%s%s", layer, state,
                  clear ? "" : " (", clear ? "" : word, clear ? "" : ")");
}

/* Appends the line that says what becomes of 'name', given its 'row' or the
 * whole 'verdict', to 'out'. */
static void
print_verdict(const char *name, struct json_object *row,
              struct json_object *verdict, struct ds *out)
{
    static const char *const layers[][2] = {
        { "redirect", "reason" },
        { "acl", "acl_reason" },
        { "direct", "direct_reason" },
    };
    size_t i;

    ds_put_format(out, "%s: ", name);
    for (i = 0; i < ARRAY_SIZE(layers); i++) {
        bool own = print_member(row, layers[i][0]);

        ds_put_cstr(out, i ? ", " : "");
        print_layer(own ? row : verdict, layers[i][0], layers[i][1], out);
    }
    ds_put_char(out, '\n');
}

/* Appends 'result' of endpoint.explain to 'out'. */
void
print_explain(struct json_object *result, struct ds *out)
{
    struct json_object *addresses = print_member(result, "addresses");
    struct json_object *verdict = print_member(result, "verdict");
    struct json_object *checks = print_member(result, "checks");
    size_t i;

    for (i = 0; i < print_length(addresses); i++) {
        struct json_object *row = json_object_array_get_idx(addresses, i);

        ds_put_cstr(out, i ? "\n" : "");
        print_verdict(print_text(row, "address"), row, verdict, out);
        print_checks(checks, print_text(row, "address"), out);
    }
    if (!print_length(addresses) && print_length(checks)) {
        print_verdict(print_text(result, "subject"), NULL, verdict, out);
        print_checks(checks,
                     print_text(json_object_array_get_idx(checks, 0),
                                "address"), out);
    }
}
