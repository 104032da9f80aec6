/* SPDX-License-Identifier: Apache-2.0
 *
 * What the tests of bpf/ share: see bed.h. */

#include <config.h>

#include "tests/bpf/bed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

/* Newer than the kernel headers of some systems. */
#ifndef BPF_F_XDP_DEV_BOUND_ONLY
#define BPF_F_XDP_DEV_BOUND_ONLY (1U << 6)
#endif

/* Ends the test program as skipped, for 'reason'. */
static void
skip_all(const char *reason)
{
    puts(reason);
    exit(77);
}

/* Sets the device 'lo' up. */
static void
set_lo_up(void)
{
    struct ifreq ifr = { .ifr_name = "lo", .ifr_flags = IFF_UP };
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &ifr)) {
        perror("setting lo up");
        exit(1);
    }
    close(fd);
}

void
bed_enter(void)
{
    if (geteuid()) {
        skip_all("needs root");
    }
    if (unshare(CLONE_NEWNET)) {
        if (errno == EPERM) {
            skip_all("needs root");
        }
        perror("unshare");
        exit(1);
    }
    set_lo_up();
}

/* Makes the maps of 'obj' that 'shared' has those of 'shared'. */
static void
share_maps(const struct bpf_object *obj, const struct ovn_xdp_bpf *shared)
{
    struct bpf_map *map;

    bpf_object__for_each_map (map, obj) {
        const char *name = bpf_map__name(map);
        int fd = bpf_object__find_map_fd_by_name(shared->obj, name);

        if (!strstr(name, ".rodata") && fd >= 0) {
            assert_int_equal(bpf_map__reuse_fd(map, fd), 0);
        }
    }
}

/* Tells whether 'map' is needed for layer L3 only. */
static bool
is_direct_map(const struct bpf_map *map)
{
    const char *name = bpf_map__name(map);

    return (!strncmp(name, "direct_", 7) || !strncmp(name, "flows", 5)
            || !strcmp(name, "arrivals"));
}

/* Tells whether 'map' is needed for layer L2 only. */
static bool
is_acl_map(const struct bpf_map *map)
{
    const char *name = bpf_map__name(map);

    return !strncmp(name, "acl_", 4) || !strncmp(name, "opened", 6);
}

/* Has only 'prog' of the programs in 'obj' be loaded, and makes only maps that
 * it needs. */
static void
choose_program(struct bpf_object *obj, struct bpf_program *prog)
{
    bool acl = (strstr(bpf_program__name(prog), "_acl")
                || strstr(bpf_program__name(prog), "_guard"));
    struct bpf_program *p;
    struct bpf_map *map;

    bpf_object__for_each_program (p, obj) {
        bpf_program__set_autoload(p, p == prog);
    }
    bpf_object__for_each_map (map, obj) {
        if (is_acl_map(map)) {
            bpf_map__set_autocreate(map, acl);
        } else if (is_direct_map(map)) {
            bpf_map__set_autocreate(map, false);
        }
    }
}

/* Opens the NIC program of 'slot' with maps for 'n' endpoints. */
static struct ovn_xdp_bpf *
open_sized(uint32_t slot, uint32_t n)
{
    struct ovn_xdp_bpf *skel = ovn_xdp_bpf__open();

    assert_non_null(skel);
    skel->rodata->nic_slot = slot;
    choose_program(skel->obj, skel->progs.nic_redirect);
    bpf_map__set_max_entries(skel->maps.endpoints4, n);
    bpf_map__set_max_entries(skel->maps.endpoints6, n);
    bpf_map__set_max_entries(skel->maps.endpoint_stats, n);
    bpf_map__set_max_entries(skel->maps.endpoint_drops, n);
    return skel;
}

/* Loads 'skel'.  Returns it, or destroys it and returns NULL. */
static struct ovn_xdp_bpf *
load(struct ovn_xdp_bpf *skel)
{
    if (ovn_xdp_bpf__load(skel)) {
        ovn_xdp_bpf__destroy(skel);
        return NULL;
    }
    return skel;
}

struct ovn_xdp_bpf *
bed_load(uint32_t slot, const struct ovn_xdp_bpf *shared)
{
    struct ovn_xdp_bpf *skel = open_sized(slot, BED_SLOTS);

    if (shared) {
        share_maps(skel->obj, shared);
    }
    return load(skel);
}

/* Chooses the program of 'skel' that is timed, or not, and has layer L2, or
 * not. */
static struct bpf_program *
choose_hint(struct hint_bpf *skel, bool timed, bool acl)
{
    struct bpf_program *prog;

    if (acl) {
        prog = (timed ? skel->progs.nic_redirect_hint_acl_timed
                : skel->progs.nic_redirect_hint_acl);
    } else {
        prog = (timed ? skel->progs.nic_redirect_hint_timed
                : skel->progs.nic_redirect_hint);
    }
    choose_program(skel->obj, prog);
    return prog;
}

