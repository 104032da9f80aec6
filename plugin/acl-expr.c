/* SPDX-License-Identifier: Apache-2.0 */
/* Reads OVN's expressions, by the grammar of lib/expr.c of OVN 20.03 to 26.03,
 * which has not changed:
 *
 *     expr    = not { "&&" not } | not { "||" not }
 *     not     = "!" atom | primary
 *     atom    = "(" expr ")" | field | function "(" string ")" | 0 | 1
 *     primary = atom | field relop set | set relop field [ relop set ]
 *     set     = constant | "{" constant { [","] constant } [","] "}"
 *
 * What is written otherwise, OVN does not understand either: ovn-controller
 * leaves out the whole flow.  Only the depth and the number of terms are
 * limited here, and comments and escapes are not read. */

#include <config.h>

#include "plugin/acl-expr.h"

#include <stdlib.h>
#include <string.h>

#include "openvswitch/dynamic-string.h"
#include "packets.h"
#include "util.h"

#include "plugin/acl-lex.h"

/* Parentheses within parentheses; OVN allows 100. */
#define MAX_DEPTH 24

/* Terms in an expression, which OVN does not limit.  Whoever has more has
 * lists that belong into address sets and port groups. */
#define MAX_TERMS 4096

/* Where the reading is. */
struct parser {
    struct acl_lex lex;         /* Tokens. */
    bool negated;               /* Within an odd number of "!". */
    int depth;                  /* Open parentheses. */
    int n_terms;                /* Terms so far. */
};

/* Operators of relations, in the order of enum acl_op from ACL_OP_EQ. */
static const char *const relops[] = { "==", "!=", "<", "<=", ">", ">=" };

static struct acl_expr *parse_expr(struct parser *);

/* Returns a new node of 'type' at the current token. */
static struct acl_expr *
new_node(const struct parser *p, enum acl_expr_type type)
{
    struct acl_expr *expr = xzalloc(sizeof *expr);

    expr->type = type;
    expr->column = acl_lex_column(&p->lex);
    return expr;
}

/* Frees 'constants', 'n' of them. */
static void
free_constants(struct acl_constant *constants, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free(constants[i].text);
    }
    free(constants);
}

/* Frees 'expr' and all below it. */
void
acl_expr_destroy(struct acl_expr *expr)
{
    if (!expr) {
        return;
    }
    for (size_t i = 0; i < expr->n_subs; i++) {
        acl_expr_destroy(expr->subs[i]);
    }
    free(expr->subs);
    free(expr->field);
    free_constants(expr->constants, expr->n_constants);
    free(expr);
}

/* Returns the operator that is true where 'op' is false. */
static enum acl_op
invert(enum acl_op op)
{
    static const enum acl_op inverse[] = {
        [ACL_OP_TRUE] = ACL_OP_FALSE, [ACL_OP_FALSE] = ACL_OP_TRUE,
        [ACL_OP_EQ] = ACL_OP_NE, [ACL_OP_NE] = ACL_OP_EQ,
        [ACL_OP_LT] = ACL_OP_GE, [ACL_OP_GE] = ACL_OP_LT,
        [ACL_OP_LE] = ACL_OP_GT, [ACL_OP_GT] = ACL_OP_LE,
    };

    return inverse[op];
}

/* Returns what 'op' is with its sides exchanged. */
static enum acl_op
turn(enum acl_op op)
{
    static const enum acl_op turned[] = {
        [ACL_OP_EQ] = ACL_OP_EQ, [ACL_OP_NE] = ACL_OP_NE,
        [ACL_OP_LT] = ACL_OP_GT, [ACL_OP_GT] = ACL_OP_LT,
        [ACL_OP_LE] = ACL_OP_GE, [ACL_OP_GE] = ACL_OP_LE,
    };

    return turned[op];
}

/* Returns the array 'p' of 'n' elements of 'size' bytes with room for one
 * more: where 'n' is a power of two there is room for twice as many, so that
 * most calls copy nothing. */
static void *
grow(void *p, size_t n, size_t size)
{
    return n & (n - 1) ? p : xrealloc(p, MAX(1, 2 * n) * size);
}

/* Appends 'sub' to 'expr'. */
static void
add_sub(struct acl_expr *expr, struct acl_expr *sub)
{
    expr->subs = grow(expr->subs, expr->n_subs, sizeof *expr->subs);
    expr->subs[expr->n_subs++] = sub;
}

