/* SPDX-License-Identifier: Apache-2.0 */
/* The listening socket of the RPC server, as a file.
 *
 * OVN gives all that is in its run-time folder to another user and group each
 * time it starts, and the socket is in that folder.  The owner being another
 * one now, permissions cannot be mended; so a new socket file takes the place
 * of the old one, and whoever is connected stays so. */
#ifndef RPC_LISTEN_H
#define RPC_LISTEN_H 1

struct rpc_listener;

/* Listens on a new socket file 'path', mode 0660 whatever the umask, for the
 * group ovn-xdp where there is one.  A socket file left by a dead daemon is
 * replaced.  Returns 0 or a positive errno: EADDRINUSE if somebody answers
 * there already, EEXIST if 'path' is something else than a socket. */
int rpc_listener_create(const char *path, struct rpc_listener **);

/* Removes the socket file, unless another one has taken its place. */
void rpc_listener_destroy(struct rpc_listener *);

/* Returns the non-blocking socket that accepts. */
int rpc_listener_fd(const struct rpc_listener *);

/* Puts the file right if somebody has changed it or taken it away.  Returns
 * -1, or the socket before that one: what has connected to it is accepted by
 * the caller, who then closes it. */
int rpc_listener_run(struct rpc_listener *);
void rpc_listener_wait(const struct rpc_listener *);

#endif /* rpc/listen.h */
