/* SPDX-License-Identifier: Apache-2.0 */
/* Answers of the daemon about one address or port, for plugin/view-explain.c
 * alone. */
#ifndef PLUGIN_VIEW_CHECKS_H
#define PLUGIN_VIEW_CHECKS_H 1

#include <netinet/in.h>
#include <stddef.h>
#include "plugin/view.h"

struct checks;
struct desired_endpoint;
struct sb_binding;
struct view_surroundings;

const struct sb_binding *view_find_binding(const struct view *,
                                           const char *logical_port);

/* What is found out once for all addresses of a request. */
struct view_inquiry {
    const struct view *view;    /* The daemon. */
    struct view_interfaces interfaces; /* All NICs. */
    const char *port;           /* Last port looked for, borrowed, or NULL. */
    const struct sb_binding *binding; /* Its row, or NULL. */
    struct view_surroundings *around; /* The host. */
    size_t n_host_checks;       /* Addresses that the host was asked about. */
};

void view_inquiry_init(struct view_inquiry *, const struct view *);
void view_inquiry_uninit(struct view_inquiry *);

void view_check_endpoint(struct view_inquiry *,
                         const struct desired_endpoint *, struct checks *);
void view_check_port(const struct view *, const char *port, struct checks *);
void view_check_stranger(const struct view *, const struct in6_addr *,
                         const char *text, struct checks *);

#endif /* plugin/view-checks.h */
