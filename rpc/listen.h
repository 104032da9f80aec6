/* SPDX-License-Identifier: Apache-2.0 */
/* The listening socket of the RPC server, as a file. */
#ifndef RPC_LISTEN_H
#define RPC_LISTEN_H 1

int rpc_listen(const char *path, int *fdp);

#endif /* rpc/listen.h */
