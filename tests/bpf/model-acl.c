/* SPDX-License-Identifier: Apache-2.0
 *
 * Layer L2 of the model: see model.h.  Rules are gone through one by one. */

#include <config.h>

#include "tests/bpf/model.h"

#include <string.h>

/* Where things are in a frame. */
#define ETH_LEN 14
#define IP4_LEN 20
#define IP6_LEN 40

/* Protocols. */
enum { ICMP = 1, IGMP = 2, TCP = 6, UDP = 17, ICMP6 = 58, SCTP = 132 };

/* A packet as rules see it. */
struct view {
    bool is_ip6;                /* Its family. */
    uint8_t from[16];           /* Source, IPv4 as v4-mapped. */
    uint8_t to[16];             /* Destination, likewise. */
    int protocol;               /* Protocol. */
    const uint8_t *l4;          /* Its header. */
    size_t l4_len;              /* Bytes of the packet from there. */
    size_t there;               /* Of those, bytes in the first buffer. */
    unsigned int port;          /* Destination port; ICMP: type, code. */
};

/* Reads the two bytes at 'p', which are in network order. */
static unsigned int
get16(const uint8_t *p)
{
    return p[0] * 256u + p[1];
}

/* Makes of the IPv4 address at 'from' a v4-mapped one. */
static void
map4(uint8_t to[16], const uint8_t *from)
{
    memset(to, 0, 10);
    to[10] = to[11] = 0xff;
    memcpy(&to[12], from, 4);
}

/* Reads an IPv4 header.  False if it keeps rules from being asked. */
static bool
view_ip4(const uint8_t *ip, struct view *v)
{
    map4(v->from, &ip[12]);
    map4(v->to, &ip[16]);
    v->protocol = ip[9];
    v->l4 = &ip[IP4_LEN];
    v->l4_len = get16(&ip[2]) - IP4_LEN;
    return (ip[0] == 0x45                       /* No options. */
            && ip[8] > 2                        /* Hops for two routers. */
            && !(ip[6] & 0x20)                  /* No more fragments. */
            && !(ip[6] & 0x1f) && !ip[7]);      /* No offset. */
}

/* The same for IPv6. */
static bool
view_ip6(const uint8_t *ip, struct view *v)
{
    static const uint8_t extensions[] = { 0, 43, 44, 51, 59, 60, 135, 139,
                                          140 };

    memcpy(v->from, &ip[8], 16);
    memcpy(v->to, &ip[24], 16);
    v->protocol = ip[6];
    v->l4 = &ip[IP6_LEN];
    v->l4_len = get16(&ip[4]);
    return (ip[7] > 2
            && !memchr(extensions, v->protocol, sizeof extensions));
}

/* The length of the header of the protocol, as far as rules need it. */
static size_t
header_len(const struct view *v)
{
    switch (v->protocol) {
    case TCP:
        return 20;
    case UDP:
        return 8;
    case SCTP:
        return 12;
    case ICMP:
        return v->is_ip6 ? 0 : 8;
    case ICMP6:
        return v->is_ip6 ? 8 : 0;
    default:
        return 0;
    }
}

/* Whether OVN asks no rule about the packet. */
static bool
is_exempt(const struct view *v)
{
    unsigned int type = v->port / 256;

    if (v->protocol == UDP) {
        return (v->port == 53
                || (v->is_ip6 && (v->port == 546 || v->port == 547)));
    } else if (v->is_ip6) {
        return (v->protocol == ICMP6
                && ((type >= 130 && type <= 137) || type == 143));
    }
    return v->protocol == IGMP;
}

/* Whether the length that TCP's header gives itself can be. */
static bool
has_good_length(const struct view *v)
{
    size_t header = v->l4[12] / 16 * 4;

    return v->protocol != TCP || (header >= 20 && header <= v->l4_len);
}

/* Whether the packet, whose header is whole, opens a TCP connection: SYN, but
 * none of FIN, RST and ACK. */
static bool
opens(const struct view *v)
{
    return v->protocol == TCP && (v->l4[13] & 0x17) == 0x02;
}

