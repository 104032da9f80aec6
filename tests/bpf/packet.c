/* SPDX-License-Identifier: Apache-2.0
 *
 * Builds frames for the tests of bpf/: see packet.h. */

#include <config.h>

#include "tests/bpf/packet.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

/* Appends 'n' bytes to 'p' and returns them, all zero. */
static uint8_t *
append(struct packet *p, size_t n)
{
    uint8_t *tail = &p->data[p->len];

    if (n > PACKET_MAX - p->len) {
        abort();
    }
    memset(tail, 0, n);
    p->len += n;
    return tail;
}

/* Stores 'value' at 'to' in network order. */
static void
put16(uint8_t *to, uint16_t value)
{
    to[0] = value >> 8;
    to[1] = value & 0xff;
}

/* Stores the address 'text' of 'family' at 'to'. */
static void
put_address(int family, const char *text, uint8_t *to)
{
    if (inet_pton(family, text, to) != 1) {
        abort();
    }
}

void
packet_eth(struct packet *p, const uint8_t *dst, const uint8_t *src,
           uint16_t vlan, uint16_t type)
{
    p->len = 0;
    memcpy(append(p, 6), dst, 6);
    memcpy(append(p, 6), src, 6);
    if (vlan) {
        put16(append(p, 2), 0x8100);
        put16(append(p, 2), vlan);
    }
    put16(append(p, 2), type);
    p->l3 = p->len;
}

void
packet_ip4(struct packet *p, const struct packet_ip4 *ip)
{
    size_t header = PACKET_IP4_LEN + ip->options;
    uint8_t *h;

    p->l3 = p->len;
    h = append(p, header);
    h[0] = 0x40 | (header / 4);
    put16(&h[2], header + ip->payload);
    put16(&h[4], ip->id);
    put16(&h[6], ip->fragment);
    h[8] = ip->ttl;
    h[9] = ip->proto;
    put_address(AF_INET, ip->src, &h[12]);
    put_address(AF_INET, ip->dst, &h[16]);
    memset(&h[PACKET_IP4_LEN], 1, ip->options);     /* No operation. */
    put16(&h[10], packet_checksum(h, header));
}

void
packet_ip6(struct packet *p, const struct packet_ip6 *ip6)
{
    uint8_t *h;

    p->l3 = p->len;
    h = append(p, PACKET_IP6_LEN);
    h[0] = 0x60;
    put16(&h[4], ip6->payload);
    h[6] = ip6->next;
    h[7] = ip6->hop_limit;
    put_address(AF_INET6, ip6->src, &h[8]);
    put_address(AF_INET6, ip6->dst, &h[24]);
}

void
packet_fill(struct packet *p, size_t n)
{
    uint8_t *payload = append(p, n);

    for (size_t i = 0; i < n; i++) {
        payload[i] = i * 7 + (i >> 8) + 0x11;
    }
}

void
packet_byte(struct packet *p, uint8_t byte)
{
    *append(p, 1) = byte;
}

void
packet_pad(struct packet *p, size_t len)
{
    if (p->len < len) {
        append(p, len - p->len);
    }
}

uint16_t
packet_checksum(const uint8_t *data, size_t n)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < n; i += 2) {
        sum += (uint32_t) data[i] << 8 | (i + 1 < n ? data[i + 1] : 0);
    }
    while (sum >> 16) {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return ~sum & 0xffff;
}
