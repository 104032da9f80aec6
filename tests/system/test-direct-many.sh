#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Layer L3 with 65,536 flows at once: all of them are taken off, stay confirmed
# by probes that do not grow with them, and end in time when OVN has revoked
# them, with an event seen or not.
# time-limit: 300
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
declare -A last=()

# Starts the sender, and waits until each flow has had a datagram.
many_start() {
    local word

    mkfifo "$SANDBOX/many-in" "$SANDBOX/many-out" || return
    SANDBOX_ID=$SANDBOX_ID PYTHONDONTWRITEBYTECODE=yes timeout 280 \
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
    read -r -t 60 -u "$many_out" answer && echo "$answer"
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
# when the last one came; then it brings the rule back.
#
# usage: revoke MODE
revoke() {
    local start=$EPOCHREALTIME

    acl_del web 1002 ip && last[$1]=$(many_ask last "$start" 40000)
    # Not within 'check', which is a shell of its own.
    check "$1: a rule is deleted" test -n "${last[$1]}"
    echo "# $1: the last datagram after ${last[$1]} ms"
}
back() {
    acl web 1002 ip allow-related && ovn_sync
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

# All that must hold while all flows are in use, until each of them has been
# probed some times.
steady() {
    local effective before after unconfirmed

    effective=$(direct_status confirm_ms)
    unconfirmed=$(direct_counted unconfirmed)
    read -ra before < <(taken_off)
    many_ask lost >/dev/null
    check "on: each is probed" await 60 probed \
        $(($(direct_counted probes) + 2 * many))
    check "on: nothing is lost" equal datagrams "$(many_ask lost)" 0
    read -ra after < <(taken_off)
    check "on: they are taken off" between packets \
        $((after[0] - before[0])) $((2 * many)) 100000000
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
    revoke on
    check "on: in time" between ms "${last[on]}" 0 $((last[off] + slack))
    check "on: it comes back" back
    check "on: all are in use again" await 60 many_used
    effective=$(direct_status confirm_ms)
    daemon_appctl direct/suppress-events true
    revoke mute
    check "mute: in time" between ms "${last[mute]}" 0 \
        $((last[off] + 3 * effective + slack))
    daemon_appctl direct/suppress-events false
    check "on: it comes back once more" back
done
exec {many_in}>&-
finish
