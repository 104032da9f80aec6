/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel says what is, not what was.  So neighbours are kept, to know
 * which MAC address is no longer right, and routes, to know whether one that
 * is written anew changed.  Each event is compared with that, and what really
 * changed is kept until somebody has looked.
 *
 * A neighbour is known by its MAC alone, not by its device: it may be one of a
 * VLAN device, and the flow leaves by the NIC below.  Routes of all tables
 * count, since rules of the host may send packets to any.  What is told of
 * nexthop objects alone (only with net.ipv4.nexthop_compat_mode 0) is left to
 * the confirmation of flows.  So is all that happened before the start. */

#include <config.h>

#include "plugin/nexthops.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "netlink.h"
#include "netlink-socket.h"
#include "openvswitch/hmap.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "timeval.h"
#include "util.h"

#include "plugin/datapath.h"
#include "plugin/limits.h"
#include "plugin/nexthops-message.h"

VLOG_DEFINE_THIS_MODULE(nexthops);

/* Events taken from the socket at once: the daemon has other things to do. */
#define MAX_EVENTS 512

/* Routes that are kept.  A host has dozens; one with a table of the whole
 * Internet has a million, and for those that are not kept each event is a
 * change. */
#define MAX_ROUTES 4096

/* Changes that are kept; more of them concern everything. */
#define MAX_CHANGES 256

/* How often a list that changed while it was read is read anew. */
#define MAX_DUMPS 4

/* Prefixes have 0 to 128 bits. */
#define N_LENGTHS 129

/* All that is known. */
struct nexthops {
    bool wanted;                /* The kernel is to be followed. */
    struct nl_sock *sock;       /* Joined to all groups, or NULL. */
    long long int retry_at;     /* When to open it, in ms. */
    bool lost;                  /* Events were, so that anything may have
                                 * changed when it is open again. */
    struct hmap entries;        /* "struct entry"s: neighbours and routes. */
    size_t n_routes;            /* Routes among them. */
    struct hmap changes;        /* "struct change"s. */
    bool lengths[N_LENGTHS];    /* Lengths of prefixes among them. */
    bool all;                   /* Anything may have changed. */
};

/* A neighbour or a route. */
struct entry {
    struct hmap_node node;      /* In 'entries' of struct nexthops. */
    struct nexthops_key key;    /* Which. */
    uint64_t value;             /* As in struct nexthops_message. */
};

/* Something that changed. */
struct change {
    struct hmap_node node;      /* In 'changes' of struct nexthops. */
    struct nexthops_key key;    /* mac_key() or prefix_key(). */
};

/* Stops following the kernel, and forgets what it has told. */
static void
stop(struct nexthops *nh)
{
    struct entry *entry;

    HMAP_FOR_EACH_POP (entry, node, &nh->entries) {
        free(entry);
    }
    nh->n_routes = 0;
    nl_sock_destroy(nh->sock);
    nh->sock = NULL;
}

/* Forgets all changes. */
void
nexthops_forget(struct nexthops *nh)
{
    struct change *change;

    HMAP_FOR_EACH_POP (change, node, &nh->changes) {
        free(change);
    }
    memset(nh->lengths, 0, sizeof nh->lengths);
    nh->all = false;
}

/* Says that anything may have changed. */
static void
concern_all(struct nexthops *nh)
{
    nexthops_forget(nh);
    nh->all = true;
}

/* Returns the hash of 'key'. */
static uint32_t
hash_key(const struct nexthops_key *key)
{
    return hash_bytes(key, sizeof *key, 0);
}

/* Returns the entry 'key', or NULL. */
static struct entry *
find_entry(const struct nexthops *nh, const struct nexthops_key *key)
{
    struct entry *entry;

    HMAP_FOR_EACH_WITH_HASH (entry, node, hash_key(key), &nh->entries) {
        if (!memcmp(&entry->key, key, sizeof *key)) {
            return entry;
        }
    }
    return NULL;
}

