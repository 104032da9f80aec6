/* SPDX-License-Identifier: Apache-2.0
 *
 * Measures what layer L2 of the NIC program costs: of a packet that it drops,
 * and of one that it lets pass, with few rules and with many.  Needs root.
 *
 * What is dropped is a flood of SYNs to a closed port, from one source or from
 * many in turn.  Prints a line of JSON for each figure, as
 * tests/bench/figures.py says. */

#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "bpf/abi.h"
#include "tests/bpf/bed.h"
#include "tests/bpf/contest.h"
#include "tests/bpf/packet.h"
#include "tests/bpf/rules.h"

/* Most that many rules may cost, relative to few. */
#define GOAL 2.5

/* Members of the address set. */
#define MEMBERS 50000

/* Most rules. */
#define MAX_RULES 1000

/* Sets of other ports, where there are many rules, and their rules. */
#define OTHERS 199
#define OTHER_RULES 20

/* TCP flags. */
#define SYN 0x02
#define ACK 0x10

/* Kinds of frames: to a closed port, to an open one, of a connection. */
enum frame_kind { CLOSED, OPEN, DATA };

/* Sources that rules name: the members, and a network. */
enum { GROUP, NETWORK, N_ATOMS };
static struct rules_prefix group, network;
static const struct rules_atom atoms[N_ATOMS] = {
    [GROUP] = { &group, 1 },
    [NETWORK] = { &network, 1 },
};

/* Programs with maps of their own, whose endpoint has so many rules. */
struct world {
    struct ovn_xdp_bpf *skel;   /* The program. */
    struct rules rules;         /* What was written. */
    struct rules_set set;       /* The rules of the endpoint. */
    struct rules_rule list[MAX_RULES]; /* Likewise. */
};
static struct world none, few, more, many;

/* The same, and each packet's source is asked for: one rule lets in all that
 * comes from the group, as the default security group does. */
static struct world few_grouped, many_grouped;

static const uint8_t nic_mac[6] = { 0x02, 0x4e, 0x49, 0x43, 0x00, 0x00 };
static const uint8_t other_mac[6] = { 0x02, 0x52, 0x54, 0x00, 0x00, 0x01 };

/* Makes the 'i'th frame of 'kind' at 'data'. */
static void
make_frame(int kind, uint32_t i, uint8_t *data)
{
    char source[32];
    const struct packet_ip4 ip = {
        .src = source, .dst = "10.0.0.10", .ttl = 64, .proto = 6,
        .payload = BENCH_FRAME_LEN - PACKET_ETH_LEN - PACKET_IP4_LEN,
    };
    struct packet p;
    uint8_t *tcp;

    snprintf(source, sizeof source, "%u.%u.%u.9", 64 + i % 61,
             i * 37 >> 8 & 0xff, i & 0xff);
    packet_eth(&p, nic_mac, other_mac, 0, 0x0800);
    packet_ip4(&p, &ip);
    tcp = &p.data[p.len];
    packet_pad(&p, BENCH_FRAME_LEN);
    tcp[0] = 0x80 | (i & 0x7f);
    tcp[1] = i >> 8;
    tcp[2] = kind == CLOSED ? 0x7f : 0;
    tcp[3] = kind == CLOSED ? 0x01 : 22;
    tcp[12] = 0x50;
    tcp[13] = kind == DATA ? ACK : SYN;
    memcpy(data, p.data, BENCH_FRAME_LEN);
}

/* Writes the members of the group: addresses that no frame comes from. */
static void
write_members(const struct rules *rules, uint32_t class)
{
    int fd = bpf_map__fd(rules->skel->maps.acl_hosts);
    struct ox_acl_host_class host = { .class = class };

    host.addr[10] = host.addr[11] = 0xff;
    for (uint32_t i = 0; i < MEMBERS; i++) {
        uint32_t addr = htonl(UINT32_C(0x0a000000) + i * 3);

        memcpy(&host.addr[12], &addr, 4);
        assert_int_equal(bpf_map_update_elem(fd, host.addr, &host, 0), 0);
    }
}

/* Makes the 'i'th rule: what a project may well have, one of the group, one of
 * a network and one with a range of ports among ten. */
static struct rules_rule
make_rule(uint32_t i)
{
    struct rules_rule rule = { 4, RULES_ANY, 6, 22 + i, 16, false };

    if (i % 10 == 3) {
        rule.atom = GROUP;
    } else if (i % 10 == 5) {
        rule.atom = NETWORK;
    } else if (i % 10 == 7) {
        rule.port_len = 12;
        rule.port = 0x8000 + (i << 4);
    }
    return rule;
}

/* Makes the world with 'n' rules, the last of which drops, or none.  If
 * 'grouped', one is about all that comes from the group. */
static void
make_world(struct world *w, size_t n, bool grouped)
{
    struct ox_endpoint endpoint = { .mtu = 1500, .acl = n ? 1 : 0 };
    const uint32_t one = 1;

    w->skel = bed_load_acl(0, BED_SLOTS, true, 0, NULL);
    assert_non_null(w->skel);
    bed_set_nic(w->skel, 0, nic_mac, one);
    endpoint.ifindex = one;
    endpoint.flags = OX_EP_ACL_STATEFUL;
    bed_add_target(w->skel, one);
    bed_add_endpoint(w->skel, "10.0.0.10", &endpoint);
    if (!n) {
        return;
    }
    for (uint32_t i = 0; i + 1 < n; i++) {
        w->list[i] = make_rule(i);
    }
    if (grouped) {
        w->list[1] = (struct rules_rule) { 4, GROUP, RULES_ANY, 0, 0, false };
    }
    w->list[n - 1] = (struct rules_rule) { RULES_ANY, RULES_ANY, RULES_ANY, 0,
                                           0, true };
    w->set = (struct rules_set) { 1, true, true, w->list, n, 0 };
    w->rules = (struct rules) { w->skel, atoms, N_ATOMS, 0, 0 };
    rules_write_sources(&w->rules);
    rules_write_set(&w->rules, &w->set);
    rules_lease(&w->rules, INT64_MAX);
}

