/* SPDX-License-Identifier: Apache-2.0 */
/* The one place where ovn-xdpctl turns a result into output. */
#ifndef RPC_WRITER_H
#define RPC_WRITER_H 1

#include <stdbool.h>

#include "rpc/methods.h"

struct ds;
struct json_object;

/* Forms of output. */
enum writer_format {
    WRITER_TABLE,               /* For people. */
    WRITER_JSON                 /* The result itself, as one document. */
};

bool writer_format_from_string(const char *, enum writer_format *);
void writer_put(enum writer_format, enum rpc_method_id,
                struct json_object *result, struct ds *out);

#endif /* rpc/writer.h */
