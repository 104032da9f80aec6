/* SPDX-License-Identifier: Apache-2.0 */
/* Sources and what they depend on; see plugin/desired-private.h.
 *
 * A look-up stands between the rows that answer it and the sources that asked
 * it.  It is there as long as there is one of either, so that a question
 * without an answer is remembered, too. */

#include <config.h>

#include "plugin/desired-private.h"

#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "util.h"
#include "uuid.h"

#include "idl/sb-db.h"

/* Something that can be asked for. */
struct lookup {
    struct hmap_node node;      /* In struct derivation, by kind and name. */
    enum lookup_kind kind;      /* What is asked for... */
    char *name;                 /* ...by which name. */
    struct ovs_list answers;    /* Of struct answer. */
    struct ovs_list questions;  /* Of struct question. */
};

/* A row that answers a look-up. */
struct answer {
    struct ovs_list lookup_node; /* In struct lookup. */
    struct ovs_list row_node;   /* In struct row. */
    struct lookup *lookup;      /* What it answers. */
    const struct row *row;      /* The row. */
};

/* A source that asked a look-up. */
struct question {
    struct ovs_list lookup_node; /* In struct lookup. */
    struct ovs_list source_node; /* In struct source. */
    struct lookup *lookup;      /* What was asked. */
    struct source *source;      /* Who asked. */
};

/* Makes 'd' one that has derived nothing yet, for 'desired'. */
void
derivation_init(struct derivation *d, struct desired *desired)
{
    *d = (struct derivation) { .desired = desired };
    smap_init(&d->mappings);
    sset_init(&d->plugged);
    sset_init(&d->exclude);
    problem_set_init(&d->problems);
    hmap_init(&d->rows);
    hmap_init(&d->sources);
    hmap_init(&d->lookups);
    ovs_list_init(&d->dirty_sources);
    ovs_list_init(&d->dirty_addresses);
}

/* Frees what 'd' holds, not 'd' itself, and its addresses. */
void
derivation_destroy(struct derivation *d)
{
    derivation_clear(d);
    addresses_free(d);
    hmap_destroy(&d->rows);
    hmap_destroy(&d->sources);
    hmap_destroy(&d->lookups);
    smap_destroy(&d->mappings);
    sset_destroy(&d->plugged);
    sset_destroy(&d->exclude);
    problems_destroy(&d->device_problems);
    problem_set_destroy(&d->problems);
}

/* Drops all rows and sources of 'd'. */
void
derivation_clear(struct derivation *d)
{
    struct source *source;
    struct row *row;

    HMAP_FOR_EACH_SAFE (row, node, &d->rows) {
        row_drop(d, row);
    }
    HMAP_FOR_EACH_SAFE (source, node, &d->sources) {
        source_drop(d, source);
    }
    ovs_assert(hmap_is_empty(&d->lookups));
}

/* Look-ups. */

/* Returns the look-up of 'kind' by 'name', whose hash is 'hash', in 'd', or
 * NULL. */
static struct lookup *
find_lookup(const struct derivation *d, enum lookup_kind kind,
            const char *name, uint32_t hash)
{
    struct lookup *lookup;

    HMAP_FOR_EACH_WITH_HASH (lookup, node, hash, &d->lookups) {
        if (lookup->kind == kind && !strcmp(lookup->name, name)) {
            return lookup;
        }
    }
    return NULL;
}

/* Returns the look-up of 'kind' by 'name' in 'd', made if need be. */
static struct lookup *
get_lookup(struct derivation *d, enum lookup_kind kind, const char *name)
{
    uint32_t hash = hash_string(name, kind);
    struct lookup *lookup = find_lookup(d, kind, name, hash);

    if (lookup) {
        return lookup;
    }
    lookup = xmalloc(sizeof *lookup);
    *lookup = (struct lookup) { .kind = kind, .name = xstrdup(name) };
    ovs_list_init(&lookup->answers);
    ovs_list_init(&lookup->questions);
    hmap_insert(&d->lookups, &lookup->node, hash);
    return lookup;
}

/* Frees 'lookup' if neither answer nor question is left. */
static void
put_lookup(struct derivation *d, struct lookup *lookup)
{
    if (ovs_list_is_empty(&lookup->answers)
        && ovs_list_is_empty(&lookup->questions)) {
        hmap_remove(&d->lookups, &lookup->node);
        free(lookup->name);
        free(lookup);
    }
}

