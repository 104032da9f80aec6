/* SPDX-License-Identifier: Apache-2.0 */
/* Generations of maps.  The programs and the daemon agree on the layout of a
 * generation; where an earlier daemon's layout is another one, both lie side
 * by side until all NICs have moved over.
 *
 * The element of map 'control' is written after everything else, so that a
 * generation that was cut short while it was made is told by its zeros. */
#include <config.h>

#include "plugin/datapath-bpf.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "openvswitch/vlog.h"
#include "timeval.h"
#include "util.h"

#include "bpf/ovn-xdp.skel.h"

VLOG_DEFINE_THIS_MODULE(datapath_gen);

/* Names of the maps, in the object and as pins. */
static const char *const map_names[N_GEN_MAPS] = {
    [GEN_ENDPOINTS4] = "endpoints4",
    [GEN_ENDPOINTS6] = "endpoints6",
    [GEN_ENDPOINT_STATS] = "endpoint_stats",
    [GEN_ENDPOINT_DROPS] = "endpoint_drops",
    [GEN_TARGETS] = "targets",
    [GEN_NICS] = "nics",
    [GEN_REASONS] = "reasons",
    [GEN_HEARTBEAT] = "heartbeat",
    [GEN_CONTROL] = "control",
};

/* What a directory gen-N turned out to be. */
enum gen_state {
    GEN_HALF,                   /* Cut short while it was made. */
    GEN_OTHER,                  /* Complete, but of another layout. */
    GEN_OURS                    /* Complete, and as this daemon makes it. */
};

static int adopt_newest(struct dp *, const struct ovn_xdp_bpf *,
                        unsigned int *newest);
static int create(struct dp *, const struct ovn_xdp_bpf *);

/* Makes 'gen' hold no map. */
void
generation_init(struct generation *gen)
{
    gen->number = 0;
    for (int i = 0; i < N_GEN_MAPS; i++) {
        gen->fds[i] = -1;
    }
}

/* Lets go of the maps of 'gen'. */
void
generation_close(struct generation *gen)
{
    for (int i = 0; i < N_GEN_MAPS; i++) {
        if (gen->fds[i] >= 0) {
            close(gen->fds[i]);
        }
    }
    generation_init(gen);
}

/* Opens the maps of 'dp': the newest generation of this daemon's layout, or
 * else a new one. */
int
generation_open(struct dp *dp)
{
    struct ovn_xdp_bpf *skel;
    unsigned int newest = 0;
    int error;

    skel = ovn_xdp_bpf__open();
    if (!skel) {
        return errno;
    }
    bpf_map__set_max_entries(skel->maps.endpoints4, dp->max_endpoints);
    bpf_map__set_max_entries(skel->maps.endpoints6, dp->max_endpoints);
    bpf_map__set_max_entries(skel->maps.endpoint_stats,
                             endpoints_slots(dp->max_endpoints));
    bpf_map__set_max_entries(skel->maps.endpoint_drops,
                             endpoints_slots(dp->max_endpoints));
    error = adopt_newest(dp, skel, &newest);
    if (error == ENOENT) {
        dp->gen.number = newest + 1;
        error = create(dp, skel);
    }
    ovn_xdp_bpf__destroy(skel);
    return error;
}

/* Gives the 'n' maps 'fds', called 'names', to those of 'obj', not loaded yet,
 * that have the same names. */
int
maps_share(struct bpf_object *obj, const char *const names[], const int fds[],
           size_t n)
{
    int error = 0;

    for (size_t i = 0; i < n && !error; i++) {
        struct bpf_map *map = bpf_object__find_map_by_name(obj, names[i]);

        if (map) {
            error = -bpf_map__reuse_fd(map, fds[i]);
        }
    }
    return error;
}

/* Gives the maps of 'gen' to those of 'obj', not loaded yet, that have the
 * same names. */
int
generation_share(const struct generation *gen, struct bpf_object *obj)
{
    return maps_share(obj, map_names, gen->fds, N_GEN_MAPS);
}

/* Returns 0 if the kernel's map 'fd' is as 'map' would be created, EINVAL if
 * not, or another error. */
int
map_matches(const struct bpf_map *map, int fd)
{
    struct bpf_map_info info = { .id = 0 };
    uint32_t size = sizeof info;
    int error;

    error = -bpf_obj_get_info_by_fd(fd, &info, &size);
    if (error) {
        return error;
    }
    return (info.type == bpf_map__type(map)
            && info.key_size == bpf_map__key_size(map)
            && info.value_size == bpf_map__value_size(map)
            && info.max_entries == bpf_map__max_entries(map))
           ? 0 : EINVAL;
}

