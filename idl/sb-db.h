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
void sb_db_status(const struct sb_db *, struct db_status *);
void sb_db_reset_min_index(struct sb_db *);
void sb_db_recompute(struct sb_db *);
void sb_db_get_memory_usage(const struct sb_db *, struct simap *usage);
void sb_db_set_chassis_grace(struct sb_db *, int ms);
unsigned int sb_db_n_peer_updates(const struct sb_db *);

#endif /* idl/sb-db.h */
