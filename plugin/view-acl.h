/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the view share about layer L2. */
#ifndef PLUGIN_VIEW_ACL_H
#define PLUGIN_VIEW_ACL_H 1

#include <stdbool.h>
#include <stdint.h>

#include "plugin/reason.h"

struct acl_port;
struct checks;
struct desired_endpoint;
struct dp_counter;
struct view;

enum reason view_acl_port_reason(const struct view *, const struct acl_port *);
const char *view_acl_state(const struct view *,
                           const struct desired_endpoint *, enum reason *);
bool view_acl_is_leased(const struct view *);
void view_acl_usage(const struct view *, uint64_t *n_sets,
                    uint64_t *n_sources);
bool view_endpoint_drops(const struct view *, const struct desired_endpoint *,
                         struct dp_counter *);
void view_check_acl(const struct view *, const struct desired_endpoint *,
                    struct checks *);

#endif /* plugin/view-acl.h */
