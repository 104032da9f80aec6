/* SPDX-License-Identifier: Apache-2.0 */
/* Which bits of a compiled set match which kinds of packet: pure, a part of
 * plugin/acl-compile.c. */
#ifndef PLUGIN_ACL_SERVICES_H
#define PLUGIN_ACL_SERVICES_H 1

#include <stdbool.h>
#include <stddef.h>
#include "plugin/datapath.h"

struct acl_cube;

bool acl_service_is_exact(const struct acl_cube *);
void acl_services_compile(const struct acl_cube *const cubes[], size_t n,
                          struct dp_acl *);

#endif /* plugin/acl-services.h */
