/* SPDX-License-Identifier: Apache-2.0 */
/* See rpc/writer.h. */

#include <config.h>

#include "rpc/writer.h"

#include <json-c/json.h>
#include <string.h>

#include "openvswitch/dynamic-string.h"

#include "rpc/print.h"

/* Printers by method; methods without a command have none. */
static printer *const printers[N_RPC_METHODS] = {
#define COMMAND(ID, NAME, COMMAND_NAME, ACCESS, SUMMARY, PARAMS) \
    [RPC_METHOD_##ID] = print_##ID,
#include "rpc/method.def"
};

/* Stores the format called 'name' in '*format' and returns true, or returns
 * false if there is none. */
bool
writer_format_from_string(const char *name, enum writer_format *format)
{
    if (!strcmp(name, "table")) {
        *format = WRITER_TABLE;
    } else if (!strcmp(name, "json")) {
        *format = WRITER_JSON;
    } else {
        return false;
    }
    return true;
}

/* Appends the 'result' of the method 'id' to 'out', in 'format'. */
void
writer_put(enum writer_format format, enum rpc_method_id id,
           struct json_object *result, struct ds *out)
{
    if (format == WRITER_TABLE && printers[id]) {
        printers[id](result, out);
    } else {
        ds_put_format(out, "%s\n", json_object_to_json_string_ext(
                          result, (JSON_C_TO_STRING_PRETTY
                                   | JSON_C_TO_STRING_SPACED
                                   | JSON_C_TO_STRING_NOSLASHESCAPE)));
    }
}
