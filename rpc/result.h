/* SPDX-License-Identifier: Apache-2.0 */
/* Plain values of plugin/view.h as JSON.  Every function returns a new
 * reference that the caller owns. */
#ifndef RPC_RESULT_H
#define RPC_RESULT_H 1

#include <stddef.h>
#include <stdint.h>

struct json_object;
struct view_counter;
struct view_problem;

struct json_object *result_string(const char *);
struct json_object *result_nullable_string(const char *);
struct json_object *result_count(uint64_t);
struct json_object *result_seconds(double);
struct json_object *result_packets(const struct view_counter *, size_t n);
struct json_object *result_packets_bytes(const struct view_counter *,
                                         size_t n);
struct json_object *result_problems(const struct view_problem *, size_t n);

void result_add(struct json_object *, const char *name,
                struct json_object *value);
void result_add_foreign(struct json_object *, const char *name,
                        struct json_object *value);
void result_append(struct json_object *, struct json_object *value);

#endif /* rpc/result.h */
