/* SPDX-License-Identifier: Apache-2.0 */
/* The preconditions of layer L3, each as a row of one table: what decides and
 * what 'explain' shows are the same. */

#include <config.h>

#include "plugin/direct-judge.h"

#include <stdlib.h>
#include <string.h>

#include "util.h"

#include "idl/ovs-db.h"
#include "idl/sb-db.h"
#include "plugin/acl.h"
#include "plugin/netdevs.h"

/* Stores in '*detail', unless that is NULL, a formatted string. */
static void OVS_PRINTF_FORMAT(2, 3)
say(char **detail, const char *format, ...)
{
    va_list args;

    if (detail) {
        va_start(args, format);
        free(*detail);
        *detail = xvasprintf(format, args);
        va_end(args);
    }
}

/* Returns the hook for a NIC, see plugin/direct-judge.h.
 *
 * OVS's userspace datapath gets a copy of each packet before TC sees it: what
 * TC takes off there would arrive twice.  Behind a program in generic mode TC
 * takes packets off that do not arrive (seen with a veth on Linux 6.18), so
 * that there is no layer L3 in generic mode. */
enum dp_hook
direct_nic_hook(enum settings_hook setting, bool native, bool userspace)
{
    if (!native) {
        return DP_HOOK_NONE;
    }
    switch (setting) {
    case HOOK_TC:
        return userspace ? DP_HOOK_NONE : DP_HOOK_TC;
    case HOOK_XDP:
    case HOOK_AUTO:
    default:
        return DP_HOOK_XDP;
    }
}

/* Returns true if the port of 'in' is on OVS's userspace datapath. */
static bool
is_userspace(const struct direct_inputs *in)
{
    return (in->seat.bridge
            && !strcmp(in->seat.bridge->datapath_type, "netdev"));
}

/* Returns the device of the port of 'in', or NULL. */
static const struct netdev_info *
find_tap(const struct direct_inputs *in)
{
    return (in->seat.iface
            ? netdevs_find_in(in->devices, in->seat.iface->name) : NULL);
}

/* Returns the hook for the tap of 'in'. */
static enum dp_hook
vm_hook(const struct direct_inputs *in)
{
    switch (in->settings->vm_hook) {
    case HOOK_XDP:
        return DP_HOOK_XDP;
    case HOOK_TC:
        return DP_HOOK_TC;
    case HOOK_AUTO:
    default:
        return is_userspace(in) ? DP_HOOK_XDP : DP_HOOK_TC;
    }
}

/* Returns true if packets to the address of 'in' may come in by 'iface'. */
static bool
serves(const struct direct_inputs *in, const struct desired_interface *iface)
{
    const struct desired_bridge *bridge = in->endpoint->bridge;

    return (iface->state == INTERFACE_ATTACH
            && iface->nic.direct != DP_HOOK_NONE
            && (!iface->switched
                || (bridge && bridge->own_ifindex
                    && iface->nic.bridge == bridge->own_ifindex)));
}

/* Returns the NIC by which packets to the address of 'in' come in: a routed
 * one, if there is any.  NULL: there is none. */
static const struct desired_interface *
find_nic(const struct direct_inputs *in)
{
    const struct desired_interface *found = NULL;

    for (size_t i = 0; i < in->desired->n_interfaces; i++) {
        const struct desired_interface *iface = &in->desired->interfaces[i];
        if (serves(in, iface) && (!found || !iface->switched)) {
            found = iface;
        }
    }
    return found;
}

/* Returns true if a port of 'bridge', which may be NULL, is one for which
 * 'test' is true. */
static bool
any_port(const struct ovs_bridge *bridge,
         bool (*test)(const struct ovs_port *))
{
    for (size_t i = 0; bridge && i < bridge->n_ports; i++) {
        if (test(&bridge->ports[i])) {
            return true;
        }
    }
    return false;
}

/* Returns true if 'port' is mirrored. */
static bool
is_mirrored(const struct ovs_port *port)
{
    return port->mirrored;
}

