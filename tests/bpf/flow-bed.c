/* SPDX-License-Identifier: Apache-2.0
 *
 * What the tests of layer L3 share: see flow-bed.h. */

#include <config.h>

#include "tests/bpf/flow-bed.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <cmocka.h>

#include "tests/bpf/bed.h"

/* Rows of 'nics' that the programs of NICs have. */
#define ROUTED_SLOT 1
#define ACL_SLOT 2
#define TC_SLOT 3
#define SWITCHED_SLOT 4
#define GUARD_SLOT 5
#define SWITCHED_TC_SLOT 6
#define N_SLOTS 7

/* Room for flows of each family. */
#define MAX_FLOWS 64

/* The secret of probes. */
#define SECRET UINT64_C(0x0123456789abcdef)

uint32_t flow_nic;
struct direct_bpf *flow_skel;

const struct flow_vm *const flow_vms[N_FLOW_VMS] = {
    &flow_fip[0], &flow_fip[1], &flow_tagged[0], &flow_tagged[1],
    &flow_plain[0], &flow_plain[1],
};

/* Objects of programs at NICs, and all programs. */
static struct ovn_xdp_bpf *objects[N_SLOTS];
static struct direct_bpf *switched_far;
static int programs[N_FLOW_PROGRAMS];

/* Maps that are mapped here. */
static struct ox_direct_port *ports;
static struct ox_direct_state *state_map;
static struct ox_arrival *notes;

/* What was counted. */
struct counts {
    uint64_t rows[N_SLOTS + OX_N_DIRECT_ROWS][OX_N_REASONS];
    uint64_t endpoints[BED_SLOTS];
};

/* Maps the array 'map'. */
static void *
map_array(const struct bpf_map *map, size_t size)
{
    void *array = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED,
                       bpf_map__fd(map), 0);

    assert_true(array != MAP_FAILED);
    return array;
}

/* Loads the object with all programs but those of a NIC's XDP hook. */
static void
load_direct(void)
{
    flow_skel = direct_bpf__open();
    assert_non_null(flow_skel);
    bpf_map__set_max_entries(flow_skel->maps.flows4, MAX_FLOWS);
    bpf_map__set_max_entries(flow_skel->maps.flows6, MAX_FLOWS);
    bpf_map__set_max_entries(flow_skel->maps.endpoints4, BED_SLOTS);
    bpf_map__set_max_entries(flow_skel->maps.endpoints6, BED_SLOTS);
    bpf_map__set_max_entries(flow_skel->maps.endpoint_stats, BED_SLOTS);
    bpf_map__set_max_entries(flow_skel->maps.endpoint_drops, BED_SLOTS);
    assert_int_equal(
        bpf_map__set_map_flags(flow_skel->maps.arrivals, BPF_F_MMAPABLE), 0);
    flow_skel->rodata->nic_slot = ROUTED_SLOT;
    flow_skel->rodata->track = true;
    assert_int_equal(direct_bpf__load(flow_skel), 0);
    programs[FLOW_VM] = bpf_program__fd(flow_skel->progs.vm_near);
    programs[FLOW_VM_TC] = bpf_program__fd(flow_skel->progs.vm_near_tc);
    programs[FLOW_INGRESS] = bpf_program__fd(flow_skel->progs.nic_near_tc);
    programs[FLOW_VM_FAR] = bpf_program__fd(flow_skel->progs.vm_far);
    programs[FLOW_NIC_FAR] = bpf_program__fd(flow_skel->progs.nic_far);
    ports = map_array(flow_skel->maps.direct_ports,
                      OX_MAX_DIRECT_PORTS * sizeof *ports);
    state_map = map_array(flow_skel->maps.direct_state, sizeof *state_map);
    notes = map_array(flow_skel->maps.arrivals,
                      OX_MAX_ARRIVALS * sizeof *notes);
    state_map->secret = SECRET;
}

