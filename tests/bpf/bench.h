/* SPDX-License-Identifier: Apache-2.0
 *
 * What bench-nic.c and its programs, bench.bpf.c, share. */

#ifndef TESTS_BPF_BENCH_H
#define TESTS_BPF_BENCH_H 1

#include <linux/types.h>

/* Length of all frames. */
#define BENCH_FRAME_LEN 64

/* Frames that may take turns. */
#define BENCH_MAX_FRAMES 65536

/* A frame, in the words in which programs read it: what is stored as one and
 * read as another stalls the processor, which a real NIC's frames do not. */
struct bench_frame {
    __u16 zero;                 /* Aligns the rest. */
    __u16 eth[7];               /* The Ethernet header. */
    __u32 l3[12];               /* Bytes 14 to 61. */
    __u16 tail;                 /* Bytes 62 and 63. */
    __u16 zero2;                /* Padding. */
};

/* A MAC address, in words. */
struct bench_mac {
    __u32 head;                 /* Bytes 0 to 3. */
    __u16 tail;                 /* Bytes 4 and 5. */
    __u16 zero;                 /* Padding. */
};

#endif /* tests/bpf/bench.h */