/* Returns true if OVS shapes or polices packets of 'port'. */
static bool
is_shaped(const struct ovs_port *port)
{
    bool policed = false;

    for (size_t i = 0; i < port->n_ifaces; i++) {
        policed |= port->ifaces[i].policed;
    }
    return port->qos || policed;
}

/* Returns the bridge of the network of 'in', or NULL. */
static const struct ovs_bridge *
find_provider(const struct direct_inputs *in)
{
    const struct desired_bridge *bridge = in->endpoint->bridge;

    return bridge ? ovs_view_find_bridge(in->ovs, bridge->name) : NULL;
}

/* The rows. */

/* Answers whether the layer is on. */
static enum direct_answer
check_setting(const struct direct_inputs *in, char **detail)
{
    say(detail, "ovn-xdp-direct is %s", in->settings->direct ? "on" : "off");
    return in->settings->direct ? DIRECT_CHECK_OK : DIRECT_CHECK_BAD;
}

/* Answers whether the address may be that of one VM. */
static enum direct_answer
check_kind(const struct direct_inputs *in, char **detail)
{
    const char *kind = endpoint_kind_to_string(in->endpoint->kind);

    say(detail, "the address is of kind %s", kind);
    switch (in->endpoint->kind) {
    case ENDPOINT_VM:
    case ENDPOINT_FIP_DISTRIBUTED:
    case ENDPOINT_FIP_CENTRALISED:
        return DIRECT_CHECK_OK;
    case ENDPOINT_LOAD_BALANCER:
    case ENDPOINT_ROUTER:
    default:
        return DIRECT_CHECK_BAD;
    }
}

/* Answers whether a port of a VM is behind the address, and nobody else's. */
static enum direct_answer
check_translation(const struct direct_inputs *in, char **detail)
{
    if (!in->behind) {
        say(detail, "what OVN says of it has not been received yet");
        return DIRECT_CHECK_UNKNOWN;
    } else if (!in->behind->port[0]) {
        say(detail, "no port of a VM here is behind it");
        return DIRECT_CHECK_BAD;
    } else if (in->taken) {
        say(detail, "another address outside is port %s's, too",
            in->behind->port);
        return DIRECT_CHECK_BAD;
    }
    say(detail, "port %s of a VM is behind it", in->behind->port);
    return DIRECT_CHECK_OK;
}

/* Answers whether the port is on this chassis alone. */
static enum direct_answer
check_binding(const struct direct_inputs *in, char **detail)
{
    if (!in->binding) {
        say(detail, "the port is not bound here");
        return DIRECT_CHECK_UNKNOWN;
    } else if (in->binding->shared) {
        say(detail, "the port is migrating: two chassis have it");
        return DIRECT_CHECK_BAD;
    }
    say(detail, "the port is bound here alone");
    return DIRECT_CHECK_OK;
}

/* Answers whether the port's packets are its own. */
static enum direct_answer
check_parent(const struct direct_inputs *in, char **detail)
{
    bool contained = in->binding && in->binding->parent_port;

    say(detail, "the port %s", contained ? "is a container's"
        : in->has_children ? "has ports of containers in it"
        : "is a VM's own");
    return contained || in->has_children ? DIRECT_CHECK_BAD : DIRECT_CHECK_OK;
}

/* Answers whether the port has a device that works. */
static enum direct_answer
check_tap(const struct direct_inputs *in, char **detail)
{
    const struct netdev_info *tap = find_tap(in);

    if (!in->seat.iface) {
        say(detail, "no interface of Open vSwitch has iface-id %s",
            in->behind ? in->behind->port : "");
        return DIRECT_CHECK_BAD;
    } else if (in->seat.iface->type[0]
               && strcmp(in->seat.iface->type, "system")) {
        say(detail, "interface %s is of type %s, and no tap",
            in->seat.iface->name, in->seat.iface->type);
        return DIRECT_CHECK_BAD;
    } else if (!tap || !tap->ethernet || !tap->up || !tap->running) {
        say(detail, "device %s is %s", in->seat.iface->name,
            tap ? "down" : "none of the kernel's");
        return DIRECT_CHECK_BAD;
    }
    say(detail, "its device is %s", tap->name);
    return DIRECT_CHECK_OK;
}

