/* SPDX-License-Identifier: Apache-2.0 */
/* The half of plugin/judge.h that is about routes, kernel parameters and
 * firewall rules. */

#include <config.h>

#include "plugin/judge.h"

#include <linux/netfilter.h>
#include <stdlib.h>
#include <string.h>

#include "openvswitch/dynamic-string.h"
#include "sset.h"
#include "util.h"

#include "plugin/checks.h"
#include "plugin/host-firewall.h"
#include "plugin/host-leg.h"

/* Chains named at most: the rest is counted. */
#define MAX_CHAINS 4

/* Says in 'checks' where packets go that should have gone into the bridge of
 * 'h', but do not. */
static void
add_astray(const struct judge_host *h, struct checks *checks)
{
    const struct host_route *route = &h->way_in;

    if (route->error) {
        checks_add(checks, "slow-path", CHECK_NO, REASON_NO_SLOW_PATH,
                   "the host has no route to %s (%s): what XDP passes is lost",
                   h->address, ovs_strerror(route->error));
    } else if (route->local) {
        checks_add(checks, "slow-path", CHECK_NO, REASON_NO_SLOW_PATH,
                   "%s is an address of the host itself, which keeps what XDP "
                   "passes", h->address);
    } else if (sset_contains(h->nics, route->device)) {
        checks_add(checks, "slow-path", CHECK_NO, REASON_NO_SLOW_PATH,
                   "the host routes %s out of %s again: what XDP passes goes "
                   "round until its time to live is up", h->address,
                   route->device);
    } else {
        checks_add(checks, "slow-path", CHECK_NO, REASON_NO_SLOW_PATH,
                   "the host routes %s to %s, not into %s: what XDP passes "
                   "does not reach OVN", h->address, route->device,
                   h->leg ? h->leg->name : h->bridge[0] ? h->bridge
                   : "a provider bridge");
    }
}

/* Appends to 'checks' whether what XDP passes for a reason finds its way into
 * the bridge of 'h' through the host. */
void
judge_slow_path(const struct judge_host *h, struct checks *checks)
{
    const struct host_route *route = &h->way_in;

    if (!route->error && !route->local && h->leg
        && route->ifindex == h->leg->ifindex) {
        checks_add(checks, "slow-path", CHECK_YES, REASON_NONE,
                   "the host routes %s into %s", h->address, h->leg->name);
        return;
    }
    add_astray(h, checks);
    if (h->leg && !route->local) {
        checks_fix(checks, "ip route add %s/%d dev %s", h->address,
                   h->ip6 ? 128 : 32, h->leg->name);
    }
}

/* Appends whether the leg of 'h' is there and up.  Returns false if not. */
static bool
judge_leg(const struct judge_host *h, struct checks *checks)
{
    const struct host_leg *leg = h->leg;

    if (!leg && h->vlan) {
        checks_add(checks, "leg", CHECK_NO, REASON_WAY_BACK,
                   "no device of the host is on VLAN %d of %s: nobody routes "
                   "what comes out of OVN", h->vlan, h->bridge);
        checks_fix(checks, "ip link add link %s name %s.%d type vlan id %d",
                   h->bridge, h->bridge, h->vlan, h->vlan);
    } else if (!leg) {
        checks_add(checks, "leg", CHECK_NO, REASON_WAY_BACK,
                   "the host has no device %s: nobody routes what comes out "
                   "of OVN", h->bridge);
    } else {
        checks_add(checks, "leg", leg->up ? CHECK_YES : CHECK_NO,
                   REASON_WAY_BACK, "what comes out of OVN reaches the host "
                   "by %s, which is %s", leg->name, leg->up ? "up" : "down");
        checks_fix(checks, "ip link set %s up", leg->name);
    }
    return leg != NULL;
}

/* Appends whether the kernel believes the source addresses of packets from the
 * leg of 'h', which must be IPv4.  Returns false if not. */
