/* SPDX-License-Identifier: Apache-2.0 */
/* Rules in the kernel: what the attached program does with packets, after
 * acl-apply.c and the libbpf back end have written random rules, against rules
 * one after the other; and how much fits. */
#include <config.h>

#include "plugin/acl-apply.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "hash.h"
#include "packets.h"
#include "random.h"
#include "timeval.h"
#include "util.h"

#include "idl/sb-acl.h"
#include "plugin/acl.h"
#include "plugin/datapath-bpf.h"
#include "plugin/problems.h"
#include "tests/plugin/acl-random.h"
#include "tests/plugin/dp-bpf-bed.h"
#include "tests/plugin/netns.h"

/* Random sets, and packets for each. */
#define N_SETS 150
#define N_PACKETS 150

/* Longest frame. */
#define FRAME_LEN 128

static const struct dp_class *const class = &datapath_bpf_class;

/* The address of the IPv6 endpoint. */
#define ENDPOINT_IP6 "2001:db8:ffff::a"

/* What is programmed. */
struct bed {
    struct dp *dp;              /* Datapath. */
    struct acl_apply *apply;    /* Under test. */
    struct sb_acl_view view;    /* Address sets only. */
    struct acl_random_members members; /* Their members. */
    struct acl acl;             /* Ports. */
    int program;                /* The attached program. */
};

/* Adds the address set 'name', empty, to the view of 'bed'. */
static struct sb_address_set *
add_address_set(struct bed *bed, char *name)
{
    struct sb_address_set *as = xzalloc(sizeof *as);

    as->name = name;
    sset_init(&as->addresses);
    hmap_insert(&bed->view.address_sets, &as->node, hash_string(name, 0));
    return as;
}

/* Deletes all address sets. */
static void
clear_view(struct bed *bed)
{
    struct sb_address_set *as;

    HMAP_FOR_EACH_POP (as, node, &bed->view.address_sets) {
        sset_destroy(&as->addresses);
        free(as->name);
        free(as);
    }
}

/* Makes the address sets of 'bed->view' those of 'bed->members'. */
static void
fill_view(struct bed *bed)
{
    clear_view(bed);
    for (int i = 0; i < ACL_RANDOM_SETS; i++) {
        struct sb_address_set *as;

        as = add_address_set(bed, xasprintf("as%d", i));
        sset_destroy(&as->addresses);
        sset_clone(&as->addresses, &bed->members.sets[i]);
    }
}

/* Adds a port with the rules 'set'. */
static void
add_port(struct bed *bed, struct acl_set *set)
{
    struct acl_port *port = xzalloc(sizeof *port);

    port->set = set;
    hmap_insert(&bed->acl.ports, &port->node, 0);
}

/* Deletes all ports. */
static void
clear_ports(struct bed *bed)
{
    struct acl_port *port;

    HMAP_FOR_EACH_POP (port, node, &bed->acl.ports) {
        free(port);
    }
}

/* Returns the program that is attached to 'nic0'. */
static int
attached_program(void)
{
    uint32_t id = 0;
    int fd;

    assert_int_equal(bpf_xdp_query_id(if_nametoindex("nic0"), 0, &id), 0);
    fd = bpf_prog_get_fd_by_id(id);
    assert_true(fd >= 0);
    return fd;
}

/* Opens a datapath with room for 'max_endpoints', with layer L2. */
static void
bed_init(struct bed *bed, uint32_t max_endpoints)
{
    struct dp_config config = { DP_BED_PINS, max_endpoints };
    struct dp_nic nic = dp_bed_nic();

    memset(bed, 0, sizeof *bed);
    nic.acl = DP_ACL_DROP;
    assert_int_equal(class->open(&config, &bed->dp), 0);
    assert_int_equal(class->put_target(bed->dp, if_nametoindex("out0")), 0);
    assert_int_equal(class->attach_nic(bed->dp, &nic), 0);
    bed->program = attached_program();
    bed->apply = acl_apply_create(class, bed->dp, 1);
    hmap_init(&bed->view.address_sets);
    hmap_init(&bed->acl.ports);
    hmap_init(&bed->acl.sets);
    acl_random_members_init(&bed->members);
}

/* Closes it. */
static void
bed_destroy(struct bed *bed)
{
    clear_view(bed);
    clear_ports(bed);
    hmap_destroy(&bed->view.address_sets);
    hmap_destroy(&bed->acl.ports);
    hmap_destroy(&bed->acl.sets);
    acl_random_members_destroy(&bed->members);
    acl_apply_destroy(bed->apply);
    close(bed->program);
    dp_bed_close(bed->dp);
}

