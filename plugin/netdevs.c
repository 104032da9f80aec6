/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel's network devices as plain values.
 *
 * Three sockets are followed: rtnetlink's for the devices and for their
 * qdiscs, and that of the 'netdev' generic-netlink family for what they can do
 * with XDP.  An event touches one device (and the other end of a veth pair).
 * Where the kernel had to drop events, everything is read anew: first all
 * sockets are emptied, since an old event must not overwrite what is read
 * later.  The group of the qdiscs tells of every filter, too, and has no
 * smaller one in it: whoever adds very many filters at once has that socket
 * overrun, and all devices read anew, which costs time but is right.
 *
 * Each socket tells of a device in order, so what is read between two events
 * (the name used for ethtool, the features of a new device) may be newer
 * than the event at hand but is always set right by the last one.  Only the
 * qdisc that frames wait in changes without an event of the device: where an
 * event tells of another one than is known, the device is read. */
#include <config.h>

#include "plugin/netdevs.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <poll.h>

#include "hash.h"
#include "netlink.h"
#include "netlink-socket.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "timeval.h"
#include "util.h"

#include "plugin/limits.h"
#include "plugin/netdevs-ethtool.h"
#include "plugin/netdevs-link.h"
#include "plugin/netdevs-qdisc.h"
#include "plugin/netdevs-xdp.h"

VLOG_DEFINE_THIS_MODULE(netdevs);

/* Events taken from a socket at once: the daemon has other things to do. */
#define MAX_EVENTS 512

/* How often a list of devices that changed while it was read is read anew
 * at once. */
#define MAX_DUMPS 4

/* All that is known. */
struct netdevs {
    struct hmap by_name;        /* "struct netdev_info"s, by 'name'. */
    struct hmap by_index;       /* "struct device"s, by 'ifindex'. */
    struct nl_sock *link_sock;  /* Joined to RTNLGRP_LINK. */
    struct nl_sock *xdp_sock;   /* Joined to the family's group, or NULL. */
    struct nl_sock *qdisc_sock; /* Joined to RTNLGRP_TC. */
    int family;                 /* The 'netdev' family's number, or 0. */
    bool changed;               /* Since netdevs_run() began. */
    bool stale;                 /* Events were lost: read everything. */
    long long int retry_at;     /* When to try that again, in ms. */
};

/* A device. */
struct device {
    struct netdev_info info;    /* The part that others see. */
    struct hmap_node index_node; /* In 'by_index' of struct netdevs. */
    bool seen;                  /* Found by the dump that is under way. */
    bool polices;               /* The same of a qdisc that polices it. */
};

/* Returns the device that 'info' is a part of. */
static struct device *
device_cast(const struct netdev_info *info)
{
    return CONTAINER_OF(info, struct device, info);
}

/* Returns the device of 'nd' with index 'ifindex', or NULL. */
static struct device *
find_device(const struct netdevs *nd, int ifindex)
{
    struct device *dev;

    HMAP_FOR_EACH_WITH_HASH (dev, index_node, hash_int(ifindex, 0),
                             &nd->by_index) {
        if (dev->info.ifindex == ifindex) {
            return dev;
        }
    }
    return NULL;
}

/* Returns true if 'a' and 'b' tell the same of a device. */
static bool
info_equals(const struct netdev_info *a, const struct netdev_info *b)
{
    return (a->ifindex == b->ifindex
            && !strcmp(a->name, b->name)
            && a->ethernet == b->ethernet
            && eth_addr_equals(a->mac, b->mac)
            && a->mtu == b->mtu
            && a->up == b->up
            && a->running == b->running
            && a->master == b->master
            && a->peer == b->peer
            && !strcmp(a->kind, b->kind)
            && a->xdp_program_id == b->xdp_program_id
            && !strcmp(a->qdisc, b->qdisc)
            && a->policed == b->policed
            && a->native == b->native
            && a->ndo_xmit == b->ndo_xmit
            && a->ndo_xmit_sg == b->ndo_xmit_sg
            && a->strips_vlan == b->strips_vlan
            && a->tag_hint == b->tag_hint);
}