/* Returns the N of gen-N, which 'path' names, or 0 if it names none. */
static unsigned int
path_to_number(const char *path)
{
    const char *name = strrchr(path, '/') + 1;
    unsigned int number;
    int n = 0;

    return ovs_scan(name, "gen-%u%n", &number, &n) && !name[n] ? number : 0;
}

/* Returns the path of generation 'number'.  The caller frees it. */
static char *
gen_path(const struct dp *dp, unsigned int number)
{
    return xasprintf("%s/gen-%u", dp->pin_dir, number);
}

/* Returns the map of 'skel' that becomes map 'i' of a generation. */
static struct bpf_map *
skel_map(const struct ovn_xdp_bpf *skel, int i)
{
    return bpf_object__find_map_by_name(skel->obj, map_names[i]);
}

/* Opens the maps pinned in 'dir' and stores them in 'gen', -1 for those that
 * are not there.  Returns 0 or a positive errno. */
static int
open_pins(const char *dir, struct generation *gen)
{
    int error = 0;

    for (int i = 0; i < N_GEN_MAPS && !error; i++) {
        char *path = xasprintf("%s/%s", dir, map_names[i]);

        error = pins_get(path, &gen->fds[i]);
        free(path);
    }
    return error;
}

/* Tells what 'gen' is, by its maps and by those that 'skel' would make. */
static enum gen_state
classify(const struct generation *gen, const struct ovn_xdp_bpf *skel)
{
    struct ox_control control = { .abi = 0 };
    uint32_t zero = 0;

    if (gen->fds[GEN_CONTROL] < 0) {
        return GEN_HALF;
    } else if (map_matches(skel_map(skel, GEN_CONTROL),
                           gen->fds[GEN_CONTROL])) {
        return GEN_OTHER;
    } else if (bpf_map_lookup_elem(gen->fds[GEN_CONTROL], &zero, &control)
               || !control.abi) {
        return GEN_HALF;
    } else if (control.abi != OX_ABI || control.n_reasons != OX_N_REASONS) {
        return GEN_OTHER;
    }
    for (int i = 0; i < N_GEN_MAPS; i++) {
        if (gen->fds[i] < 0 || map_matches(skel_map(skel, i), gen->fds[i])) {
            return GEN_OTHER;
        }
    }
    return GEN_OURS;
}

/* Takes 'gen', pinned in 'path', for 'dp' if nobody has it yet and it fits
 * 'skel'; closes it otherwise.  Half-made ones are removed: no NIC can use
 * them. */
static void
judge(struct dp *dp, const struct ovn_xdp_bpf *skel, struct generation *gen,
      const char *path)
{
    enum gen_state state = classify(gen, skel);

    if (state == GEN_OURS && !dp->gen.number) {
        VLOG_INFO("%s: adopted", path);
        dp->gen = *gen;
        return;
    }
    generation_close(gen);
    if (state == GEN_HALF) {
        VLOG_INFO("%s: was cut short, removed", path);
        pins_remove_dir(path);
    } else if (state == GEN_OTHER) {
        VLOG_INFO("%s: has another layout (ABI or sizes)", path);
    }
}

/* Looks at generation 'number', and takes it for 'dp' if that can be.  Returns
 * 0 or a positive errno if what is there cannot be opened: it may well be
 * whole and in use, so that it must not be taken for half-made. */
static int
adopt_one(struct dp *dp, const struct ovn_xdp_bpf *skel, unsigned int number)
{
    char *path = gen_path(dp, number);
    struct generation gen;
    int error;

    generation_init(&gen);
    gen.number = number;
    error = open_pins(path, &gen);
    if (error) {
        generation_close(&gen);
    } else {
        judge(dp, skel, &gen, path);
    }
    free(path);
    return error;
}

/* Stores the numbers of the pinned generations in '*numbersp', which the
 * caller frees, newest first, and returns how many there are. */
static size_t
list_numbers(const struct dp *dp, unsigned int **numbersp)
{
    struct svec paths = SVEC_EMPTY_INITIALIZER;
    unsigned int *numbers;
    const char *path;
    size_t i, n = 0;

    pins_list(dp->pin_dir, &paths);
    numbers = xcalloc(paths.n + 1, sizeof *numbers);
    SVEC_FOR_EACH (i, path, &paths) {
        unsigned int number = path_to_number(path);

        if (number) {
            size_t j = n++;

            for (; j > 0 && numbers[j - 1] < number; j--) {
                numbers[j] = numbers[j - 1];
            }
            numbers[j] = number;
        }
    }
    svec_destroy(&paths);
    *numbersp = numbers;
    return n;
}