/* Appends 'sub' to 'expr', or what it consists of if it is of its type. */
static void
absorb(struct acl_expr *expr, struct acl_expr *sub)
{
    if (sub->type != expr->type) {
        add_sub(expr, sub);
        return;
    }
    for (size_t i = 0; i < sub->n_subs; i++) {
        add_sub(expr, sub->subs[i]);
    }
    sub->n_subs = 0;
    acl_expr_destroy(sub);
}

/* Combines 'a' and 'b' by 'type', to be inverted within a "!". */
static struct acl_expr *
combine(const struct parser *p, enum acl_expr_type type, struct acl_expr *a,
        struct acl_expr *b)
{
    if (p->negated) {
        type = type == ACL_EXPR_AND ? ACL_EXPR_OR : ACL_EXPR_AND;
    }

    /* What is of the type already goes on, or a long list would be copied for
     * each of its elements. */
    struct acl_expr *expr = a;
    if (a->type != type) {
        expr = new_node(p, type);
        expr->column = a->column;
        add_sub(expr, a);
    }
    absorb(expr, b);
    return expr;
}

/* Returns true if the current token is an operator of a relation, and stores
 * it in '*op'. */
static bool
at_relop(const struct parser *p, enum acl_op *op)
{
    for (size_t i = 0; i < ARRAY_SIZE(relops); i++) {
        if (acl_lex_is(&p->lex, relops[i])) {
            *op = ACL_OP_EQ + i;
            return true;
        }
    }
    return false;
}

/* Appends the current token, a constant, to 'expr'. */
static bool
parse_constant(struct parser *p, struct acl_expr *expr)
{
    const struct acl_lex *lex = &p->lex;

    if (lex->type != ACL_TOKEN_CONSTANT) {
        return false;
    }

    struct acl_constant c = lex->constant;
    size_t before = (c.type == ACL_CONSTANT_STRING || lex->token[0] == '$'
                     || lex->token[0] == '@');
    size_t after = c.type == ACL_CONSTANT_STRING;
    c.text = xmemdup0(lex->token + before, lex->length - before - after);
    c.column = acl_lex_column(lex);
    expr->constants = grow(expr->constants, expr->n_constants,
                           sizeof *expr->constants);
    expr->constants[expr->n_constants++] = c;
    acl_lex_next(&p->lex);
    return true;
}

/* Reads a constant, or a set of them in braces, into 'expr'. */
static bool
parse_set(struct parser *p, struct acl_expr *expr)
{
    if (!acl_lex_match(&p->lex, "{")) {
        return parse_constant(p, expr);
    }
    expr->braces = true;
    do {
        if (!parse_constant(p, expr)) {
            return false;
        }
        acl_lex_match(&p->lex, ",");
    } while (!acl_lex_match(&p->lex, "}"));
    return true;
}

/* Reads the name of a field, with its bits, into 'expr'. */
static bool
parse_field(struct parser *p, struct acl_expr *expr)
{
    const char *begin = p->lex.token;
    const char *end = begin + p->lex.length;

    if (p->lex.type != ACL_TOKEN_NAME) {
        return false;
    }
    acl_lex_next(&p->lex);
    if (acl_lex_match(&p->lex, "[")) {
        while (p->lex.type == ACL_TOKEN_CONSTANT
               || acl_lex_is(&p->lex, "..")) {
            acl_lex_next(&p->lex);
        }
        if (!acl_lex_is(&p->lex, "]")) {
            return false;
        }
        end = p->lex.token + 1;
        acl_lex_next(&p->lex);
    }
    expr->field = xmemdup0(begin, end - begin);
    return true;
}

/* Reads 'FUNCTION("ARGUMENT")', whose name is in 'expr' and parenthesis the
 * current token. */
static bool
parse_function(struct parser *p, struct acl_expr *expr)
{
    char *field = NULL;

    acl_lex_next(&p->lex);
    if (p->lex.type == ACL_TOKEN_CONSTANT
        && p->lex.constant.type == ACL_CONSTANT_STRING) {
        char *argument = acl_lex_text(&p->lex);

        field = xasprintf("%s(%s)", expr->field, argument);
        free(argument);
        acl_lex_next(&p->lex);
    }
    free(expr->field);
    expr->field = field;
    return field && acl_lex_match(&p->lex, ")");
}

/* Reads a term that begins with its field.  Stores in '*atomic' whether it may
 * follow a "!". */
