/* SPDX-License-Identifier: Apache-2.0 */
/* Which flows are to be confirmed, and which are over.
 *
 * Time goes by in passes: all flows are read, a part of them in each call of
 * confirm_run(); then those that are over are deleted, and those whose period
 * ends before the next pass are probed, the longest unconfirmed first, spread
 * over the time until then.  So probes of flows that were learned together do
 * not stay together, and one that was not confirmed is probed again after the
 * next pass.
 *
 * Nothing is kept of a flow from one pass to the next but whether its
 * connection was active. */
#include <config.h>

#include "plugin/confirm.h"

#include <limits.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "util.h"

#include "plugin/confirm-plan.h"
#include "plugin/limits.h"

VLOG_DEFINE_THIS_MODULE(confirm);

/* Parts of a dump in one call: 2 ms each, or several on a busy machine. */
#define PARTS_PER_RUN 1

/* Flows that are deleted in one call: about 1 ms. */
#define DELETIONS_PER_RUN 1024

/* Time between two batches of probes in ms, if there are many, and the least
 * size of a batch. */
#define BATCH_MS 10
#define MIN_BATCH 16

/* Most probes in one call, twice what is due in BATCH_MS at most: what the
 * main loop was late with is caught up slowly. */
#define MAX_BATCH (2 * PROBES_PER_S * BATCH_MS / 1000)

/* Parts that the periods are divided into to sort probes by age. */
#define N_AGES 64

/* What a pass is doing. */
enum state {
    WAITING,                    /* The next one has not begun. */
    READING,                    /* Flows are read. */
    ACTING                      /* Probes are sent and flows are deleted. */
};

/* Flows that are to be probed. */
struct queue {
    struct dp_flow *flows;      /* In the order in which they were found. */
    size_t n;                   /* Number of them. */
    size_t allocated;           /* Room for as many. */
    size_t *order;              /* Indexes in 'flows' in the order in which
                                 * they are probed. */
    size_t n_sent;              /* Those of 'order' that are done. */
    long long int start;        /* When the first one was due. */
    uint32_t window;            /* Time for all of them. */
};

/* Flows that are to be deleted. */
struct deletions {
    struct dp_flow_key *keys;   /* Which. */
    size_t n;                   /* Number of them. */
    size_t allocated;           /* Room for as many. */
};

/* What a pass has counted. */
struct counts {
    struct plan_load load;      /* What the period follows from. */
    size_t n_used;              /* As in struct confirm_status. */
    size_t n_active;            /* Likewise. */
    size_t n_families[2];       /* Flows of IPv4, of IPv6. */
    uint32_t oldest;            /* Greatest time without confirmation of an
                                 * active flow, but for dead ones. */
};

/* See plugin/confirm.h. */
struct confirm {
    const struct dp_class *class; /* Back end. */
    struct dp *dp;              /* Datapath, borrowed. */
    uint32_t max_flows;         /* Most flows of IPv4, and of IPv6. */
    uint32_t configured;        /* Period that is configured. */
    uint32_t target;            /* Period in which flows are probed. */
    uint32_t period;            /* Effective period: what the programs were
                                 * told, 0 if they were told nothing so far.
                                 * Never below 'target'. */

    /* The pass. */
    enum state state;           /* What it is doing. */
    long long int pass_start;   /* When it began, or the last one did. */
    long long int next_pass;    /* When the next one is due. */
    uint32_t interval;          /* Time from this one to the next one. */
    uint32_t elapsed;           /* Time from the last one to this one. */
    struct dp_flow_cursor cursor; /* Where it is. */
    struct counts counts;       /* What it has counted so far. */
    struct plan_set active;     /* Connections that were active in the last
                                 * pass. */
    struct plan_set found;      /* Those that are in this one. */
    bool tight[2];              /* There is hardly any room for IPv4, IPv6, as
                                 * of the last pass. */
    struct queue queue;         /* Flows to probe. */
    struct deletions deletions; /* Flows to delete. */

    struct confirm_status status; /* For people. */
};

