/* SPDX-License-Identifier: Apache-2.0
 *
 * Frames for the tests of layer L3: see flow-frame.h. */

#include <config.h>

#include "tests/bpf/flow-frame.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

const struct flow_vm flow_fip[2] = {
    { "10.0.0.10", "198.51.100.10", 1, 0, 0 },
    { "fd00::10", "2001:db8:f::10", 2, 0, 0 },
};
const struct flow_vm flow_tagged[2] = {
    { "192.0.2.11", "192.0.2.11", 3, FLOW_BRIDGE, FLOW_VLAN },
    { "2001:db8:2::11", "2001:db8:2::11", 4, FLOW_BRIDGE, FLOW_VLAN },
};
const struct flow_vm flow_plain[2] = {
    { "192.0.2.12", "192.0.2.12", 5, FLOW_BRIDGE, 0 },
    { "2001:db8:2::12", "2001:db8:2::12", 6, FLOW_BRIDGE, 0 },
};
const char *const flow_remote[2] = { "203.0.113.1", "2001:db8:3::1" };

const uint8_t flow_vm_mac[6] = { 0xfa, 0x16, 0x3e, 0, 0, 1 };
const uint8_t flow_router_mac[6] = { 0xfa, 0x16, 0x3e, 0, 0, 0xff };
const uint8_t flow_nic_mac[6] = { 0x02, 0x4e, 0x49, 0x43, 0, 5 };
const uint8_t flow_hop_mac[6] = { 0x02, 0x52, 0x54, 0, 0, 1 };

bool
flow_is_ip6(const struct flow_frame *f)
{
    return strchr(f->src, ':') != NULL;
}

/* Returns the length of the transport header of 'proto'. */
static size_t
l4_len(uint8_t proto)
{
    return proto == TCP ? 20 : proto == UDP || proto == ICMP || proto == ICMP6
           ? 8 : 0;
}

/* Appends 'value' in network order, 'n' bytes of it. */
static void
add(struct packet *p, uint32_t value, size_t n)
{
    while (n--) {
        packet_byte(p, value >> 8 * n);
    }
}

/* Appends the transport header of 'f', with a checksum of 0. */
static void
add_l4(struct packet *p, const struct flow_frame *f)
{
    if (f->proto == TCP) {
        add(p, f->sport, 2);
        add(p, f->dport, 2);
        add(p, f->seq, 4);
        add(p, f->ack, 4);
        add(p, 0x50, 1);
        add(p, f->flags, 1);
        add(p, 0x1000, 2);
        add(p, 0, 4);
    } else if (f->proto == UDP) {
        add(p, f->sport, 2);
        add(p, f->dport, 2);
        add(p, 8 + f->payload, 2);
        add(p, 0, 2);
    } else if (l4_len(f->proto)) {
        add(p, f->dport, 1);
        add(p, 0, 3);
        add(p, f->sport, 2);
        add(p, f->seq, 2);
    }
}

/* Returns the checksum of the pseudo header of 'f' and the 'n' bytes at
 * 'l4'. */
static uint16_t
sum_l4(const struct flow_frame *f, const uint8_t *l4, size_t n, size_t total)
{
    static struct packet pseudo;
    uint8_t address[16];

    pseudo.len = 0;
    if (f->proto != ICMP) {
        size_t len = flow_is_ip6(f) ? 16 : 4;
        int family = flow_is_ip6(f) ? AF_INET6 : AF_INET;
        const char *const texts[] = { f->src, f->dst };

        for (size_t i = 0; i < 2; i++) {
            assert_int_equal(inet_pton(family, texts[i], address), 1);
            for (size_t j = 0; j < len; j++) {
                packet_byte(&pseudo, address[j]);
            }
        }
        add(&pseudo, total, 4);
        add(&pseudo, f->proto, 4);
    }
    for (size_t i = 0; i < n; i++) {
        packet_byte(&pseudo, l4[i]);
    }
    return packet_checksum(pseudo.data, pseudo.len);
}

/* Writes the transport's checksum of 'f', whose header is at 'l4' and has
 * 'total' bytes with what follows. */
static void
put_checksum(const struct flow_frame *f, uint8_t *l4, size_t total)
{
    size_t at = f->proto == TCP ? 16 : f->proto == UDP ? 6 : 2;
    uint16_t check;

    if (!l4_len(f->proto) || (f->proto == UDP && f->no_checksum)) {
        return;
    }
    check = f->half ? ~sum_l4(f, l4, 0, total) : sum_l4(f, l4, total, total);
    if (f->proto == UDP && !check) {
        check = 0xffff;
    }
    l4[at] = check >> 8;
    l4[at + 1] = check & 0xff;
}

