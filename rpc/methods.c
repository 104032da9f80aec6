/* SPDX-License-Identifier: Apache-2.0 */
/* The table of methods, made from rpc/method.def. */

#include <config.h>

#include "rpc/methods.h"

#define READ false
#define ASK false
#define WRITE true
#define REQUIRED true
#define OPTIONAL false
#define NO_PARAMS
#define PARAM(NAME, TYPE, NEED, METAVAR, SENTENCE) \
    { NAME, RPC_PARAM_##TYPE, NEED, METAVAR, SENTENCE },

/* All methods, indexed by enum rpc_method_id. */
const struct rpc_method rpc_methods[N_RPC_METHODS] = {
#define METHOD(ID, NAME, ACCESS, SUMMARY, PARAMS)                       \
    [RPC_METHOD_##ID] = {                                               \
        NAME, NULL, ACCESS, SUMMARY,                                    \
        (const struct rpc_param[]) { PARAMS { .name = NULL } }          \
    },
#define COMMAND(ID, NAME, COMMAND_NAME, ACCESS, SUMMARY, PARAMS)        \
    [RPC_METHOD_##ID] = {                                               \
        NAME, COMMAND_NAME, ACCESS, SUMMARY,                            \
        (const struct rpc_param[]) { PARAMS { .name = NULL } }          \
    },
#include "rpc/method.def"
};

/* Returns the number of parameters of 'method'. */
size_t
rpc_method_n_params(const struct rpc_method *method)
{
    size_t n = 0;

    while (method->params[n].name) {
        n++;
    }
    return n;
}