/* Gives the entry that 'm' is about the value of 'm'. */
static void
set_entry(struct nexthops *nh, const struct nexthops_message *m)
{
    struct entry *entry = find_entry(nh, &m->key);

    if (!entry) {
        if (m->kind == NEXTHOPS_ROUTE && nh->n_routes >= MAX_ROUTES) {
            return;
        }
        nh->n_routes += m->kind == NEXTHOPS_ROUTE;
        entry = xmalloc(sizeof *entry);
        entry->key = m->key;
        hmap_insert(&nh->entries, &entry->node, hash_key(&m->key));
    }
    entry->value = m->value;
}

/* Deletes 'entry', which may be NULL. */
static void
delete_entry(struct nexthops *nh, struct entry *entry)
{
    if (entry) {
        nh->n_routes -= entry->key.kind == NEXTHOPS_ROUTE;
        hmap_remove(&nh->entries, &entry->node);
        free(entry);
    }
}

/* Returns the key of a change of neighbours with MAC address 'mac'. */
static struct nexthops_key
mac_key(struct eth_addr mac)
{
    struct nexthops_key key;

    memset(&key, 0, sizeof key);
    key.kind = NEXTHOPS_NEIGHBOUR;
    memcpy(&key.addr, &mac, sizeof mac);
    return key;
}

/* Returns the key of a change of routes to the prefix of 'addr' that is 'len'
 * bits long. */
static struct nexthops_key
prefix_key(const struct in6_addr *addr, uint8_t len)
{
    struct in6_addr mask = ipv6_create_mask(len);
    struct nexthops_key key;

    memset(&key, 0, sizeof key);
    key.kind = NEXTHOPS_ROUTE;
    key.addr = ipv6_addr_bitand(addr, &mask);
    key.len = len;
    return key;
}

/* Returns true if 'key' changed. */
static bool
has_changed(const struct nexthops *nh, const struct nexthops_key *key)
{
    const struct change *change;

    HMAP_FOR_EACH_WITH_HASH (change, node, hash_key(key), &nh->changes) {
        if (!memcmp(&change->key, key, sizeof *key)) {
            return true;
        }
    }
    return false;
}

/* Adds 'key' to what changed. */
static void
add_change(struct nexthops *nh, const struct nexthops_key *key)
{
    if (nh->all || has_changed(nh, key)) {
        return;
    }
    if (hmap_count(&nh->changes) >= MAX_CHANGES) {
        concern_all(nh);
    } else {
        struct change *change = xmalloc(sizeof *change);

        change->key = *key;
        hmap_insert(&nh->changes, &change->node, hash_key(key));
        if (key->kind == NEXTHOPS_ROUTE) {
            nh->lengths[key->len] = true;
        }
    }
}

/* Takes over 'm', an event about a neighbour.  One that was not known before
 * is in no flow. */
static void
handle_neighbour(struct nexthops *nh, const struct nexthops_message *m)
{
    struct entry *entry = find_entry(nh, &m->key);

    if (entry && (m->gone || entry->value != m->value)) {
        struct nexthops_key key;
        struct eth_addr mac;

        eth_addr_from_uint64(entry->value, &mac);
        key = mac_key(mac);
        add_change(nh, &key);
    }
    if (m->gone) {
        delete_entry(nh, entry);
    } else {
        set_entry(nh, m);
    }
}

/* Takes over 'm', an event about a route. */
static void
handle_route(struct nexthops *nh, const struct nexthops_message *m)
{
    struct entry *entry = find_entry(nh, &m->key);

    if (m->gone || !entry || entry->value != m->value) {
        struct nexthops_key key = prefix_key(&m->key.addr, m->key.len);

        add_change(nh, &key);
    }
    if (m->gone) {
        delete_entry(nh, entry);
    } else {
        set_entry(nh, m);
    }
}

/* Takes over 'message', an event. */
static void
handle_message(struct nexthops *nh, const struct ofpbuf *message)
{
    struct nexthops_message m;

    nexthops_message_parse(message, &m);
    switch (m.kind) {
    case NEXTHOPS_NEIGHBOUR:
        handle_neighbour(nh, &m);
        break;
    case NEXTHOPS_ROUTE:
        handle_route(nh, &m);
        break;
    case NEXTHOPS_RULE:
        concern_all(nh);
        break;
    case NEXTHOPS_OTHER:
    default:
        break;
    }
}

