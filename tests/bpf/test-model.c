/* SPDX-License-Identifier: Apache-2.0
 * time-limit: 120
 *
 * The NIC program against a model of it (model.h), over a million frames at
 * random (wild.h): verdict, every byte, and every counter.
 *
 * OVN_XDP_SEED chooses other frames and endpoints, OVN_XDP_FRAMES how many.
 * What a failure prints is enough to see it again. */

#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/bpf.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "bpf/abi.h"
#include "tests/bpf/bed.h"
#include "tests/bpf/model.h"
#include "tests/bpf/wild.h"

/* Seed and number of frames, unless the environment says something else. */
#define SEED UINT64_C(20261120)
#define FRAMES (UINT64_C(1) << 21)

/* Of how many frames one must have a reason or a trait, at least. */
#define RARE 250

/* The program, again for generic mode and without a daemon, with layer L2,
 * dropping and counting, and that of a NIC in a bridge. */
enum kind { NATIVE, GENERIC, STALE, ACL_DROPS, ACL_COUNTS, GUARD, N_KINDS };

/* Their rows. */
static const uint32_t rows[] = { 7, 21, 40, 41, 63, 12 };

/* The bridge of that NIC, and another one. */
#define BRIDGE 4243
#define OTHER_BRIDGE 4244

/* Frames between changes of the lease, which is there most of the time. */
#define LEASE_FRAMES 8192

/* Most counters of rules, and connections of VMs. */
#define HITS (WILD_SETS * WILD_RULES)
#define OPENED 256

/* Id of a set that is not there. */
#define NO_SET 4242

/* Endpoints, half of them of each family. */
#define ENDPOINTS 96

/* A device that is not there. */
#define NO_IFINDEX 4242

/* What the program made of a frame. */
struct result {
    uint32_t verdict;           /* Its verdict. */
    size_t len;                 /* Bytes of metadata and frame. */
    uint8_t data[WILD_MAX_META + MODEL_MAX + MODEL_GROWTH]; /* Both. */
};

/* All counters, or what the model expects of them. */
struct totals {
    struct ox_counter reasons[OX_MAX_NICS * OX_N_REASONS];
    struct ox_counter endpoints[ENDPOINTS];
    struct ox_counter drops[ENDPOINTS];
    uint64_t hits[HITS];
};

static struct rules_atom atoms[WILD_ATOMS];
static struct rules_set sets[WILD_SETS];
static struct rules rules = { .atoms = atoms, .n_atoms = WILD_ATOMS };
static struct ox_opened_key opened[OPENED];
static struct ovn_xdp_bpf *owner, *skels[N_KINDS];
static struct model_endpoint endpoints[ENDPOINTS];
static struct model models[N_KINDS];
static struct totals expected;
static uint64_t seed, n_frames;

/* All frames were run, and nothing was wrong. */
static bool done;

/* How often each reason and trait occurred. */
static uint64_t n_reasons[OX_N_REASONS], n_traits[WILD_N_TRAITS];

static struct wild wild = { .model = &models[0] };

/* Returns the number in the environment variable 'name', or 'otherwise'. */
static uint64_t
setting(const char *name, uint64_t otherwise)
{
    const char *value = getenv(name);

    return value && *value ? strtoull(value, NULL, 0) : otherwise;
}

/* Runs the program of 'fd' on 'f'.  Returns 0 or a positive errno. */
static int
run(int fd, const struct wild_frame *f, struct result *r,
    struct xdp_md *ctx)
{
    bool plain = !f->meta && f->linear == f->len && !ctx;
    struct xdp_md own = { .data = f->meta, .data_end = f->meta + f->linear };
    LIBBPF_OPTS(bpf_test_run_opts, opts,
                .data_in = f->data, .data_size_in = f->meta + f->len,
                .data_out = r->data, .data_size_out = sizeof r->data);
    int error;

