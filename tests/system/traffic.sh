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

# Pings ADDRESS from outside COUNT times; all must be answered.
#
# usage: pings ADDRESS [COUNT]
pings() {
    local count=${2:-5}

    ns ext ping -n -q -c "$count" -i 0.02 -W 2 "$1" |
        grep -q " $count received,"
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
    ns ext ping -n -D -i "$(printf '0.%03d' "${2:-10}")" "$1" \
        >"$SANDBOX/ping.log" 2>&1 &
    ping_pid=$!
    await 5 grep -q 'icmp_seq=3 ' "$SANDBOX/ping.log"
}

# Stops that ping and sets ping_sent and ping_lost.  The last few requests may
# still be under way when it is stopped: it waits for those.
ping_stop() {
    local line

    kill -INT "$ping_pid"
    wait "$ping_pid"
    line=$(grep 'packets transmitted' "$SANDBOX/ping.log") || return
    ping_sent=${line%% *}
    [[ $line =~ ,\ ([0-9]+)\ received ]] || return
    # shellcheck disable=SC2034
    ping_lost=$((ping_sent - BASH_REMATCH[1]))
    echo "$line"
}

# Waits until ADDRESS answers: the first packets on a new path may be lost
# while OVN learns neighbours and installs flows.
warm() {
    await 10 ns ext ping -n -q -c 1 -W 1 "$1"
}
