/* SPDX-License-Identifier: Apache-2.0
 *
 * What bench-nic.c and others share with their programs, bench.bpf.c. */

#ifndef TESTS_BPF_BENCH_H
#define TESTS_BPF_BENCH_H 1

#include <linux/types.h>

/* Length of all frames. */
#define BENCH_FRAME_LEN 64

/* Frames of a kind that may take turns. */
#define BENCH_MAX_FRAMES 65536

/* Kinds of frames. */
#define BENCH_KINDS 5

/* A frame. */
struct bench_frame {
    __u8 data[BENCH_FRAME_LEN]; /* Its bytes. */
};

/* A MAC address, in words. */
struct bench_mac {
    __u32 head;                 /* Bytes 0 to 3. */
    __u16 tail;                 /* Bytes 4 and 5. */
    __u16 zero;                 /* Padding. */
};

#endif /* tests/bpf/bench.h */