    if (f->linear == wild.limits.max_linear) {
        own.data_end = f->meta + f->len;
    }
    if (!plain) {
        opts.ctx_in = &own;
        opts.ctx_size_in = sizeof own;
        opts.ctx_out = ctx ? ctx : &own;
        opts.ctx_size_out = sizeof own;
    }
    error = -bpf_prog_test_run_opts(fd, &opts);
    r->verdict = opts.retval;
    r->len = opts.data_size_out;
    return error;
}

/* Tells whether the kernel runs the program of 'fd' on a foreign frame of
 * 'len' bytes with 'meta' bytes of metadata, of which 'linear' bytes are asked
 * to be in the first buffer.  Stores how many are. */
static bool
try(int fd, size_t meta, size_t len, size_t linear, size_t *got)
{
    static struct wild_frame f;
    static struct result r;
    struct xdp_md ctx;

    f.meta = meta;
    f.len = len;
    f.linear = linear;
    if (run(fd, &f, &r, &ctx)) {
        return false;
    }
    assert_int_equal(r.verdict, XDP_PASS);
    *got = ctx.data_end - ctx.data;
    return true;
}

/* Finds out what frames the kernel can be given. */
static void
find_limits(int fd, struct wild_limits *limits)
{
    size_t got = 0;

    for (limits->max_meta = WILD_MAX_META; limits->max_meta; ) {
        if (try(fd, limits->max_meta, 64, 64, &got)) {
            break;
        }
        limits->max_meta -= 4;
    }
    limits->split = try(fd, 0, 64, 32, &got) && got == 32;
    assert_true(try(fd, 0, MODEL_MAX, MODEL_MAX, &got));
    limits->max_linear = got;
    print_message("kernel: %zu bytes of metadata, %zu in a buffer, %s\n",
                  limits->max_meta, limits->max_linear,
                  limits->split ? "or less" : "not less");
}

/* Tells whether another endpoint before the 'i'th has its key. */
static bool
is_taken(size_t i)
{
    for (size_t j = 0; j < i; j++) {
        if (endpoints[i].is_ip6 == endpoints[j].is_ip6
            && endpoints[i].arrival_vlan == endpoints[j].arrival_vlan
            && !memcmp(endpoints[i].addr, endpoints[j].addr, 16)) {
            return true;
        }
    }
    return false;
}

/* Gives the 'i'th endpoint an address: at random, or one bit beside that of
 * an endpoint of its family.  Some are only for tagged arrivals. */
static void
choose_address(size_t i)
{
    struct model_endpoint *e = &endpoints[i];
    size_t n = e->is_ip6 ? 16 : 4;

    do {
        if (i >= 2 && wild_below(&wild, 2)) {
            memcpy(e->addr, endpoints[i - 2].addr, n);
            e->addr[wild_below(&wild, n)] ^= 1 << wild_below(&wild, 8);
        } else {
            wild_bytes(&wild, e->addr, n);
        }
        e->arrival_vlan = i % 16 < 2 ? 1 + wild_below(&wild, 4094) : 0;
    } while (is_taken(i));
    memcpy(e->claimed, e->addr, 16);
}

/* Makes the 'i'th endpoint. */
static void
choose_endpoint(size_t i)
{
    static const uint16_t vlans[] = { 0, 0, 1, 100, 0x0100, 4094 };
    static const uint32_t mtus[] = { 68, 576, 1280, 1500, 1500, 3500, 9000,
                                     9000 };
    struct model_endpoint *e = &endpoints[i];
    size_t set = i / 2 % (WILD_SETS + 2);

    e->is_ip6 = i % 2;
    choose_address(i);
    e->set = set < WILD_SETS ? &sets[set] : NULL;
    wild_bytes(&wild, e->dmac, 6);
    wild_bytes(&wild, e->smac, 6);
    e->vlan = vlans[i / 2 % 6];
    e->mtu = mtus[i / 2 % 8];
    e->target_takes_several = wild_below(&wild, 2);
    e->target_there = i % 20 >= 2;
    e->slot = ENDPOINTS - 1 - i;
    e->bridge = i / 2 % 10 ? BRIDGE : OTHER_BRIDGE;
    if (i % 22 < 2) {
        /* In each byte of IPv4, and in each word of IPv6. */
        size_t at = e->is_ip6 ? i / 22 * 4 + wild_below(&wild, 4) : i / 22;

        e->claimed[at % (e->is_ip6 ? 16 : 4)] ^= 1 << wild_below(&wild, 8);
    }
}

