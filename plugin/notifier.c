/* SPDX-License-Identifier: Apache-2.0 */
/* See plugin/notifier.h. */

#include <config.h>

#include "plugin/notifier.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#ifdef HAVE_SYSTEMD
#include <systemd/sd-daemon.h>
#endif

#include "fatal-signal.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "util.h"

#include "plugin/limits.h"

VLOG_DEFINE_THIS_MODULE(notifier);

/* See plugin/notifier.h. */
struct notifier {
    pid_t pid;                  /* Process that was started. */
    bool ready;                 /* READY=1 was sent. */
    long long int ready_at;     /* When to send it at the latest. */
    char *words;                /* Last STATUS=, or NULL. */
    long long int look_at;      /* When health may be looked at again. */
    bool must_look;             /* Something has happened since. */
    long long int ping_ms;      /* Interval of WATCHDOG=1; 0: not asked
                                 * for. */
    long long int ping_at;      /* When to send the next one. */
};

/* Sends 'message' to the service manager. */
static void
send_message(const char *message)
{
#ifdef HAVE_SYSTEMD
    int error = -sd_notify(0, message);

    if (error > 0) {
        static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 1);

        VLOG_WARN_RL(&rl, "cannot tell the service manager \"%s\" (%s)",
                     message, ovs_strerror(error));
    }
#else
    VLOG_DBG("nobody is told \"%s\"", message);
#endif
}

/* Returns the interval at which the service manager wants a sign of life, in
 * ms, or 0 if it wants none. */
static long long int
watchdog_interval(void)
{
    uint64_t us = 0;

#ifdef HAVE_SYSTEMD
    if (sd_watchdog_enabled(0, &us) <= 0) {
        return 0;
    }
#endif
    return us / 1000;
}

/* Says that the daemon ends, on a signal. */
static void
stop_hook(void *aux OVS_UNUSED)
{
    send_message("STOPPING=1");
}

/* Returns a notifier if a service manager is there and wants to be told, or
 * NULL. */
struct notifier *
notifier_create(void)
{
#ifdef HAVE_SYSTEMD
    const char *path = getenv("NOTIFY_SOCKET");
#else
    const char *path = NULL;
#endif

    if (!path || !path[0]) {
        return NULL;
    }
    struct notifier *n = xzalloc(sizeof *n);
    n->pid = getpid();
    n->ping_ms = MAX(0, watchdog_interval() / 2);
    return n;
}

/* Starts the clock of 'n' at 'now'.  With --detach or --monitor this is
 * another process than the one that was started, which the service manager has
 * to know. */
void
notifier_start(struct notifier *n, long long int now)
{
    if (!n) {
        return;
    }
    n->ready_at = now + READY_TIMEOUT_MS;
    if (n->pid != getpid()) {
        char *message = xasprintf("MAINPID=%ld", (long int) getpid());

        send_message(message);
        free(message);
    }
    fatal_signal_add_hook(stop_hook, NULL, NULL, false);
}

/* Returns what 'progress' and 'health' come to, in one line: the first reason
 * and how many more there are.  The caller frees it. */
char *
notifier_words(enum engine_progress progress, const struct view_health *health)
{
    struct ds ds = DS_EMPTY_INITIALIZER;

    switch (progress) {
    case ENGINE_WAITING:
        ds_put_cstr(&ds, "waiting");
        break;
    case ENGINE_UNCONFIGURED:
        ds_put_cstr(&ds, "nothing to do, see ovn-xdp-interfaces and "
                         "ovn-remote in ovn-xdpd(8)");
        break;
    case ENGINE_PROGRAMMED:
    default:
        ds_put_cstr(&ds, health->code == VIEW_OK ? "ok" : "degraded");
        break;
    }
    if (health->n_reasons) {
        ds_put_format(&ds, ": %s", health->reasons[0].message);
    }
    if (health->n_reasons > 1) {
        ds_put_format(&ds, " (and %"PRIuSIZE" more, see ovn-xdpctl health)",
                      health->n_reasons - 1);
    }
    return ds_steal_cstr(&ds);
}

/* Tells how the daemon is doing by 'progress' and 'view', if the words are
 * others than before, and that it is ready, if 'ready' for the first time. */
static void
tell_status(struct notifier *n, bool ready, enum engine_progress progress,
            const struct view *view)
{
    struct view_health health;

    view_get_health(view, &health);
    char *words = notifier_words(progress, &health);
    view_health_uninit(&health);

    if ((ready && !n->ready) || !nullable_string_is_equal(words, n->words)) {
        char *message = xasprintf("%sSTATUS=%s",
                                  ready && !n->ready ? "READY=1\n" : "",
                                  words);
        send_message(message);
        free(message);
    }
    n->ready |= ready;
    free(n->words);
    n->words = words;
}

/* Tells the service manager at 'now' what it does not know yet.  Health is
 * looked at where something has happened, which is whenever this is called,
 * but not more often than STATUS_INTERVAL_MS allows. */
void
notifier_run(struct notifier *n, enum engine_progress progress,
             const struct view *view, long long int now)
{
    if (!n) {
        return;
    }
    if (n->ping_ms && now >= n->ping_at) {
        send_message("WATCHDOG=1");
        n->ping_at = now + n->ping_ms;
    }

    bool ready = (n->ready || progress != ENGINE_WAITING
                  || now >= n->ready_at);
    n->must_look = now < n->look_at && ready == n->ready;
    if (!n->must_look) {
        tell_status(n, ready, progress, view);
        n->look_at = now + STATUS_INTERVAL_MS;
    }
}

/* Makes poll_block() wake up when notifier_run() has work. */
void
notifier_wait(const struct notifier *n)
{
    if (!n) {
        return;
    }
    if (n->ping_ms) {
        poll_timer_wait_until(n->ping_at);
    }
    if (n->must_look) {
        poll_timer_wait_until(n->look_at);
    }
    if (!n->ready) {
        poll_timer_wait_until(n->ready_at);
    }
}

/* Tells the service manager that the daemon ends. */
void
notifier_stopping(struct notifier *n)
{
    if (n) {
        send_message("STOPPING=1");
    }
}

/* Frees 'n'. */
void
notifier_destroy(struct notifier *n)
{
    if (n) {
        free(n->words);
        free(n);
    }
}
