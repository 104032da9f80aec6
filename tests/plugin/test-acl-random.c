/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of plugin/acl-match.c with random matches, against a direct evaluation
 * here and, by test-acl-ovn.sh, against OVN. */

#include <config.h>

#include "plugin/acl-match.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "openvswitch/dynamic-string.h"
#include "packets.h"
#include "random.h"
#include "util.h"

/* Random matches, and packets for each. */
#define N_RANDOM 20000
#define N_PACKETS 50

/* Random matches, and packets for each, that OVN is asked about. */
#define N_CASES 400
#define N_CASE_PACKETS 10

/* Leaves of random expressions. */
enum leaf {
    LEAF_TCP, LEAF_UDP, LEAF_IP, LEAF_IP4, LEAF_IP6, LEAF_ICMP, LEAF_ICMP4,
    LEAF_ONE, LEAF_ZERO,
    LEAF_TCP_DST, LEAF_TCP_SRC, LEAF_UDP_DST, LEAF_PROTO, LEAF_TYPE,
    LEAF_SRC4, LEAF_SRC6,
    N_LEAVES
};

/* Names of leaves. */
static const char *const leaf_names[] = {
    "tcp", "udp", "ip", "ip4", "ip6", "icmp", "icmp4", "1", "0",
    "tcp.dst", "tcp.src", "udp.dst", "ip.proto", "icmp4.type",
    "ip4.src", "ip6.src",
};

/* Sources of random expressions, what they stand for (NULL: nothing), and
 * whether of IPv6. */
static const struct {
    const char *text;           /* As written. */
    const char *cidr;           /* What it has. */
    bool ip6;                   /* Family. */
} sources[] = {
    { "10.0.0.0/8", "10.0.0.0/8", false },
    { "10.1.0.0/16", "10.1.0.0/16", false },
    { "0.0.0.0/0", "0.0.0.0/0", false },
    { "$four", "10.1.0.0/16", false },
    { "$empty", NULL, false },
    { "2001:db8::/32", "2001:db8::/32", true },
    { "$six", "2001:db8::/32", true },
    { "$void", NULL, true },
};

/* Source addresses of random packets. */
static const char *const addresses4[] = { "10.0.0.1", "10.1.0.1", "11.0.0.1" };
static const char *const addresses6[] = { "2001:db8::1", "2001:db9::1" };

/* Relations of random expressions; "==" and "!=" first. */
static const char *const relops[] = { "==", "!=", "<", "<=", ">", ">=" };

/* A random expression. */
struct node {
    char type;                  /* '&', '|', '!', or 'x' for a leaf. */
    struct node *a;             /* Operand. */
    struct node *b;             /* The other, if there is one. */
    enum leaf leaf;             /* If a leaf. */
    int relop;                  /* Likewise, of 'relops'; -1: a word. */
    int values[2];              /* Numbers, or sources. */
    int n_values;               /* Number of them. */
};

/* Returns true if 'ip' is in 'cidr'. */
static bool
is_in(const char *cidr, const char *ip)
{
    struct in6_addr network, mask, address;
    ovs_be32 network4, mask4, ip4;
    char *error;

    if (ip_parse(ip, &ip4)) {
        error = ip_parse_masked(cidr, &network4, &mask4);
        free(error);
        return !error && (ip4 & mask4) == network4;
    }
    error = ipv6_parse_masked(cidr, &network, &mask);
    free(error);
    assert_true(ipv6_parse(ip, &address));
    address = ipv6_addr_bitand(&address, &mask);
    return !error && ipv6_addr_equals(&address, &network);
}

/* Returns the source of 'sources' that is 'text'. */
static int
find_source(const char *text)
{
    for (int i = 0; i < ARRAY_SIZE(sources); i++) {
        if (!strcmp(sources[i].text, text)) {
            return i;
        }
    }
    return -1;
}

/* Tells whether 'atom' has the address 'aux'. */
static bool
has_atom(const char *atom, const void *aux)
{
    int i = find_source(atom);

    assert_true(i >= 0);
    return sources[i].cidr && is_in(sources[i].cidr, aux);
}