/* Has what is in 'obj', not loaded yet, use the maps of flow_skel. */
static void
share_maps(const struct bpf_object *obj)
{
    struct bpf_map *map;

    bpf_object__for_each_map (map, obj) {
        int fd = bpf_object__find_map_fd_by_name(flow_skel->obj,
                                                 bpf_map__name(map));

        if (!strstr(bpf_map__name(map), ".rodata") && fd >= 0) {
            assert_int_equal(bpf_map__reuse_fd(map, fd), 0);
        }
    }
}

/* Loads the far side of a switched NIC. */
static void
load_switched_far(void)
{
    struct bpf_program *prog;

    switched_far = direct_bpf__open();
    assert_non_null(switched_far);
    bpf_object__for_each_program (prog, switched_far->obj) {
        bpf_program__set_autoload(prog, prog == switched_far->progs.nic_far);
    }
    share_maps(switched_far->obj);
    switched_far->rodata->nic_slot = SWITCHED_SLOT;
    switched_far->rodata->track = true;
    assert_int_equal(direct_bpf__load(switched_far), 0);
    programs[FLOW_SWITCHED_FAR] = bpf_program__fd(
        switched_far->progs.nic_far);
}

/* Loads program 'name' of a NIC in 'slot' as 'which'. */
static void
load_nic(enum flow_program which, uint32_t slot, const char *name, bool tc)
{
    struct ovn_xdp_bpf *skel = ovn_xdp_bpf__open();
    struct bpf_program *prog;

    assert_non_null(skel);
    bpf_object__for_each_program (prog, skel->obj) {
        bpf_program__set_autoload(prog,
                                  !strcmp(bpf_program__name(prog), name));
    }
    share_maps(skel->obj);
    skel->rodata->nic_slot = slot;
    skel->rodata->direct_tc = tc;
    skel->rodata->acl_drop = true;
    assert_int_equal(ovn_xdp_bpf__load(skel), 0);
    objects[slot] = skel;
    programs[which] = bpf_program__fd(
        bpf_object__find_program_by_name(skel->obj, name));
}

/* Writes 'value' at 'key' in 'map'. */
static void
put(const struct bpf_map *map, const void *key, const void *value)
{
    assert_int_equal(bpf_map_update_elem(bpf_map__fd(map), key, value,
                                         BPF_ANY), 0);
}

/* Stores 'address', a text, as maps have it. */
static void
map_address(uint8_t mapped[16], const char *address)
{
    memset(mapped, 0, 10);
    memset(mapped + 10, 0xff, 2);
    if (inet_pton(AF_INET, address, mapped + 12) != 1) {
        assert_int_equal(inet_pton(AF_INET6, address, mapped), 1);
    }
}

/* Makes 'address' of 'vm' known, as the other side of 'other'. */
static void
put_address(const struct flow_vm *vm, const char *address, const char *other,
            uint32_t ifindex)
{
    struct ox_direct_key key = { .ifindex = ifindex };
    struct ox_direct_addr addr = { .port = vm->port, .ifindex = FLOW_TAP,
                                   .bridge = vm->bridge, .vlan = vm->vlan };

    map_address(key.addr, address);
    memcpy(addr.addr, key.addr, sizeof addr.addr);
    map_address(addr.other, other);
    put(flow_skel->maps.direct_addrs, &key, &addr);
}

/* Puts 'vm' back as it was at first. */
static void
put_vm(const struct flow_vm *vm)
{
    struct ox_direct_port *port = &ports[vm->port];

    memset(port, 0, sizeof *port);
    port->generation = 2;
    port->slot = vm->port;
    port->ifindex = FLOW_TAP;
    port->mtu = FLOW_MTU;
    memcpy(port->mac, flow_vm_mac, sizeof port->mac);
    port->soft = 1000;
    port->hard = 1500;
    port->step = 150;
    put_address(vm, vm->external, vm->fixed, 0);
    put_address(vm, vm->fixed, vm->external, FLOW_TAP);
}

/* Makes the NIC with 'slot' known as device 'ifindex', with a program at TC
 * if 'near_tc'. */
