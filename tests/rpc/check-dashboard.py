#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares the dashboard for Grafana with the metrics that there are.

usage: check-dashboard.py DASHBOARD METRICS WORDS

DASHBOARD is the JSON document; METRICS is the output of "ovn-xdpctl metrics
prometheus"; WORDS holds what else values of labels may be, a word a line: the
reasons.  Prints what is wrong with the form of the document, and with the
PromQL in it: a metric, label or value that nobody emits, rate() of what is no
counter, a counter without rate().
"""

import json
import re
import sys

from prometheus_client import parser

PREFIX = "ovn_xdp_"
ADDED = {"instance", "job"}  # Labels that Prometheus adds.
OVER_TIME = {"counter": {"rate", "increase"}, "gauge": {"changes"}}
WORDS = {"sum", "max", "topk", "by", "ignoring", "time", "label_values",
         "rate", "increase", "changes"}

SELECTOR = re.compile(rf"(\w+\()?({PREFIX}\w+)(?:{{(.*?)}})?(\[[^]]*\])?")
GROUP = re.compile(r"\b(by|ignoring) *\(([^)]*)\)")
MATCHER = re.compile(r'(\w+)(=~|!~|!=|=)"([^"]*)"(?:,|$)')


class Metrics:
    """What there is to show."""

    def __init__(self, text, words):
        self.types = {}     # Type, by name of the samples.
        self.labels = {}    # Names of labels, by name of the samples.
        self.values = set(words)
        for family in parser.text_string_to_metric_families(text):
            for sample in family.samples:
                self.types[sample.name] = family.type
                self.labels.setdefault(sample.name, set()).update(
                    sample.labels)
                self.values.update(sample.labels.values())


def wrong_selector(metrics, function, name, matchers, duration):
    """Yields what is wrong with one metric in an expression."""
    if name not in metrics.types:
        yield f"{name}: no such metric"
        return
    if '=~"$instance"' not in matchers:
        yield f"{name}: of all nodes"
    if "".join(m.group(0) for m in MATCHER.finditer(matchers)) != matchers:
        yield f"{name}: cannot read {matchers}"
    for label, _, value in MATCHER.findall(matchers):
        if label not in metrics.labels[name] | ADDED:
            yield f"{name}: no label {label}"
        for word in value.split("|"):
            if label not in ADDED and word not in metrics.values:
                yield f'{name}: no value {label}="{word}"'
    kind = metrics.types[name]
    if (kind == "counter" or duration) and not (
            duration and function.rstrip("(") in OVER_TIME[kind]):
        yield f"{name}, a {kind}: {function}...{duration}"


def wrong_expression(metrics, expression, legend):
    """Yields what is wrong with an expression and the legend of its lines."""
    known = set(ADDED)
    for function, name, matchers, duration in SELECTOR.findall(
            GROUP.sub("", expression)):
        known |= metrics.labels.get(name, set())
        yield from wrong_selector(metrics, function, name, matchers, duration)
    rest = re.sub(r'{.*?}|\[.*?\]|"[^"]*"', "", expression)
    by = set()
    for how, labels in GROUP.findall(rest):
        for label in re.split(r",\s*", labels):
            if label not in known:
                yield f"{how} {label}, which there is not"
            by |= {label} if how == "by" else set()
    shown = by or known
    for label in re.findall(r"{{(\w+)}}", legend):
        if label not in shown:
            yield f"legend of {label}, which the lines have not"
    for word in re.findall(r"[a-z_]\w*", rest):
        if word not in WORDS | known and word not in metrics.types:
            yield f"{word}: what is that?"
    if rest.count("(") != rest.count(")"):
        yield "parentheses"


def wrong_panels(panels):
    """Yields what is wrong with the layout of the panels."""
    taken = {}
    if len({panel["id"] for panel in panels}) != len(panels):
        yield "panels with the same id"
    for panel in panels:
        at = panel["gridPos"]
        if at["x"] + at["w"] > 24:
            yield f"{panel['title']}: too far right"
        for x in range(at["x"], at["x"] + at["w"]):
            for y in range(at["y"], at["y"] + at["h"]):
                other = taken.setdefault((x, y), panel["title"])
                if other != panel["title"]:
                    yield f"{panel['title']}: lies on {other}"
        if panel["type"] != "row" and not (
                panel["description"].endswith(".") and panel["targets"]):
            yield f"{panel['title']}: no description, or nothing to show"


def wrong(dashboard, metrics):
    """Yields what is wrong with the dashboard."""
    for key in ("uid", "title", "schemaVersion", "time", "refresh"):
        if not dashboard.get(key):
            yield f"no {key}"
    if "id" in dashboard:
        yield "an id, which belongs to one server"
    names = [v["name"] for v in dashboard["templating"]["list"]]
    if names != ["datasource", "instance"]:
        yield f"variables {names}"
    yield from wrong_expression(
        metrics, dashboard["templating"]["list"][1]["definition"].replace(
            "health,", 'health{instance=~"$instance"},'), "")
    yield from wrong_panels(dashboard["panels"])
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            if target["datasource"]["uid"] != "${datasource}":
                yield f"{panel['title']}: another data source"
            for fault in wrong_expression(metrics, target["expr"],
                                          target["legendFormat"]):
                yield f"{panel['title']}: {fault}"


def main():
    """Checks the dashboard; fails if anything is wrong."""
    texts = []
    for path in sys.argv[1:]:
        with open(path, encoding="utf-8") as f:
            texts.append(f.read())
    dashboard = json.loads(texts[0])
    faults = list(wrong(dashboard, Metrics(texts[1], texts[2].split())))
    print("\n".join(faults), end="\n" if faults else "")
    return 1 if faults or len(dashboard["panels"]) < 10 else 0


if __name__ == "__main__":
    sys.exit(main())
