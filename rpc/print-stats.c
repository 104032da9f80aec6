/* SPDX-License-Identifier: Apache-2.0 */
/* stats as text. */

#include <config.h>

#include "rpc/print.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <stdbool.h>
#include <string.h>

#include "openvswitch/dynamic-string.h"
#include "sset.h"
#include "util.h"

#include "plugin/reason.h"
#include "rpc/grid.h"

static void print_by_reasons(const char *heading, struct json_object *,
                             const char *if_empty, struct ds *out);
static void print_by_reason(struct grid *, const char *place,
                            struct json_object *counters);
static void print_meanings(struct json_object *places, struct ds *out);
static void print_reasons_of(const char *place, struct json_object *counters,
                             struct sset *seen, struct ds *out);
static void print_by_address(struct json_object *, struct ds *out);
static void print_errors(struct json_object *, struct ds *out);
static void print_direct(struct json_object *, struct ds *out);

/* Appends 'result' of stats.get to 'out'. */
void
print_stats(struct json_object *result, struct ds *out)
{
    print_by_reasons("Interface", print_member(result, "interfaces"),
                     "No packets on any interface.", out);
    ds_put_char(out, '\n');
    print_by_address(print_member(result, "endpoints"), out);
    ds_put_char(out, '\n');
    print_errors(print_member(result, "redirect_errors"), out);
    print_direct(print_member(result, "direct"), out);
}

/* Appends the counters of 'places', an object, of which 'heading' says what
 * they are, to 'out', and what their reasons mean. */
static void
print_by_reasons(const char *heading, struct json_object *places,
                 const char *if_empty, struct ds *out)
{
    struct grid grid;

    grid_init(&grid);
    grid_add_column(&grid, heading);
    grid_add_column(&grid, "Reason");
    grid_add_number_column(&grid, "Packets");
    grid_add_number_column(&grid, "Bytes");
    if (json_object_is_type(places, json_type_object)) {
        json_object_object_foreach (places, name, counters) {
            print_by_reason(&grid, name, counters);
        }
    }
    print_grid(&grid, if_empty, out);
    print_meanings(places, out);
}

/* Appends what the reasons that 'places', an object, has counters of mean to
 * 'out'. */
static void
print_meanings(struct json_object *places, struct ds *out)
{
    struct sset seen = SSET_INITIALIZER(&seen);

    if (json_object_is_type(places, json_type_object)) {
        json_object_object_foreach (places, name, counters) {
            print_reasons_of(name, counters, &seen, out);
        }
    }
    sset_destroy(&seen);
}

/* Appends what the reasons of 'counters', an object, mean to 'out', but for
 * those in 'seen' and for the one that needs no explanation. */
static void
print_reasons_of(const char *place OVS_UNUSED, struct json_object *counters,
                 struct sset *seen, struct ds *out)
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

/* Adds a row to 'grid' for each of 'counters', an object, of 'place'. */
static void
print_by_reason(struct grid *grid, const char *place,
                struct json_object *counters)
{
    if (json_object_is_type(counters, json_type_object)) {
        json_object_object_foreach (counters, reason, counter) {
            grid_put(grid, place);
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

/* Returns true if one of 'places', an object, has a counter. */
static bool
has_counters(struct json_object *places)
{
    if (json_object_is_type(places, json_type_object)) {
        json_object_object_foreach (places, name, counters) {
            if (name && json_object_is_type(counters, json_type_object)
                && json_object_object_length(counters)) {
                return true;
            }
        }
    }
    return false;
}

/* Appends the counters of layer L3, 'direct', to 'out', if it has seen
 * anything. */
static void
print_direct(struct json_object *direct, struct ds *out)
{
    struct json_object *voided = print_member(direct, "voided");
    struct json_object *sides = print_member(direct, "sides");

    if (!has_counters(sides)) {
        return;
    }
    ds_put_char(out, '\n');
    print_by_reasons("Side", sides, "", out);
    ds_put_format(out, "\nFlows: %s over, %s not confirmed any more; "
                  "%s probes sent, %s not\n",
                  print_text(direct, "expired"),
                  print_text(direct, "unconfirmed"),
                  print_text(direct, "probes"), print_text(direct, "unsent"));
    if (json_object_is_type(voided, json_type_object)) {
        json_object_object_foreach (voided, cause, times) {
            ds_put_format(out, "Made void by %s: %"PRId64" times\n", cause,
                          json_object_get_int64(times));
        }
    }
}
