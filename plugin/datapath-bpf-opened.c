/* SPDX-License-Identifier: Apache-2.0 */
/* The connections that VMs open, and what VMs with layer L3 have sent: the
 * maps that hold them, which outlive the daemon, the program that writes them,
 * and their end.  bpf/opened.h and bpf/sent.h say what they are for; which
 * devices the program is attached to is in plugin/datapath-bpf-watch.c.
 *
 * The maps are made when they are first needed, and stay the same as long as
 * the datapath is open: programs of NICs have them, too. */
#include <config.h>

#include "plugin/datapath-bpf.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "openvswitch/vlog.h"
#include "timeval.h"
#include "util.h"

#include "bpf/opened.skel.h"

VLOG_DEFINE_THIS_MODULE(datapath_opened);

/* Elements that are read at once. */
#define SWEEP_BATCH 4096

/* Most that are read, and most that are deleted, in one sweep: some 40 ms, for
 * which the main loop waits. */
#define SWEEP_ROUNDS 16
#define SWEEP_DELETIONS 16384

/* An element is not deleted before it has been over for this long, in s.  A
 * program that has just found it alive has long written to it then. */
#define SWEEP_MARGIN_S 10

static const char *const map_names[N_OPENED_MAPS] = {
    [OPENED_CONNECTIONS] = "opened",
    [OPENED_STATE] = "opened_state",
    [OPENED_SENT] = "sent",
    [OPENED_SENT_STATE] = "sent_state",
    [OPENED_TRACKED] = "tracked",
    [OPENED_WATCHED] = "watched",
};

/* The maps of each table. */
static const struct {
    enum opened_map elements;   /* What is in it. */
    enum opened_map state;      /* What is to be said of it. */
} tables[N_OPENED_TABLES] = {
    [TABLE_OPENED] = { OPENED_CONNECTIONS, OPENED_STATE },
    [TABLE_SENT] = { OPENED_SENT, OPENED_SENT_STATE },
};

/* Returns true if 'map' is one of those here. */
bool
opened_is_map(const struct bpf_map *map)
{
    for (int i = 0; i < N_OPENED_MAPS; i++) {
        if (!strcmp(bpf_map__name(map), map_names[i])) {
            return true;
        }
    }
    return false;
}

/* Makes 'opened' hold nothing. */
void
opened_init(struct opened *opened)
{
    *opened = (struct opened) { .program_fd = -1 };
    for (int i = 0; i < N_OPENED_MAPS; i++) {
        opened->fds[i] = -1;
    }
    ovs_list_init(&opened->watches);
}

/* Returns the directory of the maps and links.  The caller frees it. */
char *
opened_dir(const struct dp *dp)
{
    return xasprintf("%s/watch", dp->pin_dir);
}

/* Lets go of the maps and the program of 'opened', which stay pinned and
 * attached. */
void
opened_close(struct opened *opened)
{
    for (int i = 0; i < N_OPENED_TABLES; i++) {
        if (opened->tables[i].state) {
            munmap(opened->tables[i].state, sizeof *opened->tables[i].state);
        }
    }
    for (int i = 0; i < N_OPENED_MAPS; i++) {
        if (opened->fds[i] >= 0) {
            close(opened->fds[i]);
        }
    }
    if (opened->program_fd >= 0) {
        close(opened->program_fd);
    }
    free(opened->earlier);
    free(opened->keys);
    free(opened->values);
    opened_init(opened);
}

/* Returns the map of 'skel' that becomes map 'i'. */
static struct bpf_map *
skel_map(const struct opened_bpf *skel, int i)
{
    return bpf_object__find_map_by_name(skel->obj, map_names[i]);
}

/* Opens what is pinned in 'dir' as 'fds', -1 for what is not there.  Returns 0
 * or a positive errno, with which nobody can tell. */
static int
open_pins(const char *dir, int fds[N_OPENED_MAPS])
{
    int error = 0;

    for (int i = 0; i < N_OPENED_MAPS; i++) {
        fds[i] = -1;
    }
    for (int i = 0; i < N_OPENED_MAPS && !error; i++) {
        char *path = xasprintf("%s/%s", dir, map_names[i]);

        error = pins_get(path, &fds[i]);
        free(path);
    }
    return error;
}

