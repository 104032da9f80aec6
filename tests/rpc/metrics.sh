# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Prometheus' parser of OpenMetrics, for test scripts.  Sourced.

metrics_lib=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# Prints a Python that has the parser: the system's package may not be for
# the one that comes first in the path.
metrics_python() {
    local python

    for python in "${PYTHON3:-python3}" /usr/bin/python3; do
        "$python" -c 'import prometheus_client.openmetrics.parser' \
            2>/dev/null && echo "$python" && return
    done
    return 1
}

# Checks the metrics on standard input; the arguments are what they must say
# (tests/rpc/check-metrics.py).
metrics_check() {
    "$(metrics_python)" "$metrics_lib/check-metrics.py" "$@"
}
