/* SPDX-License-Identifier: Apache-2.0 */
/* Which NICs to attach to, in which mode, and how redirected frames enter the
 * bridges.
 *
 * All NICs share one target per bridge: the bridge's own device if no NIC
 * needs more, the managed port as soon as one NIC runs natively and the
 * bridge's device has no ndo_xdp_xmit.  The managed port takes frames of both
 * modes. */

#include <config.h>

#include "plugin/desired-private.h"

#include <stdlib.h>
#include <string.h>

#include "util.h"

#include "idl/ovs-db.h"
#include "plugin/direct-judge.h"
#include "plugin/netdevs.h"
#include "plugin/settings.h"

/* Returns the device called 'name', or NULL. */
static const struct netdev_info *
find_device(const struct desired_inputs *in, const char *name)
{
    return netdevs_find_in(in->devices, name);
}

/* Returns true if 'dev' is a bond of the kernel. */
static bool
is_bond(const struct netdev_info *dev)
{
    return !strcmp(dev->kind, "bond");
}

/* Where a NIC is switched. */
struct seat {
    const struct ovs_bridge *bridge; /* Bridge. */
    const struct ovs_port *port;    /* Port of it. */
    const struct ovs_iface *iface;  /* Interface of that: the NIC, or the bond
                                     * of which it is a leg. */
};

/* Stores in '*seat' where the interface 'name' of 'bridge' is.  Returns false
 * if there is none. */
static bool
find_seat_in(const struct ovs_bridge *bridge, const char *name,
             struct seat *seat)
{
    for (size_t i = 0; i < bridge->n_ports; i++) {
        const struct ovs_port *port = &bridge->ports[i];
        for (size_t j = 0; j < port->n_ifaces; j++) {
            if (!strcmp(port->ifaces[j].name, name)) {
                *seat = (struct seat) { bridge, port, &port->ifaces[j] };
                return true;
            }
        }
    }
    return false;
}

/* Stores in '*seat' of which bridge 'name' is an interface, or a leg of a bond
 * that is one.  Returns false if of none. */
static bool
find_seat(const struct desired_inputs *in, const char *name,
          struct seat *seat)
{
    const struct netdev_info *leg = find_device(in, name);
    const struct netdev_info *bond = NULL;
    const struct netdev_info *dev;

    HMAP_FOR_EACH (dev, node, in->devices) {
        if (leg && dev->ifindex == leg->master && is_bond(dev)) {
            bond = dev;
        }
    }
    for (size_t i = 0; i < in->ovs->n_bridges; i++) {
        const struct ovs_bridge *bridge = &in->ovs->bridges[i];
        if (find_seat_in(bridge, name, seat)
            || (bond && find_seat_in(bridge, bond->name, seat))) {
            return true;
        }
    }
    return false;
}

/* Adds the bridges of the mappings, by name, without duplicates. */
static void
add_bridges(struct desired *desired, const struct desired_inputs *in)
{
    struct sset names = SSET_INITIALIZER(&names);
    struct smap_node *mapping;

    SMAP_FOR_EACH (mapping, &in->settings->mappings) {
        sset_add(&names, mapping->value);
    }

    const char **sorted = sset_sort(&names);
    desired->n_bridges = sset_count(&names);
    desired->bridges = xcalloc(MAX(1, desired->n_bridges),
                               sizeof *desired->bridges);
    for (size_t i = 0; i < desired->n_bridges; i++) {
        struct desired_bridge *bridge = &desired->bridges[i];
        bridge->name = xstrdup(sorted[i]);
        const struct ovs_bridge *ovs = ovs_view_find_bridge(in->ovs,
                                                            sorted[i]);
        bridge->exists = ovs != NULL;
        bridge->userspace = ovs && !strcmp(ovs->datapath_type, "netdev");
        bridge_port_names(sorted[i], &bridge->port);
        if (!bridge->exists) {
            problems_add(&desired->problems, REASON_NO_BRIDGE,
                         "bridge %s of ovn-bridge-mappings does not exist",
                         sorted[i]);
        }
    }
    free(sorted);
    sset_destroy(&names);
}

/* Adds the names of the legs of the bond called 'name' to 'names'; or 'name'
 * itself if it is no bond.  Returns false if there are no legs. */
static bool
add_legs(const struct desired_inputs *in, const char *name,
         struct sset *names)
{
    const struct netdev_info *bond = find_device(in, name);
    const struct netdev_info *dev;
    bool found = false;

