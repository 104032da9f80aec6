/* SPDX-License-Identifier: Apache-2.0 */
/* Keeps OVS from sending anything to a managed port.
 *
 * NO_FWD is what does it: ovs-vswitchd checks it for every output to a port,
 * whether an action names the port, floods, or is NORMAL.  NO_FLOOD, which
 * only OpenFlow 1.0 can set, saves NORMAL the attempt.
 *
 * ovs-vswitchd takes a connection to the management socket for one of an
 * administrator, who gets no asynchronous messages before he asks for them by
 * a nonzero miss_send_len.  That is set by a message which also carries the
 * bridge's handling of fragments, so the latter is read first.  Before
 * OpenFlow 1.3, a connection with controller ID 0 would also make the bridge
 * send table misses to controllers, hence another ID. */
#include <config.h>

#include "plugin/port-guard.h"

#include "openflow/nicira-ext.h"
#include "openvswitch/ofp-connection.h"
#include "openvswitch/ofp-errors.h"
#include "openvswitch/ofp-msgs.h"
#include "openvswitch/ofp-port.h"
#include "openvswitch/ofp-switch.h"
#include "openvswitch/ofp-util.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/rconn.h"
#include "openvswitch/vlog.h"
#include "socket-util.h"
#include "timeval.h"
#include "util.h"

#include "plugin/paths.h"

VLOG_DEFINE_THIS_MODULE(port_guard);

/* Longest wait between attempts to connect, in seconds. */
#define MAX_BACKOFF 2

/* Wait before a port that did not take the change is asked again, in ms. */
#define RECHECK_MS 1000

/* Messages handled at once. */
#define MAX_MESSAGES 50

/* Identifies the connection; anything but 0. */
#define CONTROLLER_ID UINT16_MAX

/* A guard. */
struct port_guard {
    char *port;                 /* Name of the port. */
    struct rconn *rconn;        /* To the bridge's management socket. */
    unsigned int seqno;         /* Of the connection that was set up. */
    bool listed;                /* In the part of the list received so far. */
    bool asked;                 /* A change was sent and not confirmed yet. */
    bool settled;               /* The port is there and guarded. */
    long long int recheck_at;   /* When to ask again, in ms; LLONG_MAX. */
};

/* Returns a new guard of the port 'port' of the bridge 'bridge'. */
struct port_guard *
port_guard_create(const char *bridge, const char *port)
{
    struct port_guard *guard = xzalloc(sizeof *guard);
    char *target = xasprintf("unix:%s/%s.mgmt", ovs_vswitchd_rundir(),
                             bridge);

    guard->port = xstrdup(port);
    guard->recheck_at = LLONG_MAX;

    /* A unix socket needs no probes: the kernel tells when it closes. */
    guard->rconn = rconn_create(0, MAX_BACKOFF, DSCP_DEFAULT, 0);
    rconn_connect(guard->rconn, target, target);
    free(target);
    return guard;
}

/* Frees 'guard', which may be NULL.  The port stays as it is. */
void
port_guard_destroy(struct port_guard *guard)
{
    if (guard) {
        rconn_destroy(guard->rconn);
        free(guard->port);
        free(guard);
    }
}

/* Sends 'message', which is taken over.  If the connection is lost, all is
 * begun anew, so there is nothing to do about an error. */
static void
send_message(struct port_guard *guard, struct ofpbuf *message)
{
    rconn_send(guard->rconn, message, NULL);
}

/* Returns the OpenFlow version of the connection. */
static enum ofp_version
get_version(const struct port_guard *guard)
{
    return rconn_get_version(guard->rconn);
}

/* Asks for the list of ports. */
static void
request_ports(struct port_guard *guard)
{
    guard->recheck_at = LLONG_MAX;
    send_message(guard, ofputil_encode_port_desc_stats_request(
                     get_version(guard), OFPP_ANY));
}

/* Begins a new connection: no packets, only what happens to ports. */
static void
set_up(struct port_guard *guard)
{
    const uint32_t types = (1u << OAM_PACKET_IN) | (1u << OAM_PORT_STATUS)
                           | (1u << OAM_FLOW_REMOVED);
    const uint32_t reasons = (1u << OFPPR_ADD) | (1u << OFPPR_DELETE)
                             | (1u << OFPPR_MODIFY);
    enum ofp_version version = get_version(guard);
    struct ofputil_async_cfg async = OFPUTIL_ASYNC_CFG_INIT;

    guard->listed = false;
    guard->asked = false;
    guard->settled = false;
    guard->recheck_at = LLONG_MAX;
    if (version < OFP13_VERSION) {
        struct nx_controller_id *id;
        struct ofpbuf *message;

        message = ofpraw_alloc(OFPRAW_NXT_SET_CONTROLLER_ID, version, 0);
        id = ofpbuf_put_zeros(message, sizeof *id);
        id->controller_id = htons(CONTROLLER_ID);
        send_message(guard, message);
    }
    async.primary[OAM_PORT_STATUS] = reasons;
    async.secondary[OAM_PORT_STATUS] = reasons;
    send_message(guard,
                 ofputil_encode_set_async_config(&async, types, version));
    send_message(guard, ofpraw_alloc(OFPRAW_OFPT_GET_CONFIG_REQUEST, version,
                                     0));
}

/* Takes over the bridge's configuration 'oh' with a nonzero miss_send_len,
 * which is for this connection only, and then asks for the ports, so that
 * none can come in between unseen. */
static void
handle_config(struct port_guard *guard, const struct ofp_header *oh)
{
    struct ofputil_switch_config config;

    ofputil_decode_get_config_reply(oh, &config);
    config.miss_send_len = UINT16_MAX;
    send_message(guard,
                 ofputil_encode_set_config(&config, get_version(guard)));
    request_ports(guard);
}

