/* SPDX-License-Identifier: Apache-2.0
 *
 * The world in which test-acl.c and test-acl-proof.c try layer L2: a program
 * that drops and one that only counts, with the same maps; endpoints that have
 * rules; and packets to them.  Every case is seen by both programs. */

#ifndef TESTS_BPF_SHOT_H
#define TESTS_BPF_SHOT_H 1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/abi.h"
#include "tests/bpf/bed.h"
#include "tests/bpf/packet.h"
#include "tests/bpf/rules.h"

/* Rows of the program that drops and of the one that counts. */
#define DROPS 3
#define COUNTS 4

/* Endpoints, the last part of the address (10.0.0.N, 2001:db8::N), which is
 * also 10 more than the slot of the IPv4 endpoint. */
#define STATEFUL "10"           /* Has the stateful set. */
#define STATELESS "11"          /* Has the same rules without connections. */
#define MISSING "12"            /* Its set is not there. */
#define CHANGED "13"            /* Its value claims another address. */
#define NO_RULES "14"           /* Has no rules. */
#define NOTED "15"              /* As STATEFUL, and its value says so. */
#define EXCEPT "16"             /* Has the set of exceptions. */

/* Sources: in no group; in the group that is allowed, by a prefix; the one
 * address in the group that is not, and is in the first, too. */
#define OUTSIDE4 "203.0.113.1"
#define OUTSIDE6 "2001:db8:3::1"
#define FRIEND4 "192.0.2.1"
#define FRIEND6 "2001:db8:2::1"
#define FOE4 "192.0.2.66"
#define FOE6 "2001:db8:2::66"

/* Protocols. */
#define ICMP 1
#define IGMP 2
#define TCP 6
#define UDP 17
#define GRE 47
#define ICMP6 58
#define SCTP 132

/* TCP flags. */
#define FIN 0x01
#define SYN 0x02
#define RST 0x04
#define PSH 0x08
#define ACK 0x10
#define URG 0x20
#define ECE 0x40
#define CWR 0x80

/* Nanoseconds in a second. */
#define SECOND INT64_C(1000000000)

/* A packet.  What is 0 is as usual: from outside, TCP, SYN, TTL 64. */
struct shot {
    const char *to;             /* Endpoint. */
    const char *from4;          /* Source. */
    const char *from6;          /* Likewise. */
    int protocol;               /* Protocol. */
    int port;                   /* Destination port; ICMP: type, code. */
    int flags;                  /* Of TCP. */
    int offset;                 /* TCP's data offset, in words. */
    int ttl;                    /* TTL or hop limit. */
    int fragment;               /* Flags and offset of IPv4. */
    size_t options;             /* Bytes of IPv4 options. */
    size_t cut;                 /* Bytes that the transport lacks. */
};

/* Numbers of the rules that endpoints have. */
enum { FOE_80, FRIEND_80, ANY_22, ALL_8000, ANY_PING, LAST, N_RULES };
extern const struct rules_rule shot_rules[N_RULES];

/* The sets of those rules with connections. */
extern struct rules_set shot_stateful;

/* The programs and their maps. */
struct shot_world {
    struct ovn_xdp_bpf *drops;  /* The program that drops. */
    struct ovn_xdp_bpf *counts; /* The one that counts. */
    struct rules rules;         /* What was written. */
};
extern struct shot_world shot_world;

/* Makes and unmakes the world. */
int shot_set_up(void **state);
int shot_tear_down(void **state);

/* Nanoseconds of the monotonic clock. */
int64_t shot_now(void);

/* Lets packets be dropped from now on for a long time. */
void shot_lease(void);

/* Makes 'p' the packet 'shot', of IPv6 or of IPv4. */
void shot_make(struct packet *p, const struct shot *, bool is_ip6);

/* Asserts that the program of 'row' drops 'p' or not, as 'reason' says, counts
 * it for that and for 'besides', and for the endpoint of 'slot'. */
void shot_verdict(uint32_t row, const struct packet *p, enum ox_reason reason,
                  enum ox_reason besides, int slot);

/* Asserts that 'p', made of the shot, is dropped, or counted as if; or that it
 * is redirected, and counted for 'besides', too. */
void shot_drops_packet(const struct packet *p, const struct shot *,
                       bool is_ip6);
void shot_spares_packet(const struct packet *p, const struct shot *,
                        bool is_ip6, enum ox_reason besides);

/* The same for a shot in one family, and nothing besides. */
void shot_drops_in(const struct shot *, bool is_ip6);
void shot_spares_in(const struct shot *, bool is_ip6,
                    enum ox_reason besides);
void shot_passes_in(const struct shot *, bool is_ip6);

/* The same in both families. */
void shot_drops(const struct shot *);
void shot_spares(const struct shot *, enum ox_reason besides);
void shot_passes(const struct shot *);

#endif /* tests/bpf/shot.h */
