#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The daemon dies, is replaced, ends: the datapath stays, the new daemon takes
# over what is pinned and sweeps what is stale.  test-kill-flood.sh does it under
# load.
set -u
# shellcheck source=tests/system/sandbox.sh
. "$(dirname "$0")/sandbox.sh"

fip=172.24.100.111

# Runs the rounds of this test with one kind of target.
round() {
    local id before

    check "$1: $fip is offloaded" await_offloaded $fip
    warm $fip
    id=$(program nic0)
    check "$1: it is reached through XDP" pings_through_xdp $fip
    before=$(endpoint $fip packets)
    check "$1: the daemon is killed" daemon_kill
    check "$1: the datapath goes on alone" pings $fip 20
    check "$1: a new daemon starts" daemon_start
    await_offloaded $fip
    check "$1: and knows what went on" equal packets \
        "$(endpoint $fip packets)" $((before + 20))
    echo "# $1: program $id before, $(program nic0) after"
}

# Runs another daemon, for 5 seconds if it can.
second_daemon() {
    local DAEMON_PREFIX=(timeout 5)

    daemon_run --log-file="$SANDBOX/second.log" \
        --rpc-socket="$SANDBOX/second.rpc"
}

sandbox_start
cloud_add || die "the cloud failed"
check "nothing is reached without ovn-xdp" unreachable $fip
check "ovn-xdpd starts" daemon_start || finish
config interfaces nic0
round "own port"
config bridge-port veth
check "the managed port is used" await 10 target_is nic0 br-ex kind veth
round "managed port"

check_not "a second daemon on the same pins refuses" \
    second_daemon
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
