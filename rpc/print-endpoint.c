/* SPDX-License-Identifier: Apache-2.0 */
/* endpoints as text. */

#include <config.h>

#include "rpc/print.h"

#include <json-c/json.h>
#include <stdbool.h>
#include <string.h>

#include "sset.h"
#include "util.h"

#include "plugin/reason.h"
#include "rpc/grid.h"

/* A column of the table. */
struct endpoint_column {
    const char *heading;        /* Heading. */
    const char *member;         /* Member of the result; NULL: what
                                 * direct_text() says. */
    bool numeric;               /* Is it a number? */
};

static const struct endpoint_column columns[] = {
    { "Address", "address", false },
    { "Kind", "kind", false },
    { "Logical port", "logical_port", false },
    { "Network", "network", false },
    { "Bridge", "bridge", false },
    { "VLAN", "vlan", true },
    { "MAC", "mac", false },
    { "State", "state", false },
    { "Reason", "reason", false },
    { "Direct", NULL, false },
    { "Packets", "packets", true },
    { "Bytes", "bytes", true },
    { "Drops", "drops", true },
};

/* Returns what there is to say about whether packets of 'endpoint' go between
 * NIC and VM directly: that they do, or why they do not. */
static const char *
direct_text(struct json_object *endpoint)
{
    const char *reason = print_text(endpoint, "direct_reason");
    bool on = json_object_get_boolean(print_member(endpoint, "direct"));

    return (on ? "on"
            : strcmp(reason, reason_to_string(REASON_DIRECT_OFF)) ? reason
            : "");
}

/* Puts 'endpoint' in the next row of 'grid'. */
static void
print_endpoint(struct grid *grid, struct json_object *endpoint)
{
    size_t i;

    for (i = 0; i < ARRAY_SIZE(columns); i++) {
        if (columns[i].member) {
            print_cell(grid, endpoint, columns[i].member);
        } else {
            grid_put(grid, direct_text(endpoint));
        }
    }
}

/* Appends what each reason of 'endpoints', an array, means to 'out'. */
static void
print_meanings(struct json_object *endpoints, struct ds *out)
{
    struct sset seen = SSET_INITIALIZER(&seen);
    size_t i;

    for (i = 0; i < print_length(endpoints); i++) {
        struct json_object *endpoint = json_object_array_get_idx(endpoints, i);

        print_meaning(print_text(endpoint, "reason"), &seen, out);
        print_meaning(direct_text(endpoint), &seen, out);
    }
    sset_destroy(&seen);
}

/* Appends 'result' of endpoint.list to 'out'. */
void
print_endpoints(struct json_object *result, struct ds *out)
{
    struct grid grid;
    size_t i;

    grid_init(&grid);
    for (i = 0; i < ARRAY_SIZE(columns); i++) {
        if (columns[i].numeric) {
            grid_add_number_column(&grid, columns[i].heading);
        } else {
            grid_add_column(&grid, columns[i].heading);
        }
    }
    for (i = 0; i < print_length(result); i++) {
        print_endpoint(&grid, json_object_array_get_idx(result, i));
    }
    print_grid(&grid, "No endpoints.", out);
    print_meanings(result, out);
}