/* Writes the endpoint 'e' to the maps.  Redirected frames go to 'ifindex'. */
static void
write_endpoint(const struct model_endpoint *e, uint32_t ifindex)
{
    struct ox_endpoint value = {
        .vlan = e->vlan,
        .flags = e->target_takes_several ? OX_EP_TARGET_SG : 0,
        .ifindex = e->target_there ? ifindex : NO_IFINDEX,
        .slot = e->slot,
        .mtu = e->mtu,
        .bridge = e->bridge,
        .acl = e->set ? e->set->id : e->slot % 2 ? NO_SET : 0,
    };
    struct ox_key4 key4 = { .vlan = e->arrival_vlan };
    struct ox_key6 key6 = { .vlan = e->arrival_vlan };
    int fd = bpf_map__fd(e->is_ip6 ? owner->maps.endpoints6
                                   : owner->maps.endpoints4);

    if (e->set && e->set->stateful && e->slot % 3) {
        value.flags |= OX_EP_ACL_STATEFUL;
    }
    memcpy(value.addr, e->claimed, 16);
    memcpy(value.dmac, e->dmac, 6);
    memcpy(value.smac, e->smac, 6);
    memcpy(&key4.addr, e->addr, 4);
    memcpy(key6.addr, e->addr, 16);
    assert_int_equal(bpf_map_update_elem(fd, e->is_ip6 ? (const void *) &key6
                                                       : &key4,
                                         &value, BPF_NOEXIST), 0);
}

/* Reads counter 'i' of 'map', summed over the CPUs. */
static struct ox_counter
read_counter(const struct bpf_map *map, uint32_t i)
{
    static struct ox_counter *values;
    struct ox_counter sum = { 0, 0 };
    int n_cpus = libbpf_num_possible_cpus();

    if (!values) {
        values = calloc(n_cpus, sizeof *values);
        assert_non_null(values);
    }
    assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(map), &i, values), 0);
    for (int cpu = 0; cpu < n_cpus; cpu++) {
        sum.packets += values[cpu].packets;
        sum.bytes += values[cpu].bytes;
    }
    return sum;
}

/* Adds a frame of 'bytes' to 'counter'. */
static void
add(struct ox_counter *counter, size_t bytes)
{
    counter->packets++;
    counter->bytes += bytes;
}

/* Tells whether counter 'i' of 'map' is 'want'. */
static bool
counter_is(const struct bpf_map *map, uint32_t i,
           const struct ox_counter *want)
{
    struct ox_counter got = read_counter(map, i);

    return got.packets == want->packets && got.bytes == want->bytes;
}

/* Returns which program 'f' is for. */
static enum kind
kind_of(const struct wild_frame *f)
{
    return (f->traits & 1u << WILD_GUARD ? GUARD
            : f->traits & 1u << WILD_ACL_DROPS ? ACL_DROPS
            : f->traits & 1u << WILD_ACL_COUNTS ? ACL_COUNTS
            : f->traits & 1u << WILD_GENERIC ? GENERIC
            : f->traits & 1u << WILD_STALE ? STALE
            : NATIVE);
}

/* Asks the model about 'f'. */
static void
ask_model(const struct wild_frame *f, struct model_answer *want)
{
    const struct model_frame frame = {
        .data = &f->data[f->meta],
        .len = f->len,
        .linear = f->linear,
        .headroom = f->headroom,
    };

    model_decide(&models[kind_of(f)], &frame, want);
}

