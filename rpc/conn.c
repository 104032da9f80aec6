/* SPDX-License-Identifier: Apache-2.0 */
/* See rpc/conn.h.
 *
 *    socket -> input -> frame -> message -> output -> socket
 *
 * Each stage holds at most what rpc/limits.h says, and a stage is filled only
 * when the one behind it is empty (the output excepted, which grows up to its
 * limit and then stops the others). */

#include <config.h>

#include "rpc/conn.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "openvswitch/dynamic-string.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "timeval.h"
#include "util.h"

#include "rpc/frame.h"
#include "rpc/jsonrpc.h"
#include "rpc/limits.h"

VLOG_DEFINE_THIS_MODULE(rpc_conn);

static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(5, 20);

/* A client. */
struct rpc_conn {
    int fd;                     /* Connected socket, owned. */
    struct ucred peer;          /* Who is at the other end. */
    struct jsonrpc2_context context; /* What to answer with. */

    char input[RPC_READ_SIZE];  /* Bytes read. */
    size_t input_pos;           /* Next of them to look at. */
    size_t input_len;           /* Number of them. */
    bool eof;                   /* The client will send no more. */

    struct frame frame;         /* Request being received. */
    struct jsonrpc2_message *message; /* Request being answered, or NULL. */
    bool waiting;               /* Its answer needs what is not there yet. */

    struct ds output;           /* Replies. */
    size_t output_pos;          /* Next byte of them to send. */
    long long int stall_at;     /* time_msec() at which the client is given
                                 * up, or LLONG_MAX while output is short. */
    bool closing;               /* Send what there is, then close. */
    long long int linger_at;    /* time_msec() at which a client that was
                                 * refused is closed though it still sends,
                                 * or 0 before it has been sent all. */
    bool busy;                  /* Stopped for reasons of budget only. */
};

static int rpc_conn_step(struct rpc_conn *);
static int rpc_conn_flush(struct rpc_conn *);
static int rpc_conn_check_stall(struct rpc_conn *);
static int rpc_conn_close(struct rpc_conn *);
static int rpc_conn_read(struct rpc_conn *);
static void rpc_conn_parse(struct rpc_conn *);
static void rpc_conn_take_frame(struct rpc_conn *, enum frame_status);
static size_t rpc_conn_unread(const struct rpc_conn *);

/* Serves the client at the other end of 'fd', which is taken over, with the
 * 'n_services' 'services' on 'view'. */
struct rpc_conn *
rpc_conn_create(int fd, const struct rpc_service *services,
                size_t n_services, const struct view *view)
{
    struct rpc_conn *conn = xzalloc(sizeof *conn);
    socklen_t length = sizeof conn->peer;

    conn->fd = fd;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &conn->peer, &length)) {
        /* Nobody in particular: may read, may not change anything. */
        conn->peer.pid = 0;
        conn->peer.uid = conn->peer.gid = -1;
    }
    VLOG_DBG("client: pid %d uid %u gid %u", (int) conn->peer.pid,
             (unsigned int) conn->peer.uid, (unsigned int) conn->peer.gid);
    conn->context = (struct jsonrpc2_context) {
        .services = services, .n_services = n_services,
        .view = view, .uid = conn->peer.uid,
    };
    frame_init(&conn->frame);
    ds_init(&conn->output);
    conn->stall_at = LLONG_MAX;
    return conn;
}

/* Disconnects the client. */
void
rpc_conn_destroy(struct rpc_conn *conn)
{
    if (conn) {
        close(conn->fd);
        frame_uninit(&conn->frame);
        jsonrpc2_message_destroy(conn->message);
        ds_destroy(&conn->output);
        free(conn);
    }
}

/* Reads, answers and sends as much as there is, within the budget of one
 * iteration of the main loop, which ends when time_msec() is 'end'.  Returns
 * 0, or a positive errno if the client is to be destroyed: ESHUTDOWN if it has
 * all that it asked for. */
int
rpc_conn_run(struct rpc_conn *conn, long long int end)
{
    int error;
    int i = 0;

    do {
        error = rpc_conn_step(conn);
    } while (!error && ++i < RPC_MAX_STEPS && time_msec() < end);
    conn->busy = !error;
    return error == EAGAIN ? 0 : error;
}

/* Makes poll_block() wake up when 'conn' has something to do.  While it waits
 * for the daemon, it is the daemon that wakes up. */
void
rpc_conn_wait(struct rpc_conn *conn)
{
    bool unread = rpc_conn_unread(conn) > 0;
    bool stalled = conn->stall_at != LLONG_MAX;

    if (conn->busy) {
        poll_immediate_wake();
    }
    if (unread) {
        poll_fd_wait(conn->fd, POLLOUT);
    }
    if (stalled) {
        poll_timer_wait_until(conn->stall_at);
    } else if (!conn->eof && !conn->waiting
               && !(conn->closing && unread)) {
        poll_fd_wait(conn->fd, POLLIN);
    }
    if (conn->linger_at) {
        poll_timer_wait_until(conn->linger_at);
    }
}

/* Tells the client of an error of 'class' and disconnects it after that. */
void
rpc_conn_refuse(struct rpc_conn *conn, enum rpc_error_class class)
{
    jsonrpc2_put_error(&conn->output, class);
    conn->closing = true;
}

/* Takes one step.  Returns 0, EAGAIN if there is none to take now, or another
 * positive errno if the client is to be destroyed. */