/* Frees 'node'. */
static void
free_node(struct node *node)
{
    if (node) {
        free_node(node->a);
        free_node(node->b);
        free(node);
    }
}

/* Gives the leaf 'node' a random relation. */
static void
random_relation(struct node *node)
{
    bool source = node->leaf == LEAF_SRC4 || node->leaf == LEAF_SRC6;
    bool ordinal = node->leaf <= LEAF_UDP_DST;

    node->n_values = 1;
    node->relop = random_range(ordinal ? 6 : 2);
    if (!ordinal && !source && random_range(8)) {
        node->relop = 0;
    }
    if (node->relop < 2) {
        node->n_values += random_range(2);
    }
    for (int i = 0; i < node->n_values; i++) {
        do {
            node->values[i] = (source ? random_range(ARRAY_SIZE(sources))
                               : node->leaf == LEAF_PROTO
                               ? (random_range(2) ? IPPROTO_TCP : IPPROTO_UDP)
                               : random_range(4));
        } while (source
                 && sources[node->values[i]].ip6 != (node->leaf == LEAF_SRC6));
    }
}

/* Returns a random expression with up to 'depth' levels. */
static struct node *
random_node(int depth)
{
    struct node *node = xzalloc(sizeof *node);
    uint32_t r = random_range(depth ? 8 : 4);

    node->type = r < 4 ? 'x' : r < 6 ? '&' : r < 7 ? '|' : '!';
    node->relop = -1;
    if (node->type != 'x') {
        node->a = random_node(depth - 1);
        node->b = node->type != '!' ? random_node(depth - 1) : NULL;
        return node;
    }
    node->leaf = random_range(N_LEAVES);
    if (node->leaf >= LEAF_TCP_DST) {
        random_relation(node);
    }
    return node;
}

/* Appends the leaf 'node' to 's'. */
static void
print_leaf(const struct node *node, struct ds *s)
{
    bool source = node->leaf == LEAF_SRC4 || node->leaf == LEAF_SRC6;

    ds_put_cstr(s, leaf_names[node->leaf]);
    if (node->relop < 0) {
        return;
    }
    ds_put_format(s, " %s %s", relops[node->relop],
                  node->n_values > 1 ? "{" : "");
    for (int i = 0; i < node->n_values; i++) {
        if (source) {
            ds_put_format(s, "%s ", sources[node->values[i]].text);
        } else {
            ds_put_format(s, "%d ", node->values[i]);
        }
    }
    ds_put_cstr(s, node->n_values > 1 ? "}" : "");
}

/* Appends 'node' to 's'. */
static void
print_node(const struct node *node, struct ds *s)
{
    if (node->type == 'x') {
        print_leaf(node, s);
        return;
    }
    ds_put_cstr(s, node->type == '!' ? "!(" : "(");
    print_node(node->a, s);
    if (node->b) {
        ds_put_format(s, ") %c%c (", node->type, node->type);
        print_node(node->b, s);
    }
    ds_put_char(s, ')');
}

/* Returns true if OVN refuses 'node', within 'negated' "!": it tests something
 * nominal for anything but equality. */
static bool
ovn_refuses(const struct node *node, bool negated)
{
    switch (node->type) {
    case '!':
        return ovn_refuses(node->a, !negated);
    case '&':
    case '|':
        return ovn_refuses(node->a, negated) || ovn_refuses(node->b, negated);
    }
    return (node->leaf == LEAF_ONE || node->leaf == LEAF_ZERO
            || node->leaf >= LEAF_SRC4 ? false
            : node->relop < 0 ? negated
            : node->leaf <= LEAF_UDP_DST ? false
            : (node->relop == 1) != negated);
}

/* Returns whether 'value' is in relation 'relop' to 'n'. */
static bool
relate(int value, int relop, int n)
{
    switch (relop) {
    case 0:
        return value == n;
    case 1:
        return value != n;
    case 2:
        return value < n;
    case 3:
        return value <= n;
    case 4:
        return value > n;
    default:
        return value >= n;
    }
}

