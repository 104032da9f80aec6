/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the view share about layer L3. */
#ifndef PLUGIN_VIEW_DIRECT_H
#define PLUGIN_VIEW_DIRECT_H 1

#include <stddef.h>

#include "plugin/reason.h"

struct checks;
struct desired_endpoint;
struct view;
struct view_status;
struct view_unsolicited;

const char *view_direct_state(const struct view *,
                              const struct desired_endpoint *, enum reason *);
void view_direct_status(const struct view *, struct view_status *);
void view_unsolicited(const struct view *, const struct desired_endpoint *,
                      struct view_unsolicited *);
size_t view_direct_n_ports(const struct view *);
void view_check_direct(const struct view *, const struct desired_endpoint *,
                       struct checks *);

#endif /* plugin/view-direct.h */
