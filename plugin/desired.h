/* SPDX-License-Identifier: Apache-2.0 */
/* What OVN has decided for this chassis, as what the datapath should hold.
 *
 * Pure: values in, values out; no OVSDB, no libbpf, no clock.  Bridges and
 * interfaces are derived from the local database, the settings and the devices
 * (desired-devices.c); endpoints from the Southbound and NAT rows of the
 * Northbound (desired-endpoints.c), row by row as they change
 * (desired-private.h says how).  Whatever the way to the inputs, the result is
 * the same. */
#ifndef PLUGIN_DESIRED_H
#define PLUGIN_DESIRED_H 1

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "openvswitch/hmap.h"
#include "openvswitch/types.h"
#include "openvswitch/uuid.h"
#include "plugin/bridge-port.h"
#include "plugin/datapath.h"
#include "plugin/problems.h"
#include "plugin/reason.h"
#include "sset.h"

struct derivation;
struct ovs_view;
struct row_changes;
struct sb_view;
struct settings;
struct netdev_info;

/* Everything that the derivation depends on.  All of it is borrowed. */
struct desired_inputs {
    const struct settings *settings; /* Settings in force. */
    const struct ovs_view *ovs; /* Local database. */
    const struct sb_view *sb;   /* Southbound database. */
    const struct hmap *sb_facts; /* Of struct nat_fact, from its logical
                                  * flows; NULL: none. */
    const struct hmap *nb_facts; /* Likewise from the Northbound. */
    const struct hmap *devices; /* Of struct netdev_info, by hash of name. */
    const struct sset *attached; /* Names of NICs that run our program. */
    const struct sset *foreign; /* NICs where attaching met a foreign one. */
    const struct sset *native_failed; /* NICs whose driver refused native. */
    const struct sset *port_failed; /* Bridges without managed port. */
};

/* What of the inputs may differ from those of the update before.  Saying too
 * much costs time, saying too little makes the result wrong. */
struct desired_changes {
    bool all;                   /* Anything.  Everything is derived anew. */
    bool devices;               /* All but what follows. */
    const struct row_changes *bindings; /* Bindings of 'sb'; NULL: none. */
    const struct row_changes *sb_facts; /* By identity; NULL: none. */
    const struct row_changes *nb_facts; /* Likewise. */
};

/* How redirected frames enter a bridge. */
enum target_kind {
    TARGET_INTERNAL,            /* The bridge's own device, kernel datapath. */
    TARGET_TAP,                 /* The same on the userspace datapath. */
    TARGET_VETH                 /* The managed port. */
};

/* A bridge of ovn-bridge-mappings. */
struct desired_bridge {
    char *name;                 /* Bridge. */
    bool exists;                /* It is in the local database. */
    bool userspace;             /* It is on OVS's userspace datapath. */
    bool wants_port;            /* The managed port is wanted. */
    struct bridge_port_names port; /* Its names, wanted or not. */
    int port_mtu;               /* MTU for the managed port, in bytes. */
    enum target_kind kind;      /* Way of entry. */
    char device[IFNAMSIZ];      /* Target device, "" if none. */
    int ifindex;                /* Its index, 0 unless 'reason' is NONE. */
    struct eth_addr mac;        /* Its MAC, source of redirected frames. */
    int mtu;                    /* Its MTU in bytes. */
    bool sg;                    /* It takes multi-buffer frames. */
    enum reason reason;         /* NONE when frames can be sent there. */
    int own_ifindex;            /* Index of the bridge's own device, by which
                                 * programs know the bridge; 0: missing. */
};

/* States of an interface. */
enum interface_state {
    INTERFACE_WAITING,          /* Nothing to do, or not yet possible. */
    INTERFACE_ATTACH,           /* To be attached. */
    INTERFACE_REFUSED           /* Will not be attached as things stand. */
};

/* A NIC that the settings name or find. */
struct desired_interface {
    char *name;                 /* Device. */
    int ifindex;                /* 0 while missing. */
    bool switched;              /* Port of an OVS bridge. */
    enum interface_state state; /* See above. */
    enum reason reason;         /* Why not ATTACH. */
    char *detail;               /* Remedy for people, or NULL. */
    struct dp_nic nic;          /* What to attach, if ATTACH. */
};

/* Kinds of endpoint.  The first is shown if an address is of several. */
enum endpoint_kind {
    ENDPOINT_VM,                /* Port of a VM on a provider network. */
    ENDPOINT_LOAD_BALANCER,     /* VIP resident with a gateway. */
    ENDPOINT_FIP_DISTRIBUTED,   /* Floating IP resident with its VM. */
    ENDPOINT_FIP_CENTRALISED,   /* NAT address resident with a gateway. */
    ENDPOINT_ROUTER             /* Gateway port's own address. */
};

/* An address that OVN has placed on this chassis. */
struct desired_endpoint {
    struct hmap_node node;      /* In struct desired, by hash of 'key'. */
    struct dp_key key;          /* Address and arrival VLAN. */
    struct eth_addr mac;        /* Destination MAC that OVN expects. */
    enum endpoint_kind kind;    /* What it is. */
    char *logical_port;         /* Port whose residence decides. */
    char *network;              /* Physical network, or "". */
    const struct desired_bridge *bridge; /* Bridge of it, or NULL. */
    uint16_t vlan;              /* Tag of the network, 0 for none. */
    enum reason reason;         /* NONE: belongs into the datapath. */
    bool pending;               /* With a reason: it will pass by itself. */

    /* Layer L2, by desired_set_acl(). */
    uint32_t acl;               /* Id of its rules in the datapath, or 0. */
    enum reason acl_reason;     /* Why that is 0. */
};

/* An endpoint that came, went or changed. */
struct desired_change {
    struct hmap_node node;      /* In struct desired, by hash of 'key'. */
    struct dp_key key;          /* Which one. */
};

/* The whole.  Pointers into it are valid until the next update. */
struct desired {
    struct desired_bridge *bridges; /* Sorted by name. */
    size_t n_bridges;           /* Number of them. */
    struct desired_interface *interfaces; /* Sorted by name. */
    size_t n_interfaces;        /* Number of them. */
    struct hmap endpoints;      /* Of struct desired_endpoint. */
    struct problems problems;   /* Found on the way; sorted. */
    struct problems fresh_problems; /* Those of them that the last update has
                                     * brought. */

    /* What differs from the last desired_forget_changes(). */
    bool all_changed;           /* Any endpoint, or what it does. */
    struct hmap changed;        /* Otherwise: of struct desired_change. */

    uint64_t n_claims;          /* How often something was asked which
                                 * addresses it claims: what updates cost. */
    uint64_t n_recomputes;      /* Updates that derived all endpoints anew. */
    struct derivation *derivation; /* What is kept for the next update. */
};

struct desired *desired_create(void);
void desired_destroy(struct desired *);
void desired_update(struct desired *, const struct desired_inputs *,
                    const struct desired_changes *);
void desired_forget_changes(struct desired *);
struct desired *desired_compute(const struct desired_inputs *);

const struct desired_endpoint *desired_find_endpoint(const struct desired *,
                                                     const struct dp_key *);
void desired_set_acl(struct desired *, const struct dp_key *, uint32_t acl,
                     enum reason);
bool desired_endpoint_action(const struct desired_endpoint *,
                             struct dp_action *);
const char *endpoint_kind_to_string(enum endpoint_kind);

#endif /* plugin/desired.h */
