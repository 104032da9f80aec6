/* SPDX-License-Identifier: Apache-2.0 */
/* The OVN Southbound database, read only.
 *
 * Monitors conditionally and few columns, and keeps a plain-value view of the
 * bindings, and of the translated addresses of routers, that can matter to
 * this chassis.  The view is always the last
 * *complete* one: it stays as it was while the connection is down or a changed
 * condition is not acknowledged.  While the chassis row is missing, and while
 * its ports are claimed again after it came back, but for no longer than
 * SB_DB_CHASSIS_GRACE_MS after it went, bindings that merely vanish or lose
 * their claim stay as they were; one that another chassis is seen to claim
 * goes.  No generated header here. */
#ifndef IDL_SB_DB_H
#define IDL_SB_DB_H 1

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include "idl/db-status.h"
#include "idl/row-changes.h"
#include "idl/sb-acl.h"
#include "openvswitch/hmap.h"
#include "openvswitch/uuid.h"
#include "smap.h"
#include "sset.h"

struct sb_db;
struct simap;

/* How long a chassis row may be missing before its bindings count as gone, in
 * milliseconds.  An ovn-controller that restarts without --restart deletes its
 * row and creates it again within a few seconds. */
#define SB_DB_CHASSIS_GRACE_MS 15000

/* One row of Port_Binding, with references resolved to what they mean here. */
struct sb_binding {
    struct hmap_node node;      /* In sb_view 'bindings', by hash of 'uuid'. */
    struct uuid uuid;           /* The row. */
    char *logical_port;         /* Port_Binding.logical_port. */
    char *type;                 /* Port_Binding.type, "" for a VM. */
    struct uuid datapath;       /* Datapath_Binding row it belongs to. */
    bool here;                  /* 'chassis' is this chassis. */
    bool additional;            /* 'additional_chassis' includes this one. */
    bool activated;             /* options:additional-chassis-activated names
                                 * this chassis, or no activation-strategy. */
    bool up;                    /* 'up' is true, or the server has no such
                                 * column (before OVN 21.03). */
    struct sset macs;           /* Port_Binding.mac. */
    struct sset nat_addresses;  /* Port_Binding.nat_addresses. */
    struct sset port_security;  /* Port_Binding.port_security (22.06). */
    char *network_name;         /* options:network_name (localnet), or NULL. */
    char *l3gateway_chassis;    /* options:l3gateway-chassis, or NULL. */
    char *distributed_port;     /* options:distributed-port, or NULL. */
    char *peer;                 /* options:peer (patch), or NULL. */
    char *virtual_parent;       /* Port_Binding.virtual_parent, or NULL. */
    char *parent_port;          /* Port_Binding.parent_port, or NULL. */
    int tag;                    /* Port_Binding.tag, or -1. */
    bool mirrored;              /* Packets are copied elsewhere on their way:
                                 * Port_Binding.mirror_rules (22.12) is not
                                 * empty, or 'type' is "mirror" (25.09). */
    bool shared;                /* 'additional_chassis' has any: packets go to
                                 * more than one chassis. */
    bool qos;                   /* options:qos_max_rate, qos_min_rate or
                                 * qos_burst: ovn-controller shapes it. */
};

/* Parts of a binding that change for reasons of their own: 'nat_addresses' may
 * have thousands of strings, of which one comes or goes. */
enum sb_binding_part {
    SB_BINDING_NAT = 1 << 0,    /* 'nat_addresses'. */
    SB_BINDING_PORT = 1 << 1    /* All other members. */
};

/* A whole consistent view of what matters here, owned by the struct sb_db. */
struct sb_view {
    bool complete;              /* Contents were received at least once. */
    bool chassis_found;         /* The chassis row exists (or is within its
                                 * grace). */
    struct hmap bindings;       /* Of struct sb_binding. */
    unsigned int seqno;         /* Changes with 'complete', and when a binding
                                 * comes, goes or changes in more than
                                 * SB_BINDING_NAT. */
    struct row_changes changes; /* Bindings that changed, with parts of enum
                                 * sb_binding_part; until they are taken. */
    struct hmap facts;          /* Of struct nat_fact: addresses of routers
                                 * that can matter here.  After a change of
                                 * what is asked for they may lag behind
                                 * 'bindings' for a moment. */
    struct row_changes fact_changes; /* Facts that changed, by 'identity', with
                                 * all parts; until they are taken. */
    struct sb_acl_view acl;     /* What ACLs say, if it is asked for. */
};