/* Adopts the newest generation that fits 'skel'; ENOENT if none does.  Stores
 * the highest number found in '*newest'. */
static int
adopt_newest(struct dp *dp, const struct ovn_xdp_bpf *skel,
             unsigned int *newest)
{
    unsigned int *numbers;
    int error = 0;
    size_t n;

    n = list_numbers(dp, &numbers);
    for (size_t i = 0; i < n && !error; i++) {
        error = adopt_one(dp, skel, numbers[i]);
    }
    *newest = numbers[0];
    free(numbers);
    return error ? error : dp->gen.number ? 0 : ENOENT;
}

/* Gives 'skel' the heartbeat of the newest generation that has one, so that a
 * daemon keeps the programs of all generations alive. */
static void
share_heartbeat(const struct dp *dp, const struct ovn_xdp_bpf *skel)
{
    struct bpf_map *map = skel_map(skel, GEN_HEARTBEAT);
    unsigned int *numbers;
    bool shared = false;
    size_t n;

    n = list_numbers(dp, &numbers);
    for (size_t i = 0; i < n && !shared; i++) {
        char *path = xasprintf("%s/gen-%u/%s", dp->pin_dir, numbers[i],
                               map_names[GEN_HEARTBEAT]);
        int fd = bpf_obj_get(path);

        if (fd >= 0) {
            shared = (!map_matches(map, fd)
                      && !bpf_map__reuse_fd(map, fd));
            close(fd);
        }
        free(path);
    }
    free(numbers);
}

/* Takes the maps of 'skel', which is loaded, for 'dp' and pins them in
 * 'dir'. */
static int
pin_maps(struct dp *dp, const struct ovn_xdp_bpf *skel, const char *dir)
{
    for (int i = 0; i < N_GEN_MAPS; i++) {
        char *path = xasprintf("%s/%s", dir, map_names[i]);
        int fd = fcntl(bpf_map__fd(skel_map(skel, i)), F_DUPFD_CLOEXEC, 3);
        int error = fd < 0 ? errno : pins_put(fd, path);

        dp->gen.fds[i] = fd;
        free(path);
        if (error) {
            return error;
        }
    }
    return 0;
}

/* Marks the generation of 'dp' as complete. */
static int
write_control(const struct dp *dp)
{
    struct ox_control control = {
        .abi = OX_ABI,
        .n_reasons = OX_N_REASONS,
        .created_ns = time_wall_msec() * 1000000ULL,
    };
    uint32_t zero = 0;

    return -bpf_map_update_elem(dp->gen.fds[GEN_CONTROL], &zero, &control,
                                BPF_ANY);
}

/* Makes and pins the maps of generation 'dp->gen.number'.  'skel' is loaded
 * without its programs for that. */
static int
create(struct dp *dp, const struct ovn_xdp_bpf *skel)
{
    char *dir = gen_path(dp, dp->gen.number);
    int error;

    acls_choose_maps(skel->obj, false);
    share_heartbeat(dp, skel);
    error = -bpf_object__load(skel->obj);
    if (!error) {
        error = pins_make_dir(dir);
    }
    if (!error) {
        error = pin_maps(dp, skel, dir);
    }
    if (!error) {
        error = write_control(dp);
    }
    if (error) {
        VLOG_ERR("%s: cannot make the maps (%s)", dir, ovs_strerror(error));
        generation_close(&dp->gen);
        pins_remove_dir(dir);
    } else {
        VLOG_INFO("%s: created", dir);
    }
    free(dir);
    return error;
}

/* Unpins the generations of 'dp' but the one numbered 'keep'. */
static void
remove_but(const struct dp *dp, unsigned int keep)
{
    unsigned int *numbers;
    size_t n;

    n = list_numbers(dp, &numbers);
    for (size_t i = 0; i < n; i++) {
        if (numbers[i] != keep) {
            char *path = gen_path(dp, numbers[i]);

            VLOG_INFO("%s: removed", path);
            pins_remove_dir(path);
            free(path);
        }
    }
    free(numbers);
}

/* Unpins the generations that 'dp' does not use.  A program that is still
 * attached keeps its maps. */
void
generation_remove_others(const struct dp *dp)
{
    remove_but(dp, dp->gen.number);
}

/* Unpins all generations. */
void
generation_remove_all(const struct dp *dp)
{
    remove_but(dp, 0);
}
