/* SPDX-License-Identifier: Apache-2.0 */
/* Asks the host about the addresses that the daemon serves, and hands what it
 * says to plugin/judge.h.  Used by plugin/view*.c only. */
#ifndef PLUGIN_VIEW_HOST_H
#define PLUGIN_VIEW_HOST_H 1

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

struct checks;
struct desired_endpoint;
struct problems;
struct sset;
struct view;
struct view_surroundings;

struct view_surroundings *view_surroundings_create(const struct view *);
void view_surroundings_destroy(struct view_surroundings *);

void view_host_bridges(const struct view *, struct sset *bridges);
void view_host_check(struct view_surroundings *,
                     const struct desired_endpoint *, struct checks *);
void view_host_check_stranger(const struct view *, const struct in6_addr *,
                              struct checks *);
size_t view_host_problems(const struct view *, bool advice,
                          struct problems *);

#endif /* plugin/view-host.h */
