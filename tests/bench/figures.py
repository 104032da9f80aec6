# SPDX-License-Identifier: Apache-2.0
"""Figures: how a part of the bench says what it has measured.

A figure is a line of JSON on standard output:

    group      which section of the table it is in
    figure     what it is
    unit       of its numbers
    value      {"median", "q1", "q3", "p99", "n"}; p99 may be missing
    reference  the same, and "name", of what was measured beside it
    goal       {"ratio": N}, at most, or {"least": N}, at least, of the
               medians; or {"max": N}, of p99 if there is one, else of the
               median
"""

import json


def quantile(ordered, share):
    """Returns the quantile 'share' of a sorted list."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def summary(samples, name=None):
    """Returns what is said of 'samples'."""
    ordered = sorted(samples)
    result = {"name": name} if name else {}
    for key, share in (("median", .5), ("q1", .25), ("q3", .75)):
        result[key] = quantile(ordered, share)
    if len(ordered) >= 100:
        result["p99"] = quantile(ordered, .99)
    result["n"] = len(ordered)
    return result


def emit(group, figure, unit, samples, reference=None, goal=None):
    """Prints a figure.  'reference' is a name and its samples."""
    line = {"group": group, "figure": figure, "unit": unit,
            "value": summary(samples)}
    if reference:
        line["reference"] = summary(reference[1], reference[0])
    if goal:
        line["goal"] = goal
    print(json.dumps(line), flush=True)
