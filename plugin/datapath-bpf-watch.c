/* SPDX-License-Identifier: Apache-2.0 */
/* The devices where connections that VMs open are looked for: by a pinned TCX
 * link, or where the kernel has none (before Linux 6.6) by a filter of clsact,
 * which stays by itself.
 *
 * The map 'watched' says since when each is watched, with the id of the link
 * or of the filter's program: what has another id is another watch, and so is
 * one that a daemon was killed at.  A program is replaced without a gap.
 *
 * The program comes first in its place, and lets whatever comes next decide:
 * other programs and filters notice nothing of it.  A clsact qdisc that was
 * made for it stays, as others may use it. */
#include <config.h>

#include "plugin/datapath-bpf.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <unistd.h>

#include "openvswitch/vlog.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(datapath_watch);

/* Older headers lack them (Linux 6.6). */
#define OX_LINK_TYPE_TCX 11
#define OX_TCX_INGRESS ((enum bpf_attach_type) 46)
#define OX_TCX_EGRESS ((enum bpf_attach_type) 47)
#ifndef BPF_F_BEFORE
#define BPF_F_BEFORE (1U << 3)
#endif

/* Place of the filter, the first, and its name among others there: "oxwd". */
#define FILTER_PRIORITY 1
#define FILTER_HANDLE 0x6f787764

/* Programs of a device among which ours is looked for. */
#define MAX_PROGRAMS 64

/* A watched device. */
struct bpf_watch {
    struct ovs_list node;       /* In struct opened. */
    int ifindex;                /* Device. */
    enum dp_watch_side side;    /* Where. */
    int link_fd;                /* Its link, or -1: a filter. */
    long long int since;        /* time_msec() since when. */
};

/* Whether TCX is left unused. */
static bool no_tcx;

/* Leaves TCX unused if 'yes', as on kernels that have none.  For tests. */
void
watches_set_no_tcx(bool yes)
{
    no_tcx = yes;
}

/* Returns the path of the pin for the link of 'ifindex'.  The caller frees
 * it. */
static char *
link_path(const struct dp *dp, int ifindex)
{
    return xasprintf("%s/watch/link-%d", dp->pin_dir, ifindex);
}

/* Returns the ifindex of the link's pin 'path', or 0 if it is none. */
static int
path_to_ifindex(const char *path)
{
    const char *name = strrchr(path, '/') + 1;
    int ifindex, n = 0;

    return ovs_scan(name, "link-%d%n", &ifindex, &n) && !name[n] ? ifindex : 0;
}

/* Returns the watch of device 'ifindex', or NULL. */
static struct bpf_watch *
watch_find(const struct dp *dp, int ifindex)
{
    struct bpf_watch *w;

    LIST_FOR_EACH (w, node, &dp->opened.watches) {
        if (w->ifindex == ifindex) {
            return w;
        }
    }
    return NULL;
}

/* Returns where links of 'side' are attached. */
static enum bpf_attach_type
side_to_type(enum dp_watch_side side)
{
    return side == DP_WATCH_INGRESS ? OX_TCX_INGRESS : OX_TCX_EGRESS;
}

/* Returns true if program 'id' is attached to device 'ifindex' of this network
 * namespace by TCX. */
static bool
runs_program(int ifindex, enum dp_watch_side side, uint32_t id)
{
    uint32_t ids[MAX_PROGRAMS] = { 0 };
    LIBBPF_OPTS(bpf_prog_query_opts, opts,
                .prog_ids = ids, .prog_cnt = MAX_PROGRAMS);

    if (bpf_prog_query_opts(ifindex, side_to_type(side), &opts)) {
        return false;
    }
    for (uint32_t i = 0; i < opts.prog_cnt; i++) {
        if (ids[i] == id) {
            return true;
        }
    }
    return false;
}

/* Returns true if the link 'fd' is one of 'side' of device 'ifindex', and
 * stores its id. */
static bool
link_fits(int fd, int ifindex, enum dp_watch_side side, uint32_t *id)
{
    struct bpf_link_info info = { .id = 0 };
    uint32_t size = sizeof info;

    if (bpf_obj_get_info_by_fd(fd, &info, &size)
        || info.type != OX_LINK_TYPE_TCX
        || info.xdp.ifindex != ifindex) {
        return false;
    }
    *id = info.id;
    return runs_program(ifindex, side, info.prog_id);
}

