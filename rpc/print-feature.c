/* SPDX-License-Identifier: Apache-2.0 */
/* features as text. */

#include <config.h>

#include "rpc/print.h"

#include <json-c/json.h>
#include <string.h>

#include "openvswitch/dynamic-string.h"

#include "rpc/grid.h"

static void print_libraries(struct json_object *, struct ds *out);
static void print_group(const char *title, struct json_object *features,
                        struct ds *out);
static void print_absent(struct json_object *features, struct ds *out);
static const char *yes_or_no(struct json_object *feature);

/* Appends 'result' of feature.probe to 'out'. */
void
print_probe(struct json_object *result, struct ds *out)
{
    struct json_object *kernel = print_member(result, "kernel");
    struct json_object *devices = print_member(result, "interfaces");
    struct ds title = DS_EMPTY_INITIALIZER;
    size_t i;

    print_libraries(print_member(result, "libraries"), out);
    ds_put_format(&title, "Kernel %s", print_text(kernel, "release"));
    print_group(ds_cstr(&title), print_member(kernel, "features"), out);
    for (i = 0; i < print_length(devices); i++) {
        struct json_object *device = json_object_array_get_idx(devices, i);
        const char *driver = print_text(device, "driver");

        ds_clear(&title);
        ds_put_format(&title, "%s (%s)", print_text(device, "name"),
                      driver[0] ? driver : "no driver");
        print_group(ds_cstr(&title), print_member(device, "features"), out);
    }
    ds_destroy(&title);
}

/* Appends 'libraries', an array, to 'out'. */
static void
print_libraries(struct json_object *libraries, struct ds *out)
{
    struct grid grid;
    size_t i;

    grid_init(&grid);
    grid_add_column(&grid, "Library");
    grid_add_column(&grid, "Version");
    for (i = 0; i < print_length(libraries); i++) {
        struct json_object *library = json_object_array_get_idx(libraries, i);

        print_cell(&grid, library, "name");
        print_cell(&grid, library, "version");
    }
    print_grid(&grid, "No libraries.", out);
}

/* Appends 'features', an array, to 'out', below their 'title'. */
static void
print_group(const char *title, struct json_object *features, struct ds *out)
{
    struct grid grid;
    size_t i;

    ds_put_char(out, '\n');
    grid_init(&grid);
    grid_add_column(&grid, title);
    grid_add_column(&grid, "There");
    grid_add_column(&grid, "Enables");
    for (i = 0; i < print_length(features); i++) {
        struct json_object *feature = json_object_array_get_idx(features, i);

        print_cell(&grid, feature, "name");
        grid_put(&grid, yes_or_no(feature));
        print_cell(&grid, feature, "enables");
    }
    print_grid(&grid, "No features.", out);
    print_absent(features, out);
}

/* Appends what follows from those of 'features' that are not there to
 * 'out'. */
static void
print_absent(struct json_object *features, struct ds *out)
{
    size_t i;

    for (i = 0; i < print_length(features); i++) {
        struct json_object *feature = json_object_array_get_idx(features, i);
        const char *detail = print_text(feature, "detail");

        if (detail[0]) {
            ds_put_format(out, "no %s%s: %s\n", print_text(feature, "name"),
                          print_member(feature, "available") ? "" : " (?)",
                          detail);
        }
    }
}

/* Returns whether 'feature' is there, as a word. */
static const char *
yes_or_no(struct json_object *feature)
{
    struct json_object *available = print_member(feature, "available");

    return (!available ? "unknown"
            : json_object_get_boolean(available) ? "yes"
            : "no");
}
