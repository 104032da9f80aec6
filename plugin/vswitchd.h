/* SPDX-License-Identifier: Apache-2.0 */
/* What ovs-vswitchd says of its conntrack, and when it is another process.
 *
 * Keeps a connection to its control socket, which ends when the process
 * does. */
#ifndef PLUGIN_VSWITCHD_H
#define PLUGIN_VSWITCHD_H 1

#include <stdbool.h>

struct vswitchd;

/* Whether the conntrack of the userspace datapath checks TCP windows
 * (dpctl/ct-get-tcp-seq-chk). */
enum vswitchd_windows {
    VSWITCHD_WINDOWS_UNKNOWN,   /* Nobody can tell at the moment. */
    VSWITCHD_WINDOWS_CHECKED,   /* It does: it must see each segment. */
    VSWITCHD_WINDOWS_FREE       /* It does not. */
};

struct vswitchd *vswitchd_create(const char *rundir);
void vswitchd_destroy(struct vswitchd *);

/* Follows the process at 'now', time_msec(), if 'wanted'; otherwise lets go of
 * it.  Never waits for it.  Returns true if one of the answers below
 * changed. */
bool vswitchd_run(struct vswitchd *, bool wanted, long long int now);
void vswitchd_wait(const struct vswitchd *);

enum vswitchd_windows vswitchd_windows(const struct vswitchd *);

/* A number that changes when the process is found to be gone, or when it may
 * be another one since nobody looked. */
unsigned int vswitchd_seqno(const struct vswitchd *);

#endif /* plugin/vswitchd.h */
