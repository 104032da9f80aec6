/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of acl*.c share among themselves: how the rules of ports are
 * kept up to date at the cost of what changed.
 *
 *     row of a flow ─> known_flow ──┐ members
 *                                   ├─> terms of a datapath
 *     row of a group ─> names ──────┘        │ touch
 *     row of a binding ─> known_row ─> known_port ─> settled: set, reason
 *
 * A flow is read once.  It is a member of a *term* for each datapath and each
 * port or port group that it names.  Whoever changes what a port depends on
 * touches the port, and touched ports are settled at the end of the update:
 * what comes out of that depends on what is known then, not on the way
 * there.
 *
 * Which of them layer L3 has to ask OVN about is another matter, see
 * acl-events.c. */
#ifndef PLUGIN_ACL_PRIVATE_H
#define PLUGIN_ACL_PRIVATE_H 1

#include "idl/sb-acl.h"
#include "plugin/acl-entry.h"
#include "openvswitch/list.h"
#include "plugin/acl-flow.h"
#include "plugin/acl-route.h"
#include "plugin/acl-snat.h"
#include "plugin/acl.h"

struct sb_binding;

/* A datapath, as far as anything known is about it. */
struct known_dp {
    struct hmap_node node;      /* In struct acl_private, by hash of 'uuid'. */
    struct uuid uuid;           /* Datapath_Binding row. */
    size_t n_refs;              /* Rows and flows of it. */
    struct hmap terms;          /* Of struct known_term. */
    struct hmap events;         /* Of struct known_event. */
    struct ovs_list rows;       /* Of struct known_row: those of ports. */
    struct ovs_list routes;     /* Of struct flow_dp: those of routes, */
    struct ovs_list snats;      /* those that change sources, */
    struct ovs_list entries;    /* and those that do more to packets than let
                                 * them through or drop them. */
    const struct known_flow *in; /* Of 'entries': one for packets that come in,
                                 * or NULL. */
    const struct known_flow *out; /* Likewise, that reach a router. */
    struct ovs_list stale_node; /* In 'stale_dps', or alone. */
    size_t n_stateful;          /* Flows that say that it has connections. */
    bool was_stateful;          /* There were some, and */
    bool in_scope;              /* it was in the view, at the end of the last
                                 * update. */
    size_t n_logs;              /* Flows, each for every event that it is of,
                                 * that log or sample. */
    size_t n_localnets;         /* Localnet ports. */
    size_t n_any_lb;            /* Flows that may translate any address, of
                                 * load balancers, */
    size_t n_any_dnat;          /* of a router, */
    size_t n_any_policy;        /* and of policies that route by. */
};

/* Flows of one datapath that concern the same ports. */
struct known_term {
    struct hmap_node node;      /* In struct known_dp, by hash of 'name'. */
    char *name;                 /* "@NAME", a port group, or the name of a
                                 * port; "": all ports of the datapath. */
    struct ovs_list members;    /* Of struct term_member. */
};

/* Flows of one datapath that name the same ports, in either direction. */
struct known_event {
    struct hmap_node node;      /* In struct known_dp, by hash of 'name'. */
    struct ovs_list stale_node; /* In 'stale_events', or alone. */
    struct known_dp *dp;        /* Datapath. */
    char *name;                 /* As of a term. */
    size_t n_flows;             /* Number of them. */
    size_t n_logs;              /* Of those, ones that log or sample. */
    uint64_t sum;               /* Of their digests, modulo 2**64. */
    uint64_t settled;           /* That at the end of the last update. */
};

/* That a flow belongs to a term. */
struct term_member {
    struct ovs_list node;       /* In 'members' of 'term'. */
    struct known_term *term;    /* Which one. */
    struct known_flow *flow;    /* The flow. */
};

/* That a flow belongs to a datapath. */
struct flow_dp {
    struct ovs_list node;       /* In 'dps' of 'flow', sorted by UUID. */
    struct ovs_list dp_node;    /* In 'routes', 'snats' or 'entries' of 'dp',
                                 * or alone. */
    struct known_flow *flow;    /* The flow. */
    struct known_dp *dp;        /* Datapath. */
    struct term_member *members; /* For each of its ports. */
    size_t n_members;           /* Number of them. */
};

/* A logical flow, read. */
struct known_flow {
    struct hmap_node node;      /* In struct acl_private, by hash of 'uuid'. */
    struct uuid uuid;           /* The row. */
    enum sb_acl_stage stage;    /* Which of the following counts. */
    int priority;               /* Logical_Flow.priority. */
    struct ovs_list dps;        /* Of struct flow_dp. */