/* Copies 'xdp' into 'info'. */
static void
set_xdp(struct netdev_info *info, const struct netdevs_xdp *xdp)
{
    info->native = xdp->native;
    info->ndo_xmit = xdp->ndo_xmit;
    info->ndo_xmit_sg = xdp->ndo_xmit_sg;
    info->tag_hint = xdp->tag_hint;
}

/* Returns true if 'info' is one end of a veth pair. */
static bool
is_veth(const struct netdev_info *info)
{
    return !strcmp(info->kind, "veth");
}

/* Returns the other end of the veth device 'info' if it is in 'nd' and
 * knows 'info' as its own other end, otherwise NULL. */
static struct device *
find_peer(const struct netdevs *nd, const struct netdev_info *info)
{
    struct device *peer = (is_veth(info) && info->peer
                           ? find_device(nd, info->peer) : NULL);

    return (peer && is_veth(&peer->info) && peer->info.peer == info->ifindex
            ? peer : NULL);
}

/* Takes 'dev' out of 'nd' and frees it. */
static void
remove_device(struct netdevs *nd, struct device *dev)
{
    struct device *peer = find_peer(nd, &dev->info);

    /* It went with its pair, or to another namespace; either way its index
     * means nothing here any more. */
    if (peer) {
        peer->info.peer = 0;
    }
    hmap_remove(&nd->by_name, &dev->info.node);
    hmap_remove(&nd->by_index, &dev->index_node);
    free(dev);
    nd->changed = true;
}

/* Puts 'dev', which is not in 'by_name' of 'nd', there under its name.  Who
 * had that name before was renamed or deleted, and the event that says so
 * brings it back if need be. */
static void
insert_name(struct netdevs *nd, struct device *dev)
{
    const struct netdev_info *holder = netdevs_find(nd, dev->info.name);

    if (holder) {
        remove_device(nd, device_cast(holder));
    }
    hmap_insert(&nd->by_name, &dev->info.node,
                hash_string(dev->info.name, 0));
}

/* Returns a new device of 'nd' with the index and name of 'link' and nothing
 * else. */
static struct device *
add_device(struct netdevs *nd, const struct netdev_info *link)
{
    struct device *dev = xzalloc(sizeof *dev);

    dev->info.ifindex = link->ifindex;
    ovs_strlcpy(dev->info.name, link->name, sizeof dev->info.name);
    insert_name(nd, dev);
    hmap_insert(&nd->by_index, &dev->index_node, hash_int(link->ifindex, 0));
    nd->changed = true;
    return dev;
}

/* Makes 'next' what is known of 'dev'. */
static void
set_info(struct netdevs *nd, struct device *dev, struct netdev_info *next)
{
    bool renamed = strcmp(dev->info.name, next->name);

    if (info_equals(&dev->info, next)) {
        return;
    }
    if (renamed) {
        hmap_remove(&nd->by_name, &dev->info.node);
    }
    next->node = dev->info.node;
    dev->info = *next;
    if (renamed) {
        insert_name(nd, dev);
    }
    nd->changed = true;
}

/* Guesses anew what 'dev' can do. */
static void
guess_xdp(struct netdevs *nd, struct device *dev)
{
    const struct device *peer = find_peer(nd, &dev->info);
    struct netdev_info next = dev->info;
    struct netdevs_xdp xdp;

    netdevs_xdp_guess(&next, peer ? &peer->info : NULL, &xdp);
    set_xdp(&next, &xdp);
    set_info(nd, dev, &next);
}

/* Tells the other end of the veth device 'dev' what follows for it: the end
 * that is made first learns of no event when the second one is there. */
static void
update_peer(struct netdevs *nd, struct device *dev)
{
    struct device *peer = (is_veth(&dev->info) && dev->info.peer
                           ? find_device(nd, dev->info.peer) : NULL);

    if (!peer || !is_veth(&peer->info)) {
        return;
    }
    if (peer->info.peer != dev->info.ifindex) {
        peer->info.peer = dev->info.ifindex;
        nd->changed = true;
    }
    if (!nd->family) {
        guess_xdp(nd, dev);
        guess_xdp(nd, peer);
    }
}

