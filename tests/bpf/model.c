/* SPDX-License-Identifier: Apache-2.0
 *
 * What the NIC program should do: see model.h. */

#include <config.h>

#include "tests/bpf/model.h"

#include <linux/bpf.h>
#include <string.h>

/* Where things are in a frame, and in an IP header. */
#define ETH_TYPE 12
#define ETH_LEN 14
#define IP4_LEN 20
#define IP4_TOTAL 2
#define IP4_TTL 8
#define IP4_CHECK 10
#define IP4_SOURCE 12
#define IP4_TARGET 16
#define IP6_LEN 40
#define IP6_PAYLOAD 4
#define IP6_NEXT 6
#define IP6_HOPS 7
#define IP6_SOURCE 8
#define IP6_TARGET 24

/* A frame under judgement. */
struct trial {
    const struct model *model;              /* What the program knows. */
    const struct model_frame *frame;        /* The frame. */
    const uint8_t *eth;                     /* Its first byte. */
    const uint8_t *ip;                      /* Where its IP header is. */
    struct model_frame untagged;            /* The frame but for its tag. */
    unsigned int vlan;                      /* VLAN of the tag, or 0. */
    const struct model_endpoint *endpoint;  /* Its endpoint, or NULL. */
    enum ox_reason acl;                     /* What layer L2 says. */
    int hit;                                /* Rule that has decided. */
};

/* Reads the two bytes at 'p', which are in network order. */
static unsigned int
get16(const uint8_t *p)
{
    return p[0] * 256u + p[1];
}

/* Writes 'value' to the two bytes at 'p'. */
static void
put16(uint8_t *p, unsigned int value)
{
    p[0] = value / 256;
    p[1] = value % 256;
}

/* The Ethernet type of the frame. */
static unsigned int
type(const struct trial *t)
{
    return get16(&t->eth[ETH_TYPE]);
}

/* Whether the frame says that it is IPv6. */
static bool
is_ip6(const struct trial *t)
{
    return type(t) == 0x86dd;
}

/* The length of the IP header without options. */
static size_t
min_header(const struct trial *t)
{
    return is_ip6(t) ? IP6_LEN : IP4_LEN;
}

/* The length that an IPv4 header claims for itself. */
static size_t
ip4_header(const struct trial *t)
{
    return t->ip[0] % 16 * 4;
}

/* The length that the IP header claims for the packet. */
static size_t
packet_len(const struct trial *t)
{
    return is_ip6(t) ? IP6_LEN + get16(&t->ip[IP6_PAYLOAD])
                     : get16(&t->ip[IP4_TOTAL]);
}

/* Whether the packet begins with an ICMPv6 header. */
static bool
is_icmp6(const struct trial *t)
{
    return is_ip6(t) && t->ip[IP6_NEXT] == 58;
}

/* Bytes by which the frame is to grow. */
static size_t
growth(const struct trial *t)
{
    return t->endpoint->vlan ? 4 : 0;
}

/* Whether the first 'bits' bits of 'a' and 'b' are the same. */
static bool
same_prefix(const uint8_t *a, const uint8_t *b, int bits)
{
    for (int i = 0; i < bits; i++) {
        if ((a[i / 8] ^ b[i / 8]) & (0x80 >> i % 8)) {
            return false;
        }
    }
    return true;
}

/* Finds the endpoint of the packet, which arrived without a tag. */
static const struct model_endpoint *
find_endpoint(const struct trial *t)
{
    const uint8_t *target = &t->ip[is_ip6(t) ? IP6_TARGET : IP4_TARGET];

    for (size_t i = 0; i < t->model->n; i++) {
        const struct model_endpoint *e = &t->model->endpoints[i];

        if (e->is_ip6 == is_ip6(t) && !e->arrival_vlan
            && !memcmp(e->addr, target, is_ip6(t) ? 16 : 4)) {
            return e;
        }
    }
    return NULL;
}

/* The checks, in their order.  Each may rely on what those before it have
 * found, and is true if the frame must pass. */

static bool
no_ethernet_header(struct trial *t)
{
    return t->frame->linear < ETH_LEN;
}

