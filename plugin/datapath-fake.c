/* SPDX-License-Identifier: Apache-2.0 */
/* The datapath in memory, for --dry-run and for tests.  It answers as the
 * libbpf back end does (tests/plugin/dp-contract.c holds both to that), but no
 * device need exist and no frame is ever counted unless a test says so. */
#include <config.h>

#include "plugin/datapath-fake.h"

#include <errno.h>

#include "util.h"

#include "plugin/datapath-fake-private.h"
#include "plugin/reason.h"

/* An endpoint. */
struct fake_endpoint {
    struct hmap_node node;      /* In struct dp, by dp_key_hash(). */
    struct dp_endpoint endpoint; /* As it was put. */
    struct dp_counter counter;  /* What a test has counted. */
    struct dp_counter drops;    /* Likewise, of dropped packets. */
};

/* An attached NIC. */
struct fake_nic {
    struct dp_nic_state state;  /* As it is dumped. */
    struct dp_counter counters[N_PACKET_REASONS]; /* By packet reason. */
};

/* Everything that is "pinned", by pin directory. */
static struct shash pinned = SHASH_INITIALIZER(&pinned);

static struct fake_endpoint *fake_find(const struct dp *,
                                       const struct dp_key *);
static void fake_clear_endpoints(struct dp *);
static int fake_attach(struct dp *, const struct dp_nic *, bool sink);

/* Counts an operation, and returns the error that a test wants of it. */
int
fake_begin(struct dp *dp)
{
    int error = dp->next_error;

    dp->next_error = 0;
    dp->n_changes++;
    return error;
}

/* Returns a datapath with nothing in it. */
static struct dp *
fake_create(uint32_t max_endpoints)
{
    struct dp *dp = xzalloc(sizeof *dp);

    dp->max_endpoints = max_endpoints;
    hmap_init(&dp->endpoints);
    shash_init(&dp->nics);
    fake_watches_init(&dp->watches);
    fake_direct_init(&dp->direct);
    fake_acls_init(&dp->acls);
    return dp;
}

/* Opens what is pinned as 'config->pin_dir', or makes it. */
static int
fake_open(const struct dp_config *config, struct dp **dpp)
{
    struct dp *dp = shash_find_data(&pinned, config->pin_dir);

    *dpp = NULL;
    if (!dp) {
        dp = fake_create(config->max_endpoints);
        shash_add(&pinned, config->pin_dir, dp);
    } else if (dp->open) {
        return EBUSY;
    } else if (dp->max_endpoints != config->max_endpoints) {
        fake_clear_endpoints(dp);
        dp->targets.n = 0;
        dp->max_endpoints = config->max_endpoints;
    }
    dp->open = true;
    dp->acls.last_lease = dp->acls.given_lease;
    *dpp = dp;
    return 0;
}

/* Forgets 'dp', with all that is pinned. */
static void
fake_destroy(struct dp *dp)
{
    struct shash_node *node;

    SHASH_FOR_EACH_SAFE (node, &pinned) {
        if (node->data == dp) {
            shash_delete(&pinned, node);
        }
    }
    fake_clear_endpoints(dp);
    fake_watches_destroy(&dp->watches);
    fake_direct_destroy(&dp->direct);
    hmap_destroy(&dp->endpoints);
    shash_destroy_free_data(&dp->nics);
    fake_acls_destroy(&dp->acls);
    free(dp);
}

/* Closes 'dp'; with 'cleanup', nothing of it stays. */
static void
fake_close(struct dp *dp, bool cleanup)
{
    struct shash_node *node;

    if (!dp) {
        return;
    }
    dp->open = false;
    dp->next_error = 0;
    fake_acls_clear(&dp->acls);
    dp->acls.lease = 0;
    SHASH_FOR_EACH (node, &dp->nics) {
        struct fake_nic *nic = node->data;

        nic->state.current = false;
    }
    fake_watches_close(&dp->watches);
    fake_direct_close(&dp->direct);
    if (cleanup) {
        fake_destroy(dp);
    }
}