/* Takes over 'link', what rtnetlink says of a device.  With 'reread', events
 * of the 'netdev' family may have been lost. */
static void
update_device(struct netdevs *nd, const struct netdev_info *link, bool reread)
{
    struct device *dev = find_device(nd, link->ifindex);
    struct netdev_info next = *link;
    struct netdevs_xdp xdp;

    if (!dev) {
        dev = add_device(nd, link);
        reread = true;
    }
    dev->seen = true;
    next.policed = dev->info.policed;
    next.strips_vlan = (link->ethernet
                        && netdevs_ethtool_strips_vlan(link->name));
    if (!nd->family) {
        const struct device *peer = find_peer(nd, &next);

        netdevs_xdp_guess(&next, peer ? &peer->info : NULL, &xdp);
    } else if (reread) {
        /* An error means that the device is gone again. */
        netdevs_xdp_get(nd->family, link->ifindex, &xdp);
    } else {
        xdp.native = dev->info.native;
        xdp.ndo_xmit = dev->info.ndo_xmit;
        xdp.ndo_xmit_sg = dev->info.ndo_xmit_sg;
        xdp.tag_hint = dev->info.tag_hint;
    }
    set_xdp(&next, &xdp);
    set_info(nd, dev, &next);
    update_peer(nd, dev);
}

/* Asks rtnetlink for the device 'name' or, with NULL, for the device
 * 'ifindex', and takes over the answer. */
static void
reread_device(struct netdevs *nd, const char *name, int ifindex)
{
    struct ofpbuf *reply;

    if (!netdevs_link_get(name, ifindex, &reply)) {
        struct netdev_info link;

        if (netdevs_link_parse(reply, &link) == NETDEVS_LINK_NEW) {
            update_device(nd, &link, true);
        }
        ofpbuf_delete(reply);
    }
}

/* Takes over 'link', of an event.  It may have waited since before the qdisc
 * changed, of which no later event of the device tells. */
static void
handle_new_link(struct netdevs *nd, const struct netdev_info *link)
{
    const struct device *dev = find_device(nd, link->ifindex);
    bool doubtful = dev && strcmp(dev->info.qdisc, link->qdisc);

    update_device(nd, link, false);
    if (doubtful) {
        reread_device(nd, NULL, link->ifindex);
    }
}

/* Takes over 'message', an event of rtnetlink. */
static void
handle_link(struct netdevs *nd, const struct ofpbuf *message)
{
    struct netdev_info link;
    struct device *dev;

    switch (netdevs_link_parse(message, &link)) {
    case NETDEVS_LINK_NEW:
        handle_new_link(nd, &link);
        break;
    case NETDEVS_LINK_GONE:
        dev = find_device(nd, link.ifindex);
        if (dev) {
            remove_device(nd, dev);
        }
        break;
    case NETDEVS_LINK_OTHER:
    default:
        break;
    }
}

/* Takes over 'message', an event of the 'netdev' family.
 *
 * It may be the only sign of a program that was attached or detached as a
 * BPF link, of which rtnetlink says nothing: for many drivers, and for the
 * other end of a veth pair, that changes what the device can do. */
static void
handle_xdp(struct netdevs *nd, const struct ofpbuf *message)
{
    struct netdevs_xdp xdp;
    struct device *dev;
    int ifindex;

    if (!netdevs_xdp_parse(message, nd->family, &ifindex, &xdp)) {
        return;
    }

    /* A device that rtnetlink has not announced yet is read when it is. */
    dev = find_device(nd, ifindex);
    if (dev) {
        int peer = is_veth(&dev->info) ? dev->info.peer : 0;

        reread_device(nd, NULL, ifindex);
        if (peer) {
            reread_device(nd, NULL, peer);
        }
    }
}