/* Adds sets of other ports, as a node has them. */
static void
add_others(struct world *w)
{
    static struct rules_rule list[OTHER_RULES];

    for (uint32_t i = 0; i < OTHER_RULES; i++) {
        list[i] = make_rule(i);
    }
    for (uint32_t id = 2; id < 2 + OTHERS; id++) {
        struct rules_set set = { id, true, true, list, OTHER_RULES, 0 };

        rules_write_set(&w->rules, &set);
    }
}

/* Measures what is dropped and what passes, from 'n_flows' sources in turn. */
static void
measure(uint32_t n_flows)
{
    struct contest dropped[] = {
        { "dropped, 10 rules", CLOSED, XDP_DROP, bed_program(few.skel), 0,
          { 0 } },
        { "dropped, 100 rules", CLOSED, XDP_DROP, bed_program(more.skel), GOAL,
          { 0 } },
        { "dropped, 1,000 rules and 50,000 members", CLOSED, XDP_DROP,
          bed_program(many.skel), GOAL, { 0 } },
    };
    struct contest asked[] = {
        { "dropped, 10 rules", CLOSED, XDP_DROP,
          bed_program(few_grouped.skel), 0, { 0 } },
        { "dropped, 1,000 rules and 50,000 members", CLOSED,
          XDP_DROP, bed_program(many_grouped.skel), GOAL, { 0 } },
    };
    struct contest passed[] = {
        { "redirected, no rules", DATA, XDP_REDIRECT, bed_program(none.skel),
          0, { 0 } },
        { "redirected, of a connection, 10 rules", DATA, XDP_REDIRECT,
          bed_program(few.skel), 0, { 0 } },
        { "redirected, of a connection, 1,000 rules", DATA, XDP_REDIRECT,
          bed_program(many.skel), 0, { 0 } },
        { "redirected, new, 10 rules", OPEN, XDP_REDIRECT,
          bed_program(few.skel), 0, { 0 } },
        { "redirected, new, 100 rules", OPEN, XDP_REDIRECT,
          bed_program(more.skel), 0, { 0 } },
        { "redirected, new, 1,000 rules", OPEN, XDP_REDIRECT,
          bed_program(many.skel), 0, { 0 } },
    };
    char detail[32];

    snprintf(detail, sizeof detail, "%u source%s", n_flows,
             n_flows == 1 ? "" : "s");
    contest_run(dropped, 3, n_flows, contest_round);
    contest_report(dropped, 3, "early drop, net", detail);
    contest_run(asked, 2, n_flows, contest_round);
    contest_report(asked, 2, "early drop by source, net", detail);
    contest_run(passed, 6, n_flows, contest_round);
    contest_report(passed, 6, "no early drop, net", detail);
}

/* Measures real frames, beside a program that drops whatever comes. */
static void
measure_live(uint32_t n_flows)
{
    struct contest contests[] = {
        { "XDP_DROP", CLOSED, XDP_DROP,
          bpf_program__fd(contest_bench->progs.drop), 0, { 0 } },
        { "10 rules", CLOSED, XDP_DROP, bed_program(few.skel), 0, { 0 } },
        { "100 rules", CLOSED, XDP_DROP, bed_program(more.skel), 0, { 0 } },
        { "1,000 rules and 50,000 members", CLOSED, XDP_DROP,
          bed_program(many.skel), 0, { 0 } },
        { "source asked for, 1,000 rules and 50,000 members", CLOSED, XDP_DROP,
          bed_program(many_grouped.skel), 0, { 0 } },
    };
    char detail[32];

    snprintf(detail, sizeof detail, "%u source%s", n_flows,
             n_flows == 1 ? "" : "s");
    contest_run(contests, 5, n_flows, contest_live_round);
    contest_report(contests, 5, "early drop, real frames", detail);
}

/* Fills the world that has many rules. */
static void
fill_world(struct world *w)
{
    add_others(w);
    write_members(&w->rules, rules_class(&w->rules, &group));
}

int
main(int argc, char *argv[])
{
    static struct world *const worlds[] = { &none, &few, &more, &many,
                                            &few_grouped, &many_grouped };
    static const size_t sizes[] = { 0, 10, 100, MAX_RULES, 10, MAX_RULES };

    bed_enter();
    contest_open(argc, argv);
    for (int kind = CLOSED; kind <= DATA; kind++) {
        contest_make_frames(kind, BENCH_MAX_FRAMES, make_frame);
    }
    assert_int_equal(inet_pton(AF_INET6, "::ffff:172.16.0.1", group.addr), 1);
    group.len = 128;
    assert_int_equal(inet_pton(AF_INET6, "::ffff:172.17.0.0", network.addr),
                     1);
    network.len = 112;
    for (int i = 0; i < 6; i++) {
        make_world(worlds[i], sizes[i], i > 3);
    }
    fill_world(&many);
    fill_world(&many_grouped);
    measure(1);
    measure(BENCH_MAX_FRAMES);
    measure_live(1);
    measure_live(BENCH_MAX_FRAMES);
    for (int i = 0; i < 6; i++) {
        ovn_xdp_bpf__destroy(worlds[i]->skel);
    }
    contest_close();
    return 0;
}
