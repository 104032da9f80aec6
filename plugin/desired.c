/* SPDX-License-Identifier: Apache-2.0 */
/* Ties the two halves of the derivation together and answers questions about
 * the result.  See plugin/desired.h for where it stands. */

#include <config.h>

#include "plugin/desired.h"

#include <stdlib.h>
#include <string.h>

#include "openvswitch/util.h"
#include "packets.h"
#include "util.h"

#include "idl/ovs-db.h"
#include "idl/row-changes.h"
#include "plugin/desired-private.h"
#include "plugin/settings.h"

/* Returns the stable word for 'kind'. */
const char *
endpoint_kind_to_string(enum endpoint_kind kind)
{
    static const char *const names[] = {
        [ENDPOINT_VM] = "vm",
        [ENDPOINT_LOAD_BALANCER] = "load-balancer",
        [ENDPOINT_FIP_DISTRIBUTED] = "fip-distributed",
        [ENDPOINT_FIP_CENTRALISED] = "fip-centralised",
        [ENDPOINT_ROUTER] = "router",
    };
    ovs_assert(kind < ARRAY_SIZE(names));
    return names[kind];
}

/* Creates and returns one that desires nothing, before its first update. */
struct desired *
desired_create(void)
{
    struct desired *desired = xzalloc(sizeof *desired);

    hmap_init(&desired->endpoints);
    hmap_init(&desired->changed);
    desired->all_changed = true;
    desired->derivation = xmalloc(sizeof *desired->derivation);
    derivation_init(desired->derivation, desired);
    return desired;
}

/* Frees bridges and interfaces of 'desired'. */
static void
free_devices(struct desired *desired)
{
    for (size_t i = 0; i < desired->n_bridges; i++) {
        free(desired->bridges[i].name);
    }
    free(desired->bridges);
    for (size_t i = 0; i < desired->n_interfaces; i++) {
        free(desired->interfaces[i].name);
        free(desired->interfaces[i].detail);
    }
    free(desired->interfaces);
}

/* Frees 'desired' and all that it holds. */
void
desired_destroy(struct desired *desired)
{
    if (desired) {
        desired_forget_changes(desired);
        hmap_destroy(&desired->changed);
        derivation_destroy(desired->derivation);
        free(desired->derivation);
        hmap_destroy(&desired->endpoints);
        free_devices(desired);
        problems_destroy(&desired->problems);
        problems_destroy(&desired->fresh_problems);
        free(desired);
    }
}

/* Returns true if 'a' and 'b' have the same bridges, apart from how frames
 * enter them. */
static bool
same_bridges(const struct desired *a, const struct desired *b)
{
    bool same = a->n_bridges == b->n_bridges;

    for (size_t i = 0; same && i < a->n_bridges; i++) {
        same = (!strcmp(a->bridges[i].name, b->bridges[i].name)
                && a->bridges[i].exists == b->bridges[i].exists);
    }
    return same;
}

/* Returns true if endpoints on bridge 'a' do the same as on 'b'. */
static bool
same_target(const struct desired_bridge *a, const struct desired_bridge *b)
{
    return (a->ifindex == b->ifindex && eth_addr_equals(a->mac, b->mac)
            && a->mtu == b->mtu && a->sg == b->sg
            && a->own_ifindex == b->own_ifindex);
}

/* Moves the bridges of 'src', the same as those of 'dst', to where those of
 * 'dst' are: endpoints point to them. */
static void
replace_bridges(struct desired *dst, struct desired *src)
{
    for (size_t i = 0; i < dst->n_bridges; i++) {
        struct desired_bridge old = dst->bridges[i];

        dst->all_changed |= !same_target(&old, &src->bridges[i]);
        dst->bridges[i] = src->bridges[i];
        src->bridges[i] = old;
    }
}

/* Replaces the problems of bridges and interfaces in 'd' by 'problems', which
 * it takes. */
static void
replace_device_problems(struct derivation *d, struct problems *problems)
{
    problem_set_remove(&d->problems, &d->device_problems);
    problems_destroy(&d->device_problems);
    d->device_problems = *problems;
    problem_set_add(&d->problems, &d->device_problems);
    *problems = (struct problems) PROBLEMS_INITIALIZER;
}

/* Brings bridges and interfaces of 'desired' up to date with 'inputs'.
 * Returns true if all endpoints have to be derived anew, as they cannot point
 * to the bridges that they pointed to. */
static bool
update_devices(struct desired *desired, const struct desired_inputs *inputs)
{
    struct desired new = { .n_bridges = 0 };
    struct derivation *d = desired->derivation;

    desired_add_devices(&new, inputs);
    replace_device_problems(d, &new.problems);

    bool same = same_bridges(desired, &new);
    if (same) {
        replace_bridges(desired, &new);
    } else {
        struct desired_bridge *bridges = desired->bridges;
        size_t n_bridges = desired->n_bridges;

        desired->bridges = new.bridges;
        desired->n_bridges = new.n_bridges;
        new.bridges = bridges;
        new.n_bridges = n_bridges;
    }

    struct desired_interface *interfaces = desired->interfaces;
    size_t n_interfaces = desired->n_interfaces;
    desired->interfaces = new.interfaces;
    desired->n_interfaces = new.n_interfaces;
    new.interfaces = interfaces;
    new.n_interfaces = n_interfaces;
    free_devices(&new);
    return !same;
}

