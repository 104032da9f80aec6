/* SPDX-License-Identifier: Apache-2.0 */
/* Rules: the maps of layer L2, where sources belong, and the lease.  Sets of
 * rules are in plugin/datapath-bpf-acl-sets.c.
 *
 * The maps are made when they are first needed: with ovn-xdp-acl=off they cost
 * no memory.  They are not pinned, as rules of an earlier daemon are worth
 * nothing to this one: its programs have maps of their own.
 *
 * But they share endpoints with those of this daemon, which name rules by ids
 * that mean something else to them; and they may not know the connections that
 * are watched now.  So none of them may drop anything from the moment on in
 * which this daemon begins: the lease is pinned, and ended by who comes
 * next. */
#include <config.h>

#include "plugin/datapath-bpf.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bitmap.h"
#include "openvswitch/vlog.h"
#include "timeval.h"
#include "util.h"

#include "bpf/ovn-xdp.skel.h"

VLOG_DEFINE_THIS_MODULE(datapath_acl);

/* Length of the prefix that is one address. */
#define HOST_LEN 128

/* Names of the maps in the object. */
static const char *const map_names[N_ACL_MAPS] = {
    [ACL_SETS] = "acl_sets",
    [ACL_PORTS] = "acl_ports",
    [ACL_SERVICES] = "acl_services",
    [ACL_HOSTS] = "acl_hosts",
    [ACL_SOURCES] = "acl_sources",
    [ACL_CLASSES] = "acl_classes",
    [ACL_BITS] = "acl_bits",
    [ACL_HITS] = "acl_hits",
    [ACL_LEASE] = "acl_lease",
};

/* Makes 'acls' hold nothing. */
void
acls_init(struct acls *acls)
{
    memset(acls, 0, sizeof *acls);
    for (int i = 0; i < N_ACL_MAPS; i++) {
        acls->fds[i] = -1;
    }
    acls->wait_fd = acls->inner_fd = -1;
    hmap_init(&acls->sets);
    hmap_init(&acls->bits);
    ovs_list_init(&acls->graves);
}

/* Closes '*fdp' if it is open. */
static void
close_fd(int *fdp)
{
    if (*fdp >= 0) {
        close(*fdp);
        *fdp = -1;
    }
}

/* Lets go of everything.  Programs keep the maps that they have. */
void
acls_close(struct acls *acls)
{
    long long int last_lease;

    acl_sets_destroy(acls);
    hmap_destroy(&acls->sets);
    hmap_destroy(&acls->bits);
    slots_destroy(&acls->numbers);
    bitmap_free(acls->hits);
    if (acls->lease) {
        munmap(acls->lease, sizeof *acls->lease);
    }
    for (int i = 0; i < N_ACL_MAPS; i++) {
        close_fd(&acls->fds[i]);
    }
    close_fd(&acls->wait_fd);
    close_fd(&acls->inner_fd);
    last_lease = acls->last_lease;
    acls_init(acls);
    acls->last_lease = last_lease;
}

/* Returns true if 'map' is needed for rules only. */
bool
acls_is_map(const struct bpf_map *map)
{
    const char *name = bpf_map__name(map);

    return !strncmp(name, "acl_", 4) || opened_is_map(map);
}

/* Returns the number of the map of rules that is called 'name', or -1. */
static int
find_map(const char *name)
{
    for (int i = 0; i < N_ACL_MAPS; i++) {
        if (!strcmp(map_names[i], name)) {
            return i;
        }
    }
    return -1;
}

/* Has 'obj' be loaded without its programs: with 'rules', only the maps of
 * rules; otherwise only maps that are needed without rules, too. */
void
acls_choose_maps(const struct bpf_object *obj, bool rules)
{
    struct bpf_program *prog;
    struct bpf_map *map;

    bpf_object__for_each_program (prog, obj) {
        bpf_program__set_autoload(prog, false);
    }
    bpf_object__for_each_map (map, obj) {
        bpf_map__set_autocreate(map, (rules
                                      ? find_map(bpf_map__name(map)) >= 0
                                      : !acls_is_map(map)
                                        && !l3_is_map(map)));
    }
}

/* Takes the maps of 'obj', which is loaded, for 'acls'. */
static int
take_maps(struct acls *acls, const struct bpf_object *obj)
{
    void *lease;

    for (int i = 0; i < N_ACL_MAPS; i++) {
        int fd = bpf_object__find_map_fd_by_name(obj, map_names[i]);

        acls->fds[i] = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        if (acls->fds[i] < 0) {
            return errno;
        }
    }
    lease = mmap(NULL, sizeof *acls->lease, PROT_READ | PROT_WRITE,
                 MAP_SHARED, acls->fds[ACL_LEASE], 0);
    if (lease == MAP_FAILED) {
        return errno;
    }
    acls->lease = lease;
    return 0;
}

