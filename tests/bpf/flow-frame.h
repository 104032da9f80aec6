/* SPDX-License-Identifier: Apache-2.0
 *
 * Frames for the tests of layer L3, between VMs and the outside, before and
 * after OVN, with every checksum computed anew. */

#ifndef TESTS_BPF_FLOW_FRAME_H
#define TESTS_BPF_FLOW_FRAME_H 1

#include <stdbool.h>
#include <stdint.h>

#include "tests/bpf/packet.h"

/* The bridge of the network with a VLAN, and that VLAN. */
#define FLOW_BRIDGE 4711
#define FLOW_VLAN 100

/* Protocols. */
#define ICMP 1
#define TCP 6
#define UDP 17
#define ICMP6 58

/* TCP flags. */
#define FIN 0x01
#define SYN 0x02
#define RST 0x04
#define PSH 0x08
#define ACK 0x10

/* ICMP echo. */
#define ECHO4 8
#define ECHO4_REPLY 0
#define ECHO6 128
#define ECHO6_REPLY 129

/* A VM with layer L3, as one family has it. */
struct flow_vm {
    const char *fixed;          /* Its address. */
    const char *external;       /* Its address outside. */
    uint32_t port;              /* Index in 'direct_ports', and of counters. */
    uint32_t bridge;            /* Bridge of its network, or 0. */
    uint16_t vlan;              /* VLAN there, or 0. */
};

/* VMs, by family (is_ip6): with an address that is translated, and behind a
 * routed NIC; with one that is not, in a VLAN of a switched NIC; the same
 * without a VLAN. */
extern const struct flow_vm flow_fip[2], flow_tagged[2], flow_plain[2];

/* Addresses outside, by family. */
extern const char *const flow_remote[2];

/* MAC addresses: of the VMs, of OVN's router towards them, of the NIC (or of
 * OVN's router towards the outside), and of the next hop outside. */
extern const uint8_t flow_vm_mac[6], flow_router_mac[6], flow_nic_mac[6],
    flow_hop_mac[6];

/* A frame. */
struct flow_frame {
    const uint8_t *dmac;        /* Destination MAC. */
    const uint8_t *smac;        /* Source MAC. */
    const char *src;            /* Source address, as text. */
    const char *dst;            /* Destination address, as text. */
    uint32_t seq;               /* TCP: sequence number. */
    uint32_t ack;               /* TCP: acknowledgement number. */
    uint32_t label;             /* IPv6: flow label. */
    uint16_t sport;             /* Source port; ICMP echo: identifier. */
    uint16_t dport;             /* Destination port; ICMP echo: type. */
    uint16_t tci;               /* Tag in the frame, or 0. */
    uint16_t id;                /* IPv4: identification. */
    uint16_t fragment;          /* IPv4: flags and offset. */
    uint32_t data;              /* First bytes of the payload; 0: as the
                                 * others. */
    uint16_t payload;           /* Bytes behind the headers. */
    uint16_t pad;               /* The frame is as long as this, at least. */
    uint8_t proto;              /* Protocol. */
    uint8_t flags;              /* TCP: flags. */
    uint8_t ttl;                /* TTL or hop limit. */
    uint8_t tos;                /* TOS or traffic class. */
    uint8_t options;            /* IPv4: bytes of options. */
    bool no_checksum;           /* UDP: the checksum is 0. */
    bool half;                  /* The checksum is that of the pseudo
                                 * header. */
};

/* Tells whether the frame is one of IPv6. */
bool flow_is_ip6(const struct flow_frame *);

/* Makes 'p' the frame. */
void flow_make(struct packet *p, const struct flow_frame *);

/* The frame from the outside to 'vm' with 'proto', as it comes in and as OVN
 * delivers it, and the one back. */
struct flow_frame flow_in(const struct flow_vm *vm, uint8_t proto);
struct flow_frame flow_delivered(const struct flow_vm *vm, uint8_t proto);
struct flow_frame flow_out(const struct flow_vm *vm, uint8_t proto);
struct flow_frame flow_sent(const struct flow_vm *vm, uint8_t proto);

/* The same for what was changed in 'f', a frame before OVN has seen it. */
struct flow_frame flow_beyond(const struct flow_vm *vm,
                              const struct flow_frame *f);

#endif /* tests/bpf/flow-frame.h */