/* Creates what has the flows of 'dp' confirmed, which is borrowed, and has
 * room for 'max_flows' of IPv4 and of IPv6 each. */
struct confirm *
confirm_create(const struct dp_class *class, struct dp *dp,
               uint32_t max_flows)
{
    struct confirm *confirm = xzalloc(sizeof *confirm);

    confirm->class = class;
    confirm->dp = dp;
    confirm->max_flows = max_flows;
    confirm->configured = confirm->target = DEFAULT_CONFIRM_MS;
    confirm->pass_start = LLONG_MIN;
    confirm->next_pass = LLONG_MIN;
    return confirm;
}

/* Frees 'confirm'.  The flows stay as they are. */
void
confirm_destroy(struct confirm *confirm)
{
    if (confirm) {
        plan_set_destroy(&confirm->active);
        plan_set_destroy(&confirm->found);
        free(confirm->queue.flows);
        free(confirm->queue.order);
        free(confirm->deletions.keys);
        free(confirm);
    }
}

/* Tells the programs that flows are confirmed once in 'period'. */
static void
tell(struct confirm *confirm, uint32_t period)
{
    const struct dp_direct_times times = plan_times(period);

    if (confirm->period != period) {
        VLOG_DBG("flows are confirmed every %"PRIu32" ms", period);
        confirm->period = period;
        confirm->class->set_direct_times(confirm->dp, &times);
    }
}

/* Makes the period what follows from 'configured' and the last pass.  A longer
 * one holds at once.  A shorter one is not told before the flows that are to
 * live on have been confirmed in it, or in as short a time as they have
 * been. */
static void
plan(struct confirm *confirm)
{
    const struct counts *counts = &confirm->counts;

    confirm->target = plan_period(confirm->configured, &counts->load);
    tell(confirm, MAX(confirm->target,
                      MIN(confirm->period, counts->oldest)));
    confirm->interval = plan_interval(confirm->target, &counts->load);
}

/* See plugin/confirm.h.  Before the first pass nobody knows how old the flows
 * are that an earlier daemon has left: what it told holds until then. */
void
confirm_set_period(struct confirm *confirm, uint32_t ms)
{
    if (confirm->configured != ms) {
        confirm->configured = ms;
        confirm->next_pass = LLONG_MIN;
        if (confirm->period) {
            tell(confirm, MAX(confirm->period, ms));
        }
    }
}

/* Returns 0 for a flow of IPv4, 1 for one of IPv6. */
static size_t
family(const struct dp_flow *flow)
{
    return !IN6_IS_ADDR_V4MAPPED(&flow->key.src);
}

/* Puts 'flow' in the queue. */
static void
enqueue(struct queue *queue, const struct dp_flow *flow)
{
    if (queue->n >= queue->allocated) {
        queue->flows = x2nrealloc(queue->flows, &queue->allocated,
                                  sizeof *queue->flows);
    }
    queue->flows[queue->n++] = *flow;
}

/* Has the flow with 'key' be deleted. */
static void
delete_later(struct deletions *deletions, const struct dp_flow_key *key)
{
    if (deletions->n >= deletions->allocated) {
        deletions->keys = x2nrealloc(deletions->keys, &deletions->allocated,
                                     sizeof *deletions->keys);
    }
    deletions->keys[deletions->n++] = *key;
}

/* Counts 'flow', which is active if 'active'. */
static void
count_flow(struct confirm *confirm, const struct dp_flow *flow, bool active)
{
    struct counts *counts = &confirm->counts;
    uint32_t period = MAX(confirm->period, confirm->target);

    counts->load.n_flows++;
    counts->n_families[family(flow)]++;
    counts->n_used += flow->state == DP_FLOW_USED;
    counts->n_active += active;
    if (active && flow->confirmed <= plan_times(period).hard) {
        counts->oldest = MAX(counts->oldest, flow->confirmed);
    }
    confirm->status.n_unconfirmed += plan_has_lapsed(flow, period,
                                                     confirm->elapsed);
}

/* Decides about 'flow'.  'confirm_' is a struct confirm.  The first pass
 * deletes nothing: it does not know yet whose other direction is active. */
