/* SPDX-License-Identifier: Apache-2.0 */
/* What one logical flow says about ACLs: pure, text in, values out. */
#ifndef PLUGIN_ACL_FLOW_H
#define PLUGIN_ACL_FLOW_H 1

#include <netinet/in.h>
#include <stdbool.h>
#include "plugin/acl-rule.h"
#include "plugin/reason.h"
#include "svec.h"

struct sb_acl_flow;

/* Kinds of flow. */
enum acl_flow_kind {
    ACL_FLOW_NEUTRAL,           /* Whatever it does, it never delivers a packet
                                 * that rules would drop, of those that may be
                                 * dropped at all (see acl-flow.c). */
    ACL_FLOW_RULE,              /* An ACL, or a part of one. */
    ACL_FLOW_STATEFUL,          /* Sends all packets through conntrack. */
    ACL_FLOW_STRANGE            /* Not understood. */
};

/* A flow of SB_ACL_PRE or SB_ACL_EVAL. */
struct acl_flow {
    enum acl_flow_kind kind;    /* See above. */
    bool stateful;              /* It depends on conntrack, or sends packets
                                 * there: so its datapath has connections. */
    struct svec ports;          /* Whom it concerns: "@NAME", a port group, or
                                 * the name of a logical port; sorted.  Empty:
                                 * every port of its datapath. */
    struct acl_rule *rule;      /* If ACL_FLOW_RULE. */
    enum reason reason;         /* If ACL_FLOW_STRANGE. */
    char *token;                /* Then, what was not understood. */
    int column;                 /* And where it begins in the match, from 1; 0
                                 * if it is in the actions. */
};

void acl_flow_parse(const struct sb_acl_flow *, struct acl_flow *);
void acl_flow_destroy(struct acl_flow *);

/* Kinds of flow of SB_ACL_SWITCH_LB, SB_ACL_ROUTER_DNAT and
 * SB_ACL_ROUTER_POLICY, by what becomes of the destination address. */
enum acl_nat_kind {
    ACL_NAT_NONE,               /* It concerns no new packet's address. */
    ACL_NAT_PLAIN,              /* All packets to 'external' go to 'logical',
                                 * whatever else they are. */
    ACL_NAT_OTHER,              /* Packets to 'external' are changed in another
                                 * way, or only some of them. */
    ACL_NAT_ANY                 /* Packets to any address may be. */
};

/* What such a flow does. */
struct acl_nat {
    enum acl_nat_kind kind;     /* See above. */
    struct in6_addr external;   /* Destination; IPv4 as v4-mapped. */
    struct in6_addr logical;    /* What it becomes, if ACL_NAT_PLAIN. */
    char *inport;               /* Then, of those packets only that arrive at
                                 * this port of the router; NULL: at any. */
};

void acl_nat_parse(const struct sb_acl_flow *, struct acl_nat *);
void acl_nat_destroy(struct acl_nat *);

#endif /* plugin/acl-flow.h */
