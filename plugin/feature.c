/* SPDX-License-Identifier: Apache-2.0 */
/* The tables behind plugin/feature.h, made from plugin/feature.def. */

#include <config.h>

#include "plugin/feature.h"

/* Indexed by enum kernel_feature. */
const struct feature_text kernel_features[N_KERNEL_FEATURES] = {
#define KERNEL_FEATURE(NAME, WIRE, ENABLES, WITHOUT) \
    { WIRE, ENABLES, WITHOUT },
#include "plugin/feature.def"
};

/* Indexed by enum driver_feature. */
const struct feature_text driver_features[N_DRIVER_FEATURES] = {
#define DRIVER_FEATURE(NAME, WIRE, ENABLES, WITHOUT) \
    { WIRE, ENABLES, WITHOUT },
#include "plugin/feature.def"
};
