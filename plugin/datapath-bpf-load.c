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

#include "openvswitch/dynamic-string.h"
#include "openvswitch/vlog.h"
#include "util.h"

#include "bpf/ovn-xdp.skel.h"
#include "bpf/sink.skel.h"

VLOG_DEFINE_THIS_MODULE(datapath_load);

/* Older headers lack it (Linux 6.3). */
#ifndef BPF_F_XDP_DEV_BOUND_ONLY
#define BPF_F_XDP_DEV_BOUND_ONLY (1U << 6)
#endif

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

/* Chooses the program of 'skel' that suits 'nic'. */
static const struct bpf_program *
choose_program(struct ovn_xdp_bpf *skel, const struct dp_nic *nic)
{
    struct bpf_program *hint = skel->progs.nic_redirect_hint;

    if (!nic->tag_hint) {
        return skel->progs.nic_redirect;
    }
    bpf_program__set_autoload(skel->progs.nic_redirect, false);
    bpf_program__set_autoload(hint, true);
    bpf_program__set_ifindex(hint, nic->ifindex);
    bpf_program__set_flags(hint, (bpf_program__flags(hint)
                                  | BPF_F_XDP_DEV_BOUND_ONLY));
    return hint;
}

/* Loads the program for 'nic' with row 'slot' and the maps of 'gen', and
 * stores its file descriptor in '*fdp'. */
int
load_redirect(const struct generation *gen, const struct dp_nic *nic,
              uint32_t slot, int *fdp)
{
    const struct bpf_program *prog;
    struct ovn_xdp_bpf *skel;
    int error;

    skel = ovn_xdp_bpf__open();
    if (!skel) {
        return errno;
    }
    skel->rodata->nic_slot = slot;
    skel->rodata->generic = nic->mode == DP_GENERIC;
    prog = choose_program(skel, nic);
    error = generation_share(gen, skel->obj);
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