    /* SB_ACL_PRE and SB_ACL_EVAL; without its rule. */
    struct acl_flow acl;        /* What it says. */
    struct known_rule *rule;    /* Its rule, or NULL. */

    /* SB_ACL_SWITCH_LB, SB_ACL_ROUTER_DNAT, SB_ACL_ROUTER_SNAT and
     * SB_ACL_ROUTER_POLICY. */
    struct acl_nat nat;         /* What becomes of addresses. */
    struct hmap_node external_node; /* By 'nat.external', unless of any or no
                                     * address. */
    struct hmap_node logical_node; /* By 'nat.logical', if ACL_NAT_PLAIN. */

    /* SB_ACL_ROUTER_ROUTE. */
    struct acl_route route;     /* Where packets go. */

    /* SB_ACL_ROUTER_SNAT. */
    struct acl_snat snat;       /* What becomes of sources. */

    /* SB_ACL_EVAL, SB_ACL_FROM, SB_ACL_ACTION and mirrors. */
    struct acl_entry entry;     /* What else is done to packets. */

    /* What is an event when it comes or goes; 0 and empty otherwise. */
    uint64_t digest;            /* Of all that it says. */
    bool logs;                  /* It logs or samples what it lets through. */
    struct svec named;          /* Ports that it names, unless 'acl.ports' has
                                 * them. */
};

/* A rule that one or more flows have. */
struct known_rule {
    struct hmap_node node;      /* In struct acl_private, by its contents. */
    struct acl_rule *rule;      /* The rule. */
    size_t n_refs;              /* Flows and sets that have it. */
    struct known_names **names; /* Address sets that it names, sorted. */
    size_t n_names;             /* Number of them. */
};

/* An address set that rules name. */
struct known_names {
    struct hmap_node node;      /* In struct acl_private, by hash of 'name'. */
    char *token;                /* As in a match, "$NAME". */
    const char *name;           /* The name, in 'token'. */
    bool ip6;                   /* For sources of IPv6; else of IPv4. */
    size_t n_refs;              /* Rules that name it. */
    bool usable;                /* It exists, and all of it can be read and is
                                 * of that family. */
    bool changed;               /* 'usable' did, and ports do not know yet. */
};

/* A set of rules. */
struct known_set {
    struct acl_set set;         /* What users see. */
    struct known_rule **rules;  /* The same rules. */
    bool shown;                 /* Of pass-only ports, not in 'sets'. */
};

/* What a row of Port_Binding is here. */
enum known_role {
    ROLE_PORT,                  /* Port of a VM on this chassis. */
    ROLE_LOCALNET               /* Makes its datapath a provider network. */
};

/* An address in the 'mac' column of a VM's port. */
struct row_address {
    struct hmap_node node;      /* In struct acl_private, by hash of 'ip'. */
    struct in6_addr ip;         /* IPv4 as v4-mapped. */
    struct known_row *row;      /* Of which row. */
};

/* A row of Port_Binding. */
struct known_row {
    struct hmap_node node;      /* In struct acl_private, by hash of 'uuid'. */
    struct uuid uuid;           /* The row. */
    enum known_role role;       /* See above. */
    struct known_dp *dp;        /* Its datapath. */
    struct ovs_list dp_node;    /* In 'rows' of 'dp', or if ROLE_LOCALNET in
                                 * 'localnets' of struct acl_private. */

    /* ROLE_PORT. */
    struct known_port *port;    /* Port of that name. */
    struct ovs_list port_node;  /* In 'rows' of 'port'. */
    const char *special;        /* The column by which OVN treats its packets
                                 * in a special way, or NULL. */
    struct row_address *addresses; /* Its addresses. */
    size_t n_addresses;         /* Number of them. */

    /* ROLE_LOCALNET. */
    char *network;              /* Physical network, or "". */
    uint16_t vlan;              /* Tag of the network, 0 for none. */
};

/* A port. */
struct known_port {
    struct acl_port port;       /* What users see. */
    struct ovs_list rows;       /* Of struct known_row: one, but for a moment
                                 * when a port is deleted and made again. */
    struct ovs_list touched_node; /* In 'touched', or alone. */
};

/* A port group. */
struct known_group {
    struct hmap_node node;      /* In struct acl_private, by hash of 'name'. */
    char *name;                 /* As in the Southbound. */
    struct sset ports;          /* Ports in it. */
    bool entrance;              /* Packets come in by a port in it. */
};

