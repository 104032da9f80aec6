#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# One daemon follows another under load: the previous build and this one, and
# back; this one and one whose maps have another layout, and back; and one that
# is killed before it has taken over.  20,000 packets per second pass each way
# meanwhile, through XDP into the cloud and out of it, and each is accounted
# for.  The NIC and its link to the program must not notice.
#
# What is lost is lost where the kernel counts it, on the wires and in the
# sockets that stand for real ones here; see test-kill-flood.sh.
# time-limit: 600
set -u
# shellcheck source=tests/system/sandbox.sh
. "$(dirname "$0")/sandbox.sh"

fip=172.24.100.111
rate=21000                  # What is reached is a little less.
out_rate=21000
this=$OVN_XDPD              # This build,
rebuilt=                    # the same with another file,
other=$daemon_build/tests/system/other-abi/ovn-xdpd # other maps,
previous=                   # and an earlier build, if there is one.
pins=                       # The daemon's pin directory,
kept=                       # and where this test pins maps to read them later.
traces=                     # What was there before the first one.
objects=()                  # "prog N", "map N", "link N": all that came.
errors=0                    # Frames lost after the verdict.

# Starts the daemon whose program is FILE.
start() {
    OVN_XDPD=$1
    daemon_start --pin-dir="$pins"
}

# Ends the daemon as a service manager does; its sockets and its pidfile go
# with it.
terminate() {
    local pid

    pid=$(daemon_pid) && kill -TERM "$pid" && await 5 gone "$pid" &&
        equal "what it leaves" "$(cd "$SANDBOX" && echo ovn-xdpd.*)" \
            ovn-xdpd.log
}

# Stops or continues the server of the Southbound.
southbound() {
    kill -"$1" "$(cat "$SANDBOX/sb-db.pid")"
}

# Ends the daemon and has one with other maps start, which makes them but, with
# the Southbound silent, cannot take over; and kills that.
cut_short() {
    local before status

    before=$(program nic0)
    daemon_kill && southbound STOP || return
    start "$other" && equal generations "$(generations)" 2 &&
        equal "program of the NIC" "$(program nic0)" "$before" && daemon_kill
    status=$?
    southbound CONT && return "$status"
}

# Prints how many generations of maps are pinned.
generations() {
    find "$pins" -maxdepth 1 -name 'gen-*' | wc -l
}

# Prints member FIELD of what is pinned as PATH: a link or a map.
#
# usage: member_of KIND PATH FIELD
member_of() {
    bpftool -j "$1" show pinned "$2" |
        json "(d[0] if isinstance(d, list) else d)['$3']"
}

# Succeeds if one generation is pinned, and the NIC has a program other than
# number BEFORE.
taken_over() {
    equal generations "$(generations)" 1 &&
        inverted equal "program of the NIC" "$(program nic0)" "$1"
}

# Notes what is in the kernel because of the daemon, and keeps the counters of
# the present generation, so that they can be read when it is gone.
keep() {
    local all=() pin gen

    mapfile -t all < <(find "$pins" -type f)
    for pin in "${all[@]}"; do
        if bpftool link show pinned "$pin" >/dev/null 2>&1; then
            objects+=("link $(member_of link "$pin" id)"
                "prog $(member_of link "$pin" prog_id)")
        else
            objects+=("map $(member_of map "$pin" id)")
        fi
    done
    for gen in "$pins"/gen-*; do
        [ -e "$kept/${gen##*/}" ] ||
            bpftool map pin pinned "$gen/endpoint_stats" "$kept/${gen##*/}"
    done
}

