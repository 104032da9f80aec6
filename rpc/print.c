/* SPDX-License-Identifier: Apache-2.0 */
/* What the printers of rpc/print-*.c share. */

#include <config.h>

#include "rpc/print.h"

#include <json-c/json.h>
#include <string.h>

#include "openvswitch/dynamic-string.h"
#include "sset.h"

#include "plugin/reason.h"
#include "rpc/grid.h"

/* Returns member 'name' of 'json', or NULL if it has none or is null. */
struct json_object *
print_member(struct json_object *json, const char *name)
{
    struct json_object *member = NULL;

    if (json_object_is_type(json, json_type_object)) {
        json_object_object_get_ex(json, name, &member);
    }
    return member;
}

/* Returns member 'name' of 'json' as text, "" if it has none or is null. */
const char *
print_text(struct json_object *json, const char *name)
{
    struct json_object *member = print_member(json, name);

    return member ? json_object_get_string(member) : "";
}

/* Returns the length of 'array', 0 if it is no array. */
size_t
print_length(struct json_object *array)
{
    return (json_object_is_type(array, json_type_array)
            ? json_object_array_length(array) : 0);
}

/* Puts member 'name' of 'json' in the next cell of 'grid'. */
void
print_cell(struct grid *grid, struct json_object *json, const char *name)
{
    grid_put(grid, print_text(json, name));
}

/* Appends 'problems', an array, to 'out'. */
void
print_problems(struct json_object *problems, struct ds *out)
{
    struct grid grid;
    size_t i;

    grid_init(&grid);
    grid_add_column(&grid, "Problem");
    grid_add_column(&grid, "Message");
    for (i = 0; i < print_length(problems); i++) {
        struct json_object *problem = json_object_array_get_idx(problems, i);

        print_cell(&grid, problem, "class");
        print_cell(&grid, problem, "message");
    }
    print_grid(&grid, "No problems.", out);
}

/* Appends what each reason among the elements of 'list' means to 'out', after
 * an empty line, if there is any. */
void
print_reasons(struct json_object *list, struct ds *out)
{
    struct sset seen = SSET_INITIALIZER(&seen);
    size_t i;

    for (i = 0; i < print_length(list); i++) {
        print_meaning(print_text(json_object_array_get_idx(list, i),
                                 "reason"), &seen, out);
    }
    sset_destroy(&seen);
}

/* Appends what 'word', a reason, means to 'out', unless it is in 'seen', to
 * which it is added.  Before the first one goes an empty line. */
void
print_meaning(const char *word, struct sset *seen, struct ds *out)
{
    const char *sentence = print_sentence(word);

    if (sentence && sset_add(seen, word)) {
        ds_put_format(out, "%s%s: %s\n",
                      sset_count(seen) == 1 ? "\n" : "", word, sentence);
    }
}

/* Returns the sentence for a reason or class of problem, or NULL if 'word' is
 * none that this version knows. */
const char *
print_sentence(const char *word)
{
    int i;

    for (i = REASON_NONE + 1; i < N_STATE_REASONS; i++) {
        if (!strcmp(word, reason_to_string(i))) {
            return reason_sentence(i);
        }
    }
    for (i = 0; i < N_PACKET_REASONS; i++) {
        if (!strcmp(word, packet_reason_to_string(i))) {
            return packet_reason_sentence(i);
        }
    }
    return NULL;
}

/* Appends 'grid', or the line 'if_empty' if it has no rows, to 'out', and
 * frees what it holds. */
void
print_grid(struct grid *grid, const char *if_empty, struct ds *out)
{
    if (grid_is_empty(grid)) {
        ds_put_format(out, "%s\n", if_empty);
    } else {
        grid_format(grid, out);
    }
    grid_uninit(grid);
}

/* Appends 'seconds' in days, hours, minutes and seconds to 'out'. */
void
print_duration(struct ds *out, double seconds)
{
    unsigned long long int s = seconds;

    if (s >= 24 * 60 * 60) {
        ds_put_format(out, "%llu d ", s / (24 * 60 * 60));
    }
    if (s >= 60 * 60) {
        ds_put_format(out, "%llu h ", s / (60 * 60) % 24);
    }
    if (s >= 60) {
        ds_put_format(out, "%llu min ", s / 60 % 60);
    }
    ds_put_format(out, "%llu s", s % 60);
}