/* Forgets what is pinned below 'pin_dir'. */
static int
fake_remove(const char *pin_dir, struct svec *remains OVS_UNUSED)
{
    struct dp *dp = shash_find_data(&pinned, pin_dir);

    if (!dp) {
        return 0;
    } else if (dp->open) {
        return EBUSY;
    }
    fake_destroy(dp);
    return 0;
}

/* Returns the endpoint of 'key', or NULL. */
static struct fake_endpoint *
fake_find(const struct dp *dp, const struct dp_key *key)
{
    struct fake_endpoint *e;

    HMAP_FOR_EACH_WITH_HASH (e, node, dp_key_hash(key), &dp->endpoints) {
        if (dp_key_equals(&e->endpoint.key, key)) {
            return e;
        }
    }
    return NULL;
}

/* Deletes all endpoints. */
static void
fake_clear_endpoints(struct dp *dp)
{
    struct fake_endpoint *e;

    HMAP_FOR_EACH_POP (e, node, &dp->endpoints) {
        free(e);
    }
}

/* Calls 'cb' for each endpoint. */
static void
fake_dump_endpoints(const struct dp *dp, dp_endpoint_cb *cb, void *aux)
{
    const struct fake_endpoint *e;

    HMAP_FOR_EACH (e, node, &dp->endpoints) {
        cb(&e->endpoint, aux);
    }
}

/* Stores what there is for 'key' in '*action'. */
static int
fake_find_endpoint(const struct dp *dp, const struct dp_key *key,
                   struct dp_action *action)
{
    const struct fake_endpoint *e = fake_find(dp, key);

    if (!e) {
        return ENOENT;
    }
    *action = e->endpoint.action;
    return 0;
}

/* Adds or replaces 'endpoint'. */
static int
fake_put_endpoint(struct dp *dp, const struct dp_endpoint *endpoint)
{
    struct fake_endpoint *e = fake_find(dp, &endpoint->key);
    int error = fake_begin(dp);

    if (error) {
        return error;
    }
    if (!e) {
        if (hmap_count(&dp->endpoints) >= dp->max_endpoints) {
            return ENOSPC;
        }
        e = xzalloc(sizeof *e);
        hmap_insert(&dp->endpoints, &e->node, dp_key_hash(&endpoint->key));
    }
    e->endpoint = *endpoint;
    return 0;
}

/* Deletes the endpoint of 'key'. */
static int
fake_del_endpoint(struct dp *dp, const struct dp_key *key)
{
    struct fake_endpoint *e = fake_find(dp, key);
    int error = fake_begin(dp);

    if (error || !e) {
        return error ? error : ENOENT;
    }
    hmap_remove(&dp->endpoints, &e->node);
    free(e);
    return 0;
}

/* Makes device 'ifindex' a target. */
static int
fake_put_target(struct dp *dp, int ifindex)
{
    int error = fake_begin(dp);

    if (error) {
        return error;
    }
    return ifindex > 0 ? index_set_add(&dp->targets, ifindex) : ENODEV;
}

/* Makes device 'ifindex' no target. */
static int
fake_del_target(struct dp *dp, int ifindex)
{
    int error = fake_begin(dp);

    return error ? error : index_set_remove(&dp->targets, ifindex);
}

/* Returns true if device 'ifindex' is a target. */
static bool
fake_has_target(const struct dp *dp, int ifindex)
{
    return index_set_contains(&dp->targets, ifindex);
}

/* Returns the NIC of device 'ifindex', which may have got another name, or
 * NULL. */
struct shash_node *
fake_find_nic(const struct dp *dp, int ifindex)
{
    struct shash_node *node;

    SHASH_FOR_EACH (node, &dp->nics) {
        const struct fake_nic *nic = node->data;

        if (nic->state.nic.ifindex == ifindex) {
            return node;
        }
    }
    return NULL;
}

