/* SPDX-License-Identifier: Apache-2.0 */
/* Rules and their cubes: what they match, and in which order they decide. */

#include <config.h>

#include "plugin/acl-rule.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "util.h"

/* Makes 'cube' the one that matches every IP packet. */
void
acl_cube_init_any(struct acl_cube *cube)
{
    *cube = (struct acl_cube) {
        .ip4 = true,
        .ip6 = true,
        .protocols = { UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX },
        .src_port = { 0, UINT16_MAX },
        .dst_port = { 0, UINT16_MAX },
        .icmp_type = { 0, UINT8_MAX },
        .icmp_code = { 0, UINT8_MAX },
        .source = { .any = true, .atoms = SVEC_EMPTY_INITIALIZER },
    };
}

/* Frees what 'cube' holds, not 'cube' itself. */
void
acl_cube_destroy(struct acl_cube *cube)
{
    svec_destroy(&cube->source.atoms);
}

/* Returns true if 'cube' matches packets of IP protocol 'protocol'. */
bool
acl_cube_has_protocol(const struct acl_cube *cube, uint8_t protocol)
{
    return cube->protocols[protocol / 64] >> (protocol % 64) & 1;
}

/* Frees 'rule' and all that it holds. */
void
acl_rule_destroy(struct acl_rule *rule)
{
    if (!rule) {
        return;
    }
    for (size_t i = 0; i < rule->n_cubes; i++) {
        acl_cube_destroy(&rule->cubes[i]);
    }
    free(rule->cubes);
    free(rule->match);
    free(rule);
}

/* Returns true if packets that 'rule' decides about are dropped, and nothing
 * else comes of them.
 *
 * A rule that writes a log line, labels or takes samples does something that
 * people wait for, and one that rejects answers: their packets are OVN's.  So
 * are those of tiers other than the first: between two tiers OVN allows what
 * belongs to a blocked connection ("ip && ct.est && ct_mark.blocked == 1",
 * priority 1), which may be a SYN, before the second one could drop it. */
bool
acl_rule_drops(const struct acl_rule *rule)
{
    return rule->action == ACL_DROP && !rule->flags && !rule->tier;
}

/* Returns a negative number if 'a' is less than 'b', a positive one if it is
 * greater, and 0 if they are equal. */
static int
compare_ints(int a, int b)
{
    return a < b ? -1 : a > b;
}

/* Orders rules as they decide: the first that matches a packet does.  Returns
 * a negative number if 'a' comes before 'b', a positive one if it comes after
 * it, and 0 only if they are the same rule.
 *
 * Which of two rules with one tier and priority decides, OVN leaves open.  So
 * one that drops comes after one that does not: it may be left out, never
 * applied where another might be. */
int
acl_rule_compare(const struct acl_rule *a, const struct acl_rule *b)
{
    int cmp = compare_ints(a->tier, b->tier);

    if (!cmp) {
        cmp = compare_ints(b->priority, a->priority);
    }
    if (!cmp) {
        cmp = compare_ints(acl_rule_drops(a), acl_rule_drops(b));
    }
    if (!cmp) {
        cmp = strcmp(a->match, b->match);
    }
    if (!cmp) {
        cmp = compare_ints(a->action, b->action);
    }
    return cmp ? cmp : compare_ints(a->flags, b->flags);
}

/* Returns true if 'n' is within 'range'. */
static bool
range_has(const struct acl_range *range, unsigned int n)
{
    return range->lo <= n && n <= range->hi;
}

/* Returns true if packets of 'protocol' have ports. */
static bool
has_ports(uint8_t protocol)
{
    return (protocol == IPPROTO_TCP || protocol == IPPROTO_UDP
            || protocol == IPPROTO_SCTP);
}

/* Returns true if 'packet' is ICMP of its family. */
static bool
is_icmp(const struct acl_packet *packet)
{
    return packet->protocol == (packet->ip6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
}

/* Returns true if 'source' has the source that 'has_atom' knows, with 'aux'.
 * See acl_rule_matches(). */
static bool
source_matches(const struct acl_source *source, acl_atom_cb *has_atom,
               const void *aux)
{
    const char *atom;
    size_t i;

    if (source->any) {
        return true;
    }
    SVEC_FOR_EACH (i, atom, &source->atoms) {
        if (has_atom(atom, aux)) {
            return !source->negated;
        }
    }
    return source->negated;
}

/* Returns true if 'cube' matches 'packet'.  See acl_rule_matches(). */
static bool
cube_matches(const struct acl_cube *cube, const struct acl_packet *packet,
             acl_atom_cb *has_atom, const void *aux)
{
    if (!(packet->ip6 ? cube->ip6 : cube->ip4)
        || !acl_cube_has_protocol(cube, packet->protocol)) {
        return false;
    }
    if (has_ports(packet->protocol)
        && (!range_has(&cube->src_port, packet->src_port)
            || !range_has(&cube->dst_port, packet->dst_port))) {
        return false;
    }
    if (is_icmp(packet)
        && (!range_has(&cube->icmp_type, packet->icmp_type)
            || !range_has(&cube->icmp_code, packet->icmp_code))) {
        return false;
    }
    return source_matches(&cube->source, has_atom, aux);
}

/* Returns true if 'rule' matches 'packet'; 'has_atom', called with 'aux',
 * tells whether the packet's source is in an atom. */
bool
acl_rule_matches(const struct acl_rule *rule, const struct acl_packet *packet,
                 acl_atom_cb *has_atom, const void *aux)
{
    for (size_t i = 0; i < rule->n_cubes; i++) {
        if (cube_matches(&rule->cubes[i], packet, has_atom, aux)) {
            return true;
        }
    }
    return false;
}

/* Returns the word that OVN's Northbound has for 'action'. */
const char *
acl_action_to_string(enum acl_action action)
{
    switch (action) {
    case ACL_ALLOW:
        return "allow";
    case ACL_ALLOW_RELATED:
        return "allow-related";
    case ACL_ALLOW_STATELESS:
        return "allow-stateless";
    case ACL_DROP:
        return "drop";
    case ACL_REJECT:
        return "reject";
    case ACL_PASS:
        return "pass";
    }
    OVS_NOT_REACHED();
}
