/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel can do, found out by trying where that is harmless, and from
 * the kernel's description of itself (BTF) where it is not: nothing is ever
 * attached, and no program is bound to a device.
 *
 * A kernel does not change while it runs: it is asked once. */
#include <config.h>

#include "plugin/datapath-bpf.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <unistd.h>

#include "util.h"

/* Older headers lack them (Linux 5.18). */
#ifndef BPF_F_XDP_HAS_FRAGS
#define BPF_F_XDP_HAS_FRAGS (1U << 5)
#endif
#ifndef BPF_F_TEST_XDP_LIVE_FRAMES
#define BPF_F_TEST_XDP_LIVE_FRAMES (1U << 1)
#endif

/* Returns the answer that 'result' of one of libbpf's probes stands for. */
static enum feature_answer
from_libbpf(int result)
{
    return (result < 0 ? FEATURE_UNKNOWN
            : result ? FEATURE_PRESENT
            : FEATURE_ABSENT);
}

/* Returns the answer 'yes'. */
static enum feature_answer
from_bool(bool yes)
{
    return yes ? FEATURE_PRESENT : FEATURE_ABSENT;
}

/* Loads a program that drops every frame, with 'flags'.  Returns its file
 * descriptor, or a negative errno. */
static int
load_drop(uint32_t flags)
{
    const struct bpf_insn insns[] = {
        { .code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = XDP_DROP },
        { .code = BPF_JMP | BPF_EXIT },
    };
    LIBBPF_OPTS(bpf_prog_load_opts, opts, .prog_flags = flags);

    return bpf_prog_load(BPF_PROG_TYPE_XDP, "ox_probe", "GPL", insns,
                         ARRAY_SIZE(insns), &opts);
}

/* Tells whether the kernel has made machine code of program 'fd'. */
static enum feature_answer
probe_jit(int fd)
{
    struct bpf_prog_info info = { .id = 0 };
    uint32_t length = sizeof info;

    return (bpf_obj_get_info_by_fd(fd, &info, &length) ? FEATURE_UNKNOWN
            : from_bool(info.jited_prog_len > 0));
}

/* Tells whether the kernel runs program 'fd', which drops it, on a frame that
 * really is one. */
static enum feature_answer
probe_live_frames(int fd)
{
    uint8_t frame[ETH_ZLEN] = { 0 };
    LIBBPF_OPTS(bpf_test_run_opts, opts,
                .data_in = frame,
                .data_size_in = sizeof frame,
                .flags = BPF_F_TEST_XDP_LIVE_FRAMES,
                .repeat = 1);
    int error = -bpf_prog_test_run_opts(fd, &opts);

    return (!error ? FEATURE_PRESENT
            : error == EINVAL ? FEATURE_ABSENT
            : FEATURE_UNKNOWN);
}

/* Fills what programs tell of 'answers'. */
static void
probe_programs(enum feature_answer answers[N_KERNEL_FEATURES])
{
    int fd = load_drop(0);

    if (fd >= 0) {
        answers[KERNEL_JIT] = probe_jit(fd);
        answers[KERNEL_LIVE_FRAMES] = probe_live_frames(fd);
        close(fd);

        fd = load_drop(BPF_F_XDP_HAS_FRAGS);
        answers[KERNEL_XDP_FRAGS] = from_bool(fd >= 0);
        if (fd >= 0) {
            close(fd);
        }
    }
}

/* Returns whether 'btf' describes the function 'name'. */
static enum feature_answer
has_function(const struct btf *btf, const char *name)
{
    return from_bool(btf__find_by_name_kind(btf, name, BTF_KIND_FUNC) > 0);
}

/* Fills what the kernel's description of itself tells of 'answers'. */
static void
probe_btf(enum feature_answer answers[N_KERNEL_FEATURES])
{
    struct btf *btf = btf__load_vmlinux_btf();

    answers[KERNEL_BTF] = from_bool(btf != NULL);
    if (btf) {
        answers[KERNEL_XDP_LINK] = has_function(btf, "bpf_xdp_link_attach");
        answers[KERNEL_RX_VLAN_TAG]
            = has_function(btf, "bpf_xdp_metadata_rx_vlan_tag");
        answers[KERNEL_TCX] = has_function(btf, "tcx_link_attach");
        btf__free(btf);
    }
}

/* See 'probe' in plugin/datapath.h.  Takes some milliseconds the first time,
 * while which no event is handled. */
const char *
kernel_probe(enum feature_answer answers[N_KERNEL_FEATURES])
{
    static enum feature_answer known[N_KERNEL_FEATURES];
    static bool probed;

    if (!probed) {
        known[KERNEL_XDP] = from_libbpf(
            libbpf_probe_bpf_prog_type(BPF_PROG_TYPE_XDP, NULL));
        known[KERNEL_DEVMAP_HASH] = from_libbpf(
            libbpf_probe_bpf_map_type(BPF_MAP_TYPE_DEVMAP_HASH, NULL));
        probe_programs(known);
        probe_btf(known);
        probed = true;
    }
    memcpy(answers, known, sizeof known);
    return libbpf_version_string();
}
