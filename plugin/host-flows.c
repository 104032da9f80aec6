/* SPDX-License-Identifier: Apache-2.0 */
/* One connection per bridge and round: ovs-vswitchd's socket of the bridge,
 * one request, its replies, closed.  A round serves all questions that were
 * asked before it began.
 *
 *             ask                    all dumps are done
 *     idle ---------> round under way -----------------> answered = covered
 *       ^                                                      |
 *       '------------- asked > answered: another round <-------'
 */

#include <config.h>

#include "plugin/host-flows.h"

#include <errno.h>
#include <stdlib.h>

#include "openvswitch/ofp-errors.h"
#include "openvswitch/ofp-flow.h"
#include "openvswitch/ofp-msgs.h"
#include "openvswitch/ofp-protocol.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/shash.h"
#include "openvswitch/vconn.h"
#include "socket-util.h"
#include "sset.h"
#include "timeval.h"
#include "util.h"

#include "plugin/bridge-flows.h"
#include "plugin/limits.h"

/* Messages taken from a connection at once: each has up to 64 KB, hundreds of
 * flows, and the daemon has other things to do.  What is left wakes it up. */
#define MAX_MESSAGES 4

/* The flows of one bridge, being read or read. */
struct dump {
    struct vconn *vconn;        /* Connection, NULL when done. */
    bool requested;             /* The request was sent. */
    ovs_be32 xid;               /* Its number. */
    struct bridge_flows flows;  /* Flows so far. */
};

/* See plugin/host-flows.h. */
struct host_flows {
    char *rundir;               /* Where ovs-vswitchd has its sockets. */
    struct sset bridges;        /* Bridges that the last question is about. */
    struct shash dumps;         /* Of struct dump, by bridge; of the round
                                 * under way. */
    struct shash results;       /* The same of the round before it. */
    uint64_t asked;             /* Number of the last question. */
    uint64_t covered;           /* Questions that the round serves. */
    uint64_t answered;          /* Questions that are answered. */
    long long int deadline;     /* End of the round, in ms. */
    int timeout_ms;             /* How long a round may take. */
};

/* Creates what asks the ovs-vswitchd whose sockets are in 'rundir'. */
struct host_flows *
host_flows_create(const char *rundir)
{
    struct host_flows *hf = xzalloc(sizeof *hf);

    hf->rundir = xstrdup(rundir);
    hf->timeout_ms = HOST_FLOWS_TIMEOUT_MS;
    sset_init(&hf->bridges);
    shash_init(&hf->dumps);
    shash_init(&hf->results);
    return hf;
}

/* Lets each later round of 'hf' take 'ms' milliseconds. */
void
host_flows_set_timeout(struct host_flows *hf, int ms)
{
    hf->timeout_ms = ms;
}

/* Frees all that 'dumps' holds. */
static void
clear_dumps(struct shash *dumps)
{
    struct shash_node *node;

    SHASH_FOR_EACH_SAFE (node, dumps) {
        struct dump *dump = node->data;

        vconn_close(dump->vconn);
        bridge_flows_clear(&dump->flows);
        free(dump);
        shash_delete(dumps, node);
    }
}

/* Frees 'hf', which may be NULL. */
void
host_flows_destroy(struct host_flows *hf)
{
    if (hf) {
        clear_dumps(&hf->dumps);
        clear_dumps(&hf->results);
        shash_destroy(&hf->dumps);
        shash_destroy(&hf->results);
        sset_destroy(&hf->bridges);
        free(hf->rundir);
        free(hf);
    }
}

/* Asks for the flows of 'bridges', and only of these.  Returns the number of
 * the question. */
uint64_t
host_flows_ask(struct host_flows *hf, const struct sset *bridges)
{
    sset_destroy(&hf->bridges);
    sset_clone(&hf->bridges, bridges);
    return ++hf->asked;
}

/* Returns true if 'question' is answered. */
bool
host_flows_is_answered(const struct host_flows *hf, uint64_t question)
{
    return hf->answered >= question;
}

/* Returns the flows of 'bridge' as the last round that has ended found them,
 * or NULL if it did not ask for them.  Valid until the next
 * host_flows_run(). */
const struct bridge_flows *
host_flows_find(const struct host_flows *hf, const char *bridge)
{
    const struct dump *dump = shash_find_data(&hf->results, bridge);

    return dump ? &dump->flows : NULL;
}

/* Ends 'dump' with 'error', or 0. */
static void
end_dump(struct dump *dump, int error)
{
    vconn_close(dump->vconn);
    dump->vconn = NULL;
    if (error) {
        bridge_flows_clear(&dump->flows);
        dump->flows.error = error;
    }
}

/* Sends the request of 'dump'.  Returns 0, EAGAIN or another positive
 * errno. */
