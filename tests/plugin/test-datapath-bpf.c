/* SPDX-License-Identifier: Apache-2.0 */
/* The libbpf back end on real devices: the contract, and what only frames and
 * a look at the pins can show.  test-datapath-bpf-crash.c has kill -9. */
#include <config.h>

#include "plugin/datapath-bpf.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <endian.h>
#include <linux/filter.h>
#include <linux/if_link.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cap-ng.h>
#include <cmocka.h>

#include "packets.h"
#include "timeval.h"
#include "util.h"

#include "tests/plugin/dp-bpf-bed.h"
#include "tests/plugin/dp-contract.h"
#include "tests/plugin/netns.h"

static const struct dp_class *const class = &datapath_bpf_class;

/* The contract has two devices of its own. */
static struct dp_contract contract = {
    .class = &datapath_bpf_class,
    .pin_dir = "/sys/fs/bpf/contract/",
    .nics = {
        { .name = "dev.0", .mac = ETH_ADDR_C(02, 00, 00, 00, 00, 11) },
        { .name = "dev1", .mac = ETH_ADDR_C(02, 00, 00, 00, 00, 12) },
    },
};

/* A foreign program, and its link. */
static int foreign_prog = -1, foreign_link = -1;

/* Attaches a program that passes everything to device 'ifindex'. */
static void
set_foreign(struct dp *dp OVS_UNUSED, int ifindex, bool foreign)
{
    static const struct bpf_insn insns[] = {
        { .code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = XDP_PASS },
        { .code = BPF_JMP | BPF_EXIT },
    };

    if (!foreign) {
        close(foreign_link);
        close(foreign_prog);
        return;
    }
    foreign_prog = bpf_prog_load(BPF_PROG_TYPE_XDP, "foreign", "GPL", insns,
                                 ARRAY_SIZE(insns), NULL);
    foreign_link = bpf_link_create(foreign_prog, ifindex, BPF_XDP, NULL);
    assert_true(foreign_prog >= 0 && foreign_link >= 0);
}

/* Creates the device 'name', without what was there under its name. */
static int
replace_device(struct dp *dp OVS_UNUSED, const char *name)
{
    netns_try("ip link del %s", name);
    netns_run("ip link add %s type veth && ip link set %s up", name, name);
    return if_nametoindex(name);
}

/* Returns the id of the XDP program of 'device', or 0. */
static uint32_t
program_of(const char *device)
{
    uint32_t id = 0;

    assert_int_equal(bpf_xdp_query_id(if_nametoindex(device), 0, &id), 0);
    return id;
}

/* Writes 'abi' to the pinned control map of generation 'number'. */
static void
write_abi(unsigned int number, uint32_t abi)
{
    struct ox_control control = { .abi = abi, .n_reasons = OX_N_REASONS };
    char *path = xasprintf("%s/gen-%u/control", DP_BED_PINS, number);
    int fd = bpf_obj_get(path);
    uint32_t zero = 0;

    assert_int_equal(bpf_map_update_elem(fd, &zero, &control, BPF_ANY), 0);
    close(fd);
    free(path);
}

/* Tells whether there is generation 'number'. */
static bool
has_generation(unsigned int number)
{
    char *path = xasprintf("%s/gen-%u", DP_BED_PINS, number);
    bool exists = !access(path, F_OK);

    free(path);
    return exists;
}

/* Sends 'n' frames and waits until they have arrived. */
static void
pass_frames(unsigned int n)
{
    int wire = dp_bed_socket("wire0");
    int in = dp_bed_socket("in0");

    dp_bed_send(wire, n);
    assert_int_equal(dp_bed_receive(in, n, NETNS_DEADLINE_MS), n);
    close(wire);
    close(in);
}

/* Counters outlive a daemon and a replacement of the endpoint, but not the
 * endpoint. */