/* Asks for the configuration bits 'wanted' to be set on the port 'pp', and
 * for the list of ports, to see that it was done. */
static void
change_port(struct port_guard *guard, const struct ofputil_phy_port *pp,
            enum ofputil_port_config wanted)
{
    enum ofputil_protocol protocol;
    struct ofputil_port_mod pm;

    memset(&pm, 0, sizeof pm);
    pm.port_no = pp->port_no;
    pm.hw_addr = pp->hw_addr;
    pm.config = wanted;
    pm.mask = wanted;
    protocol = ofputil_protocol_from_ofp_version(get_version(guard));
    send_message(guard, ofputil_encode_port_mod(&pm, protocol));
    request_ports(guard);
    guard->asked = true;
}

/* Takes over that the port is as 'pp' says, and guards it if it is not. */
static void
handle_port(struct port_guard *guard, const struct ofputil_phy_port *pp)
{
    static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 5);
    enum ofputil_port_config wanted = OFPUTIL_PC_NO_FWD;

    if (get_version(guard) == OFP10_VERSION) {
        wanted |= OFPUTIL_PC_NO_FLOOD;
    }
    guard->settled = (pp->config & wanted) == wanted;
    if (guard->settled) {
        if (guard->asked) {
            VLOG_INFO("%s: guarded port %s", rconn_get_name(guard->rconn),
                      guard->port);
        }
        guard->asked = false;
        guard->recheck_at = LLONG_MAX;
    } else if (!guard->asked) {
        change_port(guard, pp, wanted);
    } else {
        VLOG_WARN_RL(&rl, "%s: cannot guard port %s, trying again",
                     rconn_get_name(guard->rconn), guard->port);
        guard->asked = false;
        guard->recheck_at = time_msec() + RECHECK_MS;
    }
}

/* Returns true if 'pp' is the port of 'guard'. */
static bool
is_port(const struct port_guard *guard, const struct ofputil_phy_port *pp)
{
    return !strncmp(pp->name, guard->port, sizeof pp->name);
}

/* Takes over that the port is gone. */
static void
handle_absence(struct port_guard *guard)
{
    guard->asked = false;
    guard->settled = false;
    guard->recheck_at = LLONG_MAX;
}

/* Handles 'oh', a part of the list of ports. */
static void
handle_ports(struct port_guard *guard, const struct ofp_header *oh)
{
    struct ofpbuf body = ofpbuf_const_initializer(oh, ntohs(oh->length));
    struct ofputil_phy_port pp;

    ofpraw_pull_assert(&body);
    while (!ofputil_pull_phy_port(oh->version, &body, &pp)) {
        if (is_port(guard, &pp)) {
            guard->listed = true;
            handle_port(guard, &pp);
        }
    }
    if (!ofpmp_more(oh)) {
        if (!guard->listed) {
            handle_absence(guard);
        }
        guard->listed = false;
    }
}

/* Handles 'oh', the news of a port. */
static void
handle_port_status(struct port_guard *guard, const struct ofp_header *oh)
{
    struct ofputil_port_status status;

    if (ofputil_decode_port_status(oh, &status)
        || !is_port(guard, &status.desc)) {
        return;
    }
    if (status.reason == OFPPR_DELETE) {
        handle_absence(guard);
    } else {
        handle_port(guard, &status.desc);
    }
}

/* Handles 'oh', a message from the bridge. */
static void
handle_message(struct port_guard *guard, const struct ofp_header *oh)
{
    static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 5);
    enum ofptype type;

    if (ofptype_decode(&type, oh)) {
        return;
    }
    if (type == OFPTYPE_ECHO_REQUEST) {
        send_message(guard, ofputil_encode_echo_reply(oh));
    } else if (type == OFPTYPE_GET_CONFIG_REPLY) {
        handle_config(guard, oh);
    } else if (type == OFPTYPE_PORT_DESC_STATS_REPLY) {
        handle_ports(guard, oh);
    } else if (type == OFPTYPE_PORT_STATUS) {
        handle_port_status(guard, oh);
    } else if (type == OFPTYPE_ERROR) {
        VLOG_WARN_RL(&rl, "%s: %s", rconn_get_name(guard->rconn),
                     ofperr_to_string(ofperr_decode_msg(oh, NULL)));
    }
}

/* Does what there is to do. */
void
port_guard_run(struct port_guard *guard)
{
    rconn_run(guard->rconn);
    if (!rconn_is_connected(guard->rconn)) {
        guard->settled = false;
        return;
    }
    if (guard->seqno != rconn_get_connection_seqno(guard->rconn)) {
        guard->seqno = rconn_get_connection_seqno(guard->rconn);
        set_up(guard);
    }
    if (time_msec() >= guard->recheck_at) {
        request_ports(guard);
    }
    for (int i = 0; i < MAX_MESSAGES; i++) {
        struct ofpbuf *message = rconn_recv(guard->rconn);

        if (!message) {
            break;
        }
        handle_message(guard, message->data);
        ofpbuf_delete(message);
    }
}

/* Makes poll_block() wake up when port_guard_run() has something to do. */
void
port_guard_wait(struct port_guard *guard)
{
    rconn_run_wait(guard->rconn);
    rconn_recv_wait(guard->rconn);
    if (guard->recheck_at != LLONG_MAX) {
        poll_timer_wait_until(guard->recheck_at);
    }
}

/* Returns true if ovs-vswitchd confirmed that the port of 'guard' is guarded,
 * and is still connected. */
bool
port_guard_settled(const struct port_guard *guard)
{
    return guard->settled && rconn_is_connected(guard->rconn);
}
