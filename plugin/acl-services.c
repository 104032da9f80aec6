/* SPDX-License-Identifier: Apache-2.0 */
/* Kinds of packet: protocols, and prefixes of ports or of ICMP types and
 * codes.
 *
 * The datapath looks for the longest prefix and takes its bits alone, so that
 * each prefix has the bits of all shorter ones around it, too.  A range of
 * ports is cut into prefixes; the port of a packet is in the range if and only
 * if one of them has it, and all prefixes in the table that have it are the
 * longest one and those around that. */
#include <config.h>

#include "plugin/acl-services.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "util.h"

#include "plugin/acl-rule.h"

/* Leading bits of a port, all of them. */
#define PORT_BITS 16

/* A prefix that a cube matches. */
struct piece {
    uint16_t port;              /* Ports, or 256 * type + code. */
    uint8_t len;                /* Leading bits of 'port' that count. */
    uint16_t bit;               /* Bit of the cube, or NO_BIT. */
};
#define NO_BIT UINT16_MAX

/* Any number of them. */
struct pieces {
    struct piece *list;         /* Elements. */
    size_t n;                   /* Number of them. */
    size_t allocated;           /* Capacity. */
};

/* Protocols that have the same bits whatever the port is. */
struct kind {
    struct dp_acl_bits bits;    /* Their bits. */
    int n;                      /* Number of protocols. */
};

/* Everything that is being compiled. */
struct services {
    const struct acl_cube *const *cubes; /* By bit. */
    size_t n_cubes;             /* Number of them. */
    struct dp_acl *acl;         /* Result. */
    struct dp_acl_service *list; /* Its services. */
    size_t allocated;           /* Capacity of 'list'. */
};

/* Returns true if packets of 'protocol' have ports. */
static bool
has_ports(int protocol)
{
    return (protocol == IPPROTO_TCP || protocol == IPPROTO_UDP
            || protocol == IPPROTO_SCTP);
}

/* Returns true if 'range' leaves out nothing up to 'max'. */
static bool
is_full(const struct acl_range *range, uint16_t max)
{
    return !range->lo && range->hi >= max;
}

/* Returns true if 'cube' cares for the type or code of ICMP. */
static bool
has_icmp(const struct acl_cube *cube)
{
    return (!is_full(&cube->icmp_type, UINT8_MAX)
            || !is_full(&cube->icmp_code, UINT8_MAX));
}

/* Returns true if 'cube' cares for the type or code, also in packets of a
 * family that does not have this ICMP, where they are something else. */
static bool
has_odd_icmp(const struct acl_cube *cube)
{
    return (has_icmp(cube)
            && ((cube->ip6 && acl_cube_has_protocol(cube, IPPROTO_ICMP))
                || (cube->ip4
                    && acl_cube_has_protocol(cube, IPPROTO_ICMPV6))));
}

/* Returns true if the datapath can tell whether a packet is of a kind that
 * 'cube' matches: it does not look at source ports. */
bool
acl_service_is_exact(const struct acl_cube *cube)
{
    return is_full(&cube->src_port, UINT16_MAX) && !has_odd_icmp(cube);
}

/* Adds a prefix to 'p'. */
static void
add_piece(struct pieces *p, uint16_t port, uint8_t len, uint16_t bit)
{
    if (p->n >= p->allocated) {
        p->list = x2nrealloc(p->list, &p->allocated, sizeof *p->list);
    }
    p->list[p->n++] = (struct piece) { port, len, bit };
}

/* Adds the ports from 'lo' to 'hi' to 'p', as few prefixes. */
static void
add_range(struct pieces *p, uint32_t lo, uint32_t hi, uint16_t bit)
{
    while (lo <= hi) {
        int free_bits = lo ? raw_ctz(lo) : PORT_BITS;

        while (lo + (UINT32_C(1) << free_bits) - 1 > hi) {
            free_bits--;
        }
        add_piece(p, lo, PORT_BITS - free_bits, bit);
        lo += UINT32_C(1) << free_bits;
    }
}

/* Adds the types and codes of 'cube' to 'p'. */
static void
add_icmp(struct pieces *p, const struct acl_cube *cube, uint16_t bit)
{
    if (has_odd_icmp(cube)) {
        add_piece(p, 0, 0, bit);
        return;
    } else if (is_full(&cube->icmp_code, UINT8_MAX)) {
        add_range(p, cube->icmp_type.lo << 8,
                  cube->icmp_type.hi << 8 | UINT8_MAX, bit);
        return;
    }
    for (int type = cube->icmp_type.lo; type <= cube->icmp_type.hi; type++) {
        add_range(p, type << 8 | cube->icmp_code.lo,
                  type << 8 | cube->icmp_code.hi, bit);
    }
}

/* Adds what 'cube' matches of 'protocol' to 'p'. */
static void
add_cube(struct pieces *p, const struct acl_cube *cube, int protocol,
         uint16_t bit)
{
    if (!acl_cube_has_protocol(cube, protocol)) {
        return;
    } else if (has_ports(protocol)) {
        add_range(p, cube->dst_port.lo, cube->dst_port.hi, bit);
    } else if (protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6) {
        add_icmp(p, cube, bit);
    } else {
        add_piece(p, 0, 0, bit);
    }
}

