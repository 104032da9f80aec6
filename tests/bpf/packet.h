/* SPDX-License-Identifier: Apache-2.0
 *
 * Builds frames for the tests of bpf/, front to back, one header after the
 * other.  What a program should make of a frame is built in the same way, with
 * other values and every checksum computed anew: it owes nothing to
 * bpf/rewrite.h. */

#ifndef TESTS_BPF_PACKET_H
#define TESTS_BPF_PACKET_H 1

#include <stddef.h>
#include <stdint.h>

/* Longest frame that fits. */
#define PACKET_MAX 10240

/* Lengths of headers, in bytes. */
#define PACKET_ETH_LEN 14
#define PACKET_TAG_LEN 4
#define PACKET_IP4_LEN 20
#define PACKET_IP6_LEN 40

/* A frame. */
struct packet {
    size_t len;                 /* Bytes of 'data' in use. */
    size_t l3;                  /* Where the last IP header begins. */
    uint8_t data[PACKET_MAX];   /* The frame. */
};

/* What may vary in an IPv4 header.  The header length, the total length and
 * the checksum follow from the rest. */
struct packet_ip4 {
    const char *src;            /* Source address, as text. */
    const char *dst;            /* Destination address, as text. */
    uint8_t ttl;                /* Time to live. */
    uint8_t proto;              /* Protocol of the payload. */
    uint16_t id;                /* Identification, host order. */
    uint16_t fragment;          /* Flags and fragment offset, host order. */
    size_t options;             /* Bytes of options, a multiple of 4. */
    size_t payload;             /* Bytes that follow the header. */
};

/* What may vary in an IPv6 header. */
struct packet_ip6 {
    const char *src;            /* Source address, as text. */
    const char *dst;            /* Destination address, as text. */
    uint8_t hop_limit;          /* Hop limit. */
    uint8_t next;               /* Next header. */
    size_t payload;             /* Bytes that follow the header. */
};

/* The start of a frame: MAC addresses of 6 bytes, an Ethernet type in host
 * order, and the VLAN tag that stands before it (0: none). */
void packet_eth(struct packet *, const uint8_t *dst, const uint8_t *src,
                uint16_t vlan, uint16_t type);

/* Headers that follow.  The payload that they announce is not added. */
void packet_ip4(struct packet *, const struct packet_ip4 *);
void packet_ip6(struct packet *, const struct packet_ip6 *);

/* 'n' bytes of payload that differ from one another. */
void packet_fill(struct packet *, size_t n);

/* One byte. */
void packet_byte(struct packet *, uint8_t);

/* Zeros up to a length of 'len'. */
void packet_pad(struct packet *, size_t len);

/* The Internet checksum of 'n' bytes, in host order. */
uint16_t packet_checksum(const uint8_t *, size_t n);

#endif /* tests/bpf/packet.h */
