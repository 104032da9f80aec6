/* SPDX-License-Identifier: Apache-2.0 */
/* What the service manager is told: that the daemon is ready, how it is doing,
 * that it is alive, that it ends.
 *
 * The messages are those of sd_notify(3).  Without NOTIFY_SOCKET in the
 * environment there is no notifier, nothing is sent and nothing waited for. */
#ifndef PLUGIN_NOTIFIER_H
#define PLUGIN_NOTIFIER_H 1

#include "plugin/engine.h"
#include "plugin/view.h"

struct notifier;

/* Call notifier_create() before daemonize_start(), which may go on in another
 * process, and notifier_start() after it.  All accept NULL, which is what
 * notifier_create() returns where nobody wants to be told.  'now' is
 * time_msec(). */
struct notifier *notifier_create(void);
void notifier_start(struct notifier *, long long int now);
void notifier_run(struct notifier *, enum engine_progress,
                  const struct view *, long long int now);
void notifier_wait(const struct notifier *);
void notifier_stopping(struct notifier *);
void notifier_destroy(struct notifier *);

/* The words for 'progress' and 'health', in one line; the caller frees
 * them. */
char *notifier_words(enum engine_progress, const struct view_health *);

#endif /* plugin/notifier.h */