/* Does the first half of an update, and asserts that all fits. */
static void
prepare(struct bed *bed, const struct sset *changed)
{
    struct problems problems = PROBLEMS_INITIALIZER;

    const struct acl_apply_inputs inputs = {
        .acl = &bed->acl, .view = &bed->view, .changed_sets = changed };

    assert_int_equal(acl_apply_prepare(bed->apply, &inputs, &problems), 0);
    assert_int_equal(problems.n, 0);
    problems_destroy(&problems);
}

/* Returns the endpoint of either family, with rules 'id'. */
static struct dp_endpoint
endpoint(bool ip6, uint32_t id)
{
    struct dp_endpoint e = dp_bed_endpoint();

    if (ip6) {
        assert_true(ipv6_parse(ENDPOINT_IP6, &e.key.addr));
    }
    e.action.acl = id;
    return e;
}

/* Writes the IPv4 header of 'p' to 'l3', with 'len' bytes behind it. */
static size_t
write_ip4(uint8_t *l3, const struct acl_random_packet *p, size_t len)
{
    struct dp_endpoint e = endpoint(false, 0);
    struct ip_header ip = {
        .ip_ihl_ver = IP_IHL_VER(5, 4),
        .ip_tot_len = htons(sizeof ip + len),
        .ip_ttl = 64,
        .ip_proto = p->packet.protocol,
    };

    put_16aligned_be32(&ip.ip_src, in6_addr_get_mapped_ipv4(&p->source));
    put_16aligned_be32(&ip.ip_dst, in6_addr_get_mapped_ipv4(&e.key.addr));
    memcpy(l3, &ip, sizeof ip);
    return sizeof ip;
}

/* The same for IPv6. */
static size_t
write_ip6(uint8_t *l3, const struct acl_random_packet *p, size_t len)
{
    struct dp_endpoint e = endpoint(true, 0);

    memset(l3, 0, IPV6_HEADER_LEN);
    l3[0] = 0x60;
    l3[4] = len >> 8;
    l3[5] = len;
    l3[6] = p->packet.protocol;
    l3[7] = 64;
    memcpy(l3 + 8, &p->source, 16);
    memcpy(l3 + 24, &e.key.addr, 16);
    return IPV6_HEADER_LEN;
}

/* Writes what is behind the IP header of 'p', a SYN if it is TCP. */
static void
write_l4(uint8_t *l4, const struct acl_packet *p)
{
    memset(l4, 0, TCP_HEADER_LEN);
    if (p->protocol == IPPROTO_TCP || p->protocol == IPPROTO_UDP
        || p->protocol == IPPROTO_SCTP) {
        l4[0] = p->src_port >> 8;
        l4[1] = p->src_port;
        l4[2] = p->dst_port >> 8;
        l4[3] = p->dst_port;
    } else {
        l4[0] = p->icmp_type;
        l4[1] = p->icmp_code;
    }
    if (p->protocol == IPPROTO_UDP) {
        l4[5] = TCP_HEADER_LEN;
    } else if (p->protocol == IPPROTO_TCP) {
        l4[12] = 0x50;
        l4[13] = 2;
    }
}

/* Returns what the program does with 'p'. */
static uint32_t
run(const struct bed *bed, const struct acl_random_packet *p)
{
    static uint8_t frame[FRAME_LEN], out[FRAME_LEN + 64];
    struct dp_nic nic = dp_bed_nic();
    struct eth_header eth = {
        .eth_dst = nic.mac,
        .eth_src = ETH_ADDR_C(02, 00, 00, 00, 00, 02),
        .eth_type = htons(p->packet.ip6 ? ETH_TYPE_IPV6 : ETH_TYPE_IP),
    };
    LIBBPF_OPTS(bpf_test_run_opts, opts,
        .data_in = frame, .data_size_in = sizeof frame,
        .data_out = out, .data_size_out = sizeof out, .repeat = 1);
    uint8_t *l3 = frame + sizeof eth;

    memset(frame, 0, sizeof frame);
    memcpy(frame, &eth, sizeof eth);
    write_l4(l3 + (p->packet.ip6
                   ? write_ip6(l3, p, TCP_HEADER_LEN)
                   : write_ip4(l3, p, TCP_HEADER_LEN)), &p->packet);
    assert_int_equal(bpf_prog_test_run_opts(bed->program, &opts), 0);
    return opts.retval;
}

