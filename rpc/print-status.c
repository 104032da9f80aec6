/* SPDX-License-Identifier: Apache-2.0 */
/* status and health as text. */

#include <config.h>

#include "rpc/print.h"

#include <json-c/json.h>

#include "openvswitch/dynamic-string.h"

#include "rpc/grid.h"

static void print_summary(struct json_object *, struct ds *out);
static void print_direct(struct json_object *, struct ds *out);
static void print_databases(struct json_object *, struct ds *out);
static void print_changed(struct grid *, struct json_object *database);
static void print_settings(struct json_object *, struct ds *out);

/* Appends 'result' of status.get to 'out'. */
void
print_status(struct json_object *result, struct ds *out)
{
    print_summary(result, out);
    ds_put_char(out, '\n');
    print_databases(print_member(result, "databases"), out);
    ds_put_char(out, '\n');
    print_settings(print_member(result, "config"), out);
    ds_put_char(out, '\n');
    print_problems(print_member(result, "problems"), out);
}

/* Appends 'result' of health.get to 'out'. */
void
print_health(struct json_object *result, struct ds *out)
{
    struct json_object *problems = print_member(result, "problems");
    size_t i;

    ds_put_format(out, "%s\n", print_text(result, "status"));
    for (i = 0; i < print_length(problems); i++) {
        struct json_object *problem = json_object_array_get_idx(problems, i);

        ds_put_format(out, "%s: %s\n", print_text(problem, "class"),
                      print_text(problem, "message"));
    }
}

/* Appends what is to be said once to 'out'. */
static void
print_summary(struct json_object *status, struct ds *out)
{
    struct json_object *endpoints = print_member(status, "endpoints");
    const char *chassis = print_text(status, "chassis");

    ds_put_format(out, "Chassis:    %s\n", chassis[0] ? chassis : "unknown");
    ds_put_format(out, "Version:    %s, up ", print_text(status, "version"));
    print_duration(out, json_object_get_double(
                       print_member(status, "uptime_seconds")));
    ds_put_format(out, "\nEndpoints:  %s offloaded, %s pending, "
                  "%s ineligible\n",
                  print_text(endpoints, "offloaded"),
                  print_text(endpoints, "pending"),
                  print_text(endpoints, "ineligible"));
    ds_put_format(out, "Interfaces: %s attached\n",
                  print_text(status, "interfaces"));
    print_direct(print_member(status, "direct"), out);
    ds_put_format(out, "Generation: %s\n", print_text(status, "generation"));
}

/* Appends the line about layer L3, of which 'direct' is what there is to say,
 * to 'out'. */
static void
print_direct(struct json_object *direct, struct ds *out)
{
    if (!json_object_get_boolean(print_member(direct, "enabled"))) {
        ds_put_cstr(out, "Direct:     off\n");
        return;
    }
    ds_put_format(out, "Direct:     %s addresses, %s flows, %s of them used, "
                  "%s active; confirmed every %s ms\n",
                  print_text(direct, "endpoints"),
                  print_text(direct, "flows"),
                  print_text(direct, "used_flows"),
                  print_text(direct, "active_flows"),
                  print_text(direct, "confirm_ms"));
}

/* Appends 'databases', an array, to 'out'. */
static void
print_databases(struct json_object *databases, struct ds *out)
{
    struct grid grid;
    size_t i;

    grid_init(&grid);
    grid_add_column(&grid, "Database");
    grid_add_column(&grid, "State");
    grid_add_column(&grid, "Changed");
    grid_add_column(&grid, "Remote");
    for (i = 0; i < print_length(databases); i++) {
        struct json_object *db = json_object_array_get_idx(databases, i);

        print_cell(&grid, db, "name");
        print_cell(&grid, db, "state");
        print_changed(&grid, db);
        print_cell(&grid, db, "remote");
    }
    print_grid(&grid, "No databases.", out);
}

/* Puts the age of what is known of 'database' in the next cell of 'grid'. */
static void
print_changed(struct grid *grid, struct json_object *database)
{
    struct json_object *seconds = print_member(database,
                                               "last_change_seconds");
    struct ds ds = DS_EMPTY_INITIALIZER;

    if (seconds) {
        print_duration(&ds, json_object_get_double(seconds));
        ds_put_cstr(&ds, " ago");
    } else {
        ds_put_cstr(&ds, "never");
    }
    grid_put(grid, ds_cstr(&ds));
    ds_destroy(&ds);
}

/* Appends the settings in 'config', an object, to 'out'. */
static void
print_settings(struct json_object *config, struct ds *out)
{
    struct grid grid;

    grid_init(&grid);
    grid_add_column(&grid, "Setting");
    grid_add_column(&grid, "Value");
    if (json_object_is_type(config, json_type_object)) {
        json_object_object_foreach (config, key, value) {
            grid_put(&grid, key);
            grid_put(&grid, value ? json_object_get_string(value) : "");
        }
    }
    print_grid(&grid, "No settings.", out);
}