/* Returns true if 'fds' are maps as those of 'skel', complete and of this
 * ABI. */
static bool
fit(const struct opened_bpf *skel, const int fds[N_OPENED_MAPS])
{
    struct ox_watched mark = { .id = 0 };
    uint32_t zero = 0;

    for (int i = 0; i < N_OPENED_MAPS; i++) {
        if (fds[i] < 0 || map_matches(skel_map(skel, i), fds[i])) {
            return false;
        }
    }
    return (!bpf_map_lookup_elem(fds[OPENED_WATCHED], &zero, &mark)
            && mark.id == OX_ABI);
}

/* Has 'skel' use the maps pinned in 'dir' if they fit, and says so in
 * '*adopted'; removes their pins otherwise: a part of them is worth
 * nothing. */
static int
adopt_maps(const struct opened_bpf *skel, const char *dir, bool *adopted)
{
    int fds[N_OPENED_MAPS];
    int error;

    error = open_pins(dir, fds);
    *adopted = !error && fit(skel, fds);
    for (int i = 0; i < N_OPENED_MAPS && !error; i++) {
        if (*adopted) {
            error = -bpf_map__reuse_fd(skel_map(skel, i), fds[i]);
        } else {
            char *path = xasprintf("%s/%s", dir, map_names[i]);

            pins_remove(path);
            free(path);
        }
    }
    for (int i = 0; i < N_OPENED_MAPS; i++) {
        if (fds[i] >= 0) {
            close(fds[i]);
        }
    }
    return error;
}

/* Pins the new maps of 'opened' in 'dir', and then marks them as complete. */
static int
pin_maps(const struct opened *opened, const char *dir)
{
    struct ox_watched mark = { .id = OX_ABI };
    uint32_t zero = 0;

    for (int i = 0; i < N_OPENED_MAPS; i++) {
        char *path = xasprintf("%s/%s", dir, map_names[i]);
        int error = pins_put(opened->fds[i], path);

        free(path);
        if (error) {
            return error;
        }
    }
    return -bpf_map_update_elem(opened->fds[OPENED_WATCHED], &zero, &mark,
                                BPF_ANY);
}

/* Makes '*fdp' another descriptor of 'fd'. */
static int
take_fd(int fd, int *fdp)
{
    *fdp = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    return *fdp < 0 ? errno : 0;
}

/* Makes the tables of 'opened' those of its maps. */
static int
take_tables(struct opened *opened)
{
    for (int i = 0; i < N_OPENED_TABLES; i++) {
        struct opened_table *t = &opened->tables[i];
        void *state = mmap(NULL, sizeof *t->state, PROT_READ | PROT_WRITE,
                           MAP_SHARED, opened->fds[tables[i].state], 0);

        if (state == MAP_FAILED) {
            return errno;
        }
        t->state = state;
        t->fd = opened->fds[tables[i].elements];
    }
    return 0;
}

/* Takes the maps and the program of 'skel', which is loaded, for 'opened'. */
static int
take_all(struct opened *opened, const struct opened_bpf *skel)
{
    int error = take_fd(bpf_program__fd(skel->progs.watch_opened),
                        &opened->program_fd);

    for (int i = 0; i < N_OPENED_MAPS && !error; i++) {
        error = take_fd(bpf_map__fd(skel_map(skel, i)), &opened->fds[i]);
    }
    return error ? error : take_tables(opened);
}

/* Returns the part of 't' that 'local' is in with 'proto', an address of a
 * key. */
static struct ox_opened_part *
find_part(const struct opened_table *t, const uint8_t local[16],
          uint8_t proto)
{
    uint32_t words[4];

    memcpy(words, local, sizeof words);
    return &t->state->parts[ox_opened_part(words, proto)];
}

/* Returns the part of TABLE_OPENED that 'local' is in, or NULL if there are no
 * tables. */
static struct ox_opened_part *
find_opened_part(const struct dp *dp, const struct in6_addr *local)
{
    const struct opened_table *t = &dp->opened.tables[TABLE_OPENED];

    return (t->state ? find_part(t, local->s6_addr, IPPROTO_TCP) : NULL);
}

/* Has nothing be dropped to 'part' for a while: a connection may be
 * missing. */
static void
say_full(struct ox_opened_part *part)
{
    __atomic_store_n(&part->full_ns, time_msec() * UINT64_C(1000000),
                     __ATOMIC_SEQ_CST);
}