/* Adds 'f', of which the model says 'want', to what is expected in 'row'. */
static void
expect(const struct wild_frame *f, const struct model_answer *want,
       uint32_t row)
{
    add(&expected.reasons[row + want->reason], f->len);
    if (want->besides != want->reason) {
        add(&expected.reasons[row + want->besides], f->len);
    }
    if (want->slot != MODEL_NO_SLOT) {
        add(want->verdict == XDP_DROP ? &expected.drops[want->slot]
            : &expected.endpoints[want->slot], f->len);
    }
    if (want->hit != MODEL_NO_HIT) {
        expected.hits[want->hit]++;
    }
}

/* Tells whether the counters that 'want' is about are as expected. */
static bool
counters_agree(const struct model_answer *want, uint32_t row)
{
    const struct bpf_map *reasons = owner->maps.reasons;
    uint32_t reason = row + want->reason, besides = row + want->besides;

    return (counter_is(reasons, reason, &expected.reasons[reason])
            && (besides == reason
                || counter_is(reasons, besides, &expected.reasons[besides]))
            && (want->slot == MODEL_NO_SLOT
                || (want->verdict == XDP_DROP
                    ? counter_is(owner->maps.endpoint_drops, want->slot,
                                 &expected.drops[want->slot])
                    : counter_is(owner->maps.endpoint_stats, want->slot,
                                 &expected.endpoints[want->slot])))
            && (want->hit == MODEL_NO_HIT
                || (rules_hits(&rules, want->hit)
                    == expected.hits[want->hit])));
}

/* Runs the program on 'f' and tells whether 'got' is what the model wants:
 * the verdict, the metadata, every byte, and the counters. */
static bool
agrees(const struct wild_frame *f, struct result *got,
       struct model_answer *want)
{
    enum kind kind = kind_of(f);
    uint32_t row = rows[kind] * OX_N_REASONS;
    int error = run(bed_program(skels[kind]), f, got, NULL);

    if (error) {
        print_error("BPF_PROG_TEST_RUN: %s\n", strerror(error));
    }
    ask_model(f, want);
    expect(f, want, row);
    return !error
           && got->verdict == want->verdict
           && got->len == f->meta + want->len
           && !memcmp(got->data, f->data, f->meta)
           && !memcmp(&got->data[f->meta], want->data, want->len)
           && counters_agree(want, row);
}

/* Reads all counters into 't'. */
static void
read_totals(struct totals *t)
{
    for (uint32_t i = 0; i < OX_MAX_NICS * OX_N_REASONS; i++) {
        t->reasons[i] = read_counter(owner->maps.reasons, i);
    }
    for (uint32_t i = 0; i < ENDPOINTS; i++) {
        t->endpoints[i] = read_counter(owner->maps.endpoint_stats, i);
        t->drops[i] = read_counter(owner->maps.endpoint_drops, i);
    }
    for (uint32_t i = 0; i < HITS; i++) {
        t->hits[i] = rules_hits(&rules, i);
    }
}

/* Runs 'f' once more, where counters may have gone astray before. */
static bool
agrees_afresh(const struct wild_frame *f, struct result *got,
              struct model_answer *want)
{
    read_totals(&expected);
    return agrees(f, got, want);
}

/* Replaces 'f' by 'g' and returns true if program and model do not agree on
 * 'g' either, and it is the same reason against the same verdict. */
static bool
take_if_wrong(struct wild_frame *f, const struct wild_frame *g,
              enum ox_reason reason, uint32_t verdict)
{
    static struct model_answer want;
    static struct result got;

    if (g->len < 14 || g->linear > g->len || agrees_afresh(g, &got, &want)
        || want.reason != reason || got.verdict != verdict) {
        return false;
    }
    *f = *g;
    return true;
}

/* Makes 'f' simpler, for which the model wants 'reason' and the program said
 * 'verdict': no metadata, a shorter end, bytes that are zero. */
