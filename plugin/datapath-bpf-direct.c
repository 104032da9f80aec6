/* SPDX-License-Identifier: Apache-2.0 */
/* Layer L3: the maps, which outlive the daemon so that its flows do, and the
 * programs of bpf/direct.bpf.c, each of which is loaded when a device needs
 * it.  Ports, devices and flows are in plugin/datapath-bpf-direct-*.c.
 *
 * Where the maps of an earlier daemon are replaced by others, its flows are
 * made void first: nobody would do that any more. */
#include <config.h>

#include "plugin/datapath-bpf.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "entropy.h"
#include "openvswitch/vlog.h"
#include "timeval.h"
#include "util.h"

#include "bpf/direct.skel.h"

VLOG_DEFINE_THIS_MODULE(datapath_direct);

/* Names of the maps, in the objects and as pins. */
static const char *const map_names[N_L3_MAPS] = {
    [L3_FLOWS4] = "flows4",
    [L3_FLOWS6] = "flows6",
    [L3_ADDRS] = "direct_addrs",
    [L3_PORTS] = "direct_ports",
    [L3_ARRIVALS] = "arrivals",
    [L3_DEVICES] = "direct_devices",
    [L3_REASONS] = "direct_reasons",
    [L3_STATE] = "direct_state",
};

/* Names of the programs. */
static const char *const program_names[N_L3_PROGRAMS] = {
    [L3_VM_NEAR] = "vm_near",
    [L3_VM_NEAR_TC] = "vm_near_tc",
    [L3_NIC_NEAR_TC] = "nic_near_tc",
    [L3_VM_FAR] = "vm_far",
    [L3_NIC_FAR] = "nic_far",
};

/* A program that is loaded. */
struct l3_loaded {
    struct ovs_list node;       /* In struct l3. */
    struct l3_choice choice;    /* Which. */
    int fd;                     /* File descriptor. */
};

/* Length of the elements of L3_PORTS. */
#define ENTRIES_SIZE (OX_MAX_DIRECT_PORTS * sizeof(struct ox_direct_port))

/* Makes 'l3' hold nothing. */
void
l3_init(struct l3 *l3)
{
    memset(l3, 0, sizeof *l3);
    for (int i = 0; i < N_L3_MAPS; i++) {
        l3->fds[i] = -1;
    }
    ovs_list_init(&l3->programs);
    hmap_init(&l3->by_external);
    hmap_init(&l3->by_fixed);
    ovs_list_init(&l3->graves);
    ovs_list_init(&l3->devices);
}

/* Closes the 'n' file descriptors 'fds' that are open. */
static void
close_fds(int fds[], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (fds[i] >= 0) {
            close(fds[i]);
            fds[i] = -1;
        }
    }
}

/* Lets go of everything, which stays pinned and attached.  Only the times are
 * kept, for who opens the maps again. */
void
l3_close(struct l3 *l3)
{
    const uint32_t soft = l3->soft, step = l3->step, hard = l3->hard;
    struct l3_loaded *loaded;

    l3_devices_destroy(l3);
    l3_ports_destroy(l3);
    if (l3->entries) {
        munmap(l3->entries, ENTRIES_SIZE);
    }
    if (l3->state) {
        munmap(l3->state, sizeof *l3->state);
    }
    close_fds(l3->fds, N_L3_MAPS);
    LIST_FOR_EACH_POP (loaded, node, &l3->programs) {
        close(loaded->fd);
        free(loaded);
    }
    l3_init(l3);
    l3->soft = soft;
    l3->step = step;
    l3->hard = hard;
}

/* Returns the directory of the maps and links.  The caller frees it. */
char *
l3_dir(const struct dp *dp)
{
    return xasprintf("%s/direct", dp->pin_dir);
}

/* Returns true if 'map' is needed for layer L3 only. */
bool
l3_is_map(const struct bpf_map *map)
{
    for (int i = 0; i < N_L3_MAPS; i++) {
        if (!strcmp(bpf_map__name(map), map_names[i])) {
            return true;
        }
    }
    return false;
}