    if (!bond || !is_bond(bond)) {
        sset_add(names, name);
        return true;
    }
    HMAP_FOR_EACH (dev, node, in->devices) {
        if (dev->master == bond->ifindex) {
            sset_add(names, dev->name);
            found = true;
        }
    }
    return found;
}

/* Returns true if 'iface' is something that a NIC can be. */
static bool
is_nic(const struct ovs_iface *iface)
{
    return !iface->type[0] || !strcmp(iface->type, "system");
}

/* Adds to 'names' what "auto" means: the physical interfaces of the bridges of
 * the mappings. */
static void
add_auto(const struct desired *desired, const struct desired_inputs *in,
         struct sset *names)
{
    for (size_t i = 0; i < desired->n_bridges; i++) {
        const struct ovs_bridge *bridge
            = ovs_view_find_bridge(in->ovs, desired->bridges[i].name);
        for (size_t j = 0; bridge && j < bridge->n_ports; j++) {
            const struct ovs_port *port = &bridge->ports[j];
            for (size_t k = 0; !port->managed && k < port->n_ifaces; k++) {
                if (is_nic(&port->ifaces[k])) {
                    add_legs(in, port->ifaces[k].name, names);
                }
            }
        }
    }
}

/* Adds an interface for each NIC that the settings name or find. */
static void
add_interfaces(struct desired *desired, const struct desired_inputs *in)
{
    struct sset names = SSET_INITIALIZER(&names);
    const char *name;

    if (in->settings->interfaces_auto) {
        add_auto(desired, in, &names);
        if (sset_is_empty(&names)) {
            problems_add(&desired->problems, REASON_NO_INTERFACES_FOUND,
                         "ovn-xdp-interfaces=auto finds no NIC in the bridges "
                         "of ovn-bridge-mappings; name routed NICs");
        }
    }
    SSET_FOR_EACH (name, &in->settings->interfaces) {
        if (!add_legs(in, name, &names)) {
            problems_add(&desired->problems, REASON_NO_INTERFACES_FOUND,
                         "bond %s has no legs", name);
        }
    }

    const char **sorted = sset_sort(&names);
    desired->n_interfaces = sset_count(&names);
    desired->interfaces = xcalloc(MAX(1, desired->n_interfaces),
                                  sizeof *desired->interfaces);
    for (size_t i = 0; i < desired->n_interfaces; i++) {
        desired->interfaces[i].name = xstrdup(sorted[i]);
        desired->interfaces[i].switched = find_seat(in, sorted[i],
                                                    &(struct seat) { NULL });
    }
    free(sorted);
    sset_destroy(&names);
}

/* Returns true if natively redirected frames could enter each bridge.  Where
 * the managed port was demanded, frames of the other mode could not enter any
 * better. */
static bool
bridges_take_native(const struct desired *desired,
                    const struct desired_inputs *in)
{
    if (in->settings->port == PORT_VETH) {
        return true;
    }
    for (size_t i = 0; i < desired->n_bridges; i++) {
        const struct desired_bridge *bridge = &desired->bridges[i];
        const struct netdev_info *dev = find_device(in, bridge->name);
        bool own = dev && dev->ndo_xmit;
        bool veth = in->settings->port != PORT_INTERNAL
                    && !sset_contains(in->port_failed, bridge->name);

        if (bridge->exists && dev && !own && !veth) {
            return false;
        }
    }
    return true;
}

/* Returns the mode in which to attach to 'dev', whose frames are redirected
 * unless it is 'switched'.  One that is has native mode if it may be chosen:
 * see spare(). */
static enum dp_mode
choose_mode(const struct desired *desired, const struct desired_inputs *in,
            const struct netdev_info *dev, bool switched)
{
    switch (in->settings->mode) {
    case MODE_NATIVE:
        return DP_NATIVE;
    case MODE_GENERIC:
        return DP_GENERIC;
    case MODE_AUTO:
    default:
        return switched
               || (dev->native && bridges_take_native(desired, in)
                   && !sset_contains(in->native_failed, dev->name))
               ? DP_NATIVE : DP_GENERIC;
    }
}

/* Returns true if 'name' is an end of the managed port of a bridge of
 * 'desired'. */
static bool
is_managed_end(const struct desired *desired, const char *name)
{
    for (size_t i = 0; i < desired->n_bridges; i++) {
        const struct bridge_port_names *port = &desired->bridges[i].port;
        if (!strcmp(port->inner, name) || !strcmp(port->outer, name)) {
            return true;
        }
    }
    return false;
}

