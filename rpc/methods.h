/* SPDX-License-Identifier: Apache-2.0 */
/* What both server and client know about the methods of rpc/method.def. */
#ifndef RPC_METHODS_H
#define RPC_METHODS_H 1

#include <stdbool.h>
#include <stddef.h>

/* One for each row of rpc/method.def, in its order. */
enum rpc_method_id {
#define METHOD(ID, NAME, ACCESS, SUMMARY, PARAMS) RPC_METHOD_##ID,
#define COMMAND(ID, NAME, COMMAND_NAME, ACCESS, SUMMARY, PARAMS) \
    RPC_METHOD_##ID,
#include "rpc/method.def"
    N_RPC_METHODS
};

/* Type of a parameter. */
enum rpc_param_type {
    RPC_PARAM_STRING,           /* Without U+0000. */
    RPC_PARAM_INTEGER,          /* Signed, 64 bits. */
    RPC_PARAM_BOOLEAN           /* true or false. */
};

/* A parameter of a method. */
struct rpc_param {
    const char *name;           /* Member of "params". */
    enum rpc_param_type type;   /* What its value must be. */
    bool required;              /* May it not be left out? */
    bool option;                /* Is it an option of the command? */
    const char *metavar;        /* Its name in the usage of the command. */
    const char *sentence;       /* What it means. */
};

/* A method. */
struct rpc_method {
    const char *name;           /* Of the method, "noun.verb". */
    const char *command;        /* Of ovn-xdpctl, or NULL if there is none. */
    bool writes;                /* Changes something: needs uid 0. */
    const char *summary;        /* One sentence. */
    const struct rpc_param *params; /* Ends with one whose name is NULL. */
};

extern const struct rpc_method rpc_methods[N_RPC_METHODS];

size_t rpc_method_n_params(const struct rpc_method *);
const struct rpc_param *rpc_method_find_option(const struct rpc_method *,
                                               const char *word,
                                               const char **value);

#endif /* rpc/methods.h */