/* Makes what acls_wait() needs, unless it is there. */
static int
make_wait(struct acls *acls)
{
    LIBBPF_OPTS(bpf_map_create_opts, opts);

    if (acls->wait_fd >= 0) {
        return 0;
    }
    close_fd(&acls->inner_fd);
    acls->inner_fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "acl_inner",
                                    sizeof(uint32_t), sizeof(uint32_t), 1,
                                    NULL);
    if (acls->inner_fd < 0) {
        return -acls->inner_fd;
    }
    opts.inner_map_fd = acls->inner_fd;
    acls->wait_fd = bpf_map_create(BPF_MAP_TYPE_ARRAY_OF_MAPS, "acl_wait",
                                   sizeof(uint32_t), sizeof(uint32_t), 1,
                                   &opts);
    return acls->wait_fd < 0 ? -acls->wait_fd : 0;
}

/* Waits until all programs have ended that run now.  The kernel does that
 * after a change of a map of maps, for those who replace a map. */
int
acls_wait(const struct acls *acls)
{
    uint32_t zero = 0;

    return -bpf_map_update_elem(acls->wait_fd, &zero, &acls->inner_fd,
                                BPF_ANY);
}

/* Returns the path where the lease is pinned.  The caller frees it. */
static char *
lease_path(const struct dp *dp)
{
    return xasprintf("%s/acl_lease", dp->pin_dir);
}

/* Maps the element of 'fd', a map with a lease.  Returns NULL if it is one of
 * another layout, whose programs have endpoints of their own, or on error. */
static struct ox_acl_lease *
map_lease(int fd)
{
    struct bpf_map_info info = { .id = 0 };
    uint32_t size = sizeof info;
    void *lease;

    if (bpf_obj_get_info_by_fd(fd, &info, &size)
        || info.type != BPF_MAP_TYPE_ARRAY
        || info.value_size != sizeof(struct ox_acl_lease)) {
        return NULL;
    }
    lease = mmap(NULL, sizeof(struct ox_acl_lease), PROT_READ | PROT_WRITE,
                 MAP_SHARED, fd, 0);
    return lease == MAP_FAILED ? NULL : lease;
}

/* Ends the lease that the map 'fd' holds, and notes in 'acls' until when it
 * was.  When it returns 0, no program drops anything by it any more. */
static int
end_lease(struct acls *acls, int fd)
{
    struct ox_acl_lease *lease = map_lease(fd);
    int error;

    if (!lease) {
        VLOG_WARN("the lease of an earlier daemon cannot be read");
        return 0;
    }
    acls->last_lease = lease->given_ns / 1000000;
    __atomic_store_n(&lease->until_ns, 0, __ATOMIC_SEQ_CST);
    munmap(lease, sizeof *lease);
    error = make_wait(acls);
    return error ? error : acls_wait(acls);
}

/* Ends the lease of an earlier daemon.  To be called before any endpoint, set
 * of rules or watched connection is touched. */
int
acls_end_lease(struct dp *dp)
{
    char *path = lease_path(dp);
    int error, fd;

    error = pins_get(path, &fd);
    if (fd >= 0) {
        error = end_lease(&dp->acls, fd);
        close(fd);
        if (error) {
            VLOG_ERR("cannot wait for programs to end (%s)",
                     ovs_strerror(error));
        } else {
            pins_remove(path);
        }
    }
    free(path);
    return error;
}

/* Pins the lease of 'dp', before any program has it. */
static int
pin_lease(const struct dp *dp)
{
    char *path = lease_path(dp);
    int error = pins_put(dp->acls.fds[ACL_LEASE], path);

    free(path);
    return error;
}

/* Pins the lease of 'dp' again if somebody removed the pin, without which the
 * next daemon could not end it.  It works as well meanwhile, so that an error
 * is only logged. */
static void
repair_lease(const struct dp *dp)
{
    char *path = lease_path(dp);

    if (access(path, F_OK) && !pin_lease(dp)) {
        VLOG_WARN("%s: was removed, pinned again", path);
    }
    free(path);
}

/* Makes the maps of 'dp' and what comes with them. */
static int
make_maps(struct dp *dp)
{
    struct acls *acls = &dp->acls;
    struct ovn_xdp_bpf *skel;
    int error;

    skel = ovn_xdp_bpf__open();
    if (!skel) {
        return errno;
    }
    acls_choose_maps(skel->obj, true);
    error = -bpf_object__load(skel->obj);
    if (!error) {
        error = take_maps(acls, skel->obj);
    }
    if (!error) {
        error = make_wait(acls);
    }
    if (!error) {
        error = pin_lease(dp);
    }
    ovn_xdp_bpf__destroy(skel);
    return error;
}