/* Returns the map of 'skel' that becomes map 'i'. */
static struct bpf_map *
skel_map(const struct direct_bpf *skel, int i)
{
    return bpf_object__find_map_by_name(skel->obj, map_names[i]);
}

/* Returns the path of the pin of map 'i' in 'dir'.  The caller frees it. */
static char *
map_path(const char *dir, int i)
{
    return xasprintf("%s/%s", dir, map_names[i]);
}

/* Opens what is pinned in 'dir' as 'fds', -1 for what is not there.  Returns 0
 * or a positive errno, with which nobody can tell. */
static int
open_pins(const char *dir, int fds[N_L3_MAPS])
{
    int error = 0;

    for (int i = 0; i < N_L3_MAPS; i++) {
        fds[i] = -1;
    }
    for (int i = 0; i < N_L3_MAPS && !error; i++) {
        char *path = map_path(dir, i);

        error = pins_get(path, &fds[i]);
        free(path);
    }
    return error;
}

/* Returns true if 'fds' are maps as those of 'skel', complete and of this
 * ABI. */
static bool
fit(const struct direct_bpf *skel, const int fds[N_L3_MAPS])
{
    struct ox_direct_state state = { .abi = 0 };
    uint32_t zero = 0;

    for (int i = 0; i < N_L3_MAPS; i++) {
        if (fds[i] < 0 || map_matches(skel_map(skel, i), fds[i])) {
            return false;
        }
    }
    return (!bpf_map_lookup_elem(fds[L3_STATE], &zero, &state)
            && state.abi == OX_ABI);
}

/* Maps the 'size' bytes of the elements of map 'fd'; NULL on error. */
static void *
map_elements(int fd, size_t size)
{
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    return p == MAP_FAILED ? NULL : p;
}

/* Makes all flows void that programs find by the ports in map 'fd', as far as
 * it is laid out as this daemon knows it. */
static void
void_ports(int fd)
{
    struct bpf_map_info info = { .id = 0 };
    uint32_t size = sizeof info;
    struct ox_direct_port *entries;

    if (bpf_obj_get_info_by_fd(fd, &info, &size)
        || info.type != BPF_MAP_TYPE_ARRAY
        || info.value_size != sizeof *entries
        || info.max_entries != OX_MAX_DIRECT_PORTS) {
        return;
    }
    entries = map_elements(fd, ENTRIES_SIZE);
    if (entries) {
        l3_ports_void_all(entries);
        munmap(entries, ENTRIES_SIZE);
    }
}

/* Unpins the maps in 'dir', after what is in 'fds', the same maps, was made
 * void. */
static void
discard(const char *dir, const int fds[N_L3_MAPS])
{
    if (fds[L3_PORTS] >= 0) {
        void_ports(fds[L3_PORTS]);
    }
    for (int i = 0; i < N_L3_MAPS; i++) {
        char *path = map_path(dir, i);

        pins_remove(path);
        free(path);
    }
}

/* Has 'skel' use the maps pinned in 'dir' if they fit, and says so in
 * '*adopted'; removes their pins otherwise. */
static int
adopt_maps(const struct direct_bpf *skel, const char *dir, bool *adopted)
{
    int fds[N_L3_MAPS];
    int error;

    error = open_pins(dir, fds);
    *adopted = !error && fit(skel, fds);
    if (*adopted) {
        error = maps_share(skel->obj, map_names, fds, N_L3_MAPS);
    } else if (!error) {
        discard(dir, fds);
    }
    close_fds(fds, N_L3_MAPS);
    return error;
}

/* Takes the maps of 'skel', which is loaded, for 'l3'. */
static int
take_maps(struct l3 *l3, const struct direct_bpf *skel)
{
    for (int i = 0; i < N_L3_MAPS; i++) {
        l3->fds[i] = fcntl(bpf_map__fd(skel_map(skel, i)), F_DUPFD_CLOEXEC, 3);
        if (l3->fds[i] < 0) {
            return errno;
        }
    }
    l3->entries = map_elements(l3->fds[L3_PORTS], ENTRIES_SIZE);
    l3->state = map_elements(l3->fds[L3_STATE], sizeof *l3->state);
    return l3->entries && l3->state ? 0 : ENOMEM;
}