/* Loads 'prog' of 'skel' like bed_load_hint(). */
static struct hint_bpf *
load_hint(struct hint_bpf *skel, struct bpf_program *prog, uint32_t slot,
          uint32_t ifindex, bool drop, const struct ovn_xdp_bpf *shared)
{
    skel->rodata->nic_slot = slot;
    skel->rodata->acl_drop = drop;
    bpf_program__set_ifindex(prog, ifindex);
    bpf_program__set_flags(prog, (bpf_program__flags(prog)
                                  | BPF_F_XDP_DEV_BOUND_ONLY));
    share_maps(skel->obj, shared);
    if (hint_bpf__load(skel)) {
        hint_bpf__destroy(skel);
        return NULL;
    }
    return skel;
}

struct hint_bpf *
bed_load_hint(uint32_t slot, uint32_t ifindex, uint64_t stale_ns, bool acl,
              const struct ovn_xdp_bpf *shared)
{
    struct hint_bpf *skel = hint_bpf__open();
    struct bpf_program *prog;

    assert_non_null(skel);
    prog = choose_hint(skel, stale_ns, acl);
    skel->rodata->stale_ns = stale_ns;
    return load_hint(skel, prog, slot, ifindex, acl, shared);
}

struct ovn_xdp_bpf *
bed_load_generic(uint32_t slot, const struct ovn_xdp_bpf *shared)
{
    struct ovn_xdp_bpf *skel = open_sized(slot, BED_SLOTS);

    skel->rodata->generic = true;
    share_maps(skel->obj, shared);
    return load(skel);
}

struct ovn_xdp_bpf *
bed_load_stale(uint32_t slot, uint64_t stale_ns,
               const struct ovn_xdp_bpf *shared)
{
    struct ovn_xdp_bpf *skel = open_sized(slot, BED_SLOTS);

    skel->rodata->stale_ns = stale_ns;
    choose_program(skel->obj, skel->progs.nic_redirect_timed);
    share_maps(skel->obj, shared);
    return load(skel);
}

struct ovn_xdp_bpf *
bed_load_sized(uint32_t slot, uint32_t n)
{
    return load(open_sized(slot, n));
}

struct ovn_xdp_bpf *
bed_load_acl(uint32_t slot, uint32_t n, bool drop, uint64_t stale_ns,
             const struct ovn_xdp_bpf *shared)
{
    struct ovn_xdp_bpf *skel = open_sized(slot, n);

    skel->rodata->acl_drop = drop;
    skel->rodata->stale_ns = stale_ns;
    choose_program(skel->obj, (stale_ns ? skel->progs.nic_redirect_acl_timed
                               : skel->progs.nic_redirect_acl));
    if (shared) {
        share_maps(skel->obj, shared);
    }
    return load(skel);
}

struct ovn_xdp_bpf *
bed_load_guard(uint32_t slot, bool drop, const struct ovn_xdp_bpf *shared)
{
    struct ovn_xdp_bpf *skel = open_sized(slot, BED_SLOTS);

    skel->rodata->acl_drop = drop;
    choose_program(skel->obj, skel->progs.nic_guard);
    share_maps(skel->obj, shared);
    return load(skel);
}

struct hint_bpf *
bed_load_guard_hint(uint32_t slot, uint32_t ifindex,
                    const struct ovn_xdp_bpf *shared)
{
    struct hint_bpf *skel = hint_bpf__open();

    assert_non_null(skel);
    choose_program(skel->obj, skel->progs.nic_guard_hint);
    return load_hint(skel, skel->progs.nic_guard_hint, slot, ifindex, true,
                     shared);
}

/* Returns the program of 'obj' that was loaded. */
static int
loaded_program(const struct bpf_object *obj)
{
    struct bpf_program *p;

    bpf_object__for_each_program (p, obj) {
        if (bpf_program__autoload(p)) {
            return bpf_program__fd(p);
        }
    }
    return -1;
}

int
bed_program(const struct ovn_xdp_bpf *skel)
{
    return loaded_program(skel->obj);
}

int
bed_program_hint(const struct hint_bpf *skel)
{
    return loaded_program(skel->obj);
}

/* Writes 'value' at 'key' in 'map'. */
static void
map_set(const struct bpf_map *map, const void *key, const void *value)
{
    assert_int_equal(bpf_map_update_elem(bpf_map__fd(map), key, value, 0), 0);
}

void
bed_set_nic(const struct ovn_xdp_bpf *skel, uint32_t slot, const uint8_t *mac,
            uint32_t ifindex)
{
    struct ox_nic nic = { .ifindex = ifindex };

    memcpy(nic.mac, mac, sizeof nic.mac);
    map_set(skel->maps.nics, &slot, &nic);
}

void
bed_set_bridge(const struct ovn_xdp_bpf *skel, uint32_t slot, uint32_t bridge)
{
    const struct ox_nic nic = { .bridge = bridge };

    map_set(skel->maps.nics, &slot, &nic);
}

void
bed_add_target(const struct ovn_xdp_bpf *skel, uint32_t ifindex)
{
    map_set(skel->maps.targets, &ifindex, &ifindex);
}

