/* SPDX-License-Identifier: Apache-2.0 */
/* The routes of a router, found by where they lead and by the address that the
 * router has there: a gateway may have very many of them, and of addresses
 * that are translated, too. */

#include <config.h>

#include "plugin/acl-private.h"

#include <stdlib.h>

#include "packets.h"
#include "util.h"

#include "plugin/acl-prefix.h"

/* Routes of a router to the same destinations. */
struct known_routes {
    struct dp_prefix prefix;    /* Destinations. */
    struct ovs_list members;    /* Of struct flow_dp. */
};

/* Returns the destinations of 'fd', of a route. */
static struct dp_prefix
get_prefix(const struct flow_dp *fd)
{
    const struct acl_route *route = &fd->flow->route;

    return (struct dp_prefix) { .addr = route->network, .len = route->plen };
}

/* Has 'fd', of a route, be found.  One for multicast leads nowhere. */
void
acl_routes_add(struct flow_dp *fd)
{
    const struct acl_route *route = &fd->flow->route;

    if (route->kind != ACL_ROUTE_NONE) {
        struct dp_prefix prefix = get_prefix(fd);
        struct known_routes *routes = acl_trie_find(&fd->dp->routes, &prefix);

        if (!routes) {
            routes = xmalloc(sizeof *routes);
            routes->prefix = prefix;
            ovs_list_init(&routes->members);
            acl_trie_insert(&fd->dp->routes, &prefix, routes);
        }
        ovs_list_push_back(&routes->members, &fd->dp_node);
    }
    if (route->has_source) {
        hmap_insert(&fd->dp->sources, &fd->source_node,
                    acl_address_hash(&route->source));
    }
}

/* Undoes acl_routes_add(). */
void
acl_routes_remove(struct flow_dp *fd)
{
    const struct acl_route *route = &fd->flow->route;

    if (route->kind != ACL_ROUTE_NONE) {
        struct dp_prefix prefix = get_prefix(fd);
        struct known_routes *routes = acl_trie_find(&fd->dp->routes, &prefix);

        ovs_list_remove(&fd->dp_node);
        ovs_list_init(&fd->dp_node);
        if (ovs_list_is_empty(&routes->members)) {
            acl_trie_remove(&fd->dp->routes, &prefix);
            free(routes);
        }
    }
    if (route->has_source) {
        hmap_remove(&fd->dp->sources, &fd->source_node);
    }
}

/* Returns true if 'dp', a router, has the address 'ip' on a network that a
 * route leads to. */
bool
acl_routes_have_source(const struct known_dp *dp, const struct in6_addr *ip)
{
    const struct flow_dp *fd;

    HMAP_FOR_EACH_WITH_HASH (fd, source_node, acl_address_hash(ip),
                             &dp->sources) {
        if (ipv6_addr_equals(&fd->flow->route.source, ip)) {
            return true;
        }
    }
    return false;
}

/* Calls 'cb' with each route of 'dp', a router, that packets to 'ip' may
 * take, and 'aux'. */
void
acl_routes_for_each(const struct known_dp *dp, const struct in6_addr *ip,
                    acl_route_cb *cb, void *aux)
{
    const struct dp_prefix prefix = { .addr = *ip, .len = 128 };
    void *path[ACL_TRIE_DEPTH];
    size_t n = acl_trie_path(&dp->routes, &prefix, path);

    for (size_t i = 0; i < n; i++) {
        const struct known_routes *routes = path[i];
        const struct flow_dp *fd;

        LIST_FOR_EACH (fd, dp_node, &routes->members) {
            cb(fd->flow, aux);
        }
    }
}
