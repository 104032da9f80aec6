/* SPDX-License-Identifier: Apache-2.0 */
/* One connection to the control socket of ovs-vswitchd, and one question on
 * it at a time.
 *
 *             connected          asked              answered
 *     nobody ----------> idle ----------> waiting ----------> idle ...
 *       ^                 | hung up          | hung up
 *       '-----------------'------------------'
 *
 * A process that does not answer in time may be stopped or busy, and nobody
 * can tell then; it is still the same one, and its answer counts whenever it
 * comes.  The kernel ends the connection as soon as the process does. */

#include <config.h>

#include "plugin/vswitchd.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jsonrpc.h"
#include "openvswitch/json.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "socket-util.h"
#include "stream.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(vswitchd);

/* Time from one question to the next, in ms. */
#define QUESTION_INTERVAL_MS 1000

/* How long an answer may take before nobody can tell, in ms. */
#define ANSWER_TIMEOUT_MS 1000

/* Wait before another attempt to connect, in ms: first value and ceiling of
 * the doubling.  Until then nobody can tell, so it is short. */
#define RECONNECT_MIN_MS 100
#define RECONNECT_MAX_MS 1000

/* Messages taken from the connection at once. */
#define MAX_MESSAGES 4

/* The question, and the one datapath that OVS keeps for all bridges of type
 * "netdev".  Without this name OVS refuses to answer if there are others. */
#define QUESTION "dpctl/ct-get-tcp-seq-chk"
#define DATAPATH "netdev@ovs-netdev"

/* Its answers. */
#define ANSWER_CHECKED "TCP sequence checking: enabled"
#define ANSWER_FREE "TCP sequence checking: disabled"

/* See plugin/vswitchd.h. */
struct vswitchd {
    char *rundir;               /* Where ovs-vswitchd has its sockets. */
    bool wanted;                /* The process is to be followed. */
    struct jsonrpc *rpc;        /* Connection, or NULL. */
    bool waiting;               /* A question was not answered yet. */
    long long int asked;        /* When the last question was asked. */
    long long int due;          /* When to connect, to ask or to give up
                                 * waiting, in ms. */
    int backoff;                /* Wait before the next attempt, in ms. */
    enum vswitchd_windows windows; /* Last answer. */
    unsigned int seqno;         /* Of the process. */
};

/* Creates what follows the ovs-vswitchd whose sockets are in 'rundir'. */
struct vswitchd *
vswitchd_create(const char *rundir)
{
    struct vswitchd *vs = xzalloc(sizeof *vs);

    vs->rundir = xstrdup(rundir);
    vs->backoff = RECONNECT_MIN_MS;
    return vs;
}

/* Frees 'vs', which may be NULL. */
void
vswitchd_destroy(struct vswitchd *vs)
{
    if (vs) {
        jsonrpc_close(vs->rpc);
        free(vs->rundir);
        free(vs);
    }
}

/* Returns the process id in the pidfile, or 0. */
static long int
read_pid(const struct vswitchd *vs)
{
    char *name = xasprintf("%s/ovs-vswitchd.pid", vs->rundir);
    FILE *file = fopen(name, "r");
    long int pid = 0;

    free(name);
    if (file) {
        if (fscanf(file, "%ld", &pid) != 1) {
            pid = 0;
        }
        fclose(file);
    }
    return pid;
}

/* Returns a connection to the socket 'path', or NULL.  Frees 'path'. */
static struct stream *
open_socket(char *path)
{
    char *name = xasprintf("unix:%s", path);
    struct stream *stream = NULL;

    /* A local socket is connected at once, or not at all. */
    if (stream_open(name, &stream, DSCP_DEFAULT)) {
        stream = NULL;
    } else if (stream_connect(stream)) {
        stream_close(stream);
        stream = NULL;
    }
    free(name);
    free(path);
    return stream;
}

/* Tries to connect.  The socket has the name that it gets by itself, with the
 * process id, or the one without that "--unixctl" often gives it. */
static void
connect_to_process(struct vswitchd *vs, long long int now)
{
    long int pid = read_pid(vs);
    struct stream *stream = NULL;

    if (pid > 0) {
        stream = open_socket(xasprintf("%s/ovs-vswitchd.%ld.ctl", vs->rundir,
                                       pid));
    }
    if (!stream) {
        stream = open_socket(xasprintf("%s/ovs-vswitchd.ctl", vs->rundir));
    }
    if (stream) {
        vs->rpc = jsonrpc_open(stream);
        vs->waiting = false;
        vs->due = now;
    } else {
        vs->due = now + vs->backoff;
        vs->backoff = MIN(2 * vs->backoff, RECONNECT_MAX_MS);
    }
}