static int
rpc_conn_step(struct rpc_conn *conn)
{
    int error = rpc_conn_flush(conn);

    if (!error) {
        error = rpc_conn_check_stall(conn);
    }
    if (error) {
        return error;
    }
    if (conn->message) {
        conn->waiting = !jsonrpc2_message_prepare(conn->message,
                                                  &conn->context);
        if (conn->waiting) {
            return EAGAIN;
        }
        if (jsonrpc2_message_answer(conn->message, &conn->context,
                                    &conn->output)) {
            jsonrpc2_message_destroy(conn->message);
            conn->message = NULL;
        }
    } else if (conn->closing) {
        return rpc_conn_close(conn);
    } else if (conn->input_pos < conn->input_len) {
        rpc_conn_parse(conn);
    } else if (conn->eof) {
        rpc_conn_take_frame(conn, frame_end(&conn->frame));
        conn->closing = true;
    } else {
        return rpc_conn_read(conn);
    }
    return 0;
}

/* Sends what the socket takes.  Returns 0, or a positive errno if the client
 * is gone. */
static int
rpc_conn_flush(struct rpc_conn *conn)
{
    while (rpc_conn_unread(conn)) {
        ssize_t n = send(conn->fd, conn->output.string + conn->output_pos,
                         rpc_conn_unread(conn), MSG_NOSIGNAL | MSG_DONTWAIT);

        if (n < 0) {
            if (errno == EINTR) {
                continue;
            }
            return errno == EAGAIN ? 0 : errno;
        }
        conn->output_pos += n;

        /* Give back what was sent, moving no byte more than once or so. */
        if (conn->output_pos > conn->output.length / 2) {
            size_t left = rpc_conn_unread(conn);

            memmove(conn->output.string,
                    conn->output.string + conn->output_pos, left);
            ds_truncate(&conn->output, left);
            conn->output_pos = 0;
        }
    }
    if (conn->output.allocated > RPC_READ_SIZE && !conn->output.length) {
        ds_destroy(&conn->output);
        ds_init(&conn->output);
    }
    return 0;
}

/* Returns 0 if the client reads its replies, EAGAIN if it is to be left alone
 * until it has read some, ETIMEDOUT if it has had the time for that. */
static int
rpc_conn_check_stall(struct rpc_conn *conn)
{
    if (rpc_conn_unread(conn) <= RPC_MAX_UNREAD) {
        conn->stall_at = LLONG_MAX;
        return 0;
    }
    if (conn->stall_at == LLONG_MAX) {
        conn->stall_at = time_msec() + RPC_STALL_MS;
    }
    if (time_msec() < conn->stall_at) {
        return EAGAIN;
    }
    VLOG_WARN_RL(&rl, "client (pid %d, uid %u) has %"PRIuSIZE" bytes of "
                 "replies unread, disconnecting", (int) conn->peer.pid,
                 (unsigned int) conn->peer.uid, rpc_conn_unread(conn));
    return ETIMEDOUT;
}

/* Takes a step towards closing.  A client that was refused may still be
 * sending: for a while that is read and forgotten, because it would be told of
 * a broken pipe otherwise, and not of its error.  Returns as
 * rpc_conn_step(). */
static int
rpc_conn_close(struct rpc_conn *conn)
{
    if (rpc_conn_unread(conn)) {
        return EAGAIN;
    }
    if (!conn->linger_at) {
        conn->linger_at = time_msec() + RPC_LINGER_MS;
        shutdown(conn->fd, SHUT_WR);
    }
    if (conn->eof || time_msec() >= conn->linger_at) {
        return ESHUTDOWN;
    }
    return rpc_conn_read(conn);
}

/* Reads into the input, of which nothing is needed any more.  Returns 0,
 * EAGAIN if there is nothing to read, or another positive errno if the client
 * is gone. */
static int
rpc_conn_read(struct rpc_conn *conn)
{
    ssize_t n;

    do {
        n = recv(conn->fd, conn->input, sizeof conn->input, MSG_DONTWAIT);
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        return errno;
    }
    conn->input_pos = 0;
    conn->input_len = n;
    conn->eof = !n;
    return 0;
}

/* Gives input to the frame until that is complete or the input is used up. */
static void
rpc_conn_parse(struct rpc_conn *conn)
{
    enum frame_status status;
    size_t used;

    status = frame_put(&conn->frame, conn->input + conn->input_pos,
                       conn->input_len - conn->input_pos, &used);
    conn->input_pos += used;
    rpc_conn_take_frame(conn, status);
}

/* Makes a message of the frame, as its 'status' demands.  After an error,
 * nobody can tell where the next request begins: the client is told and
 * disconnected. */
static void
rpc_conn_take_frame(struct rpc_conn *conn, enum frame_status status)
{
    switch (status) {
    case FRAME_MORE:
        return;
    case FRAME_DONE:
        conn->message = jsonrpc2_message_parse(
            ds_cstr(&conn->frame.text), conn->frame.text.length);
        if (!conn->message) {
            rpc_conn_refuse(conn, RPC_ERROR_PARSE);
        }
        break;
    case FRAME_BAD:
        rpc_conn_refuse(conn, RPC_ERROR_PARSE);
        break;
    case FRAME_TOO_LARGE:
        rpc_conn_refuse(conn, RPC_ERROR_TOO_LARGE);
        break;
    case FRAME_TOO_DEEP:
        rpc_conn_refuse(conn, RPC_ERROR_TOO_DEEP);
        break;
    default:
        OVS_NOT_REACHED();
    }
    frame_clear(&conn->frame);
}

/* Returns the number of bytes that the client has not been sent yet. */
static size_t
rpc_conn_unread(const struct rpc_conn *conn)
{
    return conn->output.length - conn->output_pos;
}
