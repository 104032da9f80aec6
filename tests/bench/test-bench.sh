#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The bench works.  How fast anything is, is not judged.
# time-limit: 300
set -u
top=${OVN_XDP_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}
# shellcheck source=tests/system/report.sh
. "$top/tests/system/report.sh"

build=${OVN_XDP_BUILDDIR:-$top/_build}
json=${OVN_XDP_TMP:-/tmp}/bench.json

# Succeeds if the file has figures of all groups, and each is a figure.
complete() {
    "${PYTHON3:-python3}" -IS - "$json" <<'END'
import json
import sys

with open(sys.argv[1], encoding="utf-8") as f:
    figures = json.load(f)["figures"]
groups = {figure["group"].split(",")[0].split(" (")[0] for figure in figures}
wanted = {"program", "layer L3", "whole path of a frame", "NIC to bridge device",
          "Southbound change to map entry", "start to fully programmed",
          "ovn-xdpd in a large cloud"}
bad = [figure for figure in figures
       for part in (figure["value"], figure["reference"])
       if not part["q1"] <= part["median"] <= part["q3"] or part["n"] < 1]
still = [figure for figure in figures
         if figure["unit"].startswith("million")
         and figure["value"]["median"] <= 0]
sys.exit(f"{groups ^ wanted} {bad} {still}"
         if groups != wanted or bad or still else 0)
END
}

[ "$(id -u)" -eq 0 ] || skip_all "needs root"
check "every part measures" "${PYTHON3:-python3}" "$top/tests/bench/run" \
    --quick --json="$json" "$build/tests/bpf/bench-flow" \
    "$build/tests/bpf/bench-nic" "$build/tests/bpf/bench-path" \
    "$top/tests/bench/southbound.sh"
check "all figures are there" complete
finish
