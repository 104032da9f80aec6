/* SPDX-License-Identifier: Apache-2.0
 *
 * The world in which test-nic.c runs its cases (cases-*.c): one NIC, its
 * program, and endpoints of every kind.  Each case hands a frame to the
 * program and says what must become of it, byte for byte and counter for
 * counter. */

#ifndef TESTS_BPF_CASES_H
#define TESTS_BPF_CASES_H 1

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "bpf/abi.h"
#include "tests/bpf/bed.h"
#include "tests/bpf/packet.h"

/* Row of the NIC under test.  Not 0, so that a program which ignores its row
 * is found out. */
#define CASES_NIC 5

/* The tag that tagged endpoints get. */
#define CASES_VLAN 100

/* MTU of most endpoints, and of those that take long frames. */
#define CASES_MTU 1500
#define CASES_LONG_MTU 9000

/* Endpoints: the last part of the address (10.0.0.N, 2001:db8::N in decimal
 * digits), which is also 10 more than the slot of the IPv4 endpoint's
 * counters.  IPv6 endpoints have the counters CASES_SLOTS6 above. */
#define CASES_PLAIN "10"        /* Untagged. */
#define CASES_TAGGED "11"       /* Gets a tag. */
#define CASES_GONE "12"         /* Its target is missing. */
#define CASES_CHANGED "13"      /* Its value claims another address. */
#define CASES_LONG "14"         /* MTU 9000, one buffer. */
#define CASES_SG "15"           /* MTU 9000, several buffers. */
#define CASES_SG_TAGGED "16"    /* The same, and gets a tag. */
#define CASES_NOBODY "99"       /* Not an endpoint. */
#define CASES_SLOTS6 8
#define CASES_NET4 "10.0.0."
#define CASES_NET6 "2001:db8::"

/* Sources that nothing speaks against. */
#define CASES_SOURCE4 "192.0.2.1"
#define CASES_SOURCE6 "2001:db8:1::1"

/* A packet of PAYLOAD bytes to the endpoint NUMBER. */
#define TO4(NUMBER, PAYLOAD) \
    { .src = CASES_SOURCE4, .dst = CASES_NET4 NUMBER, .ttl = 64, \
      .proto = 17, .id = 0x1234, .payload = PAYLOAD }
#define TO6(NUMBER, PAYLOAD) \
    { .src = CASES_SOURCE6, .dst = CASES_NET6 NUMBER, .hop_limit = 64, \
      .next = 17, .payload = PAYLOAD }

/* Slot of the counters of the endpoint NUMBER. */
#define SLOT4(NUMBER) ((NUMBER)[1] - '0')
#define SLOT6(NUMBER) (SLOT4(NUMBER) + CASES_SLOTS6)

/* The payload that makes a layer-3 length of LEN. */
#define FILL4(LEN) ((LEN) - PACKET_IP4_LEN)
#define FILL6(LEN) ((LEN) - PACKET_IP6_LEN)

/* MAC addresses: the NIC, the router that sends to it, and what endpoints
 * get. */
extern const uint8_t cases_nic_mac[6];
extern const uint8_t cases_router_mac[6];
extern const uint8_t cases_dmac[6];
extern const uint8_t cases_smac[6];

/* Cases of each topic. */
extern const struct CMUnitTest cases_frame[];
extern const struct CMUnitTest cases_ip4[];
extern const struct CMUnitTest cases_ip6[];
extern const size_t n_cases_frame;
extern const size_t n_cases_ip4;
extern const size_t n_cases_ip6;

/* The frame must pass untouched, for 'reason'. */
void cases_pass(const struct packet *, enum ox_reason reason);

/* The frame must be redirected, as 'out', and counted for 'slot'. */
void cases_redirect(const struct packet *, int slot,
                    const struct packet *out);

/* Makes 'address' an endpoint like CASES_PLAIN whose value claims to belong to
 * 'claimed'. */
void cases_add_claim(const char *address, const char *claimed);

/* Runs the program on the frame, of which the first 'meta' bytes are metadata.
 * Asserts nothing.  Returns 0 or a positive errno; the frame is replaced by
 * what became of it and 'verdict' is the program's. */
int cases_run(struct packet *, size_t meta, uint32_t *verdict);

/* The frame with metadata must pass untouched, for 'reason'.  Returns false if
 * the kernel does not take that much metadata. */
bool cases_pass_with_meta(const struct packet *, size_t meta,
                          enum ox_reason reason);

/* No case can reach 'reason' with this kernel. */
void cases_out_of_reach(enum ox_reason reason);

/* A frame of the router to the NIC, or what becomes of it, with 'vlan' pushed:
 * Ethernet, the IP header, its payload.  The second kind has an aged TTL. */
void cases_arrival4(struct packet *, const struct packet_ip4 *);
void cases_arrival6(struct packet *, const struct packet_ip6 *);
void cases_departure4(struct packet *, const struct packet_ip4 *,
                      uint16_t vlan);
void cases_departure6(struct packet *, const struct packet_ip6 *,
                      uint16_t vlan);

#endif /* tests/bpf/cases.h */