/* Evaluates the word 'leaf'. */
static bool
word_holds(enum leaf leaf, const struct acl_packet *p)
{
    switch ((int) leaf) {
    case LEAF_TCP:
    case LEAF_TCP_DST:
    case LEAF_TCP_SRC:
        return p->protocol == IPPROTO_TCP;
    case LEAF_UDP:
    case LEAF_UDP_DST:
        return p->protocol == IPPROTO_UDP;
    case LEAF_IP4:
    case LEAF_SRC4:
        return !p->ip6;
    case LEAF_IP6:
    case LEAF_SRC6:
        return p->ip6;
    case LEAF_ICMP:
        return p->protocol == (p->ip6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
    case LEAF_ICMP4:
    case LEAF_TYPE:
        return !p->ip6 && p->protocol == IPPROTO_ICMP;
    case LEAF_ZERO:
        return false;
    default:
        return true;
    }
}

/* Evaluates the leaf 'node', whose field is a source. */
static bool
source_holds(const struct node *node, bool negated, const char *ip)
{
    bool ne = (node->relop == 1) != negated;
    bool in = false;
    bool empty = true;

    for (int i = 0; i < node->n_values; i++) {
        const char *cidr = sources[node->values[i]].cidr;

        empty &= !cidr;
        in |= cidr && is_in(cidr, ip);
    }

    /* Without anything to compare with there is no field, and no family. */
    if (empty) {
        return ne;
    }
    return (node->leaf == LEAF_SRC6) == !!strchr(ip, ':') && in != ne;
}

/* Evaluates 'node', within 'negated' "!", as OVN does: what a field presumes
 * is not negated. */
static bool
holds(const struct node *node, bool negated, const struct acl_packet *p,
      const char *ip)
{
    switch (node->type) {
    case '!':
        return holds(node->a, !negated, p, ip);
    case '&':
    case '|':
        return ((node->type == '&') != negated
                ? (holds(node->a, negated, p, ip)
                   && holds(node->b, negated, p, ip))
                : (holds(node->a, negated, p, ip)
                   || holds(node->b, negated, p, ip)));
    }
    if (node->relop < 0) {
        return word_holds(node->leaf, p) != negated;
    } else if (node->leaf >= LEAF_SRC4) {
        return source_holds(node, negated, ip);
    }

    int value = (node->leaf == LEAF_TCP_SRC ? p->src_port
                 : node->leaf == LEAF_PROTO ? p->protocol
                 : node->leaf == LEAF_TYPE ? p->icmp_type : p->dst_port);
    bool result = node->relop == 1;
    for (int i = 0; i < node->n_values; i++) {
        bool one = relate(value, node->relop, node->values[i]);

        result = node->relop == 1 ? result && one : result || one;
    }
    return word_holds(node->leaf, p) && result != negated;
}

/* Makes '*p' a random packet.  Returns its source. */
static const char *
random_packet(struct acl_packet *p)
{
    static const uint8_t protocols[] = { IPPROTO_TCP, IPPROTO_UDP,
                                         IPPROTO_ICMP, IPPROTO_ICMPV6, 47 };

    *p = (struct acl_packet) {
        .ip6 = random_range(2),
        .protocol = protocols[random_range(ARRAY_SIZE(protocols))],
    };
    if (p->protocol == IPPROTO_TCP || p->protocol == IPPROTO_UDP) {
        p->src_port = random_range(5);
        p->dst_port = random_range(5);
    } else if (p->protocol == (p->ip6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP)) {
        p->icmp_type = random_range(5);
    }
    return (p->ip6 ? addresses6[random_range(ARRAY_SIZE(addresses6))]
            : addresses4[random_range(ARRAY_SIZE(addresses4))]);
}

/* Checks the cubes of 'match', made from 'text', against 'node'. */
static void
check_packets(const struct acl_match *match, const struct node *node,
              const char *text)
{
    struct acl_rule rule = { .cubes = match->cubes,
                             .n_cubes = match->n_cubes };

    for (int i = 0; i < N_PACKETS; i++) {
        struct acl_packet p;
        const char *ip = random_packet(&p);
        bool expected = holds(node, false, &p, ip);

        if (acl_rule_matches(&rule, &p, has_atom, ip) != expected) {
            fail_msg("%s (%s): proto %d from %s, ports %d %d, type %d: %s",
                     text, match->text, p.protocol, ip, p.src_port,
                     p.dst_port, p.icmp_type, expected ? "yes" : "no");
        }
    }
}

/* Random expressions mean the same as cubes, or are refused; those that OVN
 * refuses always are. */
static void
test_random(void **state OVS_UNUSED)
{
    size_t understood = 0;

    random_set_seed(0xac1);
    for (int i = 0; i < N_RANDOM; i++) {
        struct node *node = random_node(random_range(4));
        struct ds s = DS_EMPTY_INITIALIZER;
        struct acl_match match;
        char *token = NULL;
        int column;

        print_node(node, &s);

        struct acl_expr *expr = acl_expr_parse(ds_cstr(&s), s.length, 1,
                                               &token, &column);
        if (!expr) {
            fail_msg("%s: %s", ds_cstr(&s), token);
        }
        acl_match_init(&match, expr, false);
        if (match.token) {
            assert_true(match.column > 0 && match.column <= s.length);
            assert_null(match.cubes);
        } else {
            assert_false(ovn_refuses(node, false));
            check_packets(&match, node, ds_cstr(&s));
            understood++;
        }
        acl_match_destroy(&match);
        acl_expr_destroy(expr);
        ds_destroy(&s);
        free_node(node);
    }
    if (understood < N_RANDOM / 3) {
        fail_msg("only %"PRIuSIZE" understood", understood);
    }
}

/* Prints '*p', from 'ip', as OVN would write it, and 'result'. */
static void
print_packet(const struct acl_packet *p, const char *ip, bool result)
{
    char family = p->ip6 ? '6' : '4';

    printf("packet\tip%c && ip%c.src == %s && ip.proto == %d", family, family,
           ip, p->protocol);
    if (p->protocol == IPPROTO_TCP || p->protocol == IPPROTO_UDP) {
        const char *name = p->protocol == IPPROTO_TCP ? "tcp" : "udp";

        printf(" && %s.src == %d && %s.dst == %d", name, p->src_port, name,
               p->dst_port);
    } else if (p->protocol == (p->ip6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP)) {
        printf(" && icmp%c.type == %d", family, p->icmp_type);
    }
    printf("\t%d\n", result);
}

/* Prints random matches, whether they are understood and whether OVN ought to
 * refuse them; and after each that is understood packets, and whether they
 * match.  For test-acl-ovn.sh, which asks OVN. */
static void
print_cases(void)
{
    random_set_seed(0x0a51);
    for (int i = 0; i < N_CASES; i++) {
        struct node *node = random_node(random_range(4));
        struct ds s = DS_EMPTY_INITIALIZER;
        struct acl_match match;
        char *token;
        int column;

        print_node(node, &s);

        struct acl_expr *expr = acl_expr_parse(ds_cstr(&s), s.length, 1,
                                               &token, &column);
        acl_match_init(&match, expr, false);
        printf("match\t%s\t%d\t%d\n", ds_cstr(&s), !match.token,
               ovn_refuses(node, false));

        struct acl_rule rule = { .cubes = match.cubes,
                                 .n_cubes = match.n_cubes };
        for (int k = 0; k < N_CASE_PACKETS && !match.token; k++) {
            struct acl_packet p;
            const char *ip = random_packet(&p);

            print_packet(&p, ip, acl_rule_matches(&rule, &p, has_atom, ip));
        }
        acl_match_destroy(&match);
        acl_expr_destroy(expr);
        ds_destroy(&s);
        free_node(node);
    }
}

/* Runs the test; with an argument, prints cases for OVN instead. */
int
main(int argc, char *argv[] OVS_UNUSED)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random),
    };

    if (argc > 1) {
        print_cases();
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
