/* SPDX-License-Identifier: Apache-2.0 */
/* Checks the parameters of a request against those of its method. */
#ifndef RPC_PARAMS_H
#define RPC_PARAMS_H 1

#include <stdbool.h>
#include <stdint.h>

struct json_object;
struct rpc_error;
struct rpc_method;

bool params_check(const struct rpc_method *, struct json_object *given,
                  struct json_object **named, struct rpc_error *);
const char *params_get_string(struct json_object *named, const char *name);
int64_t params_get_integer(struct json_object *named, const char *name,
                           int64_t fallback);

#endif /* rpc/params.h */
