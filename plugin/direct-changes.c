/* SPDX-License-Identifier: Apache-2.0 */
/* What changed in OVN since the last round, and whose flows are void for it:
 * those of one address where it is known which, otherwise of all. */

#include <config.h>

#include "plugin/direct-private.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "timeval.h"
#include "util.h"
#include "uuid.h"

#include "idl/row-changes.h"
#include "idl/sb-db.h"
#include "plugin/acl.h"
#include "plugin/desired.h"

/* Returns the entry with 'key', or NULL. */
struct direct_entry *
direct_find_entry(const struct direct *direct, const struct dp_key *key)
{
    struct direct_entry *entry;

    HMAP_FOR_EACH_WITH_HASH (entry, node, dp_key_hash(key),
                             &direct->entries) {
        if (dp_key_equals(&entry->key, key)) {
            return entry;
        }
    }
    return NULL;
}

/* Has all flows be void because of 'cause'. */
void
direct_void_all(struct direct *direct, enum direct_cause cause)
{
    direct->void_all = direct->judge_all = true;
    direct->cause = cause;
}

/* Adds 'key' to 'keys', of struct desired_change, unless it is there. */
static void
add_key(struct hmap *keys, const struct dp_key *key)
{
    uint32_t hash = dp_key_hash(key);
    struct desired_change *change;

    HMAP_FOR_EACH_WITH_HASH (change, node, hash, keys) {
        if (dp_key_equals(&change->key, key)) {
            return;
        }
    }
    change = xzalloc(sizeof *change);
    change->key = *key;
    hmap_insert(keys, &change->node, hash);
}

/* Notes that the address with 'key' changed. */
void
direct_note_key(struct direct *direct, const struct dp_key *key)
{
    add_key(&direct->changed, key);
}

/* Notes that the address with 'key' is to be judged. */
void
direct_note_judge(struct direct *direct, const struct dp_key *key)
{
    add_key(&direct->to_judge, key);
}

/* Notes that the addresses are to be judged that the datapath did not take. */
void
direct_note_failed(struct direct *direct)
{
    const struct direct_entry *entry;

    HMAP_FOR_EACH (entry, node, &direct->entries) {
        if (entry->reason == REASON_DIRECT_HOOK
            || entry->reason == REASON_DIRECT_LIMIT
            || entry->reason == REASON_DATAPATH_ERROR) {
            direct_note_judge(direct, &entry->key);
        }
    }
}

/* Returns true if the row 'uuid' is among 'bindings', changed in more than
 * what NAT has to do with. */
static bool
has_row(const struct row_changes *bindings, const struct uuid *uuid)
{
    const struct row_change *row;

    HMAP_FOR_EACH_WITH_HASH (row, node, uuid_hash(uuid), &bindings->rows) {
        if (uuid_equals(&row->uuid, uuid)) {
            return row->parts & SB_BINDING_PORT;
        }
    }
    return false;
}

/* Notes the ports whose rows are among 'bindings': those that had them, and
 * those that have. */
static void
note_bindings(struct direct *direct, const struct row_changes *bindings)
{
    const struct sb_view *sb = sb_db_view(direct->from.sb_db);
    const struct direct_entry *entry;
    const struct row_change *row;

    if (hmap_is_empty(&bindings->rows)) {
        return;
    }
    direct->index_stale = true;
    HMAP_FOR_EACH (entry, node, &direct->entries) {
        if (has_row(bindings, &entry->binding)) {
            direct_note_key(direct, &entry->key);
        }
    }
    HMAP_FOR_EACH (row, node, &bindings->rows) {
        const struct sb_binding *binding
            = sb_view_find_binding(sb, &row->uuid);

        if (binding && row->parts & SB_BINDING_PORT) {
            sset_add(&direct->ports, binding->logical_port);
        }
    }
}

/* Notes what changed, see plugin/direct.h. */
void
direct_note(struct direct *direct, const struct desired *desired,
            const struct row_changes *bindings, bool devices, bool all)
{
    const struct acl *acl = direct->from.acl;
    const struct desired_change *change;
    const struct acl_address *address;
    const char *name;

    direct->index_stale |= devices || all || bindings->all;
    direct->judge_all |= devices || desired->all_changed || acl->nat_changed;
    if (all || bindings->all) {
        direct_void_all(direct, DIRECT_CAUSE_OVN);
        direct_revoke(direct);
        return;
    }
    HMAP_FOR_EACH (change, node, &desired->changed) {
        direct_note_key(direct, &change->key);
    }
    HMAP_FOR_EACH (address, node, &acl->changed_addresses) {
        direct_note_key(direct, &(struct dp_key) { .addr = address->ip });
    }
    SSET_FOR_EACH (name, &acl->touched_ports) {
        sset_add(&direct->ports, name);
    }
    note_bindings(direct, bindings);
    direct_revoke(direct);
}

/* Takes what changed on the way of packets in OVN. */
void
direct_note_paths(struct direct *direct)
{
    struct sset datapaths = SSET_INITIALIZER(&datapaths);
    bool judge;
    unsigned int seqno = sb_db_take_path_changes(direct->from.sb_db,
                                                 &datapaths, &judge);
    const char *name;

    direct->judge_all |= judge;
    if (seqno != direct->path_seqno) {
        direct->path_seqno = seqno;
        SSET_FOR_EACH (name, &datapaths) {
            sset_add(&direct->datapaths, name);
        }
    }
    sset_destroy(&datapaths);
}

