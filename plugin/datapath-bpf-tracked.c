/* SPDX-License-Identifier: Apache-2.0 */
/* Of which addresses all is known that their VMs have sent, and since when:
 * the map 'tracked'.  bpf/sent.h says what must be true of them; which they
 * are follows from the ports and devices of layer L3
 * (plugin/datapath-bpf-direct-ports.c).
 *
 * What an earlier daemon has left says nothing before this one has found that
 * all of it is still attached: it is set aside. */
#include <config.h>

#include "plugin/datapath-bpf.h"

#include <bpf/bpf.h>
#include <netinet/in.h>

#include "packets.h"
#include "timeval.h"
#include "util.h"

/* What 'since_ns' is of an address whose VM sends nothing that is not known:
 * longer ago than conntrack remembers anything. */
#define SETTLED_NS (-(OX_SENT_TCP_S + 1) * INT64_C(1000000000))

/* Protocols, by enum dp_tracked. */
static uint8_t
protocol(enum dp_tracked which, const struct in6_addr *local)
{
    switch (which) {
    case DP_TRACKED_TCP:
        return IPPROTO_TCP;
    case DP_TRACKED_UDP:
        return IPPROTO_UDP;
    case DP_TRACKED_ECHO:
    case DP_N_TRACKED:
    default:
        return (IN6_IS_ADDR_V4MAPPED(local) ? IPPROTO_ICMP
                : IPPROTO_ICMPV6);
    }
}

/* Writes the element of 'local': 'since_ns'. */
static int
write_element(const struct opened *opened, const struct in6_addr *local,
              int64_t since_ns)
{
    struct ox_tracked value = { .since_ns = since_ns };

    memcpy(value.addr, local, sizeof value.addr);
    return -bpf_map_update_elem(opened->fds[OPENED_TRACKED], local, &value,
                                BPF_ANY);
}

/* Notes that all is known that 'local' has sent since 'since', time_msec(), or
 * that it is not known since when, if that is 0.  If that cannot be written,
 * nothing is said of it. */
void
tracked_write(struct dp *dp, const struct in6_addr *local,
              long long int since)
{
    const struct opened *opened = &dp->opened;
    int64_t since_ns = (since && since <= opened->settled ? SETTLED_NS
                        : since * INT64_C(1000000));

    if (opened->program_fd >= 0
        && write_element(opened, local, since_ns)) {
        tracked_forget(dp, local);
    }
}

/* Has nothing be said of 'local'. */
void
tracked_forget(struct dp *dp, const struct in6_addr *local)
{
    if (dp->opened.program_fd >= 0) {
        bpf_map_delete_elem(dp->opened.fds[OPENED_TRACKED], local);
    }
}

/* Sets aside what an earlier daemon has left in 'opened'. */
void
tracked_adopt(struct opened *opened)
{
    int fd = opened->fds[OPENED_TRACKED];
    const struct in6_addr *last = NULL;
    struct in6_addr key;

    opened->earlier = xcalloc(OX_MAX_DIRECT_PORTS, sizeof *opened->earlier);
    while (opened->n_earlier < OX_MAX_DIRECT_PORTS
           && !bpf_map_get_next_key(fd, last, &key)) {
        struct opened_earlier *e = &opened->earlier[opened->n_earlier++];

        e->local = key;
        last = &e->local;
    }
    for (size_t i = 0; i < opened->n_earlier; i++) {
        struct opened_earlier *e = &opened->earlier[i];
        struct ox_tracked value = { .since_ns = 0 };

        bpf_map_lookup_elem(fd, &e->local, &value);
        e->since = (value.since_ns < 0 ? 1 : value.since_ns / 1000000);
        write_element(opened, &e->local, 0);
    }
}

/* Returns since when all was known that 'local' has sent, as an earlier daemon
 * has left it, time_msec(), or 0. */
long long int
tracked_earlier(const struct opened *opened, const struct in6_addr *local)
{
    for (size_t i = 0; i < opened->n_earlier; i++) {
        if (ipv6_addr_equals(&opened->earlier[i].local, local)) {
            return opened->earlier[i].since;
        }
    }
    return 0;
}

/* Forgets what an earlier daemon has left, but for what is tracked by this
 * one, too. */
void
tracked_sweep(struct dp *dp)
{
    struct opened *opened = &dp->opened;

    for (size_t i = 0; i < opened->n_earlier; i++) {
        const struct in6_addr *local = &opened->earlier[i].local;

        if (!l3_ports_tracks(dp, local)) {
            tracked_forget(dp, local);
        }
    }
    opened->n_earlier = 0;
}

/* See 'settle_tracking' in plugin/datapath.h. */
void
tracked_settle(struct dp *dp)
{
    dp->opened.settled = time_msec();
    l3_ports_follow(dp, true);
}

/* See 'tracking' in plugin/datapath.h. */
bool
tracked_get(const struct dp *dp, const struct in6_addr *local,
            long long int from[DP_N_TRACKED])
{
    struct ox_tracked value;

    if (dp->opened.program_fd < 0
        || bpf_map_lookup_elem(dp->opened.fds[OPENED_TRACKED], local, &value)
        || !value.since_ns) {
        return false;
    }
    for (int i = 0; i < DP_N_TRACKED; i++) {
        uint8_t proto = protocol(i, local);
        long long int horizon = ox_sent_horizon_s(proto) * 1000LL;
        long long int missed = opened_missed_sent(dp, local, proto);

        from[i] = MAX(0, value.since_ns / 1000000 + horizon);
        if (missed) {
            from[i] = MAX(from[i], missed + horizon);
        }
    }
    return true;
}