/* Returns why 'dev' must not be attached in 'mode', or REASON_NONE. */
static enum reason
refuse_device(const struct desired *desired, const struct desired_inputs *in,
              const struct netdev_info *dev, enum dp_mode mode)
{
    if (!dev->ethernet) {
        return REASON_NOT_ETHERNET;
    }
    if (is_managed_end(desired, dev->name)) {
        return REASON_MANAGED_PORT;
    }
    if (sset_contains(in->foreign, dev->name)
        || (dev->xdp_program_id && !sset_contains(in->attached, dev->name))) {
        return REASON_FOREIGN_XDP;
    }
    if (mode == DP_NATIVE && !dev->native) {
        return REASON_NO_NATIVE;
    }
    if (dev->strips_vlan && (mode == DP_GENERIC || !dev->tag_hint)) {
        return REASON_VLAN_STRIPPED;
    }
    return REASON_NONE;
}

/* Returns advice for an interface that is not attached because of 'reason', or
 * NULL.  The caller frees it. */
static char *
remedy(enum reason reason, const char *name)
{
    if (reason == REASON_VLAN_STRIPPED) {
        return xasprintf("run: ethtool -K %s rxvlan off", name);
    } else if (reason == REASON_FOREIGN_XDP) {
        return xasprintf("detach it (bpftool net show dev %s) or leave the "
                         "NIC out of ovn-xdp-interfaces", name);
    }
    return NULL;
}

/* Returns the index of the own device of 'bridge' if 'desired' has that
 * bridge, and the device exists; otherwise 0. */
static int
own_ifindex(const struct desired *desired, const struct desired_inputs *in,
            const char *bridge)
{
    const struct netdev_info *own = find_device(in, bridge);

    for (size_t i = 0; own && i < desired->n_bridges; i++) {
        if (!strcmp(desired->bridges[i].name, bridge)) {
            return own->ifindex;
        }
    }
    return 0;
}

/* Returns the bridge, by the index of its own device, whose endpoints layer
 * L2 is to guard at 'iface', which is switched; 0 if there is nothing to
 * guard.
 *
 * A program can do that at what brings frames into the bridge from outside, if
 * they have in the bridge the VLAN that they have on the wire. */
static int
guarded_bridge(const struct desired *desired, const struct desired_inputs *in,
               struct desired_interface *iface)
{
    struct seat seat;

    if ((in->settings->acl == DP_ACL_OFF && !in->settings->direct)
        || !find_seat(in, iface->name, &seat) || !is_nic(seat.iface)
        || seat.port->managed || !strcmp(iface->name, seat.bridge->name)) {
        return 0;
    } else if (seat.port->tag > 0) {
        iface->detail = xasprintf("port %s of %s has a tag: frames are in "
                                  "another VLAN than on the wire",
                                  seat.port->name, seat.bridge->name);
        return 0;
    }
    return own_ifindex(desired, in, seat.bridge->name);
}

/* Returns why 'dev', which is switched, is left alone, or NULL.  The caller
 * frees it.
 *
 * Nobody has asked for layer L2 there where it is the default, and all works
 * without: so it is to cost nothing, and is no problem where it cannot be
 * had.  Generic mode costs GRO, which matters most where all frames go through
 * a bridge. */
static char *
spare(const struct desired_inputs *in, const struct netdev_info *dev)
{
    bool failed = sset_contains(in->native_failed, dev->name);

    if (in->settings->mode != MODE_AUTO) {
        return NULL;
    } else if (!dev->native || failed) {
        return xasprintf("the driver %s XDP natively, and generic mode would "
                         "cost GRO: for early drop even so, set "
                         "ovn-xdp-mode=generic",
                         failed ? "refused to run" : "cannot run");
    } else if (dev->strips_vlan && !dev->tag_hint) {
        char *run = remedy(REASON_VLAN_STRIPPED, dev->name);
        char *detail = xasprintf("it strips VLAN tags before XDP can see "
                                 "them: for early drop, %s", run);

        free(run);
        return detail;
    }
    return NULL;
}

/* Returns the bridge that layer L2 is to guard at 'iface', which is the
 * switched 'dev', like guarded_bridge(), and 0 if it is better left alone. */
static int
decide_switched(const struct desired *desired,
                const struct desired_inputs *in, const struct netdev_info *dev,
                struct desired_interface *iface)
{
    int bridge = guarded_bridge(desired, in, iface);

    if (bridge) {
        iface->detail = spare(in, dev);
    }
    return iface->detail ? 0 : bridge;
}

/* Returns where layer L3 is to take frames off 'iface', which is attached in
 * 'mode'. */
