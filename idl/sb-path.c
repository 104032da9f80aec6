/* SPDX-License-Identifier: Apache-2.0 */
/* Keeps routes, policies, MAC bindings, QoS flows, and those that ask for the
 * length of packets; see sb-db.h for what they are good for.
 *
 * The replica has all logical flows of the datapaths whose ACLs are read, so
 * that flows cost nothing more; MAC bindings are asked for by datapath.  Not
 * looked at is lr_in_arp_resolve, which changes with every port of every
 * network of a router: next hops that OVN resolves from its own ports are left
 * to confirmation.
 *
 * Like the view of ACLs this is brought up to date when all that was asked for
 * is there, and only then, by comparison with what was known before.  So
 * neither a group of datapaths that northd replaces nor a new connection is a
 * change. */
#include <config.h>

#include "idl/sb-path.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ovsdb-idl.h"
#include "util.h"
#include "uuid.h"

#include "idl/sb-db-acl.h"
#include "idl/sb-db-scope.h"
#include "idl/sb-idl.h"
#include "idl/sb-path-private.h"

/* Makes 'path' one that knows nothing. */
void
sb_path_init(struct sb_path *path)
{
    *path = (struct sb_path) { .ways = sb_ways_create() };
    hmap_init(&path->rows);
    hmap_init(&path->refs);
    row_changes_init(&path->fresh);
    sset_init(&path->datapaths);
    sset_init(&path->tenants);
    sset_init(&path->links);
    sset_init(&path->changed);
}

/* Removes 'row' from 'path' and frees it. */
static void
remove_row(struct sb_path *path, struct path_row *row)
{
    hmap_remove(&path->rows, &row->node);
    for (size_t i = 0; i < row->n_refs; i++) {
        hmap_remove(&path->refs, &row->refs[i].node);
    }
    sb_path_row_destroy(row);
}

/* Adds 'row', which it takes over, to 'path'. */
static void
insert_row(struct sb_path *path, struct path_row *row)
{
    hmap_insert(&path->rows, &row->node, uuid_hash(&row->uuid));
    for (size_t i = 0; i < row->n_refs; i++) {
        struct hmap_node *node = &row->refs[i].node;

        hmap_insert(&path->refs, node, node->hash);
    }
}

/* Makes 'path' know nothing.  Its number stays. */
void
sb_path_clear(struct sb_path *path)
{
    struct path_row *row;

    HMAP_FOR_EACH_SAFE (row, node, &path->rows) {
        remove_row(path, row);
    }
    row_changes_clear(&path->fresh);
    path->filled = false;
    path->judge = false;
    sset_clear(&path->datapaths);
    sset_clear(&path->tenants);
    sset_clear(&path->links);
    sset_clear(&path->changed);
}

/* Frees what 'path' holds, not 'path' itself. */
void
sb_path_destroy(struct sb_path *path)
{
    sb_path_clear(path);
    sb_ways_destroy(path->ways);
    hmap_destroy(&path->rows);
    hmap_destroy(&path->refs);
    row_changes_destroy(&path->fresh);
    sset_destroy(&path->datapaths);
    sset_destroy(&path->tenants);
    sset_destroy(&path->links);
    sset_destroy(&path->changed);
}

/* Registers with 'idl', which is not connected yet, the columns that are read
 * beside those that ACLs need. */
void
sb_path_add_columns(struct ovsdb_idl *idl)
{
    static const struct ovsdb_idl_column *const columns[] = {
        &sbrec_mac_binding_col_datapath,
        &sbrec_mac_binding_col_ip,
        &sbrec_mac_binding_col_logical_port,
        &sbrec_mac_binding_col_mac,
        &sbrec_static_mac_binding_col_datapath,
        &sbrec_static_mac_binding_col_ip,
        &sbrec_static_mac_binding_col_logical_port,
        &sbrec_static_mac_binding_col_mac,
        &sbrec_static_mac_binding_col_override_dynamic_mac,
    };

    for (size_t i = 0; i < ARRAY_SIZE(columns); i++) {
        ovsdb_idl_add_column(idl, columns[i]);
        ovsdb_idl_track_add_column(idl, columns[i]);
    }
}

/* Notes which MAC bindings changed in 'idl' since it was last run.  Flows are
 * noted by the reader of ACLs. */
void
sb_path_note(struct sb_path *path, const struct ovsdb_idl *idl)
{
    const struct sbrec_static_mac_binding *fixed;
    const struct sbrec_mac_binding *learned;

    SBREC_MAC_BINDING_FOR_EACH_TRACKED (learned, idl) {
        row_changes_add(&path->fresh, &learned->header_.uuid, 1);
    }
    SBREC_STATIC_MAC_BINDING_FOR_EACH_TRACKED (fixed, idl) {
        row_changes_add(&path->fresh, &fixed->header_.uuid, 1);
    }
}

