/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON-RPC 2.0 server on a unix socket.
 *
 * It runs inside the daemon's main loop, without threads, never blocks, and
 * spends a bounded time in each iteration (rpc/limits.h). */
#ifndef RPC_SERVER_H
#define RPC_SERVER_H 1

struct rpc_server;
struct view;

/* Listens on the socket file 'path' and answers from the view, which must
 * outlive the server.  Returns 0 or a positive errno, then leaving the output
 * untouched: EADDRINUSE if another server answers on 'path'. */
int rpc_server_create(const char *path, const struct view *,
                      struct rpc_server **);
void rpc_server_destroy(struct rpc_server *);
void rpc_server_run(struct rpc_server *);
void rpc_server_wait(struct rpc_server *);

#endif /* rpc/server.h */