/* Has 'source' claim anew. */
static void
make_dirty(struct derivation *d, struct source *source)
{
    if (ovs_list_is_empty(&source->dirty_node)) {
        ovs_list_push_back(&d->dirty_sources, &source->dirty_node);
    }
}

/* Has the sources that asked 'lookup' claim anew, as the answer may be another
 * one. */
static void
answers_changed(struct derivation *d, const struct lookup *lookup)
{
    const struct question *question;

    LIST_FOR_EACH (question, lookup_node, &lookup->questions) {
        make_dirty(d, question->source);
    }
}

/* Remembers that what 'source' claims depends on 'lookup'. */
static void
add_question(struct source *source, struct lookup *lookup)
{
    struct question *question;

    LIST_FOR_EACH (question, source_node, &source->questions) {
        if (question->lookup == lookup) {
            return;
        }
    }
    question = xmalloc(sizeof *question);
    question->lookup = lookup;
    question->source = source;
    ovs_list_push_back(&lookup->questions, &question->lookup_node);
    ovs_list_push_back(&source->questions, &question->source_node);
}

/* Forgets what 'source' asked. */
static void
retract_questions(struct derivation *d, struct source *source)
{
    struct question *question;

    LIST_FOR_EACH_POP (question, source_node, &source->questions) {
        ovs_list_remove(&question->lookup_node);
        put_lookup(d, question->lookup);
        free(question);
    }
}

/* Returns the binding that answers the look-up of 'kind' by 'name', or NULL,
 * and has 'source' claim anew when that may be another one.  Of several it is
 * the first by 'precedes', unless that is NULL, then by UUID. */
const struct sb_binding *
lookup_ask(struct derivation *d, struct source *source, enum lookup_kind kind,
           const char *name, lookup_precedes *precedes)
{
    struct lookup *lookup = get_lookup(d, kind, name);
    const struct sb_binding *best = NULL;
    const struct answer *answer;

    add_question(source, lookup);
    LIST_FOR_EACH (answer, lookup_node, &lookup->answers) {
        const struct sb_binding *binding
            = sb_view_find_binding(d->in->sb, &answer->row->uuid);

        if (!best
            || (precedes && precedes(d, binding, best))
            || (!(precedes && precedes(d, best, binding))
                && uuid_compare_3way(&binding->uuid, &best->uuid) < 0)) {
            best = binding;
        }
    }
    return best;
}

/* Has the sources that asked the look-up of 'kind' by 'name' claim anew. */
void
lookup_touch(struct derivation *d, enum lookup_kind kind, const char *name)
{
    const struct lookup *lookup = find_lookup(d, kind, name,
                                              hash_string(name, kind));

    if (lookup) {
        answers_changed(d, lookup);
    }
}

/* Sources. */

/* Returns the hash of a source. */
static uint32_t
source_hash(enum source_kind kind, const struct uuid *uuid, const char *text)
{
    return hash_string(text ? text : "", hash_add(uuid_hash(uuid), kind));
}

/* Returns the source of 'd' that is the part 'text', or NULL for all, of the
 * row 'uuid'; NULL if there is none. */
struct source *
source_find(const struct derivation *d, enum source_kind kind,
            const struct uuid *uuid, const char *text)
{
    struct source *source;

    HMAP_FOR_EACH_WITH_HASH (source, node, source_hash(kind, uuid, text),
                             &d->sources) {
        if (source->kind == kind && uuid_equals(&source->uuid, uuid)
            && nullable_string_is_equal(source->text, text)) {
            return source;
        }
    }
    return NULL;
}

/* Has the source that is the part 'text', or NULL for all, of the row 'uuid'
 * claim anew, or for the first time.  Returns it. */
struct source *
source_touch(struct derivation *d, enum source_kind kind,
             const struct uuid *uuid, const char *text)
{
    struct source *source = source_find(d, kind, uuid, text);

    if (!source) {
        source = xmalloc(sizeof *source);
        *source = (struct source) {
            .kind = kind,
            .uuid = *uuid,
            .text = nullable_xstrdup(text),
            .problems = PROBLEMS_INITIALIZER,
        };
        ovs_list_init(&source->row_node);
        ovs_list_init(&source->dirty_node);
        ovs_list_init(&source->claims);
        ovs_list_init(&source->questions);
        hmap_insert(&d->sources, &source->node,
                    source_hash(kind, uuid, text));
    }
    make_dirty(d, source);
    return source;
}

