/* SPDX-License-Identifier: Apache-2.0 */
/* The table of handlers, made from rpc/method.def. */

#include <config.h>

#include "rpc/handlers.h"

#include "plugin/view.h"
#include "rpc/methods.h"

#define READ NULL
#define ASK view_ask_bridges
#define WRITE NULL

/* All methods, in the order of rpc/method.def. */
const struct rpc_service rpc_services[] = {
#define METHOD(ID, NAME, ACCESS, SUMMARY, PARAMS)                       \
    { &rpc_methods[RPC_METHOD_##ID], rpc_handle_##ID, rpc_schema_##ID,  \
      ACCESS },
#define COMMAND(ID, NAME, COMMAND_NAME, ACCESS, SUMMARY, PARAMS) \
    METHOD(ID, NAME, ACCESS, SUMMARY, PARAMS)
#include "rpc/method.def"
};

const size_t n_rpc_services = sizeof rpc_services / sizeof rpc_services[0];