/* Pins the new maps of 'l3' in 'dir', and then marks them as complete. */
static int
pin_maps(struct l3 *l3, const char *dir)
{
    int error;

    error = l3_ports_begin(l3->entries);
    if (!error) {
        error = get_entropy(&l3->state->secret, sizeof l3->state->secret);
    }
    for (int i = 0; i < N_L3_MAPS && !error; i++) {
        char *path = map_path(dir, i);

        error = pins_put(l3->fds[i], path);
        free(path);
    }
    if (!error) {
        __atomic_store_n(&l3->state->abi, OX_ABI, __ATOMIC_SEQ_CST);
    }
    return error;
}

/* Has 'skel' be loaded with program 'which' alone, or with none if that is
 * N_L3_PROGRAMS.  Other maps than those of layer L3 are those of 'dp'. */
static int
prepare(const struct dp *dp, const struct direct_bpf *skel,
        enum l3_program which)
{
    struct bpf_program *prog;
    struct bpf_map *map;

    bpf_object__for_each_program (prog, skel->obj) {
        bpf_program__set_autoload(
            prog, which < N_L3_PROGRAMS
                  && !strcmp(bpf_program__name(prog), program_names[which]));
    }
    bpf_object__for_each_map (map, skel->obj) {
        if (acls_is_map(map)) {
            bpf_map__set_autocreate(map, false);
        }
    }
    bpf_map__set_max_entries(skel->maps.flows4, dp->max_flows);
    bpf_map__set_max_entries(skel->maps.flows6, dp->max_flows);
    return generation_share(&dp->gen, skel->obj);
}

/* Takes the maps pinned in 'dir', or new ones made by 'skel', for 'dp'. */
static int
start(struct dp *dp, struct direct_bpf *skel, const char *dir)
{
    bool adopted;
    int error;

    error = pins_make_dir(dir);
    if (!error) {
        error = prepare(dp, skel, N_L3_PROGRAMS);
    }
    if (!error) {
        error = adopt_maps(skel, dir, &adopted);
    }
    if (!error) {
        error = -direct_bpf__load(skel);
    }
    if (!error) {
        error = take_maps(&dp->l3, skel);
    }
    if (!error && !adopted) {
        error = pin_maps(&dp->l3, dir);
    }
    if (!error) {
        error = l3_ports_adopt(dp);
    }
    if (!error) {
        VLOG_INFO("%s: %s", dir, adopted ? "adopted" : "created");
    }
    return error;
}

/* Opens the maps of 'dp', unless that is done. */
int
l3_open(struct dp *dp)
{
    struct l3 *l3 = &dp->l3;
    struct direct_bpf *skel;
    char *dir;
    int error;

    if (l3->open) {
        return 0;
    } else if (l3->error && time_msec() < l3->retry_at) {
        return l3->error;
    }
    dir = l3_dir(dp);
    skel = direct_bpf__open();
    error = skel ? start(dp, skel, dir) : errno;
    direct_bpf__destroy(skel);
    if (error) {
        static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 5);

        VLOG_WARN_RL(&rl, "%s: nothing can be forwarded directly (%s)", dir,
                     ovs_strerror(error));
        l3_close(l3);
        l3->retry_at = time_msec() + L2_RETRY_MS;
    }
    l3->open = !error;
    l3->error = error;
    free(dir);
    return error;
}

/* Gives the maps of 'dp', made if need be, to those of 'obj', not loaded yet,
 * that have the same names. */
int
l3_share(struct dp *dp, struct bpf_object *obj)
{
    int error = l3_open(dp);

    return (error ? error
            : maps_share(obj, map_names, dp->l3.fds, N_L3_MAPS));
}

/* Returns the program that 'choice' means if it is loaded, or NULL. */
static const struct l3_loaded *
find_loaded(const struct l3 *l3, const struct l3_choice *choice)
{
    const struct l3_loaded *loaded;

    LIST_FOR_EACH (loaded, node, &l3->programs) {
        if (loaded->choice.program == choice->program
            && loaded->choice.slot == choice->slot
            && loaded->choice.stale_timeout == choice->stale_timeout
            && loaded->choice.track == choice->track) {
            return loaded;
        }
    }
    return NULL;
}

