/* SPDX-License-Identifier: Apache-2.0 */
/* interfaces as text. */

#include <config.h>

#include "rpc/print.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <string.h>

#include "openvswitch/dynamic-string.h"
#include "util.h"

#include "plugin/reason.h"
#include "rpc/grid.h"

static void print_interface_row(struct grid *, struct json_object *);
static void print_features(struct grid *, struct json_object *features);
static void print_counters(struct grid *, struct json_object *counters);
static bool is_besides(const char *reason);
static void print_targets(struct json_object *interfaces, struct ds *out);
static void print_remarks(struct json_object *interfaces, struct ds *out);

/* Appends 'result' of interface.list to 'out'. */
void
print_interfaces(struct json_object *result, struct ds *out)
{
    struct grid grid;
    size_t i;

    grid_init(&grid);
    grid_add_column(&grid, "Interface");
    grid_add_number_column(&grid, "Index");
    grid_add_column(&grid, "Layout");
    grid_add_column(&grid, "Mode");
    grid_add_column(&grid, "State");
    grid_add_column(&grid, "Reason");
    grid_add_number_column(&grid, "Program");
    grid_add_number_column(&grid, "Redirected");
    grid_add_number_column(&grid, "Direct");
    grid_add_number_column(&grid, "Dropped");
    grid_add_number_column(&grid, "Others");
    grid_add_column(&grid, "Features");
    for (i = 0; i < print_length(result); i++) {
        print_interface_row(&grid, json_object_array_get_idx(result, i));
    }
    print_grid(&grid, "No interfaces (see ovn-xdp-interfaces in "
               "ovn-xdpd(8)).", out);
    if (print_length(result)) {
        print_targets(result, out);
        print_remarks(result, out);
    }
}

/* Adds the row of 'interface' to 'grid'. */
static void
print_interface_row(struct grid *grid, struct json_object *interface)
{
    print_cell(grid, interface, "name");
    print_cell(grid, interface, "ifindex");
    print_cell(grid, interface, "layout");
    print_cell(grid, interface, "mode");
    print_cell(grid, interface, "state");
    print_cell(grid, interface, "reason");
    print_cell(grid, interface, "program_id");
    print_counters(grid, print_member(interface, "counters"));
    print_features(grid, print_member(interface, "features"));
}

/* Puts the packets redirected into a bridge, those that went to a VM directly,
 * those dropped early and those otherwise dealt with, by 'counters', in the
 * next four cells of 'grid'. */
static void
print_counters(struct grid *grid, struct json_object *counters)
{
    static const enum packet_reason reasons[] = {
        PACKET_REASON_REDIRECTED, PACKET_REASON_DIRECT,
        PACKET_REASON_ACL_DROP,
    };
    int64_t sums[ARRAY_SIZE(reasons) + 1] = { 0 };
    size_t i;

    if (json_object_is_type(counters, json_type_object)) {
        json_object_object_foreach (counters, name, value) {
            for (i = 0; i < ARRAY_SIZE(reasons); i++) {
                if (!strcmp(name, packet_reason_to_string(reasons[i]))) {
                    break;
                }
            }
            if (!is_besides(name)) {
                sums[i] += json_object_get_int64(value);
            }
        }
    }
    for (i = 0; i < ARRAY_SIZE(sums); i++) {
        char text[32];

        snprintf(text, sizeof text, "%"PRId64, sums[i]);
        grid_put(grid, text);
    }
}

/* Returns true if 'reason' is counted besides another. */
static bool
is_besides(const char *reason)
{
    int i;

    for (i = 0; i < N_PACKET_REASONS; i++) {
        if (packet_reason_is_besides(i)
            && !strcmp(reason, packet_reason_to_string(i))) {
            return true;
        }
    }
    return false;
}

/* Puts 'features', an array, in the next cell of 'grid'. */
static void
print_features(struct grid *grid, struct json_object *features)
{
    struct ds ds = DS_EMPTY_INITIALIZER;
    size_t i;

    for (i = 0; i < print_length(features); i++) {
        ds_put_format(&ds, "%s%s", i ? "," : "", json_object_get_string(
                          json_object_array_get_idx(features, i)));
    }
    grid_put(grid, ds_cstr(&ds));
    ds_destroy(&ds);
}

/* Appends the targets of 'interfaces', an array, to 'out'. */
static void
print_targets(struct json_object *interfaces, struct ds *out)
{
    static const char *const members[] = {
        "bridge", "device", "ifindex", "kind", "state", "reason",
    };
    struct grid grid;
    size_t i, j, k;

    grid_init(&grid);
    grid_add_column(&grid, "Interface");
    grid_add_column(&grid, "Bridge");
    grid_add_column(&grid, "Target");
    grid_add_number_column(&grid, "Index");
    grid_add_column(&grid, "Kind");
    grid_add_column(&grid, "State");
    grid_add_column(&grid, "Reason");
    for (i = 0; i < print_length(interfaces); i++) {
        struct json_object *interface =
            json_object_array_get_idx(interfaces, i);
        struct json_object *targets = print_member(interface, "targets");

        for (j = 0; j < print_length(targets); j++) {
            print_cell(&grid, interface, "name");
            for (k = 0; k < ARRAY_SIZE(members); k++) {
                print_cell(&grid, json_object_array_get_idx(targets, j),
                           members[k]);
            }
        }
    }
    ds_put_char(out, '\n');
    print_grid(&grid, "No targets.", out);
}

/* Appends to 'out', after an empty line, why any of 'interfaces' is not as it
 * should be, and what can be done about it. */
static void
print_remarks(struct json_object *interfaces, struct ds *out)
{
    bool first = true;
    size_t i;

    for (i = 0; i < print_length(interfaces); i++) {
        struct json_object *interface =
            json_object_array_get_idx(interfaces, i);
        const char *sentence = print_sentence(print_text(interface,
                                                         "reason"));
        const char *detail = print_text(interface, "detail");

        if (sentence || detail[0]) {
            ds_put_format(out, "%s%s: %s%s%s\n", first ? "\n" : "",
                          print_text(interface, "name"),
                          sentence ? sentence : "",
                          sentence && detail[0] ? "  " : "", detail);
            first = false;
        }
    }
}
