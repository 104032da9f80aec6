#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# What differs with the OVS kernel datapath; runs in the guest.  There br-ex
# is an OVS internal port, which cannot take natively redirected frames.
#
# usage: kernel-datapath.sh DAEMON, the program that ovn-xdpd must be
set -u
# shellcheck source=tests/system/sandbox.sh
. "$(dirname "$0")/../system/sandbox.sh"

addresses=(172.24.100.111 172.24.100.112 2001:db8:100::50 172.24.101.50)

# Checks that nic0 runs in mode MODE with a target of kind KIND, and that
# all kinds of packets go that way.
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
    check "$1 mode, $2: TCP, both ways" tcp_echo 172.24.100.111 3000000
    check "$1 mode, $2: TCP, VLAN" tcp_echo 172.24.101.50 300000
    check "$1 mode, $2: OVN's own answers come back" \
        expires 172.24.100.111
}

# Succeeds if OVN says that a packet to ADDRESS with a time to live of 2 has
# expired: it turns that packet round.
expires() {
    ns ext ping -n -c 1 -W 5 -t 2 "$1" | tee /dev/fd/2 |
        grep -q 'Time to live exceeded'
}

# Succeeds if the datapath has lost no packet on its way to ovs-vswitchd.
nothing_lost() {
    ovs-appctl -t "$SANDBOX/ovs-vswitchd.ctl" dpctl/show | tee /dev/fd/2 |
        grep -q 'lost:0$'
}

echo "# kernel $(uname -r)"
sandbox_start --datapath system
cloud_add --vlan || die "the cloud failed"
serve vm1
serve vvm
check "nothing is reached without ovn-xdp" unreachable "${addresses[@]}"
kernel_route 172.24.100.111 fa:16:3e:00:01:11
check "the kernel's rules reach a floating IP" warm 172.24.100.111
kernel_unroute 172.24.100.111

check "ovn-xdpd starts" daemon_start || finish
# Not by its path: confine puts the program elsewhere.
check "the one that is to be tested" cmp "/proc/$(daemon_pid)/exe" "$1"
config interfaces nic0
check "nic0 is attached" await_attached nic0
goes_by native veth

config mode native
config bridge-port internal
check "native into br-ex is recognised as impossible" \
    await 10 target_is nic0 br-ex reason no-ndo-xmit
check "the target is refused" target_is nic0 br-ex state refused
check "no address is said to be offloaded" await 5 inverted \
    endpoint_is 172.24.100.111 state offloaded
check "nothing is reached" unreachable "${addresses[@]}"

config mode generic
goes_by generic internal
check "its price is reported" has_problem generic-mode

config mode auto
config bridge-port auto
check "and back to native" await 10 target_is nic0 br-ex kind veth
check "a floating IP is offloaded" await_offloaded 172.24.100.111
warm 172.24.100.111
check "and reached" pings_through_xdp 172.24.100.111
before=$(endpoint 172.24.100.111 packets)
check "the daemon is killed with -9" daemon_kill
check "the datapath goes on alone" pings 172.24.100.111
check "TCP too" tcp_echo 172.24.100.111 1000000
check "a new daemon starts" daemon_start
check "it takes over" await_offloaded 172.24.100.111
check "with what was counted" between packets \
    "$(endpoint 172.24.100.111 packets)" $((before + 20)) $((before + 100000))
check "and goes on" pings_through_xdp 172.24.100.111
check "no packet was lost on the way to ovs-vswitchd" nothing_lost

check "ovs-vswitchd restarts" vswitchd_restart
check "the target is followed" await 10 target_is_new
check "a floating IP answers" warm 172.24.100.111
check "through XDP" pings_through_xdp 172.24.100.111
check "br-ex is made anew" bridge_again
check "the target is followed" await 10 target_is_new
check "a floating IP answers" warm 172.24.100.111
check "through XDP" pings_through_xdp 172.24.100.111

vs clear Port xdpi-br-ex external_ids
check "a managed port without its mark is not used: generic mode" \
    await 10 interface_is nic0 mode generic
check "status says why" has_problem port-failed
check "a floating IP answers" warm 172.24.100.111
check "through XDP" pings_through_xdp 172.24.100.111
id=$(interface nic0 program_id)
for mtu in 1400 1450 1500; do
    ip -n "$SANDBOX_ID-hv" link set br-ex mtu $mtu
done
check "and stays in that mode" interface_is nic0 program_id "$id"
vs del-port xdpi-br-ex
check "without that row it is native again" \
    await 10 interface_is nic0 mode native
check "the target is ready" await 10 target_is nic0 br-ex state ready
check "a floating IP answers" warm 172.24.100.111
check "through XDP" pings_through_xdp 172.24.100.111

check "ovn-xdpd stops" daemon_stop --cleanup
check "its program is gone" no_program nic0
check "nothing is reached any more" unreachable "${addresses[@]}"
finish
