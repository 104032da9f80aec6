/* SPDX-License-Identifier: Apache-2.0 */
/* metrics as text: they are text already. */

#include <config.h>

#include "rpc/print.h"

#include <json-c/json.h>

#include "openvswitch/dynamic-string.h"

/* Appends 'result' of metrics.get to 'out'. */
void
print_metrics(struct json_object *result, struct ds *out)
{
    if (json_object_is_type(result, json_type_string)) {
        ds_put_cstr(out, json_object_get_string(result));
    }
}
