# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# The traffic of the system tests, from 'ext' to the cloud.  traffic.py does
# what ping cannot.  Sourced by sandbox.sh.

traffic_port=7000
traffic_program=$(dirname "${BASH_SOURCE[0]}")/traffic.py

# Starts the server that answers TCP and UDP in the namespace of VM NAME, and
# waits until it listens.
serve() {
    local out=$SANDBOX/serve-$1

    mkfifo "$out" || return
    ns "$1" "$PYTHON3" "$traffic_program" serve $traffic_port \
        >"$out" 2>"$SANDBOX/serve-$1.log" </dev/null &
    read -r _ <"$out"
}

# Pings ADDRESS from outside COUNT times; all must be answered.  OPTION is one
# of traffic.py's.
#
# usage: pings ADDRESS [COUNT [OPTION...]]
pings() {
    ns ext timeout 20 "$PYTHON3" "$traffic_program" ping "$1" "${2:-5}" \
        "${@:3}"
}

# Succeeds if not one of three pings to any ADDRESS is answered.
#
# usage: unreachable ADDRESS...
unreachable() {
    local address pids=() reached=0

    for address in "$@"; do
        ns ext ping -n -q -c 3 -i 0.1 -W 0.3 "$address" >/dev/null 2>&1 &
        pids+=($!)
    done
    for address in "$@"; do
        wait "${pids[0]}" && reached=1 && echo "$address answers"
        pids=("${pids[@]:1}")
    done
    return $reached
}

# Sends BYTES by TCP to ADDRESS, whose server sends them back, and compares.
#
# usage: tcp_echo ADDRESS [BYTES]
tcp_echo() {
    ns ext timeout 20 "$PYTHON3" "$traffic_program" tcp-echo "$1" \
        $traffic_port "${2:-100000}"
}

# Sends COUNT datagrams to ADDRESS at RATE per second.  Prints how many were
# sent and how many the server counted; fails if one is missing.
#
# usage: udp_count ADDRESS COUNT RATE
udp_count() {
    ns ext timeout 60 "$PYTHON3" "$traffic_program" udp-count "$1" \
        $traffic_port "$2" "$3"
}

# Starts to ping ADDRESS every MILLISECONDS until ping_stop.
#
# usage: ping_start ADDRESS [MILLISECONDS]
ping_start() {
    # Not by ns: the process must be ping itself, so that it can be stopped.
    nsenter --net="/run/netns/$SANDBOX_ID-ext" -- \
        ping -n -D -i "$(printf '0.%03d' "${2:-10}")" "$1" \
        >"$SANDBOX/ping.log" 2>&1 &
    ping_pid=$!
    await 5 pings_answered 3
}

# Stops that ping once it is answered again, and sets ping_sent, up to the last
# answered request, and ping_lost.
ping_stop() {
    local log=$SANDBOX/ping.log answers

    answers=$(grep -c icmp_seq= "$log")
    await 10 pings_answered $((answers + 3)) || return
    kill -INT "$ping_pid"
    wait "$ping_pid"
    answers=$(grep -c icmp_seq= "$log")
    ping_sent=$(sed -n 's/.*icmp_seq=\([0-9]*\) .*/\1/p' "$log" | tail -n 1)
    # shellcheck disable=SC2034
    ping_lost=$((ping_sent - answers))
}

# Succeeds if the ping of ping_start has had COUNT answers.
pings_answered() {
    [ "$(grep -c icmp_seq= "$SANDBOX/ping.log")" -ge "$1" ]
}

# Waits until ADDRESS answers: the first packets on a new path may be lost
# while OVN learns neighbours and installs flows.
warm() {
    await 10 ns ext ping -n -q -c 1 -W 1 "$1"
}