static bool
to_many(struct trial *t)
{
    return memcmp(t->eth, t->model->nic_mac, 6) && t->eth[0] % 2;
}

static bool
to_another(struct trial *t)
{
    return memcmp(t->eth, t->model->nic_mac, 6);
}

static bool
has_tag(struct trial *t)
{
    return type(t) == 0x8100 || type(t) == 0x88a8;
}

static bool
is_not_ip(struct trial *t)
{
    return type(t) != 0x0800 && type(t) != 0x86dd;
}

static bool
no_ip_header(struct trial *t)
{
    return t->frame->linear < ETH_LEN + min_header(t);
}

static bool
bad_version(struct trial *t)
{
    return t->ip[0] / 16 != (is_ip6(t) ? 6 : 4);
}

static bool
header_too_short(struct trial *t)
{
    return !is_ip6(t) && ip4_header(t) < IP4_LEN;
}

static bool
no_endpoint(struct trial *t)
{
    t->endpoint = find_endpoint(t);
    return !t->endpoint;
}

static bool
header_longer_than_packet(struct trial *t)
{
    return !is_ip6(t) && packet_len(t) < ip4_header(t);
}

static bool
packet_longer_than_frame(struct trial *t)
{
    return ETH_LEN + packet_len(t) > t->frame->len;
}

static bool
hop_by_hop(struct trial *t)
{
    return is_ip6(t) && t->ip[IP6_NEXT] == 0;
}

static bool
no_icmp6_type(struct trial *t)
{
    return is_icmp6(t) && (packet_len(t) == IP6_LEN
                           || t->frame->linear == ETH_LEN + IP6_LEN);
}

static bool
discovery(struct trial *t)
{
    switch (is_icmp6(t) ? t->ip[IP6_LEN] : 0) {
    case 133:                   /* Router solicitation. */
    case 134:                   /* Router advertisement. */
    case 135:                   /* Neighbour solicitation. */
    case 136:                   /* Neighbour advertisement. */
    case 137:                   /* Redirect. */
        return true;
    default:
        return false;
    }
}

static bool
martian4(struct trial *t)
{
    static const struct {
        uint8_t addr[4];        /* Network. */
        int bits;               /* Length of its prefix. */
    } nets[] = {
        { { 0, 0, 0, 0 }, 8 },
        { { 127, 0, 0, 0 }, 8 },
        { { 224, 0, 0, 0 }, 4 },
        { { 255, 255, 255, 255 }, 32 },
    };

    for (size_t i = 0; i < sizeof nets / sizeof nets[0] && !is_ip6(t); i++) {
        if (same_prefix(&t->ip[IP4_SOURCE], nets[i].addr, nets[i].bits)) {
            return true;
        }
    }
    return false;
}

static bool
martian6(struct trial *t)
{
    static const struct {
        uint8_t addr[16];       /* Network. */
        int bits;               /* Length of its prefix. */
    } nets[] = {
        { { 0 }, 128 },
        { { [15] = 1 }, 128 },
        { { [10] = 0xff, [11] = 0xff }, 96 },
        { { 0xfe, 0x80 }, 10 },
        { { 0xff }, 8 },
    };

    for (size_t i = 0; i < sizeof nets / sizeof nets[0] && is_ip6(t); i++) {
        if (same_prefix(&t->ip[IP6_SOURCE], nets[i].addr, nets[i].bits)) {
            return true;
        }
    }
    return false;
}

static bool
packet_exceeds_mtu(struct trial *t)
{
    return packet_len(t) > t->endpoint->mtu;
}

/* The kernel hands no frame to a device that is longer than its MTU, an
 * Ethernet header and one tag. */
static bool
frame_exceeds_mtu(struct trial *t)
{
    return t->frame->len + growth(t) > t->endpoint->mtu + ETH_LEN + 4;
}

/* In generic mode the target gets an sk_buff, however many buffers. */
static bool
too_many_buffers(struct trial *t)
{
    return t->frame->linear < t->frame->len
           && !t->endpoint->target_takes_several && !t->model->generic;
}

