/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the flows that northd writes for routes.
 *
 * What is not understood is ACL_ROUTE_OTHER, and for any destination: that is
 * the kind by which nothing can be proven. */

#include <config.h>

#include "plugin/acl-route.h"

#include <stdlib.h>
#include <string.h>

#include "packets.h"
#include "util.h"

#include "idl/sb-acl.h"
#include "plugin/acl-prefix.h"

/* What a quoted name of a port is made of, if nobody plays tricks. */
#define PORT_CHARS "\"-_.:0123456789abcdefghijklmnopqrstuvwxyz" \
                   "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* Removes 'start' from the front of '*match'.  Returns true if it was
 * there. */
static bool
skip(const char **match, const char *start)
{
    size_t len = strlen(start);

    if (strncmp(*match, start, len)) {
        return false;
    }
    *match += len;
    return true;
}

/* Removes from the front of '*match' the term 'start' with the value behind
 * it, which consists of 'chars', and with "&&".  Returns true if it was
 * there. */
static bool
skip_term(const char **match, const char *start, const char *chars)
{
    const char *rest = *match;

    if (!skip(&rest, start)) {
        return false;
    }
    rest += strspn(rest, chars);
    if (!skip(&rest, " && ")) {
        return false;
    }
    *match = rest;
    return true;
}

/* Reads 'text', "ADDRESS" or "ADDRESS/LENGTH" of IPv6 or, unless 'v6', IPv4,
 * into the destinations of 'route'.  Returns true if it is one. */
static bool
parse_network(const char *text, bool v6, struct acl_route *route)
{
    struct dp_prefix prefix;

    if (v6 != (strchr(text, ':') != NULL)
        || !acl_prefix_parse(text, &prefix)) {
        return false;
    }
    route->network = prefix.addr;
    route->plen = prefix.len;
    return true;
}

/* Reads 'match', from which what may stand in front of the destination is
 * gone, into 'route'.  Returns true if it is about a destination. */
static bool
parse_destination(const char *match, struct acl_route *route)
{
    bool v6 = skip(&match, "ip6.dst == ");

    if (!v6 && !skip(&match, "ip4.dst == ")) {
        return false;
    }

    /* More terms make it less, an alternative makes it more. */
    size_t len = strcspn(match, " ");
    const char *rest = &match[len];
    if (rest[0]) {
        if (!skip(&rest, " && ") || strchr(rest, '|')) {
            return false;
        }
        route->partial = true;
    }

    char *text = xmemdup0(match, len);
    bool ok = parse_network(text, v6, route);
    free(text);
    return ok;
}

/* Returns true if 'match' is of no packet to a single address. */
static bool
is_multicast(const char *match)
{
    static const char *const all[] = {
        "ip4.mcast", "ip6.mcast", "ip4.mcast || ip6.mcast", "nd_rs || nd_ra",
        "igmp", "mldv1 || mldv2", "(mldv1 || mldv2)" };

    skip_term(&match, "eth.src == ", "0123456789abcdef:");
    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        if (!strcmp(match, all[i])) {
            return true;
        }
    }
    return false;
}

/* Returns the port to which 'actions' send the packet as it is, to its
 * destination as the next hop; the caller frees it.  NULL: they do not. */
static char *
parse_connected(const char *actions)
{
    static const char key[] = " outport = \"";
    const char *port = strstr(actions, key);

    if (!port || (!strstr(actions, "reg0 = ip4.dst; ")
                  && !strstr(actions, "reg0 = ip6.dst; "))) {
        return NULL;
    }
    port += strlen(key);
    size_t len = strcspn(port, "\"");
    return !strncmp(&port[len], "\"; ", 3) ? xmemdup0(port, len) : NULL;
}

/* Finds in 'actions' which address the router itself has on the network that
 * they send the packet to: the source of its own packets there, in reg1 or,
 * since 25.03, reg5. */
static void
parse_source(const char *actions, struct acl_route *route)
{
    static const char *const keys[] = { " reg1 = ", " reg5 = ", " xxreg1 = " };

    for (size_t i = 0; i < ARRAY_SIZE(keys) && !route->has_source; i++) {
        const char *p = strstr(actions, keys[i]);

        route->has_source = p && acl_address_parse(p + strlen(keys[i]),
                                                   &route->source);
    }
}

/* Stores in '*route' what 'flow', of SB_ACL_ROUTER_ROUTE, says.  The caller
 * frees it with acl_route_destroy(). */
void
acl_route_parse(const struct sb_acl_flow *flow, struct acl_route *route)
{
    const char *match = flow->match;

    *route = (struct acl_route) { .kind = ACL_ROUTE_OTHER };
    parse_source(flow->actions, route);
    if (is_multicast(match)) {
        route->kind = ACL_ROUTE_NONE;
        return;
    }
    route->partial = skip_term(&match, "inport == ", PORT_CHARS);
    route->partial |= skip_term(&match, "reg7 == ", "0123456789");
    if (!parse_destination(match, route)) {
        route->partial = false;
        route->plen = 0;
        return;
    }
    route->port = parse_connected(flow->actions);
    if (route->port) {
        route->kind = ACL_ROUTE_CONNECTED;
    }
}

/* Frees what 'route' holds, not 'route' itself. */
void
acl_route_destroy(struct acl_route *route)
{
    free(route->port);
}

/* Returns true if packets to 'ip' may take 'route'.  All addresses that are
 * translated are compared with all routes, so this has to be fast. */
bool
acl_route_concerns(const struct acl_route *route, const struct in6_addr *ip)
{
    const uint8_t *network = route->network.s6_addr;
    size_t n = route->plen / 8;
    unsigned int rest = route->plen % 8;

    return (route->kind != ACL_ROUTE_NONE
            && !memcmp(ip->s6_addr, network, n)
            && (!rest || !((ip->s6_addr[n] ^ network[n]) >> (8 - rest))));
}
