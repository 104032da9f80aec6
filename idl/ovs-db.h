/* SPDX-License-Identifier: Apache-2.0 */
/* The local Open_vSwitch database.
 *
 * Registers exactly the columns that are read, keeps a plain-value view of
 * them, and writes the one thing that ovn-xdp writes anywhere: the bridge
 * ports it manages.  No generated header appears here. */
#ifndef IDL_OVS_DB_H
#define IDL_OVS_DB_H 1

#include <stdbool.h>
#include <stddef.h>
#include "idl/db-status.h"
#include "smap.h"

struct ovs_db;

/* Key in Port.external_ids that marks a port managed by ovn-xdp; its value is
 * the bridge that the port serves. */
#define OVS_DB_MANAGED_KEY "ovn-xdp-bridge-port"

/* An interface of a port of a bridge. */
struct ovs_iface {
    char *name;                 /* Interface.name. */
    char *type;                 /* Interface.type: "", "internal", ... */
    char *error;                /* Interface.error, or NULL. */
    int ofport;                 /* Interface.ofport; 0 while unassigned, -1 on
                                 * failure. */
    char *iface_id;             /* external_ids:iface-id, the logical port, or
                                 * NULL. */
    bool policed;               /* Received packets are policed:
                                 * ingress_policing_rate or
                                 * ingress_policing_kpkts_rate (OVS 2.16) is
                                 * not 0. */
};

/* A port of a bridge. */
struct ovs_port {
    char *name;                 /* Port.name. */
    int tag;                    /* Port.tag, or -1. */
    char *managed;              /* Value of OVS_DB_MANAGED_KEY, or NULL. */
    char *localnet;             /* Localnet port whose network ovn-controller
                                 * has plugged in with it, or NULL. */
    struct ovs_iface *ifaces;   /* Its interfaces, sorted by name. */
    size_t n_ifaces;            /* Number of them; above 1 for a bond. */
    bool qos;                   /* Port.qos: what it sends is shaped. */
    bool mirrored;              /* A mirror of the bridge takes packets of
                                 * it. */
};

/* A bridge. */
struct ovs_bridge {
    char *name;                 /* Bridge.name. */
    char *datapath_type;        /* Bridge.datapath_type, "" for the
                                 * kernel's. */
    struct ovs_port *ports;     /* Its ports, sorted by name. */
    size_t n_ports;             /* Number of them. */
    bool sampled;               /* Its packets are counted or copied: it has
                                 * sFlow, NetFlow or IPFIX, or is that of a
                                 * Flow_Sample_Collector_Set. */
};

/* A whole consistent view of the database, owned by the struct ovs_db. */
struct ovs_view {
    bool complete;              /* Contents were received at least once. */
    char *hostname;             /* external_ids:hostname, or "". */
    struct smap external_ids;   /* Open_vSwitch.external_ids, uninterpreted. */
    char *ssl_private_key;      /* SSL.private_key, or NULL. */
    char *ssl_certificate;      /* SSL.certificate, or NULL. */
    char *ssl_ca_cert;          /* SSL.ca_cert, or NULL. */
    bool ssl_bootstrap;         /* SSL.bootstrap_ca_cert. */
    bool hw_offload;            /* other_config:hw-offload is "true". */
    bool ct_timeouts;           /* There is a CT_Timeout_Policy: conntrack may
                                 * remember connections for any time. */
    struct ovs_bridge *bridges; /* All bridges, sorted by name. */
    size_t n_bridges;           /* Number of them. */
};

/* A port that ovn-xdp wants in a bridge. */
struct ovs_managed_port {
    const char *bridge;         /* Bridge to plug it into. */
    const char *device;         /* Network device, also Port and Interface
                                 * name. */
};

/* How a managed port is doing. */
enum ovs_managed_state {
    OVS_MANAGED_UNWANTED,       /* No such port is wanted. */
    OVS_MANAGED_PENDING,        /* Not in the database yet. */
    OVS_MANAGED_PRESENT,        /* In the database, as wanted. */
    OVS_MANAGED_NO_BRIDGE,      /* The bridge does not exist. */
    OVS_MANAGED_FOREIGN,        /* A port or interface of that name belongs to
                                 * somebody else, and is left alone. */
};

struct ovs_db *ovs_db_create(const char *remote);
void ovs_db_destroy(struct ovs_db *);
bool ovs_db_run(struct ovs_db *);
void ovs_db_wait(struct ovs_db *);

const struct ovs_view *ovs_db_view(const struct ovs_db *);
const struct ovs_bridge *ovs_view_find_bridge(const struct ovs_view *,
                                              const char *name);
const struct ovs_iface *ovs_bridge_find_iface(const struct ovs_bridge *,
                                              const char *name,
                                              bool *managed);
void ovs_db_status(const struct ovs_db *, struct db_status *);
void ovs_db_set_managed_ports(struct ovs_db *,
                              const struct ovs_managed_port *, size_t n);
void ovs_db_set_removal_wait(struct ovs_db *, int ms); /* For tests. */
bool ovs_db_managed_ports_settled(const struct ovs_db *);
enum ovs_managed_state ovs_db_managed_port_state(const struct ovs_db *,
                                                 const char *device);

#endif /* idl/ovs-db.h */
