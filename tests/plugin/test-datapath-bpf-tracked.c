/* SPDX-License-Identifier: Apache-2.0 */
/* Of which addresses the kernel's maps say that all is known that was sent,
 * and since when; and what becomes of what was sent when it is over. */
#include <config.h>

#include "plugin/datapath-bpf.h"

#include <bpf/bpf.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>
#include <cmocka.h>

#include "packets.h"
#include "timeval.h"
#include "util.h"

#include "tests/plugin/dp-bpf-direct.h"
#include "tests/plugin/dp-bpf-watch.h"
#include "tests/plugin/netns.h"

static const struct dp_class *const class = &datapath_bpf_class;

/* Horizons in ms. */
static const long long int lives[DP_N_TRACKED] = {
    [DP_TRACKED_TCP] = OX_SENT_TCP_S * 1000LL,
    [DP_TRACKED_UDP] = OX_SENT_UDP_S * 1000LL,
    [DP_TRACKED_ECHO] = OX_SENT_ECHO_S * 1000LL,
};

/* Puts the tap, whose near side is at 'near', tracked if 'track'. */
static int
put_tap(struct dp *dp, enum dp_hook near, bool track)
{
    const struct dp_direct_device tap = {
        .ifindex = if_nametoindex("out0"), .near = near, .xdp_target = true,
        .track = track };

    return class->put_direct_device(dp, &tap);
}

/* Puts the port, tracked if 'track'. */
static void
put_port(struct dp *dp, bool track)
{
    struct dp_direct port = direct_bed_make_port();

    port.track = track;
    assert_int_equal(class->put_direct(dp, &port), 0);
}

/* Returns since when the port is tracked, or -1. */
static long long int
tracked_since(const struct dp *dp)
{
    struct dp_direct port = direct_bed_make_port();
    long long int from[DP_N_TRACKED];

    if (!class->tracking(dp, &port.external, from)) {
        return -1;
    }
    for (int i = 0; i < DP_N_TRACKED; i++) {
        if (!from[i]) {
            return 0;
        }
        assert_true(from[i] - lives[i] == from[0] - lives[0]);
    }
    return from[0] - lives[0];
}

/* Asserts that it is tracked since a time from 'since' to now. */
static void
check_since(const struct dp *dp, long long int since)
{
    assert_in_range(tracked_since(dp), since, time_msec());
}

/* Waits until the clock has moved, so that later is later. */
static long long int
later(void)
{
    long long int before = time_msec();

    while (time_msec() == before) {
        poll(NULL, 0, 1);
    }
    return time_msec();
}

/* Opens the datapath, with all of it tracked. */
static struct dp *
open_tracked(enum dp_hook near)
{
    struct dp *dp = dp_bed_open();

    assert_int_equal(put_tap(dp, near, true), 0);
    put_port(dp, true);
    return dp;
}

/* It takes the device and the port, and begins anew with each. */
static void
test_begins(void **state OVS_UNUSED)
{
    static const enum dp_hook hooks[] = { DP_HOOK_XDP, DP_HOOK_TC };

    for (size_t i = 0; i < ARRAY_SIZE(hooks); i++) {
        long long int start = time_msec();
        struct dp_direct port = direct_bed_make_port();
        struct dp *dp = dp_bed_open();

        put_port(dp, true);
        assert_int_equal(tracked_since(dp), -1);
        assert_int_equal(put_tap(dp, hooks[i], false), 0);
        assert_int_equal(tracked_since(dp), -1);
        assert_int_equal(put_tap(dp, hooks[i], true), 0);
        check_since(dp, start);
        start = later();
        put_port(dp, false);
        assert_int_equal(tracked_since(dp), -1);
        put_port(dp, true);
        check_since(dp, start);
        start = later();
        assert_int_equal(put_tap(dp, hooks[i], true), 0);
        assert_true(tracked_since(dp) < start);
        assert_int_equal(put_tap(dp, hooks[1 - i], true), 0);
        check_since(dp, start);
        start = later();
        port.mtu--;
        port.track = true;
        assert_int_equal(class->put_direct(dp, &port), 0);
        check_since(dp, start);
        assert_int_equal(class->del_direct_device(dp, port.tap), 0);
        assert_int_equal(tracked_since(dp), -1);
        start = later();
        assert_int_equal(put_tap(dp, hooks[i], true), 0);
        check_since(dp, start);
        assert_int_equal(class->del_direct(dp, &port.external), 0);
        assert_int_equal(tracked_since(dp), -1);
        dp_bed_close(dp);
    }
}

