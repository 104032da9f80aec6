/* SPDX-License-Identifier: Apache-2.0 */
/* Reads what ACLs need from the replica; see sb-acl.h for what it means.
 *
 * What is asked for depends on what has arrived:
 *
 *     networks here --> groups of datapaths --> logical flows --> address sets
 *     ports here ---> port groups
 *
 * and each step is taken when the ones before it are acknowledged, from rows
 * that were only noted until then: first sb_acl_reader_look(), which finds out
 * what flows name, and once all of it is there sb_acl_reader_update(), which
 * is the only one to touch the view.  So a group of datapaths that northd
 * replaces by another one, with which its flows leave the replica until they
 * are asked for again, changes nothing in the view, and does not give up the
 * address sets either.
 *
 * What is noted twice costs a little, so whatever is not sure to be covered
 * row by row is looked at as a whole. */
#include <config.h>

#include "idl/sb-db-acl.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "ovsdb-idl.h"
#include "smap.h"
#include "svec.h"
#include "util.h"
#include "uuid.h"

#include "idl/sb-db-scope.h"
#include "idl/sb-idl.h"

/* The lowest priority of flows of ACLs. */
#define PRIORITY_ACL 1000

/* A row of Logical_DP_Group. */
struct acl_group {
    struct hmap_node node;      /* In sb_acl_reader 'groups'. */
    struct uuid uuid;           /* The row. */
    struct uuid *datapaths;     /* Those of interest in it, sorted. */
    size_t n_datapaths;         /* Number of them. */
};

/* What a flow that is of interest names. */
struct acl_refs {
    struct hmap_node node;      /* In sb_acl_reader 'refs'. */
    struct uuid uuid;           /* Logical_Flow row. */
    struct svec names;          /* Address sets, at least one. */
};

/* Makes 'reader' one that knows nothing. */
void
sb_acl_reader_init(struct sb_acl_reader *reader)
{
    *reader = (struct sb_acl_reader) { .all = true };
    sset_init(&reader->peers);
    sset_init(&reader->datapaths);
    smap_init(&reader->links);
    sset_init(&reader->entrances);
    simap_init(&reader->ports);
    simap_init(&reader->members);
    hmap_init(&reader->groups);
    hmap_init(&reader->refs);
    simap_init(&reader->names);
    row_changes_init(&reader->fresh_groups);
    row_changes_init(&reader->fresh_flows);
    sb_acl_changes_init(&reader->seen);
    sb_acl_reader_reset(reader);
}

/* Removes 'group' from 'reader' and frees it. */
static void
remove_group(struct sb_acl_reader *reader, struct acl_group *group)
{
    hmap_remove(&reader->groups, &group->node);
    free(group->datapaths);
    free(group);
}

/* Removes 'refs' from 'reader' and frees it. */
static void
remove_refs(struct sb_acl_reader *reader, struct acl_refs *refs)
{
    const char *name;
    size_t i;

    SVEC_FOR_EACH (i, name, &refs->names) {
        unsigned int n = simap_get(&reader->names, name);

        if (n > 1) {
            simap_put(&reader->names, name, n - 1);
        } else {
            simap_find_and_delete(&reader->names, name);
            sset_add(&reader->seen.sets, name);
            reader->ask = true;
        }
    }
    hmap_remove(&reader->refs, &refs->node);
    svec_destroy(&refs->names);
    free(refs);
}

/* Frees what 'reader' holds, not 'reader' itself. */
void
sb_acl_reader_destroy(struct sb_acl_reader *reader)
{
    struct acl_group *group;
    struct acl_refs *refs;

    HMAP_FOR_EACH_SAFE (group, node, &reader->groups) {
        remove_group(reader, group);
    }
    HMAP_FOR_EACH_SAFE (refs, node, &reader->refs) {
        remove_refs(reader, refs);
    }
    sset_destroy(&reader->peers);
    sset_destroy(&reader->datapaths);
    free(reader->uuids);
    smap_destroy(&reader->links);
    sset_destroy(&reader->entrances);
    simap_destroy(&reader->ports);
    simap_destroy(&reader->members);
    hmap_destroy(&reader->groups);
    hmap_destroy(&reader->refs);
    simap_destroy(&reader->names);
    row_changes_destroy(&reader->fresh_groups);
    row_changes_destroy(&reader->fresh_flows);
    sb_acl_changes_destroy(&reader->seen);
}

