/* SPDX-License-Identifier: Apache-2.0 */
/* The problems of a derivation that goes on; see plugin/problem-set.h.
 *
 * A problem that is taken away and added again between two calls of
 * problem_set_settle() was never gone: so deriving a thing anew does not make
 * its problems news. */

#include <config.h>

#include "plugin/problem-set.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "util.h"

/* A problem and those who have it. */
struct problem_entry {
    struct ovs_list node;       /* In 'touched', or alone. */
    struct shash_node *name;    /* In 'entries'. */
    enum reason class;          /* Its class. */
    const char *message;        /* Its message, part of its name. */
    size_t n;                   /* How many have it. */
    bool listed;                /* It was there when last settled. */
};

/* Makes 'set' empty. */
void
problem_set_init(struct problem_set *set)
{
    shash_init(&set->entries);
    ovs_list_init(&set->touched);
}

/* Frees what 'set' holds, not 'set' itself. */
void
problem_set_destroy(struct problem_set *set)
{
    shash_destroy_free_data(&set->entries);
}

/* Returns the entry of 'set' for 'problem', which is made if it must.  Names
 * sort by the word for the class, then by the message. */
static struct problem_entry *
get_entry(struct problem_set *set, const struct problem *problem)
{
    const char *word = reason_to_string(problem->class);
    char *name = xasprintf("%s\n%s", word, problem->message);
    struct problem_entry *entry = shash_find_data(&set->entries, name);

    if (!entry) {
        entry = xmalloc(sizeof *entry);
        *entry = (struct problem_entry) {
            .name = shash_add_nocopy(&set->entries, name, entry),
            .class = problem->class,
            .message = name + strlen(word) + 1,
        };
        ovs_list_init(&entry->node);
    } else {
        free(name);
    }
    if (ovs_list_is_empty(&entry->node)) {
        ovs_list_push_back(&set->touched, &entry->node);
    }
    return entry;
}

/* Adds each of 'problems' to 'set'. */
void
problem_set_add(struct problem_set *set, const struct problems *problems)
{
    for (size_t i = 0; i < problems->n; i++) {
        get_entry(set, &problems->list[i])->n++;
    }
}

/* Takes each of 'problems', which were added before, out of 'set'. */
void
problem_set_remove(struct problem_set *set, const struct problems *problems)
{
    for (size_t i = 0; i < problems->n; i++) {
        struct problem_entry *entry = get_entry(set, &problems->list[i]);

        ovs_assert(entry->n);
        entry->n--;
    }
}

/* Replaces '*all' by what is in 'set', each problem once, sorted. */
static void
list_all(const struct problem_set *set, struct problems *all)
{
    const struct shash_node **sorted = shash_sort(&set->entries);

    problems_clear(all);
    for (size_t i = 0; i < shash_count(&set->entries); i++) {
        const struct problem_entry *entry = sorted[i]->data;
        problems_add(all, entry->class, "%s", entry->message);
    }
    free(sorted);
}

/* Brings '*all', filled by the call before or empty, up to date with 'set',
 * each problem once, sorted; and replaces '*fresh' by those that were not
 * there at the call before. */
void
problem_set_settle(struct problem_set *set, struct problems *all,
                   struct problems *fresh)
{
    struct problem_entry *entry;
    bool changed = false;

    problems_clear(fresh);
    LIST_FOR_EACH_POP (entry, node, &set->touched) {
        bool was_listed = entry->listed;

        ovs_list_init(&entry->node);
        entry->listed = entry->n > 0;
        changed |= entry->listed != was_listed;
        if (entry->listed && !was_listed) {
            problems_add(fresh, entry->class, "%s", entry->message);
        } else if (!entry->listed) {
            shash_delete(&set->entries, entry->name);
            free(entry);
        }
    }
    if (changed) {
        list_all(set, all);
    }
}