/* Voiding. */

/* When flows are void again after a change in OVN, in ms after it.
 *
 * ovn-controller and ovs-vswitchd take their time to follow, and what they
 * pass meanwhile as before is learned anew.  So a flow that OVN no longer
 * wants ends some 50 ms after OVN has followed, as long as that takes it no
 * more than half a second; of what takes longer, in proportion. */
static const int echoes[] = {
    30, 60, 100, 150, 200, 250, 300, 350, 400, 450, 500, 600, 750, 1000, 1500,
    2500
};

/* Has the flows of 'entry' be void some more times from now on. */
void
direct_echo(struct direct *direct, struct direct_entry *entry)
{
    entry->n_echoes = 0;
    entry->echo_at = time_msec() + echoes[0];
    direct->echo_at = MIN(direct->echo_at, entry->echo_at);
}

/* Voids the flows of 'entry' once more, and says when next. */
static void
run_echo(struct direct *direct, struct direct_entry *entry)
{
    unsigned int i = entry->n_echoes;

    if (entry->installed) {
        direct->class->void_direct(direct->dp, &entry->key.addr);
    }
    entry->n_echoes++;
    entry->echo_at = (entry->installed && entry->n_echoes < ARRAY_SIZE(echoes)
                      ? entry->echo_at + echoes[i + 1] - echoes[i]
                      : LLONG_MAX);
}

/* Voids the flows for which that is due at 'now'. */
void
direct_run_echoes(struct direct *direct, long long int now)
{
    struct direct_entry *entry;

    if (now < direct->echo_at) {
        return;
    }
    direct->echo_at = LLONG_MAX;
    HMAP_FOR_EACH (entry, node, &direct->entries) {
        if (entry->echo_at <= now) {
            run_echo(direct, entry);
        }
        direct->echo_at = MIN(direct->echo_at, entry->echo_at);
    }
}

/* Has the flows of 'entry' be void because of 'cause'. */
static void
void_entry(struct direct *direct, struct direct_entry *entry,
           enum direct_cause cause)
{
    if (entry->installed) {
        direct->class->void_direct(direct->dp, &entry->key.addr);
        direct->n_void[cause]++;
        if (cause == DIRECT_CAUSE_OVN) {
            direct_echo(direct, entry);
        }
    }
}

/* Returns true if 'entry' is of what changed, all but addresses. */
static bool
is_concerned(const struct direct *direct, const struct direct_entry *entry)
{
    const struct sb_db *sb_db = direct->from.sb_db;
    const struct sb_binding *binding;

    if (direct->void_all || sset_contains(&direct->ports, entry->port)) {
        return true;
    } else if (sset_is_empty(&direct->datapaths)) {
        return false;
    }
    binding = sb_view_find_binding(sb_db_view(sb_db), &entry->binding);
    return binding && sb_db_is_path_of(sb_db, binding, &entry->key.addr,
                                       &direct->datapaths);
}

/* Notes the addresses of the ports and networks that changed, each by itself:
 * all of them if it is not known which. */
static void
find_changed(struct direct *direct)
{
    const struct direct_entry *entry;

    if (direct->void_all || !sset_is_empty(&direct->ports)
        || !sset_is_empty(&direct->datapaths)) {
        HMAP_FOR_EACH (entry, node, &direct->entries) {
            if (is_concerned(direct, entry)) {
                direct_note_key(direct, &entry->key);
            }
        }
    }
}

/* Voids the flows of all addresses that changed; they are still to be judged.
 * Before the first judgement there is nothing of this daemon's, and what an
 * earlier one has left goes on. */
void
direct_revoke(struct direct *direct)
{
    enum direct_cause cause = (direct->void_all ? direct->cause
                               : DIRECT_CAUSE_OVN);
    struct desired_change *change;

    if (!direct->dp || direct->suppressed) {
        return;
    }
    find_changed(direct);
    HMAP_FOR_EACH_POP (change, node, &direct->changed) {
        struct direct_entry *entry
            = direct_find_entry(direct, &change->key);

        if (entry) {
            void_entry(direct, entry, cause);
        }
        direct_note_judge(direct, &change->key);
        free(change);
    }
    sset_clear(&direct->ports);
    sset_clear(&direct->datapaths);
    direct->void_all = false;
}

/* Returns true if something changed since the last round. */
bool
direct_has_changes(const struct direct *direct)
{
    return (direct->judge_all || direct->void_all
            || !hmap_is_empty(&direct->changed)
            || !hmap_is_empty(&direct->to_judge)
            || !sset_is_empty(&direct->ports)
            || !sset_is_empty(&direct->datapaths));
}

/* Frees 'keys', of struct desired_change. */
static void
clear_keys(struct hmap *keys)
{
    struct desired_change *change;

    HMAP_FOR_EACH_POP (change, node, keys) {
        free(change);
    }
}

/* Forgets what changed since the last round. */
void
direct_forget_changes(struct direct *direct)
{
    clear_keys(&direct->changed);
    clear_keys(&direct->to_judge);
    sset_clear(&direct->ports);
    sset_clear(&direct->datapaths);
    direct->void_all = false;
}