/* Returns true if the program should look at 'packet', under rules of
 * 'set'. */
static bool
is_candidate(const struct acl_set *set, const struct acl_random_packet *packet)
{
    const struct acl_packet *p = &packet->packet;
    bool icmp6 = p->ip6 && p->protocol == IPPROTO_ICMPV6;

    if (p->ip6 && (IN6_IS_ADDR_LINKLOCAL(&packet->source)
                   || IN6_IS_ADDR_V4COMPAT(&packet->source))) {
        return false;
    }
    if (set->stateful) {
        return p->protocol == IPPROTO_TCP;
    }
    return (p->protocol == IPPROTO_TCP || p->protocol == IPPROTO_UDP
            || p->protocol == IPPROTO_SCTP
            || (!p->ip6 && p->protocol == IPPROTO_ICMP)
            || (icmp6 && p->icmp_type != 143
                && (p->icmp_type < 130 || p->icmp_type > 137)));
}

/* Compares packets to an endpoint with 'set'.  Returns how many were
 * dropped. */
static int
compare(struct bed *bed, const struct acl_set *set, bool exact)
{
    int n_dropped = 0;

    for (int i = 0; i < N_PACKETS; i++) {
        struct acl_random_packet p = acl_random_packet();
        bool should, dropped = run(bed, &p) == XDP_DROP;

        acl_random_decide(set, &bed->members, &p, &should);
        if (exact && is_candidate(set, &p)) {
            assert_int_equal(dropped, should);
        }
        assert_true(should || !dropped);
        n_dropped += dropped;
    }
    return n_dropped;
}

/* Random sets, one after the other, with members that come and go. */
static void
test_random(void **state OVS_UNUSED)
{
    struct acl_set *set, *before = NULL;
    uint64_t n_dropped = 0;
    struct dp_counter drops[2];
    struct bed bed;

    random_set_seed(7);
    bed_init(&bed, 64);
    class->lease(bed.dp, time_msec() + 600000);
    for (int i = 0; i < N_SETS; i++) {
        bool exact = i % 4;

        set = acl_random_set(1 + i % 60, exact);
        for (int j = 0; j < 6; j++) {
            acl_random_members_change(&bed.members,
                                      random_range(ACL_RANDOM_SETS));
        }
        fill_view(&bed);
        clear_ports(&bed);
        add_port(&bed, set);
        prepare(&bed, NULL);
        for (int j = 0; j < 2; j++) {
            struct dp_endpoint e = endpoint(j,
                                            acl_apply_id(bed.apply, set));

            assert_int_equal(class->put_endpoint(bed.dp, &e), 0);
        }
        acl_apply_finish(bed.apply);
        if (before) {
            acl_random_set_free(before);
        }
        before = set;
        n_dropped += compare(&bed, set, exact);
        class->lease(bed.dp, time_msec() + 600000);
        n_dropped += compare(&bed, set, exact);
    }
    assert_true(n_dropped > N_SETS * N_PACKETS / 20);
    for (int j = 0; j < 2; j++) {
        struct dp_endpoint e = endpoint(j, 0);

        assert_int_equal(class->endpoint_drops(bed.dp, &e.key, &drops[j]), 0);
    }
    assert_true(drops[0].packets + drops[1].packets == n_dropped);

    /* Without a lease nothing is dropped. */
    class->lease(bed.dp, 0);
    assert_int_equal(compare(&bed, before, false), 0);
    acl_random_set_free(before);
    bed_destroy(&bed);
}

/* Returns rules like those of a security group: 'n' rules, with ports and an
 * address set, and one that drops. */
