/* SPDX-License-Identifier: Apache-2.0 */
/* From bridges to watched devices; see plugin/watch.h.  The datapath is asked
 * for all of them in each run, and says since when each is watched: no device
 * is taken for watched because it once was. */
#include <config.h>

#include "plugin/watch.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "openvswitch/hmap.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "sset.h"
#include "timeval.h"
#include "util.h"

#include "bpf/abi.h"
#include "idl/ovs-db.h"
#include "plugin/desired.h"
#include "plugin/limits.h"
#include "plugin/netdevs.h"
#include "plugin/problems.h"

VLOG_DEFINE_THIS_MODULE(watch);

/* What OVS numbers a bridge's own device. */
#define OFPORT_LOCAL 65534

/* A device that is, or is to be, watched. */
struct watched {
    struct hmap_node node;      /* In struct watch, by 'ifindex'. */
    int ifindex;                /* Device. */
    enum dp_watch_side side;    /* Where. */
    long long int since;        /* time_msec() since when. */
    bool wanted;                /* By the inputs at hand. */
};

/* See plugin/watch.h. */
struct watch {
    const struct dp_class *class; /* Back end. */
    struct dp *dp;              /* Datapath. */
    struct hmap devices;        /* Of struct watched. */
    struct sset bridges;        /* Names of bridges that are watched. */
    struct problems problems;   /* Why others are not. */
    bool enabled;               /* As the inputs had it last. */
    long long int settled;      /* Watches from until then are taken for old;
                                 * 0: none. */
    long long int due;          /* When watch_run() has work in any case. */
    size_t n_opened;            /* Connections after the last sweep. */
    size_t n_missed;            /* Endpoints of which connections were missed
                                 * then. */
    struct in6_addr missed;     /* One of them. */
};

/* Returns a watch of nothing by 'class' in 'dp'. */
struct watch *
watch_create(const struct dp_class *class, struct dp *dp)
{
    struct watch *watch = xzalloc(sizeof *watch);

    watch->class = class;
    watch->dp = dp;
    hmap_init(&watch->devices);
    sset_init(&watch->bridges);
    return watch;
}

/* Frees 'watch'.  What it watches stays watched. */
void
watch_destroy(struct watch *watch)
{
    struct watched *w;

    if (!watch) {
        return;
    }
    HMAP_FOR_EACH_POP (w, node, &watch->devices) {
        free(w);
    }
    hmap_destroy(&watch->devices);
    sset_destroy(&watch->bridges);
    problems_destroy(&watch->problems);
    free(watch);
}

/* Returns what 'watch' has of device 'ifindex', or NULL. */
static struct watched *
find(const struct watch *watch, int ifindex)
{
    struct watched *w;

    HMAP_FOR_EACH_WITH_HASH (w, node, ifindex, &watch->devices) {
        if (w->ifindex == ifindex) {
            return w;
        }
    }
    return NULL;
}

/* Has device 'ifindex' be watched.  The datapath is asked each time: somebody
 * may have taken the program away. */
static int
put(struct watch *watch, int ifindex, enum dp_watch_side side)
{
    struct watched *w = find(watch, ifindex);
    long long int since;
    int error;

    error = watch->class->put_watch(watch->dp, ifindex, side, &since);
    if (error) {
        return error;
    }
    if (!w) {
        w = xzalloc(sizeof *w);
        w->ifindex = ifindex;
        hmap_insert(&watch->devices, &w->node, ifindex);
    }
    w->side = side;
    w->since = since;
    w->wanted = true;
    return 0;
}

/* Notes that bridge 'bridge' is not watched, since port 'port' cannot be. */
static void
complain(struct watch *watch, const char *bridge, const char *port,
         const char *why)
{
    problems_add(&watch->problems, REASON_ACL_UNWATCHED,
                 "bridge %s: what VMs send by port %s cannot be watched (%s), "
                 "so that nothing to them is dropped", bridge, port, why);
}

/* Has device 'dev', NULL if there is none, be watched on 'side'. */
static int
put_device(struct watch *watch, const struct netdev_info *dev,
           enum dp_watch_side side)
{
    return dev ? put(watch, dev->ifindex, side) : ENODEV;
}

