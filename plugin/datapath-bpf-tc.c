/* SPDX-License-Identifier: Apache-2.0 */
/* Programs of ours at TC: by a pinned TCX link, or where the kernel has none
 * (before Linux 6.6) by a filter of clsact, which stays by itself.  Then its
 * program is pinned in the link's place, before the filter is there, so that
 * the pins say where there are filters.
 *
 * A program is replaced without a gap.  It comes first in its place, and lets
 * whatever comes next decide: other programs and filters notice nothing of it.
 * A clsact qdisc that was made for it stays, as others may use it. */
#include <config.h>

#include "plugin/datapath-bpf.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <unistd.h>

#include "openvswitch/vlog.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(datapath_tc);

/* Older headers lack them (Linux 6.6). */
#define OX_LINK_TYPE_TCX 11
#define OX_TCX_INGRESS ((enum bpf_attach_type) 46)
#define OX_TCX_EGRESS ((enum bpf_attach_type) 47)
#ifndef BPF_F_BEFORE
#define BPF_F_BEFORE (1U << 3)
#endif

/* Place of the filters: the first. */
#define FILTER_PRIORITY 1

/* Programs of a device among which ours is looked for: the kernel attaches no
 * more in one place (BPF_MPROG_MAX). */
#define MAX_PROGRAMS 64

/* Whether TCX is left unused. */
static bool no_tcx;

/* Leaves TCX unused if 'yes', as on kernels that have none.  For tests. */
void
tc_set_no_tcx(bool yes)
{
    no_tcx = yes;
}

/* Returns where links of 'egress' are attached. */
static enum bpf_attach_type
attach_type(bool egress)
{
    return egress ? OX_TCX_EGRESS : OX_TCX_INGRESS;
}

/* Returns true if program 'id' is attached to device 'ifindex' of this network
 * namespace by TCX. */
static bool
runs_program(int ifindex, bool egress, uint32_t id)
{
    uint32_t ids[MAX_PROGRAMS] = { 0 };
    LIBBPF_OPTS(bpf_prog_query_opts, opts,
                .prog_ids = ids, .prog_cnt = MAX_PROGRAMS);

    if (bpf_prog_query_opts(ifindex, attach_type(egress), &opts)) {
        return false;
    }
    for (uint32_t i = 0; i < opts.prog_cnt; i++) {
        if (ids[i] == id) {
            return true;
        }
    }
    return false;
}

/* Returns true if 'fd' is a link in the place of 't', and stores its id. */
static bool
link_fits(const struct tc_program *t, int fd, uint32_t *id)
{
    struct bpf_link_info info = { .id = 0 };
    uint32_t size = sizeof info;

    if (bpf_obj_get_info_by_fd(fd, &info, &size)
        || info.type != OX_LINK_TYPE_TCX
        || info.xdp.ifindex != t->ifindex) {
        return false;
    }
    *id = info.id;
    return runs_program(t->ifindex, t->egress, info.prog_id);
}

/* Returns the place of the filter of 't'. */
static struct bpf_tc_hook
filter_hook(const struct tc_program *t)
{
    LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = t->ifindex,
                .attach_point = (t->egress
                                 ? BPF_TC_EGRESS : BPF_TC_INGRESS));

    return hook;
}

/* Returns the id of the program that the filter in the place of 't' has, or 0
 * if there is no such filter. */
uint32_t
tc_filter_program(const struct tc_program *t)
{
    struct bpf_tc_hook hook = filter_hook(t);
    LIBBPF_OPTS(bpf_tc_opts, opts, .handle = t->handle,
                .priority = FILTER_PRIORITY);

    return bpf_tc_query(&hook, &opts) ? 0 : opts.prog_id;
}

/* Removes the filter in the place of 't', if there is one. */
void
tc_filter_remove(const struct tc_program *t)
{
    struct bpf_tc_hook hook = filter_hook(t);
    LIBBPF_OPTS(bpf_tc_opts, opts, .handle = t->handle,
                .priority = FILTER_PRIORITY);

    if (tc_filter_program(t)) {
        bpf_tc_detach(&hook, &opts);
    }
}

/* Returns the id of program 'fd', or 0. */
static uint32_t
program_id(int fd)
{
    struct bpf_prog_info info = { .id = 0 };
    uint32_t size = sizeof info;

    return bpf_obj_get_info_by_fd(fd, &info, &size) ? 0 : info.id;
}

/* Detaches what 'fd', the pin of 't', stands for: a link, or the filter of its
 * program. */
static void
detach_pinned(const struct tc_program *t, int fd)
{
    /* EINVAL: it is no link. */
    if (bpf_link_detach(fd) == -EINVAL) {
        tc_filter_remove(t);
    }
}

/* Takes over the link that an earlier daemon has pinned in the place of 't':
 * it runs 'prog' from the next packet on.  ENOENT if there is none, or none
 * that can be used. */
