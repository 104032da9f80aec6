#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Something changes while packets are forwarded directly: they follow as soon as
# OVN's own do, by events; and within three periods of confirmation if events
# are suppressed.  All is measured beside OVN alone in the same run.
# time-limit: 300
set -u
# shellcheck source=tests/system/sandbox.sh
. "$(dirname "$0")/sandbox.sh"
# shellcheck source=tests/system/acl-cloud.sh
. "$(dirname "$0")/acl-cloud.sh"
# shellcheck source=tests/system/direct.sh
. "$(dirname "$0")/direct.sh"

fip=172.24.100.111
pvm=172.24.100.50
period=200          # Of confirmation, in ms.
slack=50            # How much later than OVN alone, in ms.
tries=3             # Machines are shared: the best of so many counts.
[ "${direct_modes[*]}" = off ] || direct_modes+=(mute)

declare -A result=()    # By MODE,CASE,STREAM.
every="udp-there udp-back tcp-there tcp-back"

# Begins MODE: off, on, or mute after that, in which no change that is measured
# is seen as an event.
mode_begin() {
    [ "$1" = mute ] || direct_begin "$1"
}

# Has events be suppressed, or not, where they are at all.
#
# usage: suppress true|false
suppress() {
    [ "$mode" != mute ] || daemon_appctl direct/suppress-events "$1"
}

# Has COMMAND change something under a watch of ENDPOINT by VM, and stores what
# the watch says of WORD for each of STREAMS.
#
# usage: measure MODE CASE ENDPOINT VM WORD MAX "STREAMS" COMMAND...
measure() {
    local mode=$1 case=$2 endpoint=$3 vm=$4 word=$5 max=$6 streams=$7 start
    local stream value quiet=700

    shift 7
    [ "$word" = gap ] && quiet=0
    watch_start "$endpoint" ext "$vm" "$endpoint" || return
    suppress true || return
    start=$EPOCHREALTIME
    "$@" >/dev/null || return
    watch_stop "$start" $quiet "$max" || return
    for stream in $streams; do
        value=$(watched "$stream" "$word")
        [ "${result[$mode,$case,$stream]:-$value}" -ge "$value" ] &&
            result[$mode,$case,$stream]=$value
    done
    return 0
}

# Prints between which values what was measured in MODE has to be.  What goes on
# with OVN alone, until the end of the watch after MAX ms, has to go on.
#
# usage: limits MODE CASE STREAM MAX
limits() {
    local ovn=${result[off,$2,$3]} least=0

    [ "$ovn" -lt $(($4 - 200)) ] || least=$(($4 - 200))
    case $1 in
    off) echo 0 100000 ;;
    on) echo $least $((ovn + slack)) ;;
    mute) echo $least $((ovn + 3 * period + slack)) ;;
    esac
}

# Succeeds if all STREAMS were in time.
#
# usage: in_time MODE CASE MAX STREAM...
in_time() {
    local mode=$1 case=$2 max=$3 stream range=() bad=0

    shift 3
    for stream; do
        read -ra range < <(limits "$mode" "$case" "$stream" "$max")
        between "$stream" "${result[$mode,$case,$stream]}" "${range[@]}" ||
            bad=1
    done
    return $bad
}

# Measures CASE in the mode of the moment, again if it is too late, and judges.
# UNDO takes the change back each time.
#
# usage: try CASE ENDPOINT VM WORD MAX "STREAMS" CHANGE UNDO
try() {
    local case=$1 streams=$6 change=$7 undo=$8 i stream said=

    for ((i = 0; i < tries; i++)); do
        # Not within 'check', which is a shell of its own.
        if ! measure "$mode" "$case" "$2" "$3" "$4" "$5" "$streams" "$change"; then
            remark <"$SANDBOX/watch.log"
            check "$mode: $case: it can be watched" false
            suppress false
            $undo >/dev/null
            return
        fi
        # A change is undone in full before the next one.
        suppress false
        check "$mode: $case: it is undone" "$undo"
        # shellcheck disable=SC2086
        in_time "$mode" "$case" "$5" $streams >/dev/null && break
    done
    for stream in $streams; do
        said+=" $stream ${result[$mode,$case,$stream]}"
    done
    echo "# $mode: $case: $4$said ms"
    # shellcheck disable=SC2086
    check "$mode: $case: in time" in_time "$mode" "$case" "$5" $streams
}

# Waits until ADDRESS can be reached again, directly if that is asked for.
back() {
    warm "$1" && await_direct "$1"
}

# A rule is deleted.
rule_gone() {
    acl_del web 1002 ip
}
rule_back() {
    acl web 1002 ip allow-related && ovn_sync && back "$fip"
}

