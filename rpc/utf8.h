/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8, both ways: what comes in is checked, what goes out is made valid. */
#ifndef RPC_UTF8_H
#define RPC_UTF8_H 1

#include <stdbool.h>
#include <stddef.h>

struct ds;

bool utf8_is_valid(const char *, size_t length);
void utf8_put_valid(struct ds *, const char *);
size_t utf8_width(const char *);

#endif /* rpc/utf8.h */