/* Gives 'obj', not loaded yet, the maps of what VMs send. */
static int
share_opened(struct dp *dp, struct bpf_object *obj)
{
    struct bpf_map *map;

    bpf_object__for_each_map (map, obj) {
        if (opened_is_map(map)) {
            bpf_map__set_autocreate(map, true);
        }
    }
    return opened_share(dp, obj);
}

/* Loads the program that 'choice' means by 'skel', with the maps of 'dp', and
 * stores a file descriptor of it in '*fdp'. */
static int
load(struct dp *dp, const struct l3_choice *choice, struct direct_bpf *skel,
     int *fdp)
{
    const struct bpf_program *prog = bpf_object__find_program_by_name(
        skel->obj, program_names[choice->program]);
    int error;

    skel->rodata->nic_slot = choice->slot;
    skel->rodata->stale_ns = choice->stale_timeout * UINT64_C(1000000000);
    skel->rodata->track = choice->track;
    error = prepare(dp, skel, choice->program);
    if (!error) {
        error = l3_share(dp, skel->obj);
    }
    if (!error && choice->track) {
        error = share_opened(dp, skel->obj);
    }
    if (!error) {
        error = -direct_bpf__load(skel);
    }
    if (!error) {
        *fdp = fcntl(bpf_program__fd(prog), F_DUPFD_CLOEXEC, 3);
        error = *fdp < 0 ? errno : 0;
    }
    return error;
}

/* Stores a file descriptor of the program that 'choice' means, with the maps
 * of 'dp', in '*fdp'.  It is open until l3_close(). */
int
l3_load(struct dp *dp, const struct l3_choice *choice, int *fdp)
{
    const struct l3_loaded *found = find_loaded(&dp->l3, choice);
    struct l3_loaded *loaded;
    struct direct_bpf *skel;
    int error;

    if (found) {
        *fdp = found->fd;
        return 0;
    }
    skel = direct_bpf__open();
    error = skel ? load(dp, choice, skel, fdp) : errno;
    direct_bpf__destroy(skel);
    if (error) {
        static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 5);

        VLOG_WARN_RL(&rl, "cannot load program %s (%s)",
                     program_names[choice->program], ovs_strerror(error));
        return error;
    }
    loaded = xmalloc(sizeof *loaded);
    loaded->choice = *choice;
    loaded->fd = *fdp;
    ovs_list_push_back(&dp->l3.programs, &loaded->node);
    return 0;
}

/* Detaches and unpins everything, adopted or not.  What is void before goes on
 * by OVN, whichever program is removed last. */
void
l3_remove_all(struct dp *dp)
{
    char *dir = l3_dir(dp);
    char *path = map_path(dir, L3_PORTS);
    int fd = bpf_obj_get(path);

    if (fd >= 0) {
        void_ports(fd);
        close(fd);
    }
    l3_devices_remove_all(dp);
    l3_close(&dp->l3);
    pins_remove_dir(dir);
    free(path);
    free(dir);
}

/* See 'reap_direct' in plugin/datapath.h. */
long long int
l3_reap(struct dp *dp, long long int now)
{
    return MIN(l3_ports_reap(dp, now), l3_devices_reap(dp, now));
}

/* See 'direct_counters' in plugin/datapath.h. */
void
l3_counters(const struct dp *dp, enum dp_direct_row row,
            struct dp_counter *counters)
{
    memset(counters, 0, OX_N_REASONS * sizeof *counters);
    for (uint32_t i = 0; i < OX_N_REASONS && dp->l3.open; i++) {
        counter_read(dp, dp->l3.fds[L3_REASONS], row * OX_N_REASONS + i,
                     &counters[i]);
    }
}

/* Returns what time it is for programs. */
uint32_t
l3_ticks(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return (now.tv_sec * UINT64_C(1000000000) + now.tv_nsec) >> OX_TICK_SHIFT;
}
