/* SPDX-License-Identifier: Apache-2.0
 *
 * Frames at random: see wild.h. */

#include <config.h>

#include "tests/bpf/wild.h"

#include <string.h>

/* Lengths of headers, in bytes. */
#define ETH_LEN 14
#define IP4_LEN 20
#define IP6_LEN 40

/* MTU that is assumed where no endpoint says one. */
#define ANY_MTU 1500

/* One of the values of an array. */
#define ONE_OF(W, ARRAY) \
    ((ARRAY)[wild_below(W, sizeof (ARRAY) / sizeof (ARRAY)[0])])

/* What a frame is made with. */
struct draft {
    struct wild *w;                         /* Randomness. */
    struct wild_frame *f;                   /* The frame. */
    uint8_t *data;                          /* Its first byte. */
    const struct model_endpoint *endpoint;  /* Whom it is for, or NULL. */
    bool is_ip6;                            /* Its family. */
    bool acl;                               /* It is for a program with
                                             * rules. */
    bool guard;                             /* It is for that of a NIC in a
                                             * bridge. */
};

uint64_t
wild_random(struct wild *w)
{
    uint64_t z = w->state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

uint32_t
wild_below(struct wild *w, uint32_t n)
{
    return (wild_random(w) >> 32) * n >> 32;
}

/* True in one of 'n' cases. */
static bool
one_in(struct wild *w, uint32_t n)
{
    return !wild_below(w, n);
}

void
wild_bytes(struct wild *w, uint8_t *p, size_t n)
{
    while (n) {
        uint64_t value = wild_random(w);
        size_t chunk = n < sizeof value ? n : sizeof value;

        memcpy(p, &value, chunk);
        p += chunk;
        n -= chunk;
    }
}

/* Writes 'value' to the two bytes at 'p'. */
static void
put16(uint8_t *p, uint32_t value)
{
    p[0] = value >> 8;
    p[1] = value;
}

/* Reads the two bytes at 'p'. */
static uint32_t
get16(const uint8_t *p)
{
    return p[0] << 8 | p[1];
}

/* Notes that the frame has 'trait'. */
static void
mark(struct draft *d, enum wild_trait trait)
{
    d->f->traits |= UINT32_C(1) << trait;
}

/* 'value', or a little more or less. */
static size_t
about(struct wild *w, size_t value)
{
    return value + wild_below(w, 5) - 2;
}

/* The MTU that the frame has to keep. */
static size_t
mtu(const struct draft *d)
{
    return d->endpoint ? d->endpoint->mtu : ANY_MTU;
}

/* A TTL or hop limit. */
static uint8_t
random_ttl(struct draft *d)
{
    static const uint8_t values[] = { 0, 1, 2, 3, 64, 64, 128, 254, 255 };
    uint8_t ttl = one_in(d->w, 3) ? wild_random(d->w) : ONE_OF(d->w, values);

    if (ttl <= 1) {
        mark(d, WILD_USED_UP);
    }
    return ttl;
}

/* Sources at the edges of what is martian, on both sides. */
static void
edge_source4(struct wild *w, uint8_t *p)
{
    static const uint8_t first[] = {
        0, 0, 1, 10, 126, 127, 127, 128, 169, 192, 223, 224, 232, 239, 240,
        254, 255,
    };
    static const uint8_t rest[] = { 0, 0, 1, 254, 255, 255 };

    wild_bytes(w, p, 4);
    p[0] = ONE_OF(w, first);
    if (one_in(w, 2)) {
        for (int i = 1; i < 4; i++) {
            p[i] = ONE_OF(w, rest);
        }
    }
    if (one_in(w, 4)) {
        memset(p, 0xff, 4);
        p[wild_below(w, 4)] -= wild_below(w, 2);
    }
}

static void
edge_source6(struct wild *w, uint8_t *p)
{
    static const uint8_t networks[][2] = {
        { 0xfe, 0x7f }, { 0xfe, 0x80 }, { 0xfe, 0xbf }, { 0xfe, 0xc0 },
        { 0xff, 0x02 }, { 0xff, 0xff }, { 0xfd, 0x80 }, { 0xee, 0x80 },
        { 0xfe, 0x00 },
    };

    if (one_in(w, 2)) {
        wild_bytes(w, p, 16);
        memcpy(p, ONE_OF(w, networks), 2);
        return;
    }
    /* All zero, and what is nearly so. */
    memset(p, 0, 16);
    if (one_in(w, 2)) {
        p[10] = p[11] = 0xff;
        wild_bytes(w, &p[12], 4);
    } else if (one_in(w, 2)) {
        p[15] = wild_below(w, 3);
    }
    if (one_in(w, 3)) {
        p[wild_below(w, 16)] ^= 1 << wild_below(w, 8);
    }
}

/* A source that nothing speaks against. */
static void
plain_source(struct draft *d, uint8_t *p)
{
    wild_bytes(d->w, p, d->is_ip6 ? 16 : 4);
    if (d->is_ip6) {
        p[0] = 0x20 | (p[0] & 0x1f);
    } else if (p[0] == 0 || p[0] >= 127) {
        p[0] = 100;
    }
}

/* Where the packet comes from. */
static void
put_source(struct draft *d, uint8_t *p)
{
    if (!one_in(d->w, 6)) {
        plain_source(d, p);
    } else if (d->is_ip6) {
        edge_source6(d->w, p);
    } else {
        edge_source4(d->w, p);
    }
}

/* Where it goes. */
static void
put_target(struct draft *d, uint8_t *p)
{
    size_t n = d->is_ip6 ? 16 : 4;

    if (!d->endpoint) {
        wild_bytes(d->w, p, n);
        return;
    }
    memcpy(p, d->endpoint->addr, n);
    if (one_in(d->w, 16)) {
        p[wild_below(d->w, n)] ^= 1 << wild_below(d->w, 8);
        mark(d, WILD_NEAR_MISS);
    }
}

/* Chooses the family and an endpoint. */
static void
choose_endpoint(struct draft *d)
{
    const struct model *model = d->w->model;

    d->endpoint = &model->endpoints[wild_below(d->w, model->n)];
    d->is_ip6 = d->endpoint->is_ip6;
    if (one_in(d->w, 32)) {
        d->endpoint = NULL;
    }
}

/* Returns the length of the packet behind a header of 'header' bytes. */
static size_t
choose_packet_len(struct draft *d, size_t header)
{
    size_t len = header + wild_below(d->w, 80);

    if (one_in(d->w, 8)) {
        len = about(d->w, mtu(d));
        mark(d, WILD_MTU_EDGE);
    } else if (one_in(d->w, 8)) {
        len = header + wild_below(d->w, 700);
    } else if (one_in(d->w, 8)) {
        len = header;
    } else if (mtu(d) > d->w->limits.max_linear && one_in(d->w, 8)) {
        len = d->w->limits.max_linear + wild_below(d->w, 600) - 100;
    }
    return len < header ? header : len;
}

/* Makes the frame as long as its packet, or longer. */
static void
choose_frame_len(struct draft *d, size_t packet)
{
    size_t tag = d->endpoint && d->endpoint->vlan ? 4 : 0;
    size_t len = ETH_LEN + packet;
    size_t longer = 0;

    if (one_in(d->w, 12)) {
        longer = about(d->w, mtu(d) + 18 - tag);
        mark(d, WILD_MTU_EDGE);
    } else if (one_in(d->w, 6)) {
        longer = 60;
    } else if (one_in(d->w, 10)) {
        longer = len + wild_below(d->w, 40);
    }
    if (longer > len) {
        len = longer;
        mark(d, WILD_PADDED);
    }
    d->f->len = len < MODEL_MAX ? len : MODEL_MAX;
}

/* The sum of the 16-bit words of 'n' bytes, folded. */
static uint32_t
sum16(const uint8_t *p, size_t n)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < n; i += 2) {
        sum += get16(&p[i]);
    }
    sum = (sum & 0xffff) + (sum >> 16);
    return (sum & 0xffff) + (sum >> 16);
}

