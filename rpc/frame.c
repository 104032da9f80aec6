/* SPDX-License-Identifier: Apache-2.0 */
/* See rpc/frame.h. */

#include <config.h>

#include "rpc/frame.h"

#include <string.h>

#include "rpc/limits.h"

static enum frame_status frame_put_byte(struct frame *, char);
static enum frame_status frame_put_outside(struct frame *, char);
static enum frame_status frame_put_string(struct frame *, char);
static bool frame_is_scalar(const struct frame *);

/* Makes 'frame' ready for the first value. */
void
frame_init(struct frame *frame)
{
    memset(frame, 0, sizeof *frame);
    ds_init(&frame->text);
}

/* Frees what 'frame' holds. */
void
frame_uninit(struct frame *frame)
{
    ds_destroy(&frame->text);
}

/* Makes 'frame' ready for the next value.  Keeps small buffers. */
void
frame_clear(struct frame *frame)
{
    if (frame->text.allocated > RPC_READ_SIZE) {
        ds_destroy(&frame->text);
        ds_init(&frame->text);
    }
    ds_clear(&frame->text);
    frame->depth = 0;
    frame->string = frame->escape = false;
}

/* Takes bytes from the 'n' at 'data' until the value is complete or cannot be
 * one, and stores in '*used' how many were taken.  After anything but
 * FRAME_MORE the caller clears the frame before the next call. */
enum frame_status
frame_put(struct frame *frame, const char *data, size_t n, size_t *used)
{
    size_t i;

    for (i = 0; i < n; i++) {
        bool number = frame_is_scalar(frame) && !frame->string;
        enum frame_status status;

        if (number && strchr(" \t\r\n{}[]:,\"", data[i])) {
            *used = i;
            return FRAME_DONE;
        }
        status = frame_put_byte(frame, data[i]);
        if (status != FRAME_MORE) {
            *used = i + 1;
            return status;
        }
    }
    *used = n;
    return FRAME_MORE;
}

/* Tells 'frame' that no more bytes will come.  Returns FRAME_MORE if it was
 * empty, FRAME_DONE if that completed a value, otherwise FRAME_BAD. */
enum frame_status
frame_end(struct frame *frame)
{
    return (!frame->text.length ? FRAME_MORE
            : frame_is_scalar(frame) && !frame->string ? FRAME_DONE
            : FRAME_BAD);
}

/* Takes one byte, 'c'. */
static enum frame_status
frame_put_byte(struct frame *frame, char c)
{
    if (!frame->text.length && c && strchr(" \t\r\n", c)) {
        return FRAME_MORE;
    }
    if (frame->text.length >= RPC_MAX_REQUEST) {
        return FRAME_TOO_LARGE;
    }
    ds_put_char(&frame->text, c);
    return (frame->string
            ? frame_put_string(frame, c)
            : frame_put_outside(frame, c));
}

/* Takes a byte 'c' that is not inside a string.  What JSON has no use for is
 * refused here, as json-c is more generous than the standard. */
static enum frame_status
frame_put_outside(struct frame *frame, char c)
{
    switch (c) {
    case '"':
        frame->string = true;
        return FRAME_MORE;
    case '[': case '{':
        return ++frame->depth > RPC_MAX_DEPTH ? FRAME_TOO_DEEP : FRAME_MORE;
    case ']': case '}':
        if (!frame->depth) {
            return FRAME_BAD;
        }
        return --frame->depth ? FRAME_MORE : FRAME_DONE;
    default:
        return (c && strchr("0123456789+-.eE:, \t\r\nfalsetrun", c)
                ? FRAME_MORE : FRAME_BAD);
    }
}

/* Takes a byte 'c' that is inside a string. */
static enum frame_status
frame_put_string(struct frame *frame, char c)
{
    if ((unsigned char) c < ' ') {
        return FRAME_BAD;
    }
    if (frame->escape) {
        frame->escape = false;
    } else if (c == '\\') {
        frame->escape = true;
    } else if (c == '"') {
        frame->string = false;
        return frame->depth ? FRAME_MORE : FRAME_DONE;
    }
    return FRAME_MORE;
}

/* Returns true if 'frame' holds part of a value that is neither array nor
 * object: such a value, unless a string, ends only where something follows. */
static bool
frame_is_scalar(const struct frame *frame)
{
    return frame->text.length > 0 && !frame->depth;
}
