/* SPDX-License-Identifier: Apache-2.0 */
/* Expressions of OVN's logical flows, as trees.  Pure.
 *
 * All that OVN's grammar has is read, known field or not; what a term means is
 * for acl-match.c to say.  Negation is resolved: "!" changes "==" to "!=" and
 * "&&" to "||", as OVN's own parser does it, and is left with words only. */
#ifndef PLUGIN_ACL_EXPR_H
#define PLUGIN_ACL_EXPR_H 1

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Kinds of node. */
enum acl_expr_type {
    ACL_EXPR_AND,               /* Every one of 'subs'. */
    ACL_EXPR_OR,                /* Any of 'subs'. */
    ACL_EXPR_BOOLEAN,           /* 0 or 1. */
    ACL_EXPR_TERM               /* One field. */
};

/* What a term does with its field. */
enum acl_op {
    ACL_OP_TRUE,                /* A word: "tcp". */
    ACL_OP_FALSE,               /* "!tcp". */
    ACL_OP_EQ,                  /* Any of the constants. */
    ACL_OP_NE,                  /* None of the constants. */
    ACL_OP_LT,                  /* Less than the constant. */
    ACL_OP_LE,                  /* And so on. */
    ACL_OP_GT,
    ACL_OP_GE
};

/* Kinds of constant. */
enum acl_constant_type {
    ACL_CONSTANT_INTEGER,       /* 22, 0x16. */
    ACL_CONSTANT_IP4,           /* 192.0.2.1. */
    ACL_CONSTANT_IP6,           /* 2001:db8::1. */
    ACL_CONSTANT_SET,           /* $name, an address set. */
    ACL_CONSTANT_GROUP,         /* @name, a port group. */
    ACL_CONSTANT_STRING,        /* "name". */
    ACL_CONSTANT_OTHER          /* Anything else. */
};

/* A constant. */
struct acl_constant {
    enum acl_constant_type type; /* See above. */
    char *text;                 /* As written; without sign or quotes if it is
                                 * a name. */
    int column;                 /* Where it begins, from 1. */
    uint64_t integer;           /* If INTEGER. */
    struct in6_addr ip;         /* If IP4 (v4-mapped) or IP6: without bits that
                                 * its mask has not. */
    int length;                 /* Then, length of the mask; -1 if that is not
                                 * a prefix, or of another type. */
    bool masked;                /* It has a mask. */
};

/* A node. */
struct acl_expr {
    enum acl_expr_type type;    /* See above. */
    int column;                 /* Where it begins, from 1. */

    struct acl_expr **subs;     /* AND, OR: two or more, none of them of the
                                 * same type. */
    size_t n_subs;              /* Number of them. */

    bool value;                 /* BOOLEAN. */

    char *field;                /* TERM: name, with its bits if it has any. */
    enum acl_op op;             /* Likewise. */
    bool braces;                /* Likewise: the constants are in braces. */
    struct acl_constant *constants; /* Likewise. */
    size_t n_constants;         /* Number of them; 0 for words. */
};

struct acl_expr *acl_expr_parse(const char *text, size_t length, int column,
                                char **token, int *error_column);
void acl_expr_destroy(struct acl_expr *);

/* To be called with each operand of the outermost "&&". */
typedef void acl_expr_cb(const struct acl_expr *, void *aux);
bool acl_expr_for_each(const char *text, acl_expr_cb *, void *aux);
char *acl_expr_term_to_string(const struct acl_expr *);

#endif /* plugin/acl-expr.h */