static bool
no_daemon(struct trial *t)
{
    return t->model->stale;
}

static bool
rules_drop(struct trial *t)
{
    t->acl = model_acl(t->model, t->frame, t->endpoint, &t->hit);
    return t->acl == OX_R_ACL_DROP;
}

static bool
target_gone(struct trial *t)
{
    return !t->endpoint->target_there;
}

static bool
endpoint_changed(struct trial *t)
{
    return memcmp(t->endpoint->claimed, t->endpoint->addr, 16);
}

static bool
no_headroom(struct trial *t)
{
    return growth(t) && !t->frame->headroom;
}

/* On a NIC in a bridge.  A tag is taken away once it was found good, so that
 * what follows is where it is in a frame without one. */

static bool
no_tag(struct trial *t)
{
    return type(t) == 0x8100 && t->frame->linear < ETH_LEN + 4;
}

static bool
bad_tag(struct trial *t)
{
    if (type(t) != 0x8100) {
        return false;
    }
    t->vlan = get16(&t->eth[ETH_LEN]) % 0x1000;
    t->untagged = (struct model_frame) {
        .data = t->frame->data + 4,
        .len = t->frame->len - 4,
        .linear = t->frame->linear - 4,
    };
    t->frame = &t->untagged;
    t->eth += 4;
    t->ip += 4;
    return !t->vlan;
}

static bool
not_for_endpoint(struct trial *t)
{
    const uint8_t *dmac = t->vlan ? t->eth - 4 : t->eth;

    return (t->endpoint->bridge != t->model->bridge
            || t->endpoint->vlan != t->vlan
            || memcmp(t->endpoint->dmac, dmac, 6));
}

/* A check. */
struct check {
    bool (*must_pass)(struct trial *);  /* The check. */
    enum ox_reason reason;              /* Why the frame passes. */
};

/* All checks on a NIC in a bridge. */
static const struct check bridge_checks[] = {
    { no_ethernet_header, OX_R_TRUNCATED },
    { no_tag, OX_R_TRUNCATED },
    { bad_tag, OX_R_GUARDED },
    { has_tag, OX_R_GUARDED },
    { is_not_ip, OX_R_NOT_IP },
    { no_ip_header, OX_R_TRUNCATED },
    { bad_version, OX_R_MALFORMED },
    { header_too_short, OX_R_MALFORMED },
    { no_endpoint, OX_R_NOT_LOCAL },
    { not_for_endpoint, OX_R_GUARDED },
    { header_longer_than_packet, OX_R_MALFORMED },
    { packet_longer_than_frame, OX_R_TRUNCATED },
    { hop_by_hop, OX_R_HOP_BY_HOP },
    { no_icmp6_type, OX_R_TRUNCATED },
    { discovery, OX_R_ND },
    { martian4, OX_R_MARTIAN_SOURCE },
    { martian6, OX_R_MARTIAN_SOURCE },
    { rules_drop, OX_R_ACL_DROP },
};

/* All checks on a routed NIC. */
static const struct check checks[] = {
    { no_ethernet_header, OX_R_TRUNCATED },
    { to_many, OX_R_MULTICAST },
    { to_another, OX_R_FOREIGN_MAC },
    { has_tag, OX_R_TAGGED },
    { is_not_ip, OX_R_NOT_IP },
    { no_ip_header, OX_R_TRUNCATED },
    { bad_version, OX_R_MALFORMED },
    { header_too_short, OX_R_MALFORMED },
    { no_endpoint, OX_R_NOT_LOCAL },
    { header_longer_than_packet, OX_R_MALFORMED },
    { packet_longer_than_frame, OX_R_TRUNCATED },
    { hop_by_hop, OX_R_HOP_BY_HOP },
    { no_icmp6_type, OX_R_TRUNCATED },
    { discovery, OX_R_ND },
    { martian4, OX_R_MARTIAN_SOURCE },
    { martian6, OX_R_MARTIAN_SOURCE },
    { packet_exceeds_mtu, OX_R_EXCEEDS_MTU },
    { frame_exceeds_mtu, OX_R_EXCEEDS_MTU },
    { too_many_buffers, OX_R_MULTI_BUFFER },
    { no_daemon, OX_R_STALE },
    { rules_drop, OX_R_ACL_DROP },
    { target_gone, OX_R_TARGET_GONE },
    { endpoint_changed, OX_R_CHANGED },
    { no_headroom, OX_R_NO_HEADROOM },
};