static struct acl_set *
group_set(int number, size_t n)
{
    static uint64_t serial = UINT64_C(1) << 32;
    struct acl_set *set = xzalloc(sizeof *set);

    set->serial = ++serial;
    set->stateful = true;
    set->n_rules = n;
    set->rules = xcalloc(n, sizeof *set->rules);
    for (size_t i = 0; i < n; i++) {
        struct acl_rule *rule = xzalloc(sizeof *rule);
        struct acl_cube *cube = xmalloc(sizeof *cube);
        bool last = i + 1 == n;

        acl_cube_init_any(cube);
        if (!last) {
            memset(cube->protocols, 0, sizeof cube->protocols);
            cube->protocols[0] = 1 << (i % 8 ? IPPROTO_TCP : IPPROTO_UDP);
            cube->ip6 = false;
            cube->dst_port.lo = 1000 * (i % 60) + number;
            cube->dst_port.hi = cube->dst_port.lo + (i % 5 ? 0 : 99);
            cube->source.any = false;
            svec_add_nocopy(&cube->source.atoms,
                            i % 3 ? xasprintf("$group%d", number)
                            : xasprintf("10.%"PRIuSIZE".%d.0/24", i % 200,
                                        number % 250));
        }
        rule->action = last ? ACL_DROP : ACL_ALLOW_RELATED;
        rule->match = xasprintf("%"PRIuSIZE, i);
        rule->priority = last ? 1 : 2;
        rule->cubes = cube;
        rule->n_cubes = 1;
        set->rules[i] = rule;
    }
    return set;
}

/* 2,000 ports with 200 sets of 50 rules and 100 members each fit, again and
 * again. */
static void
test_many(void **state OVS_UNUSED)
{
    enum { N = 200 };
    long long int start;
    struct acl_set *sets[2][N];
    struct bed bed;

    bed_init(&bed, 4096);
    for (int i = 0; i < N; i++) {
        struct sb_address_set *as;

        as = add_address_set(&bed, xasprintf("group%d", i));
        for (int j = 0; j < 100; j++) {
            sset_add_and_free(&as->addresses,
                              xasprintf("10.%d.%d.1", j, (i + j) % N));
        }
    }
    for (int round = 0; round < 4; round++) {
        clear_ports(&bed);
        for (int i = 0; i < N; i++) {
            sets[round & 1][i] = group_set(i, 50);
            for (int j = 0; j < 10; j++) {
                add_port(&bed, sets[round & 1][i]);
            }
        }
        start = time_usec();
        prepare(&bed, NULL);
        print_message("200 sets of 50 rules: %lld us\n", time_usec() - start);
        for (int i = 0; i < N; i++) {
            assert_true(acl_apply_id(bed.apply, sets[round & 1][i]) != 0);
        }
        acl_apply_finish(bed.apply);
        class->lease(bed.dp, time_msec() + 3000);
        for (int i = 0; i < N && round; i++) {
            acl_random_set_free(sets[!(round & 1)][i]);
        }
    }
    for (int i = 0; i < N; i++) {
        acl_random_set_free(sets[1][i]);
    }
    bed_destroy(&bed);
}

/* What does not fit leaves nothing behind, and what is deleted makes room,
 * also when it was deleted only just now. */
static void
test_full(void **state OVS_UNUSED)
{
    struct dp_acl acl = { .n_rules = OX_ACL_RULES, .drops.word[0] = 1 };
    uint32_t n_sets = OX_MAX_ACL_HITS / OX_ACL_RULES;
    uint64_t hits[1];
    struct bed bed;

    bed_init(&bed, 64);
    for (acl.id = 1; acl.id <= n_sets; acl.id++) {
        assert_int_equal(class->put_acl(bed.dp, &acl), 0);
    }
    for (int i = 0; i < 3; i++) {
        assert_int_equal(class->put_acl(bed.dp, &acl), ENOSPC);
        assert_int_equal(class->acl_hits(bed.dp, acl.id, hits, 1), ENOENT);
        assert_int_equal(class->del_acl(bed.dp, i + 1), 0);
        assert_int_equal(class->put_acl(bed.dp, &acl), 0);
        assert_int_equal(class->acl_hits(bed.dp, acl.id, hits, 1), 0);
        acl.id++;
    }
    bed_destroy(&bed);
}

/* As long as the kernel does not say that programs have ended, which may look
 * at sets that were deleted, no new one takes the place of those. */
static void
test_burial(void **state OVS_UNUSED)
{
    struct dp_acl acl = { .id = 1, .n_rules = 1 };
    struct bed bed;
    int fd;

    bed_init(&bed, 64);
    assert_int_equal(class->put_acl(bed.dp, &acl), 0);
    assert_int_equal(class->del_acl(bed.dp, acl.id), 0);
    fd = bed.dp->acls.wait_fd;
    bed.dp->acls.wait_fd = -1;
    acl.id = 2;
    assert_int_equal(class->put_acl(bed.dp, &acl), 0);
    class->lease(bed.dp, 1);
    acl.id = 3;
    assert_int_equal(class->put_acl(bed.dp, &acl), EBADF);
    bed.dp->acls.wait_fd = fd;
    assert_int_equal(class->put_acl(bed.dp, &acl), 0);
    bed_destroy(&bed);
}

