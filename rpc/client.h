/* SPDX-License-Identifier: Apache-2.0 */
/* One call of the daemon by ovn-xdpctl. */
#ifndef RPC_CLIENT_H
#define RPC_CLIENT_H 1

struct json_object;

/* What became of a call. */
enum client_status {
    CLIENT_RESULT,              /* There is a result. */
    CLIENT_ERROR,               /* The daemon answered with an error. */
    CLIENT_UNREACHABLE          /* There is no daemon, or no proper answer. */
};

/* Calls 'method' with 'params', which is taken over, on the socket file
 * 'path', waiting at most 'timeout' milliseconds, or for ever if that is 0.
 * Stores the result in '*result', or else a message for people in '*message';
 * the caller owns either. */
enum client_status client_call(const char *path, const char *method,
                               struct json_object *params,
                               long long int timeout,
                               struct json_object **result, char **message);

#endif /* rpc/client.h */
