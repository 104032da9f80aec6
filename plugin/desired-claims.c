/* SPDX-License-Identifier: Apache-2.0 */
/* Claims of addresses, and which of them an endpoint is made of.
 *
 * What comes out depends on the claims of an address that are there, not on
 * the order in which they came.  A claim that works, or must not, counts more
 * than one that will work, and that more than any other.  Among those that
 * count most one is shown; and where those that work contradict each other,
 * the address is not offloaded at all.
 *
 * That is so among the claims of one tier.  A claim by hearsay does not count
 * beside one that is not, and that of an allowed pair, which says nothing of
 * where the address is, beside no other. */

#include <config.h>

#include "plugin/desired-private.h"

#include <stdlib.h>
#include <string.h>

#include "packets.h"
#include "util.h"

#include "plugin/addresses.h"

/* An address with all that claims it. */
struct address {
    struct desired_endpoint ep; /* What comes out.  In 'endpoints'. */
    struct ovs_list claims;     /* Of struct claim, by claim_tier(). */
    struct ovs_list dirty_node; /* In 'dirty_addresses', or alone. */
    struct problems problems;   /* The contradiction, if there is one. */
};

/* Returns true if what 'reason' says of an endpoint will pass by itself. */
static bool
is_passing(enum reason reason)
{
    return (reason == REASON_PORT_DOWN
            || reason == REASON_ACTIVATION_PENDING
            || reason == REASON_PLUGGED_ELSEWHERE);
}

/* Returns how much 'claim' counts against another one of the same address: one
 * that works or must not, one that will work, any other. */
static int
claim_rank(const struct claim *claim)
{
    return (claim->reason == REASON_NONE || claim->reason == REASON_EXCLUDED
            ? 2
            : is_passing(claim->reason) ? 1
            : 0);
}

/* Returns the tier of 'claim': beside one of a lower tier it does not
 * count. */
static int
claim_tier(const struct claim *claim)
{
    return (claim->reason == REASON_ALLOWED_PAIR ? 2
            : claim->hearsay ? 1
            : 0);
}

/* Returns true if 'a' and 'b' would have the datapath do the same. */
static bool
same_answer(const struct claim *a, const struct claim *b)
{
    return (eth_addr_equals(a->mac, b->mac)
            && a->bridge == b->bridge && a->vlan == b->vlan);
}

/* Returns true if 'a' rather than 'b', of equal rank, is to be shown for the
 * address that both name.  A total order of all that is shown. */
static bool
claim_precedes(const struct claim *a, const struct claim *b)
{
    int cmp = (a->kind != ENDPOINT_ROUTER) - (b->kind != ENDPOINT_ROUTER);

    if (!cmp) {
        cmp = strcmp(a->logical_port, b->logical_port);
    }
    if (!cmp) {
        cmp = eth_addr_compare_3way(a->mac, b->mac);
    }
    if (!cmp) {
        cmp = strcmp(a->network, b->network);
    }
    if (!cmp) {
        cmp = a->vlan - b->vlan;
    }
    if (!cmp) {
        cmp = (int) a->kind - (int) b->kind;
    }
    if (!cmp) {
        cmp = (int) a->reason - (int) b->reason;
    }
    return cmp < 0;
}

/* Returns the address that 'ep' is the endpoint of. */
static struct address *
address_of(const struct desired_endpoint *ep)
{
    return CONTAINER_OF(CONST_CAST(struct desired_endpoint *, ep),
                        struct address, ep);
}

/* Returns the address 'key' of 'd', made if need be. */
static struct address *
get_address(struct derivation *d, const struct dp_key *key)
{
    const struct desired_endpoint *ep = desired_find_endpoint(d->desired, key);

    if (ep) {
        return address_of(ep);
    }

    struct address *address = xzalloc(sizeof *address);
    address->ep.key = *key;
    ovs_list_init(&address->claims);
    ovs_list_init(&address->dirty_node);
    hmap_insert(&d->desired->endpoints, &address->ep.node, dp_key_hash(key));
    return address;
}

