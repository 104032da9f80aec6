/* SPDX-License-Identifier: Apache-2.0 */
/* Ties the two halves of the derivation together and answers questions about
 * the result.  See plugin/desired.h for where it stands. */

#include <config.h>

#include "plugin/desired.h"

#include <stdlib.h>
#include <string.h>

#include "openvswitch/util.h"
#include "util.h"

#include "plugin/desired-private.h"

/* Returns the stable word for 'kind'. */
const char *
endpoint_kind_to_string(enum endpoint_kind kind)
{
    static const char *const names[] = {
        [ENDPOINT_VM] = "vm",
        [ENDPOINT_FIP_DISTRIBUTED] = "fip-distributed",
        [ENDPOINT_FIP_CENTRALISED] = "fip-centralised",
        [ENDPOINT_ROUTER] = "router",
    };
    ovs_assert(kind < ARRAY_SIZE(names));
    return names[kind];
}

/* Derives everything from 'inputs'.  The caller owns the result, which does
 * not refer to 'inputs'. */
struct desired *
desired_compute(const struct desired_inputs *inputs)
{
    struct desired *desired = xzalloc(sizeof *desired);

    hmap_init(&desired->endpoints);
    desired_add_devices(desired, inputs);
    desired_add_endpoints(desired, inputs);
    return desired;
}

/* Frees 'desired' and all that it holds. */
void
desired_destroy(struct desired *desired)
{
    struct desired_endpoint *ep;

    if (!desired) {
        return;
    }
    HMAP_FOR_EACH_POP (ep, node, &desired->endpoints) {
        free(ep->logical_port);
        free(ep->network);
        free(ep);
    }
    hmap_destroy(&desired->endpoints);
    for (size_t i = 0; i < desired->n_bridges; i++) {
        free(desired->bridges[i].name);
    }
    free(desired->bridges);
    for (size_t i = 0; i < desired->n_interfaces; i++) {
        free(desired->interfaces[i].name);
        free(desired->interfaces[i].detail);
    }
    free(desired->interfaces);
    problems_destroy(&desired->problems);
    free(desired);
}

/* Returns the endpoint with 'key' in 'desired', or NULL. */
const struct desired_endpoint *
desired_find_endpoint(const struct desired *desired, const struct dp_key *key)
{
    const struct desired_endpoint *ep;

    HMAP_FOR_EACH_WITH_HASH (ep, node, dp_key_hash(key),
                             &desired->endpoints) {
        if (dp_key_equals(&ep->key, key)) {
            return ep;
        }
    }
    return NULL;
}

/* Stores in '*action' what the datapath is to do for 'ep'.  Returns false if
 * 'ep' does not belong into the datapath.
 *
 * While the target is missing the endpoint stays, with target 0, which no
 * device map ever holds: its frames pass and its counters survive. */
bool
desired_endpoint_action(const struct desired_endpoint *ep,
                        struct dp_action *action)
{
    if (ep->reason != REASON_NONE) {
        return false;
    }
    *action = (struct dp_action) {
        .dmac = ep->mac,
        .smac = ep->bridge->mac,
        .vlan = ep->vlan,
        .target_sg = ep->bridge->sg,
        .ifindex = ep->bridge->ifindex,
        .mtu = ep->bridge->mtu,
    };
    return true;
}