/* Answers whether there is a NIC by which packets come in. */
static enum direct_answer
check_nic(const struct direct_inputs *in, char **detail)
{
    const struct desired_interface *nic = find_nic(in);

    say(detail, "%s%s", nic ? "packets come in by " : "there is none",
        nic ? nic->name : "");
    return nic ? DIRECT_CHECK_OK : DIRECT_CHECK_BAD;
}

/* Returns true if XDP on a tap can send to a NIC of 'in': to one of those by
 * which packets come in. */
static bool
nic_takes_xdp(const struct direct_inputs *in)
{
    for (size_t i = 0; i < in->desired->n_interfaces; i++) {
        const struct desired_interface *iface = &in->desired->interfaces[i];
        const struct netdev_info *dev = netdevs_find_in(in->devices,
                                                        iface->name);
        if (serves(in, iface) && dev && dev->ndo_xmit) {
            return true;
        }
    }
    return false;
}

/* Answers whether the devices can do what the hooks need. */
static enum direct_answer
check_hook(const struct direct_inputs *in, char **detail)
{
    const struct netdev_info *tap = find_tap(in);
    const struct desired_interface *nic = find_nic(in);
    bool xdp = vm_hook(in) == DP_HOOK_XDP;

    if (!tap || !nic) {
        say(detail, "there is nothing to attach to");
        return DIRECT_CHECK_UNKNOWN;
    } else if (!xdp && is_userspace(in)) {
        say(detail, "TC cannot be used at %s: Open vSwitch's userspace "
            "datapath would get each packet, too", tap->name);
        return DIRECT_CHECK_BAD;
    } else if (xdp && !tap->native) {
        say(detail, "%s cannot run XDP natively", tap->name);
        return DIRECT_CHECK_BAD;
    } else if (nic->nic.direct == DP_HOOK_XDP && !tap->ndo_xmit) {
        say(detail, "%s cannot take natively redirected frames", tap->name);
        return DIRECT_CHECK_BAD;
    } else if (xdp && !nic_takes_xdp(in)) {
        say(detail, "%s cannot take natively redirected frames", nic->name);
        return DIRECT_CHECK_BAD;
    } else if (in->hook_error) {
        say(detail, "attaching to %s failed: %s", tap->name,
            ovs_strerror(in->hook_error));
        return DIRECT_CHECK_BAD;
    }
    say(detail, "%s by %s, %s by %s", nic->name,
        nic->nic.direct == DP_HOOK_XDP ? "XDP" : "TC", tap->name,
        xdp ? "XDP" : "TC");
    return DIRECT_CHECK_OK;
}

/* Returns true if 'dev' may send later, or less, than it is given: frames
 * wait in something else than a plain queue. */
static bool
is_limited(const struct netdev_info *dev)
{
    static const char *const plain[] = {
        "", "noop", "noqueue", "mq", "multiq", "pfifo", "bfifo",
        "pfifo_fast", "pfifo_head_drop", "fq", "fq_codel", "fq_pie", "codel",
        "pie", "sfq",
    };

    for (size_t i = 0; i < ARRAY_SIZE(plain); i++) {
        if (!strcmp(dev->qdisc, plain[i])) {
            return false;
        }
    }
    return true;
}

/* Returns true if what goes by 'dev' is limited on the host, where packets
 * that are forwarded directly do not come by: what it sends, if that is
 * 'by_xdp', and what it receives. */
static bool
is_bypassed(const struct netdev_info *dev, bool by_xdp)
{
    return dev->policed || (by_xdp && is_limited(dev));
}

/* Returns a device whose packets the host limits, of those that packets of
 * 'in' come and go by, or NULL. */