/* Has 'address' be settled anew. */
static void
make_dirty(struct derivation *d, struct address *address)
{
    if (ovs_list_is_empty(&address->dirty_node)) {
        ovs_list_push_back(&d->dirty_addresses, &address->dirty_node);
    }
}

/* Puts 'claim' among the claims of its address: in front of those of its tier
 * if that is the lowest, behind them otherwise. */
static void
insert_claim(struct claim *claim)
{
    struct ovs_list *claims = &claim->address->claims;
    struct ovs_list *before = claims;
    int tier = claim_tier(claim);

    if (!tier) {
        ovs_list_push_front(claims, &claim->address_node);
        return;
    }
    while (before->prev != claims
           && claim_tier(CONTAINER_OF(before->prev, struct claim,
                                      address_node)) > tier) {
        before = before->prev;
    }
    ovs_list_insert(before, &claim->address_node);
}

/* Adds a claim of 'ip' by 'source' with the values of 'values', which are
 * copied.  An address that never comes in through a routed NIC is nobody's. */
void
claim_add(struct derivation *d, struct source *source,
          const struct in6_addr *ip, const struct claim *values)
{
    struct dp_key key = { .addr = *ip };
    struct claim *claim;

    if (!address_is_routable(ip)) {
        return;
    }
    claim = xmemdup(values, sizeof *values);
    claim->logical_port = xstrdup(values->logical_port);
    claim->network = xstrdup(values->network);
    claim->address = get_address(d, &key);
    ovs_list_push_back(&source->claims, &claim->source_node);
    insert_claim(claim);
    make_dirty(d, claim->address);
}

/* Takes back all claims of 'source'. */
void
claims_retract(struct derivation *d, struct source *source)
{
    struct claim *claim;

    LIST_FOR_EACH_POP (claim, source_node, &source->claims) {
        ovs_list_remove(&claim->address_node);
        make_dirty(d, claim->address);
        free(claim->logical_port);
        free(claim->network);
        free(claim);
    }
}

/* Returns the claim after 'claim' of 'address', or the first one if that is
 * NULL; NULL if no other one counts. */
static const struct claim *
next_claim(const struct address *address, const struct claim *claim)
{
    const struct ovs_list *node = (claim ? claim->address_node.next
                                   : address->claims.next);

    if (node == &address->claims) {
        return NULL;
    }
    const struct claim *next = CONTAINER_OF(node, struct claim, address_node);
    return claim && claim_tier(claim) != claim_tier(next) ? NULL : next;
}

/* Goes through the claims of 'ADDRESS' that count. */
#define FOR_EACH_CLAIM(CLAIM, ADDRESS) \
    for ((CLAIM) = next_claim(ADDRESS, NULL); CLAIM; \
         (CLAIM) = next_claim(ADDRESS, CLAIM))

/* Returns the claim that is to be shown for 'address', which has one. */
static const struct claim *
best_claim(const struct address *address)
{
    const struct claim *best = NULL;
    const struct claim *claim;

    FOR_EACH_CLAIM (claim, address) {
        int cmp = best ? claim_rank(claim) - claim_rank(best) : 1;

        if (cmp > 0 || (!cmp && claim_precedes(claim, best))) {
            best = claim;
        }
    }
    return best;
}

/* Returns the first of the claims of 'address' that work, but differently from
 * 'best', or NULL. */
static const struct claim *
find_rival(const struct address *address, const struct claim *best)
{
    const struct claim *rival = NULL;
    const struct claim *claim;

    FOR_EACH_CLAIM (claim, address) {
        if (claim->reason == REASON_NONE && !same_answer(claim, best)
            && (!rival || claim_precedes(claim, rival))) {
            rival = claim;
        }
    }
    return rival;
}

/* Returns true if a claim of 'address' says that it must not be offloaded. */
static bool
is_excluded(const struct address *address)
{
    const struct claim *claim;

    FOR_EACH_CLAIM (claim, address) {
        if (claim->reason == REASON_EXCLUDED) {
            return true;
        }
    }
    return false;
}