/* Registers with 'idl', which is not connected yet, what 'reader' reads. */
void
sb_acl_reader_attach(struct sb_acl_reader *reader, struct ovsdb_idl *idl)
{
    static const struct ovsdb_idl_column *const columns[] = {
        &sbrec_address_set_col_addresses,
        &sbrec_address_set_col_name,
        &sbrec_datapath_binding_col_tunnel_key,
        &sbrec_logical_dp_group_col_datapaths,
        &sbrec_logical_flow_col_logical_dp_group,
        &sbrec_logical_flow_col_priority,
        &sbrec_logical_flow_col_tags,
        &sbrec_port_group_col_name,
        &sbrec_port_group_col_ports,
    };

    for (size_t i = 0; i < ARRAY_SIZE(columns); i++) {
        ovsdb_idl_add_column(idl, columns[i]);
        ovsdb_idl_track_add_column(idl, columns[i]);
    }
    reader->port_groups
        = ovsdb_idl_index_create1(idl, &sbrec_port_group_col_name);
    reader->address_sets
        = ovsdb_idl_index_create1(idl, &sbrec_address_set_col_name);
    sb_acl_reader_reset(reader);
}

/* Says that 'reader' may not have been told of all changes of the replica. */
void
sb_acl_reader_reset(struct sb_acl_reader *reader)
{
    reader->all_groups = true;
    reader->all_flows = true;
    reader->all = true;
    reader->ask = true;
}

/* Notes what changed in 'idl' since it was last run. */
void
sb_acl_reader_note(struct sb_acl_reader *reader, const struct ovsdb_idl *idl)
{
    const struct sbrec_datapath_binding *datapath;
    const struct sbrec_logical_dp_group *group;
    const struct sbrec_port_group *port_group;
    const struct sbrec_address_set *set;
    const struct sbrec_logical_flow *flow;

    SBREC_LOGICAL_DP_GROUP_FOR_EACH_TRACKED (group, idl) {
        row_changes_add(&reader->fresh_groups, &group->header_.uuid, 1);
    }
    SBREC_LOGICAL_FLOW_FOR_EACH_TRACKED (flow, idl) {
        row_changes_add(&reader->fresh_flows, &flow->header_.uuid, 1);
    }
    SBREC_PORT_GROUP_FOR_EACH_TRACKED (port_group, idl) {
        sset_add(&reader->seen.groups, port_group->name);
        reader->all_ports |= sbrec_port_group_is_updated(
            port_group, SBREC_PORT_GROUP_COL_NAME);
    }
    SBREC_ADDRESS_SET_FOR_EACH_TRACKED (set, idl) {
        sset_add(&reader->seen.sets, set->name);
        reader->all |= sbrec_address_set_is_updated(
            set, SBREC_ADDRESS_SET_COL_NAME);
    }
    SBREC_DATAPATH_BINDING_FOR_EACH_TRACKED (datapath, idl) {
        reader->seen.datapaths = true;
    }
}

/* Scope. */

/* Compares two UUIDs, for qsort() and bsearch(). */
static int
compare_uuids(const void *a, const void *b)
{
    return uuid_compare_3way(a, b);
}

