#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The daemon answers: JSON-RPC on its socket, ovn-xdpctl in front of it,
# unixctl beside it.
# time-limit: 60
set -u
# shellcheck source=tests/system/sandbox.sh
. "$(dirname "$0")/sandbox.sh"

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
    "sorted(d['result'])[:2]" '["endpoints", "interfaces"]'
replies "an unknown method" no.such "d['error']['code']" -32601
check "a batch" equal replies "$(rpc '[
    {"jsonrpc": "2.0", "id": 1, "method": "rpc.hello"},
    {"jsonrpc": "2.0", "method": "rpc.hello"},
    {"jsonrpc": "2.0", "id": 2, "method": "status.get"}]' |
    json "sorted(r['id'] for r in d)")" "[1, 2]"
check "an unknown parameter" equal code "$(rpc '{"jsonrpc": "2.0", "id": 1,
    "method": "status.get", "params": {"x": 1}}' |
    json "d['error']['code']")" -32602

for command in status health interfaces endpoints stats; do
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
