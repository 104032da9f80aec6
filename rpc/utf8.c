/* SPDX-License-Identifier: Apache-2.0 */
/* See rpc/utf8.h.  json-c checks UTF-8 too, but takes a character that is
 * split over two reads for an error, and over-long forms for characters. */

#include <config.h>

#include "rpc/utf8.h"

#include <stdint.h>
#include <string.h>

#include "openvswitch/dynamic-string.h"

/* The first bytes from 'first' to 'last' begin a character of 'length' bytes,
 * of which the second lies between 'low' and 'high'. */
struct utf8_form {
    uint8_t first, last;        /* Range of the first byte. */
    uint8_t length;             /* Bytes of the character. */
    uint8_t low, high;          /* Range of the second byte. */
};

/* The table of well-formed sequences of the Unicode standard, without its
 * first row, ASCII. */
static const struct utf8_form utf8_forms[] = {
    { 0xc2, 0xdf, 2, 0x80, 0xbf },
    { 0xe0, 0xe0, 3, 0xa0, 0xbf },
    { 0xe1, 0xec, 3, 0x80, 0xbf },
    { 0xed, 0xed, 3, 0x80, 0x9f },
    { 0xee, 0xef, 3, 0x80, 0xbf },
    { 0xf0, 0xf0, 4, 0x90, 0xbf },
    { 0xf1, 0xf3, 4, 0x80, 0xbf },
    { 0xf4, 0xf4, 4, 0x80, 0x8f },
};

static size_t utf8_sequence(const uint8_t *, size_t n);

/* Returns true if the 'length' bytes at 's' are UTF-8. */
bool
utf8_is_valid(const char *s, size_t length)
{
    size_t pos = 0;

    while (pos < length) {
        size_t n = utf8_sequence((const uint8_t *) s + pos, length - pos);

        if (!n) {
            return false;
        }
        pos += n;
    }
    return true;
}

/* Appends 's' to 'ds', with U+FFFD for each byte that is no UTF-8. */
void
utf8_put_valid(struct ds *ds, const char *s)
{
    size_t length = strlen(s);

    while (length > 0) {
        size_t n = utf8_sequence((const uint8_t *) s, length);

        if (n) {
            ds_put_buffer(ds, s, n);
        } else {
            ds_put_cstr(ds, "\xef\xbf\xbd");
            n = 1;
        }
        s += n;
        length -= n;
    }
}

/* Returns the number of characters in 's', which is valid UTF-8. */
size_t
utf8_width(const char *s)
{
    size_t width = 0;

    for (; *s; s++) {
        width += ((uint8_t) *s & 0xc0) != 0x80;
    }
    return width;
}

/* Returns the length of the character at the start of the 'n' > 0 bytes at
 * 's', or 0 if there is no whole valid character. */
static size_t
utf8_sequence(const uint8_t *s, size_t n)
{
    const struct utf8_form *form;
    size_t i;

    if (s[0] < 0x80) {
        return 1;
    }
    for (form = utf8_forms; s[0] < form->first || s[0] > form->last; form++) {
        if (form == &utf8_forms[sizeof utf8_forms / sizeof *form - 1]) {
            return 0;
        }
    }
    if (form->length > n) {
        return 0;
    }
    for (i = 1; i < form->length; i++) {
        uint8_t low = i == 1 ? form->low : 0x80;
        uint8_t high = i == 1 ? form->high : 0xbf;

        if (s[i] < low || s[i] > high) {
            return 0;
        }
    }
    return form->length;
}
