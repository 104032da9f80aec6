/* SPDX-License-Identifier: Apache-2.0 */
/* Values of struct nat_fact; see nat-fact.h. */
#include <config.h>

#include "idl/nat-fact.h"

#include <stdlib.h>
#include <string.h>

#include "packets.h"
#include "util.h"
#include "uuid.h"

/* Frees 'fact', which is in no hmap. */
void
nat_fact_destroy(struct nat_fact *fact)
{
    if (fact) {
        free(fact->router_port);
        free(fact->resident);
        free(fact);
    }
}

/* Returns the fact with 'identity' in 'facts', or NULL. */
const struct nat_fact *
nat_fact_find(const struct hmap *facts, const struct uuid *identity)
{
    const struct nat_fact *fact;

    HMAP_FOR_EACH_WITH_HASH (fact, node, uuid_hash(identity), facts) {
        if (uuid_equals(&fact->identity, identity)) {
            return fact;
        }
    }
    return NULL;
}

/* Returns true if 'a' and 'b' have the same values. */
bool
nat_fact_equals(const struct nat_fact *a, const struct nat_fact *b)
{
    return (uuid_equals(&a->identity, &b->identity)
            && !strcmp(a->router_port, b->router_port)
            && ipv6_addr_equals(&a->ip, &b->ip)
            && a->kind == b->kind
            && a->distributed == b->distributed
            && eth_addr_equals(a->mac, b->mac)
            && nullable_string_is_equal(a->resident, b->resident));
}

/* Returns true if 'ip' is in 'network', an address with the prefix length of
 * its network, as in Logical_Router_Port.networks and in the 'mac' column of a
 * router's Port_Binding. */
bool
nat_network_contains(const char *network, const struct in6_addr *ip)
{
    struct in6_addr net, mask;
    ovs_be32 net4, mask4;
    char *error = ip_parse_masked(network, &net4, &mask4);

    if (!error) {
        return (IN6_IS_ADDR_V4MAPPED(ip)
                && !((in6_addr_get_mapped_ipv4(ip) ^ net4) & mask4));
    }
    free(error);
    error = ipv6_parse_masked(network, &net, &mask);
    if (error) {
        free(error);
        return false;
    }
    struct in6_addr a = ipv6_addr_bitand(ip, &mask);
    struct in6_addr b = ipv6_addr_bitand(&net, &mask);
    return !IN6_IS_ADDR_V4MAPPED(ip) && ipv6_addr_equals(&a, &b);
}
