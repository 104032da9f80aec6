/* SPDX-License-Identifier: Apache-2.0 */
/* Counters of redirects that failed after the verdict, by two programs on
 * tracepoints.  They are pinned, as the NICs' programs go on without a daemon.
 *
 * A kernel may refuse them (no BTF, lockdown).  Then there are no counters,
 * and everything else works. */
#include <config.h>

#include "plugin/datapath-bpf.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "openvswitch/vlog.h"
#include "util.h"

#include "bpf/events.skel.h"

VLOG_DEFINE_THIS_MODULE(datapath_events);

static int start(struct dp *, struct events_bpf *, const char *dir);
static void sync_index(const struct dp *);

/* Makes 'events' hold nothing. */
void
events_init(struct events *events)
{
    events->error = 0;
    events->index_fd = events->errors_fd = -1;
}

/* Starts to count, or goes on with the counters of an earlier daemon.  A
 * failure is noted, and returned by events_dump(). */
void
events_open(struct dp *dp)
{
    struct events *events = &dp->events;
    struct events_bpf *skel;
    char *dir;

    dir = xasprintf("%s/events", dp->pin_dir);
    skel = events_bpf__open();
    events->error = skel ? start(dp, skel, dir) : errno;
    events_bpf__destroy(skel);
    if (events->error) {
        VLOG_WARN("redirect errors are not counted (%s)",
                  ovs_strerror(events->error));
    } else {
        sync_index(dp);
    }
    free(dir);
}

/* Lets go of 'events'; the programs go on counting. */
void
events_close(struct events *events)
{
    if (events->index_fd >= 0) {
        close(events->index_fd);
    }
    if (events->errors_fd >= 0) {
        close(events->errors_fd);
    }
    events_init(events);
}

/* Detaches and unpins everything. */
void
events_remove_all(const struct dp *dp)
{
    char *dir = xasprintf("%s/events", dp->pin_dir);

    pins_remove_dir(dir);
    free(dir);
}

/* Counts for redirects from device 'ifindex', whose row in 'nics' is 'slot',
 * from now on. */
void
events_add_nic(const struct dp *dp, int ifindex, uint32_t slot)
{
    uint32_t key = ifindex;

    if (dp->events.index_fd >= 0) {
        bpf_map_update_elem(dp->events.index_fd, &key, &slot, BPF_ANY);
    }
}

/* Counts no more for redirects from device 'ifindex'. */
void
events_del_nic(const struct dp *dp, int ifindex)
{
    uint32_t key = ifindex;

    if (dp->events.index_fd >= 0) {
        bpf_map_delete_elem(dp->events.index_fd, &key);
    }
}

/* Calls 'cb' for each error that was met. */
int
events_dump(const struct dp *dp, dp_redirect_error_cb *cb, void *aux)
{
    const uint64_t *values = dp->scratch;

    if (dp->events.error) {
        return dp->events.error;
    }
    for (uint32_t i = 0; i < OX_MAX_ERRNO; i++) {
        uint64_t packets = 0;
        int error;

        error = -bpf_map_lookup_elem(dp->events.errors_fd, &i, dp->scratch);
        if (error) {
            return error;
        }
        for (int cpu = 0; cpu < dp->n_cpus; cpu++) {
            packets += values[cpu];
        }
        if (packets) {
            cb(i, packets, aux);
        }
    }
    return 0;
}

/* Has 'map', not loaded yet, use what is pinned as 'dir'/NAME if that fits;
 * removes the pin if not. */
static int
reuse_map(struct bpf_map *map, const char *dir)
{
    char *path = xasprintf("%s/%s", dir, bpf_map__name(map));
    int error, fd;

    error = pins_get(path, &fd);
    if (fd >= 0) {
        error = map_matches(map, fd);
        if (error == EINVAL) {
            pins_remove(path);
            error = 0;
        } else if (!error) {
            error = -bpf_map__reuse_fd(map, fd);
        }
        close(fd);
    }
    free(path);
    return error;
}

/* Pins the loaded 'map' in 'dir', unless it is there, and stores a file
 * descriptor of it in '*fdp'. */
static int
keep_map(const struct bpf_map *map, const char *dir, int *fdp)
{
    char *path = xasprintf("%s/%s", dir, bpf_map__name(map));
    int error = 0;

    *fdp = fcntl(bpf_map__fd(map), F_DUPFD_CLOEXEC, 3);
    if (*fdp < 0) {
        error = errno;
    } else if (access(path, F_OK)) {
        error = pins_put(*fdp, path);
    }
    free(path);
    return error;
}

/* Attaches the loaded 'prog' and pins its link in 'dir', in the place of that
 * of an earlier daemon.  The new one runs before the old one ends. */
static int
attach(const struct bpf_program *prog, const char *dir)
{
    char *path = xasprintf("%s/%s", dir, bpf_program__name(prog));
    struct bpf_link *link;
    int error;

    link = bpf_program__attach(prog);
    error = link ? pins_put(bpf_link__fd(link), path) : errno;
    bpf_link__destroy(link);
    free(path);
    return error;
}

/* Returns the inode number of this process's network namespace. */
static uint32_t
netns_inode(void)
{
    struct stat status;

    return stat("/proc/self/ns/net", &status) ? 0 : status.st_ino;
}

/* Loads and attaches what is in 'skel', and pins it in 'dir'. */
static int
start(struct dp *dp, struct events_bpf *skel, const char *dir)
{
    int error;

    error = pins_make_dir(dir);
    if (error) {
        return error;
    }
    skel->rodata->netns_inum = netns_inode();
    error = reuse_map(skel->maps.nic_index, dir);
    if (!error) {
        error = reuse_map(skel->maps.redirect_errors, dir);
    }
    if (!error) {
        error = -events_bpf__load(skel);
    }
    if (error) {
        return error;
    }
    error = keep_map(skel->maps.nic_index, dir, &dp->events.index_fd);
    if (!error) {
        error = keep_map(skel->maps.redirect_errors, dir,
                         &dp->events.errors_fd);
    }
    if (!error) {
        error = attach(skel->progs.redirect_err, dir);
    }
    return error ? error : attach(skel->progs.devmap_xmit, dir);
}

/* Makes 'nic_index' hold the NICs of 'dp' and no others. */
static void
sync_index(const struct dp *dp)
{
    uint32_t keys[OX_MAX_NICS], *last = NULL;
    const struct bpf_nic *nic;
    size_t n = 0;

    while (n < OX_MAX_NICS
           && !bpf_map_get_next_key(dp->events.index_fd, last, &keys[n])) {
        last = &keys[n++];
    }
    for (size_t i = 0; i < n; i++) {
        events_del_nic(dp, keys[i]);
    }
    LIST_FOR_EACH (nic, node, &dp->nics) {
        if (!nic->sink) {
            events_add_nic(dp, nic->nic.ifindex, nic->slot);
        }
    }
}