# A floating IP is taken away.
fip_gone() {
    nb lr-nat-del r1 dnat_and_snat "$fip"
}
fip_back() {
    fip_add r1 "$fip" vm1 distributed && await_offloaded "$fip" && back "$fip"
}

# It moves to another VM.
fip_moves() {
    fip_move "$fip" vm2 distributed
}
fip_returns() {
    fip_move "$fip" vm1 distributed && await_offloaded "$fip" && back "$fip"
}

# A port is deleted.
port_gone() {
    nb lsp-del pvm
}
port_back() {
    local own="fa:16:3e:00:01:50 $pvm 2001:db8:100::50"

    nb lsp-add public pvm -- lsp-set-addresses pvm "$own" \
        -- lsp-set-port-security pvm "$own" \
        -- lsp-set-options pvm requested-chassis=here &&
        vm_await_up pvm && ovn_sync && await_offloaded "$pvm" && back "$pvm"
}

# A port is pulled out of the bridge.
pulled() {
    vm_unplug pvm
}
plugged() {
    vm_plug pvm && vm_await_up pvm && ovn_sync && await_offloaded "$pvm" &&
        back "$pvm"
}

# A VM's device is destroyed, and made anew.
destroyed() {
    ip -n "$SANDBOX_ID-hv" link del tap-pvm
}
made() {
    vm_unplug pvm && vm_card pvm fa:16:3e:00:01:50 "$pvm"/24 172.24.100.1 \
        2001:db8:100::50/64 2001:db8:100::1 && guests_ready pvm && plugged
}

# A port moves to another chassis, which does not exist.
migrates() {
    nb lsp-set-options pvm requested-chassis=elsewhere
}
returns() {
    nb lsp-set-options pvm requested-chassis=here && vm_await_up pvm &&
        ovn_sync && await_offloaded "$pvm" && back "$pvm"
}

# The next hop of the host is replaced by one with another MAC address.
hop_set() {
    ip -n "$SANDBOX_ID-ext" link set wan0 address "$1" &&
        ip -n "$SANDBOX_ID-hv" neigh replace 192.0.2.0 lladdr "$1" dev nic0 \
            nud reachable
}
hop_moves() {
    hop_set 02:00:00:00:0e:01
}
hop_returns() {
    hop_set "$hop" && back "$fip"
}

# OVN's router has another route to the world: one into nothing.
rerouted() {
    nb lr-route-add r1 "$WORLD"/32 discard
}
rerouted_back() {
    nb --wait=hv lr-route-del r1 "$WORLD"/32 && back "$fip"
}

# The host has.
host_rerouted() {
    ip -n "$SANDBOX_ID-hv" route add blackhole "$WORLD"/32
}
host_rerouted_back() {
    ip -n "$SANDBOX_ID-hv" route del blackhole "$WORLD"/32 && back "$fip"
}

sandbox_start
cloud_add || die "the cloud failed"
# shellcheck disable=SC2015
group_web vm1 && acl web 1002 ip allow-related || die "the groups failed"
chassis_add elsewhere
# 'die' is for whatever fails.
# shellcheck disable=SC2015
guests_ready vm1 vm2 pvm && world_ready wan0 && windows_free ||
    die "no layer L3 here"
hop=$(mac_of ext wan0)
check "ovn-xdpd starts" daemon_start || finish
config confirm-ms $period
config interfaces nic0
for address in $fip $pvm; do
    check "$address is offloaded" await_offloaded "$address"
    warm "$address"
done
for mode in "${direct_modes[@]}"; do
    mode_begin "$mode"
    check "$mode: $fip is ready" await_direct $fip
    check "$mode: $pvm is ready" await_direct $pvm
    try "rule deleted" $fip vm1 last 3000 "$every" rule_gone rule_back
    # What the VM answers goes on with OVN alone, TCP by retransmission only.
    try "floating IP unset" $fip vm1 last 3000 "udp-there udp-back tcp-there" \
        fip_gone fip_back
    try "floating IP moved" $fip vm1 last 3000 "$every" fip_moves fip_returns
    try "port deleted" $pvm pvm last 3000 "$every" port_gone port_back
    try "port pulled" $pvm pvm last 3000 "$every" pulled plugged
    try "device destroyed" $pvm pvm last 3000 "$every" destroyed made
    try "port on another chassis" $pvm pvm last 3000 "$every" migrates returns
    try "next hop's MAC" $fip vm1 gap 1500 "udp-back" hop_moves hop_returns
    try "router rerouted" $fip vm1 last 1500 "udp-back tcp-back" rerouted \
        rerouted_back
    try "host rerouted" $fip vm1 last 1500 "udp-back tcp-back" host_rerouted \
        host_rerouted_back
done
check "no checksum was wrong" traffic sums ext vm1 vm2 pvm
finish