/* Makes 'datapaths', which are emptied, those of 'reader'. */
static void
set_datapaths(struct sb_acl_reader *reader, struct sset *datapaths)
{
    const char *text;

    sset_swap(&reader->datapaths, datapaths);
    reader->uuids = xrealloc(reader->uuids, sset_count(&reader->datapaths)
                                            * sizeof *reader->uuids);
    reader->n_uuids = 0;
    SSET_FOR_EACH (text, &reader->datapaths) {
        reader->n_uuids += uuid_from_string(&reader->uuids[reader->n_uuids],
                                            text);
    }
    if (reader->n_uuids) {
        qsort(reader->uuids, reader->n_uuids, sizeof *reader->uuids,
              compare_uuids);
    }
    reader->all_groups = true;
    reader->seen.datapaths = true;
    reader->ask = true;
}

/* Returns true if 'reader' is interested in the datapath 'uuid'. */
bool
sb_acl_reader_has_datapath(const struct sb_acl_reader *reader,
                           const struct uuid *uuid)
{
    return (reader->n_uuids
            && bsearch(uuid, reader->uuids, reader->n_uuids,
                       sizeof *reader->uuids, compare_uuids));
}

/* Adds the elements of 'src' to 'dst'. */
static void
add_all(struct sset *dst, const struct sset *src)
{
    const char *text;

    SSET_FOR_EACH (text, src) {
        sset_add(dst, text);
    }
}

/* Makes the links of 'reader' those of 'scope'. */
static void
follow_links(struct sb_acl_reader *reader, const struct sb_scope *scope)
{
    struct smap links = SMAP_INITIALIZER(&links);

    sb_scope_get_links(scope, &reader->datapaths, &links);
    if (!smap_equal(&links, &reader->links)) {
        smap_destroy(&reader->links);
        smap_clone(&reader->links, &links);
        reader->seen.datapaths = true;
    }
    smap_destroy(&links);
}

/* Has 'reader' ask for the port groups of the right ports. */
static void
follow_members(struct sb_acl_reader *reader)
{
    const struct simap_node *port;
    const char *name;

    simap_clear(&reader->members);
    SIMAP_FOR_EACH (port, &reader->ports) {
        simap_put(&reader->members, port->name, port->data);
    }
    SSET_FOR_EACH (name, &reader->entrances) {
        simap_put(&reader->members, name, 1);
    }
    reader->all_ports = true;
    reader->ask = true;
}

/* Makes the entrances of 'reader' those of 'scope'. */
static void
follow_entrances(struct sb_acl_reader *reader, const struct sb_scope *scope)
{
    struct sset entrances = SSET_INITIALIZER(&entrances);

    sb_scope_get_entrances(scope, &reader->datapaths, &entrances);
    if (!sset_equals(&entrances, &reader->entrances)) {
        sset_swap(&reader->entrances, &entrances);
        reader->seen.datapaths = true;
        follow_members(reader);
    }
    sset_destroy(&entrances);
}

/* Makes 'reader' interested in the datapaths of 'scope', and in those in front
 * of routers whose ports are 'peers'. */
static void
follow_scope(struct sb_acl_reader *reader, const struct sb_scope *scope,
             const struct sset *peers)
{
    struct sset datapaths = SSET_INITIALIZER(&datapaths);

    sb_scope_get_fronts(scope, peers, &datapaths);
    add_all(&datapaths, &scope->switches);
    add_all(&datapaths, &scope->routers);
    if (!sset_equals(&datapaths, &reader->datapaths)) {
        set_datapaths(reader, &datapaths);
    }
    sset_destroy(&datapaths);
    follow_links(reader, scope);
    follow_entrances(reader, scope);
    reader->scope_seqno = scope->seqno;
    sset_destroy(&reader->peers);
    sset_clone(&reader->peers, peers);
}

/* Makes 'reader' interested in what follows from 'scope' and from 'peers',
 * router ports at which frames arrive here. */
void
sb_acl_reader_set_scope(struct sb_acl_reader *reader,
                        const struct sb_scope *scope,
                        const struct sset *peers)
{
    if (scope->seqno != reader->scope_seqno
        || !sset_equals(&reader->peers, peers)) {
        follow_scope(reader, scope, peers);
    }
    if (scope->vifs_seqno != reader->vifs_seqno) {
        const struct simap_node *vif;

        simap_clear(&reader->ports);
        SIMAP_FOR_EACH (vif, &scope->vifs) {
            simap_put(&reader->ports, vif->name, vif->data);
        }
        follow_members(reader);
        reader->vifs_seqno = scope->vifs_seqno;
    }
}

