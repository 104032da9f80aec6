#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Layer L3 in a hostile world: what is forged, spoofed, misshapen or too much is
# treated as by OVN alone, and leaves no flows.
# time-limit: 300
set -u
# shellcheck source=tests/system/sandbox.sh
. "$(dirname "$0")/sandbox.sh"
# shellcheck source=tests/system/acl-cloud.sh
. "$(dirname "$0")/acl-cloud.sh"
# shellcheck source=tests/system/direct.sh
. "$(dirname "$0")/direct.sh"

fip=172.24.100.111
fip2=172.24.100.112
fip4=172.24.100.114 # Of vm4, whose own address is that of vm1, too.

# Makes a second tenant with the addresses of the first.
other_tenant() {
    router_add r4 public fa:16:3e:00:04:01 172.24.100.40/24 172.24.100.1 \
        10.1.0.1/24 &&
        vm_add vm4 r4-net fa:16:3e:00:04:11 10.1.0.11/24 10.1.0.1 &&
        fip_add r4 $fip4 vm4 distributed
}

# Lets the world talk to these ports of the VMs, and drops all else.
groups() {
    group_web vm1 vm2 vm4 &&
        acl web 1002 'ip4 && icmp4' allow-related &&
        acl web 1002 'ip4 && udp && udp.dst >= 7000 && udp.dst < 7200' \
            allow-related &&
        acl web 1002 'ip4 && tcp && tcp.dst >= 7000 && tcp.dst < 7200' \
            allow-related && ovn_sync
}

# Has the cases run in the mode of the moment; with OVN alone they are what is
# expected.
hostile() {
    export SANDBOX_ID SANDBOX OVN_XDPCTL
    PYTHONDONTWRITEBYTECODE=yes timeout 100 "$PYTHON3" \
        "$sandbox_lib/direct_hostile.py" "$direct" >"$SANDBOX/hostile-$direct" \
        2>&1
    check "$direct: all cases were run" equal "exit status" $? 0
    remark <"$SANDBOX/hostile-$direct"
}

# Judges them.
judge() {
    local name value

    while read -r name value; do
        case $name,$value in
        \#*) ;;
        *,!*) check "$direct: $name" equal "$name" "$value" "" ;;
        *) check "$direct: $name" equal "$name" "$value" "$(
            awk -v name="$name" '$1 == name { print $2; exit }' \
                "$SANDBOX/hostile-off")" ;;
        esac
    done <"$SANDBOX/hostile-$direct"
}

# 20,000 datagrams per second of one flow, for a second.
flood() {
    ns ext "$flow_program" send $fip $flow_port 20000 1 >"$SANDBOX/flow.log"
    remark <"$SANDBOX/flow.log"
    check "$direct: nothing of a flood comes twice" grep -q ' twice 0 ' \
        "$SANDBOX/flow.log"
    [ "$direct" = off ] && return
    read -r _ flow_sent _ _ _ _ _ flow_received _ <"$SANDBOX/flow.log"
    check "on: all but its beginning arrives" between received \
        "$flow_received" $((flow_sent * 9 / 10)) "$flow_sent"
}

# Many more flows than there is room for: the others go by OVN.
crowd() {
    check "on: the daemon ends" daemon_stop --cleanup
    config max-flows 64
    check "on: it starts with room for few flows" daemon_start
    check "on: $fip is ready" await_direct $fip
    check "on: 200 connections go well" traffic short ext vm1 $fip 200
    check "on: pings" pings $fip 20
    check "on: no more flows than there is room for" between flows \
        "$(flows True)" 0 64
    check "on: what did not fit is counted" between flow-full \
        $(($(side_counted far-nic flow-full) +
            $(side_counted far-vm flow-full))) 1 1000000
    check "on: a flow finds room once others are over" await 20 \
        crowd_over
}
crowd_over() {
    local before after

    read -ra before < <(taken_off)
    pings "$fip" 20 || return
    read -ra after < <(taken_off)
    [ $((after[0] - before[0])) -ge 10 ] && [ $((after[1] - before[1])) -ge 10 ]
}

sandbox_start
cloud_add || die "the cloud failed"
other_tenant || die "the other tenant failed"
groups || die "the groups failed"
# 'die' is for whatever fails.
# shellcheck disable=SC2015
guests_ready vm1 vm2 vm4 && world_ready wan0 && windows_free ||
    die "no layer L3 here"
flow_serve vm1 || die "the counter failed"
check "ovn-xdpd starts" daemon_start || finish
config confirm-ms 200
config interfaces nic0
for address in $fip $fip2 $fip4; do
    check "$address is offloaded" await_offloaded "$address"
    warm "$address"
done
for mode in "${direct_modes[@]}"; do
    direct_begin "$mode"
    for address in $fip $fip2 $fip4; do
        check "$mode: $address is ready" await_direct "$address"
    done
    hostile
    judge
    flood
done
[ "$direct" = off ] || crowd
finish
