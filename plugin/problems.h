/* SPDX-License-Identifier: Apache-2.0 */
/* A list of things that an operator should look at. */
#ifndef PLUGIN_PROBLEMS_H
#define PLUGIN_PROBLEMS_H 1

#include <stddef.h>
#include "openvswitch/compiler.h"
#include "plugin/reason.h"

/* One problem. */
struct problem {
    enum reason class;          /* Stable class. */
    char *message;              /* For people, one line. */
};

/* Any number of them, in the order in which they were found. */
struct problems {
    struct problem *list;       /* Elements. */
    size_t n;                   /* Number of elements in 'list'. */
    size_t allocated;           /* Capacity of 'list'. */
};

#define PROBLEMS_INITIALIZER { NULL, 0, 0 }

void problems_add(struct problems *, enum reason, const char *format, ...)
    OVS_PRINTF_FORMAT(3, 4);
void problems_add_once(struct problems *, enum reason, const char *format, ...)
    OVS_PRINTF_FORMAT(3, 4);
void problems_append(struct problems *, const struct problems *);
void problems_log_new(const struct problems *, const struct problems *before);
void problems_clear(struct problems *);
void problems_destroy(struct problems *);

#endif /* plugin/problems.h */
