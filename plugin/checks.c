/* SPDX-License-Identifier: Apache-2.0 */
/* The list of answers that plugin/judge*.c and plugin/view-explain.c fill. */

#include <config.h>

#include "plugin/checks.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "util.h"

/* Appends the answer 'ok' to the question 'word', with a detail made from
 * 'format'.  'class' is the reason to give where the answer is no. */
void
checks_add(struct checks *checks, const char *word, enum check_ok ok,
           enum reason class, const char *format, ...)
{
    va_list args;

    if (checks->n >= checks->allocated) {
        checks->list = x2nrealloc(checks->list, &checks->allocated,
                                  sizeof *checks->list);
    }
    va_start(args, format);
    checks->list[checks->n++] = (struct check) {
        .word = word, .ok = ok, .class = class,
        .detail = xvasprintf(format, args), .fix = xstrdup(""),
    };
    va_end(args);
}

/* Says by 'format' what is to be done about the last answer, unless that is
 * yes. */
void
checks_fix(struct checks *checks, const char *format, ...)
{
    struct check *last = &checks->list[checks->n - 1];
    va_list args;

    if (last->ok != CHECK_YES) {
        va_start(args, format);
        free(last->fix);
        last->fix = xvasprintf(format, args);
        va_end(args);
    }
}

/* Returns the first answer to the question 'word', or NULL. */
const struct check *
checks_find(const struct checks *checks, const char *word)
{
    for (size_t i = 0; i < checks->n; i++) {
        if (!strcmp(checks->list[i].word, word)) {
            return &checks->list[i];
        }
    }
    return NULL;
}

/* Frees what 'checks' holds, not 'checks' itself. */
void
checks_destroy(struct checks *checks)
{
    for (size_t i = 0; i < checks->n; i++) {
        free(checks->list[i].detail);
        free(checks->list[i].fix);
    }
    free(checks->list);
    *checks = (struct checks) CHECKS_INITIALIZER;
}