static int
send_request(struct dump *dump)
{
    struct ofputil_flow_stats_request request = {
        .out_port = OFPP_ANY, .out_group = OFPG_ANY, .table_id = 0,
    };
    enum ofp_version version = vconn_get_version(dump->vconn);
    struct ofpbuf *message;
    int error;

    /* Without this extension OpenFlow 1.0 cannot tell of matches on IPv6. */
    match_init_catchall(&request.match);
    message = ofputil_encode_flow_stats_request(
        &request, (version == OFP10_VERSION ? OFPUTIL_P_OF10_NXM
                   : ofputil_protocol_from_ofp_version(version)));
    dump->xid = ((const struct ofp_header *) message->data)->xid;
    error = vconn_send(dump->vconn, message);
    if (error) {
        ofpbuf_delete(message);
    } else {
        dump->requested = true;
    }
    return error;
}

/* Takes over the flows in 'message', a reply.  Returns 0 or a positive
 * errno. */
static int
read_flows(struct dump *dump, struct ofpbuf *message)
{
    struct ofpbuf ofpacts;
    int error;

    ofpbuf_init(&ofpacts, 0);
    for (;;) {
        struct ofputil_flow_stats fs;

        error = ofputil_decode_flow_stats_reply(&fs, message, true, &ofpacts);
        if (error) {
            error = error == EOF ? 0 : EPROTO;
            break;
        } else if (dump->flows.n >= MAX_BRIDGE_FLOWS) {
            error = E2BIG;
            break;
        }
        bridge_flows_add(&dump->flows, &fs);
    }
    ofpbuf_uninit(&ofpacts);
    return error;
}

/* Receives one message of 'dump'.  Returns 0, EAGAIN, another positive errno,
 * or EOF after the last one. */
static int
receive_message(struct dump *dump)
{
    const struct ofp_header *header;
    struct ofpbuf *message;
    enum ofptype type;
    bool more = true;
    int error;

    error = vconn_recv(dump->vconn, &message);
    if (error) {
        return error == EOF ? ECONNRESET : error;
    }
    header = message->data;
    if (ofptype_decode(&type, header)) {
        error = EPROTO;
    } else if (header->xid == dump->xid && type == OFPTYPE_ERROR) {
        error = ENOTSUP;
    } else if (header->xid == dump->xid && type == OFPTYPE_FLOW_STATS_REPLY) {
        more = ofpmp_more(header);
        error = read_flows(dump, message);
    }
    ofpbuf_delete(message);
    return error ? error : more ? 0 : EOF;
}

/* Does what there is to do for 'dump' now. */
static void
run_dump(struct dump *dump)
{
    int error;

    vconn_run(dump->vconn);
    error = vconn_connect(dump->vconn);
    if (!error && !dump->requested) {
        error = send_request(dump);
    }
    for (int i = 0; !error && i < MAX_MESSAGES; i++) {
        error = receive_message(dump);
    }
    if (error && error != EAGAIN) {
        end_dump(dump, error == EOF ? 0 : error);
    }
}

/* Begins a round for all that was asked. */
static void
begin_round(struct host_flows *hf)
{
    const char *bridge;

    hf->covered = hf->asked;
    hf->deadline = time_msec() + hf->timeout_ms;
    SSET_FOR_EACH (bridge, &hf->bridges) {
        struct dump *dump = xzalloc(sizeof *dump);
        char *name = xasprintf("unix:%s/%s.mgmt", hf->rundir, bridge);
        int error = vconn_open(name, 0, DSCP_DEFAULT, &dump->vconn);

        if (error) {
            dump->vconn = NULL;
            dump->flows.error = error;
        }
        shash_add(&hf->dumps, bridge, dump);
        free(name);
    }
}

/* Goes on with the round.  Returns true if nothing is left of it. */
static bool
run_round(struct host_flows *hf)
{
    bool late = time_msec() >= hf->deadline;
    struct shash_node *node;
    bool done = true;

    SHASH_FOR_EACH (node, &hf->dumps) {
        struct dump *dump = node->data;

        if (dump->vconn) {
            run_dump(dump);
        }
        if (dump->vconn && late) {
            end_dump(dump, ETIMEDOUT);
        }
        done = done && !dump->vconn;
    }
    return done;
}

/* Does what there is to do now. */
void
host_flows_run(struct host_flows *hf)
{
    if (hf->answered == hf->covered) {
        if (hf->asked == hf->answered) {
            return;
        }
        begin_round(hf);
    }
    if (run_round(hf)) {
        shash_swap(&hf->dumps, &hf->results);
        clear_dumps(&hf->dumps);
        hf->answered = hf->covered;
    }
}

/* Makes poll_block() wake up when host_flows_run() has work. */
void
host_flows_wait(const struct host_flows *hf)
{
    const struct shash_node *node;

    if (hf->answered == hf->covered) {
        if (hf->asked != hf->answered) {
            poll_immediate_wake();
        }
        return;
    }
    poll_timer_wait_until(hf->deadline);
    SHASH_FOR_EACH (node, &hf->dumps) {
        const struct dump *dump = node->data;

        if (dump->vconn) {
            vconn_run_wait(dump->vconn);
            if (dump->requested) {
                vconn_recv_wait(dump->vconn);
            } else {
                vconn_connect_wait(dump->vconn);
            }
        }
    }
}
