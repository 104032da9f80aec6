/* SPDX-License-Identifier: Apache-2.0
 *
 * Cases of test-nic.c about frames as such: Ethernet headers, VLAN tags, and
 * what the target can take. */

#include <config.h>

#include "tests/bpf/cases.h"

#include <string.h>

/* A frame with 'dst' that is fit to be redirected but for that. */
static void
frame_to(struct packet *p, const uint8_t *dst)
{
    const struct packet_ip4 ip = TO4(CASES_PLAIN, 26);

    cases_arrival4(p, &ip);
    memcpy(p->data, dst, 6);
}

static void
test_foreign_mac(void **state)
{
    struct packet p;
    uint8_t mac[6];

    (void) state;
    for (int i = 0; i < 6; i++) {
        memcpy(mac, cases_nic_mac, sizeof mac);
        mac[i] ^= 0x80;
        frame_to(&p, mac);
        cases_pass(&p, OX_R_FOREIGN_MAC);
    }
    memset(mac, 0, sizeof mac);
    frame_to(&p, mac);
    cases_pass(&p, OX_R_FOREIGN_MAC);
}

static void
test_multicast_mac(void **state)
{
    static const uint8_t macs[][6] = {
        { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff },
        { 0x01, 0x00, 0x5e, 0x00, 0x00, 0x01 },
        { 0x33, 0x33, 0x00, 0x00, 0x00, 0x01 },
        { 0x01, 0x80, 0xc2, 0x00, 0x00, 0x0e },
        { 0x03, 0x4e, 0x49, 0x43, 0x00, 0x05 },
    };
    struct packet p;

    (void) state;
    for (size_t i = 0; i < sizeof macs / sizeof macs[0]; i++) {
        frame_to(&p, macs[i]);
        cases_pass(&p, OX_R_MULTICAST);
    }
}

/* A frame whose type is another, so that its content is never an address. */
static void
test_not_ip(void **state)
{
    /* 802.3 length, ARP, VMTP, MPLS, PPPoE, EAPOL, LLDP, PTP, and the types
     * around those of IPv4, IPv6 and the tags. */
    static const uint16_t types[] = {
        0x0000, 0x002e, 0x07ff, 0x0801, 0x0806, 0x8847, 0x8864, 0x888e,
        0x88cc, 0x88f7, 0x86dc, 0x86de, 0x80ff, 0x8101, 0x88a7, 0x88a9,
        0x0008, 0xdd86, 0xffff,
    };
    const struct packet_ip4 ip = TO4(CASES_PLAIN, 26);
    struct packet p;

    (void) state;
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        packet_eth(&p, cases_nic_mac, cases_router_mac, 0, types[i]);
        packet_ip4(&p, &ip);
        packet_fill(&p, ip.payload);
        cases_pass(&p, OX_R_NOT_IP);
    }
}

static void
test_tagged(void **state)
{
    static const uint16_t tpids[] = { 0x8100, 0x88a8 };
    const struct packet_ip4 ip = TO4(CASES_PLAIN, 26);
    struct packet p;

    (void) state;
    for (size_t i = 0; i < 2; i++) {
        packet_eth(&p, cases_nic_mac, cases_router_mac, CASES_VLAN, 0x0800);
        packet_ip4(&p, &ip);
        packet_fill(&p, ip.payload);
        p.data[12] = tpids[i] >> 8;
        p.data[13] = tpids[i] & 0xff;
        cases_pass(&p, OX_R_TAGGED);

        /* Priority only. */
        p.data[14] = 0xe0;
        p.data[15] = 0;
        cases_pass(&p, OX_R_TAGGED);
    }
}

static void
test_ethernet_header_alone(void **state)
{
    struct packet p;

    (void) state;
    packet_eth(&p, cases_nic_mac, cases_router_mac, 0, 0x0800);
    cases_pass(&p, OX_R_TRUNCATED);
    packet_eth(&p, cases_nic_mac, cases_router_mac, 0, 0x86dd);
    cases_pass(&p, OX_R_TRUNCATED);
    packet_eth(&p, cases_nic_mac, cases_router_mac, 0, 0x0806);
    cases_pass(&p, OX_R_NOT_IP);
}

static void
test_not_local(void **state)
{
    const struct packet_ip4 ip = TO4(CASES_NOBODY, 26);
    const struct packet_ip6 ip6 = TO6(CASES_NOBODY, 26);
    struct packet p;

    (void) state;
    cases_arrival4(&p, &ip);
    cases_pass(&p, OX_R_NOT_LOCAL);
    cases_arrival6(&p, &ip6);
    cases_pass(&p, OX_R_NOT_LOCAL);
}

static void
test_tag_pushed(void **state)
{
    const struct packet_ip4 ip = TO4(CASES_TAGGED, 100);
    const struct packet_ip6 ip6 = TO6(CASES_TAGGED, 100);
    struct packet in, out;

    (void) state;
    cases_arrival4(&in, &ip);
    cases_departure4(&out, &ip, CASES_VLAN);
    cases_redirect(&in, SLOT4(CASES_TAGGED), &out);
    cases_arrival6(&in, &ip6);
    cases_departure6(&out, &ip6, CASES_VLAN);
    cases_redirect(&in, SLOT6(CASES_TAGGED), &out);
}

