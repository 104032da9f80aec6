/* SPDX-License-Identifier: Apache-2.0
 *
 * Where frames end that a measured program redirects: a veth whose other end
 * drops all that comes, and counts it. */

#ifndef TESTS_BPF_DRAIN_H
#define TESTS_BPF_DRAIN_H 1

#include <stdint.h>

struct contest;

/* Makes it.  Returns the ifindex of the end to redirect to. */
uint32_t drain_open(void);

/* A round of a contest with real frames, all of which must arrive there:
 * contest_live_round(). */
double drain_live_round(const struct contest *);

void drain_close(void);

#endif /* tests/bpf/drain.h */
