/* SPDX-License-Identifier: Apache-2.0 */
/* What the Northbound is to be asked for. */
#ifndef PLUGIN_NORTHBOUND_H
#define PLUGIN_NORTHBOUND_H 1

struct nb_db;
struct sb_view;
struct settings;

void northbound_set_target(struct nb_db *, const struct settings *,
                           const struct sb_view *);

#endif /* plugin/northbound.h */