/* Short frames are padded behind the packet, and the padding stays. */
static void
test_padding(void **state)
{
    const struct packet_ip4 ip = TO4(CASES_PLAIN, 1);
    const struct packet_ip4 tagged = TO4(CASES_TAGGED, 0);
    const struct packet_ip6 ip6 = TO6(CASES_PLAIN, 2);
    struct packet in, out;

    (void) state;
    cases_arrival4(&in, &ip);
    packet_pad(&in, 60);
    cases_departure4(&out, &ip, 0);
    packet_pad(&out, 60);
    cases_redirect(&in, SLOT4(CASES_PLAIN), &out);

    cases_arrival4(&in, &tagged);
    packet_pad(&in, 60);
    cases_departure4(&out, &tagged, CASES_VLAN);
    packet_pad(&out, 64);
    cases_redirect(&in, SLOT4(CASES_TAGGED), &out);

    cases_arrival6(&in, &ip6);
    packet_pad(&in, 60);
    cases_departure6(&out, &ip6, 0);
    packet_pad(&out, 60);
    cases_redirect(&in, SLOT6(CASES_PLAIN), &out);
}

/* A packet of just the MTU goes, with and without a tag. */
static void
test_mtu_reached(void **state)
{
    const struct packet_ip4 ip = TO4(CASES_PLAIN, FILL4(CASES_MTU));
    const struct packet_ip4 tagged = TO4(CASES_TAGGED, FILL4(CASES_MTU));
    const struct packet_ip6 ip6 = TO6(CASES_PLAIN, FILL6(CASES_MTU));
    const struct packet_ip6 tagged6 = TO6(CASES_TAGGED, FILL6(CASES_MTU));
    struct packet in, out;

    (void) state;
    cases_arrival4(&in, &ip);
    cases_departure4(&out, &ip, 0);
    cases_redirect(&in, SLOT4(CASES_PLAIN), &out);
    cases_arrival4(&in, &tagged);
    cases_departure4(&out, &tagged, CASES_VLAN);
    cases_redirect(&in, SLOT4(CASES_TAGGED), &out);
    cases_arrival6(&in, &ip6);
    cases_departure6(&out, &ip6, 0);
    cases_redirect(&in, SLOT6(CASES_PLAIN), &out);
    cases_arrival6(&in, &tagged6);
    cases_departure6(&out, &tagged6, CASES_VLAN);
    cases_redirect(&in, SLOT6(CASES_TAGGED), &out);
}

static void
test_mtu_exceeded(void **state)
{
    const struct packet_ip4 ip = TO4(CASES_PLAIN, FILL4(CASES_MTU + 1));
    const struct packet_ip4 tagged = TO4(CASES_TAGGED, FILL4(CASES_MTU + 1));
    const struct packet_ip6 ip6 = TO6(CASES_PLAIN, FILL6(CASES_MTU + 1));
    const struct packet_ip6 tagged6 = TO6(CASES_TAGGED, FILL6(CASES_MTU + 1));
    struct packet p;

    (void) state;
    cases_arrival4(&p, &ip);
    cases_pass(&p, OX_R_EXCEEDS_MTU);
    cases_arrival4(&p, &tagged);
    cases_pass(&p, OX_R_EXCEEDS_MTU);
    cases_arrival6(&p, &ip6);
    cases_pass(&p, OX_R_EXCEEDS_MTU);
    cases_arrival6(&p, &tagged6);
    cases_pass(&p, OX_R_EXCEEDS_MTU);
}

/* The kernel compares the frame with MTU + 18, whatever the packet says. */
static void
test_mtu_and_trailer(void **state)
{
    const struct packet_ip4 ip = TO4(CASES_PLAIN, FILL4(CASES_MTU));
    const struct packet_ip4 tagged = TO4(CASES_TAGGED, FILL4(CASES_MTU));
    const struct packet_ip4 small = TO4(CASES_PLAIN, 8);
    struct packet in, out;

    (void) state;
    cases_arrival4(&in, &ip);
    packet_pad(&in, CASES_MTU + 18);
    cases_departure4(&out, &ip, 0);
    packet_pad(&out, CASES_MTU + 18);
    cases_redirect(&in, SLOT4(CASES_PLAIN), &out);
    packet_pad(&in, CASES_MTU + 19);
    cases_pass(&in, OX_R_EXCEEDS_MTU);

    cases_arrival4(&in, &tagged);
    packet_pad(&in, CASES_MTU + 15);
    cases_pass(&in, OX_R_EXCEEDS_MTU);

    cases_arrival4(&in, &small);
    packet_pad(&in, CASES_MTU + 19);
    cases_pass(&in, OX_R_EXCEEDS_MTU);
}

