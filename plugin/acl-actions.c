/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the actions of flows of ls_out_acl and ls_out_acl_eval, in the words
 * of ovn-northd 20.03 to 26.03. */

#include <config.h>

#include "plugin/acl-actions.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "util.h"

#include "plugin/acl-rule.h"

/* What a statement does, as bits. */
enum effect {
    DOES_ALLOW = 1 << 0,        /* Verdict. */
    DOES_DROP = 1 << 1,         /* Likewise. */
    DOES_REJECT = 1 << 2,       /* Likewise. */
    DOES_LOG = 1 << 3,          /* See enum acl_flag. */
    DOES_LABEL = 1 << 4,        /* Likewise. */
    DOES_SAMPLE = 1 << 5,       /* Likewise. */
    DOES_TRACK = 1 << 6,        /* See 'conntrack' of struct acl_actions. */
    DOES_PERSIST = 1 << 7       /* See 'persists' there. */
};

/* Statements that are known, by their beginning; to the end if that is no
 * sign of an assignment, a call or a block.  The registers are those of the
 * defines REGBIT_ACL_* and REG_OBS_* of northd.c, whose places have not
 * changed. */
static const struct {
    const char *text;           /* Beginning. */
    unsigned int effects;       /* Of enum effect. */
} statements[] = {
    { "next", 0 },
    { "drop", DOES_DROP },
    { "/* drop */", DOES_DROP },
    { "reg8[16] = 1", DOES_ALLOW },
    { "reg8[17] = 1", DOES_DROP },
    { "reg8[18] = 1", DOES_REJECT },
    { "reg0[1] = 1", DOES_TRACK },
    { "reg0[13] = 1", DOES_LABEL },
    { "reg3 =", DOES_LABEL },
    { "reg9 =", DOES_SAMPLE },
    { "reg8[0..7] =", DOES_SAMPLE },
    { "reg8[8..15] =", DOES_SAMPLE },
    { "reg8[19..20] =", DOES_SAMPLE },
    { "reg2[16..31] =", DOES_PERSIST },
    { "reg0[20] = 1", DOES_PERSIST },
    { "log(", DOES_LOG },
    { "ct_commit", DOES_TRACK },
    { "ct_commit(", DOES_TRACK },
    { "ct_commit {", DOES_TRACK },
    { "ct_commit_nat", DOES_TRACK },
    { "sample(", DOES_SAMPLE },
    { "reject {", DOES_REJECT },
    { "tcp_reset {", DOES_REJECT },
    { "icmp4 {", DOES_REJECT },
    { "icmp6 {", DOES_REJECT },
    { "reg0 = 0", 0 },          /* Those from here on are of "reject". */
    { "eth.dst <-> eth.src", 0 },
    { "ip4.dst <-> ip4.src", 0 },
    { "ip6.dst <-> ip6.src", 0 },
};

/* Returns the length of the comment at 'p', 0 if there is none. */
static size_t
comment_length(const char *p)
{
    const char *end = !strncmp(p, "/*", 2) ? strstr(p + 2, "*/") : NULL;

    return end ? end + 2 - p : 0;
}

/* Returns the length of the statement that begins at 'p': up to its semicolon,
 * or a comment by itself. */
static size_t
statement_length(const char *p)
{
    bool quoted = false;
    int depth = 0;
    size_t n = comment_length(p);

    if (n) {
        return n;
    }
    while (p[n] && (p[n] != ';' || quoted || depth > 0)) {
        if (p[n] == '"') {
            quoted = !quoted;
        } else if (quoted && p[n] == '\\' && p[n + 1]) {
            n++;
        } else if (!quoted && strchr("({", p[n])) {
            depth++;
        } else if (!quoted && strchr(")}", p[n])) {
            depth--;
        }
        n++;
    }
    return n;
}

/* Looks up the statement 'text'.  Returns false if it is not known. */
static bool
find_effects(const char *text, unsigned int *effects)
{
    for (size_t i = 0; i < ARRAY_SIZE(statements); i++) {
        size_t n = strlen(statements[i].text);
        bool open = strchr("=({", statements[i].text[n - 1]) != NULL;

        if (open ? !strncmp(text, statements[i].text, n)
            : !strcmp(text, statements[i].text)) {
            *effects = statements[i].effects;
            return true;
        }
    }
    return false;
}

/* Returns true if 'statement', which is not known, writes into a register or
 * does something with a connection: for all that is known, it has that persist
 * when the ACL is gone, or concerns other ports. */
static bool
may_persist(const char *statement)
{
    return (!strncmp(statement, "reg", 3) || !strncmp(statement, "xreg", 4)
            || !strncmp(statement, "xxreg", 5)
            || !strncmp(statement, "ct_", 3));
}

/* Takes over 'effects' into 'actions'. */
static void
apply(unsigned int effects, struct acl_actions *actions)
{
    /* The one that does most, were there two. */
    if (effects & DOES_REJECT) {
        actions->verdict = ACL_VERDICT_REJECT;
    } else if (effects & DOES_ALLOW
               && actions->verdict != ACL_VERDICT_REJECT) {
        actions->verdict = ACL_VERDICT_ALLOW;
    } else if (effects & DOES_DROP && actions->verdict == ACL_VERDICT_NONE) {
        actions->verdict = ACL_VERDICT_DROP;
    }
    actions->flags |= ((effects & DOES_LOG ? ACL_LOGGED : 0)
                       | (effects & DOES_LABEL ? ACL_LABELLED : 0)
                       | (effects & DOES_SAMPLE ? ACL_SAMPLED : 0));
    actions->conntrack |= (effects & DOES_TRACK) != 0;
    actions->persists |= (effects & DOES_PERSIST) != 0;
}

/* Returns the first statement of the actions '*p', without its semicolon, and
 * makes '*p' what follows it; or returns NULL if there is none.  The caller
 * must free it. */
char *
acl_actions_next(const char **p)
{
    *p += strspn(*p, " ;");
    if (!**p) {
        return NULL;
    }

    const char *begin = *p;
    size_t n = statement_length(begin);
    *p += n;
    while (n && isspace((unsigned char) begin[n - 1])) {
        n--;
    }
    return xmemdup0(begin, n);
}

/* Reads 'text' into 'actions', which the caller must free with
 * acl_actions_destroy(). */
void
acl_actions_parse(const char *text, struct acl_actions *actions)
{
    char *statement;

    *actions = (struct acl_actions) { .verdict = ACL_VERDICT_NONE };
    while ((statement = acl_actions_next(&text))) {
        unsigned int effects = 0;

        if (find_effects(statement, &effects)) {
            apply(effects, actions);
        } else {
            actions->persists |= may_persist(statement);
            if (!actions->token) {
                actions->token = xstrdup(statement);
            }
        }
        free(statement);
    }
}

/* Frees what 'actions' hold, not 'actions' itself. */
void
acl_actions_destroy(struct acl_actions *actions)
{
    free(actions->token);
}