/* Gives the IPv4 header of 'n' bytes at 'ip' its checksum: right in most
 * cases, and often one near an overflow, for which the identification makes
 * up. */
static void
put_checksum(struct draft *d, uint8_t *ip, size_t n)
{
    static const uint16_t edges[] = {
        0x0000, 0x0001, 0x00ff, 0x0100, 0xfe00, 0xfefe, 0xfeff, 0xff00,
        0xff01, 0xfffe, 0xffff,
    };

    if (one_in(d->w, 4)) {
        put16(&ip[4], 0);
        put16(&ip[10], ONE_OF(d->w, edges));
        put16(&ip[4], ~sum16(ip, n));
        mark(d, WILD_IP4_EDGE_SUM);
    } else {
        put16(&ip[10], 0);
        put16(&ip[10], ~sum16(ip, n));
    }
    if (one_in(d->w, 8)) {
        put16(&ip[10], one_in(d->w, 2) ? wild_random(d->w)
                                       : ONE_OF(d->w, edges));
        mark(d, WILD_IP4_WRONG_SUM);
    }
}

/* Makes the packet at 'ip' one that rules like to meet, in most cases, if the
 * program has some. */
static void
aim(struct draft *d, uint8_t *ip, size_t header)
{
    if (d->acl && d->endpoint && !one_in(d->w, 4)) {
        wild_aim(d->w, d->endpoint, ip, header);
    }
}