static void
test_counters(void **state OVS_UNUSED)
{
    struct dp_counter reasons[OX_N_REASONS];
    struct dp_endpoint e = dp_bed_endpoint();
    struct dp *dp = dp_bed_open();

    dp_bed_start(dp);
    assert_int_equal(dp_bed_packets(dp), 0);
    pass_frames(100);
    assert_int_equal(dp_bed_packets(dp), 100);
    class->close(dp, false);
    pass_frames(10);
    dp = dp_bed_open();
    assert_int_equal(dp_bed_packets(dp), 110);
    e.action.mtu = 1400;
    assert_int_equal(class->put_endpoint(dp, &e), 0);
    dp_bed_start(dp);
    assert_int_equal(dp_bed_packets(dp), 110);
    assert_int_equal(class->nic_counters(dp, "nic0", reasons), 0);
    assert_int_equal(reasons[OX_R_REDIRECTED].packets, 110);
    assert_int_equal(reasons[OX_R_REDIRECTED].bytes, 110 * DP_BED_FRAME_LEN);

    /* Often enough to come back to the counter that was used first. */
    for (int i = 0; i < 2 * endpoints_slots(DP_BED_MAX_ENDPOINTS); i++) {
        assert_int_equal(class->del_endpoint(dp, &e.key), 0);
        assert_int_equal(class->put_endpoint(dp, &e), 0);
        assert_int_equal(dp_bed_packets(dp), 0);
    }
    pass_frames(1);
    assert_int_equal(dp_bed_packets(dp), 1);

    /* A NIC that is detached starts from zero. */
    assert_int_equal(class->detach_nic(dp, "nic0"), 0);
    dp_bed_start(dp);
    assert_int_equal(class->nic_counters(dp, "nic0", reasons), 0);
    assert_int_equal(reasons[OX_R_REDIRECTED].packets, 0);
    dp_bed_close(dp);
}

/* An adopted endpoint keeps its counter to itself. */
static void
test_slots(void **state OVS_UNUSED)
{
    struct dp_endpoint e = dp_bed_endpoint(), other;
    struct dp *dp = dp_bed_open();
    struct dp_counter counter;

    dp_bed_start(dp);
    class->close(dp, false);
    dp = dp_bed_open();
    pass_frames(5);
    for (int i = 1; i < DP_BED_MAX_ENDPOINTS; i++) {
        other = e;
        other.key.vlan = i;
        assert_int_equal(class->put_endpoint(dp, &other), 0);
        class->endpoint_counter(dp, &other.key, &counter);
        assert_int_equal(counter.packets, 0);
    }
    other.key.vlan = 100;
    assert_int_equal(class->put_endpoint(dp, &other), ENOSPC);
    pass_frames(5);
    assert_int_equal(dp_bed_packets(dp), 10);
    dp_bed_close(dp);
}

/* Elements with the counter of another or none at all, which no daemon writes:
 * once it has put them again, each has its own. */
static void
test_slot_twice(void **state OVS_UNUSED)
{
    struct ox_key4 key = { .addr = htonl(0x0a000001) };
    struct ox_endpoint value = { .slot = UINT32_MAX };
    struct dp_endpoint bad = dp_bed_endpoint(), good = bad;
    struct dp *dp = dp_bed_open();
    struct dp_counter counter;
    uint64_t before;
    int fd;

    dp_bed_start(dp);
    class->close(dp, false);
    fd = bpf_obj_get(DP_BED_PINS "/gen-1/endpoints4");
    assert_int_equal(bpf_map_update_elem(fd, &key, &value, BPF_ANY), 0);
    value.slot = 0;
    key.vlan = 1;
    assert_int_equal(bpf_map_update_elem(fd, &key, &value, BPF_ANY), 0);
    close(fd);

    dp = dp_bed_open();
    bad.key.addr = in6_addr_mapped_ipv4(key.addr);
    for (bad.key.vlan = 0; bad.key.vlan < 2; bad.key.vlan++) {
        assert_int_equal(class->put_endpoint(dp, &bad), 0);
    }
    assert_int_equal(class->put_endpoint(dp, &good), 0);
    before = dp_bed_packets(dp);
    pass_frames(3);
    assert_int_equal(dp_bed_packets(dp), before + 3);
    for (bad.key.vlan = 0; bad.key.vlan < 2; bad.key.vlan++) {
        assert_int_equal(class->endpoint_counter(dp, &bad.key, &counter), 0);
        assert_int_equal(counter.packets, 0);
    }
    dp_bed_close(dp);
}

