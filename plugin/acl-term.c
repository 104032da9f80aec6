/* SPDX-License-Identifier: Apache-2.0 */
/* What the terms of a match mean, as OVN's lib/logical-fields.c defines them.
 *
 * A field brings what it presumes with it: tcp.dst is one of TCP packets, and
 * "tcp.dst != 22" says nothing of others.  Words and nominal fields (ip4, tcp,
 * ip.proto, icmp4.type...) may be tested for equality only: a flow that does
 * otherwise, ovn-controller refuses as a whole, and so does this. */

#include <config.h>

#include "plugin/acl-cubes.h"

#include <stdlib.h>
#include <string.h>

#include "openvswitch/dynamic-string.h"
#include "packets.h"
#include "util.h"

/* Words: each is up to two cubes, a family and a protocol. */
static const struct word {
    const char *name;           /* Word. */
    bool ip4;                   /* It has IPv4 packets. */
    bool ip6;                   /* It has IPv6 packets. */
    int protocol4;              /* Protocol of those of IPv4, or -1. */
    int protocol6;              /* Likewise, IPv6. */
} words[] = {
    { "ip", true, true, -1, -1 },
    { "ip4", true, false, -1, -1 },
    { "ip6", false, true, -1, -1 },
    { "tcp", true, true, IPPROTO_TCP, IPPROTO_TCP },
    { "udp", true, true, IPPROTO_UDP, IPPROTO_UDP },
    { "sctp", true, true, IPPROTO_SCTP, IPPROTO_SCTP },
    { "icmp", true, true, IPPROTO_ICMP, IPPROTO_ICMPV6 },
    { "icmp4", true, false, IPPROTO_ICMP, -1 },
    { "icmp6", false, true, -1, IPPROTO_ICMPV6 },
    { "arp", false, false, -1, -1 },
};

/* What a field is compared with. */
enum field_kind {
    FIELD_SRC_PORT,             /* tcp.src and its like. */
    FIELD_DST_PORT,             /* Likewise. */
    FIELD_TYPE,                 /* icmp4.type, icmp6.type. */
    FIELD_CODE,                 /* icmp4.code, icmp6.code. */
    FIELD_PROTOCOL,             /* ip.proto. */
    FIELD_ETH_TYPE,             /* eth.type. */
    FIELD_SOURCE                /* ip4.src, ip6.src. */
};

/* Fields. */
static const struct field {
    const char *name;           /* Field. */
    enum field_kind kind;       /* See above. */
    uint16_t max;               /* Largest value. */
    bool ordinal;               /* Any relation may be tested. */
    const char *word;           /* What it presumes, or NULL. */
} fields[] = {
    { "tcp.src", FIELD_SRC_PORT, UINT16_MAX, true, "tcp" },
    { "tcp.dst", FIELD_DST_PORT, UINT16_MAX, true, "tcp" },
    { "udp.src", FIELD_SRC_PORT, UINT16_MAX, true, "udp" },
    { "udp.dst", FIELD_DST_PORT, UINT16_MAX, true, "udp" },
    { "sctp.src", FIELD_SRC_PORT, UINT16_MAX, true, "sctp" },
    { "sctp.dst", FIELD_DST_PORT, UINT16_MAX, true, "sctp" },
    { "icmp4.type", FIELD_TYPE, UINT8_MAX, false, "icmp4" },
    { "icmp4.code", FIELD_CODE, UINT8_MAX, false, "icmp4" },
    { "icmp6.type", FIELD_TYPE, UINT8_MAX, false, "icmp6" },
    { "icmp6.code", FIELD_CODE, UINT8_MAX, false, "icmp6" },
    { "ip.proto", FIELD_PROTOCOL, UINT8_MAX, false, "ip" },
    { "eth.type", FIELD_ETH_TYPE, UINT16_MAX, false, NULL },
    { "ip4.src", FIELD_SOURCE, 0, false, "ip4" },
    { "ip6.src", FIELD_SOURCE, 0, false, "ip6" },
};

/* Returns the word that is 'name', or NULL. */
static const struct word *
find_word(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        if (!strcmp(words[i].name, name)) {
            return &words[i];
        }
    }
    return NULL;
}

