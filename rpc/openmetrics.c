/* SPDX-License-Identifier: Apache-2.0 */
/* See rpc/openmetrics.h. */

#include <config.h>

#include "rpc/openmetrics.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "openvswitch/dynamic-string.h"
#include "util.h"

#include "rpc/utf8.h"

/* What is fixed about a type. */
struct type_text {
    const char *word;           /* Its name in the text. */
    const char *older;          /* In the format of Prometheus, which has no
                                 * info and no state sets. */
    const char *suffix;         /* What the names of its samples end with. */
};

static const struct type_text types[] = {
    [OPENMETRICS_COUNTER] = { "counter", "counter", "_total" },
    [OPENMETRICS_GAUGE] = { "gauge", "gauge", "" },
    [OPENMETRICS_INFO] = { "info", "gauge", "_info" },
    [OPENMETRICS_STATESET] = { "stateset", "gauge", "" },
};

static void put_comment(const struct openmetrics *, const char *word,
                        const char *text);
static void put_name(const struct openmetrics *);
static void put_labels(struct ds *, va_list *);
static void put_label(struct ds *, char separator, const char *name,
                      const char *value);

/* Begins a family.  See rpc/openmetrics.h. */
void
openmetrics_family(struct openmetrics *m, const char *name,
                   enum openmetrics_type type, const char *unit,
                   const char *help)
{
    m->name = name;
    m->type = type;
    put_comment(m, "TYPE",
                m->prometheus ? types[type].older : types[type].word);
    if (unit && !m->prometheus) {
        put_comment(m, "UNIT", unit);
    }
    put_comment(m, "HELP", help);
}

/* Puts a sample that is an integer.  See rpc/openmetrics.h. */
void
openmetrics_count(struct openmetrics *m, uint64_t value, ...)
{
    va_list labels;

    put_name(m);
    va_start(labels, value);
    put_labels(m->out, &labels);
    va_end(labels);
    ds_put_format(m->out, " %"PRIu64"\n", value);
}

/* Puts a sample that is a time.  See rpc/openmetrics.h. */
void
openmetrics_seconds(struct openmetrics *m, double value, ...)
{
    va_list labels;

    put_name(m);
    va_start(labels, value);
    put_labels(m->out, &labels);
    va_end(labels);
    ds_put_format(m->out, " %.3f\n", value);
}

/* Puts the samples of a state set.  See rpc/openmetrics.h. */
void
openmetrics_states(struct openmetrics *m, const char *const *states,
                   unsigned int n, const char *state, const char *label,
                   const char *value)
{
    char *name = xasprintf(OPENMETRICS_PREFIX "%s", m->name);
    unsigned int i;

    for (i = 0; i < n; i++) {
        bool is = !strcmp(states[i], state);

        if (label) {
            openmetrics_count(m, is, label, value, name, states[i], NULL);
        } else {
            openmetrics_count(m, is, name, states[i], NULL);
        }
    }
    free(name);
}

/* Ends the text.  See rpc/openmetrics.h. */
void
openmetrics_end(struct openmetrics *m)
{
    if (!m->prometheus) {
        ds_put_cstr(m->out, "# EOF\n");
    }
}

/* Puts a comment that says 'text' of the family.  In the format of Prometheus
 * it is for the name of the samples. */
static void
put_comment(const struct openmetrics *m, const char *word, const char *text)
{
    ds_put_format(m->out, "# %s " OPENMETRICS_PREFIX "%s%s %s\n", word,
                  m->name, m->prometheus ? types[m->type].suffix : "", text);
}

/* Puts the name of a sample of the family. */
static void
put_name(const struct openmetrics *m)
{
    ds_put_format(m->out, OPENMETRICS_PREFIX "%s%s",
                  m->name, types[m->type].suffix);
}

/* Puts the names and values in 'labels', up to a NULL. */
static void
put_labels(struct ds *out, va_list *labels)
{
    const char *name = va_arg(*labels, const char *);
    char separator = '{';

    if (!name) {
        return;
    }
    for (; name; name = va_arg(*labels, const char *)) {
        put_label(out, separator, name, va_arg(*labels, const char *));
        separator = ',';
    }
    ds_put_char(out, '}');
}

/* Puts 'separator' and the label 'name' with 'value', made valid UTF-8 and
 * with what the format gives a meaning escaped. */
static void
put_label(struct ds *out, char separator, const char *name, const char *value)
{
    struct ds valid = DS_EMPTY_INITIALIZER;
    const char *p;

    utf8_put_valid(&valid, value);
    ds_put_format(out, "%c%s=\"", separator, name);
    for (p = ds_cstr(&valid); *p; p++) {
        if (*p == '\n') {
            ds_put_cstr(out, "\\n");
        } else {
            if (*p == '\\' || *p == '"') {
                ds_put_char(out, '\\');
            }
            ds_put_char(out, *p);
        }
    }
    ds_put_char(out, '"');
    ds_destroy(&valid);
}
