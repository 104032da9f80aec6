#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Follows OVN: VMs come and go, floating IPs move under a running ping, the
# gateway moves away and back, settings change.
set -u
# shellcheck source=tests/system/sandbox.sh
. "$(dirname "$0")/sandbox.sh"

fip=172.24.100.111

# Moves the floating IP as fip_move's arguments say, under a ping every 10 ms,
# and checks that ovn-xdp follows and that at most MAXIMUM pings are lost.
#
# usage: moves MAXIMUM VM distributed|centralised
moves() {
    local mac=fa:16:3e:00:01:01 kind=fip-$3

    [ "$3" = centralised ] || mac=$(mac_of "$2" eth0)
    ping_start $fip 10
    check "a ping runs" equal "exit status" $? 0
    check "$fip moves to $2, $3" fip_move $fip "$2" "$3"
    check "ovn-xdp takes it for $kind" await 10 endpoint_is $fip kind "$kind"
    check "with MAC $mac" await 10 endpoint_is $fip mac "$mac"
    check "OVN is done" ovn_sync
    check "it still answers" pings $fip
    ping_stop
    echo "# moved to $2, $3: $ping_sent pings, $ping_lost lost"
    check "of $ping_sent pings at most $1 are lost" \
        between lost "$ping_lost" 0 "$1"
    check "it answers through XDP" pings_through_xdp $fip
}

# Prints how many pings OVN itself loses when a centralised floating IP moves
# between VMs: the kernel's way in stays as it is meanwhile.
own_loss() {
    kernel_route $fip fa:16:3e:00:01:01 && warm $fip >/dev/null &&
        ping_start $fip 10 && fip_move $fip vm2 centralised &&
        ovn_sync && pings $fip >/dev/null && ping_stop &&
        kernel_unroute $fip && fip_move $fip vm1 centralised
    echo "$ping_lost"
}

sandbox_start
cloud_add || die "the cloud failed"
nb --wait=hv clear NAT "$(nb --bare --columns=_uuid find NAT \
    external_ip=$fip)" external_mac
own=$(own_loss) || die "OVN alone cannot move $fip"
echo "# OVN itself loses $own pings"
fip_move $fip vm1 distributed

check "nothing is reached without ovn-xdp" unreachable $fip 172.24.100.99
check "ovn-xdpd starts" daemon_start || finish
config interfaces nic0
check "$fip is offloaded" await_offloaded $fip
warm $fip

check "a VM is added" vm_add vm9 public fa:16:3e:00:01:99 \
    172.24.100.99/24 172.24.100.1 2001:db8:100::99/64 2001:db8:100::1
for address in 172.24.100.99 2001:db8:100::99; do
    check "its address $address is offloaded" await_offloaded $address
    warm $address
    check "and reached through XDP" pings_through_xdp $address
done
check "a VM is removed" vm_del vm9
check "its IPv4 address is forgotten" await 5 no_endpoint 172.24.100.99
check "its IPv6 address is forgotten" await 5 no_endpoint 2001:db8:100::99
check "a floating IP is added" fip_add r1 172.24.100.120 pvm centralised
check "it is offloaded" await_offloaded 172.24.100.120
check "a floating IP is taken away" fip_del r1 172.24.100.120
check "it is forgotten" await 5 no_endpoint 172.24.100.120

# A move that changes the MAC address has a moment in which OVN and ovn-xdp
# do not agree: what is lost then is lost to both.
moves $((own + 5)) vm2 distributed
moves $((own + 5)) vm2 centralised
moves $((own + 1)) vm1 centralised
moves $((own + 5)) vm1 distributed

check "another chassis" chassis_add elsewhere
check "the gateway moves there" gateway_move r1 elsewhere
check "the router is no more here" await 5 no_endpoint 172.24.100.10
check "nor is the centralised address" await 5 no_endpoint 172.24.100.112
check "the distributed one is" pings_through_xdp $fip
check "the centralised one is not reached" unreachable 172.24.100.112
check "the gateway moves back" gateway_move r1 here
check "the router is here again" await_offloaded 172.24.100.10
check "and the centralised address" await_offloaded 172.24.100.112
warm 172.24.100.112
check "which is reached again" pings_through_xdp 172.24.100.112

config exclude 172.24.100.50,vm1
check "an excluded address" await 5 \
    endpoint_is 172.24.100.50 reason excluded
check "an excluded port" await 5 endpoint_is $fip state ineligible
check "are not reached" unreachable 172.24.100.50 $fip
config exclude-here 172.24.100.50
check "this chassis' own setting comes first" await_offloaded $fip
check "and the port is reached again" pings_through_xdp $fip
config exclude-here
config exclude
check "nothing is excluded any more" await_offloaded 172.24.100.50
check "and is reached again" pings_through_xdp 172.24.100.50

vs set Open_vSwitch . external_ids:ovn-bridge-mappings=physnet2:br-ex
check "a network without a bridge" await 5 \
    endpoint_is 172.24.100.50 reason no-mapping
vs set Open_vSwitch . external_ids:ovn-bridge-mappings=physnet1:br-ex
check "gets it again" await_offloaded 172.24.100.50
check "OVN follows too" ovn_sync
warm 172.24.100.50
check "and is reached again" pings_through_xdp 172.24.100.50
finish