/* Returns the NIC for 'want', new if need be, under its present name. */
static struct fake_nic *
fake_claim_nic(struct dp *dp, const struct dp_nic *want)
{
    struct shash_node *node = fake_find_nic(dp, want->ifindex);
    struct fake_nic *nic;

    if (node && !strcmp(node->name, want->name)) {
        return node->data;
    } else if (node) {
        nic = node->data;
        shash_delete(&dp->nics, node);
    } else {
        nic = xzalloc(sizeof *nic);
    }
    free(shash_find_and_delete(&dp->nics, want->name));
    shash_add(&dp->nics, want->name, nic);
    return nic;
}

/* Attaches to 'want', or makes what is attached there equal to 'want'. */
static int
fake_attach(struct dp *dp, const struct dp_nic *want_, bool sink)
{
    struct dp_nic want = *want_;
    struct dp_nic_state *state;

    if (want.mode == DP_GENERIC) {
        want.tag_hint = false;
    }
    if (index_set_contains(&dp->foreign, want.ifindex)) {
        return EBUSY;
    } else if (want.ifindex <= 0) {
        return ENODEV;
    } else if (!fake_find_nic(dp, want.ifindex)
               && shash_count(&dp->nics) >= OX_MAX_NICS) {
        return ENOSPC;
    }
    state = &fake_claim_nic(dp, &want)->state;
    if (!state->current || state->sink != sink
        || state->nic.mode != want.mode
        || state->nic.tag_hint != want.tag_hint
        || state->nic.stale_timeout != want.stale_timeout
        || state->nic.acl != want.acl
        || state->nic.direct != want.direct) {
        state->program_id = ++dp->last_program_id;
    }
    state->nic = want;
    state->sink = sink;
    state->current = true;
    return 0;
}

/* Attaches the program that redirects. */
static int
fake_attach_nic(struct dp *dp, const struct dp_nic *nic)
{
    int error = fake_begin(dp);

    return error ? error : fake_attach(dp, nic, false);
}

/* Attaches the program that drops everything. */
static int
fake_attach_sink(struct dp *dp, const char *name, int ifindex)
{
    struct dp_nic nic = { .ifindex = ifindex, .mode = DP_NATIVE };
    int error = fake_begin(dp);

    ovs_strlcpy(nic.name, name, sizeof nic.name);
    return error ? error : fake_attach(dp, &nic, true);
}

/* Detaches from the device 'name'. */
static int
fake_detach_nic(struct dp *dp, const char *name)
{
    int error = fake_begin(dp);
    struct fake_nic *nic;

    if (error) {
        return error;
    }
    nic = shash_find_and_delete(&dp->nics, name);
    if (!nic) {
        return ENOENT;
    }
    free(nic);
    return 0;
}

/* Calls 'cb' for each NIC. */
static void
fake_dump_nics(const struct dp *dp, dp_nic_cb *cb, void *aux)
{
    const struct shash_node *node;

    SHASH_FOR_EACH (node, &dp->nics) {
        const struct fake_nic *nic = node->data;

        cb(&nic->state, aux);
    }
}

/* Notes that the daemon was alive at 'now'. */
static void
fake_beat(struct dp *dp, long long int now)
{
    dp->last_beat = now;
}

/* Returns when that was noted last. */
static long long int
fake_last_beat(const struct dp *dp)
{
    return dp->last_beat;
}

/* Adds the set of rules 'acl'. */
static int
fake_put_acl(struct dp *dp, const struct dp_acl *acl)
{
    int error = fake_begin(dp);

    return error ? error : fake_acls_put(&dp->acls, acl);
}

/* Adds or replaces what the set 'id' has for one class. */
static int
fake_put_acl_class(struct dp *dp, uint32_t id, const struct dp_acl_class *row)
{
    int error = fake_begin(dp);

    return error ? error : fake_acls_put_class(&dp->acls, id, row);
}