static void
put_nic(uint32_t slot, uint32_t ifindex, bool near_tc)
{
    struct ox_nic nic = { .ifindex = ifindex };

    memcpy(nic.mac, flow_nic_mac, sizeof nic.mac);
    nic.flags = near_tc ? OX_NIC_NEAR_TC : 0;
    if (slot == SWITCHED_SLOT || slot == GUARD_SLOT
        || slot == SWITCHED_TC_SLOT) {
        nic.bridge = FLOW_BRIDGE;
    }
    put(flow_skel->maps.nics, &slot, &nic);
}

void
flow_set_row(enum flow_program which, uint32_t ifindex)
{
    put_nic(which == FLOW_GUARD ? GUARD_SLOT : SWITCHED_SLOT, ifindex, true);
}

struct ovn_xdp_bpf *
flow_object(enum flow_program which)
{
    return objects[which == FLOW_GUARD ? GUARD_SLOT : ACL_SLOT];
}

void
flow_put_nics(bool near_tc)
{
    for (uint32_t slot = 0; slot < N_SLOTS; slot++) {
        put_nic(slot, flow_nic, near_tc);
    }
}

/* Makes 'ifindex' a device that XDP may redirect to. */
static void
put_device(uint32_t ifindex)
{
    put(flow_skel->maps.direct_devices, &ifindex, &ifindex);
}

int
flow_set_up(void **state)
{
    (void) state;
    assert_int_equal(system("ip link add flownic0 type veth peer name flownic1"
                            " && ip link set flownic0 up"
                            " && ip link set flownic1 up"), 0);
    flow_nic = if_nametoindex("flownic0");
    load_direct();
    load_nic(FLOW_NIC, ROUTED_SLOT, "nic_direct", false);
    load_nic(FLOW_NIC_ACL, ACL_SLOT, "nic_direct_acl", false);
    load_nic(FLOW_NIC_TC, TC_SLOT, "nic_direct", true);
    load_nic(FLOW_SWITCHED, SWITCHED_SLOT, "nic_direct_only", false);
    load_nic(FLOW_SWITCHED_TC, SWITCHED_TC_SLOT, "nic_direct_only", true);
    load_nic(FLOW_GUARD, GUARD_SLOT, "nic_direct_guard", false);
    load_switched_far();
    flow_put_nics(true);
    put_device(FLOW_TAP);
    put_device(flow_nic);
    return 0;
}

int
flow_tear_down(void **state)
{
    (void) state;
    for (size_t i = 0; i < N_SLOTS; i++) {
        ovn_xdp_bpf__destroy(objects[i]);
    }
    direct_bpf__destroy(switched_far);
    direct_bpf__destroy(flow_skel);
    return 0;
}

/* Empties the hash 'map', whose keys fit in 'key'. */
static void
empty(const struct bpf_map *map, void *key)
{
    while (!bpf_map_get_next_key(bpf_map__fd(map), NULL, key)) {
        assert_int_equal(bpf_map_delete_elem(bpf_map__fd(map), key), 0);
    }
}

int
flow_begin(void **state)
{
    struct ox_flow6_key key;
    struct ox_direct_key addr;

    (void) state;
    empty(flow_skel->maps.flows4, &key);
    empty(flow_skel->maps.flows6, &key);
    empty(flow_skel->maps.direct_addrs, &addr);
    for (int i = 0; i < 2; i++) {
        put_vm(&flow_fip[i]);
        put_vm(&flow_tagged[i]);
        put_vm(&flow_plain[i]);
    }
    memset(notes, 0, OX_MAX_ARRIVALS * sizeof *notes);
    return 0;
}

/* Tells whether 'which' is a program of TC. */
static bool
is_tc(enum flow_program which)
{
    return which >= FLOW_VM_TC;
}

int
flow_run(enum flow_program which, const struct packet *in, struct packet *out,
         uint32_t gso)
{
    struct __sk_buff skb = { .ifindex = which >= FLOW_NIC_FAR ? flow_nic
                             : FLOW_TAP, .gso_size = gso,
                             .gso_segs = gso ? 2 : 0 };
    LIBBPF_OPTS(bpf_test_run_opts, opts,
                .data_in = in->data, .data_size_in = in->len,
                .data_out = out->data, .data_size_out = sizeof out->data,
                .ctx_in = is_tc(which) ? &skb : NULL,
                .ctx_size_in = is_tc(which) ? sizeof skb : 0);

    assert_int_equal(bpf_prog_test_run_opts(programs[which], &opts), 0);
    out->len = opts.data_size_out;
    return (int) opts.retval;
}

