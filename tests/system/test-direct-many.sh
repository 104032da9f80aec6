#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Layer L3 with 65,536 flows at once: all of them are taken off, stay confirmed
# by probes that do not grow with them, and end in time when OVN has revoked
# them, with an event seen or not.
# time-limit: 500
set -u
# shellcheck source=tests/system/sandbox.sh
. "$(dirname "$0")/sandbox.sh"
# shellcheck source=tests/system/acl-cloud.sh
. "$(dirname "$0")/acl-cloud.sh"
# shellcheck source=tests/system/direct.sh
. "$(dirname "$0")/direct.sh"

fip=172.24.100.111
port=7100
many=65536
rate=20000          # Datagrams per second, of all flows together.
period=5000         # Of confirmation, in ms: datagrams of a flow come more often.
slack=500           # What a loaded machine may add, in ms.
tries=2             # Machines are shared: the better of so many counts.
longest=90000       # More than any bound, in ms.
declare -A last=()

# Starts the sender, and waits until each flow has had a datagram.
many_start() {
    local word

    mkfifo "$SANDBOX/many-in" "$SANDBOX/many-out" || return
    SANDBOX_ID=$SANDBOX_ID PYTHONDONTWRITEBYTECODE=yes timeout 480 \
        "$PYTHON3" "$sandbox_lib/direct_many.py" $fip $port $many $rate \
        <"$SANDBOX/many-in" >"$SANDBOX/many-out" 2>"$SANDBOX/many.log" &
    exec {many_in}>"$SANDBOX/many-in" {many_out}<"$SANDBOX/many-out"
    read -r -t 60 -u "$many_out" word
    [ "$word" = running ]
}

# Asks the sender WORDS, and prints the answer.
#
# usage: many_ask WORD...
many_ask() {
    local answer

    echo "$*" >&"$many_in"
    read -r -t $((longest / 1000 + 30)) -u "$many_out" answer &&
        echo "$answer"
}

# Prints member FIELD of what "status" says of layer L3.
#
# usage: direct_status FIELD
direct_status() {
    ctl -f json status | json "d['direct']['$1']"
}

# Succeeds if nearly all flows are taken off.  A few may have had a note at the
# place of another's each time.
many_used() {
    between "flows in use" "$(direct_status used_flows)" $((many - 500)) \
        "$many"
}

# Takes the rule away that lets the datagrams pass, and notes in 'last' of MODE
# when the last one came.  'back' brings the rule back.
#
# usage: revoke MODE
revoke() {
    local start=$EPOCHREALTIME

    acl_del web 1002 ip && last[$1]=$(many_ask last "$start" $longest)
    # Not within 'check', which is a shell of its own.
    check "$1: a rule is deleted" test -n "${last[$1]}"
    echo "# $1: the last datagram after ${last[$1]} ms"
}
back() {
    acl web 1002 ip allow-related && ovn_sync
}

# Has the flows be revoked in MODE, on or mute, in which the daemon sees no event
# of it; again if they go on for more than MOST ms, and judges.  MOST is less
# than 'longest', or nothing could be too late.
#
# usage: revoked_in MODE MOST
revoked_in() {
    local mode=$1 most=$2 i

    check "$mode: the bound can be missed" between ms "$most" 0 \
        $((longest - 1000))
    for ((i = 0; i < tries; i++)); do
        [ "$mode" = on ] || daemon_appctl direct/suppress-events true
        revoke "$mode"
        [ "$mode" = on ] || daemon_appctl direct/suppress-events false
        check "$mode: it comes back" back
        check "$mode: all are in use again" await 60 many_used
        [ "${last[$mode]:-$longest}" -gt "$most" ] || break
    done
    check "$mode: in time" between ms "${last[$mode]}" 0 "$most"
}

# Prints counter NAME of layer L3.
#
# usage: direct_counted NAME
direct_counted() {
    ctl -f json stats | json "d['direct']['$1']"
}

# Succeeds once COUNT probes have been sent.
probed() {
    between probes "$(direct_counted probes)" "$1" 100000000
}

# Succeeds once COUNT packets more than BEFORE have been taken off.
#
# usage: taken_since BEFORE COUNT
taken_since() {
    local now

    read -ra now < <(taken_off)
    between packets $((now[0] - $1)) "$2" 100000000
}

# All that must hold while all flows are in use, until each of them has been
# probed some times.
steady() {
    local effective before unconfirmed

    effective=$(direct_status confirm_ms)
    unconfirmed=$(direct_counted unconfirmed)
    read -ra before < <(taken_off)
    many_ask lost >/dev/null
    check "on: each is probed" await 60 probed \
        $(($(direct_counted probes) + 2 * many))
    # A loaded machine sends less than 'rate'.
    check "on: they are taken off" await 60 taken_since "${before[0]}" \
        $((2 * many))
    check "on: nothing is lost" equal datagrams "$(many_ask lost)" 0
    check "on: they stay confirmed" equal "flows that ceased to be" \
        "$(direct_counted unconfirmed)" "$unconfirmed"
    check "on: none waits for it" between flow-unconfirmed \
        "$(counted nic0 flow-unconfirmed)" 0 $((many / 100))
    check "on: the period is that of the budget" between ms "$effective" \
        $period 20000
    echo "# confirmed every $effective ms"
}

sandbox_start
cloud_add || die "the cloud failed"
# 'die' is for whatever fails.
# shellcheck disable=SC2015
group_web vm1 && acl web 1002 ip allow-related || die "the groups failed"
# 'die' is for whatever fails.
# shellcheck disable=SC2015
guests_ready vm1 && world_ready wan0 && windows_free || die "no layer L3 here"
check "ovn-xdpd starts" daemon_start || finish
config confirm-ms $period
config interfaces nic0
check "$fip is offloaded" await_offloaded $fip
warm $fip
many_start || die "the sender does not start"
revoke off
check "off: it comes back" back
for mode in "${direct_modes[@]}"; do
    [ "$mode" = on ] || continue
    direct_begin on
    check "on: $fip is ready" await_direct $fip
    check "on: all are in use" await 60 many_used
    steady
    revoked_in on $((last[off] + slack))
    effective=$(direct_status confirm_ms)
    revoked_in mute $((last[off] + 3 * effective + slack))
done
exec {many_in}>&-
finish
