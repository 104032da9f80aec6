/* SPDX-License-Identifier: Apache-2.0 */
/* From rows of the Southbound replica to a struct sb_acl_view.  Used by
 * sb-db.c only. */
#ifndef IDL_SB_DB_ACL_H
#define IDL_SB_DB_ACL_H 1

#include <stdbool.h>
#include "idl/sb-acl.h"
#include "openvswitch/hmap.h"
#include "openvswitch/uuid.h"
#include "simap.h"
#include "smap.h"
#include "sset.h"

struct ovsdb_idl;
struct ovsdb_idl_index;
struct sbrec_logical_flow;
struct sb_scope;

/* What is known of rows, and what of them is not in the view yet. */
struct sb_acl_reader {
    /* What is of interest. */
    struct sset peers;          /* Router ports whose switches matter. */
    struct sset datapaths;      /* UUIDs, as text. */
    struct uuid *uuids;         /* The same, sorted. */
    size_t n_uuids;             /* Number of them. */
    struct smap links;          /* Router ports, to the datapath of the switch
                                 * that leads there, as text. */
    struct sset entrances;      /* Ports by which packets come in. */
    struct simap ports;         /* Names of VMs' ports here. */
    struct simap members;       /* Both: whose port groups matter. */
    unsigned int scope_seqno;   /* Of the scope that 'datapaths' are from. */
    unsigned int vifs_seqno;    /* Likewise, 'ports'. */

    /* What flows refer to. */
    struct hmap groups;         /* Of struct acl_group, by hash of 'uuid'. */
    struct hmap refs;           /* Of struct acl_refs, likewise. */
    struct simap names;         /* Names of address sets, to how many flows
                                 * name them. */

    bool ask;                   /* 'datapaths', 'ports' or 'names' may not be
                                 * what is asked for.  For users to reset. */

    /* What changed in the replica and was not looked at yet. */
    bool all_groups;            /* All groups of datapaths, and all flows. */
    bool all_flows;             /* All flows. */
    struct row_changes fresh_groups; /* These groups of datapaths. */
    struct row_changes fresh_flows; /* These flows. */

    /* What has been looked at but is not in the view yet. */
    bool all;                   /* All of it. */
    bool all_ports;             /* All port groups. */
    struct sb_acl_changes seen; /* These rows. */

    /* Indexes of the replica by name. */
    struct ovsdb_idl_index *port_groups; /* Port_Group. */
    struct ovsdb_idl_index *address_sets; /* Address_Set. */
};

void sb_acl_reader_init(struct sb_acl_reader *);
void sb_acl_reader_destroy(struct sb_acl_reader *);
void sb_acl_reader_attach(struct sb_acl_reader *, struct ovsdb_idl *);
void sb_acl_reader_reset(struct sb_acl_reader *);

void sb_acl_reader_note(struct sb_acl_reader *, const struct ovsdb_idl *);
void sb_acl_reader_set_scope(struct sb_acl_reader *, const struct sb_scope *,
                             const struct sset *peers);
bool sb_acl_reader_has_datapath(const struct sb_acl_reader *,
                                const struct uuid *);
size_t sb_acl_reader_get_datapaths(const struct sb_acl_reader *,
                                   const struct sbrec_logical_flow *,
                                   struct uuid **datapathsp);
struct sb_acl_flow *sb_acl_reader_read_flow(const struct sb_acl_reader *,
                                            const struct ovsdb_idl *,
                                            const struct uuid *);
void sb_acl_reader_look(struct sb_acl_reader *, const struct ovsdb_idl *);
bool sb_acl_reader_update(struct sb_acl_reader *, const struct ovsdb_idl *,
                          struct sb_acl_view *);

#endif /* idl/sb-db-acl.h */
