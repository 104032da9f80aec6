/* SPDX-License-Identifier: Apache-2.0
 *
 * The program of a managed port's outer end: everything is dropped and counted
 * in the map that the NIC's program uses. */

#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <cmocka.h>

#include "bpf/abi.h"
#include "bpf/sink.skel.h"
#include "tests/bpf/bed.h"
#include "tests/bpf/packet.h"

/* Rows of the NIC and of the managed port. */
#define NIC 3
#define PORT 9

static struct ovn_xdp_bpf *nic;
static struct sink_bpf *sink;

/* Runs the sink on a frame of 'len' bytes that begins with 'head'. */
static void
assert_dropped(size_t len, const uint8_t *head)
{
    static struct bed_counters before, after;
    struct packet p;
    LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = p.data);

    packet_eth(&p, head, head + 6, 0, head[12] << 8 | head[13]);
    packet_fill(&p, len - p.len);
    opts.data_size_in = p.len;
    bed_read(nic, &before);
    assert_int_equal(
        bpf_prog_test_run_opts(bpf_program__fd(sink->progs.port_sink), &opts),
        0);
    bed_read(nic, &after);
    assert_int_equal(opts.retval, XDP_DROP);
    bed_assert_counted(&before, &after, PORT, OX_R_PORT_SINK, BED_NO_SLOT,
                       len);
}

static void
test_drops_everything(void **state)
{
    static const uint8_t heads[][14] = {
        { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 1, 0x08, 0x06 },
        { 0x33, 0x33, 0, 0, 0, 1, 2, 0, 0, 0, 0, 1, 0x86, 0xdd },
        { 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x08, 0x00 },
        { 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x81, 0x00 },
    };

    (void) state;
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        assert_dropped(14, heads[i]);
        assert_dropped(60, heads[i]);
        assert_dropped(1514, heads[i]);
        assert_dropped(9018, heads[i]);
    }
}

static int
set_up(void **state)
{
    (void) state;
    nic = bed_load(NIC, NULL);
    assert_non_null(nic);
    sink = sink_bpf__open();
    assert_non_null(sink);
    sink->rodata->nic_slot = PORT;
    assert_int_equal(bpf_map__reuse_fd(sink->maps.reasons,
                                       bpf_map__fd(nic->maps.reasons)), 0);
    assert_int_equal(sink_bpf__load(sink), 0);
    return 0;
}

static int
tear_down(void **state)
{
    (void) state;
    sink_bpf__destroy(sink);
    ovn_xdp_bpf__destroy(nic);
    return 0;
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_drops_everything),
    };

    bed_enter();
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
