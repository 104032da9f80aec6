#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Addresses that OVN announces nowhere, and that only the logical flows of
# their router tell: floating IPs of IPv6, VIPs of load balancers, all NAT of a
# router without nat-addresses=router.  And allowed pairs, of which nothing
# tells where they are until a virtual port does.
set -u
# shellcheck source=tests/system/sandbox.sh
. "$(dirname "$0")/sandbox.sh"

gateway=cr-lrp-r1-gw
fip6=2001:db8:100::111
central6=2001:db8:100::112
vip=172.24.100.200
vip6=2001:db8:100::200
private_vip=10.9.9.9
pair=172.24.100.70

# Makes a router with three VMs behind it, and a VM on the provider network.
addresses_cloud() {
    provider_add public &&
        router_add r1 public fa:16:3e:00:01:01 172.24.100.10/24 \
            172.24.100.1 10.1.0.1/24 \
            2001:db8:100::10/64 2001:db8:100::1 fd00:1::1/64 &&
        nb remove Logical_Switch_Port r1-gw options nat-addresses &&
        tenant_vm vm1 11 && tenant_vm vm2 12 && tenant_vm vm3 13 &&
        vm_define pvm public fa:16:3e:00:01:50 172.24.100.50/24 \
            172.24.100.1 && vm_plug pvm || return
    for vm in vm1 vm2 vm3 pvm; do
        vm_await_up $vm || return
    done
    way_out public &&
        fip_add r1 172.24.100.111 vm1 distributed &&
        fip_add r1 172.24.100.112 vm2 centralised &&
        nb lr-nat-add r1 dnat_and_snat $fip6 fd00:1::11 vm1 \
            fa:16:3e:00:01:11 \
            -- lr-nat-add r1 dnat_and_snat $central6 fd00:1::12 \
            -- lb-add lb4 $vip:7000 10.1.0.13:7000 tcp -- lr-lb-add r1 lb4 \
            -- lb-add lb6 "[$vip6]:7000" "[fd00:1::13]:7000" tcp \
            -- lr-lb-add r1 lb6 -- lb-add lb-in $private_vip:7000 \
            10.1.0.13:7000 tcp -- lr-lb-add r1 lb-in && ovn_sync
}

# Makes VM NAME with host number N on r1's tenant network.
#
# usage: tenant_vm NAME N
tenant_vm() {
    vm_define "$1" r1-net "fa:16:3e:00:01:$2" "10.1.0.$2/24" 10.1.0.1 \
        "fd00:1::$2/64" fd00:1::1 && vm_plug "$1"
}

# Succeeds if ADDRESS is offloaded, as a KIND of endpoint where PORT is.
#
# usage: is_known ADDRESS KIND PORT MAC
is_known() {
    equal "$1" "$(ctl -f json endpoints "$1" |
        json "' '.join(d[0][k] for k in ('state', 'kind', 'logical_port',
                                        'mac'))")" "offloaded $2 $3 $4"
}

# Checks that a floating IP is a KIND of endpoint and answers pings.
#
# usage: pinged ADDRESS KIND PORT MAC
pinged() {
    check "$1 is a $2 of $3" await 10 is_known "$@"
    warm "$1"
    check "$1 is reached, each packet through XDP" pings_through_xdp "$1"
}

# Talks TCP to ADDRESS; succeeds if all that nic0 redirected meanwhile is its.
tcp_through_xdp() {
    local packets redirected

    packets=$(endpoint "$1" packets) && redirected=$(counted nic0 redirected)
    tcp_echo "$1" 100000 || return
    redirected=$(($(counted nic0 redirected) - redirected))
    [ "$redirected" -gt 20 ] &&
        equal "packets of $1" $(($(endpoint "$1" packets) - packets)) \
            "$redirected"
}

# Waits until no row has ADDRESS.
await_no_endpoint() {
    await 10 no_endpoint "$1"
}

# Succeeds if the switch port of r1 announces no NAT, but perhaps the router.
nothing_announced() {
    inverted grep -e 172.24.100.111 -e 172.24.100.112 <<<"$(
        sb --bare --columns=nat_addresses find Port_Binding \
            logical_port=r1-gw)"
}

# Prints all endpoints but the pair, and but for what changes by itself.
all_endpoints() {
    ctl -f json endpoints | json "[[e['address'], e['mac'], e['kind'],
        e['logical_port'], e['state']] for e in d if e['address'] != '$pair']"
}

sandbox_start
addresses_cloud || die "the cloud failed"
serve vm3
check "nothing is announced" nothing_announced
check "ovn-xdpd starts" daemon_start || finish
config interfaces nic0
check "nic0 is attached" await_attached nic0

pinged $fip6 fip-distributed vm1 fa:16:3e:00:01:11
pinged $central6 fip-centralised $gateway fa:16:3e:00:01:01
pinged 172.24.100.111 fip-distributed vm1 fa:16:3e:00:01:11
pinged 172.24.100.112 fip-centralised $gateway fa:16:3e:00:01:01
for address in $vip $vip6; do
    check "$address is a load balancer's" await 10 is_known "$address" \
        load-balancer $gateway fa:16:3e:00:01:01
    await 10 tcp_echo "$address" 10
    check "TCP with $address, each packet through XDP" \
        tcp_through_xdp "$address"
done

# Taken away again, as OVN would announce it with the others.
check "OVN has flows for a VIP of the inside" grep -q "dst == $private_vip" \
    <<<"$(sb lflow-list r1)"
check "but it is not on the provider network" no_endpoint $private_vip
nb --wait=sb lr-lb-del r1 lb-in

before=$(all_endpoints)
nb --wait=sb set Logical_Switch_Port r1-gw options:nat-addresses=router
check "what is announced, too, is announced" inverted nothing_announced

own="fa:16:3e:00:01:50 172.24.100.50"
nb --wait=hv lsp-set-port-security pvm "$own $pair 10.9.0.0/16"
check "an allowed pair is shown" \
    await 10 endpoint_is $pair state ineligible
check "with the reason" endpoint_is $pair reason allowed-pair
check "and nothing else is different, though it is announced by now" \
    equal endpoints "$(all_endpoints)" "$before"
check "nor claimed twice" inverted has_problem duplicate-address
check "not so a whole network" no_endpoint 10.9.0.0
check "a virtual port" virtual_add vip1 public fa:16:3e:00:01:60 $pair pvm
check "pvm claims it" virtual_claim vip1 pvm $pair
pinged $pair vm vip1 fa:16:3e:00:01:50

check "another chassis" chassis_add there
check "r1's gateway moves there" gateway_move r1 there
for address in $central6 172.24.100.112 $vip $vip6; do
    check "$address went, too" await_no_endpoint "$address"
done
check "$fip6 stayed" pings_through_xdp $fip6
nb --wait=sb remove Logical_Switch_Port r1-gw options nat-addresses
check "whether announced or not" pings_through_xdp 172.24.100.111
nb --wait=sb lr-nat-del r1 dnat_and_snat $fip6
check "$fip6 is taken away" await_no_endpoint $fip6
finish