/* Returns the field that is 'name', or NULL. */
static const struct field *
find_field(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
        if (!strcmp(fields[i].name, name)) {
            return &fields[i];
        }
    }
    return NULL;
}

/* Adds to 'drafts' the packets of one family, of 'protocol' unless it is
 * -1. */
static void
add_family(struct acl_drafts *drafts, bool ip4, bool ip6, int protocol)
{
    struct acl_draft draft;

    acl_draft_init(&draft);
    draft.cube.ip4 = ip4;
    draft.cube.ip6 = ip6;
    if (protocol >= 0) {
        acl_draft_protocol(&draft, protocol);
    }
    acl_drafts_add(drafts, &draft);
}

/* Adds to 'drafts' what 'word' matches; what is not IP, as ARP, does not come
 * here. */
static void
add_word(const struct word *word, struct acl_drafts *drafts)
{
    if (word->protocol4 == word->protocol6 || !word->ip4 || !word->ip6) {
        add_family(drafts, word->ip4, word->ip6,
                   word->ip4 ? word->protocol4 : word->protocol6);
        return;
    }
    add_family(drafts, true, false, word->protocol4);
    add_family(drafts, false, true, word->protocol6);
}

/* Adds to 'drafts' packets whose 'field' is from 'lo' to 'hi'. */
static void
add_range(const struct field *field, int64_t lo, int64_t hi,
          struct acl_drafts *drafts)
{
    struct acl_drafts presumed;

    if (lo > hi) {
        return;
    }
    acl_drafts_init(&presumed);
    if (field->kind == FIELD_ETH_TYPE) {
        /* No range here: the field is nominal.  Other types are not IP. */
        add_family(&presumed, lo == ETH_TYPE_IP, lo == ETH_TYPE_IPV6, -1);
    } else {
        add_word(find_word(field->word), &presumed);
    }
    for (size_t i = 0; i < presumed.n; i++) {
        struct acl_draft draft = presumed.drafts[i];
        struct acl_cube *cube = &draft.cube;

        switch (field->kind) {
        case FIELD_SRC_PORT:
            cube->src_port = (struct acl_range) { lo, hi };
            break;
        case FIELD_DST_PORT:
            cube->dst_port = (struct acl_range) { lo, hi };
            break;
        case FIELD_TYPE:
            cube->icmp_type = (struct acl_range) { lo, hi };
            break;
        case FIELD_CODE:
            cube->icmp_code = (struct acl_range) { lo, hi };
            break;
        case FIELD_PROTOCOL:
            acl_draft_protocol(&draft, lo);
            break;
        case FIELD_ETH_TYPE:
            break;
        case FIELD_SOURCE:
            OVS_NOT_REACHED();
        }
        svec_clone(&draft.cube.source.atoms,
                   &presumed.drafts[i].cube.source.atoms);
        acl_drafts_add(drafts, &draft);
    }
    acl_drafts_destroy(&presumed);
}

/* Adds to 'drafts' packets whose 'field' is in relation 'op' to 'n'. */
static void
add_relation(const struct field *field, enum acl_op op, int64_t n,
             struct acl_drafts *drafts)
{
    switch (op) {
    case ACL_OP_EQ:
        add_range(field, n, n, drafts);
        break;
    case ACL_OP_NE:
        add_range(field, 0, n - 1, drafts);
        add_range(field, n + 1, field->max, drafts);
        break;
    case ACL_OP_LT:
        add_range(field, 0, n - 1, drafts);
        break;
    case ACL_OP_LE:
        add_range(field, 0, n, drafts);
        break;
    case ACL_OP_GT:
        add_range(field, n + 1, field->max, drafts);
        break;
    case ACL_OP_GE:
        add_range(field, n, field->max, drafts);
        break;
    case ACL_OP_TRUE:
    case ACL_OP_FALSE:
        OVS_NOT_REACHED();
    }
}

/* Adds to 'drafts' what 'expr' says of 'field', which has numbers: any of
 * "==" and each of "!=" is to hold. */
