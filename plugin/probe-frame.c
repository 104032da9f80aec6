/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes of a probe; see plugin/probe-frame.h. */
#include <config.h>

#include "plugin/probe-frame.h"

#include <netinet/in.h>
#include <string.h>

#include "csum.h"
#include "packets.h"
#include "util.h"

#include "bpf/abi.h"

/* Window that a TCP probe announces: as good as any, but for 0, which would
 * stop the other side if it saw it. */
#define PROBE_WINDOW 512

/* Bits of a number that a flow label holds. */
#define LABEL_MASK 0xfffff

BUILD_ASSERT_DECL(UDP_HEADER_LEN + OX_PROBE_UDP_DATA <= TCP_HEADER_LEN);
BUILD_ASSERT_DECL(OX_PROBE_UDP_DATA == sizeof(ovs_be32));
BUILD_ASSERT_DECL(PROBE_MAX_LEN
                  == VLAN_ETH_HEADER_LEN + IPV6_HEADER_LEN + TCP_HEADER_LEN);

/* Returns true if 'key' is of IPv4. */
static bool
is_ip4(const struct dp_flow_key *key)
{
    return IN6_IS_ADDR_V4MAPPED(&key->src);
}

/* Returns the Ethernet type, host order, that the frame of a probe of 'key'
 * has behind its MACs if it has the tag 'vlan', or none if that is 0. */
uint16_t
probe_eth_type(const struct dp_flow_key *key, uint16_t vlan)
{
    return vlan ? ETH_TYPE_VLAN_8021Q
           : is_ip4(key) ? ETH_TYPE_IP : ETH_TYPE_IPV6;
}

/* Writes the Ethernet header of 'probe' to 'p'.  Returns its length. */
static size_t
put_ethernet(uint8_t *p, const struct probe *probe)
{
    struct vlan_eth_header eth = {
        .veth_dst = probe->dmac,
        .veth_src = probe->smac,
        .veth_type = htons(probe_eth_type(probe->key, probe->vlan)),
        .veth_tci = htons(probe->vlan),
        .veth_next_type = htons(probe_eth_type(probe->key, 0)),
    };
    size_t len = probe->vlan ? VLAN_ETH_HEADER_LEN : ETH_HEADER_LEN;

    memcpy(p, &eth, len);
    return len;
}

/* Writes the header of an ICMP echo of 'probe' to 'p'.  Returns its length.
 * Its checksum is yet to be computed. */
static size_t
put_icmp(uint8_t *p, const struct probe *probe)
{
    struct icmp_header icmp = { .icmp_type = probe->key->dport };

    icmp.icmp_fields.echo.id = htons(probe->key->sport);
    icmp.icmp_fields.echo.seq = htons(ox_probe_sequence(probe->number));
    memcpy(p, &icmp, sizeof icmp);
    return sizeof icmp;
}

/* The same for UDP, with the payload. */
static size_t
put_udp(uint8_t *p, const struct probe *probe)
{
    struct udp_header udp = {
        .udp_src = htons(probe->key->sport),
        .udp_dst = htons(probe->key->dport),
        .udp_len = htons(UDP_HEADER_LEN + OX_PROBE_UDP_DATA),
    };
    ovs_be32 data = htonl(ox_probe_word(probe->number, !is_ip4(probe->key)));

    memcpy(p, &udp, sizeof udp);
    memcpy(p + sizeof udp, &data, sizeof data);
    return sizeof udp + sizeof data;
}

/* The same for TCP. */
static size_t
put_tcp(uint8_t *p, const struct probe *probe)
{
    struct tcp_header tcp = {
        .tcp_src = htons(probe->key->sport),
        .tcp_dst = htons(probe->key->dport),
        .tcp_ctl = TCP_CTL(TCP_ACK, TCP_HEADER_LEN / 4),
        .tcp_winsz = htons(PROBE_WINDOW),
    };

    put_16aligned_be32(&tcp.tcp_seq, htonl(probe->number >> 32));
    put_16aligned_be32(&tcp.tcp_ack, htonl(probe->number));
    memcpy(p, &tcp, sizeof tcp);
    return sizeof tcp;
}

/* Writes the transport header of 'probe' to 'p', and its payload.  Returns
 * their length. */