static const struct netdev_info *
find_bypassed(const struct direct_inputs *in)
{
    const struct netdev_info *tap = find_tap(in);
    const struct desired_interface *nic = find_nic(in);

    if (tap && nic && is_bypassed(tap, nic->nic.direct == DP_HOOK_XDP)) {
        return tap;
    }
    for (size_t i = 0; i < in->desired->n_interfaces; i++) {
        const struct desired_interface *iface = &in->desired->interfaces[i];
        const struct netdev_info *dev = netdevs_find_in(in->devices,
                                                        iface->name);

        if (serves(in, iface) && dev
            && is_bypassed(dev, vm_hook(in) == DP_HOOK_XDP)) {
            return dev;
        }
    }
    return NULL;
}

/* Answers whether nothing limits or counts the port's packets. */
static enum direct_answer
check_qos(const struct direct_inputs *in, char **detail)
{
    const struct ovs_bridge *provider = find_provider(in);
    const struct netdev_info *bypassed = find_bypassed(in);

    if (in->metered || (in->binding && in->binding->qos)) {
        say(detail, "OVN has QoS for the port");
    } else if (in->seat.port && is_shaped(in->seat.port)) {
        say(detail, "Open vSwitch shapes or polices %s", in->seat.port->name);
    } else if (any_port(provider, is_shaped)) {
        say(detail, "Open vSwitch shapes or polices a port of %s",
            provider->name);
    } else if (bypassed) {
        say(detail, "%s has a qdisc, %s", bypassed->name,
            bypassed->policed ? "ingress" : bypassed->qdisc);
    } else {
        say(detail, "nothing limits its traffic");
        return DIRECT_CHECK_OK;
    }
    return DIRECT_CHECK_BAD;
}

/* Answers whether nobody gets copies of the port's packets. */
static enum direct_answer
check_mirror(const struct direct_inputs *in, char **detail)
{
    const struct ovs_bridge *provider = find_provider(in);

    if (in->binding && in->binding->mirrored) {
        say(detail, "OVN mirrors the port");
    } else if (in->logged) {
        say(detail, "an ACL of OVN logs or samples packets of the port");
    } else if (in->seat.port && in->seat.port->mirrored) {
        say(detail, "Open vSwitch mirrors %s", in->seat.port->name);
    } else if (any_port(provider, is_mirrored)) {
        say(detail, "Open vSwitch mirrors a port of %s", provider->name);
    } else if (in->seat.bridge && in->seat.bridge->sampled) {
        say(detail, "Open vSwitch samples packets of %s",
            in->seat.bridge->name);
    } else if (provider && provider->sampled) {
        say(detail, "Open vSwitch samples packets of %s", provider->name);
    } else {
        say(detail, "nothing mirrors, samples or logs it");
        return DIRECT_CHECK_OK;
    }
    return DIRECT_CHECK_BAD;
}

/* Answers whether the packets are seen by the kernel at all. */
static enum direct_answer
check_hw_offload(const struct direct_inputs *in, char **detail)
{
    say(detail, "other_config:hw-offload is %s",
        in->ovs->hw_offload ? "true" : "not true");
    return in->ovs->hw_offload ? DIRECT_CHECK_BAD : DIRECT_CHECK_OK;
}

/* Answers whether conntrack does without most of a connection. */
static enum direct_answer
check_conntrack(const struct direct_inputs *in, char **detail)
{
    if (!is_userspace(in)) {
        say(detail, "the kernel's conntrack %s for Open vSwitch",
            in->kernel_liberal ? "does not check TCP windows"
            : "may check TCP windows: Linux is older than 5.11");
        return in->kernel_liberal ? DIRECT_CHECK_OK : DIRECT_CHECK_BAD;
    }
    switch (in->windows) {
    case VSWITCHD_WINDOWS_FREE:
        say(detail, "ovs-vswitchd does not check TCP windows");
        return DIRECT_CHECK_OK;
    case VSWITCHD_WINDOWS_CHECKED:
        say(detail, "ovs-vswitchd checks TCP windows");
        return DIRECT_CHECK_BAD;
    case VSWITCHD_WINDOWS_UNKNOWN:
    default:
        say(detail, "ovs-vswitchd has not said whether it checks TCP "
            "windows");
        return DIRECT_CHECK_UNKNOWN;
    }
}