/* Returns the place of the filters of 'side' of device 'ifindex'. */
static struct bpf_tc_hook
filter_hook(int ifindex, enum dp_watch_side side)
{
    LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex,
                .attach_point = (side == DP_WATCH_INGRESS
                                 ? BPF_TC_INGRESS : BPF_TC_EGRESS));

    return hook;
}

/* Returns the id of the program that the filter of 'side' of device 'ifindex'
 * has, or 0 if there is no such filter. */
static uint32_t
filter_program(int ifindex, enum dp_watch_side side)
{
    struct bpf_tc_hook hook = filter_hook(ifindex, side);
    LIBBPF_OPTS(bpf_tc_opts, opts, .handle = FILTER_HANDLE,
                .priority = FILTER_PRIORITY);

    return bpf_tc_query(&hook, &opts) ? 0 : opts.prog_id;
}

/* Removes the filter of 'side' of device 'ifindex'. */
static void
filter_remove(int ifindex, enum dp_watch_side side)
{
    struct bpf_tc_hook hook = filter_hook(ifindex, side);
    LIBBPF_OPTS(bpf_tc_opts, opts, .handle = FILTER_HANDLE,
                .priority = FILTER_PRIORITY);

    bpf_tc_detach(&hook, &opts);
}

/* Returns the id of the program of 'dp'. */
static uint32_t
own_program(const struct dp *dp)
{
    struct bpf_prog_info info = { .id = 0 };
    uint32_t size = sizeof info;

    return bpf_obj_get_info_by_fd(dp->opened.program_fd, &info, &size)
           ? 0 : info.id;
}

/* Returns since when the watch 'id' of device 'ifindex' has been there,
 * time_msec(), or now if nobody has noted it. */
static long long int
read_since(const struct dp *dp, int ifindex, enum dp_watch_side side,
           uint32_t id)
{
    struct ox_watched watched;
    uint32_t key = ifindex;

    return (!bpf_map_lookup_elem(dp->opened.fds[OPENED_WATCHED], &key,
                                 &watched)
            && watched.id == id && watched.since_ns
            && (watched.side & OX_WATCH_EGRESS) == side)
           ? watched.since_ns / 1000000 : time_msec();
}

/* Notes that 'w', whose link or program is 'id', has been there since when it
 * has. */
static int
write_since(const struct dp *dp, const struct bpf_watch *w, uint32_t id)
{
    struct ox_watched watched = {
        .since_ns = w->since * UINT64_C(1000000),
        .id = id,
        .side = ((w->side == DP_WATCH_EGRESS ? OX_WATCH_EGRESS
                  : OX_WATCH_INGRESS)
                 | (w->link_fd < 0 ? OX_WATCH_FILTER : 0)),
    };
    uint32_t key = w->ifindex;
    int error = -bpf_map_update_elem(dp->opened.fds[OPENED_WATCHED], &key,
                                     &watched, BPF_ANY);

    return error == E2BIG ? ENOSPC : error;
}

/* Takes over the link of 'w' that an earlier daemon has pinned: it runs the
 * program of 'dp' from the next packet on.  ENOENT if there is none, or none
 * that can be used. */
static int
adopt_link(const struct dp *dp, struct bpf_watch *w, uint32_t *id)
{
    char *path = link_path(dp, w->ifindex);
    int error, fd;

    error = pins_get(path, &fd);
    if (!error && (fd < 0 || !link_fits(fd, w->ifindex, w->side, id)
                   || bpf_link_update(fd, dp->opened.program_fd, NULL))) {
        error = ENOENT;
    }
    if (!error) {
        w->link_fd = fd;
        w->since = read_since(dp, w->ifindex, w->side, *id);
    } else if (fd >= 0) {
        bpf_link_detach(fd);
        close(fd);
    }
    free(path);
    return error;
}

