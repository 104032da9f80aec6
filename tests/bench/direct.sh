#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Measures layer L3 with a real OVN, beside the same traffic by way of OVN:
# packets per second to a VM, bulk TCP both ways, how long a short answer takes,
# new connections per second, and what ovs-vswitchd does meanwhile.
#
# The short answers are measured twice.  Left to the scheduler, who asks and who
# answers are mostly on two CPUs; one of them sleeps while the other works, and
# to wake it up takes a large part of the time, which layer L3 cannot spare.  So
# they are also kept on one CPU, where only the way counts.
#
# usage: direct.sh [--quick]
set -u
# shellcheck source=tests/system/sandbox.sh
. "$(dirname "$0")/../system/sandbox.sh"

bench=$(cd "$(dirname "$0")" && pwd)
talk=$daemon_build/tests/bench/talk
stream=$daemon_build/tests/bpf/stream
fip=172.24.100.111
# ovs-vswitchd 3.1 ends itself after some 20,000 connections to one port.
rounds=5 seconds=2 asks=5000 calls=1000
# The first CPU that there is.
cpu=$(awk -F'[\t,-]' '$1 == "Cpus_allowed_list:" { print $2 }' /proc/self/status)
[ "${1:-}" = --quick ] && rounds=1 seconds=0.5 asks=2000

# Notes VALUE of what SUBJECT says, in MODE: "on", "off" or "bare".
#
# usage: note SUBJECT MODE VALUE
note() {
    printf '%s\t%s\t%s\n' "$@" >>"$SANDBOX/notes"
}

# Prints how many ticks of processor time ovs-vswitchd has had, and the time in
# microseconds.
vswitchd_time() {
    sed 's/.*) //' "/proc/$(cat "$SANDBOX/ovs-vswitchd.pid")/stat" |
        awk -v now="${EPOCHREALTIME/[.,]/}" '{ print $12 + $13, now }'
}

# Runs COMMAND, and notes for SUBJECT what it prints, and how much of a
# processor, in percent, ovs-vswitchd has had.
#
# usage: gauge SUBJECT MODE COMMAND...
gauge() {
    local subject=$1 mode=$2 before value

    shift 2
    before=$(vswitchd_time)
    "$@" >"$SANDBOX/values" || die "$subject, direct $mode: $* fails"
    note "processor, $subject" "$mode" "$(echo "$before $(vswitchd_time)" |
        awk -v hertz="$(getconf CLK_TCK)" \
            '{ print ($3 - $1) / hertz * 1e8 / ($4 - $2) }')"
    while read -r value; do
        note "$subject" "$mode" "$value"
    done <"$SANDBOX/values"
}

# Prints of each of many turns millions of packets per second that arrive in vm1
# of a stream of FLOWS flows.
#
# usage: stream FLOWS [ARGUMENT...]
stream() {
    "$stream" "$SANDBOX_ID-ext:wan0" "$SANDBOX_ID-vm1:eth0" \
        "$(mac_of hv nic0)" $WORLD $fip "$1" $seconds "${@:2}" \
        >"$SANDBOX/turns" &&
        awk '$1 == 0 { print $3 * 1e3 / $4 }' "$SANDBOX/turns"
}

# The same, by turns with a bare redirect to vm1's port, which it notes.
#
# usage: stream_by_turns FLOWS
stream_by_turns() {
    stream "$1" "$SANDBOX_ID-ext:bare1" "$SANDBOX_ID-hv:bare0" \
        "$SANDBOX_ID-hv:tap-vm1" || return
    awk -v subject="by turns, $1" -v OFS='\t' \
        '$1 == 1 { print subject, "bare", $3 * 1e3 / $4 }' \
        "$SANDBOX/turns" >>"$SANDBOX/notes"
}

# Makes the NIC that redirects and does nothing else.
bare_nic_add() {
    ip link add bare0 netns "$SANDBOX_ID-hv" type veth \
        peer name bare1 netns "$SANDBOX_ID-ext" &&
        ip -n "$SANDBOX_ID-hv" link set bare0 up &&
        ip -n "$SANDBOX_ID-ext" link set bare1 up
}

# Prints megabits per second from namespace FROM to ADDRESS.
#
# usage: bulk FROM ADDRESS
bulk() {
    ns "$1" timeout 60 "$PYTHON3" "$bench/bulk.py" send "$2" 7100 $seconds
}

# Prints in how many nanoseconds each of COUNT short messages is answered
# (ask), or how many connections for one each are made in a second (call).
#
# usage: talks ask|call COUNT
talks() {
    ns ext "$talk" "$1" $fip 7101 "$2"
}

# The same as "talks ask", on one CPU.
#
# usage: asks_on_one COUNT
asks_on_one() {
    ns ext taskset -c "$cpu" "$talk" ask $fip 7102 "$1"
}

# Measures all with direct MODE.
measure() {
    local flows

    warm $fip || die "the way is closed"
    for flows in 1 1024; do
        gauge $flows "$1" stream $flows
        [ "$1" = off ] || gauge "by turns, $flows" on stream_by_turns $flows
    done
    gauge in "$1" bulk ext $fip
    gauge out "$1" bulk vm1 $WORLD
    gauge answer "$1" talks ask $asks
    gauge "answer on one" "$1" asks_on_one $asks
    gauge connections "$1" talks call $calls
}

# Starts a server, of COMMAND, in namespace NAME, and waits until it listens.
#
# usage: listen NAME COMMAND...
listen() {
    local out

    out=$(mktemp -u "$SANDBOX/listen.XXXXXX") && mkfifo "$out" || return
    ns "$@" >"$out" 2>"$out.log" </dev/null &
    read -r _ <"$out"
}

# Has layer L3 be "on" or "off" for the floating IP.
direct() {
    local answer=false

    [ "$1" = off ] || answer=true
    config direct "$1"
    await 10 endpoint_is $fip direct $answer || die "direct is not $1"
}

sandbox_start
cloud_add || die "the sandbox's cloud failed"
bare_nic_add || die "there is no other NIC"
# XDP sends into a veth only if the other end has GRO.
ns ext ethtool -K wan0 gro on >/dev/null
ns vm1 ethtool -K eth0 gro on >/dev/null
ovs-appctl -t "$SANDBOX/ovs-vswitchd.ctl" dpctl/ct-disable-tcp-seq-chk \
    >/dev/null ||
    die "ovs-vswitchd keeps checking TCP windows"
daemon_start || die "ovn-xdpd does not start"
export PYTHONDONTWRITEBYTECODE=yes
for name in vm1 ext; do
    listen $name "$PYTHON3" "$bench/bulk.py" sink 7100
done
listen vm1 "$talk" serve 7101
listen vm1 taskset -c "$cpu" "$talk" serve 7102
config interfaces nic0
await_attached nic0 || die "nic0 is not attached"
await_offloaded $fip || die "$fip is not served"
for ((i = 0; i < rounds; i++)); do
    for mode in off on; do
        direct $mode
        measure $mode
    done
done
"$PYTHON3" "$bench/direct.py" "$SANDBOX/notes"
