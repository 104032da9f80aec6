#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Shows what ovn-xdp does, on a real OVN in network namespaces: the same ping
# and TCP session with nothing, with the kernel's rules and routes, and with
# ovn-xdp alone; then what it drops early.  Takes about 15 seconds and leaves
# nothing behind.
set -u
# shellcheck source=tests/system/sandbox.sh
. "$(dirname "$0")/sandbox.sh"
# shellcheck source=tests/system/acl-cloud.sh
. "$(dirname "$0")/acl-cloud.sh"

fip=172.24.100.111
vm_mac=fa:16:3e:00:01:11
if [ -t 1 ]; then
    bold=$'\e[1m' dim=$'\e[2m' plain=$'\e[0m'
else
    bold='' dim='' plain=''
fi
surprises=0

# Prints a heading.
heading() {
    printf '\n%s%s%s\n' "$bold" "$*" "$plain"
}

# Prints a sentence.
say() {
    printf '  %s\n' "$*"
}

# Prints a command as a user would type it.
typed() {
    printf '  %s$ %s%s\n' "$dim" "$*" "$plain"
}


# Counts what the demo did not expect, and says so.
surprise() {
    surprises=$((surprises + 1))
    printf '  %sThat should have been different: %s.%s\n' "$bold" "$*" "$plain"
}

# Pings ADDRESS five times and opens a TCP session to it; shows what came of
# both, which should be EXPECTED: answered or lost.
#
# usage: try ADDRESS answered|lost
try() {
    local address=$1 expected=$2 answers tcp came=

    if answers=$(pings "$address"); then
        came+=answered
    else
        came+=lost
    fi
    if tcp=$(tcp_echo "$address" 1000000 2>&1); then
        came+=answered
    else
        came+=lost
        tcp="no connection"
    fi
    say "ping $address    $answers"
    say "TCP  $address    $tcp"
    [ "$came" = "$expected$expected" ] || surprise "it should be $expected"
}

# Runs ovn-xdpctl and shows it.
show_ctl() {
    typed ovn-xdpctl "$@"
    ctl "$@" 2>&1 | sed 's/^/  /'
}

# Prints the milliseconds since EPOCHREALTIME value START.
since() {
    echo $(((${EPOCHREALTIME/[.,]/} - ${1/[.,]/}) / 1000))
}

part_nothing() {
    heading "1. Nothing: the packet reaches the NIC, and no further"
    try $fip lost
}

part_kernel() {
    heading "2. The kernel: rule, route and neighbour entry for this address"
    typed ip rule add to $fip lookup 100
    typed ip route add $fip dev br-ex table 100
    typed ip neigh add $fip lladdr $vm_mac dev br-ex
    kernel_route $fip $vm_mac
    warm $fip
    try $fip answered
    kernel_unroute $fip
    say "All three are removed again."
}

part_xdp() {
    heading "3. ovn-xdp: no rule, no route, no neighbour entry"
    typed ovn-xdpd --detach
    daemon_start || die "ovn-xdpd does not start"
    typed ovs-vsctl set Open_vSwitch . external_ids:ovn-xdp-interfaces=nic0
    config interfaces nic0
    await_offloaded $fip || surprise "$fip is not offloaded"
    try $fip answered
}

part_sight() {
    heading "What ovn-xdp says of it"
    show_ctl status
    echo
    show_ctl interfaces
    echo
    show_ctl endpoints
}

part_add() {
    local start

    heading "A VM is added: nobody tells ovn-xdp but OVN"
    vm_define vm9 public fa:16:3e:00:01:99 172.24.100.99/24 172.24.100.1
    serve vm9
    typed ovs-vsctl add-port br-int tap-vm9 \
        -- set Interface tap-vm9 external_ids:iface-id=vm9
    start=$EPOCHREALTIME
    vm_plug vm9
    nb wait-until Logical_Switch_Port vm9 up=true
    say "OVN reports it up after $(since "$start") ms"
    await_offloaded 172.24.100.99 || surprise "it is not offloaded"
    say "ovn-xdp serves it after $(since "$start") ms"
    try 172.24.100.99 answered
}

