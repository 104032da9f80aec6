/* SPDX-License-Identifier: Apache-2.0 */
/* Frames that the daemon has a device send, or receive as if they had come in
 * from outside; bpf/inject.bpf.c says how.
 *
 * The program is loaded when it is first needed, and goes with the daemon. */
#include <config.h>

#include "plugin/datapath-bpf.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>

#include "openvswitch/vlog.h"
#include "timeval.h"
#include "util.h"

#include "bpf/inject.skel.h"

VLOG_DEFINE_THIS_MODULE(datapath_inject);

/* Makes 'injector' hold nothing. */
void
injector_init(struct injector *injector)
{
    *injector = (struct injector) { .skel = NULL };
}

/* Lets go of the program of 'injector'. */
void
injector_close(struct injector *injector)
{
    inject_bpf__destroy(injector->skel);
    injector_init(injector);
}

/* Loads the program of 'injector', unless that is done.  Returns 0 or a
 * positive errno. */
int
injector_open(struct injector *injector)
{
    int error = 0;

    if (injector->skel) {
        return 0;
    } else if (injector->error && time_msec() < injector->retry_at) {
        return injector->error;
    }
    injector->skel = inject_bpf__open_and_load();
    if (!injector->skel) {
        static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 5);

        error = errno;
        VLOG_WARN_RL(&rl, "no frames can be sent (%s)", ovs_strerror(error));
        injector->retry_at = time_msec() + L2_RETRY_MS;
    }
    injector->error = error;
    return error;
}

/* Returns true if injector_add() has no place left. */
bool
injector_is_full(const struct injector *injector)
{
    return injector->n >= OX_MAX_INJECTIONS;
}

/* Returns the next place of 'injector', which is open and not full, to be
 * filled by the caller.  All up to the next injector_flush() are to have the
 * same Ethernet type: a device that sends them sees that of the first. */
struct ox_injection *
injector_add(struct injector *injector)
{
    struct ox_injection *injection
        = &injector->skel->bss->injections[injector->n++];

    injection->result = -ECANCELED;
    return injection;
}

/* Returns 0 if 'injection' was taken, or a positive errno. */
static int
get_error(const struct ox_injection *injection)
{
    return (injection->result > 0 ? ENOBUFS : -injection->result);
}

/* Sends what was added to 'injector', and adds to '*n_sent' how many frames of
 * it were taken.  Returns 0, or a positive errno of one that was not. */
int
injector_flush(struct injector *injector, size_t *n_sent)
{
    struct inject_bpf__bss *bss;
    size_t n = injector->n;
    int error;

    if (!n) {
        return 0;
    }
    bss = injector->skel->bss;
    LIBBPF_OPTS(bpf_test_run_opts, opts,
                .data_in = bss->injections[0].data,
                .data_size_in = bss->injections[0].len,
                .repeat = n);
    bss->next_injection = 0;
    injector->n = 0;
    error = -bpf_prog_test_run_opts(
        bpf_program__fd(injector->skel->progs.inject), &opts);
    for (size_t i = 0; i < n; i++) {
        int e = get_error(&bss->injections[i]);

        *n_sent += !e;
        error = e && !error ? e : error;
    }
    return error;
}