static void
shrink(struct wild_frame *f, enum ox_reason reason, uint32_t verdict)
{
    static struct wild_frame g;

    g = *f;
    g.meta = 0;
    g.headroom = true;
    memmove(g.data, &f->data[f->meta], f->len);
    take_if_wrong(f, &g, reason, verdict);
    for (size_t cut = f->len / 2; cut; ) {
        g = *f;
        g.len -= cut < g.len ? cut : 0;
        g.linear = f->linear == f->len ? g.len : f->linear;
        if (g.len == f->len || !take_if_wrong(f, &g, reason, verdict)) {
            cut /= 2;
        }
    }
    for (size_t i = f->meta; i < f->meta + f->len; i++) {
        g = *f;
        g.data[i] = 0;
        if (f->data[i]) {
            take_if_wrong(f, &g, reason, verdict);
        }
    }
}

/* Prints 'n' bytes. */
static void
print_bytes(const char *what, const uint8_t *data, size_t n)
{
    printf("%s %zu bytes:", what, n);
    for (size_t i = 0; i < n; i++) {
        printf("%s%02x", i % 32 ? " " : "\n    ", data[i]);
    }
    printf("\n");
}

/* Prints the endpoint whose counters are 'slot', if there is one. */
static void
print_endpoint(int slot)
{
    for (size_t i = 0; i < ENDPOINTS; i++) {
        const struct model_endpoint *e = &endpoints[i];
        char text[INET6_ADDRSTRLEN];

        if (e->slot == slot) {
            inet_ntop(e->is_ip6 ? AF_INET6 : AF_INET, e->addr, text,
                      sizeof text);
            printf("endpoint %s: vlan %u, mtu %u, target %s%s\n", text,
                   e->vlan, e->mtu, e->target_there ? "there" : "gone",
                   e->target_takes_several ? ", takes several buffers" : "");
        }
    }
}

/* Prints what the program counted from 'before' to now. */
static void
print_counted(const struct totals *before)
{
    static struct totals after;

    read_totals(&after);
    for (uint32_t i = 0; i < OX_MAX_NICS * OX_N_REASONS; i++) {
        if (after.reasons[i].packets != before->reasons[i].packets) {
            printf("counted: %s, row %d, %" PRIu64 " bytes\n",
                   bed_reason_name(i % OX_N_REASONS), i / OX_N_REASONS,
                   (uint64_t) (after.reasons[i].bytes
                               - before->reasons[i].bytes));
        }
    }
    for (int i = 0; i < ENDPOINTS; i++) {
        if (after.endpoints[i].packets != before->endpoints[i].packets) {
            print_endpoint(i);
        }
    }
}

/* Fails for 'f', the frame of number 'n', for which the model wants 'reason'
 * and the program said 'verdict'. */
static void
fail_for(struct wild_frame *f, uint64_t n, enum ox_reason reason,
         uint32_t verdict)
{
    static struct model_answer want;
    static struct totals before;
    static struct result got;

    shrink(f, reason, verdict);
    read_totals(&before);
    agrees_afresh(f, &got, &want);
    printf("OVN_XDP_SEED=%" PRIu64 ": frame %" PRIu64 ", made simpler\n",
           seed, n);
    for (int i = 0; i < WILD_N_TRAITS; i++) {
        if (f->traits & UINT32_C(1) << i) {
            printf("trait: %s\n", wild_trait_name(i));
        }
    }
    printf("metadata: %zu bytes, first buffer: %zu bytes\n", f->meta,
           f->linear);
    print_bytes("the NIC's MAC,", models[0].nic_mac, 6);
    print_bytes("frame", &f->data[f->meta], f->len);
    printf("expected: verdict %u, %s\n", want.verdict,
           bed_reason_name(want.reason));
    print_endpoint(want.slot);
    print_bytes("expected", want.data, want.len);
    printf("got: verdict %u\n", got.verdict);
    print_counted(&before);
    print_bytes("got", got.data + f->meta,
                got.len > f->meta ? got.len - f->meta : 0);
    fflush(stdout);
    fail_msg("program and model do not agree");
}

/* Lets packets be dropped, or not. */
static void
set_lease(bool leased)
{
    rules_lease(&rules, leased ? INT64_MAX : 0);
    for (int kind = 0; kind < N_KINDS; kind++) {
        models[kind].leased = leased;
    }
}