static struct acl_expr *
parse_field_first(struct parser *p, bool *atomic)
{
    struct acl_expr *expr = new_node(p, ACL_EXPR_TERM);
    bool ok = parse_field(p, expr);

    if (ok && at_relop(p, &expr->op)) {
        acl_lex_next(&p->lex);
        ok = parse_set(p, expr);
    } else if (ok) {
        *atomic = true;
        if (acl_lex_is(&p->lex, "(")) {
            ok = parse_function(p, expr);
        }
    }
    if (!ok) {
        acl_expr_destroy(expr);
        return NULL;
    }
    if (p->negated) {
        expr->op = invert(expr->op);
    }
    return expr;
}

/* Returns true if 'expr' has one integer of 0 or 1, in decimal digits. */
static bool
is_boolean(const struct acl_expr *expr)
{
    return (expr->n_constants == 1 && !expr->braces
            && (!strcmp(expr->constants[0].text, "0")
                || !strcmp(expr->constants[0].text, "1"))
            && expr->constants[0].type == ACL_CONSTANT_INTEGER);
}

/* Reads what follows 'first', "SET RELOP FIELD", if it is a second relation:
 * into a new node, to be combined with it, stored in '*second'. */
static bool
parse_second(struct parser *p, const struct acl_expr *first,
             struct acl_expr **second)
{
    enum acl_op op;

    if (!at_relop(p, &op)) {
        return true;
    }

    bool up = first->op == ACL_OP_GT || first->op == ACL_OP_GE;
    bool down = first->op == ACL_OP_LT || first->op == ACL_OP_LE;
    if (!(up && (op == ACL_OP_LT || op == ACL_OP_LE))
        && !(down && (op == ACL_OP_GT || op == ACL_OP_GE))) {
        return false;
    }
    *second = new_node(p, ACL_EXPR_TERM);
    (*second)->column = first->column;
    (*second)->field = xstrdup(first->field);
    (*second)->op = op;
    acl_lex_next(&p->lex);
    return parse_set(p, *second);
}

/* Reads a term that begins with a constant, or a Boolean.  Stores in '*atomic'
 * whether it may follow a "!". */
static struct acl_expr *
parse_constant_first(struct parser *p, bool *atomic)
{
    struct acl_expr *expr = new_node(p, ACL_EXPR_TERM);
    struct acl_expr *second = NULL;
    bool ok = parse_set(p, expr);
    enum acl_op op;

    if (ok && at_relop(p, &op)) {
        expr->op = turn(op);
        acl_lex_next(&p->lex);
        ok = parse_field(p, expr) && parse_second(p, expr, &second);
    } else if (ok && is_boolean(expr)) {
        *atomic = true;
        expr->type = ACL_EXPR_BOOLEAN;
        expr->value = (expr->constants[0].text[0] == '1') != p->negated;
    } else {
        ok = false;
    }
    if (!ok) {
        acl_expr_destroy(expr);
        acl_expr_destroy(second);
        return NULL;
    }
    if (p->negated && expr->type == ACL_EXPR_TERM) {
        expr->op = invert(expr->op);
    }
    if (second && p->negated) {
        second->op = invert(second->op);
    }
    return second ? combine(p, ACL_EXPR_AND, expr, second) : expr;
}

/* Reads anything but "!".  Stores in '*atomic' whether it may follow one. */
static struct acl_expr *
parse_primary(struct parser *p, bool *atomic)
{
    *atomic = false;
    if (p->n_terms >= MAX_TERMS) {
        return NULL;
    } else if (acl_lex_is(&p->lex, "(")) {
        if (p->depth >= MAX_DEPTH) {
            return NULL;
        }
        acl_lex_next(&p->lex);
        p->depth++;

        struct acl_expr *expr = parse_expr(p);
        p->depth--;
        *atomic = true;
        if (expr && !acl_lex_match(&p->lex, ")")) {
            acl_expr_destroy(expr);
            return NULL;
        }
        return expr;
    }
    p->n_terms++;
    return (p->lex.type == ACL_TOKEN_NAME
            ? parse_field_first(p, atomic)
            : parse_constant_first(p, atomic));
}

/* Reads an operand of "&&" and "||". */
static struct acl_expr *
parse_not(struct parser *p)
{
    bool not = acl_lex_is(&p->lex, "!");
    bool atomic;

    if (!not) {
        return parse_primary(p, &atomic);
    }
    acl_lex_next(&p->lex);
    p->negated = !p->negated;

    struct acl_expr *expr = parse_primary(p, &atomic);
    p->negated = !p->negated;
    if (expr && !atomic) {
        acl_expr_destroy(expr);
        return NULL;
    }
    return expr;
}

