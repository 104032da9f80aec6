#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Two NICs with ECMP: packets of one address come in by both, and are counted
# on each and in the sum.  Two bridges: each address goes into its own.
set -u
# shellcheck source=tests/system/sandbox.sh
. "$(dirname "$0")/sandbox.sh"

fip=172.24.100.111

# Checks that pings that come in by NIC number I are redirected there.
comes_by() {
    local nic=nic$1 before

    world_via "$1"
    before=$(counted "$nic" redirected)
    check "pings by $nic" pings_through_xdp $fip
    check "counted on $nic" equal redirected \
        $(($(counted "$nic" redirected) - before)) 5
}

# Sends datagrams from many source ports, so that ECMP uses both ways.
many_flows() {
    local i

    for ((i = 0; i < 16; i++)); do
        udp_count "$fip" 5 1000 || return
    done
}

# Makes a second bridge with a network of its own and a VM on it.
second_bridge() {
    bridge_add br-two 02:00:00:00:02:00 &&
        vs wait-until Interface br-two 'ofport>0' && router_leg br-two &&
        vs set Open_vSwitch . \
            external_ids:ovn-bridge-mappings=physnet1:br-ex,physnet2:br-two &&
        provider_add second "" physnet2 &&
        vm_add svm second fa:16:3e:00:03:50 172.24.102.50/24 172.24.102.1
}

sandbox_start --nics 2
cloud_add || die "the cloud failed"
serve vm1
check "nothing is reached without ovn-xdp" unreachable $fip
check "ovn-xdpd starts" daemon_start || finish
config interfaces nic0,nic1
check "nic0 is attached" await_attached nic0
check "nic1 is attached" await_attached nic1
check "$fip is offloaded" await_offloaded $fip
warm $fip
comes_by 0
comes_by 1

world_via 0 1
zero=$(counted nic0 redirected) one=$(counted nic1 redirected)
check "many flows, each frame counted in the sum" \
    through_xdp $fip 96 many_flows
zero=$(($(counted nic0 redirected) - zero))
one=$(($(counted nic1 redirected) - one))
check "some by nic0" between redirected $zero 1 95
check "some by nic1" between redirected $one 1 95
check "none twice, none lost" equal redirected $((zero + one)) 96
check "TCP" tcp_echo $fip 1000000

check "a second bridge" second_bridge
check "its VM is offloaded" await_offloaded 172.24.102.50
check "into that bridge" endpoint_is 172.24.102.50 bridge br-two
check "each NIC has it as a target" target_is nic1 br-two state ready
warm 172.24.102.50
check "it is reached through XDP" pings_through_xdp 172.24.102.50 10
check "so is the other's" pings_through_xdp $fip 10

config interfaces nic1
check "nic0 is let go" await 5 no_program nic0
world_via 0
check "by nic0 nothing is reached any more" unreachable $fip
comes_by 1
config interfaces
check "nic1 is let go too" await 5 no_program nic1
check "nothing is reached any more" unreachable $fip 172.24.102.50
finish
