/* SPDX-License-Identifier: Apache-2.0 */
/* flows as text. */

#include <config.h>

#include "rpc/print.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "openvswitch/dynamic-string.h"
#include "util.h"

#include "rpc/grid.h"

static void print_flow(struct grid *, struct json_object *flow);
static void print_protocol(struct grid *, struct json_object *flow,
                           bool icmp);
static void print_end(struct grid *, struct json_object *tuple,
                      const char *address, const char *port, bool icmp);
static void print_vlan(struct grid *, struct json_object *flow);
static void print_seconds(struct grid *, struct json_object *flow,
                          const char *member);

/* Appends 'result' of flow.list to 'out'. */
void
print_flows(struct json_object *result, struct ds *out)
{
    struct json_object *flows = print_member(result, "flows");
    int64_t total = json_object_get_int64(print_member(result, "total"));
    struct grid grid;
    size_t i;

    grid_init(&grid);
    grid_add_column(&grid, "Way");
    grid_add_column(&grid, "Protocol");
    grid_add_column(&grid, "Source");
    grid_add_column(&grid, "Destination");
    grid_add_column(&grid, "Becomes");
    grid_add_column(&grid, "VLAN");
    grid_add_column(&grid, "Device");
    grid_add_column(&grid, "State");
    grid_add_number_column(&grid, "Age (s)");
    grid_add_number_column(&grid, "Idle (s)");
    grid_add_number_column(&grid, "Confirmed (s)");
    grid_add_number_column(&grid, "Packets");
    grid_add_number_column(&grid, "Bytes");
    for (i = 0; i < print_length(flows); i++) {
        print_flow(&grid, json_object_array_get_idx(flows, i));
    }
    print_grid(&grid, "No flows.", out);
    if (total > print_length(flows)) {
        ds_put_format(out, "\nThese are %"PRIuSIZE" of %"PRId64" flows: "
                      "--limit shows more, --endpoint those of one address.\n",
                      print_length(flows), total);
    }
}

/* Adds the row of 'flow' to 'grid'. */
static void
print_flow(struct grid *grid, struct json_object *flow)
{
    struct json_object *near = print_member(flow, "near");
    struct json_object *far = print_member(flow, "far");
    bool icmp = !strncmp(print_text(flow, "protocol"), "icmp", 4);
    bool out = !strcmp(print_text(flow, "direction"), "out");

    print_cell(grid, flow, "direction");
    print_protocol(grid, flow, icmp);
    print_end(grid, near, "source", "source_port", icmp);
    print_end(grid, near, "destination", "destination_port", icmp);
    print_cell(grid, far, out ? "source" : "destination");
    print_vlan(grid, flow);
    print_cell(grid, flow, "device");
    print_cell(grid, flow, "state");
    print_seconds(grid, flow, "age");
    print_seconds(grid, flow, "idle");
    print_seconds(grid, flow, "confirmed");
    print_cell(grid, flow, "packets");
    print_cell(grid, flow, "bytes");
}

/* Puts the protocol of 'flow' in the next cell of 'grid', if 'icmp' with the
 * type and the identifier, which are its ports. */
static void
print_protocol(struct grid *grid, struct json_object *flow, bool icmp)
{
    struct json_object *near = print_member(flow, "near");
    char *text;

    if (!icmp) {
        print_cell(grid, flow, "protocol");
        return;
    }
    text = xasprintf("%s type %s id %s", print_text(flow, "protocol"),
                     print_text(near, "destination_port"),
                     print_text(near, "source_port"));
    grid_put(grid, text);
    free(text);
}

/* Puts the members 'address' and, unless 'icmp', 'port' of 'tuple' in the next
 * cell of 'grid'. */
static void
print_end(struct grid *grid, struct json_object *tuple, const char *address,
          const char *port, bool icmp)
{
    const char *name = print_text(tuple, address);
    bool brackets = strchr(name, ':') != NULL;
    char *text;

    if (icmp || !name[0]) {
        grid_put(grid, name);
        return;
    }
    text = xasprintf("%s%s%s:%s", brackets ? "[" : "", name,
                     brackets ? "]" : "", print_text(tuple, port));
    grid_put(grid, text);
    free(text);
}

/* Puts the tag with which packets of 'flow' come, and, if that differs, the
 * one with which they leave, in the next cell of 'grid'. */
static void
print_vlan(struct grid *grid, struct json_object *flow)
{
    const char *tag = print_text(print_member(flow, "near"), "vlan");
    const char *new_tag = print_text(print_member(flow, "far"), "vlan");
    char *text;

    if (!strcmp(tag, new_tag)) {
        grid_put(grid, tag);
        return;
    }
    text = xasprintf("%s>%s", tag[0] ? tag : "-", new_tag[0] ? new_tag : "-");
    grid_put(grid, text);
    free(text);
}

/* Puts 'member' of 'flow', seconds, in the next cell of 'grid'. */
static void
print_seconds(struct grid *grid, struct json_object *flow, const char *member)
{
    struct json_object *seconds = print_member(flow, member);
    char *text = (seconds
                  ? xasprintf("%.1f", json_object_get_double(seconds))
                  : xstrdup(""));

    grid_put(grid, text);
    free(text);
}
