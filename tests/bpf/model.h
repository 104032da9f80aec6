/* SPDX-License-Identifier: Apache-2.0
 *
 * What the NIC program should do, said once more: layers L1 and L2 as plain C
 * that reads a frame byte by byte.  test-model.c compares the program with it.
 * It shares nothing with the program but the names of the reasons, so that an
 * error would have to be made twice.
 *
 * More than one thing may speak against a frame.  The reason that counts is
 * the outermost: the Ethernet header first, then whether there is an IP header
 * at all and whose address it has, then the rest of that header, then what the
 * target can take, whether there is a daemon, what the rules say, and at last
 * what can only fail while the frame is being changed.  On a NIC in a bridge
 * the tag comes first, and whether the frame is the endpoint's follows whose
 * address it has. */

#ifndef TESTS_BPF_MODEL_H
#define TESTS_BPF_MODEL_H 1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/abi.h"
#include "tests/bpf/rules.h"

/* Longest frame that the model takes, in bytes. */
#define MODEL_MAX 10240

/* Bytes that a frame may grow by. */
#define MODEL_GROWTH 4

/* The frame was counted for no endpoint. */
#define MODEL_NO_SLOT (-1)

/* No rule has decided about the frame. */
#define MODEL_NO_HIT (-1)

/* An endpoint.  Addresses are in network order, and an IPv4 address is in the
 * first four bytes. */
struct model_endpoint {
    bool is_ip6;                /* The family of 'addr'. */
    uint8_t addr[16];           /* Where it is looked up. */
    uint8_t claimed[16];        /* The address that its value has. */
    uint16_t arrival_vlan;      /* VLAN of the frames that it is for, or 0. */
    uint8_t dmac[6];            /* Destination MAC that its frames get. */
    uint8_t smac[6];            /* Source MAC that its frames get. */
    uint16_t vlan;              /* VLAN that its frames get, or 0. */
    uint32_t mtu;               /* Longest IP packet of its target, bytes. */
    bool target_takes_several;  /* The target takes several buffers. */
    bool target_there;          /* The target exists. */
    int slot;                   /* Its counters. */
    uint32_t bridge;            /* The bridge of its network. */
    const struct rules_set *set; /* Its rules, or NULL. */
};

/* What the program knows. */
struct model {
    uint8_t nic_mac[6];                     /* The NIC's own MAC. */
    bool generic;                           /* Runs in generic mode. */
    bool stale;                             /* Knows the daemon dead. */
    uint32_t bridge;                        /* On a NIC in that bridge, never
                                             * redirects; 0: on a routed
                                             * one. */
    bool acl;                               /* Has layer L2. */
    bool acl_drops;                         /* Drops, instead of counting. */
    bool leased;                            /* The rules are confirmed. */
    const struct rules_atom *atoms;         /* Sources that rules name. */
    const struct ox_opened_key *opened;     /* Connections of VMs. */
    size_t n_opened;                        /* How many there are. */
    const struct model_endpoint *endpoints; /* All endpoints. */
    size_t n;                               /* How many there are. */
};

/* A frame that arrives. */
struct model_frame {
    const uint8_t *data;        /* All of it. */
    size_t len;                 /* Bytes of all of it. */
    size_t linear;              /* Bytes in the first buffer. */
    bool headroom;              /* There is room in front of it. */
};

/* What becomes of it. */
struct model_answer {
    uint32_t verdict;           /* XDP_PASS, XDP_REDIRECT or XDP_DROP. */
    enum ox_reason reason;      /* Why. */
    enum ox_reason besides;     /* What else it is counted for, or
                                 * 'reason'. */
    int hit;                    /* Counter of the rule that has decided, or
                                 * MODEL_NO_HIT. */
    int slot;                   /* Counters it is added to, or
                                 * MODEL_NO_SLOT: those of drops, if it is
                                 * dropped. */
    size_t len;                 /* Bytes of 'data' in use. */
    uint8_t data[MODEL_MAX + MODEL_GROWTH]; /* The frame afterwards. */
};

/* Says what becomes of the frame. */
void model_decide(const struct model *, const struct model_frame *,
                  struct model_answer *);

/* What layer L2 says of a frame for 'endpoint', which nothing in L1 speaks
 * against: OX_R_REDIRECTED if nothing.  Stores the counter of the rule that
 * decides in '*hit'. */
enum ox_reason model_acl(const struct model *, const struct model_frame *,
                         const struct model_endpoint *, int *hit);

#endif /* tests/bpf/model.h */