/* Adds up the element 'index' of the per-CPU array 'map'. */
static uint64_t
sum(const struct bpf_map *map, uint32_t index)
{
    static struct ox_counter values[1024];
    uint64_t packets = 0;

    assert_in_range(libbpf_num_possible_cpus(), 1, 1024);
    assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(map), &index, values), 0);
    for (int cpu = 0; cpu < libbpf_num_possible_cpus(); cpu++) {
        packets += values[cpu].packets;
    }
    return packets;
}

uint64_t
flow_count(enum flow_program which, enum ox_reason reason)
{
    uint32_t slot = which == FLOW_GUARD ? GUARD_SLOT : ACL_SLOT;

    return sum(flow_skel->maps.reasons, slot * OX_N_REASONS + reason);
}

/* Reads all counters. */
static void
read_counts(struct counts *counts)
{
    for (uint32_t reason = 0; reason < OX_N_REASONS; reason++) {
        for (uint32_t row = 0; row < OX_N_DIRECT_ROWS; row++) {
            counts->rows[row][reason] = sum(flow_skel->maps.direct_reasons,
                                            row * OX_N_REASONS + reason);
        }
        for (uint32_t slot = 0; slot < N_SLOTS; slot++) {
            counts->rows[OX_N_DIRECT_ROWS + slot][reason] =
                sum(flow_skel->maps.reasons, slot * OX_N_REASONS + reason);
        }
    }
    for (uint32_t i = 0; i < BED_SLOTS; i++) {
        counts->endpoints[i] = sum(flow_skel->maps.endpoint_stats, i);
    }
}

/* The row in which each program counts. */
static const uint32_t rows[] = {
    [FLOW_NIC] = OX_N_DIRECT_ROWS + ROUTED_SLOT,
    [FLOW_NIC_ACL] = OX_N_DIRECT_ROWS + ACL_SLOT,
    [FLOW_NIC_TC] = OX_N_DIRECT_ROWS + TC_SLOT,
    [FLOW_SWITCHED] = OX_N_DIRECT_ROWS + SWITCHED_SLOT,
    [FLOW_SWITCHED_TC] = OX_N_DIRECT_ROWS + SWITCHED_TC_SLOT,
    [FLOW_GUARD] = OX_N_DIRECT_ROWS + GUARD_SLOT,
    [FLOW_VM] = OX_DIRECT_NEAR_VM,
    [FLOW_VM_TC] = OX_DIRECT_NEAR_VM,
    [FLOW_INGRESS] = OX_DIRECT_NEAR_NIC,
    [FLOW_VM_FAR] = OX_DIRECT_FAR_VM,
    [FLOW_NIC_FAR] = OX_DIRECT_FAR_NIC,
    [FLOW_SWITCHED_FAR] = OX_DIRECT_FAR_NIC,
};

/* Tells whether 'reason' is one of layer L3. */
static bool
is_direct(uint32_t reason)
{
    return reason >= OX_R_DIRECT;
}

/* Returns the verdict of layers L1 and L2 that 'which' counts besides. */
static int
count_besides(enum flow_program which)
{
    return which < FLOW_VM;
}

/* Asserts that from 'before' to 'after' the program counted 'reason', and
 * besides one of another layer if 'more'. */
static void
check_counts(const struct counts *before, const struct counts *after,
             enum flow_program which, int reason, int more, int slot)
{
    int others = 0;

