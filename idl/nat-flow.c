/* SPDX-License-Identifier: Apache-2.0 */
/* Understands two sorts of logical flows, in the words of ovn-northd 20.03 to
 * 26.03.  Stages are known by their names, as their numbers differ.
 *
 * Of "lr_in_ip_input", the answers to ARP requests and neighbour solicitations
 * for addresses that NAT rules translate:
 *
 *     inport == "lrp-G" && arp.op == 1 && arp.tpa == 172.24.100.112
 *         && is_chassis_resident("VM")
 *         --> eth.dst = eth.src; eth.src = fa:16:3e:aa:00:03; arp.op = 2; ...
 *     inport == "lrp-G" && ip6.dst == {2001:db8::9, ff02::1:ff00:9} && nd_ns
 *         && nd.target == 2001:db8::9 && is_chassis_resident("cr-lrp-G")
 *         --> nd_na { eth.src = xreg0[0..47]; ...
 *
 * They tell everything about such an address at once: where it is, at which
 * port, with which MAC.  What translates it tells less, and depends on more
 * (stateless or not, conditions of a rule).
 *
 * Of "lr_in_dnat", new connections to the VIP of a load balancer, which may or
 * may not be answered for:
 *
 *     ct.new && !ct.rel && ip4 && ip4.dst == 172.24.100.200 && tcp
 *         && tcp.dst == 80 && is_chassis_resident("cr-lrp-G")
 *
 * A match has to be a conjunction of terms that are all known.  One that is
 * not, or not the whole of one of these forms, says nothing: the worst that
 * can come of it is that an address is left to OVN alone. */
#include <config.h>

#include "idl/nat-flow.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "packets.h"
#include "util.h"

/* Terms of a match, as bits. */
enum term {
    TERM_INPORT = 1 << 0,       /* inport == "PORT" */
    TERM_RESIDENT = 1 << 1,     /* is_chassis_resident("PORT") */
    TERM_ARP_REQUEST = 1 << 2,  /* arp.op == 1 */
    TERM_ARP_TARGET = 1 << 3,   /* arp.tpa == ADDRESS */
    TERM_ND_NS = 1 << 4,        /* nd_ns */
    TERM_ND_TARGET = 1 << 5,    /* nd.target == ADDRESS */
    TERM_SOLICITED = 1 << 6,    /* ip6.dst == {ADDRESS, MULTICAST} */
    TERM_NEW = 1 << 7,          /* ct.new */
    TERM_NOT_RELATED = 1 << 8,  /* !ct.rel */
    TERM_IP = 1 << 9,           /* ip */
    TERM_FAMILY = 1 << 10,      /* ip4, ip6 */
    TERM_DST = 1 << 11,         /* ip4.dst == ADDRESS and its like */
    TERM_PROTOCOL = 1 << 12,    /* tcp, udp, sctp */
    TERM_NUMBER = 1 << 13       /* tcp.dst == NUMBER, REGISTER == NUMBER */
};

/* Returns true if 'stage' may have flows that nat_flow_parse() understands. */
bool
nat_flow_stage_matters(const char *stage)
{
    return stage && (!strcmp(stage, "lr_in_ip_input")
                     || !strcmp(stage, "lr_in_dnat"));
}

/* Returns what follows 'prefix' in 'text', or NULL if that begins with
 * something else. */
static const char *
after(const char *text, const char *prefix)
{
    size_t n = strlen(prefix);
    return strncmp(text, prefix, n) ? NULL : text + n;
}

/* Parses 'text', one address and nothing else, into '*ip'. */
static bool
parse_ip(const char *text, struct in6_addr *ip)
{
    ovs_be32 ip4;

    if (ip_parse(text, &ip4)) {
        *ip = in6_addr_mapped_ipv4(ip4);
        return true;
    }
    return ipv6_parse(text, ip) && !IN6_IS_ADDR_V4MAPPED(ip);
}

/* Parses 'text', one address, into the address of 'flow', which must not be
 * another one already. */
static bool
parse_flow_ip(const char *text, struct nat_flow *flow)
{
    struct in6_addr ip;

    if (!parse_ip(text, &ip)
        || (ipv6_addr_is_set(&flow->ip)
            && !ipv6_addr_equals(&flow->ip, &ip))) {
        return false;
    }
    flow->ip = ip;
    return true;
}