/* The port groups that a port of that name is in. */
struct known_membership {
    struct hmap_node node;      /* In struct acl_private, by hash of 'port'. */
    char *port;                 /* Name of the port, which may not exist. */
    struct sset groups;         /* Names of struct known_group. */
};

/* Everything that is kept from one update to the next. */
struct acl_private {
    const struct acl_inputs *in; /* During an update only; borrowed. */
    bool complete;              /* The view was, at the last update. */
    struct hmap dps;            /* Of struct known_dp. */
    struct hmap flows;          /* Of struct known_flow. */
    struct hmap externals;      /* Likewise, by 'external_node'. */
    struct hmap logicals;       /* Likewise, by 'logical_node'. */
    struct hmap rules;          /* Of struct known_rule. */
    struct hmap names;          /* Of struct known_names. */
    struct hmap shown;          /* Of struct acl_set: those of pass-only
                                 * ports. */
    struct hmap rows;           /* Of struct known_row. */
    struct ovs_list localnets;  /* Likewise, those of localnet ports. */
    struct hmap addresses;      /* Of struct row_address. */
    struct hmap groups;         /* Of struct known_group. */
    struct hmap memberships;    /* Of struct known_membership. */
    struct ovs_list touched;    /* Of struct known_port. */
    struct ovs_list stale_events; /* Of struct known_event: with flows that
                                 * came or went. */
    struct ovs_list stale_dps;  /* Of struct known_dp: their 'in' and 'out' are
                                 * to be found anew, and may be gone. */
    uint64_t last_serial;       /* Of the newest set. */
};

/* acl.c. */
struct known_dp *known_dp_ref(struct acl_private *, const struct uuid *);
void known_dp_unref(struct acl_private *, struct known_dp *);
struct known_dp *known_dp_find(const struct acl_private *,
                               const struct uuid *);
uint32_t acl_address_hash(const struct in6_addr *);
void acl_note_address(struct acl *, const struct in6_addr *);

/* acl-flows.c. */
void acl_flow_touch(struct acl *, const struct known_flow *);
void acl_flow_update(struct acl *, const struct uuid *);
void acl_flows_update_all(struct acl *);
void acl_flows_destroy(struct acl *);

/* acl-entries.c. */
void acl_dp_make_stale(struct acl_private *, struct known_dp *);
void acl_dps_make_stale(struct acl_private *);
void acl_entries_settle(struct acl *);

/* acl-events.c. */
uint64_t acl_event_digest(const struct sb_acl_flow *);
bool acl_event_logs(const struct sb_acl_flow *);
void acl_events_count(struct acl_private *, struct known_dp *,
                      const struct known_flow *, const struct svec *ports,
                      int n);
void acl_event_membership(struct acl *, const char *group, const char *port);
void acl_event_binding(struct acl *, const char *port);
void acl_events_settle(struct acl *);
void acl_events_destroy(struct acl_private *);

/* acl-sets.c. */
struct known_rule *known_rule_ref(struct acl_private *, struct acl_rule *);
void known_rule_unref(struct acl_private *, struct known_rule *);
const char *known_rule_unusable(const struct known_rule *);
bool acl_names_update(struct acl_private *, const char *name);
struct acl_set *acl_set_ref(struct acl *, struct known_rule **, size_t n,
                            bool stateful, bool shown);
void acl_set_unref(struct acl *, struct acl_set *);

/* acl-groups.c. */
void acl_group_update(struct acl *, const char *name);
void acl_groups_update_all(struct acl *);
void acl_groups_destroy(struct acl_private *);
const struct sset *acl_groups_of(const struct acl_private *,
                                 const char *port);
char *acl_group_term(const struct acl_private *, const char *group,
                     const struct known_dp *);
void acl_groups_touch(struct acl *, const char *term,
                      const struct known_dp *);
bool acl_port_is_in(const struct acl_private *, const struct sb_acl_view *,
                    const char *port, const char *term,
                    const struct known_dp *);
bool acl_term_is_entrance(const struct acl_private *, const char *term,
                          const struct known_dp *);

/* acl-ports.c. */
void acl_touch_port(struct acl *, const char *name);
void acl_touch_dp(struct acl *, const struct known_dp *);
void acl_touch_all(struct acl *);
void acl_row_update(struct acl *, const struct uuid *);
void acl_rows_update_all(struct acl *);
void acl_rows_destroy(struct acl *);
void acl_note_row(struct acl *, const struct known_row *);
void acl_note_dp(struct acl *, const struct known_dp *);
void acl_ports_settle(struct acl *);
struct known_port *known_port_find(const struct acl *, const char *name);

#endif /* plugin/acl-private.h */