/* Sends packets from 10.0.0.1, which rules allow by way of "$as0", until it is
 * killed: a process of its own. */
static void
send_allowed(const struct bed *bed)
{
    struct acl_random_packet p = {
        .packet = { .protocol = IPPROTO_TCP, .dst_port = 80 },
        .source = in6_addr_mapped_ipv4(htonl(0x0a000001)),
    };

    for (;;) {
        run(bed, &p);
    }
}

/* Returns a set of 'n' rules: the first allows "$as0", others what is in other
 * sets, the last drops all. */
static struct acl_set *
storm_set(size_t n)
{
    struct acl_set *set = group_set(2, n);

    for (size_t i = 0; i + 1 < n; i++) {
        struct acl_source *source = &set->rules[i]->cubes->source;

        svec_clear(&source->atoms);
        svec_add_nocopy(&source->atoms,
                        xasprintf("$as%"PRIuSIZE, i % ACL_RANDOM_SETS));
    }
    svec_destroy(&set->rules[0]->cubes->source.atoms);
    acl_cube_init_any(set->rules[0]->cubes);
    set->rules[0]->cubes->source.any = false;
    svec_add(&set->rules[0]->cubes->source.atoms, "$as0");
    return set;
}

/* Whatever becomes of other members, of the prefix that has the source, and of
 * the set: a packet that is always allowed is never dropped. */
static void
test_storm(void **state OVS_UNUSED)
{
    static const char *const places[] = {
        "10.0.0.1", "10.0.0.0/24", "10.0.0.0/30", "10.0.0.0/8",
    };
    struct acl_set *set, *before = NULL;
    long long int end = time_msec() + 3000;
    struct dp_endpoint e = endpoint(false, 0);
    struct dp_counter drops, redirects;
    struct bed bed;
    pid_t pid = -1;
    int n;

    random_set_seed(11);
    bed_init(&bed, 64);
    class->lease(bed.dp, time_msec() + 600000);
    for (n = 0; time_msec() < end; n++) {
        for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
            sset_find_and_delete(&bed.members.sets[0], places[i]);
        }
        sset_add(&bed.members.sets[0], places[n % ARRAY_SIZE(places)]);
        acl_random_members_change(&bed.members, 1 + random_range(5));
        fill_view(&bed);
        set = n % 3 && before ? before : storm_set(10 + n % 300);
        clear_ports(&bed);
        add_port(&bed, set);
        prepare(&bed, NULL);
        e = endpoint(false, acl_apply_id(bed.apply, set));
        assert_int_equal(class->put_endpoint(bed.dp, &e), 0);
        acl_apply_finish(bed.apply);
        class->lease(bed.dp, time_msec() + 600000);
        if (before && before != set) {
            acl_random_set_free(before);
        }
        before = set;
        if (pid < 0) {
            pid = fork();
            if (!pid) {
                send_allowed(&bed);
            }
        }
        time_msec();
    }
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_int_equal(class->endpoint_drops(bed.dp, &e.key, &drops), 0);
    assert_int_equal(class->endpoint_counter(bed.dp, &e.key, &redirects), 0);
    print_message("%"PRIu64" packets during %d changes\n", redirects.packets,
                  n);
    assert_int_equal(drops.packets, 0);
    assert_true(redirects.packets > 1000);
    acl_random_set_free(before);
    bed_destroy(&bed);
}

/* Gives the only port of 'bed' rules that drop what is sent to the ports 'lo'
 * to 'hi', and returns them. */
static struct acl_set *
drop_ports(struct bed *bed, uint16_t lo, uint16_t hi)
{
    struct acl_set *set = group_set(3, 1);
    struct acl_cube *cube = set->rules[0]->cubes;

    cube->dst_port.lo = lo;
    cube->dst_port.hi = hi;
    clear_ports(bed);
    add_port(bed, set);
    prepare(bed, NULL);
    acl_apply_finish(bed->apply);
    return set;
}

/* The program of an earlier daemon, which was killed, takes the ids of the new
 * one for those of rules that it has itself: it drops nothing any more. */
