/* SPDX-License-Identifier: Apache-2.0 */
/* How long conntrack remembers connections, as far as the host says. */
#ifndef PLUGIN_CONNTRACK_H
#define PLUGIN_CONNTRACK_H 1

#include <stdbool.h>

/* Where the kernel tells its times. */
#define CONNTRACK_SYSCTL_DIR "/proc/sys/net/netfilter"

/* Returns true if what 'dir' tells (CONNTRACK_SYSCTL_DIR, but in tests) is no
 * longer than what bpf/sent.h allows for, and the kernel attaches no helpers.
 * Otherwise stores the name of what is otherwise in '*name', a constant. */
bool conntrack_times_fit(const char *dir, const char **name);

#endif /* plugin/conntrack.h */
