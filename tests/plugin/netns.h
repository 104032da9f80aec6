/* SPDX-License-Identifier: Apache-2.0 */
/* A network namespace of its own for a test program, and commands in it. */
#ifndef TESTS_PLUGIN_NETNS_H
#define TESTS_PLUGIN_NETNS_H 1

#include <stdbool.h>
#include <sys/types.h>
#include "openvswitch/compiler.h"

/* How long a test waits for an event before it fails, in ms. */
#define NETNS_DEADLINE_MS 10000

void netns_enter(void);
pid_t netns_fork(void);
void netns_reap(pid_t);
void netns_clean(void);

void netns_run(const char *format, ...) OVS_PRINTF_FORMAT(1, 2);
bool netns_try(const char *format, ...) OVS_PRINTF_FORMAT(1, 2);
char *netns_read(const char *format, ...) OVS_PRINTF_FORMAT(1, 2);

#endif /* tests/plugin/netns.h */