/* Deletes what the set 'id' has for 'class'. */
static int
fake_del_acl_class(struct dp *dp, uint32_t id, uint32_t class)
{
    int error = fake_begin(dp);

    return error ? error : fake_acls_del_class(&dp->acls, id, class);
}

/* Deletes the set of rules 'id'. */
static int
fake_del_acl(struct dp *dp, uint32_t id)
{
    int error = fake_begin(dp);

    return error ? error : fake_acls_del(&dp->acls, id);
}

/* Says that sources of 'prefix' are of 'class'. */
static int
fake_put_acl_source(struct dp *dp, const struct dp_prefix *prefix,
                    uint32_t class)
{
    int error = fake_begin(dp);

    return error ? error : fake_acls_put_source(&dp->acls, prefix, class);
}

/* Takes that back. */
static int
fake_del_acl_source(struct dp *dp, const struct dp_prefix *prefix)
{
    int error = fake_begin(dp);

    return error ? error : fake_acls_del_source(&dp->acls, prefix);
}

/* Stores what a test has counted for the set 'id' in 'hits'. */
static int
fake_acl_hits(const struct dp *dp, uint32_t id, uint64_t *hits, size_t n)
{
    return fake_acls_hits(&dp->acls, id, hits, n);
}

/* Notes that packets may be dropped until 'until'. */
static void
fake_lease(struct dp *dp, long long int until)
{
    fake_acls_lease(&dp->acls, until);
}

/* Returns until when an earlier daemon had allowed that. */
static long long int
fake_last_lease(const struct dp *dp)
{
    return dp->acls.last_lease;
}

/* Watches device 'ifindex', since now or longer. */
static int
fake_put_watch(struct dp *dp, int ifindex, enum dp_watch_side side,
               long long int *since)
{
    int error = fake_begin(dp);

    return error ? error : fake_watches_put(&dp->watches, ifindex, side,
                                            since);
}

/* Watches device 'ifindex' no more. */
static int
fake_del_watch(struct dp *dp, int ifindex)
{
    int error = fake_begin(dp);

    return error ? error : fake_watches_del(&dp->watches, ifindex);
}

/* Does nothing, as no VM ever opens a connection. */
static size_t
fake_sweep_opened(struct dp *dp OVS_UNUSED, long long int now OVS_UNUSED)
{
    return 0;
}

/* Returns what a test has said of 'local'. */
static long long int
fake_missed_opened(const struct dp *dp, const struct in6_addr *local)
{
    return fake_watches_get(dp->watches.missed, local);
}

/* Notes what is asked for. */
static void
fake_learn_opened(struct dp *dp, const struct in6_addr *local,
                  long long int until)
{
    fake_watches_set(dp->watches.learnt, local, until);
}

/* See plugin/datapath-fake.h. */
struct fake_watches *
dp_fake_watches(struct dp *dp)
{
    return &dp->watches;
}

/* See plugin/datapath-fake.h. */
struct fake_direct *
dp_fake_direct(struct dp *dp)
{
    return &dp->direct;
}

/* Forgets what only an earlier daemon wanted. */
static int
fake_commit(struct dp *dp)
{
    int error = fake_begin(dp);

    if (!error) {
        fake_watches_commit(&dp->watches);
    }
    return error;
}

/* Stores what a test has counted for 'key' in 'counter'. */
static int
fake_endpoint_counter(const struct dp *dp, const struct dp_key *key,
                      struct dp_counter *counter)
{
    const struct fake_endpoint *e = fake_find(dp, key);

    *counter = e ? e->counter : (struct dp_counter) { .packets = 0 };
    return e ? 0 : ENOENT;
}

/* Stores what a test has counted as dropped for 'key' in 'counter'. */
static int
fake_endpoint_drops(const struct dp *dp, const struct dp_key *key,
                    struct dp_counter *counter)
{
    const struct fake_endpoint *e = fake_find(dp, key);