/* Changes. */

/* Notes in 'path' that 'datapath' changed, unless it was of no interest before
 * or 'reader' is not interested in it any more: ports of this chassis have
 * come there, or gone. */
static void
note_datapath(struct sb_path *path, const struct sb_acl_reader *reader,
              const char *datapath)
{
    if (path->filled && sset_contains(&path->datapaths, datapath)
        && sset_contains(&reader->datapaths, datapath)) {
        sset_add(&path->changed, datapath);
        path->seqno++;
    }
}

/* Notes in 'path' that the datapaths of 'a' changed, but not those that 'b'
 * has, too, unless that is NULL. */
static void
note_datapaths(struct sb_path *path, const struct sb_acl_reader *reader,
               const struct path_row *a, const struct path_row *b)
{
    for (size_t i = 0; i < a->n_datapaths; i++) {
        char text[UUID_LEN + 1];
        bool both = false;

        for (size_t j = 0; b && j < b->n_datapaths; j++) {
            both |= uuid_equals(&a->datapaths[i], &b->datapaths[j]);
        }
        if (!both) {
            snprintf(text, sizeof text, UUID_FMT,
                     UUID_ARGS(&a->datapaths[i]));
            note_datapath(path, reader, text);
        }
    }
}

/* Returns true if 'row' takes packets elsewhere, and is not just one by which
 * it is judged whether layer L3 may forward them. */
static bool
is_way(const struct path_row *row)
{
    return row->kind != PATH_METER && row->kind != PATH_LENGTH;
}

/* Notes in 'path' that 'row' has come, gone or changed, but for the datapaths
 * that 'same', another version of it that says the same, has, too. */
static void
note_row(struct sb_path *path, const struct sb_acl_reader *reader,
         const struct path_row *row, const struct path_row *same)
{
    if (is_way(row)) {
        note_datapaths(path, reader, row, same);
    } else if (path->filled
               && (!same || row->n_datapaths != same->n_datapaths
                   || memcmp(row->datapaths, same->datapaths,
                             row->n_datapaths * sizeof *row->datapaths))) {
        path->judge = true;
        path->seqno++;
    }
}

/* Notes in 'path' that 'old' has become 'new', either of which may be NULL.
 *
 * A MAC that OVN has learned anew says nothing of flows: without it OVN would
 * not have passed them. */
static void
note_change(struct sb_path *path, const struct sb_acl_reader *reader,
            const struct path_row *old, const struct path_row *new)
{
    bool same = (old && new && old->kind == new->kind
                 && !strcmp(old->text, new->text));

    if (old) {
        note_row(path, reader, old, same ? new : NULL);
    }
    if (new && (old || new->kind != PATH_LEARNED_MAC)) {
        note_row(path, reader, new, same ? old : NULL);
    }
}

/* Returns the row 'uuid' of 'path', or NULL. */
static struct path_row *
find_row(const struct sb_path *path, const struct uuid *uuid)
{
    struct path_row *row;

    HMAP_FOR_EACH_WITH_HASH (row, node, uuid_hash(uuid), &path->rows) {
        if (uuid_equals(&row->uuid, uuid)) {
            return row;
        }
    }
    return NULL;
}

/* Makes 'new', which may be NULL and is taken over, what 'path' knows of the
 * row 'uuid'. */
static void
set_row(struct sb_path *path, const struct sb_acl_reader *reader,
        const struct uuid *uuid, struct path_row *new)
{
    struct path_row *old = find_row(path, uuid);

    note_change(path, reader, old, new);
    if (old) {
        remove_row(path, old);
    }
    if (new) {
        insert_row(path, new);
    }
}

/* Brings 'path' up to date with all rows of 'idl'. */
static void
update_all(struct sb_path *path, const struct sb_acl_reader *reader,
           const struct ovsdb_idl *idl)
{
    const struct sbrec_static_mac_binding *fixed;
    const struct sbrec_mac_binding *learned;
    const struct sbrec_logical_flow *flow;
    struct path_row *row;

    HMAP_FOR_EACH_SAFE (row, node, &path->rows) {
        struct uuid uuid = row->uuid;

        if (!sbrec_logical_flow_get_for_uuid(idl, &uuid)) {
            set_row(path, reader, &uuid,
                    sb_path_read_mac(reader, idl, &uuid));
        }
    }
    SBREC_LOGICAL_FLOW_FOR_EACH (flow, idl) {
        const struct uuid *uuid = &flow->header_.uuid;

        set_row(path, reader, uuid,
                sb_path_read_flow(reader, idl, uuid));
    }
    SBREC_MAC_BINDING_FOR_EACH (learned, idl) {
        const struct uuid *uuid = &learned->header_.uuid;

        set_row(path, reader, uuid, sb_path_read_mac(reader, idl, uuid));
    }
    SBREC_STATIC_MAC_BINDING_FOR_EACH (fixed, idl) {
        const struct uuid *uuid = &fixed->header_.uuid;

        set_row(path, reader, uuid, sb_path_read_mac(reader, idl, uuid));
    }
}