/* Makes an IPv4 packet. */
static void
make_ip4(struct draft *d)
{
    static const uint8_t protocols[] = { 1, 6, 6, 17, 17, 47, 50, 58, 132 };
    uint8_t *ip = d->data + ETH_LEN;
    size_t header = IP4_LEN;
    size_t len;

    if (one_in(d->w, 5)) {
        header += 4 * (1 + wild_below(d->w, 10));
        mark(d, WILD_IP4_OPTIONS);
    }
    len = choose_packet_len(d, header);
    choose_frame_len(d, len);
    wild_bytes(d->w, ip, header);
    ip[0] = 0x40 | header / 4;
    put16(&ip[2], len);
    put16(&ip[6], one_in(d->w, 2) ? 0x4000 : 0);
    if (one_in(d->w, 8)) {
        put16(&ip[6], wild_random(d->w));
        mark(d, WILD_IP4_FRAGMENT);
    }
    ip[8] = random_ttl(d);
    ip[9] = ONE_OF(d->w, protocols);
    put_source(d, &ip[12]);
    put_target(d, &ip[16]);
    aim(d, ip, header);
    put_checksum(d, ip, header);
    mark(d, WILD_IP4);
}

/* Chooses what follows the IPv6 header at 'ip', and writes its first bytes. */
static void
put_next_header(struct draft *d, uint8_t *ip)
{
    static const uint8_t upper[] = { 1, 6, 6, 17, 17, 59, 132, 57 };
    static const uint8_t extensions[] = { 0, 43, 44, 44, 50, 51, 60, 135 };
    uint8_t *next = &ip[6];
    uint8_t *type = &ip[IP6_LEN];

    *next = ONE_OF(d->w, upper);
    if (one_in(d->w, 5)) {
        *next = ONE_OF(d->w, extensions);
        /* What comes after it may well be discovery. */
        *type = one_in(d->w, 3) ? 58 : ONE_OF(d->w, upper);
        mark(d, *next == 44 ? WILD_IP6_FRAGMENT : WILD_IP6_EXTENSION);
    } else if (one_in(d->w, 5)) {
        *next = 58;
        *type = one_in(d->w, 2) ? 128 + wild_below(d->w, 15)
                                : wild_random(d->w);
        mark(d, WILD_ICMP6);
    } else if (one_in(d->w, 16)) {
        *next = wild_random(d->w);
    }
}

/* Makes an IPv6 packet. */
static void
make_ip6(struct draft *d)
{
    uint8_t *ip = d->data + ETH_LEN;
    size_t len = choose_packet_len(d, IP6_LEN);

    choose_frame_len(d, len);
    wild_bytes(d->w, ip, IP6_LEN);
    ip[0] = 0x60 | (ip[0] & 0x0f);
    put16(&ip[4], len - IP6_LEN);
    ip[7] = random_ttl(d);
    put_source(d, &ip[8]);
    put_target(d, &ip[24]);
    put_next_header(d, ip);
    aim(d, ip, IP6_LEN);
    mark(d, WILD_IP6);
}