/* Writes what packet_ip4() and packet_ip6() do not know of. */
static void
finish_ip(struct packet *p, const struct flow_frame *f)
{
    uint8_t *ip = &p->data[p->l3];
    uint16_t check;

    if (flow_is_ip6(f)) {
        ip[0] = 0x60 | f->tos >> 4;
        ip[1] = f->tos << 4 | f->label >> 16;
        ip[2] = f->label >> 8;
        ip[3] = f->label;
    } else {
        ip[1] = f->tos;
        ip[10] = ip[11] = 0;
        check = packet_checksum(ip, PACKET_IP4_LEN + f->options);
        ip[10] = check >> 8;
        ip[11] = check & 0xff;
    }
}

void
flow_make(struct packet *p, const struct flow_frame *f)
{
    size_t total = l4_len(f->proto) + f->payload, l4;
    const struct packet_ip4 ip = {
        .src = f->src, .dst = f->dst, .ttl = f->ttl, .proto = f->proto,
        .id = f->id, .fragment = f->fragment, .options = f->options,
        .payload = total };
    const struct packet_ip6 ip6 = {
        .src = f->src, .dst = f->dst, .hop_limit = f->ttl, .next = f->proto,
        .payload = total };

    packet_eth(p, f->dmac, f->smac, f->tci, flow_is_ip6(f) ? 0x86dd : 0x0800);
    if (flow_is_ip6(f)) {
        packet_ip6(p, &ip6);
    } else {
        packet_ip4(p, &ip);
    }
    finish_ip(p, f);
    l4 = p->len;
    add_l4(p, f);
    if (f->data) {
        add(p, f->data, 4);
        packet_fill(p, f->payload - 4);
    } else {
        packet_fill(p, f->payload);
    }
    put_checksum(f, &p->data[l4], total);
    packet_pad(p, f->pad);
}

/* Returns a frame from 'src' to 'dst' of 'proto', where the outside has port
 * 40000 and the VM port 80, or an echo of that direction. */
static struct flow_frame
make_frame(const char *src, const char *dst, uint8_t proto, bool out)
{
    struct flow_frame f = {
        .src = src, .dst = dst, .proto = proto, .ttl = 61, .tos = 0x28,
        .sport = out ? 80 : 40000, .dport = out ? 40000 : 80, .seq = 0x1020304,
        .ack = 0x5060708, .label = 0x12345, .id = 4660, .payload = 33,
        .flags = ACK, .fragment = 0x4000 };

    if (proto == ICMP || proto == ICMP6) {
        f.sport = 777;
        f.dport = proto == ICMP ? (out ? ECHO4_REPLY : ECHO4)
                  : out ? ECHO6_REPLY : ECHO6;
    }
    return f;
}

struct flow_frame
flow_in(const struct flow_vm *vm, uint8_t proto)
{
    struct flow_frame f = make_frame(flow_remote[strchr(vm->fixed, ':')
                                                 != NULL],
                                     vm->external, proto, false);

    f.dmac = vm->bridge ? flow_vm_mac : flow_nic_mac;
    f.smac = flow_hop_mac;
    f.tci = vm->vlan;
    return f;
}

struct flow_frame
flow_out(const struct flow_vm *vm, uint8_t proto)
{
    struct flow_frame f = make_frame(vm->fixed,
                                     flow_remote[strchr(vm->fixed, ':')
                                                 != NULL], proto, true);

    f.dmac = vm->bridge ? flow_hop_mac : flow_router_mac;
    f.smac = flow_vm_mac;
    return f;
}

/* A routed packet is aged by the host and by OVN. */
struct flow_frame
flow_beyond(const struct flow_vm *vm, const struct flow_frame *f)
{
    struct flow_frame g = *f;
    bool out = !strcmp(f->src, vm->fixed) && f->smac == flow_vm_mac;

    g.ttl -= vm->bridge ? 0 : 2;
    if (out) {
        g.src = vm->external;
        g.dmac = flow_hop_mac;
        g.smac = vm->bridge ? f->smac : flow_nic_mac;
        g.tci = vm->vlan;
    } else {
        g.dst = vm->fixed;
        g.dmac = flow_vm_mac;
        g.smac = vm->bridge ? f->smac : flow_router_mac;
        g.tci = 0;
    }
    return g;
}

struct flow_frame
flow_delivered(const struct flow_vm *vm, uint8_t proto)
{
    struct flow_frame f = flow_in(vm, proto);

    return flow_beyond(vm, &f);
}

struct flow_frame
flow_sent(const struct flow_vm *vm, uint8_t proto)
{
    struct flow_frame f = flow_out(vm, proto);

    return flow_beyond(vm, &f);
}
