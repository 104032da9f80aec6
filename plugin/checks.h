/* SPDX-License-Identifier: Apache-2.0 */
/* An ordered list of questions that were put to the daemon or the host, each
 * with its answer: what 'explain' shows, and what 'status' makes problems
 * of. */
#ifndef PLUGIN_CHECKS_H
#define PLUGIN_CHECKS_H 1

#include <stddef.h>
#include "openvswitch/compiler.h"
#include "plugin/reason.h"

/* Answers. */
enum check_ok {
    CHECK_NO,                   /* Something is wrong. */
    CHECK_YES,                  /* As it should be. */
    CHECK_UNKNOWN               /* It could not be found out. */
};

/* One question. */
struct check {
    const char *word;           /* Stable name; static. */
    enum check_ok ok;           /* Answer. */
    enum reason class;          /* What it is called if not. */
    char *detail;               /* What was found, for people. */
    char *fix;                  /* What to do, "" if nothing; owned. */
};

/* Any number of them, in the order in which they were asked. */
struct checks {
    struct check *list;         /* Elements. */
    size_t n;                   /* Number of elements in 'list'. */
    size_t allocated;           /* Capacity of 'list'. */
};

#define CHECKS_INITIALIZER { NULL, 0, 0 }

void checks_add(struct checks *, const char *word, enum check_ok,
                enum reason class, const char *format, ...)
    OVS_PRINTF_FORMAT(5, 6);
void checks_fix(struct checks *, const char *format, ...)
    OVS_PRINTF_FORMAT(2, 3);
const struct check *checks_find(const struct checks *, const char *word);
void checks_destroy(struct checks *);

#endif /* plugin/checks.h */
