/* SPDX-License-Identifier: Apache-2.0 */
/* The devices where connections that VMs open are looked for, by a program at
 * TC (plugin/datapath-bpf-tc.c).
 *
 * The map 'watched' says since when each is watched, with the id of the link
 * or of the filter's program: what has another id is another watch, and so is
 * one that a daemon was killed at. */
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

/* Name of the filter among others in its place: "oxwd". */
#define FILTER_HANDLE 0x6f787764

/* A watched device. */
struct bpf_watch {
    struct ovs_list node;       /* In struct opened. */
    int ifindex;                /* Device. */
    enum dp_watch_side side;    /* Where. */
    struct tc_program tc;       /* The program there. */
    long long int since;        /* time_msec() since when. */
};

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

/* Notes that 'w', which is attached, has been there since when it has. */
static int
write_since(const struct dp *dp, const struct bpf_watch *w)
{
    struct ox_watched watched = {
        .since_ns = w->since * UINT64_C(1000000),
        .id = w->tc.id,
        .side = ((w->side == DP_WATCH_EGRESS ? OX_WATCH_EGRESS
                  : OX_WATCH_INGRESS)
                 | (w->tc.link_fd < 0 ? OX_WATCH_FILTER : 0)),
    };
    uint32_t key = w->ifindex;
    int error = -bpf_map_update_elem(dp->opened.fds[OPENED_WATCHED], &key,
                                     &watched, BPF_ANY);

    return error == E2BIG ? ENOSPC : error;
}

/* Attaches 'w'. */
static int
watch_attach(const struct dp *dp, struct bpf_watch *w)
{
    uint32_t before;
    int error;

    error = tc_attach(&w->tc, dp->opened.program_fd, &before);
    if (error) {
        return error;
    }
    w->since = (before ? read_since(dp, w->ifindex, w->side, before)
                : time_msec());
    return write_since(dp, w);
}

/* Forgets what is noted of device 'ifindex'. */
static void
forget_since(const struct dp *dp, int ifindex)
{
    uint32_t key = ifindex;

    bpf_map_delete_elem(dp->opened.fds[OPENED_WATCHED], &key);
}

/* Returns a watch of device 'ifindex', not attached yet. */
static struct bpf_watch *
watch_create(struct dp *dp, int ifindex, enum dp_watch_side side)
{
    struct bpf_watch *w = xmalloc(sizeof *w);

    *w = (struct bpf_watch) { .ifindex = ifindex, .side = side };
    tc_init(&w->tc, ifindex, side == DP_WATCH_EGRESS, FILTER_HANDLE,
            link_path(dp, ifindex));
    ovs_list_push_back(&dp->opened.watches, &w->node);
    return w;
}

/* Detaches 'w' and frees it. */
static void
watch_remove(struct dp *dp, struct bpf_watch *w)
{
    forget_since(dp, w->ifindex);
    tc_detach(&w->tc);
    tc_close(&w->tc);
    ovs_list_remove(&w->node);
    free(w);
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
    if (w && (w->side != side || !tc_is_alive(&w->tc))) {
        watch_remove(dp, w);
        w = NULL;
    }
    if (w) {
        tc_repair_pin(&w->tc);
        *since = w->since;
        return 0;
    }
    w = watch_create(dp, ifindex, side);
    error = watch_attach(dp, w);
    if (error) {
        watch_remove(dp, w);
    } else {
        *since = w->since;
        opened_learn_all(&dp->opened, w->since);
        l3_ports_follow(dp, false);
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
            pins_remove_link(pin);
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
    struct tc_program t;

    tc_init(&t, ifindex, (watched->side & OX_WATCH_EGRESS) != 0,
            FILTER_HANDLE, NULL);
    if (watched->side & OX_WATCH_FILTER
        && tc_filter_program(&t) == watched->id) {
        tc_filter_remove(&t);
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
        tc_close(&w->tc);
        free(w);
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
