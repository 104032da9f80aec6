/* SPDX-License-Identifier: Apache-2.0 */
/* The libbpf back end: opening and closing.  See plugin/datapath-bpf.h for the
 * other files and for what lies below the pin directory. */
#include <config.h>

#include "plugin/datapath-bpf.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <unistd.h>

#include "openvswitch/vlog.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(datapath_bpf);

static int dp_bpf_open(const struct dp_config *, struct dp **);
static void dp_bpf_close(struct dp *, bool cleanup);
static int dp_bpf_remove(const char *pin_dir, struct svec *remains);
static int dp_bpf_attach_nic(struct dp *, const struct dp_nic *);
static int dp_bpf_attach_sink(struct dp *, const char *name, int ifindex);
static int dp_bpf_commit(struct dp *);

const struct dp_class datapath_bpf_class = {
    .open = dp_bpf_open,
    .close = dp_bpf_close,
    .remove = dp_bpf_remove,
    .dump_endpoints = endpoints_dump,
    .find_endpoint = endpoints_find,
    .put_endpoint = endpoints_put,
    .del_endpoint = endpoints_del,
    .put_target = targets_put,
    .del_target = targets_del,
    .has_target = targets_has,
    .attach_nic = dp_bpf_attach_nic,
    .detach_nic = nics_detach,
    .dump_nics = nics_dump,
    .attach_sink = dp_bpf_attach_sink,
    .beat = heartbeat_write,
    .last_beat = heartbeat_read,
    .put_acl = acl_sets_put,
    .put_acl_class = acl_sets_put_class,
    .del_acl_class = acl_sets_del_class,
    .del_acl = acl_sets_del,
    .put_acl_source = acls_put_source,
    .del_acl_source = acls_del_source,
    .acl_hits = acl_sets_hits,
    .lease = acls_lease,
    .last_lease = acls_last_lease,
    .put_watch = watches_put,
    .del_watch = watches_del,
    .sweep_opened = opened_sweep,
    .missed_opened = opened_missed,
    .learn_opened = opened_learn,
    .tracking = tracked_get,
    .settle_tracking = tracked_settle,
    .put_direct_device = l3_devices_put,
    .del_direct_device = l3_devices_del,
    .sweep_direct_devices = l3_devices_sweep,
    .reap_direct = l3_reap,
    .put_direct = l3_ports_put,
    .del_direct = l3_ports_del,
    .void_direct = l3_ports_void,
    .dump_direct = l3_ports_dump,
    .direct_half_checksum = l3_ports_half_checksum,
    .set_direct_times = l3_ports_set_times,
    .dump_flows = l3_flows_dump,
    .dump_some_flows = l3_flows_dump_some,
    .del_flow = l3_flows_del,
    .probe_flows = probes_send,
    .direct_counters = l3_counters,
    .commit = dp_bpf_commit,
    .endpoint_counter = endpoints_counter,
    .endpoint_drops = endpoints_drops,
    .nic_counters = nics_counters,
    .redirect_errors = events_dump,
    .probe = kernel_probe,
};

/* Returns a 'dp' for 'config' that holds nothing yet. */
static struct dp *
dp_bpf_alloc(const struct dp_config *config)
{
    struct dp *dp = xzalloc(sizeof *dp);
    size_t length = strlen(config->pin_dir);

    while (length > 1 && config->pin_dir[length - 1] == '/') {
        length--;
    }
    dp->pin_dir = xmemdup0(config->pin_dir, length);
    dp->lock_fd = -1;
    dp->max_endpoints = config->max_endpoints;
    dp->max_flows = config->max_flows;
    generation_init(&dp->gen);
    events_init(&dp->events);
    opened_init(&dp->opened);
    acls_init(&dp->acls);
    injector_init(&dp->injector);
    l3_init(&dp->l3);
    hmap_init(&dp->endpoints);
    ovs_list_init(&dp->nics);
    return dp;
}

/* Takes or makes everything that 'dp' consists of. */
static int
dp_bpf_start(struct dp *dp)
{
    int error;

    dp->n_cpus = libbpf_num_possible_cpus();
    if (dp->n_cpus < 0) {
        return -dp->n_cpus;
    }
    dp->scratch = xcalloc(dp->n_cpus, sizeof(struct ox_counter));
    error = pins_lock(dp->pin_dir, &dp->lock_fd);
    if (error) {
        return error;
    }
    error = generation_open(dp);
    if (!error) {
        error = endpoints_adopt(dp);
    }
    if (!error) {
        error = nics_adopt(dp);
    }
    if (!error) {
        error = acls_end_lease(dp);
    }
    if (!error) {
        events_open(dp);
    }
    return error;
}

/* Opens the datapath that 'config' describes and stores it in '*dpp'. */
static int
dp_bpf_open(const struct dp_config *config, struct dp **dpp)
{
    struct dp *dp;
    int error;

    load_init();
    dp = dp_bpf_alloc(config);
    error = dp_bpf_start(dp);
    if (error) {
        dp_bpf_close(dp, false);
        dp = NULL;
    }
    *dpp = dp;
    return error;
}

/* Detaches and unpins everything of 'dp', which has the lock. */
static void
dp_bpf_remove_all(struct dp *dp)
{
    nics_remove_all(dp);
    events_remove_all(dp);
    watches_remove_all(dp);
    l3_remove_all(dp);
    generation_remove_all(dp);
    pins_remove_dir(dp->pin_dir);
}

/* Frees 'dp'.  With 'cleanup', nothing of it stays in the kernel. */
static void
dp_bpf_close(struct dp *dp, bool cleanup)
{
    if (!dp) {
        return;
    }
    if (cleanup) {
        dp_bpf_remove_all(dp);
    }
    events_close(&dp->events);
    watches_destroy(dp);
    opened_close(&dp->opened);
    acls_close(&dp->acls);
    injector_close(&dp->injector);
    l3_close(&dp->l3);
    nics_destroy(dp);
    endpoints_destroy(dp);
    generation_close(&dp->gen);
    if (dp->lock_fd >= 0) {
        close(dp->lock_fd);
    }
    free(dp->scratch);
    free(dp->pin_dir);
    free(dp);
}

/* Removes all that is below 'pin_dir', and adds to 'remains' what stays. */
static int
dp_bpf_remove(const char *pin_dir, struct svec *remains)
{
    struct dp_config config = { .pin_dir = pin_dir };
    struct dp *dp;
    int error;

    if (access(pin_dir, F_OK)) {
        return errno == ENOENT ? 0 : errno;
    }
    load_init();
    dp = dp_bpf_alloc(&config);
    error = pins_lock(dp->pin_dir, &dp->lock_fd);
    if (!error) {
        dp_bpf_remove_all(dp);
        pins_list_all(dp->pin_dir, remains);
    }
    dp_bpf_close(dp, false);
    return error;
}

/* Attaches the program that redirects. */
static int
dp_bpf_attach_nic(struct dp *dp, const struct dp_nic *nic)
{
    return nics_attach(dp, nic, false);
}

/* Attaches the program that drops everything to device 'name', a veth, which
 * always takes a native program. */
static int
dp_bpf_attach_sink(struct dp *dp, const char *name, int ifindex)
{
    struct dp_nic nic = { .ifindex = ifindex, .mode = DP_NATIVE };

    ovs_strlcpy(nic.name, name, sizeof nic.name);
    return nics_attach(dp, &nic, true);
}

/* Removes what earlier daemons have left and nobody uses any more. */
static int
dp_bpf_commit(struct dp *dp)
{
    nics_sweep(dp);
    watches_commit(dp);
    generation_remove_others(dp);
    return 0;
}