static bool
judge_rp_filter(const struct judge_host *h, struct checks *checks)
{
    const struct host_leg *leg = h->leg;
    const struct host_route *route = &h->reverse;
    const char *to = (route->error ? "nowhere"
                      : route->local ? "the host itself" : route->device);

    if (leg->rp_filter < 0) {
        checks_add(checks, "rp-filter", CHECK_UNKNOWN, REASON_WAY_BACK,
                   "rp_filter of %s cannot be read", leg->name);
    } else if (!leg->rp_filter) {
        checks_add(checks, "rp-filter", CHECK_YES, REASON_NONE,
                   "rp_filter of %s is off", leg->name);
    } else if (leg->rp_filter == 1
               && (route->error || route->ifindex != leg->ifindex)) {
        checks_add(checks, "rp-filter", CHECK_NO, REASON_WAY_BACK,
                   "rp_filter of %s is strict and the host's route to %s "
                   "leads to %s: what comes out of OVN is dropped",
                   leg->name, h->address, to);
        checks_fix(checks, "sysctl -w net/ipv4/conf/%s/rp_filter=2",
                   leg->name);
        return false;
    } else if (route->error) {
        checks_add(checks, "rp-filter", CHECK_NO, REASON_WAY_BACK,
                   "rp_filter of %s is loose, but the host has no route to %s "
                   "at all: what comes out of OVN is dropped", leg->name,
                   h->address);
        checks_fix(checks, "ip route add %s/32 dev %s", h->address, leg->name);
        return false;
    } else {
        checks_add(checks, "rp-filter", CHECK_YES, REASON_NONE,
                   "rp_filter of %s is %s and the host's route to %s leads to "
                   "%s", leg->name, leg->rp_filter == 1 ? "strict" : "loose",
                   h->address, to);
    }
    return true;
}

/* Appends whether the leg of 'h' answers for the gateway that OVN and the VMs
 * look for. */
static void
judge_proxy(const struct judge_host *h, struct checks *checks)
{
    const struct host_leg *leg = h->leg;
    const char *word = h->ip6 ? "proxy-ndp" : "proxy-arp";
    int proxy = h->ip6 ? leg->proxy_ndp : leg->proxy_arp;
    bool own = h->ip6 ? leg->address6 : leg->address4;

    if (proxy > 0 || own) {
        checks_add(checks, word, CHECK_YES, REASON_NONE, "%s %s", leg->name,
                   proxy > 0 ? "answers for gateways that it is not itself"
                   : "has an address of its own, which can be the gateway");
        return;
    }
    checks_add(checks, word, proxy < 0 ? CHECK_UNKNOWN : CHECK_NO,
               REASON_WAY_BACK, "%s %s", leg->name,
               proxy < 0 ? "cannot be asked whether it answers for gateways"
               : "has no address and answers for no gateway: OVN does not "
                 "find the way out");
    checks_fix(checks, "sysctl -w net/ipv%c/conf/%s/%s=1",
               h->ip6 ? '6' : '4', leg->name,
               h->ip6 ? "proxy_ndp" : "proxy_arp");
}

/* Appends whether the host routes what it gets from the leg of 'h'.  Returns
 * false if not. */
static bool
judge_forwarding(const struct judge_host *h, struct checks *checks)
{
    const char *device = h->ip6 ? "all" : h->leg->name;
    int on = h->ip6 ? h->leg->forwarding6 : h->leg->forwarding4;

    checks_add(checks, "forwarding",
               on > 0 ? CHECK_YES : on < 0 ? CHECK_UNKNOWN : CHECK_NO,
               REASON_WAY_BACK, "forwarding of IPv%c is %s for %s",
               h->ip6 ? '6' : '4',
               on > 0 ? "on" : on < 0 ? "not known" : "off", h->leg->name);
    checks_fix(checks, "sysctl -w net/ipv%c/conf/%s/forwarding=1",
               h->ip6 ? '6' : '4', device);
    return on != 0;
}

/* Appends whether the host knows where to send what comes from the leg of
 * 'h'.  If it is 'stopped' before, the kernel's word about that is worth
 * nothing, and where its own packets go has to do. */
static void
judge_route_out(const struct judge_host *h, bool stopped,
                struct checks *checks)
{
    const struct host_route *route = (h->way_out.error && stopped
                                      ? &h->world : &h->way_out);

    if (!route->error && !route->local && route->ifindex != h->leg->ifindex) {
        checks_add(checks, "route-out", CHECK_YES, REASON_NONE,
                   "the host routes packets for the world out of %s",
                   route->device);
    } else if (!route->error) {
        checks_add(checks, "route-out", CHECK_NO, REASON_WAY_BACK,
                   "the host routes packets for the world to %s",
                   route->local ? "itself" : route->device);
    } else if (!h->world.error) {
        checks_add(checks, "route-out", CHECK_NO, REASON_WAY_BACK,
                   "the host does not route packets of %s that come by %s "
                   "(%s)", h->address, h->leg->name,
                   ovs_strerror(route->error));
        checks_fix(checks, "ip rule; ip route get %s from %s iif %s",
                   h->ip6 ? "2001:503:ba3e::2:30" : "198.41.0.4", h->address,
                   h->leg->name);
    } else {
        checks_add(checks, "route-out", CHECK_NO, REASON_WAY_BACK,
                   "the host has no route to the world (%s)",
                   ovs_strerror(route->error));
        checks_fix(checks, "ip%s route add default via GATEWAY",
                   h->ip6 ? " -6" : "");
    }
}

/* Appends to 'checks' what would stop packets that come out of OVN from
 * reaching the world through the host. */