/* Has the device of 'iface', which is in bridge 'bridge', be watched.  Returns
 * false if that cannot be.
 *
 * What OVS sends to an internal port, the host receives from it.  A device
 * that does not exist lets nothing out, unless OVS has it: then it may be in
 * another network namespace, where what OVS sends to it arrives. */
static bool
watch_iface(struct watch *watch, const struct watch_inputs *in,
            const char *bridge, const struct ovs_iface *iface)
{
    bool internal = (!strcmp(iface->type, "internal")
                     || !strcmp(iface->type, "tap"));
    bool outer = !iface->type[0] || !strcmp(iface->type, "system");
    int error;

    if (!internal && !outer) {
        complain(watch, bridge, iface->name, iface->type);
        return false;
    }
    error = put_device(watch, netdevs_find_in(in->devices, iface->name),
                       internal ? DP_WATCH_INGRESS : DP_WATCH_EGRESS);
    if (error == ENODEV && iface->ofport <= 0) {
        return true;
    }
    if (error) {
        complain(watch, bridge, iface->name, ovs_strerror(error));
    }
    return !error;
}

/* Has the devices of 'port' be watched, which is in bridge 'bridge'.  Returns
 * false if one cannot be.  The managed port lets nothing out, and OVN's own
 * patch port leads back to it. */
static bool
watch_port(struct watch *watch, const struct watch_inputs *in,
           const char *bridge, const struct ovs_port *port)
{
    bool ok = true;

    if (port->managed) {
        return true;
    }
    for (size_t i = 0; i < port->n_ifaces; i++) {
        const struct ovs_iface *iface = &port->ifaces[i];

        if (!port->localnet || strcmp(iface->type, "patch")) {
            ok = watch_iface(watch, in, bridge, iface) && ok;
        }
    }
    return ok;
}

/* Returns the interface of the device that 'bridge' is itself.  OVS makes it
 * even where the database has no row of it, and whatever type that has. */
static struct ovs_iface
own_iface(const struct ovs_bridge *bridge)
{
    struct ovs_iface own = {
        .name = bridge->name,
        .type = CONST_CAST(char *, "internal"),
        .ofport = OFPORT_LOCAL,
    };

    for (size_t i = 0; i < bridge->n_ports; i++) {
        const struct ovs_port *port = &bridge->ports[i];

        if (!strcmp(port->name, bridge->name) && port->n_ifaces) {
            own.ofport = port->ifaces[0].ofport;
        }
    }
    return own;
}

/* Has all by which a packet can leave 'bridge' be watched, and notes it in
 * 'bridges' if it is. */
static void
watch_bridge(struct watch *watch, const struct watch_inputs *in,
             const struct ovs_bridge *bridge, struct sset *bridges)
{
    const struct ovs_iface own = own_iface(bridge);
    bool ok = watch_iface(watch, in, bridge->name, &own);

    for (size_t i = 0; i < bridge->n_ports; i++) {
        const struct ovs_port *port = &bridge->ports[i];

        if (strcmp(port->name, bridge->name)) {
            ok = watch_port(watch, in, bridge->name, port) && ok;
        }
    }
    if (ok) {
        sset_add(bridges, bridge->name);
    }
}

/* Watches the devices no more that the inputs do not want. */
static void
remove_unwanted(struct watch *watch)
{
    struct watched *w;

    HMAP_FOR_EACH_SAFE (w, node, &watch->devices) {
        if (!w->wanted) {
            watch->class->del_watch(watch->dp, w->ifindex);
            hmap_remove(&watch->devices, &w->node);
            free(w);
        }
    }
}

/* Notes of which endpoints of 'desired' connections were missed, for which
 * nothing is dropped at 'now'. */
static void
find_missed(struct watch *watch, const struct desired *desired,
            long long int now)
{
    const struct desired_endpoint *ep;

    watch->n_missed = 0;
    HMAP_FOR_EACH (ep, node, &desired->endpoints) {
        if (watch->class->missed_opened(watch->dp, &ep->key.addr) > now) {
            watch->missed = ep->key.addr;
            watch->n_missed++;
        }
    }
}

