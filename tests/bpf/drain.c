/* SPDX-License-Identifier: Apache-2.0
 *
 * Where redirected frames end: see drain.h. */

#include <config.h>

#include "tests/bpf/drain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <stdlib.h>
#include <cmocka.h>

#include "bpf/abi.h"
#include "bpf/sink.skel.h"
#include "tests/bpf/contest.h"

/* The program at the other end. */
static struct sink_bpf *sink;

uint32_t
drain_open(void)
{
    LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = XDP_FLAGS_DRV_MODE);
    static const char command[] =
        "ip link add bench0 type veth peer name bench1 && "
        "for dev in bench0 bench1; do "
        "  ip link set $dev addrgenmode none && ip link set $dev up "
        "  || exit 1; done";

    assert_int_equal(system(command), 0);
    sink = sink_bpf__open_and_load();
    assert_non_null(sink);
    assert_true(bpf_link_create(bpf_program__fd(sink->progs.port_sink),
                                if_nametoindex("bench1"), BPF_XDP, &opts)
                >= 0);
    return if_nametoindex("bench0");
}

/* Returns how many frames have been dropped. */
static uint64_t
count_dropped(void)
{
    const uint32_t row = OX_R_PORT_SINK; /* Of slot 0. */
    int n_cpus = libbpf_num_possible_cpus();
    struct ox_counter *values = calloc(n_cpus, sizeof *values);
    uint64_t packets = 0;

    assert_non_null(values);
    assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(sink->maps.reasons), &row,
                                         values), 0);
    for (int i = 0; i < n_cpus; i++) {
        packets += values[i].packets;
    }
    free(values);
    return packets;
}

double
drain_live_round(const struct contest *contest)
{
    uint64_t dropped = count_dropped();
    double ns = contest_live_round(contest);

    assert_int_equal(count_dropped() - dropped, CONTEST_LIVE_REPEAT);
    return ns;
}

void
drain_close(void)
{
    sink_bpf__destroy(sink);
}