/* Takes over 'buffer', a part of a list; sets '*torn' if the list changed
 * while it was read.  Returns 0, EOF at the end of the list, or as soon as
 * there is no more room for routes, or a positive errno. */
static int
read_part(struct nexthops *nh, struct ofpbuf *buffer, bool *torn)
{
    const struct nlmsghdr *header;
    struct ofpbuf message;

    while ((header = nl_msg_next(buffer, &message)) != NULL) {
        struct nexthops_message m;
        int error;

        *torn |= (header->nlmsg_flags & NLM_F_DUMP_INTR) != 0;
        if (header->nlmsg_type == NLMSG_DONE) {
            return EOF;
        } else if (nl_msg_nlmsgerr(&message, &error, NULL)) {
            return error ? error : EPROTO;
        }
        nexthops_message_parse(&message, &m);
        if (m.kind == NEXTHOPS_ROUTE && nh->n_routes >= MAX_ROUTES) {
            return EOF;
        } else if (!m.gone && (m.kind == NEXTHOPS_NEIGHBOUR
                               || m.kind == NEXTHOPS_ROUTE)) {
            set_entry(nh, &m);
        }
    }
    return 0;
}

/* Reads the list that a request of 'type' with a header of 'header_len' zeros
 * asks for.  Returns 0 or a positive errno.  EINTR: the list changed meanwhile
 * and may lack some.  Has a socket of its own, so that the kernel stops when
 * nobody reads on: OVS's own dumps always go to the end. */
static int
read_list(struct nexthops *nh, uint16_t type, size_t header_len)
{
    struct ofpbuf request, buffer;
    struct nl_sock *sock;
    bool torn = false;
    int error;

    error = nl_sock_create(NETLINK_ROUTE, &sock);
    if (error) {
        return error;
    }
    ofpbuf_init(&request, 0);
    nl_msg_put_nlmsghdr(&request, header_len, type,
                        NLM_F_REQUEST | NLM_F_DUMP);
    ofpbuf_put_zeros(&request, header_len);
    error = nl_sock_send(sock, &request, true);
    ofpbuf_uninit(&request);

    ofpbuf_init(&buffer, NL_DUMP_BUFSIZE);
    while (!error) {
        error = nl_sock_recv(sock, &buffer, NULL, true);
        if (!error) {
            error = read_part(nh, &buffer, &torn);
        }
    }
    ofpbuf_uninit(&buffer);
    nl_sock_destroy(sock);
    return error != EOF ? error : torn ? EINTR : 0;
}

/* Reads a list as read_list(), anew if it changed meanwhile.  In the end what
 * it may lack counts less than the time. */
static int
read_whole_list(struct nexthops *nh, uint16_t type, size_t header_len)
{
    for (int i = 0; i < MAX_DUMPS; i++) {
        int error = read_list(nh, type, header_len);

        if (error != EINTR) {
            return error;
        }
    }
    return 0;
}

/* Opens the socket of 'nh' and joins the groups.  Returns 0 or a positive
 * errno. */
static int
open_socket(struct nexthops *nh)
{
    static const unsigned int groups[] = {
        RTNLGRP_NEIGH, RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE,
        RTNLGRP_IPV4_RULE, RTNLGRP_IPV6_RULE,
    };
    int error = nl_sock_create(NETLINK_ROUTE, &nh->sock);

    for (size_t i = 0; !error && i < ARRAY_SIZE(groups); i++) {
        error = nl_sock_join_mcgroup(nh->sock, groups[i]);
    }
    return error;
}

/* Stores in '*nhp' what follows the kernel when it is wanted, in the network
 * namespace of the process.  Returns 0, or a positive errno and stores NULL if
 * the kernel does not let it. */