/* Gives 'w' a new link.  EOPNOTSUPP if the kernel has none of TCX. */
static int
create_link(const struct dp *dp, struct bpf_watch *w, uint32_t *id)
{
    LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = BPF_F_BEFORE);
    char *path;
    int error;
    int fd;

    fd = bpf_link_create(dp->opened.program_fd, w->ifindex,
                         side_to_type(w->side), &opts);
    if (fd < 0) {
        return fd == -EINVAL ? EOPNOTSUPP : -fd;
    }
    w->link_fd = fd;
    w->since = time_msec();
    path = link_path(dp, w->ifindex);
    error = link_fits(fd, w->ifindex, w->side, id) ? 0 : ENODEV;
    if (!error) {
        error = pins_put(fd, path);
    }
    free(path);
    return error;
}

/* Gives 'w' a filter, or the filter that is there the program of 'dp'. */
static int
put_filter(const struct dp *dp, struct bpf_watch *w, uint32_t *id)
{
    struct bpf_tc_hook hook = filter_hook(w->ifindex, w->side);
    uint32_t before = filter_program(w->ifindex, w->side);
    LIBBPF_OPTS(bpf_tc_opts, opts, .handle = FILTER_HANDLE,
                .priority = FILTER_PRIORITY,
                .prog_fd = dp->opened.program_fd,
                .flags = before ? BPF_TC_F_REPLACE : 0);
    int error;

    error = -bpf_tc_hook_create(&hook);
    if (!error || error == EEXIST) {
        error = -bpf_tc_attach(&hook, &opts);
    }
    if (!error) {
        *id = own_program(dp);
        w->since = (before ? read_since(dp, w->ifindex, w->side, before)
                    : time_msec());
    }
    return error;
}

/* Attaches 'w'. */
static int
watch_attach(const struct dp *dp, struct bpf_watch *w)
{
    int error = EOPNOTSUPP;
    uint32_t id = 0;

    if (!no_tcx) {
        error = adopt_link(dp, w, &id);
        if (error == ENOENT) {
            error = create_link(dp, w, &id);
        }
    }
    if (error == EOPNOTSUPP) {
        error = put_filter(dp, w, &id);
    }
    return error ? error : write_since(dp, w, id);
}

/* Forgets what is noted of device 'ifindex'. */
static void
forget_since(const struct dp *dp, int ifindex)
{
    uint32_t key = ifindex;

    bpf_map_delete_elem(dp->opened.fds[OPENED_WATCHED], &key);
}

/* Frees 'w', which stays attached. */
static void
watch_free(struct bpf_watch *w)
{
    if (w->link_fd >= 0) {
        close(w->link_fd);
    }
    free(w);
}

/* Detaches 'w' and frees it. */
static void
watch_remove(struct dp *dp, struct bpf_watch *w)
{
    forget_since(dp, w->ifindex);
    if (w->link_fd >= 0) {
        char *path = link_path(dp, w->ifindex);

        bpf_link_detach(w->link_fd);
        pins_remove(path);
        free(path);
    } else {
        filter_remove(w->ifindex, w->side);
    }
    ovs_list_remove(&w->node);
    watch_free(w);
}

/* Returns true if 'w' still looks at its device. */
static bool
watch_is_alive(const struct dp *dp, const struct bpf_watch *w)
{
    uint32_t id;

    return (w->link_fd >= 0
            ? link_fits(w->link_fd, w->ifindex, w->side, &id)
            : filter_program(w->ifindex, w->side) == own_program(dp));
}

/* Pins the link of 'w' again if somebody has removed the pin. */
static void
repair_pin(const struct dp *dp, const struct bpf_watch *w)
{
    char *path = link_path(dp, w->ifindex);

    if (w->link_fd >= 0 && access(path, F_OK)
        && !pins_put(w->link_fd, path)) {
        VLOG_WARN("%s: was removed, pinned again", path);
    }
    free(path);
}

/* See 'put_watch' in plugin/datapath.h. */
int
watches_put(struct dp *dp, int ifindex, enum dp_watch_side side,
            long long int *since)
{
    struct bpf_watch *w;
    int error;

    error = opened_open(dp);
    if (error) {
        return error;
    }
    w = watch_find(dp, ifindex);
    if (w && (w->side != side || !watch_is_alive(dp, w))) {
        watch_remove(dp, w);
        w = NULL;
    }
    if (w) {
        repair_pin(dp, w);
        *since = w->since;
        return 0;
    }
    w = xmalloc(sizeof *w);
    *w = (struct bpf_watch) {
        .ifindex = ifindex, .side = side, .link_fd = -1 };
    ovs_list_push_back(&dp->opened.watches, &w->node);
    error = watch_attach(dp, w);
    if (error) {
        watch_remove(dp, w);
    } else {
        *since = w->since;
        opened_learn_all(&dp->opened, w->since);
        VLOG_DBG("device %d: watched", ifindex);
    }
    return error;
}

