/* SPDX-License-Identifier: Apache-2.0 */
/* Cuts a stream of bytes into JSON values.
 *
 * Only what is needed to find the end of a value is looked at; the value
 * itself is parsed by rpc/jsonrpc.c.  The limits are checked byte by byte, so
 * that nothing beyond them is ever stored. */
#ifndef RPC_FRAME_H
#define RPC_FRAME_H 1

#include <stdbool.h>
#include <stddef.h>

#include "openvswitch/dynamic-string.h"

/* What became of the bytes given to a frame. */
enum frame_status {
    FRAME_MORE,                 /* The value is not complete. */
    FRAME_DONE,                 /* 'text' is a complete value. */
    FRAME_BAD,                  /* No JSON value can begin like that. */
    FRAME_TOO_LARGE,            /* Longer than RPC_MAX_REQUEST. */
    FRAME_TOO_DEEP              /* Nested deeper than RPC_MAX_DEPTH. */
};

/* A value being received. */
struct frame {
    struct ds text;             /* The value so far, without what precedes. */
    int depth;                  /* Open arrays and objects. */
    bool string;                /* Inside a string. */
    bool escape;                /* After a backslash inside a string. */
};

void frame_init(struct frame *);
void frame_uninit(struct frame *);
void frame_clear(struct frame *);
enum frame_status frame_put(struct frame *, const char *data, size_t n,
                            size_t *used);
enum frame_status frame_end(struct frame *);

#endif /* rpc/frame.h */
