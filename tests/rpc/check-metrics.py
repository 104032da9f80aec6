#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Reads metrics with Prometheus' own parser of OpenMetrics and lints them.

usage: check-metrics.py [NAME{LABEL="VALUE",...}=NUMBER | !NAME]... <METRICS

The parser is stricter than what collects metrics in the field.  Beyond it,
these are the rules of "promtool check metrics" and of the specification that
the parser does not know.  Each argument demands that the metrics have a
sample of that value, or none of that name.  Prints what is wrong.
"""

import re
import sys

from prometheus_client.openmetrics import parser

PREFIX = "ovn_xdp_"
BASE_UNITS = {"seconds", "bytes", "ratio", "celsius"}
OTHER_UNITS = re.compile(
    r"_(milliseconds|ms|microseconds|us|nanoseconds|ns|minutes|hours|days"
    r"|bits|kb|kib|mb|mib|kilobytes|megabytes|percent)(_|$)")


def lint_name(family):
    """Yields what is wrong with the name, unit and help of a family."""
    name = family.name
    if not name.startswith(PREFIX):
        yield f"{name}: no {PREFIX}"
    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name):
        yield f"{name}: not in snake case"
    if re.search(rf"_({family.type}|counter|gauge|total|info|count|sum)$",
                 name):
        yield f"{name}: ends with what its type or samples say"
    if OTHER_UNITS.search(name):
        yield f"{name}: not a base unit"
    for unit in BASE_UNITS:
        if name.endswith("_" + unit) and family.unit != unit:
            yield f"{name}: no UNIT {unit}"
    if not re.fullmatch(r"[A-Z].*\.", family.documentation):
        yield f"{name}: its help is no sentence"


def lint_samples(family):
    """Yields what is wrong with the samples of a family."""
    keys = {frozenset(sample.labels) for sample in family.samples}
    if len(keys) > 1:
        yield f"{family.name}: samples with different labels"
    for sample in family.samples:
        if family.type == "counter" and not sample.name.endswith("_total"):
            yield f"{sample.name}: a counter without _total"
        if not sample.value >= 0:
            yield f"{sample.name}: {sample.value}"
        for label in sample.labels:
            if not re.fullmatch(r"[a-z][a-z0-9_]*", label):
                yield f"{sample.name}: label {label}"


def lint_states(family):
    """Yields each thing of a state set that is not in exactly one state."""
    sums = {}
    for sample in family.samples:
        labels = frozenset(item for item in sample.labels.items()
                           if item[0] != family.name)
        sums[labels] = sums.get(labels, 0) + sample.value
    for labels, total in sums.items():
        if total != 1:
            yield f"{family.name}: {sorted(labels)} in {total} states"


def lint_text(text):
    """Yields what is there twice; the parser keeps the first of the two."""
    seen = set()
    for line in text.splitlines():
        what = (" ".join(line.split(" ")[:3]) if line.startswith("#")
                else line.rsplit(" ", 1)[0])
        if what in seen:
            yield f"twice: {what}"
        seen.add(what)


def unmet(demands, families):
    """Yields the demands of the command line that are not met."""
    samples = {}
    for family in families:
        for sample in family.samples:
            labels = ",".join(f'{name}="{value}"'
                              for name, value in sample.labels.items())
            samples[sample.name + (f"{{{labels}}}" if labels else "")] = (
                sample.value)
    for demand in demands:
        if demand[0] == "!":
            if any(name.split("{")[0] == demand[1:] for name in samples):
                yield f"there is {demand[1:]}"
            continue
        name, value = demand.rsplit("=", 1)
        if samples.get(name) != float(value):
            yield f"{name} is {samples.get(name)}, not {value}"


def main():
    """Checks standard input; fails if anything is wrong."""
    text = sys.stdin.read()
    families = list(parser.text_string_to_metric_families(text))
    wrong = list(unmet(sys.argv[1:], families))
    wrong += lint_text(text)
    for family in families:
        wrong += lint_name(family)
        wrong += lint_samples(family)
        if family.type == "stateset":
            wrong += lint_states(family)
    print("\n".join(wrong), end="\n" if wrong else "")
    return 1 if wrong or len(families) < 10 else 0


if __name__ == "__main__":
    sys.exit(main())