/* Makes 'policed' what is known of 'dev'. */
static void
set_policed(struct netdevs *nd, struct device *dev, bool policed)
{
    if (dev->info.policed != policed) {
        dev->info.policed = policed;
        nd->changed = true;
    }
}

/* Takes over 'message', an event of a qdisc.  Of the one that frames wait in
 * rtnetlink tells nothing as an event of the device; and the event of a new
 * device may not have been taken over yet, while there is only this one of a
 * qdisc that polices it. */
static void
handle_qdisc(struct netdevs *nd, const struct ofpbuf *message)
{
    struct netdevs_qdisc qdisc;
    struct device *dev;

    if (!netdevs_qdisc_parse(message, &qdisc)) {
        return;
    }
    if (!qdisc.polices || !find_device(nd, qdisc.ifindex)) {
        reread_device(nd, NULL, qdisc.ifindex);
    }
    dev = find_device(nd, qdisc.ifindex);
    if (dev && qdisc.polices) {
        set_policed(nd, dev, qdisc.there);
    }
}

/* Reads the events that wait in 'sock' and passes them to 'handle', unless
 * events were lost: then all are thrown away. */
static void
receive(struct netdevs *nd, struct nl_sock *sock,
        void (*handle)(struct netdevs *, const struct ofpbuf *))
{
    static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 5);

    for (int n = 0; sock && (n < MAX_EVENTS || nd->stale); n++) {
        uint64_t stub[8192 / sizeof(uint64_t)];
        struct ofpbuf message;
        int error;

        ofpbuf_use_stub(&message, stub, sizeof stub);
        error = nl_sock_recv(sock, &message, NULL, false);
        if (!error && !nd->stale) {
            handle(nd, &message);
        }
        ofpbuf_uninit(&message);
        if (error == EAGAIN) {
            return;
        } else if (error) {
            VLOG_INFO_RL(&rl, "lost events (%s), reading all devices",
                         ovs_strerror(error));
            nd->stale = true;
            if (error != ENOBUFS) {
                return;
            }
        }
    }
}

/* Takes over 'message', a part of a dump of links. */
static void
handle_link_part(struct netdevs *nd, const struct ofpbuf *message)
{
    struct netdev_info link;

    if (netdevs_link_parse(message, &link) == NETDEVS_LINK_NEW) {
        update_device(nd, &link, true);
    }
}

/* Asks for a dump by what 'put' composes, and passes each part of it to
 * 'handle'.  Returns 0 or a positive errno.  EINTR: what is listed changed
 * meanwhile, and some may be missing. */
static int
dump(struct netdevs *nd, void (*put)(struct ofpbuf *),
     void (*handle)(struct netdevs *, const struct ofpbuf *))
{
    uint64_t stub[NL_DUMP_BUFSIZE / sizeof(uint64_t)];
    struct ofpbuf request, message, buffer;
    struct nl_dump state;
    bool torn = false;
    int error;

    ofpbuf_init(&request, 0);
    put(&request);
    nl_dump_start(&state, NETLINK_ROUTE, &request);
    ofpbuf_uninit(&request);

    ofpbuf_use_stub(&buffer, stub, sizeof stub);
    while (nl_dump_next(&state, &message, &buffer)) {
        torn |= (nl_msg_nlmsghdr(&message)->nlmsg_flags
                 & NLM_F_DUMP_INTR) != 0;
        handle(nd, &message);
    }
    ofpbuf_uninit(&buffer);
    error = nl_dump_done(&state);
    return error ? error : torn ? EINTR : 0;
}

/* Takes over 'message', a part of a dump of qdiscs, as a mark. */
static void
handle_qdisc_part(struct netdevs *nd, const struct ofpbuf *message)
{
    struct netdevs_qdisc qdisc;
    struct device *dev;

    if (netdevs_qdisc_parse(message, &qdisc) && qdisc.polices) {
        dev = find_device(nd, qdisc.ifindex);
        if (dev) {
            dev->polices = true;
        }
    }
}