/* Where to connect and who we are. */
struct sb_target {
    const char *remote;         /* Comma list of remotes; "" or NULL: none. */
    const char *chassis;        /* Chassis name (system-id); NULL: unknown. */
    int probe_interval;         /* Inactivity probe in ms; 0: off. */
    bool acl;                   /* ACLs are wanted. */
    bool path;                  /* What else may change the way of packets is
                                 * wanted, too (needs 'acl'). */
};

struct sb_db *sb_db_create(void);
void sb_db_destroy(struct sb_db *);
void sb_db_set_target(struct sb_db *, const struct sb_target *);
bool sb_db_run(struct sb_db *);
void sb_db_wait(struct sb_db *);

const struct sb_view *sb_db_view(const struct sb_db *);
const struct sb_binding *sb_view_find_binding(const struct sb_view *,
                                              const struct uuid *);
void sb_db_take_changes(struct sb_db *, struct row_changes *bindings,
                        struct row_changes *facts);
void sb_db_take_acl_changes(struct sb_db *, struct sb_acl_changes *);

/* What layer L3 has to know apart from ports and ACLs, of the logical
 * datapaths that those are read of, if sb_target.path asks for it: routes,
 * policies, static and learned MAC bindings, QoS flows, how long packets may
 * be.  What is there when that is first known is no change, nor is what comes
 * with a datapath that was not read before; what differs after a time without
 * connection is one.
 *
 * sb_db_take_path_changes(): returns a number that differs from the last one
 * if one of them came, went or changed, and stores in 'datapaths' (of strings
 * of UUIDs, which it empties) which have other routes, policies or MAC
 * bindings than before, or lead to other routers, and in '*judge' whether the
 * answers of sb_db_is_metered() and sb_db_path_mtu() may have changed.  A MAC
 * that OVN learns of a neighbour that it did not know is no change.  A mark
 * (DSCP) is none of a way, either: packets that OVN marks are not learned, and
 * probes that come back with one confirm nothing.
 * sb_db_is_path_of(): packets between the logical port, in the view of
 * bindings, and the outside may cross one of 'datapaths': its network, the
 * routers linked to that and, if 'external' is an address that a router
 * translates, that router and the networks in front of it.  The address may be
 * NULL, or one that is not translated.
 * sb_db_has_paths(): all that was received at least once since it was asked
 * for; before, the answers of what follows are those of a network without any
 * of it.  That it came is a reason to judge.
 * sb_db_is_metered(): OVN meters those packets by a flow with set_meter(): on
 * the port's network, or in front of the router that translates 'external'.
 * sb_db_path_mtu(): how long they may be, in bytes from the IP header on, for
 * all routers to let them pass unasked (gateway_mtu), or 0 for any length.
 * What routers do with longer ones depends on the packet.  Where a router asks
 * for a length that cannot be read, 576. */
unsigned int sb_db_take_path_changes(struct sb_db *, struct sset *datapaths,
                                     bool *judge);
bool sb_db_is_path_of(const struct sb_db *, const struct sb_binding *,
                      const struct in6_addr *external,
                      const struct sset *datapaths);
bool sb_db_has_paths(const struct sb_db *);
bool sb_db_is_metered(const struct sb_db *, const struct sb_binding *,
                      const struct in6_addr *external);
int sb_db_path_mtu(const struct sb_db *, const struct sb_binding *,
                   const struct in6_addr *external);
void sb_db_status(const struct sb_db *, struct db_status *);
void sb_db_reset_min_index(struct sb_db *);
void sb_db_recompute(struct sb_db *);
void sb_db_get_memory_usage(const struct sb_db *, struct simap *usage);
void sb_db_set_chassis_grace(struct sb_db *, int ms);
unsigned int sb_db_n_peer_updates(const struct sb_db *);

#endif /* idl/sb-db.h */