/* Groups of datapaths. */

/* Returns the group 'uuid' of 'reader', or NULL. */
static struct acl_group *
find_group(const struct sb_acl_reader *reader, const struct uuid *uuid)
{
    struct acl_group *group;

    HMAP_FOR_EACH_WITH_HASH (group, node, uuid_hash(uuid), &reader->groups) {
        if (uuid_equals(&group->uuid, uuid)) {
            return group;
        }
    }
    return NULL;
}

/* Stores into '*datapathsp' a new array, sorted, of those of the 'n' elements
 * of 'uuids' that 'reader' is interested in, or NULL.  Returns how many. */
static size_t
pick_datapaths(const struct sb_acl_reader *reader, const struct uuid *uuids,
               size_t n, struct uuid **datapathsp)
{
    size_t n_picked = 0;

    *datapathsp = NULL;
    for (size_t i = 0; i < n; i++) {
        if (sb_acl_reader_has_datapath(reader, &uuids[i])) {
            *datapathsp = xrealloc(*datapathsp,
                                   (n_picked + 1) * sizeof **datapathsp);
            (*datapathsp)[n_picked++] = uuids[i];
        }
    }
    if (n_picked) {
        qsort(*datapathsp, n_picked, sizeof *uuids, compare_uuids);
    }
    return n_picked;
}

/* Brings the group 'uuid' of 'reader' up to date with 'idl'.  A group that is
 * new has no flows yet: those that it has arrive later, or in the same
 * transaction, and are noted themselves. */
static void
update_group(struct sb_acl_reader *reader, const struct ovsdb_idl *idl,
             const struct uuid *uuid)
{
    const struct sbrec_logical_dp_group *row
        = sbrec_logical_dp_group_get_for_uuid(idl, uuid);
    struct acl_group *group = find_group(reader, uuid);

    if (!row) {
        if (group) {
            remove_group(reader, group);
        }
        return;
    }

    struct uuid *datapaths;
    size_t n = pick_datapaths(reader, row->datapaths, row->n_datapaths,
                              &datapaths);
    if (!group) {
        group = xzalloc(sizeof *group);
        group->uuid = *uuid;
        hmap_insert(&reader->groups, &group->node, uuid_hash(uuid));
    } else if (n != group->n_datapaths
               || (n && memcmp(datapaths, group->datapaths,
                               n * sizeof *datapaths))) {
        reader->all_flows = true;
    }
    free(group->datapaths);
    group->datapaths = datapaths;
    group->n_datapaths = n;
}

/* Brings the groups of 'reader' up to date with 'idl'. */
static void
update_groups(struct sb_acl_reader *reader, const struct ovsdb_idl *idl)
{
    const struct sbrec_logical_dp_group *row;
    const struct row_change *change;
    struct acl_group *group;

    if (reader->all_groups) {
        HMAP_FOR_EACH_SAFE (group, node, &reader->groups) {
            remove_group(reader, group);
        }
        SBREC_LOGICAL_DP_GROUP_FOR_EACH (row, idl) {
            update_group(reader, idl, &row->header_.uuid);
        }
        reader->all_flows = true;
        reader->all_groups = false;
    }
    HMAP_FOR_EACH (change, node, &reader->fresh_groups.rows) {
        update_group(reader, idl, &change->uuid);
    }
    row_changes_clear(&reader->fresh_groups);
}

/* Flows. */

/* Returns true if 'row' is kept, of those that are for 'stage'. */
static bool
is_kept(const struct sbrec_logical_flow *row, enum sb_acl_stage stage)
{
    return (stage == SB_ACL_FROM ? row->priority >= PRIORITY_ACL
            : stage == SB_ACL_ACTION ? strstr(row->actions, "sample(") != NULL
            : true);
}