/* Adds to 'links' which networks of 'scope' lead to which ports of routers. */
static void
find_links(const struct sb_scope *scope, struct sset *links)
{
    const struct sb_scope_row *row;

    HMAP_FOR_EACH (row, node, &scope->rows) {
        if (row->role == SB_ROLE_PATCH && row->peer) {
            sset_add_and_free(links, xasprintf(UUID_FMT" %s",
                                               UUID_ARGS(&row->datapath),
                                               row->peer));
        }
    }
}

/* Notes in 'path' that those networks changed that have links in 'a' that are
 * not in 'b', if all of their links were known before, and are in 'scope'. */
static void
note_links(struct sb_path *path, const struct sb_acl_reader *reader,
           const struct sb_scope *scope, const struct sset *a,
           const struct sset *b)
{
    const char *link;

    SSET_FOR_EACH (link, a) {
        char *datapath = xmemdup0(link, UUID_LEN);

        if (!sset_contains(b, link)
            && sset_contains(&path->tenants, datapath)
            && sset_contains(&scope->tenants, datapath)) {
            note_datapath(path, reader, datapath);
        }
        free(datapath);
    }
}

/* Brings the links of 'path' up to date with 'scope'. */
static void
update_links(struct sb_path *path, const struct sb_acl_reader *reader,
             const struct sb_scope *scope)
{
    struct sset links = SSET_INITIALIZER(&links);

    if (path->filled && path->scope_seqno == scope->seqno) {
        return;
    }
    find_links(scope, &links);
    note_links(path, reader, scope, &links, &path->links);
    note_links(path, reader, scope, &path->links, &links);
    sset_swap(&path->links, &links);
    sset_destroy(&links);
    sset_destroy(&path->tenants);
    sset_clone(&path->tenants, &scope->tenants);
    path->scope_seqno = scope->seqno;
}

/* Has 'path' know that it is about the datapaths of 'reader'. */
static void
update_datapaths(struct sb_path *path, const struct sb_acl_reader *reader)
{
    if (!sset_equals(&path->datapaths, &reader->datapaths)) {
        sset_destroy(&path->datapaths);
        sset_clone(&path->datapaths, &reader->datapaths);
    }
}

/* Brings 'path' up to date with 'idl', which has all that was asked for, for
 * the ports of 'scope'.  To be called before sb_acl_reader_update(), after
 * which 'reader' has forgotten what changed.  Returns true if something
 * did. */
bool
sb_path_update(struct sb_path *path, const struct sb_acl_reader *reader,
               const struct sb_scope *scope, const struct ovsdb_idl *idl)
{
    const struct row_change *change;
    unsigned int seqno = path->seqno;

    update_links(path, reader, scope);

    if (!path->filled || reader->all || reader->seen.flows.all) {
        update_all(path, reader, idl);
    } else {
        HMAP_FOR_EACH (change, node, &reader->seen.flows.rows) {
            set_row(path, reader, &change->uuid,
                    sb_path_read_flow(reader, idl, &change->uuid));
        }
        HMAP_FOR_EACH (change, node, &path->fresh.rows) {
            set_row(path, reader, &change->uuid,
                    sb_path_read_mac(reader, idl, &change->uuid));
        }
    }
    update_datapaths(path, reader);
    row_changes_clear(&path->fresh);
    if (!path->filled) {
        /* What could be said before was that nothing limits anybody. */
        path->filled = path->judge = true;
        path->seqno++;
    }
    return path->seqno != seqno;
}

/* Moves to 'datapaths', which is emptied before, the datapaths of 'path' that
 * changed since the last call, and to '*judge' whether something did that says
 * what layer L3 may forward.  Returns a number that changes when any does. */
unsigned int
sb_path_take_changes(struct sb_path *path, struct sset *datapaths,
                     bool *judge)
{
    sset_clear(datapaths);
    sset_swap(datapaths, &path->changed);
    *judge = path->judge;
    path->judge = false;
    return path->seqno;
}
