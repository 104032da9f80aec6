/* SPDX-License-Identifier: Apache-2.0 */
/* Every limit of the RPC server and its client, with the reason for it. */
#ifndef RPC_LIMITS_H
#define RPC_LIMITS_H 1

/* Bytes of one request.  Requests are small; batches may be larger. */
#define RPC_MAX_REQUEST (256 * 1024)

/* Arrays and objects within one another in a request. */
#define RPC_MAX_DEPTH 32

/* Clients at a time.  One more is told so and disconnected. */
#define RPC_MAX_CONNECTIONS 64

/* Bytes of replies that a client may leave unread.  A client above that is
 * not served until it has read some, and is disconnected if it does not. */
#define RPC_MAX_UNREAD (16 * 1024 * 1024)

/* Milliseconds that a client has to get below RPC_MAX_UNREAD.  One reply may
 * be larger than the limit: a list of 65,536 endpoints is. */
#define RPC_STALL_MS 2000

/* Milliseconds for which a client that was refused, because of an oversized
 * request for example, may go on sending before its socket is closed. */
#define RPC_LINGER_MS 1000

/* Bytes read from a client at a time. */
#define RPC_READ_SIZE 16384

/* Requests served for one client, and milliseconds spent on all clients, in
 * one iteration of the main loop: forwarding decisions come first. */
#define RPC_MAX_STEPS 50
#define RPC_RUN_MS 20

/* Connections accepted in one iteration of the main loop. */
#define RPC_MAX_ACCEPTS 16

/* Milliseconds without accepting after the process ran out of descriptors. */
#define RPC_ACCEPT_PAUSE_MS 1000

/* Seconds that ovn-xdpctl waits for a reply unless told otherwise. */
#define RPC_CLIENT_TIMEOUT 10

/* Bytes of a reply that ovn-xdpctl accepts. */
#define RPC_MAX_REPLY (256 * 1024 * 1024)

/* Endpoints that have series of their own in the metrics.  A node has hundreds
 * at most, a gateway maybe thousands, which would be a burden on the database
 * of whoever collects from many nodes. */
#define RPC_MAX_METRICS_ENDPOINTS 1000

/* Flows in a list, at most and if nothing else is asked for.  A node may have
 * some hundred thousand: all of them would hold up the main loop for seconds
 * and be too much for the socket. */
#define RPC_MAX_FLOWS 10000
#define RPC_DEFAULT_FLOWS 1000

#endif /* rpc/limits.h */