    *counter = e ? e->drops : (struct dp_counter) { .packets = 0 };
    return e ? 0 : ENOENT;
}

/* Stores what a test has counted for the NIC 'name' in 'counters'. */
static int
fake_nic_counters(const struct dp *dp, const char *name,
                  struct dp_counter *counters)
{
    const struct fake_nic *nic = shash_find_data(&dp->nics, name);

    memset(counters, 0, N_PACKET_REASONS * sizeof *counters);
    if (!nic) {
        return ENOENT;
    }
    memcpy(counters, nic->counters, sizeof nic->counters);
    return 0;
}

/* Calls 'cb' for each error that a test has counted. */
static int
fake_redirect_errors(const struct dp *dp, dp_redirect_error_cb *cb, void *aux)
{
    for (int i = 0; i < OX_MAX_ERRNO; i++) {
        if (dp->redirect_errors[i]) {
            cb(i, dp->redirect_errors[i], aux);
        }
    }
    return 0;
}

/* Tells nothing of the kernel, which this back end does without. */
static const char *
fake_probe(enum feature_answer answers[N_KERNEL_FEATURES] OVS_UNUSED)
{
    return NULL;
}

const struct dp_class datapath_fake_class = {
    .open = fake_open,
    .close = fake_close,
    .remove = fake_remove,
    .dump_endpoints = fake_dump_endpoints,
    .find_endpoint = fake_find_endpoint,
    .put_endpoint = fake_put_endpoint,
    .del_endpoint = fake_del_endpoint,
    .put_target = fake_put_target,
    .del_target = fake_del_target,
    .has_target = fake_has_target,
    .attach_nic = fake_attach_nic,
    .detach_nic = fake_detach_nic,
    .dump_nics = fake_dump_nics,
    .attach_sink = fake_attach_sink,
    .beat = fake_beat,
    .last_beat = fake_last_beat,
    .put_watch = fake_put_watch,
    .del_watch = fake_del_watch,
    .sweep_opened = fake_sweep_opened,
    .missed_opened = fake_missed_opened,
    .learn_opened = fake_learn_opened,
    .tracking = fake_tracking,
    .settle_tracking = fake_settle_tracking,
    .put_acl = fake_put_acl,
    .put_acl_class = fake_put_acl_class,
    .del_acl_class = fake_del_acl_class,
    .del_acl = fake_del_acl,
    .put_acl_source = fake_put_acl_source,
    .del_acl_source = fake_del_acl_source,
    .acl_hits = fake_acl_hits,
    .lease = fake_lease,
    .last_lease = fake_last_lease,
    .put_direct_device = fake_put_direct_device,
    .del_direct_device = fake_del_direct_device,
    .sweep_direct_devices = fake_sweep_direct_devices,
    .reap_direct = fake_reap_direct,
    .put_direct = fake_put_direct,
    .del_direct = fake_del_direct,
    .void_direct = fake_void_direct,
    .dump_direct = fake_dump_direct,
    .direct_half_checksum = fake_direct_half_checksum,
    .set_direct_times = fake_set_direct_times,
    .dump_flows = fake_dump_flows,
    .dump_some_flows = fake_dump_some_flows,
    .del_flow = fake_del_flow,
    .probe_flows = fake_probe_flows,
    .direct_counters = fake_direct_counters,
    .commit = fake_commit,
    .endpoint_counter = fake_endpoint_counter,
    .endpoint_drops = fake_endpoint_drops,
    .nic_counters = fake_nic_counters,
    .redirect_errors = fake_redirect_errors,
    .probe = fake_probe,
};

/* Has the next operation fail with 'error'. */
void
dp_fake_fail_next(struct dp *dp, int error)
{
    dp->next_error = error;
}

