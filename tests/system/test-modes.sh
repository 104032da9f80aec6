#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The ways into the bridge: natively into its own device (a tap, here), by the
# managed veth port, and generic; changed live.
set -u
# shellcheck source=tests/system/sandbox.sh
. "$(dirname "$0")/sandbox.sh"

addresses=(172.24.100.111 172.24.100.112 2001:db8:100::50 172.24.101.50)

# Checks that nic0 runs in mode MODE with a target of kind KIND, and that all
# kinds of packets go that way.
#
# usage: goes_by MODE KIND
goes_by() {
    local address

    check "$1 mode" await 10 interface_is nic0 mode "$1"
    check "$1 mode: target is a $2" await 10 target_is nic0 br-ex kind "$2"
    check "$1 mode: target is ready" await 10 target_is nic0 br-ex state ready
    for address in "${addresses[@]}"; do
        await_offloaded "$address" && warm "$address"
        check "$1 mode, $2: $address" pings_through_xdp "$address"
    done
    check "$1 mode, $2: TCP" tcp_echo 172.24.100.111 1000000
    check "$1 mode, $2: TCP, VLAN" tcp_echo 172.24.101.50 1000000
}

# Prints the name of the managed port's row.
managed_port() {
    vs --bare --columns=name find Port 'external_ids:ovn-xdp-bridge-port!=""'
}

# Succeeds if device DEV of hv has no address of its own.
no_address() {
    equal "addresses of $1" \
        "$(ip -n "$SANDBOX_ID-hv" -o addr show dev "$1")" ""
}

sandbox_start
cloud_add --vlan || die "the cloud failed"
serve vm1
serve vvm
check "nothing is reached without ovn-xdp" unreachable "${addresses[@]}"
check "ovn-xdpd starts" daemon_start || finish
config interfaces nic0
goes_by native tap
check "no port is added to the bridge" equal port "$(managed_port)" ""

config bridge-port veth
goes_by native veth
outer=$(target nic0 br-ex device)
check "its outer end has no address" no_address "$outer"
check "a port is added to the bridge" inverted \
    equal port "$(managed_port)" ""

config mode generic
goes_by generic veth
config bridge-port internal
goes_by generic tap
check "the port is removed from the bridge" \
    await 10 equal port "$(managed_port)" ""
check_not "and its device is gone" ip -n "$SANDBOX_ID-hv" link show "$outer"
config mode native
goes_by native tap

config mode sideways
check "a bad value is reported" await 5 has_problem bad-value
check "and the last good one stays" interface_is nic0 mode native

config bridge-port veth
goes_by native veth
check "ovn-xdpd stops" daemon_stop --cleanup
check "its port is gone" equal port "$(managed_port)" ""
check "its program is gone" no_program nic0
check "nothing is reached any more" unreachable "${addresses[@]}"
finish