/* Takes over from 'settings' what endpoints depend on.  Returns true if it is
 * not what it was. */
static bool
update_settings(struct derivation *d, const struct settings *settings)
{
    if (smap_equal(&d->mappings, &settings->mappings)
        && sset_equals(&d->exclude, &settings->exclude)) {
        return false;
    }
    smap_destroy(&d->mappings);
    smap_clone(&d->mappings, &settings->mappings);
    sset_destroy(&d->exclude);
    sset_clone(&d->exclude, &settings->exclude);
    return true;
}

/* Returns true if 'changes', which may be NULL, do not name every row that
 * changed. */
static bool
is_unknown(const struct row_changes *changes)
{
    return changes && changes->all;
}

/* Adds to 'plugged' that 'port' connects a network with 'bridge', if it
 * does. */
static void
add_plugged(struct sset *plugged, const struct ovs_bridge *bridge,
            const struct ovs_port *port)
{
    if (port->localnet) {
        sset_add(plugged, port->localnet);
        sset_add_and_free(plugged, xasprintf("%s %s", port->localnet,
                                             bridge->name));
    }
}

/* Takes over from 'ovs' into which bridges OVN has plugged networks.  Returns
 * true if it is not what it was. */
static bool
update_plugged(struct derivation *d, const struct ovs_view *ovs)
{
    struct sset plugged = SSET_INITIALIZER(&plugged);

    for (size_t i = 0; i < ovs->n_bridges; i++) {
        const struct ovs_bridge *bridge = &ovs->bridges[i];
        for (size_t j = 0; j < bridge->n_ports; j++) {
            add_plugged(&plugged, bridge, &bridge->ports[j]);
        }
    }
    bool changed = !sset_equals(&plugged, &d->plugged);
    sset_swap(&plugged, &d->plugged);
    sset_destroy(&plugged);
    return changed;
}

/* Brings 'desired' up to date with 'inputs', which differ from those of the
 * update before by no more than 'changes'.  Does not refer to 'inputs'
 * afterwards. */
void
desired_update(struct desired *desired, const struct desired_inputs *inputs,
               const struct desired_changes *changes)
{
    struct derivation *d = desired->derivation;
    bool all = changes->all || !d->derived;

    if (all || changes->devices) {
        all |= update_devices(desired, inputs);
        all |= update_settings(d, inputs->settings);
        all |= update_plugged(d, inputs->ovs);
    }
    all |= (is_unknown(changes->bindings) || is_unknown(changes->sb_facts)
            || is_unknown(changes->nb_facts));
    desired->all_changed |= all;
    desired->n_recomputes += all;
    d->derived = true;
    d->in = inputs;
    endpoints_update(d, changes, all);
    d->in = NULL;
    problem_set_settle(&d->problems, &desired->problems,
                       &desired->fresh_problems);
}

/* Notes that the endpoint with 'key' of 'desired' is not what it was. */
void
desired_note_change(struct desired *desired, const struct dp_key *key)
{
    uint32_t hash = dp_key_hash(key);
    struct desired_change *change;

    if (desired->all_changed) {
        return;
    }
    HMAP_FOR_EACH_WITH_HASH (change, node, hash, &desired->changed) {
        if (dp_key_equals(&change->key, key)) {
            return;
        }
    }
    change = xmalloc(sizeof *change);
    change->key = *key;
    hmap_insert(&desired->changed, &change->node, hash);
}

/* Makes 'acl' the id of the rules of the endpoint with 'key' of 'desired', or
 * 'reason' why it has none, if that is 0.  An update that changes the endpoint
 * otherwise takes its rules away. */
void
desired_set_acl(struct desired *desired, const struct dp_key *key,
                uint32_t acl, enum reason reason)
{
    struct desired_endpoint *ep
        = CONST_CAST(struct desired_endpoint *,
                     desired_find_endpoint(desired, key));

    if (!ep) {
        return;
    }
    ep->acl_reason = reason;
    if (ep->acl != acl) {
        ep->acl = acl;
        desired_note_change(desired, key);
    }
}

/* Notes that what changed in 'desired' has been brought about. */
void
desired_forget_changes(struct desired *desired)
{
    struct desired_change *change;

    desired->all_changed = false;
    HMAP_FOR_EACH_POP (change, node, &desired->changed) {
        free(change);
    }
}

/* Derives everything from 'inputs'.  The caller owns the result, which does
 * not refer to 'inputs'. */
struct desired *
desired_compute(const struct desired_inputs *inputs)
{
    struct desired *desired = desired_create();

    desired_update(desired, inputs, &(struct desired_changes) { .all = true });
    return desired;
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
 * device map ever holds: its frames pass and its counters survive.  What they
 * pass for is the missing target, and not that they are too much for it. */
bool
desired_endpoint_action(const struct desired_endpoint *ep,
                        struct dp_action *action)
{
    if (ep->reason != REASON_NONE) {
        return false;
    }
    bool missing = !ep->bridge->ifindex;
    *action = (struct dp_action) {
        .dmac = ep->mac,
        .smac = ep->bridge->mac,
        .vlan = ep->vlan,
        .target_sg = missing || ep->bridge->sg,
        .ifindex = ep->bridge->ifindex,
        .mtu = missing ? UINT16_MAX : ep->bridge->mtu,
        .acl = ep->acl,
        .bridge = ep->bridge->own_ifindex,
    };
    return true;
}