/* Puts 'endpoint' there without counting that as an operation. */
void
dp_fake_adopt_endpoint(struct dp *dp, const struct dp_endpoint *endpoint)
{
    ovs_assert(!fake_put_endpoint(dp, endpoint));
    dp->n_changes--;
}

/* Attaches to 'want' as if that had been done before. */
void
dp_fake_adopt_nic(struct dp *dp, const struct dp_nic *want, bool sink)
{
    ovs_assert(!fake_attach(dp, want, sink));
    fake_claim_nic(dp, want)->state.current = false;
}

/* Adds to the counter of 'key'. */
void
dp_fake_count_endpoint(struct dp *dp, const struct dp_key *key,
                       uint64_t packets, uint64_t bytes)
{
    struct fake_endpoint *e = fake_find(dp, key);

    e->counter.packets += packets;
    e->counter.bytes += bytes;
}

/* Adds to the dropped packets of 'key'. */
void
dp_fake_count_drops(struct dp *dp, const struct dp_key *key, uint64_t packets,
                    uint64_t bytes)
{
    struct fake_endpoint *e = fake_find(dp, key);

    e->drops.packets += packets;
    e->drops.bytes += bytes;
}

/* Adds to the hits of 'rule' in the set 'id'. */
void
dp_fake_count_acl(struct dp *dp, uint32_t id, size_t rule, uint64_t packets)
{
    ovs_assert(!fake_acls_count(&dp->acls, id, rule, packets));
}

/* Returns the rule of the set 'id' that decides about a packet. */
int
dp_fake_acl_decide(const struct dp *dp, uint32_t id, uint8_t protocol,
                   uint16_t port, const struct in6_addr *source, bool *drops)
{
    return fake_acls_decide(&dp->acls, id, protocol, port, source, drops);
}

/* Stores how many sets, prefixes, and rows for classes there are. */
void
dp_fake_acl_usage(const struct dp *dp, size_t *n_sets, size_t *n_sources,
                  size_t *n_classes)
{
    *n_sets = hmap_count(&dp->acls.sets);
    *n_sources = hmap_count(&dp->acls.sources);
    *n_classes = fake_acls_n_classes(&dp->acls);
}

/* Leaves room for 'n' prefixes. */
void
dp_fake_set_max_sources(struct dp *dp, size_t n)
{
    dp->acls.max_sources = n;
}

/* Returns until when packets may be dropped. */
long long int
dp_fake_lease(const struct dp *dp)
{
    return dp->acls.lease;
}

/* Adds to the counter of 'reason' on the NIC 'name'. */
void
dp_fake_count_nic(struct dp *dp, const char *name, int reason,
                  uint64_t packets, uint64_t bytes)
{
    struct fake_nic *nic = shash_find_data(&dp->nics, name);

    nic->counters[reason].packets += packets;
    nic->counters[reason].bytes += bytes;
}

/* Adds to the counter of 'error'. */
void
dp_fake_count_redirect_error(struct dp *dp, int error, uint64_t packets)
{
    dp->redirect_errors[error] += packets;
}

/* Notes whether device 'ifindex' has a foreign program. */
void
dp_fake_set_foreign(struct dp *dp, int ifindex, bool foreign)
{
    if (foreign) {
        index_set_add(&dp->foreign, ifindex);
    } else {
        index_set_remove(&dp->foreign, ifindex);
    }
}

/* Forgets what goes with device 'ifindex'. */
void
dp_fake_remove_device(struct dp *dp, int ifindex)
{
    struct shash_node *node = fake_find_nic(dp, ifindex);

    if (node) {
        free(node->data);
        shash_delete(&dp->nics, node);
    }
    index_set_remove(&dp->targets, ifindex);
    index_set_remove(&dp->foreign, ifindex);
    fake_watches_del(&dp->watches, ifindex);
    fake_direct_remove_device(&dp->direct, ifindex);
}

/* Returns how many operations there were. */
unsigned int
dp_fake_n_changes(const struct dp *dp)
{
    return dp->n_changes;
}