/* Says what find_missed() has found. */
static void
report_missed(struct watch *watch)
{
    if (watch->enabled && watch->n_missed) {
        char text[INET6_ADDRSTRLEN];

        ipv6_string_mapped(text, &watch->missed);
        problems_add(&watch->problems, REASON_ACL_MISSED,
                     "connections of %"PRIuSIZE" address%s, as %s, were "
                     "missed, so that nothing is dropped to there for up to "
                     "%d s", watch->n_missed,
                     watch->n_missed == 1 ? "" : "es", text,
                     OX_OPENED_SYN_S);
    }
}

/* Sweeps, and looks for what was missed, at 'now', if it is time. */
static void
sweep(struct watch *watch, const struct watch_inputs *in, long long int now)
{
    if (now >= watch->due) {
        watch->n_opened = watch->class->sweep_opened(watch->dp, now);
        find_missed(watch, in->desired, now);
        watch->due = now + OPENED_SWEEP_MS;
    }
}

/* Follows 'in'.  Stores the names of the bridges that are watched in
 * 'bridges'. */
static void
update(struct watch *watch, const struct watch_inputs *in,
       struct sset *bridges)
{
    struct problems before = watch->problems;
    struct watched *w;

    watch->problems = (struct problems) PROBLEMS_INITIALIZER;
    HMAP_FOR_EACH (w, node, &watch->devices) {
        w->wanted = false;
    }
    for (size_t i = 0; in->enabled && i < in->desired->n_bridges; i++) {
        const struct ovs_bridge *bridge
            = ovs_view_find_bridge(in->ovs, in->desired->bridges[i].name);

        if (bridge) {
            watch_bridge(watch, in, bridge, bridges);
        }
    }
    remove_unwanted(watch);
    report_missed(watch);
    problems_log_new(&watch->problems, &before);
    problems_destroy(&before);
}

/* See plugin/watch.h. */
bool
watch_run(struct watch *watch, const struct watch_inputs *in,
          long long int now)
{
    struct sset bridges = SSET_INITIALIZER(&bridges);
    bool changed;

    watch->enabled = in->enabled;
    sweep(watch, in, now);
    update(watch, in, &bridges);
    changed = !sset_equals(&bridges, &watch->bridges);
    sset_swap(&bridges, &watch->bridges);
    sset_destroy(&bridges);
    return changed;
}

/* Returns true if watch_run() has work at 'now' though no input changed. */
bool
watch_is_due(const struct watch *watch, long long int now)
{
    return watch->enabled && now >= watch->due;
}

/* Makes poll_block() wake up when watch_is_due(). */
void
watch_wait(const struct watch *watch)
{
    if (watch->enabled) {
        poll_timer_wait_until(watch->due);
    }
}

/* See plugin/watch.h. */
bool
watch_has_bridge(const struct watch *watch, const char *name)
{
    return sset_contains(&watch->bridges, name);
}

/* See plugin/watch.h.  Conntrack takes a SYN of the other side for a part of a
 * connection within OX_OPENED_SYN_S of the VM's, and those that were sent
 * before the watch began are not known; bpf/opened.h says what becomes of
 * established ones. */
long long int
watch_settled_at(const struct watch *watch)
{
    const struct watched *w;
    long long int at = 0;

    if (!watch->enabled) {
        return LLONG_MAX;
    }
    HMAP_FOR_EACH (w, node, &watch->devices) {
        bool old = w->since <= watch->settled;

        at = MAX(at, w->since + (old ? 0 : OX_OPENED_SYN_S * 1000LL));
    }
    return at;
}

/* See plugin/watch.h. */
void
watch_settle(struct watch *watch)
{
    watch->settled = time_msec();
}

/* Returns why bridges are not watched. */
const struct problems *
watch_problems(const struct watch *watch)
{
    return &watch->problems;
}

/* Returns until when nothing to 'address' is dropped since connections of it
 * were missed, time_msec(), or 0. */
long long int
watch_missed_until(const struct watch *watch, const struct in6_addr *address)
{
    return watch->class->missed_opened(watch->dp, address);
}

/* Returns how many connections are remembered. */
size_t
watch_n_opened(const struct watch *watch)
{
    return watch->n_opened;
}