static size_t
put_transport(uint8_t *p, const struct probe *probe)
{
    switch (probe->key->proto) {
    case IPPROTO_TCP:
        return put_tcp(p, probe);
    case IPPROTO_UDP:
        return put_udp(p, probe);
    default:
        return put_icmp(p, probe);
    }
}

/* Returns where the checksum is in the transport header of 'proto'. */
static size_t
checksum_offset(uint8_t proto)
{
    return (proto == IPPROTO_TCP ? offsetof(struct tcp_header, tcp_csum)
            : proto == IPPROTO_UDP ? offsetof(struct udp_header, udp_csum)
            : offsetof(struct icmp_header, icmp_csum));
}

/* Writes the checksum of the transport header and payload, 'len' bytes at 'p',
 * behind the IPv4 header 'ip'.  UDP needs none. */
static void
put_checksum4(uint8_t *p, size_t len, const struct ip_header *ip)
{
    uint32_t sum = 0;
    ovs_be16 csum;

    if (ip->ip_proto == IPPROTO_UDP) {
        return;
    }
    if (ip->ip_proto == IPPROTO_TCP) {
        sum = packet_csum_pseudoheader(ip);
    }
    csum = csum_finish(csum_continue(sum, p, len));
    memcpy(p + checksum_offset(ip->ip_proto), &csum, sizeof csum);
}

/* Writes the IPv4 packet of 'probe' to 'p'.  Returns its length. */
static size_t
put_ip4(uint8_t *p, const struct probe *probe)
{
    size_t len = put_transport(p + IP_HEADER_LEN, probe);
    struct ip_header ip = {
        .ip_ihl_ver = IP_IHL_VER(IP_HEADER_LEN / 4, IP_VERSION),
        .ip_tot_len = htons(IP_HEADER_LEN + len),
        .ip_id = htons(probe->number),
        .ip_frag_off = htons(IP_DONT_FRAGMENT),
        .ip_ttl = probe->ttl,
        .ip_proto = probe->key->proto,
    };

    put_16aligned_be32(&ip.ip_src,
                       in6_addr_get_mapped_ipv4(&probe->key->src));
    put_16aligned_be32(&ip.ip_dst,
                       in6_addr_get_mapped_ipv4(&probe->key->dst));
    ip.ip_csum = csum(&ip, sizeof ip);
    memcpy(p, &ip, sizeof ip);
    put_checksum4(p + IP_HEADER_LEN, len, &ip);
    return IP_HEADER_LEN + len;
}

/* Writes the IPv6 packet of 'probe' to 'p'.  Returns its length. */
static size_t
put_ip6(uint8_t *p, const struct probe *probe)
{
    uint8_t *transport = p + IPV6_HEADER_LEN;
    uint8_t proto = probe->key->proto;
    size_t len = put_transport(transport, probe);
    struct ovs_16aligned_ip6_hdr ip6 = {
        .ip6_ctlun.ip6_un1 = {
            .ip6_un1_plen = htons(len),
            .ip6_un1_nxt = proto,
            .ip6_un1_hlim = probe->ttl,
        },
    };
    ovs_be16 csum;

    put_16aligned_be32(&ip6.ip6_ctlun.ip6_un1.ip6_un1_flow,
                       htonl(6 << 28 | (probe->number & LABEL_MASK)));
    memcpy(&ip6.ip6_src, &probe->key->src, sizeof ip6.ip6_src);
    memcpy(&ip6.ip6_dst, &probe->key->dst, sizeof ip6.ip6_dst);
    csum = packet_csum_upperlayer6(&ip6, transport, proto, len);
    if (!csum && proto == IPPROTO_UDP) {
        csum = OVS_BE16_MAX;
    }
    memcpy(transport + checksum_offset(proto), &csum, sizeof csum);
    memcpy(p, &ip6, sizeof ip6);
    return IPV6_HEADER_LEN + len;
}

/* Writes 'probe' to 'frame'.  Returns its length. */
size_t
probe_compose(const struct probe *probe, uint8_t frame[PROBE_MAX_LEN])
{
    size_t len = put_ethernet(frame, probe);

    return len + (is_ip4(probe->key) ? put_ip4(frame + len, probe)
                  : put_ip6(frame + len, probe));
}
