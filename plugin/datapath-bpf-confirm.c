/* SPDX-License-Identifier: Apache-2.0 */
/* Probes of flows: a packet of each that takes the way through OVN which the
 * packets of the flow take that are not taken off.
 *
 * What comes in by a routed NIC gets to OVN by layer L1, if it has an
 * endpoint: then the probe is what L1 would make of it, and is sent to L1's
 * target.  All others are received by the device that the flow's packets come
 * in by. */
#include <config.h>

#include "plugin/datapath-bpf.h"

#include <errno.h>
#include <linux/bpf.h>
#include <netinet/in.h>

#include "packets.h"
#include "util.h"

#include "plugin/probe-frame.h"

BUILD_ASSERT_DECL(PROBE_MAX_LEN <= OX_INJECTION_LEN);

/* How a probe gets to OVN. */
struct way {
    struct probe probe;         /* What it is made of. */
    uint32_t ifindex;           /* Device. */
    bool sent;                  /* The device sends it, instead of receiving
                                 * it. */
};

/* Returns the way of a probe of 'flow'. */
static struct way
find_way(const struct dp *dp, const struct dp_flow *flow)
{
    const struct dp_flow_key *key = &flow->key;
    const struct dp_key endpoint = { key->dst, key->vlan };
    struct dp_action action;
    struct way way = {
        .probe = {
            .key = key,
            .dmac = flow->near_dmac,
            .smac = flow->near_smac,
            .vlan = key->vlan,
            .ttl = OX_PROBE_TTL,
            .number = ox_probe_number(dp->l3.state->secret,
                                      l3_flow_check(key)),
        },
        .ifindex = flow->near_ifindex,
    };

    if (!flow->out && !key->scope
        && !endpoints_find(dp, &endpoint, &action)) {
        way.probe.dmac = action.dmac;
        way.probe.smac = action.smac;
        way.probe.vlan = action.vlan;
        way.probe.ttl--;
        way.ifindex = action.ifindex;
        way.sent = true;
    }
    return way;
}

/* Sends what is in the injector of 'dp'.  Stores an error in '*errorp'. */
static void
flush(struct dp *dp, size_t *n_sent, int *errorp)
{
    int error = injector_flush(&dp->injector, n_sent);

    if (error) {
        *errorp = error;
    }
}

/* Puts the probe that takes 'way' in the injector of 'dp'. */
static void
add(struct dp *dp, const struct way *way)
{
    struct ox_injection *injection = injector_add(&dp->injector);

    injection->ifindex = way->ifindex;
    injection->flags = way->sent ? 0 : BPF_F_INGRESS;
    injection->len = probe_compose(&way->probe, injection->data);
}

/* Sends those probes of the 'n' flows whose frames have the Ethernet type
 * 'type'.  The far side of a flow whose port is gone would let them through to
 * the VM. */
static void
probe_type(struct dp *dp, const struct dp_flow *flows, size_t n, uint16_t type,
           size_t *n_sent, int *errorp)
{
    for (size_t i = 0; i < n; i++) {
        struct way way = find_way(dp, &flows[i]);

        if (probe_eth_type(&flows[i].key, way.probe.vlan) != type) {
            continue;
        } else if (!l3_ports_has(dp, &flows[i].external)) {
            *errorp = ENOENT;
            continue;
        }
        add(dp, &way);
        if (injector_is_full(&dp->injector)) {
            flush(dp, n_sent, errorp);
        }
    }
    flush(dp, n_sent, errorp);
}

/* See 'probe_flows' in plugin/datapath.h. */
int
probes_send(struct dp *dp, const struct dp_flow *flows, size_t n,
            size_t *n_sent)
{
    static const uint16_t types[] = {
        ETH_TYPE_IP, ETH_TYPE_IPV6, ETH_TYPE_VLAN_8021Q
    };
    int error;

    *n_sent = 0;
    error = dp->l3.open ? injector_open(&dp->injector) : ENOENT;
    if (error) {
        return error;
    }
    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        probe_type(dp, flows, n, types[i], n_sent, &error);
    }
    return error;
}
