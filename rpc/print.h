/* SPDX-License-Identifier: Apache-2.0 */
/* Results of methods as text for people, and what the printers share.
 *
 * A printer takes what it knows from a result and ignores the rest.  A member
 * that is missing shows as empty: the daemon may be older or newer. */
#ifndef RPC_PRINT_H
#define RPC_PRINT_H 1

#include <stddef.h>

struct ds;
struct grid;
struct json_object;
struct sset;

/* Appends the result of a method to 'out'. */
typedef void printer(struct json_object *result, struct ds *out);

/* A printer for each row of rpc/method.def that has a command. */
#define COMMAND(ID, NAME, COMMAND_NAME, ACCESS, SUMMARY, PARAMS) \
    printer print_##ID;
#include "rpc/method.def"

struct json_object *print_member(struct json_object *, const char *name);
const char *print_text(struct json_object *, const char *name);
size_t print_length(struct json_object *array);
void print_cell(struct grid *, struct json_object *, const char *name);
void print_problems(struct json_object *problems, struct ds *out);
void print_reasons(struct json_object *list, struct ds *out);
void print_meaning(const char *word, struct sset *seen, struct ds *out);
const char *print_sentence(const char *word);
void print_grid(struct grid *, const char *if_empty, struct ds *out);
void print_duration(struct ds *, double seconds);

#endif /* rpc/print.h */