    for (uint32_t row = 0; row < N_SLOTS + OX_N_DIRECT_ROWS; row++) {
        for (uint32_t r = 0; r < OX_N_REASONS; r++) {
            int n = after->rows[row][r] - before->rows[row][r];

            if (!is_direct(r) && row == rows[which]) {
                others += n;
            } else if (n != (row == rows[which] && (int) r == reason)) {
                fail_msg("row %u: %d times %s", (unsigned int) row, n,
                         bed_reason_name(r));
            }
        }
    }
    assert_int_equal(others, more);
    for (int i = 0; i < BED_SLOTS; i++) {
        assert_int_equal(after->endpoints[i] - before->endpoints[i],
                         i == slot);
    }
}

void
flow_check(enum flow_program which, const struct flow_frame *f, int reason,
           int verdict)
{
    static struct counts before, after;
    static struct packet in, out;

    flow_make(&in, f);
    read_counts(&before);
    assert_int_equal(flow_run(which, &in, &out, 0), verdict);
    read_counts(&after);
    check_counts(&before, &after, which, reason,
                 reason == OX_R_FLOW_TC ? 0 : count_besides(which), -1);
    assert_int_equal(out.len, in.len);
    assert_memory_equal(out.data, in.data, in.len);
}

void
flow_passes(enum flow_program which, const struct flow_frame *f, int reason)
{
    flow_check(which, f, reason,
               is_tc(which) ? TC_ACT_UNSPEC : (int) XDP_PASS);
}

void
flow_takes(enum flow_program which, const struct flow_vm *vm,
           const struct flow_frame *f, const struct flow_frame *want)
{
    static struct packet in, out, expected;
    static struct counts before, after;

    struct flow_frame bare = *want;

    flow_make(&in, f);
    /* Padding stays as it is, but XDP adds some for NICs. */
    bare.pad = 0;
    flow_make(&expected, &bare);
    packet_pad(&expected, (which == FLOW_VM && in.len < 60 ? 60 : in.len)
                          + (want->tci ? 4 : 0) - (f->tci ? 4 : 0));
    read_counts(&before);
    assert_int_equal(flow_run(which, &in, &out, 0),
                     is_tc(which) ? TC_ACT_REDIRECT : (int) XDP_REDIRECT);
    read_counts(&after);
    check_counts(&before, &after, which, OX_R_DIRECT, 0,
                 which == FLOW_VM || which == FLOW_VM_TC ? -1 : vm->port);
    assert_int_equal(out.len, expected.len);
    assert_memory_equal(out.data, expected.data, expected.len);
}

/* A key of either family. */
union key {
    struct ox_flow4_key four;
    struct ox_flow6_key six;
};

void
flow_key(const struct flow_vm *vm, const struct flow_frame *f, bool out,
         void *key)
{
    union key k;
    uint32_t scope = out ? FLOW_TAP : vm->bridge;
    uint16_t vlan = out ? 0 : vm->vlan;

    memset(&k, 0, sizeof k);
    if (flow_is_ip6(f)) {
        k.six = (struct ox_flow6_key) {
            .sport = htons(f->sport), .dport = htons(f->dport),
            .proto = f->proto, .vlan = vlan, .scope = scope };
        assert_int_equal(inet_pton(AF_INET6, f->src, k.six.saddr), 1);
        assert_int_equal(inet_pton(AF_INET6, f->dst, k.six.daddr), 1);
    } else {
        k.four = (struct ox_flow4_key) {
            .sport = htons(f->sport), .dport = htons(f->dport),
            .proto = f->proto, .vlan = vlan, .scope = scope };
        assert_int_equal(inet_pton(AF_INET, f->src, &k.four.saddr), 1);
        assert_int_equal(inet_pton(AF_INET, f->dst, &k.four.daddr), 1);
    }
    memcpy(key, &k, sizeof k);
}

/* Returns the map that flows of 'f' are in. */
static const struct bpf_map *
flows_of(const struct flow_frame *f)
{
    return flow_is_ip6(f) ? flow_skel->maps.flows6 : flow_skel->maps.flows4;
}

bool
flow_find(const struct flow_vm *vm, const struct flow_frame *f, bool out,
          struct ox_flow *flow)
{
    union key key;

    flow_key(vm, f, out, &key);
    return !bpf_map_lookup_elem(bpf_map__fd(flows_of(f)), &key, flow);
}