/* Answers whether the VM's packets are complete. */
static enum direct_answer
check_checksum(const struct direct_inputs *in, char **detail)
{
    bool xdp = vm_hook(in) == DP_HOOK_XDP;

    say(detail, "%s", !in->half_checksum ? "the VM computes checksums itself, "
        "as far as was seen" : xdp ? "the VM sends half-computed checksums"
        : "the VM sends half-computed checksums, which TC can deal with");
    return in->half_checksum && xdp ? DIRECT_CHECK_BAD : DIRECT_CHECK_OK;
}

/* A precondition. */
struct row {
    enum reason reason;         /* If it is not met. */
    enum direct_answer (*check)(const struct direct_inputs *, char **detail);
    const char *fix;            /* What would help. */
};

/* All of them: the first that is not met is the reason. */
static const struct row rows[] = {
    { REASON_DIRECT_OFF, check_setting,
      "ovs-vsctl set open . external_ids:ovn-xdp-direct=on" },
    { REASON_DIRECT_KIND, check_kind, "" },
    { REASON_DIRECT_TRANSLATED, check_translation, "" },
    { REASON_ACTIVATION_PENDING, check_binding,
      "it passes when the migration is over" },
    { REASON_DIRECT_PARENT, check_parent, "" },
    { REASON_DIRECT_NO_TAP, check_tap,
      "look at ovs-vsctl list Interface, and whether the VM runs" },
    { REASON_DIRECT_NO_NIC, check_nic,
      "look at: ovn-xdpctl interfaces" },
    { REASON_DIRECT_HOOK, check_hook,
      "look at: ovn-xdpctl features; and at ovn-xdp-vm-hook and "
      "ovn-xdp-nic-hook" },
    { REASON_DIRECT_QOS, check_qos,
      "look at: ovn-nbctl list QoS, ovs-vsctl list QoS, tc qdisc" },
    { REASON_DIRECT_MIRROR, check_mirror, "" },
    { REASON_DIRECT_HW_OFFLOAD, check_hw_offload,
      "ovs-vsctl remove open . other_config hw-offload, and restart "
      "ovs-vswitchd" },
    { REASON_DIRECT_CONNTRACK, check_conntrack,
      "ovs-appctl dpctl/ct-disable-tcp-seq-chk, after each start of "
      "ovs-vswitchd" },
    { REASON_DIRECT_CHECKSUM, check_checksum,
      "switch the guest's tx offloads off, in libvirt: <host csum='off' "
      "tso4='off' tso6='off' ecn='off' ufo='off'/>" },
};

/* Judges 'in', see plugin/direct-judge.h. */
void
direct_judge(const struct direct_inputs *in, struct direct_verdict *verdict)
{
    const struct desired_interface *nic = find_nic(in);

    *verdict = (struct direct_verdict) {
        .reason = in->endpoint->reason,
        .tap = find_tap(in),
        .vm_hook = vm_hook(in),
        .bridge = nic && nic->switched ? nic->nic.bridge : 0,
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows)
                       && verdict->reason == REASON_NONE; i++) {
        if (rows[i].check(in, NULL) != DIRECT_CHECK_OK) {
            verdict->reason = rows[i].reason;
        }
    }
}

/* Stores the preconditions of 'in', see plugin/direct-judge.h. */
size_t
direct_get_checks(const struct direct_inputs *in,
                  struct direct_check checks[DIRECT_MAX_CHECKS])
{
    BUILD_ASSERT(ARRAY_SIZE(rows) <= DIRECT_MAX_CHECKS);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct direct_check *check = &checks[i];

        check->reason = rows[i].reason;
        check->detail = NULL;
        check->answer = rows[i].check(in, &check->detail);
        check->fix = check->answer == DIRECT_CHECK_OK ? "" : rows[i].fix;
    }
    return ARRAY_SIZE(rows);
}