static void
test_frames(void **state)
{
    static struct wild_frame f;
    static struct model_answer want;
    static struct result got;
    clock_t start = clock();

    (void) state;
    for (uint64_t n = 0; n < n_frames; n++) {
        if (n % LEASE_FRAMES == 0) {
            set_lease(n / LEASE_FRAMES % 8 != 7);
        }
        wild_next(&wild, &f);
        if (!agrees(&f, &got, &want)) {
            fail_for(&f, n, want.reason, got.verdict);
        }
        n_reasons[want.reason]++;
        n_reasons[want.besides] += want.besides != want.reason;
        for (int i = 0; i < WILD_N_TRAITS; i++) {
            n_traits[i] += f.traits >> i & 1;
        }
    }
    done = true;
    print_message("%" PRIu64 " frames, %.0f ns of processor time each\n",
                  n_frames, ((double) (clock() - start) / CLOCKS_PER_SEC
                             / n_frames * 1e9));
}

/* No counter but those that the model says has grown. */
static void
test_all_counters(void **state)
{
    static struct totals got;

    (void) state;
    assert_true(done);
    read_totals(&got);
    for (uint32_t i = 0; i < OX_MAX_NICS * OX_N_REASONS; i++) {
        if (memcmp(&got.reasons[i], &expected.reasons[i],
                   sizeof got.reasons[i])) {
            fail_msg("row %d, %s: %llu frames, not %llu", i / OX_N_REASONS,
                     bed_reason_name(i % OX_N_REASONS),
                     (unsigned long long) got.reasons[i].packets,
                     (unsigned long long) expected.reasons[i].packets);
        }
    }
    assert_memory_equal(got.endpoints, expected.endpoints,
                        sizeof got.endpoints);
    assert_memory_equal(got.drops, expected.drops, sizeof got.drops);
    assert_memory_equal(got.hits, expected.hits, sizeof got.hits);
}

/* Tells whether a frame can have 'reason' on this kernel.  PORT_SINK is the
 * sink's (test-sink.c), and layer L3 has other programs (test-flow-near.c). */
static bool
can_occur(enum ox_reason reason)
{
    const struct wild_limits *limits = &wild.limits;

    if (reason >= OX_R_DIRECT) {
        return false;
    }
    switch ((int) reason) {
    case OX_R_PORT_SINK:
        return false;
    case OX_R_NO_HEADROOM:
        return limits->max_meta >= 64;
    case OX_R_MULTI_BUFFER:
        return limits->split || limits->max_linear < 9000;
    default:
        return true;
    }
}

/* Prints that 'name' occurred 'n' times.  Returns 1 if that is too rare for
 * something that is 'possible', 0 otherwise. */
static int
report(const char *name, uint64_t n, bool possible)
{
    bool rare = possible && n < n_frames / RARE;

    print_message("%9" PRIu64 "  %s%s\n", n, name,
                  rare ? " (too rare)" : possible ? "" : " (not possible)");
    return rare;
}

/* A million frames prove nothing about what does not occur among them. */
static void
test_all_occur(void **state)
{
    int n_rare = 0;

    (void) state;
    assert_true(done);
    for (int i = 0; i < OX_N_REASONS; i++) {
        n_rare += report(bed_reason_name(i), n_reasons[i], can_occur(i));
    }
    for (int i = 0; i < WILD_N_TRAITS; i++) {
        n_rare += report(wild_trait_name(i), n_traits[i],
                         wild_can_have(&wild, i));
    }
    for (int i = 0; i < ENDPOINTS; i++) {
        const struct model_endpoint *e = &endpoints[i];

        if (!e->arrival_vlan && e->target_there
            && !memcmp(e->claimed, e->addr, 16)
            && !expected.endpoints[e->slot].packets) {
            n_rare += report("frames for an endpoint", 0, true);
        }
    }
    assert_int_equal(n_rare, 0);
}

