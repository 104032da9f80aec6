/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of desired*.c share among themselves. */
#ifndef PLUGIN_DESIRED_PRIVATE_H
#define PLUGIN_DESIRED_PRIVATE_H 1

#include "plugin/desired.h"

/* Fills 'bridges', 'interfaces' and 'problems'. */
void desired_add_devices(struct desired *, const struct desired_inputs *);

/* Fills 'endpoints' and 'problems'; the bridges must be there. */
void desired_add_endpoints(struct desired *, const struct desired_inputs *);

#endif /* plugin/desired-private.h */
