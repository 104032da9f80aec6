/* SPDX-License-Identifier: Apache-2.0 */
/* Which routers can have addresses on this chassis.  Used by sb-db*.c only. */
#ifndef IDL_SB_DB_SCOPE_H
#define IDL_SB_DB_SCOPE_H 1

#include <stdbool.h>
#include "openvswitch/hmap.h"
#include "openvswitch/shash.h"
#include "openvswitch/uuid.h"
#include "simap.h"
#include "sset.h"

struct ovsdb_idl;
struct smap;

/* Why a binding is of interest. */
enum sb_scope_role {
    SB_ROLE_NONE,               /* It is not. */
    SB_ROLE_VIF,                /* Port of a VM here. */
    SB_ROLE_LOCALNET,           /* Makes its datapath a provider network. */
    SB_ROLE_PATCH,              /* Between switch and router, either side. */
    SB_ROLE_REDIRECT,           /* chassisredirect here. */
    SB_ROLE_GATEWAY,            /* l3gateway here, the router's side. */
    SB_ROLE_UPLINK              /* l3gateway here, the switch's side. */
};

/* A binding that is of interest. */
struct sb_scope_row {
    struct hmap_node node;      /* In struct sb_scope. */
    struct uuid uuid;           /* Port_Binding row. */
    struct uuid datapath;       /* Its datapath. */
    enum sb_scope_role role;    /* Never SB_ROLE_NONE. */
    char *name;                 /* Its logical_port. */
    char *peer;                 /* Its options:peer, or NULL. */
};

/* What follows from bindings.  Datapaths are UUIDs as text.
 *
 * The members after 'dirty' are up to date after sb_scope_settle(). */
struct sb_scope {
    struct hmap rows;           /* Of struct sb_scope_row, by 'uuid'. */
    struct hmap datapaths;      /* Of struct scope_datapath, likewise. */
    struct simap vifs;          /* Names of VMs' ports here, to the number of
                                 * rows with that name. */
    bool vifs_changed;          /* Names in 'vifs' came or went.  For users to
                                 * reset. */
    unsigned int vifs_seqno;    /* Changes when they do. */
    unsigned int seqno;         /* Changes with the members after 'dirty'. */
    bool dirty;                 /* What follows is out of date. */

    struct sset switches;       /* Datapaths of VMs here. */
    struct sset tenants;        /* Datapaths of VMs here that are no provider
                                 * network. */
    struct sset router_ports;   /* Router ports that 'tenants' lead to. */
    struct sset routers;        /* Datapaths of these, and of gateways here. */
    struct shash gateways;      /* Name of a gateway router's port here, to
                                 * the datapath (a string) of the router. */
};

void sb_scope_init(struct sb_scope *);
void sb_scope_destroy(struct sb_scope *);

void sb_scope_update_row(struct sb_scope *, const struct ovsdb_idl *,
                         const struct uuid *row, const struct uuid *chassis,
                         bool hold);
void sb_scope_update_all(struct sb_scope *, const struct ovsdb_idl *,
                         const struct uuid *chassis, bool hold);
bool sb_scope_settle(struct sb_scope *);
void sb_scope_get_fronts(const struct sb_scope *, const struct sset *peers,
                         struct sset *fronts);
void sb_scope_get_links(const struct sb_scope *, const struct sset *datapaths,
                        struct smap *links);
void sb_scope_get_entrances(const struct sb_scope *,
                            const struct sset *datapaths,
                            struct sset *entrances);

#endif /* idl/sb-db-scope.h */
