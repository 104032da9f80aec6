/* SPDX-License-Identifier: Apache-2.0
 *
 * The NIC program, driven by BPF_PROG_TEST_RUN.  This file builds the world
 * and has the checks; the cases are in cases-*.c. */

#include <config.h>

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/abi.h"
#include "tests/bpf/bed.h"
#include "tests/bpf/cases.h"
#include "tests/bpf/packet.h"

const uint8_t cases_nic_mac[6] = { 0x02, 0x4e, 0x49, 0x43, 0x00, 0x05 };
const uint8_t cases_router_mac[6] = { 0x02, 0x52, 0x54, 0x00, 0x00, 0x01 };
const uint8_t cases_dmac[6] = { 0xfa, 0x16, 0x3e, 0xd1, 0xd2, 0xd3 };
const uint8_t cases_smac[6] = { 0x0a, 0x5a, 0x51, 0x52, 0x53, 0x54 };

/* A device that is not there. */
#define NO_IFINDEX 4242

/* The program under test. */
static struct ovn_xdp_bpf *skel;

/* Packet reasons that a case has seen, or that none can see. */
static bool reached[OX_N_REASONS];

int
cases_run(struct packet *p, size_t meta, uint32_t *verdict)
{
    static uint8_t out[PACKET_MAX + PACKET_TAG_LEN];
    struct xdp_md ctx = { .data = meta, .data_end = p->len };
    LIBBPF_OPTS(bpf_test_run_opts, opts,
                .data_in = p->data, .data_size_in = p->len,
                .data_out = out, .data_size_out = sizeof out,
                .ctx_in = meta ? &ctx : NULL,
                .ctx_size_in = meta ? sizeof ctx : 0,
                .ctx_out = meta ? &ctx : NULL,
                .ctx_size_out = meta ? sizeof ctx : 0);
    int error = bpf_prog_test_run_opts(bed_program(skel), &opts);

    if (error) {
        return -error;
    }
    *verdict = opts.retval;
    assert_in_range(opts.data_size_out, 1, PACKET_MAX);
    p->len = opts.data_size_out;
    memcpy(p->data, out, p->len);
    return 0;
}

/* Asserts that the program makes 'want' of 'in', with 'verdict'. */
static void
assert_becomes(const struct packet *in, const struct packet *want,
               uint32_t verdict)
{
    struct packet got = *in;
    uint32_t retval;

    assert_int_equal(cases_run(&got, 0, &retval), 0);
    assert_int_equal(retval, verdict);
    assert_int_equal(got.len, want->len);
    assert_memory_equal(got.data, want->data, want->len);
}

void
cases_pass(const struct packet *in, enum ox_reason reason)
{
    static struct bed_counters before, after;

    bed_read(skel, &before);
    assert_becomes(in, in, XDP_PASS);
    bed_read(skel, &after);
    bed_assert_counted(&before, &after, CASES_NIC, reason, BED_NO_SLOT,
                       in->len);
    reached[reason] = true;
}

void
cases_redirect(const struct packet *in, int slot, const struct packet *out)
{
    static struct bed_counters before, after;

    bed_read(skel, &before);
    assert_becomes(in, out, XDP_REDIRECT);
    bed_read(skel, &after);
    bed_assert_counted(&before, &after, CASES_NIC, OX_R_REDIRECTED, slot,
                       in->len);
    reached[OX_R_REDIRECTED] = true;
}

bool
cases_pass_with_meta(const struct packet *in, size_t meta,
                     enum ox_reason reason)
{
    static struct bed_counters before, after;
    struct packet got = *in;
    uint32_t verdict;
    int error;

    bed_read(skel, &before);
    error = cases_run(&got, meta, &verdict);
    if (error == EINVAL) {
        return false;
    }
    assert_int_equal(error, 0);
    bed_read(skel, &after);
    assert_int_equal(verdict, XDP_PASS);
    assert_int_equal(got.len, in->len);
    assert_memory_equal(got.data, in->data, in->len);
    bed_assert_counted(&before, &after, CASES_NIC, reason, BED_NO_SLOT,
                       in->len - meta);
    reached[reason] = true;
    return true;
}

void
cases_out_of_reach(enum ox_reason reason)
{
    reached[reason] = true;
}

void
cases_arrival4(struct packet *p, const struct packet_ip4 *ip)
{
    packet_eth(p, cases_nic_mac, cases_router_mac, 0, 0x0800);
    packet_ip4(p, ip);
    packet_fill(p, ip->payload);
}

void
cases_arrival6(struct packet *p, const struct packet_ip6 *ip6)
{
    packet_eth(p, cases_nic_mac, cases_router_mac, 0, 0x86dd);
    packet_ip6(p, ip6);
    packet_fill(p, ip6->payload);
}

void
cases_departure4(struct packet *p, const struct packet_ip4 *ip, uint16_t vlan)
{
    struct packet_ip4 aged = *ip;

    aged.ttl -= aged.ttl > 1;
    packet_eth(p, cases_dmac, cases_smac, vlan, 0x0800);
    packet_ip4(p, &aged);
    packet_fill(p, ip->payload);
}