/* Maps of another ABI go on forwarding until the NIC is moved. */
static void
test_abi(void **state OVS_UNUSED)
{
    struct dp_nic nic = dp_bed_nic();
    struct dp_endpoint e = dp_bed_endpoint();
    struct dp *dp = dp_bed_open();
    uint32_t id;

    dp_bed_start(dp);
    class->close(dp, false);
    write_abi(1, OX_ABI + 1);
    id = program_of("nic0");

    dp = dp_bed_open();
    assert_true(has_generation(1) && has_generation(2));
    assert_int_equal(program_of("nic0"), id);
    dp_bed_assert_forwards();
    assert_int_equal(class->put_target(dp, e.action.ifindex), 0);
    assert_int_equal(class->put_endpoint(dp, &e), 0);
    dp_bed_assert_forwards();
    assert_int_equal(dp_bed_packets(dp), 0);
    assert_int_equal(class->attach_nic(dp, &nic), 0);
    assert_int_not_equal(program_of("nic0"), id);
    dp_bed_assert_forwards();
    assert_int_equal(dp_bed_packets(dp), 1);
    assert_true(has_generation(1));
    assert_int_equal(class->commit(dp), 0);
    assert_false(has_generation(1));
    class->close(dp, false);

    /* From here on it is generation 2. */
    dp = dp_bed_open();
    assert_false(has_generation(1) || has_generation(3));
    assert_int_equal(dp_bed_packets(dp), 1);
    dp_bed_close(dp);
}

/* Returns how many frames NIC 'nic0' of 'dp' has passed as stale. */
static uint64_t
count_stale(const struct dp *dp)
{
    struct dp_counter reasons[OX_N_REASONS];

    assert_int_equal(class->nic_counters(dp, "nic0", reasons), 0);
    return reasons[OX_R_STALE].packets;
}

/* Sends a frame and waits until it has been passed as stale. */
static void
pass_stale_frame(const struct dp *dp)
{
    uint64_t before = count_stale(dp);
    int wire = dp_bed_socket("wire0");

    dp_bed_send(wire, 1);
    close(wire);
    for (int i = 0; count_stale(dp) == before && i < NETNS_DEADLINE_MS; i++) {
        poll(NULL, 0, 1);
    }
    assert_int_equal(count_stale(dp), before + 1);
}

/* Without a heartbeat nothing is redirected, and with the next one it is
 * again, by the program that is there. */
static void
test_stale(void **state OVS_UNUSED)
{
    struct dp_nic nic = dp_bed_nic();
    struct dp *dp = dp_bed_open();
    uint32_t id;

    dp_bed_start(dp);
    nic.stale_timeout = 3600;
    class->beat(dp, time_msec());
    assert_int_equal(class->attach_nic(dp, &nic), 0);
    id = program_of("nic0");
    dp_bed_assert_forwards();
    class->beat(dp, time_msec() - 3601 * 1000);
    pass_stale_frame(dp);
    class->close(dp, false);

    dp = dp_bed_open();
    assert_int_equal(program_of("nic0"), id);
    pass_stale_frame(dp);
    class->beat(dp, time_msec());
    assert_int_equal(program_of("nic0"), id);
    dp_bed_assert_forwards();
    dp_bed_close(dp);
}