# Prints the frames redirected to any endpoint by what has been kept.
redirected() {
    local map

    for map in "$kept"/*; do
        bpftool -j map dump pinned "$map" || return
    done | "$PYTHON3" -IS -c 'import json, sys
print(sum(cpu["value"]["packets"] for line in sys.stdin
          for row in json.loads(line)
          for cpu in row["formatted"]["values"]))'
}

# Prints what must not change of the NIC and of the bridge.
devices() {
    local dev

    for dev in nic0 br-ex; do
        ip -n "$SANDBOX_ID-hv" -j link show dev $dev |
            json "[d[0].get(k) for k in ('ifindex', 'operstate', 'flags',
                   'mtu', 'address', 'promiscuity')]"
        ip netns exec "$SANDBOX_ID-hv" \
            cat /sys/class/net/$dev/{carrier,carrier_changes}
    done
    member_of link "$pins/links/nic0" id
}

# Prints how many frames of the flow out were lost on the way, where the kernel
# counts it.
out_drops() {
    echo $(($(device_counter vm1 eth0 tx_dropped) +
        $(socket_drops tap-vm1) + $(device_counter hv br-ex rx_dropped) +
        $(device_counter hv nic0 tx_dropped)))
}

# Starts to send from vm1 to 'ext', which XDP does not see.
out_start() {
    out_before=$(out_drops)
    nsenter --net="/run/netns/$SANDBOX_ID-vm1" -- \
        "$flow_program" send $WORLD $flow_port $out_rate \
        >"$SANDBOX/out.log" 2>&1 &
    out_pid=$!
}

# Ends that, and checks that each datagram that was not lost on the way has
# arrived, once.  Questions of what has arrived may be among the lost.
out_stop() {
    local sent asked received twice drops least

    check "the flow out has not ended" kill -TERM "$out_pid"
    check "and is answered" await 20 test -s "$SANDBOX/out.log"
    drops=$(($(out_drops) - out_before))
    remark <"$SANDBOX/out.log"
    echo "# out: the kernel has lost $drops on the way"
    read -r _ sent _ asked _ _ _ received _ twice _ <"$SANDBOX/out.log"
    least=$((sent - drops))
    check "each datagram out has arrived, or is known to be lost" between \
        received "$received" $least $((least + asked - 1))
    check "none arrived twice" equal twice "$twice" 0
}

# Replaces the daemon by that in FILE while packets pass.  HOW ends the old one.
#
# usage: replace NAME FILE HOW
replace() {
    local name=$1 file=$2 how=$3 before

    before=$(program nic0)
    check "$name: packets come" half_a_second
    check "$name: the old one is no more ($how)" "$how"
    check "$name: packets go on without it" half_a_second
    check "$name: the new one starts" start "$file"
    check "$name: it takes over, and removes the old maps" \
        await 10 taken_over "$before"
    check "$name: $fip is offloaded" await_offloaded $fip
    keep
    check "$name: packets go on" half_a_second
    check_not "$name: all this under load" gone "$flow_pid"
}

# Replaces the daemon as replace does, and accounts for what came in.
step() {
    local name=$1 before gen count counter

    before=$(devices)
    gen=$(echo "$pins"/gen-*)
    count=$(redirected)
    errors=$(redirect_errors)
    counter=$(endpoint $fip packets)
    flow_start $fip $rate
    check "$name: datagrams are on their way" equal "exit status" $? 0
    replace "$@"
    flow_stop
    check "$name: the counter answers" equal "exit status" $? 0
    count=$(($(redirected) - count))
    errors=$(($(redirect_errors) - errors))
    echo "# $name: $flow_rate datagrams per second, $flow_sent in all;" \
        "$((flow_sent - flow_wired)) not on the wire, $count redirected," \
        "$errors redirect errors"
    check "$name: each frame was redirected" equal redirected $count \
        $((flow_wired + flow_asked))
    check "$name: none arrived twice" equal twice "$flow_twice" 0
    check "$name: NIC, bridge and link are as before" equal devices \
        "$(devices)" "$before"
    counter=$(($(endpoint $fip packets) - counter))
    if [ "$(echo "$pins"/gen-*)" = "$gen" ]; then
        check "$name: the counters go on" equal counted \
            $counter $((flow_wired + flow_asked))
    fi
}

# Prints how many frames were lost between the bridge and the VM.  The queue of
# the bridge's own port is deep enough; the socket of the managed port may be
# full, and the VM.
in_drops() {
    echo $(($(socket_drops xdpi-br-ex) +
        $(device_counter hv tap-vm1 tx_dropped)))
}

# Does a step, and accounts for what came to the VM, too.  Of what was lost some
# may be of others.
arriving() {
    local drops least

    drops=$(in_drops)
    step "$@"
    drops=$(($(in_drops) - drops))
    echo "# $1: the kernel has lost $drops behind the bridge"
    least=$((flow_wired - errors - drops))
    check "$1: each arrived in the VM, or is known to be lost" between \
        received "$flow_received" $least "$flow_wired"
}

# Starts the first daemon, in FILE.
first() {
    check "the first one starts" start "$1" || finish
    check "$fip is offloaded" await_offloaded $fip
    keep
    warm $fip
    out_start
    monitor_start
}

# Starts to write down what the kernel says of the NIC.
monitor_start() {
    ip -n "$SANDBOX_ID-hv" monitor link dev nic0 >"$SANDBOX/monitor.log" &
}

# Checks that it said nothing, and that it would have been heard.
monitor_stop() {
    check "the kernel has announced no change of the NIC" \
        equal "what it said" "$(cat "$SANDBOX/monitor.log")" ""
    ip -n "$SANDBOX_ID-hv" link set dev nic0 alias changed
    check "but does so when it changes" await 5 test -s "$SANDBOX/monitor.log"
    ip -n "$SANDBOX_ID-hv" link set dev nic0 alias ""
}

# Says that the previous build is not there, for the reason WHY, as
# previous-build ended with STATUS: a failure, unless the tree has no .git or is
# a shallow clone.  That is a skip; where skips are failures, a remark.
#
# usage: no_previous STATUS WHY
no_previous() {
    local top=$sandbox_lib/../.. what=

    if [ ! -e "$top/.git" ]; then
        what="no .git here"
    elif [ "$(git -C "$top" -c safe.directory='*' rev-parse \
        --is-shallow-repository)" = true ]; then
        what="a shallow clone"
    fi
    if [ "$1" != 77 ] || [ -z "$what" ]; then
        check "the previous build: $2" false
    elif [ "${OVN_XDP_CHECK_ROOT:-}" = required ]; then
        echo "# no previous build: $what: $2"
    else
        check_skip "the previous build and this one" "$what: $2"
    fi
}

# The previous build and this one.
previous_steps() {
    local status=0

    previous=$("$sandbox_lib/previous-build") || status=$?
    if [ "$status" != 0 ]; then
        no_previous "$status" "$previous"
        first "$this"
        return
    fi
    first "$previous"
    arriving "previous to this" "$this" daemon_stop
    arriving "this to previous" "$previous" terminate
}

# Prints where a daemon could leave something else: devices, queueing
# disciplines, rows.
traces() {
    local table

    ip -n "$SANDBOX_ID-hv" -br link
    tc -n "$SANDBOX_ID-hv" qdisc
    for table in Bridge Port Interface; do
        vs --columns=name,external_ids,other_config list $table | sort
    done
}

# Succeeds if of all that the daemons had in the kernel nothing is left.
nothing_left() {
    local object

    for object in "${objects[@]}"; do
        # Two words.
        # shellcheck disable=SC2086
        if bpftool ${object/ / show id } >/dev/null 2>&1; then
            echo "$object"
        fi
    done | sort | uniq | equal "what is left" "$(cat)" ""
}

sandbox_start
queue_deeply br-ex
cloud_add || die "the cloud failed"
pins=$SANDBOX_PINS/xdp kept=$SANDBOX_PINS/kept
rebuilt=$SANDBOX/rebuilt/ovn-xdpd
mkdir "$kept" "${rebuilt%/*}" || die "no folders"
strip -g -o "$rebuilt" "$this" || die "no rebuilt daemon"
traces=$(traces)
config max-endpoints 256 # So that all counters are soon read.
config interfaces nic0
flow_serve vm1 || die "the counter of vm1 failed"
flow_serve ext || die "that of 'ext' failed"
previous_steps
arriving "to other maps" "$other" daemon_stop
arriving "other maps to this" "$this" terminate
arriving "same maps" "$rebuilt" daemon_stop
arriving "cut short" "$other" cut_short
out_stop
monitor_stop
config bridge-port veth
check "the managed port is used" await 10 target_is nic0 br-ex kind veth
check "and ready" await 10 target_is nic0 br-ex state ready
warm $fip
arriving "managed port, from other maps" "$this" daemon_stop

check "cut short once more" cut_short
southbound STOP
check "the last one starts" start "$this"
check "which cannot take over, either" equal generations "$(generations)" 2
keep
check "it exits with --cleanup" daemon_stop --cleanup
southbound CONT
rm -r "$kept"
check "no program is left" no_program nic0
check_not "no pin is left" test -e "$pins"
check "nothing of any daemon is left in the kernel" await 10 nothing_left
check "nor in its devices and in the database" \
    equal traces "$(traces)" "$traces"
finish
