/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens of OVN's expressions.  Used by acl-expr.c only. */
#ifndef PLUGIN_ACL_LEX_H
#define PLUGIN_ACL_LEX_H 1

#include <stddef.h>
#include "plugin/acl-expr.h"

/* Kinds of token. */
enum acl_token {
    ACL_TOKEN_END,              /* After the last one. */
    ACL_TOKEN_BAD,              /* No token of OVN's, or none that is known. */
    ACL_TOKEN_NAME,             /* Field or function. */
    ACL_TOKEN_CONSTANT,         /* See struct acl_constant. */
    ACL_TOKEN_SIGN              /* One of "( ) { } [ ] , ! && || .." and of the
                                 * relational operators. */
};

/* A reader of tokens. */
struct acl_lex {
    const char *start;          /* Begin of the text. */
    const char *end;            /* Its end. */
    int column;                 /* Column of its begin. */

    enum acl_token type;        /* Current token. */
    const char *token;          /* Where it begins. */
    size_t length;              /* Its length. */
    struct acl_constant constant; /* If it is one; 'text' is NULL. */
};

void acl_lex_init(struct acl_lex *, const char *text, size_t length,
                  int column);
void acl_lex_next(struct acl_lex *);
bool acl_lex_is(const struct acl_lex *, const char *sign);
bool acl_lex_match(struct acl_lex *, const char *sign);
int acl_lex_column(const struct acl_lex *);
char *acl_lex_text(const struct acl_lex *);

#endif /* plugin/acl-lex.h */
