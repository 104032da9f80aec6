/* SPDX-License-Identifier: Apache-2.0 */
/* What else changes the way of packets, or meters them, in the logical
 * datapaths whose ACLs are read.  Used by sb-db.c only. */
#ifndef IDL_SB_PATH_H
#define IDL_SB_PATH_H 1

#include <netinet/in.h>
#include <stdbool.h>
#include "idl/row-changes.h"
#include "openvswitch/hmap.h"
#include "sset.h"

struct ovsdb_idl;
struct sb_acl_reader;
struct sb_binding;
struct sb_db;
struct sb_scope;
struct sb_view;
struct sb_ways;

/* What is known of it.  Datapaths are UUIDs as text. */
struct sb_path {
    struct hmap rows;           /* Of struct path_row, by hash of 'uuid'. */
    struct hmap refs;           /* Of struct path_ref: those of them that are
                                 * looked for by port. */
    struct row_changes fresh;   /* MAC bindings that changed in the replica and
                                 * were not looked at yet. */
    bool filled;                /* 'rows' was up to date once: what differs
                                 * from it is a change. */
    struct sset datapaths;      /* Those that 'rows' is about. */
    struct sset tenants;        /* Networks whose routers are in 'links'. */
    struct sset links;          /* "DATAPATH PORT": network and port of a
                                 * router that it leads to. */
    unsigned int scope_seqno;   /* Of the scope that these two are from. */
    struct sset changed;        /* Datapaths that changed, until they are
                                 * taken. */
    bool judge;                 /* What is metered or how long packets may be
                                 * changed, likewise. */
    unsigned int seqno;         /* Changes when any does. */
    struct sb_ways *ways;       /* How things hang together. */
};

/* A port that is asked about. */
struct sb_path_query {
    const struct sb_path *path; /* What is known. */
    const struct sb_view *view; /* The view. */
    const struct sb_scope *scope; /* What ports lead to. */
    const struct sb_binding *binding; /* The port. */
    const struct in6_addr *external; /* Its address outside, or NULL. */
};

void sb_path_init(struct sb_path *);
void sb_path_destroy(struct sb_path *);
void sb_path_clear(struct sb_path *);

void sb_path_add_columns(struct ovsdb_idl *);
void sb_path_note(struct sb_path *, const struct ovsdb_idl *);
void sb_path_note_facts(struct sb_path *);
bool sb_path_update(struct sb_path *, const struct sb_acl_reader *,
                    const struct sb_scope *, const struct ovsdb_idl *);

unsigned int sb_path_take_changes(struct sb_path *, struct sset *datapaths,
                                  bool *judge);
struct sb_path_query sb_db_path_query(const struct sb_db *,
                                      const struct sb_binding *,
                                      const struct in6_addr *external);

#endif /* idl/sb-path.h */
