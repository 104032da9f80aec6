/* SPDX-License-Identifier: Apache-2.0 */
/* The table of methods, made from rpc/method.def. */

#include <config.h>

#include "rpc/methods.h"

#include <string.h>

#define READ false
#define ASK false
#define WRITE true
#define REQUIRED true
#define OPTIONAL false
#define NO_PARAMS
#define PARAM(NAME, TYPE, NEED, METAVAR, SENTENCE) \
    { NAME, RPC_PARAM_##TYPE, NEED, false, METAVAR, SENTENCE },
#define OPTION(NAME, TYPE, METAVAR, SENTENCE) \
    { NAME, RPC_PARAM_##TYPE, false, true, METAVAR, SENTENCE },

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

/* Returns the option of the command of 'method' that 'word' of a command line
 * is, "--NAME" or "--NAME=VALUE", or NULL if it is none.  Stores the value in
 * '*value', NULL if it is the next word. */
const struct rpc_param *
rpc_method_find_option(const struct rpc_method *method, const char *word,
                       const char **value)
{
    size_t length = strcspn(word, "=");
    const struct rpc_param *param;

    for (param = method->params; param->name; param++) {
        if (param->option && !strncmp(word, "--", 2)
            && strlen(param->name) == length - 2
            && !strncmp(word + 2, param->name, length - 2)) {
            *value = word[length] ? word + length + 1 : NULL;
            return param;
        }
    }
    *value = NULL;
    return NULL;
}
