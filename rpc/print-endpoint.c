/* SPDX-License-Identifier: Apache-2.0 */
/* endpoints as text. */

#include <config.h>

#include "rpc/print.h"

#include <json-c/json.h>
#include <stdbool.h>

#include "util.h"

#include "rpc/grid.h"

/* A column of the table. */
struct endpoint_column {
    const char *heading;        /* Heading. */
    const char *member;         /* Member of the result. */
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
    { "Packets", "packets", true },
    { "Bytes", "bytes", true },
    { "Drops", "drops", true },
};

/* Appends 'result' of endpoint.list to 'out'. */
void
print_endpoints(struct json_object *result, struct ds *out)
{
    struct grid grid;
    size_t i, j;

    grid_init(&grid);
    for (j = 0; j < ARRAY_SIZE(columns); j++) {
        if (columns[j].numeric) {
            grid_add_number_column(&grid, columns[j].heading);
        } else {
            grid_add_column(&grid, columns[j].heading);
        }
    }
    for (i = 0; i < print_length(result); i++) {
        for (j = 0; j < ARRAY_SIZE(columns); j++) {
            print_cell(&grid, json_object_array_get_idx(result, i),
                       columns[j].member);
        }
    }
    print_grid(&grid, "No endpoints.", out);
    print_reasons(result, out);
}
