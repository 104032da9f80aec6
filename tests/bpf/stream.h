/* SPDX-License-Identifier: Apache-2.0
 *
 * What stream.c shares with its programs, stream.bpf.c. */

#ifndef TESTS_BPF_STREAM_H
#define TESTS_BPF_STREAM_H 1

#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/udp.h>

/* UDP ports: the destination, and the first source. */
#define STREAM_PORT 7200
#define STREAM_FIRST_PORT 20000

/* Keys of 'devices': where the stream begins, and where a bare redirect sends
 * it. */
#define STREAM_WIRE 0
#define STREAM_TARGET 1

/* A frame: the shortest. */
struct stream_frame {
    struct ethhdr eth;          /* Ethernet. */
    struct iphdr ip;            /* IPv4. */
    struct udphdr udp;          /* UDP. */
    __u8 payload[ETH_ZLEN - sizeof(struct ethhdr) - sizeof(struct iphdr)
                 - sizeof(struct udphdr)]; /* Zeros. */
} __attribute__((__packed__));

#endif /* tests/bpf/stream.h */
