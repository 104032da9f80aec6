/* SPDX-License-Identifier: Apache-2.0
 *
 * Measures what programs cost per frame: see contest.h. */

#include <config.h>

#include "tests/bpf/contest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <cmocka.h>

#include "tests/bpf/figure.h"

struct bench_bpf *contest_bench;
int contest_rounds = CONTEST_MAX_ROUNDS;

void
contest_open(int argc, char *argv[])
{
    if (argc > 1 && !strcmp(argv[1], "--quick")) {
        contest_rounds = CONTEST_QUICK_ROUNDS;
    }
    contest_bench = bench_bpf__open_and_load();
    assert_non_null(contest_bench);
}

void
contest_close(void)
{
    bench_bpf__destroy(contest_bench);
}

void
contest_make_frames(int kind, uint32_t n,
                    void (*fill)(int kind, uint32_t i, uint8_t *data))
{
    size_t size = BENCH_KINDS * BENCH_MAX_FRAMES * sizeof(struct bench_frame);
    struct bench_frame *frames;

    frames = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED,
                  bpf_map__fd(contest_bench->maps.frames), 0);
    assert_true(frames != MAP_FAILED);
    for (uint32_t i = 0; i < n; i++) {
        fill(kind, i, frames[kind * BENCH_MAX_FRAMES + i].data);
    }
    munmap(frames, size);
}

/* Nanoseconds of processor time that this thread has had. */
static double
now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
    return ts.tv_sec * 1e9 + ts.tv_nsec;
}

/* Makes 'program' the one under test, with frames of 'kind'. */
static void
choose(int kind, int program)
{
    uint32_t slot = 0;

    contest_bench->bss->first_frame = kind * BENCH_MAX_FRAMES;
    assert_int_equal(
        bpf_map_update_elem(bpf_map__fd(contest_bench->maps.peer), &slot,
                            &program, 0), 0);
}

/* Runs 'program' on frames of 'kind', with 'verdict'.  Returns nanoseconds per
 * frame.  The kernel's own figure is a whole number of nanoseconds, which is
 * too coarse. */
static double
run(int kind, int program, uint32_t verdict)
{
    static uint8_t any[BENCH_FRAME_LEN];
    LIBBPF_OPTS(bpf_test_run_opts, opts, .repeat = CONTEST_REPEAT,
                .data_in = any, .data_size_in = sizeof any);
    int restore = bpf_program__fd(contest_bench->progs.restore);
    double start;

    choose(kind, program);
    start = now_ns();
    assert_int_equal(bpf_prog_test_run_opts(restore, &opts), 0);
    start = now_ns() - start;
    assert_int_equal(opts.retval, verdict);
    return start / CONTEST_REPEAT;
}

double
contest_round(const struct contest *contest)
{
    double empty = run(contest->kind,
                       bpf_program__fd(contest_bench->progs.empty), XDP_PASS);

    return run(contest->kind, contest->program, contest->verdict) - empty;
}

double
contest_live_round(const struct contest *contest)
{
    static uint8_t any[BENCH_FRAME_LEN];
    LIBBPF_OPTS(bpf_test_run_opts, opts, .repeat = CONTEST_LIVE_REPEAT,
                .flags = BPF_F_TEST_XDP_LIVE_FRAMES, .batch_size = 64,
                .data_in = any, .data_size_in = sizeof any);
    int restore = bpf_program__fd(contest_bench->progs.restore);

    choose(contest->kind, contest->program);
    assert_int_equal(bpf_prog_test_run_opts(restore, &opts), 0);
    return opts.duration;
}

void
contest_run(struct contest *contests, size_t n, uint32_t n_flows,
            double (*round)(const struct contest *))
{
    contest_bench->bss->frame_mask = n_flows - 1;
    for (int i = 0; i < contest_rounds; i++) {
        for (size_t j = 0; j < n; j++) {
            contests[j].ns[i] = round(&contests[j]);
        }
    }
}

void
contest_report(struct contest *contests, size_t n, const char *group,
               const char *detail)
{
    for (size_t i = 1; i < n; i++) {
        struct contest *contest = &contests[i];
        char name[128];

        snprintf(name, sizeof name, "%s, %s", contest->name, detail);
        figure_print(&(struct figure) {
            .group = group,
            .name = name,
            .unit = "ns",
            .value = { contest->name, contest->ns, contest_rounds },
            .reference = { contests[0].name, contests[0].ns, contest_rounds },
            .goal = contest->goal,
            .limit = contest->limit,
        });
    }
}