/* Takes back what 'source' claimed, asked and found. */
static void
source_retract(struct derivation *d, struct source *source)
{
    claims_retract(d, source);
    retract_questions(d, source);
    problem_set_remove(&d->problems, &source->problems);
    problems_clear(&source->problems);
}

/* Takes back what 'source', which may be NULL, claimed, and frees it. */
void
source_drop(struct derivation *d, struct source *source)
{
    if (source) {
        source_retract(d, source);
        problems_destroy(&source->problems);
        ovs_list_remove(&source->dirty_node);
        ovs_list_remove(&source->row_node);
        hmap_remove(&d->sources, &source->node);
        free(source->text);
        free(source);
    }
}

/* Returns a source of 'd' that has to claim anew, after taking back what it
 * claimed before; or NULL if there is none. */
struct source *
source_next_dirty(struct derivation *d)
{
    struct source *source;

    if (ovs_list_is_empty(&d->dirty_sources)) {
        return NULL;
    }
    source = CONTAINER_OF(ovs_list_pop_front(&d->dirty_sources),
                          struct source, dirty_node);
    ovs_list_init(&source->dirty_node);
    source_retract(d, source);
    return source;
}

/* Rows of Port_Binding. */

/* Returns the row 'uuid' of 'd', or NULL. */
struct row *
row_find(const struct derivation *d, const struct uuid *uuid)
{
    struct row *row;

    HMAP_FOR_EACH_WITH_HASH (row, node, uuid_hash(uuid), &d->rows) {
        if (uuid_equals(&row->uuid, uuid)) {
            return row;
        }
    }
    return NULL;
}

/* Adds the row 'uuid', which has no sources and answers nothing, to 'd'. */
struct row *
row_create(struct derivation *d, const struct uuid *uuid)
{
    struct row *row = xmalloc(sizeof *row);

    row->uuid = *uuid;
    sset_init(&row->announced);
    row->indexed = false;
    ovs_list_init(&row->answers);
    ovs_list_init(&row->sources);
    hmap_insert(&d->rows, &row->node, uuid_hash(uuid));
    return row;
}

/* Makes 'row' an answer to the look-up of 'kind' by 'name'. */
void
row_add_answer(struct derivation *d, struct row *row, enum lookup_kind kind,
               const char *name)
{
    struct answer *answer = xmalloc(sizeof *answer);

    answer->row = row;
    answer->lookup = get_lookup(d, kind, name);
    ovs_list_push_back(&row->answers, &answer->row_node);
    ovs_list_push_back(&answer->lookup->answers, &answer->lookup_node);
    answers_changed(d, answer->lookup);
}

/* Makes 'row' answer nothing. */
void
row_retract_answers(struct derivation *d, struct row *row)
{
    struct answer *answer;

    LIST_FOR_EACH_POP (answer, row_node, &row->answers) {
        ovs_list_remove(&answer->lookup_node);
        answers_changed(d, answer->lookup);
        put_lookup(d, answer->lookup);
        free(answer);
    }
}

/* Has the source that is the part 'text', or NULL for all, of 'row' claim
 * anew, or for the first time.  It goes with the row at the latest. */
void
row_touch_source(struct derivation *d, struct row *row, enum source_kind kind,
                 const char *text)
{
    struct source *source = source_touch(d, kind, &row->uuid, text);

    if (ovs_list_is_empty(&source->row_node)) {
        ovs_list_push_back(&row->sources, &source->row_node);
    }
}

/* Drops 'row', which may be NULL, with its sources. */
void
row_drop(struct derivation *d, struct row *row)
{
    struct source *source;

    if (!row) {
        return;
    }
    row_retract_answers(d, row);
    LIST_FOR_EACH_POP (source, row_node, &row->sources) {
        ovs_list_init(&source->row_node);
        source_drop(d, source);
    }
    hmap_remove(&d->rows, &row->node);
    sset_destroy(&row->announced);
    free(row);
}