/* The one's complement sum of the 'n' bytes at 'p', an even number. */
static unsigned int
ones_sum(const uint8_t *p, size_t n)
{
    unsigned long int sum = 0;

    for (size_t i = 0; i < n; i += 2) {
        sum += get16(&p[i]);
    }
    while (sum > 0xffff) {
        sum = sum % 0x10000 + sum / 0x10000;
    }
    return sum;
}

/* Takes one from the TTL of the IPv4 header of 'len' bytes.  A checksum that
 * was right is computed anew.  One that was wrong must stay wrong: it is
 * changed by RFC 1624, equation 3. */
static void
age_ip4(uint8_t *ip, size_t len)
{
    bool right = ones_sum(ip, len) == 0xffff;
    uint8_t words[6];

    put16(&words[0], ~get16(&ip[IP4_CHECK]) & 0xffff);
    put16(&words[2], ~get16(&ip[IP4_TTL]) & 0xffff);
    ip[IP4_TTL]--;
    put16(&words[4], get16(&ip[IP4_TTL]));
    if (right) {
        put16(&ip[IP4_CHECK], 0);
        put16(&ip[IP4_CHECK], ~ones_sum(ip, len) & 0xffff);
    } else {
        put16(&ip[IP4_CHECK], ~ones_sum(words, sizeof words) & 0xffff);
    }
}

/* Makes in 'a' the frame that the target gets. */
static void
rewrite(const struct trial *t, struct model_answer *a)
{
    size_t tag = growth(t);
    uint8_t *ip = &a->data[ETH_LEN + tag];

    memcpy(&a->data[0], t->endpoint->dmac, 6);
    memcpy(&a->data[6], t->endpoint->smac, 6);
    if (tag) {
        put16(&a->data[12], 0x8100);
        put16(&a->data[14], t->endpoint->vlan);
    }
    memcpy(&a->data[12 + tag], &t->eth[12], t->frame->len - 12);
    a->len = t->frame->len + tag;
    if (is_ip6(t)) {
        ip[IP6_HOPS] -= ip[IP6_HOPS] > 1;
    } else if (ip[IP4_TTL] > 1) {
        age_ip4(ip, ip4_header(t));
    }
}

void
model_decide(const struct model *model, const struct model_frame *frame,
             struct model_answer *a)
{
    struct trial t = {
        .model = model,
        .frame = frame,
        .eth = frame->data,
        .ip = frame->data + ETH_LEN,
        .acl = OX_R_REDIRECTED,
        .hit = MODEL_NO_HIT,
    };
    bool routed = !model->bridge;
    const struct check *all = routed ? checks : bridge_checks;
    size_t n = (routed ? sizeof checks / sizeof checks[0]
                : sizeof bridge_checks / sizeof bridge_checks[0]);
    size_t i = 0;

    while (i < n && !all[i].must_pass(&t)) {
        i++;
    }
    a->reason = (i < n ? all[i].reason
                 : routed ? OX_R_REDIRECTED : OX_R_GUARDED);
    a->besides = t.acl == OX_R_REDIRECTED ? a->reason : t.acl;
    a->hit = t.hit;
    a->verdict = (a->reason == OX_R_REDIRECTED ? XDP_REDIRECT
                  : a->reason == OX_R_ACL_DROP ? XDP_DROP : XDP_PASS);
    a->slot = a->verdict == XDP_PASS ? MODEL_NO_SLOT : t.endpoint->slot;
    a->len = frame->len;
    if (a->verdict == XDP_REDIRECT) {
        rewrite(&t, a);
    } else {
        memcpy(a->data, frame->data, frame->len);
    }
}
