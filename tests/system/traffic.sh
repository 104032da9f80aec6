# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# The traffic of the system tests, from 'ext' to the cloud.  traffic.py does
# what ping cannot, flood.c what Python is too slow for.  Sourced by sandbox.sh.

traffic_port=7000
flow_port=7001
flow_program=${OVN_XDP_BUILDDIR:-$sandbox_lib/../..}/tests/system/flood
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
    # Not by wait: "check" runs this in a shell whose child ping is not.
    await 5 gone "$ping_pid" || return
    answers=$(grep -c icmp_seq= "$log")
    ping_sent=$(sed -n 's/.*icmp_seq=\([0-9]*\) .*/\1/p' "$log" | tail -n 1)
    # shellcheck disable=SC2034
    ping_lost=$((ping_sent - answers))
}

# Succeeds if the ping of ping_start has had COUNT answers.
pings_answered() {
    [ "$(grep -c icmp_seq= "$SANDBOX/ping.log")" -ge "$1" ]
}

# Waits until ADDRESS answers, and again each time: the first packets on a new
# path may be lost while OVN learns neighbours and installs flows, which goes
# on for a while after the first answer.
warm() {
    await 10 ns ext ping -n -q -c 1 -W 1 "$1" && await 20 pings "$1" 10
}

# Has VM NAME say that it runs here now, as at the end of a live migration.
rarp() {
    ns "$1" "$PYTHON3" "$traffic_program" rarp eth0
}

# Starts the program that counts the datagrams of flows in VM NAME, and waits
# until it listens.
flow_serve() {
    local out=$SANDBOX/flow-$1

    mkfifo "$out" || return
    ns "$1" "$flow_program" count $flow_port \
        >"$out" 2>"$SANDBOX/flow-$1.log" </dev/null &
    read -r _ <"$out"
}

# Makes the queue of the tap DEV hold 100,000 frames.  ovs-vswitchd of the
# userspace datapath reads from it by and by, and not at all while its database
# is away: the packets then arrive late, but all of them.
queue_deeply() {
    ip -n "$SANDBOX_ID-hv" link set "$1" txqueuelen 100000
}

# Starts to send RATE datagrams per second to ADDRESS, until flow_stop.
#
# usage: flow_start ADDRESS RATE
flow_start() {
    flow_address=$1
    flow_aim=$2
    flow_before=$(endpoint "$1" packets) || return
    flow_wire=$(wire_drops)
    # Not by ns: the process must be the program itself, for its SIGTERM.
    nsenter --net="/run/netns/$SANDBOX_ID-ext" -- \
        "$flow_program" send "$1" $flow_port "$2" >"$SANDBOX/flow.log" 2>&1 &
    flow_pid=$!
    await 10 flow_runs 10
}

# Succeeds if the flow's address has got COUNT more frames through XDP.
flow_runs() {
    local packets

    packets=$(endpoint "$flow_address" packets) &&
        [ "$packets" -ge $((flow_before + $1)) ]
}

# Waits until the flow has sent half a second's frames from now on.
half_a_second() {
    await 20 frames_since "$(frames ext wan0 tx)" $((flow_aim / 2))
}

# Succeeds if 'ext' has sent COUNT frames since its counter was START.
#
# usage: frames_since START COUNT
frames_since() {
    [ $(($(frames ext wan0 tx) - $1)) -ge "$2" ]
}

# Prints how many frames of device DEV of hv ovs-vswitchd of the userspace
# datapath has not got: its sockets were full.
socket_drops() {
    ns hv ss -0Hnme src "*:$1" 2>/dev/null |
        sed -n 's/.*skmem:(.*,d\([0-9]*\)).*/\1/p' |
        awk '{ n += $1 } END { print n + 0 }'
}

# Prints how many frames 'ext' could not put on the wire: the ring of the NIC
# was full.
wire_drops() {
    device_counter ext wan0 tx_dropped
}

# Ends the flow, waits until what is under way has arrived, and sets what came
# of it: flow_sent, flow_rate, flow_received, flow_twice, flow_missing (ranges
# of numbers), flow_asked (frames more than that); flow_wired, how many frames
# the NIC got, and flow_redirected, how many of them XDP redirected.
# shellcheck disable=SC2034
flow_stop() {
    kill -TERM "$flow_pid"
    # Not by wait: "check" runs this in a shell whose child the program is not.
    await 20 test -s "$SANDBOX/flow.log" || return
    remark <"$SANDBOX/flow.log"
    read -r _ flow_sent _ flow_asked _ flow_rate _ flow_received _ flow_twice _ \
        flow_missing <"$SANDBOX/flow.log"
    [ -n "$flow_missing" ] || return
    flow_wired=$((flow_sent - $(wire_drops) + flow_wire))
    flow_redirected=$(($(endpoint "$flow_address" packets) -
        flow_before - flow_asked))
}

# Ends the flow; succeeds if XDP has redirected each datagram that the NIC
# got, and each datagram that was sent has arrived, once.
flow_whole() {
    flow_stop &&
        equal redirected "$flow_redirected" "$flow_wired" &&
        equal received "$flow_received" "$flow_sent" &&
        equal "received twice" "$flow_twice" 0
}