/* It goes on with the next daemon if all is as it was. */
static void
test_adopted(void **state OVS_UNUSED)
{
    static const enum dp_hook hooks[] = { DP_HOOK_XDP, DP_HOOK_TC };

    for (size_t i = 0; i < ARRAY_SIZE(hooks); i++) {
        struct dp *dp = open_tracked(hooks[i]);
        long long int since = tracked_since(dp);

        for (int j = 0; j < 2; j++) {
            later();
            class->close(dp, false);
            dp = dp_bed_open();
            assert_int_equal(put_tap(dp, hooks[i], true), 0);
            assert_int_equal(tracked_since(dp), -1);
            put_port(dp, true);
            assert_int_equal(tracked_since(dp), since);
            class->sweep_direct_devices(dp);
            assert_int_equal(tracked_since(dp), since);
        }
        /* A daemon between them that does not track. */
        class->close(dp, false);
        dp = dp_bed_open();
        assert_int_equal(put_tap(dp, hooks[i], false), 0);
        put_port(dp, false);
        class->sweep_direct_devices(dp);
        assert_int_equal(class->commit(dp), 0);
        since = later();
        class->close(dp, false);
        dp = open_tracked(hooks[i]);
        check_since(dp, since);
        dp_bed_close(dp);
    }
}

/* Detaches what is pinned as 'kind' of the tap. */
static void
detach(const char *kind)
{
    char *path = xasprintf(DIRECT_BED_PINS "/%s-%d", kind,
                           if_nametoindex("out0"));
    int link = bpf_obj_get(path);

    assert_true(link >= 0);
    assert_int_equal(bpf_link_detach(link), 0);
    close(link);
    free(path);
}

/* Whatever is detached in between has it begin anew, while a daemon looks and
 * while none does. */
static void
test_gap(void **state OVS_UNUSED)
{
    static const char *const kinds[] = { "far", "xdp", "far", "near" };

    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        enum dp_hook near = i < 2 ? DP_HOOK_XDP : DP_HOOK_TC;
        struct dp *dp = open_tracked(near);
        long long int start = later();

        detach(kinds[i]);
        assert_int_equal(put_tap(dp, near, true), 0);
        check_since(dp, start);
        start = later();
        detach(kinds[i]);
        class->close(dp, false);
        dp = open_tracked(near);
        check_since(dp, start);
        dp_bed_close(dp);
    }
}

/* What leaves by a device that was not watched was not seen. */
static void
test_watch(void **state OVS_UNUSED)
{
    struct dp *dp = open_tracked(DP_HOOK_XDP);
    long long int start = later(), since;

    assert_int_equal(class->put_watch(dp, if_nametoindex("nic0"),
                                      DP_WATCH_INGRESS, &since), 0);
    check_since(dp, start);
    start = tracked_since(dp);
    later();
    assert_int_equal(class->put_watch(dp, if_nametoindex("nic0"),
                                      DP_WATCH_INGRESS, &since), 0);
    assert_int_equal(tracked_since(dp), start);
    dp_bed_close(dp);
}

/* What is there is taken for old, and what changes after that is new. */
static void
test_settle(void **state OVS_UNUSED)
{
    struct dp *dp = open_tracked(DP_HOOK_XDP);
    long long int start;

    class->settle_tracking(dp);
    assert_int_equal(tracked_since(dp), 0);
    put_port(dp, true);
    assert_int_equal(put_tap(dp, DP_HOOK_XDP, true), 0);
    assert_int_equal(tracked_since(dp), 0);
    start = later();
    detach("far");
    assert_int_equal(put_tap(dp, DP_HOOK_XDP, true), 0);
    check_since(dp, start);
    dp_bed_close(dp);
}

/* What was missed of one protocol is waited for. */
static void
test_missed(void **state OVS_UNUSED)
{
    struct dp *dp = open_tracked(DP_HOOK_XDP);
    struct dp_direct port = direct_bed_make_port();
    int fd = watch_bed_open_map("sent_state");
    struct ox_opened_state s = { .sweeps = 0 };
    long long int before[DP_N_TRACKED], from[DP_N_TRACKED];
    long long int missed = later() + 5000;
    uint32_t words[4], zero = 0;

    memcpy(words, &port.external, sizeof words);
    assert_true(class->tracking(dp, &port.external, before));
    s.parts[ox_opened_part(words, IPPROTO_UDP)].full_ns
        = missed * UINT64_C(1000000);
    assert_int_equal(bpf_map_update_elem(fd, &zero, &s, BPF_ANY), 0);
    assert_true(class->tracking(dp, &port.external, from));
    assert_true(from[DP_TRACKED_UDP] == missed + lives[DP_TRACKED_UDP]);
    assert_true(from[DP_TRACKED_TCP] == before[DP_TRACKED_TCP]);
    assert_true(from[DP_TRACKED_ECHO] == before[DP_TRACKED_ECHO]);
    close(fd);
    dp_bed_close(dp);
}

