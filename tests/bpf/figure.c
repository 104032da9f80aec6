/* SPDX-License-Identifier: Apache-2.0
 *
 * Figures of programs: see figure.h. */

#include <config.h>

#include "tests/bpf/figure.h"

#include <stdio.h>
#include <stdlib.h>

/* Orders two samples. */
static int
compare(const void *a, const void *b)
{
    const double *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

/* Prints 'samples' as the JSON member 'member'. */
static void
print_samples(const char *member, const struct samples *samples)
{
    int n = samples->n;

    qsort(samples->values, n, sizeof samples->values[0], compare);
    printf(", \"%s\": {\"name\": \"%s\", \"median\": %.3f, \"q1\": %.3f, "
           "\"q3\": %.3f, \"n\": %d}", member, samples->name,
           samples->values[n / 2], samples->values[n / 4],
           samples->values[n * 3 / 4], n);
}

void
figure_print(const struct figure *figure)
{
    printf("{\"group\": \"%s\", \"figure\": \"%s\", \"unit\": \"%s\"",
           figure->group, figure->name, figure->unit);
    print_samples("value", &figure->value);
    print_samples("reference", &figure->reference);
    if (figure->goal > 0) {
        printf(", \"goal\": {\"ratio\": %g}", figure->goal);
    } else if (figure->limit > 0) {
        printf(", \"goal\": {\"max\": %g}", figure->limit);
    }
    printf("}\n");
    fflush(stdout);
}
