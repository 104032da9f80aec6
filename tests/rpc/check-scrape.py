#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares what Prometheus scrapes with what ovn-xdpd says.

usage: check-scrape.py OPENMETRICS SCRAPE

OPENMETRICS is a file with the output of "ovn-xdpctl metrics"; SCRAPE is one
with what node_exporter shows, in the older format, after it has read the
output of "ovn-xdpctl metrics prometheus".  Prints where the two differ, in a
sample, its value, a type or a help text.
"""

import sys

from prometheus_client import parser as older
from prometheus_client.openmetrics import parser as openmetrics

PREFIX = "ovn_xdp_"
# What the older format calls the types that it does not know.
TYPES = {"info": "gauge", "stateset": "gauge"}


def facts(families):
    """Returns what the families say, in a way that can be compared."""
    said = set()
    for family in families:
        for sample in family.samples:
            if not sample.name.startswith(PREFIX):
                continue
            kind = TYPES.get(family.type, family.type)
            labels = ",".join(f"{name}={value!r}" for name, value
                              in sorted(sample.labels.items()))
            said.add((sample.name, labels, sample.value))
            said.add((sample.name, kind, family.documentation))
    return said


def main():
    """Compares the files; fails if they differ, or say next to nothing."""
    with open(sys.argv[1], encoding="utf-8") as f:
        ours = facts(openmetrics.text_string_to_metric_families(f.read()))
    with open(sys.argv[2], encoding="utf-8") as f:
        theirs = facts(older.text_string_to_metric_families(f.read()))
    for fact in sorted(ours - theirs, key=str):
        print("not scraped:", *fact)
    for fact in sorted(theirs - ours, key=str):
        print("not ours:", *fact)
    return 1 if ours != theirs or len(ours) < 20 else 0


if __name__ == "__main__":
    sys.exit(main())