static void
test_restart(void **state OVS_UNUSED)
{
    struct dp_config config = { DP_BED_PINS, 64 };
    struct acl_random_packet p = {
        .packet = { .protocol = IPPROTO_TCP, .dst_port = 80 },
        .source = in6_addr_mapped_ipv4(htonl(0x0a000001)),
    };
    long long int until = time_msec() + 600000;
    struct acl_set *closed, *open;
    struct dp_endpoint e;
    struct bed bed;
    uint32_t id;

    bed_init(&bed, 64);

    /* What ends the lease is put right if it was removed. */
    assert_int_equal(unlink(DP_BED_PINS "/acl_lease"), 0);
    class->lease(bed.dp, until);
    closed = drop_ports(&bed, 0, UINT16_MAX);
    id = acl_apply_id(bed.apply, closed);
    e = endpoint(false, id);
    assert_int_equal(class->put_endpoint(bed.dp, &e), 0);
    assert_int_equal(run(&bed, &p), XDP_DROP);
    e = endpoint(false, 0);
    assert_int_equal(class->put_endpoint(bed.dp, &e), 0);

    /* No endpoint names the id any more. */
    acl_apply_destroy(bed.apply);
    class->close(bed.dp, false);
    assert_int_equal(class->open(&config, &bed.dp), 0);
    assert_true(class->last_lease(bed.dp) == until);
    bed.apply = acl_apply_create(class, bed.dp, 1);
    open = drop_ports(&bed, 9, 9);
    assert_int_equal(acl_apply_id(bed.apply, open), id);
    e = endpoint(false, id);
    assert_int_equal(class->put_endpoint(bed.dp, &e), 0);
    assert_true(run(&bed, &p) != XDP_DROP);

    /* Nor does it once there is a new lease. */
    class->lease(bed.dp, until);
    assert_true(run(&bed, &p) != XDP_DROP);
    acl_random_set_free(closed);
    acl_random_set_free(open);
    bed_destroy(&bed);
}

/* What a change costs: one of 50,000 members, and one rule of a set. */
static void
test_cost(void **state OVS_UNUSED)
{
    struct sset changed = SSET_INITIALIZER(&changed);
    struct acl_set *set, *other;
    struct sb_address_set *as;
    long long int start;
    struct bed bed;

    bed_init(&bed, 64);
    as = add_address_set(&bed, xstrdup("group1"));
    for (int i = 0; i < 50000; i++) {
        sset_add_and_free(&as->addresses,
                          xasprintf("10.1.%d.%d", i / 256, i % 256));
    }
    set = group_set(1, 50);
    add_port(&bed, set);
    start = time_usec();
    prepare(&bed, NULL);
    print_message("50,000 members: %lld us\n", time_usec() - start);
    acl_apply_finish(bed.apply);
    sset_add(&changed, "group1");
    for (int i = 0; i < 4; i++) {
        if (!sset_find_and_delete(&as->addresses, "10.0.0.1")) {
            sset_add(&as->addresses, "10.0.0.1");
        }
        start = time_usec();
        prepare(&bed, &changed);
        acl_apply_finish(bed.apply);
        print_message("one of 50,000 members: %lld us\n",
                      time_usec() - start);
    }
    sset_clear(&changed);
    for (int i = 0; i < 4; i++) {
        other = group_set(1, 51);
        clear_ports(&bed);
        add_port(&bed, other);
        start = time_usec();
        prepare(&bed, &changed);
        acl_apply_finish(bed.apply);
        print_message("one rule: %lld us, ", time_usec() - start);
        start = time_usec();
        class->lease(bed.dp, time_msec() + 3000);
        print_message("and %lld us later\n", time_usec() - start);
        acl_random_set_free(set);
        set = other;
    }
    acl_random_set_free(set);
    sset_destroy(&changed);
    bed_destroy(&bed);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_random, dp_bed_clean_up),
        cmocka_unit_test_teardown(test_many, dp_bed_clean_up),
        cmocka_unit_test_teardown(test_full, dp_bed_clean_up),
        cmocka_unit_test_teardown(test_burial, dp_bed_clean_up),
        cmocka_unit_test_teardown(test_storm, dp_bed_clean_up),
        cmocka_unit_test_teardown(test_restart, dp_bed_clean_up),
        cmocka_unit_test_teardown(test_cost, dp_bed_clean_up),
    };

    dp_bed_enter();
    return cmocka_run_group_tests_name("acl", tests, NULL, NULL);
}