/* Reads operands of "&&", or of "||", as far as they go. */
static struct acl_expr *
parse_expr(struct parser *p)
{
    struct acl_expr *expr = parse_not(p);
    bool and = acl_lex_is(&p->lex, "&&");
    const char *sign = and ? "&&" : "||";

    while (expr && acl_lex_match(&p->lex, sign)) {
        struct acl_expr *sub = parse_not(p);

        if (!sub) {
            acl_expr_destroy(expr);
            return NULL;
        }
        expr = combine(p, and ? ACL_EXPR_AND : ACL_EXPR_OR, expr, sub);
    }
    return expr;
}

/* Reads the 'length' bytes of 'text', of which the first is in 'column'.
 * Returns the tree, which the caller must free with acl_expr_destroy(); or
 * NULL, with the token that does not belong there in '*token', which the
 * caller must free, and its column in '*error_column'. */
struct acl_expr *
acl_expr_parse(const char *text, size_t length, int column, char **token,
               int *error_column)
{
    struct parser p = { .negated = false };

    acl_lex_init(&p.lex, text, length, column);

    struct acl_expr *expr = parse_expr(&p);
    if (!expr || p.lex.type != ACL_TOKEN_END) {
        *token = acl_lex_text(&p.lex);
        *error_column = acl_lex_column(&p.lex);
        acl_expr_destroy(expr);
        return NULL;
    }
    return expr;
}

/* Appends 'c' to 's', as it is written in canonical form. */
static void
format_constant(const struct acl_constant *c, struct ds *s)
{
    switch (c->type) {
    case ACL_CONSTANT_INTEGER:
        ds_put_format(s, "%llu", (unsigned long long int) c->integer);
        break;
    case ACL_CONSTANT_IP4:
    case ACL_CONSTANT_IP6:
        if (c->length < 0) {
            ds_put_cstr(s, c->text);
            break;
        }
        if (c->type == ACL_CONSTANT_IP4) {
            ipv6_format_mapped(&c->ip, s);
        } else {
            ipv6_format_addr(&c->ip, s);
        }
        if (c->length < (c->type == ACL_CONSTANT_IP4 ? 32 : 128)) {
            ds_put_format(s, "/%d", c->length);
        }
        break;
    case ACL_CONSTANT_SET:
        ds_put_format(s, "$%s", c->text);
        break;
    case ACL_CONSTANT_GROUP:
        ds_put_format(s, "@%s", c->text);
        break;
    case ACL_CONSTANT_STRING:
        ds_put_format(s, "\"%s\"", c->text);
        break;
    case ACL_CONSTANT_OTHER:
        ds_put_cstr(s, c->text);
        break;
    }
}

/* Returns 'expr', a term, as text in canonical form, so that equal texts mean
 * the same.  The caller must free it. */
char *
acl_expr_term_to_string(const struct acl_expr *expr)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    if (expr->op == ACL_OP_TRUE || expr->op == ACL_OP_FALSE) {
        ds_put_format(&s, "%s%s", expr->op == ACL_OP_FALSE ? "!" : "",
                      expr->field);
        return ds_steal_cstr(&s);
    }
    ds_put_format(&s, "%s %s ", expr->field, relops[expr->op - ACL_OP_EQ]);
    if (expr->n_constants > 1) {
        ds_put_char(&s, '{');
    }
    for (size_t i = 0; i < expr->n_constants; i++) {
        ds_put_cstr(&s, i ? ", " : "");
        format_constant(&expr->constants[i], &s);
    }
    if (expr->n_constants > 1) {
        ds_put_char(&s, '}');
    }
    return ds_steal_cstr(&s);
}

/* Parses 'text' and calls 'cb' with each operand of the outermost "&&", or
 * with the whole if it is none.  Returns false if it cannot be parsed. */
bool
acl_expr_for_each(const char *text, acl_expr_cb *cb, void *aux)
{
    char *token;
    int column;
    struct acl_expr *expr = acl_expr_parse(text, strlen(text), 1, &token,
                                           &column);

    if (!expr) {
        free(token);
        return false;
    }
    if (expr->type == ACL_EXPR_AND) {
        for (size_t i = 0; i < expr->n_subs; i++) {
            cb(expr->subs[i], aux);
        }
    } else {
        cb(expr, aux);
    }
    acl_expr_destroy(expr);
    return true;
}