/* Ends the connection: what comes next may be another process. */
static void
disconnect(struct vswitchd *vs, long long int now)
{
    jsonrpc_close(vs->rpc);
    vs->rpc = NULL;
    vs->windows = VSWITCHD_WINDOWS_UNKNOWN;
    vs->seqno++;
    vs->due = now + vs->backoff;
    vs->backoff = MIN(2 * vs->backoff, RECONNECT_MAX_MS);
}

/* Sends the question. */
static void
ask(struct vswitchd *vs, long long int now)
{
    struct json *params = json_array_create_1(json_string_create(DATAPATH));

    /* An error shows when the answer is received. */
    jsonrpc_send(vs->rpc, jsonrpc_create_request(QUESTION, params, NULL));
    vs->waiting = true;
    vs->asked = now;
    vs->due = now + ANSWER_TIMEOUT_MS;
}

/* Takes over an answer.  An error is one, too: there is no userspace datapath,
 * or an OVS before 2.12, which cannot tell. */
static void
take_answer(struct vswitchd *vs, const struct jsonrpc_msg *message)
{
    const char *words = (message->type == JSONRPC_REPLY
                         && message->result->type == JSON_STRING
                         ? json_string(message->result) : "");

    vs->windows = (!strncmp(words, ANSWER_CHECKED, strlen(ANSWER_CHECKED))
                   ? VSWITCHD_WINDOWS_CHECKED
                   : !strncmp(words, ANSWER_FREE, strlen(ANSWER_FREE))
                   ? VSWITCHD_WINDOWS_FREE
                   : VSWITCHD_WINDOWS_UNKNOWN);
    vs->waiting = false;
    vs->due = vs->asked + QUESTION_INTERVAL_MS;
    vs->backoff = RECONNECT_MIN_MS;
}

/* Reads what has come.  Returns 0, or another value if the connection has
 * ended. */
static int
receive(struct vswitchd *vs)
{
    int error = 0;

    for (int i = 0; !error && i < MAX_MESSAGES; i++) {
        struct jsonrpc_msg *message;

        error = jsonrpc_recv(vs->rpc, &message);
        if (!error && vs->waiting && (message->type == JSONRPC_REPLY
                                      || message->type == JSONRPC_ERROR)) {
            take_answer(vs, message);
        }
        jsonrpc_msg_destroy(message);
    }
    return error == EAGAIN ? 0 : error;
}

/* Does what is due at 'now' on the connection, if it is still there. */
static void
run_connection(struct vswitchd *vs, long long int now)
{
    int error;

    jsonrpc_run(vs->rpc);
    error = receive(vs);
    if (error) {
        VLOG_INFO("ovs-vswitchd has hung up (%s)",
                  ovs_retval_to_string(error));
        disconnect(vs, now);
    } else if (now >= vs->due && vs->waiting) {
        VLOG_INFO("ovs-vswitchd does not answer");
        vs->windows = VSWITCHD_WINDOWS_UNKNOWN;
        vs->due = LLONG_MAX;
    } else if (now >= vs->due) {
        ask(vs, now);
    }
}

/* Follows the process at 'now', time_msec(), if 'wanted'; otherwise lets go of
 * it.  Returns true if one of the answers below changed. */
bool
vswitchd_run(struct vswitchd *vs, bool wanted, long long int now)
{
    enum vswitchd_windows windows = vs->windows;
    unsigned int seqno = vs->seqno;

    vs->wanted = wanted;
    if (wanted && !vs->rpc && now >= vs->due) {
        connect_to_process(vs, now);
    }
    if (wanted && vs->rpc) {
        run_connection(vs, now);
    } else if (!wanted && vs->rpc) {
        disconnect(vs, now);
    }
    return vs->windows != windows || vs->seqno != seqno;
}

/* Makes poll_block() wake up when vswitchd_run() has work. */
void
vswitchd_wait(const struct vswitchd *vs)
{
    if (!vs->wanted) {
        return;
    }
    if (vs->rpc) {
        jsonrpc_wait(vs->rpc);
        jsonrpc_recv_wait(vs->rpc);
    }
    if (vs->due != LLONG_MAX) {
        poll_timer_wait_until(vs->due);
    }
}

/* Returns the last answer, if it still holds. */
enum vswitchd_windows
vswitchd_windows(const struct vswitchd *vs)
{
    return vs->windows;
}

/* Returns a number that changes when the process is found to be gone, or when
 * it may be another one since nobody looked. */
unsigned int
vswitchd_seqno(const struct vswitchd *vs)
{
    return vs->seqno;
}