part_move() {
    heading "The floating IP moves to another VM, under a ping every 10 ms"
    ping_start $fip 10 || surprise "the ping does not start"
    typed "# $fip: from vm1, distributed, to vm2, centralised"
    fip_move $fip vm2 centralised
    await 10 endpoint_is $fip kind fip-centralised ||
        surprise "ovn-xdp does not follow"
    typed "# and back"
    fip_move $fip vm1 distributed
    await 10 endpoint_is $fip kind fip-distributed ||
        surprise "ovn-xdp does not follow"
    ping_stop || surprise "$fip does not answer any more"
    say "ping $fip    $ping_sent sent, $((ping_sent - ping_lost)) answered"
    try $fip answered
}

# Sends a SYN to each of 100 closed ports of FIP, which should be counted as
# REASON, and shows what became of them, of which OVN should see SEEN.
#
# usage: knock REASON SEEN
knock() {
    local before ovn counted

    before=$(counted nic0 "$1") ovn=$(dropped_by_ovn)
    ns ext "$PYTHON3" -c 'import socket, sys
for port in range(1001, 1101):
    with socket.socket() as s:
        s.setblocking(False)
        s.connect_ex((sys.argv[1], port))' $fip
    await 5 dropped_more "$ovn" "$2"
    counted=$(($(counted nic0 "$1") - before))
    ovn=$(($(dropped_by_ovn) - ovn))
    say "100 SYNs to closed ports    nic0: $counted $1, dropped by OVN: $ovn"
    [ "$counted $ovn" = "100 $2" ] || surprise "it should be 100 and $2"
}

# Succeeds if OVN has dropped COUNT packets since that was START.
dropped_more() {
    [ $(($(dropped_by_ovn) - $1)) -ge "$2" ]
}

# Succeeds if the program of nic0 drops what it counted before.
may_drop() {
    endpoint_is $fip acl enforced &&
        grep -qx 'ovn_xdp_acl_lease 1' <<<"$(ctl metrics)"
}

part_acl() {
    local tcp

    heading "A security group: what OVN would drop dies in the driver"
    typed "# vm1: TCP ports 22 and $traffic_port only"
    group_web vm1 || surprise "there is no group"
    acl web 1002 "tcp && tcp.dst == $traffic_port" allow-related
    ovn_sync
    typed "ovn-appctl -t ovn-xdpd acl/settle"
    say "This is for tests: $fip has moved, and for 150 s none can tell which" \
        "connections its VM has opened elsewhere."
    daemon_appctl acl/settle
    await 5 endpoint_is $fip acl counted ||
        surprise "its rules are not known"
    say "By default it only counts:"
    knock acl-count 100
    typed ovs-vsctl set Open_vSwitch . external_ids:ovn-xdp-acl=drop
    config acl drop
    await 5 may_drop || surprise "it may not drop"
    knock acl-drop 0
    tcp=$(tcp_echo $fip 1000000) || surprise "TCP should be answered"
    say "TCP  $fip    $tcp"
    show_ctl acls vm1
}

part_end() {
    heading "Without ovn-xdp"
    typed ovn-appctl -t ovn-xdpd exit --cleanup
    daemon_stop --cleanup
    try $fip lost
}

start=$EPOCHREALTIME
heading "A chassis with a real OVN, in network namespaces of its own"
sandbox_start
cloud_add || die "the sandbox's cloud failed"
serve vm1
serve vm2
say "$(ovn-controller --version | head -n 1)," \
    "$(ovs-vswitchd --version | head -n 1)"
say "up in $(since "$start") ms;" \
    "floating IP $fip belongs to vm1, which is 10.1.0.11"
part_nothing
part_kernel
part_xdp
part_sight
part_add
part_move
part_acl
part_end
echo
[ $surprises -eq 0 ] || die "$surprises of these were not as they should be"
say "That was it.  All of it is gone again."