/* Makes a good frame. */
static void
make_good(struct draft *d)
{
    choose_endpoint(d);
    memcpy(&d->data[0], d->guard && d->endpoint ? d->endpoint->dmac
                        : d->w->model->nic_mac, 6);
    wild_bytes(d->w, &d->data[6], 6);
    put16(&d->data[12], d->is_ip6 ? 0x86dd : 0x0800);
    if (d->is_ip6) {
        make_ip6(d);
    } else {
        make_ip4(d);
    }
}

/* Puts a VLAN tag of 'proto' with 'tci' into the frame. */
static void
push_tag(struct draft *d, uint16_t proto, uint16_t tci)
{
    uint8_t *tag = &d->data[12];

    memmove(tag + 4, tag, d->f->len - 12);
    put16(tag, proto);
    put16(tag + 2, tci);
    d->f->len += d->f->len + 4 <= MODEL_MAX ? 4 : 0;
}

/* Puts any VLAN tag into the frame. */
static void
break_tag(struct draft *d)
{
    uint16_t proto = one_in(d->w, 2) ? 0x8100 : 0x88a8;

    push_tag(d, proto, wild_random(d->w));
}

/* Gives the frame the tag of the network, for a NIC in a bridge: that of its
 * endpoint, or nearly so. */
static void
put_tag(struct draft *d)
{
    uint16_t vlan = d->endpoint ? d->endpoint->vlan : 0;

    if (one_in(d->w, 16)) {
        vlan ^= 1 << wild_below(d->w, 12);
    }
    if (vlan || one_in(d->w, 32)) {
        push_tag(d, 0x8100, vlan | wild_below(d->w, 16) << 12);
        mark(d, WILD_TAGGED);
    }
}

/* Gives the frame another Ethernet type. */
static void
break_type(struct draft *d)
{
    static const uint16_t types[] = {
        0x0806, 0x8847, 0x88cc, 0x8864, 0x0026, 0x9100, 0x0008, 0xdd86,
        0x0081, 0xa888, 0x0800, 0x86dd, 0x8100, 0x88a8,
    };
    uint32_t type = get16(&d->data[12]) ^ 1 << wild_below(d->w, 16);

    put16(&d->data[12], one_in(d->w, 2) ? type : ONE_OF(d->w, types));
    mark(d, WILD_OTHER_TYPE);
}

/* Addresses the frame to somebody else. */
static void
break_mac(struct draft *d)
{
    if (one_in(d->w, 4)) {
        memset(d->data, one_in(d->w, 2) ? 0xff : 0, 6);
    } else {
        d->data[wild_below(d->w, 6)] ^= 1 << wild_below(d->w, 8);
    }
}

/* Addresses the frame to many. */
static void
break_mac_multicast(struct draft *d)
{
    d->data[0] |= 1;
    if (one_in(d->w, 2)) {
        wild_bytes(d->w, &d->data[1], 5);
    }
}

/* Changes the version or the header length. */
static void
break_version(struct draft *d)
{
    uint8_t *ip = d->data + ETH_LEN;

    if (one_in(d->w, 2)) {
        *ip = (*ip & 0x0f) | wild_below(d->w, 16) << 4;
    } else {
        *ip = (*ip & 0xf0) | wild_below(d->w, 16);
    }
}

/* Changes the length that the IP header claims. */
static void
break_length(struct draft *d)
{
    uint8_t *ip = d->data + ETH_LEN;
    uint8_t *field = &ip[d->is_ip6 ? 4 : 2];
    uint32_t header = d->is_ip6 ? IP6_LEN : 0;

    switch (wild_below(d->w, 4)) {
    case 0:
        put16(field, wild_random(d->w));
        break;
    case 1:
        put16(field, about(d->w, d->f->len - ETH_LEN) - header);
        break;
    case 2:
        put16(field, wild_below(d->w, 64));
        break;
    default:
        put16(field, d->is_ip6 ? 0 : about(d->w, (ip[0] & 0x0f) * 4));
        break;
    }
}