/* See 'del_watch' in plugin/datapath.h. */
int
watches_del(struct dp *dp, int ifindex)
{
    struct bpf_watch *w = watch_find(dp, ifindex);

    if (!w) {
        return ENOENT;
    }
    watch_remove(dp, w);
    return 0;
}

/* Detaches and unpins the links below the pin directory of 'dp' that are not
 * its own. */
static void
sweep_links(const struct dp *dp)
{
    struct svec pins = SVEC_EMPTY_INITIALIZER;
    char *dir = opened_dir(dp);
    const char *pin;
    size_t i;

    pins_list(dir, &pins);
    SVEC_FOR_EACH (i, pin, &pins) {
        int ifindex = path_to_ifindex(pin);

        if (ifindex && pins_is_pin(pin) && !watch_find(dp, ifindex)) {
            int fd = bpf_obj_get(pin);

            if (fd >= 0) {
                bpf_link_detach(fd);
                close(fd);
            }
            pins_remove(pin);
        }
    }
    svec_destroy(&pins);
    free(dir);
}

/* Removes the filter that 'watched' notes for device 'ifindex', if it is
 * still the same. */
static void
sweep_filter(const struct ox_watched *watched, int ifindex)
{
    enum dp_watch_side side = (watched->side & OX_WATCH_EGRESS
                               ? DP_WATCH_EGRESS : DP_WATCH_INGRESS);

    if (watched->side & OX_WATCH_FILTER
        && filter_program(ifindex, side) == watched->id) {
        filter_remove(ifindex, side);
    }
}

/* Removes the filters, and forgets all devices, that the map 'fd' notes and
 * that are not watched by 'dp'. */
static void
sweep_watched(const struct dp *dp, int fd)
{
    uint32_t keys[OX_MAX_WATCHED], *last = NULL;
    size_t n = 0;

    while (n < OX_MAX_WATCHED && !bpf_map_get_next_key(fd, last, &keys[n])) {
        last = &keys[n++];
    }
    for (size_t i = 0; i < n; i++) {
        struct ox_watched watched;

        if (keys[i] && !watch_find(dp, keys[i])
            && !bpf_map_lookup_elem(fd, &keys[i], &watched)) {
            sweep_filter(&watched, keys[i]);
            bpf_map_delete_elem(fd, &keys[i]);
        }
    }
}

/* Detaches what an earlier daemon has watched and this one does not.  If it
 * watches nothing, the connections are forgotten, too. */
void
watches_commit(struct dp *dp)
{
    if (dp->opened.program_fd >= 0) {
        sweep_links(dp);
        sweep_watched(dp, dp->opened.fds[OPENED_WATCHED]);
    } else {
        watches_remove_all(dp);
    }
}

/* Frees the watches of 'dp', which stay attached. */
void
watches_destroy(struct dp *dp)
{
    struct bpf_watch *w;

    LIST_FOR_EACH_POP (w, node, &dp->opened.watches) {
        watch_free(w);
    }
}

/* Detaches and unpins everything, adopted or not. */
void
watches_remove_all(struct dp *dp)
{
    char *dir = opened_dir(dp);
    char *path = xasprintf("%s/watched", dir);
    struct bpf_watch *w;
    int fd;

    LIST_FOR_EACH_SAFE (w, node, &dp->opened.watches) {
        watch_remove(dp, w);
    }
    sweep_links(dp);
    fd = bpf_obj_get(path);
    if (fd >= 0) {
        struct bpf_map_info info = { .id = 0 };
        uint32_t size = sizeof info;

        if (!bpf_obj_get_info_by_fd(fd, &info, &size)
            && info.key_size == sizeof(uint32_t)
            && info.value_size == sizeof(struct ox_watched)) {
            sweep_watched(dp, fd);
        }
        close(fd);
    }
    pins_remove_dir(dir);
    free(path);
    free(dir);
}
