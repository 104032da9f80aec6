#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The metrics of the fake daemon, as Prometheus' parser of OpenMetrics sees
# them.  Those of the real one are in tests/system/test-rpc.sh.

set -u

tmp=${OVN_XDP_TMP:-$(mktemp -d)}
ctl=$OVN_XDP_BUILDDIR/rpc/ovn-xdpctl
fake_server=$OVN_XDP_BUILDDIR/tests/rpc/fake-server
socket=$tmp/ovn-xdpd.rpc
# shellcheck source=tests/tap.sh
. "$OVN_XDP_SRCDIR/tests/tap.sh"
# shellcheck source=tests/rpc/metrics.sh
. "$OVN_XDP_SRCDIR/tests/rpc/metrics.sh"

metrics_python >/dev/null || {
    echo "needs python3-prometheus-client"
    exit 77
}

# metrics_of [VIEW]: leaves the metrics of the fake daemon in $tmp/out.
metrics_of() {
    coproc server { exec "$fake_server" "$socket" "$@"; }
    local input=${server[1]} pid=${server_PID:-}
    read -r _ <&"${server[0]}"
    "$ctl" -s "$socket" -t 60 metrics >"$tmp/out"
    exec {input}>&-
    wait "$pid"
}

# refuses NAME SCRIPT: the metrics, changed by a script of sed, are wrong.
refuses() {
    sed "$2" "$tmp/out" >"$tmp/changed"
    ! cmp -s "$tmp/out" "$tmp/changed" && ! metrics_check \
        <"$tmp/changed" >"$tmp/said" 2>&1
    result "$1" $?
}

metrics_of
metrics_check \
    'ovn_xdp_build_info{version="0.0.1"}=1' \
    'ovn_xdp_start_time_seconds=1700000000.5' \
    'ovn_xdp_health{ovn_xdp_health="ok"}=1' \
    'ovn_xdp_changes_total=42' \
    'ovn_xdp_updates_total=99' \
    'ovn_xdp_recomputes_total=17' \
    'ovn_xdp_database_connected{database="Open_vSwitch"}=1' \
    'ovn_xdp_database_connected{database="OVN_Southbound"}=0' \
    'ovn_xdp_database_last_change_age_seconds{database="Open_vSwitch"}=3' \
    'ovn_xdp_problems{class="database-down"}=1' \
    'ovn_xdp_map_entries{map="endpoints"}=2' \
    'ovn_xdp_map_capacity{map="endpoints"}=65536' \
    'ovn_xdp_interface_state{interface="eth1",ovn_xdp_interface_state="refused"}=1' \
    'ovn_xdp_interface_packets_total{interface="eth0",reason="not-local"}=34' \
    'ovn_xdp_interface_bytes_total{interface="eth0",reason="redirected"}=96000' \
    'ovn_xdp_redirect_errors_total{error="ENXIO"}=5' \
    'ovn_xdp_endpoints{kind="vm",state="pending"}=1' \
    'ovn_xdp_endpoints_not_offloaded{reason="no-bridge"}=1' \
    'ovn_xdp_endpoints_without_series=0' \
    'ovn_xdp_endpoint_packets_total{address="2001:db8::10"}=7' \
    'ovn_xdp_endpoint_bytes_total{address="203.0.113.10"}=96000' \
    'ovn_xdp_endpoint_drops_total{address="2001:db8::10"}=1' \
    'ovn_xdp_endpoints_acl{acl="enforced"}=1' \
    'ovn_xdp_endpoints_acl{acl="pass-only"}=2' \
    'ovn_xdp_endpoints_acl_pass{reason="acl-match"}=1' \
    'ovn_xdp_acl_lease=1' \
    'ovn_xdp_map_entries{map="opened"}=9' \
    'ovn_xdp_map_entries{map="acl_sources"}=6' \
    'ovn_xdp_map_entries{map="direct_ports"}=1' \
    'ovn_xdp_direct=1' \
    'ovn_xdp_endpoints_direct=1' \
    'ovn_xdp_endpoints_not_direct{reason="direct-conntrack"}=1' \
    'ovn_xdp_direct_packets_total{side="near-vm",reason="direct"}=900' \
    'ovn_xdp_direct_bytes_total{side="near-vm",reason="flow-control"}=120' \
    'ovn_xdp_direct_flows{state="used"}=2' \
    'ovn_xdp_direct_flows{state="unused"}=2' \
    'ovn_xdp_direct_active_flows=1' \
    'ovn_xdp_direct_flow_capacity=262144' \
    'ovn_xdp_direct_flows_expired_total=17' \
    'ovn_xdp_direct_flows_unconfirmed_total=3' \
    'ovn_xdp_direct_voids_total{cause="ovn"}=4' \
    'ovn_xdp_direct_confirm_period_seconds=0.5' \
    'ovn_xdp_direct_probes_total=1234' \
    'ovn_xdp_direct_probes_unsent_total=1' \
    <"$tmp/out"
result "the usual" $?

refuses "no end" '/^# EOF/d'
refuses "a counter without _total" 's/changes_total/changes/'
refuses "a sample that is there twice" '/map_capacity{map="targets"}/p'
refuses "a family that is there twice" '1h;2,3H;/EOF/{x;p;x}'
refuses "a unit that is missing" '/UNIT.*_bytes/d'
refuses "two states at once" 's/\(health="failed"}\) 0/\1 1/'
refuses "a quote that is not escaped" 's/redirected/redi"rected/'

metrics_of empty
metrics_check 'ovn_xdp_map_entries{map="endpoints"}=0' '!ovn_xdp_problems' \
    '!ovn_xdp_endpoint_packets_total' '!ovn_xdp_interface_info' \
    'ovn_xdp_direct=0' '!ovn_xdp_direct_packets_total' <"$tmp/out"
result "nothing configured" $?

metrics_of failed
metrics_check 'ovn_xdp_health{ovn_xdp_health="failed"}=1' <"$tmp/out"
result "a daemon that serves nothing" $?

metrics_of many
metrics_check 'ovn_xdp_endpoints_without_series=65003' \
    'ovn_xdp_endpoints{kind="fip-distributed",state="offloaded"}=65001' \
    '!ovn_xdp_endpoint_packets_total' <"$tmp/out"
result "65,003 endpoints" $?
[ "$(wc -l <"$tmp/out")" -lt 200 ]
result "have no series each" $?

exit "$failed"
