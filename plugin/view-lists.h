/* SPDX-License-Identifier: Apache-2.0 */
/* What plugin/view.c and plugin/view-lists.c share. */
#ifndef PLUGIN_VIEW_LISTS_H
#define PLUGIN_VIEW_LISTS_H 1

#include <stdbool.h>

#include "plugin/reason.h"

struct desired_endpoint;
struct desired_interface;
struct view;

/* States of an endpoint, as operators see them. */
enum view_endpoint_state {
    VIEW_ENDPOINT_OFFLOADED,    /* Its frames are redirected. */
    VIEW_ENDPOINT_PENDING,      /* They will be, without anybody's help. */
    VIEW_ENDPOINT_INELIGIBLE    /* They will not be as things stand. */
};

bool view_any_nic(const struct view *);
bool view_only_guards(const struct view *);
enum view_endpoint_state view_endpoint_state(const struct view *,
                                             const struct desired_endpoint *,
                                             bool any_nic, enum reason *);
bool view_interface_is_attached(const struct view *,
                                const struct desired_interface *);
bool view_interface_is_detached(const struct view *,
                                const struct desired_interface *);

#endif /* plugin/view-lists.h */