void
bed_add_endpoint_as(const struct ovn_xdp_bpf *skel, const char *address,
                    const char *claimed, const struct ox_endpoint *endpoint)
{
    int family = strchr(address, ':') ? AF_INET6 : AF_INET;
    struct ox_endpoint value = *endpoint;
    struct ox_key4 key4;
    struct ox_key6 key6;

    memset(&key4, 0, sizeof key4);
    memset(&key6, 0, sizeof key6);
    assert_int_equal(inet_pton(family, claimed, value.addr), 1);
    if (family == AF_INET) {
        assert_int_equal(inet_pton(family, address, &key4.addr), 1);
        map_set(skel->maps.endpoints4, &key4, &value);
    } else {
        assert_int_equal(inet_pton(family, address, key6.addr), 1);
        map_set(skel->maps.endpoints6, &key6, &value);
    }
}

void
bed_add_endpoint(const struct ovn_xdp_bpf *skel, const char *address,
                 const struct ox_endpoint *endpoint)
{
    bed_add_endpoint_as(skel, address, address, endpoint);
}

void
bed_beat(const struct ovn_xdp_bpf *skel, uint64_t ns)
{
    const struct ox_heartbeat heartbeat = { .alive_ns = ns };
    uint32_t zero = 0;

    map_set(skel->maps.heartbeat, &zero, &heartbeat);
}

/* Reads counters of the per-CPU array 'map', from 'start' to 'end' - 1, into
 * 'sums'. */
static void
read_counters(const struct bpf_map *map, struct ox_counter *sums,
              uint32_t start, uint32_t end)
{
    int n_cpus = libbpf_num_possible_cpus();
    struct ox_counter *values = calloc(n_cpus, sizeof *values);

    assert_non_null(values);
    for (uint32_t i = start; i < end; i++) {
        sums[i] = (struct ox_counter) { 0, 0 };
        assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(map), &i, values),
                         0);
        for (int cpu = 0; cpu < n_cpus; cpu++) {
            sums[i].packets += values[cpu].packets;
            sums[i].bytes += values[cpu].bytes;
        }
    }
    free(values);
}

/* Reads the counters of endpoints. */
static void
read_endpoints(const struct ovn_xdp_bpf *skel, struct bed_counters *counters)
{
    read_counters(skel->maps.endpoint_stats, counters->endpoints, 0,
                  BED_SLOTS);
    read_counters(skel->maps.endpoint_drops, counters->drops, 0, BED_SLOTS);
}

void
bed_read(const struct ovn_xdp_bpf *skel, struct bed_counters *counters)
{
    read_counters(skel->maps.reasons, counters->reasons, 0,
                  OX_MAX_NICS * OX_N_REASONS);
    read_endpoints(skel, counters);
}

void
bed_read_row(const struct ovn_xdp_bpf *skel, uint32_t nic,
             struct bed_counters *counters)
{
    memset(counters->reasons, 0, sizeof counters->reasons);
    read_counters(skel->maps.reasons, counters->reasons, nic * OX_N_REASONS,
                  (nic + 1) * OX_N_REASONS);
    read_endpoints(skel, counters);
}

/* Asserts that one frame of 'bytes' was counted if 'expected', and none
 * otherwise.  'what' and 'name' say which counter it is. */
static void
assert_grown(const struct ox_counter *before, const struct ox_counter *after,
             bool expected, uint64_t bytes, const char *what, const char *name)
{
    uint64_t more_packets = after->packets - before->packets;
    uint64_t more_bytes = after->bytes - before->bytes;

    if (more_packets != expected || more_bytes != (expected ? bytes : 0)) {
        fail_msg("%s %s: %llu packets, %llu bytes were counted", what, name,
                 (unsigned long long) more_packets,
                 (unsigned long long) more_bytes);
    }
}

void
bed_assert_counted_besides(const struct bed_counters *before,
                           const struct bed_counters *after, uint32_t nic,
                           enum ox_reason reason, enum ox_reason besides,
                           int slot, uint64_t bytes)
{
    bool dropped = reason == OX_R_ACL_DROP;

    for (uint32_t i = 0; i < OX_MAX_NICS * OX_N_REASONS; i++) {
        assert_grown(&before->reasons[i], &after->reasons[i],
                     i == nic * OX_N_REASONS + reason
                     || i == nic * OX_N_REASONS + besides, bytes, "reason",
                     bed_reason_name(i % OX_N_REASONS));
    }
    for (int i = 0; i < BED_SLOTS; i++) {
        assert_grown(&before->endpoints[i], &after->endpoints[i],
                     i == slot && !dropped, bytes, "endpoint", "");
        assert_grown(&before->drops[i], &after->drops[i],
                     i == slot && dropped, bytes, "drops", "");
    }
}

void
bed_assert_counted(const struct bed_counters *before,
                   const struct bed_counters *after, uint32_t nic,
                   enum ox_reason reason, int slot, uint64_t bytes)
{
    bed_assert_counted_besides(before, after, nic, reason, reason, slot,
                               bytes);
}

const char *
bed_reason_name(enum ox_reason reason)
{
    static const char *const names[] = {
#define PACKET_REASON(NAME, WIRE, SENTENCE) WIRE,
#include "bpf/reason.def"
    };

    return names[reason];
}
