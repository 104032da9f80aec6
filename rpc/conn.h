/* SPDX-License-Identifier: Apache-2.0 */
/* One client of the RPC server. */
#ifndef RPC_CONN_H
#define RPC_CONN_H 1

#include <stdbool.h>

#include "rpc/error.h"

struct rpc_service;
struct view;

struct rpc_conn;

struct rpc_conn *rpc_conn_create(int fd, const struct rpc_service *,
                                 size_t n_services, const struct view *);
void rpc_conn_destroy(struct rpc_conn *);
int rpc_conn_run(struct rpc_conn *, long long int end);
void rpc_conn_wait(struct rpc_conn *);
void rpc_conn_refuse(struct rpc_conn *, enum rpc_error_class);

#endif /* rpc/conn.h */