static enum dp_hook
choose_hook(const struct desired_inputs *in,
            const struct desired_interface *iface, enum dp_mode mode)
{
    struct seat seat;
    bool userspace = (iface->switched && find_seat(in, iface->name, &seat)
                      && !strcmp(seat.bridge->datapath_type, "netdev"));

    return (in->settings->direct
            ? direct_nic_hook(in->settings->nic_hook, mode == DP_NATIVE,
                              userspace)
            : DP_HOOK_NONE);
}

/* Decides what is to be done with 'iface'. */
static void
decide_interface(const struct desired *desired,
                 const struct desired_inputs *in,
                 struct desired_interface *iface)
{
    const struct netdev_info *dev = find_device(in, iface->name);

    if (!dev) {
        iface->reason = REASON_NO_DEVICE;
        return;
    }
    iface->ifindex = dev->ifindex;

    int bridge = (iface->switched
                  ? decide_switched(desired, in, dev, iface) : 0);
    if (iface->switched && !bridge) {
        iface->reason = REASON_SWITCHED;
        return;
    }

    enum dp_mode mode = choose_mode(desired, in, dev, iface->switched);
    iface->reason = refuse_device(desired, in, dev, mode);
    if (iface->reason != REASON_NONE) {
        iface->state = INTERFACE_REFUSED;
        iface->detail = remedy(iface->reason, iface->name);
        return;
    }
    iface->state = INTERFACE_ATTACH;

    enum dp_hook hook = choose_hook(in, iface, mode);
    bool redirects = !bridge || hook != DP_HOOK_NONE;
    iface->nic = (struct dp_nic) {
        .ifindex = dev->ifindex,
        .mac = dev->mac,
        .mode = mode,
        .tag_hint = dev->strips_vlan,
        .stale_timeout = redirects ? in->settings->stale_timeout : 0,
        .acl = in->settings->acl,
        .bridge = bridge,
        .direct = hook,
    };
    ovs_strlcpy(iface->nic.name, dev->name, sizeof iface->nic.name);
}

/* Returns true if an interface of 'desired' will redirect in 'mode'. */
static bool
any_attach(const struct desired *desired, enum dp_mode mode)
{
    for (size_t i = 0; i < desired->n_interfaces; i++) {
        const struct desired_interface *iface = &desired->interfaces[i];
        if (iface->state == INTERFACE_ATTACH && !iface->switched
            && iface->nic.mode == mode) {
            return true;
        }
    }
    return false;
}

/* MTU of Ethernet, and of a new veth, in bytes: RFC 894. */
#define ETHERNET_MTU 1500

/* Returns the MTU for the managed port of 'bridge', whose own device is 'own'
 * or NULL: that of the bridge.  OVS gives a bridge the least MTU of its ports,
 * so any other would change it behind its owner's back. */
static int
port_mtu(const struct desired_inputs *in, const struct desired_bridge *bridge,
         const struct netdev_info *own)
{
    const struct netdev_info *outer = find_device(in, bridge->port.outer);

    return own ? own->mtu : outer ? outer->mtu : ETHERNET_MTU;
}

/* Returns why frames of the chosen modes cannot be sent to 'dev', or
 * REASON_NONE. */
static enum reason
check_target(const struct netdev_info *dev, bool native)
{
    return (!dev ? REASON_NO_DEVICE
            : !dev->up || !dev->running ? REASON_LINK_DOWN
            : native && !dev->ndo_xmit ? REASON_NO_NDO_XMIT
            : REASON_NONE);
}

/* Returns why the managed port of 'bridge' cannot be used yet, or
 * REASON_NONE. */
static enum reason
check_port(const struct desired_bridge *bridge,
           const struct desired_inputs *in, const struct netdev_info *outer)
{
    const struct ovs_bridge *ovs = ovs_view_find_bridge(in->ovs,
                                                        bridge->name);
    const struct ovs_iface *iface;
    bool managed = false;

    if (sset_contains(in->port_failed, bridge->name)) {
        return REASON_PORT_FAILED;
    }
    iface = (ovs ? ovs_bridge_find_iface(ovs, bridge->port.inner, &managed)
             : NULL);
    if (!outer || !outer->up || !outer->running || !outer->ndo_xmit
        || !iface || !managed || iface->ofport <= 0) {
        return REASON_PORT_PENDING;
    }
    return REASON_NONE;
}

/* Returns true if the managed port of 'bridge', whose own device is 'own' or
 * NULL, is wanted.  A port that exists is kept while nothing says whether it
 * is: so a NIC or a bridge's device that comes and goes does not take it
 * along. */