/* Reads all devices, and what polices them: that holds only once all of it is
 * read, as what is policed must not seem free meanwhile.  Returns 0 or a
 * positive errno, as dump(). */
static int
dump_all(struct netdevs *nd)
{
    struct device *dev;
    int error;

    error = dump(nd, netdevs_link_put_dump, handle_link_part);
    if (error) {
        return error;
    }
    HMAP_FOR_EACH (dev, index_node, &nd->by_index) {
        dev->polices = false;
    }
    error = dump(nd, netdevs_qdisc_put_dump, handle_qdisc_part);
    if (error) {
        return error;
    }
    HMAP_FOR_EACH (dev, index_node, &nd->by_index) {
        set_policed(nd, dev, dev->polices);
    }
    return 0;
}

/* Reads all devices, and forgets those that are not there any more. */
static int
resync(struct netdevs *nd)
{
    struct device *dev;
    int error;

    receive(nd, nd->link_sock, handle_link);
    receive(nd, nd->xdp_sock, handle_xdp);
    receive(nd, nd->qdisc_sock, handle_qdisc);

    HMAP_FOR_EACH (dev, index_node, &nd->by_index) {
        dev->seen = false;
    }
    for (int i = 0; i < MAX_DUMPS; i++) {
        error = dump_all(nd);
        if (error != EINTR) {
            break;
        }
    }
    if (error) {
        return error;
    }

    HMAP_FOR_EACH_SAFE (dev, index_node, &nd->by_index) {
        if (!dev->seen) {
            remove_device(nd, dev);
        }
    }
    nd->stale = false;
    return 0;
}

/* Opens the sockets of 'nd', that of the 'netdev' family only with
 * 'use_family'.  Returns 0 or a positive errno. */
static int
open_sockets(struct netdevs *nd, bool use_family)
{
    unsigned int group;
    int error;

    error = nl_sock_create(NETLINK_ROUTE, &nd->link_sock);
    if (!error) {
        error = nl_sock_join_mcgroup(nd->link_sock, RTNLGRP_LINK);
    }
    if (!error) {
        error = nl_sock_create(NETLINK_ROUTE, &nd->qdisc_sock);
    }
    if (!error) {
        error = nl_sock_join_mcgroup(nd->qdisc_sock, RTNLGRP_TC);
    }
    if (error || !use_family) {
        return error;
    }
    if (netdevs_xdp_family(&nd->family, &group)) {
        VLOG_INFO("the kernel does not tell XDP features, "
                  "guessing them from drivers");
        return 0;
    }
    error = nl_sock_create(NETLINK_GENERIC, &nd->xdp_sock);
    return error ? error : nl_sock_join_mcgroup(nd->xdp_sock, group);
}

/* Stores in '*ndp' all devices of the network namespace of the process and
 * begins to follow them.  Uses the kernel's 'netdev' family only with
 * 'use_family'.  Returns 0, or a positive errno and stores NULL. */
static int
create(bool use_family, struct netdevs **ndp)
{
    struct netdevs *nd = xzalloc(sizeof *nd);
    int error;

    hmap_init(&nd->by_name);
    hmap_init(&nd->by_index);
    nd->stale = true;
    error = open_sockets(nd, use_family);
    if (!error) {
        error = resync(nd);
        if (error == EINTR) {
            error = 0;          /* netdevs_run() tries again. */
        }
    }
    if (error) {
        netdevs_destroy(nd);
        nd = NULL;
    }
    *ndp = nd;
    return error;
}

/* Stores in '*ndp' all devices of the network namespace of the process and
 * begins to follow them.  Returns 0, or a positive errno and stores NULL. */
int
netdevs_create(struct netdevs **ndp)
{
    return create(true, ndp);
}

/* Like netdevs_create(), but as on a kernel before 6.3, which does not tell
 * what devices can do with XDP. */
int
netdevs_create_without_family(struct netdevs **ndp)
{
    return create(false, ndp);
}