static void
add_numbers(const struct acl_expr *expr, const struct field *field,
            struct acl_drafts *drafts)
{
    for (size_t i = 0; i < expr->n_constants; i++) {
        const struct acl_constant *c = &expr->constants[i];
        struct acl_drafts one;

        if (c->type != ACL_CONSTANT_INTEGER || c->integer > field->max) {
            acl_drafts_refuse(drafts, c->text, c->column);
            return;
        }
        acl_drafts_init(&one);
        add_relation(field, expr->op, c->integer, &one);
        if (i && expr->op == ACL_OP_NE) {
            acl_drafts_and(drafts, &one, expr);
        } else {
            acl_drafts_or(drafts, &one, expr);
        }
        acl_drafts_destroy(&one);
    }
}

/* Adds 'c' to 'source', of IPv6 if 'ip6'.  Returns false if it is not
 * understood: OVN refuses an IPv6 address as ip4.src, and takes an IPv4
 * address as ip6.src for a very small one. */
static bool
add_atom(const struct acl_constant *c, bool ip6, bool ne,
         struct acl_source *source)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    if (c->type == ACL_CONSTANT_SET) {
        ds_put_format(&s, "$%s", c->text);
    } else if (c->type != (ip6 ? ACL_CONSTANT_IP6 : ACL_CONSTANT_IP4)
               || c->length < 0 || (ne && !c->length)
               || (ip6 && IN6_IS_ADDR_V4MAPPED(&c->ip))) {
        return false;
    } else {
        if (ip6) {
            ipv6_format_addr(&c->ip, &s);
        } else {
            ipv6_format_mapped(&c->ip, &s);
        }
        ds_put_format(&s, "/%d", c->length);
        source->any |= !c->length;
    }
    svec_add_nocopy(&source->atoms, ds_steal_cstr(&s));
    return true;
}

/* Adds to 'drafts' what 'expr' says of the source, of IPv6 if 'ip6'.
 *
 * OVN takes an address set for a list of its members.  Without members
 * "ip4.src != $set" is true for all packets, whatever their family: unless
 * there is an address beside the sets, the family is 'loose'. */
static void
add_source(const struct acl_expr *expr, bool ip6, struct acl_drafts *drafts)
{
    bool ne = expr->op == ACL_OP_NE;
    bool loose = ne;
    struct acl_draft draft;

    acl_draft_init(&draft);
    draft.cube.source.any = false;
    draft.cube.source.negated = ne;
    for (size_t i = 0; i < expr->n_constants; i++) {
        const struct acl_constant *c = &expr->constants[i];

        if (!add_atom(c, ip6, ne, &draft.cube.source)) {
            acl_drafts_refuse(drafts, c->text, c->column);
            acl_cube_destroy(&draft.cube);
            return;
        }
        loose &= c->type == ACL_CONSTANT_SET;
    }
    svec_sort_unique(&draft.cube.source.atoms);
    if (draft.cube.source.any) {
        svec_clear(&draft.cube.source.atoms);
    }
    draft.cube.ip4 = loose || !ip6;
    draft.cube.ip6 = loose || ip6;
    draft.loose = loose ? expr : NULL;
    draft.loose_ip6 = ip6;
    acl_drafts_add(drafts, &draft);
}

/* Adds to 'drafts', which are empty, what 'expr', a term, matches of IP
 * packets. */
void
acl_term_to_drafts(const struct acl_expr *expr, struct acl_drafts *drafts)
{
    const struct word *word = find_word(expr->field);
    const struct field *field = find_field(expr->field);
    bool equal = expr->op == ACL_OP_EQ || expr->op == ACL_OP_NE;

    if (word && expr->op == ACL_OP_TRUE) {
        add_word(word, drafts);
    } else if (!field || expr->op == ACL_OP_TRUE || expr->op == ACL_OP_FALSE
               || (!equal && (!field->ordinal || expr->braces))) {
        acl_drafts_refuse(drafts, expr->field, expr->column);
    } else if (field->kind == FIELD_SOURCE) {
        add_source(expr, field->word[2] == '6', drafts);
    } else if (expr->op != ACL_OP_EQ && !field->ordinal) {
        acl_drafts_refuse(drafts, expr->field, expr->column);
    } else {
        add_numbers(expr, field, drafts);
    }
}