/* Stores into '*name' the port that 'text', '"PORT"' followed by 'end', names.
 * Names with escapes are not understood. */
static bool
parse_port(const char *text, const char *end, char **name)
{
    const char *quote = text[0] == '"' ? strchr(text + 1, '"') : NULL;

    if (*name || !quote || quote == text + 1 || strcmp(quote + 1, end)
        || memchr(text, '\\', quote - text)) {
        return false;
    }
    *name = xmemdup0(text + 1, quote - text - 1);
    return true;
}

/* Returns true if 'text' is a number and nothing else. */
static bool
is_number(const char *text)
{
    return text[0] && strspn(text, "0123456789") == strlen(text);
}

/* Returns true if 'term' compares a transport port, or bits of a register that
 * holds one or the protocol, with a number. */
static bool
is_number_term(const char *term)
{
    static const char *const fields[] = { "tcp.dst == ", "udp.dst == ",
                                          "sctp.dst == " };

    for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
        const char *value = after(term, fields[i]);
        if (value) {
            return is_number(value);
        }
    }

    /* reg9[16..31] == 80.  A single bit is no number but a flag. */
    const char *p = after(term, "reg");
    const char *value = p ? strstr(p, "] == ") : NULL;
    return (value && isdigit((unsigned char) p[0])
            && strspn(p, "0123456789[.") == value - p
            && strstr(p, "..") && strstr(p, "..") < value
            && is_number(value + strlen("] == ")));
}

/* Returns true if 'text' is {ADDRESS, MULTICAST}, ADDRESS being that of 'flow'
 * or becoming it. */
static bool
parse_solicited(const char *text, struct nat_flow *flow)
{
    const char *comma = strchr(text, ',');
    const char *multicast = comma ? after(comma, ", ff02::1:ff") : NULL;

    if (text[0] != '{' || !multicast
        || strspn(multicast, "0123456789abcdef:") + 1 != strlen(multicast)
        || multicast[strlen(multicast) - 1] != '}') {
        return false;
    }

    char *ip = xmemdup0(text + 1, comma - text - 1);
    bool ok = parse_flow_ip(ip, flow);
    free(ip);
    return ok;
}

/* Words that are a term by themselves. */
static const struct {
    const char *word;           /* Term. */
    enum term term;             /* What it is. */
} words[] = {
    { "arp.op == 1", TERM_ARP_REQUEST },
    { "nd_ns", TERM_ND_NS },
    { "ct.new", TERM_NEW },
    { "!ct.rel", TERM_NOT_RELATED },
    { "ip", TERM_IP },
    { "ip4", TERM_FAMILY },
    { "ip6", TERM_FAMILY },
    { "tcp", TERM_PROTOCOL },
    { "udp", TERM_PROTOCOL },
    { "sctp", TERM_PROTOCOL },
};

/* Fields that are compared with the address. */
static const struct {
    const char *prefix;         /* Beginning of the term. */
    enum term term;             /* What it is. */
} fields[] = {
    { "arp.tpa == ", TERM_ARP_TARGET },
    { "nd.target == ", TERM_ND_TARGET },
    { "ip4.dst == ", TERM_DST },
    { "ip6.dst == ", TERM_DST },
    { "reg0 == ", TERM_DST },   /* Where OVN 21.09 to 23.06 keeps it. */
    { "xxreg0 == ", TERM_DST },
};

/* Takes over into 'flow' what 'term' says.  Returns what it is, or 0 if it is
 * not understood. */
static unsigned int
parse_term(const char *term, struct nat_flow *flow)
{
    const char *value;

    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        if (!strcmp(term, words[i].word)) {
            return words[i].term;
        }
    }
    if ((value = after(term, "inport == "))) {
        return parse_port(value, "", &flow->inport) ? TERM_INPORT : 0;
    } else if ((value = after(term, "is_chassis_resident("))) {
        return parse_port(value, ")", &flow->resident) ? TERM_RESIDENT : 0;
    } else if ((value = after(term, "ip6.dst == ")) && value[0] == '{') {
        return parse_solicited(value, flow) ? TERM_SOLICITED : 0;
    }
    for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
        if ((value = after(term, fields[i].prefix))) {
            return parse_flow_ip(value, flow) ? fields[i].term : 0;
        }
    }
    return is_number_term(term) ? TERM_NUMBER : 0;
}

