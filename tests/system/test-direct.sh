#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Traffic of floating IPs and VMs on provider networks, by OVN alone and
# directly between NIC and VM: all bytes and numbers are right, nothing comes
# twice.
# time-limit: 300
set -u
# shellcheck source=tests/system/sandbox.sh
. "$(dirname "$0")/sandbox.sh"
# shellcheck source=tests/system/direct.sh
. "$(dirname "$0")/direct.sh"

fip=172.24.100.111
cfip=172.24.100.112 # Of vm2, centralised.
pvm=172.24.100.50
pvm6=2001:db8:100::50
bulk=30000000
declare -A vms=([$fip]=vm1 [$cfip]=vm2 [$pvm]=pvm [$pvm6]=pvm)

# Prints the world's address of the family of ADDRESS.
world_of() {
    [[ $1 == *:* ]] && echo $WORLD6 || echo $WORLD
}

# Sends all kinds of traffic to ADDRESS and back.
#
# usage: inward ADDRESS
inward() {
    local vm=${vms[$1]} few=10

    [ "$1" = $fip ] && few=0

    quick "$1, bulk up" 5000 50 traffic bulk ext "$vm" "$1" $bulk up
    quick "$1, bulk down" 50 5000 traffic bulk ext "$vm" "$1" $bulk down
    quick "$1, bulk both ways" 3000 3000 traffic bulk ext "$vm" "$1" \
        $((bulk / 2)) both
    quick "$1, datagrams there and back" 1900 1900 \
        datagrams ext "$vm" "$1" 2000 2000 echo
    quick "$1, datagrams one way" 1900 0 \
        datagrams ext "$vm" "$1" 2000 2000 there
    quick "$1, short connections" 100 50 traffic short ext "$vm" "$1" 40
    # Open vSwitch gives such connections to a translated address other ports.
    quick "$1, the same port again" $((few * 10)) $((few * 10)) \
        traffic reuse ext "$vm" "$1" 40
    quick "$1, pings" 50 50 pings "$1" 60
    quick "$1, long pings" 10 10 pings "$1" 20 size=1400
}

# The same for connections that the VM of ADDRESS opens.
outward() {
    local vm=${vms[$1]} world

    world=$(world_of "$1")
    quick "$1 outward, bulk up" 50 5000 \
        traffic bulk "$vm" ext "$world" $bulk up
    quick "$1 outward, bulk down" 5000 50 \
        traffic bulk "$vm" ext "$world" $bulk down
    quick "$1 outward, datagrams there and back" 1900 1900 \
        datagrams "$vm" ext "$world" 2000 2000 echo
    quick "$1 outward, datagrams one way" 0 1900 \
        datagrams "$vm" ext "$world" 2000 2000 there
    quick "$1 outward, short connections" 50 100 \
        traffic short "$vm" ext "$world" 20
    quick "$1 outward, pings" 50 50 vm_pings "$vm" "$world"
}

# Pings ADDRESS from VM.
vm_pings() {
    ns "$1" timeout 20 "$PYTHON3" "$traffic_program" ping "$2" 60
}

# What is unusual goes by OVN.
odd() {
    check "$direct: fragments" pings $fip 3 size=4000
    check "$direct: fragments, IPv6" pings $pvm6 3 size=4000
    check "$direct: IP options" pings $fip 3 options=070b0400000000000000000000
    check "$direct: a time to live that just does" pings $fip 3 ttl=3
    check "$direct: a class of service" pings $fip 10 tos=0xb8
}

# Succeeds if CLIENT gets back from SERVER, by ADDRESS, most of the short
# datagrams that it sends, and COUNT of those of 1200 bytes.
#
# usage: length_is CLIENT SERVER ADDRESS COUNT
length_is() {
    local said

    said=$(traffic_run length "$1" "$2" "$3" 1200) || return
    echo "$said"
    [[ $said =~ ([0-9]+)\ short,\ ([0-9]+)\ of && ${BASH_REMATCH[1]} -ge 35 &&
        ${BASH_REMATCH[2]} -eq $4 ]]
}

# What is too long for a router of OVN's goes to that, which answers it.
too_long() {
    quick "1200 bytes to $fip" 30 30 length_is ext vm1 $fip 10
    check "$direct: the router has a limit" nb --wait=hv set \
        Logical_Router_Port lrp-r1-gw options:gateway_mtu=900
    ovn_sync
    quick "1200 bytes to $fip, of 900" 10 10 length_is ext vm1 $fip 0
    quick "1200 bytes from $fip, of 900" 10 10 length_is vm1 ext $WORLD 0
    quick "1200 bytes to $pvm, which no router sees" 30 30 \
        length_is ext pvm $pvm 10
    check "$direct: the router has no limit" nb --wait=hv remove \
        Logical_Router_Port lrp-r1-gw options gateway_mtu
    ovn_sync
    quick "1200 bytes to $fip again" 10 10 length_is ext vm1 $fip 10
}

sandbox_start
cloud_add || die "the cloud failed"
# 'die' is for whatever fails.
# shellcheck disable=SC2015
guests_ready vm1 vm2 pvm && world_ready wan0 && windows_free ||
    die "no layer L3 here"
check "ovn-xdpd starts" daemon_start || finish
config confirm-ms 200
config interfaces nic0
for address in $fip $cfip $pvm $pvm6; do
    check "$address is offloaded" await_offloaded "$address"
    warm "$address"
done
for mode in "${direct_modes[@]}"; do
    direct_begin "$mode"
    for address in $fip $pvm $pvm6; do
        check "$mode: $address is ready" await_direct "$address"
        inward "$address"
    done
    outward $fip
    outward $pvm6
    odd
done
# Last, since hosts remember how long packets may be.
for mode in "${direct_modes[@]}"; do
    direct_begin "$mode"
    check "$mode: $fip is ready again" await_direct $fip
    too_long
done
remark <"$SANDBOX/traffic"
check "no checksum was wrong" traffic sums ext vm1 vm2 pvm
finish