void
judge_way_back(const struct judge_host *h, struct checks *checks)
{
    bool stopped = false;

    if (h->physical[0]) {
        checks_add(checks, "leg", CHECK_YES, REASON_NONE,
                   "%s has the physical port %s: what comes out of OVN can go "
                   "out there", h->bridge, h->physical);
        return;
    }
    if (judge_leg(h, checks)) {
        if (!h->ip6) {
            stopped |= !judge_rp_filter(h, checks);
        }
        judge_proxy(h, checks);
        stopped |= !judge_forwarding(h, checks);
        judge_route_out(h, stopped, checks);
    }
}

/* Returns true if 'chain', of an ingress hook, is on one of 'nics'. */
static bool
is_on_any(const struct host_chain *chain, const struct sset *nics)
{
    const char *nic;

    SSET_FOR_EACH (nic, nics) {
        for (size_t i = 0; i < chain->devices.n; i++) {
            if (!strcmp(nic, chain->devices.names[i])) {
                return true;
            }
        }
        for (size_t i = 0; i < chain->prefixes.n; i++) {
            const char *prefix = chain->prefixes.names[i];

            if (!strncmp(nic, prefix, strlen(prefix))) {
                return true;
            }
        }
    }
    return false;
}

/* Returns true if 'chain' would see a packet of the family in question that
 * comes in by one of 'nics' and is forwarded, and does something with it. */
static bool
chain_matters(const struct host_chain *chain, bool ip6,
              const struct sset *nics)
{
    if (!chain->n_rules && !chain->drops) {
        return false;
    }
    switch (chain->family) {
    case NFPROTO_NETDEV:
        return chain->hook == NF_NETDEV_INGRESS
               && is_on_any(chain, nics);
    case NFPROTO_INET:
        if (chain->hook == NF_INET_INGRESS) {
            return is_on_any(chain, nics);
        }
        break;
    case NFPROTO_IPV4:
        if (ip6) {
            return false;
        }
        break;
    case NFPROTO_IPV6:
        if (!ip6) {
            return false;
        }
        break;
    default:
        return false;
    }
    return (chain->hook == NF_INET_PRE_ROUTING
            || chain->hook == NF_INET_FORWARD);
}

/* Appends the names of the chains of 'fw' that matter to 'ds'.  Returns their
 * number. */
static size_t
put_chains(const struct host_firewall *fw, bool ip6, const struct sset *nics,
           struct ds *ds)
{
    size_t n = 0;

    for (size_t i = 0; i < fw->n_chains; i++) {
        const struct host_chain *chain = &fw->chains[i];
        if (chain_matters(chain, ip6, nics) && n++ < MAX_CHAINS) {
            ds_put_format(ds, "%s%s %s", n > 1 ? ", " : "", chain->table,
                          chain->name);
        }
    }
    if (n > MAX_CHAINS) {
        ds_put_format(ds, " and %"PRIuSIZE" more", n - MAX_CHAINS);
    }
    return n;
}

/* Appends to 'checks' which rules of the host do not see redirected packets
 * any more, given that 'nics' redirect. */
void
judge_firewall(const struct host_firewall *fw, bool ip6,
               const struct sset *nics, struct checks *checks)
{
    const char *legacy = fw->legacy[ip6];
    struct ds ds = DS_EMPTY_INITIALIZER;

    if (put_chains(fw, ip6, nics, &ds)) {
        checks_add(checks, "firewall", CHECK_NO, REASON_FIREWALL_BYPASSED,
                   "redirected packets do not meet the rules in %s",
                   ds_cstr(&ds));
        checks_fix(checks, "nft list ruleset; what must hold for VMs belongs "
                   "into OVN's ACLs");
    } else if (fw->error) {
        checks_add(checks, "firewall", CHECK_UNKNOWN,
                   REASON_FIREWALL_BYPASSED, "nf_tables cannot be asked (%s)",
                   ovs_strerror(fw->error));
    } else if (legacy[0]) {
        checks_add(checks, "firewall", CHECK_UNKNOWN,
                   REASON_FIREWALL_BYPASSED, "redirected packets do not meet "
                   "the rules, if any, in the iptables tables %s", legacy);
        checks_fix(checks, "%s -S", ip6 ? "ip6tables-legacy"
                                        : "iptables-legacy");
    } else if (fw->legacy_error) {
        checks_add(checks, "firewall", CHECK_UNKNOWN,
                   REASON_FIREWALL_BYPASSED, "the tables of iptables cannot "
                   "be read (%s)", ovs_strerror(fw->legacy_error));
    } else {
        checks_add(checks, "firewall", CHECK_YES, REASON_NONE,
                   "no rule of the host's firewall would see them otherwise");
    }
    ds_destroy(&ds);
}
