/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of plugin/datapath-bpf-probe.c on the kernel at hand: what it says is
 * what can be seen otherwise, and it leaves nothing behind. */

#include <config.h>

#include "plugin/datapath-bpf.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <cmocka.h>

#include "util.h"

/* Returns true if this is Linux 'major'.'minor' or later. */
static bool
linux_is(int major, int minor)
{
    struct utsname name;
    int a, b;

    assert_int_equal(uname(&name), 0);
    assert_int_equal(sscanf(name.release, "%d.%d", &a, &b), 2);
    return a > major || (a == major && b >= minor);
}

/* Returns how many programs called 'name' the kernel has. */
static int
count_programs(const char *name)
{
    uint32_t id = 0;
    int n = 0;

    while (!bpf_prog_get_next_id(id, &id)) {
        struct bpf_prog_info info = { .id = 0 };
        uint32_t length = sizeof info;
        int fd = bpf_prog_get_fd_by_id(id);

        if (fd >= 0) {
            n += (!bpf_obj_get_info_by_fd(fd, &info, &length)
                  && !strcmp(info.name, name));
            close(fd);
        }
    }
    return n;
}

/* What is asked for is there from the release on that brought it. */
static void
test_answers(void **state OVS_UNUSED)
{
    enum feature_answer answers[N_KERNEL_FEATURES] = { FEATURE_UNKNOWN };
    bool btf = !access("/sys/kernel/btf/vmlinux", R_OK);
    const char *version = datapath_bpf_class.probe(answers);

    assert_string_equal(version, libbpf_version_string());
    assert_int_equal(answers[KERNEL_XDP], FEATURE_PRESENT);
    assert_int_equal(answers[KERNEL_DEVMAP_HASH], FEATURE_PRESENT);
    assert_int_equal(answers[KERNEL_XDP_FRAGS],
                     linux_is(5, 18) ? FEATURE_PRESENT : FEATURE_ABSENT);
    assert_int_equal(answers[KERNEL_LIVE_FRAMES],
                     linux_is(5, 18) ? FEATURE_PRESENT : FEATURE_ABSENT);
    assert_int_equal(answers[KERNEL_BTF],
                     btf ? FEATURE_PRESENT : FEATURE_ABSENT);
    assert_int_equal(answers[KERNEL_RX_VLAN_TAG],
                     !btf ? FEATURE_UNKNOWN
                     : linux_is(6, 8) ? FEATURE_PRESENT : FEATURE_ABSENT);
    assert_int_equal(answers[KERNEL_TCX],
                     !btf ? FEATURE_UNKNOWN
                     : linux_is(6, 6) ? FEATURE_PRESENT : FEATURE_ABSENT);
    assert_int_equal(answers[KERNEL_XDP_LINK],
                     btf ? FEATURE_PRESENT : FEATURE_UNKNOWN);
    assert_true(answers[KERNEL_JIT] != FEATURE_UNKNOWN);

    /* That is for plugin/netdevs.c to say. */
    assert_int_equal(answers[KERNEL_NETDEV_FAMILY], FEATURE_UNKNOWN);
}

/* The second time it says the same, and nothing is left. */
static void
test_again(void **state OVS_UNUSED)
{
    enum feature_answer first[N_KERNEL_FEATURES] = { FEATURE_UNKNOWN };
    enum feature_answer second[N_KERNEL_FEATURES] = { FEATURE_UNKNOWN };

    datapath_bpf_class.probe(first);
    datapath_bpf_class.probe(second);
    assert_memory_equal(first, second, sizeof first);
    assert_int_equal(count_programs("ox_probe"), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_again),
    };

    return cmocka_run_group_tests_name("datapath-bpf-probe", tests, NULL,
                                       NULL);
}
