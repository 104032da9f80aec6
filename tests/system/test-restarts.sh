#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# What ovn-xdp depends on goes and comes back: ovs-vswitchd, the bridge, the
# NIC, ovn-controller.
set -u
# shellcheck source=tests/system/sandbox.sh
. "$(dirname "$0")/sandbox.sh"

fip=172.24.100.111

# Checks that both ways in lead to OVN, through XDP.
reached() {
    local address

    for address in $fip 2001:db8:100::50; do
        check "$1: $address is offloaded" await_offloaded "$address"
        check "$1: $address answers" warm "$address"
        check "$1: $address is reached through XDP" pings_through_xdp "$address"
    done
}

# Makes nic0 anew.
nic_again() {
    nic_add 0 && hv_routes && world_via 0
}

# Runs all this with one kind of target.
round() {
    reached "$1, at first"
    check "$1: ovs-vswitchd restarts" vswitchd_restart
    check "$1: the target is followed" await 10 target_is_new
    reached "$1, ovs-vswitchd restarted"
    check "$1: br-ex is made anew" bridge_again
    check "$1: the target is followed" await 10 target_is_new
    reached "$1, br-ex made anew"
    check "$1: nic0 is deleted" ip -n "$SANDBOX_ID-hv" link del nic0
    check "$1: ovn-xdp sees it go" await 5 interface_is nic0 reason no-device
    check "$1: nic0 is made anew" nic_again
    check "$1: nic0 is attached again" await_attached nic0
    reached "$1, nic0 made anew"
}

sandbox_start
cloud_add || die "the cloud failed"
check "nothing is reached without ovn-xdp" \
    unreachable $fip 2001:db8:100::50
check "ovn-xdpd starts" daemon_start || finish
config interfaces nic0
check "nic0 is attached" await_attached nic0
round "own port"
config bridge-port veth
check "the managed port is used" await 10 target_is nic0 br-ex kind veth
round "managed port"

check "ovn-controller is killed" daemon_end ovn-controller KILL
check "without it all goes on" pings_through_xdp $fip
check "it starts again" controller_start
check "OVN is in step" ovn_sync
reached "ovn-controller restarted"
finish
