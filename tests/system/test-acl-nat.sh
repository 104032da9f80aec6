#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# What OVN translates in a way that is not followed is never dropped: load
# balancers, forwarded ports, floating IPs for some only, policies.
set -u
# shellcheck source=tests/system/sandbox.sh
. "$(dirname "$0")/sandbox.sh"
# shellcheck source=tests/system/acl-cloud.sh
. "$(dirname "$0")/acl-cloud.sh"

fip=172.24.100.111
central=172.24.100.112
pvm=172.24.100.50

# Checks that WHAT, by which OVN translates packets to ADDRESS, opens all of it,
# for REASON, and that it is closed again once COMMAND... has taken it away.
#
# usage: opened WHAT ADDRESS REASON COMMAND...
opened() {
    local what=$1 address=$2 reason=$3

    shift 3
    check "$what: $address is open" await 5 spares "$address" 23
    check "$what: explain says why" await 5 acl_reason_is "$address" "$reason"
    check "$what: no other port is closed" spares "$address" 24
    "$@" || die "cannot do: $*"
    check "without $what: $address is closed" \
        await 10 drops_settled "$address" 23
}

# Succeeds if "explain" says that the rules of VM do not decide about packets
# to ADDRESS.
#
# usage: spared_of ADDRESS VM
spared_of() {
    equal "rules of $2" "$(ctl -f json explain "$1" | json "[c['ok']
        for c in d['checks'] if c['check'] == 'rules'
        and '$2' in c['detail'] and 'translates' in c['detail']]")" "[false]"
}

# Checks all kinds.
kinds() {
    nb lb-add lb1 $fip:80 10.1.0.12:80 -- lr-lb-add r1 lb1
    opened "a load balancer of the router" $fip duplicate-address lb_del
    nb lb-add lb1 $central:80 10.1.0.11:80 -- lr-lb-add r1 lb1
    opened "a forwarded port" $central acl-translated lb_del
    nb lb-add lb1 $pvm:80 172.24.100.50:8080 -- ls-lb-add public lb1
    opened "a load balancer of the switch" $pvm acl-translated lb_del
    nb lb-add lb1 10.1.0.11:80 10.1.0.12:80 -- ls-lb-add r1-net lb1
    opened "a load balancer behind the floating IP" $fip acl-translated lb_del
    nb --reject lb-add lb1 10.1.0.11:80 "" -- ls-lb-add r1-net lb1
    opened "a load balancer without backends" $fip acl-translated lb_del
    nb lr-nat-add r1 snat $central 10.1.0.128/25
    opened "an address that others have outside" $central acl-translated \
        nb lr-nat-del r1 snat 10.1.0.128/25

    nb lr-policy-add r1 100 "ip4.src == 203.0.113.1" reroute 10.1.0.11
    check "a policy of the router: explain tells which VM" \
        await 5 spared_of $central vm2
    opened "a policy of the router" $central acl-translated \
        nb lr-policy-del r1

    nb create Address_Set name=friends addresses=203.0.113.1 >/dev/null
    nb set NAT "$(nat_of $fip)" allowed_ext_ips="$(nb --bare \
        --columns=_uuid find Address_Set name=friends)"
    opened "a floating IP for some" $fip acl-translated \
        nb clear NAT "$(nat_of $fip)" allowed_ext_ips
    nb set NAT "$(nat_of $fip)" exempted_ext_ips="$(nb --bare \
        --columns=_uuid find Address_Set name=friends)"
    opened "a floating IP not for some" $fip acl-translated \
        nb clear NAT "$(nat_of $fip)" exempted_ext_ips
}

# ACLs of packets that come in, which do more than to let them through or not:
# they come before those of the VM.
entries() {
    nb acl-add public from-lport 1500 'tcp.dst == 99' reject
    check "what comes in is rejected: $fip is open" await 5 spares $fip 23
    check "explain of $fip says why" await 5 acl_reason_is $fip acl-actions
    opened "what comes in is rejected" $pvm acl-actions \
        nb acl-del public from-lport 1500 'tcp.dst == 99'

    # Not those of VMs.
    nb --type=port-group acl-add web from-lport 1500 \
        'inport == @web && tcp.dst == 99' reject || die "cannot add an ACL"
    ovn_sync
    check "what VMs send is rejected: $pvm is closed" \
        await 5 drops_settled $pvm 23
    check "and $fip" drops_settled $fip 23
    nb --type=port-group acl-del web from-lport 1500 \
        'inport == @web && tcp.dst == 99'
}

# Takes load balancer lb1 away.
lb_del() {
    nb lb-del lb1
}

# Prints the row of the floating IP.
nat_of() {
    nb --bare --columns=_uuid find NAT external_ip="$1" type=dnat_and_snat
}

# A floating IP moves to a VM with other rules, and the other way.
moves() {
    nb pg-set-ports web vm2 pvm
    check "vm1 is closed" await 5 drops $fip 22
    check "the floating IP moves to vm2" fip_move $fip vm2 centralised
    check "vm2's rules count" await 5 passes $fip 22
    check "all of them" await 5 drops_settled $fip 23
    check "it moves back" fip_move $fip vm1 distributed
    check "vm1's rules count again" await 5 drops_settled $fip 22
    nb pg-set-ports web vm1 vm2 pvm
    check "they are followed" await 5 passes $fip 22
}

sandbox_start
cloud_add || die "the cloud failed"
group_web vm1 vm2 pvm || die "the groups failed"
ovn_sync
check "ovn-xdpd starts" daemon_start || finish
config interfaces nic0
for address in $fip $central $pvm; do
    check "$address is offloaded" await_offloaded "$address"
done
check "it may drop" acl_drop
for address in $fip $central $pvm; do
    check "$address's closed port is dropped" await 5 drops "$address" 23
done
kinds
entries
moves
finish
