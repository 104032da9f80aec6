/* SPDX-License-Identifier: Apache-2.0 */
/* Parses what ovn-northd writes into the 'mac' and 'nat_addresses' columns of
 * Port_Binding:
 *
 *     fa:16:3e:bb:00:05 172.24.100.50 2001:db8:ff::50
 *     fa:16:3e:77:7f:9c 172.24.100.229/24 2001:db8:ff::1/64
 *     fa:16:3e:aa:00:03 172.24.100.112 is_chassis_resident("LPORT")
 *     unknown
 *
 * and what it copies into 'port_security':
 *
 *     fa:16:3e:bb:00:05 172.24.100.50 10.0.0.0/24
 */

#include <config.h>

#include "plugin/addresses.h"

#include <stdlib.h>
#include <string.h>

#include "packets.h"
#include "util.h"

/* Frees what 'addresses' holds, not 'addresses' itself. */
void
addresses_destroy(struct addresses *addresses)
{
    if (addresses) {
        free(addresses->ips);
        free(addresses->resident);
    }
}

/* Returns true if 'word' stands in a mac column where a MAC could. */
static bool
is_keyword(const char *word)
{
    return !strcmp(word, "unknown") || !strcmp(word, "dynamic")
           || !strcmp(word, "router");
}

/* Parses 'text', an address of either family, into '*ip', IPv4 as a v4-mapped
 * address.  Returns false if it is none. */
bool
address_parse(const char *text, struct in6_addr *ip)
{
    ovs_be32 ip4;

    if (ip_parse(text, &ip4)) {
        *ip = in6_addr_mapped_ipv4(ip4);
        return true;
    }
    return ipv6_parse(text, ip);
}

/* Parses "IP" or "IP/LENGTH", of either family, into '*ip'.  OVS's own parsers
 * of the latter would take 10.0.0.256 for 10.0.0.0. */
static bool
parse_ip(const char *word, struct in6_addr *ip)
{
    const char *slash = strchr(word, '/');
    unsigned int plen = 0;

    if (slash && !str_to_uint(slash + 1, 10, &plen)) {
        return false;
    }

    char *host = xmemdup0(word, slash ? slash - word : strlen(word));
    bool is_ip6 = strchr(host, ':') != NULL;
    bool ok = address_parse(host, ip)
              && is_ip6 != IN6_IS_ADDR_V4MAPPED(ip)
              && plen <= (is_ip6 ? 128 : 32);
    free(host);
    return ok;
}

/* Parses 'word' as the MAC of one device.  eth_addr_from_string() alone would
 * take 1ff for ff. */
static bool
parse_mac(const char *word, struct eth_addr *mac)
{
    return strlen(word) == strlen("xx:xx:xx:xx:xx:xx")
           && eth_addr_from_string(word, mac)
           && !eth_addr_is_multicast(*mac) && !eth_addr_is_zero(*mac);
}

/* Returns the port named by 'word', is_chassis_resident("PORT"), or NULL. */
static char *
parse_resident(const char *word)
{
    static const char prefix[] = "is_chassis_resident(\"";
    static const char suffix[] = "\")";
    size_t skip = strlen(prefix);
    size_t len = strlen(word);

    if (len <= skip + strlen(suffix) || strncmp(word, prefix, skip)
        || strcmp(word + len - strlen(suffix), suffix)) {
        return NULL;
    }
    return xmemdup0(word + skip, len - skip - strlen(suffix));
}

/* Adds what 'word', which follows the MAC, says to 'addresses'.  Returns false
 * if it says nothing that is known. */
static bool
parse_word(const char *word, struct addresses *addresses)
{
    struct in6_addr ip;

    if (parse_ip(word, &ip)) {
        addresses->ips = xrealloc(addresses->ips, (addresses->n_ips + 1)
                                                  * sizeof *addresses->ips);
        addresses->ips[addresses->n_ips++] = ip;
        return true;
    }
    if (!addresses->resident) {
        addresses->resident = parse_resident(word);
        return addresses->resident != NULL;
    }
    return false;
}

/* Parses 'string' into '*addresses', which the caller must pass to
 * addresses_destroy() whatever the result. */
enum addresses_result
addresses_parse(const char *string, struct addresses *addresses)
{
    enum addresses_result result = ADDRESSES_OK;
    char *copy = xstrdup(string);
    char *save = NULL;

    memset(addresses, 0, sizeof *addresses);

    char *word = strtok_r(copy, " ", &save);
    if (!word || is_keyword(word)) {
        result = ADDRESSES_NONE;
    } else if (!parse_mac(word, &addresses->mac)) {
        result = ADDRESSES_BAD;
    } else {
        while (result == ADDRESSES_OK
               && (word = strtok_r(NULL, " ", &save))) {
            if (!parse_word(word, addresses)) {
                result = ADDRESSES_BAD;
            }
        }
    }
    free(copy);
    return result;
}

/* Returns true if 'word' is "IP/LENGTH" and 'ip', its IP, has no bit set after
 * LENGTH: then it stands for the whole network, as a longer one for the single
 * address. */
static bool
is_network(const char *word, const struct in6_addr *ip)
{
    const char *slash = strchr(word, '/');
    struct in6_addr mask, network;
    unsigned int plen;

    if (!slash || !str_to_uint(slash + 1, 10, &plen)) {
        return false;
    }
    plen += IN6_IS_ADDR_V4MAPPED(ip) ? 96 : 0;
    mask = ipv6_create_mask(plen);
    network = ipv6_addr_bitand(ip, &mask);
    return plen < 128 && ipv6_addr_equals(&network, ip);
}

/* Parses 'string' of Port_Binding.port_security into '*addresses', like
 * addresses_parse(), but without the addresses of whole networks. */
enum addresses_result
addresses_parse_allowed(const char *string, struct addresses *addresses)
{
    char *copy = xstrdup(string);
    char *result = xmalloc(strlen(string) + 1);
    char *end = result;
    char *save = NULL;
    struct in6_addr ip;

    for (char *word = strtok_r(copy, " ", &save); word;
         word = strtok_r(NULL, " ", &save)) {
        if (!parse_ip(word, &ip) || !is_network(word, &ip)) {
            end += sprintf(end, "%s%s", end == result ? "" : " ", word);
        }
    }
    *end = '\0';

    enum addresses_result parsed = addresses_parse(result, addresses);
    free(result);
    free(copy);
    return parsed;
}

/* Returns true if a router may forward packets to the IPv4 address 'ip'. */
static bool
ipv4_is_routable(ovs_be32 ip)
{
    uint32_t host = ntohl(ip);
    return host >> 24 && host >> 24 != 127 && host >> 28 < 0xe
           && host >> 16 != 0xa9fe;
}

/* Returns true if packets to 'ip' can come in through a routed NIC at all: no
 * link-local, loopback, multicast or unspecified address. */
bool
address_is_routable(const struct in6_addr *ip)
{
    if (IN6_IS_ADDR_V4MAPPED(ip)) {
        return ipv4_is_routable(in6_addr_get_mapped_ipv4(ip));
    }
    return !IN6_IS_ADDR_LINKLOCAL(ip) && !IN6_IS_ADDR_LOOPBACK(ip)
           && !IN6_IS_ADDR_MULTICAST(ip) && !IN6_IS_ADDR_UNSPECIFIED(ip);
}
