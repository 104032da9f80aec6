/* SPDX-License-Identifier: Apache-2.0 */
/* See rpc/client.h. */

#include <config.h>

#include "rpc/client.h"

#include <errno.h>
#include <json-c/json.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "openvswitch/dynamic-string.h"
#include "socket-util.h"
#include "timeval.h"
#include "util.h"

#include "rpc/limits.h"
#include "rpc/result.h"

/* Bytes read at a time. */
#define CLIENT_READ_SIZE 65536

static char *make_request(const char *method, struct json_object *params);
static int exchange(int fd, const char *request, long long int deadline,
                    struct ds *reply);
static int send_request(int fd, const char *request, long long int deadline);
static int receive_reply(int fd, long long int deadline, struct ds *reply);
static int wait_for(int fd, short int events, long long int deadline);
static enum client_status parse_reply(const char *path, const struct ds *reply,
                                      struct json_object **result,
                                      char **message);
static char *explain_connect(const char *path, int error);
static char *explain_exchange(const char *path, int error);

/* Calls 'method' on the socket file 'path'.  See rpc/client.h. */
enum client_status
client_call(const char *path, const char *method, struct json_object *params,
            long long int timeout, struct json_object **result,
            char **message)
{
    long long int deadline = timeout ? time_msec() + timeout : LLONG_MAX;
    char *request = make_request(method, params);
    enum client_status status = CLIENT_UNREACHABLE;
    int fd = make_unix_socket(SOCK_STREAM, true, NULL, path);

    if (fd < 0) {
        *message = explain_connect(path, -fd);
    } else {
        struct ds reply = DS_EMPTY_INITIALIZER;
        int error = exchange(fd, request, deadline, &reply);

        if (error) {
            *message = explain_exchange(path, error);
        } else {
            status = parse_reply(path, &reply, result, message);
        }
        ds_destroy(&reply);
        close(fd);
    }
    free(request);
    return status;
}

/* Returns the text of a request for 'method' with 'params', which is taken
 * over; the caller frees it. */
static char *
make_request(const char *method, struct json_object *params)
{
    struct json_object *json = json_object_new_object();
    char *text;

    result_add(json, "jsonrpc", result_string("2.0"));
    result_add(json, "method", result_string(method));
    result_add(json, "params", params);
    result_add(json, "id", json_object_new_int(1));
    text = xasprintf("%s\n", json_object_to_json_string_ext(json, 0));
    json_object_put(json);
    return text;
}

/* Sends 'request' on 'fd' and reads 'reply' until 'deadline', a time_msec().
 * Returns 0 or a positive errno. */
static int
exchange(int fd, const char *request, long long int deadline,
         struct ds *reply)
{
    int error = send_request(fd, request, deadline);

    /* A server that closes early has said why: read that. */
    return error && error != EPIPE ? error : receive_reply(fd, deadline,
                                                           reply);
}

/* Sends 'request' on 'fd'.  Returns 0 or a positive errno. */
static int
send_request(int fd, const char *request, long long int deadline)
{
    size_t length = strlen(request);

    while (length > 0) {
        ssize_t n = send(fd, request, length, MSG_NOSIGNAL);

        if (n >= 0) {
            request += n;
            length -= n;
        } else if (errno == EAGAIN) {
            int error = wait_for(fd, POLLOUT, deadline);

            if (error) {
                return error;
            }
        } else if (errno != EINTR) {
            return errno;
        }
    }
    return 0;
}

/* Reads a line into 'reply' from 'fd'.  Returns 0 or a positive errno: EPIPE
 * if the connection ended before the line did. */
static int
receive_reply(int fd, long long int deadline, struct ds *reply)
{
    for (;;) {
        char *buffer;
        ssize_t n;

        if (reply->length > RPC_MAX_REPLY) {
            return EMSGSIZE;
        }
        ds_reserve(reply, reply->length + CLIENT_READ_SIZE);
        buffer = reply->string + reply->length;
        n = recv(fd, buffer, CLIENT_READ_SIZE, 0);
        if (n > 0) {
            reply->length += n;
            if (buffer[n - 1] == '\n') {
                ds_truncate(reply, reply->length - 1);
                return 0;
            }
        } else if (!n || errno == ECONNRESET) {
            return EPIPE;
        } else if (errno == EAGAIN) {
            int error = wait_for(fd, POLLIN, deadline);

            if (error) {
                return error;
            }
        } else if (errno != EINTR) {
            return errno;
        }
    }
}

/* Waits for 'events' on 'fd'.  Returns 0, or ETIMEDOUT at 'deadline'. */
static int
wait_for(int fd, short int events, long long int deadline)
{
    struct pollfd pollfd = { .fd = fd, .events = events };
    long long int left = deadline - time_msec();

    if (left <= 0) {
        return ETIMEDOUT;
    }
    if (poll(&pollfd, 1, deadline == LLONG_MAX ? -1 : MIN(left, INT_MAX)) < 0
        && errno != EINTR) {
        return errno;
    }
    return 0;
}

/* Takes 'reply' from 'path' apart, as client_call() does. */
static enum client_status
parse_reply(const char *path, const struct ds *reply,
            struct json_object **result, char **message)
{
    struct json_object *json = json_tokener_parse(ds_cstr_ro(reply));
    enum client_status status = CLIENT_UNREACHABLE;
    struct json_object *error, *text;

    if (!json_object_is_type(json, json_type_object)) {
        *message = xasprintf("%s: the answer is not JSON-RPC", path);
    } else if (json_object_object_get_ex(json, "result", result)) {
        json_object_get(*result);
        status = CLIENT_RESULT;
    } else if (json_object_object_get_ex(json, "error", &error)
               && json_object_is_type(error, json_type_object)
               && json_object_object_get_ex(error, "message", &text)) {
        *message = xasprintf("%s: %s", path, json_object_get_string(text));
        status = CLIENT_ERROR;
    } else {
        *message = xasprintf("%s: the answer has neither result nor error",
                             path);
    }
    json_object_put(json);
    return status;
}

/* Returns why connecting to 'path' failed with 'error', and what to do about
 * it; the caller frees it. */
static char *
explain_connect(const char *path, int error)
{
    const char *remedy =
        (error == ENOENT || error == ECONNREFUSED
         ? "is ovn-xdpd running? (-s names another socket)"
         : error == EACCES || error == EPERM
         ? "be root or a member of the group ovn-xdp"
         : error == EPROTO
         ? "ovn-xdpd does not accept connections; see its log"
         : "see ovn-xdpctl(8)");

    return xasprintf("%s: cannot connect (%s): %s",
                     path, ovs_strerror(error), remedy);
}

/* Returns why a call on 'path' failed with 'error' after it was connected, and
 * what to do about it; the caller frees it. */
static char *
explain_exchange(const char *path, int error)
{
    return (error == ETIMEDOUT
            ? xasprintf("%s: no answer in time: is ovn-xdpd stuck? "
                        "(-t sets the time to wait)", path)
            : error == EPIPE
            ? xasprintf("%s: ovn-xdpd closed the connection without an "
                        "answer; see its log", path)
            : xasprintf("%s: %s", path, ovs_strerror(error)));
}
