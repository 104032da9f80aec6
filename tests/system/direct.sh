# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# What the tests of layer L3 share.  Sourced after sandbox.sh.

# The variables of that one are not seen here.
# shellcheck disable=SC2154

# Each of these scripts does the same without layer L3 and with it, in one run:
# OVN alone shows what is right.  OVN_XDP_DIRECT_MODES=off leaves out the second
# part.
read -ra direct_modes <<<"${OVN_XDP_DIRECT_MODES:-off on}"
direct=off          # The mode of the moment.
watch_pid=

# Runs direct_traffic.py.
traffic_run() {
    SANDBOX_ID=$SANDBOX_ID PYTHONDONTWRITEBYTECODE=yes timeout 60 "$PYTHON3" \
        "$sandbox_lib/direct_traffic.py" "$@"
}

# The same, and notes in file "traffic" what it says.
traffic() {
    local said status

    said=$(traffic_run "$@")
    status=$?
    echo "$said"
    echo "$direct, $*: $said" >>"$SANDBOX/traffic"
    return $status
}

# The same of datagrams.  Open vSwitch's userspace datapath loses some when the
# machine is loaded: with OVN alone that is no fault, and with layer L3 they are
# sent once more.
datagrams() {
    local status

    traffic udp "$@"
    status=$?
    [ $status -ne 3 ] && return $status
    [ "$direct" = off ] || traffic udp "$@"
}

# Has the network cards of VMs take what XDP redirects, as a tap does: a veth
# needs GRO at its other end for that.
#
# usage: guests_ready VM...
guests_ready() {
    local vm

    for vm; do
        ns "$vm" ethtool -K eth0 gro on >/dev/null || return
    done
}

# Likewise for devices of the world outside.
#
# usage: world_ready DEVICE...
world_ready() {
    local dev

    for dev; do
        ns ext ethtool -K "$dev" gro on >/dev/null || return
    done
}

# Puts a NIC with number I into br-ex; its other end is in namespace NAME.
#
# usage: nic_switched I NAME
nic_switched() {
    ip link add "nic$1" netns "$SANDBOX_ID-hv" type veth peer name "wan$1" \
        netns "$SANDBOX_ID-$2" &&
        ns hv ethtool -K "nic$1" rxvlan off txvlan off tx off >/dev/null &&
        ns "$2" ethtool -K "wan$1" rxvlan off txvlan off tx off gro on \
            >/dev/null &&
        ip -n "$SANDBOX_ID-$2" link set "wan$1" up &&
        ip -n "$SANDBOX_ID-hv" link set "nic$1" up &&
        vs add-port br-ex "nic$1"
}

# Gives device DEV of NAME address HOST of the network with number NET.
#
# usage: gateway_at NAME DEV NET HOST
gateway_at() {
    local ns=$SANDBOX_ID-$1

    ip -n "$ns" addr replace "172.24.$3.$4/24" dev "$2" &&
        ip -n "$ns" addr replace "2001:db8:$3::$4/64" dev "$2" nodad &&
        ip -n "$ns" link set "$2" up
}

# Switches layer L3 on or off.
direct_begin() {
    direct=$1
    # For work on these scripts, without a layer L3.
    [ "${direct_modes[*]}" = off ] && return
    config direct "$1"
    check "direct is $1" await 5 setting_is direct "$1"
}

# Waits until ADDRESS is forwarded directly, if that is asked for at all.
await_direct() {
    [ $direct = off ] || await 10 endpoint_is "$1" direct true
}

# Prints how many packets were counted under REASON at SIDE: near-nic, near-vm,
# far-nic or far-vm.  What the XDP programs of NICs count is counted apart.
#
# usage: side_counted SIDE REASON
side_counted() {
    ctl -f json stats |
        json "d['direct']['sides'].get('$1', {}).get('$2', {}).get('packets', 0)"
}

# Prints how many packets were taken off on their way in, and on their way out.
taken_off() {
    local nic n=0

    for nic in $(ctl -f json interfaces | json "' '.join(i['name'] for i in d)"); do
        n=$((n + $(counted "$nic" direct)))
    done
    echo $((n + $(side_counted near-nic direct))) "$(side_counted near-vm direct)"
}

# Prints how many flows there are of which EXPRESSION says True of 'f', of all
# or of ADDRESS.
#
# usage: flows EXPRESSION [ADDRESS]
flows() {
    ctl -f json flows --limit 10000 ${2:+--endpoint "$2"} |
        json "sum(bool($1) for f in d['flows'])"
}

# Succeeds if ADDRESS has at least COUNT flows whose packets are taken off.
#
# usage: flows_used ADDRESS COUNT
flows_used() {
    between "flows of $1 in use" \
        "$(flows "f['state'] == 'used'" "$1")" "$2" 1000000
}

# Checks COMMAND.  With layer L3 at least IN packets were taken off on their way
# in through it, and OUT on their way out.
#
# usage: quick NAME IN OUT COMMAND...
quick() {
    local name=$1 in=$2 out=$3 before after

    shift 3
    [ $direct = off ] || read -ra before < <(taken_off)
    if ! check "$direct: $name" "$@"; then
        return 1
    fi
    # What check has printed is gone; this is for people.
    [ $direct = off ] && return
    read -ra after < <(taken_off)
    check "$direct: $name, directly in" between packets \
        $((after[0] - before[0])) "$in" 1000000000
    check "$direct: $name, directly out" between packets \
        $((after[1] - before[1])) "$out" 1000000000
}

# Starts a watch, TCP and UDP both ways, and waits until it runs, and with layer
# L3 until all four flows of ENDPOINT are taken off.
#
# usage: watch_start ENDPOINT CLIENT SERVER ADDRESS [own=PORT]
watch_start() {
    local endpoint=$1 word

    shift
    rm -f "$SANDBOX/watch-in" "$SANDBOX/watch-out" "$SANDBOX/watch"
    mkfifo "$SANDBOX/watch-in" "$SANDBOX/watch-out" || return
    traffic_run watch "$@" <"$SANDBOX/watch-in" >"$SANDBOX/watch-out" \
        2>"$SANDBOX/watch.log" &
    watch_pid=$!
    exec {watch_in}>"$SANDBOX/watch-in" {watch_out}<"$SANDBOX/watch-out"
    read -r -t 15 -u "$watch_out" word
    [ "$word" = running ] || return
    [ $direct = off ] || await 5 flows_used "$endpoint" 4
}

# Ends the watch once nothing has come for QUIET ms (0: it does not wait for
# that), or MAX ms after START, in seconds since 1970.  What it says is then in
# file "watch".
#
# usage: watch_stop START QUIET MAX
watch_stop() {
    echo "stop $*" >&"$watch_in"
    cat <&"$watch_out" >"$SANDBOX/watch"
    exec {watch_in}>&- {watch_out}<&-
    wait "$watch_pid"
}

# Prints what the last watch says of STREAM under WORD: last, gap, after, sent,
# lost, twice, wrong, late, by.
#
# usage: watched STREAM WORD
watched() {
    awk -v stream="$1" -v word="$2" '$1 == stream {
        for (i = 2; i < NF; i++) if ($i == word) { print $(i + 1); exit } }' \
        "$SANDBOX/watch"
}
