/* SPDX-License-Identifier: Apache-2.0 */
/* The list of problems that 'config', 'desired' and 'reconcile' fill and that
 * 'view' shows. */

#include <config.h>

#include "plugin/problems.h"

#include <stdarg.h>
#include <stdlib.h>

#include "util.h"

/* Takes ownership of 'message' and appends it to 'problems'. */
static void
problems_add__(struct problems *problems, enum reason class, char *message)
{
    if (problems->n >= problems->allocated) {
        problems->list = x2nrealloc(problems->list, &problems->allocated,
                                    sizeof *problems->list);
    }
    problems->list[problems->n++] = (struct problem) { class, message };
}

/* Appends a problem of class 'class' whose message is made from 'format'. */
void
problems_add(struct problems *problems, enum reason class,
             const char *format, ...)
{
    va_list args;

    va_start(args, format);
    problems_add__(problems, class, xvasprintf(format, args));
    va_end(args);
}

/* Appends copies of all elements of 'src' to 'dst'. */
void
problems_append(struct problems *dst, const struct problems *src)
{
    for (size_t i = 0; i < src->n; i++) {
        problems_add__(dst, src->list[i].class,
                       xstrdup(src->list[i].message));
    }
}

/* Empties 'problems', which stays usable. */
void
problems_clear(struct problems *problems)
{
    for (size_t i = 0; i < problems->n; i++) {
        free(problems->list[i].message);
    }
    problems->n = 0;
}

/* Frees what 'problems' holds, not 'problems' itself. */
void
problems_destroy(struct problems *problems)
{
    if (problems) {
        problems_clear(problems);
        free(problems->list);
        *problems = (struct problems) PROBLEMS_INITIALIZER;
    }
}
