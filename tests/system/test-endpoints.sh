#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Every kind of address, IPv4 and IPv6, untagged and tagged: lost without
# ovn-xdp, served by XDP alone with it, each packet counted, lost again after.
set -u
# shellcheck source=tests/system/sandbox.sh
. "$(dirname "$0")/sandbox.sh"

flat=(172.24.100.111 172.24.100.112 172.24.100.10 2001:db8:100::10
    172.24.100.50 2001:db8:100::50 172.24.100.30 172.24.100.131)
tagged=(172.24.101.113 172.24.101.10 2001:db8:101::10
    172.24.101.50 2001:db8:101::50)

# Checks that ADDRESS is served as the kind of endpoint that it is.
#
# usage: served ADDRESS KIND LOGICAL-PORT VLAN MAC
served() {
    check "$1 is offloaded" await_offloaded "$1"
    check "$1 is a $2" endpoint_is "$1" kind "$2"
    check "$1 belongs to port $3" endpoint_is "$1" logical_port "$3"
    check "$1 has VLAN $4" endpoint_is "$1" vlan "$4"
    check "$1 has MAC $5" endpoint_is "$1" mac "$5"
    warm "$1"
    check "$1 is reached, each packet through XDP" pings_through_xdp "$1"
}

# Pings the world from VM NAME, which has no floating IP, COUNT times.
pings_out() {
    ns "$1" "$PYTHON3" "$traffic_program" ping "$WORLD" "$2"
}

# Succeeds if each frame that NIC has counted as redirected belongs to one
# of the endpoints.
sums_agree() {
    equal "sum over the endpoints" "$(ctl -f json endpoints |
        json "sum(e['packets'] for e in d)")" "$(counted "$1" redirected)"
}

sandbox_start
cloud_add --vlan || die "the cloud failed"
vm_add vm4 r1-net fa:16:3e:00:01:14 10.1.0.14/24 10.1.0.1 ||
    die "vm4 failed"
{
    router_add r3 public fa:16:3e:00:03:01 172.24.100.30/24 172.24.100.1 \
        10.3.0.1/24 && router_pin r3 &&
        vm_add vm5 r3-net fa:16:3e:00:03:11 10.3.0.11/24 10.3.0.1 &&
        fip_add r3 172.24.100.131 vm5 centralised
} || die "the gateway router failed"
for vm in vm1 vm2 pvm vm3 vvm; do
    serve $vm
done
check "nothing is reached without ovn-xdp" \
    unreachable "${flat[@]}" "${tagged[@]}"

check "ovn-xdpd starts" daemon_start || finish
check "no NIC is touched unasked" no_program nic0
config interfaces nic0
check "nic0 is attached" await_attached nic0
check "in native mode" interface_is nic0 mode native
check "it is a routed NIC" interface_is nic0 layout routed

served 172.24.100.111 fip-distributed vm1 null fa:16:3e:00:01:11
served 172.24.100.112 fip-centralised cr-lrp-r1-gw null fa:16:3e:00:01:01
served 172.24.100.10 router cr-lrp-r1-gw null fa:16:3e:00:01:01
served 2001:db8:100::10 router cr-lrp-r1-gw null fa:16:3e:00:01:01
served 172.24.100.50 vm pvm null fa:16:3e:00:01:50
served 2001:db8:100::50 vm pvm null fa:16:3e:00:01:50
served 172.24.100.30 router lrp-r3-gw null fa:16:3e:00:03:01
served 172.24.100.131 fip-centralised r3-gw null fa:16:3e:00:03:01
served 172.24.101.113 fip-distributed vm3 101 fa:16:3e:00:02:11
served 172.24.101.10 router cr-lrp-r2-gw 101 fa:16:3e:00:02:01
served 2001:db8:101::10 router cr-lrp-r2-gw 101 fa:16:3e:00:02:01
served 172.24.101.50 vm vvm 101 fa:16:3e:00:02:50
served 2001:db8:101::50 vm vvm 101 fa:16:3e:00:02:50

check "a second VM beside pvm" vm_add pvm2 public fa:16:3e:00:01:51 \
    172.24.100.51/24 172.24.100.1
check "a virtual port" virtual_add vip1 public fa:16:3e:00:01:60 \
    172.24.100.60 pvm pvm2
check "pvm claims it" virtual_claim vip1 pvm 172.24.100.60
served 172.24.100.60 vm vip1 null fa:16:3e:00:01:50
check "pvm gives it up" ns pvm ip addr del 172.24.100.60/32 dev eth0
check "pvm2 claims it" virtual_claim vip1 pvm2 172.24.100.60
check "now it has the MAC of pvm2" \
    await 10 endpoint_is 172.24.100.60 mac fa:16:3e:00:01:51
served 172.24.100.60 vm vip1 null fa:16:3e:00:01:51

for address in 172.24.100.111 172.24.100.112 2001:db8:100::50 \
    172.24.101.113 2001:db8:101::50; do
    check "TCP with $address" tcp_echo $address 300000
    check "UDP with $address, each datagram through XDP" \
        through_xdp $address 201 udp_count $address 200 2000
done
await 10 ns vm4 ping -n -q -c 1 -W 1 $WORLD >/dev/null
check "SNAT: the answers come in through XDP" \
    through_xdp 172.24.100.10 5 pings_out vm4 5
check "each redirected frame is one of an endpoint" sums_agree nic0

before=$(counted nic0 not-local)
check "what is not ours is lost as before" unreachable 172.24.100.200
check "and counted as passed" between "not-local" \
    $(($(counted nic0 not-local) - before)) 3 6
check "the chassis itself is reached" pings 192.0.2.1

check "ovn-xdpd stops" daemon_stop --cleanup
check "its program is gone" no_program nic0
check "its pins are gone" no_pins
check "nothing is reached any more" unreachable "${flat[@]}" "${tagged[@]}"
finish
