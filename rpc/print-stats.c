/* SPDX-License-Identifier: Apache-2.0 */
/* stats as text. */

#include <config.h>

#include "rpc/print.h"

#include <json-c/json.h>
#include <string.h>

#include "openvswitch/dynamic-string.h"
#include "sset.h"
#include "util.h"

#include "plugin/reason.h"
#include "rpc/grid.h"

static void print_by_interface(struct json_object *, struct ds *out);
static void print_by_reason(struct grid *, const char *interface,
                            struct json_object *counters);
static void print_meanings(struct json_object *interfaces, struct ds *out);
static void print_reasons_of(const char *interface,
                             struct json_object *counters, struct sset *seen,
                             struct ds *out);
static void print_by_address(struct json_object *, struct ds *out);
static void print_errors(struct json_object *, struct ds *out);

/* Appends 'result' of stats.get to 'out'. */
void
print_stats(struct json_object *result, struct ds *out)
{
    print_by_interface(print_member(result, "interfaces"), out);
    ds_put_char(out, '\n');
    print_by_address(print_member(result, "endpoints"), out);
    ds_put_char(out, '\n');
    print_errors(print_member(result, "redirect_errors"), out);
}

/* Appends the counters of 'interfaces', an object, to 'out'. */
static void
print_by_interface(struct json_object *interfaces, struct ds *out)
{
    struct grid grid;

    grid_init(&grid);
    grid_add_column(&grid, "Interface");
    grid_add_column(&grid, "Reason");
    grid_add_number_column(&grid, "Packets");
    grid_add_number_column(&grid, "Bytes");
    if (json_object_is_type(interfaces, json_type_object)) {
        json_object_object_foreach (interfaces, name, counters) {
            print_by_reason(&grid, name, counters);
        }
    }
    print_grid(&grid, "No packets on any interface.", out);
    print_meanings(interfaces, out);
}

/* Appends what the reasons that 'interfaces', an object, has counters of mean
 * to 'out'. */
static void
print_meanings(struct json_object *interfaces, struct ds *out)
{
    struct sset seen = SSET_INITIALIZER(&seen);

    if (json_object_is_type(interfaces, json_type_object)) {
        json_object_object_foreach (interfaces, name, counters) {
            print_reasons_of(name, counters, &seen, out);
        }
    }
    sset_destroy(&seen);
}

/* Appends what the reasons of 'counters', an object, mean to 'out', but for
 * those in 'seen' and for the one that needs no explanation. */
static void
print_reasons_of(const char *interface OVS_UNUSED,
                 struct json_object *counters, struct sset *seen,
                 struct ds *out)
{
    const char *aim = packet_reason_to_string(PACKET_REASON_REDIRECTED);

    if (json_object_is_type(counters, json_type_object)) {
        json_object_object_foreach (counters, reason, counter) {
            if (counter && strcmp(reason, aim)) {
                print_meaning(reason, seen, out);
            }
        }
    }
}

/* Adds a row to 'grid' for each of 'counters', an object, of 'interface'. */
static void
print_by_reason(struct grid *grid, const char *interface,
                struct json_object *counters)
{
    if (json_object_is_type(counters, json_type_object)) {
        json_object_object_foreach (counters, reason, counter) {
            grid_put(grid, interface);
            grid_put(grid, reason);
            print_cell(grid, counter, "packets");
            print_cell(grid, counter, "bytes");
        }
    }
}

/* Appends the counters of 'endpoints', an object, to 'out'. */
static void
print_by_address(struct json_object *endpoints, struct ds *out)
{
    struct grid grid;

    grid_init(&grid);
    grid_add_column(&grid, "Address");
    grid_add_number_column(&grid, "Packets");
    grid_add_number_column(&grid, "Bytes");
    grid_add_number_column(&grid, "Drops");
    if (json_object_is_type(endpoints, json_type_object)) {
        json_object_object_foreach (endpoints, address, counter) {
            grid_put(&grid, address);
            print_cell(&grid, counter, "packets");
            print_cell(&grid, counter, "bytes");
            print_cell(&grid, counter, "drops");
        }
    }
    print_grid(&grid, "No endpoints.", out);
}

/* Appends the redirect 'errors', an object, to 'out'. */
static void
print_errors(struct json_object *errors, struct ds *out)
{
    struct grid grid;

    grid_init(&grid);
    grid_add_column(&grid, "Redirect error");
    grid_add_number_column(&grid, "Packets");
    if (json_object_is_type(errors, json_type_object)) {
        json_object_object_foreach (errors, name, packets) {
            grid_put(&grid, name);
            grid_put(&grid, packets ? json_object_get_string(packets) : "");
        }
    }
    print_grid(&grid, "No redirect errors.", out);
}