/* A daemon keeps the programs alive that an older generation has left. */
static void
test_stale_generations(void **state OVS_UNUSED)
{
    struct dp_nic nic = dp_bed_nic();
    struct dp *dp = dp_bed_open();
    uint32_t id;

    dp_bed_start(dp);
    nic.stale_timeout = 3600;
    assert_int_equal(class->attach_nic(dp, &nic), 0);
    id = program_of("nic0");
    class->beat(dp, time_msec() - 3601 * 1000);
    pass_stale_frame(dp);
    class->close(dp, false);
    write_abi(1, OX_ABI + 1);

    dp = dp_bed_open();
    assert_true(has_generation(1) && has_generation(2));
    class->beat(dp, time_msec());
    assert_int_equal(program_of("nic0"), id);
    dp_bed_assert_forwards();
    dp_bed_close(dp);
}

/* The newest generation that fits is taken, even below a newer one that does
 * not; one that was cut short is removed. */
static void
test_generations(void **state OVS_UNUSED)
{
    struct dp *dp = dp_bed_open();

    dp_bed_start(dp);
    class->close(dp, false);
    write_abi(1, OX_ABI + 1);
    class->close(dp_bed_open(), false);
    write_abi(1, OX_ABI);
    write_abi(2, OX_ABI + 1);
    assert_int_equal(mkdir(DP_BED_PINS "/gen-3", 0700), 0);
    dp = dp_bed_open();
    assert_true(has_generation(1) && has_generation(2));
    assert_false(has_generation(3));
    dp_bed_packets(dp);
    class->close(dp, false);

    /* All pinned, but the mark is missing. */
    write_abi(2, 0);
    dp = dp_bed_open();
    assert_true(has_generation(1));
    assert_false(has_generation(2));
    dp_bed_close(dp);
}

