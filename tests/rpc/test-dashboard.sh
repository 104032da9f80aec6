#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The dashboard for Grafana shows metrics that there are, as what they are.

set -u

tmp=${OVN_XDP_TMP:-$(mktemp -d)}
dashboard=$OVN_XDP_SRCDIR/rpm/grafana/ovn-xdp.json
# shellcheck source=tests/tap.sh
. "$OVN_XDP_SRCDIR/tests/tap.sh"
# shellcheck source=tests/rpc/metrics.sh
. "$OVN_XDP_SRCDIR/tests/rpc/metrics.sh"

python=$(metrics_python) || {
    echo "needs python3-prometheus-client"
    exit 77
}

# fits FILE: the dashboard FILE is well.
fits() {
    "$python" "$OVN_XDP_SRCDIR/tests/rpc/check-dashboard.py" "$1" \
        "$tmp/metrics" "$tmp/words"
}

# refuses NAME SCRIPT: the dashboard, changed by a script of sed, is not.
refuses() {
    sed "$2" "$dashboard" >"$tmp/changed"
    ! cmp -s "$dashboard" "$tmp/changed" && ! fits "$tmp/changed" \
        >"$tmp/said" 2>&1
    result "$1" $?
}

coproc server {
    exec "$OVN_XDP_BUILDDIR/tests/rpc/fake-server" "$tmp/ovn-xdpd.rpc"
}
server_in=${server[1]} server_pid=${server_PID:-}
read -r _ <&"${server[0]}"
"$OVN_XDP_BUILDDIR/rpc/ovn-xdpctl" -s "$tmp/ovn-xdpd.rpc" metrics prometheus \
    >"$tmp/metrics"
exec {server_in}>&-
wait "$server_pid"
sed -n 's/^PACKET_REASON([^"]*"\([a-z-]*\)".*/\1/p' \
    "$OVN_XDP_SRCDIR/bpf/reason.def" >"$tmp/words"

fits "$dashboard"
result "the dashboard" $?
refuses "no JSON" '0,/,$/s/,$//'
refuses "a metric that there is not" 's/map_entries/map_size/'
refuses "a label that there is not" 's/by (state)/by (status)/'
refuses "a legend of nothing" 's/{{kind}}/{{sort}}/'
refuses "a value that nobody emits" 's/reason=\\"redirected/reason=\\"flown/'
refuses "a counter as it stands" \
    's/rate(\(ovn_xdp_redirect_errors_total{[^}]*}\)\[[^]]*\])/\1/'
refuses "the rate of a gauge" 's/changes(/rate(/'
refuses "all nodes at once" 's/map_capacity{[^}]*}/map_capacity/'
refuses "a function of its own" 's/topk(/best(/'
refuses "a panel on another" '0,/"x": 12/s//"x": 0/'
refuses "another data source" '/"targets"/,/uid/s/uid.*/uid": "mine"/'

exit "$failed"