void
cases_departure6(struct packet *p, const struct packet_ip6 *ip6, uint16_t vlan)
{
    struct packet_ip6 aged = *ip6;

    aged.hop_limit -= aged.hop_limit > 1;
    packet_eth(p, cases_dmac, cases_smac, vlan, 0x86dd);
    packet_ip6(p, &aged);
    packet_fill(p, ip6->payload);
}

/* Makes the endpoints 'number' of both families, complete but for addresses
 * and slots. */
static void
add_endpoints(const char *number, struct ox_endpoint *endpoint)
{
    bool changed = !strcmp(number, CASES_CHANGED);
    char address[64], claimed[64];

    memcpy(endpoint->dmac, cases_dmac, sizeof endpoint->dmac);
    memcpy(endpoint->smac, cases_smac, sizeof endpoint->smac);
    endpoint->slot = strtoul(number, NULL, 10) - 10;
    snprintf(address, sizeof address, CASES_NET4 "%s", number);
    snprintf(claimed, sizeof claimed, CASES_NET4 "%s",
             changed ? CASES_NOBODY : number);
    bed_add_endpoint_as(skel, address, claimed, endpoint);

    endpoint->slot += CASES_SLOTS6;
    snprintf(address, sizeof address, CASES_NET6 "%s", number);
    snprintf(claimed, sizeof claimed, CASES_NET6 "%s",
             changed ? CASES_NOBODY : number);
    bed_add_endpoint_as(skel, address, claimed, endpoint);
}

void
cases_add_claim(const char *address, const char *claimed)
{
    const struct ox_endpoint endpoint = {
        .mtu = CASES_MTU,
        .ifindex = if_nametoindex("lo"),
    };

    bed_add_endpoint_as(skel, address, claimed, &endpoint);
}

/* Makes all endpoints.  Redirected frames go to the device 'ifindex'. */
static void
add_all_endpoints(uint32_t ifindex)
{
    static const struct {
        const char *number;     /* Which endpoint. */
        uint16_t vlan;          /* Its tag. */
        uint16_t flags;         /* Its flags. */
        uint32_t mtu;           /* Its MTU. */
    } kinds[] = {
        { CASES_PLAIN, 0, 0, CASES_MTU },
        { CASES_TAGGED, CASES_VLAN, 0, CASES_MTU },
        { CASES_GONE, 0, 0, CASES_MTU },
        { CASES_CHANGED, 0, 0, CASES_MTU },
        { CASES_LONG, 0, 0, CASES_LONG_MTU },
        { CASES_SG, 0, OX_EP_TARGET_SG, CASES_LONG_MTU },
        { CASES_SG_TAGGED, CASES_VLAN, OX_EP_TARGET_SG, CASES_LONG_MTU },
    };

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        struct ox_endpoint endpoint = {
            .vlan = kinds[i].vlan,
            .flags = kinds[i].flags,
            .mtu = kinds[i].mtu,
            .ifindex = ifindex,
        };

        if (!strcmp(kinds[i].number, CASES_GONE)) {
            endpoint.ifindex = NO_IFINDEX;
        }
        add_endpoints(kinds[i].number, &endpoint);
    }
}

static int
set_up(void **state)
{
    static const uint8_t other_mac[6] = { 0x02, 0, 0, 0, 0, 0x99 };
    uint32_t ifindex = if_nametoindex("lo");

    (void) state;
    skel = bed_load(CASES_NIC, NULL);
    assert_non_null(skel);
    bed_set_nic(skel, CASES_NIC - 1, other_mac, ifindex);
    bed_set_nic(skel, CASES_NIC, cases_nic_mac, ifindex);
    bed_add_target(skel, ifindex);
    add_all_endpoints(ifindex);
    return 0;
}

static int
tear_down(void **state)
{
    (void) state;
    ovn_xdp_bpf__destroy(skel);
    return 0;
}

/* Tells whether 'reason' is another test's: that of the sink (test-sink.c), or
 * one of other programs (test-stale.c, test-acl.c). */
static bool
is_elsewhere(enum ox_reason reason)
{
    return (reason == OX_R_PORT_SINK || reason == OX_R_STALE
            || reason >= OX_R_ACL_DROP);
}

/* Runs last: no reason may be left without a case. */
static void
test_every_reason_reached(void **state)
{
    (void) state;
    for (int i = 0; i < OX_N_REASONS; i++) {
        if (!reached[i] && !is_elsewhere(i)) {
            fail_msg("no case reached '%s'", bed_reason_name(i));
        }
    }
}

int
main(void)
{
    static const struct CMUnitTest last[] = {
        cmocka_unit_test(test_every_reason_reached),
    };
    static struct CMUnitTest all[128];
    size_t n = 0;

    bed_enter();
    assert_in_range(n_cases_frame + n_cases_ip4 + n_cases_ip6 + 1, 1, 128);
    memcpy(&all[n], cases_frame, n_cases_frame * sizeof all[0]);
    n += n_cases_frame;
    memcpy(&all[n], cases_ip4, n_cases_ip4 * sizeof all[0]);
    n += n_cases_ip4;
    memcpy(&all[n], cases_ip6, n_cases_ip6 * sizeof all[0]);
    n += n_cases_ip6;
    all[n++] = last[0];
    return _cmocka_run_group_tests("nic", all, n, set_up, tear_down);
}
