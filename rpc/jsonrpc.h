/* SPDX-License-Identifier: Apache-2.0 */
/* The envelope of JSON-RPC 2.0: text in, text out, no sockets.
 *
 * A message is one request or a batch.  It is answered one request at a time,
 * so that a large batch cannot hold up the caller's main loop, and only when
 * what its answer needs is there.  The prefix is
 * not "jsonrpc_", which belongs to libopenvswitch and speaks version 1.0. */
#ifndef RPC_JSONRPC_H
#define RPC_JSONRPC_H 1

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "rpc/error.h"

struct ds;
struct rpc_service;
struct view;

/* Who answers, and to whom. */
struct jsonrpc2_context {
    const struct rpc_service *services; /* Methods that there are. */
    size_t n_services;          /* Number of them. */
    const struct view *view;    /* What handlers look at. */
    uid_t uid;                  /* Of the client. */
};

struct jsonrpc2_message;

struct jsonrpc2_message *jsonrpc2_message_parse(const char *text, size_t n);
void jsonrpc2_message_destroy(struct jsonrpc2_message *);
bool jsonrpc2_message_prepare(struct jsonrpc2_message *,
                              const struct jsonrpc2_context *);
bool jsonrpc2_message_answer(struct jsonrpc2_message *,
                             const struct jsonrpc2_context *,
                             struct ds *replies);

void jsonrpc2_put_error(struct ds *replies, enum rpc_error_class);

#endif /* rpc/jsonrpc.h */