/* Stores into '*stagep' what 'row' is for.  Returns false if for nothing that
 * is kept. */
static bool
flow_stage(const struct sbrec_logical_flow *row, enum sb_acl_stage *stagep)
{
    static const struct {
        const char *name;
        enum sb_acl_stage stage;
    } stages[] = {
        { "ls_out_pre_acl", SB_ACL_PRE },
        { "ls_out_acl", SB_ACL_EVAL },
        { "ls_out_acl_eval", SB_ACL_EVAL },
        { "ls_in_acl", SB_ACL_FROM },
        { "ls_in_acl_eval", SB_ACL_FROM },
        { "ls_in_acl_after_lb", SB_ACL_FROM },
        { "ls_in_acl_after_lb_eval", SB_ACL_FROM },
        { "ls_in_acl_action", SB_ACL_ACTION },
        { "ls_in_acl_after_lb_action", SB_ACL_ACTION },
        { "ls_out_acl_action", SB_ACL_ACTION },
        { "ls_in_lb", SB_ACL_SWITCH_LB },
        { "lr_in_dnat", SB_ACL_ROUTER_DNAT },
        { "lr_in_policy", SB_ACL_ROUTER_POLICY },
        { "lr_in_ip_routing", SB_ACL_ROUTER_ROUTE },
        { "lr_out_snat", SB_ACL_ROUTER_SNAT },
        { "ls_in_mirror", SB_ACL_MIRROR_IN },
        { "ls_out_mirror", SB_ACL_MIRROR_OUT },
    };
    const char *name = smap_get_def(&row->external_ids, "stage-name", "");

    for (size_t i = 0; i < ARRAY_SIZE(stages); i++) {
        if (!strcmp(name, stages[i].name)) {
            *stagep = stages[i].stage;
            return is_kept(row, *stagep);
        }
    }
    *stagep = SB_ACL_SWITCH_LB;
    return (!strncmp(name, "ls_in_", 6)
            && (strstr(row->actions, "ct_lb")
                || strstr(row->actions, "trigger_event")
                || (!strcmp(name, "ls_in_stateful")
                    && strstr(row->match, "ct.new"))));
}

/* Stores into '*datapathsp' a new array of the datapaths of 'row' that
 * 'reader' is interested in, sorted, or NULL.  Returns how many. */
size_t
sb_acl_reader_get_datapaths(const struct sb_acl_reader *reader,
                            const struct sbrec_logical_flow *row,
                            struct uuid **datapathsp)
{
    const struct acl_group *group
        = row->n_logical_dp_group ? find_group(reader, row->logical_dp_group)
                                  : NULL;
    struct uuid *all;
    size_t n = group ? group->n_datapaths : 0;

    all = xmalloc((n + 1) * sizeof *all);
    if (n) {
        memcpy(all, group->datapaths, n * sizeof *all);
    }
    if (row->n_logical_datapath
        && !(n && bsearch(row->logical_datapath, all, n, sizeof *all,
                          compare_uuids))) {
        all[n++] = *row->logical_datapath;
    }
    n = pick_datapaths(reader, all, n, datapathsp);
    free(all);
    return n;
}

/* Returns what the row 'uuid' of 'idl' says, or NULL if it is not there or of
 * no interest to 'reader'. */
struct sb_acl_flow *
sb_acl_reader_read_flow(const struct sb_acl_reader *reader,
                        const struct ovsdb_idl *idl, const struct uuid *uuid)
{
    const struct sbrec_logical_flow *row
        = sbrec_logical_flow_get_for_uuid(idl, uuid);
    enum sb_acl_stage stage;
    struct uuid *datapaths;
    size_t n_datapaths;

    if (!row || !flow_stage(row, &stage)
        || !(n_datapaths = sb_acl_reader_get_datapaths(reader, row,
                                                       &datapaths))) {
        return NULL;
    }

    struct sb_acl_flow *flow = xmalloc(sizeof *flow);
    *flow = (struct sb_acl_flow) {
        .uuid = *uuid,
        .stage = stage,
        .priority = row->priority,
        .match = xstrdup(row->match),
        .actions = xstrdup(row->actions),
        .ct_translated = smap_get_bool(&row->tags, "acl_ct_translation",
                                       false),
        .datapaths = datapaths,
        .n_datapaths = n_datapaths,
    };
    return flow;
}

