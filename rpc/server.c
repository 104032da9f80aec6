/* SPDX-License-Identifier: Apache-2.0 */
/* See rpc/server.h. */

#include <config.h>

#include "rpc/server.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

#include "openvswitch/list.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "timeval.h"
#include "util.h"

#include "rpc/conn.h"
#include "rpc/handlers.h"
#include "rpc/limits.h"
#include "rpc/listen.h"

VLOG_DEFINE_THIS_MODULE(rpc_server);

static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(5, 20);

/* A client in the list of its server. */
struct rpc_client {
    struct ovs_list node;       /* In 'clients' of struct rpc_server. */
    struct rpc_conn *conn;      /* The client, owned. */
};

/* A server. */
struct rpc_server {
    char *path;                 /* Of the socket file. */
    struct rpc_listener *listener; /* Listening socket. */
    const struct view *view;    /* What handlers look at. */
    struct ovs_list clients;    /* Of struct rpc_client; those that have waited
                                 * longest to be served come first. */
    size_t n_clients;           /* Number of them. */
    bool accepting;             /* False: out of descriptors, wait. */
    long long int accept_at;    /* time_msec() of the next try to accept, if
                                 * not 'accepting'. */
    bool busy;                  /* Stopped for reasons of budget only. */
};

static void rpc_server_accept(struct rpc_server *);
static void rpc_server_accept_last(struct rpc_server *, int fd);
static void rpc_server_accept_failed(struct rpc_server *, int error);
static void rpc_server_add(struct rpc_server *, int fd);
static void rpc_server_run_clients(struct rpc_server *);
static void rpc_client_destroy(struct rpc_server *, struct rpc_client *);

/* Listens on 'path' and answers from 'view'.  See rpc/server.h. */
int
rpc_server_create(const char *path, const struct view *view,
                  struct rpc_server **serverp)
{
    struct rpc_listener *listener;
    struct rpc_server *server;
    int error;

    error = rpc_listener_create(path, &listener);
    if (error) {
        return error;
    }
    server = xzalloc(sizeof *server);
    server->path = xstrdup(path);
    server->listener = listener;
    server->view = view;
    server->accepting = true;
    ovs_list_init(&server->clients);
    *serverp = server;
    return 0;
}

/* Disconnects all clients and removes the socket file. */
void
rpc_server_destroy(struct rpc_server *server)
{
    struct rpc_client *client;

    if (!server) {
        return;
    }
    LIST_FOR_EACH_SAFE (client, node, &server->clients) {
        rpc_client_destroy(server, client);
    }
    rpc_listener_destroy(server->listener);
    free(server->path);
    free(server);
}

/* Accepts and serves clients. */
void
rpc_server_run(struct rpc_server *server)
{
    int replaced = rpc_listener_run(server->listener);

    if (replaced >= 0) {
        rpc_server_accept_last(server, replaced);
    }
    server->busy = false;
    rpc_server_accept(server);
    rpc_server_run_clients(server);
}

/* Makes poll_block() wake up when there is something to do. */
void
rpc_server_wait(struct rpc_server *server)
{
    struct rpc_client *client;

    if (server->busy) {
        poll_immediate_wake();
    }
    rpc_listener_wait(server->listener);
    if (server->accepting) {
        poll_fd_wait(rpc_listener_fd(server->listener), POLLIN);
    } else {
        poll_timer_wait_until(server->accept_at);
    }
    LIST_FOR_EACH (client, node, &server->clients) {
        rpc_conn_wait(client->conn);
    }
}

/* Accepts the clients that have connected, up to a few. */
static void
rpc_server_accept(struct rpc_server *server)
{
    int i;

    if (!server->accepting && time_msec() < server->accept_at) {
        return;
    }
    server->accepting = true;
    for (i = 0; i < RPC_MAX_ACCEPTS; i++) {
        int fd = accept4(rpc_listener_fd(server->listener), NULL, NULL,
                         SOCK_CLOEXEC | SOCK_NONBLOCK);

        if (fd < 0) {
            rpc_server_accept_failed(server, errno);
            return;
        }
        rpc_server_add(server, fd);
    }
    server->busy = true;
}

/* Accepts the clients that have connected to 'fd', a listening socket that
 * another one has replaced, and closes it. */
static void
rpc_server_accept_last(struct rpc_server *server, int fd)
{
    int client;

    while ((client = accept4(fd, NULL, NULL,
                             SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0) {
        rpc_server_add(server, client);
    }
    close(fd);
}

/* Handles the 'error' of an accept4().  Without descriptors the listening
 * socket stays readable: it is left alone for a while. */
static void
rpc_server_accept_failed(struct rpc_server *server, int error)
{
    switch (error) {
    case EAGAIN:
    case EINTR:
    case ECONNABORTED:
        return;
    default:
        VLOG_WARN_RL(&rl, "%s: cannot accept (%s), trying again in %d ms",
                     server->path, ovs_strerror(error), RPC_ACCEPT_PAUSE_MS);
        server->accepting = false;
        server->accept_at = time_msec() + RPC_ACCEPT_PAUSE_MS;
    }
}

/* Adds the client connected to 'fd', or turns it away if there are enough. */
static void
rpc_server_add(struct rpc_server *server, int fd)
{
    struct rpc_conn *conn = rpc_conn_create(fd, rpc_services, n_rpc_services,
                                            server->view);
    struct rpc_client *client;

    if (server->n_clients >= RPC_MAX_CONNECTIONS) {
        /* A new socket takes the few bytes of the error at once. */
        rpc_conn_refuse(conn, RPC_ERROR_TOO_MANY);
        rpc_conn_run(conn, 0);
        rpc_conn_destroy(conn);
        return;
    }
    client = xmalloc(sizeof *client);
    client->conn = conn;
    ovs_list_push_front(&server->clients, &client->node);
    server->n_clients++;
}

/* Serves clients until all have been served or the time is up.  Those served
 * go to the end of the list. */
static void
rpc_server_run_clients(struct rpc_server *server)
{
    long long int end = time_msec() + RPC_RUN_MS;
    size_t n = server->n_clients;

    while (n-- > 0) {
        struct rpc_client *client = CONTAINER_OF(
            ovs_list_pop_front(&server->clients), struct rpc_client, node);

        ovs_list_push_back(&server->clients, &client->node);
        if (rpc_conn_run(client->conn, end)) {
            rpc_client_destroy(server, client);
        }
        if (time_msec() >= end) {
            server->busy |= n > 0;
            return;
        }
    }
}

/* Disconnects 'client' of 'server'. */
static void
rpc_client_destroy(struct rpc_server *server, struct rpc_client *client)
{
    ovs_list_remove(&client->node);
    server->n_clients--;
    rpc_conn_destroy(client->conn);
    free(client);
}