static int
adopt_link(struct tc_program *t, int prog)
{
    int error, fd;

    error = pins_get(t->pin, &fd);
    if (!error && (fd < 0 || !link_fits(t, fd, &t->id)
                   || bpf_link_update(fd, prog, NULL))) {
        error = ENOENT;
    }
    if (!error) {
        t->link_fd = fd;
    } else if (fd >= 0) {
        detach_pinned(t, fd);
        close(fd);
    }
    return error;
}

/* Gives 't' a new link with 'prog'.  EOPNOTSUPP if the kernel has none of
 * TCX. */
static int
create_link(struct tc_program *t, int prog)
{
    LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = BPF_F_BEFORE);
    int error, fd;

    fd = bpf_link_create(prog, t->ifindex, attach_type(t->egress), &opts);
    if (fd < 0) {
        return fd == -EINVAL ? EOPNOTSUPP : -fd;
    }
    error = link_fits(t, fd, &t->id) ? pins_put(fd, t->pin) : ENODEV;
    if (error) {
        bpf_link_detach(fd);
        close(fd);
        t->id = 0;
    } else {
        t->link_fd = fd;
    }
    return error;
}

/* Gives 't' a filter with 'prog', or the filter that is there 'prog'.  Stores
 * in '*before' which program was there, or 0. */
static int
put_filter(struct tc_program *t, int prog, uint32_t *before)
{
    uint32_t old = tc_filter_program(t);
    struct bpf_tc_hook hook = filter_hook(t);
    LIBBPF_OPTS(bpf_tc_opts, opts, .handle = t->handle,
                .priority = FILTER_PRIORITY, .prog_fd = prog,
                .flags = old ? BPF_TC_F_REPLACE : 0);
    int error;

    error = -bpf_tc_hook_create(&hook);
    if (!error || error == EEXIST) {
        error = pins_put(prog, t->pin);
    }
    if (!error) {
        error = -bpf_tc_attach(&hook, &opts);
    }
    if (!error) {
        t->id = program_id(prog);
        *before = old;
    }
    return error;
}

/* Makes 't' one for the place that 'ifindex' and 'egress' are, not attached
 * yet.  Owns 'pin'.  The programs that it runs stay the caller's, and open. */
void
tc_init(struct tc_program *t, int ifindex, bool egress, uint32_t handle,
        char *pin)
{
    *t = (struct tc_program) {
        .ifindex = ifindex, .egress = egress, .handle = handle, .pin = pin,
        .prog = -1, .link_fd = -1,
    };
}

/* Attaches 'prog' in the place of 't', where nothing of this daemon is, or has
 * what an earlier daemon has left there run it.  Stores in '*before' the id
 * that this had, or 0.  ENODEV: there is no such device. */
int
tc_attach(struct tc_program *t, int prog, uint32_t *before)
{
    int error = EOPNOTSUPP;

    *before = 0;
    t->prog = prog;
    if (!no_tcx) {
        error = adopt_link(t, prog);
        if (!error) {
            *before = t->id;
        } else if (error == ENOENT) {
            error = create_link(t, prog);
        }
    }
    return error == EOPNOTSUPP ? put_filter(t, prog, before) : error;
}

/* Has 't', which is attached, run 'prog' from the next packet on. */
int
tc_replace(struct tc_program *t, int prog)
{
    uint32_t before;
    int error;

    error = (t->link_fd >= 0
             ? -bpf_link_update(t->link_fd, prog, NULL)
             : put_filter(t, prog, &before));
    if (!error) {
        t->prog = prog;
    }
    return error;
}

/* Returns true if 't' is attached. */
bool
tc_is_alive(const struct tc_program *t)
{
    uint32_t id;

    return (t->link_fd >= 0
            ? link_fits(t, t->link_fd, &id)
            : t->id && tc_filter_program(t) == t->id);
}

/* Pins the link of 't', or its program, again if somebody has removed the
 * pin. */
void
tc_repair_pin(const struct tc_program *t)
{
    if (access(t->pin, F_OK)
        && !pins_put(t->link_fd >= 0 ? t->link_fd : t->prog, t->pin)) {
        VLOG_WARN("%s: was removed, pinned again", t->pin);
    }
}

/* Frees what is in 't', which stays attached. */
void
tc_close(struct tc_program *t)
{
    if (t->link_fd >= 0) {
        close(t->link_fd);
        t->link_fd = -1;
    }
    free(t->pin);
    t->pin = NULL;
}

/* Detaches what an earlier daemon has left in the place of 't', as far as the
 * pin says, and unpins it. */
void
tc_sweep(const struct tc_program *t)
{
    int fd = bpf_obj_get(t->pin);

    if (fd >= 0) {
        detach_pinned(t, fd);
        close(fd);
    }
    pins_remove(t->pin);
}

/* Detaches 't', or what an earlier daemon has left in its place, and unpins
 * it. */
void
tc_detach(struct tc_program *t)
{
    if (t->link_fd >= 0) {
        bpf_link_detach(t->link_fd);
        close(t->link_fd);
        t->link_fd = -1;
    } else if (t->id) {
        tc_filter_remove(t);
    }
    tc_sweep(t);
    t->id = 0;
}