/* The pin directory must be on a bpffs. */
static void
test_pin_dir(void **state OVS_UNUSED)
{
    static const struct {
        const char *dir;
        int error;
    } cases[] = {
        { "/tmp", ENODEV },
        { "/nowhere/at/all", ENODEV },
        { "/sys/fs/bpf/no.dots", EPERM },
        { "/dev/null", ENOTDIR },
        { "/sys/fs/bpf", EISDIR },
        { "/sys/fs/bpf/a/b/c", 0 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct dp_config config = { cases[i].dir, DP_BED_MAX_ENDPOINTS };
        struct dp *dp;

        assert_int_equal(class->open(&config, &dp), cases[i].error);
        assert_int_equal(dp != NULL, !cases[i].error);
        class->close(dp, true);
    }
}

/* A directory and a symbolic link among the links keep no daemon from working
 * and are left alone. */
static void
test_no_links(void **state OVS_UNUSED)
{
    static const char *const stray[] = { DP_BED_PINS "/links/directory",
                                         DP_BED_PINS "/links/symlink" };
    struct dp *dp = dp_bed_open();

    dp_bed_start(dp);
    class->close(dp, false);
    assert_int_equal(mkdir(stray[0], 0700), 0);
    assert_int_equal(symlink("directory", stray[1]), 0);
    dp = dp_bed_open();
    dp_bed_start(dp);
    dp_bed_assert_forwards();
    assert_int_equal(access(stray[1], F_OK), 0);
    assert_int_equal(rmdir(stray[0]), 0);
    assert_int_equal(unlink(stray[1]), 0);
    dp_bed_close(dp);
}

/* The kernel takes a foreign program's NIC from nobody, nor ours. */
static void
test_foreign_untouched(void **state OVS_UNUSED)
{
    int ifindex = if_nametoindex("nic0");
    struct dp_nic nic = dp_bed_nic();
    struct dp *dp = dp_bed_open();
    uint32_t id;

    set_foreign(dp, ifindex, true);
    id = program_of("nic0");
    assert_int_equal(class->attach_nic(dp, &nic), EBUSY);
    assert_int_equal(program_of("nic0"), id);
    class->close(dp, true);
    assert_int_equal(program_of("nic0"), id);
    set_foreign(NULL, ifindex, false);
}

/* A driver without native XDP: the generic mode that was there stays. */
static void
test_native_refused(void **state OVS_UNUSED)
{
    struct dp_nic nic = {
        .name = "lo", .ifindex = if_nametoindex("lo"), .mode = DP_NATIVE,
    };
    struct dp *dp = dp_bed_open();

    assert_int_equal(class->attach_nic(dp, &nic), EOPNOTSUPP);
    assert_int_equal(program_of("lo"), 0);
    nic.mode = DP_GENERIC;
    assert_int_equal(class->attach_nic(dp, &nic), 0);
    nic.mode = DP_NATIVE;
    assert_int_equal(class->attach_nic(dp, &nic), EOPNOTSUPP);
    assert_int_not_equal(program_of("lo"), 0);
    class->close(dp, false);
    assert_int_not_equal(program_of("lo"), 0);
    dp_bed_close(NULL);
}

static void
store_nic(const struct dp_nic_state *nic, void *found_)
{
    struct dp_nic_state *found = found_;

    if (nic->nic.ifindex == found->nic.ifindex) {
        *found = *nic;
    }
}

/* A renamed device is known by its index, and leaves its old name to
 * another. */
static void
test_rename(void **state OVS_UNUSED)
{
    struct dp_nic_state found = { .program_id = 0 };
    struct dp_nic nic = dp_bed_nic(), other;
    struct dp *dp = dp_bed_open();
    uint32_t id;

    dp_bed_start(dp);
    class->close(dp, false);
    id = program_of("nic0");
    netns_run("ip link set nic0 down && ip link set nic0 name was0 && "
              "ip link set was0 up && ip link add nic0 type veth");
    dp = dp_bed_open();
    found.nic.ifindex = nic.ifindex;
    class->dump_nics(dp, store_nic, &found);
    assert_string_equal(found.nic.name, "was0");
    assert_int_equal(found.program_id, id);

    other = dp_bed_nic();
    assert_int_not_equal(other.ifindex, nic.ifindex);
    assert_int_equal(class->attach_nic(dp, &other), 0);
    assert_int_equal(program_of("was0"), id);
    ovs_strlcpy(nic.name, "was0", sizeof nic.name);
    assert_int_equal(class->attach_nic(dp, &nic), 0);
    assert_int_equal(class->commit(dp), 0);
    dp_bed_assert_forwards();
    class->close(dp, false);
    dp_bed_assert_forwards();
    assert_int_not_equal(program_of("nic0"), 0);
    dp_bed_close(NULL);
    netns_run("ip link del nic0 && ip link set was0 down && "
              "ip link set was0 name nic0 && ip link set nic0 up");
}

/* A link that somebody else has detached is made again. */
static void
test_detached(void **state OVS_UNUSED)
{
    struct dp_nic nic = dp_bed_nic();
    struct dp *dp = dp_bed_open();
    int fd;

    dp_bed_start(dp);
    fd = bpf_obj_get(DP_BED_PINS "/links/nic0");
    assert_int_equal(bpf_link_detach(fd), 0);
    close(fd);
    assert_int_equal(program_of("nic0"), 0);
    assert_int_equal(class->attach_nic(dp, &nic), 0);
    dp_bed_assert_forwards();
    dp_bed_close(dp);
}

static void
store_errors(int error, uint64_t packets, void *errors_)
{
    uint64_t *errors = errors_;

    errors[error] = packets;
}

/* What the target refuses is counted by its errno.  A veth without GRO or a
 * program at its other end takes nothing: EOPNOTSUPP since Linux 6.3, ENXIO
 * before. */
static void
test_redirect_errors(void **state OVS_UNUSED)
{
    uint64_t errors[OX_MAX_ERRNO] = { 0 };
    struct dp *dp = dp_bed_open();
    int wire = dp_bed_socket("wire0");

    dp_bed_start(dp);
    assert_int_equal(class->del_direct_device(dp, if_nametoindex("in0")), 0);
    assert_int_equal(class->redirect_errors(dp, store_errors, errors), 0);
    assert_int_equal(errors[ENXIO] + errors[EOPNOTSUPP], 0);
    netns_run("ethtool -K in0 gro off");
    dp_bed_send(wire, 7);
    close(wire);
    for (int i = 0; dp_bed_packets(dp) < 7 && i < NETNS_DEADLINE_MS; i++) {
        poll(NULL, 0, 1);
    }
    netns_run("ethtool -K in0 gro on");
    class->close(dp, false);
    dp = dp_bed_open();
    assert_int_equal(class->redirect_errors(dp, store_errors, errors), 0);
    assert_int_equal(errors[ENXIO] + errors[EOPNOTSUPP], 7);
    dp_bed_close(dp);
}

/* Tells whether errors of redirects from device 'ifindex' are counted. */
static bool
is_indexed(uint32_t ifindex)
{
    int fd = bpf_obj_get(DP_BED_PINS "/events/nic_index");
    uint32_t slot;
    int error;

    assert_true(fd >= 0);
    error = bpf_map_lookup_elem(fd, &ifindex, &slot);
    close(fd);
    return !error;
}

/* NICs, and no others, are known to the programs on the tracepoints: not the
 * sinks, and not those that have gone meanwhile. */
static void
test_index(void **state OVS_UNUSED)
{
    struct dp_nic brief = { .name = "brief0", .mode = DP_NATIVE };
    struct dp *dp = dp_bed_open();

    brief.ifindex = replace_device(NULL, brief.name);
    dp_bed_start(dp);
    assert_int_equal(class->attach_nic(dp, &brief), 0);
    assert_true(is_indexed(brief.ifindex));
    assert_true(is_indexed(if_nametoindex("nic0")));
    assert_false(is_indexed(if_nametoindex("out0")));
    class->close(dp, false);
    netns_run("ip link del brief0");
    dp = dp_bed_open();
    assert_false(is_indexed(brief.ifindex));
    assert_true(is_indexed(if_nametoindex("nic0")));
    assert_int_equal(class->detach_nic(dp, "nic0"), 0);
    assert_false(is_indexed(if_nametoindex("nic0")));
    dp_bed_close(dp);
}

/* Has the kernel answer 'error' to bpf() with 'command' in this process. */
static bool
refuse(enum bpf_cmd command, int error)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_bpf, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
                 offsetof(struct seccomp_data, args[0])
                 + (__BYTE_ORDER == __BIG_ENDIAN ? 4 : 0)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, command, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = { ARRAY_SIZE(filter), filter };

    return (!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
            && !prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program));
}

