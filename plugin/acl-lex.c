/* SPDX-License-Identifier: Apache-2.0 */
/* Cuts OVN's expressions into tokens, as lib/lex.c of OVN does.  Comments and
 * escapes in strings, which OVN has, are no tokens here: who writes them is
 * not understood. */

#include <config.h>

#include "plugin/acl-lex.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "packets.h"
#include "util.h"

/* Signs; one that begins with another comes before it. */
static const char *const signs[] = {
    "&&", "||", "==", "!=", "<=", ">=", "..", "<", ">", "!", "(", ")", "{",
    "}", "[", "]", ",",
};

/* Starts to read the 'length' bytes of 'text', of which the first is in
 * 'column'. */
void
acl_lex_init(struct acl_lex *lex, const char *text, size_t length, int column)
{
    *lex = (struct acl_lex) { .start = text, .end = text + length,
                              .column = column, .token = text };
    acl_lex_next(lex);
}

/* Returns character 'i' after 'p', or 0 at the end. */
static unsigned char
peek(const struct acl_lex *lex, const char *p, size_t i)
{
    return i < lex->end - p ? p[i] : 0;
}

/* Returns true if 'c' may begin a name. */
static bool
is_name(unsigned char c)
{
    return c < 128 && (isalpha(c) || c == '_' || c == '.');
}

/* Returns the length of the name at 'p', 0 if there is none. */
static size_t
name_length(const struct acl_lex *lex, const char *p)
{
    size_t n = 0;

    while (is_name(peek(lex, p, n))
           || (n && isdigit(peek(lex, p, n)))) {
        n++;
    }
    return n;
}

/* Returns the length of what OVN takes for an integer, an address included,
 * at 'p'. */
static size_t
number_length(const struct acl_lex *lex, const char *p)
{
    bool dot = false;
    size_t n;

    for (n = 0; ; n++) {
        unsigned char c = peek(lex, p, n);

        if (c == '.' && peek(lex, p, n + 1) != '.') {
            dot = true;
        } else if (!(c < 128 && isalnum(c)) && !(c == ':' && !dot)) {
            return n;
        }
    }
}

/* Reads 'text', all of an integer in 'base' after its prefix, into '*value'.
 * Returns false if it is none. */
static bool
read_integer(const char *text, int base, uint64_t *value)
{
    char *tail;

    if (!isxdigit((unsigned char) text[0])) {
        return false;
    }
    errno = 0;
    *value = strtoull(text, &tail, base);
    return !*tail && !errno;
}

/* Reads 'text', the whole of a number, into 'c'.  Returns false if it is
 * none. */
static bool
read_number(const char *text, struct acl_constant *c)
{
    ovs_be32 ip4;

    if (text[0] && text[strspn(text, "0123456789")] == '\0') {
        c->type = ACL_CONSTANT_INTEGER;
        return ((text[0] != '0' || !text[1])
                && read_integer(text, 10, &c->integer));
    } else if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
        c->type = (read_integer(text + 2, 16, &c->integer)
                   ? ACL_CONSTANT_INTEGER : ACL_CONSTANT_OTHER);
        return true;
    } else if (ip_parse(text, &ip4)) {
        c->type = ACL_CONSTANT_IP4;
        c->ip = in6_addr_mapped_ipv4(ip4);
        c->length = 32;
        return true;
    } else if (ipv6_parse(text, &c->ip)) {
        c->type = ACL_CONSTANT_IP6;
        c->length = 128;
        return true;
    }
    c->type = ACL_CONSTANT_OTHER;
    return strlen(text) == 17 && strchr(text, ':');
}

/* Gives 'c' the mask 'bits', of which the first 96 are set if it is of IPv4.
 * One that is no prefix is remembered as such.
 *
 * Returns false if 'c' has bits that the mask has not: OVN 20.03 and 20.06
 * refuse the whole match, later ones clear them. */
static bool
apply_mask(struct acl_constant *c, const struct in6_addr *bits)
{
    struct in6_addr masked = ipv6_addr_bitand(&c->ip, bits);

    c->length = (!ipv6_is_cidr(bits) ? -1
                 : ipv6_count_cidr_bits(bits)
                   - (c->type == ACL_CONSTANT_IP4 ? 96 : 0));
    return ipv6_addr_equals(&masked, &c->ip);
}

/* Applies what follows a slash, 'text', to 'c'.  With a mask, anything but an
 * address is of no known type.  Returns false if it is no mask, or does not
 * fit. */
static bool
read_mask(const char *text, struct acl_constant *c)
{
    struct acl_constant mask = { .length = -1 };
    bool ip4 = c->type == ACL_CONSTANT_IP4;

    if (!read_number(text, &mask)) {
        return false;
    }
    c->masked = true;
    if (!ip4 && c->type != ACL_CONSTANT_IP6) {
        c->type = ACL_CONSTANT_OTHER;
    } else if (mask.type == c->type) {
        if (ip4) {
            memset(&mask.ip, 0xff, 12);
        }
        return apply_mask(c, &mask.ip);
    } else if (mask.type == ACL_CONSTANT_INTEGER && text[1] != 'x'
               && text[1] != 'X' && mask.integer <= (ip4 ? 32 : 128)) {
        mask.ip = ipv6_create_mask(mask.integer + (ip4 ? 96 : 0));
        return apply_mask(c, &mask.ip);
    } else {
        return false;
    }
    return true;
}