/* Whether 'rule' matches. */
static bool
matches(const struct model *model, const struct rules_rule *rule,
        const struct view *v)
{
    if (rule->family != RULES_ANY && (rule->family == 6) != v->is_ip6) {
        return false;
    }
    if (rule->protocol != RULES_ANY
        && (rule->protocol != v->protocol
            || (rule->port ^ v->port) >> (16 - rule->port_len))) {
        return false;
    }
    if (rule->atom == RULES_ANY) {
        return true;
    }
    for (size_t i = 0; i < model->atoms[rule->atom].n; i++) {
        const struct rules_prefix *p = &model->atoms[rule->atom].prefixes[i];

        if (rules_same(p->addr, v->from, p->len)) {
            return true;
        }
    }
    return false;
}

/* Whether an endpoint has the address where the packet comes from. */
static bool
is_inside(const struct model *model, const struct view *v)
{
    for (size_t i = 0; i < model->n; i++) {
        const struct model_endpoint *e = &model->endpoints[i];
        const uint8_t *from = e->is_ip6 ? v->from : &v->from[12];

        if (e->is_ip6 == v->is_ip6 && !e->arrival_vlan
            && !memcmp(e->addr, from, e->is_ip6 ? 16 : 4)) {
            return true;
        }
    }
    return false;
}

/* Whether the packet answers a connection of the VM. */
static bool
is_answer(const struct model *model, const struct view *v)
{
    for (size_t i = 0; i < model->n_opened; i++) {
        const struct ox_opened_key *o = &model->opened[i];

        if (!memcmp(o->local, v->to, 16) && !memcmp(o->remote, v->from, 16)
            && !memcmp(&o->local_port, &v->l4[2], 2)
            && !memcmp(&o->remote_port, &v->l4[0], 2)) {
            return true;
        }
    }
    return false;
}

/* What is counted for a packet about which a rule that drops has decided. */
static enum ox_reason
prove(const struct model *model, const struct rules_set *set,
      const struct view *v)
{
    if (!model->leased) {
        return OX_R_ACL_LEASE;
    } else if (is_inside(model, v)) {
        return OX_R_ACL_INSIDE;
    } else if (set->stateful && is_answer(model, v)) {
        return OX_R_ACL_ANSWER;
    }
    return model->acl_drops ? OX_R_ACL_DROP : OX_R_ACL_COUNT;
}

/* Reads the packet.  False if it keeps rules from being asked. */
static bool
view(const struct model_frame *frame, bool is_ip6, struct view *v)
{
    const uint8_t *ip = &frame->data[ETH_LEN];
    size_t header = ETH_LEN + (is_ip6 ? IP6_LEN : IP4_LEN);

    v->is_ip6 = is_ip6;
    if (!(is_ip6 ? view_ip6(ip, v) : view_ip4(ip, v))) {
        return false;
    }
    v->there = frame->linear - header;
    if (v->l4_len < header_len(v) || v->there < header_len(v)
        || !has_good_length(v)) {
        return false;
    }
    v->port = (v->protocol == ICMP || v->protocol == ICMP6
               ? get16(v->l4) : get16(&v->l4[2]));
    if (!header_len(v)) {
        v->port = 0;
    }
    return true;
}

enum ox_reason
model_acl(const struct model *model, const struct model_frame *frame,
          const struct model_endpoint *endpoint, int *hit)
{
    const struct rules_set *set = endpoint->set;
    struct view v;

    *hit = MODEL_NO_HIT;
    if (!model->acl || !set || memcmp(endpoint->claimed, endpoint->addr, 16)
        || !view(frame, endpoint->is_ip6, &v)
        || (set->stateful ? !opens(&v) : is_exempt(&v))) {
        return OX_R_REDIRECTED;
    }
    for (size_t i = 0; i < set->n; i++) {
        if (matches(model, &set->rules[i], &v)) {
            *hit = set->hits + i;
            return (set->rules[i].drops ? prove(model, set, &v)
                    : OX_R_REDIRECTED);
        }
    }
    return OX_R_REDIRECTED;
}