/* Works as a daemon with no more than the capabilities that it needs, twice,
 * and without tracepoints.  Returns the place of what went wrong, or 0. */
static int
run_restricted(void)
{
    uint64_t errors[OX_MAX_ERRNO] = { 0 };

    capng_clear(CAPNG_SELECT_BOTH);
    capng_updatev(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, CAP_BPF,
                  CAP_NET_ADMIN, CAP_PERFMON, -1);
    if (capng_apply(CAPNG_SELECT_CAPS)
        || !refuse(BPF_RAW_TRACEPOINT_OPEN, EACCES)) {
        return 1;
    }
    for (int i = 0; i < 2; i++) {
        struct dp *dp = dp_bed_try_start();

        if (!dp) {
            return 2;
        } else if (class->redirect_errors(dp, store_errors, errors)
                   != EACCES) {
            return 3;
        }
        class->close(dp, false);
    }
    return 0;
}

/* Runs 'body' in a process of its own and asserts that it returns 0. */
static void
run_apart(int (*body)(void))
{
    int status;
    pid_t pid;

    fflush(NULL);
    pid = fork();
    if (!pid) {
        _exit(body());
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

/* Few capabilities are enough, and where the kernel refuses the tracepoints,
 * only their counters are missing. */
static void
test_restricted(void **state OVS_UNUSED)
{
    run_apart(run_restricted);
    dp_bed_assert_forwards();
    dp_bed_close(NULL);
}

/* Works as a daemon whose programs the kernel does not take.  Returns the
 * place of what went wrong, or 0. */
static int
run_rejected(void)
{
    struct dp_config config = { DP_BED_PINS, DP_BED_MAX_ENDPOINTS };
    struct dp_nic nic = dp_bed_nic();
    struct dp *dp;

    if (!refuse(BPF_PROG_LOAD, EINVAL) || class->open(&config, &dp)) {
        return 1;
    } else if (class->attach_nic(dp, &nic) != EINVAL) {
        return 2;
    }
    nic.mode = DP_GENERIC;
    if (class->attach_nic(dp, &nic) != EINVAL) {
        return 3;
    }
    class->close(dp, false);
    return 0;
}

/* A program that the kernel does not take replaces none. */
static void
test_rejected(void **state OVS_UNUSED)
{
    struct dp *dp = dp_bed_open();
    uint32_t id;

    dp_bed_start(dp);
    class->close(dp, false);
    id = program_of("nic0");
    run_apart(run_rejected);
    assert_int_equal(program_of("nic0"), id);
    dp_bed_assert_forwards();
    dp_bed_close(NULL);
}

/* Returns the length in bytes of the program of 'device' as it is run. */
static uint32_t
length_of(const char *device)
{
    struct bpf_prog_info info = { .type = 0 };
    uint32_t size = sizeof info;
    int fd = bpf_prog_get_fd_by_id(program_of(device));

    assert_int_equal(bpf_obj_get_info_by_fd(fd, &info, &size), 0);
    close(fd);
    return info.xlated_prog_len;
}

/* A program that is bound to its NIC has lost all of its room, and needed
 * little of it. */
static void
test_room(void **state OVS_UNUSED)
{
    struct dp *dp = dp_bed_open();
    struct dp_nic nic = dp_bed_nic();
    uint32_t plain;

    for (nic.stale_timeout = 0; nic.stale_timeout < 2; nic.stale_timeout++) {
        nic.tag_hint = false;
        assert_int_equal(class->attach_nic(dp, &nic), 0);
        plain = length_of("nic0");
        nic.tag_hint = true;
        if (class->attach_nic(dp, &nic)) {
            print_message("this kernel has no VLAN hint (Linux 6.8 has)\n");
            skip();
        }
        assert_in_range(length_of("nic0"), plain, plain + 512);
    }
    dp_bed_close(dp);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_counters, dp_bed_clean_up),
        cmocka_unit_test_teardown(test_slots, dp_bed_clean_up),
        cmocka_unit_test_teardown(test_slot_twice, dp_bed_clean_up),
        cmocka_unit_test_teardown(test_abi, dp_bed_clean_up),
        cmocka_unit_test_teardown(test_stale, dp_bed_clean_up),
        cmocka_unit_test_teardown(test_stale_generations, dp_bed_clean_up),
        cmocka_unit_test_teardown(test_generations, dp_bed_clean_up),
        cmocka_unit_test(test_pin_dir),
        cmocka_unit_test_teardown(test_no_links, dp_bed_clean_up),
        cmocka_unit_test_teardown(test_foreign_untouched, dp_bed_clean_up),
        cmocka_unit_test_teardown(test_native_refused, dp_bed_clean_up),
        cmocka_unit_test_teardown(test_rename, dp_bed_clean_up),
        cmocka_unit_test_teardown(test_detached, dp_bed_clean_up),
        cmocka_unit_test_teardown(test_redirect_errors, dp_bed_clean_up),
        cmocka_unit_test_teardown(test_index, dp_bed_clean_up),
        cmocka_unit_test_teardown(test_restricted, dp_bed_clean_up),
        cmocka_unit_test_teardown(test_rejected, dp_bed_clean_up),
        cmocka_unit_test_teardown(test_room, dp_bed_clean_up),
    };
    int failed;

    dp_bed_enter();
    contract.set_foreign = set_foreign;
    contract.replace = replace_device;
    for (size_t i = 0; i < ARRAY_SIZE(contract.nics); i++) {
        contract.nics[i].ifindex = replace_device(NULL, contract.nics[i].name);
    }
    failed = dp_contract_run(&contract);
    failed += dp_contract_run_direct(&contract);
    return failed + cmocka_run_group_tests_name("bpf", tests, NULL, NULL);
}