/* Reports that 'a' and 'b', claims of 'address', cannot both be right. */
static void
report_duplicate(struct address *address, const struct claim *a,
                 const struct claim *b)
{
    bool swap = strcmp(a->logical_port, b->logical_port) > 0;
    char text[INET6_ADDRSTRLEN];

    ipv6_string_mapped(text, &address->ep.key.addr);
    problems_add(&address->problems, REASON_DUPLICATE_ADDRESS,
                 "%s is claimed by ports %s and %s", text,
                 swap ? b->logical_port : a->logical_port,
                 swap ? a->logical_port : b->logical_port);
}

/* Returns why 'address', of which 'best' is shown, is not offloaded, or
 * REASON_NONE. */
static enum reason
judge_address(struct address *address, const struct claim *best)
{
    const struct claim *rival;

    if (is_excluded(address)) {
        return REASON_EXCLUDED;
    } else if (best->reason != REASON_NONE) {
        return best->reason;
    }
    rival = find_rival(address, best);
    if (rival) {
        report_duplicate(address, best, rival);
        return REASON_DUPLICATE_ADDRESS;
    }
    return REASON_NONE;
}

/* Returns true if 'ep' is what 'claim' and 'reason' make of it. */
static bool
endpoint_is(const struct desired_endpoint *ep, const struct claim *claim,
            enum reason reason)
{
    return (ep->logical_port && !strcmp(ep->logical_port, claim->logical_port)
            && !strcmp(ep->network, claim->network)
            && eth_addr_equals(ep->mac, claim->mac)
            && ep->kind == claim->kind && ep->bridge == claim->bridge
            && ep->vlan == claim->vlan && ep->reason == reason);
}

/* Frees the strings of 'ep'. */
static void
free_strings(struct desired_endpoint *ep)
{
    free(ep->logical_port);
    free(ep->network);
}

/* Makes 'ep' what 'claim' and 'reason' make of it. */
static void
set_endpoint(struct desired_endpoint *ep, const struct claim *claim,
             enum reason reason)
{
    free_strings(ep);
    ep->mac = claim->mac;
    ep->kind = claim->kind;
    ep->logical_port = xstrdup(claim->logical_port);
    ep->network = xstrdup(claim->network);
    ep->bridge = claim->bridge;
    ep->vlan = claim->vlan;
    ep->reason = reason;
    ep->pending = is_passing(reason);

    /* It may be another port now, whose rules are not those. */
    ep->acl = 0;
    ep->acl_reason = REASON_ACL_PENDING;
}

/* Notes that the endpoint of 'address' is not what it was. */
static void
note_change(struct derivation *d, const struct address *address)
{
    desired_note_change(d->desired, &address->ep.key);
}

/* Frees 'address', which nobody claims. */
static void
free_address(struct derivation *d, struct address *address)
{
    hmap_remove(&d->desired->endpoints, &address->ep.node);
    free_strings(&address->ep);
    problems_destroy(&address->problems);
    free(address);
}

/* Brings the endpoint of 'address' up to date with its claims. */
static void
settle_address(struct derivation *d, struct address *address)
{
    problem_set_remove(&d->problems, &address->problems);
    problems_clear(&address->problems);
    if (ovs_list_is_empty(&address->claims)) {
        note_change(d, address);
        free_address(d, address);
        return;
    }

    const struct claim *best = best_claim(address);
    enum reason reason = judge_address(address, best);
    problem_set_add(&d->problems, &address->problems);
    if (!endpoint_is(&address->ep, best, reason)) {
        set_endpoint(&address->ep, best, reason);
        note_change(d, address);
    }
}

/* Brings the endpoints of 'd' up to date with the claims that came and
 * went. */
void
addresses_settle(struct derivation *d)
{
    struct address *address;

    LIST_FOR_EACH_POP (address, dirty_node, &d->dirty_addresses) {
        ovs_list_init(&address->dirty_node);
        settle_address(d, address);
    }
}

/* Frees the addresses of 'd', none of which is claimed any more. */
void
addresses_free(struct derivation *d)
{
    struct desired_endpoint *ep;

    HMAP_FOR_EACH_SAFE (ep, node, &d->desired->endpoints) {
        free_address(d, address_of(ep));
    }
}