/* Frames of several buffers need a target that takes them. */
static void
test_multi_buffer(void **state)
{
    const struct packet_ip4 one = TO4(CASES_LONG, FILL4(CASES_LONG_MTU));
    const struct packet_ip4 many = TO4(CASES_SG, FILL4(CASES_LONG_MTU));
    const struct packet_ip4 tagged = TO4(CASES_SG_TAGGED,
                                         FILL4(CASES_LONG_MTU));
    const struct packet_ip6 one6 = TO6(CASES_LONG, FILL6(CASES_LONG_MTU));
    const struct packet_ip6 many6 = TO6(CASES_SG, FILL6(CASES_LONG_MTU));
    const struct packet_ip6 over6 = TO6(CASES_SG, FILL6(CASES_LONG_MTU + 1));
    struct packet in, out;

    (void) state;
    cases_arrival4(&in, &one);
    cases_pass(&in, OX_R_MULTI_BUFFER);
    cases_arrival6(&in, &one6);
    cases_pass(&in, OX_R_MULTI_BUFFER);

    cases_arrival4(&in, &many);
    cases_departure4(&out, &many, 0);
    cases_redirect(&in, SLOT4(CASES_SG), &out);
    cases_arrival4(&in, &tagged);
    cases_departure4(&out, &tagged, CASES_VLAN);
    cases_redirect(&in, SLOT4(CASES_SG_TAGGED), &out);
    cases_arrival6(&in, &many6);
    cases_departure6(&out, &many6, 0);
    cases_redirect(&in, SLOT6(CASES_SG), &out);

    cases_arrival6(&in, &over6);
    cases_pass(&in, OX_R_EXCEEDS_MTU);
}

/* A packet that claims more than all buffers hold. */
static void
test_multi_buffer_truncated(void **state)
{
    const struct packet_ip4 ip = TO4(CASES_SG, FILL4(CASES_LONG_MTU));
    struct packet p;

    (void) state;
    cases_arrival4(&p, &ip);
    p.len--;
    cases_pass(&p, OX_R_TRUNCATED);
}

/* A big MTU alone does not need several buffers. */
static void
test_single_buffer_to_long_target(void **state)
{
    const struct packet_ip4 ip = TO4(CASES_LONG, FILL4(CASES_MTU));
    struct packet in, out;

    (void) state;
    cases_arrival4(&in, &ip);
    cases_departure4(&out, &ip, 0);
    cases_redirect(&in, SLOT4(CASES_LONG), &out);
}

static void
test_target_gone(void **state)
{
    const struct packet_ip4 ip = TO4(CASES_GONE, 26);
    const struct packet_ip6 ip6 = TO6(CASES_GONE, 26);
    struct packet p;

    (void) state;
    cases_arrival4(&p, &ip);
    cases_pass(&p, OX_R_TARGET_GONE);
    cases_arrival6(&p, &ip6);
    cases_pass(&p, OX_R_TARGET_GONE);
}

static void
test_endpoint_changed(void **state)
{
    const struct packet_ip4 ip = TO4(CASES_CHANGED, 26);
    const struct packet_ip6 ip6 = TO6(CASES_CHANGED, 26);
    struct packet p;

    (void) state;
    cases_arrival4(&p, &ip);
    cases_pass(&p, OX_R_CHANGED);
    cases_arrival6(&p, &ip6);
    cases_pass(&p, OX_R_CHANGED);
}

/* A frame with 'meta' bytes of metadata in front. */
static void
frame_with_meta(struct packet *p, size_t meta)
{
    const struct packet_ip4 ip = TO4(CASES_TAGGED, 26);
    struct packet frame;

    cases_arrival4(&frame, &ip);
    p->len = 0;
    packet_fill(p, meta);
    memcpy(&p->data[meta], frame.data, frame.len);
    p->len += frame.len;
}

/* As much metadata as the kernel takes fills the headroom, so that there is no
 * place for a tag. */
static void
test_no_headroom(void **state)
{
    struct packet p;

    (void) state;
    for (size_t meta = 252; meta > 32; meta -= 4) {
        frame_with_meta(&p, meta);
        if (cases_pass_with_meta(&p, meta, OX_R_NO_HEADROOM)) {
            return;
        }
    }
    print_message("this kernel takes at most 32 bytes of metadata: there is "
                  "always headroom\n");
    cases_out_of_reach(OX_R_NO_HEADROOM);
    skip();
}

const struct CMUnitTest cases_frame[] = {
    cmocka_unit_test(test_foreign_mac),
    cmocka_unit_test(test_multicast_mac),
    cmocka_unit_test(test_not_ip),
    cmocka_unit_test(test_tagged),
    cmocka_unit_test(test_ethernet_header_alone),
    cmocka_unit_test(test_not_local),
    cmocka_unit_test(test_tag_pushed),
    cmocka_unit_test(test_padding),
    cmocka_unit_test(test_mtu_reached),
    cmocka_unit_test(test_mtu_exceeded),
    cmocka_unit_test(test_mtu_and_trailer),
    cmocka_unit_test(test_multi_buffer),
    cmocka_unit_test(test_multi_buffer_truncated),
    cmocka_unit_test(test_single_buffer_to_long_target),
    cmocka_unit_test(test_target_gone),
    cmocka_unit_test(test_endpoint_changed),
    cmocka_unit_test(test_no_headroom),
};
const size_t n_cases_frame = sizeof cases_frame / sizeof cases_frame[0];
