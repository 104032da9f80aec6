#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The daemon dies, is replaced, ends: not one packet is lost, the new daemon
# takes over what is pinned and sweeps what is stale.
# time-limit: 90
set -u
# shellcheck source=tests/system/sandbox.sh
. "$(dirname "$0")/sandbox.sh"

fip=172.24.100.111

# Prints the identifier of the program on nic0.
program() {
    ip -n "$SANDBOX_ID-hv" link show dev nic0 |
        sed -n 's|.*prog/xdp id \([0-9]*\).*|\1|p'
}

# Kills the daemon and starts it again while datagrams are under way for four
# seconds, RATE per second; each must arrive, and each must be counted by the
# datapath.
killed_under_load() {
    local rate=$1 count=$((4 * $1)) frames all

    frames=$(frames ext wan0 tx)
    all=$(counted nic0)
    udp_count $fip "$count" "$rate" >"$SANDBOX/load" 2>&1 &
    load=$!
    await 5 frames_sent "$frames" $((rate / 4)) || return
    check "the daemon is killed with -9" daemon_kill
    await 5 frames_sent "$frames" "$rate" || return
    check "a new daemon starts" daemon_start
    check_not "all this under load" gone $load
    wait $load
    check "each of $count datagrams arrives" equal "exit status" $? 0
    remark <"$SANDBOX/load"
    ctl -f json stats | json "[d['interfaces'], d['redirect_errors']]" |
        remark
    frames=$(($(frames ext wan0 tx) - frames))
    all=$(($(counted nic0) - all))
    check "each frame has its reason" equal frames $all $frames
}

# Succeeds if 'ext' has sent COUNT frames since its counter was START.
frames_sent() {
    [ $(($(frames ext wan0 tx) - $1)) -ge "$2" ]
}

# Runs the rounds of this test with one kind of target, at RATE datagrams per
# second.
#
# usage: round KIND RATE
round() {
    local id before

    check "$1: $fip is offloaded" await_offloaded $fip
    warm $fip
    id=$(program)
    killed_under_load "$2"
    check "$1: $fip is offloaded again" await_offloaded $fip
    check "$1: and reached through XDP" pings_through_xdp $fip
    before=$(endpoint $fip packets)
    check "$1: the daemon is killed" daemon_kill
    check "$1: the datapath goes on alone" pings $fip 20
    check "$1: a new daemon starts" daemon_start
    await_offloaded $fip
    check "$1: and knows what went on" equal packets \
        "$(endpoint $fip packets)" $((before + 20))
    echo "# $1: program $id before, $(program) after"
}

sandbox_start
cloud_add || die "the cloud failed"
serve vm1
check "nothing is reached without ovn-xdp" unreachable $fip
check "ovn-xdpd starts" daemon_start || finish
config interfaces nic0
round "own port" 2000
config bridge-port veth
check "the managed port is used" await 10 target_is nic0 br-ex kind veth
# Here ovs-vswitchd reads from a socket whose buffer takes some 280 frames, and
# it may not get a processor for a while.
round "managed port" 500

check_not "a second daemon on the same pins refuses" \
    timeout 5 nsenter --net="/run/netns/$SANDBOX_ID-hv" -- "$OVN_XDPD" \
    --no-chdir --pin-dir="$SANDBOX_PINS" \
    --rpc-socket="$SANDBOX/second.rpc" "unix:$SANDBOX/db.sock"
check "and does no harm" pings_through_xdp $fip

check "it exits plainly" daemon_stop
check "the datapath stays" pings $fip
check "a VM is removed meanwhile" vm_del pvm
check "a floating IP is moved meanwhile" fip_move $fip vm2 centralised
check "a new daemon starts" daemon_start
check "it forgets the VM" await 5 no_endpoint 172.24.100.50
check "it follows the floating IP" await 5 endpoint_is $fip kind \
    fip-centralised
check "which is reached through XDP" pings_through_xdp $fip

check "it exits with --cleanup" daemon_stop --cleanup
check "no program is left" no_program nic0
check "no pin is left" no_pins
check "no port is left" equal port "$(vs --bare --columns=name find Port \
    'external_ids:ovn-xdp-bridge-port!=""')" ""
check "nothing is reached any more" unreachable $fip
finish