/* Loads all programs, with the maps of one. */
static void
load(void)
{
    owner = bed_load_acl(rows[ACL_DROPS], ENDPOINTS, true, 0, NULL);
    assert_non_null(owner);
    skels[ACL_DROPS] = owner;
    skels[ACL_COUNTS] = bed_load_acl(rows[ACL_COUNTS], ENDPOINTS, false, 0,
                                     owner);
    skels[NATIVE] = bed_load(rows[NATIVE], owner);
    skels[GENERIC] = bed_load_generic(rows[GENERIC], owner);
    skels[STALE] = bed_load_stale(rows[STALE], 1, owner);
    skels[GUARD] = bed_load_guard(rows[GUARD], true, owner);
    assert_true(skels[ACL_COUNTS] && skels[NATIVE] && skels[GENERIC]
                && skels[STALE] && skels[GUARD]);
}

/* Makes and writes the rules and all that they speak of. */
static void
make_rules(void)
{
    const struct ox_opened value = { .seen_ns = INT64_MAX };
    int fd = bpf_map__fd(owner->maps.opened);

    rules.skel = owner;
    wild_atoms(&wild, atoms);
    rules_write_sources(&rules);
    for (int i = 0; i < WILD_SETS; i++) {
        wild_set(&wild, i, &sets[i]);
        rules_write_set(&rules, &sets[i]);
    }
    for (int i = 0; i < OPENED; i++) {
        wild_opened(&wild, &endpoints[wild_below(&wild, ENDPOINTS)],
                    &opened[i]);
        assert_int_equal(bpf_map_update_elem(fd, &opened[i], &value, 0), 0);
    }
}

/* Tells the models what the programs know. */
static void
make_models(void)
{
    models[0].endpoints = endpoints;
    models[0].n = ENDPOINTS;
    models[0].atoms = atoms;
    models[0].opened = opened;
    models[0].n_opened = OPENED;
    for (int kind = 1; kind < N_KINDS; kind++) {
        models[kind] = models[0];
    }
    models[GENERIC].generic = true;
    models[STALE].stale = true;
    models[ACL_DROPS].acl = models[ACL_COUNTS].acl = true;
    models[ACL_DROPS].acl_drops = true;
    models[GUARD].acl = models[GUARD].acl_drops = true;
    models[GUARD].bridge = BRIDGE;
}

static int
set_up(void **state)
{
    uint32_t ifindex = if_nametoindex("lo");

    (void) state;
    load();
    find_limits(bed_program(owner), &wild.limits);
    wild_bytes(&wild, models[0].nic_mac, 6);
    models[0].nic_mac[0] &= 0xfe;
    for (int kind = 0; kind < N_KINDS; kind++) {
        bed_set_nic(owner, rows[kind], models[0].nic_mac, ifindex);
    }
    bed_set_bridge(owner, rows[GUARD], BRIDGE);
    bed_add_target(owner, ifindex);
    for (size_t i = 0; i < ENDPOINTS; i++) {
        choose_endpoint(i);
    }
    make_rules();
    for (size_t i = 0; i < ENDPOINTS; i++) {
        write_endpoint(&endpoints[i], ifindex);
    }
    make_models();
    /* Looking for the limits was counted too. */
    read_totals(&expected);
    return 0;
}

static int
tear_down(void **state)
{
    (void) state;
    for (int kind = N_KINDS - 1; kind >= 0; kind--) {
        ovn_xdp_bpf__destroy(skels[kind]);
    }
    return 0;
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frames),
        cmocka_unit_test(test_all_counters),
        cmocka_unit_test(test_all_occur),
    };

    seed = setting("OVN_XDP_SEED", SEED);
    n_frames = setting("OVN_XDP_FRAMES", FRAMES);
    wild.state = seed;
    print_message("OVN_XDP_SEED=%" PRIu64 " OVN_XDP_FRAMES=%" PRIu64 "\n",
                  seed, n_frames);
    bed_enter();
    return cmocka_run_group_tests_name("model", tests, set_up, tear_down);
}