int
nexthops_create(struct nexthops **nhp)
{
    struct nexthops *nh = xzalloc(sizeof *nh);
    int error;

    hmap_init(&nh->entries);
    hmap_init(&nh->changes);

    /* Only to see whether it can be: nobody wants it yet. */
    error = open_socket(nh);
    stop(nh);
    if (error) {
        nexthops_destroy(nh);
        nh = NULL;
    }
    *nhp = nh;
    return error;
}

/* Frees 'nh', which may be NULL. */
void
nexthops_destroy(struct nexthops *nh)
{
    if (nh) {
        stop(nh);
        nexthops_forget(nh);
        hmap_destroy(&nh->entries);
        hmap_destroy(&nh->changes);
        free(nh);
    }
}

/* Stops following the kernel since events were lost: anything may have
 * changed, now and in the time until it is followed again. */
static void
lose(struct nexthops *nh)
{
    stop(nh);
    concern_all(nh);
    nh->lost = true;
}

/* Begins to follow the kernel. */
static void
start(struct nexthops *nh)
{
    int error = open_socket(nh);

    if (!error) {
        error = read_whole_list(nh, RTM_GETNEIGH, sizeof(struct ndmsg));
    }
    if (!error) {
        error = read_whole_list(nh, RTM_GETROUTE, sizeof(struct rtmsg));
    }
    nh->retry_at = time_msec() + RETRY_MIN_MS;
    if (error) {
        static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 5);

        VLOG_WARN_RL(&rl, "cannot follow neighbours and routes: %s",
                     ovs_strerror(error));
        lose(nh);
    } else if (nh->lost) {
        concern_all(nh);
        nh->lost = false;
    }
}

/* Takes over the events that wait in the socket, and closes it if some were
 * lost. */
static void
receive(struct nexthops *nh)
{
    for (int n = 0; n < MAX_EVENTS; n++) {
        uint64_t stub[8192 / sizeof(uint64_t)];
        struct ofpbuf message;
        int error;

        ofpbuf_use_stub(&message, stub, sizeof stub);
        error = nl_sock_recv(nh->sock, &message, NULL, false);
        if (!error) {
            handle_message(nh, &message);
        }
        ofpbuf_uninit(&message);
        if (error == EAGAIN) {
            return;
        } else if (error) {
            static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 5);

            VLOG_INFO_RL(&rl, "lost events (%s), reading all neighbours and "
                         "routes", ovs_strerror(error));
            lose(nh);
            return;
        }
    }
}

/* Follows the kernel, if 'wanted'.  Returns true if something changed, since
 * the last nexthops_forget(), that may concern flows. */
bool
nexthops_run(struct nexthops *nh, bool wanted)
{
    nh->wanted = wanted;
    if (!wanted) {
        stop(nh);
        nexthops_forget(nh);
        nh->lost = false;
        nh->retry_at = 0;
        return false;
    }
    if (nh->sock) {
        receive(nh);
    }
    if (!nh->sock && time_msec() >= nh->retry_at) {
        start(nh);
    }
    return nh->all || !hmap_is_empty(&nh->changes);
}

/* Makes poll_block() wake up when nexthops_run() has something to do. */
void
nexthops_wait(const struct nexthops *nh)
{
    if (nh->sock) {
        nl_sock_wait(nh->sock, POLLIN);
    } else if (nh->wanted) {
        poll_timer_wait_until(nh->retry_at);
    }
}

/* Returns true if 'flow', of the way out by a routed NIC, may go another way
 * since what changed after the last nexthops_forget(). */
bool
nexthops_concerns(const struct nexthops *nh, const struct dp_flow *flow)
{
    const struct in6_addr *dst = &flow->key.dst;
    struct nexthops_key key = mac_key(flow->dmac);

    if (nh->all || has_changed(nh, &key)) {
        return true;
    }

    /* Shorter ones are prefixes of IPv6. */
    for (int len = IN6_IS_ADDR_V4MAPPED(dst) ? 96 : 0; len < N_LENGTHS;
         len++) {
        if (nh->lengths[len]) {
            key = prefix_key(dst, len);
            if (has_changed(nh, &key)) {
                return true;
            }
        }
    }
    return false;
}
