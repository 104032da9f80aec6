/* SPDX-License-Identifier: Apache-2.0 */
/* An ACL as this program understands it: pure values.
 *
 * A rule is the union of its cubes, a cube is a conjunction.  What a match
 * says of the port is not part of it. */
#ifndef PLUGIN_ACL_RULE_H
#define PLUGIN_ACL_RULE_H 1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "svec.h"

/* What OVN does with a packet. */
enum acl_action {
    ACL_ALLOW,                  /* "allow". */
    ACL_ALLOW_RELATED,          /* "allow-related". */
    ACL_ALLOW_STATELESS,        /* "allow-stateless". */
    ACL_DROP,                   /* "drop". */
    ACL_REJECT,                 /* "reject": OVN answers. */
    ACL_PASS                    /* "pass": the next tier decides. */
};

/* What OVN does besides, as bits. */
enum acl_flag {
    ACL_LOGGED = 1 << 0,        /* It writes a log line. */
    ACL_LABELLED = 1 << 1,      /* It labels the connection. */
    ACL_SAMPLED = 1 << 2,       /* It takes samples. */
    ACL_BUILT_IN = 1 << 3       /* It is no ACL of anybody's, but a flow that
                                 * OVN has by itself. */
};

/* Numbers from 'lo' to 'hi', both included. */
struct acl_range {
    uint16_t lo;                /* First. */
    uint16_t hi;                /* Last. */
};

/* Sources.  An atom is "ADDRESS/LENGTH" in canonical form (IPv4 or IPv6, host
 * bits zero) or "$NAME", an address set. */
struct acl_source {
    bool any;                   /* All; the rest means nothing then. */
    bool negated;               /* All but 'atoms'. */
    struct svec atoms;          /* Sorted, no duplicates. */
};

/* A conjunction. */
struct acl_cube {
    bool ip4;                   /* IPv4 packets. */
    bool ip6;                   /* IPv6 packets. */
    uint64_t protocols[4];      /* Bit N of element N / 64: IP protocol N. */
    struct acl_range src_port;  /* Of TCP, UDP and SCTP. */
    struct acl_range dst_port;  /* Likewise. */
    struct acl_range icmp_type; /* Of ICMP and ICMPv6, 0 to 255. */
    struct acl_range icmp_code; /* Likewise. */
    struct acl_source source;   /* Source address. */
};

/* An ACL without its ports. */
struct acl_rule {
    int tier;                   /* 0 to 3; lower ones decide first. */
    int priority;               /* ACL.priority of the Northbound, which is
                                 * the flow's less 1000. */
    enum acl_action action;     /* See above. */
    unsigned int flags;         /* Of enum acl_flag. */
    char *match;                /* ACL.match without its ports, in canonical
                                 * form: equal rules have equal text. */
    struct acl_cube *cubes;     /* What it matches. */
    size_t n_cubes;             /* Number of them. */
};

/* A packet, for acl_rule_matches(). */
struct acl_packet {
    bool ip6;                   /* IPv6, not IPv4. */
    uint8_t protocol;           /* IP protocol. */
    uint16_t src_port;          /* Host order; 0 without ports. */
    uint16_t dst_port;          /* Likewise. */
    uint8_t icmp_type;          /* 0 unless ICMP or ICMPv6. */
    uint8_t icmp_code;          /* Likewise. */
};

/* Tells whether 'atom' has the packet's source, for acl_rule_matches(). */
typedef bool acl_atom_cb(const char *atom, const void *aux);

void acl_cube_init_any(struct acl_cube *);
void acl_cube_destroy(struct acl_cube *);
bool acl_cube_has_protocol(const struct acl_cube *, uint8_t protocol);
void acl_rule_destroy(struct acl_rule *);
int acl_rule_compare(const struct acl_rule *, const struct acl_rule *);
bool acl_rule_drops(const struct acl_rule *);
bool acl_rule_matches(const struct acl_rule *, const struct acl_packet *,
                      acl_atom_cb *, const void *aux);
const char *acl_action_to_string(enum acl_action);

#endif /* plugin/acl-rule.h */
