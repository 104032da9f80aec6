/* SPDX-License-Identifier: Apache-2.0 */
/* acls as text. */

#include <config.h>

#include "rpc/print.h"

#include <json-c/json.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "openvswitch/dynamic-string.h"
#include "util.h"

#include "rpc/grid.h"

/* Most characters of a list in a cell: what is longer ends with "...". */
#define MAX_CELL 48

/* Members of a rule that may be lists, with their headings. */
static const char *const lists[][2] = {
    { "Protocol", "protocol" },
    { "Source", "source" },
    { "Ports", "ports" },
    { "ICMP", "icmp" },
};

static bool has_rules(struct json_object *port);
static void print_port(struct json_object *, struct ds *out);
static void print_state(struct json_object *port, struct ds *out);
static void print_rules(struct json_object *rules, struct ds *out);
static void print_rule(struct grid *, struct json_object *rule,
                       bool with_match);
static void print_list(struct grid *, const char *list);
static void print_remarks(struct grid *, struct json_object *rule);
static bool refers_to_match(struct json_object *rule);

/* Appends 'result' of acl.list to 'out'. */
void
print_acls(struct json_object *result, struct ds *out)
{
    bool complete = true;
    size_t i;

    for (i = 0; i < print_length(result); i++) {
        struct json_object *port = json_object_array_get_idx(result, i);

        complete &= has_rules(port);
        ds_put_cstr(out, i && complete ? "\n" : "");
        print_port(port, out);
    }
    if (!print_length(result)) {
        ds_put_cstr(out, "No ports of VMs.\n");
    } else if (!complete) {
        ds_put_cstr(out, "\nThere are too many rules for one list.  Ask for "
                    "those of one port: acls LPORT.\n");
    }
    print_reasons(result, out);
}

/* Returns true if the rules of 'port' are known, and there may be none. */
static bool
has_rules(struct json_object *port)
{
    return print_member(port, "rules") != NULL;
}

/* Appends 'port' to 'out'. */
static void
print_port(struct json_object *port, struct ds *out)
{
    struct json_object *rules = print_member(port, "rules");

    print_state(port, out);
    if (print_length(rules)) {
        print_rules(rules, out);
    }
}

/* Appends the line that says what becomes of the rules of 'port' to 'out'. */
static void
print_state(struct json_object *port, struct ds *out)
{
    const char *reason = print_text(port, "reason");
    const char *token = print_text(port, "token");
    struct json_object *column = print_member(port, "column");

    ds_put_format(out, "%s: %s", print_text(port, "logical_port"),
                  (reason[0] || strcmp(print_text(port, "mode"), "count")
                   ? print_text(port, "state") : "counted"));
    if (reason[0]) {
        ds_put_format(out, " (%s)", reason);
    } else if (json_object_get_boolean(print_member(port, "stateful"))) {
        ds_put_cstr(out, ", new connections only");
    }
    if (token[0]) {
        ds_put_format(out, ": \"%s\"", token);
    }
    if (column) {
        ds_put_format(out, " at column %s", json_object_get_string(column));
    }
    ds_put_char(out, '\n');
}

/* Appends 'rules', an array, to 'out'. */
static void
print_rules(struct json_object *rules, struct ds *out)
{
    bool with_match = false;
    struct grid grid;
    size_t i;

    for (i = 0; i < print_length(rules); i++) {
        with_match |= refers_to_match(json_object_array_get_idx(rules, i));
    }
    grid_init(&grid);
    grid_add_number_column(&grid, "Tier");
    grid_add_number_column(&grid, "Priority");
    grid_add_column(&grid, "Action");
    for (i = 0; i < ARRAY_SIZE(lists); i++) {
        grid_add_column(&grid, lists[i][0]);
    }
    grid_add_number_column(&grid, "Hits");
    grid_add_column(&grid, "Remarks");
    if (with_match) {
        grid_add_column(&grid, "Match");
    }
    for (i = 0; i < print_length(rules); i++) {
        print_rule(&grid, json_object_array_get_idx(rules, i), with_match);
    }
    print_grid(&grid, "No rules.", out);
}

/* Adds the row of 'rule' to 'grid', which has a column for the match of those
 * that refer to it if 'with_match'. */
static void
print_rule(struct grid *grid, struct json_object *rule, bool with_match)
{
    size_t i;

    print_cell(grid, rule, "tier");
    print_cell(grid, rule, "priority");
    print_cell(grid, rule, "action");
    for (i = 0; i < ARRAY_SIZE(lists); i++) {
        print_list(grid, print_text(rule, lists[i][1]));
    }
    print_cell(grid, rule, "hits");
    print_remarks(grid, rule);
    if (with_match) {
        grid_put(grid, refers_to_match(rule) ? print_text(rule, "match") : "");
    }
}

/* Puts 'list', or as many elements as there is room for, in the next cell of
 * 'grid'. */
static void
print_list(struct grid *grid, const char *list)
{
    size_t length = strlen(list);
    char *text;

    if (length <= MAX_CELL) {
        grid_put(grid, list);
        return;
    }
    for (length = MAX_CELL - strlen("..."); length && list[length - 1] != ',';
         length--) {
        continue;
    }
    text = xasprintf("%.*s...", (int) length, list);
    grid_put(grid, text);
    free(text);
}

/* Puts the flags of 'rule' in the next cell of 'grid'. */
static void
print_remarks(struct grid *grid, struct json_object *rule)
{
    struct json_object *flags = print_member(rule, "flags");
    struct ds ds = DS_EMPTY_INITIALIZER;
    size_t i;

    for (i = 0; i < print_length(flags); i++) {
        ds_put_format(&ds, "%s%s", i ? "," : "", json_object_get_string(
                          json_object_array_get_idx(flags, i)));
    }
    grid_put(grid, ds_cstr(&ds));
    ds_destroy(&ds);
}

/* Returns true if a list of 'rule' says no more than that its match says
 * it. */
static bool
refers_to_match(struct json_object *rule)
{
    size_t i;

    for (i = 0; i < ARRAY_SIZE(lists); i++) {
        if (!strcmp(print_text(rule, lists[i][1]), "match")) {
            return true;
        }
    }
    return false;
}