/* Returns where the term that begins at 'p' ends: at " && " outside of quotes,
 * or at the end. */
static size_t
term_length(const char *p)
{
    bool quoted = false;
    size_t n;

    for (n = 0; p[n]; n++) {
        if (p[n] == '"') {
            quoted = !quoted;
        } else if (!quoted && !strncmp(p + n, " && ", 4)) {
            break;
        }
    }
    return n;
}

/* Takes over into 'flow' what 'match' says.  Returns its terms, or 0 if one of
 * them is not understood. */
static unsigned int
parse_match(const char *match, struct nat_flow *flow)
{
    unsigned int terms = 0;

    for (const char *p = match; ; p += strlen(" && ")) {
        size_t n = term_length(p);
        char *term = xmemdup0(p, n);
        unsigned int bit = parse_term(term, flow);

        free(term);
        if (!bit) {
            return 0;
        }
        terms |= bit;
        p += n;
        if (!*p) {
            return terms;
        }
    }
}

/* Stores into 'flow' the source MAC that 'actions' set, if it is a literal
 * one.  Returns false if they set none, or one from a place that is not known
 * to hold the MAC of the port that was asked. */
static bool
parse_answer(const char *actions, struct nat_flow *flow)
{
    static const char assignment[] = "eth.src = ";
    const char *value = strstr(actions, assignment);
    const char *end = value ? strchr(value, ';') : NULL;

    if (!end) {
        return false;
    }
    value += strlen(assignment);

    char *text = xmemdup0(value, end - value);
    flow->has_mac = (end - value == strlen("xx:xx:xx:xx:xx:xx")
                     && eth_addr_from_string(text, &flow->mac)
                     && !eth_addr_is_multicast(flow->mac)
                     && !eth_addr_is_zero(flow->mac));
    bool ok = flow->has_mac || !strcmp(text, "xreg0[0..47]");
    free(text);
    return ok;
}

/* Returns true if 'terms' and 'actions' are an answer to an ARP request, or to
 * a neighbour solicitation for an address that is not the router's own.  Takes
 * over what 'actions' say. */
static bool
is_answer(unsigned int terms, const char *actions, struct nat_flow *flow)
{
    unsigned int optional = TERM_INPORT | TERM_RESIDENT | TERM_SOLICITED;
    unsigned int required = terms & ~optional;

    if (required == (TERM_ARP_REQUEST | TERM_ARP_TARGET)) {
        return (!(terms & TERM_SOLICITED) && strstr(actions, "arp.op = 2;")
                && parse_answer(actions, flow));
    }
    return (required == (TERM_ND_NS | TERM_ND_TARGET)
            && strstr(actions, "nd_na {") && parse_answer(actions, flow));
}

/* Returns true if 'terms' are of new connections to a VIP.  A stateless load
 * balancer does without "ct.new", but not without a family, as NAT does. */
static bool
is_vip(unsigned int terms)
{
    unsigned int optional = (TERM_NEW | TERM_NOT_RELATED | TERM_IP
                             | TERM_FAMILY | TERM_PROTOCOL | TERM_NUMBER
                             | TERM_RESIDENT);
    bool is_lb = (terms & TERM_NEW
                  || (terms & TERM_FAMILY && terms & TERM_RESIDENT));

    return is_lb && (terms & ~optional) == TERM_DST;
}

/* Parses a logical flow of the ingress stage 'stage' with 'match' and
 * 'actions' into '*flow'.  Returns true if it tells where an address is; then
 * the caller must free 'flow' with nat_flow_destroy(). */
bool
nat_flow_parse(const char *stage, const char *match, const char *actions,
               struct nat_flow *flow)
{
    *flow = (struct nat_flow) { .kind = NAT_FACT_NAT };

    unsigned int terms = parse_match(match, flow);
    bool ok = false;
    if (terms && !strcmp(stage, "lr_in_ip_input")) {
        ok = is_answer(terms, actions, flow);
    } else if (terms && !strcmp(stage, "lr_in_dnat")) {
        flow->kind = NAT_FACT_LB;
        ok = is_vip(terms);
    }
    if (!ok) {
        nat_flow_destroy(flow);
    }
    return ok;
}

/* Frees what 'flow' holds, not 'flow' itself. */
void
nat_flow_destroy(struct nat_flow *flow)
{
    free(flow->inport);
    free(flow->resident);
}