/* Has the connections of 'part' be taken up in their middle, until 'until' at
 * least, time_msec(). */
static void
learn(struct ox_opened_part *part, long long int until)
{
    uint64_t ns = until * UINT64_C(1000000);

    if (part->learn_ns < ns) {
        __atomic_store_n(&part->learn_ns, ns, __ATOMIC_SEQ_CST);
    }
}

/* Has all connections of 'opened' be taken up in their middle while a watch is
 * new that began at 'since', time_msec(); what left before by that way was not
 * seen. */
void
opened_learn_all(struct opened *opened, long long int since)
{
    for (size_t i = 0; i < OX_OPENED_PARTS; i++) {
        learn(&opened->tables[TABLE_OPENED].state->parts[i],
              since + OX_OPENED_SYN_S * 1000LL);
    }
    opened->watched_since = MAX(opened->watched_since, since);
}

/* See 'learn_opened' in plugin/datapath.h.  Without a watch there is nothing
 * to learn from, and each one begins with it. */
void
opened_learn(struct dp *dp, const struct in6_addr *local, long long int until)
{
    struct ox_opened_part *part = find_opened_part(dp, local);

    if (part) {
        learn(part, until);
    }
}

/* Returns when something of 'part' was missed last, time_msec(), or 0. */
static long long int
missed_at(const struct ox_opened_part *part)
{
    return __atomic_load_n(&part->full_ns, __ATOMIC_RELAXED) / 1000000;
}

/* See 'missed_opened' in plugin/datapath.h. */
long long int
opened_missed(const struct dp *dp, const struct in6_addr *local)
{
    const struct ox_opened_part *part = find_opened_part(dp, local);
    long long int at = part ? missed_at(part) : 0;

    return at ? at + OX_OPENED_SYN_S * 1000LL : 0;
}

/* Returns when something that 'local' has sent with 'proto' was missed last,
 * time_msec(), or 0.  There are tables. */
long long int
opened_missed_sent(const struct dp *dp, const struct in6_addr *local,
                   uint8_t proto)
{
    return missed_at(find_part(&dp->opened.tables[TABLE_SENT],
                               local->s6_addr, proto));
}

/* Begins or ends the deletion of an element of 't'. */
static void
turn_sweeps(struct opened_table *t)
{
    __atomic_add_fetch(&t->state->sweeps, 1, __ATOMIC_SEQ_CST);
}

/* Ends a deletion of which nobody knows how far it came: a daemon was killed
 * after it had deleted an element of 't', and perhaps before it put it
 * back. */
static void
end_deletion(struct opened_table *t)
{
    if (t->state->sweeps & 1) {
        for (size_t i = 0; i < OX_OPENED_PARTS; i++) {
            say_full(&t->state->parts[i]);
        }
        turn_sweeps(t);
    }
}

/* Loads 'skel' with the maps pinned in 'dir', or new ones. */
static int
start(struct opened *opened, struct opened_bpf *skel, const char *dir)
{
    bool adopted = false;
    int error;

    error = pins_make_dir(dir);
    if (!error) {
        error = adopt_maps(skel, dir, &adopted);
    }
    if (!error) {
        error = -opened_bpf__load(skel);
    }
    if (!error) {
        error = take_all(opened, skel);
    }
    if (!error && !adopted) {
        error = pin_maps(opened, dir);
    }
    opened->adopted = adopted;
    for (int i = 0; i < N_OPENED_TABLES && !error; i++) {
        end_deletion(&opened->tables[i]);
    }
    if (!error) {
        tracked_adopt(opened);
    }
    return error;
}

/* Opens the maps of 'dp' and loads the program, unless that is done. */
int
opened_open(struct dp *dp)
{
    struct opened *opened = &dp->opened;
    struct opened_bpf *skel;
    char *dir;
    int error;

    if (opened->program_fd >= 0) {
        return 0;
    } else if (opened->error && time_msec() < opened->retry_at) {
        return opened->error;
    }
    dir = opened_dir(dp);
    skel = opened_bpf__open();
    error = skel ? start(opened, skel, dir) : errno;
    opened_bpf__destroy(skel);
    if (error) {
        static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 5);

        VLOG_WARN_RL(&rl, "%s: connections that VMs open cannot be noted (%s)",
                     dir, ovs_strerror(error));
        opened_close(opened);
        opened->retry_at = time_msec() + L2_RETRY_MS;
    } else {
        opened->keys = xcalloc(SWEEP_BATCH, sizeof *opened->keys);
        opened->values = xcalloc(SWEEP_BATCH, sizeof *opened->values);
    }
    free(dir);
    opened->error = error;
    return error;
}