/* Orders prefixes so that each comes after those around it. */
static int
compare_pieces(const void *a_, const void *b_)
{
    const struct piece *a = a_, *b = b_;

    return a->port != b->port ? a->port - b->port : a->len - b->len;
}

/* Returns true if 'outer' is around 'inner', or is it. */
static bool
is_around(const struct dp_acl_service *outer, const struct piece *inner)
{
    return (outer->port_len <= inner->len
            && !((outer->port ^ inner->port)
                 >> (PORT_BITS - outer->port_len)));
}

/* Sets 'bit' of 'bits'. */
static void
set_bit(struct dp_acl_bits *bits, uint16_t bit)
{
    if (bit != NO_BIT) {
        bits->word[bit / 64] |= UINT64_C(1) << bit % 64;
    }
}

/* Adds 'service' to the result. */
static void
add_service(struct services *s, const struct dp_acl_service *service)
{
    if (s->acl->n_services >= s->allocated) {
        s->list = x2nrealloc(s->list, &s->allocated, sizeof *s->list);
    }
    s->list[s->acl->n_services++] = *service;
}

/* Adds the prefixes of 'p', sorted, for 'protocol' to the result.  One that
 * says no more than that around it, or than 'any_protocol', is left out. */
static void
add_pieces(struct services *s, int protocol, const struct pieces *p)
{
    struct dp_acl_service stack[PORT_BITS + 2];
    int depth = 1;

    /* What is around all of them. */
    stack[0] = (struct dp_acl_service) { .bits = s->acl->any_protocol };

    for (size_t i = 0; i < p->n; ) {
        struct piece first = p->list[i];
        struct dp_acl_service new = {
            .protocol = protocol, .port = first.port, .port_len = first.len,
        };

        while (!is_around(&stack[depth - 1], &first)) {
            depth--;
        }
        if (i) {
            new.bits = stack[depth - 1].bits;
        }
        for (; i < p->n && !compare_pieces(&p->list[i], &first); i++) {
            set_bit(&new.bits, p->list[i].bit);
        }
        if (memcmp(&new.bits, &stack[depth - 1].bits, sizeof new.bits)) {
            add_service(s, &new);
            stack[depth++] = new;
        }
    }
}

/* Stores in 'p' all that matches packets of 'protocol', sorted.  Returns true
 * if no port matters, and stores what matches them in 'bits' then. */
static bool
collect(const struct services *s, int protocol, struct pieces *p,
        struct dp_acl_bits *bits)
{
    bool simple = true;

    memset(bits, 0, sizeof *bits);
    p->n = 0;
    add_piece(p, 0, 0, NO_BIT);
    for (size_t i = 0; i < s->n_cubes; i++) {
        add_cube(p, s->cubes[i], protocol, i);
    }
    for (size_t i = 0; i < p->n; i++) {
        simple = simple && !p->list[i].len;
        set_bit(bits, p->list[i].bit);
    }
    qsort(p->list, p->n, sizeof *p->list, compare_pieces);
    return simple;
}

/* Counts a protocol with 'bits' in 'kinds', of which there are '*n'. */
static void
count_kind(struct kind *kinds, int *n, const struct dp_acl_bits *bits)
{
    for (int i = 0; i < *n; i++) {
        if (!memcmp(&kinds[i].bits, bits, sizeof *bits)) {
            kinds[i].n++;
            return;
        }
    }
    kinds[*n].bits = *bits;
    kinds[(*n)++].n = 1;
}

/* Finds the bits that most protocols have. */
static void
choose_any(struct services *s, struct pieces *p)
{
    struct kind *kinds = xcalloc(UINT8_MAX + 1, sizeof *kinds);
    const struct kind *best = kinds;
    int n = 0;

    for (int protocol = 0; protocol <= UINT8_MAX; protocol++) {
        struct dp_acl_bits bits;

        if (collect(s, protocol, p, &bits)) {
            count_kind(kinds, &n, &bits);
        }
    }
    for (int i = 1; i < n; i++) {
        if (kinds[i].n > best->n) {
            best = &kinds[i];
        }
    }
    s->acl->any_protocol = best->bits;
    free(kinds);
}

/* Stores the services of 'cubes', of which there are 'n', and 'any_protocol'
 * in 'acl'.  Cube number i has bit i.  The caller frees 'acl->services'. */
void
acl_services_compile(const struct acl_cube *const cubes[], size_t n,
                     struct dp_acl *acl)
{
    struct services s = { .cubes = cubes, .n_cubes = n, .acl = acl };
    struct pieces p = { .n = 0 };

    acl->n_services = 0;
    choose_any(&s, &p);
    for (int protocol = 0; protocol <= UINT8_MAX; protocol++) {
        struct dp_acl_bits bits;

        if (!collect(&s, protocol, &p, &bits)
            || memcmp(&bits, &acl->any_protocol, sizeof bits)) {
            add_pieces(&s, protocol, &p);
        }
    }
    acl->services = s.list;
    free(p.list);
}
