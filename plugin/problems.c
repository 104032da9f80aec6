/* SPDX-License-Identifier: Apache-2.0 */
/* The list of problems that 'settings', 'desired', 'ports' and 'reconcile'
 * fill and that 'view' shows. */

#include <config.h>

#include "plugin/problems.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "openvswitch/dynamic-string.h"
#include "openvswitch/vlog.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(problems);

/* Messages quote what somebody wrote into a database, which may be anything.
 * Of a longer one only the beginning and the end are kept, in bytes: the end
 * says what is wrong with what the beginning quotes. */
#define MAX_HEAD 400
#define MAX_TAIL 300

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

/* Returns the first offset in 'text' from 'offset' on at which a character of
 * UTF-8 begins. */
static size_t
next_character(const char *text, size_t offset)
{
    while ((text[offset] & 0xc0) == 0x80) {
        offset++;
    }
    return offset;
}

/* Appends the first 'n' bytes of 'text' to 'ds', without control characters:
 * a problem is one line. */
static void
put_printable(struct ds *ds, const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        unsigned char c = text[i];

        if (c < ' ' || c == 0x7f) {
            ds_put_format(ds, "\\x%02x", c);
        } else {
            ds_put_char(ds, c);
        }
    }
}

/* Returns 'message', which it takes, as one line of limited length. */
static char *
make_line(char *message)
{
    struct ds ds = DS_EMPTY_INITIALIZER;
    size_t length = strlen(message);

    if (length <= MAX_HEAD + MAX_TAIL) {
        put_printable(&ds, message, length);
    } else {
        size_t tail = next_character(message, length - MAX_TAIL);

        put_printable(&ds, message, next_character(message, MAX_HEAD));
        ds_put_cstr(&ds, " ... ");
        put_printable(&ds, message + tail, length - tail);
    }
    free(message);
    return ds_steal_cstr(&ds);
}

/* Appends a problem of class 'class' whose message is made from 'format'. */
void
problems_add(struct problems *problems, enum reason class,
             const char *format, ...)
{
    va_list args;

    va_start(args, format);
    problems_add__(problems, class, make_line(xvasprintf(format, args)));
    va_end(args);
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

/* Appends a problem of class 'class' whose message is made from 'format',
 * unless it is there already. */
void
problems_add_once(struct problems *problems, enum reason class,
                  const char *format, ...)
{
    va_list args;

    va_start(args, format);
    struct problem wanted = { class, make_line(xvasprintf(format, args)) };
    va_end(args);
    if (problems_contain(problems, &wanted)) {
        free(wanted.message);
    } else {
        problems_add__(problems, class, wanted.message);
    }
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
