/* SPDX-License-Identifier: Apache-2.0 */
/* Loading of the programs that are attached to NICs and managed ports.  Each
 * is loaded once per device, as the verifier makes the device's slot a
 * constant; all share the maps of a generation. */
#include <config.h>

#include "plugin/datapath-bpf.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "openvswitch/dynamic-string.h"
#include "openvswitch/vlog.h"
#include "util.h"

#include "bpf/hint.skel.h"
#include "bpf/ovn-xdp.skel.h"
#include "bpf/sink.skel.h"

VLOG_DEFINE_THIS_MODULE(datapath_load);

/* Older headers lack it (Linux 6.3). */
#ifndef BPF_F_XDP_DEV_BOUND_ONLY
#define BPF_F_XDP_DEV_BOUND_ONLY (1U << 6)
#endif

/* Programs with rules, and those of layer L3, are not loaded.  For tests. */
static bool no_rules, no_direct;

/* Has programs with rules be refused from now on if 'no_rules_' is true. */
void
load_set_no_rules(bool no_rules_)
{
    no_rules = no_rules_;
}

/* Has programs of layer L3 be refused from now on if 'no_direct_' is true. */
void
load_set_no_direct(bool no_direct_)
{
    no_direct = no_direct_;
}

/* Returns true if 'error', from loading or attaching a program, may pass by
 * itself. */
bool
load_may_pass(int error)
{
    return error == ENOMEM || error == EAGAIN || error == EINTR
           || error == EMFILE || error == ENFILE;
}

/* Passes a message of libbpf, the verifier's log among them, to the log. */
static int OVS_PRINTF_FORMAT(2, 0)
log_libbpf(enum libbpf_print_level level, const char *format, va_list args)
{
    static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(10, 40);
    enum vlog_level vlog_level = level == LIBBPF_WARN ? VLL_WARN : VLL_DBG;

    if (vlog_is_enabled(&this_module, vlog_level)) {
        struct ds s = DS_EMPTY_INITIALIZER;

        ds_put_format_valist(&s, format, args);
        ds_chomp(&s, '\n');
        VLOG_RL(&rl, vlog_level, "%s", ds_cstr(&s));
        ds_destroy(&s);
    }
    return 0;
}

/* Sends the messages of libbpf to the log, once per process. */
void
load_init(void)
{
    libbpf_set_print(log_libbpf);
}

/* Stores a file descriptor of 'prog', whose object is loaded, in '*fdp'. */
static int
take_program(const struct bpf_program *prog, int *fdp)
{
    int fd = fcntl(bpf_program__fd(prog), F_DUPFD_CLOEXEC, 3);

    if (fd < 0) {
        return errno;
    }
    *fdp = fd;
    return 0;
}

/* Returns true if a program that was loaded with 'n_insns' instructions lies
 * where the kernel put it at first, now that 'xlated_len' bytes are left of
 * it, 0 if that is not known.
 *
 * The kernel gives a program whole pages for its instructions and a header,
 * and another place when more are needed.  What the verifier adds comes after
 * what it removes, so that the length it ends with is the longest since; and a
 * program that is no longer than it was needs no other pages, however large
 * the header is. */
bool
load_stays(size_t n_insns, uint32_t xlated_len)
{
    return xlated_len && xlated_len <= n_insns * sizeof(struct bpf_insn);
}

/* Returns true if the kernel translates programs in a copy (constant
 * blinding), and keeps the copy. */
static bool
moves_all(void)
{
    FILE *stream = fopen("/proc/sys/net/core/bpf_jit_harden", "r");
    int level = 0;

    if (stream) {
        ignore(fscanf(stream, "%d", &level));
        fclose(stream);
    }
    return level > 1;
}

/* Returns true if 'prog', which is loaded, lies where the kernel put it at
 * first. */