/* Does make_maps(), unless they are there or could not be made just now. */
int
acls_open(struct dp *dp)
{
    struct acls *acls = &dp->acls;
    int error;

    if (acls->open) {
        return 0;
    } else if (acls->error && time_msec() < acls->retry_at) {
        return acls->error;
    }
    error = make_maps(dp);
    if (error) {
        static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 5);

        VLOG_ERR_RL(&rl, "cannot make the maps of rules (%s)",
                    ovs_strerror(error));
        acls_close(acls);
        acls->error = error;
        acls->retry_at = time_msec() + L2_RETRY_MS;
        return error;
    }
    slots_init(&acls->numbers, OX_MAX_ACL_BITS);
    slots_seal(&acls->numbers);
    acls->hits = bitmap_allocate(OX_MAX_ACL_HITS);
    acls->error = 0;
    acls->open = true;
    return 0;
}

/* Gives the maps of 'dp', made if need be, to those of 'obj', not loaded yet,
 * that have the same names. */
int
acls_share(struct dp *dp, struct bpf_object *obj)
{
    int error = acls_open(dp);

    return (error ? error
            : maps_share(obj, map_names, dp->acls.fds, N_ACL_MAPS));
}

/* Returns 'error', that of a change of a map, as callers know it: what does
 * not fit is ENOSPC, whatever the kind of map. */
int
acls_error(int error)
{
    return error == E2BIG || error == ENOMEM ? ENOSPC : error;
}

/* Begins or ends a change of ACL_HOSTS: who looks for a source meanwhile, and
 * does not find it there, may have missed it. */
static void
turn_changes(const struct acls *acls)
{
    __atomic_add_fetch(&acls->lease->changes, 1, __ATOMIC_SEQ_CST);
}

/* Says that the source 'addr' is of 'class'. */
static int
put_host(const struct acls *acls, const struct in6_addr *addr, uint32_t class)
{
    struct ox_acl_host_class value = { .class = class };
    struct ox_acl_host key;
    int error;

    memcpy(key.addr, addr, sizeof key.addr);
    memcpy(value.addr, addr, sizeof value.addr);
    turn_changes(acls);
    error = -bpf_map_update_elem(acls->fds[ACL_HOSTS], &key, &value, BPF_ANY);
    turn_changes(acls);
    return error;
}

/* Takes that back. */
static int
del_host(const struct acls *acls, const struct in6_addr *addr)
{
    struct ox_acl_host key;
    int error;

    memcpy(key.addr, addr, sizeof key.addr);
    turn_changes(acls);
    error = -bpf_map_delete_elem(acls->fds[ACL_HOSTS], &key);
    turn_changes(acls);
    return error;
}

/* Returns 'prefix', which is not a host's, as ACL_SOURCES has it. */
static struct ox_acl_source
encode_prefix(const struct dp_prefix *prefix)
{
    struct ox_acl_source key = { .prefix_len = prefix->len };

    memcpy(key.addr, &prefix->addr, sizeof key.addr);
    return key;
}

/* Says that sources of 'prefix' are of 'class'. */
int
acls_put_source(struct dp *dp, const struct dp_prefix *prefix, uint32_t class)
{
    struct ox_acl_source key = encode_prefix(prefix);
    int error;

    if (!class || prefix->len > HOST_LEN) {
        return EINVAL;
    }
    error = acls_open(dp);
    if (error) {
        return error;
    }
    error = (prefix->len == HOST_LEN
             ? put_host(&dp->acls, &prefix->addr, class)
             : -bpf_map_update_elem(dp->acls.fds[ACL_SOURCES], &key, &class,
                                    BPF_ANY));
    return acls_error(error);
}

/* Takes that back. */
int
acls_del_source(struct dp *dp, const struct dp_prefix *prefix)
{
    struct ox_acl_source key = encode_prefix(prefix);

    if (!dp->acls.open) {
        return ENOENT;
    }
    return (prefix->len == HOST_LEN
            ? del_host(&dp->acls, &prefix->addr)
            : -bpf_map_delete_elem(dp->acls.fds[ACL_SOURCES], &key));
}

/* Allows programs to drop packets until 'until', time_msec(), or no more.  As
 * this is called all the time, it is also the time to delete what nobody
 * needs. */
void
acls_lease(struct dp *dp, long long int until)
{
    if (dp->acls.open) {
        repair_lease(dp);
        if (until) {
            dp->acls.lease->given_ns = until * 1000000ULL;
        }
        __atomic_store_n(&dp->acls.lease->until_ns, until * 1000000ULL,
                         __ATOMIC_SEQ_CST);
        acl_sets_bury(&dp->acls);
    }
}

/* Returns until when an earlier daemon had allowed programs to drop packets,
 * time_msec(); 0: never. */
long long int
acls_last_lease(const struct dp *dp)
{
    return dp->acls.last_lease;
}
