/* SPDX-License-Identifier: Apache-2.0
 *
 * Figures of programs, as tests/bench/figures.py defines them. */

#ifndef TESTS_BPF_FIGURE_H
#define TESTS_BPF_FIGURE_H 1

/* Samples of one thing. */
struct samples {
    const char *name;           /* What was measured. */
    double *values;             /* The samples. */
    int n;                      /* How many. */
};

/* A figure. */
struct figure {
    const char *group;          /* Section of the table. */
    const char *name;           /* What it is. */
    const char *unit;           /* Of the samples. */
    struct samples value;       /* What was measured. */
    struct samples reference;   /* What was measured beside it. */
    double goal;                /* Largest ratio of the medians, or 0. */
    double limit;               /* Largest median, or 0, if 'goal' is 0. */
};

/* Prints 'figure' and sorts its samples. */
void figure_print(const struct figure *);

#endif /* tests/bpf/figure.h */