static bool
has_stayed(const struct bpf_program *prog)
{
    struct bpf_prog_info info = { .type = 0 };
    uint32_t size = sizeof info;

    return (!bpf_obj_get_info_by_fd(bpf_program__fd(prog), &info, &size)
            && load_stays(bpf_program__insn_cnt(prog), info.xlated_prog_len));
}

/* Has only 'prog' of the programs in 'obj' be loaded. */
static void
choose_program(struct bpf_object *obj, struct bpf_program *prog)
{
    struct bpf_program *p;

    bpf_object__for_each_program (p, obj) {
        bpf_program__set_autoload(p, p == prog);
    }
}

/* Gives 'obj', which is for 'nic', the maps of 'dp'.  It does without those of
 * rules if 'nic' does, and without those of layer L3. */
static int
share_maps(struct dp *dp, const struct dp_nic *nic, struct bpf_object *obj)
{
    bool rules = nic->acl != DP_ACL_OFF;
    bool direct = nic->direct != DP_HOOK_NONE;
    int error = generation_share(&dp->gen, obj);
    struct bpf_map *map;

    if (!error && rules) {
        error = acls_share(dp, obj);
    }
    if (!error && rules) {
        error = opened_share(dp, obj);
    }
    if (!error && direct) {
        error = l3_share(dp, obj);
    }
    bpf_object__for_each_map (map, obj) {
        if ((!rules && acls_is_map(map)) || (!direct && l3_is_map(map))) {
            bpf_map__set_autocreate(map, false);
        }
    }
    return error;
}

/* Loads 'skel', whose program 'prog' is bound to a device and must not move
 * meanwhile: the device would keep its old place, and the kernel would crash
 * when the device goes.  EOPNOTSUPP if it would move or has: that is harmless
 * when it is gone before the device. */
static int
load_bound(struct hint_bpf *skel, const struct bpf_program *prog)
{
    int error;

    if (moves_all()) {
        VLOG_WARN("net.core.bpf_jit_harden is 2: the kernel would crash when "
                  "a NIC goes whose program reads stripped VLAN tags");
        return EOPNOTSUPP;
    }
    error = -hint_bpf__load(skel);
    if (!error && !has_stayed(prog)) {
        VLOG_WARN("the program that reads stripped VLAN tags has grown: the "
                  "kernel might crash when its NIC goes");
        return EOPNOTSUPP;
    }
    return error;
}

/* Returns the program of 'skel' for 'nic', with layer L3. */
static struct bpf_program *
choose_direct_hint(const struct hint_bpf *skel, const struct dp_nic *nic)
{
    bool rules = nic->acl != DP_ACL_OFF;

    if (nic->bridge) {
        return (rules ? skel->progs.nic_direct_guard_hint
                : skel->progs.nic_direct_only_hint);
    }
    return (rules ? skel->progs.nic_direct_acl_hint
            : skel->progs.nic_direct_hint);
}

/* Returns the program of 'skel' for 'nic'. */
static struct bpf_program *
choose_hint(const struct hint_bpf *skel, const struct dp_nic *nic)
{
    if (nic->direct != DP_HOOK_NONE) {
        return choose_direct_hint(skel, nic);
    }
    if (nic->bridge) {
        return skel->progs.nic_guard_hint;
    }
    if (nic->acl != DP_ACL_OFF) {
        return (nic->stale_timeout ? skel->progs.nic_redirect_hint_acl_timed
                : skel->progs.nic_redirect_hint_acl);
    }
    return (nic->stale_timeout ? skel->progs.nic_redirect_hint_timed
            : skel->progs.nic_redirect_hint);
}

/* Loads the program for 'nic', which strips VLAN tags, like load_redirect().
 * EOPNOTSUPP: that would endanger this kernel. */