void
flow_put(const struct flow_vm *vm, const struct flow_frame *f, bool out,
         const struct ox_flow *flow)
{
    union key key;

    flow_key(vm, f, out, &key);
    put(flows_of(f), &key, flow);
}

uint32_t
flow_check_of(const struct flow_vm *vm, const struct flow_frame *f, bool out)
{
    union key key;

    flow_key(vm, f, out, &key);
    return (flow_is_ip6(f) ? ox_flow6_check(&key.six)
            : ox_flow4_check(&key.four));
}

struct ox_arrival *
flow_note(const struct flow_vm *vm, const struct flow_frame *f, bool out)
{
    return &notes[ox_arrival_index(flow_check_of(vm, f, out))];
}

/* Returns what the change from 'from' to 'to' adds to the complement of a
 * checksum, as struct ox_flow has it. */
static uint16_t
change(const uint8_t *from, const uint8_t *to, size_t n)
{
    uint32_t total = 0;

    if (!memcmp(from, to, n)) {
        return 0;
    }
    for (size_t i = 0; i < n; i += 2) {
        total += 0xffff - (from[i] << 8 | from[i + 1]);
        total += to[i] << 8 | to[i + 1];
    }
    while (total >> 16) {
        total = (total & 0xffff) + (total >> 16);
    }
    return htons(total);
}

struct ox_flow
flow_used(const struct flow_vm *vm, const struct flow_frame *f, bool out)
{
    struct flow_frame g = flow_beyond(vm, f);
    uint8_t from[16], to[16];
    struct ox_flow flow = {
        .head = UINT64_C(0x1234567900000000) | flow_check_of(vm, f, out),
        .vlan = g.tci, .mtu = FLOW_MTU, .ifindex = out ? flow_nic : FLOW_TAP,
        .generation = ports[vm->port].generation, .port = vm->port,
        .aging = f->ttl - g.ttl, .state = OX_FLOW_USED, .out = out,
        .near_ifindex = FLOW_RUN_IFINDEX };

    memcpy(flow.macs, g.dmac, 6);
    memcpy(flow.macs + 6, g.smac, 6);
    memcpy(flow.near_mac, f->dmac, 6);
    flow.used = flow.confirmed = flow.created = flow.seen = flow_ticks();
    map_address(from, out ? f->src : f->dst);
    map_address(to, out ? g.src : g.dst);
    flow.csum = change(from, to, sizeof from);
    memcpy(flow.nat, flow_is_ip6(f) ? to : to + 12, flow_is_ip6(f) ? 16 : 4);
    return flow;
}

struct ox_direct_port *
flow_port(const struct flow_vm *vm)
{
    return &ports[vm->port];
}

uint64_t
flow_secret(void)
{
    return SECRET;
}

uint32_t
flow_ticks(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return (now.tv_sec * UINT64_C(1000000000) + now.tv_nsec) >> OX_TICK_SHIFT;
}

int
flow_family(const struct flow_vm *vm)
{
    return strchr(vm->fixed, ':') != NULL;
}

uint8_t
flow_icmp(const struct flow_vm *vm)
{
    return flow_family(vm) ? ICMP6 : ICMP;
}

enum flow_program
flow_near(const struct flow_side *side)
{
    return side->out ? FLOW_VM : side->vm->bridge ? FLOW_SWITCHED : FLOW_NIC;
}

enum flow_program
flow_far(const struct flow_side *side)
{
    return (!side->out ? FLOW_VM_FAR
            : side->vm->bridge ? FLOW_SWITCHED_FAR : FLOW_NIC_FAR);
}

struct flow_frame
flow_frame_of(const struct flow_side *side, uint8_t proto)
{
    return (side->out ? flow_out : flow_in)(side->vm, proto);
}

void
flow_arrive(const struct flow_side *side, const struct flow_frame *f)
{
    static struct packet in, out;

    flow_make(&in, f);
    assert_int_equal(flow_run(flow_near(side), &in, &out, 0), XDP_PASS);
}