/* Cuts the frame off. */
static void
break_end(struct draft *d)
{
    size_t len = wild_below(d->w, d->f->len);

    if (one_in(d->w, 2)) {
        len = d->f->len - 1 - wild_below(d->w, 3);
    } else if (one_in(d->w, 2)) {
        len = ETH_LEN + wild_below(d->w, 44);
    }
    if (len >= ETH_LEN && len < d->f->len) {
        d->f->len = len;
    }
}

/* Changes a bit of the headers. */
static void
break_bit(struct draft *d)
{
    d->data[wild_below(d->w, ETH_LEN + IP6_LEN)] ^= 1 << wild_below(d->w, 8);
}

/* Makes the headers noise, but for what gets them looked at. */
static void
break_all(struct draft *d)
{
    size_t end = one_in(d->w, 4) ? 0 : one_in(d->w, 4) ? 12 : ETH_LEN;

    wild_bytes(d->w, d->data + end, 80);
}

/* Breaks the frame in one to three ways. */
static void
break_frame(struct draft *d)
{
    static void (*const ways[])(struct draft *) = {
        break_tag, break_type, break_mac, break_mac_multicast, break_version,
        break_length, break_length, break_end, break_end, break_bit, break_all,
    };

    do {
        ONE_OF(d->w, ways)(d);
    } while (one_in(d->w, 4));
    mark(d, WILD_BROKEN);
}

/* Chooses how much metadata there is in front of the frame. */
static void
choose_meta(struct draft *d)
{
    size_t max = d->w->limits.max_meta;

    d->f->meta = 0;
    d->f->headroom = true;
    if (max && one_in(d->w, 16)) {
        d->f->meta = 4 * (1 + wild_below(d->w, (max < 64 ? max : 64) / 4));
        mark(d, WILD_META);
    } else if (max >= 64 && one_in(d->w, 20)) {
        d->f->meta = max;
        d->f->headroom = false;
        mark(d, WILD_NO_HEADROOM);
    }
}

/* Distributes the frame over buffers. */
static void
choose_buffers(struct draft *d)
{
    size_t max = d->w->limits.max_linear;
    size_t at = one_in(d->w, 2) ? ETH_LEN + wild_below(d->w, 80)
                                : ETH_LEN + wild_below(d->w, d->f->len);

    d->f->linear = d->f->len < max ? d->f->len : max;
    if (d->f->len > max) {
        mark(d, WILD_JUMBO);
    } else if (d->w->limits.split && one_in(d->w, 12) && at < d->f->linear) {
        d->f->linear = at;
        mark(d, WILD_SPLIT);
    }
}

/* Chooses the program. */
static void
choose_program(struct draft *d)
{
    d->acl = one_in(d->w, 2);
    d->guard = d->acl && one_in(d->w, 4);
    if (d->guard) {
        mark(d, WILD_GUARD);
    } else if (d->acl) {
        mark(d, one_in(d->w, 4) ? WILD_ACL_COUNTS : WILD_ACL_DROPS);
    } else if (one_in(d->w, 4)) {
        mark(d, WILD_GENERIC);
    } else if (one_in(d->w, 4)) {
        mark(d, WILD_STALE);
    }
}

void
wild_next(struct wild *w, struct wild_frame *f)
{
    struct draft d = { .w = w, .f = f };

    f->traits = 0;
    choose_program(&d);
    choose_meta(&d);
    d.data = &f->data[f->meta];
    /* What the frame before left is as good as any payload. */
    wild_bytes(w, f->data, f->meta + 128);
    make_good(&d);
    if (one_in(w, 3)) {
        break_frame(&d);
    }
    if (d.guard) {
        put_tag(&d);
    }
    choose_buffers(&d);
}

bool
wild_can_have(const struct wild *w, enum wild_trait trait)
{
    switch ((int) trait) {
    case WILD_META:
        return w->limits.max_meta;
    case WILD_NO_HEADROOM:
        return w->limits.max_meta >= 64;
    case WILD_SPLIT:
        return w->limits.split;
    case WILD_JUMBO:
        return w->limits.max_linear < 9000;
    default:
        return true;
    }
}

const char *
wild_trait_name(enum wild_trait trait)
{
    static const char *const names[] = {
#define WILD_TRAIT(NAME, TEXT) TEXT,
        WILD_TRAITS
#undef WILD_TRAIT
    };

    return names[trait];
}
