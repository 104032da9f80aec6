#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Layer L3 with a bond of Open vSwitch's in br-ex: both legs are attached, what
# comes and goes does so by the leg that is in use, and follows when that fails.
#
#     far: br0 == wan8 --- nic8 == bond0 == br-ex == OVN
#              == wan9 --- nic9 ==
#
# time-limit: 240
set -u
# shellcheck source=tests/system/sandbox.sh
. "$(dirname "$0")/sandbox.sh"
# shellcheck source=tests/system/direct.sh
. "$(dirname "$0")/direct.sh"

pvm=172.24.100.50
pvm6=2001:db8:100::50
fip=172.24.100.111
period=200          # Of confirmation, in ms.
legs=(8 9)          # The one in use is the first.
declare -A gaps=() vms=([$pvm6]=pvm [$fip]=vm1)

# Makes the bond, and a switch at its other end.
bond_add() {
    ip -n "$SANDBOX_ID-far" link add br0 type bridge &&
        ip -n "$SANDBOX_ID-far" link set wan8 master br0 &&
        ip -n "$SANDBOX_ID-far" link set wan9 master br0 &&
        gateway_at far br0 100 2 &&
        vs del-port br-ex nic8 -- del-port br-ex nic9 \
            -- add-bond br-ex bond0 nic8 nic9 bond_mode=active-backup
}

# Takes the host out of the way.
host_leaves() {
    ip -n "$SANDBOX_ID-hv" link set br-ex down &&
        ovs-ofctl del-flows br-ex cookie=999/-1
}

# Succeeds if the bond uses the NIC with number I.
uses() {
    ovs-appctl -t "$SANDBOX/ovs-vswitchd.ctl" bond/show bond0 |
        grep -q "^active.*(nic$1)"
}

# The leg in use fails under traffic, in both directions: all goes on by the
# other.
fails() {
    local start stream

    watch_start $pvm far pvm $pvm own=7200
    check "$direct: a watch by nic${legs[0]}" equal "exit status" $? 0
    start=$EPOCHREALTIME
    ip -n "$SANDBOX_ID-far" link set "wan${legs[0]}" down
    watch_stop "$start" 0 2500
    check "$direct: nothing came twice or was wrong" equal "exit status" $? 0
    remark <"$SANDBOX/watch"
    for stream in udp-there udp-back; do
        gaps[$direct,$stream]=$(watched $stream gap)
        check "$direct: it goes on by nic${legs[1]}, $stream" between gap \
            "${gaps[$direct,$stream]}" 0 \
            $((${gaps[off,$stream]} + 3 * period + 50))
    done
    legs=("${legs[1]}" "${legs[0]}")
    check "$direct: nic${legs[0]} is in use" await 5 uses "${legs[0]}"
    ip -n "$SANDBOX_ID-far" link set "wan${legs[1]}" up
}

# Traffic both ways, by the leg in use.
traffic_by_leg() {
    local address before

    for address in $pvm6 $fip; do
        check "$direct: $address is ready" await_direct "$address"
        [ "$direct" = off ] || before=$(counted "nic${legs[0]}" direct)
        quick "$address, bulk up" 1000 10 traffic bulk far \
            "${vms[$address]}" "$address" 3000000 up
        quick "$address, bulk down" 10 1000 traffic bulk far \
            "${vms[$address]}" "$address" 3000000 down
        quick "$address, datagrams" 900 900 datagrams far \
            "${vms[$address]}" "$address" 1000 2000 echo
        [ "$direct" = off ] ||
            check "$direct: $address: by nic${legs[0]}" between packets \
                $(($(counted "nic${legs[0]}" direct) - before)) 1000 1000000000
    done
}

sandbox_start
cloud_add || die "the cloud failed"
# 'die' is for whatever fails.
# shellcheck disable=SC2015
ip netns add "$SANDBOX_ID-far" && nic_switched 8 far && nic_switched 9 far &&
    bond_add && host_leaves || die "no bond"
# 'die' is for whatever fails.
# shellcheck disable=SC2015
guests_ready vm1 pvm && windows_free || die "no layer L3 here"
for address in $pvm $pvm6 $fip; do
    check "OVN serves $address" await 20 \
        ns far ping -n -q -c 1 -W 1 "$address"
done
uses 8 || legs=(9 8)
check "ovn-xdpd starts" daemon_start || finish
config confirm-ms $period
config acl off
config interfaces auto
for mode in "${direct_modes[@]}"; do
    direct_begin "$mode"
    if [ "$mode" = on ]; then
        check "nic8 is attached" await_attached nic8
        check "nic9 is attached" await_attached nic9
    fi
    traffic_by_leg
    fails
    traffic_by_leg
done
remark <"$SANDBOX/traffic"
check "no checksum was wrong" traffic sums far vm1 pvm
finish