/* Returns whether the map 'tracked' has the port. */
static bool
is_noted(void)
{
    struct dp_direct port = direct_bed_make_port();
    int fd = watch_bed_open_map("tracked");
    struct ox_tracked value;
    bool noted = !bpf_map_lookup_elem(fd, &port.external, &value);

    close(fd);
    return noted;
}

/* What nobody wants any more is not left there. */
static void
test_swept(void **state OVS_UNUSED)
{
    struct dp *dp = open_tracked(DP_HOOK_XDP);
    struct dp_direct port = direct_bed_make_port();

    assert_true(is_noted());
    put_port(dp, false);
    assert_false(is_noted());
    put_port(dp, true);
    assert_int_equal(class->del_direct(dp, &port.external), 0);
    assert_false(is_noted());
    put_port(dp, true);
    class->close(dp, false);
    assert_true(is_noted());
    dp = dp_bed_open();
    assert_int_equal(put_tap(dp, DP_HOOK_XDP, true), 0);
    assert_true(is_noted());
    assert_int_equal(tracked_since(dp), -1);
    class->sweep_direct_devices(dp);
    assert_false(is_noted());
    dp_bed_close(dp);
}

/* What is over goes, after some seconds, and is counted no more. */
static void
test_sweep(void **state OVS_UNUSED)
{
    static const struct {
        uint32_t state;         /* Of the element. */
        uint64_t life;          /* Of that, in s. */
    } cases[] = {
        { OX_SENT_UDP, OX_SENT_UDP_S }, { OX_SENT_ECHO, OX_SENT_ECHO_S },
        { OX_OPENED_SYN, OX_OPENED_SYN_S },
        { OX_OPENED_CLOSING, OX_OPENED_CLOSING_S },
    };
    struct dp *dp = open_tracked(DP_HOOK_XDP);
    struct ox_opened_key key = watch_bed_make_key(WATCH_BED_PORT);
    int fd = watch_bed_open_map("sent");
    int state_fd = watch_bed_open_map("sent_state");
    struct ox_opened_state s = { .sweeps = 0 };
    uint32_t words[4], zero = 0, part;

    memcpy(words, key.local, sizeof words);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        key.proto = cases[i].state == OX_SENT_UDP ? IPPROTO_UDP : IPPROTO_TCP;
        part = ox_opened_part(words, key.proto);
        s.parts[part].n = 7;
        assert_int_equal(bpf_map_update_elem(state_fd, &zero, &s, BPF_ANY),
                         0);
        for (int over = 0; over < 2; over++) {
            struct ox_opened value = {
                .seen_ns = (watch_bed_now() - (cases[i].life + 5 + 10 * over)
                            * UINT64_C(1000000000)),
                .state = cases[i].state,
            };

            assert_int_equal(bpf_map_update_elem(fd, &key, &value, BPF_ANY),
                             0);
            assert_int_equal(class->sweep_opened(dp, time_msec()), 0);
            assert_int_equal(bpf_map_lookup_elem(fd, &key, &value) != 0,
                             over);
        }
        assert_int_equal(bpf_map_lookup_elem(state_fd, &zero, &s), 0);
        assert_int_equal(s.parts[part].n, 6);
        assert_int_equal(s.sweeps & 1, 0);
    }
    close(state_fd);
    close(fd);
    dp_bed_close(dp);
}

int
main(void)
{
#define TEST(NAME) cmocka_unit_test_teardown(NAME, dp_bed_clean_up)
    static const struct CMUnitTest tests[] = {
        TEST(test_begins),
        TEST(test_adopted),
        TEST(test_gap),
        TEST(test_watch),
        TEST(test_settle),
        TEST(test_missed),
        TEST(test_swept),
        TEST(test_sweep),
    };
#undef TEST

    dp_bed_enter();
    return cmocka_run_group_tests_name("tracked", tests, NULL, NULL);
}
