/* SPDX-License-Identifier: Apache-2.0 */
/* The list of problems that 'settings', 'desired', 'ports' and 'reconcile'
 * fill and that 'view' shows. */

#include <config.h>

#include "plugin/problems.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "openvswitch/vlog.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(problems);

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

/* Returns true if 'problems' has 'wanted'. */
static bool
problems_contain(const struct problems *problems, const struct problem *wanted)
{
    for (size_t i = 0; i < problems->n; i++) {
        const struct problem *problem = &problems->list[i];
        if (problem->class == wanted->class
            && !strcmp(problem->message, wanted->message)) {
            return true;
        }
    }
    return false;
}

/* Logs what is in 'problems' and was not in 'before'. */
void
problems_log_new(const struct problems *problems,
                 const struct problems *before)
{
    static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(20, 40);

    for (size_t i = 0; i < problems->n; i++) {
        const struct problem *problem = &problems->list[i];
        if (!problems_contain(before, problem)) {
            VLOG_WARN_RL(&rl, "%s: %s", reason_to_string(problem->class),
                         problem->message);
        }
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
