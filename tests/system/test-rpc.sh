#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The daemon answers: JSON-RPC on its socket, ovn-xdpctl in front of it,
# unixctl beside it.
set -u
# shellcheck source=tests/system/sandbox.sh
. "$(dirname "$0")/sandbox.sh"
# shellcheck source=tests/rpc/metrics.sh
. "$(dirname "$0")/../rpc/metrics.sh"

fip=172.24.100.111

# Sends the JSON-RPC request REQUEST and prints the reply.
rpc() {
    "$PYTHON3" -c 'import socket, sys
s = socket.socket(socket.AF_UNIX)
s.settimeout(5)
s.connect(sys.argv[1])
s.sendall(sys.argv[2].encode())
print(s.makefile().readline(), end="")' "$SANDBOX/ovn-xdpd.rpc" "$1"
}

# Checks what EXPRESSION says of the reply to METHOD.
#
# usage: replies NAME METHOD EXPRESSION EXPECTED
replies() {
    check "$1" equal "$3" "$(rpc '{"jsonrpc": "2.0", "id": 1,
        "method": "'"$2"'"}' | json "$3")" "$4"
}

# Succeeds if the metrics are OpenMetrics and have what the arguments say.
parses_metrics() {
    ctl metrics | metrics_check "$@"
}

# Succeeds if "features" and bpftool are of one mind about the kernel.
kernel_features() {
    local ours theirs

    ours=$(ctl -f json features | json "[f['available']
        for name in ('xdp', 'devmap-hash', 'jit', 'btf')
        for f in d['kernel']['features'] if f['name'] == name]") || return
    theirs=$(bpftool -j feature probe kernel | json "[
        d['program_types']['have_xdp_prog_type'],
        d['map_types']['have_devmap_hash_map_type'],
        d['system_config']['bpf_jit_enable'] > 0,
        $([ -e /sys/kernel/btf/vmlinux ] && echo True || echo False)]") ||
        return
    equal features "$ours" "$theirs"
}

sandbox_start
cloud_add || die "the cloud failed"
check "ovn-xdpd starts" daemon_start || finish
check "health without NICs" ctl health
config interfaces nic0
check "$fip is offloaded" await_offloaded $fip
warm $fip

replies "rpc.hello: product" rpc.hello "d['result']['product']" ovn-xdp
replies "rpc.hello: API" rpc.hello "d['result']['api']" 1
replies "rpc.discover is OpenRPC" rpc.discover \
    "'openrpc' in d['result'] and 'endpoint.list' in [
        m['name'] for m in d['result']['methods']]" true
replies "status.get" status.get "d['result']['chassis']" here
replies "health.get" health.get "d['result']['status']" ok
replies "interface.list" interface.list "d['result'][0]['name']" nic0
replies "endpoint.list" endpoint.list \
    "sorted(e['address'] for e in d['result']) == sorted([
        '172.24.100.111', '172.24.100.112', '172.24.100.10',
        '172.24.100.50', '2001:db8:100::10', '2001:db8:100::50'])" true
replies "stats.get" stats.get \
    "sorted(d['result'])[:3]" '["direct", "endpoints", "interfaces"]'
replies "an unknown method" no.such "d['error']['code']" -32601
check "a batch" equal replies "$(rpc '[
    {"jsonrpc": "2.0", "id": 1, "method": "rpc.hello"},
    {"jsonrpc": "2.0", "method": "rpc.hello"},
    {"jsonrpc": "2.0", "id": 2, "method": "status.get"}]' |
    json "sorted(r['id'] for r in d)")" "[1, 2]"
check "an unknown parameter" equal code "$(rpc '{"jsonrpc": "2.0", "id": 1,
    "method": "status.get", "params": {"x": 1}}' |
    json "d['error']['code']")" -32602

for command in status health interfaces endpoints acls flows stats metrics \
    features; do
    check "ovn-xdpctl $command" ctl $command
    check "ovn-xdpctl -f json $command" ctl -f json $command
done
check "endpoints by address" equal rows \
    "$(ctl -f json endpoints 2001:DB8:100:0::50 | json "len(d)")" 1
check "endpoints by port" equal rows \
    "$(ctl -f json endpoints pvm | json "len(d)")" 2
check "both databases are connected" equal states "$(ctl -f json status |
    json "sorted({b['state'] for b in d['databases']})")" '["synced"]'
check "status counts" equal offloaded \
    "$(ctl -f json status | json "d['endpoints']['offloaded']")" 6
before=$(ctl -f json stats | json "d['endpoints']['$fip']['packets']")
check "some packets" pings $fip 7
check "stats counts them" equal packets $(($(ctl -f json stats |
    json "d['endpoints']['$fip']['packets']") - before)) 7
check "an OpenMetrics parser reads the metrics" parses_metrics \
    "ovn_xdp_endpoint_packets_total{address=\"$fip\"}=$((before + 7))" \
    'ovn_xdp_health{ovn_xdp_health="ok"}=1' \
    'ovn_xdp_endpoints{kind="fip-distributed",state="offloaded"}=1' \
    'ovn_xdp_map_entries{map="endpoints"}=6' \
    'ovn_xdp_map_entries{map="targets"}=1' \
    'ovn_xdp_map_capacity{map="endpoints"}=65536' \
    'ovn_xdp_database_connected{database="OVN_Southbound"}=1' \
    'ovn_xdp_interface_state{interface="nic0",ovn_xdp_interface_state="attached"}=1'
check "features of a NIC" equal "what nic0 is" "$(ctl -f json features nic0 |
    json "[[i['name'], i['driver']] for i in d['interfaces']]")" \
    '[["nic0", "veth"]]'
check "are those that interfaces shows" equal "what nic0 can do" \
    "$(ctl -f json features nic0 | json "sorted(f['name']
        for f in d['interfaces'][0]['features'] if f['available']
        and f['name'] not in ('rx-sg', 'vlan-tags'))")" \
    "$(interface nic0 features | json "sorted(d)")"
check "features of the NIC and its target" equal devices \
    "$(ctl -f json features | json "[i['name'] for i in d['interfaces']]")" \
    '["br-ex", "nic0"]'
check "features of the kernel are those that bpftool finds" kernel_features
check_not "features of no device" ctl features nowhere
check "have a class" equal class "$(rpc '{"jsonrpc": "2.0", "id": 1,
    "method": "feature.probe", "params": ["nowhere"]}' |
    json "d['error']['data']")" \
    '{"class": "not-found", "parameter": "interface"}'
check_not "an unknown command" ctl frobnicate
check "is a usage error" equal status "$(ctl frobnicate >/dev/null 2>&1
    echo $?)" 2
check "nobody home is an error" equal status "$("$OVN_XDPCTL" \
    -s "$SANDBOX/nobody.rpc" status >/dev/null 2>&1; echo $?)" 1

check "unixctl version" daemon_appctl version
check "unixctl connection-status" daemon_appctl connection-status
check "unixctl recompute" daemon_appctl recompute
check "and nothing changes" pings_through_xdp $fip
check "a log was written" test -s "$SANDBOX/ovn-xdpd.log"
check_not "without an error in it" grep -E '\|(ERR|EMER)\|' \
    "$SANDBOX/ovn-xdpd.log"
finish
