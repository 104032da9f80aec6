/* SPDX-License-Identifier: Apache-2.0 */
/* Names and sentences of plugin/feature.def, and answers about them. */
#ifndef PLUGIN_FEATURE_H
#define PLUGIN_FEATURE_H 1

/* Features of the kernel. */
enum kernel_feature {
#define KERNEL_FEATURE(NAME, WIRE, ENABLES, WITHOUT) KERNEL_##NAME,
#include "plugin/feature.def"
    N_KERNEL_FEATURES
};

/* Features of a device. */
enum driver_feature {
#define DRIVER_FEATURE(NAME, WIRE, ENABLES, WITHOUT) DRIVER_##NAME,
#include "plugin/feature.def"
    N_DRIVER_FEATURES
};

/* Is a feature there? */
enum feature_answer {
    FEATURE_UNKNOWN,            /* Nobody can tell. */
    FEATURE_ABSENT,             /* No. */
    FEATURE_PRESENT             /* Yes. */
};

/* What is fixed about a feature. */
struct feature_text {
    const char *wire;           /* Stable lower-case word with hyphens. */
    const char *enables;        /* Sentence: what we do with it. */
    const char *without;        /* Sentence: what follows from its absence. */
};

extern const struct feature_text kernel_features[N_KERNEL_FEATURES];
extern const struct feature_text driver_features[N_DRIVER_FEATURES];

#endif /* plugin/feature.h */