/* Frees 'nd', which may be NULL. */
void
netdevs_destroy(struct netdevs *nd)
{
    struct device *dev;

    if (!nd) {
        return;
    }
    HMAP_FOR_EACH_SAFE (dev, index_node, &nd->by_index) {
        remove_device(nd, dev);
    }
    hmap_destroy(&nd->by_name);
    hmap_destroy(&nd->by_index);
    nl_sock_destroy(nd->link_sock);
    nl_sock_destroy(nd->xdp_sock);
    nl_sock_destroy(nd->qdisc_sock);
    free(nd);
}

/* Takes over what changed.  Returns true if anything did; pointers to devices
 * got before are void then. */
bool
netdevs_run(struct netdevs *nd)
{
    nd->changed = false;
    receive(nd, nd->link_sock, handle_link);
    receive(nd, nd->xdp_sock, handle_xdp);
    receive(nd, nd->qdisc_sock, handle_qdisc);
    if (nd->stale && time_msec() >= nd->retry_at) {
        int error = resync(nd);

        if (error) {
            static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 5);

            VLOG_WARN_RL(&rl, "cannot read all devices: %s",
                         ovs_strerror(error));
            nd->retry_at = time_msec() + RETRY_MIN_MS;
        }
    }
    return nd->changed;
}

/* Reads the device 'name' anew, after all that waits to be taken over.  For
 * what the kernel tells nobody: a program that somebody attached or detached
 * as a BPF link.  Returns true if anything changed, as netdevs_run(). */
bool
netdevs_refresh(struct netdevs *nd, const char *name)
{
    bool changed = netdevs_run(nd);

    reread_device(nd, name, 0);
    return changed || nd->changed;
}

/* Makes poll_block() wake up when netdevs_run() has something to do. */
void
netdevs_wait(struct netdevs *nd)
{
    nl_sock_wait(nd->link_sock, POLLIN);
    nl_sock_wait(nd->qdisc_sock, POLLIN);
    if (nd->xdp_sock) {
        nl_sock_wait(nd->xdp_sock, POLLIN);
    }
    if (nd->stale) {
        poll_timer_wait_until(nd->retry_at);
    }
}

/* Returns the device called 'name' in 'devices', which netdevs_all() or a test
 * made, or NULL. */
const struct netdev_info *
netdevs_find_in(const struct hmap *devices, const char *name)
{
    const struct netdev_info *info;

    HMAP_FOR_EACH_WITH_HASH (info, node, hash_string(name, 0), devices) {
        if (!strcmp(info->name, name)) {
            return info;
        }
    }
    return NULL;
}

/* Returns the device 'name' of 'nd', or NULL; valid until netdevs_run() says
 * that something changed. */
const struct netdev_info *
netdevs_find(const struct netdevs *nd, const char *name)
{
    return netdevs_find_in(&nd->by_name, name);
}

/* Returns the device of 'nd' with index 'ifindex', or NULL; valid as that of
 * netdevs_find(). */
const struct netdev_info *
netdevs_find_index(const struct netdevs *nd, int ifindex)
{
    const struct device *dev = find_device(nd, ifindex);

    return dev ? &dev->info : NULL;
}

/* Returns all devices of 'nd', "struct netdev_info"s by 'node'. */
const struct hmap *
netdevs_all(const struct netdevs *nd)
{
    return &nd->by_name;
}

/* Returns true if the kernel tells 'nd' what each device can do with XDP. */
bool
netdevs_has_family(const struct netdevs *nd)
{
    return nd->family != 0;
}

/* Asks now what is not kept of the device 'info' of 'nd', into
 * '*abilities'. */
void
netdevs_probe(const struct netdevs *nd, const struct netdev_info *info,
              struct netdevs_abilities *abilities)
{
    struct netdevs_xdp xdp = { .native = false };

    memset(abilities, 0, sizeof *abilities);
    netdevs_ethtool_driver(info->name, abilities->driver,
                           sizeof abilities->driver);
    abilities->guessed = !nd->family;
    if (nd->family) {
        netdevs_xdp_get(nd->family, info->ifindex, &xdp);
    }
    abilities->rx_sg = xdp.rx_sg;
}