static void
read_flow(const struct dp_flow *flow, void *confirm_)
{
    struct confirm *confirm = confirm_;
    uint64_t connection = plan_connection(flow);
    bool active = plan_is_active(flow, confirm->target);

    count_flow(confirm, flow, active);
    if (active) {
        plan_set_add(&confirm->found, connection);
    }
    if ((active || plan_set_has(&confirm->active, connection))
        && flow->state != DP_FLOW_CLOSED) {
        confirm->counts.load.n_probed++;
        if (plan_is_due(flow, confirm->target, confirm->interval)) {
            enqueue(&confirm->queue, flow);
        }
    } else if (confirm->period
               && plan_is_over(flow, confirm->tight[family(flow)])) {
        delete_later(&confirm->deletions, &flow->key);
    }
}

/* Begins a pass at 'now'. */
static void
begin_pass(struct confirm *confirm, long long int now)
{
    bool is_first = confirm->pass_start == LLONG_MIN;

    confirm->elapsed = is_first ? 0 : MIN(now - confirm->pass_start, INT_MAX);
    confirm->pass_start = now;
    confirm->counts = (struct counts) { .oldest = 0 };
    confirm->cursor = (struct dp_flow_cursor) { .map = 0 };
    confirm->queue.n = confirm->queue.n_sent = 0;
    if (is_first) {
        confirm->interval = confirm->target;
    }
    confirm->state = READING;
}

/* Returns the part of the period that 'flow' of 'confirm' is in: the later,
 * the sooner it is to be probed. */
static size_t
age_of(const struct confirm *confirm, const struct dp_flow *flow)
{
    uint64_t age = flow->confirmed;

    return MIN(age * N_AGES / (2 * (uint64_t) confirm->target), N_AGES - 1);
}

/* Sorts the queue of 'confirm' by how long flows have not been confirmed,
 * those first that have been waiting for the longest time. */
static void
sort_queue(struct confirm *confirm)
{
    struct queue *queue = &confirm->queue;
    size_t next[N_AGES] = { 0 };
    size_t sum = 0;

    for (size_t i = 0; i < queue->n; i++) {
        next[age_of(confirm, &queue->flows[i])]++;
    }
    for (size_t age = N_AGES; age-- > 0; ) {
        size_t n = next[age];

        next[age] = sum;
        sum += n;
    }
    free(queue->order);
    queue->order = xmalloc(MAX(1, queue->n) * sizeof *queue->order);
    for (size_t i = 0; i < queue->n; i++) {
        queue->order[next[age_of(confirm, &queue->flows[i])]++] = i;
    }
}

/* Takes note of what the pass has found, at 'now'. */
static void
end_reading(struct confirm *confirm, long long int now)
{
    const struct counts *counts = &confirm->counts;
    struct plan_set last = confirm->active;

    confirm->active = confirm->found;
    confirm->found = last;
    plan_set_clear(&confirm->found);
    for (size_t i = 0; i < ARRAY_SIZE(confirm->tight); i++) {
        confirm->tight[i] = (counts->n_families[i]
                             > confirm->max_flows / 10 * 9);
    }
    confirm->status.n_flows = counts->load.n_flows;
    confirm->status.n_used = counts->n_used;
    confirm->status.n_active = counts->n_active;

    sort_queue(confirm);
    plan(confirm);
    confirm->queue.start = now;
    confirm->queue.window = plan_window(confirm->interval, confirm->queue.n);
    confirm->next_pass = confirm->pass_start + confirm->interval;
    confirm->state = ACTING;
}

/* Reads a part of the flows at 'now'. */
static void
read_flows(struct confirm *confirm, long long int now)
{
    for (int i = 0; i < PARTS_PER_RUN; i++) {
        if (!confirm->class->dump_some_flows(confirm->dp, &confirm->cursor,
                                             read_flow, confirm)) {
            end_reading(confirm, now);
            return;
        }
    }
}