/* Makes the number at the current position the current token. */
static void
lex_number(struct acl_lex *lex)
{
    size_t n = number_length(lex, lex->token);
    char *text = xmemdup0(lex->token, n);
    bool ok = read_number(text, &lex->constant);

    free(text);
    if (ok && peek(lex, lex->token, n) == '/') {
        size_t m = number_length(lex, lex->token + n + 1);

        text = xmemdup0(lex->token + n + 1, m);
        ok = read_mask(text, &lex->constant);
        free(text);
        n += 1 + m;
    }
    lex->type = ok ? ACL_TOKEN_CONSTANT : ACL_TOKEN_BAD;
    lex->length = MAX(n, 1);
}

/* Makes the string at the current position the current token. */
static void
lex_string(struct acl_lex *lex)
{
    const char *begin = lex->token + 1;
    const char *quote = memchr(begin, '"', lex->end - begin);
    bool ok = quote && !memchr(begin, '\\', quote - begin);

    lex->constant.type = ACL_CONSTANT_STRING;
    lex->type = ok ? ACL_TOKEN_CONSTANT : ACL_TOKEN_BAD;
    lex->length = ok ? quote + 1 - lex->token : lex->end - lex->token;
}

/* Makes the name after a sign at the current position the current token, of
 * constants of 'type'. */
static void
lex_reference(struct acl_lex *lex, enum acl_constant_type type)
{
    size_t n = name_length(lex, lex->token + 1);

    lex->constant.type = type;
    lex->type = n ? ACL_TOKEN_CONSTANT : ACL_TOKEN_BAD;
    lex->length = 1 + n;
}

/* Makes the sign at the current position the current token. */
static void
lex_sign(struct acl_lex *lex)
{
    lex->type = ACL_TOKEN_BAD;
    lex->length = 1;
    for (size_t i = 0; i < ARRAY_SIZE(signs); i++) {
        size_t n = strlen(signs[i]);

        if (n <= lex->end - lex->token
            && !memcmp(lex->token, signs[i], n)) {
            lex->type = ACL_TOKEN_SIGN;
            lex->length = n;
            return;
        }
    }
}

/* Returns true if a number, and not a name, begins at the current position:
 * IPv6 addresses may begin with letters. */
static bool
at_number(const struct acl_lex *lex)
{
    size_t n = 0;

    while (peek(lex, lex->token, n) < 128
           && isxdigit(peek(lex, lex->token, n))) {
        n++;
    }
    return (isdigit(peek(lex, lex->token, 0))
            || (n && peek(lex, lex->token, n) == ':')
            || (!n && peek(lex, lex->token, 0) == ':'
                && peek(lex, lex->token, 1) == ':'));
}

/* Goes on to the next token. */
void
acl_lex_next(struct acl_lex *lex)
{
    lex->token += lex->length;
    lex->length = 0;
    lex->constant = (struct acl_constant) { .length = -1 };
    while (peek(lex, lex->token, 0) && isspace(peek(lex, lex->token, 0))) {
        lex->token++;
    }

    unsigned char c = peek(lex, lex->token, 0);
    if (lex->token == lex->end) {
        lex->type = ACL_TOKEN_END;
    } else if (c == '"') {
        lex_string(lex);
    } else if (c == '$') {
        lex_reference(lex, ACL_CONSTANT_SET);
    } else if (c == '@') {
        lex_reference(lex, ACL_CONSTANT_GROUP);
    } else if (c == '^') {
        lex_reference(lex, ACL_CONSTANT_OTHER);
    } else if (at_number(lex)) {
        lex_number(lex);
    } else if (is_name(c) && c != '.') {
        lex->type = ACL_TOKEN_NAME;
        lex->length = name_length(lex, lex->token);
    } else {
        lex_sign(lex);
    }
}

/* Returns true if the current token is 'sign'. */
bool
acl_lex_is(const struct acl_lex *lex, const char *sign)
{
    return (lex->type == ACL_TOKEN_SIGN && lex->length == strlen(sign)
            && !memcmp(lex->token, sign, lex->length));
}

/* Goes on and returns true if the current token is 'sign'. */
bool
acl_lex_match(struct acl_lex *lex, const char *sign)
{
    bool is = acl_lex_is(lex, sign);

    if (is) {
        acl_lex_next(lex);
    }
    return is;
}

/* Returns the column of the current token. */
int
acl_lex_column(const struct acl_lex *lex)
{
    return lex->column + (lex->token - lex->start);
}

/* Returns the current token as it is written.  The caller must free it. */
char *
acl_lex_text(const struct acl_lex *lex)
{
    return xmemdup0(lex->token, lex->length);
}