static bool
wants_port(const struct desired *desired, const struct desired_inputs *in,
           const struct desired_bridge *bridge, const struct netdev_info *own)
{
    const struct ovs_bridge *ovs = ovs_view_find_bridge(in->ovs,
                                                        bridge->name);
    bool native = any_attach(desired, DP_NATIVE);
    bool generic = any_attach(desired, DP_GENERIC);
    bool managed = false;

    if (in->settings->port == PORT_INTERNAL || !desired->n_interfaces) {
        return false;
    }
    if (!own || (!native && !generic)) {
        return ovs
               && ovs_bridge_find_iface(ovs, bridge->port.inner, &managed)
               && managed;
    }
    return in->settings->port == PORT_VETH || (native && !own->ndo_xmit);
}

/* Decides how redirected frames enter 'bridge'. */
static void
decide_target(const struct desired *desired, const struct desired_inputs *in,
              struct desired_bridge *bridge)
{
    const struct netdev_info *own = find_device(in, bridge->name);
    bool native = any_attach(desired, DP_NATIVE);

    if (!bridge->exists) {
        bridge->reason = REASON_NO_BRIDGE;
        return;
    }
    bridge->own_ifindex = own ? own->ifindex : 0;
    bridge->wants_port = wants_port(desired, in, bridge, own);
    bridge->port_mtu = port_mtu(in, bridge, own);

    bool veth = bridge->wants_port || in->settings->port == PORT_VETH;
    const char *device = veth ? bridge->port.outer : bridge->name;
    const struct netdev_info *dev = find_device(in, device);
    bridge->kind = (veth ? TARGET_VETH
                    : own && !strcmp(own->kind, "tun") ? TARGET_TAP
                    : TARGET_INTERNAL);
    bridge->reason = (veth ? check_port(bridge, in, dev)
                      : check_target(dev, native));
    ovs_strlcpy(bridge->device, device, sizeof bridge->device);
    if (dev && bridge->reason == REASON_NONE) {
        bridge->ifindex = dev->ifindex;
        bridge->mac = dev->mac;
        bridge->mtu = dev->mtu;
        bridge->sg = dev->ndo_xmit_sg;
    }
}

/* Adds a problem for each interface that is refused or costs something. */
static void
report_interfaces(struct desired *desired)
{
    for (size_t i = 0; i < desired->n_interfaces; i++) {
        const struct desired_interface *iface = &desired->interfaces[i];
        if (iface->state == INTERFACE_REFUSED
            || iface->reason == REASON_NO_DEVICE) {
            problems_add(&desired->problems, iface->reason, "%s: %s%s%s",
                         iface->name, reason_sentence(iface->reason),
                         iface->detail ? "  " : "",
                         iface->detail ? iface->detail : "");
        } else if (iface->state == INTERFACE_ATTACH
                   && iface->nic.mode == DP_GENERIC) {
            problems_add(&desired->problems, REASON_GENERIC_MODE, "%s: %s",
                         iface->name, reason_sentence(REASON_GENERIC_MODE));
        }
    }
}

/* Returns true if an interface of 'desired' would redirect if it could. */
static bool
any_routed(const struct desired *desired)
{
    for (size_t i = 0; i < desired->n_interfaces; i++) {
        if (!desired->interfaces[i].switched) {
            return true;
        }
    }
    return false;
}

/* Adds a problem for each bridge that cannot take frames. */
static void
report_bridges(struct desired *desired)
{
    for (size_t i = 0; i < desired->n_bridges; i++) {
        const struct desired_bridge *bridge = &desired->bridges[i];
        if (bridge->exists && bridge->reason != REASON_NONE) {
            problems_add(&desired->problems, bridge->reason,
                         "bridge %s, target %s: %s", bridge->name,
                         bridge->device, reason_sentence(bridge->reason));
        }
    }
}

/* Fills 'bridges', 'interfaces' and 'problems' of 'desired'. */
void
desired_add_devices(struct desired *desired, const struct desired_inputs *in)
{
    add_bridges(desired, in);
    add_interfaces(desired, in);
    for (size_t i = 0; i < desired->n_interfaces; i++) {
        decide_interface(desired, in, &desired->interfaces[i]);
    }
    for (size_t i = 0; i < desired->n_bridges; i++) {
        decide_target(desired, in, &desired->bridges[i]);
    }
    report_interfaces(desired);
    if (any_routed(desired)) {
        report_bridges(desired);
    }
}
