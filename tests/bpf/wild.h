/* SPDX-License-Identifier: Apache-2.0
 *
 * Frames at random for test-model.c.  Noise alone would all be passed as
 * foreign, so a frame is built as a good one, header by header, with values
 * that like to be at an edge; then a few things are broken. */

#ifndef TESTS_BPF_WILD_H
#define TESTS_BPF_WILD_H 1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/bpf/model.h"

/* Most bytes of metadata. */
#define WILD_MAX_META 252

/* What can be special about a frame.  'n' counts them. */
#define WILD_TRAITS \
    WILD_TRAIT(IP4, "IPv4") \
    WILD_TRAIT(IP4_OPTIONS, "IPv4 with options") \
    WILD_TRAIT(IP4_FRAGMENT, "IPv4 fragment") \
    WILD_TRAIT(IP4_WRONG_SUM, "IPv4 with a wrong checksum") \
    WILD_TRAIT(IP4_EDGE_SUM, "IPv4 with a checksum at an edge") \
    WILD_TRAIT(IP6, "IPv6") \
    WILD_TRAIT(IP6_EXTENSION, "IPv6 with an extension header") \
    WILD_TRAIT(IP6_FRAGMENT, "IPv6 fragment") \
    WILD_TRAIT(ICMP6, "ICMPv6") \
    WILD_TRAIT(OTHER_TYPE, "another Ethernet type") \
    WILD_TRAIT(USED_UP, "TTL or hop limit 0 or 1") \
    WILD_TRAIT(NEAR_MISS, "an address one bit beside an endpoint's") \
    WILD_TRAIT(PADDED, "longer than its packet") \
    WILD_TRAIT(MTU_EDGE, "about as long as the MTU") \
    WILD_TRAIT(BROKEN, "broken on purpose") \
    WILD_TRAIT(META, "metadata in front") \
    WILD_TRAIT(NO_HEADROOM, "nothing left of the headroom") \
    WILD_TRAIT(SPLIT, "split within its first bytes") \
    WILD_TRAIT(JUMBO, "longer than a buffer") \
    WILD_TRAIT(GENERIC, "for the program of generic mode") \
    WILD_TRAIT(STALE, "for a program without a daemon") \
    WILD_TRAIT(ACL_DROPS, "for a program that drops by rules") \
    WILD_TRAIT(ACL_COUNTS, "for a program that counts by rules") \
    WILD_TRAIT(GUARD, "for the program of a NIC in a bridge") \
    WILD_TRAIT(TAGGED, "for that program, with a tag")
enum wild_trait {
#define WILD_TRAIT(NAME, TEXT) WILD_##NAME,
    WILD_TRAITS
#undef WILD_TRAIT
    WILD_N_TRAITS
};

/* Sources that rules name, sets of rules, and most rules of a set. */
#define WILD_ATOMS 6
#define WILD_SETS 8
#define WILD_RULES 200

/* What this kernel can be given. */
struct wild_limits {
    size_t max_meta;            /* Most metadata, bytes: as much as fills the
                                 * headroom, unless it is below 64. */
    size_t max_linear;          /* Longest first buffer, bytes. */
    bool split;                 /* The first buffer may be shorter. */
};

/* A source of frames. */
struct wild {
    uint64_t state;             /* Of the random numbers. */
    const struct model *model;  /* Whose endpoints frames are for. */
    struct wild_limits limits;  /* What frames may be. */
};

/* A frame. */
struct wild_frame {
    size_t meta;                /* Bytes of metadata in front of the frame. */
    size_t len;                 /* Bytes of the frame. */
    size_t linear;              /* Bytes of it in the first buffer. */
    bool headroom;              /* There is room in front of it. */
    uint32_t traits;            /* Bit by enum wild_trait. */
    uint8_t data[WILD_MAX_META + MODEL_MAX + MODEL_GROWTH]; /* Both. */
};

/* A random number of 64 bits, and one from 0 to 'n' - 1. */
uint64_t wild_random(struct wild *);
uint32_t wild_below(struct wild *, uint32_t n);

/* 'n' random bytes. */
void wild_bytes(struct wild *, uint8_t *, size_t n);

/* Makes all sources that rules name. */
void wild_atoms(struct wild *, struct rules_atom *);

/* Makes set 'i', but for its counters. */
void wild_set(struct wild *, int i, struct rules_set *);

/* Makes a connection of the VM of an endpoint. */
void wild_opened(struct wild *, const struct model_endpoint *,
                 struct ox_opened_key *);

/* Lets the packet at 'ip' for an endpoint, with an IP header of 'header'
 * bytes, be one that rules like to meet. */
void wild_aim(struct wild *, const struct model_endpoint *, uint8_t *ip,
              size_t header);

/* Makes the next frame. */
void wild_next(struct wild *, struct wild_frame *);

/* Tells whether a frame can have a trait on this kernel. */
bool wild_can_have(const struct wild *, enum wild_trait);

/* What a trait is called. */
const char *wild_trait_name(enum wild_trait);

#endif /* tests/bpf/wild.h */
