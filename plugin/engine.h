/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon without its options: sources, derivation, datapath, in one loop.
 *
 *     ovs_db, sb_db, nb_db, netdevs --> desired --> ports, reconcile --> dp
 *                                          '-----------> view
 */
#ifndef PLUGIN_ENGINE_H
#define PLUGIN_ENGINE_H 1

#include <stdbool.h>
#include "plugin/tls.h"

struct ds;
struct engine;
struct simap;
struct svec;
struct view;

/* How far the engine has come. */
enum engine_progress {
    ENGINE_WAITING,             /* For a database. */
    ENGINE_UNCONFIGURED,        /* There is nothing to do: no NIC or no
                                 * Southbound database is named. */
    ENGINE_PROGRAMMED           /* The datapath holds what is desired, as far
                                 * as that is possible. */
};

/* What the command line says. */
struct engine_options {
    const char *ovs_remote;     /* Local database. */
    const char *chassis;        /* Chassis name by option or override file, or
                                 * NULL to take it from the database. */
    const char *pin_dir;        /* Directory below a bpffs. */
    bool dry_run;               /* Compute and report, touch nothing. */
    struct tls_files tls;       /* Files of ssl: connections. */
};

int engine_create(const struct engine_options *, struct engine **);
void engine_cleanup(struct engine *, struct svec *remains);
void engine_destroy(struct engine *);
int engine_run(struct engine *);
const char *engine_failure(const struct engine *);
void engine_wait(struct engine *);

void engine_recompute(struct engine *);
void engine_settle(struct engine *);
void engine_suppress_direct_events(struct engine *, bool suppress);
void engine_reset_min_index(struct engine *);
void engine_reset_nb_min_index(struct engine *);
void engine_connection_status(const struct engine *, struct ds *);
bool engine_is_open(const struct engine *);
enum engine_progress engine_progress(const struct engine *);
void engine_get_memory_usage(const struct engine *, struct simap *);
const struct view *engine_view(const struct engine *);

#endif /* plugin/engine.h */
