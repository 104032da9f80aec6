/* SPDX-License-Identifier: Apache-2.0
 *
 * Measures what programs cost per frame.  All run in turn, many rounds: on a
 * shared machine only the ratios of one run mean something. */

#ifndef TESTS_BPF_CONTEST_H
#define TESTS_BPF_CONTEST_H 1

#include <stdint.h>

#include "tests/bpf/bench.h"
#include "tests/bpf/bench.skel.h"

/* Frames in a round.  So many because each test run of XDP costs the kernel
 * about a millisecond. */
#define CONTEST_REPEAT 100000

/* The same for real frames. */
#define CONTEST_LIVE_REPEAT 50000

/* Most rounds, and those of a quick measurement. */
#define CONTEST_MAX_ROUNDS 60
#define CONTEST_QUICK_ROUNDS 5

/* One line of the result. */
struct contest {
    const char *name;           /* What is measured. */
    int kind;                   /* With which frames. */
    uint32_t verdict;           /* What the program must say. */
    int program;                /* The program. */
    double goal;                /* Largest ratio to the first, or 0. */
    double ns[CONTEST_MAX_ROUNDS]; /* Per frame, by round. */
    double limit;               /* Largest median in ns, or 0. */
};

/* The programs that surround those under test, and how many rounds there
 * are. */
extern struct bench_bpf *contest_bench;
extern int contest_rounds;

/* Loads them; 'argv' may ask for few rounds. */
void contest_open(int argc, char *argv[]);
void contest_close(void);

/* Lets 'fill' make frames 0 to 'n' - 1 of 'kind', of BENCH_FRAME_LEN bytes. */
void contest_make_frames(int kind, uint32_t n,
                         void (*fill)(int kind, uint32_t i, uint8_t *data));

/* Runs a round.  Returns nanoseconds of processor time per frame beyond what
 * the empty program costs just before. */
double contest_round(const struct contest *);

/* The same with real frames, in nanoseconds per frame, all of its way. */
double contest_live_round(const struct contest *);

/* Runs all 'n' contests in turn, by 'round', with 'n_flows' frames in turn, a
 * power of two. */
void contest_run(struct contest *, size_t n, uint32_t n_flows,
                 double (*round)(const struct contest *));

/* Prints a figure for each of the 'n' contests but the first, with which the
 * others are compared.  'detail' is added to the name. */
void contest_report(struct contest *, size_t n, const char *group,
                    const char *detail);

#endif /* tests/bpf/contest.h */
