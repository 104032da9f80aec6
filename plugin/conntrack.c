/* SPDX-License-Identifier: Apache-2.0 */
/* How long conntrack remembers connections, and whether it relates others to
 * them; see plugin/conntrack.h.
 *
 * These are the times of the kernel's conntrack.  Those of OVS's own are
 * shorter unless its database has a policy for them, which ovs_view says. */
#include <config.h>

#include "plugin/conntrack.h"

#include <stdio.h>
#include <stdlib.h>

#include "util.h"

#include "bpf/abi.h"
#include "plugin/limits.h"

/* Seconds by which the life of what has been sent is longer than that of what
 * conntrack has of it, at least: for three periods of confirmation, and then
 * 60 (TCP: 300), probes may not be seen (bpf/sent.h).  And elements are
 * written a second late. */
#define SPARE_S (3 * MAX_CONFIRM_MS / 1000 + 60 + 10)
#define TCP_SPARE_S (3 * MAX_CONFIRM_MS / 1000 + 300 + 10)
#define LATE_S 2

/* A time of conntrack. */
struct time_limit {
    const char *name;           /* File below the directory. */
    long int limit;             /* Longest time, in seconds. */
};

/* Returns the time that 'dir' has for 'name', or 0 if it has none: there is no
 * conntrack then, and who reads the others finds that, too. */
static long int
read_time(const char *dir, const char *name)
{
    char *path = xasprintf("%s/%s", dir, name);
    FILE *stream = fopen(path, "r");
    long int seconds = 0;

    if (stream) {
        if (fscanf(stream, "%ld", &seconds) != 1) {
            seconds = 0;
        }
        fclose(stream);
    }
    free(path);
    return seconds;
}

/* Compares the times, see plugin/conntrack.h. */
bool
conntrack_times_fit(const char *dir, const char **name)
{
    static const struct time_limit limits[] = {
        /* No time: helpers are attached without being asked for, and let
         * through what they expect. */
        { "nf_conntrack_helper", 0 },
        { "nf_conntrack_icmp_timeout", OX_SENT_ECHO_S - SPARE_S },
        { "nf_conntrack_icmpv6_timeout", OX_SENT_ECHO_S - SPARE_S },
        { "nf_conntrack_udp_timeout", OX_SENT_UDP_S - SPARE_S },
        { "nf_conntrack_udp_timeout_stream", OX_SENT_UDP_S - SPARE_S },
        { "nf_conntrack_tcp_timeout_established",
          OX_SENT_TCP_S - TCP_SPARE_S },
        { "nf_conntrack_tcp_timeout_syn_sent", OX_OPENED_SYN_S - LATE_S },
        { "nf_conntrack_tcp_timeout_syn_recv", OX_OPENED_SYN_S - LATE_S },
        { "nf_conntrack_tcp_timeout_fin_wait", OX_OPENED_CLOSING_S - LATE_S },
        { "nf_conntrack_tcp_timeout_close_wait",
          OX_OPENED_CLOSING_S - LATE_S },
        { "nf_conntrack_tcp_timeout_last_ack", OX_OPENED_CLOSING_S - LATE_S },
        { "nf_conntrack_tcp_timeout_time_wait",
          OX_OPENED_CLOSING_S - LATE_S },
        { "nf_conntrack_tcp_timeout_close", OX_OPENED_CLOSING_S - LATE_S },
    };

    for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
        if (read_time(dir, limits[i].name) > limits[i].limit) {
            *name = limits[i].name;
            return false;
        }
    }
    return true;
}