static int
load_hint(struct dp *dp, const struct dp_nic *nic, uint32_t slot, int *fdp)
{
    struct bpf_program *prog;
    struct hint_bpf *skel;
    int error;

    skel = hint_bpf__open();
    if (!skel) {
        return errno;
    }
    skel->rodata->nic_slot = slot;
    skel->rodata->stale_ns = nic->stale_timeout * UINT64_C(1000000000);
    skel->rodata->acl_drop = nic->acl == DP_ACL_DROP;
    skel->rodata->direct_tc = nic->direct == DP_HOOK_TC;
    prog = choose_hint(skel, nic);
    choose_program(skel->obj, prog);
    bpf_program__set_ifindex(prog, nic->ifindex);
    bpf_program__set_flags(prog, (bpf_program__flags(prog)
                                  | BPF_F_XDP_DEV_BOUND_ONLY));
    error = share_maps(dp, nic, skel->obj);
    if (!error) {
        error = load_bound(skel, prog);
    }
    if (!error) {
        error = take_program(prog, fdp);
    }
    hint_bpf__destroy(skel);
    return error;
}

/* Returns the program of 'skel' for 'nic', with layer L3. */
static struct bpf_program *
choose_direct(const struct ovn_xdp_bpf *skel, const struct dp_nic *nic)
{
    bool rules = nic->acl != DP_ACL_OFF;

    if (nic->bridge) {
        return (rules ? skel->progs.nic_direct_guard
                : skel->progs.nic_direct_only);
    }
    return rules ? skel->progs.nic_direct_acl : skel->progs.nic_direct;
}

/* Returns the program of 'skel' for 'nic'. */
static struct bpf_program *
choose_plain(const struct ovn_xdp_bpf *skel, const struct dp_nic *nic)
{
    if (nic->direct != DP_HOOK_NONE) {
        return choose_direct(skel, nic);
    }
    if (nic->bridge) {
        return skel->progs.nic_guard;
    }
    if (nic->acl != DP_ACL_OFF) {
        return (nic->stale_timeout ? skel->progs.nic_redirect_acl_timed
                : skel->progs.nic_redirect_acl);
    }
    return (nic->stale_timeout ? skel->progs.nic_redirect_timed
            : skel->progs.nic_redirect);
}

/* Loads the program for 'nic' with row 'slot' and the maps of 'dp', and stores
 * its file descriptor in '*fdp'. */
int
load_redirect(struct dp *dp, const struct dp_nic *nic, uint32_t slot,
              int *fdp)
{
    struct ovn_xdp_bpf *skel;
    struct bpf_program *prog;
    int error;

    if ((no_rules && nic->acl != DP_ACL_OFF)
        || (no_direct && nic->direct != DP_HOOK_NONE)) {
        return EINVAL;
    } else if (nic->tag_hint) {
        return load_hint(dp, nic, slot, fdp);
    }
    skel = ovn_xdp_bpf__open();
    if (!skel) {
        return errno;
    }
    skel->rodata->nic_slot = slot;
    skel->rodata->generic = nic->mode == DP_GENERIC;
    skel->rodata->stale_ns = nic->stale_timeout * UINT64_C(1000000000);
    skel->rodata->acl_drop = nic->acl == DP_ACL_DROP;
    skel->rodata->direct_tc = nic->direct == DP_HOOK_TC;
    prog = choose_plain(skel, nic);
    choose_program(skel->obj, prog);
    error = share_maps(dp, nic, skel->obj);
    if (!error) {
        error = -ovn_xdp_bpf__load(skel);
    }
    if (!error) {
        error = take_program(prog, fdp);
    }
    ovn_xdp_bpf__destroy(skel);
    return error;
}

/* Loads the program that drops everything, like load_redirect(). */
int
load_sink(const struct generation *gen, uint32_t slot, int *fdp)
{
    struct sink_bpf *skel;
    int error;

    skel = sink_bpf__open();
    if (!skel) {
        return errno;
    }
    skel->rodata->nic_slot = slot;
    error = generation_share(gen, skel->obj);
    if (!error) {
        error = -sink_bpf__load(skel);
    }
    if (!error) {
        error = take_program(skel->progs.port_sink, fdp);
    }
    sink_bpf__destroy(skel);
    return error;
}
