/* SPDX-License-Identifier: Apache-2.0 */
/* What the Southbound says of ACLs, as plain values: the logical flows that
 * decide about packets to the VMs of this chassis, and the port groups and
 * address sets that those flows name.  No generated header here. */
#ifndef IDL_SB_ACL_H
#define IDL_SB_ACL_H 1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "idl/row-changes.h"
#include "openvswitch/hmap.h"
#include "openvswitch/uuid.h"
#include "sset.h"

/* Stages whose flows are kept, by what they are for; known by their names
 * ("stage-name"), since table numbers differ between releases. */
enum sb_acl_stage {
    SB_ACL_PRE,                 /* ls_out_pre_acl. */
    SB_ACL_EVAL,                /* ls_out_acl, ls_out_acl_eval. */
    SB_ACL_FROM,                /* ls_in_acl, ls_in_acl_eval and those after
                                 * load balancers: from priority 1000 on. */
    SB_ACL_ACTION,              /* ls_in_acl_action and its like, of both
                                 * directions, if it samples. */
    SB_ACL_SWITCH_LB,           /* ls_in_lb (before 22.03, what ls_in_stateful
                                 * does to new packets), and flows of a
                                 * switch's ingress whose actions have "ct_lb"
                                 * or "trigger_event", whatever their
                                 * stage. */
    SB_ACL_ROUTER_DNAT,         /* lr_in_dnat. */
    SB_ACL_ROUTER_POLICY,       /* lr_in_policy. */
    SB_ACL_ROUTER_ROUTE,        /* lr_in_ip_routing. */
    SB_ACL_ROUTER_SNAT,         /* lr_out_snat. */
    SB_ACL_MIRROR_IN,           /* ls_in_mirror (25.09). */
    SB_ACL_MIRROR_OUT           /* ls_out_mirror (25.09). */
};

/* A row of Logical_Flow. */
struct sb_acl_flow {
    struct hmap_node node;      /* In 'flows', by hash of 'uuid'. */
    struct uuid uuid;           /* The row. */
    enum sb_acl_stage stage;    /* See above. */
    int priority;               /* Logical_Flow.priority. */
    char *match;                /* Logical_Flow.match, as it is. */
    char *actions;              /* Logical_Flow.actions, as they are. */
    bool ct_translated;         /* Its tag "acl_ct_translation" is set: what
                                 * 'match' says of TCP, UDP and SCTP is asked
                                 * of conntrack, not of the packet. */
    struct uuid *datapaths;     /* Those datapaths of 'datapaths' of the view
                                 * that it belongs to, by itself or by its
                                 * group; sorted, at least one. */
    size_t n_datapaths;         /* Number of them. */
};

/* A row of Port_Group. */
struct sb_port_group {
    struct hmap_node node;      /* In sb_acl_view, by hash of 'name'. */
    char *name;                 /* Port_Group.name: "KEY_NAME" with the tunnel
                                 * key of a datapath since OVN 20.09. */
    struct sset ports;          /* Those of Port_Group.ports that are bound to
                                 * this chassis. */
    bool entrance;              /* One of Port_Group.ports is in 'entrances' of
                                 * the view. */
};

/* A row of Address_Set. */
struct sb_address_set {
    struct hmap_node node;      /* In sb_acl_view, by hash of 'name'. */
    char *name;                 /* Address_Set.name. */
    struct sset addresses;      /* Address_Set.addresses. */
};

/* A switch with VMs of this chassis, a router that matters, or a provider
 * network in front of one, whose load balancers come first. */
struct sb_acl_datapath {
    struct hmap_node node;      /* In sb_acl_view, by hash of 'uuid'. */
    struct uuid uuid;           /* Datapath_Binding row. */
    int64_t tunnel_key;         /* Datapath_Binding.tunnel_key. */
};

/* Where a router leads to: the port of a switch in front of one of its own. */
struct sb_acl_link {
    struct hmap_node node;      /* In sb_acl_view, by hash of 'router_port'. */
    char *router_port;          /* Router's port, options:peer of the other. */
    struct uuid network;        /* Datapath of the switch. */
};

/* What of a struct sb_acl_view changed. */
struct sb_acl_changes {
    struct row_changes flows;   /* Flows, with all parts. */
    struct sset groups;         /* Names of port groups that changed, came or
                                 * went. */
    struct sset sets;           /* Likewise, address sets. */
    struct sset ports;          /* Names that came to 'ports' or went. */
    bool datapaths;             /* 'datapaths', 'links' or 'entrances'
                                 * changed. */
};

/* A whole consistent view, owned by the struct sb_db.  It is only touched when
 * everything that was asked for has been acknowledged: a flow whose group of
 * datapaths is replaced is never missing in between. */
struct sb_acl_view {
    bool complete;              /* Contents were received at least once, and
                                 * since ACLs were last asked for. */
    bool current;               /* They are also those of now, as far as can be
                                 * known: connected, with nothing outstanding.
                                 * Only then may anything be dropped. */
    struct hmap flows;          /* Of struct sb_acl_flow. */
    struct sset ports;          /* Names of the ports of VMs that are bound
                                 * here and whose port groups are known:
                                 * 'port_groups' has all that they are in.
                                 * Bindings may be newer than this view. */
    struct sset entrances;      /* Names of the ports of switches in
                                 * 'datapaths' by which packets come in, or
                                 * reach a router: localnet ports, and those
                                 * that lead to routers. */
    struct hmap port_groups;    /* Of struct sb_port_group: those with a port
                                 * that is bound here, or an entrance. */
    struct hmap address_sets;   /* Of struct sb_address_set: those that flows
                                 * in 'flows' name. */
    struct hmap datapaths;      /* Of struct sb_acl_datapath. */
    struct hmap links;          /* Of struct sb_acl_link: those of switches in
                                 * 'datapaths'. */
    struct sb_acl_changes changes; /* What changed, until it is taken. */
};

void sb_acl_changes_init(struct sb_acl_changes *);
void sb_acl_changes_destroy(struct sb_acl_changes *);
void sb_acl_changes_clear(struct sb_acl_changes *);
void sb_acl_changes_move(struct sb_acl_changes *dst, struct sb_acl_changes *);

void sb_acl_view_init(struct sb_acl_view *);
void sb_acl_view_destroy(struct sb_acl_view *);
void sb_acl_view_clear(struct sb_acl_view *);

void sb_acl_flow_destroy(struct sb_acl_flow *);
void sb_port_group_destroy(struct sb_port_group *);
void sb_address_set_destroy(struct sb_address_set *);
void sb_acl_link_destroy(struct sb_acl_link *);

const struct sb_acl_flow *sb_acl_find_flow(const struct sb_acl_view *,
                                           const struct uuid *);
const struct sb_port_group *sb_acl_find_port_group(const struct sb_acl_view *,
                                                   const char *name);
const struct sb_address_set *sb_acl_find_address_set(
    const struct sb_acl_view *, const char *name);
const struct sb_acl_datapath *sb_acl_find_datapath(const struct sb_acl_view *,
                                                   const struct uuid *);
const struct sb_acl_link *sb_acl_find_link(const struct sb_acl_view *,
                                           const char *router_port);

#endif /* idl/sb-acl.h */