/* Gives the maps of 'dp', made if need be, to those of 'obj', not loaded yet,
 * that have the same names. */
int
opened_share(struct dp *dp, struct bpf_object *obj)
{
    int error = opened_open(dp);

    return (error ? error
            : maps_share(obj, map_names, dp->opened.fds, N_OPENED_MAPS));
}

/* Returns true if 'value' has been over for a while at 'now', in ns. */
static bool
is_over(const struct ox_opened *value, uint64_t now)
{
    return (value->seen_ns
            + ((ox_opened_life_s(value->state) + SWEEP_MARGIN_S)
               * UINT64_C(1000000000))
            <= now);
}

/* Deletes the element with 'key' of 't', which seems to be over at 'now'.
 * Returns true if it is gone.
 *
 * A packet may have made it a living one since it was read.  Then it is put
 * back, unless the next packet has made one already; and 'sweeps' is odd as
 * long as it might be missed. */
static bool
delete_over(struct opened_table *t, const struct ox_opened_key *key,
            uint64_t now)
{
    struct ox_opened_part *part = find_part(t, key->local, key->proto);
    struct ox_opened last;
    bool gone = true;

    turn_sweeps(t);
    if (!bpf_map_lookup_and_delete_elem(t->fd, key, &last)) {
        int error = 0;

        if (!is_over(&last, now)) {
            error = -bpf_map_update_elem(t->fd, key, &last, BPF_NOEXIST);
            gone = false;
        }
        if (gone || error) {
            /* A packet that put it back has counted it. */
            __atomic_sub_fetch(&part->n, 1, __ATOMIC_SEQ_CST);
        }
        if (error && error != EEXIST) {
            say_full(part);
        }
    }
    turn_sweeps(t);
    return gone;
}

/* Reads the next elements of 't', with the buffers of 'opened', and deletes
 * those that are over at 'now'.  Returns true if there are more. */
static bool
sweep_batch(const struct opened *opened, struct opened_table *t, uint64_t now,
            size_t *n_deleted)
{
    uint32_t n = SWEEP_BATCH;
    int error;

    error = -bpf_map_lookup_batch(t->fd, t->in_pass ? &t->cursor : NULL,
                                  &t->cursor, opened->keys, opened->values,
                                  &n, NULL);
    if (error && error != ENOENT) {
        static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 5);

        VLOG_WARN_RL(&rl, "connections that are over cannot be found (%s)",
                     ovs_strerror(error));
        n = 0;
    }
    for (uint32_t i = 0; i < n; i++) {
        if (is_over(&opened->values[i], now)
            && delete_over(t, &opened->keys[i], now)) {
            ++*n_deleted;
        } else {
            t->n_found++;
        }
    }
    t->in_pass = !error;
    return !error;
}

/* Deletes elements of 't' that are over at 'now', in ns. */
static void
sweep_table(const struct opened *opened, struct opened_table *t, uint64_t now)
{
    size_t n_deleted = 0;

    for (int i = 0; i < SWEEP_ROUNDS && n_deleted < SWEEP_DELETIONS; i++) {
        if (!sweep_batch(opened, t, now, &n_deleted)) {
            t->n_left = t->n_found;
            t->n_found = 0;
            break;
        }
    }
}

/* Deletes elements that are over at 'now', time_msec().  Returns how many
 * connections are left that VMs have opened, as the last pass over all of them
 * has found; one may take several calls. */
size_t
opened_sweep(struct dp *dp, long long int now)
{
    struct opened *opened = &dp->opened;
    const struct opened_table *t = &opened->tables[TABLE_OPENED];

    if (opened->program_fd < 0) {
        return 0;
    }
    for (int i = 0; i < N_OPENED_TABLES; i++) {
        sweep_table(opened, &opened->tables[i], now * UINT64_C(1000000));
    }
    return MAX(t->n_left, t->n_found);
}