/* Adds to 'names' the address sets that 'match' names: "$" and an identifier.
 * One too many, as from within quotes, does no harm. */
static void
find_names(const char *match, struct svec *names)
{
    const char *p = match;

    while ((p = strchr(p, '$'))) {
        size_t n = 0;

        p++;
        while (isalnum((unsigned char) p[n]) || p[n] == '_' || p[n] == '.') {
            n++;
        }
        if (n) {
            svec_add_nocopy(names, xmemdup0(p, n));
        }
        p += n;
    }
    svec_sort_unique(names);
}

/* Returns the references of the row 'uuid' in 'reader', or NULL. */
static struct acl_refs *
find_refs(const struct sb_acl_reader *reader, const struct uuid *uuid)
{
    struct acl_refs *refs;

    HMAP_FOR_EACH_WITH_HASH (refs, node, uuid_hash(uuid), &reader->refs) {
        if (uuid_equals(&refs->uuid, uuid)) {
            return refs;
        }
    }
    return NULL;
}

/* Remembers in 'reader' that the flow 'uuid' names 'names', which it takes
 * over. */
static void
set_refs(struct sb_acl_reader *reader, const struct uuid *uuid,
         struct svec *names)
{
    struct acl_refs *old = find_refs(reader, uuid);
    const char *name;
    size_t i;

    if (names->n) {
        struct acl_refs *refs = xmalloc(sizeof *refs);

        refs->uuid = *uuid;
        refs->names = *names;
        SVEC_FOR_EACH (i, name, names) {
            unsigned int n = simap_get(&reader->names, name);

            if (!n) {
                sset_add(&reader->seen.sets, name);
                reader->ask = true;
            }
            simap_put(&reader->names, name, n + 1);
        }
        hmap_insert(&reader->refs, &refs->node, uuid_hash(uuid));
    }
    if (old) {
        remove_refs(reader, old);
    }
}

/* Finds out what the row 'uuid' of 'idl' names, for 'reader'. */
static void
look_at_flow(struct sb_acl_reader *reader, const struct ovsdb_idl *idl,
             const struct uuid *uuid)
{
    struct sb_acl_flow *flow = sb_acl_reader_read_flow(reader, idl, uuid);
    struct svec names = SVEC_EMPTY_INITIALIZER;

    if (flow) {
        find_names(flow->match, &names);
    }
    set_refs(reader, uuid, &names);
    sb_acl_flow_destroy(flow);
}

/* Finds out what 'idl', which has all logical flows that were asked for, needs
 * beside them. */
void
sb_acl_reader_look(struct sb_acl_reader *reader, const struct ovsdb_idl *idl)
{
    const struct sbrec_logical_flow *row;
    const struct row_change *change;
    struct acl_refs *refs;

    update_groups(reader, idl);
    if (reader->all_flows) {
        HMAP_FOR_EACH_SAFE (refs, node, &reader->refs) {
            if (!sbrec_logical_flow_get_for_uuid(idl, &refs->uuid)) {
                remove_refs(reader, refs);
            }
        }
        SBREC_LOGICAL_FLOW_FOR_EACH (row, idl) {
            look_at_flow(reader, idl, &row->header_.uuid);
        }
        reader->all_flows = false;
        reader->seen.flows.all = true;
    }
    HMAP_FOR_EACH (change, node, &reader->fresh_flows.rows) {
        look_at_flow(reader, idl, &change->uuid);
    }
    row_changes_move(&reader->seen.flows, &reader->fresh_flows);
}