/* Deletes some of the flows that are over. */
static void
delete_flows(struct confirm *confirm)
{
    struct deletions *deletions = &confirm->deletions;

    for (int i = 0; i < DELETIONS_PER_RUN && deletions->n; i++) {
        const struct dp_flow_key *key = &deletions->keys[--deletions->n];

        if (!confirm->class->del_flow(confirm->dp, key)) {
            confirm->status.n_expired++;
        }
    }
}

/* Returns how many probes of 'queue' are sent at a time. */
static size_t
batch_size(const struct queue *queue)
{
    size_t batches = MAX(1, queue->window / BATCH_MS);

    return MAX(MIN_BATCH, DIV_ROUND_UP(queue->n, batches));
}

/* Returns when the next probes of 'queue', not empty, are due. */
static long long int
next_batch_at(const struct queue *queue)
{
    return (queue->start
            + (long long int) (queue->n_sent * queue->window / queue->n));
}

/* Returns how many probes of 'queue' are to be sent at 'now'. */
static size_t
count_due(const struct queue *queue, long long int now)
{
    size_t left = queue->n - queue->n_sent;
    size_t late;

    if (!left || now < next_batch_at(queue)) {
        return 0;
    }
    late = (now - next_batch_at(queue)) * queue->n / MAX(1, queue->window);
    return MIN(left, MIN(MAX_BATCH, batch_size(queue) + late));
}

/* Sends the probes that are due at 'now'. */
static void
send_probes(struct confirm *confirm, long long int now)
{
    struct queue *queue = &confirm->queue;
    size_t n = count_due(queue, now);
    struct dp_flow flows[MAX_BATCH];
    size_t n_sent = 0;
    int error;

    if (!n) {
        return;
    }
    for (size_t i = 0; i < n; i++) {
        flows[i] = queue->flows[queue->order[queue->n_sent++]];
    }
    error = confirm->class->probe_flows(confirm->dp, flows, n, &n_sent);
    confirm->status.n_probes += n_sent;
    confirm->status.n_unsent += n - n_sent;
    if (error) {
        static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 5);

        VLOG_WARN_RL(&rl, "cannot probe %"PRIuSIZE" of %"PRIuSIZE" flows (%s)",
                     n - n_sent, n, ovs_strerror(error));
    }
}

/* Returns true if all is done that the pass has found. */
static bool
is_done(const struct confirm *confirm)
{
    return (confirm->queue.n_sent >= confirm->queue.n
            && !confirm->deletions.n);
}

/* Deletes flows and sends probes at 'now'. */
static void
act(struct confirm *confirm, long long int now)
{
    delete_flows(confirm);
    send_probes(confirm, now);
    if (is_done(confirm)) {
        confirm->state = WAITING;
    }
}

/* See plugin/confirm.h. */
void
confirm_run(struct confirm *confirm, long long int now)
{
    if (confirm->state == WAITING && now >= confirm->next_pass) {
        begin_pass(confirm, now);
    }
    if (confirm->state == READING) {
        read_flows(confirm, now);
    }
    if (confirm->state == ACTING) {
        act(confirm, now);
    }
}

/* Returns when confirm_run() has something to do, as time_msec(). */
static long long int
next_run_at(const struct confirm *confirm)
{
    switch (confirm->state) {
    case WAITING:
        return confirm->next_pass;
    case READING:
        return LLONG_MIN;
    case ACTING:
        return (confirm->deletions.n ? LLONG_MIN
                : next_batch_at(&confirm->queue));
    default:
        OVS_NOT_REACHED();
    }
}

/* Returns true if confirm_run() has something to do at 'now'. */
bool
confirm_is_due(const struct confirm *confirm, long long int now)
{
    return next_run_at(confirm) <= now;
}

/* Makes poll_block() wake up when confirm_run() has something to do. */
void
confirm_wait(const struct confirm *confirm)
{
    long long int at = next_run_at(confirm);

    if (at == LLONG_MIN) {
        poll_immediate_wake();
    } else {
        poll_timer_wait_until(at);
    }
}

/* Stores the state of things in '*status'. */
void
confirm_get_status(const struct confirm *confirm,
                   struct confirm_status *status)
{
    *status = confirm->status;
    status->period_ms = MAX(confirm->period, confirm->target);
}
